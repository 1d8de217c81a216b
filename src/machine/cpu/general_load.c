// SPDX-License-Identifier: MIT
/*
 * General instructions: moving integers between registers and storage.
 *
 * PoP chapter 7, "General Instructions"; the instructions on access registers and on pairs of
 * registers that only move data are here as well. A load reads storage before it changes a
 * register, so an access exception leaves the registers as they were. 32-bit results keep bits
 * 0-31 of the register.
 */
#include "handler.h"
#include "insn_proto.h"

/* An address as a result: 24- and 31-bit modes leave bits 0-31 of the register alone. */
static inline void set_addr(struct cpu *cpu, unsigned int r, uint64_t va)
{
	if (LIKELY(cpu->amask == ~0ull))
		set_r64(r, va);
	else
		set_r32(r, va);
}

#define LOAD32(name, n, v)         \
	HANDLER(name)              \
	{                          \
		uint32_t v_ = (v); \
		set_r32(R1, v_);   \
		NEXT(n);           \
	}

#define LOAD64(name, n, v)         \
	HANDLER(name)              \
	{                          \
		uint64_t v_ = (v); \
		set_r64(R1, v_);   \
		NEXT(n);           \
	}

#define STORE(name, n, bits, va, v)     \
	HANDLER(name)                   \
	{                               \
		store##bits((va), (v)); \
		NEXT(n);                \
	}

/* Sign extension from a part. */
#define S8(v)  ((uint64_t)(int64_t)(int8_t)(v))
#define S16(v) ((uint64_t)(int64_t)(int16_t)(v))
#define S32(v) ((uint64_t)(int64_t)(int32_t)(v))

/* --- Registers and immediates ------------------------------------------------------------------ */

/*
 * LOAD  LR R1,R2 [RR] 18; LGR [RRE] B904; LGFR [RRE] B914
 * R1 = R2; LGFR extends 32 bits by the sign. CC unchanged.             PoP ch. 7, "LOAD"
 */
LOAD32(lr, 1, r32(R2))
LOAD64(lgr, 2, r64(R2))
LOAD64(lgfr, 2, S32(r64(R2)))

/*
 * LOAD BYTE, LOAD HALFWORD  LBR LGBR LHR LGHR [RRE] B926 B906 B927 B907
 * Bits 56-63 or 48-63 of R2, sign extended. CC unchanged.
 */
LOAD32(lbr, 2, (uint32_t)S8(r64(R2)))
LOAD64(lgbr, 2, S8(r64(R2)))
LOAD32(lhr, 2, (uint32_t)S16(r64(R2)))
LOAD64(lghr, 2, S16(r64(R2)))

/*
 * LOAD LOGICAL (CHARACTER, HALFWORD, THIRTY ONE BITS)
 * LLGFR B916, LLCR B994, LLGCR B984, LLHR B995, LLGHR B985, LLGTR B917 [RRE]
 * The rightmost part of R2, with zeros on the left. CC unchanged.
 */
LOAD64(llgfr, 2, r32(R2))
LOAD32(llcr, 2, (uint8_t)r64(R2))
LOAD64(llgcr, 2, (uint8_t)r64(R2))
LOAD32(llhr, 2, (uint16_t)r64(R2))
LOAD64(llghr, 2, (uint16_t)r64(R2))
LOAD64(llgtr, 2, r64(R2) & 0x7fffffff)

/*
 * LOAD REVERSED  LRVR B91F, LRVGR B90F [RRE]
 * The bytes of R2 from right to left. CC unchanged.
 */
LOAD32(lrvr, 2, __builtin_bswap32(r32(R2)))
LOAD64(lrvgr, 2, __builtin_bswap64(r64(R2)))

/*
 * LOAD HALFWORD IMMEDIATE  LHI A7-8, LGHI A7-9 [RI-a]; LOAD IMMEDIATE  LGFI C0-1 [RIL-a]
 * R1 = I2, sign extended. CC unchanged.
 */
LOAD32(lhi, 2, (uint32_t)I2)
LOAD64(lghi, 2, (uint64_t)(int64_t)I2)
LOAD64(lgfi, 3, (uint64_t)(int64_t)I2)

/*
 * LOAD LOGICAL IMMEDIATE  LLIHH LLIHL LLILH LLILL A5-C..F [RI-a]; LLIHF LLILF C0-E C0-F [RIL-a]
 * I2 in its part of R1, zeros elsewhere. CC unchanged.
 */
LOAD64(llihh, 2, (uint64_t)(uint16_t)I2 << 48)
LOAD64(llihl, 2, (uint64_t)(uint16_t)I2 << 32)
LOAD64(llilh, 2, (uint64_t)(uint16_t)I2 << 16)
LOAD64(llill, 2, (uint16_t)I2)
LOAD64(llihf, 3, (uint64_t)(uint32_t)I2 << 32)
LOAD64(llilf, 3, (uint32_t)I2)

/*
 * INSERT IMMEDIATE  IIHH IIHL IILH IILL A5-0..3 [RI-a]; IIHF IILF C0-8 C0-9 [RIL-a]
 * I2 replaces its part of R1. CC unchanged.
 */
#define INSERT16(v, shift) \
	((r64(R1) & ~(0xffffull << (shift))) | (uint64_t)(uint16_t)(v) << (shift))
LOAD64(iihh, 2, INSERT16(I2, 48))
LOAD64(iihl, 2, INSERT16(I2, 32))
LOAD64(iilh, 2, INSERT16(I2, 16))
LOAD64(iill, 2, INSERT16(I2, 0))
LOAD64(iihf, 3, (uint64_t)(uint32_t)I2 << 32 | r32(R1))
LOAD32(iilf, 3, (uint32_t)I2)

/*
 * LOAD ON CONDITION  LOCR B9F2, LOCGR B9E2 [RRF-c]
 * R1 = R2 when M3 selects the CC. CC unchanged.
 */
HANDLER(locr)
{
	uint32_t v = cc_in(cpu, M3) ? r32(R2) : r32(R1);

	set_r32(R1, v);
	NEXT(2);
}

HANDLER(locgr)
{
	uint64_t v = cc_in(cpu, M3) ? r64(R2) : r64(R1);

	set_r64(R1, v);
	NEXT(2);
}

/* --- Addresses --------------------------------------------------------------------------------- */

/*
 * LOAD ADDRESS  LA 41 [RX-a]; LAY E371 [RXY-a]; LOAD ADDRESS RELATIVE LONG  LARL C0-0 [RIL-b]
 * R1 = the address by the addressing mode; in 24- and 31-bit mode bits 0-31 stay. No access; CC
 * unchanged.
 */
HANDLER(la)
{
	set_addr(cpu, R1, EA_X());
	NEXT(2);
}

HANDLER(lay)
{
	set_addr(cpu, R1, EA_X());
	NEXT(3);
}

HANDLER(larl)
{
	set_addr(cpu, R1, rel_addr(cpu, s));
	NEXT(3);
}

/*
 * LOAD ADDRESS EXTENDED  LAE 51 [RX-a]; LAEY E375 [RXY-a]
 * As LA; access register R1 names the address space: 0 primary, 1 secondary, 2 home, and in the
 * access-register mode a copy of access register B2 (0 when B2 is 0). CC unchanged.
 */
static void load_address_extended(struct cpu *cpu, const struct slot *s)
{
	static const uint32_t alet[4] = { [AS_PRIMARY] = 0, [AS_SECONDARY] = 1, [AS_HOME] = 2 };
	enum address_space as = psw_as(cpu);
	bool copies = as == AS_ACCESS_REGISTER && s->b < 16;
	uint32_t ar = copies ? cpu->ar[s->b] : alet[as];

	set_addr(cpu, R1, EA_X());
	cpu->ar[R1] = ar;
}

HANDLER(lae)
{
	load_address_extended(cpu, s);
	NEXT(2);
}

HANDLER(laey)
{
	load_address_extended(cpu, s);
	NEXT(3);
}

/* --- Storage to register ----------------------------------------------------------------------- */

/*
 * LOAD  L 58 [RX-a]; LY E358, LG E304, LGF E314 [RXY-a]; LRL C4-D, LGRL C4-8, LGFRL C4-C [RIL-b]
 * R1 = the operand; LGF and LGFRL extend 32 bits by the sign. CC unchanged.
 * Exceptions: access; specification (relative operand not on its boundary).  PoP ch. 7, "LOAD"
 */
LOAD32(l, 2, load32(EA_X()))
LOAD32(ly, 3, load32(EA_X()))
LOAD64(lg, 3, load64(EA_X()))
LOAD64(lgf, 3, S32(load32(EA_X())))
LOAD32(lrl, 3, load32(rel_aligned(cpu, s, 4)))
LOAD64(lgrl, 3, load64(rel_aligned(cpu, s, 8)))
LOAD64(lgfrl, 3, S32(load32(rel_aligned(cpu, s, 4))))

/*
 * LOAD BYTE  LB E376, LGB E377 [RXY-a]; LOAD HALFWORD  LH 48 [RX-a]; LHY E378, LGH E315 [RXY-a];
 * LOAD HALFWORD RELATIVE LONG  LHRL C4-5, LGHRL C4-4 [RIL-b]
 * R1 = the operand, sign extended. CC unchanged. Exceptions: access.
 */
LOAD32(lb, 3, (uint32_t)S8(load8(EA_X())))
LOAD64(lgb, 3, S8(load8(EA_X())))
LOAD32(lh, 2, (uint32_t)S16(load16(EA_X())))
LOAD32(lhy, 3, (uint32_t)S16(load16(EA_X())))
LOAD64(lgh, 3, S16(load16(EA_X())))
LOAD32(lhrl, 3, (uint32_t)S16(load16(rel_addr(cpu, s))))
LOAD64(lghrl, 3, S16(load16(rel_addr(cpu, s))))

/*
 * LOAD LOGICAL (CHARACTER, HALFWORD, THIRTY ONE BITS; RELATIVE LONG)
 * LLGF E316, LLC E394, LLGC E390, LLH E395, LLGH E391, LLGT E317 [RXY-a];
 * LLGFRL C4-E, LLHRL C4-2, LLGHRL C4-6 [RIL-b]
 * R1 = the operand with zeros on the left. CC unchanged. Exceptions: access; specification.
 */
LOAD64(llgf, 3, load32(EA_X()))
LOAD32(llc, 3, load8(EA_X()))
LOAD64(llgc, 3, load8(EA_X()))
LOAD32(llh, 3, load16(EA_X()))
LOAD64(llgh, 3, load16(EA_X()))
LOAD64(llgt, 3, load32(EA_X()) & 0x7fffffff)
LOAD64(llgfrl, 3, load32(rel_aligned(cpu, s, 4)))
LOAD32(llhrl, 3, load16(rel_addr(cpu, s)))
LOAD64(llghrl, 3, load16(rel_addr(cpu, s)))

/*
 * LOAD REVERSED  LRVH E31F, LRV E31E, LRVG E30F [RXY-a]
 * The bytes of the operand from right to left; LRVH changes only bits 48-63. CC unchanged.
 */
LOAD32(lrv, 3, __builtin_bswap32(load32(EA_X())))
LOAD64(lrvg, 3, __builtin_bswap64(load64(EA_X())))
HANDLER(lrvh)
{
	uint16_t v = __builtin_bswap16(load16(EA_X()));

	set_r64(R1, INSERT16(v, 0));
	NEXT(3);
}

/*
 * INSERT CHARACTER  IC 43 [RX-a]; ICY E373 [RXY-a]
 * The byte replaces bits 56-63 of R1. CC unchanged. Exceptions: access.
 */
#define INSERT8(v) ((r64(R1) & ~0xffull) | (v))
LOAD64(ic, 2, INSERT8(load8(EA_X())))
LOAD64(icy, 3, INSERT8(load8(EA_X())))

/*
 * LOAD ON CONDITION  LOC EBF2, LOCG EBE2 [RSY-b]
 * R1 = the operand when M3 selects the CC; else there is no access. CC unchanged.
 */
HANDLER(loc)
{
	if (cc_in(cpu, M3)) {
		uint32_t v = load32(EA());

		set_r32(R1, v);
	}
	NEXT(3);
}

HANDLER(locg)
{
	if (cc_in(cpu, M3)) {
		uint64_t v = load64(EA());

		set_r64(R1, v);
	}
	NEXT(3);
}

/* --- Register or immediate to storage ---------------------------------------------------------- */

/*
 * STORE  ST 50 [RX-a]; STY E350, STG E324 [RXY-a]; STRL C4-F, STGRL C4-B [RIL-b]
 * STORE HALFWORD  STH 40 [RX-a]; STHY E370 [RXY-a]; STHRL C4-7 [RIL-b]
 * STORE CHARACTER  STC 42 [RX-a]; STCY E372 [RXY-a]
 * STORE REVERSED  STRVH E33F, STRV E33E, STRVG E32F [RXY-a]
 * CC unchanged. Exceptions: access; specification (relative operand not on its boundary).
 */
STORE(st, 2, 32, EA_X(), r32(R1))
STORE(sty, 3, 32, EA_X(), r32(R1))
STORE(stg, 3, 64, EA_X(), r64(R1))
STORE(strl, 3, 32, rel_aligned(cpu, s, 4), r32(R1))
STORE(stgrl, 3, 64, rel_aligned(cpu, s, 8), r64(R1))
STORE(sth, 2, 16, EA_X(), r64(R1))
STORE(sthy, 3, 16, EA_X(), r64(R1))
STORE(sthrl, 3, 16, rel_addr(cpu, s), r64(R1))
STORE(stc, 2, 8, EA_X(), r64(R1))
STORE(stcy, 3, 8, EA_X(), r64(R1))
STORE(strvh, 3, 16, EA_X(), __builtin_bswap16((uint16_t)r64(R1)))
STORE(strv, 3, 32, EA_X(), __builtin_bswap32(r32(R1)))
STORE(strvg, 3, 64, EA_X(), __builtin_bswap64(r64(R1)))

/*
 * MOVE  MVI 92 [SI]; MVIY EB52 [SIY]; MVHHI E544, MVHI E54C, MVGHI E548 [SIL]
 * The immediate, sign extended, goes to storage. CC unchanged. Exceptions: access.
 */
STORE(mvi, 2, 8, EA(), I2)
STORE(mviy, 3, 8, EA(), I2)
STORE(mvhhi, 3, 16, EA(), I2)
STORE(mvhi, 3, 32, EA(), I2)
STORE(mvghi, 3, 64, EA(), (uint64_t)(int64_t)I2)

/*
 * STORE ON CONDITION  STOC EBF3, STOCG EBE3 [RSY-b]
 * R1 is stored when M3 selects the CC; else there is no access. CC unchanged.
 */
HANDLER(stoc)
{
	if (cc_in(cpu, M3))
		store32(EA(), r32(R1));
	NEXT(3);
}

HANDLER(stocg)
{
	if (cc_in(cpu, M3))
		store64(EA(), r64(R1));
	NEXT(3);
}

/* --- Characters under a mask ------------------------------------------------------------------- */

/* Bytes of a word that a 4-bit mask selects, gathered to the right. */
static uint32_t gather(uint32_t word, unsigned int mask)
{
	uint32_t v = 0;

	for (unsigned int bit = 8; bit; bit >>= 1, word <<= 8)
		if (mask & bit)
			v = v << 8 | word >> 24;
	return v;
}

/* The reverse: the bytes of v, from its right, replace the selected ones of a word. */
static uint32_t scatter(uint32_t word, unsigned int mask, uint32_t v)
{
	for (unsigned int shift = 0; shift < 32; shift += 8, mask >>= 1) {
		if (!(mask & 1))
			continue;
		word = (word & ~(0xffu << shift)) | (v & 0xff) << shift;
		v >>= 8;
	}
	return word;
}

/* A storage operand of 1 to 4 bytes, as an integer. */
static uint32_t load_bytes(struct cpu *cpu, const struct slot *s, uint64_t va, unsigned int n)
{
	switch (n) {
	case 4:
		return load32(va);
	case 3: {
		uint32_t high = load16(va);

		return high << 8 | load8(ADDR(va + 2));
	}
	case 2:
		return load16(va);
	default:
		return load8(va);
	}
}

static void store_bytes(struct cpu *cpu, const struct slot *s, uint64_t va, unsigned int n,
			uint32_t v)
{
	struct span span;

	switch (n) {
	case 4:
		store32(va, v);
		return;
	case 3:
		mem_span(cpu, s, va, 3, ACCESS_WRITE, &span);
		for (unsigned int i = 0; i < 3; i++, v <<= 8)
			*(i < span.n[0] ? span.p[0] + i : span.p[1] + (i - span.n[0])) =
				(uint8_t)(v >> 16);
		mem_span_written(cpu, &span);
		return;
	case 2:
		store16(va, v);
		return;
	default:
		store8(va, v);
	}
}

/*
 * INSERT CHARACTERS UNDER MASK  ICM BF [RS-b]; ICMY EB81, ICMH EB80 [RSY-b]
 * Contiguous bytes replace those of R1 (ICMH: of bits 0-31) that M3 selects.
 * CC: 0 all inserted bits or the mask zero, 1 the leftmost inserted bit one, 2 it is zero.
 * Exceptions: access (for one byte when the mask is zero).
 */
static uint32_t insert_under_mask(struct cpu *cpu, const struct slot *s, uint32_t word)
{
	unsigned int n = (unsigned int)__builtin_popcount(M3);
	uint32_t v = load_bytes(cpu, s, EA(), n);

	if (n == 0) {
		set_cc(0);
		return word;
	}
	set_cc(v == 0 ? 0 : v >> (8 * n - 1) ? 1 : 2);
	return scatter(word, M3, v);
}

HANDLER(icm)
{
	uint32_t v = insert_under_mask(cpu, s, r32(R1));

	set_r32(R1, v);
	NEXT(2);
}

HANDLER(icmy)
{
	uint32_t v = insert_under_mask(cpu, s, r32(R1));

	set_r32(R1, v);
	NEXT(3);
}

HANDLER(icmh)
{
	uint32_t v = insert_under_mask(cpu, s, r32h(R1));

	set_r32h(R1, v);
	NEXT(3);
}

/*
 * STORE CHARACTERS UNDER MASK  STCM BE [RS-b]; STCMY EB2D, STCMH EB2C [RSY-b]
 * The bytes of R1 (STCMH: of bits 0-31) that M3 selects are stored contiguously. CC unchanged.
 * Exceptions: access (none when the mask is zero).
 */
static void store_under_mask(struct cpu *cpu, const struct slot *s, uint32_t word)
{
	if (M3)
		store_bytes(cpu, s, EA(), (unsigned int)__builtin_popcount(M3), gather(word, M3));
}

HANDLER(stcm)
{
	store_under_mask(cpu, s, r32(R1));
	NEXT(2);
}

HANDLER(stcmy)
{
	store_under_mask(cpu, s, r32(R1));
	NEXT(3);
}

HANDLER(stcmh)
{
	store_under_mask(cpu, s, r32h(R1));
	NEXT(3);
}

/* --- Several registers ------------------------------------------------------------------------- */

/* Registers R1 to R3, with 0 behind 15. */
#define REG_COUNT() ((((unsigned int)R3 - R1) & 15) + 1)
#define REGS_BYTES  128 /* of all registers */

/* The operand when it lies in one page that the TLB has; else NULL. */
static inline const uint8_t *tlb_read_range(struct cpu *cpu, uint64_t va, unsigned int len)
{
	const struct tlb_entry *e = tlb_slot(cpu, va);
	uint64_t off = va & 4095;

	if (UNLIKELY(e->read != ((va - off) | cpu->ctx_data) || off + len > 4096))
		return NULL;
	return e->page + off;
}

static inline uint8_t *tlb_write_range(struct cpu *cpu, uint64_t va, unsigned int len)
{
	const struct tlb_entry *e = tlb_slot(cpu, va);
	uint64_t off = va & 4095;

	if (UNLIKELY(e->write != ((va - off) | cpu->ctx_data) || off + len > 4096))
		return NULL;
	return e->page + off;
}

static inline uint32_t get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return swap32(v);
}

static inline uint64_t get64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return swap64(v);
}

static inline void put32(uint8_t *p, uint32_t v)
{
	v = swap32(v);
	memcpy(p, &v, sizeof(v));
}

static inline void put64(uint8_t *p, uint64_t v)
{
	v = swap64(v);
	memcpy(p, &v, sizeof(v));
}

/* By mem_span(), through a buffer: the operand crosses a page or is not in the TLB. */
static NOINLINE const uint8_t *read_range_slow(struct cpu *cpu, const struct slot *s, uint64_t va,
					       unsigned int len, uint8_t buf[REGS_BYTES])
{
	struct span span;

	mem_span(cpu, s, va, len, ACCESS_READ, &span);
	if (!span.n[1])
		return span.p[0];
	memcpy(buf, span.p[0], span.n[0]);
	memcpy(buf + span.n[0], span.p[1], span.n[1]);
	return buf;
}

static NOINLINE void write_range_slow(struct cpu *cpu, const struct slot *s, uint64_t va,
				      unsigned int len, const uint8_t buf[REGS_BYTES])
{
	struct span span;

	mem_span(cpu, s, va, len, ACCESS_WRITE, &span);
	memcpy(span.p[0], buf, span.n[0]);
	if (span.n[1])
		memcpy(span.p[1], buf + span.n[0], span.n[1]);
	mem_span_written(cpu, &span);
}

/*
 * Loads and stores of registers R1 to R3 of size bytes each; one register is moved by
 * get(r, p) or put(p, r). An inline attempt, then the rest as another handler.
 */
#define LOAD_MULTIPLE(name, n, size, align, get)                                     \
	static handler_ret name##_slow(struct cpu *cpu, const struct slot *s)        \
	{                                                                            \
		uint8_t buf[REGS_BYTES];                                             \
		unsigned int count = REG_COUNT();                                    \
		const uint8_t *p = read_range_slow(cpu, s, EA(), (size)*count, buf); \
		for (unsigned int r = R1; count--; r = (r + 1) & 15, p += (size))    \
			get(r, p);                                                   \
		NEXT(n);                                                             \
	}                                                                            \
	HANDLER(name)                                                                \
	{                                                                            \
		unsigned int count = REG_COUNT();                                    \
		const uint8_t *p = tlb_read_range(cpu, EA(), (size)*count);          \
		if (UNLIKELY(EA() & ((align)-1)))                                    \
			RAISE(PGM_SPECIFICATION);                                    \
		if (UNLIKELY(!p))                                                    \
			CALL_HANDLER(name##_slow);                                   \
		for (unsigned int r = R1; count--; r = (r + 1) & 15, p += (size))    \
			get(r, p);                                                   \
		NEXT(n);                                                             \
	}

#define STORE_MULTIPLE(name, n, size, align, put)                                 \
	static handler_ret name##_slow(struct cpu *cpu, const struct slot *s)     \
	{                                                                         \
		uint8_t buf[REGS_BYTES];                                          \
		uint8_t *p = buf;                                                 \
		unsigned int count = REG_COUNT();                                 \
		for (unsigned int r = R1; count--; r = (r + 1) & 15, p += (size)) \
			put(p, r);                                                \
		write_range_slow(cpu, s, EA(), (unsigned int)(p - buf), buf);     \
		NEXT(n);                                                          \
	}                                                                         \
	HANDLER(name)                                                             \
	{                                                                         \
		unsigned int count = REG_COUNT();                                 \
		uint8_t *p = tlb_write_range(cpu, EA(), (size)*count);            \
		if (UNLIKELY(EA() & ((align)-1)))                                 \
			RAISE(PGM_SPECIFICATION);                                 \
		if (UNLIKELY(!p))                                                 \
			CALL_HANDLER(name##_slow);                                \
		for (unsigned int r = R1; count--; r = (r + 1) & 15, p += (size)) \
			put(p, r);                                                \
		NEXT(n);                                                          \
	}

#define GET_LOW(r, p)  set_r32(r, get32(p))
#define GET_HIGH(r, p) set_r32h(r, get32(p))
#define GET_BOTH(r, p) set_r64(r, get64(p))
#define GET_AR(r, p)   ((void)(cpu->ar[r] = get32(p)))
#define PUT_LOW(p, r)  put32(p, r32(r))
#define PUT_HIGH(p, r) put32(p, r32h(r))
#define PUT_BOTH(p, r) put64(p, r64(r))
#define PUT_AR(p, r)   put32(p, cpu->ar[r])

/*
 * LOAD MULTIPLE (HIGH)  LM 98 [RS-a]; LMY EB98, LMG EB04, LMH EB96 [RSY-a]
 * LOAD ACCESS MULTIPLE  LAM 9A [RS-a]; LAMY EB9A [RSY-a]
 * Registers R1 to R3 from contiguous storage. CC unchanged.
 * Exceptions: access; specification (LAM, LAMY: not on a word boundary).
 */
LOAD_MULTIPLE(lm, 2, 4, 1, GET_LOW)
LOAD_MULTIPLE(lmy, 3, 4, 1, GET_LOW)
LOAD_MULTIPLE(lmg, 3, 8, 1, GET_BOTH)
LOAD_MULTIPLE(lmh, 3, 4, 1, GET_HIGH)
LOAD_MULTIPLE(lam, 2, 4, 4, GET_AR)
LOAD_MULTIPLE(lamy, 3, 4, 4, GET_AR)

/*
 * STORE MULTIPLE (HIGH)  STM 90 [RS-a]; STMY EB90, STMG EB24, STMH EB26 [RSY-a]
 * STORE ACCESS MULTIPLE  STAM 9B [RS-a]; STAMY EB9B [RSY-a]
 * Registers R1 to R3 to contiguous storage. CC unchanged.
 * Exceptions: access; specification (STAM, STAMY: not on a word boundary).
 */
STORE_MULTIPLE(stm, 2, 4, 1, PUT_LOW)
STORE_MULTIPLE(stmy, 3, 4, 1, PUT_LOW)
STORE_MULTIPLE(stmg, 3, 8, 1, PUT_BOTH)
STORE_MULTIPLE(stmh, 3, 4, 1, PUT_HIGH)
STORE_MULTIPLE(stam, 2, 4, 4, PUT_AR)
STORE_MULTIPLE(stamy, 3, 4, 4, PUT_AR)

/*
 * LOAD MULTIPLE DISJOINT  LMD R1,R3,D2(B2),D4(B4) [SS-e] EF
 * Bits 0-31 of registers R1 to R3 from the second operand, bits 32-63 from the fourth. CC
 * unchanged. Exceptions: access, for both operands before a register changes.
 */
HANDLER(lmd)
{
	uint8_t high_buf[REGS_BYTES], low_buf[REGS_BYTES];
	unsigned int count = REG_COUNT();
	const uint8_t *high = read_range_slow(cpu, s, EA(), 4 * count, high_buf);
	const uint8_t *low = read_range_slow(cpu, s, EA_SS2(), 4 * count, low_buf);

	for (unsigned int r = R1; count--; r = (r + 1) & 15, high += 4, low += 4)
		set_r64(r, (uint64_t)get32(high) << 32 | get32(low));
	NEXT(3);
}

/* --- Access registers -------------------------------------------------------------------------- */

/*
 * EXTRACT ACCESS  EAR B24F; SET ACCESS  SAR B24E; COPY ACCESS  CPYA B24D [RRE]
 * Between bits 32-63 of a general register and an access register. CC unchanged.
 */
LOAD32(ear, 2, cpu->ar[R2])

HANDLER(sar)
{
	cpu->ar[R1] = r32(R2);
	NEXT(2);
}

HANDLER(cpya)
{
	cpu->ar[R1] = cpu->ar[R2];
	NEXT(2);
}

/* --- Quadwords --------------------------------------------------------------------------------- */

typedef unsigned __int128 u128;

/*
 * Swaps when the value is the old one; returns what was there. Our memory is always writable, so
 * that with old = new this is the 16-byte load that x86 lacks. Inlined into a function without
 * the target it would become a call of a library.
 */
#if defined(__x86_64__)
__attribute__((target("cx16")))
#endif
static NOINLINE u128
cas128(u128 *p, u128 old, u128 new)
{
	return __sync_val_compare_and_swap(p, old, new);
}

/* A register pair as it lies in storage. */
static u128 pair_raw(uint64_t even, uint64_t odd)
{
	uint64_t raw[2] = { swap64(even), swap64(odd) };
	u128 v;

	memcpy(&v, raw, sizeof(v));
	return v;
}

/*
 * LOAD PAIR FROM QUADWORD  LPQ R1,D2(X2,B2) [RXY-a] E38F
 * R1 and R1 + 1 = the quadword, in one access. CC unchanged.
 * Exceptions: access; specification (R1 odd, not on a quadword boundary).
 */
HANDLER(lpq)
{
	struct span span;
	uint64_t va = EA_X(), raw[2];
	u128 v;

	if (va & 15)
		RAISE(PGM_SPECIFICATION);
	mem_span(cpu, s, va, sizeof(v), ACCESS_READ, &span);
	v = cas128((u128 *)(void *)span.p[0], 0, 0);
	memcpy(raw, &v, sizeof(v));
	set_r64(R1, swap64(raw[0]));
	set_r64(R1 + 1, swap64(raw[1]));
	NEXT(3);
}

/*
 * STORE PAIR TO QUADWORD  STPQ R1,D2(X2,B2) [RXY-a] E38E
 * The quadword = R1 and R1 + 1, in one access. CC unchanged.
 * Exceptions: access; specification (R1 odd, not on a quadword boundary).
 */
HANDLER(stpq)
{
	u128 *p = mem_interlocked(cpu, s, EA_X(), sizeof(*p));
	u128 v = pair_raw(r64(R1), r64(R1 + 1)), old, seen = *p;

	do {
		old = seen;
		seen = cas128(p, old, v);
	} while (seen != old);
	mem_interlocked_done(cpu, p, sizeof(*p));
	NEXT(3);
}
