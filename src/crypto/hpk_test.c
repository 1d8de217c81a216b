// SPDX-License-Identifier: MIT
/*
 * Wrapping the header protection key: round trips, and the slots of an image that another tool
 * made (tests/golden/se-image).
 */
#include "hpk.h"

#include "p521.h"
#include "secret.h"
#include "unit.h"

#define HDR   0x14000
#define SLOTS (HDR + 0x1a0)

static void test_round_trip(void **state)
{
	AUTO(p521) struct p521 *cust = NULL;
	AUTO(p521) struct p521 *host = NULL;
	AUTO(p521) struct p521 *other = NULL;
	AUTO(secret) struct secret *hpk = NULL;
	AUTO(secret) struct secret *back = NULL;
	struct secret *none = NULL;
	uint8_t wrapped[HPK_BYTES], tag[GCM_TAG_BYTES];
	struct zpv_err err;

	(void)state;
	row_ok("customer", p521_generate(&cust, &err), err);
	row_ok("host", p521_generate(&host, &err), err);
	row_ok("other", p521_generate(&other, &err), err);
	row_ok("key", secret_random(HPK_BYTES, &hpk, &err), err);
	row_ok("wrap", hpk_wrap(cust, host, hpk, wrapped, tag, &err), err);
	assert_memory_not_equal(wrapped, secret_bytes(hpk), HPK_BYTES);
	row_ok("unwrap", hpk_unwrap(host, cust, wrapped, tag, &back, &err), err);
	assert_true(secret_equal(hpk, back));

	row_err("wrong host", hpk_unwrap(other, cust, wrapped, tag, &none, &err), err, ZPV_ERR_KEY,
		"the authentication tag does not match");
	row_err("wrong customer", hpk_unwrap(host, other, wrapped, tag, &none, &err), err,
		ZPV_ERR_KEY, "the authentication tag does not match");
	wrapped[0] ^= 1;
	row_err("changed", hpk_unwrap(host, cust, wrapped, tag, &none, &err), err, ZPV_ERR_KEY,
		"the authentication tag does not match");
	wrapped[0] ^= 1;
	tag[15] ^= 1;
	row_err("changed tag", hpk_unwrap(host, cust, wrapped, tag, &none, &err), err, ZPV_ERR_KEY,
		"the authentication tag does not match");
	assert_null(none);
}

static void test_golden_slots(void **state)
{
	static const struct {
		const char *key;
		size_t slot, other;
	} rows[] = { { "host1.key", 0, 1 }, { "host2.key", 1, 0 } };
	struct unit_path img_path = unit_golden("sealed.img"), key_path = unit_golden("hdr.key");
	AUTO_BYTES img = unit_read(img_path.s);
	AUTO_BYTES want = unit_read(key_path.s);
	AUTO(p521) struct p521 *cust = NULL;
	struct zpv_err err;

	(void)state;
	row_ok("customer", p521_from_point(img.data + HDR + 0x40, &cust, &err), err);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const uint8_t *slot = img.data + SLOTS + 80 * rows[i].slot;
		const uint8_t *other = img.data + SLOTS + 80 * rows[i].other;
		struct unit_path path = unit_golden(rows[i].key);
		AUTO(p521) struct p521 *host = NULL;
		AUTO(secret) struct secret *hpk = NULL;
		struct secret *none = NULL;

		row_ok(rows[i].key, p521_read_private(path.s, &host, &err), err);
		row_ok(rows[i].key, hpk_unwrap(host, cust, slot + 32, slot + 64, &hpk, &err), err);
		row_mem(rows[i].key, secret_bytes(hpk), want.data, HPK_BYTES);
		row_int(rows[i].key, hpk_unwrap(host, cust, other + 32, other + 64, &none, &err),
			-ZPV_ERR_KEY);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_golden_slots),
	};

	return cmocka_run_group_tests_name("crypto/hpk", tests, NULL, NULL);
}
