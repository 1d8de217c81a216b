#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
zpv image create: options, names, rules, exit codes, and what is in the image afterwards.

Usage: create_test.py ZPV BUILD
"""
import itertools
import re
import subprocess
import sys

import common
from common import GOLDEN, SUCCESS, bind, check, check_equal, check_in, check_run

DUMP, PLAIN, HMAC, BACKUP, DEFAULT = 0x20000000, 0x10000000, 0x10, 0x02, 0xe0
EXTENSION, UPDATE = 1 << 62, 1 << 61
PAIRS = ("dump", "cck-extension-secret", "cck-update", "pckmo", "pckmo-hmac", "backup-keys",
         "image-encryption")
FLAGS = [f"--{verb}-{name}" for name in PAIRS for verb in ("enable", "disable")]
VISIBLE = ("-i, --kernel, --image", "-r, --ramdisk", "-p, --parmfile", "-o, --output",
           "-k, --host-key-document", "--no-verify", "-C, --cert", "--crl", "--offline",
           "--root-ca", "--no-component-check", "--overwrite", "--cck, --comm-key", "--hdr-key",
           "--image-key", *FLAGS, "-v, --verbose", "-q, --quiet", "-h, --help", "--version")
HIDDEN = ("--x-pcf", "--x-scf", "--x-psw", "--x-bootloader-directory", "--x-header-key",
          "--x-comp-key", "--crt", "-V", "--help-all", "--help-experimental")


# --- What lands in the image ---------------------------------------------------------------------

# name, options ("CCK" stands for a key file), pcf, scf
FLAG_ROWS = [
    ("nothing", "", DEFAULT, 0),
    ("dump with a CCK", "--enable-dump --cck CCK", DEFAULT | DUMP, 0),
    ("dump with CCK update", "--enable-dump --enable-cck-update", DEFAULT | DUMP, UPDATE),
    ("extension secret", "--enable-cck-extension-secret --cck CCK", DEFAULT, EXTENSION),
    ("CCK update", "--enable-cck-update", DEFAULT, UPDATE),
    ("no PCKMO", "--disable-pckmo", 0, 0),
    ("PCKMO for HMAC", "--enable-pckmo-hmac", DEFAULT | HMAC, 0),
    ("only PCKMO for HMAC", "--enable-pckmo-hmac --disable-pckmo", HMAC, 0),
    ("backup keys", "--enable-backup-keys", DEFAULT | BACKUP, 0),
    ("no encryption", "--disable-image-encryption", DEFAULT | PLAIN, 0),
    ("all defaults stated", "--disable-dump --disable-cck-extension-secret --disable-cck-update "
     "--enable-pckmo --disable-pckmo-hmac --disable-backup-keys --enable-image-encryption",
     DEFAULT, 0),
    ("everything on", "--enable-dump --enable-cck-extension-secret --enable-pckmo "
     "--enable-pckmo-hmac --enable-backup-keys --disable-image-encryption --cck CCK",
     DEFAULT | DUMP | PLAIN | HMAC | BACKUP, EXTENSION),
    ("expert pcf", "--x-pcf 0x200000e0", DEFAULT | DUMP, 0),
    ("expert pcf without 0x", "--x-pcf e2", DEFAULT | BACKUP, 0),
    ("expert pcf with all digits", "--x-pcf=0X00000000000000E0", DEFAULT, 0),
    ("expert pcf: no encryption", "--x-pcf 10000000", PLAIN, 0),
    ("expert pcf: unknown bits", "--x-pcf 0x8000000000000001", 1 << 63 | 1, 0),
    ("expert scf", "--x-scf 0x6000000000000000", DEFAULT, EXTENSION | UPDATE),
    ("expert pcf and scf", "--x-pcf 0 --x-scf 1", 0, 1),
]


def test_flags(lab, options, pcf, scf):
    words = [lab.cck if word == "CCK" else word for word in options.split()]
    image = lab.make("flags.img", *words)
    seen = lab.read(image, any_flags=True)
    check_equal((hex(seen.header.pcf), hex(seen.secrets.scf)), (hex(pcf), hex(scf)), "flags")
    check_equal(seen.component("kernel").content, lab.kernel.read_bytes(), "kernel")
    plain = seen.component("kernel").stored.startswith(lab.kernel.read_bytes())
    check_equal(plain, bool(pcf & PLAIN), "the kernel is in the file as it was")


def check_content(lab, seen, ramdisk=True, cmdline=True):
    """Every component byte for byte."""
    roles = {comp.role: comp.content for comp in seen.components}
    want = {"kernel": lab.kernel.read_bytes()}
    if ramdisk:
        want["ramdisk"] = lab.ramdisk.read_bytes()
    if cmdline:
        want["cmdline"] = lab.parmfile.read_bytes() + b"\0"
    roles.pop("stage3b")
    check_equal(roles, want, "components")
    check_equal(seen.layout.name, "R", "layout")


def test_given_keys(lab, options):
    image = lab.make("keys.img", *options, hkds=2)
    for host in (0, 1):
        seen = lab.read(image, host=host)
        check_content(lab, seen)
        check_equal(seen.header_key, lab.hdr_key.read_bytes(), "header key")
        check_equal(seen.secrets.cck, lab.cck.read_bytes(), "CCK")
        check_equal(seen.secrets.image_key, lab.image_key.read_bytes(), "image key")


def test_random_keys(lab):
    """Nothing repeats from one image to the next."""
    seen = [lab.read(lab.make("random.img")) for _ in range(2)]
    for what, get in {
            "header key": lambda s: s.header_key, "CCK": lambda s: s.secrets.cck,
            "image key": lambda s: s.secrets.image_key, "IV": lambda s: s.header.iv,
            "customer key": lambda s: s.header.cust_pub_key,
            "tweak": lambda s: s.components[0].tweak_pref & 0xffffffffffff}.items():
        check(get(seen[0]) != get(seen[1]), f"the {what} repeats")
        check(get(seen[0]) != bytes(len(get(seen[0])) if what != "tweak" else 0),
              f"the {what} is zero")
    data_key, tweak_key = seen[0].secrets.image_key[:32], seen[0].secrets.image_key[32:]
    check(data_key != tweak_key, "both halves of the image key are the same")


def test_components(lab, ramdisk, cmdline):
    options = ["-r", lab.ramdisk] * ramdisk + ["-p", lab.parmfile] * cmdline
    check_content(lab, lab.read(lab.make("comps.img", *options)), ramdisk, cmdline)


def test_cmdline(lab, content, want):
    seen = lab.read(lab.make("cmdline.img", "-p", lab.write("p", content)))
    check_equal(seen.component("cmdline").content, want, "command line")


def test_sizes(lab, size):
    """Around page and buffer boundaries; the kernel may be of any size without its check."""
    kernel, ramdisk = common.pattern(size, 6), common.pattern(size + 1, 7)
    path, image = lab.write("k", kernel), lab.path("sizes.img")
    check_run(lab.run("image", "create", "-i", path, "-r", lab.write("r", ramdisk), "-k",
                      lab.hkd[0], "--no-verify", "--no-component-check", "--overwrite", "-o",
                      image), 0)
    seen = lab.read(image)
    check_equal(seen.component("kernel").content, kernel, "kernel")
    check_equal(seen.component("ramdisk").content, ramdisk, "ramdisk")


def test_psw(lab):
    seen = lab.read(lab.make("psw.img", "--x-psw", "0x11000"), psw_addr=0x11000)
    check_equal(seen.secrets.psw_addr, 0x11000, "PSW address")


def test_loader_directory(lab):
    """The loaders of another vendor, as far as a file can tell."""
    image = lab.make("vendor.img", "--x-bootloader-directory", GOLDEN)
    seen = lab.read(image)
    check_equal(seen.stage3a[:-24], (GOLDEN / "stage3a.bin").read_bytes()[:-24], "stage3a")
    content = seen.component("stage3b").content
    check_equal(content[:-64], (GOLDEN / "stage3b_reloc.bin").read_bytes()[:-64], "stage3b")


def test_many_hosts(lab, count, code, message):
    words = ["-k", ",".join([str(lab.hkd[0])] * (count - 1) + [str(lab.hkd[1])])]
    run = lab.run("image", "create", "-i", lab.kernel, *words, "--no-verify", "--overwrite", "-q",
                  "-o", lab.path("many.img"))
    check_run(run, code, message)
    if code == 0:
        for host in (0, 1):
            check_equal(lab.read(lab.path("many.img"), host=host).header.nks, count, "key slots")


# --- Host-key documents --------------------------------------------------------------------------

def test_documents(lab, words, hosts):
    """words: as on the command line, with A and B for documents."""
    der = []
    for n in (0, 1):
        der.append(lab.path(f"hkd{n}.der"))
        subprocess.run(["openssl", "x509", "-in", lab.hkd[n], "-outform", "DER", "-out", der[n]],
                       check=True)
    names = {"A": lab.hkd[0], "B": lab.hkd[1], "DER-A": der[0], "DER-B": der[1]}
    words = [re.sub(r"(DER-)?[AB](?=,|$)", lambda m: str(names[m[0]]), word)
             for word in words.split()]
    run = lab.run("image", "create", "-i", lab.kernel, *words, "--no-verify", "--overwrite", "-o",
                  lab.out)
    check_run(run, 0, out=SUCCESS)
    keys = [common.read_key(lab.host_key[host]) for host in hosts]
    seen = [lab.read(host=host) for host in set(hosts)]
    want = [common.seread.phkh_of(key.public) for key in keys]
    check_equal([slot.phkh for slot in seen[0].header.slots], want, "order of the key slots")


def test_bundle(lab):
    """Several certificates in one file: the first, with a warning."""
    both = lab.write("both.crt", lab.hkd[0].read_bytes() + lab.hkd[1].read_bytes())
    run = lab.run("image", "create", "-i", lab.kernel, "-k", both, "--no-verify", "--overwrite",
                  "-o", lab.out)
    check_run(run, 0, "both.crt")
    check_equal(lab.read().header.nks, 1, "key slots")


def verified(lab, *words, code=0, message="", hkd=None):
    out = lab.path("verified.img")
    out.unlink(missing_ok=True)
    run = lab.run("image", "create", "-i", lab.kernel, "-k", hkd or lab.identity_hkd(), *words,
                  "-o", out)
    check_run(run, code, message)
    if code:
        lab.check_nothing_left(out)
    return run


def test_verified(lab):
    run = verified(lab, *lab.chain())
    check("not secured" not in run.err, run.err)
    check_in("SIMULATED", run.err, "the warning about a software machine")
    image = lab.path("verified.img")
    key = common.read_key(lab.identity() / "private" / "host.key")
    check_content(lab, common.seread.read_image(image.read_bytes(), key), False, False)
    lab.info(image, "--verify", "--host-key", lab.identity())


def test_missing_crl(lab, missing):
    crls = [name for name in common.CRL_FILES if name != missing]
    run = verified(lab, *lab.chain(crls), code=1, message="erification failed: ")
    check(re.search("no .*CRL|No valid CRL|CRL .*missing|certificate CRL", run.err, re.I), run.err)


def test_not_trusted(lab, change, message):
    """change: argument list -> argument list."""
    verified(lab, *change(lab.chain()), code=1, message=message)


def without(option, nth):
    """Drop the nth use of an option with its value."""
    def change(words):
        at = [i for i, word in enumerate(words) if word == option][nth]
        return words[:at] + words[at + 2:]
    return change


def chain_tests(lab):
    yield "verified offline by the identity's chain", bind(test_verified, lab)
    for name in common.CRL_FILES:
        yield f"without {name}", bind(test_missing_crl, lab, name)
    yield "without the root", bind(test_not_trusted, lab, without("--root-ca", 0),
                                   "The IBM Z signing key could not be verified")
    yield "without the intermediate", bind(test_not_trusted, lab, without("-C", 0),
                                           "The IBM Z signing key could not be verified")
    yield "without the signing key", bind(test_not_trusted, lab, without("-C", 1),
                                          "Specify one IBM Z signing key")
    yield "document of somebody else", bind(
        lambda: verified(lab, *lab.chain(), code=1, message="Host-key verification failed: ",
                         hkd=lab.hkd[0]))


# --- Names, help, messages -----------------------------------------------------------------------

NAMES = [  # called as, first words
    ("zpv", ["image", "create"]),
    ("pvimg", ["create"]),
    ("genprotimg", []),
    ("s390x-linux-gnu-genprotimg", []),
    ("s390x-pvimg", ["create"]),
]


def test_called_as(lab, name, words):
    options = ["--image", lab.kernel, "--ramdisk", lab.ramdisk, "--parmfile", lab.parmfile,
               "--host-key-document", lab.hkd[0], "--no-verify", "--overwrite", "--output", lab.out]
    check_run(lab.run(*words, *options, name=name), 0, out=SUCCESS)
    check_content(lab, lab.read())


def test_ecosystem(lab):
    """The line that coreos-installer, ostree and others have agreed on."""
    run = lab.run("create", "--kernel", lab.kernel, "--ramdisk", lab.ramdisk, "--parmfile",
                  lab.parmfile, "--output", lab.out, "--overwrite", "--host-key-document",
                  lab.hkd[0], "--no-verify", name="pvimg")
    check_run(run, 0, out=SUCCESS)
    check_content(lab, lab.read())


def test_kvm_unit_tests(lab, options, pcf):
    """Its makefile probes --help, then calls this."""
    text = lab.run("--help", name="genprotimg").out
    check("--comm-key" in text and "--overwrite" in text, text)
    words = [lab.cck if word == "CCK" else word for word in options.split()]
    lab.out.unlink(missing_ok=True)
    run = lab.run("--no-verify", "--image", lab.kernel, "--host-key-document", lab.hkd[0], *words,
                  "-o", lab.out, name="genprotimg")
    check_run(run, 0, "verification is disabled", out=SUCCESS)
    check_equal(hex(lab.read().header.pcf), hex(pcf), "pcf")


def test_help(lab, name, words):
    run = lab.run(*words, "--help", name=name)
    check_run(run, 0, out=None)
    check_equal(run.err, "", "standard error")
    check_in(f"Usage: {' '.join([name if name != 's390x-pvimg' else 'pvimg', *words])} [OPTIONS]"
             if "genprotimg" not in name else "Usage: genprotimg [OPTIONS]", run.out, "help")
    for option in VISIBLE:
        check(re.search(rf"^ +{re.escape(option)}\b", run.out, re.MULTILINE),
              f"no {option} in {run.out}")
    for option in HIDDEN:
        check(f"{option} " not in run.out and f"{option}\n" not in run.out, f"{option} is shown")
    check(all(len(line) <= 90 for line in run.out.splitlines()), "lines are longer than 90")
    check_equal(run.out, run.out.encode("ascii", "replace").decode(), "ASCII")


def test_version(lab, name, words):
    for argv in ([*words, "--version"], *([["--version"]] if words else [])):
        run = lab.run(*argv, name=name)
        check_run(run, 0)
        check(re.fullmatch(r"[a-z ]+ version \d+\.\d+\.\d+\n", run.out), run.out)


def test_verbosity(lab):
    """-v adds, -q takes away; -V is -v with a warning; errors are told always."""
    plain, verbose, old, quiet = (lab.create("--overwrite", *word)
                                  for word in ((), ("-v",), ("-V",), ("-q",)))
    for run in (plain, verbose, old, quiet):
        check_run(run, 0)
    check_equal((quiet.out, quiet.err), ("", ""), "output of -q")
    check_in("warning: Host-key document verification is disabled", plain.err, "stderr")
    check_in("stage3b", verbose.err, "output of -v")
    check("stage3b" not in plain.err, plain.err)
    check_in("'-V' is deprecated", old.err, "output of -V")
    check_in("stage3b", old.err, "output of -V")
    check_run(lab.create("--overwrite", "-q", "-r", lab.path("absent")), 1, "absent")


def test_no_secrets(lab, name, options):
    """Neither as bytes nor as hex, in any case and spacing, anywhere in what -v says."""
    run = lab.make("secret.img", *lab.full_args(), *options)
    text = []
    for argv in (["image", "create", "-v", "--overwrite", *lab.inputs(*lab.full_args(), *options),
                  "-o", run],
                 ["image", "info", "-v", "--format", "json", "--hdr-key", lab.hdr_key, run],
                 ["image", "info", "-v", "--format", "text:full", "--hdr-key", lab.hdr_key, run],
                 ["image", "info", "-v", "--verify", "--host-key", lab.host_key[0], run],
                 ["image", "test", "-v", "-k", lab.hkd[0], run]):
        done = lab.run(*argv)
        check_run(done, 0)
        text.append(done.out + done.err)
    squeezed = re.sub(r"[\s:,-]", "", "".join(text)).lower()
    for path in (lab.cck, lab.hdr_key, lab.image_key):
        key = path.read_bytes()
        for part in {key, key[:16], key[-16:], key[:32], key[32:64]} - {b""}:
            check(part.hex() not in squeezed, f"{name}: part of {path.name} is shown as hex")
            check(part.decode(errors="replace") not in "".join(text), f"{path.name} is shown")
    shown = lab.info(run, "--hdr-key", lab.hdr_key, "--show-secrets")["data"]
    check_equal(shown["cck_hex"], lab.cck.read_bytes().hex(), "cck with --show-secrets")
    check_equal(shown["xts_hex"], lab.image_key.read_bytes().hex(), "image key")


# --- Rules ---------------------------------------------------------------------------------------

def conflict(a, b):
    return f"option '{a}' cannot be used with '{b}'"


def needs(a, *b):
    names = ", ".join(f"'{name}'" for name in b)
    return f"option '{a}' needs {'one of ' if len(b) > 1 else ''}{names}"


def rule_rows():
    """name, options beside kernel, document, --no-verify and output, message."""
    for name in PAIRS:
        on, off = f"--enable-{name}", f"--disable-{name}"
        yield f"{on} {off}", f"{on} {off} --cck CCK", conflict(on, off)
    for flag, expert in itertools.product(FLAGS, ("--x-pcf", "--x-scf")):
        yield f"{expert} {flag}", f"{expert} 0 {flag} --cck CCK", conflict(expert, flag)
    yield "image key unused", "--image-key IMAGE-KEY --disable-image-encryption", \
        conflict("--image-key", "--disable-image-encryption")
    yield "image key unused, alias", "--x-comp-key IMAGE-KEY --disable-image-encryption", \
        conflict("--image-key", "--disable-image-encryption")
    yield "extension secret and update", \
        "--enable-cck-extension-secret --enable-cck-update --cck CCK", \
        conflict("--enable-cck-extension-secret", "--enable-cck-update")
    yield "dump alone", "--enable-dump", needs("--enable-dump", "--cck", "--enable-cck-update")
    yield "extension secret alone", "--enable-cck-extension-secret", \
        needs("--enable-cck-extension-secret", "--cck")
    for option in ("--crl F", "--offline", "--root-ca F"):
        word = option.split()[0]
        yield f"{word} without --cert", option, needs(word, "--cert")
    yield "verified and not", "--cert F", "exactly one of '--no-verify', '--cert'"
    yield "verbose and quiet", "-v -q", conflict("--verbose", "--quiet")
    for word in ("--ramdisk=F", "--cck=CCK", "--overwrite", "--x-pcf=0"):
        name = word.split("=")[0]
        yield f"{name} twice", f"{word} {word}", f"option '{name}' is given twice"
    yield "CCK by two names", "--cck CCK --comm-key CCK", "option '--cck' is given twice"
    for text in ("xyz", "0x", "12345678901234567", "0x12345678901234567", "-1", "+1", "1 "):
        for option in ("--x-pcf", "--x-scf", "--x-psw"):
            yield f"{option} '{text}'", f"{option}={text}".replace(" ", "\0"), f"'{option}'"
    yield "unknown option", "--frobnicate", "option '--frobnicate' is not known"
    yield "abbreviation", "--enable-dum", "option '--enable-dum' is not known"
    yield "unknown letter", "-x", "option '-x' is not known"
    yield "value for a flag", "--overwrite=yes", "option '--overwrite' takes no value"
    yield "no value", "--cck", "option '--cck' needs a value"
    yield "no value for a letter", "-r", "option '-r' needs a value"
    yield "operand", "something", "unexpected argument 'something'"
    yield "operand behind --", "-- -v", "unexpected argument '-v'"


def test_rule(lab, options, message):
    files = {"CCK": lab.cck, "IMAGE-KEY": lab.image_key}
    words = []
    for word in options.split():
        option, equals, value = word.replace("\0", " ").partition("=")
        value = files.get(value, value)
        words += [f"{option}={value}"] if equals else [files.get(option, option)]
    lab.out.unlink(missing_ok=True)
    for name, first in (NAMES[0], NAMES[2]):
        run = lab.run(*first, *lab.inputs(), "-o", lab.out, *words, name=name)
        check_run(run, 2, message, out="")
        check_equal(run.err.count("error:"), 1, "number of messages")
        lab.check_nothing_left()


MISSING = {  # left out -> message
    "-i": "option '--kernel' is missing",
    "-k": "option '--host-key-document' is missing",
    "-o": "option '--output' is missing",
    "--no-verify": "exactly one of '--no-verify', '--cert' is needed, not none",
}


def test_missing(lab, option, message):
    words = {"-i": [lab.kernel], "-k": [lab.hkd[0]], "-o": [lab.out], "--no-verify": []}
    del words[option]
    argv = [word for name, value in words.items() for word in (name, *value)]
    check_run(lab.run("image", "create", *argv), 2, message, out="")


WORDS = [  # called as, argv, exit code, part of standard output, of standard error
    ("zpv", "", 2, "Usage: zpv COMMAND", ""),
    ("zpv", "--help", 0, "image create", ""),
    ("zpv", "help", 0, "host show", ""),
    ("zpv", "image", 2, "create", ""),
    ("zpv", "image frob", 2, "", "'frob' is not a command of 'zpv image'"),
    ("zpv", "frob", 2, "", "'frob' is not a command"),
    ("zpv", "create", 2, "", "'create' is not a command"),
    ("zpv", "completion", 2, "", ""),
    ("zpv", "completion tcsh", 2, "", "tcsh"),
    ("pvimg", "", 2, "Usage: pvimg COMMAND", ""),
    ("pvimg", "--help", 0, "create", ""),
    ("pvimg", "-v create --help", 0, "Usage: pvimg create", ""),
    ("pvimg", "--quiet create --help", 0, "Usage: pvimg create", ""),
    ("pvimg", "-v", 2, "Usage: pvimg COMMAND", ""),
    ("pvimg", "host create", 2, "", "'host' is not a command"),
    ("pvimg", "image create", 2, "", "'image' is not a command"),
    ("genprotimg", "", 2, "", "option '--kernel' is missing"),
    ("genprotimg", "create", 2, "", "unexpected argument 'create'"),
    ("genprotimg", "--help-all", 0, "--comm-key", ""),
    ("genprotimg", "--help-experimental", 0, "--overwrite", ""),
    ("genprotimg", "--version -v", 2, "", "option '--version' stands alone"),
]


def test_words(lab, name, argv, code, out, err):
    run = lab.run(*argv.split(), name=name)
    check_run(run, code, err)
    check_in(out, run.out, "standard output")


def test_leading_verbosity(lab, words, says):
    """pvimg takes -v and -q before the command, too."""
    run = lab.run(*words, "create", *lab.inputs(), "--overwrite", "-o", lab.out, name="pvimg")
    check_run(run, 0)
    check_equal("stage3b" in run.err, says, "verbose")


def tests(lab, _args):
    for name, *row in FLAG_ROWS:
        yield f"flags: {name}", bind(test_flags, lab, *row)
    yield "given keys", bind(test_given_keys, lab, lab.full_args())
    yield "given keys, other names", bind(test_given_keys, lab, [
        "--ramdisk", lab.ramdisk, "--parmfile", lab.parmfile, "--comm-key", lab.cck,
        "--x-header-key", lab.hdr_key, "--x-comp-key", lab.image_key])
    yield "random keys", bind(test_random_keys, lab)
    for ramdisk, cmdline in itertools.product((False, True), repeat=2):
        yield f"components: ramdisk {ramdisk}, command line {cmdline}", \
            bind(test_components, lab, ramdisk, cmdline)
    for name, content, want in (
            ("empty", b"", b"\0"), ("with a NUL", b"a b\0", b"a b\0"),
            ("with a newline", b"a\n", b"a\n\0"),
            ("of the maximum", b"x" * 895, b"x" * 895 + b"\0"),
            ("of the maximum with its NUL", b"x" * 895 + b"\0", b"x" * 895 + b"\0")):
        yield f"command line {name}", bind(test_cmdline, lab, content, want)
    for size in (0, 1, 4095, 4096, 4097, 0x40000 - 1, 0x40000, 0x100000 - 1, 0x100000, 0x100001):
        yield f"components of {size} bytes", bind(test_sizes, lab, size)
    yield "PSW of choice", bind(test_psw, lab)
    yield "boot loaders of choice", bind(test_loader_directory, lab)
    yield "44 host keys", bind(test_many_hosts, lab, 44, 0, "")
    yield "45 host keys: a longer header", bind(test_many_hosts, lab, 45, 0, "")
    yield "95 host keys", bind(test_many_hosts, lab, 95, 0, "")
    yield "96 host keys", bind(test_many_hosts, lab, 96, 2, "96 host-key documents")
    for words, hosts in (("-k A", [0]), ("-k DER-A", [0]), ("-k A -k B", [0, 1]),
                         ("-k B -k A", [1, 0]), ("-k A,B", [0, 1]), ("-kA", [0]), ("-k=A", [0]),
                         ("--host-key-document=DER-B,A -k B", [1, 0, 1]),
                         ("--host-key-document A", [0]), ("-k A -k A", [0, 0])):
        yield f"documents: {words}", bind(test_documents, lab, words, hosts)
    yield "document with two certificates", bind(test_bundle, lab)
    yield from chain_tests(lab)
    for row in NAMES:
        yield f"called as {row[0]}", bind(test_called_as, lab, *row)
        yield f"help of {row[0]}", bind(test_help, lab, *row)
        yield f"version of {row[0]}", bind(test_version, lab, *row)
    yield "the ecosystem's line", bind(test_ecosystem, lab)
    for options, pcf in (("--x-pcf 0x000000e0", DEFAULT),
                         ("--x-pcf 0x000000e0 --no-component-check", DEFAULT),
                         ("--comm-key CCK --x-pcf 0x200000e0", DEFAULT | DUMP)):
        yield f"kvm-unit-tests: {options}", bind(test_kvm_unit_tests, lab, options, pcf)
    yield "verbosity", bind(test_verbosity, lab)
    for words, says in ((["-v"], True), (["--verbose"], True), (["-q"], False)):
        yield f"{words[0]} before the command", bind(test_leading_verbosity, lab, words, says)
    yield "no secret in messages", bind(test_no_secrets, lab, "sealed", ())
    for name, options, message in rule_rows():
        yield f"refused: {name}", bind(test_rule, lab, options, message)
    for option, message in MISSING.items():
        yield f"refused: without {option}", bind(test_missing, lab, option, message)
    for name, argv, *row in WORDS:
        yield f"words: {name} {argv}", bind(test_words, lab, name, argv, *row)


if __name__ == "__main__":
    sys.exit(common.main(__doc__, tests))
