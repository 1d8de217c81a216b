# SPDX-License-Identifier: MIT
"""
What the tests of dumps share: cores as ordinary tools see them, and what they must hold.
"""
import struct
import sys
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cli"))

import pvdumpwrite as pvdump  # noqa: E402
from common import check, check_equal  # noqa: E402

PAGE, MIB = pvdump.PAGE, pvdump.MIB
NOTE_ORDER = (1, 2, 0x301, 0x302, 0x303, 0x304, 0x305, 0x309, 0x30a, 0x30b)


class Core(NamedTuple):
    """An ELF core: notes (name, type, descriptor), and (address, bytes in memory, bytes)."""
    header: bytes
    notes: list
    loads: list


def padded(n):
    return (n + 3) // 4 * 4


def read_notes(data):
    notes, at = [], 0
    while at < len(data):
        namesz, descsz, kind = struct.unpack_from(">III", data, at)
        name = data[at + 12:at + 12 + namesz].rstrip(b"\0").decode()
        at += 12 + padded(namesz)
        check(at + padded(descsz) <= len(data), f"note {name} {kind:#x} reaches beyond the notes")
        notes.append((name, kind, data[at:at + descsz]))
        at += padded(descsz)
    return notes


def read_core(path):
    data = Path(path).read_bytes()
    check_equal(data[:16], pvdump.ELF_IDENT, "ELF identification")
    phoff, = struct.unpack_from(">Q", data, 32)
    phnum, = struct.unpack_from(">H", data, 56)
    if phnum == 0xFFFF:
        shoff, = struct.unpack_from(">Q", data, 40)
        phnum, = struct.unpack_from(">I", data, shoff + 44)
    notes, loads = [], []
    for i in range(phnum):
        kind, _, offset, _, paddr, filesz, memsz, _ = struct.unpack_from(">IIQQQQQQ", data,
                                                                         phoff + 56 * i)
        check(offset + filesz <= len(data), "a segment reaches beyond the file")
        if kind == 4:
            notes += read_notes(data[offset:offset + filesz])
        elif kind == 1:
            loads.append((paddr, memsz, data[offset:offset + filesz]))
    return Core(data[:64], notes, loads)


def memory(recipe, start, size):
    return b"".join(recipe.page(gaddr).plain for gaddr in range(start, start + size, PAGE))


def cpu_notes(cpu, number):
    """The notes of a CPU in the order in which zgetdump writes them."""
    by_type = {kind: (name, kind, desc)
               for name, kind, desc in read_notes(pvdump.plain_notes(cpu, number))}
    return [by_type[kind] for kind in NOTE_ORDER]


def expected_notes(recipe, vmcoreinfo=None):
    info = bytearray(136)
    info[1], info[40:47] = ord("R"), b"vmlinux"
    notes = [("CORE", 3, bytes(info))]
    for number, cpu in enumerate(recipe.cpus):
        notes += cpu_notes(cpu, number)
    if vmcoreinfo is not None:
        notes.append(("VMCOREINFO", 0, vmcoreinfo))
    return notes


def expected_elf(recipe, vmcoreinfo=None):
    """Every byte of the ELF core that zgetdump makes of a dump."""
    notes = b""
    for name, kind, desc in expected_notes(recipe, vmcoreinfo):
        raw = name.encode() + b"\0"
        notes += struct.pack(">III", len(raw), len(desc), kind) + \
            raw.ljust(padded(len(raw)), b"\0") + desc.ljust(padded(len(desc)), b"\0")
    at = 64 + 56 * (1 + len(recipe.blocks))
    out = pvdump.ELF_IDENT + struct.pack(">HHIQQQIHHHHHH", 4, 22, 1, 0, 64, 0, 0, 64, 56,
                                         1 + len(recipe.blocks), 0, 0, 0)
    out += struct.pack(">IIQQQQQQ", 4, 0, at, 0, 0, len(notes), 0, 0)
    at += len(notes)
    for start, size in recipe.blocks:
        out += struct.pack(">IIQQQQQQ", 1, 7, at, start, start, size, size, PAGE)
        at += size
    return out + notes + b"".join(memory(recipe, *block) for block in recipe.blocks)


class DumpLab:
    """The program, and one place for a dump, its key, and what is made of them."""

    def __init__(self, lab):
        self.lab = lab
        self.dump, self.key, self.out = (lab.path(n) for n in ("dump.elf", "cck", "vmcore"))

    def write(self, recipe):
        self.key.write_bytes(recipe.cck)
        return pvdump.write_dump(self.dump, recipe)

    def open(self, *args, key=True, out=None, **options):
        self.out.unlink(missing_ok=True)
        words = ["-k", self.key] if key else []
        return self.lab.run("dump", "open", self.dump, *words, "-o", out or self.out, *args,
                            **options)

    def check_nothing_left(self):
        left = [p.name for p in self.out.parent.iterdir() if p.name.startswith(self.out.name)]
        check_equal(left, [], "files that are left")
