// SPDX-License-Identifier: MIT
/*
 * Translation by tables of 256 bytes. Only those bytes of a table that are needed must be
 * accessible (PoP chapter 7, "TRANSLATE"), which matters when it crosses into another page.
 */
#include "handler.h"
#include "insn_proto.h"

#define TABLE_BYTES 256u

/* The part of a table between the lowest and the highest byte that is needed. */
struct table {
	struct span span;
	uint8_t first;
};

static void table_for(struct cpu *cpu, const struct slot *s, uint64_t va, const uint8_t *args,
		      uint32_t n, struct table *t)
{
	uint8_t last = 255;

	t->first = 0;
	if ((va & 4095) + TABLE_BYTES > 4096) {
		t->first = 255;
		last = 0;
		for (uint32_t i = 0; i < n; i++) {
			t->first = args[i] < t->first ? args[i] : t->first;
			last = args[i] > last ? args[i] : last;
		}
	}
	mem_span(cpu, s, ADDR(va + t->first), last - t->first + 1u, ACCESS_READ, &t->span);
}

static inline uint8_t table_byte(const struct table *t, uint8_t arg)
{
	uint32_t i = (uint32_t)arg - t->first;

	return i < t->span.n[0] ? t->span.p[0][i] : t->span.p[1][i - t->span.n[0]];
}

/* In place and in order: the table may overlap with what is translated. */
static void translate_run(uint8_t *p, uint32_t n, const struct table *t)
{
	for (uint32_t i = 0; i < n; i++)
		p[i] = table_byte(t, p[i]);
}

static NOINLINE void translate(struct cpu *cpu, const struct slot *s)
{
	uint8_t args[TABLE_BYTES];
	struct span to;
	struct table t;

	mem_span(cpu, s, EA(), SS_LEN() + 1, ACCESS_WRITE, &to);
	memcpy(args, to.p[0], to.n[0]);
	if (to.n[1])
		memcpy(args + to.n[0], to.p[1], to.n[1]);
	table_for(cpu, s, EA_SS2(), args, SS_LEN() + 1, &t);
	translate_run(to.p[0], to.n[0], &t);
	translate_run(to.p[1], to.n[1], &t);
	mem_span_written(cpu, &to);
}

/*
 * TRANSLATE    TR D1(L,B1),D2(B2)    [SS-a]  DC
 * Each byte of the first operand is replaced by the byte of the table that it selects.
 * CC unchanged.                                                PoP ch. 7, "TRANSLATE"
 */
HANDLER(tr)
{
	translate(cpu, s);
	NEXT(3);
}

/*
 * An address into GR1, for TRT and TRTR: bits 0-39 stay in the 24-bit mode; in the 31-bit mode
 * bits 0-31 stay and bit 32 becomes zero.
 */
static void set_found(struct cpu *cpu, uint64_t va)
{
	if (cpu->psw_mask & PSW_EA)
		set_r64(1, va);
	else if (cpu->psw_mask & PSW_BA)
		set_r32(1, va);
	else
		set_r64(1, (r64(1) & ~0xffffffull) | va);
}

/* step is 1 or -1. Function bytes are fetched one by one up to the one that is not zero. */
static NOINLINE void translate_and_test(struct cpu *cpu, const struct slot *s, uint64_t step)
{
	uint64_t va = EA(), table = EA_SS2();
	uint32_t last = SS_LEN();

	for (uint32_t i = 0; i <= last; i++, va = ADDR(va + step)) {
		uint8_t function = load8(ADDR(table + load8(va)));

		if (!function)
			continue;
		set_found(cpu, va);
		set_r64(2, (r64(2) & ~0xffull) | function);
		set_cc(i == last ? 2 : 1);
		return;
	}
	set_cc(0);
}

/*
 * TRANSLATE AND TEST    TRT D1(L,B1),D2(B2)    [SS-a]  DD
 * The first function byte that is not zero goes to GR2.56-63, the argument's address to GR1.
 * CC: 0 none, 1 before the last byte, 2 at the last byte.      PoP ch. 7, "TRANSLATE AND TEST"
 */
HANDLER(trt)
{
	translate_and_test(cpu, s, 1);
	NEXT(3);
}

/*
 * TRANSLATE AND TEST REVERSE    TRTR D1(L,B1),D2(B2)    [SS-a]  D0
 * As TRT, from right to left; the first operand is designated by its rightmost byte.
 *                                                 PoP ch. 7, "TRANSLATE AND TEST REVERSE"
 */
HANDLER(trtr)
{
	translate_and_test(cpu, s, UINT64_MAX);
	NEXT(3);
}

#define TRE_BYTES 4096u /* enough for one execution */

/* Address and length of what is left, by the addressing mode; bits 0-31 stay unless it is 64. */
static void tre_update(struct cpu *cpu, unsigned int r, uint64_t va, uint64_t len)
{
	if (cpu->psw_mask & PSW_EA) {
		set_r64(r, va);
		set_r64(r + 1, len);
	} else {
		set_r32(r, va);
		set_r32(r + 1, len);
	}
}

static NOINLINE void translate_extended(struct cpu *cpu, const struct slot *s)
{
	uint64_t va = ADDR(r64(R1)), table = ADDR(r64(R2));
	uint64_t len = cpu->psw_mask & PSW_EA ? r64(R1 + 1) : r32(R1 + 1);
	const uint8_t *stop = NULL;
	struct table t;
	struct span to;

	for (uint32_t done = 0; len && !stop && done < TRE_BYTES;) {
		uint32_t n = 4096 - (uint32_t)(va & 4095);

		n = len < n ? (uint32_t)len : n;
		mem_span(cpu, s, va, n, ACCESS_READ, &to);
		stop = memchr(to.p[0], (int)(r64(0) & 0xff), n);
		if (stop) /* it and what follows is not stored into */
			n = (uint32_t)(stop - to.p[0]);
		if (n) {
			mem_span(cpu, s, va, n, ACCESS_WRITE, &to);
			table_for(cpu, s, table, to.p[0], n, &t);
			translate_run(to.p[0], n, &t);
			mem_span_written(cpu, &to);
		}
		va = ADDR(va + n);
		len -= n;
		done += n;
		tre_update(cpu, R1, va, len);
	}
	set_cc(stop ? 1 : len ? 3 : 0);
}

/*
 * TRANSLATE EXTENDED    TRE R1,R2    [RRE]  B2A5
 * Translates the bytes at R1 (length in R1+1) by the table at R2 up to the test byte GR0.56-63.
 * CC: 0 all, 1 test byte found, 3 partially. Exceptions: access; specification (R1 odd).
 *                                                              PoP ch. 7, "TRANSLATE EXTENDED"
 */
HANDLER(tre)
{
	translate_extended(cpu, s);
	NEXT(2);
}
