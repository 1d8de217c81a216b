// SPDX-License-Identifier: MIT
/*
 * Verifies host-key documents through the library, for the tests of this folder.
 *
 *	verify_tool [--cert F]... [--crl F]... [--root F] [--offline] [--at EPOCH] [HKD]...
 *
 * Prints one line: "OK", or "ERR <code> <text>". Messages of the library go to stderr.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zpv/hostkey.h>

#define MAX_FILES 64

static void print_message(void *ctx, enum zpv_log_level level, const char *text)
{
	static const char *const names[] = { "warning", "info", "debug" };

	(void)ctx;
	fprintf(stderr, "%s: %s\n", names[level], text);
}

static const struct zpv_log log_to_stderr = { print_message, NULL };

static const struct option options[] = {
	{ "cert", required_argument, NULL, 'C' }, { "crl", required_argument, NULL, 'R' },
	{ "root", required_argument, NULL, 'r' }, { "offline", no_argument, NULL, 'o' },
	{ "at", required_argument, NULL, 'a' },	  { NULL, 0, NULL, 0 },
};

static int failed(const struct zpv_err *err)
{
	printf("ERR %d %s\n", err->code, err->text);
	return 1;
}

static int check_files(struct zpv_verifier *v, char **paths, int count)
{
	for (int i = 0; i < count; i++) {
		struct zpv_hostkey *hk = NULL;
		struct zpv_err err;
		int rc = zpv_hostkey_read(paths[i], &log_to_stderr, &hk, &err);

		if (!rc)
			rc = zpv_verifier_check(v, hk, &err);
		zpv_hostkey_free(hk);
		if (rc)
			return failed(&err);
	}
	puts("OK");
	return 0;
}

int main(int argc, char **argv)
{
	const char *certs[MAX_FILES], *crls[MAX_FILES];
	struct zpv_verify_spec spec = { .certs = certs, .crls = crls, .log = &log_to_stderr };
	struct zpv_verifier *v = NULL;
	struct zpv_err err;
	int opt, rc;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'C' && spec.ncerts < MAX_FILES)
			certs[spec.ncerts++] = optarg;
		else if (opt == 'R' && spec.ncrls < MAX_FILES)
			crls[spec.ncrls++] = optarg;
		else if (opt == 'r')
			spec.root_ca = optarg;
		else if (opt == 'o')
			spec.offline = true;
		else if (opt == 'a')
			spec.at = (time_t)strtoll(optarg, NULL, 10);
		else
			return 2;
	}
	if (zpv_verifier_new(&spec, &v, &err) != 0)
		return failed(&err);
	rc = check_files(v, argv + optind, argc - optind);
	zpv_verifier_free(v);
	return rc;
}
