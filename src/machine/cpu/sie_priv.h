/* SPDX-License-Identifier: MIT */
/*
 * What the files of SIE share: the state of a host CPU's SIE, and the state description behind it.
 */
#ifndef MACHINE_CPU_SIE_PRIV_H
#define MACHINE_CPU_SIE_PRIV_H

#include "mem.h"
#include "scb.h"
#include "sie.h"

/*
 * Host's view of guest storage. Equal views have the same identity, which is never given to
 * another one, so translations made under it stay good while the CPU runs other guests.
 */
struct sie_space {
	uint64_t asce, cr0; /* the host's: CR1, and the bits of CR0 that its DAT looks at */
	uint64_t mso, msl;
	uint64_t id; /* 0: unused */
};
#define SIE_SPACES 8

/* Frames whose stores raise this CPU's attention, the last used first: number + 1; 0: none. */
#define SIE_WATCHES 8

/* What the guest's state replaces while it runs: format 2 (sie.md section 1.1). */
struct sie_host {
	uint64_t psw_mask, psw_addr; /* of the SIE instruction */
	uint64_t next_addr;	     /* behind it */
	uint64_t gr14, gr15;
	uint64_t cr[16];
	uint64_t prefix, bea, ckc, tod_epoch, program_parameter;
	uint64_t timer_base, timer_value;
	uint64_t deadline; /* of the host's clocks */
	uint32_t todpr;
	uint8_t cc, ilc; /* ilc: of the SIE instruction */
	bool timer_stopped, edat;
};

/* System control area; p is NULL when there is none. */
struct sie_sca {
	uint8_t *p;
	uint64_t addr;
	bool extended;
};

struct sie_state {
	struct scb *scb; /* in the host-visible store */
	uint64_t scb_addr;
	struct sie_sca sca;
	const uint8_t *fac; /* the guest's facility list; NULL: STFLE is intercepted */
	struct sie_host host;
	struct sie_space space; /* of the running guest */
	bool entering;		/* no instruction has been executed since SIE began */

	struct sie_space spaces[SIE_SPACES];
	unsigned int next_space;
	uint64_t last_id;
	uint64_t watched[SIE_WATCHES];
};

/* Ends SIE and goes back to the host. The guest's PSW and the interception data are in order. */
_Noreturn void sie_exit(struct cpu *cpu, enum icpt_code code);

/* Reason why the state description is not acceptable; fills st->sca and st->fac. */
enum validity sie_check(struct cpu *cpu, struct sie_state *st);
/* Host storage at an absolute address; NULL when it is not all there and the host's. */
uint8_t *sie_storage(const struct cpu *cpu, uint64_t addr, uint64_t len);

/* Makes st->space that of the description at hand. */
void sie_choose_space(struct cpu *cpu, struct sie_state *st);
/* Stores into the frame of this address raise attention from now on. */
void sie_watch(struct cpu *cpu, struct sie_state *st, uint64_t addr);

/* ipa, ipb and icptstatus of the instruction at s. */
void sie_fill_insn(const struct cpu *cpu, const struct slot *s);
/* PSW behind the instruction at s, its text in ipa and ipb; ends SIE. */
_Noreturn void sie_exit_insn(struct cpu *cpu, const struct slot *s, enum icpt_code code);
/* The instruction at s has been interpreted: goes on behind it. */
_Noreturn void sie_done(struct cpu *cpu, const struct slot *s);

/*
 * Instructions that SIE interprets in its own way. True: intercept; false: the ordinary handler
 * does it; no return: done, or ended with another interception.
 */
bool sie_stfle(struct cpu *cpu, const struct slot *s);
bool sie_mvpg(struct cpu *cpu, const struct slot *s);
bool sie_sigp(struct cpu *cpu, const struct slot *s);
/* Does a host hold the lock against IPTE, IDTE and CSP? */
bool sie_ipte_locked(const struct sie_state *st);

/* External call that is pending by cpuflags and SCA: sender; and taking it away. */
bool sie_call_pending(const struct cpu *cpu, uint16_t *sender);
void sie_call_taken(struct cpu *cpu);

/* --- cpuflags change at any time -------------------------------------------------------------- */

static inline uint32_t *sie_flags_word(struct scb *scb)
{
	return (uint32_t *)(void *)&scb->cpuflags;
}

static inline uint32_t sie_flags(const struct scb *scb)
{
	return swap32(
		__atomic_load_n((const uint32_t *)(const void *)&scb->cpuflags, __ATOMIC_SEQ_CST));
}

static inline void sie_flags_set(struct scb *scb, uint32_t bits)
{
	__atomic_fetch_or(sie_flags_word(scb), swap32(bits), __ATOMIC_SEQ_CST);
}

static inline void sie_flags_clear(struct scb *scb, uint32_t bits)
{
	__atomic_fetch_and(sie_flags_word(scb), swap32(~bits), __ATOMIC_SEQ_CST);
}

#endif
