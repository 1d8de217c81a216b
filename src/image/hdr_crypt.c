// SPDX-License-Identifier: MIT
/*
 * Sealing and opening the SE header.
 */
#include "hdr_crypt.h"

#include <assert.h>
#include <openssl/rand.h>
#include <string.h>

#include "aes_gcm.h"
#include "err.h"
#include "hpk.h"
#include "ossl_err.h"
#include "p521.h"
#include "secret.h"
#include "sha.h"
#include "text.h"

static_assert(HPK_BYTES == SE_HDR_KEY_BYTES && GCM_TAG_BYTES == SE_HDR_TAG_BYTES &&
		      GCM_IV_BYTES == SE_HDR_IV_BYTES && P521_POINT_BYTES == SE_HDR_POINT_BYTES,
	      "the header holds what crypto makes");

static void fill_head(struct se_hdr_head *head, const struct hdr_content *c)
{
	memset(head, 0, sizeof(*head));
	memcpy(head->magic, SE_HDR_MAGIC, SE_HDR_MAGIC_BYTES);
	be32_set(&head->version, SE_HDR_VERSION_1);
	be32_set(&head->sehs, (uint32_t)se_hdr_size(c->nhosts));
	be64_set(&head->nks, c->nhosts);
	be64_set(&head->sea, sizeof(struct se_hdr_secrets));
	be64_set(&head->nep, c->digests->nep);
	be64_set(&head->pcf, c->pcf);
	memcpy(head->pld, c->digests->pld, sizeof(head->pld));
	memcpy(head->ald, c->digests->ald, sizeof(head->ald));
	memcpy(head->tld, c->digests->tld, sizeof(head->tld));
}

static int fill_slots(struct se_key_slot *slots, const struct hdr_content *c,
		      const struct p521 *cust, struct zpv_err *err)
{
	for (size_t i = 0; i < c->nhosts; i++) {
		int rc = hpk_wrap(cust, c->hosts[i], c->hpk, slots[i].wrapped, slots[i].tag, err);

		if (rc)
			return rc;
		memcpy(slots[i].phkh, c->phkh[i], SE_PHKH_BYTES);
	}
	return 0;
}

int hdr_seal(const struct hdr_content *c, uint8_t *buf, struct zpv_err *err)
{
	AUTO(p521) struct p521 *cust = NULL;
	struct se_hdr_head *head = (void *)buf;
	struct se_key_slot *slots = (void *)(buf + sizeof(*head));
	uint8_t *area = (uint8_t *)(slots + c->nhosts);
	int rc;

	assert(c->nhosts >= 1 && c->nhosts <= SE_HDR_MAX_SLOTS);
	fill_head(head, c);
	if (RAND_bytes(head->iv, sizeof(head->iv)) != 1)
		return ossl_err(err, ZPV_ERR_CRYPTO, "no random bytes");
	rc = p521_generate(&cust, err);
	if (!rc)
		rc = p521_point(cust, head->cust_pub_key, err);
	if (!rc)
		rc = fill_slots(slots, c, cust, err);
	if (rc)
		return rc;
	return aes_gcm_seal(c->hpk, head->iv, buf, (size_t)(area - buf), secret_bytes(c->secrets),
			    sizeof(struct se_hdr_secrets), area,
			    area + sizeof(struct se_hdr_secrets), err);
}

int hdr_open(const struct se_hdr *hdr, const struct secret *hpk, struct secret **secrets,
	     struct zpv_err *err)
{
	AUTO(secret) struct secret *s = NULL;
	int rc = secret_new(hdr->sea, &s, err);

	if (rc)
		return rc;
	rc = aes_gcm_open(hpk, hdr->head->iv, (const uint8_t *)hdr->head, hdr->aad_len, hdr->area,
			  hdr->sea, secret_data(s), hdr->tag, err);
	if (rc)
		return err_ctx(err,
			       "Failed to authenticate and decrypt the Secure Execution header");
	rc = se_hdr_check_secrets((const void *)secret_bytes(s), err);
	if (rc)
		return rc;
	*secrets = STEAL(s);
	return 0;
}

static const struct se_key_slot *find_slot(const struct se_hdr *hdr, const uint8_t *phkh)
{
	for (size_t i = 0; i < hdr->nks; i++)
		if (memcmp(hdr->slots[i].phkh, phkh, SE_PHKH_BYTES) == 0)
			return &hdr->slots[i];
	return NULL;
}

int hdr_unwrap(const struct se_hdr *hdr, const struct p521 *host_priv, struct secret **hpk,
	       struct zpv_err *err)
{
	AUTO(p521) struct p521 *cust = NULL;
	const struct se_key_slot *slot;
	uint8_t point[P521_POINT_BYTES], phkh[SE_PHKH_BYTES];
	char hex[HEX_SIZE(SE_PHKH_BYTES)];
	int rc = p521_point(host_priv, point, err);

	if (!rc)
		rc = sha256(point, sizeof(point), phkh, err);
	if (rc)
		return rc;
	slot = find_slot(hdr, phkh);
	if (!slot)
		return err_set(err, ZPV_ERR_KEY, "none of the %zu key slots is for the host key %s",
			       hdr->nks, hex_encode(phkh, sizeof(phkh), hex));
	rc = p521_from_point(hdr->head->cust_pub_key, &cust, err);
	if (rc)
		return err_ctx(err, "the customer public key of the image");
	rc = hpk_unwrap(host_priv, cust, slot->wrapped, slot->tag, hpk, err);
	return rc ? err_ctx(err, "the key slot of host key %s",
			    hex_encode(phkh, sizeof(phkh), hex)) :
		    0;
}
