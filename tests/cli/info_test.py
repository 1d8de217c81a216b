#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
zpv image info: all formats, all keys, and images with one thing changed.

Usage: info_test.py ZPV BUILD
"""
import copy
import functools
import hashlib
import json
import re
import subprocess
import sys

import common
import schema
from common import GOLDEN, bind, check, check_equal, check_in, check_run, seread, setamper

NOT_FOUND = "No Secure Execution header found."
NO_TAG = "Failed to authenticate and decrypt the Secure Execution header"
UNVERIFIED = "integrity and authenticity of the header are not verified"
PCF_TEXTS = {34: "allow dumping", 35: "no component encryption", 56: "DEA and TDEA PCKMO support",
             57: "AES PCKMO support", 58: "ECC PCKMO support", 59: "HMAC PCKMO support",
             62: "backup target keys support"}
SCF_TEXTS = {1: "CCK extension secret enforced", 2: "CCK update allowed"}
PART_NAMES = {"kernel": "kernel", "ramdisk": "ramdisk", "cmdline": "command line",
              "stage3b": "stage3b"}


class Subject:
    """An image and what the independent reader says about it."""

    def __init__(self, path, hdr_key, host_keys, **expect):
        self.path, self.hdr_key, self.host_keys = path, hdr_key, host_keys
        self.data, self.key = path.read_bytes(), hdr_key.read_bytes()
        self.seen = seread.read_image(self.data, header_key=self.key,
                                      expect=seread.Expect(**expect))


@functools.lru_cache(None)
def own(lab):
    """Ours, with everything."""
    path = lab.make("own.img", *lab.full_args(), "--enable-dump", "--enable-cck-extension-secret",
                    hkds=2)
    return Subject(path, lab.hdr_key, lab.host_key)


@functools.lru_cache(None)
def unencrypted(lab):
    return Subject(lab.make("unencrypted.img", "-p", lab.parmfile, "--hdr-key", lab.hdr_key,
                            "--disable-image-encryption"), lab.hdr_key, lab.host_key[:1])


@functools.lru_cache(None)
def golden(_lab, name, hosts):
    return Subject(GOLDEN / name, GOLDEN / "hdr.key",
                   [GOLDEN / f"host{n}.key" for n in hosts])


SUBJECTS = [
    ("our image", own),
    ("our image without encryption", unencrypted),
    ("another tool's image", lambda lab: golden(lab, "sealed.img", (1, 2))),
    ("another tool's image without encryption",
     lambda lab: golden(lab, "plain-components.img", (2,))),
]


# --- Values --------------------------------------------------------------------------------------

def header_values(header):
    """What data must have for any header."""
    return {
        "magic_hex": "49424d5365634578", "version": "V1", "sehs": header.sehs,
        "iv_hex": header.iv.hex(), "nks": header.nks, "sea": header.sea, "nep": header.nep,
        "pcf_hex": f"{header.pcf:016x}",
        "cust_pub_key": {"coord_hex": header.cust_pub_key.hex()}, "pld_hex": header.pld.hex(),
        "ald_hex": header.ald.hex(), "tld_hex": header.tld.hex(), "tag_hex": header.tag.hex(),
        "keyslots": [{"phkh_hex": slot.phkh.hex(), "wrpk_hex": slot.wrapped_key.hex(),
                      "kst_hex": slot.tag.hex()} for slot in header.slots],
    }


def secret_values(secrets):
    return {"cck_hex": secrets.cck.hex(), "xts_hex": secrets.image_key.hex(),
            "scf_hex": f"{secrets.scf:016x}", "psw": {"mask_hex": f"{secrets.psw_mask:016x}",
                                                      "addr_hex": f"{secrets.psw_addr:016x}"}}


def check_data(data, seen, verified, secrets):
    want = {"kind": "decrypted_se_hdr" if secrets else "se_hdr", "verified": verified,
            **header_values(seen.header)}
    if secrets:
        want.update(secret_values(seen.secrets))
    else:
        area = data.pop("cipher_data_b64")
        raw = subprocess.run(["openssl", "base64", "-d", "-A"], input=area.encode(), check=True,
                             capture_output=True).stdout
        check_equal(raw, seen.header.area, "encrypted area")
    check_equal(data, want, "data")


def validated(lab, doc):
    schema.validate(doc, json.loads(lab.run("image", "info", "--print-schema", "json").out))
    return doc


def test_json(lab, get, key_words, verified):
    """key_words: arguments for a subject."""
    subject = get(lab)
    for secrets in (False, True)[:1 + verified]:
        doc = validated(lab, lab.info(subject.path, *key_words(subject),
                                      *["--show-secrets"] * secrets))
        check_data(doc["data"], subject.seen, verified, secrets)
        check("verification" not in doc, "there is a verification")
        check_equal(doc["meta"]["api_level"], 1, "api_level")
        check(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+0000", doc["meta"]["time"]),
              doc["meta"]["time"])


def test_host_keys(lab, get):
    subject = get(lab)
    for path in subject.host_keys:
        der = lab.path("host.der")
        subprocess.run(["openssl", "pkey", "-in", path, "-outform", "DER", "-out", der], check=True)
        for key in (path, der):
            doc = lab.info(subject.path, "--host-key", key, "--show-secrets")
            check_data(doc["data"], subject.seen, True, True)


def test_identity(lab):
    """A folder stands for its machine's private key."""
    image = lab.path("identity.img")
    check_run(lab.run("image", "create", "-i", lab.kernel, "-k", lab.identity_hkd(), "--no-verify",
                      "-o", image), 0)
    for key in (lab.identity(), lab.identity() / "private" / "host.key"):
        doc = lab.info(image, "--host-key", key, "--verify")
        check_equal(doc["verification"]["ok"], True, "verification")
    refused_key(lab, ["--host-key", lab.identity() / "private" / "backup-host.key"], "", image)
    refused_key(lab, ["--host-key", lab.dir], "", image)


def refused_key(lab, words, message, image=None):
    run = lab.run("image", "info", *words, image or own(lab).path)
    check_run(run, 1, message, out="")
    check_equal(run.err.count("error: "), 1, "number of messages")


KEY_ROWS = [  # name, option, content or function of lab, part of the message
    ("wrong header key", "--hdr-key", b"x" * 32, NO_TAG),
    ("short header key", "--hdr-key", b"x" * 31, "header protection key"),
    ("long header key", "--hdr-key", b"x" * 33, "header protection key"),
    ("empty header key", "--hdr-key", b"", "header protection key"),
    ("absent header key", "--hdr-key", lambda lab: "/nowhere", "No such file"),
    ("header key by its other name", "--key", b"x" * 31, "header protection key"),
    ("garbage as host key", "--host-key", b"x" * 100, ""),
    ("empty host key", "--host-key", b"", ""),
    ("absent host key", "--host-key", lambda lab: "/nowhere", "No such file"),
    ("a certificate as host key", "--host-key", lambda lab: lab.hkd[0], ""),
]


def test_key(lab, option, value, message):
    path = value(lab) if callable(value) else lab.write("a.key", value)
    refused_key(lab, [option, path], message)


def test_other_hosts_key(lab):
    key = lab.path("other.key")
    subprocess.run(["openssl", "ecparam", "-name", "secp521r1", "-genkey", "-noout", "-out", key],
                   check=True)
    refused_key(lab, ["--host-key", key], "none of the 2 key slots is for the host key")


# --- Verification --------------------------------------------------------------------------------

def test_verify(lab, get):
    """Parts and contents as the reader knows them, by either kind of key."""
    subject, seen = get(lab), get(lab).seen
    for words in (["--hdr-key", subject.hdr_key], ["--host-key", subject.host_keys[-1]]):
        doc = validated(lab, lab.info(subject.path, *words, "--verify"))
        report = doc["verification"]
        check_equal((report["ok"], {c["ok"] for c in report["checks"]}), (True, {True}), "checks")
        parts = {part["name"]: part for part in report["parts"]}
        addrs = [int(part["addr_hex"], 16) for part in report["parts"]]
        check_equal(addrs, sorted(addrs), "order of the parts")
        want = {"short PSW", "stage3a", "SE header", "IPIB", *(PART_NAMES[c.role] for c in
                                                               seen.components)}
        want |= {"metadata"} if seen.layout.name == "R" else set()
        check_equal(set(parts), want, "names of the parts")
        check_equal(int(parts["SE header"]["addr_hex"], 16), seen.hdr_off, "header")
        check_equal(int(parts["IPIB"]["addr_hex"], 16), seen.ipib.offset, "IPIB")
        check_equal(parts["stage3a"]["size"], len(seen.stage3a), "size of stage3a")
        for comp in seen.components:
            check_equal(parts[PART_NAMES[comp.role]], {
                "name": PART_NAMES[comp.role], "addr_hex": f"{comp.addr:016x}",
                "size": comp.padded, "secured": True, "content_size": comp.size,
                "tweak_prefix_hex": f"{comp.tweak_pref:016x}",
                "content_sha256_hex": hashlib.sha256(comp.content).hexdigest()}, comp.role)


HEADER = "at 0x14000, where the metadata say that it is: Invalid Secure Execution header: "
LISTS = ["number of pages", "page list digest", "address list digest", "tweak list digest"]

# Changes without a key: the header cannot be read or is not authentic. Part of the message.
RAW_ROWS = [
    ("magic=flip", NOT_FOUND),
    ("meta.hdr_off=+0x1000", NOT_FOUND),
    ("meta.hdr_off=-1", NOT_FOUND),
    ("meta.hdr_off=-0x15000", NOT_FOUND),
    ("version=0x200", HEADER + "version 0x200, not 0x100"),
    ("version=0", HEADER + "version 0, not 0x100"),
    ("sehs=0", HEADER + "its size is 0 bytes"),
    ("sehs=16", HEADER + "its size is 16 bytes"),
    ("sehs=+1", HEADER + "its size is 721 bytes, but its parts have 720"),
    ("sehs=8193", HEADER + "its size is 8193 bytes"),
    ("sehs=-721", HEADER + "its size is 4294967295 bytes"),
    ("nks=0", HEADER + "0 key slots"),
    ("nks=3", HEADER + "its size is 720 bytes, but its parts have 800"),
    ("nks=-3", HEADER + "18446744073709551615 key slots"),
    ("sea=0", HEADER + "an encrypted area of 0 bytes"),
    ("sea=+8", HEADER + "an encrypted area of 136 bytes"),
    ("sea=-0x80000000000000", HEADER + "an encrypted area of"),
    *((change, NO_TAG) for change in (
        "reserved=1", "nep=0", "pcf=0", "pcf=0x100000e0", "iv=flip", "cust_pub_key=flip",
        "cust_pub_key=" + "00" * 160, "pld=flip", "ald=flip", "tld=flip", "slot0.phkh=flip",
        "slot0.wrapped_key=flip", "slot0.tag=flip", "slot1.phkh=flip", "poke=0x14240:5a5a",
        "tag=flip")),
    ("header_only=search", "a header without components"),
    ("header_only=21", NOT_FOUND),
    ("truncate=0", NOT_FOUND),
]

# The same with a host's key, where it is something else.
HOST_KEY_ROWS = [
    ("slot0.phkh=flip", "none of the 2 key slots is for the host key"),
    ("slot0.wrapped_key=flip", "the key slot of host key"),
    ("slot0.tag=flip", "the key slot of host key"),
    ("cust_pub_key=flip", "customer public key"),
    ("cust_pub_key=" + "00" * 160, "customer public key"),
    ("slot1.tag=flip", NO_TAG),
    ("pcf=0", NO_TAG),
]

# Changes under a new tag: what is wrong is told by its check. {a}: stage3b's arguments in comp3.
SEALED_ROWS = [
    ("pcf=0xe1", ["control flags"]),
    ("scf=-1", ["control flags"]),
    ("reserved=1", ["reserved fields"]),
    ("reserved7c=1", ["reserved fields"]),
    ("psw_addr=+2", ["initial PSW"]),
    ("psw_mask=0x80000000", ["initial PSW"]),
    ("nep=0", LISTS[:1]),
    ("nep=+1", LISTS[:1]),
    ("pld=flip", LISTS[1:2]),
    ("ald=flip", LISTS[2:3]),
    ("tld=flip", LISTS[3:4]),
    ("image_key=flip", ["stage3b arguments"]),
    ("pcf=0x300000e0", ["stage3b arguments"]),
    ("comp0.plain={kernel}:01 redigest=1", ["padding"]),
    ("comp1.plain={ramdisk}:01 redigest=1", ["padding"]),
    ("comp2.plain={cmdline}:01 redigest=1", ["padding"]),
    ("comp2.plain={nul}:41 redigest=1", ["command line"]),
    ("comp3.plain={a}:0000000000014000 redigest=1", ["stage3b arguments"]),
    ("comp3.plain={a+8}:000000000000ffff redigest=1", ["stage3b arguments"]),
    ("comp3.plain={a+16}:0000000000014000 redigest=1", ["stage3b arguments"]),
    ("comp3.plain={a+24}:0000000000001001 redigest=1", ["stage3b arguments", "command line"]),
    ("comp3.plain={a+32}:ffffffffffffffff redigest=1", ["stage3b arguments"]),
    ("comp3.plain={a+40}:0000000000000000 redigest=1", ["stage3b arguments"]),
    ("comp3.plain={a+40}:ffffffffffffffff redigest=1", ["stage3b arguments"]),
]

# Changes outside the header need no new tag.
IMAGE_ROWS = [
    ("comp0.byte=0", ["page list digest"]),
    ("comp0.byte=74565", ["page list digest", "padding"]),
    ("comp1.byte=5", ["page list digest"]),
    ("comp2.byte=0", ["page list digest"]),
    ("comp3.byte=0", ["page list digest"]),
    ("swap_pages=0,1", ["page list digest"]),
    ("psw=0", ["short PSW"]),
    ("psw=0x0008000180010000", ["short PSW"]),
    ("meta.ipib_off=+0x1000", ["metadata"]),
    ("args.hdr_offs=+0x1000", ["stage3a arguments"]),
    ("args.hdr_size=+1", ["stage3a arguments"]),
    ("args.ipib_offs=+0x1000", ["metadata", "IPIB"]),
    ("args.ipib_offs=-1", ["metadata", "IPIB"]),
    ("args.ipib_offs=0x7fffffffffffffff", ["metadata", "IPIB"]),
    ("header_only=20", ["short PSW", "stage3a arguments"]),
    ("header_only=metadata", ["short PSW", "stage3a arguments"]),
    ("ipib.len=147", ["IPIB"]),
    ("ipib.len=4097", ["IPIB"]),
    ("ipib.len=-1", ["IPIB"]),
    ("ipib.len=+1", ["IPIB"]),
    ("ipib.pbt=2", ["IPIB"]),
    ("ipib.hdr_addr=0x15000", ["IPIB"]),
    ("ipib.hdr_addr=0", ["IPIB"]),
    ("ipib.hdr_size=+1", ["IPIB"]),
    ("ipib.hdr_size=0", ["IPIB"]),
    ("ipib.hdr_size=8193", ["IPIB"]),
    ("ipib.num_comp=0", ["IPIB"]),
    ("ipib.num_comp=5", ["IPIB"]),
    ("ipib.num_comp=0xffffffff", ["IPIB"]),
    ("ipib.num_comp=3", ["stage3b arguments", "initial PSW", *LISTS]),
    ("ipib.comp2.tweak_pref=+1", ["tweak list digest", "padding", "command line"]),
    ("ipib.comp1.tweak_pref=0", ["IPIB"]),
    ("swap=1,2", ["IPIB"]),
    ("ipib.comp1.addr=+8", ["IPIB"]),
    ("swap_addr=1,2", ["components"]),
    ("ipib.comp0.addr=+0x1000", ["components"]),
    ("ipib.comp0.addr=0x14000", ["components"]),
    ("ipib.comp0.addr=0", ["components"]),
    ("ipib.comp1.addr=-0x1000", ["components"]),
    ("ipib.comp3.addr=+0x1000", ["components"]),
    ("ipib.comp3.addr=-0x1000000000000", ["components"]),
    ("ipib.comp0.len=+0x1000", ["components"]),
    ("ipib.comp0.len=-1", ["components"]),
    ("ipib.comp1.len=0", ["components"]),
    ("ipib.comp1.len=32", ["components"]),
    ("ipib.comp3.len=+0x1000", ["components"]),
    ("ipib.comp3.len=-0x2000", ["components"]),
    ("ipib.comp2.len=0x7ffffffffffff000", ["components"]),
    ("ipib.comp0.len=-0x1000 ipib.comp1.addr=-0x1000 ipib.comp1.len=+0x1000",
     ["stage3b arguments", "tweak list digest"]),
    ("truncate=-1", ["IPIB"]),
    ("truncate=-4096", ["IPIB"]),
    ("truncate=0x16000", ["IPIB"]),
]

# Neither the Ultravisor nor a loader looks at these; the independent reader is stricter.
ACCEPTED_ROWS = ["ipib.flags=0x40", "ipib.version=0", "ipib.loadparm=40", "ipib.blk0_len=+8",
                 "ipib.block_version=0", "meta.magic=flip", "meta.version=2",
                 "findability=search", "poke=0x9000:01", "poke=0x14300:01", "append=00"]


def changed(lab, change, key=None):
    subject = own(lab)
    sizes = {comp.role: comp.size for comp in subject.seen.components}
    sizes.update(nul=sizes["cmdline"] - 1, a=subject.seen.stage3b_args.offset)
    change = re.sub(r"\{(\w+)\+?(\d*)\}", lambda m: str(sizes[m[1]] + int(m[2] or 0)), change)
    data = setamper.tamper(subject.data, change.split(), key)
    return lab.write("changed.img", data)


def failed_checks(lab, image, code):
    doc = lab.info(image, "--verify", "--hdr-key", lab.hdr_key, code=code)
    report = doc["verification"]
    check_equal(report["ok"], code == 0, "ok of the report")
    return [item["name"] for item in report["checks"] if not item["ok"]]


def test_raw(lab, change, message, host_key=False):
    image = changed(lab, change)
    words = ["--host-key", lab.host_key[0]] if host_key else ["--hdr-key", lab.hdr_key]
    for verify in ((), ("--verify",)):
        if verify or "components" not in message:
            run = lab.run("image", "info", *words, *verify, image)
            check_run(run, 1, message, out="")
            check_equal(run.err.count("error: "), 1, "number of messages")


def test_sealed(lab, change, names, sealed):
    image = changed(lab, change, own(lab).key if sealed else None)
    check_equal(failed_checks(lab, image, 1), names, "failed checks")
    text = lab.run("image", "info", "--format", "text", "--verify", "--hdr-key", lab.hdr_key, image)
    check_run(text, 1, err="")
    check_in("The image is NOT in order.", text.out, "text")
    for name in names:
        check_in(f" FAIL {name} ", text.out, "text")


def test_accepted(lab, change):
    check_equal(failed_checks(lab, changed(lab, change), 0), [], "failed checks")


def test_sealed_items(lab):
    """Optional items: nobody knows any."""
    run = lab.run("image", "info", "--hdr-key", lab.hdr_key, changed(lab, "noi=1", own(lab).key))
    check_run(run, 1, "1 optional items", out="")


def test_every_truncation(lab):
    """The header can be told as soon as it is whole; an image is in order only when it is."""
    subject = own(lab)
    end = subject.seen.hdr_off + subject.seen.header.sehs
    size = len(subject.data)
    places = {0, 1, 7, 8, 4095, 4096, 0xc000, 0xc007, 0xc008, 0xc01b, 0xc01c, 0x10000, 0x12c00,
              end - 721, end - 720, end - 712, end - 704, end - 304, end - 1, end, end + 1,
              *range(0x15000, size, 0x3457), size - 97, size - 96, size - 1}
    for place in sorted(places):
        image = lab.write("cut.img", subject.data[:place])
        check_equal(lab.run("image", "info", image).code, int(place < end), f"{place:#x} bytes")
        run = lab.run("image", "info", "--verify", "--hdr-key", lab.hdr_key, image)
        check_equal(run.code, 1, f"verified with {place:#x} bytes: {run.err}")


def test_flips(lab):
    """A bit flipped anywhere in what is authentic fails; elsewhere nothing crashes."""
    subject = own(lab)
    authentic = [(subject.seen.hdr_off, subject.seen.header.sehs)]
    authentic += [(comp.addr, comp.padded) for comp in subject.seen.components]
    image = bytearray(subject.data)
    for n in range(120):
        at = n * 1601 % len(image) if n % 3 else subject.seen.hdr_off + n * 6
        image[at] ^= 1 << n % 8
        run = lab.run("image", "info", "--verify", "--hdr-key", lab.hdr_key,
                      lab.write("flip.img", image))
        inside = any(start <= at < start + size for start, size in authentic)
        check(run.code == 1 or (run.code == 0 and not inside), f"bit in {at:#x}: {run.code}")
        image[at] ^= 1 << n % 8


# --- Where the header is -------------------------------------------------------------------------

def test_found(lab, change, get):
    """Metadata, search, or a bare header."""
    subject = get(lab)
    image = lab.write("found.img", setamper.tamper(subject.data, [change]))
    for words in ((), ("--hdr-key", subject.hdr_key)):
        doc = lab.info(image, *words)
        check_data(doc["data"], subject.seen, bool(words), False)


NOT_IMAGES = [
    ("empty", lambda lab: lab.write("x", b""), NOT_FOUND),
    ("garbage", lambda lab: lab.write("x", common.pattern(100000, 8)), NOT_FOUND),
    ("a kernel", lambda lab: lab.kernel, NOT_FOUND),
    ("a certificate", lambda lab: lab.hkd[0], NOT_FOUND),
    ("a folder", lambda lab: lab.dir, "folder"),
    ("absent", lambda lab: "/nowhere", "No such file"),
    ("nothing", lambda lab: "/dev/null", NOT_FOUND),
    ("endless", lambda lab: "/dev/zero", NOT_FOUND),
]


def test_not_image(lab, get, message):
    for words in ((), ("--hdr-key", lab.hdr_key)):
        check_run(lab.run("image", "info", *words, get(lab)), 1, message, out="")


def test_pipe(lab, size):
    """cat image | zpv image info /dev/stdin; more than a MiB of a pipe is not looked at."""
    subject = own(lab)
    data = subject.data + bytes(max(0, size - len(subject.data)))
    with subprocess.Popen(["cat", lab.write("p.img", data)], stdout=subprocess.PIPE) as cat:
        doc = lab.info("/dev/stdin", "--hdr-key", lab.hdr_key, stdin=cat.stdout)
        cat.stdout.close()
    check_data(doc["data"], subject.seen, True, False)
    with subprocess.Popen(["cat", lab.path("p.img")], stdout=subprocess.PIPE) as cat:
        run = lab.run("image", "info", "--verify", "--hdr-key", lab.hdr_key, "/dev/stdin",
                      stdin=cat.stdout)
        cat.stdout.close()
    if size:
        check_run(run, 1, "from a file, not from a pipe", out="")
    else:
        check_run(run, 0)


# --- Text ----------------------------------------------------------------------------------------

def flag_lines(bits, texts):
    return "".join(f"   - {text}\n" for bit, text in texts.items() if bits >> (63 - bit) & 1)


def hex_line(label, data):
    return f"  {label}: {data.hex()}\n"


def base64_line(label, data):
    raw = subprocess.run(["openssl", "base64", "-A"], input=data, check=True, capture_output=True)
    return f"  {label}: {raw.stdout.decode()}\n"


def expected_text(seen, full, verified, secrets):
    """Built from the description of the format and the independent reader's values."""
    head, area = seen.header, seen.secrets
    text = "decrypted, " * secrets + "integrity and authenticity verified " * verified
    text += "Secure Execution header" + ":" * secrets + "\n  version: 1\n  key slots:\n"
    text += "".join(f"   - target key hash: {slot.phkh.hex()}\n" for slot in head.slots)
    text += "  plaintext control flags:\n" + flag_lines(head.pcf, PCF_TEXTS)
    if full:
        text += f"  size: {head.sehs} bytes\n  number of key slots: {head.nks}\n"
        text += hex_line("IV", head.iv) + base64_line("customer public key", head.cust_pub_key)
        text += f"  number of component pages: {head.nep}\n" + hex_line("content hash", head.pld)
        text += hex_line("address hash", head.ald) + hex_line("tweak hash", head.tld)
    if secrets:
        text += "  secret control flags:\n" + flag_lines(area.scf, SCF_TEXTS)
    if secrets and full:
        text += hex_line("customer communication key", area.cck)
        text += hex_line("image encryption key", area.image_key)
        text += f"  PSW: mask {area.psw_mask:016x}, address {area.psw_addr:016x}\n"
    elif full:
        text += base64_line("encrypted data", head.area)
    return text + hex_line("GCM tag", head.tag) * full


def test_text(lab, get, full, verified, secrets):
    subject = get(lab)
    words = ["--hdr-key", subject.hdr_key] if verified else []
    words += ["--show-secrets"] * secrets
    run = lab.run("image", "info", "--format", "text:full" if full else "text", *words,
                  subject.path)
    check_run(run, 0, UNVERIFIED if not verified else "",
              out=expected_text(subject.seen, full, verified, secrets))


def test_unknown_flags(lab):
    run = lab.run("image", "info", "--format", "text", changed(lab, "pcf=0x8000000000000081"))
    check_in("   - unknown flags 0b1" + "0" * 62 + "1\n", run.out, "text")


def test_locale(lab, locale, ascii_only):
    """The map and the marks are drawn with what the locale can show."""
    for image, code in ((own(lab).path, 0), (changed(lab, "psw=0"), 1)):
        run = lab.run("image", "info", "--format", "text", "--verify", "--hdr-key", lab.hdr_key,
                      image, env={"LC_ALL": locale})
        check_equal(run.code, code, run.err)
        check_equal(run.out.isascii(), ascii_only, f"ASCII in {locale}")
        marks = {True: ("ok  ", "FAIL"), False: ("\u2713", "\u2718")}[ascii_only]
        check_in(f" {marks[0]} SE header", run.out, "text")
        check_equal(f" {marks[1]} " in run.out, bool(code), "a cross")
        check_in("Memory map", run.out, "text")
        for comp in own(lab).seen.components:
            check_in(hashlib.sha256(comp.content).hexdigest(), run.out, "text")


# --- Formats and rules ---------------------------------------------------------------------------

def comparable(text):
    doc = json.loads(text)
    del doc["meta"]["time"], doc["meta"]["time_epoch"]
    return doc


def test_json_forms(lab):
    runs = {form: lab.run("image", "info", "-q", *(["--format", form] if form else []),
                          own(lab).path)
            for form in ("", "json", "json:pretty", "json:default", "json:minify", "JSON")}
    for form, run in runs.items():
        check_run(run, 0)
        check(run.err == "" and run.out.endswith("}\n"), form)
        check_equal(comparable(run.out), comparable(runs[""].out), form)
        check_equal(run.out.count("\n") == 1, form == "json:minify", f"lines of {form}")
        check(form != "json:minify" or ": " not in run.out.replace(" 00", ""), run.out)


def test_text_forms(lab):
    plain = lab.run("image", "info", "--format", "text", own(lab).path)
    check_run(lab.run("image", "info", "--format=text:default", own(lab).path), 0, out=plain.out)


def test_schema(lab):
    """It is strict: documents with small faults do not pass."""
    rules = json.loads(lab.run("image", "info", "--print-schema", "json").out)
    check_equal(rules["$schema"], "http://json-schema.org/draft-07/schema#", "$schema")
    words = ["--verify", "--hdr-key", lab.hdr_key]
    plain = lab.info(own(lab).path)
    secret = lab.info(own(lab).path, *words, "--show-secrets")
    faults = [
        (plain, lambda d: d.pop("meta")), (plain, lambda d: d["data"].pop("sehs")),
        (plain, lambda d: d["data"].pop("cipher_data_b64")),
        (plain, lambda d: d["data"].update(keyslots=[])),
        (plain, lambda d: d["data"].update(nks="2")), (plain, lambda d: d["data"].update(x=1)),
        (plain, lambda d: d["data"].update(cck_hex="00")),
        (plain, lambda d: d["data"].update(kind="decrypted_se_hdr")),
        (plain, lambda d: d["data"].update(pcf_hex="0xe0")),
        (plain, lambda d: d["meta"].update(api_level=2)),
        (secret, lambda d: d["data"].update(verified=False)),
        (secret, lambda d: d["data"].pop("psw")),
        (secret, lambda d: d["verification"].pop("ok")),
        (secret, lambda d: d["verification"]["parts"][0].pop("size")),
    ]
    for doc in (plain, secret):
        schema.validate(doc, rules)
    for n, (doc, fault) in enumerate(faults):
        wrong = copy.deepcopy(doc)
        fault(wrong)
        check(not schema.is_valid(wrong, rules, rules, ""), f"fault {n} passes")


RULE_ROWS = [
    ("", 2, "IMAGE is missing"),
    ("IMG IMG", 2, "one IMAGE is expected"),
    ("--format xml IMG", 2, "format 'xml' is not one of"),
    ("--format text:pretty IMG", 2, "format 'text:pretty' is not one of"),
    ("--format", 2, "needs a value"),
    ("--print-schema yaml", 2, "format 'yaml' is not one of"),
    ("--print-schema json --format text", 2, "cannot be used with '--format'"),
    ("--print-schema json --hdr-key KEY", 2, "cannot be used with '--hdr-key'"),
    ("--print-schema json --verify", 2, "'--verify'"),
    ("--show-secrets IMG", 2, "needs one of '--hdr-key', '--host-key'"),
    ("--verify IMG", 2, "needs one of '--hdr-key', '--host-key'"),
    ("--hdr-key KEY --host-key KEY IMG", 2, "cannot be used with '--host-key'"),
    ("--hdr-key KEY --key KEY IMG", 2, "is given twice"),
    ("--print-schema text", 0, ""),
    ("--print-schema JSON", 0, ""),
    ("-- IMG", 0, ""),
]


def test_rule(lab, argv, code, message):
    files = {"IMG": own(lab).path, "KEY": lab.hdr_key}
    for name, first in (("zpv", ["image", "info"]), ("pvimg", ["info"])):
        run = lab.run(*first, *(files.get(word, word) for word in argv.split()), name=name)
        check_run(run, code, message)
        check(code == 0 or run.out == "", run.out)


def test_print_schema_alone(lab):
    """It excludes all others, an image too."""
    check_run(lab.run("image", "info", "--print-schema", "json", own(lab).path), 2, out="")


def test_full_output(lab):
    with open("/dev/full", "wb") as full:
        run = lab.run("image", "info", own(lab).path, stdout=full)
    check_run(run, 1, "cannot write to standard output")


def tests(lab, _args):
    for name, get in SUBJECTS:
        yield f"{name}: JSON without key", bind(test_json, lab, get, lambda s: [], False)
        yield f"{name}: JSON with header key", bind(
            test_json, lab, get, lambda s: ["--hdr-key", s.hdr_key], True)
        yield f"{name}: JSON with host keys", bind(test_host_keys, lab, get)
        yield f"{name}: verified", bind(test_verify, lab, get)
        for change in ("header_only=search", "header_only=20", "findability=search"):
            yield f"{name}: {change}", bind(test_found, lab, change, get)
        for full, verified, secrets in ((0, 0, 0), (1, 0, 0), (0, 1, 0), (1, 1, 0), (0, 1, 1),
                                        (1, 1, 1)):
            yield f"{name}: text, full {full}, verified {verified}, secrets {secrets}", bind(
                test_text, lab, get, full, verified, secrets)
    yield "our image: header_only=metadata", bind(test_found, lab, "header_only=metadata", own)
    yield "another tool's image: findability=metadata", bind(
        test_found, lab, "findability=metadata", SUBJECTS[2][1])
    yield "identity as host key", bind(test_identity, lab)
    for name, *row in KEY_ROWS:
        yield name, bind(test_key, lab, *row)
    yield "another host's key", bind(test_other_hosts_key, lab)
    for change, message in RAW_ROWS:
        yield f"changed: {change[:40]}", bind(test_raw, lab, change, message)
    for change, message in HOST_KEY_ROWS:
        yield f"changed, host key: {change[:40]}", bind(test_raw, lab, change, message, True)
    for change, names in SEALED_ROWS:
        yield f"changed and sealed: {change}", bind(test_sealed, lab, change, names, True)
    yield "changed and sealed: noi=1", bind(test_sealed_items, lab)
    for change, names in IMAGE_ROWS:
        yield f"changed: {change}", bind(test_sealed, lab, change, names, False)
    for change in ACCEPTED_ROWS:
        yield f"without meaning: {change}", bind(test_accepted, lab, change)
    yield "truncated at many places", bind(test_every_truncation, lab)
    yield "flipped bits", bind(test_flips, lab)
    for name, get, message in NOT_IMAGES:
        yield f"no image: {name}", bind(test_not_image, lab, get, message)
    yield "from a pipe", bind(test_pipe, lab, 0)
    yield "from a pipe, large", bind(test_pipe, lab, 3 << 20)
    yield "unknown flags", bind(test_unknown_flags, lab)
    yield "locale C", bind(test_locale, lab, "C", True)
    yield "locale C.UTF-8", bind(test_locale, lab, "C.UTF-8", False)
    yield "forms of JSON", bind(test_json_forms, lab)
    yield "forms of text", bind(test_text_forms, lab)
    yield "schema is strict", bind(test_schema, lab)
    for argv, code, message in RULE_ROWS:
        yield f"words: {argv}", bind(test_rule, lab, argv, code, message)
    yield "--print-schema with an image", bind(test_print_schema_alone, lab)
    yield "standard output: full", bind(test_full_output, lab)


if __name__ == "__main__":
    sys.exit(common.main(__doc__, tests))
