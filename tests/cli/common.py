# SPDX-License-Identifier: MIT
"""
What the tests of the program share: the program, its inputs, and the independent reader.

Images are read by tests/reader, never by the program's own code.
"""
import argparse
import contextlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

TOP = Path(__file__).resolve().parents[2]
for _room in ("loader", "reader"):
    sys.path.insert(0, str(TOP / "tests" / _room))

import secrypt  # noqa: E402
import seread  # noqa: E402
import setamper  # noqa: E402
import tap  # noqa: E402
from tap import Skip, check_equal, check_in  # noqa: E402, F401

GOLDEN = TOP / "tests" / "golden" / "se-image"
SUCCESS = "Successfully generated the Secure Execution image.\n"
SIGNING_FILES = ("DigiCertCA.crt", "ibm-z-host-key-signing-gen2.crt")
CRL_FILES = ("rootCA.crl", "DigiCertCA.crl", "ibm-z-host-key-gen2.crl")
TIMEOUT = 120


class Run(NamedTuple):
    """What a run of the program came to; code is negative when a signal ended it."""
    code: int
    out: str
    err: str
    raw: bytes = b""


def check(condition, text):
    if not condition:
        raise AssertionError(text)


def check_run(run, code, err="", out=None):
    """Exit status, a part of standard error, and standard output as a whole unless it is None."""
    check(run.code == code and err in run.err, f"exit status {run.code}, stderr {run.err!r}; "
          f"expected {code} and {err!r}")
    if out is not None:
        check_equal(run.out, out, "standard output")


def pattern(size, seed):
    return random.Random(seed).randbytes(size)


def fake_kernel(size=0x12345, max_cmdline=0, seed=1):
    """Nothing that runs, but what is looked at in a kernel is there."""
    kernel = bytearray(pattern(size, seed))
    kernel[0x10008:0x1000e] = b"S390EP"
    kernel[0x10430:0x10438] = max_cmdline.to_bytes(8, "big")
    return bytes(kernel)


def read_key(path):
    return secrypt.load_host_key(Path(path).read_text())


class Lab:
    """The program under test, and a folder with everything that an image is made of."""

    def __init__(self, zpv, folder):
        self.zpv, self.dir = str(Path(zpv).resolve()), Path(folder)
        self.kernel = self.write("kernel", fake_kernel())
        self.ramdisk = self.write("ramdisk", pattern(20001, 2))
        self.parmfile = self.write("parmfile", b"console=ttysclp0 quiet\n")
        self.cck = self.write("cck", pattern(32, 3))
        self.hdr_key = self.write("hdr.key", pattern(32, 4))
        self.image_key = self.write("image.key", pattern(64, 5))
        self.hkd = [GOLDEN / "host1.crt", GOLDEN / "host2.crt"]
        self.host_key = [GOLDEN / "host1.key", GOLDEN / "host2.key"]
        self.out = self.dir / "out.img"
        self._identity = None

    def write(self, name, content):
        path = self.dir / name
        path.write_bytes(content)
        return path

    def path(self, name):
        return self.dir / name

    def called(self, name):
        """The program under another name."""
        link = self.dir / "bin" / name
        link.parent.mkdir(exist_ok=True)
        if not link.is_symlink():
            link.symlink_to(self.zpv)
        return str(link)

    def run(self, *args, name=None, env=None, check_signal=True, **options):
        """Run the program to its end. env: changes of the environment."""
        argv = [self.called(name) if name else self.zpv, *map(str, args)]
        done = subprocess.run(argv, stdout=options.pop("stdout", subprocess.PIPE),
                              stdin=options.pop("stdin", subprocess.DEVNULL),
                              stderr=subprocess.PIPE, env=self.env(env), timeout=TIMEOUT,
                              check=False, **options)
        run = Run(done.returncode, (done.stdout or b"").decode(errors="replace"),
                  done.stderr.decode(errors="replace"), done.stdout)
        check(run.code >= 0 or not check_signal, f"{argv} ended by signal {-run.code}: {run.err}")
        check("Sanitizer" not in run.err and "runtime error" not in run.err, run.err)
        return run

    def env(self, changes=None):
        """A fixed locale; the sanitizers end the program as a crash does."""
        env = {**os.environ, "LC_ALL": "C", "ASAN_OPTIONS": "abort_on_error=1:detect_leaks=1",
               "UBSAN_OPTIONS": "halt_on_error=1:abort_on_error=1:print_stacktrace=1"}
        env.pop("TMPDIR", None)
        env["XDG_DATA_HOME"] = str(self.dir / "data")   # where a default identity is made
        return {**env, **(changes or {})}

    def inputs(self, *args, hkds=1):
        """Arguments for an image for the first hosts, without verification or output."""
        docs = [word for hkd in self.hkd[:hkds] for word in ("-k", hkd)]
        return ["-i", self.kernel, *docs, "--no-verify", *args]

    def create(self, *args, hkds=1, out=None, **options):
        return self.run("image", "create", *self.inputs(*args, hkds=hkds), "-o",
                        self.out if out is None else out, **options)

    def make(self, name, *args, **options):
        """An image that must succeed."""
        path = self.path(name)
        check_run(self.create("--overwrite", *args, out=path, **options), 0, out=SUCCESS)
        return path

    def full_args(self):
        """All components and keys, as for an image whose every byte the test knows."""
        return ["-r", self.ramdisk, "-p", self.parmfile, "--cck", self.cck,
                "--hdr-key", self.hdr_key, "--image-key", self.image_key]

    def read(self, path=None, host=0, **expect):
        """The image as the independent reader sees it; it raises when anything is not in order."""
        key = read_key(self.host_key[host])
        return seread.read_image(Path(path or self.out).read_bytes(), key,
                                 expect=seread.Expect(**expect))

    def info(self, image, *args, code=0, **options):
        """The JSON of an image."""
        run = self.run("image", "info", "--format", "json", image, *args, **options)
        check_run(run, code)
        return json.loads(run.out)

    def identity(self):
        """The folder of a software machine; made once."""
        if not self._identity:
            folder = self.dir / "machine"
            check_run(self.run("host", "create", folder, "--serial", "TEST1"), 0)
            self._identity = folder
        return self._identity

    def chain(self, crls=CRL_FILES):
        """Arguments that verify against the identity's own root, offline."""
        machine = self.identity()
        words = ["--offline", "--root-ca", machine / "rootCA.crt"]
        for option, names in (("-C", SIGNING_FILES), ("--crl", crls)):
            for name in names:
                words += [option, machine / name]
        return words

    def identity_hkd(self):
        return next(self.identity().glob("HKD-*.crt"))

    def clear(self):
        """No output of an earlier test."""
        for path in (self.out, Path(f"{self.out}.part")):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    def check_nothing_left(self, path=None, old=None):
        """No output and no part, or the old output as it was."""
        path = Path(path or self.out)
        check(not Path(f"{path}.part").exists(), f"{path}.part is left")
        if old is None:
            check(not os.path.lexists(path), f"{path} is there")
        else:
            check_equal(path.read_bytes(), old, "the old output")


def s390x_dir():
    """Where scripts/guest put Debian's packages."""
    return Path(os.environ.get("ZPV_S390X_DIR") or TOP / "build" / "s390x")


def s390x_file(*parts, need):
    path = s390x_dir().joinpath(*parts)
    if not path.exists():
        raise Skip(f"{path} is not there; run 'scripts/guest {need}'")
    return path


def sanitized():
    """Sanitizers of the build under test: "none" or names."""
    return os.environ.get("ZPV_SANITIZE", "none")


@contextlib.contextmanager
def scratch(parent=None):
    """A folder for one script, readable by other users (a test runs the program as one)."""
    folder = tempfile.mkdtemp(prefix="zpv-cli-", dir=parent)
    os.chmod(folder, 0o755)
    try:
        yield Path(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def arguments(doc):
    """Arguments of every script: the program, its build folder, and the suite."""
    parser = argparse.ArgumentParser(description=doc)
    parser.add_argument("zpv", type=Path)
    parser.add_argument("build", type=Path)
    parser.add_argument("--full", action="store_true", help="only what takes long")
    return parser.parse_args()


def bind(function, *args, **options):
    """Of rows of tests."""
    return lambda: function(*args, **options)


def cleared(lab, function):
    def test():
        lab.clear()
        function()
    return test


def main(doc, tests, full=None):
    """Run tests(lab, args), or full(lab, args) with --full; they yield (name, function)."""
    args = arguments(doc)
    with scratch() as folder:
        lab = Lab(args.zpv, folder)
        rows = (full if args.full else tests)(lab, args)
        return tap.run([(name, cleared(lab, function)) for name, function in rows])
