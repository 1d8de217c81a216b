/* SPDX-License-Identifier: MIT */
/*
 * What the files of the BFP arithmetic share: the unpacked datum, and rounding.
 *
 * Every result has at most 113 significant bits, so 128 bits with "sticky" ORed into the last one
 * stand for any precise intermediate value: enough bits remain below the rounding position to
 * tell exact, below half, half and above half apart.
 */
#ifndef MACHINE_CPU_BFP_CORE_PRIV_H
#define MACHINE_CPU_BFP_CORE_PRIV_H

#include "bfp_core.h"

enum num_class { NUM_ZERO, NUM_FINITE, NUM_INF, NUM_QNAN, NUM_SNAN };

/* Finite: sig * 2^(exp - 127), bit 127 of sig is one. NaN: sig is the fraction, left-aligned. */
struct num {
	u128 sig;
	int32_t exp;
	uint8_t cls;
	bool sign;
};

struct format {
	uint8_t p;	  /* precision, with the implied bit */
	uint8_t width;	  /* of the encoding */
	int16_t emax;	  /* exponent of Nmax; also the bias */
	int16_t alpha;	  /* scaling of trapped overflow and underflow */
	int16_t alpha_lr; /* the same for LOAD ROUNDED from this format */
};

/* Left-most bit of a significand. */
#define TOP ((u128)1 << 127)

extern const struct format bfp_formats[3];

struct num num_unpack(enum bfp_fmt fmt, u128 bits);
/* Zero, infinity and NaN (made quiet), as they are. */
u128 num_pack_special(enum bfp_fmt fmt, struct num v);
/* Rounds a finite number to a format and recognizes overflow, underflow and inexact. */
u128 num_round(struct bfp_env *env, enum bfp_fmt fmt, struct num v);
/* The same where a trap delivers format trap_fmt, scaled by 2^alpha. */
u128 num_round_trap(struct bfp_env *env, enum bfp_fmt fmt, struct num v, enum bfp_fmt trap_fmt,
		    int alpha);
/* A finite number whose exponent and precision fit: no exception. */
u128 num_pack_exact(enum bfp_fmt fmt, struct num v);

u128 num_invalid(struct bfp_env *env, enum bfp_fmt fmt); /* recognizes it; the default NaN */
void num_raise_inexact(struct bfp_env *env, bool incremented);
/* The result when a or b is a NaN: an SNaN of a, of b, a QNaN of a, of b. */
u128 num_propagate(struct bfp_env *env, enum bfp_fmt fmt, struct num a, struct num b);

struct num num_normalize(bool sign, u128 magnitude, int32_t exp_of_bit0);
/* a + b of finite numbers or zeros; when the sum is zero, its class says so. */
struct num num_add(struct num a, struct num b, enum bfp_round round);

/* Integer and fraction of a finite number below 2^127; fraction left-aligned, sticky. */
u128 num_split(struct num v, u128 *fraction);
/* Does rounding increment a magnitude whose last bit is odd and that lost fraction? */
bool num_increments(enum bfp_round round, bool sign, bool odd, u128 fraction);

static inline bool num_is_nan(struct num v)
{
	return v.cls >= NUM_QNAN;
}

static inline bool num_is_finite(struct num v)
{
	return v.cls <= NUM_FINITE;
}

static inline unsigned int clz128(u128 v) /* v is not zero */
{
	uint64_t high = (uint64_t)(v >> 64);

	return high ? (unsigned int)__builtin_clzll(high) :
		      64 + (unsigned int)__builtin_clzll((uint64_t)v);
}

static inline u128 shift_right_sticky(u128 v, unsigned int n)
{
	if (n == 0)
		return v;
	if (n >= 128)
		return v != 0;
	return v >> n | ((v & (((u128)1 << n) - 1)) != 0);
}

#endif
