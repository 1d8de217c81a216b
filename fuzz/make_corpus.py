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


if __name__ == "__main__":
    headers()
    images()
    ipibs()
    certificates()
    key_hashes()
