/* SPDX-License-Identifier: MIT */
/* Clock interruptions are pending as long as their condition holds, and at once. */
#include "guest.inc"

	.macro CR0_IS value
	llilf	%r14, \value
	stg	%r14, SCRATCH
	lctlg	%c0, %c0, SCRATCH
	.endm
#define CKC_ON	 0x800
#define TIMER_ON 0x400

	STEP
	NEW_PSW	EXT_NEW, 1f
	CR0_IS	CKC_ON
	mvghi	SCRATCH, 0
	sckc	SCRATCH
	nopr				/* masked by PSW bit 7 */
	stosm	SCRATCH, 1
0:	NO_RAISE
1:	HALF_IS	EXT_CODE, 0x1004
	ADDR_IS	EXT_OLD + 8, 0b
	/* It stays pending: taken again by LPSWE. */
	STEP
	NEW_PSW	EXT_NEW, 1f
	mvhhi	EXT_CODE, 0
	GOTO	0x01000001, 0x80000000, 0f
0:	NO_RAISE
1:	HALF_IS	EXT_CODE, 0x1004
	ADDR_IS	EXT_OLD + 8, 0b
	/* LCTLG opens it. */
	STEP
	CR0_IS	0
	NEW_PSW	EXT_NEW, 1f
	stosm	SCRATCH, 1
	nopr
	llilf	%r14, CKC_ON
	stg	%r14, SCRATCH
	lctlg	%c0, %c0, SCRATCH
0:	NO_RAISE
1:	HALF_IS	EXT_CODE, 0x1004
	ADDR_IS	EXT_OLD + 8, 0b
	/* The same of a negative CPU timer; SSM opens. */
	STEP
	CR0_IS	TIMER_ON
	NEW_PSW	EXT_NEW, 1f
	mvghi	SCRATCH, -1
	spt	SCRATCH
	mvi	SCRATCH, 1
	ssm	SCRATCH
0:	NO_RAISE
1:	HALF_IS	EXT_CODE, 0x1005
	ADDR_IS	EXT_OLD + 8, 0b
	STEP
	NEW_PSW	EXT_NEW, 1f
	stosm	SCRATCH, 1
0:	NO_RAISE
1:	HALF_IS	EXT_CODE, 0x1005
	ADDR_IS	EXT_OLD + 8, 0b
	stnsm	SCRATCH, 0xfe
	/* SPT of a negative value with the mask open. */
	STEP
	NEW_PSW	EXT_NEW, 1f
	llilf	%r1, 0x7fffffff
	stg	%r1, SCRATCH
	spt	SCRATCH
	stosm	SCRATCH, 1
	mvghi	SCRATCH, -100
	spt	SCRATCH
0:	NO_RAISE
1:	HALF_IS	EXT_CODE, 0x1005
	ADDR_IS	EXT_OLD + 8, 0b
	/* It stays negative. */
	STEP
	stpt	SCRATCH
	lg	%r1, SCRATCH
	ltgr	%r1, %r1
	CC_IS	4
	/* Both: the comparator first. */
	STEP
	CR0_IS	CKC_ON | TIMER_ON
	NEW_PSW	EXT_NEW, 1f
	stosm	SCRATCH, 1
	NO_RAISE
1:	HALF_IS	EXT_CODE, 0x1004

	END
