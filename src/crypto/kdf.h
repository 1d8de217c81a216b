/* SPDX-License-Identifier: MIT */
/*
 * Key derivation: HKDF (RFC 5869) and the single-hash KDF of ANSI X9.63 with SHA-256.
 */
#ifndef CRYPTO_KDF_H
#define CRYPTO_KDF_H

#include <stddef.h>
#include <stdint.h>

#include "compiler.h"
#include "sha.h"

struct secret;
struct zpv_err;

/* Derives out_len bytes; salt and info may be NULL with length 0. */
int hkdf(enum sha_kind hash, const struct secret *ikm, const uint8_t *salt, size_t salt_len,
	 const uint8_t *info, size_t info_len, size_t out_len, struct secret **out,
	 struct zpv_err *err) MUST_CHECK;

int x963_kdf_sha256(const struct secret *z, const uint8_t *info, size_t info_len, size_t out_len,
		    struct secret **out, struct zpv_err *err) MUST_CHECK;

#endif
