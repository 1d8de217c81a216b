/* SPDX-License-Identifier: MIT */
/* SPX, STPX, STFL, STAP, STIDP, STFLE, STSI. */
#include "guest.inc"

#define NEW_PREFIX 0x20000

	STEP
	stpx	SCRATCH
	WORD_IS	SCRATCH, 0
	/* The lowcore moves: what real 0 was is real NEW_PREFIX now. */
	STEP
	llilf	%r1, NEW_PREFIX
	mvghi	0(%r1), 0x1234
	larl	%r2, new_prefix
	mvc	0x1a0(0x60, %r1), 0x1a0
	spx	0(%r2)
	QUAD_IS	0, 0, 0x1234
	WORD_IS	0(%r1), 0x00080000
	stpx	SCRATCH
	WORD_IS	SCRATCH, NEW_PREFIX
	/* Interruptions store there. */
	STEP
	mvghi	0x158(%r1), 0
	EXPECT	1f
0:	.short	0
	NO_RAISE
1:	PGM_IS	1, 2, 0b + 2
	QUAD_IS	0x158(%r1), 0, 0
	/* STFL stores there; bits 1 and 2 say z/Architecture. */
	STEP
	mvhi	0xc8, 0
	stfl	0
	tm	0xc8, 0x60
	CC_IS	1
	/* Unaligned: nothing changes. */
	STEP
	EXPECT	1f
0:	spx	2(%r2)
	NO_RAISE
1:	PGM_IS	6, 4, 0b + 4
	STEP
	EXPECT	1f
0:	stpx	SCRATCH + 2
	NO_RAISE
1:	PGM_IS	6, 4, 0b + 4
	/* Back; low bits of the operand do not count. */
	STEP
	spx	8(%r2)
	QUAD_IS	0(%r1), 0, 0x1234

	/* STAP. */
	STEP
	mvghi	SCRATCH, -1
	stap	SCRATCH
	HALF_IS	SCRATCH, 0
	HALF_IS	SCRATCH + 2, 0xffff
	STEP
	EXPECT	1f
0:	stap	SCRATCH + 1
	NO_RAISE
1:	PGM_IS	6, 4, 0b + 4
	/* STIDP. */
	STEP
	stidp	SCRATCH
	llgh	%r1, SCRATCH + 4
	ltgr	%r1, %r1
	CC_IS	6
	STEP
	EXPECT	1f
0:	stidp	SCRATCH + 4
	NO_RAISE
1:	PGM_IS	6, 4, 0b + 4

	/* STFLE: too small, large enough, alignment. */
	STEP
	larl	%r1, list
	mvghi	8(%r1), -1
	lghi	%r0, 0
	stfle	0(%r1)
	CC_IS	1
	lghi	%r2, -1
	cg	%r2, 8(%r1)
	jne	fail
	tm	0(%r1), 0x60
	CC_IS	1
	ltgr	%r3, %r0
	CC_IS	2
	STEP
	lghi	%r0, 31
	stfle	0(%r1)
	CC_IS	8
	cgr	%r0, %r3
	jne	fail
	STEP
	EXPECT	1f
0:	stfle	4(%r1)
	NO_RAISE
1:	PGM_IS	6, 4, 0b + 4

	/* STSI: the level; what does not exist; reserved bits; alignment. */
	STEP
	lghi	%r0, 0
	lghi	%r1, 0
	stsi	0
	CC_IS	8
	llgfr	%r2, %r0
	srlg	%r2, %r2, 28
	ltgr	%r2, %r2
	CC_IS	2
	STEP
	larl	%r3, page
	llilf	%r0, 0x10000001
	lghi	%r1, 9
	stsi	0(%r3)
	CC_IS	1
	STEP
	lghi	%r1, 1
	stsi	0(%r3)
	CC_IS	8
	clc	48(4, %r3), zero
	CC_IS	6
	STEP
	EXPECT	1f
0:	stsi	8(%r3)
	NO_RAISE
1:	PGM_IS	6, 4, 0b + 4
	STEP
	oill	%r0, 0x100
	EXPECT	1f
0:	stsi	0(%r3)
	NO_RAISE
1:	PGM_IS	6, 4, 0b + 4

	END

	LITERALS
zero:	.quad	0
new_prefix:
	.long	NEW_PREFIX, 0x7ff00000, 0x80000fff
	.balign	8
list:	.fill	256

	CODE
	.balign	4096
page:	.fill	4096
