/* SPDX-License-Identifier: MIT */
/*
 * The head of the IPL parameter block, type 5 (protected virtualization). The components follow.
 *
 * boot-ipl.md section 2. Integers are big-endian, as everything on this machine.
 */
#ifndef LOADER_IPIB_H
#define LOADER_IPIB_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

struct ipib {
	uint32_t len;  /* 0x00 */
	uint8_t flags; /* 0x04 */
	uint8_t reserved05[2];
	uint8_t version;   /* 0x07 */
	uint32_t blk0_len; /* 0x08 */
	uint8_t pbt;	   /* 0x0c  5 */
	uint8_t reserved0d[0x74 - 0x0d];
	uint32_t num_comp;    /* 0x74 */
	uint64_t pv_hdr_addr; /* 0x78  filled in by stage3a */
	uint64_t pv_hdr_size; /* 0x80  filled in by stage3a */
};
static_assert(offsetof(struct ipib, pbt) == 0x0c, "ipib");
static_assert(offsetof(struct ipib, num_comp) == 0x74, "ipib");
static_assert(offsetof(struct ipib, pv_hdr_addr) == 0x78, "ipib");
static_assert(offsetof(struct ipib, pv_hdr_size) == 0x80, "ipib");
static_assert(sizeof(struct ipib) == 0x88, "ipib");

#endif
