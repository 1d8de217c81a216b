// SPDX-License-Identifier: MIT
/*
 * STFL and STFLE.
 *
 * se-image.md section 3.2 step 6. A CPU without STFLE has only the 32 bits of STFL.
 */
#include "facility.h"

#include "cpu.h"
#include "lowcore.h"

#define NDWORDS (sizeof(((struct lowcore *)0)->facility_list) / sizeof(uint64_t))

bool facility_installed(unsigned int nr)
{
	volatile struct lowcore *lc = lowcore();

	lc->stfl_list = 0;
	for (unsigned int i = 0; i < NDWORDS; i++)
		lc->facility_list[i] = 0;
	facility_probe();
	lc->facility_list[0] |= (uint64_t)lc->stfl_list << 32;
	return lc->facility_list[nr / 64] >> (63 - nr % 64) & 1;
}
