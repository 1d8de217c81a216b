// SPDX-License-Identifier: MIT
/*
 * Completion data and a CPU's sealed state: as they are, where no tag matches, and sealed with the right
 * key, where what they hold comes out again.
 */
#include <string.h>

#include "aes_gcm.h"
#include "dump_priv.h"
#include "fuzz.h"
#include "kdf.h"

static struct secret *dump_key(const struct secret *cck, const struct pv_dump_complete *c)
{
	struct secret *key;

	FUZZ_CHECK(hkdf(SHA_512, cck, c->seed, sizeof(c->seed), (const uint8_t *)PV_DUMP_HKDF_INFO,
			strlen(PV_DUMP_HKDF_INFO), PV_DUMP_KEY_BYTES, &key, NULL) == 0);
	return key;
}

static void completion(const struct pv_dump_complete *plain, const struct secret *cck)
{
	AUTO(secret) struct secret *key = dump_key(cck, plain);
	struct pv_dump_complete c = *plain;
	struct dump_keys k = { 0 };
	struct zpv_err err;
	int rc;

	FUZZ_CHECK(dump_keys_open(cck, &c, &k, &err) == -ZPV_ERR_KEY);
	FUZZ_CHECK(aes_gcm_seal(key, c.iv, (const uint8_t *)&c, PV_DUMP_COMPLETE_AAD_BYTES, c.nonce,
				(size_t)(c.tag - c.nonce), c.nonce, c.tag, &err) == 0);
	rc = dump_keys_open(cck, &c, &k, &err);
	FUZZ_CHECK(rc ==
		   (memcmp(plain->xts_key, plain->xts_key + 32, 32) == 0 ? -ZPV_ERR_VERIFY : 0));
	if (rc)
		return;
	FUZZ_CHECK(memcmp(dump_keys_nonce(&k), plain->nonce, sizeof(plain->nonce)) == 0);
	FUZZ_CHECK(memcmp(secret_bytes(k.xts_key), plain->xts_key, sizeof(plain->xts_key)) == 0);
	dump_keys_wipe(&k);
}

static void cpu(const uint8_t *data, size_t len, const struct secret *key)
{
	struct pv_dump_cpu plain, c, got;
	struct zpv_err err;
	int rc = dump_cpu_open(key, (struct dump_bytes){ data, len }, &got, &err);

	FUZZ_CHECK(rc == -ZPV_ERR_VERIFY);
	if (len < sizeof(c))
		return;
	memcpy(&plain, data, sizeof(plain));
	be32_set(&plain.version, PV_DUMP_VERSION);
	c = plain;
	FUZZ_CHECK(aes_gcm_seal(key, c.iv, (const uint8_t *)&c, PV_DUMP_CPU_AAD_BYTES,
				(const uint8_t *)c.gr, (size_t)(c.tag - (uint8_t *)c.gr),
				(uint8_t *)c.gr, c.tag, &err) == 0);
	rc = dump_cpu_open(key, (struct dump_bytes){ (const uint8_t *)&c, sizeof(c) }, &got, &err);
	FUZZ_CHECK(rc == 0);
	FUZZ_CHECK(memcmp(&got, &plain, offsetof(struct pv_dump_cpu, tag)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const uint8_t fixed[PV_DUMP_KEY_BYTES] = "a fixed key of thirty-two bytes";
	AUTO(secret) struct secret *cck = NULL;
	struct pv_dump_complete c;

	FUZZ_CHECK(secret_copy(fixed, sizeof(fixed), &cck, NULL) == 0);
	cpu(data, len, cck);
	if (len < sizeof(c))
		return 0;
	memcpy(&c, data, sizeof(c));
	completion(&c, cck);
	return 0;
}
