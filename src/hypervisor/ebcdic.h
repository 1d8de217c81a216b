/* SPDX-License-Identifier: MIT */
/*
 * EBCDIC (code page 500, the printable part) and ASCII, for what the architecture writes in EBCDIC.
 */
#ifndef HYPERVISOR_EBCDIC_H
#define HYPERVISOR_EBCDIC_H

#include <stddef.h>
#include <stdint.h>

/* Characters without a counterpart become '.'. */
void ebcdic_to_ascii(const uint8_t *from, uint8_t *to, size_t len);

/* Characters without a counterpart become blanks. */
void ebcdic_from_ascii(const uint8_t *from, uint8_t *to, size_t len);

/* Writes text padded with blanks to len bytes. */
void ebcdic_field(uint8_t *to, size_t len, const char *text);

#endif
