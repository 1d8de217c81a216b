# SPDX-License-Identifier: MIT
"""
A test script's output in the Test Anything Protocol.

A test is a function that returns normally, raises an exception, or raises Skip with a reason.
"""
import sys
import traceback


class Skip(Exception):
    pass


def check_equal(got, want, what):
    if got != want:
        raise AssertionError(f"{what}: got {got!r}, want {want!r}")


def check_in(part, text, what):
    if part not in text:
        raise AssertionError(f"{what}: no {part!r} in {text!r}")


def _diagnose(error):
    frame = traceback.extract_tb(error.__traceback__)[-1]
    print(f"# {frame.filename}:{frame.lineno} ({frame.name})")
    for line in "".join(traceback.format_exception_only(error)).rstrip().splitlines():
        print(f"# {line}")
    if output := getattr(error, "stdout", None):
        print(f"# {output!r}")


def run(tests):
    """Run (name, function) pairs; return the exit status of the script."""
    failed = 0
    print(f"1..{len(tests)}")
    for number, (name, function) in enumerate(tests, 1):
        try:
            function()
            print(f"ok {number} - {name}")
        except Skip as reason:
            print(f"ok {number} - {name} # SKIP {reason}")
        except Exception as error:
            failed = 1
            print(f"not ok {number} - {name}")
            _diagnose(error)
        sys.stdout.flush()
    return failed
