// SPDX-License-Identifier: MIT
/*
 * The growable buffer.
 */
#include "buf.h"

#include "unit.h"

static void test_append_keeps_order(void **state)
{
	AUTO_BUF b = BUF_INIT;
	struct zpv_err err;
	uint8_t want[4096];

	(void)state;
	unit_pattern(want, sizeof(want), 1);
	for (size_t at = 0, step = 0; at < sizeof(want); at += step, step++) {
		if (step > sizeof(want) - at)
			step = sizeof(want) - at;
		assert_int_equal(buf_append(&b, want + at, step, &err), 0);
		assert_int_equal(b.len, at + step);
	}
	assert_int_equal(b.len, sizeof(want));
	assert_memory_equal(b.data, want, sizeof(want));
	assert_true(b.room >= b.len);
}

static void test_append_nothing(void **state)
{
	AUTO_BUF b = BUF_INIT;
	struct zpv_err err;

	(void)state;
	assert_int_equal(buf_append(&b, NULL, 0, &err), 0);
	assert_int_equal(b.len, 0);
}

static void test_extend_counts(void **state)
{
	AUTO_BUF b = BUF_INIT;
	uint8_t *first = buf_extend(&b, 10);

	(void)state;
	assert_non_null(first);
	assert_int_equal(b.len, 10);
	memset(first, 'a', 10);
	assert_ptr_equal(buf_extend(&b, 5), b.data + 10);
	assert_int_equal(b.len, 15);
	assert_memory_equal(b.data, "aaaaaaaaaa", 10);
}

static void test_sizes_that_would_wrap(void **state)
{
	AUTO_BUF b = BUF_INIT;
	struct zpv_err err;
	char want[64];

	(void)state;
	assert_non_null(buf_extend(&b, 1));
	assert_null(buf_extend(&b, SIZE_MAX));
	assert_null(buf_extend(&b, SIZE_MAX / 2));
	assert_int_equal(b.len, 1);
	snprintf(want, sizeof(want), "no memory for %zu bytes", SIZE_MAX);
	row_err("wrap", buf_append(&b, "", SIZE_MAX, &err), err, ZPV_ERR_NOMEM, want);
}

static void test_free_leaves_it_empty(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	assert_non_null(buf_extend(&b, 1));
	buf_free(&b);
	assert_null(b.data);
	assert_int_equal(b.len, 0);
	assert_int_equal(b.room, 0);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_append_keeps_order),
		cmocka_unit_test(test_append_nothing),
		cmocka_unit_test(test_extend_counts),
		cmocka_unit_test(test_sizes_that_would_wrap),
		cmocka_unit_test(test_free_leaves_it_empty),
	};

	return cmocka_run_group_tests_name("base/buf", tests, NULL, NULL);
}
