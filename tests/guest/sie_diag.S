/* SPDX-License-Identifier: MIT */
/* The rows of kvm-unit-tests' sie.c (sie.md section 10). */
#include "guest.inc"
#include "sie_host.inc"

#define MEF	 0x08			/* ECD, byte 0 */
#define LIST	 0x86000		/* facilities of the host */
#define LIST_139 17			/* byte, */
#define BIT_139	 0x10			/* and bit in it */

	HOST_SETUP

	/* Row: sie DIAG 10 */
	STEP
	GUEST	diag_10, 4
	RUN_TO	0x8302, 0x00100000, 4
	/* Row: sie DIAG 44 */
	STEP
	GUEST	diag_44, 4
	RUN_TO	0x8302, 0x00440000, 4
	/* Row: sie DIAG 9c */
	STEP
	GUEST	diag_9c, 4
	RUN_TO	0x8302, 0x009c0000, 4

	/* Row: sie STCKE. The epoch index counts when there is the multiple-epoch facility. */
	STEP
	llilf	%r3, LIST
	xc	0(256, %r3), 0(%r3)
	lghi	%r0, 31
	stfle	0(%r3)
	llilf	%r4, STORAGE
	mvi	0(%r4), 0xff
	mvi	EPDX(%r10), 0x47
	mvi	ECD(%r10), MEF
	GUEST	stcke, 8
	RUN_TO	0x8302, 0x00440000, 8
	tm	LIST_139(%r3), BIT_139
	jo	0f
	BYTE_IS	0(%r4), 0
	j	1f
0:	BYTE_IS	0(%r4), 0x47
1:	STEP
	/* It is a clock. */
	lg	%r5, 1(%r4)
	ltgr	%r5, %r5
	CC_IS	6

	END

	.balign	8
diag_10:
	diag	%r0, %r2, 0x10
diag_44:
	diag	%r0, %r2, 0x44
diag_9c:
	diag	%r0, %r2, 0x9c
stcke:	stcke	0
	diag	%r0, %r2, 0x44
