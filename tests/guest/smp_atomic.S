/* SPDX-License-Identifier: MIT */
/* Two CPUs that count in the same word, each with its own supervisor calls in between. */
#include "guest.inc"

#define AP_PREFIX 0x40000
#define TIMES	  400

	/* Both CPUs: %r9 is the word. */
	.macro COUNT
	lghi	%r3, TIMES
0:	l	%r1, 0(%r9)
1:	lr	%r2, %r1
	ahi	%r2, 1
	cs	%r1, %r2, 0(%r9)
	jne	1b
	svc	7
	brct	%r3, 0b
	.endm
	.macro ORDER code
.Lbusy\@:
	sigp	%r4, %r2, \code
	brc	2, .Lbusy\@
	CC_IS	8
	.endm

	STEP
	NEW_PSW	SVC_NEW, back
	larl	%r9, word
	lghi	%r2, 1
	ORDER	11
	llilf	%r5, AP_PREFIX
	ORDER	13
	mvc	0x1a0(0x60, %r5), 0x1a0
	larl	%r14, ap
	stg	%r14, RST_NEW + 8(%r5)
	/* They begin together, */
	STEP
	ORDER	6
2:	lt	%r1, 4(%r9)
	jz	2b
	mvhi	8(%r9), 1
	COUNT
	/* and nothing of it is lost. */
	STEP
3:	lt	%r1, 12(%r9)
	jz	3b
	WORD_IS	0(%r9), 2 * TIMES

	END

ap:	larl	%r9, word
	mvhi	4(%r9), 1
4:	lt	%r1, 8(%r9)
	jz	4b
	COUNT
	mvhi	12(%r9), 1
	lghi	%r2, 1				/* stops itself */
5:	sigp	%r4, %r2, 5
	j	5b

back:	lpswe	SVC_OLD

	.balign	8
word:	.long	0			/* the count */
	.long	0			/* CPU 1 is there */
	.long	0			/* go */
	.long	0			/* CPU 1 has finished */
