/* SPDX-License-Identifier: MIT */
/*
 * A pretended hypervisor for loader tests: the test replaces STFLE, DIAGNOSE 308 and SERVICE CALL
 * in stage3a by SUPERVISOR CALL, which the loader does not use; this handler answers instead.
 *
 * Linked at 0x6000, which no loader touches. SERVC_R1 and SERVC_R2, the registers of the replaced
 * SERVICE CALL, come from the command line; the variables at 0xc00, in the
 * lowcore, belong to the test.
 */
#define SVC_CODE	0x8b
#define SVC_OLD_PSW	0x140
#define FACILITY_LIST	0xf00

#define RESPONSE_8	0xc00		/* answer to DIAGNOSE 308 subcode 8 */
#define RESPONSE_10	0xc08		/* to subcode 10; all ones: load GO_PSW */
#define GO_PSW		0xc10
#define BUSY		0xc20		/* so many SERVICE CALLs find SCLP busy */
#define ABSENT		0xc28		/* byte: not 0 if there is no SCLP */
#define REJECT_MASK	0xc29		/* byte: not 0 if event masks are refused */
#define ADDR_8		0xc30		/* address operands of the two subcodes */
#define ADDR_10		0xc38
#define MASKS		0xc40		/* number of Write Event Mask commands */
#define LINE_MODE	0xd00		/* the last SCCB for the line mode console */
#define SAVED		0xc80

	.text
	stmg	%r0,%r15,SAVED
	cli	SVC_CODE,1
	je	stfle
	cli	SVC_CODE,2
	je	diag
	j	servc

stfle:	oi	FACILITY_LIST+20,0x40		/* bit 161 */
	j	return

diag:	cghi	%r2,8
	jne	0f
	stg	%r0,ADDR_8
	lg	%r1,RESPONSE_8
	j	1f
0:	stg	%r0,ADDR_10
	lg	%r1,RESPONSE_10
	cghi	%r1,-1
	jne	1f
	lpswe	GO_PSW
1:	stg	%r1,SAVED+8
	j	return

servc:	ni	SVC_OLD_PSW+2,0xcf		/* condition code 0 */
	cli	ABSENT,0
	jne	cc3
	lg	%r1,BUSY
	aghi	%r1,-1
	jm	0f
	stg	%r1,BUSY
	oi	SVC_OLD_PSW+2,0x20
	j	return
cc3:	oi	SVC_OLD_PSW+2,0x30
	j	return
0:	larl	%r1,mask_command
	lmg	%r2,%r15,SAVED+16
	c	SERVC_R1,0(%r1)
	jne	1f
	lg	%r1,MASKS
	aghi	%r1,1
	stg	%r1,MASKS
	cli	REJECT_MASK,0
	je	1f
	mvc	10(2,SERVC_R2),ABSENT+6		/* mask length 0 */
1:	cli	10(SERVC_R2),2
	jne	2f
	mvc	LINE_MODE(256),0(SERVC_R2)
2:	lmg	%r0,%r15,SAVED
	.insn	rre,0xb2200000,SERVC_R1,SERVC_R2

return:	lmg	%r0,%r15,SAVED
	lpswe	SVC_OLD_PSW

	.balign	4
mask_command:
	.long	0x00780005
