// SPDX-License-Identifier: MIT
/*
 * Collecting a verification's parts and checks.
 */
#include "report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "err.h"

/* Makes room for one more element; NULL without memory, and then r->ok can no longer be true. */
static void *grow(void *array, size_t n, size_t size)
{
	/* Doubles at powers of two, so no capacity has to be kept. */
	if (n & (n - 1))
		return array;
	return realloc(array, (n ? 2 * n : 1) * size);
}

bool report_check(struct zpv_image_report *r, bool ok, const char *name, const char *fmt, ...)
{
	struct zpv_image_check *checks = grow(r->checks, r->nchecks, sizeof(*checks));
	struct zpv_image_check *c;
	va_list ap;

	r->ok = r->ok && ok && checks;
	if (!checks)
		return ok;
	r->checks = checks;
	c = &checks[r->nchecks++];
	c->name = name;
	c->ok = ok;
	va_start(ap, fmt);
	vsnprintf(c->text, sizeof(c->text), fmt, ap);
	va_end(ap);
	return ok;
}

void report_part(struct zpv_image_report *r, const struct zpv_image_part *part)
{
	struct zpv_image_part *parts = grow(r->parts, r->nparts, sizeof(*parts));

	r->ok = r->ok && parts;
	if (!parts)
		return;
	r->parts = parts;
	parts[r->nparts++] = *part;
}

static int by_addr(const void *a, const void *b)
{
	const struct zpv_image_part *x = a, *y = b;

	return (x->addr > y->addr) - (x->addr < y->addr);
}

int report_finish(struct zpv_image_report *r, struct zpv_err *err)
{
	bool all = true;

	if (r->nparts)
		qsort(r->parts, r->nparts, sizeof(r->parts[0]), by_addr);
	for (size_t i = 0; i < r->nchecks; i++)
		all = all && r->checks[i].ok;
	/* The only other reason to be false is an element that could not be added. */
	return r->ok == all ? 0 : err_set(err, ZPV_ERR_NOMEM, "no memory for the report");
}

void zpv_image_report_free(struct zpv_image_report *r)
{
	if (!r)
		return;
	free(r->parts);
	free(r->checks);
	free(r);
}

const char *report_part_name(enum zpv_image_part_kind kind)
{
	static const char *const names[] = {
		[ZPV_PART_SHORT_PSW] = "short PSW", [ZPV_PART_METADATA] = "metadata",
		[ZPV_PART_STAGE3A] = "stage3a",	    [ZPV_PART_HEADER] = "SE header",
		[ZPV_PART_IPIB] = "IPIB",	    [ZPV_PART_KERNEL] = "kernel",
		[ZPV_PART_RAMDISK] = "ramdisk",	    [ZPV_PART_CMDLINE] = "command line",
		[ZPV_PART_STAGE3B] = "stage3b",	    [ZPV_PART_COMPONENT] = "component",
	};

	return names[kind];
}
