/* SPDX-License-Identifier: MIT */
/*
 * Interruptions: what is pending, what may be taken, and taking it (PoP chapter 6).
 *
 * Pending requests of a host CPU lie in struct intr_pending, which any thread may set. Everything
 * that sets one calls cpu_attention(cpu, ATTN_INTERRUPT) afterwards; the CPU then polls.
 *
 * Opening a mask. Linux opens and closes PSW bits 6 and 7 all the time, so opening one must not
 * always poll. A poll that finds nothing to wait for, not even behind PSW bits 6, 7 and 13, says
 * intr_quiet(); then intr_opened() does nothing until the next poll. A poll that does not say so
 * (a new one begins without) makes intr_opened() ask for a poll. Each level speaks for itself.
 */
#ifndef MACHINE_CPU_INTR_H
#define MACHINE_CPU_INTR_H

#include <stdatomic.h>

#include "cpu.h"

#define EXT_INTERRUPT_KEY  0x0040u
#define EXT_CKC		   0x1004u
#define EXT_CPU_TIMER	   0x1005u
#define EXT_EMERGENCY	   0x1201u
#define EXT_EXTERNAL_CALL  0x1202u
#define EXT_SERVICE_SIGNAL 0x2401u

/* Requests to a CPU that are one bit each. */
enum intr_request {
	INTR_RESTART = 0x01,
	INTR_STOP = 0x02,
	INTR_STORE_STATUS = 0x04, /* with INTR_STOP */
	INTR_RESET = 0x08,
	INTR_INITIAL_RESET = 0x10,
};

enum cpu_state {
	CPU_STOPPED, /* after machine_new() */
	CPU_OPERATING,
	CPU_CLAIMED, /* stopped, and another CPU's SIGP works on it */
};

#define INTR_MAX_CPUS 256u

/* Subclass masks of machine checks in CR14; exigent conditions have none. */
#define CR14_CHANNEL_REPORT  BIT64(35)
#define CR14_RECOVERY	     BIT64(36)
#define CR14_DEGRADATION     BIT64(37)
#define CR14_EXTERNAL_DAMAGE BIT64(38)
#define CR14_WARNING	     BIT64(39)
#define INTR_MCHECK_CLASSES  6u

/* What a machine check stores: MCIC, external-damage code, failing-storage address. */
struct intr_mcheck {
	uint64_t mcic;
	uint32_t damage;
	uint64_t faddr;
};

/* Pending machine checks. The lock guards the array, and conditions against other writers. */
struct intr_mchecks {
	atomic_uint_least64_t conditions; /* bits of the MCIC; 0: nothing is pending */
	atomic_bool locked;
	struct intr_mcheck of[INTR_MCHECK_CLASSES]; /* those of a subclass are merged */
};

/* All zero is the state of a CPU that was just made. */
struct intr_pending {
	atomic_uint requests;				     /* enum intr_request */
	atomic_uint state;				     /* enum cpu_state */
	atomic_uint external_call;			     /* INTR_VALID | sender; 0: none */
	atomic_uint_least64_t emergency[INTR_MAX_CPUS / 64]; /* a bit a sender */
	atomic_uint_least64_t service; /* floating, of CPU 0's alone: INTR_SERVICE_VALID | param */
	struct intr_mchecks mchecks;
	struct intr_mchecks floating_mchecks; /* of CPU 0's alone */
	uint8_t quiet; /* own thread only: level that found nothing pending */
};

#define INTR_VALID	   0x10000u
#define INTR_SERVICE_VALID (1ull << 32)

/* machine.c: the pending state of the CPU with this address. */
struct intr_pending *machine_pending(const struct machine *m, unsigned int addr);
/*
 * machine.c: blocks until cpu->attention is nonzero. In the meantime the CPU holds no rights and
 * revocations do not wait for it.
 */
void machine_wait(struct cpu *cpu);

static inline struct intr_pending *cpu_pending(const struct cpu *cpu)
{
	return machine_pending(cpu->m, cpu->addr);
}

/* --- Polling ----------------------------------------------------------------------------------- */

/*
 * Level 1: takes what is pending and enabled, in the order of machine.md section 10. psw_addr is
 * valid before and after. May leave the run loop: stopped state, or an invalid new PSW.
 * Return: true when an interruption was taken.
 */
bool intr_poll(struct cpu *cpu);
/* Level 1: the PSW has the wait bit. Waits for attention, or ends cpu_run() in a disabled wait. */
void intr_wait(struct cpu *cpu);

/*
 * Clock comparator or CPU timer of the running level: pending and enabled by CR0 (whatever PSW
 * bit 7 says); *code is the one to be taken first.
 */
bool intr_clock_pending(const struct cpu *cpu, uint16_t *code);

/*
 * Host interruptions while a guest runs: is a request other than a clock's pending for this CPU
 * that the host's PSW mask, CR0 and CR14 enable? (Restart, stop and resets need no mask.)
 */
bool intr_requested(const struct cpu *cpu, uint64_t psw_mask, uint64_t cr0, uint64_t cr14);

/* Do the PSW mask and CR14 enable one of the conditions in this code? */
bool intr_mcheck_enabled(uint64_t mcic, uint64_t psw_mask, uint64_t cr14);

/* See the top of this file. */
static inline void intr_quiet(struct cpu *cpu)
{
	cpu_pending(cpu)->quiet = cpu->level;
}
static inline void intr_not_quiet(struct cpu *cpu)
{
	cpu_pending(cpu)->quiet = 0;
}

/* A mask other than PSW bits 6, 7, 13 has changed, or a clock is due at once: poll soon. */
static inline void intr_recheck(struct cpu *cpu)
{
	atomic_fetch_or(&cpu->attention, ATTN_INTERRUPT);
}

/* PSW bit 6, 7 or 13 became one: poll if anything may wait for that. */
static inline void intr_opened(struct cpu *cpu)
{
	if (cpu_pending(cpu)->quiet != cpu->level)
		intr_recheck(cpu);
}

/* --- Taking an interruption --------------------------------------------------------------------- */

/*
 * cpu->pic belongs to the instruction at psw_addr, of length pic_ilc; or to fetching it (at is
 * NULL, pic_ilc as the fetch says); or, with pic_ilc 0, to the PSW itself: an early exception.
 * So the old PSW's address is psw_addr for nullifying codes, else psw_addr + pic_ilc.
 *
 * Return: true when the interruption was taken. False: it cannot be, because the new PSW leads
 * into a loop of specification exceptions (the PSW is that new PSW, cpu->pic is as before), or the
 * lowcore does not exist. When the host has to make the lowcore accessible, or when the new PSW
 * is invalid for the first time, leaves with that as cpu->pic and does not return.
 */
bool intr_program(struct cpu *cpu);

/* Codes that store a TEID and an exception access identification. */
bool intr_has_teid(uint16_t code);
/* Address in the old PSW, for cpu->pic as above. */
uint64_t intr_old_address(const struct cpu *cpu);
/* R1 and R2 of MOVE PAGE, for cpu->pic a page exception of it; else *ids stays. */
void intr_operand_ids(const struct cpu *cpu, uint8_t *ids);

/*
 * The others store psw_addr as old address. They return what intr_settle() is for: code 0; or a
 * specification exception of the running level, when the new PSW, now current, is invalid; or an
 * access exception of the lowcore, and then nothing has changed. The lowcore does not raise 6.
 */
struct pic intr_svc(struct cpu *cpu, uint8_t number, unsigned int ilc) MUST_CHECK;
/* param is stored for service signals only. */
struct pic intr_external(struct cpu *cpu, uint16_t code, uint16_t cpu_addr, uint32_t param)
	MUST_CHECK;
struct pic intr_restart(struct cpu *cpu) MUST_CHECK;
struct pic intr_io(struct cpu *cpu, uint32_t subchannel, uint32_t param, uint32_t word) MUST_CHECK;
/*
 * Also stores the registers. There is no extended save area: the code that is stored does not
 * claim validity of vector and guarded-storage registers, otherwise it is mcic.
 */
struct pic intr_mcheck(struct cpu *cpu, uint64_t mcic, uint32_t damage, uint64_t faddr) MUST_CHECK;

/* Returns for code 0; else leaves. s: the instruction that did it, NULL between instructions. */
void intr_settle(struct cpu *cpu, const struct slot *s, struct pic pic);

/* The current PSW is invalid: early specification exception, ILC 0. */
_Noreturn void intr_early(struct cpu *cpu) COLD;

/* --- Making something pending; from any thread -------------------------------------------------- */

void intr_emergency(struct cpu *target, uint16_t sender);
/* False: one is pending already. */
bool intr_external_call(struct cpu *target, uint16_t sender);
void intr_request(struct cpu *target, unsigned int requests);
/* Service signal. False: one with an SCCB address is pending already, and param has one too. */
bool intr_service_signal(struct machine *m, uint32_t param);
/*
 * Machine check. mcic has at least one condition, and the validity of what it says and of what
 * intr_mcheck() stores: conditions that become due together are one interruption, with all codes
 * ORed and the first valid address. Exigent conditions bring along the repressible ones of the
 * CPU, enabled or not. They wait for PSW bit 13 as well: there is no check-stop state.
 */
void intr_machine_check(struct cpu *target, uint64_t mcic, uint32_t damage, uint64_t faddr);
/* A floating one (channel report pending): the first CPU that is enabled for it takes it. */
void intr_floating_machine_check(struct machine *m, uint64_t mcic, uint32_t damage, uint64_t faddr);
/* What a CPU reset clears: everything that is pending for this CPU alone. */
void intr_clear(struct cpu *cpu);

#endif
