/* SPDX-License-Identifier: MIT */
/*
 * Entry point of stage3b: 0xa000, reached from the relocator.
 *
 * se-image.md section 4.
 */
#include "entry.h"
#include "layout.h"

	.section .text.start, "ax"
	.globl	start
start:
	enter_zarch
	llill	%r15,STACK_TOP
	jg	stage3b

	.section .note.GNU-stack, "", @progbits
