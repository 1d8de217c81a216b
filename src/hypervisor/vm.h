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
#include "dump.h"
#include "ipib.h"
#include "machine.h"
#include "se_hdr.h"

struct console;
struct dump_request;
struct gmap;
struct pv;
struct sclp;
struct vcpu;
struct vm;

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
	const char *dump_on_crash; /* file for a dump of a guest that has crashed; NULL: none */
	/* Called with the new machine, to install what is not the hypervisor's. May be NULL. */
	int (*firmware)(void *arg, struct machine *m, struct zpv_err *err);
	void *firmware_arg;
	/* Called on the CPU's thread after every end of SIE, before anything is handled. May be NULL. */
	void (*after_sie)(void *arg, struct vm *vm);
	void *after_sie_arg;
};

/* An IPL information block that the guest has set by DIAGNOSE 308. */
struct vm_block {
	bool valid;
	uint8_t bytes[IPIB_MAX_BYTES];
};

/* The guest's way into protected mode, for who reports it. Times are nanoseconds. */
struct vm_protection {
	bool on;	   /* the guest is protected, or was when it ended */
	uint64_t enter_ns; /* the last DIAGNOSE 308 subcode 10 took so long */
	uint64_t first_ns; /* from the start of the VM to its first protected instruction */
	bool failed;	   /* the last attempt, by this call of the Ultravisor (0: by none): */
	uint16_t command, rc, rrc;
	size_t nhashes; /* the host keys for which the image is sealed */
	uint8_t hashes[SE_HDR_MAX_SLOTS][SE_PHKH_BYTES];
};

/* What other threads want of the CPU's thread (request.c). Under the VM's lock. */
struct vm_requests {
	atomic_bool any;	   /* to be looked at between two SIE */
	bool paused;		   /* the user wants the guest to stand still */
	bool holding;		   /* it does */
	bool over;		   /* the CPU's thread has ended */
	struct dump_request *dump; /* to be served, or being served */
};

/* What became of the dump of a guest that has crashed. */
struct vm_crash_dump {
	bool tried;
	struct zpv_err err; /* code 0: it is there */
	struct dump_report report;
};

/* Host frames that are handed out from one end to the other. */
struct vm_region {
	uint64_t next, end;
};

struct vm {
	struct vm_config config;
	struct machine *m;
	struct gmap *gmap;
	struct sclp *sclp;
	struct vcpu *vcpu;     /* one */
	struct vm_region low;  /* host frames for tables and guest pages */
	struct vm_region high; /* the same from 2 GiB on, to be donated to the Ultravisor */
	struct pv *pv;	       /* NULL: the machine has no Ultravisor */
	struct vm_protection protection;
	uint64_t start_ns; /* monotonic clock when the VM started */

	pthread_mutex_t lock;
	pthread_cond_t changed;
	enum vm_end end;
	enum vm_crash crash;
	uint64_t end_psw[2];
	bool psw_hidden; /* of a protected guest: end_psw has its mask's visible bits alone */
	struct vm_block ipl_block, pv_block; /* of subcodes 5 and 6; of 8 and 9 */
	struct zpv_err err;
	struct vm_requests requests;
	struct vm_crash_dump crash_dump;
	atomic_bool is_protected; /* as protection.on; for any thread */
	atomic_bool stop;	  /* asked for from outside, or the VM has ended */
	atomic_bool quit;	  /* asked for from outside: long work ends too */
	atomic_bool reset;	  /* asked for from outside, too */
};

int vm_new(const struct vm_config *config, struct vm **out, struct zpv_err *err) MUST_CHECK;
void vm_free(struct vm *vm);
DEFINE_AUTO(vm)

/* Loads and runs until the VM ends. Return: 0 with vm->end; or a negative code. */
int vm_run(struct vm *vm, struct zpv_err *err) MUST_CHECK;

/* From any thread or signal handler's helper: ends the VM with VM_QUIT. */
void vm_quit(struct vm *vm);
/* The same: a reset from outside, as by the guest's own re-IPL with clearing. */
void vm_reset(struct vm *vm);

/* Any thread's view of why the VM ended; VM_RUNNING when it has not. */
enum vm_end vm_ended(struct vm *vm);

/* --- Requests of other threads (request.c). Return: 0; -ZPV_ERR_USAGE the VM has ended. ---------- */

/* The guest stands still afterwards; waits for the end of a load, reset or dump. */
int vm_pause(struct vm *vm, struct zpv_err *err) MUST_CHECK;
int vm_resume(struct vm *vm, struct zpv_err *err) MUST_CHECK;
bool vm_is_paused(struct vm *vm);
/* Dumps the guest, which stands still meanwhile. Return: also as the functions of dump.h. */
int vm_dump(struct vm *vm, const struct dump_spec *spec, struct dump_report *out,
	    struct zpv_err *err) MUST_CHECK;

/* The CPU's thread, outside of SIE: does what was asked for, and waits while the guest is paused. */
void vm_serve(struct vm *vm);
/* The same, when the guest has crashed: the dump that was asked for. */
void vm_dump_crashed(struct vm *vm);
/* There is no CPU's thread any more: who waits for it goes on. */
void vm_serve_end(struct vm *vm);

/*
 * Takes host frames of zeros (bytes is a multiple of 4096), which are never given back.
 * Return: 0; -ZPV_ERR_NOMEM.
 */
int vm_alloc(struct vm *vm, struct vm_region *from, uint64_t bytes, uint64_t align, haddr_t *out,
	     struct zpv_err *err) MUST_CHECK;

/* Host frames that the guest's pages have. */
uint64_t vm_guest_frames(const struct vm *vm);

/* Does the machine have this facility? */
bool vm_facility(const struct vm *vm, unsigned int bit);
uint64_t vm_now_ns(void);

/*
 * Guest absolute storage, backed on demand. Pics are the guest's: 5 outside of it. A page of a
 * protected guest is pinned when it is shared; else it is exported, and what is read is ciphertext.
 */
struct pic vm_read(struct vm *vm, gaddr_t at, void *data, size_t len) MUST_CHECK;
struct pic vm_write(struct vm *vm, gaddr_t at, const void *data, size_t len) MUST_CHECK;

/* Loads everything, into cleared guest storage or not; the CPU is set up to start. */
int vm_load(struct vm *vm, bool clear, struct zpv_err *err) MUST_CHECK;
/* Loads everything again, or ends the VM when that is not wanted. On the CPU's thread. */
void vm_reboot(struct vm *vm, bool clear);

/* How often a text is in the storage that the hypervisor may read. */
struct vm_found {
	uint64_t times;
	uint64_t readable, hidden; /* frames */
};
/* While no CPU runs. False: no memory, or no text. */
bool vm_find(struct vm *vm, const char *text, struct vm_found *out);

/* Ends the VM; the first reason stays. */
void vm_set_end(struct vm *vm, enum vm_end end);

/* What a VM_CRASHED guest's PSW says, in words; NULL when it says nothing. */
const char *vm_explain(const struct vm *vm);

/* The hypervisor's own failure. */
void vm_fail(struct vm *vm, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
