// SPDX-License-Identifier: MIT
/*
 * Getting the boot loaders.
 */
#define _GNU_SOURCE
#include "loaders.h"

#include <stdio.h>
#include <stdlib.h>

#include "err.h"
#include "io.h"
#include "se_img.h"

/* Generous bounds: both are some KiB. What lies between is somebody else's business. */
#define LOADER_MAX_BYTES 0x100000u

static int read_one(const char *dir, const char *name, size_t min, struct buf *out,
		    const char *invalid, struct zpv_err *err)
{
	char *path;
	int rc;

	if (asprintf(&path, "%s/%s", dir, name) < 0)
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	rc = io_read_file(path, LOADER_MAX_BYTES, out, err);
	if (!rc && out->len <= min)
		rc = err_set(err, ZPV_ERR_FORMAT, "%s: '%s' has %zu bytes, at least %zu", invalid,
			     path, out->len, min + 1);
	free(path);
	return rc;
}

int loaders_get(const char *dir, struct loaders *out, struct zpv_err *err)
{
	int rc;

	if (dir) {
		rc = read_one(dir, "stage3a.bin", sizeof(struct stage3a_args), &out->stage3a,
			      "Invalid stage3a", err);
		return rc ? rc :
			    read_one(dir, "stage3b_reloc.bin", sizeof(struct stage3b_args),
				     &out->stage3b, "Invalid stage3b", err);
	}
	rc = buf_append(&out->stage3a, stage3a_blob, stage3a_blob_size, err);
	return rc ? rc : buf_append(&out->stage3b, stage3b_blob, stage3b_blob_size, err);
}

void loaders_free(struct loaders *l)
{
	buf_free(&l->stage3a);
	buf_free(&l->stage3b);
}
