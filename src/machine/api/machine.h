/* SPDX-License-Identifier: MIT */
/*
 * The machine as its host-side users see it: absolute storage through accessors, CPUs, clock.
 *
 * Nobody outside machine/ (and the Ultravisor) holds a pointer into storage. An access that the
 * frame's state does not allow answers with a program interruption code, as the hardware would.
 */
#ifndef MACHINE_API_MACHINE_H
#define MACHINE_API_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "addr.h"
#include "compiler.h"

struct cpu;
struct machine;
struct zpv_err;

/*
 * A program interruption that something below the instruction handlers ran into; code 0 is none.
 * level says whose it is: a guest's own DAT fault, or the host's when it backs guest storage.
 */
enum pic_level { PIC_HOST = 1, PIC_GUEST = 2 };

struct pic {
	uint16_t code; /* enum pgm_code, 0: none */
	uint8_t level;
	uint8_t eai;   /* exception access id: number of an access register */
	uint64_t teid; /* translation-exception identification, where the code has one */
};

/* Doublewords of the facility list. */
#define MACHINE_FACILITY_WORDS 3

struct machine_config {
	uint64_t storage_bytes;				 /* absolute storage; a multiple of 1 MiB */
	unsigned int cpus;				 /* 1 to 240 */
	size_t code_cache_bytes;			 /* bound of the decode cache; 0: 192 MiB */
	uint64_t facilities_off[MACHINE_FACILITY_WORDS]; /* facilities of the model to do without */
};

int machine_new(const struct machine_config *config, struct machine **out, struct zpv_err *err)
	MUST_CHECK;
/* All CPUs must have returned from cpu_run(). */
void machine_free(struct machine *m);
DEFINE_AUTO(machine)

uint64_t machine_storage_bytes(const struct machine *m);
unsigned int machine_cpus(const struct machine *m);
struct cpu *machine_cpu(struct machine *m, unsigned int addr);

/*
 * Host access to absolute storage. All frames are checked before the first byte moves.
 * Return: code 0; 5 addressing; 0x3d secure-storage access.
 */
struct pic storage_read(struct machine *m, haddr_t at, void *data, size_t len) MUST_CHECK;
struct pic storage_write(struct machine *m, haddr_t at, const void *data, size_t len) MUST_CHECK;
struct pic storage_clear(struct machine *m, haddr_t at, uint64_t len) MUST_CHECK;

/*
 * Sets the storage keys of all frames of a range (as on a clear reset). Rights that CPUs have under
 * the old keys are taken away.
 */
struct pic storage_set_key(struct machine *m, haddr_t at, uint64_t len, uint8_t key) MUST_CHECK;

/* Interlocked update of an aligned word of host storage: *old = word; word = (old & mask) | bits. */
struct pic storage_update32(struct machine *m, haddr_t at, uint32_t mask, uint32_t bits,
			    uint32_t *old) MUST_CHECK;

/* How many frames are whose: what an operator of the machine can count. */
struct machine_frames {
	uint64_t host, secure, shared, donated;
};
struct machine_frames machine_frame_counts(const struct machine *m);

/* --- Running --------------------------------------------------------------------------------- */

enum cpu_stop {
	CPU_STOP_SIE_EXIT = 1, /* SIE ended; the state description says why */
	CPU_STOP_HOST_PIC,     /* a host program interruption ended SIE: cpu_host_pic() */
	CPU_STOP_KICKED,       /* cpu_kick() */
	CPU_STOP_WAIT,	       /* host mode: disabled wait */
	CPU_STOP_STOPPED,      /* host mode: stopped state */
};

/*
 * Runs a guest by the state description at scb until SIE ends. The caller is the program of this
 * CPU: the guest's GRs 0-13, ARs, FPRs and FPC are in the CPU's registers before and after.
 */
enum cpu_stop cpu_sie(struct cpu *cpu, haddr_t scb);

/*
 * Executes UVC (machine with facility 158) as the program of this CPU, DAT off: uvcb is the address
 * of the Ultravisor-call control block. Return: code 0 with the condition code; or a host program
 * interruption (1 operation, 5 addressing, 6 specification, 0x3d).
 */
struct pic cpu_uvc(struct cpu *cpu, haddr_t uvcb, unsigned int *cc) MUST_CHECK;

/* Runs the CPU's own (host-mode) program from its PSW. */
enum cpu_stop cpu_run(struct cpu *cpu);

/* The host program interruption that ended SIE, with TEID. */
struct pic cpu_host_pic(const struct cpu *cpu);

/* Makes the CPU look around soon; from any thread. cpu_sie() then returns CPU_STOP_KICKED. */
void cpu_kick(struct cpu *cpu);

/* Registers, while the CPU is not running. */
uint64_t cpu_gr(const struct cpu *cpu, unsigned int n);
void cpu_set_gr(struct cpu *cpu, unsigned int n, uint64_t v);
uint64_t cpu_cr(const struct cpu *cpu, unsigned int n);
void cpu_set_cr(struct cpu *cpu, unsigned int n, uint64_t v);
uint32_t cpu_ar(const struct cpu *cpu, unsigned int n);
void cpu_set_ar(struct cpu *cpu, unsigned int n, uint32_t v);
uint64_t cpu_fpr(const struct cpu *cpu, unsigned int n);
void cpu_set_fpr(struct cpu *cpu, unsigned int n, uint64_t v);
/* A half of a vector register, 0 the left one; those of V0-V15 are the floating-point registers. */
uint64_t cpu_vr(const struct cpu *cpu, unsigned int n, unsigned int half);
uint32_t cpu_fpc(const struct cpu *cpu);
void cpu_set_fpc(struct cpu *cpu, uint32_t v);
void cpu_psw(const struct cpu *cpu, uint64_t *mask, uint64_t *addr);
void cpu_set_psw(struct cpu *cpu, uint64_t mask, uint64_t addr);

/* Initial CPU reset of machine.md section 2. */
void cpu_initial_reset(struct cpu *cpu);
/* The same and all other registers zero. */
void cpu_clear_reset(struct cpu *cpu);

/* The facility list that STFLE stores, by doubleword; 0 beyond its end. */
uint64_t machine_facilities(const struct machine *m, unsigned int word);

/* TOD clock: 2^12 units a microsecond since 1900. */
uint64_t machine_tod(const struct machine *m);

/* Purges what CPUs know of translations: after a change of the tables behind a host ASCE. */
void machine_purge(struct machine *m);

/* --- Counters -------------------------------------------------------------------------------- */

#define CPU_ICPT_CODES 128

/* What is marked with T counts only while the machine is traced (trace.h). */
struct cpu_counters {
	uint64_t instructions; /* T; units of operation of interruptible ones */
	uint64_t cpu_ns;       /* T: CPU time of the thread inside cpu_sie() and cpu_run() */
	uint64_t tlb_misses;   /* operand pages that had to be translated */
	uint64_t tlb_hits;     /* operand pages found; all only after machine_count_tlb() */
	uint64_t itlb_misses;  /* the same of instructions */
	uint64_t decoded;      /* slots filled */
	uint64_t code_evicted; /* pages of decoded instructions that this CPU threw away */
	uint64_t sie_exits;
	uint64_t icpt[CPU_ICPT_CODES]; /* T: SIE exits by interception code, 0: none */
	uint64_t program, svc, external, io, restart; /* interruptions taken; T but for program */
};
struct cpu_counters cpu_counters(const struct cpu *cpu);

#endif
