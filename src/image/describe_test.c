// SPDX-License-Identifier: MIT
/*
 * Descriptions of the golden images: the text's lines, and the members of the JSON form.
 */
#include <json-c/json.h>

#include "image.h"
#include "text.h"

struct opened {
	struct zpv_image *img;
	struct zpv_image_report *report;
};

static int setup(void **state)
{
	struct unit_path path = unit_golden("sealed.img"), key = unit_golden("hdr.key");
	struct opened *o = calloc(1, sizeof(*o));
	struct zpv_err err;

	*state = o;
	if (!o || zpv_image_open(path.s, NULL, &o->img, &err) != 0 ||
	    zpv_image_open_hdr_key(o->img, key.s, &err) != 0)
		return -1;
	return zpv_image_verify(o->img, NULL, &o->report, &err);
}

static int teardown(void **state)
{
	struct opened *o = *state;

	zpv_image_report_free(o->report);
	zpv_image_free(o->img);
	free(o);
	return 0;
}

static char *describe(const struct zpv_image *img, const struct zpv_image_report *report,
		      enum zpv_image_format format, unsigned int flags)
{
	struct zpv_err err = { 0 };
	char *text = NULL;

	row_ok("describe", zpv_image_describe(img, report, format, flags, &text, &err), err);
	row_true("describe", text && text[0] && text[strlen(text) - 1] == '\n');
	if (!text)
		abort(); /* not reached: the rows above fail, which an analyzer cannot know */
	return text;
}

static void golden_hex(const char *file, char *hex)
{
	struct unit_path path = unit_golden(file);
	AUTO_BYTES b = unit_read(path.s);

	hex_encode(b.data, b.len, hex);
}

static void test_text(void **state)
{
	static const char *const in_all[] = {
		"Secure Execution header",
		"  version: 1\n",
		"  key slots:\n   - target key hash: ",
		"  plaintext control flags:\n   - allow dumping\n   - DEA and TDEA PCKMO support\n",
		"DEA and TDEA PCKMO support\n   - AES PCKMO support\n   - ECC PCKMO support\n",
	};
	static const char *const in_full[] = {
		"  size: 720 bytes\n",
		"  number of key slots: 2\n",
		"  number of component pages: 25\n",
		"  content hash: ",
		"  address hash: ",
		"  tweak hash: ",
		"  GCM tag: ",
		"  encrypted data: ",
	};
	const struct opened *o = *state;
	char *brief = describe(o->img, NULL, ZPV_IMAGE_TEXT, 0);
	char *full = describe(o->img, NULL, ZPV_IMAGE_TEXT_FULL, 0);

	for (size_t i = 0; i < ARRAY_SIZE(in_all); i++) {
		row_has("text", brief, in_all[i]);
		row_has("text:full", full, in_all[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(in_full); i++) {
		row_has("text:full", full, in_full[i]);
		row_true(in_full[i], !strstr(brief, in_full[i]));
	}
	row_has("verified", brief, "integrity and authenticity verified Secure Execution header\n");
	free(brief);
	free(full);
}

static void test_text_of_a_report(void **state)
{
	const struct opened *o = *state;
	char *ascii = describe(o->img, o->report, ZPV_IMAGE_TEXT, 0);
	char *utf8 = describe(o->img, o->report, ZPV_IMAGE_TEXT, ZPV_DESCRIBE_UTF8);
	const struct zpv_image_part *kernel = image_part(o->report, ZPV_PART_KERNEL);

	row_has("ASCII", ascii, " ok   page list digest ");
	row_has("ASCII", ascii, "\nThe image is verified.\n");
	row_true("kernel", kernel);
	if (!kernel)
		abort(); /* not reached */
	row_has("ASCII", ascii, kernel->sha256_hex);
	row_has("ASCII", ascii, "0x00015000 0x00028000  kernel ");
	for (const char *p = ascii; *p; p++)
		row_true("ASCII", (unsigned char)*p < 0x80);
	row_has("UTF-8", utf8, " \xe2\x9c\x93 page list digest ");
	free(ascii);
	free(utf8);
}

/* Without the flag no form holds a key; with it all of them are there. */
static void test_secrets(void **state)
{
	static const char *const files[] = { "cck.bin", "image.key" };
	const struct opened *o = *state;

	for (int f = ZPV_IMAGE_TEXT_FULL; f <= ZPV_IMAGE_JSON_MINIFY; f++) {
		char *without = describe(o->img, o->report, (enum zpv_image_format)f, 0);
		char *with =
			describe(o->img, o->report, (enum zpv_image_format)f, ZPV_DESCRIBE_SECRETS);

		for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
			char hex[HEX_SIZE(64)];

			golden_hex(files[i], hex);
			row_true(files[i], !strstr(without, hex));
			row_has(files[i], with, hex);
		}
		free(without);
		free(with);
	}
}

static void test_secrets_need_a_key(void **state)
{
	struct unit_path path = unit_golden("sealed.img");
	AUTO(zpv_image) struct zpv_image *img = NULL;
	struct zpv_err err;
	char *text = NULL;

	(void)state;
	row_ok("open", zpv_image_open(path.s, NULL, &img, &err), err);
	row_err("secrets",
		zpv_image_describe(img, NULL, ZPV_IMAGE_TEXT, ZPV_DESCRIBE_SECRETS, &text, &err),
		err, ZPV_ERR_USAGE, "secrets can be shown only with a key");
	assert_null(text);
	text = describe(img, NULL, ZPV_IMAGE_TEXT, 0);
	assert_int_equal(strncmp(text, "Secure Execution header\n", 24), 0);
	free(text);
}

static const char *json_text(json_object *o, const char *path)
{
	json_object *v = NULL;

	return json_pointer_get(o, path, &v) == 0 ? json_object_get_string(v) : NULL;
}

static void test_json(void **state)
{
	static const struct {
		const char *path, *want, *with_secrets; /* NULL: absent */
	} rows[] = {
		{ "/meta/api_level", "1", "1" },
		{ "/data/kind", "se_hdr", "decrypted_se_hdr" },
		{ "/data/verified", "true", "true" },
		{ "/data/magic_hex", "49424d5365634578", "49424d5365634578" },
		{ "/data/version", "V1", "V1" },
		{ "/data/sehs", "720", "720" },
		{ "/data/nks", "2", "2" },
		{ "/data/sea", "128", "128" },
		{ "/data/nep", "25", "25" },
		{ "/data/pcf_hex", "00000000200000e0", "00000000200000e0" },
		{ "/data/scf_hex", NULL, "0000000000000000" },
		{ "/data/psw/mask_hex", NULL, "0000000180000000" },
		{ "/data/psw/addr_hex", NULL, "000000000002c000" },
		{ "/verification/ok", "true", "true" },
		{ "/verification/checks/0/name", "SE header", "SE header" },
		{ "/verification/parts/0/name", "short PSW", "short PSW" },
	};
	const struct opened *o = *state;

	for (int secrets = 0; secrets < 2; secrets++) {
		char *text = describe(o->img, o->report,
				      secrets ? ZPV_IMAGE_JSON_MINIFY : ZPV_IMAGE_JSON,
				      secrets ? ZPV_DESCRIBE_SECRETS : 0);
		json_object *doc = json_tokener_parse(text);

		row_true("JSON", doc != NULL);
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
			const char *want = secrets ? rows[i].with_secrets : rows[i].want;

			if (want)
				row_str(rows[i].path, json_text(doc, rows[i].path), want);
			else
				row_true(rows[i].path, !json_text(doc, rows[i].path));
		}
		row_int("area", json_text(doc, "/data/cipher_data_b64") != NULL, !secrets);
		row_int("one line", strchr(text, '\n') == text + strlen(text) - 1, secrets);
		json_object_put(doc);
		free(text);
	}
}

static void test_unknown_flags(void **state)
{
	static const struct edit edit = { EDIT_HEAD, 0x38, 8, 0x8000000000000085 };
	struct unit_path path = unit_golden("sealed.img");
	AUTO_BYTES bytes = unit_read(path.s);
	AUTO(zpv_image) struct zpv_image *img = NULL;
	struct zpv_err err;
	char *text;

	(void)state;
	image_edit("flags", bytes.data, GOLDEN_HDR, &edit, 1);
	row_ok("open", image_open_bytes(bytes.data, bytes.len, &img, &err), err);
	text = describe(img, NULL, ZPV_IMAGE_TEXT, 0);
	row_has("flags", text,
		"   - DEA and TDEA PCKMO support\n   - unknown flags "
		"0b1000000000000000000000000000000000000000000000000000000000000101\n");
	free(text);
}

static void test_schema_is_json(void **state)
{
	json_object *doc = json_tokener_parse(zpv_image_schema());

	(void)state;
	assert_non_null(doc);
	assert_non_null(json_text(doc, "/$schema"));
	json_object_put(doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_text_of_a_report),
		cmocka_unit_test(test_secrets),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_secrets_need_a_key),
		cmocka_unit_test(test_unknown_flags),
		cmocka_unit_test(test_schema_is_json),
	};

	return cmocka_run_group_tests_name("image/describe", tests, setup, teardown);
}
