// SPDX-License-Identifier: MIT
/*
 * Storage to storage: MVC, NC, CLC and their relatives; PACK and UNPK.
 *
 * All of them prove both operands accessible before the first store, the second operand first.
 * The usual case, both operands within pages that the TLB knows, needs no call.
 */
#include "handler.h"
#include "insn_proto.h"

#define NUMERIC_DIGITS 0x0f0f0f0f0f0f0f0full

enum ss_op { SS_MVC, SS_MVN, SS_MVZ, SS_NC, SS_OC, SS_XC };

/* --- Where operands lie ----------------------------------------------------------------------- */

/* Memory of an operand that lies in one page with an entry in the TLB, else NULL. */
static inline const uint8_t *near_read(struct cpu *cpu, uint64_t va, unsigned int len)
{
	const struct tlb_entry *e = tlb_slot(cpu, va);
	uint64_t off = va & 4095;

	if (LIKELY(e->read == ((va - off) | cpu->ctx_data) && off + len <= 4096))
		return e->page + off;
	return NULL;
}

/* The same for a store. Frames with decoded instructions have no such entry. */
static inline uint8_t *near_write(struct cpu *cpu, uint64_t va, unsigned int len)
{
	const struct tlb_entry *e = tlb_slot(cpu, va);
	uint64_t off = va & 4095;

	if (LIKELY(e->write == ((va - off) | cpu->ctx_data) && off + len <= 4096))
		return e->page + off;
	return NULL;
}

/* The rest of the span's piece that holds byte i; returns its length. */
static inline uint32_t span_from(const struct span *span, uint32_t i, uint8_t **p)
{
	if (i < span->n[0]) {
		*p = span->p[0] + i;
		return span->n[0] - i;
	}
	*p = span->p[1] + (i - span->n[0]);
	return span->n[0] + span->n[1] - i;
}

static inline uint8_t *span_byte(const struct span *span, uint32_t i)
{
	return i < span->n[0] ? span->p[0] + i : span->p[1] + (i - span->n[0]);
}

/* --- MVC, MVN, MVZ, NC, OC, XC ---------------------------------------------------------------- */

static inline uint64_t combine(enum ss_op op, uint64_t a, uint64_t b)
{
	switch (op) {
	case SS_MVN:
		return (a & ~NUMERIC_DIGITS) | (b & NUMERIC_DIGITS);
	case SS_MVZ:
		return (a & NUMERIC_DIGITS) | (b & ~NUMERIC_DIGITS);
	case SS_NC:
		return a & b;
	case SS_OC:
		return a | b;
	case SS_XC:
		return a ^ b;
	case SS_MVC:
		break;
	}
	return b;
}

/*
 * From left to right, byte by byte: a byte that was stored may be fetched again. Eight at a time
 * give the same result unless d lies less than eight bytes behind p. Returns 0 if all results are.
 */
static inline uint64_t combine_run(enum ss_op op, uint8_t *d, const uint8_t *p, size_t n)
{
	uintptr_t behind = (uintptr_t)d - (uintptr_t)p;
	uint64_t any = 0, a, b;
	size_t i = 0;

	if (behind - 1 >= 7) {
		for (; i + 8 <= n; i += 8) {
			memcpy(&a, d + i, 8);
			memcpy(&b, p + i, 8);
			a = combine(op, a, b);
			any |= a;
			memcpy(d + i, &a, 8);
		}
	}
	for (; i < n; i++) {
		d[i] = (uint8_t)combine(op, d[i], p[i]);
		any |= d[i];
	}
	return any;
}

static inline void move_run(uint8_t *d, const uint8_t *p, size_t n)
{
	uintptr_t behind = (uintptr_t)d - (uintptr_t)p;

	if (LIKELY(behind - 1 >= n - 1)) /* no stored byte is fetched again */
		memmove(d, p, n);
	else if (behind == 1) /* the idiom that fills storage with one byte */
		memset(d, *p, n);
	else
		combine_run(SS_MVC, d, p, n);
}

/* All of them, with operands in any pages. */
static NOINLINE uint64_t ss_spans(struct cpu *cpu, const struct slot *s, enum ss_op op,
				  uint64_t va1, uint64_t va2, uint32_t len)
{
	struct span to, from;
	uint64_t any = 0;
	uint32_t n;

	mem_span(cpu, s, va2, len, ACCESS_READ, &from);
	mem_span(cpu, s, va1, len, ACCESS_WRITE, &to);
	for (uint32_t i = 0; i < len; i += n) {
		uint8_t *d, *p;
		uint32_t nd = span_from(&to, i, &d), np = span_from(&from, i, &p);

		n = nd < np ? nd : np;
		if (op == SS_MVC)
			move_run(d, p, n);
		else
			any |= combine_run(op, d, p, n);
	}
	mem_span_written(cpu, &to);
	return any;
}

/* op is a constant in all callers. */
static inline uint64_t ss_combine(struct cpu *cpu, const struct slot *s, enum ss_op op)
{
	uint32_t len = SS_LEN() + 1;
	uint64_t va1 = EA(), va2 = EA_SS2();
	const uint8_t *p = near_read(cpu, va2, len);
	uint8_t *d = near_write(cpu, va1, len);

	if (UNLIKELY(!p || !d))
		return ss_spans(cpu, s, op, va1, va2, len);
	if (op == SS_XC && d == p) { /* the idiom that clears storage */
		memset(d, 0, len);
		return 0;
	}
	return combine_run(op, d, p, len);
}

/*
 * MOVE (character)    MVC D1(L,B1),D2(B2)    [SS-a]  D2
 * Moves L+1 bytes, left to right and one at a time, so that overlapping operands propagate.
 * CC unchanged. Exceptions: access.                           PoP ch. 7, "MOVE"
 */
HANDLER(mvc)
{
	uint32_t len = SS_LEN() + 1;
	uint64_t va1 = EA(), va2 = EA_SS2();
	const uint8_t *p = near_read(cpu, va2, len);
	uint8_t *d = near_write(cpu, va1, len);

	if (LIKELY(p && d))
		move_run(d, p, len);
	else
		ss_spans(cpu, s, SS_MVC, va1, va2, len);
	NEXT(3);
}

/*
 * MOVE NUMERICS    MVN D1(L,B1),D2(B2)    [SS-a]  D1
 * Moves the right halves of L+1 bytes. CC unchanged.           PoP ch. 7, "MOVE NUMERICS"
 */
HANDLER(mvn)
{
	ss_combine(cpu, s, SS_MVN);
	NEXT(3);
}

/*
 * MOVE ZONES    MVZ D1(L,B1),D2(B2)    [SS-a]  D3
 * Moves the left halves of L+1 bytes. CC unchanged.            PoP ch. 7, "MOVE ZONES"
 */
HANDLER(mvz)
{
	ss_combine(cpu, s, SS_MVZ);
	NEXT(3);
}

/*
 * AND (character)    NC D1(L,B1),D2(B2)    [SS-a]  D4
 * CC: 0 result zero, 1 not zero.                               PoP ch. 7, "AND"
 */
HANDLER(nc)
{
	cc_zero(cpu, ss_combine(cpu, s, SS_NC));
	NEXT(3);
}

/*
 * OR (character)    OC D1(L,B1),D2(B2)    [SS-a]  D6
 * CC: 0 result zero, 1 not zero.                               PoP ch. 7, "OR"
 */
HANDLER(oc)
{
	cc_zero(cpu, ss_combine(cpu, s, SS_OC));
	NEXT(3);
}

/*
 * EXCLUSIVE OR (character)    XC D1(L,B1),D2(B2)    [SS-a]  D7
 * CC: 0 result zero, 1 not zero.                               PoP ch. 7, "EXCLUSIVE OR"
 */
HANDLER(xc)
{
	cc_zero(cpu, ss_combine(cpu, s, SS_XC));
	NEXT(3);
}

/* --- CLC -------------------------------------------------------------------------------------- */

static inline uint32_t page_rest(uint64_t va, uint32_t len)
{
	uint32_t rest = 4096 - (uint32_t)(va & 4095);

	return len < rest ? len : rest;
}

/* Bytes behind the first unequal one are not needed: their pages are not touched. */
static NOINLINE int clc_spans(struct cpu *cpu, const struct slot *s, uint64_t va1, uint64_t va2,
			      uint32_t len)
{
	int order = 0;

	while (len && !order) {
		uint32_t n = page_rest(va2, page_rest(va1, len));
		struct span a, b;

		mem_span(cpu, s, va2, n, ACCESS_READ, &b);
		mem_span(cpu, s, va1, n, ACCESS_READ, &a);
		order = memcmp(a.p[0], b.p[0], n);
		va1 = ADDR(va1 + n);
		va2 = ADDR(va2 + n);
		len -= n;
	}
	return order;
}

/*
 * COMPARE LOGICAL (character)    CLC D1(L,B1),D2(B2)    [SS-a]  D5
 * CC: 0 equal, 1 first operand low, 2 high.                    PoP ch. 7, "COMPARE LOGICAL"
 */
HANDLER(clc)
{
	uint32_t len = SS_LEN() + 1;
	uint64_t va1 = EA(), va2 = EA_SS2();
	const uint8_t *b = near_read(cpu, va2, len), *a = near_read(cpu, va1, len);
	int order = LIKELY(a && b) ? memcmp(a, b, len) : clc_spans(cpu, s, va1, va2, len);

	cc_compare(cpu, order, 0);
	NEXT(3);
}

/* --- MVCIN, and the decimal ones, which go from right to left --------------------------------- */

/* Operands of L1+1 and L2+1 bytes. */
struct two {
	struct span to, from;
	uint32_t n_to, n_from;
};

static void two_lengths(struct cpu *cpu, const struct slot *s, struct two *t)
{
	t->n_to = s->r1 + 1u;
	t->n_from = s->r3 + 1u;
	mem_span(cpu, s, EA_SS2(), t->n_from, ACCESS_READ, &t->from);
	mem_span(cpu, s, EA(), t->n_to, ACCESS_WRITE, &t->to);
}

static inline uint8_t swap_digits(uint8_t b)
{
	return (uint8_t)(b << 4 | b >> 4);
}

static NOINLINE void move_inverse(struct cpu *cpu, const struct slot *s)
{
	uint32_t len = SS_LEN() + 1;
	struct span to, from;

	mem_span(cpu, s, ADDR(EA_SS2() - SS_LEN()), len, ACCESS_READ, &from);
	mem_span(cpu, s, EA(), len, ACCESS_WRITE, &to);
	for (uint32_t i = 0; i < len; i++)
		*span_byte(&to, i) = *span_byte(&from, len - 1 - i);
	mem_span_written(cpu, &to);
}

/*
 * MOVE INVERSE    MVCIN D1(L,B1),D2(B2)    [SS-a]  E8
 * The second operand is designated by its rightmost byte and moved from right to left.
 * CC unchanged.                                                PoP ch. 7, "MOVE INVERSE"
 */
HANDLER(mvcin)
{
	move_inverse(cpu, s);
	NEXT(3);
}

static NOINLINE void move_with_offset(struct cpu *cpu, const struct slot *s)
{
	struct two t;
	uint32_t i, j;
	uint8_t b;

	two_lengths(cpu, s, &t);
	i = t.n_to;
	j = t.n_from;
	b = *span_byte(&t.from, --j);
	i--;
	*span_byte(&t.to, i) = (uint8_t)((*span_byte(&t.to, i) & 0x0f) | b << 4);
	while (i-- > 0) {
		uint8_t high = b >> 4;

		b = j ? *span_byte(&t.from, --j) : 0;
		*span_byte(&t.to, i) = (uint8_t)(high | b << 4);
	}
	mem_span_written(cpu, &t.to);
}

/*
 * MOVE WITH OFFSET    MVO D1(L1,B1),D2(L2,B2)    [SS-b]  F1
 * The second operand goes to the left of the first's rightmost four bits, right to left, cut or
 * filled with zeros on the left. CC unchanged.                 PoP ch. 7, "MOVE WITH OFFSET"
 */
HANDLER(mvo)
{
	move_with_offset(cpu, s);
	NEXT(3);
}

static NOINLINE void pack_digits(struct cpu *cpu, const struct slot *s)
{
	struct two t;
	uint32_t i, j;

	two_lengths(cpu, s, &t);
	i = t.n_to - 1;
	j = t.n_from - 1;
	*span_byte(&t.to, i) = swap_digits(*span_byte(&t.from, j));
	while (i-- > 0) {
		uint8_t b = 0;

		if (j)
			b = *span_byte(&t.from, --j) & 0x0f;
		if (j)
			b |= (uint8_t)(*span_byte(&t.from, --j) << 4);
		*span_byte(&t.to, i) = b;
	}
	mem_span_written(cpu, &t.to);
}

/*
 * PACK    PACK D1(L1,B1),D2(L2,B2)    [SS-b]  F2
 * Zoned to packed format, right to left; digits are not checked. CC unchanged.
 *                                                              PoP ch. 7, "PACK"
 */
HANDLER(pack)
{
	pack_digits(cpu, s);
	NEXT(3);
}

static NOINLINE void unpack_digits(struct cpu *cpu, const struct slot *s)
{
	bool high = false; /* the left digit of b is next */
	struct two t;
	uint32_t i, j;
	uint8_t b = 0;

	two_lengths(cpu, s, &t);
	i = t.n_to - 1;
	j = t.n_from - 1;
	*span_byte(&t.to, i) = swap_digits(*span_byte(&t.from, j));
	for (; i-- > 0; high = !high) {
		if (high)
			b >>= 4;
		else
			b = j ? *span_byte(&t.from, --j) : 0;
		*span_byte(&t.to, i) = 0xf0 | (b & 0x0f);
	}
	mem_span_written(cpu, &t.to);
}

/*
 * UNPACK    UNPK D1(L1,B1),D2(L2,B2)    [SS-b]  F3
 * Packed to zoned format, right to left; digits are not checked. CC unchanged.
 *                                                              PoP ch. 7, "UNPACK"
 */
HANDLER(unpk)
{
	unpack_digits(cpu, s);
	NEXT(3);
}
