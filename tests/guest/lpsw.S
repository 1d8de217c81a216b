/* SPDX-License-Identifier: MIT */
/* LPSW. */
#include "guest.inc"

	/* LPSW: bit 12 inverted, modes and address. */
	STEP
	lpsw	short64
	NO_RAISE
back64:
	CC_IS	4
	tam
	CC_IS	1
	STEP
	EXPECT	1f
	lpsw	bad_short
0:	NO_RAISE
1:	HALF_IS	PGM_CODE, 6

	END

	LITERALS
short64:
	.long	0x00081001, 0x80000000 + back64
bad_short:
	.long	0x00000001, 0x80000000 + back64
