// SPDX-License-Identifier: MIT
/*
 * General instructions: branching.
 *
 * PoP chapter 7, "General Instructions". The branch address is computed before a register changes.
 * An odd one is a specification exception of the fetch. No instruction here changes the CC.
 */
#include "handler.h"
#include "insn_proto.h"

#define LINK_31BIT 0x80000000u /* bit 32: the addressing mode in link information */
#define LINK_64BIT 1u	       /* bit 63, of instructions that set the mode */

/* Address of the next instruction; n: length of this one in halfwords. */
static inline uint64_t next_addr(const struct cpu *cpu, const struct slot *s, unsigned int n)
{
	uintptr_t idx = (uintptr_t)(s - cpu->page_slots);

	if (UNLIKELY(idx >= SLOTS_PER_FRAME)) /* executed, or it crosses pages */
		return insn_next_addr(cpu, s);
	return ADDR(cpu->page_vaddr + 2 * ((uint64_t)idx + n));
}

/* Link information of BAS, BRAS and, except in 24-bit mode, BAL. */
static inline void set_link(struct cpu *cpu, const struct slot *s, unsigned int n)
{
	uint64_t next = next_addr(cpu, s, n);

	if (LIKELY(cpu->psw_mask & PSW_EA))
		set_r64(R1, next);
	else
		set_r32(R1, next | (cpu->psw_mask & PSW_BA ? LINK_31BIT : 0));
}

/* --- On condition ------------------------------------------------------------------------------ */

/*
 * BRANCH ON CONDITION  BCR 07 [RR]; BC 47 [RX-b]
 * BRANCH RELATIVE ON CONDITION (LONG)  BRC A7-4 [RI-c]; BRCL C0-4 [RIL-c]
 * Branches when M1 selects the CC. BCR does not when R2 is 0: M1 15 or 14 then serializes, so
 * that other CPUs see earlier stores before later loads are made.
 */
HANDLER(bcr)
{
	if (UNLIKELY(R2 == 0)) {
		if (M1 >= 14)
			atomic_thread_fence(memory_order_seq_cst);
		NEXT(1);
	}
	if (cc_in(cpu, M1))
		BRANCH(ADDR(r64(R2)));
	NEXT(1);
}

HANDLER(bc)
{
	if (cc_in(cpu, M1))
		BRANCH(EA_X());
	NEXT(2);
}

HANDLER(brc)
{
	if (cc_in(cpu, M1))
		BRANCH_REL(RI);
	NEXT(2);
}

HANDLER(brcl)
{
	if (cc_in(cpu, M1))
		BRANCH_REL(RI);
	NEXT(3);
}

/* --- With a link ------------------------------------------------------------------------------- */

/*
 * BRANCH AND SAVE  BASR 0D [RR]; BAS 4D [RX-a]
 * BRANCH RELATIVE AND SAVE (LONG)  BRAS A7-5 [RI-b]; BRASL C0-5 [RIL-b]
 * R1 = address of the next instruction, with the 31-bit mode in bit 32; 24- and 31-bit mode leave
 * bits 0-31. BASR does not branch when R2 is 0.
 */
#define BRANCH_LINK(register_form, storage_form, link) \
	HANDLER(register_form)                         \
	{                                              \
		uint64_t to = ADDR(r64(R2));           \
		link(cpu, s, 1);                       \
		if (R2)                                \
			BRANCH(to);                    \
		NEXT(1);                               \
	}                                              \
	HANDLER(storage_form)                          \
	{                                              \
		uint64_t to = EA_X();                  \
		link(cpu, s, 2);                       \
		BRANCH(to);                            \
	}

BRANCH_LINK(basr, bas, set_link)

HANDLER(bras)
{
	set_link(cpu, s, 2);
	BRANCH_REL(RI);
}

HANDLER(brasl)
{
	set_link(cpu, s, 3);
	BRANCH_REL(RI);
}

/*
 * BRANCH AND LINK  BALR 05 [RR]; BAL 45 [RX-a]
 * As BAS; in 24-bit mode bits 32-39 of R1 are the instruction-length code, the CC and the program
 * mask.
 */
static void set_link_bal(struct cpu *cpu, const struct slot *s, unsigned int n)
{
	unsigned int ilc = insn_ilc(cpu, s) / 2;
	unsigned int mask = (unsigned int)(cpu->psw_mask >> 40) & 15;
	uint64_t next = next_addr(cpu, s, n);

	if (cpu->psw_mask & (PSW_EA | PSW_BA))
		set_link(cpu, s, n);
	else
		set_r32(R1, ilc << 30 | (unsigned int)cpu->cc << 28 | mask << 24 | next);
}

BRANCH_LINK(balr, bal, set_link_bal)

/* --- With the addressing mode ------------------------------------------------------------------ */

/* Mode and address as a register has them: bit 63 one: 64-bit mode; else bit 32 one: 31-bit. */
static uint64_t set_mode(struct cpu *cpu, uint64_t v)
{
	uint64_t mode = v & LINK_64BIT ? PSW_EA | PSW_BA : v & LINK_31BIT ? PSW_BA : 0;
	uint64_t mask = (cpu->psw_mask & ~(PSW_EA | PSW_BA)) | mode;

	if (mask != cpu->psw_mask) {
		cpu->psw_mask = mask;
		cpu_state_changed(cpu);
	}
	return ADDR(v & ~(uint64_t)LINK_64BIT);
}

/*
 * BRANCH AND SAVE AND SET MODE  BASSM 0C [RR]
 * As BASR, with one in bit 63 of R1 in 64-bit mode; R2 also has the new addressing mode, which
 * stays when R2 is 0.
 */
HANDLER(bassm)
{
	uint64_t v = r64(R2);

	set_link(cpu, s, 1);
	if (cpu->psw_mask & PSW_EA)
		set_r64(R1, r64(R1) | LINK_64BIT);
	if (!R2)
		NEXT(1);
	BRANCH(set_mode(cpu, v));
}

/*
 * BRANCH AND SET MODE  BSM 0B [RR]
 * The addressing mode goes to R1 unless that is 0: one to bit 63 in 64-bit mode, else to bit 32;
 * other bits stay. Then, unless R2 is 0, branches in the mode that R2 has.
 */
HANDLER(bsm)
{
	uint64_t v = r64(R2);

	if (R1 && cpu->psw_mask & PSW_EA)
		set_r64(R1, r64(R1) | LINK_64BIT);
	else if (R1)
		set_r32(R1, (r32(R1) & ~LINK_31BIT) | (cpu->psw_mask & PSW_BA ? LINK_31BIT : 0));
	if (!R2)
		NEXT(1);
	BRANCH(set_mode(cpu, v));
}

/* --- On count ---------------------------------------------------------------------------------- */

/* Counts R1 down; true when it is not zero. */
static inline bool count32(struct cpu *cpu, const struct slot *s)
{
	uint32_t v = r32(R1) - 1;

	set_r32(R1, v);
	return v != 0;
}

static inline bool count64(struct cpu *cpu, const struct slot *s)
{
	uint64_t v = r64(R1) - 1;

	set_r64(R1, v);
	return v != 0;
}

/*
 * BRANCH ON COUNT  BCTR 06 [RR]; BCTGR B946 [RRE]; BCT 46 [RX-a]; BCTG E346 [RXY-a]
 * BRANCH RELATIVE ON COUNT  BRCT A7-6, BRCTG A7-7 [RI-b]
 * R1 less one; branches when the result is not zero. BCTR and BCTGR do not when R2 is 0.
 */
HANDLER(bctr)
{
	uint64_t to = ADDR(r64(R2));

	if (count32(cpu, s) && R2)
		BRANCH(to);
	NEXT(1);
}

HANDLER(bctgr)
{
	uint64_t to = ADDR(r64(R2));

	if (count64(cpu, s) && R2)
		BRANCH(to);
	NEXT(2);
}

HANDLER(bct)
{
	uint64_t to = EA_X();

	if (count32(cpu, s))
		BRANCH(to);
	NEXT(2);
}

HANDLER(bctg)
{
	uint64_t to = EA_X();

	if (count64(cpu, s))
		BRANCH(to);
	NEXT(3);
}

HANDLER(brct)
{
	if (count32(cpu, s))
		BRANCH_REL(RI);
	NEXT(2);
}

HANDLER(brctg)
{
	if (count64(cpu, s))
		BRANCH_REL(RI);
	NEXT(2);
}

/* --- On index ---------------------------------------------------------------------------------- */

/*
 * Adds R3 to R1; true when the sum is greater than the comparand, which is R3 when that is odd,
 * else R3 + 1, as it was before the addition.
 */
static inline bool index_high32(struct cpu *cpu, const struct slot *s)
{
	int32_t comparand = (int32_t)r32(R3 | 1), sum = (int32_t)(r32(R1) + r32(R3));

	set_r32(R1, sum);
	return sum > comparand;
}

static inline bool index_high64(struct cpu *cpu, const struct slot *s)
{
	int64_t comparand = (int64_t)r64(R3 | 1), sum = (int64_t)(r64(R1) + r64(R3));

	set_r64(R1, (uint64_t)sum);
	return sum > comparand;
}

#define INDEX_BRANCH(name, n, condition) \
	HANDLER(name)                    \
	{                                \
		uint64_t to = EA();      \
		if (condition)           \
			BRANCH(to);      \
		NEXT(n);                 \
	}

#define INDEX_JUMP(name, n, condition)  \
	HANDLER(name)                   \
	{                               \
		if (condition)          \
			BRANCH_REL(RI); \
		NEXT(n);                \
	}

/*
 * BRANCH ON INDEX HIGH  BXH 86 [RS-a]; BXHG EB44 [RSY-a]
 * BRANCH ON INDEX LOW OR EQUAL  BXLE 87 [RS-a]; BXLEG EB45 [RSY-a]
 * BRANCH RELATIVE ON INDEX HIGH  BRXH 84 [RSI]; BRXHG EC44 [RIE-e]
 * BRANCH RELATIVE ON INDEX LOW OR EQUAL  BRXLE 85 [RSI]; BRXLG EC45 [RIE-e]
 */
INDEX_BRANCH(bxh, 2, index_high32(cpu, s))
INDEX_BRANCH(bxhg, 3, index_high64(cpu, s))
INDEX_BRANCH(bxle, 2, !index_high32(cpu, s))
INDEX_BRANCH(bxleg, 3, !index_high64(cpu, s))
INDEX_JUMP(brxh, 2, index_high32(cpu, s))
INDEX_JUMP(brxhg, 3, index_high64(cpu, s))
INDEX_JUMP(brxle, 2, !index_high32(cpu, s))
INDEX_JUMP(brxlg, 3, !index_high64(cpu, s))
