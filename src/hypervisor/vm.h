/* SPDX-License-Identifier: MIT */
/*
 * A virtual machine: guest storage behind host DAT tables, virtual CPUs, console, and how it ends.
 *
 * This is KVM's and QEMU's part. It sees guest storage only through the accessors of
 * machine/api, at the addresses that its own tables give.
 */
#ifndef HYPERVISOR_VM_H
#define HYPERVISOR_VM_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <zpv/error.h>
#include <zpv/log.h>

#include "addr.h"
#include "compiler.h"
#include "machine.h"

struct console;
struct gmap;
struct sclp;
struct vcpu;

/* Why a VM stopped. */
enum vm_end {
	VM_RUNNING,
	VM_POWERED_OFF,
	VM_REBOOT,  /* the guest asked for it and it was not wanted */
	VM_CRASHED, /* vm->crash, vm->end_psw */
	VM_FAILED,  /* the hypervisor or the machine: vm->err */
	VM_QUIT,    /* by the user */
};

/* What ended a VM_CRASHED one. */
enum vm_crash {
	VM_DISABLED_WAIT,
	VM_PROGRAM_LOOP,  /* its program-new PSW is not valid */
	VM_EXTERNAL_LOOP, /* its external-new PSW allows a clock's interruption again, for ever */
};

/* What to load. Strings are paths and live as long as the VM. */
struct vm_boot {
	const char *kernel; /* kernel image, ELF, SE image, or flat program */
	const char *ramdisk;
	const char *parmline; /* text */
};

struct vm_config {
	uint64_t memory_bytes; /* multiple of 1 MiB */
	struct vm_boot boot;
	bool no_reboot;		 /* end with VM_REBOOT instead of loading again */
	struct console *console; /* borrowed */
	const struct zpv_log *log;
};

struct vm {
	struct vm_config config;
	struct machine *m;
	struct gmap *gmap;
	struct sclp *sclp;
	struct vcpu *vcpu; /* one */
	haddr_t control;   /* the hypervisor's own control blocks */
	uint64_t ram_top;  /* host frames below are used */

	pthread_mutex_t lock;
	pthread_cond_t changed;
	enum vm_end end;
	enum vm_crash crash;
	uint64_t end_psw[2];
	uint8_t ipl_block[4096]; /* what the guest set by DIAGNOSE 308 */
	bool has_ipl_block;
	struct zpv_err err;
	atomic_bool stop; /* asked for from outside */
};

int vm_new(const struct vm_config *config, struct vm **out, struct zpv_err *err) MUST_CHECK;
void vm_free(struct vm *vm);
DEFINE_AUTO(vm)

/* Loads and runs until the VM ends. Return: 0 with vm->end; or a negative code. */
int vm_run(struct vm *vm, struct zpv_err *err) MUST_CHECK;

/* From any thread or signal handler's helper: ends the VM with VM_QUIT. */
void vm_quit(struct vm *vm);

/* Takes zeroed host frames (bytes is a multiple of 4096). Return: 0; -ZPV_ERR_NOMEM. */
int vm_alloc(struct vm *vm, uint64_t bytes, uint64_t align, haddr_t *out, struct zpv_err *err)
	MUST_CHECK;

/* Guest absolute storage, backed on demand. Pics are the guest's: 5 outside of it. */
struct pic vm_read(struct vm *vm, gaddr_t at, void *data, size_t len) MUST_CHECK;
struct pic vm_write(struct vm *vm, gaddr_t at, const void *data, size_t len) MUST_CHECK;

/* Loads everything, into cleared guest storage or not; the CPU is set up to start. */
int vm_load(struct vm *vm, bool clear, struct zpv_err *err) MUST_CHECK;

/* Ends the VM; the first reason stays. */
void vm_set_end(struct vm *vm, enum vm_end end);
void vm_crash(struct vm *vm, enum vm_crash why, uint64_t psw_mask, uint64_t psw_addr);

/* What a VM_CRASHED guest's PSW says, in words; NULL when it says nothing. */
const char *vm_explain(const struct vm *vm);

/* The hypervisor's own failure. */
void vm_fail(struct vm *vm, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
