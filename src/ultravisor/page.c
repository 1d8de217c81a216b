// SPDX-License-Identifier: MIT
/*
 * Secure storage: import, export, sharing, pins, and what becomes of pages in the end
 * (ultravisor.md section 6).
 *
 * A page that leaves is encrypted under a tweak that is never used again, and the SHA-256 of its
 * ciphertext stays with its record. So what comes back must be the last export of this very page:
 * changed, older, and other pages are refused. Decisions are made on copies in the secure store,
 * because the host may change its own store at any moment.
 *
 * All functions are called with the Ultravisor's lock held.
 */
#include "uv_priv.h"

#include "aes_xts.h"
#include "machine_priv.h"
#include "secret.h"
#include "sha.h"
#include "sie.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>

enum {
	RC_IMPORT_STATE = 0x0101,
	RC_ADDRESS = 0x0101, /* of a frame: not configured */
	RC_PIN_NOT_SHARED = 0x0102,
	RC_UNPIN_STATE = 0x0102, /* a dump is active */
	RC_OUTSIDE = 0x0103,
	RC_NOT_PINNED = 0x0104,
	RC_TAKEN = 0x0104, /* UNPACK: there already */
	RC_UNUSABLE = 0x0105,
	RC_CHANGED = 0x0106,
	RC_HAS_CPUS = 0x0106, /* DESTROY PAGE */
	RC_EXHAUSTED = 0x0107,
	RC_ELSEWHERE = 0x0108,
	RC_NOT_MAPPED = 0x010a,
};

#define PAGE_MASK     (~(uint64_t)(FRAME_BYTES - 1))
#define COUNTER_LIMIT (1ull << 47) /* its top bit stays zero: no component looks like a marker */
#define TEID_STORE    (1ull << 10)

/* Longest run of frames that are seized at once. */
#define RUN_MAX 256u

static_assert(FRAME_BYTES % sizeof(struct uv_page) == 0, "no record crosses a frame");
static_assert(FRAME_BYTES == PAGE_BYTES, "XTS works on frames");

/* --- Keys and records --------------------------------------------------------------------------- */

bool uv_pages_new(struct uv_config *c)
{
	AUTO(secret) struct secret *key = NULL;

	/* Halves that are the same make xts_new() fail, which is as likely as guessing the key. */
	if (secret_random(XTS_KEY_BYTES, &key, NULL) != 0 ||
	    RAND_bytes(c->nonce, sizeof(c->nonce)) != 1 ||
	    xts_new(key, XTS_ENCRYPT, &c->export_key, NULL) != 0 ||
	    xts_new(key, XTS_DECRYPT, &c->import_key, NULL) != 0) {
		uv_pages_free(c);
		return false;
	}
	c->page_key = STEAL(key);
	return true;
}

void uv_pages_free(struct uv_config *c)
{
	xts_free(c->export_key);
	xts_free(c->import_key);
	secret_free(c->page_key);
	c->export_key = c->import_key = NULL;
	c->page_key = NULL;
}

static uint64_t guest_pages(const struct uv_config *c)
{
	return c->len / FRAME_BYTES;
}

struct uv_page *uv_page(const struct uv_config *c, uint64_t page)
{
	uint64_t at;

	if (page >= guest_pages(c))
		return NULL;
	at = UV_CONFIG_VIRT_BYTES + page * sizeof(struct uv_page);
	return (struct uv_page *)(void *)(frame_secure_page(c->uv->m, c->virt[at / FRAME_BYTES]) +
					  at % FRAME_BYTES);
}

static struct frame_info info_of(const struct uv_config *c, enum frame_state state, uint64_t page)
{
	return (struct frame_info){ .state = state, .owner = c->owner, .page = (uint32_t)page };
}

static const struct frame_info of_host = { .state = FRAME_HOST };

static bool is_shared(struct frame_info info)
{
	return info.state == FRAME_SHARED || info.state == FRAME_PINNED;
}

/* Is it this page of this configuration that the frame holds? */
static bool holds(struct frame_info info, const struct uv_config *c, uint64_t page)
{
	return (info.state == FRAME_SECURE || is_shared(info)) && info.owner == c->owner &&
	       info.page == page;
}

/* Both places of a seized frame; what its owner had there is gone. */
static void clear_frame(struct machine *m, uint64_t frame)
{
	OPENSSL_cleanse(frame_secure_page(m, frame), FRAME_BYTES);
	memset(frame_host_page(m, frame), 0, FRAME_BYTES);
}

static void forget_page(struct uv_page *p)
{
	*p = (struct uv_page){ .state = PAGE_FRESH };
}

/* --- Translation -------------------------------------------------------------------------------- */

struct pic uv_backing(const struct uv_config *c, struct cpu *cpu, uint64_t page, uint64_t *frame)
{
	uint64_t hva = c->origin + page * FRAME_BYTES, cr0 = cpu->cr[0];
	uint8_t level = cpu->level;
	struct pic pic;

	if (level == PIC_GUEST)
		cpu->cr[0] = sie_host_cr0(cpu);
	cpu->level = PIC_HOST;
	pic = mem_host_frame(cpu, hva, c->asce, frame);
	cpu->level = level;
	cpu->cr[0] = cr0;
	if (pic.code) {
		pic.level = PIC_HOST;
		/* Whoever resolves it is to make the page writable: it becomes the guest's. */
		pic.teid |= (hva & PAGE_MASK) | TEID_STORE;
	}
	return pic;
}

bool uv_page_present(const struct uv_config *c, struct cpu *cpu, uint64_t page)
{
	const struct uv_page *p = uv_page(c, page);
	uint64_t frame;

	return p && p->state == PAGE_RESIDENT && !uv_backing(c, cpu, page, &frame).code &&
	       frame == p->frame;
}

/*
 * The frame that a host's absolute address names. One that is not configured is taken for a
 * home-space virtual address (with DAT off a real one, which is not there either): kvm-unit-tests
 * export by an alias above storage (section 4.10).
 */
static bool operand_frame(struct uv_op *op, uint64_t *frame)
{
	uint64_t addr = be64_get(op->block.frame.paddr);

	*frame = addr / FRAME_BYTES;
	if (addr < op->uv->m->bytes)
		return true;
	return !uv_virtual_frame(op->cpu, addr & PAGE_MASK, frame).code;
}

/* The page of a configuration that an address in the space of its ASCE designates. */
static bool operand_page(const struct uv_op *op, uint64_t *page)
{
	uint64_t addr = be64_get(op->block.gpage.gaddr) - op->config->origin;

	*page = addr / FRAME_BYTES;
	return addr < op->config->len; /* below the origin it has wrapped */
}

/* --- Encryption --------------------------------------------------------------------------------- */

struct tweak {
	uint64_t prefix, offset; /* the 16 bytes as xts_pages() takes them */
};

/* The part of pv-dump.md section 12's tweak that a dump tells of each page. */
static struct tweak component_of(uint64_t page, uint64_t counter)
{
	return (struct tweak){ .prefix = counter << 16 | (page >> 16 & 0xffff),
			       .offset = page << 48 };
}

void uv_page_component(uint64_t page, uint64_t counter, struct pv_dump_entry *e)
{
	struct tweak t = component_of(page, counter);
	be64 raw[2];

	static_assert(sizeof(*e) == sizeof(raw), "a component is a tweak");
	be64_set(&raw[0], t.prefix);
	be64_set(&raw[1], t.offset);
	memcpy(e, raw, sizeof(raw));
}

/* Bytes 0-5 the export counter, 6-9 the page number, 10-15 the nonce: component OR nonce. */
static struct tweak tweak_of(const struct uv_config *c, uint64_t page, uint64_t counter)
{
	struct tweak t = component_of(page, counter);
	uint64_t nonce = 0;

	for (size_t i = 0; i < sizeof(c->nonce); i++)
		nonce = nonce << 8 | c->nonce[i];
	t.offset |= nonce;
	return t;
}

/*
 * The ciphertext is made and hashed where the host cannot reach it, so that the digest is of what
 * was encrypted.
 */
void uv_page_encrypt(const struct uv_config *c, struct xts *key, struct uv_leaving *l)
{
	uint8_t *secure = frame_secure_page(c->uv->m, l->frame);
	struct tweak t = tweak_of(c, l->page, l->counter);
	uint8_t cipher[FRAME_BYTES];

	l->encrypted = xts_pages(key, t.prefix, t.offset, secure, cipher, 1, NULL) == 0 &&
		       sha256(cipher, sizeof(cipher), l->digest, NULL) == 0;
	if (!l->encrypted)
		return;
	memcpy(frame_host_page(c->uv->m, l->frame), cipher, sizeof(cipher));
	/* Not OPENSSL_cleanse(), which takes a tenth of all this: the store is no dead memory. */
	memset(secure, 0, FRAME_BYTES);
}

void uv_page_left(struct uv_config *c, const struct uv_leaving *l)
{
	struct uv_page *p = uv_page(c, l->page);

	if (l->encrypted) {
		*p = (struct uv_page){ .state = PAGE_EXPORTED, .counter = l->counter };
		memcpy(p->digest, l->digest, sizeof(p->digest));
	}
	frame_give(c->uv->m, l->frame, l->encrypted ? of_host : info_of(c, FRAME_SECURE, l->page));
}

/* Decrypts a page in the secure store if it is the last export of this guest page. */
static uint16_t decrypt_in(struct uv_config *c, uint8_t *secure, uint64_t page,
			   const struct uv_page *p)
{
	struct tweak t = tweak_of(c, page, p->counter);
	uint8_t digest[SHA256_BYTES];

	if (sha256(secure, FRAME_BYTES, digest, NULL) != 0)
		return UV_RC_RESOURCE;
	if (memcmp(digest, p->digest, sizeof(digest)) != 0)
		return RC_CHANGED;
	if (xts_pages(c->import_key, t.prefix, t.offset, secure, secure, 1, NULL) != 0)
		return UV_RC_RESOURCE;
	return UV_RC_EXECUTED;
}

/* --- Import ------------------------------------------------------------------------------------- */

/* Fills a seized frame for a page that is not resident. */
static uint16_t fill_frame(struct uv_config *c, uint64_t frame, uint64_t page, struct uv_page *p)
{
	uint8_t *secure = frame_secure_page(c->uv->m, frame);
	uint16_t rc = UV_RC_EXECUTED;

	if (p->shared)
		return rc;
	if (p->state == PAGE_FRESH) {
		memset(secure, 0, FRAME_BYTES);
		return rc;
	}
	memcpy(secure, frame_host_page(c->uv->m, frame), FRAME_BYTES);
	rc = decrypt_in(c, secure, page, p);
	if (rc != UV_RC_EXECUTED)
		OPENSSL_cleanse(secure, FRAME_BYTES);
	return rc;
}

/* Takes the frame away from whoever has it now; the host's content stays unless it was secure. */
static void take_over(struct uv *uv, struct cpu *self, uint64_t frame)
{
	struct frame_info info = frame_info(uv->m, frame);
	const struct uv_config *old = uv_config_by_owner(uv, info.owner);

	frame_seize(uv->m, self, frame, 1);
	if (info.state == FRAME_ORPHAN)
		clear_frame(uv->m, frame);
	/* MISC: a page that another guest shares is its host's business again. */
	if (info.state == FRAME_SHARED && old)
		*uv_page(old, info.page) =
			(struct uv_page){ .state = PAGE_EXPORTED, .shared = true };
}

static uint16_t import_into(struct uv_config *c, struct cpu *self, uint64_t frame, uint64_t page)
{
	struct uv_page *p = uv_page(c, page);
	uint16_t rc;

	take_over(c->uv, self, frame);
	rc = fill_frame(c, frame, page, p);
	if (rc != UV_RC_EXECUTED) {
		frame_give(c->uv->m, frame, of_host);
		return rc;
	}
	*p = (struct uv_page){ .state = PAGE_RESIDENT, .shared = p->shared, .frame = frame };
	frame_give(c->uv->m, frame, info_of(c, p->shared ? FRAME_SHARED : FRAME_SECURE, page));
	return rc;
}

/* Frames that a page may be put into: the host's, abandoned ones, what another guest shares. */
static bool usable(struct frame_info info, const struct uv_config *c)
{
	return info.state == FRAME_HOST || info.state == FRAME_ORPHAN ||
	       (info.state == FRAME_SHARED && info.owner != c->owner);
}

/* CONVERT TO SECURE STORAGE (section 4.9). */
uint16_t uv_import(struct uv_op *op)
{
	struct uv_config *c = op->config;
	struct frame_info info;
	uint64_t page, frame;

	if ((c->state != CONFIG_VERIFIED && c->state != CONFIG_RESET_PREPARED) || c->dumping)
		return RC_IMPORT_STATE;
	if (!operand_page(op, &page))
		return RC_OUTSIDE;
	if (uv_backing(c, op->cpu, page, &frame).code)
		return RC_NOT_MAPPED;
	info = frame_info(op->uv->m, frame);
	if (holds(info, c, page))
		return UV_RC_EXECUTED;
	if (!usable(info, c))
		return RC_UNUSABLE;
	if (uv_page(c, page)->state == PAGE_RESIDENT)
		return RC_ELSEWHERE;
	return import_into(c, op->cpu, frame, page);
}

uint16_t uv_page_take(struct uv_config *c, struct cpu *cpu, uint64_t page, uint8_t **secure)
{
	struct uv_page *p = uv_page(c, page);
	struct machine *m = c->uv->m;
	uint64_t frame;

	if (!p)
		return RC_OUTSIDE;
	/* Exported again counts as taken: UNPACK has no second try. */
	if (p->state != PAGE_FRESH)
		return RC_TAKEN;
	if (uv_backing(c, cpu, page, &frame).code)
		return RC_NOT_MAPPED;
	if (frame_info(m, frame).state != FRAME_HOST)
		return RC_UNUSABLE;
	frame_seize(m, cpu, frame, 1);
	*secure = frame_secure_page(m, frame);
	memcpy(*secure, frame_host_page(m, frame), FRAME_BYTES);
	*p = (struct uv_page){ .state = PAGE_RESIDENT, .frame = frame };
	frame_give(m, frame, info_of(c, FRAME_SECURE, page));
	return UV_RC_EXECUTED;
}

/* --- Export, destruction ------------------------------------------------------------------------ */

/* The configuration whose page a frame holds; its pages are decrypted as far as UNPACK has come. */
static struct uv_config *owner_of(const struct uv *uv, struct frame_info info)
{
	struct uv_config *c = uv_config_by_owner(uv, info.owner);

	if (c)
		uv_unpack_drain(c);
	return c;
}

static uint16_t export_private(struct uv_op *op, uint64_t frame, struct frame_info info)
{
	struct uv_config *c = owner_of(op->uv, info);
	struct uv_leaving l = { .page = info.page, .frame = frame };

	if (c->exports + 1 >= COUNTER_LIMIT)
		return RC_EXHAUSTED;
	frame_seize(op->uv->m, op->cpu, frame, 1);
	l.counter = ++c->exports; /* used up even if this fails */
	uv_page_encrypt(c, c->export_key, &l);
	uv_page_left(c, &l);
	return l.encrypted ? UV_RC_EXECUTED : UV_RC_RESOURCE;
}

static uint16_t export_shared(struct uv_op *op, uint64_t frame, struct frame_info info)
{
	const struct uv_config *c = owner_of(op->uv, info);

	frame_seize(op->uv->m, op->cpu, frame, 1);
	*uv_page(c, info.page) = (struct uv_page){ .state = PAGE_EXPORTED, .shared = true };
	frame_give(op->uv->m, frame, of_host);
	return UV_RC_EXECUTED;
}

static uint16_t free_orphan(struct uv_op *op, uint64_t frame)
{
	frame_seize(op->uv->m, op->cpu, frame, 1);
	clear_frame(op->uv->m, frame);
	frame_give(op->uv->m, frame, of_host);
	return UV_RC_EXECUTED;
}

typedef uint16_t frame_fn(struct uv_op *op, uint64_t frame, struct frame_info info);

/* What is done with a guest's frame, private or shared; the others are alike for both calls. */
static uint16_t with_frame(struct uv_op *op, frame_fn *private, frame_fn *shared)
{
	struct frame_info info;
	uint64_t frame;

	if (!operand_frame(op, &frame))
		return RC_ADDRESS;
	info = frame_info(op->uv->m, frame);
	switch (info.state) {
	case FRAME_HOST:
		return UV_RC_EXECUTED;
	case FRAME_SECURE:
		return private(op, frame, info);
	case FRAME_SHARED:
	case FRAME_PINNED:
		return shared(op, frame, info);
	case FRAME_ORPHAN:
		return free_orphan(op, frame);
	default:
		return RC_UNUSABLE;
	}
}

/* CONVERT FROM SECURE STORAGE (section 4.10). */
uint16_t uv_export(struct uv_op *op)
{
	return with_frame(op, export_private, export_shared);
}

/*
 * A page of a configuration without CPUs. Its content is lost and would read as zeros, so a guest
 * that was measured, or is being measured, is no longer the one that VERIFY found: it can only be
 * destroyed. Otherwise a host could zero pages between UNPACK and VERIFY, or between the lives of
 * two CPUs.
 */
static uint16_t destroy_page(struct uv_op *op, uint64_t frame, struct frame_info info)
{
	struct uv_config *c = owner_of(op->uv, info);

	if (c->cpus)
		return RC_HAS_CPUS;
	frame_seize(op->uv->m, op->cpu, frame, 1);
	clear_frame(op->uv->m, frame);
	forget_page(uv_page(c, info.page));
	c->state = CONFIG_FAILED;
	frame_give(op->uv->m, frame, of_host);
	return UV_RC_EXECUTED;
}

/* DESTROY SECURE STORAGE (section 4.11). */
uint16_t uv_destroy_page(struct uv_op *op)
{
	return with_frame(op, destroy_page, destroy_page);
}

/* --- Sharing and pins --------------------------------------------------------------------------- */

void uv_page_share(struct uv_config *c, struct cpu *self, uint64_t page)
{
	struct uv_page *p = uv_page(c, page);
	struct machine *m = c->uv->m;

	if (p->shared)
		return;
	frame_seize(m, self, p->frame, 1);
	memcpy(frame_host_page(m, p->frame), frame_secure_page(m, p->frame), FRAME_BYTES);
	OPENSSL_cleanse(frame_secure_page(m, p->frame), FRAME_BYTES);
	p->shared = true;
	frame_give(m, p->frame, info_of(c, FRAME_SHARED, page));
}

/* Seized frame of a shared page: private from now on, content kept. */
static void make_private(const struct uv_config *c, uint64_t page)
{
	struct uv_page *p = uv_page(c, page);
	struct machine *m = c->uv->m;

	memcpy(frame_secure_page(m, p->frame), frame_host_page(m, p->frame), FRAME_BYTES);
	p->shared = false;
	frame_give(m, p->frame, info_of(c, FRAME_SECURE, page));
}

bool uv_page_unshare(struct uv_config *c, struct cpu *self, uint64_t page)
{
	const struct uv_page *p = uv_page(c, page);

	if (!p->shared)
		return true;
	if (frame_info(c->uv->m, p->frame).state == FRAME_PINNED)
		return false;
	frame_seize(c->uv->m, self, p->frame, 1);
	make_private(c, page);
	return true;
}

static void set_pin(struct uv_op *op, uint64_t frame, struct frame_info info, bool pinned)
{
	info.state = pinned ? FRAME_PINNED : FRAME_SHARED;
	frame_seize(op->uv->m, op->cpu, frame, 1);
	frame_give(op->uv->m, frame, info);
}

/* PIN PAGE SHARED (section 4.19). */
uint16_t uv_pin(struct uv_op *op)
{
	struct frame_info info;
	uint64_t frame;

	if (!operand_frame(op, &frame))
		return RC_ADDRESS;
	info = frame_info(op->uv->m, frame);
	if (!is_shared(info))
		return RC_PIN_NOT_SHARED;
	if (info.state == FRAME_SHARED)
		set_pin(op, frame, info, true);
	return UV_RC_EXECUTED;
}

/* UNPIN PAGE SHARED (section 4.19): the path of an import, but for a page that is there. */
uint16_t uv_unpin(struct uv_op *op)
{
	struct frame_info info;
	uint64_t page, frame;

	if (op->config->dumping)
		return RC_UNPIN_STATE;
	if (!operand_page(op, &page))
		return RC_OUTSIDE;
	if (uv_backing(op->config, op->cpu, page, &frame).code)
		return RC_NOT_MAPPED;
	info = frame_info(op->uv->m, frame);
	if (info.state != FRAME_PINNED || !holds(info, op->config, page))
		return RC_NOT_PINNED;
	set_pin(op, frame, info, false);
	return UV_RC_EXECUTED;
}

/* --- All pages ---------------------------------------------------------------------------------- */

/*
 * Pages from here on, resident in consecutive frames, shared or not alike: one revocation serves
 * all of them.
 */
static uint64_t run_at(const struct uv_config *c, uint64_t page)
{
	const struct uv_page *first = uv_page(c, page), *p;
	uint64_t n = 0;

	while (n < RUN_MAX && (p = uv_page(c, page + n)) && p->state == PAGE_RESIDENT &&
	       p->shared == first->shared && p->frame == first->frame + n)
		n++;
	return n;
}

static bool is_private_here(const struct uv_page *p)
{
	return p->state == PAGE_RESIDENT && !p->shared;
}

static size_t count_private(const struct uv_config *c, uint64_t first, uint64_t count)
{
	size_t n = 0;

	for (uint64_t page = first; page < first + count; page++)
		n += is_private_here(uv_page(c, page));
	return n;
}

bool uv_pages_leave(struct uv_config *c, struct cpu *self, uint64_t first, uint64_t count,
		    struct uv_leaving *out, size_t *n)
{
	uint64_t run;

	*n = 0;
	if (c->exports + count_private(c, first, count) >= COUNTER_LIMIT)
		return false;
	for (uint64_t page = first; page < first + count; page += run ? run : 1) {
		const struct uv_page *p = uv_page(c, page);

		run = is_private_here(p) ? run_at(c, page) : 0;
		if (run > first + count - page)
			run = first + count - page;
		if (run)
			frame_seize(c->uv->m, self, p->frame, run);
		for (uint64_t i = 0; i < run; i++)
			out[(*n)++] = (struct uv_leaving){ .page = page + i,
							   .frame = p->frame + i,
							   .counter = ++c->exports };
	}
	return true;
}

/* Gives the seized frame of a resident page back. */
static void release(const struct uv_config *c, uint64_t page, bool orphan)
{
	struct uv_page *p = uv_page(c, page);
	struct machine *m = c->uv->m;
	struct frame_info to = of_host;

	if (!p->shared && orphan) {
		to.state = FRAME_ORPHAN;
		c->uv->orphans = true;
	} else if (!p->shared)
		clear_frame(m, p->frame);
	frame_give(m, p->frame, to);
	forget_page(p);
}

void uv_pages_release(struct uv_config *c, struct cpu *self, bool orphan)
{
	uint64_t run;

	uv_unpack_drain(c);
	for (uint64_t page = 0; page < guest_pages(c); page += run ? run : 1) {
		run = run_at(c, page);
		if (run)
			frame_seize(c->uv->m, self, uv_page(c, page)->frame, run);
		for (uint64_t i = 0; i < run; i++)
			release(c, page + i, orphan);
		if (!run)
			forget_page(uv_page(c, page));
	}
}

void uv_pages_unshare(struct uv_config *c, struct cpu *self)
{
	uint64_t run;

	for (uint64_t page = 0; page < guest_pages(c); page += run ? run : 1) {
		struct uv_page *p = uv_page(c, page);

		run = p->shared ? run_at(c, page) : 0;
		if (run)
			frame_seize(c->uv->m, self, p->frame, run);
		for (uint64_t i = 0; i < run; i++)
			make_private(c, page + i);
		/* Exported: nothing says what it was, so nothing of it is believed. */
		if (!run && p->shared)
			forget_page(p);
	}
}

bool uv_pages_any_shared(const struct uv_config *c)
{
	for (uint64_t page = 0; page < guest_pages(c); page++)
		if (uv_page(c, page)->shared)
			return true;
	return false;
}
