/* SPDX-License-Identifier: MIT */
/*
 * Random access to an image: a file, or bytes in memory (a pipe's first MiB, a fuzzer's input).
 */
#ifndef IMAGE_SOURCE_H
#define IMAGE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "compiler.h"

struct source;
struct zpv_err;

int source_open(const char *path, struct source **out, struct zpv_err *err) MUST_CHECK;

/* Borrows data. */
int source_from_memory(const uint8_t *data, size_t len, struct source **out, struct zpv_err *err)
	MUST_CHECK;

/* Reads what is there of len bytes at off; *got is less only at the end. */
int source_read(const struct source *s, void *data, size_t len, uint64_t off, size_t *got,
		struct zpv_err *err) MUST_CHECK;

uint64_t source_size(const struct source *s);

/* True when only the beginning of a pipe is at hand. */
bool source_is_partial(const struct source *s);

void source_free(struct source *s);
DEFINE_AUTO(source)

#endif
