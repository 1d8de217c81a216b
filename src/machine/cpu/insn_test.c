// SPDX-License-Identifier: MIT
/*
 * Facilities in both directions, out of the instruction table: with its facility off an instruction
 * is an operation exception; with it on it is not.
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

/* An encoding of the row: opcode bits, and zeros where fields are. */
static void encode(const struct insn *insn, uint8_t out[6])
{
	memset(out, 0, 6);
	out[0] = (uint8_t)(insn->opcode > 0xff ? insn->opcode >> 8 : insn->opcode);
	for (unsigned int i = 0; insn_find(out) != insn; i++) {
		/* The rest of the opcode is in byte 1, its low digit, or byte 5. */
		static const uint8_t place[3] = { 1, 1, 5 };
		static const uint8_t bits[3] = { 0xff, 0x0f, 0xff };

		if (i >= ARRAY_SIZE(place)) {
			fail_msg("%s is not found by its own opcode", insn->mnemonic);
			return;
		}
		out[1] = out[5] = 0;
		out[place[i]] = (uint8_t)(insn->opcode & bits[i]);
	}
}

/* Executes one instruction; returns the program interruption code, 0 for none. */
static uint16_t execute(const struct insn *insn, bool off)
{
	struct machine_config config = { .storage_bytes = STORAGE_BYTES, .cpus = 1 };
	struct zpv_err err;
	struct machine *m;
	struct cpu *cpu;
	uint8_t bytes[6];
	be16 code = { { 0 } };

	if (off)
		config.facilities_off[insn->facility / 64] = BIT64(insn->facility % 64);
	assert_int_equal(machine_new(&config, &m, &err), 0);
	cpu = machine_cpu(m, 0);
	encode(insn, bytes);
	put(m, CODE_ADDR, bytes, sizeof(bytes));
	put64(m, PGM_NEW_PSW, MASK_WAIT);
	put64(m, PGM_NEW_PSW + 8, WAIT_ADDR);
	cpu_set_psw(cpu, MASK_64BIT, CODE_ADDR);
	cpu_set_cr(cpu, 0, CR0_AFP);
	cpu_set_gr(cpu, 0, 0x0000000100000001ull); /* counts end at once */
	/* What follows is zeros: an operation exception of its own, two bytes further at least. */
	(void)cpu_run(cpu);
	assert_int_equal(storage_read(m, (haddr_t){ PGM_CODE }, &code, sizeof(code)).code, 0);
	if (be16_get(code) == PGM_OPERATION && !off) {
		be64 old;

		assert_int_equal(storage_read(m, (haddr_t){ 0x158 }, &old, sizeof(old)).code, 0);
		if (be64_get(old) != CODE_ADDR + insn_length(bytes[0]))
			code = (be16){ { 0 } };
	}
	machine_free(m);
	return be16_get(code);
}

static void test_off_is_operation(void **state)
{
	(void)state;
	for (const struct insn *insn = insn_table; insn->mnemonic; insn++) {
		if (insn->facility == FAC_BASE || !facility_installed(insn->facility))
			continue;
		if (execute(insn, true) != PGM_OPERATION)
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
		if (execute(insn, false) == PGM_OPERATION)
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_off_is_operation),
		cmocka_unit_test(test_on_is_not),
		cmocka_unit_test(test_list_follows),
	};

	return cmocka_run_group_tests_name("facilities", tests, NULL, NULL);
}
