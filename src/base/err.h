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

/*
 * The result is never 0, which an analyzer that looks at one file at a time cannot know: it would
 * follow paths that do not exist.
 */
static inline int err_result(int rc, enum zpv_err_code code)
{
	(void)rc;
	return -(int)code;
}
#define err_set(err, code, ...)	  err_result(err_set((err), (code), __VA_ARGS__), (code))
#define err_errno(err, code, ...) err_result(err_errno((err), (code), __VA_ARGS__), (code))

/* Puts "<context>: " before the text that is there. Returns -err->code. */
int err_ctx(struct zpv_err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

void err_clear(struct zpv_err *err);

#endif
