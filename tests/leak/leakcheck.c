// SPDX-License-Identifier: MIT
/*
 * Runs a sealed image as zpv run does, and looks for what its guest hides wherever the hypervisor
 * can look.
 *
 * After every end of SIE: the host CPU's registers, the CPU's object, the state description, the
 * SIDA. Every N ends, at the end, and after the guest was destroyed: all host-visible storage. In
 * between, pages are taken from the guest by EXPORT, so that what comes out of that is searched, too.
 *
 * Usage: leakcheck --host DIR --plant FILE [--memory MIB] [--export N] [--scan N] IMAGE
 * Report on standard output, the guest's console on standard error.
 * Exit status: 0 nothing leaked, and all that must be found was; 1 trouble; 2 usage; 3 a leak, or
 * something was not found.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <zpv/hostkey.h>

#include "buf.h"
#include "console.h"
#include "err.h"
#include "gmap.h"
#include "machine_priv.h"
#include "needles.h"
#include "scb.h"
#include "trace.h"
#include "uv.h"
#include "uvcb.h"
#include "vcpu.h"
#include "vm.h"

#define MIB	  (1ull << 20)
#define MAX_TRIES 1000u

enum place {
	REGISTERS, /* of the host CPU, as its program reads them */
	CPU_OBJECT,
	STATE, /* description */
	SIDA,
	STORE,	  /* frames that the host may read */
	EXPORTED, /* the same, just after EXPORT */
	SHARED,	  /* frames that the guest shares, or shared to its end */
	LOG,
	CONSOLE,
	NPLACES,
};

static const char *const place_names[] = { "registers", "CPU object", "state description",
					   "SIDA",	"store",      "exported page",
					   "shared",	"log",	      "console" };

#define KIND(k)	  (1u << ITEM_##k)
#define ALL_KINDS (KIND(SECRET) | KIND(WORDS) | KIND(SHARED) | KIND(CONSOLE))

/* Which items may be where, and which have to be. */
static const unsigned int may[NPLACES] = {
	[SIDA] = KIND(CONSOLE), [SHARED] = ALL_KINDS, [CONSOLE] = KIND(CONSOLE)
};
static const unsigned int must[NPLACES] = {
	[SIDA] = KIND(CONSOLE), [SHARED] = KIND(SHARED), [CONSOLE] = KIND(CONSOLE)
};

struct check {
	struct needles needles;
	struct vm *vm;
	haddr_t uvcb;		    /* a page for control blocks */
	uint64_t sida, config, cpu; /* address; handles */
	unsigned long export_every_exit, scan_every;
	uint64_t cursor; /* guest page that is exported next */
	bool destroyed;
	uint8_t *was_shared; /* by frame */
	unsigned char *resident;
	struct buf console;
	uint64_t hits[NPLACES][MAX_ITEMS];
	uint64_t exits, scans, searched, secure, shared, untouched, exported;
	bool trouble;
};

static void trouble(struct check *c, const char *what, unsigned int code)
{
	fprintf(stderr, "leakcheck: %s: %#x\n", what, code);
	c->trouble = true;
}

static void look(struct check *c, enum place place, const void *data, size_t len)
{
	bool small = place != STORE && place != SHARED && place != EXPORTED && place != CPU_OBJECT;
	uint32_t found = needles_search(&c->needles, data, len, small);

	for (; found; found &= found - 1)
		c->hits[place][__builtin_ctz(found)]++;
}

/* --- Storage ------------------------------------------------------------------------------------ */

/* False: the host may not read it. */
static bool read_frame(struct check *c, uint64_t addr, uint8_t page[FRAME_BYTES])
{
	struct pic pic = storage_read(c->vm->m, (haddr_t){ addr }, page, FRAME_BYTES);

	if (pic.code && pic.code != PGM_SECURE_ACCESS)
		trouble(c, "storage", pic.code);
	return !pic.code;
}

static enum place place_of(const struct check *c, uint64_t addr)
{
	enum frame_state state = frame_info(c->vm->m, addr / FRAME_BYTES).state;

	if (state == FRAME_SHARED || state == FRAME_PINNED)
		return SHARED;
	if (addr == c->sida)
		return SIDA;
	if (addr == c->vm->vcpu->scb_addr.v)
		return STATE;
	return c->destroyed && c->was_shared[addr / FRAME_BYTES] ? SHARED : STORE;
}

/* The hypervisor takes frames from the start of two regions, and has touched no others. */
static bool handed_out(const struct vm *vm, uint64_t addr)
{
	uint64_t high = vm->low.end;

	return addr < vm->low.next || (addr >= high && addr < vm->high.next);
}

static void search_frame(struct check *c, uint64_t addr)
{
	uint8_t page[FRAME_BYTES];
	enum place place;

	if (!read_frame(c, addr, page)) {
		c->secure++;
		return;
	}
	place = place_of(c, addr);
	c->searched++;
	c->shared += place == SHARED;
	if (!c->destroyed)
		c->was_shared[addr / FRAME_BYTES] = place == SHARED;
	look(c, place, page, sizeof(page));
}

/* all: also frames that were never handed out, if anything was ever stored there. */
static void search_store(struct check *c, bool all)
{
	struct machine *m = c->vm->m;
	bool known = !all || (sysconf(_SC_PAGESIZE) == FRAME_BYTES &&
			      mincore(m->host, m->bytes, c->resident) == 0);

	c->scans++;
	for (uint64_t addr = 0; addr < m->bytes; addr += FRAME_BYTES) {
		if (handed_out(c->vm, addr) ||
		    (all && (!known || c->resident[addr / FRAME_BYTES] & 1)))
			search_frame(c, addr);
		else
			c->untouched++;
	}
}

/* --- Forcing pages out -------------------------------------------------------------------------- */

/* Return: rc; 0 after trouble. */
static uint16_t call(struct check *c, enum uv_command cmd, void *block, size_t len)
{
	struct uvcb *head = block;
	struct machine *m = c->vm->m;
	unsigned int cc = 2;
	struct pic pic;

	be16_set(&head->len, (uint16_t)len);
	be16_set(&head->cmd, (uint16_t)cmd);
	pic = storage_write(m, c->uvcb, block, len);
	for (unsigned int i = 0; i < MAX_TRIES && !pic.code && cc > 1; i++)
		pic = cpu_uvc(c->vm->vcpu->cpu, c->uvcb, &cc);
	if (!pic.code)
		pic = storage_read(m, c->uvcb, block, len);
	if (pic.code)
		trouble(c, "Ultravisor call", pic.code);
	return pic.code ? 0 : be16_get(head->rc);
}

static uint16_t export_frame(struct check *c, uint64_t addr)
{
	struct uvcb_frame b = { 0 };

	be64_set(&b.paddr, addr);
	return call(c, UVC_EXPORT, &b, sizeof(b));
}

/* A page of the guest, if it is secure. */
static void take_page(struct check *c, haddr_t frame)
{
	uint8_t page[FRAME_BYTES];
	uint16_t rc;

	if (read_frame(c, frame.v, page))
		return;
	rc = export_frame(c, frame.v);
	if (rc != UV_RC_EXECUTED || !read_frame(c, frame.v, page)) {
		trouble(c, "EXPORT of a secure page", rc);
		return;
	}
	c->exported++;
	look(c, EXPORTED, page, sizeof(page));
}

/*
 * The next n pages that the guest has had. Those that are out already count: else a guest that needs
 * one import for each export would not get on.
 */
static void take_pages(struct check *c, uint64_t n)
{
	uint64_t npages = gmap_bytes(c->vm->gmap) / FRAME_BYTES;
	haddr_t frame;

	for (uint64_t i = 0; i < npages && n; i++) {
		if (gmap_lookup(c->vm->gmap, (gaddr_t){ c->cursor * FRAME_BYTES }, &frame)) {
			take_page(c, frame);
			n--;
		}
		c->cursor = (c->cursor + 1) % npages;
	}
}

/* Every page back into the guest. */
static void return_pages(struct check *c)
{
	uint64_t npages = gmap_bytes(c->vm->gmap) / FRAME_BYTES;
	haddr_t frame;

	for (uint64_t i = 0; i < npages; i++) {
		struct uvcb_gpage b = { 0 };
		uint16_t rc;

		if (!gmap_lookup(c->vm->gmap, (gaddr_t){ i * FRAME_BYTES }, &frame))
			continue;
		be64_set(&b.config_handle, c->config);
		be64_set(&b.gaddr, i * FRAME_BYTES);
		rc = call(c, UVC_IMPORT, &b, sizeof(b));
		if (rc != UV_RC_EXECUTED)
			trouble(c, "IMPORT of an exported page", rc);
	}
}

static void destroy(struct check *c, enum uv_command cmd, uint64_t handle)
{
	struct uvcb_handle b = { 0 };
	uint16_t rc;

	be64_set(&b.handle, handle);
	rc = call(c, cmd, &b, sizeof(b));
	if (rc != UV_RC_EXECUTED)
		trouble(c, "destruction", rc);
}

/* --- Ends of SIE -------------------------------------------------------------------------------- */

static void search_registers(struct check *c)
{
	const struct cpu *cpu = c->vm->vcpu->cpu;
	struct {
		uint64_t gr[16], cr[16], fpr[16], psw[2];
		uint32_t ar[16], fpc;
	} r = { .fpc = cpu_fpc(cpu) };

	for (unsigned int i = 0; i < 16; i++) {
		r.gr[i] = cpu_gr(cpu, i);
		r.cr[i] = cpu_cr(cpu, i);
		r.fpr[i] = cpu_fpr(cpu, i);
		r.ar[i] = cpu_ar(cpu, i);
	}
	cpu_psw(cpu, &r.psw[0], &r.psw[1]);
	look(c, REGISTERS, &r, sizeof(r));
	look(c, CPU_OBJECT, cpu, sizeof(*cpu));
}

static void after_sie(void *arg, struct vm *vm)
{
	struct check *c = arg;
	struct scb_page scb;
	uint8_t sida[FRAME_BYTES];

	if (!read_frame(c, vm->vcpu->scb_addr.v, (uint8_t *)&scb) || scb.scb.sdf != SCB_FORMAT4)
		return;
	c->exits++;
	c->sida = be64_get(scb.scb.gbea); /* one page: its designation is its address */
	c->config = be64_get(scb.scb.pv_handle_config);
	c->cpu = be64_get(scb.scb.pv_handle_cpu);
	search_registers(c);
	look(c, STATE, &scb, sizeof(scb));
	if (read_frame(c, c->sida, sida))
		look(c, SIDA, sida, sizeof(sida));
	if (c->exits % c->scan_every == 0)
		search_store(c, false);
	take_pages(c, c->export_every_exit);
}

/* --- What the program tells --------------------------------------------------------------------- */

static void on_output(void *ctx, const uint8_t *data, size_t len)
{
	struct check *c = ctx;

	fwrite(data, 1, len, stderr);
	if (buf_append(&c->console, data, len, NULL) != 0)
		c->trouble = true;
}

static void on_message(void *ctx, enum zpv_log_level level, const char *text)
{
	(void)level;
	look(ctx, LOG, text, strlen(text));
}

static void on_trace(void *ctx, const char *text)
{
	look(ctx, LOG, text, strlen(text));
}

/* --- The run ------------------------------------------------------------------------------------ */

static int install(void *host, struct machine *m, struct zpv_err *err)
{
	return uv_install(m, host, err);
}

static int prepare(struct check *c, struct zpv_err *err)
{
	const struct trace_config trace = {
		.kinds = TRACE_ICPT | TRACE_IRQ, .last = UINT64_MAX, .line = on_trace, .ctx = c
	};

	c->was_shared = calloc(c->vm->m->nframes, 1);
	c->resident = calloc(c->vm->m->nframes, 1);
	if (!c->was_shared || !c->resident || !machine_trace(c->vm->m, &trace))
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	return vm_alloc(c->vm, &c->vm->low, FRAME_BYTES, FRAME_BYTES, &c->uvcb, err);
}

/*
 * The guest has ended, but it is still there: all of it is exported, and imported again. Then it is
 * destroyed as a reset does: what the Ultravisor has left in its pages is searched.
 */
static void finish(struct check *c)
{
	take_pages(c, UINT64_MAX);
	search_store(c, true);
	return_pages(c);
	destroy(c, UVC_DESTROY_CPU, c->cpu);
	destroy(c, UVC_DESTROY_CONFIG, c->config);
	c->destroyed = true;
	search_store(c, true);
	if (machine_frame_counts(c->vm->m).secure)
		trouble(c, "secure frames without a guest",
			(unsigned int)machine_frame_counts(c->vm->m).secure);
	look(c, CONSOLE, c->console.data, c->console.len);
}

static int run(struct check *c, const struct vm_config *config, struct zpv_err *err)
{
	int rc = vm_new(config, &c->vm, err);

	if (!rc)
		rc = prepare(c, err);
	if (!rc)
		rc = vm_run(c->vm, err);
	if (!rc && (!c->vm->protection.on || c->vm->end != VM_POWERED_OFF))
		rc = err_set(err, ZPV_ERR_FORMAT, "the guest did not end as it should: %u, %s",
			     c->vm->end, c->vm->protection.on ? "protected" : "not protected");
	if (!rc)
		finish(c);
	if (c->vm)
		machine_untrace(c->vm->m);
	return rc;
}

/* --- The report --------------------------------------------------------------------------------- */

/* Return: leaks, and items that were not found where they have to be. */
static unsigned int report_place(const struct check *c, enum place place)
{
	uint32_t allowed = needles_of(&c->needles, may[place]);
	uint32_t needed = needles_of(&c->needles, must[place]);
	unsigned int bad = 0;

	for (size_t i = 0; i < c->needles.nitems; i++) {
		bool ok = allowed >> i & 1, missing = needed >> i & 1 && !c->hits[place][i];

		if (c->hits[place][i])
			printf("%s: %s: %s: %llu\n", ok ? "allowed" : "LEAK", place_names[place],
			       c->needles.items[i].name, (unsigned long long)c->hits[place][i]);
		if (missing)
			printf("MISSING: %s: %s\n", place_names[place], c->needles.items[i].name);
		bad += missing || (!ok && c->hits[place][i]);
	}
	return bad;
}

static int report(const struct check *c)
{
	unsigned int bad = 0;

	printf("ends of SIE: %llu\n", (unsigned long long)c->exits);
	printf("searches of storage: %llu; frames searched: %llu, secure: %llu, shared: %llu, "
	       "never touched: %llu\n",
	       (unsigned long long)c->scans, (unsigned long long)c->searched,
	       (unsigned long long)c->secure, (unsigned long long)c->shared,
	       (unsigned long long)c->untouched);
	printf("pages exported: %llu\n", (unsigned long long)c->exported);
	for (enum place p = 0; p < NPLACES; p++)
		bad += report_place(c, p);
	printf("hits: %u\n", bad);
	return bad ? 3 : 0;
}

static const struct option options[] = {
	{ "host", required_argument, NULL, 'h' },   { "plant", required_argument, NULL, 'p' },
	{ "memory", required_argument, NULL, 'm' }, { "export", required_argument, NULL, 'e' },
	{ "scan", required_argument, NULL, 's' },   { 0 }
};

struct words {
	const char *host, *plant;
	unsigned long memory, export_every_exit, scan_every;
	const char *image;
};

static bool parse(int argc, char **argv, struct words *out)
{
	int opt;

	*out = (struct words){ .memory = 64, .export_every_exit = 1, .scan_every = 100 };
	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'h')
			out->host = optarg;
		else if (opt == 'p')
			out->plant = optarg;
		else if (opt == 'm')
			out->memory = strtoul(optarg, NULL, 10);
		else if (opt == 'e')
			out->export_every_exit = strtoul(optarg, NULL, 10);
		else if (opt == 's')
			out->scan_every = strtoul(optarg, NULL, 10);
		else
			return false;
	}
	out->image = argv[optind];
	return out->host && out->plant && out->scan_every && optind + 1 == argc;
}

static int check_image(struct check *c, const struct words *w, struct zpv_err *err)
{
	const struct zpv_log log = { .message = on_message, .ctx = c };
	struct console console = { .output = on_output, .ctx = c };
	struct zpv_host *host = NULL;
	struct vm_config config = { .memory_bytes = w->memory * MIB,
				    .boot = { .kernel = w->image },
				    .console = &console,
				    .log = &log,
				    .firmware = install,
				    .after_sie = after_sie,
				    .after_sie_arg = c };
	int rc = zpv_host_open(w->host, &host, err);

	config.firmware_arg = host;
	if (!rc)
		rc = run(c, &config, err);
	vm_free(c->vm);
	c->vm = NULL;
	zpv_host_free(host);
	return rc;
}

int main(int argc, char **argv)
{
	struct check c = { 0 };
	struct zpv_err err = { 0 };
	struct words words;
	int rc;

	if (!parse(argc, argv, &words)) {
		fprintf(stderr, "usage: leakcheck --host DIR --plant FILE [--memory MIB] "
				"[--export N] [--scan N] IMAGE\n");
		return 2;
	}
	c.export_every_exit = words.export_every_exit;
	c.scan_every = words.scan_every;
	rc = needles_read(words.plant, &c.needles, &err);
	if (!rc)
		rc = check_image(&c, &words, &err);
	if (rc)
		fprintf(stderr, "leakcheck: %s\n", err.text);
	rc = rc || c.trouble ? 1 : 0;
	if (c.exits)
		rc = report(&c) && !rc ? 3 : rc;
	buf_free(&c.console);
	needles_free(&c.needles);
	free(c.was_shared);
	free(c.resident);
	return rc;
}
