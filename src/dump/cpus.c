// SPDX-License-Identifier: MIT
/*
 * The CPUs of a dump (pv-dump.md sections 4.2, 4.3 and 6).
 *
 * Of a protected guest a CPU is what the Ultravisor sealed; the notes beside it are the
 * hypervisor's view, out of date, and not read.
 */
#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "aes_gcm.h"
#include "dump_priv.h"
#include "err.h"

#define MAX_CPUS 65536u

/* --- Notes ----------------------------------------------------------------------------------- */

static const struct {
	uint32_t type;
	const char *name;
	size_t len; /* at least */
} kinds[CPU_NOTES] = {
	[CPU_PRSTATUS] = { NOTE_PRSTATUS, NOTE_NAME_CORE, sizeof(struct note_prstatus) },
	[CPU_FPREGSET] = { NOTE_FPREGSET, NOTE_NAME_CORE, sizeof(struct note_fpregset) },
	[CPU_TIMER] = { NOTE_TIMER, NOTE_NAME_LINUX, 8 },
	[CPU_TODCMP] = { NOTE_TODCMP, NOTE_NAME_LINUX, 8 },
	[CPU_TODPREG] = { NOTE_TODPREG, NOTE_NAME_LINUX, 4 },
	[CPU_CTRS] = { NOTE_CTRS, NOTE_NAME_LINUX, 128 },
	[CPU_PREFIX] = { NOTE_PREFIX, NOTE_NAME_LINUX, 4 },
	[CPU_VXRS_LOW] = { NOTE_VXRS_LOW, NOTE_NAME_LINUX, 128 },
	[CPU_VXRS_HIGH] = { NOTE_VXRS_HIGH, NOTE_NAME_LINUX, 256 },
	[CPU_GS_CB] = { NOTE_GS_CB, NOTE_NAME_LINUX, sizeof(struct note_gs_cb) },
	[CPU_PV] = { NOTE_PV_CPU, NOTE_NAME_LINUX, 0 },
};

struct note {
	uint32_t type;
	const uint8_t *name;
	size_t name_len; /* with its NUL */
	struct dump_bytes desc;
};

static bool note_is(const struct note *n, uint32_t type, const char *name)
{
	return n->type == type && n->name_len == strlen(name) + 1 &&
	       memcmp(n->name, name, n->name_len) == 0;
}

static int kind_of(const struct note *n)
{
	int i = 0;

	while (i < CPU_NOTES && !note_is(n, kinds[i].type, kinds[i].name))
		i++;
	return i;
}

/* Room doubles: nothing tells beforehand how many there are. */
static int add_cpu(struct dump_notes *all, struct zpv_err *err)
{
	if (all->ncpus == MAX_CPUS)
		return err_set(err, ZPV_ERR_VERIFY, "the dump has more than %u CPUs", MAX_CPUS);
	if ((all->ncpus & (all->ncpus - 1)) == 0) {
		size_t room = all->ncpus ? 2 * all->ncpus : 1;
		struct dump_cpu_notes *grown = realloc(all->cpus, room * sizeof(*grown));

		if (!grown)
			return err_set(err, ZPV_ERR_NOMEM, "no memory");
		all->cpus = grown;
	}
	all->cpus[all->ncpus++] = (struct dump_cpu_notes){ 0 };
	return 0;
}

/* A CPU begins with its PRSTATUS; what comes without one belongs to a CPU of its own. */
static bool begins_cpu(const struct dump_notes *all, int kind)
{
	return !all->ncpus || kind == CPU_PRSTATUS || all->cpus[all->ncpus - 1].note[kind].data;
}

static int take_note(struct dump_notes *all, const struct note *n, struct zpv_err *err)
{
	int kind = kind_of(n);

	if (note_is(n, NOTE_VMCOREINFO, NOTE_NAME_VMCOREINFO) && !all->vmcoreinfo.data)
		all->vmcoreinfo = n->desc;
	if (kind == CPU_NOTES)
		return 0;
	if (n->desc.len < kinds[kind].len)
		return err_set(err, ZPV_ERR_VERIFY,
			       "the dump is damaged: a note of type %#x has %zu bytes, not %zu",
			       n->type, n->desc.len, kinds[kind].len);
	if (begins_cpu(all, kind)) {
		int rc = add_cpu(all, err);

		if (rc)
			return rc;
	}
	all->cpus[all->ncpus - 1].note[kind] = n->desc;
	all->npv += kind == CPU_PV;
	return 0;
}

static size_t padded(uint32_t len)
{
	return ((size_t)len + 3) & ~(size_t)3;
}

/* Cuts a note off the front of the bytes; false when it reaches beyond their end. */
static bool next_note(const uint8_t **data, size_t *len, struct note *out)
{
	struct elf_note h;
	size_t name, desc;

	if (*len < sizeof(h))
		return false;
	memcpy(&h, *data, sizeof(h));
	*data += sizeof(h);
	*len -= sizeof(h);
	name = be32_get(h.namesz);
	desc = be32_get(h.descsz);
	if (padded((uint32_t)name) > *len || desc > *len - padded((uint32_t)name))
		return false;
	out->type = be32_get(h.type);
	out->name = *data;
	out->name_len = name;
	*data += padded((uint32_t)name);
	*len -= padded((uint32_t)name);
	out->desc = (struct dump_bytes){ *data, desc };
	/* The last one's padding may be missing. */
	desc = padded((uint32_t)desc) < *len ? padded((uint32_t)desc) : *len;
	*data += desc;
	*len -= desc;
	return true;
}

/* Segments of notes end with zeros where the kernel kept room for more of them. */
static bool all_zero(const uint8_t *data, size_t len)
{
	while (len && !data[len - 1])
		len--;
	return !len;
}

int dump_notes_add(struct dump_notes *all, const uint8_t *data, size_t len, struct zpv_err *err)
{
	const uint8_t *start = data;

	while (len &&
	       !all_zero(data, len < sizeof(struct elf_note) ? len : sizeof(struct elf_note))) {
		size_t at = (size_t)(data - start);
		struct note n;
		int rc;

		if (!next_note(&data, &len, &n))
			return err_set(err, ZPV_ERR_VERIFY,
				       "the dump is damaged: the note at byte %#zx of its segment "
				       "reaches beyond the segment's end",
				       at);
		rc = take_note(all, &n, err);
		if (rc)
			return rc;
	}
	return 0;
}

void dump_notes_free(struct dump_notes *n)
{
	free(n->cpus);
	*n = (struct dump_notes){ 0 };
}

/* --- A sealed CPU ---------------------------------------------------------------------------- */

int dump_cpu_open(const struct secret *dump_key, struct dump_bytes block, struct pv_dump_cpu *out,
		  struct zpv_err *err)
{
	struct pv_dump_cpu in;
	int rc;

	if (block.len < sizeof(in))
		return err_set(err, ZPV_ERR_VERIFY, "its sealed state has %zu bytes, not %zu",
			       block.len, sizeof(in));
	memcpy(&in, block.data, sizeof(in));
	if (be32_get(in.version) != PV_DUMP_VERSION)
		return err_set(err, ZPV_ERR_VERIFY, "its sealed state is of version %u, not %u",
			       be32_get(in.version), PV_DUMP_VERSION);
	*out = in;
	rc = aes_gcm_open(dump_key, in.iv, (const uint8_t *)&in, PV_DUMP_CPU_AAD_BYTES,
			  (const uint8_t *)&in + PV_DUMP_CPU_AAD_BYTES,
			  offsetof(struct pv_dump_cpu, tag) - PV_DUMP_CPU_AAD_BYTES,
			  (uint8_t *)out + PV_DUMP_CPU_AAD_BYTES, in.tag, err);
	/* The key is right, it opened the completion data. */
	if (rc == -ZPV_ERR_KEY)
		return err_set(
			err, ZPV_ERR_VERIFY,
			"its sealed state is damaged (the authentication tag does not match)");
	return rc;
}

/* --- Its registers --------------------------------------------------------------------------- */

static void from_sealed(const struct pv_dump_cpu *c, struct dump_cpu_state *out)
{
	struct core_cpu *r = &out->regs;

	for (int i = 0; i < CPU_PV; i++)
		out->has[i] = true;
	memcpy(r->gr, c->gr, sizeof(r->gr));
	memcpy(r->cr, c->cr, sizeof(r->cr));
	memcpy(r->ar, c->ar, sizeof(r->ar));
	for (int i = 0; i < 16; i++) {
		r->fpr[i] = c->vr[i][0];
		r->vr_low[i] = c->vr[i][1];
	}
	memcpy(r->vr_high, c->vr[16], sizeof(r->vr_high));
	r->psw_mask = c->psw_mask;
	r->psw_addr = c->psw_addr;
	r->timer = c->timer;
	r->ckc = c->ckc;
	r->fpc = c->fpc;
	r->prefix = c->prefix;
	r->todpr = c->todpr;
	r->gsd = c->gsd;
	r->gssm = c->gssm;
	r->gsepla = c->gsepla;
	out->incomplete = be16_get(c->flags) & PV_DUMP_OSII;
}

/* Notes that are not there leave zeros. */
static void take(const struct dump_cpu_notes *n, enum cpu_note kind, void *to, size_t len)
{
	if (n->note[kind].data)
		memcpy(to, n->note[kind].data, len);
}

static void from_notes(const struct dump_cpu_notes *n, struct dump_cpu_state *out)
{
	struct core_cpu *r = &out->regs;
	struct note_prstatus prstatus = { 0 };
	struct note_fpregset fpregset = { 0 };
	struct note_gs_cb gs = { 0 };

	for (int i = 0; i < CPU_NOTES; i++)
		out->has[i] = n->note[i].data;
	take(n, CPU_PRSTATUS, &prstatus, sizeof(prstatus));
	r->psw_mask = prstatus.psw_mask;
	r->psw_addr = prstatus.psw_addr;
	memcpy(r->gr, prstatus.gr, sizeof(r->gr));
	memcpy(r->ar, prstatus.ar, sizeof(r->ar));
	take(n, CPU_FPREGSET, &fpregset, sizeof(fpregset));
	r->fpc = fpregset.fpc;
	memcpy(r->fpr, fpregset.fpr, sizeof(r->fpr));
	take(n, CPU_TIMER, &r->timer, sizeof(r->timer));
	take(n, CPU_TODCMP, &r->ckc, sizeof(r->ckc));
	take(n, CPU_TODPREG, &r->todpr, sizeof(r->todpr));
	take(n, CPU_CTRS, r->cr, sizeof(r->cr));
	take(n, CPU_PREFIX, &r->prefix, sizeof(r->prefix));
	take(n, CPU_VXRS_LOW, r->vr_low, sizeof(r->vr_low));
	take(n, CPU_VXRS_HIGH, r->vr_high, sizeof(r->vr_high));
	take(n, CPU_GS_CB, &gs, sizeof(gs));
	r->gsd = gs.gsd;
	r->gssm = gs.gssm;
	r->gsepla = gs.gsepla;
}

int dump_cpu_state(const struct zpv_dump *d, size_t i, struct dump_cpu_state *out,
		   struct zpv_err *err)
{
	struct pv_dump_cpu sealed;
	int rc;

	*out = (struct dump_cpu_state){ 0 };
	if (!d->protected) {
		from_notes(&d->notes.cpus[i], out);
		return 0;
	}
	rc = dump_need_key(d, err);
	if (rc)
		return rc;
	rc = dump_cpu_open(d->keys.dump_key, d->notes.cpus[i].note[CPU_PV], &sealed, err);
	if (rc)
		return err_ctx(err, "CPU %zu", i);
	from_sealed(&sealed, out);
	OPENSSL_cleanse(&sealed, sizeof(sealed));
	return 0;
}

/* --- Public ---------------------------------------------------------------------------------- */

size_t zpv_dump_cpus(const struct zpv_dump *d)
{
	return d->notes.ncpus;
}

static void get_all(uint64_t *to, const be64 *from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = be64_get(from[i]);
}

int zpv_dump_cpu(struct zpv_dump *d, size_t i, struct zpv_dump_cpu *out, struct zpv_err *err)
{
	struct dump_cpu_state s;
	const struct core_cpu *r = &s.regs;
	int rc;

	if (i >= d->notes.ncpus)
		return err_set(err, ZPV_ERR_USAGE, "the dump has %zu CPUs, no number %zu",
			       d->notes.ncpus, i);
	rc = dump_cpu_state(d, i, &s, err);
	if (rc)
		return rc;
	get_all(out->gr, r->gr, 16);
	get_all(out->cr, r->cr, 16);
	get_all(out->fpr, r->fpr, 16);
	get_all(out->vr_low, r->vr_low, 16);
	get_all(out->vr_high[0], r->vr_high[0], 32);
	for (int k = 0; k < 16; k++)
		out->ar[k] = be32_get(r->ar[k]);
	out->psw_mask = be64_get(r->psw_mask);
	out->psw_addr = be64_get(r->psw_addr);
	out->timer = be64_get(r->timer);
	out->ckc = be64_get(r->ckc);
	out->gsd = be64_get(r->gsd);
	out->gssm = be64_get(r->gssm);
	out->gsepla = be64_get(r->gsepla);
	out->fpc = be32_get(r->fpc);
	out->prefix = be32_get(r->prefix);
	out->todpr = be32_get(r->todpr);
	out->incomplete = s.incomplete;
	OPENSSL_cleanse(&s, sizeof(s));
	return 0;
}
