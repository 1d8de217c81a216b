// SPDX-License-Identifier: MIT
/*
 * The IPL information block of type 5.
 */
#include "ipib.h"

#include <string.h>

#include "addr.h"
#include "err.h"
#include "se_hdr.h"

#define INVALID "Invalid IPL information block: "

static int check_head(const struct ipib_head *h, size_t len, struct zpv_err *err)
{
	uint32_t size = be32_get(h->len);
	uint32_t n = be32_get(h->num_comp);

	if (size < IPIB_MIN_BYTES || size > IPIB_MAX_BYTES || size > len)
		return err_set(err, ZPV_ERR_FORMAT, INVALID "length %u, not %u to %zu", size,
			       IPIB_MIN_BYTES, len < IPIB_MAX_BYTES ? len : IPIB_MAX_BYTES);
	if (h->pbt != IPIB_PBT_PV)
		return err_set(err, ZPV_ERR_FORMAT, INVALID "type %u, not %u", h->pbt, IPIB_PBT_PV);
	if (n == 0 || ipib_size(n) > size)
		return err_set(err, ZPV_ERR_FORMAT, INVALID "%u components, not 1 to %zu", n,
			       (size - sizeof(*h)) / sizeof(struct ipib_comp));
	if (be64_get(h->pv_hdr_size) > SE_HDR_MAX_BYTES)
		return err_set(err, ZPV_ERR_FORMAT,
			       INVALID "an SE header of %#llx bytes, at most %#x",
			       (unsigned long long)be64_get(h->pv_hdr_size), SE_HDR_MAX_BYTES);
	return 0;
}

int ipib_parse(const uint8_t *buf, size_t len, struct ipib *out, struct zpv_err *err)
{
	const struct ipib_head *h = (const void *)buf;
	const struct ipib_comp *c;
	int rc;

	if (len < sizeof(*h))
		return err_set(err, ZPV_ERR_FORMAT, INVALID "%zu bytes, at least %zu", len,
			       sizeof(*h));
	rc = check_head(h, len, err);
	if (rc)
		return rc;
	c = (const void *)(buf + sizeof(*h));
	for (size_t i = 0; i < be32_get(h->num_comp); i++) {
		if (!page_aligned(be64_get(c[i].addr)))
			return err_set(err, ZPV_ERR_FORMAT,
				       INVALID "component %zu at %#llx, not on a page boundary", i,
				       (unsigned long long)be64_get(c[i].addr));
		if (i && be64_get(c[i].tweak_pref) <= be64_get(c[i - 1].tweak_pref))
			return err_set(
				err, ZPV_ERR_FORMAT,
				INVALID
				"the tweak prefix of component %zu does not exceed the one before",
				i);
	}
	out->head = h;
	out->comps = c;
	out->ncomps = be32_get(h->num_comp);
	return 0;
}

void ipib_fill(struct ipib_head *head, size_t ncomps, uint64_t pv_hdr_addr, uint64_t pv_hdr_size)
{
	uint32_t size = (uint32_t)ipib_size(ncomps);

	memset(head, 0, sizeof(*head));
	be32_set(&head->len, size);
	head->version = 1;
	be32_set(&head->blk0_len, size - (uint32_t)offsetof(struct ipib_head, blk0_len));
	head->pbt = IPIB_PBT_PV;
	head->blk0_version = 1;
	be32_set(&head->num_comp, (uint32_t)ncomps);
	be64_set(&head->pv_hdr_addr, pv_hdr_addr);
	be64_set(&head->pv_hdr_size, pv_hdr_size);
}
