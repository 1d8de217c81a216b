// SPDX-License-Identifier: MIT
/*
 * A program as a user of libzpv writes it: seals an image, opens it as the host does, verifies it.
 *
 * consumer KERNEL HOST-KEY-DOCUMENT HOST-KEY OUTPUT
 */
#include <stdio.h>
#include <zpv/image.h>

static void say(void *ctx, enum zpv_log_level level, const char *text)
{
	if (level == ZPV_LOG_WARN)
		fprintf(ctx, "warning: %s\n", text);
}

static int count(void *ctx, uint64_t done, uint64_t total)
{
	(void)total;
	*(uint64_t *)ctx = done;
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t bytes = 0;
	const struct zpv_log log = { say, stderr };
	const struct zpv_progress progress = { count, &bytes };
	struct zpv_image_spec spec = { .pcf = ZPV_PCF_DEFAULT, .log = &log, .progress = &progress };
	struct zpv_image_report *report = NULL;
	struct zpv_hostkey *hk = NULL;
	struct zpv_image *img = NULL;
	struct zpv_err err = { 0 };
	int rc = argc == 5 ? zpv_hostkey_read(argv[2], &log, &hk, &err) : -ZPV_ERR_USAGE;

	if (!rc) {
		const struct zpv_hostkey *hks[] = { hk };

		spec.kernel = argv[1];
		spec.hostkeys = hks;
		spec.nhostkeys = 1;
		spec.output = argv[4];
		rc = zpv_image_create(&spec, &err);
	}
	if (!rc)
		rc = zpv_image_open(argv[4], &log, &img, &err);
	if (!rc)
		rc = zpv_image_open_host_key(img, argv[3], &err);
	if (!rc)
		rc = zpv_image_verify(img, NULL, &report, &err);
	if (rc)
		fprintf(stderr, "error %d (%d): %s\n", rc, err.code, err.text);
	else
		printf("sealed %llu bytes, %zu parts, %s\n", (unsigned long long)bytes,
		       report->nparts, report->ok ? "in order" : "NOT in order");
	zpv_image_report_free(report);
	zpv_image_free(img);
	zpv_hostkey_free(hk);
	return rc != 0;
}
