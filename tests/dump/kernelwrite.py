# SPDX-License-Identifier: MIT
"""
One MiB of storage with what a reader of dumps looks for in a Linux kernel of s390x: VMCOREINFO,
translation tables, printk's ring buffer. Written from public sources (Linux 6.12
kernel/printk/printk_ringbuffer.c, arch/s390/include/asm/{lowcore,os_info}.h; PoP chapter 3).
"""
from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import NamedTuple, Optional

SIZE, PAGE = 1 << 20, 4096
DIRECTORY, PAGE_TABLE = 0x10000, 0x20000
NOTE, OS_INFO, TEXT = 0x24000, 0x25000, 0x26000
PRB, RING, DESCS, INFOS, DATA = 0x30000, 0x30100, 0x31000, 0x34000, 0x40000
IMAGE = 0x3FFFE700000
ID_OFFSET = 7 << 20
RESERVED, COMMITTED, FINALIZED, REUSABLE = range(4)
EMPTY, LOST = (3, 3), (1, 1)

LAYOUT = """SIZE(printk_ringbuffer)=88
OFFSET(printk_ringbuffer.desc_ring)=0
OFFSET(printk_ringbuffer.text_data_ring)=48
SIZE(prb_desc_ring)=48
OFFSET(prb_desc_ring.count_bits)=0
OFFSET(prb_desc_ring.descs)=8
OFFSET(prb_desc_ring.infos)=16
OFFSET(prb_desc_ring.head_id)=24
OFFSET(prb_desc_ring.tail_id)=32
SIZE(prb_desc)=24
OFFSET(prb_desc.state_var)=0
OFFSET(prb_desc.text_blk_lpos)=8
SIZE(prb_data_blk_lpos)=16
OFFSET(prb_data_blk_lpos.begin)=0
OFFSET(prb_data_blk_lpos.next)=8
SIZE(printk_info)=88
OFFSET(printk_info.seq)=0
OFFSET(printk_info.ts_nsec)=8
OFFSET(printk_info.text_len)=16
SIZE(prb_data_ring)=32
OFFSET(prb_data_ring.size_bits)=0
OFFSET(prb_data_ring.data)=8
"""


class Record(NamedTuple):
    text: bytes
    time: int = 1_234_567_890
    state: int = FINALIZED
    lpos: Optional[tuple] = None        # in place of the block's own
    text_len: Optional[int] = None


def line(time: int, text: bytes) -> bytes:
    stamp = b"[%5d.%06d] " % (time // 10**9, time % 10**9 // 1000)
    return b"".join(stamp + part + b"\n" for part in text.split(b"\n"))


def cksum(data: bytes) -> int:
    """The CHECKSUM instruction."""
    data += bytes(-len(data) % 4)
    total = sum(struct.unpack(f">{len(data) // 4}I", data))
    while total >> 32:
        total = (total & 0xFFFFFFFF) + (total >> 32)
    return total


@dataclass
class Kernel:
    records: list = field(default_factory=lambda: [Record(b"Linux version 6.12"),
                                                   Record(b"two\nlines")])
    first_seq: int = 0
    first_lpos: int = (1 << 64) - 1024      # as the kernel: the first turn of the ring is the last
    count_bits: int = 5
    size_bits: int = 10
    where: str = "note"                     # VMCOREINFO: note, os_info, page or none
    image: int = IMAGE                      # 0: the kernel runs where it lies
    level: int = 1                          # of the top table
    large: bool = False                     # a segment-table entry that names storage
    tables: bool = True
    asce: Optional[int] = None              # in place of the right one
    lines: dict = field(default_factory=dict)   # of VMCOREINFO: name: value, None to leave it out
    pokes: list = field(default_factory=list)   # (address, bytes)

    def __post_init__(self):
        self.mem = bytearray(SIZE)
        self.live = []
        self.write_ring()
        self.write_tables()
        self.write_info()
        for addr, data in self.pokes:
            self.put(addr, data)

    def put(self, addr, data):
        self.mem[addr:addr + len(data)] = data
        assert len(self.mem) == SIZE

    def virtual(self, addr):
        return self.image + addr

    # --- printk -----------------------------------------------------------------------------------

    def allocate(self, begin, size):
        """(next position, offset of the block in the ring)."""
        ring = 1 << self.size_bits
        end = begin + size
        if begin // ring == end // ring:
            return end, begin % ring
        return end // ring * ring + size, 0

    def write_record(self, seq, begin, rec):
        count, ring = 1 << self.count_bits, 1 << self.size_bits
        index, ident = seq % count, seq + ID_OFFSET
        lpos = rec.lpos
        if lpos is None:
            size = (8 + len(rec.text) + 7) // 8 * 8
            assert size < ring / 2
            end, at = self.allocate(begin, size)
            lpos = (begin % 2**64, end % 2**64)
            self.put(DATA + at, struct.pack(">Q", ident) + rec.text.ljust(size - 8, b"\xee"))
            start, begin = begin, end
        else:
            start = begin
        self.live.append((seq, start, rec))
        state = rec.state << 62 | ident
        self.put(DESCS + 24 * index, struct.pack(">QQQ", state, *lpos))
        text_len = len(rec.text) if rec.text_len is None else rec.text_len
        self.put(INFOS + 88 * index, struct.pack(">QQHBBI", seq, rec.time, text_len, 1, 0xC0, 7)
                 + b"subsystem".ljust(16, b"\0"))
        return begin

    def write_ring(self):
        count, ring = 1 << self.count_bits, 1 << self.size_bits
        begin = self.first_lpos
        for seq, rec in enumerate(self.records, self.first_seq):
            begin = self.write_record(seq, begin, rec)
            while len(self.live) > count - 1 or begin - self.live[0][1] > ring:
                old = self.live.pop(0)[0]
                at = DESCS + 24 * (old % count)
                state = struct.unpack_from(">Q", self.mem, at)[0]
                self.put(at, struct.pack(">Q", state | REUSABLE << 62))
        first = self.live[0][0] if self.live else self.first_seq
        self.put(PRB, struct.pack(">Q", self.virtual(RING)))
        self.put(RING, struct.pack(
            ">IIQQQQQ", self.count_bits, 0, self.virtual(DESCS), self.virtual(INFOS),
            self.first_seq + len(self.records) - 1 + ID_OFFSET, first + ID_OFFSET, first))
        self.put(RING + 48, struct.pack(">IIQQQ", self.size_bits, 0, self.virtual(DATA),
                                        begin % 2**64, 0))

    def expected(self):
        """What dmesg prints."""
        out = b""
        for _, _, rec in self.live:
            if rec.state == FINALIZED and (rec.lpos is None or rec.lpos == EMPTY):
                out += line(rec.time, rec.text)
        return out

    # --- Translation ------------------------------------------------------------------------------

    def entry(self, table, index, value):
        """An entry of a table, between two that are not valid."""
        for near in (index - 1, index + 1):
            if 0 <= near < 2048:
                self.put(table + 8 * near, struct.pack(">Q", 0x20))
        self.put(table + 8 * index, struct.pack(">Q", value))

    def write_tables(self):
        """The top table lies at DIRECTORY, the lower ones behind it."""
        vaddr, at = self.virtual(0), DIRECTORY
        for level in range(self.level, 0, -1):
            self.entry(at, vaddr >> (20 + 11 * level) & 0x7FF, at + 0x4000 | level << 2 | 3)
            at += 0x4000
        self.entry(at, vaddr >> 20 & 0x7FF, 0x400 if self.large else PAGE_TABLE)
        for page in range(256):
            self.put(PAGE_TABLE + 8 * page, struct.pack(">Q", page * PAGE))
        asce = (DIRECTORY | self.level << 2 | 3) if self.asce is None else self.asce
        if self.tables:
            self.put(0x4000 + 0x388, struct.pack(">Q", asce))

    # --- VMCOREINFO -------------------------------------------------------------------------------

    def info(self):
        lines = {"OSRELEASE": "6.12.0-test", "PAGESIZE": "4096", "SYMBOL(init_uts_ns)": "1000",
                 "SYMBOL(swapper_pg_dir)": f"{self.virtual(DIRECTORY):x}",
                 "SYMBOL(prb)": f"{self.virtual(PRB):x}",
                 **dict(text.split("=") for text in LAYOUT.splitlines())}
        if self.image:
            lines.update(IDENTITYBASE="0", KERNELOFFSET=f"{self.image:x}", KERNELOFFPHYS="0")
        lines.update(self.lines)
        return "".join(f"{name}={value}\n" for name, value in lines.items()
                       if value is not None).encode()

    def write_info(self):
        text = self.info()
        if self.where == "note":
            self.put(NOTE, struct.pack(">III", 11, len(text), 0) + b"VMCOREINFO\0\0" + text)
            self.put(0xE0C, struct.pack(">Q", NOTE))
        elif self.where == "os_info":
            self.put(TEXT, text)
            page = bytearray(PAGE)
            page[12:16] = struct.pack(">HH", 1, 1)
            page[32:52] = struct.pack(">QQI", TEXT, len(text), cksum(text))
            page[0:12] = struct.pack(">QI", 0x4F53494E464F535A, cksum(bytes(page[12:])))
            self.put(OS_INFO, page)
            self.put(0xE18, struct.pack(">Q", OS_INFO))
        elif self.where == "page":
            self.put(TEXT, text)


def records_of(mem: bytes) -> bytes:
    """Storage as the fuzz targets take it: where it is not zero, offset, length and bytes."""
    out, at = b"", 0
    while at < len(mem):
        if not any(mem[at:at + 64]):
            at += 64
            continue
        end = at
        while end < len(mem) and end - at < 0x8000 and any(mem[end:end + 64]):
            end += 64
        out += struct.pack(">IH", at, end - at) + bytes(mem[at:end])
        at = end
    return out


def many(count, seed=1):
    """Records of different length, with lines and without text."""
    texts = [b"", b"short", b"a line\nand another", b"x" * 100, b"ends\n", b"\n\n",
             bytes(range(1, 200))]
    return [Record(texts[(i * seed) % len(texts)] + b" %d" % i if i % 5 else b"",
                   time=i * 1_000_001_000 * seed) if i % 7 else
            Record(b"", time=i * 999, lpos=EMPTY) for i in range(count)]


# name: kernel; those that are whole print expected().
VALID = {
    "few": lambda: Kernel(),
    "none": lambda: Kernel(records=[Record(b"", state=RESERVED)]),
    "full turn": lambda: Kernel(many(31)),
    "wrapped": lambda: Kernel(many(200)),
    "wrapped text": lambda: Kernel([Record(b"y" * (i * 37 % 400)) for i in range(60)]),
    "ends at the ring's end": lambda: Kernel([Record(b"z" * 120) for _ in range(40)]),
    "large sequence numbers": lambda: Kernel(many(99), first_seq=2**40 + 5),
    "late": lambda: Kernel([Record(b"late", time=2**63)]),
    "not final": lambda: Kernel([Record(b"a"), Record(b"open", state=COMMITTED), Record(b"b"),
                                 Record(b"", state=RESERVED)]),
    "lost": lambda: Kernel([Record(b"a"), Record(b"", lpos=LOST), Record(b"b")]),
    "identity": lambda: Kernel(many(50), image=0, level=0),
    "region second": lambda: Kernel(many(50), level=2),
    "region first": lambda: Kernel(many(50), level=3),
    "large page": lambda: Kernel(many(50), large=True),
    "no tables": lambda: Kernel(many(50), tables=False),
    "no tables, identity": lambda: Kernel(many(50), tables=False, image=0),
    "only tables": lambda: Kernel(many(50), lines={"KERNELOFFSET": None, "KERNELOFFPHYS": None}),
    "os_info": lambda: Kernel(many(50), where="os_info"),
    "page": lambda: Kernel(many(50), where="page"),
    "damaged os_info": lambda: Kernel(many(50), pokes=[
        (0xE18, struct.pack(">Q", OS_INFO)), (OS_INFO, struct.pack(">QI", 0x4F53494E464F535A, 1))]),
}

# name: (kernel, a part of the message)
HOSTILE = {
    "no VMCOREINFO": (lambda: Kernel(where="none"), "no VMCOREINFO"),
    "note elsewhere": (lambda: Kernel(where="none", pokes=[(0xE0C, struct.pack(">Q", 2**64 - 12))]),
                       "no VMCOREINFO"),
    "note too long": (lambda: Kernel(pokes=[(NOTE + 4, b"\xff\xff\xff\xff"), (NOTE + 24, b"?")]),
                      "no VMCOREINFO"),
    "no prb": (lambda: Kernel(lines={"SYMBOL(prb)": None}), "SYMBOL(prb)"),
    "prb is no number": (lambda: Kernel(lines={"SYMBOL(prb)": "3fff0xyz"}), "SYMBOL(prb)"),
    "prb too large": (lambda: Kernel(lines={"SYMBOL(prb)": "1" * 17}), "SYMBOL(prb)"),
    "prb nowhere": (lambda: Kernel(lines={"SYMBOL(prb)": "7ffffff0000"}), "leads nowhere"),
    "prb at the end": (lambda: Kernel(lines={"SYMBOL(prb)": "f" * 15 + "c"}), "leads nowhere"),
    "no offset": (lambda: Kernel(lines={"OFFSET(printk_info.seq)": None}),
                  "OFFSET(printk_info.seq)"),
    "offset outside": (lambda: Kernel(lines={"OFFSET(printk_info.seq)": "81"}),
                       "OFFSET(printk_info.seq) is 81"),
    "offset enormous": (lambda: Kernel(lines={"OFFSET(prb_desc.state_var)": str(2**64 - 1)}),
                        f"OFFSET(prb_desc.state_var) is {2**64 - 1}"),
    "size enormous": (lambda: Kernel(lines={"SIZE(printk_info)": "4294967295"}),
                      "SIZE(printk_info) is 4294967295"),
    "2^31 messages": (lambda: Kernel(pokes=[(RING, struct.pack(">I", 31))]),
                      "2 to the power of 31"),
    "2^64 messages": (lambda: Kernel(pokes=[(RING, struct.pack(">I", 64))]),
                      "2 to the power of 64"),
    "no messages": (lambda: Kernel(pokes=[(RING, bytes(4))]), "2 to the power of 0"),
    "2^31 bytes": (lambda: Kernel(pokes=[(RING + 48, struct.pack(">I", 31))]),
                   "2 to the power of 31"),
    "descriptors nowhere": (lambda: Kernel(pokes=[(RING + 8, b"\xff" * 8)]), "leads nowhere"),
    "text nowhere": (lambda: Kernel(pokes=[(RING + 56, struct.pack(">Q", IMAGE + SIZE))]),
                     "leads nowhere"),
    "all the same text": (lambda: Kernel([Record(b"t" * 64, lpos=(0, 512), text_len=500)
                                          for _ in range(31)], size_bits=9), "share text"),
    "tables in a loop": (lambda: Kernel(level=3, tables=False, pokes=[
        (0x4388, struct.pack(">Q", DIRECTORY | 0xF)),
        (DIRECTORY, struct.pack(">Q", DIRECTORY | 0xF) * 2048)],
        lines={"KERNELOFFPHYS": None}), "leads nowhere"),
}
