/* SPDX-License-Identifier: MIT */
/*
 * Host CPUs among each other: states, SIGNAL PROCESSOR, store status (machine.md section 6).
 *
 * Orders to an operating CPU are requests that it takes when it polls. On a stopped CPU the sender
 * acts itself: it claims the CPU (CPU_STOPPED to CPU_CLAIMED) for that time, so that the CPU's own
 * thread and other senders keep away.
 */
#ifndef MACHINE_CPU_SIGP_H
#define MACHINE_CPU_SIGP_H

#include "cpu.h"
#include "sigp_order.h"

enum sigp_cc { SIGP_ACCEPTED, SIGP_STATUS, SIGP_BUSY, SIGP_NOT_OPERATIONAL };

/* An order of one host CPU to the one at address addr. *status is set with SIGP_STATUS only. */
enum sigp_cc sigp_order(struct cpu *cpu, unsigned int order, uint16_t addr, uint32_t param,
			uint32_t *status);

/*
 * A CPU begins stopped. Who runs it in host mode calls cpu_run() only while it is operating; IPL
 * makes it so with sigp_start(), SIGP start and restart likewise. Both then ask for attention.
 */
bool sigp_operating(const struct cpu *cpu);
void sigp_start(struct cpu *cpu);

/*
 * Load reset (DIAGNOSE 308 subcodes 0 and 1): the other CPUs are reset and stopped, the Ultravisor has
 * nothing any more, and this CPU has had an initial reset, or a clear reset (as the others then).
 * Storage stays. False, to be tried again after a poll: another CPU is about to reset this one, or it
 * was kicked.
 */
bool sigp_load_reset(struct cpu *cpu, bool clear) MUST_CHECK;

/* Of the polling CPU: performs a requested reset, a requested stop; then ends cpu_run(). */
void sigp_take_reset(struct cpu *cpu);
void sigp_take_stop(struct cpu *cpu);

struct status_area;
/* What store status and a machine check store alike: all but PSW and prefix. Leaves the rest. */
void sigp_fill_registers(const struct cpu *cpu, struct status_area *out);
/* What store status stores, of a CPU that does not execute. */
void sigp_fill_status(const struct cpu *cpu, struct status_area *out);

#endif
