/* SPDX-License-Identifier: MIT */
/*
 * What the hypervisor does for a guest when SIE ends with an interception.
 */
#ifndef HYPERVISOR_INTERCEPT_H
#define HYPERVISOR_INTERCEPT_H

#include <stdbool.h>
#include <stdint.h>

#include "guest.h"

/* Handles g->scb.icptcode. */
void intercept(struct guest *g);

/* --- Instruction handlers; each has completed or injected what it must ------------------------- */

void diag(struct guest *g, unsigned int r1, unsigned int r3); /* diag.c */
void stsi(struct guest *g);				      /* stsi.c */
void servc(struct guest *g);				      /* servc.c */

/* Short for a specification exception of the guest. */
void inject_specification(struct guest *g);

#endif
