/* SPDX-License-Identifier: MIT */
/*
 * Secret memory: keys live here and nowhere else (STYLE 8).
 *
 * Each secret has pages of its own: locked (never in swap), left out of core dumps, not passed to
 * a child, with an inaccessible page on either side, and cleansed before they are given back.
 * There is no printer. When the limit of locked memory is reached, making one fails.
 */
#ifndef CRYPTO_SECRET_H
#define CRYPTO_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"

struct secret;
struct zpv_err;

/* All zeros. Return: 0; -ZPV_ERR_NOMEM. */
int secret_new(size_t len, struct secret **out, struct zpv_err *err) MUST_CHECK;

/* From the private random generator. */
int secret_random(size_t len, struct secret **out, struct zpv_err *err) MUST_CHECK;

/* A copy; the caller cleanses what it copied from. */
int secret_copy(const uint8_t *data, size_t len, struct secret **out, struct zpv_err *err)
	MUST_CHECK;

/*
 * Reads a file that must hold exactly len bytes; `what` names the key in the error text.
 * Return: 0; -ZPV_ERR_IO; -ZPV_ERR_KEY another size, or not readable as a key.
 */
int secret_read_file(const char *path, const char *what, size_t len, struct secret **out,
		     struct zpv_err *err) MUST_CHECK;

size_t secret_len(const struct secret *s);
const uint8_t *secret_bytes(const struct secret *s);
uint8_t *secret_data(struct secret *s);

/* In constant time. */
bool secret_equal(const struct secret *a, const struct secret *b);

void secret_free(struct secret *s);
DEFINE_AUTO(secret)

#endif
