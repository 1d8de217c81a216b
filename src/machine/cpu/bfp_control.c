// SPDX-License-Identifier: MIT
/*
 * The floating-point control register (PoP chapter 9, "Floating-Point-Support Instructions", and
 * the support instructions of chapter 19).
 */
#include "bfp_priv.h"

/* Only supported bits, and a rounding mode that exists: 0-3 and 7. */
static void check_fpc(struct cpu *cpu, const struct slot *s, uint32_t fpc)
{
	unsigned int mode = fpc & FPC_BRM;

	if (fpc & FPC_UNSUPPORTED || (mode > 3 && mode != 7))
		RAISE(PGM_SPECIFICATION);
}

/*
 * STORE FPC    STFPC D2(B2)    [S]    B29C
 * Storage word ← FPC.
 * Exceptions: access, data (2).        PoP ch. 9, "STORE FPC"
 */
HANDLER(stfpc)
{
	store32(EA(), cpu->fpc);
	NEXT(2);
}

/*
 * LOAD FPC    LFPC D2(B2)    [S]    B29D
 * FPC ← storage word.
 * Exceptions: access, specification (unsupported bits), data (2).    PoP ch. 9, "LOAD FPC"
 */
HANDLER(lfpc)
{
	uint32_t fpc = load32(EA());

	check_fpc(cpu, s, fpc);
	cpu->fpc = fpc;
	NEXT(2);
}

/*
 * EXTRACT FPC    EFPC R1    [RRE]    B38C
 * R1.32-63 ← FPC.
 * Exceptions: data (2).        PoP ch. 9, "EXTRACT FPC"
 */
HANDLER(efpc)
{
	set_r32(R1, cpu->fpc);
	NEXT(2);
}

/*
 * SET FPC    SFPC R1    [RRE]    B384
 * FPC ← R1.32-63.
 * Exceptions: specification (unsupported bits), data (2).    PoP ch. 9, "SET FPC"
 */
HANDLER(sfpc)
{
	uint32_t fpc = r32(R1);

	check_fpc(cpu, s, fpc);
	cpu->fpc = fpc;
	NEXT(2);
}

/*
 * SET BFP ROUNDING MODE    SRNM D2(B2)    [S]    B299
 * FPC.30-31 ← bits 62-63 of the second-operand address, FPC.29 ← 0; the other bits are ignored.
 * Exceptions: data (2).        PoP ch. 9, "SET BFP ROUNDING MODE"
 */
HANDLER(srnm)
{
	cpu->fpc = (cpu->fpc & ~FPC_BRM) | (uint32_t)(EA() & 3);
	NEXT(2);
}

/*
 * SET BFP ROUNDING MODE    SRNMB D2(B2)    [S]    B2B8
 * FPC.29-31 ← bits 61-63 of the second-operand address; bits 0-55 are ignored.
 * Exceptions: specification (bits 56-60, no such mode), data (2).
 *                                      PoP ch. 9, "SET BFP ROUNDING MODE"
 */
HANDLER(srnmb)
{
	uint32_t mode = (uint8_t)EA();

	if (UNLIKELY(mode > 3 && mode != 7))
		RAISE(PGM_SPECIFICATION);
	cpu->fpc = (cpu->fpc & ~FPC_BRM) | mode;
	NEXT(2);
}

/*
 * The DXC that flags raised before simulate under new masks, or 0. The flags that are tested are
 * those of the FPC as it was ("signaling flags").
 */
static uint8_t simulated_dxc(uint32_t old_fpc, uint32_t new_fpc)
{
	unsigned int flags = old_fpc >> FPC_FLAGS_SHIFT & 0xff;
	unsigned int enabled = flags & new_fpc >> FPC_MASKS_SHIFT;

	if (enabled & BFP_INVALID)
		return BFP_INVALID | 3;
	if (enabled & BFP_DIVIDE)
		return BFP_DIVIDE | 3;
	if (enabled & BFP_OVERFLOW)
		return (uint8_t)(BFP_OVERFLOW | (flags & BFP_INEXACT) | 3);
	if (enabled & BFP_UNDERFLOW)
		return (uint8_t)(BFP_UNDERFLOW | (flags & BFP_INEXACT) | 3);
	if (enabled & BFP_INEXACT)
		return BFP_INEXACT | 3;
	return enabled & 4 ? 7 : 0; /* quantum */
}

static void load_and_signal(struct cpu *cpu, const struct slot *s, uint32_t fpc)
{
	uint32_t old = cpu->fpc;
	uint8_t dxc;

	check_fpc(cpu, s, fpc);
	cpu->fpc = fpc | (old & 0xffu << FPC_FLAGS_SHIFT);
	dxc = simulated_dxc(old, fpc);
	if (dxc)
		cpu_data_exception(cpu, s, dxc);
}

/*
 * LOAD FPC AND SIGNAL    LFAS D2(B2)    [S]    B2BD
 * FPC ← storage word, its flags ORed with those of the FPC; a flag that was on and whose new mask
 * is one raises a simulated-IEEE data exception, after completion.
 * Exceptions: access, specification, data (2, x3, xB).    PoP ch. 9, "LOAD FPC AND SIGNAL"
 */
HANDLER(lfas)
{
	load_and_signal(cpu, s, load32(EA()));
	NEXT(2);
}

/*
 * SET FPC AND SIGNAL    SFASR R1    [RRE]    B385
 * As LFAS, out of R1.32-63.            PoP ch. 9, "SET FPC AND SIGNAL"
 */
HANDLER(sfasr)
{
	load_and_signal(cpu, s, r32(R1));
	NEXT(2);
}
