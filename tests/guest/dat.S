/* SPDX-License-Identifier: MIT */
/* Dynamic address translation: all table levels, exceptions with their TEIDs, LRA, invalidation. */
#include "guest.inc"

	/*
	 * Tables, one page each: region first, second, third, segment, page. Identity for the first
	 * MiB; page 0x50 of it is VA_X in the second segment, whose page table lies behind.
	 */
#define R1T  0x40000
#define R2T  0x44000
#define R3T  0x48000
#define SEGT 0x4c000
#define PGT  0x50000
#define PGT2 0x50800
#define DATA 0x60000
#define VA_X 0x100000			/* mapped to DATA */
#define FULL 3				/* table length of an entry */

	.macro ENTRY at, value
	llilf	%r14, \value
	llilf	%r15, \at
	stg	%r14, 0(%r15)
	.endm
	/* A new entry of a table that may be in the TLB. */
	.macro CHANGE at, value
	ENTRY	\at, \value
	ptlb
	.endm
	.macro ASCE_IS value
	llilf	%r14, \value
	stg	%r14, SCRATCH
	lctlg	%c1, %c1, SCRATCH
	.endm
	.macro CR0_IS value
	llilf	%r14, \value
	stg	%r14, SCRATCH
	lctlg	%c0, %c0, SCRATCH
	.endm
#define SECONDARY 0x04000000
	.macro DAT_ON
	stosm	SCRATCH, 4
	.endm
	.macro TEID_PAGE value
	lg	%r3, TEID
	nill	%r3, 0xf000
	llilf	%r15, \value
	cgr	%r3, %r15
	jne	fail
	.endm

	/* All entries invalid. */
	llilf	%r1, R1T
	lghi	%r2, 0x20
	lghi	%r3, 0x2000
1:	stg	%r2, 0(%r1)
	la	%r1, 8(%r1)
	brct	%r3, 1b
	ENTRY	R1T, R2T | 0xc | FULL
	ENTRY	R2T, R3T | 0x8 | FULL
	ENTRY	R3T, SEGT | 0x4 | FULL
	ENTRY	SEGT, PGT
	ENTRY	SEGT + 8, PGT2
	llilf	%r1, PGT
	lghi	%r2, 0
	lghi	%r3, 256
2:	stg	%r2, 0(%r1)
	aghi	%r2, 0x1000
	la	%r1, 8(%r1)
	brct	%r3, 2b
	llilf	%r1, PGT2
	lghi	%r2, 0x400
	lghi	%r3, 256
3:	stg	%r2, 0(%r1)
	la	%r1, 8(%r1)
	brct	%r3, 3b
	ENTRY	PGT2, DATA
	llilf	%r1, DATA
	mvghi	0(%r1), 0x5a5a
	llilf	%r8, VA_X

	/* Each kind of top table reaches the page. */
	STEP
	ASCE_IS	SEGT | 0x0 | FULL
	DAT_ON
	QUAD_IS	0(%r8), 0, 0x5a5a
	STEP
	ASCE_IS	R3T | 0x4 | FULL
	QUAD_IS	0(%r8), 0, 0x5a5a
	STEP
	ASCE_IS	R2T | 0x8 | FULL
	QUAD_IS	0(%r8), 0, 0x5a5a
	STEP
	ASCE_IS	R1T | 0xc | FULL
	QUAD_IS	0(%r8), 0, 0x5a5a
	/* Real space. */
	STEP
	ASCE_IS	0x20
	llilf	%r5, DATA
	QUAD_IS	0(%r5), 0, 0x5a5a

	/* Exceptions nullify: the old PSW is at the instruction. Invalid at each level. */
	.macro FAULT code, at, old, new, page=VA_X
	STEP
	CHANGE	\at, \new
	DAT_ON
	EXPECT	1f
0:	lg	%r1, 0(%r8)
	NO_RAISE
1:	PGM_IS	\code, 6, 0b
	TEID_PAGE \page
	BYTE_IS	EXC_ID, 0
	lg	%r3, TEID
	nill	%r3, 3			/* primary */
	llgcr	%r3, %r3
	REG_IS	%r3, 0
	CHANGE	\at, \old
	DAT_ON
	QUAD_IS	0(%r8), 0, 0x5a5a
	.endm
	.macro ROUND
	FAULT	0x11, PGT2, DATA, DATA | 0x400
	FAULT	0x10, SEGT + 8, PGT2, PGT2 | 0x20
	.endm

	ASCE_IS	R1T | 0xc | FULL
	ROUND
	/* The exceptions switch DAT off; higher levels hold the program too, so look by LRA below. */

	/* Stores: TEID says so; page protection by page, by segment. */
	STEP
	DAT_ON
	CHANGE	PGT2, DATA | 0x200
	lg	%r1, 0(%r8)
	EXPECT	1f
0:	stg	%r1, 8(%r8)
	NO_RAISE
1:	PGM_IS	4, 6, 0b + 6
	TEID_PAGE VA_X
	tm	TEID + 7, 4
	CC_IS	1
	STEP
	CHANGE	PGT2, DATA
	CHANGE	SEGT + 8, PGT2 | 0x200
	DAT_ON
	EXPECT	1f
0:	stg	%r1, 8(%r8)
	NO_RAISE
1:	PGM_IS	4, 6, 0b + 6
	STEP
	CHANGE	SEGT + 8, PGT2
	DAT_ON
	stg	%r1, 8(%r8)
	/* A store that crosses into an invalid page stores nothing. */
	STEP
	llilf	%r5, VA_X + 0xffc
	lghi	%r1, -1
	EXPECT	1f
0:	stg	%r1, 0(%r5)
	NO_RAISE
1:	PGM_IS	0x11, 6, 0b
	TEID_PAGE VA_X + 0x1000
	llilf	%r5, DATA + 0xff8
	QUAD_IS	0(%r5), 0, 0

	/* Translation specification: bit 52 of a page entry; the wrong table type. Suppresses. */
	STEP
	CHANGE	PGT2, DATA | 0x800
	DAT_ON
	EXPECT	1f
0:	lg	%r1, 0(%r8)
	NO_RAISE
1:	PGM_IS	0x12, 6, 0b + 6
	STEP
	CHANGE	PGT2, DATA
	CHANGE	SEGT + 8, PGT2 | 0x4
	DAT_ON
	EXPECT	1f
0:	lg	%r1, 0(%r8)
	NO_RAISE
1:	PGM_IS	0x12, 6, 0b + 6
	CHANGE	SEGT + 8, PGT2

	/* Addressing: tables and pages that are not there. */
	STEP
	CHANGE	PGT2, 0x70000000
	DAT_ON
	EXPECT	1f
0:	lg	%r1, 0(%r8)
	NO_RAISE
1:	PGM_IS	5, 6, 0b + 6
	CHANGE	PGT2, DATA

	/* Addresses beyond the top table, and table lengths. */
	STEP
	ASCE_IS	R3T | 0x4 | FULL
	DAT_ON
	llihl	%r5, 0x0400		/* bit 21 */
	EXPECT	1f
0:	lg	%r1, 0(%r5)
	NO_RAISE
1:	PGM_IS	0x38, 6, 0b
	lg	%r3, TEID
	nill	%r3, 0xf000
	cgr	%r3, %r5
	jne	fail
	STEP
	ASCE_IS	R1T | 0xc		/* one block of 512 entries */
	DAT_ON
	llihh	%r5, 0x4000		/* index 512 */
	EXPECT	1f
0:	lg	%r1, 0(%r5)
	NO_RAISE
1:	PGM_IS	0x39, 6, 0b
	STEP
	ASCE_IS	R1T | 0xc | FULL
	DAT_ON
	EXPECT	1f
0:	lg	%r1, 0(%r5)		/* an invalid entry */
	NO_RAISE
1:	PGM_IS	0x39, 6, 0b
	STEP
	DAT_ON
	llihh	%r5, 0x0001		/* region second, index 8 */
	EXPECT	1f
0:	lg	%r1, 0(%r5)
	NO_RAISE
1:	PGM_IS	0x3a, 6, 0b
	STEP
	DAT_ON
	llihl	%r5, 0x0010		/* region third, index 512 */
	EXPECT	1f
0:	lg	%r1, 0(%r5)
	NO_RAISE
1:	PGM_IS	0x3b, 6, 0b
	STEP
	CHANGE	R3T, SEGT | 0x4		/* segments of one block only */
	DAT_ON
	llilf	%r5, 0x20000000		/* segment index 512 */
	EXPECT	1f
0:	lg	%r1, 0(%r5)
	NO_RAISE
1:	PGM_IS	0x10, 6, 0b
	CHANGE	R3T, SEGT | 0x4 | FULL

	/* Fetching instructions from an invalid page. */
	STEP
	DAT_ON
	llilf	%r5, VA_X + 0x2000
	EXPECT	1f
	br	%r5
	NO_RAISE
1:	HALF_IS	PGM_CODE, 0x11
	QUAD_IS	PGM_OLD + 8, 0, VA_X + 0x2000
	TEID_PAGE VA_X + 0x2000

	/* LRA. */
	STEP
	DAT_ON
	lra	%r1, 0x123(%r8)
	CC_IS	8
	REG_IS	%r1, DATA + 0x123
	lrag	%r1, 0x123(%r8)
	CC_IS	8
	REG_IS	%r1, DATA + 0x123
	lray	%r1, 0x123(%r8)
	CC_IS	8
	REG_IS	%r1, DATA + 0x123
	/* Not available: not CC 0. */
	STEP
	llilf	%r5, VA_X + 0x3000
	lrag	%r1, 0(%r5)
	CC_IS	7
	STEP
	llihh	%r5, 0x4000
	lrag	%r1, 0(%r5)
	CC_IS	1
	llgfr	%r1, %r1
	REG_IS	%r1, 0x80000039
	/* TPROT: not translated; page protection. */
	STEP
	DAT_ON
	llilf	%r5, VA_X + 0x3000
	tprot	0(%r5), 0
	CC_IS	1
	tprot	0(%r8), 0
	CC_IS	8
	CHANGE	PGT2, DATA | 0x200
	DAT_ON
	tprot	0(%r8), 0
	CC_IS	4
	CHANGE	PGT2, DATA

	/* IPTE: invalid at once, bit 53 set. */
	STEP
	DAT_ON
	lg	%r1, 0(%r8)
	llilf	%r2, PGT2
	ipte	%r2, %r8
	QUAD_IS	0(%r2), 0, DATA | 0x400
	EXPECT	1f
0:	lg	%r1, 0(%r8)
	NO_RAISE
1:	PGM_IS	0x11, 6, 0b
	ENTRY	PGT2, DATA
	/* IDTE: a segment entry by its table; clearing by ASCE; reserved bits. */
	STEP
	DAT_ON
	lg	%r1, 0(%r8)
	llilf	%r2, SEGT
	llilf	%r3, VA_X
	lghi	%r4, 0
	idte	%r2, %r4, %r3
	llilf	%r2, SEGT + 8
	QUAD_IS	0(%r2), 0, PGT2 | 0x20
	EXPECT	1f
0:	lg	%r1, 0(%r8)
	NO_RAISE
1:	PGM_IS	0x10, 6, 0b
	ENTRY	SEGT + 8, PGT2
	STEP
	DAT_ON
	lg	%r1, 0(%r8)
	ENTRY	PGT2, DATA | 0x400
	lghi	%r3, 0x800
	llilf	%r4, R1T | 0xc | FULL
	idte	%r2, %r4, %r3
	EXPECT	1f
	lghi	%r9, 1000		/* TCG purges later */
	brctg	%r9, .
0:	lg	%r1, 0(%r8)
	NO_RAISE
1:	PGM_IS	0x11, 6, 0b
	STEP
	llilf	%r3, 0x1000
	EXPECT	1f
0:	idte	%r2, %r4, %r3
	NO_RAISE
1:	PGM_IS	6, 4, 0b + 4
	/* CSP and CSPG: equal stores (and purges), unequal loads. */
	STEP
	ENTRY	PGT2, DATA
	ptlb
	DAT_ON
	lg	%r1, 0(%r8)
	llilf	%r4, DATA
	llilf	%r5, DATA | 0x400
	llilf	%r2, PGT2 + 4 + 1
	csp	%r4, %r2
	CC_IS	8
	llilf	%r14, PGT2
	QUAD_IS	0(%r14), 0, DATA | 0x400
	EXPECT	1f
0:	lg	%r1, 0(%r8)
	NO_RAISE
1:	PGM_IS	0x11, 6, 0b
	STEP
	lghi	%r4, 0
	llilf	%r2, PGT2 + 4
	csp	%r4, %r2
	CC_IS	4
	REG_IS	%r4, DATA | 0x400
	STEP
	llilf	%r4, DATA | 0x400
	llilf	%r5, DATA
	llilf	%r2, PGT2 + 1
	cspg	%r4, %r2
	CC_IS	8
	DAT_ON
	lg	%r1, 0(%r8)
	lghi	%r4, 0
	cspg	%r4, %r2
	CC_IS	4
	REG_IS	%r4, DATA
	STEP
	EXPECT	1f
0:	.long	0xb98a0052		/* cspg %r5,%r2 */
	NO_RAISE
1:	PGM_IS	6, 4, 0b + 4

	/* Address spaces. Secondary: real space, so VA_X is not DATA there; home likewise. */
	STEP
	llilf	%r14, 0x20
	stg	%r14, SCRATCH
	lctlg	%c7, %c7, SCRATCH
	llilf	%r14, R3T | 0x4 | FULL
	stg	%r14, SCRATCH
	lctlg	%c13, %c13, SCRATCH
	CR0_IS	SECONDARY
	llilf	%r1, VA_X
	mvghi	0(%r1), 0x7777		/* real */
	DAT_ON
	QUAD_IS	0(%r8), 0, 0x5a5a
	sacf	0x100
	QUAD_IS	0(%r8), 0, 0x7777
	epsw	%r1, %r0
	nill	%r1, 0xc000
	llghr	%r1, %r1
	REG_IS	%r1, 0x8000
	sacf	0x300
	QUAD_IS	0(%r8), 0, 0x5a5a
	/* TEID of the home space. */
	llilf	%r5, VA_X + 0x4000
	EXPECT	1f
0:	lg	%r1, 0(%r5)
	NO_RAISE
1:	PGM_IS	0x11, 6, 0b
	TEID_PAGE VA_X + 0x4000
	tm	TEID + 7, 3
	CC_IS	1
	/* Home from the problem state; codes that do not exist; secondary without CR0.37. */
	STEP
	EXPECT	1f
	GOTO	0x04010001, 0x80000000, 0f
0:	sacf	0x300
	NO_RAISE
1:	PGM_IS	2, 4, 0b + 4
	STEP
	DAT_ON
	EXPECT	1f
0:	sacf	0x400
	NO_RAISE
1:	PGM_IS	6, 4, 0b + 4

	END
