# SPDX-License-Identifier: MIT
"""
Cryptographic primitives of the independent SE image reader.

AES on single blocks comes from `openssl enc -aes-256-ecb`; everything above it (GCM, XTS, P-521,
the X9.63 KDF, DER) is written here in Python integers, so that it shares nothing with src/crypto.
Not constant-time, keys appear in argv: for test keys only.

Documents: NIST SP 800-38D (GCM), IEEE 1619 (XTS), SEC 1 v2 sections 2.3, 3.3.1 and 3.6.1, RFC 5915.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import subprocess
from functools import lru_cache
from typing import Iterator, NamedTuple, Optional

BLOCK = 16
AES_KEY_LEN = 32
TAG_LEN = 16


class CryptoError(Exception):
    """A key, point or file that cannot be used, or data that does not authenticate."""


# ---------------------------------------------------------------------------------------- AES-ECB

def aes256_ecb(key: bytes, blocks: bytes, decrypt: bool = False) -> bytes:
    """En- or decrypt whole 16-byte blocks, each on its own."""
    if len(key) != AES_KEY_LEN:
        raise CryptoError(f"AES-256 key: {len(key)} bytes, not {AES_KEY_LEN}")
    if len(blocks) % BLOCK:
        raise CryptoError(f"AES-ECB: {len(blocks)} bytes are not a multiple of {BLOCK}")
    if not blocks:
        return b""
    argv = [os.environ.get("OPENSSL", "openssl"), "enc", "-aes-256-ecb", "-nopad",
            "-d" if decrypt else "-e", "-K", key.hex()]
    done = subprocess.run(argv, input=blocks, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode or len(done.stdout) != len(blocks):
        raise CryptoError(f"openssl enc failed: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def xor(a: bytes, b: bytes) -> bytes:
    """XOR of two strings of the same length."""
    number = int.from_bytes(a, "little") ^ int.from_bytes(b, "little")
    return number.to_bytes(len(a), "little")


# ---------------------------------------------------------------------------------------- AES-GCM

GHASH_R = 0xE1 << 120       # x^128 + x^7 + x^2 + x + 1, bit-reflected


def ghash_mul(x: int, h: int) -> int:
    """Product in GF(2^128) with GCM's bit order (SP 800-38D section 6.3)."""
    z = 0
    for bit in range(127, -1, -1):
        if x >> bit & 1:
            z ^= h
        h = h >> 1 ^ (GHASH_R if h & 1 else 0)
    return z


def pad16(data: bytes) -> bytes:
    """Append zeros up to the next block boundary."""
    return data + bytes(-len(data) % BLOCK)


def ghash(h: bytes, aad: bytes, ciphertext: bytes) -> bytes:
    """GHASH over AAD, ciphertext and their bit lengths."""
    lengths = (8 * len(aad)).to_bytes(8, "big") + (8 * len(ciphertext)).to_bytes(8, "big")
    data = pad16(aad) + pad16(ciphertext) + lengths
    key, acc = int.from_bytes(h, "big"), 0
    for off in range(0, len(data), BLOCK):
        acc = ghash_mul(acc ^ int.from_bytes(data[off:off + BLOCK], "big"), key)
    return acc.to_bytes(BLOCK, "big")


def gcm_streams(key: bytes, iv: bytes, length: int) -> tuple[bytes, bytes, bytes]:
    """Return the hash key H, E(J0), and a key stream of the given length: one cipher call."""
    if len(iv) != 12:
        raise CryptoError(f"GCM: IV of {len(iv)} bytes, only 12 are supported")
    nblocks = -(-length // BLOCK)
    counters = b"".join(iv + (n + 1).to_bytes(4, "big") for n in range(nblocks + 1))
    out = aes256_ecb(key, bytes(BLOCK) + counters)
    return out[:16], out[16:32], out[32:32 + length]


def gcm_encrypt(key: bytes, iv: bytes, aad: bytes, plaintext: bytes) -> tuple[bytes, bytes]:
    """AES-256-GCM; returns ciphertext and 16-byte tag."""
    h, mask, stream = gcm_streams(key, iv, len(plaintext))
    ciphertext = xor(plaintext, stream)
    return ciphertext, xor(ghash(h, aad, ciphertext), mask)


def gcm_decrypt(key: bytes, iv: bytes, aad: bytes, ciphertext: bytes, tag: bytes) -> bytes:
    """AES-256-GCM; the plaintext is returned only if the tag is right."""
    h, mask, stream = gcm_streams(key, iv, len(ciphertext))
    if xor(ghash(h, aad, ciphertext), mask) != tag:
        raise CryptoError("GCM tag mismatch")
    return xor(ciphertext, stream)


# ---------------------------------------------------------------------------------------- AES-XTS

XTS_SEGMENT = 16 << 20      # bytes per cipher call: bounds memory, the start of openssl is noise
XTS_CHUNK = 256 << 10       # bytes per Python integer: small enough for the L2 cache


@lru_cache(maxsize=32)
def lanes(bits: int, count: int) -> int:
    """A number of `count` 128-bit lanes whose low `bits` bits are ones."""
    lane = ((1 << bits) - 1).to_bytes(BLOCK, "little")
    return int.from_bytes(lane * count, "little")


def alpha_mul(x: int, power: int, count: int) -> int:
    """Multiply every 128-bit lane of x by alpha^power (power <= 64), alpha^128 = a^7+a^2+a+1."""
    low = x & lanes(128 - power, count)
    high = x >> (128 - power) & lanes(power, count)
    return low << power ^ high ^ high << 1 ^ high << 2 ^ high << 7


def xts_masks(first: bytes, unit: int) -> int:
    """
    Whitening values of several data units, as one little-endian number.

    `first` holds the encrypted tweak of each unit. The values of one unit are T, T*a, T*a^2...;
    each round doubles the number of those that are known, in all units at once.
    """
    count = len(first) // BLOCK * (unit // BLOCK)
    gap = bytes(unit - BLOCK)
    known = b"".join(first[i:i + BLOCK] + gap for i in range(0, len(first), BLOCK))
    masks, power = int.from_bytes(known, "little"), 1
    while power < unit // BLOCK:
        step = masks
        for _ in range(-(-power // 64)):
            step = alpha_mul(step, min(power, 64), count)
        masks |= step << (128 * power)
        power *= 2
    return masks


def xts_whitening(first: bytes, unit: int) -> Iterator[bytes]:
    """The whitening values in pieces of XTS_CHUNK bytes."""
    per_chunk = max(1, XTS_CHUNK // unit)
    for i in range(0, len(first), per_chunk * BLOCK):
        part = first[i:i + per_chunk * BLOCK]
        yield xts_masks(part, unit).to_bytes(len(part) // BLOCK * unit, "little")


def xor_chunked(data: bytes, pieces: list[bytes]) -> bytes:
    """XOR with a string that is given in pieces."""
    out, off = [], 0
    for piece in pieces:
        out.append(xor(data[off:off + len(piece)], piece))
        off += len(piece)
    return b"".join(out)


def aes256_xts(key: bytes, tweaks: bytes, data: bytes, unit: int, decrypt: bool) -> bytes:
    """
    AES-256-XTS over whole data units of `unit` bytes, a power of two.

    key: data key (32) || tweak key (32). tweaks: 16 bytes per unit, the cipher input as it is.
    """
    if len(key) != 64:
        raise CryptoError(f"AES-256-XTS key: {len(key)} bytes, not 64")
    if unit & (unit - 1) or len(data) % unit or len(tweaks) * unit != len(data) * BLOCK:
        raise CryptoError(f"XTS: {len(tweaks)} tweak bytes do not fit {len(data)} data bytes")
    per_segment = max(1, XTS_SEGMENT // unit)
    out = []
    for first in range(0, len(tweaks) // BLOCK, per_segment):
        part = tweaks[first * BLOCK:(first + per_segment) * BLOCK]
        piece = data[first * unit:(first + per_segment) * unit]
        masks = list(xts_whitening(aes256_ecb(key[32:], part), unit))
        out.append(xor_chunked(aes256_ecb(key[:32], xor_chunked(piece, masks), decrypt), masks))
    return b"".join(out)


# ------------------------------------------------------------------------------------------ P-521

P521_P = (1 << 521) - 1
P521_B = int("0051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e1"
             "56193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00", 16)
P521_N = int("01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa"
             "51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409", 16)
P521_LEN = 66               # bytes of a field element


class Point(NamedTuple):
    """An affine point; None stands for the point at infinity."""
    x: int
    y: int


P521_G = Point(
    int("00c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3dba"
        "a14b5e77efe75928fe1dc127a2ffa8de3348b3c1856a429bf97e7e31c2e5bd66", 16),
    int("011839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e662c"
        "97ee72995ef42640c550b9013fad0761353c7086a272c24088be94769fd16650", 16))


def on_curve(point: Point) -> bool:
    """Whether y^2 = x^3 - 3x + b with both coordinates in the field."""
    x, y = point
    in_field = 0 <= x < P521_P and 0 <= y < P521_P
    return in_field and (y * y - (x * x * x - 3 * x + P521_B)) % P521_P == 0


def point_add(a: Optional[Point], b: Optional[Point]) -> Optional[Point]:
    """Group operation, all special cases included."""
    if a is None or b is None:
        return a or b
    if a.x == b.x and (a.y + b.y) % P521_P == 0:
        return None
    if a == b:
        slope = (3 * a.x * a.x - 3) * pow(2 * a.y, -1, P521_P)
    else:
        slope = (b.y - a.y) * pow(b.x - a.x, -1, P521_P)
    x = (slope * slope - a.x - b.x) % P521_P
    return Point(x, (slope * (a.x - x) - a.y) % P521_P)


def point_mul(scalar: int, point: Point) -> Point:
    """scalar * point by double and add, from the leftmost bit."""
    acc: Optional[Point] = None
    for bit in bin(scalar)[2:]:
        acc = point_add(acc, acc)
        if bit == "1":
            acc = point_add(acc, point)
    if acc is None:
        raise CryptoError("P-521: result is the point at infinity")
    return acc


def ecdh(private: int, public: Point) -> bytes:
    """Z: the x coordinate of the shared point, 66 bytes with leading zeros."""
    if not on_curve(public):
        raise CryptoError("the public key is not a point of P-521")
    return point_mul(private, public).x.to_bytes(P521_LEN, "big")


def x963_kdf(z: bytes, length: int, shared_info: bytes = b"") -> bytes:
    """ANSI X9.63 key derivation with SHA-256."""
    out, counter = b"", 0
    while len(out) < length:
        counter += 1
        out += hashlib.sha256(z + counter.to_bytes(4, "big") + shared_info).digest()
    return out[:length]


# ------------------------------------------------------------------------------------- DER and PEM

OID_P521 = bytes.fromhex("2b81040023")              # 1.3.132.0.35, secp521r1
OID_EC_PUBLIC_KEY = bytes.fromhex("2a8648ce3d0201")  # 1.2.840.10045.2.1
DER_INTEGER, DER_OCTETS, DER_OID, DER_SEQUENCE = 0x02, 0x04, 0x06, 0x30


class HostKey(NamedTuple):
    """A P-521 private key with its public point."""
    private: int
    public: Point


def der_items(data: bytes) -> list[tuple[int, bytes]]:
    """Split the content of a constructed DER value into (tag, content) pairs."""
    items, off = [], 0
    while off < len(data):
        if off + 2 > len(data):
            raise CryptoError("DER: truncated item")
        tag, length = data[off], data[off + 1]
        off += 2
        if length & 0x80:
            nbytes = length & 0x7F
            length = int.from_bytes(data[off:off + nbytes], "big")
            off += nbytes
        if off + length > len(data):
            raise CryptoError("DER: an item is longer than its container")
        items.append((tag, data[off:off + length]))
        off += length
    return items


def der_sequence(data: bytes) -> list[tuple[int, bytes]]:
    """The items of the one SEQUENCE that `data` consists of."""
    items = der_items(data)
    if len(items) != 1 or items[0][0] != DER_SEQUENCE:
        raise CryptoError("DER: not one SEQUENCE")
    return der_items(items[0][1])


def sec1_private(der: bytes, oid: bytes) -> int:
    """Scalar of an RFC 5915 ECPrivateKey; `oid` is the curve if the structure names none."""
    items = der_sequence(der)
    if len(items) < 2 or items[0] != (DER_INTEGER, b"\x01") or items[1][0] != DER_OCTETS:
        raise CryptoError("not an EC private key")
    named = [content for tag, content in items if tag == 0xA0]
    if named:
        oid = der_items(named[0])[0][1]
    if oid != OID_P521:
        raise CryptoError("the EC private key is not on curve secp521r1")
    return int.from_bytes(items[1][1], "big")


def pkcs8_private(der: bytes) -> int:
    """Scalar of a PKCS#8 PrivateKeyInfo (RFC 5958) that holds an EC key."""
    items = der_sequence(der)
    if len(items) < 3 or items[1][0] != DER_SEQUENCE or items[2][0] != DER_OCTETS:
        raise CryptoError("not a PKCS#8 private key")
    algorithm = [content for tag, content in der_items(items[1][1]) if tag == DER_OID]
    if len(algorithm) != 2 or algorithm[0] != OID_EC_PUBLIC_KEY:
        raise CryptoError("the PKCS#8 private key is not an EC key of a named curve")
    return sec1_private(items[2][1], algorithm[1])


def load_host_key(pem: str) -> HostKey:
    """Read a P-521 private key from PEM text, `EC PRIVATE KEY` or `PRIVATE KEY`."""
    found = re.search(r"-----BEGIN (EC PRIVATE KEY|PRIVATE KEY)-----(.*?)-----END \1-----",
                      pem, re.S)
    if not found:
        raise CryptoError("no (EC) PRIVATE KEY block in the PEM text")
    try:
        der = base64.b64decode(found[2])
    except ValueError as err:
        raise CryptoError(f"PEM text: {err}") from err
    if found[1] == "PRIVATE KEY":
        scalar = pkcs8_private(der)
    else:
        scalar = sec1_private(der, b"")
    if not 0 < scalar < P521_N:
        raise CryptoError("the private key is not in the range 1..n-1")
    return HostKey(scalar, point_mul(scalar, P521_G))
