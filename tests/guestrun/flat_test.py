#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Flat programs under `zpv run`: how they end and what is said about it, and such as do harm.

Usage: flat_test.py ZPV BUILD [--full]
"""
import random
import signal
import struct
import sys

from runlab import CRASH, OFF, REBOOT, Guest, assemble
from common import bind, check, check_equal, check_in, check_run, main

# Name, program, exit status, what standard error has.
ENDS = [
    ("disabled wait", "	STOP 0x1234\n", CRASH, "disabled wait, PSW 0002000180000000 0000000000001234"),
    ("shutdown complete", "	STOP 0xfff\n", OFF, ""),
    ("stop order to itself", "	lghi %r1, 0\n	sigp %r2, %r1, 5\n1:	j 1b\n", OFF, ""),
    ("stop and store status", "	lghi %r1, 0\n	sigp %r2, %r1, 9\n1:	j 1b\n", OFF, ""),
    ("panic code of an SE loader", "	STOP 0x4511\n", CRASH, "something wrong in the image"),
    ("no facility", "	STOP 0x4607\n", CRASH, "cannot enter protected mode"),
    ("loader refused", "	STOP 0x4608\n", CRASH, "could not enter protected mode"),
    ("early program interruption", "	.word 0\n", CRASH, "a program interruption before"),
    ("early supervisor call", "	svc 1\n", CRASH, "a supervisor call before"),
    ("kvm-unit-tests' address", "	STOP 0xfa12edbad21\n", CRASH, "kvm-unit-tests"),
    ("program-new PSW not valid",
     "	llihf	%r1, 0x80000000\n	stg	%r1, PGM_NEW\n	.word	0\n", CRASH,
     "program interruption loop"),
    ("PSW of zeros", "	xc	PGM_NEW(16), PGM_NEW\n	mvi	PGM_NEW + 1, 2\n	.word	0\n", CRASH,
     "PSW of zeros"),
    ("external interruption loop", """
	larl	%r1, 1f
	stg	%r1, EXT_NEW + 8
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
    ("a reset goes on at the short PSW", """
	llgc	%r1, 0x210
	ltgr	%r1, %r1
	jnz	1f
	mvi	0x210, 1
	lghi	%r1, 1
	lghi	%r8, 77
	diag	%r2, %r1, 0x308
1:	cghi	%r8, 77
	jne	2f
	STOP	0x600d
2:	STOP	0xbad
""", CRASH, "000000000000600d"),
    ("a clear reset clears registers", """
	llgc	%r1, 0x210
	ltgr	%r1, %r1
	jnz	1f
	mvi	0x210, 1
	lghi	%r1, 0
	lghi	%r8, 77
	diag	%r2, %r1, 0x308
1:	cghi	%r8, 0
	jne	2f
	STOP	0x600d
2:	STOP	0xbad
""", CRASH, "000000000000600d"),
    ("external call to itself", """
	larl	%r1, 1f
	stg	%r1, EXT_NEW + 8
	llihf	%r1, 1
	oilf	%r1, 0x80000000
	stg	%r1, EXT_NEW
	larl	%r2, cr0
	lctlg	%c0, %c0, 0(%r2)
	lghi	%r3, 0
	sigp	%r4, %r3, 2
	stosm	0x210, 1
2:	j	2b
1:	clc	0x86(2), code - base(%r13)
	jne	3f
	STOP	0x600d
3:	STOP	0xbad
	.balign	8
cr0:	.quad	0x20e0
code:	.short	0x1202
""", CRASH, "000000000000600d"),
    ("the CPU timer runs while the CPU waits", """
	larl	%r1, 1f
	stg	%r1, EXT_NEW + 8
	llihf	%r1, 1
	oilf	%r1, 0x80000000
	stg	%r1, EXT_NEW
	larl	%r2, cr0
	lctlg	%c0, %c0, 0(%r2)
	spt	timer - base(%r13)
	lpswe	wait - base(%r13)
1:	clc	0x86(2), code - base(%r13)
	jne	3f
	STOP	0x600d
3:	STOP	0xbad
	.balign	8
cr0:	.quad	0x4e0
timer:	.quad	0x4000000
wait:	.quad	0x0102000180000000, 0
code:	.short	0x1005
""", CRASH, "000000000000600d"),
    ("MOVE PAGE between pages that were never touched", """
	lghi	%r0, 0
	llilh	%r2, 0x200
	llilh	%r3, 0x201
	mvpg	%r2, %r3
	STOP	0x600d
""", CRASH, "000000000000600d"),
    ("a prefix area that was never touched", """
	spx	prefix - base(%r13)
	lg	%r1, 0x1d8
	ltgr	%r1, %r1
	jnz	1f
	STOP	0x600d
1:	STOP	0xbad
	.balign	8
prefix:	.long	0x2000000
""", CRASH, "000000000000600d"),
    ("reboot of a flat program", "	lghi %r1, 3\n	diag %r2, %r1, 0x308\n", REBOOT, ""),
]

# Programs that never end; they must be stoppable.
LOOPS = [
    ("branch to itself", "1:	j	1b\n"),
    ("program interruptions without end",
     "	larl	%r1, 1f\n	stg	%r1, PGM_NEW + 8\n	llihf	%r1, 1\n	oilf	%r1, 0x80000000\n"
     "	stg	%r1, PGM_NEW\n1:	.word	0\n"),
    ("DIAGNOSE that is refused without end",
     "	larl	%r1, 1f\n	stg	%r1, PGM_NEW + 8\n	llihf	%r1, 1\n	oilf	%r1, 0x80000000\n"
     "	stg	%r1, PGM_NEW\n1:	diag	%r1, %r1, 0x777\n"),
    ("enabled wait that nothing ends", "	lpswe	1f - base(%r13)\n	.balign	8\n"
     "1:	.quad	0x0302000180000000, 0\n"),
    ("MOVE LONG of all storage", "1:	lghi	%r2, 0\n	llilf	%r3, 0xffffff\n	llilh	%r4, 0x100\n"
     "	llilf	%r5, 0xffffff\n	mvcl	%r2, %r4\n	j	1b\n"),
    ("EXECUTE of a branch", "1:	ex	%r0, 2f - base(%r13)\n2:	j	1b\n"),
    ("TEST BLOCK and SET PREFIX", "1:	llilh	%r2, 0x100\n	lghi	%r0, 0\n	tb	%r1, %r2\n"
     "	spx	2f - base(%r13)\n	stpx	0x210\n	j	1b\n	.balign	4\n2:	.long	0x100000\n"),
]

# Every control block: addresses from %r10 in steps, lengths and commands from a table.
SCCBS = """
	larl	%r1, pgm
	stg	%r1, PGM_NEW + 8
	llihf	%r1, 1
	oilf	%r1, 0x80000000
	stg	%r1, PGM_NEW
	larl	%r1, ext
	stg	%r1, EXT_NEW + 8
	llihf	%r1, 1
	oilf	%r1, 0x80000000
	stg	%r1, EXT_NEW
	larl	%r2, cr0
	lctlg	%c0, %c0, 0(%r2)
	larl	%r9, addresses
next_address:
	lg	%r10, 0(%r9)
	cghi	%r10, -1
	je	done
	larl	%r8, lengths
next_length:
	lgh	%r11, 0(%r8)
	cghi	%r11, -2
	je	end_lengths
	larl	%r7, commands
next_command:
	llgf	%r6, 0(%r7)
	ltgr	%r6, %r6
	jz	end_commands
	larl	%r12, service
	sth	%r11, 0(%r10)
	mvi	2(%r10), 0
service:
	larl	%r12, after
	.insn	rre, 0xb2200000, %r6, %r10	/* SERVC */
	stosm	0x210, 1
	stnsm	0x210, 0xfc
after:
	aghi	%r7, 4
	j	next_command
end_commands:
	aghi	%r8, 2
	j	next_length
end_lengths:
	aghi	%r9, 8
	j	next_address
done:	STOP	0x600d
pgm:	br	%r12
ext:	lpswe	0x130
	.balign	8
cr0:	.quad	0x2e0
addresses:
	.quad	0, 8, 0x1000, 0x1ff8, 0x10000, 0x20000, 0x20001, 0x20004, 0x20ff0, 0x20ff8, 0x3fffff8
	.quad	0x3fff000, 0x4000000, 0x7ffff000, 0x80000000, 0xfffffffffffff000, 0xfffffff8, -1
lengths:
	.short	0, 7, 8, 9, 12, 15, 16, 40, 143, 144, 200, 4088, 4095, 4096, 4097, 0x7fff, -1, -2
	.balign	4
commands:
	.long	0x00120001, 0x00020001, 0x00010001, 0x00780005, 0x00760005, 0x00770005, 0x00170001
	.long	0xffffffff, 1, 0
"""

# DAT with tables that designate themselves; the program's own page is one of them.
LOOPING_TABLES = """
	larl	%r1, pgm
	stg	%r1, PGM_NEW + 8
	llihf	%r1, 1
	oilf	%r1, 0x80000000
	stg	%r1, PGM_NEW
	llilh	%r2, 0x10		/* a table at 1 MiB whose entries all designate it */
	lgr	%r3, %r2
	lghi	%r4, 2048
	lghi	%r5, 0
	la	%r6, 0(%r3)
	oill	%r6, TYPE
1:	stg	%r6, 0(%r3)
	la	%r3, 8(%r3)
	brct	%r4, 1b
	oill	%r2, TYPE
	stg	%r2, 0x210
	lctlg	%c1, %c1, 0x210
	lctlg	%c7, %c7, 0x210
	lctlg	%c13, %c13, 0x210
	stosm	0x218, 4
	stidp	0x220
	lg	%r1, 0x2000
pgm:	STOP	0x600d
"""


def run_flat(lab, text, *words, code=CRASH, err="", name="flat"):
    run = lab.run("run", "-m", "64", "--no-reboot", assemble(lab, name, text), *words)
    check_run(run, code, err)
    return run


def test_loop(lab, text, number):
    """A loop ends by the signal, at once."""
    program = assemble(lab, "loop", text)
    with Guest(lab, ["run", "-m", "64", program]) as guest:
        guest.read(0.7)
        guest.signal(number)
        check_equal(guest.end(20), -number, "exit status")


def test_elf(lab):
    run = run_flat(lab, "	STOP 0x600d\n")
    check_in("600d", run.err, "flat")
    program = assemble(lab, "elf", "	STOP 0x600e\n", elf=True)
    check_run(lab.run("run", "-m", "64", program), CRASH, "000000000000600e")


def test_bad_elf(lab):
    data = assemble(lab, "elf", "	STOP 0x600e\n", elf=True).read_bytes()
    at = struct.unpack_from(">Q", data, 32)[0]
    for name, change, text in [
            ("class", (4, b"\1"), "not a 64-bit one"),
            ("machine", (18, b"\0\x3e"), "not a 64-bit one"),
            ("headers", (32, b"\0\0\0\0\x7f\0\0\0"), "exceed the file"),
            ("far", (at + 24, b"\xff" * 8), "does not fit"),
            ("large", (at + 40, b"\x7f" * 8), "does not fit"),
            ("long", (at + 32, b"\0\0\0\0\0\x10\0\0"), ""),
            ("none", (56, b"\0\0"), "nothing to load")]:
        offset, part = change
        path = lab.write("bad." + name, data[:offset] + part + data[offset + len(part):])
        check_run(lab.run("run", "-m", "64", path), 1, text)


def test_psws(lab, seed, count):
    """Random PSWs: loaded by LPSWE, and as program-new PSW."""
    rng = random.Random(seed)
    for number in range(count):
        mask = rng.getrandbits(64) & rng.choice([-1, ~0x40800fe7fffffff, 0x3fffff0180000000])
        addr = rng.choice([rng.getrandbits(64), rng.getrandbits(31), 0x2000, 0x2001, 0x3fffffe])
        text = f"""
	mvc	PGM_NEW(16), 1f - base(%r13)
	lpswe	1f - base(%r13)
	.balign	8
1:	.quad	{mask & (1 << 64) - 1}, {addr}
"""
        stop(lab, assemble(lab, f"psw{number}", text), f"mask {mask:x} address {addr:x}")


def test_code(lab, seed, count):
    """Random bytes as code, in supervisor state."""
    rng = random.Random(seed)
    head = assemble(lab, "empty", "	nop\n").read_bytes()[:0x2000]
    for number in range(count):
        # Often the first byte of a privileged instruction.
        words = (bytes([rng.choice([0xb2, 0x83, 0xae, 0xb7, 0xeb, 0xb9, rng.getrandbits(8)]),
                        rng.getrandbits(8)]) + rng.randbytes(rng.choice([0, 2, 2, 4]))
                 for _ in range(8000))
        path = lab.write(f"code{number}", head + b"".join(words))
        stop(lab, path, f"seed {seed}, program {number}")


def stop(lab, program, what):
    """The program ends by itself, or by a signal after a moment; never by a fault of ours."""
    with Guest(lab, ["run", "-m", "64", "--no-reboot", program]) as guest:
        for _ in range(6):
            if guest.process.poll() is not None:
                break
            guest.read(0.05)
        if guest.process.poll() is None:
            guest.signal(signal.SIGTERM)
        code = guest.end(30)
        check(code in (OFF, REBOOT, CRASH, -signal.SIGTERM),
              f"{what}: exit status {code}: {guest.text[-1500:]!r}")


def tests(lab, _args):
    for name, text, code, err in ENDS:
        yield name, bind(run_flat, lab, text, code=code, err=err)
    for name, text in LOOPS:
        yield f"can be stopped: {name}", bind(test_loop, lab, text, signal.SIGTERM)
    yield "SIGINT stops a loop", bind(test_loop, lab, LOOPS[0][1], signal.SIGINT)
    yield "control blocks everywhere", bind(run_flat, lab, SCCBS, err="000000000000600d")
    for kind, bits in (("region-first", 15), ("region-second", 11), ("region-third", 7),
                       ("segment", 3)):
        yield f"a {kind} table that loops", bind(
            run_flat, lab, f"#define TYPE {bits}\n{LOOPING_TABLES}", err="disabled wait")
    yield "ELF file", bind(test_elf, lab)
    yield "ELF files that are wrong", bind(test_bad_elf, lab)
    yield "random PSWs", bind(test_psws, lab, 1, 12)
    yield "random code", bind(test_code, lab, 1, 8)


def full(lab, _args):
    yield "random PSWs", bind(test_psws, lab, 2, 150)
    yield "random code", bind(test_code, lab, 2, 150)


if __name__ == "__main__":
    sys.exit(main(__doc__, tests, full))
