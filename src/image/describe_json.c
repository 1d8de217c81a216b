// SPDX-License-Identifier: MIT
/*
 * An image's header as JSON: names and structure of api_level 1 of `pvimg info`
 * (se-image.md section 13, schema in info-v1.schema.json), and what a verification found in a
 * member of its own beside them.
 */
#define _GNU_SOURCE
#include "describe_priv.h"

#include <json-c/json.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <zpv/image.h>

#include "err.h"
#include "image_priv.h"
#include "report.h"
#include "text.h"
#include "version.h"

#define API_LEVEL 1

/* json-c takes the new object even when the add fails, and NULL (no memory) becomes null. */
static void add_str(json_object *to, const char *name, const char *text)
{
	json_object_object_add(to, name, json_object_new_string(text));
}

static void add_int(json_object *to, const char *name, uint64_t v)
{
	json_object_object_add(to, name, json_object_new_uint64(v));
}

static void add_bool(json_object *to, const char *name, bool v)
{
	json_object_object_add(to, name, json_object_new_boolean(v));
}

static void add_hex(json_object *to, const char *name, const void *data, size_t len)
{
	char hex[HEX_SIZE(SE_HDR_POINT_BYTES)];

	add_str(to, name, hex_encode(data, len, hex));
	OPENSSL_cleanse(hex, sizeof(hex));
}

static json_object *make_meta(void)
{
	json_object *meta = json_object_new_object();
	time_t now = time(NULL);
	char host[256] = "", text[64] = "";
	struct tm tm;

	(void)gethostname(host, sizeof(host) - 1);
	if (gmtime_r(&now, &tm))
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S+0000", &tm);
	add_int(meta, "api_level", API_LEVEL);
	add_str(meta, "version", ZPV_VERSION);
	add_str(meta, "host", host);
	add_int(meta, "time_epoch", (uint64_t)now);
	add_str(meta, "time", text);
	return meta;
}

static json_object *make_slots(const struct se_hdr *hdr)
{
	json_object *slots = json_object_new_array();

	for (size_t i = 0; i < hdr->nks; i++) {
		json_object *slot = json_object_new_object();

		add_hex(slot, "phkh_hex", hdr->slots[i].phkh, SE_PHKH_BYTES);
		add_hex(slot, "wrpk_hex", hdr->slots[i].wrapped, SE_HDR_KEY_BYTES);
		add_hex(slot, "kst_hex", hdr->slots[i].tag, SE_HDR_TAG_BYTES);
		json_object_array_add(slots, slot);
	}
	return slots;
}

static void add_secrets(json_object *data, const struct se_hdr_secrets *s)
{
	json_object *psw = json_object_new_object();

	add_hex(data, "cck_hex", s->cck, sizeof(s->cck));
	add_hex(data, "xts_hex", s->xts_key, sizeof(s->xts_key));
	add_hex(psw, "mask_hex", &s->psw_mask, sizeof(s->psw_mask));
	add_hex(psw, "addr_hex", &s->psw_addr, sizeof(s->psw_addr));
	json_object_object_add(data, "psw", psw);
	add_hex(data, "scf_hex", &s->scf, sizeof(s->scf));
}

static json_object *make_data(const struct zpv_image *img, bool secrets)
{
	const struct se_hdr_head *h = img->hdr.head;
	json_object *data = json_object_new_object(), *key = json_object_new_object();
	char *area = base64_encode(img->hdr.area, img->hdr.sea);

	add_str(data, "kind", secrets ? "decrypted_se_hdr" : "se_hdr");
	add_bool(data, "verified", img->secrets);
	add_hex(data, "magic_hex", h->magic, sizeof(h->magic));
	add_str(data, "version", "V1");
	add_int(data, "sehs", be32_get(h->sehs));
	add_hex(data, "iv_hex", h->iv, sizeof(h->iv));
	add_int(data, "nks", be64_get(h->nks));
	add_int(data, "sea", be64_get(h->sea));
	add_int(data, "nep", be64_get(h->nep));
	add_hex(data, "pcf_hex", &h->pcf, sizeof(h->pcf));
	add_hex(key, "coord_hex", h->cust_pub_key, sizeof(h->cust_pub_key));
	json_object_object_add(data, "cust_pub_key", key);
	add_hex(data, "pld_hex", h->pld, sizeof(h->pld));
	add_hex(data, "ald_hex", h->ald, sizeof(h->ald));
	add_hex(data, "tld_hex", h->tld, sizeof(h->tld));
	json_object_object_add(data, "keyslots", make_slots(&img->hdr));
	if (secrets)
		add_secrets(data, image_secrets(img));
	else
		add_str(data, "cipher_data_b64", area ? area : "");
	add_hex(data, "tag_hex", img->hdr.tag, SE_HDR_TAG_BYTES);
	free(area);
	return data;
}

static json_object *make_part(const struct zpv_image_part *p)
{
	json_object *part = json_object_new_object();
	be64 v;

	add_str(part, "name", report_part_name(p->kind));
	be64_set(&v, p->addr);
	add_hex(part, "addr_hex", &v, sizeof(v));
	add_int(part, "size", p->len);
	add_bool(part, "secured", p->secured);
	if (!p->secured)
		return part;
	add_int(part, "content_size", p->content);
	be64_set(&v, p->tweak_pref);
	add_hex(part, "tweak_prefix_hex", &v, sizeof(v));
	add_str(part, "content_sha256_hex", p->sha256_hex);
	return part;
}

static json_object *make_report(const struct zpv_image_report *r)
{
	json_object *report = json_object_new_object();
	json_object *checks = json_object_new_array(), *parts = json_object_new_array();

	add_bool(report, "ok", r->ok);
	for (size_t i = 0; i < r->nchecks; i++) {
		json_object *check = json_object_new_object();

		add_str(check, "name", r->checks[i].name);
		add_bool(check, "ok", r->checks[i].ok);
		add_str(check, "text", r->checks[i].text);
		json_object_array_add(checks, check);
	}
	for (size_t i = 0; i < r->nparts; i++)
		json_object_array_add(parts, make_part(&r->parts[i]));
	json_object_object_add(report, "checks", checks);
	json_object_object_add(report, "parts", parts);
	return report;
}

int describe_json(const struct zpv_image *img, const struct zpv_image_report *report, bool pretty,
		  bool secrets, char **out, struct zpv_err *err)
{
	int style = JSON_C_TO_STRING_NOSLASHESCAPE |
		    (pretty ? JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED : 0);
	json_object *doc = json_object_new_object();
	const char *text;
	int n = -1;

	json_object_object_add(doc, "meta", make_meta());
	json_object_object_add(doc, "data", make_data(img, secrets));
	if (report)
		json_object_object_add(doc, "verification", make_report(report));
	text = json_object_to_json_string_ext(doc, style);
	if (text)
		n = asprintf(out, "%s\n", text);
	if (text && secrets)
		OPENSSL_cleanse((void *)(uintptr_t)text, strlen(text));
	json_object_put(doc);
	return n < 0 ? err_set(err, ZPV_ERR_NOMEM, "no memory") : 0;
}
