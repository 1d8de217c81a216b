// SPDX-License-Identifier: MIT
/*
 * Interruptions below the run loop: valid PSWs, where the old PSW points, the loop of invalid new
 * PSWs, priorities. Whole programs are in tests/guest.
 */
#include "unit.h"

#include "intr.h"
#include "lowcore.h"
#include "sigp.h"

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
	assert_false(intr_requested(cpu, PSW_EXT, CR0_EMERGENCY));
	assert_true(intr_requested(cpu, PSW_EXT, CR0_EXTERNAL_CALL));
	assert_false(intr_requested(cpu, 0, CR0_EXTERNAL_CALL));
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
		machine_test(test_endless_clock),     machine_test(test_sigp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
