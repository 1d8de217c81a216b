// SPDX-License-Identifier: MIT
/*
 * Guest storage out of a dump: each kind of page, holes, both ways to number entries, threads.
 */
#include <pthread.h>

#include "dump_file.h"
#include "dump_priv.h"
#include "sha.h"

static struct zpv_dump *open_dump(void *const *state, const struct df *f)
{
	struct zpv_dump *d = NULL;
	struct zpv_err err;

	df_write(state, f);
	row_ok("open", zpv_dump_open(unit_in(state, "dump").s, NULL, &d, &err), err);
	row_ok("unlock", zpv_dump_unlock(d, unit_in(state, "cck").s, &err), err);
	return d;
}

/* --- Entries --------------------------------------------------------------------------------- */

static void test_entries(void **state)
{
	static const struct {
		const char *name;
		uint8_t bytes[16];
		enum page_state want;
	} rows[] = {
		{ "component", { 1, 2, 3, 4, 5 }, PAGE_ENCRYPTED },
		{ "component of zeros", { 0 }, PAGE_ENCRYPTED },
		{ "three bytes ff", { 0xff, 0xff, 0xff, 0xfe, [15] = 0x80 }, PAGE_ENCRYPTED },
		{ "zero", { 0xff, 0xff, 0xff, 0xff, [15] = 1 }, PAGE_ZERO },
		{ "zero, mapped", { 0xff, 0xff, 0xff, 0xff, [15] = 5 }, PAGE_ZERO },
		{ "shared", { 0xff, 0xff, 0xff, 0xff, [15] = 2 }, PAGE_SHARED },
		{ "shared, mapped", { 0xff, 0xff, 0xff, 0xff, [15] = 6 }, PAGE_SHARED },
		{ "reserved bytes",
		  { 0xff, 0xff, 0xff, 0xff, 1, 2, 3, [13] = 9, [15] = 2 },
		  PAGE_SHARED },
		{ "nothing", { 0xff, 0xff, 0xff, 0xff, [15] = 0 }, PAGE_BAD },
		{ "mapped alone", { 0xff, 0xff, 0xff, 0xff, [15] = 4 }, PAGE_BAD },
		{ "zero and shared", { 0xff, 0xff, 0xff, 0xff, [15] = 3 }, PAGE_BAD },
		{ "reserved bit", { 0xff, 0xff, 0xff, 0xff, [15] = 9 }, PAGE_BAD },
		{ "highest bit", { 0xff, 0xff, 0xff, 0xff, [15] = 0x81 }, PAGE_BAD },
		{ "byte 14", { 0xff, 0xff, 0xff, 0xff, [14] = 1, [15] = 1 }, PAGE_BAD },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct pv_dump_entry e;

		memcpy(&e, rows[i].bytes, sizeof(e));
		row_int(rows[i].name, dump_entry_state(&e), rows[i].want);
	}
}

/* The known answer of pv-dump.md section 8, through a whole dump. */
static void test_known_page(void **state)
{
	static const uint8_t component[16] = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
					       0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff };
	static const struct df_spec spec = { .loads = { { 0, "e", 0 } }, .ncpus = 1 };
	AUTO_BYTES first =
		unit_hex("872ad76f31b0991cf21ec002c1d23197bb04d99086a0f021ca6593d6ccff5b9e");
	AUTO_BYTES digest =
		unit_hex("f8ab9ef3370e790bb7e8ca301b402ff86718f9a7d5797d6ad6a01d26140c3d7f");
	AUTO_DF f = df_build(&spec);
	uint8_t *page = f.data + f.memory;
	uint8_t got[DF_PAGE], want[DF_PAGE], sum[SHA256_BYTES];
	struct pv_dump_entry e;
	struct zpv_dump *d;
	struct zpv_err err;

	memset(want, 0x5a, sizeof(want));
	memset(page, 0x5a, DF_PAGE);
	memcpy(&e, component, sizeof(e));
	memcpy(f.data + f.meta, component, sizeof(e));
	df_encrypt(page, &e);
	row_mem("ciphertext", page, first.data, first.len);
	row_ok("sha", sha256(page, DF_PAGE, sum, &err), err);
	row_mem("sha", sum, digest.data, digest.len);
	d = open_dump(state, &f);
	row_ok("read", zpv_dump_read(d, 0, got, sizeof(got), &err), err);
	row_mem("plaintext", got, want, sizeof(want));
	zpv_dump_close(d);
}

/* --- Reading --------------------------------------------------------------------------------- */

static char kind_at(const struct df_spec *spec, uint64_t addr)
{
	for (const struct df_load *l = spec->loads; l->pages; l++)
		if (addr >= l->addr && addr < l->addr + strlen(l->pages) * DF_PAGE)
			return l->pages[(addr - l->addr) / DF_PAGE];
	return 'z';
}

/* Guest storage as it should be read, holes being zeros. */
static void want_bytes(const struct df_spec *spec, uint64_t addr, uint8_t *to, size_t len)
{
	for (size_t now; len; addr += now, to += now, len -= now) {
		uint64_t base = addr / DF_PAGE * DF_PAGE;
		uint8_t page[DF_PAGE];

		df_page(page, base, kind_at(spec, addr));
		now = DF_PAGE - (addr - base) < len ? DF_PAGE - (size_t)(addr - base) : len;
		memcpy(to, page + (addr - base), now);
	}
}

static const struct df_spec specs[] = {
	{ .loads = { { 0, "ezsSZezzeee", 0 } }, .ncpus = 1 },
	{ .loads = { { 0x100000, "ees", 0 }, { 0x4000, "zes", 0x3000 }, { 0x103000, "eS", 0 } },
	  .ncpus = 1 },
	{ .loads = { { 0x3000, "ees", 0 }, { 0x10000, "zes", 0 } }, .ncpus = 1, .by_addr = true },
	{ .loads = { { 0x2000, "ezs", 0x2000 } }, .ncpus = 1, .plain = true },
};

/* Every piece of every length that touches three pages' borders. */
static void test_read(void **state)
{
	static const size_t lens[] = { 1, 8, DF_PAGE - 1, DF_PAGE, DF_PAGE + 1, 2 * DF_PAGE + 5 };
	static uint8_t got[3 * DF_PAGE], want[3 * DF_PAGE];

	for (size_t s = 0; s < ARRAY_SIZE(specs); s++) {
		AUTO_DF f = df_build(&specs[s]);
		struct zpv_dump *d = open_dump(state, &f);
		struct zpv_err err;

		for (size_t i = 0; i < zpv_dump_ranges(d); i++) {
			struct zpv_dump_range r = zpv_dump_range(d, i);

			for (uint64_t at = r.start; at < r.start + r.bytes; at += 1021) {
				size_t len = lens[at % ARRAY_SIZE(lens)];

				if (len > r.start + r.bytes - at)
					len = (size_t)(r.start + r.bytes - at);
				row_ok("read", zpv_dump_read(d, at, got, len, &err), err);
				want_bytes(&specs[s], at, want, len);
				row_mem("read", got, want, len);
			}
		}
		zpv_dump_close(d);
	}
}

static void test_outside(void **state)
{
	AUTO_DF f = df_build(&specs[1]);
	struct zpv_dump *d = open_dump(state, &f);
	static uint8_t buf[4 * DF_PAGE];
	struct zpv_err err;

	/* 0x4000-0x9fff and 0x100000-0x104fff, the latter in two segments */
	row_ok("across segments", zpv_dump_read(d, 0x102ff0, buf, 32, &err), err);
	row_ok("nothing", zpv_dump_read(d, 0, buf, 0, &err), err);
	row_err("before", zpv_dump_read(d, 0x3fff, buf, 2, &err), err, ZPV_ERR_USAGE,
		"the dump does not have the 2 bytes at address 0x3fff");
	row_int("into the hole", zpv_dump_read(d, 0x9fff, buf, 2, &err), -ZPV_ERR_USAGE);
	row_int("behind", zpv_dump_read(d, 0x104fff, buf, 2, &err), -ZPV_ERR_USAGE);
	row_int("far", zpv_dump_read(d, UINT64_MAX, buf, 2, &err), -ZPV_ERR_USAGE);
	zpv_dump_close(d);
}

static void test_bad_page(void **state)
{
	static const struct df_spec spec = { .loads = { { 0x100000, "eese", 0 } }, .ncpus = 1 };
	AUTO_DF f = df_build(&spec);
	struct zpv_dump *d;
	struct zpv_err err;
	uint8_t page[DF_PAGE];

	f.data[f.meta + 2 * 16 + 15] = 0x0b;
	d = open_dump(state, &f);
	row_ok("the page before", zpv_dump_read(d, 0x101000, page, DF_PAGE, &err), err);
	row_err("the page", zpv_dump_read(d, 0x102008, page, 8, &err), err, ZPV_ERR_VERIFY,
		"the state of page 0x102000 (number 258) is damaged: bytes 14 and 15 of its entry are 00 "
		"0b, not 00 and one of 01 (zero), 02 (shared), 05, 06");
	row_int("whole", dump_check_pages(d, &err), -ZPV_ERR_VERIFY);
	zpv_dump_close(d);
}

/* The file became shorter after it was opened. */
static void test_shrunk(void **state)
{
	AUTO_DF f = df_build(&specs[3]);
	struct zpv_dump *d = open_dump(state, &f);
	struct zpv_err err;
	uint8_t byte;

	assert_int_equal(truncate(unit_in(state, "dump").s, 1000), 0);
	row_int("read", zpv_dump_read(d, 0x2000, &byte, 1, &err), -ZPV_ERR_VERIFY);
	zpv_dump_close(d);
}

struct reader {
	struct zpv_dump *d;
	bool ok;
};

static void *read_all(void *arg)
{
	struct reader *r = arg;
	static const size_t len = 11 * DF_PAGE;
	uint8_t *got = malloc(len), *want = malloc(len);

	r->ok = got && want;
	for (int i = 0; i < 50 && r->ok; i++) {
		struct zpv_err err;

		want_bytes(&specs[0], 0, want, len);
		r->ok = zpv_dump_read(r->d, 0, got, len, &err) == 0 && memcmp(got, want, len) == 0;
	}
	free(got);
	free(want);
	return NULL;
}

static void test_threads(void **state)
{
	AUTO_DF f = df_build(&specs[0]);
	struct zpv_dump *d = open_dump(state, &f);
	struct reader readers[4];
	pthread_t threads[4];

	for (int i = 0; i < 4; i++) {
		readers[i] = (struct reader){ d, false };
		assert_int_equal(pthread_create(&threads[i], NULL, read_all, &readers[i]), 0);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		assert_true(readers[i].ok);
	}
	zpv_dump_close(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entries), unit_test_dir(test_known_page),
		unit_test_dir(test_read),	unit_test_dir(test_outside),
		unit_test_dir(test_bad_page),	unit_test_dir(test_shrunk),
		unit_test_dir(test_threads),
	};

	return cmocka_run_group_tests_name("dump/pages", tests, NULL, NULL);
}
