// SPDX-License-Identifier: MIT
/*
 * Formatting of console lines. No assembler: the unit tests run it on the build machine.
 */
#include "format.h"

#include <stdint.h>

struct out {
	char *buf;
	size_t size;
	size_t len;
};

static void put_char(struct out *out, char c)
{
	if (out->len + 1 < out->size)
		out->buf[out->len++] = c;
}

static void put_string(struct out *out, const char *s)
{
	while (*s)
		put_char(out, *s++);
}

static void put_number(struct out *out, unsigned long value, unsigned int base)
{
	char digits[20]; /* 2^64 - 1 has 20 decimal digits */
	unsigned int n = 0;

	do {
		digits[n++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	while (n)
		put_char(out, digits[--n]);
}

size_t format(char *buf, size_t size, const char *fmt, va_list args)
{
	struct out out = { buf, size, 0 };
	unsigned long value;
	int is_long;

	for (; *fmt; fmt++) {
		if (*fmt != '%') {
			put_char(&out, *fmt);
			continue;
		}
		is_long = *++fmt == 'l';
		fmt += is_long;
		if (*fmt == 's') {
			put_string(&out, va_arg(args, const char *));
		} else if (*fmt == 'x' || *fmt == 'u') {
			value = is_long ? va_arg(args, unsigned long) : va_arg(args, unsigned int);
			put_number(&out, value, *fmt == 'x' ? 16 : 10);
		} else if (*fmt == '%') {
			put_char(&out, '%');
		} else {
			break;
		}
	}
	buf[out.len] = '\0';
	return out.len;
}
