// SPDX-License-Identifier: MIT
/*
 * Atomic output files: part, sync, rename.
 */
#define _GNU_SOURCE
#include "outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"
#include "io.h"

struct outfile {
	char *path;
	char *part;
	int fd;
	enum outfile_mode mode;
	bool committed;
};

/* What is at the final path decides before any work is done. */
static int check_target(const char *path, enum outfile_mode mode, struct zpv_err *err)
{
	struct stat st;

	if (lstat(path, &st) != 0) {
		if (errno == ENOENT)
			return 0;
		return err_errno(err, ZPV_ERR_IO, "cannot look at '%s'", path);
	}
	if (!S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode))
		return err_set(err, ZPV_ERR_IO, "'%s' is not a regular file; it is not replaced",
			       path);
	if (mode == OUTFILE_NO_CLOBBER)
		return err_set(err, ZPV_ERR_EXISTS, "'%s' exists already", path);
	return 0;
}

/* True when the open part is still what its name leads to (its last owner may have renamed it). */
static bool same_file(int fd, const char *path)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && lstat(path, &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

static int open_part(struct outfile *f, mode_t perm, struct zpv_err *err)
{
	for (;;) {
		int fd =
			open(f->part, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, perm);
		struct stat st;

		if (fd < 0)
			return err_errno(err, ZPV_ERR_IO, "cannot create '%s'", f->part);
		f->fd = fd;
		if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_nlink > 1)
			return err_set(err, ZPV_ERR_IO, "'%s' is in the way and is no plain file",
				       f->part);
		if (flock(fd, LOCK_EX | LOCK_NB) != 0)
			return err_set(err, ZPV_ERR_IO, "'%s' is being written by another process",
				       f->part);
		if (same_file(fd, f->part))
			break;
		close(fd);
		f->fd = -1;
	}
	/* A part left behind may have had other permissions: a secret's are set before its bytes. */
	if (perm == 0600 && fchmod(f->fd, perm) != 0)
		return err_errno(err, ZPV_ERR_IO, "cannot set the permissions of '%s'", f->part);
	if (ftruncate(f->fd, 0) != 0)
		return err_errno(err, ZPV_ERR_IO, "cannot empty '%s'", f->part);
	return 0;
}

int outfile_open(const char *path, mode_t perm, enum outfile_mode mode, struct outfile **out,
		 struct zpv_err *err)
{
	AUTO(outfile) struct outfile *f = NULL;
	int rc = check_target(path, mode, err);

	if (rc)
		return rc;
	f = calloc(1, sizeof(*f));
	if (!f)
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	f->fd = -1;
	f->committed = true; /* nothing to remove yet */
	f->mode = mode;
	f->path = strdup(path);
	if (!f->path || asprintf(&f->part, "%s.part", path) < 0) {
		f->part = NULL;
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	}
	rc = open_part(f, perm, err);
	if (rc)
		return rc;
	f->committed = false;
	*out = STEAL(f);
	return 0;
}

int outfile_fd(const struct outfile *f)
{
	return f->fd;
}

/* Makes the new name itself durable. Some file systems cannot sync folders; the data is safe. */
static void sync_folder(const char *path)
{
	char copy[PATH_MAX];
	AUTO_FD fd = -1;

	if (snprintf(copy, sizeof(copy), "%s", path) >= (int)sizeof(copy))
		return;
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		(void)fsync(fd);
}

static int rename_part(const struct outfile *f)
{
	if (f->mode == OUTFILE_REPLACE)
		return rename(f->part, f->path);
	if (renameat2(AT_FDCWD, f->part, AT_FDCWD, f->path, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	/* A file system without RENAME_NOREPLACE: link() has the same refusal. */
	if (link(f->part, f->path) != 0)
		return -1;
	return unlink(f->part);
}

int outfile_commit(struct outfile *f, struct zpv_err *err)
{
	int rc = check_target(f->path, f->mode, err);

	if (rc)
		return rc;
	if (fsync(f->fd) != 0 && errno != EINVAL)
		return err_errno(err, ZPV_ERR_IO, "cannot write '%s'", f->part);
	if (rename_part(f) != 0) {
		if (errno == EEXIST)
			return err_set(err, ZPV_ERR_EXISTS, "'%s' exists already", f->path);
		return err_errno(err, ZPV_ERR_IO, "cannot rename '%s' to '%s'", f->part, f->path);
	}
	f->committed = true;
	sync_folder(f->path);
	return 0;
}

void outfile_free(struct outfile *f)
{
	if (!f)
		return;
	if (!f->committed)
		unlink(f->part);
	io_close_fd(&f->fd);
	free(f->part);
	free(f->path);
	free(f);
}

int outfile_write(const char *path, mode_t perm, enum outfile_mode mode, const void *data,
		  size_t len, struct zpv_err *err)
{
	AUTO(outfile) struct outfile *f = NULL;
	int rc = outfile_open(path, perm, mode, &f, err);

	if (rc)
		return rc;
	if (io_write_full(f->fd, data, len) != 0)
		return err_errno(err, ZPV_ERR_IO, "cannot write '%s'", f->part);
	return outfile_commit(f, err);
}
