// SPDX-License-Identifier: MIT
/*
 * The first entry of libcrypto's queue is the cause; later ones are its consequences.
 */
#include "ossl_err.h"

#include <openssl/err.h>
#include <stdarg.h>
#include <stdio.h>

#include "err.h"

int ossl_err(struct zpv_err *err, enum zpv_err_code code, const char *fmt, ...)
{
	unsigned long first = ERR_get_error();
	const char *reason = first ? ERR_reason_error_string(first) : NULL;
	char text[512];
	va_list ap;

	ERR_clear_error();
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!reason)
		return err_set(err, code, "%s", text);
	return err_set(err, code, "%s: %s", text, reason);
}
