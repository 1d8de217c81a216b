// SPDX-License-Identifier: MIT
/*
 * The ELF core of an opened dump (pv-dump.md section 9.3): byte for byte what zgetdump writes for the
 * same dump of one segment. Memory follows the notes directly.
 */
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "addr.h"
#include "convert_priv.h"
#include "dump_priv.h"
#include "err.h"
#include "log.h"

/* --- Notes ----------------------------------------------------------------------------------- */

static int no_memory(struct zpv_err *err)
{
	return err_set(err, ZPV_ERR_NOMEM, "no memory");
}

static int add_padded(struct buf *b, const void *data, size_t len)
{
	static const uint8_t zeros[3];

	if (buf_append(b, data, len, NULL) != 0)
		return -1;
	return buf_append(b, zeros, -len & 3, NULL);
}

static int add_note(struct buf *b, const char *name, uint32_t type, const void *desc, size_t len,
		    struct zpv_err *err)
{
	struct elf_note h;

	be32_set(&h.namesz, (uint32_t)strlen(name) + 1);
	be32_set(&h.descsz, (uint32_t)len);
	be32_set(&h.type, type);
	if (add_padded(b, &h, sizeof(h)) != 0 || add_padded(b, name, strlen(name) + 1) != 0 ||
	    add_padded(b, desc, len) != 0)
		return no_memory(err);
	return 0;
}

static int add_prpsinfo(struct buf *b, struct zpv_err *err)
{
	struct note_prpsinfo n = { .sname = 'R', .fname = "vmlinux" };

	return add_note(b, NOTE_NAME_CORE, NOTE_PRPSINFO, &n, sizeof(n), err);
}

static int add_core_notes(struct buf *b, const struct core_cpu *r, uint32_t pid,
			  struct zpv_err *err)
{
	struct note_prstatus status = { .psw_mask = r->psw_mask, .psw_addr = r->psw_addr };
	struct note_fpregset fp = { .fpc = r->fpc };
	int rc;

	be32_set(&status.pid, pid);
	memcpy(status.gr, r->gr, sizeof(status.gr));
	memcpy(status.ar, r->ar, sizeof(status.ar));
	memcpy(fp.fpr, r->fpr, sizeof(fp.fpr));
	rc = add_note(b, NOTE_NAME_CORE, NOTE_PRSTATUS, &status, sizeof(status), err);
	if (!rc)
		rc = add_note(b, NOTE_NAME_CORE, NOTE_FPREGSET, &fp, sizeof(fp), err);
	OPENSSL_cleanse(&status, sizeof(status));
	OPENSSL_cleanse(&fp, sizeof(fp));
	return rc;
}

static int add_cpu(struct buf *b, const struct dump_cpu_state *s, uint32_t pid, struct zpv_err *err)
{
	const struct core_cpu *r = &s->regs;
	const struct note_gs_cb gs = { .gsd = r->gsd, .gssm = r->gssm, .gsepla = r->gsepla };
	const struct {
		enum cpu_note kind;
		uint32_t type;
		const void *desc;
		size_t len;
	} notes[] = {
		{ CPU_TIMER, NOTE_TIMER, &r->timer, sizeof(r->timer) },
		{ CPU_TODCMP, NOTE_TODCMP, &r->ckc, sizeof(r->ckc) },
		{ CPU_TODPREG, NOTE_TODPREG, &r->todpr, sizeof(r->todpr) },
		{ CPU_CTRS, NOTE_CTRS, r->cr, sizeof(r->cr) },
		{ CPU_PREFIX, NOTE_PREFIX, &r->prefix, sizeof(r->prefix) },
		{ CPU_VXRS_LOW, NOTE_VXRS_LOW, r->vr_low, sizeof(r->vr_low) },
		{ CPU_VXRS_HIGH, NOTE_VXRS_HIGH, r->vr_high, sizeof(r->vr_high) },
		{ CPU_GS_CB, NOTE_GS_CB, &gs, sizeof(gs) },
	};
	int rc = add_core_notes(b, r, pid, err);

	/* Facilities that a machine has not have no note; the others have one in any dump. */
	for (size_t i = 0; i < ARRAY_SIZE(notes) && !rc; i++)
		if (notes[i].kind < CPU_VXRS_LOW || s->has[notes[i].kind])
			rc = add_note(b, NOTE_NAME_LINUX, notes[i].type, notes[i].desc,
				      notes[i].len, err);
	return rc;
}

static int add_cpus(struct zpv_dump *d, struct buf *b, struct zpv_err *err)
{
	int rc = 0;

	for (size_t i = 0; i < d->notes.ncpus && !rc; i++) {
		struct dump_cpu_state s;

		rc = dump_cpu_state(d, i, &s, err);
		if (rc)
			return rc;
		if (s.incomplete)
			log_warn(&d->log,
				 "CPU %zu was in the middle of an instruction that the hypervisor "
				 "completes; its registers may be those of before",
				 i);
		rc = add_cpu(b, &s, (uint32_t)i + 1, err);
		OPENSSL_cleanse(&s, sizeof(s));
	}
	return rc;
}

static int make_notes(struct zpv_dump *d, struct buf *b, struct zpv_err *err)
{
	const char *text;
	size_t len;
	int rc = add_prpsinfo(b, err);

	if (!rc)
		rc = add_cpus(d, b, err);
	if (!rc)
		rc = zpv_dump_vmcoreinfo(d, &text, &len, err);
	if (!rc && text)
		rc = add_note(b, NOTE_NAME_VMCOREINFO, NOTE_VMCOREINFO, text, len, err);
	return rc;
}

/* --- Headers --------------------------------------------------------------------------------- */

/* What has bytes in the file, and what behind it is only zeros. */
static size_t count_loads(const struct zpv_dump *d)
{
	size_t n = 0;

	for (size_t i = 0; i < d->elf.nloads; i++) {
		const struct dump_segment *s = &d->elf.loads[i];

		n += (s->filesz != 0) + (s->memsz > s->filesz);
	}
	return n;
}

static void fill_header(struct elf_header *h, size_t phnum)
{
	bool extended = phnum >= ELF_PN_XNUM;

	*h = (struct elf_header){ 0 };
	memcpy(h->ident, ELF_IDENT, ELF_IDENT_BYTES);
	be16_set(&h->type, ELF_TYPE_CORE);
	be16_set(&h->machine, ELF_MACHINE_S390);
	be32_set(&h->version, ELF_VERSION);
	be64_set(&h->phoff, sizeof(*h));
	be16_set(&h->ehsize, sizeof(*h));
	be16_set(&h->phentsize, sizeof(struct elf_segment));
	be16_set(&h->phnum, extended ? ELF_PN_XNUM : (uint16_t)phnum);
	if (!extended)
		return;
	be64_set(&h->shoff, sizeof(*h) + phnum * sizeof(struct elf_segment));
	be16_set(&h->shentsize, sizeof(struct elf_section));
	be16_set(&h->shnum, 1);
}

static int add_load(struct buf *b, uint64_t off, uint64_t addr, uint64_t filesz, uint64_t memsz,
		    struct zpv_err *err)
{
	struct elf_segment s = { 0 };

	be32_set(&s.type, ELF_SEGMENT_LOAD);
	be32_set(&s.flags, ELF_SEGMENT_RWX);
	be64_set(&s.offset, off);
	be64_set(&s.vaddr, addr);
	be64_set(&s.paddr, addr);
	be64_set(&s.filesz, filesz);
	be64_set(&s.memsz, memsz);
	be64_set(&s.align, PAGE_BYTES);
	return buf_append(b, &s, sizeof(s), err);
}

static int add_loads(const struct zpv_dump *d, struct buf *b, uint64_t off, struct zpv_err *err)
{
	int rc = 0;

	for (size_t i = 0; i < d->elf.nloads && !rc; i++) {
		const struct dump_segment *s = &d->elf.loads[i];

		if (s->filesz)
			rc = add_load(b, off, s->addr, s->filesz, s->filesz, err);
		off += s->filesz;
		if (!rc && s->memsz > s->filesz)
			rc = add_load(b, off, s->addr + s->filesz, 0, s->memsz - s->filesz, err);
	}
	return rc;
}

static int make_head(const struct zpv_dump *d, const struct buf *notes, struct buf *head,
		     struct zpv_err *err)
{
	size_t phnum = 1 + count_loads(d);
	struct elf_header h;
	struct elf_segment note = { 0 };
	struct elf_section zero = { 0 };
	uint64_t notes_at = sizeof(h) + phnum * sizeof(note);
	int rc;

	fill_header(&h, phnum);
	if (phnum >= ELF_PN_XNUM)
		notes_at += sizeof(zero);
	be32_set(&zero.info, (uint32_t)phnum);
	be32_set(&note.type, ELF_SEGMENT_NOTE);
	be64_set(&note.offset, notes_at);
	be64_set(&note.filesz, notes->len);
	rc = buf_append(head, &h, sizeof(h), err);
	if (!rc)
		rc = buf_append(head, &note, sizeof(note), err);
	if (!rc)
		rc = add_loads(d, head, notes_at + notes->len, err);
	if (!rc && phnum >= ELF_PN_XNUM)
		rc = buf_append(head, &zero, sizeof(zero), err);
	if (!rc)
		rc = buf_append(head, notes->data, notes->len, err);
	return rc;
}

int plan_elf(struct zpv_dump *d, struct plan *p, struct zpv_err *err)
{
	AUTO_BUF notes = BUF_INIT;
	int rc = make_notes(d, &notes, err);

	if (!rc)
		rc = make_head(d, &notes, &p->head, err);
	for (size_t i = 0; i < d->elf.nloads && !rc; i++)
		rc = plan_add_piece(p, d->elf.loads[i].addr, d->elf.loads[i].filesz, err);
	return rc;
}
