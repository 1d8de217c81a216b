/* SPDX-License-Identifier: MIT */
/*
 * A host program that runs a guest by SIE (sie.md), on top of guest.h: tables, state description,
 * guest code. Guest absolute 0 is host virtual ORIGIN is host absolute STORAGE, 1 MiB long.
 *
 * %r10: the state description; %r11: the guest's code.
 */
#define SCB	 0x80000
#define SEGMENTS 0x82000
#define PAGES	 0x83000
#define STORAGE	 0x200000
#define ORIGIN	 0x300000 /* of the guest in the host's primary space */
#define GCODE	 0x4000

/* Fields of the state description. */
#define CPUFLAGS 0x000
#define CPUTM	 0x028
#define CKC	 0x030
#define ICTL	 0x048
#define ECA	 0x04c
#define ICPTCODE 0x050
#define IPA	 0x056
#define IPB	 0x058
#define SCAOL	 0x064
#define MSO	 0x080
#define MSL	 0x088
#define GPSW	 0x090
#define GG14	 0x0a0
#define PGMILC	 0x0cc
#define IPRCC	 0x0ce
#define GCR	 0x100

	LITERALS
guest_psw:
	.quad	MASK_64, GCODE
never:
	.quad	0x7fffffffffffffff
origin:
	.quad	ORIGIN, ORIGIN		/* MSO and MSL: the one block */
	CODE

	/* Tables, and a state description in its first state. */
	.macro HOST_SETUP
	llilf	%r10, SCB
	llilf	%r11, STORAGE + GCODE
	llilf	%r1, SEGMENTS
	stg	%r1, SCRATCH
	lctlg	%c1, %c1, SCRATCH
	lghi	%r2, 512
	lghi	%r3, 0x20
.Lsegment\@:
	stg	%r3, 0(%r1)
	aghi	%r1, 8
	brctg	%r2, .Lsegment\@
	llilf	%r1, PAGES
	llilf	%r2, SEGMENTS
	stg	%r1, (ORIGIN >> 20) * 8(%r2)
	lghi	%r2, 256
	llilf	%r3, STORAGE
.Lpage\@:
	stg	%r3, 0(%r1)
	aghi	%r1, 8
	aghi	%r3, 0x1000
	brctg	%r2, .Lpage\@
	xc	0(256, %r10), 0(%r10)
	xc	256(256, %r10), 256(%r10)
	mvi	CPUFLAGS + 2(%r10), 0x08	/* ZARCH */
	mvi	ECA + 2(%r10), 0x20		/* PROTEXCI */
	mvi	GCR + 7(%r10), 0xe0
	mvc	CPUTM(8, %r10), never
	mvc	CKC(8, %r10), never
	mvc	MSO(16, %r10), origin
	.endm

	/* The guest begins with the bytes at label. */
	.macro GUEST label, len
	larl	%r14, \label
	mvc	0(\len, %r11), 0(%r14)
	mvc	GPSW(16, %r10), guest_psw
	.endm

	.macro RUN
	mvi	ICPTCODE(%r10), 0
	sie	0(%r10)
	.endm

	.macro ICPT_IS code
	cli	ICPTCODE(%r10), \code
	jne	fail
	.endm
