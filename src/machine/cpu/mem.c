// SPDX-License-Identifier: MIT
/*
 * Storage access beyond the fast path: translation, protection, the TLB.
 *
 * logical -> (DAT) -> real -> (prefixing) -> absolute of the level -> (at level 2: MSO and the
 * host's tables) -> host absolute -> frame -> memory.
 */
#include "mem.h"

#include "insn.h"
#include "machine_priv.h"
#include "sie.h"
#include "trace.h"

#define LOWCORE_BYTES	    8192u
#define TEID_STORE	    (1ull << 10)
#define TEID_FETCH	    (2ull << 10)
#define TEID_DAT_PROTECTION TEID_ADDRESS_VALID

/* How an access is made. */
struct view {
	enum access access;
	bool dat;
	enum address_space as;
	uint64_t asce;
	unsigned int key;
};

static struct pic level_pic(const struct cpu *cpu, uint16_t code)
{
	return (struct pic){ .code = code, .level = cpu->level };
}

static uint64_t teid_of(uint64_t va, const struct view *v)
{
	static const uint8_t as_bits[4] = {
		[AS_PRIMARY] = 0, [AS_ACCESS_REGISTER] = 1, [AS_SECONDARY] = 2, [AS_HOME] = 3
	};

	return (va & ~0xfffull) | (v->access == ACCESS_WRITE ? TEID_STORE : TEID_FETCH) |
	       as_bits[v->as];
}

/* --- Absolute to memory ------------------------------------------------------------------------ */

/* What a walk through the host's tables found for a guest page. */
struct backing {
	uint8_t *page;
	bool writable;
};

/* A right to the frame is about to be derived; its state is looked at afterwards (frame.c). */
static struct frame *frame_map(const struct machine *m, uint64_t haddr)
{
	struct frame *f = &m->frames[haddr / FRAME_BYTES];

	if (!atomic_load_explicit(&f->mapped, memory_order_relaxed))
		atomic_store(&f->mapped, 1);
	return f;
}

/* The frame for the host, and for guests that are not protected. */
static struct pic frame_pic(struct cpu *cpu, uint64_t haddr, struct backing *out)
{
	struct machine *m = cpu->m;
	struct pic pic = { .code = PGM_ADDRESSING, .level = cpu->level };

	if (haddr >= m->bytes)
		return pic;
	pic.code = PGM_NONE;
	if (!frame_visible(atomic_load(&frame_map(m, haddr)->state)))
		pic = (struct pic){ .code = PGM_SECURE_ACCESS,
				    .level = cpu->level,
				    .teid = TEID_ADDRESS_VALID };
	out->page = m->host + (haddr & ~(uint64_t)(FRAME_BYTES - 1));
	return pic;
}

/* The frame for a protected guest's page at this absolute address (ultravisor.md section 6.2). */
static struct pic secure_pic(struct cpu *cpu, uint64_t abs, uint64_t haddr, struct backing *out)
{
	struct machine *m = cpu->m;
	struct pic pic = { .code = PGM_ADDRESSING, .level = cpu->level };
	const struct frame *f;
	uint8_t state;

	if (haddr >= m->bytes)
		return pic;
	f = frame_map(m, haddr);
	state = atomic_load(&f->state);
	out->page = (frame_visible(state) ? m->host : m->secure) +
		    (haddr & ~(uint64_t)(FRAME_BYTES - 1));
	pic.code = PGM_NONE;
	if (state == FRAME_HOST || state == FRAME_SEIZED)
		pic.code = PGM_NON_SECURE_ACCESS;
	else if (state == FRAME_DONATED || state == FRAME_ORPHAN ||
		 atomic_load(&f->owner) != sie_owner(cpu) ||
		 atomic_load(&f->page) != abs / FRAME_BYTES)
		pic.code = PGM_SECURE_VIOLATION;
	return pic;
}

/* The host's DAT for a guest absolute address; runs with the host's control registers. */
static struct pic host_walk(struct cpu *cpu, uint64_t abs, enum access access, struct backing *out)
{
	struct dat_result dat;
	uint64_t host_va, host_cr0 = sie_host_cr0(cpu), guest_cr0 = cpu->cr[0];
	uint8_t level = cpu->level;
	bool edat = cpu->edat;
	struct pic pic;

	if (!sie_host_address(cpu, abs, &host_va))
		return level_pic(cpu, PGM_ADDRESSING);
	cpu->level = PIC_HOST;
	cpu->cr[0] = host_cr0;
	cpu->edat = true;
	pic = dat_translate(cpu, host_va, sie_host_asce(cpu), &dat);
	if (!pic.code)
		pic = sie_owner(cpu) ? secure_pic(cpu, abs, dat.raddr, out) :
				       frame_pic(cpu, dat.raddr, out);
	cpu->edat = edat;
	cpu->cr[0] = guest_cr0;
	cpu->level = level;
	out->writable = !dat.write_protected;
	if (!pic.code && access == ACCESS_WRITE && dat.write_protected)
		pic = (struct pic){ .code = PGM_PROTECTION, .teid = TEID_DAT_PROTECTION };
	if (pic.code) {
		pic.level = PIC_HOST;
		pic.teid |= (host_va & ~0xfffull) |
			    (access == ACCESS_WRITE ? TEID_STORE : TEID_FETCH);
	}
	return pic;
}

static struct pic back_guest(struct cpu *cpu, uint64_t abs, enum access access, struct backing *out)
{
	struct gpa_entry *e = &cpu->gpa[abs >> 12 & (GPA_ENTRIES - 1)];
	uint64_t tag = (abs & ~0xfffull) | cpu->gpa_ctx;
	struct pic pic;

	if (e->tag == tag && (e->writable || access != ACCESS_WRITE)) {
		*out = (struct backing){ e->page, e->writable };
		return level_pic(cpu, PGM_NONE);
	}
	pic = host_walk(cpu, abs, access, out);
	if (!pic.code)
		*e = (struct gpa_entry){ tag, out->page, out->writable };
	return pic;
}

static struct pic back(struct cpu *cpu, uint64_t abs, enum access access, struct backing *out)
{
	out->writable = true;
	if (cpu->level == PIC_GUEST)
		return back_guest(cpu, abs, access, out);
	return frame_pic(cpu, abs, out);
}

struct pic mem_host_frame(struct cpu *cpu, uint64_t hva, uint64_t asce, uint64_t *frame)
{
	struct dat_result dat;
	bool edat = cpu->edat;
	struct pic pic;

	cpu->edat = true;
	pic = dat_translate(cpu, hva, asce, &dat);
	cpu->edat = edat;
	if (!pic.code && dat.raddr >= cpu->m->bytes)
		pic.code = PGM_ADDRESSING;
	*frame = dat.raddr / FRAME_BYTES;
	return pic;
}

uint64_t mem_prefixed(const struct cpu *cpu, uint64_t raddr)
{
	uint64_t block = raddr & ~(uint64_t)(LOWCORE_BYTES - 1);

	if (block == 0)
		return raddr + cpu->prefix;
	return block == cpu->prefix ? raddr - cpu->prefix : raddr;
}

struct pic mem_absolute(struct cpu *cpu, uint64_t addr, uint32_t len, enum access access,
			uint8_t **out)
{
	struct backing b = { 0 };
	struct pic pic = back(cpu, addr, access, &b);

	(void)len; /* within a page */
	*out = pic.code ? NULL : b.page + (addr & 4095);
	return pic;
}

struct pic mem_real(struct cpu *cpu, uint64_t raddr, uint32_t len, enum access access,
		    uint8_t **out)
{
	return mem_absolute(cpu, mem_prefixed(cpu, raddr), len, access, out);
}

void mem_written(struct cpu *cpu, uint8_t *p, uint32_t len)
{
	uint64_t frame = frame_of_page(cpu->m, p);

	code_written(cpu->m, frame, (uint32_t)((uintptr_t)p & 4095), len);
	if (UNLIKELY(atomic_load_explicit(&cpu->m->frames[frame].watched, memory_order_relaxed)))
		watch_hit(cpu->m);
}

uint8_t *mem_key(struct cpu *cpu, uint64_t raddr, struct pic *pic)
{
	uint8_t *p;

	*pic = mem_real(cpu, raddr & ~0xfffull, 1, ACCESS_READ, &p);
	return pic->code ? NULL : (uint8_t *)&cpu->m->frames[frame_of_page(cpu->m, p)].key;
}

/* --- Protection -------------------------------------------------------------------------------- */

#define KEY_FETCH     0x08u
#define KEY_REFERENCE 0x04u
#define KEY_CHANGE    0x02u

/* PoP chapter 3, "Key-Controlled Protection". raddr decides the overrides. */
static bool key_allows(const struct cpu *cpu, const struct view *v, uint64_t va, uint8_t key)
{
	unsigned int acc = key >> 4;

	if (v->key == 0 || v->key == acc)
		return true;
	if (acc == 9 && cpu->cr[0] & CR0_STORAGE_OVERRIDE)
		return true;
	if (v->access == ACCESS_WRITE)
		return false;
	if (!(key & KEY_FETCH))
		return true;
	return va < 2048 && cpu->cr[0] & CR0_FETCH_OVERRIDE;
}

static bool low_protected(const struct cpu *cpu, uint64_t va, bool private_space)
{
	return cpu->cr[0] & CR0_LOW_PROTECTION && (va & ~0x11ffull) == 0 && !private_space;
}

/* Reference and change bits; with a TLB entry they are set once for all accesses it allows. */
static void record_use(struct frame *f, enum access access)
{
	uint8_t bits = access == ACCESS_WRITE ? KEY_REFERENCE | KEY_CHANGE : KEY_REFERENCE;

	if ((atomic_load_explicit(&f->key, memory_order_relaxed) & bits) != bits)
		atomic_fetch_or(&f->key, bits);
}

struct place {
	uint8_t *page;
	bool writable; /* a later store needs no other look */
};

static struct pic locate(struct cpu *cpu, uint64_t va, const struct view *v, struct place *out)
{
	struct dat_result dat = { .raddr = va };
	struct backing b = { 0 };
	struct pic pic;
	bool low;

	if (v->dat) {
		pic = dat_translate(cpu, va, v->asce, &dat);
		if (pic.code)
			goto fail;
	}
	low = low_protected(cpu, va, dat.private_space);
	pic = level_pic(cpu, PGM_PROTECTION);
	if (v->access == ACCESS_WRITE && low)
		goto fail;
	if (v->access == ACCESS_WRITE && dat.write_protected) {
		pic.teid = TEID_DAT_PROTECTION;
		goto fail;
	}
	pic = back(cpu, mem_prefixed(cpu, dat.raddr), v->access, &b);
	if (pic.code)
		goto fail;
	if (v->key && !key_allows(cpu, v, va, cpu->m->frames[frame_of_page(cpu->m, b.page)].key)) {
		pic = level_pic(cpu, PGM_PROTECTION);
		goto fail;
	}
	record_use(&cpu->m->frames[frame_of_page(cpu->m, b.page)], v->access);
	out->page = b.page;
	/* Of the first two pages only parts are protected: the TLB must not speak for all of them. */
	out->writable =
		b.writable && !dat.write_protected &&
		!(cpu->cr[0] & CR0_LOW_PROTECTION && !dat.private_space && va < LOWCORE_BYTES);
	return pic;
fail:
	if (pic.level == cpu->level && pic.code != PGM_ADDRESSING)
		pic.teid |= teid_of(va, v);
	return pic;
}

static struct view data_view(const struct cpu *cpu, enum access access)
{
	enum address_space as = psw_as(cpu);

	return (struct view){ .access = access,
			      .dat = cpu->psw_mask & PSW_DAT,
			      .as = as,
			      .asce = dat_asce(cpu, as),
			      .key = psw_key(cpu) };
}

static struct view fetch_view(const struct cpu *cpu)
{
	enum address_space as = psw_as(cpu) == AS_HOME ? AS_HOME : AS_PRIMARY;

	return (struct view){ .access = ACCESS_FETCH,
			      .dat = cpu->psw_mask & PSW_DAT,
			      .as = as,
			      .asce = dat_asce(cpu, as),
			      .key = psw_key(cpu) };
}

/* --- TLB --------------------------------------------------------------------------------------- */

void tlb_forget_absolute(struct cpu *cpu)
{
	cpu->gpa_ctx = (cpu->gpa_ctx + 1) & 0xfff;
	if (cpu->gpa_ctx == 0) {
		memset(cpu->gpa, 0xff, sizeof(cpu->gpa));
		cpu->gpa_ctx = 1;
	}
}

void tlb_flush(struct cpu *cpu)
{
	/* Numbers are given out once, so forgetting what they mean forgets the entries. */
	for (size_t i = 0; i < TLB_CONTEXTS; i++)
		cpu->contexts[i].number = CTX_NONE;
	tlb_forget_absolute(cpu);
	tlb_select(cpu);
}

static uint16_t next_number(struct cpu *cpu)
{
	if (cpu->ctx_last >= CTX_SLOW - 1) {
		memset(cpu->tlb, 0, sizeof(cpu->tlb));
		memset(cpu->itlb, 0, sizeof(cpu->itlb));
		for (size_t i = 0; i < TLB_CONTEXTS; i++)
			cpu->contexts[i].number = CTX_NONE;
		cpu->ctx_last = 0;
	}
	return ++cpu->ctx_last;
}

static uint16_t context_of(struct cpu *cpu, const struct view *v)
{
	struct tlb_context want = {
		.asce = v->dat ? v->asce : 0,
		.prefix = cpu->prefix,
		.host_asce = cpu->level == PIC_GUEST ? sie_host_asce(cpu) : 0,
		.mso = cpu->level == PIC_GUEST ? sie_mso(cpu) : 0,
		.flags = (uint64_t)cpu->level | (uint64_t)v->key << 4 | (v->dat ? 0x100u : 0u) |
			 (cpu->edat ? 0x200u : 0u) |
			 (cpu->cr[0] & (CR0_LOW_PROTECTION | CR0_FETCH_OVERRIDE |
					CR0_STORAGE_OVERRIDE | CR0_EDAT)),
	};
	uint64_t hash = (want.asce >> 12) ^ (want.asce >> 22) ^ want.flags ^ want.prefix >> 13;
	struct tlb_context *c = &cpu->contexts[hash % TLB_CONTEXTS];

	if (c->number != CTX_NONE && c->asce == want.asce && c->prefix == want.prefix &&
	    c->host_asce == want.host_asce && c->mso == want.mso && c->flags == want.flags)
		return c->number;
	want.number = next_number(cpu);
	*c = want;
	return want.number;
}

void tlb_select(struct cpu *cpu)
{
	struct view data = data_view(cpu, ACCESS_READ), fetch = fetch_view(cpu);

	cpu->ctx_tag = context_of(cpu, &data);
	cpu->ctx_fetch = context_of(cpu, &fetch);
	/* The first may have been dropped when the numbers were used up. */
	if (cpu->ctx_tag > cpu->ctx_last)
		cpu->ctx_tag = context_of(cpu, &data);
	cpu->ctx_data = cpu->count_tlb ? CTX_SLOW : cpu->ctx_tag;
}

void machine_count_tlb(struct machine *m)
{
	for (unsigned int i = 0; i < m->ncpus; i++) {
		m->cpus[i]->count_tlb = true;
		tlb_select(m->cpus[i]);
	}
}

/* Translates one page for the PSW's own view and remembers it. */
static uint8_t *tlb_fill(struct cpu *cpu, const struct slot *s, uint64_t va, enum access access)
{
	struct view v = data_view(cpu, access);
	struct tlb_entry *e = tlb_slot(cpu, va);
	uint64_t tag = (va & ~0xfffull) | cpu->ctx_tag;
	struct place place;
	struct pic pic = locate(cpu, va, &v, &place);
	const struct frame *f;

	if (UNLIKELY(pic.code))
		cpu_raise(cpu, s, pic);
	cpu->counters.tlb_misses++;
	f = &cpu->m->frames[frame_of_page(cpu->m, place.page)];
	/* The fetch-protection override is for half a page: no entry then. */
	if (v.key && cpu->cr[0] & CR0_FETCH_OVERRIDE && va < 4096)
		return place.page;
	if (e->read != tag)
		e->write = 0;
	e->read = tag;
	e->page = place.page;
	/* Frames with decoded instructions and watched ones have slow stores. */
	if (access == ACCESS_WRITE && place.writable && !atomic_load(&f->code) &&
	    !atomic_load(&f->watched))
		e->write = tag;
	return place.page;
}

/* The page of an address, for an access that the fast path did not allow. */
static uint8_t *page_for(struct cpu *cpu, const struct slot *s, uint64_t va, enum access access)
{
	const struct tlb_entry *e = tlb_slot(cpu, va);
	uint64_t tag = (va & ~0xfffull) | cpu->ctx_tag;

	if ((access == ACCESS_WRITE ? e->write : e->read) != tag)
		return tlb_fill(cpu, s, va, access);
	cpu->counters.tlb_hits++;
	return e->page;
}

/* --- Slow loads and stores --------------------------------------------------------------------- */

static uint64_t load_be(const uint8_t *p, unsigned int size)
{
	uint64_t v = 0;

	for (unsigned int i = 0; i < size; i++)
		v = v << 8 | p[i];
	return v;
}

static uint64_t load_within(const uint8_t *p, unsigned int size)
{
	if ((uintptr_t)p % size)
		return load_be(p, size);
	switch (size) {
	case 2:
		return swap16(__atomic_load_n((const uint16_t *)(const void *)p, LOAD_ORDER));
	case 4:
		return swap32(__atomic_load_n((const uint32_t *)(const void *)p, LOAD_ORDER));
	case 8:
		return swap64(__atomic_load_n((const uint64_t *)(const void *)p, LOAD_ORDER));
	default:
		return __atomic_load_n(p, LOAD_ORDER);
	}
}

static void store_be(uint8_t *p, unsigned int size, uint64_t v)
{
	for (unsigned int i = size; i-- > 0; v >>= 8)
		p[i] = (uint8_t)v;
}

static void store_within(uint8_t *p, unsigned int size, uint64_t v)
{
	if ((uintptr_t)p % size)
		store_be(p, size, v);
	else if (size == 8)
		__atomic_store_n((uint64_t *)(void *)p, swap64(v), STORE_ORDER);
	else if (size == 4)
		__atomic_store_n((uint32_t *)(void *)p, swap32((uint32_t)v), STORE_ORDER);
	else if (size == 2)
		__atomic_store_n((uint16_t *)(void *)p, swap16((uint16_t)v), STORE_ORDER);
	else
		__atomic_store_n(p, (uint8_t)v, STORE_ORDER);
}

SLOW_PATH void mem_load_slow(struct cpu *cpu, const struct slot *s, uint64_t va, unsigned int size)
{
	struct span span;
	uint8_t bytes[8];

	if ((va & 4095) + size <= 4096) {
		cpu->slow_value =
			load_within(page_for(cpu, s, va, ACCESS_READ) + (va & 4095), size);
		return;
	}
	mem_span(cpu, s, va, size, ACCESS_READ, &span);
	memcpy(bytes, span.p[0], span.n[0]);
	if (span.n[1])
		memcpy(bytes + span.n[0], span.p[1], span.n[1]);
	cpu->slow_value = load_be(bytes, size);
}

SLOW_PATH void mem_store_slow(struct cpu *cpu, const struct slot *s, uint64_t va, unsigned int size,
			      uint64_t v)
{
	struct span span;
	uint8_t bytes[8];

	if ((va & 4095) + size <= 4096) {
		uint8_t *p = page_for(cpu, s, va, ACCESS_WRITE) + (va & 4095);

		store_within(p, size, v);
		mem_written(cpu, p, size);
		return;
	}
	mem_span(cpu, s, va, size, ACCESS_WRITE, &span);
	store_be(bytes, size, v);
	memcpy(span.p[0], bytes, span.n[0]);
	if (span.n[1])
		memcpy(span.p[1], bytes + span.n[0], span.n[1]);
	mem_span_written(cpu, &span);
}

/* --- Spans ------------------------------------------------------------------------------------- */

void mem_span(struct cpu *cpu, const struct slot *s, uint64_t va, uint32_t len, enum access access,
	      struct span *out)
{
	uint32_t off = (uint32_t)(va & 4095);

	va = ADDR(va);
	out->n[0] = off + len <= 4096 ? len : 4096 - off;
	out->n[1] = len - out->n[0];
	out->p[0] = page_for(cpu, s, va, access) + off;
	out->p[1] = NULL;
	if (out->n[1])
		out->p[1] = page_for(cpu, s, ADDR(va + out->n[0]), access);
}

void mem_span_written(struct cpu *cpu, const struct span *span)
{
	mem_written(cpu, span->p[0], span->n[0]);
	if (span->n[1])
		mem_written(cpu, span->p[1], span->n[1]);
}

struct pic mem_span_as(struct cpu *cpu, uint64_t va, uint32_t len, enum access access,
		       enum address_space as, unsigned int key, struct span *out)
{
	const struct view v = { .access = access,
				.dat = cpu->psw_mask & PSW_DAT,
				.as = as,
				.asce = dat_asce(cpu, as),
				.key = key };
	uint32_t off = (uint32_t)(va & 4095);
	struct place place;
	struct pic pic = locate(cpu, ADDR(va), &v, &place);

	if (pic.code)
		return pic;
	out->n[0] = off + len <= 4096 ? len : 4096 - off;
	out->n[1] = len - out->n[0];
	out->p[0] = place.page + off;
	out->p[1] = NULL;
	if (!out->n[1])
		return pic;
	pic = locate(cpu, ADDR(va + out->n[0]), &v, &place);
	out->p[1] = place.page;
	return pic;
}

void *mem_interlocked(struct cpu *cpu, const struct slot *s, uint64_t va, unsigned int size)
{
	if (va % size)
		cpu_program_check(cpu, s, PGM_SPECIFICATION);
	return page_for(cpu, s, va, ACCESS_WRITE) + (va & 4095);
}

void mem_interlocked_done(struct cpu *cpu, void *p, unsigned int size)
{
	mem_written(cpu, p, size);
}

/* --- Instruction fetch ------------------------------------------------------------------------- */

struct pic mem_fetch_page(struct cpu *cpu, uint64_t va, uint8_t **page)
{
	struct view v = fetch_view(cpu);
	struct place place = { 0 };
	struct pic pic = locate(cpu, va, &v, &place);

	*page = place.page;
	return pic;
}
