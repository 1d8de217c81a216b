// SPDX-License-Identifier: MIT
/*
 * Writing a dump.
 *
 * Memory goes MiB by MiB: the Ultravisor tells the state of its pages and by that exports them, they
 * are copied as they stand, and a second thread writes them while the next ones are exported. The
 * layout is QEMU's (dump/dump.c, target/s390x/arch_dump.c), but for e_ehsize, and big-endian on
 * every host.
 */
#define _GNU_SOURCE
#include "dump.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>

#include "buf.h"
#include "elf_core.h"
#include "err.h"
#include "gmap.h"
#include "io.h"
#include "log.h"
#include "outfile.h"
#include "progress.h"
#include "pv.h"
#include "pv_dump.h"
#include "relay.h"
#include "vcpu.h"
#include "vm.h"

#define MIB	    (1ull << 20)
#define PAGE_BYTES  4096u
#define MIB_PAGES   256u
#define CPUS	    1u
#define SEGMENTS    2u /* notes, and all memory in one */
#define PV_SECTIONS 4u
#define SECTIONS    2u
/* Shorter runs of zero pages are written: a hole saves less than the further call costs. */
#define HOLE_PAGES  4u
#define RELAY_SLOTS 4u

/* Each name of a section that only protected guests have fills 12 bytes. */
#define PV_NAME_BYTES 12u
static const char pv_names[] = "\0" ELF_NAME_PV_MEM "\0" ELF_NAME_PV_COMPLETE
			       "\0\0\0\0" ELF_NAME_STRTAB;
static const char names[] = "\0" ELF_NAME_STRTAB;
static_assert(sizeof(pv_names) == 1 + 2 * PV_NAME_BYTES + sizeof(ELF_NAME_STRTAB),
	      "names where the headers look for them");

/* Where the parts are in the file. */
struct layout {
	uint64_t segments, notes, memory, meta, complete, names, end;
	size_t nnames;
};

/* What the writing thread gets: this, the state of a MiB's pages if there is any, the pages. */
struct piece {
	uint64_t at; /* guest address */
	bool has_pages;
};
#define PIECE_META  64u
#define PIECE_PAGES (PAGE_BYTES + PIECE_META)
#define PIECE_BYTES (PIECE_PAGES + MIB)
static_assert(sizeof(struct piece) <= PIECE_META, "a piece's parts do not overlap");
static_assert(MIB_PAGES * PV_DUMP_ENTRY_BYTES <= PAGE_BYTES, "a MiB's state");

struct dump {
	struct vm *vm;
	struct pv *pv; /* NULL: the guest is not protected */
	struct outfile *file;
	struct pv_dump_sizes sizes;
	struct layout layout;
	struct task task;
	struct buf notes;
	uint8_t *complete;
	uint64_t start_ns, pause_ns;

	/* Of the writing thread. */
	atomic_int write_error; /* errno */
	atomic_ullong stored;	/* bytes of memory that are in the file */
};

int dump_open(struct vm *vm, const struct dump_spec *spec, struct dump **out, struct zpv_err *err)
{
	AUTO(dump) struct dump *d = calloc(1, sizeof(*d));
	int rc;

	if (!d)
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	d->vm = vm;
	d->task = (struct task){ spec->progress, 0, vm->config.memory_bytes };
	d->start_ns = vm_now_ns();
	rc = outfile_open(spec->path, 0600, spec->overwrite ? OUTFILE_REPLACE : OUTFILE_NO_CLOBBER,
			  &d->file, err);
	if (rc)
		return rc;
	*out = STEAL(d);
	return 0;
}

void dump_free(struct dump *d)
{
	if (!d)
		return;
	outfile_free(d->file);
	buf_free(&d->notes);
	free(d->complete);
	free(d);
}

/* --- Layout ------------------------------------------------------------------------------------- */

static size_t note_bytes(const char *name, size_t desc)
{
	return sizeof(struct elf_note) + (strlen(name) + 1 + 3) / 4 * 4 + (desc + 3) / 4 * 4;
}

static void plan_layout(struct dump *d)
{
	struct layout *l = &d->layout;
	uint64_t memory = d->vm->config.memory_bytes;

	l->nnames = d->pv ? sizeof(pv_names) : sizeof(names);
	l->segments = sizeof(struct elf_header) +
		      (d->pv ? PV_SECTIONS : SECTIONS) * sizeof(struct elf_section);
	l->notes = l->segments + SEGMENTS * sizeof(struct elf_segment);
	l->memory = l->notes + d->notes.len +
		    (d->pv ? CPUS * note_bytes(NOTE_NAME_LINUX, d->sizes.cpu) : 0);
	l->meta = l->memory + memory;
	l->complete = l->meta + (d->pv ? memory / MIB * d->sizes.per_mib : 0);
	l->names = l->complete + (d->pv ? d->sizes.complete : 0);
	l->end = l->names + l->nnames;
}

/* --- Notes -------------------------------------------------------------------------------------- */

static int add_note(struct buf *b, const char *name, enum elf_note_type type, const void *desc,
		    size_t len, struct zpv_err *err)
{
	uint8_t *p = buf_extend(b, note_bytes(name, len));
	struct elf_note head;

	if (!p)
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	memset(p, 0, note_bytes(name, len));
	be32_set(&head.namesz, (uint32_t)strlen(name) + 1);
	be32_set(&head.descsz, (uint32_t)len);
	be32_set(&head.type, type);
	memcpy(p, &head, sizeof(head));
	memcpy(p + sizeof(head), name, strlen(name) + 1);
	memcpy(p + note_bytes(name, 0), desc, len);
	return 0;
}

static struct note_prstatus prstatus(const struct core_cpu *c, unsigned int i)
{
	struct note_prstatus n = { .psw_mask = c->psw_mask, .psw_addr = c->psw_addr };

	be32_set(&n.pid, i + 1);
	memcpy(n.gr, c->gr, sizeof(n.gr));
	memcpy(n.ar, c->ar, sizeof(n.ar));
	return n;
}

static struct note_fpregset fpregset(const struct core_cpu *c)
{
	struct note_fpregset n = { .fpc = c->fpc };

	memcpy(n.fpr, c->fpr, sizeof(n.fpr));
	return n;
}

/* The ten notes of what the hypervisor itself knows of a CPU. */
static int add_cpu(struct buf *b, const struct core_cpu *c, unsigned int i, struct zpv_err *err)
{
	const struct note_prstatus status = prstatus(c, i);
	const struct note_fpregset fp = fpregset(c);
	const struct note_gs_cb gs = { .gsd = c->gsd, .gssm = c->gssm, .gsepla = c->gsepla };
	const struct {
		const char *name;
		enum elf_note_type type;
		const void *desc;
		size_t len;
	} all[] = {
		{ NOTE_NAME_CORE, NOTE_PRSTATUS, &status, sizeof(status) },
		{ NOTE_NAME_CORE, NOTE_FPREGSET, &fp, sizeof(fp) },
		{ NOTE_NAME_LINUX, NOTE_PREFIX, &c->prefix, sizeof(c->prefix) },
		{ NOTE_NAME_LINUX, NOTE_CTRS, c->cr, sizeof(c->cr) },
		{ NOTE_NAME_LINUX, NOTE_TIMER, &c->timer, sizeof(c->timer) },
		{ NOTE_NAME_LINUX, NOTE_TODCMP, &c->ckc, sizeof(c->ckc) },
		{ NOTE_NAME_LINUX, NOTE_TODPREG, &c->todpr, sizeof(c->todpr) },
		{ NOTE_NAME_LINUX, NOTE_VXRS_LOW, c->vr_low, sizeof(c->vr_low) },
		{ NOTE_NAME_LINUX, NOTE_VXRS_HIGH, c->vr_high, sizeof(c->vr_high) },
		{ NOTE_NAME_LINUX, NOTE_GS_CB, &gs, sizeof(gs) },
	};
	int rc = 0;

	for (size_t n = 0; !rc && n < ARRAY_SIZE(all); n++)
		rc = add_note(b, all[n].name, all[n].type, all[n].desc, all[n].len, err);
	return rc;
}

static int take_view(struct dump *d, struct zpv_err *err)
{
	struct core_cpu core;

	vcpu_core(d->vm->vcpu, &core);
	return add_cpu(&d->notes, &core, 0, err);
}

static int take_cpu(struct dump *d, struct zpv_err *err)
{
	AUTO_BUF block = BUF_INIT;
	int rc;

	if (!buf_extend(&block, d->sizes.cpu))
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	rc = pv_dump_cpu(d->pv, block.data, err);
	if (!rc)
		rc = add_note(&d->notes, NOTE_NAME_LINUX, NOTE_PV_CPU, block.data, block.len, err);
	return rc;
}

/* --- Headers ------------------------------------------------------------------------------------ */

static void section(struct elf_section *s, uint32_t name, uint32_t type, uint64_t at, uint64_t len)
{
	be32_set(&s->name, name);
	be32_set(&s->type, type);
	be64_set(&s->offset, at);
	be64_set(&s->size, len);
}

static void segment(struct elf_segment *s, uint32_t type, uint64_t at, uint64_t len)
{
	be32_set(&s->type, type);
	be64_set(&s->offset, at);
	be64_set(&s->filesz, len);
	be64_set(&s->memsz, len);
}

static void elf_header(const struct dump *d, struct elf_header *h)
{
	unsigned int nsections = d->pv ? PV_SECTIONS : SECTIONS;

	memcpy(h->ident, ELF_IDENT, ELF_IDENT_BYTES);
	be16_set(&h->type, ELF_TYPE_CORE);
	be16_set(&h->machine, ELF_MACHINE_S390);
	be32_set(&h->version, ELF_VERSION);
	be64_set(&h->phoff, d->layout.segments);
	be64_set(&h->shoff, sizeof(struct elf_header));
	be16_set(&h->ehsize, sizeof(struct elf_header));
	be16_set(&h->phentsize, sizeof(struct elf_segment));
	be16_set(&h->phnum, SEGMENTS);
	be16_set(&h->shentsize, sizeof(struct elf_section));
	be16_set(&h->shnum, (uint16_t)nsections);
	be16_set(&h->shstrndx, (uint16_t)(nsections - 1));
}

static int write_at(const struct dump *d, const void *data, size_t len, uint64_t at,
		    struct zpv_err *err)
{
	return io_pwrite_full(outfile_fd(d->file), data, len, at) == 0 ?
		       0 :
		       err_errno(err, ZPV_ERR_IO, "cannot write the dump");
}

static int write_headers(const struct dump *d, struct zpv_err *err)
{
	const struct layout *l = &d->layout;
	struct {
		struct elf_header elf;
		struct elf_section sections[PV_SECTIONS];
	} head = { 0 };
	struct elf_segment segments[SEGMENTS] = { 0 };
	struct elf_section *s = &head.sections[1]; /* the first one stays empty */
	uint32_t name = 1;
	int rc;

	elf_header(d, &head.elf);
	if (d->pv) {
		section(s++, name, ELF_SECTION_PROGBITS, l->meta, l->complete - l->meta);
		name += PV_NAME_BYTES;
		section(s++, name, ELF_SECTION_PROGBITS, l->complete, l->names - l->complete);
		name += PV_NAME_BYTES;
	}
	section(s, name, ELF_SECTION_STRTAB, l->names, l->nnames);
	segment(&segments[0], ELF_SEGMENT_NOTE, l->notes, d->notes.len);
	segment(&segments[1], ELF_SEGMENT_LOAD, l->memory, d->vm->config.memory_bytes);
	rc = write_at(d, &head, l->segments, 0, err);
	if (!rc)
		rc = write_at(d, segments, sizeof(segments), l->segments, err);
	if (!rc)
		rc = write_at(d, d->notes.data, d->notes.len, l->notes, err);
	return rc;
}

/* What comes behind memory, but for the state of its pages. */
static int write_end(const struct dump *d, struct zpv_err *err)
{
	const struct layout *l = &d->layout;
	int rc = 0;

	if (d->pv)
		rc = write_at(d, d->complete, d->sizes.complete, l->complete, err);
	if (!rc)
		rc = write_at(d, d->pv ? pv_names : names, l->nnames, l->names, err);
	return rc;
}

/* --- Memory: the writing thread ----------------------------------------------------------------- */

static bool is_zero(const uint8_t *page)
{
	return !page[0] && memcmp(page, page + 1, PAGE_BYTES - 1) == 0;
}

static size_t zero_pages(const uint8_t *pages, size_t from)
{
	size_t n = from;

	while (n < MIB_PAGES && is_zero(pages + n * PAGE_BYTES))
		n++;
	return n - from;
}

static void put(struct dump *d, const uint8_t *data, size_t len, uint64_t at)
{
	if (!atomic_load(&d->write_error) &&
	    io_pwrite_full(outfile_fd(d->file), data, len, at) != 0)
		atomic_store(&d->write_error, errno ? errno : EIO);
}

/* Where the next long run of zero pages begins. */
static size_t data_end(const uint8_t *pages, size_t from)
{
	size_t n = from, zeros;

	while (n < MIB_PAGES) {
		zeros = zero_pages(pages, n);
		if (zeros >= HOLE_PAGES || n + zeros == MIB_PAGES)
			break;
		n += zeros ? zeros : 1;
	}
	return n;
}

/* In the longest pieces that have no long run of zero pages in them. */
static void put_pages(struct dump *d, const uint8_t *pages, uint64_t at)
{
	size_t first = zero_pages(pages, 0), end;

	while (first < MIB_PAGES) {
		end = data_end(pages, first);
		put(d, pages + first * PAGE_BYTES, (end - first) * PAGE_BYTES,
		    at + first * PAGE_BYTES);
		atomic_fetch_add(&d->stored, (end - first) * PAGE_BYTES);
		first = end + zero_pages(pages, end);
	}
}

static void put_piece(void *ctx, const uint8_t *data, size_t len)
{
	struct dump *d = ctx;
	struct piece p;

	(void)len;
	memcpy(&p, data, sizeof(p));
	if (d->pv)
		put(d, data + PIECE_META, d->sizes.per_mib,
		    d->layout.meta + p.at / MIB * d->sizes.per_mib);
	if (p.has_pages)
		put_pages(d, data + PIECE_PAGES, d->layout.memory + p.at);
}

/* --- Memory: the CPU's thread ------------------------------------------------------------------- */

/* What a page's place in the file has to hold. */
enum page_kind {
	PAGE_ABSENT, /* nothing; a reader takes zeros */
	PAGE_STORED, /* what the frame holds */
	PAGE_BAD,    /* its state has no meaning */
};

static enum page_kind kind_of(const struct pv_dump_entry *e)
{
	if (be32_get(e->mark) != PV_DUMP_SPECIAL)
		return PAGE_STORED;
	switch (e->flags & ~PV_DUMP_PAGE_MAPPED) {
	case PV_DUMP_PAGE_ZERO:
		return PAGE_ABSENT;
	case PV_DUMP_PAGE_SHARED:
		return PAGE_STORED;
	default:
		return PAGE_BAD;
	}
}

/* Consecutive pages in consecutive frames, copied at once. */
struct run {
	haddr_t frame;
	uint8_t *to;
	size_t len;
};

static int copy_run(const struct dump *d, struct run *r, struct zpv_err *err)
{
	struct pv *before = d->pv ? NULL : d->vm->pv;
	struct pic pic;

	/* A frame that an earlier protected guest left behind is made the host's first. */
	do {
		pic = storage_read(d->vm->m, r->frame, r->to, r->len);
	} while (pic.code == PGM_SECURE_ACCESS && before &&
		 pv_make_accessible(before, (haddr_t){ pic.teid & ~0xfffull }));
	if (pic.code)
		return err_set(err, ZPV_ERR_FORMAT,
			       "the frame at %#llx cannot be read: host program interruption %#x",
			       (unsigned long long)r->frame.v, pic.code);
	r->len = 0;
	return 0;
}

static int add_page(const struct dump *d, struct run *r, haddr_t frame, uint8_t *to,
		    struct zpv_err *err)
{
	int rc;

	if (r->len && (r->frame.v + r->len != frame.v || r->to + r->len != to)) {
		rc = copy_run(d, r, err);
		if (rc)
			return rc;
	}
	if (!r->len)
		*r = (struct run){ .frame = frame, .to = to };
	r->len += PAGE_BYTES;
	return 0;
}

static int bad_state(uint64_t at, struct zpv_err *err)
{
	return err_set(err, ZPV_ERR_FORMAT,
		       "the Ultravisor's state of page %#llx is not valid, or not of this page",
		       (unsigned long long)at);
}

/* The MiB's pages as they stand, without imports; zeros for those that the guest never touched. */
static int take_pages(const struct dump *d, uint64_t at, uint8_t *slot, struct zpv_err *err)
{
	const struct pv_dump_entry *entries = (const void *)(slot + PIECE_META);
	struct piece *p = (void *)slot;
	uint8_t *pages = slot + PIECE_PAGES;
	struct run run = { 0 };

	for (unsigned int i = 0; i < MIB_PAGES; i++) {
		uint64_t page = at + i * (uint64_t)PAGE_BYTES;
		enum page_kind kind = d->pv ? kind_of(&entries[i]) : PAGE_STORED;
		haddr_t frame;
		bool present;
		int rc;

		if (kind == PAGE_BAD)
			return bad_state(page, err);
		present = kind == PAGE_STORED && gmap_lookup(d->vm->gmap, gaddr(page), &frame);
		if (!present) {
			if (d->pv && kind == PAGE_STORED)
				return bad_state(page, err);
			memset(pages + i * PAGE_BYTES, 0, PAGE_BYTES);
			continue;
		}
		p->has_pages = true;
		rc = add_page(d, &run, frame, pages + i * PAGE_BYTES, err);
		if (rc)
			return rc;
	}
	return run.len ? copy_run(d, &run, err) : 0;
}

static int write_failed(const struct dump *d, struct zpv_err *err)
{
	errno = atomic_load(&d->write_error);
	return errno ? err_errno(err, ZPV_ERR_IO, "cannot write the dump") : 0;
}

/* Whether somebody wants it to end; len more bytes are done. */
static int go_on(struct dump *d, uint64_t len, struct zpv_err *err)
{
	if (atomic_load(&d->vm->quit))
		return err_set(err, ZPV_ERR_CANCELLED, "the VM is ending");
	return task_advance(&d->task, len, err);
}

static int take_mib(struct dump *d, struct relay *relay, uint64_t at, struct zpv_err *err)
{
	uint8_t *slot = relay_slot(relay);
	int rc = 0;

	*(struct piece *)(void *)slot = (struct piece){ .at = at };
	if (d->pv)
		rc = pv_dump_storage(d->pv, gaddr(at), slot + PIECE_META, err);
	if (!rc)
		rc = take_pages(d, at, slot, err);
	if (rc)
		return rc;
	relay_submit(relay, PIECE_BYTES);
	rc = write_failed(d, err);
	return rc ? rc : go_on(d, MIB, err);
}

static int take_memory(struct dump *d, struct relay *relay, struct zpv_err *err)
{
	int rc = 0;

	for (uint64_t at = 0; !rc && at < d->vm->config.memory_bytes; at += MIB)
		rc = take_mib(d, relay, at, err);
	relay_drain(relay);
	return rc ? rc : write_failed(d, err);
}

/* --- The whole ---------------------------------------------------------------------------------- */

/* Reasons to fail that are known before anything is written. */
static int check_room(const struct dump *d, struct zpv_err *err)
{
	uint64_t present = vm_guest_frames(d->vm) * PAGE_BYTES;
	uint64_t need = present + d->layout.memory + (d->layout.end - d->layout.meta);
	struct statvfs fs;
	struct rlimit limit;

	if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < d->layout.end)
		return err_set(err, ZPV_ERR_IO,
			       "the dump would have %llu bytes, but files are limited to %llu",
			       (unsigned long long)d->layout.end,
			       (unsigned long long)limit.rlim_cur);
	/* Without blocks: a file system that does not know how large it may grow. */
	if (fstatvfs(outfile_fd(d->file), &fs) != 0 || !fs.f_blocks)
		return 0;
	if (need / fs.f_frsize >= fs.f_bavail)
		return err_set(
			err, ZPV_ERR_IO,
			"the dump takes up to %llu MiB, but its file system has %llu MiB left",
			(unsigned long long)(need / MIB + 1),
			(unsigned long long)(fs.f_bavail * fs.f_frsize / MIB));
	return 0;
}

/* From init to completion: the guest's Ultravisor ends the dump also when something went wrong. */
static int take_protected(struct dump *d, struct relay *relay, struct zpv_err *err)
{
	struct zpv_err end = { 0 };
	int rc = pv_dump_init(d->pv, err), last;

	if (rc)
		return rc;
	rc = take_cpu(d, err);
	if (!rc)
		rc = take_memory(d, relay, err);
	last = pv_dump_complete(d->pv, d->complete, &end);
	if (last && rc)
		log_warn(d->vm->config.log, "%s", end.text);
	else if (last)
		*err = end;
	return rc ? rc : last;
}

static int prepare(struct dump *d, struct zpv_err *err)
{
	int rc = 0;

	d->pv = pv_active(d->vm->pv) ? d->vm->pv : NULL;
	if (d->pv)
		rc = pv_dump_sizes(d->pv, &d->sizes, err);
	if (!rc && d->pv) {
		d->complete = calloc(1, d->sizes.complete);
		if (!d->complete)
			rc = err_set(err, ZPV_ERR_NOMEM, "no memory");
	}
	if (!rc)
		rc = take_view(d, err);
	if (rc)
		return rc;
	plan_layout(d);
	return check_room(d, err);
}

int dump_take(struct dump *d, struct zpv_err *err)
{
	AUTO(relay) struct relay *relay = NULL;
	uint64_t since = vm_now_ns();
	int rc = go_on(d, 0, err);

	if (!rc)
		rc = prepare(d, err);
	if (!rc)
		rc = relay_new(RELAY_SLOTS, page_round_up(PIECE_BYTES), put_piece, d, &relay, err);
	if (!rc)
		rc = d->pv ? take_protected(d, relay, err) : take_memory(d, relay, err);
	if (!rc)
		rc = write_headers(d, err);
	if (!rc)
		rc = write_end(d, err);
	d->pause_ns = vm_now_ns() - since;
	return rc;
}

int dump_finish(struct dump *d, struct dump_report *out, struct zpv_err *err)
{
	int rc = go_on(d, 0, err);

	if (!rc)
		rc = outfile_commit(d->file, err);
	if (rc)
		return rc;
	*out = (struct dump_report){
		.is_protected = d->pv,
		.cpus = CPUS,
		.memory_bytes = d->vm->config.memory_bytes,
		.stored_bytes = atomic_load(&d->stored),
		.file_bytes = d->layout.end,
		.pause_ns = d->pause_ns,
		.total_ns = vm_now_ns() - d->start_ns,
	};
	return 0;
}
