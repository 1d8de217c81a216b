// SPDX-License-Identifier: MIT
/*
 * INITIALIZE UV (ultravisor.md section 4.3).
 */
#include "machine_priv.h"
#include "uv_priv.h"

#define MIN_ORIGIN 0x80000000ull

enum {
	RC_READY = 0x0101,
	RC_CPUS = 0x0102,
	RC_LENGTH = 0x0103,
	RC_ALIGNMENT = 0x0104,
	RC_STORAGE = 0x0105,
	RC_LOW = 0x0108,
};

/* A native hypervisor's CPU has no CPU state of its own: it counts while it executes. */
static bool alone(const struct cpu *self)
{
	const struct machine *m = self->m;

	for (unsigned int i = 0; i < m->ncpus; i++) {
		const struct cpu *cpu = m->cpus[i];

		if (cpu != self && (atomic_load(&cpu->inside) ||
				    atomic_load(&cpu_pending(cpu)->state) == CPU_OPERATING))
			return false;
	}
	return true;
}

/* Prefix areas lie below the lowest origin, so none has to be looked for. */
uint16_t uv_init(struct uv_op *op)
{
	const struct uvcb_init *b = &op->block.init;
	uint64_t origin = be64_get(b->stor_origin), len = be64_get(b->stor_len);
	struct uv *uv = op->uv;

	if (uv->ready)
		return RC_READY;
	if (len != UV_BASE_STOR_BYTES)
		return RC_LENGTH;
	if (origin < MIN_ORIGIN)
		return RC_LOW;
	if (origin % UV_MIB)
		return RC_ALIGNMENT;
	if (!uv_in_storage(uv, origin, len) || !uv_all_host(uv, origin, len) ||
	    uv_holds_block(op, origin, len))
		return RC_STORAGE;
	if (!alone(op->cpu))
		return RC_CPUS;
	uv_donate(uv, op->cpu, origin, len);
	uv->base_stor = origin;
	uv->ready = true;
	return UV_RC_EXECUTED;
}
