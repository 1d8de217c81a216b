// SPDX-License-Identifier: MIT
/*
 * The relay: what is submitted reaches the worker whole, in order, and before drain returns.
 */
#include "relay.h"

#include <stdatomic.h>

#include "unit.h"

struct sink {
	size_t calls, bytes;
	uint32_t hash;
	useconds_t pause;
	atomic_size_t seen; /* for tests that look while it works */
};

static uint32_t mix(uint32_t hash, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ data[i]) * 16777619u;
	return hash * 31 + (uint32_t)len;
}

static void consume(void *ctx, const uint8_t *data, size_t len)
{
	struct sink *s = ctx;

	if (s->pause)
		usleep(s->pause);
	s->calls++;
	s->bytes += len;
	s->hash = mix(s->hash, data, len);
	atomic_fetch_add(&s->seen, 1);
}

static void test_order_and_content(void **state)
{
	static const struct {
		const char *name;
		size_t slots, slot_bytes, count;
		useconds_t pause, delay;
	} rows[] = {
		{ "one slot", 1, 64, 500, 0, 0 },
		{ "two slots", 2, 4096, 500, 0, 0 },
		{ "many slots", 16, 4096, 2000, 0, 0 },
		{ "more slots than work", 64, 1024, 10, 0, 0 },
		{ "slow worker", 3, 512, 40, 500, 0 },
		{ "slow caller", 3, 512, 40, 0, 500 },
		{ "nothing", 4, 64, 0, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sink s = { .pause = rows[i].pause };
		AUTO(relay) struct relay *r = NULL;
		struct zpv_err err;
		uint32_t hash = 0;
		size_t bytes = 0;

		row_ok(rows[i].name,
		       relay_new(rows[i].slots, rows[i].slot_bytes, consume, &s, &r, &err), err);
		for (size_t k = 0; k < rows[i].count; k++) {
			size_t len = rows[i].slot_bytes - k % 7;
			uint8_t *slot = relay_slot(r);

			unit_pattern(slot, len, (uint32_t)k);
			hash = mix(hash, slot, len);
			bytes += len;
			relay_submit(r, len);
			if (rows[i].delay)
				usleep(rows[i].delay);
		}
		relay_drain(r);
		row_int(rows[i].name, s.calls, rows[i].count);
		row_int(rows[i].name, s.bytes, bytes);
		row_int(rows[i].name, s.hash, hash);
	}
}

static void test_slot_may_be_read_after_submit(void **state)
{
	struct sink s = { 0 };
	AUTO(relay) struct relay *r = NULL;
	struct zpv_err err;

	(void)state;
	row_ok("new", relay_new(2, 256, consume, &s, &r, &err), err);
	for (uint32_t k = 0; k < 300; k++) {
		uint8_t want[256], *slot = relay_slot(r);

		unit_pattern(want, sizeof(want), k);
		memcpy(slot, want, sizeof(want));
		relay_submit(r, sizeof(want));
		assert_memory_equal(slot, want, sizeof(want));
	}
}

static void test_drain_and_go_on(void **state)
{
	struct sink s = { 0 };
	AUTO(relay) struct relay *r = NULL;
	struct zpv_err err;

	(void)state;
	row_ok("new", relay_new(4, 64, consume, &s, &r, &err), err);
	relay_drain(r);
	for (size_t round = 1; round <= 10; round++) {
		for (int k = 0; k < 3; k++) {
			memset(relay_slot(r), k, 64);
			relay_submit(r, 64);
		}
		relay_drain(r);
		assert_int_equal(s.calls, 3 * round);
	}
}

static void test_slot_is_the_same_until_submitted(void **state)
{
	struct sink s = { 0 };
	AUTO(relay) struct relay *r = NULL;
	struct zpv_err err;
	uint8_t *slot;

	(void)state;
	row_ok("new", relay_new(4, 64, consume, &s, &r, &err), err);
	slot = relay_slot(r);
	assert_ptr_equal(relay_slot(r), slot);
	relay_submit(r, 0);
	assert_ptr_not_equal(relay_slot(r), slot);
	relay_drain(r);
	assert_int_equal(s.calls, 1);
	assert_int_equal(s.bytes, 0);
}

static void test_free_without_submit(void **state)
{
	struct sink s = { 0 };
	struct zpv_err err;

	(void)state;
	for (int take_slot = 0; take_slot < 2; take_slot++) {
		struct relay *r;

		row_ok("new", relay_new(4, 64, consume, &s, &r, &err), err);
		if (take_slot)
			memset(relay_slot(r), 1, 64);
		relay_free(r);
	}
	assert_int_equal(s.calls, 0);
	relay_free(NULL);
}

static void test_free_finishes_the_work(void **state)
{
	struct sink s = { .pause = 1000 };
	struct relay *r;
	struct zpv_err err;

	(void)state;
	row_ok("new", relay_new(8, 64, consume, &s, &r, &err), err);
	for (int k = 0; k < 8; k++) {
		memset(relay_slot(r), k, 64);
		relay_submit(r, 64);
	}
	relay_free(r);
	assert_int_equal(s.calls, 8);
}

/* The worker runs beside the caller: it is done without drain or free. */
static void test_worker_is_another_thread(void **state)
{
	struct sink s = { 0 };
	AUTO(relay) struct relay *r = NULL;
	struct zpv_err err;
	int tries = 0;

	(void)state;
	row_ok("new", relay_new(2, 64, consume, &s, &r, &err), err);
	memset(relay_slot(r), 1, 64);
	relay_submit(r, 64);
	while (atomic_load(&s.seen) == 0 && tries++ < 10000)
		usleep(1000);
	assert_int_equal(atomic_load(&s.seen), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_and_content),
		cmocka_unit_test(test_slot_may_be_read_after_submit),
		cmocka_unit_test(test_drain_and_go_on),
		cmocka_unit_test(test_slot_is_the_same_until_submitted),
		cmocka_unit_test(test_free_without_submit),
		cmocka_unit_test(test_free_finishes_the_work),
		cmocka_unit_test(test_worker_is_another_thread),
	};

	return cmocka_run_group_tests_name("base/relay", tests, NULL, NULL);
}
