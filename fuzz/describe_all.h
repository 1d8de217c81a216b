/* SPDX-License-Identifier: MIT */
/*
 * All forms of an image's description.
 */
#ifndef FUZZ_DESCRIBE_ALL_H
#define FUZZ_DESCRIBE_ALL_H

#include <stdlib.h>
#include <string.h>

#include <zpv/image.h>

#include "fuzz.h"

static inline void fuzz_describe(const struct zpv_image *img, const struct zpv_image_report *report,
				 unsigned int flags)
{
	for (int f = ZPV_IMAGE_TEXT; f <= ZPV_IMAGE_JSON_MINIFY; f++) {
		char *text = NULL;

		FUZZ_CHECK(zpv_image_describe(img, report, (enum zpv_image_format)f, flags, &text,
					      NULL) == 0);
		FUZZ_CHECK(text && text[0] && text[strlen(text) - 1] == '\n');
		free(text);
	}
}

#endif
