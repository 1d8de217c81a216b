// SPDX-License-Identifier: MIT
/*
 * SIE format 2 through cpu_sie() and through the SIE instruction: the rows of sie.md section 10
 * that need no Ultravisor, and the rules of sections 1 to 9.
 *
 * Guests are a few hand-assembled instructions. Guest absolute address a lies at host absolute
 * GUEST + a, mapped by tables that the test builds; nothing of it is 1:1, so that an address of
 * the wrong kind cannot work by chance.
 */
#include <pthread.h>
#include <sched.h>
#include <time.h>

#include "unit.h"

#include "handler.h"
#include "insn.h"
#include "intr.h"
#include "lowcore.h"
#include "machine_priv.h"
#include "scb.h"

#define MIB	    (1ull << 20)
#define SEGMENTS    0x100000ull /* host segment table; page tables behind it */
#define SEGMENTS2   0x180000ull
#define SCB_AT	    0x200000ull
#define SCB2_AT	    0x201000ull
#define SCA_AT	    0x210000ull
#define FAC_AT	    0x220000ull
#define HOST_CODE   0x300000ull
#define GUEST	    0x400000ull /* 1 MiB */
#define GUEST2	    0x600000ull
#define SECOND_CODE 0x301000ull

#define CODE	  0x4000ull /* in the guest */
#define HANDLER_1 0x6000ull
#define MASK_64	  0x0000000180000000ull
#define DIAG	  "83020044 "
#define LOOP	  "a7f40000 "

struct vm {
	struct machine *m;
	struct cpu *cpu;
	struct scb scb;
};

/* --- Storage ----------------------------------------------------------------------------------- */

static void put(struct vm *vm, uint64_t at, const void *data, size_t len)
{
	assert_int_equal(storage_write(vm->m, (haddr_t){ at }, data, len).code, 0);
}

static void put64(struct vm *vm, uint64_t at, uint64_t v)
{
	be64 b;

	be64_set(&b, v);
	put(vm, at, &b, sizeof(b));
}

static void put_code(struct vm *vm, uint64_t at, const char *hex)
{
	AUTO_BYTES b = unit_hex(hex);

	put(vm, at, b.data, b.len);
}

static uint64_t get64(struct vm *vm, uint64_t at)
{
	be64 b;

	assert_int_equal(storage_read(vm->m, (haddr_t){ at }, &b, sizeof(b)).code, 0);
	return be64_get(b);
}

static uint32_t get32(struct vm *vm, uint64_t at)
{
	return (uint32_t)(get64(vm, at) >> 32);
}

static void put_psw(struct vm *vm, uint64_t at, uint64_t mask, uint64_t addr)
{
	put64(vm, at, mask);
	put64(vm, at + 8, addr);
}

/* Address of the host's page-table entry of a guest page, without MSO. */
static uint64_t pte_at(uint64_t segments, uint64_t gaddr)
{
	return segments + 0x4000 + (gaddr >> 20) * 0x800 + (gaddr >> 12 & 0xff) * 8;
}

/* One MiB of guest storage at host virtual va. */
static uint64_t map(struct vm *vm, uint64_t segments, uint64_t va, uint64_t to)
{
	uint64_t table = pte_at(segments, va & ~(MIB - 1));

	put64(vm, segments + (va >> 20) * 8, table);
	for (unsigned int i = 0; i < 256; i++)
		put64(vm, table + i * 8, to + i * 4096ull);
	return segments; /* segment table of 512 entries */
}

static uint64_t new_tables(struct vm *vm, uint64_t segments, uint64_t to)
{
	for (unsigned int i = 0; i < 512; i++)
		put64(vm, segments + i * 8, 0x20);
	return map(vm, segments, 0, to);
}

/* --- A guest ----------------------------------------------------------------------------------- */

static int vm_setup(void **state)
{
	const struct machine_config config = { .storage_bytes = 16 * MIB, .cpus = 2 };
	struct vm *vm = calloc(1, sizeof(*vm));
	struct zpv_err err = { 0 };

	assert_non_null(vm);
	row_ok("machine", machine_new(&config, &vm->m, &err), err);
	vm->cpu = machine_cpu(vm->m, 0);
	cpu_set_cr(vm->cpu, 1, new_tables(vm, SEGMENTS, GUEST));
	be32_set(&vm->scb.cpuflags, CPUFLAG_ZARCH | CPUFLAG_RUNNING | CPUFLAG_SM);
	be32_set(&vm->scb.eca, ECA_PROTEXCI);
	be64_set(&vm->scb.gpsw_mask, MASK_64);
	be64_set(&vm->scb.gpsw_addr, CODE);
	be64_set(&vm->scb.gcr[0], 0xe0);
	be64_set(&vm->scb.gcr[14], 0xc2000000);
	be64_set(&vm->scb.gbea, 1);
	be64_set(&vm->scb.cputm, 0x7fffffffffffffff);
	be64_set(&vm->scb.ckc, UINT64_MAX);
	for (unsigned int i = 0; i < 0x40; i++) /* new PSWs */
		put_psw(vm, GUEST + 0x1a0 + 16 * (i % 6), MASK_64, HANDLER_1);
	put_code(vm, GUEST + HANDLER_1, DIAG LOOP);
	*state = vm;
	return 0;
}

static int vm_teardown(void **state)
{
	struct vm *vm = *state;

	machine_free(vm->m);
	free(vm);
	return 0;
}

static void write_scb(struct vm *vm)
{
	vm->scb.icptcode = 0;
	put(vm, SCB_AT, &vm->scb, sizeof(vm->scb));
}

static void read_scb(struct vm *vm)
{
	assert_int_equal(storage_read(vm->m, (haddr_t){ SCB_AT }, &vm->scb, SCB_BYTES).code, 0);
}

static enum cpu_stop enter(struct vm *vm)
{
	enum cpu_stop stop;

	write_scb(vm);
	stop = cpu_sie(vm->cpu, (haddr_t){ SCB_AT });
	read_scb(vm);
	return stop;
}

/* Runs and expects an interception. */
static void expect(const char *row, struct vm *vm, enum icpt_code code)
{
	row_int(row, enter(vm), CPU_STOP_SIE_EXIT);
	row_int(row, vm->scb.icptcode, code);
}

static void guest_code(struct vm *vm, const char *hex)
{
	put_code(vm, GUEST + CODE, hex);
	be64_set(&vm->scb.gpsw_addr, CODE);
}

static void set_flags(struct vm *vm, uint32_t bits)
{
	be32_set(&vm->scb.cpuflags, be32_get(vm->scb.cpuflags) | bits);
}

static void clear_flags(struct vm *vm, uint32_t bits)
{
	be32_set(&vm->scb.cpuflags, be32_get(vm->scb.cpuflags) & ~bits);
}

static void expect_insn(const char *row, struct vm *vm, uint16_t ipa, uint32_t ipb, uint64_t addr)
{
	expect(row, vm, ICPT_INSTRUCTION);
	row_int(row, be16_get(vm->scb.ipa), ipa);
	row_int(row, be32_get(vm->scb.ipb), ipb);
	row_int(row, be64_get(vm->scb.gpsw_addr), addr);
}

static void expect_program(const char *row, struct vm *vm, uint16_t code, uint64_t addr)
{
	expect(row, vm, ICPT_PROGRAM);
	row_int(row, be16_get(vm->scb.intr.program.code), code);
	row_int(row, be64_get(vm->scb.gpsw_addr), addr);
}

/* --- sie.c: DIAG -------------------------------------------------------------------------------- */

static void test_diag(void **state)
{
	static const struct {
		const char *name, *code;
		uint16_t ipa;
		uint32_t ipb;
	} rows[] = {
		{ "DIAG 10", "83020010", 0x8302, 0x00100000 },
		{ "DIAG 44", "83020044", 0x8302, 0x00440000 },
		{ "DIAG 9c", "8302009c", 0x8302, 0x009c0000 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		guest_code(*state, rows[i].code);
		expect_insn(rows[i].name, *state, rows[i].ipa, rows[i].ipb, CODE + 4);
		row_int(rows[i].name, ((struct vm *)*state)->scb.icptstatus, 0);
	}
}

static void test_ex_target(void **state)
{
	struct vm *vm = *state;

	put_code(vm, GUEST + 0x5000, "83020044");
	cpu_set_gr(vm->cpu, 1, 0x10);
	cpu_set_gr(vm->cpu, 5, 0x5000);
	guest_code(vm, "44105000"); /* EX 1,0(5) */
	expect_insn("EX", vm, 0x8312, 0x00440000, CODE + 4);
	row_int("EX", vm->scb.icptstatus, ICPTSTATUS_EX | 4 << 4);
	guest_code(vm, "c61000000800"); /* EXRL 1,.+0x1000 */
	expect_insn("EXRL", vm, 0x8312, 0x00440000, CODE + 6);
	row_int("EXRL", vm->scb.icptstatus, ICPTSTATUS_EX | 6 << 4);
}

static void test_page_crossing(void **state)
{
	struct vm *vm = *state;

	put_code(vm, GUEST + 0x4ffe, DIAG);
	be64_set(&vm->scb.gpsw_addr, 0x4ffe);
	expect_insn("across pages", vm, 0x8302, 0x00440000, 0x5002);
}

/* --- What is exchanged ---------------------------------------------------------------------------- */

static void test_registers(void **state)
{
	struct vm *vm = *state;
	uint64_t host_cr1 = cpu_cr(vm->cpu, 1);

	for (unsigned int i = 0; i < 16; i++)
		cpu_set_gr(vm->cpu, i, 0x1000 + i);
	be64_set(&vm->scb.gg14, 0xe);
	be64_set(&vm->scb.gg15, 0xf);
	be64_set(&vm->scb.pp, 0x77);
	be64_set(&vm->scb.gcr[3], 0x33);
	be32_set(&vm->scb.todpr, 0x1234);
	/* AGHI 0,1; AGHI 14,1; AGHI 15,1; LCTLG 5,5,0x300; CC 2 */
	put64(vm, GUEST + 0x300, 0x5555);
	guest_code(vm, "eb550300002f a70b0001 a7eb0001 a7fb0001" DIAG);
	expect_insn("registers", vm, 0x8302, 0x00440000, CODE + 22);
	row_int("GR0", cpu_gr(vm->cpu, 0), 0x1001);
	row_int("GR13", cpu_gr(vm->cpu, 13), 0x100d);
	row_int("host GR14", cpu_gr(vm->cpu, 14), 0x100e);
	row_int("host GR15", cpu_gr(vm->cpu, 15), 0x100f);
	row_int("guest GR14", be64_get(vm->scb.gg14), 0xf);
	row_int("guest GR15", be64_get(vm->scb.gg15), 0x10);
	row_int("guest CR3", be64_get(vm->scb.gcr[3]), 0x33);
	row_int("guest CR5", be64_get(vm->scb.gcr[5]), 0x5555);
	row_int("host CR1", cpu_cr(vm->cpu, 1), host_cr1);
	row_int("host CR5", cpu_cr(vm->cpu, 5), 0);
	row_int("pp", be64_get(vm->scb.pp), 0x77);
	row_int("todpr", be32_get(vm->scb.todpr), 0x1234);
	row_int("CC in the PSW", be64_get(vm->scb.gpsw_mask), MASK_64 | 2ull << PSW_CC_SHIFT);
	row_int("ihcpu", be16_get(vm->scb.ihcpu), 0);
}

/* Guest prefix: real 0 is there; icpua and STAP are the host's business. */
static void test_prefix(void **state)
{
	struct vm *vm = *state;

	put64(vm, GUEST + 0x8300, 0x1122334455667788);
	be32_set(&vm->scb.prefix, 0x8000 | 0x123); /* IBC is not part of it */
	guest_code(vm, "e31003000004" DIAG);	   /* LG 1,0x300 */
	expect("prefix", vm, ICPT_INSTRUCTION);
	row_int("prefix", cpu_gr(vm->cpu, 1), 0x1122334455667788);
}

/* Guest TOD, and a CPU timer that runs only inside. */
static void test_clocks(void **state)
{
	struct vm *vm = *state;
	uint64_t before = machine_tod(vm->m);

	be64_set(&vm->scb.epoch, 1ull << 60);
	be64_set(&vm->scb.cputm, 1ull << 40);
	guest_code(vm, "b2050300" DIAG); /* STCK 0x300 */
	expect("STCK", vm, ICPT_INSTRUCTION);
	row_true("epoch", get64(vm, GUEST + 0x300) - (1ull << 60) - before < 4096ull * 1000000);
	row_true("timer", (1ull << 40) - be64_get(vm->scb.cputm) < 4096ull * 1000000);
	row_true("timer", be64_get(vm->scb.cputm) < 1ull << 40);
	row_int("host epoch", vm->cpu->tod_epoch, 0);
}

/* sie.c, STCKE: the epoch index counts when there is the multiple-epoch facility. */
static void test_epoch_index(void **state)
{
	struct vm *vm = *state;
	bool multiple = machine_facilities(vm->m, 139 / 64) & BIT64(139 % 64);

	put64(vm, GUEST + 0x300, UINT64_MAX);
	be32_set(&vm->scb.ecd, ECD_MEF);
	vm->scb.epdx = 0x47;
	guest_code(vm, "b2780300" DIAG); /* STCKE 0x300 */
	expect_insn("STCKE", vm, 0x8302, 0x00440000, CODE + 8);
	row_int("byte 0", get64(vm, GUEST + 0x300) >> 56, multiple ? 0x47 : 0);
}

/* --- sie-dat.c ------------------------------------------------------------------------------------- */

static void test_dat(void **state)
{
	struct vm *vm = *state;

	be64_set(&vm->scb.mso, 0x123400000); /* SM: ignored */
	be64_set(&vm->scb.msl, 0x123500000);
	cpu_set_gr(vm->cpu, 2, 0x20000);
	cpu_set_gr(vm->cpu, 1, 42);
	cpu_set_gr(vm->cpu, 3, 10);
	/* STG 1,0(2); LA 1,1(1); AGHI 2,0x1000; BCT 3,... */
	guest_code(vm, "e31020000024 41101001 a72b1000 a736fff9" DIAG);
	expect("10 pages", vm, ICPT_INSTRUCTION);
	for (unsigned int i = 0; i < 10; i++)
		row_int("page", get64(vm, GUEST + 0x20000 + i * 4096), 42 + i);

	cpu_set_gr(vm->cpu, 2, 0x100000);
	guest_code(vm, "e31020080024" DIAG); /* STG 1,8(2): behind the tables */
	row_int("outside", enter(vm), CPU_STOP_HOST_PIC);
	row_int("outside", cpu_host_pic(vm->cpu).code, PGM_SEGMENT);
	row_int("TEID", cpu_host_pic(vm->cpu).teid, 0x100000 | 1 << 10);
	row_int("no interception", vm->scb.icptcode, 0);
	row_int("nullified", be64_get(vm->scb.gpsw_addr), CODE);
	map(vm, SEGMENTS, MIB, GUEST2);
	machine_purge(vm->m);
	expect("brought in", vm, ICPT_INSTRUCTION);
	row_int("brought in", get64(vm, GUEST2 + 8), 52);
}

/* The same guest behind four levels of tables, as sie-dat.c has it, and its first exit. */
static void test_dat_regions(void **state)
{
	struct vm *vm = *state;
	const uint64_t r1 = SEGMENTS2, r2 = r1 + 0x1000, r3 = r1 + 0x2000;

	for (unsigned int i = 0; i < 3 * 512; i++)
		put64(vm, r1 + i * 8ull, 0x20);
	put64(vm, r1, r2 | 0xc);
	put64(vm, r2, r3 | 0x8);
	put64(vm, r3, SEGMENTS | 0x4); /* of 512 entries, the first is there */
	cpu_set_cr(vm->cpu, 1, r1 | 0xc);
	/* LLILF 2,0x20000; DIAG 500; LGHI 1,42; STG 1,0x20(2); LLILF 2,0x100000; STG 1,8(2) */
	guest_code(vm, "c02f00020000 83000500 a719002a e31020200024 c02f00100000 e31020080024");
	expect_insn("DIAG 500", vm, 0x8300, 0x05000000, CODE + 10);
	row_int("DIAG 500", cpu_gr(vm->cpu, 2), 0x20000);
	row_int("outside", enter(vm), CPU_STOP_HOST_PIC);
	row_int("inside", get64(vm, GUEST + 0x20020), 42);
	row_int("outside", cpu_host_pic(vm->cpu).code, PGM_SEGMENT);
	row_int("TEID", cpu_host_pic(vm->cpu).teid, 0x100000 | 1 << 10);
	row_int("no interception", vm->scb.icptcode, 0);
	row_int("nullified", be64_get(vm->scb.gpsw_addr), CODE + 26);
}

static void test_host_faults(void **state)
{
	static const struct {
		const char *name, *code;
		uint64_t pte;
		uint16_t pic;
		uint64_t teid;
	} rows[] = {
		{ "load from an invalid page", "e31020000004", 0x420000 | 0x400, PGM_PAGE,
		  0x20000 | 2 << 10 },
		{ "store to an invalid page", "e31020000024", 0x420000 | 0x400, PGM_PAGE,
		  0x20000 | 1 << 10 },
		{ "store to a protected page", "e31020000024", 0x420000 | 0x200, PGM_PROTECTION,
		  0x20000 | 1 << 10 | 4 },
		{ "fetch from an invalid page", "07f2", 0x420000 | 0x400, PGM_PAGE,
		  0x20000 | 2 << 10 },
		{ "entry with bit 52", "e31020000004", 0x420000 | 0x800, PGM_TRANSLATION_SPEC,
		  0x20000 | 2 << 10 },
		{ "page outside host storage", "e31020000004", 0x10000000000, PGM_ADDRESSING,
		  0x20000 | 2 << 10 },
	};
	struct vm *vm = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *row = rows[i].name;

		put64(vm, pte_at(SEGMENTS, 0x20000), rows[i].pte);
		machine_purge(vm->m);
		cpu_set_gr(vm->cpu, 2, 0x20000);
		guest_code(vm, rows[i].code);
		row_int(row, enter(vm), CPU_STOP_HOST_PIC);
		row_int(row, cpu_host_pic(vm->cpu).code, rows[i].pic);
		row_int(row, cpu_host_pic(vm->cpu).teid, rows[i].teid);
		row_int(row, be64_get(vm->scb.gpsw_addr), rows[i].code[0] == '0' ? 0x20000 : CODE);
		row_int(row, vm->scb.icptcode, 0);
	}
}

/* A program interruption whose lowcore is paged out comes again when it is back. */
static void test_lowcore_fault(void **state)
{
	struct vm *vm = *state;

	/* The guest reads no lowcore before; entry only needs it at the beginning. */
	guest_code(vm, "0000");
	write_scb(vm);
	put64(vm, pte_at(SEGMENTS, 0), GUEST | 0x400);
	machine_purge(vm->m);
	row_int("at entry", cpu_sie(vm->cpu, (haddr_t){ SCB_AT }), CPU_STOP_SIE_EXIT);
	read_scb(vm);
	row_int("at entry", vm->scb.icptcode, ICPT_VALIDITY);
	row_int("at entry", be32_get(vm->scb.ipb), VALIDITY_PREFIX << 16);
	put64(vm, pte_at(SEGMENTS, 0), GUEST);
	machine_purge(vm->m);
	expect("again", vm, ICPT_INSTRUCTION);
	row_int("taken", get32(vm, GUEST + 0x8c), 2 << 16 | PGM_OPERATION);
}

static void test_storage_limit(void **state)
{
	struct vm *vm = *state;

	clear_flags(vm, CPUFLAG_SM);
	map(vm, SEGMENTS, 2 * MIB, GUEST);
	map(vm, SEGMENTS, 3 * MIB, GUEST2);
	be64_set(&vm->scb.mso, 2 * MIB);
	be64_set(&vm->scb.msl, 2 * MIB); /* the block itself is inside */
	cpu_set_gr(vm->cpu, 2, MIB);
	put64(vm, GUEST + 0xffff8, 77);
	put64(vm, GUEST2, 88);
	guest_code(vm, "a72bfff8 e31020000004" DIAG); /* AGHI 2,-8; LG 1,0(2) */
	expect("last doubleword", vm, ICPT_INSTRUCTION);
	row_int("last doubleword", cpu_gr(vm->cpu, 1), 77);

	be32_set(&vm->scb.ictl, ICTL_PINT);
	cpu_set_gr(vm->cpu, 2, MIB);
	guest_code(vm, "e31020000004" DIAG);
	expect_program("beyond", vm, PGM_ADDRESSING, CODE + 6);
	row_int("beyond", be16_get(vm->scb.intr.program.ilc), 6);

	/* The same page is there when the limit moves, and gone when it moves back. */
	be64_set(&vm->scb.msl, 3 * MIB + 0xfffff);
	guest_code(vm, "e31020000004" DIAG);
	expect("moved limit", vm, ICPT_INSTRUCTION);
	row_int("moved limit", cpu_gr(vm->cpu, 1), 88);
	be64_set(&vm->scb.msl, 2 * MIB);
	guest_code(vm, "e31020000004" DIAG);
	expect_program("moved back", vm, PGM_ADDRESSING, CODE + 6);

	be64_set(&vm->scb.mso, 3 * MIB); /* nothing is within the limit */
	expect("below origin", vm, ICPT_VALIDITY);
	row_int("below origin", be32_get(vm->scb.ipb), VALIDITY_PREFIX << 16);
}

/* Translations belong to the host address space: another CR1, other storage. */
static void test_spaces(void **state)
{
	struct vm *vm = *state;
	uint64_t one = cpu_cr(vm->cpu, 1), two = new_tables(vm, SEGMENTS2, GUEST2);

	put_code(vm, GUEST + CODE, "e31003000004" DIAG);
	put_code(vm, GUEST2 + CODE, "e31003000004" DIAG);
	put64(vm, GUEST + 0x300, 1);
	put64(vm, GUEST2 + 0x300, 2);
	for (unsigned int i = 0; i < 40; i++) {
		cpu_set_cr(vm->cpu, 1, i & 1 ? two : one);
		be64_set(&vm->scb.gpsw_addr, CODE);
		expect("space", vm, ICPT_INSTRUCTION);
		row_int("space", cpu_gr(vm->cpu, 1), 1 + (i & 1));
	}
}

/* ihcpu: without it the old translation may be used, with it it must not. */
static void test_flush_request(void **state)
{
	struct vm *vm = *state;

	guest_code(vm, "e31003000004" DIAG);
	put64(vm, GUEST + 0x300, 1);
	put64(vm, GUEST2 + 0x300, 2);
	expect("first", vm, ICPT_INSTRUCTION);
	map(vm, SEGMENTS, 0, GUEST2);
	put_code(vm, GUEST2 + CODE, "e31003000004" DIAG);
	be16_set(&vm->scb.ihcpu, IHCPU_FLUSH);
	be64_set(&vm->scb.gpsw_addr, CODE);
	expect("flushed", vm, ICPT_INSTRUCTION);
	row_int("flushed", cpu_gr(vm->cpu, 1), 2);
	row_int("ihcpu", be16_get(vm->scb.ihcpu), 0);
}

/* --- Guest DAT: two levels of tables -------------------------------------------------------------- */

static void test_guest_dat(void **state)
{
	struct vm *vm = *state;

	put64(vm, GUEST + 0x30000, 0x31000);	  /* guest segment table */
	put64(vm, GUEST + 0x31000 + 4 * 8, CODE); /* virtual = real for the code */
	put64(vm, GUEST + 0x31000 + 0x50 * 8, 0x20000);
	put64(vm, GUEST + 0x31000 + 0x51 * 8, 0x21000 | 0x400);
	put64(vm, GUEST + 0x20010, 0xabcdef);
	be64_set(&vm->scb.gcr[1], 0x30000);
	be64_set(&vm->scb.gpsw_mask, MASK_64 | PSW_DAT);
	be32_set(&vm->scb.ictl, ICTL_PINT);
	cpu_set_gr(vm->cpu, 2, 0x50010);
	guest_code(vm, "e31020000004" DIAG);
	expect("guest DAT", vm, ICPT_INSTRUCTION);
	row_int("guest DAT", cpu_gr(vm->cpu, 1), 0xabcdef);
	cpu_set_gr(vm->cpu, 2, 0x51010);
	guest_code(vm, "e31020000004" DIAG);
	expect_program("guest page fault", vm, PGM_PAGE, CODE);
	row_int("TEID", be64_get(vm->scb.intr.program.teid), 0x51000 | 2 << 10);
	/* The guest's own table is paged out by the host. */
	put64(vm, pte_at(SEGMENTS, 0x31000), (GUEST + 0x31000) | 0x400);
	machine_purge(vm->m);
	row_int("table out", enter(vm), CPU_STOP_HOST_PIC);
	row_int("table out", cpu_host_pic(vm->cpu).teid, 0x31000 | 2 << 10);
}

/* --- Program interruptions ------------------------------------------------------------------------ */

static void test_program(void **state)
{
	static const struct {
		const char *name, *code;
		uint32_t ictl;
		uint8_t icpt;
		uint16_t pgm;
		uint64_t addr, problem;
	} rows[] = {
		{ "operation, OPEREXC", "b2a10012", ICTL_OPEREXC | ICTL_PINT, ICPT_OPERATION, 0,
		  CODE + 4, 0 },
		{ "operation 0000, OPEREXC", "0000", ICTL_OPEREXC, ICPT_OPERATION, 0, CODE + 2, 0 },
		{ "STHYI, OPEREXC", "b2560024", ICTL_OPEREXC, ICPT_OPERATION, 0, CODE + 4, 0 },
		{ "operation, PINT", "0000", ICTL_PINT, ICPT_PROGRAM, PGM_OPERATION, CODE + 2, 0 },
		{ "operation", "0000", 0, ICPT_INSTRUCTION, 0, HANDLER_1 + 4, 0 },
		{ "DIAG in the problem state", "83020044", ICTL_PINT, ICPT_PROGRAM, PGM_PRIVILEGED,
		  CODE + 4, PSW_PROBLEM },
		{ "SPX in the problem state", "b2100300", 0, ICPT_INSTRUCTION, 0, HANDLER_1 + 4,
		  PSW_PROBLEM },
		{ "odd address", "07f1", ICTL_PINT, ICPT_PROGRAM, PGM_SPECIFICATION, 0x5003, 0 },
		{ "divide by zero", "1d03", ICTL_PINT, ICPT_PROGRAM, PGM_FIXED_DIVIDE, CODE + 2,
		  0 },
	};
	struct vm *vm = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *row = rows[i].name;

		cpu_set_gr(vm->cpu, 1, 0x5001);
		cpu_set_gr(vm->cpu, 3, 0);
		be32_set(&vm->scb.ictl, rows[i].ictl);
		be64_set(&vm->scb.gpsw_mask, MASK_64 | rows[i].problem);
		guest_code(vm, rows[i].code);
		expect(row, vm, rows[i].icpt);
		row_int(row, be64_get(vm->scb.gpsw_addr), rows[i].addr);
		if (rows[i].icpt == ICPT_PROGRAM)
			row_int(row, be16_get(vm->scb.intr.program.code), rows[i].pgm);
	}
}

static void test_operation_text(void **state)
{
	struct vm *vm = *state;

	be32_set(&vm->scb.ictl, ICTL_OPEREXC);
	guest_code(vm, "b2560024");
	expect("text", vm, ICPT_OPERATION);
	row_int("ipa", be16_get(vm->scb.ipa), 0xb256);
	row_int("ipb", be32_get(vm->scb.ipb), 0x00240000);
	put_code(vm, GUEST + 0x5000, "b2560024");
	cpu_set_gr(vm->cpu, 5, 0x5000);
	guest_code(vm, "44005000");
	expect("EX", vm, ICPT_OPERATION);
	row_int("EX", be16_get(vm->scb.ipa), 0xb256);
	row_int("EX", vm->scb.icptstatus, ICPTSTATUS_EX | 4 << 4);
	row_int("EX", be64_get(vm->scb.gpsw_addr), CODE + 4);
}

static void test_protection(void **state)
{
	struct vm *vm = *state;

	be64_set(&vm->scb.gcr[0], 0xe0 | CR0_LOW_PROTECTION);
	guest_code(vm, "92ff0100"); /* MVI 0x100,255 */
	expect("PROTEXCI", vm, ICPT_INSTRUCTION);
	row_int("PROTEXCI", get32(vm, GUEST + 0x8c), 4 << 16 | PGM_PROTECTION);
	be32_set(&vm->scb.eca, 0);
	guest_code(vm, "92ff0100");
	expect_program("no PROTEXCI", vm, PGM_PROTECTION, CODE + 4);
	row_int("no PROTEXCI", be64_get(vm->scb.intr.program.teid), 1 << 10);
}

/* spec_ex-sie.c. An LPSW of zeros loads a long PSW with bit 12 one. */
static void test_spec_ex(void **state)
{
	struct vm *vm = *state;

	put_psw(vm, GUEST + 0x1d0, PSW_SHORT, 0xdeadbeee);
	be32_set(&vm->scb.ictl, ICTL_OPEREXC | ICTL_PINT);
	guest_code(vm, "82000300"); /* LPSW 0x300 */
	expect("SPECI off", vm, ICPT_PROGRAM);
	row_int("SPECI off", be16_get(vm->scb.intr.program.code), PGM_SPECIFICATION);
	row_true("SPECI off", be64_get(vm->scb.gpsw_addr) != 0xdeadbeee);
	vm->scb.ecb = ECB_SPECI;
	be64_set(&vm->scb.gpsw_mask, MASK_64);
	guest_code(vm, "82000300");
	expect_program("SPECI on", vm, PGM_SPECIFICATION, 0xdeadbeee);
	row_int("SPECI on", be64_get(vm->scb.gpsw_mask), PSW_SHORT);
	row_int("first one delivered", get32(vm, GUEST + 0x8c), PGM_SPECIFICATION);
}

static void test_invalid_entry_psw(void **state)
{
	struct vm *vm = *state;

	be32_set(&vm->scb.ictl, ICTL_PINT);
	be64_set(&vm->scb.gpsw_mask, MASK_64 | PSW_SHORT);
	guest_code(vm, DIAG);
	expect_program("PINT", vm, PGM_SPECIFICATION, CODE);
	row_int("ILC", be16_get(vm->scb.intr.program.ilc), 0);
	be32_set(&vm->scb.ictl, 0);
	expect("taken", vm, ICPT_INSTRUCTION);
	row_int("taken", be64_get(vm->scb.gpsw_addr), HANDLER_1 + 4);
	row_int("old PSW", get64(vm, GUEST + 0x158), CODE);
}

/* --- Instruction interceptions --------------------------------------------------------------------- */

struct controls {
	uint32_t ictl, eca, flags;
	uint16_t lctl;
	uint8_t ecb, ecb2, svcc[4];
};

static const struct {
	const char *name, *code;
	bool taken; /* intercepted */
	struct controls c;
} insn_rows[] = {
	{ "SERVC", "b2200012", true, { 0 } },
	{ "SIE", "b2142000", true, { 0 } },
	{ "STSI", "b27d2000", true, { 0 } },
	{ "STIDP", "b2020300", true, { 0 } },
	{ "STFL", "b2b10000", true, { 0 } },
	{ "SCK", "b2040300", true, { 0 } },
	{ "SCKPF", "0107", true, { 0 } },
	{ "SPX", "b2100300", true, { 0 } },
	{ "STPX", "b2110300", true, { 0 } },
	{ "STAP", "b2120300", true, { 0 } },
	{ "TB", "b22c0002", true, { 0 } },
	{ "CSCH", "b2300000", true, { 0 } },
	{ "SSCH", "b2330300", true, { 0 } },
	{ "TPI", "b2360300", true, { 0 } },
	{ "STCRW", "b2390300", true, { 0 } },
	{ "CHSC", "b25f0020", true, { 0 } },
	{ "SIGA", "b2740000", true, { 0 } },
	{ "XSCH", "b2760000", true, { 0 } },
	{ "STFLE without a list", "b2b00300", true, { 0 } },
	{ "SIGP without an SCA", "ae020001", true, { .eca = ECA_SIGPI, .ecb = ECB_SRSI } },
	{ "MVPG", "b2540024", true, { 0 } },
	{ "MVPG, MVPGI", "b2540024", false, { .eca = ECA_MVPGI } },
	{ "LPSWE, LPSW", "b2b20310", true, { .ictl = ICTL_LPSW } },
	{ "LPSW, LPSW", "82000310", true, { .ictl = ICTL_LPSW } },
	{ "LPSW, others", "82000310", false, { .ictl = ~(ICTL_LPSW | ICTL_PINT) } },
	{ "STCTL", "b6000300", false, { .ictl = ~(ICTL_STCTL | ICTL_PINT) } },
	{ "STCTL, STCTL", "b6000300", true, { .ictl = ICTL_STCTL } },
	{ "STCTG", "eb0003000025", false, { 0 } },
	{ "STCTG, STCTL", "eb0003000025", true, { .ictl = ICTL_STCTL } },
	{ "LCTL 4,5, others", "b7450300", false, { .lctl = (uint16_t) ~(LCTL_CR(4) | LCTL_CR(5)) } },
	{ "LCTL 4,5, CR5", "b7450300", true, { .lctl = LCTL_CR(5) } },
	{ "LCTL 4,5, CR4", "b7450300", true, { .lctl = LCTL_CR(4) } },
	{ "LCTL 15,1 wraps, CR0", "b7f10300", true, { .lctl = LCTL_CR(0) } },
	{ "LCTLG 2,8, CR6", "eb280300002f", true, { .lctl = LCTL_CR(6) } },
	{ "LCTLG 7,8, CR6", "eb780300002f", false, { .lctl = LCTL_CR(6) } },
	{ "ISKE", "b2290012", false, { .ictl = ~(ICTL_ISKE | ICTL_PINT) } },
	{ "ISKE, ISKE", "b2290012", true, { .ictl = ICTL_ISKE } },
	{ "SSKE", "b22b0012", false, { .ictl = ~(ICTL_SSKE | ICTL_PINT) } },
	{ "SSKE, SSKE", "b22b0012", true, { .ictl = ICTL_SSKE } },
	{ "RRBE", "b22a0012", false, { .ictl = ~(ICTL_RRBE | ICTL_PINT) } },
	{ "RRBE, RRBE", "b22a0012", true, { .ictl = ICTL_RRBE } },
	{ "TPROT", "e50120000000", false, { .ictl = ~(ICTL_TPROT | ICTL_PINT) } },
	{ "TPROT, TPROT", "e50120000000", true, { .ictl = ICTL_TPROT } },
	{ "SVC, all", "0a05", true, { .svcc = { 0x80 } } },
	{ "SVC, second number", "0a05", true, { .svcc = { 0x20, 9, 5, 9 } } },
	{ "EPSW", "b98d0012", false, { 0 } },
	{ "IPTE", "b2210012", false, { 0 } },
	{ "IDTE", "b98e0012", false, { 0 } },
	{ "SPT", "b2080300", false, { 0 } },
	{ "STCKE", "b2780300", false, { 0 } },
	{ "PTLB", "b20d0000", false, { 0 } },
	{ "LURA", "b24b0012", false, { 0 } },
};

static void apply(struct vm *vm, const struct controls *c)
{
	be32_set(&vm->scb.ictl, c->ictl);
	be32_set(&vm->scb.eca, c->eca | ECA_PROTEXCI);
	be16_set(&vm->scb.lctl, c->lctl);
	vm->scb.ecb = c->ecb;
	vm->scb.ecb2 = c->ecb2;
	memcpy(vm->scb.svcc, c->svcc, sizeof(c->svcc));
	set_flags(vm, c->flags);
}

/* What is not intercepted is executed, and then comes a DIAG. */
static void one_insn(struct vm *vm, const char *row, const char *code, bool taken)
{
	AUTO_BYTES b = unit_hex(code);
	char text[64];

	snprintf(text, sizeof(text), "%s" DIAG, code);
	guest_code(vm, text);
	cpu_set_gr(vm->cpu, 1, 0x20000);
	cpu_set_gr(vm->cpu, 2, 0x20000);
	cpu_set_gr(vm->cpu, 4, 0x21000);
	put_code(vm, GUEST + 0x310, "00080000 80004004"); /* short PSW: behind LPSW */
	put64(vm, GUEST + 0x300, 0);
	be64_set(&vm->scb.gpsw_mask, MASK_64);
	expect(row, vm, ICPT_INSTRUCTION);
	row_int(row, be16_get(vm->scb.ipa) == 0x8302, !taken);
	if (taken) {
		row_int(row, be16_get(vm->scb.ipa), b.data[0] << 8 | b.data[1]);
		row_int(row, be64_get(vm->scb.gpsw_addr), CODE + b.len);
	}
}

static void test_instructions(void **state)
{
	struct vm *vm = *state;
	be64 cr0 = vm->scb.gcr[0];

	for (size_t i = 0; i < ARRAY_SIZE(insn_rows); i++) {
		vm->scb.gcr[0] = cr0;
		apply(vm, &insn_rows[i].c);
		one_insn(vm, insn_rows[i].name, insn_rows[i].code, insn_rows[i].taken);
	}
}

static void test_kss(void **state)
{
	static const char *const code[] = { "b2290012", "b22b0012", "b22a0012" };
	struct vm *vm = *state;

	set_flags(vm, CPUFLAG_KSS);
	be32_set(&vm->scb.ictl, ICTL_ISKE | ICTL_SSKE | ICTL_RRBE);
	for (size_t i = 0; i < ARRAY_SIZE(code); i++) {
		guest_code(vm, code[i]);
		expect(code[i], vm, ICPT_KSS);
		row_int(code[i], be64_get(vm->scb.gpsw_addr), CODE);
	}
}

/*
 * intercept.c: these are the host's business whatever their operand is (low-address protected, odd,
 * outside of storage), and nothing is stored. Only the problem state is the guest's own fault.
 */
static void test_intercept_operands(void **state)
{
	static const struct {
		const char *name, *code;
		uint16_t ipa;
		uint32_t ipb;
	} rows[] = {
		{ "STPX", "b2111000", 0xb211, 0x10000000 },
		{ "STAP", "b2121000", 0xb212, 0x10000000 },
		{ "STIDP", "b2021000", 0xb202, 0x10000000 },
		{ "SPX", "b2101000", 0xb210, 0x10000000 },
		{ "STFL", "b2b11000", 0xb2b1, 0x10000000 },
		{ "TB", "b22c0001", 0xb22c, 0x00010000 },
		{ "DIAG 318", "83000318", 0x8300, 0x03180000 },
	};
	static const uint64_t operands[] = { 0x20000, 8, 1, 0x1000, -8ull, -0x1000ull };
	struct vm *vm = *state;

	be32_set(&vm->scb.ictl, ICTL_PINT);
	be64_set(&vm->scb.gcr[0], 0xe0 | CR0_LOW_PROTECTION);
	put64(vm, GUEST + 0x20000, 0x77);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(operands); k++) {
			cpu_set_gr(vm->cpu, 1, operands[k]);
			guest_code(vm, rows[i].code);
			expect_insn(rows[i].name, vm, rows[i].ipa, rows[i].ipb, CODE + 4);
		}
		be64_set(&vm->scb.gpsw_mask, MASK_64 | PSW_PROBLEM);
		guest_code(vm, rows[i].code);
		expect_program(rows[i].name, vm, PGM_PRIVILEGED, CODE + 4);
		be64_set(&vm->scb.gpsw_mask, MASK_64);
		row_int(rows[i].name, get64(vm, GUEST + 0x20000), 0x77);
	}
}

/* --- The interlock of IPTE, IDTE, CSP and CSPG with the host ------------------------------------------ */

#define TABLE_AT    0x20000ull /* in the guest */
#define TABLE_BYTES 0x4000u

static const struct interlock_row {
	const char *name, *code;
	uint64_t gr1, gr2, gr4;
} interlock_rows[] = {
	{ "IPTE", "b2210012", TABLE_AT, 0x3000, 0 },
	{ "IPTE with R3 and M4", "b2213112", TABLE_AT, 0x3000, 0 },
	{ "IPTE outside", "b2210012", 2 * MIB, 0x3000, 0 },
	{ "IDTE, three entries", "b98e0012", TABLE_AT, 0x500002, 0 },
	{ "IDTE, region table, wraps", "b98e0012", TABLE_AT | 8, 2047ull << 42 | 1, 0 },
	{ "IDTE, clearing", "b98e0012", TABLE_AT, 0x500802, 0 },
	{ "IDTE, reserved bit", "b98e0012", TABLE_AT, 0x501002, 0 },
	{ "IDTE runs out of storage", "b98e0012", MIB - 0x1000, 510ull << 20 | 7, 0 },
	{ "CSP, equal", "b2500042", 0, TABLE_AT + 8, 0x5a5a5a5a },
	{ "CSP, equal, purge", "b2500042", 0, TABLE_AT + 9, 0x5a5a5a5a },
	{ "CSP, not equal", "b2500042", 0, TABLE_AT + 9, 0x1234 },
	{ "CSP, R1 odd", "b2500052", 0, TABLE_AT + 9, 0x5a5a5a5a },
	{ "CSP outside", "b2500042", 0, 2 * MIB, 0 },
	{ "CSPG, equal, purge", "b98a0042", 0, TABLE_AT + 9, 0x5a5a5a5a5a5a5a5a },
	{ "CSPG, not equal", "b98a0042", 0, TABLE_AT + 8, 0x5a5a5a5a },
	{ "CSPG, R1 odd", "b98a0052", 0, TABLE_AT + 8, 0 },
	{ "CSPG outside", "b98a0042", 0, 2 * MIB + 1, 0 },
};

/* All that an instruction can have done. */
struct outcome {
	enum cpu_stop stop;
	struct pic pic; /* the host's */
	struct scb scb;
	uint64_t gr[16];
	uint8_t table[TABLE_BYTES];
};

static void interlock_run(struct vm *vm, const struct interlock_row *r, struct outcome *out)
{
	char text[64];

	memset(out, 0, sizeof(*out));
	memset(out->table, 0x5a, sizeof(out->table));
	put(vm, GUEST + TABLE_AT, out->table, sizeof(out->table));
	snprintf(text, sizeof(text), "%s" DIAG, r->code);
	guest_code(vm, text);
	be64_set(&vm->scb.gpsw_mask, MASK_64 | 2ull << PSW_CC_SHIFT);
	memset(&vm->scb.intr, 0, sizeof(vm->scb.intr));
	for (unsigned int i = 0; i < 14; i++)
		cpu_set_gr(vm->cpu, i, 0xee00 + i);
	cpu_set_gr(vm->cpu, 1, r->gr1);
	cpu_set_gr(vm->cpu, 2, r->gr2);
	cpu_set_gr(vm->cpu, 4, r->gr4);
	cpu_set_gr(vm->cpu, 5, 0x1122334455667788);
	out->stop = enter(vm);
	if (out->stop == CPU_STOP_HOST_PIC)
		out->pic = cpu_host_pic(vm->cpu);
	out->scb = vm->scb;
	be64_set(&out->scb.cputm, 0); /* it runs */
	be32_set(&out->scb.scaol, 0);
	for (unsigned int i = 0; i < 16; i++)
		out->gr[i] = cpu_gr(vm->cpu, i);
	assert_int_equal(storage_read(vm->m, (haddr_t){ GUEST + TABLE_AT }, out->table,
				      sizeof(out->table))
				 .code,
			 0);
}

/* With an SCA another piece of code does the work: it must do the same. */
static void interlock_same(struct vm *vm, const struct interlock_row *r)
{
	const uint64_t held = 0x0000000300000005; /* kh 3: old; kg 5: other CPUs */
	static struct outcome without, with;

	be32_set(&vm->scb.scaol, 0);
	interlock_run(vm, r, &without);
	be32_set(&vm->scb.scaol, SCA_AT);
	put64(vm, SCA_AT, held);
	interlock_run(vm, r, &with);
	row_int(r->name, get64(vm, SCA_AT), held);
	row_int(r->name, with.stop, without.stop);
	row_int(r->name, with.pic.code, without.pic.code);
	row_int(r->name, with.pic.teid, without.pic.teid);
	row_mem(r->name, &with.scb, &without.scb, sizeof(with.scb));
	row_mem(r->name, with.gr, without.gr, sizeof(with.gr));
	row_mem(r->name, with.table, without.table, sizeof(with.table));
	put64(vm, SCA_AT, 0xffffffff); /* kg does not run over into kh */
	interlock_run(vm, r, &with);
	row_int(r->name, get64(vm, SCA_AT), 0xffffffff);
}

/* k: nothing happens, whatever the operands are. */
static void interlock_intercepted(struct vm *vm, const struct interlock_row *r)
{
	static struct outcome out;
	AUTO_BYTES b = unit_hex(r->code);

	put64(vm, SCA_AT, IPTE_CONTROL_K | 1ull << 32);
	interlock_run(vm, r, &out);
	row_int(r->name, out.stop, CPU_STOP_SIE_EXIT);
	row_int(r->name, out.scb.icptcode, ICPT_INSTRUCTION);
	row_int(r->name, be16_get(out.scb.ipa), b.data[0] << 8 | b.data[1]);
	row_int(r->name, be64_get(out.scb.gpsw_addr), CODE + 4);
	row_int(r->name, get64(vm, SCA_AT), IPTE_CONTROL_K | 1ull << 32);
	for (size_t i = 0; i < sizeof(out.table); i++)
		row_int(r->name, out.table[i], 0x5a);
}

static void test_interlock(void **state)
{
	struct vm *vm = *state;

	be32_set(&vm->scb.ictl, ICTL_PINT);
	for (size_t i = 0; i < ARRAY_SIZE(interlock_rows); i++) {
		const struct interlock_row *r = &interlock_rows[i];

		set_flags(vm, CPUFLAG_SM); /* outside: a fault of the host */
		interlock_same(vm, r);
		clear_flags(vm, CPUFLAG_SM); /* outside: an addressing exception of the guest */
		interlock_same(vm, r);
		interlock_intercepted(vm, r);
	}
}

/* What the rows are meant to do, not only that both ways agree. */
static void test_interlock_effects(void **state)
{
	static struct outcome out;
	struct vm *vm = *state;

	be32_set(&vm->scb.scaol, SCA_AT);
	interlock_run(vm, &interlock_rows[0], &out);
	row_int("IPTE", get64(vm, GUEST + TABLE_AT + 0x18), 0x5a5a5a5a5a5a5e5a);
	row_int("IPTE", get64(vm, GUEST + TABLE_AT + 0x20), 0x5a5a5a5a5a5a5a5a);
	interlock_run(vm, &interlock_rows[3], &out);
	for (unsigned int i = 4; i <= 8; i++)
		row_int("IDTE", get64(vm, GUEST + TABLE_AT + i * 8),
			i == 4 || i == 8 ? 0x5a5a5a5a5a5a5a5a : 0x5a5a5a5a5a5a5a7a);
	interlock_run(vm, &interlock_rows[9], &out);
	row_int("CSP", get64(vm, GUEST + TABLE_AT + 8), 0x556677885a5a5a5a);
	row_int("CC", be64_get(out.scb.gpsw_mask) & PSW_CC, 0);
	interlock_run(vm, &interlock_rows[10], &out);
	row_int("CSP, not equal", out.gr[4], 0x5a5a5a5a);
	row_int("CC", be64_get(out.scb.gpsw_mask) & PSW_CC, 1ull << PSW_CC_SHIFT);
}

#define LAST_ENTRY (TABLE_AT + TABLE_BYTES - 8)

#define LOCKS	  200u
#define LOCKS_MAX 20000u /* the guest does not get at it, or does not care */

struct locker {
	struct vm *vm;
	atomic_uint met;      /* interceptions */
	unsigned int changed; /* times that the guest's IDTE went on while k was set */
};

static bool last_entry_set(const struct vm *vm)
{
	const uint64_t *p = (const uint64_t *)(void *)(vm->m->host + GUEST + LAST_ENTRY);

	return __atomic_load_n(p, __ATOMIC_SEQ_CST);
}

/* k is set: an IDTE that is under way would reach the last entry in this time. */
static bool entry_appears(const struct vm *vm)
{
	uint64_t end = machine_tod(vm->m) + 4096 * 300;

	if (last_entry_set(vm))
		return false;
	while (machine_tod(vm->m) < end)
		if (last_entry_set(vm))
			return true;
	return false;
}

/* A host that reads guest tables, often: as ipte_lock_siif() of KVM does. */
static void *locking_host(void *arg)
{
	struct locker *l = arg;
	uint64_t *control = (uint64_t *)(void *)(l->vm->m->host + SCA_AT);

	for (unsigned int held = 0; held < LOCKS_MAX && (held < LOCKS || !l->met);) {
		uint64_t free = 0;

		if (!__atomic_compare_exchange_n(control, &free, swap64(IPTE_CONTROL_K), false,
						 __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			continue; /* kg is held */
		l->changed += entry_appears(l->vm);
		__atomic_fetch_and(control, ~swap64(IPTE_CONTROL_K), __ATOMIC_SEQ_CST);
		sched_yield();
		held++;
	}
	cpu_kick(l->vm->cpu);
	return NULL;
}

/* Repeats the guest's instruction when it was intercepted, until the other thread has finished. */
static void test_interlock_race(void **state)
{
	struct vm *vm = *state;
	struct locker l = { .vm = vm };
	pthread_t thread;

	be32_set(&vm->scb.scaol, SCA_AT);
	cpu_set_gr(vm->cpu, 1, TABLE_AT);
	cpu_set_gr(vm->cpu, 2, TABLE_BYTES / 8 - 1); /* all entries */
	cpu_set_gr(vm->cpu, 3, LAST_ENTRY);
	cpu_set_gr(vm->cpu, 4, 0);
	/* STG 4,0(3); IDTE 1,0,2; J */
	guest_code(vm, "e34030000024 b98e0012 a7f4fffb");
	assert_int_equal(pthread_create(&thread, NULL, locking_host, &l), 0);
	while (enter(vm) != CPU_STOP_KICKED) {
		row_int("IDTE", vm->scb.icptcode, ICPT_INSTRUCTION);
		row_int("IDTE", be16_get(vm->scb.ipa), 0xb98e);
		be64_set(&vm->scb.gpsw_addr, be64_get(vm->scb.gpsw_addr) - 4);
		l.met++;
	}
	pthread_join(thread, NULL);
	row_int("went on while k was set", l.changed, 0);
	row_true("met", l.met > 0);
	row_true("the guest goes on", get64(vm, GUEST + TABLE_AT) > 0);
	row_int("ipte_control", get64(vm, SCA_AT), 0);
}

/* --- mvpg-sie.c ------------------------------------------------------------------------------------- */

static void test_mvpg(void **state)
{
	struct vm *vm = *state;
	uint64_t dest = pte_at(SEGMENTS, 0x9000), source = pte_at(SEGMENTS, 0xa000);

	cpu_set_gr(vm->cpu, 0, 0);
	cpu_set_gr(vm->cpu, 1, 0x9000);
	cpu_set_gr(vm->cpu, 2, 0xa000);
	be32_set(&vm->scb.eca, ECA_MVPGI);
	put64(vm, GUEST + 0xa008, 0x1234);
	guest_code(vm, "b2540012" DIAG);
	expect_insn("copied", vm, 0x8302, 0x00440000, CODE + 8);
	row_int("copied", get64(vm, GUEST + 0x9008), 0x1234);

	assert_int_equal(storage_clear(vm->m, (haddr_t){ GUEST + 0x9000 }, 4096).code, 0);
	put64(vm, source, (GUEST + 0xa000) | 0x400);
	machine_purge(vm->m);
	guest_code(vm, "b2540012" DIAG);
	expect("source out", vm, ICPT_PARTIAL);
	row_int("source out", be16_get(vm->scb.ipa), 0xb254);
	row_int("source out", be32_get(vm->scb.ipb), 0x00120000);
	row_int("source out", be64_get(vm->scb.gpsw_addr), CODE + 4);
	row_int("source PTE", get64(vm, be64_get(vm->scb.intr.pei.source_pte)),
		(GUEST + 0xa000) | 0x400);
	row_int("dest PTE", be64_get(vm->scb.intr.pei.dest_pte), dest);
	row_int("dest PTE", get64(vm, dest), GUEST + 0x9000);
	row_int("untouched", get64(vm, GUEST + 0x9008), 0);
	expect_insn("goes on", vm, 0x8302, 0x00440000, CODE + 8);

	put64(vm, source, GUEST + 0xa000);
	put64(vm, dest, (GUEST + 0x9000) | 0x400);
	machine_purge(vm->m);
	guest_code(vm, "b2540012" DIAG);
	expect("dest out", vm, ICPT_PARTIAL);
	row_int("dest PTE", be64_get(vm->scb.intr.pei.dest_pte), dest);
	row_int("dest PTE", get64(vm, dest), (GUEST + 0x9000) | 0x400);
	row_int("source PTE", get64(vm, be64_get(vm->scb.intr.pei.source_pte)), GUEST + 0xa000);
	row_int("untouched", get64(vm, GUEST + 0x9008), 0);

	/* No segment: the host's translation exception. */
	cpu_set_gr(vm->cpu, 2, MIB);
	guest_code(vm, "b2540012");
	row_int("no segment", enter(vm), CPU_STOP_HOST_PIC);
}

/* --- stfle-sie.c ------------------------------------------------------------------------------------ */

static void test_stfle(void **state)
{
	struct vm *vm = *state;
	uint8_t list[64], got[64];
	unsigned int n;

	n = MACHINE_FACILITY_WORDS;
	assert_true(n <= 8);
	unit_pattern(list, sizeof(list), 7);
	put(vm, FAC_AT, list, sizeof(list));
	be32_set(&vm->scb.fac, FAC_AT);
	cpu_set_gr(vm->cpu, 0, 0xabcdef0000000007);
	guest_code(vm, "b2b00300" DIAG);
	expect_insn("whole list", vm, 0x8302, 0x00440000, CODE + 8);
	row_int("whole list", cpu_gr(vm->cpu, 0), 0xabcdef0000000000 | (n - 1));
	row_int("CC", be64_get(vm->scb.gpsw_mask) & PSW_CC, 0);
	assert_int_equal(storage_read(vm->m, (haddr_t){ GUEST + 0x300 }, got, 8ul * n).code, 0);
	row_mem("whole list", got, list, 8ul * n);
	if (n > 1) {
		put64(vm, GUEST + 0x308, 0);
		cpu_set_gr(vm->cpu, 0, 0);
		guest_code(vm, "b2b00300" DIAG);
		expect("one", vm, ICPT_INSTRUCTION);
		row_int("CC", be64_get(vm->scb.gpsw_mask) & PSW_CC, 3ull << PSW_CC_SHIFT);
		row_int("one", get64(vm, GUEST + 0x308), 0);
	}
	be32_set(&vm->scb.ictl, ICTL_PINT);
	guest_code(vm, "b2b00304");
	expect_program("alignment", vm, PGM_SPECIFICATION, CODE + 4);
}

/* --- Validity ------------------------------------------------------------------------------------- */

static void test_validity(void **state)
{
	static const struct {
		const char *name;
		uint16_t why;
		uint32_t clear, set;
		size_t at; /* of a field of 4 bytes to change */
		uint32_t value;
	} rows[] = {
		{ "not z/Architecture", VALIDITY_CPUFLAGS, CPUFLAG_ZARCH, 0, 0, 0 },
		{ "RRF", VALIDITY_CPUFLAGS, 0, CPUFLAG_RRF, 0, 0 },
		{ "MCDS", VALIDITY_CPUFLAGS, 0, CPUFLAG_MCDS, 0, 0 },
		{ "GED and GED2", VALIDITY_CPUFLAGS, 0, CPUFLAG_GED | CPUFLAG_GED2, 0, 0 },
		{ "SLSV", VALIDITY_SLS, 0, CPUFLAG_SLSV, 0, 0 },
		{ "SLSR", VALIDITY_SLS, 0, CPUFLAG_SLSR, 0, 0 },
		{ "SCA in the first 8 KiB", VALIDITY_SCA_LOW, 0, 0, 0x64, 0x1800 },
		{ "SCA across pages", VALIDITY_SCA_CROSSES, 0, 0, 0x64, SCA_AT + 0x800 },
		{ "SCA outside storage", VALIDITY_SCA_ACCESS, 0, 0, 0x64, 0x70000000 },
		{ "SCA far outside", VALIDITY_SCA_ACCESS, 0, 0, 0x5c, 0x70000000 },
		{ "SCA in the host's prefix area", VALIDITY_SCA_PREFIX, 0, 0, 0x64, 0x308000 },
		{ "prefix outside", VALIDITY_PREFIX, 0, 0, 0x04, 0x100000 },
		{ "facility list", VALIDITY_FAC, 0, 0, 0x1a0, 0x70000000 },
		{ "format 4", VALIDITY_PV_NOT_INIT, 0, 0, 0x68, 0x02000000 },
		{ "unknown format", VALIDITY_PV_NOT_INIT, 0, 0, 0x68, 0x01000000 },
		{ "no CRYCB", VALIDITY_CRYCB_ZERO, 0, 0, 0x60, 0x00000004 },
		{ "TDB", VALIDITY_ITDB, 0, 0, 0x60, 0x00100000 },
		{ "runtime instrumentation", VALIDITY_RICCB, 0, 0, 0x60, 0x00000001 },
		{ "no SDNX", VALIDITY_SDNX_ADDR, 0, 0, 0x60, 0x00400000 },
	};
	struct vm *vm = *state;
	const struct scb good = vm->scb;
	uint8_t *bytes = (uint8_t *)&vm->scb;

	guest_code(vm, DIAG);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *row = rows[i].name;
		struct scb was;
		be32 v;

		vm->cpu->prefix = 0x308000;
		vm->scb = good;
		clear_flags(vm, rows[i].clear);
		set_flags(vm, rows[i].set);
		be64_set(&vm->scb.itdba, 0x7000000000);
		be64_set(&vm->scb.riccbd, 0x1000);
		be32_set(&v, rows[i].value);
		if (rows[i].at)
			memcpy(bytes + rows[i].at, &v, sizeof(v));
		was = vm->scb;
		expect(row, vm, ICPT_VALIDITY);
		row_int(row, be32_get(vm->scb.ipb), (uint32_t)rows[i].why << 16);
		was.icptcode = vm->scb.icptcode;
		was.ipa = vm->scb.ipa;
		was.ipb = vm->scb.ipb;
		row_mem(row, &vm->scb, &was, sizeof(was));
		vm->scb = good;
		expect("corrected", vm, ICPT_INSTRUCTION);
	}
}

static void test_operand(void **state)
{
	static const struct {
		const char *name;
		uint64_t at;
		uint16_t code;
	} rows[] = {
		{ "not on 512 bytes", SCB_AT + 256, PGM_SPECIFICATION },
		{ "outside storage", 16 * MIB, PGM_ADDRESSING },
		{ "far outside", 0xfffffffffffffe00, PGM_ADDRESSING },
		{ "secure", SCB2_AT, PGM_SECURE_ACCESS },
	};
	struct vm *vm = *state;

	atomic_store(&vm->m->frames[SCB2_AT / FRAME_BYTES].state, FRAME_SECURE);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		row_int(rows[i].name, cpu_sie(vm->cpu, (haddr_t){ rows[i].at }), CPU_STOP_HOST_PIC);
		row_int(rows[i].name, cpu_host_pic(vm->cpu).code, rows[i].code);
	}
}

/* --- Intervention requests, interruptions ----------------------------------------------------------- */

static void test_requests(void **state)
{
	static const struct {
		const char *name;
		uint32_t flags;
		uint64_t psw;
		uint8_t code;
	} rows[] = {
		{ "stop", CPUFLAG_STOP_INT, 0, ICPT_STOP },
		{ "stop before others", CPUFLAG_STOP_INT | CPUFLAG_EXT_INT, PSW_EXT, ICPT_STOP },
		{ "external, enabled", CPUFLAG_EXT_INT, PSW_EXT, ICPT_EXT_REQUEST },
		{ "external, disabled", CPUFLAG_EXT_INT, PSW_IO, ICPT_INSTRUCTION },
		{ "I/O, enabled", CPUFLAG_IO_INT, PSW_IO, ICPT_IO_REQUEST },
		{ "I/O, disabled", CPUFLAG_IO_INT, PSW_EXT, ICPT_INSTRUCTION },
		{ "external before I/O", CPUFLAG_IO_INT | CPUFLAG_EXT_INT, PSW_IO | PSW_EXT,
		  ICPT_EXT_REQUEST },
		{ "wait", 0, PSW_WAIT, ICPT_WAIT },
		{ "enabled wait", 0, PSW_WAIT | PSW_EXT | PSW_IO, ICPT_WAIT },
		{ "wait with a request", CPUFLAG_IO_INT, PSW_WAIT | PSW_IO, ICPT_IO_REQUEST },
	};
	struct vm *vm = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		clear_flags(vm, CPUFLAG_STOP_INT | CPUFLAG_EXT_INT | CPUFLAG_IO_INT);
		set_flags(vm, rows[i].flags);
		be64_set(&vm->scb.gpsw_mask, MASK_64 | rows[i].psw);
		guest_code(vm, DIAG);
		expect(rows[i].name, vm, rows[i].code);
		row_int(rows[i].name, be64_get(vm->scb.gpsw_addr),
			CODE + (rows[i].code == ICPT_INSTRUCTION ? 4 : 0));
	}
}

/* Requests that the guest enables later: by STOSM and LPSWE; and a wait PSW that it loads. */
static void test_enabling(void **state)
{
	struct vm *vm = *state;

	set_flags(vm, CPUFLAG_EXT_INT);
	guest_code(vm, "ad010300 00000000"); /* STOSM 0x300,1 */
	expect("STOSM", vm, ICPT_EXT_REQUEST);
	row_int("STOSM", be64_get(vm->scb.gpsw_addr), CODE + 4);
	clear_flags(vm, CPUFLAG_EXT_INT);
	set_flags(vm, CPUFLAG_IO_INT);
	put_psw(vm, GUEST + 0x300, MASK_64 | PSW_IO, 0x5000);
	be64_set(&vm->scb.gpsw_mask, MASK_64);
	guest_code(vm, "b2b20300"); /* LPSWE 0x300 */
	expect("LPSWE", vm, ICPT_IO_REQUEST);
	row_int("LPSWE", be64_get(vm->scb.gpsw_addr), 0x5000);
	clear_flags(vm, CPUFLAG_IO_INT);
	put_psw(vm, GUEST + 0x300, MASK_64 | PSW_WAIT, 0x5000);
	be64_set(&vm->scb.gpsw_mask, MASK_64);
	guest_code(vm, "b2b20300");
	expect("wait", vm, ICPT_WAIT);
	row_int("wait", be64_get(vm->scb.gpsw_mask), MASK_64 | PSW_WAIT);
	row_int("wait", be64_get(vm->scb.gpsw_addr), 0x5000);
}

static void test_guest_clocks(void **state)
{
	struct vm *vm = *state;

	be64_set(&vm->scb.gpsw_mask, MASK_64 | PSW_EXT);
	be64_set(&vm->scb.gcr[0], CR0_CKC | CR0_CPU_TIMER);
	be64_set(&vm->scb.ckc, machine_tod(vm->m) + 4096 * 2000); /* in 2 ms */
	guest_code(vm, LOOP);
	expect("CKC", vm, ICPT_INSTRUCTION);
	row_int("CKC", get32(vm, GUEST + 0x84), EXT_CKC);
	row_int("CKC", get64(vm, GUEST + 0x138), CODE);
	row_int("CKC", be64_get(vm->scb.gpsw_addr), HANDLER_1 + 4);
	be64_set(&vm->scb.ckc, UINT64_MAX);
	be64_set(&vm->scb.cputm, 4096 * 2000);
	be64_set(&vm->scb.gpsw_mask, MASK_64 | PSW_EXT);
	guest_code(vm, LOOP);
	expect("CPU timer", vm, ICPT_INSTRUCTION);
	row_int("CPU timer", get32(vm, GUEST + 0x84), EXT_CPU_TIMER);
	row_true("CPU timer", (int64_t)be64_get(vm->scb.cputm) < 0);
	/* In a wait, too. */
	be64_set(&vm->scb.gpsw_mask, MASK_64 | PSW_EXT | PSW_WAIT);
	guest_code(vm, LOOP);
	expect("pending in a wait", vm, ICPT_INSTRUCTION);
	row_int("pending in a wait", get64(vm, GUEST + 0x130), MASK_64 | PSW_EXT | PSW_WAIT);
}

/* Code 0x14 (sie.md section 4). */
static void test_external_interception(void **state)
{
	struct vm *vm = *state;

	be64_set(&vm->scb.gcr[0], CR0_CKC);
	be64_set(&vm->scb.ckc, 0);
	be64_set(&vm->scb.gpsw_mask, MASK_64 | PSW_EXT);
	put_psw(vm, GUEST + 0x1b0, MASK_64 | PSW_EXT, HANDLER_1);
	guest_code(vm, LOOP);
	expect("loop", vm, ICPT_EXT_INTERRUPTION);
	row_int("loop", be16_get(vm->scb.intr.ext.code), EXT_CKC);
	row_int("not swapped", be64_get(vm->scb.gpsw_addr), CODE);
	put_psw(vm, GUEST + 0x1b0, MASK_64, HANDLER_1);
	set_flags(vm, CPUFLAG_EXT_INT);
	expect("at entry the request is first", vm, ICPT_EXT_REQUEST);
	be64_set(&vm->scb.gpsw_mask, MASK_64);
	guest_code(vm, "ad010300" LOOP);
	expect("EXT_INT", vm, ICPT_EXT_INTERRUPTION);
	row_int("EXT_INT", be64_get(vm->scb.gpsw_addr), CODE + 4);
	be32_set(&vm->scb.eca, ECA_CEI);
	be64_set(&vm->scb.gpsw_mask, MASK_64);
	guest_code(vm, "ad010300" LOOP);
	expect("CEI", vm, ICPT_INSTRUCTION);
	row_int("CEI", be64_get(vm->scb.gpsw_addr), HANDLER_1 + 4);
}

/* --- SIGP and SCA ------------------------------------------------------------------------------------ */

struct sca_shape {
	const char *name;
	bool extended;
	uint64_t entry, entry_bytes, ctrl, mcn;
};

static const struct sca_shape sca_shapes[] = {
	{ "basic", false, 0x40, 32, 1, 0x30 },
	{ "extended", true, 0x100, 64, 0, 0x40 },
};

/* CPUs 0 (SCB_AT) and 3 (SCB2_AT). */
static void make_sca(struct vm *vm, const struct sca_shape *f)
{
	struct scb other = vm->scb;

	assert_int_equal(storage_clear(vm->m, (haddr_t){ SCA_AT }, 0x4000).code, 0);
	put64(vm, SCA_AT + f->mcn, BIT64(0) | BIT64(3));
	put64(vm, SCA_AT + f->entry + 8, SCB_AT);
	put64(vm, SCA_AT + f->entry + 3 * f->entry_bytes + 8, SCB2_AT);
	be32_set(&vm->scb.scaol, SCA_AT);
	vm->scb.ecb2 = f->extended ? ECB2_ESCA : 0;
	be32_set(&vm->scb.eca, ECA_SIGPI);
	vm->scb.ecb = ECB_SRSI;
	be16_set(&vm->scb.icpua, 0);
	other = vm->scb;
	be16_set(&other.icpua, 3);
	put(vm, SCB2_AT, &other, sizeof(other));
}

static uint32_t other_flags(struct vm *vm, uint32_t mask, uint32_t bits)
{
	uint32_t old;

	assert_int_equal(storage_update32(vm->m, (haddr_t){ SCB2_AT }, mask, bits, &old).code, 0);
	return old;
}

static void sigp(struct vm *vm, const char *code, uint16_t to)
{
	char text[64];

	snprintf(text, sizeof(text), "%s" DIAG, code);
	guest_code(vm, text);
	cpu_set_gr(vm->cpu, 0, 0xeeeeeeeeeeeeeeee);
	cpu_set_gr(vm->cpu, 2, to);
}

static void expect_cc(const char *row, struct vm *vm, unsigned int cc)
{
	expect_insn(row, vm, 0x8302, 0x00440000, CODE + 8);
	row_int(row, be64_get(vm->scb.gpsw_mask) >> PSW_CC_SHIFT & 3, cc);
}

static void sigp_orders(struct vm *vm, const struct sca_shape *f)
{
	const char *row = f->name;
	uint64_t ctrl = SCA_AT + f->entry + 3 * f->entry_bytes;

	sigp(vm, "ae020001", 3); /* sense */
	expect_cc(row, vm, 0);
	sigp(vm, "ae020015", 3); /* sense running */
	expect_cc(row, vm, 0);
	other_flags(vm, ~CPUFLAG_RUNNING, 0);
	sigp(vm, "ae020015", 3);
	expect_cc(row, vm, 1);
	row_int(row, cpu_gr(vm->cpu, 0), 0xeeeeeeee00000400);
	sigp(vm, "ae020002", 3); /* external call */
	expect_cc(row, vm, 0);
	row_int(row, get64(vm, ctrl) >> 48, f->extended ? 0x8000 : 0x0080);
	row_true(row, other_flags(vm, UINT32_MAX, 0) & CPUFLAG_ECALL_PEND);
	sigp(vm, "ae020002", 3);
	expect_insn("one is pending", vm, 0xae02, 0x00020000, CODE + 4);
	sigp(vm, "ae020001", 3);
	expect_insn("sense, one is pending", vm, 0xae02, 0x00010000, CODE + 4);
	sigp(vm, "ae020005", 3);
	expect_insn("stop", vm, 0xae02, 0x00050000, CODE + 4);
	sigp(vm, "ae020001", 7);
	expect_insn("not in the SCA", vm, 0xae02, 0x00010000, CODE + 4);
	put64(vm, ctrl, 0);
	other_flags(vm, ~CPUFLAG_ECALL_PEND, CPUFLAG_WAIT);
	sigp(vm, "ae020002", 3);
	expect("sleeping target", vm, ICPT_PARTIAL);
	row_int("sleeping target", be16_get(vm->scb.ipa), 0xae02);
	row_int("sleeping target", be64_get(vm->scb.gpsw_addr), CODE + 4);
	other_flags(vm, UINT32_MAX, CPUFLAG_STOPPED);
	put64(vm, ctrl, 0);
	sigp(vm, "ae020001", 3);
	expect_insn("sense, stopped", vm, 0xae02, 0x00010000, CODE + 4);
}

static void test_sigp(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(sca_shapes); i++) {
		make_sca(*state, &sca_shapes[i]);
		sigp_orders(*state, &sca_shapes[i]);
	}
}

/* The target takes it when it is enabled. */
static void test_external_call(void **state)
{
	struct vm *vm = *state;

	for (size_t i = 0; i < ARRAY_SIZE(sca_shapes); i++) {
		const struct sca_shape *f = &sca_shapes[i];

		make_sca(vm, f);
		put64(vm, SCA_AT + f->entry, f->extended ? 0x8005000000000000 : 0x0085000000000000);
		set_flags(vm, CPUFLAG_ECALL_PEND);
		be64_set(&vm->scb.gpsw_mask, MASK_64 | PSW_EXT);
		be64_set(&vm->scb.gcr[0], 0xe0);
		guest_code(vm, DIAG);
		expect_insn("CR0 disables", vm, 0x8302, 0x00440000, CODE + 4);
		be64_set(&vm->scb.gcr[0], 0xe0 | CR0_EXTERNAL_CALL);
		guest_code(vm, LOOP);
		expect(f->name, vm, ICPT_INSTRUCTION);
		row_int(f->name, get32(vm, GUEST + 0x84), 5 << 16 | EXT_EXTERNAL_CALL);
		row_int(f->name, be32_get(vm->scb.cpuflags) & CPUFLAG_ECALL_PEND, 0);
		row_int(f->name, get64(vm, SCA_AT + f->entry), 0);
	}
}

/* --- Other threads ------------------------------------------------------------------------------------ */

static void sleep_ms(unsigned int ms)
{
	const struct timespec ts = { .tv_nsec = (long)ms * 1000000 };

	nanosleep(&ts, NULL);
}

static void *kicker(void *arg)
{
	struct vm *vm = arg;

	sleep_ms(20);
	cpu_kick(vm->cpu);
	return NULL;
}

static void test_kick(void **state)
{
	struct vm *vm = *state;
	enum cpu_stop stop;
	pthread_t thread;

	guest_code(vm, "a70b0001 a7f4fffe"); /* AGHI 0,1; J .-4 */
	cpu_set_gr(vm->cpu, 0, 0);
	assert_int_equal(pthread_create(&thread, NULL, kicker, vm), 0);
	stop = enter(vm);
	pthread_join(thread, NULL);
	row_int("kick", stop, CPU_STOP_KICKED);
	row_int("kick", vm->scb.icptcode, 0);
	row_int("kick", cpu_gr(vm->cpu, 0) > 0, 1);
	row_int("kick", be64_get(vm->scb.gpsw_addr) & ~4ull, CODE);
	guest_code(vm, DIAG);
	expect("goes on", vm, ICPT_INSTRUCTION);
}

/* Another CPU's program sets STOP_INT by a plain store into the state description. */
static void *storing_host(void *arg)
{
	struct vm *vm = arg;

	sleep_ms(20);
	cpu_run(machine_cpu(vm->m, 1));
	return NULL;
}

static void test_watched_store(void **state)
{
	struct vm *vm = *state;
	struct cpu *other = machine_cpu(vm->m, 1);
	pthread_t thread;

	put_code(vm, SECOND_CODE, "96041000 b2b21400"); /* OI 0(1),4; LPSWE 0x400(1) */
	put_psw(vm, SCB_AT + 0x400, PSW_WAIT | MASK_64, 0);
	cpu_set_gr(other, 1, SCB_AT);
	for (unsigned int i = 0; i < 3; i++) {
		clear_flags(vm, CPUFLAG_STOP_INT);
		cpu_set_psw(other, MASK_64, SECOND_CODE);
		guest_code(vm, LOOP);
		assert_int_equal(pthread_create(&thread, NULL, storing_host, vm), 0);
		(void)enter(vm);
		pthread_join(thread, NULL);
		row_int("watched store", vm->scb.icptcode, ICPT_STOP);
		row_int("watched store", be64_get(vm->scb.gpsw_addr), CODE);
	}
}

/* --- The SIE instruction of a host program ------------------------------------------------------------ */

/* SIE 0(2), then a disabled wait at the address behind; all new PSWs are disabled waits. */
static enum cpu_stop run_host(struct vm *vm, uint64_t mask)
{
	enum cpu_stop stop;

	write_scb(vm);
	put_code(vm, HOST_CODE, "b2142000 b2b23400");
	put_psw(vm, HOST_CODE + 0x400, PSW_WAIT | MASK_64, HOST_CODE + 4);
	for (unsigned int i = 0; i < 6; i++)
		put_psw(vm, 0x1a0 + 16 * i, PSW_WAIT | MASK_64, 0xbad0 + i);
	cpu_set_gr(vm->cpu, 2, SCB_AT);
	cpu_set_gr(vm->cpu, 3, HOST_CODE);
	cpu_set_psw(vm->cpu, mask, HOST_CODE);
	stop = cpu_run(vm->cpu);
	read_scb(vm);
	return stop;
}

static void expect_host_end(const char *row, const struct vm *vm, uint64_t addr)
{
	uint64_t mask, got;

	cpu_psw(vm->cpu, &mask, &got);
	row_int(row, got, addr);
	row_int(row, mask & PSW_WAIT, PSW_WAIT);
}

static void test_host_interception(void **state)
{
	struct vm *vm = *state;

	cpu_set_gr(vm->cpu, 14, 0x1e);
	cpu_set_gr(vm->cpu, 15, 0x1f);
	guest_code(vm, "a7eb0001" DIAG);
	row_int("DIAG", run_host(vm, MASK_64 | 3ull << PSW_CC_SHIFT), CPU_STOP_WAIT);
	expect_host_end("DIAG", vm, HOST_CODE + 4);
	row_int("DIAG", vm->scb.icptcode, ICPT_INSTRUCTION);
	row_int("DIAG", be64_get(vm->scb.gpsw_addr), CODE + 8);
	row_int("host GR14", cpu_gr(vm->cpu, 14), 0x1e);
	row_int("host GR15", cpu_gr(vm->cpu, 15), 0x1f);
	row_int("guest GR14", be64_get(vm->scb.gg14), 1);

	be32_set(&vm->scb.scaol, 0x1000);
	row_int("validity", run_host(vm, MASK_64), CPU_STOP_WAIT);
	expect_host_end("validity", vm, HOST_CODE + 4);
	row_int("validity", vm->scb.icptcode, ICPT_VALIDITY);
}

static void test_host_fault(void **state)
{
	struct vm *vm = *state;

	cpu_set_gr(vm->cpu, 4, 0x100000);
	guest_code(vm, "e31040000024"); /* STG 1,0(4) */
	row_int("segment", run_host(vm, MASK_64), CPU_STOP_WAIT);
	expect_host_end("segment", vm, 0xbad3);
	row_int("code and ILC", get32(vm, 0x8c), 4 << 16 | PGM_SEGMENT);
	row_int("TEID", get64(vm, 0xa8), 0x100000 | 1 << 10);
	row_int("old PSW", get64(vm, 0x158), HOST_CODE);
	row_int("icptcode", vm->scb.icptcode, 0);
	row_int("guest", be64_get(vm->scb.gpsw_addr), CODE);
}

static void test_host_operand(void **state)
{
	static const struct {
		const char *name;
		uint64_t at, mask;
		uint16_t code;
	} rows[] = {
		{ "alignment", SCB_AT + 0x100, 0, PGM_SPECIFICATION },
		{ "outside", 0x1000000000, 0, PGM_ADDRESSING },
		{ "problem state", SCB_AT, PSW_PROBLEM, PGM_PRIVILEGED },
	};
	struct vm *vm = *state;

	(void)run_host(vm, PSW_WAIT | MASK_64);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cpu_set_gr(vm->cpu, 2, rows[i].at);
		cpu_set_psw(vm->cpu, MASK_64 | rows[i].mask, HOST_CODE);
		row_int(rows[i].name, cpu_run(vm->cpu), CPU_STOP_WAIT);
		expect_host_end(rows[i].name, vm, 0xbad3);
		row_int(rows[i].name, get32(vm, 0x8c), 4 << 16 | rows[i].code);
	}
}

static void *caller(void *arg)
{
	struct vm *vm = arg;

	sleep_ms(20);
	intr_external_call(vm->cpu, 7);
	return NULL;
}

/* A host interruption is taken at the SIE instruction. */
static void test_host_interruption(void **state)
{
	struct vm *vm = *state;
	enum cpu_stop stop;
	pthread_t thread;

	guest_code(vm, LOOP);
	cpu_set_cr(vm->cpu, 0, 0xe0 | CR0_EXTERNAL_CALL);
	assert_int_equal(pthread_create(&thread, NULL, caller, vm), 0);
	stop = run_host(vm, MASK_64 | PSW_EXT);
	pthread_join(thread, NULL);
	row_int("call", stop, CPU_STOP_WAIT);
	expect_host_end("call", vm, 0xbad1);
	row_int("call", get32(vm, 0x84), 7 << 16 | EXT_EXTERNAL_CALL);
	row_int("old PSW", get64(vm, 0x138), HOST_CODE);
	row_int("icptcode", vm->scb.icptcode, 0);
}

static void *late_kicker(void *arg)
{
	struct vm *vm = arg;

	sleep_ms(900);
	cpu_kick(vm->cpu);
	return NULL;
}

/* The host's clock comparator, while the guest's own is pending and disabled. */
static void test_host_clock(void **state)
{
	struct vm *vm = *state;
	uint64_t begin = machine_tod(vm->m), end;
	enum cpu_stop stop;
	pthread_t thread;

	be64_set(&vm->scb.gcr[0], CR0_CKC | CR0_CPU_TIMER);
	guest_code(vm, "b2060300" LOOP); /* SCKC 0x300: in 5 ms */
	put64(vm, GUEST + 0x300, begin + 4096 * 5000);
	vm->cpu->ckc = begin + 4096 * 20000; /* 20 ms */
	cpu_set_cr(vm->cpu, 0, 0xe0 | CR0_CKC);
	cpu_clock_changed(vm->cpu);
	assert_int_equal(pthread_create(&thread, NULL, late_kicker, vm), 0);
	stop = run_host(vm, MASK_64 | PSW_EXT);
	end = machine_tod(vm->m);
	pthread_join(thread, NULL);
	row_int("CKC", stop, CPU_STOP_WAIT);
	expect_host_end("CKC", vm, 0xbad1);
	row_int("CKC", get32(vm, 0x84), EXT_CKC);
	row_int("old PSW", get64(vm, 0x138), HOST_CODE);
	row_true("in time", end - begin < 4096ull * 500000);
}

#define vm_test(f) cmocka_unit_test_setup_teardown(f, vm_setup, vm_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		vm_test(test_diag),
		vm_test(test_ex_target),
		vm_test(test_page_crossing),
		vm_test(test_registers),
		vm_test(test_prefix),
		vm_test(test_clocks),
		vm_test(test_epoch_index),
		vm_test(test_dat),
		vm_test(test_dat_regions),
		vm_test(test_host_faults),
		vm_test(test_lowcore_fault),
		vm_test(test_storage_limit),
		vm_test(test_spaces),
		vm_test(test_flush_request),
		vm_test(test_guest_dat),
		vm_test(test_program),
		vm_test(test_operation_text),
		vm_test(test_protection),
		vm_test(test_spec_ex),
		vm_test(test_invalid_entry_psw),
		vm_test(test_instructions),
		vm_test(test_kss),
		vm_test(test_intercept_operands),
		vm_test(test_interlock),
		vm_test(test_interlock_effects),
		vm_test(test_interlock_race),
		vm_test(test_mvpg),
		vm_test(test_stfle),
		vm_test(test_validity),
		vm_test(test_operand),
		vm_test(test_requests),
		vm_test(test_enabling),
		vm_test(test_guest_clocks),
		vm_test(test_external_interception),
		vm_test(test_sigp),
		vm_test(test_external_call),
		vm_test(test_kick),
		vm_test(test_watched_store),
		vm_test(test_host_interception),
		vm_test(test_host_fault),
		vm_test(test_host_operand),
		vm_test(test_host_interruption),
		vm_test(test_host_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
