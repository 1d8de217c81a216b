// SPDX-License-Identifier: MIT
/*
 * BFP arithmetic: edges of rounding, NaNs, flags, traps, conversions and DIVIDE TO INTEGER.
 *
 * Expected values follow the PoP's figures "Results: ..."; rows marked "seen" are results of real
 * machines that other emulators' test suites have published.
 */
#include "unit.h"

#include "bfp_core.h"

#define U128(high, low) ((u128)(high) << 64 | (low))
#define NMAX_S		0x7f7fffffu
#define NMIN_S		0x00800000u

/* Outcome of one operation as a checker sees it. */
static void check(const char *row, u128 got, u128 want, const struct bfp_env *env,
		  unsigned int flags, unsigned int dxc)
{
	row_int(row, env->dxc, dxc);
	row_int(row, env->flags, flags);
	if (dxc & BFP_SUPPRESSED)
		return;
	row_int(row, (uint64_t)(got >> 64), (uint64_t)(want >> 64));
	row_int(row, (uint64_t)got, (uint64_t)want);
}

static void test_arithmetic(void **state)
{
	typedef u128 binary_fn(struct bfp_env *, enum bfp_fmt, u128, u128);
	static const struct {
		const char *name;
		binary_fn *op;
		enum bfp_fmt fmt;
		uint8_t round, traps;
		u128 a, b, want;
		uint8_t flags, dxc;
	} rows[] = {
		{ "1 + 1", bfp_add, BFP_SHORT, 4, 0, 0x3f800000, 0x3f800000, 0x40000000, 0, 0 },
		{ "1 + ulp/2, even", bfp_add, BFP_SHORT, 4, 0, 0x3f800000, 0x33800000, 0x3f800000,
		  8, 0 },
		{ "1 + ulp/2, away", bfp_add, BFP_SHORT, 1, 0, 0x3f800000, 0x33800000, 0x3f800001,
		  8, 0 },
		{ "1 + tiny, up", bfp_add, BFP_SHORT, 6, 0, 0x3f800000, 1, 0x3f800001, 8, 0 },
		{ "1 + tiny, odd", bfp_add, BFP_SHORT, 3, 0, 0x3f800000, 1, 0x3f800001, 8, 0 },
		{ "1 - tiny, zero", bfp_sub, BFP_SHORT, 5, 0, 0x3f800000, 1, 0x3f7fffff, 8, 0 },
		{ "1 - 1, even", bfp_sub, BFP_SHORT, 4, 0, 0x3f800000, 0x3f800000, 0, 0, 0 },
		{ "1 - 1, down", bfp_sub, BFP_SHORT, 7, 0, 0x3f800000, 0x3f800000, 0x80000000, 0,
		  0 },
		{ "-0 + -0", bfp_add, BFP_SHORT, 4, 0, 0x80000000, 0x80000000, 0x80000000, 0, 0 },
		{ "inexact trap, truncated", bfp_add, BFP_SHORT, 5, 8, 0x3f800000, 1, 0x3f800000, 0,
		  0x08 },
		{ "inexact trap, incremented", bfp_add, BFP_SHORT, 6, 8, 0x3f800000, 1, 0x3f800001,
		  0, 0x0c },
		{ "overflow", bfp_add, BFP_SHORT, 4, 0, NMAX_S, NMAX_S, 0x7f800000, 0x28, 0 },
		{ "overflow, zero", bfp_add, BFP_SHORT, 5, 0, NMAX_S, NMAX_S, NMAX_S, 0x28, 0 },
		{ "overflow, odd", bfp_add, BFP_SHORT, 3, 0, NMAX_S, NMAX_S, NMAX_S, 0x28, 0 },
		{ "overflow, inexact trap", bfp_add, BFP_SHORT, 4, 8, NMAX_S, NMAX_S, 0x7f800000,
		  0x20, 0x0c },
		/* 2^128 (1 - 2^-24) / 2^192 */
		{ "overflow trap", bfp_add, BFP_SHORT, 4, 0x20, NMAX_S, NMAX_S, 0x1fffffff, 0,
		  0x20 },
		{ "overflow trap, inexact", bfp_mul, BFP_SHORT, 5, 0x28, NMAX_S, NMAX_S, 0x5f7ffffe,
		  0, 0x28 },
		{ "tiny, exact", bfp_add, BFP_SHORT, 4, 0, 1, 1, 2, 0, 0 },
		{ "underflow trap, exact", bfp_add, BFP_SHORT, 4, 0x10, 1, 1, 0x55800000, 0, 0x10 },
		{ "subnormal + 0 traps", bfp_add, BFP_SHORT, 4, 0x10, 1, 0, 0x55000000, 0, 0x10 },
		{ "underflow", bfp_mul, BFP_SHORT, 4, 0, NMIN_S, 0x3f7fffff, NMIN_S, 0x18, 0 },
		{ "underflow to zero", bfp_mul, BFP_SHORT, 4, 0, 1, 1, 0, 0x18, 0 },
		{ "underflow, up", bfp_mul, BFP_SHORT, 6, 0, 1, 1, 1, 0x18, 0 },
		{ "underflow, inexact trap", bfp_mul, BFP_SHORT, 4, 8, 1, 1, 0, 0x10, 0x08 },
		{ "1 / 0", bfp_div, BFP_SHORT, 4, 0, 0x3f800000, 0x80000000, 0xff800000, 0x40, 0 },
		{ "1 / 0 trap", bfp_div, BFP_SHORT, 4, 0x40, 0x3f800000, 0, 0, 0, 0x40 },
		{ "0 / 0", bfp_div, BFP_SHORT, 4, 0x40, 0, 0, 0x7fc00000, 0x80, 0 },
		{ "infinity / 0", bfp_div, BFP_SHORT, 4, 0, 0x7f800000, 0, 0x7f800000, 0, 0 },
		{ "infinity - infinity", bfp_sub, BFP_LONG, 4, 0, 0x7ff0ull << 48, 0x7ff0ull << 48,
		  0x7ff8ull << 48, 0x80, 0 },
		{ "0 * infinity, trap", bfp_mul, BFP_LONG, 4, 0x80, 0, 0x7ff0ull << 48, 0, 0,
		  0x80 },
		{ "QNaN, SNaN", bfp_add, BFP_SHORT, 4, 0, 0x7fc00001, 0xff800002, 0xffc00002, 0x80,
		  0 },
		{ "SNaN, SNaN", bfp_add, BFP_SHORT, 4, 0, 0x7f800001, 0xff800002, 0x7fc00001, 0x80,
		  0 },
		{ "QNaN, QNaN", bfp_mul, BFP_SHORT, 4, 0, 0xffc00001, 0x7fc00002, 0xffc00001, 0,
		  0 },
		{ "subtract a QNaN", bfp_sub, BFP_SHORT, 4, 0, 0x3f800000, 0x7fc00002, 0x7fc00002,
		  0, 0 },
		{ "1 / 3, extended", bfp_div, BFP_EXT, 4, 0, U128(0x3fff000000000000, 0),
		  U128(0x4000800000000000, 0), U128(0x3ffd555555555555, 0x5555555555555555), 8, 0 },
		{ "both low halves zero", bfp_div, BFP_EXT, 7, 0, U128(0x3ffc000000000000, 0),
		  U128(0x3ff9000000400000, 0), U128(0x4001ffffff800000, 0x1ffffff8000001ff), 8, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bfp_env env = { .round = rows[i].round, .traps = rows[i].traps };
		u128 got = rows[i].op(&env, rows[i].fmt, rows[i].a, rows[i].b);

		check(rows[i].name, got, rows[i].want, &env, rows[i].flags, rows[i].dxc);
	}
}

static void test_muladd(void **state)
{
	static const struct {
		const char *name;
		u128 op1, op2, op3;
		bool subtract;
		u128 want;
		uint8_t flags;
	} rows[] = {
		{ "1 * 1 + 1", 0x3f800000, 0x3f800000, 0x3f800000, false, 0x40000000, 0 },
		{ "1 * 1 - 1", 0x3f800000, 0x3f800000, 0x3f800000, true, 0, 0 },
		/* (1 + ulp)^2 - (1 + 2 ulp) = ulp^2: a rounded product would give zero */
		{ "one rounding", 0x3f800002, 0x3f800001, 0x3f800001, true, 0x28800000, 0 },
		{ "SNaN of op3 first", 0x7f800001, 0x7f800002, 0x7f800003, false, 0x7fc00003,
		  0x80 },
		{ "SNaN of op2 next", 0x7f800001, 0x7f800002, 0x7fc00003, false, 0x7fc00002, 0x80 },
		{ "SNaN of op1, QNaN of op3", 0x7f800001, 0x3f800000, 0x7fc00003, false, 0x7fc00001,
		  0x80 },
		{ "QNaN of op3 first", 0x7fc00001, 0x7fc00002, 0x7fc00003, false, 0x7fc00003, 0 },
		{ "QNaN of op2 before op1", 0x7fc00001, 0x7fc00002, 0x3f800000, false, 0x7fc00002,
		  0 },
		{ "SNaN of op2, QNaN of op3", 0x3f800000, 0x7f800002, 0x7fc00003, false, 0x7fc00002,
		  0x80 },
		/* Of the 512 combinations that Hercules' test of MULTIPLY AND ADD lists. */
		{ "QNaN, QNaN, SNaN of op1", 0x7f8a0000, 0xffcb0000, 0xffcb0000, false, 0x7fca0000,
		  0x80 },
		{ "infinity * 0 + SNaN", 0x7f8a0000, 0, 0xff800000, false, 0x7fc00000, 0x80 },
		{ "infinity * 0 + QNaN", 0x7fc00001, 0x7f800000, 0, false, 0x7fc00000, 0x80 },
		{ "op1 QNaN keeps its sign", 0xffc00001, 0x3f800000, 0, true, 0xffc00001, 0 },
		{ "infinity - infinity", 0x7f800000, 0x7f800000, 0x3f800000, true, 0x7fc00000,
		  0x80 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bfp_env env = { .round = BFP_ROUND_TIES_EVEN };
		u128 got = bfp_muladd(&env, BFP_SHORT, rows[i].op1, rows[i].op2, rows[i].op3,
				      rows[i].subtract);

		check(rows[i].name, got, rows[i].want, &env, rows[i].flags, 0);
	}
}

static void test_formats(void **state)
{
	struct bfp_env env = { .round = BFP_ROUND_TIES_EVEN };
	u128 v;

	(void)state;
	v = bfp_lengthen(&env, BFP_SHORT, BFP_EXT, 1); /* 2^-149 */
	check("subnormal lengthened", v, U128(0x3f6a000000000000, 0), &env, 0, 0);
	v = bfp_load_rounded(&env, BFP_LONG, BFP_SHORT, 0x7ff4000000000001ull);
	check("SNaN rounded", v, 0x7fe00000, &env, 0x80, 0);
	env = (struct bfp_env){ .round = BFP_ROUND_TIES_EVEN, .traps = BFP_OVERFLOW };
	v = bfp_load_rounded(&env, BFP_LONG, BFP_SHORT, 0x7fe0000000000000ull); /* 2^1023 */
	check("overflow, long / 2^512", v, 0x5fe0000000000000ull, &env, 0, 0x20);
	env = (struct bfp_env){ .round = BFP_ROUND_TIES_EVEN, .traps = BFP_OVERFLOW };
	v = bfp_load_rounded(&env, BFP_EXT, BFP_LONG, U128(0x43ffffffffffffff, 0xf7ffffffffffffff));
	check("overflow, extended / 2^8192", v, U128(0x23ffffffffffffff, 0xf000000000000000), &env,
	      0, 0x28);
	env = (struct bfp_env){ .round = BFP_ROUND_TIES_EVEN, .traps = BFP_UNDERFLOW };
	v = bfp_load_rounded(&env, BFP_EXT, BFP_SHORT, U128(0x0001000000000000, 1));
	check("underflow, extended * 2^8192", v, U128(0x2001000000000000, 0), &env, 0, 0x18);
	env = (struct bfp_env){ .round = BFP_ROUND_TIES_EVEN };
	v = bfp_sqrt(&env, BFP_LONG, 0x4000000000000000ull);
	check("root of 2", v, 0x3ff6a09e667f3bcdull, &env, 8, 0);
	env = (struct bfp_env){ .round = BFP_ROUND_TIES_EVEN };
	v = bfp_sqrt(&env, BFP_LONG, 0x8000000000000000ull);
	check("root of -0", v, 0x8000000000000000ull, &env, 0, 0);
	v = bfp_sqrt(&env, BFP_LONG, 0xbff0000000000000ull);
	check("root of -1", v, 0x7ff8000000000000ull, &env, 0x80, 0);
}

static void test_to_integer(void **state)
{
	static const struct {
		const char *name;
		bool logical;
		unsigned int bits;
		uint8_t round;
		bool quiet;
		uint8_t traps;
		uint64_t a, want; /* long */
		unsigned int cc;
		uint8_t flags, dxc;
	} rows[] = {
		{ "2.5, even", false, 32, 4, false, 0, 0x4004000000000000, 2, 2, 8, 0 },
		{ "2.5, away", false, 32, 1, false, 0, 0x4004000000000000, 3, 2, 8, 0 },
		{ "2.5, odd", false, 32, 3, false, 0, 0x4004000000000000, 3, 2, 8, 0 },
		{ "2.5, XxC", false, 32, 4, true, 8, 0x4004000000000000, 2, 2, 0, 0 },
		{ "-0", false, 64, 4, false, 0, 0x8000000000000000, 0, 0, 0, 0 },
		{ "tiny, up", false, 64, 6, false, 0, 1, 1, 2, 8, 0 },
		{ "2^31 - 1/2, zero", false, 32, 5, false, 0, 0x41dfffffffe00000, 0x7fffffff, 2, 8,
		  0 },
		{ "2^31 - 1/2, even", false, 32, 4, false, 0, 0x41dfffffffe00000, 0x7fffffff, 3,
		  0x88, 0 },
		{ "2^63", false, 64, 4, false, 0, 0x43e0000000000000, INT64_MAX, 3, 0x88, 0 },
		{ "-2^63", false, 64, 4, false, 0, 0xc3e0000000000000, 1ull << 63, 1, 0, 0 },
		{ "2^63, XxC", false, 64, 4, true, 0, 0x43e0000000000000, INT64_MAX, 3, 0x80, 0 },
		{ "2^63, inexact trap", false, 64, 4, false, 8, 0x43e0000000000000, INT64_MAX, 3,
		  0x80, 0x08 },
		{ "2^63, inexact trap, XxC", false, 64, 4, true, 8, 0x43e0000000000000, INT64_MAX,
		  3, 0x80, 0 },
		{ "NaN", false, 64, 4, false, 0, 0x7ff8000000000000, 1ull << 63, 3, 0x88, 0 },
		{ "NaN, inexact trap", false, 64, 4, false, 8, 0x7ff8000000000000, 1ull << 63, 3,
		  0x80, 0x08 },
		{ "infinity, both traps", false, 64, 4, false, 0x88, 0x7ff0000000000000, 0, 3, 0,
		  0x80 },
		{ "NaN trap", false, 64, 4, false, 0x80, 0x7ff8000000000000, 0, 3, 0, 0x80 },
		{ "-infinity", false, 64, 4, false, 0, 0xfff0000000000000, 1ull << 63, 3, 0x88, 0 },
		{ "2^63, logical", true, 64, 4, false, 0, 0x43e0000000000000, 1ull << 63, 2, 0, 0 },
		{ "2^64, logical", true, 64, 4, false, 0, 0x43f0000000000000, UINT64_MAX, 3, 0x88,
		  0 },
		{ "2^32, logical", true, 32, 4, false, 0, 0x41f0000000000000, UINT32_MAX, 3, 0x88,
		  0 },
		{ "-1/2, logical", true, 32, 5, false, 0, 0xbfe0000000000000, 0, 1, 8, 0 },
		{ "-1, logical", true, 32, 5, false, 0, 0xbff0000000000000, 0, 3, 0x88, 0 },
		{ "NaN, logical", true, 64, 4, false, 0, 0x7ff8000000000000, 0, 3, 0x88, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bfp_env env = { .round = rows[i].round,
				       .traps = rows[i].traps,
				       .quiet_inexact = rows[i].quiet };
		uint64_t mask = UINT64_MAX >> (64 - rows[i].bits), v = 0;
		unsigned int cc = (rows[i].logical ? bfp_to_logical : bfp_to_fixed)(
			&env, BFP_LONG, rows[i].a, rows[i].bits, &v);

		check(rows[i].name, v & mask, rows[i].want, &env, rows[i].flags, rows[i].dxc);
		row_int(rows[i].name, cc, rows[i].cc);
	}
}

static void test_divide_to_integer(void **state)
{
	static const struct {
		const char *name;
		uint32_t a, b;
		uint8_t method, round, traps;
		uint32_t remainder, quotient;
		unsigned int cc;
		uint8_t flags, dxc;
	} rows[] = {
		{ "-7 / -4", 0xc0e00000, 0xc0800000, 4, 4, 0, 0x3f800000, 0x40000000, 0, 0, 0 },
		{ "-8 / 4 keeps the sign", 0xc1000000, 0x40800000, 4, 4, 0, 0x80000000, 0xc0000000,
		  0, 0, 0 },
		{ "2^26 / 3, partial (seen)", 0x4c800000, 0x40400000, 4, 4, 0, 0x40800000,
		  0x4baaaaaa, 2, 0, 0 },
		{ "partial, scaled (seen)", 0x7070ffff, 0x90909090, 4, 4, 0, 0x6431c0c0, 0xbf5562aa,
		  3, 0, 0 },
		{ "final, scaled (seen)", 0xdcdcdcdc, 0x00dcdcdc, 7, 4, 0xf8, 0x80000000,
		  0xbb800000, 1, 0, 0 },
		{ "large and exact (seen)", 0xb7b7b7b7, 0x15000000, 7, 4, 0, 0x80000000, 0xe237b7b7,
		  0, 0, 0 },
		{ "tiny quotient, up (seen)", 0x0c0c0c0c, 0x400c0c0c, 6, 4, 0, 0xc00c0c0c,
		  0x3f800000, 0, 8, 0 },
		{ "underflow trap (seen)", 0x000d0100, 0xb0b0b0b0, 6, 4, 0xf8, 0x5ed01000,
		  0x80000000, 0, 0, 0x10 },
		{ "incremented (seen)", 0x4c4c4c4c, 0xe1e1e1e1, 3, 3, 0xf8, 0xe1e1e1e1, 0xbf800000,
		  0, 0, 0x0c },
		{ "truncated (seen)", 0x09b2b2b2, 0xb2b2b2b2, 3, 3, 0xf8, 0xb2b2b2b1, 0xbf800000, 0,
		  0, 0x08 },
		{ "subnormal / infinity (seen)", 0x000000c8, 0xff800000, 3, 3, 0x78, 0x000000c8,
		  0x80000000, 0, 0, 0 },
		{ "480 / 0 (seen)", 0x43f00000, 0, 4, 4, 0, 0x7fc00000, 0x7fc00000, 1, 0x80, 0 },
		{ "QNaN / SNaN (seen)", 0xffff94ff, 0xff94ff24, 4, 3, 0, 0xffd4ff24, 0xffd4ff24, 1,
		  0x80, 0 },
		{ "2^24 + 1 halves", 0x4b800001, 0x3f800000, 4, 4, 0, 0, 0x4b800001, 0, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bfp_env env = { .round = rows[i].round, .traps = rows[i].traps };
		u128 quotient = 0, remainder = 0;
		unsigned int cc = bfp_divide_to_integer(&env, BFP_SHORT, rows[i].a, rows[i].b,
							(enum bfp_round)rows[i].method, &quotient,
							&remainder);

		check(rows[i].name, remainder, rows[i].remainder, &env, rows[i].flags, rows[i].dxc);
		row_int(rows[i].name, (uint64_t)quotient, rows[i].quotient);
		row_int(rows[i].name, cc, rows[i].cc);
	}
}

static void test_compare_and_classes(void **state)
{
	static const struct {
		const char *name;
		uint32_t a, b;
		bool signal;
		unsigned int cc;
		uint8_t flags;
		unsigned int class; /* of a */
	} rows[] = {
		{ "0 = -0", 0, 0x80000000, true, 0, 0, 0x800 },
		{ "-0 > -1", 0x80000000, 0xbf800000, true, 2, 0, 0x400 },
		{ "1 < 2", 0x3f800000, 0x40000000, true, 1, 0, 0x200 },
		{ "-1 > -2", 0xbf800000, 0xc0000000, true, 2, 0, 0x100 },
		{ "subnormal < normal", 1, NMIN_S, true, 1, 0, 0x080 },
		{ "-subnormal < 0", 0x80000001, 0, true, 1, 0, 0x040 },
		{ "infinity > Nmax", 0x7f800000, NMAX_S, true, 2, 0, 0x020 },
		{ "-infinity = -infinity", 0xff800000, 0xff800000, true, 0, 0, 0x010 },
		{ "QNaN", 0x7fc00000, 0, false, 3, 0, 0x008 },
		{ "QNaN, signal", 0xffc00000, 0, true, 3, 0x80, 0x004 },
		{ "SNaN", 0x7f800001, 0, false, 3, 0x80, 0x002 },
		{ "-SNaN", 0xff800001, 0x7fc00000, false, 3, 0x80, 0x001 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bfp_env env = { .round = BFP_ROUND_TIES_EVEN };

		row_int(rows[i].name,
			bfp_compare(&env, BFP_SHORT, rows[i].a, rows[i].b, rows[i].signal),
			rows[i].cc);
		row_int(rows[i].name, env.flags, rows[i].flags);
		row_int(rows[i].name, bfp_data_class(BFP_SHORT, rows[i].a), rows[i].class);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arithmetic),
		cmocka_unit_test(test_muladd),
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_to_integer),
		cmocka_unit_test(test_divide_to_integer),
		cmocka_unit_test(test_compare_and_classes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
