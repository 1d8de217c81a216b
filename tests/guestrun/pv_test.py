#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Protected guests under `zpv run`: sealed Debian kernels and small programs, images that are refused,
identities.

Usage: pv_test.py ZPV BUILD [--full]
"""
import json
import signal
import struct
import sys

from runlab import CRASH, INIT, OFF, REBOOT, SHELL, Guest, assemble
from linux_test import initrd
from common import (bind, check, check_equal, check_in, check_run, main, read_key, s390x_file,
                    seread, setamper)

import sebuild  # noqa: E402
import sehdr  # noqa: E402

PROTECTED = "zpv: prot_virt_guest=1"
SWIOTLB_FRAMES = (64 << 20) // 4096     # Linux shares its bounce buffers: 64 MiB
SID_LOADERS = ("sid", "usr", "share", "s390-tools", "pvimg")


# --- Images --------------------------------------------------------------------------------------

def seal(lab, name, *words):
    """An image for the machine of lab.identity()."""
    out = lab.path(name)
    run = lab.run("image", "create", "--overwrite", "-k", lab.identity_hkd(), "--no-verify",
                  "-o", out, *words)
    check_run(run, 0)
    return out


def seal_linux(lab, suite, cmdline, *words):
    parmfile = lab.write("cmdline", cmdline.encode())
    return seal(lab, f"{suite}.img", "-i", s390x_file(suite, "vmlinuz", need=suite),
                "-r", initrd(lab, suite), "-p", parmfile, *words)


def seal_program(lab, text):
    program = assemble(lab, "program", text, frame="protected.inc")
    return seal(lab, "program.img", "-i", program, "--no-component-check")


def layout_c(image, key, recipe):
    """The same guest as genprotimg, the tool in C, lays it out: seread tells what differs."""
    seen = seread.read_image(image, key)
    parts = {comp.role: comp for comp in seen.components}
    stage3a = image[seread.STAGE3A_ADDR:seen.stage3a_args.addr + seread.STAGE3A_ARGS_LEN]
    ipib_off = sehdr.page_up(seread.STAGE3A_ADDR + len(stage3a))
    hdr_off, at = ipib_off + sehdr.PAGE, ipib_off + 2 * sehdr.PAGE
    components = []
    for kind, role in seread.LAYOUT_C.roles.items():
        if role in parts:
            plain = parts[role].plain
            components.append(seread.Component(role, kind << 48 | recipe.tweak_low, at, plain,
                                               plain, parts[role].size))
            at += len(plain)
    sebuild.seal_components(components, recipe.image_key, recipe.pcf)
    header = sebuild.build_header(recipe, seread.compute_digests(components), components[-1].addr)
    ipib = bytearray(sebuild.build_ipib(components, 0, len(header)).ljust(sehdr.PAGE, b"\0"))
    ipib[0:4] = struct.pack(">I", sehdr.PAGE)
    ipib[0x6f] = seread.LAYOUT_C.block_version
    args = seread.STAGE3A_ADDR + len(stage3a) - seread.STAGE3A_ARGS_LEN
    out = bytearray()
    sebuild.put(out, 0, image[:8])
    sebuild.put(out, seread.STAGE3A_ADDR, stage3a[:-seread.STAGE3A_ARGS_LEN] + struct.pack(
        ">QQQ", hdr_off - args, len(header), ipib_off - args))
    sebuild.put(out, ipib_off, bytes(ipib))
    sebuild.put(out, hdr_off, header)
    for comp in components:
        sebuild.put(out, comp.addr, comp.stored)
    return bytes(out)


# --- Running -------------------------------------------------------------------------------------

def boot(lab, image, *words):
    return lab.run("run", "--host", lab.identity(), *words, image)


def report(run):
    """The JSON behind the console."""
    return json.loads(run.out.rstrip("\n").splitlines()[-1])


def check_linux(run, protected=True):
    check_run(run, OFF)
    check_in(INIT, run.out, "console")
    check(not protected or PROTECTED in run.out, f"no {PROTECTED!r} on the console")
    check_equal(report(run)["protected"], True, "protected")


def test_boot(lab):
    run = boot(lab, seal_linux(lab, "trixie", "zpv.run=poweroff zpv.marker=5ec0de"), "--json")
    check_linux(run)
    check_in("zpv.marker=5ec0de", run.out, "console")
    told = report(run)
    check_equal(told["end"], "powered off", "end")
    check("failure" not in told, "a failure is told")
    frames = told["frames"]
    check(frames["secure"] > 5000, f"{frames} secure frames")
    check(frames["shared"] >= SWIOTLB_FRAMES, f"{frames} shared frames")
    check(frames["host"] < 100, f"{frames} host frames of the guest")
    check(0 < told["enter_seconds"] < told["first_instruction_seconds"], f"times {told}")


def test_text_report(lab):
    run = boot(lab, seal_program(lab, "	PASS\n"))
    check_run(run, OFF)
    check_in("zpv: protected: frames ", run.out, "the end")
    check_equal(boot(lab, seal_program(lab, "	PASS\n"), "-q").out, "", "with --quiet")


def test_debian12(lab):
    """A kernel that does not know that it is protected."""
    run = boot(lab, seal_linux(lab, "bookworm", "zpv.run=poweroff"), "--json")
    check_linux(run, protected=False)
    check_equal(report(run)["frames"]["shared"], 0, "shared frames")


def test_foreign_loaders(lab):
    folder = s390x_file(*SID_LOADERS, "stage3b_reloc.bin", need="tools").parent
    check_linux(boot(lab, seal_linux(lab, "trixie", "zpv.run=poweroff",
                                     "--x-bootloader-directory", folder), "--json"))


def test_layout_c(lab):
    image = seal_linux(lab, "trixie", "zpv.run=poweroff").read_bytes()
    key = read_key(lab.identity() / "private" / "host.key")
    recipe = sebuild.Recipe(kernel=b"", stage3a=b"", stage3b=b"", hosts=[key.public],
                            header_key=bytes(range(32)), image_key=bytes(range(64)),
                            cck=bytes(32))
    path = lab.write("c.img", layout_c(image, key, recipe))
    check_equal(seread.read_image(path.read_bytes(), key).layout.name, "C", "layout")
    check_linux(boot(lab, path, "--json"))


def test_shell(lab):
    """Reboots come back protected; a panic is told as one; the host stops the guest at any time."""
    image = seal_linux(lab, "trixie", "zpv.run=shell")
    with Guest(lab, ["run", "--host", lab.identity(), image], tty=True) as guest:
        for again in ("reboot -f\n", "\x01r", None):
            guest.expect(PROTECTED)
            guest.expect(SHELL)
            guest.expect("# ")
            if again:
                guest.send(again)
        guest.send("echo c >/proc/sysrq-trigger\n")
        check_equal(guest.end(), CRASH, "exit status")
        check_in("kernel panic: sysrq triggered crash", guest.text, "explanation")
        check_in("PSW not visible", guest.text, "explanation")
        guest.check_restored()


def test_no_reboot(lab):
    image = seal_linux(lab, "trixie", "zpv.run=shell")
    with Guest(lab, ["run", "--host", lab.identity(), "--no-reboot", image]) as guest:
        guest.expect("# ")
        guest.send("reboot -f\n")
        check_equal(guest.end(), REBOOT, "exit status")


def test_stop(lab, number):
    image = seal_program(lab, "	j	.\n")
    with Guest(lab, ["run", "--host", lab.identity(), image]) as guest:
        guest.read(1)
        guest.signal(number)
        check_equal(guest.end(20), -number, "exit status")


def test_stress(lab, suite):
    run = boot(lab, seal_linux(lab, suite, "zpv.run=/stress"))
    check_run(run, OFF)
    check_in("zpv: stress ok", run.out, "console")


# --- Images that are refused -----------------------------------------------------------------------

def refused(run, rc, rrc, command):
    """The loader's text and disabled wait, and our explanation."""
    check_run(run, CRASH, "0000000000004608")
    check_in(f"Protected boot failed: 0xa02, {command} - RC: {rc:#x}, RRC: {rrc:#x}", run.out,
             "console")
    check_in(f"rc {rc:#06x}, rrc {rrc:#06x}", run.err, "explanation")
    told = report(run)
    check_equal((told["failure"]["rc"], told["failure"]["rrc"]), (rc, rrc), "told in JSON")
    check_equal(told["protected"], False, "protected")
    check_equal((told["frames"]["secure"], told["frames"]["shared"]), (0, 0), "frames")


def test_wrong_host(lab):
    other = lab.path("other")
    if not other.exists():
        check_run(lab.run("host", "create", other), 0)
    image = seal_program(lab, "	PASS\n")
    run = lab.run("run", "--host", other, "--json", image)
    refused(run, 0x108, 0x5, "KVM_PV_SET_SEC_PARMS")
    for folder, key in ((lab.identity(), "host_key_hash"), (other, "host_key_hash"),
                        (other, "backup_host_key_hash")):
        told = json.loads(lab.run("host", "show", "--json", folder).out)
        check_in(told[key], run.err, "explanation")


# Fields as setamper names them; whether the header is sealed again; what comes of it.
TAMPERED = [
    ("version=0x200", False, 0x104, 0x1, "SET_SEC_PARMS"),
    ("pcf=0x8000000000000000", False, 0x106, 0x30, "SET_SEC_PARMS"),
    ("slot0.phkh=" + 32 * "00", False, 0x108, 0x5, "SET_SEC_PARMS"),
    ("scf=0xffffffffffffffff", True, 0x109, 0x0, "SET_SEC_PARMS"),
    ("sehs=+1", False, 0x10a, 0x31, "SET_SEC_PARMS"),
    ("sea=0", False, 0x10a, 0x39, "SET_SEC_PARMS"),
    ("nks=0", False, 0x10a, 0x40, "SET_SEC_PARMS"),
    ("slot0.tag=flip", False, 0x10b, 0x0, "SET_SEC_PARMS"),
    ("tag=flip", False, 0x10b, 0x0, "SET_SEC_PARMS"),
    ("nep=0", True, 0x102, 0x1d, "VERIFY"),
    ("pld=flip", True, 0x102, 0x1b, "VERIFY"),
    ("ald=flip", True, 0x102, 0x1a, "VERIFY"),
    ("tld=flip", True, 0x102, 0x1c, "VERIFY"),
    ("comp0.byte=5000", True, 0x102, 0x1b, "VERIFY"),
    ("swap_pages=0,1", True, 0x102, 0x1b, "VERIFY"),
    ("ipib.comp0.tweak_pref=+1", True, 0x102, 0x1c, "VERIFY"),
    ("ipib.comp0.addr=0x7fffff000", True, 0x103, 0x0, "UNPACK"),
]


def test_tampered(lab, change, again, rc, rrc, command):
    image = lab.path("good.img")
    if not image.exists():
        seal(lab, "good.img", "-i", assemble(lab, "program", "	PASS\n", frame="protected.inc"),
             "--no-component-check", "--hdr-key", lab.hdr_key)
        check_run(boot(lab, image), OFF)
    data = setamper.tamper(image.read_bytes(), [change],
                           lab.hdr_key.read_bytes() if again else None)
    run = boot(lab, lab.write("bad.img", data), "--json")
    refused(run, rc, rrc, f"KVM_PV_{command}")


def test_default_identity(lab):
    """Made at the first use, for sealed images alone."""
    data = lab.path("data")
    flat = assemble(lab, "flat", "	STOP 0xfff\n")
    check_run(lab.run("run", flat), OFF)
    check(not data.exists(), "an identity was made for a plain program")
    sealed = lab.make("sealed.img")     # for another machine
    run = lab.run("run", sealed)
    check_run(run, CRASH, "rc 0x0108, rrc 0x0005")
    folder = data / "zpv" / "host"
    check_in(f"zpv: made the identity of a SIMULATED machine in '{folder}'", run.out, "output")
    check_equal((folder.parent.stat().st_mode & 0o777), 0o700, "mode of the folder above")
    again = lab.run("run", sealed)
    check_run(again, CRASH, "rc 0x0108, rrc 0x0005")
    check("made the identity" not in again.out, "made twice")
    image = lab.path("own.img")
    check_run(lab.run("image", "create", "--no-verify", "--no-component-check", "-o", image,
                      "-k", next(folder.glob("HKD-*.crt")),
                      "-i", assemble(lab, "program", "	PASS\n", frame="protected.inc")), 0)
    check_run(lab.run("run", image), OFF)
    check_run(lab.run("run", image, env={"XDG_DATA_HOME": "", "HOME": ""}), 1, "use '--host'")


def test_bad_identity(lab):
    image = seal_program(lab, "	PASS\n")
    check_run(lab.run("run", "--host", lab.path("none"), image), 1, "none")
    folder = lab.path("no-key")
    check_run(lab.run("host", "create", folder), 0)
    (folder / "private" / "host.key").unlink()
    check_run(lab.run("run", "--host", folder, image), 1, "host.key")


# --- Programs that are not protected: the way in ------------------------------------------------

# Facility list; verdict: 158 and 161 as the two low bits.
FACILITIES = """
	lghi	%r0, 2
	stfle	0x300
	lg	%r1, 0x310
	risbg	%r2, %r1, 62, 128 + 62, 32	/* bit 158 */
	risbg	%r3, %r1, 63, 128 + 63, 34	/* bit 161 */
	ogr	%r2, %r3
	ltgr	%r2, %r2
	jz	1f
	cghi	%r2, 1
	je	2f
	STOP	0xbad
1:	STOP	0x1111
2:	STOP	0x2222
"""

# DIAGNOSE 308 subcode SUB with r1 %r2 at ADDR; the verdict is the response code.
DIAG = """
	llilf	%r2, ADDR
	lghi	%r3, 0
	lghi	%r5, SUB
	la	%r1, 1f - base(%r13)
	stg	%r1, PGM_NEW + 8
	llihf	%r1, 1
	oilf	%r1, 0x80000000
	stg	%r1, PGM_NEW
	SETUP
	diag	%rFIRST, %r5, 0x308
	j	2f
1:	llgh	%r3, PGM_CODE
	oilh	%r3, 0x100
2:	larl	%r1, wait
	stg	%r3, 8(%r1)
	lpswe	0(%r1)
	.balign	8
wait:	.quad	WAIT, 0
"""

# A block of an image with one component.
def block(kind=5, count=1, length=640, total=160):
    return "; ".join(["llilh %r9, 1", f"mvhi 0(%r9), {total}", f"mvi 12(%r9), {kind}",
                      f"mvhi 0x74(%r9), {count}", "mvghi 0x78(%r9), 0x4000",
                      f"mvghi 0x80(%r9), {length}"])


DIAGS = [
    ("store without a block", 9, 0x10000, "", 0x102),
    ("start without a block", 10, 0x10000, "", 0x902),
    ("set a block", 8, 0x10000, block(), 0x1),
    ("set a block of another type", 8, 0x10000, block(kind=0), 0x402),
    ("set a block without components", 8, 0x10000, block(count=0), 0x402),
    ("set a block that is too short", 8, 0x10000, block(total=147), 0x402),
    ("set a block that is too long", 8, 0x10000, block(total=4097), 0x402),
    ("set a block with more components than room", 8, 0x10000, block(count=2), 0x402),
    ("set a block with a long header", 8, 0x10000, block(length=8193), 0x402),
    ("set a block with a header outside", 8, 0x10000,
     block() + "; llihf %r8, 1; stg %r8, 0x78(%r9)", 0x402),
    ("set it as a device's", 5, 0x10000, block(), 0x402),
    ("address in the middle of a page", 8, 0x10008, "", 0x1000006),
    ("address outside of memory", 8, 0x4000000, "", 0x1000005),
    ("subcode 11", 11, 0x10000, "", 0x1000006),
]


def test_diag(lab, host, subcode, addr, setup, verdict, first=2):
    text = (DIAG.replace("SUB", str(subcode)).replace("ADDR", str(addr))
            .replace("SETUP", setup or "nopr").replace("FIRST", str(first)))
    words = ["--host", lab.identity()] if host else []
    run = lab.run("run", "-m", "64", *words, assemble(lab, "diag", text))
    check_run(run, CRASH, f"{verdict:016x}")


def test_facilities(lab):
    program = assemble(lab, "facilities", FACILITIES)
    check_run(lab.run("run", program), CRASH, "0000000000001111")
    check_run(lab.run("run", "--host", lab.identity(), program), CRASH, "0000000000002222")


# --- Protected programs ----------------------------------------------------------------------------

RESET = """
	llgc	%r1, 0x210
	ltgr	%r1, %r1
	jnz	1f
	mvi	0x210, 1
	llilh	%r9, 0x100
	mvi	5(%r9), 77
	SHARE
	lghi	%r1, SUB
	lghi	%r8, 77
	diag	%r2, %r1, 0x308
1:	llilh	%r9, 0x100
	cli	5(%r9), 77		/* storage is kept, shared or not */
	jne	2f
	cghi	%r8, KEPT
	jne	2f
	stctg	%c0, %c0, 0x218
	clc	0x218(8), cr0 - base(%r13)
	jne	2f
	PASS
2:	FAIL
	.balign	8
cr0:	.quad	0xe0
uvcb:	.short	0x30, 0x1000, 0, 0
	.quad	0, 0, 0, 0x1000000, 0
"""

SHARE = """larl	%r4, uvcb
	.insn	rrf, 0xb9a40000, %r0, %r4, 0, 0
	jnz	2f
"""


def reset(subcode, kept, share=""):
    return (RESET.replace("SUB", str(subcode)).replace("KEPT", str(kept))
            .replace("SHARE", share))


EXTERNAL = """
	HANDLE	EXT_NEW, 1f
	larl	%r2, cr0
	lctlg	%c0, %c0, 0(%r2)
	CAUSE
	lpswe	wait - base(%r13)
1:	clc	EXT_CODE(2), code - base(%r13)
	jne	3f
	PASS
3:	FAIL
	.balign	8
cr0:	.quad	MASK
timer:	.quad	0x4000000
now:	.quad	0, 0
wait:	.quad	0x0102000180000000, 0
code:	.short	HOW
"""


def external(mask, code, cause):
    return (EXTERNAL.replace("MASK", hex(mask)).replace("CAUSE", cause)
            .replace("HOW", hex(code)))


PROGRAMS = [
    ("a clear reset keeps storage and clears registers", reset(0, 0)),
    ("a normal reset keeps storage and registers", reset(1, 77)),
    ("a reset ends sharing", reset(0, 0, SHARE)),
    ("emergency signal to itself", external(0x40e0, 0x1201, "lghi %r3, 0; sigp %r4, %r3, 3")),
    ("external call to itself", external(0x20e0, 0x1202, "lghi %r3, 0; sigp %r4, %r3, 2")),
    ("the CPU timer ends a wait", external(0x4e0, 0x1005, "spt timer - base(%r13)")),
    ("the clock comparator ends a wait", external(
        0x8e0, 0x1004, "stck now - base(%r13); lg %r3, now - base(%r13); "
        "alg %r3, timer - base(%r13); stg %r3, now - base(%r13); sckc now - base(%r13)")),
    ("restart order to itself", """
	HANDLE	0x1a0, 1f
	lghi	%r3, 0
	sigp	%r4, %r3, 6
	j	.
1:	PASS
"""),
    ("a prefix area elsewhere", """
	llilh	%r9, 0x20
	mvc	0x1a0(96, %r9), 0x1a0
	spx	prefix - base(%r13)
	HANDLE	PGM_NEW, 1f
	.word	0
1:	clc	PGM_NEW(16, %r9), crashes - base(%r13)
	jne	2f			/* the old area is at the new one's address now */
	stpx	0x218
	clc	0x218(4), prefix - base(%r13)
	jne	2f
	PASS
2:	FAIL
	.balign	4
prefix:	.long	0x200000
"""),
    ("subcodes that a protected guest may not use", """
	larl	%r9, subcodes
1:	llgc	%r5, 0(%r9)
	ltgr	%r5, %r5
	jz	3f
	HANDLE	PGM_NEW, 2f
	llilh	%r2, 2
	diag	%r2, %r5, 0x308
	FAIL
2:	clc	PGM_CODE(2), specification - base(%r13)
	jne	4f
	la	%r9, 1(%r9)
	j	1b
3:	PASS
4:	FAIL
specification: .short 6
subcodes: .byte	4, 7, 8, 9, 10, 11, 0
"""),
    ("a block for devices, stored and read", """
	llilh	%r2, 2
	lghi	%r5, 6
	diag	%r2, %r5, 0x308
	cghi	%r3, 0x102		/* none yet */
	jne	2f
	mvhi	0(%r2), 200
	mvi	12(%r2), 2
	mvi	100(%r2), 77
	lghi	%r5, 5
	diag	%r2, %r5, 0x308
	cghi	%r3, 1
	jne	2f
	llilh	%r2, 3
	lghi	%r5, 6
	diag	%r2, %r5, 0x308
	cghi	%r3, 1
	jne	2f
	cli	100(%r2), 77
	jne	2f
	mvi	12(%r2), 5		/* of an image: not by this subcode */
	lghi	%r5, 5
	diag	%r2, %r5, 0x308
	cghi	%r3, 0x402
	jne	2f
	PASS
2:	FAIL
"""),
    ("system information", """
	llilh	%r9, 2
	llilh	%r0, 0x3000
	oill	%r0, 2
	lghi	%r1, 2
	stsi	0(%r9)
	jnz	2f
	clc	56(9, %r9), kvm - base(%r13)
	jne	2f
	lghi	%r0, 0
	lghi	%r1, 0
	stsi	0
	jnz	2f
	srl	%r0, 28
	chi	%r0, 3
	jne	2f
	llilh	%r0, 0x3000
	oill	%r0, 9
	stsi	0(%r9)
	brc	14, 2f			/* no such block: CC 3 */
	PASS
2:	FAIL
kvm:	.byte	0xd2, 0xe5, 0xd4, 0x61, 0xd3, 0x89, 0x95, 0xa4, 0xa7
"""),
    ("calls of the hypervisor", """
	lghi	%r1, 3
	diag	%r0, %r0, 0x500
	cghi	%r2, -22
	jne	2f
	diag	%r0, %r0, 0x44
	diag	%r0, %r0, 0x9c
	lghi	%r1, 0
	stsch	0x300			/* no device: CC 3 */
	brc	14, 2f
	HANDLE	PGM_NEW, 1f
	diag	%r2, %r4, 0x288
	FAIL
1:	clc	PGM_CODE(2), specification - base(%r13)
	jne	2f
	PASS
2:	FAIL
specification: .short 6
"""),
    ("all storage", """
	llilh	%r2, 0x10
	llilh	%r3, 0x400
1:	stg	%r2, 8(%r2)
	stg	%r2, 4088(%r2)
	aghi	%r2, 4096
	clgr	%r2, %r3
	jl	1b
	llilh	%r2, 0x10
2:	clg	%r2, 8(%r2)
	jne	4f
	clg	%r2, 4088(%r2)
	jne	4f
	ltg	%r4, 16(%r2)
	jnz	4f			/* the rest is zero */
	aghi	%r2, 4096
	clgr	%r2, %r3
	jl	2b
	HANDLE	PGM_NEW, 3f
	lg	%r1, 0(%r3)		/* behind the end: addressing */
	FAIL
3:	clc	PGM_CODE(2), addressing - base(%r13)
	jne	4f
	PASS
4:	FAIL
addressing: .short 5
"""),
]

# How it ends otherwise: exit status, and what standard error has.
ENDS = [
    ("disabled wait", "	FAIL\n", CRASH, "disabled wait, PSW not visible"),
    ("stop and store status", "	lghi %r1, 0\n	sigp %r2, %r1, 9\n	j .\n", OFF, ""),
    ("re-IPL", "	lghi %r1, 3\n	diag %r2, %r1, 0x308\n", REBOOT, ""),
    ("program-new PSW not valid",
     "	llihf	%r1, 0x80000000\n	stg	%r1, PGM_NEW\n	.word	0\n", CRASH,
     "program interruption loop"),
    ("external interruption loop", """
	HANDLE	EXT_NEW, 1f
	llihf	%r1, 0x01000001
	oilf	%r1, 0x80000000
	stg	%r1, EXT_NEW
	larl	%r2, never
	sckc	0(%r2)
	larl	%r2, cr0
	lctlg	%c0, %c0, 0(%r2)
	stosm	0x210, 1
1:	j	1b
	.balign	8
never:	.quad	0
cr0:	.quad	0x8e0
""", CRASH, "external interruption loop"),
]


def test_program(lab, text, code=OFF, err=""):
    check_run(boot(lab, seal_program(lab, text), "-m", "64", "--no-reboot"), code, err)


def tests(lab, _args):
    yield "Debian 13 boots protected", bind(test_boot, lab)
    yield "text at the end", bind(test_text_report, lab)
    yield "another machine's image", bind(test_wrong_host, lab)
    for row in TAMPERED:
        yield f"changed image: {row[0]}", bind(test_tampered, lab, *row)
    yield "the user's own identity", bind(test_default_identity, lab)
    yield "identities that are not there", bind(test_bad_identity, lab)
    yield "facilities of a guest that is not protected", bind(test_facilities, lab)
    for name, subcode, addr, setup, verdict in DIAGS:
        yield f"not protected: {name}", bind(test_diag, lab, True, subcode, addr, setup, verdict)
    yield "not protected: an odd register", bind(
        test_diag, lab, True, 8, 0x10000, "", 0x1000006, 3)
    for subcode in (8, 9, 10):
        yield f"no Ultravisor: subcode {subcode}", bind(
            test_diag, lab, False, subcode, 0x10000, "", 0x1000006)
    for name, text in PROGRAMS:
        yield f"protected: {name}", bind(test_program, lab, text)
    for name, text, code, err in ENDS:
        yield f"protected: {name}", bind(test_program, lab, text, code, err)
    yield "protected: SIGTERM", bind(test_stop, lab, signal.SIGTERM)


def full(lab, _args):
    yield "Debian 12 boots protected", bind(test_debian12, lab)
    yield "loaders of s390-tools", bind(test_foreign_loaders, lab)
    yield "layout of the tool in C", bind(test_layout_c, lab)
    yield "reboot, reset, panic", bind(test_shell, lab)
    yield "reboot that is not wanted", bind(test_no_reboot, lab)
    for suite in ("trixie", "bookworm"):
        yield f"stress, {suite}", bind(test_stress, lab, suite)


if __name__ == "__main__":
    sys.exit(main(__doc__, tests, full))
