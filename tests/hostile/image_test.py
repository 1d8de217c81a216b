#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Hostile images under `zpv run`: one thing of a good image is changed, with and without the owner's key
to authenticate the header again.

What is expected comes from ultravisor.md sections 4.12-4.14 and boot-ipl.md sections 2, 3.3, 4.3, 6.
The good image's kernel powers the machine off, so a guest that runs ends with exit status 0.

Usage: image_test.py ZPV BUILD [--full]
"""
import json
import signal
import sys
from pathlib import Path
from typing import Callable, NamedTuple, Union

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "guestrun"))

from runlab import CRASH, OFF, Guest  # noqa: E402
import common  # noqa: E402
from common import bind, check, check_equal, check_in, check_run, main  # noqa: E402
import secrypt  # noqa: E402
import sehdr  # noqa: E402
import seread  # noqa: E402
import setamper  # noqa: E402

PAGE = 4096
MEMORY_MIB = 64
KERNEL_ENTRY = 0x10000
LOOP_SECONDS = 1.5
WAIT_IN_LOADER = "disabled wait, PSW 0002000080000000 000000000000{:04x}"
PANIC_ARGS, PANIC_PV = 0x4511, 0x4608
EXPLAINED = "the boot loader of a Secure Execution image could not enter protected mode"

SSC, UNPACK, VERIFY = 0x0300, 0x0301, 0x0302
LOADER_NAMES = {SSC: "KVM_PV_SET_SEC_PARMS", UNPACK: "KVM_PV_UNPACK", VERIFY: "KVM_PV_VERIFY"}
NAMES = {SSC: "set secure configuration parameters", UNPACK: "unpack image",
         VERIFY: "verify image"}


class Refused(NamedTuple):
    """By an Ultravisor call: what the loader prints, and how zpv names it."""
    command: int
    rc: int
    rrc: int
    text: str
    name: str


class End(NamedTuple):
    """Another end: exit status, and parts of standard output and of standard error."""
    code: int
    out: str = ""
    err: str = ""


VERSION = Refused(SSC, 0x0104, 0x0001, "does not know the version of the SE header",
                  "header version")
PCF = Refused(SSC, 0x0106, 0x0030, "A plaintext control flag of the SE header is not supported",
              "unsupported plaintext control flag")
NO_SLOT = Refused(SSC, 0x0108, 0x0005, "belongs to the host key of this machine",
                  "no slot for this host")
CUSTOMER = Refused(SSC, 0x0108, 0x000b, "The customer's public key in the SE header is not a valid",
                   "invalid customer key")
BACKUP = Refused(SSC, 0x0108, 0x0034, "belongs to the backup host key of this machine",
                 "no slot for the backup key")
SCF = Refused(SSC, 0x0109, 0x0000, "A secret control flag of the SE header is not supported",
              "unsupported secret control flag")
SIZE = Refused(SSC, 0x010a, 0x0031, "The SE header is not as long as it says", "header size")
AREA = Refused(SSC, 0x010a, 0x0039, "The encrypted area of the SE header has a wrong size",
               "size of the encrypted area")
NO_SLOTS = Refused(SSC, 0x010a, 0x0040, "The SE header has no key slots", "no key slots")
TAG = Refused(SSC, 0x010b, 0x0000, "The SE header is not authentic", "authentication failed")
OUTSIDE = Refused(UNPACK, 0x0103, 0x0000, "A page of the image lies outside of the guest's memory",
                  "outside of the guest")
TWICE = Refused(UNPACK, 0x0104, 0x0000, "Ultravisor refused the image", "page is secure already")
ALD = Refused(VERIFY, 0x0102, 0x001a, "addresses of the image's pages", "address list digest")
PLD = Refused(VERIFY, 0x0102, 0x001b, "contents of the image's pages", "page list digest")
TLD = Refused(VERIFY, 0x0102, 0x001c, "tweaks of the image's pages", "tweak list digest")
NEP = Refused(VERIFY, 0x0102, 0x001d, "The number of encrypted pages is not that",
              "number of pages")

BOOTS = End(OFF)
# DIAGNOSE 308 subcode 8 refuses the IPL parameter block.
BAD_IPIB = End(CRASH, "block is not valid.\r\n", WAIT_IN_LOADER.format(PANIC_PV))
SETUP = "Protected boot setup failed: 0x402\r\n"
BAD_ARGS = End(CRASH, "its arguments are not valid", WAIT_IN_LOADER.format(PANIC_ARGS))
# No Ultravisor call fails: a component without a page is refused before (KVM: EINVAL).
NO_CALL = End(CRASH, "Protected boot failed: 0xa02, UNKNOWN - RC: 0x0, RRC: 0x0\r\n",
              WAIT_IN_LOADER.format(PANIC_PV))
# The guest is authentic, protected, and by its own PSW does nothing but wait.
WAITS = End(CRASH, "", "disabled wait, PSW not visible, as it is protected")
# Ditto, and its first instruction is one program interruption after the other: lowcore is zeros.
LOOPS = "loops"

Expected = Union[Refused, End, str]
Change = Union[str, Callable[["Images"], str]]


class Row(NamedTuple):
    """raw: the header's tag is not made anew; sealed: it is. None: not tried, or no difference."""
    name: str
    changes: tuple[Change, ...]
    raw: Union[Expected, None] = None
    sealed: Union[Expected, None] = None
    image: str = "good"
    machine: str = "z17"


# --- Images ------------------------------------------------------------------------------------------

def power_off_kernel():
    """A raw kernel whose first instructions are SIGP STOP of the own CPU."""
    kernel = bytearray(common.fake_kernel(size=KERNEL_ENTRY + 4 * PAGE))
    kernel[KERNEL_ENTRY:KERNEL_ENTRY + 4] = bytes.fromhex("a7f40010")
    kernel[KERNEL_ENTRY + 0x20:KERNEL_ENTRY + 0x2c] = bytes.fromhex("a7190000ae210005a7f40000")
    return bytes(kernel)


class Images:
    """Machines, and images for them; all have the same header key."""

    def __init__(self, lab):
        self.lab = lab
        self.machines, self.made = {}, {}
        lab.write("kernel", power_off_kernel())

    def machine(self, name):
        """z15, z16, z17, and other: one that no image is sealed for unless it is said."""
        if name not in self.machines:
            profile = "z17" if name == "other" else name
            folder = self.lab.path(f"host-{name}")
            check_run(self.lab.run("host", "create", folder, "--profile", profile, "--serial",
                                   name.upper()), 0)
            self.machines[name] = folder
        return self.machines[name]

    def document(self, machine, backup=False):
        return next(self.machine(machine).glob("backup-HKD-*" if backup else "HKD-*"))

    def _create(self, name):
        recipes = {
            "good": (["z17"], []), "z15": (["z15"], []), "z16": (["z16"], []),
            "other": (["other"], []), "both": (["other", "z17"], []),
            "backup": (["+z17"], ["--enable-backup-keys"]), "backup off": (["+z17"], []),
            "backup other": (["+other"], ["--enable-backup-keys"]),
            "z15 backup": (["z15"], ["--enable-backup-keys"]),
            "z15 dump": (["z15"], ["--enable-dump"]), "z16 dump": (["z16"], ["--enable-dump"]),
            "hmac": (["z17"], ["--enable-pckmo-hmac"]),
            "z15 extension": (["z15"], ["--enable-cck-extension-secret"]),
            "z16 extension": (["z16"], ["--enable-cck-extension-secret"]),
            "z16 update": (["z16"], ["--enable-cck-update"]),
            "z17 update": (["z17"], ["--enable-cck-update"]),
            "plain": (["z17"], ["--disable-image-encryption"]),
        }
        hosts, words = recipes[name]
        docs = [word for host in hosts
                for word in ("-k", self.document(host.lstrip("+"), host.startswith("+")))]
        inputs = self.lab.full_args()
        if name == "plain":
            at = inputs.index("--image-key")
            del inputs[at:at + 2]
        out = self.lab.path(f"{name}.img")
        check_run(self.lab.run("image", "create", "-i", self.lab.kernel, *inputs,
                               *docs, "--no-verify", *words, "-o", out), 0)
        return out.read_bytes()

    def data(self, name="good"):
        if name not in self.made:
            self.made[name] = self._create(name)
        return self.made[name]

    def ipib(self):
        data = self.data()
        return seread.parse_ipib(data, seread.locate_ipib(data, sehdr.find_header(data)[0])[1])

    def header(self):
        data = self.data()
        at = sehdr.find_header(data)[0]
        return at, sehdr.parse_header(data[at:])

    def tampered(self, row, sealed):
        key = self.lab.hdr_key.read_bytes() if sealed else None
        changes = [change if isinstance(change, str) else change(self) for change in row.changes]
        path = self.lab.path("tampered.img")
        path.write_bytes(setamper.tamper(self.data(row.image), changes, key))
        return path


# --- Changes that depend on the image ----------------------------------------------------------------

def another_point(_images):
    """Twice the generator: a valid public key that nothing was wrapped with."""
    point = secrypt.point_mul(2, secrypt.P521_G)
    return f"cust_pub_key={sehdr.encode_coordinates(point).hex()}"


def point_off_curve(images):
    """The last bit of y."""
    raw = bytearray(images.header()[1].cust_pub_key)
    raw[-1] ^= 1
    return f"cust_pub_key={raw.hex()}"


def area_byte(images):
    """A byte of the encrypted area, where the CCK is."""
    at, header = images.header()
    return f"poke={at + header.area_off:#x}:{header.area[0] ^ 0x80:02x}"


def copy_last_component(images):
    """A copy of stage3b, page by page the same bytes, behind the file."""
    data, last = images.data(), images.ipib().entries[-1]
    pad = bytes(-len(data) % PAGE)
    return f"append={(pad + data[last.addr:last.addr + last.len]).hex()}"


def move_last_component(images):
    data, n = images.data(), len(images.ipib().entries) - 1
    return f"ipib.comp{n}.addr={sehdr.page_up(len(data)):#x}"


def same_tweak(images):
    return f"ipib.comp1.tweak_pref={images.ipib().entries[0].tweak_pref:#x}"


def place(n, of, pages=0):
    """Component n at the address of another one."""
    return lambda images: f"ipib.comp{n}.addr={images.ipib().entries[of].addr + pages * PAGE:#x}"


# --- Rows --------------------------------------------------------------------------------------------

HEADER_ROWS = [
    # What is looked at before the tag has its own code with and without it.
    Row("magic", ("magic=flip",), VERSION, VERSION),
    Row("version 2", ("version=0x200",), VERSION, VERSION),
    Row("version 0", ("version=0",), VERSION, VERSION),
    Row("sehs + 1", ("sehs=+1",), SIZE, SIZE),
    Row("sehs and the length that is passed + 1", ("sehs=+1", "args.hdr_size=+1"), SIZE),
    Row("sehs and the length that is passed - 16", ("sehs=-16", "args.hdr_size=-16"), SIZE),
    Row("sehs 0", ("sehs=0",), SIZE, SIZE),
    Row("length that is passed - 1", ("args.hdr_size=-1",), SIZE),
    Row("length that is passed 15", ("args.hdr_size=15",), SIZE),
    Row("iv", ("iv=flip",), TAG, BOOTS),
    Row("nks 0", ("nks=0",), NO_SLOTS, NO_SLOTS),
    Row("nks 2", ("nks=2",), SIZE, SIZE),
    Row("nks so that the sum overflows", ("nks=0x8000000000000001",), SIZE, SIZE),
    Row("sea 0", ("sea=0",), AREA, AREA),
    Row("sea 112", ("sea=112",), AREA, AREA),
    Row("sea 136", ("sea=136",), AREA, AREA),
    Row("sea 144", ("sea=144",), SIZE, SIZE),
    Row("sea so that the sum overflows", ("sea=0xfffffffffffffff0",), SIZE, SIZE),
    Row("pcf: bit 0", ("pcf=0x80000000000000e0",), PCF, PCF),
    Row("pcf: bit 63", ("pcf=0xe1",), PCF, PCF),
    Row("pcf: a flag less", ("pcf=0x60",), TAG, BOOTS),
    Row("pcf: dumping allowed", ("pcf=0x200000e0",), TAG, BOOTS),
    Row("pcf before nks", ("pcf=0xe1", "nks=0"), PCF, PCF),
    Row("nks before sea", ("nks=0", "sea=0"), NO_SLOTS, NO_SLOTS),
    Row("customer key 0", ("cust_pub_key=" + "00" * 160,), CUSTOMER, CUSTOMER),
    Row("customer key beyond the field", ("cust_pub_key=flip",), CUSTOMER, CUSTOMER),
    Row("customer key off the curve", (point_off_curve,), CUSTOMER, CUSTOMER),
    Row("customer key: another point", (another_point,), TAG, TAG),
    Row("slot: phkh 0", ("slot0.phkh=" + "00" * 32,), NO_SLOT, NO_SLOT),
    Row("slot: a bit of phkh", ("slot0.phkh=flip",), NO_SLOT, NO_SLOT),
    Row("slot: wrapped key", ("slot0.wrapped_key=flip",), TAG, TAG),
    Row("slot: tag", ("slot0.tag=flip",), TAG, TAG),
    Row("slot before customer key", ("slot0.phkh=flip", "cust_pub_key=flip"), NO_SLOT, NO_SLOT),
    # What is authenticated.
    Row("nep + 1", ("nep=+1",), TAG, NEP),
    Row("nep - 1", ("nep=-1",), TAG, NEP),
    Row("nep 0", ("nep=0",), TAG, NEP),
    Row("ALD", ("ald=" + "00" * 8,), TAG, ALD),
    Row("PLD", ("pld=" + "00" * 8,), TAG, PLD),
    Row("TLD", ("tld=" + "00" * 8,), TAG, TLD),
    Row("all digests and nep", ("nep=0", "ald=00", "pld=flip", "tld=flip"), TAG, NEP),
    Row("all digests", ("ald=flip", "pld=flip", "tld=flip"), TAG, PLD),
    Row("ALD and TLD", ("ald=flip", "tld=flip"), TAG, ALD),
    Row("header tag", ("tag=flip",), TAG),
    Row("encrypted area", (area_byte,), TAG),
    # What is encrypted as well.
    Row("scf: all", ("scf=0xffffffffffffffff",), None, SCF),
    Row("scf: bit 0", ("scf=0x8000000000000000",), None, SCF),
    Row("scf: bit 3", ("scf=0x1000000000000000",), None, SCF),
    Row("noi 1", ("noi=1",), None, AREA),
    Row("another CCK", ("cck=" + "11" * 32,), None, BOOTS),
    # The owner's own mistakes: authentic, so it is a guest; a bad one.
    Row("psw: a disabled wait", ("psw_mask=0x0002000180000000",), None, WAITS),
    Row("psw: an address without an instruction", ("psw_addr=0x3000",), None, LOOPS),
    Row("psw: an address outside", ("psw_addr=0x8000000",), None, LOOPS),
    Row("psw: an odd address", ("psw_addr=+1",), None, LOOPS),
    Row("psw: bit 12", ("psw_mask=0x0008000180000000",), None, LOOPS),
    Row("psw: problem state", ("psw_mask=0x0001000180000000",), None, LOOPS),
]

COMPONENT_ROWS = [
    *(Row(f"a byte of the {name}", (f"comp{n}.byte={at}",), PLD, PLD) for n, (name, at) in
      enumerate((("kernel", "0x10021"), ("RAM disk", "0"), ("command line", "5"),
                 ("stage3b", "100")))),
    Row("the last byte of the kernel's padding", (
        lambda images: f"comp0.byte={images.ipib().entries[0].len - 1}",), PLD),
    Row("the command line, by its owner", ("comp2.plain=0:41", "redigest=1"), None, BOOTS),
    Row("the command line, digests not made anew", ("comp2.plain=0:41",), None, PLD),
    Row("two pages exchanged", ("swap_pages=0,1",), PLD, PLD),
    Row("two pages of two components exchanged", ("swap_pages=1,21",), PLD),
    Row("tweak of a component + 1", ("ipib.comp3.tweak_pref=+1",), TLD),
    Row("tweak of a component - 1", ("ipib.comp0.tweak_pref=-1",), TLD),
    Row("tweak 0", ("ipib.comp0.tweak_pref=0",), TLD),
    Row("a component elsewhere, the same bytes", (copy_last_component, move_last_component), ALD),
    Row("address + a page, over the next one", ("ipib.comp0.addr=+0x1000",), TWICE),
    Row("address - a page, over the previous one", ("ipib.comp1.addr=-0x1000",), TWICE),
    Row("the last component + a page", ("ipib.comp3.addr=+0x1000",), PLD),
    Row("components at one address", (place(2, 1),), TWICE),
    Row("a component inside another one", (place(2, 0, 3),), TWICE),
    Row("addresses of two components exchanged", ("swap_addr=0,1",), PLD),
    Row("a component at absolute 0", ("ipib.comp3.addr=0",), PLD),
    Row("a component over the loader's stack", ("ipib.comp3.addr=0xe000",), PLD),
    Row("a component over the loader", ("ipib.comp3.addr=0x11000",), LOOPS),
    Row("a component behind the memory", ("ipib.comp3.addr=0x4000000",), OUTSIDE),
    Row("a component at the end of all addresses", ("ipib.comp3.addr=0xfffffffffffff000",),
        OUTSIDE),
    Row("length - a page", ("ipib.comp0.len=-0x1000",), NEP),
    Row("length + a page, over the next one", ("ipib.comp0.len=+0x1000",), TWICE),
    Row("the last length + a page", ("ipib.comp3.len=+0x1000",), NEP),
    Row("the last length + 1 is a page more", ("ipib.comp3.len=+1",), NEP),
    Row("length - 1 is as many pages", ("ipib.comp0.len=-1",), BOOTS),
    Row("length 0", ("ipib.comp1.len=0",), NO_CALL),
    Row("a length beyond the memory", ("ipib.comp3.len=0x10000000",), OUTSIDE),
    Row("the largest length", ("ipib.comp3.len=0xffffffffffffffff",), OUTSIDE),
    Row("a component less", ("ipib.num_comp=-1",), NEP),
]

IPIB_ROWS = [
    Row("a component more", ("ipib.num_comp=+1",), BAD_IPIB),
    Row("no component", ("ipib.num_comp=0",), BAD_IPIB),
    Row("more components than a page holds", ("ipib.num_comp=166",), BAD_IPIB),
    Row("so many that their size overflows", ("ipib.num_comp=0x0aaaaaab",), BAD_IPIB),
    Row("order of the components", ("swap=0,1",), BAD_IPIB),
    Row("order of the last components", ("swap=2,3",), BAD_IPIB),
    Row("two components with one tweak", (same_tweak,), BAD_IPIB),
    Row("address inside a page", ("ipib.comp0.addr=+8",), BAD_IPIB),
    Row("type", ("ipib.pbt=4",), BAD_IPIB),
    Row("len 147", ("ipib.len=147",), BAD_IPIB),
    Row("len 4097", ("ipib.len=4097",), BAD_IPIB),
    Row("len 4096", ("ipib.len=4096",), BOOTS),
    Row("version", ("ipib.version=0",), BOOTS),
    Row("version of the block", ("ipib.block_version=0xff",), BOOTS),
    Row("blk0_len", ("ipib.blk0_len=0",), BOOTS),
    Row("header address, which the loader sets", ("ipib.hdr_addr=0",), BOOTS),
    Row("header size, ditto", ("ipib.hdr_size=0xffffffffffffffff",), BOOTS),
    Row("loader: header elsewhere", ("args.hdr_offs=+0x1000",), VERSION),
    Row("loader: header behind the memory", ("args.hdr_offs=0x4000000",), BAD_IPIB),
    Row("loader: header across the end of memory",
        (lambda images: f"args.hdr_offs={(MEMORY_MIB << 20) - 0x100 - args_addr(images):#x}",),
        BAD_IPIB),
    Row("loader: header of more than 8192 bytes", ("args.hdr_size=8193",), BAD_IPIB),
    Row("loader: header of 8192 bytes", ("args.hdr_size=8192",), SIZE),
    Row("loader: header of no bytes", ("args.hdr_size=0",), BAD_ARGS),
    Row("loader: block elsewhere", ("args.ipib_offs=+0x1000",), BAD_IPIB),
    Row("loader: block inside a page", ("args.ipib_offs=+8",), BAD_ARGS),
    Row("block is missing", ("truncate=-0x1000",), BAD_IPIB),
    Row("bytes behind the block", ("append=" + "ff" * 5000,), BOOTS),
]

MACHINE_ROWS = [
    Row("as it was made", ("append=00",), BOOTS, BOOTS),
    Row("not encrypted", ("append=00",), BOOTS, BOOTS, image="plain"),
    Row("not encrypted: a byte of the kernel", ("comp0.byte=0x10021",), PLD, image="plain"),
    Row("another host's", ("append=00",), NO_SLOT, image="other"),
    Row("two hosts', the second one", ("append=00",), BOOTS, image="both"),
    Row("two hosts', the first one", ("append=00",), BOOTS, image="both", machine="other"),
    Row("two hosts', the first slot broken", ("slot0.tag=flip",), TAG, BOOTS, image="both"),
    Row("backup key", ("append=00",), BOOTS, image="backup"),
    Row("backup key, flag taken away", ("pcf=0xe0",), BACKUP, BACKUP, image="backup"),
    Row("backup key without the flag", ("append=00",), BACKUP, image="backup off"),
    Row("backup key of another host", ("append=00",), BACKUP, image="backup other"),
    Row("z15: backup flag", ("append=00",), PCF, image="z15 backup", machine="z15"),
    Row("z15: dump flag", ("append=00",), PCF, image="z15 dump", machine="z15"),
    Row("z15: extension secret", ("append=00",), SCF, image="z15 extension", machine="z15"),
    Row("z15: none of them", ("append=00",), BOOTS, image="z15", machine="z15"),
    Row("z16: dump flag", ("append=00",), BOOTS, image="z16 dump", machine="z16"),
    Row("z16: extension secret", ("append=00",), BOOTS, image="z16 extension", machine="z16"),
    Row("z16: CCK update", ("append=00",), SCF, image="z16 update", machine="z16"),
    Row("z17: CCK update", ("append=00",), BOOTS, image="z17 update"),
    Row("z17: HMAC keys", ("append=00",), PCF, image="hmac"),
]


def args_addr(images):
    data = images.data()
    at, header = images.header()
    ipib = images.ipib().offset
    return seread.find_stage3a_args(data, at, at, header.sehs, ipib).addr


# --- Running -----------------------------------------------------------------------------------------

def words(images, row, image):
    return ["run", "--host", images.machine(row.machine), "-m", MEMORY_MIB, image]


def check_refused(run, row, want):
    """The loader's line and text, zpv's words, and the numbers as JSON."""
    loader = (f"Protected boot failed: 0xa02, {LOADER_NAMES[want.command]} - "
              f"RC: {want.rc:#x}, RRC: {want.rrc:#x}\r\n")
    check_equal(run.code, CRASH, "exit status")
    check_in(loader, run.out, "console")
    check_in(want.text, run.out, "console")
    check_in(WAIT_IN_LOADER.format(PANIC_PV), run.err, "standard error")
    check_in(EXPLAINED, run.err, "standard error")
    check_in(f"{NAMES[want.command]}: rc {want.rc:#06x}", run.err, "standard error")
    check_in(f": {want.name}\n", run.err, "standard error")
    doc = json.loads(run.out.splitlines()[-1])
    check(not doc["protected"] and doc["end"] == "crashed", f"{doc}")
    failure = doc["failure"]
    check_equal((failure["command"], failure["rc"], failure["rrc"], failure["name"]),
                (want.command, want.rc, want.rrc, want.name), "JSON")
    if want in (NO_SLOT, BACKUP):
        check_hashes(run, failure, doc, row)


def check_hashes(run, failure, doc, row):
    """Whoever has the wrong image sees whose it is."""
    check(doc["host_key_hash"] not in failure["image_host_key_hashes"], f"{row.name}: {doc}")
    for number in (doc["host_key_hash"], *failure["image_host_key_hashes"]):
        check_in(number, run.err, "standard error")


def check_end(run, want):
    check_run(run, want.code, want.err)
    check_in(want.out, run.out, "console")
    doc = json.loads(run.out.splitlines()[-1])
    if want is WAITS:
        check("PSW of zeros" not in run.err, run.err)
    if want in (BOOTS, WAITS):
        check(doc["protected"] and "failure" not in doc, f"{doc}")
        check("Protected boot" not in run.out, run.out)
    else:
        check(not doc["protected"], f"{doc}")
    if want is BAD_IPIB:
        check_in(SETUP, run.out, "console")


def check_loops(images, row, image):
    """It neither ends nor says a word, and can be ended."""
    with Guest(images.lab, words(images, row, image)) as guest:
        guest.read(LOOP_SECONDS)
        check(guest.process.poll() is None, f"exit status {guest.process.poll()}: {guest.text}")
        check_equal(guest.text, "", "console")
        guest.signal(signal.SIGTERM)
        check_equal(guest.end(), -signal.SIGTERM, "exit status")
        check("powered off" not in guest.text, guest.text)


def test_row(images, row, sealed):
    want = row.sealed if sealed else row.raw
    image = images.tampered(row, sealed)
    if want is LOOPS:
        check_loops(images, row, image)
        return
    run = images.lab.run(*words(images, row, image), "--json")
    if isinstance(want, Refused):
        check_refused(run, row, want)
    else:
        check_end(run, want)


# --- Sizes of the machine ----------------------------------------------------------------------------

def test_memory(images):
    """The image does not fit: nothing runs."""
    big = images.lab.path("big.img")
    data = images.data()
    big.write_bytes(data + bytes((MEMORY_MIB << 20) - len(data) + 1))
    run = images.lab.run("run", "--host", images.machine("z17"), "-m", MEMORY_MIB, big)
    check_equal(run.code, 1, "exit status")
    check_in("zpv: error: ", run.err, "standard error")
    check_equal(run.out, "", "console")


def test_memory_exact(images):
    """Up to the last byte it does."""
    big = images.lab.path("big.img")
    data = images.data()
    big.write_bytes(data + bytes((MEMORY_MIB << 20) - len(data)))
    check_run(images.lab.run("run", "--host", images.machine("z17"), "-m", MEMORY_MIB, big), OFF)


def rows_of(images, title, rows):
    for row in rows:
        for sealed, want in ((False, row.raw), (True, row.sealed)):
            if want is not None:
                how = ", authenticated again" if sealed else ""
                yield f"{title}: {row.name}{how}", bind(test_row, images, row, sealed)


def tests(lab, _args):
    images = Images(lab)
    yield from rows_of(images, "machine", MACHINE_ROWS)
    yield from rows_of(images, "header", HEADER_ROWS)
    yield from rows_of(images, "components", COMPONENT_ROWS)
    yield from rows_of(images, "block", IPIB_ROWS)
    yield "larger than memory", bind(test_memory, images)
    yield "as large as memory", bind(test_memory_exact, images)


if __name__ == "__main__":
    sys.exit(main(__doc__, tests))
