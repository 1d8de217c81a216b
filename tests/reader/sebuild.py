# SPDX-License-Identifier: MIT
"""
A small builder of R-layout SE images, so that reader and tests have images with known faults.

Deterministic: every key and number comes from the caller. No product; checks nothing.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Optional, Sequence

import secrypt
import sehdr
import seread
from secrypt import Point
from sehdr import PAGE, be64, page_up
from seread import Component, Digests


@dataclass(frozen=True)
class Recipe:
    """Everything that goes into an image. stage3a and stage3b end with their argument blocks."""
    kernel: bytes
    stage3a: bytes
    stage3b: bytes
    hosts: Sequence[Point]
    header_key: bytes
    image_key: bytes
    cck: bytes
    ramdisk: Optional[bytes] = None
    cmdline: Optional[bytes] = None         # with its NUL
    ephemeral: int = 0x5EC0DE
    iv: bytes = bytes(range(12))
    tweak_low: int = 0x0123456789AB         # the 48 bits behind the kind
    pcf: int = 0xE0
    scf: int = 0


def pad_page(data: bytes) -> bytes:
    """Zero-pad to whole pages, at least one."""
    return data.ljust(max(page_up(len(data)), PAGE), b"\0")


def wrap_header_key(header_key: bytes, ephemeral: int, host: Point) -> bytes:
    """One key slot."""
    kek = sehdr.key_encryption_key(ephemeral, host)
    wrapped, tag = secrypt.gcm_encrypt(kek, bytes(12), b"", header_key)
    return sehdr.phkh_of(host) + wrapped + tag


def place_components(recipe: Recipe, first_addr: int) -> list[Component]:
    """Plain components with addresses and tweaks; stage3b still has no arguments."""
    content = {"kernel": recipe.kernel, "ramdisk": recipe.ramdisk, "cmdline": recipe.cmdline,
               "stage3b": recipe.stage3b}
    components, addr = [], first_addr
    for kind, role in seread.LAYOUT_R.roles.items():
        data = content[role]
        if data is None:
            continue
        plain = pad_page(data)
        components.append(Component(role, kind << 48 | recipe.tweak_low, addr, plain, plain,
                                    len(data)))
        addr += len(plain)
    return components


def stage3b_args(components: Sequence[Component]) -> bytes:
    """The 64-byte argument block."""
    place = {comp.role: (comp.addr, comp.size) for comp in components}
    words = [word for role in ("kernel", "cmdline", "ramdisk") for word in place.get(role, (0, 0))]
    return struct.pack(">8Q", *words, seread.PSW_MASK_64BIT, seread.KERNEL_ENTRY)


def seal_components(components: Sequence[Component], image_key: bytes, pcf: int) -> None:
    """Put the arguments into stage3b and encrypt all."""
    last = components[-1]
    last.plain = pad_page(last.content[:-seread.STAGE3B_ARGS_LEN] + stage3b_args(components))
    for comp in components:
        comp.stored = comp.plain
        if not pcf & sehdr.PCF_NOT_ENCRYPTED:
            comp.stored = secrypt.aes256_xts(image_key, comp.page_tweaks(), comp.plain, PAGE,
                                             decrypt=False)


def header_plain_part(recipe: Recipe, digests: Digests) -> bytes:
    """The authenticated part of the SE header."""
    nks = len(recipe.hosts)
    sehs = sehdr.SLOTS_OFF + sehdr.SLOT_LEN * nks + sehdr.AREA_LEN + secrypt.TAG_LEN
    head = struct.pack(">8sII12sIQQQQ", sehdr.HDR_MAGIC, sehdr.HDR_VERSION, sehs, recipe.iv, 0,
                       nks, sehdr.AREA_LEN, digests.nep, recipe.pcf)
    public = secrypt.point_mul(recipe.ephemeral, secrypt.P521_G)
    slots = [wrap_header_key(recipe.header_key, recipe.ephemeral, host) for host in recipe.hosts]
    return b"".join([head, sehdr.encode_coordinates(public), digests.pld, digests.ald,
                     digests.tld, *slots])


def build_header(recipe: Recipe, digests: Digests, psw_addr: int) -> bytes:
    """A complete SE header."""
    aad = header_plain_part(recipe, digests)
    area = recipe.cck + recipe.image_key + struct.pack(">QQQII", seread.PSW_MASK_64BIT, psw_addr,
                                                       recipe.scf, 0, 0)
    ciphertext, tag = secrypt.gcm_encrypt(recipe.header_key, recipe.iv, aad, area)
    return aad + ciphertext + tag


def build_ipib(components: Sequence[Component], hdr_off: int, sehs: int) -> bytes:
    """IPL parameter block as it lies in an R-layout file."""
    blk0_len = 128 + seread.IPIB_ENTRY_LEN * len(components)
    head = struct.pack(">IB2xBIB3x8s87xB4xIQQ", blk0_len + 8, 0, 1, blk0_len, seread.IPIB_PBT_PV,
                       bytes(8), 1, len(components), hdr_off, sehs)
    return head + b"".join(struct.pack(">QQQ", comp.tweak_pref, comp.addr, comp.padded)
                           for comp in components)


def put(image: bytearray, offset: int, data: bytes) -> None:
    """Write at an offset; a hole before it reads as zeros."""
    image.extend(bytes(max(0, offset + len(data) - len(image))))
    image[offset:offset + len(data)] = data


def build_image(recipe: Recipe) -> bytes:
    """An R-layout image."""
    stage3a_end = seread.STAGE3A_ADDR + len(recipe.stage3a)
    hdr_off = max(page_up(stage3a_end), seread.MIN_HDR_ADDR)
    sehs = (sehdr.SLOTS_OFF + sehdr.SLOT_LEN * len(recipe.hosts) + sehdr.AREA_LEN
            + secrypt.TAG_LEN)
    components = place_components(recipe, page_up(hdr_off + sehs))
    seal_components(components, recipe.image_key, recipe.pcf)
    ipib_off = components[-1].addr + components[-1].padded
    args_addr = stage3a_end - seread.STAGE3A_ARGS_LEN
    args = be64(hdr_off - args_addr) + be64(sehs) + be64(ipib_off - args_addr)

    image = bytearray()
    put(image, 0, be64(seread.SHORT_PSW))
    put(image, sehdr.METADATA_ADDR,
        sehdr.METADATA_MAGIC + struct.pack(">QIQ", hdr_off, 1, ipib_off))
    put(image, seread.STAGE3A_ADDR, recipe.stage3a[:-seread.STAGE3A_ARGS_LEN] + args)
    put(image, hdr_off, build_header(recipe, seread.compute_digests(components),
                                     components[-1].addr))
    for comp in components:
        put(image, comp.addr, comp.stored)
    put(image, ipib_off, build_ipib(components, hdr_off, sehs))
    return bytes(image)
