// SPDX-License-Identifier: MIT
/*
 * Verifying an image whose header is authentic, whatever it says, and describing the outcome.
 */
#include "describe_all.h"
#include "hdr_crypt.h"
#include "image_priv.h"
#include "report.h"
#include "secret.h"
#include "source.h"

static void verify(struct zpv_image *img)
{
	AUTO(secret) struct secret *key = fuzz_seal(&img->hdr, img->hdr_bytes);
	AUTO(zpv_image_report) struct zpv_image_report *report = NULL;
	bool all = true;

	if (hdr_open(&img->hdr, key, &img->secrets, NULL) != 0)
		return;
	fuzz_describe(img, NULL, ZPV_DESCRIBE_SECRETS);
	if (zpv_image_verify(img, NULL, &report, NULL) != 0)
		return;
	for (size_t i = 0; i < report->nchecks; i++)
		all = all && report->checks[i].ok;
	FUZZ_CHECK(report->ok == all);
	for (size_t i = 0; i < report->nparts; i++)
		FUZZ_CHECK(!report->parts[i].secured ||
			   report->parts[i].content <= report->parts[i].len);
	fuzz_describe(img, report, 0);
	fuzz_describe(img, report, ZPV_DESCRIBE_SECRETS | ZPV_DESCRIBE_UTF8);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	size_t size;
	uint8_t *image = fuzz_image(data, len, &size);
	struct zpv_image *img = NULL;
	struct source *src;

	FUZZ_CHECK(source_from_memory(image, size, &src, NULL) == 0);
	if (image_open_source(src, NULL, &img, NULL) == 0)
		verify(img);
	zpv_image_free(img);
	free(image);
	return 0;
}
