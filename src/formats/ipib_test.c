// SPDX-License-Identifier: MIT
/*
 * The IPL information block: what is filled in, and each bound with its message.
 */
#include "ipib.h"

#include "unit.h"

#define NONE SIZE_MAX

static void make(uint8_t buf[IPIB_MAX_BYTES], size_t n)
{
	struct ipib_comp *c = (void *)(buf + sizeof(struct ipib_head));

	memset(buf, 0, IPIB_MAX_BYTES);
	ipib_fill((void *)buf, n, 0x14000, 640);
	for (size_t i = 0; i < n && i < IPIB_MAX_COMPS; i++) {
		be64_set(&c[i].tweak_pref, (i + 1) << 48);
		be64_set(&c[i].addr, 0x15000 + i * 0x1000);
		be64_set(&c[i].len, 0x1000);
	}
}

static void put(uint8_t *at, size_t width, uint64_t value)
{
	while (width--) {
		at[width] = (uint8_t)value;
		value >>= 8;
	}
}

static void test_fill(void **state)
{
	static const struct {
		size_t off;
		uint64_t width, value;
		const char *name;
	} rows[] = {
		{ 0x00, 4, 136 + 24 * 3, "length" }, { 0x04, 1, 0, "flags" },
		{ 0x07, 1, 1, "version" },	     { 0x08, 4, 128 + 24 * 3, "block length" },
		{ 0x0c, 1, 5, "block type" },	     { 0x0d, 1, 0, "block flags" },
		{ 0x10, 8, 0, "load parameter" },    { 0x6f, 1, 1, "block version" },
		{ 0x74, 4, 3, "components" },	     { 0x78, 8, 0x123456789a, "header address" },
		{ 0x80, 8, 720, "header size" },
	};
	uint8_t buf[136];

	(void)state;
	memset(buf, 0xff, sizeof(buf));
	ipib_fill((void *)buf, 3, 0x123456789a, 720);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t v = 0;

		for (size_t k = 0; k < rows[i].width; k++)
			v = v << 8 | buf[rows[i].off + k];
		row_int(rows[i].name, v, rows[i].value);
	}
	for (size_t i = 0x18; i < 0x6f; i++)
		assert_int_equal(buf[i], 0);
}

static void test_good(void **state)
{
	static const struct {
		const char *name;
		size_t n, len, ipib_len;
	} rows[] = {
		{ "one", 1, 160, 160 },
		{ "four", 4, 232, 232 },
		{ "the most", 165, 4096, 4096 },
		{ "a page", 4, 4096, 4096 },
		{ "more is there", 2, 4000, 184 },
	};
	uint8_t buf[IPIB_MAX_BYTES];

	(void)state;
	assert_int_equal(IPIB_MAX_COMPS, 165);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct zpv_err err = { 0 };
		struct ipib ipib;

		make(buf, rows[i].n);
		put(buf, 4, rows[i].ipib_len);
		row_ok(rows[i].name, ipib_parse(buf, rows[i].len, &ipib, &err), err);
		row_int(rows[i].name, ipib.ncomps, rows[i].n);
		row_true(rows[i].name, (const uint8_t *)ipib.comps == buf + 136);
		row_int(rows[i].name, be64_get(ipib.comps[rows[i].n - 1].addr),
			0x14000 + rows[i].n * 0x1000);
	}
}

#define I "Invalid IPL information block: "

static const struct bad {
	const char *name;
	size_t n, offset, width; /* width 0: nothing is changed */
	uint64_t value;
	size_t len; /* bytes that are there, NONE: all */
	const char *text;
} bad[] = {
	{ "nothing", 2, 0, 0, 0, 0, I "0 bytes, at least 136" },
	{ "135 bytes", 2, 0, 0, 0, 135, I "135 bytes, at least 136" },
	{ "136 bytes of 184", 2, 0, 0, 0, 136, I "length 184, not 148 to 136" },
	{ "one byte missing", 2, 0, 0, 0, 183, I "length 184, not 148 to 183" },
	{ "length 0", 2, 0, 4, 0, NONE, I "length 0, not 148 to 4096" },
	{ "length 147", 2, 0, 4, 147, NONE, I "length 147, not 148 to 4096" },
	{ "length 148", 2, 0, 4, 148, NONE, I "2 components, not 1 to 0" },
	{ "length 4097", 2, 0, 4, 4097, NONE, I "length 4097, not 148 to 4096" },
	{ "length 2^32-1", 2, 0, 4, UINT32_MAX, NONE, I "length 4294967295, not 148 to 4096" },
	{ "type 0", 2, 12, 1, 0, NONE, I "type 0, not 5" },
	{ "type 255", 2, 12, 1, 255, NONE, I "type 255, not 5" },
	{ "no components", 2, 0x74, 4, 0, NONE, I "0 components, not 1 to 2" },
	{ "one too many", 2, 0x74, 4, 3, NONE, I "3 components, not 1 to 2" },
	{ "components that would wrap", 2, 0x74, 4, UINT32_MAX, NONE,
	  I "4294967295 components, not 1 to 2" },
	{ "166 components in 4096 bytes", 166, 0, 4, 4096, NONE, I "166 components, not 1 to 165" },
	{ "header 8193", 2, 0x80, 8, 8193, NONE, I "an SE header of 0x2001 bytes, at most 0x2000" },
	{ "header 2^64-1", 2, 0x80, 8, UINT64_MAX, NONE,
	  I "an SE header of 0xffffffffffffffff bytes, at most 0x2000" },
	{ "first off a page", 2, 0x90, 8, 0x15001, NONE,
	  I "component 0 at 0x15001, not on a page boundary" },
	{ "second off a page", 2, 0x90 + 24, 8, 0x16800, NONE,
	  I "component 1 at 0x16800, not on a page boundary" },
	{ "equal tweaks", 2, 0x88 + 24, 8, 1ull << 48, NONE,
	  I "the tweak prefix of component 1 does not exceed the one before" },
	{ "falling tweaks", 3, 0x88 + 48, 8, 1, NONE,
	  I "the tweak prefix of component 2 does not exceed the one before" },
};

static void test_bad(void **state)
{
	uint8_t buf[IPIB_MAX_BYTES + 100];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		const struct bad *b = &bad[i];
		size_t len = b->len == NONE ? IPIB_MAX_BYTES : b->len;
		struct zpv_err err = { 0 };
		struct ipib ipib = { .ncomps = 77 };
		uint8_t *copy = malloc(len + 1);

		row_true(b->name, copy != NULL);
		make(buf, b->n);
		put(buf + b->offset, b->width, b->value);
		memcpy(copy, buf, len);
		row_err(b->name, ipib_parse(copy, len, &ipib, &err), err, ZPV_ERR_FORMAT, b->text);
		row_int(b->name, ipib.ncomps, 77);
		free(copy);
	}
}

/* What hypervisors do not look at does not matter here either. */
static void test_not_checked(void **state)
{
	static const struct {
		const char *name;
		size_t offset, width;
		uint64_t value;
	} rows[] = {
		{ "block length", 8, 4, 0 },	    { "version", 7, 1, 0 },
		{ "block version", 0x6f, 1, 0 },    { "header address", 0x78, 8, UINT64_MAX },
		{ "header size 0", 0x80, 8, 0 },    { "header size 8192", 0x80, 8, 8192 },
		{ "component size 1", 0x98, 8, 1 },
	};
	uint8_t buf[IPIB_MAX_BYTES];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct zpv_err err = { 0 };
		struct ipib ipib;

		make(buf, 2);
		put(buf + rows[i].offset, rows[i].width, rows[i].value);
		row_ok(rows[i].name, ipib_parse(buf, sizeof(buf), &ipib, &err), err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fill),
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_not_checked),
	};

	return cmocka_run_group_tests_name("formats/ipib", tests, NULL, NULL);
}
