/* SPDX-License-Identifier: MIT */
/* Program interruptions: codes, instruction-length codes, old PSWs, breaking-event address. */
#include "guest.inc"

	/* Operation exceptions of each length. */
	STEP
	EXPECT	1f
0:	.short	0x0000
	NO_RAISE
1:	PGM_IS	1, 2, 0b + 2
	STEP
	EXPECT	1f
0:	.long	0xb2ff0000
	NO_RAISE
1:	PGM_IS	1, 4, 0b + 4
	STEP
	EXPECT	1f
0:	.short	0xe3ff, 0x0000, 0x00ff
	NO_RAISE
1:	PGM_IS	1, 6, 0b + 6

	/* Specification: odd register of a pair, odd operand of LPSWE. */
	STEP
	EXPECT	1f
0:	.long	0xb9870012		/* dlgr %r1,%r2 */
	NO_RAISE
1:	PGM_IS	6, 4, 0b + 4
	STEP
	EXPECT	1f
0:	lpswe	SCRATCH + 4
	NO_RAISE
1:	PGM_IS	6, 4, 0b + 4

	/* Fixed-point divide: suppressed. */
	STEP
	lghi	%r2, 0
	lghi	%r4, 7
	EXPECT	1f
0:	dsgr	%r4, %r2
	NO_RAISE
1:	PGM_IS	9, 4, 0b + 4
	REG_IS	%r4, 7

	/* Fixed-point overflow without program-mask bit 20: CC 3 only. */
	STEP
	llilf	%r1, 0x7fffffff
	lghi	%r2, 1
	ar	%r1, %r2
	CC_IS	1
	/* Addressing: suppressed, no TEID is looked at. */
	STEP
	llihh	%r1, 0x4000
	EXPECT	1f
0:	lg	%r2, 0(%r1)
	NO_RAISE
1:	PGM_IS	5, 6, 0b + 6

	/* Data exception of a trap: DXC 0xff. */
	STEP
	lghi	%r1, 5
	EXPECT	1f
0:	cgite	%r1, 5
	NO_RAISE
1:	PGM_IS	7, 6, 0b + 6
	WORD_IS	DXC, 0xff

	/* Special operation: SACF with DAT off. */
	STEP
	EXPECT	1f
0:	sacf	0
	NO_RAISE
1:	PGM_IS	0x13, 4, 0b + 4

	/* Privileged operation; the old PSW is that of the problem state. */
	STEP
	EXPECT	1f
	GOTO	0x00010001, 0x80000000, 0f
0:	stidp	SCRATCH
	NO_RAISE
1:	PGM_IS	2, 4, 0b + 4
	QUAD_IS	PGM_OLD, 0x00010001, 0x80000000

	/* EXECUTE: of an EXECUTE; exceptions of the target have the EX's length. */
	STEP
	EXPECT	1f
0:	ex	%r0, executed
	NO_RAISE
1:	PGM_IS	3, 4, 0b + 4
	STEP
	EXPECT	1f
0:	exrl	%r0, 2f
	NO_RAISE
2:	.short	0x0000
1:	PGM_IS	1, 6, 0b + 6
	STEP
	EXPECT	1f
0:	ex	%r0, absent
	NO_RAISE
1:	PGM_IS	1, 4, 0b + 4

	/* Fetching from where no storage is. */
	STEP
	EXPECT	1f
	llihh	%r1, 0x4000
0:	br	%r1
	NO_RAISE
1:	HALF_IS	PGM_CODE, 5
	llgc	%r3, PGM_ILC
	lg	%r2, PGM_OLD + 8
	sgr	%r2, %r3
	cgr	%r2, %r1
	jne	fail
	ADDR_IS	BEA, 0b

	/* The breaking event is the last taken branch. */
	STEP
	EXPECT	1f
0:	j	2f
	nopr
2:	nopr
	.short	0x0000
	NO_RAISE
1:	ADDR_IS	BEA, 0b

	END

	LITERALS
executed:
	ex	%r0, executed
absent:	.short	0xe3ff, 0x0000, 0x00ff
