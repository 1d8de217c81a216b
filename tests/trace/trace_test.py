#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Trace and counters of a guest whose every step is known, and zpv machine: trace_test.py ZPV

The guest is a flat program of ten instructions; see program().
"""
import json
import re
import struct
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

ZPV = sys.argv[1]
MASK_64, MASK_WAIT = 0x0000000180000000, 0x0002000180000000
STEPS = [(0x2000, "lghi %r1,3"), (0x2004, "brctg %r1,0x2004"), (0x2004, "brctg %r1,0x2004"),
         (0x2004, "brctg %r1,0x2004"), (0x2008, "svc 42"), (0x2200, "ex %r0,768"),
         (0x300, "ahi %r1,5  (EX at 2200)"), (0x2204, ".short 0x0000"), (0x2100, "stidp 800"),
         (0x2104, "lpswe 784")]


def need(condition, text):
    if not condition:
        raise AssertionError(text)


def equal(have, want):
    need(have == want, f"{have}, not {want}")


def program(path):
    """Loops, calls the supervisor, executes, runs into an operation exception, and stops."""
    image = bytearray(0x2300)

    def put(at, data):
        image[at:at + len(data)] = data

    put(0, bytes.fromhex("0008000180002000"))
    put(0x1c0, struct.pack(">QQ", MASK_64, 0x2200))   # supervisor call
    put(0x1d0, struct.pack(">QQ", MASK_64, 0x2100))   # program
    put(0x300, bytes.fromhex("a71a0005"))             # target of EX
    put(0x310, struct.pack(">QQ", MASK_WAIT, 0x600d))
    put(0x2000, bytes.fromhex("a7190003a71700000a2a"))
    put(0x2200, bytes.fromhex("44000300" "0000"))
    put(0x2100, bytes.fromhex("b2020320" "b2b20310"))
    path.write_bytes(image)


ROUNDS = 5
LOOKUPS = 1 + ROUNDS * 6 + 2
MISSES = 4


def accesses(path):
    """
    Look-ups of operand pages that can be counted: one by LG; in each round one by LG, one by STG,
    two by L across pages and two by MVC; and two by LPSWE, which loads twice. The first LG brings
    the second page in, because an instruction that ends with a host fault looks up once more when
    it is repeated. Misses: the first load from each of three pages, and the first store.
    """
    image = bytearray(0x2100)

    def put(at, data):
        image[at:at + len(data)] = data

    put(0, bytes.fromhex("0008000180002000"))
    put(0x310, struct.pack(">QQ", MASK_WAIT, 0x600d))
    put(0x2000, bytes.fromhex(f"a719{ROUNDS:04x}" "a7393000" "e32030000104"
                              "e32030000004" "e32030080024" "58403ffe" "d20730103000"
                              "a717fff5" "b2b20310"))
    path.write_bytes(image)


class Run:
    def __init__(self, folder, *options, status=4, guest_program=program):
        guest = folder / "guest.bin"
        guest_program(guest)
        done = subprocess.run([ZPV, "run", "-m", "64", *options, guest], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
                              check=False)
        self.err = done.stderr
        need(done.returncode == status, f"exit status {done.returncode}: {self.err}")


def insns(text):
    """(address, disassembly) of the lines of a trace."""
    found = re.findall(r"^cpu0 guest insn ([0-9a-f]{16}) cc[0-3] [0-9a-f]+ +(.*)$", text,
                       re.MULTILINE)
    return [(int(addr, 16), what) for addr, what in found]


def test_insn(folder):
    out = folder / "trace"
    run = Run(folder, "--trace", f"insn,file={out}")
    need("cpu0" not in run.err, run.err)
    text = out.read_text()
    equal(insns(text), STEPS)
    equal(len(text.splitlines()), len(STEPS))


def test_stderr(folder):
    equal(insns(Run(folder, "--trace", "insn").err), STEPS)


def test_range(folder):
    run = Run(folder, "--trace=insn,addr=2100-2200")
    equal(insns(run.err), [s for s in STEPS if 0x2100 <= s[0] <= 0x2200])
    run = Run(folder, "--trace=insn", "--trace=addr=0x2204")
    equal(insns(run.err), [(0x2204, ".short 0x0000")])


def test_cc(folder):
    err = Run(folder, "--trace=insn,addr=2204").err
    need(" cc2 " in err, err)  # of AHI


def test_irq(folder):
    err = Run(folder, "--trace=irq").err
    need(re.search(r"irq  000000000000200a svc 42 psw=0000000180000000$", err, re.MULTILINE), err)
    need(re.search(r"guest irq  0000000000002204 program code=0001 ilc=2 psw=0000200180000000",
                   err), err)
    need(not insns(err) and "icpt" not in err, err)
    err = Run(folder, "--trace=irq,addr=2204").err
    need("program" in err and "svc" not in err, err)


def test_icpt(folder):
    err = Run(folder, "--trace=icpt").err
    need(re.search(r"icpt 0000000000002104 code=04 instruction .* ipa=b202 ipb=03200000  stidp 800",
                   err), err)
    need(re.search(r"icpt 000000000000600d code=1c wait state psw=0002000180000000", err), err)
    need("irq" not in err, err)


def counters(err):
    return {k.strip(): float(v) for k, v in re.findall(r"^  (.+?) +([0-9.]+)(?:  .*)?$", err,
                                                       re.MULTILINE)}


def test_counters(folder):
    for more in ([], [f"--trace=insn,irq,icpt,file={folder / 'trace'}"]):
        have = counters(Run(folder, "--counters", *more).err)
        for name, n in {"instructions": 10, "decoded instructions": 7, "supervisor calls": 1,
                        "decode-cache hits": 3, "program interruptions": 1, "external interruptions": 0,
                        "restart interruptions": 0, "evicted code pages": 0, "04 instruction": 1,
                        "1c wait state": 1}.items():
            need(have.get(name) == n, f"{name}: {have.get(name)}, not {n}")
        need(have["MIPS"] >= 0 and have["instruction TLB misses"] >= 1, have)
        exits = sum(n for name, n in have.items() if re.match(r"[0-9a-f]{2} ", name))
        equal(exits, have["exits of SIE"])


def test_tlb_hits(folder):
    err = Run(folder, "--counters", guest_program=accesses).err
    need(re.search(r"^  TLB hits +-  only --counters=tlb", err, re.MULTILINE), err)
    without = counters(err)
    for more in ([], [f"--trace=insn,file={folder / 'trace'}"]):
        have = counters(Run(folder, "--counters=tlb", *more, guest_program=accesses).err)
        equal(have["TLB misses"], MISSES)
        equal(have["TLB hits"] + have["TLB misses"], LOOKUPS)
        for name in ("instructions", "decoded instructions", "TLB misses",
                     "instruction TLB misses", "exits of SIE"):
            equal((name, have[name]), (name, without[name]))
    err = Run(folder, "--counters=hits", status=2).err
    need("'hits'" in err and "tlb" in err, err)


def test_use(folder):
    for item in ("insn,calls", "insn,addr=", "insn,addr=x", "insn,addr=5-4", "insn,addr=1-2-3",
                 "insn,file=", "addr=0-5", "file=x"):
        need("--trace" in (e := Run(folder, "--trace", item, status=2).err) or "item" in e, e)
    err = Run(folder, "--trace", "insn,file=/nowhere/x", status=1).err
    need("/nowhere/x" in err, err)
    err = Run(folder, "--trace", "insn,file=/dev/full", status=4).err
    need("cannot write '/dev/full'" in err, err)


def zpv(*args, status=0):
    done = subprocess.run([ZPV, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          encoding="utf-8", check=False)
    need(done.returncode == status, f"exit status {done.returncode}: {done.stderr}")
    return done.stdout


def test_coverage_json(_):
    data = json.loads(zpv("machine", "coverage", "--json"))
    equal(data["version"], 1)
    insns_ = data["instructions"]
    installed = [i for i in insns_ if i["installed"]]
    equal(len(installed), data["installed"])
    equal(len(insns_) - len(installed), data["not_installed"])
    by_name = {i["mnemonic"]: i for i in insns_}
    equal(by_name["lg"], {"opcode": "e304", "mnemonic": "lg", "installed": True, "format": "RXY",
                          "chapter": "general", "facility": 0})
    equal(by_name["va"], {"opcode": "e7f3", "mnemonic": "va", "installed": False, "facility": 129,
                          "reason": "facility 129"})
    equal(by_name["sie"]["chapter"], "control and input/output")
    bits = {f["bit"]: f["installed"] for f in data["facilities"]}
    need(bits[1] and bits[45] and not bits[129], bits)
    for i in installed:
        need(i["facility"] == 0 or bits[i["facility"]], f"{i} without its facility")
    for i in insns_:
        need(i["installed"] or i.get("facility") or "reason" in i, f"{i}: no reason")


def test_coverage_text(_):
    text = zpv("machine", "coverage")
    data = json.loads(zpv("machine", "coverage", "--json"))
    need(f"Instructions: {data['installed']} installed, {data['not_installed']} known and not "
         in text, text)
    need(re.search(r"^  129  no   vector$", text, re.MULTILINE), text)
    need(re.search(r"^   45  yes  distinct operands", text, re.MULTILINE), text)
    by_chapter = text.split("Installed, by chapter:\n")[1].split("\n\n")[0]
    equal(sum(int(n) for n in re.findall(r"^ +(\d+)", by_chapter, re.MULTILINE)),
          data["installed"])
    by_facility = text.split("Installed, by facility:\n")[1].split("\n\n")[0]
    equal(sum(int(n) for n in re.findall(r"^ +(\d+)", by_facility, re.MULTILINE)),
          data["installed"])
    absent = text.split("Not installed (operation exception):\n")[1]
    listed = [m for line in absent.splitlines() if line.startswith("    ") for m in line.split()]
    equal(sorted(listed), sorted(i["mnemonic"] for i in data["instructions"]
                                 if not i["installed"]))
    equal(sum(int(n) for n in re.findall(r"\((\d+)\)$", absent, re.MULTILINE)), len(listed))


def test_manual(_):
    """The page has every option that the help text shows."""
    page = (Path(__file__).resolve().parents[2] / "docs/man/zpv-machine-coverage.1").read_text()
    shown = re.findall(r"^ {2,6}.*?--([a-z]+)", zpv("machine", "coverage", "--help"), re.MULTILINE)
    need("json" in shown, shown)
    for option in shown:
        need(re.search(rf"^\.It .*Fl -{option}\b", page, re.MULTILINE), f"no --{option}")


def test_coverage_use(_):
    zpv("machine", "coverage", "extra", status=2)
    zpv("machine", "coverage", "--xml", status=2)
    zpv("machine", status=2)


TESTS = [("instructions", test_insn), ("trace on standard error", test_stderr),
         ("range of addresses", test_range), ("condition code", test_cc),
         ("interruptions", test_irq), ("interceptions", test_icpt), ("counters", test_counters),
         ("TLB hits", test_tlb_hits),
         ("wrong use", test_use), ("machine coverage --json", test_coverage_json),
         ("machine coverage", test_coverage_text), ("machine coverage: use", test_coverage_use), ("manual page", test_manual)]


def main():
    failed = 0
    print(f"1..{len(TESTS)}")
    for number, (name, test) in enumerate(TESTS, 1):
        with tempfile.TemporaryDirectory() as folder:
            try:
                test(Path(folder))
                print(f"ok {number} - {name}")
            except Exception as error:  # pylint: disable=broad-except
                failed = 1
                print(f"not ok {number} - {name}")
                text = str(error) if isinstance(error, AssertionError) else traceback.format_exc()
                for line in text.splitlines()[:30]:
                    print(f"# {line}")
        sys.stdout.flush()
    return failed


if __name__ == "__main__":
    sys.exit(main())
