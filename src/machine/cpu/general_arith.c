// SPDX-License-Identifier: MIT
/*
 * General instructions: adding, subtracting, complementing and counting bits.
 *
 * PoP chapter 7, "General Instructions". Signed results set CC 0 zero, 1 <0, 2 >0, 3 overflow;
 * the result of an overflow is set before its program interruption, if PSW bit 20 asks for one.
 * Logical ones set bit 1 of the CC (values 2, 3) for a carry and bit 0 (1, 3) for a result that
 * is not zero; subtracting is adding the complement and one, so no borrow is a carry.
 */
#include "handler.h"
#include "insn_proto.h"

/* The same as the end of an instruction of n halfwords: handlers that go there need no frame. */
#define OVERFLOW_END(n)                                                            \
	static COLD handler_ret overflow##n(struct cpu *cpu, const struct slot *s) \
	{                                                                          \
		fixed_overflow(cpu, s);                                            \
		NEXT(n);                                                           \
	}

OVERFLOW_END(1)
OVERFLOW_END(2)
OVERFLOW_END(3)

/* Signed, 32 and 64 bits: a op b to R1; op is add or sub. */
#define SIGNED32(name, n, op, a, b)                                                    \
	HANDLER(name)                                                                  \
	{                                                                              \
		int32_t v;                                                             \
		bool over = __builtin_##op##_overflow((int32_t)(a), (int32_t)(b), &v); \
		set_r32(R1, v);                                                        \
		cc_signed(cpu, v);                                                     \
		if (UNLIKELY(over))                                                    \
			CALL_HANDLER(overflow##n);                                     \
		NEXT(n);                                                               \
	}

#define SIGNED64(name, n, op, a, b)                                                    \
	HANDLER(name)                                                                  \
	{                                                                              \
		int64_t v;                                                             \
		bool over = __builtin_##op##_overflow((int64_t)(a), (int64_t)(b), &v); \
		set_r64(R1, (uint64_t)v);                                              \
		cc_signed(cpu, v);                                                     \
		if (UNLIKELY(over))                                                    \
			CALL_HANDLER(overflow##n);                                     \
		NEXT(n);                                                               \
	}

/* Logical: a + b + carry, and its CC. */
static inline uint32_t sum32(struct cpu *cpu, uint32_t a, uint32_t b, unsigned int carry)
{
	uint64_t v = (uint64_t)a + b + carry;

	cpu->cc = (uint8_t)((uint32_t)(v >> 32) << 1 | ((uint32_t)v != 0));
	return (uint32_t)v;
}

static inline uint64_t sum64(struct cpu *cpu, uint64_t a, uint64_t b, unsigned int carry)
{
	uint64_t half, v;
	bool c1 = __builtin_add_overflow(a, b, &half);
	bool c2 = __builtin_add_overflow(half, carry, &v);

	cpu->cc = (uint8_t)((c1 | c2) << 1 | (v != 0));
	return v;
}

#define ADD_LOGICAL32(name, n, a, b, carry)                      \
	HANDLER(name)                                            \
	{                                                        \
		uint32_t b_ = (b), v = sum32(cpu, a, b_, carry); \
		set_r32(R1, v);                                  \
		NEXT(n);                                         \
	}

#define ADD_LOGICAL64(name, n, a, b, carry)                      \
	HANDLER(name)                                            \
	{                                                        \
		uint64_t b_ = (b), v = sum64(cpu, a, b_, carry); \
		set_r64(R1, v);                                  \
		NEXT(n);                                         \
	}

#define SUB_LOGICAL32(name, n, a, b) ADD_LOGICAL32(name, n, a, ~(uint32_t)(b), 1)
#define SUB_LOGICAL64(name, n, a, b) ADD_LOGICAL64(name, n, a, ~(uint64_t)(b), 1)

/* Bit 18 of the PSW: the carry, or that there was no borrow. */
#define CARRY ((unsigned int)cpu->cc >> 1)

/* --- Signed ------------------------------------------------------------------------------------ */

/*
 * ADD  AR 1A [RR]; AGR B908, AGFR B918 [RRE]; ARK B9F8, AGRK B9E8 [RRF-a]; A 5A [RX-a];
 *      AY E35A, AG E308, AGF E318 [RXY-a]
 * ADD HALFWORD  AH 4A [RX-a]; AHY E37A [RXY-a]
 * ADD IMMEDIATE  AHI A7-A, AGHI A7-B [RI-a]; AFI C2-9, AGFI C2-8 [RIL-a];
 *      AHIK ECD8, AGHIK ECD9 [RIE-d]
 * Exceptions: access; fixed-point overflow.                              PoP ch. 7, "ADD"
 */
SIGNED32(ar, 1, add, r32(R1), r32(R2))
SIGNED64(agr, 2, add, r64(R1), r64(R2))
SIGNED64(agfr, 2, add, r64(R1), (int32_t)r64(R2))
SIGNED32(ark, 2, add, r32(R2), r32(R3))
SIGNED64(agrk, 2, add, r64(R2), r64(R3))
SIGNED32(a, 2, add, r32(R1), load32(EA_X()))
SIGNED32(ay, 3, add, r32(R1), load32(EA_X()))
SIGNED64(ag, 3, add, r64(R1), load64(EA_X()))
SIGNED64(agf, 3, add, r64(R1), (int32_t)load32(EA_X()))
SIGNED32(ah, 2, add, r32(R1), (int16_t)load16(EA_X()))
SIGNED32(ahy, 3, add, r32(R1), (int16_t)load16(EA_X()))
SIGNED32(ahi, 2, add, r32(R1), I2)
SIGNED64(aghi, 2, add, r64(R1), I2)
SIGNED32(afi, 3, add, r32(R1), I2)
SIGNED64(agfi, 3, add, r64(R1), I2)
SIGNED32(ahik, 3, add, r32(R3), I2)
SIGNED64(aghik, 3, add, r64(R3), I2)

/*
 * SUBTRACT  SR 1B [RR]; SGR B909, SGFR B919 [RRE]; SRK B9F9, SGRK B9E9 [RRF-a]; S 5B [RX-a];
 *      SY E35B, SG E309, SGF E319 [RXY-a]
 * SUBTRACT HALFWORD  SH 4B [RX-a]; SHY E37B [RXY-a]
 * Exceptions: access; fixed-point overflow.                         PoP ch. 7, "SUBTRACT"
 */
SIGNED32(sr, 1, sub, r32(R1), r32(R2))
SIGNED64(sgr, 2, sub, r64(R1), r64(R2))
SIGNED64(sgfr, 2, sub, r64(R1), (int32_t)r64(R2))
SIGNED32(srk, 2, sub, r32(R2), r32(R3))
SIGNED64(sgrk, 2, sub, r64(R2), r64(R3))
SIGNED32(s, 2, sub, r32(R1), load32(EA_X()))
SIGNED32(sy, 3, sub, r32(R1), load32(EA_X()))
SIGNED64(sg, 3, sub, r64(R1), load64(EA_X()))
SIGNED64(sgf, 3, sub, r64(R1), (int32_t)load32(EA_X()))
SIGNED32(sh, 2, sub, r32(R1), (int16_t)load16(EA_X()))
SIGNED32(shy, 3, sub, r32(R1), (int16_t)load16(EA_X()))

/*
 * LOAD COMPLEMENT  LCR 13 [RR]; LCGR B903, LCGFR B913 [RRE]
 * R1 = -R2; the greatest negative number overflows. Exceptions: fixed-point overflow.
 */
SIGNED32(lcr, 1, sub, 0, r32(R2))
SIGNED64(lcgr, 2, sub, 0, r64(R2))
SIGNED64(lcgfr, 2, sub, 0, (int32_t)r64(R2))

/*
 * LOAD POSITIVE  LPR 10 [RR]; LPGR B900, LPGFR B910 [RRE]
 * R1 = |R2|; the greatest negative number overflows. Exceptions: fixed-point overflow.
 *
 * (v ^ m) - m is v for m = 0 and -v for m = -1.
 */
#define MINUS32(v) ((int32_t)(v) >> 31)
#define MINUS64(v) ((int64_t)(v) >> 63)
SIGNED32(lpr, 1, sub, r32(R2) ^ (uint32_t)MINUS32(r32(R2)), MINUS32(r32(R2)))
SIGNED64(lpgr, 2, sub, r64(R2) ^ (uint64_t)MINUS64(r64(R2)), MINUS64(r64(R2)))
SIGNED64(lpgfr, 2, sub, (int64_t)(int32_t)r64(R2) ^ MINUS32(r64(R2)), MINUS32(r64(R2)))

/*
 * LOAD NEGATIVE  LNR 11 [RR]; LNGR B901, LNGFR B911 [RRE]
 * R1 = -|R2|. CC: 0 zero, 1 <0.
 */
SIGNED32(lnr, 1, sub, MINUS32(r32(R2)), r32(R2) ^ (uint32_t)MINUS32(r32(R2)))
SIGNED64(lngr, 2, sub, MINUS64(r64(R2)), r64(R2) ^ (uint64_t)MINUS64(r64(R2)))
SIGNED64(lngfr, 2, sub, MINUS32(r64(R2)), (int64_t)(int32_t)r64(R2) ^ MINUS32(r64(R2)))

/*
 * LOAD AND TEST  LTR 12 [RR]; LTGR B902, LTGFR B912 [RRE]; LT E312, LTG E302, LTGF E332 [RXY-a]
 * R1 = the operand. CC: 0 zero, 1 <0, 2 >0. Exceptions: access.
 */
#define TEST32(name, n, operand)                \
	HANDLER(name)                           \
	{                                       \
		int32_t v = (int32_t)(operand); \
		set_r32(R1, v);                 \
		cc_signed(cpu, v);              \
		NEXT(n);                        \
	}

#define TEST64(name, n, operand)                \
	HANDLER(name)                           \
	{                                       \
		int64_t v = (int64_t)(operand); \
		set_r64(R1, (uint64_t)v);       \
		cc_signed(cpu, v);              \
		NEXT(n);                        \
	}

TEST32(ltr, 1, r32(R2))
TEST64(ltgr, 2, r64(R2))
TEST64(ltgfr, 2, (int32_t)r64(R2))
TEST32(lt, 3, load32(EA_X()))
TEST64(ltg, 3, load64(EA_X()))
TEST64(ltgf, 3, (int32_t)load32(EA_X()))

/* --- Logical ----------------------------------------------------------------------------------- */

/*
 * ADD LOGICAL  ALR 1E [RR]; ALGR B90A, ALGFR B91A [RRE]; ALRK B9FA, ALGRK B9EA [RRF-a];
 *      AL 5E [RX-a]; ALY E35E, ALG E30A, ALGF E31A [RXY-a]
 * ADD LOGICAL IMMEDIATE  ALFI C2-B, ALGFI C2-A [RIL-a]
 * CC: 0 zero, no carry; 1 not zero, no carry; 2 zero, carry; 3 not zero, carry.
 * Exceptions: access.                                            PoP ch. 7, "ADD LOGICAL"
 */
ADD_LOGICAL32(alr, 1, r32(R1), r32(R2), 0)
ADD_LOGICAL64(algr, 2, r64(R1), r64(R2), 0)
ADD_LOGICAL64(algfr, 2, r64(R1), r32(R2), 0)
ADD_LOGICAL32(alrk, 2, r32(R2), r32(R3), 0)
ADD_LOGICAL64(algrk, 2, r64(R2), r64(R3), 0)
ADD_LOGICAL32(al, 2, r32(R1), load32(EA_X()), 0)
ADD_LOGICAL32(aly, 3, r32(R1), load32(EA_X()), 0)
ADD_LOGICAL64(alg, 3, r64(R1), load64(EA_X()), 0)
ADD_LOGICAL64(algf, 3, r64(R1), load32(EA_X()), 0)
ADD_LOGICAL32(alfi, 3, r32(R1), (uint32_t)I2, 0)
ADD_LOGICAL64(algfi, 3, r64(R1), (uint32_t)I2, 0)

/*
 * ADD LOGICAL WITH SIGNED IMMEDIATE  ALHSIK ECDA, ALGHSIK ECDB [RIE-d]
 * As ADD LOGICAL; for a negative I2 that is the CC of SUBTRACT LOGICAL.
 */
ADD_LOGICAL32(alhsik, 3, r32(R3), (uint32_t)I2, 0)
ADD_LOGICAL64(alghsik, 3, r64(R3), (uint64_t)(int64_t)I2, 0)

/*
 * ADD LOGICAL WITH CARRY  ALCR B998, ALCGR B988 [RRE]; ALC E398, ALCG E388 [RXY-a]
 * R1 + operand + carry, which is bit 18 of the PSW. CC as ADD LOGICAL. Exceptions: access.
 */
ADD_LOGICAL32(alcr, 2, r32(R1), r32(R2), CARRY)
ADD_LOGICAL64(alcgr, 2, r64(R1), r64(R2), CARRY)
ADD_LOGICAL32(alc, 3, r32(R1), load32(EA_X()), CARRY)
ADD_LOGICAL64(alcg, 3, r64(R1), load64(EA_X()), CARRY)

/*
 * SUBTRACT LOGICAL  SLR 1F [RR]; SLGR B90B, SLGFR B91B [RRE]; SLRK B9FB, SLGRK B9EB [RRF-a];
 *      SL 5F [RX-a]; SLY E35F, SLG E30B, SLGF E31B [RXY-a]
 * SUBTRACT LOGICAL IMMEDIATE  SLFI C2-5, SLGFI C2-4 [RIL-a]
 * CC: 1 not zero, borrow; 2 zero, no borrow; 3 not zero, no borrow. Exceptions: access.
 */
SUB_LOGICAL32(slr, 1, r32(R1), r32(R2))
SUB_LOGICAL64(slgr, 2, r64(R1), r64(R2))
SUB_LOGICAL64(slgfr, 2, r64(R1), r32(R2))
SUB_LOGICAL32(slrk, 2, r32(R2), r32(R3))
SUB_LOGICAL64(slgrk, 2, r64(R2), r64(R3))
SUB_LOGICAL32(sl, 2, r32(R1), load32(EA_X()))
SUB_LOGICAL32(sly, 3, r32(R1), load32(EA_X()))
SUB_LOGICAL64(slg, 3, r64(R1), load64(EA_X()))
SUB_LOGICAL64(slgf, 3, r64(R1), load32(EA_X()))
SUB_LOGICAL32(slfi, 3, r32(R1), I2)
SUB_LOGICAL64(slgfi, 3, r64(R1), (uint32_t)I2)

/*
 * SUBTRACT LOGICAL WITH BORROW  SLBR B999, SLBGR B989 [RRE]; SLB E399, SLBG E389 [RXY-a]
 * R1 - operand - borrow, which is the inverse of bit 18 of the PSW. CC as SUBTRACT LOGICAL, and
 * 0: zero, borrow. Exceptions: access.
 */
ADD_LOGICAL32(slbr, 2, r32(R1), ~r32(R2), CARRY)
ADD_LOGICAL64(slbgr, 2, r64(R1), ~r64(R2), CARRY)
ADD_LOGICAL32(slb, 3, r32(R1), ~load32(EA_X()), CARRY)
ADD_LOGICAL64(slbg, 3, r64(R1), ~load64(EA_X()), CARRY)

/* --- Immediate to storage ---------------------------------------------------------------------- */

/*
 * Adds to storage and returns what was there. An operand on its boundary is updated interlocked
 * (interlocked-access facility 1), one elsewhere by a load and a store.
 */
#define FETCH_ADD(bits)                                                                           \
	static NOINLINE uint##bits##_t add_unaligned##bits(struct cpu *cpu, const struct slot *s, \
							   uint64_t va, uint##bits##_t add)       \
	{                                                                                         \
		uint##bits##_t old = load##bits(va);                                              \
		store##bits(va, old + add);                                                       \
		return old;                                                                       \
	}                                                                                         \
	static inline uint##bits##_t fetch_add##bits(struct cpu *cpu, const struct slot *s,       \
						     uint64_t va, uint##bits##_t add)             \
	{                                                                                         \
		const struct tlb_entry *e = tlb_slot(cpu, va);                                    \
		uint64_t off = va & 4095;                                                         \
		bool fast = LIKELY(e->write == ((va - off) | cpu->ctx_data));                     \
		uint##bits##_t *p, raw;                                                           \
		if (UNLIKELY(va % (bits / 8)))                                                    \
			return add_unaligned##bits(cpu, s, va, add);                              \
		p = fast ? (uint##bits##_t *)(void *)(e->page + off) :                            \
			   mem_interlocked(cpu, s, va, bits / 8);                                 \
		raw = __atomic_load_n(p, __ATOMIC_RELAXED);                                       \
		while (!__atomic_compare_exchange_n(                                              \
			p, &raw, swap##bits((uint##bits##_t)(swap##bits(raw) + add)), false,      \
			__ATOMIC_SEQ_CST, __ATOMIC_RELAXED))                                      \
			;                                                                         \
		if (UNLIKELY(!fast))                                                              \
			mem_interlocked_done(cpu, p, bits / 8);                                   \
		return swap##bits(raw);                                                           \
	}

FETCH_ADD(32)
FETCH_ADD(64)

/* The immediate of SIY is decoded without a sign. */
#define SI2 ((int8_t)I2)

/*
 * ADD IMMEDIATE  ASI EB6A, AGSI EB7A [SIY]
 * Storage = storage + I2 (signed). CC as ADD. Exceptions: access; fixed-point overflow.
 */
#define ADD_TO_STORAGE(name, bits)                                                       \
	HANDLER(name)                                                                    \
	{                                                                                \
		uint##bits##_t old = fetch_add##bits(cpu, s, EA(), (uint##bits##_t)SI2); \
		int##bits##_t v;                                                         \
		bool over = __builtin_add_overflow((int##bits##_t)old, SI2, &v);         \
		cc_signed(cpu, v);                                                       \
		if (UNLIKELY(over))                                                      \
			fixed_overflow(cpu, s);                                          \
		NEXT(3);                                                                 \
	}

ADD_TO_STORAGE(asi, 32)
ADD_TO_STORAGE(agsi, 64)

/*
 * ADD LOGICAL WITH SIGNED IMMEDIATE  ALSI EB6E, ALGSI EB7E [SIY]
 * Storage = storage + I2 (signed). CC as ALHSIK. Exceptions: access.
 */
HANDLER(alsi)
{
	sum32(cpu, fetch_add32(cpu, s, EA(), (uint32_t)SI2), (uint32_t)SI2, 0);
	NEXT(3);
}

HANDLER(algsi)
{
	sum64(cpu, fetch_add64(cpu, s, EA(), (uint64_t)SI2), (uint64_t)SI2, 0);
	NEXT(3);
}

/* --- Counting bits ----------------------------------------------------------------------------- */

/*
 * FIND LEFTMOST ONE  FLOGR R1,R2 [RRE] B983
 * R1 = number of the leftmost one bit of R2, 64 if there is none; R1 + 1 = R2 without that bit.
 * CC: 0 no bit, 2 found. Exceptions: specification (R1 odd).
 */
HANDLER(flogr)
{
	uint64_t v = r64(R2);
	unsigned int n = v ? (unsigned int)__builtin_clzll(v) : 64;

	set_r64(R1, n);
	set_r64(R1 + 1, v ? v & ~BIT64(n) : 0);
	set_cc(v ? 2 : 0);
	NEXT(2);
}

/*
 * POPULATION COUNT  POPCNT R1,R2 [RRE] B9E1
 * Each byte of R1 = number of ones in that byte of R2. CC: 0 zero, 1 not.
 */
HANDLER(popcnt)
{
	uint64_t v = r64(R2);

	v -= v >> 1 & 0x5555555555555555;
	v = (v & 0x3333333333333333) + (v >> 2 & 0x3333333333333333);
	v = (v + (v >> 4)) & 0x0f0f0f0f0f0f0f0f;
	set_r64(R1, v);
	cc_zero(cpu, v);
	NEXT(2);
}
