/* SPDX-License-Identifier: MIT */
/*
 * Loads every register that a dump shows and stays in one of three loops: LOOP_BRANCH, LOOP_DIAG,
 * LOOP_SERVC. The loop's name and protected.inc come ahead of it, the table of values
 * (registers_test.py) behind it. When all is loaded, the shared page at 16 MiB says so.
 */
	.machine z13

	.macro	LOAD name, op, first, last
	\op	\first, \last, v_\name - values(%r13)
	.endm

	larl	%r4, uvcb
	.insn	rrf, 0xb9a40000, %r0, %r4, 0, 0
	jnz	.
	larl	%r13, values
	LOAD	cr, lctlg, %c0, %c15
	LOAD	vr, vlm, %v0, %v15
	LOAD	vr + 256, vlm, %v16, %v31
	LOAD	ar, lam, %a0, %a15
	lfpc	v_fpc - values(%r13)
	llgf	%r0, v_todpr - values(%r13)
	sckpf
	sckc	v_ckc - values(%r13)
	spt	v_timer - values(%r13)
	spx	v_prefix - values(%r13)
	/* In the new prefix area. */
	mvc	EXT_NEW(16), loop_psw - values(%r13)
#ifdef LOOP_SERVC
	ssm	loop_psw - values(%r13)
#endif
	LOAD	gr, lmg, %r0, %r15
	strl	%r5, ready
	j	loop

	.equ	ready, 0x1000004

	.org	0x11000
loop:
#if defined(LOOP_DIAG)
	/*
	 * GR 2 is the result: it differs from GR 6 as soon as the instruction is complete. The wait
	 * is for a fair share of dumps without an interception.
	 */
	lgr	%r2, %r6
	diag	%r2, %r4, 0x500
	llill	%r2, 1000
1:	brctg	%r2, 1b
	j	loop
#elif defined(LOOP_SERVC)
	/* Condition code 1 stays until SERVICE CALL is complete; its signal leads back to loop. */
	ltgr	%r6, %r6
	.insn	rre, 0xb2200000, %r7, %r8
	j	.
#elif defined(LOOP_BRANCH)
	j	loop
#endif

	.org	0x12000
sccb:	.short	4096

	.org	0x13000
uvcb:	.short	0x30, 0x1000, 0, 0
	.quad	0, 0, 0, 0x1000000, 0
values:
loop_psw:
	.quad	0x0100000180000000, loop
