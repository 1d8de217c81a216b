/* SPDX-License-Identifier: MIT */
/*
 * The parts of a Secure Execution image file around header and components: fixed addresses, short
 * PSW, metadata, the loaders' argument blocks, and what is looked at in a Linux kernel.
 *
 * In an image the file offset is the guest absolute address. Layout: se-image.md sections 2-4.
 */
#ifndef FORMATS_SE_IMG_H
#define FORMATS_SE_IMG_H

#include <stdbool.h>
#include <stdint.h>

#include "addr.h"
#include "be.h"
#include "compiler.h"

struct zpv_err;

#define SE_IMG_META_ADDR     0xc000u
#define SE_IMG_STAGE3A_ADDR  0x10000u
#define SE_IMG_STAGE3A_ENTRY 0x11000u
#define SE_IMG_HDR_MIN_ADDR  0x14000u /* where older tools start to search */
#define SE_IMG_SEARCH_PAGES  21u      /* pages 0..20 are searched for a header */

/* Short PSW at 0: bit 12 one, EA and BA one, address of stage3a's entry. */
#define SE_IMG_SHORT_PSW 0x0008000180011000ull

/* PSW mask of 64-bit addressing, DAT off, no interruptions, supervisor state. */
#define PSW_MASK_64BIT 0x0000000180000000ull

#define SE_IMG_META_MAGIC   "SeImgLnx"
#define SE_IMG_META_VERSION 1u

struct se_img_meta {
	uint8_t magic[8]; /* 0x00 */
	be64 hdr_offs;	  /* 0x08  of the SE header in the file */
	be32 version;	  /* 0x10 */
	be64 ipib_offs;	  /* 0x14  of the IPIB in the file */
};
LAYOUT_SIZE(struct se_img_meta, 28);
LAYOUT_AT(struct se_img_meta, ipib_offs, 0x14);

/* The last bytes of stage3a; offsets are relative to this block's own address. */
struct stage3a_args {
	be64 hdr_offs;	/* 0x00 */
	be64 hdr_size;	/* 0x08  bytes */
	be64 ipib_offs; /* 0x10 */
};
LAYOUT_SIZE(struct stage3a_args, 24);

struct stage3b_comp {
	be64 src;  /* absolute address, 0 when absent */
	be64 size; /* bytes without padding */
};

/* The last bytes of stage3b. */
struct stage3b_args {
	struct stage3b_comp kernel;  /* 0x00 */
	struct stage3b_comp cmdline; /* 0x10  the size counts the NUL */
	struct stage3b_comp initrd;  /* 0x20 */
	be64 psw_mask, psw_addr;     /* 0x30  of the kernel */
};
LAYOUT_SIZE(struct stage3b_args, 64);

/* Order and tweak numbers of the secured components (layout R). */
enum se_comp_kind { SE_COMP_KERNEL, SE_COMP_RAMDISK, SE_COMP_CMDLINE, SE_COMP_STAGE3B };
#define SE_COMP_KINDS	    4
#define SE_TWEAK_KIND_SHIFT 48

/* Number in the top 16 bits of a component's tweak prefix. */
uint16_t se_comp_tweak_kind(enum se_comp_kind kind);
const char *se_comp_name(enum se_comp_kind kind);

/* Parses metadata; false when the magic is not there. */
bool se_img_meta_parse(const uint8_t *buf, size_t len, uint64_t *hdr_offs, uint64_t *ipib_offs,
		       uint32_t *version);

/* --- Linux kernel image ---------------------------------------------------------------------- */

#define KERNEL_ENTRY		   0x10000u
#define KERNEL_EP_MAGIC_ADDR	   0x10008u
#define KERNEL_EP_MAGIC		   "S390EP"
#define KERNEL_MAX_CMDLINE_ADDR	   0x10430u
#define KERNEL_HEAD_BYTES	   (KERNEL_MAX_CMDLINE_ADDR + 8) /* enough for both checks */
#define KERNEL_DEFAULT_MAX_CMDLINE 896u

/*
 * Looks at the first KERNEL_HEAD_BYTES (or fewer) of a file.
 * Return: 0; -ZPV_ERR_FORMAT an ELF file, or not an s390x Linux kernel.
 */
int kernel_check(const uint8_t *buf, size_t len, struct zpv_err *err) MUST_CHECK;

/* Largest command line, with its NUL, that the kernel takes. The kernel was checked. */
uint64_t kernel_max_cmdline(const uint8_t *buf, size_t len);

#endif
