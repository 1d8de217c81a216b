/* SPDX-License-Identifier: MIT */
/*
 * A file that appears under its name whole or not at all.
 *
 * It is written as "<path>.part" beside its final place, synced, and renamed by outfile_commit().
 * outfile_free() of an uncommitted file removes the part. Two writers of one path exclude each
 * other by a lock on the part; a part that a killed writer left behind is taken over.
 */
#ifndef BASE_OUTFILE_H
#define BASE_OUTFILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "compiler.h"

struct outfile;
struct zpv_err;

enum outfile_mode {
	OUTFILE_NO_CLOBBER, /* refuse when the path exists: now, and once more at commit */
	OUTFILE_REPLACE,    /* replace a regular file */
};

/*
 * Opens the part with the given permissions (0600 for secrets, else 0666 less the umask).
 * Return: 0; -ZPV_ERR_EXISTS; -ZPV_ERR_IO (also when path is a device, a FIFO or a folder).
 */
int outfile_open(const char *path, mode_t perm, enum outfile_mode mode, struct outfile **out,
		 struct zpv_err *err) MUST_CHECK;

int outfile_fd(const struct outfile *f);

/* Syncs and renames. After a failure the part is still there until outfile_free(). */
int outfile_commit(struct outfile *f, struct zpv_err *err) MUST_CHECK;

void outfile_free(struct outfile *f);
DEFINE_AUTO(outfile)

/* Writes a small file in one go by the same rules. */
int outfile_write(const char *path, mode_t perm, enum outfile_mode mode, const void *data,
		  size_t len, struct zpv_err *err) MUST_CHECK;

#endif
