// SPDX-License-Identifier: MIT
/*
 * The Linux kernel of a dump, as users of the library ask for it: its messages, its names.
 */
#include <stdlib.h>
#include <string.h>

#include "be.h"
#include "err.h"
#include "kernel.h"
#include "linux_core.h"

#define ASCES_PER_CPU 4u

/*
 * ASCEs that may be the kernel's: out of the prefix area, and what the CPU ran with. A CPU whose
 * state is damaged is passed over: one of them is enough.
 */
static int collect_asces(struct zpv_dump *d, uint64_t *asces, size_t *n, struct zpv_err *err)
{
	struct zpv_err why = { 0 };

	for (size_t i = 0; i < zpv_dump_cpus(d); i++) {
		struct zpv_dump_cpu cpu;
		be64 asce;
		int rc = zpv_dump_cpu(d, i, &cpu, &why);

		if (!rc) {
			asces[(*n)++] = cpu.cr[1];
			asces[(*n)++] = cpu.cr[7];
			asces[(*n)++] = cpu.cr[13];
			rc = zpv_dump_read(d, cpu.prefix + (uint64_t)LINUX_LC_KERNEL_ASCE, &asce,
					   sizeof(asce), &why);
		}
		if (!rc)
			asces[(*n)++] = be64_get(asce);
		if (rc == -ZPV_ERR_KEY || rc == -ZPV_ERR_IO || rc == -ZPV_ERR_NOMEM)
			return err_set(err, (enum zpv_err_code) - rc, "%s", why.text);
	}
	return 0;
}

static int open_space(struct zpv_dump *d, struct kernel_space *k, const struct kernel_storage *s,
		      const struct vmcoreinfo *v, struct zpv_err *err)
{
	size_t room = zpv_dump_cpus(d) * ASCES_PER_CPU, n = 0;
	uint64_t *asces = calloc(room ? room : 1, sizeof(*asces));
	int rc;

	if (!asces)
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	rc = collect_asces(d, asces, &n, err);
	if (!rc)
		rc = kernel_space_open(k, s, v, asces, n, err);
	free(asces);
	return rc;
}

/* What reading a kernel needs; kernel_close() frees it. */
struct kernel {
	struct vmcoreinfo info;
	struct zpv_dump_range *ranges;
	struct kernel_storage storage;
	struct kernel_space space;
};

static void kernel_close(struct kernel *k)
{
	free(k->ranges);
}

/* k->info.text is NULL, and nothing else is there, when the dump has no VMCOREINFO. */
static int kernel_open(struct zpv_dump *d, struct kernel *k, struct zpv_err *err)
{
	int rc;

	*k = (struct kernel){ .ranges = NULL };
	rc = zpv_dump_vmcoreinfo(d, &k->info.text, &k->info.len, err);
	if (rc || !k->info.text)
		return rc;
	rc = kernel_storage_of(d, &k->storage, &k->ranges, err);
	return rc ? rc : open_space(d, &k->space, &k->storage, &k->info, err);
}

int zpv_dump_dmesg(struct zpv_dump *d, void (*write)(void *ctx, const char *text, size_t len),
		   void *ctx, struct zpv_err *err)
{
	struct kernel k;
	int rc = kernel_open(d, &k, err);

	if (!rc && !k.info.text)
		rc = err_set(err, ZPV_ERR_FORMAT,
			     "the dump has no VMCOREINFO: no Linux that finished its boot ran");
	if (!rc)
		rc = kernel_messages(&k.space, &k.info, write, ctx, err);
	kernel_close(&k);
	return rc;
}

/* --- Names ----------------------------------------------------------------------------------- */

/* struct new_utsname: fields of 65 bytes, the first one "Linux". It is somewhere in init_uts_ns. */
#define UTS_FIELD 65u
#define UTS_BYTES (6 * UTS_FIELD)
#define UTS_ROOM  1024u

static void copy_name(char *to, const uint8_t *field)
{
	memcpy(to, field, UTS_FIELD);
	to[UTS_FIELD - 1] = 0;
}

static void take_names(const uint8_t *data, size_t len, struct zpv_dump_uts *out)
{
	for (size_t i = 0; i + UTS_BYTES <= len; i++) {
		if (memcmp(data + i, "Linux", sizeof("Linux")) != 0)
			continue;
		copy_name(out->node, data + i + UTS_FIELD);
		copy_name(out->release, data + i + 2 * UTS_FIELD);
		copy_name(out->version, data + i + 3 * UTS_FIELD);
		return;
	}
}

int zpv_dump_uts(struct zpv_dump *d, struct zpv_dump_uts *out, struct zpv_err *err)
{
	struct zpv_dump_uts names = { .node = "" };
	uint8_t data[UTS_ROOM + UTS_BYTES];
	struct kernel k;
	uint64_t addr;
	int rc = kernel_open(d, &k, err);

	if (!rc && k.info.text && vmcoreinfo_number(&k.info, "SYMBOL(init_uts_ns)", 16, &addr)) {
		rc = kernel_read(&k.space, addr, data, sizeof(data), err);
		if (!rc)
			take_names(data, sizeof(data), &names);
		else if (rc == -ZPV_ERR_FORMAT || rc == -ZPV_ERR_VERIFY)
			rc = 0; /* a kernel that is not where it says has no names */
	}
	kernel_close(&k);
	if (!rc)
		*out = names;
	return rc;
}
