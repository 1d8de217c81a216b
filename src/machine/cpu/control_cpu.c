// SPDX-License-Identifier: MIT
/*
 * Control instructions about the CPU and the configuration: prefix, identity, facilities, SIGP,
 * DIAGNOSE (PoP chapter 10; machine.md sections 1.1, 4, 6 and 8).
 */
#include <assert.h>
#include <string.h>

#include "control_priv.h"
#include "control_stsi.h"
#include "insn.h"
#include "intr.h"
#include "lowcore.h"
#include "sigp.h"

#define PREFIX_MASK 0x7fffe000u

/* --- Prefix ------------------------------------------------------------------------------------ */

/*
 * SET PREFIX    SPX D2(B2)    [S]  B210
 * Prefix ← bits 1-18 of the word. TLB entries carry the prefix they were made with.
 * Exceptions: specification (not on a word), addressing (either new prefix page is not there).
 * PoP ch. 10, "SET PREFIX"
 */
HANDLER(spx)
{
	uint64_t va = EA(), prefix;
	uint8_t *p;
	struct pic pic;

	REQUIRE_ALIGNED(va, 4);
	prefix = load32(va) & PREFIX_MASK;
	pic = mem_absolute(cpu, prefix, PAGE_BYTES, ACCESS_READ, &p);
	if (!pic.code)
		pic = mem_absolute(cpu, prefix + PAGE_BYTES, PAGE_BYTES, ACCESS_READ, &p);
	if (pic.code)
		RAISE_PIC(pic);
	cpu->prefix = prefix;
	cpu_state_changed(cpu);
	GO_FRESH();
}

/*
 * STORE PREFIX    STPX D2(B2)    [S]  B211
 * Exceptions: specification (not on a word).    PoP ch. 10, "STORE PREFIX"
 */
HANDLER(stpx)
{
	uint64_t va = EA();

	REQUIRE_ALIGNED(va, 4);
	store32(va, cpu->prefix);
	NEXT(2);
}

/* --- Identity ---------------------------------------------------------------------------------- */

/*
 * STORE CPU ADDRESS    STAP D2(B2)    [S]  B212
 * Exceptions: specification (not on a halfword).    PoP ch. 10, "STORE CPU ADDRESS"
 */
HANDLER(stap)
{
	uint64_t va = EA();

	REQUIRE_ALIGNED(va, 2);
	store16(va, cpu->level == PIC_GUEST ? cpu->guest_addr : cpu->addr);
	NEXT(2);
}

/*
 * STORE CPU ID    STIDP D2(B2)    [S]  B202
 * Exceptions: specification (not on a doubleword).    PoP ch. 10, "STORE CPU ID"
 */
HANDLER(stidp)
{
	uint64_t va = EA();

	REQUIRE_ALIGNED(va, 8);
	store64(va, SYSIB_CPU_ID);
	NEXT(2);
}

/*
 * STORE FACILITY LIST    STFL D2(B2)    [S]  B2B1
 * Real 200-203 ← facility bits 0-31. The operand address is ignored; neither key-controlled nor
 * low-address protection applies.    PoP ch. 10, "STORE FACILITY LIST"
 */
HANDLER(stfl)
{
	uint64_t first = machine_facilities(cpu->m, 0);
	uint8_t *p;
	struct pic pic = mem_real(cpu, offsetof(struct lowcore, stfl), 4, ACCESS_WRITE, &p);
	be32 word;

	if (pic.code)
		RAISE_PIC(pic);
	be32_set(&word, (uint32_t)(first >> 32));
	memcpy(p, &word, sizeof(word));
	mem_written(cpu, p, sizeof(word));
	NEXT(2);
}

/*
 * STORE FACILITY LIST EXTENDED    STFLE D2(B2)    [S]  B2B0
 * In: GR0.56-63 = doublewords of the operand - 1. Out: those that are needed - 1; the rest of GR0
 * is unchanged. CC: 0 all stored, 3 there are more. A guest's list is SIE's business.
 * Exceptions: specification (not on a doubleword).    PoP ch. 7, "STORE FACILITY LIST EXTENDED"
 */
HANDLER(stfle)
{
	unsigned int have = MACHINE_FACILITY_WORDS, room = (r64(0) & 0xff) + 1, n;
	uint64_t va = EA();
	be64 words[MACHINE_FACILITY_WORDS];

	REQUIRE_ALIGNED(va, 8);
	while (have > 1 && !machine_facilities(cpu->m, have - 1))
		have--;
	n = have < room ? have : room;
	for (unsigned int i = 0; i < n; i++)
		be64_set(&words[i], machine_facilities(cpu->m, i));
	store_bytes(cpu, s, va, words, n * 8);
	set_r64(0, (r64(0) & ~0xffull) | (have - 1));
	set_cc(have > room ? 3 : 0);
	NEXT(2);
}

/*
 * STORE SYSTEM INFORMATION    STSI D2(B2)    [S]  B27D
 * GR0.32-35 function code (0: GR0.32-35 ← level of the configuration), GR0.56-63 selector 1,
 * GR1.48-63 selector 2. CC: 0 done, 3 not available.
 * Exceptions: specification (reserved bits; operand not on a page).
 * PoP ch. 10, "STORE SYSTEM INFORMATION"
 */
HANDLER(stsi)
{
	uint64_t va = EA();
	uint8_t block[SYSIB_BYTES];
	struct sysib_config config = { .level = SYSIB_LEVEL_LPAR,
				       .cpus = machine_cpus(cpu->m),
				       .cpu_addr = (uint16_t)cpu->addr };
	unsigned int fc = r32(0) >> 28;

	if (fc > SYSIB_LEVEL_VM) {
		set_cc(3);
		NEXT(2);
	}
	if (r32(0) & 0x0fffff00 || r32(1) & 0xffff0000 || (fc && va & (SYSIB_BYTES - 1)))
		RAISE(PGM_SPECIFICATION);
	if (fc == 0) {
		set_r32(0, (r32(0) & 0x0fffffff) | config.level << 28);
		set_cc(0);
		NEXT(2);
	}
	if (!sysib_fill(&config, fc, r32(0) & 0xff, r32(1) & 0xffff, block)) {
		set_cc(3);
		NEXT(2);
	}
	store_bytes(cpu, s, va, block, sizeof(block));
	set_cc(0);
	NEXT(2);
}

/* --- Signals and calls to what lies below ------------------------------------------------------- */

/*
 * SIGNAL PROCESSOR    SIGP R1,R3,D2(B2)    [RS-a]  AE
 * Order: bits 56-63 of the address; CPU: R3.48-63; parameter: bits 32-63 of R1 or R1+1, whichever
 * is odd. CC: 0 accepted, 1 status in R1.32-63, 2 busy, 3 not operational.
 * PoP ch. 10, "SIGNAL PROCESSOR"
 */
HANDLER(sigp)
{
	unsigned int order = (unsigned int)(EA() & 0xff), cc;
	uint32_t param = r32(R1 | 1), status = 0;
	uint16_t addr = (uint16_t)r64(R3);

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	assert(cpu->level == PIC_HOST); /* SIE intercepts or interprets a guest's */
	cc = sigp_order(cpu, order, addr, param, &status);
	if (cc == SIGP_STATUS)
		set_r32(R1, status);
	set_cc(cc);
	NEXT_POLL(2); /* the CPU may have signalled itself */
}

#define DIAG_IPL       0x308u
#define SHORT_PSW_ADDR 0x7fffffffull

/* The short PSW at absolute 0, as by IPL. */
static _Noreturn void load_ipl_psw(struct cpu *cpu, const struct slot *s)
{
	uint64_t psw, mask, addr;
	be64 b = { { 0 } };

	/* After a reset all storage is the host's. */
	if (storage_read(cpu->m, (haddr_t){ 0 }, &b, sizeof(b)).code)
		be64_set(&b, 0);
	psw = be64_get(b);
	mask = (psw & ~SHORT_PSW_ADDR) ^ PSW_SHORT;
	addr = psw & SHORT_PSW_ADDR;
	psw_set(cpu, mask, addr);
	cpu_state_changed(cpu);
	if (!psw_valid(mask, addr))
		intr_early(cpu);
	cpu_resume(cpu, s);
}

/*
 * DIAGNOSE    DIAG R1,R3,D2(B2)    [RS-a]  83
 * Function 308 subcodes 0 (modified clear reset) and 1 (load normal reset): the CPU goes on at the
 * short PSW at absolute 0. The machine has no other functions; those of a guest are its hypervisor's.
 * Exceptions: specification (other functions and subcodes).
 * PoP ch. 10, "DIAGNOSE"; machine.md section 8; boot-ipl.md section 3.2
 */
HANDLER(diag)
{
	uint64_t subcode = r64(R3);

	if ((EA() & 0xffff) != DIAG_IPL || subcode > 1)
		RAISE(PGM_SPECIFICATION);
	assert(cpu->level == PIC_HOST); /* SIE intercepts or interprets a guest's */
	if (!sigp_load_reset(cpu, subcode == 0))
		AGAIN();
	load_ipl_psw(cpu, s);
}

/*
 * SERVICE CALL    SERVC R1,R2    [RRE]  B220
 * R1 command word, R2 SCCB. CC: 0 begun, 2 busy, 3 not operational: host mode has no service
 * processor yet.    machine.md section 7.1
 */
HANDLER(servc)
{
	set_cc(3);
	NEXT(2);
}

/*
 * LOAD PROGRAM PARAMETER    LPP D2(B2)    [S]  B280
 * Exceptions: specification (not on a doubleword).
 * The Load-Program-Parameter and the CPU-Measurement Facilities, SA23-2260
 */
HANDLER(lpp)
{
	uint64_t va = EA();

	REQUIRE_ALIGNED(va, 8);
	cpu->program_parameter = load64(va);
	NEXT(2);
}
