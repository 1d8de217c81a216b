#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Debian's kernels under `zpv run`: from boot to power-off, the shell, crashes, signals, memory.

Usage: linux_test.py ZPV BUILD [--full]
"""
import os
import signal
import subprocess
import sys

from runlab import CRASH, INIT, OFF, REBOOT, SHELL, Guest, boot_args, peak_kib
from common import bind, check, check_equal, check_in, check_run, main, s390x_file, sanitized

MIB = 1024
CACHE_MIB = 192     # bound of the decode cache
SELF_MIB = 24       # the program itself, its libraries, tables


def initrd(lab, suite):
    """The initramfs as this tree makes it."""
    busybox = s390x_file(suite, "bin", "busybox", need=suite)
    out = lab.path(f"{suite}.initrd")
    if not out.exists():
        script = os.path.join(os.path.dirname(__file__), "..", "..", "scripts", "mkinitramfs")
        subprocess.run([sys.executable, "-B", script, busybox, out], check=True)
    return out


def args(lab, suite, cmdline, **options):
    return boot_args(suite, cmdline, initrd=initrd(lab, suite), **options)


def test_power_off(lab, suite, version):
    code, text, peak = peak_kib(lab, args(lab, suite, "zpv.run=poweroff zpv.marker=1", memory=256))
    check_equal(code, OFF, f"exit status, after {text[-1000:]!r}")
    for part in (INIT, f"Linux (none) {version}", "zpv.marker=1", "the guest powered off"):
        check_in(part, text, "console")
    if sanitized() == "none":
        most = (256 + CACHE_MIB + SELF_MIB) * MIB
        check(peak <= most, f"{peak} KiB resident, not {most}")


def test_shell(lab, tty):
    """Commands through a pipe or a terminal; then the guest powers off."""
    with Guest(lab, args(lab, "trixie", "zpv.run=shell"), tty=tty) as guest:
        guest.expect(SHELL)
        guest.expect("# ")
        if tty:
            check(guest.is_raw(), "the terminal is not raw")
        guest.send("uname -a\n")
        guest.expect(r"^Linux \(none\) 6\.12\S* .*s390x GNU/Linux")
        guest.send("cat /proc/cpuinfo\n")
        guest.expect(r"^processor 0: .*machine = 2817")
        guest.send("echo $((6 * 7))-answer\n")
        guest.expect("^42-answer")
        if tty:
            guest.send("\x01h")
            guest.expect("Ctrl-A x quit")
            guest.send("\x01?")
            guest.expect("Ctrl-A x quit")
        guest.send("exit\n")
        check_equal(guest.end(), OFF, "exit status")
        check_in("the guest powered off", guest.text, "output")
        if tty:
            guest.check_restored()


def test_crash(lab):
    """A panic is told with the kernel's own words, and the terminal is as before."""
    with Guest(lab, args(lab, "trixie", "zpv.run=shell"), tty=True) as guest:
        guest.expect(SHELL)
        guest.expect("# ")
        guest.send("echo c >/proc/sysrq-trigger\n")
        check_equal(guest.end(), CRASH, "exit status")
        check_in("kernel panic: sysrq triggered crash", guest.text, "explanation")
        check_in("disabled wait, PSW 0002000180000000", guest.text, "explanation")
        guest.check_restored()


def test_stop(lab, number):
    with Guest(lab, args(lab, "trixie", "zpv.run=shell"), tty=True) as guest:
        guest.expect("Linux version")
        check(guest.is_raw(), "the terminal is not raw")
        guest.signal(number)
        check_equal(guest.end(20), -number, "exit status")
        guest.check_restored()


def test_quit(lab):
    with Guest(lab, args(lab, "trixie", "zpv.run=shell"), tty=True) as guest:
        guest.expect("Linux version")
        guest.send("\x01x")
        check_equal(guest.end(20), 1, "exit status")
        check_in("zpv: quit", guest.text, "output")
        guest.check_restored()


def test_stuck_output(lab):
    """Nobody reads the console: a signal ends the program all the same."""
    with Guest(lab, args(lab, "trixie", "ignore_loglevel zpv.run=shell"), tty=True) as guest:
        guest.expect("Linux version")
        try:
            guest.process.wait(timeout=3)
        except subprocess.TimeoutExpired:
            pass
        guest.signal(signal.SIGTERM)
        check_equal(guest.process.wait(timeout=20), -signal.SIGTERM, "exit status")
        guest.check_restored()


def test_no_reboot(lab):
    with Guest(lab, args(lab, "trixie", "zpv.run=shell", no_reboot=True)) as guest:
        guest.expect("# ")
        guest.send("reboot -f\n")
        check_equal(guest.end(), REBOOT, "exit status")


def test_reboot(lab):
    """Twice to the shell: files and command line are loaded again, memory is cleared."""
    with Guest(lab, args(lab, "trixie", "zpv.run=shell")) as guest:
        guest.expect(SHELL)
        guest.expect("# ")
        guest.send("reboot -f\n")
        guest.expect(SHELL)
        guest.expect("# ")
        # Else it stops, also with panic=-1; QEMU's guests do the same.
        guest.send("echo reipl >/sys/firmware/shutdown_actions/on_panic\n")
        guest.expect("# ")
        guest.send("echo c >/proc/sysrq-trigger\n")
        guest.expect("Kernel panic")
        guest.expect(SHELL)
        guest.expect("# ")
        guest.send("exit\n")
        check_equal(guest.end(), OFF, "exit status")


def test_quiesce(lab):
    """Ctrl-A q asks the guest to shut down: its init gets SIGINT's likes, Linux reboots or stops."""
    with Guest(lab, args(lab, "trixie", "zpv.run=shell", no_reboot=True), tty=True) as guest:
        guest.expect(SHELL)
        guest.expect("# ")
        guest.send("\x01q")
        check_in(guest.end(60), (OFF, REBOOT), "exit status")
        guest.check_restored()


def test_input(lab):
    """What is piped in is kept until the guest reads it, also more than a few KiB."""
    with Guest(lab, args(lab, "trixie", "zpv.run=shell")) as guest:
        guest.expect(SHELL)
        guest.expect("# ")
        guest.send("stty -echo\n")
        guest.expect("# ")
        for i in range(60):
            guest.send(f"n=$((n + {i})) # {'x' * 60}\n")
            guest.expect("# ")
        guest.send("echo sum=$n\nexit\n")
        guest.expect("sum=1770")
        check_equal(guest.end(), OFF, "exit status")


def test_stress(lab, suite):
    run = lab.run(*args(lab, suite, "zpv.run=/stress"))
    check_run(run, OFF)
    check_in("zpv: stress ok", run.out, "console")


def test_big_initrd(lab):
    path = lab.path("big")
    with open(path, "wb") as f:
        f.truncate(300 << 20)
    check_run(lab.run(*boot_args("trixie", "", initrd=path, memory=256)), 1,
              "does not fit the guest's 256 MiB")
    check_run(lab.run(*boot_args("trixie", "x" * 4096, initrd=initrd(lab, "trixie"))), 1,
              "has 4096 bytes; this kernel takes 4095")


def tests(lab, _args):
    yield "Debian 13 boots and powers off", bind(test_power_off, lab, "trixie", "6.12")
    yield "a shell on a terminal", bind(test_shell, lab, True)
    yield "SIGTERM", bind(test_stop, lab, signal.SIGTERM)
    yield "Ctrl-A x", bind(test_quit, lab)
    yield "RAM disk and command line too large", bind(test_big_initrd, lab)


def full(lab, _args):
    yield "Debian 12 boots and powers off", bind(test_power_off, lab, "bookworm", "6.1.")
    yield "a shell on pipes", bind(test_shell, lab, False)
    yield "panic", bind(test_crash, lab)
    yield "SIGINT", bind(test_stop, lab, signal.SIGINT)
    yield "SIGHUP", bind(test_stop, lab, signal.SIGHUP)
    yield "output that nobody reads", bind(test_stuck_output, lab)
    yield "reboot that is not wanted", bind(test_no_reboot, lab)
    yield "reboots", bind(test_reboot, lab)
    yield "shutdown request", bind(test_quiesce, lab)
    yield "much input", bind(test_input, lab)
    for suite in ("trixie", "bookworm"):
        yield f"stress, {suite}", bind(test_stress, lab, suite)


if __name__ == "__main__":
    sys.exit(main(__doc__, tests, full))
