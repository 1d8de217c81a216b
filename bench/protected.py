# SPDX-License-Identifier: MIT
"""
Protected guests: the way into protected mode against one SHA-512 stream over the same bytes, which
the page list digest is; and a protected boot against a plain one of the same kernel.
"""
import glob
import os
import shutil

from boot import CC, LINE, MEMORY_MIB, PARMLINE, guest_file
from harness import MIB, Command, Missing, Pair

NAMES = ("enter", "protected")
ENTER_TARGET = 1.25
BOOT_TARGET = 1.10
RUNS = 7
ENTERED = r'"enter_seconds": ([0-9.e+-]+)'


def room_for(size):
    """Ramdisk and image."""
    return 2 * size + 64 * MIB


def make_host(bench):
    folder = bench.path("host")
    if not os.path.exists(folder):
        bench.call(bench.zpv, "host", "create", "--quiet", folder)
    return folder


def seal(bench, name, *words):
    path = bench.path(name)
    document, = glob.glob(os.path.join(make_host(bench), "HKD-*.crt"))
    bench.call(bench.zpv, "image", "create", "--quiet", "--no-verify", "-k", document, *words,
               "-o", path)
    return path


def protected(bench, image, memory, *words):
    return [bench.zpv, "run", "--host", make_host(bench), "-m", str(memory), "--no-reboot",
            *words, image]


def plan_enter(bench):
    stop, ramdisk = bench.path("stop"), bench.random_file("protected-ramdisk", bench.size)
    bench.call(CC, "-march=z196", "-m64", "-nostdlib", "-static", "-no-pie",
               "-Wl,--build-id=none", "-Wl,-Ttext=0", "-Wl,--oformat=binary", "-Wl,-e,0", "-o",
               stop, os.path.join(bench.source, "bench", "stop.S"))
    image = seal(bench, "enter.img", "--no-component-check", "-i", stop, "-r", ramdisk)
    memory = 2 * bench.size // MIB
    ours = Command(protected(bench, image, memory, "--json"), value=ENTERED)
    return Pair("enter", f"DIAGNOSE 308 subcode 10 to the first protected instruction, ramdisk of "
                f"{bench.size // MIB} MiB", bench.size, ours,
                Command([bench.openssl, "dgst", "-sha512", ramdisk]), ENTER_TARGET, runs=RUNS)


def plan_boot(bench):
    kernel, initrd = guest_file(bench, "vmlinuz"), guest_file(bench, "initrd.gz")
    parmfile = bench.path("protected-parmfile")
    with open(parmfile, "w", encoding="ascii") as f:
        f.write(PARMLINE)
    image = seal(bench, "boot.img", "-i", kernel, "-r", initrd, "-p", parmfile)
    plain = [bench.zpv, "run", "-m", str(MEMORY_MIB), "--kernel", kernel, "--ramdisk", initrd,
             "--parmline", PARMLINE, "--no-reboot"]
    return Pair("protected", f"Debian's kernel to init's line '{LINE}', {MEMORY_MIB} MiB, protected "
                "against plain", None, Command(protected(bench, image, MEMORY_MIB), until=LINE),
                Command(plain, until=LINE), BOOT_TARGET, runs=RUNS)


def plan(bench, names):
    if not shutil.which(CC):
        raise Missing(f"there is no program '{CC}'")
    plans = {"enter": plan_enter, "protected": plan_boot}
    return [plans[name](bench) for name in NAMES if name in names]
