// SPDX-License-Identifier: MIT
/*
 * Profiles, what names an identity, and the texts of its folder.
 */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on

#include <stdlib.h>
#include <string.h>

#include "identity_priv.h"

static void test_profiles(void **state)
{
	static const struct {
		enum zpv_profile profile;
		const char *name, *type;
	} rows[] = {
		{ ZPV_PROFILE_Z15, "z15", "8561" },
		{ ZPV_PROFILE_Z16, "z16", "3931" },
		{ ZPV_PROFILE_Z17, "z17", "9175" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		enum zpv_profile p;

		assert_string_equal(zpv_profile_name(rows[i].profile), rows[i].name);
		assert_string_equal(profile_type(rows[i].profile), rows[i].type);
		assert_true(zpv_profile_from_name(rows[i].name, &p));
		assert_int_equal(p, rows[i].profile);
	}
	assert_false(zpv_profile_from_name("z14", &(enum zpv_profile){ 0 }));
	assert_false(zpv_profile_from_name("", &(enum zpv_profile){ 0 }));
	assert_null(profile_type((enum zpv_profile)3));
	assert_null(zpv_profile_name((enum zpv_profile)3));
}

static void test_serials(void **state)
{
	static const struct {
		const char *serial;
		bool valid;
	} rows[] = {
		{ "0", true },
		{ "0123456789ABCDEZ", true },
		{ "", false },
		{ "a", false },
		{ "0123456789ABCDEFG", false },
		{ "A-B", false },
		{ "A/../B", false },
		{ "A B", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (serial_valid(rows[i].serial) != rows[i].valid)
			fail_msg("'%s'", rows[i].serial);
}

static void test_crl_urls(void **state)
{
	static const struct {
		const char *url;
		bool valid;
	} rows[] = {
		{ "http://h", true },
		{ "https://h.example:8443/a/b/?c=d&e", true },
		{ "http://[::1]:80/", true },
		{ "http://", false },
		{ "ftp://h", false },
		{ "HTTP//h", false },
		{ "file:///etc", false },
		{ "http://a b", false },
		{ "http://a,URI:b", false },
		{ "http://a\n", false },
		{ "", false },
		{ "http://\xc3\xa9", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (crl_url_valid(rows[i].url) != rows[i].valid)
			fail_msg("'%s'", rows[i].url);
}

static struct identity example(void)
{
	struct identity id = { .profile = ZPV_PROFILE_Z17,
			       .serial = "ABC",
			       .created = "2026-11-22T12:00:00Z" };

	memset(id.hash, 0xa5, sizeof(id.hash));
	memset(id.backup_hash, 0x5a, sizeof(id.backup_hash));
	return id;
}

static void test_json_round_trip(void **state)
{
	struct identity id = example(), back;
	char *text = identity_to_json(&id);

	(void)state;
	memset(&back, 0, sizeof(back));
	assert_non_null(text);
	assert_non_null(strstr(text, "\"host_key_document\": \"HKD-9175-ABC.crt\""));
	assert_non_null(strstr(text, "\"host_key\": \"private/host.key\""));
	assert_int_equal(identity_from_json(text, strlen(text), &back, NULL), 0);
	assert_memory_equal(&id, &back, sizeof(id));
	free(text);
}

/* Each row damages one place of the text. */
static void test_json_refusals(void **state)
{
	static const struct {
		const char *from, *to, *error;
	} rows[] = {
		{ "z17", "z18", "'profile' is missing or wrong" },
		{ "9175\"", "3931\"", "'type' is missing or wrong" },
		{ "\"ABC\"", "\"a/C\"", "'serial' is missing or wrong" },
		{ "T12", "?12", "'created' is missing or wrong" },
		{ "\"a5", "\"x5", "'host_key_hash' is missing or wrong" },
		{ "\"5a", "\"x5", "'backup_host_key_hash' is missing or wrong" },
		{ "private/host.key", "private/tsoh.key", "'host_key' is missing or wrong" },
		{ "DigiCertCA.crl", "DigiCertCA.crt", "'intermediate_ca_crl' is missing or wrong" },
		{ "\"version\": 1", "\"version\": 9", "version 9, not 1" },
		{ "\"version\"", "\"VERSION\"", "there is no version number" },
		{ "{", "[", "not a JSON object" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct identity id = example();
		char *text = identity_to_json(&id), *at = text ? strstr(text, rows[i].from) : NULL;
		struct zpv_err err = { 0 };

		assert_non_null(at);
		if (!at)
			return; /* the analyzer does not know cmocka */
		memcpy(at, rows[i].to, strlen(rows[i].to));
		assert_int_equal(identity_from_json(text, strlen(text), &id, &err),
				 -ZPV_ERR_FORMAT);
		assert_string_equal(err.text, rows[i].error);
		free(text);
	}
}

static void test_key_hashes(void **state)
{
	struct identity id = example();
	char *text = key_hashes_to_text(id.hash, id.backup_hash);
	int lines = 0;

	(void)state;
	assert_non_null(text);
	assert_int_equal(strlen(text), KEY_HASH_LINES * 65);
	for (const char *p = text; *p; p += 65, lines++) {
		assert_int_equal(strspn(p, "0123456789abcdef"), 64);
		assert_int_equal(p[64], '\n');
		assert_memory_equal(p, lines == 0 ? "a5" : lines == 1 ? "5a" : "00", 2);
	}
	assert_int_equal(lines, KEY_HASH_LINES);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_profiles),      cmocka_unit_test(test_serials),
		cmocka_unit_test(test_crl_urls),      cmocka_unit_test(test_json_round_trip),
		cmocka_unit_test(test_json_refusals), cmocka_unit_test(test_key_hashes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
