// SPDX-License-Identifier: MIT
/*
 * SIGNAL PROCESSOR among the CPUs of a protected guest (sie.md section 7.10, machine.md section 6).
 *
 * The Ultravisor checks and answers. What changes the state of a CPU is the host's to do, by calls;
 * until it has done so the order is pending and others are answered with "busy". What concerns
 * registers only is done at once. The host is told by a notification, which cannot fail.
 */
#include "handler.h"
#include "lowcore.h"
#include "machine_priv.h"
#include "sigp.h"
#include "uv_priv.h"

#define SIGP_IPA       0xae02u /* R1 0, R3 2, base 5 */
#define SIGP_IPB       0x50000000u
#define SIGP_STATUS_GR 0u
#define SIGP_PARAM_GR  1u
#define SIGP_CPU_GR    2u
#define SIGP_ORDER_GR  5u

#define PREFIX_BYTES (2 * FRAME_BYTES)

/* One execution. The functions below are called with the Ultravisor's lock held. */
struct signal {
	struct cpu *cpu;
	const struct slot *s;
	struct uv_cpu *from, *to;
	uint16_t number; /* of to, which may be gone when the lock is free again */
	unsigned int order;
	uint32_t param;
	uint32_t status;    /* with SIGP_STATUS */
	unsigned int shown; /* order that the host is told; 0: it is not */
	struct pic pic;	    /* with a code: nothing has been done */
};

static enum sigp_cc refuse(struct signal *g, uint32_t status)
{
	g->status = status;
	return SIGP_STATUS;
}

static enum sigp_cc accept(struct signal *g, unsigned int shown)
{
	g->shown = shown;
	return SIGP_ACCEPTED;
}

static bool stopped(const struct uv_cpu *c)
{
	return c->state == UV_CPU_STOPPED;
}

/* --- Status -------------------------------------------------------------------------------------- */

/* Registers of a CPU that is not inside SIE; the area lies in guest storage. */
static void fill_status(const struct secure_regs *r, struct status_area *out)
{
	memset(out, 0, sizeof(*out));
	for (unsigned int i = 0; i < 16; i++) {
		be64_set(&out->fpr[i], r->file.fpr[i]);
		be64_set(&out->gr[i], r->file.gr[i]);
		be32_set(&out->ar[i], r->file.ar[i]);
		be64_set(&out->cr[i], r->cr[i]);
	}
	be64_set(&out->psw.mask, r->psw_mask);
	be64_set(&out->psw.addr, r->psw_addr);
	be32_set(&out->prefix, (uint32_t)r->prefix);
	be32_set(&out->fpc, r->file.fpc);
	be32_set(&out->todpr, r->todpr);
	be64_set(&out->timer, r->timer);
	be64_set(&out->ckc, r->ckc >> 8);
}

/* The running CPU's own registers, as they are behind the instruction. */
static void fill_own_status(struct signal *g, struct status_area *out)
{
	g->cpu->psw_addr = insn_next_addr(g->cpu, g->s);
	g->cpu->cc = SIGP_ACCEPTED;
	sigp_fill_status(g->cpu, out);
}

static bool store_status(struct signal *g, uint64_t at)
{
	uint8_t *p;

	g->pic = mem_absolute(g->cpu, at, sizeof(struct status_area), ACCESS_WRITE, &p);
	if (g->pic.code)
		return false;
	if (g->to == g->from)
		fill_own_status(g, (struct status_area *)(void *)p);
	else
		fill_status(&g->to->area->regs, (struct status_area *)(void *)p);
	mem_written(g->cpu, p, sizeof(struct status_area));
	return true;
}

/* Stop and store status also says which architecture it was. */
static bool store_absolute_status(struct signal *g)
{
	uint8_t *arch;

	g->pic = mem_absolute(g->cpu, offsetof(struct lowcore, arch_mode), 1, ACCESS_WRITE, &arch);
	if (g->pic.code || !store_status(g, STATUS_AREA))
		return false;
	*arch = ARCH_MODE_Z;
	mem_written(g->cpu, arch, 1);
	return true;
}

/* Where the content of a resident page is, of whose frame no state can change now. */
static uint8_t *resident(const struct uv_config *config, uint64_t number)
{
	const struct uv_page *page = uv_page(config, number);
	const struct machine *m = config->uv->m;

	if (!page || page->state != PAGE_RESIDENT)
		return NULL;
	return page->shared ? frame_host_page(m, page->frame) : frame_secure_page(m, page->frame);
}

void uv_store_stop_status(struct uv_cpu *c, struct cpu *self)
{
	uint8_t *arch = resident(c->config, 0), *area = resident(c->config, 1);

	if (!arch || !area)
		return; /* as a host CPU's: there is nobody to tell */
	arch += offsetof(struct lowcore, arch_mode);
	area += STATUS_AREA % FRAME_BYTES;
	*arch = ARCH_MODE_Z;
	fill_status(&c->area->regs, (struct status_area *)(void *)area);
	mem_written(self, arch, 1);
	mem_written(self, area, sizeof(struct status_area));
}

/* --- Orders -------------------------------------------------------------------------------------- */

static bool is_reset(unsigned int order)
{
	return order == SIGP_INITIAL_RESET || order == SIGP_RESET;
}

/* Resets do not wait, except for another one. */
static bool busy(const struct uv_cpu *to, unsigned int order)
{
	return to->order && (!is_reset(order) || is_reset(to->order));
}

static enum sigp_cc sense(struct signal *g)
{
	uint32_t bits = 0;

	if (sie_call_posted(g->cpu, g->to->number))
		bits |= SIGP_STATUS_CALL_PENDING;
	if (stopped(g->to))
		bits |= SIGP_STATUS_STOPPED;
	return bits ? refuse(g, bits) : accept(g, 0);
}

/* By its state, and by what the host says in the state description that it runs with. */
static enum sigp_cc sense_running(struct signal *g)
{
	const uint8_t *p = sie_storage(g->cpu, g->to->scb_addr, SCB_BYTES);

	if (!stopped(g->to) && p &&
	    sie_flags((const struct scb *)(const void *)p) & CPUFLAG_RUNNING)
		return accept(g, 0);
	return refuse(g, SIGP_STATUS_NOT_RUNNING);
}

/* Through the SCA; the host has to wake a target that it has put to sleep. */
static enum sigp_cc external_call(struct signal *g)
{
	switch (sie_call_send(g->cpu, g->to->number)) {
	case SIE_CALL_PENDING:
		return refuse(g, SIGP_STATUS_CALL_PENDING);
	case SIE_CALL_SENT:
		return accept(g, 0);
	case SIE_CALL_TO_WAITING:
		return accept(g, SIGP_EXTERNAL_CALL);
	default: /* the host has not entered it */
		return SIGP_NOT_OPERATIONAL;
	}
}

/* A stopped CPU only if it could not be running in the space that the parameter names. */
static enum sigp_cc conditional_emergency(struct signal *g)
{
	const struct secure_regs *r = &g->to->area->regs;
	uint16_t asn = (uint16_t)g->param;
	bool other_space;

	if (!stopped(g->to) || (r->psw_mask & (PSW_IO | PSW_EXT)) != (PSW_IO | PSW_EXT))
		return accept(g, SIGP_EMERGENCY);
	other_space = r->psw_mask & PSW_WAIT ?
			      r->psw_addr == 0 :
			      asn != (uint16_t)r->cr[4] && asn != (uint16_t)r->cr[3];
	return other_space ? refuse(g, SIGP_STATUS_INCORRECT_STATE) : accept(g, SIGP_EMERGENCY);
}

/*
 * What the host is to do. A CPU that has signalled itself does not execute another instruction: it
 * is stopped from here on, and the host's call makes that known to the others.
 */
static enum sigp_cc ask(struct signal *g, unsigned int order)
{
	g->to->order = (uint8_t)order;
	if (g->to == g->from &&
	    (order == SIGP_STOP || order == SIGP_STOP_STORE_STATUS || is_reset(order)))
		g->to->state = UV_CPU_STOPPED;
	return accept(g, order);
}

/*
 * A stopped CPU is restarted by the Ultravisor at its first entry, and the host sees a START: hosts
 * answer RESTART by storing into the lowcore, which is not theirs.
 */
static enum sigp_cc start(struct signal *g)
{
	if (stopped(g->to)) {
		g->to->restart_pending |= g->order == SIGP_RESTART;
		return ask(g, SIGP_START);
	}
	return g->order == SIGP_RESTART ? ask(g, SIGP_RESTART) : accept(g, 0);
}

/* Of a CPU that is stopped already only the status is left to be stored. */
static enum sigp_cc stop(struct signal *g)
{
	bool status = g->order == SIGP_STOP_STORE_STATUS;

	if (!stopped(g->to) && g->to != g->from)
		return ask(g, g->order);
	if (status && !store_absolute_status(g))
		return SIGP_BUSY;
	/* Stored now, so the stop itself stores no more. */
	if (g->to == g->from) {
		(void)ask(g, SIGP_STOP);
		return accept(g, g->order);
	}
	return accept(g, 0);
}

/* Set prefix, store status at address: of a stopped CPU, and done at once. */
static enum sigp_cc with_address(struct signal *g)
{
	bool prefix = g->order == SIGP_SET_PREFIX;
	uint64_t at = g->param & (prefix ? SIGP_PREFIX_ADDR : SIGP_STATUS_ADDR);
	uint64_t len = prefix ? PREFIX_BYTES : sizeof(struct status_area);
	uint64_t bytes = g->to->config->len;

	if (len > bytes || at > bytes - len)
		return refuse(g, SIGP_STATUS_PARAMETER);
	if (!stopped(g->to))
		return refuse(g, SIGP_STATUS_INCORRECT_STATE);
	if (prefix)
		g->to->area->regs.prefix = at;
	else if (!store_status(g, at))
		return SIGP_BUSY;
	return accept(g, g->order);
}

static enum sigp_cc execute(struct signal *g)
{
	switch (g->order) {
	case SIGP_SENSE:
		return sense(g);
	case SIGP_SENSE_RUNNING:
		return sense_running(g);
	case SIGP_EXTERNAL_CALL:
		return external_call(g);
	case SIGP_EMERGENCY:
		return accept(g, SIGP_EMERGENCY);
	case SIGP_COND_EMERGENCY:
		return conditional_emergency(g);
	case SIGP_START:
	case SIGP_RESTART:
		return start(g);
	case SIGP_STOP:
	case SIGP_STOP_STORE_STATUS:
		return stop(g);
	case SIGP_INITIAL_RESET:
	case SIGP_RESET:
		return ask(g, g->order);
	case SIGP_SET_PREFIX:
	case SIGP_STORE_STATUS:
		return with_address(g);
	default:
		return refuse(g, SIGP_STATUS_INVALID_ORDER);
	}
}

static struct uv_cpu *find(const struct uv_config *config, uint16_t number)
{
	struct uv_cpu *c = config->cpus;

	while (c && c->number != number)
		c = c->next;
	return c;
}

static enum sigp_cc signal_cpu(struct signal *g)
{
	struct uv *uv = g->from->config->uv;
	enum sigp_cc cc;

	uv_lock(uv, g->cpu);
	g->to = find(g->from->config, g->number);
	if (!g->to)
		cc = SIGP_NOT_OPERATIONAL;
	else if (g->order == SIGP_SET_ARCHITECTURE) /* of all CPUs, never busy; there is one */
		cc = refuse(g, SIGP_STATUS_PARAMETER);
	else
		cc = busy(g->to, g->order) ? SIGP_BUSY : execute(g);
	uv_unlock(uv);
	return cc;
}

static void show(const struct signal *g)
{
	uv_show(g->cpu, SIGP_IPA, SIGP_IPB);
	uv_show_gr(g->cpu, SIGP_PARAM_GR, g->param);
	uv_show_gr(g->cpu, SIGP_CPU_GR, g->number);
	uv_show_gr(g->cpu, SIGP_ORDER_GR, g->shown);
}

void uv_sigp(struct cpu *cpu, const struct slot *s)
{
	struct signal g = { .cpu = cpu,
			    .s = s,
			    .from = uv_current(cpu),
			    .number = (uint16_t)r64(R3),
			    .order = (unsigned int)(EA() & 0xff),
			    .param = r32(R1 | 1) };
	enum sigp_cc cc;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	cc = signal_cpu(&g);
	if (g.pic.code)
		RAISE_PIC(g.pic);
	set_cc(cc);
	if (cc == SIGP_STATUS)
		set_r32(R1, g.status);
	if (!g.shown)
		sie_done(cpu, s);
	show(&g);
	uv_notify(cpu, s);
}
