/* SPDX-License-Identifier: MIT */
/*
 * What the run loop tells the tracer. Only called while machine->tracer is set.
 */
#ifndef MACHINE_TRACE_PRIV_H
#define MACHINE_TRACE_PRIV_H

#include "handler.h"
#include "insn.h"

/* The handler to put into a slot instead of the row's; insn is NULL when it is not installed. */
handler_fn *trace_handler(const struct machine *m, const struct insn *insn);

/* cpu_sie() or cpu_run() begins and ends. */
void trace_begin(struct cpu *cpu);
void trace_end(struct cpu *cpu);

/* A handler was left, or SIE may have ended. */
void trace_leave(struct cpu *cpu);
/* cpu->pic is going to be taken or intercepted. */
void trace_program(struct cpu *cpu);
/* The CPU looks at what is pending, and has done so. */
void trace_poll(struct cpu *cpu, bool polling);
/* PSW, control registers or prefix have changed: perhaps by an interruption. */
void trace_state(struct cpu *cpu);

#endif
