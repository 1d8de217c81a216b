// SPDX-License-Identifier: MIT
/*
 * P-521. Known answers: NIST CAVP "ECC CDH Primitive", P-521, count 0; RFC 5903 section 8.3.
 */
#include "p521.h"

#include <openssl/ec.h>
#include <openssl/evp.h>

#include "secret.h"
#include "unit.h"

/* NIST CAVP, count 0: the peer's point, our scalar and point, the shared secret. */
#define CAVP_PEER_X                                                                              \
	"00685a48e86c79f0f0875f7bc18d25eb5fc8c0b07e5da4f4370f3a9490340854334b1e1b87fa395464c606" \
	"26124a4e70d0f785601d37c09870ebf176666877a2046d"
#define CAVP_PEER_Y                                                                              \
	"01ba52c56fc8776d9e8f5db4f0cc27636d0b741bbe05400697942e80b739884a83bde99e0f6716939e632b" \
	"c8986fa18dccd443a348b6c3e522497955a4f3c302f676"
#define CAVP_D                                                                                   \
	"017eecc07ab4b329068fba65e56a1f8890aa935e57134ae0ffcce802735151f4eac6564f6ee9974c5e6887" \
	"a1fefee5743ae2241bfeb95d5ce31ddcb6f9edb4d6fc47"
#define CAVP_X                                                                                   \
	"00602f9d0cf9e526b29e22381c203c48a886c2b0673033366314f1ffbcba240ba42f4ef38a76174635f91e" \
	"6b4ed34275eb01c8467d05ca80315bf1a7bbd945f550a5"
#define CAVP_Y                                                                                   \
	"01b7c85f26f5d4b2d7355cf6b02117659943762b6d1db5ab4f1dbc44ce7b2946eb6c7de342962893fd387d" \
	"1b73d7a8672d1f236961170b7eb3579953ee5cdc88cd2d"
#define CAVP_Z                                                                                   \
	"005fc70477c3e63bc3954bd0df3ea0d1f41ee21746ed95fc5e1fdf90930d5e136672d72cc770742d1711c3" \
	"c3a4c334a0ad9759436a4d3c5bf6e74b9578fac148c831"

/* RFC 5903 section 8.3: the initiator's scalar and point. */
#define RFC_D                                                                                    \
	"0037ade9319a89f4dabdb3ef411aaccca5123c61acab57b5393dce47608172a095aa85a30fe1c2952c6771" \
	"d937ba9777f5957b2639bab072462f68c27a57382d4a52"
#define RFC_X                                                                                    \
	"0015417e84dbf28c0ad3c278713349dc7df153c897a1891bd98bab4357c9ecbee1e3bf42e00b8e380aeae5" \
	"7c2d107564941885942af5a7f4601723c4195d176ced3e"
#define RFC_Y                                                                                    \
	"017cae20b6641d2eeb695786d8c946146239d099e18e1d5a514c739d7cb4a10ad8a788015ac405d7799dc7" \
	"5e7b7d5b6cf2261a6a7f1507438bf01beb6ca3926f9582"

/* FIPS 186: the base point and the order. */
#define BASE_X                                                                                   \
	"00c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3dbaa14b5e77efe75928fe" \
	"1dc127a2ffa8de3348b3c1856a429bf97e7e31c2e5bd66"
#define BASE_Y                                                                                   \
	"011839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e662c97ee72995ef42640c5" \
	"50b9013fad0761353c7086a272c24088be94769fd16650"
#define ORDER                                                                                    \
	"01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7f" \
	"cc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409"

#define PAD "0000000000000000000000000000"

static struct p521 *from_scalar(const char *hex)
{
	AUTO_BYTES b = unit_hex(hex);
	AUTO(secret) struct secret *s = NULL;
	struct p521 *key = NULL;
	struct zpv_err err;

	row_ok("secret", secret_copy(b.data, b.len, &s, &err), err);
	row_ok("scalar", p521_from_scalar(s, &key, &err), err);
	return key;
}

static void test_scalar_to_point(void **state)
{
	static const struct {
		const char *name, *scalar, *point;
	} rows[] = {
		{ "CAVP", CAVP_D, PAD CAVP_X PAD CAVP_Y },
		{ "RFC 5903", RFC_D, PAD RFC_X PAD RFC_Y },
		{ "padded scalar of 80 bytes", PAD CAVP_D, PAD CAVP_X PAD CAVP_Y },
		{ "one", "01", PAD BASE_X PAD BASE_Y },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(p521) struct p521 *key = from_scalar(rows[i].scalar);
		AUTO_BYTES want = unit_hex(rows[i].point);
		uint8_t point[P521_POINT_BYTES];
		struct zpv_err err;

		row_int(rows[i].name, want.len, P521_POINT_BYTES);
		row_ok(rows[i].name, p521_point(key, point, &err), err);
		row_mem(rows[i].name, point, want.data, sizeof(point));
	}
}

static void test_bad_scalars(void **state)
{
	static const struct {
		const char *name, *scalar;
	} rows[] = {
		{ "zero", "00" },
		{ "the order", ORDER },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO_BYTES b = unit_hex(rows[i].scalar);
		AUTO(secret) struct secret *s = NULL;
		struct p521 *key = NULL;
		struct zpv_err err = { 0 };

		row_ok(rows[i].name, secret_copy(b.data, b.len, &s, &err), err);
		row_int(rows[i].name, p521_from_scalar(s, &key, &err), -ZPV_ERR_KEY);
		row_has(rows[i].name, err.text, "not a scalar of the curve secp521r1");
		row_true(rows[i].name, !key);
	}
}

static void test_ecdh(void **state)
{
	AUTO_BYTES peer = unit_hex(PAD CAVP_PEER_X PAD CAVP_PEER_Y), want = unit_hex(CAVP_Z);
	AUTO(p521) struct p521 *priv = from_scalar(CAVP_D);
	AUTO(p521) struct p521 *pub = NULL;
	AUTO(secret) struct secret *z = NULL;
	struct zpv_err err;

	(void)state;
	row_ok("peer", p521_from_point(peer.data, &pub, &err), err);
	row_ok("ecdh", p521_ecdh(priv, pub, &z, &err), err);
	/* The first byte of this Z is zero: it is not cut. */
	assert_int_equal(secret_len(z), P521_Z_BYTES);
	row_mem("CAVP count 0", secret_bytes(z), want.data, P521_Z_BYTES);
}

static void test_ecdh_both_ways(void **state)
{
	AUTO(p521) struct p521 *a = NULL;
	AUTO(p521) struct p521 *b = NULL;
	AUTO(p521) struct p521 *a_pub = NULL;
	AUTO(secret) struct secret *z1 = NULL;
	AUTO(secret) struct secret *z2 = NULL;
	struct secret *none = NULL;
	uint8_t point[P521_POINT_BYTES];
	struct zpv_err err;

	(void)state;
	row_ok("generate", p521_generate(&a, &err), err);
	row_ok("generate", p521_generate(&b, &err), err);
	row_ok("point", p521_point(a, point, &err), err);
	row_ok("public", p521_from_point(point, &a_pub, &err), err);
	row_ok("a, b", p521_ecdh(a, b, &z1, &err), err);
	row_ok("b, a", p521_ecdh(b, a_pub, &z2, &err), err);
	assert_true(secret_equal(z1, z2));
	assert_int_equal(p521_ecdh(a_pub, b, &none, &err), -ZPV_ERR_CRYPTO); /* no private key */
	assert_null(none);
}

static void test_bad_points(void **state)
{
	static const struct {
		const char *name;
		size_t offset;
		uint8_t flip;
		const char *text;
	} rows[] = {
		{ "padding of x, first byte", 0, 1, "a coordinate of more than 66 bytes" },
		{ "padding of x, last byte", 13, 0x80, "a coordinate of more than 66 bytes" },
		{ "padding of y, first byte", 80, 1, "a coordinate of more than 66 bytes" },
		{ "padding of y, last byte", 93, 1, "a coordinate of more than 66 bytes" },
		{ "x not on the curve", 79, 1, "not a key on the curve secp521r1" },
		{ "y not on the curve", 159, 1, "not a key on the curve secp521r1" },
		{ "x above the prime", 14, 0x80, "not a key on the curve secp521r1" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO_BYTES point = unit_hex(PAD CAVP_X PAD CAVP_Y);
		struct p521 *key = NULL;
		struct zpv_err err = { 0 };

		point.data[rows[i].offset] ^= rows[i].flip;
		row_int(rows[i].name, p521_from_point(point.data, &key, &err), -ZPV_ERR_KEY);
		row_int(rows[i].name, strncmp(err.text, rows[i].text, strlen(rows[i].text)), 0);
		row_true(rows[i].name, !key);
	}
}

static void test_zero_point(void **state)
{
	static const uint8_t zeros[P521_POINT_BYTES];
	struct p521 *key = NULL;
	struct zpv_err err;

	(void)state;
	assert_int_equal(p521_from_point(zeros, &key, &err), -ZPV_ERR_KEY);
}

static void test_other_keys(void **state)
{
	static const struct {
		const char *name, *type, *group, *text;
	} rows[] = {
		{ "P-256", "EC", "P-256", "an EC key on the curve prime256v1, not secp521r1" },
		{ "P-384", "EC", "P-384", "an EC key on the curve secp384r1, not secp521r1" },
		{ "X25519", "X25519", NULL, "a key of kind X25519, not EC on the curve secp521r1" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		EVP_PKEY *pkey = rows[i].group ? EVP_EC_gen(rows[i].group) :
						 EVP_PKEY_Q_keygen(NULL, NULL, rows[i].type);
		struct p521 *key = NULL;
		struct zpv_err err = { 0 };

		row_true(rows[i].name, pkey != NULL);
		row_err(rows[i].name, p521_from_pkey(pkey, &key, &err), err, ZPV_ERR_KEY,
			rows[i].text);
		EVP_PKEY_free(pkey);
	}
}

static void test_from_pkey_takes_a_reference(void **state)
{
	EVP_PKEY *pkey = EVP_EC_gen("P-521");
	AUTO(p521) struct p521 *key = NULL;
	uint8_t point[P521_POINT_BYTES];
	struct zpv_err err;

	(void)state;
	row_ok("from", p521_from_pkey(pkey, &key, &err), err);
	EVP_PKEY_free(pkey);
	assert_ptr_equal(p521_pkey(key), pkey);
	row_ok("point", p521_point(key, point, &err), err);
	p521_free(NULL);
}

static void test_read_private(void **state)
{
	struct unit_path pem = unit_golden("host1.key"), crt = unit_golden("host1.crt");
	struct unit_path der = unit_in(state, "der"), none = unit_in(state, "none");
	AUTO(p521) struct p521 *a = NULL;
	AUTO(p521) struct p521 *b = NULL;
	struct p521 *c = NULL;
	uint8_t pa[P521_POINT_BYTES], pb[P521_POINT_BYTES];
	uint8_t *bytes = NULL;
	struct zpv_err err;
	char want[700];
	int n;

	row_ok("PEM", p521_read_private(pem.s, &a, &err), err);
	n = i2d_PrivateKey(p521_pkey(a), &bytes);
	assert_true(n > 0);
	unit_write(der.s, bytes, (size_t)n);
	OPENSSL_free(bytes);
	row_ok("DER", p521_read_private(der.s, &b, &err), err);
	row_ok("point", p521_point(a, pa, &err), err);
	row_ok("point", p521_point(b, pb, &err), err);
	assert_memory_equal(pa, pb, sizeof(pa));

	assert_int_equal(p521_read_private(crt.s, &c, &err), -ZPV_ERR_KEY);
	snprintf(want, sizeof(want), "'%s' is not an unencrypted PEM or DER private key", crt.s);
	row_has("certificate", err.text, want);
	snprintf(want, sizeof(want), "cannot open '%s': No such file or directory", none.s);
	row_err("missing", p521_read_private(none.s, &c, &err), err, ZPV_ERR_IO, want);
	assert_null(c);
}

/* Files that are no P-521 key: all are refused with the code for keys, whatever they hold. */
static void test_read_private_refuses(void **state)
{
	static const char encrypted[] =
		"-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
		"MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgAAAAAAAAAAAICCAAw\n"
		"-----END ENCRYPTED PRIVATE KEY-----\n";
	static const struct {
		const char *name, *content;
		size_t len;
	} rows[] = {
		{ "empty", "", 0 },
		{ "text", "hello\n", 6 },
		{ "zeros", "\0\0\0\0\0\0\0\0", 8 },
		{ "encrypted", encrypted, sizeof(encrypted) - 1 },
	};
	EVP_PKEY *p256 = EVP_EC_gen("P-256");
	uint8_t *der = NULL;
	int n = i2d_PrivateKey(p256, &der);
	struct p521 *key = NULL;
	struct zpv_err err;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct unit_path path = unit_in(state, rows[i].name);

		unit_write(path.s, rows[i].content, rows[i].len);
		row_int(rows[i].name, p521_read_private(path.s, &key, &err), -ZPV_ERR_KEY);
	}
	{
		struct unit_path path = unit_in(state, "p256");
		char want[700];

		unit_write(path.s, der, (size_t)n);
		snprintf(want, sizeof(want),
			 "'%s': an EC key on the curve prime256v1, not secp521r1", path.s);
		row_err("P-256", p521_read_private(path.s, &key, &err), err, ZPV_ERR_KEY, want);
	}
	OPENSSL_free(der);
	EVP_PKEY_free(p256);
	assert_null(key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scalar_to_point),
		cmocka_unit_test(test_bad_scalars),
		cmocka_unit_test(test_ecdh),
		cmocka_unit_test(test_ecdh_both_ways),
		cmocka_unit_test(test_bad_points),
		cmocka_unit_test(test_zero_point),
		cmocka_unit_test(test_other_keys),
		cmocka_unit_test(test_from_pkey_takes_a_reference),
		unit_test_dir(test_read_private),
		unit_test_dir(test_read_private_refuses),
	};

	return cmocka_run_group_tests_name("crypto/p521", tests, NULL, NULL);
}
