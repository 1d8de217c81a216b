/* SPDX-License-Identifier: MIT */
/*
 * The software Ultravisor: installs itself into a machine and is reached by the UVC instruction and
 * by SIE alone.
 */
#ifndef ULTRAVISOR_UV_H
#define ULTRAVISOR_UV_H

#include <zpv/error.h>
#include <zpv/hostkey.h>

#include "compiler.h"

struct machine;

/*
 * Gives the machine an Ultravisor with the keys and the profile of this identity, before any CPU
 * executes. The machine owns it from then on.
 * Return: 0; -ZPV_ERR_IO, -ZPV_ERR_KEY a private key of the identity; -ZPV_ERR_NOMEM.
 */
int uv_install(struct machine *m, const struct zpv_host *host, struct zpv_err *err) MUST_CHECK;

#endif
