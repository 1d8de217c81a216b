// SPDX-License-Identifier: MIT
/*
 * Host-key documents and PEM files in memory; strength and validity of a document.
 */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "hostkey_priv.h"
#include "ossl_priv.h"
#include "p521.h"
#include "secret.h"
#include "text.h"
#include "verify_priv.h"

#define NOON 1800000000 /* some time in 2027 */

/* SHA-256 of the curve's base point, from the coordinates of SEC 2 section 2.6.1. */
#define BASE_POINT_HASH "3a9a053302242e3571a72693b308a5781c1853456e2df447fcb24dae414c9cc8"

/* A certificate signed by its own key, valid for the 100 seconds from NOON on. */
static X509 *make_cert(EVP_PKEY *key, const char *common_name)
{
	X509 *cert = X509_new();

	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_UTF8,
				   (const uint8_t *)common_name, -1, -1, 0);
	X509_set_issuer_name(cert, X509_get_subject_name(cert));
	ASN1_TIME_set(X509_getm_notBefore(cert), NOON);
	ASN1_TIME_set(X509_getm_notAfter(cert), NOON + 100);
	X509_set_pubkey(cert, key);
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	return cert;
}

static X509 *make_host_cert(const char *common_name)
{
	AUTO_OSSL(EVP_PKEY) *key = EVP_EC_gen("secp521r1");

	return make_cert(key, common_name);
}

static void to_pem(struct buf *out, X509 *cert)
{
	AUTO_OSSL(BIO) *bio = BIO_new(BIO_s_mem());
	char *data;
	long len;

	assert_int_equal(PEM_write_bio_X509(bio, cert), 1);
	len = BIO_get_mem_data(bio, &data);
	assert_int_equal(buf_append(out, data, (size_t)len, NULL), 0);
}

static void test_hash(void **state)
{
	AUTO(secret) struct secret *one = NULL;
	AUTO(p521) struct p521 *key = NULL;
	uint8_t hash[ZPV_PHKH_BYTES];
	char hex[HEX_SIZE(ZPV_PHKH_BYTES)];

	(void)state;
	assert_int_equal(secret_copy((const uint8_t[]){ 1 }, 1, &one, NULL), 0);
	assert_int_equal(p521_from_scalar(one, &key, NULL), 0);
	assert_int_equal(hostkey_hash_key(key, hash, NULL), 0);
	assert_string_equal(hex_encode(hash, sizeof(hash), hex), BASE_POINT_HASH);
}

static void count_message(void *ctx, enum zpv_log_level level, const char *text)
{
	(void)text;
	if (level == ZPV_LOG_WARN)
		++*(int *)ctx;
}

static void test_parse(void **state)
{
	AUTO_OSSL(X509) *cert = make_host_cert("A SIMULATED machine");
	AUTO_OSSL(X509) *real = make_host_cert("A Simulated one");
	AUTO(zpv_hostkey) struct zpv_hostkey *first = NULL;
	AUTO(zpv_hostkey) struct zpv_hostkey *second = NULL;
	AUTO_BUF pem = BUF_INIT;
	int warnings = 0;
	struct zpv_log log = { count_message, &warnings };
	uint8_t *der = NULL;
	int len = i2d_X509(real, &der);

	(void)state;
	to_pem(&pem, cert);
	to_pem(&pem, real);
	assert_int_equal(hostkey_parse(pem.data, pem.len, "both", &log, &first, NULL), 0);
	assert_int_equal(warnings, 1);
	assert_string_equal(zpv_hostkey_path(first), "both");
	assert_true(zpv_hostkey_simulated(first));
	assert_int_equal(X509_cmp(hostkey_cert(first), cert), 0);
	assert_int_equal(hostkey_parse(der, (size_t)len, "der", NULL, &second, NULL), 0);
	assert_false(zpv_hostkey_simulated(second));
	assert_memory_not_equal(zpv_hostkey_hash(first), zpv_hostkey_hash(second), ZPV_PHKH_BYTES);
	OPENSSL_free(der);
}

/* No cut of a document is one, and none is read beyond its end. */
static void test_parse_cut(void **state)
{
	AUTO_OSSL(X509) *cert = make_host_cert("x");
	uint8_t *der = NULL;
	int len = i2d_X509(cert, &der);

	(void)state;
	for (int i = 0; i < len; i++) {
		struct zpv_hostkey *hk = NULL;
		struct zpv_err err;
		uint8_t *cut = malloc(i ? (size_t)i : 1); /* so that a sanitizer sees the end */

		assert_non_null(cut);
		memcpy(cut, der, (size_t)i);
		assert_int_equal(hostkey_parse(cut, (size_t)i, "cut", NULL, &hk, &err),
				 -ZPV_ERR_FORMAT);
		assert_null(hk);
		free(cut);
	}
	OPENSSL_free(der);
}

static void test_file(void **state)
{
	static const char other[] = "text\n-----BEGIN X-----\nMAA=\n-----END X-----\n";
	static const char broken[] =
		"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
	AUTO_OSSL(X509) *cert = make_host_cert("x");
	AUTO(x509_file) struct x509_file *f = NULL;
	AUTO(x509_file) struct x509_file *none = NULL;
	struct x509_file *bad = NULL;
	AUTO_BUF pem = BUF_INIT;

	(void)state;
	to_pem(&pem, cert);
	assert_int_equal(buf_append(&pem, other, strlen(other), NULL), 0);
	to_pem(&pem, cert);
	assert_int_equal(x509_file_parse(pem.data, pem.len, "f", &f, NULL), 0);
	assert_int_equal(sk_X509_num(f->certs), 2);
	assert_int_equal(sk_X509_CRL_num(f->crls), 0);
	assert_int_equal(x509_file_parse(NULL, 0, "none", &none, NULL), 0);
	assert_int_equal(sk_X509_num(none->certs), 0);
	assert_int_equal(buf_append(&pem, broken, strlen(broken), NULL), 0);
	assert_int_equal(x509_file_parse(pem.data, pem.len, "bad", &bad, NULL), -ZPV_ERR_FORMAT);
	assert_null(bad);
}

static void test_strength(void **state)
{
	static const struct {
		unsigned int bits;
		int rc;
		const char *text;
	} rows[] = {
		{ 1024, -ZPV_ERR_VERIFY,
		  "Host-key verification failed: Not enough bits of security. (80, 112 expected)" },
		{ 2048, 0, "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO_OSSL(EVP_PKEY) *key = EVP_RSA_gen(rows[i].bits);
		AUTO_OSSL(X509) *cert = make_cert(key, "x");
		struct zpv_err err = { 0 };

		assert_int_equal(hkd_check_strength(cert, &err), rows[i].rc);
		assert_string_equal(err.text, rows[i].text);
	}
}

static void test_validity(void **state)
{
	static const struct {
		int after_noon;
		const char *text;
	} rows[] = {
		{ -1,
		  "Host-key verification failed: Before validity period: 'f' is not valid before "
		  "2027-01-15T08:00:00Z (now: 2027-01-15T07:59:59Z)" },
		{ 0, "" },
		{ 99, "" },
		{ 100, "Host-key verification failed: After validity period: 'f' expired on "
		       "2027-01-15T08:01:40Z (now: 2027-01-15T08:01:40Z)" },
	};
	AUTO_OSSL(X509) *cert = make_host_cert("x");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct zpv_err err = { 0 };
		int rc = hkd_check_validity(cert, "f", NOON + rows[i].after_noon, &err);

		assert_int_equal(rc, rows[i].text[0] ? -ZPV_ERR_VERIFY : 0);
		assert_string_equal(err.text, rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hash),	  cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_cut), cmocka_unit_test(test_file),
		cmocka_unit_test(test_strength),  cmocka_unit_test(test_validity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
