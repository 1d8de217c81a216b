/* SPDX-License-Identifier: MIT */
/*
 * How an instruction is written: one row in insn*.def and one HANDLER.
 *
 *     HANDLER(ahi)
 *     {
 *             set_r32(R1, add32_cc(cpu, r32(R1), (uint32_t)I2));
 *             NEXT(2);                // length in halfwords
 *     }
 *
 * Two kinds of dispatch exist. With clang (musttail) a handler calls the next one as its last act;
 * elsewhere it returns the next slot to a loop. Handlers are the same for both. A handler does no
 * DAT, key or PER work and never reads the PSW address.
 */
#ifndef MACHINE_CPU_HANDLER_H
#define MACHINE_CPU_HANDLER_H

#include "cpu.h"
#include "mem.h"

#if defined(__clang__) && defined(ZPV_TAIL_CALLS)
#define DISPATCH_TAIL 1
typedef void handler_ret;
#else
#define DISPATCH_TAIL 0
typedef const struct slot *handler_ret;
#endif

typedef handler_ret handler_fn(struct cpu *cpu, const struct slot *s);

/* The anchor of slot.fn: decodes the instruction and goes on with it. */
handler_fn handler_decode;

static inline handler_fn *slot_handler(const struct slot *s)
{
	int32_t off = __atomic_load_n(&s->fn, __ATOMIC_ACQUIRE);

	return (handler_fn *)((uintptr_t)handler_decode + (uintptr_t)(intptr_t)off);
}

static inline int32_t slot_fn_of(handler_fn *fn)
{
	return (int32_t)((intptr_t)(uintptr_t)fn - (intptr_t)(uintptr_t)handler_decode);
}

#define HANDLER(name) handler_ret h_##name(struct cpu *cpu, const struct slot *s)

#if DISPATCH_TAIL
#define GO(to)                                                                \
	do {                                                                  \
		const struct slot *go_ = (to);                                \
		__attribute__((musttail)) return slot_handler(go_)(cpu, go_); \
	} while (0)
#define CALL_HANDLER(fn) __attribute__((musttail)) return fn(cpu, s)
#else
#define GO(to)		 return (to)
#define CALL_HANDLER(fn) return fn(cpu, s)
#endif

/* Goes on behind this instruction of n halfwords. */
#define NEXT(n) GO(s + (n))

/*
 * Taken branches. BRANCH_REL: by halfwords from this instruction. BRANCH: to an address that is
 * already masked by the addressing mode. Both poll for interruptions and note the breaking event.
 */
SLOW_PATH void branch_slow(struct cpu *cpu, const struct slot *s, uint64_t addr);
SLOW_PATH void poll_next_slow(struct cpu *cpu, const struct slot *s);
const struct slot *branch_poll(struct cpu *cpu, const struct slot *s, uint64_t addr);

static inline const struct slot *branch_to(struct cpu *cpu, const struct slot *s, uint64_t addr)
{
	branch_slow(cpu, s, addr);
	return cpu->slow_slot;
}

static inline const struct slot *branch_rel(struct cpu *cpu, const struct slot *s,
					    int32_t halfwords)
{
	intptr_t idx = s - cpu->page_slots;
	intptr_t to = idx + halfwords;

	/* Same page, not an EX target (whose slot lies elsewhere), nothing to look at. */
	if (LIKELY((uintptr_t)idx < SLOTS_PER_FRAME && (uintptr_t)to < SLOTS_PER_FRAME &&
		   !atomic_load_explicit(&cpu->attention, memory_order_relaxed))) {
		cpu->bea = cpu->page_vaddr + 2 * (uint64_t)idx;
		return s + halfwords;
	}
	return branch_to(cpu, s, insn_addr(cpu, s) + 2 * (uint64_t)(int64_t)halfwords);
}

#define BRANCH_REL(halfwords) GO(branch_rel(cpu, s, (halfwords)))
#define BRANCH(addr)	      GO(branch_to(cpu, s, (addr)))

/* Behind an instruction that may have enabled an interruption, n halfwords long. */
static inline const struct slot *poll_next(struct cpu *cpu, const struct slot *s, int n)
{
	if (LIKELY(!atomic_load_explicit(&cpu->attention, memory_order_relaxed) &&
		   (uintptr_t)(s - cpu->page_slots) < SLOTS_PER_FRAME))
		return s + n;
	poll_next_slow(cpu, s);
	return cpu->slow_slot;
}
#define NEXT_POLL(n) GO(poll_next(cpu, s, (n)))

/* An interruptible instruction that is not complete: polls and executes it once more. */
const struct slot *again(struct cpu *cpu, const struct slot *s);
#define AGAIN() GO(again(cpu, s))

/* The instruction has changed PSW, control registers or prefix: full re-evaluation. Noreturn. */
#define RESUME_NEXT()                                   \
	do {                                            \
		cpu->psw_addr = insn_next_addr(cpu, s); \
		cpu_resume(cpu, s);                     \
	} while (0)

#define RAISE(code)  cpu_program_check(cpu, s, (code))
#define RAISE_PIC(p) cpu_raise(cpu, s, (p))

/* --- Operands ---------------------------------------------------------------------------------- */

#define R1 (s->r1)
#define R2 (s->r2)
#define R3 (s->r3)
#define M1 (s->r1)
#define M3 (s->r3)
#define M4 (s->b)
#define I2 (s->i) /* sign extended; 8-bit unsigned for SI */
#define RI (s->i) /* halfwords */

#define ADDR(v) ((v)&cpu->amask)
/* Effective addresses: X2 + B2 + D2; B + D; the second operand of SS formats. */
#define EA_X()	 ADDR(cpu->gr[s->r2] + cpu->gr[s->b] + (uint64_t)(int64_t)s->d)
#define EA()	 ADDR(cpu->gr[s->b] + (uint64_t)(int64_t)s->d)
#define EA_SS2() ADDR(cpu->gr[s->r2] + (uint64_t)(s->i & 0xfff))
#define SS_LEN() ((unsigned int)s->i >> 16 & 0xff) /* byte 1 of an SS instruction */
/* Address of a relative operand. */
#define EA_REL() ADDR(insn_addr(cpu, s) + 2 * (uint64_t)(int64_t)s->i)

#define r64(n)	      (cpu->gr[n])
#define r32(n)	      ((uint32_t)cpu->gr[n])
#define r32h(n)	      ((uint32_t)(cpu->gr[n] >> 32))
#define set_r64(n, v) ((void)(cpu->gr[n] = (v)))
#define set_r32(n, v) ((void)(cpu->gr[n] = (cpu->gr[n] & 0xffffffff00000000ull) | (uint32_t)(v)))
#define set_r32h(n, v) \
	((void)(cpu->gr[n] = (cpu->gr[n] & 0xffffffffull) | (uint64_t)(uint32_t)(v) << 32))

#define load8(va)      mem_load8(cpu, s, (va))
#define load16(va)     mem_load16(cpu, s, (va))
#define load32(va)     mem_load32(cpu, s, (va))
#define load64(va)     mem_load64(cpu, s, (va))
#define store8(va, v)  mem_store8(cpu, s, (va), (uint8_t)(v))
#define store16(va, v) mem_store16(cpu, s, (va), (uint16_t)(v))
#define store32(va, v) mem_store32(cpu, s, (va), (uint32_t)(v))
#define store64(va, v) mem_store64(cpu, s, (va), (v))

#define set_cc(v) ((void)(cpu->cc = (uint8_t)(v)))

/* Address of the relative operand; as EA_REL(), but the common case stays inline. */
static inline uint64_t rel_addr(const struct cpu *cpu, const struct slot *s)
{
	uintptr_t idx = (uintptr_t)(s - cpu->page_slots);
	uint64_t at = LIKELY(idx < SLOTS_PER_FRAME) ? cpu->page_vaddr + 2 * (uint64_t)idx :
						      insn_addr(cpu, s);

	return ADDR(at + 2 * (uint64_t)(int64_t)RI);
}

/* The same for an operand that must lie on its integral boundary. */
static inline uint64_t rel_aligned(struct cpu *cpu, const struct slot *s, unsigned int size)
{
	uint64_t va = rel_addr(cpu, s);

	if (UNLIKELY(va & (size - 1)))
		RAISE(PGM_SPECIFICATION);
	return va;
}

/* True when the mask (bit 8 for CC 0 ... bit 1 for CC 3) selects the CC. */
static inline bool cc_in(const struct cpu *cpu, unsigned int mask)
{
	return mask >> (3 - cpu->cc) & 1;
}

/* --- Condition codes, branch-free -------------------------------------------------------------- */

static inline void cc_signed(struct cpu *cpu, int64_t v) /* class S: 0 zero, 1 <0, 2 >0 */
{
	cpu->cc = (uint8_t)((v != 0) + (v > 0));
}

static inline void cc_zero(struct cpu *cpu, uint64_t v) /* class Z: 0 zero, 1 not */
{
	cpu->cc = v != 0;
}

static inline void cc_compare(struct cpu *cpu, int64_t a, int64_t b) /* class C */
{
	cpu->cc = (uint8_t)((a != b) + (a > b));
}

static inline void cc_compare_logical(struct cpu *cpu, uint64_t a, uint64_t b)
{
	cpu->cc = (uint8_t)((a != b) + (a > b));
}

/* Behind the result. PoP chapter 6, "Fixed-Point-Overflow Exception". */
static inline void fixed_overflow(struct cpu *cpu, const struct slot *s)
{
	set_cc(3);
	if (UNLIKELY(cpu->psw_mask & PSW_FIXED_OVERFLOW))
		RAISE(PGM_FIXED_OVERFLOW);
}

#endif
