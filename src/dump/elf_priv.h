/* SPDX-License-Identifier: MIT */
/*
 * Reading the headers of an ELF core file.
 */
#ifndef DUMP_ELF_PRIV_H
#define DUMP_ELF_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zpv/error.h>

#include "compiler.h"

struct dump_file {
	int fd;
	uint64_t size;
};

/* Opens a file that can be read at any place. */
int dump_file_open(const char *path, struct dump_file *out, struct zpv_err *err) MUST_CHECK;

/* Reads exactly len bytes, which `what` names. -ZPV_ERR_VERIFY: the file ends before them. */
int dump_file_read(const struct dump_file *f, uint64_t off, void *data, size_t len,
		   const char *what, struct zpv_err *err) MUST_CHECK;

/* Part of the file: it was found to be inside. */
struct dump_extent {
	uint64_t offset, size;
};

struct dump_segment {
	uint64_t addr;		/* guest absolute */
	uint64_t filesz, memsz; /* what lies behind filesz is zeros */
	uint64_t offset;	/* in the file */
	uint64_t entry;		/* number of its first page's entry in pv_mem_meta */
};

struct dump_elf {
	struct dump_segment *loads; /* in the order of the file */
	size_t nloads;
	struct dump_extent *notes;
	size_t nnotes;
	struct dump_extent pv_mem, pv_complete;
	bool has_pv_mem, has_pv_complete;
	/*
	 * Sections that cannot be read, and why: wrong for a protected guest's dump. QEMU on a
	 * little-endian host leaves such in others, which need none.
	 */
	int sections_rc;
	struct zpv_err sections_err;
};

/*
 * Return: 0; -ZPV_ERR_FORMAT no ELF core of s390x, and what it seems to be; -ZPV_ERR_VERIFY one that
 * is damaged or cut off; -ZPV_ERR_IO; -ZPV_ERR_NOMEM
 */
int dump_elf_read(const struct dump_file *f, struct dump_elf *out, struct zpv_err *err) MUST_CHECK;
void dump_elf_free(struct dump_elf *e);

/*
 * Gives each segment its entries, sorts by address and drops what is there twice: kernels describe
 * their image by a second segment with the same bytes. entries: in pv_mem_meta, 0 without.
 * -ZPV_ERR_VERIFY: segments overlap, or the number of entries fits no rule.
 */
int dump_elf_arrange(struct dump_elf *e, bool protected, struct zpv_err *err) MUST_CHECK;

#endif
