/* SPDX-License-Identifier: MIT */
/*
 * Reading and writing files whole, with errors that name the file.
 */
#ifndef BASE_IO_H
#define BASE_IO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "buf.h"
#include "compiler.h"

struct zpv_err;

/* A file descriptor that closes itself. */
UNUSED void io_close_fd(int *fd);
#define AUTO_FD __attribute__((cleanup(io_close_fd))) int

/* Opens path for reading, close-on-exec; returns the descriptor or a negative code. */
int io_open_read(const char *path, struct zpv_err *err) MUST_CHECK;

/* Reads up to len bytes, less only at the end of the file; returns the count or -1 with errno. */
ssize_t io_read_full(int fd, void *data, size_t len);
ssize_t io_pread_full(int fd, void *data, size_t len, uint64_t off);

/* Writes all of len bytes; returns 0 or -1 with errno. */
int io_write_full(int fd, const void *data, size_t len);
int io_pwrite_full(int fd, const void *data, size_t len, uint64_t off);

/* Reads the whole file into out; a file of more than max bytes is refused (ZPV_ERR_FORMAT). */
int io_read_file(const char *path, size_t max, struct buf *out, struct zpv_err *err) MUST_CHECK;

#endif
