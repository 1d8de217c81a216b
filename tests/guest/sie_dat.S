/* SPDX-License-Identifier: MIT */
/*
 * The rows of kvm-unit-tests' sie-dat.c (sie.md section 10): guest storage behind four levels of
 * region and segment tables, 256 pages from host virtual 0 on.
 */
#include "guest.inc"
#include "sie_host.inc"

#define R1T    0x90000			/* tables of 512 entries: their length field is 0 */
#define R2T    0x91000
#define R3T    0x92000
#define SEGT   0x93000
#define PGT    0x94000
#define BUFFER 0x20000			/* in the guest */
#define SM     0x80			/* cpuflags, byte 3 */

	.macro ENTRY at, value
	llilf	%r1, \value
	llilf	%r2, \at
	stg	%r1, 0(%r2)
	.endm

	HOST_SETUP
	llilf	%r1, R1T
	lghi	%r2, 0x20
	lghi	%r3, 4 * 512
0:	stg	%r2, 0(%r1)
	aghi	%r1, 8
	brctg	%r3, 0b
	ENTRY	R1T, R2T | 0xc
	ENTRY	R2T, R3T | 0x8
	ENTRY	R3T, SEGT | 0x4
	ENTRY	SEGT, PGT
	llilf	%r1, PGT
	llilf	%r2, STORAGE
	lghi	%r3, 256
0:	stg	%r2, 0(%r1)
	aghi	%r1, 8
	aghi	%r2, 0x1000
	brctg	%r3, 0b
	llilf	%r1, R1T | 0xc
	stg	%r1, SCRATCH
	lctlg	%c1, %c1, SCRATCH
	/* MSO and MSL stay, and do not count. */
	oi	CPUFLAGS + 3(%r10), SM

	/* Row: sie-dat 1. The guest tells where its buffer is. */
	STEP
	GUEST	writes, 52
	lghi	%r2, 0
	RUN_TO	0x8300, 0x05000000, 10
	REG_IS	%r2, BUFFER

	/* Row: sie-dat 2. Ten pages, each with its number. */
	STEP
	RUN_TO	0x8300, 0x00440000, 40
	llilf	%r5, STORAGE + BUFFER
	lghi	%r6, 10
	lghi	%r7, 42
0:	cg	%r7, 0(%r5)
	jne	fail
	aghi	%r7, 1
	aghi	%r5, 0x1000
	brctg	%r6, 0b

	/* Row: sie-dat 3. Behind the tables: the host's exception, no interception. */
	STEP
	mvi	ICPTCODE(%r10), 0
	EXPECT	1f
0:	sie	0(%r10)
	NO_RAISE
1:	PGM_IS	0x10, 4, 0b
	QUAD_IS	TEID, 0, 0x100400
	ICPT_IS	0
	QUAD_IS	GPSW + 8(%r10), 0, GCODE + 46

	END

	.balign	8
writes:	llilf	%r2, BUFFER
	diag	%r0, %r0, 0x500
	lghi	%r1, 42
	lghi	%r3, 10
0:	stg	%r1, 0(%r2)
	la	%r1, 1(%r1)
	aghi	%r2, 0x1000
	brct	%r3, 0b
	diag	%r0, %r0, 0x44
	llilf	%r2, 0x100000
	stc	%r1, 0(%r2)
	nopr
