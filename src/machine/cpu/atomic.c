// SPDX-License-Identifier: MIT
/*
 * Interlocked updates: TS, CS and relatives, the load-and-operate instructions of the
 * interlocked-access facility 1, LOAD PAIR DISJOINT.
 *
 * All are sequentially consistent atomics of the host on big-endian values, which gives the
 * serialization that the architecture asks for (PoP chapter 5, "Serialization").
 */
#include "handler.h"
#include "insn_proto.h"

typedef unsigned __int128 u128;

/* --- Operands --------------------------------------------------------------------------------- */

struct place {
	void *p;
	bool tell; /* mem_interlocked_done() is due after a store */
};

/* Frames with decoded instructions have no TLB entry for stores: the quick way needs no telling. */
static inline struct place interlocked(struct cpu *cpu, const struct slot *s, uint64_t va,
				       unsigned int size)
{
	const struct tlb_entry *e = tlb_slot(cpu, va);
	uint64_t off = va & 4095;

	if (LIKELY(e->write == ((va - off) | cpu->ctx_data) && off % size == 0))
		return (struct place){ e->page + off, false };
	return (struct place){ mem_interlocked(cpu, s, va, size), true };
}

static inline void stored(struct cpu *cpu, struct place at, unsigned int size)
{
	if (UNLIKELY(at.tell))
		mem_interlocked_done(cpu, at.p, size);
}

/* --- Compare and swap of values as registers hold them ---------------------------------------- */

/* Each returns what was in storage; the swap took place if that is old. */
static inline uint32_t cas32(struct place at, uint32_t old, uint32_t new)
{
	uint32_t raw = swap32(old);

	__atomic_compare_exchange_n((uint32_t *)at.p, &raw, swap32(new), false, __ATOMIC_SEQ_CST,
				    __ATOMIC_SEQ_CST);
	return swap32(raw);
}

static inline uint64_t cas64(struct place at, uint64_t old, uint64_t new)
{
	uint64_t raw = swap64(old);

	__atomic_compare_exchange_n((uint64_t *)at.p, &raw, swap64(new), false, __ATOMIC_SEQ_CST,
				    __ATOMIC_SEQ_CST);
	return swap64(raw);
}

static inline u128 swap128(u128 v)
{
	if (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__)
		return v;
	return (u128)swap64((uint64_t)v) << 64 | swap64((uint64_t)(v >> 64));
}

#if defined(__x86_64__)
#define HAS_CAS128 __attribute__((target("cx16")))
#else
#define HAS_CAS128
#endif

/* __sync and not __atomic: compilers make the latter a call of libatomic, which may use a lock. */
HAS_CAS128 static NOINLINE u128 cas128_raw(void *p, u128 old, u128 new)
{
	return __sync_val_compare_and_swap((u128 *)p, old, new);
}

static inline u128 cas128(struct place at, u128 old, u128 new)
{
	return swap128(cas128_raw(at.p, swap128(old), swap128(new)));
}

/* --- TS, CS, CDS ------------------------------------------------------------------------------ */

/*
 * TEST AND SET    TS D1(B1)    [SI]  93
 * The byte becomes all ones. CC: its leftmost bit before. Exceptions: access.
 *                                                              PoP ch. 7, "TEST AND SET"
 */
HANDLER(ts)
{
	struct place at = interlocked(cpu, s, EA(), 1);
	uint8_t old = __atomic_exchange_n((uint8_t *)at.p, 0xff, __ATOMIC_SEQ_CST);

	stored(cpu, at, 1);
	set_cc(old >> 7);
	NEXT(2);
}

static inline void compare_and_swap32(struct cpu *cpu, const struct slot *s)
{
	struct place at = interlocked(cpu, s, EA(), 4);
	uint32_t old = cas32(at, r32(R1), r32(R3));

	cpu->cc = old != r32(R1);
	set_r32(R1, old);
	stored(cpu, at, 4);
}

/*
 * COMPARE AND SWAP (32)    CS R1,R3,D2(B2)    [RS-a]  BA
 * Operand equal to R1: operand <- R3; else R1 <- operand. CC: 0 equal, 1 unequal.
 * Exceptions: access (store); specification (alignment).       PoP ch. 7, "COMPARE AND SWAP"
 */
HANDLER(cs)
{
	compare_and_swap32(cpu, s);
	NEXT(2);
}

/* COMPARE AND SWAP (32)    CSY R1,R3,D2(B2)    [RSY-a]  EB-14    as CS */
HANDLER(cs_y)
{
	compare_and_swap32(cpu, s);
	NEXT(3);
}

/* COMPARE AND SWAP (64)    CSG R1,R3,D2(B2)    [RSY-a]  EB-30    as CS */
HANDLER(csg)
{
	struct place at = interlocked(cpu, s, EA(), 8);
	uint64_t old = cas64(at, r64(R1), r64(R3));

	cpu->cc = old != r64(R1);
	set_r64(R1, old);
	stored(cpu, at, 8);
	NEXT(3);
}

static inline uint64_t pair32(const struct cpu *cpu, unsigned int r)
{
	return (uint64_t)r32(r) << 32 | r32(r + 1);
}

static inline u128 pair64(const struct cpu *cpu, unsigned int r)
{
	return (u128)r64(r) << 64 | r64(r + 1);
}

static inline void set_pair32(struct cpu *cpu, unsigned int r, uint64_t v)
{
	set_r32(r, v >> 32);
	set_r32(r + 1, v);
}

static inline void set_pair64(struct cpu *cpu, unsigned int r, u128 v)
{
	set_r64(r, (uint64_t)(v >> 64));
	set_r64(r + 1, (uint64_t)v);
}

static inline void compare_double_and_swap(struct cpu *cpu, const struct slot *s)
{
	struct place at = interlocked(cpu, s, EA(), 8);
	uint64_t expected = pair32(cpu, R1), old = cas64(at, expected, pair32(cpu, R3));

	cpu->cc = old != expected;
	set_pair32(cpu, R1, old);
	stored(cpu, at, 8);
}

/*
 * COMPARE DOUBLE AND SWAP (32)    CDS R1,R3,D2(B2)    [RS-a]  BB
 * As CS with the pairs R1, R1+1 and R3, R3+1. CC: 0 equal, 1 unequal.
 * Exceptions: access (store); specification (alignment, odd registers).
 *                                                       PoP ch. 7, "COMPARE DOUBLE AND SWAP"
 */
HANDLER(cds)
{
	compare_double_and_swap(cpu, s);
	NEXT(2);
}

/* COMPARE DOUBLE AND SWAP (32)    CDSY R1,R3,D2(B2)    [RSY-a]  EB-31    as CDS */
HANDLER(cds_y)
{
	compare_double_and_swap(cpu, s);
	NEXT(3);
}

/* COMPARE DOUBLE AND SWAP (64)    CDSG R1,R3,D2(B2)    [RSY-a]  EB-3E    as CDS, 16 bytes */
HANDLER(cdsg)
{
	struct place at = interlocked(cpu, s, EA(), 16);
	u128 expected = pair64(cpu, R1), old = cas128(at, expected, pair64(cpu, R3));

	cpu->cc = old != expected;
	set_pair64(cpu, R1, old);
	stored(cpu, at, 16);
	NEXT(3);
}

/* --- CSST ------------------------------------------------------------------------------------- */

/* Function code: operand 1 has 4 << FC bytes. Store characteristic: operand 2 has 1 << SC. */
#define CSST_FC(gr0)	((uint8_t)(gr0))
#define CSST_SC(gr0)	((uint8_t)((gr0) >> 8))
#define CSST_LIST_ALIGN 16u /* rightmost address bits are taken as zero */

/* The leftmost 1 << sc bytes of a value of 16. */
static void csst_store(struct place at, unsigned int sc, uint64_t high, uint64_t low)
{
	u128 seen = 0, value = (u128)high << 64 | low, old;

	switch (sc) {
	case 0:
		__atomic_store_n((uint8_t *)at.p, (uint8_t)(high >> 56), __ATOMIC_SEQ_CST);
		return;
	case 1:
		__atomic_store_n((uint16_t *)at.p, swap16((uint16_t)(high >> 48)),
				 __ATOMIC_SEQ_CST);
		return;
	case 2:
		__atomic_store_n((uint32_t *)at.p, swap32((uint32_t)(high >> 32)),
				 __ATOMIC_SEQ_CST);
		return;
	case 3:
		__atomic_store_n((uint64_t *)at.p, swap64(high), __ATOMIC_SEQ_CST);
		return;
	default:
		while ((old = cas128(at, seen, value)) != seen)
			seen = old;
	}
}

/* Compares and swaps operand 1 with R3 (a pair for fc 2); the replacement is in the list. */
static bool csst_swap(struct cpu *cpu, const struct slot *s, struct place at, unsigned int fc,
		      uint64_t high, uint64_t low)
{
	u128 old;

	if (fc == 0) {
		uint32_t expected = r32(R3);

		set_r32(R3, cas32(at, expected, (uint32_t)(high >> 32)));
		return r32(R3) == expected;
	}
	if (fc == 1) {
		uint64_t expected = r64(R3);

		set_r64(R3, cas64(at, expected, high));
		return r64(R3) == expected;
	}
	old = cas128(at, pair64(cpu, R3), (u128)high << 64 | low);
	if (old == pair64(cpu, R3))
		return true;
	set_pair64(cpu, R3, old);
	return false;
}

static NOINLINE void compare_and_swap_and_store(struct cpu *cpu, const struct slot *s)
{
	unsigned int fc = CSST_FC(r64(0)), sc = CSST_SC(r64(0));
	uint64_t va1 = EA(), va2 = EA_SS2(), list = ADDR(r64(1)) & ~(uint64_t)(CSST_LIST_ALIGN - 1);
	uint64_t new[2], value[2];
	struct place swap, store;

	if (fc > 2 || sc > 4 || (fc == 2 && R3 & 1) || va1 & ((4u << fc) - 1) ||
	    va2 & ((1u << sc) - 1))
		RAISE(PGM_SPECIFICATION);
	for (unsigned int i = 0; i < 2; i++) {
		new[i] = load64(ADDR(list + 8 * i));
		value[i] = load64(ADDR(list + 16 + 8 * i));
	}
	store = interlocked(cpu, s, va2, 1u << sc);
	swap = interlocked(cpu, s, va1, 4u << fc);
	if (!csst_swap(cpu, s, swap, fc, new[0], new[1])) {
		set_cc(1);
		return;
	}
	stored(cpu, swap, 4u << fc);
	csst_store(store, sc, value[0], value[1]);
	stored(cpu, store, 1u << sc);
	set_cc(0);
}

/*
 * COMPARE AND SWAP AND STORE    CSST D1(B1),D2(B2),R3    [SSF]  C8-2
 * Operand 1 equal to R3: it is replaced and operand 2 is stored into, both from the list at GR1
 * (replacement at 0, store value at 16, left-aligned); else R3 <- operand 1. GR0 holds function
 * code and store characteristic. CC: 0 equal, 1 unequal. Exceptions: access; specification.
 *                                                     PoP ch. 7, "COMPARE AND SWAP AND STORE"
 */
HANDLER(csst)
{
	compare_and_swap_and_store(cpu, s);
	NEXT(3);
}

/* --- LAA and relatives ------------------------------------------------------------------------ */

enum la_op { LA_ADD, LA_AND, LA_OR, LA_XOR };

static inline uint64_t la_apply(enum la_op op, uint64_t a, uint64_t b)
{
	switch (op) {
	case LA_AND:
		return a & b;
	case LA_OR:
		return a | b;
	case LA_XOR:
		return a ^ b;
	case LA_ADD:
		break;
	}
	return a + b;
}

/* Updates the operand with R3 and loads R1 with what it was; returns that. op is a constant. */
static inline uint32_t load_and32(struct cpu *cpu, const struct slot *s, enum la_op op, uint32_t b)
{
	struct place at = interlocked(cpu, s, EA(), 4);
	uint32_t seen, old = swap32(__atomic_load_n((uint32_t *)at.p, __ATOMIC_RELAXED));

	do {
		seen = old;
		old = cas32(at, seen, (uint32_t)la_apply(op, seen, b));
	} while (old != seen);
	stored(cpu, at, 4);
	set_r32(R1, old);
	return old;
}

static inline uint64_t load_and64(struct cpu *cpu, const struct slot *s, enum la_op op, uint64_t b)
{
	struct place at = interlocked(cpu, s, EA(), 8);
	uint64_t seen, old = swap64(__atomic_load_n((uint64_t *)at.p, __ATOMIC_RELAXED));

	do {
		seen = old;
		old = cas64(at, seen, la_apply(op, seen, b));
	} while (old != seen);
	stored(cpu, at, 8);
	set_r64(R1, old);
	return old;
}

/* CC 3 after an overflow, with an interruption if PSW.20 is one. */
static void la_overflow(struct cpu *cpu, const struct slot *s)
{
	set_cc(3);
	if (cpu->psw_mask & PSW_FIXED_OVERFLOW)
		RAISE(PGM_FIXED_OVERFLOW);
}

/* 0 zero, 1 not zero, with carry 2 and 3. */
static inline void la_cc_logical(struct cpu *cpu, bool carry, uint64_t sum)
{
	cpu->cc = (uint8_t)(2 * carry + (sum != 0));
}

/*
 * LOAD AND ADD (32)    LAA R1,R3,D2(B2)    [RSY-a]  EB-F8
 * operand <- operand + R3, R1 <- what the operand was. CC: sum 0 zero, 1 <0, 2 >0, 3 overflow.
 * Exceptions: access; specification (alignment); fixed-point overflow.
 *                                                              PoP ch. 7, "LOAD AND ADD"
 */
HANDLER(laa)
{
	int32_t b = (int32_t)r32(R3), old = (int32_t)load_and32(cpu, s, LA_ADD, r32(R3)), sum;

	if (UNLIKELY(__builtin_add_overflow(old, b, &sum)))
		la_overflow(cpu, s);
	else
		cc_signed(cpu, sum);
	NEXT(3);
}

/* LOAD AND ADD (64)    LAAG R1,R3,D2(B2)    [RSY-a]  EB-E8    as LAA */
HANDLER(laag)
{
	int64_t b = (int64_t)r64(R3), old = (int64_t)load_and64(cpu, s, LA_ADD, r64(R3)), sum;

	if (UNLIKELY(__builtin_add_overflow(old, b, &sum)))
		la_overflow(cpu, s);
	else
		cc_signed(cpu, sum);
	NEXT(3);
}

/*
 * LOAD AND ADD LOGICAL (32)    LAAL R1,R3,D2(B2)    [RSY-a]  EB-FA
 * As LAA. CC: 0 zero, 1 not zero, 2 zero with carry, 3 not zero with carry.
 *                                                              PoP ch. 7, "LOAD AND ADD LOGICAL"
 */
HANDLER(laal)
{
	uint32_t b = r32(R3), old = load_and32(cpu, s, LA_ADD, b), sum;
	bool carry = __builtin_add_overflow(old, b, &sum);

	la_cc_logical(cpu, carry, sum);
	NEXT(3);
}

/* LOAD AND ADD LOGICAL (64)    LAALG R1,R3,D2(B2)    [RSY-a]  EB-EA    as LAAL */
HANDLER(laalg)
{
	uint64_t b = r64(R3), old = load_and64(cpu, s, LA_ADD, b), sum;
	bool carry = __builtin_add_overflow(old, b, &sum);

	la_cc_logical(cpu, carry, sum);
	NEXT(3);
}

/*
 * LOAD AND AND (32)    LAN R1,R3,D2(B2)    [RSY-a]  EB-F4
 * operand <- operand and R3, R1 <- what the operand was. CC: 0 result zero, 1 not zero.
 * Exceptions: access; specification (alignment).               PoP ch. 7, "LOAD AND AND"
 */
HANDLER(lan)
{
	uint32_t b = r32(R3);

	cc_zero(cpu, load_and32(cpu, s, LA_AND, b) & b);
	NEXT(3);
}

/* LOAD AND AND (64)    LANG R1,R3,D2(B2)    [RSY-a]  EB-E4    as LAN */
HANDLER(lang)
{
	uint64_t b = r64(R3);

	cc_zero(cpu, load_and64(cpu, s, LA_AND, b) & b);
	NEXT(3);
}

/* LOAD AND OR (32)    LAO R1,R3,D2(B2)    [RSY-a]  EB-F6    as LAN    PoP ch. 7, "LOAD AND OR" */
HANDLER(lao)
{
	uint32_t b = r32(R3);

	cc_zero(cpu, load_and32(cpu, s, LA_OR, b) | b);
	NEXT(3);
}

/* LOAD AND OR (64)    LAOG R1,R3,D2(B2)    [RSY-a]  EB-E6    as LAN */
HANDLER(laog)
{
	uint64_t b = r64(R3);

	cc_zero(cpu, load_and64(cpu, s, LA_OR, b) | b);
	NEXT(3);
}

/*
 * LOAD AND EXCLUSIVE OR (32)    LAX R1,R3,D2(B2)    [RSY-a]  EB-F7
 * As LAN.                                              PoP ch. 7, "LOAD AND EXCLUSIVE OR"
 */
HANDLER(lax)
{
	uint32_t b = r32(R3);

	cc_zero(cpu, load_and32(cpu, s, LA_XOR, b) ^ b);
	NEXT(3);
}

/* LOAD AND EXCLUSIVE OR (64)    LAXG R1,R3,D2(B2)    [RSY-a]  EB-E7    as LAX */
HANDLER(laxg)
{
	uint64_t b = r64(R3);

	cc_zero(cpu, load_and64(cpu, s, LA_XOR, b) ^ b);
	NEXT(3);
}

/* --- LPD -------------------------------------------------------------------------------------- */

#define LPD_TRIES 16

/*
 * Two collections that agree were made at one time, as far as a program can tell that does not
 * put old values back: CC 0. Otherwise CC 3, which the architecture allows at any time.
 */
static NOINLINE void load_pair(struct cpu *cpu, const struct slot *s, unsigned int size)
{
	uint64_t va1 = EA(), va2 = EA_SS2(), a, b, a_before = 0, b_before = 0;

	if ((va1 | va2) & (size - 1))
		RAISE(PGM_SPECIFICATION);
	set_cc(3);
	for (int i = 0; i < LPD_TRIES && cpu->cc; i++) {
		a = size == 4 ? load32(va1) : load64(va1);
		b = size == 4 ? load32(va2) : load64(va2);
		if (i && a == a_before && b == b_before)
			set_cc(0);
		a_before = a;
		b_before = b;
	}
	if (size == 4) {
		set_r32(R3, a_before);
		set_r32(R3 + 1, b_before);
	} else {
		set_r64(R3, a_before);
		set_r64(R3 + 1, b_before);
	}
}

/*
 * LOAD PAIR DISJOINT (32)    LPD R3,D1(B1),D2(B2)    [SSF]  C8-4
 * R3 <- first operand, R3+1 <- second. CC: 0 fetched at one time, 3 perhaps not.
 * Exceptions: access; specification (R3 odd, alignment).       PoP ch. 7, "LOAD PAIR DISJOINT"
 */
HANDLER(lpd)
{
	load_pair(cpu, s, 4);
	NEXT(3);
}

/* LOAD PAIR DISJOINT (64)    LPDG R3,D1(B1),D2(B2)    [SSF]  C8-5    as LPD */
HANDLER(lpdg)
{
	load_pair(cpu, s, 8);
	NEXT(3);
}
