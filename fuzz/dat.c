// SPDX-License-Identifier: MIT
/*
 * Dynamic address translation with random tables, loops among them, against a second walk written
 * from the architecture's text (PoP chapter 3, "Translation Process").
 */
#include "machine_input.h"
#include "machine_priv.h"
#include "mem.h"

#define STORAGE	      (1u << 20)
#define ADDRESSES_MAX 64

struct expected {
	unsigned int code;
	uint64_t raddr;
	bool protect;
};

/* One entry: type is what its bits 60-61 must be. Returns a program-interruption code or 0. */
static unsigned int entry_at(struct machine *m, uint64_t at, uint64_t *entry)
{
	be64 raw;
	unsigned int code = storage_read(m, (haddr_t){ at }, &raw, sizeof(raw)).code;

	*entry = code ? 0 : be64_get(raw);
	return code;
}

static struct expected page(struct machine *m, uint64_t va, uint64_t ste, bool protect)
{
	uint64_t pte;
	struct expected e = { .code = entry_at(m, (ste & ~0x7ffull) + (va >> 12 & 255) * 8, &pte) };

	if (e.code)
		return e;
	if (pte & 0x400)
		e.code = 0x11;
	else if (pte & 0x800)
		e.code = 0x12;
	e.raddr = (pte & ~0xfffull) | (va & 0xfff);
	e.protect = protect || pte & 0x200;
	return e;
}

static struct expected walk(struct machine *m, uint64_t va, uint64_t asce, bool edat)
{
	static const unsigned int codes[4] = { 0x10, 0x3b, 0x3a, 0x39 };
	unsigned int dt = asce >> 2 & 3, first = 0, last = asce & 3;
	uint64_t table = asce & ~0xfffull, entry = 0;
	bool protect = false;

	if (asce & 0x20)
		return (struct expected){ .raddr = va };
	if (dt < 3 && va >> (31 + 11 * dt))
		return (struct expected){ .code = 0x38 };
	for (int level = (int)dt; level >= 0; level--) {
		unsigned int index = va >> (20 + 11 * level) & 2047, code;

		if (index / 512 < first || index / 512 > last)
			return (struct expected){ .code = codes[level] };
		code = entry_at(m, table + index * 8ull, &entry);
		if (code)
			return (struct expected){ .code = code };
		if (entry & 0x20)
			return (struct expected){ .code = codes[level] };
		if ((entry >> 2 & 3) != (unsigned int)level)
			return (struct expected){ .code = 0x12 };
		protect = protect || (entry & 0x200 && (edat || level == 0));
		table = entry & ~0xfffull;
		first = entry >> 6 & 3;
		last = entry & 3;
	}
	if (entry & 0x10 && asce & 0x100)
		return (struct expected){ .code = 0x12 };
	if (edat && entry & 0x400)
		return (struct expected){ .raddr = (entry & ~0xfffffull) | (va & 0xfffff),
					  .protect = protect };
	return page(m, va, entry, protect);
}

static void compare(struct machine *m, struct cpu *cpu, uint64_t va, uint64_t asce)
{
	bool edat = cpu->edat && cpu_cr(cpu, 0) & CR0_EDAT;
	struct expected want = walk(m, va, asce, edat);
	struct dat_result got;
	struct pic pic = dat_translate(cpu, va, asce, &got);

	FUZZ_CHECK(pic.code == want.code);
	FUZZ_CHECK(pic.level == PIC_HOST);
	if (!pic.code) {
		FUZZ_CHECK(got.raddr == want.raddr);
		FUZZ_CHECK(got.write_protected == want.protect);
	}
}

/* The same address through the ways of operands; keys, prefix and spaces take part. */
static void access(struct cpu *cpu, uint64_t va, uint8_t how)
{
	struct span span;
	struct pic pic = mem_span_as(cpu, va, 1u + how % 16u * 256u,
				     how & 0x80 ? ACCESS_WRITE : ACCESS_READ,
				     (enum address_space)(how >> 5 & 3), how >> 1 & 15, &span);
	volatile uint8_t *p;

	if (pic.code)
		return;
	for (unsigned int i = 0; i < 2; i++) {
		p = span.p[i];
		if (!span.n[i])
			continue;
		FUZZ_CHECK(frame_of_page(cpu->m, span.p[i]) < cpu->m->nframes);
		p[0] = p[0];
		p[span.n[i] - 1] = p[span.n[i] - 1];
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz_bytes in = { data, len };
	struct machine *m = fuzz_machine_new(STORAGE, 1);
	struct cpu *cpu = machine_cpu(m, 0);
	unsigned int n = fuzz_take8(&in) % ADDRESSES_MAX, patterns;
	struct fuzz_bytes addresses = in;

	cpu->edat = true;
	in.p += n * 9 < in.len ? n * 9 : in.len;
	in.len -= n * 9 < in.len ? n * 9 : in.len;
	addresses.len -= in.len;
	cpu_set_psw(cpu, PSW_DAT | PSW_EA | PSW_BA, 0);
	cpu_set_cr(cpu, 0, fuzz_take64(&in));
	cpu_set_cr(cpu, 1, fuzz_take64(&in));
	cpu_set_cr(cpu, 7, fuzz_take64(&in));
	cpu_set_cr(cpu, 13, fuzz_take64(&in));
	cpu->prefix = fuzz_take16(&in) % (STORAGE >> 13) << 13;
	cpu->amask = UINT64_MAX;
	for (patterns = fuzz_take8(&in) % 8; patterns; patterns--)
		fuzz_store_pattern(m, &in);
	fuzz_store_records(m, &in);
	for (; n; n--) {
		uint64_t va = fuzz_take64(&addresses);

		compare(m, cpu, va, cpu_cr(cpu, 1));
		compare(m, cpu, va, cpu_cr(cpu, 7));
		compare(m, cpu, va, cpu_cr(cpu, 13));
		access(cpu, va, fuzz_take8(&addresses));
	}
	fuzz_machine_free(m);
	return 0;
}
