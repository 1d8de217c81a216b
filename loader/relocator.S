/* SPDX-License-Identifier: MIT */
/*
 * The first bytes of the last secured component: copy stage3b, which follows, to its address.
 *
 * se-image.md section 4. The SE header's PSW points here; the image builder chooses the address, so
 * this code must run anywhere. The copied bytes include the arguments at the end.
 */
#include "entry.h"

#define STAGE3B_START	0xa000

	.section .text.start, "ax"
	.globl	relocate
relocate:
	enter_zarch
	llill	%r2,STAGE3B_START
	larl	%r4,stage3b_image
	larl	%r5,stage3b_image_end
	sgr	%r5,%r4
	lgr	%r3,%r5
0:	mvcle	%r2,%r4,0
	jo	0b
	llill	%r1,STAGE3B_START
	br	%r1

	.balign	8
stage3b_image:
	.incbin	STAGE3B_BIN
	.balign	2
stage3b_image_end:

	.section .note.GNU-stack, "", @progbits
