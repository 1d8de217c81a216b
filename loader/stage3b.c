// SPDX-License-Identifier: MIT
/*
 * stage3b, the boot loader inside the protected guest: put kernel, command line and initial ramdisk
 * where the kernel expects them, then start it.
 *
 * se-image.md section 4; machine.md section 2 (parameter area).
 */
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "console.h"
#include "cpu.h"
#include "layout.h"
#include "mem.h"
#include "setup.h"

#define KERNEL_START	    0x10000 /* what lies before it in the file is dropped */
#define PARM_INITRD_START   0x10408
#define PARM_INITRD_SIZE    0x10410
#define PARM_END	    0x10418
#define PARM_MAX_CMDLINE    0x10430
#define PARM_CMDLINE	    0x10480
#define DEFAULT_MAX_CMDLINE 896
#define ADDR_LIMIT	    (1ull << 62) /* more storage does not exist */

struct component {
	uint64_t src;  /* absolute address */
	uint64_t size; /* bytes, 0 if absent */
};

struct stage3b_args {
	struct component kernel;  /* 0x00 */
	struct component cmdline; /* 0x10  size includes the NUL */
	struct component initrd;  /* 0x20 */
	struct psw psw;		  /* 0x30 */
};
static_assert(offsetof(struct stage3b_args, cmdline) == 0x10, "stage3b_args");
static_assert(offsetof(struct stage3b_args, initrd) == 0x20, "stage3b_args");
static_assert(offsetof(struct stage3b_args, psw) == 0x30, "stage3b_args");
static_assert(sizeof(struct stage3b_args) == 64, "stage3b_args");

/* The last bytes of the file. Volatile: the image builder fills them in after the build. */
static const volatile struct stage3b_args args
	__attribute__((section(".args"), used, aligned(8))) = { 0 };

_Noreturn void stage3b(void);

/* Does [start, end) share a byte with the component? */
static bool overlaps(const struct component *c, uint64_t start, uint64_t end)
{
	return c->size && c->src < end && start < c->src + c->size;
}

/* Nothing may be taken from where the loaders work; the limit keeps all sums below 2^64. */
static void check_component(const struct component *c, const char *name)
{
	if (c->size && (c->src < LOADER_END || c->src >= ADDR_LIMIT || c->size >= ADDR_LIMIT))
		panic(PANIC_INTERNAL, "stage3b: Invalid %s: address 0x%lx, size 0x%lx", name,
		      c->src, c->size);
}

/* End of what we write for the kernel: itself, its parameters, the command line. */
static uint64_t destination_end(const struct stage3b_args *a)
{
	const uint64_t cmdline_end = a->cmdline.size ? PARM_CMDLINE + a->cmdline.size : PARM_END;

	return a->kernel.size > cmdline_end ? a->kernel.size : cmdline_end;
}

/*
 * The kernel is moved first: it must not destroy the command line, which is moved later. Neither
 * may destroy the initial ramdisk, which stays. The destination begins behind our own storage.
 */
static void check_geometry(const struct stage3b_args *a)
{
	check_component(&a->kernel, "kernel");
	check_component(&a->cmdline, "command line");
	check_component(&a->initrd, "ramdisk");
	if (overlaps(&a->cmdline, KERNEL_START, a->kernel.size))
		panic(PANIC_INTERNAL, "stage3b: The kernel would overwrite the command line");
	if (overlaps(&a->initrd, KERNEL_START, destination_end(a)))
		panic(PANIC_INTERNAL, "stage3b: The kernel would overwrite the ramdisk");
}

static uint64_t max_cmdline_size(const struct component *kernel)
{
	uint64_t max = 0;

	if (kernel->size >= PARM_MAX_CMDLINE + sizeof(max))
		max = *(const uint64_t *)storage_at(kernel->src + PARM_MAX_CMDLINE);
	return max ? max : DEFAULT_MAX_CMDLINE;
}

static void check_cmdline(const struct stage3b_args *a)
{
	const uint64_t max = max_cmdline_size(&a->kernel);
	const char *text = storage_at(a->cmdline.src);

	if (a->cmdline.size > max)
		panic(PANIC_INTERNAL, "stage3b: Command line is too large: %lu bytes, at most %lu",
		      a->cmdline.size, max);
	if (a->cmdline.size && text[a->cmdline.size - 1])
		panic(PANIC_INTERNAL, "stage3b: Command line needs to be null-terminated");
}

static void move_components(const struct stage3b_args *a)
{
	memmove(storage_at(KERNEL_START), storage_at(a->kernel.src + KERNEL_START),
		a->kernel.size - KERNEL_START);
	if (a->cmdline.size)
		memmove(storage_at(PARM_CMDLINE), storage_at(a->cmdline.src), a->cmdline.size);
	if (!a->initrd.size)
		return;
	*(uint64_t *)storage_at(PARM_INITRD_START) = a->initrd.src;
	*(uint64_t *)storage_at(PARM_INITRD_SIZE) = a->initrd.size;
}

void stage3b(void)
{
	const struct stage3b_args a = args;

	setup_program_check();
	console_open();
	if (a.kernel.size < KERNEL_START)
		panic(PANIC_INTERNAL, "stage3b: Invalid kernel: its size is only 0x%lx bytes",
		      a.kernel.size);
	check_geometry(&a);
	check_cmdline(&a);
	move_components(&a);
	console_close();
	psw_load(&a.psw);
}
