// SPDX-License-Identifier: MIT
/*
 * Protected CPUs: CREATE and DESTROY SECURE CPU, the resets, CPU SET STATE (ultravisor.md sections
 * 4.7, 4.8, 4.15, 4.18; sie.md section 7.7).
 */
#include <stdlib.h>
#include <string.h>

#include "machine_priv.h"
#include "sigp_order.h"
#include "uv_priv.h"

#define CR0_INITIAL  0xe0ull
#define CR14_INITIAL 0xc2000000ull
#define BEA_INITIAL  1u

enum {
	RC_CREATE_ALIGN = 0x0101,
	RC_CREATE_STATE = 0x0102,
	RC_CREATE_NUMBER = 0x0103,
	RC_CREATE_DEFINED = 0x0104,
	RC_CREATE_STORAGE = 0x0105,
	RC_CREATE_LOWCORE = 0x0106,
	RC_CREATE_SCB = 0x0107,
	RC_CREATE_SCB_PLACE = 0x0108,
	RC_CREATE_NOT_FREE = 0x0109,

	RC_DESTROY_RUNNING = 0x0102,
	RC_RESET_STATE = 0x0102,

	RC_STATE_VALUE = 0x0101,
	RC_STATE_REFUSED = 0x0102,
	RC_STATE_NOT_VERIFIED = 0x0103,
};

static_assert(sizeof(struct uv_cpu_area) <= UV_CPU_STOR_BYTES, "fits the donated storage");

/* --- Registers (PoP chapter 4, "Resets") --------------------------------------------------------- */

void uv_regs_reset_initial(struct secure_regs *r)
{
	memset(r->cr, 0, sizeof(r->cr));
	r->cr[0] = CR0_INITIAL;
	r->cr[14] = CR14_INITIAL;
	r->psw_mask = r->psw_addr = 0;
	r->prefix = 0;
	r->bea = BEA_INITIAL;
	r->ckc = 0;
	r->timer = 0;
	r->todpr = 0;
	r->program_parameter = 0;
	r->file.fpc = 0;
}

void uv_regs_reset_clear(struct secure_regs *r)
{
	memset(&r->file, 0, sizeof(r->file));
	uv_regs_reset_initial(r);
}

/* --- CREATE and DESTROY ------------------------------------------------------------------------ */

static bool number_defined(const struct uv_config *c, unsigned int number)
{
	for (const struct uv_cpu *cpu = c->cpus; cpu; cpu = cpu->next)
		if (cpu->number == number)
			return true;
	return false;
}

/* Of format 4 all belongs to the state description, to the end of its page. */
static uint16_t check_scb(const struct uv *uv, uint64_t scb, uint64_t stor)
{
	if (!uv_accessible(uv, scb, sizeof(struct scb)) || scb / FRAME_BYTES == stor / FRAME_BYTES)
		return RC_CREATE_SCB;
	if (scb % sizeof(struct scb_page) || uv_has_lowcore(uv, scb, sizeof(struct scb_page)))
		return RC_CREATE_SCB_PLACE;
	return UV_RC_EXECUTED;
}

static uint16_t check_create(const struct uv_op *op, const struct uvcb_create_cpu *b)
{
	uint64_t stor = be64_get(b->stor_origin);
	const struct uv_config *c = op->config;
	const struct uv *uv = op->uv;
	uint16_t rc;

	if (stor % FRAME_BYTES)
		return RC_CREATE_ALIGN;
	if (c->dumping || c->state == CONFIG_FAILED)
		return RC_CREATE_STATE;
	if (be16_get(b->num) > UV_MAX_CPU_ID)
		return RC_CREATE_NUMBER;
	if (number_defined(c, be16_get(b->num)))
		return RC_CREATE_DEFINED;
	if (!uv_in_storage(uv, stor, UV_CPU_STOR_BYTES))
		return RC_CREATE_STORAGE;
	if (uv_has_lowcore(uv, stor, UV_CPU_STOR_BYTES))
		return RC_CREATE_LOWCORE;
	rc = check_scb(uv, be64_get(b->state_origin), stor);
	if (rc != UV_RC_EXECUTED)
		return rc;
	if (!uv_all_host(uv, stor, UV_CPU_STOR_BYTES) ||
	    uv_holds_block(op, stor, UV_CPU_STOR_BYTES))
		return RC_CREATE_NOT_FREE;
	return UV_RC_EXECUTED;
}

static void add_cpu(struct uv_op *op, struct uv_cpu *cpu, const struct uvcb_create_cpu *b)
{
	struct uv *uv = op->uv;

	cpu->config = op->config;
	cpu->stor_origin = be64_get(b->stor_origin);
	cpu->scb_addr = be64_get(b->state_origin);
	cpu->number = be16_get(b->num);
	cpu->state = UV_CPU_STOPPED;
	cpu->last_host_cpu = -1;
	uv_donate(uv, op->cpu, cpu->stor_origin, UV_CPU_STOR_BYTES);
	cpu->area = (void *)frame_secure_page(uv->m, cpu->stor_origin / FRAME_BYTES);
	uv_regs_reset_clear(&cpu->area->regs);
	cpu->next = op->config->cpus;
	op->config->cpus = cpu;
}

uint16_t uv_create_cpu(struct uv_op *op)
{
	struct uvcb_create_cpu *b = &op->block.create_cpu;
	struct uv_cpu *cpu;
	uint16_t rc;

	be64_set(&b->cpu_handle, 0);
	rc = check_create(op, b);
	if (rc != UV_RC_EXECUTED)
		return rc;
	cpu = calloc(1, sizeof(*cpu));
	if (cpu)
		cpu->handle = uv_new_handle(op->uv);
	if (!cpu || !cpu->handle) {
		free(cpu);
		return UV_RC_RESOURCE; /* no memory or no random bytes: of the machine's host */
	}
	add_cpu(op, cpu, b);
	be64_set(&b->cpu_handle, cpu->handle);
	return UV_RC_EXECUTED;
}

void uv_cpu_destroy(struct uv_cpu *c, struct cpu *self)
{
	struct uv_cpu **p = &c->config->cpus;

	while (*p != c)
		p = &(*p)->next;
	*p = c->next;
	uv_give_back(c->config->uv, self, c->stor_origin, UV_CPU_STOR_BYTES);
	free(c);
}

uint16_t uv_destroy_cpu(struct uv_op *op)
{
	if (op->ucpu->running)
		return RC_DESTROY_RUNNING;
	uv_cpu_destroy(op->ucpu, op->cpu);
	return UV_RC_EXECUTED;
}

/* --- Resets ------------------------------------------------------------------------------------ */

/* Has a CPU asked for a reset of the configuration, which the host has not completed? */
static bool reset_requested(const struct uv_config *c)
{
	for (const struct uv_cpu *cpu = c->cpus; cpu; cpu = cpu->next)
		if (cpu->reset_pending)
			return true;
	return false;
}

/* Subcode 0 asks for a clear reset of the CPU; subcode 1 for an initial one, which is part of it. */
static bool is_asked_for(const struct uv_cpu *cpu, unsigned int cmd)
{
	return cpu->reset_pending && (cmd == UVC_CPU_RESET_CLEAR || (cmd == UVC_CPU_RESET_INITIAL &&
								     cpu->reset_pending == 1 + 1));
}

/* A CPU reset keeps all registers: it ends what is under way. */
static void reset_cpu(struct uv_cpu *cpu, unsigned int cmd)
{
	cpu->load_pending = false;
	cpu->restart_pending = false;
	cpu->order = 0;
	/* A signal that may come is floating: the reset of one CPU does not take it away. */
	if (!cpu->may_signal)
		cpu->outstanding_sccb = 0;
	cpu->fenced = false;
	cpu->injection = (struct uv_injection){ .code = INJECT_NONE };
	cpu->area->pending = (struct uv_pending){ .what = COMPLETE_NONE };
	if (is_asked_for(cpu, cmd))
		cpu->reset_done = true;
	if (cmd == UVC_CPU_RESET)
		return;
	if (cmd == UVC_CPU_RESET_CLEAR)
		uv_regs_reset_clear(&cpu->area->regs);
	else
		uv_regs_reset_initial(&cpu->area->regs);
}

uint16_t uv_cpu_reset(struct uv_op *op)
{
	const struct uv_config *c = op->config;
	unsigned int cmd = be16_get(op->block.head.cmd);

	if (op->ucpu->running || op->ucpu->state != UV_CPU_STOPPED || c->dumping)
		return RC_RESET_STATE;
	if (cmd != UVC_CPU_RESET && reset_requested(c) && c->state != CONFIG_RESET_PREPARED)
		return RC_RESET_STATE;
	reset_cpu(op->ucpu, cmd);
	return UV_RC_EXECUTED;
}

/* --- CPU SET STATE ----------------------------------------------------------------------------- */

/* Pending flags stay: a later state 1 goes on with them. */
static uint16_t to_stopped(struct uv_cpu *cpu, struct cpu *self)
{
	if (cpu->order == SIGP_STOP_STORE_STATUS)
		uv_store_stop_status(cpu, self);
	if (cpu->order == SIGP_STOP || cpu->order == SIGP_STOP_STORE_STATUS)
		cpu->order = 0;
	cpu->state = UV_CPU_STOPPED;
	return UV_RC_EXECUTED;
}

static uint16_t leave_stopped(struct uv_cpu *cpu, enum uv_cpu_state state)
{
	cpu->state = (uint8_t)state;
	cpu->order = 0;
	cpu->config->unshared = false; /* the guest may share again */
	return UV_RC_EXECUTED;
}

/* From stopped, or from load: then the load stays pending. */
static uint16_t to_operating(struct uv_cpu *cpu)
{
	if (cpu->config->dumping)
		return RC_STATE_REFUSED;
	if (cpu->config->state != CONFIG_VERIFIED)
		return RC_STATE_NOT_VERIFIED;
	if (cpu->reset_pending)
		return RC_STATE_REFUSED;
	return leave_stopped(cpu, UV_CPU_OPERATING);
}

static uint16_t to_load(struct uv_cpu *cpu)
{
	struct uv_config *c = cpu->config;

	if (cpu->state != UV_CPU_STOPPED || c->dumping)
		return RC_STATE_REFUSED;
	if (c->state != CONFIG_VERIFIED && c->state != CONFIG_RESET_PREPARED)
		return RC_STATE_NOT_VERIFIED;
	if (cpu->reset_pending && (c->state != CONFIG_RESET_PREPARED || !cpu->reset_done))
		return RC_STATE_REFUSED;
	c->state = CONFIG_VERIFIED;
	cpu->reset_pending = 0;
	cpu->reset_done = false;
	cpu->load_pending = true;
	return leave_stopped(cpu, UV_CPU_LOAD);
}

uint16_t uv_set_cpu_state(struct uv_op *op)
{
	struct uv_cpu *cpu = op->ucpu;
	unsigned int state = op->block.cpu_state.state;

	if (state != UV_CPU_OPERATING && state != UV_CPU_STOPPED && state != UV_CPU_CHECK_STOP &&
	    state != UV_CPU_LOAD)
		return RC_STATE_VALUE;
	if (cpu->running || state == UV_CPU_CHECK_STOP)
		return RC_STATE_REFUSED;
	if (state == UV_CPU_STOPPED)
		return to_stopped(cpu, op->cpu);
	if (state == cpu->state)
		return UV_RC_EXECUTED;
	return state == UV_CPU_LOAD ? to_load(cpu) : to_operating(cpu);
}
