// SPDX-License-Identifier: MIT
/*
 * Translation tables and real storage (PoP chapter 10; machine.md section 12).
 *
 * Table entries are changed in absolute storage, where dat.c reads them. Invalidation purges whole
 * TLBs: an entry does not know which table entry it came from.
 */
#include <string.h>

#include "control_priv.h"
#include "sie.h"

#define ORIGIN	      (~0xfffull)
#define PAGE_TABLE    (~0x7ffull)
#define ENTRY_INVALID 0x20u
#define PTE_INVALID   0x400u
#define TABLE_ENTRIES 2048u
#define INDEX_MASK    (TABLE_ENTRIES - 1)
#define IDTE_RESERVED 0xff000u /* R2.44-51 */
#define IDTE_CLEARING 0x800u   /* R2.52: by ASCE */
#define CSP_PURGE     1u       /* R2.63 */

/* --- Purging ----------------------------------------------------------------------------------- */

/*
 * PURGE TLB    PTLB    [S]  B20D
 * Of this CPU.    PoP ch. 10, "PURGE TLB"
 */
HANDLER(ptlb)
{
	tlb_flush(cpu);
	GO_FRESH();
}

/*
 * PURGE ALB    PALB    [RRE]  B248
 * There is no ART-lookaside buffer.    PoP ch. 10, "PURGE ALB"
 */
HANDLER(palb)
{
	(void)cpu;
	NEXT(2);
}

/* --- Changing tables ---------------------------------------------------------------------------- */

/* Entries of a table at an absolute address. */
struct entries {
	uint64_t table;
	unsigned int first, n;
	uint64_t bits; /* to be set in them, interlocked */
};

static struct pic set_entries(struct cpu *cpu, const struct entries *e)
{
	struct pic pic = { .level = cpu->level };
	uint8_t *p;

	for (unsigned int i = 0; i < e->n; i++) {
		pic = mem_absolute(cpu, e->table + ((e->first + i) & INDEX_MASK) * 8ull, 8,
				   ACCESS_WRITE, &p);
		if (pic.code)
			break;
		__atomic_fetch_or((uint64_t *)(void *)p, swap64(e->bits), __ATOMIC_SEQ_CST);
		mem_written(cpu, p, 8);
	}
	return pic;
}

/* Entries that an exception has cut short are purged as well. */
static void invalidate(struct cpu *cpu, const struct slot *s, const struct entries *e)
{
	struct pic pic;

	sie_tables_lock(cpu, s);
	pic = set_entries(cpu, e);
	tlb_flush_all(cpu);
	sie_tables_unlock(cpu);
	if (pic.code)
		RAISE_PIC(pic);
}

/*
 * INVALIDATE PAGE TABLE ENTRY    IPTE R1,R2[,R3[,M4]]    [RRF-a]  B221
 * R1: page-table origin; R2.44-51: page index. The entry's I bit ← 1, then all CPUs forget it.
 * R3 (range) and M4 (local) are ignored: facilities 13 and 51 are off.
 * PoP ch. 10, "INVALIDATE PAGE TABLE ENTRY"
 */
HANDLER(ipte)
{
	const struct entries e = { .table = r64(R1) & PAGE_TABLE,
				   .first = (unsigned int)(r64(R2) >> 12 & 0xff),
				   .n = 1,
				   .bits = PTE_INVALID };

	invalidate(cpu, s, &e);
	GO_FRESH();
}

/*
 * INVALIDATE DAT TABLE ENTRY    IDTE R1,R3,R2[,M4]    [RRF-b]  B98E
 * R2.52 zero: invalidation of the region or segment entries of the table in R1 (origin, type), as many
 * as R2.53-63 say, beginning at R2's index; one: clearing by the ASCE in R3, R1 is ignored. Both purge
 * all CPUs. M4 (local) is ignored: facility 51 is off.
 * Exceptions: specification (R2.44-51 not zero).    PoP ch. 10, "INVALIDATE DAT TABLE ENTRY"
 */
HANDLER(idte)
{
	unsigned int type = (unsigned int)(r64(R1) >> 2 & 3);
	struct entries e = { .table = r64(R1) & ORIGIN,
			     .first = (unsigned int)(r64(R2) >> (20 + 11 * type) & INDEX_MASK),
			     .bits = ENTRY_INVALID };

	if (r64(R2) & IDTE_RESERVED)
		RAISE(PGM_SPECIFICATION);
	if (!(r64(R2) & IDTE_CLEARING))
		e.n = (unsigned int)(r64(R2) & INDEX_MASK) + 1;
	invalidate(cpu, s, &e);
	GO_FRESH();
}

/* The operand at p is R1: becomes R1+1. Else R1 becomes the operand. */
static bool swap_equal(struct cpu *cpu, const struct slot *s, void *p, unsigned int size)
{
	uint64_t old64 = swap64(r64(R1));
	uint32_t old32 = swap32(r32(R1));

	if (size == 8) {
		if (__atomic_compare_exchange_n((uint64_t *)p, &old64, swap64(r64(R1 + 1)), false,
						__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			return true;
		set_r64(R1, swap64(old64));
		return false;
	}
	if (__atomic_compare_exchange_n((uint32_t *)p, &old32, swap32(r32(R1 + 1)), false,
					__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return true;
	set_r32(R1, swap32(old32));
	return false;
}

/* The operand is tested before the tables are locked. */
static void swap_and_purge(struct cpu *cpu, const struct slot *s, unsigned int size)
{
	bool purge = r64(R2) & CSP_PURGE, equal;
	void *p = mem_interlocked(cpu, s, ADDR(r64(R2)) & ~(size - 1ull), size);

	sie_tables_lock(cpu, s);
	equal = swap_equal(cpu, s, p, size);
	if (equal)
		mem_interlocked_done(cpu, p, size);
	if (equal && purge)
		tlb_flush_all(cpu);
	sie_tables_unlock(cpu);
	set_cc(!equal);
}

/*
 * COMPARE AND SWAP AND PURGE    CSP R1,R2    [RRE]  B250
 * Word at address R2 (bits 62-63 taken as zero) = R1: word ← R1+1, CC 0, and R2.63 one purges the
 * TLBs of all CPUs (R2.62: ALBs, there are none). Else R1 ← word, CC 1.
 * Exceptions: specification (R1 odd).    PoP ch. 10, "COMPARE AND SWAP AND PURGE"
 */
HANDLER(csp)
{
	swap_and_purge(cpu, s, 4);
	GO_FRESH();
}

/*
 * COMPARE AND SWAP AND PURGE    CSPG R1,R2    [RRE]  B98A
 * As CSP with doublewords; bits 61-63 of the address are taken as zero.
 * PoP ch. 10, "COMPARE AND SWAP AND PURGE"
 */
HANDLER(cspg)
{
	swap_and_purge(cpu, s, 8);
	GO_FRESH();
}

/* --- LOAD REAL ADDRESS ------------------------------------------------------------------------- */

/* CC of a translation that ended with pic; CC 4 is "an exception after all". */
static unsigned int lra_cc(const struct cpu *cpu, const struct pic *pic,
			   const struct dat_result *dat)
{
	if (pic->level != cpu->level)
		return 4;
	switch (pic->code) {
	case PGM_NONE:
		return 0;
	case PGM_SEGMENT:
		return dat->pte_addr ? 1 : 3; /* 0: beyond the end of the table */
	case PGM_PAGE:
		return 2;
	case PGM_ASCE_TYPE:
	case PGM_REGION_1:
	case PGM_REGION_2:
	case PGM_REGION_3:
		return 3;
	default:
		return 4;
	}
}

/*
 * The address goes to R1: all of it (LRAG; LRA in the 64-bit mode), else bits 33-63 to R1.32-63.
 * An entry's address that does not fit is CC 3 with the code, a real address that does not fit
 * a special-operation exception.
 */
static void load_real(struct cpu *cpu, const struct slot *s, uint64_t va, bool all)
{
	struct dat_result dat;
	struct pic pic = dat_translate(cpu, va, dat_asce(cpu, psw_as(cpu)), &dat);
	unsigned int cc = lra_cc(cpu, &pic, &dat);
	uint64_t addr = cc == 0 ? dat.raddr : dat.pte_addr;

	if (cc > 3)
		RAISE_PIC(pic);
	if (!all && addr > 0x7fffffff) {
		if (cc == 0)
			RAISE(PGM_SPECIAL_OPERATION);
		cc = 3;
	}
	if (cc == 3)
		set_r32(R1, 0x80000000u | pic.code);
	else if (all)
		set_r64(R1, addr);
	else
		set_r32(R1, addr);
	set_cc(cc);
}

/*
 * LOAD REAL ADDRESS    LRA R1,D2(X2,B2), LRAY R1,D2(X2,B2)    [RX-a, RXY-a]  B1, E3..13
 * Translates by the PSW's address space even with DAT off. CC: 0 R1 = real address; 1 segment, 2
 * page invalid: R1 = address of the entry; 3 not available: R1.32-63 = 0x80000000 + code.
 * Exceptions: addressing, translation specification, special operation (see load_real()).
 * PoP ch. 10, "LOAD REAL ADDRESS"
 */
HANDLER(lra)
{
	load_real(cpu, s, EA_X(), cpu->psw_mask & PSW_EA);
	NEXT(2);
}

HANDLER(lray)
{
	load_real(cpu, s, EA_X(), cpu->psw_mask & PSW_EA);
	NEXT(3);
}

/*
 * LOAD REAL ADDRESS    LRAG R1,D2(X2,B2)    [RXY-a]  E3..03
 * As LRA, always 64 bits.    PoP ch. 10, "LOAD REAL ADDRESS"
 */
HANDLER(lrag)
{
	load_real(cpu, s, EA_X(), true);
	NEXT(3);
}

/* --- Real storage ------------------------------------------------------------------------------ */

/*
 * LOAD USING REAL ADDRESS    LURA R1,R2    [RRE]  B24B
 * R1.32-63 ← word at real address R2. Exceptions: specification (not on a word), addressing,
 * protection (key).    PoP ch. 10, "LOAD USING REAL ADDRESS"
 */
HANDLER(lura)
{
	uint64_t raddr = ADDR(r64(R2));
	const uint32_t *p;

	REQUIRE_ALIGNED(raddr, 4);
	p = (const void *)real_operand(cpu, s, raddr, 4, false);
	set_r32(R1, swap32(__atomic_load_n(p, LOAD_ORDER)));
	NEXT(2);
}

/*
 * LOAD USING REAL ADDRESS    LURAG R1,R2    [RRE]  B905
 * R1 ← doubleword at real address R2. Exceptions as LURA.
 * PoP ch. 10, "LOAD USING REAL ADDRESS"
 */
HANDLER(lurag)
{
	uint64_t raddr = ADDR(r64(R2));
	const uint64_t *p;

	REQUIRE_ALIGNED(raddr, 8);
	p = (const void *)real_operand(cpu, s, raddr, 8, false);
	set_r64(R1, swap64(__atomic_load_n(p, LOAD_ORDER)));
	NEXT(2);
}

/*
 * STORE USING REAL ADDRESS    STURA R1,R2    [RRE]  B246
 * Word at real address R2 ← R1.32-63. Exceptions: specification (not on a word), addressing,
 * protection (key, low address).    PoP ch. 10, "STORE USING REAL ADDRESS"
 */
HANDLER(stura)
{
	uint64_t raddr = ADDR(r64(R2));
	uint8_t *p;

	REQUIRE_ALIGNED(raddr, 4);
	p = real_operand(cpu, s, raddr, 4, true);
	__atomic_store_n((uint32_t *)(void *)p, swap32(r32(R1)), STORE_ORDER);
	mem_written(cpu, p, 4);
	NEXT_POLL(2);
}

/*
 * STORE USING REAL ADDRESS    STURG R1,R2    [RRE]  B925
 * Doubleword at real address R2 ← R1. Exceptions as STURA.
 * PoP ch. 10, "STORE USING REAL ADDRESS"
 */
HANDLER(sturg)
{
	uint64_t raddr = ADDR(r64(R2));
	uint8_t *p;

	REQUIRE_ALIGNED(raddr, 8);
	p = real_operand(cpu, s, raddr, 8, true);
	__atomic_store_n((uint64_t *)(void *)p, swap64(r64(R1)), STORE_ORDER);
	mem_written(cpu, p, 8);
	NEXT_POLL(2);
}
