// SPDX-License-Identifier: MIT
/*
 * Unit test of format.c and ebcdic.c, on the build machine.
 */
#include "ebcdic.h"
#include "format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

__attribute__((format(printf, 3, 4))) static size_t format_to(char *buf, size_t size,
							      const char *fmt, ...)
{
	va_list args;
	size_t len;

	va_start(args, fmt);
	len = format(buf, size, fmt, args);
	va_end(args);
	return len;
}

static void test_format(void **state)
{
	char buf[100];

	(void)state;
	assert_int_equal(format_to(buf, sizeof(buf), "plain 100%%"), 10);
	assert_string_equal(buf, "plain 100%");
	format_to(buf, sizeof(buf), "%s=0x%x, %u;", "rc", 0x10au, 0u);
	assert_string_equal(buf, "rc=0x10a, 0;");
	format_to(buf, sizeof(buf), "%lx %lu %lx", ~0ul, ~0ul, 0ul);
	assert_string_equal(buf, "ffffffffffffffff 18446744073709551615 0");
}

static void test_format_cuts_off(void **state)
{
	char buf[8] = "-------";

	(void)state;
	assert_int_equal(format_to(buf, 5, "%s", "abcdefgh"), 4);
	assert_string_equal(buf, "abcd");
	assert_int_equal(buf[5], '-');
	assert_int_equal(format_to(buf, 1, "%x", 5u), 0);
	assert_string_equal(buf, "");
}

/* 0x20..0x7e as translated by "iconv -f ASCII -t IBM500" (glibc 2.36) */
static const uint8_t code_page_500[95] = {
	0x40, 0x4f, 0x7f, 0x7b, 0x5b, 0x6c, 0x50, 0x7d, 0x4d, 0x5d, 0x5c, 0x4e, 0x6b, 0x60,
	0x4b, 0x61, 0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0x7a, 0x5e,
	0x4c, 0x7e, 0x6e, 0x6f, 0x7c, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9,
	0xd1, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xe2, 0xe3, 0xe4, 0xe5, 0xe6,
	0xe7, 0xe8, 0xe9, 0x4a, 0xe0, 0x5a, 0x5f, 0x6d, 0x79, 0x81, 0x82, 0x83, 0x84, 0x85,
	0x86, 0x87, 0x88, 0x89, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0xa2,
	0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xc0, 0xbb, 0xd0, 0xa1,
};

static void test_ebcdic_is_code_page_500(void **state)
{
	char ascii[sizeof(code_page_500)];
	uint8_t got[sizeof(code_page_500)];

	(void)state;
	for (size_t i = 0; i < sizeof(ascii); i++)
		ascii[i] = (char)(0x20 + i);
	ebcdic_from_ascii(got, ascii, sizeof(ascii));
	assert_memory_equal(got, code_page_500, sizeof(code_page_500));
}

static void test_ebcdic_unprintable(void **state)
{
	const char in[] = { 0x00, 0x1f, 0x7f, (char)0x80, (char)0xff, 'A' };
	const uint8_t want[] = { 0x6f, 0x6f, 0x6f, 0x6f, 0x6f, 0xc1 };
	uint8_t got[sizeof(in)];

	(void)state;
	ebcdic_from_ascii(got, in, sizeof(in));
	assert_memory_equal(got, want, sizeof(want));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_format_cuts_off),
		cmocka_unit_test(test_ebcdic_is_code_page_500),
		cmocka_unit_test(test_ebcdic_unprintable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
