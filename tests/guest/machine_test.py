#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the flat test programs on our machine; each ends in a disabled wait with its verdict.

Then: are all rows of sie.md section 10 covered (rows.py), and is the trace of two CPUs whole
(trace_order.py)?

usage: machine_test.py MACHINE_RUN
"""
import os
import subprocess
import sys
import tempfile

import rows
import run_qemu as programs
import trace_order

SECONDS = 60
# Programs of two CPUs whose trace is looked at, and the supervisor calls of each CPU.
TRACED = {"smp": 0, "smp_atomic": 400}
TRACES = 5


class Failed(Exception):
    """A program did not pass, or did not end."""


def run(machine_run, path, cpus, *options):
    """Runs a program that must pass: lines of output behind the verdict."""
    try:
        done = subprocess.run([machine_run, *options, path, str(cpus)], capture_output=True,
                              text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise Failed(f"no verdict after {SECONDS} s") from None
    if done.returncode != 0:
        raise Failed(f"exit status {done.returncode} {done.stderr.strip()}")
    print(f"# {done.stderr.strip()}")
    verdict, *rest = done.stdout.splitlines()
    if int(verdict, 16) != programs.PASS:
        raise Failed(f"verdict 0x{verdict}")
    return rest


def trace_of(machine_run, name, tmp):
    """A two-CPU program with a trace: its text, and instructions by CPU."""
    path = os.path.join(tmp, "trace")
    lines = run(machine_run, programs.build(name, tmp), 2, "-t", path)
    with open(path, encoding="ascii") as file:
        return file.read(), {int(cpu[3:]): int(n) for cpu, n in map(str.split, lines)}


def case(name, function, *args):
    """Name and findings of a test that returns findings or fails."""
    try:
        return name, function(*args) or []
    except Failed as why:
        return name, [str(why)]


def program(machine_run, name, tmp, passed):
    options = ["-u", os.path.join(tmp, "identity")] if name.startswith("uv_") else []
    run(machine_run, programs.build(name, tmp), programs.CPUS.get(name, 1), *options)
    passed.add(name)


def traced(machine_run, name, tmp):
    """Several times, as the order of the CPUs differs."""
    bad = []
    for _ in range(TRACES):
        bad += trace_order.check(*trace_of(machine_run, name, tmp), TRACED[name])
    return bad


def damaged(machine_run, name, tmp):
    """Would the test above find anything?"""
    text, counted = trace_of(machine_run, name, tmp)
    return [f"not found: a line {how}" for how, broken in trace_order.damages(text)
            if not trace_order.check(broken, counted, TRACED[name])]


def cases(machine_run, tmp):
    """(name, findings) of each test."""
    names = sorted(f[:-2] for f in os.listdir(programs.HERE) if f.endswith(".S"))
    passed = set()
    for name in names:
        yield case(name, program, machine_run, name, tmp, passed)
    yield from rows.check(names, passed)
    for name in TRACED:
        yield case(f"{name}: trace of two CPUs", traced, machine_run, name, tmp)
        yield case(f"{name}: damage of a trace is found", damaged, machine_run, name, tmp)


def main():
    machine_run = os.path.abspath(sys.argv[1])
    failed = number = 0
    with tempfile.TemporaryDirectory() as tmp:
        for number, (name, bad) in enumerate(cases(machine_run, tmp), 1):
            failed += bool(bad)
            print(f"{'not ok' if bad else 'ok'} {number} - {name}")
            for finding in bad[:20]:
                print(f"# {finding}")
            sys.stdout.flush()
    print(f"1..{number}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
