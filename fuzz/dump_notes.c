// SPDX-License-Identifier: MIT
/*
 * The notes of a dump: sorted by CPU, each inside its segment.
 */
#include "dump_priv.h"
#include "fuzz.h"

static void check(const uint8_t *data, size_t len, struct dump_bytes b)
{
	FUZZ_CHECK(!b.data ||
		   (b.data >= data && b.len <= len && (size_t)(b.data - data) <= len - b.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct dump_notes n = { 0 };
	struct zpv_err err = { 0 };
	size_t npv = 0;
	int rc = dump_notes_add(&n, data, len, &err);

	FUZZ_CHECK(rc == 0 || rc == -ZPV_ERR_VERIFY);
	check(data, len, n.vmcoreinfo);
	for (size_t i = 0; i < n.ncpus; i++) {
		for (int k = 0; k < CPU_NOTES; k++)
			check(data, len, n.cpus[i].note[k]);
		npv += n.cpus[i].note[CPU_PV].data != NULL;
	}
	FUZZ_CHECK(npv <= n.npv);
	dump_notes_free(&n);
	return 0;
}
