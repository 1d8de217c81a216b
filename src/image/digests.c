// SPDX-License-Identifier: MIT
/*
 * PLD on its own thread, ALD and TLD (24 bytes a page) on the caller's.
 */
#include "digests.h"

#include <assert.h>
#include <stdlib.h>

#include "addr.h"
#include "be.h"
#include "err.h"
#include "relay.h"
#include "sha.h"

#define SLOTS	   16
#define SLOT_PAGES (DIGESTS_SLOT_BYTES / PAGE_BYTES)

struct digests {
	struct relay *relay;
	struct sha *pld, *ald, *tld;
	uint64_t nep;
};

static void hash_pages(void *ctx, const uint8_t *data, size_t len)
{
	struct digests *d = ctx;

	sha_update(d->pld, data, len);
}

int digests_new(struct digests **out, struct zpv_err *err)
{
	AUTO(digests) struct digests *d = calloc(1, sizeof(*d));
	int rc;

	if (!d)
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	rc = sha_new(SHA_512, &d->pld, err);
	if (!rc)
		rc = sha_new(SHA_512, &d->ald, err);
	if (!rc)
		rc = sha_new(SHA_512, &d->tld, err);
	if (!rc)
		rc = relay_new(SLOTS, DIGESTS_SLOT_BYTES, hash_pages, d, &d->relay, err);
	if (rc)
		return rc;
	*out = STEAL(d);
	return 0;
}

uint8_t *digests_slot(struct digests *d)
{
	return relay_slot(d->relay);
}

void digests_submit(struct digests *d, size_t npages, uint64_t addr, uint64_t prefix,
		    uint64_t offset)
{
	be64 addrs[SLOT_PAGES];
	struct {
		be64 prefix, offset;
	} tweaks[SLOT_PAGES];

	assert(npages <= SLOT_PAGES);
	relay_submit(d->relay, npages * PAGE_BYTES);
	for (size_t i = 0; i < npages; i++) {
		be64_set(&addrs[i], addr + i * PAGE_BYTES);
		be64_set(&tweaks[i].prefix, prefix);
		be64_set(&tweaks[i].offset, offset + i * PAGE_BYTES);
	}
	sha_update(d->ald, addrs, npages * sizeof(addrs[0]));
	sha_update(d->tld, tweaks, npages * sizeof(tweaks[0]));
	d->nep += npages;
}

int digests_final(struct digests *d, struct digest_set *out, struct zpv_err *err)
{
	int rc;

	relay_drain(d->relay);
	rc = sha_final(d->pld, out->pld, err);
	if (!rc)
		rc = sha_final(d->ald, out->ald, err);
	if (!rc)
		rc = sha_final(d->tld, out->tld, err);
	out->nep = d->nep;
	return rc;
}

void digests_free(struct digests *d)
{
	if (!d)
		return;
	relay_free(d->relay); /* first: its thread uses the stream */
	sha_free(d->pld);
	sha_free(d->ald);
	sha_free(d->tld);
	free(d);
}
