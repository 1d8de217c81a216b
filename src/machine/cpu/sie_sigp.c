// SPDX-License-Identifier: MIT
/*
 * SIGP of a guest as far as SIE interprets it, and the system control area (sie.md section 8).
 */
#include "handler.h"
#include "machine_priv.h"
#include "sie_priv.h"
#include "sigp.h"

/* A guest CPU in the SCA. */
struct sca_cpu {
	uint8_t *ctrl; /* its SIGP control: 1 byte, 2 in an extended SCA */
	struct scb *scb;
	uint64_t scb_addr;
};

static bool bsca_find(const struct sie_sca *sca, unsigned int addr, struct sca_cpu *out)
{
	struct bsca *b = (struct bsca *)(void *)sca->p;

	if (addr >= BSCA_ENTRIES || !(be64_get(b->mcn) & BIT64(addr)))
		return false;
	out->ctrl = &b->cpu[addr].sigp_ctrl;
	out->scb_addr = be64_get(b->cpu[addr].sda);
	return true;
}

static bool esca_find(const struct sie_sca *sca, unsigned int addr, struct sca_cpu *out)
{
	struct esca *e = (struct esca *)(void *)sca->p;

	if (addr >= ESCA_ENTRIES || !(be64_get(e->mcn[addr / 64]) & BIT64(addr % 64)))
		return false;
	out->ctrl = e->cpu[addr].sigp_ctrl.b;
	out->scb_addr = be64_get(e->cpu[addr].sda);
	return true;
}

static bool sca_find(const struct cpu *cpu, unsigned int addr, struct sca_cpu *out)
{
	const struct sie_sca *sca = &cpu->sie->sca;

	if (!sca->p)
		return false;
	if (!(sca->extended ? esca_find(sca, addr, out) : bsca_find(sca, addr, out)))
		return false;
	if (!out->scb_addr || out->scb_addr % SCB_BYTES)
		return false;
	out->scb = (struct scb *)(void *)sie_storage(cpu, out->scb_addr, SCB_BYTES);
	return out->scb;
}

bool sie_ipte_locked(const struct sie_state *st)
{
	const uint64_t *control = (const uint64_t *)(const void *)st->sca.p;

	return control && swap64(__atomic_load_n(control, __ATOMIC_SEQ_CST)) & IPTE_CONTROL_K;
}

/* --- The SIGP control of an entry ---------------------------------------------------------------- */

/* False: a call is pending already. */
static bool call_post(const struct sie_sca *sca, uint8_t *ctrl, uint16_t sender)
{
	uint8_t old8 = __atomic_load_n(ctrl, __ATOMIC_SEQ_CST);
	uint16_t old16;

	if (!sca->extended)
		return !(old8 & BSCA_SIGP_C) &&
		       __atomic_compare_exchange_n(
			       ctrl, &old8, (uint8_t)(BSCA_SIGP_C | (sender & BSCA_SIGP_SCN)),
			       false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	old16 = __atomic_load_n((uint16_t *)(void *)ctrl, __ATOMIC_SEQ_CST);
	return !(swap16(old16) & ESCA_SIGP_C) &&
	       __atomic_compare_exchange_n(
		       (uint16_t *)(void *)ctrl, &old16,
		       swap16((uint16_t)(ESCA_SIGP_C | (sender & ESCA_SIGP_SCN))), false,
		       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static bool call_posted(const struct sie_sca *sca, const uint8_t *ctrl, uint16_t *sender)
{
	uint16_t v;

	if (!sca->extended) {
		v = __atomic_load_n(ctrl, __ATOMIC_SEQ_CST);
		*sender = v & BSCA_SIGP_SCN;
		return v & BSCA_SIGP_C;
	}
	v = swap16(__atomic_load_n((const uint16_t *)(const void *)ctrl, __ATOMIC_SEQ_CST));
	*sender = v & ESCA_SIGP_SCN;
	return v & ESCA_SIGP_C;
}

bool sie_call_pending(const struct cpu *cpu, uint16_t *sender)
{
	struct sca_cpu self;

	return sie_flags(cpu->sie->scb) & CPUFLAG_ECALL_PEND &&
	       be32_get(cpu->sie->scb->eca) & ECA_SIGPI && sca_find(cpu, cpu->guest_addr, &self) &&
	       call_posted(&cpu->sie->sca, self.ctrl, sender);
}

/* The flag goes first: a sender that sees the control free sets both again. */
void sie_call_taken(struct cpu *cpu)
{
	struct sca_cpu self;

	sie_flags_clear(cpu->sie->scb, CPUFLAG_ECALL_PEND);
	if (!sca_find(cpu, cpu->guest_addr, &self))
		return;
	if (cpu->sie->sca.extended)
		__atomic_store_n((uint16_t *)(void *)self.ctrl, 0, __ATOMIC_SEQ_CST);
	else
		__atomic_store_n(self.ctrl, 0, __ATOMIC_SEQ_CST);
}

/* --- Orders -------------------------------------------------------------------------------------- */

static _Noreturn void answer(struct cpu *cpu, const struct slot *s, uint8_t cc)
{
	set_cc(cc);
	sie_done(cpu, s);
}

static enum sie_call call_send(struct cpu *cpu, const struct sca_cpu *to)
{
	struct machine *m = cpu->m;

	if (!call_post(&cpu->sie->sca, to->ctrl, cpu->guest_addr))
		return SIE_CALL_PENDING;
	sie_flags_set(to->scb, CPUFLAG_ECALL_PEND);
	if (atomic_load(&m->frames[to->scb_addr / FRAME_BYTES].watched))
		watch_hit(m);
	return sie_flags(to->scb) & CPUFLAG_WAIT ? SIE_CALL_TO_WAITING : SIE_CALL_SENT;
}

enum sie_call sie_call_send(struct cpu *cpu, uint16_t addr)
{
	struct sca_cpu to;

	return sca_find(cpu, addr, &to) ? call_send(cpu, &to) : SIE_CALL_NO_CPU;
}

bool sie_call_posted(const struct cpu *cpu, uint16_t addr)
{
	struct sca_cpu of;
	uint16_t sender;

	return sca_find(cpu, addr, &of) && call_posted(&cpu->sie->sca, of.ctrl, &sender);
}

/* A target that its host has put to sleep has to be woken by it: partial execution. */
static bool external_call(struct cpu *cpu, const struct slot *s, const struct sca_cpu *to)
{
	enum sie_call result = call_send(cpu, to);

	if (result == SIE_CALL_PENDING)
		return true;
	if (result == SIE_CALL_TO_WAITING)
		sie_exit_insn(cpu, s, ICPT_PARTIAL);
	answer(cpu, s, SIGP_ACCEPTED);
}

static bool sense(struct cpu *cpu, const struct slot *s, const struct sca_cpu *to)
{
	uint16_t sender;

	if (sie_flags(to->scb) & CPUFLAG_STOPPED || call_posted(&cpu->sie->sca, to->ctrl, &sender))
		return true;
	answer(cpu, s, SIGP_ACCEPTED);
}

static bool sense_running(struct cpu *cpu, const struct slot *s, const struct sca_cpu *to)
{
	if (sie_flags(to->scb) & CPUFLAG_RUNNING)
		answer(cpu, s, SIGP_ACCEPTED);
	set_r32(R1, SIGP_STATUS_NOT_RUNNING);
	answer(cpu, s, SIGP_STATUS);
}

bool sie_sigp(struct cpu *cpu, const struct slot *s)
{
	const struct scb *scb = cpu->sie->scb;
	bool sigpi = be32_get(scb->eca) & ECA_SIGPI;
	struct sca_cpu to;

	if (!(sigpi || scb->ecb & ECB_SRSI) || !sca_find(cpu, (uint16_t)r64(R3), &to))
		return true;
	switch (EA() & 0xff) {
	case SIGP_SENSE:
		return !sigpi || sense(cpu, s, &to);
	case SIGP_EXTERNAL_CALL:
		return !sigpi || external_call(cpu, s, &to);
	case SIGP_SENSE_RUNNING:
		return !(scb->ecb & ECB_SRSI) || sense_running(cpu, s, &to);
	default:
		return true;
	}
}
