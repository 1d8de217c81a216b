/* SPDX-License-Identifier: MIT */
/* The row of kvm-unit-tests' stfle-sie.c (sie.md section 10). */
#include "guest.inc"
#include "sie_host.inc"

#define HOST_LIST 0x86000
#define LIST	  0x87000		/* what the guest is told */
#define TO	  0x5000		/* in the guest */
#define WORDS	  8

	HOST_SETUP
	/* The host's own: %r9 doublewords. */
	llilf	%r3, HOST_LIST
	lghi	%r0, 0
	stfle	0(%r3)
	llgcr	%r9, %r0
	aghi	%r9, 1
	llilf	%r3, LIST
	llilf	%r4, 0x12345679
	lghi	%r5, WORDS
0:	msgfi	%r4, 0x5851f42d
	aghi	%r4, 0x4b
	stg	%r4, 0(%r3)
	aghi	%r3, 8
	brctg	%r5, 0b

	/* Without a list it is the host's business. */
	STEP
	GUEST	stfle, 8
	llilf	%r2, TO
	lghi	%r0, WORDS - 1
	RUN_TO	0xb2b0, 0x20000000, 4

	/* Row: stfle-sie. As many doublewords as the host has, from the list that FAC designates. */
	STEP
	llilf	%r4, LIST
	st	%r4, FAC(%r10)
	llilf	%r5, STORAGE + TO
	xc	0(256, %r5), 0(%r5)
	GUEST	stfle, 8
	llilf	%r2, TO
	lghi	%r0, WORDS - 1
	RUN_TO	0x8302, 0x00440000, 8
	llgcr	%r3, %r0
	aghi	%r3, 1
	cgr	%r3, %r9
	jne	fail
	lghi	%r6, WORDS
	sgr	%r6, %r9
	CC_IS	10				/* the host's list is not longer than ours */
0:	lg	%r7, 0(%r5)
	cg	%r7, 0(%r4)
	jne	fail
	aghi	%r4, 8
	aghi	%r5, 8
	brctg	%r9, 0b
	/* Nothing behind it. */
	STEP
	ltg	%r7, 0(%r5)
	CC_IS	8

	END

	.balign	8
stfle:	stfle	0(%r2)
	diag	%r0, %r2, 0x44
