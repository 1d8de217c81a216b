// SPDX-License-Identifier: MIT
/*
 * Loads, stores and sign operations: floating-point-support instructions (PoP chapter 9), which
 * take data as it is, and the BFP loads (chapter 19) that set the CC.
 *
 * The support instructions do not need CR0.45 for registers 0, 2, 4 and 6: their rows have no AFP
 * flag, and they check it themselves (data exception, DXC 1).
 */
#include "bfp_priv.h"

#define SIGN BIT64(0)

static inline void need_afp(struct cpu *cpu, const struct slot *s, unsigned int n)
{
	if (UNLIKELY(!(cpu->cr[0] & CR0_AFP)) && n & ~6u)
		cpu_data_exception(cpu, s, DXC_AFP_REGISTER);
}

/* --- Copies ----------------------------------------------------------------------------------- */

/*
 * LOAD    LER R1,R2    [RR]    38
 * R1.0-31 ← R2.0-31; the rest of R1 is unchanged. CC unchanged.
 * Exceptions: data (1).        PoP ch. 9, "LOAD"
 */
HANDLER(ler)
{
	need_afp(cpu, s, R1 | R2);
	set_fpr_short(cpu, R1, fpr_short(cpu, R2));
	NEXT(1);
}

/* LOAD    LDR R1,R2    [RR]    28    R1 ← R2, 64 bits. As LER. */
HANDLER(ldr)
{
	need_afp(cpu, s, R1 | R2);
	cpu->fpr[R1] = cpu->fpr[R2];
	NEXT(1);
}

/* LOAD    LXR R1,R2    [RRE]    B365    R1 ← R2, register pairs. As LER; specification. */
HANDLER(lxr)
{
	need_afp(cpu, s, R1 | R2);
	set_fpr_ext(cpu, R1, fpr_ext(cpu, R2));
	NEXT(2);
}

static inline void load_short(struct cpu *cpu, const struct slot *s)
{
	need_afp(cpu, s, R1);
	set_fpr_short(cpu, R1, load32(EA_X()));
}

static inline void load_long(struct cpu *cpu, const struct slot *s)
{
	need_afp(cpu, s, R1);
	cpu->fpr[R1] = load64(EA_X());
}

static inline void store_short(struct cpu *cpu, const struct slot *s)
{
	need_afp(cpu, s, R1);
	store32(EA_X(), fpr_short(cpu, R1));
}

static inline void store_long(struct cpu *cpu, const struct slot *s)
{
	need_afp(cpu, s, R1);
	store64(EA_X(), cpu->fpr[R1]);
}

/*
 * LOAD    LE R1,D2(X2,B2)    [RX]    78    and LEY    [RXY]    ED-64
 * R1.0-31 ← storage word; the rest of R1 is unchanged.
 * Exceptions: access, data (1).        PoP ch. 9, "LOAD"
 */
HANDLER(le)
{
	load_short(cpu, s);
	NEXT(2);
}

HANDLER(ley)
{
	load_short(cpu, s);
	NEXT(3);
}

/* LOAD    LD R1,D2(X2,B2)    [RX]    68    and LDY    [RXY]    ED-65    As LE, 64 bits. */
HANDLER(ld)
{
	load_long(cpu, s);
	NEXT(2);
}

HANDLER(ldy)
{
	load_long(cpu, s);
	NEXT(3);
}

/*
 * STORE    STE R1,D2(X2,B2)    [RX]    70    and STEY    [RXY]    ED-66
 * Storage word ← R1.0-31.
 * Exceptions: access, data (1).        PoP ch. 9, "STORE"
 */
HANDLER(ste)
{
	store_short(cpu, s);
	NEXT(2);
}

HANDLER(stey)
{
	store_short(cpu, s);
	NEXT(3);
}

/* STORE    STD R1,D2(X2,B2)    [RX]    60    and STDY    [RXY]    ED-67    As STE, 64 bits. */
HANDLER(std)
{
	store_long(cpu, s);
	NEXT(2);
}

HANDLER(stdy)
{
	store_long(cpu, s);
	NEXT(3);
}

/*
 * LOAD ZERO    LZER R1    [RRE]    B374
 * R1.0-31 ← +0; the rest of R1 is unchanged.
 * Exceptions: data (1).        PoP ch. 9, "LOAD ZERO"
 */
HANDLER(lzer)
{
	need_afp(cpu, s, R1);
	set_fpr_short(cpu, R1, 0);
	NEXT(2);
}

/* LOAD ZERO    LZDR R1    [RRE]    B375    64 bits. As LZER. */
HANDLER(lzdr)
{
	need_afp(cpu, s, R1);
	cpu->fpr[R1] = 0;
	NEXT(2);
}

/* LOAD ZERO    LZXR R1    [RRE]    B376    A register pair. As LZER; specification. */
HANDLER(lzxr)
{
	need_afp(cpu, s, R1);
	set_fpr_ext(cpu, R1, 0);
	NEXT(2);
}

/*
 * LOAD FPR FROM GR    LDGR R1,R2    [RRE]    B3C1
 * FPR R1 ← GR R2, 64 bits. CC unchanged.
 * Exceptions: data (1).        PoP ch. 9, "LOAD FPR FROM GR"
 */
HANDLER(ldgr)
{
	need_afp(cpu, s, R1);
	cpu->fpr[R1] = r64(R2);
	NEXT(2);
}

/*
 * LOAD GR FROM FPR    LGDR R1,R2    [RRE]    B3CD
 * GR R1 ← FPR R2, 64 bits. CC unchanged.
 * Exceptions: data (1).        PoP ch. 9, "LOAD GR FROM FPR"
 */
HANDLER(lgdr)
{
	need_afp(cpu, s, R2);
	set_r64(R1, cpu->fpr[R2]);
	NEXT(2);
}

/* --- Signs without CC ------------------------------------------------------------------------- */

/*
 * LOAD POSITIVE    LPDFR R1,R2    [RRE]    B370
 * R1 ← R2 with sign bit zero, whatever it is. CC unchanged.
 * Exceptions: data (1).        PoP ch. 9, "LOAD POSITIVE"
 */
HANDLER(lpdfr)
{
	need_afp(cpu, s, R1 | R2);
	cpu->fpr[R1] = cpu->fpr[R2] & ~SIGN;
	NEXT(2);
}

/* LOAD NEGATIVE    LNDFR R1,R2    [RRE]    B371    Sign bit one. As LPDFR. */
HANDLER(lndfr)
{
	need_afp(cpu, s, R1 | R2);
	cpu->fpr[R1] = cpu->fpr[R2] | SIGN;
	NEXT(2);
}

/* LOAD COMPLEMENT    LCDFR R1,R2    [RRE]    B373    Sign bit inverted. As LPDFR. */
HANDLER(lcdfr)
{
	need_afp(cpu, s, R1 | R2);
	cpu->fpr[R1] = cpu->fpr[R2] ^ SIGN;
	NEXT(2);
}

/*
 * COPY SIGN    CPSDR R1,R3,R2    [RRF-b]    B372
 * R1 ← R2 with the sign bit of R3. CC unchanged.
 * Exceptions: data (1).        PoP ch. 9, "COPY SIGN"
 */
HANDLER(cpsdr)
{
	need_afp(cpu, s, R1 | R2 | R3);
	cpu->fpr[R1] = (cpu->fpr[R2] & ~SIGN) | (cpu->fpr[R3] & SIGN);
	NEXT(2);
}

/* --- Loads with CC ---------------------------------------------------------------------------- */

/* CC class G of an encoding whose sign and fraction are left-aligned; infinity is the largest. */
static inline void cc_of(struct cpu *cpu, u128 left, u128 infinity)
{
	u128 magnitude = left << 1;

	if (magnitude > infinity << 1)
		cpu->cc = 3;
	else
		cpu->cc = magnitude == 0 ? 0 : left >> 127 ? 1 : 2;
}

#define INF_SHORT ((u128)0x7f800000u << 96)
#define INF_LONG  ((u128)0x7ff0000000000000u << 64)
#define INF_EXT	  ((u128)0x7fff000000000000u << 64)

static inline void put_short_cc(struct cpu *cpu, unsigned int n, uint32_t v)
{
	set_fpr_short(cpu, n, v);
	cc_of(cpu, (u128)v << 96, INF_SHORT);
}

static inline void put_long_cc(struct cpu *cpu, unsigned int n, uint64_t v)
{
	cpu->fpr[n] = v;
	cc_of(cpu, (u128)v << 64, INF_LONG);
}

static inline void put_ext_cc(struct cpu *cpu, unsigned int n, u128 v)
{
	set_fpr_ext(cpu, n, v);
	cc_of(cpu, v, INF_EXT);
}

/*
 * LOAD POSITIVE    LPEBR B300, LPDBR B310, LPXBR B340    R1,R2    [RRE]
 * R1 ← R2 with sign bit zero, NaNs as well. CC: 0 zero, 2 greater than zero, 3 NaN.
 * Exceptions: data (2), specification (LPXBR).        PoP ch. 19, "LOAD POSITIVE"
 *
 * LOAD NEGATIVE    LNEBR B301, LNDBR B311, LNXBR B341    Sign bit one. CC: 0, 1, 3.
 * LOAD COMPLEMENT  LCEBR B303, LCDBR B313, LCXBR B343    Sign bit inverted. CC: 0, 1, 2, 3.
 */
#define SIGN_OPERATION(name, op)                                                    \
	HANDLER(name##ebr)                                                          \
	{                                                                           \
		put_short_cc(cpu, R1, fpr_short(cpu, R2) op(uint32_t)(SIGN >> 32)); \
		NEXT(2);                                                            \
	}                                                                           \
	HANDLER(name##dbr)                                                          \
	{                                                                           \
		put_long_cc(cpu, R1, cpu->fpr[R2] op SIGN);                         \
		NEXT(2);                                                            \
	}                                                                           \
	HANDLER(name##xbr)                                                          \
	{                                                                           \
		put_ext_cc(cpu, R1, fpr_ext(cpu, R2) op((u128)SIGN << 64));         \
		NEXT(2);                                                            \
	}

#define AND_NOT &~
SIGN_OPERATION(lp, AND_NOT)
SIGN_OPERATION(ln, |)
SIGN_OPERATION(lc, ^)

/* An SNaN, the one case of LOAD AND TEST that needs the arithmetic. */
static NOINLINE u128 load_test_nan(struct cpu *cpu, const struct slot *s, enum bfp_fmt fmt)
{
	struct bfp_env env = bfp_env(cpu);
	u128 v = bfp_load_test(&env, fmt, fpr_get(cpu, fmt, R2));

	bfp_suppress(cpu, s, &env);
	bfp_complete(cpu, s, &env);
	return v;
}

/*
 * LOAD AND TEST    LTEBR B302, LTDBR B312, LTXBR B342    R1,R2    [RRE]
 * R1 ← R2, an SNaN made quiet. CC: 0 zero, 1 less, 2 greater than zero, 3 NaN.
 * IEEE: invalid operation (SNaN).
 * Exceptions: data (2, IEEE), specification (LTXBR).    PoP ch. 19, "LOAD AND TEST"
 */
HANDLER(ltebr)
{
	uint32_t v = fpr_short(cpu, R2);

	if (UNLIKELY(v << 1 > 0xff000000u))
		v = (uint32_t)load_test_nan(cpu, s, BFP_SHORT);
	put_short_cc(cpu, R1, v);
	NEXT(2);
}

HANDLER(ltdbr)
{
	uint64_t v = cpu->fpr[R2];

	if (UNLIKELY(v << 1 > 0xffe0000000000000u))
		v = (uint64_t)load_test_nan(cpu, s, BFP_LONG);
	put_long_cc(cpu, R1, v);
	NEXT(2);
}

HANDLER(ltxbr)
{
	u128 v = fpr_ext(cpu, R2);

	if (UNLIKELY(v << 1 > INF_EXT << 1))
		v = load_test_nan(cpu, s, BFP_EXT);
	put_ext_cc(cpu, R1, v);
	NEXT(2);
}
