// SPDX-License-Identifier: MIT
/*
 * AES-256-XTS over pages. Known answer: IEEE 1619-2007 annex B, vector 10: its data unit of 512
 * bytes is the beginning of a page's, as the tweak of a block depends only on the blocks before.
 * Whole pages are checked against the definition, computed here from AES in ECB mode.
 */
#include "aes_xts.h"

#include <openssl/evp.h>

#include "secret.h"
#include "unit.h"

#define PAGE 4096

#define KEY_1 "2718281828459045235360287471352662497757247093699959574966967627"
#define KEY_2 "3141592653589793238462643383279502884197169399375105820974944592"

static const char cipher_10[] = "1c3b3a102f770386e4836c99e370cf9bea00803f5e482357a4ae12d414a3e63b"
				"5d31e276f8fe4a8d66b317f9ac683f44680a86ac35adfc3345befecb4bb188fd"
				"5776926c49a3095eb108fd1098baec70aaa66999a72a82f27d848b21d4a741b0"
				"c5cd4d5fff9dac89aeba122961d03a757123e9870f8acf1000020887891429ca"
				"2a3e7a7d7df7b10355165c8b9a6d0a7de8b062c4500dc4cd120c0f7418dae3d0"
				"b5781c34803fa75421c790dfe1de1834f280d7667b327f6c8cd7557e12ac3a0f"
				"93ec05c52e0493ef31a12d3d9260f79a289d6a379bc70c50841473d1a8cc81ec"
				"583e9645e07b8d9670655ba5bbcfecc6dc3966380ad8fecb17b6ba02469a020a"
				"84e18e8f84252070c13e9f1f289be54fbc481457778f616015e1327a02b140f1"
				"505eb309326d68378f8374595c849d84f4c333ec4423885143cb47bd71c5edae"
				"9be69a2ffeceb1bec9de244fbe15992b11b77c040f12bd8f6a975a44a0f90c29"
				"a9abc3d4d893927284c58754cce294529f8614dcd2aba991925fedc4ae74ffac"
				"6e333b93eb4aff0479da9a410e4450e0dd7ae4c6e2910900575da401fc07059f"
				"645e8b7e9bfdef33943054ff84011493c27b3429eaedb4ed5376441a77ed4385"
				"1ad77f16f541dfd269d50d6a5f14fb0aab1cbb4c1550be97f7ab4066193c4caa"
				"773dad38014bd2092fa755c824bb5e54c4f36ffda9fcea70b9c6e693e148c151";

static struct secret *make_key(const char *hex)
{
	AUTO_BYTES b = unit_hex(hex);
	struct secret *key = NULL;
	struct zpv_err err;

	row_ok("key", secret_copy(b.data, b.len, &key, &err), err);
	return key;
}

static void test_known_answer(void **state)
{
	AUTO(secret) struct secret *key = make_key(KEY_1 KEY_2);
	AUTO_BYTES want = unit_hex(cipher_10);
	AUTO(xts) struct xts *enc = NULL;
	AUTO(xts) struct xts *dec = NULL;
	uint8_t plain[PAGE], out[PAGE], back[PAGE];
	struct zpv_err err;

	(void)state;
	assert_int_equal(want.len, 512);
	for (size_t i = 0; i < PAGE; i++)
		plain[i] = (uint8_t)i;
	row_ok("new", xts_new(key, XTS_ENCRYPT, &enc, &err), err);
	row_ok("new", xts_new(key, XTS_DECRYPT, &dec, &err), err);
	/* Data unit ff is little-endian in the 16 bytes. */
	row_ok("seal", xts_pages(enc, 0xff00000000000000, 0, plain, out, 1, &err), err);
	row_mem("vector 10", out, want.data, want.len);
	row_ok("open", xts_pages(dec, 0xff00000000000000, 0, out, back, 1, &err), err);
	row_mem("vector 10", back, plain, PAGE);
}

/* --- The definition -------------------------------------------------------------------------- */

static void ecb(const uint8_t *key, const uint8_t in[16], uint8_t out[16])
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n;

	assert_non_null(ctx);
	assert_int_equal(EVP_EncryptInit_ex(ctx, EVP_aes_256_ecb(), NULL, key, NULL), 1);
	EVP_CIPHER_CTX_set_padding(ctx, 0);
	assert_int_equal(EVP_EncryptUpdate(ctx, out, &n, in, 16), 1);
	EVP_CIPHER_CTX_free(ctx);
}

/* Times alpha in GF(2^128), least significant byte first. */
static void times_alpha(uint8_t t[16])
{
	unsigned int carry = 0;

	for (int i = 0; i < 16; i++) {
		unsigned int v = (unsigned int)t[i] << 1 | carry;

		t[i] = (uint8_t)v;
		carry = v >> 8;
	}
	if (carry)
		t[0] ^= 0x87;
}

static void define_page(const uint8_t *key, const uint8_t tweak[16], const uint8_t *in,
			uint8_t *out)
{
	uint8_t t[16], block[16];

	ecb(key + 32, tweak, t);
	for (size_t at = 0; at < PAGE; at += 16) {
		for (int i = 0; i < 16; i++)
			block[i] = in[at + i] ^ t[i];
		ecb(key, block, out + at);
		for (int i = 0; i < 16; i++)
			out[at + i] ^= t[i];
		times_alpha(t);
	}
}

static void test_pages_by_definition(void **state)
{
	static const struct {
		const char *name;
		uint64_t prefix, offset;
		uint8_t tweaks[2][16]; /* of two pages */
	} rows[] = {
		{ "start of a kernel",
		  0x0028123456789abc,
		  0,
		  { { 0, 0x28, 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc },
		    { 0, 0x28, 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0, 0, 0, 0, 0, 0, 0x10, 0 } } },
		{ "beyond 4 GiB",
		  0x0032000000000001,
		  0x1fffff000,
		  { { 0, 0x32, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0xff, 0xff, 0xf0, 0 },
		    { 0, 0x32, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0 } } },
	};
	AUTO(secret) struct secret *key = make_key(KEY_2 KEY_1);
	static uint8_t plain[2 * PAGE], want[2 * PAGE], out[2 * PAGE];
	AUTO(xts) struct xts *enc = NULL;
	AUTO(xts) struct xts *dec = NULL;
	struct zpv_err err;

	(void)state;
	unit_pattern(plain, sizeof(plain), 9);
	row_ok("new", xts_new(key, XTS_ENCRYPT, &enc, &err), err);
	row_ok("new", xts_new(key, XTS_DECRYPT, &dec, &err), err);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *row = rows[i].name;
		uint64_t prefix = rows[i].prefix, offset = rows[i].offset;

		for (size_t k = 0; k < 2; k++)
			define_page(secret_bytes(key), rows[i].tweaks[k], plain + k * PAGE,
				    want + k * PAGE);
		row_ok(row, xts_pages(enc, prefix, offset, plain, out, 2, &err), err);
		row_mem(row, out, want, sizeof(out));
		/* Page by page and in place is the same. */
		memcpy(out, plain, sizeof(out));
		for (size_t k = 0; k < 2; k++)
			row_ok(row,
			       xts_pages(enc, prefix, offset + k * PAGE, out + k * PAGE,
					 out + k * PAGE, 1, &err),
			       err);
		row_mem(row, out, want, sizeof(out));
		row_ok(row, xts_pages(dec, prefix, offset, out, out, 2, &err), err);
		row_mem(row, out, plain, sizeof(out));
	}
}

static void test_no_pages(void **state)
{
	AUTO(secret) struct secret *key = make_key(KEY_1 KEY_2);
	AUTO(xts) struct xts *x = NULL;
	struct zpv_err err;

	(void)state;
	row_ok("new", xts_new(key, XTS_ENCRYPT, &x, &err), err);
	row_ok("none", xts_pages(x, 1, 0, NULL, NULL, 0, &err), err);
	xts_free(NULL);
}

static void test_equal_halves(void **state)
{
	AUTO(secret) struct secret *same = make_key(KEY_1 KEY_1);
	AUTO(secret) struct secret *zero = NULL;
	struct secret *keys[2];
	struct xts *x = NULL;
	struct zpv_err err;

	(void)state;
	row_ok("zero key", secret_new(XTS_KEY_BYTES, &zero, &err), err);
	keys[0] = same;
	keys[1] = zero;
	for (size_t i = 0; i < 2; i++) {
		for (enum xts_direction dir = XTS_DECRYPT; dir <= XTS_ENCRYPT; dir++)
			row_err(i ? "zeros" : "same halves", xts_new(keys[i], dir, &x, &err), err,
				ZPV_ERR_KEY, "both halves of the AES-256-XTS key are the same");
	}
	assert_null(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_answer),
		cmocka_unit_test(test_pages_by_definition),
		cmocka_unit_test(test_no_pages),
		cmocka_unit_test(test_equal_halves),
	};

	return cmocka_run_group_tests_name("crypto/aes_xts", tests, NULL, NULL);
}
