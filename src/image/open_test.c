// SPDX-License-Identifier: MIT
/*
 * Finding and opening the header of images: the golden ones and damaged copies; key hashes.
 */
#include <pthread.h>
#include <signal.h>

#include "image.h"
#include "text.h"

/* SHA-256 of the coordinates in host1.crt and host2.crt, as both lie in sealed.img. */
static void golden_hash(size_t slot, uint8_t hash[ZPV_PHKH_BYTES])
{
	struct unit_path path = unit_golden("sealed.img");
	AUTO_BYTES img = unit_read(path.s);

	memcpy(hash, img.data + GOLDEN_HDR + 0x1a0 + 80 * slot, ZPV_PHKH_BYTES);
}

static void test_golden(void **state)
{
	static const struct {
		const char *file, *key;
		bool host_key;
		int rc;
		const char *text;
	} rows[] = {
		{ "sealed.img", "hdr.key", false, 0, NULL },
		{ "sealed.img", "host1.key", true, 0, NULL },
		{ "sealed.img", "host2.key", true, 0, NULL },
		{ "sealed.img", "cck.bin", false, -ZPV_ERR_KEY,
		  "Failed to authenticate and decrypt the Secure Execution header: the "
		  "authentication tag does not match" },
		{ "sealed.img", "image.key", false, -ZPV_ERR_KEY,
		  "Invalid Secure Execution header protection key" },
		{ "plain-components.img", "hdr.key", false, 0, NULL },
		{ "plain-components.img", "host2.key", true, 0, NULL },
		{ "plain-components.img", "host1.key", true, -ZPV_ERR_KEY,
		  "none of the 1 key slots is for the host key " },
		{ "plain-components.img", "hdr.key", true, -ZPV_ERR_KEY,
		  "is not an unencrypted PEM or DER private key" },
		{ "sealed.img", "none", true, -ZPV_ERR_IO, "No such file or directory" },
		{ "sealed.img", "none", false, -ZPV_ERR_IO, "No such file or directory" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct unit_path path = unit_golden(rows[i].file), key = unit_golden(rows[i].key);
		AUTO(zpv_image) struct zpv_image *img = NULL;
		struct zpv_err err = { 0 };
		char row[100];
		int rc;

		snprintf(row, sizeof(row), "%s with %s", rows[i].file, rows[i].key);
		row_ok(row, zpv_image_open(path.s, NULL, &img, &err), err);
		rc = rows[i].host_key ? zpv_image_open_host_key(img, key.s, &err) :
					zpv_image_open_hdr_key(img, key.s, &err);
		row_int(row, rc, rows[i].rc);
		if (rows[i].text)
			row_has(row, err.text, rows[i].text);
		row_int(row, img->secrets != NULL, rc == 0);
	}
}

static void test_golden_secrets(void **state)
{
	struct unit_path path = unit_golden("sealed.img"), cck = unit_golden("cck.bin");
	struct unit_path key = unit_golden("host1.key"), image_key = unit_golden("image.key");
	AUTO_BYTES want_cck = unit_read(cck.s);
	AUTO_BYTES want_key = unit_read(image_key.s);
	AUTO(zpv_image) struct zpv_image *img = NULL;
	const struct se_hdr_secrets *s;
	struct zpv_err err;

	(void)state;
	row_ok("open", zpv_image_open(path.s, NULL, &img, &err), err);
	row_ok("key", zpv_image_open_host_key(img, key.s, &err), err);
	s = image_secrets(img);
	row_mem("CCK", s->cck, want_cck.data, 32);
	row_mem("image key", s->xts_key, want_key.data, 64);
	row_int("PSW mask", be64_get(s->psw_mask), 0x180000000);
	row_int("PSW address", be64_get(s->psw_addr), 0x2c000);
	row_int("scf", be64_get(s->scf), 0);
	/* A key that does not open it leaves what was opened before. */
	row_int("wrong key", zpv_image_open_hdr_key(img, cck.s, &err), -ZPV_ERR_KEY);
	row_mem("CCK", image_secrets(img)->cck, want_cck.data, 32);
}

static void test_has_hash(void **state)
{
	struct unit_path path = unit_golden("sealed.img");
	AUTO(zpv_image) struct zpv_image *img = NULL;
	uint8_t hash[ZPV_PHKH_BYTES];
	struct zpv_err err;

	(void)state;
	row_ok("open", zpv_image_open(path.s, NULL, &img, &err), err);
	for (size_t slot = 0; slot < 2; slot++) {
		golden_hash(slot, hash);
		assert_true(zpv_image_has_hash(img, hash));
		hash[31] ^= 1;
		assert_false(zpv_image_has_hash(img, hash));
	}
	memset(hash, 0, sizeof(hash));
	assert_false(zpv_image_has_hash(img, hash));
}

static void test_slot_is_that_of_the_document(void **state)
{
	static const char *const docs[] = { "host1.crt", "host2.crt" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(docs); i++) {
		struct unit_path path = unit_golden(docs[i]);
		struct zpv_hostkey *hk;
		uint8_t hash[ZPV_PHKH_BYTES];
		struct zpv_err err;

		golden_hash(i, hash);
		row_ok(docs[i], zpv_hostkey_read(path.s, NULL, &hk, &err), err);
		row_mem(docs[i], zpv_hostkey_hash(hk), hash, sizeof(hash));
		zpv_hostkey_free(hk);
	}
}

/* --- Damage ---------------------------------------------------------------------------------- */

/* Each byte of the header is found changed, with either kind of key. */
static void test_each_header_byte(void **state)
{
	struct unit_path path = unit_golden("sealed.img"), host = unit_golden("host2.key");
	AUTO_BYTES bytes = unit_read(path.s);

	(void)state;
	for (size_t at = 0; at < 720; at++) {
		AUTO(zpv_image) struct zpv_image *img = NULL;
		struct zpv_image *none = NULL;
		struct zpv_err err = { 0 };
		struct source *src;
		char row[40];
		int rc;

		snprintf(row, sizeof(row), "header byte %#zx", at);
		bytes.data[GOLDEN_HDR + at] ^= 1;
		rc = image_open_bytes(bytes.data, bytes.len, &none, &err);
		row_true(row, rc == -ZPV_ERR_FORMAT || rc == -ZPV_ERR_KEY);
		row_true(row, !none);
		/* With the host key of slot 1, a byte per 16 of the rest is enough. */
		if (rc == -ZPV_ERR_KEY && at % 16 == 5) {
			row_ok(row, source_from_memory(bytes.data, bytes.len, &src, &err), err);
			row_ok(row, image_open_source(src, NULL, &img, &err), err);
			row_int(row, zpv_image_open_host_key(img, host.s, &err), -ZPV_ERR_KEY);
		}
		bytes.data[GOLDEN_HDR + at] ^= 1;
	}
}

static void test_changed_slot_and_point(void **state)
{
	static const struct {
		const char *name;
		size_t offset;
		const char *text;
	} rows[] = {
		{ "wrapped key", 0x1a0 + 0x25, ": the authentication tag does not match" },
		{ "slot's tag", 0x1a0 + 0x4f, ": the authentication tag does not match" },
		{ "slot's hash", 0x1a0, "none of the 2 key slots is for the host key " },
		{ "customer key", 0x40 + 79,
		  "the customer public key of the image: not a key on the curve secp521r1" },
		{ "customer key's padding", 0x40,
		  "the customer public key of the image: a coordinate of more than 66 bytes" },
	};
	struct unit_path path = unit_golden("sealed.img"), host = unit_golden("host1.key");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO_BYTES bytes = unit_read(path.s);
		AUTO(zpv_image) struct zpv_image *img = NULL;
		struct zpv_err err = { 0 };
		struct source *src;

		bytes.data[GOLDEN_HDR + rows[i].offset] ^= 1;
		row_ok(rows[i].name, source_from_memory(bytes.data, bytes.len, &src, &err), err);
		row_ok(rows[i].name, image_open_source(src, NULL, &img, &err), err);
		row_int(rows[i].name, zpv_image_open_host_key(img, host.s, &err), -ZPV_ERR_KEY);
		row_has(rows[i].name, err.text, rows[i].text);
	}
}

static void test_optional_items(void **state)
{
	static const struct edit edit = { EDIT_SECRETS, 0x78, 4, 2 };
	struct unit_path path = unit_golden("sealed.img");
	AUTO_BYTES bytes = unit_read(path.s);
	struct zpv_image *img = NULL;
	struct zpv_err err;

	(void)state;
	image_edit("noi", bytes.data, GOLDEN_HDR, &edit, 1);
	row_err("noi", image_open_bytes(bytes.data, bytes.len, &img, &err), err, ZPV_ERR_FORMAT,
		"Invalid Secure Execution header: 2 optional items, but none are defined");
}

/* --- Where the header is --------------------------------------------------------------------- */

static void meta(uint8_t *file, uint64_t hdr, uint32_t version)
{
	memcpy(file + 0xc000, "SeImgLnx", 8); // NOLINT(bugprone-not-null-terminated-result)
	image_put(file + 0xc008, 8, hdr);
	image_put(file + 0xc010, 4, version);
	image_put(file + 0xc014, 8, 0x13000);
}

struct heard {
	int warnings;
	char text[200];
};

static void hear(void *ctx, enum zpv_log_level level, const char *text)
{
	struct heard *h = ctx;

	h->warnings += level == ZPV_LOG_WARN;
	snprintf(h->text, sizeof(h->text), "%s", text);
}

static void test_search(void **state)
{
	static const struct {
		const char *name;
		size_t hdr, size; /* where the header is put, size of the file */
		uint64_t meta_hdr;
		uint32_t meta_version; /* 0: no metadata */
		const char *text;      /* NULL: it is found */
		int warnings;
	} rows[] = {
		{ "bare header", 0, 720, 0, 0, NULL, 0 },
		{ "page 1", 0x1000, 0x12000, 0, 0, NULL, 0 },
		{ "last page of the search", 0x14000, 0x16000, 0, 0, NULL, 0 },
		{ "one page too far", 0x15000, 0x17000, 0, 0, "No Secure Execution header found.",
		  0 },
		{ "off a page", 0x1008, 0x12000, 0, 0, "No Secure Execution header found.", 0 },
		{ "by metadata", 0x14000, 0x16000, 0x14000, 1, NULL, 0 },
		{ "far, by metadata", 0x30000, 0x32000, 0x30000, 1, NULL, 0 },
		{ "metadata of version 2", 0x14000, 0x16000, 0x14000, 2, NULL, 1 },
		{ "metadata lie: no search then", 0x14000, 0x16000, 0x13000, 1,
		  "at 0x13000, where the metadata say that it is: No Secure Execution header found.",
		  0 },
		{ "metadata behind the end", 0x14000, 0x16000, 0xfffffffffffff000, 1,
		  "at 0xfffffffffffff000, where the metadata say that it is: No Secure Execution header found.",
		  0 },
		{ "cut header", 0x14000, 0x14000 + 719, 0, 0,
		  "Invalid Secure Execution header: 719 of its 720 bytes are there", 0 },
		{ "cut header, by metadata", 0x14000, 0x14000 + 719, 0x14000, 1,
		  "at 0x14000, where the metadata say that it is: Invalid Secure Execution header: "
		  "719 of its 720 bytes are there",
		  0 },
		{ "only the magic", 0, 8, 0, 0, "No Secure Execution header found.", 0 },
		{ "nothing", 0, 0, 0, 0, "No Secure Execution header found.", 0 },
	};
	struct unit_path path = unit_golden("sealed.img");
	AUTO_BYTES golden = unit_read(path.s);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t *file = calloc(1, 0x40000), *copy = malloc(rows[i].size + 1);
		struct heard h = { 0 };
		const struct zpv_log log = { hear, &h };
		AUTO(zpv_image) struct zpv_image *img = NULL;
		struct zpv_err err = { 0 };
		struct source *src;
		int rc;

		row_true(rows[i].name, file && copy);
		memcpy(file + rows[i].hdr, golden.data + GOLDEN_HDR, 720);
		if (rows[i].meta_version)
			meta(file, rows[i].meta_hdr, rows[i].meta_version);
		memcpy(copy, file, rows[i].size);
		row_ok(rows[i].name, source_from_memory(copy, rows[i].size, &src, &err), err);
		rc = image_open_source(src, &log, &img, &err);
		if (rows[i].text)
			row_err(rows[i].name, rc, err, ZPV_ERR_FORMAT, rows[i].text);
		else
			row_ok(rows[i].name, rc, err);
		row_int(rows[i].name, h.warnings, rows[i].warnings);
		if (!rows[i].text)
			row_int(rows[i].name, img->hdr_offs, rows[i].hdr);
		free(file);
		free(copy);
	}
}

static void test_paths(void **state)
{
	const struct unit_dir *dir = *state;
	struct unit_path none = unit_in(state, "none"), empty = unit_in(state, "empty");
	struct zpv_image *img = NULL;
	struct zpv_err err;
	char want[700];

	snprintf(want, sizeof(want), "cannot open '%s': No such file or directory", none.s);
	row_err("missing", zpv_image_open(none.s, NULL, &img, &err), err, ZPV_ERR_IO, want);
	snprintf(want, sizeof(want), "'%s' is a folder", dir->path);
	row_err("folder", zpv_image_open(dir->path, NULL, &img, &err), err, ZPV_ERR_IO, want);
	unit_write(empty.s, "", 0);
	snprintf(want, sizeof(want), "'%s': No Secure Execution header found.", empty.s);
	row_err("empty", zpv_image_open(empty.s, NULL, &img, &err), err, ZPV_ERR_FORMAT, want);
	assert_null(img);
	zpv_image_free(NULL);
}

/* --- Pipes ----------------------------------------------------------------------------------- */

struct feeder {
	char path[512];
	const struct unit_bytes *bytes;
	size_t zeros; /* behind them */
};

static void *feed(void *arg)
{
	const struct feeder *f = arg;
	static const uint8_t zeros[65536];
	int fd = open(f->path, O_WRONLY);
	bool ok = fd >= 0 && write(fd, f->bytes->data, f->bytes->len) == (ssize_t)f->bytes->len;

	for (size_t n = 0; ok && n < f->zeros; n += sizeof(zeros))
		ok = write(fd, zeros, sizeof(zeros)) == sizeof(zeros);
	close(fd);
	return NULL;
}

/* From a pipe the header can be read; an image of more than a MiB cannot be verified. */
static void test_pipe(void **state)
{
	static const struct {
		const char *name;
		size_t zeros;
		int rc;
	} rows[] = {
		{ "small image", 0, 0 },
		{ "exactly a MiB and more", 1 << 20, -ZPV_ERR_IO },
	};
	struct unit_path golden = unit_golden("sealed.img"), fifo = unit_in(state, "fifo");
	struct unit_path key = unit_golden("hdr.key");
	AUTO_BYTES bytes = unit_read(golden.s);

	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(mkfifo(fifo.s, 0600), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(zpv_image) struct zpv_image *img = NULL;
		AUTO(zpv_image_report) struct zpv_image_report *report = NULL;
		struct feeder f = { .bytes = &bytes, .zeros = rows[i].zeros };
		struct zpv_err err = { 0 };
		pthread_t thread;

		strcpy(f.path, fifo.s);
		assert_int_equal(pthread_create(&thread, NULL, feed, &f), 0);
		row_ok(rows[i].name, zpv_image_open(fifo.s, NULL, &img, &err), err);
		pthread_join(thread, NULL);
		row_ok(rows[i].name, zpv_image_open_hdr_key(img, key.s, &err), err);
		row_int(rows[i].name, zpv_image_verify(img, NULL, &report, &err), rows[i].rc);
		if (rows[i].rc)
			row_str(rows[i].name, err.text,
				"an image is verified from a file, not from a pipe");
	}
}

/* --- Key hashes ------------------------------------------------------------------------------ */

#define LINE  "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF\n"
#define LINE5 LINE LINE LINE LINE LINE

static void test_key_hashes(void **state)
{
	static const char line64[] =
		"00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF";
	static const struct {
		const char *name, *content, *text;
	} rows[] = {
		{ "15 lines", LINE5 LINE5 LINE5, NULL },
		{ "no newline at the end",
		  LINE5 LINE5 LINE LINE LINE LINE
		  "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF",
		  NULL },
		{ "empty", "", "Invalid UV key hashes: 0 lines, not 15" },
		{ "14 lines", LINE5 LINE5 LINE LINE LINE LINE,
		  "Invalid UV key hashes: 14 lines, not 15" },
		{ "16 lines", LINE5 LINE5 LINE5 LINE, "Invalid UV key hashes: 16 lines, not 15" },
		{ "empty line behind", LINE5 LINE5 LINE5 "\n",
		  "Invalid UV key hashes: 16 lines, not 15" },
		{ "empty line first", "\n" LINE5 LINE5 LINE LINE LINE LINE,
		  "Invalid target key hash in line 1: not 64 hexadecimal digits" },
		{ "63 digits", "0112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF\n",
		  "Invalid target key hash in line 1: not 64 hexadecimal digits" },
		{ "no digit",
		  LINE "g0112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF\n",
		  "Invalid target key hash in line 2: not 64 hexadecimal digits" },
		{ "DOS line ends",
		  "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF\r\n",
		  "Invalid target key hash in line 1: not 64 hexadecimal digits" },
	};
	struct unit_path path = unit_in(state, "hashes");
	uint8_t want[ZPV_PHKH_BYTES];

	assert_true(hex_decode(line64, 64, want, sizeof(want)));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t hashes[ZPV_KEY_HASHES][ZPV_PHKH_BYTES] = { { 0 } };
		struct zpv_err err = { 0 };
		char text[700];
		int rc;

		unit_write(path.s, rows[i].content, strlen(rows[i].content));
		rc = zpv_key_hashes_read(path.s, hashes, &err);
		if (rows[i].text) {
			snprintf(text, sizeof(text), "'%s': %s", path.s, rows[i].text);
			row_err(rows[i].name, rc, err, ZPV_ERR_FORMAT, text);
			continue;
		}
		row_ok(rows[i].name, rc, err);
		for (size_t k = 0; k < ZPV_KEY_HASHES; k++)
			row_mem(rows[i].name, hashes[k], want, sizeof(want));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_golden_secrets),
		cmocka_unit_test(test_has_hash),
		cmocka_unit_test(test_slot_is_that_of_the_document),
		cmocka_unit_test(test_each_header_byte),
		cmocka_unit_test(test_changed_slot_and_point),
		cmocka_unit_test(test_optional_items),
		cmocka_unit_test(test_search),
		unit_test_dir(test_paths),
		unit_test_dir(test_pipe),
		unit_test_dir(test_key_hashes),
	};

	return cmocka_run_group_tests_name("image/open", tests, NULL, NULL);
}
