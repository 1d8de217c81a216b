/* SPDX-License-Identifier: MIT */
/*
 * What several files of general instructions share: 64 bits in the right halves of a register pair.
 */
#ifndef MACHINE_CPU_GENERAL_PRIV_H
#define MACHINE_CPU_GENERAL_PRIV_H

#include "handler.h"

static inline uint64_t pair32(const struct cpu *cpu, unsigned int r)
{
	return (uint64_t)r32(r) << 32 | r32(r + 1);
}

static inline void set_pair32(struct cpu *cpu, unsigned int r, uint64_t v)
{
	set_r32(r, v >> 32);
	set_r32(r + 1, v);
}

#endif
