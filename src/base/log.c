// SPDX-License-Identifier: MIT
/*
 * Formatting of messages for the caller's function.
 */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>

void log_msg(const struct zpv_log *log, enum zpv_log_level level, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	if (!log || !log->message)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log->message(log->ctx, level, text);
}
