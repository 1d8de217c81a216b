// SPDX-License-Identifier: MIT
/*
 * Program interruptions while a guest runs: the guest's own, interceptions of them, and those of
 * the host that backs the guest's storage (sie.md sections 4.2 and 5.1).
 */
#include "intr.h"
#include "sie_priv.h"

#define SIE_ILC 4

/* The columns of sie.md section 2.1 are those that KVM injects again from. */
static void fill_program(const struct cpu *cpu, struct scb_program *p)
{
	uint16_t code = cpu->pic.code;

	memset(p, 0, sizeof(*p));
	be16_set(&p->ilc, cpu->pic_ilc);
	be16_set(&p->code, code);
	/* Of a protected guest no more than this: addresses and data are its own. */
	if (sie_owner(cpu))
		return;
	if (code == PGM_DATA)
		be32_set(&p->dxc, cpu->dxc);
	if (code == PGM_MONITOR) {
		be16_set(&p->monitor_class, cpu->monitor_class);
		be64_set(&p->teid, cpu->monitor_code);
	}
	if (intr_has_teid(code)) {
		be64_set(&p->teid, cpu->pic.teid);
		p->eai = cpu->pic.eai;
		intr_operand_ids(cpu, &p->oai);
	}
}

static _Noreturn void intercept_program(struct cpu *cpu)
{
	fill_program(cpu, &cpu->sie->scb->intr.program);
	cpu->psw_addr = intr_old_address(cpu);
	sie_exit(cpu, ICPT_PROGRAM);
}

/* The PSW follows the instruction, as with an instruction interception. */
static _Noreturn void intercept_operation(struct cpu *cpu)
{
	sie_fill_insn(cpu, cpu->at);
	cpu->psw_addr = intr_old_address(cpu);
	sie_exit(cpu, ICPT_OPERATION);
}

/*
 * The guest's instruction is nullified, whatever the code is. The host is interrupted at the SIE
 * instruction with its ILC; a suppressing code moves the PSW behind it, which hosts expect as well.
 */
static void interrupt_host(struct cpu *cpu)
{
	sie_leave(cpu, ICPT_NONE);
	if (cpu->native) {
		cpu->host_pic = cpu->pic;
		cpu_leave(cpu, CPU_STOP_HOST_PIC);
	}
	cpu->pic_ilc = cpu->sie->host.ilc;
	cpu->at = NULL;
}

/*
 * SPECI: specification exceptions are the guest's, also with PINT; the one that follows from an
 * invalid program-new PSW ends in sie_program_refused().
 */
static bool wants_program(const struct scb *scb, uint16_t code)
{
	if (code == PGM_SPECIFICATION && scb->ecb & ECB_SPECI)
		return false;
	if (code == PGM_PROTECTION && !(be32_get(scb->eca) & ECA_PROTEXCI))
		return true;
	return be32_get(scb->ictl) & ICTL_PINT;
}

void sie_program(struct cpu *cpu)
{
	const struct scb *scb = cpu->sie->scb;
	uint16_t code = cpu->pic.code;

	if (cpu->pic.level == PIC_HOST) {
		interrupt_host(cpu);
		return;
	}
	/* Nothing of a protected guest's is intercepted, and an LCTL that failed has loaded nothing. */
	if (sie_owner(cpu)) {
		cpu->sie->marked_load = false;
		return;
	}
	if (code == PGM_OPERATION && cpu->at && be32_get(scb->ictl) & ICTL_OPEREXC)
		intercept_operation(cpu);
	if (wants_program(scb, code))
		intercept_program(cpu);
}

void sie_program_refused(struct cpu *cpu)
{
	intercept_program(cpu);
}
