/* SPDX-License-Identifier: MIT */
/*
 * The rows of kvm-unit-tests' spec_ex-sie.c (sie.md section 10): a specification exception of a
 * guest whose program-new PSW is invalid itself.
 */
#include "guest.inc"
#include "sie_host.inc"

#define BAD_ADDR 0xdeadbeee
#define SPECI	 0x08			/* ECB */

	HOST_SETUP
	mvi	ICTL(%r10), 0xa0		/* OPEREXC, PINT */
	llilf	%r4, STORAGE
	mvc	PGM_NEW(16, %r4), invalid

	/* Row: spec_ex SPECI off. The guest's first exception is intercepted. */
	STEP
	GUEST	lpsw, 4
	RUN
	ICPT_IS	8
	HALF_IS	IPRCC(%r10), 6
	lg	%r3, GPSW + 8(%r10)
	llilf	%r5, BAD_ADDR
	cgr	%r3, %r5
	je	fail
	HALF_IS	PGM_CODE(%r4), 0

	/* Row: spec_ex SPECI on. It is the guest's; the one of the new PSW is intercepted. */
	STEP
	oi	ECB(%r10), SPECI
	GUEST	lpsw, 4
	RUN
	ICPT_IS	8
	HALF_IS	IPRCC(%r10), 6
	QUAD_IS	GPSW(%r10), 0x00080000, 0
	QUAD_IS	GPSW + 8(%r10), 0, BAD_ADDR
	HALF_IS	PGM_CODE(%r4), 6

	END

	LITERALS
invalid:
	.quad	0x0008000000000000, BAD_ADDR
	CODE
	.balign	8
lpsw:	lpsw	0x300				/* of zeros */
