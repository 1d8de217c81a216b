// SPDX-License-Identifier: MIT
/*
 * VMCOREINFO: what the Linux kernel says about itself (pv-dump.md section 10; public sources: Linux
 * 6.12 kernel/vmcore_info.c, arch/s390/kernel/os_info.c; s390-tools, zdump).
 *
 * A dump that a hypervisor wrote has no note of it. It is looked for as zgetdump does, so that both
 * write the same note: struct os_info, then the note that the lowcore names; last, what zgetdump does
 * not, a page that begins like the text.
 */
#include <stdlib.h>
#include <string.h>

#include "dump_priv.h"
#include "err.h"
#include "kernel.h"
#include "linux_core.h"

/* The kernel has one page for it; later ones may have more. */
#define MAX_TEXT (64u << 10)
#define PAGE	 4096u

static const char first_line[] = "OSRELEASE=";

/* --- The text -------------------------------------------------------------------------------- */

const char *vmcoreinfo_line(const struct vmcoreinfo *v, const char *name, size_t *len)
{
	const char *at = v->text, *end = v->len ? v->text + v->len : v->text;
	size_t n = strlen(name);

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *stop = newline ? newline : end;

		if ((size_t)(stop - at) > n && !memcmp(at, name, n) && at[n] == '=') {
			*len = (size_t)(stop - at) - n - 1;
			return at + n + 1;
		}
		at = stop + 1;
	}
	return NULL;
}

static unsigned int digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned int)(c - 'a') + 10;
	return 16;
}

bool vmcoreinfo_number(const struct vmcoreinfo *v, const char *name, unsigned int base,
		       uint64_t *out)
{
	uint64_t value = 0;
	size_t len;
	const char *text = vmcoreinfo_line(v, name, &len);

	if (!text || !len)
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned int d = digit(text[i]);

		if (d >= base || __builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, d, &value))
			return false;
	}
	*out = value;
	return true;
}

/* Ends a text at its first NUL; false when it is not VMCOREINFO. */
static bool is_vmcoreinfo(const uint8_t *text, size_t *len)
{
	*len = strnlen((const char *)text, *len);
	return *len >= strlen(first_line) && !memcmp(text, first_line, strlen(first_line));
}

/* --- Looking for it -------------------------------------------------------------------------- */

/*
 * Reads what a guest's pointer leads to. An address that the dump does not have, or a page that
 * cannot be read, says only that the pointer is wrong: *ok is false then.
 */
static int try_read(const struct kernel_storage *s, uint64_t addr, void *buf, size_t len, bool *ok,
		    struct zpv_err *err)
{
	struct zpv_err why = { 0 };
	int rc = s->read(s->ctx, addr, buf, len, &why);

	*ok = !rc;
	if (!rc || rc == -ZPV_ERR_USAGE || rc == -ZPV_ERR_FORMAT || rc == -ZPV_ERR_VERIFY)
		return 0;
	if (err)
		*err = why;
	return rc;
}

/* Appends a text of an absolute address; *ok false and nothing appended when it is none. */
static int take_text(const struct kernel_storage *s, uint64_t addr, uint64_t size, struct buf *out,
		     bool *ok, struct zpv_err *err)
{
	size_t before = out->len, len = (size_t)size;
	uint8_t *text;
	int rc;

	*ok = false;
	if (!size || size > MAX_TEXT)
		return 0;
	text = buf_extend(out, len);
	if (!text)
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	rc = try_read(s, addr, text, len, ok, err);
	*ok = !rc && *ok && is_vmcoreinfo(text, &len);
	out->len = *ok ? before + len : before;
	return rc;
}

/* CHECKSUM (PoP chapter 7): words added with end-around carry, zeros behind the last byte. */
static uint32_t checksum(const uint8_t *data, size_t len)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < len; i++) {
		sum += (uint64_t)data[i] << (24 - 8 * (i % 4));
		sum = (sum & UINT32_MAX) + (sum >> 32);
	}
	return (uint32_t)sum;
}

static bool os_info_valid(const struct os_info *o)
{
	size_t from = offsetof(struct os_info, major);

	return be64_get(o->magic) == OS_INFO_MAGIC && be16_get(o->major) == OS_INFO_MAJOR &&
	       be32_get(o->checksum) == checksum((const uint8_t *)o + from, sizeof(*o) - from);
}

static int by_os_info(const struct kernel_storage *s, struct buf *out, bool *found,
		      struct zpv_err *err)
{
	const struct os_info_entry *e;
	size_t before = out->len;
	struct os_info o;
	be64 where;
	int rc = try_read(s, LINUX_LC_OS_INFO, &where, sizeof(where), found, err);

	if (rc || !*found)
		return rc;
	*found = false;
	if (!be64_get(where) || be64_get(where) % PAGE)
		return 0;
	rc = try_read(s, be64_get(where), &o, sizeof(o), found, err);
	if (rc || !*found)
		return rc;
	*found = false;
	if (!os_info_valid(&o))
		return 0;
	e = &o.entry[OS_INFO_VMCOREINFO];
	rc = take_text(s, be64_get(e->addr), be64_get(e->size), out, found, err);
	/* The sum is over all bytes of the entry; a NUL inside it would have cut the text. */
	if (!rc && *found &&
	    (out->len - before != be64_get(e->size) ||
	     be32_get(e->checksum) != checksum(out->data + before, out->len - before))) {
		out->len = before;
		*found = false;
	}
	return rc;
}

static int by_lowcore(const struct kernel_storage *s, struct buf *out, bool *found,
		      struct zpv_err *err)
{
	struct {
		struct elf_note head;
		uint8_t name[12];
	} note;
	be64 where;
	int rc = try_read(s, LINUX_LC_VMCOREINFO, &where, sizeof(where), found, err);

	if (rc || !*found)
		return rc;
	*found = false;
	if (!be64_get(where) || be64_get(where) > UINT64_MAX - sizeof(note) - MAX_TEXT)
		return 0;
	rc = try_read(s, be64_get(where), &note, sizeof(note), found, err);
	if (rc || !*found)
		return rc;
	*found = false;
	if (be32_get(note.head.namesz) != sizeof(NOTE_NAME_VMCOREINFO) ||
	    be32_get(note.head.type) != NOTE_VMCOREINFO ||
	    memcmp(note.name, NOTE_NAME_VMCOREINFO, sizeof(NOTE_NAME_VMCOREINFO)) != 0)
		return 0;
	return take_text(s, be64_get(where) + sizeof(note), be32_get(note.head.descsz), out, found,
			 err);
}

/*
 * A page that begins like the text and has lines that every kernel writes: copies in the page cache
 * or in a log seldom are on a page boundary and whole.
 */
static bool page_is_text(const uint8_t *page)
{
	size_t len = PAGE, n;
	struct vmcoreinfo v = { (const char *)page, PAGE };

	if (!is_vmcoreinfo(page, &len))
		return false;
	v.len = len;
	return vmcoreinfo_line(&v, "PAGESIZE", &n) &&
	       vmcoreinfo_line(&v, "SYMBOL(init_uts_ns)", &n);
}

#define SCAN_BYTES (256u << 10)

/* Looks at the pages of a piece; what cannot be read as a whole is read page by page. */
static int scan_piece(const struct kernel_storage *s, uint64_t addr, size_t len, uint8_t *piece,
		      uint64_t *at, bool *found, struct zpv_err *err)
{
	bool whole, ok = true;
	int rc = try_read(s, addr, piece, len, &whole, err);

	for (size_t i = 0; !rc && i + PAGE <= len; i += PAGE) {
		if (!whole)
			rc = try_read(s, addr + i, piece + i, PAGE, &ok, err);
		if (rc || !ok || !page_is_text(piece + i))
			continue;
		*at = addr + i;
		*found = true;
		return 0;
	}
	return rc;
}

static int by_scan(const struct kernel_storage *s, struct buf *out, bool *found,
		   struct zpv_err *err)
{
	uint8_t *piece = malloc(SCAN_BYTES);
	uint64_t at = 0;
	int rc = 0;

	*found = false;
	if (!piece)
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	for (size_t i = 0; !rc && !*found && i < s->nranges; i++) {
		struct zpv_dump_range r = s->ranges[i];
		uint64_t skip = -r.start % PAGE;

		for (uint64_t o = skip; !rc && !*found && o < r.bytes; o += SCAN_BYTES) {
			uint64_t left = r.bytes - o;

			rc = scan_piece(s, r.start + o,
					left < SCAN_BYTES ? (size_t)left : SCAN_BYTES, piece, &at,
					found, err);
		}
	}
	free(piece);
	return rc || !*found ? rc : take_text(s, at, PAGE, out, found, err);
}

int vmcoreinfo_find(const struct kernel_storage *s, struct buf *out, struct zpv_err *err)
{
	static int (*const ways[])(const struct kernel_storage *, struct buf *, bool *,
				   struct zpv_err *) = { by_os_info, by_lowcore, by_scan };
	bool found = false;
	int rc = 0;

	for (size_t i = 0; !rc && !found && i < ARRAY_SIZE(ways); i++)
		rc = ways[i](s, out, &found, err);
	return rc;
}

/* --- A dump ---------------------------------------------------------------------------------- */

static int read_dump(void *ctx, uint64_t addr, void *buf, size_t len, struct zpv_err *err)
{
	return zpv_dump_read(ctx, addr, buf, len, err);
}

int kernel_storage_of(struct zpv_dump *d, struct kernel_storage *out,
		      struct zpv_dump_range **ranges, struct zpv_err *err)
{
	size_t n = zpv_dump_ranges(d);

	*ranges = calloc(n ? n : 1, sizeof(**ranges));
	if (!*ranges)
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	for (size_t i = 0; i < n; i++)
		(*ranges)[i] = zpv_dump_range(d, i);
	*out = (struct kernel_storage){ read_dump, d, *ranges, n };
	return 0;
}

static int find_in_dump(struct zpv_dump *d, struct buf *out, struct zpv_err *err)
{
	struct zpv_dump_range *ranges;
	struct kernel_storage s;
	size_t len = d->notes.vmcoreinfo.len;
	int rc;

	if (d->notes.vmcoreinfo.data && is_vmcoreinfo(d->notes.vmcoreinfo.data, &len))
		return buf_append(out, d->notes.vmcoreinfo.data, len, err);
	rc = dump_need_key(d, err);
	if (!rc)
		rc = kernel_storage_of(d, &s, &ranges, err);
	if (rc)
		return rc;
	rc = vmcoreinfo_find(&s, out, err);
	free(ranges);
	return rc;
}

int zpv_dump_vmcoreinfo(struct zpv_dump *d, const char **text, size_t *len, struct zpv_err *err)
{
	AUTO_BUF found = BUF_INIT;
	bool known;
	int rc;

	pthread_mutex_lock(&d->lock);
	known = d->vmcoreinfo_known;
	pthread_mutex_unlock(&d->lock);
	/* Reading takes the lock, so that two threads may both search; the first one's text stays. */
	rc = known ? 0 : find_in_dump(d, &found, err);
	if (rc)
		return rc;
	pthread_mutex_lock(&d->lock);
	if (!d->vmcoreinfo_known && found.len) {
		d->vmcoreinfo = (char *)STEAL(found.data);
		d->vmcoreinfo_len = found.len;
	}
	d->vmcoreinfo_known = true;
	*text = d->vmcoreinfo;
	*len = d->vmcoreinfo_len;
	pthread_mutex_unlock(&d->lock);
	return 0;
}
