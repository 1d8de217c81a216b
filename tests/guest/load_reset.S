/* SPDX-License-Identifier: MIT */
/*
 * Load normal reset and modified clear reset by DIAGNOSE 308 subcodes 1 and 0 (boot-ipl.md section
 * 3.2), with a second CPU that runs, waits, or is stopped.
 */
#include "guest.inc"

#define ALIVE	(SCRATCH + 16) /* CPU 1 has begun; and whether it is to wait */
#define STOPPED 0x40			/* status of SIGP sense */

	LITERALS
waiting:
	.quad	0x0302000180000000, 0	/* enabled for I/O and external interruptions */
	CODE
	j	begin

other:
	mvi	ALIVE, 1
	cli	ALIVE + 1, 0
	jne	1f
0:	j	0b
1:	lpswe	waiting

	/* Sends an order to CPU 1 until it is accepted. */
	.macro ORDER order
.Lagain\@:
	sigp	%r2, %r3, \order
	jnz	.Lagain\@
	.endm

	/* CPU 1 begins at other, and is seen there. */
	.macro START_OTHER waits
	mvi	ALIVE, 0
	mvi	ALIVE + 1, \waits
	larl	%r1, other
	lghi	%r3, 1
	NEW_PSW	RST_NEW, other
	ORDER	6
.Lnot_yet\@:
	cli	ALIVE, 1
	jne	.Lnot_yet\@
	.endm

	.macro RESET subcode, label
	larl	%r1, \label
	RESET_TO %r1
	lghi	%r4, \subcode
	diag	%r2, %r4, 0x308
	NO_RAISE
\label:
	.endm

	/* CPU 1 answers that it is stopped. */
	.macro IS_STOPPED
	lghi	%r3, 1
	lghi	%r2, 0
	sigp	%r2, %r3, 1
	CC_IS	4
	REG_IS	%r2, STOPPED
	.endm

begin:
	/* Of a CPU that runs. Storage and general registers stay, control registers do not. */
	STEP
	START_OTHER 0
	llilf	%r5, 0x12345678
	st	%r5, SCRATCH
	lghi	%r1, 0
	stg	%r1, SCRATCH + 8
	lctlg	%c0, %c0, SCRATCH + 8
	RESET	1, after_first
	REG_IS	%r5, 0x12345678
	WORD_IS	SCRATCH, 0x12345678
	stctg	%c0, %c0, SCRATCH + 8
	QUAD_IS	SCRATCH + 8, 0, 0xe0
	IS_STOPPED

	/* It can be started again. */
	STEP
	START_OTHER 1

	/* Of one that waits; and the registers of this one are cleared. */
	llilf	%r5, 0x12345678
	RESET	0, after_second
	ltgr	%r5, %r5
	CC_IS	8
	lghi	%r12, 3
	WORD_IS	SCRATCH, 0x12345678
	IS_STOPPED

	/* Of one that is stopped. */
	.set	stepno, 3
	STEP
	RESET	1, after_third
	IS_STOPPED
	END
