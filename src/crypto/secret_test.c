// SPDX-License-Identifier: MIT
/*
 * Secret memory: locked, not dumped, not inherited, guarded, cleansed; and key files.
 *
 * The build wraps munmap() (ld --wrap), so that what is given back can be looked at.
 */
#define _GNU_SOURCE
#include "secret.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "unit.h"

/* --- munmap() -------------------------------------------------------------------------------- */

int __real_munmap(void *addr, size_t len);
int __wrap_munmap(void *addr, size_t len);

static uint8_t *watched; /* what to look at when it is unmapped */
static size_t watched_len;
static bool seen_unmapped, seen_zero;

int __wrap_munmap(void *addr, size_t len)
{
	uint8_t *map = addr;

	if (watched && map <= watched && watched < map + len) {
		seen_unmapped = true;
		seen_zero = true;
		for (size_t i = 0; i < watched_len; i++)
			seen_zero = seen_zero && watched[i] == 0;
		watched = NULL;
	}
	return __real_munmap(addr, len);
}

static void test_cleansed_on_free(void **state)
{
	static const size_t sizes[] = { 1, 32, 64, 4080, 4096, 65536 };
	struct zpv_err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct secret *s;

		row_ok("new", secret_new(sizes[i], &s, &err), err);
		memset(secret_data(s), 0xa5, sizes[i]);
		watched = secret_data(s);
		watched_len = sizes[i];
		seen_unmapped = false;
		secret_free(s);
		assert_true(seen_unmapped);
		assert_true(seen_zero);
	}
	secret_free(NULL);
}

/* --- Pages ----------------------------------------------------------------------------------- */

/* Calls f in a child; returns the wait status. Signals have their default actions there. */
static int in_child(void (*f)(const void *), const void *arg)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		signal(SIGSEGV, SIG_DFL);
		signal(SIGBUS, SIG_DFL);
		f(arg);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

/* Reads through a pointer that tools cannot follow. */
static void touch(const void *p)
{
	const volatile uint8_t *byte = p;

	(void)*byte;
}

struct guard {
	size_t len;
	bool behind;
};

static void touch_guard(const void *arg)
{
	const struct guard *g = arg;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct secret *s;
	uintptr_t at;

	if (secret_new(g->len, &s, NULL) != 0)
		_exit(2);
	at = (uintptr_t)secret_data(s);
	touch((const void *)at);
	touch((const void *)(at + g->len - 1));
	at = at / page * page;
	if (g->behind)
		touch((const void *)(at + (g->len + 64 + page - 1) / page * page));
	else
		touch((const void *)(at - 1));
	_exit(3);
}

static void test_guard_pages(void **state)
{
	static const struct guard rows[] = {
		{ 32, false },
		{ 32, true },
		{ 8192, false },
		{ 8192, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int status = in_child(touch_guard, &rows[i]);

		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSEGV)
			fail_msg("%zu bytes, %s: status %#x, not SIGSEGV", rows[i].len,
				 rows[i].behind ? "behind" : "before", (unsigned int)status);
	}
}

static void test_not_inherited(void **state)
{
	AUTO(secret) struct secret *s = NULL;
	struct zpv_err err;
	int status;

	(void)state;
	row_ok("new", secret_new(32, &s, &err), err);
	touch(secret_bytes(s));
	status = in_child(touch, secret_bytes(s));
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSEGV);
}

/* The line "VmFlags:" of the mapping that p lies in. */
static void vm_flags(const void *p, char *out, size_t size)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	bool inside = false;
	char line[512];

	assert_non_null(f);
	out[0] = '\0';
	while (fgets(line, sizeof(line), f)) {
		unsigned long from, to;

		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			inside = from <= (uintptr_t)p && (uintptr_t)p < to;
		else if (inside && strncmp(line, "VmFlags:", 8) == 0)
			snprintf(out, size, "%s", line);
	}
	fclose(f);
}

static void test_page_flags(void **state)
{
	static const struct {
		const char *flag, *meaning;
	} rows[] = {
		{ " lo", "locked" },
		{ " dd", "not dumped" },
		{ " dc", "not inherited" },
	};
	AUTO(secret) struct secret *s = NULL;
	struct zpv_err err;
	char flags[512];

	(void)state;
	row_ok("new", secret_new(10000, &s, &err), err);
	/* Sanitizers make mlock() do nothing. */
	for (size_t i = UNIT_SANITIZED; i < ARRAY_SIZE(rows); i++) {
		vm_flags(secret_bytes(s), flags, sizeof(flags));
		row_has(rows[i].meaning, flags, rows[i].flag);
		vm_flags(secret_bytes(s) + 9999, flags, sizeof(flags));
		row_has(rows[i].meaning, flags, rows[i].flag);
	}
}

/* --- Limits ---------------------------------------------------------------------------------- */

/* Takes secrets until there is no locked memory left, and writes what was said to a pipe. */
static void exhaust(const void *arg)
{
	const struct rlimit limit = { 65536, 65536 };
	const int *fd = arg;
	struct secret *s;
	struct zpv_err err = { 0 };
	int rc = 0, n = 0;

	if (setrlimit(RLIMIT_MEMLOCK, &limit) != 0 ||
	    (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0))
		_exit(2);
	while (rc == 0 && n++ < 100)
		rc = secret_new(4000, &s, &err);
	if (rc != -ZPV_ERR_NOMEM || n < 2 || n > 17 ||
	    write(*fd, err.text, strlen(err.text)) != (ssize_t)strlen(err.text))
		_exit(3);
}

static void test_no_locked_memory_left(void **state)
{
	char text[ZPV_ERR_TEXT_SIZE] = "";
	int fd[2];

	(void)state;
	assert_int_equal(pipe(fd), 0);
	assert_int_equal(in_child(exhaust, &fd[1]), 0);
	close(fd[1]);
	assert_true(read(fd[0], text, sizeof(text) - 1) > 0);
	close(fd[0]);
	row_has("text", text, "cannot lock memory for a key (see the limit 'ulimit -l'): ");
}

static void test_impossible_size(void **state)
{
	struct secret *s = NULL;
	struct zpv_err err;

	(void)state;
	assert_int_equal(secret_new((size_t)1 << 60, &s, &err), -ZPV_ERR_NOMEM);
	row_has("text", err.text, "no memory for a key: ");
	assert_null(s);
}

/* --- Content --------------------------------------------------------------------------------- */

static void test_content(void **state)
{
	static const uint8_t bytes[32] = "0123456789abcdef0123456789abcde";
	static const uint8_t zeros[100];
	AUTO(secret) struct secret *zero = NULL;
	AUTO(secret) struct secret *copy = NULL;
	AUTO(secret) struct secret *same = NULL;
	AUTO(secret) struct secret *part = NULL;
	AUTO(secret) struct secret *r1 = NULL;
	AUTO(secret) struct secret *r2 = NULL;
	struct zpv_err err;

	(void)state;
	row_ok("new", secret_new(100, &zero, &err), err);
	assert_int_equal(secret_len(zero), 100);
	assert_memory_equal(secret_bytes(zero), zeros, 100);
	row_ok("copy", secret_copy(bytes, 32, &copy, &err), err);
	row_ok("same", secret_copy(bytes, 32, &same, &err), err);
	row_ok("part", secret_copy(bytes, 31, &part, &err), err);
	assert_memory_equal(secret_bytes(copy), bytes, 32);
	assert_ptr_equal(secret_data(copy), secret_bytes(copy));
	assert_true(secret_equal(copy, same));
	assert_false(secret_equal(copy, part));
	secret_data(same)[31] ^= 1;
	assert_false(secret_equal(copy, same));
	row_ok("random", secret_random(32, &r1, &err), err);
	row_ok("random", secret_random(32, &r2, &err), err);
	assert_false(secret_equal(r1, r2));
}

static void test_read_file(void **state)
{
	static const struct {
		const char *name;
		size_t size;
		const char *text; /* with the path for %s; NULL: it is the key */
	} rows[] = {
		{ "exact", 32, NULL },
		{ "empty", 0, "Invalid test key: '%s' has 0 bytes, not 32" },
		{ "one less", 31, "Invalid test key: '%s' has 31 bytes, not 32" },
		{ "one more", 33, "Invalid test key: '%s' has more than 32 bytes" },
		{ "many more", 100000, "Invalid test key: '%s' has more than 32 bytes" },
	};
	struct unit_path path = unit_in(state, "key");
	static uint8_t data[100000];

	unit_pattern(data, sizeof(data), 10);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(secret) struct secret *s = NULL;
		struct zpv_err err = { 0 };
		const char *mark = rows[i].text ? strstr(rows[i].text, "%s") : NULL;
		char want[700];
		int rc;

		unit_write(path.s, data, rows[i].size);
		rc = secret_read_file(path.s, "test key", 32, &s, &err);
		if (!rows[i].text) {
			row_ok(rows[i].name, rc, err);
			row_int(rows[i].name, secret_len(s), 32);
			row_mem(rows[i].name, secret_bytes(s), data, 32);
			continue;
		}
		snprintf(want, sizeof(want), "%.*s%s%s", (int)(mark - rows[i].text), rows[i].text,
			 path.s, mark + 2);
		row_err(rows[i].name, rc, err, ZPV_ERR_KEY, want);
		row_true(rows[i].name, !s);
	}
}

static void test_read_file_failures(void **state)
{
	const struct unit_dir *dir = *state;
	struct unit_path none = unit_in(state, "none");
	struct secret *s = NULL;
	struct zpv_err err;
	char want[700];

	snprintf(want, sizeof(want), "test key: cannot open '%s': No such file or directory",
		 none.s);
	row_err("missing", secret_read_file(none.s, "test key", 32, &s, &err), err, ZPV_ERR_IO,
		want);
	snprintf(want, sizeof(want), "test key: cannot read '%s': Is a directory", dir->path);
	row_err("folder", secret_read_file(dir->path, "test key", 32, &s, &err), err, ZPV_ERR_IO,
		want);
	assert_null(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_content),
		cmocka_unit_test(test_page_flags),
		cmocka_unit_test(test_guard_pages),
		cmocka_unit_test(test_not_inherited),
		cmocka_unit_test(test_cleansed_on_free),
		cmocka_unit_test(test_impossible_size),
		unit_test_dir(test_read_file),
		unit_test_dir(test_read_file_failures),
		/* Last: sanitizers make mlock() do nothing, then there is nothing to exhaust. */
		cmocka_unit_test(test_no_locked_memory_left),
	};

	return _cmocka_run_group_tests("crypto/secret", tests, ARRAY_SIZE(tests) - UNIT_SANITIZED,
				       NULL, NULL);
}
