// SPDX-License-Identifier: MIT
/*
 * Taking rights away: the one protocol behind IPTE, IDTE, CSP, key changes, import, export and the
 * eviction of decoded code.
 *
 * A right is anything a CPU derived from storage state: a TLB entry, slots, a pointer inside a
 * handler. Each revocation is a generation. The requester bumps it and waits only for CPUs that
 * are inside guest or host-mode execution and have not answered yet; a CPU that enters afterwards
 * sees the new generation before it translates anything. No lock is held while waiting, and a
 * waiting CPU answers the revocations of others.
 */
#include <sched.h>

#include "machine_priv.h"
#include "mem.h"

void revoke_answer(struct cpu *cpu)
{
	uint64_t now = atomic_load(&cpu->m->generation);

	if (atomic_load_explicit(&cpu->answered, memory_order_relaxed) == now)
		return;
	tlb_flush(cpu);
	atomic_store(&cpu->answered, now);
}

void revoke_enter(struct cpu *cpu)
{
	/* Both sides use sequentially consistent operations: either the requester sees "inside",
	 * or this CPU sees the requester's generation. */
	atomic_store(&cpu->inside, true);
	revoke_answer(cpu);
}

void revoke_exit(struct cpu *cpu)
{
	atomic_store(&cpu->inside, false);
}

static void wait_for(struct cpu *cpu, uint64_t generation, struct cpu *self)
{
	for (unsigned int spins = 0;; spins++) {
		if (!atomic_load(&cpu->inside) || atomic_load(&cpu->answered) >= generation)
			return;
		if (self)
			revoke_answer(self);
		if (spins > 100)
			sched_yield();
	}
}

void revoke_all(struct machine *m, struct cpu *self)
{
	uint64_t generation = atomic_fetch_add(&m->generation, 1) + 1;

	for (unsigned int i = 0; i < m->ncpus; i++)
		if (m->cpus[i] != self && atomic_load(&m->cpus[i]->inside))
			cpu_attention(m->cpus[i], ATTN_REVOKE);
	if (self)
		revoke_answer(self);
	for (unsigned int i = 0; i < m->ncpus; i++)
		if (m->cpus[i] != self)
			wait_for(m->cpus[i], generation, self);
}

void tlb_flush_all(struct cpu *cpu)
{
	revoke_all(cpu->m, cpu);
}
