/* SPDX-License-Identifier: MIT */
/* How SIE ends for its host program: interceptions, validity (sie.md sections 4, 6, 10). */
#include "guest.inc"
#include "sie_host.inc"

	HOST_SETUP

	/* DIAG; the host's CC and GRs 14, 15 stay, GRs 0-13 are shared. */
	STEP
	GUEST	diag, 16
	lghi	%r0, 41
	lghi	%r14, 0x1e
	lghi	%r15, 0x1f
	mvi	SCRATCH, 0x01
	tm	SCRATCH, 0x01			/* CC 3 */
	RUN
	CC_IS	1
	cghi	%r14, 0x1e
	jne	fail
	cghi	%r15, 0x1f
	jne	fail
	REG_IS	%r0, 42
	ICPT_IS	4
	HALF_IS	IPA(%r10), 0x8302
	WORD_IS	IPB(%r10), 0x00440000
	QUAD_IS	GPSW + 8(%r10), 0, GCODE + 12
	QUAD_IS	GG14(%r10), 0, 7
	/* Once more, from behind it. */
	STEP
	RUN
	ICPT_IS	4
	WORD_IS	IPB(%r10), 0x009c0000

	/* A request to stop, before the first instruction. */
	STEP
	GUEST	diag, 16
	oi	CPUFLAGS(%r10), 0x04
	RUN
	ICPT_IS	0x28
	QUAD_IS	GPSW + 8(%r10), 0, GCODE
	ni	CPUFLAGS(%r10), 0xfb

	/* External and I/O requests wait for the guest's PSW. */
	STEP
	oi	CPUFLAGS(%r10), 0x01
	RUN
	ICPT_IS	4
	GUEST	enable, 8
	RUN
	ICPT_IS	0x10
	QUAD_IS	GPSW + 8(%r10), 0, GCODE + 4
	ni	CPUFLAGS(%r10), 0xfe

	/* A wait PSW. */
	STEP
	GUEST	diag, 16
	oi	GPSW + 1(%r10), 0x02
	RUN
	ICPT_IS	0x1c
	QUAD_IS	GPSW + 8(%r10), 0, GCODE

	/* Validity: no z/Architecture; SCA in the first 8 KiB. */
	STEP
	GUEST	diag, 16
	ni	CPUFLAGS + 2(%r10), 0xf7
	RUN
	ICPT_IS	0x20
	HALF_IS	IPB(%r10), 0x0001
	oi	CPUFLAGS + 2(%r10), 0x08
	STEP
	mvi	SCAOL + 2(%r10), 0x10
	RUN
	ICPT_IS	0x20
	HALF_IS	IPB(%r10), 0x0038
	mvi	SCAOL + 2(%r10), 0
	RUN
	ICPT_IS	4
	/* Row: format 4. There is no Ultravisor. */
	STEP
	GUEST	diag, 16
	mvi	SDF(%r10), 2
	RUN
	ICPT_IS	0x20
	HALF_IS	IPB(%r10), 0x2001
	QUAD_IS	GPSW + 8(%r10), 0, GCODE
	mvi	SDF(%r10), 0
	RUN
	ICPT_IS	4

	/* The operand: on 512 bytes, in storage; the supervisor state. */
	STEP
	EXPECT	1f
	sie	256(%r10)
0:	NO_RAISE
1:	PGM_IS	6, 4, 0b
	STEP
	EXPECT	1f
	llihl	%r1, 0x100
	sie	0(%r1)
0:	NO_RAISE
1:	PGM_IS	5, 4, 0b
	STEP
	EXPECT	1f
	GOTO	0x00010001, 0x80000000, 2f
2:	sie	0(%r10)
0:	NO_RAISE
1:	PGM_IS	2, 4, 0b

	END

	.balign	8
diag:
	aghi	%r0, 1
	lghi	%r14, 7
	diag	%r0, %r2, 0x44
	diag	%r0, %r2, 0x9c
enable:
	stosm	0x300, 1
	diag	%r0, %r2, 0x44
