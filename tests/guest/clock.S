/* SPDX-License-Identifier: MIT */
/* TOD clock, clock comparator, CPU timer, and their interruptions. */
#include "guest.inc"

	/* New PSW of external interruptions, and CR0 with subclasses. */
	.macro CR0_IS value
	llilf	%r14, \value
	stg	%r14, SCRATCH
	lctlg	%c0, %c0, SCRATCH
	.endm
	.macro CKC_FROM reg
	stg	\reg, SCRATCH
	sckc	SCRATCH
	.endm
	/* Due at once. */
	.macro CKC_NOW
	stck	SCRATCH
	lg	%r1, SCRATCH
	CKC_FROM %r1
	.endm
#define CKC_ON	 0x800
#define TIMER_ON 0x400
#define US	 4096

	/* The clock runs, forwards; STCKE fits STCK. */
	STEP
	stck	SCRATCH
	CC_IS	8
	stcke	list
	CC_IS	8
	stck	SCRATCH + 8
	CC_IS	8
	lg	%r1, SCRATCH
	lg	%r2, list + 1
	lg	%r3, SCRATCH + 8
	clgr	%r1, %r2
	jh	fail
	clgr	%r2, %r3
	jh	fail
	clgr	%r1, %r3
	jnl	fail
	BYTE_IS	list, 0
	HALF_IS	list + 14, 0
	clc	list + 9(5), zero
	CC_IS	6
	STEP
	stckf	SCRATCH
	CC_IS	8
	stck	SCRATCH + 9		/* needs no alignment */
	/* The programmable field. */
	STEP
	llill	%r0, 0xabcd
	sckpf
	stcke	list
	HALF_IS	list + 14, 0xabcd
	STEP
	llilf	%r0, 0x10000
	EXPECT	1f
0:	sckpf
	NO_RAISE
1:	PGM_IS	6, 2, 0b + 2

	/* Comparator: stored as loaded; alignment. */
	STEP
	lghi	%r1, -1
	CKC_FROM %r1
	mvghi	SCRATCH, 0
	stckc	SCRATCH
	lg	%r2, SCRATCH
	cghi	%r2, -1
	jne	fail
	STEP
	EXPECT	1f
0:	sckc	SCRATCH + 4
	NO_RAISE
1:	PGM_IS	6, 4, 0b + 4
	STEP
	EXPECT	1f
0:	stpt	SCRATCH + 4
	NO_RAISE
1:	PGM_IS	6, 4, 0b + 4

	/* A comparator in the past: pending at once, taken when bit 7 opens, at the next address. */
	STEP
	NEW_PSW	EXT_NEW, 1f
	CR0_IS	CKC_ON
	CKC_NOW
	nopr				/* masked by PSW bit 7 */
	stosm	SCRATCH, 1
0:	j	0b
1:	HALF_IS	EXT_CODE, 0x1004
	ADDR_IS	EXT_OLD + 8, 0b
	tm	EXT_OLD, 1
	CC_IS	1
	/* CR0 masks it; LCTLG opens. */
	STEP
	CR0_IS	0
	NEW_PSW	EXT_NEW, 1f
	CKC_NOW
	stosm	SCRATCH, 1
	nopr
	llilf	%r14, CKC_ON
	stg	%r14, SCRATCH
	lctlg	%c0, %c0, SCRATCH
0:	j	0b
1:	HALF_IS	EXT_CODE, 0x1004
	ADDR_IS	EXT_OLD + 8, 0b
	/* Turned off: gone. */
	STEP
	lghi	%r1, -1
	CKC_FROM %r1
	stosm	SCRATCH, 1
	nopr
	stnsm	SCRATCH, 0xfe

	/* In the future: comes in a loop, and not before its time. */
	STEP
	NEW_PSW	EXT_NEW, 1f
	stck	list
	lg	%r4, list
	aghi	%r4, 0x7fff
	algfi	%r4, 2000 * US
	CKC_FROM %r4
	stosm	SCRATCH, 1
0:	j	0b
1:	stck	list
	lg	%r1, list
	clgr	%r1, %r4
	jl	fail
	HALF_IS	EXT_CODE, 0x1004
	/* In an enabled wait. */
	STEP
	NEW_PSW	EXT_NEW, 1f
	stck	list
	lg	%r4, list
	algfi	%r4, 5000 * US
	CKC_FROM %r4
	GOTO	0x01020001, 0x80000000, 0f
0:	NO_RAISE
1:	HALF_IS	EXT_CODE, 0x1004
	ADDR_IS	EXT_OLD + 8, 0b
	tm	EXT_OLD + 1, 2
	CC_IS	1
	lghi	%r1, -1
	CKC_FROM %r1

	/* CPU timer: counts down, interrupts while negative. */
	STEP
	llilf	%r1, 0x10000000
	stg	%r1, SCRATCH
	spt	SCRATCH
	stpt	SCRATCH + 8
	stpt	SCRATCH + 16
	lg	%r2, SCRATCH + 8
	lg	%r3, SCRATCH + 16
	cgr	%r2, %r1
	jh	fail
	cgr	%r3, %r2
	jnl	fail
	STEP
	CR0_IS	TIMER_ON
	NEW_PSW	EXT_NEW, 1f
	lghi	%r1, -1
	stg	%r1, list
	spt	list
	stosm	SCRATCH, 1
0:	j	0b
1:	HALF_IS	EXT_CODE, 0x1005
	ADDR_IS	EXT_OLD + 8, 0b
	/* Runs out in a loop. */
	STEP
	NEW_PSW	EXT_NEW, 1f
	llilf	%r1, 2000 * US
	stg	%r1, SCRATCH
	spt	SCRATCH
	stosm	SCRATCH, 1
0:	j	0b
1:	HALF_IS	EXT_CODE, 0x1005

	END

	LITERALS
zero:	.quad	0
list:	.fill	16
