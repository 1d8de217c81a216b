/* SPDX-License-Identifier: MIT */
/*
 * AES-256-XTS (IEEE 1619) over 4 KiB pages.
 *
 * The 16 tweak bytes of a page are be64(prefix) || be64(offset), used as they are.
 */
#ifndef CRYPTO_AES_XTS_H
#define CRYPTO_AES_XTS_H

#include <stddef.h>
#include <stdint.h>

#include "compiler.h"

#define XTS_KEY_BYTES	64
#define XTS_TWEAK_BYTES 16

struct secret;
struct xts;
struct zpv_err;

enum xts_direction { XTS_DECRYPT, XTS_ENCRYPT };

/*
 * key: data key || tweak key, 64 bytes. Return: 0; -ZPV_ERR_KEY both halves are the same, which
 * XTS does not allow; -ZPV_ERR_CRYPTO.
 */
int xts_new(const struct secret *key, enum xts_direction dir, struct xts **out, struct zpv_err *err)
	MUST_CHECK;

/* One page each: tweak prefix, then offset, offset + 4096, ... in and out may be the same. */
int xts_pages(struct xts *x, uint64_t prefix, uint64_t offset, const uint8_t *in, uint8_t *out,
	      size_t npages, struct zpv_err *err) MUST_CHECK;

void xts_free(struct xts *x);
DEFINE_AUTO(xts)

#endif
