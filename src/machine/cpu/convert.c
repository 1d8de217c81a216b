// SPDX-License-Identifier: MIT
/*
 * Conversion between binary and packed decimal: CVB, CVD and their relatives.
 */
#include "handler.h"
#include "insn_proto.h"

typedef unsigned __int128 u128;

#define DXC_DECIMAL 0
#define SIGN_PLUS   0xcu
#define SIGN_MINUS  0xdu

/* --- Decimal to binary ------------------------------------------------------------------------ */

struct decimal {
	u128 magnitude;
	bool negative;
};

/* n nibbles, the last is the sign. Digits above 9 and signs below A are data exceptions. */
static NOINLINE struct decimal from_packed(struct cpu *cpu, const struct slot *s, u128 packed,
					   unsigned int n)
{
	unsigned int sign = (unsigned int)packed & 15;
	struct decimal d = { .negative = sign == 0xb || sign == 0xd };

	if (sign < 10)
		cpu_data_exception(cpu, s, DXC_DECIMAL);
	for (unsigned int i = n - 1; i > 0; i--) {
		unsigned int digit = (unsigned int)(packed >> (4 * i)) & 15;

		if (digit > 9)
			cpu_data_exception(cpu, s, DXC_DECIMAL);
		d.magnitude = 10 * d.magnitude + digit;
	}
	return d;
}

/*
 * CONVERT TO BINARY (32)    CVB R1,D2(X2,B2)    [RX-a]  4F
 * R1.32-63 <- the packed decimal in eight bytes. CC unchanged. Exceptions: access; data;
 * fixed-point divide (more than 32 bits; the rightmost are put into R1 nevertheless).
 *                                                              PoP ch. 7, "CONVERT TO BINARY"
 */
HANDLER(cvb)
{
	struct decimal d = from_packed(cpu, s, load64(EA_X()), 16);
	uint64_t magnitude = (uint64_t)d.magnitude;

	set_r32(R1, d.negative ? 0 - magnitude : magnitude);
	if (magnitude > INT32_MAX + (uint64_t)d.negative)
		RAISE(PGM_FIXED_DIVIDE);
	NEXT(2);
}

/* CONVERT TO BINARY (32)    CVBY R1,D2(X2,B2)    [RXY-a]  E3-06    as CVB */
HANDLER(cvb_y)
{
	struct decimal d = from_packed(cpu, s, load64(EA_X()), 16);
	uint64_t magnitude = (uint64_t)d.magnitude;

	set_r32(R1, d.negative ? 0 - magnitude : magnitude);
	if (magnitude > INT32_MAX + (uint64_t)d.negative)
		RAISE(PGM_FIXED_DIVIDE);
	NEXT(3);
}

/*
 * CONVERT TO BINARY (64)    CVBG R1,D2(X2,B2)    [RXY-a]  E3-0E
 * R1 <- the packed decimal in sixteen bytes. CC unchanged. Exceptions: access; data; fixed-point
 * divide (more than 64 bits; R1 is unchanged).                 PoP ch. 7, "CONVERT TO BINARY"
 */
HANDLER(cvbg)
{
	uint64_t va = EA_X(), high = load64(va), low = load64(ADDR(va + 8));
	struct decimal d = from_packed(cpu, s, (u128)high << 64 | low, 32);
	uint64_t magnitude = (uint64_t)d.magnitude;

	if (d.magnitude > (u128)INT64_MAX + d.negative)
		RAISE(PGM_FIXED_DIVIDE);
	set_r64(R1, d.negative ? 0 - magnitude : magnitude);
	NEXT(3);
}

/* --- Binary to decimal ------------------------------------------------------------------------ */

static NOINLINE u128 to_packed(int64_t v)
{
	uint64_t magnitude = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
	u128 packed = v < 0 ? SIGN_MINUS : SIGN_PLUS;

	for (unsigned int shift = 4; magnitude; shift += 4, magnitude /= 10)
		packed |= (u128)(magnitude % 10) << shift;
	return packed;
}

/*
 * CONVERT TO DECIMAL (32)    CVD R1,D2(X2,B2)    [RX-a]  4E
 * Stores R1.32-63 as packed decimal in eight bytes. CC unchanged. Exceptions: access.
 *                                                              PoP ch. 7, "CONVERT TO DECIMAL"
 */
HANDLER(cvd)
{
	store64(EA_X(), (uint64_t)to_packed((int32_t)r32(R1)));
	NEXT(2);
}

/* CONVERT TO DECIMAL (32)    CVDY R1,D2(X2,B2)    [RXY-a]  E3-26    as CVD */
HANDLER(cvd_y)
{
	store64(EA_X(), (uint64_t)to_packed((int32_t)r32(R1)));
	NEXT(3);
}

static NOINLINE void store_packed128(struct cpu *cpu, const struct slot *s, uint64_t va, u128 v)
{
	uint64_t halves[2] = { swap64((uint64_t)(v >> 64)), swap64((uint64_t)v) };
	struct span span;

	mem_span(cpu, s, va, sizeof(halves), ACCESS_WRITE, &span);
	memcpy(span.p[0], halves, span.n[0]);
	if (span.n[1])
		memcpy(span.p[1], (const uint8_t *)halves + span.n[0], span.n[1]);
	mem_span_written(cpu, &span);
}

/*
 * CONVERT TO DECIMAL (64)    CVDG R1,D2(X2,B2)    [RXY-a]  E3-2E
 * Stores R1 as packed decimal in sixteen bytes. CC unchanged. Exceptions: access.
 *                                                              PoP ch. 7, "CONVERT TO DECIMAL"
 */
HANDLER(cvdg)
{
	store_packed128(cpu, s, EA_X(), to_packed((int64_t)r64(R1)));
	NEXT(3);
}
