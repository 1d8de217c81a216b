// SPDX-License-Identifier: MIT
/*
 * The IPL information block.
 */
#include "fuzz.h"
#include "ipib.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct ipib ipib;
	uint64_t before = 0;

	if (ipib_parse(data, len, &ipib, NULL) != 0)
		return 0;
	FUZZ_CHECK(ipib.ncomps >= 1 && ipib.ncomps <= IPIB_MAX_COMPS);
	FUZZ_CHECK((const uint8_t *)(ipib.comps + ipib.ncomps) <= data + len);
	for (size_t i = 0; i < ipib.ncomps; i++) {
		FUZZ_CHECK(be64_get(ipib.comps[i].addr) % 4096 == 0);
		FUZZ_CHECK(i == 0 || be64_get(ipib.comps[i].tweak_pref) > before);
		before = be64_get(ipib.comps[i].tweak_pref);
	}
	return 0;
}
