// SPDX-License-Identifier: MIT
/*
 * The text of /sys/firmware/uv/keys/all.
 */
#include "fuzz.h"
#include "image_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t hashes[ZPV_KEY_HASHES][ZPV_PHKH_BYTES];

	if (key_hashes_parse((const char *)data, len, hashes, NULL) == 0)
		FUZZ_CHECK(len >= ZPV_KEY_HASHES * 65 - 1);
	return 0;
}
