#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Self-test of tests/run: small meson projects with good, bad and misbehaving tests. Prints TAP."""

import os
import re
import subprocess
import sys
import tempfile

RUN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "run")

# name, shell text of a TAP program, expected (passed, failed, skipped), text that must be printed
PROGRAMS = [
    ("two passes", "echo 1..2; echo ok 1 - a; echo ok 2 - b", (2, 0, 0), ""),
    ("plan at the end", "echo ok 1 - a; echo 1..1", (1, 0, 0), ""),
    ("cases without numbers", "echo ok; echo ok; echo 1..2", (2, 0, 0), ""),
    ("a failed case", "echo 1..2; echo ok 1 - a; echo not ok 2 - b; echo '# because'; exit 1",
     (1, 1, 0), "because"),
    ("a skip with its reason", "echo 1..1; echo 'ok 1 - a # SKIP no qemu here'", (0, 1, 1),
     "no qemu here"),
    ("a skip beside a pass", "echo 1..2; echo 'ok 1 - a # SKIP no qemu'; echo ok 2", (1, 0, 1),
     ": a: no qemu"),
    ("a skip without a reason", "echo 1..2; echo 'ok 1 - a # SKIP'; echo ok 2", (1, 1, 0),
     "without a reason"),
    ("a program skipped as a whole", "echo '1..0 # SKIP no kernel'", (0, 1, 1), "no kernel"),
    ("a skipped whole without a reason", "echo 1..0", (0, 1, 0), "without a reason"),
    ("a known gap", "echo 1..2; echo 'not ok 1 - a # TODO later'; echo ok 2", (1, 0, 1), "later"),
    ("too few cases", "echo 1..3; echo ok 1; echo ok 2", (2, 1, 0), "the plan says 3"),
    ("too many cases", "echo 1..1; echo ok 1; echo ok 2", (2, 1, 0), "the plan says 1"),
    ("no plan", "echo ok 1", (1, 1, 0), "no TAP plan"),
    ("no output", "true", (0, 1, 0), "no TAP plan"),
    ("exit status 3 after all passed", "echo 1..1; echo ok 1; exit 3", (1, 1, 0), "exit status 3"),
    ("a crash after all passed", "echo 1..1; echo ok 1; kill -SEGV $$", (1, 1, 0), "signal 11"),
    ("a bail out", "echo 1..2; echo ok 1; echo 'Bail out! disk full'; exit 1", (1, 2, 0),
     "disk full"),
    ("a time-out", "echo 1..1; echo ok 1; exec sleep 30", (1, 1, 0), "timed out"),
    ("cmocka's skip, which has no reason", "echo 1..1; echo 'not ok 1 # SKIP a'; exit 1",
     (0, 1, 0), ""),
    ("lines that are no TAP", "echo hello; echo 1..1; echo '# fine'; echo ok 1 - a", (1, 0, 0), ""),
]


def project(folder, programs, protocol="tap"):
    """A meson project without a compiler, its test i in suites p<i> and check; its build folder."""
    lines = ["project('runtest')", "sh = find_program('sh')"]
    for i, text in enumerate(programs):
        with open(os.path.join(folder, f"t{i}.sh"), "w", encoding="utf-8") as f:
            f.write(text + "\n")
        lines.append(f"test('t{i}', sh, args: files('t{i}.sh'), protocol: '{protocol}', "
                     f"suite: ['check', 'p{i}'], timeout: 2)")
    with open(os.path.join(folder, "meson.build"), "w", encoding="utf-8") as f:
        f.write("\n".join(lines) + "\n")
    build = os.path.join(folder, "b")
    subprocess.run(["meson", "setup", build, folder], check=True, stdout=subprocess.DEVNULL)
    return build


def run(*args):
    done = subprocess.run([sys.executable, RUN, *args], stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False)
    last = done.stdout.rstrip("\n").split("\n")[-1]
    m = re.fullmatch(r"(\d+) passed, (\d+) failed, (\d+) skipped", last)
    return done.returncode, tuple(map(int, m.groups())) if m else None, done.stdout


class Tap:
    def __init__(self):
        self.number = self.failures = 0

    def check(self, name, good, output):
        self.number += 1
        self.failures += not good
        print(f"{'ok' if good else 'not ok'} {self.number} - {name}", flush=True)
        if not good:
            print("".join(f"# {line}\n" for line in output.splitlines()), end="")


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory() as top:
        def folder(name):
            path = os.path.join(top, name)
            os.mkdir(path)
            return path

        tried = project(folder("tried"), [text for _, text, _, _ in PROGRAMS])
        for i, (name, _, expected, printed) in enumerate(PROGRAMS):
            code, count, out = run(f"{tried}:p{i}")
            good = count == expected and printed in out and (code == 0) == (expected[1] == 0)
            tap.check(name, good, f"expected {expected} and '{printed}'\n{out}")

        a = project(folder("a"), ["echo 1..1; echo ok 1", "echo 1..2; echo ok 1; echo ok 2"])
        b = project(folder("b"), ["exit 0"], "exitcode")
        c = project(folder("c"), ["exit 0", "echo no kvm; exit 77", "exit 77", "exit 9"], "exitcode")
        empty = project(folder("empty"), [])
        code, count, out = run(a, b)
        tap.check("cases are counted over all builds", (code, count) == (0, (4, 0, 0)), out)
        code, count, out = run(c)
        tap.check("exit status programs", (code, count) == (1, (1, 2, 1)) and "no kvm" in out, out)
        code, count, out = run(a, empty)
        tap.check("a build without a test fails", (code, count) == (1, (3, 1, 0)), out)
        code, count, out = run(os.path.join(top, "nowhere"))
        tap.check("no build folder", (code, count) == (1, (0, 1, 0)), out)
        code, count, out = run(a + ":check", "--command", "x=true", "--command", "y=echo why; exit 77",
                               "--command", "z=echo found it; false")
        tap.check("commands count as cases",
                  (code, count) == (1, (4, 1, 1)) and "found it" in out and "why" in out, out)
    print(f"1..{tap.number}")
    return 1 if tap.failures else 0


if __name__ == "__main__":
    sys.exit(main())
