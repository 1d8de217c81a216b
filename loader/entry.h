/* SPDX-License-Identifier: MIT */
/*
 * Assembler macro of the entry points: switch to z/Architecture and 64-bit addressing.
 *
 * se-image.md section 3.2 (steps 1, 2) and section 4. LHI and SIGP also exist in ESA/390 mode. A
 * CPU that is in z/Architecture mode already stays as it is; SIGP's answer is not looked at.
 */
#ifndef LOADER_ENTRY_H
#define LOADER_ENTRY_H

#define SIGP_SET_ARCHITECTURE 0x12

/* clang-format off */
.macro	enter_zarch
	lhi	%r0,0
	lhi	%r1,1
	sigp	%r1,%r0,SIGP_SET_ARCHITECTURE
	sam64
.endm
/* clang-format on */

#endif
