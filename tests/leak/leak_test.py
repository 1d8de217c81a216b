#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
What a protected guest hides is nowhere where its hypervisor could see it: a flat program that leaves
SIE in every way, Debian's kernel, a core dump of the process.

Usage: leak_test.py ZPV BUILD [--full]
"""
import hashlib
import os
import random
import re
import shutil
import string
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "guestrun"))

from runlab import CC, Guest  # noqa: E402
import secrypt  # noqa: E402
from common import (Skip, bind, check, check_equal, check_run, main, s390x_file,  # noqa: E402
                    sanitized)

HERE = Path(__file__).resolve().parent
CLEAN, LEAK = 0, 3
# Bits that switch something on while DAT and PER are off: tracing, in CR12.
CR_MASK = 0x3ffffffffffffffc
CONTROL_REGISTERS = 13


class Planted:
    """What the guest gets to hide, and the file that tells leakcheck of it."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.items = []

    def add(self, kind, name, data):
        data = data.encode() if isinstance(data, str) else data
        self.items.append((kind, name, data))
        return data

    def text(self, kind, name, length=40):
        """Letters and digits by chance, so that no 4 of them are anywhere else."""
        letters = self.random.choices(string.ascii_lowercase + string.digits, k=length)
        return self.add(kind, name, "".join(letters)).decode()

    def words(self, kind, name, count, size=8, mask=-1):
        values = [self.random.getrandbits(8 * size) & mask for _ in range(count)]
        self.add(kind, name, b"".join(v.to_bytes(size, "big") for v in values))
        return values

    def write(self, lab):
        return lab.write("plant", "".join(f"{kind} {name} {data.hex()}\n"
                                          for kind, name, data in self.items).encode())


class Report:
    """leakcheck's."""

    def __init__(self, text):
        self.text = text
        self.leaks = set(re.findall(r"^LEAK: ([^:]+): ([^:]+): \d+$", text, re.M))
        self.allowed = set(re.findall(r"^allowed: ([^:]+): ([^:]+): \d+$", text, re.M))
        self.missing = set(re.findall(r"^MISSING: ([^:]+): ([^:\n]+)$", text, re.M))

    def count(self, what):
        found = re.search(rf"\b{what}: (\d+)", self.text)
        check(found, f"no count of {what!r} in {self.text!r}")
        return int(found[1])


def quads(values):
    return ".quad " + ", ".join(f"{v:#x}" for v in values)


# --- The flat program ------------------------------------------------------------------------------

def plant_flat():
    p = Planted("flat")
    text, behind = p.text("secret", "text"), p.text("secret", "behind-sccb")
    console, shared = p.text("console", "console-line"), p.text("shared", "shared-page")
    p.text("secret", "cmdline")
    p.text("secret", "ramdisk", 200)
    grs, fprs = p.words("secret", "grs", 16), p.words("secret", "fprs", 16)
    crs = p.words("secret", "crs", CONTROL_REGISTERS, mask=CR_MASK)
    ars = p.words("words", "ars", 16, size=4)
    for name, order in (("ar-array", "big"), ("ar-host-array", "little")):
        p.add("secret", name, b"".join(v.to_bytes(4, order) for v in ars))
    p.source = "".join(f"#define {name} {value}\n" for name, value in {
        "TEXT": f'.ascii "{text}"', "TEXT_LEN": len(text), "BEHIND": f'.ascii "{behind}"',
        "CONSOLE": f'.ascii "{console}\\n"', "CONSOLE_LEN": len(console) + 1,
        "SHARED": f'.ascii "{shared}"', "SHARED_LEN": len(shared),
        "GRS": quads(grs), "FPRS": quads(fprs), "CRS": quads(crs),
        "ARS": ".long " + ", ".join(f"{v:#x}" for v in ars)}.items())
    return p


def item(planted, name):
    return next(data for _, other, data in planted.items if other == name)


def seal(lab, name, kernel, *words):
    """An image for the identity of the lab."""
    out = lab.path(name)
    check_run(lab.run("image", "create", "-i", kernel, "-k", lab.identity_hkd(), "--no-verify",
                      "--overwrite", "-o", out, *words), 0)
    return out


def flat_image(lab, planted):
    if not shutil.which(CC):
        raise Skip(f"{CC} is not installed")
    lab.write("plant.inc", planted.source.encode())
    kernel = lab.path("flat")
    done = subprocess.run([CC, "-march=z196", "-m64", "-nostdlib", "-static", "-no-pie",
                           "-Wl,--build-id=none", "-Wl,-e,start", "-Wl,-Ttext=0",
                           "-Wl,--oformat=binary", f"-I{lab.dir}", HERE / "flat.S", "-o", kernel],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    check(done.returncode == 0, done.stdout)
    return seal(lab, "flat.img", kernel,
                "-r", lab.write("flat.rd", item(planted, "ramdisk")),
                "-p", lab.write("flat.parm", item(planted, "cmdline")))


def leakcheck(lab, args, planted, image, *words, broken=None, timeout=900):
    program = args.build / "tests" / "leak" / ("leakcheck" + (f"_{broken}" if broken else ""))
    done = subprocess.run([program, "--host", lab.identity(), "--plant", planted.write(lab),
                           *map(str, words), image], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, env=lab.env(), timeout=timeout, check=False)
    out, err = done.stdout.decode(), done.stderr.decode(errors="replace")
    for line in out.splitlines():
        print(f"# {line}")
    check_equal(done.returncode, LEAK if broken else CLEAN, f"exit status, after {out} {err[-2000:]}")
    return Report(out)


def test_flat(lab, args):
    planted = plant_flat()
    report = leakcheck(lab, args, planted, flat_image(lab, planted), "--export", 3, "--scan", 10)
    check_equal(report.leaks | report.missing, set(), "leaks")
    check(("SIDA", "console-line") in report.allowed, "the SIDA was not searched")
    check(("shared", "shared-page") in report.allowed, "shared storage was not searched")
    # Each of three lives has ten rounds with at least 27 interceptions.
    check(report.count("ends of SIE") > 3 * 10 * 27, "too few ends of SIE")
    for what in ("searches of storage", "frames searched", "secure", "pages exported"):
        check(report.count(what) > 50, f"{what}: {report.count(what)}")


def test_broken(lab, args, broken, expected):
    """An Ultravisor that is broken on purpose is found out."""
    planted = plant_flat()
    report = leakcheck(lab, args, planted, flat_image(lab, planted), "--export", 3, "--scan", 10,
                       broken=broken)
    check(expected <= report.leaks, f"not found: {expected - report.leaks}")
    check_equal({place for place, _ in report.leaks}, {place for place, _ in expected}, "places")


BROKEN = [
    ("export", "exports by copying", {
        (place, name) for place in ("exported page", "store")
        for name in ("text", "behind-sccb", "cmdline", "ramdisk", "grs", "fprs", "crs", "ar-array",
                     "console-line", "shared-page")}),
    ("registers", "leaves registers behind", {
        ("registers", "fprs"), ("registers", "ars"),
        ("registers", "ar-host-array"), ("CPU object", "fprs"), ("CPU object", "ar-host-array"), ("state description", "crs"),
        ("SIDA", "grs")}),
    ("destroy", "gives a destroyed guest's pages back as they are", {
        ("store", name) for name in ("text", "behind-sccb", "grs", "fprs", "crs", "shared-page")}),
]


def tests(lab, args):
    yield "a flat program leaks nothing", bind(test_flat, lab, args)
    for broken, what, expected in BROKEN:
        yield f"an Ultravisor that {what} is found out", bind(test_broken, lab, args, broken, expected)


# --- Linux -----------------------------------------------------------------------------------------

# The fourth line is for the console; what is computed is in no file.
INIT = """#!/bin/busybox sh
/bin/busybox mkdir -p /proc /dev /tmp
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t devtmpfs devtmpfs /dev
exec </dev/console >/dev/console 2>&1
/bin/busybox --install -s /bin
export PATH=/bin
mount -t tmpfs tmpfs /tmp
export HIDDEN=$(echo -n {seed} | sha256sum | cut -c 1-40)
i=0
while [ $i -lt 300 ]; do
	echo $HIDDEN $i
	cat /planted
	i=$((i + 1))
done >/tmp/copies
sleep 10000 &
sort /tmp/copies | uniq >/tmp/sorted
grep -q {cmdline} /proc/cmdline && [ $(wc -l </tmp/sorted) = 301 ] && echo {console}
grep -q leak.hold /proc/cmdline && sleep 10000
poweroff -f
"""


def plant_linux():
    p = Planted("linux")
    seed = "seed of what the guest computes"
    p.add("secret", "computed", hashlib.sha256(seed.replace(" ", "").encode()).hexdigest()[:40])
    planted, cmdline = p.text("secret", "ramdisk-file"), p.text("secret", "cmdline")
    console = p.text("console", "console-line")
    p.init = INIT.format(seed=seed.replace(" ", ""), cmdline=cmdline, console=console)
    p.planted = planted + "\n"
    return p


def linux_image(lab, planted, *words, cmdline=""):
    kernel = s390x_file("trixie", "vmlinuz", need="trixie")
    busybox = s390x_file("trixie", "bin", "busybox", need="trixie")
    init, ramdisk = lab.write("init", planted.init.encode()), lab.path("linux.rd")
    init.chmod(0o755)
    subprocess.run([sys.executable, "-B", HERE.parents[1] / "scripts" / "mkinitramfs", busybox,
                    ramdisk, f"{init}=init",
                    f"{lab.write('planted', planted.planted.encode())}=planted"], check=True)
    line = f"quiet {item(planted, 'cmdline').decode()} {cmdline}".encode()
    return seal(lab, "linux.img", kernel, "-r", ramdisk, "-p", lab.write("linux.parm", line), *words)


def test_linux(lab, args, broken=None):
    planted = plant_linux()
    report = leakcheck(lab, args, planted, linux_image(lab, planted), "--memory", 256, "--export", 3,
                       "--scan", 1000, broken=broken)
    if broken:
        found = {name for place, name in report.leaks if place == "exported page"}
        check({"computed", "ramdisk-file", "cmdline", "console-line"} <= found, f"only {found}")
        return
    check_equal(report.leaks | report.missing, set(), "leaks")
    check(("SIDA", "console-line") in report.allowed, "the SIDA was not searched")
    check(report.count("ends of SIE") > 1000, "too few ends of SIE")
    check(report.count("pages exported") > 10000, "too few pages exported")


# --- A core dump -----------------------------------------------------------------------------------

def plant_keys(planted, lab):
    """The owner's keys, and the machine's."""
    for name, path in (("cck", lab.cck), ("header-key", lab.hdr_key), ("image-key", lab.image_key)):
        planted.add("secret", name, path.read_bytes())
    for name in ("host", "backup-host"):
        pem = (lab.identity() / "private" / f"{name}.key").read_text()
        scalar = secrypt.load_host_key(pem).private.to_bytes(66, "big")
        planted.add("secret", f"{name}-scalar", scalar[2:])
        planted.add("secret", f"{name}-pem", pem.splitlines()[2])


def schedules(text):
    return int(re.search(r"^AES key schedules: (\d+)$", text, re.M)[1])


def take_core(lab, guest):
    """Of all mappings; those that are not to be dumped stay out of it."""
    pid = guest.process.pid
    Path(f"/proc/{pid}/coredump_filter").write_text("0x7f")
    done = subprocess.run(["gcore", "-o", lab.path("core"), str(pid)], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=600, check=False)
    core = lab.path(f"core.{pid}")
    check(done.returncode == 0 and core.exists(), done.stdout)
    return core


def test_core(lab, args):
    if os.geteuid() != 0:
        raise Skip("only root may take a core of a process that is not dumpable")
    if not shutil.which("gcore"):
        raise Skip("gcore (Debian package gdb) is not installed")
    if sanitized() != "none":
        raise Skip("a sanitizer keeps copies of its own, in dumpable memory")
    keyfind = args.build / "tests" / "leak" / "keyfind"
    done = subprocess.run([keyfind], stdout=subprocess.PIPE, text=True, check=True)
    check(schedules(done.stdout) > 0, "keyfind does not know this libcrypto's key schedules")

    planted = plant_linux()
    plant_keys(planted, lab)
    image = linux_image(lab, planted, "--cck", lab.cck, "--hdr-key", lab.hdr_key, "--image-key",
                        lab.image_key, cmdline="leak.hold")
    with Guest(lab, ["run", "-m", "256", "--host", lab.identity(), image]) as guest:
        guest.expect(item(planted, "console-line").decode())
        core = take_core(lab, guest)
    done = subprocess.run([keyfind, planted.write(lab), core], stdout=subprocess.PIPE, text=True,
                          check=True)
    core.unlink()
    print(f"# core: {re.search(r'bytes: (.*)', done.stdout)[1]} bytes searched")
    found = set(re.findall(r"^found: (\S+) at", done.stdout, re.M))
    check_equal(found, {"console-line"}, f"what the core has (see {done.stdout})")
    check_equal(schedules(done.stdout), 0, "AES key schedules in the core")


def full(lab, args):
    yield "Debian's kernel leaks nothing", bind(test_linux, lab, args)
    yield "an Ultravisor that exports by copying is found out", bind(test_linux, lab, args, "export")
    yield "a core dump has no secret", bind(test_core, lab, args)


if __name__ == "__main__":
    sys.exit(main(__doc__, tests, full))
