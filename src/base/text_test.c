// SPDX-License-Identifier: MIT
/*
 * Hexadecimal, base64 (RFC 4648 section 10), and hexadecimal arguments.
 */
#include "text.h"

#include "unit.h"

static void test_hex_encode(void **state)
{
	const uint8_t data[] = { 0x00, 0x0f, 0xf0, 0xff, 0x9a };
	char out[HEX_SIZE(sizeof(data)) + 1];

	(void)state;
	memset(out, '!', sizeof(out));
	assert_ptr_equal(hex_encode(data, sizeof(data), out), out);
	assert_string_equal(out, "000ff0ff9a");
	assert_int_equal(out[HEX_SIZE(sizeof(data))], '!');
	assert_string_equal(hex_encode(NULL, 0, out), "");
}

static void test_hex_decode(void **state)
{
	static const struct {
		const char *text;
		bool ok;
	} rows[] = {
		{ "00ff9a", true },   { "00FF9A", true },  { "00fF9a", true },	{ "00ff9", false },
		{ "00ff9ab", false }, { "", false },	   { "00ff9g", false }, { "00ff:9", false },
		{ "00ff 9", false },  { "0x00ff", false }, { "@@ff9a", false }, { "``ff9a", false },
	};
	static const uint8_t want[3] = { 0x00, 0xff, 0x9a };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t out[3] = { 1, 2, 3 };

		row_int(rows[i].text, hex_decode(rows[i].text, strlen(rows[i].text), out, 3),
			rows[i].ok);
		if (rows[i].ok)
			row_mem(rows[i].text, out, want, 3);
	}
	assert_true(hex_decode("", 0, NULL, 0));
}

static void test_base64(void **state)
{
	static const struct {
		const char *in, *want;
	} rows[] = {
		{ "", "" },
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
		{ "\xfb\xff\xfe", "+//+" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *out = base64_encode((const uint8_t *)rows[i].in, strlen(rows[i].in));

		row_str(rows[i].want, out, rows[i].want);
		free(out);
	}
}

static void test_parse_hex_u64(void **state)
{
	static const char few[] = "' is not a number of 1 to 16 hexadecimal digits";
	static const char bad[] = "' is not a hexadecimal number";
	static const struct {
		const char *text;
		uint64_t value;
		const char *error; /* behind the text */
	} rows[] = {
		{ "0", 0, NULL },
		{ "f", 15, NULL },
		{ "0x10", 16, NULL },
		{ "0X10", 16, NULL },
		{ "aBcDeF", 0xabcdef, NULL },
		{ "0000000000000000", 0, NULL },
		{ "0xffffffffffffffff", UINT64_MAX, NULL },
		{ "8000000000000000", 1ull << 63, NULL },
		{ "", 0, few },
		{ "0x", 0, few },
		{ "0x0000000000000000f", 0, few },
		{ "10000000000000000", 0, few },
		{ "x10", 0, bad },
		{ "-1", 0, bad },
		{ "+1", 0, bad },
		{ " 1", 0, bad },
		{ "1 ", 0, bad },
		{ "0x0x1", 0, bad },
		{ "12g", 0, bad },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct zpv_err err = { 0 };
		uint64_t v = 0x5a5a;
		int rc = parse_hex_u64(rows[i].text, &v, &err);
		char want[128];

		if (!rows[i].error) {
			row_ok(rows[i].text, rc, err);
			row_int(rows[i].text, v, rows[i].value);
			continue;
		}
		snprintf(want, sizeof(want), "'%s%s", rows[i].text, rows[i].error);
		row_err(rows[i].text, rc, err, ZPV_ERR_USAGE, want);
		row_int(rows[i].text, v, 0x5a5a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hex_encode),
		cmocka_unit_test(test_hex_decode),
		cmocka_unit_test(test_base64),
		cmocka_unit_test(test_parse_hex_u64),
	};

	return cmocka_run_group_tests_name("base/text", tests, NULL, NULL);
}
