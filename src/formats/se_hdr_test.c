// SPDX-License-Identifier: MIT
/*
 * Bounds of the SE header, each with its message, and the tables of control flags.
 */
#include "se_hdr.h"

#include "unit.h"

#define NONE SIZE_MAX

/* A consistent header with nks slots; returns its size. */
static size_t make(uint8_t buf[SE_HDR_MAX_BYTES], uint64_t nks, uint64_t sea)
{
	struct se_hdr_head *h = (void *)buf;
	size_t size = sizeof(*h) + nks * sizeof(struct se_key_slot) + sea + SE_HDR_TAG_BYTES;

	memset(buf, 0, SE_HDR_MAX_BYTES);
	memcpy(h->magic, "IBMSecEx", 8);
	be32_set(&h->version, 0x100);
	be32_set(&h->sehs, (uint32_t)size);
	be64_set(&h->nks, nks);
	be64_set(&h->sea, sea);
	return size;
}

static void put(uint8_t *at, size_t width, uint64_t value)
{
	while (width--) {
		at[width] = (uint8_t)value;
		value >>= 8;
	}
}

static void test_good(void **state)
{
	static const struct {
		const char *name;
		uint64_t nks, sea;
	} rows[] = {
		{ "1 slot", 1, 128 },
		{ "2 slots", 2, 128 },
		{ "95 slots", 95, 128 },
		{ "a larger area", 1, 144 },
		{ "the largest area", 1, 7680 },
	};
	uint8_t buf[SE_HDR_MAX_BYTES];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t size = make(buf, rows[i].nks, rows[i].sea), sehs = 0;
		struct zpv_err err = { 0 };
		struct se_hdr hdr;

		row_ok(rows[i].name, se_hdr_peek(buf, 16, &sehs, &err), err);
		row_int(rows[i].name, sehs, size);
		row_ok(rows[i].name, se_hdr_parse(buf, size, &hdr, &err), err);
		row_ok(rows[i].name, se_hdr_parse(buf, sizeof(buf), &hdr, &err), err);
		row_true(rows[i].name, (const uint8_t *)hdr.head == buf);
		row_true(rows[i].name, (const uint8_t *)hdr.slots == buf + 0x1a0);
		row_int(rows[i].name, hdr.nks, rows[i].nks);
		row_int(rows[i].name, hdr.aad_len, 0x1a0 + 80 * rows[i].nks);
		row_true(rows[i].name, hdr.area == buf + hdr.aad_len);
		row_int(rows[i].name, hdr.sea, rows[i].sea);
		row_true(rows[i].name, hdr.tag == buf + size - 16);
	}
	assert_int_equal(se_hdr_size(1), 640);
	assert_int_equal(se_hdr_size(2), 720);
	assert_int_equal(SE_HDR_MAX_SLOTS, 95);
}

#define I "Invalid Secure Execution header: "

static const struct bad {
	const char *name;
	uint64_t nks, sea;    /* of the header before the change */
	size_t offset, width; /* what is changed, width 0: nothing */
	uint64_t value;
	size_t len; /* bytes that are there, NONE: all */
	const char *text;
} bad[] = {
	{ "magic, first byte", 1, 128, 0, 1, 'J', NONE, "No Secure Execution header found." },
	{ "magic, last byte", 1, 128, 7, 1, 0, NONE, "No Secure Execution header found." },
	{ "nothing", 1, 128, 0, 0, 0, 0, "No Secure Execution header found." },
	{ "15 bytes", 1, 128, 0, 0, 0, 15, "No Secure Execution header found." },
	{ "size 0", 1, 128, 12, 4, 0, NONE, I "its size is 0 bytes, not 17 to 8192" },
	{ "size 16", 1, 128, 12, 4, 16, NONE, I "its size is 16 bytes, not 17 to 8192" },
	{ "size 17", 1, 128, 12, 4, 17, NONE, I "17 of its 416 bytes are there" },
	{ "size 415", 1, 128, 12, 4, 415, NONE, I "415 of its 416 bytes are there" },
	{ "size 416", 1, 128, 12, 4, 416, NONE, I "its size is 416 bytes, but its parts have 640" },
	{ "size 8193", 1, 128, 12, 4, 8193, NONE, I "its size is 8193 bytes, not 17 to 8192" },
	{ "size 2^32-1", 1, 128, 12, 4, UINT32_MAX, NONE,
	  I "its size is 4294967295 bytes, not 17 to 8192" },
	{ "size one less", 1, 128, 12, 4, 639, NONE,
	  I "its size is 639 bytes, but its parts have 640" },
	{ "size one more", 1, 128, 12, 4, 641, NONE,
	  I "its size is 641 bytes, but its parts have 640" },
	{ "16 bytes there", 1, 128, 0, 0, 0, 16, I "16 of its 640 bytes are there" },
	{ "one byte missing", 1, 128, 0, 0, 0, 639, I "639 of its 640 bytes are there" },
	{ "version 0", 1, 128, 8, 4, 0, NONE, I "version 0, not 0x100" },
	{ "version 0x200", 1, 128, 8, 4, 0x200, NONE, I "version 0x200, not 0x100" },
	{ "version little-endian", 1, 128, 8, 4, 0x10000, NONE, I "version 0x10000, not 0x100" },
	{ "no slots", 1, 128, 0x20, 8, 0, NONE, I "0 key slots, not 1 to 95" },
	{ "96 slots", 1, 128, 0x20, 8, 96, NONE, I "96 key slots, not 1 to 95" },
	{ "slots that would wrap", 1, 128, 0x20, 8, 0x0333333333333334, NONE,
	  I "230584300921369396 key slots, not 1 to 95" },
	{ "2^64-1 slots", 1, 128, 0x20, 8, UINT64_MAX, NONE,
	  I "18446744073709551615 key slots, not 1 to 95" },
	{ "one slot more than the size", 1, 128, 0x20, 8, 2, NONE,
	  I "its size is 640 bytes, but its parts have 720" },
	{ "area 0", 1, 128, 0x28, 8, 0, NONE,
	  I "an encrypted area of 0 bytes, not 128 or a larger multiple of 16" },
	{ "area 112", 1, 128, 0x28, 8, 112, NONE,
	  I "an encrypted area of 112 bytes, not 128 or a larger multiple of 16" },
	{ "area 136", 1, 128, 0x28, 8, 136, NONE,
	  I "an encrypted area of 136 bytes, not 128 or a larger multiple of 16" },
	{ "area 144 instead of 128", 1, 128, 0x28, 8, 144, NONE,
	  I "its size is 640 bytes, but its parts have 656" },
	{ "area 8208", 1, 128, 0x28, 8, 8208, NONE,
	  I "an encrypted area of 8208 bytes, not 128 or a larger multiple of 16" },
	{ "area 2^64-16", 1, 128, 0x28, 8, 0xfffffffffffffff0, NONE,
	  I "an encrypted area of 18446744073709551600 bytes, not 128 or a larger multiple of 16" },
};

static void test_bad(void **state)
{
	uint8_t buf[SE_HDR_MAX_BYTES];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		const struct bad *b = &bad[i];
		size_t size = make(buf, b->nks, b->sea);
		size_t len = b->len == NONE ? sizeof(buf) : b->len;
		struct zpv_err err = { 0 };
		struct se_hdr hdr = { .nks = 77 };
		uint8_t *copy = malloc(len + 1);

		row_true(b->name, size <= sizeof(buf) && copy);
		put(buf + b->offset, b->width, b->value);
		memcpy(copy, buf, len); /* of exact length for the sanitizer */
		row_err(b->name, se_hdr_parse(copy, len, &hdr, &err), err, ZPV_ERR_FORMAT, b->text);
		row_int(b->name, hdr.nks, 77);
		free(copy);
	}
}

static void test_secrets(void **state)
{
	struct se_hdr_secrets s = { .noi = { { 0 } } };
	struct zpv_err err;

	(void)state;
	assert_int_equal(se_hdr_check_secrets(&s, &err), 0);
	be32_set(&s.noi, 3);
	row_err("3 items", se_hdr_check_secrets(&s, &err), err, ZPV_ERR_FORMAT,
		I "3 optional items, but none are defined");
}

/* se-image.md section 7 and 13: values, and the order in which tools list them. */
static void test_flags(void **state)
{
	static const struct se_flag pcf[] = {
		{ 0x20000000, "allow dumping" },	{ 0x10000000, "no component encryption" },
		{ 0x80, "DEA and TDEA PCKMO support" }, { 0x40, "AES PCKMO support" },
		{ 0x20, "ECC PCKMO support" },		{ 0x10, "HMAC PCKMO support" },
		{ 0x02, "backup target keys support" }, { 0, NULL },
	};
	static const struct se_flag scf[] = {
		{ 0x4000000000000000, "CCK extension secret enforced" },
		{ 0x2000000000000000, "CCK update allowed" },
		{ 0, NULL },
	};
	static const struct {
		const char *name;
		const struct se_flag *got, *want;
	} tables[] = { { "plain", se_pcf_flags, pcf }, { "secret", se_scf_flags, scf } };

	(void)state;
	for (size_t t = 0; t < ARRAY_SIZE(tables); t++) {
		const struct se_flag *got = tables[t].got, *want = tables[t].want;

		for (; want->text; got++, want++) {
			row_str(tables[t].name, got->text, want->text);
			row_int(want->text, got->bit, want->bit);
		}
		row_true(tables[t].name, !got->text);
	}
	assert_int_equal(PCF_DEFAULT, 0xe0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_secrets),
		cmocka_unit_test(test_flags),
	};

	return cmocka_run_group_tests_name("formats/se_hdr", tests, NULL, NULL);
}
