// SPDX-License-Identifier: MIT
/*
 * Virtual addresses of the Linux kernel in a dump: dynamic address translation over its own tables
 * (PoP chapter 3, "Dynamic Address Translation"), or, when no CPU tells where they are, by what is
 * said in VMCOREINFO (Linux 6.12 arch/s390/kernel/vmcore_info.c).
 *
 * Prefixing is left out: tables and messages are never in a CPU's prefix area.
 */
#include <inttypes.h>
#include <string.h>

#include "be.h"
#include "err.h"
#include "kernel.h"

#define PAGE 4096u

#define ASCE_ORIGIN   0xfffffffffffff000ull
#define ASCE_REAL     BIT64(58)
#define ENTRY_LARGE   BIT64(53) /* of a segment or region-third table: it names storage, no table */
#define ENTRY_INVALID BIT64(58)
#define PTE_INVALID   BIT64(53)
#define PTE_ORIGIN    0xfffffffffffff000ull
#define SEGMENT	      0u
#define REGION3	      1u

/* Bits 60-61 of an ASCE or of an entry: the level of the table, 3 for the region-first one. */
static unsigned int table_level(uint64_t entry)
{
	return entry >> 2 & 3;
}

static int read_entry(struct kernel_space *k, uint64_t addr, uint64_t *out, struct zpv_err *err)
{
	be64 entry;
	int rc = k->storage->read(k->storage->ctx, addr, &entry, sizeof(entry), err);

	if (!rc)
		*out = be64_get(entry);
	return rc;
}

static int no_address(uint64_t vaddr, struct zpv_err *err)
{
	return err_set(err, ZPV_ERR_FORMAT, "kernel address %#" PRIx64 " leads nowhere", vaddr);
}

/* An index's two leftmost bits are compared with the offset and length of its table. */
static bool in_table(unsigned int index, uint64_t offset, uint64_t length)
{
	return index >> 9 >= offset && index >> 9 <= length;
}

/*
 * One step: the entry of a region or segment table. The level falls with every step, so that no loop
 * of tables is followed.
 */
static int walk_tables(struct kernel_space *k, uint64_t asce, uint64_t vaddr, uint64_t *frame,
		       struct zpv_err *err)
{
	uint64_t origin = asce & ASCE_ORIGIN, offset = 0, length = asce & 3, entry;
	unsigned int level = table_level(asce);
	int rc;

	if (level < 3 && vaddr >> (31 + 11 * level))
		return no_address(vaddr, err);
	for (;; level--) {
		unsigned int index = vaddr >> (20 + 11 * level) & 0x7ff;

		if (!in_table(index, offset, length))
			return no_address(vaddr, err);
		rc = read_entry(k, origin + 8 * index, &entry, err);
		if (rc)
			return rc;
		if (entry & ENTRY_INVALID || table_level(entry) != level)
			return no_address(vaddr, err);
		if (level <= REGION3 && entry & ENTRY_LARGE) {
			uint64_t mask = (1ull << (20 + 11 * level)) - 1;

			*frame = (entry & ~mask) | (vaddr & mask & -PAGE);
			return 0;
		}
		if (level == SEGMENT)
			break;
		origin = entry & ASCE_ORIGIN;
		offset = entry >> 6 & 3;
		length = entry & 3;
	}
	rc = read_entry(k, (entry & ~0x7ffull) + 8 * (vaddr >> 12 & 0xff), &entry, err);
	if (rc)
		return rc;
	if (entry & PTE_INVALID)
		return no_address(vaddr, err);
	*frame = entry & PTE_ORIGIN;
	return 0;
}

static int translate(struct kernel_space *k, uint64_t vaddr, uint64_t *frame, struct zpv_err *err)
{
	if (k->dat && k->asce & ASCE_REAL) {
		*frame = vaddr & -(uint64_t)PAGE;
		return 0;
	}
	if (k->dat)
		return walk_tables(k, k->asce, vaddr, frame, err);
	if (vaddr >= k->image)
		vaddr = vaddr - k->image + k->image_phys;
	else if (vaddr >= k->identity)
		vaddr -= k->identity;
	*frame = vaddr & -(uint64_t)PAGE;
	return 0;
}

int kernel_read(struct kernel_space *k, uint64_t vaddr, void *buf, size_t len, struct zpv_err *err)
{
	uint8_t *to = buf;

	while (len) {
		uint64_t page = vaddr & -(uint64_t)PAGE;
		size_t n = PAGE - (size_t)(vaddr - page);
		int rc;

		n = n < len ? n : len;
		if (!k->cached || k->page != page) {
			k->cached = false;
			rc = translate(k, vaddr, &k->frame, err);
			if (rc)
				return rc;
			k->page = page;
			k->cached = true;
		}
		rc = k->storage->read(k->storage->ctx, k->frame + (vaddr - page), to, n, err);
		if (rc == -ZPV_ERR_USAGE)
			return no_address(vaddr, err);
		if (rc)
			return rc;
		vaddr += n;
		to += n;
		len -= n;
	}
	return 0;
}

/* The kernel's page directory is where the kernel's ASCE points: nothing else passes that. */
static int try_asce(struct kernel_space *k, uint64_t asce, uint64_t directory, struct zpv_err *err)
{
	struct zpv_err why = { 0 };
	uint64_t frame;
	int rc;

	if (asce & ASCE_REAL || !(asce & ASCE_ORIGIN))
		return 0;
	rc = walk_tables(k, asce, directory, &frame, &why);
	if (rc == -ZPV_ERR_KEY || rc == -ZPV_ERR_IO) {
		if (err)
			*err = why;
		return rc;
	}
	k->dat = !rc && frame == (asce & ASCE_ORIGIN);
	k->asce = asce;
	return 0;
}

int kernel_space_open(struct kernel_space *k, const struct kernel_storage *s,
		      const struct vmcoreinfo *v, const uint64_t *asces, size_t nasces,
		      struct zpv_err *err)
{
	uint64_t directory;
	int rc = 0;

	*k = (struct kernel_space){ .storage = s, .image = UINT64_MAX };
	if (vmcoreinfo_number(v, "SYMBOL(swapper_pg_dir)", 16, &directory) && !(directory % PAGE))
		for (size_t i = 0; !rc && !k->dat && i < nasces; i++)
			rc = try_asce(k, asces[i], directory, err);
	if (rc || k->dat)
		return rc;
	/* Before 6.10 the kernel ran where it lay, and KERNELOFFSET alone means something else. */
	if (vmcoreinfo_number(v, "KERNELOFFPHYS", 16, &k->image_phys) &&
	    !vmcoreinfo_number(v, "KERNELOFFSET", 16, &k->image))
		k->image = UINT64_MAX;
	if (!vmcoreinfo_number(v, "IDENTITYBASE", 16, &k->identity))
		k->identity = 0;
	return 0;
}
