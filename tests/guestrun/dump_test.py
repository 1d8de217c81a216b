#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Dumps that the hypervisor takes, and the control socket: `zpv vm`, `zpv run --dump-on-crash`.

The reader below was written from the public description of the files and shares nothing with src/;
it opens what it looks at with the customer communication key and tests/reader's own cipher code.

Usage: dump_test.py ZPV BUILD [--full]
"""
import hashlib
import hmac
import json
import os
import random
import resource
import signal
import socket
import stat
import struct
import subprocess
import sys
import time

from runlab import CRASH, OFF, SHELL, Guest, assemble, boot_args
from linux_test import initrd
from pv_test import seal, seal_linux
from common import Skip, bind, check, check_equal, check_in, check_run, main, secrypt

PAGE, MIB = 4096, 1 << 20
ZEROS = bytes(PAGE)
SHARED_AT, FILLED_AT, READY, COUNTER = 16 * MIB, 32 * MIB, 4, 16
NO_VM = 3                   # exit status: there is no such VM
CPU_BYTES, COMPLETE_BYTES = 1568, 288
PSW_64, PSW_CC = 0x0000000180000000, 3 << 44

# Type, name and size of a CPU's notes, in their order.
NOTES = [(1, b"CORE", 336), (2, b"CORE", 136), (0x305, b"LINUX", 4), (0x304, b"LINUX", 128),
         (0x301, b"LINUX", 8), (0x302, b"LINUX", 8), (0x303, b"LINUX", 4),
         (0x309, b"LINUX", 128), (0x30a, b"LINUX", 256), (0x30b, b"LINUX", 32)]
PV_NOTE = (0x30e, b"LINUX", 4096)

# Fills memory, then says so and counts, or crashes.
PROGRAM = """
	llilf	%r5, 0x5eed5eed
	iihf	%r5, 0x01234567
	SHARE
	llilf	%r9, 0x1000000
	llilf	%r8, 0x2000000
	llilf	%r7, PAGES
1:	stg	%r8, 8(%r8)
	aghi	%r8, 4096
	brctg	%r7, 1b
	mvi	4(%r9), 1
2:	lg	%r1, 16(%r9)
	aghi	%r1, 1
	stg	%r1, 16(%r9)
	END
	.balign	8
uvcb:	.short	0x30, 0x1000, 0, 0
	.quad	0, 0, 0, 0x1000000, 0
"""
SHARE = """larl	%r4, uvcb
	.insn	rrf, 0xb9a40000, %r0, %r4, 0, 0
	jnz	."""


# --- Reading a dump --------------------------------------------------------------------------------

class Dump:
    """A file that is exactly as it has to be, or an exception."""

    def __init__(self, path, memory, protected):
        self.file, self.memory, self.protected = open(path, "rb"), memory, protected
        self.size = os.fstat(self.file.fileno()).st_size
        check_equal(stat.S_IMODE(os.fstat(self.file.fileno()).st_mode), 0o600, "mode of the file")
        self.sections = 4 if protected else 2
        self.notes_at = 64 + 64 * self.sections + 2 * 56
        self._headers()
        self._notes()
        if protected:
            self._metadata()

    def read(self, at, size):
        data = os.pread(self.file.fileno(), size, at)
        check_equal(len(data), size, f"bytes at {at:#x}")
        return data

    def _headers(self):
        sections = self.sections
        check_equal(self.read(0, 64), struct.pack(
            ">16sHHIQQQIHHHHHH", b"\x7fELF\x02\x02\x01", 4, 22, 1, 0, 64 + 64 * sections, 64, 0, 64,
            56, 2, 64, sections, sections - 1), "ELF header")
        notes = 5356 if self.protected else 1240
        self.memory_at = self.notes_at + notes
        at = self.memory_at + self.memory
        names = b"\0.shstrtab\0"
        want = [bytes(64)]
        if self.protected:
            self.meta_at, at = at, at + self.memory // PAGE * 16
            self.complete_at, at = at, at + 4096
            names = b"\0pv_mem_meta\0pv_compl\0\0\0\0.shstrtab\0"
            want += [self._section(1, 1, self.meta_at, self.memory // PAGE * 16),
                     self._section(13, 1, self.complete_at, 4096)]
        want.append(self._section(names.index(b".sh"), 3, at, len(names)))
        check_equal(self.read(64, 64 * sections), b"".join(want), "section headers")
        check_equal(self.read(64 + 64 * sections, 112), struct.pack(
            ">IIQQQQQQ", 4, 0, self.notes_at, 0, 0, notes, notes, 0) + struct.pack(
                ">IIQQQQQQ", 1, 0, self.memory_at, 0, 0, self.memory, self.memory, 0),
                    "program headers")
        check_equal(self.read(at, len(names)), names, "names of sections")
        check_equal(self.size, at + len(names), "size of the file")

    @staticmethod
    def _section(name, kind, at, size):
        return struct.pack(">IIQQQQIIQQ", name, kind, 0, 0, at, size, 0, 0, 0, 0)

    def _notes(self):
        at, self.note = self.notes_at, {}
        for kind, name, size in NOTES + ([PV_NOTE] if self.protected else []):
            head = self.read(at, 20)
            check_equal(head, struct.pack(">III8s", len(name) + 1, size, kind, name), "note")
            self.note[kind] = self.read(at + 20, size)
            at += 20 + (size + 3) // 4 * 4
        check_equal(at, self.memory_at, "end of the notes")

    def _metadata(self):
        self.meta = self.read(self.meta_at, self.memory // PAGE * 16)
        for i in range(self.memory // PAGE):
            entry = self.entry(i)
            if entry[:4] != b"\xff" * 4:
                continue
            check(entry[14] == 0 and entry[15] in (1, 2, 5, 6), f"entry {i}: {entry.hex()}")
            if entry[15] & 1:
                check(self.stored(i * PAGE) == ZEROS, f"zero page {i} is not left out")
        complete = self.read(self.complete_at, 4096)
        check_equal(complete[:8], struct.pack(">II", 1, COMPLETE_BYTES), "completion data")
        check(not any(complete[COMPLETE_BYTES:]), "more completion data")
        self.complete = complete[:COMPLETE_BYTES]
        self.seed, self.iv = complete[16:80], complete[80:92]
        self.block = self.note[0x30e][:CPU_BYTES]
        check_equal(self.block[:8], struct.pack(">II", 1, CPU_BYTES), "CPU block")

    def entry(self, page):
        return self.meta[16 * page:16 * page + 16]

    def kinds(self):
        """Pages that are encrypted, shared, zero."""
        flags = [e[15] if e[:4] == b"\xff" * 4 else 0
                 for e in (self.entry(i) for i in range(self.memory // PAGE))]
        return (flags.count(0), flags.count(2) + flags.count(6), flags.count(1) + flags.count(5))

    def stored(self, addr, size=PAGE):
        return self.read(self.memory_at + addr, size)

    def counter(self):
        return struct.unpack(">Q", self.stored(SHARED_AT + COUNTER, 8))[0]

    def ready(self):
        return self.stored(SHARED_AT + READY, 1) == b"\1"

    # With the key.

    def open(self, cck):
        prk = hmac.new(self.seed, cck, hashlib.sha512).digest()
        self.key = hmac.new(prk, b"IBM Z Ultravisor Dump\1", hashlib.sha512).digest()[:32]
        plain = secrypt.gcm_decrypt(self.key, self.iv, self.complete[:96], self.complete[96:272],
                                    self.complete[272:])
        self.nonce, self.xts_key = plain[:16], plain[16:80]
        block = self.block
        self.cpu = secrypt.gcm_decrypt(self.key, block[8:20], block[:32], block[32:1552],
                                       block[1552:])
        return self

    def gr(self, n):
        return struct.unpack_from(">Q", self.cpu, 8 * n)[0]

    def page(self, addr):
        entry = self.entry(addr // PAGE)
        if entry[:4] == b"\xff" * 4:
            return self.stored(addr) if entry[15] & 2 else bytes(PAGE)
        tweak = bytes(a | b for a, b in zip(entry, self.nonce))
        return secrypt.aes256_xts(self.xts_key, tweak, self.stored(addr), PAGE, True)


# --- VMs -------------------------------------------------------------------------------------------

def program(lab, name, pages=256, end="j 2b", protected=True, words=()):
    text = (PROGRAM.replace("SHARE", SHARE if protected else "nopr").replace("PAGES", str(pages))
            .replace("END", end))
    if not protected:
        return assemble(lab, name, text)
    flat = assemble(lab, f"{name}.flat", text, frame="protected.inc")
    return seal(lab, name, "-i", flat, "--no-component-check", *words)


def dumpable(lab, name="dumpable", **options):
    return program(lab, name, words=["--enable-dump", "--cck", lab.cck], **options)


class Vm(Guest):
    """A VM with a name; its control socket answers."""

    def __init__(self, lab, image, memory=256, name="vm", host=None):
        super().__init__(lab, ["run", "-m", memory, "--host", host or lab.identity(),
                               "--name", name, image])
        self.lab, self.name, self.memory = lab, name, memory * MIB
        self.socket = runtime(lab) / "zpv" / f"{name}.sock"
        deadline = time.monotonic() + 60
        while self.vm("status").code != 0:
            self.read(0.02)
            check(self.process.poll() is None and time.monotonic() < deadline,
                  f"no VM: {self.text!r}")

    def vm(self, command, *words, **options):
        return self.lab.run("vm", command, self.name, *words, **options)

    def status(self):
        run = self.vm("status", "--json")
        check_run(run, 0)
        return json.loads(run.out)

    def dump(self, path, protected=True, *words):
        check_run(self.vm("dump", "-o", path, "--overwrite", *words), 0)
        return Dump(path, self.memory, protected)

    def when_ready(self, path, protected=True):
        """The first dump in which the program counts."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.status()["protected"] == protected:
                dump = self.dump(path, protected)
                if dump.ready():
                    return dump
        raise AssertionError("the guest does not get ready")

    def check_counts(self, path, protected=True):
        first = self.dump(path, protected).counter()
        check(self.dump(path, protected).counter() > first, "the guest stands still")

    def command(self, data):
        """Raw bytes to the socket; the lines that come back before it is closed."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
            s.settimeout(30)
            s.connect(str(self.socket))
            try:
                s.sendall(data)
                s.shutdown(socket.SHUT_WR)
            except BrokenPipeError:
                pass
            answer = b""
            try:
                while more := s.recv(65536):
                    answer += more
            except ConnectionResetError:
                pass
        return [json.loads(line) for line in answer.splitlines()]


def runtime(lab):
    return lab.dir / "run"


def nothing_left(path, seconds=20):
    """Neither the file nor its part; who removes it may need a moment."""
    part = path.with_name(path.name + ".part")
    deadline = time.monotonic() + seconds
    while part.exists():
        check(time.monotonic() < deadline, f"{part} is left")
        time.sleep(0.02)
    check(not path.exists(), f"{path} is there")


def clean(path):
    path.unlink(missing_ok=True)
    path.with_name(path.name + ".part").unlink(missing_ok=True)
    return path


# --- Dumps -----------------------------------------------------------------------------------------

def test_live(lab):
    """Twice: the guest counts on, keys are new, what does not change is the same."""
    cck, path = lab.cck.read_bytes(), clean(lab.path("live.dump"))
    with Vm(lab, dumpable(lab)) as vm:
        first = vm.when_ready(path).open(cck)
        check_equal(first.gr(5), 0x012345675eed5eed, "GR 5")
        check_equal(struct.unpack_from(">Q", first.cpu, 128)[0] & ~PSW_CC, PSW_64, "PSW mask")
        for i in (0, 1, 255):
            want = bytes(8) + struct.pack(">Q", FILLED_AT + i * PAGE)
            check_equal(first.page(FILLED_AT + i * PAGE)[:16], want, f"page {i}")
            check(want not in first.stored(FILLED_AT + i * PAGE), f"page {i} in the clear")
        encrypted, shared, zero = first.kinds()
        check(encrypted >= 256 and shared == 1 and zero > 60000, f"pages: {first.kinds()}")
        check_equal(struct.unpack_from(">Q", first.note[1], 128 + 40)[0], 0, "GR 5 by the hypervisor")
        second = vm.dump(lab.path("second.dump")).open(cck)
        check(second.counter() > first.counter(), "the guest stood still")
        check(second.seed != first.seed and second.key != first.key, "the same keys")
        check(second.block[8:20] != first.block[8:20], "the same IV")
        check_equal((second.nonce, second.xts_key), (first.nonce, first.xts_key), "page keys")
        check_equal(second.entry(FILLED_AT // PAGE), first.entry(FILLED_AT // PAGE),
                    "entry of a page that was not touched")
    used = os.stat(path).st_blocks * 512
    check(used < 16 * MIB, f"the file takes {used} bytes")


def test_paused(lab):
    path = clean(lab.path("paused.dump"))
    with Vm(lab, dumpable(lab)) as vm:
        vm.when_ready(path)
        check_run(vm.vm("pause"), 0)
        check_equal(vm.status()["status"], "paused", "status")
        first = vm.dump(path).open(lab.cck.read_bytes())
        second = vm.dump(path).open(lab.cck.read_bytes())
        check_equal(second.cpu[:144], first.cpu[:144], "registers")
        check_equal(second.counter(), first.counter(), "the counter")
        check_run(vm.vm("pause"), 0)
        check_run(vm.vm("resume"), 0)
        check_equal(vm.status()["status"], "running", "status")
        vm.check_counts(path)
        check_run(vm.vm("resume"), 0)


def test_plain(lab):
    """An ordinary vmcore, with true registers."""
    path = clean(lab.path("plain.dump"))
    with Vm(lab, program(lab, "plain", protected=False), memory=64) as vm:
        dump = vm.when_ready(path, False)
        grs = struct.unpack_from(">16Q", dump.note[1], 128)
        check_equal((grs[5], grs[9]), (0x012345675eed5eed, SHARED_AT), "GR 5 and 9")
        check(abs(grs[1] - dump.counter()) <= 1, f"GR 1 {grs[1]}, counter {dump.counter()}")
        check_equal(struct.unpack_from(">I", dump.note[1], 32)[0], 1, "number of the CPU")
        check_equal(struct.unpack_from(">Q", dump.note[0x304])[0], 0xe0, "CR 0")
        check_equal(dump.stored(FILLED_AT + 7 * PAGE, 16),
                    bytes(8) + struct.pack(">Q", FILLED_AT + 7 * PAGE), "a page")
        check(dump.stored(48 * MIB) == ZEROS, "a page that was never touched")
        vm.check_counts(path, False)


def test_overwrite(lab):
    path = clean(lab.path("there.dump"))
    path.write_bytes(b"something")
    with Vm(lab, program(lab, "plain", protected=False), memory=64) as vm:
        check_run(vm.vm("dump", "-o", path), 1, "exists already")
        check_equal(path.read_bytes(), b"something", "the file")
        check_run(vm.vm("dump", "-o", path, "--overwrite"), 0)
        check_run(vm.vm("dump", "-o", lab.dir / "no" / "such"), 1, "cannot create")
        run = vm.vm("dump", "-o", "relative.dump", cwd=lab.dir)
        check_run(run, 0)
        check_in(f"'{lab.dir}/relative.dump'", run.out, "output")
        check_in("The guest stood still for ", run.out, "output")
        check(lab.path("relative.dump").exists(), "not in the client's folder")


def test_crash(lab, protected):
    path = clean(lab.path("crash.dump"))
    image = (dumpable(lab, "crash", end="FAIL") if protected else
             program(lab, "crash", end="STOP 0xbad", protected=False))
    words = ["run", "-m", 256, "--host", lab.identity(), "--dump-on-crash", path]
    run = lab.run(*words, image)
    check_run(run, CRASH, "the guest crashed")
    check_in(f"dumped the guest to '{path}'", run.out, "output")
    dump = Dump(path, 256 * MIB, protected)
    gr5 = (dump.open(lab.cck.read_bytes()).gr(5) if protected else
           struct.unpack_from(">16Q", dump.note[1], 128)[5])
    check_equal(gr5, 0x012345675eed5eed, "GR 5")
    check(dump.ready(), "not all of memory")
    psw = dump.cpu[128:144] if protected else dump.note[1][112:128]
    check_equal(struct.unpack(">QQ", psw), (0x0002000180000000, 0xbad), "PSW")
    check_run(lab.run(*words, image), 2, "exists already")
    check_run(lab.run(*words[:-1], lab.dir / "no" / "such", image), CRASH, "no dump of the guest")


def test_refused(lab):
    """The owner did not allow dumps."""
    path = clean(lab.path("refused.dump"))
    image = program(lab, "closed")
    with Vm(lab, image) as vm:
        while not vm.status()["protected"]:
            time.sleep(0.02)
        for _ in range(2):
            check_run(vm.vm("dump", "-o", path), 1, "without --enable-dump")
            nothing_left(path)
        check_equal(vm.status()["status"], "running", "status")
    crash = program(lab, "closed-crash", end="FAIL")
    run = lab.run("run", "-m", 256, "--host", lab.identity(), "--dump-on-crash", path, crash)
    check_run(run, CRASH, "without --enable-dump")
    nothing_left(path)


def test_z15(lab):
    path, host = clean(lab.path("z15.dump")), lab.path("z15")
    if not host.exists():
        check_run(lab.run("host", "create", "--profile", "z15", host), 0)
    flat = assemble(lab, "z15.flat", PROGRAM.replace("SHARE", SHARE).replace("PAGES", "1")
                    .replace("END", "j 2b"), frame="protected.inc")
    image = lab.path("z15.img")
    check_run(lab.run("image", "create", "--overwrite", "--no-verify", "--no-component-check",
                      "-k", next(host.glob("HKD-*.crt")), "-i", flat, "-o", image), 0)
    with Vm(lab, image, host=host) as vm:
        while not vm.status()["protected"]:
            time.sleep(0.02)
        check_run(vm.vm("dump", "-o", path), 1, "takes no dumps")
        nothing_left(path)


# --- Failures --------------------------------------------------------------------------------------

FILL = 160 * MIB // PAGE    # so that a dump takes its time


def test_limit(lab):
    """A limit that is known, and one that comes while the file is written."""
    path = clean(lab.path("limit.dump"))
    with Vm(lab, dumpable(lab, "large", pages=FILL)) as vm:
        vm.when_ready(path)
        clean(path)
        pid, most = vm.process.pid, resource.RLIM_INFINITY
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (200 * MIB, most))
        check_run(vm.vm("dump", "-o", path), 1, "files are limited to")
        nothing_left(path)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, most))
        part = path.with_name(path.name + ".part")
        client = start_client(lab, vm, path)
        while client.poll() is None and not (part.exists() and part.stat().st_size > 40 * MIB):
            pass
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (MIB, most))
        text = client.communicate(timeout=60)[1]
        check_equal(client.returncode, 1, f"exit status, {text!r}")
        check_in("File too large", text, "the reason")
        nothing_left(path)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, most))
        vm.check_counts(path)


def test_disk_full(lab):
    """A file system that is too small: known before the guest is asked for anything."""
    folder = lab.path("small")
    folder.mkdir(exist_ok=True)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "none", folder],
                          stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise Skip(f"a file system cannot be mounted: {done.stderr.strip()}")
    try:
        path = folder / "full.dump"
        with Vm(lab, dumpable(lab, "large", pages=FILL)) as vm:
            vm.when_ready(lab.path("large.dump"))
            check_run(vm.vm("dump", "-o", path), 1, "MiB left")
            nothing_left(path)
            vm.check_counts(lab.path("large.dump"))
    finally:
        subprocess.run(["umount", "-l", folder], check=False)


def start_client(lab, vm, path):
    return subprocess.Popen([lab.zpv, "vm", "dump", vm.name, "-o", path], env=lab.env(),
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def whole_or_nothing(vm, path):
    """After a client that was killed; the VM may hear of it a moment later."""
    part, quiet = path.with_name(path.name + ".part"), 0
    deadline = time.monotonic() + 20
    while quiet < 15:
        check(time.monotonic() < deadline, f"{part} is left")
        time.sleep(0.02)
        quiet = 0 if part.exists() else quiet + 1
    if path.exists():
        Dump(path, vm.memory, True)
        clean(path)


def test_client_killed(lab, times):
    path, rng = clean(lab.path("killed.dump")), random.Random(5)
    with Vm(lab, dumpable(lab, "large", pages=FILL)) as vm:
        vm.when_ready(path)
        start = time.monotonic()
        check_equal(start_client(lab, vm, clean(path)).wait(60), 0, "exit status")
        takes, gone = time.monotonic() - start, 0
        clean(path)
        for i in range(times):
            client = start_client(lab, vm, path)
            time.sleep(takes * (i + rng.random()) / times)     # all of its time
            client.send_signal(signal.SIGINT if i % 2 else signal.SIGKILL)
            client.communicate(timeout=60)
            gone += client.returncode < 0
            whole_or_nothing(vm, path)
        check(gone, f"no client was killed in time, of a dump of {takes:.3f} s")
        vm.check_counts(path)


def test_vm_killed(lab, number):
    """No file under the final name; the next VM takes name and part over."""
    path, rng = clean(lab.path("vm-killed.dump")), random.Random(6)
    image = dumpable(lab, "large", pages=FILL)
    for _ in range(3):
        with Vm(lab, image) as vm:
            vm.when_ready(path)
            clean(path)
            client = start_client(lab, vm, path)
            time.sleep(rng.uniform(0, 0.3))
            vm.signal(number)
            check_equal(vm.end(20), -number, "exit status of the VM")
            client.communicate(timeout=60)
            if client.returncode == 0:
                Dump(path, vm.memory, True)
                clean(path)
            check(not path.exists(), "an incomplete dump")
            if number != signal.SIGKILL:
                nothing_left(path)
                check(not vm.socket.exists(), "the socket is left")


# --- Control socket --------------------------------------------------------------------------------

HOSTILE = [
    (b"x\n", "not JSON"),
    (b"{\n", "not JSON"),
    (b"[]\n", "is not a JSON object"),
    (b"null\n", "is not a JSON object"),
    (b"1\n", "is not a JSON object"),
    (b"{}\n", "no text 'execute'"),
    (b'{"execute":7}\n', "no text 'execute'"),
    (b'{"execute":"format-disk"}\n', "no command 'format-disk'"),
    (b'{"execute":"pause","id":1}\n', "no member 'id'"),
    (b'{"execute":"pause","arguments":[]}\n', "'arguments' is not"),
    (b'{"execute":"pause","arguments":{"x":1}}\n', "'pause' takes no 'x'"),
    (b'{"execute":"dump"}\n', "'file' is not"),
    (b'{"execute":"dump","arguments":{"file":"x"}}\n', "'file' is not"),
    (b'{"execute":"dump","arguments":{"file":"/tmp/a\\u0000b"}}\n', "'file' is not"),
    (b'{"execute":"dump","arguments":{"file":"/x","overwrite":1}}\n', "neither true nor false"),
    (b'{"execute":"dump","arguments":{"file":"/x","format":"elf"}}\n', "takes no 'format'"),
    (b'{"execute":"pause"} {"execute":"pause"}\n', "not JSON"),
    (b'{"a":' * 9 + b"1" + b"}" * 9 + b"\n", "not JSON"),
    (b"[" * 60000 + b"\n", "not JSON"),
    (b"x" * 65536, "longer than 65536"),
    (bytes(range(256)) * 200, "not JSON"),
    (b"\xff\xfe\n", "not JSON"),
    (b'{"execute":"' + b"a" * 60000 + b'"}\n', "there is no command"),
]


def test_hostile(lab):
    with Vm(lab, program(lab, "plain", protected=False), memory=64) as vm:
        for data, want in HOSTILE:
            answers = vm.command(data)
            check(answers and want in answers[0].get("error", {}).get("text", ""),
                  f"{data[:60]!r}: {answers}")
        check_equal(vm.command(b"\n\n  \r\n"), [], "answers to empty lines")
        check_equal(vm.command(b'{"execute":"pause"'), [], "answer to half a line")
        both = vm.command(b'{"execute":"pause"}\r\n{"execute":"query-status","arguments":{}}\n')
        check_equal(both[0], {"return": {}}, "answer")
        check_equal(both[1]["return"]["status"], "paused", "status")
        rng = random.Random(7)
        for _ in range(50):
            vm.command(rng.randbytes(rng.randrange(1, 5000)))
        idle = [socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) for _ in range(3)]
        for s in idle:
            s.connect(str(vm.socket))
        check_equal(vm.status()["status"], "paused", "status beside idle clients")
        check_run(vm.vm("resume"), 0)
        check_run(vm.vm("quit"), 0)
        check_equal(vm.end(20), 1, "exit status beside idle clients")
        for s in idle:
            s.close()


def test_names(lab):
    image = program(lab, "plain", protected=False)
    check_run(lab.run("vm", "status", "nobody"), NO_VM, "no VM")
    with Vm(lab, image, memory=64, name="a") as a, Vm(lab, image, memory=64, name="b") as b:
        check_equal(stat.S_IMODE(a.socket.stat().st_mode), 0o600, "mode of the socket")
        check_equal(stat.S_IMODE(a.socket.parent.stat().st_mode), 0o700, "mode of the folder")
        check_run(lab.run("run", "-m", 64, "--name", "a", image), 1, "a VM of this name runs")
        listed = lab.run("vm", "list").out.splitlines()
        check_equal([line.split()[:2] for line in listed], [["a", "running"], ["b", "running"]],
                    "list")
        check_run(lab.run("vm", "status", a.socket), 0)
        check_run(lab.run("vm", "status", "c"), NO_VM, "no VM")
        a.signal(signal.SIGKILL)
        a.end(20)
        check(a.socket.exists(), "who removed the socket?")
        check_equal(len(lab.run("vm", "list").out.splitlines()), 1, "list beside a dead VM")
        check_run(a.vm("status"), NO_VM, "no VM")
        with Vm(lab, image, memory=64, name="a"):
            check_run(b.vm("quit"), 0)
            check_equal(b.end(20), 1, "exit status")
            check(not b.socket.exists(), "the socket is left")
    for name in ("", ".a", "-a", "a b", "x" * 65, "ä"):
        check_run(lab.run("vm", "status", "--", name), 2, "no name of a VM")
    check_run(lab.run("run", "--name", "a/b", image), 2, "no '/'")
    path = lab.path("my.sock")
    with Guest(lab, ["run", "-m", "64", "--control", path, image]) as guest:
        while not path.exists():
            guest.read(0.02)
        check_run(lab.run("vm", "quit", path), 0)
        check_equal(guest.end(20), 1, "exit status")
    check_run(lab.run("run", "--control", lab.path("x" * 120), image), 2, "more than")


def test_foreign_folder(lab):
    """A folder that others may write to is not used."""
    open_dir = lab.path("open")
    (open_dir / "zpv").mkdir(parents=True, exist_ok=True)
    os.chmod(open_dir / "zpv", 0o777)
    env = {"XDG_RUNTIME_DIR": str(open_dir)}
    image = program(lab, "plain", protected=False)
    for words in (["vm", "status", "a"], ["vm", "list"], ["run", "--name", "a", image]):
        check_run(lab.run(*words, env=env), 1, "not a folder of this user alone")


def test_reset(lab):
    """It begins to count anew, paused or not; who does not listen is told of."""
    path = clean(lab.path("reset.dump"))
    with Vm(lab, dumpable(lab)) as vm:
        vm.when_ready(path)
        time.sleep(0.5)
        before = vm.dump(path).counter()
        check_run(vm.vm("powerdown"), 1, "does not listen")
        check_run(vm.vm("pause"), 0)
        check_run(vm.vm("reset"), 0)
        check_equal(vm.status()["status"], "paused", "status")
        check(vm.dump(path).counter() >= before, "the reset came before the guest goes on")
        check_run(vm.vm("resume"), 0)
        check(vm.when_ready(path).counter() < before, "the guest was not reset")


# --- Linux -----------------------------------------------------------------------------------------

def test_linux_crash(lab):
    """Its panic ends the guest; the dump is whole and its memory in no way readable."""
    path = clean(lab.path("linux.dump"))
    image = seal_linux(lab, "trixie", "zpv.run=shell", "--enable-dump", "--cck", lab.cck)
    with Guest(lab, ["run", "--host", lab.identity(), "--dump-on-crash", path, image]) as guest:
        guest.expect(SHELL)
        guest.expect("# ")
        guest.send("echo c >/proc/sysrq-trigger\n")
        check_equal(guest.end(), CRASH, "exit status")
        check_in("kernel panic: sysrq triggered crash", guest.text, "explanation")
    dump = Dump(path, 512 * MIB, True).open(lab.cck.read_bytes())
    check_equal(struct.unpack_from(">Q", dump.cpu, 128)[0], 0x0002000180000000, "PSW mask")
    encrypted, shared, zero = dump.kinds()
    check(encrypted > 5000 and shared >= 16384 and zero > 50000, f"pages: {dump.kinds()}")
    check(b"sysrq triggered crash" not in path.read_bytes(), "plaintext in the dump")


def test_linux_live(lab, protected):
    path = clean(lab.path("linux.dump"))
    if protected:
        image = seal_linux(lab, "trixie", "zpv.run=shell", "--enable-dump", "--cck", lab.cck)
        words = ["run", "--host", lab.identity(), "--name", "linux", image]
    else:
        words = boot_args("trixie", "zpv.run=shell", initrd=initrd(lab, "trixie"), name="linux")
    with Guest(lab, words) as guest:
        guest.expect(SHELL)
        guest.expect("# ")
        guest.send("while :; do n=$((n + 1)); echo count=$n; sleep 0.1; done\n")
        for _ in range(4):
            before = int(guest.expect(r"^count=(\d+)")[1])
            check_run(lab.run("vm", "dump", "linux", "-o", path, "--overwrite"), 0)
            dump = Dump(path, 512 * MIB, protected)
            if protected:
                dump.open(lab.cck.read_bytes())
            while int(guest.expect(r"^count=(\d+)")[1]) < before + 20:
                pass
        check_run(lab.run("vm", "powerdown", "linux"), 0)
        guest.end(60)
        check("rcu" not in guest.text.lower() or "stall" not in guest.text, "a stall")


def prepare(lab):
    folder = runtime(lab)
    folder.mkdir(exist_ok=True)
    os.environ["XDG_RUNTIME_DIR"] = str(folder)


def tests(lab, _args):
    prepare(lab)
    yield "a running protected guest, twice", bind(test_live, lab)
    yield "a paused one", bind(test_paused, lab)
    yield "a guest that is not protected", bind(test_plain, lab)
    yield "files that exist, and folders that do not", bind(test_overwrite, lab)
    yield "a protected guest that has crashed", bind(test_crash, lab, True)
    yield "a plain one that has crashed", bind(test_crash, lab, False)
    yield "an owner who does not allow dumps", bind(test_refused, lab)
    yield "a machine without dumps", bind(test_z15, lab)
    yield "files that may not grow", bind(test_limit, lab)
    yield "a full disk", bind(test_disk_full, lab)
    yield "clients that are killed", bind(test_client_killed, lab, 6)
    yield "VMs that are killed", bind(test_vm_killed, lab, signal.SIGKILL)
    yield "VMs that are asked to end", bind(test_vm_killed, lab, signal.SIGTERM)
    yield "requests that are none", bind(test_hostile, lab)
    yield "names", bind(test_names, lab)
    yield "a folder that others may write to", bind(test_foreign_folder, lab)
    yield "resets", bind(test_reset, lab)
    yield "a Linux that panics", bind(test_linux_crash, lab)


def full(lab, _args):
    prepare(lab)
    yield "Linux while it counts", bind(test_linux_live, lab, True)
    yield "the same, not protected", bind(test_linux_live, lab, False)
    yield "many clients that are killed", bind(test_client_killed, lab, 40)


if __name__ == "__main__":
    sys.exit(main(__doc__, tests, full))
