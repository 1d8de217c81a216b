// SPDX-License-Identifier: MIT
/*
 * The host address space that holds guest storage (sie.md section 5), its identity for the TLB,
 * and the watched frames of state descriptions.
 */
#include "machine_priv.h"
#include "sie_priv.h"

#define MEGABYTE_MASK 0xfffffffffff00000ull
#define ID_MASK	      0xfffffull /* goes where MSO has zeros */

uint64_t sie_host_asce(const struct cpu *cpu)
{
	return cpu->sie->space.asce;
}

uint32_t sie_owner(const struct cpu *cpu)
{
	return cpu->sie->secure.owner;
}

uint64_t sie_host_cr0(const struct cpu *cpu)
{
	return cpu->sie->host.cr[0];
}

/* For TLB contexts: MSO, and in its low bits what tells apart views with the same one. */
uint64_t sie_mso(const struct cpu *cpu)
{
	return cpu->sie->space.mso | cpu->sie->space.id;
}

/* The 1 MiB block counts, limit included (sie.md section 5, rule 2). */
bool sie_host_address(const struct cpu *cpu, uint64_t abs, uint64_t *hva)
{
	const struct sie_space *space = &cpu->sie->space;

	*hva = abs + space->mso;
	return *hva >= abs && (*hva & MEGABYTE_MASK) <= space->msl;
}

static bool same_space(const struct sie_space *a, const struct sie_space *b)
{
	return a->asce == b->asce && a->cr0 == b->cr0 && a->mso == b->mso && a->msl == b->msl &&
	       a->owner == b->owner;
}

static uint64_t space_id(struct cpu *cpu, struct sie_state *st, const struct sie_space *want)
{
	struct sie_space *to;

	for (size_t i = 0; i < SIE_SPACES; i++)
		if (st->spaces[i].id && same_space(&st->spaces[i], want))
			return st->spaces[i].id;
	if (st->last_id == ID_MASK) {
		memset(st->spaces, 0, sizeof(st->spaces));
		st->last_id = 0;
		tlb_flush(cpu);
	}
	to = &st->spaces[st->next_space++ % SIE_SPACES];
	*to = *want;
	to->id = ++st->last_id;
	return to->id;
}

void sie_choose_space(struct cpu *cpu, struct sie_state *st)
{
	bool unlimited = sie_flags(st->scb) & CPUFLAG_SM;
	struct sie_space want = {
		.asce = cpu->cr[1],
		.cr0 = cpu->cr[0] & CR0_EDAT,
		.mso = unlimited ? 0 : be64_get(st->scb->mso) & SCB_MSO_MASK,
		.msl = unlimited ? UINT64_MAX : be64_get(st->scb->msl) & MEGABYTE_MASK,
	};

	if (st->secure.owner) {
		want.mso = st->secure.mso;
		want.msl = st->secure.msl;
		want.owner = st->secure.owner;
	}

	if (LIKELY(st->space.id && same_space(&st->space, &want)))
		return;
	want.id = space_id(cpu, st, &want);
	st->space = want;
	tlb_forget_absolute(cpu); /* those of guest virtual addresses have contexts */
}

/* The last used frame comes first; so the one that falls out is not of the running guest. */
void sie_watch(struct cpu *cpu, struct sie_state *st, uint64_t addr)
{
	uint64_t number = addr / FRAME_BYTES + 1;
	size_t i = 0;

	while (i < SIE_WATCHES && st->watched[i] != number)
		i++;
	if (i == SIE_WATCHES) {
		watch_add(cpu->m, cpu, number - 1);
		if (st->watched[--i])
			watch_remove(cpu->m, st->watched[i] - 1);
	}
	memmove(&st->watched[1], &st->watched[0], i * sizeof(st->watched[0]));
	st->watched[0] = number;
}
