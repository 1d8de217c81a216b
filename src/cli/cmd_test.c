// SPDX-License-Identifier: MIT
/*
 * zpv image test: is an image for this machine?
 */
#include <stdio.h>
#include <string.h>

#include <zpv/image.h>

#include "cmd.h"
#include "err.h"
#include "term.h"
#include "text.h"

enum { HKD, KEY_HASHES, OPTS_END };

#define DEFAULT_KEY_HASHES "/sys/firmware/uv/keys/all"

static const struct opt opts[] = {
	[HKD] = { .names = "host-key-document",
		  .letter = 'k',
		  .arg = ARG_LIST,
		  .value_name = "FILE",
		  .hint = HINT_FILE,
		  .help = "Test for the host key of the document in FILE. Repeatable, or separated by "
			  "commas; one that is included suffices." },
	[KEY_HASHES] = { .names = "key-hashes",
			 .arg = ARG_OPTIONAL,
			 .value_name = "FILE",
			 .hint = HINT_FILE,
			 .help = "Test for the host-key hashes in FILE: 15 lines of 64 hexadecimal digits. "
				 "Default: " DEFAULT_KEY_HASHES
				 ", which the Ultravisor of this machine "
				 "provides." },
	[OPTS_END] = { 0 },
};

static const struct rule rules[] = {
	{ RULE_EXACTLY_ONE, 0, { HKD, KEY_HASHES, RULE_END } },
	{ .others = { RULE_END } },
};

static void say(const struct args *args, bool ok, const char *text)
{
	const char *mark = term_utf8() ? (ok ? "\u2713" : "\u2718") : (ok ? "[ok]" : "[no]");

	term_say(args, " %s %s", mark, text);
}

static int test_documents(const struct args *args, const struct zpv_log *log,
			  const struct zpv_image *img, bool *found, struct zpv_err *err)
{
	const struct list *paths = &args->list[HKD];

	for (size_t i = 0; i < paths->n; i++) {
		struct zpv_hostkey *hk;
		char text[4200];
		bool has;
		int rc = zpv_hostkey_read(paths->items[i], log, &hk, err);

		if (rc)
			return rc;
		has = zpv_image_has_hash(img, zpv_hostkey_hash(hk));
		zpv_hostkey_free(hk);
		snprintf(text, sizeof(text), "Host key document '%s' is %sincluded",
			 paths->items[i], has ? "" : "not ");
		say(args, has, text);
		*found = *found || has;
	}
	return 0;
}

static int test_hashes(const struct args *args, const struct zpv_image *img, bool *found,
		       struct zpv_err *err)
{
	static const char *const names[] = { "Host key hash", "Backup host key hash", "Key hash" };
	const char *path = args->value[KEY_HASHES] ? args->value[KEY_HASHES] : DEFAULT_KEY_HASHES;
	uint8_t hashes[ZPV_KEY_HASHES][ZPV_PHKH_BYTES];
	int rc = zpv_key_hashes_read(path, hashes, err);

	if (rc == -ZPV_ERR_IO && !args->value[KEY_HASHES])
		return err_ctx(err, "this machine's Ultravisor tells no host-key hashes");
	if (rc)
		return rc;
	for (size_t i = 0; i < ZPV_KEY_HASHES; i++) {
		char hex[HEX_SIZE(ZPV_PHKH_BYTES)], text[128];

		if (!zpv_image_has_hash(img, hashes[i]))
			continue;
		snprintf(text, sizeof(text), "%s %s is included", names[i < 2 ? i : 2],
			 hex_encode(hashes[i], ZPV_PHKH_BYTES, hex));
		say(args, true, text);
		*found = true;
	}
	if (!*found)
		say(args, false, "None of the key hashes is included");
	return 0;
}

static int run(const struct args *args)
{
	const struct zpv_log log = term_log(args);
	struct zpv_image *img = NULL;
	struct zpv_err err = { 0 };
	bool found = false;
	int rc = zpv_image_open(args->positional, &log, &img, &err);

	if (!rc)
		rc = args->seen[HKD] ? test_documents(args, &log, img, &found, &err) :
				       test_hashes(args, img, &found, &err);
	zpv_image_free(img);
	if (rc)
		term_error("%s", err.text);
	return rc || !found ? EXIT_ERROR : EXIT_OK;
}

const struct command cmd_image_test = {
	.name = "image test",
	.summary = "Test whether an image can run on a machine.",
	.operand = "IMAGE",
	.operand_hint = HINT_FILE,
	.opts = opts,
	.rules = rules,
	.run = run,
};
