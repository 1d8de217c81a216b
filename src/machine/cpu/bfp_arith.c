// SPDX-License-Identifier: MIT
/*
 * BFP arithmetic (PoP chapter 19): add, subtract, multiply, divide, square root, multiply and
 * add, compare, test data class, divide to integer.
 *
 * Operands go to bfp_core.c unless the host's FPU does the same (bfp_host_priv.h).
 */
#include "bfp_host_priv.h"
#include "bfp_priv.h"

typedef u128 binary_fn(struct bfp_env *env, enum bfp_fmt fmt, u128 a, u128 b);

/* R1 ← R1 op b, by the core. */
static NOINLINE void binary(struct cpu *cpu, const struct slot *s, enum bfp_fmt fmt, binary_fn *op,
			    u128 b)
{
	struct bfp_env env = bfp_env(cpu);
	u128 result = op(&env, fmt, fpr_get(cpu, fmt, R1), b);

	bfp_deliver(cpu, s, &env, fmt, result);
}

/* The same with a CC of class G. */
static NOINLINE void binary_cc(struct cpu *cpu, const struct slot *s, enum bfp_fmt fmt,
			       binary_fn *op, u128 b)
{
	struct bfp_env env = bfp_env(cpu);
	u128 result = op(&env, fmt, fpr_get(cpu, fmt, R1), b);

	bfp_suppress(cpu, s, &env);
	fpr_set(cpu, fmt, R1, result);
	set_cc(bfp_cc(fmt, result));
	bfp_complete(cpu, s, &env);
}

/* CC of a sum that the host computed: a number. */
static inline void sum_cc_short(struct cpu *cpu, uint32_t v)
{
	cpu->cc = v << 1 == 0 ? 0 : v >> 31 ? 1 : 2;
}

static inline void sum_cc_long(struct cpu *cpu, uint64_t v)
{
	cpu->cc = v << 1 == 0 ? 0 : v >> 63 ? 1 : 2;
}

/* --- Add, subtract ---------------------------------------------------------------------------- */

#define SUM(name, host, core)                                                              \
	static inline void name##_short(struct cpu *cpu, const struct slot *s, uint32_t b) \
	{                                                                                  \
		uint32_t v;                                                                \
		if (UNLIKELY(!host##_short(cpu, fpr_short(cpu, R1), b, &v))) {             \
			binary_cc(cpu, s, BFP_SHORT, core, b);                             \
			return;                                                            \
		}                                                                          \
		set_fpr_short(cpu, R1, v);                                                 \
		sum_cc_short(cpu, v);                                                      \
	}                                                                                  \
	static inline void name##_long(struct cpu *cpu, const struct slot *s, uint64_t b)  \
	{                                                                                  \
		uint64_t v;                                                                \
		if (UNLIKELY(!host##_long(cpu, cpu->fpr[R1], b, &v))) {                    \
			binary_cc(cpu, s, BFP_LONG, core, b);                              \
			return;                                                            \
		}                                                                          \
		cpu->fpr[R1] = v;                                                          \
		sum_cc_long(cpu, v);                                                       \
	}

SUM(add, host_add, bfp_add)
SUM(sub, host_sub, bfp_sub)

/*
 * ADD    AEBR B30A, ADBR B31A, AXBR B34A    R1,R2    [RRE]
 *        AEB ED-0A, ADB ED-1A    R1,D2(X2,B2)    [RXE]
 * R1 ← R1 + second operand. CC: 0 zero, 1 less, 2 greater than zero, 3 NaN.
 * IEEE: invalid operation, overflow, underflow, inexact.
 * Exceptions: access (RXE), data (2, IEEE), specification (AXBR).        PoP ch. 19, "ADD"
 *
 * SUBTRACT    SEBR B30B, SDBR B31B, SXBR B34B; SEB ED-0B, SDB ED-1B    As ADD; the second operand
 * with its sign inverted, unless a NaN.        PoP ch. 19, "SUBTRACT"
 *
 * MULTIPLY    MEEBR B317, MDBR B31C, MXBR B34C; MEEB ED-17, MDB ED-1C    As ADD, CC unchanged.
 *                                              PoP ch. 19, "MULTIPLY"
 *
 * DIVIDE      DEBR B30D, DDBR B31D, DXBR B34D; DEB ED-0D, DDB ED-1D    As ADD, CC unchanged.
 * IEEE: division by zero as well.              PoP ch. 19, "DIVIDE"
 */
#define SHORT_LONG(short_name, long_name, op)           \
	HANDLER(short_name##r)                          \
	{                                               \
		op##_short(cpu, s, fpr_short(cpu, R2)); \
		NEXT(2);                                \
	}                                               \
	HANDLER(short_name)                             \
	{                                               \
		op##_short(cpu, s, load32(EA_X()));     \
		NEXT(3);                                \
	}                                               \
	HANDLER(long_name##r)                           \
	{                                               \
		op##_long(cpu, s, cpu->fpr[R2]);        \
		NEXT(2);                                \
	}                                               \
	HANDLER(long_name)                              \
	{                                               \
		op##_long(cpu, s, load64(EA_X()));      \
		NEXT(3);                                \
	}

#define EXTENDED(name, how, core)                             \
	HANDLER(name)                                         \
	{                                                     \
		how(cpu, s, BFP_EXT, core, fpr_ext(cpu, R2)); \
		NEXT(2);                                      \
	}

SHORT_LONG(aeb, adb, add)
EXTENDED(axbr, binary_cc, bfp_add)
SHORT_LONG(seb, sdb, sub)
EXTENDED(sxbr, binary_cc, bfp_sub)

/* --- Multiply, divide ------------------------------------------------------------------------- */

#define PRODUCT(name, host, core)                                                          \
	static inline void name##_short(struct cpu *cpu, const struct slot *s, uint32_t b) \
	{                                                                                  \
		uint32_t v;                                                                \
		if (LIKELY(host##_short(cpu, fpr_short(cpu, R1), b, &v)))                  \
			set_fpr_short(cpu, R1, v);                                         \
		else                                                                       \
			binary(cpu, s, BFP_SHORT, core, b);                                \
	}                                                                                  \
	static inline void name##_long(struct cpu *cpu, const struct slot *s, uint64_t b)  \
	{                                                                                  \
		uint64_t v;                                                                \
		if (LIKELY(host##_long(cpu, cpu->fpr[R1], b, &v)))                         \
			cpu->fpr[R1] = v;                                                  \
		else                                                                       \
			binary(cpu, s, BFP_LONG, core, b);                                 \
	}

PRODUCT(mul, host_mul, bfp_mul)
PRODUCT(div, host_div, bfp_div)

SHORT_LONG(meeb, mdb, mul)
EXTENDED(mxbr, binary, bfp_mul)
SHORT_LONG(deb, ddb, div)
EXTENDED(dxbr, binary, bfp_div)

static NOINLINE void mul_wide(struct cpu *cpu, const struct slot *s, enum bfp_fmt from,
			      enum bfp_fmt to, u128 b)
{
	struct bfp_env env = bfp_env(cpu);
	u128 result = bfp_mul_wide(&env, from, to, fpr_get(cpu, from, R1), b);

	bfp_deliver(cpu, s, &env, to, result);
}

/*
 * MULTIPLY    MDEBR B30C, MXDBR B307    R1,R2    [RRE]
 *             MDEB ED-0C, MXDB ED-07    R1,D2(X2,B2)    [RXE]
 * R1 (long, extended) ← R1 * second operand (both short, long), exact. CC unchanged.
 * IEEE: invalid operation.
 * Exceptions: access (RXE), data (2, IEEE), specification (MXD).    PoP ch. 19, "MULTIPLY"
 */
#define WIDE(name, from, to, load)                                  \
	HANDLER(name##r)                                            \
	{                                                           \
		mul_wide(cpu, s, from, to, fpr_get(cpu, from, R2)); \
		NEXT(2);                                            \
	}                                                           \
	HANDLER(name)                                               \
	{                                                           \
		mul_wide(cpu, s, from, to, load(EA_X()));           \
		NEXT(3);                                            \
	}

WIDE(mdeb, BFP_SHORT, BFP_LONG, load32)
WIDE(mxdb, BFP_LONG, BFP_EXT, load64)

/* --- Multiply and add ------------------------------------------------------------------------- */

static NOINLINE void muladd(struct cpu *cpu, const struct slot *s, enum bfp_fmt fmt, u128 op2,
			    bool subtract)
{
	struct bfp_env env = bfp_env(cpu);
	u128 op1 = fpr_get(cpu, fmt, R1), op3 = fpr_get(cpu, fmt, R3);
	u128 result = bfp_muladd(&env, fmt, op1, op2, op3, subtract);

	bfp_deliver(cpu, s, &env, fmt, result);
}

/*
 * MULTIPLY AND ADD    MAEBR B30E, MADBR B31E    R1,R3,R2    [RRD]
 *                     MAEB ED-0E, MADB ED-1E    R1,R3,D2(X2,B2)    [RXF]
 * R1 ← R3 * second operand + R1, rounded once. CC unchanged.
 * IEEE: invalid operation, overflow, underflow, inexact.
 * Exceptions: access (RXF), data (2, IEEE).        PoP ch. 19, "MULTIPLY AND ADD"
 *
 * MULTIPLY AND SUBTRACT    MSEBR B30F, MSDBR B31F; MSEB ED-0F, MSDB ED-1F    ... - R1.
 */
#define MULADD(name, fmt, load, subtract)                             \
	HANDLER(name##r)                                              \
	{                                                             \
		muladd(cpu, s, fmt, fpr_get(cpu, fmt, R2), subtract); \
		NEXT(2);                                              \
	}                                                             \
	HANDLER(name)                                                 \
	{                                                             \
		muladd(cpu, s, fmt, load(EA_X()), subtract);          \
		NEXT(3);                                              \
	}

MULADD(maeb, BFP_SHORT, load32, false)
MULADD(madb, BFP_LONG, load64, false)
MULADD(mseb, BFP_SHORT, load32, true)
MULADD(msdb, BFP_LONG, load64, true)

/* --- Square root ------------------------------------------------------------------------------ */

static NOINLINE void root(struct cpu *cpu, const struct slot *s, enum bfp_fmt fmt, u128 a)
{
	struct bfp_env env = bfp_env(cpu);
	u128 result = bfp_sqrt(&env, fmt, a);

	bfp_deliver(cpu, s, &env, fmt, result);
}

/*
 * SQUARE ROOT    SQEBR B314, SQDBR B315, SQXBR B316    R1,R2    [RRE]
 *                SQEB ED-14, SQDB ED-15    R1,D2(X2,B2)    [RXE]
 * R1 ← root of the second operand; -0 stays. CC unchanged.
 * IEEE: invalid operation (SNaN, negative), inexact.
 * Exceptions: access (RXE), data (2, IEEE), specification (SQXBR).    PoP ch. 19, "SQUARE ROOT"
 */
HANDLER(sqebr)
{
	root(cpu, s, BFP_SHORT, fpr_short(cpu, R2));
	NEXT(2);
}

HANDLER(sqdbr)
{
	root(cpu, s, BFP_LONG, cpu->fpr[R2]);
	NEXT(2);
}

HANDLER(sqxbr)
{
	root(cpu, s, BFP_EXT, fpr_ext(cpu, R2));
	NEXT(2);
}

HANDLER(sqeb)
{
	root(cpu, s, BFP_SHORT, load32(EA_X()));
	NEXT(3);
}

HANDLER(sqdb)
{
	root(cpu, s, BFP_LONG, load64(EA_X()));
	NEXT(3);
}

/* --- Compare, test ---------------------------------------------------------------------------- */

static NOINLINE void compare(struct cpu *cpu, const struct slot *s, enum bfp_fmt fmt, u128 b,
			     bool signal)
{
	struct bfp_env env = bfp_env(cpu);
	unsigned int cc = bfp_compare(&env, fmt, fpr_get(cpu, fmt, R1), b, signal);

	bfp_suppress(cpu, s, &env);
	set_cc(cc);
	bfp_complete(cpu, s, &env);
}

static inline void compare_short(struct cpu *cpu, const struct slot *s, uint32_t b, bool signal)
{
	uint8_t cc;

	if (LIKELY(host_compare((double)as_float(fpr_short(cpu, R1)), (double)as_float(b), &cc)))
		cpu->cc = cc;
	else
		compare(cpu, s, BFP_SHORT, b, signal);
}

static inline void compare_long(struct cpu *cpu, const struct slot *s, uint64_t b, bool signal)
{
	uint8_t cc;

	if (LIKELY(host_compare(as_double(cpu->fpr[R1]), as_double(b), &cc)))
		cpu->cc = cc;
	else
		compare(cpu, s, BFP_LONG, b, signal);
}

/*
 * COMPARE    CEBR B309, CDBR B319, CXBR B349    R1,R2    [RRE]
 *            CEB ED-09, CDB ED-19    R1,D2(X2,B2)    [RXE]
 * CC: 0 equal, 1 R1 low, 2 R1 high, 3 unordered.
 * IEEE: invalid operation (SNaN).
 * Exceptions: access (RXE), data (2, IEEE), specification (CXBR).        PoP ch. 19, "COMPARE"
 *
 * COMPARE AND SIGNAL    KEBR B308, KDBR B318, KXBR B348; KEB ED-08, KDB ED-18    A QNaN is invalid
 * as well.        PoP ch. 19, "COMPARE AND SIGNAL"
 */
#define COMPARE(letter, signal)                                     \
	HANDLER(letter##ebr)                                        \
	{                                                           \
		compare_short(cpu, s, fpr_short(cpu, R2), signal);  \
		NEXT(2);                                            \
	}                                                           \
	HANDLER(letter##dbr)                                        \
	{                                                           \
		compare_long(cpu, s, cpu->fpr[R2], signal);         \
		NEXT(2);                                            \
	}                                                           \
	HANDLER(letter##xbr)                                        \
	{                                                           \
		compare(cpu, s, BFP_EXT, fpr_ext(cpu, R2), signal); \
		NEXT(2);                                            \
	}                                                           \
	HANDLER(letter##eb)                                         \
	{                                                           \
		compare_short(cpu, s, load32(EA_X()), signal);      \
		NEXT(3);                                            \
	}                                                           \
	HANDLER(letter##db)                                         \
	{                                                           \
		compare_long(cpu, s, load64(EA_X()), signal);       \
		NEXT(3);                                            \
	}

COMPARE(c, false)
COMPARE(k, true)

static inline void test_class(struct cpu *cpu, enum bfp_fmt fmt, u128 a, uint64_t mask)
{
	cpu->cc = (bfp_data_class(fmt, a) & mask) != 0;
}

/*
 * TEST DATA CLASS    TCEB ED-10, TCDB ED-11, TCXB ED-12    R1,D2(X2,B2)    [RXE]
 * Bits 52-63 of the second-operand address select classes of R1: zero, normal, subnormal,
 * infinity, QNaN, SNaN, + before -. CC: 0 not of a selected class, 1 it is. No storage access.
 * Exceptions: data (2), specification (TCXB).        PoP ch. 19, "TEST DATA CLASS"
 */
HANDLER(tceb)
{
	test_class(cpu, BFP_SHORT, fpr_short(cpu, R1), EA_X());
	NEXT(3);
}

HANDLER(tcdb)
{
	test_class(cpu, BFP_LONG, cpu->fpr[R1], EA_X());
	NEXT(3);
}

HANDLER(tcxb)
{
	test_class(cpu, BFP_EXT, fpr_ext(cpu, R1), EA_X());
	NEXT(3);
}

/* --- Divide to integer ------------------------------------------------------------------------ */

static NOINLINE void divide_to_integer(struct cpu *cpu, const struct slot *s, enum bfp_fmt fmt)
{
	struct bfp_env env = bfp_env(cpu);
	enum bfp_round method = M4 == BFP_ROUND_FPC ? (enum bfp_round)env.round :
						      (enum bfp_round)M4;
	u128 quotient, remainder;
	unsigned int cc;

	bfp_check_method(cpu, s, M4);
	if (R1 == R2 || R1 == R3 || R2 == R3)
		RAISE(PGM_SPECIFICATION);
	cc = bfp_divide_to_integer(&env, fmt, fpr_get(cpu, fmt, R1), fpr_get(cpu, fmt, R2), method,
				   &quotient, &remainder);
	bfp_suppress(cpu, s, &env);
	fpr_set(cpu, fmt, R1, remainder);
	fpr_set(cpu, fmt, R3, quotient);
	set_cc(cc);
	bfp_complete(cpu, s, &env);
}

/*
 * DIVIDE TO INTEGER    DIEBR B353, DIDBR B35B    R1,R3,R2,M4    [RRF-b]
 * R3 ← n, R1 / R2 rounded to an integer by M4; R1 ← R1 - R2 * n, rounded by the FPC.
 * CC: 0 both are final; 1 the quotient overflowed and is scaled, or NaN; 2 both are partial;
 * 3 partial and scaled.
 * IEEE: invalid operation, underflow and inexact (of the remainder).
 * Exceptions: data (2, IEEE), specification (M4, two equal registers).
 *                                      PoP ch. 19, "DIVIDE TO INTEGER"
 */
HANDLER(diebr)
{
	divide_to_integer(cpu, s, BFP_SHORT);
	NEXT(2);
}

HANDLER(didbr)
{
	divide_to_integer(cpu, s, BFP_LONG);
	NEXT(2);
}
