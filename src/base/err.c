// SPDX-License-Identifier: MIT
/*
 * The error object: one line of text, outermost context first.
 */
#include "err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int(err_set)(struct zpv_err *err, enum zpv_err_code code, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return -(int)code;
	err->code = (int)code;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return -(int)code;
}

int(err_errno)(struct zpv_err *err, enum zpv_err_code code, const char *fmt, ...)
{
	int saved = errno;
	size_t used;
	va_list ap;

	if (!err)
		return -(int)code;
	err->code = (int)code;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	used = strlen(err->text);
	snprintf(err->text + used, sizeof(err->text) - used, ": %s", strerror(saved));
	errno = saved;
	return -(int)code;
}

int err_ctx(struct zpv_err *err, const char *fmt, ...)
{
	char inner[ZPV_ERR_TEXT_SIZE];
	size_t used;
	va_list ap;

	if (!err)
		return -(int)ZPV_ERR_FORMAT;
	memcpy(inner, err->text, sizeof(inner));
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	used = strlen(err->text);
	snprintf(err->text + used, sizeof(err->text) - used, ": %s", inner);
	return -err->code;
}

void err_clear(struct zpv_err *err)
{
	if (!err)
		return;
	err->code = 0;
	err->text[0] = '\0';
}
