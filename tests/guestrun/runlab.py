# SPDX-License-Identifier: MIT
"""
What the tests of `zpv run` share: flat programs, and guests on a pipe or a pseudo-terminal.
"""
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cli"))

import common  # noqa: E402
from common import Skip, check, s390x_file  # noqa: E402

HERE = Path(__file__).resolve().parent
CC = "s390x-linux-gnu-gcc"
# One boot takes about six seconds of CPU time; the machine of the tests may be busy, or sanitize.
SECONDS = 240
OFF, REBOOT, CRASH = 0, 3, 4
INIT = "zpv: init reached"
SHELL = "zpv: shell"


def assemble(lab, name, text, elf=False, frame="frame.inc"):
    """A flat program from its lines, at absolute 0 with the short PSW; or the same as an ELF file."""
    if not shutil.which(CC):
        raise Skip(f"{CC} is not installed")
    source, out = lab.path(f"{name}.S"), lab.path(name)
    source.write_text((HERE / frame).read_text() + text)
    words = ["-Wl,-Ttext=0x2000"] if elf else ["-Wl,-Ttext=0", "-Wl,--oformat=binary", "-DFLAT"]
    done = subprocess.run([CC, "-march=z196", "-m64", "-nostdlib", "-static", "-no-pie",
                           "-Wl,--build-id=none", "-Wl,-e,start", *words, source, "-o", out],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    check(done.returncode == 0, done.stdout)
    return out


def boot_args(suite, cmdline="", initrd=None, **options):
    kernel = s390x_file(suite, "vmlinuz", need=suite)
    initrd = initrd or s390x_file(suite, "initrd.gz", need=suite)
    words = ["run", "--kernel", kernel, "--ramdisk", initrd, "--parmline", f"{cmdline}".strip()]
    for name, value in options.items():
        words += [f"--{name}", value] if value is not True else [f"--{name.replace('_', '-')}"]
    return words


class Guest:
    """A guest that is talked to. tty: its console is a pseudo-terminal, else two pipes."""

    def __init__(self, lab, words, tty=False, **options):
        self.text, self.tty = "", tty
        self.master = self.slave = None
        stdin = stdout = subprocess.PIPE
        if tty:
            self.master, self.slave = pty.openpty()
            self.settings = termios.tcgetattr(self.slave)
            stdin = stdout = self.slave
        self.process = subprocess.Popen(
            [lab.zpv, *map(str, words)], stdin=stdin, stdout=stdout, stderr=subprocess.STDOUT,
            env=lab.env(), preexec_fn=self._own_terminal if tty else None,
            start_new_session=True, **options)
        self.out = self.master if tty else self.process.stdout.fileno()

    def _own_terminal(self):
        import fcntl
        fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        if self.tty:
            os.close(self.master)
            os.close(self.slave)
        else:
            self.process.stdin.close()
            self.process.stdout.close()

    def read(self, seconds):
        if not select.select([self.out], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self.out, 65536)
        except OSError:
            data = b""
        self.text += data.decode(errors="replace")
        return bool(data)

    def expect(self, pattern, seconds=SECONDS):
        """Read until the pattern shows in what was not matched yet; return the match."""
        deadline = time.monotonic() + seconds
        at = getattr(self, "seen", 0)
        while True:
            found = re.compile(pattern, re.MULTILINE).search(self.text, at)
            if found:
                self.seen = found.end()
                return found
            left = deadline - time.monotonic()
            gone = self.process.poll() is not None
            if left <= 0 or (not self.read(min(left, 0.2)) and gone):
                raise AssertionError(f"no {pattern!r} in {self.text[at:][-2000:]!r}")

    def send(self, text):
        data = text.encode() if isinstance(text, str) else text
        if self.tty:
            os.write(self.master, data)
        else:
            self.process.stdin.write(data)
            self.process.stdin.flush()

    def signal(self, number):
        os.kill(self.process.pid, number)

    def end(self, seconds=SECONDS):
        """Exit status, when the program has ended; negative for a signal."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            check(time.monotonic() < deadline, f"still running: {self.text[-500:]!r}")
            self.read(0.1)
        while self.read(0):
            pass
        return self.process.returncode

    def is_raw(self):
        return not termios.tcgetattr(self.slave)[3] & (termios.ICANON | termios.ECHO)

    def check_restored(self):
        check(termios.tcgetattr(self.slave) == self.settings, "the terminal is not as it was")


def peak_kib(lab, words):
    """Run to the end; return (exit status, output, peak of the resident set)."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.dup2(write, 1)
        os.dup2(write, 2)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.execve(lab.zpv, [lab.zpv, *map(str, words)], lab.env())
    os.close(write)
    signal.alarm(SECONDS)
    with os.fdopen(read, "rb") as f:
        text = f.read().decode(errors="replace")
    _, status, usage = os.wait4(pid, 0)
    signal.alarm(0)
    return os.waitstatus_to_exitcode(status), text, usage.ru_maxrss
