// SPDX-License-Identifier: MIT
/*
 * The s390 stand-alone format of an opened dump (pv-dump.md section 9.4): all of memory from 0 on,
 * each CPU's registers where a stand-alone dump would have stored them.
 */
#include <inttypes.h>
#include <openssl/crypto.h>
#include <string.h>

#include "addr.h"
#include "convert_priv.h"
#include "dump_priv.h"
#include "err.h"
#include "log.h"
#include "s390_dump.h"

#define SAVE_BYTES (2 * PAGE_BYTES) /* what a CPU has at its prefix */

static uint64_t memory_end(const struct zpv_dump *d)
{
	const struct dump_segment *last = &d->elf.loads[d->elf.nloads - 1];

	return last->addr + last->memsz;
}

/* V0-V31 go where the guest's kernel told the machine to store them, if it did. */
static int add_vectors(struct zpv_dump *d, struct plan *p, uint64_t prefix,
		       const struct dump_cpu_state *s, struct zpv_err *err)
{
	be64 all[32][2];
	be64 ptr;
	uint64_t to;
	int rc = zpv_dump_read(d, prefix + S390_SAVE_VX_PTR, &ptr, sizeof(ptr), err);

	if (rc == -ZPV_ERR_USAGE) /* a hole: nobody told anything */
		return 0;
	if (rc)
		return rc;
	to = be64_get(ptr);
	if (!s->has[CPU_VXRS_LOW] || !to || to % S390_SAVE_VX_ALIGN ||
	    to > memory_end(d) - sizeof(all))
		return 0;
	for (int i = 0; i < 16; i++) {
		all[i][0] = s->regs.fpr[i];
		all[i][1] = s->regs.vr_low[i];
	}
	memcpy(all[16], s->regs.vr_high, sizeof(s->regs.vr_high));
	rc = plan_add_patch(p, to, all, sizeof(all), err);
	OPENSSL_cleanse(all, sizeof(all));
	return rc;
}

static int add_registers(struct plan *p, uint64_t prefix, const struct core_cpu *r,
			 struct zpv_err *err)
{
	const be64 psw[2] = { r->psw_mask, r->psw_addr };
	const struct {
		uint64_t at;
		const void *data;
		size_t len;
	} areas[] = {
		{ S390_SAVE_FPR, r->fpr, sizeof(r->fpr) },
		{ S390_SAVE_GR, r->gr, sizeof(r->gr) },
		{ S390_SAVE_PSW, psw, sizeof(psw) },
		{ S390_SAVE_PREFIX, &r->prefix, sizeof(r->prefix) },
		{ S390_SAVE_FPC, &r->fpc, sizeof(r->fpc) },
		{ S390_SAVE_TIMER, &r->timer, sizeof(r->timer) },
		{ S390_SAVE_CKC, &r->ckc, sizeof(r->ckc) },
		{ S390_SAVE_AR, r->ar, sizeof(r->ar) },
		{ S390_SAVE_CR, r->cr, sizeof(r->cr) },
	};
	int rc = 0;

	for (size_t i = 0; i < ARRAY_SIZE(areas) && !rc; i++)
		rc = plan_add_patch(p, prefix + areas[i].at, areas[i].data, areas[i].len, err);
	return rc;
}

static int add_cpu(struct zpv_dump *d, struct plan *p, struct s390_dump_header *h, size_t i,
		   struct zpv_err *err)
{
	struct dump_cpu_state s;
	uint64_t prefix;
	int rc = dump_cpu_state(d, i, &s, err);

	if (rc)
		return rc;
	if (s.incomplete)
		log_warn(
			&d->log,
			"CPU %zu was in the middle of an instruction that the hypervisor completes; "
			"its registers may be those of before",
			i);
	prefix = be32_get(s.regs.prefix);
	h->prefix[i] = s.regs.prefix;
	if (prefix > memory_end(d) || SAVE_BYTES > memory_end(d) - prefix) {
		log_warn(
			&d->log,
			"CPU %zu has its prefix at %#" PRIx64
			", behind the end of memory; the format s390 has no place for its registers",
			i, prefix);
	} else {
		rc = add_registers(p, prefix, &s.regs, err);
		if (!rc)
			rc = add_vectors(d, p, prefix, &s, err);
	}
	OPENSSL_cleanse(&s, sizeof(s));
	return rc;
}

/* real_memory_size and real_cpus stay 0: zgetdump's output has them so. */
static void fill_header(struct s390_dump_header *h, uint64_t size, size_t ncpus)
{
	be64_set(&h->magic, S390_DUMP_MAGIC);
	be32_set(&h->version, S390_DUMP_VERSION);
	be32_set(&h->header_size, sizeof(*h));
	be32_set(&h->level, S390_DUMP_LEVEL);
	be32_set(&h->page_size, PAGE_BYTES);
	be64_set(&h->memory_size, size);
	be64_set(&h->end, size - 1);
	be32_set(&h->pages, (uint32_t)(size / PAGE_BYTES));
	be32_set(&h->arch, S390_DUMP_64_BIT);
	be16_set(&h->cpus, (uint16_t)ncpus);
}

int plan_s390(struct zpv_dump *d, struct plan *p, struct zpv_err *err)
{
	struct s390_dump_header h = { 0 };
	struct s390_dump_end end = { S390_DUMP_END, { { 0 } } };
	int rc = 0;

	if (d->notes.ncpus > S390_DUMP_CPUS)
		return err_set(err, ZPV_ERR_USAGE,
			       "the dump has %zu CPUs, the format s390 at most %u; use elf",
			       d->notes.ncpus, S390_DUMP_CPUS);
	fill_header(&h, memory_end(d), d->notes.ncpus);
	for (size_t i = 0; i < d->notes.ncpus && !rc; i++)
		rc = add_cpu(d, p, &h, i, err);
	if (!rc)
		rc = buf_append(&p->head, &h, sizeof(h), err);
	if (!rc)
		rc = plan_add_piece(p, 0, memory_end(d), err);
	if (!rc)
		rc = buf_append(&p->tail, &end, sizeof(end), err);
	return rc;
}
