#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
The real tools beside ours: zgetdump (s390x, under qemu-user) opens the same dumps to the same bytes
and refuses the same defects; gdb shows the registers of what we open.

Usage: tools_test.py ZPV BUILD --full
"""
import re
import shutil
import subprocess
import sys
from dataclasses import replace

import kernelwrite
import pvdumpwrite as pvdump
from dumplab import DumpLab, MIB
from common import (TIMEOUT, Run, Skip, bind, check, check_equal, check_in, check_run, main,
                    s390x_dir, s390x_file)
from open_test import SINGLE, kernel_recipe
from pvdumpwrite import Recipe

SUITES = ("sid", "trixie")
# What zgetdump does not notice, or refuses although the format has nothing against it.
ONLY_OURS = {
    "no completion": "zgetdump takes it for a core that is not protected",
    "names damaged": "zgetdump takes it for a core that is not protected",
    "metadata long": "zgetdump ignores what is behind the last page's entry",
    "notes too long": "zgetdump does not compare it with the file",
}
ONLY_THEIRS = {"cpu long": "more than 4096 bytes of a CPU's block"}


class Zgetdump:
    """The s390x program of a suite of Debian's."""

    def __init__(self, lab, suite):
        self.lab, self.suite, self.out = lab, suite, lab.lab.path("theirs")

    def run(self, *args):
        if not shutil.which("qemu-s390x"):
            raise Skip("qemu-s390x (qemu-user) is not installed")
        root = s390x_dir() / self.suite
        need = "tools" if self.suite == "sid" else self.suite
        tool = s390x_file(self.suite, "usr", "sbin", "zgetdump", need=need)
        done = subprocess.run(["qemu-s390x", "-L", root, tool, *map(str, args)], check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=TIMEOUT)
        return Run(done.returncode, done.stdout.decode(errors="replace"),
                   done.stderr.decode(errors="replace"), done.stdout)

    def open(self, *args):
        self.out.unlink(missing_ok=True)
        return self.run("-k", self.lab.key, *args, self.lab.dump, self.out)


def differs(ours, theirs):
    """A short text on the first difference, for bytes that are too many to print."""
    shorter = min(len(ours), len(theirs))
    at = next((i for i in range(shorter) if ours[i] != theirs[i]), shorter)
    return f"{len(ours)} bytes and {len(theirs)} bytes differ from byte {at:#x} on: " \
        f"{ours[at:at + 32].hex()} and {theirs[at:at + 32].hex()}"


def check_same(lab, tool, fmt="elf"):
    """Both open lab.dump, to the same bytes."""
    check_run(tool.open("-f", fmt), 0)
    check_run(lab.open("--format", fmt), 0)
    ours, theirs = lab.out.read_bytes(), tool.out.read_bytes()
    check(ours == theirs, differs(ours, theirs))


def test_same(lab, suite, changes, fmt):
    lab.write(replace(Recipe(), **changes))
    check_same(lab, Zgetdump(lab, suite), fmt)


def test_same_vmcoreinfo(lab, suite, where):
    lab.write(kernel_recipe(kernelwrite.Kernel(kernelwrite.many(20), where=where)))
    check_same(lab, Zgetdump(lab, suite))
    check_in(b"VMCOREINFO\0", lab.out.read_bytes()[:20000], "the core")


def test_same_information(lab):
    """Ours under the name of zgetdump says the same."""
    lab.write(replace(Recipe(), blocks=[(0, 3 * MIB)]))
    tool = Zgetdump(lab, "sid")
    theirs = tool.run("-i", "-k", lab.key, lab.dump)
    ours = lab.lab.run("-i", "-k", lab.key, lab.dump, name="zgetdump")
    check_run(theirs, 0)
    check_run(ours, 0)
    check_equal(ours.err.splitlines(), theirs.err.splitlines(), "information")


def test_same_command(lab):
    lab.write(Recipe())
    tool = Zgetdump(lab, "sid")
    check_run(tool.open(), 0)
    lab.out.unlink(missing_ok=True)
    check_run(lab.lab.run("-k", lab.key, lab.dump, lab.out, name="zgetdump"), 0)
    check(lab.out.read_bytes() == tool.out.read_bytes(), "the core is another")
    piped = lab.lab.run("-k", lab.key, lab.dump, name="zgetdump")
    check_equal(piped.code, 0, "exit status")
    check(piped.raw == tool.out.read_bytes(), "the core on standard output is another")


def test_same_refusal(lab, name):
    lab.write(pvdump.with_defect(Recipe(), name))
    theirs, ours = Zgetdump(lab, "sid").open(), lab.open()
    check_equal(theirs.code != 0, name not in ONLY_OURS, f"zgetdump refuses ({theirs.err})")
    check_equal(ours.code != 0, name not in ONLY_THEIRS, f"we refuse ({ours.err})")


# --- gdb ------------------------------------------------------------------------------------------

def gdb(core, *commands):
    if not shutil.which("gdb-multiarch"):
        raise Skip("gdb-multiarch is not installed")
    words = ["gdb-multiarch", "-nx", "-batch", "-ex", "set architecture s390:64-bit",
             "-ex", f"core-file {core}"]
    for command in commands:
        words += ["-ex", command]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=TIMEOUT, check=False)
    check_equal(done.returncode, 0, f"gdb's exit status ({done.stdout})")
    return done.stdout


def gdb_registers(text):
    """Name and value; a floating-point register's is behind the word "raw"."""
    pattern = r"^(\w+) +(?:[^\s(]+ +\(raw )?(0x[0-9a-f]+)\b"
    return {m[1]: int(m[2], 16) for m in re.finditer(pattern, text, re.MULTILINE)}


def test_gdb(lab):
    recipe = Recipe()
    lab.write(recipe)
    check_run(lab.open(), 0)
    for number, cpu in enumerate(recipe.cpus):
        regs = gdb_registers(gdb(lab.out, f"thread {number + 1}", "info all-registers"))
        want = {f"r{i}": cpu.gr[i] for i in range(16)}
        want.update({f"acr{i}": cpu.ar[i] for i in range(16)})
        want.update({f"f{i}": int.from_bytes(cpu.vr[i][:8], "big") for i in range(16)})
        want.update(pswm=cpu.psw[0], pswa=cpu.psw[1], fpc=cpu.fpc)
        check_equal({name: regs.get(name) for name in want}, want, f"registers of CPU {number}")
    gaddr = 0x1000
    plain = recipe.page(gaddr).plain
    check_in("".join(f"\t0x{byte:02x}" for byte in plain[:8]), gdb(lab.out, f"x/8xb {gaddr:#x}"),
             "storage")




def tests(_lab, _):
    return []


def full(lab, _):
    dump = DumpLab(lab)
    for name, changes in SINGLE.items():
        yield f"the same as zgetdump: {name}", bind(test_same, dump, "sid", changes, "elf")
    for name in ("default", "forty CPUs", "several MiB"):
        yield (f"the same as zgetdump: {name}, s390",
               bind(test_same, dump, "sid", SINGLE[name], "s390"))
    for name in ("default", "all encrypted"):
        yield (f"the same as Debian 13's: {name}",
               bind(test_same, dump, "trixie", SINGLE[name], "elf"))
    for where in ("note", "os_info"):
        yield f"the same VMCOREINFO: {where}", bind(test_same_vmcoreinfo, dump, "sid", where)
    yield "the same information", bind(test_same_information, dump)
    yield "the same command line", bind(test_same_command, dump)
    for name in pvdump.DEFECTS:
        yield f"the same refusal: {name}", bind(test_same_refusal, dump, name)
    yield "gdb shows the registers", bind(test_gdb, dump)


if __name__ == "__main__":
    sys.exit(main(__doc__, tests, full))
