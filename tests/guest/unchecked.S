/* SPDX-License-Identifier: MIT */
/* Exceptions that are easily forgotten. */
#include "guest.inc"

	/* Fixed-point overflow with program-mask bit 20: completed, CC 3. */
	STEP
	llilf	%r3, 0x08000000
	spm	%r3
	llilf	%r1, 0x7fffffff
	lghi	%r2, 1
	EXPECT	1f
0:	ar	%r1, %r2
	NO_RAISE
1:	PGM_IS	8, 2, 0b + 2
	REG_IS	%r1, 0x80000000
	QUAD_IS	PGM_OLD, 0x00003801, 0x80000000

	/* An invalid SVC-new PSW: taken, and then an early exception of it. */
	STEP
	EXPECT	1f
	NEW_PSW	SVC_NEW, 0f
	oi	SVC_NEW, 0x80
	svc	1
0:	NO_RAISE
1:	PGM_IS	6, 0, 0b
	QUAD_IS	PGM_OLD, 0x80000001, 0x80000000

	/* SPX: a prefix area outside of storage. */
	STEP
	EXPECT	1f
0:	spx	far
	NO_RAISE
1:	PGM_IS	5, 4, 0b + 4
	stpx	SCRATCH
	WORD_IS	SCRATCH, 0
	/* SSM, STOSM: bits that must be zero are loaded and then found. */
	STEP
	mvi	SCRATCH, 0x10
	EXPECT	1f
0:	ssm	SCRATCH
	NO_RAISE
1:	PGM_IS	6, 4, 0b + 4
	QUAD_IS	PGM_OLD, 0x10000001, 0x80000000
	STEP
	EXPECT	1f
0:	stosm	SCRATCH, 0x81
	NO_RAISE
1:	PGM_IS	6, 4, 0b + 4
	BYTE_IS	SCRATCH, 0
	QUAD_IS	PGM_OLD, 0x81000001, 0x80000000

	/* Early exception: LPSWE of a mask with a reserved bit; the PSW is stored as it was, ILC 0. */
	STEP
	EXPECT	1f
	GOTO	0x00080001, 0x80000000, 0f
0:	NO_RAISE
1:	PGM_IS	6, 0, 0b
	QUAD_IS	PGM_OLD, 0x00080001, 0x80000000
	/* EA without BA. */
	STEP
	EXPECT	1f
	GOTO	0x00000001, 0x00000000, 0f
0:	NO_RAISE
1:	PGM_IS	6, 0, 0b
	QUAD_IS	PGM_OLD, 0x00000001, 0x00000000
	/* An address beyond the mode. */
	STEP
	EXPECT	1f
	mvghi	LOADED_PSW, 0
	llilf	%r1, 0x01000000
	stg	%r1, LOADED_PSW + 8
	lpswe	LOADED_PSW
	NO_RAISE
1:	HALF_IS	PGM_CODE, 6
	BYTE_IS	PGM_ILC, 0
	QUAD_IS	PGM_OLD + 8, 0, 0x01000000

	/* Late: an odd address; the old PSW is ILC bytes behind it. */
	STEP
	EXPECT	1f
	larl	%r1, 0f
	aghi	%r1, 1
	stg	%r1, LOADED_PSW + 8
	llilf	%r1, 0x80000000
	iihf	%r1, 1
	stg	%r1, LOADED_PSW
	lpswe	LOADED_PSW
0:	NO_RAISE
1:	HALF_IS	PGM_CODE, 6
	llgc	%r1, PGM_ILC
	tmll	%r1, 6
	CC_IS	7
	lg	%r2, PGM_OLD + 8
	sgr	%r2, %r1
	larl	%r3, 0b
	aghi	%r3, 1
	cgr	%r2, %r3
	jne	fail

	/* In the problem state: SPKA by CR3.32-47. */
	STEP
	lctlg	%c3, %c3, key_mask	/* key 8 only */
	EXPECT	1f
	GOTO	0x00010001, 0x80000000, 0f
0:	spka	0x80
2:	spka	0x10
	NO_RAISE
1:	PGM_IS	2, 4, 2b + 4
	QUAD_IS	PGM_OLD, 0x00810001, 0x80000000
	/* IPK; in the problem state by CR0.36. */
	STEP
	spka	0x70
	lghi	%r2, -1
	ipk
	lghi	%r1, -256
	aghi	%r1, 0x70
	cgr	%r1, %r2
	jne	fail
	spka	0
	STEP
	EXPECT	1f
	GOTO	0x00010001, 0x80000000, 0f
0:	ipk
	NO_RAISE
1:	PGM_IS	2, 4, 0b + 4

	/* IAC, EPAR, ESAR: DAT must be on. */
	STEP
	EXPECT	1f
0:	iac	%r1
	NO_RAISE
1:	PGM_IS	0x13, 4, 0b + 4

	/* EXECUTE of an odd address. */
	STEP
	larl	%r1, executed
	EXPECT	1f
0:	ex	%r0, 1(%r1)
	NO_RAISE
1:	PGM_IS	6, 4, 0b + 4

	END

	LITERALS
key_mask:
	.quad	0x00800000
far:	.long	0x7ff00000
executed:
	nopr
