/* SPDX-License-Identifier: MIT */
/*
 * Sealing and opening the SE header (se-image.md sections 6.1-6.3).
 */
#ifndef IMAGE_HDR_CRYPT_H
#define IMAGE_HDR_CRYPT_H

#include <stddef.h>
#include <stdint.h>

#include "compiler.h"
#include "digests.h"
#include "se_hdr.h"

struct p521;
struct secret;
struct zpv_err;

struct hdr_content {
	const struct secret *hpk;     /* header protection key */
	const struct secret *secrets; /* a struct se_hdr_secrets */
	const struct digest_set *digests;
	uint64_t pcf;
	const struct p521 *const *hosts; /* one slot each */
	const uint8_t *const *phkh;	 /* their hashes */
	size_t nhosts;
};

/* Writes se_hdr_size(nhosts) bytes to buf, with a fresh customer key and IV. */
int hdr_seal(const struct hdr_content *content, uint8_t *buf, struct zpv_err *err) MUST_CHECK;

/*
 * Authenticates and decrypts.
 * Return: 0 with a struct se_hdr_secrets; -ZPV_ERR_KEY; -ZPV_ERR_FORMAT optional items.
 */
int hdr_open(const struct se_hdr *hdr, const struct secret *hpk, struct secret **secrets,
	     struct zpv_err *err) MUST_CHECK;

/*
 * Finds the slot of a host's private key and unwraps the header protection key.
 * Return: 0; -ZPV_ERR_KEY no slot, a changed slot, or a customer key that is no point.
 */
int hdr_unwrap(const struct se_hdr *hdr, const struct p521 *host_priv, struct secret **hpk,
	       struct zpv_err *err) MUST_CHECK;

#endif
