// SPDX-License-Identifier: MIT
/*
 * What is opened and what is refused, with which words: one change to a valid dump for each row.
 */
#include "dump_file.h"

static const struct df_spec usual = { .loads = { { 0, "eszSZe", 0 } }, .ncpus = 2 };
static const struct df_spec plain_spec = { .loads = { { 0, "ee", 0 } }, .ncpus = 1, .plain = true };

static int open_dump(void *const *state, const struct df *f, struct zpv_dump **d,
		     struct zpv_err *err)
{
	df_write(state, f);
	return zpv_dump_open(unit_in(state, "dump").s, NULL, d, err);
}

static struct df build(void)
{
	return df_build(&usual);
}

/* --- Valid ----------------------------------------------------------------------------------- */

static void test_valid(void **state)
{
	AUTO_DF f = build();
	struct zpv_dump_cpu cpu;
	struct zpv_dump_pages pages;
	struct zpv_dump *d;
	struct zpv_err err;
	uint8_t byte;

	row_ok("open", open_dump(state, &f, &d, &err), err);
	assert_true(zpv_dump_protected(d));
	assert_int_equal(zpv_dump_version(d), 1);
	assert_int_equal(zpv_dump_file_bytes(d), f.len);
	assert_int_equal(zpv_dump_cpus(d), 2);
	assert_int_equal(zpv_dump_ranges(d), 1);
	assert_int_equal(zpv_dump_range(d, 0).bytes, 6 * DF_PAGE);
	pages = zpv_dump_pages(d);
	assert_int_equal(pages.encrypted, 2);
	assert_int_equal(pages.shared, 2);
	assert_int_equal(pages.zero, 2);
	row_int("locked", zpv_dump_cpu(d, 0, &cpu, &err), -ZPV_ERR_KEY);
	row_int("locked", zpv_dump_read(d, 0, &byte, 1, &err), -ZPV_ERR_KEY);
	row_ok("unlock", zpv_dump_unlock(d, unit_in(state, "cck").s, &err), err);
	row_ok("cpu", zpv_dump_cpu(d, 1, &cpu, &err), err);
	row_int("no such CPU", zpv_dump_cpu(d, 2, &cpu, &err), -ZPV_ERR_USAGE);
	row_ok("read", zpv_dump_read(d, 0, &byte, 1, &err), err);
	zpv_dump_close(d);
}

/* The sealed registers, each in its place; the notes beside them are rubbish. */
static void test_registers(void **state)
{
	static const struct df_spec spec = { .loads = { { 0, "e", 0 } },
					     .ncpus = 1,
					     .cpu_flags = PV_DUMP_OSII };
	const struct pv_dump_cpu want = df_plain_cpu(0, PV_DUMP_OSII);
	AUTO_DF f = df_build(&spec);
	struct zpv_dump_cpu c;
	struct zpv_dump *d;
	struct zpv_err err;

	row_ok("open", open_dump(state, &f, &d, &err), err);
	row_ok("unlock", zpv_dump_unlock(d, unit_in(state, "cck").s, &err), err);
	row_ok("cpu", zpv_dump_cpu(d, 0, &c, &err), err);
	for (int i = 0; i < 16; i++) {
		assert_int_equal(c.gr[i], be64_get(want.gr[i]));
		assert_int_equal(c.cr[i], be64_get(want.cr[i]));
		assert_int_equal(c.ar[i], be32_get(want.ar[i]));
		assert_int_equal(c.fpr[i], be64_get(want.vr[i][0]));
		assert_int_equal(c.vr_low[i], be64_get(want.vr[i][1]));
		assert_int_equal(c.vr_high[i][0], be64_get(want.vr[16 + i][0]));
		assert_int_equal(c.vr_high[i][1], be64_get(want.vr[16 + i][1]));
	}
	assert_int_equal(c.psw_mask, be64_get(want.psw_mask));
	assert_int_equal(c.psw_addr, be64_get(want.psw_addr));
	assert_int_equal(c.timer, be64_get(want.timer));
	assert_int_equal(c.ckc, be64_get(want.ckc));
	assert_int_equal(c.fpc, be32_get(want.fpc));
	assert_int_equal(c.todpr, be32_get(want.todpr));
	assert_int_equal(c.gsd, be64_get(want.gsd));
	assert_int_equal(c.gssm, be64_get(want.gssm));
	assert_int_equal(c.gsepla, be64_get(want.gsepla));
	assert_true(c.incomplete);
	zpv_dump_close(d);
}

/* Sections in another order, another e_ehsize, larger and exact CPU notes, room behind the notes. */
static void test_variants(void **state)
{
	static const size_t blocks[] = { sizeof(struct pv_dump_cpu), 0x1001, 0x3000 };
	struct zpv_dump_cpu cpu;
	struct elf_section swapped;
	struct zpv_dump *d;
	struct zpv_err err;

	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++) {
		struct df_spec spec = { .loads = { { 0, "ze", 0 } },
					.ncpus = 2,
					.block = blocks[i] };
		AUTO_DF f = df_build(&spec);

		be16_set(&df_ehdr(&f)->ehsize, 64);
		swapped = *df_shdr(&f, 1);
		*df_shdr(&f, 1) = *df_shdr(&f, 3);
		*df_shdr(&f, 3) = swapped;
		be16_set(&df_ehdr(&f)->shstrndx, 1);
		row_ok("open", open_dump(state, &f, &d, &err), err);
		row_ok("unlock", zpv_dump_unlock(d, unit_in(state, "cck").s, &err), err);
		row_ok("cpu", zpv_dump_cpu(d, 1, &cpu, &err), err);
		zpv_dump_close(d);
	}
}

static void test_plain(void **state)
{
	AUTO_DF f = df_build(&plain_spec);
	struct zpv_dump_cpu cpu;
	struct zpv_dump *d;
	struct zpv_err err;
	uint8_t page[DF_PAGE], want[DF_PAGE];

	row_ok("open", open_dump(state, &f, &d, &err), err);
	assert_false(zpv_dump_protected(d));
	row_ok("no key is read", zpv_dump_unlock(d, "/nonexistent", &err), err);
	row_ok("cpu", zpv_dump_cpu(d, 0, &cpu, &err), err);
	assert_int_equal(cpu.prefix, 0xf0f1f2f3); /* the third note's bytes */
	row_ok("read", zpv_dump_read(d, DF_PAGE, page, DF_PAGE, &err), err);
	df_page(want, DF_PAGE, 'e');
	row_mem("page", page, want, DF_PAGE);
	zpv_dump_close(d);
}

/* --- Refused --------------------------------------------------------------------------------- */

static void no_complete(struct df *f)
{
	be32_set(&df_shdr(f, 2)->name, 0);
}

static void no_meta(struct df *f)
{
	be32_set(&df_shdr(f, 1)->name, 0);
}

static void no_sections(struct df *f)
{
	be64_set(&df_ehdr(f)->shoff, 0);
}

static void two_complete(struct df *f)
{
	be32_set(&df_shdr(f, 3)->name, 13);
}

static void small_complete(struct df *f)
{
	be64_set(&df_shdr(f, 2)->size, 287);
}

static void complete_version(struct df *f)
{
	f->data[f->complete + 3] = 2;
}

static void complete_len(struct df *f)
{
	f->data[f->complete + 7] = 0x21;
}

static void odd_meta(struct df *f)
{
	be64_set(&df_shdr(f, 1)->size, 6 * 16 - 1);
}

static void short_meta(struct df *f)
{
	be64_set(&df_shdr(f, 1)->size, 5 * 16);
}

static void cut(struct df *f)
{
	f->len = f->memory + 5 * DF_PAGE;
}

static void cut_in_header(struct df *f)
{
	f->len = 40;
}

static void names_outside(struct df *f)
{
	be64_set(&df_shdr(f, 3)->offset, UINT64_MAX - 10);
}

static void no_such_names(struct df *f)
{
	be16_set(&df_ehdr(f)->shstrndx, 4);
}

static void meta_outside(struct df *f)
{
	be64_set(&df_shdr(f, 1)->offset, f->len - 95);
}

static void long_note(struct df *f)
{
	be32_set(&((struct elf_note *)(void *)(f->data + f->notes))->descsz, 0xfffffff0);
}

static void small_note(struct df *f)
{
	be32_set(&((struct elf_note *)(void *)(f->data + f->notes))->descsz, 332);
}

static void filesz(struct df *f)
{
	be64_set(&df_phdr(f, 1)->memsz, 1);
}

static void wraps(struct df *f)
{
	be64_set(&df_phdr(f, 1)->paddr, UINT64_MAX - 0xffff);
	be64_set(&df_phdr(f, 1)->memsz, 0x20000);
}

static void odd_addr(struct df *f)
{
	be64_set(&df_phdr(f, 1)->paddr, 0x800);
}

static void no_load(struct df *f)
{
	be32_set(&df_phdr(f, 1)->type, 0);
}

static void no_phdrs(struct df *f)
{
	be16_set(&df_ehdr(f)->phnum, 0);
}

static void phentsize(struct df *f)
{
	be16_set(&df_ehdr(f)->phentsize, 32);
}

static void many_phdrs(struct df *f)
{
	be16_set(&df_ehdr(f)->phnum, 0xffff);
	be32_set(&df_shdr(f, 0)->info, 0xffffffff);
}

static void phdrs_outside(struct df *f)
{
	be16_set(&df_ehdr(f)->phnum, 0xfffe);
}

static void machine(struct df *f)
{
	be16_set(&df_ehdr(f)->machine, 62);
}

static void little_endian(struct df *f)
{
	f->data[5] = 1;
}

static void program(struct df *f)
{
	be16_set(&df_ehdr(f)->type, 2);
}

static void migration(struct df *f)
{
	memcpy(f->data, "QEVM\0\0\0\3", 8);
}

static void libvirt(struct df *f)
{
	memcpy(f->data, "LibvirtQemudSave", 16);
}

static void kdump(struct df *f)
{
	memcpy(f->data, "KDUMP   ", 8);
}

static void flattened(struct df *f)
{
	memcpy(f->data, "makedumpfile\0\0\0\0", 16);
}

static void stand_alone(struct df *f)
{
	memcpy(f->data, "\xa8\x19\x01\x73\x61\x8f\x23\xfd", 8);
}

static void text(struct df *f)
{
	memcpy(f->data, "#!/bin", 6);
}

static void empty(struct df *f)
{
	f->len = 0;
}

static const struct {
	const char *name;
	void (*change)(struct df *f);
	enum zpv_err_code code;
	const char *text;
} refused[] = {
	{ "no pv_compl", no_complete, ZPV_ERR_VERIFY, "it has no section 'pv_compl'" },
	{ "no pv_mem_meta", no_meta, ZPV_ERR_VERIFY, "it has no section 'pv_mem_meta'" },
	{ "no sections", no_sections, ZPV_ERR_VERIFY,
	  "has nothing to decrypt it with (no section 'pv_compl'): either its owner does not allow" },
	{ "two pv_compl", two_complete, ZPV_ERR_VERIFY, "it has two sections named 'pv_compl'" },
	{ "small pv_compl", small_complete, ZPV_ERR_VERIFY,
	  "section 'pv_compl' has 287 bytes, not at least 288" },
	{ "version", complete_version, ZPV_ERR_VERIFY,
	  "section 'pv_compl' is of version 2, not 1" },
	{ "length", complete_len, ZPV_ERR_VERIFY, "says its data have 289 bytes, not 288" },
	{ "odd metadata", odd_meta, ZPV_ERR_VERIFY, "has 95 bytes, not a multiple of 16" },
	{ "short metadata", short_meta, ZPV_ERR_VERIFY,
	  "describes 5 pages, but the dump has 6 pages of memory" },
	{ "cut", cut, ZPV_ERR_VERIFY, "its memory from 0 on should be the 24576 bytes from" },
	{ "cut header", cut_in_header, ZPV_ERR_VERIFY, "it has 40 bytes, but its ELF header" },
	{ "names outside", names_outside, ZPV_ERR_VERIFY, "its names of sections should be" },
	{ "names' section", no_such_names, ZPV_ERR_VERIFY,
	  "the names of sections are in section 4 of 4" },
	{ "metadata outside", meta_outside, ZPV_ERR_VERIFY, "its section 'pv_mem_meta' should be" },
	{ "long note", long_note, ZPV_ERR_VERIFY,
	  "the note at byte 0 of its segment reaches beyond the segment's end" },
	{ "small note", small_note, ZPV_ERR_VERIFY, "a note of type 0x1 has 332 bytes, not 336" },
	{ "more in the file", filesz, ZPV_ERR_VERIFY,
	  "a segment at 0 has 0x6000 bytes in the file and 0x1 in memory" },
	{ "wraps", wraps, ZPV_ERR_VERIFY, "and 0x20000 in memory" },
	{ "odd address", odd_addr, ZPV_ERR_VERIFY, "bytes at 0x800 is not whole pages" },
	{ "no memory", no_load, ZPV_ERR_VERIFY, "the dump has no memory (no PT_LOAD segment)" },
	{ "no program headers", no_phdrs, ZPV_ERR_VERIFY, "the dump has no program headers" },
	{ "e_phentsize", phentsize, ZPV_ERR_VERIFY, "program headers have 32 bytes, not 56" },
	{ "too many", many_phdrs, ZPV_ERR_VERIFY, "4294967295 program headers, more than" },
	{ "headers outside", phdrs_outside, ZPV_ERR_VERIFY, "its program headers should be" },
	{ "machine", machine, ZPV_ERR_FORMAT, "it is an ELF file of machine 62, not 22 (s390)" },
	{ "little-endian", little_endian, ZPV_ERR_FORMAT, "not of 64 bits and big-endian" },
	{ "program", program, ZPV_ERR_FORMAT, "it is an ELF file of type 2, not 4 (core)" },
	{ "migration", migration, ZPV_ERR_FORMAT, "it is a migration stream of QEMU" },
	{ "libvirt", libvirt, ZPV_ERR_FORMAT, "it is a saved guest of libvirt" },
	{ "kdump", kdump, ZPV_ERR_FORMAT, "it is a kdump-compressed dump" },
	{ "flattened", flattened, ZPV_ERR_FORMAT, "it is a flattened dump of makedumpfile" },
	{ "stand-alone", stand_alone, ZPV_ERR_FORMAT, "it is an s390 stand-alone dump" },
	{ "text", text, ZPV_ERR_FORMAT, "it begins with 23212f62, not with 7f454c46" },
	{ "empty", empty, ZPV_ERR_FORMAT, "the file is empty" },
};

static void test_refused(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		AUTO_DF f = build();
		struct zpv_dump *d = NULL;
		struct zpv_err err = { 0 };

		refused[i].change(&f);
		row_int(refused[i].name, open_dump(state, &f, &d, &err), -(int)refused[i].code);
		row_has(refused[i].name, err.text, refused[i].text);
	}
}

static void test_no_file(void **state)
{
	struct unit_path dir = unit_in(state, "");
	struct zpv_dump *d;
	struct zpv_err err;

	row_int("none", zpv_dump_open(unit_in(state, "none").s, NULL, &d, &err), -ZPV_ERR_IO);
	row_int("folder", zpv_dump_open(dir.s, NULL, &d, &err), -ZPV_ERR_IO);
}

/* Segments that overlap are refused, but a kernel may describe its image once more. */
static void test_overlap(void **state)
{
	static const struct df_spec spec = { .loads = { { 0, "eee", 0 }, { DF_PAGE, "e", 0 } },
					     .ncpus = 1,
					     .plain = true };
	AUTO_DF f = df_build(&spec);
	struct zpv_dump *d;
	struct zpv_err err;

	row_int("other bytes", open_dump(state, &f, &d, &err), -ZPV_ERR_VERIFY);
	row_has("other bytes", err.text, "overlap at address 0x1000");
	be64_set(&df_phdr(&f, 2)->offset, f.memory + DF_PAGE);
	row_ok("the same bytes", open_dump(state, &f, &d, &err), err);
	assert_int_equal(zpv_dump_ranges(d), 1);
	assert_int_equal(zpv_dump_range(d, 0).bytes, 3 * DF_PAGE);
	zpv_dump_close(d);
}

/* --- Keys ------------------------------------------------------------------------------------ */

static void test_keys(void **state)
{
	static const uint8_t other[33];
	struct unit_path path = unit_in(state, "key");
	AUTO_DF f = build();
	struct zpv_dump *d;
	struct zpv_err err;
	int fd;

	row_ok("open", open_dump(state, &f, &d, &err), err);
	unit_write(path.s, other, 32);
	row_int("another", zpv_dump_unlock(d, path.s, &err), -ZPV_ERR_KEY);
	row_has("another", err.text, "most likely it is the key of another guest");
	unit_write(path.s, other, 31);
	row_int("31 bytes", zpv_dump_unlock(d, path.s, &err), -ZPV_ERR_KEY);
	row_has("31 bytes", err.text, "has 31 bytes, not 32");
	unit_write(path.s, other, 33);
	row_int("33 bytes", zpv_dump_unlock(d, path.s, &err), -ZPV_ERR_KEY);
	row_int("none", zpv_dump_unlock(d, "/nonexistent", &err), -ZPV_ERR_IO);
	fd = open(path.s, O_RDONLY);
	row_int("33 bytes", zpv_dump_unlock_fd(d, fd, &err), -ZPV_ERR_KEY);
	row_has("33 bytes", err.text, "has more than 32 bytes");
	close(fd);
	row_int("closed", zpv_dump_unlock_fd(d, fd, &err), -ZPV_ERR_IO);
	fd = open(unit_in(state, "cck").s, O_RDONLY);
	row_ok("descriptor", zpv_dump_unlock_fd(d, fd, &err), err);
	assert_true(fcntl(fd, F_GETFD) >= 0);
	close(fd);
	row_ok("twice", zpv_dump_unlock(d, unit_in(state, "cck").s, &err), err);
	zpv_dump_close(d);
}

static void test_damaged_cpu(void **state)
{
	AUTO_DF f = build();
	struct zpv_dump_cpu cpu;
	struct zpv_dump *d;
	struct zpv_err err;

	f.data[f.note_desc[1] + 500] ^= 4;
	row_ok("open", open_dump(state, &f, &d, &err), err);
	row_ok("unlock", zpv_dump_unlock(d, unit_in(state, "cck").s, &err), err);
	row_ok("the other", zpv_dump_cpu(d, 0, &cpu, &err), err);
	row_err("this", zpv_dump_cpu(d, 1, &cpu, &err), err, ZPV_ERR_VERIFY,
		"CPU 1: its sealed state is damaged (the authentication tag does not match)");
	zpv_dump_close(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		unit_test_dir(test_valid),	 unit_test_dir(test_registers),
		unit_test_dir(test_variants),	 unit_test_dir(test_plain),
		unit_test_dir(test_refused),	 unit_test_dir(test_no_file),
		unit_test_dir(test_overlap),	 unit_test_dir(test_keys),
		unit_test_dir(test_damaged_cpu),
	};

	return cmocka_run_group_tests_name("dump/open", tests, NULL, NULL);
}
