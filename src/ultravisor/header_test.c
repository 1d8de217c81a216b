// SPDX-License-Identifier: MIT
/*
 * Opening SE headers: the golden images as they are and changed, each row for one reason.
 *
 * Rows with `sealed` were authenticated again by somebody who has the header key, as an owner
 * would; the others are what a host can do. Codes: ultravisor.md section 4.12.
 */
#include "uv_rig.h"

#include <stddef.h>

#define HDR_AT	  0x14000u
#define SEALED	  "sealed.img"		 /* slots for host1, host2 */
#define PLAIN	  "plain-components.img" /* slot for host2 */
#define MAX_EDITS 3

enum where { NOWHERE, HEAD, AREA };

/* A big-endian value of some bytes; HEAD counts from the header, AREA from its decrypted area. */
struct edit {
	enum where where;
	size_t offset, width;
	uint64_t value;
};

#define IN_HEAD(field, value)                                           \
	{                                                               \
		HEAD, offsetof(struct se_hdr_head, field),              \
			sizeof(((struct se_hdr_head *)0)->field), value \
	}
#define IN_AREA(field, value)                                              \
	{                                                                  \
		AREA, offsetof(struct se_hdr_secrets, field),              \
			sizeof(((struct se_hdr_secrets *)0)->field), value \
	}
#define AT_SLOT(n, offset) \
	(sizeof(struct se_hdr_head) + (n) * sizeof(struct se_key_slot) + (offset))

struct row {
	const char *name;
	const char *file;
	struct edit edits[MAX_EDITS];
	bool sealed;
	int more; /* bytes that the call's length differs from the header's */
	uint16_t rc, rrc;
};

static const struct row rows[] = {
	{ "as it is", SEALED, { { 0 } }, false, 0, 1, 0 },
	{ "sealed again", SEALED, { { 0 } }, true, 0, 1, 0 },

	/* What a host changes; the first seven are those of tamper_pvimg (boot-ipl.md 6.2). */
	{ "sehs + 1", SEALED, { IN_HEAD(sehs, 0x2d1) }, false, 0, 0x010a, 0x31 },
	{ "no hash of ours",
	  SEALED,
	  { { HEAD, AT_SLOT(0, 0), 32, 0 }, { HEAD, AT_SLOT(1, 0), 32, 0 } },
	  false,
	  0,
	  0x0108,
	  0x05 },
	{ "pcf bit 0", SEALED, { IN_HEAD(pcf, 1ull << 63) }, false, 0, 0x0106, 0x30 },
	{ "nks 0", SEALED, { IN_HEAD(nks, 0) }, false, 0, 0x010a, 0x40 },
	{ "sea 0", SEALED, { IN_HEAD(sea, 0) }, false, 0, 0x010a, 0x39 },
	{ "customer key 0", SEALED, { { HEAD, 0x40, 160, 0 } }, true, 0, 0x0108, 0x0b },
	{ "all of scf", SEALED, { IN_AREA(scf, UINT64_MAX) }, true, 0, 0x0109, 0 },

	{ "magic", SEALED, { { HEAD, 0, 1, 'i' } }, false, 0, 0x0104, 0x01 },
	{ "version 2", SEALED, { IN_HEAD(version, 0x200) }, false, 0, 0x0104, 0x01 },
	{ "version before size",
	  SEALED,
	  { IN_HEAD(version, 0), IN_HEAD(sehs, 0) },
	  false,
	  0,
	  0x0104,
	  0x01 },
	{ "a byte short", SEALED, { { 0 } }, false, -1, 0x010a, 0x31 },
	{ "a byte too many", SEALED, { { 0 } }, false, 1, 0x010a, 0x31 },
	{ "15 bytes", SEALED, { { 0 } }, false, 15 - 0x2d0, 0x010a, 0x31 },
	{ "17 bytes, and so it says",
	  SEALED,
	  { IN_HEAD(sehs, 17) },
	  false,
	  17 - 0x2d0,
	  0x010a,
	  0x31 },
	{ "head less a byte", SEALED, { IN_HEAD(sehs, 0x19f) }, false, 0x19f - 0x2d0, 0x010a, 0x31 },
	{ "head alone", SEALED, { IN_HEAD(sehs, 0x1a0) }, false, 0x1a0 - 0x2d0, 0x010a, 0x31 },
	{ "size before pcf",
	  SEALED,
	  { IN_HEAD(sehs, 1), IN_HEAD(pcf, UINT64_MAX) },
	  false,
	  0,
	  0x010a,
	  0x31 },
	{ "pcf HMAC", SEALED, { IN_HEAD(pcf, 0x20000010) }, false, 0, 0x0106, 0x30 },
	{ "pcf before nks", SEALED, { IN_HEAD(pcf, 1), IN_HEAD(nks, 0) }, false, 0, 0x0106, 0x30 },
	{ "nks before sea", SEALED, { IN_HEAD(nks, 0), IN_HEAD(sea, 1) }, false, 0, 0x010a, 0x40 },
	{ "nks 1", SEALED, { IN_HEAD(nks, 1) }, false, 0, 0x010a, 0x31 },
	{ "nks that wraps", SEALED, { IN_HEAD(nks, 0x1000000000000002) }, false, 0, 0x010a, 0x31 },
	{ "sea 112", SEALED, { IN_HEAD(sea, 112) }, false, 0, 0x010a, 0x39 },
	{ "sea 129", SEALED, { IN_HEAD(sea, 129) }, false, 0, 0x010a, 0x39 },
	{ "sea 144", SEALED, { IN_HEAD(sea, 144) }, false, 0, 0x010a, 0x31 },
	{ "sea that wraps", SEALED, { IN_HEAD(sea, 0xfffffffffffffff0) }, false, 0, 0x010a, 0x31 },
	{ "sum wraps",
	  SEALED,
	  { IN_HEAD(nks, (UINT64_MAX / 80) + 3), IN_HEAD(sea, 128 + 160 - 80 * 2 - 16) },
	  false,
	  0,
	  0x010a,
	  0x39 },
	{ "customer key off the curve",
	  SEALED,
	  { { HEAD, 0x40 + 159, 1, 0 } },
	  false,
	  0,
	  0x0108,
	  0x0b },
	{ "customer key padding", SEALED, { { HEAD, 0x40, 1, 1 } }, false, 0, 0x0108, 0x0b },
	{ "wrapped key", SEALED, { { HEAD, AT_SLOT(0, 32), 1, 0 } }, true, 0, 0x010b, 0 },
	{ "slot tag", SEALED, { { HEAD, AT_SLOT(0, 64), 1, 0 } }, true, 0, 0x010b, 0 },
	{ "iv", SEALED, { { HEAD, 0x10, 1, 0 } }, false, 0, 0x010b, 0 },
	{ "nep, not sealed", SEALED, { IN_HEAD(nep, 0) }, false, 0, 0x010b, 0 },
	{ "pld, not sealed", SEALED, { { HEAD, 0xe0, 8, 0 } }, false, 0, 0x010b, 0 },
	{ "dump flag, not sealed", SEALED, { IN_HEAD(pcf, 0xe0) }, false, 0, 0x010b, 0 },
	{ "area", SEALED, { { HEAD, AT_SLOT(2, 5), 1, 0 } }, false, 0, 0x010b, 0 },
	{ "tag", SEALED, { { HEAD, AT_SLOT(2, 128), 1, 0 } }, false, 0, 0x010b, 0 },

	/* What an owner may do, but not here. */
	{ "nep 0, sealed", SEALED, { IN_HEAD(nep, 0) }, true, 0, 1, 0 },
	{ "scf bits 1 and 2", SEALED, { IN_AREA(scf, 0x6000000000000000) }, true, 0, 1, 0 },
	{ "scf bit 3", SEALED, { IN_AREA(scf, 0x1000000000000000) }, true, 0, 0x0109, 0 },
	{ "optional items", SEALED, { IN_AREA(noi, 1) }, true, 0, 0x010a, 0x39 },
	{ "scf before items", SEALED, { IN_AREA(noi, 1), IN_AREA(scf, 1) }, true, 0, 0x0109, 0 },

	/* Keys: the own one first, the backup one by permission. */
	{ "second slot is ours",
	  SEALED,
	  { { HEAD, AT_SLOT(0, 0), 32, 0 }, IN_HEAD(pcf, 0x200000e2) },
	  true,
	  0,
	  1,
	  0 },
	{ "backup key, not allowed", PLAIN, { { 0 } }, false, 0, 0x0108, 0x34 },
	{ "backup key, allowed", PLAIN, { IN_HEAD(pcf, 0x10000022) }, true, 0, 1, 0 },
	{ "backup key, claimed", PLAIN, { IN_HEAD(pcf, 0x10000022) }, false, 0, 0x010b, 0 },
	{ "neither key",
	  PLAIN,
	  { IN_HEAD(pcf, 0x10000022), { HEAD, AT_SLOT(0, 0), 32, 0 } },
	  true,
	  0,
	  0x0108,
	  0x34 },
	{ "neither key, no backup",
	  PLAIN,
	  { { HEAD, AT_SLOT(0, 0), 32, 0 } },
	  true,
	  0,
	  0x0108,
	  0x05 },
};

static void put(uint8_t *at, size_t width, uint64_t value)
{
	while (width--) {
		at[width] = (uint8_t)value;
		value >>= 8;
	}
}

/* The header of a golden image with a row's changes; one byte more than it has can be read. */
static size_t load(const struct row *row, uint8_t hdr[SE_HDR_MAX_BYTES])
{
	struct unit_path path = unit_golden(row->file);
	AUTO_BYTES img = unit_read(path.s);
	struct se_hdr_secrets area;
	size_t len;

	memcpy(hdr, img.data + HDR_AT, SE_HDR_MAX_BYTES);
	len = be32_get(((struct se_hdr_head *)(void *)hdr)->sehs);
	rig_hdr_open(hdr, &area);
	for (size_t i = 0; i < MAX_EDITS && row->edits[i].where != NOWHERE; i++) {
		const struct edit *e = &row->edits[i];

		put((e->where == HEAD ? hdr : (uint8_t *)&area) + e->offset, e->width, e->value);
	}
	if (row->sealed)
		rig_hdr_seal(hdr, &area);
	return len + (size_t)row->more;
}

/* Everything that a header gives; nothing of it when it is refused. */
static void check_filled(const struct row *row, const uint8_t *hdr, const struct uv_config *c,
			 const struct secret *key)
{
	const struct se_hdr_head *head = (const void *)hdr;
	struct se_hdr_secrets area;

	rig_hdr_open(hdr, &area);
	row_true(row->name, c->cck && key && secret_len(key) == sizeof(area.xts_key));
	row_mem(row->name, secret_bytes(c->cck), area.cck, sizeof(area.cck));
	row_mem(row->name, secret_bytes(key), area.xts_key, sizeof(area.xts_key));
	row_int(row->name, c->psw_mask, be64_get(area.psw_mask));
	row_int(row->name, c->psw_addr, be64_get(area.psw_addr));
	row_int(row->name, c->scf, be64_get(area.scf));
	row_int(row->name, c->pcf, be64_get(head->pcf));
	row_int(row->name, c->nep, be64_get(head->nep));
	row_mem(row->name, c->pld, head->pld, 64);
	row_mem(row->name, c->ald, head->ald, 64);
	row_mem(row->name, c->tld, head->tld, 64);
	row_mem(row->name, c->tag, hdr + rig_aad(hdr) + sizeof(area), 16);
}

/* None of what check_filled() looks at. */
static bool is_empty(const struct uv_config *c)
{
	static const uint8_t zeros[64];

	return !c->cck && !c->psw_mask && !c->psw_addr && !c->scf && !c->pcf && !c->nep &&
	       memcmp(c->pld, zeros, sizeof(c->pld)) == 0 &&
	       memcmp(c->ald, zeros, sizeof(c->ald)) == 0 &&
	       memcmp(c->tld, zeros, sizeof(c->tld)) == 0 &&
	       memcmp(c->tag, zeros, sizeof(c->tag)) == 0;
}

static void test_rows(void **state)
{
	AUTO(rig) struct rig *r = rig_new(1);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(secret) struct secret *key = NULL;
		uint8_t hdr[SE_HDR_MAX_BYTES];
		size_t len = load(&rows[i], hdr);
		struct uv_config c = { 0 };
		uint16_t rrc = 0, rc = uv_open_header(&r->uv, hdr, len, &c, &key, &rrc);

		row_int(rows[i].name, rc, rows[i].rc);
		row_int(rows[i].name, rrc, rows[i].rrc);
		if (rc == UV_RC_EXECUTED)
			check_filled(&rows[i], hdr, &c, key);
		else
			row_true(rows[i].name, !key && is_empty(&c));
		secret_free(c.cck);
	}
}

/* Each bit of what is authenticated, and of the tag: some reason, and never a guest. */
static void test_bits(void **state)
{
	static const struct row whole = { "bits", SEALED, { { 0 } }, false, 0, 1, 0 };
	AUTO(rig) struct rig *r = rig_new(1);
	uint8_t hdr[SE_HDR_MAX_BYTES];
	size_t len = load(&whole, hdr);

	(void)state;
	for (size_t at = 0; at < len; at += 3) {
		AUTO(secret) struct secret *key = NULL;
		struct uv_config c = { 0 };
		uint16_t rrc = 0;
		char name[24];

		snprintf(name, sizeof(name), "byte %#zx", at);
		hdr[at] ^= (uint8_t)(1u << at % 8);
		row_true(name, uv_open_header(&r->uv, hdr, len, &c, &key, &rrc) != UV_RC_EXECUTED);
		row_true(name, !c.cck && !key);
		hdr[at] ^= (uint8_t)(1u << at % 8);
	}
}

/* What generations differ in (ultravisor.md section 3.1). */
static void test_profiles(void **state)
{
	static const struct {
		const char *name;
		enum zpv_profile profile;
		struct edit edit;
		uint16_t rc, rrc;
	} cases[] = {
		{ "z15, dump", ZPV_PROFILE_Z15, IN_HEAD(pcf, 0x200000e0), 0x0106, 0x30 },
		{ "z15, no dump", ZPV_PROFILE_Z15, IN_HEAD(pcf, 0xe0), 1, 0 },
		{ "z16, dump", ZPV_PROFILE_Z16, IN_HEAD(pcf, 0x200000e0), 1, 0 },
		{ "z16, scf bit 1", ZPV_PROFILE_Z16, IN_AREA(scf, 1ull << 62), 1, 0 },
		{ "z16, scf bit 2", ZPV_PROFILE_Z16, IN_AREA(scf, 1ull << 61), 0x0109, 0 },
	};
	AUTO(rig) struct rig *r = rig_new(1);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct row row = { cases[i].name, SEALED,	     { cases[i].edit }, true, 0,
					 cases[i].rc,	cases[i].rrc };
		AUTO(secret) struct secret *key = NULL;
		uint8_t hdr[SE_HDR_MAX_BYTES];
		size_t len = load(&row, hdr);
		struct uv_config c = { 0 };
		uint16_t rrc = 0;

		r->uv.profile = uv_profile(cases[i].profile);
		row_int(row.name, uv_open_header(&r->uv, hdr, len, &c, &key, &rrc), row.rc);
		row_int(row.name, rrc, row.rrc);
		secret_free(c.cck);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_bits),
		cmocka_unit_test(test_profiles),
	};

	return cmocka_run_group_tests_name("ultravisor/header", tests, NULL, NULL);
}
