// SPDX-License-Identifier: MIT
/*
 * The layout of an existing image. Both layouts of se-image.md section 2 are read: what decides
 * is stage3a's argument block, because that is what will be handed to the hypervisor.
 */
#include "layout.h"

#include <string.h>

#include "addr.h"
#include "aes_xts.h"
#include "err.h"
#include "report.h"
#include "secret.h"
#include "source.h"

typedef unsigned long long ull;

/* stage3b is some KiB; a vendor's may be larger, its arguments still are its last bytes. */
#define STAGE3B_TAIL_BYTES (64u * 1024)

/* --- stage3a --------------------------------------------------------------------------------- */

/*
 * The argument block refers to the header relative to itself, so that it is recognised without
 * knowing the size of stage3a.
 */
static bool find_stage3a_args(const struct zpv_image *img, struct layout *l)
{
	uint8_t bytes[SE_IMG_HDR_MIN_ADDR - SE_IMG_STAGE3A_ADDR + 16 * PAGE_BYTES];
	uint64_t hdr_size = be32_get(img->hdr.head->sehs);
	size_t got;

	if (source_read(img->src, bytes, sizeof(bytes), SE_IMG_STAGE3A_ADDR, &got, NULL) != 0)
		return false;
	for (size_t at = 0; at + sizeof(struct stage3a_args) <= got; at++) {
		const struct stage3a_args *a = (const void *)(bytes + at);
		uint64_t addr = SE_IMG_STAGE3A_ADDR + at;

		if (addr >= img->hdr_offs)
			return false;
		if (be64_get(a->hdr_offs) == img->hdr_offs - addr &&
		    be64_get(a->hdr_size) == hdr_size) {
			l->stage3a_end = addr + sizeof(*a);
			l->ipib_addr = addr + be64_get(a->ipib_offs);
			return true;
		}
	}
	return false;
}

static bool check_stage3a(const struct zpv_image *img, struct zpv_image_report *r, struct layout *l)
{
	be64 psw = { { 0 } };
	size_t got;

	if (source_read(img->src, &psw, sizeof(psw), 0, &got, NULL) != 0)
		return report_check(r, false, "short PSW", "cannot be read");
	report_check(r, be64_get(psw) == SE_IMG_SHORT_PSW, "short PSW",
		     "0x%016llx, expected 0x%016llx", (ull)be64_get(psw), SE_IMG_SHORT_PSW);
	if (!find_stage3a_args(img, l))
		return report_check(r, false, "stage3a arguments",
				    "no block behind stage3a leads to the header at %#llx",
				    (ull)img->hdr_offs);
	report_check(r, true, "stage3a arguments", "header at %#llx, IPIB at %#llx",
		     (ull)img->hdr_offs, (ull)l->ipib_addr);
	if (img->has_meta)
		report_check(r, img->ipib_offs == l->ipib_addr, "metadata",
			     "IPIB at %#llx; stage3a's arguments say %#llx", (ull)img->ipib_offs,
			     (ull)l->ipib_addr);
	return true;
}

/* --- IPIB and components --------------------------------------------------------------------- */

static bool overlaps(uint64_t a, uint64_t alen, uint64_t b, uint64_t blen)
{
	return a < b + blen && b < a + alen;
}

static bool read_ipib(const struct zpv_image *img, struct zpv_image_report *r, struct layout *l)
{
	const struct ipib_head *h;
	struct zpv_err err;
	size_t got;
	uint64_t addr, size;

	if (source_read(img->src, l->ipib_bytes, sizeof(l->ipib_bytes), l->ipib_addr, &got, &err) !=
		    0 ||
	    ipib_parse(l->ipib_bytes, got, &l->ipib, &err) != 0)
		return report_check(r, false, "IPIB", "%s", err.text);
	h = l->ipib.head;
	addr = be64_get(h->pv_hdr_addr);
	size = be64_get(h->pv_hdr_size);
	report_check(r,
		     page_aligned(l->ipib_addr) && l->ipib_addr >= l->stage3a_end &&
			     !overlaps(l->ipib_addr, be32_get(h->len), img->hdr_offs,
				       be32_get(img->hdr.head->sehs)),
		     "IPIB address", "%#llx, on a page boundary and apart from stage3a and header",
		     (ull)l->ipib_addr);
	/* stage3a overwrites both fields; older tools leave the address zero (layout C). */
	return report_check(r,
			    (addr == img->hdr_offs || (!img->has_meta && addr == 0)) &&
				    size == be32_get(img->hdr.head->sehs),
			    "IPIB", "%zu components; header at %#llx with %llu bytes",
			    l->ipib.ncomps, (ull)addr, (ull)size);
}

/* Bounds, order and overlap of component i; earlier ones were accepted. */
static bool check_comp(const struct zpv_image *img, struct zpv_image_report *r,
		       const struct layout *l, size_t i)
{
	const struct layout_comp *c = &l->comps[i];
	uint64_t file = source_size(img->src);
	uint64_t hdr_end = img->hdr_offs + be32_get(img->hdr.head->sehs);

	if (c->len == 0 || !page_aligned(c->len))
		return report_check(r, false, "components",
				    "component %zu has %llu bytes, not whole pages", i,
				    (ull)c->len);
	if (c->addr > file || c->len > file - c->addr)
		return report_check(
			r, false, "components",
			"component %zu at %#llx with %#llx bytes exceeds the file's %#llx bytes", i,
			(ull)c->addr, (ull)c->len, (ull)file);
	if (c->addr < hdr_end || (i && c->addr < c[-1].addr + c[-1].len))
		return report_check(r, false, "components",
				    "component %zu at %#llx overlaps what lies before it", i,
				    (ull)c->addr);
	if (overlaps(c->addr, c->len, l->ipib_addr, be32_get(l->ipib.head->len)))
		return report_check(r, false, "components",
				    "component %zu at %#llx overlaps the IPIB", i, (ull)c->addr);
	return true;
}

static bool read_comps(const struct zpv_image *img, struct zpv_image_report *r, struct layout *l)
{
	uint64_t npages = 0;

	for (size_t i = 0; i < l->ipib.ncomps; i++) {
		const struct ipib_comp *e = &l->ipib.comps[i];

		l->comps[i] = (struct layout_comp){ .addr = be64_get(e->addr),
						    .len = be64_get(e->len),
						    .content = be64_get(e->len),
						    .tweak_pref = be64_get(e->tweak_pref),
						    .kind = ZPV_PART_COMPONENT };
		l->ncomps++;
		if (!check_comp(img, r, l, i))
			return false;
		npages += l->comps[i].len / PAGE_BYTES;
	}
	return report_check(r, true, "components", "%zu, %llu pages, in order, inside the file",
			    l->ncomps, (ull)npages);
}

/* --- stage3b --------------------------------------------------------------------------------- */

/* Decrypts the last pages of a component into buf; returns the bytes, 0 on failure. */
static size_t read_tail(const struct zpv_image *img, const struct layout_comp *c, uint8_t *buf,
			size_t room)
{
	AUTO(secret) struct secret *key = NULL;
	AUTO(xts) struct xts *xts = NULL;
	size_t len = c->len < room ? c->len : room, got;
	uint64_t off = c->len - len;

	if (source_read(img->src, buf, len, c->addr + off, &got, NULL) != 0 || got != len)
		return 0;
	if (be64_get(img->hdr.head->pcf) & PCF_NO_ENCRYPTION)
		return len;
	if (secret_copy(image_secrets(img)->xts_key, SE_XTS_KEY_BYTES, &key, NULL) != 0 ||
	    xts_new(key, XTS_DECRYPT, &xts, NULL) != 0 ||
	    xts_pages(xts, c->tweak_pref, off, buf, buf, len / PAGE_BYTES, NULL) != 0)
		return 0;
	return len;
}

/* True when a argument names exactly this component, with at most a page of padding. */
static bool names(const struct stage3b_comp *a, const struct layout_comp *c)
{
	uint64_t size = be64_get(a->size);

	return be64_get(a->src) == c->addr && size <= c->len &&
	       (c->len - size < PAGE_BYTES || (size == 0 && c->len == PAGE_BYTES));
}

/* The block is followed by the zeros that pad the last page, if by anything. */
static bool find_stage3b_args(const struct zpv_image *img, struct layout *l)
{
	static const uint8_t zeros[sizeof(struct stage3b_args)];
	struct layout_comp *last = &l->comps[l->ncomps - 1];
	uint8_t tail[STAGE3B_TAIL_BYTES];
	size_t len = read_tail(img, last, tail, sizeof(tail));
	size_t end = len, last_end;

	while (end > 0 && tail[end - 1] == 0)
		end--;
	/* The block's own last bytes may be zero: try each end that only zeros follow. */
	last_end = end + sizeof(l->args) < len ? end + sizeof(l->args) : len;
	for (; end <= last_end; end++) {
		if (end < sizeof(l->args))
			continue;
		memcpy(&l->args, tail + end - sizeof(l->args), sizeof(l->args));
		if (memcmp(&l->args, zeros, sizeof(zeros)) != 0 &&
		    names(&l->args.kernel, &l->comps[0])) {
			last->content = last->len - (len - end);
			return true;
		}
	}
	return false;
}

/* Gives the component that an argument names its kind. */
static bool assign(struct layout *l, struct zpv_image_report *r, const struct stage3b_comp *arg,
		   enum zpv_image_part_kind kind)
{
	for (size_t i = 0; i + 1 < l->ncomps; i++) {
		if (l->comps[i].kind != ZPV_PART_COMPONENT || !names(arg, &l->comps[i]))
			continue;
		l->comps[i].kind = kind;
		l->comps[i].content = be64_get(arg->size);
		return true;
	}
	if (be64_get(arg->src) == 0 && be64_get(arg->size) == 0)
		return true; /* absent */
	return report_check(r, false, "stage3b arguments",
			    "%s at %#llx with %llu bytes is none of the components",
			    report_part_name(kind), (ull)be64_get(arg->src),
			    (ull)be64_get(arg->size));
}

static void check_stage3b(const struct zpv_image *img, struct zpv_image_report *r, struct layout *l)
{
	const struct stage3b_args *a = &l->args;

	l->has_args = find_stage3b_args(img, l);
	if (!l->has_args) {
		report_check(r, false, "stage3b arguments",
			     "no block at the end of the last component names the kernel at %#llx",
			     (ull)l->comps[0].addr);
		return;
	}
	l->comps[l->ncomps - 1].kind = ZPV_PART_STAGE3B;
	if (!assign(l, r, &a->kernel, ZPV_PART_KERNEL) ||
	    !assign(l, r, &a->initrd, ZPV_PART_RAMDISK) ||
	    !assign(l, r, &a->cmdline, ZPV_PART_CMDLINE))
		return;
	for (size_t i = 0; i < l->ncomps; i++) {
		if (l->comps[i].kind == ZPV_PART_COMPONENT) {
			report_check(r, false, "stage3b arguments",
				     "component %zu at %#llx is not named", i,
				     (ull)l->comps[i].addr);
			return;
		}
	}
	report_check(r, true, "stage3b arguments", "kernel PSW 0x%016llx %#llx",
		     (ull)be64_get(a->psw_mask), (ull)be64_get(a->psw_addr));
}

int layout_read(const struct zpv_image *img, struct zpv_image_report *r, struct layout *l,
		bool *whole, struct zpv_err *err)
{
	*whole = false;
	memset(l, 0, sizeof(*l));
	if (source_is_partial(img->src))
		return err_set(err, ZPV_ERR_IO,
			       "an image is verified from a file, not from a pipe");
	if (img->hdr_offs < SE_IMG_STAGE3A_ADDR)
		return err_set(
			err, ZPV_ERR_FORMAT,
			"the file holds a header without components: there is nothing to verify");
	*whole = check_stage3a(img, r, l) && read_ipib(img, r, l) && read_comps(img, r, l);
	if (*whole)
		check_stage3b(img, r, l);
	return 0;
}
