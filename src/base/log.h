/* SPDX-License-Identifier: MIT */
/*
 * Messages of a library that does not print: they go to the caller's function.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <zpv/log.h>

#include "compiler.h"

/* No message when log is NULL or has no function. Never pass key material. */
void log_msg(const struct zpv_log *log, enum zpv_log_level level, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

#define log_warn(log, ...)  log_msg(log, ZPV_LOG_WARN, __VA_ARGS__)
#define log_info(log, ...)  log_msg(log, ZPV_LOG_INFO, __VA_ARGS__)
#define log_debug(log, ...) log_msg(log, ZPV_LOG_DEBUG, __VA_ARGS__)

#endif
