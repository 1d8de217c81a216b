/* SPDX-License-Identifier: MIT */
/*
 * Into a case and out of it, on s390x.
 *
 * diff_run(case, entry) loads the registers of the case and branches to its slot. A case ends at
 * one of the entries at DIFF_END or by a signal; either way diff_run() returns.
 */
#include "case.h"

	.macro	BOTH op, n
	\op	%f\n,diff_fpr-diff_gr+8*\n(%r1)
	.endm

	/* Registers of our own program from the save area, and back to the caller of diff_run(). */
	.macro	RETURN
	larl	%r1,diff_own
	lam	%a0,%a15,144(%r1)
	lfpc	208(%r1)
	ld	%f8,80(%r1)
	ld	%f9,88(%r1)
	ld	%f10,96(%r1)
	ld	%f11,104(%r1)
	ld	%f12,112(%r1)
	ld	%f13,120(%r1)
	ld	%f14,128(%r1)
	ld	%f15,136(%r1)
	lmg	%r6,%r15,0(%r1)
	br	%r14
	.endm

	.section .diff_end,"ax",@progbits
	.set	n,0
	.rept	DIFF_ENDS
	.balign	16
	stgrl	%r0,diff_gr
	lghi	%r0,n
	jg	ended
	.set	n,n+1
	.endr

	.balign	16
ended:
	stgrl	%r1,diff_gr+8
	lghi	%r1,0
	ipm	%r1
	stgrl	%r1,diff_cc_pm
	tam
	lghi	%r1,0
	ipm	%r1
	stgrl	%r1,diff_mode
	sam64
	larl	%r1,diff_gr
	stmg	%r2,%r15,16(%r1)
	stgrl	%r0,diff_ended
	stam	%a0,%a15,diff_ar-diff_gr(%r1)
	stfpc	diff_fpc-diff_gr(%r1)
	.irp	n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
	BOTH	std,\n
	.endr
	RETURN

	/* The signal handler, below 16 MiB: any mode and access registers may be left. */
	.globl	diff_signal
	.type	diff_signal,@function
diff_signal:
	sam64
	larl	%r1,diff_own
	lam	%a0,%a15,144(%r1)
	jg	diff_signalled
	.size	diff_signal,.-diff_signal

	.text
	.globl	diff_run
	.type	diff_run,@function
diff_run:
	larl	%r1,diff_own
	stmg	%r6,%r15,0(%r1)
	std	%f8,80(%r1)
	std	%f9,88(%r1)
	std	%f10,96(%r1)
	std	%f11,104(%r1)
	std	%f12,112(%r1)
	std	%f13,120(%r1)
	std	%f14,128(%r1)
	std	%f15,136(%r1)
	stam	%a0,%a15,144(%r1)
	stfpc	208(%r1)
	/* %r2: struct diff_case; gr at 0, fpr at 128, ar behind 8 * DIFF_CASE_U64 */
	lgr	%r1,%r2
	.irp	n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
	ld	%f\n,128+8*\n(%r1)
	.endr
	lgr	%r14,%r3
	lfpc	8*(16+16+1+DIFF_PATCHES)+64(%r1)
	lam	%a0,%a15,8*(16+16+1+DIFF_PATCHES)(%r1)
	l	%r0,8*(16+16+1+DIFF_PATCHES)+68(%r1)
	spm	%r0
	br	%r14
	.size	diff_run,.-diff_run

	/* Behind a signal whose context was read: void diff_recover(void), does not return. */
	.globl	diff_recover
	.type	diff_recover,@function
diff_recover:
	RETURN
	.size	diff_recover,.-diff_recover

	.section .diff_data,"aw",@nobits
	.balign	8
	.globl	diff_gr,diff_fpr,diff_ar,diff_fpc,diff_cc_pm,diff_mode,diff_ended
diff_gr:	.space	128
diff_fpr:	.space	128
diff_ar:	.space	64
diff_fpc:	.space	8
diff_cc_pm:	.space	8
diff_mode:	.space	8
diff_ended:	.space	8
diff_own:	.space	216
	.section .note.GNU-stack,"",@progbits
