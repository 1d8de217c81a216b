/* SPDX-License-Identifier: MIT */
/*
 * A component's input: read once, front to back, from a file, a pipe or memory, with the first
 * bytes available early for checks.
 */
#ifndef IMAGE_COMPONENT_H
#define IMAGE_COMPONENT_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "compiler.h"
#include "se_img.h"

struct component;
struct task;
struct zpv_err;

/* Opens a file. */
int component_open(enum se_comp_kind kind, const char *path, struct component **out,
		   struct zpv_err *err) MUST_CHECK;

/* A component in memory; takes the bytes out of content. */
int component_from_buf(enum se_comp_kind kind, struct buf *content, struct component **out,
		       struct zpv_err *err) MUST_CHECK;

/* Reads ahead up to len bytes and leaves them for component_read(); data is borrowed. */
int component_peek(struct component *c, size_t len, const uint8_t **data, size_t *got,
		   const struct task *task, struct zpv_err *err) MUST_CHECK;

/*
 * Fills buf unless the input ends. A signal makes it ask the task whether to go on.
 * Return: 0 with the count in *got; -ZPV_ERR_IO; -ZPV_ERR_CANCELLED.
 */
int component_read(struct component *c, uint8_t *buf, size_t len, size_t *got,
		   const struct task *task, struct zpv_err *err) MUST_CHECK;

enum se_comp_kind component_kind(const struct component *c);

/* Size if it is known beforehand (files, memory), else 0. For progress only. */
uint64_t component_expected(const struct component *c);

void component_free(struct component *c);
DEFINE_AUTO(component)

#endif
