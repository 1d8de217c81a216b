// SPDX-License-Identifier: MIT
/*
 * The run loop: fetching, dispatching, and everything that leaves an instruction.
 *
 * Handlers run in chains. A chain ends only by siglongjmp to run(), which alone decides what a
 * program interruption becomes: an interruption of the running level, an interception of SIE, or
 * an interruption of the host.
 */
#include <sched.h>

#include "handler.h"
#include "insn.h"
#include "insn_proto.h"
#include "intr.h"
#include "machine_priv.h"
#include "sie.h"
#include "trace_priv.h"

#define INSN_MAX 6

/* --- Where is an instruction? ------------------------------------------------------------------ */

static bool in_ex(const struct cpu *cpu, const struct slot *s)
{
	return s >= cpu->ex && s < cpu->ex + ARRAY_SIZE(cpu->ex);
}

static bool in_straddle(const struct cpu *cpu, const struct slot *s)
{
	return s >= cpu->straddle && s < cpu->straddle + ARRAY_SIZE(cpu->straddle);
}

/* Address of the slot's own bytes; EX targets excluded. */
static uint64_t slot_addr(const struct cpu *cpu, const struct slot *s)
{
	if (in_straddle(cpu, s))
		return ADDR(cpu->straddle_addr + 2 * (uint64_t)(s - cpu->straddle));
	return cpu->page_vaddr + 2 * (uint64_t)(s - cpu->page_slots);
}

SLOW_PATH void insn_addr_slow(struct cpu *cpu, const struct slot *s)
{
	cpu->slow_value = in_ex(cpu, s) ? cpu->ex_target : slot_addr(cpu, s);
}

void insn_bytes(const struct cpu *cpu, const struct slot *s, uint8_t out[6])
{
	const uint8_t *from = in_ex(cpu, s)	  ? cpu->ex_insn :
			      in_straddle(cpu, s) ? cpu->straddle_insn :
						    cpu->page_mem + 2 * (s - cpu->page_slots);
	unsigned int len = insn_length(from[0]);

	memset(out, 0, INSN_MAX);
	memcpy(out, from, len);
}

/* Address and length that count for interruptions: those of the EX when s is a target. */
static uint64_t psw_addr_of(const struct cpu *cpu, const struct slot *s)
{
	return slot_addr(cpu, in_ex(cpu, s) ? cpu->ex_from : s);
}

unsigned int insn_ilc(const struct cpu *cpu, const struct slot *s)
{
	uint8_t bytes[INSN_MAX];

	if (in_ex(cpu, s))
		return cpu->ex_ilc;
	insn_bytes(cpu, s, bytes);
	return insn_length(bytes[0]);
}

uint64_t insn_next_addr(const struct cpu *cpu, const struct slot *s)
{
	return ADDR(psw_addr_of(cpu, s) + insn_ilc(cpu, s));
}

uint64_t insn_psw_addr(const struct cpu *cpu, const struct slot *s)
{
	return psw_addr_of(cpu, s);
}

/* --- Leaving a handler ------------------------------------------------------------------------- */

void cpu_raise(struct cpu *cpu, const struct slot *s, struct pic pic)
{
	cpu->pic = pic;
	cpu->at = s;
	cpu->pic_ilc = s ? (uint8_t)insn_ilc(cpu, s) : cpu->fetch_ilc;
	if (s)
		cpu->psw_addr = psw_addr_of(cpu, s);
	siglongjmp(cpu->leave, LEAVE_PIC);
}

void cpu_program_check(struct cpu *cpu, const struct slot *s, enum pgm_code code)
{
	cpu_raise(cpu, s, (struct pic){ .code = (uint16_t)code, .level = cpu->level });
}

void cpu_data_exception(struct cpu *cpu, const struct slot *s, uint8_t dxc)
{
	cpu->dxc = dxc;
	if (cpu->cr[0] & CR0_AFP)
		cpu->fpc = (cpu->fpc & ~0xff00u) | (uint32_t)dxc << 8;
	cpu_program_check(cpu, s, PGM_DATA);
}

void cpu_resume(struct cpu *cpu, const struct slot *s)
{
	(void)s;
	siglongjmp(cpu->leave, LEAVE_RESUME);
}

void cpu_leave(struct cpu *cpu, enum cpu_stop stop)
{
	cpu->stop = stop;
	siglongjmp(cpu->leave, LEAVE_STOP);
}

/* --- Fetching ---------------------------------------------------------------------------------- */

/* An exception of the fetch itself: the PSW already designates the instruction. */
static _Noreturn void fetch_fault(struct cpu *cpu, struct pic pic)
{
	cpu->pic = pic;
	cpu->at = NULL;
	cpu->pic_ilc = cpu->fetch_ilc;
	siglongjmp(cpu->leave, LEAVE_PIC);
}

static void enter_page(struct cpu *cpu, uint64_t page, struct slot *slots)
{
	struct code_page *cp = (struct code_page *)(void *)slots;

	cpu->page_vaddr = page;
	cpu->page_slots = slots;
	cpu->page_mem = cp->mem;
}

/* The slot of psw_addr. */
static const struct slot *fetch(struct cpu *cpu)
{
	uint64_t addr = cpu->psw_addr, page = addr & ~0xfffull;
	struct itlb_entry *e = &cpu->itlb[page >> 12 & (ITLB_ENTRIES - 1)];
	struct slot *slots;
	struct pic pic;
	uint8_t *mem;
	uint32_t used;

	if (UNLIKELY(addr & 1))
		fetch_fault(cpu, (struct pic){ .code = PGM_SPECIFICATION, .level = cpu->level });
	if (LIKELY(e->tag == (page | cpu->ctx_fetch))) {
		enter_page(cpu, page, e->slots);
		return e->slots + (addr - page) / 2;
	}
	pic = mem_fetch_page(cpu, page, &mem);
	if (pic.code)
		fetch_fault(cpu, pic);
	cpu->counters.itlb_misses++;
	used = cpu->m->code_used;
	slots = code_slots(cpu->m, cpu, mem);
	if (UNLIKELY(cpu->m->code_used < used))
		cpu->counters.code_evicted += used;
	*e = (struct itlb_entry){ page | cpu->ctx_fetch, slots };
	enter_page(cpu, page, slots);
	return slots + (addr - page) / 2;
}

/* Reads an instruction of up to six bytes at addr, across pages, for EX and straddling ones. */
static unsigned int read_insn(struct cpu *cpu, uint64_t addr, uint8_t out[INSN_MAX])
{
	unsigned int len = 2;

	memset(out, 0, INSN_MAX);
	for (unsigned int done = 0; done < len; done += 2) {
		uint64_t at = ADDR(addr + done);
		uint8_t *page;
		struct pic pic = mem_fetch_page(cpu, at & ~0xfffull, &page);

		if (pic.code)
			fetch_fault(cpu, pic);
		memcpy(out + done, page + (at & 4095), 2);
		len = insn_length(out[0]);
	}
	return len;
}

/* --- Polling ----------------------------------------------------------------------------------- */

void cpu_attention(struct cpu *cpu, unsigned int reasons)
{
	atomic_fetch_or(&cpu->attention, reasons);
	machine_wake(cpu->m);
}

/* Looks at everything that asked for attention. psw_addr is valid before and after. */
static void poll(struct cpu *cpu)
{
	unsigned int why = atomic_exchange(&cpu->attention, 0);

	if (why & ATTN_REVOKE)
		revoke_answer(cpu);
	if (why & ATTN_KICK && cpu->native)
		cpu_leave(cpu, CPU_STOP_KICKED);
	if (UNLIKELY(cpu->m->tracer))
		trace_poll(cpu, true);
	if (cpu->level == PIC_GUEST)
		sie_poll(cpu);
	else
		intr_poll(cpu);
	if (UNLIKELY(cpu->m->tracer))
		trace_poll(cpu, false);
}

const struct slot *branch_poll(struct cpu *cpu, const struct slot *s, uint64_t addr)
{
	(void)s;
	cpu->psw_addr = addr;
	cpu->ex_from = NULL;
	if (UNLIKELY(atomic_load_explicit(&cpu->attention, memory_order_relaxed)))
		poll(cpu);
	if (UNLIKELY(cpu->psw_mask & PSW_WAIT))
		cpu_resume(cpu, NULL);
	return fetch(cpu);
}

SLOW_PATH void branch_slow(struct cpu *cpu, const struct slot *s, uint64_t addr)
{
	cpu->bea = psw_addr_of(cpu, s);
	cpu->slow_slot = branch_poll(cpu, s, ADDR(addr));
}

SLOW_PATH void poll_next_slow(struct cpu *cpu, const struct slot *s)
{
	cpu->slow_slot = branch_poll(cpu, s, insn_next_addr(cpu, s));
}

const struct slot *again(struct cpu *cpu, const struct slot *s)
{
	if (LIKELY(!atomic_load_explicit(&cpu->attention, memory_order_relaxed)))
		return s;
	return branch_poll(cpu, s, psw_addr_of(cpu, s));
}

/* --- Decoding ---------------------------------------------------------------------------------- */

static handler_ret not_installed(struct cpu *cpu, const struct slot *s)
{
	RAISE(PGM_OPERATION);
}

/* Fills a slot; the handler is published last, for other CPUs that look at the same page. */
static handler_fn *decode_into(const struct cpu *cpu, struct slot *to,
			       const uint8_t bytes[INSN_MAX])
{
	const struct insn *insn = insn_find(bytes);
	struct slot o = { 0 };
	handler_fn *fn;

	/* Facility 0 is the base: it is always there. */
	if (insn && insn->facility != FAC_BASE &&
	    !(machine_facilities(cpu->m, insn->facility / 64) & BIT64(insn->facility % 64)))
		insn = NULL;
	if (insn)
		insn_decode(insn, bytes, &o);
	fn = insn ? insn->fn : not_installed;
	if (UNLIKELY(cpu->m->tracer))
		fn = trace_handler(cpu->m, insn);
	to->r1 = o.r1;
	to->r2 = o.r2;
	to->r3 = o.r3;
	to->b = o.b;
	to->i = o.i;
	to->d = o.d;
	__atomic_store_n(&to->fn, slot_fn_of(fn), __ATOMIC_RELEASE);
	return fn;
}

/* Behind a straddling instruction. */
static handler_ret straddle_end(struct cpu *cpu, const struct slot *s)
{
	GO(branch_poll(cpu, s, slot_addr(cpu, s)));
}

static const struct slot *decode_straddling(struct cpu *cpu, const struct slot *s)
{
	unsigned int len;

	cpu->psw_addr = slot_addr(cpu, s);
	len = read_insn(cpu, cpu->psw_addr, cpu->straddle_insn);
	cpu->straddle_addr = cpu->psw_addr;
	decode_into(cpu, &cpu->straddle[0], cpu->straddle_insn);
	cpu->straddle[len / 2].fn = slot_fn_of(straddle_end);
	return &cpu->straddle[0];
}

/*
 * A slot of the cache, which other CPUs may be filling and using: whoever comes first fills it. The
 * lock is held for no longer than that, so that waiting for it needs no answer to revocations.
 */
static void decode_shared(struct cpu *cpu, struct slot *to, const uint8_t bytes[INSN_MAX])
{
	struct machine *m = cpu->m;
	bool alone = m->ncpus == 1;

	while (!alone && atomic_flag_test_and_set_explicit(&m->decoding, memory_order_acquire))
		sched_yield();
	if (!__atomic_load_n(&to->fn, __ATOMIC_ACQUIRE)) {
		cpu->counters.decoded++;
		decode_into(cpu, to, bytes);
	}
	if (!alone)
		atomic_flag_clear_explicit(&m->decoding, memory_order_release);
}

handler_ret handler_decode(struct cpu *cpu, const struct slot *s)
{
	size_t off = 2 * (size_t)(s - cpu->page_slots);
	uint8_t bytes[INSN_MAX] = { 0 };
	unsigned int len = insn_length(cpu->page_mem[off]);

	if (UNLIKELY(off + len > FRAME_BYTES))
		GO(decode_straddling(cpu, s));
	memcpy(bytes, cpu->page_mem + off, len);
	decode_shared(cpu, &cpu->page_slots[off / 2], bytes);
	GO(s);
}

/* --- EXECUTE ----------------------------------------------------------------------------------- */

/* Behind an executed target: what follows the EX. */
static handler_ret ex_end(struct cpu *cpu, const struct slot *s)
{
	const struct slot *from = cpu->ex_from;

	(void)s;
	cpu->ex_from = NULL;
	GO(from + cpu->ex_ilc / 2);
}

static const struct slot *execute(struct cpu *cpu, const struct slot *s, uint64_t target)
{
	uint8_t bytes[INSN_MAX];
	unsigned int len;

	if (target & 1)
		RAISE(PGM_SPECIFICATION);
	cpu->ex_ilc = (uint8_t)insn_ilc(cpu, s);
	cpu->psw_addr = slot_addr(cpu, s);
	cpu->fetch_ilc = cpu->ex_ilc;
	len = read_insn(cpu, target, bytes);
	cpu->fetch_ilc = 2;
	if (bytes[0] == 0x44 || (bytes[0] == 0xc6 && (bytes[1] & 15) == 0))
		RAISE(PGM_EXECUTE);
	if (R1)
		bytes[1] |= (uint8_t)cpu->gr[R1];
	if (memcmp(bytes, cpu->ex_insn, INSN_MAX) != 0 || !cpu->ex[0].fn) {
		memcpy(cpu->ex_insn, bytes, INSN_MAX);
		decode_into(cpu, &cpu->ex[0], bytes);
		cpu->ex[len / 2].fn = slot_fn_of(ex_end);
	}
	cpu->ex_target = target;
	cpu->ex_from = s;
	return &cpu->ex[0];
}

/* EXECUTE  EX R1,D2(X2,B2)  [RX-a]  44. Target odd: 6; target is an EX(RL): 3. PoP ch. 7. */
HANDLER(ex)
{
	GO(execute(cpu, s, EA_X()));
}

/* EXECUTE RELATIVE LONG  EXRL R1,RI2  [RIL-b]  C6-0. PoP ch. 7. */
HANDLER(exrl)
{
	GO(execute(cpu, s, EA_REL()));
}

/* --- The loop ---------------------------------------------------------------------------------- */

void cpu_state_changed(struct cpu *cpu)
{
	cpu->amask = cpu->psw_mask & PSW_EA ? ~0ull :
		     cpu->psw_mask & PSW_BA ? 0x7fffffffull :
					      0xffffffull;
	tlb_select(cpu);
	atomic_fetch_or(&cpu->attention, ATTN_INTERRUPT);
	if (UNLIKELY(cpu->m->tracer))
		trace_state(cpu);
}

/* cpu->pic becomes what it is for the running level. */
static void take_program(struct cpu *cpu)
{
	cpu->ex_from = NULL;
	if (UNLIKELY(cpu->m->tracer))
		trace_program(cpu);
	if (cpu->level == PIC_GUEST)
		sie_program(cpu);
	if (intr_program(cpu)) {
		cpu->counters.program++;
		return;
	}
	if (cpu->level == PIC_GUEST)
		sie_program_refused(cpu);
	cpu_leave(cpu, CPU_STOP_WAIT); /* host mode: a program-interruption loop */
}

static void run_chains(struct cpu *cpu)
{
	for (;;) {
		const struct slot *s;

		if (atomic_load(&cpu->attention))
			poll(cpu);
		if (cpu->psw_mask & PSW_WAIT) {
			if (UNLIKELY(cpu->m->tracer))
				trace_poll(cpu, true);
			if (cpu->level == PIC_GUEST)
				sie_wait(cpu);
			else
				intr_wait(cpu);
			continue;
		}
		s = fetch(cpu);
#if DISPATCH_TAIL
		slot_handler(s)(cpu, s);
#else
		for (;;)
			s = slot_handler(s)(cpu, s);
#endif
	}
}

/* Leaves come back here; each kind is dealt with, and then the chains go on. */
static enum cpu_stop run(struct cpu *cpu)
{
	switch (sigsetjmp(cpu->leave, 0)) {
	case LEAVE_STOP:
		return cpu->stop;
	case LEAVE_PIC:
		take_program(cpu);
		break;
	default:
		break;
	}
	if (UNLIKELY(cpu->m->tracer))
		trace_leave(cpu);
	run_chains(cpu);
	return cpu->stop;
}

enum cpu_stop cpu_run(struct cpu *cpu)
{
	enum cpu_stop stop;

	cpu->native = false;
	cpu->fetch_ilc = 2;
	revoke_enter(cpu);
	if (UNLIKELY(cpu->m->tracer))
		trace_begin(cpu);
	cpu_state_changed(cpu);
	stop = run(cpu);
	if (UNLIKELY(cpu->m->tracer))
		trace_end(cpu);
	revoke_exit(cpu);
	return stop;
}

enum cpu_stop cpu_sie(struct cpu *cpu, haddr_t scb)
{
	enum cpu_stop stop = CPU_STOP_SIE_EXIT;
	struct pic pic = { 0 };

	cpu->native = true;
	cpu->fetch_ilc = 2;
	revoke_enter(cpu);
	if (UNLIKELY(cpu->m->tracer))
		trace_begin(cpu);
	if (sie_enter(cpu, scb, &pic))
		stop = run(cpu);
	if (cpu->level == PIC_GUEST) /* kicked */
		sie_leave(cpu, 0);
	if (UNLIKELY(cpu->m->tracer))
		trace_end(cpu);
	if (pic.code) {
		cpu->host_pic = pic;
		stop = CPU_STOP_HOST_PIC;
	}
	revoke_exit(cpu);
	return stop;
}

struct pic cpu_uvc(struct cpu *cpu, haddr_t uvcb, unsigned int *cc)
{
	struct machine *m = cpu->m;
	struct pic pic = { .code = PGM_OPERATION, .level = PIC_HOST };

	if (!m->secure_ops)
		return pic;
	pic.code = PGM_SPECIFICATION;
	if (uvcb.v % UVCB_ALIGN)
		return pic;
	cpu->native = true;
	revoke_enter(cpu);
	psw_set(cpu, PSW_EA | PSW_BA, 0);
	cpu_state_changed(cpu);
	pic = m->secure_ops->uvc(m->uv, cpu, NULL, uvcb.v, cc);
	revoke_exit(cpu);
	return pic;
}

void cpu_kick(struct cpu *cpu)
{
	cpu_attention(cpu, ATTN_KICK);
}

struct pic cpu_host_pic(const struct cpu *cpu)
{
	return cpu->host_pic;
}
