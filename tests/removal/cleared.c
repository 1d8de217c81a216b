// SPDX-License-Identifier: MIT
/*
 * What is left of a protected guest after each way in which it is removed: nothing.
 *
 * reipl    DIAGNOSE 308 subcode 3 of the guest
 * reset    a reset from outside
 * quit     the VM is ended and freed
 * refused  UNPACK or VERIFY fails, and the loader goes on
 *
 * For the first three the guest writes a pattern into pages of its own, shares one of them, and
 * says so by DIAGNOSE 44; the host exports some. Storage is looked at when the Ultravisor has
 * removed the guest and before the hypervisor clears it, after that, and when the machine ends,
 * while its stores still exist. Of the Ultravisor's inside the test knows what was donated.
 *
 * A shared page is its host's to read and keeps its content when the configuration is destroyed
 * (ultravisor.md section 4.5), until the hypervisor clears or frees it. What was exported is
 * ciphertext and stays as well.
 *
 * Usage: cleared reipl|reset|quit|refused HOST PARTS IMAGE PATTERN [ADDR PAGES SHARED | RC]
 * Linked with --wrap=gmap_clear,--wrap=pv_start,--wrap=uv_destroy_cpu.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gmap.h"
#include "probe.h"
#include "scb.h"
#include "uv_priv.h"
#include "vcpu.h"

#define MEMORY		(64 * MIB)
#define DIAG_READY	0x44u
#define DIAG_IPL	0x308u
#define EXPORT_EACH	8u
#define LOADER_WAIT	0x4608u /* stage3a's disabled wait after a refusal */
#define PATTERNS_A_PAGE (FRAME_BYTES / 16)

void __real_gmap_clear(struct gmap *g);
void __wrap_gmap_clear(struct gmap *g);
uint64_t __real_pv_start(struct pv *pv);
uint64_t __wrap_pv_start(struct pv *pv);
uint16_t __real_uv_destroy_cpu(struct uv_op *op);
uint16_t __wrap_uv_destroy_cpu(struct uv_op *op);

enum way { REIPL, RESET, QUIT, REFUSED, NWAYS };

static const char *const way_names[NWAYS] = { "reipl", "reset", "quit", "refused" };

enum phase {
	BEFORE,	 /* the guest has nothing to hide yet */
	LIVING,	 /* it has */
	REMOVED, /* by the Ultravisor */
	LOADED,	 /* its successor runs */
};

/* What a guest had of the machine. */
struct guest_storage {
	bool known;
	uint64_t config, cpu; /* handles */
	uint64_t base, cpu_stor;
	uint64_t *virt, nvirt; /* frames */
	uint64_t secure;       /* pages that it had, and that were not zeros */
};

struct cleared {
	struct probe p;
	enum way way;
	enum phase phase;
	uint8_t pattern[16];
	uint64_t first, pages, shared; /* addresses but for the number */
	uint16_t rc;		       /* refused: of the call that fails */
	uint64_t shared_frame, base;   /* frame; address of the Ultravisor's storage */
	uint64_t looks, frames;
	struct guest_storage had;
	uint8_t *before; /* refused: the guest's memory */
};

static struct cleared run; /* for the wrapped functions, and for the end of the machine */
static struct secure_ops ops;
static void (*end_ultravisor)(void *uv);

static const struct uv *ultravisor(void)
{
	return run.p.vm->m->uv;
}

/* --- What the guest has ---------------------------------------------------------------------- */

static void remember(const struct uv_cpu *cpu)
{
	const struct uv_config *c = cpu->config;
	struct guest_storage *had = &run.had;

	free(had->virt);
	*had = (struct guest_storage){ .known = true,
				       .config = c->handle,
				       .cpu = cpu->handle,
				       .base = c->base_stor,
				       .cpu_stor = cpu->stor_origin,
				       .virt = calloc(c->nvirt, sizeof(*c->virt)),
				       .nvirt = c->nvirt };
	if (!had->virt)
		abort();
	memcpy(had->virt, c->virt, c->nvirt * sizeof(*c->virt));
	run.base = c->uv->base_stor;
	for (uint64_t f = 0; f < c->uv->m->nframes; f++)
		had->secure += frame_info(c->uv->m, f).state == FRAME_SECURE &&
			       !is_zero(frame_secure_page(c->uv->m, f));
}

/* The hypervisor begins to remove the guest. */
uint16_t __wrap_uv_destroy_cpu(struct uv_op *op)
{
	if (run.way == REFUSED) {
		uv_unpack_drain(op->ucpu->config);
		remember(op->ucpu);
	}
	return __real_uv_destroy_cpu(op);
}

/* --- Looking --------------------------------------------------------------------------------- */

static bool in_base_storage(uint64_t frame)
{
	uint64_t addr = frame * FRAME_BYTES;

	return run.base && addr >= run.base && addr < run.base + UV_BASE_STOR_BYTES;
}

static void look_at_state(const char *when, uint64_t f, bool alive)
{
	enum frame_state state = frame_info(run.p.vm->m, f).state;
	enum frame_state want = alive && in_base_storage(f) ? FRAME_DONATED : FRAME_HOST;

	if (state != want)
		finding(&run.p, "%s: frame %#llx has state %u", when, (unsigned long long)f, state);
}

static void look_at_secure(const char *when, uint64_t f, bool alive)
{
	const uint8_t *page = frame_secure_page(run.p.vm->m, f);

	if (count_pattern(page, run.pattern))
		finding(&run.p, "%s: frame %#llx of the secure store has the guest's data", when,
			(unsigned long long)f);
	else if (!(alive && in_base_storage(f)) && !is_zero(page))
		finding(&run.p, "%s: frame %#llx of the secure store is not zero", when,
			(unsigned long long)f);
}

static void look_at_host(const char *when, uint64_t f, bool shared_stays)
{
	if (!(shared_stays && f == run.shared_frame) &&
	    count_pattern(frame_host_page(run.p.vm->m, f), run.pattern))
		finding(&run.p, "%s: frame %#llx has the guest's data for the host", when,
			(unsigned long long)f);
}

/* Of what was donated: pages that are not the host's, or not zeros. */
static unsigned int bad_pages(uint64_t addr, uint64_t len)
{
	uint8_t page[FRAME_BYTES];
	unsigned int n = 0;

	for (uint64_t at = addr; at < addr + len; at += FRAME_BYTES)
		n += storage_read(run.p.vm->m, (haddr_t){ at }, page, sizeof(page)).code ||
		     !is_zero(page) || !is_zero(frame_secure_page(run.p.vm->m, at / FRAME_BYTES));
	return n;
}

static void look_at_donated(const char *when)
{
	const struct guest_storage *had = &run.had;
	unsigned int n = 0;

	if (bad_pages(had->base, UV_CONFIG_BASE_BYTES))
		finding(&run.p, "%s: base storage is not the host's, or not zero", when);
	if (bad_pages(had->cpu_stor, UV_CPU_STOR_BYTES))
		finding(&run.p, "%s: CPU storage is not the host's, or not zero", when);
	for (uint64_t i = 0; i < had->nvirt; i++)
		n += bad_pages(had->virt[i] * FRAME_BYTES, FRAME_BYTES);
	if (n)
		finding(&run.p, "%s: %u pages of variable storage are not the host's, or not zero",
			when, n);
}

/* alive: the Ultravisor is there, and its own storage. */
static void look(const char *when, bool alive, bool shared_stays)
{
	struct machine *m = run.p.vm->m;

	run.looks++;
	probe_resident(&run.p, m->secure);
	for (uint64_t f = 0; f < m->nframes; f++) {
		look_at_state(when, f, alive);
		if (run.p.resident[f])
			look_at_secure(when, f, alive);
	}
	probe_resident(&run.p, m->host);
	for (uint64_t f = 0; f < m->nframes; f++) {
		run.frames += run.p.resident[f];
		if (run.p.resident[f])
			look_at_host(when, f, shared_stays);
	}
	if (!run.had.known)
		finding(&run.p, "%s: there was no guest", when);
	look_at_donated(when);
}

/* Calls that would not do harm to a guest that is still there. */
static void check_handles(const char *when)
{
	struct uvcb_handle config = { 0 };
	struct uvcb_cpu_state cpu = { .state = UV_CPU_OPERATING };
	uint16_t rc;

	be64_set(&config.handle, run.had.config);
	rc = probe_call(&run.p, UVC_PREPARE_RESET, &config, sizeof(config));
	if (rc != UV_RC_CONFIG_HANDLE)
		finding(&run.p, "%s: the configuration's handle: rc %#x", when, rc);
	be64_set(&cpu.cpu_handle, run.had.cpu);
	rc = probe_call(&run.p, UVC_SET_CPU_STATE, &cpu, sizeof(cpu));
	if (rc != UV_RC_CPU_HANDLE)
		finding(&run.p, "%s: the CPU's handle: rc %#x", when, rc);
	if (ultravisor()->configs)
		finding(&run.p, "%s: there is a configuration", when);
}

/* --- A guest that has something to hide ------------------------------------------------------ */

static void export_page(uint64_t gaddr, uint64_t frame)
{
	struct machine *m = run.p.vm->m;
	struct uvcb_frame b = { 0 };
	uint16_t rc;

	be64_set(&b.paddr, frame * FRAME_BYTES);
	rc = probe_call(&run.p, UVC_EXPORT, &b, sizeof(b));
	if (rc != UV_RC_EXECUTED || frame_info(m, frame).state != FRAME_HOST ||
	    is_zero(frame_host_page(m, frame)))
		finding(&run.p, "page %#llx cannot be exported: rc %#x", (unsigned long long)gaddr,
			rc);
}

/* The page is as the guest has written it. */
static void check_page(uint64_t gaddr, bool shared)
{
	struct machine *m = run.p.vm->m;
	enum frame_state want = shared ? FRAME_SHARED : FRAME_SECURE;
	const uint8_t *page;
	uint64_t frame;

	if (!probe_frame(&run.p, gaddr, &frame)) {
		finding(&run.p, "page %#llx has no frame", (unsigned long long)gaddr);
		return;
	}
	page = shared ? frame_host_page(m, frame) : frame_secure_page(m, frame);
	if (frame_info(m, frame).state != want ||
	    count_pattern(page, run.pattern) != PATTERNS_A_PAGE)
		finding(&run.p, "page %#llx is not the guest's", (unsigned long long)gaddr);
	if (shared)
		run.shared_frame = frame;
	else if ((gaddr - run.first) / FRAME_BYTES % EXPORT_EACH == 0)
		export_page(gaddr, frame);
}

static void ready(void)
{
	const struct uv_config *c = ultravisor()->configs;

	if (!c || !c->cpus) {
		finding(&run.p, "there is no guest");
		return;
	}
	run.phase = LIVING;
	for (uint64_t i = 0; i < run.pages; i++)
		check_page(run.first + i * FRAME_BYTES, i == run.shared);
	remember(c->cpus);
	if (run.way == RESET)
		vm_reset(run.p.vm);
	else if (run.way == QUIT)
		vm_quit(run.p.vm);
}

/* The number of the DIAGNOSE that the guest has just executed; 0: none. */
static unsigned int diagnose(const struct scb_page *scb)
{
	if (scb->scb.sdf != SCB_FORMAT4 || scb->scb.icptcode != ICPT_PV_NOTIFICATION ||
	    be16_get(scb->scb.ipa) != 0x8302)
		return 0;
	return (unsigned int)be64_get(scb->pv_grregs[5]);
}

static void after_sie(void *arg, struct vm *vm)
{
	struct scb_page scb;

	(void)arg;
	if (run.way == REFUSED || !probe_scb(&run.p, &scb))
		return;
	if (run.phase == BEFORE && diagnose(&scb) == DIAG_READY) {
		ready();
	} else if (run.phase == REMOVED) {
		look("its successor runs", true, false);
		check_handles("its successor runs");
		run.phase = LOADED;
		vm_quit(vm);
	}
}

/* The Ultravisor has removed the guest; the hypervisor is about to clear its memory. */
void __wrap_gmap_clear(struct gmap *g)
{
	struct scb_page scb;

	if (run.phase != LIVING) {
		__real_gmap_clear(g);
		return;
	}
	if (probe_scb(&run.p, &scb) && diagnose(&scb) != (run.way == REIPL ? DIAG_IPL : DIAG_READY))
		finding(&run.p, "the guest was removed for another reason");
	look("removed", true, true);
	check_handles("removed");
	if (!count_pattern(frame_host_page(run.p.vm->m, run.shared_frame), run.pattern))
		finding(&run.p, "removed: the shared page was not kept");
	__real_gmap_clear(g);
	look("cleared", true, false);
	run.phase = REMOVED;
}

/* --- An image that is refused ---------------------------------------------------------------- */

static void keep_memory(void)
{
	uint64_t frame;

	for (uint64_t at = 0; at < MEMORY; at += FRAME_BYTES)
		if (probe_frame(&run.p, at, &frame))
			memcpy(run.before + at, frame_host_page(run.p.vm->m, frame), FRAME_BYTES);
}

/* Pages that were unpacked are zeros; all others, the loader's and the image's, as they were. */
static void check_memory(void)
{
	uint64_t frame, unpacked = 0, kept = 0;

	for (uint64_t at = 0; at < MEMORY; at += FRAME_BYTES) {
		const struct part *part = probe_part_at(&run.p, at);
		const uint8_t *page;

		if (!probe_frame(&run.p, at, &frame))
			continue;
		page = frame_host_page(run.p.vm->m, frame);
		if (part && part->unpacked) {
			unpacked++;
			if (is_zero(run.before + at) || !is_zero(page))
				finding(&run.p, "%s at %#llx was not unpacked and cleared",
					part->name, (unsigned long long)at);
		} else if (memcmp(page, run.before + at, FRAME_BYTES) != 0) {
			finding(&run.p, "%s at %#llx has changed",
				part ? part->name : "other memory", (unsigned long long)at);
		} else {
			kept += part && !is_zero(page);
		}
	}
	if (run.had.secure != unpacked)
		finding(&run.p, "%llu pages were unpacked", (unsigned long long)run.had.secure);
	printf("unpacked pages: %llu\nkept pages: %llu\n", (unsigned long long)unpacked,
	       (unsigned long long)kept);
}

uint64_t __wrap_pv_start(struct pv *pv)
{
	const struct vm_protection *got = &run.p.vm->protection;
	uint64_t answer;

	if (run.way != REFUSED)
		return __real_pv_start(pv);
	keep_memory();
	answer = __real_pv_start(pv);
	if (!answer || !got->failed || got->rc != run.rc)
		finding(&run.p, "the image was not refused as expected: command %#x, rc %#x",
			got->command, got->rc);
	run.shared_frame = UINT64_MAX;
	look("refused", true, false);
	check_handles("refused");
	check_memory();
	if (run.p.findings)
		vm_quit(run.p.vm); /* who knows where the loader would get to */
	return answer;
}

/* --- The end --------------------------------------------------------------------------------- */

/* secure_ops.free: the machine's stores are there until it returns. */
static void free_and_look(void *uv)
{
	bool shared_stays = run.way == QUIT;

	end_ultravisor(uv);
	look("freed", false, shared_stays);
	printf("secure pages: %llu\nlooks: %llu\nframes of the host's store: %llu\n",
	       (unsigned long long)run.had.secure, (unsigned long long)run.looks,
	       (unsigned long long)run.frames);
}

static void check_end(void)
{
	const struct vm *vm = run.p.vm;
	bool good = run.way == REFUSED ? vm->end == VM_CRASHED && vm->end_psw[1] == LOADER_WAIT :
					 vm->end == VM_QUIT;

	good = good && run.phase == (run.way == REFUSED ? BEFORE :
				     run.way == QUIT	? LIVING :
							  LOADED);
	if (!good)
		finding(&run.p, "the run did not end as it should: %u, phase %u", vm->end,
			run.phase);
}

static void ended(void *arg)
{
	(void)arg;
	check_end();
	if (run.way == QUIT && !ultravisor()->configs)
		finding(&run.p, "the guest was gone before the VM was freed");
	ops = *run.p.vm->m->secure_ops;
	end_ultravisor = ops.free;
	ops.free = free_and_look;
	run.p.vm->m->secure_ops = &ops;
}

static bool parse_pattern(const char *text)
{
	unsigned int byte;

	for (size_t i = 0; i < sizeof(run.pattern); i++) {
		if (sscanf(text + 2 * i, "%2x", &byte) != 1)
			return false;
		run.pattern[i] = (uint8_t)byte;
	}
	return !text[2 * sizeof(run.pattern)];
}

static bool parse(int argc, char **argv)
{
	run.way = NWAYS;
	for (int w = 0; argc > 6 && w < NWAYS; w++)
		if (strcmp(argv[1], way_names[w]) == 0)
			run.way = (enum way)w;
	if (run.way == NWAYS || strlen(argv[5]) != 2 * sizeof(run.pattern) ||
	    !parse_pattern(argv[5]) || argc != (run.way == REFUSED ? 7 : 9))
		return false;
	if (run.way == REFUSED) {
		run.rc = (uint16_t)strtoul(argv[6], NULL, 16);
		return true;
	}
	run.first = strtoull(argv[6], NULL, 16);
	run.pages = strtoull(argv[7], NULL, 10);
	run.shared = strtoull(argv[8], NULL, 10);
	return true;
}

int main(int argc, char **argv)
{
	int rc;

	if (!parse(argc, argv)) {
		fprintf(stderr, "usage: cleared reipl|reset|quit|refused HOST PARTS IMAGE PATTERN "
				"[ADDR PAGES SHARED | RC]\n");
		return 2;
	}
	run.before = calloc(1, MEMORY);
	if (!run.before)
		return 1;
	rc = probe_run(&run.p, &(struct probe_job){ .host = argv[2],
						    .parts = argv[3],
						    .image = argv[4],
						    .memory = MEMORY,
						    .after_sie = after_sie,
						    .ended = ended });
	free(run.before);
	free(run.had.virt);
	return rc;
}
