/* SPDX-License-Identifier: MIT */
/*
 * Frame of a flat program that is timed: loaded at absolute 0, started at the short PSW there in
 * the 64-bit mode. It ends in a disabled wait at 0xfff when its result (in %r2) is the right one:
 * a power-off for zpv run; else at 0xbad.
 *
 * INSTRUCTIONS in the program's first lines is what it executes: bench/boot.py reads it.
 */
	.macro BEGIN
	.text
	.long	0x00080001, 0x80000000 + start
	.org	0x1d0			/* program new PSW */
	.quad	0x0002000180000000, 0xbad
done:	.quad	0x0002000180000000, 0xfff
	.org	0x2000
start:
	.endm

	.macro END result
	larl	%r3, 1f
	clg	%r2, 0(%r3)
	je	2f
	lpswe	0x1d0
2:	lpswe	done
	.balign	8
1:	.quad	\result
	.endm
