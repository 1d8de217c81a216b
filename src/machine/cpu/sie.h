/* SPDX-License-Identifier: MIT */
/*
 * Interpretive execution: the one entry to guest execution and the ways out of it (sie.md).
 *
 * The run loop and the gates of intercepted instructions call these at level 2; the native
 * hypervisor enters by cpu_sie(), a host program by the SIE instruction. Both reach sie_enter().
 */
#ifndef MACHINE_CPU_SIE_H
#define MACHINE_CPU_SIE_H

#include "cpu.h"
#include "insn.h"

/* Before a CPU executes anything, and after; false: no memory. */
bool sie_new(struct cpu *cpu);
void sie_free(struct cpu *cpu);

/*
 * Reads the state description at absolute address scb, checks it, and makes its guest current
 * (level 2), or stores a validity interception.
 * Return: true when the guest is current; false when SIE ended at once (interception stored); then
 * the level is 1 as before. *pic: host access exception (the description is not accessible).
 */
bool sie_enter(struct cpu *cpu, haddr_t scb, struct pic *pic);

/* Stores the guest back with an interception code (0: none) and makes the host current. */
void sie_leave(struct cpu *cpu, uint8_t icptcode);

/*
 * What follows is called at level 2 only. Those that are _Noreturn end SIE: they go back to the
 * host program behind the SIE instruction, or out of cpu_sie().
 */

/* The instruction at s is intercepted (code 4): stores ipa, ipb. */
_Noreturn void sie_intercept_insn(struct cpu *cpu, const struct slot *s);
/* SIE_COND instructions: does the state description ask for interception now? */
bool sie_intercepts(struct cpu *cpu, const struct insn *insn, const struct slot *s);
/*
 * A program interruption in cpu->pic. Level HOST: ends SIE with a host program interruption.
 * Level GUEST: ends SIE when PINT or OPEREXC asks for it; else returns, and the guest takes it.
 */
void sie_program(struct cpu *cpu);
/* The guest cannot take its program interruption (invalid new PSW): interception code 8. */
_Noreturn void sie_program_refused(struct cpu *cpu);
/* The PSW of the guest has the wait bit: takes a pending interruption, else ends with 0x1c. */
void sie_wait(struct cpu *cpu);
/*
 * cpu->attention is set: intervention requests of cpuflags, timers, external calls, kicks. May
 * deliver an interruption to the guest (psw_addr is valid before and after) or end SIE.
 */
void sie_poll(struct cpu *cpu);

/* The configuration whose protected guest runs; 0: none, or level 1. */
uint32_t sie_owner(const struct cpu *cpu);
/* A protected guest's instruction with SIE_ALWAYS or SIE_COND; returns when it is interpreted. */
void sie_secure_insn(struct cpu *cpu, const struct insn *insn, const struct slot *s);

/*
 * IPTE, IDTE, CSP and CSPG change tables between these two, and nothing may raise there. With an SCA
 * the guest's CPU counts itself in ipte_control; when a host holds that lock the instruction is
 * intercepted. Level 1: nothing to do.
 */
void sie_tables_lock(struct cpu *cpu, const struct slot *s);
void sie_tables_unlock(const struct cpu *cpu);

/* SIE instruction of a host program. */
handler_fn h_sie;

/* Of the host program that runs the guest. sie_mso() tells apart all views of guest storage. */
uint64_t sie_host_asce(const struct cpu *cpu);
uint64_t sie_host_cr0(const struct cpu *cpu);
uint64_t sie_mso(const struct cpu *cpu);
/* Machine TOD at which the host's clocks need attention while the guest runs. */
uint64_t sie_host_deadline(const struct cpu *cpu);

/* MSO and MSL of the running guest: absolute to host virtual. False: guest addressing exception. */
bool sie_host_address(const struct cpu *cpu, uint64_t abs, uint64_t *hva);

#endif
