#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Offline tests of scripts/: package list, apt sources, initramfs. Prints TAP."""

import gzip
import os
import re
import stat
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
KEY = "/usr/share/keyrings/debian-archive-keyring.gpg"

# name, {file: text}, expected "URI KEYRING" lines, the likeliest first; @ is the running release
SOURCES = [
    ("no sources", {}, []),
    ("deb822", {"d/debian.sources": f"""\
# a comment
Types: deb deb-src
URIs: http://one.example/debian
Suites: @ @-updates
Components: main contrib
Signed-By: {KEY}

Types: deb
URIs: http://one.example/debian-security
Suites: @-security
Components: main
"""}, [f"http://one.example/debian {KEY}"]),
    ("deb822: continuation lines, comments within, inline key", {"d/debian.sources": """\
Types: deb
URIs:
# http://old.example/debian
 http://two.example/debian/
 http://three.example/debian/
Suites:
 @
Components: contrib
 main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 bWFpbg==
 -----END PGP PUBLIC KEY BLOCK-----
"""}, ["http://two.example/debian/ -", "http://three.example/debian/ -"]),
    ("deb822: disabled, sources only, no main", {"d/debian.sources": """\
Enabled: no
Types: deb
URIs: http://disabled.example/debian
Suites: @
Components: main

Types: deb-src
URIs: http://sources.example/debian
Suites: @
Components: main

Types: deb
URIs: http://contrib.example/debian
Suites: @
Components: contrib
"""}, []),
    ("one-line: options, comments, cdrom", {"sources.list": f"""\
# deb http://commented.example/debian @ main
deb-src http://sources.example/debian @ main
deb [ arch=amd64,arm64 signed-by={KEY} ] http://four.example/debian @ main non-free # why
deb http://four.example/debian-security @-security main
deb cdrom:[Debian]/ @ main
"""}, [f"http://four.example/debian {KEY}"]),
    ("files that apt ignores", {"d/x.sources.disabled": "Types: deb\nURIs: http://x.example/debian\n"
                                "Suites: @\nComponents: main\n"}, []),
    ("Debian before a third party", {
        "d/a.list": "deb [signed-by=/usr/share/keyrings/shop.gpg] http://shop.example/x stable main\n",
        "d/b.sources": f"Types: deb\nURIs: http://five.example/debian\nSuites: @\nComponents: main\n"
                       f"Signed-By: {KEY}\n",
    }, [f"http://five.example/debian {KEY}", "http://shop.example/x -"]),
    ("a list of mirrors", {
        "d/c.sources": "Types: deb\nURIs: mirror+file:///etc/apt/mirrors/debian.list\nSuites: @\n"
                       "Components: main\n",
    }, ["mirror+file:///etc/apt/mirrors/debian.list -"]),
]


def script(name, *args, **env):
    done = subprocess.run([os.path.join(TOP, "scripts", name), *args], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL, env={**os.environ, **env})
    return done.returncode, done.stdout


def release():
    with open("/etc/os-release", encoding="utf-8") as f:
        m = re.search(r"^VERSION_CODENAME=(\w+)", f.read(), re.MULTILINE)
    return m[1] if m else "sid"


def read_cpio(raw):
    """newc records: path -> (mode, mtime, uid, rdev, data)."""
    at, files = 0, {}
    while True:
        assert raw[at:at + 6] == b"070701", f"no newc record at {at}"
        f = [int(raw[at + 6 + 8 * i:at + 14 + 8 * i], 16) for i in range(13)]
        name = raw[at + 110:at + 110 + f[11] - 1].decode()
        start = at + (110 + f[11] + 3 & ~3)
        if name == "TRAILER!!!":
            return files
        files[name] = (f[1], f[5], f[2], (f[9], f[10]), raw[start:start + f[6]])
        at = start + (f[6] + 3 & ~3)


class Tap:
    def __init__(self):
        self.number = self.failures = 0

    def check(self, name, good, output=""):
        self.number += 1
        self.failures += not good
        print(f"{'ok' if good else 'not ok'} {self.number} - {name}", flush=True)
        if not good:
            print("".join(f"# {line}\n" for line in str(output).splitlines()), end="")


def test_sources(tap, top):
    for i, (name, files, expected) in enumerate(SOURCES):
        etc = os.path.join(top, f"etc{i}")
        for path, text in files.items():
            path = os.path.join(etc, re.sub("^d/", "sources.list.d/", path))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as f:
                f.write(text.replace("@", release()))
        code, out = script("s390x-packages", "--archives", ZPV_APT_ETC=etc)
        found = [line.split(" ", 1)[1] for line in out.splitlines()]
        tap.check(f"apt sources: {name}", code == 0 and found == expected, out)


def test_setup(tap):
    lists = {}
    for need in ("build", "test", "full", "bench"):
        code, out = script("setup", "--need", need, "--list")
        rows = [line.split("\t") for line in out.splitlines()]
        lists[need] = {row[0] for row in rows}
        good = code == 0 and rows and all(len(r) == 2 and r[1].strip() for r in rows)
        tap.check(f"setup: every package of '{need}' has a reason", good, out)
    tap.check("setup: needs include others", lists["build"] < lists["test"] < lists["full"]
              and lists["build"] < lists["bench"])
    code, out = script("setup", "--need", "nonsense")
    tap.check("setup: unknown need", code == 2 and "nonsense" in out, out)


def test_arguments(tap):
    for name, args, expected in [
        ("no suite", ["--dest", "/tmp/x", "hello"], "--suite"),
        ("no dest", ["--suite", "sid", "hello"], "--dest"),
        ("no package", ["--suite", "sid", "--dest", "/tmp/x"], "no package"),
        ("a bad name", ["--suite", "sid", "--dest", "/tmp/x", "../x"], "no Debian package name"),
        ("an unknown option", ["--nonsense"], "--nonsense"),
    ]:
        code, out = script("s390x-packages", *args)
        tap.check(f"s390x-packages: {name}", code == 2 and expected in out, out)


def test_initramfs(tap, top):
    busybox, extra = os.path.join(top, "busybox"), os.path.join(top, "prog")
    for path, data in ((busybox, b"\x7fELF busybox"), (extra, b"odd")):
        with open(path, "wb") as f:
            f.write(data)
    os.chmod(extra, 0o755)
    outs = []
    for name in ("one", "two"):
        outs.append(os.path.join(top, name))
        code, out = script("mkinitramfs", busybox, outs[-1], f"{extra}=/a/b/prog")
        if code != 0:
            tap.check("mkinitramfs runs", False, out)
            return
    with open(outs[0], "rb") as a, open(outs[1], "rb") as b:
        packed = a.read()
        tap.check("mkinitramfs: the same bytes twice", packed == b.read())
    files = read_cpio(gzip.decompress(packed))
    tap.check("mkinitramfs: sorted", list(files) == sorted(files), list(files))
    tap.check("mkinitramfs: dated 0, owned by root",
              all(f[1] == 0 and f[2] == 0 for f in files.values()))
    console = files.get("dev/console")
    tap.check("mkinitramfs: /dev/console is character device 5:1",
              console and stat.S_ISCHR(console[0]) and console[3] == (5, 1), console)
    tap.check("mkinitramfs: /init is executable", files["init"][0] & 0o777 == 0o755)
    tap.check("mkinitramfs: extra file with its folders", files["a/b/prog"][4] == b"odd"
              and stat.S_ISDIR(files["a"][0]) and stat.S_ISDIR(files["a/b"][0]))
    code, out = script("mkinitramfs", extra, os.path.join(top, "three"))
    tap.check("mkinitramfs: busybox must be ELF", code == 1 and "ELF" in out
              and not os.path.exists(os.path.join(top, "three")), out)
    code, out = script("mkinitramfs", busybox, os.path.join(top, "no/folder"))
    tap.check("mkinitramfs: output folder must exist",
              code == 1 and out.startswith("mkinitramfs: ") and "Traceback" not in out, out)


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory() as top:
        test_sources(tap, top)
        test_setup(tap)
        test_arguments(tap)
        test_initramfs(tap, top)
    print(f"1..{tap.number}")
    return 1 if tap.failures else 0


if __name__ == "__main__":
    sys.exit(main())
