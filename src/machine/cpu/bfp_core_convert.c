// SPDX-License-Identifier: MIT
/*
 * BFP arithmetic in integers: conversions between formats and to and from integers, LOAD FP
 * INTEGER and DIVIDE TO INTEGER.
 *
 * PoP chapter 19, the figures "Results: ..." of each instruction.
 */
#include "bfp_core.h"

#include "bfp_core_priv.h"

u128 bfp_load_test(struct bfp_env *env, enum bfp_fmt fmt, u128 a)
{
	struct num v = num_unpack(fmt, a);

	return v.cls == NUM_SNAN ? num_propagate(env, fmt, v, v) : a;
}

u128 bfp_load_rounded(struct bfp_env *env, enum bfp_fmt from, enum bfp_fmt to, u128 a)
{
	struct num v = num_unpack(from, a);

	if (num_is_nan(v))
		return num_propagate(env, to, v, v);
	if (v.cls != NUM_FINITE)
		return num_pack_special(to, v);
	return num_round_trap(env, to, v, from, bfp_formats[from].alpha_lr);
}

/* Always exact and in range; a subnormal number becomes a normal one. */
u128 bfp_lengthen(struct bfp_env *env, enum bfp_fmt from, enum bfp_fmt to, u128 a)
{
	return bfp_load_rounded(env, from, to, a);
}

u128 bfp_from_int(struct bfp_env *env, enum bfp_fmt to, uint64_t magnitude, bool negative)
{
	return num_round(env, to, num_normalize(negative, magnitude, 0));
}

/* --- To integer ------------------------------------------------------------------------------- */

u128 num_split(struct num v, u128 *fraction)
{
	if (v.cls == NUM_ZERO || v.exp < -1) {
		*fraction = v.cls != NUM_ZERO; /* less than a half */
		return 0;
	}
	if (v.exp == -1) {
		*fraction = v.sig;
		return 0;
	}
	*fraction = v.sig << (v.exp + 1);
	return v.sig >> (127 - v.exp);
}

u128 bfp_load_integer(struct bfp_env *env, enum bfp_fmt fmt, u128 a)
{
	struct num v = num_unpack(fmt, a);
	enum bfp_round round = (enum bfp_round)env->round;
	u128 integer, fraction;
	bool up;

	if (num_is_nan(v))
		return num_propagate(env, fmt, v, v);
	if (v.cls != NUM_FINITE || v.exp >= bfp_formats[fmt].p - 1)
		return a;
	integer = num_split(v, &fraction);
	if (fraction == 0)
		return a;
	up = num_increments(round, v.sign, integer & 1, fraction);
	num_raise_inexact(env, up);
	v = num_normalize(v.sign, integer + up, 0);
	return v.cls == NUM_ZERO ? num_pack_special(fmt, v) : num_pack_exact(fmt, v);
}

/* The largest magnitudes that fit. */
struct int_range {
	uint64_t positive, negative;
	uint64_t nan; /* result for a NaN */
};

/*
 * An operand that does not fit after rounding is invalid and, when that does not trap, inexact
 * ("truncated") as well; the result is then the nearest end of the range.
 */
static unsigned int to_int_invalid(struct bfp_env *env, struct num v, struct int_range range,
				   uint64_t *out)
{
	num_invalid(env, BFP_SHORT);
	if (env->dxc)
		return 3;
	num_raise_inexact(env, false);
	if (num_is_nan(v))
		*out = range.nan;
	else
		*out = v.sign ? -range.negative : range.positive;
	return 3;
}

static unsigned int to_int(struct bfp_env *env, enum bfp_fmt from, u128 a, struct int_range range,
			   uint64_t *out)
{
	struct num v = num_unpack(from, a);
	u128 integer, fraction;
	bool up;

	if (!num_is_finite(v) || (v.cls == NUM_FINITE && v.exp > 64))
		return to_int_invalid(env, v, range, out);
	integer = num_split(v, &fraction);
	up = num_increments((enum bfp_round)env->round, v.sign, integer & 1, fraction);
	integer += up;
	if (integer > (v.sign ? range.negative : range.positive))
		return to_int_invalid(env, v, range, out);
	if (fraction != 0)
		num_raise_inexact(env, up);
	*out = v.sign ? -(uint64_t)integer : (uint64_t)integer;
	return v.cls == NUM_ZERO ? 0 : v.sign ? 1 : 2;
}

unsigned int bfp_to_fixed(struct bfp_env *env, enum bfp_fmt from, u128 a, unsigned int bits,
			  uint64_t *out)
{
	uint64_t min = 1ull << (bits - 1);
	struct int_range range = { .positive = min - 1, .negative = min, .nan = min };

	return to_int(env, from, a, range, out);
}

unsigned int bfp_to_logical(struct bfp_env *env, enum bfp_fmt from, u128 a, unsigned int bits,
			    uint64_t *out)
{
	struct int_range range = { .positive = UINT64_MAX >> (64 - bits) };

	return to_int(env, from, a, range, out);
}

/* --- DIVIDE TO INTEGER ------------------------------------------------------------------------ */

/*
 * The quotient is 2^p or more. If it is no integer, not both of its neighbors can be represented:
 * the results are partial, the quotient truncated to p bits and the remainder exact. (An integer
 * needs p bits or less, since it divides the dividend.) Quotients beyond Nmax are scaled, which is
 * no exception.
 */
static unsigned int divide_large(struct bfp_env *env, enum bfp_fmt fmt, struct num a, struct num b,
				 u128 *quotient, u128 *remainder)
{
	const struct format *f = &bfp_formats[fmt];
	uint64_t n = (uint64_t)(a.sig >> (128 - f->p)), d = (uint64_t)(b.sig >> (128 - f->p));
	unsigned int shift = n < d ? f->p : f->p - 1u;
	u128 wide = (u128)n << shift;
	int32_t unit = a.exp - (f->p - 1) - (int32_t)shift; /* exponent of wide's last bit */
	struct num q = num_normalize(a.sign ^ b.sign, wide / d, a.exp - b.exp - (int32_t)shift);
	struct num r = num_normalize(a.sign, wide % d, unit);
	unsigned int cc = r.cls == NUM_ZERO ? 0 : 2;

	if (q.exp > f->emax) {
		q.exp -= f->alpha;
		cc |= 1;
	}
	*quotient = num_pack_exact(fmt, q);
	*remainder = num_round(env, fmt, r);
	return cc;
}

/*
 * The quotient is below 2^p: rounding gives the final one. lag is how much larger than the
 * dividend's the divisor's exponent is.
 */
static unsigned int divide_small(struct bfp_env *env, enum bfp_fmt fmt, struct num a, struct num b,
				 enum bfp_round round, u128 *quotient, u128 *remainder)
{
	const struct format *f = &bfp_formats[fmt];
	u128 n = a.sig >> (128 - f->p), d = b.sig >> (128 - f->p), integer, rest, fraction;
	int32_t lag = b.exp - a.exp;
	bool sign = a.sign ^ b.sign, up;
	struct num q, r;

	if (lag > f->p + 2) { /* less than a half */
		integer = 0;
		up = num_increments(round, sign, false, 1);
		b.sign = !a.sign;
		r = up ? num_add(a, b, (enum bfp_round)env->round) : a;
	} else {
		if (lag < 0)
			n <<= -lag;
		else
			d <<= lag;
		integer = n / d;
		rest = n % d;
		fraction = rest == 0 ? 0 : 2 * rest == d ? TOP : 2 * rest < d ? 1 : TOP | 1;
		up = num_increments(round, sign, integer & 1, fraction);
		r = num_normalize(a.sign ^ up, up ? d - rest : rest,
				  (lag < 0 ? b.exp : a.exp) - (f->p - 1));
		if (r.cls == NUM_ZERO)
			r.sign = a.sign;
	}
	q = num_normalize(sign, integer + up, 0);
	*quotient = q.cls == NUM_ZERO ? num_pack_special(fmt, q) : num_pack_exact(fmt, q);
	*remainder = num_round(env, fmt, r);
	return 0;
}

unsigned int bfp_divide_to_integer(struct bfp_env *env, enum bfp_fmt fmt, u128 a, u128 b,
				   enum bfp_round quotient_round, u128 *quotient, u128 *remainder)
{
	struct num x = num_unpack(fmt, a), y = num_unpack(fmt, b);
	struct num zero = { .cls = NUM_ZERO, .sign = x.sign ^ y.sign };
	int32_t gap;

	if (num_is_nan(x) || num_is_nan(y)) {
		*quotient = *remainder = num_propagate(env, fmt, x, y);
		return 1;
	}
	if (x.cls == NUM_INF || y.cls == NUM_ZERO) {
		*quotient = *remainder = num_invalid(env, fmt);
		return 1;
	}
	if (x.cls == NUM_ZERO || y.cls == NUM_INF) {
		*quotient = num_pack_special(fmt, zero);
		*remainder = a;
		return 0;
	}
	gap = x.exp - y.exp - bfp_formats[fmt].p;
	if (gap > 0 || (gap == 0 && x.sig >= y.sig))
		return divide_large(env, fmt, x, y, quotient, remainder);
	return divide_small(env, fmt, x, y, quotient_round, quotient, remainder);
}
