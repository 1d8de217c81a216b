/* SPDX-License-Identifier: MIT */
/*
 * Wrapping the header protection key for one machine (se-image.md section 6.3).
 *
 *   KEK = X9.63 KDF(SHA-256, ECDH(own private key, peer's public key)), 32 bytes
 *   wrapped || tag = AES-256-GCM(KEK, IV of 12 zero bytes, header protection key)
 *
 * The owner has the ephemeral customer key, the machine its host key; Z is the same for both.
 */
#ifndef CRYPTO_HPK_H
#define CRYPTO_HPK_H

#include <stdint.h>

#include "aes_gcm.h"
#include "compiler.h"

#define HPK_BYTES 32

struct p521;
struct secret;
struct zpv_err;

int hpk_wrap(const struct p521 *cust_priv, const struct p521 *host_pub, const struct secret *hpk,
	     uint8_t wrapped[HPK_BYTES], uint8_t tag[GCM_TAG_BYTES], struct zpv_err *err)
	MUST_CHECK;

/* Return: 0; -ZPV_ERR_KEY the slot was made for another key, or changed. */
int hpk_unwrap(const struct p521 *host_priv, const struct p521 *cust_pub,
	       const uint8_t wrapped[HPK_BYTES], const uint8_t tag[GCM_TAG_BYTES],
	       struct secret **hpk, struct zpv_err *err) MUST_CHECK;

#endif
