// SPDX-License-Identifier: MIT
/*
 * Interruptions below the run loop: valid PSWs, where the old PSW points, the loop of invalid new
 * PSWs, priorities. Whole programs are in tests/guest; but no program can make a machine check
 * pending on a machine without channel subsystem and defects, so those are here alone.
 */
#include "unit.h"

#include "intr.h"
#include "lowcore.h"
#include "machine_priv.h"
#include "sigp.h"

#include <pthread.h>
#include <sched.h>

#define MASK_64 0x0000000180000000ull
#define NEW	0x5000ull
#define CODE	0x4000ull

/* --- psw_valid() ------------------------------------------------------------------------------- */

static void test_psw_valid(void **state)
{
	static const struct {
		const char *name;
		uint64_t mask, addr;
		bool valid;
	} rows[] = {
		{ "64-bit", MASK_64, 0xfffffffffffffffe, true },
		{ "64-bit, odd: late", MASK_64, 1, true },
		{ "31-bit", 0x80000000, 0x7ffffffe, true },
		{ "31-bit, too far", 0x80000000, 0x80000000, false },
		{ "24-bit", 0, 0xfffffe, true },
		{ "24-bit, too far", 0, 0x1000000, false },
		{ "EA without BA", 0x100000000, 0, false },
		{ "bit 0", MASK_64 | BIT64(0), 0, false },
		{ "bit 2", MASK_64 | BIT64(2), 0, false },
		{ "bit 4", MASK_64 | BIT64(4), 0, false },
		{ "bit 12", MASK_64 | BIT64(12), 0, false },
		{ "bit 24", MASK_64 | BIT64(24), 0, false },
		{ "bit 30", MASK_64 | BIT64(30), 0, false },
		{ "bit 33", MASK_64 | BIT64(33), 0, false },
		{ "bit 63", MASK_64 | BIT64(63), 0, false },
		{ "all that may be one", MASK_64 | 0x47f7ff00ull << 32, 0, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		row_int(rows[i].name, psw_valid(rows[i].mask, rows[i].addr), rows[i].valid);
}

/* --- A CPU ------------------------------------------------------------------------------------- */

static int setup(void **state)
{
	struct machine_config config = { .storage_bytes = 1 << 20, .cpus = 3 };
	struct machine *m;

	if (machine_new(&config, &m, NULL))
		return -1;
	*state = m;
	cpu_set_psw(machine_cpu(m, 0), MASK_64, CODE);
	return 0;
}

static int teardown(void **state)
{
	machine_free(*state);
	return 0;
}

static void get(struct machine *m, struct lowcore *lc)
{
	assert_int_equal(storage_read(m, (haddr_t){ 0 }, lc, sizeof(*lc)).code, 0);
}

static void set_new(struct machine *m, enum lowcore_class class, uint64_t mask, uint64_t addr)
{
	struct lowcore lc;

	get(m, &lc);
	be64_set(&lc.new_psw[class].mask, mask);
	be64_set(&lc.new_psw[class].addr, addr);
	assert_int_equal(storage_write(m, (haddr_t){ 0 }, &lc, sizeof(lc)).code, 0);
}

static uint64_t psw_addr(struct cpu *cpu)
{
	uint64_t mask, addr;

	cpu_psw(cpu, &mask, &addr);
	return addr;
}

/* --- intr_program() ---------------------------------------------------------------------------- */

static void test_old_address(void **state)
{
	static const struct {
		const char *name;
		uint16_t code;
		uint8_t ilc;
		uint64_t old;
		bool teid;
	} rows[] = {
		{ "operation", PGM_OPERATION, 2, CODE + 2, false },
		{ "protection", PGM_PROTECTION, 6, CODE + 6, true },
		{ "addressing", PGM_ADDRESSING, 4, CODE + 4, false },
		{ "monitor event", PGM_MONITOR, 4, CODE + 4, false },
		{ "page", PGM_PAGE, 6, CODE, true },
		{ "segment", PGM_SEGMENT, 4, CODE, true },
		{ "ASCE type", PGM_ASCE_TYPE, 4, CODE, true },
		{ "region first", PGM_REGION_1, 4, CODE, true },
		{ "region third", PGM_REGION_3, 4, CODE, true },
		{ "translation specification", PGM_TRANSLATION_SPEC, 4, CODE + 4, false },
		{ "secure storage", PGM_SECURE_ACCESS, 6, CODE, true },
		{ "secure storage violation", PGM_SECURE_VIOLATION, 6, CODE, true },
		{ "early", PGM_SPECIFICATION, 0, CODE, false },
	};
	struct machine *m = *state;
	struct cpu *cpu = machine_cpu(m, 0);
	struct lowcore lc;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		static const struct lowcore zero;

		assert_int_equal(storage_write(m, (haddr_t){ 0 }, &zero, sizeof(zero)).code, 0);
		set_new(m, LC_PROGRAM, MASK_64, NEW);
		cpu_set_psw(cpu, MASK_64, CODE);
		cpu->pic = (struct pic){ rows[i].code, PIC_HOST, 3, 0x123000 };
		cpu->pic_ilc = rows[i].ilc;
		row_true(rows[i].name, intr_program(cpu));
		get(m, &lc);
		row_int(rows[i].name, psw_addr(cpu), NEW);
		row_int(rows[i].name, be64_get(lc.old_psw[LC_PROGRAM].mask), MASK_64);
		row_int(rows[i].name, be64_get(lc.old_psw[LC_PROGRAM].addr), rows[i].old);
		row_int(rows[i].name, be16_get(lc.pgm_code), rows[i].code);
		row_int(rows[i].name, be16_get(lc.pgm_ilc), rows[i].ilc);
		row_int(rows[i].name, be64_get(lc.teid), rows[i].teid ? 0x123000 : 0);
		row_int(rows[i].name, lc.exc_access_id, rows[i].teid ? 3 : 0);
		row_int(rows[i].name, be64_get(lc.breaking_event), 1);
	}
}

/* In the 24- and 31-bit modes the address of the next instruction wraps. */
static void test_old_address_wraps(void **state)
{
	struct machine *m = *state;
	struct cpu *cpu = machine_cpu(m, 0);
	struct lowcore lc;

	set_new(m, LC_PROGRAM, MASK_64, NEW);
	cpu_set_psw(cpu, 0x80000000, 0x7ffffffe);
	cpu->pic = (struct pic){ .code = PGM_OPERATION, .level = PIC_HOST };
	cpu->pic_ilc = 4;
	assert_true(intr_program(cpu));
	get(m, &lc);
	assert_int_equal(be64_get(lc.old_psw[LC_PROGRAM].addr), 2);
}

/* An invalid program-new PSW: taken once, then there is no way on. */
static void test_loop(void **state)
{
	struct machine *m = *state;
	struct cpu *cpu = machine_cpu(m, 0);
	struct lowcore lc;

	set_new(m, LC_PROGRAM, MASK_64 | PSW_SHORT, 0xdeadbeee);
	cpu->pic = (struct pic){ .code = PGM_OPERATION, .level = PIC_HOST };
	cpu->pic_ilc = 2;
	if (sigsetjmp(cpu->leave, 0) == 0) {
		intr_program(cpu);
		fail_msg("an invalid new PSW was accepted");
	}
	assert_int_equal(cpu->pic.code, PGM_SPECIFICATION);
	assert_int_equal(cpu->pic_ilc, 0);
	assert_int_equal(psw_addr(cpu), 0xdeadbeee);
	get(m, &lc);
	assert_int_equal(be64_get(lc.old_psw[LC_PROGRAM].addr), CODE + 2);
	assert_false(intr_program(cpu));
	assert_int_equal(psw_addr(cpu), 0xdeadbeee);
}

/* --- intr_poll() ------------------------------------------------------------------------------- */

static void enable(struct cpu *cpu, uint64_t cr0)
{
	cpu_set_cr(cpu, 0, cr0);
	cpu_set_psw(cpu, MASK_64 | PSW_EXT, CODE);
}

static void test_priority(void **state)
{
	static const struct {
		uint16_t code, sender;
		uint32_t param;
	} order[] = {
		{ EXT_EMERGENCY, 1, 0 },     { EXT_EMERGENCY, 200, 0 },
		{ EXT_EXTERNAL_CALL, 2, 0 }, { EXT_CKC, 0, 0 },
		{ EXT_CPU_TIMER, 0, 0 },     { EXT_SERVICE_SIGNAL, 0, 0x123451 },
	};
	struct machine *m = *state;
	struct cpu *cpu = machine_cpu(m, 0);
	struct lowcore lc;

	intr_emergency(cpu, 200);
	intr_emergency(cpu, 1);
	assert_true(intr_external_call(cpu, 2));
	assert_false(intr_external_call(cpu, 1));
	assert_true(intr_service_signal(m, 0x123450));
	assert_true(intr_service_signal(m, 1));
	assert_false(intr_service_signal(m, 0x8000));
	cpu->ckc = 0;
	cpu_timer_set(cpu, ~0ull);
	set_new(m, LC_EXTERNAL, MASK_64, NEW);
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		enable(cpu,
		       CR0_EMERGENCY | CR0_EXTERNAL_CALL | CR0_CKC | CR0_CPU_TIMER | CR0_SERVICE);
		assert_true(intr_poll(cpu));
		get(m, &lc);
		assert_int_equal(be16_get(lc.ext_code), order[i].code);
		assert_int_equal(be16_get(lc.ext_cpu_addr), order[i].sender);
		if (order[i].param)
			assert_int_equal(be32_get(lc.ext_param), order[i].param);
		assert_int_equal(be64_get(lc.old_psw[LC_EXTERNAL].addr), CODE);
		/* Clock conditions last until somebody changes the clock. */
		if (order[i].code == EXT_CKC)
			cpu->ckc = ~0ull;
		if (order[i].code == EXT_CPU_TIMER)
			cpu_timer_set(cpu, 1ull << 60);
	}
	enable(cpu, CR0_EMERGENCY | CR0_EXTERNAL_CALL | CR0_SERVICE);
	assert_false(intr_poll(cpu));
}

/* What the masks forbid stays pending, and opening them asks for a poll. */
static void test_masks(void **state)
{
	struct machine *m = *state;
	struct cpu *cpu = machine_cpu(m, 0);

	cpu->ckc = ~0ull;
	enable(cpu, CR0_EXTERNAL_CALL);
	cpu_set_psw(cpu, MASK_64, CODE);
	assert_false(intr_poll(cpu));
	atomic_store(&cpu->attention, 0);
	intr_opened(cpu); /* nothing was there: no need */
	assert_int_equal(atomic_load(&cpu->attention), 0);
	assert_true(intr_external_call(cpu, 1));
	assert_int_equal(atomic_load(&cpu->attention), ATTN_INTERRUPT);
	assert_false(intr_poll(cpu)); /* PSW bit 7 */
	atomic_store(&cpu->attention, 0);
	intr_opened(cpu);
	assert_int_equal(atomic_load(&cpu->attention), ATTN_INTERRUPT);
	enable(cpu, CR0_EMERGENCY); /* another subclass */
	assert_false(intr_poll(cpu));
	assert_false(intr_requested(cpu, PSW_EXT, CR0_EMERGENCY, 0));
	assert_true(intr_requested(cpu, PSW_EXT, CR0_EXTERNAL_CALL, 0));
	assert_false(intr_requested(cpu, 0, CR0_EXTERNAL_CALL, 0));
}

/* An external-new PSW that is enabled for a condition without end does not hang the poll. */
static void test_endless_clock(void **state)
{
	struct machine *m = *state;
	struct cpu *cpu = machine_cpu(m, 0);

	cpu->ckc = 0;
	set_new(m, LC_EXTERNAL, MASK_64 | PSW_EXT, NEW);
	enable(cpu, CR0_CKC);
	atomic_store(&cpu->attention, 0);
	assert_true(intr_poll(cpu));
	assert_int_not_equal(atomic_load(&cpu->attention), 0);
}

/* --- Machine checks ---------------------------------------------------------------------------- */

#define CR14_ALL                                                                         \
	(CR14_CHANNEL_REPORT | CR14_RECOVERY | CR14_DEGRADATION | CR14_EXTERNAL_DAMAGE | \
	 CR14_WARNING)
#define DAMAGE 0x00400000u
#define FADDR  0x7654321000ull

static void enable_mcheck(struct cpu *cpu, uint64_t cr14)
{
	cpu_set_cr(cpu, 14, cr14);
	cpu_set_psw(cpu, MASK_64 | PSW_MCHECK, CODE);
}

static void expect_mcheck(const char *row, struct machine *m, uint64_t mcic)
{
	struct lowcore lc;

	get(m, &lc);
	row_int(row, psw_addr(machine_cpu(m, 0)), NEW);
	row_int(row, be64_get(lc.old_psw[LC_MACHINE_CHECK].mask), MASK_64 | PSW_MCHECK);
	row_int(row, be64_get(lc.old_psw[LC_MACHINE_CHECK].addr), CODE);
	row_int(row, be64_get(lc.mcic), mcic);
}

static const struct {
	const char *name;
	uint64_t condition, mask;
} mcheck_rows[] = {
	{ "system damage", BIT64(0), 0 },
	{ "instruction-processing damage", BIT64(1), 0 },
	{ "system recovery", BIT64(2), 0x08000000 },
	{ "timing-facility damage", BIT64(4), 0x02000000 },
	{ "external damage", BIT64(5), 0x02000000 },
	{ "degradation", BIT64(7), 0x04000000 },
	{ "warning", BIT64(8), 0x01000000 },
	{ "channel report pending", BIT64(9), 0x10000000 },
	{ "channel-subsystem damage", BIT64(11), 0x02000000 },
};

/* What is closed stays pending; PSW bit 13 and the one bit of CR14 open it. */
static void test_mcheck_masks(void **state)
{
	struct machine *m = *state;
	struct cpu *cpu = machine_cpu(m, 0);

	set_new(m, LC_MACHINE_CHECK, MASK_64, NEW);
	for (size_t i = 0; i < ARRAY_SIZE(mcheck_rows); i++) {
		const char *name = mcheck_rows[i].name;
		uint64_t mask = mcheck_rows[i].mask, mcic = mcheck_rows[i].condition | MCIC_PSW;

		intr_machine_check(cpu, mcic, 0, 0);
		enable_mcheck(cpu, CR14_ALL);
		cpu_set_psw(cpu, MASK_64 | PSW_EXT | PSW_IO, CODE);
		row_true(name, !intr_poll(cpu));
		row_true(name, !intr_requested(cpu, PSW_EXT | PSW_IO, ~0ull, CR14_ALL));
		if (mask) {
			enable_mcheck(cpu, ~mask);
			row_true(name, !intr_poll(cpu));
			row_true(name, !intr_requested(cpu, PSW_MCHECK, 0, ~mask));
		}
		enable_mcheck(cpu, mask);
		row_true(name, intr_requested(cpu, PSW_MCHECK, 0, mask));
		row_true(name, intr_poll(cpu));
		expect_mcheck(name, m, mcic);
		enable_mcheck(cpu, CR14_ALL);
		row_true(name, !intr_poll(cpu)); /* once */
	}
}

/* A poll that was closed for it says so, and one that finds nothing is quiet. */
static void test_mcheck_opened(void **state)
{
	struct machine *m = *state;
	struct cpu *cpu = machine_cpu(m, 0);

	cpu->ckc = ~0ull;
	enable_mcheck(cpu, CR14_WARNING);
	assert_false(intr_poll(cpu));
	atomic_store(&cpu->attention, 0);
	intr_opened(cpu);
	assert_int_equal(atomic_load(&cpu->attention), 0);
	cpu_set_psw(cpu, MASK_64, CODE);
	atomic_store(&cpu->attention, 0);
	intr_machine_check(cpu, MCIC_WARNING, 0, 0);
	assert_int_equal(atomic_load(&cpu->attention), ATTN_INTERRUPT);
	assert_false(intr_poll(cpu));
	atomic_store(&cpu->attention, 0);
	intr_opened(cpu);
	assert_int_equal(atomic_load(&cpu->attention), ATTN_INTERRUPT);
}

static void set_registers(struct cpu *cpu)
{
	for (unsigned int i = 0; i < 16; i++) {
		cpu_set_fpr(cpu, i, 0xf000000000000000 + i);
		cpu_set_gr(cpu, i, 0xa000000000000000 + i);
		cpu_set_ar(cpu, i, 0xb0000000 + i);
		cpu->cr[i] = i ? 0xc000000000000000 + i : 0;
	}
	cpu_set_fpc(cpu, 0x00880000);
	cpu->todpr = 0x1234;
	cpu->ckc = 0x123456789abcdef0;
	cpu->timer_stopped = true;
	cpu->timer_value = 0x0fedcba987654321;
}

static void expect_registers(const uint8_t *page, const struct cpu *cpu)
{
	for (unsigned int i = 0; i < 16; i++) {
		assert_int_equal(be64_get(*(const be64 *)(page + 0x200 + 8 * i)), cpu_fpr(cpu, i));
		assert_int_equal(be64_get(*(const be64 *)(page + 0x280 + 8 * i)), cpu_gr(cpu, i));
		assert_int_equal(be32_get(*(const be32 *)(page + 0x340 + 4 * i)), cpu_ar(cpu, i));
		assert_int_equal(be64_get(*(const be64 *)(page + 0x380 + 8 * i)), cpu_cr(cpu, i));
	}
	assert_int_equal(be32_get(*(const be32 *)(page + 0x31c)), 0x00880000);
	assert_int_equal(be32_get(*(const be32 *)(page + 0x324)), 0x1234);
	assert_int_equal(be64_get(*(const be64 *)(page + 0x328)), 0x0fedcba987654321);
	assert_int_equal(be64_get(*(const be64 *)(page + 0x330)), 0x00123456789abcde);
}

/* In the prefix area; PSW and prefix belong to store status, the rest of the page to the program. */
static void test_mcheck_saves(void **state)
{
	static const uint64_t prefix = 0x12000;
	struct machine *m = *state;
	struct cpu *cpu = machine_cpu(m, 0);
	uint8_t pages[8192], was[4096];
	struct lowcore *lc = (struct lowcore *)(void *)pages;

	memset(pages, 0x5a, sizeof(pages));
	memcpy(was, pages, sizeof(was));
	be64_set(&lc->new_psw[LC_MACHINE_CHECK].mask, MASK_64);
	be64_set(&lc->new_psw[LC_MACHINE_CHECK].addr, NEW);
	assert_int_equal(storage_write(m, (haddr_t){ prefix }, pages, sizeof(pages)).code, 0);
	cpu->prefix = prefix;
	set_registers(cpu);
	enable_mcheck(cpu, CR14_EXTERNAL_DAMAGE);
	intr_machine_check(cpu,
			   MCIC_EXTERNAL_DAMAGE | MCIC_DAMAGE_CODE | MCIC_FAILING_STORAGE |
				   MCIC_REGISTERS | MCIC_VECTOR | MCIC_GUARDED_STORAGE,
			   DAMAGE, FADDR);
	assert_true(intr_poll(cpu));
	assert_int_equal(psw_addr(cpu), NEW);
	assert_int_equal(storage_read(m, (haddr_t){ prefix }, pages, sizeof(pages)).code, 0);
	assert_int_equal(be64_get(*(const be64 *)(pages + 0xe8)), 0x040000bc40330000);
	assert_int_equal(be32_get(*(const be32 *)(pages + 0xf4)), DAMAGE);
	assert_int_equal(be64_get(*(const be64 *)(pages + 0xf8)), FADDR);
	assert_int_equal(pages[0xa3], 1);
	assert_int_equal(be64_get(lc->old_psw[LC_MACHINE_CHECK].addr), CODE);
	expect_registers(pages + 4096, cpu);
	assert_memory_equal(pages + 0x1000, was, 0x200);
	assert_memory_equal(pages + 0x1300, was, 0x1c);
	assert_memory_equal(pages + 0x1320, was, 4);
	assert_memory_equal(pages + 0x1338, was, 8);
	assert_memory_equal(pages + 0x1400, was, 0xc00);
}

/* A lowcore that is not there: an exception, and nothing has happened. */
static void test_mcheck_no_lowcore(void **state)
{
	struct machine *m = *state;
	struct cpu *cpu = machine_cpu(m, 0);

	cpu->prefix = 1 << 20;
	cpu_set_psw(cpu, MASK_64, CODE);
	assert_int_equal(intr_mcheck(cpu, MCIC_WARNING, 0, 0).code, PGM_ADDRESSING);
	assert_int_equal(psw_addr(cpu), CODE);
}

/* Machine check, then external, then restart, each from the PSW that the one before has loaded. */
static void test_mcheck_first(void **state)
{
	static const enum lowcore_class order[] = { LC_MACHINE_CHECK, LC_EXTERNAL, LC_RESTART };
	struct machine *m = *state;
	struct cpu *cpu = machine_cpu(m, 0);
	uint64_t old = CODE;
	struct lowcore lc;

	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		set_new(m, order[i], MASK_64 | PSW_EXT, NEW + 16 * order[i]);
	intr_request(cpu, INTR_RESTART);
	intr_emergency(cpu, 1);
	intr_machine_check(cpu, MCIC_WARNING, 0, 0);
	cpu_set_cr(cpu, 0, CR0_EMERGENCY);
	cpu_set_cr(cpu, 14, CR14_WARNING);
	cpu_set_psw(cpu, MASK_64 | PSW_EXT | PSW_MCHECK, CODE);
	assert_true(intr_poll(cpu));
	get(m, &lc);
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		assert_int_equal(be64_get(lc.old_psw[order[i]].addr), old);
		old = NEW + 16 * order[i];
	}
	assert_int_equal(psw_addr(cpu), old);
}

/* What is due together is one interruption; what is closed waits, but not if one is exigent. */
static void test_mcheck_together(void **state)
{
	struct machine *m = *state;
	struct cpu *cpu = machine_cpu(m, 0);
	struct lowcore lc;

	set_new(m, LC_MACHINE_CHECK, MASK_64, NEW);
	intr_machine_check(cpu, MCIC_DEGRADATION | MCIC_RECOVERY | MCIC_FAILING_STORAGE, 1, FADDR);
	intr_machine_check(cpu, MCIC_RECOVERY, 2, 1);
	intr_machine_check(cpu, MCIC_WARNING, 4, 2);
	intr_floating_machine_check(m, MCIC_CHANNEL_REPORT, 8, 3);
	enable_mcheck(cpu, CR14_RECOVERY | CR14_CHANNEL_REPORT);
	assert_true(intr_poll(cpu));
	expect_mcheck("open", m, MCIC_RECOVERY | MCIC_CHANNEL_REPORT | MCIC_FAILING_STORAGE);
	get(m, &lc);
	assert_int_equal(be32_get(lc.external_damage), 1 | 2 | 8);
	assert_int_equal(be64_get(lc.failing_storage), FADDR);
	enable_mcheck(cpu, CR14_RECOVERY | CR14_CHANNEL_REPORT);
	assert_false(intr_poll(cpu));
	intr_floating_machine_check(m, MCIC_CHANNEL_REPORT, 0, 0);
	intr_machine_check(cpu, MCIC_PROCESSING_DAMAGE, 0, 0);
	enable_mcheck(cpu, 0);
	assert_true(intr_poll(cpu));
	expect_mcheck("exigent", m,
		      MCIC_PROCESSING_DAMAGE | MCIC_DEGRADATION | MCIC_WARNING |
			      MCIC_FAILING_STORAGE);
	enable_mcheck(cpu, CR14_ALL);
	assert_true(intr_poll(cpu));
	expect_mcheck("floating", m, MCIC_CHANNEL_REPORT);
}

/* The CPU that is enabled takes a floating one, whichever asks first; resets leave it. */
static void test_mcheck_floating(void **state)
{
	struct machine *m = *state;
	struct cpu *a = machine_cpu(m, 1), *b = machine_cpu(m, 2);
	uint32_t status;

	for (unsigned int i = 0; i < 3; i++)
		atomic_store(&machine_cpu(m, i)->attention, 0);
	intr_floating_machine_check(m, MCIC_CHANNEL_REPORT, 0, 0);
	intr_machine_check(b, MCIC_WARNING, 0, 0);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(atomic_load(&machine_cpu(m, i)->attention), ATTN_INTERRUPT);
	assert_int_equal(sigp_order(a, SIGP_RESET, 2, 0, &status), SIGP_ACCEPTED);
	enable_mcheck(a, CR14_ALL & ~CR14_CHANNEL_REPORT);
	assert_false(intr_poll(a));
	enable_mcheck(b, CR14_CHANNEL_REPORT);
	assert_true(intr_poll(b));
	enable_mcheck(b, CR14_ALL); /* its own one was reset */
	assert_false(intr_poll(b));
	enable_mcheck(a, CR14_CHANNEL_REPORT);
	assert_false(intr_poll(a));
}

#define RACES 2000u

struct race {
	atomic_uint taken;
	atomic_bool over;
};

struct racer {
	struct cpu *cpu;
	struct race *race;
};

/* Polls all the time, so that two CPUs are at it together. */
static void *racer_run(void *arg)
{
	const struct racer *r = arg;

	enable_mcheck(r->cpu, CR14_CHANNEL_REPORT);
	while (!atomic_load(&r->race->over)) {
		if (!intr_poll(r->cpu))
			continue;
		enable_mcheck(r->cpu, CR14_CHANNEL_REPORT);
		atomic_fetch_add(&r->race->taken, 1);
	}
	return NULL;
}

/* Two CPUs want the same floating one. */
static void test_mcheck_race(void **state)
{
	struct machine *m = *state;
	struct race race = { 0 };
	struct racer racers[2];
	pthread_t threads[2];

	for (unsigned int i = 0; i < 2; i++) {
		racers[i] = (struct racer){ .cpu = machine_cpu(m, i + 1), .race = &race };
		racers[i].cpu->prefix = 0x10000 * (i + 1);
		assert_int_equal(pthread_create(&threads[i], NULL, racer_run, &racers[i]), 0);
	}
	for (unsigned int i = 0; i < RACES; i++) {
		intr_floating_machine_check(m, MCIC_CHANNEL_REPORT, 0, 0);
		while (atomic_load(&race.taken) <= i)
			sched_yield();
	}
	atomic_store(&race.over, true);
	for (unsigned int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(atomic_load(&race.taken), RACES);
}

/* --- Machine checks of a running program --------------------------------------------------------- */

#define OPERAND 0x800u
#define AFTER	0x6000ull /* where a program waits that was not interrupted */

static void put(struct machine *m, uint64_t at, const char *hex)
{
	AUTO_BYTES b = unit_hex(hex);

	assert_int_equal(storage_write(m, (haddr_t){ at }, b.data, b.len).code, 0);
}

/* Loading CR14 looks for what has become enabled, before the next instruction. */
static void test_mcheck_lctl(void **state)
{
	static const struct {
		const char *name, *code;
		uint64_t old;
		bool taken;
	} rows[] = {
		{ "LCTLG", "eb ee 0800 00 2f  b2b2 0810", CODE + 6, true },
		{ "LCTL", "b7 ee 0804  b2b2 0810", CODE + 4, true },
		{ "CR15 alone", "eb ff 0800 00 2f  b2b2 0810", 0, false },
	};
	struct machine *m = *state;
	struct cpu *cpu = machine_cpu(m, 0);
	struct lowcore lc;

	set_new(m, LC_MACHINE_CHECK, MASK_64 | PSW_WAIT, NEW);
	put(m, OPERAND, "00000000 01000000 0000000000000000 0002000180000000 0000000000006000");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		intr_clear(cpu);
		intr_machine_check(cpu, MCIC_WARNING, 0, 0);
		put(m, CODE, rows[i].code);
		enable_mcheck(cpu, 0);
		row_int(rows[i].name, cpu_run(cpu), CPU_STOP_WAIT);
		row_int(rows[i].name, psw_addr(cpu), rows[i].taken ? NEW : AFTER);
		get(m, &lc);
		if (rows[i].taken)
			row_int(rows[i].name, be64_get(lc.old_psw[LC_MACHINE_CHECK].addr),
				rows[i].old);
	}
}

static void *run_cpu(void *arg)
{
	return (void *)(uintptr_t)cpu_run(arg);
}

/* A wait that only PSW bit 13 enables is not the end, and a machine check ends it. */
static void test_mcheck_wait(void **state)
{
	struct machine *m = *state;
	struct cpu *cpu = machine_cpu(m, 0);
	struct lowcore lc;
	pthread_t thread;
	void *stop;

	set_new(m, LC_MACHINE_CHECK, MASK_64 | PSW_WAIT, NEW);
	cpu_set_cr(cpu, 14, CR14_WARNING);
	cpu_set_psw(cpu, MASK_64 | PSW_MCHECK | PSW_WAIT, CODE);
	assert_int_equal(pthread_create(&thread, NULL, run_cpu, cpu), 0);
	while (!atomic_load(&m->waiters))
		sched_yield();
	intr_machine_check(cpu, MCIC_WARNING, 0, 0);
	pthread_join(thread, &stop);
	assert_int_equal((uintptr_t)stop, CPU_STOP_WAIT);
	assert_int_equal(psw_addr(cpu), NEW);
	get(m, &lc);
	assert_int_equal(be64_get(lc.old_psw[LC_MACHINE_CHECK].mask),
			 MASK_64 | PSW_MCHECK | PSW_WAIT);
}

/* --- SIGP -------------------------------------------------------------------------------------- */

static void test_sigp(void **state)
{
	static const struct {
		const char *name;
		unsigned int order;
		uint16_t addr;
		uint32_t param;
		enum sigp_cc cc;
		uint32_t status;
	} rows[] = {
		{ "no such CPU", SIGP_SENSE, 3, 0, SIGP_NOT_OPERATIONAL, 0 },
		{ "no such CPU, no such order", 0xee, 3, 0, SIGP_NOT_OPERATIONAL, 0 },
		{ "unknown", 0xee, 1, 0, SIGP_STATUS, SIGP_STATUS_INVALID_ORDER },
		{ "set multithreading", 22, 1, 0, SIGP_STATUS, SIGP_STATUS_INVALID_ORDER },
		{ "set architecture", SIGP_SET_ARCHITECTURE, 0, 2, SIGP_STATUS,
		  SIGP_STATUS_PARAMETER },
		{ "sense: stopped", SIGP_SENSE, 1, 0, SIGP_STATUS, SIGP_STATUS_STOPPED },
		{ "not running", SIGP_SENSE_RUNNING, 1, 0, SIGP_STATUS, SIGP_STATUS_NOT_RUNNING },
		{ "prefix outside", SIGP_SET_PREFIX, 1, 0x100000, SIGP_STATUS,
		  SIGP_STATUS_PARAMETER },
		{ "prefix, last one", SIGP_SET_PREFIX, 1, 0x800fffff, SIGP_ACCEPTED, 0 },
		{ "prefix of one that operates", SIGP_SET_PREFIX, 0, 0, SIGP_STATUS,
		  SIGP_STATUS_INCORRECT_STATE },
		{ "status outside", SIGP_STORE_STATUS, 1, 0x100000, SIGP_STATUS,
		  SIGP_STATUS_PARAMETER },
		{ "status", SIGP_STORE_STATUS, 1, 0x80000, SIGP_ACCEPTED, 0 },
		{ "external call", SIGP_EXTERNAL_CALL, 1, 0, SIGP_ACCEPTED, 0 },
		{ "a second one", SIGP_EXTERNAL_CALL, 1, 0, SIGP_STATUS, SIGP_STATUS_CALL_PENDING },
		{ "sense: both", SIGP_SENSE, 1, 0, SIGP_STATUS,
		  SIGP_STATUS_STOPPED | SIGP_STATUS_CALL_PENDING },
		{ "reset clears it", SIGP_RESET, 1, 0, SIGP_ACCEPTED, 0 },
		{ "sense: stopped again", SIGP_SENSE, 1, 0, SIGP_STATUS, SIGP_STATUS_STOPPED },
		{ "start", SIGP_START, 1, 0, SIGP_ACCEPTED, 0 },
		{ "sense: operates", SIGP_SENSE, 1, 0, SIGP_ACCEPTED, 0 },
		{ "stop", SIGP_STOP, 1, 0, SIGP_ACCEPTED, 0 },
		{ "busy until it has", SIGP_SENSE, 1, 0, SIGP_BUSY, 0 },
		{ "but for resets", SIGP_INITIAL_RESET, 1, 0, SIGP_ACCEPTED, 0 },
	};
	struct machine *m = *state;
	struct cpu *cpu = machine_cpu(m, 0);

	sigp_start(cpu);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t status = 0;

		row_int(rows[i].name,
			sigp_order(cpu, rows[i].order, rows[i].addr, rows[i].param, &status),
			rows[i].cc);
		row_int(rows[i].name, status, rows[i].status);
	}
	assert_int_equal(machine_cpu(m, 1)->prefix, 0xfe000);
}

#define machine_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_psw_valid),     machine_test(test_old_address),
		machine_test(test_old_address_wraps), machine_test(test_loop),
		machine_test(test_priority),	      machine_test(test_masks),
		machine_test(test_endless_clock),     machine_test(test_mcheck_masks),
		machine_test(test_mcheck_opened),     machine_test(test_mcheck_saves),
		machine_test(test_mcheck_no_lowcore), machine_test(test_mcheck_first),
		machine_test(test_mcheck_together),   machine_test(test_mcheck_floating),
		machine_test(test_mcheck_race),	      machine_test(test_mcheck_lctl),
		machine_test(test_mcheck_wait),	      machine_test(test_sigp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
