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
#include <time.h>

#include "err.h"
#include "gmap.h"
#include "load.h"
#include "log.h"
#include "lowcore.h"
#include "pv.h"
#include "sclp.h"
#include "vcpu.h"

#define MIB		       (1ull << 20)
#define GIB		       (1ull << 30)
#define MIN_MEMORY	       (64 * MIB)
#define MAX_MEMORY	       (1ull << 40)
#define LOWCORE_NEW_PSW(class) (offsetof(struct lowcore, new_psw) + 16u * (class))
/* The first 64 KiB of machine storage are left alone: lowcores of host CPUs. */
#define FIRST_FRAME 0x10000u

/* Room for tables beside the guest's own pages: 2 KiB a MiB, region and segment tables, control. */
static uint64_t low_bytes(const struct vm_config *config)
{
	uint64_t memory = config->memory_bytes;
	uint64_t tables = memory / 512 + memory / (2048 * MIB) * 16384 + 4 * MIB;
	uint64_t all = (memory + tables + MIB - 1) / MIB * MIB;

	return config->firmware && all < 2 * GIB ? 2 * GIB : all;
}

/* What the Ultravisor asks for is known only when the machine exists; room costs nothing. */
static uint64_t high_bytes(const struct vm_config *config)
{
	return config->firmware ? 64 * MIB + config->memory_bytes / 32 / MIB * MIB : 0;
}

int vm_alloc(struct vm *vm, struct vm_region *from, uint64_t bytes, uint64_t align, haddr_t *out,
	     struct zpv_err *err)
{
	uint64_t at = (from->next + align - 1) / align * align;

	if (at > from->end || bytes > from->end - at)
		return err_set(err, ZPV_ERR_NOMEM, "the machine's %llu MiB of storage are used up",
			       (unsigned long long)(machine_storage_bytes(vm->m) / MIB));
	from->next = at + bytes;
	out->v = at;
	return 0;
}

uint64_t vm_guest_frames(const struct vm *vm)
{
	return gmap_present(vm->gmap);
}

bool vm_facility(const struct vm *vm, unsigned int bit)
{
	return machine_facilities(vm->m, bit / 64) & BIT64(bit % 64);
}

uint64_t vm_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static int make_machine(struct vm *vm, struct zpv_err *err)
{
	const struct vm_config *config = &vm->config;
	uint64_t low = low_bytes(config), high = high_bytes(config);
	struct machine_config mc = { .storage_bytes = low + high, .cpus = 1 };
	int rc = machine_new(&mc, &vm->m, err);

	vm->low = (struct vm_region){ FIRST_FRAME, low };
	vm->high = (struct vm_region){ low, low + high };
	if (!rc && config->firmware)
		rc = config->firmware(config->firmware_arg, vm->m, err);
	return rc;
}

static int make_parts(struct vm *vm, struct zpv_err *err)
{
	int rc = gmap_new(vm, vm->config.memory_bytes, &vm->gmap, err);

	if (!rc)
		rc = sclp_new(vm, &vm->sclp, err);
	if (!rc)
		rc = vcpu_new(vm, 0, &vm->vcpu, err);
	if (!rc && vm_facility(vm, FACILITY_UVC))
		rc = pv_new(vm, &vm->pv, err);
	return rc;
}

int vm_new(const struct vm_config *config, struct vm **out, struct zpv_err *err)
{
	AUTO(vm) struct vm *vm = calloc(1, sizeof(*vm));
	int rc;

	if (!vm)
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	pthread_mutex_init(&vm->lock, NULL);
	pthread_cond_init(&vm->changed, NULL);
	vm->config = *config;
	if (config->memory_bytes < MIN_MEMORY || config->memory_bytes > MAX_MEMORY ||
	    config->memory_bytes % MIB)
		return err_set(
			err, ZPV_ERR_USAGE,
			"guest memory of %llu bytes, not a multiple of 1 MiB from 64 MiB to 1 TiB",
			(unsigned long long)config->memory_bytes);
	rc = make_machine(vm, err);
	if (!rc)
		rc = make_parts(vm, err);
	if (rc)
		return rc;
	*out = STEAL(vm);
	return 0;
}

void vm_free(struct vm *vm)
{
	if (!vm)
		return;
	pv_free(vm->pv);
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

/* Part of a page, in one direction. */
static struct pic access_page(struct vm *vm, gaddr_t at, void *data, size_t n, bool write)
{
	haddr_t frame;
	struct pic pic;

	do {
		if (!gmap_fault_in(vm->gmap, at, &frame))
			return guest_addressing();
		pic = write ? storage_write(vm->m, frame, data, n) :
			      storage_read(vm->m, frame, data, n);
	} while (pic.code == PGM_SECURE_ACCESS && vm->pv && pv_make_accessible(vm->pv, frame));
	return pic;
}

static struct pic access_all(struct vm *vm, gaddr_t at, void *data, size_t len, bool write)
{
	uint8_t *p = data;

	while (len) {
		size_t n = 4096 - at.v % 4096 < len ? 4096 - at.v % 4096 : len;
		struct pic pic = access_page(vm, at, p, n, write);

		if (pic.code)
			return pic;
		at.v += n;
		p += n;
		len -= n;
	}
	return (struct pic){ 0 };
}

struct pic vm_read(struct vm *vm, gaddr_t at, void *data, size_t len)
{
	return access_all(vm, at, data, len, false);
}

struct pic vm_write(struct vm *vm, gaddr_t at, const void *data, size_t len)
{
	return access_all(vm, at, (void *)(uintptr_t)data, len, true);
}

/* --- Running ----------------------------------------------------------------------------------- */

/* Clears what the guest has had, with its storage keys: as in a new machine. */
static void clear_guest(struct vm *vm)
{
	struct pic pic;

	gmap_clear(vm->gmap);
	pic = storage_set_key(vm->m, (haddr_t){ 0 }, vm->low.next, 0);
	if (pic.code)
		vm_fail(vm, "storage keys cannot be reset (%#x)", pic.code);
}

int vm_load(struct vm *vm, bool clear, struct zpv_err *err)
{
	uint64_t mask, addr;
	int rc;

	sclp_reset(vm->sclp);
	if (vm->pv)
		pv_leave(vm->pv);
	if (clear)
		clear_guest(vm);
	vcpu_reset(vm->vcpu, clear);
	rc = load_boot(vm, &mask, &addr, err);
	if (!rc)
		vcpu_set_psw(vm->vcpu, mask, addr);
	return rc;
}

void vm_reboot(struct vm *vm, bool clear)
{
	struct zpv_err err = { 0 };

	if (vm->config.no_reboot) {
		vm_set_end(vm, VM_REBOOT);
		return;
	}
	vm->vcpu->reloaded = true;
	if (vm_load(vm, clear, &err) != 0)
		vm_fail(vm, "%s", err.text);
}

int vm_run(struct vm *vm, struct zpv_err *err)
{
	int rc;

	vm->start_ns = vm_now_ns();
	rc = vm_load(vm, true, err);
	if (!rc)
		rc = vcpu_run(vm->vcpu, err);
	vm_serve_end(vm);
	if (rc || vm->end != VM_FAILED)
		return rc;
	*err = vm->err;
	return -err->code;
}

void vm_set_end(struct vm *vm, enum vm_end end)
{
	pthread_mutex_lock(&vm->lock);
	if (vm->end == VM_RUNNING)
		vm->end = end;
	atomic_store(&vm->stop, true);
	pthread_cond_broadcast(&vm->changed);
	pthread_mutex_unlock(&vm->lock);
}

enum vm_end vm_ended(struct vm *vm)
{
	enum vm_end end;

	pthread_mutex_lock(&vm->lock);
	end = vm->end;
	pthread_mutex_unlock(&vm->lock);
	return end;
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
	/* The address of a protected guest's PSW is not shown, so it says nothing. */
	for (size_t i = 0; i < ARRAY_SIZE(wait_codes) && !vm->psw_hidden; i++)
		if (wait_codes[i].addr == vm->end_psw[1])
			return wait_codes[i].text;
	return NULL;
}

void vm_quit(struct vm *vm)
{
	atomic_store(&vm->quit, true);
	vm_set_end(vm, VM_QUIT);
	vcpu_wake(vm->vcpu);
}

void vm_reset(struct vm *vm)
{
	atomic_store(&vm->reset, true);
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
