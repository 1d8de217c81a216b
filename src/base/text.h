/* SPDX-License-Identifier: MIT */
/*
 * Bytes as text and back: lower-case hexadecimal and standard base64.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"

struct zpv_err;

#define HEX_SIZE(len) (2 * (len) + 1)

/* Writes 2 * len digits and a NUL to out. Returns out. */
char *hex_encode(const uint8_t *data, size_t len, char *out);

/* Decodes exactly len bytes from 2 * len digits of either case; false when they are not that. */
bool hex_decode(const char *text, size_t text_len, uint8_t *out, size_t len);

/* Returns a NUL-terminated string that the caller frees, or NULL without memory. */
char *base64_encode(const uint8_t *data, size_t len);

/*
 * Reads a 64-bit hexadecimal argument: optional 0x or 0X, then 1 to 16 digits and nothing else.
 */
int parse_hex_u64(const char *text, uint64_t *out, struct zpv_err *err) MUST_CHECK;

#endif
