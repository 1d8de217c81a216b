// SPDX-License-Identifier: MIT
/*
 * Whole reads and writes: short counts, interruptions, limits.
 */
#include "io.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "unit.h"

#define BIG (300u * 1024) /* more than a pipe holds */

struct writer {
	int fd;
	const uint8_t *data;
	size_t len, chunk;
};

static void *write_chunks(void *arg)
{
	const struct writer *w = arg;

	for (size_t at = 0; at < w->len; at += w->chunk) {
		size_t n = w->len - at < w->chunk ? w->len - at : w->chunk;

		if (write(w->fd, w->data + at, n) != (ssize_t)n)
			break;
	}
	close(w->fd);
	return NULL;
}

static void test_read_full_from_a_pipe(void **state)
{
	static const struct {
		const char *name;
		size_t len, chunk, ask;
	} rows[] = {
		{ "small chunks", 5000, 7, 5000 },   { "end before", 5000, 4096, 6000 },
		{ "less than there", 100, 100, 60 }, { "empty", 0, 1, 10 },
		{ "large", BIG, 4096, BIG },
	};
	static uint8_t data[BIG], got[BIG];

	(void)state;
	unit_pattern(data, sizeof(data), 3);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct writer w = { .data = data, .len = rows[i].len, .chunk = rows[i].chunk };
		size_t want = rows[i].len < rows[i].ask ? rows[i].len : rows[i].ask;
		pthread_t thread;
		int fd[2];

		assert_int_equal(pipe(fd), 0);
		w.fd = fd[1];
		assert_int_equal(pthread_create(&thread, NULL, write_chunks, &w), 0);
		row_int(rows[i].name, io_read_full(fd[0], got, rows[i].ask), want);
		row_mem(rows[i].name, got, data, want);
		pthread_join(thread, NULL);
		close(fd[0]);
	}
}

struct reader {
	int fd;
	uint8_t got[BIG];
	ssize_t n;
};

static void *read_all(void *arg)
{
	struct reader *r = arg;

	usleep(20000);
	r->n = io_read_full(r->fd, r->got, sizeof(r->got));
	return NULL;
}

static void test_write_full_to_a_pipe(void **state)
{
	static uint8_t data[BIG];
	static struct reader r;
	pthread_t thread;
	int fd[2];

	(void)state;
	unit_pattern(data, sizeof(data), 4);
	assert_int_equal(pipe(fd), 0);
	r.fd = fd[0];
	assert_int_equal(pthread_create(&thread, NULL, read_all, &r), 0);
	assert_int_equal(io_write_full(fd[1], data, sizeof(data)), 0);
	close(fd[1]);
	pthread_join(thread, NULL);
	close(fd[0]);
	assert_int_equal(r.n, sizeof(data));
	assert_memory_equal(r.got, data, sizeof(data));
}

static void on_signal(int sig)
{
	(void)sig;
}

/* A child interrupts the read several times before it writes. */
static void test_interrupted_read(void **state)
{
	const struct sigaction act = { .sa_handler = on_signal }; /* no SA_RESTART */
	uint8_t got[4] = { 0 };
	pid_t parent = getpid(), child;
	int fd[2];

	(void)state;
	assert_int_equal(sigaction(SIGUSR1, &act, NULL), 0);
	assert_int_equal(pipe(fd), 0);
	child = fork();
	if (child == 0) {
		for (int i = 0; i < 3; i++) {
			usleep(10000);
			kill(parent, SIGUSR1);
			if (write(fd[1], "x", 1) != 1)
				_exit(1);
		}
		_exit(0);
	}
	close(fd[1]);
	assert_int_equal(io_read_full(fd[0], got, sizeof(got)), 3);
	assert_memory_equal(got, "xxx", 4);
	close(fd[0]);
	waitpid(child, NULL, 0);
}

static void test_positioned(void **state)
{
	struct unit_path path = unit_in(state, "f");
	uint8_t got[10];
	AUTO_FD fd = open(path.s, O_RDWR | O_CREAT, 0600);

	assert_true(fd >= 0);
	assert_int_equal(io_pwrite_full(fd, "world", 5, 6), 0);
	assert_int_equal(io_pwrite_full(fd, "hello ", 6, 0), 0);
	assert_int_equal(io_pread_full(fd, got, sizeof(got), 4), 7);
	assert_memory_equal(got, "o world", 7);
	assert_int_equal(io_pread_full(fd, got, sizeof(got), 11), 0);
	assert_int_equal(io_pread_full(fd, got, 0, 0), 0);
}

static void test_failures_leave_errno(void **state)
{
	uint8_t byte = 0;

	(void)state;
	errno = 0;
	assert_int_equal(io_read_full(-1, &byte, 1), -1);
	assert_int_equal(errno, EBADF);
	errno = 0;
	assert_int_equal(io_pread_full(-1, &byte, 1, 0), -1);
	assert_int_equal(errno, EBADF);
	errno = 0;
	assert_int_equal(io_write_full(-1, &byte, 1), -1);
	assert_int_equal(errno, EBADF);
	errno = 0;
	assert_int_equal(io_pwrite_full(-1, &byte, 1, 0), -1);
	assert_int_equal(errno, EBADF);
}

static void test_read_file_sizes(void **state)
{
	static const struct {
		const char *name;
		size_t size, max;
		bool ok;
	} rows[] = {
		{ "empty", 0, 0, true },
		{ "one byte", 1, 100, true },
		{ "at the limit", 100, 100, true },
		{ "above the limit", 101, 100, false },
		{ "one step less one", 65535, 1 << 20, true },
		{ "one step", 65536, 1 << 20, true },
		{ "one step and one", 65537, 1 << 20, true },
		{ "several steps", 200000, 200000, true },
		{ "several steps, too large", 200001, 200000, false },
	};
	struct unit_path path = unit_in(state, "f");
	static uint8_t data[200001];

	unit_pattern(data, sizeof(data), 5);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO_BUF b = BUF_INIT;
		struct zpv_err err = { 0 };
		char want[700];
		int rc;

		unit_write(path.s, data, rows[i].size);
		rc = io_read_file(path.s, rows[i].max, &b, &err);
		if (rows[i].ok) {
			row_ok(rows[i].name, rc, err);
			row_int(rows[i].name, b.len, rows[i].size);
			row_mem(rows[i].name, b.data, data, b.len);
			continue;
		}
		snprintf(want, sizeof(want), "'%s' is larger than the %zu bytes allowed", path.s,
			 rows[i].max);
		row_err(rows[i].name, rc, err, ZPV_ERR_FORMAT, want);
	}
}

static void test_read_file_failures(void **state)
{
	const struct unit_dir *dir = *state;
	struct unit_path none = unit_in(state, "none");
	AUTO_BUF b = BUF_INIT;
	struct zpv_err err;
	char want[700];

	snprintf(want, sizeof(want), "cannot open '%s': No such file or directory", none.s);
	row_err("missing", io_read_file(none.s, 1, &b, &err), err, ZPV_ERR_IO, want);
	snprintf(want, sizeof(want), "cannot read '%s': Is a directory", dir->path);
	row_err("folder", io_read_file(dir->path, 1, &b, &err), err, ZPV_ERR_IO, want);
	row_err("endless", io_read_file("/dev/zero", 1000, &b, &err), err, ZPV_ERR_FORMAT,
		"'/dev/zero' is larger than the 1000 bytes allowed");
}

static void test_open_read(void **state)
{
	struct unit_path path = unit_in(state, "f");
	struct zpv_err err;
	int fd;

	unit_write(path.s, "x", 1);
	fd = io_open_read(path.s, &err);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	io_close_fd(&fd);
	assert_int_equal(fd, -1);
	io_close_fd(&fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_full_from_a_pipe),
		cmocka_unit_test(test_write_full_to_a_pipe),
		cmocka_unit_test(test_interrupted_read),
		unit_test_dir(test_positioned),
		cmocka_unit_test(test_failures_leave_errno),
		unit_test_dir(test_read_file_sizes),
		unit_test_dir(test_read_file_failures),
		unit_test_dir(test_open_read),
	};

	return cmocka_run_group_tests_name("base/io", tests, NULL, NULL);
}
