/* SPDX-License-Identifier: MIT */
/* Storage keys: setting, reading, reference and change bits, TEST PROTECTION. */
#include "guest.inc"

#define FRAME 0x30000

	.macro KEY_IS value
	lghi	%r3, -1
	iske	%r3, %r2
	nill	%r3, 0x00ff
	llgfr	%r3, %r3
	llghr	%r3, %r3
	REG_IS	%r3, \value
	.endm
	.macro SET_KEY value
	lghi	%r3, \value
	sske	%r3, %r2
	.endm

	STEP
	llilf	%r2, FRAME
	SET_KEY	0x30
	KEY_IS	0x30
	SET_KEY	0xf8
	KEY_IS	0xf8
	/* Bit 63 is not part of a key; only the frame counts. */
	STEP
	lghi	%r3, 0x51
	llilf	%r4, FRAME + 0xabc
	sske	%r3, %r4
	KEY_IS	0x50
	/* ISKE changes byte 7 alone. */
	STEP
	lghi	%r3, -1
	iske	%r3, %r2
	aghi	%r3, 0xff - 0x50
	cghi	%r3, -1
	jne	fail

	/* Reference and change. */
	STEP
	SET_KEY	0
	lg	%r1, 0(%r2)
	KEY_IS	0x04
	stg	%r1, 0(%r2)
	KEY_IS	0x06
	STEP
	rrbe	%r0, %r2
	CC_IS	1			/* both were one */
	KEY_IS	0x02
	rrbe	%r0, %r2
	CC_IS	4			/* changed */
	lg	%r1, 0(%r2)
	rrbe	%r0, %r2
	CC_IS	1
	STEP
	SET_KEY	0
	rrbe	%r0, %r2
	CC_IS	8
	lg	%r1, 0(%r2)
	rrbe	%r0, %r2
	CC_IS	2

	/* Absent storage. */
	STEP
	llihh	%r4, 0x4000
	EXPECT	1f
0:	iske	%r3, %r4
	NO_RAISE
1:	PGM_IS	5, 4, 0b + 4
	STEP
	EXPECT	1f
0:	sske	%r3, %r4
	NO_RAISE
1:	PGM_IS	5, 4, 0b + 4
	STEP
	EXPECT	1f
0:	rrbe	%r3, %r4
	NO_RAISE
1:	PGM_IS	5, 4, 0b + 4
	STEP
	EXPECT	1f
0:	tprot	0(%r4), 0
	NO_RAISE
1:	PGM_IS	5, 6, 0b + 6
	/* TPROT with key 0. */
	STEP
	SET_KEY	0x58
	tprot	0(%r2), 0
	CC_IS	8

	END
