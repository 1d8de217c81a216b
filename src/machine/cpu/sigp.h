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

enum sigp_order {
	SIGP_SENSE = 1,
	SIGP_EXTERNAL_CALL = 2,
	SIGP_EMERGENCY = 3,
	SIGP_START = 4,
	SIGP_STOP = 5,
	SIGP_RESTART = 6,
	SIGP_STOP_STORE_STATUS = 9,
	SIGP_INITIAL_RESET = 11,
	SIGP_RESET = 12,
	SIGP_SET_PREFIX = 13,
	SIGP_STORE_STATUS = 14,
	SIGP_SET_ARCHITECTURE = 18,
	SIGP_COND_EMERGENCY = 19,
	SIGP_SENSE_RUNNING = 21,
};

#define SIGP_STATUS_INVALID_ORDER   0x002u
#define SIGP_STATUS_CHECK_STOP	    0x010u
#define SIGP_STATUS_STOPPED	    0x040u
#define SIGP_STATUS_CALL_PENDING    0x080u
#define SIGP_STATUS_PARAMETER	    0x100u
#define SIGP_STATUS_INCORRECT_STATE 0x200u
#define SIGP_STATUS_NOT_RUNNING	    0x400u

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

/* Of the polling CPU: performs a requested reset, a requested stop; then ends cpu_run(). */
void sigp_take_reset(struct cpu *cpu);
void sigp_take_stop(struct cpu *cpu);

struct status_area;
/* What store status stores, of a CPU that does not execute. */
void sigp_fill_status(const struct cpu *cpu, struct status_area *out);

#endif
