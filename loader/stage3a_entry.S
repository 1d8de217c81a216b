/* SPDX-License-Identifier: MIT */
/*
 * Entry points of stage3a: 0x10000 (zipl jumps there) and 0x11000 (the image's short PSW).
 *
 * se-image.md sections 3.1, 3.2. Whoever loads the image may store parameters at 0x10400..0x10fff,
 * therefore nothing lies between the two.
 */
#include "entry.h"
#include "layout.h"

	.section .text.stub, "ax"
	.globl	stub
stub:
	enter_zarch
	jg	start

	.section .text.start, "ax"
start:
	enter_zarch
	llill	%r15,STACK_TOP
	jg	stage3a

	.section .note.GNU-stack, "", @progbits
