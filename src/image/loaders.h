/* SPDX-License-Identifier: MIT */
/*
 * The two boot loaders that go into an image: ours, or another vendor's from a folder.
 */
#ifndef IMAGE_LOADERS_H
#define IMAGE_LOADERS_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "compiler.h"

struct zpv_err;

struct loaders {
	struct buf stage3a, stage3b; /* copies whose argument blocks may be filled */
};

/*
 * dir NULL: the loaders of this library.
 * Return: 0; -ZPV_ERR_IO; -ZPV_ERR_FORMAT too small or too large to be one.
 */
int loaders_get(const char *dir, struct loaders *out, struct zpv_err *err) MUST_CHECK;

void loaders_free(struct loaders *l);

/* Made by the build from loader/. */
extern const uint8_t stage3a_blob[], stage3b_blob[];
extern const size_t stage3a_blob_size, stage3b_blob_size;

#endif
