/* SPDX-License-Identifier: MIT */
/*
 * Telling the caller how far long work is, and asking whether to go on.
 */
#ifndef BASE_PROGRESS_H
#define BASE_PROGRESS_H

#include <zpv/error.h>
#include <zpv/log.h>

#include "err.h"

/* A piece of long work. */
struct task {
	const struct zpv_progress *progress; /* may be NULL */
	uint64_t done, total;		     /* bytes; total 0 when unknown */
};

/* Returns 0 to go on, or -ZPV_ERR_CANCELLED with err filled. */
MUST_CHECK static inline int task_poll(const struct task *t, struct zpv_err *err)
{
	const struct zpv_progress *p = t->progress;

	if (p && p->update && p->update(p->ctx, t->done, t->total))
		return err_set(err, ZPV_ERR_CANCELLED, "stopped on request");
	return 0;
}

/* Counts len more bytes as done and asks. */
MUST_CHECK static inline int task_advance(struct task *t, uint64_t len, struct zpv_err *err)
{
	t->done += len;
	return task_poll(t, err);
}

#endif
