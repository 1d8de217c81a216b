// SPDX-License-Identifier: MIT
/*
 * A virtual machine on a machine of its own.
 *
 * Machine storage: the hypervisor's control blocks first, then host frames in the order in which
 * they are asked for: tables of the guest's map, and guest pages.
 */
#include "vm.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "err.h"
#include "gmap.h"
#include "load.h"
#include "log.h"
#include "lowcore.h"
#include "sclp.h"
#include "vcpu.h"

#define MIB		       (1ull << 20)
#define MIN_MEMORY	       (64 * MIB)
#define MAX_MEMORY	       (1ull << 40)
#define LOWCORE_NEW_PSW(class) (offsetof(struct lowcore, new_psw) + 16u * (class))
/* The first 64 KiB of machine storage are left alone: lowcores of host CPUs. */
#define FIRST_FRAME 0x10000u

/* Room for tables beside the guest's own pages: 2 KiB a MiB, region and segment tables, control. */
static uint64_t storage_for(uint64_t memory)
{
	uint64_t tables = memory / 512 + memory / (2048 * MIB) * 16384 + 4 * MIB;

	return (memory + tables + MIB - 1) / MIB * MIB;
}

int vm_alloc(struct vm *vm, uint64_t bytes, uint64_t align, haddr_t *out, struct zpv_err *err)
{
	uint64_t at = (vm->ram_top + align - 1) / align * align;
	struct pic pic;

	if (at + bytes > machine_storage_bytes(vm->m))
		return err_set(err, ZPV_ERR_NOMEM, "the machine's %llu MiB of storage are used up",
			       (unsigned long long)(machine_storage_bytes(vm->m) / MIB));
	pic = storage_clear(vm->m, (haddr_t){ at }, bytes);
	if (pic.code)
		return err_set(err, ZPV_ERR_NOMEM, "host frame %#llx is not accessible (%#x)",
			       (unsigned long long)at, pic.code);
	vm->ram_top = at + bytes;
	out->v = at;
	return 0;
}

int vm_new(const struct vm_config *config, struct vm **out, struct zpv_err *err)
{
	AUTO(vm) struct vm *vm = calloc(1, sizeof(*vm));
	struct machine_config mc = { .storage_bytes = storage_for(config->memory_bytes),
				     .cpus = 1 };
	int rc;

	if (!vm)
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	pthread_mutex_init(&vm->lock, NULL);
	pthread_cond_init(&vm->changed, NULL);
	vm->config = *config;
	vm->ram_top = FIRST_FRAME;
	if (config->memory_bytes < MIN_MEMORY || config->memory_bytes > MAX_MEMORY ||
	    config->memory_bytes % MIB)
		return err_set(
			err, ZPV_ERR_USAGE,
			"guest memory of %llu bytes, not a multiple of 1 MiB from 64 MiB to 1 TiB",
			(unsigned long long)config->memory_bytes);
	rc = machine_new(&mc, &vm->m, err);
	if (!rc)
		rc = gmap_new(vm, config->memory_bytes, &vm->gmap, err);
	if (!rc)
		rc = sclp_new(vm, &vm->sclp, err);
	if (!rc)
		rc = vcpu_new(vm, 0, &vm->vcpu, err);
	if (rc)
		return rc;
	*out = STEAL(vm);
	return 0;
}

void vm_free(struct vm *vm)
{
	if (!vm)
		return;
	vcpu_free(vm->vcpu);
	sclp_free(vm->sclp);
	gmap_free(vm->gmap);
	machine_free(vm->m);
	pthread_cond_destroy(&vm->changed);
	pthread_mutex_destroy(&vm->lock);
	free(vm);
}

/* --- Guest storage ----------------------------------------------------------------------------- */

static struct pic guest_addressing(void)
{
	return (struct pic){ .code = 5, .level = PIC_GUEST };
}

struct pic vm_read(struct vm *vm, gaddr_t at, void *data, size_t len)
{
	uint8_t *to = data;

	while (len) {
		size_t n = 4096 - at.v % 4096 < len ? 4096 - at.v % 4096 : len;
		haddr_t frame;
		struct pic pic;

		if (!gmap_fault_in(vm->gmap, at, &frame))
			return guest_addressing();
		pic = storage_read(vm->m, frame, to, n);
		if (pic.code)
			return pic;
		at.v += n;
		to += n;
		len -= n;
	}
	return (struct pic){ 0 };
}

struct pic vm_write(struct vm *vm, gaddr_t at, const void *data, size_t len)
{
	const uint8_t *from = data;

	while (len) {
		size_t n = 4096 - at.v % 4096 < len ? 4096 - at.v % 4096 : len;
		haddr_t frame;
		struct pic pic;

		if (!gmap_fault_in(vm->gmap, at, &frame))
			return guest_addressing();
		pic = storage_write(vm->m, frame, from, n);
		if (pic.code)
			return pic;
		at.v += n;
		from += n;
		len -= n;
	}
	return (struct pic){ 0 };
}

/* --- Running ----------------------------------------------------------------------------------- */

int vm_load(struct vm *vm, bool clear, struct zpv_err *err)
{
	uint64_t mask, addr;
	int rc;

	if (clear)
		gmap_clear(vm->gmap);
	sclp_reset(vm->sclp);
	vcpu_reset(vm->vcpu, clear);
	rc = load_boot(vm, &mask, &addr, err);
	if (!rc)
		vcpu_set_psw(vm->vcpu, mask, addr);
	return rc;
}

int vm_run(struct vm *vm, struct zpv_err *err)
{
	int rc = vm_load(vm, true, err);

	if (rc)
		return rc;
	vcpu_run(vm->vcpu);
	if (vm->end != VM_FAILED)
		return 0;
	*err = vm->err;
	return -err->code;
}

void vm_set_end(struct vm *vm, enum vm_end end)
{
	pthread_mutex_lock(&vm->lock);
	if (vm->end == VM_RUNNING)
		vm->end = end;
	pthread_mutex_unlock(&vm->lock);
	atomic_store(&vm->stop, true);
}

void vm_crash(struct vm *vm, enum vm_crash why, uint64_t psw_mask, uint64_t psw_addr)
{
	vm->crash = why;
	vm->end_psw[0] = psw_mask;
	vm->end_psw[1] = psw_addr;
	vm_set_end(vm, VM_CRASHED);
}

/* Addresses of disabled waits that mean something (machine.md section 9, se-image.md section 4). */
static const struct {
	uint64_t addr;
	const char *text;
} wait_codes[] = {
	{ 0x4511,
	  "the boot loader of a Secure Execution image found something wrong in the image" },
	{ 0x4607,
	  "the boot loader of a Secure Execution image found no unpack facility: this machine "
	  "cannot enter protected mode" },
	{ 0x4608, "the boot loader of a Secure Execution image could not enter protected mode" },
	{ LOWCORE_NEW_PSW(LC_RESTART), "a restart interruption before the guest was ready for it" },
	{ LOWCORE_NEW_PSW(LC_EXTERNAL),
	  "an external interruption before the guest was ready for it" },
	{ LOWCORE_NEW_PSW(LC_SVC), "a supervisor call before the guest was ready for it" },
	{ LOWCORE_NEW_PSW(LC_PROGRAM),
	  "a program interruption before the guest was ready for it: early code went wrong" },
	{ LOWCORE_NEW_PSW(LC_MACHINE_CHECK), "a machine check before the guest was ready for it" },
	{ LOWCORE_NEW_PSW(LC_IO), "an I/O interruption before the guest was ready for it" },
	{ 0xfa12edbad21, "a unit test of kvm-unit-tests took an exception that it did not expect" },
	{ 0, "the guest loaded a PSW of zeros: perhaps an interruption for which it had set up no "
	     "new PSW" },
};

const char *vm_explain(const struct vm *vm)
{
	if (vm->crash == VM_PROGRAM_LOOP)
		return "program interruption loop: the program-new PSW is not valid";
	if (vm->crash == VM_EXTERNAL_LOOP)
		return "external interruption loop: the external-new PSW allows the same "
		       "interruption again";
	for (size_t i = 0; i < ARRAY_SIZE(wait_codes); i++)
		if (wait_codes[i].addr == vm->end_psw[1])
			return wait_codes[i].text;
	return NULL;
}

void vm_quit(struct vm *vm)
{
	vm_set_end(vm, VM_QUIT);
	vcpu_wake(vm->vcpu);
}

void vm_fail(struct vm *vm, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!vm->err.code)
		err_set(&vm->err, ZPV_ERR_FORMAT, "%s", text);
	vm_set_end(vm, VM_FAILED);
}
