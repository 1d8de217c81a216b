#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Documents against the program: man_test.py ZPV

Manual pages are linted, their options are those that the program knows, and their examples are run.
An example is a line that starts with "$ " between ".Bd -literal" and ".Ed" in the section EXAMPLES;
a line that ends in "\\e" goes on in the next one. The examples of a page run one after the other in
a folder that holds what PREPARED says. So do, of README.md, the lines that start with "zpv " in
blocks marked ```sh, and of docs/*.md these blocks as a whole, as scripts. Relative links are
followed.
"""
import importlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
MAN = SOURCE / "docs" / "man"
GOLDEN = SOURCE / "tests" / "golden" / "se-image"
ZPV = Path(sys.argv[1]).resolve() if len(sys.argv) == 2 else None

COMMANDS = ["dump dmesg", "dump info", "dump open", "explain", "host create", "host show",
            "image create", "image info", "image test", "machine coverage", "run", "vm dump",
            "vm list", "vm pause", "vm powerdown", "vm quit", "vm reset", "vm resume", "vm status"]
PAGE_OF = {c: f"zpv-{c.replace(' ', '-')}.1" for c in COMMANDS}
SECTIONS = ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "EXAMPLES", "NOTES",
            "SEE ALSO"]
SECTIONS_OF_5 = ["NAME", "DESCRIPTION", "FILES", "EXAMPLES", "NOTES", "SEE ALSO"]

# Name in the folder -> golden file. Besides there are tests/ of the source, and, unless made by the
# examples themselves, the identity "machine", "guest.img", and "guest.dump" of a crashed Linux.
PREPARED = {"vmlinuz": "kernel.bin", "initrd": "ramdisk.bin", "initrd.gz": "ramdisk.bin",
            "cmdline": "parmfile", "parmfile": "parmfile", "cck.bin": "cck.bin",
            "hdr.key": "hdr.key", "image.key": "image.key"}
MADE_BY_EXAMPLES = {"zpv.1": ["machine", "guest.img"],
                    "zpv-host-create.1": ["machine"],
                    "zpv-image-create.1": ["guest.img"],
                    "README.md": ["machine", "guest.img"]}

# Pages whose examples run Debian's kernel and initramfs, under these names, where they have been
# fetched.
KERNEL = {"vmlinuz": "vmlinuz", "initrd.gz": "initrd.gz"}
KERNEL_OF = {PAGE_OF[c]: KERNEL for c in COMMANDS if c == "run" or c.startswith("vm ")}
S390X = Path(os.environ.get("ZPV_S390X_DIR") or SOURCE / "build" / "s390x") / "trixie"

# How the tables of src/cli/cmd_*.c name options.
NAMES_IN_C = re.compile(
    r'\.names\s*=\s*"([^"]+)"'
    r'|\b(?:FLAG|HIDDEN)\(\s*[A-Z_]\w*,\s*"([^"]+)"'
    r"|\bPATHS?\(\s*[A-Z_]\w*,\s*(?:'.'|0),\s*" r'"([^"]+)"')


class Skip(Exception):
    pass


def need(condition, text):
    if not condition:
        raise AssertionError(text)


def run(argv, **more):
    return subprocess.run([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, encoding="utf-8", errors="replace",
                          check=False, **more)


# --- Pages ---------------------------------------------------------------------------------------

def pages():
    return sorted(MAN.glob("*.[1-9]"))


def section_names(page):
    return re.findall(r"^\.Sh (.+)$", page.read_text(), re.MULTILINE)


def section(page, name):
    found = re.search(rf"^\.Sh {name}\n(.*?)(?=^\.Sh |\Z)", page.read_text(),
                      re.MULTILINE | re.DOTALL)
    return found[1] if found else ""


def flags(text):
    """Options named by .Fl, as they are typed."""
    found = set()
    for line in text.splitlines():
        if not line.startswith("."):
            continue
        for name in re.findall(r"\bFl\s+(-?[A-Za-z][\w-]*)", line):
            found.add("-" + name)
    return found


def item_flags(page):
    """Options that the page documents: the items of its lists."""
    return flags("\n".join(x for x in page.read_text().splitlines() if x.startswith(".It Fl")))


def examples(page):
    """The commands of the section EXAMPLES."""
    commands = []
    for block in re.findall(r"^\.Bd -literal[^\n]*\n(.*?)^\.Ed", section(page, "EXAMPLES"),
                            re.MULTILINE | re.DOTALL):
        text = block.replace("\\e", "\\").replace("\\&", "")
        commands += join_lines(text.splitlines(), "$ ")
    return commands


def join_lines(lines, mark):
    commands, going_on = [], False
    for line in lines:
        if going_on:
            commands[-1] += "\n" + line
        elif line.startswith(mark):
            commands.append(line[len(mark):] if mark == "$ " else line)
        else:
            continue
        going_on = line.endswith("\\")
    return commands


# --- The program ---------------------------------------------------------------------------------

def help_options(command):
    """Options at the left edge of the help text, before the explanations."""
    text = run([ZPV, *command.split(), "--help"]).stdout
    found = set()
    for line in text.splitlines():
        if re.match(r" {2,6}-", line):
            found |= set(re.findall(r"(?<![\w-])(--?[A-Za-z][\w-]*)", line))
    return found


def table_names():
    """Long options in the tables of the sources, hidden ones included."""
    found = set()
    for path in sorted((SOURCE / "src" / "cli").glob("cmd_*.c")):
        for groups in NAMES_IN_C.findall(path.read_text()):
            for name in "".join(groups).split(","):
                found.add("--" + name.removeprefix("-"))
    return found


def known(command, option):
    """The program's own answer; without operands the command does nothing else."""
    done = run([ZPV, *command.split(), option])
    return f"option '{option}' is not known" not in done.stdout


def hidden_options(command):
    return {o for o in table_names() - help_options(command) if known(command, o)}


# --- Tests ---------------------------------------------------------------------------------------

def test_lint(page):
    if not shutil.which("mandoc"):
        raise Skip("mandoc is not installed")
    done = run(["mandoc", "-T", "lint", "-W", "warning", page])
    need(done.returncode == 0 and not done.stdout, done.stdout)


def test_sections(page):
    wanted = SECTIONS if page.suffix == ".1" else SECTIONS_OF_5
    have = section_names(page)
    missing = [s for s in wanted if s not in have]
    need(not missing, f"no section {missing}")
    need([s for s in have if s in wanted] == wanted, f"sections in the order {have}")
    need(re.search(r"^\.Nd \S", page.read_text(), re.MULTILINE), "no one-line description")
    if page.suffix == ".1":
        for status in ("0", "1", "2"):
            need(f".It {status}\n" in section(page, "EXIT STATUS"), f"no exit status {status}")


def test_tables():
    """The tables are still written in the form that NAMES_IN_C reads."""
    shown = set().union(*(help_options(c) for c in COMMANDS))
    common = {"--help", "--version", "--verbose", "--quiet"}
    lost = {o for o in shown if o.startswith("--")} - table_names() - common
    need(not lost, f"not found in src/cli: {sorted(lost)}")
    need("--x-pcf" in hidden_options("image create"), "the hidden option --x-pcf is not found")


def test_all_documented(command):
    documented = item_flags(MAN / PAGE_OF[command])
    missing = help_options(command) - documented
    need(not missing, f"in --help, but not in the page: {sorted(missing)}")
    missing = hidden_options(command) - documented
    need(not missing, f"hidden, and not in the page: {sorted(missing)}")


def test_all_known(page):
    command = {v: k for k, v in PAGE_OF.items()}.get(page.name)
    for option in sorted(item_flags(page)):
        if command:
            need(known(command, option), f"'zpv {command}' does not know {option}")
    for option in sorted(flags(page.read_text())):
        need(any(known(c, option) for c in COMMANDS), f"no command knows {option}")


def test_overview():
    """zpv.1 lists every command, and the list above is complete."""
    listed = re.findall(r"^  ((?:dump|host|image|machine|vm) \w+|explain|run)  ",
                        run([ZPV, "--help"]).stdout, re.MULTILINE)
    need(sorted(listed) == sorted(COMMANDS), f"commands in --help: {listed}")
    for command in COMMANDS:
        need(f".It Cm {command}\n" in (MAN / "zpv.1").read_text(), f"zpv.1 lacks '{command}'")


def test_references(page):
    """References to our own pages lead to one."""
    for name, number in re.findall(r"^\.Xr (zpv\S*) (\d)", page.read_text(), re.MULTILINE):
        need((MAN / f"{name}.{number}").exists(), f"there is no page {name}({number})")


def test_installed():
    text = (SOURCE / "docs" / "meson.build").read_text()
    for page in pages():
        need(f"'man/{page.name}'" in text, f"docs/meson.build does not install {page.name}")


def prepare(folder, made, base):
    for name, golden in PREPARED.items():
        shutil.copy(GOLDEN / golden, folder / name)
    (folder / "tests").symlink_to(SOURCE / "tests")
    for name in {"machine", "guest.img", "guest.dump"} - set(made):
        source = base / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)


def prepare_kernel(folder, files):
    for name, source in files.items():
        if not (S390X / source).exists():
            raise Skip(f"{S390X / source} is not there; run 'scripts/guest trixie'")
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to((S390X / source).resolve())


def run_commands(name, commands, base):
    need(commands, "there is no example")
    folder = Path(tempfile.mkdtemp(dir=base))
    prepare(folder, MADE_BY_EXAMPLES.get(name, []), base)
    prepare_kernel(folder, KERNEL_OF.get(name, {}))
    env = dict(os.environ, PATH=f"{ZPV.parent}:{os.environ['PATH']}", TMPDIR=str(folder),
               PYTHONDONTWRITEBYTECODE="1")
    for command in commands:
        done = run(["bash", "-e", "-o", "pipefail", "-c", command], cwd=folder, env=env)
        need(done.returncode == 0, f"exit status {done.returncode} of: {command}\n{done.stdout}")


def markdown_commands(path):
    commands = []
    for block in re.findall(r"^```sh\n(.*?)^```", path.read_text(), re.MULTILINE | re.DOTALL):
        if path.parent == SOURCE:
            commands += join_lines(block.splitlines(), "zpv ")
        else:
            commands.append(block)
    return commands


def test_markdown_commands(path, base):
    if not path.exists():
        raise Skip(f"there is no {path.name} yet")
    commands = markdown_commands(path)
    if not commands:
        raise Skip(f"{path.name} has no block marked sh with a line that starts with zpv")
    run_commands(path.name, commands, base)


def anchors(path):
    """Headings as GitHub and others name them."""
    found = set()
    for title in re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE):
        title = re.sub(r"[^\w\- ]", "", title.strip().lower())
        found.add(title.replace(" ", "-"))
    return found


def test_links(path):
    text = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        to = path.parent / name if name else path
        need(to.exists(), f"link to '{target}', which is not there")
        if anchor:
            need(anchor in anchors(to), f"link to '{target}': no such heading")


def all_tests(base):
    yield "option tables can be read", test_tables
    yield "zpv.1 lists the commands", test_overview
    yield "all pages are installed", test_installed
    for page in pages():
        yield f"{page.name}: lint", lambda p=page: test_lint(p)
        yield f"{page.name}: sections", lambda p=page: test_sections(p)
        yield f"{page.name}: options are known", lambda p=page: test_all_known(p)
        yield f"{page.name}: references", lambda p=page: test_references(p)
        yield f"{page.name}: examples", lambda p=page: run_commands(p.name, examples(p), base)
    for command in COMMANDS:
        yield f"{command}: options are documented", lambda c=command: test_all_documented(c)
    documents = sorted((SOURCE / "docs").glob("*.md"))
    for path in [SOURCE / "README.md"] + documents:
        yield f"{path.name}: commands", lambda p=path: test_markdown_commands(p, base)
    for path in sorted(SOURCE.glob("*.md")) + documents:
        yield f"{path.name}: links", lambda p=path: test_links(p)


def make_base(base):
    """An identity and an image, made once: keys take seconds."""
    done = run([ZPV, "host", "create", base / "machine"])
    need(done.returncode == 0, done.stdout)
    hkd = next((base / "machine").glob("HKD-*.crt"))
    done = run([ZPV, "image", "create", "--no-verify", "-k", hkd, "--cck", GOLDEN / "cck.bin",
                "--hdr-key", GOLDEN / "hdr.key", "-i", GOLDEN / "kernel.bin",
                "-r", GOLDEN / "ramdisk.bin", "-p", GOLDEN / "parmfile",
                "-o", base / "guest.img"])
    need(done.returncode == 0, done.stdout)
    make_dump(base / "guest.dump")


def make_dump(path):
    """By the writer of tests/dump, for the key in cck.bin."""
    sys.path.insert(0, str(SOURCE / "tests" / "dump"))
    kernelwrite = importlib.import_module("kernelwrite")
    pvdumpwrite = importlib.import_module("pvdumpwrite")
    storage = bytes(kernelwrite.Kernel(kernelwrite.many(20)).mem)
    recipe = pvdumpwrite.Recipe(
        cck=(GOLDEN / "cck.bin").read_bytes(),
        page=lambda at: pvdumpwrite.Page(storage[at:at + pvdumpwrite.PAGE]))
    pvdumpwrite.write_dump(path, recipe)


def run_all(base):
    tests = list(all_tests(base))
    failed = 0
    print(f"1..{len(tests)}")
    for number, (name, test) in enumerate(tests, 1):
        try:
            test()
            print(f"ok {number} - {name}")
        except Skip as reason:
            print(f"ok {number} - {name} # SKIP {reason}")
        except Exception as error:  # pylint: disable=broad-except
            failed = 1
            print(f"not ok {number} - {name}")
            text = str(error) if isinstance(error, AssertionError) else traceback.format_exc()
            for line in text.splitlines():
                print(f"# {line}")
        sys.stdout.flush()
    return failed


def main():
    if not ZPV:
        print("usage: man_test.py ZPV", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="zpv-docs-") as name:
        make_base(Path(name))
        return run_all(Path(name))


if __name__ == "__main__":
    sys.exit(main())
