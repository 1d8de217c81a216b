/* SPDX-License-Identifier: MIT */
/*
 * Where an image is written: a file that appears whole, or a descriptor that receives the image
 * once it is complete (its header, which comes first, is known last).
 */
#ifndef IMAGE_OUTPUT_H
#define IMAGE_OUTPUT_H

#include <stddef.h>
#include <stdint.h>

#include "compiler.h"

struct output;
struct task;
struct zpv_err;
struct zpv_image_spec;

int output_open(const struct zpv_image_spec *spec, struct output **out, struct zpv_err *err)
	MUST_CHECK;

/* Writes at an offset; what is never written reads as zeros. */
int output_write(struct output *o, const void *data, size_t len, uint64_t off, struct zpv_err *err)
	MUST_CHECK;

int output_commit(struct output *o, const struct task *task, struct zpv_err *err) MUST_CHECK;

/* Without a commit nothing is left. */
void output_free(struct output *o);
DEFINE_AUTO(output)

#endif
