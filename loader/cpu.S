/* SPDX-License-Identifier: MIT */
/*
 * Interruption handling of both loaders: waiting for an external interruption, unexpected program
 * interruptions.
 *
 * PoP ch. 6, "Interruptions"; se-image.md section 3.2.
 */
#include "layout.h"

	.text

/*
 * void external_wait(void): wait until an external interruption has happened.
 * CR0 says which; the old PSW is of no interest because execution goes on behind the wait.
 */
	.globl	external_wait
	.type	external_wait, @function
external_wait:
	larl	%r1,wait_psw
	lg	%r2,mask_64bit-wait_psw(%r1)
	stg	%r2,LC_EXT_NEW_PSW
	larl	%r2,interrupted
	stg	%r2,LC_EXT_NEW_PSW+8
	lpswe	0(%r1)
interrupted:
	br	%r14
	.size	external_wait, .-external_wait

/*
 * Program-new PSW. From here on another program interruption loads a disabled wait PSW, so that a
 * failure while printing cannot loop.
 */
	.globl	program_check_entry
	.type	program_check_entry, @function
program_check_entry:
	larl	%r1,wait_psw
	lg	%r4,mask_disabled-wait_psw(%r1)
	lg	%r2,LC_PGM_OLD_PSW+8
	llgh	%r3,LC_PGM_CODE
	stg	%r4,LC_PGM_NEW_PSW
	stg	%r2,LC_PGM_NEW_PSW+8
	llill	%r15,STACK_TOP
	jg	program_check
	.size	program_check_entry, .-program_check_entry

	.section .rodata, "a"
	.balign	8
wait_psw:
	.quad	PSW_MASK_WAIT_EXTERNAL, external_wait
mask_64bit:
	.quad	PSW_MASK_64BIT
mask_disabled:
	.quad	PSW_MASK_DISABLED_WAIT

	.section .note.GNU-stack, "", @progbits
