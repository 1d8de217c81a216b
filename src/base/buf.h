/* SPDX-License-Identifier: MIT */
/*
 * A growable byte buffer for texts and small files. Not for secrets: it reallocates.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

#include "compiler.h"

struct zpv_err;

struct buf {
	uint8_t *data;
	size_t len;
	size_t room;
};

#define BUF_INIT           \
	{                  \
		NULL, 0, 0 \
	}

/* Releases the bytes; the struct itself belongs to the caller and is empty afterwards. */
void buf_free(struct buf *b);

UNUSED static inline void buf_auto_free(struct buf *b)
{
	buf_free(b);
}

#define AUTO_BUF __attribute__((cleanup(buf_auto_free))) struct buf

/* Returns a place for len bytes at the end, already counted in b->len, or NULL without memory. */
uint8_t *buf_extend(struct buf *b, size_t len);

int buf_append(struct buf *b, const void *data, size_t len, struct zpv_err *err) MUST_CHECK;

#endif
