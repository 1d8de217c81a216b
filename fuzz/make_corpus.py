#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the first inputs of the fuzz targets: fuzz/corpus/<target>/.

usage: fuzz/make_corpus.py

Deterministic: the same files every time. Inputs that fuzzing found (names of other forms) are left
alone. Sources: tests/golden/se-image, and layouts written out here.
"""

import base64
import hashlib
import struct
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
GOLDEN = TOP / "tests" / "golden" / "se-image"
CORPUS = TOP / "fuzz" / "corpus"

PAGE = 4096
HDR = 0x14000
FIRST = 0x15000


def put(target, name, data):
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def up(n):
    return (n + PAGE - 1) // PAGE * PAGE


# --- Headers: the encrypted area is plaintext, the targets seal it -------------------------------

def area(psw=0x28000, scf=0, noi=0, extra=b""):
    return ((GOLDEN / "cck.bin").read_bytes() + (GOLDEN / "image.key").read_bytes()
            + struct.pack(">QQQII", 0x180000000, psw, scf, noi, 0) + extra)


def header(nks=1, nep=0, pcf=0xE0, digests=bytes(192), plain=None):
    plain = area() if plain is None else plain
    golden = (GOLDEN / "sealed.img").read_bytes()[HDR:]
    slots = (golden[0x1A0:0x1F0] + golden[0x1F0:0x240]) * 48
    size = 416 + 80 * nks + len(plain) + 16
    return (b"IBMSecEx" + struct.pack(">II", 0x100, size) + bytes(range(12)) + bytes(4)
            + struct.pack(">QQQQ", nks, len(plain), nep, pcf) + golden[0x40:0xE0] + digests
            + slots[:80 * nks] + plain + bytes(16))


def headers():
    put("header", "one_slot", header())
    put("header", "two_slots", header(nks=2, pcf=0x200000E2))
    put("header", "all_slots", header(nks=95))
    put("header", "large_area", header(plain=area(extra=bytes(64))))
    put("header", "optional_item", header(plain=area(noi=1)))
    put("header", "cut", header()[:600])
    put("header", "golden", (GOLDEN / "sealed.img").read_bytes()[HDR:HDR + 720])


# --- Images: records of offset, length, bytes ----------------------------------------------------

def records(parts):
    out = b""
    for offset, data in parts:
        for at in range(0, len(data), 0xFFFF):
            piece = data[at:at + 0xFFFF]
            out += struct.pack(">IH", offset + at, len(piece)) + piece
    return out


def meta(hdr, ipib, version=1):
    return b"SeImgLnx" + struct.pack(">QIQ", hdr, version, ipib)


def ipib(comps, hdr_addr, hdr_size, length=None, version=1):
    n = len(comps)
    out = struct.pack(">I3xBIB", length or 136 + 24 * n, 1, 128 + 24 * n, 5).ljust(0x6F, b"\0")
    out += struct.pack(">B4xIQQ", version, n, hdr_addr, hdr_size)
    return out + b"".join(struct.pack(">QQQ", *c) for c in comps)


def image(layout, pcf=0x100000E0, ramdisk=True, cmdline=b"root=/dev/vda1\0", scf=0):
    """A consistent image (when pcf says that components are plain) of few bytes that are not zero."""
    kernel_size = 0x10438
    contents = [(40, kernel_size, [(0x10008, b"S390EP"), (0x10430, struct.pack(">Q", 4096))])]
    if ramdisk:
        contents.append((50, 5000, [(0, b"070701"), (4999, b"!")]))
    contents.append((60, len(cmdline), [(0, cmdline)]))
    parts, comps, args, addr = [], [], {}, FIRST
    for kind, size, pieces in contents:
        args[kind] = (addr, size)
        parts += [(addr + off, data) for off, data in pieces]
        comps.append((kind << 48 | 0x123456789ABC, addr, up(size)))
        addr += up(size)
    block = struct.pack(">8Q", *args[40], *args[60], *args.get(50, (0, 0)), 0x180000000, 0x10000)
    stage3b = b"stage3b".ljust(200, b"b") + block
    parts.append((addr, stage3b))
    comps.append((70 << 48 | 0x123456789ABC, addr, PAGE))
    psw, end = addr, addr + PAGE
    if not ramdisk and layout == "C":
        parts.append((end - 1, b"\0"))

    hdr_size = 640
    ipib_addr = end if layout == "R" else 0x13000
    block = ipib(comps, HDR if layout == "R" else 0, hdr_size,
                 4096 if layout == "C" else None, 1 if layout == "R" else 0)
    memory = bytearray(end)
    for off, data in parts:
        memory[off:off + len(data)] = data
    digests = [hashlib.sha512() for _ in range(3)]
    for prefix, start, size in comps:
        for off in range(0, size, PAGE):
            digests[0].update(memory[start + off:start + off + PAGE])
            digests[1].update(struct.pack(">Q", start + off))
            digests[2].update(struct.pack(">QQ", prefix, off))
    hdr = header(nep=(end - FIRST) // PAGE, pcf=pcf, plain=area(psw=psw, scf=scf),
                 digests=b"".join(d.digest() for d in digests))
    stage3a_args = 0x12BC0
    parts = [(0, bytes.fromhex("0008000180011000")), (0x10000, b"stage3a"),
             (stage3a_args, struct.pack(">QQQ", HDR - stage3a_args, hdr_size,
                                        ipib_addr - stage3a_args)), (HDR, hdr)] + parts
    if layout == "R":
        parts.append((0xC000, meta(HDR, ipib_addr)))
    parts.append((ipib_addr, block))
    if layout == "C":
        parts.append((end - 1, b"\0"))
    return records(parts)


def images():
    put("verify", "layout_r", image("R"))
    put("verify", "layout_c", image("C"))
    put("verify", "encrypted", image("R", pcf=0xE0))
    put("verify", "flags", image("R", pcf=0x100000F2, scf=0x6000000000000000))
    put("verify", "no_ramdisk", image("R", ramdisk=False))
    put("verify", "empty_cmdline", image("R", cmdline=b"\0"))
    put("verify", "bare_header", records([(0, header())]))

    put("search", "bare", records([(0, header())]))
    put("search", "last_page", records([(HDR, header(nks=2, pcf=0x80000000000000FF))]))
    put("search", "metadata", records([(0xC000, meta(0x30000, 0x40000)), (0x30000, header())]))
    put("search", "metadata_v2", records([(0xC000, meta(HDR, 0, 2)), (HDR, header())]))
    put("search", "metadata_lie", records([(0xC000, meta(1 << 40, 0)), (HDR, header())]))
    put("search", "cut", records([(HDR, header()[:639])]))
    put("search", "far", records([(0x15000, header())]))

    put("metadata", "good", meta(HDR, 0xA2000))
    put("metadata", "odd", meta(2**64 - 1, 2**63, 2**31))
    put("metadata", "cut", meta(HDR, 0xA2000)[:27])


def ipibs():
    comps = [(k << 48, FIRST + i * PAGE, PAGE) for i, k in enumerate((40, 50, 60, 70))]
    put("ipib", "four", ipib(comps, HDR, 640))
    put("ipib", "one", ipib(comps[:1], HDR, 640))
    put("ipib", "golden", (GOLDEN / "sealed.img").read_bytes()[0x13000:0x13200])
    most = [(i + 1, FIRST + i * PAGE, PAGE) for i in range(165)]
    put("ipib", "most", ipib(most, HDR, 8192))
    put("ipib", "equal_tweaks", ipib([comps[0], comps[0]], HDR, 640))


# --- Certificates and revocation lists -----------------------------------------------------------

def der(tag, *parts):
    body = b"".join(parts)
    n = len(body)
    if n < 128:
        return bytes([tag, n]) + body
    size = n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + body


def oid(*arcs):
    out = bytes([arcs[0] * 40 + arcs[1]])
    for arc in arcs[2:]:
        piece = [arc & 127]
        while arc := arc >> 7:
            piece.insert(0, arc & 127 | 128)
        out += bytes(piece)
    return der(6, out)


def name(*entries):
    return der(0x30, *(der(0x31, der(0x30, oid(2, 5, 4, arc), der(0x0C, text.encode())))
                       for arc, text in entries))


def crl(locality, serials):
    """A list as the host-key signing key would issue it; its signature is of zeros."""
    rsa_sha512 = der(0x30, oid(1, 2, 840, 113549, 1, 1, 13), der(5))
    firm = "International Business Machines Corporation"
    issuer = name((6, "US"), (8, "New York"), (7, locality), (10, firm),
                  (11, "IBM Z Host Key Signing Service"), (3, firm))
    entries = [der(0x30, der(2, bytes([n])), der(0x17, b"260101000000Z")) for n in serials]
    number = der(0x30, oid(2, 5, 29, 20), der(4, der(2, b"\x01")))
    body = [der(2, b"\x01"), rsa_sha512, issuer, der(0x17, b"260101000000Z"),
            der(0x17, b"360101000000Z")]
    if entries:
        body.append(der(0x30, *entries))
    body.append(der(0xA0, der(0x30, number)))
    return der(0x30, der(0x30, *body), rsa_sha512, der(3, bytes(65)))


def pem(label, data):
    text = base64.encodebytes(data).replace(b"\n", b"")
    lines = [text[i:i + 64] for i in range(0, len(text), 64)]
    edge = b"-----%s " + label + b"-----\n"
    return edge % b"BEGIN" + b"\n".join(lines) + b"\n" + edge % b"END"


def certificates():
    one = (GOLDEN / "host1.crt").read_bytes()
    two = (GOLDEN / "host2.crt").read_bytes()
    lines = one.decode().split("-----")[2].split()
    raw = base64.b64decode("".join(lines))
    put("certificate", "pem", one)
    put("certificate", "der", raw)
    put("certificate", "der_and_more", raw + b"more")
    put("certificate", "two", b"a comment\n" + one + two)
    put("certificate", "damaged", one.replace(b"M", b"!", 1))
    put("certificate", "crl", crl("Armonk", [1]))

    put("crl", "der", crl("Armonk", [1, 2, 3]))
    put("crl", "empty", crl("Poughkeepsie", []))
    put("crl", "pem", pem(b"X509 CRL", crl("Armonk", [7])))
    put("crl", "mixed", one + pem(b"X509 CRL", crl("Poughkeepsie", [7])) + two)
    put("crl", "certificate", raw)


def key_hashes():
    line = bytes(range(32)).hex().encode() + b"\n"
    zero = b"0" * 64 + b"\n"
    put("keyhashes", "good", line + line.upper() + zero * 13)
    put("keyhashes", "no_newline", (line * 15)[:-1])
    put("keyhashes", "one_more", line * 16)
    put("keyhashes", "one_less", line * 14)
    put("keyhashes", "short_line", line[1:] + line * 14)


# --- Programs and state descriptions: the orders in which the targets take their inputs -----------

MASK_64 = 0x180000000
WAIT = bytes.fromhex("b2b201a0")            # LPSWE: the disabled wait among the new PSWs
GUEST, LOOSE, TWO = 1, 8, 16                # flags of the target code
WILD_PSW, WILD_CRS, PATTERN = 2, 4, 32


def quads(*values):
    return struct.pack(f">{len(values)}Q", *values)


def record(at, data):
    return struct.pack(">IH", at, len(data)) + data


def program(text, flags=0, gr=(), psw=b"", cr=b"", pattern=b""):
    registers = (list(gr) + [0] * 20)[:20]
    return bytes([flags]) + psw + cr + quads(*registers) + pattern + bytes.fromhex(text)


def codes():
    wait = WAIT.hex()
    put("code", "wait", program(wait))
    put("code", "guest_wait", program(wait, GUEST))
    put("code", "loop", program("a7f40000"))
    put("code", "guest_loop", program("a7f40000", GUEST))
    put("code", "zeros", program("", LOOSE))
    put("code", "guest_zeros", program("", LOOSE | GUEST))
    put("code", "wild_psw", program("", WILD_PSW, psw=quads(0xffffffffffffffff, 0x123456789abcdef1)))
    put("code", "wild_psw_guest", program("", WILD_PSW | GUEST, psw=quads(0x0704c00180000001, 5)))
    put("code", "psw_loop", program("", WILD_PSW | LOOSE, psw=quads(0x0008000000000000, 0)))
    put("code", "enabled_wait", program("", WILD_PSW, psw=quads(0x0302000180000000, 0)))
    put("code", "move_over_itself", program("d2ff20002001" + wait, gr=[0, 0, 0x2000]))
    put("code", "store_next", program("50102004" + "07fe" * 8, gr=[0, 0x0dfe0dfe, 0x2000]))
    put("code", "long_move", program("0e24" + wait, gr=[0, 0, 0, 0xffffff, 0, 0xffffff]))
    put("code", "long_clear", program("a8240000" + wait, gr=[0, 0, 0x10000, 1 << 40]))
    put("code", "execute_loop", program("44002000a7f4fffe", gr=[0, 0, 0x2000]))
    put("code", "execute_each_other", program("c60000000000", gr=[0]))
    put("code", "sigp_self", program("ae010005a7f40000", TWO, gr=[0, 0]))
    put("code", "sigp_other", program("ae010006ae010005a7f4fffc", TWO, gr=[0, 1, 0, 1]))
    put("code", "lctlg", program("eb0f0200002f" + wait))
    put("code", "dat_on", program("", WILD_PSW | WILD_CRS | PATTERN,
                                  psw=quads(0x0400000180000000, 0x2000), cr=quads(0, *[0x8000] * 15),
                                  pattern=struct.pack(">IHQ", 0x8000, 4096, 0x8000)))
    put("code", "sie", program("b2141000a7f4fffe", gr=[0, 0x100000]))
    put("code", "keys", program("b22b0012b2290012010ab2520000" + wait, gr=[0, 0xf0, 0x3000]))
    put("code", "straddle", program("07" * 4094 + "e31000000004" + wait))
    put("code", "float", program("b31a0001b30d0001ed0020000019" + wait, gr=[0] * 16 + [1 << 62] * 4))
    put("code", "pages", program("a7f4" + "07fe" * 4096, gr=[0x2000 + 4096 * i for i in range(16)]))


def tables():
    def walk(addresses, asces, patterns=(), records=b"", prefix=0):
        listed = b"".join(struct.pack(">QB", va, how) for va, how in addresses)
        return (bytes([len(addresses)]) + listed + quads(1 << 23, *asces) + struct.pack(">H", prefix)
                + bytes([len(patterns)]) + b"".join(struct.pack(">IHQ", *p) for p in patterns)
                + records)

    some = [(0, 0), (0x1000, 0x80), (0x12345678, 0x21), (0x7fffffff, 0xef), (1 << 42, 3),
            ((1 << 53) + 4095, 0x8f), ((1 << 64) - 1, 0x8f)]
    put("dat", "nothing", walk([], [0, 0, 0]))
    put("dat", "real_space", walk(some, [0x20, 0x20, 0x20]))
    put("dat", "empty", walk(some, [0x10000, 0x10004, 0x1000f]))
    put("dat", "itself", walk(some, [0x1000f, 0x1000b, 0x10007], [(0x10000, 2048, 0x1000f)]))
    put("dat", "circle", walk(some, [0x1000f, 0x1000f, 0x1000f],
                              [(0x10000, 2048, 0x1400f), (0x14000, 2048, 0x1800b),
                               (0x18000, 2048, 0x1c007), (0x1c000, 2048, 0x20003)]))
    put("dat", "down_to_pages", walk(some, [0x1000f, 0x1400b, 0x18007],
                                     [(0x10000, 2048, 0x1400f), (0x14000, 2048, 0x1800b),
                                      (0x18000, 2048, 0x1c007), (0x1c000, 2048, 0x20000),
                                      (0x20000, 256, 0x5000)]))
    put("dat", "large_pages", walk(some, [0x10003, 0x10103, 0x1000],
                                   [(0x10000, 2048, 0x400), (0x1000, 512, 0x610)]))
    put("dat", "offsets", walk(some, [0x14007, 0x14004, 0x14006], [(0x14000, 2048, 0x14085)]))
    put("dat", "outside", walk(some, [0x7ffffffffffff00f, 0xffffffffffff000f, 0xfff00f]))
    put("dat", "records", walk(some, [0x8003, 0x8103, 0x20],
                               records=record(0x8000, quads(0x9000)) + record(0x9000, quads(0x200)),
                               prefix=8))


def state_description(at=(), code=WAIT, cr1=0, cpus=0, gr=(), records=b""):
    """at: (offset, bytes to change what works by exclusive or)."""
    scb = bytearray(512)
    for offset, data in at:
        scb[offset:offset + len(data)] = data
    registers = struct.pack(">16H", *(list(gr) + [0] * 16)[:16])
    return (bytes([cpus]) + quads(0, cr1) + registers + bytes(scb) + code.ljust(256, b"\0")
            + records)


def state_descriptions():
    diag, loop = bytes.fromhex("83020044"), bytes.fromhex("a7f40000")
    put("sie", "works", state_description(code=diag))
    put("sie", "again_and_again", state_description(code=diag + bytes.fromhex("a7f4fffe")))
    put("sie", "loops", state_description(code=loop))
    put("sie", "all_ones", state_description([(0, b"\xff" * 512)]))
    put("sie", "format_4", state_description([(0x68, b"\x02")]))
    put("sie", "no_limit", state_description([(0x80, b"\xff" * 16)], code=diag))
    put("sie", "all_intercepted", state_description([(0x44, b"\xff\xff"), (0x48, b"\xff" * 8)],
                                                    code=bytes.fromhex("eb0f0200002f")))
    put("sie", "all_requests", state_description([(0, b"\xff\0\0\0")], code=loop))
    put("sie", "wild_psw", state_description([(0x90, b"\xff" * 16)]))
    put("sie", "prefix_outside", state_description([(4, b"\x7f\xff\xe0\0")]))
    put("sie", "scb_is_lowcore", state_description([(0x80, quads(0x100000))], code=loop))
    put("sie", "sca", state_description([(0x5c, struct.pack(">I", 0)), (0x64, b"\0\x21\0\0"),
                                         (0x4c, b"\x90\0\0\0")], gr=[0, 1, 0, 2], cpus=2,
                                        code=bytes.fromhex("ae310002ae310003ae310001a7f4fffa"),
                                        records=record(0x210000, b"\xff" * 0x840)))
    put("sie", "extended_sca", state_description([(0x62, b"\4"), (0x64, b"\0\x21\0\0"),
                                                  (0x4c, b"\x90\0\0\0")], gr=[0, 1, 0, 2],
                                                 code=bytes.fromhex("ae310002a7f4fffe")))
    put("sie", "ipte_lock", state_description([(0x64, b"\0\x21\0\0"), (0x4c, b"\0\0\0\1")],
                                              code=bytes.fromhex("b2210012b25000122a14"),
                                              records=record(0x210000, b"\x80" + bytes(7))))
    put("sie", "host_tables", state_description(code=diag, cr1=0x20 ^ 0x300003, records=(
        record(0x300000, quads(0x304000) * 8) + record(0x304000, quads(*range(0x1000, 0x80000, 0x1000))))))
    put("sie", "host_tables_loop", state_description(code=diag, cr1=0x20 ^ 0x30000f,
                                                     records=record(0x300000, quads(0x30000f) * 512)))
    put("sie", "guest_tables_loop", state_description(
        [(0x90, b"\4"), (0x108, quads(0x10000f))], code=loop,
        records=record(0x200000, quads(0x10000f))))
    put("sie", "clocks", state_description([(0x28, b"\x80"), (0x30, b"\xff" * 8), (0x90, b"\1"),
                                            (0x106, b"\x0c")], code=loop))
    put("sie", "wait", state_description([(0x90, b"\1\2")]))
    put("sie", "injected", state_description([(0x55, bytes([2])), (0xc0, bytes(range(60)))]))
    put("sie", "facilities", state_description([(0x1a0, b"\x7f\xff\xff\xf8")],
                                               code=bytes.fromhex("b2b02000") + diag, gr=[3]))


# --- Services ------------------------------------------------------------------------------------

SERVC, DIAG, SIGP, STSI = range(4)
REBOOTS, TYPES, ENABLED, WAITS = 1, 2, 4, 8


def service(steps, blocks=(), flags=0):
    out = bytes([flags, len(steps) - 1])
    for kind, insn, registers in steps:
        registers = (list(registers) + [0] * 8)[:8]
        out += bytes([kind]) + bytes.fromhex(insn) + quads(*registers[:6])
        out += struct.pack(">2H", *registers[6:])
    return out + b"".join(record(at, data) for at, data in blocks)


def sccb(size, body=b"", length=None, head=b"\0\0\0\0\0\0"):
    return (struct.pack(">H", size if length is None else length) + head + body).ljust(size, b"\0")


def event(kind, data):
    return struct.pack(">HBBH", 6 + len(data), kind, 0, 0) + data


def services():
    def call(command, at):
        return (SERVC, "b2200012", [0, command, at])

    at = 0x10000
    info, cpus, mask, write, read = 0x20001, 0x10001, 0x780005, 0x760005, 0x770005
    put("sclp", "info", service([call(info, at), call(cpus, at + 4096)],
                                [(at, sccb(4096)), (at + 4096, sccb(4096))]))
    put("sclp", "every_address", service([call(info, a) for a in
                                          (0, 4, 0x1000, 0x2000, 0x10ff8, 0x10ffc, 0x3fffff8, 1 << 26,
                                           1 << 31, (1 << 32) + at, (1 << 64) - 8, 0x10fff)],
                                         [(0x10ff8, sccb(8)), (0x3fffff8, sccb(8, length=4096))]))
    put("sclp", "lengths", service([call(c, a) for c in (info, cpus, mask, write, read, 7)
                                    for a in range(at, at + 0x5000, 0x1000)],
                                   [(at + 0x1000 * i, sccb(64, length=n))
                                    for i, n in enumerate((0, 7, 8, 9, 4096))]))
    masks = struct.pack(">HH", 0, 4) + struct.pack(">4I", 0x82000040, 0x82000040, 0, 0)
    put("sclp", "masks", service([call(mask, at + 64 * i) for i in range(3)], [
        (at, sccb(28, masks)), (at + 64, sccb(28, b"\0\0\xff\xff" + bytes(16))),
        (at + 128, sccb(10, b"\0\0"))]))
    text = event(0x1a, b"hello\n")
    line = event(2, struct.pack(">HHIIII", 40, 1, 0xd4c4c240, 1, 0, 0)
                 + struct.pack(">HH", 12, 4) + bytes(8))
    put("sclp", "write", service([call(mask, at), call(write, at + 64), call(write, at + 256)], [
        (at, sccb(28, masks)), (at + 64, sccb(8 + len(text), text)),
        (at + 256, sccb(8 + len(line), line))]))
    put("sclp", "write_bad", service([call(write, at + 64 * i) for i in range(4)], [
        (at, sccb(14, event(0x1a, b""))), (at + 64, sccb(14, b"\xff\xff\x1a\0\0\0")),
        (at + 128, sccb(20, event(2, bytes(6)))), (at + 192, sccb(12, b"\0\0\1\0"))]))
    put("sclp", "read", service([call(mask, at), call(read, at + 64), call(read, at + 256)], [
        (at, sccb(28, masks)), (at + 64, sccb(40)),
        (at + 256, sccb(4000 - 256, head=b"\0\0\0\x80\0\0"))], TYPES | ENABLED | WAITS))
    put("sclp", "wait", service([call(info, at)], [(at, sccb(4096))], ENABLED | WAITS))
    put("sclp", "diag", service([(DIAG, f"8312{code:04x}", [0, at, at, 0, 0, 0]) for code in
                                 (0x10, 0x44, 0x9c, 0x258, 0x288, 0x308, 0x318, 0x500)]))
    put("sclp", "diag_release", service([(DIAG, "83120010", [0, a, b]) for a, b in
                                         ((0x10000, 0x3fff000), (0, 0), (at, at - 4096), (at, 1 << 63))]))
    for code in (0, 1, 3, 4):
        put("sclp", f"diag_308_{code}", service([(DIAG, "83230308", [0, 0, at, code])],
                                                flags=REBOOTS if code == 3 else 0))
    put("sclp", "diag_308_block", service([(DIAG, f"83{r}30308", [0, 0, a, c, a]) for r in (2, 4)
                                           for c in (5, 6, 7, 8, 9, 10) for a in (0, at, at + 1, 1 << 62)]))
    put("sclp", "sigp", service([(SIGP, f"ae13{order:04x}", [0, at, 0, cpu, 1]) for cpu in (0, 1, 0xffff)
                                 for order in (1, 2, 3, 4, 6, 9, 11, 12, 13, 14, 18, 19, 21, 255)]))
    put("sclp", "sigp_stop", service([(SIGP, "ae130005", [])]))
    put("sclp", "stsi", service([(STSI, "b27d2000", [fc << 28 | s1, s2, a]) for fc in range(5)
                                 for s1 in (0, 1, 2) for s2, a in ((1, at), (2, at + 8))]))
    put("sclp", "stsi_outside", service([(STSI, "b27d2000", [0x10000001, 1, a])
                                         for a in (1 << 26, 1 << 63, 0xffffffff000)]))


# --- The Ultravisor ------------------------------------------------------------------------------

# Operations of fuzz/uvc.c by number; times 16 the guest that they are about.
CALL, BRING_UP, SIE, WRITE, IMPORT, EXPORT, COPY, MAP, DESTROY, UNPACK, RESET = (
    0, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15)
COMMANDS = 28  # of its table


def call(command, *operands, slot=0):
    """A call with operands that fit, no bytes changed, its block where it belongs."""
    return bytes([CALL + 16 * slot, command, *operands, 0xff, 0])


def entry(cpu, *answers, slot=0):
    """Six entries; answers to DIAG 500: actions, page."""
    answers += ((0, 0),) * (6 - len(answers))
    return bytes([SIE + 16 * slot, cpu]) + b"".join(bytes([a, page, 0xff]) for a, page in answers)


def calls():
    share, unshare, store, load = (entry(0, (n, 4)) for n in (1, 2, 4, 8))
    put("uvc", "every_call", b"\2" + b"".join(call(n, *[0] * 6) for n in range(COMMANDS)))
    put("uvc", "not_initialized", b"\1" + b"".join(call(n, *[0] * 6) for n in range(COMMANDS)))
    put("uvc", "by_hand", b"\0" + call(3, 0, 0, 0, 0, 0, 0) + call(6, 0, 0, 0, 0) + bytes([UNPACK])
        + call(17, 0, 0) + entry(0, (0, 0), (4, 4)))
    put("uvc", "all_guests", b"\2" + bytes([BRING_UP + 16, BRING_UP + 32]) + b"".join(
        entry(0, (4, 4), (8, 0), slot=n) for n in range(3)) + bytes([DESTROY, DESTROY + 16]))
    put("uvc", "shared", b"\2" + entry(0, (4, 4), (1, 4), (8, 4)) + call(20, 4)
        + entry(0, (2, 4), (2, 4)) + call(21, 0, 4) + entry(0, (2, 4), (8, 4)))
    put("uvc", "pages", b"\2" + store + share + bytes([EXPORT, 4, IMPORT, 4]) + unshare + load)
    put("uvc", "replayed", b"\2" + entry(0, (4, 4)) + bytes([EXPORT, 4, COPY, 4, 7, IMPORT, 4])
        + entry(0, (4, 4)) + bytes([EXPORT, 4, COPY, 7, 4, IMPORT, 4]) + entry(0, (8, 4)))
    put("uvc", "moved", b"\2" + entry(0, (4, 4)) + bytes([EXPORT, 4, COPY, 4, 7, MAP, 4, 7, 0,
                                                          IMPORT, 4]) + entry(0, (8, 4)))
    put("uvc", "reset_by_guest", b"\2" + entry(0, (1, 4), (0xff, 4), (0, 0), (0, 0)))
    put("uvc", "services", b"\2" + entry(0, (0x88, 4), (0x44, 4), (0x22, 0)))
    put("uvc", "load_reset", b"\2" + bytes([RESET, BRING_UP]) + entry(0, (1, 4), (8, 0)))
    put("uvc", "written", b"\2" + bytes([EXPORT, 2, WRITE, 2, 0, 0]) + b"8 bytes." + bytes([IMPORT, 2])
        + entry(0, (0, 0)))


def protected(code, gr=(), entries=b"", guest=()):
    """An input of fuzz/sie4.c: code, patches of the guest, registers of both CPUs, entries."""
    regs = b"".join(struct.pack(">H", gr[n] if n < len(gr) else 0) for n in range(8))
    regs += struct.pack(">QQB", 0x200, 0, 1)
    patches = b"".join(struct.pack(">HB", at, len(data) - 1) + data for at, data in guest)
    return (bytes.fromhex(code).ljust(256, b"\0") + bytes([len(guest)]) + patches + regs * 2
            + entries)


def sie_entry(actions=0, what=0, *patches):
    return bytes([actions, what, len(patches)]) + b"".join(
        struct.pack(">HB", at, len(data) - 1) + data for at, data in patches)


def protected_guests():
    export, state, reset, other = 0x01, 0x04, 0x08, 0x20
    plain = sie_entry() * 8
    put("sie4", "diag_500", protected("83000500 a7f4fffe", entries=plain))
    put("sie4", "diags", protected("83000044 8300009c 83240288 a7f4fffa", entries=plain))
    put("sie4", "service", protected("b2200012 83000044", (0, 1, 0x3000), plain,
                                     [(0x3000, bytes.fromhex("0010000000000000"))]))
    put("sie4", "stsi", protected("b27d2000 83000044 b2780000", (1, 1, 0x3000), plain))
    put("sie4", "share", protected("b9a40002 b9a40003 a7f4fffc", (0, 0, 0x800, 0x840),
                                   sie_entry(0x80, 3) * 4, [
        (0x800, bytes.fromhex("0030100000000000")), (0x822, bytes.fromhex("000000003000")),
        (0x840, bytes.fromhex("0030100100000000")), (0x862, bytes.fromhex("000000003000"))]))
    put("sie4", "reset", protected("83240308", (0, 0, 0, 0, 1),
                                   sie_entry() + sie_entry(reset) + plain))
    put("sie4", "reset_missing", protected("83240308", (0, 0, 0, 0, 1), sie_entry() + b"".join(
        sie_entry(reset, n) for n in (1, 2, 4, 8, 16, 32))))
    put("sie4", "inject", protected("83000044 a7f40000", (), sie_entry()
                                    + sie_entry(0, 0, (0x55, b"\2"), (0xC6, b"\x10\x04")) + plain))
    put("sie4", "sigp", protected("ae020005 ae020006 83000044 b2100800 b2220010", (0, 0, 1),
                                  sie_entry() * 4 + sie_entry(other) * 3))
    put("sie4", "io", protected("b2340800 b2330800 b2350800 b23c0000 b25f0020", (0, 1), plain))
    put("sie4", "wait", protected("b2b20150", (), plain))
    put("sie4", "no_prefix", protected("83000044 a7f4fffe", (), sie_entry(export, 0)
                                       + sie_entry(export, 1) + plain))
    put("sie4", "stopped", protected("83000044 a7f4fffe", (), sie_entry()
                                     + sie_entry(state, 4) + sie_entry(state, 10) + plain))
    put("sie4", "handles", protected("83000044 a7f4fffe", (), b"".join(
        sie_entry(0, 0, (at, b"\1")) * 2 for at in (0x10, 0x18, 0x64, 0x180))))


def ipl(flags=0, steps=(), patches=()):
    """An input of fuzz/diag308.c: steps of place and subcode; patches of area, offset and bits."""
    return (bytes([flags, len(steps)]) + b"".join(struct.pack(">BH", *step) for step in steps)
            + bytes([len(patches)]) + b"".join(struct.pack(">BQB", *p) for p in patches))


def ipls():
    no_set, no_start, reboots = 1, 2, 4
    put("diag308", "works", ipl())
    put("diag308", "again_and_again", ipl(reboots))
    put("diag308", "stored", ipl(0, [(0, 9), (0, 5), (0, 6)]))
    put("diag308", "no_block", ipl(no_set))
    put("diag308", "set_only", ipl(no_start))
    put("diag308", "places", ipl(no_set | no_start, [(n, 8) for n in range(7)]))
    put("diag308", "subcodes", ipl(0, [(0, n) for n in (2, 7, 11, 0x101, 0xffff)]))
    for name, area, at in (("length", 0, 2), ("type", 0, 0xc), ("components", 0, 0x77),
                           ("hdr_at", 0, 0x7a), ("hdr_size", 0, 0x87), ("tweak", 0, 0x8f),
                           ("component_at", 0, 0x95), ("component_len", 0, 0x9d),
                           ("magic", 1, 0), ("version", 1, 0xa), ("hdr_len", 1, 0xf), ("nks", 1, 0x27),
                           ("area_len", 1, 0x2f), ("pages", 1, 0x37), ("flags", 1, 0x38),
                           ("customer", 1, 0x50), ("digest", 1, 0xf0), ("slot", 1, 0x1a8),
                           ("tag", 1, 0x270), ("content", 2, 0x10)):
        put("diag308", "wrong_" + name, ipl(0, (), [(area, at, 1)]))


# --- Dumps ---------------------------------------------------------------------------------------

def dumps():
    sys.path.insert(0, str(TOP / "tests" / "dump"))
    import pvdumpwrite as pv
    small = pv.Recipe(blocks=[(0, 3 * PAGE)], complete_bytes=288, pv_cpu_bytes=1568)
    shapes = {"valid": {}, "plain": {"protected": False}, "extended": {"extended": True},
              "two_segments": {"blocks": [(0x8000, PAGE), (0, PAGE)]},
              "by_address": {"blocks": [(0, PAGE), (0x3000, PAGE)], "index": "address"},
              "unknown_notes": {"extra_notes": 2}, "no_cpu": {"cpus": []}}
    # Damaged entries have inputs of their own.
    defects = {name: c for name, c in pv.DEFECTS.items() if "entries" not in c}
    for name, changes in {**shapes, **defects}.items():
        recipe = replace(small, **changes)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "dump"
            pv.write_dump(path, recipe)
            data = path.read_bytes()
        put("dump_elf", name.replace(" ", "_"), data)
        phoff, = struct.unpack_from(">Q", data, 32) if len(data) >= 40 else (len(data),)
        if name in shapes:
            off, = struct.unpack_from(">Q", data, phoff + 8)
            size, = struct.unpack_from(">Q", data, phoff + 32)
            put("dump_notes", name, data[off:off + size])
    special = b"\xff" * 4 + bytes(11)
    put("dump_entries", "flags", b"".join(special + bytes([n]) for n in range(256)))
    put("dump_entries", "byte_14", b"".join(special[:14] + bytes([n, 1]) for n in range(8)))
    put("dump_entries", "components", b"".join(struct.pack(">QQ", n << 40, n) for n in range(300)))
    put("dump_completion", "zeros", bytes(1568))
    put("dump_completion", "halves", struct.pack(">II", 1, 288) + bytes(range(256)) + bytes(24))
    put("dump_completion", "cpu", struct.pack(">II", 1, 1568) + bytes(n % 251 for n in range(1560)))
    put("dump_completion", "short", bytes(287))


# --- Storage of a Linux kernel, for its VMCOREINFO and its messages ------------------------------

def kernels():
    sys.path.insert(0, str(TOP / "tests" / "dump"))
    import kernelwrite

    def file_name(name):
        return "".join(c if c.isalnum() else "_" for c in name)
    rows = {**kernelwrite.VALID, **{name: row[0] for name, row in kernelwrite.HOSTILE.items()}}
    for name, make in rows.items():
        data = kernelwrite.records_of(bytes(make().mem))
        put("dump_printk", file_name(name), data)
        if any(word in name for word in ("os_info", "page", "note", "none", "few")):
            put("dump_vmcoreinfo", file_name(name), data)


if __name__ == "__main__":
    headers()
    images()
    ipibs()
    certificates()
    key_hashes()
    codes()
    tables()
    state_descriptions()
    services()
    calls()
    protected_guests()
    ipls()
    dumps()
    kernels()
