#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
What a protected guest finds in pages that are not its image's, and what is left of it when it is
gone.

Usage: removal_test.py ZPV BUILD
"""
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "guestrun"))

from pv_test import layout_c, seal, seal_program  # noqa: E402
from runlab import CC  # noqa: E402
from common import Skip, bind, check, check_equal, main, read_key  # noqa: E402
import sebuild  # noqa: E402
import seread  # noqa: E402
import setamper  # noqa: E402

HERE = Path(__file__).resolve().parent
CLEAN, FOUND = 0, 3
PAGE, MEMORY = 0x1000, 64 << 20
STACK = "stage3a's stack"
NAMED = {"stage3a", STACK, "IPIB", "SE header", "metadata", "short PSW"}

PATTERN = bytes.fromhex("c0ffee5ec0de0badf00d71dd1e517e55")
FIRST, PAGES, SHARED = 0x200000, 64, 10
REFUSED_VERIFY, REFUSED_UNPACK = 0x0102, 0x0103

# Fills its pages, shares one, says so, and asks for a re-IPL.
HIDES = f"""
	llilf	%r2, {FIRST:#x}
	llilf	%r3, {FIRST + PAGES * PAGE:#x}
	larl	%r4, pattern
1:	mvc	0(16, %r2), 0(%r4)
	la	%r2, 16(%r2)
	clgr	%r2, %r3
	jl	1b
	larl	%r4, uvcb
	.insn	rrf, 0xb9a40000, %r0, %r4, 0, 0
	jnz	2f
	diag	%r0, %r0, 0x44
	lghi	%r1, 3
	diag	%r2, %r1, 0x308
2:	FAIL
	.balign	8
uvcb:	.short	0x30, 0x1000, 0, 0
	.quad	0, 0, 0, {FIRST + SHARED * PAGE:#x}, 0
pattern:
	.byte	{", ".join(f"{b:#x}" for b in PATTERN)}
"""


# --- Images --------------------------------------------------------------------------------------

def stack_page():
    """Of stage3a, by its source; what the loader does there is looked at in the run."""
    text = (HERE.parents[1] / "loader" / "layout.h").read_text()
    return int(re.search(r"^#define STACK_TOP\s+(0x[0-9a-f]+)", text, re.M)[1], 16) & -PAGE


def parts_of(lab, image):
    """The image's memory map as zpv tells it: {name: (address, size, is a component)}."""
    data = lab.info(image, "--verify", "--host-key", lab.identity())
    parts = {part["name"]: (int(part["addr_hex"], 16), part["size"], part["secured"])
             for part in data["verification"]["parts"]}
    return {**parts, STACK: (stack_page(), PAGE, False)}


def write_parts(lab, parts, unpacked=None):
    """For the programs. unpacked: names of the components that UNPACK gets to; None: all."""
    lines = []
    for name, (addr, size, secured) in parts.items():
        taken = secured and (unpacked is None or name in unpacked)
        lines.append(f"{'unpacked' if taken else 'plain'} {addr:x} {size:x} {name}\n")
    return lab.write("parts", "".join(lines).encode())


def ranges_without(parts):
    """All of memory but the components."""
    ranges, at = [], 0
    for addr, size, secured in sorted(parts.values()):
        if secured:
            ranges.append((at, addr))
            at = addr + (size + PAGE - 1) // PAGE * PAGE
    return [(first, end) for first, end in [*ranges, (at, MEMORY)] if first < end]


def loaders(lab, ranges):
    """A folder with zpv's stage3a, and zeros.S in stage3b's place."""
    if not shutil.which(CC):
        raise Skip(f"{CC} is not installed")
    folder = lab.path("loaders")
    folder.mkdir(exist_ok=True)
    shutil.copy(lab.build / "loader" / "stage3a.bin", folder)
    words = ", ".join(str(word) for pair in [*ranges, (0, 0)] for word in pair)
    done = subprocess.run([CC, "-march=z196", "-m64", "-nostdlib", "-static", "-no-pie",
                           "-Wl,--build-id=none", "-Wl,-e,start", "-Wl,-Ttext=0",
                           "-Wl,--oformat=binary", f"-DRANGES=.quad {words}", HERE / "zeros.S",
                           "-o", folder / "stage3b_reloc.bin"], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    check(done.returncode == 0, done.stdout)
    return folder


def in_layout_c(lab, image):
    key = read_key(lab.identity() / "private" / "host.key")
    recipe = sebuild.Recipe(kernel=b"", stage3a=b"", stage3b=b"", hosts=[key.public],
                            header_key=bytes(range(32)), image_key=bytes(range(64)),
                            cck=bytes(32))
    path = lab.write("c.img", layout_c(image.read_bytes(), key, recipe))
    check_equal(seread.read_image(path.read_bytes(), key).layout.name, "C", "layout")
    return path


def reading_image(lab, also=(), layout="R"):
    """Its guest reads all but the components; where they are is known once it was made."""
    def make(ranges):
        image = seal(lab, "reading.img", "-i", lab.kernel, "-r", lab.ramdisk,
                     "--no-component-check", "--x-bootloader-directory", loaders(lab, ranges))
        return in_layout_c(lab, image) if layout == "C" else image
    places = [(0, PAGE)] * 8        # as many as there may be, so that the size stays
    parts = parts_of(lab, make(places))
    ranges = ranges_without(parts) + [(parts[name][0], sum(parts[name][:2])) for name in also]
    check(len(ranges) <= len(places), f"{ranges}")
    image = make(ranges + (len(places) - len(ranges)) * ranges[:1])
    check_equal(parts_of(lab, image), parts, "memory map")
    return image, parts


# --- Running -------------------------------------------------------------------------------------

def run(lab, program, words, code=CLEAN):
    """What it has printed."""
    done = subprocess.run([lab.build / "tests" / "removal" / program, *map(str, words)],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=lab.env(),
                          timeout=120, check=False)
    out, err = done.stdout.decode(), done.stderr.decode(errors="replace")
    for line in out.splitlines():
        print(f"# {line}")
    check_equal(done.returncode, code, f"exit status, after {out} {err[-2000:]}")
    return out


def count(out, what):
    found = re.search(rf"^{what}: (\d+)", out, re.M)
    check(found, f"no {what!r} in {out!r}")
    return int(found[1])


def check_found(out, *texts):
    for text in texts:
        check(re.search(rf"^FAIL: .*{text}", out, re.M), f"{text!r} was not found in {out}")


def first_touch(lab, way, image, parts, broken="", code=CLEAN):
    return run(lab, "first_touch" + broken,
               [way, lab.identity(), write_parts(lab, parts), image], code)


def check_touched(out, parts, named):
    pages = (MEMORY - sum(size for _, size, secured in parts.values() if secured)) // PAGE
    check_equal(count(out, "plaintext pages"), pages, "pages with the host's bytes")
    check_equal(count(out, "zero pages"), pages, "pages that are zeros")
    for name in named:
        check_equal(count(out, name), -(-parts[name][1] // PAGE), f"pages of {name}")


# --- First touch ---------------------------------------------------------------------------------

def test_touch(lab, way, layout):
    image, parts = reading_image(lab, layout=layout)
    # The shared tool writes no metadata.
    named = NAMED - ({"metadata"} if layout == "C" else set())
    check(named <= parts.keys(), f"parts {parts}")
    check_touched(first_touch(lab, way, image, parts), parts, named)


def test_real_loader(lab):
    """With zpv's own stage3b and a kernel behind it."""
    image = seal_program(lab, "	PASS\n")
    parts = parts_of(lab, image)
    check_touched(first_touch(lab, "import", image, parts), parts, NAMED)


def test_guest_notices(lab):
    """The guest's own check can fail: it reads its kernel, too."""
    image, parts = reading_image(lab, also=["kernel"])
    out = first_touch(lab, "touch", image, parts, code=FOUND)
    check_found(out, "the guest did not end as it should: 3, protected")


def test_broken_import(lab, way, *texts):
    image, parts = reading_image(lab)
    out = first_touch(lab, way, image, parts, broken="_import", code=FOUND)
    check_found(out, *texts)
    check(count(out, "zero pages") == 0, out)


# --- Removal -------------------------------------------------------------------------------------

def cleared(lab, way, image, parts, *words, broken="", code=CLEAN):
    return run(lab, "cleared" + broken, [way, lab.identity(), parts, image, PATTERN.hex(), *words],
               code)


def removed(lab, way, **options):
    image = seal_program(lab, HIDES)
    return cleared(lab, way, image, write_parts(lab, parts_of(lab, image)), f"{FIRST:x}", PAGES,
                   SHARED, **options)


def test_removed(lab, way, looks):
    out = removed(lab, way)
    check_equal(count(out, "looks"), looks, "looks")
    check(count(out, "secure pages") >= PAGES * 7 // 8 - 1, out)
    check(count(out, "frames of the host's store") > PAGES * looks, out)


def test_broken(lab, broken, way, *texts):
    check_found(removed(lab, way, broken=f"_{broken}", code=FOUND), *texts)


def refused_image(lab, change):
    """The kernel has the pattern; three components, so that some are not reached."""
    kernel = bytearray(lab.kernel.read_bytes())
    kernel[0x8000:0x8000 + 16 * 64] = PATTERN * 64
    image = seal(lab, "whole.img", "-i", lab.write("hiding", bytes(kernel)), "-r", lab.ramdisk,
                 "-p", lab.parmfile, "--no-component-check")
    return lab.write("refused.img", setamper.tamper(image.read_bytes(), [change])), image


def test_refused(lab, change, rc, unpacked, broken="", texts=()):
    image, whole = refused_image(lab, change)
    parts = parts_of(lab, whole)
    out = cleared(lab, "refused", image, write_parts(lab, parts, unpacked), f"{rc:x}",
                  broken=broken, code=FOUND if texts else CLEAN)
    if texts:
        check_found(out, *texts)
        return
    taken = sum(size for name, (_, size, secured) in parts.items()
                if secured and (unpacked is None or name in unpacked)) // PAGE
    check_equal(count(out, "unpacked pages"), taken, "unpacked pages")
    check_equal(count(out, "secure pages"), taken, "pages that were the guest's")
    check_equal(count(out, "looks"), 2, "looks")
    check(count(out, "kept pages") > 5, out)


FLIPPED = ("comp0.byte=5000", REFUSED_VERIFY, None)
OUTSIDE = ("ipib.comp1.addr=0x7fffff000", REFUSED_UNPACK, ["kernel"])


def tests(lab, args):
    lab.build = args.build.resolve()
    yield "first touch: the guest reads all", bind(test_touch, lab, "touch", "R")
    yield "first touch: the host imports all", bind(test_touch, lab, "import", "R")
    yield "first touch: zpv's stage3b", bind(test_real_loader, lab)
    yield "first touch: layout C, the guest reads all", bind(test_touch, lab, "touch", "C")
    yield "first touch: layout C, the host imports all", bind(test_touch, lab, "import", "C")
    yield "first touch: a guest that reads something else", bind(test_guest_notices, lab)
    yield "first touch: an import that keeps the host's bytes", bind(
        test_broken_import, lab, "import", "not zeros for the guest")
    yield "first touch: an import that keeps the host's bytes, the guest", bind(
        test_broken_import, lab, "touch", "the guest did not end as it should: 3, protected")
    yield "removal: DIAGNOSE 308 subcode 3", bind(test_removed, lab, "reipl", 4)
    yield "removal: reset from outside", bind(test_removed, lab, "reset", 4)
    yield "removal: quit", bind(test_removed, lab, "quit", 1)
    yield "removal: VERIFY fails", bind(test_refused, lab, *FLIPPED)
    yield "removal: UNPACK fails", bind(test_refused, lab, *OUTSIDE)
    for way in ("reipl", "reset", "quit"):
        yield f"removal: pages are given back as they are, {way}", bind(
            test_broken, lab, "destroy", way, "has the guest's data for the host")
        yield f"removal: donated storage is given back as it is, {way}", bind(
            test_broken, lab, "donate", way, "base storage is not", "CPU storage is not",
            "pages of variable storage are not", "of the secure store is not zero")
    yield "removal: pages are given back as they are, VERIFY fails", bind(
        test_refused, lab, *FLIPPED, "_destroy",
        ("was not unpacked and cleared", "has the guest's data for the host"))


if __name__ == "__main__":
    sys.exit(main(__doc__, tests))
