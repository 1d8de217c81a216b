// SPDX-License-Identifier: MIT
/*
 * Verifying images: the golden ones pass, and each change fails exactly the checks it must.
 */
#include "image.h"
#include "sha.h"
#include "text.h"

static void sha256_hex(const void *data, size_t len, char hex[65])
{
	uint8_t digest[SHA256_BYTES];
	struct zpv_err err;

	row_ok("sha256", sha256(data, len, digest, &err), err);
	hex_encode(digest, sizeof(digest), hex);
}

/* Opens what is an image and verifies it; both are the caller's. */
static void open_and_verify(const char *row, const struct unit_bytes *bytes, struct zpv_image **img,
			    struct zpv_image_report **r)
{
	struct zpv_err err = { 0 };

	row_ok(row, image_open_bytes(bytes->data, bytes->len, img, &err), err);
	row_ok(row, zpv_image_verify(*img, NULL, r, &err), err);
}

/* There is an error instead of a report. */
static void expect_refusal(struct zpv_image *img, int code, const char *text)
{
	struct zpv_image_report *r = NULL;
	struct zpv_err err;

	row_err("verify", zpv_image_verify(img, NULL, &r, &err), err, code, text);
	assert_null(r);
}

/* --- The golden images ----------------------------------------------------------------------- */

static void check_part(const char *row, const struct zpv_image_report *r,
		       enum zpv_image_part_kind kind, const char *file, bool nul)
{
	struct unit_path path = unit_golden(file);
	AUTO_BYTES want = unit_read(path.s);
	const struct zpv_image_part *p = image_part(r, kind);
	char hex[65];

	want.data[want.len] = '\0';
	sha256_hex(want.data, want.len + nul, hex);
	row_true(row, p != NULL);
	row_int(row, p->content, want.len + nul);
	row_str(row, p->sha256_hex, hex);
	row_true(row, p->secured);
	row_int(row, p->addr % 4096, 0);
	row_int(row, p->len, (want.len + nul + 4095) / 4096 * 4096);
}

static void test_golden(void **state)
{
	static const struct {
		const char *file, *key;
		bool host_key, ramdisk;
		size_t nparts;
	} rows[] = {
		{ "sealed.img", "hdr.key", false, true, 8 },
		{ "sealed.img", "host1.key", true, true, 8 },
		{ "sealed.img", "host2.key", true, true, 8 },
		{ "plain-components.img", "hdr.key", false, false, 7 },
		{ "plain-components.img", "host2.key", true, false, 7 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct unit_path path = unit_golden(rows[i].file), key = unit_golden(rows[i].key);
		AUTO(zpv_image) struct zpv_image *img = NULL;
		AUTO(zpv_image_report) struct zpv_image_report *r = NULL;
		struct zpv_err err = { 0 };
		char row[100], failed[512];

		snprintf(row, sizeof(row), "%s with %s", rows[i].file, rows[i].key);
		row_ok(row, zpv_image_open(path.s, NULL, &img, &err), err);
		row_ok(row,
		       rows[i].host_key ? zpv_image_open_host_key(img, key.s, &err) :
					  zpv_image_open_hdr_key(img, key.s, &err),
		       err);
		row_ok(row, zpv_image_verify(img, NULL, &r, &err), err);
		image_failed(r, failed);
		row_str(row, failed, "");
		row_true(row, r->ok);
		row_int(row, r->nparts, rows[i].nparts);
		for (size_t k = 1; k < r->nparts; k++)
			row_true(row, r->parts[k - 1].addr <= r->parts[k].addr);
		check_part(row, r, ZPV_PART_KERNEL, "kernel.bin", false);
		check_part(row, r, ZPV_PART_CMDLINE, "parmfile", true);
		if (rows[i].ramdisk)
			check_part(row, r, ZPV_PART_RAMDISK, "ramdisk.bin", false);
		else
			row_true(row, !image_part(r, ZPV_PART_RAMDISK));
		row_int(row, image_part(r, ZPV_PART_STAGE3A)->len, 11224);
		row_int(row, image_part(r, ZPV_PART_STAGE3B)->content, 6144);
		row_int(row, image_part(r, ZPV_PART_IPIB)->addr, 0x13000);
	}
}

/* --- Changes --------------------------------------------------------------------------------- */

#define S "sealed.img"
#define P "plain-components.img"

#define ARGS	0x12bc0 /* of stage3a */
#define IPIB	0x13000
#define COMP(i) (IPIB + 0x88 + 24 * (i))
#define P_ARGS	(0x29000 + 6144 - 64) /* of stage3b in plain-components.img */

#define DIGESTS "page list digest,address list digest,tweak list digest"

/* A row with one edit: of the FILE, or of the header's HEAD or SECRETS, then sealed again. */
#define ONE(file, where, name, at, len, value, failed, text)                   \
	{                                                                      \
		name, file, { { EDIT_##where, at, len, value } }, failed, text \
	}

static const struct tamper {
	const char *name, *file;
	struct edit edits[2];
	const char *failed, *text; /* text: part of the first failed check's */
} tampers[] = {
	{ "nothing", S, { { 0 } }, "", NULL },
	ONE(S, HEAD, "sealed again", 0x10, 8, 0x1122334455667788, "", NULL),

	ONE(S, FILE, "short PSW", 7, 1, 1, "short PSW",
	    "0x0008000180011001, expected 0x0008000180011000"),
	ONE(S, FILE, "header offset", ARGS, 8, 0x1450, "stage3a arguments",
	    "no block behind stage3a leads to the header at 0x14000"),
	ONE(S, FILE, "header size", ARGS + 8, 8, 0x2d1, "stage3a arguments",
	    "no block behind stage3a leads to the header at 0x14000"),
	ONE(S, FILE, "IPIB offset, one off", ARGS + 16, 8, 0x441, "IPIB",
	    "Invalid IPL information block: "),
	ONE(S, FILE, "IPIB offset, behind the file", ARGS + 16, 8, 0x100000, "IPIB",
	    "0 bytes, at least 136"),
	ONE(S, FILE, "IPIB offset, wrapping", ARGS + 16, 8, UINT64_MAX, "IPIB",
	    "Invalid IPL information block: "),

	ONE(S, FILE, "IPIB length", IPIB, 4, 4097, "IPIB", "length 4097, not 148 to 4096"),
	ONE(S, FILE, "IPIB type", IPIB + 12, 1, 4, "IPIB", "type 4, not 5"),
	ONE(S, FILE, "IPIB, no components", IPIB + 0x74, 4, 0, "IPIB",
	    "0 components, not 1 to 165"),
	ONE(S, FILE, "IPIB, header address", IPIB + 0x78, 8, 0x15000, "IPIB",
	    "4 components; header at 0x15000 with 720 bytes"),
	ONE(S, FILE, "IPIB, header size", IPIB + 0x80, 8, 719, "IPIB",
	    "4 components; header at 0 with 719 bytes"),
	ONE(S, FILE, "IPIB, tweaks not rising", COMP(2), 8, 1, "IPIB",
	    "the tweak prefix of component 2 does not exceed the one before"),

	ONE(S, FILE, "component 0 over the header", COMP(0) + 8, 8, 0x14000, "components",
	    "component 0 at 0x14000 overlaps what lies before it"),
	ONE(S, FILE, "component 0 at address 0", COMP(0) + 8, 8, 0, "components",
	    "component 0 at 0 overlaps what lies before it"),
	ONE(S, FILE, "component 1 in component 0", COMP(1) + 8, 8, 0x27000, "components",
	    "component 1 at 0x27000 overlaps what lies before it"),
	ONE(S, FILE, "component 0 into component 1", COMP(0) + 16, 8, 0x14000, "components",
	    "component 1 at 0x28000 overlaps what lies before it"),
	ONE(S, FILE, "component 3 behind the file", COMP(3) + 8, 8, 0x2d000, "components",
	    "component 3 at 0x2d000 with 0x2000 bytes exceeds the file's 0x2e000 bytes"),
	ONE(S, FILE, "component 3 far away", COMP(3) + 8, 8, 0xfffffffffffff000, "components",
	    "component 3 at 0xfffffffffffff000 with 0x2000 bytes exceeds"),
	ONE(S, FILE, "component 1 enormous", COMP(1) + 16, 8, 0xfffffffffffff000, "components",
	    "component 1 at 0x28000 with 0xfffffffffffff000 bytes exceeds"),
	ONE(S, FILE, "component 1 empty", COMP(1) + 16, 8, 0, "components",
	    "component 1 has 0 bytes, not whole pages"),
	ONE(S, FILE, "component 1 of 4095 bytes", COMP(1) + 16, 8, 4095, "components",
	    "component 1 has 4095 bytes, not whole pages"),
	ONE(S, FILE, "component 0 one page shorter", COMP(0) + 16, 8, 0x12000,
	    "stage3b arguments,number of pages," DIGESTS,
	    "no block at the end of the last component names the kernel at 0x15000"),
	{ "components 1 and 2 as one",
	  S,
	  { { EDIT_FILE, COMP(1) + 16, 8, 0x4000 }, { EDIT_FILE, IPIB + 0x74, 4, 2 } },
	  "stage3b arguments,initial PSW,number of pages," DIGESTS,
	  "no block at the end" },
	ONE(S, FILE, "one component left out", IPIB + 0x74, 4, 3,
	    "stage3b arguments,initial PSW,number of pages," DIGESTS, "no block at the end"),

	ONE(S, FILE, "kernel page", 0x15400, 1, 0, "page list digest", "computed "),
	ONE(S, FILE, "ramdisk page", 0x29400, 1, 0, "page list digest", "computed "),
	ONE(S, FILE, "ramdisk padding", 0x2bff0, 1, 0, "page list digest,padding", "computed "),
	ONE(S, FILE, "end of the command line", 0x28010, 1, 0, "page list digest,command line",
	    "computed "),
	ONE(S, FILE, "stage3b's arguments", 0x2c000 + 6144 - 64, 1, 0,
	    "stage3b arguments,page list digest", "no block at the end"),
	ONE(S, FILE, "tweak of the command line", COMP(1), 8, 0x1bfa76c3f7c68,
	    "tweak list digest,padding,command line", "computed "),

	ONE(S, HEAD, "number of pages", 0x30, 8, 26, "number of pages", "25, header 26"),
	ONE(S, HEAD, "page list digest", 0xe0, 8, 1, "page list digest",
	    ", header 0000000000000001..."),
	ONE(S, HEAD, "page list digest, last byte", 0x11f, 1, 0, "page list digest", "computed "),
	ONE(S, HEAD, "address list digest", 0x120, 8, 1, "address list digest",
	    ", header 0000000000000001..."),
	ONE(S, HEAD, "tweak list digest", 0x160, 8, 1, "tweak list digest",
	    ", header 0000000000000001..."),
	ONE(S, HEAD, "reserved field", 0x1c, 4, 1, "reserved fields", "not zero"),
	ONE(S, SECRETS, "reserved field, encrypted", 0x7c, 4, 1, "reserved fields", "not zero"),
	ONE(S, HEAD, "unknown plain flag", 0x38, 8, 0x80000000200000e0, "control flags",
	    "unknown bits 0x8000000000000000 (plain), 0 (secret)"),
	ONE(S, SECRETS, "unknown secret flag", 0x70, 8, 0x8000000000000000, "control flags",
	    "unknown bits 0 (plain), 0x8000000000000000 (secret)"),
	ONE(S, SECRETS, "PSW mask", 0x60, 8, 0x80000000, "initial PSW",
	    "mask 0x0000000080000000, address 0x2c000; expected 0x0000000180000000 and 0x2c000"),
	ONE(S, SECRETS, "PSW address", 0x68, 8, 0x10000, "initial PSW",
	    "address 0x10000; expected 0x0000000180000000 and 0x2c000 (stage3b)"),
	ONE(S, HEAD, "said to be plain", 0x38, 8, 0x300000e0, "stage3b arguments",
	    "no block at the end"),
	ONE(P, HEAD, "said to be encrypted", 0x38, 8, 0x20, "stage3b arguments",
	    "no block at the end"),

	ONE(P, FILE, "plain: kernel page", 0x15400, 1, 0, "page list digest", "computed "),
	ONE(P, FILE, "plain: kernel address", P_ARGS, 8, 0x16000,
	    "stage3b arguments,page list digest", "no block at the end"),
	ONE(P, FILE, "plain: kernel size", P_ARGS + 8, 8, 0x12000,
	    "stage3b arguments,page list digest", "no block at the end"),
	ONE(P, FILE, "plain: command line's address", P_ARGS + 16, 8, 0x29000,
	    "stage3b arguments,page list digest",
	    "command line at 0x29000 with 32 bytes is none of the components"),
	ONE(P, FILE, "plain: command line's size", P_ARGS + 24, 8, 4097,
	    "stage3b arguments,page list digest,command line",
	    "command line at 0x28000 with 4097 bytes is none of the components"),
	{ "plain: command line not named",
	  P,
	  { { EDIT_FILE, P_ARGS + 16, 8, 0 }, { EDIT_FILE, P_ARGS + 24, 8, 0 } },
	  "stage3b arguments,page list digest",
	  "component 1 at 0x28000 is not named" },
	ONE(P, FILE, "plain: a ramdisk that is not there", P_ARGS + 32, 8, 0x29000,
	    "stage3b arguments,page list digest",
	    "ramdisk at 0x29000 with 0 bytes is none of the components"),
	ONE(P, FILE, "plain: command line without NUL", 0x28000 + 31, 1, 'x',
	    "page list digest,command line", "computed "),
	ONE(P, FILE, "plain: padding", 0x28000 + 32, 1, 'x', "page list digest,padding",
	    "computed "),
};

static void test_tampered(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(tampers); i++) {
		const struct tamper *t = &tampers[i];
		struct unit_path path = unit_golden(t->file);
		AUTO_BYTES bytes = unit_read(path.s);
		AUTO(zpv_image) struct zpv_image *img = NULL;
		AUTO(zpv_image_report) struct zpv_image_report *r = NULL;
		char failed[512];

		image_edit(t->name, bytes.data, GOLDEN_HDR, t->edits, ARRAY_SIZE(t->edits));
		open_and_verify(t->name, &bytes, &img, &r);
		image_failed(r, failed);
		row_str(t->name, failed, t->failed);
		if (t->text)
			row_has(t->name, image_text(r, NULL), t->text);
	}
}

/* However much of the file is missing, something is found wrong and nothing beyond it is read. */
static void test_truncated(void **state)
{
	static const char *const files[] = { S, P };

	(void)state;
	for (size_t f = 0; f < ARRAY_SIZE(files); f++) {
		struct unit_path path = unit_golden(files[f]);
		AUTO_BYTES whole = unit_read(path.s);

		for (size_t cut = 1; cut < whole.len; cut += cut < 64 ? 1 : 997) {
			size_t len = whole.len - cut;
			uint8_t *copy = malloc(len + 1);
			AUTO(zpv_image) struct zpv_image *img = NULL;
			AUTO(zpv_image_report) struct zpv_image_report *r = NULL;
			struct zpv_err err = { 0 };
			char row[60];
			int rc;

			snprintf(row, sizeof(row), "%zu bytes of %s", len, files[f]);
			row_true(row, copy != NULL);
			memcpy(copy, whole.data, len);
			rc = image_open_bytes(copy, len, &img, &err);
			if (rc == 0)
				rc = zpv_image_verify(img, NULL, &r, &err);
			row_true(row, rc == -ZPV_ERR_FORMAT || (rc == 0 && !r->ok));
			free(copy);
		}
	}
}

/* A changed byte anywhere in components and IPIB is found. */
static void test_flipped(void **state)
{
	struct unit_path path = unit_golden(S);
	AUTO_BYTES bytes = unit_read(path.s);

	(void)state;
	for (size_t at = 0x15000; at < bytes.len; at += 4093) {
		AUTO(zpv_image) struct zpv_image *img = NULL;
		AUTO(zpv_image_report) struct zpv_image_report *r = NULL;
		char row[60];

		snprintf(row, sizeof(row), "byte %#zx", at);
		bytes.data[at] ^= 0x10;
		open_and_verify(row, &bytes, &img, &r);
		row_has(row, image_text(r, "page list digest"), "computed ");
		row_true(row, !r->ok);
		bytes.data[at] ^= 0x10;
	}
}

/* --- What is an error and no finding --------------------------------------------------------- */

static void test_without_a_key(void **state)
{
	struct unit_path path = unit_golden(S);
	AUTO(zpv_image) struct zpv_image *img = NULL;
	struct zpv_err err;

	(void)state;
	row_ok("open", zpv_image_open(path.s, NULL, &img, &err), err);
	expect_refusal(img, ZPV_ERR_USAGE, "the header must be opened with a key first");
	zpv_image_report_free(NULL);
}

static void test_bare_header(void **state)
{
	struct unit_path path = unit_golden(S);
	AUTO_BYTES bytes = unit_read(path.s);
	AUTO(zpv_image) struct zpv_image *img = NULL;
	struct zpv_err err;

	(void)state;
	row_ok("open", image_open_bytes(bytes.data + GOLDEN_HDR, 720, &img, &err), err);
	expect_refusal(img, ZPV_ERR_FORMAT,
		       "the file holds a header without components: there is nothing to verify");
}

static void test_equal_key_halves(void **state)
{
	static const struct edit edits[] = {
		{ EDIT_SECRETS, 0x20, 8, 1 }, { EDIT_SECRETS, 0x28, 8, 2 },
		{ EDIT_SECRETS, 0x30, 8, 3 }, { EDIT_SECRETS, 0x38, 8, 4 },
		{ EDIT_SECRETS, 0x40, 8, 1 }, { EDIT_SECRETS, 0x48, 8, 2 },
		{ EDIT_SECRETS, 0x50, 8, 3 }, { EDIT_SECRETS, 0x58, 8, 4 },
	};
	struct unit_path path = unit_golden(S);
	AUTO_BYTES bytes = unit_read(path.s);
	AUTO(zpv_image) struct zpv_image *img = NULL;
	struct zpv_err err;

	(void)state;
	image_edit("key", bytes.data, GOLDEN_HDR, edits, ARRAY_SIZE(edits));
	row_ok("open", image_open_bytes(bytes.data, bytes.len, &img, &err), err);
	expect_refusal(img, ZPV_ERR_KEY, "both halves of the AES-256-XTS key are the same");
}

struct stop {
	int calls, at;
	uint64_t done, total;
};

static int stop_at(void *ctx, uint64_t done, uint64_t total)
{
	struct stop *s = ctx;

	s->done = done;
	s->total = total;
	return ++s->calls == s->at;
}

static void test_cancel(void **state)
{
	struct unit_path path = unit_golden(S);
	AUTO_BYTES bytes = unit_read(path.s);
	int rc = -1;

	(void)state;
	for (int at = 1; rc != 0; at++) {
		struct stop stop = { .at = at };
		const struct zpv_progress progress = { stop_at, &stop };
		AUTO(zpv_image) struct zpv_image *img = NULL;
		AUTO(zpv_image_report) struct zpv_image_report *r = NULL;
		struct zpv_err err = { 0 };

		row_ok("open", image_open_bytes(bytes.data, bytes.len, &img, &err), err);
		rc = zpv_image_verify(img, &progress, &r, &err);
		if (rc) {
			row_err("stop", rc, err, ZPV_ERR_CANCELLED, "stopped on request");
			assert_null(r);
			continue;
		}
		assert_true(at > 4); /* four components */
		assert_int_equal(stop.done, 25 * 4096);
		assert_int_equal(stop.total, 25 * 4096);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),		 cmocka_unit_test(test_tampered),
		cmocka_unit_test(test_truncated),	 cmocka_unit_test(test_flipped),
		cmocka_unit_test(test_without_a_key),	 cmocka_unit_test(test_bare_header),
		cmocka_unit_test(test_equal_key_halves), cmocka_unit_test(test_cancel),
	};

	return cmocka_run_group_tests_name("image/verify", tests, NULL, NULL);
}
