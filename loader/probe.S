/* SPDX-License-Identifier: MIT */
/*
 * Instructions that may be missing: STFL, STFLE, DIAGNOSE 308. The program-new PSW points behind
 * the instruction while it is tried.
 *
 * PoP ch. 10, "STORE FACILITY LIST"; ch. 7, "STORE FACILITY LIST EXTENDED"; boot-ipl.md section 3.
 * STFL and STFLE are spelled as .insn because the assembler's z900 does not know them.
 */
#include "layout.h"

	.text

/* Point the program-new PSW's address at \label; %r5 keeps the old one, %r4 is lost. */
.macro	probe_begin label
	lg	%r5,LC_PGM_NEW_PSW+8
	larl	%r4,\label
	stg	%r4,LC_PGM_NEW_PSW+8
.endm

.macro	probe_end
	stg	%r5,LC_PGM_NEW_PSW+8
.endm

/* void facility_probe(void): STFL to 0xc8, STFLE (32 doublewords) to LC_FACILITY_LIST */
	.globl	facility_probe
	.type	facility_probe, @function
facility_probe:
	probe_begin no_stfl
	.insn	s,0xb2b10000,0
no_stfl:
	larl	%r4,no_stfle
	stg	%r4,LC_PGM_NEW_PSW+8
	lghi	%r0,31
	.insn	s,0xb2b00000,LC_FACILITY_LIST
no_stfle:
	probe_end
	br	%r14
	.size	facility_probe, .-facility_probe

/*
 * uint64_t diag308(uint64_t subcode, uint64_t addr): address in GR0, response in GR1.
 * Returns 0, which is no response code, after a program interruption.
 */
	.globl	diag308
	.type	diag308, @function
diag308:
	probe_begin no_diag
	lgr	%r0,%r3
	lghi	%r1,0
	diag	%r0,%r2,0x308
no_diag:
	probe_end
	lgr	%r2,%r1
	br	%r14
	.size	diag308, .-diag308

	.section .note.GNU-stack, "", @progbits
