/* SPDX-License-Identifier: MIT */
/*
 * ASCII to EBCDIC, for the line mode console.
 */
#ifndef LOADER_EBCDIC_H
#define LOADER_EBCDIC_H

#include <stddef.h>
#include <stdint.h>

/* Translate @len characters to code page 500; what is not printable becomes a question mark. */
void ebcdic_from_ascii(uint8_t *dst, const char *src, size_t len);

#endif
