/* SPDX-License-Identifier: MIT */
/* The instructions that look at or change parts of the PSW. */
#include "guest.inc"

	/* LPSWE: mask, CC and address. */
	STEP
	GOTO	0x00003501, 0x80000000, 1f
	NO_RAISE
1:	CC_IS	1
	epsw	%r1, %r2
	llgfr	%r1, %r1
	llgfr	%r2, %r2
	REG_IS	%r1, 0x00003501
	REG_IS	%r2, 0x80000000
	/* Bits 0-31 of the registers stay; R2 field 0 stores nothing. */
	STEP
	lghi	%r0, -1
	lghi	%r1, -1
	epsw	%r1, %r0
	srlg	%r3, %r1, 32
	REG_IS	%r3, 0xffffffff
	cghi	%r0, -1
	jne	fail

	/* SAM and TAM. */
	STEP
	sam24
	tam
	CC_IS	8
	sam31
	tam
	CC_IS	4
	/* In the 31-bit mode addresses wrap. */
	STEP
	llilf	%r1, 0x80000000
	la	%r2, SCRATCH(%r1)
	llgfr	%r2, %r2
	REG_IS	%r2, SCRATCH
	sam64
	tam
	CC_IS	1

	/* STNSM, STOSM, SSM: what is stored, and what the PSW is then. */
	STEP
	mvi	SCRATCH, 0xff
	stosm	SCRATCH, 0x03
	BYTE_IS	SCRATCH, 0
	stnsm	SCRATCH, 0xfe
	BYTE_IS	SCRATCH, 3
	stnsm	SCRATCH, 0xff
	BYTE_IS	SCRATCH, 2
	mvi	SCRATCH + 1, 0
	ssm	SCRATCH + 1
	epsw	%r1, %r0
	srl	%r1, 24
	llgfr	%r1, %r1
	REG_IS	%r1, 0
	/* An access exception of the store leaves the mask. */
	STEP
	llihh	%r2, 0x4000
	EXPECT	1f
0:	stosm	0(%r2), 0x03
	NO_RAISE
1:	PGM_IS	5, 4, 0b + 4
	QUAD_IS	PGM_OLD, 0x00000501, 0x80000000

	/* SPKA. */
	STEP
	spka	0x70
	epsw	%r1, %r0
	llgfr	%r1, %r1
	nill	%r1, 0
	REG_IS	%r1, 0x00700000
	spka	0

	END
