// SPDX-License-Identifier: MIT
/*
 * Wrapping the header protection key. The zero IV is safe because each KEK encrypts once: the
 * customer key is made for one image.
 */
#include "hpk.h"

#include "kdf.h"
#include "p521.h"
#include "secret.h"

static const uint8_t zero_iv[GCM_IV_BYTES];

static int derive_kek(const struct p521 *priv, const struct p521 *pub, struct secret **kek,
		      struct zpv_err *err)
{
	AUTO(secret) struct secret *z = NULL;
	int rc = p521_ecdh(priv, pub, &z, err);

	return rc ? rc : x963_kdf_sha256(z, NULL, 0, GCM_KEY_BYTES, kek, err);
}

int hpk_wrap(const struct p521 *cust_priv, const struct p521 *host_pub, const struct secret *hpk,
	     uint8_t wrapped[HPK_BYTES], uint8_t tag[GCM_TAG_BYTES], struct zpv_err *err)
{
	AUTO(secret) struct secret *kek = NULL;
	int rc = derive_kek(cust_priv, host_pub, &kek, err);

	if (rc)
		return rc;
	return aes_gcm_seal(kek, zero_iv, NULL, 0, secret_bytes(hpk), HPK_BYTES, wrapped, tag, err);
}

int hpk_unwrap(const struct p521 *host_priv, const struct p521 *cust_pub,
	       const uint8_t wrapped[HPK_BYTES], const uint8_t tag[GCM_TAG_BYTES],
	       struct secret **hpk, struct zpv_err *err)
{
	AUTO(secret) struct secret *kek = NULL;
	AUTO(secret) struct secret *key = NULL;
	int rc = derive_kek(host_priv, cust_pub, &kek, err);

	if (!rc)
		rc = secret_new(HPK_BYTES, &key, err);
	if (!rc)
		rc = aes_gcm_open(kek, zero_iv, NULL, 0, wrapped, HPK_BYTES, secret_data(key), tag,
				  err);
	if (rc)
		return rc;
	*hpk = STEAL(key);
	return 0;
}
