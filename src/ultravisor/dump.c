// SPDX-License-Identifier: MIT
/*
 * DUMP INIT, DUMP CONFIGURATION STORAGE STATE, DUMP CPU, DUMP COMPLETE: a guest is given out so that
 * only the owner of its customer communication key can read it (ultravisor.md section 4.24,
 * pv-dump.md section 12).
 *
 * No page is encrypted for a dump: the host gets the form in which pages leave in any case, and at
 * the end the key of it, sealed. Of CPUs and of that key each dump makes a sealed copy under a key
 * of its own. While a dump is active no CPU runs and no page comes back in, so what was told of a
 * page stays true.
 *
 * All functions are called with the Ultravisor's lock held. Exporting a megabyte is shared with a
 * thread, which works on seized pages only, takes no lock, and never waits for a CPU.
 */
#include "uv_priv.h"

#include "aes_gcm.h"
#include "aes_xts.h"
#include "kdf.h"
#include "relay.h"
#include "secret.h"
#include "sha.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
	RC_ACTIVE = 0x0101,	/* INIT */
	RC_NOT_ACTIVE = 0x0101, /* the others */
	RC_STATE = 0x0102,
	RC_GADDR = 0x0102,
	RC_NOT_ALLOWED = 0x0103,
	RC_AREA = 0x0103,
	RC_EXHAUSTED = 0x0107,
};

/* Why a dump is not allowed. 2, by a secret of the guest's, comes with secrets. */
enum { RRC_PCF = 0x0001 };

#define SHARE 8u /* pages that a thread takes at once */

/* What a digest is made of, for each page. */
struct record {
	struct pv_dump_entry entry;
	uint8_t digest[SHA256_BYTES]; /* of the ciphertext; zeros for pages that are not encrypted */
};
static_assert(sizeof(struct record) == 48, "no padding gets into the digest");

/* What was last given out of a MiB. */
struct mib {
	bool asked;
	uint8_t digest[SHA256_BYTES];
};

struct uv_dump {
	struct uv_config *config;
	struct secret *key, *seed;
	struct secret *area; /* where blocks are sealed */
	uint8_t iv_random[4];
	uint64_t ivs; /* that were used */

	struct sha *cpu_tags;
	uint32_t cpus; /* blocks that were given out */
	struct mib *mibs;
	struct record records[PV_DUMP_ENTRIES];
	struct pv_dump_entry entries[PV_DUMP_ENTRIES];

	struct relay *relay;
	struct xts *xts; /* of the thread */
	struct uv_leaving leaving[PV_DUMP_ENTRIES];
	size_t nleaving;
	atomic_size_t next; /* to be taken by a thread */
};

static_assert(sizeof(((struct uv_dump *)0)->entries) == UV_DUMP_PER_MIB_BYTES &&
		      sizeof(struct pv_dump_cpu) <= UV_CPU_STOR_BYTES &&
		      sizeof(struct pv_dump_complete) <= UV_DUMP_COMPLETE_BYTES &&
		      UV_CPU_STOR_BYTES == UV_DUMP_COMPLETE_BYTES,
	      "areas have the lengths that QUERY reports");

/* --- Cryptography -------------------------------------------------------------------------------- */

bool uv_dump_key(const struct secret *cck, const uint8_t seed[PV_DUMP_SEED_BYTES],
		 struct secret **out)
{
	static const char info[] = PV_DUMP_HKDF_INFO;

	static_assert(PV_DUMP_KEY_BYTES == GCM_KEY_BYTES, "the key of GCM");
	return hkdf(SHA_512, cck, seed, PV_DUMP_SEED_BYTES, (const uint8_t *)info, strlen(info),
		    PV_DUMP_KEY_BYTES, out, NULL) == 0;
}

/* Everything behind the authenticated head, up to the tag. */
static bool seal(const struct secret *key, const uint8_t *iv, void *block, size_t head, size_t len,
		 uint8_t *tag)
{
	uint8_t *body = (uint8_t *)block + head;

	return aes_gcm_seal(key, iv, block, head, body, len - head, body, tag, NULL) == 0;
}

bool uv_dump_seal_cpu(const struct secret *key, const uint8_t iv[PV_DUMP_IV_BYTES],
		      struct pv_dump_cpu *b)
{
	be32_set(&b->version, PV_DUMP_VERSION);
	be32_set(&b->len, sizeof(*b));
	memcpy(b->iv, iv, sizeof(b->iv));
	return seal(key, iv, b, PV_DUMP_CPU_AAD_BYTES, offsetof(struct pv_dump_cpu, tag), b->tag);
}

bool uv_dump_seal_complete(const struct secret *key, const uint8_t iv[PV_DUMP_IV_BYTES],
			   struct pv_dump_complete *b)
{
	be32_set(&b->version, PV_DUMP_VERSION);
	be32_set(&b->len, sizeof(*b));
	memcpy(b->iv, iv, sizeof(b->iv));
	return seal(key, iv, b, PV_DUMP_COMPLETE_AAD_BYTES, offsetof(struct pv_dump_complete, tag),
		    b->tag);
}

/* Random bytes of the dump, then a count: none is used twice under its key. */
static void next_iv(struct uv_dump *d, uint8_t iv[PV_DUMP_IV_BYTES])
{
	be64 count;

	static_assert(sizeof(d->iv_random) + sizeof(count) == PV_DUMP_IV_BYTES, "all of the IV");
	be64_set(&count, ++d->ivs);
	memcpy(iv, d->iv_random, sizeof(d->iv_random));
	memcpy(iv + sizeof(d->iv_random), &count, sizeof(count));
}

/* --- The thread ---------------------------------------------------------------------------------- */

/* Both threads do this until no page is left. */
static void encrypt_pages(struct uv_dump *d, struct xts *key)
{
	size_t at;

	while ((at = atomic_fetch_add(&d->next, SHARE)) < d->nleaving)
		for (size_t i = at; i < at + SHARE && i < d->nleaving; i++)
			uv_page_encrypt(d->config, key, &d->leaving[i]);
}

/* The relay's lock orders it behind the filling of the list, and its drain behind this. */
static void help(void *ctx, const uint8_t *data, size_t len)
{
	struct uv_dump *d = ctx;

	(void)data;
	(void)len;
	encrypt_pages(d, d->xts);
}

/* Exports, in place, what is resident and private of the MiB that begins with this page. */
static uint16_t export_mib(struct uv_dump *d, struct cpu *self, uint64_t first)
{
	struct uv_config *c = d->config;
	bool helped, done = true;

	if (!uv_pages_leave(c, self, first, PV_DUMP_ENTRIES, d->leaving, &d->nleaving))
		return RC_EXHAUSTED;
	atomic_store(&d->next, 0);
	helped = d->nleaving > SHARE; /* fewer are not worth waking anybody */
	if (helped) {
		(void)relay_slot(d->relay);
		relay_submit(d->relay, 0);
	}
	encrypt_pages(d, c->export_key);
	if (helped)
		relay_drain(d->relay);
	for (size_t i = 0; i < d->nleaving; i++) {
		uv_page_left(c, &d->leaving[i]);
		done &= d->leaving[i].encrypted;
	}
	return done ? UV_RC_EXECUTED : UV_RC_RESOURCE;
}

/* --- Begin and end ------------------------------------------------------------------------------- */

static void dump_free(struct uv_dump *d)
{
	if (!d)
		return;
	relay_free(d->relay); /* first: its thread uses the rest */
	xts_free(d->xts);
	sha_free(d->cpu_tags);
	secret_free(d->area);
	secret_free(d->seed);
	secret_free(d->key);
	free(d->mibs);
	OPENSSL_cleanse(d, sizeof(*d));
	free(d);
}

void uv_dump_end(struct uv_config *c)
{
	dump_free(c->dump);
	c->dump = NULL;
	c->dumping = false;
}

static bool begin(struct uv_config *c, struct uv_dump *d)
{
	d->config = c;
	atomic_init(&d->next, 0);
	d->mibs = calloc(c->len / UV_MIB, sizeof(*d->mibs));
	return d->mibs && secret_random(PV_DUMP_SEED_BYTES, &d->seed, NULL) == 0 &&
	       secret_new(UV_DUMP_COMPLETE_BYTES, &d->area, NULL) == 0 &&
	       RAND_bytes(d->iv_random, sizeof(d->iv_random)) == 1 &&
	       uv_dump_key(c->cck, secret_bytes(d->seed), &d->key) &&
	       sha_new(SHA_256, &d->cpu_tags, NULL) == 0 &&
	       xts_new(c->page_key, XTS_ENCRYPT, &d->xts, NULL) == 0 &&
	       relay_new(1, 64, help, d, &d->relay, NULL) == 0;
}

uint16_t uv_dump_init(struct uv_op *op)
{
	struct uv_config *c = op->config;
	struct uv_dump *d;

	if (c->dumping)
		return RC_ACTIVE;
	if ((c->state != CONFIG_VERIFIED && c->state != CONFIG_RESET_PREPARED) || uv_any_running(c))
		return RC_STATE;
	if (!(c->pcf & PCF_DUMP)) {
		op->rrc = RRC_PCF;
		return RC_NOT_ALLOWED;
	}
	d = calloc(1, sizeof(*d));
	if (!d || !begin(c, d)) {
		dump_free(d);
		return UV_RC_RESOURCE;
	}
	c->dump = d;
	c->dumping = true;
	return UV_RC_EXECUTED;
}

/* --- Results ------------------------------------------------------------------------------------- */

/* Can all of the area be stored into? Asked before anything else happens. */
static uint16_t check_area(const struct uv_op *op, uint64_t len)
{
	if (uv_home_is_real(op->cpu))
		return UV_RC_REAL_SPACE;
	if (uv_probe_virtual(op->cpu, be64_get(op->block.dump.area_origin), len, ACCESS_WRITE).code)
		return RC_AREA;
	return UV_RC_EXECUTED;
}

static uint16_t store(const struct uv_op *op, const void *data, uint64_t len)
{
	uint64_t to = be64_get(op->block.dump.area_origin);

	return uv_write_virtual(op->cpu, to, data, len).code ? RC_AREA : UV_RC_EXECUTED;
}

/* --- STORAGE STATE ------------------------------------------------------------------------------- */

static void describe(const struct uv_config *c, struct cpu *cpu, uint64_t page, struct record *r)
{
	const struct uv_page *p = uv_page(c, page);
	uint64_t frame;

	*r = (struct record){ 0 };
	if (p->state == PAGE_EXPORTED && !p->shared) {
		uv_page_component(page, p->counter, &r->entry);
		memcpy(r->digest, p->digest, sizeof(r->digest));
		return;
	}
	be32_set(&r->entry.mark, PV_DUMP_SPECIAL);
	r->entry.flags = p->shared ? PV_DUMP_PAGE_SHARED : PV_DUMP_PAGE_ZERO;
	if (p->shared ? p->state == PAGE_RESIDENT : !uv_backing(c, cpu, page, &frame).code)
		r->entry.flags |= PV_DUMP_PAGE_MAPPED;
}

/* The answer, and what it adds to the memory root when it has been stored. */
static bool describe_mib(struct uv_dump *d, struct cpu *cpu, uint64_t first,
			 uint8_t digest[SHA256_BYTES])
{
	for (size_t i = 0; i < PV_DUMP_ENTRIES; i++) {
		describe(d->config, cpu, first + i, &d->records[i]);
		d->entries[i] = d->records[i].entry;
	}
	return sha256(d->records, sizeof(d->records), digest, NULL) == 0;
}

static uint16_t give_storage_state(struct uv_op *op, uint64_t first)
{
	struct uv_dump *d = op->config->dump;
	struct mib mib = { .asked = true };
	uint16_t rc = export_mib(d, op->cpu, first);

	if (rc == UV_RC_EXECUTED && !describe_mib(d, op->cpu, first, mib.digest))
		rc = UV_RC_RESOURCE;
	if (rc == UV_RC_EXECUTED)
		rc = store(op, d->entries, sizeof(d->entries));
	if (rc == UV_RC_EXECUTED)
		d->mibs[first / PV_DUMP_ENTRIES] = mib;
	return rc;
}

uint16_t uv_dump_storage_state(struct uv_op *op)
{
	uint64_t gaddr = be64_get(op->block.dump.gaddr);
	uint16_t rc;

	if (!op->config->dump)
		return RC_NOT_ACTIVE;
	if (gaddr % UV_MIB || gaddr >= op->config->len)
		return RC_GADDR;
	rc = check_area(op, UV_DUMP_PER_MIB_BYTES);
	return rc == UV_RC_EXECUTED ? give_storage_state(op, gaddr / FRAME_BYTES) : rc;
}

/* --- CPU ----------------------------------------------------------------------------------------- */

/*
 * Did the host see an instruction (interception 104) that the guest has not seen the end of? SERVC
 * whose answer has been taken in is complete, only its notification is not.
 */
static bool is_incomplete(const struct uv_pending *p)
{
	return p->what != COMPLETE_NONE && p->what != COMPLETE_SERVC_NOTIFY;
}

static void fill_vector(const struct register_file *f, struct pv_dump_cpu *b)
{
	for (size_t i = 0; i < ARRAY_SIZE(b->vr); i++) {
		be64_set(&b->vr[i][0], i < 16 ? f->fpr[i] : f->vr_high[i - 16]);
		be64_set(&b->vr[i][1], f->vr_low[i]);
	}
}

/* The machine has no guarded storage: its registers are zeros. */
static void fill_cpu(const struct uv_cpu_area *a, struct pv_dump_cpu *b)
{
	const struct secure_regs *r = &a->regs;

	for (size_t i = 0; i < 16; i++) {
		be64_set(&b->gr[i], r->file.gr[i]);
		be32_set(&b->ar[i], r->file.ar[i]);
		be64_set(&b->cr[i], r->cr[i]);
	}
	fill_vector(&r->file, b);
	be64_set(&b->psw_mask, r->psw_mask);
	be64_set(&b->psw_addr, r->psw_addr);
	be32_set(&b->prefix, (uint32_t)r->prefix);
	be32_set(&b->fpc, r->file.fpc);
	be32_set(&b->todpr, r->todpr);
	be64_set(&b->timer, r->timer);
	be64_set(&b->ckc, r->ckc);
	be16_set(&b->flags, is_incomplete(&a->pending) ? PV_DUMP_OSII : 0);
}

static void *clear_area(struct uv_dump *d)
{
	OPENSSL_cleanse(secret_data(d->area), secret_len(d->area));
	return secret_data(d->area);
}

/* Only a block that was given out counts; its IV is used up in any case. */
static uint16_t give_cpu(struct uv_op *op)
{
	struct uv_dump *d = op->config->dump;
	struct pv_dump_cpu *b = clear_area(d);
	uint8_t iv[PV_DUMP_IV_BYTES];
	uint16_t rc = UV_RC_RESOURCE;

	fill_cpu(op->ucpu->area, b);
	next_iv(d, iv);
	if (uv_dump_seal_cpu(d->key, iv, b))
		rc = store(op, b, UV_CPU_STOR_BYTES);
	if (rc == UV_RC_EXECUTED) {
		sha_update(d->cpu_tags, b->tag, sizeof(b->tag));
		d->cpus++;
	}
	clear_area(d);
	return rc;
}

uint16_t uv_dump_cpu(struct uv_op *op)
{
	uint16_t rc;

	if (!op->config->dump)
		return RC_NOT_ACTIVE;
	rc = check_area(op, UV_CPU_STOR_BYTES);
	return rc == UV_RC_EXECUTED ? give_cpu(op) : rc;
}

/* --- COMPLETE ------------------------------------------------------------------------------------ */

/*
 * What the dump must consist of. MiB that were never asked for are left out, and said to be; of
 * those that were asked for repeatedly the last answer counts, once.
 */
static bool fill_roots(struct uv_dump *d, struct pv_dump_roots *r)
{
	AUTO(sha) struct sha *memory = NULL;
	uint64_t n = d->config->len / UV_MIB, asked = 0;

	if (sha_new(SHA_256, &memory, NULL) != 0)
		return false;
	for (uint64_t i = 0; i < n; i++) {
		if (!d->mibs[i].asked)
			continue;
		sha_update(memory, d->mibs[i].digest, sizeof(d->mibs[i].digest));
		asked++;
	}
	memcpy(r->magic, PV_DUMP_ROOTS_MAGIC, sizeof(r->magic));
	be32_set(&r->flags, asked < n ? PV_DUMP_ROOTS_PARTIAL : 0);
	be32_set(&r->cpus, d->cpus);
	be64_set(&r->entries, asked * PV_DUMP_ENTRIES);
	return sha_final(memory, r->memory, NULL) == 0 && sha_final(d->cpu_tags, r->cpu, NULL) == 0;
}

static bool fill_complete(struct uv_dump *d, struct pv_dump_complete *b)
{
	const struct uv_config *c = d->config;

	static_assert(sizeof(b->xts_key) == XTS_KEY_BYTES, "the page key as it is");
	memcpy(b->seed, secret_bytes(d->seed), sizeof(b->seed));
	memcpy(b->nonce + sizeof(b->nonce) - sizeof(c->nonce), c->nonce, sizeof(c->nonce));
	memcpy(b->xts_key, secret_bytes(c->page_key), sizeof(b->xts_key));
	return fill_roots(d, &b->roots);
}

static uint16_t give_complete(struct uv_op *op)
{
	struct uv_dump *d = op->config->dump;
	struct pv_dump_complete *b = clear_area(d);
	uint8_t iv[PV_DUMP_IV_BYTES];

	next_iv(d, iv);
	if (!fill_complete(d, b) || !uv_dump_seal_complete(d->key, iv, b))
		return UV_RC_RESOURCE;
	return store(op, b, UV_DUMP_COMPLETE_BYTES);
}

/* Whatever becomes of its result: the guest can go on afterwards. */
uint16_t uv_dump_complete(struct uv_op *op)
{
	uint16_t rc;

	if (!op->config->dump)
		return RC_NOT_ACTIVE;
	rc = check_area(op, UV_DUMP_COMPLETE_BYTES);
	if (rc == UV_RC_EXECUTED)
		rc = give_complete(op);
	uv_dump_end(op->config);
	return rc;
}
