// SPDX-License-Identifier: MIT
/*
 * Running a sealed image under observation.
 */
#define _GNU_SOURCE
#include "probe.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <zpv/hostkey.h>

#include "console.h"
#include "err.h"
#include "gmap.h"
#include "io.h"
#include "scb.h"
#include "uv.h"
#include "vcpu.h"

#define MAX_TRIES   1000u
#define IMAGE_BYTES (64 * MIB)

/* Findings like this one have been printed often enough. */
static bool is_enough(struct probe *p, const char *fmt)
{
	size_t i = 0;

	while (i < MAX_KINDS - 1 && p->kinds[i].fmt && p->kinds[i].fmt != fmt)
		i++;
	p->kinds[i].fmt = fmt;
	return p->kinds[i].n++ >= MAX_FINDINGS;
}

void finding(struct probe *p, const char *fmt, ...)
{
	va_list ap;

	p->findings++;
	if (is_enough(p, fmt))
		return;
	printf("FAIL: ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

/* --- Parts of the image ---------------------------------------------------------------------- */

/* Lines "plain|unpacked ADDR SIZE NAME", numbers in hexadecimal. */
static int read_parts(const char *path, struct parts *out, struct zpv_err *err)
{
	FILE *f = fopen(path, "re");
	char kind[16];
	struct part part;
	unsigned long long addr, size;

	if (!f)
		return err_errno(err, ZPV_ERR_IO, "cannot read '%s'", path);
	while (out->n < MAX_PARTS &&
	       fscanf(f, "%15s %llx %llx %39[^\n]", kind, &addr, &size, part.name) == 4) {
		part.addr = addr & ~(FRAME_BYTES - 1ull);
		part.size = page_round_up(addr + size) - part.addr;
		part.unpacked = strcmp(kind, "unpacked") == 0;
		out->part[out->n++] = part;
	}
	if (!feof(f) || !out->n) {
		fclose(f);
		return err_set(err, ZPV_ERR_FORMAT, "'%s' is no list of parts", path);
	}
	fclose(f);
	return 0;
}

const struct part *probe_part(const struct probe *p, const char *name)
{
	for (size_t i = 0; i < p->parts.n; i++)
		if (strcmp(p->parts.part[i].name, name) == 0)
			return &p->parts.part[i];
	return NULL;
}

const struct part *probe_part_at(const struct probe *p, uint64_t gaddr)
{
	for (size_t i = 0; i < p->parts.n; i++) {
		const struct part *part = &p->parts.part[i];

		if (gaddr >= part->addr && gaddr < part->addr + part->size)
			return part;
	}
	return NULL;
}

/* --- The machine ----------------------------------------------------------------------------- */

bool probe_frame(struct probe *p, uint64_t gaddr, uint64_t *frame)
{
	haddr_t at;

	if (!gmap_lookup(p->vm->gmap, (gaddr_t){ gaddr }, &at))
		return false;
	*frame = at.v / FRAME_BYTES;
	return true;
}

uint16_t probe_call(struct probe *p, enum uv_command cmd, void *block, size_t len)
{
	struct uvcb *head = block;
	struct machine *m = p->vm->m;
	unsigned int cc = 2;
	struct pic pic;

	be16_set(&head->len, (uint16_t)len);
	be16_set(&head->cmd, (uint16_t)cmd);
	pic = storage_write(m, p->uvcb, block, len);
	for (unsigned int i = 0; i < MAX_TRIES && !pic.code && cc > 1; i++)
		pic = cpu_uvc(p->vm->vcpu->cpu, p->uvcb, &cc);
	if (!pic.code)
		pic = storage_read(m, p->uvcb, block, len);
	if (pic.code)
		finding(p, "Ultravisor call %#x: program interruption %#x", cmd, pic.code);
	return pic.code ? 0 : be16_get(head->rc);
}

bool probe_scb(struct probe *p, struct scb_page *out)
{
	struct pic pic = storage_read(p->vm->m, p->vm->vcpu->scb_addr, out, sizeof(*out));

	if (pic.code)
		finding(p, "state description: program interruption %#x", pic.code);
	return !pic.code;
}

bool is_zero(const uint8_t *page)
{
	static const uint8_t zeros[FRAME_BYTES];

	return memcmp(page, zeros, sizeof(zeros)) == 0;
}

unsigned int count_pattern(const uint8_t *page, const uint8_t pattern[16])
{
	const uint8_t *end = page + FRAME_BYTES;
	unsigned int n = 0;

	while ((page = memmem(page, (size_t)(end - page), pattern, 16))) {
		page += 16;
		n++;
	}
	return n;
}

/* The hypervisor takes frames from the start of two regions. */
static bool handed_out(const struct vm *vm, uint64_t frame)
{
	uint64_t addr = frame * FRAME_BYTES;

	return addr < vm->low.next || (addr >= vm->low.end && addr < vm->high.next);
}

/* Reading a page of a store that does not exist would make it. */
void probe_resident(struct probe *p, const uint8_t *store)
{
	struct machine *m = p->vm->m;
	bool known = sysconf(_SC_PAGESIZE) == FRAME_BYTES &&
		     mincore((void *)(uintptr_t)store, m->bytes, p->resident) == 0;

	for (uint64_t f = 0; f < m->nframes; f++)
		p->resident[f] = !known || p->resident[f] & 1 || handed_out(p->vm, f);
}

/* --- The run --------------------------------------------------------------------------------- */

static int install(void *host, struct machine *m, struct zpv_err *err)
{
	return uv_install(m, host, err);
}

static void on_output(void *ctx, const uint8_t *data, size_t len)
{
	(void)ctx;
	fwrite(data, 1, len, stderr);
}

static int run_vm(struct probe *p, const struct probe_job *job, const struct vm_config *config,
		  struct zpv_err *err)
{
	int rc = vm_new(config, &p->vm, err);

	if (!rc)
		rc = vm_alloc(p->vm, &p->vm->low, FRAME_BYTES, FRAME_BYTES, &p->uvcb, err);
	if (!rc)
		p->resident = calloc(p->vm->m->nframes, 1);
	if (!rc && !p->resident)
		rc = err_set(err, ZPV_ERR_NOMEM, "no memory");
	if (!rc)
		rc = vm_run(p->vm, err);
	if (!rc)
		job->ended(job->arg);
	vm_free(p->vm);
	p->vm = NULL;
	return rc;
}

static int run(struct probe *p, const struct probe_job *job, struct zpv_err *err)
{
	struct console console = { .output = on_output };
	struct zpv_host *host = NULL;
	struct vm_config config = { .memory_bytes = job->memory,
				    .boot = { .kernel = job->image },
				    .console = &console,
				    .firmware = install,
				    .after_sie = job->after_sie,
				    .after_sie_arg = job->arg };
	int rc = read_parts(job->parts, &p->parts, err);

	if (!rc)
		rc = io_read_file(job->image, IMAGE_BYTES, &p->image, err);
	if (!rc)
		rc = zpv_host_open(job->host, &host, err);
	config.firmware_arg = host;
	if (!rc)
		rc = run_vm(p, job, &config, err);
	zpv_host_free(host);
	return rc;
}

int probe_run(struct probe *p, const struct probe_job *job)
{
	struct zpv_err err = { 0 };
	int rc = run(p, job, &err);

	if (rc)
		fprintf(stderr, "%s\n", err.text);
	printf("findings: %u\n", p->findings);
	buf_free(&p->image);
	free(p->resident);
	return rc ? 1 : p->findings ? 3 : 0;
}
