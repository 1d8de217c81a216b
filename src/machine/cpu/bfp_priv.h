/* SPDX-License-Identifier: MIT */
/*
 * What the BFP instructions share: floating-point registers, the environment of an operation out
 * of FPC and modifiers, and the delivery of flags and traps.
 *
 * Registers: PoP chapter 9, "Registers and Controls"; a short operand is the left half of a
 * register, an extended one lies in registers n and n + 2.
 */
#ifndef MACHINE_CPU_BFP_PRIV_H
#define MACHINE_CPU_BFP_PRIV_H

#include "bfp_core.h"
#include "handler.h"
#include "insn_proto.h"

#define FPC_MASKS_SHIFT 24
#define FPC_FLAGS_SHIFT 16
#define FPC_DXC_SHIFT	8
#define FPC_MASKS	0xf8000000u /* of the exceptions that BFP knows */
#define FPC_SFX		0x00080000u
#define FPC_BRM		0x00000007u
/*
 * Bits 6, 7, 14, 15, 24 and 28 are unassigned; bits 25-27, the DFP rounding mode, belong to a
 * facility (42) that no model has.
 */
#define FPC_UNSUPPORTED 0x030300f8u

#define DXC_AFP_REGISTER 1

static inline uint32_t fpr_short(const struct cpu *cpu, unsigned int n)
{
	return (uint32_t)(cpu->fpr[n] >> 32);
}

static inline void set_fpr_short(struct cpu *cpu, unsigned int n, uint32_t v)
{
	cpu->fpr[n] = (uint64_t)v << 32 | (uint32_t)cpu->fpr[n];
}

static inline u128 fpr_ext(const struct cpu *cpu, unsigned int n)
{
	return (u128)cpu->fpr[n] << 64 | cpu->fpr[n + 2];
}

static inline void set_fpr_ext(struct cpu *cpu, unsigned int n, u128 v)
{
	cpu->fpr[n] = (uint64_t)(v >> 64);
	cpu->fpr[n + 2] = (uint64_t)v;
}

static inline u128 fpr_get(const struct cpu *cpu, enum bfp_fmt fmt, unsigned int n)
{
	if (fmt == BFP_SHORT)
		return fpr_short(cpu, n);
	return fmt == BFP_LONG ? cpu->fpr[n] : fpr_ext(cpu, n);
}

static inline void fpr_set(struct cpu *cpu, enum bfp_fmt fmt, unsigned int n, u128 v)
{
	if (fmt == BFP_SHORT)
		set_fpr_short(cpu, n, (uint32_t)v);
	else if (fmt == BFP_LONG)
		cpu->fpr[n] = (uint64_t)v;
	else
		set_fpr_ext(cpu, n, v);
}

/* Environment of an operation that rounds by the FPC. */
static inline struct bfp_env bfp_env(const struct cpu *cpu)
{
	return (struct bfp_env){
		.round = bfp_fpc_round(cpu->fpc),
		.traps = (uint8_t)(cpu->fpc >> FPC_MASKS_SHIFT),
	};
}

/* M3 is a rounding method; 2 and 8-15 are specification exceptions. */
static inline void bfp_check_method(struct cpu *cpu, const struct slot *s, unsigned int m3)
{
	if (UNLIKELY(m3 > 7 || m3 == 2))
		RAISE(PGM_SPECIFICATION);
}

/* Environment by M3 and M4 of an RRF instruction; of M4 only XxC (bit 1) means something. */
static inline struct bfp_env bfp_env_m34(struct cpu *cpu, const struct slot *s)
{
	struct bfp_env env = bfp_env(cpu);

	bfp_check_method(cpu, s, M3);
	if (M3 != BFP_ROUND_FPC)
		env.round = M3;
	env.quiet_inexact = M4 & 4;
	return env;
}

/* Before results are stored: raises an exception that suppresses the operation. */
static inline void bfp_suppress(struct cpu *cpu, const struct slot *s, const struct bfp_env *env)
{
	if (UNLIKELY(env->dxc & BFP_SUPPRESSED))
		cpu_data_exception(cpu, s, env->dxc);
}

/* After results are stored: flags, then an exception of the completed operation. */
static inline void bfp_complete(struct cpu *cpu, const struct slot *s, const struct bfp_env *env)
{
	cpu->fpc |= (uint32_t)env->flags << FPC_FLAGS_SHIFT;
	if (UNLIKELY(env->dxc))
		cpu_data_exception(cpu, s, env->dxc);
}

/* The usual end: one result in a register. */
static inline void bfp_deliver(struct cpu *cpu, const struct slot *s, const struct bfp_env *env,
			       enum bfp_fmt fmt, u128 result)
{
	bfp_suppress(cpu, s, env);
	fpr_set(cpu, fmt, R1, result);
	bfp_complete(cpu, s, env);
}

#endif
