#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
libzpv as it is installed, the separation of the source's rooms, and the completion scripts.

Usage: lib_test.py ZPV BUILD
"""
import functools
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import common
from common import TOP, Skip, bind, check, check_equal, check_in

VERSION_NODE = "ZPV_0.1"
HEADERS = sorted((TOP / "include" / "zpv").glob("*.h"))
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]
SHELLS = ("bash", "zsh", "fish")
COMMANDS = ("host create", "host show", "image create", "image info", "image test")

# What a room may use beside itself and base: STYLE section 1. Of the library the program uses the
# public headers alone.
ROOMS = {
    "base": [],
    "crypto": [],
    "formats": [],
    "hostkey": ["crypto", "formats"],
    "image": ["crypto", "formats", "hostkey"],
    "machine": ["formats"],
    "ultravisor": ["machine", "hostkey", "crypto", "formats"],
    "hypervisor": ["machine", "formats"],
    "dump": ["crypto", "formats"],
    "cli": ["formats", "machine", "ultravisor", "hypervisor", "dump"],
}


def run(*argv, **options):
    """A tool that must succeed; its standard output."""
    done = subprocess.run([str(word) for word in argv], capture_output=True, text=True,
                          timeout=common.TIMEOUT, check=False, **options)
    check(done.returncode == 0,
          f"{argv}: exit status {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


def tool(*names):
    """The first of them that is installed."""
    found = next((shutil.which(name) for name in names if shutil.which(name)), None)
    if not found:
        raise Skip(f"{' or '.join(names)} is not installed")
    return found


# --- The installed library -----------------------------------------------------------------------

class Installed:
    """A DESTDIR."""

    def __init__(self, lab, build):
        self.root = lab.dir / "destdir"
        run(tool("meson"), "install", "-C", build, "--no-rebuild", "--quiet", "--destdir",
            self.root)
        self.shared, self.static, self.pc = (
            self.find(name) for name in ("libzpv.so", "libzpv.a", "libzpv.pc"))

    def find(self, name):
        found = [path for path in self.root.rglob(name)]
        check_equal(len(found), 1, f"number of installed {name}")
        return found[0]

    def pkg_config(self, *words):
        env = {**os.environ, "PKG_CONFIG_PATH": str(self.pc.parent),
               "PKG_CONFIG_SYSROOT_DIR": str(self.root)}
        return run(tool("pkg-config"), *words, "libzpv", env=env).split()


@functools.lru_cache(None)
def installed(lab, build):
    return Installed(lab, build)


def compiler(build):
    """The one of the build, with its sanitizers."""
    flags = common.sanitized()
    return [*shlex.split(commands(build)[0]["command"])[:1],
            *([f"-fsanitize={flags}"] if flags != "none" else [])]


@functools.lru_cache(None)
def commands(build):
    with open(build / "compile_commands.json", encoding="utf-8") as f:
        return json.load(f)


def test_consumer(lab, build, static):
    tree = installed(lab, build)
    libs = tree.pkg_config("--libs")
    if static:
        needs = {word for word in tree.pkg_config("--print-requires-private") if word[0].isalpha()}
        libs = [tree.static, "-pthread", *run(tool("pkg-config"), "--libs", *needs).split()]
    program = lab.path(f"consumer-{static}")
    run(*compiler(build), "-std=c17", *WARNINGS, *tree.pkg_config("--cflags"),
        TOP / "tests" / "cli" / "consumer.c", "-o", program, *libs)
    needed = run("readelf", "-d", program)
    check_equal("[libzpv.so.0]" in needed, not static, "libzpv.so.0 is needed")
    env = lab.env({"LD_LIBRARY_PATH": str(tree.shared.parent)})
    out = run(program, lab.kernel, lab.hkd[0], lab.host_key[0], lab.out, env=env)
    check(re.fullmatch(r"sealed \d+ bytes, 7 parts, in order\n", out), out)
    check_equal(lab.read().component("kernel").content, lab.kernel.read_bytes(), "kernel")
    lab.clear()
    failed = subprocess.run([program, lab.kernel, "/nowhere", "x", lab.out], env=env, check=False,
                            capture_output=True, text=True)
    check_equal(failed.returncode, 1, "exit status without a document")
    check_in("error -3 (3): ", failed.stderr, "message")


def declared():
    """Functions that the public headers offer."""
    text = "".join(path.read_text() for path in HEADERS)
    return set(re.findall(r"^ZPV_API\b[^;{]*?\b(zpv_\w+)\(", text, re.MULTILINE))


def test_exports(lab, build):
    """Exactly what the headers declare, all in one version node."""
    listing = run("nm", "-D", "--defined-only", "--with-symbol-versions",
                  installed(lab, build).shared)
    symbols = {line.split()[-1] for line in listing.splitlines()}
    symbols = {name for name in symbols if name.split("@")[0] != VERSION_NODE}
    check_equal({name.split("@")[0] for name in symbols}, declared(), "exported names")
    check_equal({name.partition("@@")[2] for name in symbols}, {VERSION_NODE}, "versions")


def test_static_symbols(lab, build):
    """Nothing of ours collides with a name of the program that links the archive."""
    listing = run("nm", "-g", "--defined-only", installed(lab, build).static)
    names = {line.split()[-1] for line in listing.splitlines() if len(line.split()) == 3}
    foreign = {name for name in names if not name.startswith("zpv_")}
    check_equal(foreign, set(), "global symbols")
    check_equal(names, declared(), "global symbols")


def test_installed_files(lab, build):
    tree = installed(lab, build)
    for name in ("zpv", "zpv.bash", "_zpv", "zpv.fish", *(f"zpv/{p.name}" for p in HEADERS)):
        found = [path for path in tree.root.rglob(Path(name).name)
                 if path.is_file() and str(path).endswith(f"/{name}")]
        check_equal(len(found), 1, f"number of installed {name}")
    text = run(tree.find("zpv.bash").parents[3] / "bin" / "zpv", "--version", env=lab.env())
    check_in(tree.pkg_config("--modversion")[0], text, "version")


def test_header(header, language):
    """Alone, twice, and strictly."""
    names = {"c17": ("clang", "gcc"), "c++17": ("clang++", "g++")}[language]
    source = f'#include <zpv/{header.name}>\n' * 2 + "int zpv_test_unused;\n"
    run(tool(*names), f"-std={language}", *WARNINGS, "-fsyntax-only", "-I", TOP / "include", "-x",
        "c++" if "++" in language else "c", "-", input=source)
    check('#include "' not in header.read_text(), f"{header} includes a private header")


# --- Rooms ---------------------------------------------------------------------------------------

def room_headers(room):
    return sorted((TOP / "src" / room).glob("*.h"))


def room_command(build, room):
    """How the build compiles a file of that room: words without the file and its outputs."""
    for entry in commands(build):
        file = Path(entry["directory"], entry["file"]).resolve()
        if file.parent == TOP / "src" / room and file.suffix == ".c":
            words = shlex.split(entry["command"])
            break
    else:
        raise Skip(f"nothing of src/{room} is built yet")
    for option in ("-o", "-MQ", "-MF"):
        if option in words:
            at = words.index(option)
            del words[at:at + 2]
    return entry["directory"], [w for w in words if w not in ("-c", "-MD", entry["file"])]


def reaches(build, room, header):
    """Whether a file of that room could include it, and not a system's header of the same name."""
    folder, words = room_command(build, room)
    done = subprocess.run([*words, "-w", "-M", "-x", "c", "-"], cwd=folder, capture_output=True,
                          input=f'#include "{header.name}"\n', text=True, check=False)
    return str(header) in {os.path.normpath(Path(folder, word)) for word in done.stdout.split()}


def test_room(build, room):
    """It sees its own headers and those of base; none of the rooms that it may not use."""
    for other in ROOMS:
        headers = room_headers(other)[:3]
        for header in headers:
            if other in (room, "base"):
                check(reaches(build, room, header), f"{room} does not find {header}")
            elif other not in ROOMS[room]:
                check(not reaches(build, room, header), f"{room} can include {header}")


def test_inside(build, room, folder):
    """Who may not hold a pointer into storage cannot even name what gives one."""
    headers = sorted((TOP / "src" / folder).glob("*.h"))
    check(headers, f"src/{folder} has no headers")
    for header in headers:
        check(not reaches(build, room, header), f"{room} can include {header}")


def test_rooms_known():
    rooms = {path.name for path in (TOP / "src").iterdir() if path.is_dir()}
    check_equal(rooms - set(ROOMS), set(), "rooms that are not in ROOMS")


def test_unique_headers():
    names = Counter(path.name for room in ROOMS for path in room_headers(room))
    check_equal([name for name, n in names.items() if n > 1], [], "headers with the same name")


def test_no_parent_includes():
    sources = [path for room in ("src", "include", "loader", "fuzz", "tests", "examples")
               for path in (TOP / room).rglob("*.[ch]")]
    check(len(sources) > 50, f"only {len(sources)} sources")
    found = [str(path) for path in sources
             if re.search(r'^\s*#\s*include\s*[<"]\.\.?/', path.read_text(), re.MULTILINE)]
    check_equal(found, [], "sources that include by a relative path")


# --- Completion ----------------------------------------------------------------------------------

def visible_options(lab, command):
    """Long names and letters of --help, by line."""
    text = lab.run(*command.split(), "--help").out
    lines = re.findall(r"^ {2,6}(?:-(\w), )?(--[\w, -]+)", text, re.MULTILINE)
    return [(letter, re.findall(r"--([\w-]+)", names)) for letter, names in lines]


def section(script, shell, command):
    """The part of a completion script for one command, with what is for all."""
    if shell == "bash":
        return re.search(rf"'{command}'\)\n(.*?)\n\tesac", script, re.DOTALL)[1]
    if shell == "zsh":
        return re.search(rf"'{command}'\)\n(.*?);;\n", script, re.DOTALL)[1]
    group, word = command.split()
    mine = (f"contains -- {group} (commandline -opc)[2]; "
            f"and contains -- {word} (commandline -opc)[3]'")
    return "".join(f"{line} \n" for line in script.splitlines()
                   if mine in line or "-n " not in line)


FORMS = {  # a long name, a letter, as regular expressions
    "bash": (r"--{}[ |)']", r"\s-{}\|"),
    "zsh": (r"'\*?--{}[=\[]", r"'\*?-{}\["),
    "fish": (r" -l {} ", r" -s {} "),
}


def test_completion(lab, shell, command):
    part = section(lab.run("completion", shell).out, shell, command)
    long_form, letter_form = FORMS[shell]
    options = visible_options(lab, command)
    check(len(options) >= 4, f"options of {command}: {options}")
    for letter, names in options:
        for name in names:
            check(re.search(long_form.format(name), part), f"no --{name} for {command}")
        if letter and names[0] not in ("verbose", "quiet", "help"):
            check(re.search(letter_form.format(letter), part), f"no -{letter} for {command}")
    check("x-pcf" not in part, "a hidden option is completed")


def test_syntax(lab, shell):
    path = lab.write(f"completion.{shell}", lab.run("completion", shell).raw)
    run(tool(shell), "-n", path)


IN_BASH = """
_init_completion() { words=("${COMP_WORDS[@]}"); cword=$COMP_CWORD; cur=${words[cword]}
	prev=${words[cword-1]}; }
_filedir() { COMPREPLY=("FILES $*"); }
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_zpv; printf '%s\\n' "${COMPREPLY[@]}"
"""

BASH_ROWS = [  # words before the cursor, completions
    ("zpv |", ["completion", "dump", "explain", "host", "image", "machine", "run", "vm"]),
    ("zpv im|", ["image"]),
    ("zpv host |", ["create", "show"]),
    ("zpv image create --enable-pckmo|", ["--enable-pckmo", "--enable-pckmo-hmac"]),
    ("zpv image create --comm|", ["--comm-key"]),
    ("zpv image create -k |", ["FILES "]),
    ("zpv image create --x-|", [""]),
    ("zpv image info --format text|", ["text", "text:full"]),
    ("zpv image info |", ["FILES "]),
    ("zpv host create --profile |", ["z15", "z16", "z17"]),
    ("zpv completion |", ["bash", "fish", "zsh"]),
]


def test_bash(lab, line, want):
    path = lab.write("zpv.bash", lab.run("completion", "bash").raw)
    words = line.rstrip("|").split(" ")
    out = run(tool("bash"), "-c", IN_BASH, "bash", path, *words)
    check_equal(sorted(out[:-1].split("\n")), sorted(want), line)


def tests(lab, args):
    build = args.build.resolve()
    yield "installed files", bind(test_installed_files, lab, build)
    yield "a program with libzpv.so", bind(test_consumer, lab, build, False)
    yield "a program with libzpv.a", bind(test_consumer, lab, build, True)
    yield "symbols of libzpv.so", bind(test_exports, lab, build)
    yield "symbols of libzpv.a", bind(test_static_symbols, lab, build)
    for header in HEADERS:
        for language in ("c17", "c++17"):
            yield f"{header.name} as {language}", bind(test_header, header, language)
    yield "rooms are known", test_rooms_known
    for room in ROOMS:
        yield f"what {room} may include", bind(test_room, build, room)
    for room in ("hypervisor", "cli"):
        for folder in ("machine", "machine/cpu", "ultravisor"):
            yield f"{room} does not see inside {folder}", bind(test_inside, build, room, folder)
    yield "names of headers are unique", test_unique_headers
    yield "no include by a relative path", test_no_parent_includes
    for shell in SHELLS:
        yield f"syntax of the completion for {shell}", bind(test_syntax, lab, shell)
        for command in COMMANDS:
            yield f"completion for {shell}: {command}", bind(test_completion, lab, shell, command)
    for line, want in BASH_ROWS:
        yield f"in bash: {line}", bind(test_bash, lab, line, want)


if __name__ == "__main__":
    sys.exit(common.main(__doc__, tests))
