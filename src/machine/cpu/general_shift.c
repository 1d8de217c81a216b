// SPDX-License-Identifier: MIT
/*
 * General instructions: shifting and rotating.
 *
 * PoP chapter 7, "General Instructions". The amount is the rightmost six bits of the second
 * operand's address.
 */
#include "general_priv.h"
#include "insn_proto.h"

#define AMOUNT() ((unsigned int)(cpu->gr[s->b] + (uint64_t)(int64_t)s->d) & 63)

/* --- Logical ----------------------------------------------------------------------------------- */

/* 32 bits are shifted in 64, where amounts up to 63 are defined. */
#define SHIFT32(name, n, v)                  \
	HANDLER(name)                        \
	{                                    \
		uint32_t v_ = (uint32_t)(v); \
		set_r32(R1, v_);             \
		NEXT(n);                     \
	}

#define SHIFT64(name, n, v)        \
	HANDLER(name)              \
	{                          \
		uint64_t v_ = (v); \
		set_r64(R1, v_);   \
		NEXT(n);           \
	}

/*
 * SHIFT LEFT SINGLE LOGICAL  SLL 89 [RS-a]; SLLK EBDF, SLLG EB0D [RSY-a]
 * SHIFT RIGHT SINGLE LOGICAL  SRL 88 [RS-a]; SRLK EBDE, SRLG EB0C [RSY-a]
 * R1 (the forms with three operands: R3) shifted, with zeros from the other side; CC unchanged.
 */
SHIFT32(sll, 2, (uint64_t)r32(R1) << AMOUNT())
SHIFT32(sllk, 3, (uint64_t)r32(R3) << AMOUNT())
SHIFT64(sllg, 3, r64(R3) << AMOUNT())
SHIFT32(srl, 2, (uint64_t)r32(R1) >> AMOUNT())
SHIFT32(srlk, 3, (uint64_t)r32(R3) >> AMOUNT())
SHIFT64(srlg, 3, r64(R3) >> AMOUNT())

/*
 * ROTATE LEFT SINGLE LOGICAL  RLL EB1D, RLLG EB1C [RSY-a]
 * R1 = R3 rotated; RLL: by the amount modulo 32. CC unchanged.
 */
HANDLER(rll)
{
	unsigned int n = AMOUNT() & 31;
	uint32_t v = r32(R3);

	set_r32(R1, v << n | v >> (-n & 31));
	NEXT(3);
}

HANDLER(rllg)
{
	unsigned int n = AMOUNT();
	uint64_t v = r64(R3);

	set_r64(R1, v << n | v >> (-n & 63));
	NEXT(3);
}

/* --- Arithmetic, right ------------------------------------------------------------------------- */

#define SHIFT_SIGNED32(name, n, from)                             \
	HANDLER(name)                                             \
	{                                                         \
		int64_t v = (int64_t)(int32_t)(from) >> AMOUNT(); \
		set_r32(R1, v);                                   \
		cc_signed(cpu, v);                                \
		NEXT(n);                                          \
	}

/*
 * SHIFT RIGHT SINGLE  SRA 8A [RS-a]; SRAK EBDC, SRAG EB0A [RSY-a]
 * R1 (SRAK, SRAG: R3) shifted, with copies of the sign. CC: 0 zero, 1 <0, 2 >0.
 */
SHIFT_SIGNED32(sra, 2, r64(R1))
SHIFT_SIGNED32(srak, 3, r64(R3))
HANDLER(srag)
{
	int64_t v = (int64_t)r64(R3) >> AMOUNT();

	set_r64(R1, (uint64_t)v);
	cc_signed(cpu, v);
	NEXT(3);
}

/* --- Arithmetic, left -------------------------------------------------------------------------- */

/*
 * The number shifted left under its sign. True when a bit unlike the sign left it: an amount of
 * more than 31 bits shifts zeros through, which only zero stands, as with 32 bits.
 */
static inline bool shift_left32(int32_t from, unsigned int n, int32_t *out)
{
	int64_t wide = (int64_t)((uint64_t)(int64_t)from << (n > 32 ? 32 : n));

	*out = (int32_t)((uint32_t)(wide & INT32_MAX) | ((uint32_t)from & 0x80000000u));
	return wide != (int32_t)wide;
}

static inline bool shift_left64(int64_t from, unsigned int n, int64_t *out)
{
	*out = (int64_t)(((uint64_t)from << n & INT64_MAX) | ((uint64_t)from & BIT64(0)));
	return from >> (63 - n) != from >> 63;
}

#define SHIFT_LEFT32(name, n, from)                                      \
	HANDLER(name)                                                    \
	{                                                                \
		int32_t v;                                               \
		bool over = shift_left32((int32_t)(from), AMOUNT(), &v); \
		set_r32(R1, v);                                          \
		cc_signed(cpu, v);                                       \
		if (UNLIKELY(over))                                      \
			fixed_overflow(cpu, s);                          \
		NEXT(n);                                                 \
	}

/*
 * SHIFT LEFT SINGLE  SLA 8B [RS-a]; SLAK EBDD, SLAG EB0B [RSY-a]
 * R1 (SLAK, SLAG: R3): all bits but the sign shifted. CC: 0 zero, 1 <0, 2 >0, 3 overflow (a bit
 * unlike the sign was shifted out). Exceptions: fixed-point overflow.
 */
SHIFT_LEFT32(sla, 2, r64(R1))
SHIFT_LEFT32(slak, 3, r64(R3))
HANDLER(slag)
{
	int64_t v;
	bool over = shift_left64((int64_t)r64(R3), AMOUNT(), &v);

	set_r64(R1, (uint64_t)v);
	cc_signed(cpu, v);
	if (UNLIKELY(over))
		fixed_overflow(cpu, s);
	NEXT(3);
}

/* --- Pairs ------------------------------------------------------------------------------------- */

/*
 * SHIFT LEFT DOUBLE LOGICAL  SLDL 8D; SHIFT RIGHT DOUBLE LOGICAL  SRDL 8C [RS-a]
 * SHIFT LEFT DOUBLE  SLDA 8F; SHIFT RIGHT DOUBLE  SRDA 8E [RS-a]
 * As the single ones, on the 64 bits in bits 32-63 of R1 and R1 + 1. The CC is that of SLA and
 * SRA; the logical ones leave it. Exceptions: specification (R1 odd); SLDA: fixed-point overflow.
 */
HANDLER(sldl)
{
	set_pair32(cpu, R1, pair32(cpu, R1) << AMOUNT());
	NEXT(2);
}

HANDLER(srdl)
{
	set_pair32(cpu, R1, pair32(cpu, R1) >> AMOUNT());
	NEXT(2);
}

HANDLER(slda)
{
	int64_t v;
	bool over = shift_left64((int64_t)pair32(cpu, R1), AMOUNT(), &v);

	set_pair32(cpu, R1, (uint64_t)v);
	cc_signed(cpu, v);
	if (UNLIKELY(over))
		fixed_overflow(cpu, s);
	NEXT(2);
}

HANDLER(srda)
{
	int64_t v = (int64_t)pair32(cpu, R1) >> AMOUNT();

	set_pair32(cpu, R1, (uint64_t)v);
	cc_signed(cpu, v);
	NEXT(2);
}
