// SPDX-License-Identifier: MIT
/*
 * stage3a, the plaintext boot loader: hand the image's IPL parameter block to the hypervisor and
 * ask for protected mode.
 *
 * se-image.md sections 3.2, 3.3; boot-ipl.md sections 4, 6.
 */
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "console.h"
#include "cpu.h"
#include "facility.h"
#include "ipib.h"
#include "layout.h"
#include "mem.h"
#include "pv_error.h"
#include "setup.h"

enum diag308_subcode {
	DIAG308_SET_PV_IPIB = 8,
	DIAG308_START_PV = 10,
};

/* Offsets count from the first byte of this block. */
struct stage3a_args {
	uint64_t hdr_offs;  /* 0x00  of the SE header */
	uint64_t hdr_size;  /* 0x08  bytes, exact */
	uint64_t ipib_offs; /* 0x10 */
};
static_assert(offsetof(struct stage3a_args, ipib_offs) == 0x10, "stage3a_args");
static_assert(sizeof(struct stage3a_args) == 24, "stage3a_args");

/* The last bytes of the file. Volatile: the image builder fills them in after the build. */
static const volatile struct stage3a_args args
	__attribute__((section(".args"), used, aligned(8))) = { 0 };

_Noreturn void stage3a(void);

/* Header and IPL parameter block must lie behind us, the latter on a page boundary (DIAG 308/8). */
static bool args_are_valid(void)
{
	const uint64_t origin = (uint64_t)&args;

	return args.hdr_offs >= sizeof(args) && args.hdr_offs <= UINT64_MAX - origin &&
	       args.hdr_size != 0 && args.ipib_offs >= sizeof(args) &&
	       args.ipib_offs <= UINT64_MAX - origin && (origin + args.ipib_offs) % PAGE_SIZE == 0;
}

static struct ipib *ipib(void)
{
	return storage_at((uint64_t)&args + args.ipib_offs);
}

static void complete_ipib(void)
{
	ipib()->pv_hdr_addr = (uint64_t)&args + args.hdr_offs;
	ipib()->pv_hdr_size = args.hdr_size;
}

static void print_error(struct pv_error error)
{
	print("%s", error.what);
	if (error.hint)
		print("%s", error.hint);
}

static void set_ipib(void)
{
	const uint64_t code = diag308(DIAG308_SET_PV_IPIB, (uint64_t)ipib());

	if (code == DIAG308_OK)
		return;
	print_error(pv_setup_explain(code));
	panic(PANIC_PV, "Protected boot setup failed: 0x%lx", code);
}

/* Success does not return. The reset that comes with it has taken away our SCLP event masks. */
_Noreturn static void start_pv(void)
{
	const struct pv_response r = pv_response_decode(diag308(DIAG308_START_PV, 0));

	console_open();
	print_error(pv_start_explain(r));
	panic(PANIC_PV, "Protected boot failed: 0x%x, %s - RC: 0x%x, RRC: 0x%x", r.diag,
	      pv_cmd_name(r.cmd), r.rc, r.rrc);
}

void stage3a(void)
{
	const bool valid = args_are_valid();

	setup_program_check();
	memset(storage_at(BSS_START), 0, BSS_SIZE);
	if (valid)
		complete_ipib();
	console_open();
	if (!facility_installed(FACILITY_UNPACK))
		panic(PANIC_NO_FACILITY, "Secure unpack facility is not available");
	if (!valid)
		panic(PANIC_INTERNAL, "Boot loader: its arguments are not valid");
	set_ipib();
	start_pv();
}
