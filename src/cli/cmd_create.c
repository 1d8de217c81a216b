// SPDX-License-Identifier: MIT
/*
 * zpv image create: options into an image specification. Names, aliases and rules are those of
 * pvimg and genprotimg (se-image.md section 12).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zpv/image.h>

#include "cmd.h"
#include "err.h"
#include "term.h"
#include "text.h"

enum {
	KERNEL,
	RAMDISK,
	PARMFILE,
	OUTPUT,
	HKD,
	NO_VERIFY,
	CERT,
	CRL,
	OFFLINE,
	ROOT_CA,
	NO_CHECK,
	OVERWRITE,
	CCK,
	HDR_KEY,
	IMAGE_KEY,
	EN_DUMP,
	DIS_DUMP,
	EN_EXT,
	DIS_EXT,
	EN_UPDATE,
	DIS_UPDATE,
	EN_PCKMO,
	DIS_PCKMO,
	EN_HMAC,
	DIS_HMAC,
	EN_BACKUP,
	DIS_BACKUP,
	EN_CRYPT,
	DIS_CRYPT,
	X_BOOTLOADER,
	X_PSW,
	X_PCF,
	X_SCF,
	OPTS_END,
};

#define FLAG(id, text, words) [id] = { .names = text, .help = words }
#define HIDDEN(id, text, value, words) \
	[id] = { .names = text,        \
		 .arg = ARG_VALUE,     \
		 .value_name = value,  \
		 .hidden = true,       \
		 .help = words }
#define PATH(id, short_name, text, words) \
	[id] = { .names = text,           \
		 .letter = short_name,    \
		 .arg = ARG_VALUE,        \
		 .value_name = "FILE",    \
		 .hint = HINT_FILE,       \
		 .help = words }
#define PATHS(id, short_name, text, words) \
	[id] = { .names = text,            \
		 .letter = short_name,     \
		 .arg = ARG_LIST,          \
		 .value_name = "FILE",     \
		 .hint = HINT_FILE,        \
		 .help = words }

static const struct opt opts[] = {
	[KERNEL] = { .names = "kernel,image",
		     .letter = 'i',
		     .arg = ARG_VALUE,
		     .value_name = "FILE",
		     .hint = HINT_FILE,
		     .required = true,
		     .help = "Seal the raw s390x Linux kernel (bzImage, not ELF) in FILE." },
	PATH(RAMDISK, 'r', "ramdisk", "Seal FILE as the initial RAM disk."),
	PATH(PARMFILE, 'p', "parmfile", "Seal the content of FILE as the kernel command line."),
	[OUTPUT] = { .names = "output",
		     .letter = 'o',
		     .arg = ARG_VALUE,
		     .value_name = "FILE",
		     .hint = HINT_FILE,
		     .required = true,
		     .help = "Write the image to FILE, which appears only when it is complete. With '-', "
			     "write it to standard output once it is complete." },
	[HKD] = { .names = "host-key-document",
		  .letter = 'k',
		  .arg = ARG_LIST,
		  .value_name = "FILE",
		  .hint = HINT_FILE,
		  .required = true,
		  .help = "Let the machine with the host-key document in FILE run the image. Repeatable, "
			  "or separated by commas." },
	FLAG(NO_VERIFY, "no-verify",
	     "Do not verify the host-key documents. Whoever made them can read "
	     "the image."),
	PATHS(CERT, 'C', "cert,-crt",
	      "Verify host-key documents with the certificate in FILE: one for "
	      "the IBM Z signing key, one for the intermediate CA. Repeatable."),
	PATHS(CRL, 0, "crl",
	      "Use the certificate revocation list in FILE. Repeatable. Needs --cert."),
	FLAG(OFFLINE, "offline", "Download no revocation lists. Needs --cert."),
	PATH(ROOT_CA, 0, "root-ca",
	     "Trust the root CA certificate in FILE instead of those that the "
	     "system trusts. Needs --cert."),
	FLAG(NO_CHECK, "no-component-check",
	     "Accept any kernel, and a command line of any length."),
	FLAG(OVERWRITE, "overwrite", "Replace an existing output file."),
	PATH(CCK, 0, "cck,comm-key",
	     "Use the 32 bytes in FILE as the customer communication key, which "
	     "opens dumps and authorizes secrets. Default: random."),
	PATH(HDR_KEY, 0, "hdr-key,-x-header-key",
	     "Use the 32 bytes in FILE as the key that protects the "
	     "Secure Execution header. Default: random."),
	PATH(IMAGE_KEY, 0, "image-key,-x-comp-key",
	     "Use the 64 bytes in FILE as the AES-256-XTS key of "
	     "the components. Default: random."),
	FLAG(EN_DUMP, "enable-dump",
	     "Allow the host to take encrypted dumps (z16 and later). Needs --cck "
	     "or --enable-cck-update."),
	FLAG(DIS_DUMP, "disable-dump", "Allow no dumps (default)."),
	FLAG(EN_EXT, "enable-cck-extension-secret",
	     "Demand the extension secret that is derived from the "
	     "CCK in each add-secret request. Needs --cck."),
	FLAG(DIS_EXT, "disable-cck-extension-secret", "Demand no extension secret (default)."),
	FLAG(EN_UPDATE, "enable-cck-update",
	     "Allow the CCK to be replaced in the running guest (z17 and "
	     "later)."),
	FLAG(DIS_UPDATE, "disable-cck-update", "Keep the CCK (default)."),
	FLAG(EN_PCKMO, "enable-pckmo",
	     "Allow the guest to make DEA, TDEA, AES and ECC protected keys by "
	     "PCKMO (default)."),
	FLAG(DIS_PCKMO, "disable-pckmo", "Do not allow it."),
	FLAG(EN_HMAC, "enable-pckmo-hmac", "Allow the guest to make HMAC protected keys by PCKMO."),
	FLAG(DIS_HMAC, "disable-pckmo-hmac", "Do not allow it (default)."),
	FLAG(EN_BACKUP, "enable-backup-keys", "Allow backup host keys to open the image."),
	FLAG(DIS_BACKUP, "disable-backup-keys", "Do not allow it (default)."),
	FLAG(EN_CRYPT, "enable-image-encryption",
	     "Encrypt kernel, ramdisk and command line (default)."),
	FLAG(DIS_CRYPT, "disable-image-encryption",
	     "Do not encrypt them; their integrity is protected "
	     "all the same."),
	[X_BOOTLOADER] = { .names = "x-bootloader-directory",
			   .arg = ARG_VALUE,
			   .value_name = "DIR",
			   .hint = HINT_DIR,
			   .hidden = true,
			   .help = "Use stage3a.bin and stage3b_reloc.bin from DIR." },
	HIDDEN(X_PSW, "x-psw", "ADDRESS", "Start the protected guest at this hexadecimal address."),
	HIDDEN(X_PCF, "x-pcf", "PCF", "Set the plaintext control flags to this hexadecimal value."),
	HIDDEN(X_SCF, "x-scf", "SCF", "Set the secret control flags to this hexadecimal value."),
	[OPTS_END] = { 0 },
};

#define ALL_FLAGS                                                                                \
	EN_DUMP, DIS_DUMP, EN_EXT, DIS_EXT, EN_UPDATE, DIS_UPDATE, EN_PCKMO, DIS_PCKMO, EN_HMAC, \
		DIS_HMAC, EN_BACKUP, DIS_BACKUP, EN_CRYPT, DIS_CRYPT, RULE_END

static const struct rule rules[] = {
	{ RULE_EXACTLY_ONE, 0, { NO_VERIFY, CERT, RULE_END } },
	{ RULE_NEEDS_ONE, CRL, { CERT, RULE_END } },
	{ RULE_NEEDS_ONE, OFFLINE, { CERT, RULE_END } },
	{ RULE_NEEDS_ONE, ROOT_CA, { CERT, RULE_END } },
	{ RULE_CONFLICTS, IMAGE_KEY, { DIS_CRYPT, RULE_END } },
	{ RULE_CONFLICTS, X_PCF, { ALL_FLAGS } },
	{ RULE_CONFLICTS, X_SCF, { ALL_FLAGS } },
	{ RULE_CONFLICTS, EN_DUMP, { DIS_DUMP, RULE_END } },
	{ RULE_CONFLICTS, EN_EXT, { DIS_EXT, EN_UPDATE, RULE_END } },
	{ RULE_CONFLICTS, EN_UPDATE, { DIS_UPDATE, RULE_END } },
	{ RULE_CONFLICTS, EN_PCKMO, { DIS_PCKMO, RULE_END } },
	{ RULE_CONFLICTS, EN_HMAC, { DIS_HMAC, RULE_END } },
	{ RULE_CONFLICTS, EN_BACKUP, { DIS_BACKUP, RULE_END } },
	{ RULE_CONFLICTS, EN_CRYPT, { DIS_CRYPT, RULE_END } },
	{ RULE_NEEDS_ONE, EN_DUMP, { CCK, EN_UPDATE, RULE_END } },
	{ RULE_NEEDS_ONE, EN_EXT, { CCK, RULE_END } },
	{ .others = { RULE_END } },
};

/* Flags start at their defaults; an option sets or clears bits. */
static const struct {
	int opt;
	bool secret, set;
	uint64_t bits;
} flag_bits[] = {
	{ EN_DUMP, false, true, ZPV_PCF_DUMP },
	{ DIS_DUMP, false, false, ZPV_PCF_DUMP },
	{ EN_PCKMO, false, true, ZPV_PCF_PCKMO },
	{ DIS_PCKMO, false, false, ZPV_PCF_PCKMO },
	{ EN_HMAC, false, true, ZPV_PCF_PCKMO_HMAC },
	{ DIS_HMAC, false, false, ZPV_PCF_PCKMO_HMAC },
	{ EN_BACKUP, false, true, ZPV_PCF_BACKUP_KEYS },
	{ DIS_BACKUP, false, false, ZPV_PCF_BACKUP_KEYS },
	{ DIS_CRYPT, false, true, ZPV_PCF_NO_ENCRYPTION },
	{ EN_CRYPT, false, false, ZPV_PCF_NO_ENCRYPTION },
	{ EN_EXT, true, true, ZPV_SCF_CCK_EXTENSION_SECRET },
	{ DIS_EXT, true, false, ZPV_SCF_CCK_EXTENSION_SECRET },
	{ EN_UPDATE, true, true, ZPV_SCF_CCK_UPDATE },
	{ DIS_UPDATE, true, false, ZPV_SCF_CCK_UPDATE },
};

static int parse_hex_opt(const struct args *args, int opt, uint64_t *out, struct zpv_err *err)
{
	int rc;

	if (!args->seen[opt])
		return 0;
	rc = parse_hex_u64(args->value[opt], out, err);
	return rc ? err_ctx(err, "option '--%s'", opts[opt].names) : 0;
}

static int set_flags(const struct args *args, struct zpv_image_spec *spec, uint64_t *psw,
		     struct zpv_err *err)
{
	int rc;

	spec->pcf = ZPV_PCF_DEFAULT;
	spec->scf = ZPV_SCF_DEFAULT;
	for (size_t i = 0; i < ARRAY_SIZE(flag_bits); i++) {
		uint64_t *flags = flag_bits[i].secret ? &spec->scf : &spec->pcf;

		if (!args->seen[flag_bits[i].opt])
			continue;
		*flags &= ~flag_bits[i].bits;
		*flags |= flag_bits[i].set ? flag_bits[i].bits : 0;
	}
	rc = parse_hex_opt(args, X_PCF, &spec->pcf, err);
	if (!rc)
		rc = parse_hex_opt(args, X_SCF, &spec->scf, err);
	if (!rc)
		rc = parse_hex_opt(args, X_PSW, psw, err);
	spec->psw_addr = args->seen[X_PSW] ? psw : NULL;
	return rc;
}

/* Reads and verifies the documents into hks[]. */
static int get_hostkeys(const struct args *args, const struct zpv_log *log,
			struct zpv_hostkey **hks, struct zpv_err *err)
{
	const struct list *paths = &args->list[HKD];
	const struct zpv_verify_spec vs = {
		.certs = args->list[CERT].items,
		.ncerts = args->list[CERT].n,
		.crls = args->list[CRL].items,
		.ncrls = args->list[CRL].n,
		.root_ca = args->value[ROOT_CA],
		.offline = args->seen[OFFLINE],
		.log = log,
	};
	struct zpv_verifier *verifier = NULL;
	int rc = 0;

	if (args->seen[NO_VERIFY] && !args->quiet)
		term_warn(
			"Host-key document verification is disabled. Your workload is not secured.");
	else if (!args->seen[NO_VERIFY])
		rc = zpv_verifier_new(&vs, &verifier, err);
	for (size_t i = 0; !rc && i < paths->n; i++) {
		rc = zpv_hostkey_read(paths->items[i], log, &hks[i], err);
		if (!rc && verifier)
			rc = zpv_verifier_check(verifier, hks[i], err);
		if (rc)
			rc = err_ctx(err, "host-key document '%s'", paths->items[i]);
	}
	zpv_verifier_free(verifier);
	return rc;
}

static int set_output(const struct args *args, struct zpv_image_spec *spec, struct zpv_err *err)
{
	spec->output = args->value[OUTPUT];
	spec->overwrite = args->seen[OVERWRITE];
	if (strcmp(spec->output, "-") != 0)
		return 0;
	if (isatty(STDOUT_FILENO))
		return err_set(err, ZPV_ERR_USAGE, "an image is not written to a terminal");
	spec->output = NULL;
	spec->output_fd = STDOUT_FILENO;
	spec->temp_dir = getenv("TMPDIR");
	if (spec->temp_dir && !*spec->temp_dir)
		spec->temp_dir = NULL;
	return 0;
}

static int create(const struct args *args, const struct zpv_hostkey *const *hks,
		  const struct zpv_log *log, struct zpv_err *err)
{
	struct zpv_progress progress;
	struct zpv_image_spec spec = {
		.kernel = args->value[KERNEL],
		.ramdisk = args->value[RAMDISK],
		.parmfile = args->value[PARMFILE],
		.hostkeys = hks,
		.nhostkeys = args->list[HKD].n,
		.cck = args->value[CCK],
		.hdr_key = args->value[HDR_KEY],
		.image_key = args->value[IMAGE_KEY],
		.loader_dir = args->value[X_BOOTLOADER],
		.no_component_check = args->seen[NO_CHECK],
		.log = log,
		.progress = &progress,
	};
	uint64_t psw = 0;
	int rc = set_flags(args, &spec, &psw, err);

	if (!rc)
		rc = set_output(args, &spec, err);
	if (rc)
		return rc;
	/* What goes to a descriptor is built in a file without a name. */
	progress = term_begin(args, "Sealing", spec.output);
	rc = zpv_image_create(&spec, err);
	term_end();
	return rc;
}

static int run(const struct args *args)
{
	const struct zpv_log log = term_log(args);
	size_t n = args->list[HKD].n;
	struct zpv_hostkey **hks = calloc(n, sizeof(*hks));
	struct zpv_err err = { 0 };
	int rc = hks ? get_hostkeys(args, &log, hks, &err) :
		       err_set(&err, ZPV_ERR_NOMEM, "no memory");

	if (!rc)
		rc = create(args, (const struct zpv_hostkey *const *)hks, &log, &err);
	for (size_t i = 0; hks && i < n; i++)
		zpv_hostkey_free(hks[i]);
	free(hks);
	if (rc) {
		term_error("%s", err.text);
		return rc == -ZPV_ERR_USAGE ? EXIT_USAGE : EXIT_ERROR;
	}
	/* Standard output may be the image itself. */
	if (strcmp(args->value[OUTPUT], "-") != 0)
		term_say(args, "Successfully generated the Secure Execution image.");
	return EXIT_OK;
}

const struct command cmd_image_create = {
	.name = "image create",
	.summary = "Seal a kernel, a RAM disk and a command line into a Secure Execution image.",
	.opts = opts,
	.rules = rules,
	.run = run,
};
