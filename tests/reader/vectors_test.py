#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Tests of the independent reader; TAP output.

    vectors_test.py VECTOR-DIR      where sealed.img, plain-components.img and their inputs are

Order: published vectors for each primitive, the images of another tool, R-layout images of our own
builder, and tampered images, each of which must be rejected with the right message.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import os
import subprocess
import sys
import tempfile
import traceback
from functools import lru_cache
from pathlib import Path
from typing import Callable, Iterator, NamedTuple, Optional

import sebuild
import secrypt
import sehdr
import seread
import setamper
from secrypt import CryptoError, HostKey, Point
from sehdr import ImageError
from seread import Image

hx = bytes.fromhex


class Case(NamedTuple):
    """A test: returns if it passes, raises if not."""
    name: str
    run: Callable[[], None]


def check(condition: bool, text: str) -> None:
    """Fail the running test unless the condition holds."""
    if not condition:
        raise AssertionError(text)


def check_equal(what: str, found: object, expected: object) -> None:
    """Fail the running test unless both are the same."""
    check(found == expected, f"{what}: found {found!r}\nexpected {expected!r}")


def check_rejected(function: Callable[[], object], message: str) -> None:
    """Fail the running test unless the call is rejected with that text."""
    try:
        function()
    except (ImageError, CryptoError, setamper.TamperError) as err:
        check(message in str(err), f"wrong message: {err}\nexpected: {message}")
        return
    raise AssertionError(f"accepted\nexpected: {message}")


# ------------------------------------------------------------------------------ published vectors

def test_aes_fips197() -> None:
    """FIPS-197 appendix C.3."""
    key, plain = bytes(range(32)), hx("00112233445566778899aabbccddeeff")
    cipher = hx("8ea2b7ca516745bfeafc49904b496089")
    check_equal("encrypted", secrypt.aes256_ecb(key, plain), cipher)
    check_equal("decrypted", secrypt.aes256_ecb(key, cipher, decrypt=True), plain)


class GcmVector(NamedTuple):
    """A test case of "The Galois/Counter Mode of Operation (GCM)", appendix B."""
    key: str
    iv: str
    aad: str
    plain: str
    cipher: str
    tag: str


GCM_KEY = "feffe9928665731c6d6a8f9467308308" * 2
GCM_PLAIN = ("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
             "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255")
GCM_CIPHER = ("522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
              "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad")
GCM_VECTORS = {
    14: GcmVector("00" * 32, "00" * 12, "", "00" * 16, "cea7403d4d606b6e074ec5d3baf39d18",
                  "d0d1c8a799996bf0265b98b5d48ab919"),
    15: GcmVector(GCM_KEY, "cafebabefacedbaddecaf888", "", GCM_PLAIN, GCM_CIPHER,
                  "b094dac5d93471bdec1a502270e3cc6c"),
    16: GcmVector(GCM_KEY, "cafebabefacedbaddecaf888", "feedfacedeadbeef" * 2 + "abaddad2",
                  GCM_PLAIN[:120], GCM_CIPHER[:120], "76fc6ece0f4e1768cddf8853bb2d551b"),
}


def check_gcm(vector: GcmVector) -> None:
    """Both directions, and one wrong tag."""
    key, iv, aad, plain, cipher, tag = map(hx, vector)
    check_equal("encrypted", secrypt.gcm_encrypt(key, iv, aad, plain), (cipher, tag))
    check_equal("decrypted", secrypt.gcm_decrypt(key, iv, aad, cipher, tag), plain)
    wrong = bytes([tag[0] ^ 1]) + tag[1:]
    check_rejected(lambda: secrypt.gcm_decrypt(key, iv, aad, cipher, wrong), "GCM tag mismatch")


XTS_KEY = hx("2718281828459045235360287471352662497757247093699959574966967627"
             "3141592653589793238462643383279502884197169399375105820974944592")
XTS_CIPHER = hx(
    "1c3b3a102f770386e4836c99e370cf9bea00803f5e482357a4ae12d414a3e63b"
    "5d31e276f8fe4a8d66b317f9ac683f44680a86ac35adfc3345befecb4bb188fd"
    "5776926c49a3095eb108fd1098baec70aaa66999a72a82f27d848b21d4a741b0"
    "c5cd4d5fff9dac89aeba122961d03a757123e9870f8acf1000020887891429ca"
    "2a3e7a7d7df7b10355165c8b9a6d0a7de8b062c4500dc4cd120c0f7418dae3d0"
    "b5781c34803fa75421c790dfe1de1834f280d7667b327f6c8cd7557e12ac3a0f"
    "93ec05c52e0493ef31a12d3d9260f79a289d6a379bc70c50841473d1a8cc81ec"
    "583e9645e07b8d9670655ba5bbcfecc6dc3966380ad8fecb17b6ba02469a020a"
    "84e18e8f84252070c13e9f1f289be54fbc481457778f616015e1327a02b140f1"
    "505eb309326d68378f8374595c849d84f4c333ec4423885143cb47bd71c5edae"
    "9be69a2ffeceb1bec9de244fbe15992b11b77c040f12bd8f6a975a44a0f90c29"
    "a9abc3d4d893927284c58754cce294529f8614dcd2aba991925fedc4ae74ffac"
    "6e333b93eb4aff0479da9a410e4450e0dd7ae4c6e2910900575da401fc07059f"
    "645e8b7e9bfdef33943054ff84011493c27b3429eaedb4ed5376441a77ed4385"
    "1ad77f16f541dfd269d50d6a5f14fb0aab1cbb4c1550be97f7ab4066193c4caa"
    "773dad38014bd2092fa755c824bb5e54c4f36ffda9fcea70b9c6e693e148c151")


def test_xts_ieee1619() -> None:
    """IEEE 1619 annex B, vector 10: 512-byte data unit with number 0xff."""
    plain, tweak = bytes(range(256)) * 2, bytes([0xFF]) + bytes(15)
    check_equal("encrypted", secrypt.aes256_xts(XTS_KEY, tweak, plain, 512, False), XTS_CIPHER)
    check_equal("decrypted", secrypt.aes256_xts(XTS_KEY, tweak, XTS_CIPHER, 512, True), plain)


def naive_masks(tweak: bytes, count: int) -> bytes:
    """T, T*a, T*a^2, ... one by one, as IEEE 1619 writes it."""
    value, out = int.from_bytes(tweak, "little"), b""
    for _ in range(count):
        out += value.to_bytes(16, "little")
        value = (value << 1) ^ ((1 << 128 | 0x87) if value >> 127 else 0)
    return out


def test_xts_page_masks() -> None:
    """The doubling scheme against the definition, for two pages and a chunk border."""
    tweaks = os.urandom(32)
    expected = naive_masks(tweaks[:16], 256) + naive_masks(tweaks[16:], 256)
    found = secrypt.xts_masks(tweaks, 4096).to_bytes(8192, "little")
    check_equal("masks", found.hex(), expected.hex())
    pages = secrypt.XTS_CHUNK // 4096 + 1
    pieces = list(secrypt.xts_whitening(tweaks[:16] * pages, 4096))
    check(b"".join(pieces) == expected[:4096] * pages, "masks across chunks differ")


ECDH_PRIVATE = int("0000017eecc07ab4b329068fba65e56a1f8890aa935e57134ae0ffcce802735151f4eac6"
                   "564f6ee9974c5e6887a1fefee5743ae2241bfeb95d5ce31ddcb6f9edb4d6fc47", 16)
ECDH_PUBLIC = Point(
    int("000000602f9d0cf9e526b29e22381c203c48a886c2b0673033366314f1ffbcba240ba42f"
        "4ef38a76174635f91e6b4ed34275eb01c8467d05ca80315bf1a7bbd945f550a5", 16),
    int("000001b7c85f26f5d4b2d7355cf6b02117659943762b6d1db5ab4f1dbc44ce7b2946eb6c"
        "7de342962893fd387d1b73d7a8672d1f236961170b7eb3579953ee5cdc88cd2d", 16))
ECDH_PEER = Point(
    int("000000685a48e86c79f0f0875f7bc18d25eb5fc8c0b07e5da4f4370f3a9490340854334b"
        "1e1b87fa395464c60626124a4e70d0f785601d37c09870ebf176666877a2046d", 16),
    int("000001ba52c56fc8776d9e8f5db4f0cc27636d0b741bbe05400697942e80b739884a83bd"
        "e99e0f6716939e632bc8986fa18dccd443a348b6c3e522497955a4f3c302f676", 16))
ECDH_Z = hx("005fc70477c3e63bc3954bd0df3ea0d1f41ee21746ed95fc5e1fdf90930d5e136672"
            "d72cc770742d1711c3c3a4c334a0ad9759436a4d3c5bf6e74b9578fac148c831")


def test_p521_key_pair() -> None:
    """NIST CAVP, ECC CDH primitive, P-521, count 0: the public key."""
    check_equal("public key", secrypt.point_mul(ECDH_PRIVATE, secrypt.P521_G), ECDH_PUBLIC)
    check(secrypt.on_curve(ECDH_PUBLIC), "public key not on the curve")
    check_rejected(lambda: secrypt.point_mul(secrypt.P521_N, ECDH_PEER), "point at infinity")


def test_p521_ecdh() -> None:
    """NIST CAVP, ECC CDH primitive, P-521, count 0: the shared secret."""
    check_equal("Z", secrypt.ecdh(ECDH_PRIVATE, ECDH_PEER).hex(), ECDH_Z.hex())
    off_curve = Point(ECDH_PEER.x, ECDH_PEER.y ^ 1)
    check_rejected(lambda: secrypt.ecdh(ECDH_PRIVATE, off_curve), "not a point of P-521")


def test_x963_kdf() -> None:
    """NIST CAVP, ANSI X9.63-2001 KDF, SHA-256, no shared info, count 0."""
    z = hx("96c05619d56c328ab95fe84b18264b08725b85e33fd34f08")
    check_equal("key", secrypt.x963_kdf(z, 16).hex(), "443024c3dae66b95e6f5670601558f71")


PRIMITIVE_CASES = [
    Case("AES-256-ECB: FIPS-197 C.3", test_aes_fips197),
    *(Case(f"AES-256-GCM: test case {n}", lambda vector=vector: check_gcm(vector))
      for n, vector in GCM_VECTORS.items()),
    Case("AES-256-XTS: IEEE 1619 vector 10", test_xts_ieee1619),
    Case("AES-256-XTS: masks of 4096-byte data units by definition", test_xts_page_masks),
    Case("P-521: key pair of NIST CAVP", test_p521_key_pair),
    Case("P-521: ECDH of NIST CAVP", test_p521_ecdh),
    Case("X9.63 KDF: NIST CAVP", test_x963_kdf),
]


# ------------------------------------------------------------------------------------- the vectors

class Vectors:
    """The files of the vector directory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sealed = self.read("sealed.img")
        self.plain = self.read("plain-components.img")
        self.header_key = self.read("hdr.key")
        self.host = {n: secrypt.load_host_key(self.read(f"host{n}.key").decode()) for n in (1, 2)}

    def read(self, name: str) -> bytes:
        """A file by name."""
        return (self.folder / name).read_bytes()

    def inputs(self, with_ramdisk: bool) -> dict[str, bytes]:
        """What the components must decrypt to; stage3b without its arguments."""
        parts = {"kernel": self.read("kernel.bin"), "cmdline": self.read("parmfile") + b"\0",
                 "stage3b": self.read("stage3b_reloc.bin")[:-seread.STAGE3B_ARGS_LEN]}
        return {**parts, "ramdisk": self.read("ramdisk.bin")} if with_ramdisk else parts

    def recipe(self) -> sebuild.Recipe:
        """An R-layout image of the same inputs."""
        return sebuild.Recipe(
            kernel=self.read("kernel.bin"), stage3a=self.read("stage3a.bin"),
            stage3b=self.read("stage3b_reloc.bin"), ramdisk=self.read("ramdisk.bin"),
            cmdline=self.read("parmfile") + b"\0", header_key=self.header_key,
            image_key=self.read("image.key"), cck=self.read("cck.bin"),
            hosts=[self.host[1].public, self.host[2].public])


def check_content(image: Image, inputs: dict[str, bytes]) -> None:
    """All components, byte for byte."""
    check_equal("roles", {comp.role for comp in image.components}, set(inputs))
    for comp in image.components:
        content = comp.content
        if comp.role == "stage3b":
            content = content[:-seread.STAGE3B_ARGS_LEN]
        check(content == inputs[comp.role], f"{comp.role} differs from its input")


def check_keys(image: Image, v: Vectors) -> None:
    """Keys and loader against the files that the image was made from."""
    check_equal("header key", image.header_key, v.header_key)
    check_equal("cck", image.secrets.cck, v.read("cck.bin"))
    check_equal("image key", image.secrets.image_key, v.read("image.key"))
    template = v.read("stage3a.bin")[:-seread.STAGE3A_ARGS_LEN]
    check(image.stage3a[:-seread.STAGE3A_ARGS_LEN] == template, "stage3a differs from its template")


def check_vector(v: Vectors, data: bytes, host: int, layout: str, pcf: int, scf: int = 0) -> None:
    """Read with a host key; everything must be as it was given to the builder."""
    image = seread.read_image(data, host_key=v.host[host])
    check_equal("layout", image.layout.name, layout)
    check_equal("pcf", image.header.pcf, pcf)
    check_equal("scf", image.secrets.scf, scf)
    check_keys(image, v)
    check_content(image, v.inputs(image.component("ramdisk") is not None))


def check_stage3a_template(v: Vectors, data: bytes) -> None:
    """The argument block is where the template ends."""
    image = seread.read_image(data, header_key=v.header_key)
    end = seread.STAGE3A_ADDR + len(v.read("stage3a.bin"))
    check_equal("stage3a arguments", image.stage3a_args.addr, end - seread.STAGE3A_ARGS_LEN)
    check_equal("stage3b arguments", image.stage3b_args.offset,
                len(v.read("stage3b_reloc.bin")) - seread.STAGE3B_ARGS_LEN)


def check_slot_order(v: Vectors) -> None:
    """Slots are in the order of the command line."""
    found = [slot.phkh for slot in sehdr.parse_header(v.sealed[0x14000:]).slots]
    check_equal("phkh", found, [sehdr.phkh_of(v.host[n].public) for n in (1, 2)])


def check_pkcs8(v: Vectors) -> None:
    """The same key in PKCS#8 form."""
    argv = ["openssl", "pkcs8", "-topk8", "-nocrypt", "-in", str(v.folder / "host1.key")]
    pem = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
    check_equal("key", secrypt.load_host_key(pem), v.host[1])


def vector_cases(v: Vectors) -> list[Case]:
    """The images of the other tool."""
    plain_pcf = 0x10000020
    return [
        Case("host key: PKCS#8 and SEC 1 files are the same", lambda: check_pkcs8(v)),
        Case("sealed.img: slots in order", lambda: check_slot_order(v)),
        Case("sealed.img: host 1", lambda: check_vector(v, v.sealed, 1, "C", 0x200000E0)),
        Case("sealed.img: host 2", lambda: check_vector(v, v.sealed, 2, "C", 0x200000E0)),
        Case("sealed.img: argument blocks", lambda: check_stage3a_template(v, v.sealed)),
        Case("plain-components.img: host 2", lambda: check_vector(v, v.plain, 2, "C", plain_pcf)),
        Case("plain-components.img: argument blocks", lambda: check_stage3a_template(v, v.plain)),
        Case("plain-components.img: host 1 has no slot", lambda: check_rejected(
            lambda: seread.read_image(v.plain, v.host[1]), "no key slot for the host key")),
        Case("sealed.img: wrong header key", lambda: check_rejected(
            lambda: seread.read_image(v.sealed, header_key=bytes(32)), "cannot authenticate")),
        Case("sealed.img: header key is not the wrapped one", lambda: check_rejected(
            lambda: seread.read_image(v.sealed, v.host[1], bytes(32)), "not the one in the key")),
        Case("sealed.img: no key", lambda: check_rejected(
            lambda: seread.read_image(v.sealed), "neither host key nor header key")),
    ]


# --------------------------------------------------------------------------------- R-layout images

def check_recipe(v: Vectors, header_at: int, found_by: list[str], **changes: object) -> None:
    """Build, read and compare with the recipe."""
    recipe = dataclasses.replace(v.recipe(), **changes)
    image = seread.read_image(sebuild.build_image(recipe), v.host[1])
    check_equal("layout", image.layout.name, "R")
    check_equal("header", image.hdr_off, header_at)
    check_equal("found by", image.found_by, found_by)
    for role in ("kernel", "ramdisk", "cmdline"):
        comp = image.component(role)
        check(getattr(recipe, role) == (comp and comp.content), f"{role} differs from its input")


def check_first_component(v: Vectors) -> None:
    """45 slots: the header needs two pages."""
    recipe = dataclasses.replace(v.recipe(), hosts=[v.host[1].public] * 45)
    image = seread.read_image(sebuild.build_image(recipe), header_key=v.header_key)
    check_equal("first component", image.components[0].addr, 0x16000)


def build_cases(v: Vectors) -> list[Case]:
    """Images of sebuild, with what the other tool's images do not show."""
    both = ["metadata", "search"]
    long_stage3a = bytes(0x3F00) + v.read("stage3a.bin")
    return [
        Case("R layout: all components", lambda: check_recipe(v, 0x14000, both)),
        Case("R layout: kernel only",
             lambda: check_recipe(v, 0x14000, both, ramdisk=None, cmdline=None)),
        Case("R layout: empty ramdisk is one page",
             lambda: check_recipe(v, 0x14000, both, ramdisk=b"")),
        Case("R layout: whole pages need no padding",
             lambda: check_recipe(v, 0x14000, both, ramdisk=b"\1" * 8192)),
        Case("R layout: components not encrypted",
             lambda: check_recipe(v, 0x14000, both, pcf=0x100000E0)),
        Case("R layout: all flags", lambda: check_recipe(
            v, 0x14000, both, pcf=0x200000F2, scf=0x6000000000000000)),
        Case("R layout: only the metadata lead to the header",
             lambda: check_recipe(v, 0x17000, ["metadata"], stage3a=long_stage3a)),
        Case("R layout: stage3b fills its page exactly", lambda: check_recipe(
            v, 0x14000, both, stage3b=v.read("stage3b_reloc.bin")[:4096])),
        Case("R layout: stage3b arguments across pages", lambda: check_recipe(
            v, 0x14000, both, stage3b=v.read("stage3b_reloc.bin")[:4097])),
        Case("R layout: header of two pages", lambda: check_first_component(v)),
    ]


# ---------------------------------------------------------------------------------- tampered images

class Row(NamedTuple):
    """A tampered image and the text with which it must be rejected."""
    name: str
    changes: str            # assignments for setamper
    message: str


# The header stays as the change made it: nobody computes a new tag.
RAW_ROWS = [
    Row("magic", "magic=flip", "No Secure Execution header found"),
    Row("version 2", "version=0x200", "version 0x200, not 0x100"),
    Row("sehs + 1", "sehs=+1", "sehs is 721, but nks 2 and sea 128 need 720"),
    Row("sehs too small", "sehs=16", "sehs is 16, not in 17..8192"),
    Row("sehs too large", "sehs=8193", "sehs is 8193, not in 17..8192"),
    Row("nks 0", "nks=0", "nks is 0"),
    Row("nks 3", "nks=3", "sehs is 720, but nks 3 and sea 128 need 800"),
    Row("nks 2^64-1", "nks=-3", "is larger than sehs"),
    Row("sea 0", "sea=0", "sea is 0"),
    Row("sea no multiple of 16", "sea=+8", "sea is 136, not a multiple"),
    Row("reserved field", "reserved=1", "reserved field at 0x1c: 0x1"),
    Row("pcf without a new tag", "pcf=0xe0", "cannot authenticate"),
    Row("iv", "iv=flip", "cannot authenticate"),
    Row("header tag", "tag=flip", "cannot authenticate"),
    Row("encrypted area", "poke=0x14240:00000000", "cannot authenticate"),
    Row("cust_pub_key", "cust_pub_key=flip", "cust_pub_key is not a point of P-521"),
    Row("cust_pub_key zero", "cust_pub_key=" + "00" * 160, "cust_pub_key is not a point of P-521"),
    Row("own phkh", "slot0.phkh=" + "00" * 32, "no key slot for the host key"),
    Row("wrapped key", "slot0.wrapped_key=flip", "key slot 0: GCM tag mismatch"),
    Row("slot tag", "slot0.tag=flip", "key slot 0: GCM tag mismatch"),
    Row("other host's slot", "slot1.phkh=flip", "cannot authenticate"),
]

# The header is authentic; what it says is wrong.
SEALED_HEADER_ROWS = [
    Row("unknown pcf bit", "pcf=0xe1", "pcf: unknown flags 0x0000000000000001"),
    Row("scf all ones", "scf=-1", "scf: unknown flags 0x9fffffffffffffff"),
    Row("noi", "noi=1", "1 optional items"),
    Row("reserved field in the area", "reserved7c=1", "0x7c of the encrypted area"),
    Row("psw address", "psw_addr=+2", "psw address: 0x2c002, not 0x2c000"),
    Row("psw mask", "psw_mask=0x80000000", "psw mask: 0x80000000, not 0x180000000"),
    Row("nep 0", "nep=0", "nep mismatch: header 0, components have 25 pages"),
    Row("pld", "pld=0000000000000000", "PLD mismatch"),
    Row("ald", "ald=0000000000000000", "ALD mismatch"),
    Row("tld", "tld=0000000000000000", "TLD mismatch"),
    Row("image key", "image_key=flip", "stage3b: no argument block"),
]

COMPONENT_ROWS = [
    Row("kernel byte", "comp0.byte=0", "PLD mismatch"),
    Row("last stage3b byte", "comp3.byte=0x1fff", "PLD mismatch"),
    Row("pages exchanged", "swap_pages=0,1", "PLD mismatch"),
    Row("pages exchanged, digests fit", "swap_pages=23,24 redigest=1",
        "stage3b: no argument block"),
    Row("kernel padding", "comp0.plain=74565:01 redigest=1",
        "kernel: padding: not zero at offset 0x0"),
    Row("ramdisk padding", "comp2.plain=0x2fff:01 redigest=1", "ramdisk: padding: not zero"),
    Row("stage3b padding", "comp3.plain=0x1fff:01 redigest=1", "with only zeros behind it"),
    Row("cmdline without NUL", "comp1.plain=31:41 redigest=1", "cmdline: does not end with NUL"),
    Row("kernel.src", "comp3.plain=6080:ff redigest=1", "no argument block states the kernel"),
    Row("kernel.size", "comp3.plain=6088:0000000000020000 redigest=1",
        "kernel.size 0x20000 does not fit"),
    Row("cmdline.src", "comp3.plain=6096:0000000000029000 redigest=1",
        "cmdline.src: 0x29000, not 0x28000"),
    Row("ramdisk.size 0", "comp3.plain=6120:0000000000000000 redigest=1",
        "ramdisk.size 0x0 does not fit"),
    Row("stage3b psw mask", "comp3.plain=6128:01 redigest=1", "stage3b arguments: psw mask"),
    Row("stage3b psw address", "comp3.plain=6136:0000000000011000 redigest=1",
        "stage3b arguments: psw address: 0x11000, not 0x10000"),
]

IPIB_ROWS = [
    Row("IPIB len", "ipib.len=0x800", "IPIB: len: 0x800, not 0x1000"),
    Row("IPIB len too small", "ipib.len=147", "len is 147, not in 148..4096"),
    Row("IPIB len too large", "ipib.len=4097", "len is 4097, not in 148..4096"),
    Row("IPIB version", "ipib.version=0", "IPIB: version: 0x0, not 0x1"),
    Row("IPIB flags", "ipib.flags=0x40", "IPIB: range 0x4..0x6: not zero"),
    Row("IPIB loadparm", "ipib.loadparm=40", "IPIB: range 0xd..0x6e: not zero at offset 0x3"),
    Row("IPIB pbt", "ipib.pbt=2", "pbt is 2, not 5"),
    Row("IPIB blk0_len", "ipib.blk0_len=+8", "blk0_len: 0xe8, not 0xe0"),
    Row("IPIB block version", "ipib.block_version=1", "block version: 0x1, not 0x0"),
    Row("IPIB header address", "ipib.hdr_addr=0x14000", "pv_hdr_addr: 0x14000, not 0x0"),
    Row("IPIB header size", "ipib.hdr_size=+1", "pv_hdr_size: 0x2d1, not 0x2d0"),
    Row("IPIB rest of the page", "poke=0x13fff:01", "rest of the page: not zero"),
    Row("num_comp 0", "ipib.num_comp=0", "num_comp is 0"),
    Row("num_comp 5", "ipib.num_comp=5", "num_comp is 5"),
    Row("num_comp beyond len", "ipib.len=200", "len is 200, but 4 components need 232"),
    Row("num_comp without the last",
        "ipib.num_comp=3 ipib.blk0_len=-24 poke=0x130d0:" + "00" * 24,
        "the last component is the ramdisk, not stage3b"),
    Row("tweak", "ipib.comp2.tweak_pref=+1", "TLD mismatch"),
    Row("tweak kind unknown", "ipib.comp3.tweak_pref=0x0009000000000000",
        "component 3 is of kind 9, unknown in C layout"),
    Row("tweak kind twice", "ipib.comp1.tweak_pref=0x0002000000000000",
        "components 1 and 2 are of the same kind"),
    Row("no kernel", "ipib.comp0.tweak_pref=0x0001000000000000 ipib.num_comp=2 "
        "ipib.comp1.tweak_pref=0x0003000000000000 ipib.blk0_len=-48 poke=0x130b8:" + "00" * 48,
        "the first component is the cmdline"),
    Row("entries exchanged", "swap=1,2", "tweak_pref of component 2 is not larger"),
    Row("addresses exchanged", "swap_addr=1,2", "cmdline: address 0x29000 leaves a gap"),
    Row("address not aligned", "ipib.comp1.addr=+8", "0x28008 is not page aligned"),
    Row("address overlaps", "ipib.comp1.addr=-0x1000", "0x27000 overlaps what ends at 0x28000"),
    Row("address leaves a gap", "ipib.comp2.addr=+0x1000", "0x2a000 leaves a gap behind 0x29000"),
    Row("first address", "ipib.comp0.addr=+0x1000", "kernel: address 0x16000 leaves a gap"),
    Row("length grows", "ipib.comp0.len=+0x1000", "cmdline: address 0x28000 overlaps"),
    Row("length 0", "ipib.comp1.len=0", "length 0x0 is not a positive number of pages"),
    Row("length no multiple", "ipib.comp1.len=32", "length 0x20 is not a positive number of pages"),
    Row("length beyond the file", "ipib.comp3.len=+0x1000",
        "stage3b: 0x3000 bytes at 0x2c000 exceed"),
    Row("page moves to the next component", "ipib.comp0.len=-0x1000 ipib.comp1.addr=-0x1000 "
        "ipib.comp1.len=+0x1000", "TLD mismatch"),
]

FILE_ROWS = [
    Row("short PSW", "psw=0x0008000180010000", "short PSW: 0x0008000180010000"),
    Row("hole after the PSW", "poke=0x9000:01", "hole 0x8..0xbfff: not zero at offset 0x8ff8"),
    Row("hole after stage3a", "poke=0x12fff:01", "hole 0x12bd8..0x12fff"),
    Row("hole after the header", "poke=0x14fff:01", "hole 0x142d0..0x14fff"),
    Row("stage3a: header offset", "args.hdr_offs=+8", "stage3a: no argument block states header"),
    Row("stage3a: header size", "args.hdr_size=+8", "stage3a: no argument block states header"),
    Row("stage3a: IPIB offset", "args.ipib_offs=+8", "stage3a: no argument block states header"),
    Row("stage3a: kernel mark", "poke=0x10008:533339304550", "mark S390EP of a plain kernel"),
    Row("one byte cut off", "truncate=-1", "stage3b: 0x2000 bytes at 0x2c000 exceed"),
    Row("cut in the header", "truncate=0x14100", "SE header: 0x2d0 bytes at 0x0 exceed the 0x100"),
    Row("cut before the header", "truncate=0x14000", "No Secure Execution header found"),
    Row("one byte added", "append=00", "file size: 0x2e001, not 0x2e000"),
    Row("metadata in C layout", "findability=metadata", "IPIB: len: 0x1000, not 0xe8"),
    Row("only a header", "header_only=20", "IPIB: len is 0, not in 148..4096"),
    Row("only a header, at 0", "header_only=search", "no room for an IPIB"),
]

R_ROWS = [
    Row("no metadata", "findability=search", "IPIB: len is 0, not in 148..4096"),
    Row("metadata: version", "meta.version=2", "image metadata: version: 0x2, not 0x1"),
    Row("metadata: header", "meta.hdr_off=0x15000", "found at 0x15000, where the metadata states"),
    Row("metadata: beyond the file", "meta.hdr_off=-1", "where the metadata states it"),
    Row("metadata: IPIB not aligned", "meta.ipib_off=+8", "not on a page boundary"),
    Row("metadata: IPIB elsewhere", "meta.ipib_off=0x13000", "IPIB: len is 0, not in 148..4096"),
    Row("two headers", "poke=0x5000:49424d5365634578", "two SE headers"),
    Row("IPIB block version", "ipib.block_version=0", "block version: 0x0, not 0x1"),
    Row("IPIB header address", "ipib.hdr_addr=0", "pv_hdr_addr: 0x0, not 0x14000"),
    Row("IPIB len", "ipib.len=-8", "len is 224, but 4 components need 232"),
    Row("one byte cut off", "truncate=-1", "IPIB: 0xe8 bytes at 0x2e000 exceed"),
    Row("one byte added", "append=00", "file size: 0x2e0e9, not 0x2e0e8"),
    Row("kind of the C layout", "ipib.comp0.tweak_pref=0", "kind 0, unknown in R layout"),
    Row("C order", "ipib.comp1.tweak_pref=0x003c000000000000 "
        "ipib.comp2.tweak_pref=0x0032000000000000", "tweak_pref of component 2 is not larger"),
    Row("hole after the metadata", "poke=0xc01c:01", "hole 0xc01c..0xffff: not zero at offset 0x0"),
    Row("ramdisk byte", "comp1.byte=9000", "PLD mismatch"),
    Row("stage3a: IPIB offset", "args.ipib_offs=-0x1000", "stage3a: no argument block"),
]


def check_row(row: Row, data: bytes, key: Optional[bytes], host_key: Optional[HostKey],
              header_key: Optional[bytes]) -> None:
    """Tamper (key: seal again) and read (with either key)."""
    changed = setamper.tamper(data, row.changes.split(), key)
    check(changed != data, "the change changed nothing")
    check_rejected(lambda: seread.read_image(changed, host_key, header_key), row.message)


def negative_cases(v: Vectors) -> Iterator[Case]:
    """Every row; only the first group needs a host key, the others save the time for ECDH."""
    r_image = lru_cache(lambda: sebuild.build_image(v.recipe()))
    key = v.header_key
    for row in RAW_ROWS:
        yield Case(f"rejected: {row.name}",
                   lambda row=row: check_row(row, v.sealed, None, v.host[1], None))
    for row in SEALED_HEADER_ROWS + COMPONENT_ROWS:
        yield Case(f"rejected, sealed again: {row.name}",
                   lambda row=row: check_row(row, v.sealed, key, None, key))
    for row in IPIB_ROWS + FILE_ROWS:
        yield Case(f"rejected: {row.name}",
                   lambda row=row: check_row(row, v.sealed, None, None, key))
    for row in R_ROWS:
        yield Case(f"rejected, R layout: {row.name}",
                   lambda row=row: check_row(row, r_image(), None, None, key))
    row = Row("", "comp0.plain=74565:01 redigest=1", "kernel: padding: not zero")
    yield Case("rejected, not encrypted: padding",
               lambda: check_row(row, v.plain, key, None, key))


# ------------------------------------------------------------------------------------------- tools

def check_sealing(v: Vectors) -> None:
    """Sealing gives back the same header if nothing changed, a good one if a flag changed."""
    check(setamper.tamper(v.sealed, ["redigest=1"], v.header_key) == v.sealed, "the image changed")
    changed = setamper.tamper(v.sealed, ["pcf=0x20", "scf=0x4000000000000000"], v.header_key)
    image = seread.read_image(changed, v.host[2])
    check_equal("flags", (image.header.pcf, image.secrets.scf), (0x20, 0x4000000000000000))


def check_header_only(v: Vectors, where: str, offset: int, found_by: list[str]) -> None:
    """A header in a file of its own is found and can be decrypted."""
    data = setamper.tamper(v.sealed, [f"header_only={where}"])
    check_equal("find_header", sehdr.find_header(data), (offset, found_by))
    summary = seread.header_only_summary(data, v.host[1], None)
    check_equal("cck", summary["cck"], v.read("cck.bin").hex())


def check_expectations(v: Vectors) -> None:
    """What expert options change is accepted when it is expected, and only then."""
    changed = setamper.tamper(v.sealed, ["psw_addr=0x10000", "pcf=1", "scf=1"], v.header_key)
    check_rejected(lambda: seread.read_image(changed, header_key=v.header_key), "pcf: unknown")
    expect = seread.Expect(psw_addr=0x10000, any_flags=True)
    seread.read_image(changed, header_key=v.header_key, expect=expect)


def check_tamper_errors(v: Vectors) -> None:
    """Requests that make no sense."""
    for assignment, message in (("cck=00", "the header key is needed"), ("nonsense=1", "unknown"),
                                ("slot2.phkh=00", "no such slot"), ("iv=" + "00" * 13, "too long"),
                                ("ipib.comp4.len=0", "no such comp"), ("nks", "not of the form"),
                                ("nks=x", "invalid literal"), ("poke=0x40000:00", "outside")):
        check_rejected(lambda a=assignment: setamper.tamper(v.sealed, [a]), message)


def run_cli(main: Callable[[list[str]], int], *argv: object) -> tuple[int, str, str]:
    """Run a command line in this process; returns status, stdout, stderr."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main([str(arg) for arg in argv])
    return status, out.getvalue(), err.getvalue()


def check_seread_cli(v: Vectors) -> None:
    """Summary and extracted files."""
    with tempfile.TemporaryDirectory() as name:
        status, out, err = run_cli(seread.main, v.folder / "sealed.img", "--host-key",
                                   v.folder / "host1.key", "--out-dir", name)
        check_equal("status", (status, err), (0, ""))
        summary = json.loads(out)
        check_equal("digests_ok", summary["digests_ok"], True)
        check_equal("kinds", [comp["kind"] for comp in summary["components"]],
                    ["kernel", "cmdline", "ramdisk", "stage3b"])
        for part in ("kernel.bin", "ramdisk.bin"):
            check((Path(name) / part).read_bytes() == v.read(part), f"{part} differs")


def check_setamper_cli(v: Vectors) -> None:
    """Write a changed image; the reader's command line rejects it."""
    with tempfile.TemporaryDirectory() as name:
        out_file = Path(name) / "out.img"
        key = ("--hdr-key", v.folder / "hdr.key")
        status, _, err = run_cli(setamper.main, v.folder / "sealed.img", out_file, "nep=0", *key)
        check_equal("setamper", (status, err), (0, ""))
        status, out, err = run_cli(seread.main, out_file, *key)
        check_equal("seread", (status, out), (1, ""))
        check("nep mismatch" in err, f"wrong message: {err}")


def tool_cases(v: Vectors) -> list[Case]:
    """setamper and both command lines."""
    return [
        Case("setamper: sealing", lambda: check_sealing(v)),
        Case("setamper: header at offset 0",
             lambda: check_header_only(v, "search", 0, ["search"])),
        Case("setamper: header where only the metadata lead",
             lambda: check_header_only(v, "metadata", 0x20000, ["metadata"])),
        Case("setamper: header in the last page of the search",
             lambda: check_header_only(v, "20", 0x14000, ["search"])),
        Case("setamper: header behind the search", lambda: check_rejected(
            lambda: check_header_only(v, "21", 0, []), "No Secure Execution header found")),
        Case("setamper: requests without sense", lambda: check_tamper_errors(v)),
        Case("seread: expectations", lambda: check_expectations(v)),
        Case("seread: command line", lambda: check_seread_cli(v)),
        Case("setamper: command line", lambda: check_setamper_cli(v)),
    ]


# --------------------------------------------------------------------------------------------- TAP

def run_case(number: int, case: Case) -> bool:
    """Run one test and print its lines."""
    try:
        case.run()
    except Exception as err:        # whatever it is, the other tests shall run
        text = str(err) if isinstance(err, AssertionError) else traceback.format_exc()
        print(f"not ok {number} - {case.name}")
        print("\n".join(f"# {line}" for line in text.splitlines()))
        return False
    print(f"ok {number} - {case.name}", flush=True)
    return True


def main() -> int:
    """Exit status 0: all passed, 1: not, 2: usage."""
    if len(sys.argv) != 2:
        print("usage: vectors_test.py VECTOR-DIR", file=sys.stderr)
        return 2
    v = Vectors(Path(sys.argv[1]))
    cases = [*PRIMITIVE_CASES, *vector_cases(v), *build_cases(v), *negative_cases(v),
             *tool_cases(v)]
    print(f"1..{len(cases)}")
    passed = [run_case(n, case) for n, case in enumerate(cases, 1)]
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
