/* SPDX-License-Identifier: MIT */
/* SIGNAL PROCESSOR to the CPU itself. */
#include "guest.inc"

	.macro CR0_IS value
	llilf	%r14, \value
	stg	%r14, SCRATCH
	lctlg	%c0, %c0, SCRATCH
	.endm
#define EMERGENCY_ON 0x4000
#define CALL_ON	     0x2000

	/* No such CPU: whatever the order. */
	STEP
	lghi	%r2, 0x77
	lghi	%r1, 0
	sigp	%r1, %r2, 1
	CC_IS	1
	sigp	%r1, %r2, 0xee
	CC_IS	1
	/* Sense: operating, nothing pending. */
	STEP
	stap	SCRATCH
	llgh	%r2, SCRATCH
	lghi	%r1, -1
	sigp	%r1, %r2, 1
	CC_IS	8
	cghi	%r1, -1
	jne	fail
	sigp	%r1, %r2, 21		/* sense running */
	CC_IS	8
	/* An unknown order: status in the right half only. */
	STEP
	sigp	%r1, %r2, 0xee
	CC_IS	4
	srlg	%r3, %r1, 32
	REG_IS	%r3, 0xffffffff
	llgfr	%r1, %r1
	REG_IS	%r1, 2
	/* Set prefix of an operating CPU: incorrect state. */
	STEP
	lghi	%r4, 0
	lghi	%r5, 0
	sigp	%r4, %r2, 13
	CC_IS	4
	REG_IS	%r4, 0x200
	/* A prefix outside of storage. */
	STEP
	lghi	%r4, 0
	llilf	%r5, 0x7ff00000
	sigp	%r4, %r2, 13
	CC_IS	4
	/* Start: it is. */
	STEP
	sigp	%r4, %r2, 4
	CC_IS	8

	/* External call: pending while masked, a second one is refused. */
	STEP
	CR0_IS	0
	sigp	%r4, %r2, 2
	CC_IS	8
	lghi	%r4, 0
	sigp	%r4, %r2, 2
	CC_IS	4
	REG_IS	%r4, 0x80
	lghi	%r4, 0
	sigp	%r4, %r2, 1
	CC_IS	4
	REG_IS	%r4, 0x80
	/* An emergency signal goes first. */
	STEP
	sigp	%r4, %r2, 3
	CC_IS	8
	sigp	%r4, %r2, 3
	CC_IS	8
	CR0_IS	EMERGENCY_ON | CALL_ON
	mvhhi	EXT_CPU, -1
	NEW_PSW	EXT_NEW, 1f
	stosm	SCRATCH, 1
	NO_RAISE
1:	HALF_IS	EXT_CODE, 0x1201
	HALF_IS	EXT_CPU, 0
	STEP
	mvhhi	EXT_CPU, -1
	NEW_PSW	EXT_NEW, 1f
	stosm	SCRATCH, 1
0:	NO_RAISE
1:	HALF_IS	EXT_CODE, 0x1202
	HALF_IS	EXT_CPU, 0
	ADDR_IS	EXT_OLD + 8, 0b
	/* Nothing is left: the two emergency signals were one. */
	STEP
	stosm	SCRATCH, 1
	nopr
	stnsm	SCRATCH, 0xfe
	sigp	%r4, %r2, 1
	CC_IS	8
	/* With the mask open, the interruption comes behind the SIGP. */
	STEP
	NEW_PSW	EXT_NEW, 1f
	stosm	SCRATCH, 1
	sigp	%r4, %r2, 3
0:	j	0b
1:	HALF_IS	EXT_CODE, 0x1201
	ADDR_IS	EXT_OLD + 8, 0b
	/* Restart of itself needs no mask. */
	STEP
	NEW_PSW	RST_NEW, 1f
	sigp	%r4, %r2, 6
0:	j	0b
1:	ADDR_IS	RST_OLD + 8, 0b

	END
