// SPDX-License-Identifier: MIT
/*
 * Verifying an image: what the Ultravisor recomputes, and what the loaders will find.
 *
 * One pass over the file: this thread reads, decrypts and takes a SHA-256 of each component's
 * content; the page list digest runs on the other thread.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zpv/image.h>

#include "addr.h"
#include "aes_xts.h"
#include "digests.h"
#include "err.h"
#include "layout.h"
#include "progress.h"
#include "report.h"
#include "secret.h"
#include "se_profile.h"
#include "sha.h"
#include "source.h"
#include "text.h"

typedef unsigned long long ull;

struct verify {
	struct zpv_image *img;
	struct zpv_image_report *report;
	struct task task;
	struct layout layout;
	struct digests *digests;
	struct xts *xts; /* NULL: components are not encrypted */
	uint8_t plain[DIGESTS_SLOT_BYTES];
	uint8_t head[KERNEL_HEAD_BYTES]; /* of the kernel */
	size_t head_len;
	uint8_t cmdline_end; /* last byte of the command line */
	bool padding_ok;
};

/* --- Flags and PSW --------------------------------------------------------------------------- */

static uint64_t known_bits(const struct se_flag *flags)
{
	uint64_t bits = 0;

	for (; flags->text; flags++)
		bits |= flags->bit;
	return bits;
}

static void check_flags(struct verify *v)
{
	uint64_t pcf = be64_get(v->img->hdr.head->pcf);
	uint64_t scf = be64_get(image_secrets(v->img)->scf);
	uint64_t unknown_pcf = pcf & ~known_bits(se_pcf_flags);
	uint64_t unknown_scf = scf & ~known_bits(se_scf_flags);
	char machines[64] = "";
	size_t used = 0;

	if (unknown_pcf || unknown_scf) {
		report_check(v->report, false, "control flags",
			     "unknown bits %#llx (plain), %#llx (secret)", (ull)unknown_pcf,
			     (ull)unknown_scf);
		return;
	}
	for (size_t i = 0; i < SE_PROFILES; i++) {
		const struct se_profile *p = &se_profiles[i];

		if ((pcf & ~p->pcf) == 0 && (scf & ~p->scf) == 0) {
			used += (size_t)snprintf(machines + used, sizeof(machines) - used, "%s%s",
						 used ? " " : "", p->name);
		}
	}
	report_check(v->report, true, "control flags", "plain %#llx, secret %#llx; accepted by %s",
		     (ull)pcf, (ull)scf, machines[0] ? machines : "no software profile");
}

static void check_psw(struct verify *v)
{
	const struct se_hdr_secrets *s = image_secrets(v->img);
	const struct layout_comp *last = &v->layout.comps[v->layout.ncomps - 1];
	uint64_t mask = be64_get(s->psw_mask), addr = be64_get(s->psw_addr);

	report_check(v->report, mask == PSW_MASK_64BIT && addr == last->addr, "initial PSW",
		     "mask 0x%016llx, address %#llx; expected 0x%016llx and %#llx (stage3b)",
		     (ull)mask, (ull)addr, PSW_MASK_64BIT, (ull)last->addr);
}

static bool all_zero(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i])
			return false;
	return true;
}

static void check_reserved(struct verify *v)
{
	const struct se_hdr_head *h = v->img->hdr.head;
	bool ok = be32_get(h->reserved1c) == 0 && be32_get(image_secrets(v->img)->reserved7c) == 0;

	report_check(v->report, ok, "reserved fields",
		     ok ? "zero" : "not zero, but no meaning is public");
}

/* --- Content --------------------------------------------------------------------------------- */

/* Looks at npages of plaintext at offset off of component c. */
static void look_at_content(struct verify *v, const struct layout_comp *c, const uint8_t *plain,
			    uint64_t off, size_t len, struct sha *sha)
{
	size_t in = off >= c->content ? 0 : c->content - off < len ? c->content - off : len;

	sha_update(sha, plain, in);
	v->padding_ok = v->padding_ok && all_zero(plain + in, len - in);
	if (c->kind == ZPV_PART_KERNEL && v->head_len < sizeof(v->head)) {
		size_t room = sizeof(v->head) - v->head_len;
		size_t n = in < room ? in : room;

		memcpy(v->head + v->head_len, plain, n);
		v->head_len += n;
	}
	if (c->kind == ZPV_PART_CMDLINE && in && off + in == c->content)
		v->cmdline_end = plain[in - 1];
}

static int verify_slot(struct verify *v, const struct layout_comp *c, uint64_t off, size_t len,
		       struct sha *sha, struct zpv_err *err)
{
	uint8_t *slot = digests_slot(v->digests);
	const uint8_t *plain = slot;
	size_t got;
	int rc = source_read(v->img->src, slot, len, c->addr + off, &got, err);

	if (rc)
		return rc;
	if (got != len)
		return err_set(err, ZPV_ERR_IO, "the file became shorter while it was read");
	digests_submit(v->digests, len / PAGE_BYTES, c->addr + off, c->tweak_pref, off);
	if (v->xts) {
		rc = xts_pages(v->xts, c->tweak_pref, off, slot, v->plain, len / PAGE_BYTES, err);
		plain = v->plain;
	}
	if (rc)
		return rc;
	look_at_content(v, c, plain, off, len, sha);
	return task_advance(&v->task, len, err);
}

static int verify_comp(struct verify *v, const struct layout_comp *c, struct zpv_err *err)
{
	struct zpv_image_part part = { .kind = c->kind,
				       .addr = c->addr,
				       .len = c->len,
				       .content = c->content,
				       .secured = true,
				       .tweak_pref = c->tweak_pref };
	AUTO(sha) struct sha *sha = NULL;
	uint8_t digest[SHA256_BYTES];
	int rc = sha_new(SHA_256, &sha, err);

	for (uint64_t off = 0; !rc && off < c->len; off += DIGESTS_SLOT_BYTES) {
		uint64_t left = c->len - off;

		rc = verify_slot(v, c, off, left < DIGESTS_SLOT_BYTES ? left : DIGESTS_SLOT_BYTES,
				 sha, err);
	}
	if (!rc)
		rc = sha_final(sha, digest, err);
	if (rc)
		return rc;
	hex_encode(digest, sizeof(digest), part.sha256_hex);
	report_part(v->report, &part);
	return 0;
}

static int verify_comps(struct verify *v, struct zpv_err *err)
{
	bool encrypted = !(be64_get(v->img->hdr.head->pcf) & PCF_NO_ENCRYPTION);
	AUTO(secret) struct secret *key = NULL;
	int rc = secret_copy(image_secrets(v->img)->xts_key, SE_XTS_KEY_BYTES, &key, err);

	if (!rc && encrypted)
		rc = xts_new(key, XTS_DECRYPT, &v->xts, err);
	if (!rc)
		rc = digests_new(&v->digests, err);
	for (size_t i = 0; i < v->layout.ncomps; i++)
		v->task.total += v->layout.comps[i].len;
	for (size_t i = 0; !rc && i < v->layout.ncomps; i++)
		rc = verify_comp(v, &v->layout.comps[i], err);
	return rc;
}

/* --- Verdicts -------------------------------------------------------------------------------- */

static void check_digest(struct verify *v, const char *name, const uint8_t *found,
			 const uint8_t *expected)
{
	char a[HEX_SIZE(8)], b[HEX_SIZE(8)];
	bool ok = memcmp(found, expected, SE_HDR_DIGEST_BYTES) == 0;

	if (ok)
		report_check(v->report, true, name, "%s...", hex_encode(found, 8, a));
	else
		report_check(v->report, false, name, "computed %s..., header %s...",
			     hex_encode(found, 8, a), hex_encode(expected, 8, b));
}

static int check_digests(struct verify *v, struct zpv_err *err)
{
	const struct se_hdr_head *h = v->img->hdr.head;
	struct digest_set d;
	int rc = digests_final(v->digests, &d, err);

	if (rc)
		return rc;
	report_check(v->report, d.nep == be64_get(h->nep), "number of pages", "%llu, header %llu",
		     (ull)d.nep, (ull)be64_get(h->nep));
	check_digest(v, "page list digest", d.pld, h->pld);
	check_digest(v, "address list digest", d.ald, h->ald);
	check_digest(v, "tweak list digest", d.tld, h->tld);
	return 0;
}

/* stage3b copies the kernel from 64 KiB on; a file that is not Linux may still be meant. */
static void check_kernel(struct verify *v)
{
	uint64_t size = be64_get(v->layout.args.kernel.size);
	struct zpv_err err;

	if (size < KERNEL_ENTRY)
		report_check(v->report, false, "kernel",
			     "%llu bytes, but stage3b needs %u at least", (ull)size, KERNEL_ENTRY);
	else if (kernel_check(v->head, v->head_len, &err) == 0)
		report_check(v->report, true, "kernel", "an s390x Linux kernel of %llu bytes",
			     (ull)size);
	else
		report_check(v->report, true, "kernel", "%llu bytes; %s", (ull)size, err.text);
}

static void check_cmdline(struct verify *v)
{
	uint64_t size = be64_get(v->layout.args.cmdline.size);
	uint64_t max = v->head_len == sizeof(v->head) ? kernel_max_cmdline(v->head, v->head_len) :
							KERNEL_DEFAULT_MAX_CMDLINE;

	if (size == 0)
		report_check(v->report, true, "command line", "none");
	else
		report_check(v->report, size <= max && v->cmdline_end == 0, "command line",
			     "%llu bytes of at most %llu%s", (ull)size, (ull)max,
			     v->cmdline_end ? ", without a NUL at the end" : "");
}

static void add_plain_parts(struct verify *v)
{
	const struct layout *l = &v->layout;
	const struct zpv_image *img = v->img;
	const struct zpv_image_part parts[] = {
		{ .kind = ZPV_PART_SHORT_PSW, .addr = 0, .len = sizeof(be64) },
		{ .kind = ZPV_PART_STAGE3A,
		  .addr = SE_IMG_STAGE3A_ADDR,
		  .len = l->stage3a_end - SE_IMG_STAGE3A_ADDR },
		{ .kind = ZPV_PART_HEADER,
		  .addr = img->hdr_offs,
		  .len = be32_get(img->hdr.head->sehs) },
		{ .kind = ZPV_PART_IPIB, .addr = l->ipib_addr, .len = be32_get(l->ipib.head->len) },
		{ .kind = ZPV_PART_METADATA,
		  .addr = SE_IMG_META_ADDR,
		  .len = sizeof(struct se_img_meta) },
	};

	for (size_t i = 0; i < ARRAY_SIZE(parts) - !img->has_meta; i++)
		report_part(v->report, &parts[i]);
}

static int run(struct verify *v, struct zpv_err *err)
{
	bool whole;
	int rc;

	report_check(v->report, true, "SE header", "authenticated and decrypted");
	check_reserved(v);
	check_flags(v);
	rc = layout_read(v->img, v->report, &v->layout, &whole, err);
	if (rc || !whole)
		return rc;
	check_psw(v);
	add_plain_parts(v);
	rc = verify_comps(v, err);
	if (!rc)
		rc = check_digests(v, err);
	if (rc)
		return rc;
	report_check(v->report, v->padding_ok, "padding", v->padding_ok ? "zero" : "not zero");
	if (v->layout.has_args) {
		check_kernel(v);
		check_cmdline(v);
	}
	return 0;
}

int zpv_image_verify(struct zpv_image *img, const struct zpv_progress *progress,
		     struct zpv_image_report **out, struct zpv_err *err)
{
	AUTO(zpv_image_report) struct zpv_image_report *report = calloc(1, sizeof(*report));
	struct verify *v = calloc(1, sizeof(*v));
	int rc;

	if (!report || !v) {
		free(v);
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	}
	report->ok = true;
	*v = (struct verify){
		.img = img, .report = report, .task.progress = progress, .padding_ok = true
	};
	rc = img->secrets ?
		     run(v, err) :
		     err_set(err, ZPV_ERR_USAGE, "the header must be opened with a key first");
	digests_free(v->digests);
	xts_free(v->xts);
	free(v);
	if (!rc)
		rc = report_finish(report, err);
	if (rc)
		return rc;
	*out = STEAL(report);
	return 0;
}
