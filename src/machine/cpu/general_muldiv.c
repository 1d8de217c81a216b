// SPDX-License-Identifier: MIT
/*
 * General instructions: multiplying and dividing integers.
 *
 * PoP chapter 7, "General Instructions". No instruction here changes the CC. A pair is an even
 * register and the odd one behind it; rows demand the even number.
 */
#include "general_priv.h"
#include "insn_proto.h"

typedef unsigned __int128 u128;

/* --- Product as long as its operands ----------------------------------------------------------- */

#define PRODUCT32(name, n, b)                         \
	HANDLER(name)                                 \
	{                                             \
		uint32_t v = r32(R1) * (uint32_t)(b); \
		set_r32(R1, v);                       \
		NEXT(n);                              \
	}

#define PRODUCT64(name, n, b)                                  \
	HANDLER(name)                                          \
	{                                                      \
		uint64_t v = r64(R1) * (uint64_t)(int64_t)(b); \
		set_r64(R1, v);                                \
		NEXT(n);                                       \
	}

/*
 * MULTIPLY SINGLE  MSR B252, MSGR B90C, MSGFR B91C [RRE]; MS 71 [RX-a];
 *      MSY E351, MSG E30C, MSGF E31C [RXY-a]
 * MULTIPLY SINGLE IMMEDIATE  MSFI C2-1, MSGFI C2-0 [RIL-a]
 * MULTIPLY HALFWORD  MH 4C [RX-a]; MHY E37C [RXY-a]
 * MULTIPLY HALFWORD IMMEDIATE  MHI A7-C, MGHI A7-D [RI-a]
 * R1 = the rightmost 32 or 64 bits of R1 times the operand. Exceptions: access.
 */
PRODUCT32(msr, 2, r32(R2))
PRODUCT64(msgr, 2, r64(R2))
PRODUCT64(msgfr, 2, (int32_t)r64(R2))
PRODUCT32(ms, 2, load32(EA_X()))
PRODUCT32(msy, 3, load32(EA_X()))
PRODUCT64(msg, 3, load64(EA_X()))
PRODUCT64(msgf, 3, (int32_t)load32(EA_X()))
PRODUCT32(msfi, 3, I2)
PRODUCT64(msgfi, 3, I2)
PRODUCT32(mh, 2, (int16_t)load16(EA_X()))
PRODUCT32(mhy, 3, (int16_t)load16(EA_X()))
PRODUCT32(mhi, 2, I2)
PRODUCT64(mghi, 2, I2)

/* --- Product in a pair ------------------------------------------------------------------------- */

#define PAIR_PRODUCT32(name, n, wide, narrow, b)                  \
	HANDLER(name)                                             \
	{                                                         \
		wide v = (wide)(narrow)r32(R1 + 1) * (narrow)(b); \
		set_pair32(cpu, R1, (uint64_t)v);                 \
		NEXT(n);                                          \
	}

#define PAIR_PRODUCT64(name, n, b)                \
	HANDLER(name)                             \
	{                                         \
		u128 v = (u128)r64(R1 + 1) * (b); \
		set_r64(R1, (uint64_t)(v >> 64)); \
		set_r64(R1 + 1, (uint64_t)v);     \
		NEXT(n);                          \
	}

/*
 * MULTIPLY  MR 1C [RR]; M 5C [RX-a]; MFY E35C [RXY-a]
 * The signed product of bits 32-63 of R1 + 1 and the operand; its halves go to bits 32-63 of R1
 * and R1 + 1. Exceptions: access; specification (R1 odd).          PoP ch. 7, "MULTIPLY"
 */
PAIR_PRODUCT32(mr, 1, int64_t, int32_t, r32(R2))
PAIR_PRODUCT32(m, 2, int64_t, int32_t, load32(EA_X()))
PAIR_PRODUCT32(mfy, 3, int64_t, int32_t, load32(EA_X()))

/*
 * MULTIPLY LOGICAL  MLR B996, MLGR B986 [RRE]; ML E396, MLG E386 [RXY-a]
 * The same without signs; MLGR, MLG: of 64 by 64 bits. Exceptions: access; specification.
 */
PAIR_PRODUCT32(mlr, 2, uint64_t, uint32_t, r32(R2))
PAIR_PRODUCT32(ml, 3, uint64_t, uint32_t, load32(EA_X()))
PAIR_PRODUCT64(mlgr, 2, r64(R2))
PAIR_PRODUCT64(mlg, 3, load64(EA_X()))

/* --- Division ---------------------------------------------------------------------------------- */

static void divide32(struct cpu *cpu, const struct slot *s, int32_t divisor)
{
	int64_t dividend = (int64_t)pair32(cpu, R1), quotient;

	if (divisor == 0 || (divisor == -1 && dividend == INT64_MIN))
		RAISE(PGM_FIXED_DIVIDE);
	quotient = dividend / divisor;
	if (quotient != (int32_t)quotient)
		RAISE(PGM_FIXED_DIVIDE);
	set_r32(R1, dividend % divisor);
	set_r32(R1 + 1, quotient);
}

static void divide_logical32(struct cpu *cpu, const struct slot *s, uint32_t divisor)
{
	uint64_t dividend = pair32(cpu, R1);

	/* A zero divisor is not greater than anything. */
	if (divisor <= dividend >> 32)
		RAISE(PGM_FIXED_DIVIDE);
	set_r32(R1, dividend % divisor);
	set_r32(R1 + 1, dividend / divisor);
}

static void divide64(struct cpu *cpu, const struct slot *s, int64_t divisor)
{
	int64_t dividend = (int64_t)r64(R1 + 1);

	if (divisor == 0 || (divisor == -1 && dividend == INT64_MIN))
		RAISE(PGM_FIXED_DIVIDE);
	set_r64(R1, (uint64_t)(dividend % divisor));
	set_r64(R1 + 1, (uint64_t)(dividend / divisor));
}

static void divide_logical64(struct cpu *cpu, const struct slot *s, uint64_t divisor)
{
	uint64_t high = r64(R1), low = r64(R1 + 1);
	u128 dividend = (u128)high << 64 | low;

	if (divisor <= high)
		RAISE(PGM_FIXED_DIVIDE);
	if (LIKELY(high == 0)) {
		set_r64(R1, low % divisor);
		set_r64(R1 + 1, low / divisor);
		return;
	}
	set_r64(R1, (uint64_t)(dividend % divisor));
	set_r64(R1 + 1, (uint64_t)(dividend / divisor));
}

#define DIVIDE(name, n, how, b)   \
	HANDLER(name)             \
	{                         \
		how(cpu, s, (b)); \
		NEXT(n);          \
	}

/*
 * DIVIDE  DR 1D [RR]; D 5D [RX-a]
 * The 64-bit number in bits 32-63 of R1 and R1 + 1 by 32 bits: remainder to R1, quotient to
 * R1 + 1, the remainder's sign that of the dividend.
 * Exceptions: access; fixed-point divide (by zero, or the quotient does not fit; registers stay);
 * specification (R1 odd).                                            PoP ch. 7, "DIVIDE"
 */
DIVIDE(dr, 1, divide32, (int32_t)r64(R2))
DIVIDE(d, 2, divide32, (int32_t)load32(EA_X()))

/*
 * DIVIDE LOGICAL  DLR B997, DLGR B987 [RRE]; DL E397, DLG E387 [RXY-a]
 * The same without signs; DLGR, DLG: 128 by 64 bits. Exceptions as DIVIDE.
 */
DIVIDE(dlr, 2, divide_logical32, r32(R2))
DIVIDE(dl, 3, divide_logical32, load32(EA_X()))
DIVIDE(dlgr, 2, divide_logical64, r64(R2))
DIVIDE(dlg, 3, divide_logical64, load64(EA_X()))

/*
 * DIVIDE SINGLE  DSGR B90D, DSGFR B91D [RRE]; DSG E30D, DSGF E31D [RXY-a]
 * R1 + 1 by the operand, signed: remainder to R1, quotient to R1 + 1. Exceptions as DIVIDE.
 */
DIVIDE(dsgr, 2, divide64, (int64_t)r64(R2))
DIVIDE(dsgfr, 2, divide64, (int32_t)r64(R2))
DIVIDE(dsg, 3, divide64, (int64_t)load64(EA_X()))
DIVIDE(dsgf, 3, divide64, (int32_t)load32(EA_X()))
