/* SPDX-License-Identifier: MIT */
/*
 * A protected guest that hides what plant.inc has, and leaves SIE in every way there is. Before each
 * of them all registers hold what is to be hidden, but for the instruction's own operands, and new
 * pages of its storage do.
 *
 * Linked at 0, a kernel for stage3b: entered at 0x10000, with DAT off. It ends with SIGP STOP; a
 * program interruption, or registers that are not what they were, end in a disabled wait.
 */
#include "plant.inc"

#define EXT_NEW	  0x1b0
#define PGM_NEW	  0x1d0
#define SLOT	  0x210 /* a PSW, a word: whatever an S-format instruction has for an operand */
#define COUNT	  0x240 /* of resets */
#define WAIT_MASK 0x0102000180000000
#define DEAD	  0x0002000180000000
#define MASK_64	  0x0000000180000000
#define PREFIX	  0x8000
#define FRESH	  0x200000 /* pages of a round each */
#define ROUNDS	  10

#define CR0_NONE	0x40000 /* additional floating-point registers */
#define CR0_SERVICE	0x40200
#define CR0_CKC		0x40800
#define CR0_EMERGENCY	0x44000

	.macro PLANT
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	ldy	%f\n, fprs + 8 * \n\()(%r0)
	.endr
	lamy	%a0, %a15, ars(%r0)
	lctlg	%c1, %c5, crs(%r0)
	lctlg	%c7, %c13, crs + 40(%r0)
	lctlg	%c15, %c15, crs + 96(%r0)
	lmg	%r0, %r15, grs(%r0)
	.endm

	.macro CHECK	/* all general registers are as they were planted */
	stmg	%r0, %r15, save(%r0)
	larl	%r1, save
	larl	%r2, grs
	clc	0(128, %r1), 0(%r2)
	jne	bad
	.endm

	.macro AWAIT subclass	/* everything planted in an enabled wait; an external interruption ends it */
	larl	%r1, 1f
	stg	%r1, EXT_NEW + 8
	lctlg	%c0, %c0, \subclass\()(%r0)
	mvc	SLOT(16), wait - frame(%r13)
	PLANT
	lpswe	SLOT
1:	larl	%r13, frame
	lctlg	%c0, %c0, cr0_none(%r0)
	.endm

	.macro UVC reg
	.insn	rre, 0xb9a40000, %r0, \reg
	.endm

	.text
	.org	0x10000
	j	start
	.org	0x10008
	.ascii	"S390EP"
	.org	0x10430
	.quad	896
	.org	0x12000
	.globl	start
start:
	larl	%r13, frame
	mvc	0(8), short_psw - frame(%r13)
	mvc	EXT_NEW(16), new - frame(%r13)
	mvc	PGM_NEW(16), dead - frame(%r13)
	mvi	COUNT, 0
	lctlg	%c0, %c0, cr0_none(%r0)
	lghi	%r2, 0			/* both prefix areas are the same */
	lghi	%r3, 0x2000
	llill	%r4, PREFIX
	lghi	%r5, 0x2000
	mvcl	%r4, %r2

resumed:				/* after a reset too */
	larl	%r13, frame
	lctlg	%c0, %c0, cr0_none(%r0)
	mvc	rounds - frame(8, %r13), all_rounds - frame(%r13)

round:
	larl	%r13, frame
	lg	%r1, rounds - frame(%r13)	/* pages that are the hypervisor's to deliver */
	llgc	%r2, COUNT
	mghi	%r2, ROUNDS + 1
	agr	%r1, %r2
	sllg	%r1, %r1, 13
	algfi	%r1, FRESH
	mvc	0(TEXT_LEN, %r1), text - frame(%r13)
	mvc	0x1000 - 13(TEXT_LEN, %r1), text - frame(%r13)
	lmg	%r2, %r3, 0x1000 - 8(%r1)	/* both pages at once */

	PLANT				/* 108 without operands */
	diag	%r0, %r0, 0x44
	CHECK

	PLANT				/* the target of the yield is told */
	lghi	%r5, 0
	diag	%r5, %r0, 0x9c

	PLANT				/* by EXECUTE */
	exrl	%r0, yield
	CHECK

	PLANT				/* 104: GR1 to GR4 are told */
	lghi	%r1, 1
	lghi	%r2, 2
	lghi	%r3, 3
	lghi	%r4, 4
	diag	%r0, %r0, 0x500

	PLANT				/* 104: a system-information block over what was there */
	larl	%r3, page
	larl	%r13, frame
	mvc	0(TEXT_LEN, %r3), text - frame(%r13)
	lg	%r13, grs + 104(%r0)
	llilh	%r0, 0x1000
	oill	%r0, 1
	lghi	%r1, 1
	stsi	0(%r3)
	PLANT
	lghi	%r0, 0
	lghi	%r1, 0
	stsi	0

	PLANT				/* 104: an IPL information block, which there is none of */
	larl	%r2, page		/* the pair is told */
	lghi	%r3, 0
	lghi	%r1, 6
	diag	%r2, %r1, 0x308

	PLANT				/* 104: I/O without devices */
	larl	%r2, page
	llilh	%r1, 1
	stsch	0(%r2)

	larl	%r13, frame		/* 108: another prefix, and back */
	mvc	SLOT(4), prefix - frame(%r13)
	PLANT
	spx	SLOT
	diag	%r0, %r0, 0x44
	CHECK
	xc	SLOT(4), SLOT
	PLANT
	spx	SLOT

	PLANT				/* SIGP: no exit, and a request that comes back */
	lghi	%r3, 0
	sigp	%r2, %r3, 1
	PLANT
	lghi	%r3, 0
	lghi	%r2, 0
	sigp	%r2, %r3, 3
	jnz	bad
	larl	%r13, frame
	AWAIT	cr0_emergency

	stck	SLOT + 16		/* a wait that the clock comparator ends */
	lg	%r1, SLOT + 16
	algfi	%r1, 0x800000
	stg	%r1, SLOT + 16
	sckc	SLOT + 16
	AWAIT	cr0_ckc
	sckc	never - frame(%r13)

	larl	%r4, sccb		/* a line for the console: SERVC, its notification, its signal */
	mvc	0(14, %r4), sccb_head - frame(%r13)
	mvc	14(CONSOLE_LEN, %r4), console - frame(%r13)
	PLANT
	larl	%r4, sccb
	llilh	%r5, 0x76
	oill	%r5, 5
	.insn	rre, 0xb2200000, %r5, %r4
	jnz	bad
	larl	%r13, frame
	AWAIT	cr0_service
	larl	%r4, sccb
	clc	6(2, %r4), normal - frame(%r13)
	jne	bad

	larl	%r3, shared_page	/* shared for a while: that page alone may be seen */
	mvc	0(SHARED_LEN, %r3), shared - frame(%r13)
	stg	%r3, share + 0x20 - frame(%r13)
	stg	%r3, unshare + 0x20 - frame(%r13)
	larl	%r2, share
	UVC	%r2
	jnz	bad
	.rept	8
	PLANT
	diag	%r0, %r0, 0x44
	.endr
	larl	%r2, unshare
	UVC	%r2
	jnz	bad
	larl	%r13, frame
	larl	%r3, shared_page
	clc	0(SHARED_LEN, %r3), shared - frame(%r13)
	jne	bad

	lg	%r1, rounds - frame(%r13)
	aghi	%r1, -1
	stg	%r1, rounds - frame(%r13)
	jnz	round

	llgc	%r1, COUNT		/* a normal reset, a clear reset, the end */
	aghi	%r1, 1
	stc	%r1, COUNT
	cghi	%r1, 3
	je	done
	PLANT
	llgc	%r1, COUNT
	lghi	%r0, 0
	lghi	%r2, 2
	sgr	%r2, %r1
	diag	%r0, %r2, 0x308
	j	bad

done:	PLANT
	lghi	%r3, 0
	sigp	%r2, %r3, 5
bad:	larl	%r13, frame
	lpswe	dead - frame(%r13)

yield:	diag	%r0, %r0, 0x44

	.data
	.balign	8
frame:
wait:	.quad	WAIT_MASK, 0
new:	.quad	MASK_64, 0
dead:	.quad	DEAD, 0xbad
short_psw:
	.long	0x00080001, 0x80000000 + resumed
never:	.quad	-1
rounds:	.quad	0
all_rounds:
	.quad	ROUNDS
prefix:	.long	PREFIX
normal:	.short	0x0020
	.balign	8
cr0_none:
	.quad	CR0_NONE
cr0_service:
	.quad	CR0_SERVICE
cr0_ckc:
	.quad	CR0_CKC
cr0_emergency:
	.quad	CR0_EMERGENCY
share:	.short	0x30, 0x1000, 0, 0
	.quad	0, 0, 0, 0, 0
unshare:
	.short	0x30, 0x1001, 0, 0
	.quad	0, 0, 0, 0, 0
sccb_head:				/* and that of a VT220 event */
	.short	14 + CONSOLE_LEN, 0, 0, 0
	.short	6 + CONSOLE_LEN, 0x1a00, 0
text:	TEXT
console:
	CONSOLE
shared:	SHARED
	.balign	8
grs:	GRS
fprs:	FPRS
crs:	CRS	/* 1 to 5, 7 to 13, 15 */
ars:	ARS
save:	.skip	128
	.balign	4096
sccb:	.skip	14 + CONSOLE_LEN	/* what is behind the control block is not for the host */
	BEHIND
	.balign	4096
shared_page:
	.skip	4096
page:	.skip	4096
	.globl	end
end:
