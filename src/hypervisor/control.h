/* SPDX-License-Identifier: MIT */
/*
 * The control socket of a VM: requests and answers as JSON, one a line.
 *
 *   {"execute":"dump","arguments":{"file":"/var/tmp/guest.dump"}}
 *   {"return":{...}}, or {"error":{"text":"..."}}; before that {"event":"progress","data":{...}}
 *
 * Commands: query-status, pause, resume, dump (file, overwrite), reset, powerdown, quit. A client that
 * hangs up while it waits for a dump cancels it.
 */
#ifndef HYPERVISOR_CONTROL_H
#define HYPERVISOR_CONTROL_H

#include "compiler.h"

struct control;
struct vm;
struct zpv_err;

#define CONTROL_LINE_BYTES 65536u /* at most, with its end */

/*
 * Makes the socket, for its owner alone, and serves it by threads of its own; signals are blocked in
 * them as in the caller. What a dead VM left under the name is replaced. Return: 0; -ZPV_ERR_EXISTS
 * a VM serves this name; -ZPV_ERR_IO; -ZPV_ERR_NOMEM.
 */
int control_new(struct vm *vm, const char *path, struct control **out, struct zpv_err *err)
	MUST_CHECK;

/* When the VM has ended, and before vm_free(). */
void control_free(struct control *c);
DEFINE_AUTO(control)

#endif
