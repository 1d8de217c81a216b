# SPDX-License-Identifier: MIT
"""
What all benchmarks share: where files lie, how commands are timed, what the machine is.

A topic is a module bench/<topic>.py with

    NAMES               the names of its benchmarks
    room_for(size)      bytes of files that they need together
    plan(bench, names)  prepares those that are asked for and returns a Pair for each: a command
                        of ours, and the one that it is compared with

Nothing is compared with a number from another day.
"""
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from typing import Callable, Optional

MIB = 1 << 20
GB = 10 ** 9
POLL_SECONDS = 0.002
TMPFS = "tmpfs"
DISTURBED = 0.05    # part of the CPU time that others take without being mentioned


class Failed(Exception):
    """A command that is measured did not do what it should."""


class Missing(Exception):
    """Something that a benchmark needs is not there."""


@dataclass
class Command:
    """
    What is timed: from the start of the process to its end, or to a line that it prints; or what
    it says itself of a part of its work.
    """
    argv: list
    before: Callable[[], None] = lambda: None   # not timed
    after: Callable[[], None] = lambda: None    # not timed
    until: Optional[str] = None                 # this text in a line of standard output
    value: Optional[str] = None                 # pattern of a line whose first group is seconds
    seconds: list = field(default_factory=list)
    cpu: list = field(default_factory=list)     # user + system
    rss: int = 0                                # peak, bytes; 0: not seen

    def median(self):
        return statistics.median(self.seconds)

    def least(self):
        return min(self.seconds)


@dataclass
class Pair:
    """Ours against theirs, which do the same amount of work: bytes, or what the unit says."""
    name: str
    what: str
    size: Optional[int]                         # None: there is no number for it
    ours: Command
    theirs: Command
    target: Optional[float] = None              # largest ratio of the medians
    unit: str = "GB/s"
    per: float = GB
    runs: int = 7                               # when the caller does not say
    note: str = ""                              # a line below the figures

    def ratio(self):
        return self.ours.median() / self.theirs.median()

    def least_ratio(self):
        return self.ours.least() / self.theirs.least()


@dataclass
class Bench:
    """What a benchmark's plan() gets."""
    folder: str                                 # for files of any size
    zpv: str
    openssl: str
    size: int                                   # bytes of a large input
    source: str                                 # the project's folder

    def path(self, name):
        return os.path.join(self.folder, name)

    def call(self, *argv):
        """Run a command of the preparation."""
        run(list(argv))

    def random_file(self, name, size):
        path = self.path(name)
        with open(path, "wb") as f:
            for left in range(size, 0, -16 * MIB):
                f.write(os.urandom(min(left, 16 * MIB)))
        return path


def run(argv):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        raise Failed(f"exit status {done.returncode} of: {' '.join(argv)}\n"
                     + done.stdout.decode(errors="replace").strip())
    return done.stdout.decode(errors="replace")


# --- Files ---------------------------------------------------------------------------------------

def mounts():
    with open("/proc/self/mounts", encoding="utf-8") as f:
        for line in f:
            _, where, kind, options = line.split()[:4]
            yield where.replace("\\040", " "), kind, options.split(",")


def is_tmpfs(folder):
    """The longest mount point that holds the folder decides."""
    folder = os.path.realpath(folder)
    holds = [(len(where), kind) for where, kind, _ in mounts()
             if where == "/" or folder == where or folder.startswith(where + "/")]
    return bool(holds) and max(holds)[1] == TMPFS


def available_memory():
    with open("/proc/meminfo", encoding="utf-8") as f:
        for line in f:
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return 0


def room(folder):
    try:
        st = os.statvfs(folder)
    except OSError:
        return 0
    return st.f_bavail * st.f_frsize if os.access(folder, os.W_OK) else 0


def find_folder(need, wanted=None):
    """A folder of our own with room for `need` bytes, on tmpfs where there is one."""
    if wanted:
        return tempfile.mkdtemp(prefix="zpv-bench-", dir=wanted)
    places = ["/dev/shm"] + [where for where, kind, options in mounts()
                             if kind == TMPFS and "rw" in options]
    for place in places:
        if is_tmpfs(place) and room(place) > need and available_memory() > need + 512 * MIB:
            return tempfile.mkdtemp(prefix="zpv-bench-", dir=place)
    place = tempfile.gettempdir()
    if room(place) <= need:
        raise Missing(f"no folder has room for {need // MIB} MiB (smaller: --size MiB)")
    return tempfile.mkdtemp(prefix="zpv-bench-", dir=place)


def read_ahead(folder):
    """Bring every file into the page cache."""
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            with open(path, "rb") as f:
                while f.read(4 * MIB):
                    pass


# --- Time and memory -----------------------------------------------------------------------------

def start(command):
    return subprocess.Popen(command.argv, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE if command.until or command.value else
                            subprocess.DEVNULL, stderr=subprocess.PIPE)


def wait_for_line(process, command, begin):
    """Reads all output. Returns the seconds that its line means, None when none was asked for."""
    if not command.until and not command.value:
        return None
    pattern, seen = command.value or re.escape(command.until), None
    for line in process.stdout:
        found = re.search(pattern, line.decode(errors="replace")) if seen is None else None
        if found:
            seen = float(found[1]) if command.value else time.perf_counter() - begin
    process.stdout.close()
    if seen is None:
        process.wait()
        raise Failed(f"no line with '{pattern}' from: {' '.join(command.argv)}")
    return seen


def finish(process, argv):
    """Wait; returns the resources used. A small pipe of messages does not block."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    text = process.stderr.read().decode(errors="replace").strip()
    process.stderr.close()
    if process.returncode != 0:
        raise Failed(f"exit status {process.returncode} of: {' '.join(argv)}\n{text}")
    return usage


def peak_memory(process):
    """
    VmHWM, read again and again until the process ends. The maximum that wait4() tells would count
    this Python too: it outlives exec().
    """
    peak = 0
    try:
        while True:
            with open(f"/proc/{process.pid}/status", encoding="ascii", errors="replace") as f:
                found = re.search(r"^VmHWM:\s+(\d+) kB", f.read(), re.MULTILINE)
            if not found:
                return peak             # a zombie has no memory
            peak = max(peak, int(found[1]) * 1024)
            time.sleep(POLL_SECONDS)
    except OSError:
        return peak


def warm_up(command):
    """One run that is not timed: caches get warm, and memory can be looked at."""
    command.before()
    process = start(command)
    seen = []
    watcher = threading.Thread(target=lambda: seen.append(peak_memory(process)))
    watcher.start()
    wait_for_line(process, command, 0)
    watch_end = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert watch_end is not None
    watcher.join()
    finish(process, command.argv)
    command.rss = seen[0]
    command.after()


def time_once(command):
    command.before()
    begin = time.perf_counter()
    process = start(command)
    seconds = wait_for_line(process, command, begin)
    usage = finish(process, command.argv)
    command.seconds.append(time.perf_counter() - begin if seconds is None else seconds)
    command.cpu.append(usage.ru_utime + usage.ru_stime)
    command.after()


def cpu_clock():
    """Seconds that all CPUs have been busy, and seconds in all, since the start of the machine."""
    with open("/proc/stat", encoding="ascii") as f:
        ticks = [int(n) for n in f.readline().split()[1:9]]     # user ... idle iowait ... steal
    hertz = os.sysconf("SC_CLK_TCK")
    return (sum(ticks) - ticks[3] - ticks[4]) / hertz, sum(ticks) / hertz


def own_clock():
    t = os.times()
    return t.user + t.system + t.children_user + t.children_system


def measure(pairs, runs, say):
    """
    Interleaved: every round runs every command once, each second round backwards.
    Returns the part of all CPU time that other programs took meanwhile.
    """
    for pair in pairs:
        warm_up(pair.theirs)
        warm_up(pair.ours)
    busy, total, own = *cpu_clock(), own_clock()
    run_rounds(pairs, runs, say)
    busy, total, own = cpu_clock()[0] - busy, cpu_clock()[1] - total, own_clock() - own
    return max(0.0, busy - own) / total if total else 0.0


def run_rounds(pairs, runs, say):
    most = runs or max(p.runs for p in pairs)
    for number in range(most):
        say(f"run {number + 1} of {most}")
        commands = [c for p in pairs if number < (runs or p.runs) for c in (p.theirs, p.ours)]
        for command in commands if number % 2 == 0 else reversed(commands):
            time_once(command)


# --- What is told --------------------------------------------------------------------------------

def first_line(argv):
    try:
        return run(argv).splitlines()[0]
    except (OSError, Failed, IndexError):
        return "unknown"


def cpu_facts():
    model, flags = platform.machine(), set()
    with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as f:
        for line in f:
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                model = value.strip()
            elif key.strip() in ("flags", "Features", "features"):
                flags = set(value.split())
    return model, flags


def machine_facts(bench):
    model, flags = cpu_facts()
    return {
        "cpu": model,
        "cores": len(os.sched_getaffinity(0)),
        "features": {name: name in flags
                     for name in ("aes", "vaes", "avx2", "avx512f", "sha_ni", "sha512")},
        "memory_mib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // MIB,
        "kernel": platform.release(),
        "tmpfs": is_tmpfs(bench.folder),
        "openssl": first_line([bench.openssl, "version"]),
        "qemu": first_line(["qemu-system-s390x", "--version"]),
        "zpv": first_line([bench.zpv, "--version"]),
        "load_average": os.getloadavg()[0],
    }


def print_facts(facts):
    has = [name for name, there in facts["features"].items() if there]
    lacks = [name for name, there in facts["features"].items() if not there]
    print(f"CPU       {facts['cpu']}, {facts['cores']} cores"
          f"; has {' '.join(has) or 'nothing'}, lacks {' '.join(lacks) or 'nothing'}")
    print(f"machine   {facts['memory_mib']} MiB of memory, Linux {facts['kernel']}, "
          f"load average {facts['load_average']:.2f} at the start")
    print(f"versions  {facts['zpv']}; {facts['openssl']}; {facts['qemu']}")
    if not facts["tmpfs"]:
        print("NOTE      the files do not lie on tmpfs (there is none with enough room, or --dir "
              "says so):\n          the targets are not meant for such figures")


def verdict(pair):
    if pair.target is None:
        return ""
    over = pair.ratio() > pair.target
    text = f"above the target {pair.target:.2f}" if over else f"target {pair.target:.2f}"
    if over and pair.least_ratio() <= pair.target:
        text += " (its minima are not)"
    return text


def speed(pair, command):
    """Work for a second; eight columns."""
    if pair.size is None:
        return f"{'':8}"
    value = pair.size / command.median() / pair.per
    return f"{value:8.3f}" if value < 100 else f"{value:8.0f}"


def print_row(name, pair, command, tail=""):
    print(f"  {name:<34} {command.median():8.3f} {command.least():8.3f} "
          f"{speed(pair, command)} {statistics.median(command.cpu):8.3f} "
          f"{command.rss / MIB:8.1f}{tail}")


def runs_text(pairs):
    counts = {len(p.ours.seconds) for p in pairs}
    return " or ".join(str(n) for n in sorted(counts)) + " runs"


def print_disturbance(others):
    print(f"\nOther programs took {100 * others:.0f} % of the CPU time of this machine meanwhile.")
    if others > DISTURBED:
        print("The medians suffer from that, those of commands with several threads most: look at "
              "the minima,\nor measure again on a quiet machine.")


def print_heads(pairs, unit):
    title = f"{runs_text(pairs)}, interleaved"
    print(f"\n{title:<36} {'seconds':>17} {'':8} {'CPU s':>8} {'peak RSS':>8}   {'ratio of':>16}")
    print(f"  {'':<34} {'median':>8} {'minimum':>8} {unit:>8} {'median':>8} {'MiB':>8}"
          f" {'medians':>9} {'minima':>8}")


def short_name(argv):
    """The program, and what it is told to do where its arguments begin with that."""
    words = [w for w in argv[1:3] if "/" not in w and not argv[1].startswith("-")]
    return " ".join([os.path.basename(argv[0]), *words])


def print_pairs(pairs, unit):
    print_heads(pairs, unit)
    for pair in pairs:
        print(f"{pair.name}: {pair.what}")
        print_row(short_name(pair.theirs.argv), pair, pair.theirs)
        print_row(short_name(pair.ours.argv), pair, pair.ours,
                  f" {pair.ratio():9.3f} {pair.least_ratio():8.3f}  {verdict(pair)}")
        if pair.note:
            print(f"  {pair.note}")


def print_table(pairs):
    """One table for each group of benchmarks that count the same."""
    for sized in (True, False):
        for unit in dict.fromkeys(p.unit for p in pairs if (p.size is not None) == sized):
            print_pairs([p for p in pairs if p.unit == unit and (p.size is not None) == sized],
                        unit if sized else "")


def command_json(command):
    return {"argv": command.argv, "seconds": command.seconds, "cpu_seconds": command.cpu,
            "median": command.median(), "minimum": command.least(),
            "peak_rss_bytes": command.rss}


def write_json(path, facts, pairs, others):
    document = {"machine": facts, "cpu_share_of_others": others, "pairs": [
        {"name": p.name, "what": p.what, "runs": len(p.ours.seconds), "work": p.size,
         "unit": p.unit, "note": p.note, "target": p.target,
         "ratio_of_medians": p.ratio(), "ratio_of_minima": p.least_ratio(),
         "beyond_target": p.target is not None and p.ratio() > p.target,
         "ours": command_json(p.ours), "theirs": command_json(p.theirs)} for p in pairs]}
    text = json.dumps(document, indent=2) + "\n"
    if path == "-":
        sys.stdout.write(text)
        return
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def remove(folder):
    shutil.rmtree(folder, ignore_errors=True)
