// SPDX-License-Identifier: MIT
/*
 * VMCOREINFO in a guest's storage: where it may be, and its lines.
 */
#include <stdlib.h>

#include "kernel_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	AUTO_BUF text = BUF_INIT;
	struct kernel_input in;
	struct vmcoreinfo v;
	uint64_t number;
	size_t n = 0;

	kernel_input_make(&in, data, len);
	FUZZ_CHECK(vmcoreinfo_find(&in.storage, &text, NULL) == 0);
	v = (struct vmcoreinfo){ (const char *)text.data, text.len };
	if (text.len) {
		const char *line = vmcoreinfo_line(&v, "OSRELEASE", &n);

		/* An empty first line is none: then a later one may be it. */
		FUZZ_CHECK(text.len >= 10 && memchr(text.data, 0, text.len) == NULL);
		FUZZ_CHECK(!line || (line >= v.text && n <= text.len));
	}
	if (vmcoreinfo_number(&v, "SYMBOL(prb)", 16, &number))
		FUZZ_CHECK(vmcoreinfo_line(&v, "SYMBOL(prb)", &n) && n > 0);
	free(in.image);
	return 0;
}
