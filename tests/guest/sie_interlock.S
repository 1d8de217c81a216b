/* SPDX-License-Identifier: MIT */
/*
 * IPTE, IDTE, CSP and CSPG of a guest with a system control area (sie.md sections 4.1, 8): k of
 * ipte_control makes them the host's, else SIE counts itself in kg meanwhile, and out again however
 * the instruction ends.
 */
#include "guest.inc"
#include "sie_host.inc"

#define SCA    0x88000
#define TABLE  0x20000			/* in the guest */
#define K_HIGH 0x80000001		/* k, and one host */
#define KH     2			/* what a run must leave alone */
#define KG     9
#define INDEX  0x3000			/* R2 of IPTE: the entry at TABLE + 0x18 */
#define SECOND 0x100000			/* R2 of IDTE: the entry at TABLE + 8 */

	.macro CONTROL high, low
	llilf	%r14, \low
	iihf	%r14, \high
	stg	%r14, 0(%r9)
	.endm
	.macro ENTRIES_CLEAR
	xc	0(256, %r8), 0(%r8)
	.endm

	/* k is set: intercepted, nothing is done. */
	.macro LOCKED label, ipa, ipb, second
	STEP
	ENTRIES_CLEAR
	CONTROL	K_HIGH, 0
	GUEST	\label, 8
	llilf	%r1, TABLE
	llilf	%r2, \second
	RUN_TO	\ipa, \ipb, 4
	QUAD_IS	0(%r9), K_HIGH, 0
	QUAD_IS	0x08(%r8), 0, 0
	QUAD_IS	0x18(%r8), 0, 0
	.endm
	/* It is done, and kg is what it was. */
	.macro FREE label, second, at, high, low
	STEP
	ENTRIES_CLEAR
	CONTROL	KH, KG
	GUEST	\label, 8
	llilf	%r1, TABLE
	llilf	%r2, \second
	RUN_TO	0x8302, 0x00440000, 8
	QUAD_IS	0(%r9), KH, KG
	QUAD_IS	\at(%r8), \high, \low
	.endm
	/* Storage behind the limit: the guest's exception. */
	.macro FAULTS label
	STEP
	CONTROL	KH, KG
	GUEST	\label, 8
	llilf	%r1, 0x100000
	llilf	%r2, 0x100000
	RUN
	ICPT_IS	8
	HALF_IS	IPRCC(%r10), 5
	QUAD_IS	GPSW + 8(%r10), 0, GCODE + 4
	QUAD_IS	0(%r9), KH, KG
	.endm
	/* A page that the host has taken: the host's exception, the guest begins again. */
	.macro HOST_FAULTS label, second
	STEP
	CONTROL	KH, KG
	GUEST	\label, 8
	llilf	%r1, TABLE
	llilf	%r2, \second
	mvi	ICPTCODE(%r10), 0
	EXPECT	1f
0:	sie	0(%r10)
	NO_RAISE
1:	PGM_IS	0x11, 4, 0b
	QUAD_IS	GPSW + 8(%r10), 0, GCODE
	QUAD_IS	0(%r9), KH, KG
	.endm

	HOST_SETUP
	llilf	%r8, STORAGE + TABLE
	llilf	%r9, SCA
	st	%r9, SCAOL(%r10)
	mvi	ICTL(%r10), 0x20		/* PINT */
	/* CSP and CSPG: zero becomes this. */
	lghi	%r4, 0
	llilf	%r5, 0x4711

	LOCKED	ipte, 0xb221, 0x00120000, INDEX
	LOCKED	idte, 0xb98e, 0x00120000, SECOND
	LOCKED	csp, 0xb250, 0x00420000, TABLE + 0x19
	LOCKED	cspg, 0xb98a, 0x00420000, TABLE + 0x19

	FREE	ipte, INDEX, 0x18, 0, 0x400
	FREE	idte, SECOND, 0x08, 0, 0x20
	FREE	csp, TABLE + 0x19, 0x18, 0x4711, 0
	FREE	cspg, TABLE + 0x19, 0x18, 0, 0x4711

	FAULTS	ipte
	FAULTS	idte
	FAULTS	csp
	FAULTS	cspg

	llilf	%r1, PAGES
	llilf	%r2, TABLE
	ipte	%r1, %r2
	HOST_FAULTS ipte, INDEX
	HOST_FAULTS idte, SECOND
	HOST_FAULTS csp, TABLE
	HOST_FAULTS cspg, TABLE

	END

	.balign	8
ipte:	ipte	%r1, %r2
	diag	%r0, %r2, 0x44
idte:	.insn	rrf, 0xb98e0000, %r1, %r2, %r0, 0
	diag	%r0, %r2, 0x44
csp:	csp	%r4, %r2
	diag	%r0, %r2, 0x44
cspg:	cspg	%r4, %r2
	diag	%r0, %r2, 0x44
