/* SPDX-License-Identifier: MIT */
/* The rows of kvm-unit-tests' mvpg-sie.c (sie.md section 10). */
#include "guest.inc"
#include "sie_host.inc"

#define DEST	 0x5000			/* in the guest */
#define FROM	 0x6000
#define DEST_PTE (PAGES + (DEST >> 12) * 8)
#define FROM_PTE (PAGES + (FROM >> 12) * 8)
#define INVALID	 0x400

	/* The host takes a page of the guest away. */
	.macro TAKE page
	llilf	%r5, PAGES
	llilf	%r6, \page
	ipte	%r5, %r6
	.endm
	/* The doublewords of a page begin with this value, or are all the same. */
	.macro PAGE_IS page, value, step
	llilf	%r5, STORAGE + \page
	lghi	%r6, 512
	llilf	%r7, \value
.Ldword\@:
	cg	%r7, 0(%r5)
	jne	fail
	aghi	%r7, \step
	aghi	%r5, 8
	brctg	%r6, .Ldword\@
	.endm
	.macro FILL page, value, step
	llilf	%r5, STORAGE + \page
	lghi	%r6, 512
	llilf	%r7, \value
.Lfill\@:
	stg	%r7, 0(%r5)
	aghi	%r7, \step
	aghi	%r5, 8
	brctg	%r6, .Lfill\@
	.endm
	/* The two entries that the interception names, and what is in them. */
	.macro ENTRIES dest, from
	QUAD_IS	PEI_DEST(%r10), 0, DEST_PTE
	QUAD_IS	PEI_FROM(%r10), 0, FROM_PTE
	lg	%r3, PEI_DEST(%r10)
	QUAD_IS	0(%r3), 0, \dest
	lg	%r3, PEI_FROM(%r10)
	QUAD_IS	0(%r3), 0, \from
	.endm
	.macro PARTIAL
	RUN
	ICPT_IS	0x38
	HALF_IS	IPA(%r10), 0xb254
	WORD_IS	IPB(%r10), 0x00120000
	QUAD_IS	GPSW + 8(%r10), 0, GCODE + 4
	.endm

	HOST_SETUP
	mvi	ECA(%r10), 0x01			/* MVPGI and nothing else */
	mvi	ECA + 2(%r10), 0
	lghi	%r0, 0
	lghi	%r1, DEST
	lghi	%r2, FROM
	FILL	FROM, 0x1000, 3
	FILL	DEST, 0, 0

	/* Row: mvpg-sie 1. The page is copied. */
	STEP
	GUEST	mvpg, 8
	RUN_TO	0x8300, 0x00440000, 8
	PAGE_IS	DEST, 0x1000, 3

	/* Row: mvpg-sie 2. The source is out: partial execution, nothing is copied. */
	STEP
	FILL	DEST, 0, 0
	TAKE	FROM
	GUEST	mvpg, 8
	PARTIAL
	ENTRIES	STORAGE + DEST, STORAGE + FROM + INVALID
	PAGE_IS	DEST, 0, 0
	/* Row: mvpg-sie 3. The guest goes on behind it. */
	STEP
	RUN_TO	0x8300, 0x00440000, 8
	PAGE_IS	DEST, 0, 0

	/* Row: mvpg-sie 4. The destination is out. */
	STEP
	llilf	%r5, FROM_PTE
	llilf	%r6, STORAGE + FROM
	stg	%r6, 0(%r5)
	FILL	DEST, 0x77, 0
	TAKE	DEST
	GUEST	mvpg, 8
	PARTIAL
	ENTRIES	STORAGE + DEST + INVALID, STORAGE + FROM
	PAGE_IS	DEST, 0x77, 0

	END

	.balign	8
mvpg:	mvpg	%r1, %r2
	diag	%r0, %r0, 0x44
