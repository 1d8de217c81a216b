/* SPDX-License-Identifier: MIT */
/*
 * What the unit tests share: checks that name the row of a table, and a folder for files.
 */
#ifndef TESTS_UNIT_UNIT_H
#define TESTS_UNIT_UNIT_H

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <zpv/error.h>

#include "compiler.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define UNIT_SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define UNIT_SANITIZED true
#endif
#endif
#ifndef UNIT_SANITIZED
#define UNIT_SANITIZED false /* true: the sanitizer's mlock() does nothing */
#endif

/* --- Checks of a row ------------------------------------------------------------------------- */

#define row_true(row, cond)                                  \
	do {                                                 \
		if (!(cond))                                 \
			fail_msg("[%s] not %s", row, #cond); \
	} while (0)

#define row_int(row, got, want)                                                          \
	do {                                                                             \
		long long got_ = (long long)(got), want_ = (long long)(want);            \
		if (got_ != want_)                                                       \
			fail_msg("[%s] %s is %#llx, not %#llx", row, #got, got_, want_); \
	} while (0)

#define row_str(row, got, want)                                                        \
	do {                                                                           \
		const char *got_ = (got), *want_ = (want);                             \
		if (!got_ || strcmp(got_, want_) != 0)                                 \
			fail_msg("[%s] %s is '%s', not '%s'", row, #got, got_, want_); \
	} while (0)

#define row_has(row, got, want)                                                            \
	do {                                                                               \
		const char *got_ = (got), *want_ = (want);                                 \
		if (!got_ || !strstr(got_, want_))                                         \
			fail_msg("[%s] %s is '%s', without '%s'", row, #got, got_, want_); \
	} while (0)

#define row_mem(row, got, want, len)                                                             \
	do {                                                                                     \
		size_t at_ = unit_differs(got, want, len);                                       \
		if (at_ < (len))                                                                 \
			fail_msg("[%s] %s differs from %s at byte %#zx", row, #got, #want, at_); \
	} while (0)

/* The call succeeded; otherwise its error is told. */
#define row_ok(row, rc, err)                                                      \
	do {                                                                      \
		int rc_ = (rc);                                                   \
		if (rc_ != 0)                                                     \
			fail_msg("[%s] %s is %d: %s", row, #rc, rc_, (err).text); \
	} while (0)

/* The call failed with this code and this text; the error object agrees. */
#define row_err(row, rc, err, want_code, want_text)                                           \
	do {                                                                                  \
		int rc_ = (rc);                                                               \
		if (rc_ != -(int)(want_code) || (err).code != (int)(want_code))               \
			fail_msg("[%s] %s is %d, error code %d, not %d: '%s'", row, #rc, rc_, \
				 (err).code, (int)(want_code), (err).text);                   \
		row_str(row, (err).text, want_text);                                          \
	} while (0)

UNUSED static inline size_t unit_differs(const void *a, const void *b, size_t len)
{
	const uint8_t *x = a, *y = b;
	size_t i = 0;

	while (i < len && x[i] == y[i])
		i++;
	return i;
}

/* --- Bytes ----------------------------------------------------------------------------------- */

struct unit_bytes {
	uint8_t *data;
	size_t len;
};

UNUSED static inline void unit_bytes_free(struct unit_bytes *b)
{
	free(b->data);
}

#define AUTO_BYTES __attribute__((cleanup(unit_bytes_free))) struct unit_bytes

static inline unsigned int unit_digit(char c)
{
	return (unsigned int)(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
}

/* From hexadecimal digits, any case; blanks are passed over. */
UNUSED static inline struct unit_bytes unit_hex(const char *text)
{
	struct unit_bytes b = { malloc(strlen(text) / 2 + 1), 0 };
	size_t digits = 0;

	assert_non_null(b.data);
	for (; *text; text++) {
		if (*text == ' ')
			continue;
		if (digits % 2 == 0)
			b.data[b.len] = (uint8_t)(unit_digit(*text) << 4);
		else
			b.data[b.len++] |= (uint8_t)unit_digit(*text);
		digits++;
	}
	assert_int_equal(digits % 2, 0);
	return b;
}

/* Bytes that repeat late and are no zeros in a row. */
UNUSED static inline void unit_pattern(uint8_t *data, size_t len, uint32_t seed)
{
	for (size_t i = 0; i < len; i++) {
		seed = seed * 1664525 + 1013904223;
		data[i] = (uint8_t)(seed >> 24);
	}
}

/* --- Files ----------------------------------------------------------------------------------- */

/* A folder of the running test, and paths in it. */
struct unit_dir {
	char path[200];
};

/* Removes a folder below the folder at, and all in it; links are not followed. */
static inline void unit_remove_at(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
		    unlinkat(fd, e->d_name, 0) != 0)
			unit_remove_at(fd, e->d_name);
	if (d)
		closedir(d);
	unlinkat(at, name, AT_REMOVEDIR);
}

static inline void unit_remove_all(const char *dir)
{
	unit_remove_at(AT_FDCWD, dir);
}

/* For cmocka_unit_test_setup_teardown(): *state becomes a struct unit_dir. */
UNUSED static inline int unit_dir_setup(void **state)
{
	struct unit_dir *d = malloc(sizeof(*d));
	const char *tmp = getenv("TMPDIR");

	if (!d)
		return -1;
	if (!tmp || !*tmp) /* many files are synced, so rather no disk */
		tmp = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	snprintf(d->path, sizeof(d->path), "%s/zpv-unit-XXXXXX", tmp);
	*state = d;
	return mkdtemp(d->path) ? 0 : -1;
}

UNUSED static inline int unit_dir_teardown(void **state)
{
	struct unit_dir *d = *state;

	unit_remove_all(d->path);
	free(d);
	return 0;
}

#define unit_test_dir(f) cmocka_unit_test_setup_teardown(f, unit_dir_setup, unit_dir_teardown)

struct unit_path {
	char s[512];
};

/* The path of a name in the test's folder. */
UNUSED static inline struct unit_path unit_in(void *const *state, const char *name)
{
	const struct unit_dir *d = *state;
	struct unit_path p;

	snprintf(p.s, sizeof(p.s), "%s/%s", d->path, name);
	return p;
}

/* The path of a golden file; ZPV_GOLDEN is set by the build. */
UNUSED static inline struct unit_path unit_golden(const char *name)
{
	const char *dir = getenv("ZPV_GOLDEN");
	struct unit_path p;

	if (!dir)
		fail_msg("the environment has no ZPV_GOLDEN");
	snprintf(p.s, sizeof(p.s), "%s/se-image/%s", dir, name);
	return p;
}

UNUSED static inline bool unit_exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

/* Names in the test's folder, without "." and "..". */
UNUSED static inline size_t unit_count_files(void *const *state)
{
	const struct unit_dir *dir = *state;
	DIR *d = opendir(dir->path);
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

UNUSED static inline void unit_write(const char *path, const void *data, size_t len)
{
	FILE *f = fopen(path, "wb");

	if (!f || fwrite(data, 1, len, f) != len || fclose(f) != 0)
		fail_msg("cannot write %s", path);
}

UNUSED static inline struct unit_bytes unit_read(const char *path)
{
	FILE *f = fopen(path, "rb");
	struct unit_bytes b = { NULL, 0 };
	struct stat st;

	if (!f || fstat(fileno(f), &st) != 0) {
		fail_msg("cannot open %s", path);
		abort(); /* not reached: fail_msg() does not return, which an analyzer cannot know */
	}
	b.len = (size_t)st.st_size;
	b.data = malloc(b.len + 1);
	if (!b.data)
		abort();
	assert_int_equal(fread(b.data, 1, b.len, f), b.len);
	fclose(f);
	return b;
}

UNUSED static inline unsigned int unit_perm(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 ? st.st_mode & 07777 : 0;
}

#endif
