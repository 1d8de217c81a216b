// SPDX-License-Identifier: MIT
/*
 * Dynamic address translation: table walks of the running level (PoP chapter 3, "Translation
 * Process"; machine.md section 12). Tables are read from absolute storage of that level, so a
 * guest's walk goes through the host's tables by itself.
 */
#include "mem.h"

#define ASCE_ORIGIN   0xfffffffffffff000ull
#define ASCE_PRIVATE  0x100u
#define ASCE_REAL     0x20u
#define ASCE_DT(asce) ((asce) >> 2 & 3)
#define ASCE_TL(asce) ((asce)&3)

#define ENTRY_ORIGIN	0xfffffffffffff000ull
#define ENTRY_INVALID	0x20u
#define ENTRY_TYPE(e)	((e) >> 2 & 3)
#define ENTRY_OFFSET(e) ((e) >> 6 & 3)
#define ENTRY_LENGTH(e) ((e)&3)
#define ENTRY_PROTECT	0x200u

#define SEGMENT_ORIGIN	     0xfffffffffffff800ull
#define SEGMENT_COMMON	     0x10u
#define SEGMENT_LARGE	     0x400u
#define SEGMENT_LARGE_ORIGIN 0xfffffffffff00000ull

#define PAGE_INVALID  0x400u
#define PAGE_RESERVED 0x800u
#define PAGE_PROTECT  0x200u

/* Levels count as the designation-type field does: 3 region first, ... 0 segment. */
#define LEVEL_SEGMENT 0

static const uint16_t level_code[4] = { PGM_SEGMENT, PGM_REGION_3, PGM_REGION_2, PGM_REGION_1 };

static unsigned int index_at(uint64_t va, unsigned int level)
{
	return (unsigned int)(va >> (20 + 11 * level) & 0x7ff);
}

static struct pic fault(const struct cpu *cpu, uint16_t code)
{
	return (struct pic){ .code = code, .level = cpu->level };
}

static struct pic read_entry(struct cpu *cpu, uint64_t addr, uint64_t *out)
{
	uint8_t *p;
	struct pic pic = mem_absolute(cpu, addr, 8, ACCESS_READ, &p);

	if (!pic.code)
		*out = swap64(__atomic_load_n((uint64_t *)(void *)p, LOAD_ORDER));
	return pic;
}

struct walk {
	uint64_t va, asce;
	uint64_t origin;		 /* of the table to look at */
	unsigned int level, first, last; /* its kind, and the range of its upper two index bits */
	bool protect;
};

/* Bits of the address above what the top table covers must be zero. */
static bool above_top(uint64_t va, unsigned int level)
{
	return level < 3 && va >> (31 + 11 * level) != 0;
}

static struct pic walk_page(struct cpu *cpu, struct walk *w, uint64_t segment,
			    struct dat_result *out)
{
	uint64_t at = (segment & SEGMENT_ORIGIN) + (w->va >> 12 & 0xff) * 8, pte;
	struct pic pic = read_entry(cpu, at, &pte);

	out->pte_addr = at;
	if (pic.code)
		return pic;
	if (pte & PAGE_INVALID)
		return fault(cpu, PGM_PAGE);
	if (pte & PAGE_RESERVED)
		return fault(cpu, PGM_TRANSLATION_SPEC);
	out->raddr = (pte & ENTRY_ORIGIN) | (w->va & 0xfff);
	out->write_protected = w->protect || pte & PAGE_PROTECT;
	return fault(cpu, PGM_NONE);
}

static struct pic walk_segment(struct cpu *cpu, struct walk *w, uint64_t entry,
			       struct dat_result *out)
{
	bool edat = cpu->cr[0] & CR0_EDAT && cpu->edat;

	if (entry & SEGMENT_COMMON && w->asce & ASCE_PRIVATE)
		return fault(cpu, PGM_TRANSLATION_SPEC);
	w->protect = w->protect || entry & ENTRY_PROTECT;
	if (!(edat && entry & SEGMENT_LARGE))
		return walk_page(cpu, w, entry, out);
	out->raddr = (entry & SEGMENT_LARGE_ORIGIN) | (w->va & 0xfffff);
	out->write_protected = w->protect;
	return fault(cpu, PGM_NONE);
}

/* One region or segment table; *done when the walk has ended with a page. */
static struct pic walk_level(struct cpu *cpu, struct walk *w, struct dat_result *out, bool *done)
{
	unsigned int index = index_at(w->va, w->level);
	uint64_t at = w->origin + index * 8ull, entry;
	bool edat = cpu->cr[0] & CR0_EDAT && cpu->edat;
	struct pic pic;

	if (index >> 9 < w->first || index >> 9 > w->last) {
		out->pte_addr = 0; /* no entry: LRA tells this case apart */
		return fault(cpu, level_code[w->level]);
	}
	out->pte_addr = at;
	pic = read_entry(cpu, at, &entry);
	if (pic.code)
		return pic;
	if (entry & ENTRY_INVALID)
		return fault(cpu, level_code[w->level]);
	if (ENTRY_TYPE(entry) != w->level)
		return fault(cpu, PGM_TRANSLATION_SPEC);
	if (w->level == LEVEL_SEGMENT) {
		*done = true;
		return walk_segment(cpu, w, entry, out);
	}
	if (edat && entry & ENTRY_PROTECT)
		w->protect = true;
	w->origin = entry & ENTRY_ORIGIN;
	w->first = ENTRY_OFFSET(entry);
	w->last = ENTRY_LENGTH(entry);
	w->level--;
	return pic;
}

struct pic dat_translate(struct cpu *cpu, uint64_t va, uint64_t asce, struct dat_result *out)
{
	struct walk w = { .va = va,
			  .asce = asce,
			  .origin = asce & ASCE_ORIGIN,
			  .level = ASCE_DT(asce),
			  .last = ASCE_TL(asce) };
	struct pic pic = fault(cpu, PGM_NONE);
	bool done = false;

	*out = (struct dat_result){ .private_space = asce & ASCE_PRIVATE };
	if (asce & ASCE_REAL) {
		out->raddr = va;
		return pic;
	}
	if (above_top(va, w.level))
		return fault(cpu, PGM_ASCE_TYPE);
	while (!pic.code && !done)
		pic = walk_level(cpu, &w, out, &done);
	return pic;
}

uint64_t dat_asce(const struct cpu *cpu, enum address_space as)
{
	static const uint8_t cr[4] = {
		[AS_PRIMARY] = 1, [AS_ACCESS_REGISTER] = 1, [AS_SECONDARY] = 7, [AS_HOME] = 13
	};

	return cpu->cr[cr[as]];
}
