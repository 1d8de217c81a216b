// SPDX-License-Identifier: MIT
/*
 * From a sealed image to a verified guest, and everything that a host can do wrong on the way.
 *
 * Images are golden ones of another tool, and one that is made here when more pages are needed than
 * the hash thread has room for. ZPV_UNPACK_MIB makes that one larger; its time is printed.
 */
#include "uv_rig.h"

#include <time.h>

#include <zpv/image.h>

#include "ipib.h"
#include "se_img.h"

#define GASCE(pg) (RIG_ORIGIN + (pg)*4096ull)
/* Where the golden images, which have no metadata, keep both. */
#define GOLDEN_IPIB 0x13000u
#define GOLDEN_HDR  0x14000u
#define DEFAULT_MIB 8u

/* What the host is to unpack, in this order. */
struct piece {
	uint64_t page, prefix, offset;
};

struct plan {
	uint8_t hdr[SE_HDR_MAX_BYTES];
	size_t hdr_len;
	struct piece *pieces;
	size_t npieces;
};

static void plan_free(struct plan *p)
{
	free(p->pieces);
	free(p);
}
DEFINE_AUTO(plan)

/* --- Images --------------------------------------------------------------------------------------- */

static struct plan *plan_of(const struct unit_bytes *img)
{
	struct plan *p = calloc(1, sizeof(*p));
	uint64_t hdr_at = GOLDEN_HDR, ipib_at = GOLDEN_IPIB;
	struct zpv_err err = { 0 };
	uint32_t version;
	struct ipib ipib;

	assert_non_null(p);
	(void)se_img_meta_parse(img->data + SE_IMG_META_ADDR, sizeof(struct se_img_meta), &hdr_at,
				&ipib_at, &version);
	row_ok("ipib", ipib_parse(img->data + ipib_at, img->len - ipib_at, &ipib, &err), err);
	p->hdr_len = be64_get(ipib.head->pv_hdr_size);
	memcpy(p->hdr, img->data + hdr_at, p->hdr_len);
	p->pieces = calloc(img->len / PAGE_BYTES, sizeof(*p->pieces));
	assert_non_null(p->pieces);
	for (size_t i = 0; i < ipib.ncomps; i++) {
		uint64_t len = page_round_up(be64_get(ipib.comps[i].len));

		for (uint64_t off = 0; off < len; off += PAGE_BYTES)
			p->pieces[p->npieces++] =
				(struct piece){ (be64_get(ipib.comps[i].addr) + off) / PAGE_BYTES,
						be64_get(ipib.comps[i].tweak_pref), off };
	}
	return p;
}

/* A machine with an image in the storage of a guest to be, in consecutive frames. */
struct boot {
	struct rig *r;
	struct uv_config *c;
	uint64_t first; /* frame of guest page 0 */
	struct plan *plan;
	struct unit_bytes img;
};

static void boot_free(struct boot *b)
{
	if (!b)
		return;
	rig_free(b->r);
	plan_free(b->plan);
	unit_bytes_free(&b->img);
	free(b);
}
DEFINE_AUTO(boot)

/* Takes the image. */
static struct boot *boot_load(struct unit_bytes img)
{
	uint64_t mib = (img.len + UV_MIB - 1) / UV_MIB + 1;
	struct boot *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	b->img = img;
	b->plan = plan_of(&b->img);
	b->r = rig_new(16 + mib + mib / 16);
	b->c = rig_config(b->r, 0, mib, CONFIG_CREATED);
	b->first = b->r->virt_next;
	for (uint64_t page = 0; page < mib * 256; page++)
		rig_map(b->r, 0, page, b->first + page);
	rig_put(b->r, b->first * PAGE_BYTES, img.data, img.len);
	return b;
}

static struct boot *boot_new(const char *name)
{
	struct unit_path path = unit_golden(name);

	return boot_load(unit_read(path.s));
}

static uint8_t *host(const struct boot *b, uint64_t page)
{
	return frame_host_page(b->r->m, b->first + page);
}

static uint8_t *secure(const struct boot *b, uint64_t page)
{
	return frame_secure_page(b->r->m, b->first + page);
}

/* --- Calls ---------------------------------------------------------------------------------------- */

static uint16_t set_parms_at(struct boot *b, uint64_t addr, uint32_t len)
{
	union uv_block block = { 0 };

	be64_set(&block.set_parms.hdr_origin, addr);
	be32_set(&block.set_parms.hdr_len, len);
	return rig_call(b->r, uv_set_parms, b->c, &block);
}

static uint16_t set_parms(struct boot *b)
{
	rig_put(b->r, RIG_HEADER, b->plan->hdr, b->plan->hdr_len);
	return set_parms_at(b, RIG_HEADER, (uint32_t)b->plan->hdr_len);
}

static uint16_t unpack_addr(struct boot *b, uint64_t gaddr, uint64_t prefix, uint64_t offset)
{
	union uv_block block = { 0 };

	be64_set(&block.unpack.gaddr, gaddr);
	be64_set(&block.unpack.tweak[0], prefix);
	be64_set(&block.unpack.tweak[1], offset);
	return rig_call(b->r, uv_unpack, b->c, &block);
}

static uint16_t unpack(struct boot *b, const struct piece *p)
{
	return unpack_addr(b, p->page * PAGE_BYTES, p->prefix, p->offset);
}

static void unpack_all(struct boot *b)
{
	for (size_t i = 0; i < b->plan->npieces; i++)
		row_int("unpack", unpack(b, &b->plan->pieces[i]), 1);
}

static uint16_t verify(struct boot *b)
{
	static const union uv_block block;

	return rig_call(b->r, uv_verify, b->c, &block);
}

static uint16_t export(struct boot *b, uint64_t page)
{
	return rig_frame(b->r, uv_export, (b->first + page) * 4096);
}

/* The golden kernel lies where the first component does. */
static void expect_kernel(const struct boot *b)
{
	struct unit_path path = unit_golden("kernel.bin");
	AUTO_BYTES kernel = unit_read(path.s);

	row_mem("kernel", secure(b, b->plan->pieces[0].page), kernel.data, kernel.len);
}

/* --- The way through -------------------------------------------------------------------------------- */

static void test_boot(void **state)
{
	AUTO(boot) struct boot *b = boot_new("sealed.img");
	uint8_t zeros[16] = { 0 };

	(void)state;
	assert_int_equal(set_parms(b), 1);
	assert_int_equal(b->c->state, CONFIG_PARMS_SET);
	assert_memory_not_equal(b->c->uid, zeros, sizeof(zeros));
	assert_int_equal(b->c->nep, b->plan->npieces);
	unpack_all(b);
	assert_int_equal(verify(b), 1);
	assert_int_equal(b->r->rrc, 0);
	assert_int_equal(b->c->state, CONFIG_VERIFIED);
	assert_null(b->c->unpack);
	expect_kernel(b);
	for (size_t i = 0; i < b->plan->npieces; i++) {
		uint64_t page = b->plan->pieces[i].page;
		struct frame_info info = frame_info(b->r->m, b->first + page);

		assert_int_equal(info.state, FRAME_SECURE);
		assert_int_equal(info.owner, b->c->owner);
		assert_int_equal(info.page, page);
	}
	/* What was not unpacked is not the guest's. */
	assert_int_equal(frame_info(b->r->m, b->first).state, FRAME_HOST);
	assert_int_equal(uv_page(b->c, 0)->state, PAGE_FRESH);
}

/* Flag 35 of the header: pages count in the digests, but stay as they are. */
static void test_plain_components(void **state)
{
	AUTO(boot) struct boot *b = boot_new("plain-components.img");
	struct p521 *own = b->r->uv.key;
	uint8_t hash[32];

	(void)state;
	/* Sealed for host2 alone. */
	b->r->uv.key = b->r->uv.backup_key;
	b->r->uv.backup_key = own;
	memcpy(hash, b->r->uv.hash, sizeof(hash));
	memcpy(b->r->uv.hash, b->r->uv.backup_hash, sizeof(hash));
	memcpy(b->r->uv.backup_hash, hash, sizeof(hash));
	assert_int_equal(set_parms(b), 1);
	unpack_all(b);
	assert_int_equal(verify(b), 1);
	expect_kernel(b);
}

/* The host changes its own copy behind UNPACK: that is no longer what counts. */
static void test_copy(void **state)
{
	AUTO(boot) struct boot *b = boot_new("sealed.img");

	(void)state;
	assert_int_equal(set_parms(b), 1);
	for (size_t i = 0; i < b->plan->npieces; i++) {
		assert_int_equal(unpack(b, &b->plan->pieces[i]), 1);
		memset(host(b, b->plan->pieces[i].page), 0xff, PAGE_BYTES);
	}
	assert_int_equal(verify(b), 1);
	expect_kernel(b);
}

/* --- SET SECURE CONFIGURATION PARAMETERS -------------------------------------------------------- */

static void test_header_operand(void **state)
{
	AUTO(boot) struct boot *b = boot_new("sealed.img");
	uint64_t end = machine_storage_bytes(b->r->m);
	uint32_t len = (uint32_t)b->plan->hdr_len;

	(void)state;
	assert_int_equal(set_parms_at(b, RIG_HEADER, 0), 0x0102);
	assert_int_equal(set_parms_at(b, RIG_HEADER, 0x2001), 0x0102);
	assert_int_equal(set_parms_at(b, RIG_HEADER, UINT32_MAX), 0x0102);
	assert_int_equal(set_parms_at(b, end, len), 0x0103);
	assert_int_equal(set_parms_at(b, end - len + 1, len), 0x0103);
	assert_int_equal(set_parms_at(b, UINT64_MAX - 8, len), 0x0103);
	/* Only the second page of it is out of reach, whatever the first says. */
	rig_put(b->r, end - len + 1, b->plan->hdr, len - 1);
	assert_int_equal(set_parms_at(b, end - len + 1, 0x1000), 0x0103);
	assert_int_equal(set_parms_at(b, b->c->virt[0] * 4096, len), 0x0103);
	/* Nothing there: no magic; the largest length is only a length. */
	assert_int_equal(set_parms_at(b, RIG_HEADER, 0x2000), 0x0104);
	assert_int_equal(b->r->rrc, 0x0001);
	/* A home space that is real by its ASCE translates nothing. */
	b->r->cpu->psw_mask |= PSW_DAT;
	b->r->cpu->cr[13] = 0x20;
	assert_int_equal(set_parms_at(b, RIG_HEADER, len), UV_RC_REAL_SPACE);
	b->r->cpu->psw_mask &= ~PSW_DAT;
	assert_int_equal(b->c->state, CONFIG_CREATED);
	assert_null(b->c->unpack);
	assert_int_equal(set_parms(b), 1);
}

/* Home-space virtual, whatever space the PSW selects. */
static void test_header_virtual(void **state)
{
	AUTO(boot) struct boot *b = boot_new("sealed.img");
	uint64_t at = 40 * PAGE_BYTES - 8; /* in two pages of the guest that lie apart */
	uint32_t len = (uint32_t)b->plan->hdr_len;

	(void)state;
	rig_map(b->r, 0, 39, b->first + 300);
	rig_map(b->r, 0, 40, b->first + 200);
	rig_put(b->r, (b->first + 301) * PAGE_BYTES - 8, b->plan->hdr, 8);
	rig_put(b->r, (b->first + 200) * PAGE_BYTES, b->plan->hdr + 8, len - 8);
	b->r->cpu->psw_mask |= PSW_DAT; /* primary space: none */
	b->r->cpu->cr[13] = b->c->asce;
	cpu_state_changed(b->r->cpu);
	assert_int_equal(set_parms_at(b, RIG_ORIGIN + at, len), 1);
	rig_map(b->r, 0, 40, UINT64_MAX);
	b->c->state = CONFIG_CREATED;
	assert_int_equal(set_parms_at(b, RIG_ORIGIN + at, len), 0x0103);
	b->c->state = CONFIG_PARMS_SET;
}

/* XTS has no key whose halves are the same; without encryption it is not looked at. */
static void test_weak_key(void **state)
{
	AUTO(boot) struct boot *b = boot_new("sealed.img");
	struct se_hdr_head *head = (void *)b->plan->hdr;
	struct se_hdr_secrets area;

	(void)state;
	rig_hdr_open(b->plan->hdr, &area);
	memcpy(area.xts_key + 32, area.xts_key, 32);
	rig_hdr_seal(b->plan->hdr, &area);
	assert_int_equal(set_parms(b), 0x010a);
	assert_int_equal(b->r->rrc, 0x0039);
	assert_int_equal(b->c->state, CONFIG_CREATED);
	assert_null(b->c->cck);
	assert_null(b->c->unpack);
	be64_set(&head->pcf, be64_get(head->pcf) | PCF_NO_ENCRYPTION);
	rig_hdr_seal(b->plan->hdr, &area);
	assert_int_equal(set_parms(b), 1);
}

static void test_states(void **state)
{
	static const enum uv_config_state all[] = { CONFIG_CREATED, CONFIG_PARMS_SET,
						    CONFIG_VERIFIED, CONFIG_RESET_PREPARED,
						    CONFIG_FAILED };
	AUTO(boot) struct boot *b = boot_new("sealed.img");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		b->c->state = all[i];
		if (all[i] != CONFIG_CREATED)
			assert_int_equal(set_parms(b), 0x0101);
		if (all[i] == CONFIG_PARMS_SET)
			continue;
		assert_int_equal(unpack(b, &b->plan->pieces[0]), 0x0101);
		assert_int_equal(verify(b), 0x0101);
		assert_int_equal(b->c->state, all[i]);
	}
	b->c->state = CONFIG_CREATED;
	assert_int_equal(set_parms(b), 1);
	assert_int_equal(set_parms(b), 0x0101);
	unpack_all(b);
	assert_int_equal(verify(b), 1);
	assert_int_equal(verify(b), 0x0101);
	assert_int_equal(unpack(b, &b->plan->pieces[0]), 0x0101);
	assert_int_equal(set_parms(b), 0x0101);
	assert_int_equal(b->c->state, CONFIG_VERIFIED);
}

/* --- UNPACK IMAGE --------------------------------------------------------------------------------- */

static void test_unpack_refusals(void **state)
{
	AUTO(boot) struct boot *b = boot_new("sealed.img");
	const struct piece *first = &b->plan->pieces[0];
	uint64_t page = first->page;

	(void)state;
	assert_int_equal(set_parms(b), 1);
	assert_int_equal(unpack_addr(b, b->c->len, 0, 0), 0x0103);
	assert_int_equal(unpack_addr(b, UINT64_MAX, 0, 0), 0x0103);
	/* Guest absolute: the origin in the host's space does not belong to it. */
	assert_int_equal(unpack_addr(b, GASCE(page), first->prefix, 0), 0x0103);
	rig_map(b->r, 0, page, UINT64_MAX);
	assert_int_equal(unpack(b, first), 0x010a);
	rig_map(b->r, 0, page, b->c->virt[0]);
	assert_int_equal(unpack(b, first), 0x0105);
	/* None of these counts. */
	rig_map(b->r, 0, page, b->first + page);
	assert_int_equal(unpack(b, first), 1);
	assert_int_equal(unpack(b, first), 0x0104);
	rig_map(b->r, 0, page, UINT64_MAX);
	assert_int_equal(unpack(b, first), 0x0104);
	rig_map(b->r, 0, page + 1, b->first + page);
	assert_int_equal(unpack(b, first + 1), 0x0105);
	rig_map(b->r, 0, page + 1, b->first + page + 1);
	for (size_t i = 1; i < b->plan->npieces; i++)
		assert_int_equal(unpack(b, &b->plan->pieces[i]), 1);
	assert_int_equal(verify(b), 1);
	expect_kernel(b);
}

/* Low address bits do not count, in the digest neither. */
static void test_unaligned(void **state)
{
	AUTO(boot) struct boot *b = boot_new("sealed.img");

	(void)state;
	assert_int_equal(set_parms(b), 1);
	for (size_t i = 0; i < b->plan->npieces; i++) {
		const struct piece *p = &b->plan->pieces[i];

		assert_int_equal(unpack_addr(b, p->page * PAGE_BYTES + 0xfff, p->prefix, p->offset),
				 1);
	}
	assert_int_equal(verify(b), 1);
	expect_kernel(b);
}

/* --- VERIFY IMAGE --------------------------------------------------------------------------------- */

enum fraud {
	FRAUD_NONE,
	FRAUD_NOTHING, /* no page at all */
	FRAUD_LAST,    /* without the last page */
	FRAUD_MORE,    /* a page more */
	FRAUD_CONTENT, /* a bit of the last page */
	FRAUD_SWAP,    /* two pages of the last component in the other order */
	FRAUD_ADDRESS, /* the right page elsewhere */
	FRAUD_TWEAK,   /* another tweak for it */
	FRAUD_PREFIX,
};

/* The last page's place is in nobody's way. */
static void commit(struct boot *b, enum fraud fraud)
{
	struct piece *last = &b->plan->pieces[b->plan->npieces - 1];
	uint8_t *page = host(b, last->page);
	struct piece first = b->plan->pieces[0];

	if (fraud == FRAUD_NOTHING)
		b->plan->npieces = 0;
	else if (fraud == FRAUD_LAST)
		b->plan->npieces--;
	else if (fraud == FRAUD_CONTENT)
		page[77] ^= 4;
	else if (fraud == FRAUD_TWEAK)
		last->offset += PAGE_BYTES;
	else if (fraud == FRAUD_PREFIX)
		last->prefix ^= 1;
	if (fraud == FRAUD_SWAP) {
		b->plan->pieces[0] = b->plan->pieces[1];
		b->plan->pieces[1] = first;
	}
	if (fraud == FRAUD_ADDRESS) {
		memcpy(page + PAGE_BYTES, page, PAGE_BYTES);
		last->page++;
	}
	if (fraud == FRAUD_MORE) {
		last[1] = (struct piece){ last->page + 1, 0, 0 };
		b->plan->npieces++;
	}
}

/* What is told when several things differ: number, pages, addresses, tweaks, in this order. */
static void test_verify(void **state)
{
	static const struct {
		const char *name;
		enum fraud fraud;
		size_t field, width; /* of the header, zeroed and sealed again */
		uint16_t rrc;
	} rows[] = {
		{ "nothing unpacked", FRAUD_NOTHING, 0, 0, 0x1d },
		{ "last page missing", FRAUD_LAST, 0, 0, 0x1d },
		{ "a page more", FRAUD_MORE, 0, 0, 0x1d },
		{ "content", FRAUD_CONTENT, 0, 0, 0x1b },
		{ "order", FRAUD_SWAP, 0, 0, 0x1b },
		{ "address", FRAUD_ADDRESS, 0, 0, 0x1a },
		{ "offset", FRAUD_TWEAK, 0, 0, 0x1c },
		{ "prefix", FRAUD_PREFIX, 0, 0, 0x1c },
		{ "header: number", FRAUD_NONE, offsetof(struct se_hdr_head, nep), 8, 0x1d },
		{ "header: pages", FRAUD_NONE, offsetof(struct se_hdr_head, pld), 8, 0x1b },
		{ "header: addresses", FRAUD_NONE, offsetof(struct se_hdr_head, ald), 8, 0x1a },
		{ "header: tweaks", FRAUD_NONE, offsetof(struct se_hdr_head, tld), 8, 0x1c },
		{ "header: end of tweaks", FRAUD_NONE, offsetof(struct se_hdr_head, tld) + 63, 1,
		  0x1c },
		{ "addresses before tweaks", FRAUD_TWEAK, offsetof(struct se_hdr_head, ald), 8,
		  0x1a },
		{ "pages before addresses", FRAUD_CONTENT, offsetof(struct se_hdr_head, ald), 8,
		  0x1b },
		{ "number before pages", FRAUD_CONTENT, offsetof(struct se_hdr_head, nep), 8,
		  0x1d },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(boot) struct boot *b = boot_new("sealed.img");
		struct se_hdr_secrets area;

		rig_hdr_open(b->plan->hdr, &area);
		memset(b->plan->hdr + rows[i].field, 0, rows[i].width);
		rig_hdr_seal(b->plan->hdr, &area);
		row_int(rows[i].name, set_parms(b), 1);
		commit(b, rows[i].fraud);
		unpack_all(b);
		row_int(rows[i].name, verify(b), 0x0102);
		row_int(rows[i].name, b->r->rrc, rows[i].rrc);
		row_int(rows[i].name, b->c->state, CONFIG_FAILED);
		row_true(rows[i].name, !b->c->unpack);
		row_int(rows[i].name, verify(b), 0x0101);
		row_int(rows[i].name, rig_gpage(b->r, uv_import, b->c, GASCE(0)), 0x0101);
	}
}

/* --- Between UNPACK and VERIFY -------------------------------------------------------------------- */

/* An export waits until its page is decrypted, and what comes back later is the plaintext. */
static void test_export_between(void **state)
{
	AUTO(boot) struct boot *b = boot_new("sealed.img");

	(void)state;
	assert_int_equal(set_parms(b), 1);
	for (size_t i = 0; i < b->plan->npieces; i++) {
		uint64_t page = b->plan->pieces[i].page;

		assert_int_equal(unpack(b, &b->plan->pieces[i]), 1);
		if (i % 3)
			continue;
		assert_int_equal(export(b, page), 1);
		assert_true(rig_is_zero(secure(b, page)));
		assert_int_equal(unpack(b, &b->plan->pieces[i]), 0x0104);
		assert_int_equal(rig_gpage(b->r, uv_import, b->c, GASCE(page)), 0x0101);
	}
	assert_int_equal(verify(b), 1);
	for (size_t i = 0; i < b->plan->npieces; i++)
		assert_int_equal(rig_gpage(b->r, uv_import, b->c, GASCE(b->plan->pieces[i].page)),
				 1);
	expect_kernel(b);
}

/* A page that was measured and then destroyed: such a guest never starts. */
static void test_destroy_between(void **state)
{
	AUTO(boot) struct boot *b = boot_new("sealed.img");
	uint64_t page = b->plan->pieces[0].page;

	(void)state;
	assert_int_equal(set_parms(b), 1);
	unpack_all(b);
	assert_int_equal(rig_frame(b->r, uv_destroy_page, (b->first + page) * 4096), 1);
	assert_true(rig_is_zero(secure(b, page)));
	assert_int_equal(verify(b), 0x0101);
	assert_int_equal(b->c->state, CONFIG_FAILED);
}

/* The end of a configuration in the middle: every page is zeroed. */
static void test_release_between(void **state)
{
	AUTO(boot) struct boot *b = boot_new("sealed.img");

	(void)state;
	assert_int_equal(set_parms(b), 1);
	unpack_all(b);
	uv_pages_release(b->c, b->r->cpu, false);
	uv_unpack_free(b->c);
	assert_null(b->c->unpack);
	for (size_t i = 0; i < b->plan->npieces; i++) {
		uint64_t page = b->plan->pieces[i].page;

		assert_int_equal(frame_info(b->r->m, b->first + page).state, FRAME_HOST);
		assert_true(rig_is_zero(secure(b, page)));
		assert_true(rig_is_zero(host(b, page)));
	}
}

/* --- Many pages ------------------------------------------------------------------------------------ */

/* A kernel's head is not asked for, so that it may be any bytes. */
static void make_image(const char *ramdisk, const char *out)
{
	struct unit_path doc = unit_golden("host1.crt"), kernel = unit_golden("kernel.bin");
	struct zpv_hostkey *hk;
	struct zpv_err err = { 0 };
	struct zpv_image_spec spec = { .kernel = kernel.s,
				       .ramdisk = ramdisk,
				       .nhostkeys = 1,
				       .pcf = ZPV_PCF_DEFAULT,
				       .no_component_check = true,
				       .output = out,
				       .output_fd = -1 };
	int rc;

	row_ok("document", zpv_hostkey_read(doc.s, NULL, &hk, &err), err);
	spec.hostkeys = (const struct zpv_hostkey *const *)&hk;
	rc = zpv_image_create(&spec, &err);
	zpv_hostkey_free(hk);
	row_ok("create", rc, err);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* SHA-512 of as many pages at once: what no way of unpacking can be faster than. */
static double hash_seconds(const struct boot *b)
{
	double start = seconds();
	uint8_t digest[SHA512_BYTES];
	struct sha *s;

	assert_int_equal(sha_new(SHA_512, &s, NULL), 0);
	for (size_t i = 0; i < b->plan->npieces; i++)
		sha_update(s, b->img.data + b->plan->pieces[i].page * PAGE_BYTES, PAGE_BYTES);
	assert_int_equal(sha_final(s, digest, NULL), 0);
	sha_free(s);
	return seconds() - start;
}

static void expect_ramdisk(const struct boot *b, const struct unit_bytes *want)
{
	size_t at = 0;

	/* The kernel's component ends where the prefix changes. */
	while (b->plan->pieces[at].prefix == b->plan->pieces[0].prefix)
		at++;
	row_mem("ramdisk", secure(b, b->plan->pieces[at].page), want->data, want->len);
}

/* The ring of pages wraps many times. */
static void test_large(void **state)
{
	struct unit_path ramdisk = unit_in(state, "ramdisk"), out = unit_in(state, "image");
	const char *mib_text = getenv("ZPV_UNPACK_MIB");
	size_t mib = mib_text ? strtoul(mib_text, NULL, 10) : DEFAULT_MIB;
	AUTO_BYTES content = { malloc(mib * UV_MIB), mib * UV_MIB };
	AUTO(boot) struct boot *b = NULL;
	double start, hash, whole;

	assert_non_null(content.data);
	unit_pattern(content.data, content.len, 1);
	unit_write(ramdisk.s, content.data, content.len);
	make_image(ramdisk.s, out.s);
	b = boot_load(unit_read(out.s));
	hash = hash_seconds(b);
	assert_int_equal(set_parms(b), 1);
	start = seconds();
	unpack_all(b);
	assert_int_equal(verify(b), 1);
	whole = seconds() - start;
	expect_ramdisk(b, &content);
	print_message("# %zu pages: %.0f pages/s, SHA-512 alone %.0f pages/s, ratio %.2f\n",
		      b->plan->npieces, (double)b->plan->npieces / whole,
		      (double)b->plan->npieces / hash, whole / hash);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_boot),
		cmocka_unit_test(test_plain_components),
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_header_operand),
		cmocka_unit_test(test_header_virtual),
		cmocka_unit_test(test_weak_key),
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_unpack_refusals),
		cmocka_unit_test(test_unaligned),
		cmocka_unit_test(test_verify),
		cmocka_unit_test(test_export_between),
		cmocka_unit_test(test_destroy_between),
		cmocka_unit_test(test_release_between),
		unit_test_dir(test_large),
	};

	return cmocka_run_group_tests_name("ultravisor/unpack", tests, NULL, NULL);
}
