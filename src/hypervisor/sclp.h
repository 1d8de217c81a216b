/* SPDX-License-Identifier: MIT */
/*
 * The service element: what SERVC asks for (machine.md section 7).
 */
#ifndef HYPERVISOR_SCLP_H
#define HYPERVISOR_SCLP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"

struct sclp;
struct vm;
struct zpv_err;

int sclp_new(struct vm *vm, struct sclp **out, struct zpv_err *err) MUST_CHECK;
void sclp_free(struct sclp *s);

/* As on a subsystem reset: no event masks, nothing pending. */
void sclp_reset(struct sclp *s);

/* False while the service signal of another control block is pending: the element is busy. */
bool sclp_begin(struct sclp *s) MUST_CHECK;

/*
 * Executes a command on a control block of len bytes (8 to 4096), in place. An interruption with
 * this block's address becomes pending by sclp_finish().
 */
void sclp_execute(struct sclp *s, uint32_t command, uint8_t *sccb, size_t len);

/* The block at addr is complete: its service signal is pending. */
void sclp_finish(struct sclp *s, uint32_t addr);

/* Takes the pending service signal's parameter. 0: none. */
uint32_t sclp_take_signal(struct sclp *s);
/* The guest has not taken it after all. */
void sclp_return_signal(struct sclp *s, uint32_t param);
bool sclp_signal_pending(struct sclp *s);

/* Input for the guest's terminal; from any thread. Return: how much there was room for. */
size_t sclp_input(struct sclp *s, const uint8_t *data, size_t len);
/* Asks the guest to shut down; false when it does not listen. */
bool sclp_quiesce(struct sclp *s);

#endif
