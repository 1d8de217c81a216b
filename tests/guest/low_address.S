/* SPDX-License-Identifier: MIT */
/* Low-address protection, and stores into real storage. */
#include "guest.inc"

	.macro CR0_IS value
	llilf	%r14, \value
	stg	%r14, SCRATCH
	lctlg	%c0, %c0, SCRATCH
	.endm
#define LOW_PROTECTION 0x10000000

	/* Without it all may be stored into. */
	STEP
	CR0_IS	0
	lghi	%r1, 0
	st	%r1, 0x60
	llilf	%r2, 0x1000
	st	%r1, 0(%r2)
	/* 0-511 and 4096-4607 are protected, what follows is not. */
	STEP
	CR0_IS	LOW_PROTECTION
	EXPECT	1f
0:	st	%r1, 0x60
	NO_RAISE
1:	PGM_IS	4, 4, 0b + 4
	lg	%r3, TEID
	nill	%r3, 0xf004		/* address; bit 61 says: not by DAT */
	REG_IS	%r3, 0
	STEP
	EXPECT	1f
0:	st	%r1, 0x1fc
	NO_RAISE
1:	PGM_IS	4, 4, 0b + 4
	st	%r1, 0x204
	STEP
	EXPECT	1f
0:	mvi	0x1ff(%r2), 0
	NO_RAISE
1:	PGM_IS	4, 4, 0b + 4
	lg	%r3, TEID
	nill	%r3, 0xf004
	REG_IS	%r3, 0x1000
	st	%r1, 0x200(%r2)
	llilf	%r3, 0x3000
	st	%r1, 0(%r3)
	/* Fetching is free. */
	STEP
	l	%r3, 0x60
	/* Interruptions store nevertheless (as the checks above have shown); STFL too. */
	STEP
	CR0_IS	0
	mvhi	0xc8, 0
	CR0_IS	LOW_PROTECTION
	stfl	0
	tm	0xc8, 0x60
	CC_IS	1
	CR0_IS	0

	/* LURA, LURAG: what was stored, alignment, absent storage. */
	STEP
	llilf	%r3, 0x30000
	llilf	%r4, 0x89abcdef
	iihf	%r4, 0x01234567
	sturg	%r4, %r3
	QUAD_IS	0(%r3), 0x01234567, 0x89abcdef
	lghi	%r5, 0
	lurag	%r5, %r3
	cgr	%r4, %r5
	jne	fail
	lghi	%r5, 0
	lura	%r5, %r3
	REG_IS	%r5, 0x01234567
	lghi	%r5, 77
	aghi	%r3, 4
	stura	%r5, %r3
	QUAD_IS	-4(%r3), 0x01234567, 77
	STEP
	llihh	%r3, 0x4000
	EXPECT	1f
0:	lurag	%r1, %r3
	NO_RAISE
1:	PGM_IS	5, 4, 0b + 4

	/* TB clears a frame, wherever in it the address lies. */
	STEP
	llilf	%r3, 0x30123
	lghi	%r0, -1
	tb	%r0, %r3
	CC_IS	8
	llilf	%r3, 0x30000
	QUAD_IS	0(%r3), 0, 0
	STEP
	llihh	%r3, 0x4000
	EXPECT	1f
0:	tb	%r0, %r3
	NO_RAISE
1:	PGM_IS	5, 4, 0b + 4
	END
