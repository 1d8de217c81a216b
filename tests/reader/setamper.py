#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Change one thing in an SE image, for negative tests.

With the header key, the SE header is encrypted and authenticated again after the change; without
it, the change is raw and the GCM tag is wrong afterwards. All positions come from the original
image: a changed sehs, nks or address does not move what later assignments refer to.

Run with --help for the list of fields.
"""

from __future__ import annotations

import argparse
import struct
import sys
from pathlib import Path
from typing import Callable, NamedTuple, Optional, Sequence

import secrypt
import sehdr
import seread
from secrypt import CryptoError
from sehdr import ImageError, METADATA_ADDR, PAGE, SeHeader
from seread import Component

HELP = """\
fields (numbers: decimal, 0x hex, or +N/-N relative; bytes: hex, shorter strings replace the first
bytes; `flip` inverts the first byte):
  SE header       magic version sehs iv reserved nks sea nep pcf cust_pub_key pld ald tld tag
                  slotN.phkh slotN.wrapped_key slotN.tag
  encrypted area  cck image_key psw_mask psw_addr scf noi reserved7c     (need --hdr-key)
  IPIB            ipib.len .flags .version .blk0_len .pbt .loadparm .block_version .num_comp
                  .hdr_addr .hdr_size, ipib.compN.tweak_pref .addr .len
  metadata        meta.magic .hdr_off .version .ipib_off
  stage3a         args.hdr_offs .hdr_size .ipib_offs, psw (the short PSW at 0)
actions:
  compN.byte=OFF         invert a stored byte of component N
  compN.plain=OFF:HEX    change plaintext of component N                 (needs --hdr-key)
  swap=N,M               exchange the IPIB entries of two components
  swap_addr=N,M          exchange only their addresses and lengths
  swap_pages=P,Q         exchange two stored component pages, counted as nep does
  redigest=1             recompute nep, pld, ald, tld from the components as they are now
  poke=OFF:HEX           change bytes of the file
  truncate=LEN           new file size, negative: bytes to cut off
  append=HEX             add bytes at the end
  findability=search     remove the metadata
  findability=metadata   write metadata for header and IPIB
  header_only=search     keep nothing but the header, at offset 0
  header_only=metadata   ditto, at page 32, where only the metadata lead to it
  header_only=PAGE       ditto, at a page of choice, without metadata
"""

HIDDEN_PAGE = 32            # outside the 21 pages of the search


class Field(NamedTuple):
    """A fixed place in a structure."""
    offset: int
    length: int
    is_number: bool


def numbers(**places: tuple[int, int]) -> dict[str, Field]:
    """A table of number fields, name=(offset, length)."""
    return {name: Field(*place, True) for name, place in places.items()}


def strings(**places: tuple[int, int]) -> dict[str, Field]:
    """A table of byte-string fields."""
    return {name: Field(*place, False) for name, place in places.items()}


HEADER_FIELDS = {
    **numbers(version=(0x08, 4), sehs=(0x0C, 4), reserved=(0x1C, 4), nks=(0x20, 8), sea=(0x28, 8),
              nep=(0x30, 8), pcf=(0x38, 8)),
    **strings(magic=(0x00, 8), iv=(0x10, 12), cust_pub_key=(0x40, 160), pld=(0xE0, 64),
              ald=(0x120, 64), tld=(0x160, 64)),
}
SLOT_FIELDS = strings(phkh=(0x00, 32), wrapped_key=(0x20, 32), tag=(0x40, 16))
AREA_FIELDS = {
    **strings(cck=(0x00, 32), image_key=(0x20, 64)),
    **numbers(psw_mask=(0x60, 8), psw_addr=(0x68, 8), scf=(0x70, 8), noi=(0x78, 4),
              reserved7c=(0x7C, 4)),
}
IPIB_FIELDS = {
    **numbers(len=(0x00, 4), flags=(0x04, 1), version=(0x07, 1), blk0_len=(0x08, 4), pbt=(0x0C, 1),
              block_version=(0x6F, 1), num_comp=(0x74, 4), hdr_addr=(0x78, 8), hdr_size=(0x80, 8)),
    **strings(loadparm=(0x10, 8)),
}
ENTRY_FIELDS = numbers(tweak_pref=(0x00, 8), addr=(0x08, 8), len=(0x10, 8))
META_FIELDS = {**strings(magic=(0x00, 8)),
               **numbers(hdr_off=(0x08, 8), version=(0x10, 4), ipib_off=(0x14, 8))}
ARGS_FIELDS = numbers(hdr_offs=(0x00, 8), hdr_size=(0x08, 8), ipib_offs=(0x10, 8))
PSW_FIELD = Field(0, 8, True)


class TamperError(Exception):
    """The request makes no sense for this image."""


def need(condition: bool, text: str) -> None:
    """Raise TamperError unless the condition holds."""
    if not condition:
        raise TamperError(text)


def new_value(old: bytes, place: Field, text: str) -> bytes:
    """The bytes of a field after an assignment."""
    if text == "flip":
        return bytes([old[0] ^ 0xFF]) + old[1:]
    if not place.is_number:
        value = bytes.fromhex(text)
        need(len(value) <= place.length, f"{len(value)} bytes are too long for {place.length}")
        return value + old[len(value):]
    base = int.from_bytes(old, "big") if text[0] in "+-" else 0
    return ((base + int(text, 0)) % (1 << 8 * place.length)).to_bytes(place.length, "big")


def assign(buf: bytearray, base: int, place: Field, text: str) -> None:
    """Change a field of the structure at `base`."""
    start = base + place.offset
    need(start + place.length <= len(buf), f"field at {start:#x} is outside the file")
    old = bytes(buf[start:start + place.length])
    buf[start:start + place.length] = new_value(old, place, text)


def offset_and_bytes(text: str) -> tuple[int, bytes]:
    """Parse OFF:HEX."""
    offset, _, value = text.partition(":")
    return int(offset, 0), bytes.fromhex(value)


def index_of(name: str, prefix: str, count: int) -> int:
    """N of `prefixN`."""
    digits = name.removeprefix(prefix)
    need(digits.isdigit() and int(digits) < count, f"{name}: no such {prefix}, there are {count}")
    return int(digits)


class Tamper:
    """An image under change: set() any number of times, then take result()."""

    def __init__(self, data: bytes, header_key: Optional[bytes] = None) -> None:
        self.buf = bytearray(data)
        self.hdr_off = sehdr.find_header(data)[0]
        self.header: SeHeader = sehdr.parse_header(data[self.hdr_off:])
        self.header_key = header_key
        self.area = bytearray(sehdr.decrypt_area(self.header, header_key) if header_key else b"")
        self.layout, self.ipib_off = seread.locate_ipib(data, self.hdr_off) \
            if len(data) > METADATA_ADDR else (seread.LAYOUT_C, -1)
        self.entries = self._read_entries(data)
        self.args_addr = self._find_args(data)

    def _read_entries(self, data: bytes) -> tuple[seread.IpibEntry, ...]:
        """The IPIB's components; none if the file is only a header."""
        try:
            return seread.parse_ipib(data, self.ipib_off).entries if self.ipib_off >= 0 else ()
        except ImageError:
            self.ipib_off = -1
            return ()

    def _find_args(self, data: bytes) -> int:
        """Address of the stage3a arguments, or -1."""
        try:
            return seread.find_stage3a_args(data, self.hdr_off, self.hdr_off, self.header.sehs,
                                            self.ipib_off).addr
        except ImageError:
            return -1

    # --- one assignment ---------------------------------------------------------------------

    def apply(self, assignment: str) -> None:
        """FIELD=VALUE."""
        name, equals, text = assignment.partition("=")
        need(bool(equals and text), f"{assignment}: not of the form FIELD=VALUE")
        try:
            self.set(name, text)
        except ValueError as err:
            raise TamperError(f"{assignment}: {err}") from err

    def set(self, name: str, text: str) -> None:
        """Change a field or do an action; see HELP."""
        head, _, rest = name.partition(".")
        if name in HEADER_FIELDS:
            assign(self.buf, self.hdr_off, HEADER_FIELDS[name], text)
        elif name in AREA_FIELDS:
            need(self.header_key is not None, f"{name} is encrypted: the header key is needed")
            assign(self.area, 0, AREA_FIELDS[name], text)
        elif name in self._actions():
            self._actions()[name](text)
        elif rest:
            self._set_nested(head, rest, text)
        else:
            raise TamperError(f"unknown field {name}")

    def _actions(self) -> dict[str, Callable[[str], None]]:
        """What has a name without a dot and is not simply a field of the header."""
        return {
            "tag": self.set_tag, "psw": lambda text: assign(self.buf, 0, PSW_FIELD, text),
            "swap": self.swap_entries, "swap_addr": self.swap_addresses,
            "swap_pages": self.swap_pages, "redigest": self.redigest, "poke": self.poke,
            "truncate": self.truncate, "append": lambda text: self.buf.extend(bytes.fromhex(text)),
            "findability": self.set_findability, "header_only": self.make_header_only,
        }

    def _set_nested(self, head: str, rest: str, text: str) -> None:
        """Names with a dot."""
        if head.startswith("slot"):
            n = index_of(head, "slot", self.header.nks)
            base = self.hdr_off + sehdr.SLOTS_OFF + sehdr.SLOT_LEN * n
            self._assign_in(SLOT_FIELDS, base, rest, text)
        elif head == "ipib":
            self._set_ipib(rest, text)
        elif head == "meta":
            self._assign_in(META_FIELDS, METADATA_ADDR, rest, text)
        elif head == "args":
            need(self.args_addr >= 0, "the image has no stage3a arguments")
            self._assign_in(ARGS_FIELDS, self.args_addr, rest, text)
        elif head.startswith("comp"):
            self._set_component(index_of(head, "comp", len(self.entries)), rest, text)
        else:
            raise TamperError(f"unknown structure {head}")

    def _assign_in(self, table: dict[str, Field], base: int, name: str, text: str) -> None:
        """Change a field that a table names."""
        need(name in table, f"unknown field {name}, not one of {' '.join(table)}")
        assign(self.buf, base, table[name], text)

    def _entry_base(self, n: int) -> int:
        """File offset of IPIB entry n."""
        return self.ipib_off + seread.IPIB_ENTRIES_OFF + seread.IPIB_ENTRY_LEN * n

    def _set_ipib(self, rest: str, text: str) -> None:
        """ipib.FIELD or ipib.compN.FIELD."""
        need(self.ipib_off >= 0, "the image has no IPIB")
        head, _, name = rest.partition(".")
        if name:
            n = index_of(head, "comp", len(self.entries))
            self._assign_in(ENTRY_FIELDS, self._entry_base(n), name, text)
        else:
            self._assign_in(IPIB_FIELDS, self.ipib_off, rest, text)

    def _set_component(self, n: int, rest: str, text: str) -> None:
        """compN.byte or compN.plain."""
        need(rest in ("byte", "plain"), f"unknown field {rest}, not one of byte plain")
        if rest == "plain":
            self.poke_plain(n, *offset_and_bytes(text))
            return
        need(0 <= int(text, 0) < self.entries[n].len, f"component {n} has no byte {text}")
        self.buf[self.entries[n].addr + int(text, 0)] ^= 0xFF

    # --- header ------------------------------------------------------------------------------

    def set_tag(self, text: str) -> None:
        """A wrong tag makes sense only if it is not computed anew."""
        need(self.header_key is None, "tag: is computed when the header key is given")
        place = Field(self.header.sehs - secrypt.TAG_LEN, secrypt.TAG_LEN, False)
        assign(self.buf, self.hdr_off, place, text)

    def seal_header(self) -> None:
        """Encrypt and authenticate with the original structure and the current content."""
        start = self.hdr_off
        aad = bytes(self.buf[start:start + self.header.area_off])
        sealed = secrypt.gcm_encrypt(self.header_key, aad[0x10:0x1C], aad, bytes(self.area))
        self.buf[start + self.header.area_off:start + self.header.sehs] = b"".join(sealed)

    def redigest(self, _text: str) -> None:
        """Make the digests fit the components."""
        digests = seread.compute_digests([self._component(n) for n in range(len(self.entries))])
        self.set("nep", str(digests.nep))
        for name in ("pld", "ald", "tld"):
            self.set(name, getattr(digests, name).hex())

    # --- components --------------------------------------------------------------------------

    def _component(self, n: int) -> Component:
        """Component n as the IPIB states it now."""
        base = self._entry_base(n)
        entry = seread.IpibEntry(*struct.unpack(">QQQ", self.buf[base:base + 24]))
        stored = bytes(self.buf[entry.addr:entry.addr + entry.len])
        return Component(f"component {n}", entry.tweak_pref, entry.addr, stored)

    def poke_plain(self, n: int, offset: int, value: bytes) -> None:
        """Change plaintext: decrypt the component, change, encrypt."""
        need(self.header_key is not None, "plain: the header key is needed")
        comp = self._component(n)
        need(offset + len(value) <= comp.padded, f"component {n} has {comp.padded:#x} bytes only")
        image_key = bytes(self.area[0x20:0x60])
        plain = bytearray(seread.decrypt_component(comp, image_key, self.header.pcf))
        plain[offset:offset + len(value)] = value
        if not self.header.pcf & sehdr.PCF_NOT_ENCRYPTED:
            plain[:] = secrypt.aes256_xts(image_key, comp.page_tweaks(), bytes(plain), PAGE,
                                          decrypt=False)
        self.buf[comp.addr:comp.addr + comp.padded] = plain

    def _swap(self, a: int, b: int, length: int) -> None:
        """Exchange two ranges of the file."""
        buf = self.buf
        buf[a:a + length], buf[b:b + length] = buf[b:b + length], buf[a:a + length]

    def _pair(self, text: str) -> tuple[int, int]:
        """N,M as file offsets of two IPIB entries."""
        n, m = (self._entry_base(index_of(item, "", len(self.entries))) for item in text.split(","))
        return n, m

    def swap_entries(self, text: str) -> None:
        """Exchange whole IPIB entries."""
        self._swap(*self._pair(text), seread.IPIB_ENTRY_LEN)

    def swap_addresses(self, text: str) -> None:
        """Exchange addr and len, keep the tweaks."""
        n, m = self._pair(text)
        self._swap(n + 8, m + 8, 16)

    def swap_pages(self, text: str) -> None:
        """Exchange two pages, counted over all components."""
        pages = [addr for entry in self.entries
                 for addr in range(entry.addr, entry.addr + entry.len, PAGE)]
        p, q = (index_of(item, "", len(pages)) for item in text.split(","))
        self._swap(pages[p], pages[q], PAGE)

    # --- the file ----------------------------------------------------------------------------

    def poke(self, text: str) -> None:
        """Change bytes of the file."""
        offset, value = offset_and_bytes(text)
        need(offset + len(value) <= len(self.buf), f"offset {offset:#x} is outside the file")
        self.buf[offset:offset + len(value)] = value

    def truncate(self, text: str) -> None:
        """Shorten; the header must be sealed before, it may be cut."""
        self.finish()
        length = int(text, 0)
        del self.buf[length if length >= 0 else max(0, len(self.buf) + length):]

    def set_findability(self, text: str) -> None:
        """Remove or write metadata."""
        need(text in ("search", "metadata"), f"findability: {text}, not search or metadata")
        raw = bytes(sehdr.METADATA_LEN)
        if text == "metadata":
            need(self.ipib_off >= 0, "the image has no IPIB")
            raw = metadata(self.hdr_off, self.ipib_off)
        self.buf[METADATA_ADDR:METADATA_ADDR + len(raw)] = raw

    def make_header_only(self, text: str) -> None:
        """Keep only the header."""
        self.finish()
        raw = bytes(self.buf[self.hdr_off:self.hdr_off + self.header.sehs])
        self.buf = bytearray(header_file(raw, text))

    def finish(self) -> None:
        """Seal the header, once."""
        if self.header_key is not None:
            self.seal_header()
            self.header_key = None

    def result(self) -> bytes:
        """The changed image."""
        self.finish()
        return bytes(self.buf)


def metadata(hdr_off: int, ipib_off: int) -> bytes:
    """Image metadata."""
    return sehdr.METADATA_MAGIC + struct.pack(">QIQ", hdr_off, 1, ipib_off)


def header_file(header: bytes, where: str) -> bytes:
    """A file with nothing but a header: `search` (offset 0), `metadata`, or a page number."""
    if where == "search":
        return header
    page = HIDDEN_PAGE if where == "metadata" else int(where, 0)
    out = bytearray(page * PAGE) + header
    if where == "metadata":
        out[METADATA_ADDR:METADATA_ADDR + sehdr.METADATA_LEN] = metadata(page * PAGE, 0)
    return bytes(out)


def tamper(data: bytes, assignments: Sequence[str], header_key: Optional[bytes] = None) -> bytes:
    """Apply assignments from left to right; seals the header if the key is given."""
    image = Tamper(data, header_key)
    for assignment in assignments:
        image.apply(assignment)
    return image.result()


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Exit status 0: written, 1: not possible, 2: usage."""
    parser = argparse.ArgumentParser(prog="setamper.py", epilog=HELP,
                                     description="Change an SE image for a negative test.",
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input", type=Path, metavar="IN")
    parser.add_argument("output", type=Path, metavar="OUT")
    parser.add_argument("assignments", nargs="+", metavar="FIELD=VALUE")
    parser.add_argument("--hdr-key", type=Path, help="header protection key: seal the header again")
    args = parser.parse_intermixed_args(argv)
    try:
        key = args.hdr_key.read_bytes() if args.hdr_key else None
        args.output.write_bytes(tamper(args.input.read_bytes(), args.assignments, key))
    except (TamperError, ImageError, CryptoError, OSError) as err:
        print(f"setamper: {args.input}: {err}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
