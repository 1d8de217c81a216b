/* SPDX-License-Identifier: MIT */
/*
 * Where the loaders live in guest storage and which lowcore fields the assembler files use.
 *
 * Addresses: se-image.md sections 3.1, 4. Lowcore: PoP ch. 3, "Assigned Storage Locations".
 */
#ifndef LOADER_LAYOUT_H
#define LOADER_LAYOUT_H

#define PAGE_SIZE 0x1000

#define SCCB_PAGE  0x2000 /* the only SCCB; 0x3000..0x5fff stay unused */
#define BSS_START  0xc000 /* stage3a only; also the image metadata */
#define BSS_SIZE   0x1000
#define STACK_TOP  0xff60  /* 0x10000 less the callee's register save area */
#define LOADER_END 0x10000 /* neither loader writes a byte of its own above */

#define LC_EXT_NEW_PSW	 0x1b0
#define LC_PGM_CODE	 0x8e
#define LC_PGM_OLD_PSW	 0x150
#define LC_PGM_NEW_PSW	 0x1d0
#define LC_FACILITY_LIST 0xf00

#define PSW_MASK_64BIT	       0x0000000180000000
#define PSW_MASK_WAIT_EXTERNAL 0x0102000180000000
#define PSW_MASK_DISABLED_WAIT 0x0002000080000000

#endif
