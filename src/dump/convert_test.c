// SPDX-License-Identifier: MIT
/*
 * Opened dumps: their headers, notes and memory byte by byte, in both formats; to files and pipes; and
 * that a failure leaves nothing behind. zgetdump's own output for such dumps had the same bytes.
 */
#include <pthread.h>
#include <stdatomic.h>

#include <zpv/log.h>

#include "dump_file.h"
#include "s390_dump.h"

static const struct df_spec one = { .loads = { { 0, "eszSZeezze", 0 } }, .ncpus = 2 };
static const struct df_spec holes = { .loads = { { 0x200000, "ees", 0 }, { 0, "zeszZee", 0x3000 } },
				      .ncpus = 1 };

struct opened {
	struct zpv_dump *d;
	int warnings;
};

static void count_warning(void *ctx, enum zpv_log_level level, const char *text)
{
	struct opened *o = ctx;

	(void)text;
	o->warnings += level == ZPV_LOG_WARN;
}

static void open_dump(void *const *state, const struct df *f, struct opened *o)
{
	struct zpv_log log = { count_warning, o };
	struct zpv_err err;

	df_write(state, f);
	o->warnings = 0;
	row_ok("open", zpv_dump_open(unit_in(state, "dump").s, &log, &o->d, &err), err);
	row_ok("unlock", zpv_dump_unlock(o->d, unit_in(state, "cck").s, &err), err);
}

static struct unit_bytes convert(void *const *state, const struct df_spec *spec,
				 enum zpv_dump_format format, int *warnings)
{
	struct unit_path out = unit_in(state, "out");
	const struct zpv_dump_convert to = { .format = format, .output = out.s, .overwrite = true };
	AUTO_DF f = df_build(spec);
	struct opened o;
	struct zpv_err err;

	open_dump(state, &f, &o);
	row_ok("convert", zpv_dump_convert(o.d, &to, &err), err);
	zpv_dump_close(o.d);
	assert_int_equal(unit_perm(out.s), 0600);
	if (warnings)
		*warnings = o.warnings;
	return unit_read(out.s);
}

static void assert_pages(const uint8_t *got, uint64_t addr, const char *pages)
{
	for (size_t i = 0; pages[i]; i++) {
		uint8_t want[DF_PAGE];

		df_page(want, addr + i * DF_PAGE, pages[i]);
		row_mem(pages, got + i * DF_PAGE, want, DF_PAGE);
	}
}

/* --- ELF ------------------------------------------------------------------------------------- */

static const struct elf_segment *phdr(const struct unit_bytes *b, size_t i)
{
	return (const struct elf_segment *)(const void *)(b->data + sizeof(struct elf_header)) + i;
}

static void assert_segment(const struct elf_segment *s, uint64_t off, uint64_t addr,
			   uint64_t filesz, uint64_t memsz)
{
	assert_int_equal(be32_get(s->type), ELF_SEGMENT_LOAD);
	assert_int_equal(be32_get(s->flags), 7);
	assert_int_equal(be64_get(s->offset), off);
	assert_int_equal(be64_get(s->vaddr), addr);
	assert_int_equal(be64_get(s->paddr), addr);
	assert_int_equal(be64_get(s->filesz), filesz);
	assert_int_equal(be64_get(s->memsz), memsz);
	assert_int_equal(be64_get(s->align), 4096);
}

static void test_elf_headers(void **state)
{
	AUTO_BYTES b = convert(state, &one, ZPV_DUMP_ELF, NULL);
	AUTO_BYTES want = unit_hex("7f454c4602020100 0000000000000000 00040016 00000001 "
				   "0000000000000000 0000000000000040 0000000000000000 00000000 "
				   "0040 0038 0002 0000 0000 0000");
	uint64_t notes = 64 + 2 * 56;
	uint64_t memory = notes + be64_get(phdr(&b, 0)->filesz);

	row_mem("header", b.data, want.data, want.len);
	assert_int_equal(want.len, 64);
	assert_int_equal(be32_get(phdr(&b, 0)->type), ELF_SEGMENT_NOTE);
	assert_int_equal(be64_get(phdr(&b, 0)->offset), notes);
	assert_int_equal(be64_get(phdr(&b, 0)->memsz), 0);
	assert_int_equal(be64_get(phdr(&b, 0)->align), 0);
	assert_segment(phdr(&b, 1), memory, 0, 10 * DF_PAGE, 10 * DF_PAGE);
	assert_int_equal(b.len, memory + 10 * DF_PAGE);
	assert_pages(b.data + memory, 0, one.loads[0].pages);
}

/* Compares the next note and moves behind it. */
static void next_note(const struct unit_bytes *b, size_t *at, const char *name, uint32_t type,
		      const void *desc, size_t len)
{
	struct df f = { 0 };

	df_note(&f, name, type, desc, len);
	assert_true(*at + f.len <= b->len);
	row_mem(name, b->data + *at, f.data, f.len);
	*at += f.len;
	df_free(&f);
}

static void cpu_notes(const struct unit_bytes *b, size_t *at, size_t i)
{
	const struct pv_dump_cpu c = df_plain_cpu(i, 0);
	struct note_prstatus status = { .psw_mask = c.psw_mask, .psw_addr = c.psw_addr };
	struct note_fpregset fp = { .fpc = c.fpc };
	struct note_gs_cb gs = { .gsd = c.gsd, .gssm = c.gssm, .gsepla = c.gsepla };
	be64 low[16];

	be32_set(&status.pid, (uint32_t)i + 1);
	memcpy(status.gr, c.gr, sizeof(status.gr));
	memcpy(status.ar, c.ar, sizeof(status.ar));
	for (int k = 0; k < 16; k++) {
		fp.fpr[k] = c.vr[k][0];
		low[k] = c.vr[k][1];
	}
	next_note(b, at, "CORE", 1, &status, 336);
	next_note(b, at, "CORE", 2, &fp, 136);
	next_note(b, at, "LINUX", 0x301, &c.timer, 8);
	next_note(b, at, "LINUX", 0x302, &c.ckc, 8);
	next_note(b, at, "LINUX", 0x303, &c.todpr, 4);
	next_note(b, at, "LINUX", 0x304, c.cr, 128);
	next_note(b, at, "LINUX", 0x305, &c.prefix, 4);
	next_note(b, at, "LINUX", 0x309, low, 128);
	next_note(b, at, "LINUX", 0x30a, c.vr[16], 256);
	next_note(b, at, "LINUX", 0x30b, &gs, 32);
}

static void test_elf_notes(void **state)
{
	AUTO_BYTES b = convert(state, &one, ZPV_DUMP_ELF, NULL);
	uint8_t info[136] = { [1] = 'R' };
	size_t at = 64 + 2 * 56, end = at + (size_t)be64_get(phdr(&b, 0)->filesz);

	memcpy(info + 40, "vmlinux", sizeof("vmlinux"));
	next_note(&b, &at, "CORE", 3, info, sizeof(info));
	cpu_notes(&b, &at, 0);
	cpu_notes(&b, &at, 1);
	assert_int_equal(at, end);
}

/* A range of zeros at the end has a segment of its own without bytes; ranges are in order. */
static void test_elf_holes(void **state)
{
	AUTO_BYTES b = convert(state, &holes, ZPV_DUMP_ELF, NULL);
	uint64_t memory = be64_get(phdr(&b, 0)->offset) + be64_get(phdr(&b, 0)->filesz);

	assert_int_equal(be16_get(((const struct elf_header *)(const void *)b.data)->phnum), 4);
	assert_segment(phdr(&b, 1), memory, 0, 7 * DF_PAGE, 7 * DF_PAGE);
	assert_segment(phdr(&b, 2), memory + 7 * DF_PAGE, 7 * DF_PAGE, 0, 3 * DF_PAGE);
	assert_segment(phdr(&b, 3), memory + 7 * DF_PAGE, 0x200000, 3 * DF_PAGE, 3 * DF_PAGE);
	assert_int_equal(b.len, memory + 10 * DF_PAGE);
	assert_pages(b.data + memory, 0, holes.loads[1].pages);
	assert_pages(b.data + memory + 7 * DF_PAGE, 0x200000, holes.loads[0].pages);
}

/* More segments than 16 bits count, read and written: their number is in section 0. */
static void test_many_segments(void **state)
{
	static const size_t n = 70000;
	static const struct df_spec spec = { .loads = { { 0, "s", 0 } },
					     .ncpus = 0,
					     .plain = true };
	AUTO_DF f = df_build(&spec);
	struct unit_path out = unit_in(state, "out");
	const struct zpv_dump_convert to = { .output = out.s };
	struct unit_bytes b;
	struct elf_segment *s;
	struct opened o;
	struct zpv_err err;

	f.phdrs = f.len;
	s = df_grow(&f, (n + 1) * sizeof(*s));
	for (size_t i = 0; i < n; i++) {
		be32_set(&s[i].type, ELF_SEGMENT_LOAD);
		be64_set(&s[i].paddr, i * 0x100000);
		be64_set(&s[i].memsz, DF_PAGE);
	}
	be64_set(&s[n - 1].filesz, DF_PAGE);
	be64_set(&s[n - 1].offset, f.memory);
	be64_set(&df_ehdr(&f)->phoff, f.phdrs);
	be16_set(&df_ehdr(&f)->phnum, 0xffff);
	be32_set(&df_shdr(&f, 0)->info, (uint32_t)n);
	open_dump(state, &f, &o);
	assert_int_equal(zpv_dump_ranges(o.d), n);
	row_ok("convert", zpv_dump_convert(o.d, &to, &err), err);
	zpv_dump_close(o.d);
	/* What was written can be read. */
	row_ok("again", zpv_dump_open(out.s, NULL, &o.d, &err), err);
	assert_int_equal(zpv_dump_ranges(o.d), n);
	assert_int_equal(zpv_dump_range(o.d, n - 1).start, (n - 1) * 0x100000);
	zpv_dump_close(o.d);
	b = unit_read(out.s);
	assert_pages(b.data + b.len - DF_PAGE, 0, "s");
	unit_bytes_free(&b);
}

/* --- s390 ------------------------------------------------------------------------------------ */

static void test_s390(void **state)
{
	AUTO_BYTES b = convert(state, &one, ZPV_DUMP_S390, NULL);
	AUTO_BYTES head = unit_hex("a8190173618f23fd 00000005 00001000 00000004 00001000 "
				   "000000000000a000 0000000000000000 0000000000009fff 0000000a "
				   "00000000 0000000000000000 0000000000000000 00000002");
	const uint8_t *mem = b.data + 0x1000;
	const struct pv_dump_cpu c = df_plain_cpu(1, 0);

	row_mem("header", b.data, head.data, head.len);
	assert_int_equal(b.data[0x5d] << 8 | b.data[0x5e], 2);
	assert_int_equal(b.data[0x805 + 1] << 8, 0x2000);
	assert_int_equal(b.len, 0x1000 + 10 * DF_PAGE + 16);
	row_mem("end", b.data + b.len - 16, (const uint8_t *)"DUMP_END\0\0\0\0\0\0\0", 16);
	row_mem("gr", mem + 0x2000 + 0x1280, (const uint8_t *)c.gr, 128);
	row_mem("psw", mem + 0x2000 + 0x1300, (const uint8_t *)&c.psw_mask, 16);
	row_mem("prefix", mem + 0x2000 + 0x1318, (const uint8_t *)&c.prefix, 4);
	row_mem("fpc", mem + 0x2000 + 0x131c, (const uint8_t *)&c.fpc, 4);
	row_mem("timer", mem + 0x2000 + 0x1328, (const uint8_t *)&c.timer, 8);
	row_mem("ckc", mem + 0x2000 + 0x1330, (const uint8_t *)&c.ckc, 8);
	row_mem("ar", mem + 0x2000 + 0x1340, (const uint8_t *)c.ar, 64);
	row_mem("cr", mem + 0x2000 + 0x1380, (const uint8_t *)c.cr, 128);
	for (int i = 0; i < 16; i++)
		row_mem("fpr", mem + 0x2000 + 0x1200 + 8 * i, (const uint8_t *)&c.vr[i][0], 8);
	/* What is no register is storage. */
	assert_pages(mem, 0, "e");
	assert_pages(mem + 4 * DF_PAGE, 4 * DF_PAGE, "Zeezze");
}

/* Vector registers go where storage at prefix + 0x11b0 points to; a hole becomes zeros. */
static void test_s390_vectors(void **state)
{
	static const struct df_spec spec = { .loads = { { 0, "sss", 0 }, { 0x100000, "se", 0 } },
					     .ncpus = 1 };
	AUTO_DF f = df_build(&spec);
	struct unit_path out = unit_in(state, "out");
	const struct zpv_dump_convert to = { .format = ZPV_DUMP_S390, .output = out.s };
	const struct pv_dump_cpu c = df_plain_cpu(0, 0);
	static const uint8_t zeros[DF_PAGE];
	struct unit_bytes b;
	struct opened o;
	struct zpv_err err;
	be64 ptr;

	be64_set(&ptr, 0x100c00);
	memcpy(f.data + f.memory + 0x11b0, &ptr, sizeof(ptr));
	open_dump(state, &f, &o);
	row_ok("convert", zpv_dump_convert(o.d, &to, &err), err);
	zpv_dump_close(o.d);
	b = unit_read(out.s);
	assert_int_equal(b.len, 0x1000 + 0x102000 + 16);
	row_mem("vectors", b.data + 0x1000 + 0x100c00, (const uint8_t *)c.vr, sizeof(c.vr));
	row_mem("hole", b.data + 0x1000 + 0x3000, zeros, DF_PAGE);
	row_mem("hole", b.data + 0x1000 + 0xff000, zeros, DF_PAGE);
	assert_pages(b.data + 0x1000 + 0x101000, 0x101000, "e");
	unit_bytes_free(&b);
}

/* --- Where it goes --------------------------------------------------------------------------- */

struct reader {
	int fd;
	uint8_t *data;
	size_t len;
};

static void *read_pipe(void *arg)
{
	struct reader *r = arg;
	ssize_t n;

	while ((n = read(r->fd, r->data + r->len, 65536)) > 0)
		r->len += (size_t)n;
	return NULL;
}

/* Larger than a pipe and than all windows together; the same bytes in the same order. */
static void test_pipe(void **state)
{
	static const size_t npages = 12 * 256 + 5;
	char *pages = calloc(1, npages + 1);
	struct df_spec spec = { .loads = { { 0, pages, 0 } }, .ncpus = 1, .plain = true };
	const struct zpv_dump_convert to = { .output = "-" };
	struct reader r = { 0 };
	struct unit_bytes file;
	struct opened o;
	struct zpv_err err;
	pthread_t thread;
	int fds[2], saved;

	assert_non_null(pages);
	memset(pages, 's', npages);
	{
		AUTO_DF f = df_build(&spec);

		file = convert(state, &spec, ZPV_DUMP_ELF, NULL);
		open_dump(state, &f, &o);
	}
	r.data = malloc(file.len + 65536);
	assert_non_null(r.data);
	assert_int_equal(pipe(fds), 0);
	r.fd = fds[0];
	assert_int_equal(pthread_create(&thread, NULL, read_pipe, &r), 0);
	fflush(stdout);
	saved = dup(STDOUT_FILENO);
	dup2(fds[1], STDOUT_FILENO);
	close(fds[1]);
	row_int("convert", zpv_dump_convert(o.d, &to, &err), 0);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	pthread_join(thread, NULL);
	close(fds[0]);
	zpv_dump_close(o.d);
	assert_int_equal(r.len, file.len);
	row_mem("pipe", r.data, file.data, file.len);
	free(r.data);
	unit_bytes_free(&file);
	free(pages);
}

static void test_sparse(void **state)
{
	char pages[1025] = { 0 };
	const struct df_spec spec = { .loads = { { 0, pages, 0 } }, .ncpus = 1 };
	struct unit_bytes b;
	struct stat st;

	memset(pages, 'z', 1024);
	pages[100] = 'e';
	b = convert(state, &spec, ZPV_DUMP_ELF, NULL);
	assert_int_equal(stat(unit_in(state, "out").s, &st), 0);
	assert_true(st.st_size > 1024 * 4096);
	assert_true(st.st_blocks * 512 < 64 * 4096);
	assert_pages(b.data + b.len - 1024 * DF_PAGE, 0, pages);
	unit_bytes_free(&b);
}

/* --- Failures -------------------------------------------------------------------------------- */

static void damage_page(struct df *f)
{
	f->data[f->meta + 3 * 16 + 15] = 0;
}

static void damage_cpu(struct df *f)
{
	f->data[f->note_desc[1] + 40] ^= 1;
}

static void test_damaged(void **state)
{
	static const struct {
		const char *name;
		void (*change)(struct df *f);
		const char *text;
	} rows[] = {
		{ "page", damage_page, "the state of page 0x3000 (number 3) is damaged" },
		{ "CPU", damage_cpu, "CPU 1: its sealed state is damaged" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (int format = ZPV_DUMP_ELF; format <= ZPV_DUMP_S390; format++) {
			AUTO_DF f = df_build(&one);
			struct unit_path out = unit_in(state, "out");
			const struct zpv_dump_convert to = { .format = (enum zpv_dump_format)format,
							     .output = out.s };
			struct opened o;
			struct zpv_err err;

			rows[i].change(&f);
			open_dump(state, &f, &o);
			row_int(rows[i].name, zpv_dump_convert(o.d, &to, &err), -ZPV_ERR_VERIFY);
			row_has(rows[i].name, err.text, rows[i].text);
			assert_int_equal(unit_count_files(state), 2);
			/* It is known before the output is even looked at. */
			unit_write(out.s, "old", 3);
			row_int(rows[i].name, zpv_dump_convert(o.d, &to, &err), -ZPV_ERR_VERIFY);
			unlink(out.s);
			zpv_dump_close(o.d);
		}
	}
}

static void test_refused(void **state)
{
	AUTO_DF f = df_build(&one);
	struct unit_path out = unit_in(state, "out");
	const struct zpv_dump_convert to = { .output = out.s };
	struct zpv_dump *d;
	struct opened o;
	struct zpv_err err;

	df_write(state, &f);
	row_ok("open", zpv_dump_open(unit_in(state, "dump").s, NULL, &d, &err), err);
	row_int("locked", zpv_dump_convert(d, &to, &err), -ZPV_ERR_KEY);
	zpv_dump_close(d);
	open_dump(state, &f, &o);
	unit_write(out.s, "old", 3);
	row_int("exists", zpv_dump_convert(o.d, &to, &err), -ZPV_ERR_EXISTS);
	zpv_dump_close(o.d);
	assert_int_equal(unit_count_files(state), 3);
}

static int stop_later(void *ctx, uint64_t done, uint64_t total)
{
	(void)ctx;
	(void)total;
	return done > 0;
}

static void test_cancelled(void **state)
{
	const struct zpv_progress progress = { stop_later, NULL };
	struct unit_path out = unit_in(state, "out");
	const struct zpv_dump_convert to = { .output = out.s, .progress = &progress };
	AUTO_DF f = df_build(&one);
	struct opened o;
	struct zpv_err err;

	open_dump(state, &f, &o);
	row_int("convert", zpv_dump_convert(o.d, &to, &err), -ZPV_ERR_CANCELLED);
	zpv_dump_close(o.d);
	assert_int_equal(unit_count_files(state), 2);
}

/* A file that shrinks while it is copied is an error for the thread that sees it first. */
static void test_shrunk(void **state)
{
	AUTO_DF f = df_build(&one);
	struct unit_path out = unit_in(state, "out");
	const struct zpv_dump_convert to = { .output = out.s };
	struct opened o;
	struct zpv_err err;

	open_dump(state, &f, &o);
	assert_int_equal(truncate(unit_in(state, "dump").s, (off_t)f.memory), 0);
	row_int("convert", zpv_dump_convert(o.d, &to, &err), -ZPV_ERR_VERIFY);
	row_has("convert", err.text, "the dump is cut off or damaged");
	zpv_dump_close(o.d);
	assert_int_equal(unit_count_files(state), 2);
}

static void test_osii(void **state)
{
	struct df_spec spec = one;
	struct unit_bytes b;
	int warnings;

	spec.cpu_flags = PV_DUMP_OSII;
	b = convert(state, &spec, ZPV_DUMP_ELF, &warnings);
	assert_int_equal(warnings, 2);
	unit_bytes_free(&b);
	b = convert(state, &spec, ZPV_DUMP_S390, &warnings);
	assert_int_equal(warnings, 2);
	unit_bytes_free(&b);
	b = convert(state, &one, ZPV_DUMP_ELF, &warnings);
	assert_int_equal(warnings, 0);
	unit_bytes_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		unit_test_dir(test_elf_headers), unit_test_dir(test_elf_notes),
		unit_test_dir(test_elf_holes),	 unit_test_dir(test_many_segments),
		unit_test_dir(test_s390),	 unit_test_dir(test_s390_vectors),
		unit_test_dir(test_pipe),	 unit_test_dir(test_sparse),
		unit_test_dir(test_damaged),	 unit_test_dir(test_refused),
		unit_test_dir(test_cancelled),	 unit_test_dir(test_shrunk),
		unit_test_dir(test_osii),
	};

	return cmocka_run_group_tests_name("dump/convert", tests, NULL, NULL);
}
