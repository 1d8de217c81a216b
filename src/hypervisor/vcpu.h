/* SPDX-License-Identifier: MIT */
/*
 * A virtual CPU: the loop around SIE, interruptions for the guest, interceptions.
 */
#ifndef HYPERVISOR_VCPU_H
#define HYPERVISOR_VCPU_H

#include <stdbool.h>
#include <stdint.h>

#include "compiler.h"
#include "vm.h"

struct guest;
struct status_area;

struct vcpu {
	struct vm *vm;
	struct cpu *cpu; /* the host CPU whose program this is */
	haddr_t scb_addr, sca_addr;
	pthread_mutex_t lock;
	pthread_cond_t woken;
	bool wake;		       /* something happened since the CPU was put to sleep */
	bool external_call, emergency; /* pending, of this CPU to itself */
	uint64_t left; /* machine TOD when SIE ended: the guest's CPU timer goes on */
	bool reloaded; /* the state description was made anew while an exit was handled */
};

int vcpu_new(struct vm *vm, unsigned int addr, struct vcpu **out, struct zpv_err *err) MUST_CHECK;
void vcpu_free(struct vcpu *v);

/* Initial CPU reset of state description and registers; clear: of all registers. */
void vcpu_reset(struct vcpu *v, bool clear);
/* What SIGP stores as the CPU's status. */
void vcpu_status(const struct guest *g, struct status_area *out);
void vcpu_set_psw(struct vcpu *v, uint64_t mask, uint64_t addr);
/* Reads the state description again after a reset while an exit is handled. */
void vcpu_refresh(struct guest *g);

/* Runs until the VM ends. */
void vcpu_run(struct vcpu *v);

/* The guest has loaded a wait PSW: sleeps, or ends the VM when nothing can end the wait. */
void vcpu_wait(struct guest *g);

/* Something became pending for the guest, or the VM ends: from any thread. */
void vcpu_wake(struct vcpu *v);

#endif
