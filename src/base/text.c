// SPDX-License-Identifier: MIT
/*
 * Hexadecimal and base64 (RFC 4648 section 4).
 */
#include "text.h"

#include <stdlib.h>
#include <string.h>

#include "err.h"

char *hex_encode(const uint8_t *data, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[data[i] >> 4];
		out[2 * i + 1] = digits[data[i] & 15];
	}
	out[2 * len] = '\0';
	return out;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool hex_decode(const char *text, size_t text_len, uint8_t *out, size_t len)
{
	if (text_len != 2 * len)
		return false;
	for (size_t i = 0; i < len; i++) {
		int hi = hex_digit(text[2 * i]);
		int lo = hex_digit(text[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return false;
		out[i] = (uint8_t)(hi << 4 | lo);
	}
	return true;
}

char *base64_encode(const uint8_t *data, size_t len)
{
	static const char set[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *out = malloc(4 * ((len + 2) / 3) + 1);
	char *p = out;

	if (!out)
		return NULL;
	for (size_t i = 0; i < len; i += 3) {
		size_t left = len - i;
		uint32_t v = (uint32_t)data[i] << 16 | (left > 1 ? (uint32_t)data[i + 1] << 8 : 0) |
			     (left > 2 ? data[i + 2] : 0);

		*p++ = set[v >> 18];
		*p++ = set[v >> 12 & 63];
		*p++ = left > 1 ? set[v >> 6 & 63] : '=';
		*p++ = left > 2 ? set[v & 63] : '=';
	}
	*p = '\0';
	return out;
}

int parse_hex_u64(const char *text, uint64_t *out, struct zpv_err *err)
{
	const char *digits = text;
	size_t len;
	uint64_t v = 0;

	if (digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X'))
		digits += 2;
	len = strlen(digits);
	if (len < 1 || len > 16)
		return err_set(err, ZPV_ERR_USAGE,
			       "'%s' is not a number of 1 to 16 hexadecimal digits", text);
	for (size_t i = 0; i < len; i++) {
		int d = hex_digit(digits[i]);

		if (d < 0)
			return err_set(err, ZPV_ERR_USAGE, "'%s' is not a hexadecimal number",
				       text);
		v = v << 4 | (uint64_t)d;
	}
	*out = v;
	return 0;
}
