# SPDX-License-Identifier: MIT
"""
SE header, version 1: finding, parsing, unwrapping, decrypting.

Also the small helpers which all checks use. Written from the format description alone.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from typing import NamedTuple, Optional

import secrypt
from secrypt import CryptoError, HostKey, Point

PAGE = 0x1000
METADATA_ADDR = 0xC000
METADATA_MAGIC = b"SeImgLnx"
METADATA_LEN = 28
SEARCH_PAGES = 21

HDR_MAGIC = b"IBMSecEx"
HDR_VERSION = 0x100
HDR_MAX = 8192
SLOTS_OFF = 0x1A0
SLOT_LEN = 80
AREA_LEN = 128
COORD_LEN = 80              # of one coordinate on disk, left-padded


def bit64(number: int) -> int:
    """Bit `number` of a doubleword, 0 is the leftmost."""
    return 1 << (63 - number)


PCF_NOT_ENCRYPTED = bit64(35)
PCF_NAMES = {
    bit64(34): "dump", bit64(35): "not-encrypted", bit64(56): "pckmo-dea", bit64(57): "pckmo-aes",
    bit64(58): "pckmo-ecc", bit64(59): "pckmo-hmac", bit64(62): "backup-keys",
}
SCF_NAMES = {bit64(1): "cck-extension-secret", bit64(2): "cck-update"}


class ImageError(Exception):
    """The image violates the format; the text names what was found and what was expected."""


def require(condition: bool, text: str) -> None:
    """Raise ImageError unless the condition holds."""
    if not condition:
        raise ImageError(text)


def require_equal(what: str, found: int, expected: int) -> None:
    """Raise ImageError unless both numbers are the same."""
    require(found == expected, f"{what}: {found:#x}, not {expected:#x}")


def require_zero(what: str, data: bytes) -> None:
    """Raise ImageError if a range has a byte that is not zero."""
    used = data.lstrip(b"\0")
    require(not used, f"{what}: not zero at offset {len(data) - len(used):#x}")


def require_flags(what: str, value: int, names: dict[int, str]) -> None:
    """Raise ImageError if a flag is set that has no name."""
    unknown = value & ~sum(names)
    require(not unknown, f"{what}: unknown flags {unknown:#018x}")


def be64(value: int) -> bytes:
    """8 bytes, big-endian; negative numbers in two's complement."""
    return (value % (1 << 64)).to_bytes(8, "big")


def page_up(value: int) -> int:
    """Round up to a page boundary."""
    return -(-value // PAGE) * PAGE


def cut(data: bytes, offset: int, length: int, what: str) -> bytes:
    """A range that must lie in the file."""
    require(offset + length <= len(data),
            f"{what}: {length:#x} bytes at {offset:#x} exceed the {len(data):#x} bytes of the file")
    return data[offset:offset + length]


# ------------------------------------------------------------------------------ finding the header

class Metadata(NamedTuple):
    """Image metadata at 0xc000."""
    hdr_off: int
    version: int
    ipib_off: int


def read_metadata(data: bytes) -> Optional[Metadata]:
    """The metadata, or None if there is none."""
    if data[METADATA_ADDR:METADATA_ADDR + 8] != METADATA_MAGIC:
        return None
    raw = cut(data, METADATA_ADDR, METADATA_LEN, "image metadata")
    meta = Metadata(*struct.unpack(">QIQ", raw[8:]))
    require_equal("image metadata: version", meta.version, 1)
    return meta


def has_hdr_magic(data: bytes, offset: int) -> bool:
    """Whether an SE header may start here."""
    return data[offset:offset + 8] == HDR_MAGIC


def find_header_by_metadata(data: bytes) -> Optional[int]:
    """Header offset that the metadata states; there is one try only."""
    meta = read_metadata(data)
    if meta is None:
        return None
    require(has_hdr_magic(data, meta.hdr_off),
            f"No Secure Execution header found at {meta.hdr_off:#x}, where the metadata states it")
    return meta.hdr_off


def find_header_by_search(data: bytes) -> Optional[int]:
    """First page among pages 0..20 which starts with the header magic."""
    pages = (n * PAGE for n in range(SEARCH_PAGES))
    return next((offset for offset in pages if has_hdr_magic(data, offset)), None)


def find_header(data: bytes) -> tuple[int, list[str]]:
    """Header offset, and the ways by which it can be found."""
    ways = {"metadata": find_header_by_metadata(data), "search": find_header_by_search(data)}
    found = {way: offset for way, offset in ways.items() if offset is not None}
    require(bool(found), "No Secure Execution header found")
    require(len(set(found.values())) == 1,
            f"two SE headers, metadata and search differ: {found}")
    return next(iter(found.values())), sorted(found)


# --------------------------------------------------------------------------------------- SE header

class KeySlot(NamedTuple):
    """The header key, wrapped for one host."""
    phkh: bytes
    wrapped_key: bytes
    tag: bytes


@dataclass(frozen=True)
class SeHeader:
    """SE header version 1; `raw` has all sehs bytes."""
    raw: bytes
    sehs: int
    iv: bytes
    nks: int
    sea: int
    nep: int
    pcf: int
    cust_pub_key: bytes
    pld: bytes
    ald: bytes
    tld: bytes
    slots: tuple[KeySlot, ...]

    @property
    def area_off(self) -> int:
        """Offset of the encrypted area; everything before it is authenticated (AAD)."""
        return SLOTS_OFF + SLOT_LEN * self.nks

    @property
    def aad(self) -> bytes:
        """The authenticated plain part."""
        return self.raw[:self.area_off]

    @property
    def area(self) -> bytes:
        """The encrypted area."""
        return self.raw[self.area_off:self.area_off + self.sea]

    @property
    def tag(self) -> bytes:
        """GCM tag over aad and area."""
        return self.raw[self.area_off + self.sea:]


def check_header_sizes(sehs: int, nks: int, sea: int) -> None:
    """sehs must be the sum of its parts."""
    require(nks >= 1, "SE header: nks is 0, there is no key slot")
    require(nks <= sehs, f"SE header: nks {nks} is larger than sehs {sehs}")
    require(AREA_LEN <= sea <= sehs and sea % 16 == 0,
            f"SE header: sea is {sea}, not a multiple of 16 in {AREA_LEN}..sehs")
    total = SLOTS_OFF + SLOT_LEN * nks + sea + secrypt.TAG_LEN
    require(sehs == total, f"SE header: sehs is {sehs}, but nks {nks} and sea {sea} need {total}")


def parse_slots(raw: bytes, nks: int) -> tuple[KeySlot, ...]:
    """All key slots, in file order."""
    starts = range(SLOTS_OFF, SLOTS_OFF + SLOT_LEN * nks, SLOT_LEN)
    return tuple(KeySlot(raw[o:o + 32], raw[o + 32:o + 64], raw[o + 64:o + 80]) for o in starts)


def parse_header(data: bytes) -> SeHeader:
    """Parse the SE header at the start of `data`; checks structure, no flag and no secret."""
    require(has_hdr_magic(data, 0), "No Secure Execution header found: wrong magic")
    version, sehs = struct.unpack(">II", cut(data, 8, 8, "SE header"))
    require(version == HDR_VERSION, f"SE header: version {version:#x}, not {HDR_VERSION:#x}")
    require(16 < sehs <= HDR_MAX, f"SE header: sehs is {sehs}, not in 17..{HDR_MAX}")
    raw = cut(data, 0, sehs, "SE header")
    reserved, nks, sea, nep, pcf = struct.unpack(">IQQQQ", cut(raw, 0x1C, 36, "SE header"))
    check_header_sizes(sehs, nks, sea)
    require_equal("SE header: reserved field at 0x1c", reserved, 0)
    return SeHeader(raw=raw, sehs=sehs, iv=raw[0x10:0x1C], nks=nks, sea=sea, nep=nep, pcf=pcf,
                    cust_pub_key=raw[0x40:0xE0], pld=raw[0xE0:0x120], ald=raw[0x120:0x160],
                    tld=raw[0x160:SLOTS_OFF], slots=parse_slots(raw, nks))


def encode_coordinates(point: Point) -> bytes:
    """x || y, each left-padded with zeros to 80 bytes."""
    return point.x.to_bytes(COORD_LEN, "big") + point.y.to_bytes(COORD_LEN, "big")


def customer_key(header: SeHeader) -> Point:
    """cust_pub_key as a point, which must be on the curve."""
    x, y = header.cust_pub_key[:COORD_LEN], header.cust_pub_key[COORD_LEN:]
    point = Point(int.from_bytes(x, "big"), int.from_bytes(y, "big"))
    require(secrypt.on_curve(point), "SE header: cust_pub_key is not a point of P-521")
    return point


def phkh_of(point: Point) -> bytes:
    """Public host-key hash."""
    return hashlib.sha256(encode_coordinates(point)).digest()


def key_encryption_key(private: int, public: Point) -> bytes:
    """KEK of a key slot from one side's private and the other side's public key."""
    return secrypt.x963_kdf(secrypt.ecdh(private, public), secrypt.AES_KEY_LEN)


def unwrap_header_key(header: SeHeader, host_key: HostKey) -> bytes:
    """The header protection key from the slot of this host."""
    phkh = phkh_of(host_key.public)
    matches = [n for n, slot in enumerate(header.slots) if slot.phkh == phkh]
    require(bool(matches), f"SE header: no key slot for the host key with phkh {phkh.hex()}")
    kek = key_encryption_key(host_key.private, customer_key(header))
    slot = header.slots[matches[0]]
    try:
        return secrypt.gcm_decrypt(kek, bytes(12), b"", slot.wrapped_key, slot.tag)
    except CryptoError as err:
        raise ImageError(f"key slot {matches[0]}: {err}") from err


@dataclass(frozen=True)
class Secrets:
    """The decrypted area of the SE header; `raw` has all sea bytes."""
    raw: bytes
    cck: bytes
    image_key: bytes
    psw_mask: int
    psw_addr: int
    scf: int


def decrypt_area(header: SeHeader, header_key: bytes) -> bytes:
    """Authenticate the header and decrypt its area, without a look at the content."""
    try:
        return secrypt.gcm_decrypt(header_key, header.iv, header.aad, header.area, header.tag)
    except CryptoError as err:
        raise ImageError(f"SE header: cannot authenticate and decrypt: {err}") from err


def decrypt_header(header: SeHeader, header_key: bytes) -> Secrets:
    """Authenticate and decrypt the header, and check what is inside."""
    raw = decrypt_area(header, header_key)
    psw_mask, psw_addr, scf, noi, reserved = struct.unpack(">QQQII", raw[0x60:AREA_LEN])
    require(noi == 0, f"SE header: {noi} optional items, none is defined")
    require(header.sea == AREA_LEN, f"SE header: sea is {header.sea}, but noi 0 needs {AREA_LEN}")
    require_equal("SE header: reserved field at 0x7c of the encrypted area", reserved, 0)
    return Secrets(raw, raw[:0x20], raw[0x20:0x60], psw_mask, psw_addr, scf)
