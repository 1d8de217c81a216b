/* SPDX-License-Identifier: MIT */
/*
 * Address kinds that must not mix (STYLE 4). Each is a one-member struct: a real address where
 * an absolute one is due does not compile.
 */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H

#include <stdbool.h>
#include <stdint.h>

#define PAGE_BYTES 4096u

typedef struct {
	uint64_t v;
} vaddr_t; /* guest logical or virtual, before DAT */
typedef struct {
	uint64_t v;
} raddr_t; /* guest real, before prefixing */
typedef struct {
	uint64_t v;
} gaddr_t; /* guest absolute: what a hypervisor sees, and what an image's offsets are */
typedef struct {
	uint64_t v;
} haddr_t; /* host absolute of the emulated machine */

static inline gaddr_t gaddr(uint64_t v)
{
	return (gaddr_t){ v };
}

static inline bool page_aligned(uint64_t v)
{
	return v % PAGE_BYTES == 0;
}

/* Rounds up to a page. The caller excludes values above UINT64_MAX - 4095. */
static inline uint64_t page_round_up(uint64_t v)
{
	return (v + PAGE_BYTES - 1) & ~(uint64_t)(PAGE_BYTES - 1);
}

#endif
