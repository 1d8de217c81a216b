/* SPDX-License-Identifier: MIT */
/*
 * A dump's storage out of a fuzzer's bytes: records as fuzz_image() takes them.
 */
#ifndef FUZZ_KERNEL_INPUT_H
#define FUZZ_KERNEL_INPUT_H

#include <string.h>

#include "err.h"
#include "fuzz.h"
#include "kernel.h"

struct kernel_input {
	uint8_t *image;
	size_t len;
	struct zpv_dump_range range;
	struct kernel_storage storage;
};

static int kernel_input_read(void *ctx, uint64_t addr, void *buf, size_t len, struct zpv_err *err)
{
	struct kernel_input *in = ctx;

	FUZZ_CHECK(len && len <= FUZZ_IMAGE_MAX);
	if (addr > in->len || len > in->len - addr)
		return err_set(err, ZPV_ERR_USAGE, "not in the dump");
	memcpy(buf, in->image + addr, len);
	return 0;
}

/* The caller frees image. */
static void kernel_input_make(struct kernel_input *in, const uint8_t *data, size_t len)
{
	in->image = fuzz_image(data, len, &in->len);
	in->range = (struct zpv_dump_range){ 0, in->len };
	in->storage = (struct kernel_storage){ kernel_input_read, in, &in->range, 1 };
}

#endif
