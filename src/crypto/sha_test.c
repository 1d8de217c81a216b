// SPDX-License-Identifier: MIT
/*
 * SHA-256 and SHA-512. Known answers: FIPS 180-4's examples as NIST publishes them.
 */
#include "sha.h"

#include "unit.h"

#define M448 "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"
#define M896                                                       \
	"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn" \
	"hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu"

static const struct {
	const char *name;
	enum sha_kind kind;
	const char *text;
	size_t times;
	const char *want;
} rows[] = {
	{ "SHA-256, empty", SHA_256, "", 1,
	  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ "SHA-256, abc", SHA_256, "abc", 1,
	  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ "SHA-256, 448 bits", SHA_256, M448, 1,
	  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	{ "SHA-256, 896 bits", SHA_256, M896, 1,
	  "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1" },
	{ "SHA-256, a million times a", SHA_256, "aaaaaaaaaa", 100000,
	  "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0" },
	{ "SHA-512, empty", SHA_512, "", 1,
	  "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
	  "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e" },
	{ "SHA-512, abc", SHA_512, "abc", 1,
	  "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
	  "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f" },
	{ "SHA-512, 448 bits", SHA_512, M448, 1,
	  "204a8fc6dda82f0a0ced7beb8e08a41657c16ef468b228a8279be331a703c335"
	  "96fd15c13b1b07f9aa1d3bea57789ca031ad85c7a71dd70354ec631238ca3445" },
	{ "SHA-512, 896 bits", SHA_512, M896, 1,
	  "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018"
	  "501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909" },
	{ "SHA-512, a million times a", SHA_512, "aaaaaaaaaa", 100000,
	  "e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973eb"
	  "de0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b" },
};

static void test_streams(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t len = rows[i].kind == SHA_256 ? SHA256_BYTES : SHA512_BYTES;
		AUTO_BYTES want = unit_hex(rows[i].want);
		AUTO(sha) struct sha *s = NULL;
		uint8_t got[SHA512_BYTES + 1];
		struct zpv_err err;

		memset(got, 0x77, sizeof(got));
		row_ok(rows[i].name, sha_new(rows[i].kind, &s, &err), err);
		for (size_t k = 0; k < rows[i].times; k++)
			sha_update(s, rows[i].text, strlen(rows[i].text));
		row_ok(rows[i].name, sha_final(s, got, &err), err);
		row_mem(rows[i].name, got, want.data, len);
		row_int(rows[i].name, got[len], 0x77);
	}
}

static void test_at_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO_BYTES want = unit_hex(rows[i].want);
		uint8_t got[SHA256_BYTES];
		struct zpv_err err;

		if (rows[i].kind != SHA_256 || rows[i].times != 1)
			continue;
		row_ok(rows[i].name, sha256(rows[i].text, strlen(rows[i].text), got, &err), err);
		row_mem(rows[i].name, got, want.data, sizeof(got));
	}
}

/* The same bytes cut at every place give the same digest. */
static void test_cuts(void **state)
{
	uint8_t data[300], want[SHA512_BYTES], got[SHA512_BYTES];
	struct zpv_err err;

	(void)state;
	unit_pattern(data, sizeof(data), 8);
	for (size_t cut = 0; cut <= sizeof(data); cut++) {
		AUTO(sha) struct sha *s = NULL;

		row_ok("new", sha_new(SHA_512, &s, &err), err);
		sha_update(s, data, cut);
		sha_update(s, data + cut, sizeof(data) - cut);
		row_ok("final", sha_final(s, cut ? got : want, &err), err);
		if (cut)
			row_mem("cut", got, want, sizeof(got));
	}
	sha_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_streams),
		cmocka_unit_test(test_at_once),
		cmocka_unit_test(test_cuts),
	};

	return cmocka_run_group_tests_name("crypto/sha", tests, NULL, NULL);
}
