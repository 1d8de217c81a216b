#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Dumps of Debian's kernels under `zpv run`, opened: the messages are those that the guest itself
printed at that moment, zgetdump opens the same bytes as we do, gdb and drgn read them.

Usage: guest_test.py ZPV BUILD --full
"""
import base64
import binascii
import json
import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "guestrun"))

from dumplab import DumpLab, MIB  # noqa: E402
from dump_test import prepare  # noqa: E402
from linux_test import args as linux_args  # noqa: E402
from pv_test import PROTECTED, seal_linux  # noqa: E402
from runlab import CRASH, SHELL, Guest  # noqa: E402
from tools_test import Zgetdump, check_same, gdb, gdb_registers  # noqa: E402
from common import (TIMEOUT, Skip, bind, check, check_equal, check_in, check_run,  # noqa: E402
                    main)

# Debian's suite: kernel
KERNELS = {"trixie": "6.12", "bookworm": "6.1"}
# Records with lines, an empty line, no text, bytes that are no text.
RECORDS = r"""printf 'first\nsecond\n\nlast\n' >/dev/kmsg
printf '\n' >/dev/kmsg
printf '<3>level three\n' >/dev/kmsg
printf 'caf\303\251 \033[1m tab\there\n' >/dev/kmsg
"""
# More than the ring holds: what is oldest is gone.
FILL = r"""z=zzzzzzzzzzzzzzzzzzzz; z=$z$z$z$z$z; z=$z$z$z; i=0
while [ $i -lt 500 ]; do echo "$i $z" >/dev/kmsg; echo "short $i" >/dev/kmsg; i=$((i + 1)); done
"""


class Linux(Guest):
    """A guest with a shell on its console, and a place for its dump."""

    def __init__(self, lab, suite, protected, *words):
        self.lab, self.protected = lab, protected
        if protected:
            image = seal_linux(lab, suite, "zpv.run=shell", "--enable-dump", "--cck", lab.cck)
            argv = ["run", "-m", 256, "--host", lab.identity(), *words, image]
        else:
            argv = [*linux_args(lab, suite, "zpv.run=shell", memory=256), *words]
        super().__init__(lab, argv)
        self.expect(SHELL)
        self.expect("# ")
        # Nothing but what is asked for comes to the console from here on.
        self.shell("dmesg -n 1; echo on >/proc/sys/kernel/printk_devkmsg")

    def shell(self, command):
        """Run it; return what it prints."""
        self.send(f"{command}\necho zpv'-'done\n")
        start = self.seen
        end = self.expect(r"^zpv-done\r?$").start()
        return self.text[start:end]

    def dmesg(self):
        text = self.shell("dmesg | base64 -w 0; echo; echo zpv'-'end")
        coded = re.search(r"^([A-Za-z0-9+/]+=*)\r?\n+zpv-end", text, re.MULTILINE)
        check(coded, f"no messages in {text[-500:]!r}")
        try:
            return base64.b64decode(coded[1], validate=True)
        except binascii.Error as error:
            raise AssertionError(f"the console's text is damaged: {error}") from error


def place(lab):
    dump = DumpLab(lab)
    dump.dump.unlink(missing_ok=True)
    dump.key.write_bytes(lab.cck.read_bytes())
    return dump


def our_dmesg(dump):
    run = dump.lab.run("dump", "dmesg", "-k", dump.key, dump.dump)
    check_run(run, 0)
    return run.raw


def take(lab, dump):
    dump.dump.unlink(missing_ok=True)
    check_run(lab.run("vm", "dump", "dumped", "-o", dump.dump), 0)


def test_live(lab, suite, protected):
    """Twice in one guest, in the second with a ring that has turned."""
    dump = place(lab)
    with Linux(lab, suite, protected, "--name", "dumped") as guest:
        check(not protected or suite != "trixie" or PROTECTED in guest.text, "not protected")
        guest.shell(RECORDS.replace("\n", ";"))
        own = guest.dmesg()
        take(lab, dump)
        check_in(b"] first\n[", own, "the guest's messages")
        check_equal(our_dmesg(dump).decode("latin-1").splitlines(),
                    own.decode("latin-1").splitlines(), "messages")
        check_equal(our_dmesg(dump), own, "messages")
        guest.shell(FILL)
        own = guest.dmesg()
        take(lab, dump)
        ours = our_dmesg(dump)
        # syslog(2) gives the guest no more than a buffer of the ring's size, times included.
        check(ours.endswith(own), "the last messages are others")
        check(len(own) > 120000, f"the ring did not turn: {len(own)} bytes")
        check(len(ours) < 1.25 * len(own), f"{len(ours)} bytes of messages, not {len(own)}")
        check(ours.startswith(b"["), "the first message is cut")
    told = json.loads(lab.run("dump", "info", "--json", "-k", dump.key, dump.dump).out)
    check_equal(told["protected"], protected, "protected")
    check_in(KERNELS[suite], told["kernel"]["release"], "release")


def test_crash(lab, suite, protected):
    dump = place(lab)
    with Linux(lab, suite, protected, "--dump-on-crash", dump.dump) as guest:
        own = guest.dmesg()
        guest.send("echo c >/proc/sysrq-trigger\n")
        check_equal(guest.end(), CRASH, "exit status")
    ours = our_dmesg(dump)
    check(ours.startswith(own), "what came before the crash is other")
    after = ours[len(own):]
    for part in (b"sysrq: Trigger a crash\n",
                 b"Kernel panic - not syncing: sysrq triggered crash\n"):
        check_in(part, after, "the last messages")
    if protected:
        check(b"sysrq triggered crash" not in dump.dump.read_bytes(), "plaintext in the dump")


def crashed(lab, suite="bookworm"):
    """A dump of a protected guest that crashed; made once."""
    dump = place(lab)
    kept = lab.path(f"{suite}.crashed")
    if not kept.exists():
        with Linux(lab, suite, True, "--dump-on-crash", dump.dump) as guest:
            guest.send("echo c >/proc/sysrq-trigger\n")
            check_equal(guest.end(), CRASH, "exit status")
        dump.dump.rename(kept)
    dump.dump.unlink(missing_ok=True)
    dump.dump.hardlink_to(kept)
    return dump


def test_zgetdump(lab, suite, fmt):
    dump = crashed(lab)
    check_same(dump, Zgetdump(dump, suite), fmt)


def test_zgetdump_information(lab):
    dump = crashed(lab)
    theirs = Zgetdump(dump, "sid").run("-i", "-k", dump.key, dump.dump)
    check_run(theirs, 0)
    check_in("UTS kernel release.: 6.1", theirs.err, "information")
    ours = lab.run("-i", "-k", dump.key, dump.dump, name="zgetdump")
    check_equal(ours.err.splitlines(), theirs.err.splitlines(), "information")


def test_gdb(lab):
    dump = crashed(lab)
    check_run(dump.open(), 0)
    told = json.loads(lab.run("dump", "info", "--json", "-k", dump.key, dump.dump).out)
    text = gdb(dump.out, "info registers", "x/s 0x10008", "x/2xg 0")
    regs = gdb_registers(text)
    check_equal([regs[f"r{i}"] for i in range(16)], [int(gr, 16) for gr in told["cpus"][0]["gr"]],
                "general registers")
    check_equal(regs["pswa"], int(told["cpus"][0]["psw_addr"], 16), "PSW address")


DRGN = r"""
import sys
import drgn
prog = drgn.Program()
prog.set_core_dump(sys.argv[1])
assert prog.flags & drgn.ProgramFlags.IS_LINUX_KERNEL, prog.flags
assert not prog.platform.flags & drgn.PlatformFlags.IS_LITTLE_ENDIAN, prog.platform
print(prog["UTS_RELEASE"].string_().decode())
print(prog.read(0x1000, 64, True).hex())
"""


def test_drgn(lab):
    """Without the kernel's debug information: it takes core, VMCOREINFO and storage."""
    python = "/usr/bin/python3"
    found = subprocess.run([python, "-c", "import drgn"], stderr=subprocess.DEVNULL, check=False)
    if found.returncode:
        raise Skip("python3-drgn is not installed")
    dump = crashed(lab)
    check_run(dump.open(), 0)
    done = subprocess.run([python, "-c", DRGN, dump.out], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=TIMEOUT, check=False)
    check_equal(done.returncode, 0, f"drgn's exit status ({done.stdout})")
    release, storage = done.stdout.split()
    check(release.startswith("6.1."), f"release {release}")
    core = dump.out.read_bytes()
    check_equal(storage, core[-256 * MIB:][0x1000:0x1040].hex(), "storage")


def tests(_lab, _):
    return []


def full(lab, _):
    prepare(lab)
    for suite, version in KERNELS.items():
        for protected in (True, False):
            kind = "protected" if protected else "not protected"
            yield (f"dmesg of a live guest, {version}, {kind}",
                   bind(test_live, lab, suite, protected))
            yield f"dmesg of a crash, {version}, {kind}", bind(test_crash, lab, suite, protected)
    for suite in ("sid", "trixie"):
        yield f"the same as zgetdump of {suite}", bind(test_zgetdump, lab, suite, "elf")
    yield "the same as zgetdump, s390", bind(test_zgetdump, lab, "sid", "s390")
    yield "the same information as zgetdump", bind(test_zgetdump_information, lab)
    yield "gdb shows the registers", bind(test_gdb, lab)
    yield "drgn reads it", bind(test_drgn, lab)


if __name__ == "__main__":
    sys.exit(main(__doc__, tests, full))
