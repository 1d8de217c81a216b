/* SPDX-License-Identifier: MIT */
/*
 * The instructions of kvm-unit-tests' intercept.c in a guest (sie.md sections 4.1, 10): all are the
 * host's, whatever their operand is, and nothing has happened. The problem state is the guest's.
 */
#include "guest.inc"
#include "sie_host.inc"

#define LOW_PROT 0x10			/* CR0, byte 4 */
#define PROBLEM	 0x01			/* PSW, byte 1 */

	/* With a good operand, low-address protected, unaligned, outside of storage. */
	.macro ICPT_ALL ipa, label
	STEP
	mvghi	8(%r4), 0x77
	.irp	addr, 0x5008, 8, 1, -8
	GUEST	\label, 4
	lghi	%r1, \addr
	RUN_TO	\ipa, 0x10000000, 4
	.endr
	QUAD_IS	8(%r4), 0, 0x77
	GUEST	\label, 4
	oi	GPSW + 1(%r10), PROBLEM
	RUN
	ICPT_IS	8
	HALF_IS	IPRCC(%r10), 2
	QUAD_IS	GPSW + 8(%r10), 0, GCODE + 4
	.endm

	HOST_SETUP
	llilf	%r4, STORAGE + 0x5000
	mvi	GCR + 4(%r10), LOW_PROT
	mvi	ICTL(%r10), 0x20		/* PINT */

	/* Row: intercept STPX */
	ICPT_ALL 0xb211, stpx
	/* Row: intercept STAP */
	ICPT_ALL 0xb212, stap
	/* Row: intercept STIDP */
	ICPT_ALL 0xb202, stidp
	/* Row: intercept SPX */
	ICPT_ALL 0xb210, spx
	/* Row: intercept STFL */
	ICPT_ALL 0xb2b1, stfl

	/* Row: intercept TB */
	STEP
	mvghi	8(%r4), 0x77
	.irp	addr, 0x5000, 0x1000, -0x1000
	GUEST	tb, 4
	lghi	%r1, \addr
	RUN_TO	0xb22c, 0x00010000, 4
	.endr
	QUAD_IS	8(%r4), 0, 0x77

	/* Row: intercept DIAG 318. Whether there is one is up to the host. */
	STEP
	GUEST	diag, 4
	RUN_TO	0x8300, 0x03180000, 4
	STEP
	GUEST	diag, 4
	oi	GPSW + 1(%r10), PROBLEM
	RUN
	ICPT_IS	8
	HALF_IS	IPRCC(%r10), 2
	QUAD_IS	GPSW + 8(%r10), 0, GCODE + 4

	END

	.balign	8
stpx:	stpx	0(%r1)
stap:	stap	0(%r1)
stidp:	stidp	0(%r1)
spx:	spx	0(%r1)
stfl:	stfl	0(%r1)
tb:	tb	%r0, %r1
diag:	diag	%r0, %r0, 0x318
