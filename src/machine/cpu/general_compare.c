// SPDX-License-Identifier: MIT
/*
 * General instructions: comparing, and branching or trapping by a comparison.
 *
 * PoP chapter 7, "General Instructions". Comparisons set CC 0 equal, 1 first operand low, 2 first
 * operand high; those that branch or trap leave the CC alone.
 */
#include "handler.h"
#include "insn_proto.h"

/* Signed: of an operand's rightmost bits. */
#define S16(v) ((int16_t)(v))
#define S32(v) ((int32_t)(v))
#define S64(v) ((int64_t)(v))

#define COMPARE(name, n, a, b)            \
	HANDLER(name)                     \
	{                                 \
		int64_t b_ = (b);         \
		cc_compare(cpu, (a), b_); \
		NEXT(n);                  \
	}

#define COMPARE_LOGICAL(name, n, a, b)            \
	HANDLER(name)                             \
	{                                         \
		uint64_t b_ = (b);                \
		cc_compare_logical(cpu, (a), b_); \
		NEXT(n);                          \
	}

/* --- Signed ------------------------------------------------------------------------------------ */

/*
 * COMPARE  CR 19 [RR]; CGR B920, CGFR B930 [RRE]; C 59 [RX-a]; CY E359, CG E320, CGF E330 [RXY-a]
 * COMPARE RELATIVE LONG  CRL C6-D, CGRL C6-8, CGFRL C6-C [RIL-b]
 * Exceptions: access; specification (relative operand not on its boundary).
 *                                                                    PoP ch. 7, "COMPARE"
 */
COMPARE(cr, 1, S32(r64(R1)), S32(r64(R2)))
COMPARE(cgr, 2, S64(r64(R1)), S64(r64(R2)))
COMPARE(cgfr, 2, S64(r64(R1)), S32(r64(R2)))
COMPARE(c, 2, S32(r64(R1)), S32(load32(EA_X())))
COMPARE(cy, 3, S32(r64(R1)), S32(load32(EA_X())))
COMPARE(cg, 3, S64(r64(R1)), S64(load64(EA_X())))
COMPARE(cgf, 3, S64(r64(R1)), S32(load32(EA_X())))
COMPARE(crl, 3, S32(r64(R1)), S32(load32(rel_aligned(cpu, s, 4))))
COMPARE(cgrl, 3, S64(r64(R1)), S64(load64(rel_aligned(cpu, s, 8))))
COMPARE(cgfrl, 3, S64(r64(R1)), S32(load32(rel_aligned(cpu, s, 4))))

/*
 * COMPARE HALFWORD  CH 49 [RX-a]; CHY E379, CGH E334 [RXY-a]
 * COMPARE HALFWORD RELATIVE LONG  CHRL C6-5, CGHRL C6-4 [RIL-b]
 * COMPARE (HALFWORD) IMMEDIATE  CHI A7-E, CGHI A7-F [RI-a]; CFI C2-D, CGFI C2-C [RIL-a];
 *      CHHSI E554, CHSI E55C, CGHSI E558 [SIL]
 * Exceptions: access.
 */
COMPARE(ch, 2, S32(r64(R1)), S16(load16(EA_X())))
COMPARE(chy, 3, S32(r64(R1)), S16(load16(EA_X())))
COMPARE(cgh, 3, S64(r64(R1)), S16(load16(EA_X())))
COMPARE(chrl, 3, S32(r64(R1)), S16(load16(rel_addr(cpu, s))))
COMPARE(cghrl, 3, S64(r64(R1)), S16(load16(rel_addr(cpu, s))))
COMPARE(chi, 2, S32(r64(R1)), I2)
COMPARE(cghi, 2, S64(r64(R1)), I2)
COMPARE(cfi, 3, S32(r64(R1)), I2)
COMPARE(cgfi, 3, S64(r64(R1)), I2)
COMPARE(chhsi, 3, S16(load16(EA())), I2)
COMPARE(chsi, 3, S32(load32(EA())), I2)
COMPARE(cghsi, 3, S64(load64(EA())), I2)

/* --- Logical ----------------------------------------------------------------------------------- */

/*
 * COMPARE LOGICAL  CLR 15 [RR]; CLGR B921, CLGFR B931 [RRE]; CL 55 [RX-a];
 *      CLY E355, CLG E321, CLGF E331 [RXY-a]
 * COMPARE LOGICAL RELATIVE LONG  CLRL C6-F, CLGRL C6-A, CLGFRL C6-E, CLHRL C6-7, CLGHRL C6-6
 * Exceptions: access; specification (relative operand not on its boundary).
 */
COMPARE_LOGICAL(clr, 1, r32(R1), r32(R2))
COMPARE_LOGICAL(clgr, 2, r64(R1), r64(R2))
COMPARE_LOGICAL(clgfr, 2, r64(R1), r32(R2))
COMPARE_LOGICAL(cl, 2, r32(R1), load32(EA_X()))
COMPARE_LOGICAL(cly, 3, r32(R1), load32(EA_X()))
COMPARE_LOGICAL(clg, 3, r64(R1), load64(EA_X()))
COMPARE_LOGICAL(clgf, 3, r64(R1), load32(EA_X()))
COMPARE_LOGICAL(clrl, 3, r32(R1), load32(rel_aligned(cpu, s, 4)))
COMPARE_LOGICAL(clgrl, 3, r64(R1), load64(rel_aligned(cpu, s, 8)))
COMPARE_LOGICAL(clgfrl, 3, r64(R1), load32(rel_aligned(cpu, s, 4)))
COMPARE_LOGICAL(clhrl, 3, r32(R1), load16(rel_addr(cpu, s)))
COMPARE_LOGICAL(clghrl, 3, r64(R1), load16(rel_addr(cpu, s)))

/*
 * COMPARE LOGICAL IMMEDIATE  CLFI C2-F, CLGFI C2-E [RIL-a]; CLI 95 [SI]; CLIY EB55 [SIY];
 *      CLHHSI E555, CLFHSI E55D, CLGHSI E559 [SIL]
 * The immediate has no sign. Exceptions: access.
 */
COMPARE_LOGICAL(clfi, 3, r32(R1), (uint32_t)I2)
COMPARE_LOGICAL(clgfi, 3, r64(R1), (uint32_t)I2)
COMPARE_LOGICAL(cli, 2, load8(EA()), (uint8_t)I2)
COMPARE_LOGICAL(cliy, 3, load8(EA()), (uint8_t)I2)
COMPARE_LOGICAL(clhhsi, 3, load16(EA()), (uint16_t)I2)
COMPARE_LOGICAL(clfhsi, 3, load32(EA()), (uint16_t)I2)
COMPARE_LOGICAL(clghsi, 3, load64(EA()), (uint16_t)I2)

/*
 * COMPARE LOGICAL CHARACTERS UNDER MASK  CLM BD [RS-b]; CLMY EB21, CLMH EB20 [RSY-b]
 * The bytes of R1 (CLMH: of bits 0-31) that M3 selects with contiguous ones in storage.
 * CC 0 also when the mask is zero. Exceptions: access (for one byte when the mask is zero).
 */
static void compare_under_mask(struct cpu *cpu, const struct slot *s, uint32_t word)
{
	unsigned int n = (unsigned int)__builtin_popcount(M3);
	uint64_t va = EA();
	uint32_t a = 0, b = 0;
	struct span span;

	for (unsigned int bit = 8; bit; bit >>= 1, word <<= 8)
		if (M3 & bit)
			a = a << 8 | word >> 24;
	/* As one operand: access exceptions come before the result is known. */
	mem_span(cpu, s, va, n ? n : 1, ACCESS_READ, &span);
	for (unsigned int i = 0; i < n; i++)
		b = b << 8 | (i < span.n[0] ? span.p[0][i] : span.p[1][i - span.n[0]]);
	cc_compare_logical(cpu, a, b);
}

HANDLER(clm)
{
	compare_under_mask(cpu, s, r32(R1));
	NEXT(2);
}

HANDLER(clmy)
{
	compare_under_mask(cpu, s, r32(R1));
	NEXT(3);
}

HANDLER(clmh)
{
	compare_under_mask(cpu, s, r32h(R1));
	NEXT(3);
}

/* --- Compare and branch ------------------------------------------------------------------------ */

/* True when M3 (8 equal, 4 low, 2 high) selects how the operands compare. */
static inline bool selected(unsigned int mask, int64_t a, int64_t b)
{
	return mask >> (3 - ((a != b) + (a > b))) & 1;
}

static inline bool selected_logical(unsigned int mask, uint64_t a, uint64_t b)
{
	return mask >> (3 - ((a != b) + (a > b))) & 1;
}

#define COMPARE_JUMP(name, how, a, b)   \
	HANDLER(name)                   \
	{                               \
		if (how(M3, (a), (b)))  \
			BRANCH_REL(RI); \
		NEXT(3);                \
	}

#define COMPARE_BRANCH(name, how, a, b) \
	HANDLER(name)                   \
	{                               \
		if (how(M3, (a), (b)))  \
			BRANCH(EA());   \
		NEXT(3);                \
	}

/* 8-bit immediates are decoded as they are: RIE-c has them in d, RIS in i. */
#define JUMP_I2	  (s->d)
#define BRANCH_I2 (s->i)

/*
 * COMPARE AND BRANCH RELATIVE  CRJ EC76, CGRJ EC64 [RIE-b]
 * COMPARE IMMEDIATE AND BRANCH RELATIVE  CIJ EC7E, CGIJ EC7C [RIE-c]
 * COMPARE LOGICAL (IMMEDIATE) AND BRANCH RELATIVE  CLRJ EC77, CLGRJ EC65 [RIE-b];
 *      CLIJ EC7F, CLGIJ EC7D [RIE-c]
 * Branches by RI4 halfwords when M3 selects the result. CC unchanged.
 */
COMPARE_JUMP(crj, selected, S32(r64(R1)), S32(r64(R2)))
COMPARE_JUMP(cgrj, selected, S64(r64(R1)), S64(r64(R2)))
COMPARE_JUMP(cij, selected, S32(r64(R1)), (int8_t)JUMP_I2)
COMPARE_JUMP(cgij, selected, S64(r64(R1)), (int8_t)JUMP_I2)
COMPARE_JUMP(clrj, selected_logical, r32(R1), r32(R2))
COMPARE_JUMP(clgrj, selected_logical, r64(R1), r64(R2))
COMPARE_JUMP(clij, selected_logical, r32(R1), (uint8_t)JUMP_I2)
COMPARE_JUMP(clgij, selected_logical, r64(R1), (uint8_t)JUMP_I2)

/*
 * COMPARE AND BRANCH  CRB ECF6, CGRB ECE4 [RRS]
 * COMPARE IMMEDIATE AND BRANCH  CIB ECFE, CGIB ECFC [RIS]
 * COMPARE LOGICAL (IMMEDIATE) AND BRANCH  CLRB ECF7, CLGRB ECE5 [RRS]; CLIB ECFF, CLGIB ECFD [RIS]
 * Branches to D4(B4) when M3 selects the result. CC unchanged.
 */
COMPARE_BRANCH(crb, selected, S32(r64(R1)), S32(r64(R2)))
COMPARE_BRANCH(cgrb, selected, S64(r64(R1)), S64(r64(R2)))
COMPARE_BRANCH(cib, selected, S32(r64(R1)), (int8_t)BRANCH_I2)
COMPARE_BRANCH(cgib, selected, S64(r64(R1)), (int8_t)BRANCH_I2)
COMPARE_BRANCH(clrb, selected_logical, r32(R1), r32(R2))
COMPARE_BRANCH(clgrb, selected_logical, r64(R1), r64(R2))
COMPARE_BRANCH(clib, selected_logical, r32(R1), (uint8_t)BRANCH_I2)
COMPARE_BRANCH(clgib, selected_logical, r64(R1), (uint8_t)BRANCH_I2)

/* --- Compare and trap -------------------------------------------------------------------------- */

#define DXC_COMPARE_AND_TRAP 0xff

#define COMPARE_TRAP(name, n, how, a, b)                                  \
	HANDLER(name)                                                     \
	{                                                                 \
		if (UNLIKELY(how(M3, (a), (b))))                          \
			cpu_data_exception(cpu, s, DXC_COMPARE_AND_TRAP); \
		NEXT(n);                                                  \
	}

/*
 * COMPARE AND TRAP  CRT B972, CGRT B960 [RRF-c]
 * COMPARE IMMEDIATE AND TRAP  CIT EC72, CGIT EC70 [RIE-a]
 * COMPARE LOGICAL (IMMEDIATE) AND TRAP  CLRT B973, CLGRT B961 [RRF-c]; CLFIT EC73, CLGIT EC71 [RIE-a]
 * Exceptions: data with DXC FF when M3 selects the result. CC unchanged.
 */
COMPARE_TRAP(crt, 2, selected, S32(r64(R1)), S32(r64(R2)))
COMPARE_TRAP(cgrt, 2, selected, S64(r64(R1)), S64(r64(R2)))
COMPARE_TRAP(cit, 3, selected, S32(r64(R1)), I2)
COMPARE_TRAP(cgit, 3, selected, S64(r64(R1)), I2)
COMPARE_TRAP(clrt, 2, selected_logical, r32(R1), r32(R2))
COMPARE_TRAP(clgrt, 2, selected_logical, r64(R1), r64(R2))
COMPARE_TRAP(clfit, 3, selected_logical, r32(R1), (uint16_t)I2)
COMPARE_TRAP(clgit, 3, selected_logical, r64(R1), (uint16_t)I2)
