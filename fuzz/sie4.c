// SPDX-License-Identifier: MIT
/*
 * Random state descriptions of format 4, SIDA contents, answers and injections, for a running
 * protected guest with random code. SIE ends by itself or with a kick. The host gets its own
 * registers back, and of the guest's only what sie.md section 7.4 lets it have.
 *
 * Nothing is unpacked: the guest is declared to be verified, and its code is put into its secure
 * pages, so that each input can have code of its own.
 */
#include <string.h>

#include "machine_priv.h"
#include "uv_input.h"

#define CODE	    0x4000u
#define CODE_MAX    256u
#define HANDLER_AT  0x6000u
#define CPUS	    2u
#define ENTRIES_MAX 8
#define PATCHES_MAX 8
#define PRESENT	    8u /* pages that the guest has at first */

/* A register value that no host has: doubled, so that either half gives it away. */
#define PLANTED	  0x5ec2e7a1u
#define PLANTED64 ((uint64_t)PLANTED << 32 | PLANTED)

#define PSW_SHOWN (PSW_IO | PSW_EXT | PSW_MCHECK | PSW_WAIT | PSW_EA | PSW_BA | PSW_CC)

struct fuzz {
	struct machine *m;
	struct cpu *cpu;
	struct fuzz_bytes in;
	uint64_t config, cpus[CPUS];
	struct uv_config *c;
};

/* --- The guest -------------------------------------------------------------------------------- */

static void import(struct fuzz *f, uint64_t page)
{
	fuzz_call_page(f->cpu, UVC_IMPORT, f->config, FUZZ_MSO + page * FRAME_BYTES);
}

/* A place in a page that the guest has; NULL: it is not resident and private. */
static uint8_t *inside(struct fuzz *f, uint64_t gaddr)
{
	const struct uv_page *p = uv_page(f->c, gaddr / FRAME_BYTES);

	if (!p || p->state != PAGE_RESIDENT || p->shared)
		return NULL;
	return frame_secure_page(f->m, p->frame) + gaddr % FRAME_BYTES;
}

static void put64(uint8_t *at, uint64_t v)
{
	be64 b;

	be64_set(&b, v);
	memcpy(at, &b, sizeof(b));
}

/* Bytes anywhere in the guest: 16 bits of address, and a length. */
static void patch_guest(struct fuzz *f)
{
	for (uint8_t n = fuzz_take8(&f->in) % PATCHES_MAX; n; n--) {
		uint64_t at = fuzz_take16(&f->in);
		uint8_t data[16], *to = inside(f, at);
		size_t len = fuzz_take8(&f->in) % sizeof(data) + 1;

		fuzz_take(&f->in, data, len);
		if (to && at % FRAME_BYTES + len <= FRAME_BYTES)
			memcpy(to, data, len);
	}
}

static void make_guest(struct fuzz *f)
{
	for (uint64_t i = 0; i < PRESENT; i++)
		import(f, i);
	put64(inside(f, 0), 0x0008000080000000 | CODE);
	for (unsigned int at = 0x1a0; at < 0x200; at += 16) {
		put64(inside(f, at), FUZZ_MASK_64);
		put64(inside(f, at) + 8, HANDLER_AT);
	}
	memcpy(inside(f, HANDLER_AT), "\x83\x02\x00\x44\xb2\xb2\x01\x50", 8); /* DIAG 44; LPSWE */
	fuzz_take(&f->in, inside(f, CODE), CODE_MAX);
	patch_guest(f);
}

/* Registers: half of them planted, half small; CR0, 6 and 14 are the host's to see. */
static void plant(struct fuzz *f, struct secure_regs *r)
{
	struct register_file *file = &r->file;

	for (unsigned int i = 0; i < 16; i++) {
		file->gr[i] = i < 8 ? fuzz_take16(&f->in) : PLANTED64;
		file->fpr[i] = file->vr_high[i] = PLANTED64;
		file->ar[i] = PLANTED;
		if (i != 0 && i != 6 && i != 14)
			r->cr[i] = PLANTED64;
	}
	for (unsigned int i = 0; i < 32; i++)
		file->vr_low[i] = PLANTED64;
	r->cr[0] = 0xe0 | fuzz_take64(&f->in);
	r->cr[6] = fuzz_take64(&f->in);
	r->bea = r->program_parameter = PLANTED64;
	r->psw_mask = FUZZ_MASK_64 | (fuzz_take8(&f->in) & 1 ? PSW_EXT | PSW_IO | PSW_MCHECK : 0);
	r->psw_addr = CODE;
}

static void make(struct fuzz *f)
{
	struct scb_page page;

	fuzz_map(f->m, 0);
	fuzz_sca(f->m, 0);
	FUZZ_CHECK(fuzz_call_init(f->cpu) == UV_RC_EXECUTED);
	f->config = fuzz_create_config(f->cpu, 0);
	f->c = uv_find_config(f->m->uv, f->config);
	FUZZ_CHECK(f->c);
	f->c->state = CONFIG_VERIFIED;
	f->c->psw_mask = FUZZ_MASK_64;
	f->c->psw_addr = CODE;
	make_guest(f);
	for (unsigned int n = 0; n < CPUS; n++) {
		struct uv_cpu *c;

		f->cpus[n] = fuzz_create_cpu(f->cpu, 0, n, f->config);
		FUZZ_CHECK(fuzz_call_state(f->cpu, f->cpus[n],
					   n ? UV_CPU_LOAD : UV_CPU_OPERATING) == UV_RC_EXECUTED);
		c = uv_find_cpu(f->m->uv, f->cpus[n]);
		plant(f, &c->area->regs);
		fuzz_scb(&page, 0, n, f->config, f->cpus[n]);
		FUZZ_CHECK(storage_write(f->m, (haddr_t){ FUZZ_SCB(0, n) }, &page, sizeof(page))
				   .code == 0);
	}
	cpu_set_cr(f->cpu, 1, FUZZ_ASCE(0));
}

/* --- What the host may see -------------------------------------------------------------------- */

/* Slots of the register save area that instructions have, by their constant text (section 7.3). */
static unsigned int slots_of(const struct scb_page *page)
{
	switch (be16_get(page->scb.ipa)) {
	case 0x8302:
		switch (be64_get(page->pv_grregs[5])) {
		case 0x44:
			return 1u << 5;
		case 0x9c:
			return 1u << 5 | 1u << 0;
		case 0x288:
		case 0x308:
			return 1u << 5 | 1u << 0 | 1u << 1 | 1u << 2;
		case 0x500:
			return 1u << 5 | 1u << 1 | 1u << 2 | 1u << 3 | 1u << 4;
		default:
			FUZZ_CHECK(!"a function that no host is asked for");
		}
		return 0;
	case 0xae02:
		return 1u << 5 | 1u << 1 | 1u << 2;
	case 0xb220:
		return 1u << 0 | 1u << 2;
	case 0xb27d:
		return 1u << 0 | 1u << 1;
	case 0xb210:
	case 0xb9a4:
		return 0;
	default:
		FUZZ_CHECK(be16_get(page->scb.ipa) >> 8 == 0xb2);
		return 1u << 1 | 1u << 2; /* I/O */
	}
}

/* May these bytes of the description hold what the guest has in a register? */
static bool may_show(size_t at, bool registers)
{
	const size_t gcr = offsetof(struct scb, gcr);

	if (at >= offsetof(struct scb, cputm) && at < offsetof(struct scb, epoch))
		return true;
	if (at >= gcr && at < gcr + 16 * 8)
		return at / 8 == gcr / 8 || at / 8 == gcr / 8 + 6 || at / 8 == gcr / 8 + 14;
	return registers && at >= offsetof(struct scb_page, pv_grregs) &&
	       at < offsetof(struct scb_page, reserved400);
}

static void check_hidden(const uint8_t *before, const uint8_t *after, bool registers)
{
	be32 planted;

	be32_set(&planted, PLANTED);
	for (size_t at = 0; at + 4 <= sizeof(struct scb_page); at++)
		FUZZ_CHECK(memcmp(after + at, &planted, 4) != 0 ||
			   memcmp(before + at, after + at, 4) == 0 ||
			   (may_show(at, registers) && may_show(at + 3, registers)));
}

/* After SIE that has run the guest, or was about to. */
static void check_shown(const struct scb_page *page)
{
	const struct scb *scb = &page->scb;
	bool registers = scb->icptcode == ICPT_PV_INSTRUCTION ||
			 scb->icptcode == ICPT_PV_NOTIFICATION;
	unsigned int slots = registers ? slots_of(page) : 0;

	FUZZ_CHECK(!(be64_get(scb->gpsw_mask) & ~PSW_SHOWN));
	FUZZ_CHECK(!be64_get(scb->gpsw_addr) && !be64_get(scb->gg14) && !be64_get(scb->gg15));
	for (unsigned int i = 0; i < 16; i++) {
		FUZZ_CHECK(i == 0 || i == 6 || i == 14 || !be64_get(scb->gcr[i]));
		FUZZ_CHECK(!registers || slots >> i & 1 || !be64_get(page->pv_grregs[i]));
	}
}

static void check_exit(const struct scb_page *before, const struct scb_page *after,
		       enum cpu_stop stop)
{
	const uint8_t *b = (const uint8_t *)before, *a = (const uint8_t *)after;
	const size_t from = offsetof(struct scb, icptcode), to = offsetof(struct scb, scaoh);
	uint8_t code = after->scb.icptcode;

	if (stop == CPU_STOP_SIE_EXIT && code == ICPT_VALIDITY) {
		FUZZ_CHECK(memcmp(b, a, from) == 0);
		FUZZ_CHECK(memcmp(b + to, a + to, sizeof(*after) - to) == 0);
		return;
	}
	check_shown(after);
	check_hidden(b, a, code == ICPT_PV_INSTRUCTION || code == ICPT_PV_NOTIFICATION);
}

/* --- Entries ---------------------------------------------------------------------------------- */

/* What the input does to the description; the SIDA must not lie over the description itself. */
static void patch_scb(struct fuzz *f, struct scb_page *page, unsigned int n)
{
	uint8_t *raw = (uint8_t *)page;
	uint64_t sidad;

	for (uint8_t i = fuzz_take8(&f->in) % PATCHES_MAX; i; i--) {
		unsigned int at = fuzz_take16(&f->in) % sizeof(*page);

		for (uint8_t len = fuzz_take8(&f->in) % 8 + 1; len && at < sizeof(*page); len--)
			raw[at++] ^= fuzz_take8(&f->in);
	}
	page->scb.sdf = SCB_FORMAT4; /* the other one is sie.c's */
	page->scb.icptcode = 0;
	sidad = be64_get(page->scb.gbea);
	if ((sidad & SCB_SIDAD_ORIGIN) < FUZZ_SIDA(0, 0) &&
	    (sidad & SCB_SIDAD_ORIGIN) + ((sidad & SCB_SIDAD_PAGES_MASK) + 1) * FRAME_BYTES >
		    FUZZ_SCB(0, 0))
		be64_set(&page->scb.gbea, FUZZ_SIDA(0, n));
}

static void patch_sida(struct fuzz *f, unsigned int n)
{
	uint64_t at = FUZZ_SIDA(0, n) + fuzz_take16(&f->in) % FRAME_BYTES;
	uint8_t data[8];

	fuzz_take(&f->in, data, sizeof(data));
	FUZZ_CHECK(storage_write(f->m, (haddr_t){ at }, data, sizeof(data)).code == 0);
}

/* Stop, unshare, prepare, reset, load: or not all of it. */
static void reset_guest(struct fuzz *f, unsigned int n, uint8_t steps)
{
	for (unsigned int i = 0; i < CPUS; i++)
		fuzz_call_state(f->cpu, f->cpus[i], UV_CPU_STOPPED);
	if (!(steps & 1))
		fuzz_call_handle(f->cpu, UVC_UNSHARE_ALL, f->config);
	if (!(steps & 2))
		fuzz_call_handle(f->cpu, UVC_PREPARE_RESET, f->config);
	if (!(steps & 4))
		fuzz_call_handle(f->cpu, steps & 8 ? UVC_CPU_RESET_CLEAR : UVC_CPU_RESET_INITIAL,
				 f->cpus[n]);
	if (steps & 0x10)
		fuzz_call_handle(f->cpu, UVC_CPU_RESET, f->cpus[n]);
	fuzz_call_state(f->cpu, f->cpus[n], steps & 0x20 ? UV_CPU_OPERATING : UV_CPU_LOAD);
}

enum {
	EXPORTS = 0x01,
	IMPORTS = 0x02,
	SETS_STATE = 0x04,
	RESETS = 0x08,
	KICKS = 0x10,
	OTHER_CPU = 0x20,
	FILLS_SIDA = 0x40,
	PINS = 0x80
};

/* What a host does between two entries. */
static void act(struct fuzz *f, uint8_t actions, unsigned int n)
{
	uint8_t what = fuzz_take8(&f->in);

	if (actions & EXPORTS)
		fuzz_call_frame(f->cpu, UVC_EXPORT, FUZZ_GUEST(0) + what % FUZZ_PAGES * 4096ull);
	if (actions & PINS)
		fuzz_call_frame(f->cpu, UVC_PIN, FUZZ_GUEST(0) + what % FUZZ_PAGES * 4096ull);
	if (actions & IMPORTS)
		import(f, what / 16 % FUZZ_PAGES);
	if (actions & SETS_STATE)
		fuzz_call_state(f->cpu, f->cpus[what & 1], (enum uv_cpu_state)(what / 2 % 8));
	if (actions & RESETS)
		reset_guest(f, n, what);
	if (actions & FILLS_SIDA)
		patch_sida(f, n);
	if (actions & KICKS)
		cpu_kick(f->cpu);
}

/* What the guest lacks it gets. False: the next entry would be the same. */
static bool supply(struct fuzz *f, const struct scb *scb, enum cpu_stop stop)
{
	struct pic pic = cpu_host_pic(f->cpu);
	uint64_t prefix = (be32_get(scb->prefix) & SCB_PREFIX_MASK) / FRAME_BYTES;

	if (stop == CPU_STOP_HOST_PIC && pic.code == PGM_NON_SECURE_ACCESS)
		import(f, ((pic.teid & ~0xfffull) - FUZZ_MSO) / FRAME_BYTES);
	if (stop == CPU_STOP_SIE_EXIT && scb->icptcode == ICPT_PV_PREFIX) {
		import(f, prefix);
		import(f, prefix + 1);
	}
	return stop != CPU_STOP_HOST_PIC || pic.code == PGM_NON_SECURE_ACCESS;
}

static bool enter(struct fuzz *f)
{
	uint8_t actions = fuzz_take8(&f->in);
	unsigned int n = actions & OTHER_CPU ? 1 : 0;
	const uint64_t at = FUZZ_SCB(0, n);
	struct scb_page before, after;
	enum cpu_stop stop;

	act(f, actions, n);
	FUZZ_CHECK(storage_read(f->m, (haddr_t){ at }, &before, sizeof(before)).code == 0);
	patch_scb(f, &before, n);
	FUZZ_CHECK(storage_write(f->m, (haddr_t){ at }, &before, sizeof(before)).code == 0);
	stop = fuzz_sie4(f->cpu, at);
	FUZZ_CHECK(storage_read(f->m, (haddr_t){ at }, &after, sizeof(after)).code == 0);
	check_exit(&before, &after, stop);
	fuzz_check_uv(f->m, FUZZ_SCAN);
	return supply(f, &after.scb, stop) && f->in.len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz f = { .in = { data, len } };
	unsigned int left = ENTRIES_MAX;

	f.m = fuzz_uv_machine(1);
	f.cpu = machine_cpu(f.m, 0);
	make(&f);
	while (left-- && enter(&f))
		;
	fuzz_uv_free(f.m);
	return 0;
}
