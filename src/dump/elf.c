// SPDX-License-Identifier: MIT
/*
 * ELF core files of s390x: headers only (pv-dump.md section 4). Whatever QEMU or a kernel wrote is
 * read: program headers beyond 65535, sections in any order, a wrong e_ehsize.
 */
#include "elf_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "addr.h"
#include "elf_core.h"
#include "err.h"
#include "io.h"
#include "pv_dump.h"

#define MAX_SEGMENTS  (1u << 20)
#define MAX_SECTIONS  (1u << 16)
#define MAX_NOTES     64u	 /* PT_NOTE segments */
#define MAX_STRTAB    (1u << 20) /* bytes of section names */
#define SHN_XINDEX    0xffffu
#define READ_AT_ONCE  512u /* headers */
#define ELF_NOT_ELF64 "it is an ELF file, but not of 64 bits and big-endian"

/* --- The file -------------------------------------------------------------------------------- */

/* The size, or a negative code. */
static off_t size_of(int fd, const char *path, struct zpv_err *err)
{
	struct stat st;
	off_t end;

	if (fstat(fd, &st) != 0)
		return err_errno(err, ZPV_ERR_IO, "cannot look at '%s'", path);
	if (S_ISDIR(st.st_mode))
		return err_set(err, ZPV_ERR_IO, "'%s' is a folder", path);
	end = lseek(fd, 0, SEEK_END);
	if (end < 0)
		return err_errno(err, ZPV_ERR_IO,
				 "'%s': a dump is read at several places, this cannot be", path);
	return end;
}

int dump_file_open(const char *path, struct dump_file *out, struct zpv_err *err)
{
	int fd = io_open_read(path, err);
	off_t size;

	if (fd < 0)
		return fd;
	size = size_of(fd, path, err);
	if (size < 0) {
		close(fd);
		return (int)size;
	}
	out->fd = fd;
	out->size = (uint64_t)size;
	return 0;
}

static bool inside(const struct dump_file *f, uint64_t off, uint64_t len)
{
	return len <= f->size && off <= f->size - len;
}

static int cut_off(const struct dump_file *f, uint64_t off, uint64_t len, const char *what,
		   struct zpv_err *err)
{
	return err_set(err, ZPV_ERR_VERIFY,
		       "the dump is cut off or damaged: it has %" PRIu64
		       " bytes, but its %s should "
		       "be the %" PRIu64 " bytes from %#" PRIx64,
		       f->size, what, len, off);
}

int dump_file_read(const struct dump_file *f, uint64_t off, void *data, size_t len,
		   const char *what, struct zpv_err *err)
{
	ssize_t n;

	if (!inside(f, off, len))
		return cut_off(f, off, len, what, err);
	n = io_pread_full(f->fd, data, len, off);
	if (n < 0)
		return err_errno(err, ZPV_ERR_IO, "cannot read the dump's %s", what);
	if ((size_t)n < len) /* it shrank meanwhile */
		return cut_off(f, off, len, what, err);
	return 0;
}

/* --- What is no ELF core --------------------------------------------------------------------- */

static const struct {
	const char *magic;
	size_t len;
	const char *what;
} others[] = {
	{ "KDUMP   ", 8,
	  "a kdump-compressed dump; of a protected guest that is of no use: write it with 'virsh dump "
	  "--memory-only --format elf'" },
	{ "makedumpfile", 12,
	  "a flattened dump of makedumpfile; 'makedumpfile -R FILE <THIS' makes an ordinary one" },
	{ "\xa8\x19\x01\x73\x61\x8f\x23\xfd", 8, "an s390 stand-alone dump, not an ELF core" },
	{ "QEVM", 4, "a migration stream of QEMU, not a dump of memory" },
	{ "LibvirtQemudSave", 16,
	  "a saved guest of libvirt, not a dump of memory: use 'virsh dump --memory-only'" },
	{ "LibvirtQemudPart", 16, "a saved guest of libvirt that was not completed" },
	{ "\x1f\x8b", 2, "compressed with gzip; uncompress it first" },
	{ "\xfd\x37zXZ", 5, "compressed with xz; uncompress it first" },
	{ "\x28\xb5\x2f\xfd", 4, "compressed with zstd; uncompress it first" },
};

static int not_elf(const uint8_t *start, size_t len, struct zpv_err *err)
{
	if (!len)
		return err_set(err, ZPV_ERR_FORMAT, "the file is empty");
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (len >= others[i].len && memcmp(start, others[i].magic, others[i].len) == 0)
			return err_set(err, ZPV_ERR_FORMAT, "it is %s", others[i].what);
	return err_set(err, ZPV_ERR_FORMAT,
		       "it is no dump: it begins with %02x%02x%02x%02x, not with 7f454c46 (ELF)",
		       start[0], len > 1 ? start[1] : 0, len > 2 ? start[2] : 0,
		       len > 3 ? start[3] : 0);
}

static int read_header(const struct dump_file *f, struct elf_header *h, struct zpv_err *err)
{
	ssize_t n = io_pread_full(f->fd, h, sizeof(*h), 0);

	if (n < 0)
		return err_errno(err, ZPV_ERR_IO, "cannot read the dump");
	if (n < 4 || memcmp(h->ident, ELF_IDENT, 4) != 0)
		return not_elf(h->ident, (size_t)n, err);
	if ((size_t)n < sizeof(*h))
		return cut_off(f, 0, sizeof(*h), "ELF header", err);
	if (memcmp(h->ident, ELF_IDENT, ELF_IDENT_BYTES) != 0)
		return err_set(err, ZPV_ERR_FORMAT,
			       ELF_NOT_ELF64 " (class %u, data %u, version %u)", h->ident[4],
			       h->ident[5], h->ident[6]);
	if (be16_get(h->machine) != ELF_MACHINE_S390)
		return err_set(err, ZPV_ERR_FORMAT,
			       "it is an ELF file of machine %u, not %u (s390)",
			       be16_get(h->machine), ELF_MACHINE_S390);
	if (be16_get(h->type) != ELF_TYPE_CORE)
		return err_set(err, ZPV_ERR_FORMAT, "it is an ELF file of type %u, not %u (core)",
			       be16_get(h->type), ELF_TYPE_CORE);
	return 0;
}

/* --- Segments -------------------------------------------------------------------------------- */

/* Counts that 16 bits cannot hold are in section 0. */
struct counts {
	uint64_t segments, sections, names;
};

static int read_counts(const struct dump_file *f, const struct elf_header *h, struct counts *c,
		       struct zpv_err *err)
{
	struct elf_section zero;
	int rc;

	*c = (struct counts){ be16_get(h->phnum), be16_get(h->shnum), be16_get(h->shstrndx) };
	if (!be64_get(h->shoff)) {
		c->sections = 0;
		return 0;
	}
	if (c->segments != ELF_PN_XNUM && c->sections && c->names != SHN_XINDEX)
		return 0;
	rc = dump_file_read(f, be64_get(h->shoff), &zero, sizeof(zero), "section header 0", err);
	if (rc)
		return rc;
	if (c->segments == ELF_PN_XNUM)
		c->segments = be32_get(zero.info);
	if (!c->sections)
		c->sections = be64_get(zero.size);
	if (c->names == SHN_XINDEX)
		c->names = be32_get(zero.link);
	return 0;
}

static int add_load(const struct dump_file *f, const struct elf_segment *s, struct dump_elf *e,
		    struct zpv_err *err)
{
	struct dump_segment *l = &e->loads[e->nloads];

	*l = (struct dump_segment){ .addr = be64_get(s->paddr),
				    .filesz = be64_get(s->filesz),
				    .memsz = be64_get(s->memsz),
				    .offset = be64_get(s->offset) };
	if (l->filesz > l->memsz || l->memsz > UINT64_MAX - l->addr)
		return err_set(err, ZPV_ERR_VERIFY,
			       "the dump is damaged: a segment at %#" PRIx64 " has %#" PRIx64
			       " bytes in the file and %#" PRIx64 " in memory",
			       l->addr, l->filesz, l->memsz);
	if (!inside(f, l->offset, l->filesz)) {
		char what[64];

		snprintf(what, sizeof(what), "memory from %#" PRIx64 " on", l->addr);
		return cut_off(f, l->offset, l->filesz, what, err);
	}
	e->nloads += l->memsz != 0;
	return 0;
}

static int add_notes(const struct dump_file *f, const struct elf_segment *s, struct dump_elf *e,
		     struct zpv_err *err)
{
	const struct dump_extent x = { be64_get(s->offset), be64_get(s->filesz) };
	struct dump_extent *grown;

	if (!inside(f, x.offset, x.size))
		return cut_off(f, x.offset, x.size, "notes", err);
	if (e->nnotes == MAX_NOTES)
		return err_set(err, ZPV_ERR_VERIFY, "the dump has more than %u segments of notes",
			       MAX_NOTES);
	grown = realloc(e->notes, (e->nnotes + 1) * sizeof(*grown));
	if (!grown)
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	e->notes = grown;
	e->notes[e->nnotes++] = x;
	return 0;
}

static int add_segments(const struct dump_file *f, const struct elf_segment *s, size_t n,
			struct dump_elf *e, struct zpv_err *err)
{
	int rc = 0;

	for (size_t i = 0; i < n && !rc; i++) {
		if (be32_get(s[i].type) == ELF_SEGMENT_LOAD)
			rc = add_load(f, &s[i], e, err);
		else if (be32_get(s[i].type) == ELF_SEGMENT_NOTE)
			rc = add_notes(f, &s[i], e, err);
	}
	return rc;
}

static int read_segments(const struct dump_file *f, const struct elf_header *h, uint64_t n,
			 struct dump_elf *e, struct zpv_err *err)
{
	uint64_t off = be64_get(h->phoff);

	if (!n)
		return err_set(err, ZPV_ERR_VERIFY, "the dump has no program headers");
	if (be16_get(h->phentsize) != sizeof(struct elf_segment))
		return err_set(err, ZPV_ERR_VERIFY, "program headers have %u bytes, not %zu",
			       be16_get(h->phentsize), sizeof(struct elf_segment));
	if (n > MAX_SEGMENTS)
		return err_set(err, ZPV_ERR_VERIFY,
			       "the dump has %" PRIu64 " program headers, more than %u", n,
			       MAX_SEGMENTS);
	if (!inside(f, off, n * sizeof(struct elf_segment)))
		return cut_off(f, off, n * sizeof(struct elf_segment), "program headers", err);
	e->loads = calloc(n, sizeof(*e->loads));
	if (!e->loads)
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	while (n) {
		struct elf_segment some[READ_AT_ONCE];
		size_t now = n < READ_AT_ONCE ? (size_t)n : READ_AT_ONCE;
		int rc = dump_file_read(f, off, some, now * sizeof(*some), "program headers", err);

		if (!rc)
			rc = add_segments(f, some, now, e, err);
		if (rc)
			return rc;
		off += now * sizeof(*some);
		n -= now;
	}
	if (!e->nloads)
		return err_set(err, ZPV_ERR_VERIFY, "the dump has no memory (no PT_LOAD segment)");
	return 0;
}

/* --- Sections -------------------------------------------------------------------------------- */

struct names {
	char *text; /* ends with an additional NUL */
	size_t len;
};

static int read_names(const struct dump_file *f, uint64_t shoff, const struct counts *c,
		      struct names *out, struct zpv_err *err)
{
	struct elf_section s;
	uint64_t off, len;
	int rc;

	if (c->names >= c->sections)
		return err_set(err, ZPV_ERR_VERIFY,
			       "the dump is damaged: the names of sections are in section %" PRIu64
			       " of %" PRIu64,
			       c->names, c->sections);
	rc = dump_file_read(f, shoff + c->names * sizeof(s), &s, sizeof(s), "section headers", err);
	if (rc)
		return rc;
	off = be64_get(s.offset);
	len = be64_get(s.size);
	if (!inside(f, off, len))
		return cut_off(f, off, len, "names of sections", err);
	if (len > MAX_STRTAB)
		return err_set(err, ZPV_ERR_VERIFY,
			       "the names of sections have %" PRIu64 " bytes, more than %u", len,
			       MAX_STRTAB);
	out->text = calloc(1, (size_t)len + 1);
	if (!out->text)
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	out->len = (size_t)len;
	return dump_file_read(f, off, out->text, out->len, "names of sections", err);
}

static int take_section(const struct dump_file *f, const struct elf_section *s,
			const struct names *names, struct dump_elf *e, struct zpv_err *err)
{
	const struct {
		const char *name;
		struct dump_extent *extent;
		bool *has;
	} known[] = {
		{ ELF_NAME_PV_MEM, &e->pv_mem, &e->has_pv_mem },
		{ ELF_NAME_PV_COMPLETE, &e->pv_complete, &e->has_pv_complete },
	};
	const struct dump_extent x = { be64_get(s->offset), be64_get(s->size) };
	uint32_t name = be32_get(s->name);

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (name >= names->len || strcmp(names->text + name, known[i].name) != 0)
			continue;
		if (*known[i].has)
			return err_set(err, ZPV_ERR_VERIFY,
				       "the dump is damaged: it has two sections named '%s'",
				       known[i].name);
		if (!inside(f, x.offset, x.size)) {
			char what[64];

			snprintf(what, sizeof(what), "section '%s'", known[i].name);
			return cut_off(f, x.offset, x.size, what, err);
		}
		*known[i].extent = x;
		*known[i].has = true;
	}
	return 0;
}

static int take_sections(const struct dump_file *f, uint64_t shoff, uint64_t n,
			 const struct names *names, struct dump_elf *e, struct zpv_err *err)
{
	int rc = 0;

	for (uint64_t i = 0; i < n && !rc; i++) {
		struct elf_section s;

		rc = dump_file_read(f, shoff + i * sizeof(s), &s, sizeof(s), "section headers",
				    err);
		if (!rc)
			rc = take_section(f, &s, names, e, err);
	}
	return rc;
}

static int read_sections(const struct dump_file *f, const struct elf_header *h,
			 const struct counts *c, struct dump_elf *e, struct zpv_err *err)
{
	uint64_t shoff = be64_get(h->shoff);
	struct names names = { NULL, 0 };
	int rc;

	/* With none but section 0, which only holds counts, there are no names. */
	if (c->sections <= 1)
		return 0;
	if (be16_get(h->shentsize) != sizeof(struct elf_section))
		return err_set(err, ZPV_ERR_VERIFY, "section headers have %u bytes, not %zu",
			       be16_get(h->shentsize), sizeof(struct elf_section));
	if (c->sections > MAX_SECTIONS)
		return err_set(err, ZPV_ERR_VERIFY,
			       "the dump has %" PRIu64 " sections, more than %u", c->sections,
			       MAX_SECTIONS);
	if (!inside(f, shoff, c->sections * sizeof(struct elf_section)))
		return cut_off(f, shoff, c->sections * sizeof(struct elf_section),
			       "section headers", err);
	rc = read_names(f, shoff, c, &names, err);
	if (!rc)
		rc = take_sections(f, shoff, c->sections, &names, e, err);
	free(names.text);
	return rc;
}

int dump_elf_read(const struct dump_file *f, struct dump_elf *out, struct zpv_err *err)
{
	struct dump_elf e = { 0 };
	struct elf_header h;
	struct counts counts;
	int rc = read_header(f, &h, err);

	if (!rc)
		rc = read_counts(f, &h, &counts, err);
	if (!rc)
		rc = read_segments(f, &h, counts.segments, &e, err);
	if (rc) {
		dump_elf_free(&e);
		return rc;
	}
	e.sections_rc = read_sections(f, &h, &counts, &e, &e.sections_err);
	*out = e;
	return 0;
}

void dump_elf_free(struct dump_elf *e)
{
	free(e->loads);
	free(e->notes);
	*e = (struct dump_elf){ 0 };
}

/* --- Arranging ------------------------------------------------------------------------------- */

/* One entry for each page of the file's memory; or, by address, for each page up to its end. */
static int give_entries(struct dump_elf *e, struct zpv_err *err)
{
	uint64_t entries = e->pv_mem.size / PV_DUMP_ENTRY_BYTES, sum = 0, end = 0;

	if (!entries || e->pv_mem.size % PV_DUMP_ENTRY_BYTES)
		return err_set(err, ZPV_ERR_VERIFY,
			       "section '" ELF_NAME_PV_MEM "' has %" PRIu64
			       " bytes, not a multiple of %u",
			       e->pv_mem.size, PV_DUMP_ENTRY_BYTES);
	for (size_t i = 0; i < e->nloads; i++) {
		struct dump_segment *l = &e->loads[i];

		if (!page_aligned(l->addr) || !page_aligned(l->filesz))
			return err_set(err, ZPV_ERR_VERIFY,
				       "the dump is damaged: a segment of %#" PRIx64
				       " bytes at %#" PRIx64 " is not whole pages",
				       l->filesz, l->addr);
		l->entry = sum;
		sum += l->filesz / PAGE_BYTES;
		if (l->addr + l->filesz > end)
			end = l->addr + l->filesz;
	}
	if (entries == sum)
		return 0;
	if (entries != end / PAGE_BYTES)
		return err_set(err, ZPV_ERR_VERIFY,
			       "section '" ELF_NAME_PV_MEM "' describes %" PRIu64
			       " pages, but the dump has %" PRIu64 " pages of memory",
			       entries, sum);
	for (size_t i = 0; i < e->nloads; i++)
		e->loads[i].entry = e->loads[i].addr / PAGE_BYTES;
	return 0;
}

static int by_addr(const void *a, const void *b)
{
	const struct dump_segment *x = a, *y = b;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	return x->memsz > y->memsz ? -1 : x->memsz < y->memsz;
}

/* True when b, which begins inside a, has nothing that a has not. */
static bool repeats(const struct dump_segment *a, const struct dump_segment *b)
{
	uint64_t at = b->addr - a->addr;

	return at <= a->filesz && b->memsz <= a->filesz - at && b->filesz == b->memsz &&
	       b->offset - a->offset == at;
}

int dump_elf_arrange(struct dump_elf *e, bool protected, struct zpv_err *err)
{
	size_t kept = 0;
	int rc = protected ? give_entries(e, err) : 0;

	if (rc)
		return rc;
	qsort(e->loads, e->nloads, sizeof(*e->loads), by_addr);
	for (size_t i = 0; i < e->nloads; i++) {
		const struct dump_segment *last = kept ? &e->loads[kept - 1] : NULL;

		if (!last || e->loads[i].addr - last->addr >= last->memsz) {
			e->loads[kept++] = e->loads[i];
			continue;
		}
		if (protected || !repeats(last, &e->loads[i]))
			return err_set(err, ZPV_ERR_VERIFY,
				       "two segments of the dump overlap at address %#" PRIx64
				       " (is it the core of a program, not of a system?)",
				       e->loads[i].addr);
	}
	e->nloads = kept;
	return 0;
}
