# SPDX-License-Identifier: MIT
"""
Runs a flat s390x image under qemu-system-s390x and tells how the guest ended.

The image is loaded at absolute 0 by -kernel; QEMU takes the entry from the short PSW at 0. The end
comes from the monitor: a disabled wait is a GUEST_PANICKED event that carries the PSW.
"""
import json
import os
import shutil
import struct
import subprocess
import tempfile
import threading
import time

QEMU = "qemu-system-s390x"
CC = "s390x-linux-gnu-gcc"
OBJCOPY = "s390x-linux-gnu-objcopy"
DISABLED_WAIT = 0x0002000080000000


def missing_tool():
    """Name of a tool that is not installed, or None."""
    return next((tool for tool in (QEMU, CC, OBJCOPY) if not shutil.which(tool)), None)


def assemble(source, addr, defines=()):
    """Assemble a file of this directory to be run at addr."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), source)
    with tempfile.TemporaryDirectory() as tmp:
        elf, flat = os.path.join(tmp, "elf"), os.path.join(tmp, "flat")
        subprocess.run([CC, "-march=z900", "-nostdlib", "-static", "-no-pie",
                        "-Wl,--build-id=none", f"-Wl,-Ttext=0x{addr:x}",
                        *(f"-D{d}" for d in defines), path, "-o", elf],
                       check=True, stderr=subprocess.STDOUT, stdout=subprocess.PIPE)
        subprocess.run([OBJCOPY, "-O", "binary", "-j", ".text", elf, flat], check=True)
        with open(flat, "rb") as f:
            return f.read()


class Image:
    """Bytes at absolute addresses, starting with a short PSW."""

    def __init__(self, entry):
        self.data = bytearray()
        self.put(0, struct.pack(">II", 0x00080001, 0x80000000 | entry))

    def put(self, addr, content):
        if len(self.data) < addr + len(content):
            self.data.extend(bytes(addr + len(content) - len(self.data)))
        self.data[addr:addr + len(content)] = content


class End:
    """How a guest ended: console texts, the PSW if it was a disabled wait, and its storage."""

    def __init__(self):
        self.vt220 = self.line_mode = ""
        self.mask = self.addr = None
        self.storage = b""
        self.reason = "still running"

    def u64(self, addr):
        return struct.unpack_from(">Q", self.storage, addr)[0]


class _Machine:
    def __init__(self, tmp, image, consoles, memory, cpu):
        self.tmp = tmp
        with open(self._file("image"), "wb") as f:
            f.write(image)
        serials = []
        for name in ("vt220", "line_mode"):
            serials += ["-serial", f"file:{self._file(name)}" if name in consoles else "none"]
        self.process = subprocess.Popen(
            [QEMU, "-machine", "s390-ccw-virtio", "-accel", "tcg", *(["-cpu", cpu] if cpu else []),
             "-m", str(memory), "-display", "none", "-nodefaults", "-no-user-config", "-no-reboot",
             "-action", "panic=pause", "-S", "-qmp", "stdio", *serials, "-kernel",
             self._file("image")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def _file(self, name):
        return os.path.join(self.tmp, name)

    def text(self, name):
        if not os.path.exists(self._file(name)):
            return ""
        with open(self._file(name), encoding="latin-1", newline="") as f:
            return f.read()

    def read(self):
        line = self.process.stdout.readline()
        return json.loads(line) if line else None

    def execute(self, command, **arguments):
        """Send a command and wait for its answer; events before it are lost."""
        self.send(command, **arguments)
        while (answer := self.read()) is not None and answer.get("id") != command:
            pass
        return answer

    def send(self, command, **arguments):
        message = {"execute": command, "arguments": arguments, "id": command}
        try:
            self.process.stdin.write(json.dumps(message) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass

    def save_storage(self, size):
        self.execute("pmemsave", val=0, size=size, filename=self._file("storage"))
        with open(self._file("storage"), "rb") as f:
            return f.read()

    def wait_for_end(self, end):
        while (message := self.read()) is not None:
            if message.get("event") == "GUEST_PANICKED":
                info = message["data"]["info"]
                end.reason = info["reason"]
                end.mask, end.addr = info["psw-mask"], info["psw-addr"]
                return
            if message.get("event") == "SHUTDOWN":
                end.reason = message["data"]["reason"]
                return


def _watch(machine, until, timeout, done):
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline and not done.wait(0.2):
        if until and until(machine.text("vt220")):
            break
    if not done.is_set():
        machine.process.kill()


def run(image, consoles=("vt220", "line_mode"), memory=64, cpu=None, storage=0x100000, timeout=20,
        until=None):
    """
    Run image until it ends, until(text of the VT220 console) is true, or the timeout is over.
    consoles: which of the SCLP consoles exist. storage: bytes to read from 0 at a disabled wait.
    """
    end = End()
    with tempfile.TemporaryDirectory() as tmp:
        machine = _Machine(tmp, bytes(image), consoles, memory, cpu)
        done = threading.Event()
        watch = threading.Thread(target=_watch, args=(machine, until, timeout, done))
        watch.start()
        try:
            machine.read()
            machine.execute("qmp_capabilities")
            machine.send("cont")
            machine.wait_for_end(end)
            if end.addr is not None:
                end.storage = machine.save_storage(storage)
        finally:
            done.set()
            watch.join()
            machine.process.kill()
            machine.process.communicate()
        end.vt220, end.line_mode = machine.text("vt220"), machine.text("line_mode")
    return end
