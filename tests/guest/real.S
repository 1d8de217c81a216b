/* SPDX-License-Identifier: MIT */
/* Stores and loads by real address: low-address protection, alignment; LRA with DAT off. */
#include "guest.inc"

#define LOW_PROTECTION 0x10000000

	llilf	%r14, LOW_PROTECTION
	stg	%r14, SCRATCH
	lctlg	%c0, %c0, SCRATCH
	llilf	%r2, 0x1000
	STEP
	lghi	%r3, 0x100
	EXPECT	1f
0:	stura	%r1, %r3
	NO_RAISE
1:	PGM_IS	4, 4, 0b + 4
	STEP
	EXPECT	1f
0:	sturg	%r1, %r2
	NO_RAISE
1:	PGM_IS	4, 4, 0b + 4
	STEP
	EXPECT	1f
0:	tb	%r0, %r2
	NO_RAISE
1:	PGM_IS	4, 4, 0b + 4
	STEP
	llilf	%r3, 0x30001
	EXPECT	1f
0:	lura	%r1, %r3
	NO_RAISE
1:	PGM_IS	6, 4, 0b + 4
	STEP
	EXPECT	1f
0:	sturg	%r1, %r3
	NO_RAISE
1:	PGM_IS	6, 4, 0b + 4
	/* TB clears GR0. */
	STEP
	lghi	%r0, -1
	llilf	%r3, 0x30000
	tb	%r0, %r3
	CC_IS	8
	ltgr	%r0, %r0
	CC_IS	8
	/* LRA translates even with DAT off: an ASCE of a table that is invalid throughout. */
	STEP
	llilf	%r2, 0x40000
	mvghi	0(%r2), 0x20
	llilf	%r14, 0x40000		/* segment table */
	stg	%r14, SCRATCH
	lctlg	%c1, %c1, SCRATCH
	lra	%r1, 0
	CC_IS	7
	/* A real-space designation. */
	STEP
	mvghi	SCRATCH, 0x20
	lctlg	%c1, %c1, SCRATCH
	lra	%r1, 0x765
	CC_IS	8
	REG_IS	%r1, 0x765
	/* In the 31-bit mode the left half stays. */
	STEP
	lghi	%r1, -1
	sam31
	lra	%r1, 0x765
	sam64
	srlg	%r3, %r1, 32
	llgfr	%r1, %r1
	REG_IS	%r1, 0x765
	REG_IS	%r3, 0xffffffff

	END
