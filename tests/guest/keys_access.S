/* SPDX-License-Identifier: MIT */
/* Key-controlled protection: accesses with a PSW key, TEST PROTECTION, overrides. */
#include "guest.inc"

#define FRAME		 0x30000
#define FETCH_OVERRIDE	 0x02000000
#define STORAGE_OVERRIDE 0x01000000
#define LOW_PROTECTION	 0x10000000

	.macro SET_KEY value
	lghi	%r3, \value
	sske	%r3, %r2
	.endm
	.macro CR0_IS value
	llilf	%r14, \value
	stg	%r14, SCRATCH
	lctlg	%c0, %c0, SCRATCH
	.endm

	/* Own key: all; other key: fetching only; with fetch protection: nothing. */
	STEP
	llilf	%r2, FRAME
	SET_KEY	0x50
	spka	0x50
	mvghi	0(%r2), 1
	spka	0
	EXPECT	1f
	spka	0x60
	lg	%r1, 0(%r2)
	REG_IS	%r1, 1
0:	mvghi	0(%r2), 2
	NO_RAISE
1:	PGM_IS	4, 6, 0b + 6
	lg	%r3, TEID
	nill	%r3, 0xf004
	REG_IS	%r3, FRAME
	REG_IS	%r1, 1
	tm	PGM_OLD + 1, 0x60
	CC_IS	1
	STEP
	SET_KEY	0x58
	EXPECT	1f
	spka	0x60
0:	lg	%r1, 0(%r2)
	NO_RAISE
1:	PGM_IS	4, 6, 0b + 6
	/* TPROT says the same. */
	STEP
	tprot	0(%r2), 0x50
	CC_IS	8
	tprot	0(%r2), 0x60
	CC_IS	2
	SET_KEY	0x50
	tprot	0(%r2), 0x60
	CC_IS	4
	tprot	0(%r2), 0
	CC_IS	8
	/* LURA and STURA use the PSW key. */
	STEP
	EXPECT	1f
	spka	0x60
	lura	%r1, %r2
0:	stura	%r1, %r2
	NO_RAISE
1:	PGM_IS	4, 4, 0b + 4
	/* Fetching instructions. */
	STEP
	llilf	%r2, FRAME
	mvhhi	0(%r2), 0x07f4		/* br %r4 */
	SET_KEY	0x58
	larl	%r4, 0f
	spka	0x50
	br	%r2
0:	spka	0
	EXPECT	1f
	spka	0x60
	br	%r2
	NO_RAISE
1:	HALF_IS	PGM_CODE, 4
	/* Storage-protection override: frames with key 9. */
	STEP
	SET_KEY	0x98
	tprot	0(%r2), 0x60
	CC_IS	2
	CR0_IS	STORAGE_OVERRIDE
	tprot	0(%r2), 0x60
	CC_IS	8
	spka	0x60
	mvghi	0(%r2), 3
	spka	0
	CR0_IS	0
	/* Fetch-protection override: the first 2048 bytes. */
	STEP
	lghi	%r2, 0
	SET_KEY	0x08
	tprot	0x300, 0x60
	CC_IS	2
	CR0_IS	FETCH_OVERRIDE
	tprot	0x300, 0x60
	CC_IS	4
	tprot	0x800, 0x60
	CC_IS	2
	EXPECT	1f
	spka	0x60
	l	%r1, 0x7fc
0:	l	%r1, 0x800
	NO_RAISE
1:	PGM_IS	4, 4, 0b + 4
	CR0_IS	0
	SET_KEY	0
	/* Low-address protection counts for TPROT. */
	STEP
	CR0_IS	LOW_PROTECTION
	tprot	0x100, 0
	CC_IS	4
	tprot	0x200, 0
	CC_IS	8

	END
