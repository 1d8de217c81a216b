// SPDX-License-Identifier: MIT
/*
 * SIE of protected CPUs: who may enter, what happens before the first instruction, what the host
 * sees and keeps (sie.md sections 6 and 7).
 *
 * Machine and guest are those of uv_test.h.
 */
#include <pthread.h>
#include <sched.h>
#include <time.h>

#include "sigp_order.h"
#include "uv_test.h"

/* DIAG 44 for ever: each entry ends with a notification. */
#define DIAG_FOREVER DIAG "a7f4fffe "

static void test_runs(void **state)
{
	struct vm *vm = *state;

	start(vm, DIAG_FOREVER);
	expect_diag("first", vm, 0x44);
	row_int("state", vm->c->state, UV_CPU_OPERATING);
	row_true("left", !vm->c->running);
	expect_diag("second", vm, 0x44);
}

/* --- Who may enter ---------------------------------------------------------------------------- */

static void test_not_initialized(void **state)
{
	struct vm *vm = *state;
	const struct secure_ops *ops = vm->m->secure_ops;

	init_scb(&vm->scb.scb, 1, 2, SCA_AT);
	expect_validity("before INIT", vm, VALIDITY_PV_NOT_INIT);
	vm->m->secure_ops = NULL;
	expect_validity("no Ultravisor", vm, VALIDITY_PV_NOT_INIT);
	vm->m->secure_ops = ops;
	init_uv(vm);
	expect_validity("after INIT", vm, VALIDITY_PV_CONFIG);
	start(vm, DIAG_FOREVER);
	expect_diag("corrected", vm, 0x44);
}

static void test_handles(void **state)
{
	struct vm *vm = *state;

	start(vm, DIAG_FOREVER);
	for (unsigned int n = 0; n < 64; n++) {
		be64_set(&vm->scb.scb.pv_handle_config, vm->config ^ BIT64(n));
		expect_validity("configuration", vm, VALIDITY_PV_CONFIG);
		be64_set(&vm->scb.scb.pv_handle_config, vm->config);
		be64_set(&vm->scb.scb.pv_handle_cpu, vm->cpu_handle ^ BIT64(n));
		expect_validity("CPU", vm, VALIDITY_PV_CPU);
		be64_set(&vm->scb.scb.pv_handle_cpu, vm->cpu_handle);
	}
	be64_set(&vm->scb.scb.pv_handle_config, 0);
	expect_validity("no configuration", vm, VALIDITY_PV_CONFIG);
	be64_set(&vm->scb.scb.pv_handle_config, vm->config);
	be64_set(&vm->scb.scb.pv_handle_cpu, 0);
	expect_validity("no CPU", vm, VALIDITY_PV_CPU);
	be64_set(&vm->scb.scb.pv_handle_cpu, vm->cpu_handle);
	expect_diag("corrected", vm, 0x44);
}

static void test_other_config(void **state)
{
	struct vm *vm = *state;
	uint64_t config, cpu;

	start(vm, DIAG_FOREVER);
	config = create_config(vm, BASE2_AT, VIRT2_AT, SCA2_AT, SEGMENTS2);
	cpu = create_cpu(vm, config, 0, CPU_AT + 0x1000, SCB2_AT);
	be64_set(&vm->scb.scb.pv_handle_cpu, cpu);
	expect_validity("its CPU", vm, VALIDITY_PV_OTHER_CONFIG);
	be64_set(&vm->scb.scb.pv_handle_cpu, vm->cpu_handle);
	be64_set(&vm->scb.scb.pv_handle_config, config);
	expect_validity("itself", vm, VALIDITY_PV_OTHER_CONFIG);
	be64_set(&vm->scb.scb.pv_handle_config, vm->config);
	expect_diag("corrected", vm, 0x44);
	/* A CPU of a configuration that has not been verified cannot be set operating. */
	be64_set(&vm->scb.scb.pv_handle_config, config);
	be64_set(&vm->scb.scb.pv_handle_cpu, cpu);
	cpu_set_cr(vm->cpu, 1, SEGMENTS2 | 0x100);
	expect_validity_at("not verified", vm, SCB2_AT, VALIDITY_PV_CPU_STATE);
}

static void test_scb_address(void **state)
{
	struct vm *vm = *state;

	start(vm, DIAG_FOREVER);
	expect_validity_at("another page", vm, SCB2_AT, VALIDITY_PV_SCB);
	vm->scb.scb.icptcode = 0;
	put(vm, SCB2_AT + SCB_BYTES, &vm->scb.scb, sizeof(vm->scb.scb));
	row_int("inside a page", cpu_sie(vm->cpu, (haddr_t){ SCB2_AT + SCB_BYTES }),
		CPU_STOP_SIE_EXIT);
	get(vm, SCB2_AT + SCB_BYTES, &vm->scb.scb, sizeof(vm->scb.scb));
	row_int("inside a page", be32_get(vm->scb.scb.ipb) >> 16, VALIDITY_PV_SCB);
	expect_diag("corrected", vm, 0x44);
}

static void test_asce(void **state)
{
	struct vm *vm = *state;
	static const uint64_t wrong[] = { SEGMENTS2 | 0x100, SEGMENTS, SEGMENTS | 0x101 };

	start(vm, DIAG_FOREVER);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		cpu_set_cr(vm->cpu, 1, wrong[i]);
		expect_validity("wrong", vm, VALIDITY_PV_ASCE);
	}
	cpu_set_cr(vm->cpu, 1, SEGMENTS | 0x100);
	expect_diag("corrected", vm, 0x44);
}

static void test_states(void **state)
{
	struct vm *vm = *state;

	start(vm, DIAG_FOREVER);
	row_int("stop", set_state(vm, UV_CPU_STOPPED), UV_RC_EXECUTED);
	expect_validity("stopped", vm, VALIDITY_PV_CPU_STATE);
	row_int("load", set_state(vm, UV_CPU_LOAD), UV_RC_EXECUTED);
	row_int("operating", set_state(vm, UV_CPU_OPERATING), UV_RC_EXECUTED);
	vm->c->config->dumping = true;
	expect_validity("dump", vm, VALIDITY_PV_CONFIG_STATE);
	vm->c->config->dumping = false;
	vm->c->config->state = CONFIG_PARMS_SET;
	expect_validity("not verified", vm, VALIDITY_PV_CONFIG_STATE);
	vm->c->config->state = CONFIG_RESET_PREPARED;
	expect_validity("reset prepared", vm, VALIDITY_PV_RESET);
	vm->c->config->state = CONFIG_VERIFIED;
	expect_diag("corrected", vm, 0x44);
}

static void test_areas(void **state)
{
	static const struct {
		const char *name;
		uint64_t sidad;
	} rows[] = {
		{ "outside", STORAGE },	  { "beyond the end", (STORAGE - FRAME_BYTES) | 1 },
		{ "donated", CPU_AT },	  { "second page donated", (CPU_AT - FRAME_BYTES) | 1 },
		{ "the guest's", GUEST },
	};
	struct vm *vm = *state;
	struct scb *scb = &vm->scb.scb;

	start(vm, DIAG_FOREVER);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		be64_set(&scb->gbea, rows[i].sidad);
		expect_validity(rows[i].name, vm, VALIDITY_PV_SIDA);
	}
	be64_set(&scb->gbea, SIDA_AT);
	scb->ecb2 = 0;
	expect_validity("basic SCA", vm, VALIDITY_PV_SCA);
	scb->ecb2 = ECB2_ESCA;
	be32_set(&scb->scaol, SCA2_AT);
	expect_validity("another SCA", vm, VALIDITY_PV_SCA);
	be32_set(&scb->scaol, 0);
	expect_validity("no SCA", vm, VALIDITY_PV_SCA);
	be32_set(&scb->scaol, SCA_AT);
	be32_set(&scb->scaoh, 1);
	expect_validity("upper half", vm, VALIDITY_PV_SCA);
	be32_set(&scb->scaoh, 0);
	expect_diag("corrected", vm, 0x44);
}

/* The other pages of the control area may be anything, even donated ones. */
static void test_short_sca(void **state)
{
	struct vm *vm = *state;

	start(vm, DIAG_FOREVER);
	create_cpu(vm, vm->config, 1, SCA_AT + FRAME_BYTES, SCB2_AT);
	expect_diag("one page", vm, 0x44);
	row_true("not used", !vm->cpu->sie->sca.p);
}

/* --- Two host CPUs ---------------------------------------------------------------------------- */

static void *run_cpu0(void *arg)
{
	struct vm *vm = arg;

	return (void *)(uintptr_t)cpu_sie(machine_cpu(vm->m, 0), (haddr_t){ SCB_AT });
}

static bool is_running(struct vm *vm)
{
	bool running;

	uv_lock(vm->uv, NULL);
	running = vm->c->running;
	uv_unlock(vm->uv);
	return running;
}

static void test_already_running(void **state)
{
	struct vm *vm = *state;
	pthread_t thread;
	void *stop;

	start(vm, LOOP);
	be16_set(&vm->scb.scb.ihcpu, 0); /* as it is: so nothing is stored while it runs */
	put(vm, SCB_AT, &vm->scb, sizeof(vm->scb));
	vm->cpu = machine_cpu(vm->m, 1);
	assert_int_equal(pthread_create(&thread, NULL, run_cpu0, vm), 0);
	while (!is_running(vm))
		sched_yield();
	for (unsigned int i = 0; i < 3; i++) {
		row_int("second", cpu_sie(vm->cpu, (haddr_t){ SCB_AT }), CPU_STOP_SIE_EXIT);
		get(vm, SCB_AT, &vm->scb, sizeof(vm->scb));
		row_int("second", vm->scb.scb.icptcode, ICPT_VALIDITY);
		row_int("second", be32_get(vm->scb.scb.ipb) >> 16, VALIDITY_PV_RUNNING);
		row_true("first", is_running(vm));
	}
	row_int("SET STATE", set_state(vm, UV_CPU_STOPPED), 0x0102);
	cpu_kick(machine_cpu(vm->m, 0));
	assert_int_equal(pthread_join(thread, &stop), 0);
	row_int("first", (uintptr_t)stop, CPU_STOP_KICKED);
	row_true("nobody", !is_running(vm));
	row_int("owner", vm->c->last_host_cpu, 0);
	/* Now the other one may have it. */
	get(vm, SCB_AT, &vm->scb, sizeof(vm->scb));
	be32_set(&vm->scb.scb.cpuflags, CPUFLAG_ZARCH | CPUFLAG_STOP_INT);
	expect("moved", vm, ICPT_STOP);
	row_int("owner", vm->c->last_host_cpu, 1);
}

/*
 * What a host CPU knows of the guest is forgotten when the guest was elsewhere, whatever the host
 * says in ihcpu.
 */
static void test_moved(void **state)
{
	struct vm *vm = *state;
	struct cpu *first = vm->cpu;
	uint64_t misses;

	start(vm, DIAG_FOREVER);
	expect_diag("starts", vm, 0x44);
	misses = cpu_counters(first).itlb_misses;
	expect_diag("stays", vm, 0x44);
	row_int("stays", cpu_counters(first).itlb_misses, misses);
	vm->cpu = machine_cpu(vm->m, 1);
	expect_diag("goes", vm, 0x44);
	vm->cpu = first;
	be16_set(&vm->scb.scb.ihcpu, 0);
	expect_diag("comes back", vm, 0x44);
	row_true("comes back", cpu_counters(first).itlb_misses > misses);
}

/* --- CPU timer -------------------------------------------------------------------------------- */

static void set_timer(struct vm *vm, uint64_t v)
{
	be64_set(&vm->scb.scb.cputm, v);
}

static void test_timer(void **state)
{
	struct vm *vm = *state;
	uint64_t timer, left, now;

	start(vm, DIAG_FOREVER);
	set_timer(vm, 0xfffffffffffff000); /* whatever it is, at first */
	expect_diag("first", vm, 0x44);
	timer = be64_get(vm->scb.scb.cputm);
	row_true("runs", (int64_t)(0xfffffffffffff000 - timer) > 0);
	left = machine_tod(vm->m);

	set_timer(vm, timer + 1);
	expect_validity("one more", vm, VALIDITY_PV_TIMER_HIGH);
	row_int("unchanged", be64_get(vm->scb.scb.cputm), timer + 1);
	set_timer(vm, timer + TOD_12000);
	expect_validity("12000 more", vm, VALIDITY_PV_TIMER_HIGH);
	/* The failed entries count as ends of SIE. */
	now = machine_tod(vm->m);
	set_timer(vm, timer - (now - left) - TOD_12000);
	expect_validity("12000 less than passed", vm, VALIDITY_PV_TIMER_LOW);
	set_timer(vm, timer - (1ull << 40));
	expect_validity("much less", vm, VALIDITY_PV_TIMER_LOW);
	set_timer(vm, timer);
	expect_diag("equal", vm, 0x44);

	timer = be64_get(vm->scb.scb.cputm);
	vm->c->exit_tod += 1ull << 40; /* as if the clock had been set back: no time has passed */
	set_timer(vm, timer - 1);
	expect_validity("one less", vm, VALIDITY_PV_TIMER_LOW);
	vm->c->exit_tod -=
		1ull << 34; /* four seconds, half of which the host wants after a failure */
	set_timer(vm, timer + 1);
	expect_validity("one more", vm, VALIDITY_PV_TIMER_HIGH);
	set_timer(vm, timer - (1ull << 33));
	expect_validity("before the failure", vm, VALIDITY_PV_TIMER_LOW);
	left = machine_tod(vm->m);
	do
		now = machine_tod(vm->m);
	while (now - left < 4096);
	set_timer(vm, timer - (now - left));
	expect_diag("what has passed", vm, 0x44);
	row_true("and runs", (int64_t)(timer - (now - left) - be64_get(vm->scb.scb.cputm)) >= 0);
}

/* A host may have reset its copy, or not. */
static void test_timer_reset(void **state)
{
	struct vm *vm = *state;

	start(vm, DIAG_FOREVER);
	expect_diag("first", vm, 0x44);
	for (unsigned int i = 0; i < 2; i++) {
		row_int("stop", set_state(vm, UV_CPU_STOPPED), UV_RC_EXECUTED);
		row_int("reset", handle_call(vm, UVC_CPU_RESET_INITIAL, vm->cpu_handle),
			UV_RC_EXECUTED);
		row_int("load", set_state(vm, UV_CPU_LOAD), UV_RC_EXECUTED);
		if (i == 1) {
			set_timer(vm, be64_get(vm->scb.scb.cputm) / 2);
			expect_validity("neither", vm, VALIDITY_PV_TIMER_LOW);
			set_timer(vm, 0);
		}
		expect_diag(i ? "reset as well" : "kept", vm, 0x44);
	}
}

/* --- Prefix pages ----------------------------------------------------------------------------- */

static void expect_prefix(struct vm *vm, uint64_t prefix)
{
	for (unsigned int i = 0; i < 2; i++) {
		export(vm, prefix + i * 4096ull);
		expect("export", vm, ICPT_PV_PREFIX);
		expect("still", vm, ICPT_PV_PREFIX);
		import(vm, prefix + i * 4096ull);
	}
}

/*
 * LLILF 1,0x800; UVC 0,1 (share page 0); DIAG 44; SPX 0x900; DIAG 44 for ever. As in
 * pv-icptcode.c of kvm-unit-tests.
 */
static void test_prefix(void **state)
{
	struct vm *vm = *state;

	put_code(vm, GUEST + DATA, "0030 1000 0000 0000");
	put(vm, GUEST + DATA + 0x20, "\0\0\0\0\0\0\0\0", 8);
	put_code(vm, GUEST + 0x900, "00008000");
	start(vm, DIAG "c01f00000800 b9a40001 " DIAG "b2100900 " DIAG_FOREVER);
	expect_prefix(vm, 0); /* with the load of the PSW still to come */
	row_true("not loaded", vm->c->load_pending);
	expect_diag("loaded", vm, 0x44);
	expect_prefix(vm, 0);
	expect_diag("shares", vm, 0x44);
	row_int("shared", frame_info(vm->m, GUEST / FRAME_BYTES).state, FRAME_SHARED);
	expect_prefix(vm, 0);
	row_int("shared", frame_info(vm->m, GUEST / FRAME_BYTES).state, FRAME_SHARED);
	import(vm, 0x8000);
	import(vm, 0x9000);
	expect("SPX", vm, ICPT_PV_NOTIFICATION);
	row_int("SPX", be16_get(vm->scb.scb.ipa), 0xb210);
	row_int("copy", be32_get(vm->scb.scb.prefix), 0x8000);
	be32_set(&vm->scb.scb.prefix, 0); /* the host's copy does not count */
	expect_prefix(vm, 0x8000);
	expect_diag("goes on", vm, 0x44);
}

/* Behind 0x70 nothing new is injected, but what was wanted before may still be there. */
static void test_prefix_fence(void **state)
{
	struct vm *vm = *state;

	start(vm, DIAG_FOREVER);
	expect_diag("starts", vm, 0x44);
	export(vm, 0);
	expect("without", vm, ICPT_PV_PREFIX);
	import(vm, 0);
	vm->scb.scb.iictl = INJECT_RESTART;
	expect_validity("new", vm, VALIDITY_PV_INJECTION);
	vm->scb.scb.iictl = INJECT_NONE;
	expect_diag("corrected", vm, 0x44);
	export(vm, 0);
	vm->scb.scb.iictl = INJECT_RESTART;
	expect("with", vm, ICPT_PV_PREFIX);
	row_int("kept", vm->scb.scb.iictl, INJECT_RESTART);
	import(vm, 0);
	expect_diag("the same", vm, 0x44);
	row_int("taken", vm->scb.scb.iictl, INJECT_NONE);
	row_int("taken", vm->c->area->regs.psw_addr, RESTART + 4);
}

/* --- Loading the PSW -------------------------------------------------------------------------- */

/* DIAG 308 subcode 0 or 1: LGHI 2,subcode; DIAG 0,2,0x308. */
static void reset_guest(struct vm *vm, const char *code, enum uv_command cpu_reset)
{
	start(vm, code);
	expect_diag("header's PSW", vm, 0x44);
	expect_diag("reset", vm, 0x308);
	expect_validity("nothing", vm, VALIDITY_PV_RESET);
	row_int("stop", set_state(vm, UV_CPU_STOPPED), UV_RC_EXECUTED);
	expect_validity("stopped", vm, VALIDITY_PV_CPU_STATE);
	row_int("unshare", handle_call(vm, UVC_UNSHARE_ALL, vm->config), UV_RC_EXECUTED);
	expect_validity("unshared", vm, VALIDITY_PV_CPU_STATE);
	row_int("prepare", handle_call(vm, UVC_PREPARE_RESET, vm->config), UV_RC_EXECUTED);
	expect_validity("prepared", vm, VALIDITY_PV_CPU_STATE);
	row_int("CPU reset", handle_call(vm, cpu_reset, vm->cpu_handle), UV_RC_EXECUTED);
	expect_validity("reset", vm, VALIDITY_PV_CPU_STATE);
	row_int("load", set_state(vm, UV_CPU_LOAD), UV_RC_EXECUTED);
}

static void test_load_clear(void **state)
{
	struct vm *vm = *state;

	reset_guest(vm, DIAG "a7290000 83020308 " LOOP, UVC_CPU_RESET_CLEAR);
	expect_diag("short PSW", vm, 0x44);
	row_int("address", vm->c->area->regs.psw_addr, NEW_PSW + 4);
	row_int("mask", vm->c->area->regs.psw_mask, 0x80000000);
}

static void test_load_normal(void **state)
{
	struct vm *vm = *state;

	reset_guest(vm, DIAG "a7290001 83020308 " LOOP, UVC_CPU_RESET_INITIAL);
	/* The page of the PSW is there, but no longer when it is loaded: nothing has happened then. */
	row_int("operating", set_state(vm, UV_CPU_OPERATING), UV_RC_EXECUTED);
	row_true("pending", vm->c->load_pending);
	expect_diag("short PSW", vm, 0x44);
	row_int("address", vm->c->area->regs.psw_addr, NEW_PSW + 4);
}

/* Bit 12 is zero: an early specification exception, length 0, old PSW as loaded. */
static void test_load_invalid(void **state)
{
	struct vm *vm = *state;

	reset_guest(vm, DIAG "a7290001 83020308 " LOOP, UVC_CPU_RESET_INITIAL);
	memcpy(peek(vm, 0), "\0\0\0\0\x80\0\x60\0", 8);
	expect_diag("handler", vm, 0x44);
	row_int("code", be16_get(lowcore(vm)->pgm_code), 6);
	row_int("length", be16_get(lowcore(vm)->pgm_ilc), 0);
	row_int("old mask", be64_get(lowcore(vm)->old_psw[LC_PROGRAM].mask), 0x0008000080000000);
	row_int("old address", be64_get(lowcore(vm)->old_psw[LC_PROGRAM].addr), NEW_PSW);
	row_true("loaded", !vm->c->load_pending);
}

/* Prefixing does not apply to the short PSW; and its page may go while the prefix pages stay. */
static void test_load_absolute(void **state)
{
	struct vm *vm = *state;

	start(vm, DIAG_FOREVER);
	expect_diag("starts", vm, 0x44);
	import(vm, 0x8000);
	import(vm, 0x9000);
	vm->c->area->regs.prefix = 0x8000;
	export(vm, 0);
	row_int("stop", set_state(vm, UV_CPU_STOPPED), UV_RC_EXECUTED);
	row_int("load", set_state(vm, UV_CPU_LOAD), UV_RC_EXECUTED);
	row_int("gone", enter_at(vm, SCB_AT), CPU_STOP_HOST_PIC);
	row_int("gone", cpu_host_pic(vm->cpu).code, PGM_NON_SECURE_ACCESS);
	row_int("gone", cpu_host_pic(vm->cpu).teid & ~0xfffull, MSO);
	row_true("pending", vm->c->load_pending);
	import(vm, 0);
	expect_diag("loaded", vm, 0x44);
	row_int("address", vm->c->area->regs.psw_addr, NEW_PSW + 4);
}

/* --- What the host sees ----------------------------------------------------------------------- */

#define MARK 0xa5c3d2e10f1e2d00ull /* registers get this and their number */

static bool has_mark(const uint8_t *p, size_t len)
{
	static const uint8_t mark[] = { 0xa5, 0xc3, 0xd2 };

	for (size_t i = 0; i + sizeof(mark) <= len; i++)
		if (memcmp(p + i, mark, sizeof(mark)) == 0)
			return true;
	return false;
}

static void mark_guest(struct vm *vm)
{
	struct secure_regs *r = &vm->c->area->regs;

	for (unsigned int i = 0; i < 16; i++) {
		r->file.gr[i] = r->file.fpr[i] = r->file.vr_high[i] = MARK + i;
		r->file.ar[i] = (uint32_t)(MARK >> 32) + i;
		r->file.vr_low[i] = r->file.vr_low[i + 16] = MARK + 64 + i;
	}
	for (unsigned int i = 1; i < 16; i++)
		if (i != 6 && i != 14)
			r->cr[i] = MARK + i;
	r->file.fpc = 0x00a5c300;
	r->bea = r->program_parameter = MARK;
	r->todpr = (uint32_t)(MARK >> 32);
	r->cr[6] = 0x77000000;
	r->ckc = 0x123456789abcdef0;
	r->psw_mask |= PSW_CC | PSW_FIXED_OVERFLOW;
}

static void set_host(struct cpu *cpu)
{
	for (unsigned int i = 0; i < 16; i++) {
		cpu_set_gr(cpu, i, 0x1111111100000000 + i);
		cpu_set_fpr(cpu, i, 0x2222222200000000 + i);
		cpu_set_ar(cpu, i, 0x33333300 + i);
		cpu->vr_high[i] = 0x4444444400000000 + i;
		cpu->vr_low[i] = cpu->vr_low[i + 16] = 0x5555555500000000 + i;
	}
	cpu_set_fpc(cpu, 0x00560000);
}

static void check_host(const char *row, const struct cpu *cpu)
{
	for (unsigned int i = 0; i < 16; i++) {
		row_int(row, cpu_gr(cpu, i), 0x1111111100000000 + i);
		row_int(row, cpu_fpr(cpu, i), 0x2222222200000000 + i);
		row_int(row, cpu_ar(cpu, i), 0x33333300 + i);
		row_int(row, cpu->vr_high[i], 0x4444444400000000 + i);
		row_int(row, cpu->vr_low[i], 0x5555555500000000 + i);
		row_int(row, cpu->vr_low[i + 16], 0x5555555500000000 + i);
		row_true(row, !has_mark((const uint8_t *)&cpu->cr[i], 8));
	}
	row_int(row, cpu_fpc(cpu), 0x00560000);
	row_int(row, cpu_cr(cpu, 1), SEGMENTS | 0x100);
	row_int(row, cpu->prefix, 0);
	row_true(row, cpu->bea != MARK && cpu->program_parameter != MARK);
}

static void check_shown(const char *row, struct vm *vm, uint64_t mask)
{
	const struct secure_regs *r = &vm->c->area->regs;
	const struct scb *scb = &vm->scb.scb;

	row_true(row, !has_mark((const uint8_t *)&vm->scb, sizeof(vm->scb)));
	row_int(row, be64_get(scb->gpsw_mask), mask);
	row_int(row, be64_get(scb->gpsw_addr), 0);
	row_int(row, be64_get(scb->gg14) | be64_get(scb->gg15), 0);
	for (unsigned int i = 0; i < 16; i++)
		row_int(row, be64_get(scb->gcr[i]), i == 0 || i == 6 || i == 14 ? r->cr[i] : 0);
	row_int(row, be64_get(scb->cputm), r->timer);
	row_int(row, be64_get(scb->ckc), 0x123456789abcdef0);
	row_int(row, be32_get(scb->prefix), 0x345); /* IBC is the host's own */
}

/* Ends of all kinds. LPSWE 0x900 loads a wait PSW; LG 1,0(0,7) is from a page that is not there. */
static void test_filter(void **state)
{
	static const struct {
		const char *name, *code;
		uint32_t flags;
		bool broken, prefix;
		int code_or_pic; /* interception; negative: host interruption */
		uint64_t mask;
	} rows[] = {
		{ "notification", DIAG LOOP, 0, false, false, ICPT_PV_NOTIFICATION, MASK_64 },
		{ "wait", "b2b20900", 0, false, false, ICPT_WAIT, 0x0306000180000000 },
		{ "host fault", "e310 7000 0004", 0, false, false, -PGM_NON_SECURE_ACCESS,
		  MASK_64 },
		{ "stop", LOOP, CPUFLAG_STOP_INT, false, false, ICPT_STOP, MASK_64 },
		{ "program loop", "0000", 0, true, false, ICPT_PROGRAM, MASK_64 },
		{ "prefix", LOOP, 0, false, true, ICPT_PV_PREFIX, MASK_64 },
	};
	struct vm *vm = *state;

	put_psw(vm, GUEST + 0x900, 0x0306300180000000, 0x123456);
	start(vm, DIAG LOOP);
	expect_diag("starts", vm, 0x44);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *row = rows[i].name;
		struct lowcore *lc = (struct lowcore *)(void *)peek(vm, 0);
		AUTO_BYTES b = unit_hex(rows[i].code);

		memcpy(peek(vm, CODE), b.data, b.len);
		code_written(vm->m, (GUEST + CODE) / FRAME_BYTES, 0, 16);
		be64_set(&lc->new_psw[LC_PROGRAM].mask,
			 rows[i].broken ? MASK_64 | BIT64(12) : MASK_64);
		vm->c->area->regs.psw_addr = CODE;
		vm->c->area->regs.psw_mask = MASK_64;
		mark_guest(vm);
		if (rows[i].code[1] == '3')
			vm->c->area->regs.file.gr[7] = 0x20000;
		set_host(vm->cpu);
		memset(&vm->scb.scb.intr, 0, sizeof(vm->scb.scb.intr));
		memset(vm->scb.pv_grregs, 0, sizeof(vm->scb.pv_grregs));
		be32_set(&vm->scb.scb.prefix, 0x345);
		be32_set(&vm->scb.scb.cpuflags, CPUFLAG_ZARCH | rows[i].flags);
		if (rows[i].prefix)
			export(vm, 0x1000);
		if (rows[i].code_or_pic < 0) {
			row_int(row, enter_at(vm, SCB_AT), CPU_STOP_HOST_PIC);
			row_int(row, cpu_host_pic(vm->cpu).code, -rows[i].code_or_pic);
			row_int(row, cpu_host_pic(vm->cpu).teid >> 12, (MSO + 0x20000) >> 12);
		} else {
			expect(row, vm, (enum icpt_code)rows[i].code_or_pic);
		}
		check_shown(row, vm, rows[i].mask);
		check_host(row, vm->cpu);
		row_int(row, vm->c->area->regs.file.gr[3], MARK + 3);
	}
}

/* A program interruption that cannot be taken shows its code and nothing that it is about. */
static void test_filter_program(void **state)
{
	struct vm *vm = *state;
	struct scb_program *p = &vm->scb.scb.intr.program;
	struct lowcore *lc;

	start(vm, DIAG LOOP);
	expect_diag("starts", vm, 0x44);
	lc = (struct lowcore *)(void *)peek(vm, 0);
	be64_set(&lc->new_psw[LC_PROGRAM].mask, BIT64(12) | MASK_64);
	vm->cpu->dxc = 0x77;
	be32_set(&vm->scb.scb.ictl, ICTL_PINT | ICTL_OPEREXC);
	vm->c->area->regs.psw_addr = CODE + 1; /* odd */
	expect("loop", vm, ICPT_PROGRAM);
	row_int("code", be16_get(p->code), PGM_SPECIFICATION);
	row_int("length", be16_get(p->ilc), 0);
	row_int("TEID", be64_get(p->teid), 0);
	row_int("dxc", be32_get(p->dxc), 0);
}

/* PINT and OPEREXC are for other guests: a protected one takes its exceptions itself. */
static void test_no_program_interception(void **state)
{
	struct vm *vm = *state;

	start(vm, "0000");
	be32_set(&vm->scb.scb.ictl, ICTL_PINT | ICTL_OPEREXC);
	expect_diag("handler", vm, 0x44);
	row_int("code", be16_get(lowcore(vm)->pgm_code), PGM_OPERATION);
	row_int("old address", be64_get(lowcore(vm)->old_psw[LC_PROGRAM].addr), CODE + 2);
}

/*
 * A marked LCTL is told of when it is executed, not when its operand was not there: LCTLG 0,0 of
 * an odd address.
 */
static void test_marked_load(void **state)
{
	struct vm *vm = *state;

	put64(vm, GUEST + 0x900, 0xe0);
	start(vm, "eb000900002f eb000901002f");
	be16_set(&vm->scb.scb.lctl, LCTL_CR(0));
	expect("executed", vm, ICPT_INTERRUPTION_ENABLE);
	row_int("behind", vm->c->area->regs.psw_addr, CODE + 6);
	expect_diag("handler", vm, 0x44);
	row_int("code", be16_get(lowcore(vm)->pgm_code), PGM_SPECIFICATION);
}

/* --- Injection -------------------------------------------------------------------------------- */

#define OPEN	  (MASK_64 | PSW_IO | PSW_EXT | PSW_MCHECK)
#define MCIC	  (MCIC_CHANNEL_REPORT | MCIC_PSW)
#define IO_WORD	  0x18000001u /* subclass 3 */
#define CR6_ISC_3 0x10000000ull

struct injection {
	uint64_t mcic;
	uint32_t params, word;
	uint16_t code, sender;
};

static void set_injection(struct vm *vm, uint8_t iictl, const struct injection *in)
{
	struct scb *scb = &vm->scb.scb;

	scb->iictl = iictl;
	memset(&scb->intr, 0, sizeof(scb->intr));
	if (iictl == INJECT_MCHECK) {
		be64_set(&scb->intr.mcheck.mcic, in->mcic);
		be32_set(&scb->intr.mcheck.damage, 0x1234);
		be64_set(&scb->intr.mcheck.addr, 0x5678);
	} else if (iictl == INJECT_EXTERNAL) {
		be16_set(&scb->intr.ext.code, in->code);
		be16_set(&scb->intr.ext.cpu_addr, in->sender);
		be32_set(&scb->intr.ext.params, in->params);
	} else if (iictl == INJECT_IO) {
		be16_set(&scb->intr.io.subchannel_id, 1);
		be16_set(&scb->intr.io.subchannel_nr, 0x2345);
		be32_set(&scb->intr.io.param, 0x89abcdef);
		be32_set(&scb->intr.io.word, in->word);
	}
}

/* One that is enabled by these masks and by nothing less. */
static const struct injection_row {
	const char *name;
	uint8_t iictl;
	struct injection in;
	uint64_t psw, cr0, cr6, cr14;
	enum lowcore_class class;
} injection_rows[] = {
	{ "machine check",
	  INJECT_MCHECK,
	  { .mcic = MCIC },
	  PSW_MCHECK,
	  0,
	  0,
	  CR14_CHANNEL_REPORT,
	  LC_MACHINE_CHECK },
	{ "clock comparator",
	  INJECT_EXTERNAL,
	  { .code = EXT_CKC, .sender = 9, .params = 9 },
	  PSW_EXT,
	  CR0_CKC,
	  0,
	  0,
	  LC_EXTERNAL },
	{ "CPU timer",
	  INJECT_EXTERNAL,
	  { .code = EXT_CPU_TIMER, .sender = 9 },
	  PSW_EXT,
	  CR0_CPU_TIMER,
	  0,
	  0,
	  LC_EXTERNAL },
	{ "emergency",
	  INJECT_EXTERNAL,
	  { .code = EXT_EMERGENCY, .sender = 9 },
	  PSW_EXT,
	  CR0_EMERGENCY,
	  0,
	  0,
	  LC_EXTERNAL },
	{ "external call",
	  INJECT_EXTERNAL,
	  { .code = EXT_EXTERNAL_CALL, .sender = 9 },
	  PSW_EXT,
	  CR0_EXTERNAL_CALL,
	  0,
	  0,
	  LC_EXTERNAL },
	{ "event",
	  INJECT_EXTERNAL,
	  { .code = EXT_SERVICE_SIGNAL, .params = 3 },
	  PSW_EXT,
	  CR0_SERVICE,
	  0,
	  0,
	  LC_EXTERNAL },
	{ "I/O", INJECT_IO, { .word = IO_WORD }, PSW_IO, 0, CR6_ISC_3, 0, LC_IO },
	{ "restart", INJECT_RESTART, { 0 }, 0, 0, 0, 0, LC_RESTART },
};

static void check_stored(const struct injection_row *row, struct vm *vm)
{
	const struct lowcore *lc = lowcore(vm);
	bool call = row->in.code == EXT_EMERGENCY || row->in.code == EXT_EXTERNAL_CALL;

	row_int(row->name, be64_get(lc->old_psw[row->class].addr), CODE + 4);
	row_int(row->name, be64_get(lc->old_psw[row->class].mask), MASK_64 | row->psw);
	if (row->class == LC_EXTERNAL) {
		row_int(row->name, be16_get(lc->ext_code), row->in.code);
		row_int(row->name, be16_get(lc->ext_cpu_addr), call ? 9 : 0);
		if (row->in.code == EXT_SERVICE_SIGNAL)
			row_int(row->name, be32_get(lc->ext_param), row->in.params);
	} else if (row->class == LC_IO) {
		row_int(row->name, be16_get(lc->subchannel_id), 1);
		row_int(row->name, be16_get(lc->subchannel_nr), 0x2345);
		row_int(row->name, be32_get(lc->io_param), 0x89abcdef);
		row_int(row->name, be32_get(lc->io_word), IO_WORD);
	} else if (row->class == LC_MACHINE_CHECK) {
		row_int(row->name, be64_get(lc->mcic), MCIC);
		row_int(row->name, be32_get(lc->external_damage), 0x1234);
		row_int(row->name, be64_get(lc->failing_storage), 0x5678);
	}
}

/* At CODE + 4 of a guest that has executed its DIAG, with these masks. */
static void set_masks(struct vm *vm, uint64_t psw, uint64_t cr0, uint64_t cr6, uint64_t cr14)
{
	struct secure_regs *r = &vm->c->area->regs;

	r->psw_mask = MASK_64 | psw;
	r->psw_addr = CODE + 4;
	r->cr[0] = cr0;
	r->cr[6] = cr6;
	r->cr[14] = cr14;
}

static void test_injection(void **state)
{
	struct vm *vm = *state;

	start(vm, DIAG_FOREVER);
	expect_diag("starts", vm, 0x44);
	for (size_t i = 0; i < ARRAY_SIZE(injection_rows); i++) {
		const struct injection_row *row = &injection_rows[i];

		set_injection(vm, row->iictl, &row->in);
		set_masks(vm, (OPEN ^ MASK_64) & ~row->psw, ~0ull, ~0ull, ~0ull);
		if (row->psw)
			expect_validity(row->name, vm, VALIDITY_PV_NOT_ENABLED);
		set_masks(vm, row->psw, ~row->cr0, ~row->cr6, ~row->cr14);
		if (row->cr0 | row->cr6 | row->cr14)
			expect_validity(row->name, vm, VALIDITY_PV_NOT_ENABLED);
		row_int(row->name, vm->scb.scb.iictl, row->iictl);
		set_masks(vm, row->psw, row->cr0, row->cr6, row->cr14);
		expect_diag(row->name, vm, 0x44);
		row_int(row->name, vm->scb.scb.iictl, INJECT_NONE);
		row_int(row->name, vm->c->area->regs.psw_addr,
			(row->class == LC_RESTART ? RESTART : NEW_PSW) + 4);
		check_stored(row, vm);
	}
}

static void test_injection_codes(void **state)
{
	static const uint8_t iictl[] = { 0x05, 0x0f, 0x12, 0x80, 0xff };
	static const uint16_t external[] = { 0x0040, 0x1007, 0x1200, 0x1406, 0x2603, 0 };
	struct vm *vm = *state;

	start(vm, DIAG_FOREVER);
	expect_diag("starts", vm, 0x44);
	set_masks(vm, OPEN, ~0ull, ~0ull, ~0ull);
	for (size_t i = 0; i < ARRAY_SIZE(iictl); i++) {
		set_injection(vm, iictl[i], &(struct injection){ 0 });
		expect_validity("iictl", vm, VALIDITY_PV_IICTL);
	}
	for (size_t i = 0; i < ARRAY_SIZE(external); i++) {
		set_injection(vm, INJECT_EXTERNAL, &(struct injection){ .code = external[i] });
		expect_validity("external", vm, VALIDITY_PV_EXTERNAL);
	}
	set_injection(vm, INJECT_MCHECK, &(struct injection){ .mcic = MCIC_PSW });
	expect_validity("no condition", vm, VALIDITY_PV_NOT_ENABLED);
	set_injection(vm, INJECT_SPECIFICATION, &(struct injection){ 0 });
	expect_validity("no instruction", vm, VALIDITY_PV_INJECTION);
	set_injection(vm, INJECT_OPERAND, &(struct injection){ 0 });
	expect_validity("no instruction", vm, VALIDITY_PV_INJECTION);
	set_injection(vm, INJECT_NONE, &(struct injection){ 0 });
	expect_diag("corrected", vm, 0x44);
}

/* The host cannot know a PSW that is still to be loaded. */
static void test_injection_before_load(void **state)
{
	struct vm *vm = *state;

	start(vm, DIAG_FOREVER);
	vm->c->area->regs.psw_mask = OPEN;
	vm->c->area->regs.cr[0] = vm->c->area->regs.cr[6] = vm->c->area->regs.cr[14] = ~0ull;
	for (size_t i = 0; i + 1 < ARRAY_SIZE(injection_rows); i++) {
		set_injection(vm, injection_rows[i].iictl, &injection_rows[i].in);
		expect_validity(injection_rows[i].name, vm, VALIDITY_PV_NOT_ENABLED);
	}
	set_injection(vm, INJECT_RESTART, &(struct injection){ 0 });
	expect_diag("restart", vm, 0x44);
	row_int("first the load", be64_get(lowcore(vm)->old_psw[LC_RESTART].addr), CODE);
	row_int("then the swap", vm->c->area->regs.psw_addr, RESTART + 4);
}

/* RESTART by SIGP to a stopped CPU, and the order that goes with one to an operating CPU. */
static void test_restart(void **state)
{
	struct vm *vm = *state;

	start(vm, DIAG_FOREVER);
	expect_diag("starts", vm, 0x44);
	vm->c->restart_pending = true;
	set_masks(vm, PSW_EXT, CR0_EMERGENCY, 0, 0);
	set_injection(vm, INJECT_EXTERNAL, &(struct injection){ .code = EXT_EMERGENCY });
	expect_validity("not yet", vm, VALIDITY_PV_NOT_ENABLED);
	set_injection(vm, INJECT_NONE, &(struct injection){ 0 });
	expect_diag("swapped", vm, 0x44);
	row_true("once", !vm->c->restart_pending);
	row_int("old", be64_get(lowcore(vm)->old_psw[LC_RESTART].addr), CODE + 4);
	row_int("new", vm->c->area->regs.psw_addr, RESTART + 4);
	vm->c->order = SIGP_RESTART;
	set_injection(vm, INJECT_RESTART, &(struct injection){ 0 });
	expect_diag("iictl", vm, 0x44);
	row_int("order", vm->c->order, 0);
}

/* The lowcore cannot be stored into: nothing has happened, and the next entry does it. */
static void test_injection_fault(void **state)
{
	struct vm *vm = *state;

	start(vm, DIAG_FOREVER);
	expect_diag("starts", vm, 0x44);
	for (size_t i = 0; i < ARRAY_SIZE(injection_rows); i++) {
		const struct injection_row *row = &injection_rows[i];

		set_injection(vm, row->iictl, &row->in);
		set_masks(vm, row->psw, row->cr0, row->cr6, row->cr14);
		set_pte(vm, 0, 0x200);
		row_int(row->name, enter_at(vm, SCB_AT), CPU_STOP_HOST_PIC);
		row_int(row->name, cpu_host_pic(vm->cpu).code, PGM_PROTECTION);
		row_int(row->name, vm->scb.scb.iictl, row->iictl);
		row_int(row->name, vm->c->area->regs.psw_addr, CODE + 4);
		set_pte(vm, 0, 0);
		expect_diag(row->name, vm, 0x44);
		check_stored(row, vm);
	}
}

/* --- Service signals -------------------------------------------------------------------------- */

static void set_signal(struct vm *vm, uint32_t params)
{
	set_masks(vm, PSW_EXT, CR0_SERVICE, 0, 0);
	set_injection(vm, INJECT_EXTERNAL,
		      &(struct injection){ .code = EXT_SERVICE_SIGNAL, .params = params });
}

static void test_service_signal(void **state)
{
	struct vm *vm = *state;
	struct uv_cpu *other;

	start(vm, DIAG_FOREVER);
	other = uv_find_cpu(vm->uv, create_cpu(vm, vm->config, 1, CPU_AT + 0x1000, SCB2_AT));
	expect_diag("starts", vm, 0x44);
	set_signal(vm, 0x5008);
	expect_validity("no SERVC", vm, VALIDITY_PV_INJECTION);
	set_signal(vm, 0);
	expect_validity("nothing", vm, VALIDITY_PV_INJECTION);
	vm->c->outstanding_sccb = 0x7008;
	set_signal(vm, 0x5008);
	expect_validity("no notification", vm, VALIDITY_PV_INJECTION);
	set_injection(vm, INJECT_NONE, &(struct injection){ 0 });
	vm->c->area->pending.what = COMPLETE_SERVC_NOTIFY;
	expect("notification", vm, ICPT_PV_NOTIFICATION);
	row_int("notification", be16_get(vm->scb.scb.ipa), 0xb220);
	row_int("notification", vm->c->area->pending.what, COMPLETE_NONE);
	set_signal(vm, 0x5009);
	expect_diag("own address", vm, 0x44);
	row_int("own address", be32_get(lowcore(vm)->ext_param), 0x7009);
	row_true("once", !vm->c->may_signal);
	set_signal(vm, 0x5008);
	expect_validity("twice", vm, VALIDITY_PV_INJECTION);
	vm->c->may_signal = true;
	expect_validity("without an address", vm, VALIDITY_PV_INJECTION);
	vm->c->may_signal = false;
	/* It is floating. */
	other->outstanding_sccb = 0x6008;
	other->may_signal = true;
	set_signal(vm, 0xfffffff8);
	set_pte(vm, 0, 0x200);
	row_int("no lowcore", enter_at(vm, SCB_AT), CPU_STOP_HOST_PIC);
	row_int("kept", other->outstanding_sccb, 0x6008);
	set_pte(vm, 0, 0);
	expect_diag("of another CPU", vm, 0x44);
	row_int("of another CPU", be32_get(lowcore(vm)->ext_param), 0x6008);
	row_int("gone", other->outstanding_sccb, 0);
	set_signal(vm, 1);
	expect_diag("event", vm, 0x44);
	row_int("event", be32_get(lowcore(vm)->ext_param), 1);
}

/* --- Completion ------------------------------------------------------------------------------- */

static void test_completion(void **state)
{
	static const struct {
		uint8_t iictl;
		uint16_t code;
	} rows[] = { { INJECT_SPECIFICATION, PGM_SPECIFICATION }, { INJECT_OPERAND, PGM_OPERAND } };
	struct vm *vm = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (i == 0)
			start(vm, DIAG_500 LOOP);
		expect_diag("DIAG 500", vm, 0x500);
		set_masks(vm, OPEN ^ MASK_64, ~0ull, ~0ull, ~0ull);
		vm->c->area->regs.psw_addr = CODE + 4;
		for (size_t j = 0; j < ARRAY_SIZE(injection_rows); j++) {
			set_injection(vm, injection_rows[j].iictl, &injection_rows[j].in);
			expect_validity(injection_rows[j].name, vm, VALIDITY_PV_INJECTION);
		}
		set_injection(vm, rows[i].iictl, &(struct injection){ 0 });
		be64_set(&vm->scb.pv_grregs[2], MARK); /* what would complete it */
		set_pte(vm, 0, 0x200);
		row_int("no lowcore", enter_at(vm, SCB_AT), CPU_STOP_HOST_PIC);
		row_int("kept", vm->scb.scb.iictl, rows[i].iictl);
		row_int("kept", vm->c->area->pending.what, COMPLETE_DIAG_500);
		set_pte(vm, 0, 0);
		expect_diag("exception", vm, 0x44);
		row_int("taken", vm->scb.scb.iictl, INJECT_NONE);
		row_int("taken", vm->c->area->pending.what, COMPLETE_NONE);
		row_true("not completed", vm->c->area->regs.file.gr[2] != MARK);
		row_int("code", be16_get(lowcore(vm)->pgm_code), rows[i].code);
		row_int("length", be16_get(lowcore(vm)->pgm_ilc), 4);
		row_int("suppressed", be64_get(lowcore(vm)->old_psw[LC_PROGRAM].addr), CODE + 4);
		vm->c->area->regs.psw_addr = CODE;
		vm->c->area->regs.psw_mask = MASK_64;
	}
}

/* DIAG 288 may not end with an operand exception. */
static void test_completion_watchdog(void **state)
{
	struct vm *vm = *state;

	start(vm, "83030288 " LOOP);
	expect("DIAG 288", vm, ICPT_PV_INSTRUCTION);
	row_int("DIAG 288", be64_get(vm->scb.pv_grregs[5]), 0x288);
	set_injection(vm, INJECT_OPERAND, &(struct injection){ 0 });
	expect_validity("operand", vm, VALIDITY_PV_INJECTION);
	set_injection(vm, INJECT_SPECIFICATION, &(struct injection){ 0 });
	expect_diag("specification", vm, 0x44);
	row_int("code", be16_get(lowcore(vm)->pgm_code), PGM_SPECIFICATION);
}

/*
 * The CC that the host has set stays while entries end before the completion: STSI with GR0 zero,
 * IPM 1, DIAG 44.
 */
static void test_completion_cc(void **state)
{
	struct vm *vm = *state;

	start(vm, "b27d0000 b2220010 " DIAG LOOP);
	be64_set(&vm->scb.scb.gpsw_mask, PSW_CC);
	expect("STSI", vm, ICPT_PV_INSTRUCTION);
	row_int("STSI", be16_get(vm->scb.scb.ipa), 0xb27d);
	row_int("not shown", be64_get(vm->scb.scb.gpsw_mask) & PSW_CC, 0);
	be64_set(&vm->scb.scb.gpsw_mask, PSW_CC);
	export(vm, 0);
	expect("no prefix page", vm, ICPT_PV_PREFIX);
	row_int("kept", be64_get(vm->scb.scb.gpsw_mask), MASK_64 | PSW_CC);
	import(vm, 0);
	cpu_kick(vm->cpu);
	row_int("kicked", enter_at(vm, SCB_AT), CPU_STOP_KICKED);
	row_int("kept", be64_get(vm->scb.scb.gpsw_mask), MASK_64 | PSW_CC);
	expect_diag("completed", vm, 0x44);
	row_int("IPM", vm->c->area->regs.file.gr[1], 0x30000000);
	row_int("not shown", be64_get(vm->scb.scb.gpsw_mask), MASK_64);
}

/* The SIDA has become too short for what the instruction is to get out of it. */
static void test_completion_sida(void **state)
{
	struct vm *vm = *state;

	start(vm, DIAG_500 LOOP);
	expect_diag("DIAG 500", vm, 0x500);
	vm->c->area->pending.len = FRAME_BYTES + 1;
	expect_validity("one page", vm, VALIDITY_PV_COMPLETION);
	vm->c->area->pending.len = FRAME_BYTES;
	vm->scb.scb.iictl = INJECT_SPECIFICATION;
	expect_diag("enough", vm, 0x44);
}

/* --- The run ---------------------------------------------------------------------------------- */

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_runs),
		cmocka_unit_test_setup_teardown(test_not_initialized, vm_setup_uninit, vm_teardown),
		TEST(test_handles),
		TEST(test_other_config),
		TEST(test_scb_address),
		TEST(test_asce),
		TEST(test_states),
		TEST(test_areas),
		TEST(test_short_sca),
		TEST(test_already_running),
		TEST(test_moved),
		TEST(test_timer),
		TEST(test_timer_reset),
		TEST(test_prefix),
		TEST(test_prefix_fence),
		TEST(test_load_clear),
		TEST(test_load_normal),
		TEST(test_load_invalid),
		TEST(test_load_absolute),
		TEST(test_filter),
		TEST(test_filter_program),
		TEST(test_no_program_interception),
		TEST(test_marked_load),
		TEST(test_injection),
		TEST(test_injection_codes),
		TEST(test_injection_before_load),
		TEST(test_restart),
		TEST(test_injection_fault),
		TEST(test_service_signal),
		TEST(test_completion),
		TEST(test_completion_watchdog),
		TEST(test_completion_cc),
		TEST(test_completion_sida),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
