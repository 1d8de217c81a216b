// SPDX-License-Identifier: MIT
/*
 * Guest storage out of a dump (pv-dump.md sections 5 and 8).
 *
 * Storage is read in windows of a MiB: a window's entries of pv_mem_meta are one read of 4 KiB, and
 * pages that are not zero are read in runs and decrypted where they lie.
 */
#include <assert.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "addr.h"
#include "dump_priv.h"
#include "err.h"

static_assert(DUMP_WINDOW == PV_DUMP_ENTRIES * PAGE_BYTES, "entries of a window");

enum page_state dump_entry_state(const struct pv_dump_entry *e)
{
	if (be32_get(e->mark) != PV_DUMP_SPECIAL)
		return PAGE_ENCRYPTED;
	if (e->zero)
		return PAGE_BAD;
	/* Whether the host had mapped the page changes nothing, but it is no state of its own. */
	switch (e->flags & ~PV_DUMP_PAGE_MAPPED) {
	case PV_DUMP_PAGE_ZERO:
		return PAGE_ZERO;
	case PV_DUMP_PAGE_SHARED:
		return PAGE_SHARED;
	default:
		return PAGE_BAD;
	}
}

static int bad_page(uint64_t addr, const struct pv_dump_entry *e, struct zpv_err *err)
{
	return err_set(
		err, ZPV_ERR_VERIFY,
		"the state of page %#" PRIx64 " (number %" PRIu64
		") is damaged: bytes 14 and 15 of its entry are %02x %02x, not 00 and one of 01 "
		"(zero), 02 (shared), 05, 06",
		addr, addr / PAGE_BYTES, e->zero, e->flags);
}

static int read_entries(const struct zpv_dump *d, uint64_t first, struct pv_dump_entry *e, size_t n,
			struct zpv_err *err)
{
	return dump_file_read(&d->file, d->elf.pv_mem.offset + first * PV_DUMP_ENTRY_BYTES, e,
			      n * PV_DUMP_ENTRY_BYTES, "section '" ELF_NAME_PV_MEM "'", err);
}

/* --- A run of pages -------------------------------------------------------------------------- */

static int decrypt_page(const struct zpv_dump *d, struct xts *x, const struct pv_dump_entry *e,
			uint8_t *page, struct zpv_err *err)
{
	const uint8_t *nonce = dump_keys_nonce(&d->keys);
	uint8_t bytes[PV_DUMP_ENTRY_BYTES];
	struct {
		be64 prefix, offset;
	} tweak;

	static_assert(sizeof(tweak) == PV_DUMP_ENTRY_BYTES, "tweak");
	memcpy(bytes, e, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] |= nonce[i];
	memcpy(&tweak, bytes, sizeof(tweak));
	return xts_pages(x, be64_get(tweak.prefix), be64_get(tweak.offset), page, page, 1, err);
}

static int read_memory(const struct zpv_dump *d, uint64_t off, uint8_t *buf, size_t len,
		       struct zpv_err *err)
{
	return dump_file_read(&d->file, off, buf, len, "memory", err);
}

/* Pages of segment s from number `first` on; e are their entries. */
static int fetch_pages(const struct zpv_dump *d, struct xts *x, const struct dump_segment *s,
		       uint64_t first, const struct pv_dump_entry *e, uint8_t *buf, size_t n,
		       struct zpv_err *err)
{
	size_t end;

	for (size_t i = 0; i < n; i = end) {
		int rc = 0;

		for (end = i; end < n && dump_entry_state(&e[end]) != PAGE_ZERO; end++)
			if (dump_entry_state(&e[end]) == PAGE_BAD)
				return bad_page(s->addr + (first + end) * PAGE_BYTES, &e[end], err);
		if (end == i) { /* what the file has of a zero page may be anything */
			memset(buf + i * PAGE_BYTES, 0, PAGE_BYTES);
			end++;
			continue;
		}
		rc = read_memory(d, s->offset + (first + i) * PAGE_BYTES, buf + i * PAGE_BYTES,
				 (end - i) * PAGE_BYTES, err);
		for (size_t k = i; k < end && !rc; k++)
			if (dump_entry_state(&e[k]) == PAGE_ENCRYPTED)
				rc = decrypt_page(d, x, &e[k], buf + k * PAGE_BYTES, err);
		if (rc)
			return rc;
	}
	return 0;
}

/* --- Any bytes ------------------------------------------------------------------------------- */

/* Bytes of one page; plaintext that was not asked for does not stay behind. */
static int fetch_part(const struct zpv_dump *d, struct xts *x, const struct dump_segment *s,
		      uint64_t at, uint8_t *buf, size_t len, struct zpv_err *err)
{
	struct pv_dump_entry e;
	uint8_t page[PAGE_BYTES];
	int rc = read_entries(d, s->entry + at / PAGE_BYTES, &e, 1, err);

	if (!rc)
		rc = fetch_pages(d, x, s, at / PAGE_BYTES, &e, page, 1, err);
	if (!rc)
		memcpy(buf, page + at % PAGE_BYTES, len);
	OPENSSL_cleanse(page, sizeof(page));
	return rc;
}

/* Bytes of a segment that the file has. */
static int fetch(const struct zpv_dump *d, struct xts *x, const struct dump_segment *s, uint64_t at,
		 uint8_t *buf, size_t len, struct zpv_err *err)
{
	struct pv_dump_entry entries[PV_DUMP_ENTRIES];
	int rc = 0;

	if (!d->protected)
		return read_memory(d, s->offset + at, buf, len, err);
	for (size_t now; len && !rc; at += now, buf += now, len -= now) {
		size_t n;

		if (!page_aligned(at) || len < PAGE_BYTES) {
			now = PAGE_BYTES - at % PAGE_BYTES;
			now = now < len ? now : len;
			rc = fetch_part(d, x, s, at, buf, now, err);
			continue;
		}
		n = len / PAGE_BYTES < PV_DUMP_ENTRIES ? len / PAGE_BYTES : PV_DUMP_ENTRIES;
		now = n * PAGE_BYTES;
		rc = read_entries(d, s->entry + at / PAGE_BYTES, entries, n, err);
		if (!rc)
			rc = fetch_pages(d, x, s, at / PAGE_BYTES, entries, buf, n, err);
	}
	return rc;
}

/* The first segment that ends behind addr, or NULL. */
static const struct dump_segment *segment_from(const struct zpv_dump *d, uint64_t addr)
{
	size_t low = 0, high = d->elf.nloads;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct dump_segment *s = &d->elf.loads[mid];

		if (addr >= s->addr && addr - s->addr >= s->memsz)
			low = mid + 1;
		else
			high = mid;
	}
	return low < d->elf.nloads ? &d->elf.loads[low] : NULL;
}

static size_t at_most(size_t len, uint64_t limit)
{
	return limit < len ? (size_t)limit : len;
}

int dump_window(const struct zpv_dump *d, struct xts *x, uint64_t addr, uint8_t *buf, size_t len,
		struct zpv_err *err)
{
	int rc = 0;

	for (size_t now; len && !rc; addr += now, buf += now, len -= now) {
		const struct dump_segment *s = segment_from(d, addr);

		if (!s || s->addr > addr) {
			now = s ? at_most(len, s->addr - addr) : len;
			memset(buf, 0, now);
		} else if (addr - s->addr >= s->filesz) {
			now = at_most(len, s->memsz - (addr - s->addr));
			memset(buf, 0, now);
		} else {
			now = at_most(len, s->filesz - (addr - s->addr));
			rc = fetch(d, x, s, addr - s->addr, buf, now, err);
		}
	}
	return rc;
}

/* --- Ciphers for threads --------------------------------------------------------------------- */

int dump_need_key(const struct zpv_dump *d, struct zpv_err *err)
{
	if (!d->protected || d->keys.dump_key)
		return 0;
	return err_set(
		err, ZPV_ERR_KEY,
		"the dump is of a protected guest: its customer communication key is needed");
}

int dump_xts_get(struct zpv_dump *d, struct xts **out, struct zpv_err *err)
{
	struct xts *x = NULL;
	int rc = dump_need_key(d, err);

	*out = NULL;
	if (rc || !d->protected)
		return rc;
	pthread_mutex_lock(&d->lock);
	if (d->nciphers)
		x = d->ciphers[--d->nciphers];
	pthread_mutex_unlock(&d->lock);
	if (!x)
		return xts_new(d->keys.xts_key, XTS_DECRYPT, out, err);
	*out = x;
	return 0;
}

void dump_xts_put(struct zpv_dump *d, struct xts *x)
{
	if (!x)
		return;
	pthread_mutex_lock(&d->lock);
	if (d->nciphers < DUMP_CIPHERS)
		d->ciphers[d->nciphers++] = STEAL(x);
	pthread_mutex_unlock(&d->lock);
	xts_free(x);
}

/* --- Public ---------------------------------------------------------------------------------- */

static bool covered(const struct zpv_dump *d, uint64_t addr, size_t len)
{
	while (len) {
		const struct dump_segment *s = segment_from(d, addr);
		size_t now;

		if (!s || s->addr > addr)
			return false;
		now = at_most(len, s->memsz - (addr - s->addr));
		addr += now;
		len -= now;
	}
	return true;
}

int zpv_dump_read(struct zpv_dump *d, uint64_t addr, void *buf, size_t len, struct zpv_err *err)
{
	struct xts *x;
	int rc;

	if (!covered(d, addr, len))
		return err_set(err, ZPV_ERR_USAGE,
			       "the dump does not have the %zu bytes at address %#" PRIx64, len,
			       addr);
	rc = dump_xts_get(d, &x, err);
	if (rc)
		return rc;
	rc = dump_window(d, x, addr, buf, len, err);
	dump_xts_put(d, x);
	return rc;
}

static void count(struct zpv_dump *d, const struct pv_dump_entry *e, uint64_t addr)
{
	switch (dump_entry_state(e)) {
	case PAGE_ENCRYPTED:
		d->pages.encrypted++;
		break;
	case PAGE_SHARED:
		d->pages.shared++;
		break;
	case PAGE_ZERO:
		d->pages.zero++;
		break;
	case PAGE_BAD:
		if (d->bad_page == DUMP_NO_PAGE) {
			d->bad_page = addr;
			d->bad_entry = *e;
		}
		break;
	}
}

static int count_segment(struct zpv_dump *d, const struct dump_segment *s,
			 struct pv_dump_entry *some, size_t room, struct zpv_err *err)
{
	uint64_t npages = s->filesz / PAGE_BYTES;

	for (uint64_t at = 0; at < npages;) {
		size_t n = at_most(room, npages - at);
		int rc = read_entries(d, s->entry + at, some, n, err);

		if (rc)
			return rc;
		for (size_t i = 0; i < n; i++)
			count(d, &some[i], s->addr + (at + i) * PAGE_BYTES);
		at += n;
	}
	d->pages.zero += (s->memsz - s->filesz) / PAGE_BYTES;
	return 0;
}

int dump_count_pages(struct zpv_dump *d, struct zpv_err *err)
{
	const size_t room = 64 * PV_DUMP_ENTRIES;
	struct pv_dump_entry *some;
	int rc = 0;

	d->bad_page = DUMP_NO_PAGE;
	if (!d->protected) {
		for (size_t i = 0; i < d->elf.nloads; i++) {
			const struct dump_segment *s = &d->elf.loads[i];

			d->pages.shared += s->filesz / PAGE_BYTES;
			d->pages.zero += (s->memsz - s->filesz) / PAGE_BYTES;
		}
		return 0;
	}
	some = malloc(room * sizeof(*some));
	if (!some)
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	for (size_t i = 0; i < d->elf.nloads && !rc; i++)
		rc = count_segment(d, &d->elf.loads[i], some, room, err);
	free(some);
	return rc;
}

int dump_check_pages(const struct zpv_dump *d, struct zpv_err *err)
{
	return d->bad_page == DUMP_NO_PAGE ? 0 : bad_page(d->bad_page, &d->bad_entry, err);
}

struct zpv_dump_pages zpv_dump_pages(const struct zpv_dump *d)
{
	return d->pages;
}
