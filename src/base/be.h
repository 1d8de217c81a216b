/* SPDX-License-Identifier: MIT */
/*
 * Big-endian integers of files and storage (STYLE 5): wrapper types of alignment 1, so that a
 * forgotten swap is a type error and a layout needs neither padding nor a packed attribute.
 */
#ifndef BASE_BE_H
#define BASE_BE_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
	uint8_t b[2];
} be16;
typedef struct {
	uint8_t b[4];
} be32;
typedef struct {
	uint8_t b[8];
} be64;

#define LAYOUT_SIZE(type, size) static_assert(sizeof(type) == (size), #type " has another size")
#define LAYOUT_AT(type, field, off) \
	static_assert(offsetof(type, field) == (off), #type "." #field " is misplaced")

/* Bits are numbered as in the Principles of Operation: 0 is the leftmost. */
#define BIT64(n) (1ull << (63 - (n)))

static inline uint16_t be16_get(be16 x)
{
	return (uint16_t)(x.b[0] << 8 | x.b[1]);
}

static inline uint32_t be32_get(be32 x)
{
	return (uint32_t)x.b[0] << 24 | (uint32_t)x.b[1] << 16 | (uint32_t)x.b[2] << 8 | x.b[3];
}

static inline uint64_t be64_get(be64 x)
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | x.b[i];
	return v;
}

static inline void be16_set(be16 *x, uint16_t v)
{
	x->b[0] = (uint8_t)(v >> 8);
	x->b[1] = (uint8_t)v;
}

static inline void be32_set(be32 *x, uint32_t v)
{
	for (int i = 3; i >= 0; i--, v >>= 8)
		x->b[i] = (uint8_t)v;
}

static inline void be64_set(be64 *x, uint64_t v)
{
	for (int i = 7; i >= 0; i--, v >>= 8)
		x->b[i] = (uint8_t)v;
}

#endif
