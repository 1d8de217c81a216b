// SPDX-License-Identifier: MIT
/*
 * An image's header, and what a verification found, as text. JSON is in describe_json.c.
 *
 * The lines are those that users of pvimg know (se-image.md section 13); the form may change.
 */
#define _GNU_SOURCE
#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zpv/image.h>

#include "describe_priv.h"
#include "err.h"
#include "image_priv.h"
#include "report.h"
#include "text.h"

typedef unsigned long long ull;

static void put_hex(FILE *f, const char *label, const uint8_t *data, size_t len)
{
	fprintf(f, "  %s: ", label);
	for (size_t i = 0; i < len; i++)
		fprintf(f, "%02x", data[i]);
	fputc('\n', f);
}

static void put_base64(FILE *f, const char *label, const uint8_t *data, size_t len)
{
	char *text = base64_encode(data, len);

	fprintf(f, "  %s: %s\n", label, text ? text : "");
	free(text);
}

static void put_flags(FILE *f, const char *label, const struct se_flag *flags, uint64_t bits)
{
	fprintf(f, "  %s:\n", label);
	for (; flags->text; flags++) {
		if (bits & flags->bit)
			fprintf(f, "   - %s\n", flags->text);
		bits &= ~flags->bit;
	}
	if (!bits)
		return;
	fputs("   - unknown flags 0b", f);
	for (int i = 63 - __builtin_clzll(bits); i >= 0; i--)
		fputc(bits >> i & 1 ? '1' : '0', f);
	fputc('\n', f);
}

static void put_full(FILE *f, const struct se_hdr *hdr)
{
	const struct se_hdr_head *h = hdr->head;

	fprintf(f, "  size: %u bytes\n", be32_get(h->sehs));
	fprintf(f, "  number of key slots: %zu\n", hdr->nks);
	put_hex(f, "IV", h->iv, sizeof(h->iv));
	put_base64(f, "customer public key", h->cust_pub_key, sizeof(h->cust_pub_key));
	fprintf(f, "  number of component pages: %llu\n", (ull)be64_get(h->nep));
	put_hex(f, "content hash", h->pld, sizeof(h->pld));
	put_hex(f, "address hash", h->ald, sizeof(h->ald));
	put_hex(f, "tweak hash", h->tld, sizeof(h->tld));
}

static void put_secrets(FILE *f, const struct se_hdr_secrets *s, bool full)
{
	put_flags(f, "secret control flags", se_scf_flags, be64_get(s->scf));
	if (!full)
		return;
	put_hex(f, "customer communication key", s->cck, sizeof(s->cck));
	put_hex(f, "image encryption key", s->xts_key, sizeof(s->xts_key));
	fprintf(f, "  PSW: mask %016llx, address %016llx\n", (ull)be64_get(s->psw_mask),
		(ull)be64_get(s->psw_addr));
}

static void put_header(FILE *f, const struct zpv_image *img, bool full, bool secrets)
{
	const struct se_hdr *hdr = &img->hdr;

	if (secrets)
		fputs("decrypted, integrity and authenticity verified ", f);
	else if (img->secrets)
		fputs("integrity and authenticity verified ", f);
	fprintf(f, "Secure Execution header%s\n", secrets ? ":" : "");
	fputs("  version: 1\n  key slots:\n", f);
	for (size_t i = 0; i < hdr->nks; i++) {
		char hex[HEX_SIZE(SE_PHKH_BYTES)];

		fprintf(f, "   - target key hash: %s\n",
			hex_encode(hdr->slots[i].phkh, SE_PHKH_BYTES, hex));
	}
	put_flags(f, "plaintext control flags", se_pcf_flags, be64_get(hdr->head->pcf));
	if (full)
		put_full(f, hdr);
	if (secrets)
		put_secrets(f, image_secrets(img), full);
	else if (full)
		put_base64(f, "encrypted data", hdr->area, hdr->sea);
	if (full)
		put_hex(f, "GCM tag", hdr->tag, SE_HDR_TAG_BYTES);
}

/* --- Report ---------------------------------------------------------------------------------- */

static void put_checks(FILE *f, const struct zpv_image_report *r, bool utf8)
{
	fputs("\nVerification:\n", f);
	for (size_t i = 0; i < r->nchecks; i++) {
		const struct zpv_image_check *c = &r->checks[i];
		const char *mark = utf8 ? (c->ok ? "\u2713" : "\u2718") : (c->ok ? "ok  " : "FAIL");

		fprintf(f, " %s %-20s %s\n", mark, c->name, c->text);
	}
}

static void put_size(FILE *f, uint64_t bytes)
{
	if (bytes < 1024)
		fprintf(f, "%6llu B  ", (ull)bytes);
	else if (bytes < 1024 * 1024)
		fprintf(f, "%6.1f KiB", (double)bytes / 1024);
	else
		fprintf(f, "%6.1f MiB", (double)bytes / (1024 * 1024));
}

/* Room that each part takes, drawn in proportion on a logarithmic scale: one mark per doubling. */
static void put_bar(FILE *f, uint64_t bytes, bool secured, bool utf8)
{
	const char *mark = utf8 ? (secured ? "\u2588" : "\u2591") : (secured ? "#" : ".");

	for (uint64_t n = bytes; n >= 1024; n /= 2)
		fputs(mark, f);
}

static void put_map(FILE *f, const struct zpv_image_report *r, bool utf8)
{
	uint64_t next = 0;

	fprintf(f, "\nMemory map (file offset = guest address; %s secured, %s plain):\n",
		utf8 ? "\u2588" : "#", utf8 ? "\u2591" : ".");
	for (size_t i = 0; i < r->nparts; i++) {
		const struct zpv_image_part *p = &r->parts[i];

		if (p->addr > next && p->addr - next >= 4096)
			fprintf(f, "  %#010llx %#010llx  (unused)\n", (ull)next, (ull)p->addr);
		fprintf(f, "  %#010llx %#010llx  %-12s ", (ull)p->addr, (ull)(p->addr + p->len),
			report_part_name(p->kind));
		put_size(f, p->secured ? p->content : p->len);
		fputs("  ", f);
		put_bar(f, p->len, p->secured, utf8);
		fputc('\n', f);
		next = p->addr + p->len;
	}
	fputs("\nSHA-256 of the decrypted contents:\n", f);
	for (size_t i = 0; i < r->nparts; i++)
		if (r->parts[i].secured)
			fprintf(f, "  %s  %s\n", r->parts[i].sha256_hex,
				report_part_name(r->parts[i].kind));
}

static void put_text(FILE *f, const struct zpv_image *img, const struct zpv_image_report *report,
		     bool full, unsigned int flags)
{
	bool utf8 = flags & ZPV_DESCRIBE_UTF8;

	put_header(f, img, full, flags & ZPV_DESCRIBE_SECRETS);
	if (!report)
		return;
	put_checks(f, report, utf8);
	put_map(f, report, utf8);
	fprintf(f, "\n%s\n", report->ok ? "The image is verified." : "The image is NOT in order.");
}

int zpv_image_describe(const struct zpv_image *img, const struct zpv_image_report *report,
		       enum zpv_image_format format, unsigned int flags, char **out,
		       struct zpv_err *err)
{
	bool json = format == ZPV_IMAGE_JSON || format == ZPV_IMAGE_JSON_MINIFY;
	char *text = NULL;
	size_t len;
	FILE *f;

	if ((flags & ZPV_DESCRIBE_SECRETS) && !img->secrets)
		return err_set(err, ZPV_ERR_USAGE, "secrets can be shown only with a key");
	if (json)
		return describe_json(img, report, format == ZPV_IMAGE_JSON,
				     flags & ZPV_DESCRIBE_SECRETS, out, err);
	f = open_memstream(&text, &len);
	if (!f)
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	put_text(f, img, report, format == ZPV_IMAGE_TEXT_FULL, flags);
	if (fclose(f) != 0) {
		free(text);
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	}
	*out = text;
	return 0;
}
