/* SPDX-License-Identifier: MIT */
/*
 * The s390 stand-alone dump format, version 5: a header page, all of memory from address 0, an end
 * marker; and where a CPU's registers lie in the 8 KiB at its prefix (pv-dump.md section 9.4; public
 * source: s390-tools, zdump).
 */
#ifndef FORMATS_S390_DUMP_H
#define FORMATS_S390_DUMP_H

#include <stdint.h>

#include "be.h"

#define S390_DUMP_MAGIC	  0xa8190173618f23fdull
#define S390_DUMP_VERSION 5
#define S390_DUMP_LEVEL	  4
#define S390_DUMP_64_BIT  2
#define S390_DUMP_CPUS	  512
#define S390_DUMP_END	  "DUMP_END"

struct s390_dump_header {
	be64 magic;			    /* 0x000 */
	be32 version;			    /* 0x008 */
	be32 header_size;		    /* 0x00c */
	be32 level;			    /* 0x010 */
	be32 page_size;			    /* 0x014 */
	be64 memory_size;		    /* 0x018 */
	be64 start, end;		    /* 0x020  addresses; end is the last byte's */
	be32 pages;			    /* 0x030 */
	uint8_t reserved034[4];		    /* 0x034 */
	be64 tod;			    /* 0x038 */
	be64 cpu_id;			    /* 0x040 */
	be32 arch;			    /* 0x048 */
	be32 volume;			    /* 0x04c */
	be32 build_arch;		    /* 0x050 */
	be64 real_memory_size;		    /* 0x054 */
	uint8_t reserved05c;		    /* 0x05c */
	be16 cpus, real_cpus;		    /* 0x05d */
	uint8_t reserved061[0x800 - 0x061]; /* 0x061 */
	be32 prefix[S390_DUMP_CPUS];	    /* 0x800 */
};
LAYOUT_AT(struct s390_dump_header, pages, 0x30);
LAYOUT_AT(struct s390_dump_header, arch, 0x48);
LAYOUT_AT(struct s390_dump_header, real_memory_size, 0x54);
LAYOUT_AT(struct s390_dump_header, cpus, 0x5d);
LAYOUT_AT(struct s390_dump_header, prefix, 0x800);
LAYOUT_SIZE(struct s390_dump_header, 0x1000);

struct s390_dump_end {
	uint8_t marker[8];
	be64 tod;
};
LAYOUT_SIZE(struct s390_dump_end, 16);

/* Displacements from the prefix. */
enum {
	S390_SAVE_VX_PTR = 0x11b0, /* u64: where V0-V31 are, when it is a multiple of 1024 */
	S390_SAVE_FPR = 0x1200,
	S390_SAVE_GR = 0x1280,
	S390_SAVE_PSW = 0x1300,
	S390_SAVE_PREFIX = 0x1318,
	S390_SAVE_FPC = 0x131c,
	S390_SAVE_TIMER = 0x1328,
	S390_SAVE_CKC = 0x1330,
	S390_SAVE_AR = 0x1340,
	S390_SAVE_CR = 0x1380,
};
#define S390_SAVE_VX_ALIGN 1024u

#endif
