// SPDX-License-Identifier: MIT
/*
 * Host-key documents, PEM and DER.
 */
#include <string.h>

#include "fuzz.h"
#include "hostkey_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct zpv_hostkey *hk = NULL;
	struct zpv_err err = { 0 };
	int rc = hostkey_parse(data, len, "input", NULL, &hk, &err);

	FUZZ_CHECK(rc == 0 || (rc == -err.code && !hk && err.text[0]));
	if (hk) {
		FUZZ_CHECK(hostkey_key(hk) && hostkey_cert(hk));
		FUZZ_CHECK(strcmp(zpv_hostkey_path(hk), "input") == 0);
		(void)zpv_hostkey_simulated(hk);
	}
	zpv_hostkey_free(hk);
	return 0;
}
