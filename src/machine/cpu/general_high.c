// SPDX-License-Identifier: MIT
/*
 * General instructions: the high-word facility, on bits 0-31 of registers.
 *
 * PoP chapter 7, "General Instructions"; facility 45. The other half of a result's register stays.
 * CCs are those of the same operation on bits 32-63.
 */
#include "handler.h"
#include "insn_proto.h"

/* --- Loads and stores -------------------------------------------------------------------------- */

#define LOAD_HIGH(name, v)                   \
	HANDLER(name)                        \
	{                                    \
		uint32_t v_ = (uint32_t)(v); \
		set_r32h(R1, v_);            \
		NEXT(3);                     \
	}

#define STORE_HIGH(name, bits)                 \
	HANDLER(name)                          \
	{                                      \
		store##bits(EA_X(), r32h(R1)); \
		NEXT(3);                       \
	}

/*
 * LOAD (BYTE, HALFWORD) HIGH  LFH E3CA, LBH E3C0, LHH E3C4 [RXY-a]
 * LOAD LOGICAL (CHARACTER, HALFWORD) HIGH  LLCH E3C2, LLHH E3C6 [RXY-a]
 * CC unchanged. Exceptions: access.
 */
LOAD_HIGH(lfh, load32(EA_X()))
LOAD_HIGH(lbh, (int8_t)load8(EA_X()))
LOAD_HIGH(lhh, (int16_t)load16(EA_X()))
LOAD_HIGH(llch, load8(EA_X()))
LOAD_HIGH(llhh, load16(EA_X()))

/*
 * STORE (CHARACTER, HALFWORD) HIGH  STFH E3CB, STCH E3C3, STHH E3C7 [RXY-a]
 * Bits 0-31, 24-31 or 16-31 of R1. CC unchanged. Exceptions: access.
 */
STORE_HIGH(stfh, 32)
STORE_HIGH(stch, 8)
STORE_HIGH(sthh, 16)

/* --- Adding and subtracting -------------------------------------------------------------------- */

/* Signed: a op b to R1; op is add or sub. */
#define SIGNED_HIGH(name, n, op, a, b)                                                 \
	HANDLER(name)                                                                  \
	{                                                                              \
		int32_t v;                                                             \
		bool over = __builtin_##op##_overflow((int32_t)(a), (int32_t)(b), &v); \
		set_r32h(R1, v);                                                       \
		cc_signed(cpu, v);                                                     \
		if (UNLIKELY(over))                                                    \
			fixed_overflow(cpu, s);                                        \
		NEXT(n);                                                               \
	}

/* Logical: a + b + carry. */
static inline uint32_t sum(struct cpu *cpu, uint32_t a, uint32_t b, unsigned int carry)
{
	uint64_t v = (uint64_t)a + b + carry;

	cpu->cc = (uint8_t)((uint32_t)(v >> 32) << 1 | ((uint32_t)v != 0));
	return (uint32_t)v;
}

#define LOGICAL_HIGH(name, n, a, b, carry)              \
	HANDLER(name)                                   \
	{                                               \
		uint32_t v = sum(cpu, (a), (b), carry); \
		set_r32h(R1, v);                        \
		NEXT(n);                                \
	}

/*
 * ADD HIGH  AHHHR B9C8, AHHLR B9D8 [RRF-a]; ADD IMMEDIATE HIGH  AIH CC-8 [RIL-a]
 * SUBTRACT HIGH  SHHHR B9C9, SHHLR B9D9 [RRF-a]
 * R1 high = R2 high op R3 high (..LR: bits 32-63 of R3). Exceptions: fixed-point overflow.
 */
SIGNED_HIGH(ahhhr, 2, add, r32h(R2), r32h(R3))
SIGNED_HIGH(ahhlr, 2, add, r32h(R2), r32(R3))
SIGNED_HIGH(aih, 3, add, r32h(R1), I2)
SIGNED_HIGH(shhhr, 2, sub, r32h(R2), r32h(R3))
SIGNED_HIGH(shhlr, 2, sub, r32h(R2), r32(R3))

/*
 * ADD LOGICAL HIGH  ALHHHR B9CA, ALHHLR B9DA [RRF-a]
 * ADD LOGICAL WITH SIGNED IMMEDIATE HIGH  ALSIH CC-A, ALSIHN CC-B [RIL-a]
 * SUBTRACT LOGICAL HIGH  SLHHHR B9CB, SLHHLR B9DB [RRF-a]
 * The same without signs; ALSIHN leaves the CC.
 */
LOGICAL_HIGH(alhhhr, 2, r32h(R2), r32h(R3), 0)
LOGICAL_HIGH(alhhlr, 2, r32h(R2), r32(R3), 0)
LOGICAL_HIGH(alsih, 3, r32h(R1), (uint32_t)I2, 0)
LOGICAL_HIGH(slhhhr, 2, r32h(R2), ~r32h(R3), 1)
LOGICAL_HIGH(slhhlr, 2, r32h(R2), ~r32(R3), 1)
HANDLER(alsihn)
{
	set_r32h(R1, r32h(R1) + (uint32_t)I2);
	NEXT(3);
}

/*
 * BRANCH RELATIVE ON COUNT HIGH  BRCTH CC-6 [RIL-b]
 * Bits 0-31 of R1 less one; branches when the result is not zero. CC unchanged.
 */
HANDLER(brcth)
{
	uint32_t v = r32h(R1) - 1;

	set_r32h(R1, v);
	if (v)
		BRANCH_REL(RI);
	NEXT(3);
}

/* --- Comparing --------------------------------------------------------------------------------- */

#define COMPARE_HIGH(name, n, type, compare, b)   \
	HANDLER(name)                             \
	{                                         \
		type b_ = (type)(b);              \
		compare(cpu, (type)r32h(R1), b_); \
		NEXT(n);                          \
	}

/*
 * COMPARE HIGH  CHHR B9CD, CHLR B9DD [RRE]; CHF E3CD [RXY-a]; COMPARE IMMEDIATE HIGH  CIH CC-D
 * COMPARE LOGICAL HIGH  CLHHR B9CF, CLHLR B9DF [RRE]; CLHF E3CF [RXY-a];
 *      COMPARE LOGICAL IMMEDIATE HIGH  CLIH CC-F [RIL-a]
 * Exceptions: access.
 */
COMPARE_HIGH(chhr, 2, int32_t, cc_compare, r32h(R2))
COMPARE_HIGH(chlr, 2, int32_t, cc_compare, r32(R2))
COMPARE_HIGH(chf, 3, int32_t, cc_compare, load32(EA_X()))
COMPARE_HIGH(cih, 3, int32_t, cc_compare, I2)
COMPARE_HIGH(clhhr, 2, uint32_t, cc_compare_logical, r32h(R2))
COMPARE_HIGH(clhlr, 2, uint32_t, cc_compare_logical, r32(R2))
COMPARE_HIGH(clhf, 3, uint32_t, cc_compare_logical, load32(EA_X()))
COMPARE_HIGH(clih, 3, uint32_t, cc_compare_logical, I2)

/* --- Selected bits ----------------------------------------------------------------------------- */

#define ZERO_REST 0x80u /* I4 bit 0 */

/* Half a register: bits I3 to I4 of v, around the end when I4 is less, the rest of old or zero. */
static inline uint32_t insert_selected(const struct slot *s, uint32_t old, uint32_t v)
{
	unsigned int i3 = (unsigned int)s->i >> 16, i4 = (unsigned int)s->i >> 8;
	uint32_t ones = ~0u << ((i3 - i4 - 1) & 31);
	uint32_t mask = ones >> (i3 & 31) | ones << (-i3 & 31);

	return (v & mask) | (i4 & ZERO_REST ? 0 : old & ~mask);
}

static inline uint64_t rotated(const struct cpu *cpu, const struct slot *s)
{
	unsigned int n = (unsigned int)s->i & 63;

	return r64(R2) << n | r64(R2) >> (-n & 63);
}

/*
 * ROTATE THEN INSERT SELECTED BITS HIGH, LOW  RISBHG EC5D, RISBLG EC51 [RIE-f]
 * As RISBG, on bits 0-31 or 32-63 of R1 and of R2 rotated left by I5. CC unchanged.
 */
HANDLER(risbhg)
{
	uint32_t v = insert_selected(s, r32h(R1), (uint32_t)(rotated(cpu, s) >> 32));

	set_r32h(R1, v);
	NEXT(3);
}

HANDLER(risblg)
{
	uint32_t v = insert_selected(s, r32(R1), (uint32_t)rotated(cpu, s));

	set_r32(R1, v);
	NEXT(3);
}
