// SPDX-License-Identifier: MIT
/*
 * Our side of the differential tester: a CPU in the problem state, with DAT tables that map what
 * the reference's Linux maps, and a program-new PSW that stops it.
 */
#include "diff.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zpv/error.h>

#include "machine.h"

#define STORAGE_BYTES (32u << 20)
#define TABLES	      0x01000000u /* region tables, segment table, page tables */
#define TABLE_BYTES   0x4000u
#define PAGE_TABLES   (TABLES + 4 * TABLE_BYTES)
#define PAGE_TABLE    0x800u
#define SEGMENTS      16u

#define ENTRY_INVALID 0x20u
#define PAGE_INVALID  0x400u
#define PAGE_PROTECT  0x200u

static struct machine *machine;
static struct cpu *cpu;
static uint8_t background[2][DIFF_WINDOW];
static const uint64_t windows[2] = { DIFF_DATA_A, DIFF_DATA_B };

static void put(uint64_t at, const void *from, size_t len)
{
	if (storage_write(machine, (haddr_t){ at }, from, len).code)
		abort();
}

static void get(uint64_t at, void *to, size_t len)
{
	if (storage_read(machine, (haddr_t){ at }, to, len).code)
		abort();
}

static void put64(uint64_t at, uint64_t v)
{
	v = to_be64(v);
	put(at, &v, 8);
}

static uint64_t get64(uint64_t at)
{
	uint64_t v;

	get(at, &v, 8);
	return to_be64(v);
}

static void map(uint64_t at, uint64_t len, uint64_t bits)
{
	for (uint64_t a = at; a < at + len; a += 4096)
		put64(PAGE_TABLES + (a >> 20) * PAGE_TABLE + (a >> 12 & 255) * 8, a | bits);
}

/* Region-first table to page tables: addresses to 16 MiB are mapped page by page. */
static void make_tables(void)
{
	for (unsigned int level = 0; level < 4; level++) { /* types 3 to 0 */
		uint64_t table = TABLES + level * TABLE_BYTES, type = (3 - level) << 2;

		for (unsigned int i = 0; i < TABLE_BYTES / 8; i++)
			put64(table + 8 * i, type | ENTRY_INVALID);
		if (level < 3)
			put64(table, (table + TABLE_BYTES) | type | 3);
	}
	for (unsigned int i = 0; i < SEGMENTS; i++)
		put64(TABLES + 3 * TABLE_BYTES + 8 * i, PAGE_TABLES + i * PAGE_TABLE);
	for (unsigned int i = 0; i < SEGMENTS * 256; i++)
		put64(PAGE_TABLES + 8 * i, PAGE_INVALID);
	map(DIFF_CODE, DIFF_CODE_BYTES, PAGE_PROTECT);
	map(DIFF_DATA_A, DIFF_WINDOW, 0);
	map(DIFF_DATA_B, DIFF_WINDOW, 0);
	map(DIFF_RO, DIFF_RO_BYTES, PAGE_PROTECT);
	map(DIFF_END, 4096, PAGE_PROTECT);
}

static void make_background(void)
{
	for (unsigned int i = 0; i < 2; i++) {
		for (uint64_t off = 0; off < DIFF_WINDOW; off += 8) {
			uint64_t v = to_be64(diff_background(windows[i] + off));

			memcpy(background[i] + off, &v, 8);
		}
		put(windows[i], background[i], DIFF_WINDOW);
	}
	for (uint64_t at = DIFF_RO; at < DIFF_RO + DIFF_RO_BYTES; at += 8)
		put64(at, diff_background(at));
}

int ours_start(void)
{
	struct machine_config config = { .storage_bytes = STORAGE_BYTES, .cpus = 1 };
	struct zpv_err err = { 0 };

	if (machine_new(&config, &machine, &err) != 0)
		return -1;
	cpu = machine_cpu(machine, 0);
	make_tables();
	make_background();
	put64(0x1d0, PSW_WAIT | PSW_EA | PSW_BA);
	put64(0x1d8, 0);
	cpu_clear_reset(cpu);
	cpu_set_cr(cpu, 0, CR0_AFP);
	for (unsigned int i = 1; i <= 13; i += 6)
		cpu_set_cr(cpu, i, TABLES | 3 << 2 | 3);
	return 0;
}

void ours_stop(void)
{
	machine_free(machine);
}

void ours_forget(void)
{
	if (storage_clear(machine, (haddr_t){ DIFF_CODE }, DIFF_CODE_BYTES).code)
		abort();
}

void ours_load(const struct test *t, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		put(t[i].c.at, t[i].c.code, DIFF_SLOT);
}

/* What Linux makes of a program interruption. */
static void signal_of(unsigned int pic, struct diff_result *r)
{
	unsigned int dxc = r->fpc >> 8 & 0xff;

	switch (pic & 0x7f) {
	case PGM_OPERATION:
	case PGM_PRIVILEGED:
		r->sig = SIGILL;
		r->code = ILL_ILLOPC;
		break;
	case PGM_EXECUTE:
	case PGM_SPECIFICATION:
	case PGM_SPECIAL_OPERATION:
	case PGM_OPERAND:
		r->sig = SIGILL;
		r->code = ILL_ILLOPN;
		break;
	case PGM_DATA:
		r->sig = dxc >= 8 ? SIGFPE : SIGILL;
		r->code = dxc == 0xff ? 0 :
			  dxc & 0x80  ? FPE_FLTINV :
			  dxc & 0x40  ? FPE_FLTDIV :
			  dxc & 0x20  ? FPE_FLTOVF :
			  dxc & 0x10  ? FPE_FLTUND :
			  dxc & 0x08  ? FPE_FLTRES :
					ILL_ILLOPN;
		break;
	case PGM_FIXED_OVERFLOW:
		r->sig = SIGFPE;
		r->code = FPE_INTOVF;
		break;
	case PGM_FIXED_DIVIDE:
		r->sig = SIGFPE;
		r->code = FPE_INTDIV;
		break;
	case PGM_PROTECTION:
		r->sig = SIGSEGV;
		r->code = SEGV_ACCERR;
		break;
	default: /* addressing, translation */
		r->sig = SIGSEGV;
		r->code = SEGV_MAPERR;
	}
}

static void collect(struct diff_result *r)
{
	uint64_t mask = get64(0x150), addr = get64(0x158), end = addr - 2 - DIFF_END;
	uint8_t ilc, pic[2];

	memset(r, 0, sizeof(*r));
	for (unsigned int i = 0; i < 16; i++) {
		r->gr[i] = cpu_gr(cpu, i);
		r->fpr[i] = cpu_fpr(cpu, i);
		r->ar[i] = cpu_ar(cpu, i);
	}
	r->fpc = cpu_fpc(cpu);
	r->cc_pm = (uint32_t)(mask >> 40 & 0x3f) << 24;
	r->mode = (uint32_t)(mask >> 31 & 3);
	get(0x8d, &ilc, 1);
	get(0x8e, pic, 2);
	if (pic[1] == PGM_OPERATION && end < 16 * DIFF_ENDS && end % 16 == 0) {
		r->end = (uint32_t)(end / 16);
		return;
	}
	r->end = DIFF_NO_END;
	/* Linux points behind protection exceptions to the instruction, as for those that nullify. */
	r->psw_addr = pic[1] == PGM_PROTECTION ? addr - ilc : addr;
	signal_of(pic[1], r);
}

/* What differs from the background, which is then put back. */
static void collect_words(struct outcome *out)
{
	static uint8_t now[DIFF_WINDOW];

	for (unsigned int i = 0; i < 2; i++) {
		get(windows[i], now, DIFF_WINDOW);
		for (unsigned int off = 0; off < DIFF_WINDOW; off += 8) {
			uint64_t v;

			if (memcmp(now + off, background[i] + off, 8) == 0)
				continue;
			memcpy(&v, now + off, 8);
			out->w[out->r.words++] = (struct diff_word){ windows[i] + off, to_be64(v) };
			put(windows[i] + off, background[i] + off, 8);
		}
	}
}

void ours_run(const struct test *t, struct outcome *out)
{
	const struct diff_case *c = &t->c;

	for (unsigned int i = 0; i < DIFF_PATCHES; i++)
		if (c->patch_len[i])
			put(c->patch_at[i], c->patch[i], c->patch_len[i]);
	for (unsigned int i = 0; i < 16; i++) {
		cpu_set_gr(cpu, i, c->gr[i]);
		cpu_set_fpr(cpu, i, c->fpr[i]);
		cpu_set_ar(cpu, i, c->ar[i]);
	}
	cpu_set_fpc(cpu, c->fpc);
	cpu_set_psw(cpu, PSW_DAT | PSW_PROBLEM | PSW_EA | PSW_BA | (uint64_t)(c->cc_pm >> 24) << 40,
		    c->at + DIFF_START);
	if (cpu_run(cpu) != CPU_STOP_WAIT)
		abort();
	collect(&out->r);
	collect_words(out);
}
