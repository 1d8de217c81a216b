// SPDX-License-Identifier: MIT
/*
 * Host tables of a guest: a segment table for up to 2 GiB, a region-third table above it for more.
 *
 * Guest frames and page tables come from the host frames that the VM hands out. What maps where is
 * read back from the tables themselves, through the machine's accessors; nothing is kept twice.
 */
#include "gmap.h"

#include <stdlib.h>

#include "be.h"
#include "err.h"
#include "machine.h"
#include "vm.h"

#define MIB		     (1ull << 20)
#define TABLE_BYTES	     16384u /* segment and region tables: 2048 entries */
#define PAGE_TABLE_BYTES     2048u  /* 256 entries */
#define SEGMENT_TABLE_COVERS (2048 * MIB)

#define DT_REGION_3	  0x4u
#define ASCE_PRIVATE	  0x100u /* which a protected guest's must be */
#define TYPE_REGION_3	  0x4u
#define ENTRY_INVALID	  0x20u
#define TABLE_LENGTH_FULL 0x3u
#define PAGE_INVALID	  0x400u
#define ORIGIN_MASK	  0xfffffffffffff000ull
#define PAGE_TABLE_MASK	  0xfffffffffffff800ull

struct gmap {
	struct vm *vm;
	uint64_t bytes, asce;
	bool region_3;	     /* the ASCE designates a region-third table */
	haddr_t spare_table; /* second half of the last frame used for page tables */
	bool has_spare;
	uint64_t present;
};

static uint64_t read_entry(const struct gmap *g, uint64_t at)
{
	be64 e = { { 0 } };
	struct pic pic = storage_read(g->vm->m, (haddr_t){ at }, &e, sizeof(e));

	return pic.code ? ENTRY_INVALID | PAGE_INVALID : be64_get(e);
}

static void write_entry(const struct gmap *g, uint64_t at, uint64_t v)
{
	be64 e;
	struct pic pic;

	be64_set(&e, v);
	pic = storage_write(g->vm->m, (haddr_t){ at }, &e, sizeof(e));
	if (pic.code)
		vm_fail(g->vm, "a host table at %#llx is not accessible (%#x)",
			(unsigned long long)at, pic.code);
}

static void fill(const struct gmap *g, uint64_t at, size_t entries, uint64_t v)
{
	for (size_t i = 0; i < entries; i++)
		write_entry(g, at + i * sizeof(be64), v);
}

static int new_table(struct gmap *g, uint64_t type, uint64_t *out, struct zpv_err *err)
{
	haddr_t at;
	int rc = vm_alloc(g->vm, &g->vm->low, TABLE_BYTES, 4096, &at, err);

	if (rc)
		return rc;
	fill(g, at.v, TABLE_BYTES / sizeof(be64), type | ENTRY_INVALID);
	*out = at.v;
	return 0;
}

int gmap_new(struct vm *vm, uint64_t bytes, struct gmap **out, struct zpv_err *err)
{
	struct gmap *g = calloc(1, sizeof(*g));
	uint64_t table = 0;
	int rc;

	if (!g)
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	g->vm = vm;
	g->bytes = bytes;
	g->region_3 = bytes > SEGMENT_TABLE_COVERS;
	rc = new_table(g, g->region_3 ? TYPE_REGION_3 : 0, &table, err);
	if (rc) {
		free(g);
		return rc;
	}
	g->asce = table | ASCE_PRIVATE | (g->region_3 ? DT_REGION_3 : 0) | TABLE_LENGTH_FULL;
	*out = g;
	return 0;
}

void gmap_free(struct gmap *g)
{
	free(g); /* the tables are machine storage */
}

uint64_t gmap_asce(const struct gmap *g)
{
	return g->asce;
}

uint64_t gmap_bytes(const struct gmap *g)
{
	return g->bytes;
}

uint64_t gmap_present(const struct gmap *g)
{
	return g->present;
}

/* Two page tables fit a frame. */
static bool new_page_table(struct gmap *g, uint64_t *out)
{
	haddr_t at = g->spare_table;

	if (!g->has_spare && vm_alloc(g->vm, &g->vm->low, 4096, 4096, &at, &g->vm->err) != 0)
		return false;
	g->has_spare = !g->has_spare;
	g->spare_table.v = at.v + PAGE_TABLE_BYTES;
	fill(g, at.v, PAGE_TABLE_BYTES / sizeof(be64), PAGE_INVALID);
	*out = at.v;
	return true;
}

/* Address of the segment entry of a guest address; 0 when there is none and make is not set. */
static uint64_t segment_entry(struct gmap *g, uint64_t at, bool make)
{
	uint64_t table = g->asce & ORIGIN_MASK;

	if (g->region_3) {
		uint64_t r3 = table + (at >> 31 & 0x7ff) * sizeof(be64);
		uint64_t entry = read_entry(g, r3);

		if (entry & ENTRY_INVALID) {
			if (!make || new_table(g, 0, &table, &g->vm->err) != 0)
				return 0;
			write_entry(g, r3, table | TYPE_REGION_3 | TABLE_LENGTH_FULL);
		} else {
			table = entry & ORIGIN_MASK;
		}
	}
	return table + (at >> 20 & 0x7ff) * sizeof(be64);
}

static uint64_t page_entry(struct gmap *g, uint64_t at, bool make)
{
	uint64_t segment = segment_entry(g, at, make);
	uint64_t entry = segment ? read_entry(g, segment) : ENTRY_INVALID;
	uint64_t table = entry & PAGE_TABLE_MASK;

	if (entry & ENTRY_INVALID) {
		if (!make || !segment || !new_page_table(g, &table))
			return 0;
		write_entry(g, segment, table);
	}
	return table + (at >> 12 & 0xff) * sizeof(be64);
}

bool gmap_fault_in(struct gmap *g, gaddr_t at, haddr_t *out)
{
	uint64_t pte, entry;
	haddr_t frame;

	if (at.v >= g->bytes)
		return false;
	pte = page_entry(g, at.v, true);
	if (!pte)
		return false;
	entry = read_entry(g, pte);
	if (entry & PAGE_INVALID) {
		if (vm_alloc(g->vm, &g->vm->low, 4096, 4096, &frame, &g->vm->err) != 0)
			return false;
		entry = frame.v;
		write_entry(g, pte, entry);
		g->present++;
	}
	out->v = (entry & ORIGIN_MASK) | (at.v & 0xfff);
	return true;
}

bool gmap_lookup(const struct gmap *g, gaddr_t at, haddr_t *out)
{
	uint64_t pte, entry;

	if (at.v >= g->bytes)
		return false;
	pte = page_entry((struct gmap *)(uintptr_t)g, at.v, false);
	entry = pte ? read_entry(g, pte) : PAGE_INVALID;
	if (entry & PAGE_INVALID)
		return false;
	out->v = (entry & ORIGIN_MASK) | (at.v & 0xfff);
	return true;
}

static void clear_page(struct gmap *g, uint64_t at)
{
	haddr_t frame;
	struct pic pic;

	if (!gmap_lookup(g, gaddr(at), &frame))
		return;
	pic = storage_clear(g->vm->m, frame, 4096);
	if (pic.code)
		vm_fail(g->vm, "guest page %#llx cannot be cleared (%#x)", (unsigned long long)at,
			pic.code);
}

/* Where to look next when there may be nothing at this address: behind what has no table. */
static uint64_t behind(struct gmap *g, uint64_t at)
{
	uint64_t segment = segment_entry(g, at, false);

	if (!segment)
		return (at / SEGMENT_TABLE_COVERS + 1) * SEGMENT_TABLE_COVERS;
	if (read_entry(g, segment) & ENTRY_INVALID)
		return (at / MIB + 1) * MIB;
	return at;
}

void gmap_discard(struct gmap *g, uint64_t first, uint64_t last)
{
	for (uint64_t at = first; at <= last && at < g->bytes;) {
		uint64_t next = behind(g, at);

		if (next == at) {
			clear_page(g, at);
			next += 4096;
		}
		at = next;
	}
}

void gmap_clear(struct gmap *g)
{
	gmap_discard(g, 0, g->bytes - 4096);
}
