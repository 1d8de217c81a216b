/* SPDX-License-Identifier: MIT */
/* Clocks of a guest and of its host while the guest runs (sie.md sections 1, 4, 9). */
#include "guest.inc"
#include "sie_host.inc"

	HOST_SETUP

	/* The guest takes its own CPU timer's interruption, which is pending at once. */
	STEP
	llilf	%r1, STORAGE
	mvc	EXT_NEW(16, %r1), handler
	GUEST	loop, 4
	mvi	GPSW(%r10), 0x01		/* external */
	mvi	GCR + 6(%r10), 0x04		/* CPU timer */
	mvi	CPUTM(%r10), 0x80
	larl	%r14, diag
	mvc	0x100(4, %r11), 0(%r14)
	RUN
	ICPT_IS	4
	QUAD_IS	GPSW + 8(%r10), 0, GCODE + 0x104
	llilf	%r1, STORAGE
	HALF_IS	EXT_CODE(%r1), 0x1005
	mvc	CPUTM(8, %r10), never

	/* The host's clock comparator ends SIE; the old PSW designates SIE. */
	STEP
	GUEST	loop, 4
	NEW_PSW	EXT_NEW, 1f
	lghi	%r1, 0x8e0			/* CR0: clock comparator */
	stg	%r1, SCRATCH
	lctlg	%c0, %c0, SCRATCH
	stck	SCRATCH
	lg	%r1, SCRATCH
	algfi	%r1, 4096 * 2000
	stg	%r1, SCRATCH
	sckc	SCRATCH
	mvi	ICPTCODE(%r10), 0
	GOTO	0x01000001, 0x80000000, 0f
0:	sie	0(%r10)
	NO_RAISE
1:	HALF_IS	EXT_CODE, 0x1004
	ADDR_IS	EXT_OLD + 8, 0b
	ICPT_IS	0
	QUAD_IS	GPSW + 8(%r10), 0, GCODE

	/* SIE goes on when the host has dealt with it. */
	STEP
	mvc	SCRATCH(8), never
	sckc	SCRATCH
	GUEST	diag, 4
	RUN
	ICPT_IS	4

	END

	LITERALS
handler:
	.quad	MASK_64, GCODE + 0x100
	CODE
	.balign	8
loop:
	j	.
diag:
	diag	%r0, %r2, 0x44
