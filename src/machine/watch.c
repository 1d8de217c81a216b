// SPDX-License-Identifier: MIT
/*
 * Watched frames: those of running state descriptions and system control areas. A host kicks a
 * guest by a plain store into them (sie.md section 1, "Serialization").
 */
#include "machine_priv.h"

void watch_add(struct machine *m, struct cpu *self, uint64_t frame)
{
	/* Rights to store fast into the frame end with the first watcher. */
	if (atomic_fetch_add(&m->frames[frame].watched, 1) == 0)
		revoke_all(m, self);
}

void watch_remove(struct machine *m, uint64_t frame)
{
	atomic_fetch_sub(&m->frames[frame].watched, 1);
}

void watch_hit(struct machine *m)
{
	for (unsigned int i = 0; i < m->ncpus; i++)
		if (atomic_load_explicit(&m->cpus[i]->inside, memory_order_relaxed))
			cpu_attention(m->cpus[i], ATTN_SCB);
}
