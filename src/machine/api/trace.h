/* SPDX-License-Identifier: MIT */
/*
 * Watching the machine work: a trace of instructions, interceptions and interruptions, and exact
 * counts. A machine that is not traced pays nothing for it.
 */
#ifndef MACHINE_API_TRACE_H
#define MACHINE_API_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "compiler.h"

struct machine;

enum trace_kind {
	TRACE_INSN = 1, /* each instruction, before it is executed */
	TRACE_ICPT = 2, /* each end of SIE */
	TRACE_IRQ = 4,	/* each interruption */
};

struct trace_config {
	unsigned int kinds;   /* of enum trace_kind; 0: count only */
	uint64_t first, last; /* only where the instruction or the PSW is at first to last */
	/* Gets one line without its end; called by the threads of the CPUs, one line at a time each. */
	void (*line)(void *ctx, const char *text);
	void *ctx;
};

/*
 * Traces from now on; no CPU may have executed an instruction yet. cpu_counters() then has all
 * that struct cpu_counters promises. Return: false when there is no memory.
 */
bool machine_trace(struct machine *m, const struct trace_config *config) MUST_CHECK;
/* Ends it; no CPU may execute instructions any more. Before machine_free(). */
void machine_untrace(struct machine *m);

/*
 * Counts TLB hits from now on: each access takes the slow path, which knows. A page of an operand
 * is one hit or one miss. As machine_trace(), before a CPU has executed an instruction; for good.
 */
void machine_count_tlb(struct machine *m);

/* What an interception code of SIE means. */
const char *trace_icpt_name(unsigned int code);

#endif
