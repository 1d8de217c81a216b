/* SPDX-License-Identifier: MIT */
/* Control registers: loading, storing, wrapping, alignment. */
#include "guest.inc"

	/* LCTLG and STCTG wrap from CR15 to CR0. */
	STEP
	stctg	%c0, %c15, saved
	lctlg	%c14, %c1, pattern
	stctg	%c14, %c1, stored
	clc	pattern(32), stored
	CC_IS	8
	stctg	%c0, %c0, stored
	clc	pattern + 16(8), stored
	CC_IS	8
	stctg	%c2, %c2, stored
	clc	saved + 16(8), stored
	CC_IS	8

	/* LCTL and STCTL: the right halves, the left ones stay. */
	STEP
	lctl	%c14, %c15, words
	stctl	%c14, %c15, stored
	clc	words(8), stored
	CC_IS	8
	stctg	%c14, %c15, stored
	clc	mixed(16), stored
	CC_IS	8
	lctlg	%c0, %c15, saved
	stctg	%c0, %c15, stored
	clc	stored(128), saved
	CC_IS	8

	/* Alignment. */
	STEP
	EXPECT	1f
0:	lctlg	%c1, %c1, saved + 4
	NO_RAISE
1:	PGM_IS	6, 6, 0b + 6
	STEP
	EXPECT	1f
0:	stctg	%c1, %c1, stored + 4
	NO_RAISE
1:	PGM_IS	6, 6, 0b + 6
	STEP
	EXPECT	1f
0:	lctl	%c1, %c1, saved + 2
	NO_RAISE
1:	PGM_IS	6, 4, 0b + 4
	STEP
	EXPECT	1f
0:	stctl	%c1, %c1, stored + 2
	NO_RAISE
1:	PGM_IS	6, 4, 0b + 4

	/* A load that faults changes nothing. */
	STEP
	llihh	%r1, 0x4000
	EXPECT	1f
0:	lctlg	%c1, %c2, 0(%r1)
	NO_RAISE
1:	PGM_IS	5, 6, 0b + 6
	stctg	%c0, %c15, stored
	clc	stored(128), saved
	CC_IS	8

	END

	LITERALS
pattern:			/* CR14, CR15, CR0, CR1 */
	.quad	0x11111111c2000000, 0x2222222233333338, 0x00000000000000e0, 0x4444444444444000
words:	.long	0xc0000001, 0x5555555a
mixed:	.quad	0x11111111c0000001, 0x222222225555555a
saved:	.fill	128
stored:	.fill	128
