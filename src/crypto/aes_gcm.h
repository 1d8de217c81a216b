/* SPDX-License-Identifier: MIT */
/*
 * AES-256-GCM with 12-byte IVs and 16-byte tags (NIST SP 800-38D).
 */
#ifndef CRYPTO_AES_GCM_H
#define CRYPTO_AES_GCM_H

#include <stddef.h>
#include <stdint.h>

#include "compiler.h"

#define GCM_KEY_BYTES 32
#define GCM_IV_BYTES  12
#define GCM_TAG_BYTES 16

struct secret;
struct zpv_err;

/* Encrypts len bytes; in and out may be the same. */
int aes_gcm_seal(const struct secret *key, const uint8_t iv[GCM_IV_BYTES], const uint8_t *aad,
		 size_t aad_len, const uint8_t *in, size_t len, uint8_t *out,
		 uint8_t tag[GCM_TAG_BYTES], struct zpv_err *err) MUST_CHECK;

/*
 * Decrypts len bytes into out, which stays all zeros unless the tag verifies.
 * Return: 0; -ZPV_ERR_KEY the tag does not match; -ZPV_ERR_CRYPTO.
 */
int aes_gcm_open(const struct secret *key, const uint8_t iv[GCM_IV_BYTES], const uint8_t *aad,
		 size_t aad_len, const uint8_t *in, size_t len, uint8_t *out,
		 const uint8_t tag[GCM_TAG_BYTES], struct zpv_err *err) MUST_CHECK;

#endif
