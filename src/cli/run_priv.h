/* SPDX-License-Identifier: MIT */
/*
 * Parts of zpv run: the machine's identity, and the report at the end.
 */
#ifndef CLI_RUN_PRIV_H
#define CLI_RUN_PRIV_H

#include <zpv/hostkey.h>

#include "cmd.h"
#include "vm.h"

/* Exit codes beyond the common ones; documented in the man page. */
enum { EXIT_REBOOT = 3, EXIT_CRASH = 4 };

/*
 * The identity in dir; when that is NULL and the image is sealed, the user's own, which is made at
 * the first use. *out is NULL when the machine needs none. Free it with zpv_host_free().
 */
int run_host_open(const struct args *args, const char *dir, const char *image,
		  struct zpv_host **out, struct zpv_err *err) MUST_CHECK;

struct control;

/*
 * The control socket by the VM's name or by its own path; *out stays as it is without both. Return: as
 * vm_socket_path() and control_new().
 */
int run_control_begin(const char *name, const char *path, struct vm *vm, struct control **out,
		      struct zpv_err *err) MUST_CHECK;

/* Says what became of the dump of a guest that has crashed. That is not part of how the command ends. */
void run_crash_dump_report(const struct args *args, bool json, const struct vm *vm);

/* How it ended. */
struct run_end {
	struct vm *vm;
	const struct zpv_host *host; /* NULL: the machine has no Ultravisor */
	const char *panic;	     /* the kernel's own words; "" when there are none */
	bool printed;		     /* the guest has written to its console */
	bool quit;		     /* by the user's keys */
	const char *find; /* to be looked for in what the hypervisor can see; NULL: nothing */
	bool json;
};

/* Says so, on standard output or as an error. Return: exit code. */
int run_report(const struct args *args, const struct run_end *end);

#endif
