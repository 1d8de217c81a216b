#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
What a protected guest hides is nowhere where its hypervisor could see it: a flat program that leaves
SIE in every way, Debian's kernel, a core dump of the process.

Usage: leak_test.py ZPV BUILD [--full]
"""
import random
import re
import shutil
import string
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "guestrun"))

from runlab import CC  # noqa: E402
from common import Skip, bind, check, check_equal, check_in, check_run, main  # noqa: E402

HERE = Path(__file__).resolve().parent
CLEAN, LEAK = 0, 3
# Bits that switch something on while DAT and PER are off: tracing, in CR12.
CR_MASK = 0x3ffffffffffffffc
CONTROL_REGISTERS = 13


class Planted:
    """What the guest gets to hide, and the file that tells leakcheck of it."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.items = []

    def add(self, kind, name, data):
        data = data.encode() if isinstance(data, str) else data
        self.items.append((kind, name, data))
        return data

    def text(self, kind, name, length=40):
        """Letters and digits by chance, so that no 4 of them are anywhere else."""
        letters = self.random.choices(string.ascii_lowercase + string.digits, k=length)
        return self.add(kind, name, "".join(letters)).decode()

    def words(self, kind, name, count, size=8, mask=-1):
        values = [self.random.getrandbits(8 * size) & mask for _ in range(count)]
        self.add(kind, name, b"".join(v.to_bytes(size, "big") for v in values))
        return values

    def write(self, lab):
        return lab.write("plant", "".join(f"{kind} {name} {data.hex()}\n"
                                          for kind, name, data in self.items).encode())


class Report:
    """leakcheck's."""

    def __init__(self, text):
        self.text = text
        self.leaks = set(re.findall(r"^LEAK: ([^:]+): ([^:]+): \d+$", text, re.M))
        self.allowed = set(re.findall(r"^allowed: ([^:]+): ([^:]+): \d+$", text, re.M))
        self.missing = set(re.findall(r"^MISSING: ([^:]+): ([^:\n]+)$", text, re.M))

    def count(self, what):
        found = re.search(rf"\b{what}: (\d+)", self.text)
        check(found, f"no count of {what!r} in {self.text!r}")
        return int(found[1])


def quads(values):
    return ".quad " + ", ".join(f"{v:#x}" for v in values)


# --- The flat program ------------------------------------------------------------------------------

def plant_flat():
    p = Planted("flat")
    text, behind = p.text("secret", "text"), p.text("secret", "behind-sccb")
    console, shared = p.text("console", "console-line"), p.text("shared", "shared-page")
    p.text("secret", "cmdline")
    p.text("secret", "ramdisk", 200)
    grs, fprs = p.words("secret", "grs", 16), p.words("secret", "fprs", 16)
    crs = p.words("secret", "crs", CONTROL_REGISTERS, mask=CR_MASK)
    ars = p.words("words", "ars", 16, size=4)
    p.add("secret", "ar-pairs", b"".join(v.to_bytes(4, "big") for v in ars))
    p.source = "".join(f"#define {name} {value}\n" for name, value in {
        "TEXT": f'.ascii "{text}"', "TEXT_LEN": len(text), "BEHIND": f'.ascii "{behind}"',
        "CONSOLE": f'.ascii "{console}\\n"', "CONSOLE_LEN": len(console) + 1,
        "SHARED": f'.ascii "{shared}"', "SHARED_LEN": len(shared),
        "GRS": quads(grs), "FPRS": quads(fprs), "CRS": quads(crs),
        "ARS": ".long " + ", ".join(f"{v:#x}" for v in ars)}.items())
    return p


def item(planted, name):
    return next(data for _, other, data in planted.items if other == name)


def seal(lab, name, kernel, *words):
    """An image for the identity of the lab."""
    out = lab.path(name)
    check_run(lab.run("image", "create", "-i", kernel, "-k", lab.identity_hkd(), "--no-verify",
                      "--overwrite", "-o", out, *words), 0)
    return out


def flat_image(lab, planted):
    if not shutil.which(CC):
        raise Skip(f"{CC} is not installed")
    lab.write("plant.inc", planted.source.encode())
    kernel = lab.path("flat")
    done = subprocess.run([CC, "-march=z196", "-m64", "-nostdlib", "-static", "-no-pie",
                           "-Wl,--build-id=none", "-Wl,-e,start", "-Wl,-Ttext=0",
                           "-Wl,--oformat=binary", f"-I{lab.dir}", HERE / "flat.S", "-o", kernel],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    check(done.returncode == 0, done.stdout)
    return seal(lab, "flat.img", kernel,
                "-r", lab.write("flat.rd", item(planted, "ramdisk")),
                "-p", lab.write("flat.parm", item(planted, "cmdline")))


def leakcheck(lab, args, planted, image, *words, broken=None, timeout=900):
    program = args.build / "tests" / "leak" / ("leakcheck" + (f"_{broken}" if broken else ""))
    done = subprocess.run([program, "--host", lab.identity(), "--plant", planted.write(lab),
                           *map(str, words), image], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, env=lab.env(), timeout=timeout, check=False)
    out, err = done.stdout.decode(), done.stderr.decode(errors="replace")
    for line in out.splitlines():
        print(f"# {line}")
    check_equal(done.returncode, LEAK if broken else CLEAN, f"exit status, after {out} {err[-2000:]}")
    return Report(out)


def test_flat(lab, args):
    planted = plant_flat()
    report = leakcheck(lab, args, planted, flat_image(lab, planted), "--export", 2, "--scan", 10)
    check_equal(report.leaks | report.missing, set(), "leaks")
    check(("SIDA", "console-line") in report.allowed, "the SIDA was not searched")
    check(("shared", "shared-page") in report.allowed, "shared storage was not searched")
    # Each of three lives has ten rounds with at least 27 interceptions.
    check(report.count("ends of SIE") > 3 * 10 * 27, "too few ends of SIE")
    for what in ("searches of storage", "frames searched", "secure", "pages exported"):
        check(report.count(what) > 50, f"{what}: {report.count(what)}")


def test_broken(lab, args, broken, expected):
    """An Ultravisor that is broken on purpose is found out."""
    planted = plant_flat()
    report = leakcheck(lab, args, planted, flat_image(lab, planted), "--export", 2, "--scan", 10,
                       broken=broken)
    check(expected <= report.leaks, f"not found: {expected - report.leaks}")
    check_equal({place for place, _ in report.leaks}, {place for place, _ in expected}, "places")


BROKEN = [
    ("export", "exports by copying", {
        (place, name) for place in ("exported page", "store")
        for name in ("text", "behind-sccb", "cmdline", "ramdisk", "grs", "fprs", "crs", "ar-pairs",
                     "console-line", "shared-page")}),
    ("registers", "leaves registers behind", {
        ("registers", "fprs"), ("registers", "ars"), ("registers", "ar-pairs"),
        ("CPU object", "fprs"), ("CPU object", "ar-pairs"), ("state description", "crs"),
        ("SIDA", "grs")}),
    ("destroy", "gives a destroyed guest's pages back as they are", {
        ("store", name) for name in ("text", "behind-sccb", "grs", "fprs", "crs", "shared-page")}),
]


def tests(lab, args):
    yield "a flat program leaks nothing", bind(test_flat, lab, args)
    for broken, what, expected in BROKEN:
        yield f"an Ultravisor that {what} is found out", bind(test_broken, lab, args, broken, expected)


def full(lab, args):
    yield from ()


if __name__ == "__main__":
    sys.exit(main(__doc__, tests, full))
