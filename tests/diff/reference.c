// SPDX-License-Identifier: MIT
/*
 * The reference: the runner under qemu-s390x, as a child that gets cases and answers results.
 */
#include "diff.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 10000

static const char *qemu_path, *runner_path;
static pid_t child;
static int to_child = -1, from_child = -1;

static void swap64s(uint64_t *v, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		v[i] = to_be64(v[i]);
}

static void swap32s(uint32_t *v, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		v[i] = to_be32(v[i]);
}

bool reference_start(const char *qemu, const char *runner)
{
	int in[2], out[2];

	qemu_path = qemu;
	runner_path = runner;
	signal(SIGPIPE, SIG_IGN);
	if (pipe(in) != 0 || pipe(out) != 0)
		return false;
	child = fork();
	if (child < 0)
		return false;
	if (child == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		close(in[1]);
		close(out[0]);
		execlp(qemu, qemu, runner, (char *)NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	to_child = in[1];
	from_child = out[0];
	return true;
}

void reference_stop(void)
{
	if (to_child < 0)
		return;
	close(to_child);
	close(from_child);
	to_child = from_child = -1;
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static bool write_all(const void *from, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = write(to_child, (const uint8_t *)from + done, len - done);

		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

static bool read_all(void *to, size_t len)
{
	for (size_t done = 0; done < len;) {
		struct pollfd p = { .fd = from_child, .events = POLLIN };
		ssize_t n;

		if (poll(&p, 1, PATIENCE_MS) != 1)
			return false;
		n = read(from_child, (uint8_t *)to + done, len - done);
		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

bool reference_send(const struct test *t, unsigned int n)
{
	static struct diff_case wire[DIFF_BATCH];
	uint32_t count = to_be32(n);

	if (to_child < 0 && !reference_start(qemu_path, runner_path))
		return false;
	for (unsigned int i = 0; i < n; i++) {
		wire[i] = t[i].c;
		swap64s((uint64_t *)(void *)&wire[i], DIFF_CASE_U64);
		swap32s(wire[i].ar, DIFF_CASE_U32);
	}
	return write_all(&count, sizeof(count)) && write_all(wire, n * sizeof(wire[0]));
}

bool reference_receive(struct outcome *out, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		struct diff_result *r = &out[i].r;

		if (!read_all(r, sizeof(*r)))
			return false;
		swap64s((uint64_t *)(void *)r, DIFF_RESULT_U64);
		swap32s(r->ar, DIFF_RESULT_U32);
		if (r->words > DIFF_MAX_WORDS || !read_all(out[i].w, r->words * sizeof(*out[i].w)))
			return false;
		swap64s((uint64_t *)(void *)out[i].w, 2 * r->words);
	}
	return true;
}
