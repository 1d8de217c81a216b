/* SPDX-License-Identifier: MIT */
/*
 * Storage operands of instruction handlers: the fast path, inline. Everything else is in mem.c.
 *
 * Handlers use the macros at the end (load32(va), store64(va, v), ...), which pass cpu and s. An
 * access that is not allowed raises and does not return. Aligned accesses are single-copy atomic:
 * relaxed on x86, acquire and release elsewhere, because the architecture is strongly ordered.
 */
#ifndef MACHINE_CPU_MEM_H
#define MACHINE_CPU_MEM_H

#include <string.h>

#include "cpu.h"

/* TEID bit 61: with protection, by DAT; with secure storage access, that the address is valid. */
#define TEID_ADDRESS_VALID 4u

enum access { ACCESS_READ, ACCESS_WRITE, ACCESS_FETCH };

#if defined(__x86_64__)
#define LOAD_ORDER  __ATOMIC_RELAXED
#define STORE_ORDER __ATOMIC_RELAXED
#else
#define LOAD_ORDER  __ATOMIC_ACQUIRE
#define STORE_ORDER __ATOMIC_RELEASE
#endif

static inline uint16_t swap16(uint16_t v)
{
	return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? __builtin_bswap16(v) : v;
}
static inline uint32_t swap32(uint32_t v)
{
	return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? __builtin_bswap32(v) : v;
}
static inline uint64_t swap64(uint64_t v)
{
	return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? __builtin_bswap64(v) : v;
}

/* Slow paths: translate, fill the TLB, split at a page. Raise, or do the whole access. */
/* The loaded value is in cpu->slow_value. */
SLOW_PATH void mem_load_slow(struct cpu *cpu, const struct slot *s, uint64_t va, unsigned int size);
SLOW_PATH void mem_store_slow(struct cpu *cpu, const struct slot *s, uint64_t va, unsigned int size,
			      uint64_t v);

static inline struct tlb_entry *tlb_slot(struct cpu *cpu, uint64_t va)
{
	return &cpu->tlb[va >> 12 & (TLB_ENTRIES - 1)];
}

#define MEM_ACCESS(bits, swap)                                                                     \
	static inline uint##bits##_t mem_load##bits(struct cpu *cpu, const struct slot *s,         \
						    uint64_t va)                                   \
	{                                                                                          \
		const struct tlb_entry *e = tlb_slot(cpu, va);                                     \
		uint64_t off = va & 4095;                                                          \
		uint##bits##_t v;                                                                  \
		if (UNLIKELY(e->read != ((va - off) | cpu->ctx_data) || off > 4096 - bits / 8)) {  \
			mem_load_slow(cpu, s, va, bits / 8);                                       \
			return (uint##bits##_t)cpu->slow_value;                                    \
		}                                                                                  \
		if (LIKELY(off % (bits / 8) == 0))                                                 \
			return swap(__atomic_load_n((uint##bits##_t *)(void *)(e->page + off),     \
						    LOAD_ORDER));                                  \
		memcpy(&v, e->page + off, sizeof(v));                                              \
		return swap(v);                                                                    \
	}                                                                                          \
	static inline void mem_store##bits(struct cpu *cpu, const struct slot *s, uint64_t va,     \
					   uint##bits##_t v)                                       \
	{                                                                                          \
		const struct tlb_entry *e = tlb_slot(cpu, va);                                     \
		uint64_t off = va & 4095;                                                          \
		uint##bits##_t raw = swap(v);                                                      \
		if (UNLIKELY(e->write != ((va - off) | cpu->ctx_data) || off > 4096 - bits / 8)) { \
			mem_store_slow(cpu, s, va, bits / 8, v);                                   \
			return;                                                                    \
		}                                                                                  \
		if (LIKELY(off % (bits / 8) == 0))                                                 \
			__atomic_store_n((uint##bits##_t *)(void *)(e->page + off), raw,           \
					 STORE_ORDER);                                             \
		else                                                                               \
			memcpy(e->page + off, &raw, sizeof(raw));                                  \
	}

static inline uint8_t swap8(uint8_t v)
{
	return v;
}

MEM_ACCESS(8, swap8)
MEM_ACCESS(16, swap16)
MEM_ACCESS(32, swap32)
MEM_ACCESS(64, swap64)

/*
 * A storage operand of up to 4096 bytes as one or two pieces of memory, proven accessible as a
 * whole. Addresses wrap by the addressing mode. Valid until the handler ends or accesses storage
 * by a slow path; stores through it must be followed by mem_span_written() when written is set.
 */
struct span {
	uint8_t *p[2];
	uint32_t n[2]; /* n[1] is 0 when one piece suffices */
};

void mem_span(struct cpu *cpu, const struct slot *s, uint64_t va, uint32_t len, enum access access,
	      struct span *out);
/* After stores through a span: decoded instructions in it are forgotten. */
void mem_span_written(struct cpu *cpu, const struct span *span);

/*
 * For interlocked updates: the address of an aligned operand of size bytes (up to 16) that may be
 * read and written; misalignment is a specification exception.
 */
void *mem_interlocked(struct cpu *cpu, const struct slot *s, uint64_t va, unsigned int size);
/* After such an update. */
void mem_interlocked_done(struct cpu *cpu, void *p, unsigned int size);

/*
 * The same spans with another key and address space than the PSW's (MVCOS, MVCP, MVCS, MVPG).
 * Return instead of raising.
 */
struct pic mem_span_as(struct cpu *cpu, uint64_t va, uint32_t len, enum access access,
		       enum address_space as, unsigned int key, struct span *out) MUST_CHECK;

/* --- Real and absolute storage of the running level ------------------------------------------- */

/* Real to absolute address of the running level. */
uint64_t mem_prefixed(const struct cpu *cpu, uint64_t raddr);
/* Real storage (prefixing, no DAT, no key): lowcore, LURA, tables. len up to 4096 within a page. */
struct pic mem_real(struct cpu *cpu, uint64_t raddr, uint32_t len, enum access access,
		    uint8_t **out) MUST_CHECK;
struct pic mem_absolute(struct cpu *cpu, uint64_t addr, uint32_t len, enum access access,
			uint8_t **out) MUST_CHECK;
/*
 * The host frame behind an address of a space that a host ASCE designates, as SIE backs guest
 * storage (DAT on, the host's CR0). Level 1. Return: code 0; the host's access exception.
 */
struct pic mem_host_frame(struct cpu *cpu, uint64_t hva, uint64_t asce, uint64_t *frame) MUST_CHECK;
/* After writing through mem_real() or mem_absolute(). */
void mem_written(struct cpu *cpu, uint8_t *p, uint32_t len);

/* Storage key of the frame behind a real address of the running level; NULL with *pic set. */
uint8_t *mem_key(struct cpu *cpu, uint64_t raddr, struct pic *pic);

/* --- Translation (dat.c) ----------------------------------------------------------------------- */

struct dat_result {
	uint64_t raddr;	      /* real address */
	bool write_protected; /* by DAT */
	bool private_space;
	uint64_t pte_addr; /* LRA: real address of the entry that is invalid */
};

/* Guest or host DAT of the running level by one of its control registers or an explicit ASCE. */
struct pic dat_translate(struct cpu *cpu, uint64_t va, uint64_t asce, struct dat_result *out)
	MUST_CHECK;
/* The ASCE that an address space uses. */
uint64_t dat_asce(const struct cpu *cpu, enum address_space as);

/* The page that an instruction is fetched from. */
struct pic mem_fetch_page(struct cpu *cpu, uint64_t va, uint8_t **page) MUST_CHECK;

/* --- TLB ---------------------------------------------------------------------------------------- */

/* Forgets all translations of this CPU (PTLB). */
void tlb_flush(struct cpu *cpu);
/* Forgets what backs guest absolute addresses: another guest, or other tables of the host. */
void tlb_forget_absolute(struct cpu *cpu);
/* Chooses the contexts of the current PSW and control registers. */
void tlb_select(struct cpu *cpu);
/* The same on all CPUs of the machine, and waits until they have (IPTE, IDTE, CSP, SSKE). */
void tlb_flush_all(struct cpu *cpu);

#endif
