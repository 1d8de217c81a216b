#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Our images under qemu-system-s390x, which has no Ultravisor.

A sealed image ends in its stage3a with the message that the facility is missing. An image without
encryption is entered where the Ultravisor would enter it, at the header's PSW, and boots.

Usage: boot_test.py ZPV BUILD [--full]
"""
import json
import struct
import sys

import common
import guest
from common import Skip, bind, check, check_equal, check_in, check_run, s390x_dir, s390x_file

NO_FACILITY = "Secure unpack facility is not available"
NO_FACILITY_CODE = 0x4607
CMDLINE = "console=ttysclp0 panic=-1 zpv.run=poweroff zpv.marker=5ec0de"
INIT = "zpv: init reached"
OFF = "zpv: power off"
LOADERS = ("sid", "usr", "share", "s390-tools", "pvimg")
MEMORY_MIB = 512


def make(lab, suite, *words):
    """An image of Debian's kernel and the small initramfs, with our command line."""
    kernel = s390x_file(suite, "vmlinuz", need=suite)
    initrd = s390x_dir() / suite / "initrd.gz"
    if not initrd.exists():     # it is the same program for each kernel
        initrd = s390x_file("trixie", "initrd.gz", need="trixie")
    parmfile = lab.write("boot.parm", CMDLINE.encode())
    if tool := guest.missing_tool():
        raise Skip(f"{tool} is not installed")
    run = lab.run("image", "create", "-i", kernel, "-r", initrd, "-p", parmfile, "-k", lab.hkd[0],
                  "--no-verify", "-o", lab.out, *words)
    check_run(run, 0)
    return lab.out


def vendor_loaders():
    return ["--x-bootloader-directory",
            s390x_file(*LOADERS, "stage3b_reloc.bin", need="tools").parent]


def entered_at_header_psw(lab, image):
    """A copy that QEMU starts where the Ultravisor starts a guest."""
    run = lab.run("image", "info", "--format", "json", "--host-key", lab.host_key[0],
                  "--show-secrets", image)
    psw = json.loads(run.out)["data"]["psw"]
    check_equal(psw["mask_hex"], "0000000180000000", "mask of the PSW")
    data = bytearray(image.read_bytes())
    data[:8] = struct.pack(">II", 0x00080001, 0x80000000 | int(psw["addr_hex"], 16))
    return data


def test_sealed(lab, suite, words):
    """stage3a runs, finds no facility, and nothing secret was decrypted."""
    image = make(lab, suite, *(words() if words else ()))
    for consoles in (("vt220",), ("line_mode",)):
        end = guest.run(image.read_bytes(), consoles=consoles, memory=MEMORY_MIB, timeout=60)
        check_in(NO_FACILITY, getattr(end, consoles[0]), f"console {consoles[0]}")
        check_equal((end.reason, hex(end.mask), hex(end.addr)),
                    ("disabled-wait", hex(guest.DISABLED_WAIT), hex(NO_FACILITY_CODE)), "the end")


def test_boots(lab, suite, words):
    """stage3b, kernel, initramfs: to init, and to the power off that our command line asks for."""
    image = make(lab, suite, "--disable-image-encryption", *(words() if words else ()))
    end = guest.run(entered_at_header_psw(lab, image), consoles=("vt220",), memory=MEMORY_MIB,
                    timeout=240, until=lambda text: OFF in text)
    lines = [line.rstrip() for line in end.vt220.splitlines()]
    check(INIT in lines, f"no {INIT!r} on the console, the end of it: {lines[-15:]}")
    after = lines[lines.index(INIT):]
    check(CMDLINE in after, f"init does not see our command line: {after[:5]}")
    check_in("zpv.marker=5ec0de", end.vt220[:end.vt220.index(INIT)], "kernel log")
    check(any(line.startswith("Linux ") and "s390x" in line for line in after), "no uname")


def tests(lab, _args):
    yield "Debian 13, sealed", bind(test_sealed, lab, "trixie", None)
    yield "Debian 13, entered at the header's PSW", bind(test_boots, lab, "trixie", None)


def full(lab, _args):
    yield "Debian 12, sealed", bind(test_sealed, lab, "bookworm", None)
    yield "Debian 12, entered at the header's PSW", bind(test_boots, lab, "bookworm", None)
    yield "Debian 13, loaders of s390-tools, sealed", bind(
        test_sealed, lab, "trixie", vendor_loaders)
    yield "Debian 13, loaders of s390-tools, entered at the header's PSW", bind(
        test_boots, lab, "trixie", vendor_loaders)


if __name__ == "__main__":
    sys.exit(common.main(__doc__, tests, full))
