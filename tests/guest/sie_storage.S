/* SPDX-License-Identifier: MIT */
/* Guest storage of SIE: MSO and MSL, faults of the host's tables (sie.md section 5). */
#include "guest.inc"
#include "sie_host.inc"

	HOST_SETUP

	/* What the guest stores is in the host's storage. */
	STEP
	GUEST	store, 12
	llilf	%r2, 0x5008
	lghi	%r1, 77
	RUN
	ICPT_IS	4
	llilf	%r3, STORAGE
	QUAD_IS	0x5008(%r3), 0, 77

	/* Behind the limit: the guest's addressing exception. */
	STEP
	GUEST	store, 12
	llilf	%r2, 0x100000
	mvi	ICTL(%r10), 0x20		/* PINT */
	RUN
	ICPT_IS	8
	HALF_IS	IPRCC(%r10), 5
	HALF_IS	PGMILC(%r10), 6
	QUAD_IS	GPSW + 8(%r10), 0, GCODE + 6

	/* A page that the host has taken: a host fault at the SIE instruction. */
	STEP
	GUEST	store, 12
	llilf	%r2, 0x5010
	llilf	%r5, PAGES
	llilf	%r6, 0x5000
	ipte	%r5, %r6
	mvi	ICPTCODE(%r10), 0
	EXPECT	1f
0:	sie	0(%r10)
	NO_RAISE
1:	PGM_IS	0x11, 4, 0b
	QUAD_IS	TEID, 0, ORIGIN + 0x5400
	ICPT_IS	0
	QUAD_IS	GPSW + 8(%r10), 0, GCODE
	/* It comes back; the guest goes on. */
	STEP
	llilf	%r3, PAGES
	llilf	%r4, STORAGE + 0x5000
	stg	%r4, 5 * 8(%r3)
	RUN
	ICPT_IS	4
	QUAD_IS	0x10(%r4), 0, 77

	/* No segment above the guest when the limit allows it. */
	STEP
	GUEST	store, 12
	llilf	%r2, 0x100000
	mvi	MSL + 5(%r10), (ORIGIN >> 16) + 0x10
	mvi	ICPTCODE(%r10), 0
	EXPECT	1f
0:	sie	0(%r10)
	NO_RAISE
1:	PGM_IS	0x10, 4, 0b
	QUAD_IS	TEID, 0, ORIGIN + 0x100400
	ICPT_IS	0

	/* Without its prefix area a guest does not begin. */
	STEP
	llilf	%r6, 0x1000
	ipte	%r5, %r6
	RUN
	ICPT_IS	0x20
	HALF_IS	IPB(%r10), 0x0037

	END

	.balign	8
store:
	stg	%r1, 0(%r2)
	diag	%r0, %r2, 0x44
	.short	0
