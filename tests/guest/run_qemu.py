#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the flat test programs under QEMU's TCG, so that the programs themselves are known to be
right. usage: run_qemu.py [-k] [PROGRAM...]; -k keeps the binaries in ./out."""
import json
import os
import subprocess
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
CC = os.environ.get("S390X_CC", "s390x-linux-gnu-gcc")
QEMU = os.environ.get("QEMU", "qemu-system-s390x")
PASS = 0x600D
SECONDS = 20

# What QEMU 7.2 does not do; these have been read against the PoP only.
UNPROVEN = {
    "clock_level": "clock interruptions are delivered once and late",
    "keys_access": "key-controlled protection is not enforced",
    "lpsw": "the short PSW is not converted",
    "real": "not checked there; LRA does not translate with DAT off",
    "unchecked": "these exceptions are not recognized",
}
CPUS = {"load_reset": 2, "smp": 2, "smp_atomic": 2}


def unproven(name):
    """Why QEMU cannot prove the program; None: it can."""
    if name.startswith("uv_"):
        return "TCG has no Ultravisor"
    return "TCG has no SIE" if name.startswith("sie_") else UNPROVEN.get(name)


def build(name, out):
    """Assembles NAME.S into a flat binary."""
    path = os.path.join(out, name + ".bin")
    subprocess.run(
        [CC, "-march=z196", "-m64", "-nostdlib", "-static", "-no-pie", "-Wl,--build-id=none",
         "-Wl,--section-start=.lowcore=0", "-Wl,--section-start=.low=0x240", "-Wl,-Ttext=0x2000",
         "-Wl,--oformat=binary", "-Wl,-e,0", "-I", HERE, "-o", path,
         os.path.join(HERE, name + ".S")],
        check=True)
    return path


def verdict(path, cpus):
    """Address of the disabled wait in which the program ends."""
    qemu = subprocess.Popen(
        [QEMU, "-machine", "s390-ccw-virtio", "-accel", "tcg", "-cpu", "max", "-m", "64",
         "-smp", str(cpus), "-nodefaults", "-display", "none", "-kernel", path, "-no-reboot",
         "-action", "panic=pause", "-qmp", "stdio", "-S"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        for command in ("qmp_capabilities", "cont"):
            qemu.stdin.write(json.dumps({"execute": command}) + "\n")
        qemu.stdin.flush()
        timer = threading.Timer(SECONDS, qemu.kill)
        timer.start()
        for line in qemu.stdout:
            message = json.loads(line)
            if message.get("event") == "GUEST_PANICKED":
                timer.cancel()
                return message["data"]["info"]["psw-addr"]
        return None
    finally:
        qemu.kill()
        qemu.wait()


def main():
    args = sys.argv[1:]
    keep = "-k" in args
    names = [a for a in args if a != "-k"] or sorted(
        f[:-2] for f in os.listdir(HERE) if f.endswith(".S"))
    failed = 0
    with tempfile.TemporaryDirectory() as tmp:
        out = "out" if keep else tmp
        os.makedirs(out, exist_ok=True)
        print(f"1..{len(names)}")
        for number, name in enumerate(names, 1):
            path = build(name, out)
            if unproven(name):
                print(f"ok {number} - {name} # SKIP {unproven(name)}")
                continue
            at = verdict(path, CPUS.get(name, 1))
            good = at == PASS
            failed += not good
            said = "" if good else f" # verdict {'none' if at is None else hex(at)}"
            print(f"{'ok' if good else 'not ok'} {number} - {name}{said}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
