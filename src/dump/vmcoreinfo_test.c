// SPDX-License-Identifier: MIT
/*
 * Lines and numbers of VMCOREINFO, and where it is looked for. Whole kernels, hostile ones too, are in
 * tests/dump/open_test.py.
 */
#include "unit.h"

#include "be.h"
#include "err.h"
#include "kernel.h"
#include "linux_core.h"

static const char text[] =
	"OSRELEASE=6.12\nPAGESIZE=4096\nSYMBOL(prb)=3ffd0aF\nSYMBOL(prb2)=3ffd0af\n"
	"EMPTY=\nNUMBER(a)=0x10\nNUMBER(b)=-5\nBIG=18446744073709551615\n"
	"TOO_BIG=18446744073709551616\nXPAGESIZE=1\nLAST=7";

static const struct {
	const char *row, *name;
	unsigned int base;
	bool found;
	uint64_t value;
} numbers[] = {
	{ "decimal", "PAGESIZE", 10, true, 4096 },
	{ "decimal digits as hexadecimal", "PAGESIZE", 16, true, 0x4096 },
	{ "hexadecimal", "SYMBOL(prb2)", 16, true, 0x3ffd0af },
	{ "upper-case digits are none", "SYMBOL(prb)", 16, false, 0 },
	{ "no digits", "EMPTY", 10, false, 0 },
	{ "a prefix is no digit", "NUMBER(a)", 16, false, 0 },
	{ "a sign is no digit", "NUMBER(b)", 10, false, 0 },
	{ "largest", "BIG", 10, true, UINT64_MAX },
	{ "too large", "TOO_BIG", 10, false, 0 },
	{ "last line, without a newline", "LAST", 10, true, 7 },
	{ "part of a name", "PAGESIZ", 10, false, 0 },
	{ "end of a name", "AGESIZE", 10, false, 0 },
	{ "not there", "SYMBOL(none)", 16, false, 0 },
};

static void test_numbers(void **state)
{
	const struct vmcoreinfo v = { text, sizeof(text) - 1 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		uint64_t value = 0;
		bool found = vmcoreinfo_number(&v, numbers[i].name, numbers[i].base, &value);

		row_true(numbers[i].row, found == numbers[i].found);
		row_true(numbers[i].row, value == numbers[i].value);
	}
}

static void test_nothing(void **state)
{
	const struct vmcoreinfo none = { NULL, 0 };
	size_t len;

	(void)state;
	assert_null(vmcoreinfo_line(&none, "OSRELEASE", &len));
}

/* Storage of two pages; the second one is damaged. */
static int read_damaged(void *ctx, uint64_t addr, void *buf, size_t len, struct zpv_err *err)
{
	const int *answer = ctx;

	if (addr + len > 4096)
		return err_set(err, ZPV_ERR_VERIFY, "damaged");
	if (*answer)
		return err_set(err, (enum zpv_err_code) * answer, "told");
	memset(buf, 0, len);
	return 0;
}

static const struct {
	const char *row;
	int answer, rc;
} answers[] = {
	{ "zeros, and a damaged page", 0, 0 },
	{ "an address that is not there", ZPV_ERR_USAGE, 0 },
	{ "locked", ZPV_ERR_KEY, -ZPV_ERR_KEY },
	{ "input or output", ZPV_ERR_IO, -ZPV_ERR_IO },
};

static void test_answers(void **state)
{
	static const struct zpv_dump_range range = { 0, 8192 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		int answer = answers[i].answer;
		const struct kernel_storage s = { read_damaged, &answer, &range, 1 };
		AUTO_BUF found = BUF_INIT;
		struct zpv_err err = { 0 };
		int rc = vmcoreinfo_find(&s, &found, &err);

		row_true(answers[i].row, rc == answers[i].rc);
		row_true(answers[i].row, found.len == 0);
		row_true(answers[i].row, !rc || strcmp(err.text, "told") == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
