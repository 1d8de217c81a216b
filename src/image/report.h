/* SPDX-License-Identifier: MIT */
/*
 * Collecting a verification's parts and checks. Lack of memory is remembered and told at the end,
 * so that the checks read as a list.
 */
#ifndef IMAGE_REPORT_H
#define IMAGE_REPORT_H

#include <stdbool.h>

#include <zpv/image.h>

#include "compiler.h"

struct zpv_err;

/* Adds a check with its verdict; returns the verdict. name is a string that lives on. */
bool report_check(struct zpv_image_report *r, bool ok, const char *name, const char *fmt, ...)
	PRINTF_LIKE(4, 5);

/* Adds a part. */
void report_part(struct zpv_image_report *r, const struct zpv_image_part *part);

/* Sorts the parts by address. Return: 0; -ZPV_ERR_NOMEM when something could not be added. */
int report_finish(struct zpv_image_report *r, struct zpv_err *err) MUST_CHECK;

DEFINE_AUTO(zpv_image_report)

/* "kernel", "SE header", ... */
const char *report_part_name(enum zpv_image_part_kind kind);

#endif
