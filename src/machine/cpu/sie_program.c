// SPDX-License-Identifier: MIT
/*
 * Program interruptions while a guest runs: the guest's own, interceptions of them, and those of
 * the host that backs the guest's storage (sie.md sections 4.2 and 5.1).
 */
#include "sie_priv.h"

#define SIE_ILC 4

#define MVPG_0 0xb2u
#define MVPG_1 0x54u

/* PoP chapter 6, "Types of Instruction Ending"; these have a TEID, as protection has. */
static bool nullifies(uint16_t code)
{
	return code == PGM_SEGMENT || code == PGM_PAGE ||
	       (code >= PGM_ASCE_TYPE && code <= PGM_SECURE_VIOLATION);
}

/* What the guest's old PSW would say. */
static uint64_t old_address(const struct cpu *cpu)
{
	if (!cpu->pic_ilc || nullifies(cpu->pic.code))
		return cpu->psw_addr;
	return (cpu->psw_addr + cpu->pic_ilc) & cpu->amask;
}

static uint8_t operand_ids(const struct cpu *cpu)
{
	uint8_t bytes[6];

	if (cpu->pic.code != PGM_PAGE || !cpu->at)
		return 0;
	insn_bytes(cpu, cpu->at, bytes);
	return bytes[0] == MVPG_0 && bytes[1] == MVPG_1 ? bytes[3] : 0;
}

/* The columns of sie.md section 2.1 are those that KVM injects again from. */
static void fill_program(const struct cpu *cpu, struct scb_program *p)
{
	uint16_t code = cpu->pic.code;

	memset(p, 0, sizeof(*p));
	be16_set(&p->ilc, cpu->pic_ilc);
	be16_set(&p->code, code);
	if (code == PGM_DATA)
		be32_set(&p->dxc, cpu->dxc);
	if (code == PGM_MONITOR) {
		be16_set(&p->monitor_class, cpu->monitor_class);
		be64_set(&p->teid, cpu->monitor_code);
	}
	if (code == PGM_PROTECTION || nullifies(code)) {
		be64_set(&p->teid, cpu->pic.teid);
		p->eai = cpu->pic.eai;
		p->oai = operand_ids(cpu);
	}
}

static _Noreturn void intercept_program(struct cpu *cpu)
{
	fill_program(cpu, &cpu->sie->scb->intr.program);
	cpu->psw_addr = old_address(cpu);
	sie_exit(cpu, ICPT_PROGRAM);
}

/* The PSW follows the instruction, as with an instruction interception. */
static _Noreturn void intercept_operation(struct cpu *cpu)
{
	sie_fill_insn(cpu, cpu->at);
	cpu->psw_addr = old_address(cpu);
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
	if (code == PGM_OPERATION && cpu->at && be32_get(scb->ictl) & ICTL_OPEREXC)
		intercept_operation(cpu);
	if (wants_program(scb, code))
		intercept_program(cpu);
}

void sie_program_refused(struct cpu *cpu)
{
	intercept_program(cpu);
}
