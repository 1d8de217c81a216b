#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
`zpv dump info|open|dmesg` on the files of an independent writer: every valid shape is read right,
every defect has its exit status and message, and leaves no output.

Usage: open_test.py ZPV BUILD [--full]
"""
import json
import os
import resource
import sys
from dataclasses import replace

import kernelwrite
import pvdumpwrite as pvdump
from dumplab import DumpLab, MIB, PAGE, expected_elf, expected_notes, memory, read_core
from common import bind, check, check_equal, check_in, check_run, main
from pvdumpwrite import Page, Recipe

USAGE, ERROR, NO_DUMP, KEY, DAMAGED = 2, 1, 3, 4, 5
REVERSED = (".shstrtab", "pv_compl", "pv_mem_meta")
ONE_CPU = [pvdump.numbered_cpu(0)]


def all_zero(_):
    return Page(bytes(PAGE), pvdump.ZERO, junk=b"\x11" * PAGE)


def encrypted_zeros(_):
    return Page(bytes(PAGE))


# What zgetdump opens too.
SINGLE = {
    "default": {},
    "e_ehsize 64": {"ehsize": 64},
    "one CPU": {"cpus": ONE_CPU},
    "no CPU": {"cpus": []},
    "forty CPUs": {"cpus": [pvdump.numbered_cpu(i) for i in range(40)]},
    "sections in another order": {"sections": REVERSED},
    "sections apart, not aligned": {"gap": 7},
    "CPU note of 1568 bytes": {"pv_cpu_bytes": 1568},
    "CPU note of 2000 bytes": {"pv_cpu_bytes": 2000},
    "CPU note ahead of the others": {"pv_first": True},
    "notes that nobody knows": {"extra_notes": 3},
    "completion section of 288 bytes": {"complete_bytes": 288},
    "all encrypted": {"page": lambda gaddr: Page(pvdump.pattern(gaddr))},
    "all shared": {"page": lambda gaddr: Page(pvdump.pattern(gaddr), pvdump.SHARED)},
    "all zero, with other bytes in the file": {"page": all_zero},
    "zeros that are encrypted": {"page": encrypted_zeros},
    "several MiB": {"blocks": [(0, 5 * MIB)]},
    "tweaks of all ones but the first bytes": {"nonce": b"\xff" * 16},
}
# What only we open.
SEVERAL = {
    "two segments": {"blocks": [(0, MIB), (MIB, MIB)]},
    "a hole": {"blocks": [(0, MIB), (4 * MIB, 2 * MIB)]},
    "memory not from 0": {"blocks": [(2 * MIB, MIB)]},
    "segments in another order": {"blocks": [(4 * MIB, MIB), (0, 2 * MIB)]},
    "a hole, entries by address": {"blocks": [(0, MIB), (4 * MIB, 2 * MIB)], "index": "address"},
    "high addresses": {"blocks": [(0, MIB), (1 << 40, MIB)]},
    "extended numbering": {"blocks": [(0, MIB), (2 * MIB, MIB)], "extended": True},
    "CPU note of 8192 bytes": {"pv_cpu_bytes": 8192},
    "completion section of 8192 bytes": {"complete_bytes": 8192},
}

# defect of pvdumpwrite: (exit status, a part of the message)
DEFECTS = {
    "complete tag": (KEY, "most likely it is the key of another guest"),
    "complete iv": (KEY, "section 'pv_compl' is damaged"),
    "complete seed": (KEY, "section 'pv_compl' is damaged"),
    "complete text": (KEY, "section 'pv_compl' is damaged"),
    "complete reserved": (KEY, "section 'pv_compl' is damaged"),
    "complete version": (DAMAGED, "section 'pv_compl' is of version 2, not 1"),
    "complete length": (DAMAGED, "says its data have 287 bytes, not 288"),
    "complete cut": (DAMAGED, "has 287 bytes, not at least 288"),
    "cpu text": (DAMAGED, "CPU 1: its sealed state is damaged"),
    "cpu tag": (DAMAGED, "CPU 1: its sealed state is damaged"),
    "cpu iv": (DAMAGED, "CPU 0: its sealed state is damaged"),
    "cpu version": (DAMAGED, "CPU 0: its sealed state is of version 2, not 1"),
    "cpu short": (DAMAGED, "CPU 0: its sealed state has 1564 bytes, not 1568"),
    "entry byte 14": (DAMAGED, "page 0x11000 (number 17) is damaged: bytes 14 and 15 of its "
                      "entry are 01 01"),
    "entry reserved": (DAMAGED, "page 0x11000 (number 17) is damaged: bytes 14 and 15 of its "
                       "entry are 00 09"),
    "entry no flag": (DAMAGED, "page 0x11000 (number 17) is damaged: bytes 14 and 15 of its "
                      "entry are 00 00"),
    "entry mapped alone": (DAMAGED, "bytes 14 and 15 of its entry are 00 04"),
    "entry zero and shared": (DAMAGED, "bytes 14 and 15 of its entry are 00 03"),
    "metadata short": (DAMAGED, "describes 255 pages, but the dump has 256 pages"),
    "metadata long": (DAMAGED, "describes 257 pages, but the dump has 256 pages"),
    "metadata odd": (DAMAGED, "has 4088 bytes, not a multiple of 16"),
    "no metadata": (DAMAGED, "has no section 'pv_mem_meta'"),
    "no completion": (DAMAGED, "has no section 'pv_compl'"),
    "names damaged": (DAMAGED, "has no section 'pv_compl'"),
    "load beyond end": (DAMAGED, "memory from 0 on"),
    "cut in header": (DAMAGED, "cut off"),
    "cut in segments": (DAMAGED, "cut off"),
    "cut in notes": (DAMAGED, "cut off"),
    "cut in memory": (DAMAGED, "cut off"),
    "cut in metadata": (DAMAGED, "cut off"),
    "cut in completion": (DAMAGED, "cut off"),
    "cut in names": (DAMAGED, "cut off"),
    "notes too long": (DAMAGED, "cut off"),
}
# zgetdump refuses a note of more than 4096 bytes; nothing in the format does.
NO_DEFECTS_TO_US = {"cpu long"}

FOREIGN = {
    "kdump-compressed": (b"KDUMP   " + bytes(4096), "kdump"),
    "flattened": (b"makedumpfile".ljust(4096, b"\0"), "makedumpfile"),
    "libvirt's own": (b"LibvirtQemudSave" + bytes(4096), "libvirt"),
    "a migration": (b"QEVM" + bytes(4096), "QEMU"),
    "empty": (b"", ""),
    "text": (b"hello\n" * 100, ""),
}


def test_shape(lab, changes):
    recipe = replace(Recipe(), **changes)
    lab.write(recipe)
    check_run(lab.open(), 0)
    check(lab.out.read_bytes() == expected_elf(recipe), "the core is another")
    check_equal(lab.out.stat().st_mode & 0o777, 0o600, "mode of the core")


def check_memory(recipe, core):
    got = {}
    for start, size, data in core.loads:
        for at in range(0, size, PAGE):
            got[start + at] = data[at:at + PAGE].ljust(PAGE, b"\0")
    want = {gaddr: recipe.page(gaddr).plain for start, size in recipe.blocks
            for gaddr in range(start, start + size, PAGE)}
    check_equal(sorted(got), sorted(want), "addresses")
    bad = [hex(gaddr) for gaddr in want if got[gaddr] != want[gaddr]]
    check_equal(bad, [], "pages that are wrong")


def test_several(lab, changes):
    recipe = replace(Recipe(), **changes)
    lab.write(recipe)
    check_run(lab.open(), 0)
    core = read_core(lab.out)
    check_equal(core.notes, expected_notes(recipe), "notes")
    check_memory(recipe, core)


def test_many_segments(lab):
    """More program headers than e_phnum can tell."""
    test_several(lab, {"blocks": [(2 * i * PAGE, PAGE) for i in range(66000)],
                       "page": pvdump.share_encrypted(0.5)})


def test_plain(lab):
    recipe = replace(Recipe(), protected=False)
    lab.write(recipe)
    check_run(lab.open(key=False), 0)
    core = read_core(lab.out)
    check_memory(recipe, core)
    check_equal(core.notes, expected_notes(recipe), "notes")


def test_defect(lab, name):
    status, text = DEFECTS[name]
    lab.write(pvdump.with_defect(Recipe(), name))
    check_run(lab.open(), status, text)
    lab.check_nothing_left()
    check_run(lab.open(out="-"), status, text)


def test_every_defect_is_here():
    check_equal(set(DEFECTS) | NO_DEFECTS_TO_US, set(pvdump.DEFECTS), "defects")


def test_flips(lab):
    """Every authenticated byte counts: one bit of each 16th is changed."""
    recipe = Recipe(cpus=ONE_CPU)
    lab.write(recipe)
    good = lab.dump.read_bytes()
    parts = pvdump.write_dump(lab.dump, recipe)
    for part, size, status in (("pv_compl", 288, (KEY, DAMAGED)), ("cpu0", 1568, (DAMAGED,))):
        for offset in range(3, size, 16 if part == "pv_compl" else 97):
            data = bytearray(good)
            data[parts[part] + offset] ^= 1 << offset % 8
            lab.dump.write_bytes(data)
            run = lab.open()
            check(run.code in status, f"byte {offset} of {part}: {run}")
            lab.check_nothing_left()


def test_refused_by_owner(lab):
    """QEMU goes on without sections when the owner does not allow dumps: no silent fallback."""
    lab.write(replace(Recipe(), sections=(".shstrtab",)))
    check_run(lab.open(), DAMAGED, "its owner does not allow dumps")
    lab.check_nothing_left()


def test_foreign(lab, data, text):
    lab.dump.write_bytes(data)
    run = lab.open(key=False)
    check(run.code in (NO_DUMP, DAMAGED), f"{run}")
    check_in(text, run.err, "message")
    lab.check_nothing_left()


# --- Keys and outputs -----------------------------------------------------------------------------

def test_keys(lab):
    lab.write(Recipe())
    check_run(lab.open(key=False), KEY, "key")
    for name, key, status in (("wrong", bytes(32), KEY), ("short", bytes(31), KEY),
                              ("long", bytes(33), KEY), ("empty", b"", KEY)):
        path = lab.lab.write(name, key)
        check_run(lab.open("-k", path, key=False), status)
        lab.check_nothing_left()
    check_run(lab.open("-k", lab.lab.path("missing"), key=False), ERROR, "missing")
    lab.check_nothing_left()


def test_key_descriptor(lab):
    recipe = Recipe()
    lab.write(recipe)
    read, write = os.pipe()
    os.write(write, recipe.cck)
    os.close(write)
    check_run(lab.open("--key-fd", read, key=False, pass_fds=(read,)), 0)
    os.close(read)
    check(lab.out.read_bytes() == expected_elf(recipe), "the core is another")


def test_outputs(lab):
    recipe = Recipe()
    lab.write(recipe)
    run = lab.open(out="-")
    check_equal(run.code, 0, "exit status to a pipe")
    check(run.raw == expected_elf(recipe), "the core on standard output is another")
    check_run(lab.open(), 0)
    again = lab.lab.run("dump", "open", lab.dump, "-k", lab.key, "-o", lab.out)
    check_run(again, ERROR, str(lab.out))
    lab.out.write_bytes(b"old")
    check_run(lab.lab.run("dump", "open", lab.dump, "-k", lab.key, "-o", lab.out), ERROR)
    check_equal(lab.out.read_bytes(), b"old", "the file that was there")
    check_run(lab.lab.run("dump", "open", "--overwrite", lab.dump, "-k", lab.key, "-o", lab.out), 0)
    check(lab.out.read_bytes() == expected_elf(recipe), "the core is another")


def test_full_disk(lab):
    lab.write(replace(Recipe(), blocks=[(0, 4 * MIB)]))

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (MIB, MIB))
    run = lab.open(preexec_fn=limit, check_signal=False)
    check(run.code == ERROR, f"{run}")
    lab.check_nothing_left()


def test_sparse(lab):
    """Zero pages take no room."""
    recipe = replace(Recipe(), blocks=[(0, 16 * MIB)], page=all_zero)
    lab.write(recipe)
    check_run(lab.open(), 0)
    check(lab.out.stat().st_blocks * 512 < MIB, f"{lab.out.stat().st_blocks * 512} bytes on disk")
    check(lab.out.read_bytes() == expected_elf(recipe), "the core is another")


def test_s390(lab):
    recipe = replace(Recipe(), blocks=[(0, 2 * MIB)])
    lab.write(recipe)
    check_run(lab.open("--format", "s390"), 0)
    data = lab.out.read_bytes()
    check_equal(data[:8].hex(), "a8190173618f23fd", "magic")
    check_equal(len(data), 4096 + 2 * MIB + 16, "size")
    check_equal(data[-16:-8], b"DUMP_END", "end")
    want = bytearray(memory(recipe, 0, 2 * MIB))
    got = bytearray(data[4096:-16])
    for cpu in recipe.cpus:
        check_equal(got[cpu.prefix + 0x1280:cpu.prefix + 0x1300],
                    b"".join(gr.to_bytes(8, "big") for gr in cpu.gr), "general registers")
        for area in (want, got):
            area[cpu.prefix:cpu.prefix + 0x2000] = bytes(0x2000)
    check(got == want, "memory is another")


# --- info -----------------------------------------------------------------------------------------

def test_info(lab):
    recipe = replace(Recipe(), cpus=[pvdump.numbered_cpu(0), pvdump.numbered_cpu(1, pvdump.OSII)])
    lab.write(recipe)
    locked = json.loads(lab.lab.run("dump", "info", "--json", lab.dump).out)
    check_equal((locked["protected"], locked["cpu_count"], locked["memory_bytes"]), (True, 2, MIB),
                "what needs no key")
    kinds = [recipe.page(gaddr).flags for gaddr in range(0, MIB, PAGE)]
    check_equal(locked["pages"], {"encrypted": kinds.count(None),
                                  "shared": sum(1 for k in kinds if k and k & pvdump.SHARED),
                                  "zero": sum(1 for k in kinds if k and k & pvdump.ZERO)}, "pages")
    check("cpus" not in locked, "CPUs are told without a key")
    run = lab.lab.run("dump", "info", "--json", "-k", lab.key, lab.dump)
    check_run(run, 0)
    for told, cpu in zip(json.loads(run.out)["cpus"], recipe.cpus):
        check_equal([int(gr, 16) for gr in told["gr"]], cpu.gr, "general registers")
        check_equal((int(told["psw_mask"], 16), int(told["psw_addr"], 16)), cpu.psw, "PSW")
        check_equal(told["incomplete"], bool(cpu.flags), "state may be incomplete")
    check_run(lab.lab.run("dump", "info", "-k", lab.lab.write("bad", bytes(32)), lab.dump), KEY)


def test_incomplete_is_told(lab):
    lab.write(replace(Recipe(), cpus=[pvdump.numbered_cpu(0, pvdump.OSII)]))
    check_run(lab.open(), 0, "CPU 0")


# --- VMCOREINFO, dmesg ----------------------------------------------------------------------------

def kernel_recipe(kernel):
    mem = bytes(kernel.mem)
    return replace(Recipe(), page=lambda gaddr: Page(mem[gaddr:gaddr + PAGE]))


def dmesg(lab):
    return lab.lab.run("dump", "dmesg", "-k", lab.key, lab.dump)


def test_dmesg(lab, name):
    kernel = kernelwrite.VALID[name]()
    lab.write(kernel_recipe(kernel))
    run = dmesg(lab)
    check_run(run, 0)
    check_equal(run.raw, kernel.expected(), "messages")


def test_hostile_kernel(lab, name):
    make, text = kernelwrite.HOSTILE[name]
    lab.write(kernel_recipe(make()))
    check_run(dmesg(lab), ERROR, text)


def test_vmcoreinfo_note(lab, where):
    kernel = kernelwrite.Kernel(where=where)
    recipe = kernel_recipe(kernel)
    lab.write(recipe)
    check_run(lab.open(), 0)
    check(lab.out.read_bytes() == expected_elf(recipe, kernel.info()), "the core is another")
    lab.out.replace(lab.dump)
    run = lab.lab.run("dump", "dmesg", lab.dump)
    check_run(run, 0)
    check_equal(run.raw, kernel.expected(), "messages out of the opened core")


def test_dmesg_keys(lab):
    lab.write(kernel_recipe(kernelwrite.Kernel()))
    check_run(lab.lab.run("dump", "dmesg", lab.dump), KEY, "key", out="")


# --- The script -----------------------------------------------------------------------------------

def tests(lab, _):
    dump = DumpLab(lab)
    yield "the writer itself", pvdump.self_check
    for name, changes in SINGLE.items():
        yield f"opens: {name}", bind(test_shape, dump, changes)
    for name, changes in SEVERAL.items():
        yield f"opens: {name}", bind(test_several, dump, changes)
    yield "opens: not protected", bind(test_plain, dump)
    for name in DEFECTS:
        yield f"refused: {name}", bind(test_defect, dump, name)
    yield "every defect of the writer is tested", test_every_defect_is_here
    yield "refused: no sections, but sealed CPUs", bind(test_refused_by_owner, dump)
    for name, row in FOREIGN.items():
        yield f"no ELF core: {name}", bind(test_foreign, dump, *row)
    yield "keys", bind(test_keys, dump)
    yield "key from a descriptor", bind(test_key_descriptor, dump)
    yield "outputs", bind(test_outputs, dump)
    yield "no room for the output", bind(test_full_disk, dump)
    yield "zero pages are holes", bind(test_sparse, dump)
    yield "format s390", bind(test_s390, dump)
    yield "info", bind(test_info, dump)
    yield "an incomplete state is told", bind(test_incomplete_is_told, dump)
    for where in ("note", "os_info", "page"):
        yield f"VMCOREINFO in a {where}", bind(test_vmcoreinfo_note, dump, where)
    for name in kernelwrite.VALID:
        yield f"dmesg: {name}", bind(test_dmesg, dump, name)
    for name in kernelwrite.HOSTILE:
        yield f"dmesg, hostile: {name}", bind(test_hostile_kernel, dump, name)
    yield "dmesg without a key", bind(test_dmesg_keys, dump)


def full(lab, _):
    dump = DumpLab(lab)
    yield "opens: more segments than e_phnum can tell", bind(test_many_segments, dump)
    yield "one bit changed", bind(test_flips, dump)


if __name__ == "__main__":
    sys.exit(main(__doc__, tests, full))
