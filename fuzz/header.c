// SPDX-License-Identifier: MIT
/*
 * The SE header: bounds, and opening it as it is and with a tag that matches.
 */
#include <string.h>

#include "fuzz.h"
#include "hdr_crypt.h"
#include <zpv/error.h>
#include "secret.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t copy[SE_HDR_MAX_BYTES];
	AUTO(secret) struct secret *key = NULL;
	AUTO(secret) struct secret *refused = NULL;
	AUTO(secret) struct secret *opened = NULL;
	struct zpv_err err;
	struct se_hdr hdr;
	int rc;

	if (se_hdr_parse(data, len, &hdr, NULL) != 0)
		return 0;
	FUZZ_CHECK(hdr.tag + SE_HDR_TAG_BYTES <= data + len);
	FUZZ_CHECK((const uint8_t *)(hdr.slots + hdr.nks) == hdr.area);
	if (len > sizeof(copy))
		len = sizeof(copy);
	memcpy(copy, data, len);
	FUZZ_CHECK(se_hdr_parse(copy, len, &hdr, NULL) == 0);
	key = fuzz_seal(&hdr, copy);
	rc = hdr_open(&hdr, key, &opened, &err);
	FUZZ_CHECK(rc == 0 || rc == -ZPV_ERR_FORMAT);
	if (opened)
		FUZZ_CHECK(memcmp(secret_bytes(opened), data + hdr.aad_len, hdr.sea) == 0);
	copy[hdr.aad_len - 1] ^= 1;
	FUZZ_CHECK(hdr_open(&hdr, key, &refused, &err) == -ZPV_ERR_KEY);
	return 0;
}
