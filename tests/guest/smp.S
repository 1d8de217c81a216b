/* SPDX-License-Identifier: MIT */
/* Two CPUs: start, signals both ways, stop, status. */
#include "guest.inc"

#define AP_PREFIX 0x40000
#define STATUS	  0x50000

	.macro CR0_IS value
	llilf	%r14, \value
	stg	%r14, SCRATCH
	lctlg	%c0, %c0, SCRATCH
	.endm
#define EMERGENCY_ON 0x4000
#define CALL_ON	     0x2000

	/* An order that may be answered "busy". Status goes to %r4, the parameter is %r5. */
	.macro ORDER code
.Lbusy\@:
	sigp	%r4, %r2, \code
	brc	2, .Lbusy\@
	.endm
	/* Until SENSE gives this status; 0 is none. */
	.macro SENSE_UNTIL status
.Lsense\@:
	lghi	%r4, 0
	ORDER	1
	chi	%r4, \status
	jne	.Lsense\@
	.endm

	/* CPU 1 begins stopped. */
	STEP
	lghi	%r2, 1
	lghi	%r4, 0
	ORDER	1
	CC_IS	4
	REG_IS	%r4, 0x40
	/* Initial reset, set prefix, restart: as Linux starts CPUs. */
	STEP
	ORDER	11
	CC_IS	8
	STEP
	SENSE_UNTIL 0x40
	llilf	%r5, AP_PREFIX
	ORDER	13
	CC_IS	8
	STEP
	llilf	%r1, AP_PREFIX
	mvc	0x1a0(0x60, %r1), 0x1a0
	larl	%r14, ap
	stg	%r14, RST_NEW + 8(%r1)
	llilf	%r14, 0x80000000
	iihf	%r14, 1
	stg	%r14, RST_NEW(%r1)
	ORDER	6
	CC_IS	8
	larl	%r6, ap_runs
0:	lt	%r1, 0(%r6)
	jz	0b
	REG_IS	%r1, 1
	SENSE_UNTIL 0
	/* Set prefix needs a stopped CPU. */
	STEP
	llilf	%r5, AP_PREFIX
	lghi	%r4, 0
	ORDER	13
	CC_IS	4
	REG_IS	%r4, 0x200

	/* CPU 1 answers an emergency signal with an external call. */
	STEP
	CR0_IS	EMERGENCY_ON | CALL_ON
	NEW_PSW	EXT_NEW, 1f
	ORDER	3
	CC_IS	8
	GOTO	0x01020001, 0x80000000, 0f
0:	NO_RAISE
1:	HALF_IS	EXT_CODE, 0x1202
	HALF_IS	EXT_CPU, 1

	/* Stop; then status of it. */
	STEP
	ORDER	5
	CC_IS	8
	SENSE_UNTIL 0x40
	llilf	%r5, STATUS
	ORDER	14
	CC_IS	8
	llilf	%r1, STATUS
	QUAD_IS	0x80 + 7 * 8(%r1), 0, 0x4711
	WORD_IS	0x118(%r1), AP_PREFIX
	QUAD_IS	0x180(%r1), 0, EMERGENCY_ON
	/* What it has stored as it goes on after START. */
	STEP
	mvhi	0(%r6), 0
	ORDER	4
	CC_IS	8
	larl	%r7, ap_counts
	l	%r1, 0(%r7)
0:	cl	%r1, 0(%r7)
	je	0b
	/* Stop and store status: to absolute 0x1200. */
	STEP
	lghi	%r3, 0x1200
	mvghi	0x80 + 7 * 8(%r3), 0
	ORDER	9
	CC_IS	8
	SENSE_UNTIL 0x40
	QUAD_IS	0x80 + 7 * 8(%r3), 0, 0x4711

	/* Initial reset: control registers and prefix; general registers stay. */
	STEP
	ORDER	11
	CC_IS	8
	SENSE_UNTIL 0x40
	llilf	%r5, STATUS
	ORDER	14
	CC_IS	8
	llilf	%r1, STATUS
	QUAD_IS	0x80 + 7 * 8(%r1), 0, 0x4711
	WORD_IS	0x118(%r1), 0
	QUAD_IS	0x180(%r1), 0, 0xe0
	QUAD_IS	0x1f0(%r1), 0, 0xc2000000
	QUAD_IS	0x188(%r1), 0, 0
	QUAD_IS	0x100(%r1), 0, 0

	END

ap:	llilf	%r7, 0x4711
	CR0_IS	EMERGENCY_ON
	NEW_PSW	EXT_NEW, 2f
	larl	%r8, ap_runs
	mvhi	0(%r8), 1
	larl	%r9, ap_counts
	stosm	SCRATCH, 1
1:	asi	0(%r9), 1
	j	1b
2:	lghi	%r2, 0
	HALF_IS	EXT_CODE, 0x1201
	HALF_IS	EXT_CPU, 0
3:	sigp	%r4, %r2, 2
	brc	2, 3b
	j	1b

	.balign	8
ap_runs:
	.long	0
ap_counts:
	.long	0
