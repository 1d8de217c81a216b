// SPDX-License-Identifier: MIT
/*
 * The Secure Execution header: bounds. The limits are those of se-image.md section 6.4; the sum of
 * the parts must be the size, as the Ultravisor demands it (boot-ipl.md section 4.3).
 */
#include "se_hdr.h"

#include <string.h>

#include "err.h"

#define PEEK_BYTES 16u

const struct se_flag se_pcf_flags[] = {
	{ PCF_DUMP, "allow dumping" },
	{ PCF_NO_ENCRYPTION, "no component encryption" },
	{ PCF_PCKMO_DEA, "DEA and TDEA PCKMO support" },
	{ PCF_PCKMO_AES, "AES PCKMO support" },
	{ PCF_PCKMO_ECC, "ECC PCKMO support" },
	{ PCF_PCKMO_HMAC, "HMAC PCKMO support" },
	{ PCF_BACKUP_KEYS, "backup target keys support" },
	{ 0, NULL },
};

const struct se_flag se_scf_flags[] = {
	{ SCF_CCK_EXTENSION_SECRET, "CCK extension secret enforced" },
	{ SCF_CCK_UPDATE, "CCK update allowed" },
	{ 0, NULL },
};

#define INVALID "Invalid Secure Execution header: "

int se_hdr_peek(const uint8_t *buf, size_t len, size_t *sehs, struct zpv_err *err)
{
	const struct se_hdr_head *head = (const void *)buf;
	uint32_t size;

	if (len < PEEK_BYTES || memcmp(head->magic, SE_HDR_MAGIC, SE_HDR_MAGIC_BYTES) != 0)
		return err_set(err, ZPV_ERR_FORMAT, "No Secure Execution header found.");
	size = be32_get(head->sehs);
	if (size <= PEEK_BYTES || size > SE_HDR_MAX_BYTES)
		return err_set(err, ZPV_ERR_FORMAT, INVALID "its size is %u bytes, not %u to %u",
			       size, PEEK_BYTES + 1, SE_HDR_MAX_BYTES);
	*sehs = size;
	return 0;
}

static int check_counts(const struct se_hdr_head *head, size_t sehs, struct zpv_err *err)
{
	uint64_t nks = be64_get(head->nks);
	uint64_t sea = be64_get(head->sea);
	uint64_t sum;

	if (nks < 1 || nks > SE_HDR_MAX_SLOTS)
		return err_set(err, ZPV_ERR_FORMAT, INVALID "%llu key slots, not 1 to %zu",
			       (unsigned long long)nks, SE_HDR_MAX_SLOTS);
	if (sea < sizeof(struct se_hdr_secrets) || sea > SE_HDR_MAX_BYTES || sea % 16 != 0)
		return err_set(
			err, ZPV_ERR_FORMAT,
			INVALID
			"an encrypted area of %llu bytes, not 128 or a larger multiple of 16",
			(unsigned long long)sea);
	sum = sizeof(*head) + nks * sizeof(struct se_key_slot) + sea + SE_HDR_TAG_BYTES;
	if (sum != sehs)
		return err_set(err, ZPV_ERR_FORMAT,
			       INVALID "its size is %zu bytes, but its parts have %llu", sehs,
			       (unsigned long long)sum);
	return 0;
}

int se_hdr_parse(const uint8_t *buf, size_t len, struct se_hdr *out, struct zpv_err *err)
{
	const struct se_hdr_head *head = (const void *)buf;
	size_t sehs = 0;
	int rc = se_hdr_peek(buf, len, &sehs, err);

	if (rc)
		return rc;
	if (be32_get(head->version) != SE_HDR_VERSION_1)
		return err_set(err, ZPV_ERR_FORMAT, INVALID "version %#x, not %#x",
			       be32_get(head->version), SE_HDR_VERSION_1);
	if (len < sehs || sehs < sizeof(*head))
		return err_set(err, ZPV_ERR_FORMAT, INVALID "%zu of its %zu bytes are there",
			       len < sehs ? len : sehs, len < sehs ? sehs : sizeof(*head));
	rc = check_counts(head, sehs, err);
	if (rc)
		return rc;
	out->head = head;
	out->slots = (const void *)(buf + sizeof(*head));
	out->nks = be64_get(head->nks);
	out->aad_len = sizeof(*head) + out->nks * sizeof(struct se_key_slot);
	out->area = buf + out->aad_len;
	out->sea = be64_get(head->sea);
	out->tag = out->area + out->sea;
	return 0;
}

int se_hdr_check_secrets(const struct se_hdr_secrets *s, struct zpv_err *err)
{
	if (be32_get(s->noi) != 0)
		return err_set(err, ZPV_ERR_FORMAT,
			       INVALID "%u optional items, but none are defined", be32_get(s->noi));
	return 0;
}
