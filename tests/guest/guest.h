/* SPDX-License-Identifier: MIT */
/*
 * Frame of a flat privileged test program: lowcore, start, checks, verdict.
 *
 * A program is loaded at absolute 0. It starts at the address of the short PSW there (the same as
 * the restart-new PSW), in the 64-bit mode, supervisor state, DAT off. It ends in a disabled wait
 * whose PSW address is the verdict: PASS; or the number of the check that failed; or
 * UNEXPECTED | code << 4 after an interruption that the program did not expect.
 *
 * A test is a chain of STEPs. %r12 holds the number of the current one; %r13-%r15 belong to the
 * macros. After EXPECT(label), the next program interruption goes on at label.
 */
#define PASS	   0x600d
#define UNEXPECTED 0xbad00000

#define MASK_64	  0x0000000180000000
#define MASK_31	  0x0000000080000000
#define MASK_WAIT 0x0002000180000000
#define MASK_EXT  0x0100000000000000
#define MASK_DAT  0x0400000000000000
#define MASK_USER 0x0001000000000000 /* problem state */

/* Lowcore. */
#define EXT_PARAM  0x80
#define EXT_CPU	   0x84
#define EXT_CODE   0x86
#define SVC_ILC	   0x89
#define SVC_CODE   0x8a
#define PGM_ILC	   0x8d
#define PGM_CODE   0x8e
#define DXC	   0x90
#define MON_CLASS  0x94
#define EXC_ID	   0xa0
#define TEID	   0xa8
#define MON_CODE   0xb0
#define BEA	   0x110
#define RST_OLD	   0x120
#define EXT_OLD	   0x130
#define SVC_OLD	   0x140
#define PGM_OLD	   0x150
#define RST_NEW	   0x1a0
#define EXT_NEW	   0x1b0
#define SVC_NEW	   0x1c0
#define PGM_NEW	   0x1d0
/* Software's. */
#define PGM_RETURN 0x208
#define SCRATCH	   0x210 /* 32 bytes */
#define LOADED_PSW 0x230

	.set stepno, 0

	/* A new check begins. */
	.macro STEP
	.set stepno, stepno + 1
	lghi	%r12, stepno
	.endm

	/* The condition code of the check must be one of these (mask bits as BRC). */
	.macro CC_IS mask
	brc	\mask, .Lcc\@
	j	fail
.Lcc\@:
	.endm

	.macro REG_IS reg, value
	.ifge	\value - 0x80000000
	llilf	%r15, (\value) & 0xffffffff
	.if	(\value) >> 32
	iihf	%r15, (\value) >> 32
	.endif
	.else
	lgfi	%r15, \value
	.endif
	cgr	\reg, %r15
	jne	fail
	.endm

	.macro HALF_IS addr, value
	llgh	%r14, \addr
	llilf	%r15, \value
	cgr	%r14, %r15
	jne	fail
	.endm

	.macro BYTE_IS addr, value
	llgc	%r14, \addr
	lghi	%r15, \value
	cgr	%r14, %r15
	jne	fail
	.endm

	.macro WORD_IS addr, value
	llgf	%r14, \addr
	llilf	%r15, \value
	cgr	%r14, %r15
	jne	fail
	.endm

	.macro QUAD_IS addr, high, low
	lg	%r14, \addr
	llilf	%r15, \low
	iihf	%r15, \high
	cgr	%r14, %r15
	jne	fail
	.endm

	/* A doubleword of the lowcore is the address of a label. */
	.macro ADDR_IS addr, label
	lg	%r14, \addr
	larl	%r15, \label
	cgr	%r14, %r15
	jne	fail
	.endm

	/* The program interruption that comes now goes on at label. */
	.macro EXPECT label
	larl	%r14, \label
	stg	%r14, PGM_RETURN
	.endm

	/* What was meant to raise did not. */
	.macro NO_RAISE
	j	fail
	.endm

	.macro PGM_IS code, ilc, old
	HALF_IS	PGM_CODE, \code
	BYTE_IS	PGM_ILC, \ilc
	ADDR_IS	PGM_OLD + 8, \old
	.endm

	/* LPSWE to a label with a mask. Uses SCRATCH-like LOADED_PSW. */
	.macro GOTO mask_high, mask_low, label
	llilf	%r14, \mask_low
	iihf	%r14, \mask_high
	stg	%r14, LOADED_PSW
	larl	%r14, \label
	stg	%r14, LOADED_PSW + 8
	lpswe	LOADED_PSW
	.endm

	/* New PSW of a class: 64-bit mode, all masks off. */
	.macro NEW_PSW at, label
	llilf	%r14, 0x80000000
	iihf	%r14, 1
	stg	%r14, \at
	larl	%r14, \label
	stg	%r14, \at + 8
	.endm

	.macro END
	lghi	%r12, PASS
	j	fail
	.endm

	/* Data, in reach of 12-bit displacements without base; LITERALS ends with CODE or the file. */
	.macro LITERALS
	.section .low, "aw"
	.balign	8
	.endm
	.macro CODE
	.text
	.endm

	.section .lowcore, "aw"		/* at 0 */
	.long	0x00080000, 0x80000000 + start
	.org	0x1a0
	.quad	MASK_64, start
	.quad	MASK_64, unexpected_ext
	.quad	MASK_64, unexpected_svc
	.quad	MASK_64, program
	.quad	MASK_WAIT, UNEXPECTED | 0xf0
	.quad	MASK_WAIT, UNEXPECTED | 0xe0

	.section .low, "aw"		/* at 0x240 */
verdict:
	.quad	MASK_WAIT, 0

	.text				/* at 0x2000 */
program:
	ltg	%r14, PGM_RETURN
	jz	1f
	xc	PGM_RETURN(8), PGM_RETURN
	br	%r14
1:	llgh	%r12, PGM_CODE
	sllg	%r12, %r12, 4
	oilh	%r12, UNEXPECTED >> 16
	j	fail
unexpected_ext:
	llgh	%r12, EXT_CODE
	sllg	%r12, %r12, 4
	oill	%r12, 1
	oilh	%r12, UNEXPECTED >> 16
	j	fail
unexpected_svc:
	llgh	%r12, SVC_CODE
	sllg	%r12, %r12, 4
	oill	%r12, 2
	oilh	%r12, UNEXPECTED >> 16
fail:
	stg	%r12, verdict + 8
	lpswe	verdict
	.balign	8
start:
