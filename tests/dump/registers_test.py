#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
All registers of a protected guest arrive in its dump: a program (registers.S) loads every one of
them with a value of its own, the core that we open and the one that zgetdump opens have them. The
flag of an incomplete instruction is 1 exactly while the guest has not seen the instruction's end.

Usage: registers_test.py ZPV BUILD
"""
import json
import struct
import sys
import time
from dataclasses import replace
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "guestrun"))

import pvdumpwrite as pvdump  # noqa: E402
from dumplab import NOTE_ORDER, DumpLab, cpu_notes, read_core  # noqa: E402
from dump_test import PSW_64, PSW_CC, Vm, clean, prepare  # noqa: E402
from pv_test import seal  # noqa: E402
from runlab import assemble  # noqa: E402
from tools_test import Zgetdump, check_same  # noqa: E402
from common import bind, check, check_equal, check_in, check_run, main  # noqa: E402

MEMORY = 64                 # MiB
TICKS = 4096 * 1000000      # of the clocks, in a second
LOOP, SCCB = 0x11000, 0x12000
# In LOOP_DIAG and LOOP_SERVC the instruction in question ends here.
BEHIND = LOOP + 8
PSW_EXT, CC_1 = 1 << 56, 1 << 44
FLAGS_AT, PSW_AT = 0x600 - 32, 0xa0 - 32
EINVAL = 2**64 - 22
GROUPS = {1: "PSW, GRs, ARs", 2: "FPC, FPRs", 0x301: "CPU timer", 0x302: "clock comparator",
          0x303: "TOD programmable register", 0x304: "CRs", 0x305: "prefix",
          0x309: "right halves of V0-V15", 0x30a: "V16-V31", 0x30b: "guarded storage"}


def distinct(count, size, seed):
    """No two words of any are equal, whatever the seed."""
    return [int.from_bytes(bytes((seed + i, 0x80 | i, 0x5a ^ i, seed)) * (size // 4), "big") +
            (i + 1) for i in range(count)]


def wanted():
    """
    What the program loads. CR 0: vectors, AFP, the service signal. CR 12 does not trace, and GRs 5,
    7 and 8 have a use in the program: its sign of being ready, SERVC's command (READ CPU INFO) and
    control block. GR 6 is negative.
    """
    gr = distinct(16, 8, 0x20)
    gr[5] = 0x0505a5a501c35a17
    gr[6] |= 1 << 63
    gr[7] = 0x0707b7b700010001
    gr[8] = SCCB
    cr = distinct(16, 8, 0x30)
    cr[0] = 0x602e0
    cr[12] = 0x0000112233445560
    vr = [struct.pack(">QQ", *pair) for pair in
          zip(distinct(32, 8, 0x40), reversed(distinct(32, 8, 0x90)))]
    return pvdump.Cpu(gr=gr, ar=distinct(16, 4, 0x70), cr=cr, vr=vr, psw=(PSW_64, LOOP),
                      prefix=0x76000, fpc=0xa8505a03, todpr=0xbe1f, timer=0x6123456789abc000,
                      ckc=0xfedcba9876543000)


def table(cpu):
    """The values as registers.S takes them."""
    parts = {"gr": pvdump.doubles(cpu.gr), "cr": pvdump.doubles(cpu.cr), "vr": b"".join(cpu.vr),
             "timer": pvdump.doubles([cpu.timer]), "ckc": pvdump.doubles([cpu.ckc]),
             "ar": pvdump.words(cpu.ar), "fpc": pvdump.words([cpu.fpc]),
             "todpr": pvdump.words([cpu.todpr]), "prefix": pvdump.words([cpu.prefix])}
    return "".join(f"v_{name}:\t.byte\t{','.join(map(str, data))}\n"
                   for name, data in parts.items())


def image(lab, loop):
    text = f"#define {loop}\n{(HERE / 'registers.S').read_text()}{table(wanted())}"
    flat = assemble(lab, f"{loop}.flat", text, frame="protected.inc")
    return seal(lab, f"{loop}.img", "-i", flat, "--no-component-check", "--enable-dump",
                "--cck", lab.cck)


class Registers:
    """A guest in one of the loops, and what its dumps say."""

    def __init__(self, lab, loop):
        self.lab, self.dumps = lab, DumpLab(lab)
        self.dumps.key.write_bytes(lab.cck.read_bytes())
        clean(self.dumps.dump)
        program = image(lab, loop)
        self.start = time.monotonic()
        self.vm = Vm(lab, program, memory=MEMORY, name="registers")

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.vm.__exit__(*what)

    def take(self):
        """A dump of the guest in its loop."""
        return self.vm.when_ready(self.dumps.dump).open(self.lab.cck.read_bytes())

    def ticks(self):
        """An upper bound of how long the guest has run."""
        return int((time.monotonic() - self.start) * TICKS)

    def core(self):
        """The notes of the dump that was taken last, opened by us."""
        check_run(self.dumps.open(), 0)
        return cpu_part(self.dumps.out)


def cpu_part(path):
    notes = read_core(path).notes
    return {kind: desc for _, kind, desc in notes if kind in NOTE_ORDER}


def check_registers(got, want):
    for _, kind, desc in cpu_notes(want, 0):
        check_equal(got.get(kind, b"").hex(" ", 4), desc.hex(" ", 4), GROUPS[kind])


def timer_of(notes):
    return struct.unpack(">Q", notes[0x301])[0]


def check_timer(notes, most):
    gone = wanted().timer - timer_of(notes)
    check(0 < gone <= most, f"the CPU timer has moved by {gone}, of {most} at most")


def test_all(lab):
    """Twice: what comes between the two moves the CPU timer alone."""
    with Registers(lab, "LOOP_BRANCH") as guest:
        start = time.monotonic()
        guest.take()
        first = guest.core()
        check_timer(first, guest.ticks())
        check_registers(first, replace(wanted(), timer=timer_of(first)))
        time.sleep(0.2)
        guest.take()
        most = int((time.monotonic() - start) * TICKS)
        second = guest.core()
        check_registers(second, replace(wanted(), timer=timer_of(second)))
    gone = timer_of(first) - timer_of(second)
    check(TICKS // 10 < gone <= most, f"between the dumps the CPU timer moved by {gone} of {most}")


def test_zgetdump(lab):
    with Registers(lab, "LOOP_BRANCH") as guest:
        guest.take()
        ticks = guest.ticks()
    tool = Zgetdump(guest.dumps, "sid")
    check_same(guest.dumps, tool)
    theirs = cpu_part(tool.out)
    check_timer(theirs, ticks)
    check_registers(theirs, replace(wanted(), timer=timer_of(theirs)))


# --- Incomplete instructions ----------------------------------------------------------------------

def flag(dump):
    flags = struct.unpack_from(">H", dump.cpu, FLAGS_AT)[0]
    check_equal(flags & ~pvdump.OSII, 0, "other flags")
    return flags == pvdump.OSII


def diag_open(dump):
    """Is DIAGNOSE's result missing, by what the program sees?"""
    if struct.unpack_from(">Q", dump.cpu, PSW_AT + 8)[0] != BEHIND:
        return False
    check_in(dump.gr(2), (wanted().gr[6], EINVAL), "GR 2")
    return dump.gr(2) != EINVAL


def servc_open(dump):
    mask, addr = struct.unpack_from(">QQ", dump.cpu, PSW_AT)
    return addr == BEHIND and mask & PSW_CC == CC_1


def told(guest):
    run = guest.lab.run("dump", "info", "--json", "-k", guest.dumps.key, guest.dumps.dump)
    check_run(run, 0)
    return json.loads(run.out)["cpus"][0]["incomplete"]


def check_around(guest, dump, mask):
    """What the loop does not change is as it was loaded."""
    core, want = guest.core(), wanted()
    want.gr[2] = dump.gr(2)
    psw = struct.unpack_from(">QQ", dump.cpu, PSW_AT)
    check_equal(psw[0] & ~PSW_CC, mask, "PSW mask")
    check(LOOP <= psw[1] < SCCB, f"PSW address {psw[1]:#x}")
    check_registers(core, replace(want, psw=psw, timer=timer_of(core)))
    check_timer(core, guest.ticks())


def test_incomplete(lab, loop, is_open, mask, most=200):
    """Dumps until the CPU was met on both sides of the instruction's end."""
    seen = []
    with Registers(lab, loop) as guest:
        while len(seen) < most and len(set(seen)) < 2:
            dump = guest.take()
            check_equal(flag(dump), is_open(dump), f"flag at {dump.cpu[PSW_AT:PSW_AT + 16].hex()}")
            if flag(dump) not in seen:
                check_equal(told(guest), flag(dump), "incomplete, by dump info")
                check_around(guest, dump, mask)
            seen.append(flag(dump))
    check_equal(set(seen), {True, False}, f"flags in {len(seen)} dumps")


def test_complete(lab):
    """Never where nothing is intercepted, be the CPU stopped for the dump or paused before."""
    with Registers(lab, "LOOP_BRANCH") as guest:
        for i in range(10):
            if i == 8:
                check_run(guest.vm.vm("pause"), 0)
            check_equal(flag(guest.take()), False, "flag")
        check_equal(told(guest), False, "incomplete, by dump info")


def tests(lab, _):
    prepare(lab)
    yield "all registers", bind(test_all, lab)
    yield "all registers by zgetdump", bind(test_zgetdump, lab)
    yield "incomplete: DIAGNOSE 500", bind(test_incomplete, lab, "LOOP_DIAG", diag_open, PSW_64)
    yield ("incomplete: SERVICE CALL",
           bind(test_incomplete, lab, "LOOP_SERVC", servc_open, PSW_64 | PSW_EXT))
    yield "complete: a branch", bind(test_complete, lab)


if __name__ == "__main__":
    sys.exit(main(__doc__, tests))
