/* SPDX-License-Identifier: MIT */
/*
 * Control instructions for the C files, and the functions of cpu.S and probe.S.
 *
 * PoP ch. 10; SERVC: machine.md section 7.1.
 */
#ifndef LOADER_CPU_H
#define LOADER_CPU_H

#include <stdint.h>

#include "lowcore.h"

#define CR0_SERVICE_SIGNAL 0x200ull /* bit 54 */

static inline uint64_t cr0_store(void)
{
	uint64_t cr0;

	__asm__ volatile("stctg 0,0,%0" : "=Q"(cr0));
	return cr0;
}

static inline void cr0_load(uint64_t cr0)
{
	__asm__ volatile("lctlg 0,0,%0" : : "Q"(cr0) : "memory");
}

/*
 * SERVICE CALL, which the assembler does not know. Returns the condition code: 0 initiated, 2 busy,
 * 3 not operational.
 */
static inline int servc(uint32_t cmd, void *sccb)
{
	int cc;

	__asm__ volatile("	.insn	rre,0xb2200000,%[cmd],%[sccb]\n"
			 "	ipm	%[cc]\n"
			 "	srl	%[cc],28\n"
			 : [cc] "=&d"(cc)
			 : [cmd] "d"(cmd), [sccb] "a"(sccb)
			 : "cc", "memory");
	return cc;
}

_Noreturn static inline void psw_load(const struct psw *psw)
{
	__asm__ volatile("lpswe %0" : : "Q"(*psw) : "cc", "memory");
	__builtin_unreachable();
}

_Noreturn static inline void disabled_wait(uint64_t addr)
{
	const struct psw psw = { PSW_MASK_DISABLED_WAIT, addr };

	psw_load(&psw);
}

/* cpu.S */
void program_check_entry(void);
void external_wait(void);

/* probe.S, stage3a only: a program interruption ends the probe, it is not reported. */
void facility_probe(void);
uint64_t diag308(uint64_t subcode, uint64_t addr);

#endif
