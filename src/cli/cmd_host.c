// SPDX-License-Identifier: MIT
/*
 * zpv host create, zpv host show: the identity of a software machine.
 */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include <zpv/hostkey.h>

#include "cmd.h"
#include "err.h"
#include "term.h"
#include "text.h"

/* --- create ---------------------------------------------------------------------------------- */

enum { PROFILE, SERIAL, CRL_URL, CREATE_END };

static const struct opt create_opts[] = {
	[PROFILE] = { .names = "profile",
		      .arg = ARG_VALUE,
		      .value_name = "PROFILE",
		      .choices = "z15 z16 z17",
		      .help = "Generation of the machine: z15, z16 or z17 (default)." },
	[SERIAL] = { .names = "serial",
		     .arg = ARG_VALUE,
		     .value_name = "SERIAL",
		     .help = "Serial number: 1 to 16 digits and capital letters. Default: random." },
	[CRL_URL] = { .names = "crl-url",
		      .arg = ARG_VALUE,
		      .value_name = "URL",
		      .help = "Name URL/<file>.crl in the certificates as the place to download revocation "
			      "lists from. Default: none is named." },
	[CREATE_END] = { 0 },
};

static int run_create(const struct args *args)
{
	const struct zpv_log log = term_log(args);
	struct zpv_host_spec spec = { .dir = args->positional,
				      .profile = ZPV_PROFILE_Z17,
				      .serial = args->value[SERIAL],
				      .crl_url = args->value[CRL_URL],
				      .log = &log };
	struct zpv_host *host = NULL;
	struct zpv_err err = { 0 };
	int rc;

	if (args->seen[PROFILE] && !zpv_profile_from_name(args->value[PROFILE], &spec.profile)) {
		term_error("profile '%s' is not one of z15, z16, z17", args->value[PROFILE]);
		return EXIT_USAGE;
	}
	term_block_signals();
	rc = zpv_host_create(&spec, &err);
	term_unblock_signals();
	if (!rc)
		rc = zpv_host_open(spec.dir, &host, &err);
	if (rc) {
		term_error("%s", err.text);
		return rc == -ZPV_ERR_USAGE ? EXIT_USAGE : EXIT_ERROR;
	}
	term_say(args, "Made the identity of a SIMULATED %s (type %s, serial %s) in '%s'.",
		 zpv_profile_name(zpv_host_profile(host)), zpv_host_type(host),
		 zpv_host_serial(host), spec.dir);
	term_say(args, "Host-key document: %s", zpv_host_path(host, ZPV_HOST_HKD));
	zpv_host_free(host);
	return EXIT_OK;
}

const struct command cmd_host_create = {
	.name = "host create",
	.summary =
		"Make the identity of a software machine: host keys, certificates, revocation lists.",
	.operand = "DIR",
	.operand_hint = HINT_DIR,
	.opts = create_opts,
	.run = run_create,
};

/* --- show ------------------------------------------------------------------------------------ */

enum { JSON, SHOW_END };

static const struct opt show_opts[] = {
	[JSON] = { .names = "json", .help = "Print JSON." },
	[SHOW_END] = { 0 },
};

static const struct {
	enum zpv_host_file file;
	const char *json, *label;
} files[] = {
	{ ZPV_HOST_HKD, "host_key_document", "host-key document" },
	{ ZPV_HOST_BACKUP_HKD, "backup_host_key_document", "backup host-key document" },
	{ ZPV_HOST_SIGNING_CERT, "signing_key_certificate", "signing certificate" },
	{ ZPV_HOST_INTERMEDIATE_CERT, "intermediate_ca_certificate", "intermediate certificate" },
	{ ZPV_HOST_ROOT_CERT, "root_ca_certificate", "root certificate" },
	{ ZPV_HOST_HKD_CRL, "host_key_crl", "CRL of host keys" },
	{ ZPV_HOST_INTERMEDIATE_CRL, "intermediate_ca_crl", "CRL of the intermediate" },
	{ ZPV_HOST_ROOT_CRL, "root_ca_crl", "CRL of the root" },
	{ ZPV_HOST_KEY_HASHES, "key_hashes", "Ultravisor key hashes" },
};

static void show_text(const struct zpv_host *h)
{
	char hex[HEX_SIZE(ZPV_PHKH_BYTES)];

	printf("SIMULATED machine, profile %s\n", zpv_profile_name(zpv_host_profile(h)));
	printf("  %-26s %s\n", "type", zpv_host_type(h));
	printf("  %-26s %s\n", "serial", zpv_host_serial(h));
	printf("  %-26s %s\n", "created", zpv_host_created(h));
	printf("  %-26s %s\n", "expires", zpv_host_expires(h));
	printf("  %-26s %s\n", "host key hash", hex_encode(zpv_host_hash(h), ZPV_PHKH_BYTES, hex));
	printf("  %-26s %s\n", "backup host key hash",
	       hex_encode(zpv_host_backup_hash(h), ZPV_PHKH_BYTES, hex));
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		printf("  %-26s %s\n", files[i].label, zpv_host_path(h, files[i].file));
}

static void add(json_object *to, const char *name, const char *text)
{
	json_object_object_add(to, name, json_object_new_string(text));
}

static void show_json(const struct zpv_host *h)
{
	json_object *doc = json_object_new_object(), *paths = json_object_new_object();
	char hex[HEX_SIZE(ZPV_PHKH_BYTES)];

	json_object_object_add(doc, "simulated", json_object_new_boolean(true));
	add(doc, "profile", zpv_profile_name(zpv_host_profile(h)));
	add(doc, "type", zpv_host_type(h));
	add(doc, "serial", zpv_host_serial(h));
	add(doc, "created", zpv_host_created(h));
	add(doc, "expires", zpv_host_expires(h));
	add(doc, "host_key_hash", hex_encode(zpv_host_hash(h), ZPV_PHKH_BYTES, hex));
	add(doc, "backup_host_key_hash", hex_encode(zpv_host_backup_hash(h), ZPV_PHKH_BYTES, hex));
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		add(paths, files[i].json, zpv_host_path(h, files[i].file));
	json_object_object_add(doc, "files", paths);
	puts(json_object_to_json_string_ext(doc, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
							 JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(doc);
}

static int run_show(const struct args *args)
{
	struct zpv_host *host;
	struct zpv_err err = { 0 };

	if (zpv_host_open(args->positional, &host, &err) != 0) {
		term_error("%s", err.text);
		return EXIT_ERROR;
	}
	if (args->seen[JSON])
		show_json(host);
	else
		show_text(host);
	zpv_host_free(host);
	return EXIT_OK;
}

const struct command cmd_host_show = {
	.name = "host show",
	.summary = "Show the identity of a software machine.",
	.operand = "DIR",
	.operand_hint = HINT_DIR,
	.opts = show_opts,
	.run = run_show,
};
