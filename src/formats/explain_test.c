// SPDX-License-Identifier: MIT
/*
 * The table of explanations: complete, without contradictions, and found by the best match.
 */
#include "explain.h"

#include <ctype.h>
#include <string.h>

#include "scb.h"
#include "unit.h"
#include "uvcb.h"

static void no_code_twice(void **state)
{
	(void)state;
	for (const struct explanation *a = explanations; a->text; a++)
		for (const struct explanation *b = a + 1; b->text; b++)
			assert_false(a->kind == b->kind && a->command == b->command &&
				     a->code == b->code && a->rrc == b->rrc);
}

/* Texts are sentences, and can stand in JSON as they are. */
static void texts_are_sentences(void **state)
{
	(void)state;
	for (const struct explanation *e = explanations; e->text; e++) {
		size_t len = strlen(e->text);

		assert_true(isupper((unsigned char)e->text[0]));
		assert_true(e->text[len - 1] == '.' || e->text[len - 1] == ')');
		assert_null(strpbrk(e->text, "\"\\\n"));
		assert_null(strpbrk(e->name, "\"\\\n"));
		assert_null(strstr(e->text, "  "));
	}
}

static void calls_have_names(void **state)
{
	(void)state;
	for (const struct explanation *e = explanations; e->text; e++)
		if (e->kind == EXPLAIN_UV && e->command)
			assert_non_null(explain_command_name(e->command));
	assert_null(explain_command_name(0x4242));
}

static void best_match(void **state)
{
	(void)state;
	assert_string_equal(explain_uv(UVC_SET_PARMS, 0x108, 5)->name, "no slot for this host");
	assert_string_equal(explain_uv(UVC_SET_PARMS, 0x10b, 0x77)->name, "authentication failed");
	assert_string_equal(explain_uv(UVC_SET_PARMS, 0x0020, 0)->name,
			    "invalid configuration handle");
	assert_null(explain_uv(UVC_SET_PARMS, 0x108, 0x99));
	assert_null(explain_uv(UVC_VERIFY, 0x0666, 0));
	assert_string_equal(explain_find(EXPLAIN_DIAG308, 0xa02)->name, "no protected mode");
	assert_null(explain_find(EXPLAIN_DIAG308, 0x4608));
}

/* Every reason that SIE can give has its text. */
static void all_validities(void **state)
{
	static const unsigned int codes[] = {
		VALIDITY_CPUFLAGS,
		VALIDITY_SLS,
		VALIDITY_SCA_PREFIX,
		VALIDITY_CRYCB_FORMAT,
		VALIDITY_SCA_ACCESS,
		VALIDITY_CRYCB_ACCESS,
		VALIDITY_PREFIX,
		VALIDITY_SCA_LOW,
		VALIDITY_CRYCB_ZERO,
		VALIDITY_SCA_CROSSES,
		VALIDITY_CRYCB_CROSSES,
		VALIDITY_RICCB,
		VALIDITY_ITDB,
		VALIDITY_FAC,
		VALIDITY_SDNX_ADDR,
		VALIDITY_SDNX_SIZE,
		VALIDITY_SDNX_ALIGN,
		VALIDITY_GVRD,
		VALIDITY_PV_NOT_INIT,
		VALIDITY_PV_CONFIG,
		VALIDITY_PV_CPU,
		VALIDITY_PV_OTHER_CONFIG,
		VALIDITY_PV_SCB,
		VALIDITY_PV_ASCE,
		VALIDITY_PV_RUNNING,
		VALIDITY_PV_CPU_STATE,
		VALIDITY_PV_CONFIG_STATE,
		VALIDITY_PV_RESET,
		VALIDITY_PV_SIDA,
		VALIDITY_PV_SCA,
		VALIDITY_PV_TIMER_HIGH,
		VALIDITY_PV_TIMER_LOW,
		VALIDITY_PV_NOT_ENABLED,
		VALIDITY_PV_INJECTION,
		VALIDITY_PV_IICTL,
		VALIDITY_PV_EXTERNAL,
		VALIDITY_PV_COMPLETION,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		assert_non_null(explain_find(EXPLAIN_VALIDITY, codes[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_code_twice),    cmocka_unit_test(texts_are_sentences),
		cmocka_unit_test(calls_have_names), cmocka_unit_test(best_match),
		cmocka_unit_test(all_validities),
	};

	return cmocka_run_group_tests_name("explain", tests, NULL, NULL);
}
