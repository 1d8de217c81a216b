#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
The instruction table against binutils: disasm_test.py TOOL [OBJDUMP]

Random encodings of every row of the table are disassembled by TOOL and by objdump: mnemonic, length
and operands must be the same. So opcode, mnemonic and format of each row are checked. objdump's
extended mnemonics are turned into base mnemonics here. Besides, every instruction that objdump
knows is in the table or in the list of absent instructions.
"""
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict

CELL = 16          # an instruction, and fillers that put objdump into step again
BASE = 0x100000000  # address of the first cell
ENCODINGS = 8      # of each row
NEEDED = 4         # that objdump must know

# binutils does not know these: internal interfaces of IBM.
UNKNOWN = {"servc", "chsc"}

# Second part of an opcode by format, as in src/machine/cpu/insn.h.
BYTE1 = "E RRE RRF RRD S SIL SSE".split()
DIGIT = "RI-a RI-b RI-c RIL-a RIL-b RIL-c SSF".split()
BYTE5 = ("RXY RXE RXF RSY SIY RIE-a RIE-b RIE-c RIE-d RIE-e RIE-f RIE-g RIS RRS VRX "
         "VRS-a").split()

CONDITIONS = {"o": 1, "h": 2, "p": 2, "nle": 3, "l": 4, "m": 4, "nhe": 5, "lh": 6, "ne": 7,
              "nz": 7, "e": 8, "z": 8, "nlh": 9, "he": 10, "nl": 11, "nm": 11, "le": 12, "nh": 13,
              "np": 13, "no": 14}
COMPARED = {"h": 2, "nle": 2, "l": 4, "nhe": 4, "ne": 6, "lh": 6, "e": 8, "nlh": 8, "nl": 10,
            "he": 10, "nh": 12, "le": 12}
ALIASES = {"jas": "bras", "jasl": "brasl", "jct": "brct", "jctg": "brctg", "jxh": "brxh",
           "jxhg": "brxhg", "jxle": "brxle", "jxleg": "brxlg", "cu21": "cuutf", "cu12": "cutfu",
           "tmh": "tmlh", "tml": "tmll"}
WHOLE = {"j": ("brc", 15), "jnop": ("brc", 0), "jg": ("brcl", 15), "jgnop": ("brcl", 0),
         "br": ("bcr", 15), "nopr": ("bcr", 0), "b": ("bc", 15), "nop": ("bc", 0)}


def length(first):
    return 2 if first < 0x40 else 4 if first < 0xc0 else 6


class Row:
    def __init__(self, line):
        opcode, self.mnemonic, self.format, facility, self.why = line.split(" ", 4)
        self.opcode, self.facility = int(opcode, 16), int(facility)
        self.first = self.opcode if self.opcode < 0x100 else self.opcode >> 8
        self.second = self.opcode & 0xff
        self.kind = ("none" if self.opcode < 0x100 else
                     "byte1" if self.format in BYTE1 else
                     "digit" if self.format in DIGIT else
                     "byte5" if self.format in BYTE5 else "")

    def encode(self, kind=None):
        """Random bits but for the opcode."""
        code = bytearray(random.randbytes(length(self.first)))
        code[0] = self.first
        kind = kind or self.kind
        if kind == "byte1":
            code[1] = self.second
        elif kind == "digit":
            code[1] = code[1] & 0xf0 | self.second
        elif kind == "byte5":
            code[5] = self.second
        return code


def variants(code, fixed):
    """Operand fields that some instructions must have zero; fixed: bytes of the opcode."""
    yield code
    for zero in ([(2, 0xff)], [(2, 0x0f)], [(2, 0xff), (3, 0x0f)], [(2, 0xff), (3, 0xff)],
                 [(4, 0xff)], [(4, 0x0f)], [(1, 0x0f)], [(2, 0xff), (3, 0xff), (4, 0xff)],
                 [(1, 0xf0)], [(1, 0xff)], [(2, 0xff), (4, 0xff)], [(1, 0x0f), (4, 0x0f)],
                 [(1, 0xff), (2, 0xff), (3, 0xff), (4, 0xff), (5, 0xff)], [(4, 0xf0)],
                 [(2, 0x0f), (3, 0xf0)], [(2, 0x0f), (3, 0xff)], [(3, 0x0f)],
                 [(3, 0xff)], [(3, 0x0f), (4, 0xff)], [(2, 0xff), (3, 0xff), (4, 0xf0)], [(2, 0xf0)]):
        new = bytearray(code)
        for byte, mask in zero:
            if byte < len(new):
                new[byte] &= ~(mask & ~fixed.get(byte, 0)) & 0xff
        yield new


FIXED = {"none": {}, "byte1": {1: 0xff}, "digit": {1: 0x0f}, "byte5": {5: 0xff}}


def objdump(codes):
    """(length, text) of each, None for what is not known."""
    blob = b"".join(bytes(c) + b"\x07\x00" * ((CELL - len(c)) // 2) for c in codes)
    with tempfile.NamedTemporaryFile() as f:
        f.write(blob)
        f.flush()
        out = subprocess.run([OBJDUMP, "-D", "-z", "-b", "binary", "-m", "s390:64-bit",
                              "-M", "zarch", f"--adjust-vma={BASE:#x}", f.name],
                             check=True, stdout=subprocess.PIPE, encoding="ascii").stdout
    found = [None] * len(codes)
    for at, hexes, text in re.findall(r"^ *([0-9a-f]+):\t((?:[0-9a-f]{2} )+)\s*\t([^\n]*)$", out,
                                      re.MULTILINE):
        cell, offset = divmod(int(at, 16) - BASE, CELL)
        if offset == 0 and not text.startswith("."):
            found[cell] = (len(hexes.split()), text.split("\t"))
    return found


def ours(codes):
    lines = "".join(f"{BASE + CELL * i:x} {bytes(c).hex()}\n" for i, c in enumerate(codes))
    out = subprocess.run([TOOL], input=lines, check=True, stdout=subprocess.PIPE, encoding="ascii")
    return [line.split(" ", 1) for line in out.stdout.splitlines()]


def conditional(mnemonic):
    """Extended mnemonics that end in a condition: base, its operand's number, conditions."""
    for base in "locgr locr stocg stoc locg loc crt cgrt clrt clgrt cit cgit clfit clgit".split():
        if mnemonic.startswith(base) and mnemonic != base:
            yield base, -1, CONDITIONS if "oc" in base else COMPARED
    for base in ("crj cgrj clrj clgrj cij cgij clij clgij crb cgrb clrb clgrb "
                 "cib cgib clib clgib").split():
        if mnemonic.startswith(base) and mnemonic != base:
            yield base, 2, COMPARED
    if mnemonic.startswith("jg"):
        yield "jg", 0, CONDITIONS
    elif mnemonic.startswith("j"):
        yield "j", 0, CONDITIONS
    if mnemonic.startswith("b") and mnemonic.endswith("r"):
        yield "b r", 0, CONDITIONS
    elif mnemonic.startswith("b"):
        yield "b", 0, CONDITIONS


def base_form(parts):
    """objdump's mnemonic and operands with the base mnemonic."""
    mnemonic, operands = parts[0], re.split(r",(?![^(]*\))", parts[1]) if len(parts) > 1 else []
    mnemonic = mnemonic.strip()
    if mnemonic in ALIASES:
        return ALIASES[mnemonic], operands
    if mnemonic == "nop" and operands[0].count("(") != operands[0].count(")"):
        operands[0] += ",%r0)"  # binutils 2.40 forgets it
    if mnemonic in WHOLE:
        base, mask = WHOLE[mnemonic]
        return base, [str(mask)] + (operands or ["%r0" if base == "bcr" else "0"])
    if mnemonic == "risbgz":
        operands[3] = str(int(operands[3]) | 0x80)
        return "risbg", operands
    for base, at, conditions in conditional(mnemonic):
        suffix = mnemonic[1:-1] if base == "b r" else mnemonic[len(base):]
        if suffix not in conditions:
            continue
        where = len(operands) if at < 0 else at
        operands = operands[:where] + [str(conditions[suffix])] + operands[where:]
        return {"j": "brc", "jg": "brcl", "b r": "bcr", "b": "bc"}.get(base, base), operands
    return mnemonic, operands


def joined(mnemonic, operands):
    return mnemonic + (" " + ",".join(operands) if operands else "")


def check_format(rows):
    """Rows of one format. Return: findings, number of encodings compared."""
    codes, owner = [], []
    for row in rows:
        for _ in range(ENCODINGS):
            for code in variants(row.encode(), FIXED[row.kind]):
                codes.append(code)
                owner.append(row)
    theirs, mine = objdump(codes), ours(codes)
    bad, known = [], defaultdict(int)
    for code, row, their, my in zip(codes, owner, theirs, mine):
        if their is None:
            continue
        known[row.mnemonic] += 1
        wanted = joined(*base_form(their[1]))
        if wanted.split()[0].removesuffix("a") not in (row.mnemonic, row.mnemonic[:-1]) and \
           wanted.split()[0] != row.mnemonic:
            bad.append(f"{row.opcode:x} is {row.mnemonic} here and {their[1]} there")
        if (int(my[0]), my[1]) != (their[0], wanted):
            bad.append(f"{code.hex()}: {' '.join(my)}, and objdump {their[0]} {wanted}")
    for row in rows:
        if row.mnemonic in UNKNOWN:
            if known[row.mnemonic]:
                bad.append(f"binutils knows {row.mnemonic}")
        elif known[row.mnemonic] < NEEDED:
            bad.append(f"{row.mnemonic} ({row.opcode:x}): objdump knows {known[row.mnemonic]} "
                       f"encodings")
    return bad, sum(known.values())


def check_not_installed():
    """Instructions whose facility is off, or that are unknown, are data."""
    codes = [b"\x00\x01", b"\x01\xfe", b"\x45" * 4, b"\xb2\xfe\x12\x34",
             b"\xe3\x10\x20\x08\x00\xff"]
    wanted = [".short 0x0001", ".short 0x01fe", None, ".long 0xb2fe1234",
              ".long 0xe3102008; .short 0x00ff"]
    return [f"{c.hex()}: {my}, not {want}" for c, (_, my), want in zip(codes, ours(codes), wanted)
            if want and my != want]


def absent_kinds(rows):
    """First byte -> where the rest of its opcodes is, the same for all rows."""
    kinds = {row.first: row.kind for row in rows if row.kind}
    for row in rows:
        if row.kind == "":
            row.kind = kinds.get(row.first) or guess_kind(row.first)
            kinds[row.first] = row.kind
    return kinds


def guess_kind(first):
    """First bytes of which no instruction is installed."""
    return {0xe5: "byte1", 0xc5: "digit", 0xc7: "digit", 0xe6: "byte5", 0xe7: "byte5"}[first]


def key_of(code, kind):
    return {"none": 0, "byte1": code[1], "digit": code[1] & 15,
            "byte5": code[5] if len(code) == 6 else 0}[kind]


def check_absent(rows):
    """Every row of the list is what objdump says, and is not in the table."""
    table = {(r.first, r.second if r.kind != "none" else 0) for r in rows if r.format != "-"}
    bad, codes, owner = [], [], []
    for row in [r for r in rows if r.format == "-"]:
        if (row.first, row.second if row.kind != "none" else 0) in table:
            bad.append(f"{row.mnemonic} ({row.opcode:x}) is in the table: take it off the list")
        for _ in range(12):
            for code in variants(row.encode(), FIXED[row.kind]):
                codes.append(code)
                owner.append(row)
    names = defaultdict(set)
    for row, their in zip(owner, objdump(codes)):
        if their:
            names[row.opcode].add(their[1][0].strip())
    bad += [f"{row.mnemonic} ({row.opcode:x}) is {sorted(names[row.opcode])} there"
            for row in rows if row.format == "-" and row.mnemonic not in names[row.opcode]]
    return bad


def check_complete(rows, kinds):
    """Whatever objdump knows is a row of one or the other."""
    have = {(r.first, r.second if r.kind != "none" else 0) for r in rows}
    probe = Row("00 x - 0 x")
    codes = []
    for first in range(256):
        kind = kinds.get(first, "byte1")
        ways = {"none": 8, "byte1": 256, "digit": 16, "byte5": 256}[kind]
        probe.first = first
        for probe.second in range(ways):
            codes += variants(probe.encode(kind), FIXED[kind])
    unknown = set()
    for code, their in zip(codes, objdump(codes)):
        kind = kinds.get(code[0], "byte1")
        if their and (code[0], key_of(code, kind)) not in have:
            unknown.add(f"{code.hex()}: {their[1][0].strip()}")
    return [f"in neither list: {x}" for x in sorted(unknown)]


def run_all():
    out = subprocess.run([TOOL, "table"], check=True, stdout=subprocess.PIPE, encoding="ascii")
    rows = [Row(line) for line in out.stdout.splitlines()]
    installed = [r for r in rows if r.why == "installed"]
    formats = sorted({r.format for r in installed})
    kinds = absent_kinds(rows)
    yield f"{len(rows)} rows: opcodes are unique", \
        [f"{r.opcode:x} twice" for i, r in enumerate(rows) if r.format != "-" and
         any(x.opcode == r.opcode and x.kind == r.kind for x in rows[:i])]
    for name in formats:
        some = [r for r in installed if r.format == name]
        bad, n = check_format(some)
        yield f"{name}: {len(some)} instructions, {n} encodings as binutils has them", bad
    yield "what is not installed is data", check_not_installed()
    absent = [r for r in rows if r.format == "-"]
    yield f"{len(absent)} absent instructions are named as in binutils", check_absent(rows)
    yield "binutils knows no other instruction", check_complete(rows, kinds)


def main():
    if not shutil.which(OBJDUMP):
        print(f"1..0 # SKIP there is no {OBJDUMP}")
        return 0
    random.seed(20)
    failed = count = 0
    for name, bad in run_all():
        count += 1
        print(f"{'not ok' if bad else 'ok'} {count} - {name}")
        for line in bad[:40]:
            print(f"# {line}")
        failed |= bool(bad)
        sys.stdout.flush()
    print(f"1..{count}")
    return failed


if __name__ == "__main__":
    TOOL = sys.argv[1]
    OBJDUMP = sys.argv[2] if len(sys.argv) > 2 else "s390x-linux-gnu-objdump"
    sys.exit(main())
