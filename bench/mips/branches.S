/* SPDX-License-Identifier: MIT */
/*
 * Loads, stores and branches: words of a table of 1 MiB in a random order, a branch that depends
 * on what is there (both ways are equally long), a call, a counter in memory, register saves.
 *
 * INSTRUCTIONS 416000000
 */
#include "program.inc"

#define TABLE	0x100000
#define COUNTER 0x8000 /* not in a page that is executed */
#define TURNS	16000000

	BEGIN
	lgfi	%r2, 0x12345678
	larl	%r3, factor
	lg	%r3, 0(%r3)
	lgfi	%r4, 0x2c9277b5
	lgfi	%r10, TABLE
	lgfi	%r11, COUNTER
	lgfi	%r1, TURNS
	.balign	16
1:	msgr	%r2, %r3
	algr	%r2, %r4
	risbg	%r5, %r2, 44, 60 + 128, 20
	lg	%r6, 0(%r5, %r10)
	tmll	%r6, 1
	jo	2f
	xgr	%r6, %r2
	stg	%r6, 0(%r5, %r10)
	j	3f
2:	agr	%r6, %r2
	stg	%r6, 0(%r5, %r10)
	j	3f
3:	brasl	%r14, count
	lmg	%r6, %r9, 16(%r11)
	agr	%r8, %r6
	cgije	%r8, 1, 4f
	mvc	48(8, %r11), 0(%r11)
	clc	48(8, %r11), 0(%r11)
	jne	4f
	brctg	%r1, 1b
	agr	%r2, %r12
	END	0xe912a97da2035278
4:	lpswe	0x1d0

count:	stmg	%r6, %r9, 16(%r11)
	lg	%r7, 0(%r11)
	aghi	%r7, 1
	stg	%r7, 0(%r11)
	llgc	%r12, 7(%r11)
	ltgr	%r12, %r12
	je	5f
	nill	%r12, 0xff
	br	%r14
5:	nill	%r12, 0xfe
	br	%r14

	.balign	8
factor:	.quad	0x5851f42d4c957f2d
