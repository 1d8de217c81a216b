#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
zpv image test: is an image for this machine?

Usage: image_test_test.py ZPV BUILD
"""
import os
import subprocess
import sys

import common
from common import GOLDEN, bind, check, check_in, check_run, seread, setamper

DEFAULT_PATH = "/sys/firmware/uv/keys/all"
YES, NO = "[ok]", "[no]"
ZERO = "0" * 64
NONE_INCLUDED = f" {NO} None of the key hashes is included\n"


def hash_of(lab, host):
    return seread.phkh_of(common.read_key(lab.host_key[host]).public).hex()


def included(path, yes):
    return f" {YES if yes else NO} Host key document '{path}' is {'' if yes else 'not '}included\n"


def run(lab, image, *words, **options):
    return lab.run("image", "test", *words, image, **options)


# For images of host A, of host B, and of both.
DOCUMENT_ROWS = [  # documents given, hosts of the image, exit code
    ("A", "A", 0), ("B", "A", 1), ("A B", "A", 0), ("B A", "A", 0), ("A B", "AB", 0),
    ("B", "AB", 0), ("A", "B", 1), ("A A", "B", 1),
]


def image_for(lab, hosts):
    path = lab.path(f"for-{hosts}.img")
    if not path.exists():
        docs = [word for host in hosts for word in ("-k", lab.hkd["AB".index(host)])]
        check_run(lab.run("image", "create", "-i", lab.kernel, *docs, "--no-verify", "-o", path), 0)
    return path


def test_documents(lab, given, hosts, code):
    docs = [(host, lab.hkd["AB".index(host)]) for host in given.split()]
    out = "".join(included(path, host in hosts) for host, path in docs)
    image = image_for(lab, hosts)
    check_run(run(lab, image, *(w for _, path in docs for w in ("-k", path))), code, out=out)
    check_run(run(lab, image, "-k", ",".join(str(path) for _, path in docs)), code, out=out)
    check_run(run(lab, image, "-q", *(w for _, path in docs for w in ("-k", path))), code, out="")


def test_der(lab):
    der = lab.path("a.der")
    subprocess.run(["openssl", "x509", "-in", lab.hkd[0], "-outform", "DER", "-out", der],
                   check=True)
    check_run(run(lab, image_for(lab, "A"), "-k", der), 0, out=included(der, True))


def test_golden(lab):
    for name, codes in (("sealed.img", (0, 0)), ("plain-components.img", (1, 0))):
        for hkd, code in zip(lab.hkd, codes):
            check_run(run(lab, GOLDEN / name, "-k", hkd), code, out=included(hkd, not code))


def test_glyphs(lab):
    result = run(lab, image_for(lab, "A"), "-k", ",".join(map(str, lab.hkd)),
                 env={"LC_ALL": "C.UTF-8"})
    check_run(result, 0, out=included(lab.hkd[0], True).replace(YES, "\u2713")
              + included(lab.hkd[1], False).replace(NO, "\u2718"))


def hashes(lab, places):
    """15 lines; places: line number -> hash or host."""
    lines = [ZERO] * 15
    for at, value in places.items():
        lines[at] = hash_of(lab, "AB".index(value)) if value in "AB" else value
    return lines


HASH_ROWS = [  # name, lines that are not zero, exit code, message for the hash of A
    ("host key", {0: "A"}, 0, "Host key hash"),
    ("backup host key", {1: "A"}, 0, "Backup host key hash"),
    ("a reserved line", {2: "A"}, 0, "Key hash"),
    ("the last line", {14: "A"}, 0, "Key hash"),
    ("another machine", {0: "B"}, 1, None),
    ("all zero", {}, 1, None),
    ("host and another backup", {0: "A", 1: "B"}, 0, "Host key hash"),
]


def test_hashes(lab, places, code, label):
    path = lab.write("hashes", "\n".join(hashes(lab, places)).encode() + b"\n")
    out = f" {YES} {label} {hash_of(lab, 0)} is included\n" if label else NONE_INCLUDED
    check_run(run(lab, image_for(lab, "A"), f"--key-hashes={path}"), code, out=out)


def test_zero_slot(lab):
    """An all-zero hash matches an all-zero slot, as any other hash would."""
    data = setamper.tamper(image_for(lab, "A").read_bytes(), [f"slot0.phkh={ZERO}"])
    path = lab.write("hashes", "\n".join(hashes(lab, {0: "A"})).encode() + b"\n")
    result = run(lab, lab.write("zero.img", data), f"--key-hashes={path}")
    check_run(result, 0)
    check_in(f" {YES} Key hash {ZERO} is included\n", result.out, "output")


def test_identity(lab):
    """The file that belongs to a software machine; its backup key, too."""
    machine = lab.identity()
    for prefix, label in (("HKD-", "Host key hash"), ("backup-HKD-", "Backup host key hash")):
        hkd = next(machine.glob(f"{prefix}*.crt"))
        image = lab.path("machine.img")
        check_run(lab.run("image", "create", "-i", lab.kernel, "-k", hkd, "--no-verify",
                          "--overwrite", "-o", image), 0)
        result = run(lab, image, f"--key-hashes={machine / 'uv-keys-all'}")
        check_run(result, 0)
        check_in(f" {YES} {label} ", result.out, "output")
        check_run(run(lab, image, "-k", hkd), 0, out=included(hkd, True))


BAD_HASHES = [  # name, function of 15 good lines -> file content, message
    ("14 lines", lambda t: "\n".join(t[:14]) + "\n", "Invalid UV key hashes: 14 lines, not 15"),
    ("16 lines", lambda t: "\n".join([*t, ZERO]) + "\n", "Invalid UV key hashes: 16 lines"),
    ("an empty last line", lambda t: "\n".join(t) + "\n\n", "Invalid UV key hashes: 16 lines"),
    ("no line", lambda t: "", "Invalid UV key hashes: 0 lines"),
    ("an empty line", lambda t: "\n".join([*t[:3], "", *t[4:]]), "in line 4"),
    ("63 digits", lambda t: "\n".join([t[0][:-1], *t[1:]]), "Invalid target key hash in line 1"),
    ("65 digits", lambda t: "\n".join([*t[:14], ZERO + "0"]), "key hash in line 15"),
    ("no digit", lambda t: "\n".join([*t[:2], "g" * 64, *t[3:]]), "key hash in line 3"),
    ("0x", lambda t: "\n".join(["0x" + ZERO[2:], *t[1:]]), "Invalid target key hash in line 1"),
    ("white space", lambda t: "\n".join([" " + ZERO[1:], *t[1:]]), "key hash in line 1"),
    ("carriage returns", lambda t: "\r\n".join(t) + "\r\n", "Invalid target key hash in line 1"),
    ("NUL bytes", lambda t: "\0" * 100, "Invalid"),
    ("too large", lambda t: "\n".join([ZERO] * 1000), ""),
]


def test_bad_hashes(lab, change, message):
    path = lab.write("hashes", change(hashes(lab, {0: "A"})).encode())
    check_run(run(lab, image_for(lab, "A"), f"--key-hashes={path}"), 1, message, out="")


def test_good_spellings(lab):
    """Capital digits, and no newline at the end."""
    lines = hashes(lab, {0: "A"})
    for text in ("\n".join(lines), "\n".join(line.upper() for line in lines) + "\n"):
        path = lab.write("hashes", text.encode())
        check_run(run(lab, image_for(lab, "A"), f"--key-hashes={path}"), 0)


def test_default_path(lab):
    """Only a machine with an Ultravisor has the file."""
    result = run(lab, image_for(lab, "A"), "--key-hashes")
    if os.path.exists(DEFAULT_PATH):
        raise common.Skip("this machine has an Ultravisor")
    check_run(result, 1, DEFAULT_PATH, out="")
    check_in("this machine's Ultravisor tells no host-key hashes", result.err, "message")


RULE_ROWS = [
    ("IMG", 2, "exactly one of '--host-key-document', '--key-hashes' is needed, not none"),
    ("-k A --key-hashes=F IMG", 2, "not several"),
    ("-k A", 2, "IMAGE is missing"),
    ("--key-hashes F IMG", 2, "one IMAGE is expected"),
    ("-k A IMG IMG", 2, "one IMAGE is expected"),
    ("--key-hashes=F --key-hashes=F IMG", 2, "is given twice"),
    ("-k /nowhere IMG", 1, "No such file"),
    ("-k IMG IMG", 1, ""),
    ("--key-hashes=/nowhere IMG", 1, "No such file"),
    ("--key-hashes=/ IMG", 1, "directory"),
    ("--key-hashes= IMG", 1, "No such file"),
    ("-k A /nowhere", 1, "No such file"),
    ("-k A A", 1, "No Secure Execution header found."),
]


def test_rule(lab, argv, code, message):
    files = {"IMG": image_for(lab, "A"), "A": lab.hkd[0], "F": lab.write("f", b"")}
    words = [str(files.get(word, word)) for word in argv.split()]
    for name, first in (("zpv", ["image", "test"]), ("pvimg", ["test"])):
        result = lab.run(*first, *words, name=name)
        check_run(result, code, message, out="")
        check(result.err.count("error: ") == 1, result.err)


def tests(lab, _args):
    for row in DOCUMENT_ROWS:
        yield f"documents {row[0]}, image for {row[1]}", bind(test_documents, lab, *row)
    yield "document in DER", bind(test_der, lab)
    yield "another tool's images", bind(test_golden, lab)
    yield "glyphs", bind(test_glyphs, lab)
    for name, *row in HASH_ROWS:
        yield f"hashes: {name}", bind(test_hashes, lab, *row)
    yield "hashes: zero in a slot", bind(test_zero_slot, lab)
    yield "hashes: of a software machine", bind(test_identity, lab)
    for name, change, message in BAD_HASHES:
        yield f"hashes: {name}", bind(test_bad_hashes, lab, change, message)
    yield "hashes: spellings", bind(test_good_spellings, lab)
    yield "hashes: default path", bind(test_default_path, lab)
    for row in RULE_ROWS:
        yield f"words: {row[0]}", bind(test_rule, lab, *row)


if __name__ == "__main__":
    sys.exit(common.main(__doc__, tests))
