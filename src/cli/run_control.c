// SPDX-License-Identifier: MIT
/*
 * Parts of zpv run: the control socket, and what became of the dump of a guest that has crashed.
 */
#include <stdlib.h>

#include "control.h"
#include "run_priv.h"
#include "term.h"
#include "vm_socket.h"

#define MIB (1u << 20)

int run_control_begin(const char *name, const char *path, struct vm *vm, struct control **out,
		      struct zpv_err *err)
{
	char *by_name = NULL;
	int rc = name ? vm_socket_path(name, true, &by_name, err) : 0;

	if (!rc && (name || path))
		rc = control_new(vm, name ? by_name : path, out, err);
	free(by_name);
	return rc;
}

void run_crash_dump_report(const struct args *args, bool json, const struct vm *vm)
{
	const struct vm_crash_dump *c = &vm->crash_dump;

	if (c->tried && c->err.code)
		term_error("no dump of the guest: %s", c->err.text);
	else if (c->tried && !json)
		term_say(args, "zpv: dumped the guest to '%s' (%llu MiB in the file)",
			 vm->config.dump_on_crash,
			 (unsigned long long)(c->report.stored_bytes / MIB));
}
