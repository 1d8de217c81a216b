/* SPDX-License-Identifier: MIT */
/*
 * What the control instructions share.
 */
#ifndef MACHINE_CPU_CONTROL_PRIV_H
#define MACHINE_CPU_CONTROL_PRIV_H

#include "handler.h"
#include "insn_proto.h"

/* Operand on an integral boundary of n bytes, else specification exception. */
#define REQUIRE_ALIGNED(va, n)                    \
	do {                                      \
		if (UNLIKELY((va) & ((n)-1)))     \
			RAISE(PGM_SPECIFICATION); \
	} while (0)

/* The state has changed: polls and fetches anew, at the PSW address or behind the instruction. */
#define GO_PSW()   GO(branch_poll(cpu, s, cpu->psw_addr))
#define GO_FRESH() GO(branch_poll(cpu, s, insn_next_addr(cpu, s)))

#define CR0_EXTRACTION BIT64(36) /* extraction authority of the problem state */

/* Instructions that the problem state may use when CR0.36 allows it. */
static inline void require_extraction(struct cpu *cpu, const struct slot *s)
{
	if (problem_state(cpu) && !(cpu->cr[0] & CR0_EXTRACTION))
		RAISE(PGM_PRIVILEGED);
}

static inline void require_dat(struct cpu *cpu, const struct slot *s)
{
	if (!(cpu->psw_mask & PSW_DAT))
		RAISE(PGM_SPECIAL_OPERATION);
}

/* A storage operand from or to a buffer, proven accessible as a whole; len up to 4096. */
void load_bytes(struct cpu *cpu, const struct slot *s, uint64_t va, void *buf, uint32_t len);
void store_bytes(struct cpu *cpu, const struct slot *s, uint64_t va, const void *buf, uint32_t len);

/* --- Keys and low addresses (control_key.c) ---------------------------------------------------- */

#define KEY_ACC	   0xf0u
#define KEY_FETCH  0x08u
#define KEY_REF	   0x04u
#define KEY_CHANGE 0x02u

/*
 * Key-controlled protection: may an access with this key be made to a frame with storage key
 * skey? addr is the effective address, for the fetch-protection override.
 */
bool key_permits(const struct cpu *cpu, unsigned int key, uint8_t skey, uint64_t addr, bool store);
/* Low-address protection of effective addresses 0-511 and 4096-4607. */
bool low_address_protected(const struct cpu *cpu, uint64_t addr);
/* Protection exception of a store to or a fetch from a real address. */
_Noreturn void raise_real_protection(struct cpu *cpu, const struct slot *s, uint64_t raddr,
				     bool store);
/* An operand of up to 8 bytes in real storage that the PSW key may access; else raises. */
uint8_t *real_operand(struct cpu *cpu, const struct slot *s, uint64_t raddr, uint32_t len,
		      bool store);

#endif
