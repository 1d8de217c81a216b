// SPDX-License-Identifier: MIT
/*
 * State descriptions of format 4: register files are exchanged as a whole, and what a protected
 * guest may do or show is the Ultravisor's decision (secure.h; sie.md section 7).
 */
#include "handler.h"
#include "insn_proto.h"
#include "machine_priv.h"
#include "sie_priv.h"

static_assert(sizeof(((struct cpu *)0)->vr_low) == sizeof(((struct register_file *)0)->vr_low) &&
		      sizeof(((struct cpu *)0)->vr_high) ==
			      sizeof(((struct register_file *)0)->vr_high),
	      "all vector registers");

static void file_save(const struct cpu *cpu, struct register_file *f)
{
	memcpy(f->gr, cpu->gr, sizeof(f->gr));
	memcpy(f->fpr, cpu->fpr, sizeof(f->fpr));
	memcpy(f->vr_low, cpu->vr_low, sizeof(f->vr_low));
	memcpy(f->vr_high, cpu->vr_high, sizeof(f->vr_high));
	memcpy(f->ar, cpu->ar, sizeof(f->ar));
	f->fpc = cpu->fpc;
}

static void file_load(struct cpu *cpu, const struct register_file *f)
{
	memcpy(cpu->gr, f->gr, sizeof(f->gr));
	memcpy(cpu->fpr, f->fpr, sizeof(f->fpr));
	memcpy(cpu->vr_low, f->vr_low, sizeof(f->vr_low));
	memcpy(cpu->vr_high, f->vr_high, sizeof(f->vr_high));
	memcpy(cpu->ar, f->ar, sizeof(f->ar));
	cpu->fpc = f->fpc;
}

enum validity sie_secure_enter(struct cpu *cpu, struct sie_state *st)
{
	const struct machine *m = cpu->m;

	st->secure = (struct secure_entry){ 0 };
	if (!m->secure_ops)
		return VALIDITY_PV_NOT_INIT;
	/* A state description that no call has registered may lie anywhere in its page. */
	if (st->scb_addr % sizeof(struct scb_page))
		return VALIDITY_PV_SCB;
	return m->secure_ops->enter(m->uv, cpu, sie_page(st), st->scb_addr, &st->secure);
}

void sie_secure_load(struct cpu *cpu, struct sie_state *st)
{
	const struct secure_regs *r = st->secure.regs;

	file_save(cpu, &st->host_file);
	file_load(cpu, &r->file);
	psw_set(cpu, r->psw_mask, r->psw_addr);
	memcpy(cpu->cr, r->cr, sizeof(r->cr));
	cpu->prefix = r->prefix;
	cpu->bea = r->bea;
	cpu->ckc = r->ckc;
	cpu->tod_epoch += be64_get(st->scb->epoch) + r->epoch;
	cpu->todpr = r->todpr;
	cpu->program_parameter = r->program_parameter;
	cpu->edat = false;
	cpu->guest_addr = st->secure.number;
	cpu->timer_stopped = false;
	cpu->timer_base = r->timer + machine_tod(cpu->m);
	cpu->ex_from = NULL;
	if (st->secure.moved)
		tlb_flush(cpu);
}

/* What instructions leave behind in the CPU object beside the registers. */
static void forget(struct cpu *cpu)
{
	cpu->slow_value = 0;
	memset(cpu->ex, 0, sizeof(cpu->ex));
	memset(cpu->ex_insn, 0, sizeof(cpu->ex_insn));
	memset(cpu->straddle, 0, sizeof(cpu->straddle));
	memset(cpu->straddle_insn, 0, sizeof(cpu->straddle_insn));
}

void sie_secure_store(struct cpu *cpu, struct sie_state *st, uint8_t icptcode)
{
	struct secure_regs *r = st->secure.regs;

	file_save(cpu, &r->file);
	r->psw_mask = psw_mask_full(cpu);
	r->psw_addr = cpu->psw_addr;
	memcpy(r->cr, cpu->cr, sizeof(r->cr));
	r->prefix = cpu->prefix;
	r->bea = cpu->bea;
	r->ckc = cpu->ckc;
	r->timer = cpu_timer_get(cpu);
	r->program_parameter = cpu->program_parameter;
	r->epoch = cpu->tod_epoch - st->host.tod_epoch - be64_get(st->scb->epoch);
	r->todpr = cpu->todpr;
	file_load(cpu, &st->host_file);
	forget(cpu);
	cpu->m->secure_ops->leave(cpu->m->uv, cpu, sie_page(st), icptcode);
	st->secure.owner = 0;
	st->marked_load = false;
}

void sie_secure_begin(struct cpu *cpu)
{
	cpu->m->secure_ops->begin(cpu->m->uv, cpu);
}

/* LCTL and LCTLG are executed; then the host hears of registers that it marked. */
void sie_secure_insn(struct cpu *cpu, const struct insn *insn, const struct slot *s)
{
	if (sie_loads_control(insn) && sie_loads_marked(cpu->sie->scb, s)) {
		cpu->sie->marked_load = true;
		intr_recheck(cpu);
		return;
	}
	cpu->m->secure_ops->insn(cpu->m->uv, cpu, insn, s);
}

void sie_secure_poll(struct cpu *cpu)
{
	if (cpu->sie->marked_load)
		sie_exit(cpu, ICPT_INTERRUPTION_ENABLE);
	if (sie_ictl(cpu->sie->scb) & ICTL_LPSW && cpu->psw_mask & PSW_MCHECK)
		sie_exit(cpu, ICPT_MCHECK_REQUEST);
}

/*
 * ULTRAVISOR CALL    UVC R1,R2    [RRF]  B9A4   (ultravisor.md section 1)
 * R2 designates the control block; R1 is ignored. CC: 0 done, 1 error or more data, 2 busy,
 * 3 partial completion.
 * Exceptions, in this order: operation (guests that are not protected); privileged operation;
 * specification (bits 16-23 not zero; block not on a doubleword); access to the block.
 */
HANDLER(uvc)
{
	uint64_t uvcb = ADDR(r64(R2));
	unsigned int cc = 0;
	struct pic pic;

	if (!cpu->m->secure_ops || (cpu->level == PIC_GUEST && !sie_owner(cpu)))
		RAISE(PGM_OPERATION);
	if (problem_state(cpu))
		RAISE(PGM_PRIVILEGED);
	if (R3 || s->b || uvcb % UVCB_ALIGN)
		RAISE(PGM_SPECIFICATION);
	cpu->psw_addr = insn_psw_addr(cpu, s);
	pic = cpu->m->secure_ops->uvc(cpu->m->uv, cpu, s, uvcb, &cc);
	if (pic.code)
		RAISE_PIC(pic);
	set_cc(cc);
	/* The host's tables and the guest's rights may have changed under this very page. */
	cpu->psw_addr = insn_next_addr(cpu, s);
	cpu_resume(cpu, s);
}
