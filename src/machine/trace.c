// SPDX-License-Identifier: MIT
/*
 * Tracing and counting.
 *
 * While a machine is traced, slots are filled with other handlers: they count or print, and go on
 * with the handler of the row. So a machine that is not traced has no check anywhere but where an
 * instruction is decoded and where a handler is left.
 */
#include "trace_priv.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "disasm.h"
#include "insn_proto.h"
#include "lowcore.h"
#include "machine_priv.h"
#include "sie_priv.h"
#include "trace.h"

#define LINE_BYTES 256
#define OP_SVC	   0x0au

/* What is known of a CPU. */
struct traced_cpu {
	pthread_t thread; /* that executes its instructions */
	uint64_t exits;	  /* of SIE that were seen */
	uint64_t cpu_ns;
	uint64_t old_mask, old_addr; /* the PSW before a poll */
	bool svc;		     /* the instruction that is executed is SVC */
	bool polling;
};

struct tracer {
	struct trace_config config;
	struct traced_cpu cpus[];
};

bool machine_trace(struct machine *m, const struct trace_config *config)
{
	struct tracer *w = calloc(1, sizeof(*w) + m->ncpus * sizeof(w->cpus[0]));

	if (!w)
		return false;
	w->config = *config;
	m->tracer = w;
	return true;
}

void machine_untrace(struct machine *m)
{
	free(m->tracer);
	m->tracer = NULL;
}

static struct traced_cpu *traced_cpu(const struct cpu *cpu)
{
	return &cpu->m->tracer->cpus[cpu->addr];
}

static bool wanted(const struct cpu *cpu, enum trace_kind kind, uint64_t addr)
{
	const struct trace_config *c = &cpu->m->tracer->config;

	return c->kinds & kind && addr >= c->first && addr <= c->last;
}

static void line(const struct cpu *cpu, const char *kind, const char *fmt, ...) PRINTF_LIKE(3, 4);
static void line(const struct cpu *cpu, const char *kind, const char *fmt, ...)
{
	const struct trace_config *c = &cpu->m->tracer->config;
	char text[LINE_BYTES];
	va_list ap;
	int n = snprintf(text, sizeof(text), "cpu%u %s %s ", cpu->addr,
			 cpu->level == PIC_GUEST ? "guest" : "host ", kind);

	va_start(ap, fmt);
	vsnprintf(text + n, sizeof(text) - (size_t)n, fmt, ap);
	va_end(ap);
	c->line(c->ctx, text);
}

/* --- Instructions ------------------------------------------------------------------------------ */

static void print_insn(struct cpu *cpu, const struct slot *s, const uint8_t bytes[6])
{
	uint64_t addr = insn_addr(cpu, s), from = insn_psw_addr(cpu, s);
	unsigned int len = insn_length(bytes[0]);
	char text[DISASM_SIZE], hex[13], by[32] = "";

	if (!wanted(cpu, TRACE_INSN, addr))
		return;
	for (unsigned int i = 0; i < len; i++)
		snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
	if (from != addr)
		snprintf(by, sizeof(by), "  (EX at %llx)", (unsigned long long)from);
	disasm(bytes, addr, text, sizeof(text));
	line(cpu, "insn", "%016llx cc%u %-12s  %s%s", (unsigned long long)addr, cpu->cc, hex, text,
	     by);
}

static handler_ret traced(struct cpu *cpu, const struct slot *s)
{
	const struct insn *insn;
	uint8_t bytes[6];

	insn_bytes(cpu, s, bytes);
	insn = insn_find(bytes);
	cpu->counters.instructions++;
	traced_cpu(cpu)->svc = bytes[0] == OP_SVC;
	print_insn(cpu, s, bytes);
	if (!insn)
		RAISE(PGM_OPERATION);
	CALL_HANDLER(insn->fn);
}

enum {
#define INSN(opcode, mnemonic, format, facility, flags, handler) ROW_##opcode,
#include "insn.def"
#undef INSN
};

#define INSN(opcode, mnemonic, format, facility, flags, handler)                   \
	static handler_ret counted_##opcode(struct cpu *cpu, const struct slot *s) \
	{                                                                          \
		cpu->counters.instructions++;                                      \
		CALL_HANDLER(insn_table[ROW_##opcode].fn);                         \
	}
#include "insn.def"
#undef INSN

static handler_fn *const counted[] = {
#define INSN(opcode, mnemonic, format, facility, flags, handler) counted_##opcode,
#include "insn.def"
#undef INSN
};

static handler_ret counted_svc(struct cpu *cpu, const struct slot *s)
{
	traced_cpu(cpu)->svc = true;
	CALL_HANDLER(counted[ROW_0x0a]);
}

static handler_ret counted_unknown(struct cpu *cpu, const struct slot *s)
{
	cpu->counters.instructions++;
	RAISE(PGM_OPERATION);
}

handler_fn *trace_handler(const struct machine *m, const struct insn *insn)
{
	if (m->tracer->config.kinds & TRACE_INSN)
		return traced;
	if (!insn)
		return counted_unknown;
	return insn->opcode == OP_SVC ? counted_svc : counted[insn - insn_table];
}

/* --- Time -------------------------------------------------------------------------------------- */

static uint64_t thread_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

void trace_begin(struct cpu *cpu)
{
	struct traced_cpu *w = traced_cpu(cpu);

	w->thread = pthread_self();
	w->cpu_ns = thread_ns();
}

void trace_end(struct cpu *cpu)
{
	trace_leave(cpu);
	cpu->counters.cpu_ns += thread_ns() - traced_cpu(cpu)->cpu_ns;
}

/* --- Interceptions ----------------------------------------------------------------------------- */

const char *trace_icpt_name(unsigned int code)
{
	switch ((enum icpt_code)code) {
	case ICPT_NONE:
		return "none";
	case ICPT_INSTRUCTION:
		return "instruction";
	case ICPT_PROGRAM:
		return "program interruption";
	case ICPT_INSTRUCTION_PROGRAM:
		return "instruction and program interruption";
	case ICPT_EXT_REQUEST:
		return "external request";
	case ICPT_EXT_INTERRUPTION:
		return "external interruption";
	case ICPT_IO_REQUEST:
		return "I/O request";
	case ICPT_WAIT:
		return "wait state";
	case ICPT_VALIDITY:
		return "validity";
	case ICPT_STOP:
		return "stop request";
	case ICPT_OPERATION:
		return "operation exception";
	case ICPT_PARTIAL:
		return "partial execution";
	case ICPT_IO_INSTRUCTION:
		return "I/O instruction";
	case ICPT_KSS:
		return "keyless subset";
	case ICPT_MCHECK_REQUEST:
		return "machine-check request";
	case ICPT_INTERRUPTION_ENABLE:
		return "enabled for interruption";
	case ICPT_PV_INSTRUCTION:
		return "protected, instruction";
	case ICPT_PV_NOTIFICATION:
		return "protected, notification";
	case ICPT_PV_PREFIX:
		return "protected, prefix";
	}
	return "?";
}

/* Codes that come with the instruction in ipa and ipb. */
static bool has_insn(unsigned int code)
{
	return code == ICPT_INSTRUCTION || code == ICPT_OPERATION || code == ICPT_PARTIAL ||
	       code == ICPT_KSS || code == ICPT_INSTRUCTION_PROGRAM;
}

static void print_exit(const struct cpu *cpu, const struct scb *scb)
{
	uint64_t addr = be64_get(scb->gpsw_addr);
	char insn[DISASM_SIZE + 32] = "", text[DISASM_SIZE];
	uint8_t bytes[6];

	if (!wanted(cpu, TRACE_ICPT, addr))
		return;
	memcpy(bytes, &scb->ipa, 2);
	memcpy(bytes + 2, &scb->ipb, 4);
	if (scb->icptcode == ICPT_VALIDITY) {
		snprintf(insn, sizeof(insn), " reason=%04x", be32_get(scb->ipb) >> 16);
	} else if (has_insn(scb->icptcode)) {
		disasm(bytes, addr, text, sizeof(text));
		snprintf(insn, sizeof(insn), " ipa=%04x ipb=%08x  %s", be16_get(scb->ipa),
			 be32_get(scb->ipb), text);
	}
	line(cpu, "icpt", "%016llx code=%02x %s psw=%016llx%s", (unsigned long long)addr,
	     scb->icptcode, trace_icpt_name(scb->icptcode),
	     (unsigned long long)be64_get(scb->gpsw_mask), insn);
}

void trace_leave(struct cpu *cpu)
{
	struct traced_cpu *w = traced_cpu(cpu);

	w->svc = w->polling = false;
	if (cpu->counters.sie_exits == w->exits)
		return;
	w->exits = cpu->counters.sie_exits;
	cpu->counters.icpt[cpu->sie->scb->icptcode % CPU_ICPT_CODES]++;
	print_exit(cpu, cpu->sie->scb);
}

/* --- Interruptions ----------------------------------------------------------------------------- */

void trace_program(struct cpu *cpu)
{
	const struct pic *pic = &cpu->pic;

	if (wanted(cpu, TRACE_IRQ, cpu->psw_addr))
		line(cpu, "irq ", "%016llx %sprogram code=%04x ilc=%u psw=%016llx teid=%016llx",
		     (unsigned long long)cpu->psw_addr, pic->level == cpu->level ? "" : "host's ",
		     pic->code, cpu->pic_ilc, (unsigned long long)psw_mask_full(cpu),
		     (unsigned long long)pic->teid);
}

void trace_poll(struct cpu *cpu, bool polling)
{
	struct traced_cpu *w = traced_cpu(cpu);

	w->polling = polling;
	w->old_mask = psw_mask_full(cpu);
	w->old_addr = cpu->psw_addr;
}

/* Has an interruption of this class just stored the old PSW and loaded the current one? */
static bool swapped(const struct cpu *cpu, const struct lowcore *lc, enum lowcore_class class)
{
	const struct traced_cpu *w = traced_cpu(cpu);
	const struct lowcore_psw *old = &lc->old_psw[class], *new = &lc->new_psw[class];

	if (be64_get(new->mask) != psw_mask_full(cpu) || be64_get(new->addr) != cpu->psw_addr)
		return false;
	return class == LC_SVC ? w->svc :
				 w->polling && be64_get(old->mask) == w->old_mask &&
					 be64_get(old->addr) == w->old_addr;
}

static void print_swap(const struct cpu *cpu, const struct lowcore *lc, enum lowcore_class class)
{
	const struct lowcore_psw *old = &lc->old_psw[class];
	uint64_t addr = be64_get(old->addr);
	char what[80];

	if (!wanted(cpu, TRACE_IRQ, addr))
		return;
	switch (class) {
	case LC_SVC:
		snprintf(what, sizeof(what), "svc %u", be16_get(lc->svc_code));
		break;
	case LC_EXTERNAL:
		snprintf(what, sizeof(what), "external code=%04x cpu=%04x param=%08x",
			 be16_get(lc->ext_code), be16_get(lc->ext_cpu_addr),
			 be32_get(lc->ext_param));
		break;
	case LC_IO:
		snprintf(what, sizeof(what), "io subchannel=%04x%04x", be16_get(lc->subchannel_id),
			 be16_get(lc->subchannel_nr));
		break;
	default:
		snprintf(what, sizeof(what), "restart");
	}
	line(cpu, "irq ", "%016llx %s psw=%016llx", (unsigned long long)addr, what,
	     (unsigned long long)be64_get(old->mask));
}

/*
 * Another CPU resets this one or sets its prefix: that is no interruption, and this CPU's thread may
 * still be on its way out of cpu_run(), where it tells the tracer that it leaves.
 */
static bool changed_by_other(const struct cpu *cpu)
{
	return !pthread_equal(traced_cpu(cpu)->thread, pthread_self());
}

void trace_state(struct cpu *cpu)
{
	static const enum lowcore_class classes[] = { LC_SVC, LC_EXTERNAL, LC_IO, LC_RESTART };
	struct traced_cpu *w = traced_cpu(cpu);
	uint64_t *const counts[] = { &cpu->counters.svc, &cpu->counters.external, &cpu->counters.io,
				     &cpu->counters.restart };
	const struct lowcore *lc;
	uint8_t *p;

	if (changed_by_other(cpu) || (!w->svc && !w->polling) ||
	    mem_real(cpu, 0, sizeof(*lc), ACCESS_READ, &p).code)
		return;
	lc = (const struct lowcore *)(const void *)p;
	for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
		if (!swapped(cpu, lc, classes[i]))
			continue;
		++*counts[i];
		print_swap(cpu, lc, classes[i]);
		break;
	}
	w->svc = false;
	w->old_mask = psw_mask_full(cpu);
	w->old_addr = cpu->psw_addr;
}
