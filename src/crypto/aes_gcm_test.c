// SPDX-License-Identifier: MIT
/*
 * AES-256-GCM. Known answers: McGrew and Viega, "The Galois/Counter Mode of Operation", test cases
 * 13 to 16, the ones that NIST published with its proposal.
 */
#include "aes_gcm.h"

#include "secret.h"
#include "unit.h"

#define KEY_0 "0000000000000000000000000000000000000000000000000000000000000000"
#define KEY_F "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"
#define PLAIN                                                                                  \
	"d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf" \
	"0e2449a6b525b16aedf5aa0de657ba637b39"
#define CIPHER                                                                                 \
	"522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b0" \
	"8b1056828838c5f61e6393ba7a0abcc9f662"

static const struct vector {
	const char *name, *key, *iv, *aad, *plain, *cipher, *tag;
} vectors[] = {
	{ "case 13: empty", KEY_0, "000000000000000000000000", "", "", "",
	  "530f8afbc74536b9a963b4f1c4cb738b" },
	{ "case 14: a block", KEY_0, "000000000000000000000000", "",
	  "00000000000000000000000000000000", "cea7403d4d606b6e074ec5d3baf39d18",
	  "d0d1c8a799996bf0265b98b5d48ab919" },
	{ "case 15: four blocks", KEY_F, "cafebabefacedbaddecaf888", "", PLAIN "1aafd255",
	  CIPHER "898015ad", "b094dac5d93471bdec1a502270e3cc6c" },
	{ "case 16: part of a block, AAD", KEY_F, "cafebabefacedbaddecaf888",
	  "feedfacedeadbeeffeedfacedeadbeefabaddad2", PLAIN, CIPHER,
	  "76fc6ece0f4e1768cddf8853bb2d551b" },
};

static struct secret *make_key(const char *hex)
{
	AUTO_BYTES b = unit_hex(hex);
	struct secret *key = NULL;
	struct zpv_err err;

	row_ok("key", secret_copy(b.data, b.len, &key, &err), err);
	return key;
}

static void test_known_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		const struct vector *v = &vectors[i];
		AUTO(secret) struct secret *key = make_key(v->key);
		AUTO_BYTES iv = unit_hex(v->iv), aad = unit_hex(v->aad), plain = unit_hex(v->plain);
		AUTO_BYTES cipher = unit_hex(v->cipher), tag = unit_hex(v->tag);
		uint8_t out[64], got_tag[16];
		struct zpv_err err;

		row_ok(v->name,
		       aes_gcm_seal(key, iv.data, aad.data, aad.len, plain.data, plain.len, out,
				    got_tag, &err),
		       err);
		row_mem(v->name, out, cipher.data, cipher.len);
		row_mem(v->name, got_tag, tag.data, 16);
		row_ok(v->name,
		       aes_gcm_open(key, iv.data, aad.data, aad.len, cipher.data, cipher.len, out,
				    tag.data, &err),
		       err);
		row_mem(v->name, out, plain.data, plain.len);
	}
}

static void test_in_place(void **state)
{
	AUTO(secret) struct secret *key = make_key(KEY_F);
	uint8_t iv[12] = { 1 }, data[100], want[100], tag[16];
	struct zpv_err err;

	(void)state;
	unit_pattern(want, sizeof(want), 6);
	memcpy(data, want, sizeof(data));
	row_ok("seal", aes_gcm_seal(key, iv, NULL, 0, data, sizeof(data), data, tag, &err), err);
	assert_memory_not_equal(data, want, sizeof(data));
	row_ok("open", aes_gcm_open(key, iv, NULL, 0, data, sizeof(data), data, tag, &err), err);
	assert_memory_equal(data, want, sizeof(data));
}

/* Whatever was changed: the tag tells, and no byte of the plaintext is let out. */
static void test_changes_are_found(void **state)
{
	static const struct {
		const char *name;
		size_t part, byte; /* 0 key, 1 IV, 2 AAD, 3 ciphertext, 4 tag */
	} rows[] = {
		{ "key, first byte", 0, 0 },	    { "key, last byte", 0, 31 },
		{ "IV, first byte", 1, 0 },	    { "IV, last byte", 1, 11 },
		{ "AAD, first byte", 2, 0 },	    { "AAD, last byte", 2, 19 },
		{ "ciphertext, first byte", 3, 0 }, { "ciphertext, last byte", 3, 59 },
		{ "tag, first byte", 4, 0 },	    { "tag, last byte", 4, 15 },
	};
	static const uint8_t zeros[60];
	const struct vector *v = &vectors[3];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(secret) struct secret *key = make_key(v->key);
		AUTO_BYTES iv = unit_hex(v->iv), aad = unit_hex(v->aad);
		AUTO_BYTES cipher = unit_hex(v->cipher), tag = unit_hex(v->tag);
		uint8_t *const parts[] = { secret_data(key), iv.data, aad.data, cipher.data,
					   tag.data };
		struct zpv_err err = { 0 };
		uint8_t out[60];

		memset(out, 0x55, sizeof(out));
		parts[rows[i].part][rows[i].byte] ^= 1;
		row_err(rows[i].name,
			aes_gcm_open(key, iv.data, aad.data, aad.len, cipher.data, cipher.len, out,
				     tag.data, &err),
			err, ZPV_ERR_KEY, "the authentication tag does not match");
		row_mem(rows[i].name, out, zeros, sizeof(out));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_answers),
		cmocka_unit_test(test_in_place),
		cmocka_unit_test(test_changes_are_found),
	};

	return cmocka_run_group_tests_name("crypto/aes_gcm", tests, NULL, NULL);
}
