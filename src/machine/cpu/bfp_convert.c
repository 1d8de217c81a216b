// SPDX-License-Identifier: MIT
/*
 * Conversions: between the BFP formats and between BFP and integers (PoP chapter 19).
 *
 * M3 selects the rounding method (0: by the FPC), XxC in M4 hides the inexact exception; both
 * belong to the floating-point-extension facility, which all models have.
 */
#include "bfp_host_priv.h"
#include "bfp_priv.h"

/* --- Between formats -------------------------------------------------------------------------- */

static NOINLINE void lengthen(struct cpu *cpu, const struct slot *s, enum bfp_fmt from,
			      enum bfp_fmt to, u128 a)
{
	struct bfp_env env = bfp_env(cpu);
	u128 result = bfp_lengthen(&env, from, to, a);

	bfp_deliver(cpu, s, &env, to, result);
}

/*
 * LOAD LENGTHENED    LDEBR B304, LXDBR B305, LXEBR B306    R1,R2    [RRE]
 *                    LDEB ED-04, LXDB ED-05, LXEB ED-06    R1,D2(X2,B2)    [RXE]
 * R1 ← second operand in the wider format, exact; an SNaN made quiet. CC unchanged.
 * IEEE: invalid operation (SNaN).
 * Exceptions: access (RXE), data (2, IEEE), specification (LX).  PoP ch. 19, "LOAD LENGTHENED"
 */
#define LENGTHEN(name, from, to, load)                              \
	HANDLER(name##br)                                           \
	{                                                           \
		lengthen(cpu, s, from, to, fpr_get(cpu, from, R2)); \
		NEXT(2);                                            \
	}                                                           \
	HANDLER(name##b)                                            \
	{                                                           \
		lengthen(cpu, s, from, to, load(EA_X()));           \
		NEXT(3);                                            \
	}

static inline void lengthen_short(struct cpu *cpu, const struct slot *s, uint32_t a)
{
	uint64_t v;

	if (LIKELY(host_lengthen(a, &v)))
		cpu->fpr[R1] = v;
	else
		lengthen(cpu, s, BFP_SHORT, BFP_LONG, a);
}

HANDLER(ldebr)
{
	lengthen_short(cpu, s, fpr_short(cpu, R2));
	NEXT(2);
}

HANDLER(ldeb)
{
	lengthen_short(cpu, s, load32(EA_X()));
	NEXT(3);
}

LENGTHEN(lxd, BFP_LONG, BFP_EXT, load64)
LENGTHEN(lxe, BFP_SHORT, BFP_EXT, load32)

/* A trapped overflow or underflow leaves a scaled result in the format of the source. */
static NOINLINE void load_rounded(struct cpu *cpu, const struct slot *s, enum bfp_fmt from,
				  enum bfp_fmt to)
{
	struct bfp_env env = bfp_env_m34(cpu, s);
	u128 result = bfp_load_rounded(&env, from, to, fpr_get(cpu, from, R2));

	bfp_deliver(cpu, s, &env, env.dxc & BFP_SCALED ? from : to, result);
}

/*
 * LOAD ROUNDED    LEDBR(A) B344, LDXBR(A) B345, LEXBR(A) B346    R1,M3,R2,M4    [RRF-e]
 * R1 ← R2 rounded to the narrower format. CC unchanged.
 * IEEE: invalid operation (SNaN), overflow, underflow, inexact.
 * Exceptions: data (2, IEEE), specification (M3; LDXBR, LEXBR: R1 and R2 are register pairs).
 *                                      PoP ch. 19, "LOAD ROUNDED"
 */
#define LOAD_ROUNDED(name, from, to)            \
	HANDLER(name)                           \
	{                                       \
		load_rounded(cpu, s, from, to); \
		NEXT(2);                        \
	}

HANDLER(ledbr)
{
	uint32_t v;

	if (LIKELY(host_round(cpu, cpu->fpr[R2], M3, &v)))
		set_fpr_short(cpu, R1, v);
	else
		load_rounded(cpu, s, BFP_LONG, BFP_SHORT);
	NEXT(2);
}

LOAD_ROUNDED(ldxbr, BFP_EXT, BFP_LONG)
LOAD_ROUNDED(lexbr, BFP_EXT, BFP_SHORT)

/* --- To an integer in BFP --------------------------------------------------------------------- */

static NOINLINE void load_integer(struct cpu *cpu, const struct slot *s, enum bfp_fmt fmt)
{
	struct bfp_env env = bfp_env_m34(cpu, s);
	u128 result = bfp_load_integer(&env, fmt, fpr_get(cpu, fmt, R2));

	bfp_deliver(cpu, s, &env, fmt, result);
}

/*
 * LOAD FP INTEGER    FIEBR(A) B357, FIDBR(A) B35F, FIXBR(A) B347    R1,M3,R2,M4    [RRF-e]
 * R1 ← R2 rounded to an integer of the same format; zero and infinity as they are. CC unchanged.
 * IEEE: invalid operation (SNaN), inexact.
 * Exceptions: data (2, IEEE), specification (M3; FIXBR).    PoP ch. 19, "LOAD FP INTEGER"
 */
#define LOAD_INTEGER(name, fmt)            \
	HANDLER(name)                      \
	{                                  \
		load_integer(cpu, s, fmt); \
		NEXT(2);                   \
	}

LOAD_INTEGER(fiebr, BFP_SHORT)
LOAD_INTEGER(fidbr, BFP_LONG)
LOAD_INTEGER(fixbr, BFP_EXT)

/* --- From integers ---------------------------------------------------------------------------- */

static NOINLINE void from_int(struct cpu *cpu, const struct slot *s, enum bfp_fmt to,
			      uint64_t magnitude, bool negative)
{
	struct bfp_env env = bfp_env_m34(cpu, s);
	u128 result;

	if (BFP_HOST && to == BFP_LONG && magnitude >> 53 == 0) { /* exact */
		double v = (double)(int64_t)magnitude;

		cpu->fpr[R1] = of_double(negative ? -v : v);
		return;
	}
	result = bfp_from_int(&env, to, magnitude, negative);
	bfp_deliver(cpu, s, &env, to, result);
}

static inline void from_signed(struct cpu *cpu, const struct slot *s, enum bfp_fmt to, int64_t v)
{
	from_int(cpu, s, to, v < 0 ? -(uint64_t)v : (uint64_t)v, v < 0);
}

static inline void from_unsigned(struct cpu *cpu, const struct slot *s, enum bfp_fmt to, uint64_t v)
{
	from_int(cpu, s, to, v, false);
}

/*
 * CONVERT FROM FIXED    CEFBR(A) B394, CDFBR(A) B395, CXFBR(A) B396,
 *                       CEGBR(A) B3A4, CDGBR(A) B3A5, CXGBR(A) B3A6    R1,M3,R2,M4    [RRF-e]
 * FPR R1 ← GR R2, 32 (F) or 64 (G) bits, signed. CC unchanged.
 * IEEE: inexact.
 * Exceptions: data (2, IEEE), specification (M3; CXFBR, CXGBR).  PoP ch. 19, "CONVERT FROM FIXED"
 *
 * CONVERT FROM LOGICAL  CELFBR B390, CDLFBR B391, CXLFBR B392, CELGBR B3A0, CDLGBR B3A1, CXLGBR
 * B3A2: the same, unsigned. {37}       PoP ch. 19, "CONVERT FROM LOGICAL"
 */
#define FROM_INT(name, to, from, value)  \
	HANDLER(name)                    \
	{                                \
		from(cpu, s, to, value); \
		NEXT(2);                 \
	}

FROM_INT(cefbr, BFP_SHORT, from_signed, (int32_t)r32(R2))
FROM_INT(cdfbr, BFP_LONG, from_signed, (int32_t)r32(R2))
FROM_INT(cxfbr, BFP_EXT, from_signed, (int32_t)r32(R2))
FROM_INT(cegbr, BFP_SHORT, from_signed, (int64_t)r64(R2))
FROM_INT(cdgbr, BFP_LONG, from_signed, (int64_t)r64(R2))
FROM_INT(cxgbr, BFP_EXT, from_signed, (int64_t)r64(R2))
FROM_INT(celfbr, BFP_SHORT, from_unsigned, r32(R2))
FROM_INT(cdlfbr, BFP_LONG, from_unsigned, r32(R2))
FROM_INT(cxlfbr, BFP_EXT, from_unsigned, r32(R2))
FROM_INT(celgbr, BFP_SHORT, from_unsigned, r64(R2))
FROM_INT(cdlgbr, BFP_LONG, from_unsigned, r64(R2))
FROM_INT(cxlgbr, BFP_EXT, from_unsigned, r64(R2))

/* --- To integers ------------------------------------------------------------------------------ */

typedef unsigned int to_int_fn(struct bfp_env *env, enum bfp_fmt from, u128 a, unsigned int bits,
			       uint64_t *out);

static NOINLINE void to_int(struct cpu *cpu, const struct slot *s, enum bfp_fmt from,
			    unsigned int bits, to_int_fn *convert)
{
	struct bfp_env env = bfp_env_m34(cpu, s);
	uint64_t v = 0;
	unsigned int cc = convert(&env, from, fpr_get(cpu, from, R2), bits, &v);

	bfp_suppress(cpu, s, &env);
	if (bits == 32)
		set_r32(R1, v);
	else
		set_r64(R1, v);
	set_cc(cc);
	bfp_complete(cpu, s, &env);
}

/* CC of a number by its sign. */
static inline void cc_sign_of(struct cpu *cpu, uint64_t v)
{
	cpu->cc = v << 1 == 0 ? 0 : v >> 63 ? 1 : 2;
}

/*
 * CONVERT TO FIXED    CFEBR(A) B398, CFDBR(A) B399, CFXBR(A) B39A,
 *                     CGEBR(A) B3A8, CGDBR(A) B3A9, CGXBR(A) B3AA    R1,M3,R2,M4    [RRF-e]
 * GR R1 ← FPR R2 rounded to an integer of 32 (F) or 64 (G) bits, signed.
 * CC by the source: 0 zero, 1 less, 2 greater than zero; 3 NaN (result: the least integer) or out
 * of range (the nearest integer in it).
 * IEEE: invalid operation (CC 3; inexact as well, if not trapped), inexact.
 * Exceptions: data (2, IEEE), specification (M3; CFXBR, CGXBR).    PoP ch. 19, "CONVERT TO FIXED"
 *
 * CONVERT TO LOGICAL    CLFEBR B39C, CLFDBR B39D, CLFXBR B39E, CLGEBR B3AC, CLGDBR B3AD, CLGXBR
 * B3AE: the same, unsigned; NaNs give zero. {37}        PoP ch. 19, "CONVERT TO LOGICAL"
 */
#define TO_INT(name, from, bits, convert)            \
	HANDLER(name)                                \
	{                                            \
		to_int(cpu, s, from, bits, convert); \
		NEXT(2);                             \
	}

TO_INT(cfebr, BFP_SHORT, 32, bfp_to_fixed)
TO_INT(cfxbr, BFP_EXT, 32, bfp_to_fixed)
TO_INT(cgebr, BFP_SHORT, 64, bfp_to_fixed)
TO_INT(cgxbr, BFP_EXT, 64, bfp_to_fixed)
TO_INT(clfebr, BFP_SHORT, 32, bfp_to_logical)
TO_INT(clfdbr, BFP_LONG, 32, bfp_to_logical)
TO_INT(clfxbr, BFP_EXT, 32, bfp_to_logical)
TO_INT(clgebr, BFP_SHORT, 64, bfp_to_logical)
TO_INT(clgdbr, BFP_LONG, 64, bfp_to_logical)
TO_INT(clgxbr, BFP_EXT, 64, bfp_to_logical)

HANDLER(cfdbr)
{
	int64_t v;

	if (LIKELY(host_to_fixed(cpu, cpu->fpr[R2], 0x1p31, M3, &v))) {
		set_r32(R1, v);
		cc_sign_of(cpu, cpu->fpr[R2]);
	} else {
		to_int(cpu, s, BFP_LONG, 32, bfp_to_fixed);
	}
	NEXT(2);
}

HANDLER(cgdbr)
{
	int64_t v;

	if (LIKELY(host_to_fixed(cpu, cpu->fpr[R2], 0x1p63, M3, &v))) {
		set_r64(R1, (uint64_t)v);
		cc_sign_of(cpu, cpu->fpr[R2]);
	} else {
		to_int(cpu, s, BFP_LONG, 64, bfp_to_fixed);
	}
	NEXT(2);
}
