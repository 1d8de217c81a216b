#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the flat test programs on our machine; each ends in a disabled wait with its verdict.

usage: machine_test.py MACHINE_RUN
"""
import os
import subprocess
import sys
import tempfile

import run_qemu as programs

SECONDS = 60


def verdict(machine_run, path, cpus):
    try:
        done = subprocess.run([machine_run, path, str(cpus)], capture_output=True, text=True,
                              timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"no verdict after {SECONDS} s"
    if done.returncode != 0:
        return f"exit status {done.returncode} {done.stderr.strip()}"
    print(f"# {done.stderr.strip()}")
    return int(done.stdout, 16)


def main():
    machine_run = os.path.abspath(sys.argv[1])
    names = sorted(f[:-2] for f in os.listdir(programs.HERE) if f.endswith(".S"))
    failed = 0
    print(f"1..{len(names)}")
    with tempfile.TemporaryDirectory() as tmp:
        for number, name in enumerate(names, 1):
            said = verdict(machine_run, programs.build(name, tmp), programs.CPUS.get(name, 1))
            good = said == programs.PASS
            failed += not good
            print(f"{'ok' if good else 'not ok'} {number} - {name}", flush=True)
            if not good:
                print(f"# verdict {hex(said) if isinstance(said, int) else said}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
