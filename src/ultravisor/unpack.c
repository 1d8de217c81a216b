// SPDX-License-Identifier: MIT
/*
 * SET SECURE CONFIGURATION PARAMETERS, UNPACK IMAGE, VERIFY IMAGE: from a sealed image to a guest
 * that may run (ultravisor.md sections 4.12 to 4.14).
 *
 * The page list digest is one long SHA-512 stream and bounds the speed, so it has a thread of its
 * own. The CPU that executes UNPACK copies pages into the secure store and lists them; the thread
 * hashes them there, in batches; and the CPU decrypts, in place, pages that have been hashed. The
 * thread only reads, takes no lock, and never waits for a CPU.
 */
#include "uv_priv.h"

#include "aes_xts.h"
#include "relay.h"
#include "secret.h"
#include "sha.h"

#include <openssl/rand.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
	RC_STATE = 0x0101,
	RC_HEADER_LENGTH = 0x0102,
	RC_HEADER_ACCESS = 0x0103,
	RC_DIFFERS = 0x0102,
};

enum { RRC_ALD = 0x001a, RRC_PLD = 0x001b, RRC_TLD = 0x001c, RRC_PAGES = 0x001d };

#define BATCH	64u /* pages that are handed over at once */
#define BATCHES 16u /* that may wait for the thread */
#define PIECES	((BATCHES + 2) * BATCH)

/* A page that was taken. */
struct piece {
	uint8_t *page; /* in the secure store */
	uint64_t prefix, offset;
};

struct unpack {
	struct relay *relay;
	struct sha *pld, *ald, *tld;
	struct xts *xts; /* NULL: components are not encrypted */
	bool failed;	 /* libcrypto did not do its work */

	/* Counts since the start; piece n lies in pieces[n % PIECES]. */
	struct piece pieces[PIECES];
	uint64_t taken, submitted, decrypted; /* of the CPUs, under the lock */
	atomic_uint_least64_t hashed;	      /* of the thread */
};

/* What goes through the relay: how many pieces follow. Its buffers are a cache line each. */
struct batch {
	uint64_t npieces;
	uint8_t reserved08[56];
};
static_assert(sizeof(struct batch) == 64, "a cache line");

/* On the thread. The relay's lock orders it behind the filling of the pieces. */
static void hash_batch(void *ctx, const uint8_t *data, size_t len)
{
	const struct batch *b = (const void *)data;
	uint64_t at = atomic_load_explicit(&((struct unpack *)ctx)->hashed, memory_order_relaxed);
	struct unpack *u = ctx;

	(void)len;
	for (uint64_t i = at; i < at + b->npieces; i++)
		sha_update(u->pld, u->pieces[i % PIECES].page, PAGE_BYTES);
	atomic_store_explicit(&u->hashed, at + b->npieces, memory_order_release);
}

static void decrypt_hashed(struct unpack *u)
{
	uint64_t hashed = atomic_load_explicit(&u->hashed, memory_order_acquire);

	for (; u->decrypted < hashed; u->decrypted++) {
		const struct piece *p = &u->pieces[u->decrypted % PIECES];

		if (u->xts &&
		    xts_pages(u->xts, p->prefix, p->offset, p->page, p->page, 1, NULL) != 0)
			u->failed = true;
	}
}

/* Afterwards at most BATCHES * BATCH pieces are not decrypted, so that the next ones have room. */
static void submit(struct unpack *u)
{
	struct batch *b = (void *)relay_slot(u->relay);

	b->npieces = u->taken - u->submitted;
	u->submitted = u->taken;
	relay_submit(u->relay, sizeof(*b));
	decrypt_hashed(u);
}

static void add_piece(struct unpack *u, const struct piece *p)
{
	u->pieces[u->taken++ % PIECES] = *p;
	if (u->taken - u->submitted == BATCH)
		submit(u);
}

void uv_unpack_drain(struct uv_config *c)
{
	struct unpack *u = c->unpack;

	if (!u)
		return;
	if (u->taken != u->submitted)
		submit(u);
	relay_drain(u->relay);
	decrypt_hashed(u);
}

void uv_unpack_free(struct uv_config *c)
{
	struct unpack *u = c->unpack;

	if (!u)
		return;
	relay_free(u->relay); /* first: its thread uses the stream */
	sha_free(u->pld);
	sha_free(u->ald);
	sha_free(u->tld);
	xts_free(u->xts);
	free(u);
	c->unpack = NULL;
}

/* --- SET SECURE CONFIGURATION PARAMETERS -------------------------------------------------------- */

/*
 * Return: rc. A key that XTS does not allow (both halves the same) makes a header that cannot be
 * used, as optional items do.
 */
static uint16_t begin_unpack(struct uv_config *c, const struct secret *key, uint16_t *rrc)
{
	struct unpack *u = calloc(1, sizeof(*u));
	int rc = 0;

	if (!u)
		return UV_RC_RESOURCE;
	c->unpack = u;
	if (!(c->pcf & PCF_NO_ENCRYPTION))
		rc = xts_new(key, XTS_DECRYPT, &u->xts, NULL);
	if (rc == -(int)ZPV_ERR_KEY) {
		*rrc = 0x0039;
		return 0x010a;
	}
	if (rc || sha_new(SHA_512, &u->pld, NULL) != 0 || sha_new(SHA_512, &u->ald, NULL) != 0 ||
	    sha_new(SHA_512, &u->tld, NULL) != 0 ||
	    relay_new(BATCHES, sizeof(struct batch), hash_batch, u, &u->relay, NULL) != 0 ||
	    RAND_bytes(c->uid, sizeof(c->uid)) != 1)
		return UV_RC_RESOURCE;
	return UV_RC_EXECUTED;
}

static uint16_t set_parms(struct uv_op *op, const uint8_t *hdr, size_t len)
{
	AUTO(secret) struct secret *key = NULL;
	struct uv_config *c = op->config;
	uint16_t rc = uv_open_header(op->uv, hdr, len, c, &key, &op->rrc);

	if (rc != UV_RC_EXECUTED)
		return rc;
	rc = begin_unpack(c, key, &op->rrc);
	if (rc == UV_RC_EXECUTED) {
		c->state = CONFIG_PARMS_SET;
		return rc;
	}
	uv_unpack_free(c);
	secret_free(STEAL(c->cck));
	return rc;
}

uint16_t uv_set_parms(struct uv_op *op)
{
	uint32_t len = be32_get(op->block.set_parms.hdr_len);
	uint8_t hdr[SE_HDR_MAX_BYTES];

	if (op->config->state != CONFIG_CREATED)
		return RC_STATE;
	if (len == 0 || len > sizeof(hdr))
		return RC_HEADER_LENGTH;
	if (uv_home_is_real(op->cpu))
		return UV_RC_REAL_SPACE;
	if (uv_read_virtual(op->cpu, be64_get(op->block.set_parms.hdr_origin), hdr, len).code)
		return RC_HEADER_ACCESS;
	return set_parms(op, hdr, len);
}

/* --- UNPACK IMAGE ------------------------------------------------------------------------------- */

/* Pages are hashed and decrypted as if their low twelve address bits were zero, as they are used. */
uint16_t uv_unpack(struct uv_op *op)
{
	uint64_t page = be64_get(op->block.unpack.gaddr) / PAGE_BYTES;
	const be64 *tweak = op->block.unpack.tweak;
	struct piece p = { .prefix = be64_get(tweak[0]), .offset = be64_get(tweak[1]) };
	struct unpack *u = op->config->unpack;
	uint16_t rc;
	be64 gaddr;

	if (op->config->state != CONFIG_PARMS_SET)
		return RC_STATE;
	rc = uv_page_take(op->config, op->cpu, page, &p.page);
	if (rc != UV_RC_EXECUTED)
		return rc;
	be64_set(&gaddr, page * PAGE_BYTES);
	sha_update(u->ald, &gaddr, sizeof(gaddr));
	sha_update(u->tld, tweak, sizeof(op->block.unpack.tweak));
	add_piece(u, &p);
	return rc;
}

/* --- VERIFY IMAGE ------------------------------------------------------------------------------- */

/* Everything was taken, hashed and decrypted. Return: rc with *rrc. */
static uint16_t compare(const struct uv_config *c, struct unpack *u, uint16_t *rrc)
{
	uint8_t pld[SHA512_BYTES], ald[SHA512_BYTES], tld[SHA512_BYTES];

	if (u->failed || sha_final(u->pld, pld, NULL) != 0 || sha_final(u->ald, ald, NULL) != 0 ||
	    sha_final(u->tld, tld, NULL) != 0)
		return UV_RC_RESOURCE;
	if (u->taken != c->nep)
		*rrc = RRC_PAGES;
	else if (memcmp(pld, c->pld, sizeof(pld)) != 0)
		*rrc = RRC_PLD;
	else if (memcmp(ald, c->ald, sizeof(ald)) != 0)
		*rrc = RRC_ALD;
	else if (memcmp(tld, c->tld, sizeof(tld)) != 0)
		*rrc = RRC_TLD;
	else
		return UV_RC_EXECUTED;
	return RC_DIFFERS;
}

uint16_t uv_verify(struct uv_op *op)
{
	struct uv_config *c = op->config;
	uint16_t rc;

	if (c->state != CONFIG_PARMS_SET)
		return RC_STATE;
	uv_unpack_drain(c);
	rc = compare(c, c->unpack, &op->rrc);
	c->state = rc == UV_RC_EXECUTED ? CONFIG_VERIFIED : CONFIG_FAILED;
	uv_unpack_free(c);
	return rc;
}
