// SPDX-License-Identifier: MIT
/*
 * Registers and storage of a guest CPU, and interruptions that the hypervisor injects.
 */
#include "guest.h"

#include <string.h>

#include "gmap.h"
#include "lowcore.h"

#define LOWCORE_BYTES 8192u

/* PSW fields that an address depends on. */
#define GPSW_DAT      BIT64(5)
#define GPSW_AS_SHIFT 46
#define GPSW_EA	      BIT64(31)
#define GPSW_BA	      BIT64(32)

uint64_t guest_gr(const struct guest *g, unsigned int n)
{
	if (guest_protected(g))
		return be64_get(g->pv_gr[n]);
	if (n == 14)
		return be64_get(g->scb.gg14);
	if (n == 15)
		return be64_get(g->scb.gg15);
	return cpu_gr(g->v->cpu, n);
}

void guest_set_gr(struct guest *g, unsigned int n, uint64_t v)
{
	if (guest_protected(g))
		be64_set(&g->pv_gr[n], v);
	else if (n == 14)
		be64_set(&g->scb.gg14, v);
	else if (n == 15)
		be64_set(&g->scb.gg15, v);
	else
		cpu_set_gr(g->v->cpu, n, v);
}

void guest_set_gr32(struct guest *g, unsigned int n, uint32_t v)
{
	guest_set_gr(g, n, (guest_gr(g, n) & 0xffffffff00000000ull) | v);
}

uint64_t guest_psw_mask(const struct guest *g)
{
	return be64_get(g->scb.gpsw_mask);
}

void guest_set_cc(struct guest *g, unsigned int cc)
{
	uint64_t mask = guest_psw_mask(g) & ~(3ull << GPSW_CC_SHIFT);

	be64_set(&g->scb.gpsw_mask, mask | (uint64_t)cc << GPSW_CC_SHIFT);
}

uint32_t guest_prefix(const struct guest *g)
{
	return be32_get(g->scb.prefix) & SCB_PREFIX_MASK;
}

static uint64_t mode_mask(const struct guest *g)
{
	uint64_t mask = guest_psw_mask(g);

	return mask & GPSW_EA ? ~0ull : mask & GPSW_BA ? 0x7fffffffull : 0xffffffull;
}

uint64_t guest_effective(const struct guest *g, uint64_t addr)
{
	return addr & mode_mask(g);
}

uint64_t guest_operand(const struct guest *g)
{
	uint32_t ipb = be32_get(g->scb.ipb);
	unsigned int base = ipb >> 28;

	return ((base ? guest_gr(g, base) : 0) + (ipb >> 16 & 0xfff)) & mode_mask(g);
}

gaddr_t guest_absolute(const struct guest *g, uint64_t raddr)
{
	uint64_t prefix = guest_prefix(g), block = raddr & ~(uint64_t)(LOWCORE_BYTES - 1);

	if (block == 0)
		return gaddr(raddr + prefix);
	return gaddr(block == prefix ? raddr - prefix : raddr);
}

/* --- Translation ------------------------------------------------------------------------------- */

#define ENTRY_INVALID  0x20u
#define PAGE_INVALID   0x400u
#define PAGE_PROTECT   0x200u
#define ORIGIN	       0xfffffffffffff000ull
#define SEGMENT_ORIGIN 0xfffffffffffff800ull
#define ASCE_REAL      0x20u
#define ASCE_PRIVATE   0x100u
#define SEGMENT_COMMON 0x10u
#define PAGE_RESERVED  0x800u

/* TEID (machine.md section 3): facility 75 tells stores from fetches; protection by DAT. */
#define TEID_STORE	  0x400u
#define TEID_FETCH	  0x800u
#define TEID_DAT	  0x4u
#define CR0_LOW_ADDRESS	  BIT64(35)
#define LOW_ADDRESS_BYTES 512u

enum {
	PGM_PROTECTION = 4,
	PGM_ADDRESSING = 5,
	PGM_SEGMENT = 0x10,
	PGM_PAGE = 0x11,
	PGM_ASCE_TYPE = 0x38,
	PGM_REGION_3 = 0x3b,
	PGM_TRANSLATION_SPEC = 0x12
};

static struct pic pic_of(uint16_t code)
{
	return (struct pic){ .code = code, .level = PIC_GUEST };
}

static struct pic read_entry(struct guest *g, uint64_t at, uint64_t *out)
{
	be64 e;
	struct pic pic = vm_read(g->v->vm, gaddr(at), &e, sizeof(e));

	if (!pic.code)
		*out = be64_get(e);
	return pic;
}

/* PoP chapter 3, "Translation Process"; without EDAT, which guests are not offered. */
static struct pic walk(struct guest *g, uint64_t va, uint64_t asce, bool write, uint64_t *raddr)
{
	static const uint16_t codes[4] = { PGM_SEGMENT, 0x3b, 0x3a, 0x39 };
	unsigned int level = asce >> 2 & 3, first = 0, last = asce & 3;
	uint64_t table = asce & ORIGIN, entry = 0;
	bool protect = false;
	struct pic pic;

	if (level < 3 && va >> (31 + 11 * level))
		return pic_of(PGM_ASCE_TYPE);
	for (;; level--) {
		unsigned int index = va >> (20 + 11 * level) & 0x7ff;

		if (index >> 9 < first || index >> 9 > last)
			return pic_of(codes[level]);
		pic = read_entry(g, table + index * sizeof(be64), &entry);
		if (pic.code)
			return pic;
		if (entry & ENTRY_INVALID)
			return pic_of(codes[level]);
		if ((entry >> 2 & 3) != level)
			return pic_of(PGM_TRANSLATION_SPEC);
		if (level == 0)
			break;
		table = entry & ORIGIN;
		first = entry >> 6 & 3;
		last = entry & 3;
	}
	if (entry & SEGMENT_COMMON && asce & ASCE_PRIVATE)
		return pic_of(PGM_TRANSLATION_SPEC);
	protect = entry & PAGE_PROTECT;
	pic = read_entry(g, (entry & SEGMENT_ORIGIN) + (va >> 12 & 0xff) * sizeof(be64), &entry);
	if (pic.code)
		return pic;
	if (entry & PAGE_INVALID)
		return pic_of(PGM_PAGE);
	if (entry & PAGE_RESERVED)
		return pic_of(PGM_TRANSLATION_SPEC);
	if (write && (protect || entry & PAGE_PROTECT))
		return (struct pic){ PGM_PROTECTION, PIC_GUEST, 0, TEID_DAT };
	*raddr = (entry & ORIGIN) | (va & 0xfff);
	return (struct pic){ 0 };
}

/* Stores to effective addresses 0-511 and 4096-4607, unless the space is private. */
static bool low_address_protected(const struct guest *g, uint64_t va, uint64_t asce)
{
	return be64_get(g->scb.gcr[0]) & CR0_LOW_ADDRESS && !(asce & ASCE_PRIVATE) &&
	       (va & ~4096ull) < LOW_ADDRESS_BYTES;
}

static bool has_teid(uint16_t code)
{
	return code == PGM_PROTECTION || code == PGM_SEGMENT || code == PGM_PAGE ||
	       (code >= PGM_ASCE_TYPE && code <= PGM_REGION_3);
}

static struct pic translate(struct guest *g, uint64_t va, bool write, uint64_t *raddr)
{
	static const uint8_t cr_of_as[4] = { 1, 1, 7, 13 };
	uint64_t mask = guest_psw_mask(g), asce = 0;
	unsigned int as = mask >> GPSW_AS_SHIFT & 3;
	struct pic pic = { 0 };

	*raddr = va;
	if (mask & GPSW_DAT)
		asce = be64_get(g->scb.gcr[cr_of_as[as]]);
	if (mask & GPSW_DAT && !(asce & ASCE_REAL))
		pic = walk(g, va, asce, write, raddr);
	if ((!pic.code || pic.code == PGM_PROTECTION) && write &&
	    low_address_protected(g, va, asce))
		pic = pic_of(PGM_PROTECTION);
	if (has_teid(pic.code))
		pic.teid |= (va & ~0xfffull) | (write ? TEID_STORE : TEID_FETCH) |
			    (mask & GPSW_DAT ? as : 0);
	return pic;
}

struct pic guest_page_in(struct guest *g, uint64_t vaddr)
{
	haddr_t frame;
	uint64_t raddr;
	struct pic pic = translate(g, vaddr & mode_mask(g), false, &raddr);

	if (!pic.code && !gmap_fault_in(g->v->vm->gmap, guest_absolute(g, raddr), &frame))
		pic = pic_of(PGM_ADDRESSING);
	return pic;
}

static struct pic access_page(struct guest *g, uint64_t va, void *data, size_t len, bool write)
{
	uint64_t raddr;
	struct pic pic = translate(g, va, write, &raddr);

	if (pic.code)
		return pic;
	return write ? guest_store_real(g, raddr, data, len) : guest_load_real(g, raddr, data, len);
}

static struct pic access_all(struct guest *g, uint64_t va, void *data, size_t len, bool write)
{
	uint8_t *p = data;

	while (len) {
		size_t n = 4096 - va % 4096 < len ? 4096 - va % 4096 : len;
		struct pic pic = access_page(g, va, p, n, write);

		if (pic.code)
			return pic;
		va = (va + n) & mode_mask(g);
		p += n;
		len -= n;
	}
	return (struct pic){ 0 };
}

struct pic guest_load(struct guest *g, uint64_t vaddr, void *data, size_t len)
{
	return access_all(g, vaddr, data, len, false);
}

struct pic guest_store(struct guest *g, uint64_t vaddr, const void *data, size_t len)
{
	return access_all(g, vaddr, (void *)(uintptr_t)data, len, true);
}

struct pic guest_load_real(struct guest *g, uint64_t raddr, void *data, size_t len)
{
	return vm_read(g->v->vm, guest_absolute(g, raddr), data, len);
}

struct pic guest_store_real(struct guest *g, uint64_t raddr, const void *data, size_t len)
{
	return vm_write(g->v->vm, guest_absolute(g, raddr), data, len);
}

/* --- Interruptions ----------------------------------------------------------------------------- */

static void lowcore_get(struct guest *g, struct lowcore *lc)
{
	struct pic pic = guest_load_real(g, 0, lc, sizeof(*lc));

	if (pic.code)
		vm_fail(g->v->vm, "the guest's lowcore at %#x is outside its memory",
			guest_prefix(g));
}

/* Old PSW in, new PSW out; the lowcore is stored. */
static void swap_psw(struct guest *g, struct lowcore *lc, enum lowcore_class class)
{
	struct pic pic;

	lc->old_psw[class].mask = g->scb.gpsw_mask;
	lc->old_psw[class].addr = g->scb.gpsw_addr;
	g->scb.gpsw_mask = lc->new_psw[class].mask;
	g->scb.gpsw_addr = lc->new_psw[class].addr;
	pic = guest_store_real(g, 0, lc, sizeof(*lc));
	if (pic.code)
		vm_fail(g->v->vm, "the guest's lowcore cannot be stored");
}

/* Codes that nullify need the PSW at the instruction; it is behind it after an interception. */
static bool nullifies(uint16_t code)
{
	return has_teid(code) && code != PGM_PROTECTION;
}

static unsigned int insn_length(const struct guest *g)
{
	uint16_t ipa = be16_get(g->scb.ipa);

	if (g->scb.icptstatus & ICPTSTATUS_EX)
		return g->scb.icptstatus >> ICPTSTATUS_ILC_SHIFT & 6 ?
			       g->scb.icptstatus >> ICPTSTATUS_ILC_SHIFT & 6 :
			       4;
	return ipa < 0x4000 ? 2 : ipa < 0xc000 ? 4 : 6;
}

void guest_step_back(struct guest *g)
{
	uint64_t addr = be64_get(g->scb.gpsw_addr) - insn_length(g);

	be64_set(&g->scb.gpsw_addr, addr & mode_mask(g));
}

void guest_inject_program(struct guest *g, struct pic pic)
{
	struct lowcore lc;

	lowcore_get(g, &lc);
	be16_set(&lc.pgm_ilc, (uint16_t)insn_length(g));
	be16_set(&lc.pgm_code, pic.code);
	be64_set(&lc.breaking_event, be64_get(g->scb.gbea));
	if (has_teid(pic.code)) {
		be64_set(&lc.teid, pic.teid);
		lc.exc_access_id = pic.eai;
	}
	if (nullifies(pic.code))
		guest_step_back(g);
	swap_psw(g, &lc, LC_PROGRAM);
}

void guest_inject_external(struct guest *g, uint16_t code, uint32_t param)
{
	struct lowcore lc;

	lowcore_get(g, &lc);
	be16_set(&lc.ext_code, code);
	be16_set(&lc.ext_cpu_addr, 0);
	if (code == EXT_SERVICE_SIGNAL)
		be32_set(&lc.ext_param, param);
	swap_psw(g, &lc, LC_EXTERNAL);
}

void guest_inject_restart(struct guest *g)
{
	struct lowcore lc;

	lowcore_get(g, &lc);
	swap_psw(g, &lc, LC_RESTART);
}
