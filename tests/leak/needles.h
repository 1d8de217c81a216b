/* SPDX-License-Identifier: MIT */
/*
 * What a guest was given to hide, and the search for it.
 *
 * An item is a byte string. Any 8 consecutive bytes of it are a hit, in either byte order (registers
 * lie about as host integers), and text also in EBCDIC and as hexadecimal digits.
 */
#ifndef TESTS_LEAK_NEEDLES_H
#define TESTS_LEAK_NEEDLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zpv/error.h>

#include "compiler.h"

#define NEEDLE_BYTES 8u
#define MAX_ITEMS    32u /* they are bits of a mask */

enum item_kind {
	ITEM_SECRET,  /* may be nowhere */
	ITEM_WORDS,   /* the same, words of 4 bytes: searched for in small places only */
	ITEM_SHARED,  /* is in a page that the guest shares, for as long as it shares it */
	ITEM_CONSOLE, /* the guest prints it */
};

struct item {
	enum item_kind kind;
	char name[40];
	uint8_t *bytes;
	size_t len;
};

struct needles {
	struct item items[MAX_ITEMS];
	size_t nitems;
	struct needle *table;
	size_t nneedles;
	uint64_t *filter; /* a bit for each hash of a needle */
};

/*
 * Reads lines "KIND NAME HEX". Return: 0; -ZPV_ERR_IO; -ZPV_ERR_FORMAT a line, or two items that
 * have a needle in common.
 */
int needles_read(const char *path, struct needles *out, struct zpv_err *err) MUST_CHECK;
void needles_free(struct needles *n);

/* Items found, as a mask. small: words of 4 bytes too. */
uint32_t needles_search(const struct needles *n, const uint8_t *data, size_t len, bool small)
	MUST_CHECK;
/* Items of these kinds; enum item_kind as bits. */
uint32_t needles_of(const struct needles *n, unsigned int kinds);

#endif
