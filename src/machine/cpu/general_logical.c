// SPDX-License-Identifier: MIT
/*
 * General instructions: and, or, exclusive or, tests under mask, and operations on selected bits.
 *
 * PoP chapter 7, "General Instructions". Logical results set CC 0 zero, 1 not zero.
 */
#include "handler.h"
#include "insn_proto.h"

#define LOGICAL32(name, n, a, op, b)               \
	HANDLER(name)                              \
	{                                          \
		uint32_t v = (uint32_t)((b)op(a)); \
		set_r32(R1, v);                    \
		cc_zero(cpu, v);                   \
		NEXT(n);                           \
	}

#define LOGICAL64(name, n, a, op, b)   \
	HANDLER(name)                  \
	{                              \
		uint64_t v = (b)op(a); \
		set_r64(R1, v);        \
		cc_zero(cpu, v);       \
		NEXT(n);               \
	}

/* --- Registers and storage --------------------------------------------------------------------- */

/*
 * AND  NR 14 [RR]; NGR B980 [RRE]; NRK B9F4, NGRK B9E4 [RRF-a]; N 54 [RX-a];
 *      NY E354, NG E380 [RXY-a]
 * Exceptions: access.                                                    PoP ch. 7, "AND"
 */
LOGICAL32(nr, 1, r32(R1), &, r32(R2))
LOGICAL64(ngr, 2, r64(R1), &, r64(R2))
LOGICAL32(nrk, 2, r32(R2), &, r32(R3))
LOGICAL64(ngrk, 2, r64(R2), &, r64(R3))
LOGICAL32(n, 2, r32(R1), &, load32(EA_X()))
LOGICAL32(ny, 3, r32(R1), &, load32(EA_X()))
LOGICAL64(ng, 3, r64(R1), &, load64(EA_X()))

/*
 * OR  OR 16 [RR]; OGR B981 [RRE]; ORK B9F6, OGRK B9E6 [RRF-a]; O 56 [RX-a];
 *      OY E356, OG E381 [RXY-a]
 * Exceptions: access.
 */
LOGICAL32(or, 1, r32(R1), |, r32(R2))
LOGICAL64(ogr, 2, r64(R1), |, r64(R2))
LOGICAL32(ork, 2, r32(R2), |, r32(R3))
LOGICAL64(ogrk, 2, r64(R2), |, r64(R3))
LOGICAL32(o, 2, r32(R1), |, load32(EA_X()))
LOGICAL32(oy, 3, r32(R1), |, load32(EA_X()))
LOGICAL64(og, 3, r64(R1), |, load64(EA_X()))

/*
 * EXCLUSIVE OR  XR 17 [RR]; XGR B982 [RRE]; XRK B9F7, XGRK B9E7 [RRF-a]; X 57 [RX-a];
 *      XY E357, XG E382 [RXY-a]
 * Exceptions: access.
 */
LOGICAL32(xr, 1, r32(R1), ^, r32(R2))
LOGICAL64(xgr, 2, r64(R1), ^, r64(R2))
LOGICAL32(xrk, 2, r32(R2), ^, r32(R3))
LOGICAL64(xgrk, 2, r64(R2), ^, r64(R3))
LOGICAL32(x, 2, r32(R1), ^, load32(EA_X()))
LOGICAL32(xy, 3, r32(R1), ^, load32(EA_X()))
LOGICAL64(xg, 3, r64(R1), ^, load64(EA_X()))

/* --- Immediates and a part of a register ------------------------------------------------------- */

/* The CC is that of the part: 16 bits, or a word. */
#define AND_PART(name, n, type, shift)                                         \
	HANDLER(name)                                                          \
	{                                                                      \
		uint64_t ones = (type) ~(type)0, part = (type)I2;              \
		uint64_t v = r64(R1) & (part << (shift) | ~(ones << (shift))); \
		set_r64(R1, v);                                                \
		cc_zero(cpu, v >> (shift)&ones);                               \
		NEXT(n);                                                       \
	}

#define OR_PART(name, n, op, type, shift)                                 \
	HANDLER(name)                                                     \
	{                                                                 \
		uint64_t part = (type)I2, v = r64(R1) op part << (shift); \
		set_r64(R1, v);                                           \
		cc_zero(cpu, (type)(v >> (shift)));                       \
		NEXT(n);                                                  \
	}

/*
 * AND IMMEDIATE  NIHH NIHL NILH NILL A5-4..7 [RI-a]; NIHF NILF C0-A C0-B [RIL-a]
 * OR IMMEDIATE  OIHH OIHL OILH OILL A5-8..B [RI-a]; OIHF OILF C0-C C0-D [RIL-a]
 * EXCLUSIVE OR IMMEDIATE  XIHF XILF C0-6 C0-7 [RIL-a]
 * On one part of R1; the other parts stay. CC: 0 the part is zero, 1 not.
 */
AND_PART(nihh, 2, uint16_t, 48)
AND_PART(nihl, 2, uint16_t, 32)
AND_PART(nilh, 2, uint16_t, 16)
AND_PART(nill, 2, uint16_t, 0)
AND_PART(nihf, 3, uint32_t, 32)
AND_PART(nilf, 3, uint32_t, 0)
OR_PART(oihh, 2, |, uint16_t, 48)
OR_PART(oihl, 2, |, uint16_t, 32)
OR_PART(oilh, 2, |, uint16_t, 16)
OR_PART(oill, 2, |, uint16_t, 0)
OR_PART(oihf, 3, |, uint32_t, 32)
OR_PART(oilf, 3, |, uint32_t, 0)
OR_PART(xihf, 3, ^, uint32_t, 32)
OR_PART(xilf, 3, ^, uint32_t, 0)

/* --- A byte of storage ------------------------------------------------------------------------- */

/* The update is interlocked (interlocked-access facility 2). */
#define LOGICAL_BYTE(name, n, op)                                                    \
	HANDLER(name)                                                                \
	{                                                                            \
		uint64_t va = EA(), off = va & 4095;                                 \
		const struct tlb_entry *e = tlb_slot(cpu, va);                       \
		bool fast = LIKELY(e->write == ((va - off) | cpu->ctx_data));        \
		uint8_t *p = fast ? e->page + off : mem_interlocked(cpu, s, va, 1);  \
		uint8_t v = __atomic_##op##_fetch(p, (uint8_t)I2, __ATOMIC_SEQ_CST); \
		if (UNLIKELY(!fast))                                                 \
			mem_interlocked_done(cpu, p, 1);                             \
		cc_zero(cpu, v);                                                     \
		NEXT(n);                                                             \
	}

/*
 * AND  NI 94 [SI]; NIY EB54 [SIY]; OR  OI 96; OIY EB56; EXCLUSIVE OR  XI 97; XIY EB57
 * The byte = byte op I2. Exceptions: access (fetch and store).
 */
LOGICAL_BYTE(ni, 2, and)
LOGICAL_BYTE(niy, 3, and)
LOGICAL_BYTE(oi, 2, or)
LOGICAL_BYTE(oiy, 3, or)
LOGICAL_BYTE(xi, 2, xor)
LOGICAL_BYTE(xiy, 3, xor)

/* --- Tests ------------------------------------------------------------------------------------- */

/*
 * TEST UNDER MASK  TM 91 [SI]; TMY EB51 [SIY]
 * CC: 0 the selected bits are zero or the mask is, 1 mixed, 3 all ones. Exceptions: access.
 */
static inline void test_byte(struct cpu *cpu, unsigned int v, unsigned int mask)
{
	v &= mask;
	set_cc(v == 0 ? 0 : v == mask ? 3 : 1);
}

HANDLER(tm)
{
	test_byte(cpu, load8(EA()), (uint8_t)I2);
	NEXT(2);
}

HANDLER(tmy)
{
	test_byte(cpu, load8(EA()), (uint8_t)I2);
	NEXT(3);
}

/*
 * TEST UNDER MASK (HIGH, LOW)  TMHH TMHL A7-2 A7-3, TMLH TMLL A7-0 A7-1 [RI-a]
 * 16 bits of R1. CC: 0 the selected bits are zero or the mask is, 1 mixed and the leftmost
 * selected bit zero, 2 mixed and it is one, 3 all ones.
 */
static inline void test_part(struct cpu *cpu, uint64_t part, unsigned int mask)
{
	unsigned int v = (unsigned int)part & mask;

	/* v and the rest of the mask share no bit: the greater has the leftmost one. */
	set_cc(v == 0 ? 0 : v == mask ? 3 : 1 + (v > (v ^ mask)));
}

HANDLER(tmhh)
{
	test_part(cpu, r64(R1) >> 48, (uint16_t)I2);
	NEXT(2);
}

HANDLER(tmhl)
{
	test_part(cpu, r64(R1) >> 32, (uint16_t)I2);
	NEXT(2);
}

HANDLER(tmlh)
{
	test_part(cpu, r64(R1) >> 16, (uint16_t)I2);
	NEXT(2);
}

HANDLER(tmll)
{
	test_part(cpu, r64(R1), (uint16_t)I2);
	NEXT(2);
}

/* --- Rotate, then selected bits ---------------------------------------------------------------- */

#define RXSBG_I3 ((unsigned int)s->i >> 16)
#define RXSBG_I4 ((unsigned int)s->i >> 8)
#define RXSBG_I5 ((unsigned int)s->i)

#define TEST_ONLY 0x80u /* I3 bit 0 of RNSBG, ROSBG, RXSBG */
#define ZERO_REST 0x80u /* I4 bit 0 of RISBG */

static inline uint64_t rotate_left(uint64_t v, unsigned int n)
{
	return v << (n & 63) | v >> (-n & 63);
}

/* Ones from bit I3 to bit I4, around the end when I4 is less. */
static inline uint64_t selected_bits(const struct slot *s)
{
	return rotate_left(~0ull << ((RXSBG_I3 - RXSBG_I4 - 1) & 63), -RXSBG_I3);
}

/*
 * ROTATE THEN INSERT SELECTED BITS  RISBG R1,R2,I3,I4,I5 [RIE-f] EC55
 * R2, rotated left by I5, replaces bits I3 to I4 of R1; the others become zero if bit 0 of I4 is
 * one. CC of R1: 0 zero, 1 <0, 2 >0.
 */
HANDLER(risbg)
{
	uint64_t mask = selected_bits(s);
	uint64_t old = RXSBG_I4 & ZERO_REST ? 0 : r64(R1);
	uint64_t v = (rotate_left(r64(R2), RXSBG_I5) & mask) | (old & ~mask);

	set_r64(R1, v);
	cc_signed(cpu, (int64_t)v);
	NEXT(3);
}

/*
 * ROTATE THEN AND, OR, EXCLUSIVE OR SELECTED BITS  RNSBG EC54, ROSBG EC56, RXSBG EC57 [RIE-f]
 * On bits I3 to I4 of R1 and of R2 rotated left by I5; R1 stays if bit 0 of I3 is one.
 * CC: 0 the selected bits of the result are zero, 1 not.
 */
static inline void selected_result(struct cpu *cpu, const struct slot *s, uint64_t v, uint64_t mask)
{
	cc_zero(cpu, v & mask);
	if (!(RXSBG_I3 & TEST_ONLY))
		set_r64(R1, v);
}

HANDLER(rnsbg)
{
	uint64_t mask = selected_bits(s);

	selected_result(cpu, s, r64(R1) & (rotate_left(r64(R2), RXSBG_I5) | ~mask), mask);
	NEXT(3);
}

HANDLER(rosbg)
{
	uint64_t mask = selected_bits(s);

	selected_result(cpu, s, r64(R1) | (rotate_left(r64(R2), RXSBG_I5) & mask), mask);
	NEXT(3);
}

HANDLER(rxsbg)
{
	uint64_t mask = selected_bits(s);

	selected_result(cpu, s, r64(R1) ^ (rotate_left(r64(R2), RXSBG_I5) & mask), mask);
	NEXT(3);
}
