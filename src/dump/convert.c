// SPDX-License-Identifier: MIT
/*
 * Writing an opened dump as an ordinary one.
 *
 * The caller's thread and its helpers each take the next MiB of storage, decrypt it in a buffer of
 * their own, and write it: to its place in a file, where pages of zeros become holes, or in turn to a
 * stream.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "addr.h"
#include "convert_priv.h"
#include "dump_priv.h"
#include "err.h"
#include "io.h"
#include "log.h"
#include "outfile.h"
#include "progress.h"

#define MIN_THREADS 2
#define MAX_THREADS 8

/* --- Plans ----------------------------------------------------------------------------------- */

int plan_add_piece(struct plan *p, uint64_t addr, uint64_t len, struct zpv_err *err)
{
	struct plan_piece *grown;

	if (!len)
		return 0;
	if (p->memory > INT64_MAX - p->head.len || len > INT64_MAX - p->head.len - p->memory)
		return err_set(err, ZPV_ERR_FORMAT, "the memory of the dump fits into no file");
	if ((p->npieces & (p->npieces - 1)) == 0) {
		size_t room = p->npieces ? 2 * p->npieces : 1;

		grown = realloc(p->pieces, room * sizeof(*grown));
		if (!grown)
			return err_set(err, ZPV_ERR_NOMEM, "no memory");
		p->pieces = grown;
	}
	p->pieces[p->npieces++] = (struct plan_piece){ p->head.len + p->memory, addr, len };
	p->memory += len;
	return 0;
}

/* They hold registers of the guest. */
static void free_patches(struct plan *p)
{
	if (p->patches)
		OPENSSL_cleanse(p->patches, p->patch_room * sizeof(*p->patches));
	free(p->patches);
}

int plan_add_patch(struct plan *p, uint64_t addr, const void *data, size_t len, struct zpv_err *err)
{
	struct plan_patch *patch;

	if (p->npatches == p->patch_room) {
		size_t room = p->patch_room ? 2 * p->patch_room : 16;
		struct plan_patch *grown = calloc(room, sizeof(*grown));

		if (!grown)
			return err_set(err, ZPV_ERR_NOMEM, "no memory");
		if (p->npatches)
			memcpy(grown, p->patches, p->npatches * sizeof(*grown));
		free_patches(p);
		p->patches = grown;
		p->patch_room = room;
	}
	patch = &p->patches[p->npatches++];
	patch->addr = addr;
	patch->len = len;
	memcpy(patch->data, data, len);
	return 0;
}

void plan_free(struct plan *p)
{
	buf_free(&p->head);
	buf_free(&p->tail);
	free(p->pieces);
	free_patches(p);
	*p = (struct plan){ 0 };
}

/* --- Work ------------------------------------------------------------------------------------ */

struct work {
	struct zpv_dump *d;
	const struct plan *plan;
	int fd;
	bool stream; /* written in order; else by position, into a file of zeros */

	pthread_mutex_t lock; /* for what follows */
	pthread_cond_t changed;
	size_t piece; /* where the next window begins */
	uint64_t at;
	uint64_t taken, written; /* windows */
	uint64_t done;		 /* bytes */
	bool failed;
	struct zpv_err err; /* of the first failure */
};

struct window {
	uint64_t out, addr;
	size_t len;
	uint64_t turn;
};

static bool take_window(struct work *w, struct window *out)
{
	const struct plan_piece *p;
	bool got = false;

	pthread_mutex_lock(&w->lock);
	if (!w->failed && w->piece < w->plan->npieces) {
		p = &w->plan->pieces[w->piece];
		*out = (struct window){ p->out + w->at, p->addr + w->at, DUMP_WINDOW, w->taken++ };
		if (p->len - w->at < DUMP_WINDOW)
			out->len = (size_t)(p->len - w->at);
		w->at += out->len;
		if (w->at == p->len) {
			w->piece++;
			w->at = 0;
		}
		got = true;
	}
	pthread_mutex_unlock(&w->lock);
	return got;
}

static void fail(struct work *w, const struct zpv_err *err)
{
	pthread_mutex_lock(&w->lock);
	if (!w->failed)
		w->err = *err;
	w->failed = true;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

static void patch_window(const struct plan *p, const struct window *win, uint8_t *buf)
{
	for (size_t i = 0; i < p->npatches; i++) {
		const struct plan_patch *patch = &p->patches[i];
		size_t skip = patch->addr < win->addr ? (size_t)(win->addr - patch->addr) : 0;
		uint64_t to = patch->addr + skip - win->addr;
		size_t len;

		if (patch->addr < win->addr && win->addr - patch->addr >= patch->len)
			continue;
		if (to >= win->len)
			continue;
		len = patch->len - skip;
		if (len > win->len - to)
			len = (size_t)(win->len - to);
		memcpy(buf + to, patch->data + skip, len);
	}
}

static bool all_zero(const uint8_t *data, size_t len)
{
	static const uint8_t zeros[256];

	for (size_t n; len; data += n, len -= n) {
		n = len < sizeof(zeros) ? len : sizeof(zeros);
		if (memcmp(data, zeros, n) != 0)
			return false;
	}
	return true;
}

/* The file reads as zeros wherever it was not written. */
static int write_sparse(int fd, const uint8_t *buf, size_t len, uint64_t off)
{
	size_t end;

	for (size_t i = 0; i < len; i = end) {
		for (end = i; end < len; end += PAGE_BYTES)
			if (all_zero(buf + end, len - end < PAGE_BYTES ? len - end : PAGE_BYTES))
				break;
		if (end > len)
			end = len;
		if (end > i && io_pwrite_full(fd, buf + i, end - i, off + i) != 0)
			return -1;
		if (end == i)
			end = i + PAGE_BYTES;
	}
	return 0;
}

/* Waits for the window's turn; false when the work has failed meanwhile. */
static bool await_turn(struct work *w, const struct window *win)
{
	bool ok;

	pthread_mutex_lock(&w->lock);
	while (!w->failed && w->written != win->turn)
		pthread_cond_wait(&w->changed, &w->lock);
	ok = !w->failed;
	pthread_mutex_unlock(&w->lock);
	return ok;
}

static int write_window(struct work *w, const struct window *win, const uint8_t *buf,
			struct zpv_err *err)
{
	int rc;

	if (w->stream && !await_turn(w, win))
		return err_set(err, ZPV_ERR_CANCELLED, "stopped");
	rc = w->stream ? io_write_full(w->fd, buf, win->len) :
			 write_sparse(w->fd, buf, win->len, win->out);
	if (rc)
		return err_errno(err, ZPV_ERR_IO, "cannot write the opened dump");
	pthread_mutex_lock(&w->lock);
	w->written++;
	w->done += win->len;
	if (w->stream)
		pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
	return 0;
}

static int advance(struct work *w, struct task *task, struct zpv_err *err)
{
	pthread_mutex_lock(&w->lock);
	task->done = w->done;
	pthread_mutex_unlock(&w->lock);
	return task_poll(task, err);
}

/* Takes windows until there are none; the caller's thread has the task. */
static void do_windows(struct work *w, struct task *task)
{
	uint8_t *buf = aligned_alloc(PAGE_BYTES, DUMP_WINDOW);
	struct xts *x = NULL;
	struct zpv_err err = { 0 };
	struct window win;
	int rc = buf ? dump_xts_get(w->d, &x, &err) : err_set(&err, ZPV_ERR_NOMEM, "no memory");

	while (!rc && take_window(w, &win)) {
		rc = dump_window(w->d, x, win.addr, buf, win.len, &err);
		if (rc)
			break;
		patch_window(w->plan, &win, buf);
		rc = write_window(w, &win, buf, &err);
		if (!rc && task)
			rc = advance(w, task, &err);
	}
	if (rc)
		fail(w, &err);
	dump_xts_put(w->d, x);
	if (buf)
		OPENSSL_cleanse(buf, DUMP_WINDOW);
	free(buf);
}

static void *helper(void *arg)
{
	do_windows(arg, NULL);
	return NULL;
}

static size_t threads_to_use(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < MIN_THREADS ? MIN_THREADS : n > MAX_THREADS ? MAX_THREADS : (size_t)n;
}

static int copy_memory(struct work *w, struct task *task, struct zpv_err *err)
{
	pthread_t helpers[MAX_THREADS];
	size_t n = 0, want = threads_to_use() - 1;
	struct zpv_err last;

	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->changed, NULL);
	/* Fewer helpers than wanted are no failure: the caller's thread would do all of it. */
	while (n < want && pthread_create(&helpers[n], NULL, helper, w) == 0)
		n++;
	do_windows(w, task);
	while (n)
		pthread_join(helpers[--n], NULL);
	/* The helpers may have done all of it: the caller is asked at least once. */
	if (!w->failed && advance(w, task, &last) != 0)
		fail(w, &last);
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
	if (!w->failed)
		return 0;
	if (err)
		*err = w->err;
	return -w->err.code;
}

/* --- Output ---------------------------------------------------------------------------------- */

static int write_all(struct zpv_dump *d, const struct plan *p, int fd, bool stream,
		     const struct zpv_progress *progress, struct zpv_err *err)
{
	struct work w = { .d = d, .plan = p, .fd = fd, .stream = stream };
	struct task task = { .progress = progress, .total = p->memory };
	uint64_t tail = p->head.len + p->memory;
	int rc = task_poll(&task, err);

	if (rc)
		return rc;
	if (!stream && ftruncate(fd, (off_t)(tail + p->tail.len)) != 0)
		return err_errno(err, ZPV_ERR_IO, "cannot make a file of %" PRIu64 " bytes",
				 tail + p->tail.len);
	if (stream ? io_write_full(fd, p->head.data, p->head.len) :
		     io_pwrite_full(fd, p->head.data, p->head.len, 0))
		return err_errno(err, ZPV_ERR_IO, "cannot write the opened dump");
	rc = copy_memory(&w, &task, err);
	if (rc)
		return rc;
	if (stream ? io_write_full(fd, p->tail.data, p->tail.len) :
		     io_pwrite_full(fd, p->tail.data, p->tail.len, tail))
		return err_errno(err, ZPV_ERR_IO, "cannot write the opened dump");
	return 0;
}

static int write_file(struct zpv_dump *d, const struct plan *p, const struct zpv_dump_convert *spec,
		      struct zpv_err *err)
{
	AUTO(outfile) struct outfile *f = NULL;
	const struct task task = { .progress = spec->progress, .total = p->memory };
	/* Who is asked catches signals from then on: before there is a part that one would leave. */
	int rc = task_poll(&task, err);

	if (!rc)
		rc = outfile_open(spec->output, 0600,
				  spec->overwrite ? OUTFILE_REPLACE : OUTFILE_NO_CLOBBER, &f, err);
	if (!rc)
		rc = write_all(d, p, outfile_fd(f), false, spec->progress, err);
	if (!rc)
		rc = outfile_commit(f, err);
	return rc;
}

int zpv_dump_convert(struct zpv_dump *d, const struct zpv_dump_convert *spec, struct zpv_err *err)
{
	struct plan plan = { 0 };
	int rc = dump_need_key(d, err);

	/* What makes all of it useless is found before anything is written. */
	if (!rc)
		rc = dump_check_pages(d, err);
	if (!rc)
		rc = spec->format == ZPV_DUMP_S390 ? plan_s390(d, &plan, err) :
						     plan_elf(d, &plan, err);
	if (!rc && strcmp(spec->output, "-") == 0)
		rc = write_all(d, &plan, STDOUT_FILENO, true, spec->progress, err);
	else if (!rc)
		rc = write_file(d, &plan, spec, err);
	plan_free(&plan);
	return rc;
}
