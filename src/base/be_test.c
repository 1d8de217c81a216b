// SPDX-License-Identifier: MIT
/*
 * Big-endian fields and page arithmetic.
 */
#include "unit.h"

#include "addr.h"
#include "be.h"

static void test_get_and_set(void **state)
{
	static const struct {
		const char *name;
		uint64_t value;
		uint8_t bytes[8];
	} rows[] = {
		{ "zero", 0, { 0 } },
		{ "one", 1, { 0, 0, 0, 0, 0, 0, 0, 1 } },
		{ "each byte", 0x0123456789abcdef, { 1, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef } },
		{ "top bits",
		  0x8080808080808080,
		  { 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80 } },
		{ "all ones", UINT64_MAX, { 255, 255, 255, 255, 255, 255, 255, 255 } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *row = rows[i].name;
		uint8_t room[9] = { 0 };
		be64 *b64 = (void *)(room + 1); /* any alignment */
		be32 b32;
		be16 b16;

		be64_set(b64, rows[i].value);
		row_mem(row, b64->b, rows[i].bytes, 8);
		row_int(row, be64_get(*b64), rows[i].value);
		be32_set(&b32, (uint32_t)rows[i].value);
		row_mem(row, b32.b, rows[i].bytes + 4, 4);
		row_int(row, be32_get(b32), (uint32_t)rows[i].value);
		be16_set(&b16, (uint16_t)rows[i].value);
		row_mem(row, b16.b, rows[i].bytes + 6, 2);
		row_int(row, be16_get(b16), (uint16_t)rows[i].value);
	}
}

static void test_bits_count_from_the_left(void **state)
{
	(void)state;
	assert_int_equal(BIT64(0), 0x8000000000000000);
	assert_int_equal(BIT64(34), 0x20000000);
	assert_int_equal(BIT64(63), 1);
}

static void test_pages(void **state)
{
	static const struct {
		const char *name;
		uint64_t value, up;
		bool aligned;
	} rows[] = {
		{ "0", 0, 0, true },
		{ "1", 1, 4096, false },
		{ "4095", 4095, 4096, false },
		{ "4096", 4096, 4096, true },
		{ "4097", 4097, 8192, false },
		{ "beyond 32 bits", 0x100000001, 0x100001000, false },
		{ "largest", UINT64_MAX - 4095, UINT64_MAX - 4095, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		row_int(rows[i].name, page_round_up(rows[i].value), rows[i].up);
		row_int(rows[i].name, page_aligned(rows[i].value), rows[i].aligned);
	}
	assert_int_equal(gaddr(0x11000).v, 0x11000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_get_and_set),
		cmocka_unit_test(test_bits_count_from_the_left),
		cmocka_unit_test(test_pages),
	};

	return cmocka_run_group_tests_name("base/be", tests, NULL, NULL);
}
