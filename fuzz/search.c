// SPDX-License-Identifier: MIT
/*
 * Finding the header in an image, and describing what is read without a key.
 */
#include "describe_all.h"
#include "image_priv.h"
#include "source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	size_t size;
	uint8_t *image = fuzz_image(data, len, &size);
	struct zpv_image *img = NULL;
	struct source *src;

	FUZZ_CHECK(source_from_memory(image, size, &src, NULL) == 0);
	if (image_open_source(src, NULL, &img, NULL) == 0) {
		FUZZ_CHECK(img->hdr_offs < size);
		FUZZ_CHECK(zpv_image_has_hash(img, img->hdr.slots[img->hdr.nks - 1].phkh));
		fuzz_describe(img, NULL, 0);
		fuzz_describe(img, NULL, ZPV_DESCRIBE_UTF8);
	}
	zpv_image_free(img);
	free(image);
	return 0;
}
