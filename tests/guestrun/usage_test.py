#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
What `zpv run` says of files and options that are not as they should be.

Usage: usage_test.py ZPV BUILD
"""
import sys

from runlab import CRASH, OFF, assemble
from common import bind, check_in, check_run, fake_kernel, main

OK = "	STOP 0xfff\n"


def refused(lab, words, code, err):
    check_run(lab.run("run", *words), code, err)


def test_memory(lab):
    program = assemble(lab, "ok", OK)
    for size in ("64", "64M", "65m", "1021", "1025", "1G", "3g", "4097"):
        check_run(lab.run("run", "-m", size, program), OFF)
    for size in ("0", "63", "-1", "1T", "1.5G", "x", "", "1048577", "99999999999999999999", "2000G"):
        check_run(lab.run("run", "-m", size, program), 2, "memory")


def test_qemu(lab):
    program = assemble(lab, "ok", OK)
    check_run(lab.run("run", "-kernel", program, "-m", "1G", "-nographic", "-smp", "1",
                      "-machine", "s390-ccw-virtio", "-no-reboot"), OFF)
    check_run(lab.run("run", "-M", "s390-ccw-virtio-9.2", program), OFF)
    for words, err in ((("-smp", "2"), "2 CPUs: this machine has 1"),
                       (("-M", "q35"), "machine type 'q35' is not known"),
                       (("-M", "s390-ccw-virtio,accel=kvm"), "without properties"),
                       (("-display", "none"), "")):
        check_run(lab.run("run", *words, program), 2, err)


def test_parameters(lab):
    """What only a Linux kernel takes."""
    program = assemble(lab, "ok", OK)
    for words in (("--ramdisk", lab.ramdisk), ("--parmline", "quiet")):
        check_run(lab.run("run", *words, program), 1, "is no Linux kernel")


def test_console(lab):
    program, log = assemble(lab, "ok", OK), lab.path("console.log")
    check_run(lab.run("run", "--console", log, program), OFF, out="zpv: the guest powered off\n")
    check_run(lab.run("run", "--console", lab.path("no/such"), program), 1, "cannot write")
    check_run(lab.run("run", "-q", program), OFF, out="")


def test_sealed(lab):
    """The loader of a sealed image, started as by a boot loader, finds no Ultravisor and says so."""
    image = lab.make("sealed.img").read_bytes()
    run = lab.run("run", lab.write("started.img", bytes.fromhex("0008000180010000") + image[8:]))
    check_run(run, CRASH, "this machine cannot enter protected mode")
    check_in("Secure unpack facility is not available", run.out, "console")
    check_in("0000000000004607", run.err, "PSW")


def tests(lab, _args):
    kernel = lab.write("fake", fake_kernel())
    large = lab.path("large")
    large.touch()
    with open(large, "wb") as f:
        f.truncate(65 << 20)
    for name, words, code, err in [
            ("nothing to boot", [], 2, "operand"),
            ("two kernels", ["--kernel", kernel, kernel], 2, "operand"),
            ("no such kernel", [lab.path("none")], 1, "none"),
            ("no such RAM disk", ["--ramdisk", lab.path("none"), kernel], 1, "none"),
            ("a folder as kernel", [lab.dir], 1, "is not a regular file"),
            ("a folder as RAM disk", ["--ramdisk", lab.dir, kernel], 1, "is not a regular file"),
            ("an empty kernel", [lab.write("empty", b"")], 1, "nothing to boot"),
            ("no kernel at all", [lab.write("zeros", bytes(4096))], 1, "no short PSW"),
            ("a kernel larger than memory", ["-m", "64", large], 1, "fit"),
            ("a RAM disk larger than memory", ["-m", "64", "--ramdisk", large, kernel], 1,
             "does not fit the guest's 64 MiB"),
            ("a long command line", ["--parmline", "x" * 896, kernel], 1,
             "has 896 bytes; this kernel takes 895"),
            ("a command line beyond ASCII", ["--parmline", "a=\u00e9", kernel], 1, "only ASCII")]:
        yield name, bind(refused, lab, words, code, err)
    yield "sizes of memory", bind(test_memory, lab)
    yield "QEMU's options", bind(test_qemu, lab)
    yield "parameters of what is no Linux kernel", bind(test_parameters, lab)
    yield "console in a file", bind(test_console, lab)
    yield "a sealed image", bind(test_sealed, lab)


if __name__ == "__main__":
    sys.exit(main(__doc__, tests))
