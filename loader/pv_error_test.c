// SPDX-License-Identifier: MIT
/*
 * Unit test of pv_error.c, on the build machine: every failure code of boot-ipl.md section 6.2.
 */
#include "pv_error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define COLUMNS 80

struct row {
	const char *name;
	uint64_t gr1; /* response of subcode 10 */
	uint16_t diag;
	uint16_t rc;
	uint16_t rrc;
	const char *cmd;
	const char *what; /* part of the text */
};

static const struct row rows[] = {
	{ "program interruption", 0, 0, 0, 0, "UNKNOWN", "does not know this DIAGNOSE" },
	{ "no PV configuration", 0x0902, 0x0902, 0, 0, "UNKNOWN", "holds no IPL parameter block" },
	{ "older hypervisor", 0x0a02, 0x0a02, 0, 0, "UNKNOWN", "does not say why" },
	{ "unknown DIAGNOSE code", 0x0502, 0x0502, 0, 0, "UNKNOWN", "unknown reason" },
	{ "header length", 0x0002000001020a02, 0x0a02, 0x0102, 0, "KVM_PV_SET_SEC_PARMS",
	  "impossible length" },
	{ "header not accessible", 0x0002000001030a02, 0x0a02, 0x0103, 0, "KVM_PV_SET_SEC_PARMS",
	  "header lies outside" },
	{ "header version", 0x0002000101040a02, 0x0a02, 0x0104, 0x0001, "KVM_PV_SET_SEC_PARMS",
	  "version of the SE header" },
	{ "pcf", 0x0002003001060a02, 0x0a02, 0x0106, 0x0030, "KVM_PV_SET_SEC_PARMS",
	  "plaintext control flag" },
	{ "phkh", 0x0002000501080a02, 0x0a02, 0x0108, 0x0005, "KVM_PV_SET_SEC_PARMS",
	  "belongs to the host key" },
	{ "customer key", 0x0002000b01080a02, 0x0a02, 0x0108, 0x000b, "KVM_PV_SET_SEC_PARMS",
	  "customer's public key" },
	{ "backup phkh", 0x0002003401080a02, 0x0a02, 0x0108, 0x0034, "KVM_PV_SET_SEC_PARMS",
	  "backup host key" },
	{ "0x0108 other", 0x0002777701080a02, 0x0a02, 0x0108, 0x7777, "KVM_PV_SET_SEC_PARMS",
	  "cannot use the keys" },
	{ "scf", 0x0002000001090a02, 0x0a02, 0x0109, 0, "KVM_PV_SET_SEC_PARMS",
	  "secret control flag" },
	{ "sehs", 0x00020031010a0a02, 0x0a02, 0x010a, 0x0031, "KVM_PV_SET_SEC_PARMS",
	  "not as long as it says" },
	{ "sea", 0x00020039010a0a02, 0x0a02, 0x010a, 0x0039, "KVM_PV_SET_SEC_PARMS",
	  "encrypted area" },
	{ "nks", 0x00020040010a0a02, 0x0a02, 0x010a, 0x0040, "KVM_PV_SET_SEC_PARMS",
	  "no key slots" },
	{ "tag", 0x00020000010b0a02, 0x0a02, 0x010b, 0, "KVM_PV_SET_SEC_PARMS", "not authentic" },
	{ "page outside", 0x0003000001030a02, 0x0a02, 0x0103, 0, "KVM_PV_UNPACK",
	  "page of the image lies outside" },
	{ "page not mapped", 0x00030000010a0a02, 0x0a02, 0x010a, 0, "KVM_PV_UNPACK", "not mapped" },
	{ "ald", 0x0004001a01020a02, 0x0a02, 0x0102, 0x001a, "KVM_PV_VERIFY", "(ALD)" },
	{ "pld", 0x0004001b01020a02, 0x0a02, 0x0102, 0x001b, "KVM_PV_VERIFY", "(PLD)" },
	{ "tld", 0x0004001c01020a02, 0x0a02, 0x0102, 0x001c, "KVM_PV_VERIFY", "(TLD)" },
	{ "nep", 0x0004001d01020a02, 0x0a02, 0x0102, 0x001d, "KVM_PV_VERIFY",
	  "number of encrypted" },
	{ "rrc of another rc", 0x0004000501020a02, 0x0a02, 0x0102, 0x0005, "KVM_PV_VERIFY",
	  "Ultravisor refused" },
	{ "rc of another command", 0x0004000501080a02, 0x0a02, 0x0108, 0x0005, "KVM_PV_VERIFY",
	  "Ultravisor refused" },
	{ "unknown rc", 0x0002123443210a02, 0x0a02, 0x4321, 0x1234, "KVM_PV_SET_SEC_PARMS",
	  "Ultravisor refused" },
	{ "unknown command", 0x00ee000501080a02, 0x0a02, 0x0108, 0x0005, "UNKNOWN",
	  "Ultravisor refused" },
};

static void check_lines(struct pv_error e, const char *what)
{
	assert_non_null(e.what);
	assert_in_range(strlen(e.what), 1, COLUMNS);
	if (!strstr(e.what, what))
		fail_msg("text is '%s'", e.what);
	if (e.hint)
		assert_in_range(strlen(e.hint), 1, COLUMNS);
}

static void check_row(const struct row *row)
{
	const struct pv_response r = pv_response_decode(row->gr1);

	print_message("# %s\n", row->name);
	assert_int_equal(r.diag, row->diag);
	assert_int_equal(r.rc, row->rc);
	assert_int_equal(r.rrc, row->rrc);
	assert_string_equal(pv_cmd_name(r.cmd), row->cmd);
	check_lines(pv_start_explain(r), row->what);
}

static void test_start_codes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_row(&rows[i]);
}

/* A row that shadows another one would make two codes say the same. */
static void test_texts_differ(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct pv_error a = pv_start_explain(pv_response_decode(rows[i].gr1));

		for (size_t j = 0; j < i; j++) {
			const struct pv_error b = pv_start_explain(pv_response_decode(rows[j].gr1));

			if (strcmp(rows[i].what, rows[j].what) != 0 && strcmp(a.what, b.what) == 0)
				fail_msg("'%s' and '%s' have the same text", rows[i].name,
					 rows[j].name);
		}
	}
}

static void test_setup_codes(void **state)
{
	(void)state;
	check_lines(pv_setup_explain(0), "does not know this DIAGNOSE");
	check_lines(pv_setup_explain(0x0402), "IPL parameter block is not valid");
	check_lines(pv_setup_explain(0x0102), "unknown reason");
	check_lines(pv_setup_explain(0x100000402), "unknown reason");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_start_codes),
		cmocka_unit_test(test_texts_differ),
		cmocka_unit_test(test_setup_codes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
