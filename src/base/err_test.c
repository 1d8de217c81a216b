// SPDX-License-Identifier: MIT
/*
 * The error object: codes, the order of contexts, and what happens at the end of its text.
 */
#include "err.h"

#include <errno.h>

#include "unit.h"

static void test_set(void **state)
{
	struct zpv_err err = { 0 };

	(void)state;
	assert_int_equal(err_set(&err, ZPV_ERR_FORMAT, "version %#x, not %#x", 0x200, 0x100),
			 -ZPV_ERR_FORMAT);
	assert_int_equal(err.code, ZPV_ERR_FORMAT);
	assert_string_equal(err.text, "version 0x200, not 0x100");
	assert_int_equal(err_set(&err, ZPV_ERR_KEY, "again"), -ZPV_ERR_KEY);
	assert_string_equal(err.text, "again");
	err_clear(&err);
	assert_int_equal(err.code, 0);
	assert_string_equal(err.text, "");
}

static void test_context_is_outermost_first(void **state)
{
	struct zpv_err err;

	(void)state;
	err_set(&err, ZPV_ERR_KEY, "inner");
	assert_int_equal(err_ctx(&err, "middle %d", 2), -ZPV_ERR_KEY);
	assert_int_equal(err_ctx(&err, "outer '%s'", "x"), -ZPV_ERR_KEY);
	assert_string_equal(err.text, "outer 'x': middle 2: inner");
	assert_int_equal(err.code, ZPV_ERR_KEY);
}

static void test_errno(void **state)
{
	struct zpv_err err;

	(void)state;
	errno = ENOENT;
	assert_int_equal(err_errno(&err, ZPV_ERR_IO, "cannot open '%s'", "f"), -ZPV_ERR_IO);
	assert_string_equal(err.text, "cannot open 'f': No such file or directory");
	assert_int_equal(errno, ENOENT);
}

static void test_null_is_accepted(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, ZPV_ERR_IO, "x"), -ZPV_ERR_IO);
	assert_int_equal(err_errno(NULL, ZPV_ERR_NOMEM, "x"), -ZPV_ERR_NOMEM);
	assert_true(err_ctx(NULL, "x") < 0);
	err_clear(NULL);
}

/* Texts of 1022, 1023 (the longest that fits) and more bytes. */
static void test_text_is_cut(void **state)
{
	static const struct {
		const char *name;
		size_t len, kept;
	} rows[] = {
		{ "one below", ZPV_ERR_TEXT_SIZE - 2, ZPV_ERR_TEXT_SIZE - 2 },
		{ "fits", ZPV_ERR_TEXT_SIZE - 1, ZPV_ERR_TEXT_SIZE - 1 },
		{ "one above", ZPV_ERR_TEXT_SIZE, ZPV_ERR_TEXT_SIZE - 1 },
		{ "far above", 3 * ZPV_ERR_TEXT_SIZE, ZPV_ERR_TEXT_SIZE - 1 },
	};
	char text[3 * ZPV_ERR_TEXT_SIZE + 1];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct {
			struct zpv_err err;
			char behind;
		} o = { .behind = '!' };

		memset(text, 'a', rows[i].len);
		text[rows[i].len] = '\0';
		row_int(rows[i].name, err_set(&o.err, ZPV_ERR_IO, "%s", text), -ZPV_ERR_IO);
		row_int(rows[i].name, strlen(o.err.text), rows[i].kept);
		errno = EPERM;
		row_int(rows[i].name, err_errno(&o.err, ZPV_ERR_IO, "%s", text), -ZPV_ERR_IO);
		row_true(rows[i].name, strlen(o.err.text) <= ZPV_ERR_TEXT_SIZE - 1);
		row_int(rows[i].name, err_ctx(&o.err, "context"), -ZPV_ERR_IO);
		row_int(rows[i].name, strlen(o.err.text), ZPV_ERR_TEXT_SIZE - 1);
		row_int(rows[i].name, strncmp(o.err.text, "context: aaaa", 13), 0);
		row_int(rows[i].name, err_ctx(&o.err, "%s", text), -ZPV_ERR_IO);
		row_int(rows[i].name, o.err.text[0], 'a');
		row_int(rows[i].name, o.behind, '!');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_context_is_outermost_first),
		cmocka_unit_test(test_errno),
		cmocka_unit_test(test_null_is_accepted),
		cmocka_unit_test(test_text_is_cut),
	};

	return cmocka_run_group_tests_name("base/err", tests, NULL, NULL);
}
