/* SPDX-License-Identifier: MIT */
/* The rows of kvm-unit-tests' intercept.c on the machine itself (sie.md section 10). */
#include "guest.inc"

#define NEW_PREFIX 0x20000
#define PAGE	   0x30000
#define LOW_PROT   0x100000e0		/* CR0 with low-address protection */
#define NO_PROT    0xe0

	.macro CR0_IS value
	llilf	%r14, \value
	stg	%r14, SCRATCH
	lctlg	%c0, %c0, SCRATCH
	.endm
	/* The instruction with this operand address is suppressed. */
	.macro REFUSED code, insn, addr
	STEP
	EXPECT	1f
	lghi	%r1, \addr
0:	\insn	0(%r1)
	NO_RAISE
1:	PGM_IS	\code, 4, 0b + 4
	.endm
	/* Low-address protection, alignment, storage that is not there. */
	.macro REFUSED_STORE insn
	CR0_IS	LOW_PROT
	REFUSED	4, \insn, 8
	CR0_IS	NO_PROT
	REFUSED	6, \insn, 1
	REFUSED	5, \insn, -8
	.endm

	/* Row: intercept STPX */
	STEP
	mvghi	SCRATCH, -1
	stpx	SCRATCH
	WORD_IS	SCRATCH, 0
	WORD_IS	SCRATCH + 4, 0xffffffff
	REFUSED_STORE stpx
	/* Row: intercept STAP */
	STEP
	mvghi	SCRATCH, -1
	stap	SCRATCH
	HALF_IS	SCRATCH, 0
	HALF_IS	SCRATCH + 2, 0xffff
	REFUSED_STORE stap
	/* Row: intercept STIDP. Version 0 or 0xff, a type, zeros but for bit 48, the format. */
	STEP
	stidp	SCRATCH
	llgc	%r1, SCRATCH
	ltgr	%r1, %r1
	je	0f
	REG_IS	%r1, 0xff
0:	llgh	%r1, SCRATCH + 4
	ltgr	%r1, %r1
	CC_IS	6
	ni	SCRATCH + 6, 0x7f
	HALF_IS	SCRATCH + 6, 0
	REFUSED_STORE stidp

	/* Row: intercept SPX */
	REFUSED	6, spx, 1
	REFUSED	5, spx, -8
	STEP
	EXPECT	1f
0:	spx	outside
	NO_RAISE
1:	PGM_IS	5, 4, 0b + 4
	STEP
	stpx	SCRATCH
	WORD_IS	SCRATCH, 0
	/* Row: intercept STFL. Into the new prefix area. */
	STEP
	llilf	%r2, NEW_PREFIX
	mvc	0x1a0(0x60, %r2), 0x1a0
	mvhi	0xc8(%r2), 0
	mvhi	0xc8, 0
	spx	prefix
	stfl	0
	llgf	%r3, 0xc8
	llgf	%r4, 0xc8(%r2)			/* what was absolute 0xc8 */
	spx	zero
	WORD_IS	0xc8, 0
	llgf	%r5, 0xc8(%r2)
	cgr	%r3, %r5
	jne	fail
	ltgr	%r4, %r4
	CC_IS	8
	ltgr	%r5, %r5
	CC_IS	6

	/* Row: intercept TB */
	STEP
	llilf	%r2, PAGE
	mvghi	0(%r2), -1
	mvghi	0xff8(%r2), -1
	lghi	%r0, 0
	tb	%r0, %r2
	CC_IS	8
	REG_IS	%r0, 0
	QUAD_IS	0(%r2), 0, 0
	QUAD_IS	0xff8(%r2), 0, 0
	CR0_IS	LOW_PROT
	STEP
	EXPECT	1f
	lghi	%r2, 0x1000
0:	tb	%r0, %r2
	NO_RAISE
1:	PGM_IS	4, 4, 0b + 4
	CR0_IS	NO_PROT
	STEP
	EXPECT	1f
	lghi	%r2, -0x1000
0:	tb	%r0, %r2
	NO_RAISE
1:	PGM_IS	5, 4, 0b + 4

	/* Row: intercept DIAG 318. Not in the problem state; SCLP does not report it. */
	STEP
	EXPECT	1f
	GOTO	0x00010001, 0x80000000, 0f
0:	diag	%r0, %r0, 0x318
	NO_RAISE
1:	PGM_IS	2, 4, 0b + 4
	STEP
	EXPECT	1f
0:	diag	%r0, %r0, 0x318
	NO_RAISE
1:	PGM_IS	6, 4, 0b + 4

	END

	LITERALS
zero:	.long	0
prefix:	.long	NEW_PREFIX
outside:
	.long	0x7fffe000
