// SPDX-License-Identifier: MIT
/*
 * Instruction interceptions of format 2: which ones, and what they store (sie.md sections 3, 4.1).
 *
 * Instructions that are always intercepted have SIE_ALWAYS in the table and come here at once.
 */
#include "handler.h"
#include "sie_priv.h"

enum {
	OP_PTFF = 0x0104,
	OP_SVC = 0x0a,
	OP_LPSW = 0x82,
	OP_SIGP = 0xae,
	OP_STCTL = 0xb6,
	OP_LCTL = 0xb7,
	OP_IPTE = 0xb221,
	OP_ISKE = 0xb229,
	OP_RRBE = 0xb22a,
	OP_SSKE = 0xb22b,
	OP_CSP = 0xb250,
	OP_MVPG = 0xb254,
	OP_STFLE = 0xb2b0,
	OP_LPSWE = 0xb2b2,
	OP_CSPG = 0xb98a,
	OP_IDTE = 0xb98e,
	OP_PTF = 0xb9a2,
	OP_ESSA = 0xb9ab,
	OP_PFMF = 0xb9af,
	OP_TPROT = 0xe501,
	OP_STCTG = 0xeb25,
	OP_LCTLG = 0xeb2f,
	OP_LPSWEY = 0xeb71,
};

#define PFMF_SET_KEY  0x20000u
#define PTFF_CONTROL  0x40u /* function codes from here on change the clock */
#define PTFF_FUNCTION 0x7fu
#define SVCC_ALL      0x80u
#define SVCC_SLOTS    3u

/* --- What an interception stores ----------------------------------------------------------------- */

static bool is_ex_target(const struct cpu *cpu, const struct slot *s)
{
	return s >= cpu->ex && s < cpu->ex + ARRAY_SIZE(cpu->ex);
}

/* icptstatus: KVM takes the length of the EX from it when it steps back. */
void sie_fill_insn(const struct cpu *cpu, const struct slot *s)
{
	struct scb *scb = cpu->sie->scb;
	uint8_t bytes[6];

	insn_bytes(cpu, s, bytes);
	memcpy(&scb->ipa, bytes, sizeof(scb->ipa));
	memcpy(&scb->ipb, bytes + sizeof(scb->ipa), sizeof(scb->ipb));
	scb->icptstatus = 0;
	if (is_ex_target(cpu, s))
		scb->icptstatus = (uint8_t)(ICPTSTATUS_EX | cpu->ex_ilc << ICPTSTATUS_ILC_SHIFT);
}

void sie_exit_insn(struct cpu *cpu, const struct slot *s, enum icpt_code code)
{
	sie_fill_insn(cpu, s);
	cpu->psw_addr = insn_next_addr(cpu, s);
	sie_exit(cpu, code);
}

void sie_intercept_insn(struct cpu *cpu, const struct slot *s)
{
	sie_exit_insn(cpu, s, ICPT_INSTRUCTION);
}

void sie_done(struct cpu *cpu, const struct slot *s)
{
	cpu->psw_addr = insn_next_addr(cpu, s);
	cpu_resume(cpu, s);
}

/* --- Which ones ---------------------------------------------------------------------------------- */

/* Interception controls that are one bit for one instruction. */
static uint32_t ictl_bit(unsigned int opcode)
{
	switch (opcode) {
	case OP_LPSW:
	case OP_LPSWE:
	case OP_LPSWEY:
		return ICTL_LPSW;
	case OP_STCTL:
	case OP_STCTG:
		return ICTL_STCTL;
	case OP_ISKE:
		return ICTL_ISKE;
	case OP_SSKE:
		return ICTL_SSKE;
	case OP_RRBE:
		return ICTL_RRBE;
	case OP_TPROT:
		return ICTL_TPROT;
	default:
		return 0;
	}
}

/* Keyless subset (sie.md section 3.1): the instruction is nullified, the host turns keys on. */
static void keyless(struct cpu *cpu, const struct slot *s)
{
	if (!(sie_flags(cpu->sie->scb) & CPUFLAG_KSS))
		return;
	sie_fill_insn(cpu, s);
	cpu->psw_addr = insn_psw_addr(cpu, s);
	sie_exit(cpu, ICPT_KSS);
}

bool sie_loads_control(const struct insn *insn)
{
	return insn->opcode == OP_LCTL || insn->opcode == OP_LCTLG;
}

/* LCTL and LCTLG whose range has a marked control register. */
bool sie_loads_marked(const struct scb *scb, const struct slot *s)
{
	unsigned int marked = be16_get(scb->lctl);

	for (unsigned int n = R1;; n = (n + 1) & 15) {
		if (marked & LCTL_CR(n))
			return true;
		if (n == R3)
			return false;
	}
}

/* svcc: byte 0 selects all, or up to three numbers in the other bytes (sie.md section 2). */
static bool svc_marked(const struct scb *scb, const struct slot *s)
{
	if (scb->svcc[0] & SVCC_ALL)
		return true;
	for (unsigned int i = 1; i <= SVCC_SLOTS; i++)
		if (scb->svcc[0] & SVCC_ALL >> i && scb->svcc[i] == (uint8_t)I2)
			return true;
	return false;
}

static bool pfmf(struct cpu *cpu, const struct slot *s)
{
	if (r32(R1) & PFMF_SET_KEY)
		keyless(cpu, s);
	return !(cpu->sie->scb->ecb2 & ECB2_PFMFI);
}

/* --- Interlocked with the host ------------------------------------------------------------------- */

/*
 * A host sets k of ipte_control to keep the guest's tables as they are. SIE counts itself in kg
 * (bits 32-63) while it changes them, and a host waits until kg is 0 (arch/s390/kvm/gaccess.c,
 * ipte_lock_siif(), v6.12). KVM does so with ECA SII; without, it leaves kg alone, so that counting is
 * always right.
 */
#define IPTE_CONTROL_KG 0xffffffffull

/* kg by one up or down. False: a host holds the lock, and taking is true. */
static bool count_kg(const struct sie_state *st, uint64_t by, bool taking)
{
	uint64_t *control = (uint64_t *)(void *)st->sca.p, want;
	uint64_t raw = __atomic_load_n(control, __ATOMIC_SEQ_CST);

	do {
		uint64_t old = swap64(raw);

		if (taking && old & IPTE_CONTROL_K)
			return false;
		want = (old & ~IPTE_CONTROL_KG) | ((old + by) & IPTE_CONTROL_KG);
	} while (!__atomic_compare_exchange_n(control, &raw, swap64(want), false, __ATOMIC_SEQ_CST,
					      __ATOMIC_SEQ_CST));
	return true;
}

void sie_tables_lock(struct cpu *cpu, const struct slot *s)
{
	if (cpu->level != PIC_GUEST || !cpu->sie->sca.p || count_kg(cpu->sie, 1, true))
		return;
	if (!sie_owner(cpu))
		sie_intercept_insn(cpu, s);
	/* A protected guest has no such interception: it tries again. */
	cpu->psw_addr = insn_psw_addr(cpu, s);
	cpu->ex_from = NULL;
	cpu_resume(cpu, s);
}

void sie_tables_unlock(const struct cpu *cpu)
{
	if (cpu->level == PIC_GUEST && cpu->sie->sca.p)
		(void)count_kg(cpu->sie, UINT64_MAX, false);
}

bool sie_intercepts(struct cpu *cpu, const struct insn *insn, const struct slot *s)
{
	const struct scb *scb = cpu->sie->scb;

	switch (insn->opcode) {
	case OP_ISKE:
	case OP_SSKE:
	case OP_RRBE:
		keyless(cpu, s);
		break;
	case OP_PFMF:
		return pfmf(cpu, s);
	case OP_LCTL:
	case OP_LCTLG:
		return sie_loads_marked(scb, s);
	case OP_SVC:
		return svc_marked(scb, s);
	case OP_PTFF:
		return (cpu->gr[0] & PTFF_FUNCTION) >= PTFF_CONTROL;
	case OP_IPTE:
	case OP_IDTE:
	case OP_CSP:
	case OP_CSPG:
		return sie_ipte_locked(cpu->sie); /* once more, and counted, in sie_tables_lock() */
	case OP_ESSA:
		return !(scb->ecb2 & ECB2_CMMA);
	case OP_PTF:
		return !(scb->ecb & ECB_PTF);
	case OP_STFLE:
		return sie_stfle(cpu, s);
	case OP_MVPG:
		return sie_mvpg(cpu, s);
	case OP_SIGP:
		return sie_sigp(cpu, s);
	default:
		break;
	}
	return be32_get(scb->ictl) & ictl_bit(insn->opcode);
}
