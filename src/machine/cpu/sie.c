// SPDX-License-Identifier: MIT
/*
 * Entry to and exit from interpretive execution (sie.md sections 1 and 2).
 *
 * Format 4 branches off in sie_enter() and sie_leave() (sie_secure.c): other checks, and all registers
 * are exchanged with the secure CPU's storage; what lies between is common.
 */
#include "sie.h"

#include <stdlib.h>

#include "handler.h"
#include "machine_priv.h"
#include "sie_priv.h"

#define VALIDITY_IPA 0x1000u /* sie.md section 4, code 0x20 */
#define NEVER	     UINT64_MAX

bool sie_new(struct cpu *cpu)
{
	cpu->sie = calloc(1, sizeof(*cpu->sie));
	return cpu->sie;
}

void sie_free(struct cpu *cpu)
{
	free(cpu->sie);
	cpu->sie = NULL;
}

uint64_t sie_host_deadline(const struct cpu *cpu)
{
	return cpu->sie->host.deadline;
}

/* --- The host ---------------------------------------------------------------------------------- */

static void save_host(const struct cpu *cpu, struct sie_host *h)
{
	h->psw_mask = cpu->psw_mask;
	h->psw_addr = cpu->psw_addr;
	h->cc = cpu->cc;
	h->gr14 = cpu->gr[14];
	h->gr15 = cpu->gr[15];
	memcpy(h->cr, cpu->cr, sizeof(h->cr));
	h->prefix = cpu->prefix;
	h->bea = cpu->bea;
	h->ckc = cpu->ckc;
	h->timer_base = cpu->timer_base;
	h->timer_value = cpu->timer_value;
	h->timer_stopped = cpu->timer_stopped;
	h->tod_epoch = cpu->tod_epoch;
	h->todpr = cpu->todpr;
	h->program_parameter = cpu->program_parameter;
	h->edat = cpu->edat;
	h->deadline = cpu->native ? NEVER : cpu->deadline;
}

static void restore_host(struct cpu *cpu, const struct sie_host *h)
{
	cpu->psw_mask = h->psw_mask;
	cpu->psw_addr = h->psw_addr;
	cpu->cc = h->cc;
	cpu->gr[14] = h->gr14;
	cpu->gr[15] = h->gr15;
	memcpy(cpu->cr, h->cr, sizeof(h->cr));
	cpu->prefix = h->prefix;
	cpu->bea = h->bea;
	cpu->ckc = h->ckc;
	cpu->timer_base = h->timer_base;
	cpu->timer_value = h->timer_value;
	cpu->timer_stopped = h->timer_stopped;
	cpu->tod_epoch = h->tod_epoch;
	cpu->todpr = h->todpr;
	cpu->program_parameter = h->program_parameter;
	cpu->edat = h->edat;
	cpu->level = PIC_HOST;
}

/* Nothing looks at the translation state or the clocks of a native host. */
static void host_changed(struct cpu *cpu)
{
	if (cpu->native) {
		__atomic_store_n(&cpu->deadline, NEVER, __ATOMIC_RELAXED);
		return;
	}
	cpu_state_changed(cpu);
	cpu_clock_changed(cpu);
}

/* --- The guest --------------------------------------------------------------------------------- */

static void load_guest(struct cpu *cpu, const struct scb *scb)
{
	uint32_t flags = sie_flags(scb);

	psw_set(cpu, be64_get(scb->gpsw_mask), be64_get(scb->gpsw_addr));
	cpu->gr[14] = be64_get(scb->gg14);
	cpu->gr[15] = be64_get(scb->gg15);
	for (size_t i = 0; i < ARRAY_SIZE(scb->gcr); i++)
		cpu->cr[i] = be64_get(scb->gcr[i]);
	cpu->prefix = be32_get(scb->prefix) & SCB_PREFIX_MASK;
	cpu->bea = be64_get(scb->gbea);
	cpu->ckc = be64_get(scb->ckc);
	cpu->tod_epoch += be64_get(scb->epoch);
	cpu->todpr = be32_get(scb->todpr);
	cpu->program_parameter = be64_get(scb->pp);
	cpu->edat = flags & (CPUFLAG_GED | CPUFLAG_GED2);
	cpu->guest_addr = be16_get(scb->icpua);
	cpu->timer_stopped = false;
	cpu->timer_base = be64_get(scb->cputm) + machine_tod(cpu->m);
	cpu->ex_from = NULL;
}

static void store_guest(const struct cpu *cpu, struct scb *scb)
{
	be64_set(&scb->gpsw_mask, psw_mask_full(cpu));
	be64_set(&scb->gpsw_addr, cpu->psw_addr);
	be64_set(&scb->gg14, cpu->gr[14]);
	be64_set(&scb->gg15, cpu->gr[15]);
	for (size_t i = 0; i < ARRAY_SIZE(scb->gcr); i++)
		be64_set(&scb->gcr[i], cpu->cr[i]);
	be64_set(&scb->gbea, cpu->bea);
	be64_set(&scb->ckc, cpu->ckc);
	be64_set(&scb->cputm, cpu_timer_get(cpu));
	be32_set(&scb->todpr, cpu->todpr);
	be64_set(&scb->pp, cpu->program_parameter);
}

/* Another host CPU ran it in between, or the host asks for it: what is known of it is old. */
static void flush_if_moved(struct cpu *cpu, struct scb *scb)
{
	if (be16_get(scb->ihcpu) == cpu->addr)
		return;
	be16_set(&scb->ihcpu, (uint16_t)cpu->addr);
	tlb_flush(cpu);
}

/* --- Entry ------------------------------------------------------------------------------------- */

/* The operand is an absolute address (sie.md section 1). */
static struct pic find_scb(struct cpu *cpu, struct sie_state *st, uint64_t addr)
{
	struct pic pic = { .code = PGM_SPECIFICATION, .level = PIC_HOST };

	if (addr % SCB_BYTES)
		return pic;
	pic.code = PGM_ADDRESSING;
	if (addr >= cpu->m->bytes)
		return pic;
	pic.code = PGM_SECURE_ACCESS;
	pic.teid = addr & ~0xfffull;
	st->scb = (struct scb *)(void *)sie_storage(cpu, addr, SCB_BYTES);
	if (!st->scb)
		return pic;
	st->scb_addr = addr;
	return (struct pic){ .level = PIC_HOST };
}

/* Both pages of the guest's prefix area must be there and writable; runs at level 2. */
static bool prefix_bad(struct cpu *cpu, const struct scb *scb)
{
	uint64_t prefix = be32_get(scb->prefix) & SCB_PREFIX_MASK;
	uint8_t *p;

	return mem_absolute(cpu, prefix, 1, ACCESS_WRITE, &p).code ||
	       mem_absolute(cpu, prefix + FRAME_BYTES, 1, ACCESS_WRITE, &p).code;
}

/* Level 2 with the host's view of guest storage, but still the host's registers. */
static enum validity begin(struct cpu *cpu, struct sie_state *st)
{
	bool secure = st->scb->sdf != SCB_FORMAT2;
	enum validity why = secure ? sie_secure_enter(cpu, st) : sie_check(cpu, st);

	if (why)
		return why;
	save_host(cpu, &st->host);
	sie_choose_space(cpu, st);
	if (st->sca.p)
		sie_watch(cpu, st, st->sca.addr);
	sie_watch(cpu, st, st->scb_addr);
	cpu->level = PIC_GUEST;
	if (secure || !prefix_bad(cpu, st->scb))
		return VALIDITY_NONE;
	cpu->level = PIC_HOST;
	return VALIDITY_PREFIX;
}

/* The code cache may hold the frame: the host's program beside its state description. */
static void scb_written(struct cpu *cpu, const struct sie_state *st)
{
	uint32_t len = st->scb->sdf == SCB_FORMAT2 ? SCB_BYTES : sizeof(struct scb_page);

	code_written(cpu->m, st->scb_addr / FRAME_BYTES, st->scb_addr % FRAME_BYTES, len);
	cpu->counters.sie_exits++;
}

static void store_validity(struct cpu *cpu, struct sie_state *st, enum validity why)
{
	be16_set(&st->scb->ipa, VALIDITY_IPA);
	be32_set(&st->scb->ipb, (uint32_t)why << 16);
	st->scb->icptstatus = 0;
	st->scb->icptcode = ICPT_VALIDITY;
	scb_written(cpu, st);
}

bool sie_enter(struct cpu *cpu, haddr_t scb, struct pic *pic)
{
	struct sie_state *st;
	enum validity why;

	if (!cpu->sie && !sie_new(cpu))
		abort();
	st = cpu->sie;
	*pic = find_scb(cpu, st, scb.v);
	if (pic->code)
		return false;
	why = begin(cpu, st);
	if (why) {
		store_validity(cpu, st, why);
		return false;
	}
	if (st->secure.owner)
		sie_secure_load(cpu, st);
	else
		load_guest(cpu, st->scb);
	flush_if_moved(cpu, st->scb);
	cpu_state_changed(cpu); /* and the run loop polls before the first instruction */
	cpu_clock_changed(cpu);
	st->entering = true;
	return true;
}

/* --- Exit -------------------------------------------------------------------------------------- */

void sie_leave(struct cpu *cpu, uint8_t icptcode)
{
	struct sie_state *st = cpu->sie;

	if (st->secure.owner)
		sie_secure_store(cpu, st, icptcode);
	else
		store_guest(cpu, st->scb);
	st->scb->icptcode = icptcode;
	scb_written(cpu, st);
	restore_host(cpu, &st->host);
	if (icptcode)
		cpu->psw_addr = st->host.next_addr;
	cpu->ex_from = NULL;
	host_changed(cpu);
}

void sie_exit(struct cpu *cpu, enum icpt_code code)
{
	sie_leave(cpu, (uint8_t)code);
	if (cpu->native)
		cpu_leave(cpu, CPU_STOP_SIE_EXIT);
	cpu_resume(cpu, NULL);
}

/*
 * START INTERPRETIVE EXECUTION  SIE D2(B2)  [S]  B214   (sie.md section 1)
 * The second-operand address is absolute. CC unchanged.
 * Exceptions: privileged operation (gate); specification (not on 512 bytes); addressing; secure
 * storage access. Host interruptions are taken at the instruction, which begins again then.
 */
HANDLER(sie)
{
	haddr_t scb = { EA() };
	struct pic pic;

	if (!cpu->sie && !sie_new(cpu))
		abort();
	cpu->psw_addr = insn_psw_addr(cpu, s);
	cpu->sie->host.next_addr = insn_next_addr(cpu, s);
	cpu->sie->host.ilc = (uint8_t)insn_ilc(cpu, s);
	if (!sie_enter(cpu, scb, &pic)) {
		if (pic.code)
			RAISE_PIC(pic);
		cpu->psw_addr = cpu->sie->host.next_addr;
	}
	cpu_resume(cpu, s);
}
