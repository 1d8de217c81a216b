// SPDX-License-Identifier: MIT
/*
 * Keys and blocks of a dump against the known answers of pv-dump.md section 8, which an independent
 * implementation made and the real zgetdump opened.
 */
#include "dump_file.h"
#include "dump_priv.h"
#include "sha.h"

static void assert_hex(const char *row, const void *got, const char *hex)
{
	AUTO_BYTES want = unit_hex(hex);

	row_mem(row, (const uint8_t *)got, want.data, want.len);
}

static void assert_sha256(const char *row, const void *data, size_t len, const char *hex)
{
	uint8_t digest[SHA256_BYTES];
	struct zpv_err err;

	row_ok(row, sha256(data, len, digest, &err), err);
	assert_hex(row, digest, hex);
}

static void test_completion(void **state)
{
	AUTO(secret) struct secret *cck = df_secret(PV_DUMP_KEY_BYTES, 0);
	const struct pv_dump_complete plain = df_plain_complete();
	struct pv_dump_complete c = plain;
	struct dump_keys keys;
	struct zpv_err err;

	(void)state;
	df_seal_complete(&c);
	assert_hex("bytes", c.nonce,
		   "d6ed2dd243a615504aa92374d6136b52a10c8aa8290e8622f1731f77356959fe");
	assert_hex("tag", c.tag, "4ebdd23862b674576c91f125186b8087");
	assert_sha256("all", &c, sizeof(c),
		      "73a3db3ae201cd59865ed02f069d45de144297020e72a8778661529d862d1575");
	row_ok("open", dump_keys_open(cck, &c, &keys, &err), err);
	assert_hex("dump key", secret_bytes(keys.dump_key),
		   "ac3f3150ad7223ede2f4c380efc85a2b9d5ba0dbc99a13f339e5a1d97b770784");
	row_mem("nonce", dump_keys_nonce(&keys), plain.nonce, sizeof(plain.nonce));
	row_mem("pages", secret_bytes(keys.xts_key), plain.xts_key, sizeof(plain.xts_key));
	dump_keys_wipe(&keys);
	assert_null(keys.dump_key);
}

/* Any bit of the 288 bytes counts, and so does any of the key. */
static void test_changed(void **state)
{
	AUTO(secret) struct secret *cck = df_secret(PV_DUMP_KEY_BYTES, 0);
	struct pv_dump_complete c = df_plain_complete();
	struct dump_keys keys = { 0 };
	struct zpv_err err;

	(void)state;
	df_seal_complete(&c);
	for (size_t i = 0; i < sizeof(c); i++) {
		((uint8_t *)&c)[i] ^= (uint8_t)(1u << i % 8);
		if (dump_keys_open(cck, &c, &keys, &err) != -ZPV_ERR_KEY)
			fail_msg("a change of byte %zu was not found", i);
		((uint8_t *)&c)[i] ^= (uint8_t)(1u << i % 8);
	}
	secret_data(cck)[31] ^= 0x80;
	row_err("key", dump_keys_open(cck, &c, &keys, &err), err, ZPV_ERR_KEY,
		"the key does not open this dump: most likely it is the key of another guest; otherwise "
		"the dump's section 'pv_compl' is damaged");
	assert_null(keys.dump_key);
}

static void test_equal_halves(void **state)
{
	AUTO(secret) struct secret *cck = df_secret(PV_DUMP_KEY_BYTES, 0);
	struct pv_dump_complete c = df_plain_complete();
	struct dump_keys keys;
	struct zpv_err err;

	(void)state;
	memcpy(c.xts_key + 32, c.xts_key, 32);
	df_seal_complete(&c);
	row_err("halves", dump_keys_open(cck, &c, &keys, &err), err, ZPV_ERR_VERIFY,
		"the dump is authentic, but both halves of its page key are the same");
}

/* The block whose plaintext byte at offset o is o mod 256. */
static struct pv_dump_cpu known_cpu(void)
{
	struct pv_dump_cpu c = df_plain_cpu(0, 0x0001);

	df_count((uint8_t *)&c + PV_DUMP_CPU_AAD_BYTES,
		 offsetof(struct pv_dump_cpu, tag) - PV_DUMP_CPU_AAD_BYTES, PV_DUMP_CPU_AAD_BYTES);
	return c;
}

static void test_cpu(void **state)
{
	AUTO(secret) struct secret *key = df_dump_key();
	const struct pv_dump_cpu plain = known_cpu();
	struct pv_dump_cpu c = plain, got;
	struct zpv_err err;

	(void)state;
	df_seal_cpu(&c);
	assert_hex("tag", c.tag, "cbd617515c119276ee01f91b6319ae36");
	assert_sha256("all", &c, sizeof(c),
		      "2553c4326261442ede4348aa1272fc68708475f2d81180a02ae1768a2dc46a36");
	row_ok("open",
	       dump_cpu_open(key, (struct dump_bytes){ (const uint8_t *)&c, sizeof(c) }, &got,
			     &err),
	       err);
	row_mem("plain", (const uint8_t *)&got, (const uint8_t *)&plain,
		offsetof(struct pv_dump_cpu, tag));
}

static void test_cpu_changed(void **state)
{
	AUTO(secret) struct secret *key = df_dump_key();
	struct pv_dump_cpu c = known_cpu(), got;
	const struct dump_bytes block = { (const uint8_t *)&c, sizeof(c) };
	const struct dump_bytes shorter = { (const uint8_t *)&c, sizeof(c) - 1 };
	struct zpv_err err;

	(void)state;
	df_seal_cpu(&c);
	for (size_t i = 0; i < sizeof(c); i++) {
		((uint8_t *)&c)[i] ^= (uint8_t)(1u << i % 8);
		if (dump_cpu_open(key, block, &got, &err) != -ZPV_ERR_VERIFY)
			fail_msg("a change of byte %zu was not found", i);
		((uint8_t *)&c)[i] ^= (uint8_t)(1u << i % 8);
	}
	row_err("short", dump_cpu_open(key, shorter, &got, &err), err, ZPV_ERR_VERIFY,
		"its sealed state has 1567 bytes, not 1568");
	be32_set(&c.version, 2);
	row_err("version", dump_cpu_open(key, block, &got, &err), err, ZPV_ERR_VERIFY,
		"its sealed state is of version 2, not 1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_completion),   cmocka_unit_test(test_changed),
		cmocka_unit_test(test_equal_halves), cmocka_unit_test(test_cpu),
		cmocka_unit_test(test_cpu_changed),
	};

	return cmocka_run_group_tests_name("dump/keys", tests, NULL, NULL);
}
