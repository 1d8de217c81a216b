#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Opening dumps under bad circumstances: signals at random moments, full disks, pipes that nobody
reads. Whatever happens, the final name holds nothing, the old file, or all of the opened dump, and
the next run works. And every kind of page of a guest that was dumped twice opens right.

Usage: robust_test.py ZPV BUILD
"""
import contextlib
import os
import random
import resource
import shutil
import signal
import struct
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "guestrun"))

import pvdumpwrite as pvdump  # noqa: E402
from dumplab import DumpLab, MIB, PAGE, expected_elf, read_core  # noqa: E402
from dump_test import COUNTER, READY, SHARE, SHARED_AT, Vm, clean, prepare  # noqa: E402
from pv_test import seal  # noqa: E402
from runlab import assemble  # noqa: E402
from common import (TIMEOUT, Skip, bind, check, check_equal, check_in, check_run,  # noqa: E402
                    main)

ERROR = 1
OLD = b"the old output"
ROUNDS = 20
TRIES = 50      # to meet a program in the middle of its work
NO_LIMIT = resource.RLIM_INFINITY


class Place(DumpLab):
    """A dump of 64 MiB, written once, and what an ELF core of it is."""

    def __init__(self, lab):
        super().__init__(lab)
        self.out = lab.dir / "opened" / "vmcore"
        self.part = self.out.with_name("vmcore.part")
        self.out.parent.mkdir(exist_ok=True)
        recipe = replace(pvdump.Recipe(), blocks=[(0, 64 * MIB)])
        self.write(recipe)
        self.want = expected_elf(recipe)

    def argv(self, *words, out=None):
        return [str(w) for w in (self.lab.zpv, "dump", "open", "-q", self.dump, "-k", self.key,
                                 "-o", out or self.out, *words)]

    def start(self, *words, **options):
        return subprocess.Popen(self.argv(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                env=self.lab.env(), **options)

    def check_whole(self):
        check(self.out.read_bytes() == self.want, "the opened dump is another")
        check_equal(self.out.stat().st_mode & 0o777, 0o600, "mode of the opened dump")

    def check_folder(self, *names):
        check_equal(sorted(p.name for p in self.out.parent.iterdir()), sorted(names), "files")

    def open_again(self):
        check_run(self.lab.run(*self.argv("--overwrite")[1:]), 0)

    def works(self):
        """A run to the end, over whatever is left; it leaves nothing but the opened dump."""
        self.open_again()
        self.check_whole()
        self.check_folder("vmcore")

    def seconds(self):
        """How long a run takes when the dump is in the cache."""
        self.works()
        start = time.monotonic()
        self.open_again()
        return time.monotonic() - start


# --- Signals --------------------------------------------------------------------------------------

def await_part(place, process):
    while process.poll() is None and not place.part.exists():
        pass


def test_killed(place, number):
    """By turns from its start or from its first file on, and with and without an old output."""
    seed = random.SystemRandom().getrandbits(32)
    print(f"# {signal.Signals(number).name}: seed {seed}", flush=True)
    rng, takes, killed, in_time = random.Random(seed), place.seconds(), 0, 0
    for i in range(ROUNDS):
        old, words = (OLD, ["--overwrite"]) if i & 1 else (None, [])
        place.out.unlink()
        if old:
            place.out.write_bytes(old)
        process = place.start(*words)
        if i & 2:
            await_part(place, process)
        if i & 6 != 6:              # else as soon as the file is there
            time.sleep(rng.uniform(0, takes))
        process.send_signal(number)
        err = process.communicate(timeout=TIMEOUT)[1]
        check(process.returncode in (0, -number), f"exit status {process.returncode}: {err!r}")
        check_equal(err, b"", "standard error")
        killed += process.returncode != 0
        in_time += check_outcome(place, old, process.returncode, number)
        place.works()
    print(f"# {killed} of {ROUNDS} ended by it, {in_time} before the file was there; "
          f"a run takes {takes:.3f} s", flush=True)
    check(in_time, f"no signal came in time (seed {seed})")


def check_outcome(place, old, code, number):
    """True when the run was ended before its file had the final name."""
    if number != signal.SIGKILL:
        check(not place.part.exists(), "a part is left")
    if place.out.exists() and place.out.stat().st_size != len(OLD):
        place.check_whole()
        return False
    check(code, "success without an output")
    check_equal(place.out.read_bytes() if place.out.exists() else None, old, "the old output")
    return True


def test_signal_with_part(place, number):
    """It comes while the part is locked, when there is no byte in it yet."""
    if not shutil.which("strace"):
        raise Skip("strace is not installed")
    place.out.unlink(missing_ok=True)
    name = signal.Signals(number).name
    words = ["strace", "-o", "/dev/null", "-e", f"inject=flock:signal={name}:when=1"]
    done = subprocess.run([*words, *place.argv()], capture_output=True, text=True,
                          env=place.lab.env(), timeout=TIMEOUT, check=False)
    if "ptrace" in done.stderr.lower():
        raise Skip(f"programs cannot be traced here: {done.stderr.strip()}")
    check_equal(done.returncode, -number, f"exit status ({done.stderr})")
    place.check_folder()


def test_killed_stream(place):
    """The reader sleeps, so that the program waits for it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        with subprocess.Popen(place.argv(out="-"), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=place.lab.env()) as process:
            check_equal(os.read(process.stdout.fileno(), 4), b"\x7fELF", "the first bytes")
            time.sleep(0.05)
            process.send_signal(number)
            try:
                check_equal(process.wait(20), -number, "exit status")
            finally:
                process.kill()


# --- Full disks -----------------------------------------------------------------------------------

def limited(size):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, NO_LIMIT))
    return limit


def failed(place, text, *words, old=None, **options):
    """An ordinary error that says why; no signal, and nothing but the old output is left."""
    place.out.unlink(missing_ok=True)
    if old:
        place.out.write_bytes(old)
    run = place.lab.run(*place.argv(*words)[1:], **options)
    check_run(run, ERROR, text, out="")
    check_equal(run.err.count("error: "), 1, f"number of messages in {run.err}")
    check_left(place, old)


def check_left(place, old=None):
    place.check_folder(*["vmcore"] * bool(old))
    if old:
        check_equal(place.out.read_bytes(), old, "the old output")


def test_limit(place, fmt):
    text = "cannot make a file of"
    for size in (0, 1, PAGE, MIB, 64 * MIB):
        failed(place, text, "-f", fmt, preexec_fn=limited(size))
    failed(place, "File too large", "-f", fmt, "--overwrite", old=OLD, preexec_fn=limited(MIB))
    place.works()


def test_limit_while_writing(place):
    """It comes when the file has its size already, and most of its bytes are not written."""
    for _ in range(TRIES):
        place.out.unlink(missing_ok=True)
        process = place.start()
        await_part(place, process)
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (MIB, NO_LIMIT))
        err = process.communicate(timeout=TIMEOUT)[1].decode()
        check(process.returncode in (0, ERROR), f"exit status {process.returncode}: {err}")
        if process.returncode == 0:
            place.check_whole()
            continue
        check_in("File too large", err, "message")
        check_left(place)
        if "cannot write the opened dump" in err:
            break
    else:
        raise AssertionError(f"in {TRIES} runs no limit came while one was writing")
    place.works()


@contextlib.contextmanager
def small_disk(place, size):
    """The output's folder is a file system of its own."""
    if os.getuid() != 0:
        raise Skip("only root may mount a file system")
    place.out.unlink(missing_ok=True)
    folder = place.out.parent
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "none", folder],
                          stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise Skip(f"a file system cannot be mounted: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=False)


def test_full_disk(place):
    with small_disk(place, "16m") as folder:
        for fmt in ("elf", "s390"):
            failed(place, "No space left on device", "-f", fmt)
            failed(place, "No space left on device", "-f", fmt, "--overwrite", old=OLD)
        with open(folder / "stream", "wb") as out:
            run = place.lab.run(*place.argv(out="-")[1:], stdout=out)
        check_run(run, ERROR, "No space left on device")
        (folder / "stream").unlink()
        subprocess.run(["mount", "-o", "remount,size=128m", folder], check=True)
        place.out.unlink()
        place.works()


def test_full_device(place):
    with open("/dev/full", "wb") as full:
        check_run(place.lab.run(*place.argv(out="-")[1:], stdout=full), ERROR,
                  "No space left on device")


# --- Pipes ----------------------------------------------------------------------------------------

def test_closed_pipe(place, ignored, after):
    """The reader goes, at once or after some bytes: SIGPIPE, or an error where it is ignored."""
    def ignore():
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    reader, writer = os.pipe()
    with subprocess.Popen(place.argv(out="-"), stdout=writer, stderr=subprocess.PIPE,
                          env=place.lab.env(), preexec_fn=ignore if ignored else None) as process:
        os.close(writer)
        got = b""
        while len(got) < after:
            got += os.read(reader, min(65536, after - len(got)))
        os.close(reader)
        err = process.communicate(timeout=TIMEOUT)[1].decode()
    check(got == place.want[:after], "the core on standard output is another")
    check_equal(process.returncode, ERROR if ignored else -signal.SIGPIPE, f"exit status ({err})")
    check_equal("Broken pipe" in err, ignored, f"the reason in {err!r}")


# --- Every kind of page ---------------------------------------------------------------------------

MEMORY = 64 * MIB
FILLED_AT, FILLED = 32 * MIB, 64
ZEROED_AT, ZEROED = 40 * MIB, 16
COUNT_AT, READ_AT = 44 * MIB, 46 * MIB
KNOWN_FROM = 8 * MIB            # below are the program and who loads it
MAGIC = 0x0123456789ABCDEF
ZERO, SHARED = 1, 2             # an entry's flags
UVCB_BYTES = 48                 # the block of the call that shares, last in the program

# Fills pages with the addresses of their doublewords, and one that it shares; stores zeros to
# others; then counts in a private page and in the shared one, and reads a page again and again.
PAGES_PROGRAM = f"""
	llihf	%r5, {MAGIC >> 32}
	oilf	%r5, {MAGIC & 0xffffffff}
	{SHARE}
	llilf	%r8, {FILLED_AT}
	llilf	%r7, {FILLED * PAGE // 8}
	brasl	%r14, fill
	llilf	%r8, {READ_AT}
	llilf	%r7, {PAGE // 8}
	brasl	%r14, fill
	llilf	%r8, {SHARED_AT + 64}
	llilf	%r7, {PAGE // 8 - 8}
	brasl	%r14, fill
	llilf	%r8, {ZEROED_AT}
	llilf	%r7, {ZEROED}
	lghi	%r1, 0
1:	stg	%r1, 8(%r8)
	aghi	%r8, {PAGE}
	brctg	%r7, 1b
	llilf	%r9, {SHARED_AT}
	llilf	%r10, {COUNT_AT}
	llilf	%r11, {READ_AT}
	mvi	{READY}(%r9), 1
2:	lg	%r2, 0(%r11)
	aghi	%r1, 1
	stg	%r1, 0(%r10)
	stg	%r1, {COUNTER}(%r9)
	j	2b
fill:	stg	%r8, 0(%r8)
	aghi	%r8, 8
	brctg	%r7, fill
	br	%r14
	.balign	8
uvcb:	.short	0x30, 0x1000, 0, 0
	.quad	0, 0, 0, {SHARED_AT}, 0
"""


def addresses(start, size):
    return struct.pack(f">{size // 8}Q", *range(start, start + size, 8))


def expected_memory(private, shared):
    """All storage from KNOWN_FROM on, when the counters are such."""
    out = bytearray(MEMORY)
    for start, size in ((FILLED_AT, FILLED * PAGE), (READ_AT, PAGE), (SHARED_AT + 64, PAGE - 64)):
        out[start:start + size] = addresses(start, size)
    out[SHARED_AT + READY] = 1
    out[SHARED_AT + COUNTER:SHARED_AT + COUNTER + 8] = shared
    out[COUNT_AT:COUNT_AT + 8] = private
    return bytes(out[KNOWN_FROM:])


def paused_dump(vm, path):
    """The first dump of the guest, paused, in which it counts."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        time.sleep(0.2)
        if not vm.status()["protected"]:
            continue
        check_run(vm.vm("pause"), 0)
        dump = vm.dump(path)
        if dump.ready():
            return dump
        check_run(vm.vm("resume"), 0)
    raise AssertionError("the guest does not get ready")


def check_kinds(dump):
    """The metadata tells the kinds apart as they should be."""
    def sealed(start, npages):
        return all(dump.entry(start // PAGE + i)[:4] != b"\xff" * 4 for i in range(npages))

    def flags(start):
        entry = dump.entry(start // PAGE)
        return entry[15] & 3 if entry[:4] == b"\xff" * 4 else 0
    for start, npages in ((FILLED_AT, FILLED), (ZEROED_AT, ZEROED), (COUNT_AT, 1), (READ_AT, 1)):
        check(sealed(start, npages), f"pages from {start:#x} on are not encrypted")
    check_equal(flags(SHARED_AT), SHARED, "flags of the shared page")
    # Apart from what was touched, as a hypervisor may bring in a page's neighbours.
    for start in (SHARED_AT - PAGE, SHARED_AT + MIB, FILLED_AT + MIB, MEMORY - PAGE):
        check_equal(flags(start), ZERO, f"flags of {start:#x}, which was never touched")


def check_opened(lab, path, flat):
    """Compare all that is known; return the private counter."""
    out = clean(lab.path("opened.core"))
    check_run(lab.run("dump", "open", "-q", path, "-k", lab.cck, "-o", out), 0)
    core = read_core(out)
    check_equal([(start, size, len(data)) for start, size, data in core.loads],
                [(0, MEMORY, MEMORY)], "memory")
    data = core.loads[0][2]
    private = data[COUNT_AT:COUNT_AT + 8]
    shared = data[SHARED_AT + COUNTER:SHARED_AT + COUNTER + 8]
    want = expected_memory(private, shared)
    bad = [hex(KNOWN_FROM + at) for at in range(0, len(want), PAGE)
           if data[KNOWN_FROM + at:KNOWN_FROM + at + PAGE] != want[at:at + PAGE]]
    check_equal(bad[:20], [], "pages that are wrong")
    ahead = int.from_bytes(private, "big") - int.from_bytes(shared, "big")
    check(ahead in (0, 1), f"the private counter is {ahead} ahead of the shared one")
    program = bytearray(flat)
    program[-UVCB_BYTES + 5] = 1    # the only change: return code 0x0001, executed
    check(data[0x10000:len(flat)] == program[0x10000:], "the program is another")
    status = next(desc for name, kind, desc in core.notes if (name, kind) == ("CORE", 1))
    check_equal(struct.unpack_from(">Q", status, 128 + 40)[0], MAGIC, "GR 5")
    return int.from_bytes(private, "big")


def test_pages(lab):
    """Paused and dumped, twice: what the first dump exported lies ready for the second one."""
    flat = assemble(lab, "pages.flat", PAGES_PROGRAM, frame="protected.inc")
    image = seal(lab, "pages.img", "-i", flat, "--no-component-check", "--enable-dump",
                 "--cck", lab.cck)
    paths = [clean(lab.path(f"pages{i}.dump")) for i in (1, 2)]
    with Vm(lab, image, memory=MEMORY // MIB) as vm:
        first = paused_dump(vm, paths[0])
        check_run(vm.vm("resume"), 0)
        time.sleep(0.3)
        check_run(vm.vm("pause"), 0)
        second = vm.dump(paths[1])
    for start, npages, same in ((FILLED_AT, FILLED, True), (ZEROED_AT, ZEROED, True),
                                (COUNT_AT, 1, False), (READ_AT, 1, False)):
        for page in range(start // PAGE, start // PAGE + npages):
            check_equal(first.entry(page) == second.entry(page), same,
                        f"whether page {page:#x} was exported before the second dump began")
    counts = []
    for dump, path in ((first, paths[0]), (second, paths[1])):
        check_kinds(dump)
        check(addresses(FILLED_AT, 32) not in path.read_bytes(), "plaintext in the dump")
        counts.append(check_opened(lab, path, Path(flat).read_bytes()))
    check(counts[1] > counts[0], f"the guest stood still: {counts}")


def tests(lab, _):
    prepare(lab)
    place = Place(lab)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        yield f"{signal.Signals(number).name} at random moments", bind(test_killed, place, number)
    for number in (signal.SIGINT, signal.SIGTERM):
        yield (f"{signal.Signals(number).name} as soon as there is a file",
               bind(test_signal_with_part, place, number))
    yield "signals while nobody reads", bind(test_killed_stream, place)
    for fmt in ("elf", "s390"):
        yield f"files that may not grow, {fmt}", bind(test_limit, place, fmt)
    yield "a limit that comes while it writes", bind(test_limit_while_writing, place)
    yield "a full disk", bind(test_full_disk, place)
    yield "a full device", bind(test_full_device, place)
    for ignored in (False, True):
        for after in (0, 3 * MIB):
            yield (f"a reader that goes after {after} bytes, SIGPIPE "
                   f"{'ignored' if ignored else 'as usual'}",
                   bind(test_closed_pipe, place, ignored, after))
    yield "every kind of page, dumped twice", bind(test_pages, lab)


if __name__ == "__main__":
    sys.exit(main(__doc__, tests))
