/* SPDX-License-Identifier: MIT */
/*
 * Finding one's way in the Linux kernel of a dump: its VMCOREINFO, its virtual addresses, its
 * messages. All of it was written by a guest that may be hostile: every step is bounded.
 */
#ifndef DUMP_KERNEL_H
#define DUMP_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zpv/dump.h>

#include "buf.h"

/* Guest absolute storage; zpv_dump_read() behind it, or a test's. */
struct kernel_storage {
	int (*read)(void *ctx, uint64_t addr, void *buf, size_t len, struct zpv_err *err);
	void *ctx;
	const struct zpv_dump_range *ranges;
	size_t nranges;
};

/* --- VMCOREINFO (vmcoreinfo.c) --------------------------------------------------------------- */

/*
 * Appends the text to out, or nothing when there is none.
 * Return: 0; what the storage answers when that is not about one address (no key, I/O).
 */
int vmcoreinfo_find(const struct kernel_storage *s, struct buf *out, struct zpv_err *err)
	MUST_CHECK;

struct vmcoreinfo {
	const char *text; /* not terminated */
	size_t len;
};

/* The value behind "name=": false when there is no such line, or no number of that base in it. */
bool vmcoreinfo_number(const struct vmcoreinfo *v, const char *name, unsigned int base,
		       uint64_t *out);

/* The text behind "name=": NULL when there is no such line. */
const char *vmcoreinfo_line(const struct vmcoreinfo *v, const char *name, size_t *len);

/* --- Virtual addresses (kernel_space.c) ------------------------------------------------------ */

struct kernel_space {
	const struct kernel_storage *storage;
	bool dat; /* by the kernel's own tables; otherwise by what VMCOREINFO says */
	uint64_t asce;
	uint64_t identity;	    /* virtual address of absolute 0 */
	uint64_t image, image_phys; /* of the kernel: virtual, absolute; equal when not apart */
	uint64_t page, frame;	    /* the last translation */
	bool cached;
};

/*
 * Takes the first ASCE that translates the kernel's page directory to itself; none needs to.
 * Return: 0; as kernel_storage.read().
 */
int kernel_space_open(struct kernel_space *k, const struct kernel_storage *s,
		      const struct vmcoreinfo *v, const uint64_t *asces, size_t nasces,
		      struct zpv_err *err) MUST_CHECK;

/* Return: 0; -ZPV_ERR_FORMAT no such address; as kernel_storage.read(). */
int kernel_read(struct kernel_space *k, uint64_t vaddr, void *buf, size_t len, struct zpv_err *err)
	MUST_CHECK;

/* --- Messages (dmesg.c) ---------------------------------------------------------------------- */

typedef void (*kernel_write)(void *ctx, const char *text, size_t len);

/* As zpv_dump_dmesg(). */
int kernel_messages(struct kernel_space *k, const struct vmcoreinfo *v, kernel_write write,
		    void *ctx, struct zpv_err *err) MUST_CHECK;

/* --- A dump ---------------------------------------------------------------------------------- */

/* Storage of a dump; the caller frees ranges. */
int kernel_storage_of(struct zpv_dump *d, struct kernel_storage *out,
		      struct zpv_dump_range **ranges, struct zpv_err *err) MUST_CHECK;

#endif
