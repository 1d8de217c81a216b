#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
stage3a under qemu-system-s390x: usage stage3a_test.py STAGE3A STAGE3B_RELOC

TCG has no unpack facility, so an unmodified stage3a ends there. To go further some instructions are
replaced by SUPERVISOR CALL and hooks.S answers as a hypervisor would.
"""
import functools
import re
import struct
import sys

import guest
import tap
from tap import check_equal, check_in

HEADER, HEADER_SIZE, IPIB = 0x14000, 720, 0x16000
HOOKS, VARIABLES = 0x6000, 0xc00
SVC_NEW_PSW = 0x1c0
ANSWER_GO = 0xffffffffffffffff
NO_FACILITY = "Secure unpack facility is not available"
HEX = r"0x[0-9a-f]+"


class Stage3a:
    """The loader file with changes, and an image around it."""

    def __init__(self, path):
        with open(path, "rb") as f:
            self.code = bytearray(f.read())
        self.args = 0x10000 + len(self.code) - 24
        self.hooks = None
        self.set_args(HEADER - self.args, HEADER_SIZE, IPIB - self.args)

    def set_args(self, *args):
        struct.pack_into(">3Q", self.code, len(self.code) - 24, *args)

    def find(self, pattern):
        found = [m for m in re.finditer(pattern, bytes(self.code), re.DOTALL)
                 if m.start() % 2 == 0]
        check_equal(len(found), 1, f"number of {pattern}")
        return found[0]

    def replace(self, pattern, code):
        at = self.find(pattern).start()
        self.code[at:at + len(code)] = code

    def hook(self, servc=False):
        """Replace the instructions that hooks.S pretends; all are four bytes long."""
        r1, r2 = divmod(self.find(rb"\xb2\x20\x00.").group()[3], 16)
        self.hooks = guest.assemble("hooks.S", HOOKS, (f"SERVC_R1=%r{r1}", f"SERVC_R2=%r{r2}"))
        self.replace(rb"\xb2\xb0\x0f\x00", b"\x0a\x01\x07\x00")
        self.replace(rb"\x83\x02\x03\x08", b"\x0a\x02\x07\x00")
        if servc:
            self.replace(rb"\xb2\x20\x00.", b"\x0a\x03\x07\x00")

    def image(self, entry=0x11000, answer_8=1, answer_10=0x0a02, busy=0, absent=0, reject=0):
        image = guest.Image(entry)
        image.put(0xc000, b"SeImgLnx" + bytes(20))
        image.put(0xcff0, b"\xaa" * 16)
        image.put(0x10000, self.code)
        image.put(HEADER, b"IBMSecEx" + bytes(HEADER_SIZE - 8))
        image.put(IPIB, bytes([0x11]) * 160)
        image.put(0x7f000, b"\xbb" * 0x1000)
        if self.hooks:
            image.put(SVC_NEW_PSW, struct.pack(">QQ", 0x180000000, HOOKS))
            image.put(HOOKS, self.hooks)
            image.put(VARIABLES, struct.pack(">QQQQQBB", answer_8, answer_10, 0, 0, busy, absent,
                                             reject))
        return image


def lines(text):
    """Lines of either console; the emulated line mode console puts a line end in front."""
    return text.replace("\r\n", "\n").strip("\n").split("\n") if text else []


def check_panic(end, code):
    check_equal(end.reason, "disabled-wait", "end")
    check_equal(f"{end.mask:#x} {end.addr:#x}", f"{guest.DISABLED_WAIT:#x} {code:#x}", "PSW")


def check_console(end, want):
    check_equal(lines(end.vt220), want, "VT220 console")
    check_equal(lines(end.line_mode), want, "line mode console")


def check_columns(end):
    for line in lines(end.vt220):
        if len(line) > 80:
            raise AssertionError(f"{len(line)} characters: {line}")


def test_no_facility(path, entry=0x11000, **options):
    end = guest.run(Stage3a(path).image(entry).data, **options)
    check_panic(end, 0x4607)
    consoles = options.get("consoles", ("vt220", "line_mode"))
    check_equal(lines(end.vt220), [NO_FACILITY] if "vt220" in consoles else [], "VT220 console")
    check_equal(lines(end.line_mode), [NO_FACILITY] if "line_mode" in consoles else [],
                "line mode console")
    if "vt220" in consoles:
        check_equal(end.vt220[-2:], "\r\n", "line end")


def test_storage(path):
    """Only lowcore, SCCB, metadata page, stack and two fields of the IPIB may change."""
    before = Stage3a(path).image().data
    after = guest.run(before, storage=len(before)).storage
    check_equal(struct.unpack_from(">QQ", after, IPIB + 0x78), (HEADER, HEADER_SIZE), "IPIB")
    check_equal(after[0xc000:0xd000], bytes(0x1000), "metadata page")
    for start, stop in ((0x3000, 0xc000), (0xd000, 0xf000), (0x10000, IPIB + 0x78),
                        (IPIB + 0x88, len(before))):
        if after[start:stop] != before[start:stop]:
            raise AssertionError(f"storage between {start:#x} and {stop:#x} has changed")


def test_no_stfle(path):
    stage3a = Stage3a(path)
    stage3a.replace(rb"\xb2\xb0\x0f\x00", b"\x00\x00\x07\x00")
    end = guest.run(stage3a.image().data)
    check_panic(end, 0x4607)
    check_console(end, [NO_FACILITY])


def test_program_check(path):
    """An operation exception behind the set-up: the address in the PSW is the old PSW's."""
    stage3a = Stage3a(path)
    at = 0x10000 + stage3a.find(rb"\xb2\xb1\x00\x00").start()
    stage3a.set_args(HEADER - stage3a.args, HEADER_SIZE, 0x7ffffffffffff000 - stage3a.args)
    end = guest.run(stage3a.image().data)
    check_equal(end.reason, "disabled-wait", "end")
    if not 0x11000 <= end.addr < at + 0x2000:
        raise AssertionError(f"PSW address {end.addr:#x}")
    check_console(end, [f"Boot loader: program interruption 0x5 at {end.addr:#x}"])


def test_bad_args(path, args):
    stage3a = Stage3a(path)
    stage3a.set_args(*args(stage3a.args))
    before = stage3a.image().data
    end = guest.run(before, storage=len(before))
    check_panic(end, 0x4607)
    check_equal(end.storage[0x10000:], before[0x10000:], "storage")
    stage3a.hook()
    end = guest.run(stage3a.image().data)
    check_panic(end, 0x4511)
    check_console(end, ["Boot loader: its arguments are not valid"])


def test_setup_failure(path, answer, what):
    stage3a = Stage3a(path)
    stage3a.hook()
    end = guest.run(stage3a.image(answer_8=answer).data)
    check_panic(end, 0x4608)
    check_in(what, end.vt220, "reason")
    check_equal(lines(end.vt220)[-1], f"Protected boot setup failed: {answer:#x}", "summary")
    check_columns(end)


def test_rejected_diagnose(path):
    """TCG answers an unreplaced DIAGNOSE 308 subcode 8 with a specification exception."""
    stage3a = Stage3a(path)
    original = stage3a.find(rb"\x83\x02\x03\x08")
    stage3a.hook()
    stage3a.code[original.start():original.end()] = original.group()
    end = guest.run(stage3a.image().data)
    check_panic(end, 0x4608)
    check_in("does not know this DIAGNOSE 308", end.vt220, "reason")
    check_in("Protected boot setup failed: 0x0", end.vt220, "summary")


def test_start_failure(path, answer, what, summary):
    stage3a = Stage3a(path)
    stage3a.hook(servc=True)
    end = guest.run(stage3a.image(answer_10=answer).data)
    check_panic(end, 0x4608)
    check_equal(end.u64(VARIABLES + 0x30), IPIB, "address operand of subcode 8")
    check_equal(end.u64(VARIABLES + 0x38), 0, "address operand of subcode 10")
    check_equal(end.u64(VARIABLES + 0x40), 2, "event masks before and after the failure")
    check_in(what, end.vt220, "reason")
    check_equal(lines(end.vt220)[-1], f"Protected boot failed: {summary}", "summary")
    check_console(end, lines(end.vt220))
    check_columns(end)


def test_sccbs(path):
    """Byte for byte what SCLP gets for a line on either console."""
    text = b"Protected boot failed: 0x902, UNKNOWN - RC: 0x0, RRC: 0x0"
    size = len(text)
    stage3a = Stage3a(path)
    stage3a.hook(servc=True)
    end = guest.run(stage3a.image(answer_10=0x0902).data)
    check_panic(end, 0x4608)
    line_mode = (struct.pack(">HB3sH", 92 + size, 0, bytes(3), 0) +
                 struct.pack(">HBBH", 84 + size, 2, 0, 0) +
                 struct.pack(">HHII", 78 + size, 1, 0xd4c4c240, 1) +
                 struct.pack(">HH52s", 56, 1, bytes(52)) +
                 struct.pack(">HHHB3s", 10 + size, 4, 0x1000, 0, bytes(3)) +
                 text.decode().encode("cp500"))
    check_equal(end.storage[0xd00:0xe00], line_mode.ljust(256, b"\0"), "line mode")
    vt220 = (struct.pack(">HB3sH", 16 + size, 0, bytes(3), 0x0020) +
             struct.pack(">HBBH", 8 + size, 0x1a, 0x80, 0) + text + b"\r\n")
    check_equal(end.storage[0x2000:0x3000], vt220.ljust(0x1000, b"\0"), "VT220")


def test_sclp(path, console, **options):
    stage3a = Stage3a(path)
    stage3a.hook(servc=True)
    end = guest.run(stage3a.image(answer_10=0x0902, **options).data)
    check_panic(end, 0x4608)
    check_equal("Protected boot failed" in end.vt220, console, "console output")
    check_equal("Protected boot failed" in end.line_mode, console, "console output")


START_FAILURES = [
    (0x0000000000000a02, "does not say why", "0xa02, UNKNOWN - RC: 0x0, RRC: 0x0"),
    (0x0000000000000902, "holds no IPL parameter block", "0x902, UNKNOWN - RC: 0x0, RRC: 0x0"),
    (0x0002000101040a02, "version of the SE header",
     "0xa02, KVM_PV_SET_SEC_PARMS - RC: 0x104, RRC: 0x1"),
    (0x0002003001060a02, "plaintext control flag",
     "0xa02, KVM_PV_SET_SEC_PARMS - RC: 0x106, RRC: 0x30"),
    (0x0002000501080a02, "belongs to the host key",
     "0xa02, KVM_PV_SET_SEC_PARMS - RC: 0x108, RRC: 0x5"),
    (0x0002000b01080a02, "customer's public key",
     "0xa02, KVM_PV_SET_SEC_PARMS - RC: 0x108, RRC: 0xb"),
    (0x0002003401080a02, "backup host key",
     "0xa02, KVM_PV_SET_SEC_PARMS - RC: 0x108, RRC: 0x34"),
    (0x0002009901080a02, "cannot use the keys",
     "0xa02, KVM_PV_SET_SEC_PARMS - RC: 0x108, RRC: 0x99"),
    (0x0002000001090a02, "secret control flag",
     "0xa02, KVM_PV_SET_SEC_PARMS - RC: 0x109, RRC: 0x0"),
    (0x00020031010a0a02, "not as long as it says",
     "0xa02, KVM_PV_SET_SEC_PARMS - RC: 0x10a, RRC: 0x31"),
    (0x00020039010a0a02, "encrypted area",
     "0xa02, KVM_PV_SET_SEC_PARMS - RC: 0x10a, RRC: 0x39"),
    (0x00020040010a0a02, "no key slots",
     "0xa02, KVM_PV_SET_SEC_PARMS - RC: 0x10a, RRC: 0x40"),
    (0x00030000010a0a02, "not mapped", "0xa02, KVM_PV_UNPACK - RC: 0x10a, RRC: 0x0"),
    (0x0004001a01020a02, "(ALD)", "0xa02, KVM_PV_VERIFY - RC: 0x102, RRC: 0x1a"),
    (0x0004001b01020a02, "(PLD)", "0xa02, KVM_PV_VERIFY - RC: 0x102, RRC: 0x1b"),
    (0x0004001c01020a02, "(TLD)", "0xa02, KVM_PV_VERIFY - RC: 0x102, RRC: 0x1c"),
    (0x0004001d01020a02, "number of encrypted", "0xa02, KVM_PV_VERIFY - RC: 0x102, RRC: 0x1d"),
    (0xffff123456780a02, "unknown reason", "0xa02, UNKNOWN - RC: 0x5678, RRC: 0x1234"),
]

BAD_ARGS = {
    "zeros": lambda args: (0, 0, 0),
    "header before the loader": lambda args: (-0x100 % 2**64, 640, IPIB - args),
    "no header": lambda args: (HEADER - args, 0, IPIB - args),
    "IPIB inside the loader": lambda args: (HEADER - args, 640, 8),
    "IPIB not on a page": lambda args: (HEADER - args, 640, IPIB - args + 8),
    "IPIB beyond the address space": lambda args: (HEADER - args, 640, -args % 2**64),
}


def tests(path):
    def bind(function, *args, **kwargs):
        return functools.partial(function, path, *args, **kwargs)

    yield "no unpack facility", bind(test_no_facility)
    yield "entered at the stub", bind(test_no_facility, entry=0x10000)
    yield "VT220 console only", bind(test_no_facility, consoles=("vt220",))
    yield "line mode console only", bind(test_no_facility, consoles=("line_mode",))
    yield "no console", bind(test_no_facility, consoles=())
    yield "z900", bind(test_no_facility, cpu="z900")
    yield "no STFLE", bind(test_no_stfle)
    yield "storage is left alone", bind(test_storage)
    yield "unexpected program interruption", bind(test_program_check)
    for name, args in BAD_ARGS.items():
        yield f"arguments: {name}", bind(test_bad_args, args)
    yield "set IPIB: invalid parameter", bind(test_setup_failure, 0x402, "is not valid")
    yield "set IPIB: unknown code", bind(test_setup_failure, 0x1234, "unknown reason")
    yield "set IPIB: program interruption", bind(test_rejected_diagnose)
    for answer, what, summary in START_FAILURES:
        yield f"start: {answer:#018x}", bind(test_start_failure, answer, what, summary)
    yield "SCCBs", bind(test_sccbs)
    yield "SCLP busy", bind(test_sclp, True, busy=1000)
    yield "SCLP absent", bind(test_sclp, False, absent=1)
    yield "SCLP refuses the event mask", bind(test_sclp, True, reject=1)


def main():
    if tool := guest.missing_tool():
        print(f"1..0 # SKIP {tool} is not installed")
        return 0
    return tap.run(list(tests(sys.argv[1])))


if __name__ == "__main__":
    sys.exit(main())
