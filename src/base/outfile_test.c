// SPDX-License-Identifier: MIT
/*
 * Files that appear whole or not at all, and what is never replaced.
 */
#include "outfile.h"

#include <sys/wait.h>

#include "unit.h"

static void put(const struct outfile *f, const char *text)
{
	assert_int_equal(write(outfile_fd(f), text, strlen(text)), strlen(text));
}

static void assert_content(const char *path, const char *want)
{
	AUTO_BYTES b = unit_read(path);

	assert_int_equal(b.len, strlen(want));
	assert_memory_equal(b.data, want, b.len);
}

static void test_commit(void **state)
{
	struct unit_path path = unit_in(state, "out"), part = unit_in(state, "out.part");
	AUTO(outfile) struct outfile *f = NULL;
	struct zpv_err err;

	row_ok("open", outfile_open(path.s, 0644, OUTFILE_NO_CLOBBER, &f, &err), err);
	put(f, "content");
	assert_true(unit_exists(part.s));
	assert_false(unit_exists(path.s));
	row_ok("commit", outfile_commit(f, &err), err);
	assert_false(unit_exists(part.s));
	assert_content(path.s, "content");
	outfile_free(STEAL(f));
	assert_content(path.s, "content");
}

static void test_abort_removes_the_part(void **state)
{
	struct unit_path path = unit_in(state, "out");
	struct outfile *f;
	struct zpv_err err;

	row_ok("open", outfile_open(path.s, 0644, OUTFILE_NO_CLOBBER, &f, &err), err);
	put(f, "content");
	outfile_free(f);
	assert_int_equal(unit_count_files(state), 0);
	outfile_free(NULL);
}

static void test_no_clobber(void **state)
{
	struct unit_path path = unit_in(state, "out");
	struct outfile *f = NULL;
	struct zpv_err err;
	char want[700];

	unit_write(path.s, "old", 3);
	snprintf(want, sizeof(want), "'%s' exists already", path.s);
	row_err("open", outfile_open(path.s, 0644, OUTFILE_NO_CLOBBER, &f, &err), err,
		ZPV_ERR_EXISTS, want);
	assert_null(f);
	assert_content(path.s, "old");
	assert_int_equal(unit_count_files(state), 1);
}

static void test_replace(void **state)
{
	struct unit_path path = unit_in(state, "out");
	AUTO(outfile) struct outfile *f = NULL;
	struct zpv_err err;

	unit_write(path.s, "old", 3);
	row_ok("open", outfile_open(path.s, 0644, OUTFILE_REPLACE, &f, &err), err);
	put(f, "new content");
	assert_content(path.s, "old");
	row_ok("commit", outfile_commit(f, &err), err);
	assert_content(path.s, "new content");
}

static void test_abort_of_replace_keeps_the_old(void **state)
{
	struct unit_path path = unit_in(state, "out");
	struct outfile *f;
	struct zpv_err err;

	unit_write(path.s, "old", 3);
	row_ok("open", outfile_open(path.s, 0644, OUTFILE_REPLACE, &f, &err), err);
	put(f, "new");
	outfile_free(f);
	assert_content(path.s, "old");
	assert_int_equal(unit_count_files(state), 1);
}

/* Somebody else makes the target between open and commit. */
static void test_exists_at_commit(void **state)
{
	struct unit_path path = unit_in(state, "out");
	struct outfile *f;
	struct zpv_err err;
	char want[700];

	row_ok("open", outfile_open(path.s, 0644, OUTFILE_NO_CLOBBER, &f, &err), err);
	put(f, "mine");
	unit_write(path.s, "theirs", 6);
	snprintf(want, sizeof(want), "'%s' exists already", path.s);
	row_err("commit", outfile_commit(f, &err), err, ZPV_ERR_EXISTS, want);
	outfile_free(f);
	assert_content(path.s, "theirs");
	assert_int_equal(unit_count_files(state), 1);
}

static void test_target_becomes_a_folder(void **state)
{
	struct unit_path path = unit_in(state, "out");
	struct outfile *f;
	struct zpv_err err;
	char want[700];

	row_ok("open", outfile_open(path.s, 0644, OUTFILE_REPLACE, &f, &err), err);
	assert_int_equal(mkdir(path.s, 0755), 0);
	snprintf(want, sizeof(want), "'%s' is not a regular file; it is not replaced", path.s);
	row_err("commit", outfile_commit(f, &err), err, ZPV_ERR_IO, want);
	outfile_free(f);
	assert_int_equal(unit_count_files(state), 1);
}

static void test_stale_part_is_taken_over(void **state)
{
	struct unit_path path = unit_in(state, "out"), part = unit_in(state, "out.part");
	AUTO(outfile) struct outfile *f = NULL;
	struct zpv_err err;

	unit_write(part.s, "left behind by a killed writer", 30);
	assert_int_equal(chmod(part.s, 0644), 0);
	row_ok("open", outfile_open(path.s, 0600, OUTFILE_NO_CLOBBER, &f, &err), err);
	assert_int_equal(unit_perm(part.s), 0600);
	put(f, "short");
	row_ok("commit", outfile_commit(f, &err), err);
	assert_content(path.s, "short");
	assert_int_equal(unit_perm(path.s), 0600);
}

/* A child holds the part; it says so through one pipe and waits for the end of the other. */
static pid_t other_writer(const char *path, int *release)
{
	int ready[2], go[2];
	char byte;
	pid_t child;

	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(go), 0);
	child = fork();
	if (child == 0) {
		struct outfile *f;
		int rc = outfile_open(path, 0600, OUTFILE_NO_CLOBBER, &f, NULL);

		close(go[1]);
		if (rc == 0 && write(outfile_fd(f), "child", 5) == 5 &&
		    write(ready[1], "r", 1) == 1)
			(void)!read(go[0], &byte, 1);
		if (rc == 0 && outfile_commit(f, NULL) == 0)
			outfile_free(f);
		_exit(rc ? 1 : 0);
	}
	close(ready[1]);
	close(go[0]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	*release = go[1];
	return child;
}

static void test_two_processes(void **state)
{
	struct unit_path path = unit_in(state, "out"), part = unit_in(state, "out.part");
	struct outfile *f = NULL;
	struct zpv_err err;
	int release, status;
	pid_t child = other_writer(path.s, &release);
	char want[700];

	snprintf(want, sizeof(want), "'%s' is being written by another process", part.s);
	row_err("while written", outfile_open(path.s, 0600, OUTFILE_NO_CLOBBER, &f, &err), err,
		ZPV_ERR_IO, want);
	assert_content(part.s, "child"); /* neither removed nor emptied */
	close(release);
	waitpid(child, &status, 0);
	assert_int_equal(status, 0);
	assert_content(path.s, "child");
	assert_int_equal(unit_count_files(state), 1);
}

/* What lies at "<path>.part" and is not a plain file of one name stays untouched. */
static void test_part_in_the_way(void **state)
{
	struct unit_path path = unit_in(state, "out"), part = unit_in(state, "out.part");
	struct unit_path victim = unit_in(state, "victim");
	struct outfile *f = NULL;
	struct zpv_err err = { 0 };
	char want[700];

	unit_write(victim.s, "precious", 8);
	assert_int_equal(symlink(victim.s, part.s), 0);
	snprintf(want, sizeof(want), "cannot create '%s': Too many levels of symbolic links",
		 part.s);
	row_err("symlink", outfile_open(path.s, 0600, OUTFILE_REPLACE, &f, &err), err, ZPV_ERR_IO,
		want);
	assert_int_equal(unlink(part.s), 0);

	assert_int_equal(link(victim.s, part.s), 0);
	snprintf(want, sizeof(want), "'%s' is in the way and is no plain file", part.s);
	row_err("hard link", outfile_open(path.s, 0600, OUTFILE_REPLACE, &f, &err), err, ZPV_ERR_IO,
		want);
	assert_int_equal(unlink(part.s), 0);

	assert_int_equal(mkfifo(part.s, 0600), 0);
	row_err("fifo", outfile_open(path.s, 0600, OUTFILE_REPLACE, &f, &err), err, ZPV_ERR_IO,
		want);
	assert_int_equal(unlink(part.s), 0);

	assert_int_equal(mkdir(part.s, 0700), 0);
	snprintf(want, sizeof(want), "cannot create '%s': Is a directory", part.s);
	row_err("folder", outfile_open(path.s, 0600, OUTFILE_REPLACE, &f, &err), err, ZPV_ERR_IO,
		want);
	assert_content(victim.s, "precious");
	assert_null(f);
}

static void test_targets_that_are_not_files(void **state)
{
	struct unit_path fifo = unit_in(state, "fifo"), dir = unit_in(state, "dir");
	const char *const paths[] = { "/dev/null", fifo.s, dir.s };

	assert_int_equal(mkfifo(fifo.s, 0600), 0);
	assert_int_equal(mkdir(dir.s, 0700), 0);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		for (enum outfile_mode mode = OUTFILE_NO_CLOBBER; mode <= OUTFILE_REPLACE; mode++) {
			struct outfile *f = NULL;
			struct zpv_err err;
			char want[700];

			snprintf(want, sizeof(want),
				 "'%s' is not a regular file; it is not replaced", paths[i]);
			row_err(paths[i], outfile_open(paths[i], 0600, mode, &f, &err), err,
				ZPV_ERR_IO, want);
			row_true(paths[i], !f);
		}
	}
	assert_int_equal(unit_count_files(state), 2);
}

/* A symbolic link at the target is replaced itself; what it leads to stays. */
static void test_symlink_target(void **state)
{
	struct unit_path path = unit_in(state, "out"), victim = unit_in(state, "victim");
	struct zpv_err err;
	struct stat st;

	unit_write(victim.s, "precious", 8);
	assert_int_equal(symlink(victim.s, path.s), 0);
	row_ok("replace", outfile_write(path.s, 0644, OUTFILE_REPLACE, "new", 3, &err), err);
	assert_int_equal(lstat(path.s, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_content(path.s, "new");
	assert_content(victim.s, "precious");
}

/* A refusal touches no descriptor of the caller, not even number 0. */
static void test_refusal_closes_nothing(void **state)
{
	struct unit_path path = unit_in(state, "out"), none = unit_in(state, "none/out");
	int stdin_copy = dup(0), fd;
	struct outfile *f = NULL;

	assert_true(stdin_copy >= 0);
	fd = open("/dev/zero", O_RDONLY);
	assert_int_equal(dup2(fd, 0), 0);
	close(fd);
	unit_write(path.s, "old", 3);
	assert_int_equal(outfile_open(path.s, 0644, OUTFILE_NO_CLOBBER, &f, NULL), -ZPV_ERR_EXISTS);
	assert_int_equal(outfile_open(none.s, 0644, OUTFILE_NO_CLOBBER, &f, NULL), -ZPV_ERR_IO);
	assert_true(fcntl(0, F_GETFD) >= 0);
	assert_int_equal(dup2(stdin_copy, 0), 0);
	close(stdin_copy);
}

static void test_missing_folder(void **state)
{
	struct unit_path path = unit_in(state, "none/out");
	struct outfile *f = NULL;
	struct zpv_err err;
	char want[700];

	snprintf(want, sizeof(want), "cannot create '%s.part': No such file or directory", path.s);
	row_err("open", outfile_open(path.s, 0600, OUTFILE_NO_CLOBBER, &f, &err), err, ZPV_ERR_IO,
		want);
}

static void test_permissions(void **state)
{
	static const struct {
		const char *name;
		mode_t asked, umask;
		unsigned int want;
	} rows[] = {
		{ "secret", 0600, 022, 0600 },
		{ "secret with an odd umask", 0600, 0477, 0600 },
		{ "public", 0666, 022, 0644 },
		{ "public with a strict umask", 0666, 077, 0600 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct unit_path path = unit_in(state, rows[i].name);
		mode_t old = umask(rows[i].umask);
		struct zpv_err err;
		int rc = outfile_write(path.s, rows[i].asked, OUTFILE_NO_CLOBBER, "x", 1, &err);

		umask(old);
		row_ok(rows[i].name, rc, err);
		row_int(rows[i].name, unit_perm(path.s), rows[i].want);
	}
}

static void test_write(void **state)
{
	struct unit_path path = unit_in(state, "out");
	struct zpv_err err;

	row_ok("new", outfile_write(path.s, 0644, OUTFILE_NO_CLOBBER, "one", 3, &err), err);
	assert_content(path.s, "one");
	assert_int_equal(outfile_write(path.s, 0644, OUTFILE_NO_CLOBBER, "two", 3, &err),
			 -ZPV_ERR_EXISTS);
	assert_content(path.s, "one");
	row_ok("replace", outfile_write(path.s, 0644, OUTFILE_REPLACE, "", 0, &err), err);
	assert_content(path.s, "");
	assert_int_equal(unit_count_files(state), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		unit_test_dir(test_commit),
		unit_test_dir(test_abort_removes_the_part),
		unit_test_dir(test_no_clobber),
		unit_test_dir(test_replace),
		unit_test_dir(test_abort_of_replace_keeps_the_old),
		unit_test_dir(test_exists_at_commit),
		unit_test_dir(test_target_becomes_a_folder),
		unit_test_dir(test_stale_part_is_taken_over),
		unit_test_dir(test_two_processes),
		unit_test_dir(test_part_in_the_way),
		unit_test_dir(test_targets_that_are_not_files),
		unit_test_dir(test_symlink_target),
		unit_test_dir(test_refusal_closes_nothing),
		unit_test_dir(test_missing_folder),
		unit_test_dir(test_permissions),
		unit_test_dir(test_write),
	};

	return cmocka_run_group_tests_name("base/outfile", tests, NULL, NULL);
}
