#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
zpv image create under bad circumstances: wrong inputs, full disks, signals, races, little memory.

Whatever happens, no output and no part is left, and an old output stays as it was.

Usage: robust_test.py ZPV BUILD [--full]
"""
import contextlib
import itertools
import os
import pwd
import random
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time

import common
from common import TIMEOUT, Skip, bind, check, check_equal, check_in, check_run

MIB = 1 << 20
PEAK_RSS = 64 * MIB
OLD = b"the old output"
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


# --- Wrong inputs --------------------------------------------------------------------------------

def elf(lab):
    return lab.write("elf", b"\x7fELF" + common.pattern(0x20000, 1))


def kernel_of(lab, size):
    return lab.write("short", common.fake_kernel()[:size])


def garbage(lab, size=500):
    return lab.write("garbage", common.pattern(size, 9))


def sized(lab, size):
    return lab.write(f"key{size}", bytes(size))


def long_cmdline(lab, size, max_cmdline=0):
    lab.write("kernel-max", common.fake_kernel(max_cmdline=max_cmdline))
    return lab.write("long", b"x" * size)


def rsa_certificate(lab):
    return certificate(lab, "rsa", "-newkey", "rsa:2048")


def p256_certificate(lab):
    return certificate(lab, "p256", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")


def certificate(lab, name, *key):
    path = lab.path(name + ".crt")
    subprocess.run(["openssl", "req", "-x509", *key, "-nodes", "-subj", "/CN=x", "-keyout",
                    lab.path("throw-away"), "-out", path], check=True, capture_output=True)
    return path


CCK, HPK, XTS = ("customer communication key", "header protection key", "image encryption key")
NO_KERNEL = "Check for Linux kernel component has failed: No s390x Linux kernel provided"
TOO_LARGE = ("Check for kernel cmdline component has failed: "
             "Provided kernel cmdline is too large: {} > {}\n")
ABSENT = "No such file or directory"

# name, option that is replaced or added, its value (a function of lab), part of the message
INPUT_ROWS = [
    ("kernel: ELF", "-i", elf, "Check for Linux kernel component has failed: ELF file found, but "
     "only raw binary kernels are supported."),
    ("kernel: empty", "-i", lambda lab: kernel_of(lab, 0), NO_KERNEL),
    ("kernel: without its marks", "-i", lambda lab: garbage(lab, 0x20000), NO_KERNEL),
    ("kernel: cut in the mark", "-i", lambda lab: kernel_of(lab, 0x1000d), NO_KERNEL),
    ("kernel: cut before the maximum", "-i", lambda lab: kernel_of(lab, 0x10437), NO_KERNEL),
    ("kernel: a folder", "-i", lambda lab: lab.dir, "kernel"),
    ("kernel: absent", "-i", lambda lab: "/nowhere", ABSENT),
    ("kernel: empty name", "-i", lambda lab: "", ABSENT),
    ("kernel: below a file", "-i", lambda lab: lab.kernel / "x", "Not a directory"),
    ("ramdisk: a folder", "-r", lambda lab: lab.dir, "ramdisk"),
    ("ramdisk: absent", "-r", lambda lab: "/nowhere", ABSENT),
    ("command line: a folder", "-p", lambda lab: lab.dir, "kernel command line"),
    ("command line: absent", "-p", lambda lab: "/nowhere", ABSENT),
    ("command line: too large for the default", "-p", lambda lab: long_cmdline(lab, 896),
     TOO_LARGE.format(897, 896)),
    ("command line: endless", "-p", lambda lab: "/dev/zero", "larger than"),
    ("CCK: empty", "--cck", lambda lab: sized(lab, 0), CCK),
    ("CCK: short", "--cck", lambda lab: sized(lab, 31), CCK),
    ("CCK: long", "--cck", lambda lab: sized(lab, 33), CCK),
    ("CCK: endless", "--cck", lambda lab: "/dev/zero", CCK),
    ("CCK: a folder", "--cck", lambda lab: lab.dir, CCK),
    ("CCK: absent", "--cck", lambda lab: "/nowhere", ABSENT),
    ("header key: short", "--hdr-key", lambda lab: sized(lab, 31), HPK),
    ("header key: long", "--hdr-key", lambda lab: sized(lab, 64), HPK),
    ("image key: short", "--image-key", lambda lab: sized(lab, 32), XTS),
    ("image key: long", "--image-key", lambda lab: sized(lab, 65), XTS),
    ("image key: both halves the same", "--image-key", lambda lab: sized(lab, 64), ""),
    ("document: garbage", "-k", garbage, "garbage"),
    ("document: empty", "-k", lambda lab: sized(lab, 0), "key0"),
    ("document: a folder", "-k", lambda lab: lab.dir, "host-key document"),
    ("document: absent", "-k", lambda lab: "/nowhere", ABSENT),
    ("document: absent second", "-k", lambda lab: f"{lab.hkd[0]},/nowhere", ABSENT),
    ("document: RSA", "-k", rsa_certificate, "secp521r1"),
    ("document: another curve", "-k", p256_certificate, "secp521r1"),
    ("document: a private key", "-k", lambda lab: lab.host_key[0], "host1.key"),
    ("certificate: garbage", "-C", garbage, "garbage"),
    ("certificate: absent", "-C", lambda lab: "/nowhere", ABSENT),
    ("loaders: none there", "--x-bootloader-directory", lambda lab: lab.dir, "stage3a.bin"),
    ("loaders: no folder", "--x-bootloader-directory", lambda lab: lab.kernel, "Not a directory"),
]


def test_input(lab, option, value, message):
    words = {"-i": lab.kernel, "-k": lab.hkd[0]}
    words[option] = value(lab)
    argv = [item for pair in words.items() for item in pair]
    argv += ["--offline"] if option == "-C" else ["--no-verify"]
    fails_on(lab, argv, message)


def fails_on(lab, argv, message, code=1, **options):
    """Fails for a new output, and leaves an old one alone."""
    for old in (None, OLD):
        lab.out.unlink(missing_ok=True)
        if old:
            lab.out.write_bytes(old)
        run = lab.run("image", "create", *argv, *["--overwrite"] * bool(old), "-o", lab.out,
                      **options)
        check_run(run, code, message, out="")
        check_equal(run.err.count("error: "), 1, f"number of messages in {run.err}")
        lab.check_nothing_left(old=old)


def test_max_cmdline(lab):
    """The kernel says how much it takes."""
    path = long_cmdline(lab, 4096, 4096)
    argv = ["-i", lab.path("kernel-max"), "-k", lab.hkd[0], "--no-verify", "-p", path]
    fails_on(lab, argv, TOO_LARGE.format(4097, 4096))
    lab.clear()
    path.write_bytes(b"x" * 4095)
    check_run(lab.run("image", "create", *argv, "-o", lab.out), 0)
    path.write_bytes(b"x" * 100000)
    lab.clear()
    check_run(lab.run("image", "create", *argv, "--no-component-check", "-o", lab.out), 0,
              "component check")
    check_equal(lab.read().component("cmdline").size, 100001, "size of the command line")


def test_loader_sizes(lab, stage3a, stage3b, message):
    folder = lab.dir / "loaders"
    folder.mkdir(exist_ok=True)
    (folder / "stage3a.bin").write_bytes(bytes(stage3a))
    (folder / "stage3b_reloc.bin").write_bytes(bytes(stage3b))
    fails_on(lab, lab.inputs("--x-bootloader-directory", folder), message)


# --- Where the output goes -----------------------------------------------------------------------

def refused_output(lab, path, message, *words, **options):
    run = lab.create(*words, out=path, **options)
    check_run(run, 1, message, out="")
    check(not os.path.exists(f"{path}.part"), f"{path}.part is left")


def test_exists(lab):
    lab.out.write_bytes(OLD)
    refused_output(lab, lab.out, "exists already")
    lab.check_nothing_left(old=OLD)
    check_run(lab.create("--overwrite"), 0)
    lab.read()


def test_link(lab):
    """A dangling link counts as something that exists; --overwrite replaces the link itself."""
    link, target = lab.path("link"), lab.path("target")
    link.symlink_to(target)
    refused_output(lab, link, "exists already")
    check_run(lab.create("--overwrite", out=link), 0)
    check(not link.is_symlink() and not target.exists(), "the link was followed")
    lab.read(link)
    link.unlink()


def test_part_in_the_way(lab, make):
    part = lab.path("out.img.part")
    make(part)
    run = lab.create()
    check_run(run, 1, "out.img.part")
    check(os.path.lexists(part) and not lab.out.exists(), "the part or the output was changed")
    shutil.rmtree(part) if part.is_dir() and not part.is_symlink() else part.unlink()


def test_left_part(lab):
    """A part that somebody left behind is taken over, whatever is in it."""
    lab.path("out.img.part").write_bytes(common.pattern(3 * MIB, 1))
    check_run(lab.create(), 0)
    lab.read()
    check(not lab.path("out.img.part").exists(), "the part is left")


def nobody(lab):
    """As a user without rights: options for lab.run()."""
    if os.getuid() != 0:
        return {}
    user = pwd.getpwnam("nobody")
    copy = lab.path("zpv-copy")
    if not copy.exists():
        shutil.copy(lab.zpv, copy)
        copy.chmod(0o755)
        for path in lab.dir.iterdir():
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | 0o444)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "cwd": "/"}


def as_nobody(lab, *args, **options):
    who = nobody(lab)
    other = common.Lab.__new__(common.Lab)
    other.__dict__.update(lab.__dict__)
    if who:
        other.zpv = str(lab.path("zpv-copy"))
    other.hkd = [lab.write(f"hkd{n}", path.read_bytes()) for n, path in enumerate(lab.hkd)]
    return other.create(*args, **who, **options)


def test_no_permission(lab):
    folder = lab.dir / "closed"
    folder.mkdir()
    (folder / "out.img").write_bytes(OLD)
    folder.chmod(0o555)
    for words in ((), ("--overwrite",)):
        run = as_nobody(lab, *words, out=folder / ("out.img" if words else "new.img"))
        check_run(run, 1, "Permission denied")
    check_equal(sorted(p.name for p in folder.iterdir()), ["out.img"], "files")
    check_equal((folder / "out.img").read_bytes(), OLD, "the old output")


def test_unreadable(lab):
    key = lab.write("closed.key", bytes(32))
    key.chmod(0o000)
    folder = lab.dir / "open"
    folder.mkdir()
    folder.chmod(0o777)
    run = as_nobody(lab, "--cck", key, out=folder / "out.img")
    check_run(run, 1, "Permission denied")
    check_equal(list(folder.iterdir()), [], "files")


def test_mode(lab):
    """The output is as readable as the umask lets any file be."""
    for umask in (0o022, 0o077):
        check_run(lab.create("--overwrite", preexec_fn=lambda u=umask: os.umask(u)), 0)
        check_equal(oct(lab.out.stat().st_mode & 0o777), oct(0o666 & ~umask), "mode")
        lab.out.unlink()


# --- Full disks ----------------------------------------------------------------------------------

IN_TMPFS = """
mount -t tmpfs -o size=1m,mode=755 none "$1" || exit 99
printf '%s' "$2" >"$1/out.img"
shift 2; "$@"
code=$?
echo; ls -A "$0"; cat "$0/out.img"
exit $code
"""


def test_full_disk(lab):
    """A file system of 1 MiB, in a mount namespace of its own."""
    folder = lab.dir / "small"
    folder.mkdir(exist_ok=True)
    big = lab.write("big", common.pattern(3 * MIB, 3))
    argv = ["unshare", "-rm", "sh", "-c", IN_TMPFS, folder, folder, OLD.decode(), lab.zpv, "image",
            "create", *lab.inputs("-r", big, "--overwrite", "-o", folder / "out.img")]
    run = subprocess.run([str(word) for word in argv], capture_output=True, text=True,
                         timeout=TIMEOUT, env=lab.env(), check=False)
    if run.returncode in (1, 99) and ("unshare" in run.stderr or "mount" in run.stderr):
        raise Skip(f"no mount namespace here: {run.stderr.strip()}")
    check_equal(run.returncode, 1, run.stderr)
    check_in("No space left on device", run.stderr, "message")
    check_equal(run.stdout, f"\nout.img\n{OLD.decode()}", "what is left")


def test_file_limit(lab):
    """The limit of a file's size: an error as any other, not a signal."""
    big = lab.write("big", common.pattern(3 * MIB, 3))

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_FSIZE, (MIB, MIB))

    fails_on(lab, lab.inputs("-r", big), "File too large", preexec_fn=limit, check_signal=False)


def test_full_output(lab):
    with open("/dev/full", "wb") as full:
        run = lab.create(out="-", stdout=full)
    check_run(run, 1, "No space left on device")


# --- Standard output -----------------------------------------------------------------------------

def test_pipe(lab):
    run = lab.create(*lab.full_args(), "-v", out="-")
    check_run(run, 0)
    seen = lab.read(lab.write("piped.img", run.raw))
    check_equal(seen.component("ramdisk").content, lab.ramdisk.read_bytes(), "ramdisk")


def test_closed_pipe(lab):
    """Its reader is gone: an error or SIGPIPE, but no success."""
    reader, writer = os.pipe()
    os.close(reader)
    run = lab.create(out="-", stdout=writer, check_signal=False)
    os.close(writer)
    check(run.code in (1, -signal.SIGPIPE), f"exit status {run.code}")
    if run.code == 1:
        check_in("Broken pipe", run.err, "message")


def test_closed_stderr(lab):
    """Messages that nobody reads (2>&1 | head) do not leave a part behind."""
    reader, writer = os.pipe()
    os.close(reader)
    argv = [lab.zpv, "image", "create", "-v", *lab.inputs("-r", lab.ramdisk), "-o", lab.out]
    code = subprocess.run(argv, stdout=writer, stderr=writer, env=lab.env(), timeout=TIMEOUT,
                          check=False).returncode
    os.close(writer)
    check(not lab.path("out.img.part").exists(), f"a part is left, exit status {code}")
    check_equal(lab.out.exists(), code == 0, f"output although exit status {code}")


def test_closed_descriptors(lab, closed):
    """Messages never land in the image because its descriptor is that of standard error."""
    words = " ".join(f"{fd}>&-" for fd in closed)
    argv = ["sh", "-c", f'exec "$@" {words}', "sh", lab.zpv, "image", "create", "-v",
            *lab.inputs(), "-o", lab.out]
    code = subprocess.run([str(w) for w in argv], capture_output=True, env=lab.env(),
                          timeout=TIMEOUT, check=False).returncode
    check(code in (0, 1), f"exit status {code}")
    if lab.out.exists():
        lab.read()


def test_temp_dir(lab, folder, message):
    check_run(lab.create(out="-", env={"TMPDIR": str(folder)}), 1, message, out="")


def test_temp_dir_clean(lab):
    """Nothing stays in TMPDIR; TMPDIR plays no part with a file as output."""
    folder = lab.dir / "tmp"
    folder.mkdir()
    check_run(lab.create(out="-", env={"TMPDIR": str(folder)}), 0)
    check_equal(list(folder.iterdir()), [], "files in TMPDIR")
    check_run(lab.create(env={"TMPDIR": "/nowhere"}), 0)


# --- Signals and races ---------------------------------------------------------------------------

class Fed:
    """A run that reads one input from a FIFO, which the test feeds."""

    def __init__(self, lab, option="-r", *words, fifo="fifo", **options):
        self.lab, self.fifo, self.end = lab, lab.path(fifo), None
        self.fifo.unlink(missing_ok=True)
        os.mkfifo(self.fifo)
        inputs = lab.inputs(*words, "-o", lab.out)
        argv = [self.fifo if i and inputs[i - 1] == option else word
                for i, word in enumerate(inputs)]
        if option not in inputs:
            argv += [option, self.fifo]
        self.process = subprocess.Popen(
            [str(word) for word in (lab.zpv, "image", "create", *argv)], stderr=subprocess.PIPE,
            stdout=subprocess.PIPE, env=lab.env(), **options)

    def connect(self):
        """Wait until the program has opened the FIFO for reading."""
        deadline = time.monotonic() + 30
        while self.end is None:
            try:
                self.end = os.open(self.fifo, os.O_WRONLY | os.O_NONBLOCK)
            except OSError:
                check(time.monotonic() < deadline and self.process.poll() is None,
                      "the program does not read the FIFO")
                time.sleep(0.005)
        os.set_blocking(self.end, True)
        return self

    def wait_blocked(self):
        """Wait until the program sleeps and stays so."""
        quiet = 0
        while quiet < 10 and self.process.poll() is None:
            with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as f:
                state = f.read().rpartition(")")[2].split()[0]
            quiet = quiet + 1 if state == "S" else 0
            time.sleep(0.01)
        return self

    def wait_part(self):
        while not self.lab.path("out.img.part").exists():
            check(self.process.poll() is None, "the program has ended")
            time.sleep(0.005)
        return self

    def feed(self, data):
        with contextlib.suppress(BrokenPipeError):
            while data:
                data = data[os.write(self.end, data):]
        return self

    def finish(self, timeout=30):
        """No more input; the exit status and standard error."""
        self.close()
        try:
            _, err = self.process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise AssertionError("the program goes on") from None
        return self.process.returncode, err.decode()

    def close(self):
        if self.end is not None:
            os.close(self.end)
        self.end = None

    def send_and_finish(self, number):
        """A signal while the input stays open."""
        self.process.send_signal(number)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"{signal.Signals(number).name} has no effect") from None
        finally:
            self.close()
            self.process.communicate()
        check_equal(self.process.returncode, -number, "how the program ended")
        check(not self.lab.path("out.img.part").exists(), "a part is left")


# What the program waits for when the signal comes.
def opening(lab, option):
    return Fed(lab, option, "--overwrite").wait_blocked()


def reading_begin(lab, option):
    return Fed(lab, option, "--overwrite").connect().wait_blocked()


def reading_middle(lab, option):
    data = common.fake_kernel() if option == "-i" else b"x" * 20
    return Fed(lab, option, "--overwrite").connect().feed(data).wait_blocked()


def test_signal_blocked(lab, state, option, number):
    lab.out.write_bytes(OLD)
    state(lab, option).send_and_finish(number)
    lab.check_nothing_left(old=OLD)


def test_signal_to_stdout(lab):
    """The image goes to a pipe whose reader sleeps."""
    reader, writer = os.pipe()
    argv = [lab.zpv, "image", "create", *lab.inputs("-r", lab.write("big", bytes(MIB))), "-o", "-"]
    with subprocess.Popen([str(w) for w in argv], stdout=writer, stderr=subprocess.DEVNULL,
                          env=lab.env()) as process:
        os.close(writer)
        os.read(reader, 1)
        time.sleep(0.1)
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            raise AssertionError("SIGTERM has no effect") from None
        finally:
            os.close(reader)
    check_equal(process.returncode, -signal.SIGTERM, "how the program ended")


def test_signal_random(lab, sparse, number, rounds):
    """At a random moment: stopped without a trace, or done and whole."""
    rng = random.Random(number)
    outcomes = set()
    for _ in range(rounds):
        lab.out.unlink(missing_ok=True)
        argv = [lab.zpv, "image", "create", "-q", *lab.inputs("-r", sparse, "-o", lab.out)]
        process = subprocess.Popen([str(w) for w in argv], env=lab.env())
        time.sleep(rng.uniform(0, 0.4))
        process.send_signal(number)
        code = process.wait(TIMEOUT)
        check(code in (0, -number), f"exit status {code}")
        check(not lab.path("out.img.part").exists(), "a part is left")
        check(lab.out.exists() or code, "success without an output")
        if lab.out.exists():
            lab.info(lab.out, "--verify", "--host-key", lab.host_key[0])
        outcomes.add(code)
    lab.out.unlink(missing_ok=True)
    check(-number in outcomes, "no signal came in time")


def test_ignored(lab, number):
    """Under nohup SIGHUP stays ignored; likewise the others in a background job."""
    run = Fed(lab, "-r", preexec_fn=lambda: signal.signal(number, signal.SIG_IGN))
    run.connect().feed(b"begin ").wait_part().wait_blocked()
    for _ in range(3):
        run.process.send_signal(number)
        time.sleep(0.02)
    code, err = run.feed(b"end").finish()
    check_equal(code, 0, err)
    check_equal(lab.read().component("ramdisk").content, b"begin end", "ramdisk")


def test_kill(lab):
    """Nothing can be cleaned up; the next run does."""
    run = Fed(lab, "-r").connect().feed(bytes(3 * MIB)).wait_part()
    run.process.kill()
    run.finish()
    check(not lab.out.exists(), "there is an output")
    check(lab.path("out.img.part").exists(), "there was no part to leave")
    check_run(lab.create(), 0)
    lab.read()
    check(not lab.path("out.img.part").exists(), "the part is left")


def test_two_writers(lab):
    """The second is refused, and does not harm the first."""
    run = Fed(lab, "-r").connect().feed(b"the ").wait_part()
    for words in ((), ("--overwrite",)):
        check_run(lab.create(*words), 1, "is being written by another process")
    check(lab.path("out.img.part").exists(), "the part of the first is gone")
    code, err = run.feed(b"first").finish()
    check_equal(code, 0, err)
    check_equal(lab.read().component("ramdisk").content, b"the first", "ramdisk")


def test_race(lab):
    """Many at a time: one wins, and what is there is whole."""
    runs = []
    threads = [threading.Thread(target=lambda: runs.append(lab.create())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check_equal(sorted(run.code for run in runs), [0] + [1] * 7, "exit status")
    for run in runs:
        check(run.code == 0 or "exists already" in run.err or "another process" in run.err, run.err)
    lab.read()
    check(not lab.path("out.img.part").exists(), "a part is left")


def test_late_output(lab):
    """An output that appears while the image is sealed is not replaced without --overwrite."""
    run = Fed(lab, "-r").connect().feed(b"x").wait_part()
    lab.out.write_bytes(OLD)
    code, err = run.finish()
    check_equal(code, 1, err)
    check_in("exists already", err, "message")
    lab.check_nothing_left(old=OLD)


def test_fifos(lab):
    """Pipes in place of all files: each is read once, from begin to end."""
    inputs = {"-i": lab.kernel, "-r": lab.ramdisk, "-p": lab.parmfile, "--cck": lab.cck,
              "--hdr-key": lab.hdr_key, "--image-key": lab.image_key}
    argv, threads = ["image", "create", "-k", lab.hkd[0], "--no-verify", "-o", lab.out], []
    for option, path in inputs.items():
        fifo = lab.path(f"fifo{option}")
        os.mkfifo(fifo)
        argv += [option, fifo]
        threads.append(threading.Thread(target=fifo.write_bytes, args=(path.read_bytes(),)))
        threads[-1].start()
    check_run(lab.run(*argv), 0)
    for thread in threads:
        thread.join()
    seen = lab.read()
    check_equal(seen.component("kernel").content, lab.kernel.read_bytes(), "kernel")
    check_equal(seen.component("ramdisk").content, lab.ramdisk.read_bytes(), "ramdisk")
    check_equal(seen.secrets.image_key, lab.image_key.read_bytes(), "image key")


# --- Memory --------------------------------------------------------------------------------------

MEASURE = """
import os, resource, subprocess, sys
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
"""


def peak_rss(lab, *args):
    """Of one run, by a small process: a child's count starts with its parent's memory."""
    run = subprocess.run([sys.executable, "-S", "-c", MEASURE, lab.zpv, *map(str, args)],
                         stdout=subprocess.PIPE, text=True, env=lab.env(), timeout=1200, check=True)
    code, rss = map(int, run.stdout.split())
    check_equal(code, 0, "exit status")
    return rss


def test_memory(lab, size, folder=None):
    if common.sanitized() != "none":
        raise Skip(f"memory says nothing with -Db_sanitize={common.sanitized()}")
    with common.scratch(folder) as big:
        need = size + size // 2
        if shutil.disk_usage(big).free < need:
            raise Skip(f"less than {need >> 30} GiB free in {big}")
        sparse, out = big / "sparse", big / "out.img"
        with open(sparse, "wb") as f:
            f.truncate(size)
        rss = {"create": peak_rss(lab, "image", "create", "-q", *lab.inputs("-r", sparse),
                                  "-o", out)}
        check(out.stat().st_size > size, "the image is too small")
        rss["info --verify"] = peak_rss(lab, "image", "info", "--verify", "--host-key",
                                        lab.host_key[0], out)
    for what, peak in rss.items():
        print(f"# {what}: {peak / MIB:.1f} MiB for a ramdisk of {size // MIB} MiB")
        check(peak < PEAK_RSS, f"{what}: {peak} bytes, at most {PEAK_RSS}")


def output_tests(lab):
    yield "output: exists", bind(test_exists, lab)
    yield "output: a link", bind(test_link, lab)
    for path, message in (("/dev/null", "not a regular file"), ("/nowhere/x", ABSENT),
                          (lab.dir, "not a regular file"), ("/proc/x", ""), ("", "")):
        for words in ((), ("--overwrite",)):
            yield f"output: {path or 'empty'} {' '.join(words)}", bind(
                refused_output, lab, path, message, *words)
    yield "output: longer than a name may be", bind(
        refused_output, lab, lab.path("x" * 252), "too long")
    for what, make in (("a folder", lambda p: p.mkdir()), ("a FIFO", os.mkfifo),
                       ("a link", lambda p: p.symlink_to("/nowhere")),
                       ("a file with two names", lambda p: p.hardlink_to(lab.kernel))):
        yield f"part: {what}", bind(test_part_in_the_way, lab, make)
    yield "part: left behind", bind(test_left_part, lab)
    yield "output: no permission", bind(test_no_permission, lab)
    yield "input: no permission", bind(test_unreadable, lab)
    yield "output: mode", bind(test_mode, lab)
    yield "disk full", bind(test_full_disk, lab)
    yield "limit of file size", bind(test_file_limit, lab)
    yield "standard output: full", bind(test_full_output, lab)
    yield "standard output: a pipe", bind(test_pipe, lab)
    yield "standard output: a closed pipe", bind(test_closed_pipe, lab)
    yield "standard error: a closed pipe", bind(test_closed_stderr, lab)
    for closed in ((2,), (1, 2), (0, 1, 2)):
        yield f"closed descriptors {closed}", bind(test_closed_descriptors, lab, closed)
    for folder in ("/nowhere", "/proc", lab.kernel):
        yield f"TMPDIR {folder}", bind(test_temp_dir, lab, folder, "temporary file")
    yield "TMPDIR is clean afterwards", bind(test_temp_dir_clean, lab)


def signal_tests(lab):
    states = [(opening, "-i"), (opening, "-r"), (opening, "-p"), (opening, "--cck"),
              (reading_begin, "-i"), (reading_begin, "-r"), (reading_begin, "-p"),
              (reading_begin, "--cck"), (reading_middle, "-i"), (reading_middle, "-r"),
              (reading_middle, "-p"), (reading_middle, "--hdr-key")]
    for (state, option), number in itertools.product(states, STOP_SIGNALS):
        if number == signal.SIGINT or state is reading_middle:
            yield f"{number.name} while {state.__name__} {option}", bind(
                test_signal_blocked, lab, state, option, number)
    yield "SIGTERM while writing to a pipe", bind(test_signal_to_stdout, lab)
    sparse = lab.path("sparse")
    with open(sparse, "wb") as f:
        f.truncate(96 * MIB)
    for number in STOP_SIGNALS:
        yield f"{number.name} at random moments", bind(
            test_signal_random, lab, sparse, number, 6)
        yield f"{number.name} ignored", bind(test_ignored, lab, number)
    yield "SIGKILL", bind(test_kill, lab)
    yield "two writers", bind(test_two_writers, lab)
    yield "eight writers", bind(test_race, lab)
    yield "output that comes late", bind(test_late_output, lab)
    yield "pipes as inputs", bind(test_fifos, lab)


def tests(lab, _args):
    for name, *row in INPUT_ROWS:
        yield name, bind(test_input, lab, *row)
    yield "command line: the kernel's maximum", bind(test_max_cmdline, lab)
    for stage3a, stage3b, message in ((24, 1000, "Invalid stage3a"), (1000, 64, "Invalid stage3b"),
                                      (0, 0, "Invalid stage3a"), (MIB + 1, 100, "larger than")):
        yield f"loaders of {stage3a} and {stage3b} bytes", bind(
            test_loader_sizes, lab, stage3a, stage3b, message)
    yield from output_tests(lab)
    yield from signal_tests(lab)
    yield "memory for 256 MiB", bind(test_memory, lab, 256 * MIB)


def full(lab, _args):
    yield "memory for 8 GiB", bind(test_memory, lab, 8 << 30)


if __name__ == "__main__":
    sys.exit(common.main(__doc__, tests, full))
