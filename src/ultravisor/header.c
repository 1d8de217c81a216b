// SPDX-License-Identifier: MIT
/*
 * Opening the SE header with the host's keys: what SET SECURE CONFIGURATION PARAMETERS checks, in
 * the order of boot-ipl.md section 4.3, with the codes of ultravisor.md section 4.12.
 *
 * The header is the host's word until its tag was verified; the decrypted area exists in secret
 * memory only.
 */
#include "uv_priv.h"

#include "aes_gcm.h"
#include "aes_xts.h"
#include "hpk.h"
#include "p521.h"
#include "secret.h"

enum {
	RC_VERSION = 0x0104,
	RC_PCF = 0x0106,
	RC_KEY = 0x0108,
	RC_SCF = 0x0109,
	RC_SIZE = 0x010a,
	RC_TAG = 0x010b, /* of the key slot or of the header */
};

enum {
	RRC_VERSION = 0x0001,
	RRC_NO_SLOT = 0x0005,
	RRC_CUSTOMER_KEY = 0x000b,
	RRC_PCF = 0x0030,
	RRC_LENGTH = 0x0031,
	RRC_BACKUP = 0x0034,
	RRC_AREA = 0x0039,
	RRC_NO_SLOTS = 0x0040,
};

/* Bytes of the head that are looked at before its length is believed. */
#define HEAD_MIN_BYTES 16u

static uint16_t refuse(uint16_t rc, uint16_t reason, uint16_t *rrc)
{
	*rrc = reason;
	return rc;
}

/* Counts that have a reason of their own; se_hdr_parse() looks at their sum. */
static uint16_t check_counts(const struct se_hdr_head *head, uint16_t *rrc)
{
	uint64_t sea = be64_get(head->sea);

	if (be64_get(head->nks) == 0)
		return refuse(RC_SIZE, RRC_NO_SLOTS, rrc);
	if (sea < sizeof(struct se_hdr_secrets) || sea % 16)
		return refuse(RC_SIZE, RRC_AREA, rrc);
	return UV_RC_EXECUTED;
}

/* Everything that is visible without a key. */
static uint16_t check_plain(const struct uv *uv, const uint8_t *bytes, size_t len,
			    struct se_hdr *hdr, uint16_t *rrc)
{
	const struct se_hdr_head *head = (const void *)bytes;
	uint16_t rc;

	if (len >= HEAD_MIN_BYTES && (memcmp(head->magic, SE_HDR_MAGIC, SE_HDR_MAGIC_BYTES) != 0 ||
				      be32_get(head->version) != SE_HDR_VERSION_1))
		return refuse(RC_VERSION, RRC_VERSION, rrc);
	if (len < sizeof(*head) || len != be32_get(head->sehs))
		return refuse(RC_SIZE, RRC_LENGTH, rrc);
	if (be64_get(head->pcf) & ~uv->profile->se->pcf)
		return refuse(RC_PCF, RRC_PCF, rrc);
	rc = check_counts(head, rrc);
	if (rc != UV_RC_EXECUTED)
		return rc;
	if (se_hdr_parse(bytes, len, hdr, NULL) != 0)
		return refuse(RC_SIZE, RRC_LENGTH, rrc);
	return UV_RC_EXECUTED;
}

static const struct se_key_slot *find_slot(const struct se_hdr *hdr, const uint8_t *hash)
{
	for (size_t i = 0; i < hdr->nks; i++)
		if (memcmp(hdr->slots[i].phkh, hash, SE_PHKH_BYTES) == 0)
			return &hdr->slots[i];
	return NULL;
}

/*
 * The own key counts first; the backup key only if the header allows it. A slot for the backup key
 * alone, without that flag, has its own reason ("not allowed").
 */
static uint16_t choose_slot(const struct uv *uv, const struct se_hdr *hdr,
			    const struct se_key_slot **slot, const struct p521 **key, uint16_t *rrc)
{
	bool allowed = be64_get(hdr->head->pcf) & PCF_BACKUP_KEYS;

	*slot = find_slot(hdr, uv->hash);
	*key = uv->key;
	if (*slot)
		return UV_RC_EXECUTED;
	*slot = find_slot(hdr, uv->backup_hash);
	*key = uv->backup_key;
	if (*slot && allowed)
		return UV_RC_EXECUTED;
	return refuse(RC_KEY, *slot || allowed ? RRC_BACKUP : RRC_NO_SLOT, rrc);
}

/* A failure of crypto: of the input, then rc; or ours. */
static uint16_t crypto_rc(int result, uint16_t rc, uint16_t reason, uint16_t *rrc)
{
	return result == -(int)ZPV_ERR_KEY ? refuse(rc, reason, rrc) : UV_RC_RESOURCE;
}

/* The header protection key. */
static uint16_t unwrap(const struct uv *uv, const struct se_hdr *hdr, struct secret **hpk,
		       uint16_t *rrc)
{
	AUTO(p521) struct p521 *cust = NULL;
	const struct se_key_slot *slot;
	const struct p521 *key;
	uint16_t rc = choose_slot(uv, hdr, &slot, &key, rrc);
	int result;

	if (rc != UV_RC_EXECUTED)
		return rc;
	result = p521_from_point(hdr->head->cust_pub_key, &cust, NULL);
	if (result)
		return crypto_rc(result, RC_KEY, RRC_CUSTOMER_KEY, rrc);
	result = hpk_unwrap(key, cust, slot->wrapped, slot->tag, hpk, NULL);
	return result ? crypto_rc(result, RC_TAG, 0, rrc) : UV_RC_EXECUTED;
}

/* What the tag authenticated may still be something that this Ultravisor does not offer. */
static uint16_t check_secrets(const struct uv *uv, const struct se_hdr_secrets *s, uint16_t *rrc)
{
	if (be64_get(s->scf) & ~uv->profile->se->scf)
		return refuse(RC_SCF, 0, rrc);
	if (be32_get(s->noi) != 0)
		return refuse(RC_SIZE, RRC_AREA, rrc);
	return UV_RC_EXECUTED;
}

static uint16_t decrypt(const struct uv *uv, const struct se_hdr *hdr, struct secret **area,
			uint16_t *rrc)
{
	AUTO(secret) struct secret *hpk = NULL;
	AUTO(secret) struct secret *s = NULL;
	uint16_t rc = unwrap(uv, hdr, &hpk, rrc);
	int result;

	if (rc != UV_RC_EXECUTED)
		return rc;
	if (secret_new(hdr->sea, &s, NULL) != 0)
		return UV_RC_RESOURCE;
	result = aes_gcm_open(hpk, hdr->head->iv, (const uint8_t *)hdr->head, hdr->aad_len,
			      hdr->area, hdr->sea, secret_data(s), hdr->tag, NULL);
	if (result)
		return crypto_rc(result, RC_TAG, 0, rrc);
	rc = check_secrets(uv, (const void *)secret_bytes(s), rrc);
	if (rc == UV_RC_EXECUTED)
		*area = STEAL(s);
	return rc;
}

static void fill(struct uv_config *c, const struct se_hdr *hdr, const struct se_hdr_secrets *s)
{
	const struct se_hdr_head *head = hdr->head;

	static_assert(sizeof(c->pld) == sizeof(head->pld) && sizeof(c->tag) == SE_HDR_TAG_BYTES,
		      "as in the header");
	c->psw_mask = be64_get(s->psw_mask);
	c->psw_addr = be64_get(s->psw_addr);
	c->pcf = be64_get(head->pcf);
	c->scf = be64_get(s->scf);
	c->nep = be64_get(head->nep);
	memcpy(c->pld, head->pld, sizeof(c->pld));
	memcpy(c->ald, head->ald, sizeof(c->ald));
	memcpy(c->tld, head->tld, sizeof(c->tld));
	memcpy(c->tag, hdr->tag, sizeof(c->tag));
}

uint16_t uv_open_header(const struct uv *uv, const uint8_t *bytes, size_t len, struct uv_config *c,
			struct secret **component_key, uint16_t *rrc)
{
	AUTO(secret) struct secret *area = NULL;
	AUTO(secret) struct secret *cck = NULL;
	AUTO(secret) struct secret *key = NULL;
	const struct se_hdr_secrets *s;
	struct se_hdr hdr;
	uint16_t rc = check_plain(uv, bytes, len, &hdr, rrc);

	static_assert(SE_XTS_KEY_BYTES == XTS_KEY_BYTES && SE_HDR_IV_BYTES == GCM_IV_BYTES,
		      "the header holds what crypto takes");
	if (rc == UV_RC_EXECUTED)
		rc = decrypt(uv, &hdr, &area, rrc);
	if (rc != UV_RC_EXECUTED)
		return rc;
	s = (const void *)secret_bytes(area);
	if (secret_copy(s->cck, sizeof(s->cck), &cck, NULL) != 0 ||
	    secret_copy(s->xts_key, sizeof(s->xts_key), &key, NULL) != 0)
		return UV_RC_RESOURCE;
	fill(c, &hdr, s);
	c->cck = STEAL(cck);
	*component_key = STEAL(key);
	return UV_RC_EXECUTED;
}
