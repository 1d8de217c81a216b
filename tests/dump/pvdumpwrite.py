#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
An independent writer of dumps of protected guests: what QEMU on IBM Z leaves, and what is wrong in
every way that a reader must notice. It shares nothing with src/: layouts are spelled out here from
public sources (QEMU dump/dump.c and target/s390x/arch_dump.c; s390-tools zdump), bulk encryption is
libcrypto's, the rest comes from tests/reader/secrypt.py.

Usage: pvdumpwrite.py --mib N [--encrypted PERCENT] [--cpus N] [--defect NAME] --cck FILE -o FILE
"""
from __future__ import annotations

import argparse
import ctypes
import ctypes.util
import hashlib
import hmac
import random
import struct
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Callable, NamedTuple, Optional

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "reader"))

import secrypt  # noqa: E402

PAGE, MIB = 4096, 1 << 20
ELF_IDENT = b"\x7fELF\x02\x02\x01" + bytes(9)
CPU_BYTES, COMPLETE_BYTES = 1568, 288
HKDF_INFO = b"IBM Z Ultravisor Dump"
SPECIAL = b"\xff" * 4
ZERO, SHARED, MAPPED = 1, 2, 4
OSII = 0x8000


# --- Keys and ciphers -----------------------------------------------------------------------------

def hkdf_sha512(key: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869, both steps."""
    prk = hmac.new(salt, key, hashlib.sha512).digest()
    out, block, count = b"", b"", 0
    while len(out) < length:
        count += 1
        block = hmac.new(prk, block + info + bytes([count]), hashlib.sha512).digest()
        out += block
    return out[:length]


class Xts:
    """AES-256-XTS of pages by libcrypto; a test compares it with secrypt's."""

    def __init__(self, key: bytes):
        name = ctypes.util.find_library("crypto")
        if not name:
            raise RuntimeError("libcrypto is not on this machine")
        self.lib = ctypes.CDLL(name)
        self.lib.EVP_CIPHER_CTX_new.restype = ctypes.c_void_p
        self.lib.EVP_aes_256_xts.restype = ctypes.c_void_p
        self.ctx = ctypes.c_void_p(self.lib.EVP_CIPHER_CTX_new())
        cipher = ctypes.c_void_p(self.lib.EVP_aes_256_xts())
        if not self.lib.EVP_EncryptInit_ex(self.ctx, cipher, None, key, None):
            raise RuntimeError("libcrypto refuses the XTS key")
        self.out = ctypes.create_string_buffer(PAGE)
        self.len = ctypes.c_int()

    def encrypt(self, tweak: bytes, page: bytes) -> bytes:
        done = self.lib.EVP_EncryptInit_ex(self.ctx, None, None, None, tweak) and \
            self.lib.EVP_EncryptUpdate(self.ctx, self.out, ctypes.byref(self.len), page, len(page))
        if not done or self.len.value != len(page):
            raise RuntimeError("libcrypto does not encrypt")
        return self.out.raw[:len(page)]


def either(a: bytes, b: bytes) -> bytes:
    return bytes(x | y for x, y in zip(a, b))


# --- What is dumped -------------------------------------------------------------------------------

@dataclass
class Cpu:
    """The registers of one CPU. vr: 32 strings of 16 bytes; the left halves of 0-15 are FPRs."""
    gr: list = field(default_factory=lambda: [0] * 16)
    ar: list = field(default_factory=lambda: [0] * 16)
    cr: list = field(default_factory=lambda: [0] * 16)
    vr: list = field(default_factory=lambda: [bytes(16)] * 32)
    psw: tuple = (0, 0)
    prefix: int = 0
    fpc: int = 0
    todpr: int = 0
    timer: int = 0
    ckc: int = 0
    gs: tuple = (0, 0, 0)
    flags: int = 0


def numbered_cpu(number: int, flags: int = 0) -> Cpu:
    """Every field of every CPU has a value of its own."""
    rng = random.Random(1000 + number)
    word, double = (lambda: rng.getrandbits(32)), (lambda: rng.getrandbits(64))
    return Cpu(gr=[double() for _ in range(16)], ar=[word() for _ in range(16)],
               cr=[double() for _ in range(16)], vr=[rng.randbytes(16) for _ in range(32)],
               psw=(double(), double()), prefix=(number + 1) * 0x4000, fpc=word(), todpr=word(),
               timer=double(), ckc=double(), gs=(double(), double(), double()), flags=flags)


class Page(NamedTuple):
    """flags None: an encrypted page; else the entry's flags. junk: what a zero page holds."""
    plain: bytes
    flags: Optional[int] = None
    junk: bytes = b""


def pattern(gaddr: int) -> bytes:
    """The content of a page of which nothing else is known; no two are equal, none is zero."""
    seed = hashlib.sha256(b"page" + gaddr.to_bytes(8, "big")).digest()
    return seed * (PAGE // len(seed))


def mixed_page(gaddr: int) -> Page:
    """Of every five pages two are special in some valid way."""
    turn = gaddr // PAGE % 10
    if turn == 3:
        return Page(bytes(PAGE), ZERO)
    if turn == 5:
        return Page(bytes(PAGE), ZERO | MAPPED, junk=b"\xa5" * PAGE)
    if turn == 7:
        return Page(pattern(gaddr), SHARED)
    if turn == 9:
        return Page(pattern(gaddr), SHARED | MAPPED)
    return Page(pattern(gaddr))


def share_encrypted(percent: float) -> Callable[[int], Page]:
    """The given share of pages encrypted, spread evenly; the others by turns zero and shared."""
    def page(gaddr: int) -> Page:
        i = gaddr // PAGE
        before, after = int(i * percent / 100), int((i + 1) * percent / 100)
        if after > before:
            return Page(pattern(gaddr))
        return Page(bytes(PAGE), ZERO) if i % 2 else Page(pattern(gaddr), SHARED)
    return page


@dataclass
class Recipe:
    """A dump. The defaults are a valid one of one MiB and two CPUs."""
    cck: bytes = bytes(range(32))
    seed: bytes = bytes(range(64, 128))
    nonce: bytes = bytes(8) + bytes(range(0xf0, 0xf8))
    xts_key: bytes = bytes(range(128, 192))
    blocks: list = field(default_factory=lambda: [(0, MIB)])    # (start, bytes) of the PT_LOADs
    page: Callable[[int], Page] = mixed_page
    cpus: list = field(default_factory=lambda: [numbered_cpu(0), numbered_cpu(1)])
    stale: Cpu = field(default_factory=lambda: Cpu(gr=[0xbad] * 16))    # what the host believes
    protected: bool = True
    # Shape
    ehsize: int = 8                     # as QEMU 7.2
    extended: bool = False              # number of segments in section 0 even when it is small
    index: str = "loads"                # of entries: "loads" in file order, "address" from 0
    sections: tuple = ("pv_mem_meta", "pv_compl", ".shstrtab")  # order of headers and of data
    gap: int = 0                        # bytes before each section's data
    pv_cpu_bytes: int = PAGE            # descriptor of the CPU note
    pv_first: bool = False              # CPU notes ahead of the others
    extra_notes: int = 0                # notes that nobody knows, before each CPU
    complete_bytes: int = PAGE          # section of the completion data
    # Defects
    cpu_version: int = 1
    complete_version: int = 1
    complete_len: int = COMPLETE_BYTES
    complete_cut: Optional[int] = None  # bytes of the completion data that are there
    meta_change: int = 0                # bytes more or less of the metadata section
    note_change: int = 0                # bytes more or less of the PT_NOTE
    load_beyond: int = 0                # bytes by which the last PT_LOAD lies
    rename: dict = field(default_factory=dict)
    entries: dict = field(default_factory=dict)     # index of the page: entry
    flips: list = field(default_factory=list)       # (part, offset): a bit of it is changed
    cut: Optional[tuple] = None         # (part, offset): the file ends there


# --- Pieces ---------------------------------------------------------------------------------------

def note(name: bytes, kind: int, desc: bytes) -> bytes:
    head = struct.pack(">III", len(name) + 1, len(desc), kind)
    return head + name.ljust(8, b"\0") + desc + bytes(-len(desc) % 4)


def words(values) -> bytes:
    return b"".join(struct.pack(">I", v) for v in values)


def doubles(values) -> bytes:
    return b"".join(struct.pack(">Q", v) for v in values)


def plain_notes(cpu: Cpu, number: int) -> bytes:
    """The ten notes that every s390x core has of a CPU."""
    status = bytes(32) + struct.pack(">I", number + 1) + bytes(76) + doubles(cpu.psw) + \
        doubles(cpu.gr) + words(cpu.ar) + bytes(16)
    fprs = struct.pack(">II", cpu.fpc, 0) + b"".join(v[:8] for v in cpu.vr[:16])
    rows = ((0x305, struct.pack(">I", cpu.prefix)), (0x304, doubles(cpu.cr)),
            (0x301, doubles([cpu.timer])), (0x302, doubles([cpu.ckc])),
            (0x303, struct.pack(">I", cpu.todpr)), (0x309, b"".join(v[8:] for v in cpu.vr[:16])),
            (0x30a, b"".join(cpu.vr[16:])), (0x30b, doubles((0, *cpu.gs))))
    return note(b"CORE", 1, status) + note(b"CORE", 2, fprs) + \
        b"".join(note(b"LINUX", kind, desc) for kind, desc in rows)


def cpu_plain(cpu: Cpu) -> bytes:
    """The encrypted part of a CPU block; reserved bytes are filled, for nobody may look at them."""
    junk = b"\xee"
    out = doubles(cpu.gr) + doubles(cpu.psw) + junk * 8 + words((cpu.prefix, cpu.fpc)) + \
        junk * 4 + words([cpu.todpr]) + doubles((cpu.timer, cpu.ckc)) + junk * 8 + words(cpu.ar) + \
        doubles(cpu.cr) + b"".join(cpu.vr) + junk * 512 + bytes(8) + doubles(cpu.gs) + junk * 64 + \
        struct.pack(">H", cpu.flags) + junk * 14
    assert len(out) == CPU_BYTES - 48
    return out


def seal_cpu(key: bytes, iv: bytes, plain: bytes, version: int = 1) -> bytes:
    aad = struct.pack(">II", version, CPU_BYTES) + iv + bytes(12)
    text, tag = secrypt.gcm_encrypt(key, iv, aad, plain)
    return aad + text + tag


def seal_complete(recipe: Recipe, key: bytes, iv: bytes, reserved: bytes = bytes(96)) -> bytes:
    aad = struct.pack(">II", recipe.complete_version, recipe.complete_len) + bytes(8) + \
        recipe.seed + iv + bytes(4)
    text, tag = secrypt.gcm_encrypt(key, iv, aad, recipe.nonce + recipe.xts_key + reserved)
    return aad + text + tag


def component(count: int, gaddr: int) -> bytes:
    """Unlike every other page's, and without the nonce's bits."""
    return count.to_bytes(6, "big") + (gaddr // PAGE).to_bytes(4, "big")[-4:] + bytes(6)


def segment(kind: int, offset: int, addr: int, filesz: int, memsz: int) -> bytes:
    return struct.pack(">IIQQQQQQ", kind, 0, offset, addr, addr, filesz, memsz, 0)


def section(name: int, kind: int, offset: int, size: int, info: int = 0) -> bytes:
    return struct.pack(">IIQQQQIIQQ", name, kind, 0, 0, offset, size, 0, info, 0, 0)


# --- The file -------------------------------------------------------------------------------------

class Writer:
    """Writes one dump; parts tells where its pieces lie in the file."""

    def __init__(self, recipe: Recipe, path):
        self.recipe, self.path, self.parts = recipe, path, {}
        self.key = hkdf_sha512(recipe.cck, recipe.seed, HKDF_INFO, 32)
        self.ivs = 0

    def iv(self) -> bytes:
        self.ivs += 1
        return b"\x5a\x5a\x5a\x5a" + self.ivs.to_bytes(8, "big")

    def notes(self, at: int) -> bytes:
        r, out = self.recipe, b""
        for number, cpu in enumerate(r.cpus):
            out += note(b"LINUX", 0x7777, b"?" * 5) * r.extra_notes
            sealed = b""
            if r.protected:
                block = seal_cpu(self.key, self.iv(), cpu_plain(cpu), r.cpu_version)
                block = block.ljust(r.pv_cpu_bytes, b"\xdd")[:r.pv_cpu_bytes]
                sealed = note(b"LINUX", 0x30e, block)
            own = plain_notes(r.stale if r.protected else cpu, number)
            start = at + len(out) + (0 if r.pv_first else len(own))
            self.parts[f"cpu{number}"] = start + 20
            out += sealed + own if r.pv_first else own + sealed
        return out

    def write_memory(self, f) -> bytes:
        """The pages at the file's position, holes for zero pages; returns their entries."""
        r, xts, entries, count = self.recipe, Xts(self.recipe.xts_key), [], 0
        by_address = {}
        for start, size in r.blocks:
            for gaddr in range(start, start + size, PAGE):
                page = r.page(gaddr)
                if not r.protected:
                    f.write(page.plain)
                    continue
                if page.flags is None:
                    count += 1
                    entry = component(count, gaddr)
                    f.write(xts.encrypt(either(entry, r.nonce), page.plain))
                else:
                    entry = SPECIAL + bytes(11) + bytes([page.flags])
                    content = page.junk if page.flags & ZERO else page.plain
                    f.write(content) if content else f.seek(PAGE, 1)
                entry = r.entries.get(len(entries), entry)
                entries.append(entry)
                by_address[gaddr // PAGE] = entry
        if r.index == "address":
            hole = SPECIAL + bytes(11) + bytes([ZERO])
            last = max(by_address, default=-1)
            return b"".join(by_address.get(i, hole) for i in range(last + 1))
        return b"".join(entries)

    def section_data(self, meta: bytes) -> dict:
        r = self.recipe
        data = {".shstrtab": None}
        if r.protected:
            meta = meta[:r.meta_change] if r.meta_change < 0 else meta + bytes(r.meta_change)
            block = seal_complete(r, self.key, self.iv())[:r.complete_cut]
            if r.complete_cut is None:
                block = block.ljust(r.complete_bytes, b"\xcc")
            data.update({"pv_mem_meta": meta, "pv_compl": block})
        return data

    def write(self) -> dict:
        r = self.recipe
        names = [n for n in r.sections if r.protected or n == ".shstrtab"]
        strings, offsets = b"\0", {}
        for name in names:
            offsets[name] = len(strings)
            field_bytes = 12 if name.startswith("pv_") else 10
            strings += r.rename.get(name, name).encode().ljust(field_bytes, b"\0")
        loads = len(r.blocks)
        phoff = 64 + 64 * (1 + len(names))
        notes_at = phoff + 56 * (1 + loads)
        notes = self.notes(notes_at)
        memory_at = notes_at + len(notes)
        extended = r.extended or 1 + loads >= 0xffff
        with open(self.path, "wb") as f:
            f.seek(memory_at)
            meta = self.write_memory(f)
            at = memory_at + sum(size for _, size in r.blocks)
            data = self.section_data(meta)
            data[".shstrtab"] = strings
            headers = section(0, 0, 0, 0, 1 + loads if extended else 0)
            for name in names:
                at += r.gap
                self.parts[name] = at
                f.seek(at)
                f.write(data[name])
                kind = 3 if name == ".shstrtab" else 1
                headers += section(offsets[name], kind, at, len(data[name]))
                at += len(data[name])
            f.truncate(at)
            f.seek(0)
            f.write(ELF_IDENT + struct.pack(
                ">HHIQQQIHHHHHH", 4, 22, 1, 0, phoff, 64, 0, r.ehsize, 56,
                0xffff if extended else 1 + loads, 64, 1 + len(names),
                1 + names.index(".shstrtab")))
            f.write(headers)
            f.write(segment(4, notes_at, 0, len(notes) + r.note_change, len(notes) + r.note_change))
            offset = memory_at
            for i, (start, size) in enumerate(r.blocks):
                beyond = r.load_beyond if i == loads - 1 else 0
                f.write(segment(1, offset + beyond, start, size, size))
                offset += size
            f.write(notes)
            self.parts.update(header=0, segments=phoff, notes=notes_at, memory=memory_at, end=at)
            self.damage(f)
        return self.parts

    def damage(self, f):
        f.flush()
        with open(self.path, "r+b") as g:
            for part, offset in self.recipe.flips:
                g.seek(self.parts[part] + offset)
                byte = g.read(1)[0]
                g.seek(-1, 1)
                g.write(bytes([byte ^ 0x10]))
            if self.recipe.cut:
                g.truncate(self.parts[self.recipe.cut[0]] + self.recipe.cut[1])


def write_dump(path, recipe: Recipe) -> dict:
    """Write it; returns the offsets of header, segments, notes, cpuN, memory, sections, end."""
    return Writer(recipe, path).write()


def special_entry(flags: int, byte14: int = 0) -> bytes:
    return SPECIAL + bytes(10) + bytes([byte14, flags])


# Everything that s390-tools' zgetdump refuses, and what it takes in silence. name: changes.
DEFECTS = {
    "complete tag": {"flips": [("pv_compl", 272)]},
    "complete iv": {"flips": [("pv_compl", 80)]},
    "complete seed": {"flips": [("pv_compl", 16)]},
    "complete text": {"flips": [("pv_compl", 100)]},
    "complete reserved": {"flips": [("pv_compl", 92)]},
    "complete version": {"complete_version": 2},
    "complete length": {"complete_len": 287},
    "complete cut": {"complete_cut": 287},
    "cpu text": {"flips": [("cpu1", 40)]},
    "cpu tag": {"flips": [("cpu1", 1552)]},
    "cpu iv": {"flips": [("cpu0", 8)]},
    "cpu version": {"cpu_version": 2},
    "cpu short": {"pv_cpu_bytes": 1564},
    "cpu long": {"pv_cpu_bytes": 4100},
    "entry byte 14": {"entries": {17: special_entry(ZERO, 1)}},
    "entry reserved": {"entries": {17: special_entry(ZERO | 8)}},
    "entry no flag": {"entries": {17: special_entry(0)}},
    "entry mapped alone": {"entries": {17: special_entry(MAPPED)}},
    "entry zero and shared": {"entries": {17: special_entry(ZERO | SHARED)}},
    "metadata short": {"meta_change": -16},
    "metadata long": {"meta_change": 16},
    "metadata odd": {"meta_change": -8},
    "no metadata": {"sections": ("pv_compl", ".shstrtab")},
    "no completion": {"sections": ("pv_mem_meta", ".shstrtab")},
    "names damaged": {"rename": {"pv_compl": "pv_comp1"}},
    "load beyond end": {"load_beyond": 64 * MIB},
    "cut in header": {"cut": ("header", 40)},
    "cut in segments": {"cut": ("segments", 60)},
    "cut in notes": {"cut": ("notes", 100)},
    "cut in memory": {"cut": ("memory", 5000)},
    "cut in metadata": {"cut": ("pv_mem_meta", 100)},
    "cut in completion": {"cut": ("pv_compl", 100)},
    "cut in names": {"cut": (".shstrtab", 10)},
    "notes too long": {"note_change": 64 * MIB},
}


def with_defect(recipe: Recipe, name: str) -> Recipe:
    return replace(recipe, **DEFECTS[name])


def self_check():
    """The published vectors; ends the program when the writer itself is wrong."""
    def digest(data):
        return hashlib.sha256(data).hexdigest()
    recipe = Recipe()
    key = hkdf_sha512(recipe.cck, recipe.seed, HKDF_INFO, 32)
    block = seal_complete(recipe, key, bytes(range(0xa0, 0xac)))
    tweak = either(bytes.fromhex("00112233445566778899aabbccddeeff"), recipe.nonce)
    page = Xts(recipe.xts_key).encrypt(tweak, b"\x5a" * PAGE)
    cpu = seal_cpu(key, bytes(range(0xb0, 0xbc)), bytes(o % 256 for o in range(32, 1552)))
    for got, want in (
            (key.hex(), "ac3f3150ad7223ede2f4c380efc85a2b9d5ba0dbc99a13f339e5a1d97b770784"),
            (digest(block), "73a3db3ae201cd59865ed02f069d45de144297020e72a8778661529d862d1575"),
            (digest(page), "f8ab9ef3370e790bb7e8ca301b402ff86718f9a7d5797d6ad6a01d26140c3d7f"),
            (page, secrypt.aes256_xts(recipe.xts_key, tweak, b"\x5a" * PAGE, PAGE, False)),
            (digest(cpu), "2553c4326261442ede4348aa1272fc68708475f2d81180a02ae1768a2dc46a36")):
        if got != want:
            raise AssertionError(f"the writer is wrong: {got!r}, not {want!r}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--mib", type=int, default=1)
    parser.add_argument("--encrypted", default="97%", help="share of pages, such as 97%%")
    parser.add_argument("--cpus", type=int, default=2)
    parser.add_argument("--ehsize", type=int, default=8)
    parser.add_argument("--defect", choices=sorted(DEFECTS))
    parser.add_argument("--seed", type=int, help="fresh keys from this number")
    parser.add_argument("--cck", type=Path, required=True, help="made when it is not there")
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    self_check()
    if not args.cck.exists():
        args.cck.write_bytes(random.Random(args.seed).randbytes(32))
    recipe = Recipe(cck=args.cck.read_bytes(), blocks=[(0, args.mib * MIB)], ehsize=args.ehsize,
                    page=share_encrypted(float(args.encrypted.rstrip("%"))),
                    cpus=[numbered_cpu(i) for i in range(args.cpus)])
    if args.seed is not None:
        rng = random.Random(args.seed)
        recipe = replace(recipe, seed=rng.randbytes(64), xts_key=rng.randbytes(64),
                         nonce=bytes(10) + rng.randbytes(6))
    write_dump(args.output, with_defect(recipe, args.defect) if args.defect else recipe)


if __name__ == "__main__":
    main()
