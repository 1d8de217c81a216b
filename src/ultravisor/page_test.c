// SPDX-License-Identifier: MIT
/*
 * Secure storage: every row of ultravisor.md section 6.1 and its refusals, and a host that changes,
 * replays, moves and doubles what it was given.
 */
#include "uv_rig.h"

#include <pthread.h>

#include "aes_xts.h"
#include "sie.h"

#define PAGES	   256u	  /* of a configuration */
#define FRAME_A	   0x600u /* host frames for guest pages */
#define FRAME_B	   0x680u
#define OUTSIDE	   0x1000u /* frame behind the end of storage */
#define GASCE(pg)  (RIG_ORIGIN + (pg)*4096ull)
#define ADDR_OF(f) ((f)*4096ull)

/* Two configurations of a MiB each, VERIFIED; page n of the first is mapped to FRAME_A + n. */
static int setup(void **state)
{
	struct rig *r = rig_new(16);

	for (unsigned int n = 0; n < 2; n++)
		rig_config(r, n, 1, CONFIG_VERIFIED);
	for (uint64_t i = 0; i < 64; i++)
		rig_map(r, 0, i, FRAME_A + i);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	rig_free(*state);
	return 0;
}

static uint8_t *host(const struct rig *r, uint64_t frame)
{
	return frame_host_page(r->m, frame);
}

static uint8_t *secure(const struct rig *r, uint64_t frame)
{
	return frame_secure_page(r->m, frame);
}

static enum frame_state state_of(const struct rig *r, uint64_t frame)
{
	return frame_info(r->m, frame).state;
}

static uint16_t import(struct rig *r, unsigned int n, uint64_t page)
{
	return rig_gpage(r, uv_import, &r->config[n], GASCE(page));
}

static uint16_t export(struct rig *r, uint64_t frame)
{
	return rig_frame(r, uv_export, ADDR_OF(frame));
}

/* As if the guest had stored into its page. */
static void guest_stores(struct rig *r, uint64_t frame, uint32_t seed)
{
	unit_pattern(secure(r, frame), FRAME_BYTES, seed);
}

static void expect_pattern(const uint8_t *page, uint32_t seed)
{
	uint8_t want[FRAME_BYTES];

	unit_pattern(want, sizeof(want), seed);
	row_mem("content", page, want, sizeof(want));
}

/* The frame holds this page of this configuration. */
static void expect_frame(const struct rig *r, uint64_t frame, enum frame_state state,
			 unsigned int n, uint64_t page)
{
	struct frame_info info = frame_info(r->m, frame);

	assert_int_equal(info.state, state);
	assert_int_equal(info.owner, r->config[n].owner);
	assert_int_equal(info.page, page);
	assert_int_equal(uv_page(&r->config[n], page)->state, PAGE_RESIDENT);
	assert_int_equal(uv_page(&r->config[n], page)->frame, frame);
}

static void expect_page(const struct rig *r, unsigned int n, uint64_t page,
			enum uv_page_state state, bool shared)
{
	assert_int_equal(uv_page(&r->config[n], page)->state, state);
	assert_int_equal(uv_page(&r->config[n], page)->shared, shared);
}

/* Page 0 of the first configuration: resident with a pattern, or exported. */
static void make_resident(struct rig *r, uint64_t page, uint32_t seed)
{
	assert_int_equal(import(r, 0, page), 1);
	guest_stores(r, FRAME_A + page, seed);
}

static void make_exported(struct rig *r, uint64_t page, uint32_t seed)
{
	make_resident(r, page, seed);
	assert_int_equal(export(r, FRAME_A + page), 1);
}

static void make_shared(struct rig *r, uint64_t page, uint32_t seed)
{
	make_resident(r, page, seed);
	uv_page_share(&r->config[0], r->cpu, page);
}

static void set_frame(struct rig *r, uint64_t frame, struct frame_info info)
{
	frame_seize(r->m, r->cpu, frame, 1);
	frame_give(r->m, frame, info);
}

/* --- Records ------------------------------------------------------------------------------------ */

/* Behind the fixed part of the variable storage, one for each page, none beyond. */
static void test_records(void **state)
{
	struct rig *r = *state;
	struct uv_config *c = &r->config[0];

	assert_ptr_equal(uv_page(c, 0), secure(r, c->virt[1]));
	assert_ptr_equal(uv_page(c, 1), secure(r, c->virt[1]) + 64);
	assert_ptr_equal(uv_page(c, 64), secure(r, c->virt[2]));
	assert_ptr_equal(uv_page(c, PAGES - 1), secure(r, c->virt[4]) + 4096 - 64);
	assert_null(uv_page(c, PAGES));
	assert_null(uv_page(c, UINT64_MAX));
}

/* --- Import ------------------------------------------------------------------------------------- */

static void test_import_fresh(void **state)
{
	struct rig *r = *state;

	unit_pattern(host(r, FRAME_A), FRAME_BYTES, 1);
	unit_pattern(secure(r, FRAME_A), FRAME_BYTES, 2);
	assert_int_equal(import(r, 0, 0), 1);
	expect_frame(r, FRAME_A, FRAME_SECURE, 0, 0);
	assert_true(rig_is_zero(secure(r, FRAME_A)));
	assert_false(uv_page(&r->config[0], 0)->shared);

	/* Again: nothing happens; low address bits do not count. */
	guest_stores(r, FRAME_A, 3);
	assert_int_equal(import(r, 0, 0), 1);
	assert_int_equal(rig_gpage(r, uv_import, &r->config[0], GASCE(0) + 4095), 1);
	expect_pattern(secure(r, FRAME_A), 3);
	expect_frame(r, FRAME_A, FRAME_SECURE, 0, 0);
}

static void test_import_states(void **state)
{
	static const struct {
		const char *name;
		enum uv_config_state state;
		bool dumping;
		uint16_t rc;
	} rows[] = {
		{ "created", CONFIG_CREATED, false, 0x0101 },
		{ "parameters set", CONFIG_PARMS_SET, false, 0x0101 },
		{ "failed", CONFIG_FAILED, false, 0x0101 },
		{ "verified, dumping", CONFIG_VERIFIED, true, 0x0101 },
		{ "reset prepared, dumping", CONFIG_RESET_PREPARED, true, 0x0101 },
		{ "reset prepared", CONFIG_RESET_PREPARED, false, 1 },
	};
	struct rig *r = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		r->config[0].state = rows[i].state;
		r->config[0].dumping = rows[i].dumping;
		row_int(rows[i].name, import(r, 0, 0), rows[i].rc);
		row_int(rows[i].name, state_of(r, FRAME_A),
			rows[i].rc == 1 ? FRAME_SECURE : FRAME_HOST);
	}
}

/* Page 5 of the first configuration is imported out of frames that cannot take it. */
static void test_import_frames(void **state)
{
	struct rig *r = *state;
	const struct {
		const char *name;
		uint64_t gaddr, frame;
		struct frame_info info;
		uint16_t rc;
	} rows[] = {
		{ "below the guest", RIG_ORIGIN - 4096, FRAME_B, { 0 }, 0x0103 },
		{ "behind the guest", GASCE(PAGES), FRAME_B, { 0 }, 0x0103 },
		{ "last address", UINT64_MAX, FRAME_B, { 0 }, 0x0103 },
		{ "not mapped", GASCE(5), UINT64_MAX, { 0 }, 0x010a },
		{ "no storage there", GASCE(5), OUTSIDE, { 0 }, 0x010a },
		{ "donated", GASCE(5), r->config[0].virt[1], { .state = FRAME_DONATED }, 0x0105 },
		{ "secure of another guest",
		  GASCE(5),
		  FRAME_B,
		  { FRAME_SECURE, r->config[1].owner, 5 },
		  0x0105 },
		{ "pinned of another guest",
		  GASCE(5),
		  FRAME_B,
		  { FRAME_PINNED, r->config[1].owner, 5 },
		  0x0105 },
		{ "secure of another page",
		  GASCE(5),
		  FRAME_B,
		  { FRAME_SECURE, r->config[0].owner, 6 },
		  0x0105 },
		{ "shared of another page",
		  GASCE(5),
		  FRAME_B,
		  { FRAME_SHARED, r->config[0].owner, 6 },
		  0x0105 },
		{ "pinned of another page",
		  GASCE(5),
		  FRAME_B,
		  { FRAME_PINNED, r->config[0].owner, 6 },
		  0x0105 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		bool storage = rows[i].frame < OUTSIDE;

		if (storage)
			set_frame(r, rows[i].frame, rows[i].info);
		rig_map(r, 0, 5, rows[i].frame);
		row_int(rows[i].name, rig_gpage(r, uv_import, &r->config[0], rows[i].gaddr),
			rows[i].rc);
		row_int(rows[i].name, uv_page(&r->config[0], 5)->state, PAGE_FRESH);
		if (storage)
			row_int(rows[i].name, state_of(r, rows[i].frame), rows[i].info.state);
	}
}

/* The host moves a resident page to another frame without exporting it. */
static void test_import_elsewhere(void **state)
{
	struct rig *r = *state;

	make_resident(r, 3, 1);
	rig_map(r, 0, 3, FRAME_B);
	assert_false(uv_page_present(&r->config[0], r->cpu, 3));
	assert_int_equal(import(r, 0, 3), 0x0108);
	expect_frame(r, FRAME_A + 3, FRAME_SECURE, 0, 3);
	assert_int_equal(state_of(r, FRAME_B), FRAME_HOST);
	/* A frame of somebody is its own reason. */
	set_frame(r, FRAME_B, (struct frame_info){ FRAME_SECURE, r->config[1].owner, 3 });
	assert_int_equal(import(r, 0, 3), 0x0105);
	rig_map(r, 0, 3, FRAME_A + 3);
	assert_true(uv_page_present(&r->config[0], r->cpu, 3));
	assert_int_equal(import(r, 0, 3), 1);
	expect_pattern(secure(r, FRAME_A + 3), 1);
}

static void test_present(void **state)
{
	struct rig *r = *state;
	struct uv_config *c = &r->config[0];

	assert_false(uv_page_present(c, r->cpu, 0));
	make_shared(r, 0, 1);
	assert_true(uv_page_present(c, r->cpu, 0));
	rig_map(r, 0, 0, UINT64_MAX);
	assert_false(uv_page_present(c, r->cpu, 0));
	rig_map(r, 0, 0, FRAME_A);
	assert_int_equal(export(r, FRAME_A), 1);
	assert_false(uv_page_present(c, r->cpu, 0));
	assert_false(uv_page_present(c, r->cpu, PAGES));
}

/* --- Export ------------------------------------------------------------------------------------- */

/* The ciphertext by the layout of pv-dump.md section 12, written down once more. */
static void expect_cipher(struct rig *r, const uint8_t *cipher, uint64_t counter, uint32_t page,
			  uint32_t seed)
{
	const uint8_t *nonce = r->config[0].nonce;
	uint64_t prefix = 0, offset = 0;
	uint8_t tweak[16], plain[FRAME_BYTES];

	for (unsigned int i = 0; i < 6; i++)
		tweak[i] = (uint8_t)(counter >> (40 - 8 * i));
	for (unsigned int i = 0; i < 4; i++)
		tweak[6 + i] = (uint8_t)(page >> (24 - 8 * i));
	memcpy(tweak + 10, nonce, 6);
	for (unsigned int i = 0; i < 8; i++) {
		prefix = prefix << 8 | tweak[i];
		offset = offset << 8 | tweak[8 + i];
	}
	assert_int_equal(xts_pages(r->config[0].import_key, prefix, offset, cipher, plain, 1, NULL),
			 0);
	expect_pattern(plain, seed);
}

static void test_export(void **state)
{
	struct rig *r = *state;
	const struct uv_page *p = uv_page(&r->config[0], 2);
	uint8_t last[FRAME_BYTES] = { 0 }, digest[SHA256_BYTES];

	for (uint64_t n = 1; n <= 5; n++) {
		assert_int_equal(import(r, 0, 2), 1);
		guest_stores(r, FRAME_A + 2, 77);
		assert_int_equal(export(r, FRAME_A + 2), 1);
		assert_int_equal(state_of(r, FRAME_A + 2), FRAME_HOST);
		assert_int_equal(frame_info(r->m, FRAME_A + 2).owner, 0);
		assert_true(rig_is_zero(secure(r, FRAME_A + 2)));
		expect_page(r, 0, 2, PAGE_EXPORTED, false);
		assert_int_equal(p->counter, n);
		assert_int_equal(sha256(host(r, FRAME_A + 2), FRAME_BYTES, digest, NULL), 0);
		assert_memory_equal(p->digest, digest, sizeof(digest));
		assert_memory_not_equal(host(r, FRAME_A + 2), last, FRAME_BYTES);
		expect_cipher(r, host(r, FRAME_A + 2), n, 2, 77);
		memcpy(last, host(r, FRAME_A + 2), FRAME_BYTES);
	}
	/* Another page with the same content; and nothing is left to do. */
	make_exported(r, 3, 77);
	assert_memory_not_equal(host(r, FRAME_A + 3), last, FRAME_BYTES);
	assert_int_equal(export(r, FRAME_A + 3), 1);
	assert_int_equal(r->config[0].exports, 6);
}

/* Two configurations have keys and nonces of their own: the same tweak gives other ciphertext. */
static void test_export_keys(void **state)
{
	struct rig *r = *state;

	assert_memory_not_equal(r->config[0].nonce, r->config[1].nonce, 6);
	memcpy(r->config[1].nonce, r->config[0].nonce, 6);
	make_exported(r, 0, 5);
	rig_map(r, 1, 0, FRAME_B);
	assert_int_equal(import(r, 1, 0), 1);
	guest_stores(r, FRAME_B, 5);
	assert_int_equal(export(r, FRAME_B), 1);
	assert_int_equal(uv_page(&r->config[0], 0)->counter, uv_page(&r->config[1], 0)->counter);
	assert_memory_not_equal(host(r, FRAME_B), host(r, FRAME_A), FRAME_BYTES);
}

static void test_export_limit(void **state)
{
	struct rig *r = *state;

	make_resident(r, 0, 1);
	r->config[0].exports = (1ull << 47) - 2;
	assert_int_equal(export(r, FRAME_A), 1);
	assert_int_equal(import(r, 0, 0), 1);
	assert_int_equal(export(r, FRAME_A), 0x0107);
	expect_frame(r, FRAME_A, FRAME_SECURE, 0, 0);
	expect_pattern(secure(r, FRAME_A), 1);
}

static void test_round_trip(void **state)
{
	struct rig *r = *state;

	make_exported(r, 0, 9);
	/* Swapped out and in: another frame, by way of the host's own storage. */
	memcpy(host(r, FRAME_B), host(r, FRAME_A), FRAME_BYTES);
	memset(host(r, FRAME_A), 0, FRAME_BYTES);
	rig_map(r, 0, 0, FRAME_B);
	assert_int_equal(import(r, 0, 0), 1);
	expect_frame(r, FRAME_B, FRAME_SECURE, 0, 0);
	expect_pattern(secure(r, FRAME_B), 9);
}

/* --- A host that cheats -------------------------------------------------------------------------- */

/* The page is refused, nothing has changed, and the right ciphertext is still accepted. */
static void expect_refused(struct rig *r, const char *name, uint64_t page, uint64_t frame,
			   const uint8_t *right, uint32_t seed)
{
	struct uv_page before = *uv_page(&r->config[0], page);
	uint8_t given[FRAME_BYTES];

	memcpy(given, host(r, frame), FRAME_BYTES);
	unit_pattern(secure(r, frame), FRAME_BYTES, 99);
	row_int(name, import(r, 0, page), 0x0106);
	row_int(name, state_of(r, frame), FRAME_HOST);
	row_int(name, frame_info(r->m, frame).owner, 0);
	row_mem(name, host(r, frame), given, FRAME_BYTES);
	row_true(name, rig_is_zero(secure(r, frame)));
	row_mem(name, uv_page(&r->config[0], page), &before, sizeof(before));

	memcpy(host(r, frame), right, FRAME_BYTES);
	row_int(name, import(r, 0, page), 1);
	expect_pattern(secure(r, frame), seed);
	row_int(name, export(r, frame), 1);
}

static void test_changed(void **state)
{
	static const size_t bits[] = { 0, 7, 8 * 16, 8 * 2048 + 3, 8 * 4095 + 7 };
	struct rig *r = *state;
	uint8_t right[FRAME_BYTES];

	make_exported(r, 1, 4);
	for (size_t i = 0; i < ARRAY_SIZE(bits); i++) {
		memcpy(right, host(r, FRAME_A + 1), FRAME_BYTES);
		host(r, FRAME_A + 1)[bits[i] / 8] ^= (uint8_t)(1u << bits[i] % 8);
		expect_refused(r, "changed", 1, FRAME_A + 1, right, 4);
	}
	memcpy(right, host(r, FRAME_A + 1), FRAME_BYTES);
	memset(host(r, FRAME_A + 1), 0, FRAME_BYTES);
	expect_refused(r, "zeros", 1, FRAME_A + 1, right, 4);
	memcpy(right, host(r, FRAME_A + 1), FRAME_BYTES);
	unit_pattern(host(r, FRAME_A + 1), FRAME_BYTES, 4);
	expect_refused(r, "the plaintext", 1, FRAME_A + 1, right, 4);
}

static void test_replayed(void **state)
{
	struct rig *r = *state;
	uint8_t old[FRAME_BYTES], right[FRAME_BYTES];

	make_exported(r, 1, 4);
	memcpy(old, host(r, FRAME_A + 1), FRAME_BYTES);
	assert_int_equal(import(r, 0, 1), 1);
	guest_stores(r, FRAME_A + 1, 5);
	assert_int_equal(export(r, FRAME_A + 1), 1);
	memcpy(right, host(r, FRAME_A + 1), FRAME_BYTES);
	memcpy(host(r, FRAME_A + 1), old, FRAME_BYTES);
	expect_refused(r, "replayed", 1, FRAME_A + 1, right, 5);
}

/* Another page's ciphertext, with the same content even. */
static void test_moved(void **state)
{
	struct rig *r = *state;
	uint8_t right[FRAME_BYTES];

	make_exported(r, 1, 4);
	make_exported(r, 2, 4);
	memcpy(right, host(r, FRAME_A + 1), FRAME_BYTES);
	memcpy(host(r, FRAME_A + 1), host(r, FRAME_A + 2), FRAME_BYTES);
	expect_refused(r, "moved", 1, FRAME_A + 1, right, 4);
}

/* One frame for two pages, and two frames for one page. */
static void test_doubled(void **state)
{
	struct rig *r = *state;

	make_exported(r, 1, 4);
	memcpy(host(r, FRAME_B), host(r, FRAME_A + 1), FRAME_BYTES);
	assert_int_equal(import(r, 0, 1), 1);
	rig_map(r, 0, 1, FRAME_B);
	assert_int_equal(import(r, 0, 1), 0x0108);
	assert_int_equal(state_of(r, FRAME_B), FRAME_HOST);
	rig_map(r, 0, 2, FRAME_A + 1);
	assert_int_equal(import(r, 0, 2), 0x0105);
	expect_page(r, 0, 2, PAGE_FRESH, false);
	rig_map(r, 1, 1, FRAME_A + 1);
	assert_int_equal(import(r, 1, 1), 0x0105);
	expect_frame(r, FRAME_A + 1, FRAME_SECURE, 0, 1);
	expect_pattern(secure(r, FRAME_A + 1), 4);
}

/* --- Sharing ------------------------------------------------------------------------------------ */

static void test_share(void **state)
{
	struct rig *r = *state;
	struct uv_config *c = &r->config[0];

	assert_false(uv_pages_any_shared(c));
	make_shared(r, PAGES - 193, 6); /* page 63 */
	assert_true(uv_pages_any_shared(c));
	expect_frame(r, FRAME_A + 63, FRAME_SHARED, 0, 63);
	expect_page(r, 0, 63, PAGE_RESIDENT, true);
	expect_pattern(host(r, FRAME_A + 63), 6);
	assert_true(rig_is_zero(secure(r, FRAME_A + 63)));
	uv_page_share(c, r->cpu, 63);
	expect_pattern(host(r, FRAME_A + 63), 6);
	assert_int_equal(import(r, 0, 63), 1);
	expect_frame(r, FRAME_A + 63, FRAME_SHARED, 0, 63);

	unit_pattern(host(r, FRAME_A + 63), FRAME_BYTES, 7);
	assert_true(uv_page_unshare(c, r->cpu, 63));
	expect_frame(r, FRAME_A + 63, FRAME_SECURE, 0, 63);
	expect_pattern(secure(r, FRAME_A + 63), 7);
	assert_true(uv_page_unshare(c, r->cpu, 63));
	assert_false(uv_pages_any_shared(c));
	assert_int_equal(export(r, FRAME_A + 63), 1);
	expect_cipher(r, host(r, FRAME_A + 63), 1, 63, 7);
}

/* Out and in again in the clear: nothing is encrypted, nothing is checked. */
static void test_shared_paging(void **state)
{
	struct rig *r = *state;

	make_shared(r, 0, 6);
	assert_int_equal(export(r, FRAME_A), 1);
	assert_int_equal(state_of(r, FRAME_A), FRAME_HOST);
	expect_page(r, 0, 0, PAGE_EXPORTED, true);
	expect_pattern(host(r, FRAME_A), 6);
	assert_int_equal(r->config[0].exports, 0);

	unit_pattern(host(r, FRAME_B), FRAME_BYTES, 8);
	rig_map(r, 0, 0, FRAME_B);
	assert_int_equal(import(r, 0, 0), 1);
	expect_frame(r, FRAME_B, FRAME_SHARED, 0, 0);
	expect_pattern(host(r, FRAME_B), 8);
}

/* A page that one guest shares is imported by another (feature MISC). */
static void test_owner_changes(void **state)
{
	struct rig *r = *state;

	make_shared(r, 0, 6);
	rig_map(r, 1, 7, FRAME_A);
	assert_int_equal(import(r, 1, 7), 1);
	expect_frame(r, FRAME_A, FRAME_SECURE, 1, 7);
	assert_true(rig_is_zero(secure(r, FRAME_A)));
	expect_page(r, 0, 0, PAGE_EXPORTED, true);
	assert_false(uv_page_present(&r->config[0], r->cpu, 0));
	assert_int_equal(import(r, 0, 0), 0x0105);
}

/* --- Pins ---------------------------------------------------------------------------------------- */

static void test_pin(void **state)
{
	struct rig *r = *state;
	struct uv_config *c = &r->config[0];

	assert_int_equal(rig_frame(r, uv_pin, ADDR_OF(FRAME_A)), 0x0102);
	make_resident(r, 0, 1);
	assert_int_equal(rig_frame(r, uv_pin, ADDR_OF(FRAME_A)), 0x0102);
	expect_frame(r, FRAME_A, FRAME_SECURE, 0, 0);
	assert_int_equal(rig_frame(r, uv_pin, ADDR_OF(c->virt[0])), 0x0102);
	assert_int_equal(rig_frame(r, uv_pin, ADDR_OF(OUTSIDE)), 0x0101);
	assert_int_equal(rig_gpage(r, uv_unpin, c, GASCE(0)), 0x0104);

	uv_page_share(c, r->cpu, 0);
	assert_int_equal(rig_gpage(r, uv_unpin, c, GASCE(0)), 0x0104);
	assert_int_equal(rig_frame(r, uv_pin, ADDR_OF(FRAME_A) + 8), 1);
	assert_int_equal(rig_frame(r, uv_pin, ADDR_OF(FRAME_A)), 1);
	expect_frame(r, FRAME_A, FRAME_PINNED, 0, 0);
	assert_false(uv_page_unshare(c, r->cpu, 0));
	expect_frame(r, FRAME_A, FRAME_PINNED, 0, 0);
	expect_pattern(host(r, FRAME_A), 1);
	assert_int_equal(import(r, 0, 0), 1);
	expect_frame(r, FRAME_A, FRAME_PINNED, 0, 0);

	assert_int_equal(rig_gpage(r, uv_unpin, c, GASCE(0) + 1), 1);
	expect_frame(r, FRAME_A, FRAME_SHARED, 0, 0);
	expect_pattern(host(r, FRAME_A), 1);
	assert_int_equal(rig_gpage(r, uv_unpin, c, GASCE(0)), 0x0104);
	assert_true(uv_page_unshare(c, r->cpu, 0));
}

static void test_unpin_refusals(void **state)
{
	struct rig *r = *state;
	struct uv_config *c = &r->config[0];

	make_shared(r, 0, 1);
	assert_int_equal(rig_frame(r, uv_pin, ADDR_OF(FRAME_A)), 1);
	assert_int_equal(rig_gpage(r, uv_unpin, c, RIG_ORIGIN - 1), 0x0103);
	assert_int_equal(rig_gpage(r, uv_unpin, c, GASCE(PAGES)), 0x0103);
	/* The other guest maps the frame, and another page of the same guest does. */
	rig_map(r, 1, 0, FRAME_A);
	assert_int_equal(rig_gpage(r, uv_unpin, &r->config[1], GASCE(0)), 0x0104);
	rig_map(r, 0, 1, FRAME_A);
	assert_int_equal(rig_gpage(r, uv_unpin, c, GASCE(1)), 0x0104);
	c->dumping = true;
	assert_int_equal(rig_gpage(r, uv_unpin, c, GASCE(0)), 0x0102);
	assert_int_equal(rig_frame(r, uv_pin, ADDR_OF(FRAME_A)), 1);
	c->dumping = false;
	rig_map(r, 0, 0, UINT64_MAX);
	assert_int_equal(rig_gpage(r, uv_unpin, c, GASCE(0)), 0x010a);
	expect_frame(r, FRAME_A, FRAME_PINNED, 0, 0);
	/* Export takes the pin away. */
	assert_int_equal(export(r, FRAME_A), 1);
	expect_page(r, 0, 0, PAGE_EXPORTED, true);
	expect_pattern(host(r, FRAME_A), 1);
	assert_int_equal(rig_frame(r, uv_pin, ADDR_OF(FRAME_A)), 0x0102);
}

/* --- All pages ---------------------------------------------------------------------------------- */

/*
 * Pages 0-5 are private, shared, private, pinned, shared in a frame elsewhere, shared and exported;
 * page 6 is private and exported. Page n has pattern 10 + n.
 */
static const uint64_t mixture[] = { FRAME_A, FRAME_A + 1, FRAME_A + 2, FRAME_A + 3,
				    FRAME_B, FRAME_A + 5, FRAME_A + 6 };

static bool is_private(uint64_t page)
{
	return page == 0 || page == 2 || page == 6;
}

static void make_mixture(struct rig *r)
{
	for (uint64_t page = 0; page < ARRAY_SIZE(mixture); page++) {
		rig_map(r, 0, page, mixture[page]);
		assert_int_equal(import(r, 0, page), 1);
		guest_stores(r, mixture[page], 10 + (uint32_t)page);
		if (!is_private(page))
			uv_page_share(&r->config[0], r->cpu, page);
	}
	assert_int_equal(rig_frame(r, uv_pin, ADDR_OF(FRAME_A + 3)), 1);
	assert_int_equal(export(r, FRAME_A + 5), 1);
	assert_int_equal(export(r, FRAME_A + 6), 1);
}

static void test_unshare_all(void **state)
{
	struct rig *r = *state;

	make_mixture(r);
	unit_pattern(host(r, FRAME_A + 2), FRAME_BYTES, 1);
	uv_pages_unshare(&r->config[0], r->cpu);
	for (uint64_t page = 0; page < 5; page++) {
		expect_frame(r, mixture[page], FRAME_SECURE, 0, page);
		expect_pattern(secure(r, mixture[page]), 10 + (uint32_t)page);
	}
	assert_int_equal(state_of(r, FRAME_A + 4), FRAME_HOST);
	expect_page(r, 0, 5, PAGE_FRESH, false);
	expect_page(r, 0, 6, PAGE_EXPORTED, false);
	assert_false(uv_pages_any_shared(&r->config[0]));
	assert_int_equal(import(r, 0, 5), 1);
	assert_true(rig_is_zero(secure(r, FRAME_A + 5)));
	assert_int_equal(import(r, 0, 6), 1);
	expect_pattern(secure(r, FRAME_A + 6), 16);
}

/* What private frames are now; shared ones are the host's, with their content. */
static void check_released(struct rig *r, enum frame_state left)
{
	for (uint64_t page = 0; page < PAGES; page++)
		expect_page(r, 0, page, PAGE_FRESH, false);
	for (uint64_t page = 0; page < 5; page++) {
		struct frame_info info = frame_info(r->m, mixture[page]);

		assert_int_equal(info.state, is_private(page) ? left : FRAME_HOST);
		assert_int_equal(info.owner, 0);
		if (!is_private(page))
			expect_pattern(host(r, mixture[page]), 10 + (uint32_t)page);
	}
	assert_int_equal(state_of(r, FRAME_A + 4), FRAME_HOST);
}

static void test_release(void **state)
{
	struct rig *r = *state;

	make_mixture(r);
	unit_pattern(host(r, FRAME_A), FRAME_BYTES, 1);
	uv_pages_release(&r->config[0], r->cpu, false);
	check_released(r, FRAME_HOST);
	for (uint64_t page = 0; page <= 2; page += 2) {
		assert_true(rig_is_zero(host(r, FRAME_A + page)));
		assert_true(rig_is_zero(secure(r, FRAME_A + page)));
	}
}

/* Orphans: no access, until one of three calls frees them, zeroed. */
static void test_orphans(void **state)
{
	static const char *const ways[] = { "export", "destroy", "import by another" };
	struct rig *r = *state;
	uint8_t byte;

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		make_mixture(r);
		unit_pattern(host(r, FRAME_A), FRAME_BYTES, 1);
		uv_pages_release(&r->config[0], r->cpu, true);
		check_released(r, FRAME_ORPHAN);
		row_int(ways[i], storage_read(r->m, (haddr_t){ ADDR_OF(FRAME_A) }, &byte, 1).code,
			0x3d);
		row_int(ways[i], rig_frame(r, uv_pin, ADDR_OF(FRAME_A)), 0x0102);
		rig_map(r, 1, 0, FRAME_A);
		if (i == 0)
			row_int(ways[i], export(r, FRAME_A), 1);
		else if (i == 1)
			row_int(ways[i], rig_frame(r, uv_destroy_page, ADDR_OF(FRAME_A)), 1);
		else
			row_int(ways[i], import(r, 1, 0), 1);
		row_int(ways[i], state_of(r, FRAME_A), i == 2 ? FRAME_SECURE : FRAME_HOST);
		row_true(ways[i], rig_is_zero(host(r, FRAME_A)));
		row_true(ways[i], rig_is_zero(secure(r, FRAME_A)));
		uv_pages_release(&r->config[1], r->cpu, false);
		row_int(ways[i], export(r, FRAME_A + 2), 1);
	}
	/* An orphan is no ciphertext of anybody's page. */
	assert_int_equal(import(r, 1, 0), 1);
	uv_pages_release(&r->config[1], r->cpu, true);
	make_exported(r, 1, 1);
	rig_map(r, 0, 1, FRAME_A);
	assert_int_equal(import(r, 0, 1), 0x0106);
	assert_int_equal(state_of(r, FRAME_A), FRAME_HOST);
}

/* --- Destroy -------------------------------------------------------------------------------------- */

static void test_destroy_page(void **state)
{
	struct rig *r = *state;
	struct uv_config *c = &r->config[0];
	struct uv_cpu cpu = { .config = c };
	static const uint64_t pages[] = { 0, 1, 3 }; /* private, shared, pinned */

	make_mixture(r);
	c->cpus = &cpu;
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		uint64_t frame = FRAME_A + pages[i];
		enum frame_state before = state_of(r, frame);

		assert_int_equal(rig_frame(r, uv_destroy_page, ADDR_OF(frame)), 0x0106);
		expect_frame(r, frame, before, 0, pages[i]);
	}
	assert_int_equal(c->state, CONFIG_VERIFIED);
	c->cpus = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		uint64_t frame = FRAME_A + pages[i];

		unit_pattern(host(r, frame), FRAME_BYTES, 1);
		assert_int_equal(rig_frame(r, uv_destroy_page, ADDR_OF(frame)), 1);
		assert_int_equal(state_of(r, frame), FRAME_HOST);
		assert_true(rig_is_zero(host(r, frame)));
		assert_true(rig_is_zero(secure(r, frame)));
		expect_page(r, 0, pages[i], PAGE_FRESH, false);
		assert_int_equal(rig_frame(r, uv_destroy_page, ADDR_OF(frame)), 1);
	}
	/* No CPU will ever see the zeros. */
	assert_int_equal(c->state, CONFIG_FAILED);
	assert_int_equal(import(r, 0, 0), 0x0101);
}

static void test_frame_operands(void **state)
{
	struct rig *r = *state;
	uv_call_fn *const calls[] = { uv_export, uv_destroy_page };

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		assert_int_equal(rig_frame(r, calls[i], ADDR_OF(OUTSIDE)), 0x0101);
		assert_int_equal(rig_frame(r, calls[i], UINT64_MAX), 0x0101);
		assert_int_equal(rig_frame(r, calls[i], ADDR_OF(r->config[0].virt[2])), 0x0105);
		assert_int_equal(rig_frame(r, calls[i], ADDR_OF(FRAME_B)), 1);
	}
	assert_int_equal(state_of(r, r->config[0].virt[2]), FRAME_DONATED);
}

/* Addresses above storage are home-space virtual ones while DAT is on (section 4.10). */
static void test_alias(void **state)
{
	struct rig *r = *state;

	make_shared(r, 0, 1);
	make_resident(r, 1, 2);
	assert_int_equal(rig_frame(r, uv_pin, GASCE(0)), 0x0101);
	r->cpu->cr[13] = r->config[0].asce;
	r->cpu->psw_mask |= PSW_DAT;
	cpu_state_changed(r->cpu);
	assert_int_equal(rig_frame(r, uv_pin, GASCE(0) + 5), 1);
	expect_frame(r, FRAME_A, FRAME_PINNED, 0, 0);
	assert_int_equal(rig_frame(r, uv_export, GASCE(1)), 1);
	assert_int_equal(state_of(r, FRAME_A + 1), FRAME_HOST);
	assert_int_equal(rig_frame(r, uv_export, GASCE(100)), 0x0101);
	/* An address within storage is absolute all the same. */
	make_resident(r, 2, 3);
	assert_int_equal(rig_frame(r, uv_export, ADDR_OF(FRAME_A + 2)), 1);
	assert_int_equal(state_of(r, FRAME_A + 2), FRAME_HOST);
	assert_int_equal(rig_frame(r, uv_destroy_page, GASCE(0)), 1);
	assert_int_equal(state_of(r, FRAME_A), FRAME_HOST);
}

/* --- UNPACK's part -------------------------------------------------------------------------------- */

static void test_take(void **state)
{
	struct rig *r = *state;
	struct uv_config *c = &r->config[0];
	uint8_t *page = NULL;

	unit_pattern(host(r, FRAME_A), FRAME_BYTES, 3);
	assert_int_equal(uv_page_take(c, r->cpu, 0, &page), 1);
	assert_ptr_equal(page, secure(r, FRAME_A));
	expect_pattern(page, 3);
	expect_frame(r, FRAME_A, FRAME_SECURE, 0, 0);
	assert_int_equal(uv_page_take(c, r->cpu, 0, &page), 0x0104);
	assert_int_equal(export(r, FRAME_A), 1);
	assert_int_equal(uv_page_take(c, r->cpu, 0, &page), 0x0104);
	assert_int_equal(uv_page_take(c, r->cpu, PAGES, &page), 0x0103);
	assert_int_equal(uv_page_take(c, r->cpu, 200, &page), 0x010a);
	rig_map(r, 0, 1, c->virt[0]);
	assert_int_equal(uv_page_take(c, r->cpu, 1, &page), 0x0105);
	rig_map(r, 0, 2, OUTSIDE);
	assert_int_equal(uv_page_take(c, r->cpu, 2, &page), 0x010a);
	set_frame(r, FRAME_B, (struct frame_info){ .state = FRAME_ORPHAN });
	rig_map(r, 0, 3, FRAME_B);
	assert_int_equal(uv_page_take(c, r->cpu, 3, &page), 0x0105);
	set_frame(r, FRAME_B, (struct frame_info){ FRAME_SHARED, r->config[1].owner, 0 });
	assert_int_equal(uv_page_take(c, r->cpu, 3, &page), 0x0105);
}

/* --- Translation ---------------------------------------------------------------------------------- */

/* The host's tables, whichever level runs: by the host's CR0 (here: large pages), its level. */
static void test_backing(void **state)
{
	struct rig *r = *state;
	const struct uv_config *c = &r->config[0];
	struct cpu *cpu = r->cpu;
	uint64_t frame;
	struct pic pic;

	for (unsigned int level = PIC_HOST; level <= PIC_GUEST; level++) {
		cpu->level = (uint8_t)level;
		cpu->cr[0] = level == PIC_GUEST ? 0x1234 : CR0_EDAT;
		cpu->sie->host.cr[0] = CR0_EDAT;
		rig_put64(r, RIG_TABLES(0) + RIG_ORIGIN / UV_MIB * 8, RIG_PTE(0, 0));
		pic = uv_backing(c, cpu, 1, &frame);
		assert_int_equal(pic.code, 0);
		assert_int_equal(frame, FRAME_A + 1);
		pic = uv_backing(c, cpu, 100, &frame);
		assert_int_equal(pic.code, PGM_PAGE);
		assert_int_equal(pic.level, PIC_HOST);
		assert_int_equal(pic.teid, GASCE(100) | 0x400);
		rig_put64(r, RIG_TABLES(0) + RIG_ORIGIN / UV_MIB * 8, 0x600000 | 0x400);
		pic = uv_backing(c, cpu, 7, &frame);
		assert_int_equal(pic.code, 0);
		assert_int_equal(frame, FRAME_A + 7);
		assert_int_equal(cpu->level, level);
		assert_int_equal(cpu->cr[0], level == PIC_GUEST ? 0x1234 : CR0_EDAT);
	}
	cpu->level = PIC_HOST;
}

/* --- Rights that CPUs have ------------------------------------------------------------------------ */

enum step {
	IMPORT,
	TAKE,
	SHARE,
	PIN,
	UNPIN,
	UNSHARE,
	UNSHARE_ALL,
	EXPORT,
	DESTROY,
	RELEASE,
	ABANDON
};

static void do_step(struct rig *r, enum step step)
{
	struct uv_config *c = &r->config[0];
	uint8_t *page;

	if (step == IMPORT)
		assert_int_equal(import(r, 0, 0), 1);
	else if (step == TAKE)
		assert_int_equal(uv_page_take(c, r->cpu, 0, &page), 1);
	else if (step == SHARE)
		uv_page_share(c, r->cpu, 0);
	else if (step == PIN)
		assert_int_equal(rig_frame(r, uv_pin, ADDR_OF(FRAME_A)), 1);
	else if (step == UNPIN)
		assert_int_equal(rig_gpage(r, uv_unpin, c, GASCE(0)), 1);
	else if (step == UNSHARE)
		assert_true(uv_page_unshare(c, r->cpu, 0));
	else if (step == UNSHARE_ALL)
		uv_pages_unshare(c, r->cpu);
	else if (step == EXPORT)
		assert_int_equal(export(r, FRAME_A), 1);
	else if (step == DESTROY)
		assert_int_equal(rig_frame(r, uv_destroy_page, ADDR_OF(FRAME_A)), 1);
	else
		uv_pages_release(c, r->cpu, step == ABANDON);
}

/* Each change of a frame that a CPU may know revokes what it knows, and only then. */
static void test_revocation(void **state)
{
	static const enum step steps[] = { IMPORT,  SHARE,   EXPORT,  IMPORT,	   PIN,
					   UNPIN,   UNSHARE, SHARE,   UNSHARE_ALL, SHARE,
					   RELEASE, IMPORT,  ABANDON, IMPORT,	   ABANDON,
					   EXPORT,  TAKE,    EXPORT,  IMPORT,	   DESTROY };
	struct rig *r = *state;

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		uint64_t before = atomic_load(&r->m->generation);
		char name[24];

		snprintf(name, sizeof(name), "step %zu", i);
		atomic_store(&r->m->frames[FRAME_A].mapped, 1);
		do_step(r, steps[i]);
		row_int(name, atomic_load(&r->m->generation), before + 1);
		row_int(name, atomic_load(&r->m->frames[FRAME_A].mapped), 0);
	}
}

/* --- Another thread of the host ------------------------------------------------------------------- */

struct prober {
	struct rig *r;
	atomic_bool stop;
	bool saw_plain;
	uint64_t reads;
};

/* Reads and writes the frame whenever the machine lets it. */
static void *probe(void *arg)
{
	struct prober *p = arg;
	uint8_t got[FRAME_BYTES], plain[FRAME_BYTES];

	unit_pattern(plain, sizeof(plain), 42);
	while (!atomic_load(&p->stop)) {
		if (storage_read(p->r->m, (haddr_t){ ADDR_OF(FRAME_A) }, got, sizeof(got)).code)
			continue;
		p->reads++;
		for (size_t i = 0; i < sizeof(got); i += 64)
			p->saw_plain |= memcmp(got + i, plain + i, 64) == 0;
	}
	return NULL;
}

/* While a page goes in and out, the host finds ciphertext or an exception. */
static void test_host_thread(void **state)
{
	struct rig *r = *state;
	struct prober p = { .r = r };
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, probe, &p), 0);
	for (unsigned int i = 0; i < 2000 || !p.reads; i++) {
		assert_int_equal(import(r, 0, 0), 1);
		if (i)
			expect_pattern(secure(r, FRAME_A), 42);
		guest_stores(r, FRAME_A, 42);
		assert_int_equal(export(r, FRAME_A), 1);
	}
	atomic_store(&p.stop, true);
	pthread_join(thread, NULL);
	assert_false(p.saw_plain);
}

#define rig_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		rig_test(test_records),
		rig_test(test_import_fresh),
		rig_test(test_import_states),
		rig_test(test_import_frames),
		rig_test(test_import_elsewhere),
		rig_test(test_present),
		rig_test(test_export),
		rig_test(test_export_keys),
		rig_test(test_export_limit),
		rig_test(test_round_trip),
		rig_test(test_changed),
		rig_test(test_replayed),
		rig_test(test_moved),
		rig_test(test_doubled),
		rig_test(test_share),
		rig_test(test_shared_paging),
		rig_test(test_owner_changes),
		rig_test(test_pin),
		rig_test(test_unpin_refusals),
		rig_test(test_unshare_all),
		rig_test(test_release),
		rig_test(test_orphans),
		rig_test(test_destroy_page),
		rig_test(test_frame_operands),
		rig_test(test_alias),
		rig_test(test_take),
		rig_test(test_backing),
		rig_test(test_revocation),
		rig_test(test_host_thread),
	};

	return cmocka_run_group_tests_name("ultravisor/page", tests, NULL, NULL);
}
