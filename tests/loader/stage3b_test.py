#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
stage3b under qemu-system-s390x: usage stage3b_test.py STAGE3A STAGE3B_RELOC

The images are not encrypted and are entered at stage3b, as the Ultravisor enters an unpacked one.
ZPV_TEST_KERNEL names a Linux kernel and ZPV_TEST_INITRD a ramdisk to be booted the same way; the
default are Debian's, which scripts/guest fetches.
"""
import functools
import os
import random
import struct
import sys

import guest
import tap
from stage3a_test import ANSWER_GO, SVC_NEW_PSW, VARIABLES, Stage3a, check_panic, lines
from tap import check_equal, check_in

KERNEL = 0x15000
PSW_64BIT = 0x180000000
VERDICT_OK = 0x600d
MEMORY = 0x1000000


def page_up(addr):
    return (addr + 0xfff) & ~0xfff


def pattern(size, seed):
    return random.Random(seed).randbytes(size)


def test_kernel(size=0x58123, max_cmdline=4096):
    code = guest.assemble("kernel.S", 0x10000, (f"MAX_CMDLINE={max_cmdline}",))
    kernel = pattern(0x10000, 1) + code
    return kernel + pattern(size - len(kernel), 2)


def test_initrd(size=0x23456):
    return pattern(size - 4, 3) + b"DONE"


class Guest:
    """Components behind each other as an image has them: kernel, ramdisk, command line, stage3b."""

    def __init__(self, stage3b, kernel, cmdline=b"", initrd=b"", at=None, **changes):
        self.kernel, self.cmdline, self.initrd = kernel, cmdline, initrd
        with open(stage3b, "rb") as f:
            loader = f.read()
        check_equal(loader[-64:], bytes(64), "arguments in the file")
        self.initrd_at = page_up(KERNEL + len(kernel))
        self.cmdline_at = page_up(self.initrd_at + len(initrd))
        self.loader_at = at or page_up(self.cmdline_at + len(cmdline))
        args = {"kernel_at": KERNEL, "kernel_size": len(kernel),
                "cmdline_at": self.cmdline_at if cmdline else 0, "cmdline_size": len(cmdline),
                "initrd_at": self.initrd_at if initrd else 0, "initrd_size": len(initrd),
                "mask": PSW_64BIT, "addr": 0x10000, **changes}
        image = guest.Image(self.loader_at)
        image.put(0x6000, pattern(0x3000, 4))
        image.put(KERNEL, kernel)
        image.put(self.initrd_at, initrd)
        image.put(self.cmdline_at, cmdline)
        image.put(self.loader_at, loader[:-64] + struct.pack(">8Q", *args.values()))
        self.image = image

    def run(self):
        return guest.run(self.image.data, storage=MEMORY)

    def check_started(self, end):
        check_equal(lines(end.vt220), [], "console")
        check_panic(end, VERDICT_OK)
        want = bytearray(self.kernel[0x10000:])
        if self.initrd:
            struct.pack_into(">QQ", want, 0x408, self.initrd_at, len(self.initrd))
        want[0x480:0x480 + len(self.cmdline)] = self.cmdline
        got = bytearray(end.storage[0x10000:0x10000 + len(want)])
        at = want.find(struct.pack(">QQ", guest.DISABLED_WAIT, 0))  # the kernel's own PSW
        got[at:at + 16] = want[at:at + 16]
        check_same(got, want, 0x10000)
        check_same(end.storage[0x6000:0x9000], self.image.data[0x6000:0x9000], 0x6000)
        rest = max(len(self.kernel), 0x10480 + len(self.cmdline))
        check_same(end.storage[rest:len(self.image.data)], self.image.data[rest:], rest)
        check_equal(end.storage[0x2006:0x2014], b"\0\x20\0\0\0\x04" + bytes(8), "last event mask")


def check_same(got, want, addr):
    if got != want:
        at = next(i for i, (a, b) in enumerate(zip(got, want)) if a != b)
        raise AssertionError(f"storage at {addr + at:#x} differs")


def test_starts(stage3b, *args, at=None, **options):
    g = Guest(stage3b, test_kernel(**options), *args, at=at)
    g.check_started(g.run())


def test_panics(stage3b, text, *args, kernel=None, **changes):
    g = Guest(stage3b, test_kernel() if kernel is None else kernel, *args, **changes)
    end = g.run()
    check_panic(end, 0x4511)
    check_equal(len(lines(end.vt220)), 1, "console lines")
    check_in("stage3b: ", end.vt220, "console")
    check_in(text, end.vt220, "console")
    check_equal(lines(end.line_mode), lines(end.vt220), "line mode console")
    check_same(end.storage[0x10000:len(g.image.data)], g.image.data[0x10000:], 0x10000)


def test_kernel_of_64_kib(stage3b):
    """Nothing to move; the PSW leads to a disabled wait elsewhere."""
    g = Guest(stage3b, pattern(0x10000, 5), b"zpv\0", addr=0x7000)
    g.image.put(0x7000, bytes.fromhex("c01000000008" "b2b21000"))  # larl, lpswe
    g.image.put(0x7010, struct.pack(">QQ", guest.DISABLED_WAIT, VERDICT_OK))
    end = g.run()
    check_panic(end, VERDICT_OK)
    check_equal(end.storage[0x10480:0x10484], b"zpv\0", "command line")


def test_kernel_beyond_storage(stage3b):
    """More than the guest has: an addressing exception, reported."""
    end = Guest(stage3b, test_kernel(), kernel_at=0x3f00000, kernel_size=0x200000).run()
    check_equal(end.reason, "disabled-wait", "end")
    check_in("program interruption 0x5", end.vt220, "console")


def test_both_stages(stage3b, stage3a):
    """stage3a, a pretended hypervisor that unpacks nothing, stage3b, kernel."""
    a = Stage3a(stage3a)
    a.hook()
    b = Guest(stage3b, test_kernel(), b"zpv=1\0", test_initrd())
    image = a.image(answer_10=ANSWER_GO)
    image.put(VARIABLES + 0x10, struct.pack(">QQ", PSW_64BIT, b.loader_at))
    image.put(KERNEL, b.image.data[KERNEL:])
    a.set_args(0x14000 - a.args, 640, 0x13000 - a.args)
    image.put(0x10000, a.code)
    image.put(0x13000, bytes(0x1000))
    end = guest.run(image.data, storage=MEMORY)
    check_equal(lines(end.vt220), [], "console")
    check_panic(end, VERDICT_OK)
    check_equal(end.u64(SVC_NEW_PSW), PSW_64BIT, "hooks")
    check_equal(end.storage[0x10480:0x10486], b"zpv=1\0", "command line")


def component(name, file):
    """What an environment variable names, else Debian's file where scripts/guest puts it."""
    path = os.environ.get(name) or os.path.join(
        os.environ.get("ZPV_S390X_DIR", "build/s390x"), "trixie", file)
    if not os.path.exists(path):
        raise tap.Skip(f"{name}: {path} does not exist (scripts/guest trixie fetches it)")
    with open(path, "rb") as f:
        return f.read()


def test_linux(stage3b):
    kernel = component("ZPV_TEST_KERNEL", "vmlinuz")
    initrd = component("ZPV_TEST_INITRD", "initrd.gz")
    cmdline = b"console=ttysclp0 zpv.loader=test panic=-1\0"
    want = ["Kernel command line: " + cmdline[:-1].decode(), "unpack rootfs image as initramfs",
            "Freeing initrd memory"]
    g = Guest(stage3b, kernel, cmdline, initrd)
    end = guest.run(g.image.data, memory=1024, consoles=("vt220",), timeout=120,
                    until=lambda text: all(line in text for line in want))
    for line in want:
        check_in(line, end.vt220, "kernel log")
    if "rootfs image is not initramfs" in end.vt220 or "unpacking failed" in end.vt220:
        raise AssertionError("the kernel could not unpack the ramdisk")


def tests(stage3a, stage3b):
    def bind(function, *args, **kwargs):
        return functools.partial(function, stage3b, *args, **kwargs)

    yield "kernel alone", bind(test_starts)
    yield "kernel and command line", bind(test_starts, b"zpv root=x\0")
    yield "kernel and ramdisk", bind(test_starts, b"", test_initrd())
    yield "all components", bind(test_starts, b"zpv quiet\0", test_initrd())
    yield "large kernel", bind(test_starts, b"zpv\0", test_initrd(), size=0x765431)
    yield "small kernel", bind(test_starts, b"zpv\0", test_initrd(0x800), size=0x12345)
    yield "relocator far away", bind(test_starts, b"zpv\0", at=0xf12000)
    yield "relocator off a page", bind(test_starts, b"zpv\0", at=0xf12b46)
    yield "command line of the maximum", bind(test_starts, b"zpv".ljust(4095, b"x") + b"\0")
    yield "command line of the default maximum", bind(
        test_starts, b"zpv".ljust(895, b"x") + b"\0", max_cmdline=0)
    yield "kernel of 64 KiB", bind(test_kernel_of_64_kib)
    yield "command line too large", bind(
        test_panics, "Command line is too large: 4097 bytes, at most 4096",
        b"zpv".ljust(4096, b"x") + b"\0")
    yield "command line above the default", bind(
        test_panics, "Command line is too large: 897 bytes, at most 896",
        b"zpv".ljust(896, b"x") + b"\0", kernel=test_kernel(max_cmdline=0))
    yield "command line without NUL", bind(
        test_panics, "Command line needs to be null-terminated", b"zpv")
    yield "kernel too small", bind(test_panics, "Invalid kernel", kernel=bytes(0xffff))
    yield "no kernel", bind(test_panics, "Invalid kernel", kernel=b"")
    yield "kernel inside the loader's storage", bind(
        test_panics, "Invalid kernel: address 0xf000", kernel_at=0xf000)
    yield "kernel beyond storage", bind(test_kernel_beyond_storage)
    yield "kernel over the command line", bind(
        test_panics, "The kernel would overwrite the command line", b"zpv\0",
        cmdline_at=0x58122, cmdline_size=0x100)
    yield "kernel over the ramdisk", bind(
        test_panics, "The kernel would overwrite the ramdisk", b"", b"DONE",
        initrd_at=0x58122, initrd_size=0x10)
    yield "command line over the ramdisk", bind(
        test_panics, "The kernel would overwrite the ramdisk", b"zpv\0", b"DONE",
        kernel=pattern(0x10000, 5), initrd_at=0x10483, initrd_size=0x100)
    yield "ramdisk inside the loader's storage", bind(
        test_panics, "Invalid ramdisk: address 0xfffe", b"", b"DONE", initrd_at=0xfffe)
    yield "sizes that wrap around", bind(
        test_panics, "Invalid command line: address", b"zpv\0", cmdline_size=2**64 - 0x100)
    yield "stage3a and stage3b", bind(test_both_stages, stage3a)
    yield "Linux", bind(test_linux)


def main():
    if tool := guest.missing_tool():
        print(f"1..0 # SKIP {tool} is not installed")
        return 0
    return tap.run(list(tests(*sys.argv[1:3])))


if __name__ == "__main__":
    sys.exit(main())
