/* SPDX-License-Identifier: MIT */
/*
 * Short and long operations by the host's floating-point unit, where that is provably the same:
 * no exception is enabled, rounding is to nearest even, the result is a normal number well inside
 * the range (or an exact zero), and the only flag that can come up, inexact, is either on already
 * or ruled out by a sufficient test. Everything else says no and goes to bfp_core.c.
 *
 * Needs IEEE float and double without excess precision, rounding mode and subnormals at their
 * defaults; nothing here reads or writes the host's flags.
 */
#ifndef MACHINE_CPU_BFP_HOST_PRIV_H
#define MACHINE_CPU_BFP_HOST_PRIV_H

#include <float.h>
#include <string.h>

#include "bfp_priv.h"

#if FLT_EVAL_METHOD == 0 && FLT_MANT_DIG == 24 && DBL_MANT_DIG == 53
#define BFP_HOST 1
#else
#define BFP_HOST 0
#endif

static inline double as_double(uint64_t v)
{
	double d;

	memcpy(&d, &v, sizeof(d));
	return d;
}

static inline uint64_t of_double(double d)
{
	uint64_t v;

	memcpy(&v, &d, sizeof(v));
	return v;
}

static inline float as_float(uint32_t v)
{
	float f;

	memcpy(&f, &v, sizeof(f));
	return f;
}

static inline uint32_t of_float(float f)
{
	uint32_t v;

	memcpy(&v, &f, sizeof(v));
	return v;
}

/* No traps, nearest even. */
static inline bool host_mode(const struct cpu *cpu)
{
	return BFP_HOST && !(cpu->fpc & (FPC_MASKS | FPC_BRM));
}

/*
 * Normal, and not the least: that could be a tiny result rounded up. NaNs and infinities, of
 * operands or by overflow, show in the result.
 */
static inline bool plain_long(uint64_t v)
{
	return (v >> 52 & 0x7ff) - 2 < 0x7fd;
}

static inline bool plain_short(uint32_t v)
{
	return (v >> 23 & 0xff) - 2 < 0xfd;
}

/* Upper bound of the significant bits of the product of two finite numbers. */
static inline int product_bits(uint64_t a, uint64_t b)
{
	return 106 - __builtin_ctzll(a | 1ull << 52) - __builtin_ctzll(b | 1ull << 52);
}

/* The rounding error of a sum is a number itself, which these operations find (Knuth). */
static inline bool host_add_long(const struct cpu *cpu, uint64_t a, uint64_t b, uint64_t *out)
{
	double x = as_double(a), y = as_double(b), sum = x + y, part = sum - x;

	*out = of_double(sum);
	return host_mode(cpu) && (plain_long(*out) || *out << 1 == 0) &&
	       (cpu->fpc & FPC_SFX || (x - (sum - part)) + (y - part) == 0);
}

static inline bool host_add_short(const struct cpu *cpu, uint32_t a, uint32_t b, uint32_t *out)
{
	float x = as_float(a), y = as_float(b), sum = x + y, part = sum - x;

	*out = of_float(sum);
	return host_mode(cpu) && (plain_short(*out) || *out << 1 == 0) &&
	       (cpu->fpc & FPC_SFX || (x - (sum - part)) + (y - part) == 0);
}

static inline bool host_sub_long(const struct cpu *cpu, uint64_t a, uint64_t b, uint64_t *out)
{
	return host_add_long(cpu, a, b ^ BIT64(0), out);
}

static inline bool host_sub_short(const struct cpu *cpu, uint32_t a, uint32_t b, uint32_t *out)
{
	return host_add_short(cpu, a, b ^ 0x80000000u, out);
}

static inline bool host_mul_long(const struct cpu *cpu, uint64_t a, uint64_t b, uint64_t *out)
{
	*out = of_double(as_double(a) * as_double(b));
	return host_mode(cpu) && (plain_long(*out) || a << 1 == 0 || b << 1 == 0) &&
	       (*out << 1) <= 0xffe0000000000000u - 1 &&
	       (cpu->fpc & FPC_SFX || product_bits(a, b) <= 53);
}

/* The product of two shorts is exact in long. */
static inline bool host_mul_short(const struct cpu *cpu, uint32_t a, uint32_t b, uint32_t *out)
{
	double product = (double)as_float(a) * (double)as_float(b);
	float rounded = (float)product;

	*out = of_float(rounded);
	return host_mode(cpu) && (plain_short(*out) || product == 0) &&
	       (cpu->fpc & FPC_SFX || (double)rounded == product);
}

static inline bool host_div_long(const struct cpu *cpu, uint64_t a, uint64_t b, uint64_t *out)
{
	double q = as_double(a) / as_double(b);

	*out = of_double(q);
	return host_mode(cpu) && plain_long(*out) &&
	       (cpu->fpc & FPC_SFX ||
		(product_bits(*out, b) <= 53 && q * as_double(b) == as_double(a)));
}

static inline bool host_div_short(const struct cpu *cpu, uint32_t a, uint32_t b, uint32_t *out)
{
	float q = as_float(a) / as_float(b);

	*out = of_float(q);
	return host_mode(cpu) && plain_short(*out) &&
	       (cpu->fpc & FPC_SFX || (double)q * (double)as_float(b) == (double)as_float(a));
}

/* LOAD LENGTHENED of a number. */
static inline bool host_lengthen(uint32_t a, uint64_t *out)
{
	float x = as_float(a);

	*out = of_double((double)x);
	return BFP_HOST && !(x != x);
}

/* LOAD ROUNDED, if to nearest even. */
static inline bool host_round(const struct cpu *cpu, uint64_t a, unsigned int m3, uint32_t *out)
{
	double x = as_double(a);
	float rounded = (float)x;

	*out = of_float(rounded);
	return host_mode(cpu) && (m3 == BFP_ROUND_FPC || m3 == BFP_ROUND_TIES_EVEN) &&
	       plain_short(*out) && (cpu->fpc & FPC_SFX || (double)rounded == x);
}

/* CONVERT TO FIXED within +-limit: of an integer, or truncated. */
static inline bool host_to_fixed(const struct cpu *cpu, uint64_t a, double limit, unsigned int m3,
				 int64_t *out)
{
	double x = as_double(a);

	if (!BFP_HOST || !(x > -limit && x < limit))
		return false;
	*out = (int64_t)x;
	if ((double)*out == x)
		return m3 <= 7 && m3 != 2;
	return m3 == BFP_ROUND_ZERO && (cpu->fpc & (FPC_MASKS | FPC_SFX)) == FPC_SFX;
}

/* CC of a comparison without NaNs. */
static inline bool host_compare(double x, double y, uint8_t *cc)
{
	*cc = (uint8_t)((x != y) + (x > y));
	return BFP_HOST && !(x != x || y != y);
}

#endif
