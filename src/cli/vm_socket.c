// SPDX-License-Identifier: MIT
/*
 * The client's side of a control socket (hypervisor/control.h).
 */
#define _GNU_SOURCE
#include "vm_socket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "control.h"
#include "err.h"
#include "io.h"

#define MAX_NAME 64u

/* --- Paths -------------------------------------------------------------------------------------- */

static bool is_name(const char *text)
{
	static const char chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789._-";
	size_t len = strlen(text);

	return len && len <= MAX_NAME && strspn(text, chars) == len && text[0] != '.' &&
	       text[0] != '-';
}

/* In a folder of another user, what answers is another user's too. */
static int check_folder(const char *folder, struct zpv_err *err)
{
	struct stat st;

	if (lstat(folder, &st) != 0)
		return errno == ENOENT ? err_set(err, ZPV_ERR_NETWORK, "no VM with a name runs") :
					 err_errno(err, ZPV_ERR_IO, "cannot look at '%s'", folder);
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || st.st_mode & 077)
		return err_set(err, ZPV_ERR_IO,
			       "'%s' is not a folder of this user alone (mode 0700)", folder);
	return 0;
}

int vm_socket_folder(bool make, char **out, struct zpv_err *err)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	char *path;
	int rc = 0, n;

	if (runtime && runtime[0] == '/')
		n = asprintf(&path, "%s/zpv", runtime);
	else
		n = asprintf(&path, "/tmp/zpv-%u", (unsigned int)geteuid());
	if (n < 0)
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	if (make && mkdir(path, 0700) != 0 && errno != EEXIST)
		rc = err_errno(err, ZPV_ERR_IO, "cannot make the folder '%s'", path);
	if (!rc)
		rc = check_folder(path, err);
	if (rc)
		free(path);
	else
		*out = path;
	return rc;
}

int vm_socket_path(const char *name, bool make, char **out, struct zpv_err *err)
{
	char *folder, *path;
	int rc, n;

	if (strchr(name, '/')) {
		*out = strdup(name);
		return *out ? 0 : err_set(err, ZPV_ERR_NOMEM, "no memory");
	}
	if (!is_name(name))
		return err_set(
			err, ZPV_ERR_USAGE,
			"'%s' is no name of a VM: letters, digits, '.', '_' and '-', up to %u",
			name, MAX_NAME);
	rc = vm_socket_folder(make, &folder, err);
	if (rc)
		return rc;
	n = asprintf(&path, "%s/%s.sock", folder, name);
	free(folder);
	if (n < 0)
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	*out = path;
	return 0;
}

/* --- Talking ------------------------------------------------------------------------------------ */

static int open_socket(const char *path, struct zpv_err *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(addr.sun_path))
		return err_set(err, ZPV_ERR_USAGE, "the socket's path '%s' has more than %zu bytes",
			       path, sizeof(addr.sun_path) - 1);
	memcpy(addr.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) != 0) {
		int rc = err_errno(err, ZPV_ERR_NETWORK, "no VM listens at '%s'", path);

		io_close_fd(&fd);
		return rc;
	}
	return fd;
}

static int send_request(int fd, const char *command, json_object *args, struct zpv_err *err)
{
	json_object *o = json_object_new_object();
	const char *text;
	int rc = 0;

	json_object_object_add(o, "execute", json_object_new_string(command));
	if (args)
		json_object_object_add(o, "arguments", args);
	text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN);
	if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0 || send(fd, "\n", 1, MSG_NOSIGNAL) < 0)
		rc = err_errno(err, ZPV_ERR_FORMAT, "the VM does not listen any more");
	json_object_put(o);
	return rc;
}

static int cancelled(struct zpv_err *err)
{
	return err_set(err, ZPV_ERR_CANCELLED, "stopped on request");
}

/* One line. Answers are short, and only the VM's own user can send them. */
static int read_line(int fd, const struct zpv_progress *progress, char *line, size_t size,
		     struct zpv_err *err)
{
	size_t len = 0;

	while (len < size) {
		ssize_t n = recv(fd, line + len, 1, 0);

		if (n < 0 && errno == EINTR) {
			if (progress && progress->update(progress->ctx, 0, 0))
				return cancelled(err);
			continue;
		}
		if (n < 0)
			return err_errno(err, ZPV_ERR_FORMAT, "cannot read the VM's answer");
		if (n == 0)
			return err_set(err, ZPV_ERR_FORMAT, "the VM has ended without an answer");
		if (line[len] == '\n') {
			line[len] = '\0';
			return 0;
		}
		len++;
	}
	return err_set(err, ZPV_ERR_FORMAT, "the VM's answer is longer than %zu bytes", size);
}

static int tell_progress(json_object *o, const struct zpv_progress *progress, struct zpv_err *err)
{
	json_object *data = json_object_object_get(o, "data");

	if (progress &&
	    progress->update(progress->ctx,
			     (uint64_t)json_object_get_int64(json_object_object_get(data, "done")),
			     (uint64_t)json_object_get_int64(json_object_object_get(data, "total"))))
		return cancelled(err);
	return 0;
}

/* Return: 1 when the answer has not come yet. */
static int take_line(const char *line, const struct zpv_progress *progress, json_object **out,
		     struct zpv_err *err)
{
	json_object *o = json_tokener_parse(line), *value;
	int rc = 1;

	if (json_object_object_get_ex(o, "return", &value)) {
		*out = json_object_get(value);
		rc = 0;
	} else if (json_object_object_get_ex(o, "error", &value)) {
		const char *text = json_object_get_string(json_object_object_get(value, "text"));

		rc = err_set(err, ZPV_ERR_FORMAT, "%s", text ? text : "the VM refuses");
	} else if (json_object_object_get_ex(o, "event", &value)) {
		rc = tell_progress(o, progress, err);
		rc = rc ? rc : 1;
	} else {
		rc = err_set(err, ZPV_ERR_FORMAT, "what answers is not a VM: '%.100s'", line);
	}
	json_object_put(o);
	return rc;
}

int vm_command(const char *path, const char *command, json_object *args,
	       const struct zpv_progress *progress, json_object **out, struct zpv_err *err)
{
	static const size_t size = CONTROL_LINE_BYTES;
	AUTO_FD fd = open_socket(path, err);
	char *line;
	int rc;

	if (fd < 0) {
		json_object_put(args);
		return fd;
	}
	line = malloc(size);
	rc = send_request(fd, command, args, err);
	if (!rc && !line)
		rc = err_set(err, ZPV_ERR_NOMEM, "no memory");
	if (!rc)
		rc = 1;
	while (rc == 1) {
		rc = read_line(fd, progress, line, size, err);
		if (!rc)
			rc = take_line(line, progress, out, err);
	}
	free(line);
	return rc;
}
