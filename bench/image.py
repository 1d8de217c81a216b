# SPDX-License-Identifier: MIT
"""
Sealing and verifying an image against one SHA-512 stream over the same bytes, which neither can
beat: the page list digest is such a stream.
"""
import os

from harness import MIB, Command, Pair

NAMES = ("create", "verify")
TARGET = 1.25


def unlink(path):
    if os.path.exists(path):
        os.unlink(path)


def room_for(size):
    """Ramdisk, an image to verify, and one that is being made."""
    return 3 * size + 64 * MIB


def make_key(bench):
    path = bench.path("hdr.key")
    with open(path, "wb") as f:
        f.write(os.urandom(32))
    return path


def create_command(bench, ramdisk, key):
    """All of it but the output."""
    golden = os.path.join(bench.source, "tests", "golden", "se-image")
    return [bench.zpv, "image", "create", "--quiet", "--no-verify",
            "-k", os.path.join(golden, "host1.crt"), "--hdr-key", key,
            "-i", os.path.join(golden, "kernel.bin"), "-r", ramdisk,
            "-p", os.path.join(golden, "parmfile"), "-o"]


def plan_create(bench, ramdisk, create):
    output = bench.path("output")
    ours = Command(create + [output], lambda: unlink(output), lambda: unlink(output))
    return Pair("create", f"seal a ramdisk of {bench.size // MIB} MiB of random bytes", bench.size,
                ours, Command([bench.openssl, "dgst", "-sha512", ramdisk]), TARGET)


def plan_verify(bench, create, key):
    image = bench.path("image")
    bench.call(*create, image)
    ours = [bench.zpv, "image", "info", "--quiet", "--hdr-key", key, "--verify", image]
    return Pair("verify", f"verify the image of that ramdisk ({bench.size // MIB} MiB)",
                os.path.getsize(image), Command(ours),
                Command([bench.openssl, "dgst", "-sha512", image]), TARGET)


def plan(bench, names):
    ramdisk, key = bench.random_file("ramdisk", bench.size), make_key(bench)
    create = create_command(bench, ramdisk, key)
    pairs = []
    if "create" in names:
        pairs.append(plan_create(bench, ramdisk, create))
    if "verify" in names:
        pairs.append(plan_verify(bench, create, key))
    return pairs
