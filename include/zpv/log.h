/* SPDX-License-Identifier: MIT */
/*
 * libzpv: messages and progress. The library prints nothing; it tells the caller's functions.
 */
#ifndef ZPV_LOG_H
#define ZPV_LOG_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum zpv_log_level {
	ZPV_LOG_WARN,  /* the result is weaker than it could be */
	ZPV_LOG_INFO,  /* what was used and found */
	ZPV_LOG_DEBUG, /* layout, sizes, decisions */
};

struct zpv_log {
	/* One line without a newline; valid during the call only. Called on the caller's thread. */
	void (*message)(void *ctx, enum zpv_log_level level, const char *text);
	void *ctx;
};

struct zpv_progress {
	/*
	 * Called on the caller's thread about every MiB: bytes done, and the total or 0 when it is
	 * not known. A return value other than 0 stops the work with -ZPV_ERR_CANCELLED.
	 */
	int (*update)(void *ctx, uint64_t done, uint64_t total);
	void *ctx;
};

#ifdef __cplusplus
}
#endif
#endif
