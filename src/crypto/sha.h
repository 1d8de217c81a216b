/* SPDX-License-Identifier: MIT */
/*
 * SHA-256 and SHA-512 (FIPS 180-4), as streams and at once.
 */
#ifndef CRYPTO_SHA_H
#define CRYPTO_SHA_H

#include <stddef.h>
#include <stdint.h>

#include "compiler.h"

#define SHA256_BYTES 32
#define SHA512_BYTES 64

enum sha_kind { SHA_256, SHA_512 };

struct sha;
struct zpv_err;

int sha_new(enum sha_kind kind, struct sha **out, struct zpv_err *err) MUST_CHECK;

/* A failure of libcrypto is remembered and reported by sha_final(). */
void sha_update(struct sha *s, const void *data, size_t len);

/* Writes SHA256_BYTES or SHA512_BYTES; the stream is at an end. */
int sha_final(struct sha *s, uint8_t *digest, struct zpv_err *err) MUST_CHECK;

void sha_free(struct sha *s);
DEFINE_AUTO(sha)

int sha256(const void *data, size_t len, uint8_t digest[SHA256_BYTES], struct zpv_err *err)
	MUST_CHECK;

#endif
