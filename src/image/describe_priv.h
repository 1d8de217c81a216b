/* SPDX-License-Identifier: MIT */
/*
 * The JSON form of an image's description.
 */
#ifndef IMAGE_DESCRIBE_PRIV_H
#define IMAGE_DESCRIBE_PRIV_H

#include <stdbool.h>

#include "compiler.h"

struct zpv_err;
struct zpv_image;
struct zpv_image_report;

int describe_json(const struct zpv_image *img, const struct zpv_image_report *report, bool pretty,
		  bool secrets, char **out, struct zpv_err *err) MUST_CHECK;

#endif
