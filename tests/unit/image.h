/* SPDX-License-Identifier: MIT */
/*
 * What the tests of images share: the golden images in memory, changes to them that the header's
 * authentication covers or does not, and a verification's outcome as one line.
 */
#ifndef TESTS_UNIT_IMAGE_H
#define TESTS_UNIT_IMAGE_H

#include <zpv/image.h>

#include "aes_gcm.h"
#include "image_priv.h"
#include "report.h"
#include "secret.h"
#include "source.h"
#include "unit.h"

#define GOLDEN_HDR 0x14000

enum edit_where { EDIT_NONE, EDIT_FILE, EDIT_HEAD, EDIT_SECRETS };

/* Stores a big-endian value; HEAD and SECRETS are offsets in the header and its decrypted area. */
struct edit {
	enum edit_where where;
	size_t offset, width;
	uint64_t value;
};

static inline void image_put(uint8_t *at, size_t width, uint64_t value)
{
	while (width--) {
		at[width] = (uint8_t)value;
		value >>= 8;
	}
}

UNUSED static inline uint64_t image_get(const uint8_t *at, size_t width)
{
	uint64_t value = 0;

	while (width--)
		value = value << 8 | *at++;
	return value;
}

UNUSED static inline void image_hdr_key(struct secret **key)
{
	struct unit_path path = unit_golden("hdr.key");
	struct zpv_err err;

	row_ok("hdr.key", secret_read_file(path.s, "key", 32, key, &err), err);
}

/* Applies the edits; the header at hdr is opened before and sealed again behind them. */
UNUSED static inline void image_edit(const char *row, uint8_t *img, size_t hdr,
				     const struct edit *edits, size_t nedits)
{
	AUTO(secret) struct secret *key = NULL;
	uint8_t *h = img + hdr;
	size_t aad = 0x1a0 + 80 * image_get(h + 0x20, 8);
	struct zpv_err err;
	uint8_t area[128];
	bool sealed = false;

	image_hdr_key(&key);
	row_ok(row,
	       aes_gcm_open(key, h + 16, h, aad, h + aad, sizeof(area), area, h + aad + 128, &err),
	       err);
	for (size_t i = 0; i < nedits && edits[i].where != EDIT_NONE; i++) {
		uint8_t *base = edits[i].where == EDIT_FILE ? img :
				edits[i].where == EDIT_HEAD ? h :
							      area;

		image_put(base + edits[i].offset, edits[i].width, edits[i].value);
		sealed = sealed || edits[i].where != EDIT_FILE;
	}
	if (sealed)
		row_ok(row,
		       aes_gcm_seal(key, h + 16, h, aad, area, sizeof(area), h + aad, h + aad + 128,
				    &err),
		       err);
}

/* Opens bytes with the golden header key. */
UNUSED static inline int image_open_bytes(const uint8_t *data, size_t len, struct zpv_image **out,
					  struct zpv_err *err)
{
	AUTO(zpv_image) struct zpv_image *img = NULL;
	struct unit_path key = unit_golden("hdr.key");
	struct source *src;
	int rc = source_from_memory(data, len, &src, err);

	if (!rc)
		rc = image_open_source(src, NULL, &img, err);
	if (!rc)
		rc = zpv_image_open_hdr_key(img, key.s, err);
	if (!rc)
		*out = STEAL(img);
	return rc;
}

/* The names of the failed checks, separated by commas. */
UNUSED static inline void image_failed(const struct zpv_image_report *r, char out[512])
{
	bool all = true;

	out[0] = '\0';
	for (size_t i = 0; i < r->nchecks; i++) {
		if (r->checks[i].ok)
			continue;
		all = false;
		snprintf(out + strlen(out), 512 - strlen(out), "%s%s", out[0] ? "," : "",
			 r->checks[i].name);
	}
	assert_int_equal(r->ok, all);
}

/* The text of the first failed check, or of the named one. */
UNUSED static inline const char *image_text(const struct zpv_image_report *r, const char *name)
{
	for (size_t i = 0; i < r->nchecks; i++)
		if (name ? strcmp(r->checks[i].name, name) == 0 : !r->checks[i].ok)
			return r->checks[i].text;
	return NULL;
}

UNUSED static inline const struct zpv_image_part *image_part(const struct zpv_image_report *r,
							     enum zpv_image_part_kind kind)
{
	for (size_t i = 0; i < r->nparts; i++)
		if (r->parts[i].kind == kind)
			return &r->parts[i];
	return NULL;
}

#endif
