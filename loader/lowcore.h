/* SPDX-License-Identifier: MIT */
/*
 * The lowcore fields that the C files use.
 *
 * PoP ch. 3, "Assigned Storage Locations". The loaders run big-endian, so these are plain integers.
 */
#ifndef LOADER_LOWCORE_H
#define LOADER_LOWCORE_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "layout.h"

struct psw {
	uint64_t mask;
	uint64_t addr;
};

struct lowcore {
	uint8_t reserved000[0x80];
	uint32_t ext_params;   /* 0x080 */
	uint16_t ext_cpu_addr; /* 0x084 */
	uint16_t ext_code;     /* 0x086 */
	uint8_t reserved088[0xc8 - 0x88];
	uint32_t stfl_list; /* 0x0c8 */
	uint8_t reserved0cc[0x1d0 - 0xcc];
	struct psw pgm_new_psw; /* 0x1d0 */
	uint8_t reserved1e0[0xf00 - 0x1e0];
	uint64_t facility_list[32]; /* 0xf00: ours, see facility.c */
};
static_assert(offsetof(struct lowcore, ext_params) == 0x80, "lowcore");
static_assert(offsetof(struct lowcore, ext_code) == 0x86, "lowcore");
static_assert(offsetof(struct lowcore, stfl_list) == 0xc8, "lowcore");
static_assert(offsetof(struct lowcore, pgm_new_psw) == LC_PGM_NEW_PSW, "lowcore");
static_assert(offsetof(struct lowcore, facility_list) == LC_FACILITY_LIST, "lowcore");
static_assert(sizeof(struct lowcore) == 0x1000, "lowcore");

/* A pointer to a fixed address of which the compiler must not reason, as it would about NULL. */
static inline void *storage_at(uint64_t addr)
{
	void *p;

	__asm__("" : "=a"(p) : "0"(addr));
	return p;
}

static inline volatile struct lowcore *lowcore(void)
{
	return storage_at(0);
}

#endif
