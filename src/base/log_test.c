// SPDX-License-Identifier: MIT
/*
 * Messages and progress: both go to functions of the caller, if there are any.
 */
#include "log.h"

#include "progress.h"
#include "unit.h"

struct heard {
	int count;
	enum zpv_log_level level;
	char text[2048];
};

static void hear(void *ctx, enum zpv_log_level level, const char *text)
{
	struct heard *h = ctx;

	h->count++;
	h->level = level;
	snprintf(h->text, sizeof(h->text), "%s", text);
}

static void test_message(void **state)
{
	struct heard h = { 0 };
	const struct zpv_log log = { hear, &h };

	(void)state;
	log_warn(&log, "'%s' has %d", "f", 3);
	assert_int_equal(h.level, ZPV_LOG_WARN);
	assert_string_equal(h.text, "'f' has 3");
	log_info(&log, "i");
	assert_int_equal(h.level, ZPV_LOG_INFO);
	log_debug(&log, "d");
	assert_int_equal(h.level, ZPV_LOG_DEBUG);
	assert_int_equal(h.count, 3);
}

static void test_nobody_listens(void **state)
{
	const struct zpv_log silent = { NULL, NULL };

	(void)state;
	log_warn(NULL, "x");
	log_warn(&silent, "x");
}

static void test_long_message_is_cut(void **state)
{
	struct heard h = { 0 };
	const struct zpv_log log = { hear, &h };
	char text[2001];

	(void)state;
	memset(text, 'a', 2000);
	text[2000] = '\0';
	log_warn(&log, "%s", text);
	assert_int_equal(strlen(h.text), 1023);
}

struct seen {
	uint64_t done, total;
	int answer;
};

static int see(void *ctx, uint64_t done, uint64_t total)
{
	struct seen *s = ctx;

	s->done = done;
	s->total = total;
	return s->answer;
}

static void test_progress(void **state)
{
	struct seen s = { 0, 0, 0 };
	const struct zpv_progress progress = { see, &s };
	struct task task = { .progress = &progress, .total = 100 };
	struct zpv_err err;

	(void)state;
	assert_int_equal(task_advance(&task, 30, &err), 0);
	assert_int_equal(task_advance(&task, 12, &err), 0);
	assert_int_equal(s.done, 42);
	assert_int_equal(s.total, 100);
	assert_int_equal(task_poll(&task, &err), 0);
	assert_int_equal(s.done, 42);
	s.answer = 7;
	row_err("stop", task_advance(&task, 1, &err), err, ZPV_ERR_CANCELLED, "stopped on request");
	assert_int_equal(s.done, 43);
}

static void test_progress_without_a_listener(void **state)
{
	const struct zpv_progress silent = { NULL, NULL };
	struct task tasks[] = { { .progress = NULL }, { .progress = &silent } };
	struct zpv_err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(tasks); i++) {
		assert_int_equal(task_advance(&tasks[i], 5, &err), 0);
		assert_int_equal(tasks[i].done, 5);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_message),
		cmocka_unit_test(test_nobody_listens),
		cmocka_unit_test(test_long_message_is_cut),
		cmocka_unit_test(test_progress),
		cmocka_unit_test(test_progress_without_a_listener),
	};

	return cmocka_run_group_tests_name("base/log", tests, NULL, NULL);
}
