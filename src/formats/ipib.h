/* SPDX-License-Identifier: MIT */
/*
 * The IPL information block of type 5: what a loader hands to the hypervisor by DIAGNOSE 308
 * subcode 8, and what an image carries. Layout: boot-ipl.md section 2.
 */
#ifndef FORMATS_IPIB_H
#define FORMATS_IPIB_H

#include <stdint.h>

#include "be.h"
#include "compiler.h"

struct zpv_err;

#define IPIB_MAX_BYTES 4096u
#define IPIB_PBT_PV    5
#define IPIB_MIN_BYTES 148u /* what hypervisors accept at least */

struct ipib_head {
	be32 len;		/* 0x00  of the whole block, bytes */
	uint8_t flags;		/* 0x04 */
	uint8_t reserved05[2];	/* 0x05 */
	uint8_t version;	/* 0x07 */
	be32 blk0_len;		/* 0x08  of everything from here on */
	uint8_t pbt;		/* 0x0c  block type */
	uint8_t blk0_flags;	/* 0x0d */
	uint8_t reserved0e[2];	/* 0x0e */
	uint8_t loadparm[8];	/* 0x10  EBCDIC */
	uint8_t reserved18[87]; /* 0x18 */
	uint8_t blk0_version;	/* 0x6f */
	be32 reserved70;	/* 0x70 */
	be32 num_comp;		/* 0x74 */
	be64 pv_hdr_addr;	/* 0x78  absolute address of the SE header */
	be64 pv_hdr_size;	/* 0x80  bytes */
};
LAYOUT_SIZE(struct ipib_head, 0x88);
LAYOUT_AT(struct ipib_head, blk0_len, 0x08);
LAYOUT_AT(struct ipib_head, blk0_version, 0x6f);
LAYOUT_AT(struct ipib_head, num_comp, 0x74);
LAYOUT_AT(struct ipib_head, pv_hdr_addr, 0x78);

struct ipib_comp {
	be64 tweak_pref; /* 0x00 */
	be64 addr;	 /* 0x08  absolute, page aligned */
	be64 len;	 /* 0x10  bytes */
};
LAYOUT_SIZE(struct ipib_comp, 24);

#define IPIB_MAX_COMPS ((IPIB_MAX_BYTES - sizeof(struct ipib_head)) / sizeof(struct ipib_comp))

static inline size_t ipib_size(size_t ncomps)
{
	return sizeof(struct ipib_head) + ncomps * sizeof(struct ipib_comp);
}

/* A block that was found consistent in a buffer that the caller keeps. */
struct ipib {
	const struct ipib_head *head;
	const struct ipib_comp *comps;
	size_t ncomps;
};

/*
 * Checks what a hypervisor checks at subcode 8 (except that the header is readable), and that the
 * components lie inside the block. len may exceed the block.
 * Return: 0; -ZPV_ERR_FORMAT naming the value found and the one expected.
 */
int ipib_parse(const uint8_t *buf, size_t len, struct ipib *out, struct zpv_err *err) MUST_CHECK;

/* Fills head for ncomps components that follow it; everything that is not given is zero. */
void ipib_fill(struct ipib_head *head, size_t ncomps, uint64_t pv_hdr_addr, uint64_t pv_hdr_size);

#endif
