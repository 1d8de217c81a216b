// SPDX-License-Identifier: MIT
/*
 * Whole reads and writes: short counts and EINTR are handled here and nowhere else.
 */
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "err.h"

void io_close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

int io_open_read(const char *path, struct zpv_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_errno(err, ZPV_ERR_IO, "cannot open '%s'", path);
	return fd;
}

ssize_t io_read_full(int fd, void *data, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = read(fd, (uint8_t *)data + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

ssize_t io_pread_full(int fd, void *data, size_t len, uint64_t off)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(fd, (uint8_t *)data + done, len - done, (off_t)(off + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

int io_write_full(int fd, const void *data, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = write(fd, (const uint8_t *)data + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		done += (size_t)n;
	}
	return 0;
}

int io_pwrite_full(int fd, const void *data, size_t len, uint64_t off)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n =
			pwrite(fd, (const uint8_t *)data + done, len - done, (off_t)(off + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		done += (size_t)n;
	}
	return 0;
}

int io_read_file(const char *path, size_t max, struct buf *out, struct zpv_err *err)
{
	AUTO_FD fd = io_open_read(path, err);

	if (fd < 0)
		return fd;
	for (;;) {
		size_t step = 65536;
		uint8_t *to = buf_extend(out, step);
		ssize_t n;

		if (!to)
			return err_set(err, ZPV_ERR_NOMEM, "no memory to read '%s'", path);
		n = io_read_full(fd, to, step);
		if (n < 0)
			return err_errno(err, ZPV_ERR_IO, "cannot read '%s'", path);
		out->len -= step - (size_t)n;
		if (out->len > max)
			return err_set(err, ZPV_ERR_FORMAT,
				       "'%s' is larger than the %zu bytes allowed", path, max);
		if ((size_t)n < step)
			return 0;
	}
}
