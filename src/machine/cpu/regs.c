// SPDX-License-Identifier: MIT
/*
 * Registers from outside, and CPU resets (machine.md section 2; PoP chapter 4, "Resets").
 */
#include <string.h>

#include "machine_priv.h"
#include "mem.h"

uint64_t cpu_gr(const struct cpu *cpu, unsigned int n)
{
	return cpu->gr[n & 15];
}

void cpu_set_gr(struct cpu *cpu, unsigned int n, uint64_t v)
{
	cpu->gr[n & 15] = v;
}

uint64_t cpu_cr(const struct cpu *cpu, unsigned int n)
{
	return cpu->cr[n & 15];
}

void cpu_set_cr(struct cpu *cpu, unsigned int n, uint64_t v)
{
	cpu->cr[n & 15] = v;
	cpu_state_changed(cpu);
}

uint32_t cpu_ar(const struct cpu *cpu, unsigned int n)
{
	return cpu->ar[n & 15];
}

void cpu_set_ar(struct cpu *cpu, unsigned int n, uint32_t v)
{
	cpu->ar[n & 15] = v;
}

uint64_t cpu_fpr(const struct cpu *cpu, unsigned int n)
{
	return cpu->fpr[n & 15];
}

void cpu_set_fpr(struct cpu *cpu, unsigned int n, uint64_t v)
{
	cpu->fpr[n & 15] = v;
}

uint64_t cpu_vr(const struct cpu *cpu, unsigned int n, unsigned int half)
{
	if (half)
		return cpu->vr_low[n];
	return n < ARRAY_SIZE(cpu->fpr) ? cpu->fpr[n] : cpu->vr_high[n - ARRAY_SIZE(cpu->fpr)];
}

uint32_t cpu_fpc(const struct cpu *cpu)
{
	return cpu->fpc;
}

void cpu_set_fpc(struct cpu *cpu, uint32_t v)
{
	cpu->fpc = v;
}

void cpu_psw(const struct cpu *cpu, uint64_t *mask, uint64_t *addr)
{
	*mask = psw_mask_full(cpu);
	*addr = cpu->psw_addr;
}

void cpu_set_psw(struct cpu *cpu, uint64_t mask, uint64_t addr)
{
	psw_set(cpu, mask, addr);
	cpu_state_changed(cpu);
}

struct cpu_counters cpu_counters(const struct cpu *cpu)
{
	return cpu->counters;
}

#define CR0_INITIAL  0xe0ull
#define CR14_INITIAL 0xc2000000ull

void cpu_initial_reset(struct cpu *cpu)
{
	memset(cpu->cr, 0, sizeof(cpu->cr));
	cpu->cr[0] = CR0_INITIAL;
	cpu->cr[14] = CR14_INITIAL;
	cpu->prefix = 0;
	cpu->fpc = 0;
	cpu->ckc = 0;
	cpu->todpr = 0;
	cpu->bea = 1;
	cpu->ex_from = NULL;
	cpu->timer_stopped = false;
	cpu->program_parameter = 0;
	psw_set(cpu, 0, 0);
	cpu_timer_set(cpu, 0);
	tlb_flush(cpu);
	cpu_state_changed(cpu);
}

void cpu_clear_reset(struct cpu *cpu)
{
	memset(cpu->gr, 0, sizeof(cpu->gr));
	memset(cpu->ar, 0, sizeof(cpu->ar));
	memset(cpu->fpr, 0, sizeof(cpu->fpr));
	memset(cpu->vr_low, 0, sizeof(cpu->vr_low));
	memset(cpu->vr_high, 0, sizeof(cpu->vr_high));
	cpu_initial_reset(cpu);
}
