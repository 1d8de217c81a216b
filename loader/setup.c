// SPDX-License-Identifier: MIT
/*
 * The program-new PSW and what happens at an unexpected program interruption.
 *
 * se-image.md section 3.2 step 3 and "Unhandled program check".
 */
#include "setup.h"

#include "console.h"
#include "cpu.h"
#include "lowcore.h"

_Noreturn void program_check(unsigned long addr, unsigned long code);

void setup_program_check(void)
{
	lowcore()->pgm_new_psw.mask = PSW_MASK_64BIT;
	lowcore()->pgm_new_psw.addr = (uint64_t)program_check_entry;
}

/* Called by program_check_entry with the address of the program-old PSW. */
void program_check(unsigned long addr, unsigned long code)
{
	panic(addr, "Boot loader: program interruption 0x%lx at 0x%lx", code, addr);
}
