// SPDX-License-Identifier: MIT
/*
 * zpv image info: describing and verifying an image.
 */
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <zpv/image.h>

#include "cmd.h"
#include "err.h"
#include "term.h"

enum { FORMAT, HDR_KEY, HOST_KEY, SHOW_SECRETS, VERIFY, PRINT_SCHEMA, OPTS_END };

static const struct opt opts[] = {
	[FORMAT] = { .names = "format",
		     .arg = ARG_VALUE,
		     .value_name = "FORMAT",
		     .choices = "text text:full json json:pretty json:minify",
		     .help = "text, text:full, json (the same as json:pretty) or json:minify. Default: text "
			     "on a terminal, else json." },
	[HDR_KEY] = { .names = "hdr-key,-key",
		      .arg = ARG_VALUE,
		      .value_name = "FILE",
		      .hint = HINT_FILE,
		      .help = "Authenticate the header with the header protection key in FILE." },
	[HOST_KEY] = { .names = "host-key",
		       .arg = ARG_VALUE,
		       .value_name = "FILE",
		       .hint = HINT_FILE,
		       .help = "Authenticate the header as a host does: with the private key in FILE, or "
			       "with that of the software machine whose folder FILE is." },
	[SHOW_SECRETS] = { .names = "show-secrets",
			   .help = "Show the decrypted keys, PSW and secret flags. Needs a key." },
	[VERIFY] = { .names = "verify",
		     .help = "Recompute the digests, decrypt the components, check bounds, loader "
			     "arguments and flags, and draw a memory map. Exit status 1 when something is "
			     "not in order. Needs a key." },
	[PRINT_SCHEMA] = { .names = "print-schema",
			   .arg = ARG_VALUE,
			   .value_name = "FORMAT",
			   .choices = "json text",
			   .help = "Print the schema of the output format 'json' (there is none for "
				   "'text') and exit." },
	[OPTS_END] = { 0 },
};

static const struct rule rules[] = {
	{ RULE_CONFLICTS,
	  PRINT_SCHEMA,
	  { FORMAT, HDR_KEY, HOST_KEY, SHOW_SECRETS, VERIFY, RULE_END } },
	{ RULE_CONFLICTS, HDR_KEY, { HOST_KEY, RULE_END } },
	{ RULE_NEEDS_ONE, SHOW_SECRETS, { HDR_KEY, HOST_KEY, RULE_END } },
	{ RULE_NEEDS_ONE, VERIFY, { HDR_KEY, HOST_KEY, RULE_END } },
	{ .others = { RULE_END } },
};

static const struct {
	const char *name;
	enum zpv_image_format format;
} formats[] = {
	{ "text", ZPV_IMAGE_TEXT },
	{ "text:default", ZPV_IMAGE_TEXT },
	{ "text:full", ZPV_IMAGE_TEXT_FULL },
	{ "json", ZPV_IMAGE_JSON },
	{ "json:default", ZPV_IMAGE_JSON },
	{ "json:pretty", ZPV_IMAGE_JSON },
	{ "json:minify", ZPV_IMAGE_JSON_MINIFY },
};

static int get_format(const struct args *args, enum zpv_image_format *out, struct zpv_err *err)
{
	*out = isatty(STDOUT_FILENO) ? ZPV_IMAGE_TEXT : ZPV_IMAGE_JSON;
	if (!args->seen[FORMAT])
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		if (strcasecmp(args->value[FORMAT], formats[i].name) == 0) {
			*out = formats[i].format;
			return 0;
		}
	}
	return err_set(err, ZPV_ERR_USAGE,
		       "format '%s' is not one of text, text:full, json, json:pretty, json:minify",
		       args->value[FORMAT]);
}

static int print_schema(const struct args *args)
{
	const char *format = args->value[PRINT_SCHEMA];

	if (args->positional) {
		term_error("option '--print-schema' cannot be used with IMAGE");
		return EXIT_USAGE;
	}
	if (strcasecmp(format, "json") == 0) {
		fputs(zpv_image_schema(), stdout);
		return EXIT_OK;
	}
	if (strcasecmp(format, "text") == 0) {
		puts("There is no schema for the text format.");
		return EXIT_OK;
	}
	term_error("format '%s' is not one of json, text", format);
	return EXIT_USAGE;
}

static int use_key(const struct args *args, struct zpv_image *img, struct zpv_err *err)
{
	if (args->seen[HDR_KEY])
		return zpv_image_open_hdr_key(img, args->value[HDR_KEY], err);
	if (args->seen[HOST_KEY])
		return zpv_image_open_host_key(img, args->value[HOST_KEY], err);
	if (!args->quiet)
		term_warn(
			"The integrity and authenticity of the header are not verified; do not trust what "
			"it says. (Give a key with --hdr-key or --host-key.)");
	return 0;
}

static int verify(const struct args *args, struct zpv_image *img, struct zpv_image_report **report,
		  struct zpv_err *err)
{
	struct zpv_progress progress;
	int rc;

	if (!args->seen[VERIFY])
		return 0;
	progress = term_begin(args, "Verifying", false);
	rc = zpv_image_verify(img, &progress, report, err);
	term_end();
	return rc;
}

static int describe(const struct args *args, const struct zpv_image *img,
		    const struct zpv_image_report *report, enum zpv_image_format format,
		    struct zpv_err *err)
{
	unsigned int flags = (args->seen[SHOW_SECRETS] ? ZPV_DESCRIBE_SECRETS : 0) |
			     (term_utf8() ? ZPV_DESCRIBE_UTF8 : 0);
	char *text;
	int rc = zpv_image_describe(img, report, format, flags, &text, err);

	if (rc)
		return rc;
	fputs(text, stdout);
	OPENSSL_cleanse(text, strlen(text));
	free(text);
	return 0;
}

static int run(const struct args *args)
{
	const struct zpv_log log = term_log(args);
	struct zpv_image_report *report = NULL;
	struct zpv_image *img = NULL;
	enum zpv_image_format format = ZPV_IMAGE_TEXT;
	struct zpv_err err = { 0 };
	bool ok;
	int rc;

	if (args->seen[PRINT_SCHEMA])
		return print_schema(args);
	rc = args->positional ? get_format(args, &format, &err) :
				err_set(&err, ZPV_ERR_USAGE, "IMAGE is missing");
	if (!rc)
		rc = zpv_image_open(args->positional, &log, &img, &err);
	if (!rc)
		rc = use_key(args, img, &err);
	if (!rc)
		rc = verify(args, img, &report, &err);
	if (!rc)
		rc = describe(args, img, report, format, &err);
	ok = !report || report->ok;
	zpv_image_report_free(report);
	zpv_image_free(img);
	if (rc)
		term_error("%s", err.text);
	if (rc == -ZPV_ERR_USAGE)
		return EXIT_USAGE;
	return rc || !ok ? EXIT_ERROR : EXIT_OK;
}

const struct command cmd_image_info = {
	.name = "image info",
	.summary = "Describe a Secure Execution image, and verify it.",
	.operand = "IMAGE",
	.operand_hint = HINT_FILE,
	.operand_optional = true, /* for --print-schema */
	.opts = opts,
	.rules = rules,
	.run = run,
};
