// SPDX-License-Identifier: MIT
/*
 * The search: one multiplication and one bit for each position; what passes is looked up.
 */
#define _GNU_SOURCE
#include "needles.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ebcdic.h"
#include "err.h"

#define WORD_BYTES  4u
#define TABLE_BITS  15u
#define TABLE_SIZE  (1u << TABLE_BITS)
#define FILTER_BITS 17u
#define LINE_BYTES  8192u

struct needle {
	uint64_t value; /* as the host loads it; 0: free */
	uint32_t item;
};

static uint64_t load(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint64_t hash(uint64_t v)
{
	return v * 0x9e3779b97f4a7c15ull;
}

/* --- The table ---------------------------------------------------------------------------------- */

static struct needle *slot_of(const struct needles *n, uint64_t value)
{
	uint64_t at = hash(value) >> (64 - TABLE_BITS);

	while (n->table[at].value && n->table[at].value != value)
		at = (at + 1) % TABLE_SIZE;
	return &n->table[at];
}

static bool add_needle(struct needles *n, uint32_t item, uint64_t value)
{
	struct needle *slot = slot_of(n, value);
	uint64_t bit = hash(value) >> (64 - FILTER_BITS);

	if (slot->value)
		return slot->item == item;
	if (!value || n->nneedles == TABLE_SIZE / 2)
		return false;
	*slot = (struct needle){ .value = value, .item = item };
	n->nneedles++;
	n->filter[bit / 64] |= 1ull << bit % 64;
	return true;
}

static bool add_bytes(struct needles *n, uint32_t item, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i + NEEDLE_BYTES <= len; i++)
		if (!add_needle(n, item, load(p + i)) ||
		    !add_needle(n, item, __builtin_bswap64(load(p + i))))
			return false;
	return true;
}

static bool is_text(const struct item *item)
{
	for (size_t i = 0; i < item->len; i++)
		if (item->bytes[i] < ' ' || item->bytes[i] > '~')
			return false;
	return true;
}

static bool add_ebcdic(struct needles *n, uint32_t i)
{
	const struct item *item = &n->items[i];
	uint8_t *text = malloc(item->len);
	bool ok = text;

	if (ok) {
		ebcdic_from_ascii(item->bytes, text, item->len);
		ok = add_bytes(n, i, text, item->len);
	}
	free(text);
	return ok;
}

/* As messages would show it: 4 bytes are 8 digits. */
static bool add_hex(struct needles *n, uint32_t i)
{
	const struct item *item = &n->items[i];
	char *lower = malloc(2 * item->len + 1), *upper = malloc(2 * item->len + 1);
	bool ok = lower && upper;

	for (size_t b = 0; ok && b < item->len; b++) {
		snprintf(lower + 2 * b, 3, "%02x", item->bytes[b]);
		snprintf(upper + 2 * b, 3, "%02X", item->bytes[b]);
	}
	ok = ok && add_bytes(n, i, (const uint8_t *)lower, 2 * item->len) &&
	     add_bytes(n, i, (const uint8_t *)upper, 2 * item->len);
	free(lower);
	free(upper);
	return ok;
}

static bool add_item(struct needles *n, uint32_t i)
{
	const struct item *item = &n->items[i];

	if (item->kind == ITEM_WORDS)
		return item->len % WORD_BYTES == 0;
	return item->len >= NEEDLE_BYTES && add_bytes(n, i, item->bytes, item->len) &&
	       add_hex(n, i) && (!is_text(item) || add_ebcdic(n, i));
}

/* --- The file ----------------------------------------------------------------------------------- */

static const char *const kinds[] = {
	[ITEM_SECRET] = "secret", [ITEM_WORDS] = "words", [ITEM_SHARED] = "shared", [ITEM_CONSOLE] = "console"
};

static bool parse_kind(const char *word, enum item_kind *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(word, kinds[i]) != 0)
			continue;
		*out = (enum item_kind)i;
		return true;
	}
	return false;
}

static bool parse_hex(const char *hex, struct item *item)
{
	item->len = strlen(hex) / 2;
	item->bytes = malloc(item->len + 1);
	for (size_t i = 0; item->bytes && i < item->len; i++)
		if (sscanf(hex + 2 * i, "%2hhx", &item->bytes[i]) != 1)
			return false;
	return item->bytes;
}

static bool parse_line(struct needles *n, const char *line)
{
	struct item *item = &n->items[n->nitems];
	char kind[16], hex[LINE_BYTES];

	if (n->nitems == MAX_ITEMS || sscanf(line, "%15s %39s %8191s", kind, item->name, hex) != 3)
		return false;
	n->nitems++;
	return parse_kind(kind, &item->kind) && parse_hex(hex, item) &&
	       add_item(n, (uint32_t)n->nitems - 1);
}

int needles_read(const char *path, struct needles *out, struct zpv_err *err)
{
	FILE *f = fopen(path, "re");
	char line[LINE_BYTES + 64];
	int rc = 0;

	*out = (struct needles){ .table = calloc(TABLE_SIZE, sizeof(*out->table)),
				 .filter = calloc((1u << FILTER_BITS) / 64, sizeof(uint64_t)) };
	if (!f)
		rc = err_errno(err, ZPV_ERR_IO, "cannot read '%s'", path);
	else if (!out->table || !out->filter)
		rc = err_set(err, ZPV_ERR_NOMEM, "no memory");
	while (!rc && fgets(line, sizeof(line), f))
		if (!parse_line(out, line))
			rc = err_set(err, ZPV_ERR_FORMAT, "'%s': cannot use the line %s", path,
				     line);
	if (!rc && !out->nitems)
		rc = err_set(err, ZPV_ERR_FORMAT, "'%s' has no line", path);
	if (f)
		fclose(f);
	if (rc)
		needles_free(out);
	return rc;
}

void needles_free(struct needles *n)
{
	for (size_t i = 0; i < n->nitems; i++)
		free(n->items[i].bytes);
	free(n->table);
	free(n->filter);
	*n = (struct needles){ 0 };
}

/* --- Searching ---------------------------------------------------------------------------------- */

static uint32_t search_words(const struct item *item, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < item->len; i += WORD_BYTES) {
		uint8_t *w = item->bytes + i, swapped[WORD_BYTES] = { w[3], w[2], w[1], w[0] };

		if (memmem(data, len, w, WORD_BYTES) || memmem(data, len, swapped, WORD_BYTES))
			return 1;
	}
	return 0;
}

uint32_t needles_search(const struct needles *n, const uint8_t *data, size_t len, bool small)
{
	uint32_t found = 0;

	for (size_t i = 0; i + NEEDLE_BYTES <= len; i++) {
		uint64_t v = load(data + i), bit = hash(v) >> (64 - FILTER_BITS);

		if (n->filter[bit / 64] >> bit % 64 & 1 && v && slot_of(n, v)->value)
			found |= 1u << slot_of(n, v)->item;
	}
	for (uint32_t i = 0; small && i < n->nitems; i++)
		if (n->items[i].kind == ITEM_WORDS)
			found |= search_words(&n->items[i], data, len) << i;
	return found;
}

uint32_t needles_of(const struct needles *n, unsigned int wanted)
{
	uint32_t mask = 0;

	for (uint32_t i = 0; i < n->nitems; i++)
		if (wanted >> n->items[i].kind & 1)
			mask |= 1u << i;
	return mask;
}
