# SPDX-License-Identifier: MIT
"""
The machine against QEMU's TCG: Debian's kernel booted to the first line of its init, and flat
programs whose instructions are counted (mips/).
"""
import os
import re
import shutil

from harness import MIB, Command, Missing, Pair, run

NAMES = ("boot", "integer", "branches")
TARGET = 2.5        # of the boot; 1.5 is aimed at
RUNS = 5
QEMU = "qemu-system-s390x"
CC = "s390x-linux-gnu-gcc"
LINE = "zpv: init reached"
PARMLINE = "console=ttysclp0 panic=-1 zpv.run=poweroff"
MEMORY_MIB = 512
PROGRAM_MIB = 64
PROGRAMS = {
    "integer": "arithmetic in registers",
    "branches": "loads, stores, calls and branches that depend on data",
}


def room_for(_size):
    return MIB


def qemu(memory, *words):
    return [QEMU, "-machine", "s390-ccw-virtio", "-accel", "tcg", "-m", str(memory),
            "-display", "none", "-nodefaults", "-no-user-config", "-no-reboot", *words]


def guest_file(bench, name):
    folder = os.environ.get("ZPV_S390X_DIR") or os.path.join(bench.source, "build", "s390x")
    path = os.path.join(folder, "trixie", name)
    if not os.path.exists(path):
        raise Missing(f"there is no {path}; 'make guest' fetches it")
    return path


def counted(argv):
    """What the boot executes, by a run with --counters."""
    text = run([argv[0], argv[1], "--counters", *argv[2:]])
    found = re.search(r"instructions +(\d+)\n +MIPS +([\d.]+)", text)
    if not found:
        return ""
    return f"counted: {int(found[1]) / 1e6:.0f} million instructions, {found[2]} MIPS"


def plan_boot(bench):
    kernel, initrd = guest_file(bench, "vmlinuz"), guest_file(bench, "initrd.gz")
    ours = [bench.zpv, "run", "-m", str(MEMORY_MIB), "--kernel", kernel, "--ramdisk", initrd,
            "--parmline", PARMLINE, "--no-reboot"]
    theirs = qemu(MEMORY_MIB, "-kernel", kernel, "-initrd", initrd, "-append", PARMLINE,
                  "-serial", "stdio")
    return Pair("boot", f"Debian's kernel to init's line '{LINE}', {MEMORY_MIB} MiB", None,
                Command(ours, until=LINE), Command(theirs, until=LINE), TARGET, runs=RUNS,
                note=counted(ours))


def assemble(bench, name):
    """Returns the program's path and how many instructions it executes."""
    source = os.path.join(bench.source, "bench", "mips", name + ".S")
    path = bench.path(name)
    bench.call(CC, "-march=z196", "-m64", "-nostdlib", "-static", "-no-pie", "-Wl,--build-id=none",
               "-Wl,-Ttext=0", "-Wl,--oformat=binary", "-Wl,-e,0", "-o", path, source)
    with open(source, encoding="ascii") as f:
        return path, int(re.search(r"INSTRUCTIONS (\d+)", f.read())[1])


def plan_program(bench, name):
    path, instructions = assemble(bench, name)
    return Pair(name, f"{PROGRAMS[name]}, {instructions / 1e6:.0f} million instructions",
                instructions, Command([bench.zpv, "run", path]),
                Command(qemu(PROGRAM_MIB, "-kernel", path)), unit="MIPS", per=1e6, runs=RUNS)


def plan(bench, names):
    for tool in (QEMU, CC):
        if not shutil.which(tool):
            raise Missing(f"there is no program '{tool}'")
    return [plan_boot(bench) if name == "boot" else plan_program(bench, name)
            for name in NAMES if name in names]
