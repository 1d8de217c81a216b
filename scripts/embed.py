#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes a C source file that holds the bytes of other files.

usage: embed.py OUT.c HEADER NAME=FILE[,string]...

Each NAME becomes an array, with a NUL behind it when ",string" is given, and NAME_size (without
the NUL). HEADER is included, so that the compiler compares with its declarations.
"""
import sys


def emit(name: str, path: str, nul: bool) -> str:
    data = open(path, "rb").read()
    shown = data + b"\0" if nul else data
    rows = [", ".join(f"0x{b:02x}" for b in shown[i:i + 16]) for i in range(0, len(shown), 16)]
    return (f"const uint8_t {name}[] = {{\n\t" + ",\n\t".join(rows) + "\n};\n"
            f"const size_t {name}_size = {len(data)};\n")


def main() -> None:
    out, header, *items = sys.argv[1:]
    with open(out, "w", encoding="ascii") as f:
        f.write(f"/* Made by the build. */\n#include \"{header}\"\n")
        for item in items:
            name, spec = item.split("=", 1)
            path, _, kind = spec.partition(",")
            f.write("\n" + emit(name, path, kind == "string"))


main()
