/* SPDX-License-Identifier: MIT */
/*
 * A program in the place of stage3b: the first that the protected guest executes, wherever it lies.
 * It reads ranges of absolute storage, changes nothing, and powers off when all of it is zeros;
 * else it stops in a disabled wait. RANGES: pairs of first byte and byte behind, then two zeros.
 */
	.text
	.globl	start
start:
	larl	%r13, ranges
range:	lmg	%r2, %r3, 0(%r13)
	ltgr	%r3, %r3
	jz	done
1:	ltg	%r4, 0(%r2)
	jnz	bad
	la	%r2, 8(%r2)
	clgr	%r2, %r3
	jl	1b
	la	%r13, 16(%r13)
	j	range
done:	lghi	%r1, 0
	lghi	%r3, 0
	sigp	%r2, %r3, 5
	j	.
bad:	larl	%r1, dead
	lpswe	0(%r1)
	.balign	8
dead:	.quad	0x0002000180000000, 0xbad
ranges:	RANGES
	.skip	64			/* stage3b's arguments */
