/* SPDX-License-Identifier: MIT */
/* Supervisor calls and monitor calls, executed ones too. */
#include "guest.inc"

	.macro SVC_IS code, ilc, old
	HALF_IS	SVC_CODE, \code
	BYTE_IS	SVC_ILC, \ilc
	ADDR_IS	SVC_OLD + 8, \old
	.endm

	STEP
	NEW_PSW	SVC_NEW, 1f
	llilf	%r3, 0x20000000		/* CC 2 */
	spm	%r3
	svc	77
0:	NO_RAISE
1:	SVC_IS	77, 2, 0b
	QUAD_IS	SVC_OLD, 0x00002001, 0x80000000

	/* From the problem state. */
	STEP
	NEW_PSW	SVC_NEW, 1f
	GOTO	0x00010001, 0x80000000, 2f
2:	svc	0
0:	NO_RAISE
1:	SVC_IS	0, 2, 0b
	tm	SVC_OLD + 1, 1
	CC_IS	1

	/* EX and EXRL: the code is modified, length and address are those of the execute. */
	STEP
	NEW_PSW	SVC_NEW, 1f
	lghi	%r1, 0x0f
	ex	%r1, target
0:	NO_RAISE
1:	SVC_IS	0x4f, 4, 0b
	STEP
	NEW_PSW	SVC_NEW, 1f
	lghi	%r1, 0x30
	exrl	%r1, target
0:	NO_RAISE
1:	SVC_IS	0x70, 6, 0b

	/* MONITOR CALL: no event while the class is masked. */
	STEP
	lctlg	%c8, %c8, zero
	mc	0, 3
	mc	0x123, 15
	/* Class 16 and above: specification, whatever the mask. */
	STEP
	EXPECT	1f
0:	mc	0, 16
	NO_RAISE
1:	PGM_IS	6, 4, 0b + 4
	/* Class 3 enabled. */
	STEP
	lctlg	%c8, %c8, class3
	mc	0, 2
	lghi	%r1, 0x1000
	EXPECT	1f
0:	mc	0x234(%r1), 3
	NO_RAISE
1:	PGM_IS	0x40, 4, 0b + 4
	HALF_IS	MON_CLASS, 3
	QUAD_IS	MON_CODE, 0, 0x1234
	/* Executed. */
	STEP
	EXPECT	1f
0:	exrl	%r0, monitor
	NO_RAISE
1:	PGM_IS	0x40, 6, 0b + 6
	QUAD_IS	MON_CODE, 0, 0x55

	END

	LITERALS
zero:	.quad	0
class3:	.quad	0x1000
target:	svc	0x40
monitor:
	mc	0x55, 3
