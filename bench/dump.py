# SPDX-License-Identifier: MIT
"""
Dumps of protected guests next to cp of the same bytes: opening one, 97 % of whose pages are encrypted,
and taking one of a paused guest that has touched all of its memory.
"""
import atexit
import importlib
import os
import shutil
import signal
import subprocess
import sys
import time

from boot import CC
from harness import MIB, Command, Failed, Missing, Pair
from protected import make_host, protected, seal

NAMES = ("open-dump", "take-dump")
OPEN_TARGET = 1.6
ENCRYPTED = 97.0
SETTLE_SECONDS = 5      # the guest has touched everything by then
NAME = "zpv-bench"


def room_for(size):
    """A dump to open and its copy; a dump that is taken and what it is compared with."""
    return 4 * size + 64 * MIB


def unlink(path):
    if os.path.exists(path):
        os.unlink(path)


def write_dump(bench, dump, key):
    """By the independent writer; in the first MiB is what a reader looks for in a Linux kernel."""
    sys.path.insert(0, os.path.join(bench.source, "tests", "dump"))
    writer = importlib.import_module("pvdumpwrite")
    kernelwrite = importlib.import_module("kernelwrite")
    kernel, other = bytes(kernelwrite.Kernel().mem), writer.share_encrypted(ENCRYPTED)
    cck = os.urandom(32)
    with open(key, "wb") as f:
        f.write(cck)
    writer.write_dump(dump, writer.Recipe(
        cck=cck, blocks=[(0, bench.size)],
        page=lambda at: writer.Page(kernel[at:at + writer.PAGE]) if at < len(kernel) else other(at)))


def plan_open(bench):
    key, dump = bench.path("cck"), bench.path("dump.elf")
    write_dump(bench, dump, key)
    opened, copy = bench.path("opened.elf"), bench.path("copy.elf")
    return Pair("open-dump", f"open a dump of {bench.size // MIB} MiB, {ENCRYPTED:.0f} % of its pages "
                "encrypted", bench.size,
                Command([bench.zpv, "dump", "open", "--quiet", "-k", key, "-o", opened, dump],
                        lambda: unlink(opened), lambda: unlink(opened)),
                Command(["cp", dump, copy], lambda: unlink(copy), lambda: unlink(copy)),
                OPEN_TARGET)


def start_guest(bench):
    """A guest that runs until this program ends; returns a function that lets it touch its memory."""
    mib = bench.size // MIB
    key, program = bench.path("guest-cck"), bench.path("touch")
    with open(key, "wb") as f:
        f.write(os.urandom(32))
    bench.call(CC, "-march=z196", "-m64", "-nostdlib", "-static", "-no-pie",
               "-Wa,--defsym,MEMORY_MIB=" + str(mib), "-Wl,--build-id=none", "-Wl,-Ttext=0",
               "-Wl,--oformat=binary", "-Wl,-e,0", "-o", program,
               os.path.join(bench.source, "bench", "touch.S"))
    image = seal(bench, "touch.img", "--no-component-check", "--enable-dump", "--cck", key, "-i",
                 program)
    guest = subprocess.Popen(protected(bench, image, mib, "--name", NAME), stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    atexit.register(guest.send_signal, signal.SIGKILL)
    time.sleep(SETTLE_SECONDS)
    if guest.poll() is not None:
        raise Failed(f"the guest that is to be dumped has ended with status {guest.returncode}")
    bench.call(bench.zpv, "vm", "pause", NAME)

    def touch():
        bench.call(bench.zpv, "vm", "resume", NAME)
        time.sleep(SETTLE_SECONDS)
        bench.call(bench.zpv, "vm", "pause", NAME)
    return touch


def plan_take(bench):
    touch = start_guest(bench)
    taken, copy = bench.path("taken.elf"), bench.path("taken-copy")
    source = bench.random_file("taken-source", bench.size)

    def before():
        unlink(taken)
        touch()
    return Pair("take-dump", f"dump a paused guest of {bench.size // MIB} MiB that has touched all "
                "of it (at least 1 GB/s where the CPU has SHA-NI)", bench.size,
                Command([bench.zpv, "vm", "dump", "--quiet", "-o", taken, NAME], before,
                        lambda: unlink(taken)),
                Command(["cp", source, copy], lambda: unlink(copy), lambda: unlink(copy)), runs=3)


def plan(bench, names):
    if not shutil.which(CC):
        raise Missing(f"there is no program '{CC}'")
    plans = {"open-dump": plan_open, "take-dump": plan_take}
    return [plans[name](bench) for name in NAMES if name in names]
