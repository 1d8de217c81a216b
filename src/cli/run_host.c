// SPDX-License-Identifier: MIT
/*
 * Whose keys the machine of zpv run has: the identity of --host, or the user's own.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"
#include "io.h"
#include "run_priv.h"
#include "se_img.h"
#include "term.h"

/* Seen from its first bytes, which all tools write; whether it is consistent is found out later. */
static bool is_sealed(const char *path)
{
	struct stat st;
	AUTO_FD fd = -1;
	be64 psw;

	if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
		return false;
	fd = io_open_read(path, NULL);
	return fd >= 0 && io_pread_full(fd, &psw, sizeof(psw), 0) == sizeof(psw) &&
	       be64_get(psw) == SE_IMG_SHORT_PSW;
}

/* XDG Base Directory Specification: a relative path in the variable is ignored. */
static char *default_dir(void)
{
	const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
	char *dir = NULL;
	int rc = -1;

	if (data && data[0] == '/')
		rc = asprintf(&dir, "%s/zpv/host", data);
	else if (home && home[0] == '/')
		rc = asprintf(&dir, "%s/.local/share/zpv/host", home);
	return rc < 0 ? NULL : dir;
}

/* Folders above dir, for this user alone as the specification says. */
static int make_parents(char *dir, struct zpv_err *err)
{
	for (char *p = strchr(dir + 1, '/'); p; p = strchr(p + 1, '/')) {
		int rc;

		*p = '\0';
		rc = mkdir(dir, 0700);
		if (rc != 0 && errno != EEXIST)
			rc = err_errno(err, ZPV_ERR_IO, "cannot make the folder '%s'", dir);
		else
			rc = 0;
		*p = '/';
		if (rc)
			return rc;
	}
	return 0;
}

/* Another run may be faster; then its identity is the one. */
static int make_identity(const struct args *args, char *dir, struct zpv_err *err)
{
	const struct zpv_log log = term_log(args);
	const struct zpv_host_spec spec = { .dir = dir, .profile = ZPV_PROFILE_Z17, .log = &log };
	int rc = make_parents(dir, err);

	if (!rc)
		rc = zpv_host_create(&spec, err);
	if (rc == -ZPV_ERR_EXISTS)
		return 0;
	if (!rc)
		term_say(args,
			 "zpv: made the identity of a SIMULATED machine in '%s': seal images for "
			 "its host-key document",
			 dir);
	return rc;
}

static int open_default(const struct args *args, struct zpv_host **out, struct zpv_err *err)
{
	char *dir = default_dir();
	int rc = 0;

	if (!dir)
		return err_set(err, ZPV_ERR_IO,
			       "neither XDG_DATA_HOME nor HOME names a folder for the machine's "
			       "identity: use '--host'");
	if (access(dir, F_OK) != 0)
		rc = make_identity(args, dir, err);
	if (!rc)
		rc = zpv_host_open(dir, out, err);
	free(dir);
	return rc;
}

int run_host_open(const struct args *args, const char *dir, const char *image,
		  struct zpv_host **out, struct zpv_err *err)
{
	*out = NULL;
	if (dir)
		return zpv_host_open(dir, out, err);
	return is_sealed(image) ? open_default(args, out, err) : 0;
}
