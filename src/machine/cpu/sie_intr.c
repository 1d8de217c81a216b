// SPDX-License-Identifier: MIT
/*
 * Looking around while a guest runs: intervention requests of the host, external interruptions of
 * the guest that SIE itself presents, interruptions of the host (sie.md sections 3.1, 4, 8, 9).
 */
#include "intr.h"
#include "lowcore.h"
#include "sie_priv.h"

#define POLL_MAX 8 /* interruptions in a row; the next poll goes on */

/* --- The host's -------------------------------------------------------------------------------- */

static bool host_clock_due(const struct cpu *cpu, const struct sie_host *h)
{
	uint64_t tod, sign = h->cr[0] & CR0_CKC_SIGN ? 1ull << 63 : 0;

	if (!(h->cr[0] & (CR0_CKC | CR0_CPU_TIMER)))
		return false;
	tod = machine_tod(cpu->m);
	if (h->cr[0] & CR0_CKC && ((tod + h->tod_epoch) ^ sign) > (h->ckc ^ sign))
		return true;
	return h->cr[0] & CR0_CPU_TIMER && !h->timer_stopped && (int64_t)(h->timer_base - tod) < 0;
}

/* Something that the host would take now: it does so at its SIE instruction. */
static bool host_due(const struct cpu *cpu, const struct sie_host *h)
{
	return intr_requested(cpu, h->psw_mask, h->cr[0], h->cr[14]) ||
	       (h->psw_mask & PSW_EXT && host_clock_due(cpu, h));
}

/* --- The guest's external interruptions ---------------------------------------------------------- */

struct external {
	uint16_t code, cpu_addr;
};

/* Pending and enabled by CR0, in order of priority. */
static bool external_due(const struct cpu *cpu, struct external *out)
{
	out->code = EXT_EXTERNAL_CALL;
	if (cpu->cr[0] & CR0_EXTERNAL_CALL && sie_call_pending(cpu, &out->cpu_addr))
		return true;
	out->cpu_addr = 0;
	return intr_clock_pending(cpu, &out->code);
}

static _Noreturn void intercept_external(struct cpu *cpu, const struct external *ext)
{
	struct scb_external *to = &cpu->sie->scb->intr.ext;

	be32_set(&to->params, 0);
	be16_set(&to->cpu_addr, ext->cpu_addr);
	be16_set(&to->code, ext->code);
	sie_exit(cpu, ICPT_EXT_INTERRUPTION);
}

/* A clock stays pending, so an external-new PSW that enables it would be taken for ever. */
static bool clock_loops(struct cpu *cpu)
{
	const struct lowcore *lc;
	uint8_t *p;

	if (mem_real(cpu, 0, sizeof(*lc), ACCESS_READ, &p).code)
		return false; /* taking it finds that out */
	lc = (const struct lowcore *)(const void *)p;
	return be64_get(lc->new_psw[LC_EXTERNAL].mask) & PSW_EXT;
}

static void take_external(struct cpu *cpu, const struct external *ext)
{
	bool call = ext->code == EXT_EXTERNAL_CALL;
	struct pic pic;

	if (!call && clock_loops(cpu))
		intercept_external(cpu, ext);
	pic = intr_external(cpu, ext->code, ext->cpu_addr, 0);
	if (call && (!pic.code || pic.code == PGM_SPECIFICATION))
		sie_call_taken(cpu);
	intr_settle(cpu, NULL, pic);
}

/* --- Intervention requests ----------------------------------------------------------------------- */

/*
 * EXT_INT and IO_INT, when the guest is enabled for the class. A guest interruption (ext) that
 * became pending since SIE began has its own code (0x14), or with CEI goes first.
 */
static void intervene(struct cpu *cpu, uint32_t flags, bool entering, const struct external *ext)
{
	if (flags & CPUFLAG_EXT_INT && cpu->psw_mask & PSW_EXT) {
		if (entering || !ext || sie_owner(cpu))
			sie_exit(cpu, ICPT_EXT_REQUEST);
		if (!(be32_get(cpu->sie->scb->eca) & ECA_CEI))
			intercept_external(cpu, ext);
	}
	if (flags & CPUFLAG_IO_INT && cpu->psw_mask & PSW_IO)
		sie_exit(cpu, ICPT_IO_REQUEST);
}

static void look(struct cpu *cpu, bool entering)
{
	uint32_t flags = sie_flags(cpu->sie->scb);
	struct external ext;
	bool due;

	for (unsigned int i = 0; i < POLL_MAX; i++) {
		due = external_due(cpu, &ext);
		intervene(cpu, flags, entering, due ? &ext : NULL);
		if (!due && !(flags & (CPUFLAG_EXT_INT | CPUFLAG_IO_INT | CPUFLAG_ECALL_PEND)) &&
		    !(sie_ictl(cpu->sie->scb) & ICTL_LPSW))
			intr_quiet(cpu);
		if (!due || !(cpu->psw_mask & PSW_EXT))
			return;
		take_external(cpu, &ext);
		entering = false;
	}
	intr_recheck(cpu);
}

void sie_poll(struct cpu *cpu)
{
	struct sie_state *st = cpu->sie;
	bool entering = st->entering;

	intr_not_quiet(cpu);
	if (!cpu->native && host_due(cpu, &st->host))
		sie_exit(cpu, ICPT_NONE);
	if (entering && sie_owner(cpu))
		sie_secure_begin(cpu);
	if (sie_flags(st->scb) & CPUFLAG_STOP_INT)
		sie_exit(cpu, ICPT_STOP);
	if (sie_owner(cpu))
		sie_secure_poll(cpu);
	st->entering = false;
	/* The next deadline may be the host's. */
	if (!entering && cpu->deadline <= machine_tod(cpu->m))
		cpu_clock_changed(cpu);
	if (entering && !psw_valid(psw_mask_full(cpu), cpu->psw_addr))
		intr_early(cpu);
	look(cpu, entering);
}

void sie_wait(struct cpu *cpu)
{
	sie_poll(cpu);
	if (cpu->psw_mask & PSW_WAIT)
		sie_exit(cpu, ICPT_WAIT);
}
