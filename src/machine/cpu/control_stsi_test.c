// SPDX-License-Identifier: MIT
/*
 * System-information blocks at the offsets that Linux and kvm-unit-tests read (machine.md section
 * 4). Texts are given in EBCDIC as hex, so the conversion is tested too.
 */
#include "unit.h"

#include "control_stsi.h"

static void expect(const char *row, const uint8_t *block, size_t at, const char *hex)
{
	AUTO_BYTES b = unit_hex(hex);

	if (memcmp(block + at, b.data, b.len) != 0)
		fail_msg("[%s] other bytes at %zu", row, at);
}

static void test_blocks(void **state)
{
	static const struct {
		const char *name;
		unsigned int fc, sel1, sel2;
		size_t at;
		const char *hex;
	} rows[] = {
		{ "manufacturer", 1, 1, 1, 32, "c9c2d4404040404040404040404040 40" },
		{ "type", 1, 1, 1, 48, "f2f8f1f7" },
		{ "sequence", 1, 1, 1, 80, "f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f1" },
		{ "1.2.1 address", 1, 2, 1, 102, "0005" },
		{ "capability", 1, 2, 2, 32, "00000001 0003 0003 0000 0000 0064 0064 0000" },
		{ "2.2.1 address", 2, 2, 1, 102, "0005" },
		{ "LPAR", 2, 2, 2, 32, "0001 0000 0003 0003 0000 0000 e9d7e54040404040 000003e8" },
		{ "one VM", 3, 2, 2, 31, "01 00000000 0003 0003 0000 0000" },
		{ "VM name", 3, 2, 2, 44, "a96d f1 4b c1 60 a2 40 000003e8" },
		{ "control program", 3, 2, 2, 56, "d2e5d461d38995a4a740404040404040 000000 02" },
		{ "UUID", 3, 2, 2, 80, "000102030405060708090a0b0c0d0e0f" },
		{ "long name", 3, 2, 2, 2048, "7a5f312e412d7300" },
	};
	static const uint8_t uuid[16] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
	const struct sysib_config config = { SYSIB_LEVEL_VM, 3, 5, "z_1.A-s", uuid };
	uint8_t block[SYSIB_BYTES];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		row_true(rows[i].name,
			 sysib_fill(&config, rows[i].fc, rows[i].sel1, rows[i].sel2, block));
		expect(rows[i].name, block, rows[i].at, rows[i].hex);
	}
}

static void test_absent(void **state)
{
	static const struct {
		const char *name;
		enum sysib_level level;
		unsigned int fc, sel1, sel2;
	} rows[] = {
		{ "a VM seen from an LPAR", SYSIB_LEVEL_LPAR, 3, 2, 2 },
		{ "an LPAR seen from the machine", SYSIB_LEVEL_MACHINE, 2, 2, 2 },
		{ "selector 1", SYSIB_LEVEL_VM, 1, 3, 1 },
		{ "selector 2", SYSIB_LEVEL_VM, 1, 1, 2 },
		{ "selectors that add up", SYSIB_LEVEL_VM, 1, 0, 11 },
		{ "selectors 0", SYSIB_LEVEL_VM, 3, 0, 0 },
		{ "topology", SYSIB_LEVEL_VM, 15, 1, 2 },
	};
	uint8_t block[SYSIB_BYTES];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sysib_config config = { .level = rows[i].level, .cpus = 1 };

		row_true(rows[i].name,
			 !sysib_fill(&config, rows[i].fc, rows[i].sel1, rows[i].sel2, block));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_absent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
