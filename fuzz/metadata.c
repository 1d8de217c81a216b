// SPDX-License-Identifier: MIT
/*
 * Image metadata.
 */
#include "fuzz.h"
#include "se_img.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint64_t hdr, ipib;
	uint32_t version;

	if (se_img_meta_parse(data, len, &hdr, &ipib, &version))
		FUZZ_CHECK(len >= sizeof(struct se_img_meta));
	return 0;
}
