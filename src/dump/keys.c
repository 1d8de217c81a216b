// SPDX-License-Identifier: MIT
/*
 * From the customer communication key to the keys of a dump (pv-dump.md sections 7 and 8).
 *
 * The dump key comes out of the CCK and the dump's seed; it authenticates and decrypts the
 * completion data, which hold the key of the pages.
 */
#include <assert.h>
#include <string.h>

#include "aes_gcm.h"
#include "dump_priv.h"
#include "err.h"
#include "kdf.h"

#define AREA_BYTES (offsetof(struct pv_dump_complete, tag) - PV_DUMP_COMPLETE_AAD_BYTES)
#define XTS_KEY_AT (offsetof(struct pv_dump_complete, xts_key) - PV_DUMP_COMPLETE_AAD_BYTES)

static_assert(PV_DUMP_IV_BYTES == GCM_IV_BYTES && PV_DUMP_TAG_BYTES == GCM_TAG_BYTES, "AES-GCM");
static_assert(PV_DUMP_KEY_BYTES == GCM_KEY_BYTES, "AES-256");

static int open_area(const struct pv_dump_complete *c, struct dump_keys *k, struct zpv_err *err)
{
	int rc = secret_new(AREA_BYTES, &k->area, err);

	if (!rc)
		rc = aes_gcm_open(k->dump_key, c->iv, (const uint8_t *)c,
				  PV_DUMP_COMPLETE_AAD_BYTES, c->nonce, AREA_BYTES,
				  secret_data(k->area), c->tag, err);
	if (rc == -ZPV_ERR_KEY)
		return err_set(
			err, ZPV_ERR_KEY,
			"the key does not open this dump: most likely it is the key of another "
			"guest; otherwise the dump's section '" ELF_NAME_PV_COMPLETE
			"' is damaged");
	return rc;
}

/* Whether it is a key at all is found now and not by the first page. */
static int try_xts_key(const struct dump_keys *k, struct zpv_err *err)
{
	AUTO(xts) struct xts *x = NULL;
	int rc = xts_new(k->xts_key, XTS_DECRYPT, &x, err);

	if (rc == -ZPV_ERR_KEY)
		return err_set(
			err, ZPV_ERR_VERIFY,
			"the dump is authentic, but both halves of its page key are the same");
	return rc;
}

int dump_keys_open(const struct secret *cck, const struct pv_dump_complete *c,
		   struct dump_keys *out, struct zpv_err *err)
{
	struct dump_keys k = { 0 };
	int rc = hkdf(SHA_512, cck, c->seed, sizeof(c->seed), (const uint8_t *)PV_DUMP_HKDF_INFO,
		      strlen(PV_DUMP_HKDF_INFO), PV_DUMP_KEY_BYTES, &k.dump_key, err);

	if (!rc)
		rc = open_area(c, &k, err);
	if (!rc)
		rc = secret_copy(secret_bytes(k.area) + XTS_KEY_AT, XTS_KEY_BYTES, &k.xts_key, err);
	if (!rc)
		rc = try_xts_key(&k, err);
	if (rc) {
		dump_keys_wipe(&k);
		return rc;
	}
	*out = k;
	return 0;
}

const uint8_t *dump_keys_nonce(const struct dump_keys *k)
{
	return secret_bytes(k->area);
}

void dump_keys_wipe(struct dump_keys *k)
{
	secret_free(k->dump_key);
	secret_free(k->area);
	secret_free(k->xts_key);
	*k = (struct dump_keys){ 0 };
}
