// SPDX-License-Identifier: MIT
/*
 * Pages that are not unpacked are zeros when the protected guest touches them first, whatever the
 * host had put there (boot-ipl.md section 5, ultravisor.md section 6.1: import of a fresh page).
 *
 * After loading, the parts of the image that are not unpacked are its plaintext, for the host. When
 * the guest asks for protected mode, each of its pages that is not of a component holds something:
 * what the loader left there, the metadata, or bytes of this host. At the first end of SIE, before
 * the guest has executed anything, the host still has all that, and the secure store is not clean
 * either. Then (import) the host makes the guest own each of these pages, or (touch) leaves that to
 * the guest, whose program reads all of them and changes none.
 *
 * Usage: first_touch import|touch HOST PARTS IMAGE
 * Linked with --wrap=load_boot,--wrap=pv_start.
 */
#include <stdio.h>
#include <string.h>

#include "gmap.h"
#include "load.h"
#include "probe.h"
#include "scb.h"
#include "vcpu.h"

#define MEMORY	  (64 * MIB)
#define HOST_BYTE 0xa5
#define METADATA  "metadata"
#define STACK	  "stage3a's stack"

int __real_load_boot(struct vm *vm, uint64_t *mask, uint64_t *addr, struct zpv_err *err);
int __wrap_load_boot(struct vm *vm, uint64_t *mask, uint64_t *addr, struct zpv_err *err);
uint64_t __real_pv_start(struct pv *pv);
uint64_t __wrap_pv_start(struct pv *pv);

struct first_touch {
	struct probe p;
	bool import;
	bool looked;	       /* at the first end of SIE */
	uint64_t plain, owned; /* pages that were plaintext; pages that are the guest's, and zero */
};

static struct first_touch run; /* for the wrapped functions */

static uint64_t npages(void)
{
	return MEMORY / FRAME_BYTES;
}

static const char *name_at(uint64_t gaddr)
{
	const struct part *part = probe_part_at(&run.p, gaddr);

	return part ? part->name : "other memory";
}

static bool is_unpacked(uint64_t gaddr)
{
	const struct part *part = probe_part_at(&run.p, gaddr);

	return part && part->unpacked;
}

/* --- Before protected mode ------------------------------------------------------------------- */

/* Is a page of the guest's memory as in the image? (It is loaded at absolute 0.) */
static bool as_in_image(uint64_t gaddr)
{
	uint8_t page[FRAME_BYTES], want[FRAME_BYTES] = { 0 };
	size_t len = gaddr < run.p.image.len ? run.p.image.len - gaddr : 0;

	memcpy(want, run.p.image.data + (len ? gaddr : 0), len < FRAME_BYTES ? len : FRAME_BYTES);
	return !vm_read(run.p.vm, (gaddr_t){ gaddr }, page, sizeof(page)).code &&
	       memcmp(page, want, sizeof(page)) == 0;
}

static void check_as_in_image(const char *when, const struct part *part)
{
	for (uint64_t at = part->addr; at < part->addr + part->size; at += FRAME_BYTES)
		if (!as_in_image(at))
			finding(&run.p, "%s at %#llx is not the image's plaintext %s", part->name,
				(unsigned long long)at, when);
}

int __wrap_load_boot(struct vm *vm, uint64_t *mask, uint64_t *addr, struct zpv_err *err)
{
	int rc = __real_load_boot(vm, mask, addr, err);

	for (size_t i = 0; !rc && i < run.p.parts.n; i++)
		if (strcmp(run.p.parts.part[i].name, STACK) != 0)
			check_as_in_image("after loading", &run.p.parts.part[i]);
	return rc;
}

/* The loader itself says where its stack is. */
static void check_stack(void)
{
	const struct part *stack = probe_part(&run.p, STACK);
	struct scb_page scb;

	if (stack && probe_scb(&run.p, &scb) &&
	    (be64_get(scb.scb.gg15) < stack->addr ||
	     be64_get(scb.scb.gg15) >= stack->addr + stack->size))
		finding(&run.p, "stage3a's stack is at %#llx",
			(unsigned long long)be64_get(scb.scb.gg15));
}

static void put(uint64_t gaddr, const void *data, size_t len)
{
	struct pic pic = vm_write(run.p.vm, (gaddr_t){ gaddr }, data, len);

	if (pic.code)
		finding(&run.p, "%#llx cannot be written: %#x", (unsigned long long)gaddr,
			pic.code);
}

/* No page is left as zeros; stage3a has cleared the metadata. */
static void fill_memory(void)
{
	const struct part *metadata = probe_part(&run.p, METADATA);
	uint8_t page[FRAME_BYTES];

	memset(page, HOST_BYTE, sizeof(page));
	for (uint64_t i = 0; i < npages(); i++)
		if (!probe_part_at(&run.p, i * FRAME_BYTES))
			put(i * FRAME_BYTES, page, sizeof(page));
	if (metadata)
		put(metadata->addr, run.p.image.data + metadata->addr, FRAME_BYTES);
}

/* The host has something in every page that is not of a component. */
static void check_plaintext(const char *when)
{
	uint64_t frame;

	run.plain = 0;
	for (uint64_t at = 0; at < MEMORY; at += FRAME_BYTES) {
		if (is_unpacked(at))
			continue;
		if (!probe_frame(&run.p, at, &frame) ||
		    frame_info(run.p.vm->m, frame).state != FRAME_HOST ||
		    is_zero(frame_host_page(run.p.vm->m, frame)))
			finding(&run.p, "%s at %#llx: the host has nothing there %s", name_at(at),
				(unsigned long long)at, when);
		else
			run.plain++;
	}
}

uint64_t __wrap_pv_start(struct pv *pv)
{
	check_stack();
	fill_memory();
	for (size_t i = 0; i < run.p.parts.n; i++)
		if (strcmp(run.p.parts.part[i].name, "stage3a") == 0 ||
		    strcmp(run.p.parts.part[i].name, "SE header") == 0 ||
		    strcmp(run.p.parts.part[i].name, METADATA) == 0)
			check_as_in_image("before protected mode", &run.p.parts.part[i]);
	check_plaintext("before protected mode");
	return __real_pv_start(pv);
}

/* --- The protected guest --------------------------------------------------------------------- */

static void import(uint64_t gaddr)
{
	struct scb_page scb;
	struct uvcb_gpage b = { 0 };
	uint16_t rc;

	if (!probe_scb(&run.p, &scb))
		return;
	b.config_handle = scb.scb.pv_handle_config;
	be64_set(&b.gaddr, gaddr);
	rc = probe_call(&run.p, UVC_IMPORT, &b, sizeof(b));
	if (rc != UV_RC_EXECUTED)
		finding(&run.p, "%s at %#llx: import: rc %#x", name_at(gaddr),
			(unsigned long long)gaddr, rc);
}

/* The page is the guest's alone, and nothing but zeros. Return: it is so. */
static bool check_page(uint64_t gaddr)
{
	struct machine *m = run.p.vm->m;
	unsigned int before = run.p.findings;
	uint64_t frame;
	uint8_t byte;
	uint16_t code;

	if (!probe_frame(&run.p, gaddr, &frame)) {
		finding(&run.p, "%s at %#llx: no frame", name_at(gaddr), (unsigned long long)gaddr);
		return false;
	}
	code = storage_read(m, (haddr_t){ frame * FRAME_BYTES }, &byte, 1).code;
	if (frame_info(m, frame).state != FRAME_SECURE)
		finding(&run.p, "%s at %#llx: not secure", name_at(gaddr),
			(unsigned long long)gaddr);
	if (!is_zero(frame_secure_page(m, frame)))
		finding(&run.p, "%s at %#llx: not zeros for the guest", name_at(gaddr),
			(unsigned long long)gaddr);
	if (code != PGM_SECURE_ACCESS)
		finding(&run.p, "%s at %#llx: the host's access gives %#x", name_at(gaddr),
			(unsigned long long)gaddr, code);
	return run.p.findings == before;
}

static void check_all_pages(void)
{
	run.owned = 0;
	for (uint64_t at = 0; at < MEMORY; at += FRAME_BYTES)
		if (!is_unpacked(at))
			run.owned += check_page(at);
	for (size_t i = 0; i < run.p.parts.n; i++) {
		const struct part *part = &run.p.parts.part[i];

		if (!part->unpacked)
			printf("%s: %llu pages\n", part->name,
			       (unsigned long long)(part->size / FRAME_BYTES));
	}
	printf("plaintext pages: %llu\nzero pages: %llu\n", (unsigned long long)run.plain,
	       (unsigned long long)run.owned);
}

/* As if somebody before had left something there: nobody but IMPORT stands between. */
static void soil_secure_store(void)
{
	uint64_t frame;

	for (uint64_t at = 0; at < MEMORY; at += FRAME_BYTES)
		if (!is_unpacked(at) && probe_frame(&run.p, at, &frame))
			memset(frame_secure_page(run.p.vm->m, frame), HOST_BYTE, FRAME_BYTES);
}

static void after_sie(void *arg, struct vm *vm)
{
	struct scb_page scb;

	(void)arg;
	(void)vm;
	if (run.looked || !probe_scb(&run.p, &scb) || scb.scb.sdf != SCB_FORMAT4)
		return;
	run.looked = true;
	check_plaintext("at the first end of SIE");
	soil_secure_store();
	for (uint64_t at = 0; run.import && at < MEMORY; at += FRAME_BYTES)
		if (!is_unpacked(at))
			import(at);
	if (run.import)
		check_all_pages();
}

static void ended(void *arg)
{
	(void)arg;
	if (run.p.vm->end != VM_POWERED_OFF || !run.p.vm->protection.on || !run.looked)
		finding(&run.p, "the guest did not end as it should: %u, %s", run.p.vm->end,
			run.p.vm->protection.on ? "protected" : "not protected");
	if (!run.import)
		check_all_pages();
}

int main(int argc, char **argv)
{
	if (argc != 5 || (strcmp(argv[1], "import") != 0 && strcmp(argv[1], "touch") != 0)) {
		fprintf(stderr, "usage: first_touch import|touch HOST PARTS IMAGE\n");
		return 2;
	}
	run.import = strcmp(argv[1], "import") == 0;
	return probe_run(&run.p, &(struct probe_job){ .host = argv[2],
						      .parts = argv[3],
						      .image = argv[4],
						      .memory = MEMORY,
						      .after_sie = after_sie,
						      .ended = ended });
}
