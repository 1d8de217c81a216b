// SPDX-License-Identifier: MIT
/*
 * Injection of interruptions into protected CPUs by iictl (sie.md section 7.6).
 *
 * A request is copied and checked when SIE begins, and the copy is what is taken: the host may
 * change its state description in between. Taking it needs the guest's lowcore, which may have gone
 * meanwhile; then nothing has happened, iictl is still set, and the next entry checks it anew.
 */
#include "lowcore.h"
#include "machine_priv.h"
#include "sigp_order.h"
#include "uv_priv.h"

/* Parameter of a service signal: an SCCB has completed, or events are pending. */
#define SIGNAL_SCCB   0xfffffff8u
#define SIGNAL_EVENTS 0x00000003u

/* I/O-interruption identification word: bits 2-4 are the subclass. CR6 has a mask bit for each. */
#define IO_SUBCLASS_SHIFT 27
#define CR6_SUBCLASS(n)	  BIT64(32 + (n))

/* --- Is it allowed? --------------------------------------------------------------------------- */

/* Mask bit of CR0; 0: not a code that can be injected. */
static uint64_t external_mask(uint16_t code)
{
	switch (code) {
	case EXT_CKC:
		return CR0_CKC;
	case EXT_CPU_TIMER:
		return CR0_CPU_TIMER;
	case EXT_EMERGENCY:
		return CR0_EMERGENCY;
	case EXT_EXTERNAL_CALL:
		return CR0_EXTERNAL_CALL;
	case EXT_SERVICE_SIGNAL:
		return CR0_SERVICE;
	default:
		return 0;
	}
}

/* Of an external interruption with an unknown code only the PSW's mask can be asked. */
static bool external_enabled(const struct secure_regs *r, const struct scb_external *ext)
{
	uint64_t mask = external_mask(be16_get(ext->code));

	return r->psw_mask & PSW_EXT && (!mask || r->cr[0] & mask);
}

static bool io_enabled(const struct secure_regs *r, const struct scb_io *io)
{
	return r->psw_mask & PSW_IO &&
	       r->cr[6] & CR6_SUBCLASS(be32_get(io->word) >> IO_SUBCLASS_SHIFT & 7);
}

/* A PSW that is still to be loaded enables nothing: the host cannot know it. */
static bool enabled(const struct uv_cpu *c)
{
	const struct secure_regs *r = &c->area->regs;
	const union scb_intr *data = &c->injection.data;
	bool has_psw = !c->load_pending && !c->restart_pending;

	switch (c->injection.code) {
	case INJECT_MCHECK:
		return has_psw &&
		       intr_mcheck_enabled(be64_get(data->mcheck.mcic), r->psw_mask, r->cr[14]);
	case INJECT_EXTERNAL:
		return has_psw && external_enabled(r, &data->ext);
	case INJECT_IO:
		return has_psw && io_enabled(r, &data->io);
	default:
		return true;
	}
}

/* Instructions of which a host may say that their operands are wrong. */
static bool may_fail(uint8_t what, uint8_t injection)
{
	switch (what) {
	case COMPLETE_DIAG_500:
	case COMPLETE_IO:
		return true;
	case COMPLETE_DIAG_288:
	case COMPLETE_DIAG_308:
		return injection == INJECT_SPECIFICATION;
	default:
		return false;
	}
}

/* The signal is floating: any CPU of the guest may get it, whichever has executed SERVC. */
static struct uv_cpu *signal_source(const struct uv_config *config)
{
	struct uv_cpu *c = config->cpus;

	while (c && !(c->may_signal && c->outstanding_sccb))
		c = c->next;
	return c;
}

static bool signal_due(const struct uv_cpu *c)
{
	uint32_t param = be32_get(c->injection.data.ext.params);

	if (param & SIGNAL_SCCB)
		return signal_source(c->config);
	return param & SIGNAL_EVENTS;
}

/* In this state of the CPU: interruptions between instructions, exceptions in the middle of one. */
static bool allowed(const struct uv_cpu *c)
{
	const struct uv_injection *in = &c->injection;
	uint8_t what = c->area->pending.what;

	if (c->fenced)
		return false;
	switch (in->code) {
	case INJECT_SPECIFICATION:
	case INJECT_OPERAND:
		return may_fail(what, in->code);
	case INJECT_EXTERNAL:
		if (be16_get(in->data.ext.code) == EXT_SERVICE_SIGNAL && !signal_due(c))
			return false;
		return !what;
	default:
		return !what;
	}
}

static bool known(uint8_t code)
{
	return code <= INJECT_RESTART || code == INJECT_SPECIFICATION || code == INJECT_OPERAND;
}

/* The SIDA must hold what the intercepted instruction will take out of it. */
static bool completion_fits(const struct cpu *cpu, const struct uv_cpu *c,
			    const struct scb_page *scb)
{
	uint64_t bytes;

	return !c->area->pending.what || uv_injects_program(c) ||
	       (uv_sida(cpu, scb, &bytes) && c->area->pending.len <= bytes);
}

enum validity uv_check_injection(const struct cpu *cpu, struct uv_cpu *c,
				 const struct scb_page *scb)
{
	struct uv_injection *in = &c->injection;

	in->code = scb->scb.iictl;
	in->data = scb->scb.intr;
	if (in->code && known(in->code)) {
		if (!enabled(c))
			return VALIDITY_PV_NOT_ENABLED;
		if (!allowed(c))
			return VALIDITY_PV_INJECTION;
	}
	if (!known(in->code))
		return VALIDITY_PV_IICTL;
	if (in->code == INJECT_EXTERNAL && !external_mask(be16_get(in->data.ext.code)))
		return VALIDITY_PV_EXTERNAL;
	return completion_fits(cpu, c, scb) ? VALIDITY_NONE : VALIDITY_PV_COMPLETION;
}

bool uv_injects_program(const struct uv_cpu *c)
{
	return c->injection.code == INJECT_SPECIFICATION || c->injection.code == INJECT_OPERAND;
}

/* --- Taking it -------------------------------------------------------------------------------- */

bool uv_not_taken(struct pic pic)
{
	return pic.code && pic.code != PGM_SPECIFICATION;
}

static void consumed(const struct cpu *cpu, struct uv_cpu *c)
{
	c->injection.code = INJECT_NONE;
	cpu->sie->scb->iictl = INJECT_NONE;
}

/* The intercepted instruction is suppressed by an exception, with its own address and length. */
static _Noreturn void take_program(struct cpu *cpu, struct uv_cpu *c)
{
	struct uv_pending *pending = &c->area->pending;
	bool operand = c->injection.code == INJECT_OPERAND;
	uint8_t *lowcore;
	struct pic pic = mem_real(cpu, 0, sizeof(struct lowcore), ACCESS_WRITE, &lowcore);

	/* Behind the jump there is no way back, so the one thing that could fail is tried here. */
	if (pic.code)
		cpu_raise(cpu, NULL, pic);
	cpu->psw_addr = pending->psw_addr;
	cpu->pic = (struct pic){ .code = operand ? PGM_OPERAND : PGM_SPECIFICATION,
				 .level = cpu->level };
	cpu->pic_ilc = (uint8_t)pending->ilc;
	cpu->at = NULL;
	*pending = (struct uv_pending){ 0 };
	consumed(cpu, c);
	siglongjmp(cpu->leave, LEAVE_PIC);
}

/* Takes the address that is to be signalled, or puts it back; 0: another CPU was faster. */
static uint32_t claim_sccb(struct cpu *cpu, const struct uv_config *config, struct uv_cpu **from)
{
	uint32_t sccb = 0;

	uv_lock(config->uv, cpu);
	*from = signal_source(config);
	if (*from) {
		sccb = (*from)->outstanding_sccb;
		(*from)->outstanding_sccb = 0;
		(*from)->may_signal = false;
	}
	uv_unlock(config->uv);
	return sccb;
}

static void unclaim_sccb(struct cpu *cpu, struct uv_cpu *from, uint32_t sccb)
{
	uv_lock(from->config->uv, cpu);
	from->outstanding_sccb = sccb;
	from->may_signal = true;
	uv_unlock(from->config->uv);
}

/*
 * The host's SCCB address only says that there is one: the guest is told that of its own SERVC
 * (section 7.9).
 */
static struct pic service_signal(struct cpu *cpu, const struct uv_cpu *c)
{
	uint32_t asked = be32_get(c->injection.data.ext.params), sccb = 0;
	struct pic pic = { .level = cpu->level };
	struct uv_cpu *from = NULL;

	if (asked & SIGNAL_SCCB)
		sccb = claim_sccb(cpu, c->config, &from);
	if (!sccb && !(asked & SIGNAL_EVENTS))
		return pic;
	pic = intr_external(cpu, EXT_SERVICE_SIGNAL, 0, sccb | (asked & SIGNAL_EVENTS));
	if (from && uv_not_taken(pic))
		unclaim_sccb(cpu, from, sccb);
	return pic;
}

static struct pic external(struct cpu *cpu, const struct uv_cpu *c)
{
	const struct scb_external *ext = &c->injection.data.ext;
	uint16_t code = be16_get(ext->code), sender = 0;

	if (code == EXT_SERVICE_SIGNAL)
		return service_signal(cpu, c);
	if (code == EXT_EMERGENCY || code == EXT_EXTERNAL_CALL)
		sender = be16_get(ext->cpu_addr);
	return intr_external(cpu, code, sender, 0);
}

static struct pic take(struct cpu *cpu, const struct uv_cpu *c)
{
	const struct scb_mcheck *mc = &c->injection.data.mcheck;
	const struct scb_io *io = &c->injection.data.io;

	switch (c->injection.code) {
	case INJECT_MCHECK:
		return intr_mcheck(cpu, be64_get(mc->mcic), be32_get(mc->damage),
				   be64_get(mc->addr));
	case INJECT_EXTERNAL:
		return external(cpu, c);
	case INJECT_IO:
		return intr_io(cpu,
			       (uint32_t)be16_get(io->subchannel_id) << 16 |
				       be16_get(io->subchannel_nr),
			       be32_get(io->param), be32_get(io->word));
	default:
		return intr_restart(cpu);
	}
}

/* A RESTART of an operating CPU keeps other orders off until the host has brought it here. */
static void order_done(struct cpu *cpu, struct uv_cpu *c)
{
	uv_lock(c->config->uv, cpu);
	if (c->order == SIGP_RESTART)
		c->order = 0;
	uv_unlock(c->config->uv);
}

void uv_inject(struct cpu *cpu, struct uv_cpu *c)
{
	struct pic pic;

	if (uv_injects_program(c))
		take_program(cpu, c);
	pic = take(cpu, c);
	if (uv_not_taken(pic))
		cpu_raise(cpu, NULL, pic);
	if (c->injection.code == INJECT_RESTART)
		order_done(cpu, c);
	consumed(cpu, c);
	intr_settle(cpu, NULL, pic);
}
