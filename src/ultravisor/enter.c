// SPDX-License-Identifier: MIT
/*
 * Entry and exit of protected CPUs (sie.md sections 5.2, 6, 7.1-7.4, 7.7, 7.8).
 *
 * Whether a CPU may run is decided in one piece under the lock. What happens before its first
 * instruction comes later, at level 2, in steps. Each is done as a whole or, when a page that it
 * needs is not there, not at all: then the next entry begins with it.
 */
#include "machine_priv.h"
#include "uv_priv.h"

/* What of the PSW a host has to know: the masks, the wait state, the addressing mode. */
#define PSW_SHOWN (PSW_IO | PSW_EXT | PSW_MCHECK | PSW_WAIT | PSW_EA | PSW_BA)

#define SHORT_PSW_MASK 0xffffffff80000000ull
#define SHORT_PSW_ADDR 0x000000007fffffffull

/* --- Validity --------------------------------------------------------------------------------- */

uint8_t *uv_sida(const struct cpu *cpu, const struct scb_page *scb, uint64_t *bytes)
{
	uint64_t sidad = be64_get(scb->scb.gbea);

	*bytes = ((sidad & SCB_SIDAD_PAGES_MASK) + 1) * FRAME_BYTES;
	return sie_storage(cpu, sidad & SCB_SIDAD_ORIGIN, *bytes);
}

/* Which CPU is it? *out is set when it is one of the configuration, whatever else is wrong. */
static enum validity identify(const struct uv *uv, const struct cpu *cpu, const struct scb *scb,
			      uint64_t scb_addr, struct uv_cpu **out)
{
	const struct uv_config *config;
	struct uv_cpu *c;

	if (!uv->ready)
		return VALIDITY_PV_NOT_INIT;
	config = uv_find_config(uv, be64_get(scb->pv_handle_config));
	if (!config)
		return VALIDITY_PV_CONFIG;
	c = uv_find_cpu(uv, be64_get(scb->pv_handle_cpu));
	if (!c)
		return VALIDITY_PV_CPU;
	if (c->config != config)
		return VALIDITY_PV_OTHER_CONFIG;
	*out = c;
	if (c->scb_addr != scb_addr)
		return VALIDITY_PV_SCB;
	return cpu->cr[1] == config->asce ? VALIDITY_NONE : VALIDITY_PV_ASCE;
}

static enum validity check_state(const struct uv_cpu *c)
{
	if (c->running)
		return VALIDITY_PV_RUNNING;
	if (c->state != UV_CPU_OPERATING && c->state != UV_CPU_LOAD)
		return VALIDITY_PV_CPU_STATE;
	if (c->config->dumping ||
	    (c->config->state != CONFIG_VERIFIED && c->config->state != CONFIG_RESET_PREPARED))
		return VALIDITY_PV_CONFIG_STATE;
	if (c->reset_pending || c->config->state == CONFIG_RESET_PREPARED)
		return VALIDITY_PV_RESET;
	return VALIDITY_NONE;
}

/*
 * The host may change the fields at any time, so what counts is what sie_check_sca() read. Of the
 * control area only the first page must be there, as with the call that registered it: hosts that
 * run few CPUs have no more (kvm-unit-tests, lib/s390x/sie.c). Then the guest runs without one.
 */
static enum validity check_areas(const struct cpu *cpu, const struct uv_cpu *c,
				 const struct scb_page *scb)
{
	struct sie_state *st = cpu->sie;
	enum validity why;
	uint64_t bytes;

	if (!uv_sida(cpu, scb, &bytes))
		return VALIDITY_PV_SIDA;
	why = sie_check_sca(cpu, st);
	if ((why && why != VALIDITY_SCA_ACCESS) || !st->sca.extended ||
	    st->sca.addr != c->config->sca || !sie_storage(cpu, st->sca.addr, FRAME_BYTES))
		return VALIDITY_PV_SCA;
	return VALIDITY_NONE;
}

/* Within [was - elapsed, was]? Differences are signed: the timer may be negative. */
static enum validity timer_window(uint64_t timer, uint64_t was, uint64_t elapsed)
{
	int64_t gone = (int64_t)(was - timer);

	if (gone < 0)
		return VALIDITY_PV_TIMER_HIGH;
	return (uint64_t)gone > elapsed ? VALIDITY_PV_TIMER_LOW : VALIDITY_NONE;
}

/*
 * The host lets the CPU timer run while the guest does not (section 7.8). A reset in between has
 * changed the timer: KVM changes its copy too (kvm_arch_vcpu_ioctl_initial_reset(), v6.12), a host
 * that resets by the call alone does not (kvm-unit-tests, s390x/pv-ipl.c); so both are right.
 */
static enum validity check_timer(const struct uv_cpu *c, uint64_t timer, uint64_t now)
{
	uint64_t elapsed = (int64_t)(now - c->exit_tod) < 0 ? 0 : now - c->exit_tod;
	enum validity why;

	if (!c->ever_left)
		return VALIDITY_NONE;
	why = timer_window(timer, c->timer, elapsed);
	if (why && c->area->regs.timer != c->timer &&
	    !timer_window(timer, c->area->regs.timer, elapsed))
		return VALIDITY_NONE;
	return why;
}

/* --- Entry ------------------------------------------------------------------------------------ */

static void admit(const struct cpu *cpu, struct uv_cpu *c, uint64_t timer, struct secure_entry *out)
{
	const struct uv_config *config = c->config;
	int host_cpu = (int)cpu->addr;

	c->area->regs.timer = timer;
	*out = (struct secure_entry){ .owner = config->owner,
				      .cpu = c,
				      .regs = &c->area->regs,
				      .mso = config->origin,
				      .msl = config->origin + config->len - UV_MIB,
				      .number = c->number,
				      .moved = c->last_host_cpu != host_cpu };
	c->last_host_cpu = host_cpu;
	c->running = true;
}

enum validity uv_enter(void *opaque, struct cpu *cpu, struct scb_page *scb, uint64_t scb_addr,
		       struct secure_entry *out)
{
	struct uv *uv = opaque;
	uint64_t timer = be64_get(scb->scb.cputm);
	struct uv_cpu *c = NULL;
	enum validity why;

	uv_lock(uv, cpu);
	why = identify(uv, cpu, &scb->scb, scb_addr, &c);
	if (!why)
		why = check_state(c);
	if (!why)
		why = check_areas(cpu, c, scb);
	if (!why)
		why = check_timer(c, timer, machine_tod(cpu->m));
	if (!why)
		why = uv_check_injection(cpu, c, scb);
	if (!why)
		admit(cpu, c, timer, out);
	else if (c && !c->running)
		c->exit_tod = machine_tod(cpu->m); /* SIE has ended; the timer is as it was */
	uv_unlock(uv);
	return why;
}

/* --- Before the first instruction ------------------------------------------------------------- */

/* By the Ultravisor's own prefix; the one in the state description is a copy (section 7.1). */
static bool prefix_present(struct uv *uv, struct cpu *cpu, const struct uv_cpu *c)
{
	uint64_t page = cpu->prefix / FRAME_BYTES;
	bool present;

	uv_lock(uv, cpu);
	present = uv_page_present(c->config, cpu, page) &&
		  uv_page_present(c->config, cpu, page + 1);
	uv_unlock(uv);
	return present;
}

/* The format of an IPL PSW (PoP chapter 4): bit 12 is one there and must be zero in a PSW. */
static void read_short_psw(struct cpu *cpu, uint64_t *mask, uint64_t *addr)
{
	uint8_t *p;
	struct pic pic = mem_absolute(cpu, 0, sizeof(be64), ACCESS_READ, &p);
	be64 psw;

	if (pic.code)
		cpu_raise(cpu, NULL, pic);
	memcpy(&psw, p, sizeof(psw));
	*mask = (be64_get(psw) & SHORT_PSW_MASK) ^ PSW_SHORT;
	*addr = be64_get(psw) & SHORT_PSW_ADDR;
}

/*
 * The first load after VERIFY takes the header's PSW, others that at absolute 0 (section 7.7).
 * Whether it is valid is found out with the first instruction, as with every PSW (sie_poll()).
 */
static void load_psw(struct uv *uv, struct cpu *cpu, struct uv_cpu *c)
{
	struct uv_config *config = c->config;
	uint64_t mask, addr;
	bool header;

	uv_lock(uv, cpu);
	header = !config->header_psw_used;
	mask = config->psw_mask;
	addr = config->psw_addr;
	uv_unlock(uv);
	if (!header)
		read_short_psw(cpu, &mask, &addr);

	uv_lock(uv, cpu);
	config->header_psw_used = true;
	c->load_pending = false;
	c->state = UV_CPU_OPERATING;
	uv_unlock(uv);
	psw_set(cpu, mask, addr);
	cpu_state_changed(cpu);
}

/* RESTART of a CPU that was stopped (section 7.10). */
static void restart(struct uv *uv, struct cpu *cpu, struct uv_cpu *c)
{
	struct pic pic = intr_restart(cpu);

	if (uv_not_taken(pic))
		cpu_raise(cpu, NULL, pic);
	uv_lock(uv, cpu);
	c->restart_pending = false;
	uv_unlock(uv);
	intr_settle(cpu, NULL, pic);
}

/* What raises comes here again: in this SIE for the guest's exceptions, else at the next entry. */
void uv_begin(void *opaque, struct cpu *cpu)
{
	struct uv *uv = opaque;
	struct uv_cpu *c = uv_current(cpu);

	if (!prefix_present(uv, cpu, c))
		sie_exit(cpu, ICPT_PV_PREFIX);
	if (c->load_pending)
		load_psw(uv, cpu, c);
	if (c->restart_pending)
		restart(uv, cpu, c);
	if (c->area->pending.what && !uv_injects_program(c))
		uv_complete(cpu, c);
	if (c->injection.code)
		uv_inject(cpu, c);
}

/* --- Exit ------------------------------------------------------------------------------------- */

/*
 * The CC that the host has set for an instruction that is not complete (section 7.5) outlives
 * entries that end before that: by 0x70, an access exception of the host, a kick.
 */
static uint64_t shown_mask(const struct uv_cpu *c, const struct scb *scb, uint8_t icptcode)
{
	uint64_t mask = c->area->regs.psw_mask & PSW_SHOWN;

	if (c->area->pending.what && icptcode != ICPT_PV_INSTRUCTION)
		mask |= be64_get(scb->gpsw_mask) & PSW_CC;
	return mask;
}

/* Copies that a host needs; everything else of the guest stays inside (section 7.4). */
static void show(const struct uv_cpu *c, struct scb *scb, uint8_t icptcode)
{
	const struct secure_regs *r = &c->area->regs;
	uint32_t ibc = be32_get(scb->prefix) & SCB_IBC_MASK;

	be64_set(&scb->gpsw_mask, shown_mask(c, scb, icptcode));
	be64_set(&scb->gpsw_addr, 0);
	be64_set(&scb->gg14, 0);
	be64_set(&scb->gg15, 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(scb->gcr); i++)
		be64_set(&scb->gcr[i], i == 0 || i == 6 || i == 14 ? r->cr[i] : 0);
	be64_set(&scb->cputm, r->timer);
	be64_set(&scb->ckc, r->ckc);
	be32_set(&scb->prefix, ((uint32_t)r->prefix & SCB_PREFIX_MASK) | ibc);
}

/*
 * From SERVC's notification on its signal may come. Behind 0x70 the host may only repeat what it
 * wanted to inject at the entry that ended so: KVM, which does not know what became of it, leaves
 * iictl as it is.
 */
static void note_exit(struct uv_cpu *c, uint8_t icptcode)
{
	struct uv_pending *pending = &c->area->pending;

	if (icptcode == ICPT_PV_NOTIFICATION && pending->what == COMPLETE_SERVC_NOTIFY) {
		pending->what = COMPLETE_NONE;
		c->may_signal = true;
	}
	c->fenced = icptcode == ICPT_PV_PREFIX && !c->injection.code;
}

void uv_leave(void *opaque, struct cpu *cpu, struct scb_page *scb, uint8_t icptcode)
{
	struct uv *uv = opaque;
	struct uv_cpu *c = uv_current(cpu);

	show(c, &scb->scb, icptcode);
	uv_lock(uv, cpu);
	note_exit(c, icptcode);
	c->timer = c->area->regs.timer;
	c->exit_tod = machine_tod(cpu->m);
	c->ever_left = true;
	c->running = false;
	uv_unlock(uv);
}
