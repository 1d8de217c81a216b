/* SPDX-License-Identifier: MIT */
/*
 * What the Ultravisor gives out of a protected guest for a dump: the state of CPUs, of pages, and how
 * it all was encrypted (pv-dump.md sections 5 to 8; public source: s390-tools, zdump).
 */
#ifndef FORMATS_PV_DUMP_H
#define FORMATS_PV_DUMP_H

#include <stdint.h>

#include "be.h"

#define PV_DUMP_VERSION	   1u
#define PV_DUMP_SEED_BYTES 64u
#define PV_DUMP_IV_BYTES   12u
#define PV_DUMP_TAG_BYTES  16u
#define PV_DUMP_KEY_BYTES  32u
/* dump key = HKDF-SHA-512(CCK, salt seed, info) */
#define PV_DUMP_HKDF_INFO "IBM Z Ultravisor Dump"

/* --- A CPU --------------------------------------------------------------------------------------- */

#define PV_DUMP_CPU_AAD_BYTES 32u /* what the tag authenticates beside the encrypted part */
#define PV_DUMP_OSII	      0x8000u

struct pv_dump_cpu {
	be32 version;		 /* 0x000 */
	be32 len;		 /* 0x004  of this structure */
	uint8_t iv[12];		 /* 0x008 */
	uint8_t reserved014[12]; /* 0x014 */
	be64 gr[16];		 /* 0x020  encrypted from here */
	be64 psw_mask, psw_addr; /* 0x0a0 */
	uint8_t reserved0b0[8];	 /* 0x0b0 */
	be32 prefix;		 /* 0x0b8 */
	be32 fpc;		 /* 0x0bc */
	uint8_t reserved0c0[4];	 /* 0x0c0 */
	be32 todpr;		 /* 0x0c4 */
	be64 timer;		 /* 0x0c8 */
	be64 ckc;		 /* 0x0d0 */
	uint8_t reserved0d8[8];	 /* 0x0d8 */
	be32 ar[16];		 /* 0x0e0 */
	be64 cr[16];		 /* 0x120 */
	be64 vr[32][2];		 /* 0x1a0  the left half of V0-V15 is the floating-point register */
	uint8_t reserved3a0[512];	/* 0x3a0 */
	uint8_t zeros5a0[8];		/* 0x5a0 */
	be64 gsd, gssm, gsepla;		/* 0x5a8  guarded storage */
	uint8_t reserved5c0[64];	/* 0x5c0 */
	be16 flags;			/* 0x600  PV_DUMP_OSII */
	uint8_t reserved602[14];	/* 0x602  encrypted to here */
	uint8_t tag[PV_DUMP_TAG_BYTES]; /* 0x610 */
};
LAYOUT_AT(struct pv_dump_cpu, gr, PV_DUMP_CPU_AAD_BYTES);
LAYOUT_AT(struct pv_dump_cpu, prefix, 0x0b8);
LAYOUT_AT(struct pv_dump_cpu, timer, 0x0c8);
LAYOUT_AT(struct pv_dump_cpu, ar, 0x0e0);
LAYOUT_AT(struct pv_dump_cpu, vr, 0x1a0);
LAYOUT_AT(struct pv_dump_cpu, gsd, 0x5a8);
LAYOUT_AT(struct pv_dump_cpu, flags, 0x600);
LAYOUT_AT(struct pv_dump_cpu, tag, 0x610);
LAYOUT_SIZE(struct pv_dump_cpu, 0x620);

/* --- A page -------------------------------------------------------------------------------------- */

#define PV_DUMP_ENTRY_BYTES   16u
#define PV_DUMP_ENTRIES	      256u	  /* a MiB */
#define PV_DUMP_SPECIAL	      0xffffffffu /* bytes 0-3 of an entry that is no tweak component */
#define PV_DUMP_PAGE_ZERO     0x01u
#define PV_DUMP_PAGE_SHARED   0x02u
#define PV_DUMP_PAGE_MAPPED   0x04u
#define PV_DUMP_PAGE_RESERVED 0xf8u

/* A tweak component, all of it; or, when mark is PV_DUMP_SPECIAL, flags. */
struct pv_dump_entry {
	be32 mark;		/* 0x00 */
	uint8_t reserved04[10]; /* 0x04 */
	uint8_t zero;		/* 0x0e */
	uint8_t flags;		/* 0x0f  PV_DUMP_PAGE_* */
};
LAYOUT_SIZE(struct pv_dump_entry, PV_DUMP_ENTRY_BYTES);

/* --- Completion ---------------------------------------------------------------------------------- */

#define PV_DUMP_COMPLETE_AAD_BYTES 96u

/* Our own Ultravisor's integrity record (pv-dump.md section 12); others leave zeros or anything. */
#define PV_DUMP_ROOTS_MAGIC   "SWUVDMP1"
#define PV_DUMP_ROOTS_PARTIAL 1u /* flags: storage state was not asked for all of the guest */

struct pv_dump_roots {
	uint8_t magic[8];      /* 0x00 */
	be32 flags;	       /* 0x08 */
	be32 cpus;	       /* 0x0c  CPU blocks that were sealed */
	be64 entries;	       /* 0x10  entries that were given out */
	uint8_t memory[32];    /* 0x18 */
	uint8_t cpu[32];       /* 0x38 */
	uint8_t reserved58[8]; /* 0x58 */
};
LAYOUT_SIZE(struct pv_dump_roots, 96);

struct pv_dump_complete {
	be32 version;			  /* 0x000 */
	be32 len;			  /* 0x004  of this structure */
	uint8_t reserved008[8];		  /* 0x008 */
	uint8_t seed[PV_DUMP_SEED_BYTES]; /* 0x010 */
	uint8_t iv[12];			  /* 0x050 */
	uint8_t reserved05c[4];		  /* 0x05c */
	uint8_t nonce[16];		/* 0x060  encrypted from here; tweak = component OR nonce */
	uint8_t xts_key[64];		/* 0x070  data key || tweak key */
	struct pv_dump_roots roots;	/* 0x0b0  reserved in the public format */
	uint8_t tag[PV_DUMP_TAG_BYTES]; /* 0x110  encrypted to here */
};
LAYOUT_AT(struct pv_dump_complete, nonce, PV_DUMP_COMPLETE_AAD_BYTES);
LAYOUT_AT(struct pv_dump_complete, roots, 0x0b0);
LAYOUT_AT(struct pv_dump_complete, tag, 0x110);
LAYOUT_SIZE(struct pv_dump_complete, 0x120);

#endif
