/* SPDX-License-Identifier: MIT */
/*
 * What the fuzz targets share. A target is a file with LLVMFuzzerTestOneInput(); it links to
 * libFuzzer, or to replay.c, which runs it over its corpus.
 *
 * What an image's header authenticates would keep a fuzzer out of everything behind it. So inputs
 * carry the encrypted area as plaintext, and the target seals it with FUZZ_KEY.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* For replay.c, which is no target and must not look like one to scripts/fuzz. */
static inline void fuzz_run(const uint8_t *data, size_t len)
{
	(void)LLVMFuzzerTestOneInput(data, len);
}

struct se_hdr;
struct secret;

/* Stops the process when an invariant does not hold, in any kind of build. */
#define FUZZ_CHECK(cond)                  \
	do {                              \
		if (!(cond))              \
			__builtin_trap(); \
	} while (0)

#define FUZZ_IMAGE_MAX (1u << 20)

/*
 * Builds an image from records of be32 offset, be16 length and bytes: images are mostly zeros.
 * What exceeds FUZZ_IMAGE_MAX ends it. Returns memory that the caller frees.
 */
uint8_t *fuzz_image(const uint8_t *data, size_t len, size_t *image_len);

/*
 * Takes the header's area (in hdr_bytes, writable) for plaintext and seals it with the fixed
 * key, which the caller frees.
 */
struct secret *fuzz_seal(const struct se_hdr *hdr, uint8_t *hdr_bytes);

#endif
