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

struct core_cpu;
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
	bool restart;		       /* the same; of a protected guest */
	uint64_t left; /* machine TOD when SIE ended: the guest's CPU timer goes on */
	bool reloaded; /* the state description was made anew while an exit was handled */

	/* Of a protected guest: what was handed to SIE, and is taken when the code is gone after it. */
	bool no_injection; /* nothing may be handed over at the next entry */
	uint8_t handed;	   /* enum scb_injection */
	uint16_t code;	   /* of the external interruption */
	uint32_t signal;   /* the service signal's parameter */

	pthread_t thread;
	uint8_t *stack;
};

/* What makes a state description one of format 4. */
struct vcpu_secure {
	uint64_t cpu, config; /* handles */
	haddr_t sida, sca;    /* a page; extended format */
};

int vcpu_new(struct vm *vm, unsigned int addr, struct vcpu **out, struct zpv_err *err) MUST_CHECK;
void vcpu_free(struct vcpu *v);

/* Initial CPU reset of state description and registers; clear: of all registers. */
void vcpu_reset(struct vcpu *v, bool clear);
/* What SIGP stores as the CPU's status. */
void vcpu_status(const struct guest *g, struct status_area *out);
/*
 * What the hypervisor knows of the registers, between two SIE. Of a protected guest that is what its
 * last interception showed, and zeros for all else.
 */
void vcpu_core(struct vcpu *v, struct core_cpu *out);
void vcpu_set_psw(struct vcpu *v, uint64_t mask, uint64_t addr);
/* After a reset: the guest is protected now, until the next reset. */
void vcpu_protect(struct vcpu *v, const struct vcpu_secure *secure);
/* Reads the state description again after a reset while an exit is handled. */
void vcpu_refresh(struct guest *g);

/* Runs on a thread of its own until the VM ends. Return: 0; -ZPV_ERR_NOMEM. */
int vcpu_run(struct vcpu *v, struct zpv_err *err) MUST_CHECK;

/* The guest has loaded a wait PSW: sleeps, or ends the VM when nothing can end the wait. */
void vcpu_wait(struct guest *g);

/* The guest has stopped itself; its PSW is in the state description. */
void vcpu_crash(struct guest *g, enum vm_crash why);

/* Something became pending for the guest, or the VM ends: from any thread. */
void vcpu_wake(struct vcpu *v);

#endif
