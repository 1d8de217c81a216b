/* SPDX-License-Identifier: MIT */
/*
 * Filling struct zpv_err (STYLE 6). The object always travels as the last argument and may be
 * NULL; each function returns the negative code so that a failure is one `return` statement.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <zpv/error.h>

#include "compiler.h"

/* Sets the code and the text, cut to the size of the object. Returns -code. */
int err_set(struct zpv_err *err, enum zpv_err_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* As err_set() with ": <strerror(errno)>" behind the text. Returns -code. */
int err_errno(struct zpv_err *err, enum zpv_err_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Puts "<context>: " before the text that is there. Returns -err->code. */
int err_ctx(struct zpv_err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

void err_clear(struct zpv_err *err);

#endif
