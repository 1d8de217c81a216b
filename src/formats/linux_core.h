/* SPDX-License-Identifier: MIT */
/*
 * What the Linux kernel of s390x leaves in storage for whoever reads its dump (pv-dump.md section 10;
 * public sources: arch/s390/include/asm/{lowcore,os_info}.h, kernel 6.12).
 */
#ifndef FORMATS_LINUX_CORE_H
#define FORMATS_LINUX_CORE_H

#include <stdint.h>

#include "be.h"

/* In the absolute lowcore: absolute addresses of the VMCOREINFO note, and of struct os_info or 0. */
#define LINUX_LC_VMCOREINFO 0xe0cu
#define LINUX_LC_OS_INFO    0xe18u
/* In the prefix area of every CPU: the ASCE of the kernel's own address space. */
#define LINUX_LC_KERNEL_ASCE 0x388u

struct os_info_entry {
	be64 addr;     /* 0x00  or a value, with size 0 */
	be64 size;     /* 0x08 */
	be32 checksum; /* 0x10  of the data */
};
LAYOUT_SIZE(struct os_info_entry, 20);

#define OS_INFO_MAGIC	   0x4f53494e464f535aull /* "OSINFOSZ" */
#define OS_INFO_MAJOR	   1
#define OS_INFO_VMCOREINFO 0 /* entry: the text, without a note's header */
#define OS_INFO_ENTRIES	   13

/* One page. The checksum is that of CHECKSUM over everything behind it. */
struct os_info {
	be64 magic;				     /* 0x00 */
	be32 checksum;				     /* 0x08 */
	be16 major, minor;			     /* 0x0c */
	be64 crashkernel_addr;			     /* 0x10 */
	be64 crashkernel_size;			     /* 0x18 */
	struct os_info_entry entry[OS_INFO_ENTRIES]; /* 0x20 */
	uint8_t reserved124[0x1000 - 0x20 - 20 * OS_INFO_ENTRIES];
};
LAYOUT_AT(struct os_info, major, 0x0c);
LAYOUT_AT(struct os_info, entry, 0x20);
LAYOUT_SIZE(struct os_info, 0x1000);

#endif
