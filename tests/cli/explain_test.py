#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
zpv explain: which texts a code finds, and what is refused.
"""
import sys
from functools import partial as bind

import common
from common import check, check_equal, check_in, check_run

# Code -> what the first line of each explanation must have, all of them.
FOUND = {
    "108/5": ["no slot for this host"],
    "0x0108/0x0005": ["no slot for this host"],
    "102/1b": ["page list digest"],
    "102/1d": ["number of pages"],
    "0xa02": ["no protected mode"],
    "diag308:902": ["no block for protected mode"],
    "wait:4608": ["image loader: start failed"],
    "0x4607": ["image loader: no unpack facility"],
    "validity:2006": ["address space"],
    "2010": ["CPU timer too high"],
    "icpt:104": ["protected instruction (104)"],
    "112": ["protected prefix (112)"],
    "pgm:3d": ["secure storage access"],
    "10b/99": ["authentication failed", "variable storage not mapped"],
}

UNKNOWN = ["0x9999", "wait:1", "validity:5", "pgm:108"]
WRONG = ["", "xyz", "0x", "108/", "/5", "108/5/6", "108/10000", "colour:5", "wait:4608/5", "-0x5",
         "99999999999999999999999", "1 2"]


def titles(text):
    return [line.split(": ", 1)[1] for line in text.splitlines() if not line.startswith(" ")]


def test_found(lab, code, want):
    got = lab.run("explain", code)
    check_run(got, 0)
    check_equal(sorted(titles(got.out)), sorted(want), code)


def test_json(lab):
    got = lab.run("explain", "--json", "108/5")
    check_run(got, 0)
    common.json.loads(got.out)
    one, = common.json.loads(got.out)["explanations"]
    check_equal((one["code"], one["rrc"], one["command_code"]), (0x108, 5, 0x300), "codes")
    check_in("host-key document", one["text"], "text")


def test_unknown(lab, code):
    check_run(lab.run("explain", code), 1, f"no code '{code}' is known", "")


def test_wrong(lab, code):
    got = lab.run("explain", "--", code)
    check_equal(got.code, 2, "exit status")
    check(got.out == "" and code in got.err, f"stderr {got.err!r}")


def tests(lab, _args):
    for code, want in FOUND.items():
        yield f"explain {code}", bind(test_found, lab, code, want)
    yield "explain --json", bind(test_json, lab)
    for code in UNKNOWN:
        yield f"unknown {code}", bind(test_unknown, lab, code)
    for code in WRONG:
        yield f"wrong {code!r}", bind(test_wrong, lab, code)


if __name__ == "__main__":
    sys.exit(common.main(__doc__, tests))
