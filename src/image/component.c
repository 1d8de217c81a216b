// SPDX-License-Identifier: MIT
/*
 * Inputs of an image. Sizes are found by reading: a component may be a pipe.
 */
#define _GNU_SOURCE
#include "component.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"
#include "io.h"
#include "progress.h"

#define WAIT_MS 200

struct component {
	enum se_comp_kind kind;
	char *path;
	int fd;		 /* -1 for a component in memory */
	bool waits;	 /* for who writes into this pipe */
	struct buf head; /* read ahead, or all of a component in memory */
	size_t head_used;
	uint64_t expected;
};

int component_open(enum se_comp_kind kind, const char *path, struct component **out,
		   struct zpv_err *err)
{
	AUTO(component) struct component *c = calloc(1, sizeof(*c));
	struct stat st;

	if (!c)
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	c->kind = kind;
	c->path = strdup(path);
	c->fd = io_open_read(path, err);
	if (c->fd < 0)
		return err_ctx(err, "%s", se_comp_name(kind));
	if (!c->path)
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	c->waits = fstat(c->fd, &st) != 0 || !S_ISREG(st.st_mode);
	if (!c->waits)
		c->expected = (uint64_t)st.st_size;
	(void)posix_fadvise(c->fd, 0, 0, POSIX_FADV_SEQUENTIAL); /* a hint */
	*out = STEAL(c);
	return 0;
}

int component_from_buf(enum se_comp_kind kind, struct buf *content, struct component **out,
		       struct zpv_err *err)
{
	struct component *c = calloc(1, sizeof(*c));

	if (!c)
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	c->kind = kind;
	c->fd = -1;
	c->head = *content;
	c->expected = content->len;
	*content = (struct buf)BUF_INIT;
	*out = c;
	return 0;
}

/* Nobody may ever write: the caller can stop the work meanwhile. */
static int wait_readable(const struct component *c, const struct task *task, struct zpv_err *err)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	int n, rc = 0;

	while (!rc && ((n = poll(&p, 1, WAIT_MS)) == 0 || (n < 0 && errno == EINTR)))
		rc = task_poll(task, err);
	return rc;
}

static int read_fd(const struct component *c, uint8_t *buf, size_t len, size_t *got,
		   const struct task *task, struct zpv_err *err)
{
	*got = 0;
	while (c->fd >= 0 && *got < len) {
		int rc = c->waits ? wait_readable(c, task, err) : 0;
		ssize_t n;

		if (rc)
			return rc;
		n = read(c->fd, buf + *got, len - *got);
		if (n < 0 && errno == EINTR) {
			rc = task_poll(task, err);
			if (rc)
				return rc;
			continue;
		}
		if (n < 0)
			return err_errno(err, ZPV_ERR_IO, "cannot read %s '%s'",
					 se_comp_name(c->kind), c->path);
		if (n == 0)
			break;
		*got += (size_t)n;
	}
	return 0;
}

int component_peek(struct component *c, size_t len, const uint8_t **data, size_t *got,
		   const struct task *task, struct zpv_err *err)
{
	if (c->fd >= 0 && c->head.len < len) {
		size_t want = len - c->head.len, n;
		uint8_t *to = buf_extend(&c->head, want);
		int rc;

		if (!to)
			return err_set(err, ZPV_ERR_NOMEM, "no memory");
		rc = read_fd(c, to, want, &n, task, err);
		if (rc)
			return rc;
		c->head.len -= want - n;
	}
	*data = c->head.data;
	*got = c->head.len < len ? c->head.len : len;
	return 0;
}

int component_read(struct component *c, uint8_t *buf, size_t len, size_t *got,
		   const struct task *task, struct zpv_err *err)
{
	size_t ahead = c->head.len - c->head_used;
	size_t n = ahead < len ? ahead : len, rest;
	int rc;

	if (n)
		memcpy(buf, c->head.data + c->head_used, n);
	c->head_used += n;
	rc = read_fd(c, buf + n, len - n, &rest, task, err);
	*got = n + rest;
	return rc;
}

enum se_comp_kind component_kind(const struct component *c)
{
	return c->kind;
}

uint64_t component_expected(const struct component *c)
{
	return c->expected;
}

void component_free(struct component *c)
{
	if (!c)
		return;
	io_close_fd(&c->fd);
	buf_free(&c->head);
	free(c->path);
	free(c);
}
