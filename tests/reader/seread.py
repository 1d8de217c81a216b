#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Independent reader and checker of SE images.

Reads both on-disk layouts: "R" (metadata at 0xc000, IPIB last; pvimg of s390-tools >= 2.36) and "C"
(IPIB one page before the SE header; genprotimg of s390-tools <= 2.35). An image is accepted only
if everything that this file can compute is as it should be; the first violation raises an error.

Written from the format description alone; shares no code or constant with src/.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import struct
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Optional, Sequence

import secrypt
from secrypt import CryptoError, HostKey
from sehdr import (  # noqa: F401 -- part of this module's interface, too
    HDR_MAX, HDR_VERSION, METADATA_ADDR, METADATA_LEN, PAGE, PCF_NAMES, PCF_NOT_ENCRYPTED,
    SCF_NAMES, ImageError, SeHeader, Secrets, be64, customer_key, cut, decrypt_header,
    encode_coordinates, find_header, find_header_by_metadata, find_header_by_search, page_up,
    parse_header, phkh_of, read_metadata, require, require_equal, require_flags, require_zero,
    unwrap_header_key)

SHORT_PSW = 0x00080001_80011000
STAGE3A_ADDR = 0x10000
STAGE3A_ARGS_LEN = 24
STAGE3B_ARGS_LEN = 64
MIN_HDR_ADDR = 0x14000

IPIB_PBT_PV = 5
IPIB_ENTRIES_OFF = 0x88
IPIB_ENTRY_LEN = 24

PSW_MASK_64BIT = 0x00000001_80000000
KERNEL_ENTRY = 0x10000


# ----------------------------------------------------------------------------------- IPIB, layouts

@dataclass(frozen=True)
class Layout:
    """What differs between the two on-disk variants."""
    name: str
    roles: dict[int, str]       # tweak kind number -> role, ascending by address
    block_version: int


LAYOUT_R = Layout("R", {40: "kernel", 50: "ramdisk", 60: "cmdline", 70: "stage3b"}, 1)
LAYOUT_C = Layout("C", {0: "kernel", 1: "cmdline", 2: "ramdisk", 3: "stage3b"}, 0)


class IpibEntry(NamedTuple):
    """One component in the IPIB."""
    tweak_pref: int
    addr: int
    len: int


@dataclass(frozen=True)
class Ipib:
    """IPL parameter block type 5."""
    offset: int
    raw: bytes
    len: int
    version: int
    blk0_len: int
    block_version: int
    hdr_addr: int
    hdr_size: int
    entries: tuple[IpibEntry, ...]


def parse_ipib_entries(raw: bytes, count: int) -> tuple[IpibEntry, ...]:
    """The component list, which must fit into the block."""
    end = IPIB_ENTRIES_OFF + IPIB_ENTRY_LEN * count
    require(2 <= count <= 4, f"IPIB: num_comp is {count}, not in 2..4")
    require(end <= len(raw), f"IPIB: len is {len(raw)}, but {count} components need {end}")
    return tuple(IpibEntry(*item) for item in struct.iter_unpack(">QQQ", raw[0x88:end]))


def parse_ipib(data: bytes, offset: int) -> Ipib:
    """Parse the IPIB at a file offset; checks what the hypervisor would check, and zeros."""
    require(offset % PAGE == 0, f"IPIB: at {offset:#x}, not on a page boundary")
    length = int.from_bytes(cut(data, offset, 4, "IPIB"), "big")
    require(148 <= length <= PAGE, f"IPIB: len is {length}, not in 148..{PAGE}")
    raw = cut(data, offset, length, "IPIB")
    require(raw[0x0C] == IPIB_PBT_PV, f"IPIB at {offset:#x}: pbt is {raw[0x0C]}, not {IPIB_PBT_PV}")
    for first, last in ((0x04, 0x06), (0x0D, 0x6E), (0x70, 0x73)):
        require_zero(f"IPIB: range {first:#x}..{last:#x}", raw[first:last + 1])
    blk0_len, count = (int.from_bytes(raw[o:o + 4], "big") for o in (0x08, 0x74))
    hdr_addr, hdr_size = struct.unpack(">QQ", raw[0x78:0x88])
    return Ipib(offset, raw, length, raw[0x07], blk0_len, raw[0x6F], hdr_addr, hdr_size,
                parse_ipib_entries(raw, count))


def check_ipib(ipib: Ipib, layout: Layout, hdr_off: int, sehs: int) -> None:
    """The fields whose value follows from the rest of the image."""
    used = IPIB_ENTRIES_OFF + IPIB_ENTRY_LEN * len(ipib.entries)
    is_r = layout is LAYOUT_R
    require_equal("IPIB: len", ipib.len, used if is_r else PAGE)
    require_equal("IPIB: version", ipib.version, 1)
    require_equal("IPIB: blk0_len", ipib.blk0_len, used - 8)
    require_equal("IPIB: block version", ipib.block_version, layout.block_version)
    require_equal("IPIB: pv_hdr_addr", ipib.hdr_addr, hdr_off if is_r else 0)
    require_equal("IPIB: pv_hdr_size", ipib.hdr_size, sehs)
    require_zero("IPIB: rest of the page", ipib.raw[used:])


def locate_ipib(data: bytes, hdr_off: int) -> tuple[Layout, int]:
    """The layout is R if there is metadata, else C."""
    meta = read_metadata(data)
    if meta is not None:
        return LAYOUT_R, meta.ipib_off
    require(hdr_off >= STAGE3A_ADDR + PAGE,
            f"C layout: no room for an IPIB before the SE header at {hdr_off:#x}")
    return LAYOUT_C, hdr_off - PAGE


# -------------------------------------------------------------------------------------- components

@dataclass
class Component:
    """A secured component; `plain` and `size` are known after decryption."""
    role: str
    tweak_pref: int
    addr: int
    stored: bytes = field(repr=False)
    plain: bytes = field(repr=False, default=b"")
    size: int = 0

    @property
    def padded(self) -> int:
        """Length in the file: whole pages."""
        return len(self.stored)

    @property
    def content(self) -> bytes:
        """The input file, without padding."""
        return self.plain[:self.size]

    def page_tweaks(self) -> bytes:
        """16 bytes per page: the prefix, and the byte offset in the component."""
        prefix = be64(self.tweak_pref)
        return b"".join(prefix + be64(offset) for offset in range(0, self.padded, PAGE))


def check_kinds(entries: Sequence[IpibEntry], layout: Layout) -> list[str]:
    """Roles by tweak kind; the prefixes and the kinds must increase."""
    kinds = [entry.tweak_pref >> 48 for entry in entries]
    for n, (entry, after) in enumerate(zip(entries, entries[1:])):
        require(entry.tweak_pref < after.tweak_pref,
                f"IPIB: tweak_pref of component {n + 1} is not larger than that of component {n}")
        require(kinds[n] != kinds[n + 1], f"IPIB: components {n} and {n + 1} are of the same kind")
    for n, kind in enumerate(kinds):
        require(kind in layout.roles, f"IPIB: component {n} is of kind {kind}, "
                f"unknown in {layout.name} layout")
    roles = [layout.roles[kind] for kind in kinds]
    require(roles[0] == "kernel", f"IPIB: the first component is the {roles[0]}, not the kernel")
    require(roles[-1] == "stage3b", f"IPIB: the last component is the {roles[-1]}, not stage3b")
    return roles


def check_placement(entries: Sequence[IpibEntry], roles: Sequence[str], first_addr: int) -> None:
    """Whole pages, ascending, each right behind the one before."""
    expected = first_addr
    for entry, role in zip(entries, roles):
        require(entry.addr % PAGE == 0, f"{role}: address {entry.addr:#x} is not page aligned")
        require(entry.len > 0 and entry.len % PAGE == 0,
                f"{role}: length {entry.len:#x} is not a positive number of pages")
        require(entry.addr >= expected,
                f"{role}: address {entry.addr:#x} overlaps what ends at {expected:#x}")
        require(entry.addr == expected,
                f"{role}: address {entry.addr:#x} leaves a gap behind {expected:#x}")
        expected = entry.addr + entry.len


def read_components(data: bytes, ipib: Ipib, layout: Layout, first_addr: int) -> list[Component]:
    """All components as stored, in IPIB order."""
    roles = check_kinds(ipib.entries, layout)
    check_placement(ipib.entries, roles, first_addr)
    return [Component(role, entry.tweak_pref, entry.addr, cut(data, entry.addr, entry.len, role))
            for role, entry in zip(roles, ipib.entries)]


class Digests(NamedTuple):
    """What the Ultravisor computes while it unpacks."""
    nep: int
    pld: bytes
    ald: bytes
    tld: bytes


def compute_digests(components: Sequence[Component]) -> Digests:
    """nep and the three SHA-512 digests, one running context over all components."""
    pld, ald, tld, nep = hashlib.sha512(), hashlib.sha512(), hashlib.sha512(), 0
    for comp in components:
        pld.update(comp.stored)
        ald.update(b"".join(map(be64, range(comp.addr, comp.addr + comp.padded, PAGE))))
        tld.update(comp.page_tweaks())
        nep += comp.padded // PAGE
    return Digests(nep, pld.digest(), ald.digest(), tld.digest())


def check_digests(header: SeHeader, found: Digests) -> None:
    """Compare with the header."""
    require(header.nep == found.nep,
            f"nep mismatch: header {header.nep}, components have {found.nep} pages")
    for name in ("pld", "ald", "tld"):
        stated, computed = getattr(header, name), getattr(found, name)
        require(stated == computed, f"{name.upper()} mismatch: header {stated.hex()[:16]}..., "
                f"components {computed.hex()[:16]}...")


def decrypt_component(comp: Component, image_key: bytes, pcf: int) -> bytes:
    """Padded plaintext."""
    if pcf & PCF_NOT_ENCRYPTED:
        return comp.stored
    return secrypt.aes256_xts(image_key, comp.page_tweaks(), comp.stored, PAGE, decrypt=True)


# ------------------------------------------------------------------------------------ loader parts

class Stage3aArgs(NamedTuple):
    """Where stage3a finds header and IPIB; `addr` is where the block itself was found."""
    addr: int
    hdr_offs: int
    hdr_size: int
    ipib_offs: int


def find_stage3a_args(data: bytes, end: int, hdr_off: int, sehs: int, ipib_off: int) -> Stage3aArgs:
    """
    Find the argument block, the last 24 bytes of stage3a, in front of address `end`.

    The size of stage3a is stated nowhere: look for the block that states header and IPIB.
    """
    pos = end
    while (pos := data.rfind(be64(sehs), STAGE3A_ADDR + 8, pos)) >= 0:
        addr = pos - 8
        wanted = (hdr_off - addr, sehs, ipib_off - addr)
        block = data[addr:addr + STAGE3A_ARGS_LEN]
        if addr + STAGE3A_ARGS_LEN <= end and block == b"".join(map(be64, wanted)):
            return Stage3aArgs(addr, *wanted)
        pos += 7        # the next match may overlap this one
    raise ImageError(f"stage3a: no argument block states header {hdr_off:#x}, size {sehs:#x}, "
                     f"IPIB {ipib_off:#x}")


def check_stage3a(data: bytes, layout: Layout, args: Stage3aArgs, hdr_off: int,
                  ipib_off: int) -> None:
    """Header (R) or IPIB (C) follow stage3a in the next page; the file is no plain kernel."""
    end = args.addr + STAGE3A_ARGS_LEN
    if layout is LAYOUT_R:
        require_equal("SE header: address", hdr_off, max(page_up(end), MIN_HDR_ADDR))
    else:
        require_equal("IPIB: address", ipib_off, page_up(end))
    require(data[0x10008:0x1000E] != b"S390EP", "stage3a: has the mark S390EP of a plain kernel")
    psw = int.from_bytes(cut(data, 0, 8, "short PSW"), "big")
    require(psw == SHORT_PSW, f"short PSW: {psw:#018x}, not {SHORT_PSW:#018x}")


class Extent(NamedTuple):
    """A component as stage3b sees it."""
    src: int
    size: int


@dataclass(frozen=True)
class Stage3bArgs:
    """The last 64 bytes of stage3b; `offset` is where the block was found in the component."""
    offset: int
    extents: dict[str, Extent]
    psw_mask: int
    psw_addr: int


def parse_stage3b_args(plain: bytes, offset: int) -> Stage3bArgs:
    """Read the block at an offset of the plaintext."""
    words = struct.unpack(">8Q", plain[offset:offset + STAGE3B_ARGS_LEN])
    extents = {"kernel": Extent(*words[0:2]), "cmdline": Extent(*words[2:4]),
               "ramdisk": Extent(*words[4:6])}
    return Stage3bArgs(offset, extents, words[6], words[7])


def check_stage3b_args(args: Stage3bArgs, components: Sequence[Component], entry: int) -> None:
    """Each extent must be the unpadded form of its component, or 0/0 without one."""
    by_role = {comp.role: comp for comp in components}
    for role, extent in args.extents.items():
        comp = by_role.get(role)
        if comp is None:
            require(extent == (0, 0), f"stage3b arguments: {role} is {extent.src:#x}/"
                    f"{extent.size:#x}, but there is no such component")
            continue
        require_equal(f"stage3b arguments: {role}.src", extent.src, comp.addr)
        require(max(page_up(extent.size), PAGE) == comp.padded,
                f"stage3b arguments: {role}.size {extent.size:#x} does not fit the component of "
                f"{comp.padded:#x} bytes")
    require_equal("stage3b arguments: psw mask", args.psw_mask, PSW_MASK_64BIT)
    require_equal("stage3b arguments: psw address", args.psw_addr, entry)


def stage3b_candidates(plain: bytes, kernel_addr: int) -> list[Stage3bArgs]:
    """
    Blocks in the last page which start with the kernel's address and have only zeros behind.

    The size of stage3b is stated nowhere, but its padding is shorter than a page.
    """
    found, wanted = [], be64(kernel_addr)
    for offset in range(max(0, len(plain) - PAGE - STAGE3B_ARGS_LEN + 1),
                        len(plain) - STAGE3B_ARGS_LEN + 1):
        if plain.startswith(wanted, offset) and not plain[offset + STAGE3B_ARGS_LEN:].strip(b"\0"):
            found.append(parse_stage3b_args(plain, offset))
    return found


def find_stage3b_args(components: Sequence[Component], entry: int) -> Stage3bArgs:
    """The argument block that fits the components; an error names what does not fit."""
    kernel, stage3b = components[0], components[-1]
    first_error = ImageError(f"stage3b: no argument block states the kernel at {kernel.addr:#x} "
                             "with only zeros behind it")
    for n, args in enumerate(stage3b_candidates(stage3b.plain, kernel.addr)):
        try:
            check_stage3b_args(args, components, entry)
            return args
        except ImageError as err:
            first_error = err if n == 0 else first_error
    raise first_error


def set_sizes(components: Sequence[Component], args: Stage3bArgs) -> None:
    """Take over the unpadded sizes and check the padding."""
    for comp in components:
        if comp.role == "stage3b":
            comp.size = args.offset + STAGE3B_ARGS_LEN
        else:
            comp.size = args.extents[comp.role].size
        require_zero(f"{comp.role}: padding", comp.plain[comp.size:])
        if comp.role == "cmdline":
            require(comp.content[-1:] == b"\0", "cmdline: does not end with NUL")


# ------------------------------------------------------------------------------------ whole images

@dataclass(frozen=True)
class Expect:
    """What a caller may expect to differ from the default (expert options of the builders)."""
    psw_addr: Optional[int] = None          # None: the address of stage3b
    kernel_entry: int = KERNEL_ENTRY        # what stage3b starts at the end
    any_flags: bool = False                 # accept unknown pcf and scf bits


@dataclass
class Image:
    """An image that passed all checks."""
    layout: Layout
    found_by: list[str]
    hdr_off: int
    header: SeHeader
    header_key: bytes
    secrets: Secrets
    ipib: Ipib
    components: list[Component]
    stage3a: bytes
    stage3a_args: Stage3aArgs
    stage3b_args: Stage3bArgs

    def component(self, role: str) -> Optional[Component]:
        """The component of that role, if the image has one."""
        return next((comp for comp in self.components if comp.role == role), None)


def get_header_key(header: SeHeader, host_key: Optional[HostKey], key: Optional[bytes]) -> bytes:
    """The header key: given, or from the slot; the same if both."""
    if host_key is None:
        require(key is not None, "neither host key nor header key given")
        return key
    unwrapped = unwrap_header_key(header, host_key)
    require(key in (None, unwrapped), "the given header key is not the one in the key slot")
    return unwrapped


def check_holes(data: bytes, layout: Layout, args_end: int, hdr_off: int, sehs: int) -> None:
    """Unused ranges in front of the components read as zeros."""
    meta_end = METADATA_ADDR + (METADATA_LEN if layout is LAYOUT_R else 0)
    stage3a_area_end = hdr_off if layout is LAYOUT_R else hdr_off - PAGE
    holes = ((8, METADATA_ADDR), (meta_end, STAGE3A_ADDR), (args_end, stage3a_area_end),
             (hdr_off + sehs, page_up(hdr_off + sehs)))
    for start, end in holes:
        require_zero(f"hole {start:#x}..{end - 1:#x}", data[start:end])


def check_file_end(data: bytes, layout: Layout, ipib: Ipib) -> None:
    """R: the IPIB follows the components and is last; C: the components are last."""
    end = ipib.entries[-1].addr + ipib.entries[-1].len
    if layout is LAYOUT_R:
        require_equal("IPIB: address", ipib.offset, end)
        end += ipib.len
    require_equal("file size", len(data), end)


def check_secrets(header: SeHeader, secrets: Secrets, stage3b_addr: int, expect: Expect) -> None:
    """Flags and initial PSW."""
    if not expect.any_flags:
        require_flags("pcf", header.pcf, PCF_NAMES)
        require_flags("scf", secrets.scf, SCF_NAMES)
    psw_addr = stage3b_addr if expect.psw_addr is None else expect.psw_addr
    require_equal("SE header: psw mask", secrets.psw_mask, PSW_MASK_64BIT)
    require_equal("SE header: psw address", secrets.psw_addr, psw_addr)


def read_image(data: bytes, host_key: Optional[HostKey] = None, header_key: Optional[bytes] = None,
               expect: Expect = Expect()) -> Image:
    """Read an image, check everything, decrypt all components."""
    hdr_off, found_by = find_header(data)
    header = parse_header(data[hdr_off:hdr_off + HDR_MAX])
    customer_key(header)
    header_key = get_header_key(header, host_key, header_key)
    secrets = decrypt_header(header, header_key)

    layout, ipib_off = locate_ipib(data, hdr_off)
    ipib = parse_ipib(data, ipib_off)
    check_ipib(ipib, layout, hdr_off, header.sehs)
    components = read_components(data, ipib, layout, page_up(hdr_off + header.sehs))
    check_file_end(data, layout, ipib)
    check_digests(header, compute_digests(components))
    check_secrets(header, secrets, components[-1].addr, expect)

    stage3a_end = hdr_off if layout is LAYOUT_R else ipib_off
    stage3a_args = find_stage3a_args(data, stage3a_end, hdr_off, header.sehs, ipib_off)
    check_stage3a(data, layout, stage3a_args, hdr_off, ipib_off)
    args_end = stage3a_args.addr + STAGE3A_ARGS_LEN
    check_holes(data, layout, args_end, hdr_off, header.sehs)

    for comp in components:
        comp.plain = decrypt_component(comp, secrets.image_key, header.pcf)
    stage3b_args = find_stage3b_args(components, expect.kernel_entry)
    set_sizes(components, stage3b_args)
    return Image(layout, found_by, hdr_off, header, header_key, secrets, ipib, components,
                 data[STAGE3A_ADDR:args_end], stage3a_args, stage3b_args)


# -------------------------------------------------------------------------------------------- JSON

def flag_names(value: int, names: dict[int, str]) -> list[str]:
    """Names of the flags that are set, from the left."""
    return [name for bit, name in names.items() if value & bit]


def header_summary(header: SeHeader) -> dict[str, Any]:
    """What can be told without a key."""
    return {
        "version": HDR_VERSION, "sehs": header.sehs, "iv": header.iv.hex(), "nks": header.nks,
        "sea": header.sea, "nep": header.nep, "pcf": f"{header.pcf:#018x}",
        "pcf_flags": flag_names(header.pcf, PCF_NAMES), "cust_pub_key": header.cust_pub_key.hex(),
        "pld": header.pld.hex(), "ald": header.ald.hex(), "tld": header.tld.hex(),
        "slots": [{"phkh": s.phkh.hex(), "wrapped_key": s.wrapped_key.hex(), "tag": s.tag.hex()}
                  for s in header.slots],
        "tag": header.tag.hex(),
    }


def secrets_summary(secrets: Secrets, header_key: bytes) -> dict[str, Any]:
    """What is in the encrypted area, and its key."""
    return {
        "header_key": header_key.hex(), "cck": secrets.cck.hex(),
        "image_key": secrets.image_key.hex(),
        "psw": {"mask": f"{secrets.psw_mask:#018x}", "addr": f"{secrets.psw_addr:#x}"},
        "scf": f"{secrets.scf:#018x}", "scf_flags": flag_names(secrets.scf, SCF_NAMES),
    }


def component_summary(comp: Component) -> dict[str, Any]:
    """One row of the component list; the digest is over the unpadded plaintext."""
    return {
        "kind": comp.role, "kind_number": comp.tweak_pref >> 48,
        "tweak": f"{comp.tweak_pref:#018x}", "addr": f"{comp.addr:#x}", "size": comp.size,
        "padded": comp.padded, "sha256": hashlib.sha256(comp.content).hexdigest(),
    }


def args_summary(image: Image) -> dict[str, Any]:
    """Both argument blocks."""
    s3a, s3b = image.stage3a_args, image.stage3b_args
    extents = {role: {"src": f"{e.src:#x}", "size": e.size} for role, e in s3b.extents.items()}
    return {
        "stage3a_args": {"addr": f"{s3a.addr:#x}", "hdr_offs": s3a.hdr_offs,
                         "hdr_size": s3a.hdr_size, "ipib_offs": s3a.ipib_offs},
        "stage3b_args": {"offset": s3b.offset, **extents,
                         "psw": {"mask": f"{s3b.psw_mask:#018x}", "addr": f"{s3b.psw_addr:#x}"}},
    }


def image_summary(image: Image) -> dict[str, Any]:
    """Everything, for a checked image."""
    return {
        "layout": image.layout.name, "found_by": image.found_by,
        "header_offset": f"{image.hdr_off:#x}", "ipib_offset": f"{image.ipib.offset:#x}",
        **header_summary(image.header), **secrets_summary(image.secrets, image.header_key),
        "components": [component_summary(comp) for comp in image.components],
        **args_summary(image), "digests_ok": True,
    }


# --------------------------------------------------------------------------------------------- CLI

def parse_args(argv: Optional[Sequence[str]]) -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(prog="seread.py", description="Check and decrypt an SE image.")
    parser.add_argument("image", type=Path)
    parser.add_argument("--host-key", type=Path, help="P-521 private key of a host, PEM")
    parser.add_argument("--hdr-key", type=Path, help="header protection key, 32 bytes")
    parser.add_argument("--out-dir", type=Path, help="write the decrypted parts there")
    parser.add_argument("--header-only", action="store_true", help="look at the SE header only")
    parser.add_argument("--psw", type=lambda s: int(s, 16), help="expected header PSW address, hex")
    parser.add_argument("--kernel-entry", type=lambda s: int(s, 16), default=KERNEL_ENTRY,
                        help="expected PSW address in the stage3b arguments, hex")
    parser.add_argument("--any-flags", action="store_true", help="accept unknown control flags")
    args = parser.parse_args(argv)
    if not (args.host_key or args.hdr_key or args.header_only):
        parser.error("--host-key or --hdr-key is needed")
    return args


def header_only_summary(data: bytes, host_key: Optional[HostKey],
                        header_key: Optional[bytes]) -> dict[str, Any]:
    """The header of a file that need not be an image; decrypted if there is a key."""
    hdr_off, found_by = find_header(data)
    header = parse_header(data[hdr_off:hdr_off + HDR_MAX])
    summary = {"found_by": found_by, "header_offset": f"{hdr_off:#x}", **header_summary(header)}
    if host_key or header_key:
        header_key = get_header_key(header, host_key, header_key)
        summary.update(secrets_summary(decrypt_header(header, header_key), header_key))
    return summary


def write_parts(image: Image, out_dir: Path) -> None:
    """Write loader, header, IPIB and all components, without padding."""
    out_dir.mkdir(parents=True, exist_ok=True)
    (out_dir / "stage3a.bin").write_bytes(image.stage3a)
    (out_dir / "header.bin").write_bytes(image.header.raw)
    (out_dir / "ipib.bin").write_bytes(image.ipib.raw)
    for comp in image.components:
        (out_dir / f"{comp.role}.bin").write_bytes(comp.content)


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Do what the command line says; returns the summary."""
    data = args.image.read_bytes()
    host_key = secrypt.load_host_key(args.host_key.read_text()) if args.host_key else None
    header_key = args.hdr_key.read_bytes() if args.hdr_key else None
    if args.header_only:
        return header_only_summary(data, host_key, header_key)
    image = read_image(data, host_key, header_key,
                       Expect(args.psw, args.kernel_entry, args.any_flags))
    if args.out_dir:
        write_parts(image, args.out_dir)
    return image_summary(image)


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Exit status 0: accepted, 1: not, 2: usage."""
    args = parse_args(argv)
    try:
        print(json.dumps(run(args), indent=2))
    except (ImageError, CryptoError, OSError) as err:
        print(f"seread: {args.image}: {err}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
