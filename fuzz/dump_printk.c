// SPDX-License-Identifier: MIT
/*
 * The messages of a hostile kernel: VMCOREINFO, its tables, its ring buffer. The ASCE is where the
 * prefix area of a first CPU has it.
 */
#include <stdlib.h>

#include "be.h"
#include "kernel_input.h"
#include "linux_core.h"

#define PREFIX 0x4000u

/* Every line that is printed has the time in front, and ends. */
struct seen {
	uint64_t bytes;
	char last;
};

static void see(void *ctx, const char *text, size_t len)
{
	struct seen *s = ctx;

	for (size_t i = 0; i < len; i++) {
		FUZZ_CHECK(s->bytes || i || text[i] == '[');
		s->last = text[i];
	}
	s->bytes += len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	AUTO_BUF text = BUF_INIT;
	struct seen seen = { 0, '\n' };
	struct zpv_err err = { 0 };
	struct kernel_input in;
	struct kernel_space space;
	struct vmcoreinfo v;
	uint64_t asce;
	be64 raw = { { 0 } };

	kernel_input_make(&in, data, len);
	FUZZ_CHECK(vmcoreinfo_find(&in.storage, &text, NULL) == 0);
	v = (struct vmcoreinfo){ (const char *)text.data, text.len };
	if (kernel_input_read(&in, PREFIX + LINUX_LC_KERNEL_ASCE, &raw, sizeof(raw), NULL) != 0)
		raw = (be64){ { 0 } };
	asce = be64_get(raw);
	FUZZ_CHECK(kernel_space_open(&space, &in.storage, &v, &asce, 1, &err) == 0);
	if (kernel_messages(&space, &v, see, &seen, &err) == 0)
		FUZZ_CHECK(seen.last == '\n');
	else
		FUZZ_CHECK(err.text[0]);
	/* A ring is not larger than the storage; a byte gives at most a line's prefix. */
	FUZZ_CHECK(seen.bytes <= 64ull * FUZZ_IMAGE_MAX);
	free(in.image);
	return 0;
}
