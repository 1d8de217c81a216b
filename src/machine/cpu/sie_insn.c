// SPDX-License-Identifier: MIT
/*
 * Instructions that SIE interprets in its own way: STFLE with the guest's list, MVPG on pages that
 * the host has paged out (sie.md sections 4.1 and 5.3).
 */
#include "handler.h"
#include "machine_priv.h"
#include "sie_priv.h"

/* --- STFLE ------------------------------------------------------------------------------------- */

#define STFLE_COUNT 0xffu /* GR0 bits 56-63: doublewords - 1 */

/* PoP chapter 10, "STORE FACILITY LIST EXTENDED", with the list that fac designates. */
bool sie_stfle(struct cpu *cpu, const struct slot *s)
{
	unsigned int want = (unsigned int)(cpu->gr[0] & STFLE_COUNT) + 1, have;
	uint64_t at = EA();
	uint32_t room, first;
	struct span span;

	if (!cpu->sie->fac)
		return true;
	if (at % 8)
		RAISE(PGM_SPECIFICATION);
	have = MACHINE_FACILITY_WORDS;
	room = 8 * (want < have ? want : have);
	mem_span(cpu, s, at, room, ACCESS_WRITE, &span);
	first = span.n[0];
	memcpy(span.p[0], cpu->sie->fac, first);
	if (span.n[1])
		memcpy(span.p[1], cpu->sie->fac + first, span.n[1]);
	mem_span_written(cpu, &span);
	cpu->gr[0] = (cpu->gr[0] & ~(uint64_t)STFLE_COUNT) | (have - 1);
	set_cc(want < have ? 3 : 0);
	sie_done(cpu, s);
}

/* --- MVPG -------------------------------------------------------------------------------------- */

#define MVPG_RESERVED 0xf000u /* GR0 bits 48-51 */
#define MVPG_KEY_BOTH 0x0c00u

/* The host's table entry behind a guest absolute address; the code is the host's, if any. */
static uint16_t host_pte(struct cpu *cpu, uint64_t abs, uint64_t *pte)
{
	uint64_t host_va, cr0 = cpu->cr[0];
	bool edat = cpu->edat;
	struct dat_result dat;
	struct pic pic;

	if (!sie_host_address(cpu, abs, &host_va))
		return PGM_ADDRESSING;
	cpu->cr[0] = sie_host_cr0(cpu);
	cpu->edat = true;
	cpu->level = PIC_HOST;
	pic = dat_translate(cpu, host_va, sie_host_asce(cpu), &dat);
	cpu->level = PIC_GUEST;
	cpu->edat = edat;
	cpu->cr[0] = cr0;
	*pte = dat.pte_addr;
	return pic.code;
}

static uint16_t operand_pte(struct cpu *cpu, uint64_t va, uint64_t *pte)
{
	struct dat_result dat = { .raddr = va };
	struct pic pic = { 0 };

	if (cpu->psw_mask & PSW_DAT)
		pic = dat_translate(cpu, va, dat_asce(cpu, psw_as(cpu)), &dat);
	return pic.code ? PGM_ADDRESSING : host_pte(cpu, mem_prefixed(cpu, dat.raddr), pte);
}

/* Partial execution is for pages that the host can bring in; the handler raises all else. */
bool sie_mvpg(struct cpu *cpu, const struct slot *s)
{
	struct scb *scb = cpu->sie->scb;
	uint64_t gr0 = cpu->gr[0], dest_pte = 0, source_pte = 0;
	uint16_t dest, source;

	if (!(be32_get(scb->eca) & ECA_MVPGI))
		return true;
	if (gr0 & MVPG_RESERVED || (gr0 & MVPG_KEY_BOTH) == MVPG_KEY_BOTH)
		return false;
	dest = operand_pte(cpu, ADDR(r64(R1)) & ~0xfffull, &dest_pte);
	source = operand_pte(cpu, ADDR(r64(R2)) & ~0xfffull, &source_pte);
	if ((dest && dest != PGM_PAGE) || (source && source != PGM_PAGE) || dest + source == 0)
		return false;
	be64_set(&scb->intr.pei.dest_pte, dest_pte);
	be64_set(&scb->intr.pei.source_pte, source_pte);
	sie_exit_insn(cpu, s, ICPT_PARTIAL);
}
