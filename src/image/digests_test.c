// SPDX-License-Identifier: MIT
/*
 * The digests against their definition (se-image.md section 9), over more than one buffer. Sealing
 * and verifying share this code, so that neither would notice an error in it.
 */
#include "digests.h"

#include "be.h"
#include "sha.h"
#include "unit.h"

#define PAGE 4096

struct run {
	uint64_t addr, prefix, offset;
	size_t npages;
};

/* Page by page: content, address, tweak. */
static void define(const struct run *runs, size_t nruns, uint8_t want[3][SHA512_BYTES])
{
	struct sha *sha[3];
	struct zpv_err err;

	for (int i = 0; i < 3; i++)
		row_ok("sha", sha_new(SHA_512, &sha[i], &err), err);
	for (size_t r = 0; r < nruns; r++) {
		uint8_t *data = malloc(runs[r].npages * PAGE + 1);

		assert_non_null(data);
		unit_pattern(data, runs[r].npages * PAGE, (uint32_t)r);
		for (size_t p = 0; p < runs[r].npages; p++) {
			be64 v;

			sha_update(sha[0], data + p * PAGE, PAGE);
			be64_set(&v, runs[r].addr + p * PAGE);
			sha_update(sha[1], v.b, 8);
			be64_set(&v, runs[r].prefix);
			sha_update(sha[2], v.b, 8);
			be64_set(&v, runs[r].offset + p * PAGE);
			sha_update(sha[2], v.b, 8);
		}
		free(data);
	}
	for (int i = 0; i < 3; i++) {
		row_ok("sha", sha_final(sha[i], want[i], &err), err);
		sha_free(sha[i]);
	}
}

static void test_definition(void **state)
{
	static const struct {
		const char *name;
		struct run runs[4];
		size_t nruns;
		uint64_t nep;
	} rows[] = {
		{ "nothing", { { 0 } }, 0, 0 },
		{ "one page", { { 0x15000, 0x28ull << 48, 0, 1 } }, 1, 1 },
		{ "a whole buffer", { { 0x15000, 0x28ull << 48, 0, 64 } }, 1, 64 },
		{ "several buffers of two components",
		  { { 0x15000, 0x0028000000000001, 0, 64 },
		    { 0x55000, 0x0028000000000001, 0x40000, 64 },
		    { 0x95000, 0x0028000000000001, 0x80000, 3 },
		    { 0x98000, 0x0046ffffffffffff, 0, 2 } },
		  4,
		  133 },
		{ "beyond 4 GiB", { { 0x1fffff000, 1, 0x1fffea000, 2 } }, 1, 2 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(digests) struct digests *d = NULL;
		uint8_t want[3][SHA512_BYTES];
		struct digest_set got;
		struct zpv_err err;

		row_ok(rows[i].name, digests_new(&d, &err), err);
		for (size_t r = 0; r < rows[i].nruns; r++) {
			const struct run *run = &rows[i].runs[r];

			unit_pattern(digests_slot(d), run->npages * PAGE, (uint32_t)r);
			digests_submit(d, run->npages, run->addr, run->prefix, run->offset);
		}
		row_ok(rows[i].name, digests_final(d, &got, &err), err);
		define(rows[i].runs, rows[i].nruns, want);
		row_mem(rows[i].name, got.pld, want[0], SHA512_BYTES);
		row_mem(rows[i].name, got.ald, want[1], SHA512_BYTES);
		row_mem(rows[i].name, got.tld, want[2], SHA512_BYTES);
		row_int(rows[i].name, got.nep, rows[i].nep);
	}
}

static void test_free_early(void **state)
{
	struct digests *d;
	struct zpv_err err;

	(void)state;
	row_ok("new", digests_new(&d, &err), err);
	memset(digests_slot(d), 0, PAGE);
	digests_submit(d, 1, 0x15000, 1, 0);
	digests_free(d);
	digests_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_definition),
		cmocka_unit_test(test_free_early),
	};

	return cmocka_run_group_tests_name("image/digests", tests, NULL, NULL);
}
