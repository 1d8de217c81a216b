#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Shape of the two loader files, as image builders rely on it.
Usage: layout_test.py STAGE3A STAGE3B_RELOC
"""
import sys

import tap
from tap import check_equal

STUB, START = 0x10000, 0x11000
SIGP_SET_ARCHITECTURE = bytes.fromhex("ae100012")
SAM64 = bytes.fromhex("010e")


def check_at_most(got, limit, what):
    if got > limit:
        raise AssertionError(f"{what}: {got:#x} is above {limit:#x}")


def check_entry(code, what):
    """LHI, LHI, SIGP SET ARCHITECTURE, SAM64"""
    check_equal(code[8:14], SIGP_SET_ARCHITECTURE + SAM64, what)


def check_no_build_traces(data):
    for trace in (b"loader/", b".c\0", b".S\0", b"GCC", b"GNU"):
        check_equal(data.find(trace), -1, f"place of {trace}")


def stage3a_ends_below_ipib(stage3a, _):
    check_at_most(STUB + len(stage3a), 0x13000 - 8, "end of stage3a")
    check_equal(len(stage3a) % 8, 0, "alignment of the arguments")


def stage3a_arguments_are_zero(stage3a, _):
    check_equal(stage3a[-24:], bytes(24), "arguments")


def stage3a_entries(stage3a, _):
    check_entry(stage3a, "stub")
    check_entry(stage3a[START - STUB:], "start")
    check_equal(stage3a[0x400:START - STUB], bytes(0xc00), "zipl's parameters at 0x10400")


def stage3a_is_no_kernel(stage3a, _):
    if stage3a[8:14] == b"S390EP":
        raise AssertionError("stage3a looks like a Linux kernel")


def stage3b_ends_below_stack(_, stage3b):
    check_entry(stage3b, "relocator")
    at = stage3b.index(SIGP_SET_ARCHITECTURE + SAM64, 16) - 8
    check_entry(stage3b[at:], "stage3b")
    check_at_most(0xa000 + len(stage3b) - at, 0xf000, "end of stage3b")


def stage3b_arguments_are_zero(_, stage3b):
    check_equal(stage3b[-64:], bytes(64), "arguments")


def no_build_traces(stage3a, stage3b):
    check_no_build_traces(stage3a)
    check_no_build_traces(stage3b)


TESTS = (stage3a_ends_below_ipib, stage3a_arguments_are_zero, stage3a_entries, stage3a_is_no_kernel,
         stage3b_ends_below_stack, stage3b_arguments_are_zero, no_build_traces)


def main():
    contents = []
    for path in sys.argv[1:3]:
        with open(path, "rb") as f:
            contents.append(f.read())
    return tap.run([(test.__name__.replace("_", " "), lambda test=test: test(*contents))
                    for test in TESTS])


if __name__ == "__main__":
    sys.exit(main())
