/* SPDX-License-Identifier: MIT */
/*
 * Loading what a VM boots: kernel images, ELF files, SE images and flat programs, with a RAM disk and
 * a command line (machine.md section 2, boot-ipl.md section 9).
 */
#ifndef HYPERVISOR_LOAD_H
#define HYPERVISOR_LOAD_H

#include <stdint.h>

#include "compiler.h"
#include "vm.h"

/* Stores everything into the guest's (cleared) storage. Return: 0 with the PSW to start at. */
int load_boot(struct vm *vm, uint64_t *psw_mask, uint64_t *psw_addr, struct zpv_err *err)
	MUST_CHECK;

#endif
