// SPDX-License-Identifier: MIT
/*
 * Single instructions. Facilities in both directions, out of the instruction table: with its
 * facility off an instruction is an operation exception; with it on it is not. And results in which
 * the reference of the differential tester differs from the architecture.
 */
#include "insn.h"

#include <stdio.h>

#include "machine_priv.h"
#include "unit.h"

#define STORAGE_BYTES (1u << 20)
#define CODE_ADDR     0x2000u
#define WAIT_ADDR     0x600du
#define MASK_64BIT    0x0000000180000000ull
#define MASK_WAIT     0x0002000180000000ull
#define PGM_CODE      0x8eu
#define PGM_OLD_ADDR  0x158u
#define PGM_NEW_PSW   0x1d0u

static void put(struct machine *m, uint64_t at, const void *data, size_t len)
{
	assert_int_equal(storage_write(m, (haddr_t){ at }, data, len).code, 0);
}

static void put64(struct machine *m, uint64_t at, uint64_t v)
{
	be64 x;

	be64_set(&x, v);
	put(m, at, &x, sizeof(x));
}

/* A machine whose first CPU is about to execute the instruction; its interruption ends the run. */
static struct machine *prepare(const struct machine_config *config, const uint8_t bytes[6])
{
	struct zpv_err err;
	struct machine *m;

	assert_int_equal(machine_new(config, &m, &err), 0);
	put(m, CODE_ADDR, bytes, 6);
	put64(m, PGM_NEW_PSW, MASK_WAIT);
	put64(m, PGM_NEW_PSW + 8, WAIT_ADDR);
	cpu_set_psw(machine_cpu(m, 0), MASK_64BIT, CODE_ADDR);
	cpu_set_cr(machine_cpu(m, 0), 0, CR0_AFP);
	return m;
}

/*
 * Executes the instruction; returns its program interruption code, 0 for none. What follows is
 * zeros: an operation exception of its own, two bytes further at least.
 */
static uint16_t execute(struct machine *m, const uint8_t bytes[6])
{
	be16 code;
	be64 old;

	(void)cpu_run(machine_cpu(m, 0));
	assert_int_equal(storage_read(m, (haddr_t){ PGM_CODE }, &code, sizeof(code)).code, 0);
	assert_int_equal(storage_read(m, (haddr_t){ PGM_OLD_ADDR }, &old, sizeof(old)).code, 0);
	if (be16_get(code) == PGM_OPERATION && be64_get(old) != CODE_ADDR + insn_length(bytes[0]))
		return PGM_NONE;
	return be16_get(code);
}

/* --- Facilities -------------------------------------------------------------------------------- */

static uint16_t execute_row(const struct insn *insn, bool off)
{
	struct machine_config config = { .storage_bytes = STORAGE_BYTES, .cpus = 1 };
	struct machine *m;
	uint8_t bytes[6];
	uint16_t code;

	if (off)
		config.facilities_off[insn->facility / 64] = BIT64(insn->facility % 64);
	insn_encode(insn, bytes);
	if (insn_find(bytes) != insn)
		fail_msg("%s is not found by its own opcode", insn->mnemonic);
	m = prepare(&config, bytes);
	cpu_set_gr(machine_cpu(m, 0), 0, 0x0000000100000001ull); /* counts end at once */
	code = execute(m, bytes);
	machine_free(m);
	return code;
}

static void test_off_is_operation(void **state)
{
	(void)state;
	for (const struct insn *insn = insn_table; insn->mnemonic; insn++) {
		if (insn->facility == FAC_BASE || !facility_installed(insn->facility))
			continue;
		if (execute_row(insn, true) != PGM_OPERATION)
			fail_msg("%s executes though facility %u is off", insn->mnemonic,
				 insn->facility);
	}
}

/* Branches to 0 and the like leave the page of zeros at once; what counts is that it executes. */
static void test_on_is_not(void **state)
{
	(void)state;
	for (const struct insn *insn = insn_table; insn->mnemonic; insn++) {
		if (insn->facility == FAC_BASE || !facility_installed(insn->facility))
			continue;
		if (execute_row(insn, false) == PGM_OPERATION)
			fail_msg("%s is an operation exception though facility %u is on",
				 insn->mnemonic, insn->facility);
	}
}

static void test_list_follows(void **state)
{
	struct machine_config config = { .storage_bytes = STORAGE_BYTES, .cpus = 1 };
	struct zpv_err err;
	struct machine *m;

	(void)state;
	config.facilities_off[0] = BIT64(45);
	assert_int_equal(machine_new(&config, &m, &err), 0);
	assert_true(facility_installed(45));
	assert_false(machine_facilities(m, 0) & BIT64(45));
	assert_true(machine_facilities(m, 0) & BIT64(34));
	assert_int_equal(machine_facilities(m, MACHINE_FACILITY_WORDS), 0);
	machine_free(m);
}

/* --- Floating point ---------------------------------------------------------------------------- */

#define OLD_FPR4 0x1111111122222222ull
#define OLD_FPR6 0x5555555566666666ull

/*
 * LDXBR and LEXBR 4,1: R2 is the pair 1, 3. R1 designates a pair as well, because a trapped
 * overflow or underflow leaves an extended result (PoP ch. 19, "LOAD ROUNDED"); other results are
 * in R1 alone. SFASR 4: the DXC tells of the inexact flag whatever the new mask of inexact is
 * (ch. 9, "SET FPC AND SIGNAL").
 */
static const struct {
	const char *name;
	uint8_t code[6];
	uint64_t gr4, fpr1, fpr3;
	uint32_t fpc;
	uint16_t pgm;
	uint64_t fpr4; /* 0: as before */
	bool pair;     /* the result is extended, its right half is 0 */
	uint32_t want_fpc;
} float_rows[] = {
	{ "LDXBR, R1 no pair", { 0xb3, 0x45, 0, 0x21 }, .pgm = 6 },
	{ "LDXBR, R2 no pair", { 0xb3, 0x45, 0, 0x42 }, .pgm = 6 },
	{ "LEXBR, R1 no pair", { 0xb3, 0x46, 0, 0x61 }, .pgm = 6 },
	{ "LEXBR, R2 no pair", { 0xb3, 0x46, 0, 0x43 }, .pgm = 6 },
	{ "LDXBR", { 0xb3, 0x45, 0, 0x41 }, 0, 0x3fff800000000000, 0, 0, 0, 0x3ff8000000000000, 0, 0 },
	{ "LEXBR", { 0xb3, 0x46, 0, 0x41 }, 0, 0x3fff800000000000, 0, 0, 0, 0x3fc0000022222222, 0, 0 },
	{ "LDXBR, inexact trap",
	  { 0xb3, 0x45, 0, 0x41 },
	  0,
	  0x3fff000000000000,
	  1,
	  0x08000000,
	  7,
	  0x3ff0000000000000,
	  0,
	  0x08000800 },
	{ "LDXBR, overflow trap",
	  { 0xb3, 0x45, 0, 0x41 },
	  0,
	  0x43feffffffffffff,
	  UINT64_MAX,
	  0xf8000000,
	  7,
	  0x23ff000000000000,
	  1,
	  0xf8002c00 },
	{ "LEXBR, overflow trap",
	  { 0xb3, 0x46, 0, 0x41 },
	  0,
	  0x407ffffffeffffff,
	  UINT64_MAX,
	  0xf8000000,
	  7,
	  0x207ffffffe000000,
	  1,
	  0xf8002800 },
	{ "LEXBR, underflow trap",
	  { 0xb3, 0x46, 0, 0x41 },
	  0,
	  0xbf69000000000000,
	  0,
	  0xf8000000,
	  7,
	  0xdf69000000000000,
	  1,
	  0xf8001000 },

	{ "SFASR, no flag", { 0xb3, 0x85, 0, 0x40 }, 0xf8000000, .want_fpc = 0xf8000000 },
	{ "SFASR, no mask", { 0xb3, 0x85, 0, 0x40 }, 1, .fpc = 0xf8f80000, .want_fpc = 0x00f80001 },
	{ "SFASR, the flag comes with the mask",
	  { 0xb3, 0x85, 0, 0x40 },
	  0x80800000,
	  .want_fpc = 0x80800000 },
	{ "SFASR, invalid first",
	  { 0xb3, 0x85, 0, 0x40 },
	  0xf8000000,
	  .fpc = 0x00f80000,
	  .pgm = 7,
	  .want_fpc = 0xf8f88300 },
	{ "SFASR, division by zero",
	  { 0xb3, 0x85, 0, 0x40 },
	  0x78000000,
	  .fpc = 0x00f80000,
	  .pgm = 7,
	  .want_fpc = 0x78f84300 },
	{ "SFASR, overflow, exact",
	  { 0xb3, 0x85, 0, 0x40 },
	  0x28000000,
	  .fpc = 0x00200000,
	  .pgm = 7,
	  .want_fpc = 0x28202300 },
	{ "SFASR, overflow, inexact without its mask",
	  { 0xb3, 0x85, 0, 0x40 },
	  0x20000000,
	  .fpc = 0x00280000,
	  .pgm = 7,
	  .want_fpc = 0x20282b00 },
	{ "SFASR, underflow, exact",
	  { 0xb3, 0x85, 0, 0x40 },
	  0x18000000,
	  .fpc = 0x00100000,
	  .pgm = 7,
	  .want_fpc = 0x18101300 },
	{ "SFASR, underflow, inexact without its mask",
	  { 0xb3, 0x85, 0, 0x40 },
	  0x10000000,
	  .fpc = 0x00180000,
	  .pgm = 7,
	  .want_fpc = 0x10181b00 },
	{ "SFASR, inexact",
	  { 0xb3, 0x85, 0, 0x40 },
	  0x08000000,
	  .fpc = 0x00080000,
	  .pgm = 7,
	  .want_fpc = 0x08080b00 },
};

static void test_floating_point(void **state)
{
	const struct machine_config config = { .storage_bytes = STORAGE_BYTES, .cpus = 1 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(float_rows); i++) {
		struct machine *m = prepare(&config, float_rows[i].code);
		struct cpu *cpu = machine_cpu(m, 0);

		cpu_set_gr(cpu, 4, float_rows[i].gr4);
		cpu_set_fpr(cpu, 1, float_rows[i].fpr1);
		cpu_set_fpr(cpu, 3, float_rows[i].fpr3);
		cpu_set_fpr(cpu, 4, OLD_FPR4);
		cpu_set_fpr(cpu, 6, OLD_FPR6);
		cpu_set_fpc(cpu, float_rows[i].fpc);
		row_int(float_rows[i].name, execute(m, float_rows[i].code), float_rows[i].pgm);
		row_int(float_rows[i].name, cpu_fpr(cpu, 4),
			float_rows[i].fpr4 ? float_rows[i].fpr4 : OLD_FPR4);
		row_int(float_rows[i].name, cpu_fpr(cpu, 6), float_rows[i].pair ? 0 : OLD_FPR6);
		row_int(float_rows[i].name, cpu_fpc(cpu), float_rows[i].want_fpc);
		machine_free(m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_off_is_operation),
		cmocka_unit_test(test_on_is_not),
		cmocka_unit_test(test_list_follows),
		cmocka_unit_test(test_floating_point),
	};

	return cmocka_run_group_tests_name("instructions", tests, NULL, NULL);
}
