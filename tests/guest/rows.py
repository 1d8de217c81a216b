# SPDX-License-Identifier: MIT
"""The rows of sie.md section 10 that need no Ultravisor, and where each is covered: from C through
cpu_sie(), and by a flat program that executes SIE. check() proves that both exist."""
import os
import re

HERE = os.path.dirname(os.path.abspath(__file__))
C_TEST = os.path.join(HERE, "../../src/machine/cpu/sie_test.c")

# Row, as the flat program marks it with "Row: NAME"; test in C and a text in it; flat programs.
# What kvm-unit-tests' intercept.c does to the machine itself is in intercept.S.
ROWS = [
    ("sie DIAG 10", "test_diag", '"DIAG 10"', ["sie_diag"]),
    ("sie DIAG 44", "test_diag", '"DIAG 44"', ["sie_diag"]),
    ("sie DIAG 9c", "test_diag", '"DIAG 9c"', ["sie_diag"]),
    ("sie STCKE", "test_epoch_index", '"STCKE"', ["sie_diag"]),
    ("sie-dat 1", "test_dat_regions", '"DIAG 500"', ["sie_dat"]),
    ("sie-dat 2", "test_dat", '"10 pages"', ["sie_dat"]),
    ("sie-dat 3", "test_dat_regions", '"outside"', ["sie_dat"]),
    ("spec_ex SPECI off", "test_spec_ex", '"SPECI off"', ["sie_spec_ex"]),
    ("spec_ex SPECI on", "test_spec_ex", '"SPECI on"', ["sie_spec_ex"]),
    ("mvpg-sie 1", "test_mvpg", '"copied"', ["sie_mvpg"]),
    ("mvpg-sie 2", "test_mvpg", '"source out"', ["sie_mvpg"]),
    ("mvpg-sie 3", "test_mvpg", '"goes on"', ["sie_mvpg"]),
    ("mvpg-sie 4", "test_mvpg", '"dest out"', ["sie_mvpg"]),
    ("stfle-sie", "test_stfle", '"whole list"', ["sie_stfle"]),
    ("format 4", "test_validity", '"format 4"', ["sie_exits"]),
] + [(f"intercept {name}", "test_intercept_operands", f'"{name}"', ["sie_intercept", "intercept"])
     for name in ("STPX", "STAP", "STIDP", "SPX", "STFL", "TB", "DIAG 318")]

MARK = re.compile(r"Row: ([^.*]*?)(?:\.| *\*/)")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def marks(program):
    """Rows that a program says it covers."""
    return set(MARK.findall(read(os.path.join(HERE, program + ".S"))))


def check_row(row, passed):
    """What is missing of one row; passed: programs that have just run and passed."""
    name, function, text, programs = row
    source = read(C_TEST)
    body = re.search(rf"^static void {function}\(.*?^}}$", source, re.MULTILINE | re.DOTALL)
    if not body:
        yield f"no {function}() in sie_test.c"
    elif text not in body.group():
        yield f"{function}() has no {text}"
    if f"vm_test({function})" not in source:
        yield f"{function}() is not run"
    for program in programs:
        if program not in passed:
            yield f"{program} has not passed"
        elif name not in marks(program):
            yield f"{program}.S does not mark it"


def check(names, passed):
    """(row, what is missing) of each row, and of marks of rows that the table does not have."""
    for row in ROWS:
        yield f"sie.md 10: {row[0]}", list(check_row(row, passed))
    known = {row[0]: row[3] for row in ROWS}
    yield "sie.md 10: every mark is a row", [
        f"{program}.S: {mark}" for program in names for mark in sorted(marks(program))
        if program not in known.get(mark, [])]
