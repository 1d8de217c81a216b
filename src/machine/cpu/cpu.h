/* SPDX-License-Identifier: MIT */
/*
 * One CPU: the live register file of whichever level runs, translation state, and what it needs to
 * leave an instruction. There is one such object for a host CPU and the guests that it runs by SIE.
 */
#ifndef MACHINE_CPU_CPU_H
#define MACHINE_CPU_CPU_H

#include <setjmp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "addr.h"
#include "be.h"
#include "compiler.h"
#include "machine.h"
#include "pgm.h"
#include "slot.h"

#define COLD	 __attribute__((cold))
#define NOINLINE __attribute__((noinline))
/*
 * For slow paths that return into a handler: the callee keeps all registers, so that the handler's
 * fast path needs no stack frame. Such a function returns nothing (the register of a result would
 * be kept too): results go through cpu->slow_value and cpu->slow_slot.
 */
#if defined(__clang__) && defined(__x86_64__)
#define SLOW_PATH __attribute__((noinline, preserve_most))
#else
#define SLOW_PATH __attribute__((noinline))
#endif
#define LIKELY(x)   __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

/* PSW mask bits; the CC (bits 18, 19) lives in cpu->cc, all others in cpu->psw_mask. */
#define PSW_PER		     BIT64(1)
#define PSW_DAT		     BIT64(5)
#define PSW_IO		     BIT64(6)
#define PSW_EXT		     BIT64(7)
#define PSW_KEY_SHIFT	     52 /* bits 8-11 */
#define PSW_KEY		     (15ull << PSW_KEY_SHIFT)
#define PSW_SHORT	     BIT64(12)
#define PSW_MCHECK	     BIT64(13)
#define PSW_WAIT	     BIT64(14)
#define PSW_PROBLEM	     BIT64(15)
#define PSW_AS_SHIFT	     46 /* bits 16-17 */
#define PSW_AS		     (3ull << PSW_AS_SHIFT)
#define PSW_CC_SHIFT	     44 /* bits 18-19 */
#define PSW_CC		     (3ull << PSW_CC_SHIFT)
#define PSW_FIXED_OVERFLOW   BIT64(20)
#define PSW_DECIMAL_OVERFLOW BIT64(21)
#define PSW_HFP_UNDERFLOW    BIT64(22)
#define PSW_HFP_SIGNIFICANCE BIT64(23)
#define PSW_EA		     BIT64(31)
#define PSW_BA		     BIT64(32)
#define PSW_RESERVED	     0xb80800fe7fffffffull /* bits that must be zero */

enum address_space { AS_PRIMARY, AS_ACCESS_REGISTER, AS_SECONDARY, AS_HOME };

#define CR0_CKC_SIGN	     BIT64(10)
#define CR0_SECONDARY	     BIT64(37)
#define CR0_LOW_PROTECTION   BIT64(35)
#define CR0_FETCH_OVERRIDE   BIT64(38)
#define CR0_STORAGE_OVERRIDE BIT64(39)
#define CR0_EDAT	     BIT64(40)
#define CR0_AFP		     BIT64(45)
#define CR0_MALFUNCTION	     BIT64(48)
#define CR0_EMERGENCY	     BIT64(49)
#define CR0_EXTERNAL_CALL    BIT64(50)
#define CR0_CKC		     BIT64(52)
#define CR0_CPU_TIMER	     BIT64(53)
#define CR0_SERVICE	     BIT64(54)

/* --- Software TLB ---------------------------------------------------------------------------- */

/*
 * A tag is a page address with a context number in its low 12 bits; so one compare proves page,
 * address space, level, access key and prefix. A context number stands for one combination of
 * them and is never given to another before a flush. Number 0 is none and never matches; CTX_SLOW
 * is no tag's, so that a CPU that compares with it finds nothing by its fast paths.
 */
#define TLB_ENTRIES 1024
#define CTX_NONE    0u
#define CTX_SLOW    0xfffu

struct tlb_entry {
	uint64_t read, write; /* tags */
	uint8_t *page;	      /* of the frame, in our address space */
	uint64_t pad;
};

/* Instruction fetch: the decoded slots of the page. */
struct itlb_entry {
	uint64_t tag;
	struct slot *slots;
};
#define ITLB_ENTRIES 256

/* What a context number stands for. */
#define TLB_CONTEXTS 64
struct tlb_context {
	uint64_t asce; /* 0: real addresses */
	uint64_t prefix, host_asce, mso;
	uint64_t flags;	 /* level, key, bits of CR0 that translation looks at */
	uint16_t number; /* CTX_NONE: unused */
};

/* Guest absolute page to memory: saves walks of the host's tables at level 2. */
#define GPA_ENTRIES 512
struct gpa_entry {
	uint64_t tag; /* page address | low bits of gpa_ctx */
	uint8_t *page;
	bool writable;
};

/* Why cpu->attention is set; each source sets its bit and the flag with it. */
#define ATTN_KICK      0x01u /* cpu_kick() */
#define ATTN_REVOKE    0x02u /* a revocation waits for this CPU */
#define ATTN_TIMER     0x04u /* the timer thread: look at the clocks */
#define ATTN_INTERRUPT 0x08u /* something became pending, or a mask changed */
#define ATTN_SCB       0x10u /* the watched state description or SCA was stored into */
#define ATTN_TRACE     0x20u /* run one instruction at a time */

/* What leaves an instruction handler by siglongjmp to the run loop. */
enum leave {
	LEAVE_NONE,
	LEAVE_PIC,    /* a program interruption: cpu->pic */
	LEAVE_RESUME, /* state changed: go on at the PSW */
	LEAVE_STOP,   /* end cpu_run() or cpu_sie() with cpu->stop */
};

struct sie_state; /* sie.h */

struct cpu {
	uint64_t gr[17];       /* gr[16] is always zero: base or index 0 */
	uint8_t cc;	       /* condition code 0-3 */
	uint8_t level;	       /* 1 host, 2 guest of SIE */
	uint16_t ctx_data;     /* TLB context of operands, as fast paths compare it */
	uint16_t ctx_fetch;    /* TLB context of instructions */
	atomic_uint attention; /* nonzero: poll */
	uint64_t amask;	       /* address mask of the addressing mode */
	uint64_t slow_value;   /* results of slow paths */
	const struct slot *slow_slot;
	uint64_t page_vaddr;	 /* logical address of the page that is executed */
	struct slot *page_slots; /* its slots */

	struct tlb_entry tlb[TLB_ENTRIES];
	struct itlb_entry itlb[ITLB_ENTRIES];

	uint64_t psw_mask; /* without the CC */
	uint64_t psw_addr; /* valid when no handler runs */
	uint64_t cr[16];
	uint32_t ar[16];
	uint64_t fpr[16];		  /* leftmost halves of the vector registers */
	uint64_t vr_low[32], vr_high[16]; /* the rest of V0-V31 */
	uint32_t fpc;
	uint64_t prefix;
	uint64_t bea;	     /* breaking-event address */
	uint64_t ckc;	     /* clock comparator */
	uint64_t timer_base; /* CPU timer = timer_base - TOD while it runs */
	bool timer_stopped;
	bool edat;	      /* the level may use EDAT (it still needs CR0.40) */
	uint64_t timer_value; /* while stopped */
	uint64_t deadline;    /* machine TOD at which the clocks must be looked at */
	uint64_t tod_epoch;   /* of the running level: guest TOD = host TOD + epoch */
	uint32_t todpr;
	uint64_t program_parameter;

	struct machine *m;
	unsigned int addr;   /* CPU address of the host CPU */
	uint16_t guest_addr; /* at level 2: icpua */

	/* EXECUTE: the target, and a slot behind each possible length that ends it. */
	struct slot ex[4];
	uint64_t ex_target;	    /* its address */
	const struct slot *ex_from; /* the EX(RL), NULL when none is executed */
	uint8_t ex_insn[6];
	uint8_t ex_ilc;	   /* length of the EX(RL) itself */
	uint8_t fetch_ilc; /* stored when fetching an instruction fails */
	bool native;	   /* the host program is ours: SIE ends by returning from cpu_sie() */

	/* An instruction that crosses into the next page, decoded for one execution. */
	struct slot straddle[4];
	uint64_t straddle_addr;
	uint8_t straddle_insn[6];

	atomic_bool inside;		/* executes: revocations wait for its answer */
	atomic_uint_least64_t answered; /* generation of the last answered revocation */
	uint16_t ctx_last;		/* last context number given out */
	uint16_t ctx_tag;		/* TLB context of operands, as tags have it */
	bool count_tlb;			/* ctx_data is CTX_SLOW: each look-up is counted */
	struct tlb_context contexts[TLB_CONTEXTS];
	struct gpa_entry gpa[GPA_ENTRIES];
	uint64_t gpa_ctx;  /* host address space of the guest, changes with every flush */
	uint8_t *page_mem; /* the executed page in our address space */

	sigjmp_buf leave;
	struct pic pic;
	uint8_t pic_ilc; /* length of the instruction that pic belongs to */
	uint8_t dxc;
	uint16_t monitor_class;
	uint64_t monitor_code;
	const struct slot *at; /* the slot whose handler left */
	enum cpu_stop stop;
	struct pic host_pic;

	struct sie_state *sie; /* at level 2 */
	struct cpu_counters counters;
};

/* --- Leaving a handler ----------------------------------------------------------------------- */

/* Program interruption of the instruction at s. Only handlers may call these. */
_Noreturn void cpu_program_check(struct cpu *cpu, const struct slot *s, enum pgm_code code) COLD;
_Noreturn void cpu_raise(struct cpu *cpu, const struct slot *s, struct pic pic) COLD;
/* Data exception with a data-exception code; also stored into the FPC when CR0.45 is one. */
_Noreturn void cpu_data_exception(struct cpu *cpu, const struct slot *s, uint8_t dxc) COLD;
/* The instruction at s is complete and has changed the PSW's mask or address: go on there. */
_Noreturn void cpu_resume(struct cpu *cpu, const struct slot *s) COLD;
/* Leaves cpu_run() or cpu_sie(). The PSW must be in order. */
_Noreturn void cpu_leave(struct cpu *cpu, enum cpu_stop stop) COLD;

/* Address of the instruction at s (of the target, when it is executed by EX), in slow_value. */
SLOW_PATH void insn_addr_slow(struct cpu *cpu, const struct slot *s);
static inline uint64_t insn_addr(const struct cpu *cpu, const struct slot *s)
{
	insn_addr_slow((struct cpu *)(uintptr_t)cpu, s);
	return cpu->slow_value;
}
/* Length in bytes of the instruction at s; of the EX when it is a target. */
unsigned int insn_ilc(const struct cpu *cpu, const struct slot *s);
/* Address of the next sequential instruction (behind the EX, for a target). */
uint64_t insn_next_addr(const struct cpu *cpu, const struct slot *s);
/* Address that a nullifying interruption stores: that of the EX, for a target. */
uint64_t insn_psw_addr(const struct cpu *cpu, const struct slot *s);
/* The instruction's own six bytes (those behind its length are zero). */
void insn_bytes(const struct cpu *cpu, const struct slot *s, uint8_t out[6]);

/* --- PSW and state --------------------------------------------------------------------------- */

/* The PSW mask with the CC in it. */
static inline uint64_t psw_mask_full(const struct cpu *cpu)
{
	return cpu->psw_mask | (uint64_t)cpu->cc << PSW_CC_SHIFT;
}

/* Sets mask (CC out of it) and address without checks; call cpu_state_changed() afterwards. */
static inline void psw_set(struct cpu *cpu, uint64_t mask, uint64_t addr)
{
	cpu->psw_mask = mask & ~PSW_CC;
	cpu->cc = (uint8_t)(mask >> PSW_CC_SHIFT & 3);
	cpu->psw_addr = addr;
}

/* False for the PSWs of machine.md section 10, "Invalid PSW, early". */
bool psw_valid(uint64_t mask, uint64_t addr);

/* After a change of PSW mask, control registers or prefix: recomputes contexts and address mask. */
void cpu_state_changed(struct cpu *cpu);

static inline bool problem_state(const struct cpu *cpu)
{
	return cpu->psw_mask & PSW_PROBLEM;
}

static inline unsigned int psw_key(const struct cpu *cpu)
{
	return (unsigned int)(cpu->psw_mask >> PSW_KEY_SHIFT & 15);
}

static inline enum address_space psw_as(const struct cpu *cpu)
{
	return (enum address_space)(cpu->psw_mask >> PSW_AS_SHIFT & 3);
}

/* Sets reasons and the flag; from any thread. */
void cpu_attention(struct cpu *cpu, unsigned int reasons);

/* --- Clocks ---------------------------------------------------------------------------------- */

/* Sets the TOD clock of the configuration (SET CLOCK). */
void machine_set_tod(struct machine *m, uint64_t tod);
/* TOD of the running level. */
uint64_t cpu_tod(const struct cpu *cpu);
uint64_t cpu_timer_get(const struct cpu *cpu);
void cpu_timer_set(struct cpu *cpu, uint64_t v);
/* After a change of CKC, CPU timer or masks: when must this CPU look at its clocks again? */
void cpu_clock_changed(struct cpu *cpu);

#endif
