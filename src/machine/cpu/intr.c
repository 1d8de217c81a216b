// SPDX-License-Identifier: MIT
/*
 * Taking interruptions, and finding out which one is due (PoP chapters 6 and 11; machine.md
 * section 10).
 */
#include "intr.h"

#include <assert.h>
#include <sched.h>

#include "lowcore.h"
#include "mem.h"
#include "sigp.h"

/* Interruptions taken in one poll; a new PSW may enable a condition that never ends. */
#define POLL_MAX 8

#define FIRST_STORED 0x80u /* of the lowcore */

#define MVPG_0 0xb2u
#define MVPG_1 0x54u

/* PSW bits that must be zero, a mode that does not exist, an address beyond the mode. */
bool psw_valid(uint64_t mask, uint64_t addr)
{
	if (mask & PSW_RESERVED)
		return false;
	if (mask & PSW_EA)
		return mask & PSW_BA;
	return addr <= (mask & PSW_BA ? 0x7fffffffu : 0xffffffu);
}

/* --- PSW swap ---------------------------------------------------------------------------------- */

static struct pic no_pic(const struct cpu *cpu)
{
	return (struct pic){ .level = cpu->level };
}

static struct pic lowcore_get(struct cpu *cpu, struct lowcore **out)
{
	uint8_t *p = NULL;
	struct pic pic = mem_real(cpu, 0, sizeof(**out), ACCESS_WRITE, &p);

	*out = (struct lowcore *)(void *)p;
	return pic;
}

/* Old PSW with this address, new PSW. The lowcore's codes have been stored before. */
static struct pic swap_psw(struct cpu *cpu, struct lowcore *lc, enum lowcore_class class,
			   uint64_t addr)
{
	uint64_t mask = be64_get(lc->new_psw[class].mask);
	uint64_t to = be64_get(lc->new_psw[class].addr);
	struct pic pic = no_pic(cpu);

	be64_set(&lc->old_psw[class].mask, psw_mask_full(cpu));
	be64_set(&lc->old_psw[class].addr, addr);
	mem_written(cpu, (uint8_t *)lc + FIRST_STORED, sizeof(*lc) - FIRST_STORED);
	psw_set(cpu, mask, to);
	cpu_state_changed(cpu);
	if (!psw_valid(mask, to))
		pic.code = PGM_SPECIFICATION;
	return pic;
}

void intr_early(struct cpu *cpu)
{
	cpu->pic = (struct pic){ .code = PGM_SPECIFICATION, .level = cpu->level };
	cpu->at = NULL;
	cpu->pic_ilc = 0;
	siglongjmp(cpu->leave, LEAVE_PIC);
}

void intr_settle(struct cpu *cpu, const struct slot *s, struct pic pic)
{
	if (!pic.code)
		return;
	if (pic.code == PGM_SPECIFICATION)
		intr_early(cpu);
	cpu_raise(cpu, s, pic);
}

/* --- Program interruptions --------------------------------------------------------------------- */

/* PoP chapter 6, "Types of Instruction Ending": these leave the PSW at the instruction. */
static bool nullifies(uint16_t code)
{
	switch (code) {
	case PGM_SEGMENT:
	case PGM_PAGE:
	case PGM_ASCE_TYPE:
	case PGM_REGION_1:
	case PGM_REGION_2:
	case PGM_REGION_3:
	case PGM_SECURE_ACCESS:
	case PGM_NON_SECURE_ACCESS:
	case PGM_SECURE_VIOLATION:
		return true;
	default:
		return false;
	}
}

bool intr_has_teid(uint16_t code)
{
	return code == PGM_PROTECTION || nullifies(code);
}

uint64_t intr_old_address(const struct cpu *cpu)
{
	if (!cpu->pic_ilc || nullifies(cpu->pic.code))
		return cpu->psw_addr;
	return (cpu->psw_addr + cpu->pic_ilc) & cpu->amask;
}

/* Which of the operands' pages it was, says the TEID. */
void intr_operand_ids(const struct cpu *cpu, uint8_t *ids)
{
	uint8_t bytes[6];

	if (cpu->pic.code != PGM_PAGE || !cpu->at)
		return;
	insn_bytes(cpu, cpu->at, bytes);
	if (bytes[0] == MVPG_0 && bytes[1] == MVPG_1)
		*ids = bytes[3];
}

static void store_program(const struct cpu *cpu, struct lowcore *lc)
{
	uint16_t code = cpu->pic.code;

	be16_set(&lc->pgm_ilc, cpu->pic_ilc);
	be16_set(&lc->pgm_code, code);
	be64_set(&lc->breaking_event, cpu->bea);
	if (code == PGM_DATA)
		be32_set(&lc->dxc, cpu->dxc);
	if (code == PGM_MONITOR) {
		be16_set(&lc->monitor_class, cpu->monitor_class);
		be64_set(&lc->monitor_code, cpu->monitor_code);
	}
	if (intr_has_teid(code)) {
		be64_set(&lc->teid, cpu->pic.teid);
		lc->exc_access_id = cpu->pic.eai;
	}
	intr_operand_ids(cpu, &lc->op_access_id);
}

/* An early exception of the very PSW that the interruption would load: no instruction ever runs. */
static bool endless(const struct cpu *cpu, const struct lowcore *lc)
{
	return !cpu->at && !cpu->pic_ilc && cpu->pic.code == PGM_SPECIFICATION &&
	       be64_get(lc->new_psw[LC_PROGRAM].mask) == psw_mask_full(cpu) &&
	       be64_get(lc->new_psw[LC_PROGRAM].addr) == cpu->psw_addr;
}

bool intr_program(struct cpu *cpu)
{
	struct lowcore *lc;
	struct pic pic = lowcore_get(cpu, &lc);

	if (pic.code && pic.level != cpu->level) {
		cpu->pic = pic; /* the host's: nullifies, and the exception comes again */
		siglongjmp(cpu->leave, LEAVE_PIC);
	}
	if (pic.code || endless(cpu, lc))
		return false;
	store_program(cpu, lc);
	pic = swap_psw(cpu, lc, LC_PROGRAM, intr_old_address(cpu));
	if (pic.code)
		intr_early(cpu);
	return true;
}

/* --- The other classes ------------------------------------------------------------------------- */

struct pic intr_svc(struct cpu *cpu, uint8_t number, unsigned int ilc)
{
	struct lowcore *lc;
	struct pic pic = lowcore_get(cpu, &lc);

	if (pic.code)
		return pic;
	be16_set(&lc->svc_ilc, (uint16_t)ilc);
	be16_set(&lc->svc_code, number);
	return swap_psw(cpu, lc, LC_SVC, cpu->psw_addr);
}

struct pic intr_external(struct cpu *cpu, uint16_t code, uint16_t cpu_addr, uint32_t param)
{
	struct lowcore *lc;
	struct pic pic = lowcore_get(cpu, &lc);

	if (pic.code)
		return pic;
	be16_set(&lc->ext_code, code);
	be16_set(&lc->ext_cpu_addr, cpu_addr);
	if (code == EXT_SERVICE_SIGNAL)
		be32_set(&lc->ext_param, param);
	return swap_psw(cpu, lc, LC_EXTERNAL, cpu->psw_addr);
}

struct pic intr_restart(struct cpu *cpu)
{
	struct lowcore *lc;
	struct pic pic = lowcore_get(cpu, &lc);

	if (pic.code)
		return pic;
	return swap_psw(cpu, lc, LC_RESTART, cpu->psw_addr);
}

struct pic intr_io(struct cpu *cpu, uint32_t subchannel, uint32_t param, uint32_t word)
{
	struct lowcore *lc;
	struct pic pic = lowcore_get(cpu, &lc);

	if (pic.code)
		return pic;
	be16_set(&lc->subchannel_id, (uint16_t)(subchannel >> 16));
	be16_set(&lc->subchannel_nr, (uint16_t)subchannel);
	be32_set(&lc->io_param, param);
	be32_set(&lc->io_word, word);
	return swap_psw(cpu, lc, LC_IO, cpu->psw_addr);
}

/* Where store status puts the PSW, this has fixed logout; there is none, so the place stays. */
struct pic intr_mcheck(struct cpu *cpu, uint64_t mcic, uint32_t damage, uint64_t faddr)
{
	struct lowcore *lc;
	uint8_t *saved;
	struct pic pic =
		mem_real(cpu, STATUS_AREA, sizeof(struct status_area), ACCESS_WRITE, &saved);

	if (!pic.code)
		pic = lowcore_get(cpu, &lc);
	if (pic.code)
		return pic;
	sigp_fill_registers(cpu, (struct status_area *)(void *)saved);
	mem_written(cpu, saved, sizeof(struct status_area));
	lc->arch_mode = ARCH_MODE_Z;
	be64_set(&lc->mcic, mcic & ~(MCIC_VECTOR | MCIC_GUARDED_STORAGE));
	be32_set(&lc->external_damage, damage);
	be64_set(&lc->failing_storage, faddr);
	return swap_psw(cpu, lc, LC_MACHINE_CHECK, cpu->psw_addr);
}

/* --- Pending machine checks -------------------------------------------------------------------- */

/*
 * Subclasses, exigent conditions first. INFERRED: bits 10 and 11 are external damage, as bit 4 is;
 * no public text at hand names their mask.
 */
static const struct {
	uint64_t conditions, mask;
} mcheck_classes[INTR_MCHECK_CLASSES] = {
	{ MCIC_EXIGENT, 0 },
	{ MCIC_CHANNEL_REPORT, CR14_CHANNEL_REPORT },
	{ MCIC_RECOVERY, CR14_RECOVERY },
	{ MCIC_DEGRADATION, CR14_DEGRADATION },
	{ MCIC_EXTERNAL_DAMAGE | MCIC_TIMING_DAMAGE | MCIC_SERVICE_PROCESSOR |
		  MCIC_CHANNEL_SUBSYSTEM,
	  CR14_EXTERNAL_DAMAGE },
	{ MCIC_WARNING, CR14_WARNING },
};

static uint64_t open_conditions(uint64_t cr14)
{
	uint64_t open = MCIC_EXIGENT;

	for (size_t i = 0; i < INTR_MCHECK_CLASSES; i++)
		if (cr14 & mcheck_classes[i].mask)
			open |= mcheck_classes[i].conditions;
	return open;
}

static uint64_t all_conditions(void)
{
	return open_conditions(~0ull);
}

static void mchecks_lock(struct intr_mchecks *p)
{
	while (atomic_exchange(&p->locked, true))
		sched_yield();
}

static void mchecks_unlock(struct intr_mchecks *p)
{
	atomic_store(&p->locked, false);
}

static void merge(struct intr_mcheck *to, const struct intr_mcheck *from)
{
	if (!(to->mcic & MCIC_FAILING_STORAGE))
		to->faddr = from->faddr;
	to->mcic |= from->mcic;
	to->damage |= from->damage;
}

/* Each subclass gets its conditions, and all that the source says about them. */
static void mchecks_add(struct intr_mchecks *p, const struct intr_mcheck *mc)
{
	uint64_t conditions = mc->mcic & all_conditions();

	assert(conditions);
	mchecks_lock(p);
	for (size_t i = 0; i < INTR_MCHECK_CLASSES; i++) {
		struct intr_mcheck part = *mc;

		part.mcic &= mcheck_classes[i].conditions | ~all_conditions();
		if (conditions & mcheck_classes[i].conditions)
			merge(&p->of[i], &part);
	}
	atomic_fetch_or(&p->conditions, conditions);
	mchecks_unlock(p);
}

/* Moves these conditions, whole subclasses of them, to what is taken already. */
static void mchecks_take(struct intr_mchecks *p, uint64_t conditions, struct intr_mcheck *taken)
{
	mchecks_lock(p);
	for (size_t i = 0; i < INTR_MCHECK_CLASSES; i++) {
		if (!(p->of[i].mcic & conditions & mcheck_classes[i].conditions))
			continue;
		merge(taken, &p->of[i]);
		p->of[i] = (struct intr_mcheck){ 0 };
	}
	atomic_fetch_and(&p->conditions, ~conditions);
	mchecks_unlock(p);
}

static struct intr_mchecks *floating_mchecks(const struct machine *m)
{
	return &machine_pending(m, 0)->floating_mchecks;
}

static uint64_t mchecks_pending(const struct cpu *cpu)
{
	return atomic_load(&cpu_pending(cpu)->mchecks.conditions) |
	       atomic_load(&floating_mchecks(cpu->m)->conditions);
}

bool intr_mcheck_enabled(uint64_t mcic, uint64_t psw_mask, uint64_t cr14)
{
	return psw_mask & PSW_MCHECK && mcic & open_conditions(cr14);
}

/* --- Making requests --------------------------------------------------------------------------- */

void intr_emergency(struct cpu *target, uint16_t sender)
{
	atomic_fetch_or(&cpu_pending(target)->emergency[sender / 64 % (INTR_MAX_CPUS / 64)],
			BIT64(sender % 64));
	cpu_attention(target, ATTN_INTERRUPT);
}

bool intr_external_call(struct cpu *target, uint16_t sender)
{
	unsigned int none = 0;

	if (!atomic_compare_exchange_strong(&cpu_pending(target)->external_call, &none,
					    INTR_VALID | sender))
		return false;
	cpu_attention(target, ATTN_INTERRUPT);
	return true;
}

void intr_request(struct cpu *target, unsigned int requests)
{
	atomic_fetch_or(&cpu_pending(target)->requests, requests);
	cpu_attention(target, ATTN_INTERRUPT);
}

/* For what is floating. */
static void all_attention(struct machine *m)
{
	for (unsigned int i = 0; i < machine_cpus(m); i++)
		cpu_attention(machine_cpu(m, i), ATTN_INTERRUPT);
}

void intr_machine_check(struct cpu *target, uint64_t mcic, uint32_t damage, uint64_t faddr)
{
	mchecks_add(&cpu_pending(target)->mchecks, &(struct intr_mcheck){ mcic, damage, faddr });
	cpu_attention(target, ATTN_INTERRUPT);
}

void intr_floating_machine_check(struct machine *m, uint64_t mcic, uint32_t damage, uint64_t faddr)
{
	mchecks_add(floating_mchecks(m), &(struct intr_mcheck){ mcic, damage, faddr });
	all_attention(m);
}

bool intr_service_signal(struct machine *m, uint32_t param)
{
	atomic_uint_least64_t *service = &machine_pending(m, 0)->service;
	uint64_t old = atomic_load(service);

	do {
		if (old & 0xfffffff8u && param & 0xfffffff8u)
			return false;
	} while (!atomic_compare_exchange_weak(service, &old, old | INTR_SERVICE_VALID | param));
	all_attention(m);
	return true;
}

void intr_clear(struct cpu *cpu)
{
	struct intr_pending *p = cpu_pending(cpu);
	struct intr_mcheck cleared = { 0 };

	mchecks_take(&p->mchecks, all_conditions(), &cleared);
	atomic_store(&p->requests, 0);
	atomic_store(&p->external_call, 0);
	for (size_t i = 0; i < INTR_MAX_CPUS / 64; i++)
		atomic_store(&p->emergency[i], 0);
}

/* --- What is due? ------------------------------------------------------------------------------ */

bool intr_clock_pending(const struct cpu *cpu, uint16_t *code)
{
	if (cpu->cr[0] & CR0_CKC) {
		uint64_t sign = cpu->cr[0] & CR0_CKC_SIGN ? 1ull << 63 : 0;

		*code = EXT_CKC;
		if ((cpu_tod(cpu) ^ sign) > (cpu->ckc ^ sign))
			return true;
	}
	*code = EXT_CPU_TIMER;
	return cpu->cr[0] & CR0_CPU_TIMER && (int64_t)cpu_timer_get(cpu) < 0;
}

static bool emergency_pending(const struct intr_pending *p)
{
	for (size_t i = 0; i < INTR_MAX_CPUS / 64; i++)
		if (atomic_load(&p->emergency[i]))
			return true;
	return false;
}

/* An external interruption other than a clock's that this CR0 enables. */
static bool external_requested(const struct cpu *cpu, uint64_t cr0)
{
	const struct intr_pending *p = cpu_pending(cpu);

	return (cr0 & CR0_EMERGENCY && emergency_pending(p)) ||
	       (cr0 & CR0_EXTERNAL_CALL && atomic_load(&p->external_call)) ||
	       (cr0 & CR0_SERVICE && atomic_load(&machine_pending(cpu->m, 0)->service));
}

bool intr_requested(const struct cpu *cpu, uint64_t psw_mask, uint64_t cr0, uint64_t cr14)
{
	return atomic_load(&cpu_pending(cpu)->requests) ||
	       intr_mcheck_enabled(mchecks_pending(cpu), psw_mask, cr14) ||
	       (psw_mask & PSW_EXT && external_requested(cpu, cr0));
}

/* Takes the bit of the lowest sender away; false when there is none. */
static bool next_emergency(struct intr_pending *p, uint16_t *sender)
{
	for (unsigned int i = 0; i < INTR_MAX_CPUS / 64; i++) {
		uint64_t word = atomic_load(&p->emergency[i]);

		if (!word)
			continue;
		*sender = (uint16_t)(64 * i + (unsigned int)__builtin_clzll(word));
		atomic_fetch_and(&p->emergency[i], ~BIT64(*sender % 64));
		return true;
	}
	return false;
}

/* The external interruption to be taken now, in order of priority; it is no longer pending. */
static bool next_external(struct cpu *cpu, uint16_t *code, uint16_t *sender, uint32_t *param)
{
	struct intr_pending *p = cpu_pending(cpu);
	uint64_t cr0 = cpu->cr[0], service;
	unsigned int call;

	*sender = 0;
	*param = 0;
	*code = EXT_EMERGENCY;
	if (cr0 & CR0_EMERGENCY && next_emergency(p, sender))
		return true;
	*code = EXT_EXTERNAL_CALL;
	call = cr0 & CR0_EXTERNAL_CALL ? atomic_exchange(&p->external_call, 0) : 0;
	*sender = (uint16_t)call;
	if (call)
		return true;
	if (intr_clock_pending(cpu, code))
		return true;
	*code = EXT_SERVICE_SIGNAL;
	service = cr0 & CR0_SERVICE ? atomic_exchange(&machine_pending(cpu->m, 0)->service, 0) : 0;
	*param = (uint32_t)service;
	return service;
}

/* Of the floating ones another CPU may have been faster. */
static bool take_mcheck(struct cpu *cpu)
{
	struct intr_mchecks *own = &cpu_pending(cpu)->mchecks;
	uint64_t open = open_conditions(cpu->cr[14]);
	bool exigent = atomic_load(&own->conditions) & MCIC_EXIGENT;
	struct intr_mcheck mc = { 0 };

	if (!intr_mcheck_enabled(mchecks_pending(cpu), cpu->psw_mask, cpu->cr[14]))
		return false;
	mchecks_take(own, exigent ? all_conditions() : open, &mc);
	mchecks_take(floating_mchecks(cpu->m), open, &mc);
	if (!mc.mcic)
		return false;
	intr_settle(cpu, NULL, intr_mcheck(cpu, mc.mcic, mc.damage, mc.faddr));
	return true;
}

static bool take_external(struct cpu *cpu)
{
	uint16_t code, sender;
	uint32_t param;

	if (!(cpu->psw_mask & PSW_EXT) || !next_external(cpu, &code, &sender, &param))
		return false;
	intr_settle(cpu, NULL, intr_external(cpu, code, sender, param));
	return true;
}

static bool take_restart(struct cpu *cpu)
{
	struct intr_pending *p = cpu_pending(cpu);

	if (!(atomic_load(&p->requests) & INTR_RESTART) ||
	    !(atomic_fetch_and(&p->requests, ~(unsigned int)INTR_RESTART) & INTR_RESTART))
		return false;
	intr_settle(cpu, NULL, intr_restart(cpu));
	return true;
}

bool intr_poll(struct cpu *cpu)
{
	unsigned int taken = 0;
	uint16_t code;

	intr_not_quiet(cpu);
	sigp_take_reset(cpu);
	while (taken < POLL_MAX && (take_mcheck(cpu) || take_external(cpu) || take_restart(cpu)))
		taken++;
	sigp_take_stop(cpu);
	if (taken == POLL_MAX)
		intr_recheck(cpu);
	else if (!intr_clock_pending(cpu, &code) &&
		 !intr_requested(cpu, PSW_EXT | PSW_MCHECK, cpu->cr[0], cpu->cr[14]))
		intr_quiet(cpu);
	return taken;
}

void intr_wait(struct cpu *cpu)
{
	if (!(cpu->psw_mask & (PSW_IO | PSW_EXT | PSW_MCHECK)))
		cpu_leave(cpu, CPU_STOP_WAIT);
	machine_wait(cpu);
}
