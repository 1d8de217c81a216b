/* SPDX-License-Identifier: MIT */
/*
 * What the hypervisor does for a guest when SIE ends with an interception.
 */
#ifndef HYPERVISOR_INTERCEPT_H
#define HYPERVISOR_INTERCEPT_H

#include <stdbool.h>
#include <stdint.h>

#include "guest.h"

/* Handlers by the instruction's first two bytes. */
struct insn_handler {
	uint16_t ipa;
	void (*fn)(struct guest *g);
};
/* False when the table has none for ipa. */
bool insn_dispatch(struct guest *g, const struct insn_handler *table, size_t n);

/* Handles g->scb.icptcode. */
void intercept(struct guest *g);

/* --- Instruction handlers; each has completed or injected what it must ------------------------- */

void diag(struct guest *g, unsigned int r1, unsigned int r3); /* diag.c */
void stsi(struct guest *g);				      /* stsi.c */
void servc(struct guest *g);				      /* servc.c */
/* The same of a protected guest: operands in the SIDA and in slots of registers. */
void stsi_protected(struct guest *g);
void servc_protected(struct guest *g);
/* Of no device: false when it is no I/O instruction. */
bool io_instruction(struct guest *g);

/* Short for a specification exception of the guest. */
void inject_specification(struct guest *g);

#endif
