// SPDX-License-Identifier: MIT
/*
 * Image output: the ".part" file, or an anonymous temporary file that is copied out at the end.
 */
#define _GNU_SOURCE
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <zpv/image.h>

#include "err.h"
#include "io.h"
#include "outfile.h"
#include "progress.h"

struct output {
	struct outfile *file; /* NULL when the image goes to a descriptor */
	int spool;	      /* then: where it is built */
	int to;		      /* and where it goes */
	int fd;		      /* whichever is written */
};

static int open_spool(const char *dir, struct zpv_err *err)
{
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
	char *name;

	if (fd >= 0)
		return fd;
	/* A file system without O_TMPFILE. */
	if (asprintf(&name, "%s/zpv-XXXXXX", dir) < 0)
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	fd = mkostemp(name, O_CLOEXEC);
	if (fd >= 0)
		unlink(name);
	free(name);
	if (fd < 0)
		return err_errno(err, ZPV_ERR_IO, "cannot create a temporary file in '%s'", dir);
	return fd;
}

int output_open(const struct zpv_image_spec *spec, struct output **out, struct zpv_err *err)
{
	AUTO(output) struct output *o = calloc(1, sizeof(*o));
	int rc;

	if (!o)
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	o->spool = -1;
	o->to = spec->output_fd;
	if (spec->output) {
		rc = outfile_open(spec->output, 0666,
				  spec->overwrite ? OUTFILE_REPLACE : OUTFILE_NO_CLOBBER, &o->file,
				  err);
		if (rc)
			return rc;
		o->fd = outfile_fd(o->file);
	} else {
		o->spool = open_spool(spec->temp_dir ? spec->temp_dir : "/var/tmp", err);
		if (o->spool < 0)
			return o->spool;
		o->fd = o->spool;
	}
	*out = STEAL(o);
	return 0;
}

int output_write(struct output *o, const void *data, size_t len, uint64_t off, struct zpv_err *err)
{
	if (io_pwrite_full(o->fd, data, len, off) != 0)
		return err_errno(err, ZPV_ERR_IO, "cannot write the image");
	return 0;
}

static int copy_out(struct output *o, const struct task *task, struct zpv_err *err)
{
	static const size_t step = 256 * 1024;
	uint8_t *data = malloc(step);
	uint64_t off = 0;
	ssize_t n;
	int rc = 0;

	if (!data)
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	while (!rc && (n = io_pread_full(o->spool, data, step, off)) != 0) {
		off += (uint64_t)n;
		if (n < 0)
			rc = err_errno(err, ZPV_ERR_IO, "cannot read the temporary image");
		else if (io_write_full(o->to, data, (size_t)n) != 0)
			rc = err_errno(err, ZPV_ERR_IO, "cannot write the image to its output");
		else
			rc = task_poll(task, err);
	}
	free(data);
	return rc;
}

int output_commit(struct output *o, const struct task *task, struct zpv_err *err)
{
	return o->file ? outfile_commit(o->file, err) : copy_out(o, task, err);
}

void output_free(struct output *o)
{
	if (!o)
		return;
	outfile_free(o->file);
	io_close_fd(&o->spool);
	free(o);
}
