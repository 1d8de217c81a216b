/* SPDX-License-Identifier: MIT */
/*
 * Arithmetic in registers: shifts, rotates, a multiplication, additions with and without carry,
 * and one branch for 16 instructions.
 *
 * INSTRUCTIONS 480000000
 */
#include "program.inc"

#define TURNS 30000000

	BEGIN
	lgfi	%r2, 0x12345678
	lgfi	%r3, 0x5851f42d
	lghi	%r4, 0
	lghi	%r8, 0
	lghi	%r10, 0
	lgfi	%r1, TURNS
	.balign	16
1:	srlg	%r5, %r2, 12
	xgr	%r2, %r5
	sllg	%r5, %r2, 25
	xgr	%r2, %r5
	rllg	%r6, %r2, 13
	msgr	%r6, %r3
	algr	%r4, %r6
	alcgr	%r10, %r2
	risbg	%r7, %r4, 48, 63, 8
	ar	%r8, %r7
	afi	%r8, 12345
	lgr	%r9, %r8
	nr	%r9, %r7
	aghi	%r9, 7
	agr	%r2, %r9
	brctg	%r1, 1b
	xgr	%r2, %r4
	agr	%r2, %r10
	END	0x2f32e0445db4a7b4
