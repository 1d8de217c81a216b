// SPDX-License-Identifier: MIT
/*
 * Clock instructions (PoP chapter 4, "Timing", and chapters 7 and 10; machine.md section 5).
 */
#include "control_priv.h"
#include "intr.h"

/*
 * SET CLOCK    SCK D2(B2)    [S]  B204
 * Sets the TOD clock of the configuration. CC: 0 set.
 * Exceptions: specification (not on a doubleword).    PoP ch. 10, "SET CLOCK"
 */
HANDLER(sck)
{
	uint64_t va = EA();

	REQUIRE_ALIGNED(va, 8);
	machine_set_tod(cpu->m, load64(va));
	set_cc(0);
	NEXT_POLL(2);
}

/*
 * STORE CLOCK, STORE CLOCK FAST    STCK D2(B2), STCKF D2(B2)    [S]  B205, B27C
 * Doubleword ← TOD. CC: 0 set. The TOD advances more than one unit in the time of an instruction,
 * so STCK needs nothing more to be unique.    PoP ch. 7, "STORE CLOCK"
 */
HANDLER(stck)
{
	store64(EA(), cpu_tod(cpu));
	set_cc(0);
	NEXT(2);
}

/*
 * STORE CLOCK EXTENDED    STCKE D2(B2)    [S]  B278
 * 16 bytes ← epoch index (8 bits, zero), TOD (64), 40 bits that are never all zero, so that it
 * compares higher than STCK of the same time, and the TOD programmable field. CC: 0 set.
 * PoP ch. 7, "STORE CLOCK EXTENDED"
 */
HANDLER(stcke)
{
	uint64_t tod = cpu_tod(cpu);
	be64 out[2];

	be64_set(&out[0], tod >> 8);
	be64_set(&out[1], tod << 56 | 0x10000 | (cpu->todpr & 0xffff));
	store_bytes(cpu, s, EA(), out, sizeof(out));
	set_cc(0);
	NEXT(2);
}

/*
 * SET CLOCK COMPARATOR    SCKC D2(B2)    [S]  B206
 * Exceptions: specification (not on a doubleword).    PoP ch. 10, "SET CLOCK COMPARATOR"
 */
HANDLER(sckc)
{
	uint64_t va = EA();

	REQUIRE_ALIGNED(va, 8);
	cpu->ckc = load64(va);
	cpu_clock_changed(cpu);
	NEXT_POLL(2);
}

/*
 * STORE CLOCK COMPARATOR    STCKC D2(B2)    [S]  B207
 * Exceptions: specification (not on a doubleword).    PoP ch. 10, "STORE CLOCK COMPARATOR"
 */
HANDLER(stckc)
{
	uint64_t va = EA();

	REQUIRE_ALIGNED(va, 8);
	store64(va, cpu->ckc);
	NEXT(2);
}

/*
 * SET CPU TIMER    SPT D2(B2)    [S]  B208
 * Exceptions: specification (not on a doubleword).    PoP ch. 10, "SET CPU TIMER"
 */
HANDLER(spt)
{
	uint64_t va = EA(), value;

	REQUIRE_ALIGNED(va, 8);
	value = load64(va);
	cpu_timer_set(cpu, value);
	if ((int64_t)value < 0)
		intr_recheck(cpu); /* due at once */
	NEXT_POLL(2);
}

/*
 * STORE CPU TIMER    STPT D2(B2)    [S]  B209
 * Exceptions: specification (not on a doubleword).    PoP ch. 10, "STORE CPU TIMER"
 */
HANDLER(stpt)
{
	uint64_t va = EA();

	REQUIRE_ALIGNED(va, 8);
	store64(va, cpu_timer_get(cpu));
	NEXT(2);
}

/*
 * SET CLOCK PROGRAMMABLE FIELD    SCKPF    [E]  0107
 * TOD programmable register ← GR0.48-63. Exceptions: specification (GR0.32-47 not zero).
 * PoP ch. 10, "SET CLOCK PROGRAMMABLE FIELD"
 */
HANDLER(sckpf)
{
	if (r32(0) >> 16)
		RAISE(PGM_SPECIFICATION);
	cpu->todpr = r32(0);
	NEXT(1);
}

/*
 * EXTRACT CPU TIME    ECTG D1(B1),D2(B2),R3    [SSF]  C8-1
 * GR0 ← first operand - CPU timer; GR1 ← second operand; R3 ← doubleword at the address in R3.
 * PoP ch. 7, "EXTRACT CPU TIME"
 */
HANDLER(ectg)
{
	uint64_t base = load64(EA()), user = load64(EA_SS2()), third = load64(ADDR(r64(R3)));

	set_r64(0, base - cpu_timer_get(cpu));
	set_r64(1, user);
	set_r64(R3, third);
	NEXT(3);
}
