// SPDX-License-Identifier: MIT
/*
 * Random access to an image.
 */
#include "source.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"
#include "io.h"

/* Header and search range lie well within this. */
#define PIPE_BYTES (1u << 20)

struct source {
	char *path;
	int fd;		 /* -1: in memory */
	struct buf copy; /* of a pipe's beginning */
	const uint8_t *data;
	uint64_t size;
	bool partial;
};

static int read_pipe(struct source *s, struct zpv_err *err)
{
	uint8_t *to = buf_extend(&s->copy, PIPE_BYTES);
	ssize_t n;

	if (!to)
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	n = io_read_full(s->fd, to, PIPE_BYTES);
	if (n < 0)
		return err_errno(err, ZPV_ERR_IO, "cannot read '%s'", s->path);
	io_close_fd(&s->fd);
	s->data = to;
	s->size = (uint64_t)n;
	s->partial = n == PIPE_BYTES;
	return 0;
}

int source_open(const char *path, struct source **out, struct zpv_err *err)
{
	AUTO(source) struct source *s = calloc(1, sizeof(*s));
	struct stat st;
	off_t end;
	int rc;

	if (!s)
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	s->path = strdup(path);
	s->fd = io_open_read(path, err);
	if (s->fd < 0)
		return s->fd;
	if (!s->path)
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	if (fstat(s->fd, &st) == 0 && S_ISDIR(st.st_mode))
		return err_set(err, ZPV_ERR_IO, "'%s' is a folder", path);
	end = lseek(s->fd, 0, SEEK_END); /* also right for block devices */
	if (end < 0) {
		rc = read_pipe(s, err);
		if (rc)
			return rc;
	} else {
		s->size = (uint64_t)end;
	}
	*out = STEAL(s);
	return 0;
}

int source_from_memory(const uint8_t *data, size_t len, struct source **out, struct zpv_err *err)
{
	struct source *s = calloc(1, sizeof(*s));

	if (!s)
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	s->fd = -1;
	s->data = data;
	s->size = len;
	*out = s;
	return 0;
}

int source_read(const struct source *s, void *data, size_t len, uint64_t off, size_t *got,
		struct zpv_err *err)
{
	ssize_t n;

	*got = 0;
	if (off >= s->size)
		return 0;
	if (len > s->size - off)
		len = s->size - off;
	if (s->fd < 0) {
		memcpy(data, s->data + off, len);
		*got = len;
		return 0;
	}
	n = io_pread_full(s->fd, data, len, off);
	if (n < 0)
		return err_errno(err, ZPV_ERR_IO, "cannot read '%s'", s->path);
	*got = (size_t)n;
	return 0;
}

uint64_t source_size(const struct source *s)
{
	return s->size;
}

bool source_is_partial(const struct source *s)
{
	return s->partial;
}

void source_free(struct source *s)
{
	if (!s)
		return;
	io_close_fd(&s->fd);
	buf_free(&s->copy);
	free(s->path);
	free(s);
}
