/* SPDX-License-Identifier: MIT */
/*
 * What the files of SIE share: the state of a host CPU's SIE, and the state description behind it.
 */
#ifndef MACHINE_CPU_SIE_PRIV_H
#define MACHINE_CPU_SIE_PRIV_H

#include "insn.h"
#include "intr.h"
#include "mem.h"
#include "scb.h"
#include "secure.h"
#include "sie.h"

/*
 * Host's view of guest storage. Equal views have the same identity, which is never given to
 * another one, so translations made under it stay good while the CPU runs other guests.
 */
struct sie_space {
	uint64_t asce, cr0; /* the host's: CR1, and the bits of CR0 that its DAT looks at */
	uint64_t mso, msl;
	uint64_t id;	/* 0: unused */
	uint32_t owner; /* protected guest: its configuration */
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
	bool marked_load;	/* format 4: a control register that lctl marks has been loaded */
	struct secure_entry secure;
	struct register_file host_file; /* while a protected guest runs */

	struct sie_space spaces[SIE_SPACES];
	unsigned int next_space;
	uint64_t last_id;
	uint64_t watched[SIE_WATCHES];
};

/* Ends SIE and goes back to the host. The guest's PSW and the interception data are in order. */
_Noreturn void sie_exit(struct cpu *cpu, enum icpt_code code);

/* Reason why the state description is not acceptable; fills st->sca and st->fac. */
enum validity sie_check(struct cpu *cpu, struct sie_state *st);
/* The part of it about the SCA, which is format 4's as well. */
enum validity sie_check_sca(const struct cpu *cpu, struct sie_state *st);
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

/* External call of the running guest CPU to another one, by the SCA: what became of it. */
enum sie_call {
	SIE_CALL_NO_CPU,  /* the SCA has no such CPU */
	SIE_CALL_PENDING, /* one is pending already */
	SIE_CALL_SENT,
	SIE_CALL_TO_WAITING, /* sent, and the host has to wake the target */
};
enum sie_call sie_call_send(struct cpu *cpu, uint16_t addr);
/* Is one pending for that CPU? */
bool sie_call_posted(const struct cpu *cpu, uint16_t addr);

/* LCTL or LCTLG; and is one of the registers that it loads marked by lctl? */
bool sie_loads_control(const struct insn *insn);
bool sie_loads_marked(const struct scb *scb, const struct slot *s);

/* --- Format 4 (sie_secure.c) -------------------------------------------------------------------- */

/* The page of a state description of format 4. */
static inline struct scb_page *sie_page(const struct sie_state *st)
{
	return (struct scb_page *)(void *)st->scb;
}

enum validity sie_secure_enter(struct cpu *cpu, struct sie_state *st);
/* Guest registers in, the host's aside; and back, with what the host may see. */
void sie_secure_load(struct cpu *cpu, struct sie_state *st);
void sie_secure_store(struct cpu *cpu, struct sie_state *st, uint8_t icptcode);
/* Before the first instruction; may raise or end SIE. */
void sie_secure_begin(struct cpu *cpu);
/* Interceptions 0x60 and 0x64 that are due. */
void sie_secure_poll(struct cpu *cpu);

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

/* So may a host change the controls of a running CPU, though it has to expect either value. */
static inline uint32_t sie_ictl(const struct scb *scb)
{
	return swap32(
		__atomic_load_n((const uint32_t *)(const void *)&scb->ictl, __ATOMIC_RELAXED));
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
