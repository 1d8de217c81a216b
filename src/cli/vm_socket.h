/* SPDX-License-Identifier: MIT */
/*
 * Where the control sockets of a user's VMs are, and talking to them.
 */
#ifndef CLI_VM_SOCKET_H
#define CLI_VM_SOCKET_H

#include <json-c/json.h>
#include <stdbool.h>

#include <zpv/log.h>

#include "compiler.h"

struct zpv_err;

/*
 * The folder: $XDG_RUNTIME_DIR/zpv, or /tmp/zpv-UID; to be freed. make: when it is not there. Return:
 * 0; -ZPV_ERR_NETWORK it is not there; -ZPV_ERR_IO it is not this user's alone; -ZPV_ERR_NOMEM.
 */
int vm_socket_folder(bool make, char **out, struct zpv_err *err) MUST_CHECK;

/*
 * The socket of a VM by its name, in that folder, or by the path of its socket, which has a '/' in it.
 * Return: as vm_socket_folder(); -ZPV_ERR_USAGE no name.
 */
int vm_socket_path(const char *name, bool make, char **out, struct zpv_err *err) MUST_CHECK;

/*
 * Sends a command and waits for what it returns, which is the caller's to put; args is taken over and may
 * be NULL. Return: 0; -ZPV_ERR_NETWORK no VM listens there; -ZPV_ERR_FORMAT it refused, or ended;
 * -ZPV_ERR_CANCELLED by the progress function, at which the VM gives the command up.
 */
int vm_command(const char *path, const char *command, json_object *args,
	       const struct zpv_progress *progress, json_object **out, struct zpv_err *err)
	MUST_CHECK;

#endif
