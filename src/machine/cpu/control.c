// SPDX-License-Identifier: MIT
/*
 * Control instructions: PSW, addressing modes, address spaces, control registers, SVC, MC
 * (PoP chapters 5, 7 and 10).
 *
 * An instruction that changes what translation depends on polls and fetches anew (GO_PSW,
 * GO_FRESH), so the next instruction is the new state's.
 */
#include <string.h>

#include "control_priv.h"
#include "intr.h"

#define SYSTEM_MASK (255ull << 56)
#define MASKS_OPEN  (PSW_IO | PSW_EXT)

void load_bytes(struct cpu *cpu, const struct slot *s, uint64_t va, void *buf, uint32_t len)
{
	struct span span;

	mem_span(cpu, s, va, len, ACCESS_READ, &span);
	memcpy(buf, span.p[0], span.n[0]);
	if (span.n[1])
		memcpy((uint8_t *)buf + span.n[0], span.p[1], span.n[1]);
}

void store_bytes(struct cpu *cpu, const struct slot *s, uint64_t va, const void *buf, uint32_t len)
{
	struct span span;

	mem_span(cpu, s, va, len, ACCESS_WRITE, &span);
	memcpy(span.p[0], buf, span.n[0]);
	if (span.n[1])
		memcpy(span.p[1], (const uint8_t *)buf + span.n[0], span.n[1]);
	mem_span_written(cpu, &span);
}

/* --- PSW --------------------------------------------------------------------------------------- */

static const struct slot *load_psw(struct cpu *cpu, const struct slot *s, uint64_t mask,
				   uint64_t addr)
{
	cpu->bea = insn_psw_addr(cpu, s);
	psw_set(cpu, mask, addr);
	cpu_state_changed(cpu);
	if (UNLIKELY(!psw_valid(mask, addr)))
		intr_early(cpu);
	return branch_poll(cpu, s, addr);
}

/*
 * LOAD PSW    LPSW D2(B2)    [S]  82
 * PSW ← short PSW at the operand, its bit 12 inverted: a zero there becomes an invalid PSW.
 * Exceptions: specification (not on a doubleword; early: invalid PSW).    PoP ch. 10, "LOAD PSW"
 */
HANDLER(lpsw)
{
	uint64_t va = EA(), psw;

	REQUIRE_ALIGNED(va, 8);
	psw = load64(va);
	GO(load_psw(cpu, s, (psw & ~0x7fffffffull) ^ PSW_SHORT, psw & 0x7fffffff));
}

/*
 * LOAD PSW EXTENDED    LPSWE D2(B2)    [S]  B2B2
 * PSW ← 16 bytes at the operand. CC by the PSW.
 * Exceptions: specification (not on a doubleword; early: invalid PSW).
 * PoP ch. 10, "LOAD PSW EXTENDED"
 */
HANDLER(lpswe)
{
	uint64_t va = EA(), mask;

	REQUIRE_ALIGNED(va, 8);
	mask = load64(va);
	GO(load_psw(cpu, s, mask, load64(ADDR(va + 8))));
}

/*
 * Bits 0-7 of the PSW. Only bits 6 and 7 change in nearly all cases, and then no address
 * translates differently. Bits that must be zero: the PSW is loaded and then found invalid, so
 * the old PSW is the one behind the instruction, with its ILC (PoP ch. 10, "SET SYSTEM MASK").
 */
static const struct slot *set_system_mask(struct cpu *cpu, const struct slot *s, unsigned int mask)
{
	uint64_t old = cpu->psw_mask, now = (old & ~SYSTEM_MASK) | (uint64_t)mask << 56;

	cpu->psw_mask = now;
	if (UNLIKELY(((old ^ now) & ~MASKS_OPEN) != 0)) {
		if (now & PSW_RESERVED)
			RAISE(PGM_SPECIFICATION);
		cpu_state_changed(cpu);
		return branch_poll(cpu, s, insn_next_addr(cpu, s));
	}
	if (now & ~old & MASKS_OPEN)
		intr_opened(cpu);
	return poll_next(cpu, s, 2);
}

static unsigned int system_mask(const struct cpu *cpu)
{
	return (unsigned int)(cpu->psw_mask >> 56);
}

/*
 * SET SYSTEM MASK    SSM D2(B2)    [S]  80
 * PSW.0-7 ← the byte. Exceptions: specification (bit 0, 2, 3 or 4 one).
 * Special operation if CR0.33 (SSM suppression) is one.    PoP ch. 10, "SET SYSTEM MASK"
 */
HANDLER(ssm)
{
	if (cpu->cr[0] & BIT64(33))
		RAISE(PGM_SPECIAL_OPERATION);
	GO(set_system_mask(cpu, s, load8(EA())));
}

/*
 * STORE THEN AND SYSTEM MASK    STNSM D1(B1),I2    [SI]  AC
 * Byte ← PSW.0-7; PSW.0-7 ← PSW.0-7 & I2.    PoP ch. 10, "STORE THEN AND SYSTEM MASK"
 */
HANDLER(stnsm)
{
	store8(EA(), system_mask(cpu));
	GO(set_system_mask(cpu, s, system_mask(cpu) & (unsigned int)I2));
}

/*
 * STORE THEN OR SYSTEM MASK    STOSM D1(B1),I2    [SI]  AD
 * Byte ← PSW.0-7; PSW.0-7 ← PSW.0-7 | I2. Exceptions: specification as SSM.
 * PoP ch. 10, "STORE THEN OR SYSTEM MASK"
 */
HANDLER(stosm)
{
	store8(EA(), system_mask(cpu));
	GO(set_system_mask(cpu, s, system_mask(cpu) | (unsigned int)I2));
}

/*
 * EXTRACT PSW    EPSW R1,R2    [RRE]  B98D
 * R1.32-63 ← PSW.0-31; if the R2 field is not 0, R2.32-63 ← PSW.32-63.
 * PoP ch. 7, "EXTRACT PSW"
 */
HANDLER(epsw)
{
	uint64_t mask = psw_mask_full(cpu);

	set_r32(R1, mask >> 32);
	if (R2)
		set_r32(R2, mask);
	NEXT(2);
}

/* --- Access key -------------------------------------------------------------------------------- */

/*
 * SET PSW KEY FROM ADDRESS    SPKA D2(B2)    [S]  B20A
 * PSW key ← bits 56-59 of the address. Exceptions: privileged operation (problem state, and the
 * bit of that key in CR3.32-47 is zero).    PoP ch. 10, "SET PSW KEY FROM ADDRESS"
 */
HANDLER(spka)
{
	unsigned int key = (unsigned int)(EA() >> 4 & 15);

	if (problem_state(cpu) && !(cpu->cr[3] & BIT64(32 + key)))
		RAISE(PGM_PRIVILEGED);
	cpu->psw_mask = (cpu->psw_mask & ~PSW_KEY) | (uint64_t)key << PSW_KEY_SHIFT;
	cpu_state_changed(cpu);
	GO_FRESH();
}

/*
 * INSERT PSW KEY    IPK    [S]  B20B
 * GR2.56-59 ← PSW key, GR2.60-63 ← 0.    PoP ch. 10, "INSERT PSW KEY"
 */
HANDLER(ipk)
{
	require_extraction(cpu, s);
	set_r64(2, (r64(2) & ~0xffull) | psw_key(cpu) << 4);
	NEXT(2);
}

/* --- Address spaces ---------------------------------------------------------------------------- */

/* The code of SAC and IAC and the bits of the PSW are each other reversed. */
static unsigned int reversed_as(unsigned int v)
{
	return (v & 1) << 1 | (v >> 1 & 1);
}

static const struct slot *set_address_space(struct cpu *cpu, const struct slot *s, uint64_t addr)
{
	unsigned int code = (unsigned int)(addr >> 8 & 15);

	require_dat(cpu, s);
	if (code == 3 && problem_state(cpu))
		RAISE(PGM_PRIVILEGED);
	if (code > 3)
		RAISE(PGM_SPECIFICATION);
	if ((code == 1 || code == 2) && !(cpu->cr[0] & CR0_SECONDARY))
		RAISE(PGM_SPECIAL_OPERATION);
	cpu->psw_mask = (cpu->psw_mask & ~PSW_AS) | (uint64_t)reversed_as(code) << PSW_AS_SHIFT;
	cpu_state_changed(cpu);
	return branch_poll(cpu, s, insn_next_addr(cpu, s));
}

/*
 * SET ADDRESS SPACE CONTROL    SAC D2(B2)    [S]  B219
 * PSW.16-17 by bits 52-55 of the address: 0 primary, 1 secondary, 2 access register, 3 home.
 * Exceptions: special operation (DAT off; 1 or 2 without CR0.37), privileged operation (3 in the
 * problem state), specification (other codes). Space-switch events are not installed.
 * PoP ch. 10, "SET ADDRESS SPACE CONTROL"
 */
HANDLER(sac)
{
	GO(set_address_space(cpu, s, EA()));
}

/*
 * SET ADDRESS SPACE CONTROL FAST    SACF D2(B2)    [S]  B279
 * As SAC, without its serialization.    PoP ch. 10, "SET ADDRESS SPACE CONTROL FAST"
 */
HANDLER(sacf)
{
	GO(set_address_space(cpu, s, EA()));
}

/*
 * INSERT ADDRESS SPACE CONTROL    IAC R1    [RRE]  B224
 * R1.54-55 ← code of the address space as in SAC, R1.48-53 ← 0. CC: the code.
 * Exceptions: special operation (DAT off).    PoP ch. 10, "INSERT ADDRESS SPACE CONTROL"
 */
HANDLER(iac)
{
	unsigned int code;

	require_dat(cpu, s);
	require_extraction(cpu, s);
	code = reversed_as((unsigned int)psw_as(cpu));
	set_r64(R1, (r64(R1) & ~0xff00ull) | code << 8);
	set_cc(code);
	NEXT(2);
}

/*
 * EXTRACT PRIMARY ASN    EPAR R1    [RRE]  B226
 * R1.48-63 ← CR4.48-63, R1.32-47 ← 0. Exceptions: special operation (DAT off).
 * PoP ch. 10, "EXTRACT PRIMARY ASN"
 */
HANDLER(epar)
{
	require_dat(cpu, s);
	require_extraction(cpu, s);
	set_r32(R1, cpu->cr[4] & 0xffff);
	NEXT(2);
}

/*
 * EXTRACT SECONDARY ASN    ESAR R1    [RRE]  B227
 * R1.48-63 ← CR3.48-63, R1.32-47 ← 0. Exceptions: special operation (DAT off).
 * PoP ch. 10, "EXTRACT SECONDARY ASN"
 */
HANDLER(esar)
{
	require_dat(cpu, s);
	require_extraction(cpu, s);
	set_r32(R1, cpu->cr[3] & 0xffff);
	NEXT(2);
}

/* --- Addressing modes -------------------------------------------------------------------------- */

/*
 * SET ADDRESSING MODE    SAM24, SAM31, SAM64    [E]  010C, 010D, 010E
 * Exceptions: specification (the instruction itself lies beyond the new mode's addresses).
 * PoP ch. 7, "SET ADDRESSING MODE"
 */
static const struct slot *set_mode(struct cpu *cpu, const struct slot *s, uint64_t bits,
				   uint64_t reach)
{
	uint64_t next = insn_next_addr(cpu, s);

	if (insn_psw_addr(cpu, s) & ~reach)
		RAISE(PGM_SPECIFICATION);
	cpu->psw_mask = (cpu->psw_mask & ~(PSW_EA | PSW_BA)) | bits;
	cpu_state_changed(cpu);
	return branch_poll(cpu, s, next & reach);
}

HANDLER(sam24)
{
	GO(set_mode(cpu, s, 0, 0xffffff));
}

HANDLER(sam31)
{
	GO(set_mode(cpu, s, PSW_BA, 0x7fffffff));
}

HANDLER(sam64)
{
	GO(set_mode(cpu, s, PSW_EA | PSW_BA, ~0ull));
}

/*
 * TEST ADDRESSING MODE    TAM    [E]  010B
 * CC: 0 24-bit, 1 31-bit, 3 64-bit.    PoP ch. 7, "TEST ADDRESSING MODE"
 */
HANDLER(tam)
{
	set_cc((cpu->psw_mask & PSW_EA ? 2 : 0) | (cpu->psw_mask & PSW_BA ? 1 : 0));
	NEXT(1);
}

/* --- Calls ------------------------------------------------------------------------------------- */

/*
 * SUPERVISOR CALL    SVC I    [I]  0A
 * Supervisor-call interruption with code I; the old PSW designates the next instruction.
 * PoP ch. 7, "SUPERVISOR CALL"
 */
HANDLER(svc)
{
	cpu->psw_addr = insn_next_addr(cpu, s);
	intr_settle(cpu, s, intr_svc(cpu, (uint8_t)I2, insn_ilc(cpu, s)));
	GO_PSW();
}

/*
 * MONITOR CALL    MC D1(B1),I2    [SI]  AF
 * Monitor event if the monitor-mask bit CR8.48+I2 is one: class I2, code = the address.
 * Exceptions: specification (I2 bits 0-3 not zero; before the mask is looked at).
 * PoP ch. 7, "MONITOR CALL"
 */
HANDLER(mc)
{
	if (I2 > 15)
		RAISE(PGM_SPECIFICATION);
	if (cpu->cr[8] & BIT64(48 + I2)) {
		cpu->monitor_class = (uint16_t)I2;
		cpu->monitor_code = EA();
		RAISE(PGM_MONITOR);
	}
	NEXT(2);
}

/* --- Control registers ------------------------------------------------------------------------- */

static unsigned int register_count(const struct slot *s)
{
	return ((unsigned int)(R3 - R1) & 15) + 1;
}

/* Does translation of the running program depend on this control register? */
static bool translates(const struct cpu *cpu, unsigned int n)
{
	if (n == 0)
		return true;
	if (!(cpu->psw_mask & PSW_DAT))
		return false;
	switch (n) {
	case 1:
		return psw_as(cpu) != AS_HOME;
	case 7:
		return psw_as(cpu) == AS_SECONDARY;
	case 13:
		return psw_as(cpu) == AS_HOME;
	default:
		return false;
	}
}

/*
 * Control registers R1 to R3 (wrapping) have been loaded. Linux loads CR1 at every kernel entry,
 * in the home space: then nothing that runs now has changed.
 */
static const struct slot *crs_loaded(struct cpu *cpu, const struct slot *s, int halfwords)
{
	bool fresh = false;

	for (unsigned int i = 0; i < register_count(s); i++) {
		unsigned int n = (R1 + i) & 15;

		fresh |= translates(cpu, n);
		if (n == 0)
			cpu_clock_changed(cpu);
		if (n == 0 || n == 6 || n == 14)
			intr_recheck(cpu);
	}
	if (!fresh)
		return poll_next(cpu, s, halfwords);
	cpu_state_changed(cpu);
	return branch_poll(cpu, s, insn_next_addr(cpu, s));
}

/*
 * LOAD CONTROL    LCTL R1,R3,D2(B2)    [RS-a]  B7
 * Bits 32-63 of CR R1 to CR R3 (wrapping) ← words. Exceptions: specification (not on a word).
 * PoP ch. 10, "LOAD CONTROL"
 */
HANDLER(lctl)
{
	uint64_t va = EA();
	be32 words[16];

	REQUIRE_ALIGNED(va, 4);
	load_bytes(cpu, s, va, words, register_count(s) * 4);
	for (unsigned int i = 0; i < register_count(s); i++) {
		uint64_t *cr = &cpu->cr[(R1 + i) & 15];

		*cr = (*cr & ~0xffffffffull) | be32_get(words[i]);
	}
	GO(crs_loaded(cpu, s, 2));
}

/*
 * LOAD CONTROL    LCTLG R1,R3,D2(B2)    [RSY-a]  EB..2F
 * CR R1 to CR R3 (wrapping) ← doublewords. Exceptions: specification (not on a doubleword).
 * PoP ch. 10, "LOAD CONTROL"
 */
HANDLER(lctlg)
{
	uint64_t va = EA();
	be64 words[16];

	REQUIRE_ALIGNED(va, 8);
	load_bytes(cpu, s, va, words, register_count(s) * 8);
	for (unsigned int i = 0; i < register_count(s); i++)
		cpu->cr[(R1 + i) & 15] = be64_get(words[i]);
	GO(crs_loaded(cpu, s, 3));
}

/*
 * STORE CONTROL    STCTL R1,R3,D2(B2)    [RS-a]  B6
 * Words ← bits 32-63 of CR R1 to CR R3 (wrapping). Exceptions: specification (not on a word).
 * PoP ch. 10, "STORE CONTROL"
 */
HANDLER(stctl)
{
	uint64_t va = EA();
	be32 words[16];

	REQUIRE_ALIGNED(va, 4);
	for (unsigned int i = 0; i < register_count(s); i++)
		be32_set(&words[i], (uint32_t)cpu->cr[(R1 + i) & 15]);
	store_bytes(cpu, s, va, words, register_count(s) * 4);
	NEXT(2);
}

/*
 * STORE CONTROL    STCTG R1,R3,D2(B2)    [RSY-a]  EB..25
 * Doublewords ← CR R1 to CR R3 (wrapping). Exceptions: specification (not on a doubleword).
 * PoP ch. 10, "STORE CONTROL"
 */
HANDLER(stctg)
{
	uint64_t va = EA();
	be64 words[16];

	REQUIRE_ALIGNED(va, 8);
	for (unsigned int i = 0; i < register_count(s); i++)
		be64_set(&words[i], cpu->cr[(R1 + i) & 15]);
	store_bytes(cpu, s, va, words, register_count(s) * 8);
	NEXT(3);
}
