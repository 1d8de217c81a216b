/* SPDX-License-Identifier: MIT */
/*
 * Binary floating point in integers: the arithmetic behind the BFP instructions, for all three
 * formats, all rounding methods, flags and traps. It knows neither registers nor storage.
 *
 * PoP chapter 9 ("IEEE Computation", "IEEE Exceptions") and chapter 19. A datum is held as its
 * encoding, right-aligned in 128 bits.
 */
#ifndef MACHINE_CPU_BFP_CORE_H
#define MACHINE_CPU_BFP_CORE_H

#include <stdbool.h>
#include <stdint.h>

typedef unsigned __int128 u128;

enum bfp_fmt { BFP_SHORT, BFP_LONG, BFP_EXT };

/* Rounding methods, numbered as in an M3 field. */
enum bfp_round {
	BFP_ROUND_FPC = 0, /* by the FPC; never reaches the core */
	BFP_ROUND_TIES_AWAY = 1,
	BFP_ROUND_SHORTER = 3, /* prepare for shorter precision: an inexact result is odd */
	BFP_ROUND_TIES_EVEN = 4,
	BFP_ROUND_ZERO = 5,
	BFP_ROUND_UP = 6,
	BFP_ROUND_DOWN = 7,
};

/* Exceptions: bits of the FPC's mask byte, its flag byte, and of data-exception codes. */
#define BFP_INVALID	0x80u
#define BFP_DIVIDE	0x40u
#define BFP_OVERFLOW	0x20u
#define BFP_UNDERFLOW	0x10u
#define BFP_INEXACT	0x08u
#define BFP_INCREMENTED 0x04u /* with BFP_INEXACT, in a data-exception code */

/*
 * What an operation needs and leaves besides its result. With a dxc of BFP_INVALID or BFP_DIVIDE
 * the operation is suppressed: there is no result. With another it is completed before the trap.
 */
struct bfp_env {
	uint8_t round;	    /* enum bfp_round */
	uint8_t traps;	    /* FPC byte 0 */
	bool quiet_inexact; /* M4 bit 1 (XxC): inexact is not recognized */
	uint8_t flags;	    /* out: to be set in FPC byte 1 */
	uint8_t dxc;	    /* out: the trap, or 0 */
};

#define BFP_SUPPRESSED (BFP_INVALID | BFP_DIVIDE)
#define BFP_SCALED     (BFP_OVERFLOW | BFP_UNDERFLOW)

u128 bfp_add(struct bfp_env *env, enum bfp_fmt fmt, u128 a, u128 b);
u128 bfp_sub(struct bfp_env *env, enum bfp_fmt fmt, u128 a, u128 b);
u128 bfp_mul(struct bfp_env *env, enum bfp_fmt fmt, u128 a, u128 b);
u128 bfp_div(struct bfp_env *env, enum bfp_fmt fmt, u128 a, u128 b);
u128 bfp_sqrt(struct bfp_env *env, enum bfp_fmt fmt, u128 a);
/* The product of two data of format from, in the next wider format to (MDEB, MXDB). */
u128 bfp_mul_wide(struct bfp_env *env, enum bfp_fmt from, enum bfp_fmt to, u128 a, u128 b);
/* op3 * op2 + op1, or - op1; short and long only. */
u128 bfp_muladd(struct bfp_env *env, enum bfp_fmt fmt, u128 op1, u128 op2, u128 op3, bool subtract);

/* CC 0 equal, 1 a < b, 2 a > b, 3 unordered; signal: any NaN is invalid, not just an SNaN. */
unsigned int bfp_compare(struct bfp_env *env, enum bfp_fmt fmt, u128 a, u128 b, bool signal);
/* CC 0 zero, 1 negative, 2 positive, 3 NaN. */
unsigned int bfp_cc(enum bfp_fmt fmt, u128 a);
/* The bit of TEST DATA CLASS's mask (12 bits, 0x800 is +zero) that stands for the datum. */
unsigned int bfp_data_class(enum bfp_fmt fmt, u128 a);

/* LOAD AND TEST: an SNaN becomes quiet. */
u128 bfp_load_test(struct bfp_env *env, enum bfp_fmt fmt, u128 a);
u128 bfp_lengthen(struct bfp_env *env, enum bfp_fmt from, enum bfp_fmt to, u128 a);
/* A trapped overflow or underflow (dxc & BFP_SCALED) delivers a result in format from. */
u128 bfp_load_rounded(struct bfp_env *env, enum bfp_fmt from, enum bfp_fmt to, u128 a);
u128 bfp_load_integer(struct bfp_env *env, enum bfp_fmt fmt, u128 a);
u128 bfp_from_int(struct bfp_env *env, enum bfp_fmt to, uint64_t magnitude, bool negative);

/* CONVERT TO FIXED, TO LOGICAL: 32 or 64 bits. Returns the CC. */
unsigned int bfp_to_fixed(struct bfp_env *env, enum bfp_fmt from, u128 a, unsigned int bits,
			  uint64_t *out);
unsigned int bfp_to_logical(struct bfp_env *env, enum bfp_fmt from, u128 a, unsigned int bits,
			    uint64_t *out);

/*
 * DIVIDE TO INTEGER, short and long: a / b, the quotient rounded by the method quotient_round.
 * Returns the CC: 1 quotient scaled (or NaN), 2 remainder incomplete, 3 both.
 */
unsigned int bfp_divide_to_integer(struct bfp_env *env, enum bfp_fmt fmt, u128 a, u128 b,
				   enum bfp_round quotient_round, u128 *quotient, u128 *remainder);

/* The rounding method of an FPC; undefined for the modes that no instruction lets in. */
static inline enum bfp_round bfp_fpc_round(uint32_t fpc)
{
	static const uint8_t methods[8] = {
		BFP_ROUND_TIES_EVEN, BFP_ROUND_ZERO,	  BFP_ROUND_UP,	       BFP_ROUND_DOWN,
		BFP_ROUND_TIES_EVEN, BFP_ROUND_TIES_EVEN, BFP_ROUND_TIES_EVEN, BFP_ROUND_SHORTER,
	};

	return (enum bfp_round)methods[fpc & 7];
}

#endif
