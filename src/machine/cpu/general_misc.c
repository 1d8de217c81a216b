// SPDX-License-Identifier: MIT
/*
 * General instructions: program mask, CPU attributes, hints.
 *
 * PoP chapter 7, "General Instructions".
 */
#include "handler.h"
#include "insn_proto.h"

#define PROGRAM_MASK_SHIFT 40 /* bits 20-23 of the PSW */
#define PROGRAM_MASK	   (15ull << PROGRAM_MASK_SHIFT)

/*
 * INSERT PROGRAM MASK  IPM R1 [RRE] B222
 * Bits 32-33 of R1 = zeros, 34-35 = CC, 36-39 = program mask; other bits stay. CC unchanged.
 */
HANDLER(ipm)
{
	uint32_t mask = (uint32_t)(cpu->psw_mask >> PROGRAM_MASK_SHIFT) & 15;

	set_r32(R1, (r32(R1) & 0xffffff) | (uint32_t)cpu->cc << 28 | mask << 24);
	NEXT(2);
}

/*
 * SET PROGRAM MASK  SPM R1 [RR] 04
 * CC = bits 34-35 of R1, program mask = bits 36-39.
 */
HANDLER(spm)
{
	uint64_t mask = r64(R1) >> 24 & 15;

	set_cc(r64(R1) >> 28 & 3);
	cpu->psw_mask = (cpu->psw_mask & ~PROGRAM_MASK) | mask << PROGRAM_MASK_SHIFT;
	NEXT(1);
}

/*
 * EXTRACT CPU ATTRIBUTE  ECAG R1,R3,D2(B2) [RSY-a] EB4C
 * The address is the question: bits 56-59 are the attribute. R1 = size of a cache line (attribute
 * 1); for all others 0, which says that there is no cache. CC unchanged.
 */
HANDLER(ecag)
{
	enum { LINE_SIZE = 1, LINE_BYTES = 256 };

	set_r64(R1, (EA() >> 4 & 15) == LINE_SIZE ? LINE_BYTES : 0);
	NEXT(3);
}

/*
 * PREFETCH DATA (RELATIVE LONG)  PFD E336 [RXY-b]; PFDRL C6-2 [RIL-c]
 * Hints; no access, no exception, CC unchanged.
 */
HANDLER(pfd)
{
	(void)cpu;
	NEXT(3);
}
