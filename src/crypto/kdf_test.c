// SPDX-License-Identifier: MIT
/*
 * Key derivation. Known answers: RFC 5869 A.1 to A.3; the input of A.1 with SHA-512; NIST CAVP
 * "ANSI X9.63-2001 KDF" vectors for SHA-256.
 */
#include "kdf.h"

#include "secret.h"
#include "unit.h"

#define B0_F                                                               \
	"b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecf" \
	"d0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeef" \
	"f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"

static const struct vector {
	const char *name;
	enum sha_kind hash;
	const char *ikm, *salt, *info, *okm;
} hkdf_vectors[] = {
	{ "RFC 5869 A.1", SHA_256, "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
	  "000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9",
	  "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865" },
	{ "RFC 5869 A.2", SHA_256,
	  "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
	  "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
	  "404142434445464748494a4b4c4d4e4f",
	  "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f"
	  "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"
	  "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
	  B0_F,
	  "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
	  "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
	  "cc30c58179ec3e87c14c01d5c1f3434f1d87" },
	{ "RFC 5869 A.3", SHA_256, "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
	  "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8" },
	{ "A.1 with SHA-512", SHA_512, "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
	  "000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9",
	  "832390086cda71fb47625bb5ceb168e4c8e26a1a16ed34d9fc7fe92c1481579338da362cb8d9f925d7cb" },
};

static const struct vector x963_vectors[] = {
	{ "no shared info", SHA_256, "96c05619d56c328ab95fe84b18264b08725b85e33fd34f08", "", "",
	  "443024c3dae66b95e6f5670601558f71" },
	{ "shared info, several rounds", SHA_256,
	  "22518b10e70f2a3f243810ae3254139efbee04aa57c7af7d", "",
	  "75eef81aa3041e33b80971203d2c0c52",
	  "c498af77161cc59f2962b9a713e2b215152d139766ce34a776df11866a69bf2e"
	  "52a13d9c7c6fc878c50c5ea0bc7b00e0da2447cfd874f6cf92f30d0097111485"
	  "500c90c3af8b487872d04685d14c8d1dc8d7fa08beb0ce0ababc11f0bd496269"
	  "142d43525a78e5bc79a17f59676a5706dc54d54d4d1f0bd7e386128ec26afc21" },
};

static void test_hkdf(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hkdf_vectors); i++) {
		const struct vector *v = &hkdf_vectors[i];
		AUTO_BYTES ikm = unit_hex(v->ikm), salt = unit_hex(v->salt),
			   info = unit_hex(v->info), okm = unit_hex(v->okm);
		AUTO(secret) struct secret *in = NULL;
		AUTO(secret) struct secret *out = NULL;
		struct zpv_err err;

		row_ok(v->name, secret_copy(ikm.data, ikm.len, &in, &err), err);
		row_ok(v->name,
		       hkdf(v->hash, in, salt.data, salt.len, info.data, info.len, okm.len, &out,
			    &err),
		       err);
		row_int(v->name, secret_len(out), okm.len);
		row_mem(v->name, secret_bytes(out), okm.data, okm.len);
	}
}

static void test_x963(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(x963_vectors); i++) {
		const struct vector *v = &x963_vectors[i];
		AUTO_BYTES z = unit_hex(v->ikm), info = unit_hex(v->info), okm = unit_hex(v->okm);
		AUTO(secret) struct secret *in = NULL;
		AUTO(secret) struct secret *out = NULL;
		struct zpv_err err;

		row_ok(v->name, secret_copy(z.data, z.len, &in, &err), err);
		row_ok(v->name, x963_kdf_sha256(in, info.data, info.len, okm.len, &out, &err), err);
		row_int(v->name, secret_len(out), okm.len);
		row_mem(v->name, secret_bytes(out), okm.data, okm.len);
	}
}

/* HKDF gives at most 255 blocks; more is a failure of the library, not a short key. */
static void test_too_much(void **state)
{
	AUTO(secret) struct secret *in = NULL;
	struct secret *out = NULL;
	struct zpv_err err;

	(void)state;
	row_ok("key", secret_copy((const uint8_t *)"key", 3, &in, &err), err);
	assert_int_equal(hkdf(SHA_256, in, NULL, 0, NULL, 0, 255 * 32 + 1, &out, &err),
			 -ZPV_ERR_CRYPTO);
	row_has("text", err.text, "key derivation by HKDF failed");
	assert_null(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hkdf),
		cmocka_unit_test(test_x963),
		cmocka_unit_test(test_too_much),
	};

	return cmocka_run_group_tests_name("crypto/kdf", tests, NULL, NULL);
}
