// SPDX-License-Identifier: MIT
/*
 * SIGNAL PROCESSOR between host CPUs (PoP chapter 4, "CPU Signaling and Response").
 */
#include "sigp.h"

#include <sched.h>
#include <string.h>

#include "intr.h"
#include "lowcore.h"
#include "machine_priv.h"

#define PREFIX_BYTES 8192u
#define ARCH_MODE_AT 0xa3u /* absolute: "stored in z/Architecture" */

#define ANY_RESET (INTR_RESET | INTR_INITIAL_RESET)
#define ANY_STOP  (INTR_STOP | INTR_STORE_STATUS)

/* --- States ------------------------------------------------------------------------------------ */

static unsigned int state_of(const struct cpu *cpu)
{
	return atomic_load(&cpu_pending(cpu)->state);
}

bool sigp_operating(const struct cpu *cpu)
{
	return state_of(cpu) == CPU_OPERATING;
}

/* The CPU timer stands still while the CPU is stopped. */
static void timer_stop(struct cpu *cpu)
{
	cpu->timer_value = cpu_timer_get(cpu);
	cpu->timer_stopped = true;
}

static void timer_go(struct cpu *cpu)
{
	uint64_t value = cpu_timer_get(cpu);

	cpu->timer_stopped = false;
	cpu_timer_set(cpu, value);
}

/* The caller has claimed the CPU, or nobody else knows it yet. */
static void release(struct cpu *cpu, enum cpu_state state)
{
	if (state == CPU_OPERATING && cpu->timer_stopped)
		timer_go(cpu);
	atomic_store(&cpu_pending(cpu)->state, state);
	if (state == CPU_OPERATING)
		cpu_attention(cpu, ATTN_INTERRUPT);
}

static bool claim(struct cpu *cpu)
{
	unsigned int stopped = CPU_STOPPED;

	return atomic_compare_exchange_strong(&cpu_pending(cpu)->state, &stopped, CPU_CLAIMED);
}

void sigp_start(struct cpu *cpu)
{
	if (claim(cpu))
		release(cpu, CPU_OPERATING);
}

/* --- Status ------------------------------------------------------------------------------------ */

void sigp_fill_registers(const struct cpu *cpu, struct status_area *out)
{
	for (unsigned int i = 0; i < 16; i++) {
		be64_set(&out->fpr[i], cpu->fpr[i]);
		be64_set(&out->gr[i], cpu->gr[i]);
		be32_set(&out->ar[i], cpu->ar[i]);
		be64_set(&out->cr[i], cpu->cr[i]);
	}
	be32_set(&out->fpc, cpu->fpc);
	be32_set(&out->todpr, cpu->todpr);
	be64_set(&out->timer, cpu_timer_get(cpu));
	be64_set(&out->ckc, cpu->ckc >> 8);
}

void sigp_fill_status(const struct cpu *cpu, struct status_area *out)
{
	memset(out, 0, sizeof(*out));
	sigp_fill_registers(cpu, out);
	be64_set(&out->psw.mask, psw_mask_full(cpu));
	be64_set(&out->psw.addr, cpu->psw_addr);
	be32_set(&out->prefix, (uint32_t)cpu->prefix);
}

/* False when the area is not in host storage. */
static bool store_status_at(const struct cpu *cpu, uint64_t at)
{
	struct status_area area;

	sigp_fill_status(cpu, &area);
	return !storage_write(cpu->m, (haddr_t){ at }, &area, sizeof(area)).code;
}

/* Stop and store status: to absolute 0x1200, with the architecture that stored it. */
static void store_status(const struct cpu *cpu)
{
	static const uint8_t arch = ARCH_MODE_Z;
	bool stored = store_status_at(cpu, STATUS_AREA);

	/* Frames that are secure keep what they have: there is nobody to tell. */
	stored = stored && !storage_write(cpu->m, (haddr_t){ ARCH_MODE_AT }, &arch, 1).code;
	(void)stored;
}

/* --- What a CPU does to itself when it polls ---------------------------------------------------- */

static void reset(struct cpu *cpu, unsigned int requests)
{
	intr_clear(cpu);
	if (requests & INTR_INITIAL_RESET)
		cpu_initial_reset(cpu);
	timer_stop(cpu);
}

static _Noreturn void stop(struct cpu *cpu)
{
	atomic_store(&cpu_pending(cpu)->state, CPU_STOPPED);
	cpu_leave(cpu, CPU_STOP_STOPPED);
}

void sigp_take_reset(struct cpu *cpu)
{
	unsigned int requests = atomic_load(&cpu_pending(cpu)->requests);

	if (!(requests & ANY_RESET))
		return;
	reset(cpu, requests);
	stop(cpu);
}

void sigp_take_stop(struct cpu *cpu)
{
	atomic_uint *requests = &cpu_pending(cpu)->requests;

	if (!(atomic_load(requests) & INTR_STOP))
		return;
	timer_stop(cpu);
	if (atomic_load(requests) & INTR_STORE_STATUS)
		store_status(cpu);
	atomic_fetch_and(requests, ~(unsigned int)ANY_STOP);
	stop(cpu);
}

/* --- Orders ------------------------------------------------------------------------------------ */

static enum sigp_cc refuse(uint32_t *status, uint32_t bits)
{
	*status = bits;
	return SIGP_STATUS;
}

static enum sigp_cc sense(const struct cpu *target, uint32_t *status)
{
	uint32_t bits = 0;

	if (atomic_load(&cpu_pending(target)->external_call))
		bits |= SIGP_STATUS_CALL_PENDING;
	if (!sigp_operating(target))
		bits |= SIGP_STATUS_STOPPED;
	return bits ? refuse(status, bits) : SIGP_ACCEPTED;
}

static enum sigp_cc sense_running(const struct cpu *target, uint32_t *status)
{
	if (sigp_operating(target) && atomic_load(&target->inside))
		return SIGP_ACCEPTED;
	return refuse(status, SIGP_STATUS_NOT_RUNNING);
}

/* Signals a stopped CPU only if it could not be running in the space that param names. */
static enum sigp_cc conditional_emergency(const struct cpu *cpu, struct cpu *target, uint32_t param,
					  uint32_t *status)
{
	uint16_t asn = (uint16_t)param;

	if (!sigp_operating(target) &&
	    (target->psw_mask & (PSW_IO | PSW_EXT)) == (PSW_IO | PSW_EXT)) {
		bool idle = target->psw_mask & PSW_WAIT;

		if (idle ? target->psw_addr == 0 :
			   asn != (uint16_t)target->cr[4] && asn != (uint16_t)target->cr[3])
			return refuse(status, SIGP_STATUS_INCORRECT_STATE);
	}
	intr_emergency(target, (uint16_t)cpu->addr);
	return SIGP_ACCEPTED;
}

/* Start, restart and the resets of a CPU that the sender has claimed. */
static enum sigp_cc act_on_stopped(struct cpu *target, unsigned int order)
{
	enum cpu_state after = CPU_STOPPED;

	switch (order) {
	case SIGP_RESTART:
		atomic_fetch_or(&cpu_pending(target)->requests, INTR_RESTART);
		after = CPU_OPERATING;
		break;
	case SIGP_START:
		after = CPU_OPERATING;
		break;
	case SIGP_STOP_STORE_STATUS:
		store_status(target);
		break;
	case SIGP_INITIAL_RESET:
		reset(target, INTR_INITIAL_RESET);
		break;
	case SIGP_RESET:
		reset(target, INTR_RESET);
		break;
	default: /* stop: it is */
		break;
	}
	release(target, after);
	return SIGP_ACCEPTED;
}

static unsigned int request_of(unsigned int order)
{
	switch (order) {
	case SIGP_STOP:
		return INTR_STOP;
	case SIGP_STOP_STORE_STATUS:
		return INTR_STOP | INTR_STORE_STATUS;
	case SIGP_RESTART:
		return INTR_RESTART;
	case SIGP_INITIAL_RESET:
		return INTR_INITIAL_RESET;
	case SIGP_RESET:
		return INTR_RESET;
	default: /* start: it runs */
		return 0;
	}
}

static enum sigp_cc change_state(struct cpu *target, unsigned int order)
{
	if (claim(target))
		return act_on_stopped(target, order);
	if (!sigp_operating(target))
		return SIGP_BUSY;
	if (request_of(order))
		intr_request(target, request_of(order));
	return SIGP_ACCEPTED;
}

static bool in_storage(const struct cpu *cpu, uint64_t at, uint64_t len)
{
	uint64_t bytes = machine_storage_bytes(cpu->m);

	return len <= bytes && at <= bytes - len;
}

/* Set prefix, store status at address: only of a stopped CPU. */
static enum sigp_cc with_address(struct cpu *target, unsigned int order, uint32_t param,
				 uint32_t *status)
{
	bool prefix = order == SIGP_SET_PREFIX, done = true;
	uint64_t at = param & (prefix ? SIGP_PREFIX_ADDR : SIGP_STATUS_ADDR);

	if (!in_storage(target, at, prefix ? PREFIX_BYTES : sizeof(struct status_area)))
		return refuse(status, SIGP_STATUS_PARAMETER);
	if (!claim(target)) {
		if (!sigp_operating(target))
			return SIGP_BUSY;
		return refuse(status, SIGP_STATUS_INCORRECT_STATE);
	}
	if (prefix) {
		target->prefix = at;
		cpu_state_changed(target);
	} else {
		done = store_status_at(target, at);
	}
	release(target, CPU_STOPPED);
	return done ? SIGP_ACCEPTED : refuse(status, SIGP_STATUS_PARAMETER);
}

/* A stop, restart or reset on its way keeps everything but resets away. */
static bool busy(const struct cpu *target, unsigned int order)
{
	return order != SIGP_INITIAL_RESET && order != SIGP_RESET && sigp_operating(target) &&
	       atomic_load(&cpu_pending(target)->requests);
}

enum sigp_cc sigp_order(struct cpu *cpu, unsigned int order, uint16_t addr, uint32_t param,
			uint32_t *status)
{
	struct cpu *target = machine_cpu(cpu->m, addr);

	if (!target)
		return SIGP_NOT_OPERATIONAL;
	/* Facility 138: there is no other architecture to set. Concerns all CPUs, never busy. */
	if (order == SIGP_SET_ARCHITECTURE)
		return refuse(status, SIGP_STATUS_PARAMETER);
	if (busy(target, order))
		return SIGP_BUSY;
	switch (order) {
	case SIGP_SENSE:
		return sense(target, status);
	case SIGP_SENSE_RUNNING:
		return sense_running(target, status);
	case SIGP_EXTERNAL_CALL:
		return intr_external_call(target, (uint16_t)cpu->addr) ?
			       SIGP_ACCEPTED :
			       refuse(status, SIGP_STATUS_CALL_PENDING);
	case SIGP_EMERGENCY:
		intr_emergency(target, (uint16_t)cpu->addr);
		return SIGP_ACCEPTED;
	case SIGP_COND_EMERGENCY:
		return conditional_emergency(cpu, target, param, status);
	case SIGP_START:
	case SIGP_STOP:
	case SIGP_RESTART:
	case SIGP_STOP_STORE_STATUS:
	case SIGP_INITIAL_RESET:
	case SIGP_RESET:
		return change_state(target, order);
	case SIGP_SET_PREFIX:
	case SIGP_STORE_STATUS:
		return with_address(target, order, param, status);
	default:
		return refuse(status, SIGP_STATUS_INVALID_ORDER);
	}
}

/* --- Load reset -------------------------------------------------------------------------------- */

/* Stopped, so that nobody else works on it, and reset. False: somebody wants this CPU back first. */
static bool reset_other(struct cpu *self, struct cpu *target, bool clear)
{
	if (sigp_operating(target))
		intr_request(target, INTR_STOP);
	while (!claim(target)) {
		if (atomic_load(&self->attention) & ATTN_KICK)
			return false;
		revoke_answer(self);
		sched_yield();
	}
	if (clear)
		cpu_clear_reset(target);
	reset(target, clear ? INTR_INITIAL_RESET : INTR_RESET);
	release(target, CPU_STOPPED);
	return true;
}

/* Nobody answers for this CPU in there, so it must not be waited for: it counts as waiting. */
static void reset_secure(struct cpu *cpu)
{
	const struct machine *m = cpu->m;

	if (!m->secure_ops)
		return;
	revoke_exit(cpu);
	m->secure_ops->reset(m->uv);
	revoke_enter(cpu);
}

static bool reset_others(struct cpu *cpu, bool clear)
{
	const struct machine *m = cpu->m;

	for (unsigned int i = 0; i < m->ncpus; i++)
		if (m->cpus[i] != cpu && !reset_other(cpu, m->cpus[i], clear))
			return false;
	return true;
}

bool sigp_load_reset(struct cpu *cpu, bool clear)
{
	struct machine *m = cpu->m;

	if (atomic_exchange(&m->resetting, true))
		return false;
	if (!reset_others(cpu, clear)) {
		atomic_store(&m->resetting, false);
		return false;
	}
	reset_secure(cpu);
	intr_clear(cpu);
	if (clear)
		cpu_clear_reset(cpu);
	else
		cpu_initial_reset(cpu);
	atomic_store(&m->resetting, false);
	return true;
}
