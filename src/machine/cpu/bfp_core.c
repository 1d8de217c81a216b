// SPDX-License-Identifier: MIT
/*
 * BFP arithmetic in integers: unpacking, rounding, NaNs, and the four operations, square root,
 * multiply-and-add and comparison.
 *
 * PoP chapter 9, "IEEE Exceptions" (flags, traps, scaled results) and chapter 19, the figures
 * "Results: ..." of each instruction.
 */
#include "bfp_core.h"

#include "bfp_core_priv.h"

/* Scale factors: PoP chapter 9, "Scaled Results" (overflow divides, underflow multiplies). */
const struct format bfp_formats[3] = {
	[BFP_SHORT] = { .p = 24, .width = 32, .emax = 127, .alpha = 192 },
	[BFP_LONG] = { .p = 53, .width = 64, .emax = 1023, .alpha = 1536, .alpha_lr = 512 },
	[BFP_EXT] = { .p = 113, .width = 128, .emax = 16383, .alpha = 24576, .alpha_lr = 8192 },
};

/* --- Encodings -------------------------------------------------------------------------------- */

static u128 encode(const struct format *f, bool sign, unsigned int biased, u128 fraction_left)
{
	unsigned int fbits = f->p - 1u;

	/* Width and p of a format are not 0, which the analyzer does not see in the table. */
	return (u128)sign << (f->width - 1) | // NOLINT(clang-analyzer-core.*)
	       (u128)biased << fbits |
	       fraction_left >> (128 - fbits); // NOLINT(clang-analyzer-core.*)
}

struct num num_unpack(enum bfp_fmt fmt, u128 bits)
{
	const struct format *f = &bfp_formats[fmt];
	unsigned int fbits = f->p - 1u, special = 2u * (unsigned int)f->emax + 1;
	unsigned int biased = (unsigned int)(bits >> fbits) & special;
	u128 fraction = bits << (128 - fbits);
	struct num v = { .sign = bits >> (f->width - 1) & 1, .cls = NUM_FINITE };

	if (biased == special) {
		v.cls = fraction == 0 ? NUM_INF : fraction & TOP ? NUM_QNAN : NUM_SNAN;
		v.sig = fraction;
	} else if (biased != 0) {
		v.sig = TOP | fraction >> 1;
		v.exp = (int32_t)biased - f->emax;
	} else if (fraction == 0) {
		v.cls = NUM_ZERO;
	} else {
		unsigned int zeros = clz128(fraction);

		v.sig = fraction << zeros;
		v.exp = -f->emax - (int32_t)zeros;
	}
	return v;
}

u128 num_pack_special(enum bfp_fmt fmt, struct num v)
{
	const struct format *f = &bfp_formats[fmt];
	unsigned int special = 2u * (unsigned int)f->emax + 1;

	if (v.cls == NUM_ZERO)
		return encode(f, v.sign, 0, 0);
	return encode(f, v.sign, special, v.cls == NUM_INF ? 0 : v.sig | TOP);
}

/* exp is at least emin; without TOP, sig is subnormal (and exp is emin). */
static u128 pack_finite(const struct format *f, bool sign, int32_t exp, u128 sig)
{
	return encode(f, sign, sig & TOP ? (unsigned int)(exp + f->emax) : 0, sig << 1);
}

u128 num_pack_exact(enum bfp_fmt fmt, struct num v)
{
	return pack_finite(&bfp_formats[fmt], v.sign, v.exp, v.sig);
}

struct num num_normalize(bool sign, u128 magnitude, int32_t exp_of_bit0)
{
	struct num v = { .sign = sign, .cls = NUM_ZERO };
	unsigned int zeros;

	if (magnitude == 0)
		return v;
	zeros = clz128(magnitude);
	v.cls = NUM_FINITE;
	v.sig = magnitude << zeros;
	v.exp = exp_of_bit0 + 127 - (int32_t)zeros;
	return v;
}

/* --- Rounding and exceptions ------------------------------------------------------------------ */

bool num_increments(enum bfp_round round, bool sign, bool odd, u128 fraction)
{
	switch (round) {
	case BFP_ROUND_TIES_EVEN:
		return fraction > TOP || (fraction == TOP && odd);
	case BFP_ROUND_TIES_AWAY:
		return fraction >= TOP;
	case BFP_ROUND_SHORTER:
		return fraction != 0 && !odd;
	case BFP_ROUND_UP:
		return fraction != 0 && !sign;
	case BFP_ROUND_DOWN:
		return fraction != 0 && sign;
	default:
		return false;
	}
}

void num_raise_inexact(struct bfp_env *env, bool incremented)
{
	if (env->quiet_inexact)
		return;
	if (env->traps & BFP_INEXACT)
		env->dxc = BFP_INEXACT | (incremented ? BFP_INCREMENTED : 0);
	else
		env->flags |= BFP_INEXACT;
}

u128 num_invalid(struct bfp_env *env, enum bfp_fmt fmt)
{
	if (env->traps & BFP_INVALID)
		env->dxc = BFP_INVALID;
	else
		env->flags |= BFP_INVALID;
	return num_pack_special(fmt, (struct num){ .cls = NUM_QNAN });
}

u128 num_propagate(struct bfp_env *env, enum bfp_fmt fmt, struct num a, struct num b)
{
	if (a.cls == NUM_SNAN || b.cls == NUM_SNAN) {
		num_invalid(env, fmt);
		return num_pack_special(fmt, a.cls == NUM_SNAN ? a : b);
	}
	return num_pack_special(fmt, num_is_nan(a) ? a : b);
}

/* Overflow without a trap: infinity or Nmax, by the rounding method and the sign. */
static u128 overflowed(struct bfp_env *env, enum bfp_fmt fmt, bool sign)
{
	const struct format *f = &bfp_formats[fmt];
	enum bfp_round round = (enum bfp_round)env->round;
	bool infinite = round == BFP_ROUND_TIES_EVEN || round == BFP_ROUND_TIES_AWAY ||
			(round == BFP_ROUND_UP && !sign) || (round == BFP_ROUND_DOWN && sign);

	env->flags |= BFP_OVERFLOW;
	num_raise_inexact(env, infinite);
	if (infinite)
		return num_pack_special(fmt, (struct num){ .cls = NUM_INF, .sign = sign });
	return pack_finite(f, sign, f->emax, ~(u128)0);
}

/*
 * Tininess is detected before rounding. A trapped underflow needs tininess only, an untrapped one
 * a loss of accuracy as well. A trapped overflow or underflow tells of inexactness in its DXC:
 * the inexact exception is not recognized along with it.
 * INFERRED: that DXC is not changed by XxC, which hides an exception, not a fact about the result.
 */
u128 num_round_trap(struct bfp_env *env, enum bfp_fmt fmt, struct num v, enum bfp_fmt trap_fmt,
		    int alpha)
{
	const struct format *f = &bfp_formats[fmt];
	int32_t emin = 1 - f->emax;
	bool tiny = v.exp < emin;
	/* p of a format is 24, 53 or 113, which the analyzer does not see in the table. */
	u128 unit = (u128)1 << (128 - f->p), lost; // NOLINT(clang-analyzer-core.*)
	bool up;
	uint8_t how;

	if (tiny && !(env->traps & BFP_UNDERFLOW)) {
		v.sig = shift_right_sticky(v.sig, (unsigned int)(emin - v.exp));
		v.exp = emin;
	}
	lost = v.sig << f->p;
	up = num_increments((enum bfp_round)env->round, v.sign, v.sig & unit, lost);
	v.sig &= ~(unit - 1);
	if (up) {
		v.sig += unit;
		if (v.sig == 0) {
			v.sig = TOP;
			v.exp++;
		}
	}
	how = lost == 0 ? 0 : up ? BFP_INEXACT | BFP_INCREMENTED : BFP_INEXACT;

	if (tiny && env->traps & BFP_UNDERFLOW) {
		env->dxc = BFP_UNDERFLOW | how;
		return pack_finite(&bfp_formats[trap_fmt], v.sign, v.exp + alpha, v.sig);
	}
	if (v.exp > f->emax) {
		if (!(env->traps & BFP_OVERFLOW))
			return overflowed(env, fmt, v.sign);
		env->dxc = BFP_OVERFLOW | how;
		return pack_finite(&bfp_formats[trap_fmt], v.sign, v.exp - alpha, v.sig);
	}
	if (how) {
		if (tiny)
			env->flags |= BFP_UNDERFLOW;
		num_raise_inexact(env, up);
	}
	return pack_finite(f, v.sign, v.exp, v.sig);
}

u128 num_round(struct bfp_env *env, enum bfp_fmt fmt, struct num v)
{
	if (v.cls == NUM_ZERO)
		return num_pack_special(fmt, v);
	return num_round_trap(env, fmt, v, fmt, bfp_formats[fmt].alpha);
}

/* --- Addition --------------------------------------------------------------------------------- */

/*
 * Significands have zeros in their last bits (15 at least), so that a sticky bit in bit 0 decides
 * correctly: only operands whose exponents differ by less than two cancel more than one bit, and
 * those lose nothing in the alignment.
 */
struct num num_add(struct num a, struct num b, enum bfp_round round)
{
	u128 sum;

	if (a.cls == NUM_ZERO || b.cls == NUM_ZERO) {
		if (a.cls != NUM_ZERO || b.cls != NUM_ZERO)
			return a.cls == NUM_ZERO ? b : a;
		if (a.sign != b.sign)
			a.sign = round == BFP_ROUND_DOWN;
		return a;
	}
	if (b.exp > a.exp || (b.exp == a.exp && b.sig > a.sig)) {
		struct num swap = a;

		a = b;
		b = swap;
	}
	b.sig = shift_right_sticky(b.sig, (unsigned int)(a.exp - b.exp));
	if (a.sign == b.sign) {
		sum = a.sig + b.sig;
		if (sum < a.sig) {
			a.sig = TOP | sum >> 1 | (sum & 1);
			a.exp++;
			return a;
		}
		a.sig = sum;
		return a;
	}
	sum = a.sig - b.sig;
	if (sum == 0)
		return (struct num){ .cls = NUM_ZERO, .sign = round == BFP_ROUND_DOWN };
	return num_normalize(a.sign, sum, a.exp - 127);
}

static u128 add_special(struct bfp_env *env, enum bfp_fmt fmt, struct num a, struct num b)
{
	if (a.cls == NUM_INF && b.cls == NUM_INF && a.sign != b.sign)
		return num_invalid(env, fmt);
	return num_pack_special(fmt, a.cls == NUM_INF ? a : b);
}

u128 bfp_add(struct bfp_env *env, enum bfp_fmt fmt, u128 a, u128 b)
{
	struct num x = num_unpack(fmt, a), y = num_unpack(fmt, b);

	if (num_is_nan(x) || num_is_nan(y))
		return num_propagate(env, fmt, x, y);
	if (!num_is_finite(x) || !num_is_finite(y))
		return add_special(env, fmt, x, y);
	return num_round(env, fmt, num_add(x, y, (enum bfp_round)env->round));
}

/* A NaN takes part with its sign unchanged. */
u128 bfp_sub(struct bfp_env *env, enum bfp_fmt fmt, u128 a, u128 b)
{
	struct num y = num_unpack(fmt, b);

	if (!num_is_nan(y))
		b ^= (u128)1 << (bfp_formats[fmt].width - 1);
	return bfp_add(env, fmt, a, b);
}

/* --- Multiplication --------------------------------------------------------------------------- */

/* The upper 128 bits of a product, sticky. */
static u128 mul_high(u128 a, u128 b)
{
	uint64_t a1 = (uint64_t)(a >> 64), a0 = (uint64_t)a;
	uint64_t b1 = (uint64_t)(b >> 64), b0 = (uint64_t)b;
	u128 high = (u128)a1 * b1, mid1 = (u128)a1 * b0, mid2 = (u128)a0 * b1, low = (u128)a0 * b0;
	u128 mid = (low >> 64) + (uint64_t)mid1 + (uint64_t)mid2;

	high += (mid1 >> 64) + (mid2 >> 64) + (mid >> 64);
	return high | ((uint64_t)mid != 0 || (uint64_t)low != 0);
}

/* Product of finite numbers; exact when both have 64 bits or less. */
static struct num mul_finite(struct num a, struct num b)
{
	struct num v = { .cls = NUM_ZERO, .sign = a.sign ^ b.sign };

	if (a.cls == NUM_ZERO || b.cls == NUM_ZERO)
		return v;
	v.cls = NUM_FINITE;
	v.exp = a.exp + b.exp + 1;
	v.sig = mul_high(a.sig, b.sig);
	if (!(v.sig & TOP)) {
		v.sig = v.sig << 1;
		v.exp--;
	}
	return v;
}

/* Infinity times something that is not a NaN. */
static bool mul_is_invalid(struct num a, struct num b)
{
	return (a.cls == NUM_INF && b.cls == NUM_ZERO) || (a.cls == NUM_ZERO && b.cls == NUM_INF);
}

u128 bfp_mul_wide(struct bfp_env *env, enum bfp_fmt from, enum bfp_fmt to, u128 a, u128 b)
{
	struct num x = num_unpack(from, a), y = num_unpack(from, b);

	if (num_is_nan(x) || num_is_nan(y))
		return num_propagate(env, to, x, y);
	if (mul_is_invalid(x, y))
		return num_invalid(env, to);
	if (x.cls == NUM_INF || y.cls == NUM_INF)
		return num_pack_special(to,
					(struct num){ .cls = NUM_INF, .sign = x.sign ^ y.sign });
	return num_round(env, to, mul_finite(x, y));
}

u128 bfp_mul(struct bfp_env *env, enum bfp_fmt fmt, u128 a, u128 b)
{
	return bfp_mul_wide(env, fmt, fmt, a, b);
}

/*
 * PoP chapter 19, "Results: MULTIPLY AND ADD": the product of the third and the second operand
 * first, an SNaN of theirs (or infinity times zero) being final; then the sum with the first
 * operand, where an SNaN of the first goes before a QNaN that came out of the product.
 */
u128 bfp_muladd(struct bfp_env *env, enum bfp_fmt fmt, u128 op1, u128 op2, u128 op3, bool subtract)
{
	struct num a = num_unpack(fmt, op3), b = num_unpack(fmt, op2), c = num_unpack(fmt, op1);
	struct num product;

	if (num_is_nan(a) || num_is_nan(b)) {
		struct num nan = num_is_nan(a) ? a : b;

		if (a.cls == NUM_SNAN || b.cls == NUM_SNAN)
			return num_propagate(env, fmt, a, b);
		return num_propagate(env, fmt, nan, c);
	}
	if (mul_is_invalid(a, b))
		return num_invalid(env, fmt);
	if (num_is_nan(c))
		return num_propagate(env, fmt, c, c);
	c.sign ^= subtract;
	if (a.cls == NUM_INF || b.cls == NUM_INF) {
		product = (struct num){ .cls = NUM_INF, .sign = a.sign ^ b.sign };
		return add_special(env, fmt, product, c);
	}
	if (c.cls == NUM_INF)
		return num_pack_special(fmt, c);
	return num_round(env, fmt, num_add(mul_finite(a, b), c, (enum bfp_round)env->round));
}

/* --- Division, square root -------------------------------------------------------------------- */

/* One digit of 64 bits: r * 2^64 / d, where r < d and d has its top bit; the remainder in r. */
static uint64_t div_digit(u128 *r, u128 d)
{
	uint64_t high = (uint64_t)(d >> 64);
	uint64_t q = (uint64_t)(*r >> 64) >= high ? UINT64_MAX : (uint64_t)(*r / high);
	u128 left = *r - (u128)q * high, right = (u128)q * (uint64_t)d;
	bool negative = left >> 64 == 0 && left << 64 < right;

	*r = (left << 64) - right;
	while (negative) {
		q--;
		*r += d;
		negative = *r >= d;
	}
	return q;
}

/* Quotient of significands a < b < 2a: 64 bits or, for extended data, 128; sticky. */
static u128 div_significands(u128 a, u128 b, bool extended)
{
	u128 q;

	if (!extended) {
		uint64_t d = (uint64_t)(b >> 64);

		q = a / d;
		return q << 64 | (a - q * d != 0);
	}
	q = (u128)div_digit(&a, b) << 64;
	q |= div_digit(&a, b);
	return q | (a != 0);
}

u128 bfp_div(struct bfp_env *env, enum bfp_fmt fmt, u128 a, u128 b)
{
	struct num x = num_unpack(fmt, a), y = num_unpack(fmt, b);
	struct num v = { .cls = NUM_FINITE, .sign = x.sign ^ y.sign };

	if (num_is_nan(x) || num_is_nan(y))
		return num_propagate(env, fmt, x, y);
	if (x.cls == y.cls && x.cls != NUM_FINITE) /* 0/0, infinity/infinity */
		return num_invalid(env, fmt);
	if (x.cls == NUM_INF || y.cls == NUM_ZERO) {
		v.cls = NUM_INF;
		if (x.cls == NUM_FINITE && env->traps & BFP_DIVIDE)
			env->dxc = BFP_DIVIDE;
		else if (x.cls == NUM_FINITE)
			env->flags |= BFP_DIVIDE;
		return num_pack_special(fmt, v);
	}
	if (x.cls == NUM_ZERO || y.cls == NUM_INF) {
		v.cls = NUM_ZERO;
		return num_pack_special(fmt, v);
	}
	v.exp = x.exp - y.exp;
	if (x.sig < y.sig)
		v.exp--;
	else
		x.sig >>= 1;
	v.sig = div_significands(x.sig, y.sig, fmt == BFP_EXT);
	return num_round(env, fmt, v);
}

/* Root of x * 2^-126, 1 <= x < 4, digit by digit: n bits, left-aligned, sticky. */
static u128 sqrt_significand(u128 x, unsigned int n)
{
	u128 rest = 0, root = 0;

	for (unsigned int i = 0; i < n; i++) {
		u128 trial;

		rest = rest << 2 | x >> 126;
		x <<= 2;
		trial = root << 2 | 1;
		root <<= 1;
		if (rest >= trial) {
			rest -= trial;
			root |= 1;
		}
	}
	return root << (128 - n) | (rest != 0);
}

u128 bfp_sqrt(struct bfp_env *env, enum bfp_fmt fmt, u128 a)
{
	struct num v = num_unpack(fmt, a);

	if (num_is_nan(v))
		return num_propagate(env, fmt, v, v);
	if (v.cls == NUM_ZERO)
		return a;
	if (v.sign)
		return num_invalid(env, fmt);
	if (v.cls == NUM_INF)
		return a;
	v.sig = sqrt_significand(v.exp & 1 ? v.sig : v.sig >> 1, bfp_formats[fmt].p + 2u);
	v.exp = (v.exp - (v.exp & 1)) / 2;
	return num_round(env, fmt, v);
}

/* --- Comparison, classes ---------------------------------------------------------------------- */

/* Order of magnitudes: infinity has the largest exponent. */
static int compare_magnitude(struct num a, struct num b)
{
	if (a.cls != b.cls)
		return a.cls < b.cls ? -1 : 1;
	if (a.cls != NUM_FINITE)
		return 0;
	if (a.exp != b.exp)
		return a.exp < b.exp ? -1 : 1;
	return a.sig < b.sig ? -1 : a.sig > b.sig;
}

unsigned int bfp_compare(struct bfp_env *env, enum bfp_fmt fmt, u128 a, u128 b, bool signal)
{
	struct num x = num_unpack(fmt, a), y = num_unpack(fmt, b);
	int order;

	if (num_is_nan(x) || num_is_nan(y)) {
		if (signal || x.cls == NUM_SNAN || y.cls == NUM_SNAN)
			num_invalid(env, fmt);
		return 3;
	}
	if (x.cls == NUM_ZERO && y.cls == NUM_ZERO)
		return 0;
	if (x.sign != y.sign)
		return x.sign ? 1 : 2;
	order = compare_magnitude(x, y);
	if (x.sign)
		order = -order;
	return order < 0 ? 1 : order > 0 ? 2 : 0;
}

unsigned int bfp_cc(enum bfp_fmt fmt, u128 a)
{
	struct num v = num_unpack(fmt, a);

	if (num_is_nan(v))
		return 3;
	if (v.cls == NUM_ZERO)
		return 0;
	return v.sign ? 1 : 2;
}

unsigned int bfp_data_class(enum bfp_fmt fmt, u128 a)
{
	struct num v = num_unpack(fmt, a);
	unsigned int bit = 0; /* of the positive datum, from the left */

	switch (v.cls) {
	case NUM_FINITE:
		bit = v.exp < 1 - bfp_formats[fmt].emax ? 4 : 2;
		break;
	case NUM_INF:
		bit = 6;
		break;
	case NUM_QNAN:
		bit = 8;
		break;
	case NUM_SNAN:
		bit = 10;
		break;
	}
	return 0x800u >> (bit + v.sign);
}
