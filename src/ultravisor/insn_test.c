// SPDX-License-Identifier: MIT
/*
 * Instructions of protected guests (sie.md sections 7.3, 7.5, 7.9, 7.10): what the host is shown of
 * each, what of its answers counts, and the sequences of kvm-unit-tests (pv-diags, pv-ipl).
 */
#include <pthread.h>
#include <time.h>

#include "uv_test.h"

#include "sccb.h"
#include "sigp.h"

/* DIAG 44 for ever behind what is tested: each entry that has nothing else ends with it. */
#define GO_ON "83020044 a7f4fffe "

/* Pages of the guest beside the image's: operands, another prefix area. */
#define OPERAND 0x2000ull
#define BLOCK	0x3000ull
#define PREFIX	0x8000ull
#define STATUS	0xa000ull

#define UNTOUCHED 0xee /* what the SIDA holds before */

/* General registers that a row does not set; no other value begins like this. */
#define PLANTED	    0xc0dec0dec0de0000ull
#define PLANTED_LEN 6

/* A row of a table, which would have a line for each field otherwise. */
#define ROW(...)            \
	{                   \
		__VA_ARGS__ \
	}

struct value {
	unsigned int n;
	uint64_t v;
};

static struct secure_regs *regs(const struct vm *vm)
{
	return &vm->c->area->regs;
}

static void poke(struct vm *vm, uint64_t gaddr, const void *data, size_t len)
{
	memcpy(peek(vm, gaddr), data, len);
	code_written(vm->m, (GUEST + gaddr) / FRAME_BYTES, (uint32_t)(gaddr % FRAME_BYTES),
		     (uint32_t)len);
}

static void poke_hex(struct vm *vm, uint64_t gaddr, const char *hex)
{
	AUTO_BYTES b = unit_hex(hex);

	poke(vm, gaddr, b.data, b.len);
}

/* The CPU is about to execute this, with planted registers. */
static void guest(struct vm *vm, const char *code)
{
	AUTO_BYTES b = unit_hex(code), again = unit_hex(GO_ON);
	uint8_t sida[FRAME_BYTES];

	poke(vm, CODE, b.data, b.len);
	poke(vm, CODE + b.len, again.data, again.len);
	for (unsigned int i = 0; i < 16; i++)
		regs(vm)->file.gr[i] = PLANTED | i << 8 | i;
	regs(vm)->psw_mask = MASK_64;
	regs(vm)->psw_addr = CODE;
	memset(sida, UNTOUCHED, sizeof(sida));
	put(vm, SIDA_AT, sida, sizeof(sida));
	memset(vm->scb.pv_grregs, UNTOUCHED, sizeof(vm->scb.pv_grregs));
}

static uint64_t get64(struct vm *vm, uint64_t at)
{
	be64 b;

	get(vm, at, &b, sizeof(b));
	return be64_get(b);
}

static void set_grs(struct vm *vm, const struct value *gr, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (gr[i].n || gr[i].v)
			regs(vm)->file.gr[gr[i].n] = gr[i].v;
}

/* Nothing that was planted may be in the state description's page, or in the host's registers. */
static void check_secrecy(const char *row, struct vm *vm)
{
	static const uint8_t planted[] = { 0xc0, 0xde, 0xc0, 0xde, 0xc0, 0xde };

	static_assert(sizeof(planted) == PLANTED_LEN, "as PLANTED");
	for (size_t i = 0; i <= sizeof(vm->scb) - PLANTED_LEN; i++)
		row_true(row, memcmp((const uint8_t *)&vm->scb + i, planted, PLANTED_LEN) != 0);
	for (unsigned int i = 0; i < 16; i++)
		row_true(row, cpu_gr(vm->cpu, i) >> 16 != PLANTED >> 16);
}

static uint64_t slot(const struct vm *vm, unsigned int n)
{
	return be64_get(vm->scb.pv_grregs[n]);
}

static void answer_gr(struct vm *vm, unsigned int n, uint64_t v)
{
	be64_set(&vm->scb.pv_grregs[n], v);
}

static void answer_cc(struct vm *vm, uint64_t cc)
{
	be64_set(&vm->scb.scb.gpsw_mask,
		 (be64_get(vm->scb.scb.gpsw_mask) & ~PSW_CC) | cc << PSW_CC_SHIFT);
}

static unsigned int guest_cc(const struct vm *vm)
{
	return (unsigned int)(regs(vm)->psw_mask >> PSW_CC_SHIFT & 3);
}

static void expect_text(const char *row, struct vm *vm, enum icpt_code code, uint16_t ipa,
			uint32_t ipb)
{
	expect(row, vm, code);
	row_int(row, be16_get(vm->scb.scb.ipa), ipa);
	row_int(row, be32_get(vm->scb.scb.ipb), ipb);
	row_int(row, vm->scb.scb.icptstatus, 0);
	check_secrecy(row, vm);
}

/* The guest has gone on to its DIAG 44. */
static void expect_again(const char *row, struct vm *vm)
{
	expect_text(row, vm, ICPT_PV_NOTIFICATION, 0x8302, 0x50000000);
	row_int(row, slot(vm, 5), 0x44);
}

/* --- Text, slots, SIDA --------------------------------------------------------------------------- */

enum direction { NO_BLOCK, FROM_GUEST, TO_GUEST };

struct text_row {
	const char *name, *code;
	struct value gr[5]; /* the guest's; { 0, 0 } ends nothing */
	enum icpt_code icpt;
	uint16_t ipa;
	uint32_t ipb;
	struct value slots[5]; /* not zero */
	enum direction block;  /* of the operand at OPERAND */
	size_t len;
};

#define NOTIFIED ICPT_PV_NOTIFICATION
#define ASKED	 ICPT_PV_INSTRUCTION
#define GR1                   \
	{                     \
		1, 0x00010002 \
	}
#define AT                 \
	{                  \
		2, OPERAND \
	}
#define IO(name, text, dir, len)                                                       \
	{                                                                              \
		name, #text "2000", { GR1, AT }, ASKED, 0x##text, 0, { GR1 }, dir, len \
	}
#define IO_NONE(name, text)                                                    \
	{                                                                      \
		name, #text "0000", { GR1 }, ASKED, 0x##text, 0, { GR1 }, 0, 0 \
	}

static const struct text_row texts[] = {
	ROW("DIAG 44", "83120044", { { 0 } }, NOTIFIED, 0x8302, 0x50000000, { { 5, 0x44 } }, 0, 0),
	ROW("DIAG 9c", "8332009c", { { 3, 42 } }, NOTIFIED, 0x8302, 0x50000000,
	    { { 5, 0x9c }, { 0, 42 } }, 0, 0),
	ROW("DIAG 288", "83240288", { { 2, 1 }, { 3, 2 }, { 4, 3 } }, ASKED, 0x8302, 0x50000000,
	    { { 5, 0x288 }, { 0, 1 }, { 1, 2 }, { 2, 3 } }, 0, 0),
	ROW("DIAG 500", "83240500", { { 1, 1 }, { 2, 2 }, { 3, 3 }, { 4, 4 } }, ASKED, 0x8302,
	    0x50000000, { { 5, 0x500 }, { 1, 1 }, { 2, 2 }, { 3, 3 }, { 4, 4 } }, 0, 0),
	ROW("DIAG 308 load", "83460308", { { 4, 7 }, { 5, 8 }, { 6, 3 } }, NOTIFIED, 0x8302,
	    0x50000000, { { 5, 0x308 }, { 2, 3 }, { 0, 7 }, { 1, 8 } }, 0, 0),
	ROW("DIAG 308 load, odd", "83560308", { { 5, 8 }, { 6, 3 } }, NOTIFIED, 0x8302, 0x50000000,
	    { { 5, 0x308 }, { 2, 3 } }, 0, 0),
	ROW("DIAG 308 set", "83240308", { AT, { 3, 9 }, { 4, 5 } }, ASKED, 0x8302, 0x50000000,
	    { { 5, 0x308 }, { 2, 5 }, { 0, OPERAND }, { 1, 9 } }, FROM_GUEST, 4096),
	ROW("DIAG 308 store", "83240308", { AT, { 3, 9 }, { 4, 6 } }, ASKED, 0x8302, 0x50000000,
	    { { 5, 0x308 }, { 2, 6 }, { 0, OPERAND }, { 1, 9 } }, TO_GUEST, 4096),
	ROW("STSI 3.2.2", "b27d2000", { { 0, 0x30000002 }, { 1, 2 }, AT }, ASKED, 0xb27d, 0,
	    { { 0, 0x30000002 }, { 1, 2 } }, TO_GUEST, 4096),
	ROW("STSI 0", "b27d2001", { { 0, 1 }, { 1, 2 }, AT }, ASKED, 0xb27d, 0,
	    { { 0, 1 }, { 1, 2 } }, 0, 0),
	IO_NONE("CSCH", b230),
	IO_NONE("HSCH", b231),
	IO("MSCH", b232, FROM_GUEST, 52),
	IO("SSCH", b233, FROM_GUEST, 32),
	IO("STSCH", b234, TO_GUEST, 52),
	IO("TSCH", b235, TO_GUEST, 96),
	IO_NONE("SAL", b237),
	IO_NONE("RSCH", b238),
	ROW("STCRW", "b2392000", { AT }, ASKED, 0xb239, 0, { { 0 } }, TO_GUEST, 4),
	ROW("STCPS", "b23a2000", { AT }, ASKED, 0xb23a, 0, { { 0 } }, TO_GUEST, 32),
	IO_NONE("RCHP", b23b),
	ROW("SCHM", "b23c0000", { GR1, { 2, 77 } }, ASKED, 0xb23c, 0, { GR1, { 2, 77 } }, 0, 0),
	ROW("CHSC", "b25f0020", { AT }, ASKED, 0xb25f, 0, { { 0 } }, FROM_GUEST, 4096),
	ROW("SIGA", "b2740000", { GR1, { 2, 77 }, { 3, 78 } }, ASKED, 0xb274, 0,
	    { GR1, { 2, 77 }, { 3, 78 } }, 0, 0),
	IO_NONE("XSCH", b276),
};

static void check_slots(const char *row, const struct vm *vm, const struct value *want, size_t n)
{
	uint64_t all[16] = { 0 };

	for (size_t i = 0; i < n; i++)
		if (want[i].n || want[i].v)
			all[want[i].n] = want[i].v;
	for (unsigned int i = 0; i < 16; i++)
		row_int(row, slot(vm, i), all[i]);
}

/* No byte more than the operand. */
static void check_sida(const char *row, struct vm *vm, const void *want, size_t len)
{
	uint8_t sida[FRAME_BYTES], rest[FRAME_BYTES];

	get(vm, SIDA_AT, sida, sizeof(sida));
	memset(rest, UNTOUCHED, sizeof(rest));
	row_mem(row, sida, (const uint8_t *)want, len);
	row_mem(row, sida + len, rest, sizeof(sida) - len);
}

static void test_texts(void **state)
{
	static const uint8_t zeros[FRAME_BYTES];
	struct vm *vm = *state;
	uint8_t block[FRAME_BYTES];

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		const struct text_row *r = &texts[i];

		guest(vm, r->code);
		set_grs(vm, r->gr, ARRAY_SIZE(r->gr));
		unit_pattern(block, sizeof(block), 99);
		poke(vm, OPERAND, block, sizeof(block));
		expect_text(r->name, vm, r->icpt, r->ipa, r->ipb);
		check_slots(r->name, vm, r->slots, ARRAY_SIZE(r->slots));
		check_sida(r->name, vm, r->block == FROM_GUEST ? block : zeros, r->len);
		row_mem(r->name, peek(vm, OPERAND), block, sizeof(block));
		row_int(r->name, regs(vm)->psw_addr, CODE + 4);
		answer_cc(vm, 0);
		expect_again(r->name, vm);
	}
}

/* --- Exceptions of the guest --------------------------------------------------------------------- */

struct check_row {
	const char *name, *code;
	struct value gr[4];
	uint32_t word; /* at OPERAND */
	uint16_t pgm;
	bool problem;
};

static const struct check_row checks[] = {
	ROW("DIAG 10", "83240010", { { 0 } }, 0, 6, false),
	ROW("DIAG 258", "83240258", { { 0 } }, 0, 6, false),
	ROW("DIAG 260", "83240260", { { 0 } }, 0, 6, false),
	ROW("DIAG 318", "83240318", { { 0 } }, 0, 6, false),
	ROW("DIAG 288, odd", "83340288", { { 0 } }, 0, 6, false),
	ROW("308 sub 2", "83240308", { AT, { 4, 2 } }, 0, 6, false),
	ROW("308 sub 4", "83240308", { AT, { 4, 4 } }, 0, 6, false),
	ROW("308 sub 7", "83240308", { AT, { 4, 7 } }, 0, 6, false),
	ROW("308 sub 8", "83240308", { AT, { 4, 8 } }, 0, 6, false),
	ROW("308 sub 9", "83240308", { AT, { 4, 9 } }, 0, 6, false),
	ROW("308 sub 10", "83240308", { AT, { 4, 10 } }, 0, 6, false),
	ROW("308 sub 10005", "83240308", { AT, { 4, 0x10005 } }, 0, 6, false),
	ROW("308 sub 5, odd", "83340308", { { 3, OPERAND }, { 4, 5 } }, 0, 6, false),
	ROW("308 sub 5, unaligned", "83240308", { { 2, OPERAND + 8 }, { 4, 5 } }, 0, 6, false),
	ROW("308 sub 5, outside", "83240308", { { 2, MIB }, { 4, 5 } }, 0, 5, false),
	ROW("308 sub 6, outside", "83240308", { { 2, MIB }, { 4, 6 } }, 0, 5, false),
	ROW("SERVC, unaligned", "b2200042", { { 2, OPERAND + 4 } }, 0, 6, false),
	ROW("SERVC, outside", "b2200042", { { 2, MIB } }, 0, 5, false),
	ROW("SERVC, prefix area", "b2200042", { { 2, 0x1000 } }, 0, 6, false),
	ROW("SERVC, short", "b2200042", { AT }, 0x00070000, 6, false),
	ROW("STSI, GR0", "b27d2000", { { 0, 0x30000102 }, { 1, 2 }, AT }, 0, 6, false),
	ROW("STSI, GR1", "b27d2000", { { 0, 0x30000002 }, { 1, 0x10002 }, AT }, 0, 6, false),
	ROW("STSI, unaligned", "b27d2008", { { 0, 0x30000002 }, { 1, 2 }, AT }, 0, 6, false),
	ROW("STSI, outside", "b27d2000", { { 0, 0x30000002 }, { 1, 2 }, { 2, MIB } }, 0, 5, false),
	ROW("SPX, unaligned", "b2102002", { AT }, 0, 6, false),
	ROW("SPX, outside", "b2102000", { AT }, 0x00100000, 5, false),
	ROW("SPX, second page outside", "b2102000", { AT }, 0x7fffe000, 5, false),
	ROW("SCK, unaligned", "b2042004", { AT }, 0, 6, false),
	ROW("STFLE, unaligned", "b2b02004", { AT }, 0, 6, false),
	ROW("MSCH, unaligned", "b2322002", { AT }, 0, 6, false),
	ROW("TSCH, outside", "b2352000", { { 2, MIB } }, 0, 5, false),
	ROW("CHSC, unaligned", "b25f0020", { { 2, OPERAND + 8 } }, 0, 6, false),
	ROW("SIE", "b2142000", { AT }, 0, 1, false),
	ROW("STHYI", "b2560024", { { 0 } }, 0, 1, false),
	ROW("ESSA", "b9ab0024", { { 0 } }, 0, 1, false),
	ROW("PTFF", "0104", { { 0 } }, 0, 1, false),
	ROW("DIAG, problem state", "83240044", { { 0 } }, 0, 2, true),
	ROW("SERVC, problem state", "b2200042", { AT }, 0, 2, true),
	ROW("SIGP, problem state", "ae240001", { { 0 } }, 0, 2, true),
	ROW("STSI, problem state", "b27d2000", { { 0 } }, 0, 2, true),
	ROW("TSCH, problem state", "b2352000", { { 0 } }, 0, 2, true),
	ROW("UVC, problem state", "b9a40002", { AT }, 0, 2, true),
};

/* The handler of program interruptions is DIAG 44, and the host learns nothing else. */
static void test_checks(void **state)
{
	struct vm *vm = *state;

	poke_hex(vm, 0x1000, "0010"); /* of an SCCB that would do elsewhere */
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		const struct check_row *r = &checks[i];
		be32 word;

		guest(vm, r->code);
		set_grs(vm, r->gr, ARRAY_SIZE(r->gr));
		be32_set(&word, r->word);
		poke(vm, OPERAND, &word, sizeof(word));
		memset(peek(vm, 0x8c), 0, 4);
		if (r->problem)
			regs(vm)->psw_mask |= PSW_PROBLEM;
		expect_again(r->name, vm);
		row_int(r->name, be16_get(lowcore(vm)->pgm_code), r->pgm);
		row_int(r->name, be64_get(lowcore(vm)->old_psw[LC_PROGRAM].addr),
			CODE + be16_get(lowcore(vm)->pgm_ilc));
		check_sida(r->name, vm, NULL, 0);
		row_int(r->name, vm->c->outstanding_sccb, 0);
		row_int(r->name, vm->c->area->pending.what, COMPLETE_NONE);
	}
}

/* Operands that the host has paged out: its interruption, nothing shown, and then the same again. */
static void test_operand_faults(void **state)
{
	struct vm *vm = *state;
	const struct text_row *row;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		row = &texts[i];
		if (!row->len)
			continue;
		guest(vm, row->code);
		set_grs(vm, row->gr, ARRAY_SIZE(row->gr));
		export(vm, OPERAND);
		row_int(row->name, enter_at(vm, SCB_AT), CPU_STOP_HOST_PIC);
		row_int(row->name, cpu_host_pic(vm->cpu).code, PGM_NON_SECURE_ACCESS);
		row_int(row->name, cpu_host_pic(vm->cpu).teid & ~0xfffull, MSO + OPERAND);
		row_int(row->name, regs(vm)->psw_addr, CODE);
		check_sida(row->name, vm, NULL, 0);
		import(vm, OPERAND);
		expect_text(row->name, vm, row->icpt, row->ipa, row->ipb);
		/* The completion finds the page gone as well: its CC is still to be taken. */
		export(vm, OPERAND);
		answer_cc(vm, 0);
		answer_gr(vm, 1, 1);
		if (row->block == FROM_GUEST && row->ipa != 0xb25f) {
			expect_again(row->name, vm); /* nothing to store */
			import(vm, OPERAND);
			continue;
		}
		row_int(row->name, enter_at(vm, SCB_AT), CPU_STOP_HOST_PIC);
		row_int(row->name, cpu_host_pic(vm->cpu).code, PGM_NON_SECURE_ACCESS);
		row_true(row->name, vm->c->area->pending.what != COMPLETE_NONE);
		import(vm, OPERAND);
		expect_again(row->name, vm);
		row_int(row->name, vm->c->area->pending.what, COMPLETE_NONE);
	}
}

/* --- Completion ---------------------------------------------------------------------------------- */

/* Whatever the host leaves in slots and CC, only the results of the instruction change. */
struct result_row {
	const char *name, *code;
	struct value gr[4];
	uint64_t cc;	      /* of the host */
	unsigned int want_cc; /* the guest's was 3 */
	struct value out[1];  /* of its registers */
	size_t stored;	      /* bytes at OPERAND */
};

#define ANSWER(n) (0x1000ull + (n))

static const struct result_row results[] = {
	ROW("DIAG 288", "83240288", { { 2, 1 }, { 3, 2 }, { 4, 3 } }, 2, 3, { { 2, ANSWER(0) } },
	    0),
	ROW("DIAG 500", "83240500", { { 1, 1 } }, 1, 3, { { 2, ANSWER(2) } }, 0),
	ROW("308 set", "83240308", { AT, { 4, 5 } }, 1, 3, { { 3, ANSWER(1) } }, 0),
	ROW("308 store, refused", "83240308", { AT, { 4, 6 } }, 1, 3, { { 3, ANSWER(1) } }, 0),
	ROW("STSI, stored", "b27d2000", { { 0, 0x30000002 }, { 1, 2 }, AT }, 0, 0, { { 0 } }, 4096),
	ROW("STSI, none", "b27d2000", { { 0, 0x30000002 }, { 1, 2 }, AT }, 3, 3, { { 0 } }, 0),
	ROW("MSCH", "b2322000", { GR1, AT }, 1, 1, { { 0 } }, 0),
	ROW("SSCH", "b2332000", { GR1, AT }, 2, 2, { { 0 } }, 0),
	ROW("STSCH", "b2342000", { GR1, AT }, 0, 0, { { 0 } }, 52),
	ROW("STSCH, none", "b2342000", { GR1, AT }, 3, 3, { { 0 } }, 0),
	ROW("TSCH", "b2352000", { GR1, AT }, 1, 1, { { 0 } }, 96),
	ROW("STCRW", "b2392000", { AT }, 1, 1, { { 0 } }, 4),
	ROW("CHSC", "b25f0020", { AT }, 0, 0, { { 0 } }, 4096),
	ROW("SAL", "b2370000", { GR1 }, 0, 3, { { 0 } }, 0),
	ROW("SCHM", "b23c0000", { GR1 }, 0, 3, { { 0 } }, 0),
};

/* The host answers everything it can: all slots, the whole SIDA, a CC. */
static void answer_all(struct vm *vm, uint64_t cc, uint8_t sida[FRAME_BYTES])
{
	for (unsigned int n = 0; n < 16; n++)
		answer_gr(vm, n, ANSWER(n));
	unit_pattern(sida, FRAME_BYTES, 7);
	put(vm, SIDA_AT, sida, FRAME_BYTES);
	answer_cc(vm, cc);
	be64_set(&vm->scb.scb.gpsw_addr, 0x7777);
	vm->scb.scb.gpsw_mask.b[0] |= 0x03;
}

static void test_results(void **state)
{
	struct vm *vm = *state;

	for (size_t i = 0; i < ARRAY_SIZE(results); i++) {
		const struct result_row *r = &results[i];
		uint8_t sida[FRAME_BYTES], before[FRAME_BYTES];
		uint64_t gr[16];

		guest(vm, r->code);
		set_grs(vm, r->gr, ARRAY_SIZE(r->gr));
		regs(vm)->psw_mask |= PSW_CC;
		memcpy(gr, regs(vm)->file.gr, sizeof(gr));
		unit_pattern(before, sizeof(before), 5);
		poke(vm, OPERAND, before, sizeof(before));
		expect(r->name, vm, ICPT_PV_INSTRUCTION);
		answer_all(vm, r->cc, sida);
		if (r->out[0].v)
			gr[r->out[0].n] = r->out[0].v;
		expect_again(r->name, vm);
		row_mem(r->name, regs(vm)->file.gr, gr, sizeof(gr));
		row_int(r->name, guest_cc(vm), r->want_cc);
		row_mem(r->name, peek(vm, OPERAND), sida, r->stored);
		row_mem(r->name, peek(vm, OPERAND) + r->stored, before + r->stored,
			sizeof(before) - r->stored);
		row_int(r->name, regs(vm)->psw_mask & (PSW_IO | PSW_EXT), 0);
	}
}

static void test_store_block(void **state)
{
	struct vm *vm = *state;
	uint8_t sida[FRAME_BYTES];

	guest(vm, "83240308");
	set_grs(vm, (const struct value[]){ AT, { 4, 6 } }, 2);
	expect("store", vm, ICPT_PV_INSTRUCTION);
	answer_all(vm, 0, sida);
	answer_gr(vm, 1, 1);
	expect_again("store", vm);
	row_int("rc", regs(vm)->file.gr[3], 1);
	row_mem("block", peek(vm, OPERAND), sida, sizeof(sida));
}

static void test_level(void **state)
{
	struct vm *vm = *state;

	guest(vm, "b27d2000");
	set_grs(vm, (const struct value[]){ { 1, 2 } }, 1);
	regs(vm)->file.gr[0] = 0x1234567800000000;
	expect("level", vm, ICPT_PV_INSTRUCTION);
	answer_gr(vm, 0, UINT64_MAX & ~0xc0000000ull);
	expect_again("level", vm);
	row_int("GR0", regs(vm)->file.gr[0], 0x1234567830000000);
	/* Beyond the levels there are: no exit. */
	guest(vm, "b27d2000");
	regs(vm)->file.gr[0] = 0xf0000000;
	regs(vm)->file.gr[1] = 0;
	expect_again("level 15", vm);
	row_int("CC", guest_cc(vm), 3);
}

/* An operand that crosses a page, of which the guest loses the second one before the answer. */
static void test_crossing(void **state)
{
	struct vm *vm = *state;
	uint8_t sida[FRAME_BYTES], zeros[96] = { 0 };

	guest(vm, "b2352000");
	set_grs(vm, (const struct value[]){ GR1, { 2, BLOCK - 32 } }, 2);
	poke(vm, BLOCK - 32, zeros, 32);
	poke(vm, BLOCK, zeros, 64);
	expect("TSCH", vm, ICPT_PV_INSTRUCTION);
	export(vm, BLOCK);
	answer_all(vm, 0, sida);
	row_int("second page", enter_at(vm, SCB_AT), CPU_STOP_HOST_PIC);
	row_int("second page", cpu_host_pic(vm->cpu).teid & ~0xfffull, MSO + BLOCK);
	row_mem("first page", peek(vm, BLOCK - 32), zeros, 32);
	import(vm, BLOCK);
	expect_again("TSCH", vm);
	row_mem("first page", peek(vm, BLOCK - 32), sida, 32);
	row_mem("second page", peek(vm, BLOCK), sida + 32, 64);
}

/* pv-diags: the exceptions that the host may ask for (DIAG 9c with GR0 tells what was taken). */
static void test_diags(void **state)
{
	struct vm *vm = *state;

	guest(vm, "83240500");
	set_grs(vm, (const struct value[]){ { 1, 1 }, { 2, 2 }, { 3, 3 }, { 4, 4 } }, 4);
	expect("500", vm, ICPT_PV_INSTRUCTION);
	vm->scb.scb.iictl = INJECT_OPERAND;
	expect_again("operand", vm);
	row_int("operand", be16_get(lowcore(vm)->pgm_code), 0x15);
	row_int("operand", be64_get(lowcore(vm)->old_psw[LC_PROGRAM].addr), CODE + 4);
	row_int("GR2", regs(vm)->file.gr[2], 2);
	guest(vm, "83240288");
	set_grs(vm, (const struct value[]){ { 2, 1 }, { 3, 2 }, { 4, 3 } }, 3);
	expect("288", vm, ICPT_PV_INSTRUCTION);
	vm->scb.scb.iictl = INJECT_SPECIFICATION;
	expect_again("specification", vm);
	row_int("specification", be16_get(lowcore(vm)->pgm_code), 6);
	row_int("GR2", regs(vm)->file.gr[2], 1);
}

/* The host takes the SIDA away while the guest runs: as if nothing had happened, then 0x200b. */
static void test_sida_gone(void **state)
{
	struct vm *vm = *state;
	uint64_t bytes;

	guest(vm, "b2352000");
	set_grs(vm, (const struct value[]){ GR1, AT }, 2);
	expect("TSCH", vm, ICPT_PV_INSTRUCTION);
	be64_set(&vm->scb.scb.gbea, STORAGE);
	assert_null(uv_sida(vm->cpu, &vm->scb, &bytes));
	expect_validity("entry", vm, VALIDITY_PV_SIDA);
	be64_set(&vm->scb.scb.gbea, SIDA_AT);
	answer_cc(vm, 0);
	expect_again("corrected", vm);
}

/* --- Another CPU ------------------------------------------------------------------------------- */

/* CPU 1 of the same configuration, run by the same host CPU. */
static struct uv_cpu *second_cpu(struct vm *vm, uint64_t *handle)
{
	struct scb_page page;
	struct uv_cpu *c;

	*handle = create_cpu(vm, vm->config, 1, CPU_AT + 0x1000, SCB2_AT);
	c = uv_find_cpu(vm->uv, *handle);
	assert_non_null(c);
	memset(&page, 0, sizeof(page));
	init_scb(&page.scb, vm->config, *handle, SCA_AT);
	put(vm, SCB2_AT, &page, sizeof(page));
	return c;
}

static uint16_t set_state_of(struct vm *vm, uint64_t handle, enum uv_cpu_state state)
{
	struct uvcb_cpu_state b = { .state = (uint8_t)state };

	be64_set(&b.cpu_handle, handle);
	return uvc(vm, UVC_SET_CPU_STATE, &b, sizeof(b));
}

/* Runs the second CPU to its end of SIE. */
static void enter_second(const char *row, struct vm *vm, enum icpt_code code)
{
	struct scb_page mine = vm->scb;

	get(vm, SCB2_AT, &vm->scb, sizeof(vm->scb));
	row_int(row, enter_at(vm, SCB2_AT), CPU_STOP_SIE_EXIT);
	row_int(row, vm->scb.scb.icptcode, code);
	vm->scb = mine;
}

/* --- SERVC --------------------------------------------------------------------------------------- */

#define SERVC "b2200042" /* R1 4: command, R2 2: SCCB */

static void guest_servc(struct vm *vm, uint32_t command, uint64_t sccb, unsigned int len)
{
	uint8_t head[8] = { (uint8_t)(len >> 8), (uint8_t)len };

	guest(vm, SERVC);
	set_grs(vm, (const struct value[]){ { 2, sccb }, { 4, command } }, 2);
	poke(vm, sccb, head, sizeof(head));
}

static void inject_signal(struct vm *vm, uint32_t param)
{
	vm->scb.scb.iictl = INJECT_EXTERNAL;
	memset(&vm->scb.scb.intr, 0, sizeof(vm->scb.scb.intr));
	be16_set(&vm->scb.scb.intr.ext.code, EXT_SERVICE_SIGNAL);
	be32_set(&vm->scb.scb.intr.ext.params, param);
}

static void expect_servc(const char *row, struct vm *vm, enum icpt_code code)
{
	expect_text(row, vm, code, 0xb220, 0x00020000);
}

/* The guest enables the signal and gets it: the handler's DIAG 44. */
static void take_signal(const char *row, struct vm *vm, uint32_t sccb)
{
	regs(vm)->psw_mask |= PSW_EXT;
	regs(vm)->cr[0] |= CR0_SERVICE;
	inject_signal(vm, 0x43000);
	expect_again(row, vm);
	row_int(row, vm->scb.scb.iictl, 0);
	row_int(row, be16_get(lowcore(vm)->ext_code), EXT_SERVICE_SIGNAL);
	row_int(row, be32_get(lowcore(vm)->ext_param), sccb);
	row_int(row, vm->c->outstanding_sccb, 0);
}

static void test_servc(void **state)
{
	static const uint32_t commands[] = { 0x00020001, 0x00120001, 0x00010001,
					     0x00770005, 0x00760005, 0x00780005 };
	struct vm *vm = *state;
	uint8_t sccb[FRAME_BYTES], sida[FRAME_BYTES];

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		uint64_t at = OPERAND + 8 * i;

		unit_pattern(sccb, sizeof(sccb), 3);
		poke(vm, OPERAND, sccb, sizeof(sccb));
		guest_servc(vm, commands[i], at, 0x28);
		memcpy(sccb, peek(vm, OPERAND), sizeof(sccb));
		regs(vm)->psw_mask |= PSW_CC;
		expect_servc("104", vm, ICPT_PV_INSTRUCTION);
		check_slots("104", vm, (const struct value[]){ { 0, commands[i] } }, 1);
		check_sida("104", vm, sccb + 8 * i, 0x28);
		/* A signal before its time. */
		regs(vm)->psw_mask |= PSW_EXT;
		regs(vm)->cr[0] |= CR0_SERVICE;
		inject_signal(vm, 0x43000);
		expect_validity("too early", vm, VALIDITY_PV_INJECTION);
		vm->scb.scb.iictl = INJECT_SPECIFICATION;
		expect_validity("no exception", vm, VALIDITY_PV_INJECTION);
		vm->scb.scb.iictl = 0;
		regs(vm)->psw_mask &= ~PSW_EXT;
		/* A longer answer, a CC, registers: no more than the SCCB had. */
		answer_all(vm, 3, sida);
		sida[0] = 0x10;
		put(vm, SIDA_AT, sida, sizeof(sida));
		expect_servc("108", vm, ICPT_PV_NOTIFICATION);
		check_slots("108", vm, NULL, 0);
		row_mem("SCCB", peek(vm, at), sida, 0x28);
		row_mem("behind", peek(vm, at) + 0x28, sccb + 8 * i + 0x28, 0x28);
		row_int("CC", guest_cc(vm), 0);
		row_int("PSW", regs(vm)->psw_addr, CODE + 4);
		row_int("outstanding", vm->c->outstanding_sccb, at);
		take_signal("signal", vm, (uint32_t)at);
	}
}

static void test_servc_refused(void **state)
{
	static const struct {
		const char *name;
		uint32_t command;
		uint64_t at;
		unsigned int len;
		uint16_t response;
	} rows[] = {
		{ "unknown", 0xdeadbeef, OPERAND, 8, SCLP_INVALID_COMMAND },
		{ "sense CPU", 0x00040001, OPERAND, 16, SCLP_INVALID_COMMAND },
		{ "boundary", 0x00120001, OPERAND + 0xff8, 9, SCLP_BOUNDARY },
		{ "boundary first", 0xdeadbeef, OPERAND, 4097, SCLP_BOUNDARY },
	};
	struct vm *vm = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		guest_servc(vm, rows[i].command, rows[i].at, rows[i].len);
		expect_servc(rows[i].name, vm, ICPT_PV_NOTIFICATION);
		check_sida(rows[i].name, vm, NULL, 0);
		row_int(rows[i].name,
			be16_get(((struct sccb_header *)(void *)peek(vm, rows[i].at))->response),
			rows[i].response);
		row_int(rows[i].name, guest_cc(vm), 0);
		take_signal(rows[i].name, vm, (uint32_t)rows[i].at);
	}
}

static void test_servc_busy(void **state)
{
	struct vm *vm = *state;

	guest_servc(vm, 0x00120001, OPERAND, 16);
	expect_servc("first", vm, ICPT_PV_INSTRUCTION);
	expect_servc("first", vm, ICPT_PV_NOTIFICATION);
	guest_servc(vm, 0x00120001, BLOCK, 16);
	expect_again("second", vm);
	row_int("CC", guest_cc(vm), 2);
	take_signal("first", vm, OPERAND);
	guest_servc(vm, 0x00120001, BLOCK, 16);
	expect_servc("third", vm, ICPT_PV_INSTRUCTION);
	expect_servc("third", vm, ICPT_PV_NOTIFICATION);
	/* One signal for one SCCB. */
	take_signal("third", vm, BLOCK);
	inject_signal(vm, 0x43000);
	regs(vm)->psw_mask |= PSW_EXT;
	expect_validity("none left", vm, VALIDITY_PV_INJECTION);
}

/* The host has the SCCB of another CPU: busy, until it has signalled or the CPU has been reset. */
static void test_servc_other_cpu(void **state)
{
	struct vm *vm = *state;
	uint64_t handle;
	struct uv_cpu *c = second_cpu(vm, &handle);

	row_int("start", set_state_of(vm, handle, UV_CPU_OPERATING), 1);
	guest_servc(vm, 0x00120001, OPERAND, 16);
	c->area->regs = *regs(vm);
	c->area->regs.cr[0] |= CR0_SERVICE;
	enter_second("SERVC", vm, ICPT_PV_INSTRUCTION);
	expect_again("with the host", vm);
	row_int("with the host", guest_cc(vm), 2);
	enter_second("complete", vm, ICPT_PV_NOTIFICATION);
	guest_servc(vm, 0x00120001, OPERAND, 16);
	expect_again("no signal yet", vm);
	row_int("no signal yet", guest_cc(vm), 2);
	/* It is floating: this CPU gets it. */
	regs(vm)->psw_mask |= PSW_EXT;
	regs(vm)->cr[0] |= CR0_SERVICE;
	inject_signal(vm, 0x43000);
	expect_again("signal", vm);
	row_int("signal", be32_get(lowcore(vm)->ext_param), OPERAND);

	c->area->regs.psw_addr = CODE;
	guest_servc(vm, 0x00120001, OPERAND, 16);
	enter_second("SERVC", vm, ICPT_PV_INSTRUCTION);
	row_int("stop", set_state_of(vm, handle, UV_CPU_STOPPED), 1);
	row_int("reset", handle_call(vm, UVC_CPU_RESET, handle), 1);
	expect_servc("after the reset", vm, ICPT_PV_INSTRUCTION);
}

/* --- SPX, STFLE, SCK, the IPTE lock ----------------------------------------------------------------- */

static void test_spx(void **state)
{
	static const uint8_t word[4] = { 0, 0, 0x9f, 0xff }; /* 0x8000 counts */
	static const uint8_t sida[4] = { 0, 0, 0x80, 0 };
	struct vm *vm = *state;

	guest(vm, "b2102000");
	set_grs(vm, (const struct value[]){ AT }, 1);
	poke(vm, OPERAND, word, sizeof(word));
	row_int("first page", enter_at(vm, SCB_AT), CPU_STOP_HOST_PIC);
	import(vm, PREFIX);
	row_int("second page", enter_at(vm, SCB_AT), CPU_STOP_HOST_PIC);
	row_int("second page", cpu_host_pic(vm->cpu).teid & ~0xfffull, MSO + PREFIX + 0x1000);
	row_int("as before", regs(vm)->prefix, 0);
	import(vm, PREFIX + 0x1000);
	expect_text("SPX", vm, ICPT_PV_NOTIFICATION, 0xb210, 0);
	check_slots("SPX", vm, NULL, 0);
	check_sida("SPX", vm, sida, sizeof(sida));
	row_int("prefix", regs(vm)->prefix, PREFIX);
	row_int("copy", be32_get(vm->scb.scb.prefix), PREFIX);
	/* The next entry looks at the new area, whatever the state description says. */
	be32_set(&vm->scb.scb.prefix, 0);
	export(vm, PREFIX + 0x1000);
	expect("112", vm, ICPT_PV_PREFIX);
	import(vm, PREFIX + 0x1000);
	expect_again("goes on", vm);
}

static void test_stfle(void **state)
{
	struct vm *vm = *state;
	const be64 *list;

	guest(vm, "b2b02000 b2b10000");
	set_grs(vm, (const struct value[]){ AT }, 1);
	regs(vm)->file.gr[0] = 0x12345678ff07ull;
	expect_again("STFLE", vm);
	list = (const be64 *)(void *)peek(vm, OPERAND);
	row_int("words", regs(vm)->file.gr[0], 0x12345678ff02ull);
	row_int("CC", guest_cc(vm), 0);
	row_int("158", be64_get(list[2]) & BIT64(30), BIT64(30));
	row_int("161", be64_get(list[2]) & BIT64(33), 0);
	row_int("74", be64_get(list[1]) & BIT64(10), 0);
	row_int("first", be64_get(list[0]), machine_facilities(vm->m, 0));
	row_int("STFL", be32_get(lowcore(vm)->stfl), be64_get(list[0]) >> 32);
	guest(vm, "b2b02000");
	set_grs(vm, (const struct value[]){ AT }, 1);
	regs(vm)->file.gr[0] = 0;
	memset(peek(vm, OPERAND), 0x5a, 24);
	expect_again("one word", vm);
	row_int("words", regs(vm)->file.gr[0], 2);
	row_int("CC", guest_cc(vm), 3);
	row_int("no more", peek(vm, OPERAND)[8], 0x5a);
}

/* The clock is the guest's: it stays set over exits, and the host's is as it was. */
static void test_sck(void **state)
{
	struct vm *vm = *state;
	uint64_t value = 0x1000000000000000, before = machine_tod(vm->m), stored;
	be64 raw;

	guest(vm, "b2042000 83020044 b2052008");
	set_grs(vm, (const struct value[]){ AT }, 1);
	be64_set(&raw, value);
	poke(vm, OPERAND, &raw, sizeof(raw));
	expect_again("SCK", vm);
	row_int("CC", guest_cc(vm), 0);
	be64_set(&vm->scb.scb.epoch, 0x100000000000);
	expect_again("STCK", vm);
	stored = be64_get(((const be64 *)(void *)peek(vm, OPERAND))[1]) - 0x100000000000;
	row_true("set", stored >= value && stored < value + (60ull * 1000000 << 12));
	row_true("host", machine_tod(vm->m) >= before &&
				 machine_tod(vm->m) < before + (60ull * 1000000 << 12));
	be64_set(&vm->scb.scb.epoch, 0);
}

static void *run_guest(void *arg)
{
	struct vm *vm = arg;

	return (void *)(uintptr_t)cpu_sie(vm->cpu, (haddr_t){ SCB_AT });
}

static void test_ipte_lock(void **state)
{
	const struct timespec moment = { .tv_nsec = 20000000 };
	struct vm *vm = *state, second = *vm;
	pthread_t thread;
	bool running;
	void *stop;

	guest(vm, "b2210034");
	set_grs(vm, (const struct value[]){ { 3, OPERAND }, { 4, 0x1000 } }, 2);
	memset(peek(vm, OPERAND), 0, 16);
	put64(vm, SCA_AT, IPTE_CONTROL_K);
	vm->scb.scb.icptcode = 0;
	put(vm, SCB_AT, &vm->scb, sizeof(vm->scb));
	assert_int_equal(pthread_create(&thread, NULL, run_guest, vm), 0);
	nanosleep(&moment, NULL);
	uv_lock(vm->uv, NULL);
	running = vm->c->running;
	uv_unlock(vm->uv);
	row_true("waits", running);
	second.cpu = machine_cpu(vm->m, 1);
	export(&second, BLOCK); /* the waiting CPU answers the revocation */
	put64(vm, SCA_AT, 0);
	assert_int_equal(pthread_join(thread, &stop), 0);
	get(vm, SCB_AT, &vm->scb, sizeof(vm->scb));
	row_int("goes on", vm->scb.scb.icptcode, ICPT_PV_NOTIFICATION);
	row_int("entry", peek(vm, OPERAND)[8 + 6] & 4, 4);
}

/* Left to the ordinary handlers, on the guest's own state. */
static void test_ordinary(void **state)
{
	struct vm *vm = *state;
	const uint8_t *out;

	/* STAP, STIDP, STPX, TPI, TB of BLOCK, STPX again at +12 */
	guest(vm, "b2122000 b2022008 b2112010 b2362020 b22c0003 b2112014");
	set_grs(vm, (const struct value[]){ AT, { 3, BLOCK } }, 2);
	memset(peek(vm, OPERAND), 0x5a, 64);
	memset(peek(vm, BLOCK), 0x5a, FRAME_BYTES);
	expect_again("row", vm);
	out = peek(vm, OPERAND);
	row_int("STAP", out[0] << 8 | out[1], 0);
	row_int("STIDP", out[8 + 4] << 8 | out[8 + 5], 0x2817);
	row_int("STPX", out[0x10] | out[0x11] | out[0x12] | out[0x13], 0);
	row_int("TPI", guest_cc(vm), 0);
	row_int("TB", peek(vm, BLOCK)[77], 0);
	/* SVC is the guest's whatever svcc says. */
	vm->scb.scb.svcc[0] = 0x80;
	guest(vm, "0a2a");
	expect_again("SVC", vm);
	row_int("SVC", be16_get(lowcore(vm)->svc_code), 0x2a);
}

/* --- Sharing ------------------------------------------------------------------------------------- */

#define UVC "b9a40003" /* R2 3 */

static void guest_share(struct vm *vm, enum uv_command cmd, uint64_t addr)
{
	struct uvcb_share b = { 0 };

	be16_set(&b.head.len, sizeof(b));
	be16_set(&b.head.cmd, (uint16_t)cmd);
	be64_set(&b.paddr, addr);
	guest(vm, UVC);
	regs(vm)->file.gr[3] = BLOCK;
	poke(vm, BLOCK, &b, sizeof(b));
}

static void expect_rc(const char *row, struct vm *vm, uint16_t rc)
{
	expect_again(row, vm);
	row_int(row, be16_get(((const struct uvcb *)(void *)peek(vm, BLOCK))->rc), rc);
	row_int(row, guest_cc(vm), rc == 1 ? 0 : 1);
}

static enum frame_state frame_of(const struct vm *vm, uint64_t gaddr)
{
	return frame_info(vm->m, (GUEST + gaddr) / FRAME_BYTES).state;
}

static uint16_t frame_call(struct vm *vm, enum uv_command cmd, uint64_t gaddr)
{
	struct uvcb_frame b = { 0 };

	be64_set(&b.paddr, GUEST + gaddr);
	return uvc(vm, cmd, &b, sizeof(b));
}

static uint16_t unpin(struct vm *vm, uint64_t gaddr)
{
	struct uvcb_gpage b = { 0 };

	be64_set(&b.config_handle, vm->config);
	be64_set(&b.gaddr, MSO + gaddr);
	return uvc(vm, UVC_UNPIN, &b, sizeof(b));
}

static void test_share(void **state)
{
	static const struct {
		uint64_t addr;
		uint16_t rc;
	} bad[] = { { MIB, 0x0101 },	     { MIB + 0x1000, 0x0101 },
		    { UINT64_MAX, 0x0101 },  { UINT64_MAX << 12, 0x0101 },
		    { OPERAND + 1, 0x0102 }, { OPERAND + 0x800, 0x0102 } };
	struct vm *vm = *state;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		guest_share(vm, UVC_SHARE, bad[i].addr);
		expect_rc("share", vm, bad[i].rc);
		guest_share(vm, UVC_UNSHARE, bad[i].addr);
		expect_rc("unshare", vm, bad[i].rc);
	}
	memset(peek(vm, OPERAND), 0x77, FRAME_BYTES);
	for (unsigned int i = 0; i < 2; i++) {
		guest_share(vm, UVC_SHARE, OPERAND);
		expect_rc("share", vm, 1);
		row_int("share", frame_of(vm, OPERAND), FRAME_SHARED);
		row_int("content", get64(vm, GUEST + OPERAND), 0x7777777777777777);
	}
	for (unsigned int i = 0; i < 2; i++) {
		guest_share(vm, UVC_UNSHARE, OPERAND);
		expect_rc("unshare", vm, 1);
		row_int("content", peek(vm, OPERAND)[99], 0x77);
	}
}

static void test_share_absent(void **state)
{
	struct vm *vm = *state;

	for (unsigned int i = 0; i < 2; i++) {
		export(vm, OPERAND);
		guest_share(vm, i ? UVC_UNSHARE : UVC_SHARE, OPERAND);
		row_int("absent", enter_at(vm, SCB_AT), CPU_STOP_HOST_PIC);
		row_int("absent", cpu_host_pic(vm->cpu).code, PGM_NON_SECURE_ACCESS);
		row_int("absent", cpu_host_pic(vm->cpu).teid & ~0xfffull, MSO + OPERAND);
		row_int("absent", regs(vm)->psw_addr, CODE);
		import(vm, OPERAND);
		expect_rc("redone", vm, 1);
		row_int("state", frame_of(vm, OPERAND), i ? FRAME_SECURE : FRAME_SHARED);
	}
	set_pte(vm, OPERAND, 0x400);
	guest_share(vm, UVC_SHARE, OPERAND);
	row_int("unmapped", enter_at(vm, SCB_AT), CPU_STOP_HOST_PIC);
	row_int("unmapped", cpu_host_pic(vm->cpu).code, PGM_PAGE);
	set_pte(vm, OPERAND, 0);
	expect_rc("mapped", vm, 1);
}

static void test_unshare_pinned(void **state)
{
	struct vm *vm = *state;
	uint8_t block[sizeof(struct uvcb_share)];

	guest_share(vm, UVC_SHARE, OPERAND);
	expect_rc("share", vm, 1);
	row_int("pin", frame_call(vm, UVC_PIN, OPERAND), 1);
	guest_share(vm, UVC_UNSHARE, OPERAND);
	memcpy(block, peek(vm, BLOCK), sizeof(block));
	for (unsigned int i = 0; i < 2; i++) {
		expect_text("pinned", vm, ICPT_PV_NOTIFICATION, 0xb9a4, 0x00020000);
		check_slots("pinned", vm, NULL, 0);
		check_sida("pinned", vm, block, sizeof(block));
		row_int("PSW", regs(vm)->psw_addr, CODE);
		row_mem("block", peek(vm, BLOCK), block, sizeof(block));
		row_int("frame", frame_of(vm, OPERAND), FRAME_PINNED);
	}
	row_int("unpin", unpin(vm, OPERAND), 1);
	expect_rc("unshare", vm, 1);
	row_int("frame", frame_of(vm, OPERAND), FRAME_SECURE);
}

/* --- DIAG 308: the sequence of pv-ipl ------------------------------------------------------------- */

static void reset_sequence(struct vm *vm, uint64_t subcode)
{
	uint16_t reset = subcode ? UVC_CPU_RESET_INITIAL : UVC_CPU_RESET_CLEAR;

	guest(vm, "83240308");
	regs(vm)->file.gr[2] = regs(vm)->file.gr[3] = 0;
	regs(vm)->file.gr[4] = subcode;
	poke_hex(vm, 0, "00080000 80006800"); /* the short PSW */
	poke_hex(vm, RESTART, "8300009c " GO_ON);
	expect_text("308", vm, ICPT_PV_NOTIFICATION, 0x8302, 0x50000000);
	check_slots("308", vm, (const struct value[]){ { 5, 0x308 }, { 2, subcode } }, 2);
	expect_validity("nothing", vm, VALIDITY_PV_RESET);
	row_int("operating", set_state(vm, UV_CPU_LOAD), 0x0102);
	row_int("stop", set_state(vm, UV_CPU_STOPPED), 1);
	expect_validity("stopped", vm, VALIDITY_PV_CPU_STATE);
	row_int("too early", set_state(vm, UV_CPU_LOAD), 0x0102);
	row_int("unshare", handle_call(vm, UVC_UNSHARE_ALL, vm->config), 1);
	expect_validity("unshared", vm, VALIDITY_PV_CPU_STATE);
	row_int("prepare", handle_call(vm, UVC_PREPARE_RESET, vm->config), 1);
	expect_validity("prepared", vm, VALIDITY_PV_CPU_STATE);
	row_int("too early", set_state(vm, UV_CPU_LOAD), 0x0102);
	row_int("reset", handle_call(vm, reset, vm->cpu_handle), 1);
	expect_validity("reset", vm, VALIDITY_PV_CPU_STATE);
	row_int("load", set_state(vm, UV_CPU_LOAD), 1);
	regs(vm)->file.gr[0] = 42;
	expect_text("goes on", vm, ICPT_PV_NOTIFICATION, 0x8302, 0x50000000);
	check_slots("goes on", vm, (const struct value[]){ { 5, 0x9c }, { 0, 42 } }, 2);
}

static void test_ipl(void **state)
{
	reset_sequence(*state, 0);
	reset_sequence(*state, 1);
	reset_sequence(*state, 0);
}

/* --- SIGP ---------------------------------------------------------------------------------------- */

/* SIGP 5,4: status and parameter in GR5, the CPU in GR4. */
static void guest_sigp(struct vm *vm, unsigned int order, uint64_t target, uint64_t param)
{
	char code[16];

	snprintf(code, sizeof(code), "ae540%03x", order);
	guest(vm, code);
	regs(vm)->file.gr[4] = target;
	regs(vm)->file.gr[5] = 0xabcdef0100000000 | param;
}

/* Answered by the Ultravisor alone; status 0: GR5 is as it was. */
static void expect_answer(const char *row, struct vm *vm, unsigned int cc, uint32_t status)
{
	uint64_t gr5 = regs(vm)->file.gr[5];

	if (status)
		gr5 = (gr5 & ~0xffffffffull) | status;
	expect_again(row, vm);
	row_int(row, guest_cc(vm), cc);
	row_int(row, regs(vm)->file.gr[5], gr5);
}

static void expect_told(const char *row, struct vm *vm, unsigned int order, uint64_t target,
			uint64_t param)
{
	expect_text(row, vm, ICPT_PV_NOTIFICATION, 0xae02, 0x50000000);
	check_slots(row, vm, (const struct value[]){ { 5, order }, { 2, target }, { 1, param } },
		    3);
	row_int(row, guest_cc(vm), 0);
	answer_cc(vm, 1); /* does not count */
	answer_gr(vm, 0, 0x40);
	expect_again(row, vm);
	row_int(row, guest_cc(vm), 0);
}

static void test_sigp_answers(void **state)
{
	static const struct {
		unsigned int order;
		uint64_t target;
		unsigned int cc;
		uint32_t status;
	} rows[] = {
		{ 1, 1, 1, 0x40 },   { 1, 2, 3, 0 },	   { 5, 2, 3, 0 },     { 18, 2, 3, 0 },
		{ 18, 1, 1, 0x100 }, { 21, 1, 1, 0x400 },  { 22, 1, 1, 0x02 }, { 23, 1, 1, 0x02 },
		{ 0, 1, 1, 0x02 },   { 0xff, 1, 1, 0x02 }, { 7, 1, 1, 0x02 },  { 5, 1, 0, 0 },
		{ 1, 0, 0, 0 },	     { 21, 0, 0, 0 },	   { 4, 0, 0, 0 },     { 2, 1, 3, 0 },
	};
	struct vm *vm = *state;
	uint64_t handle;

	second_cpu(vm, &handle);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char name[32];

		snprintf(name, sizeof(name), "order %u to %u", rows[i].order,
			 (unsigned int)rows[i].target);
		guest_sigp(vm, rows[i].order, rows[i].target, 0);
		expect_answer(name, vm, rows[i].cc, rows[i].status);
	}
}

/* As Linux starts a CPU: reset, prefix, restart. */
static void test_sigp_start(void **state)
{
	struct vm *vm = *state;
	uint64_t handle;
	struct uv_cpu *c = second_cpu(vm, &handle);

	guest_sigp(vm, SIGP_INITIAL_RESET, 1, 0);
	expect_told("initial reset", vm, 11, 1, 0);
	guest_sigp(vm, SIGP_SENSE, 1, 0);
	expect_answer("until the host has done it", vm, 2, 0);
	guest_sigp(vm, SIGP_RESET, 1, 0);
	expect_answer("one reset at a time", vm, 2, 0);
	row_int("reset", handle_call(vm, UVC_CPU_RESET_INITIAL, handle), 1);
	guest_sigp(vm, SIGP_SENSE, 1, 0);
	expect_answer("done", vm, 1, 0x40);

	guest_sigp(vm, SIGP_SET_PREFIX, 1, MIB);
	expect_answer("prefix outside", vm, 1, 0x100);
	guest_sigp(vm, SIGP_SET_PREFIX, 0, PREFIX);
	expect_answer("prefix of a running CPU", vm, 1, 0x200);
	guest_sigp(vm, SIGP_SET_PREFIX, 1, PREFIX + 0x123);
	expect_told("prefix", vm, 13, 1, PREFIX + 0x123);
	row_int("prefix", c->area->regs.prefix, PREFIX);

	guest_sigp(vm, SIGP_RESTART, 1, 0);
	expect_told("restart", vm, SIGP_START, 1, 0);
	guest_sigp(vm, SIGP_SENSE, 1, 0);
	expect_answer("not yet", vm, 2, 0);
	enter_second("not yet", vm, ICPT_VALIDITY);
	row_int("start", set_state_of(vm, handle, UV_CPU_OPERATING), 1);
	guest_sigp(vm, SIGP_SENSE, 1, 0);
	expect_answer("operating", vm, 0, 0);
	import(vm, PREFIX);
	import(vm, PREFIX + 0x1000);
	poke_hex(vm, PREFIX + 0x1a0, "0000000180000000 0000000000006800");
	enter_second("runs", vm, ICPT_PV_NOTIFICATION);
	row_true("PSW", c->area->regs.psw_addr > RESTART && c->area->regs.psw_addr < RESTART + 16);
	row_true("swapped", !c->restart_pending);
	guest_sigp(vm, SIGP_SENSE_RUNNING, 1, 0);
	expect_answer("running", vm, 0, 0);
	guest_sigp(vm, SIGP_RESTART, 1, 0);
	expect_told("restart of an operating one", vm, SIGP_RESTART, 1, 0);
	guest_sigp(vm, SIGP_EMERGENCY, 1, 0);
	expect_answer("until iictl", vm, 2, 0);
}

static void test_sigp_stop(void **state)
{
	struct vm *vm = *state;
	uint64_t handle;
	struct uv_cpu *c = second_cpu(vm, &handle);
	const struct status_area *area;

	row_int("start", set_state_of(vm, handle, UV_CPU_OPERATING), 1);
	guest_sigp(vm, SIGP_STORE_STATUS, 1, STATUS);
	expect_answer("status of a running CPU", vm, 1, 0x200);
	guest_sigp(vm, SIGP_STOP, 1, 0);
	expect_told("stop", vm, 5, 1, 0);
	guest_sigp(vm, SIGP_SENSE, 1, 0);
	expect_answer("not yet", vm, 2, 0);
	row_int("stop", set_state_of(vm, handle, UV_CPU_STOPPED), 1);
	guest_sigp(vm, SIGP_SENSE, 1, 0);
	expect_answer("stopped", vm, 1, 0x40);

	c->area->regs.file.gr[7] = 0x7777;
	c->area->regs.psw_addr = 0x1234;
	guest_sigp(vm, SIGP_STORE_STATUS, 1, MIB);
	expect_answer("status outside", vm, 1, 0x100);
	guest_sigp(vm, SIGP_STORE_STATUS, 1, STATUS);
	row_int("absent", enter_at(vm, SCB_AT), CPU_STOP_HOST_PIC);
	row_int("absent", cpu_host_pic(vm->cpu).teid & ~0xfffull, MSO + STATUS);
	import(vm, STATUS);
	expect_told("status", vm, 14, 1, STATUS);
	area = (const struct status_area *)(void *)peek(vm, STATUS);
	row_int("status", be64_get(area->gr[7]), 0x7777);
	row_int("status", be64_get(area->psw.addr), 0x1234);

	row_int("start", set_state_of(vm, handle, UV_CPU_OPERATING), 1);
	guest_sigp(vm, SIGP_STOP_STORE_STATUS, 1, 0);
	expect_told("stop and store status", vm, 9, 1, 0);
	memset(peek(vm, STATUS_AREA), 0, sizeof(*area));
	row_int("stop", set_state_of(vm, handle, UV_CPU_STOPPED), 1);
	area = (const struct status_area *)(void *)peek(vm, STATUS_AREA);
	row_int("at the stop", be64_get(area->gr[7]), 0x7777);
	row_int("at the stop", lowcore(vm)->arch_mode, 1);
	c->area->regs.file.gr[7] = 0x8888;
	guest_sigp(vm, SIGP_STOP_STORE_STATUS, 1, 0);
	expect_answer("of a stopped CPU", vm, 0, 0);
	row_int("at once", be64_get(area->gr[7]), 0x8888);

	guest_sigp(vm, SIGP_STOP, 0, 0);
	expect_text("itself", vm, ICPT_PV_NOTIFICATION, 0xae02, 0x50000000);
	check_slots("itself", vm, (const struct value[]){ { 5, 5 } }, 1);
	expect_validity("itself", vm, VALIDITY_PV_CPU_STATE);
	row_int("itself", set_state(vm, UV_CPU_STOPPED), 1);
	row_int("and on", set_state(vm, UV_CPU_OPERATING), 1);
	expect_again("and on", vm);
}

static void test_sigp_conditional(void **state)
{
	struct vm *vm = *state;
	uint64_t handle;
	struct secure_regs *r = &second_cpu(vm, &handle)->area->regs;

	guest_sigp(vm, SIGP_EMERGENCY, 1, 0);
	expect_told("emergency", vm, 3, 1, 0);
	guest_sigp(vm, SIGP_COND_EMERGENCY, 1, 7);
	expect_told("disabled", vm, 3, 1, 7);
	r->psw_mask = PSW_IO | PSW_EXT;
	r->cr[4] = 7;
	guest_sigp(vm, SIGP_COND_EMERGENCY, 1, 7);
	expect_told("its space", vm, 3, 1, 7);
	guest_sigp(vm, SIGP_COND_EMERGENCY, 1, 8);
	expect_answer("another", vm, 1, 0x200);
	r->psw_mask |= PSW_WAIT;
	guest_sigp(vm, SIGP_COND_EMERGENCY, 1, 7);
	expect_answer("idle at 0", vm, 1, 0x200);
	r->psw_addr = 8;
	guest_sigp(vm, SIGP_COND_EMERGENCY, 1, 8);
	expect_told("idle elsewhere", vm, 3, 1, 8);
	r->psw_addr = 0;
	row_int("start", set_state_of(vm, handle, UV_CPU_OPERATING), 1);
	guest_sigp(vm, SIGP_COND_EMERGENCY, 1, 8);
	expect_told("operating", vm, 3, 1, 8);
}

/* Entry n of the extended SCA. */
static void add_to_sca(struct vm *vm, unsigned int n, uint64_t scb)
{
	uint64_t mcn = SCA_AT + offsetof(struct esca, mcn);

	put64(vm, mcn, get64(vm, mcn) | BIT64(n));
	put64(vm, SCA_AT + offsetof(struct esca, cpu) + n * sizeof(struct esca_entry) + 8, scb);
}

static uint64_t sca_control(struct vm *vm, unsigned int n)
{
	return get64(vm, SCA_AT + offsetof(struct esca, cpu) + n * sizeof(struct esca_entry)) >> 48;
}

static void or32(struct vm *vm, uint64_t at, uint32_t bits)
{
	uint32_t old;

	assert_int_equal(storage_update32(vm->m, (haddr_t){ at }, UINT32_MAX, bits, &old).code, 0);
}

static void test_external_call(void **state)
{
	struct vm *vm = *state;
	uint64_t handle;
	struct uv_cpu *c = second_cpu(vm, &handle);

	add_to_sca(vm, 0, SCB_AT);
	add_to_sca(vm, 1, SCB2_AT);
	row_int("start", set_state_of(vm, handle, UV_CPU_OPERATING), 1);
	guest_sigp(vm, SIGP_EXTERNAL_CALL, 1, 0);
	expect_answer("sent", vm, 0, 0);
	row_int("control", sca_control(vm, 1), ESCA_SIGP_C);
	row_true("flag", get64(vm, SCB2_AT) >> 32 & CPUFLAG_ECALL_PEND);
	guest_sigp(vm, SIGP_EXTERNAL_CALL, 1, 0);
	expect_answer("pending", vm, 1, 0x80);
	guest_sigp(vm, SIGP_SENSE, 1, 0);
	expect_answer("pending", vm, 1, 0x80);

	/* Delivered by SIE when the target is enabled. */
	or32(vm, SCB2_AT + offsetof(struct scb, eca), ECA_SIGPI);
	c->area->regs.psw_mask = MASK_64 | PSW_EXT;
	c->area->regs.psw_addr = CODE + 4;
	c->area->regs.cr[0] |= CR0_EXTERNAL_CALL;
	enter_second("taken", vm, ICPT_PV_NOTIFICATION);
	row_int("code", be16_get(lowcore(vm)->ext_code), EXT_EXTERNAL_CALL);
	row_int("sender", be16_get(lowcore(vm)->ext_cpu_addr), 0);
	row_int("control", sca_control(vm, 1), 0);

	/* A target that the host has put to sleep: it is told to wake it. */
	or32(vm, SCB2_AT, CPUFLAG_WAIT);
	guest_sigp(vm, SIGP_EXTERNAL_CALL, 1, 0);
	expect_told("waits", vm, 2, 1, 0);
	row_int("control", sca_control(vm, 1), ESCA_SIGP_C);
}

/* --- The run ---------------------------------------------------------------------------------------- */

static int insn_setup(void **state)
{
	struct vm *vm;
	int rc = vm_setup(state);

	vm = *state;
	start(vm, GO_ON);
	import(vm, OPERAND);
	import(vm, BLOCK);
	expect_diag("ready", vm, 0x44);
	return rc;
}

#define INSN_TEST(f) cmocka_unit_test_setup_teardown(f, insn_setup, vm_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		INSN_TEST(test_texts),		 INSN_TEST(test_checks),
		INSN_TEST(test_operand_faults),	 INSN_TEST(test_results),
		INSN_TEST(test_store_block),	 INSN_TEST(test_level),
		INSN_TEST(test_crossing),	 INSN_TEST(test_diags),
		INSN_TEST(test_sida_gone),	 INSN_TEST(test_servc),
		INSN_TEST(test_servc_refused),	 INSN_TEST(test_servc_busy),
		INSN_TEST(test_servc_other_cpu), INSN_TEST(test_spx),
		INSN_TEST(test_stfle),		 INSN_TEST(test_sck),
		INSN_TEST(test_ipte_lock),	 INSN_TEST(test_ordinary),
		INSN_TEST(test_share),		 INSN_TEST(test_share_absent),
		INSN_TEST(test_unshare_pinned),	 INSN_TEST(test_ipl),
		INSN_TEST(test_sigp_answers),	 INSN_TEST(test_sigp_start),
		INSN_TEST(test_sigp_stop),	 INSN_TEST(test_sigp_conditional),
		INSN_TEST(test_external_call),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
