// SPDX-License-Identifier: MIT
/*
 * The loop around SIE.
 */
#define _GNU_SOURCE
#include "vcpu.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "elf_core.h"
#include "err.h"
#include "gmap.h"
#include "guest.h"
#include "intercept.h"
#include "lowcore.h"
#include "pv.h"
#include "sclp.h"

#define MIB		  (1ull << 20)
#define CR0_INITIAL	  0xe0ull
#define CR14_INITIAL	  0xc2000000ull
#define STACK_BYTES	  (8 * MIB) /* of address space */
#define GUARD_BYTES	  65536u
#define PSW_SHUTDOWN_ADDR 0xfffull /* Linux' last PSW after a quiesce */

int vcpu_new(struct vm *vm, unsigned int addr, struct vcpu **out, struct zpv_err *err)
{
	struct vcpu *v = calloc(1, sizeof(*v));
	int rc;

	if (!v)
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	v->vm = vm;
	v->cpu = machine_cpu(vm->m, addr);
	pthread_mutex_init(&v->lock, NULL);
	pthread_cond_init(&v->woken, NULL);
	rc = vm_alloc(vm, &vm->low, 4096, 4096, &v->scb_addr, err);
	if (!rc)
		rc = vm_alloc(vm, &vm->low, 4096, 4096, &v->sca_addr, err);
	if (rc) {
		vcpu_free(v);
		return rc;
	}
	*out = v;
	return 0;
}

void vcpu_free(struct vcpu *v)
{
	if (!v)
		return;
	if (v->stack)
		munmap(v->stack, STACK_BYTES);
	pthread_cond_destroy(&v->woken);
	pthread_mutex_destroy(&v->lock);
	free(v);
}

/* --- State description ------------------------------------------------------------------------- */

static void scb_read(struct vcpu *v, struct scb *scb)
{
	struct pic pic = storage_read(v->vm->m, v->scb_addr, scb, sizeof(*scb));

	if (pic.code)
		vm_fail(v->vm, "the state description is not accessible (%#x)", pic.code);
}

/* All but cpuflags, which others update too. */
static void scb_write(struct vcpu *v, const struct scb *scb)
{
	const size_t off = offsetof(struct scb, prefix);
	struct pic pic = storage_write(v->vm->m, (haddr_t){ v->scb_addr.v + off },
				       (const uint8_t *)scb + off, sizeof(*scb) - off);

	if (pic.code)
		vm_fail(v->vm, "the state description is not accessible (%#x)", pic.code);
}

static void cpuflags(struct vcpu *v, uint32_t clear, uint32_t set)
{
	uint32_t old;
	struct pic pic = storage_update32(v->vm->m, v->scb_addr, ~clear, set, &old);

	if (pic.code)
		vm_fail(v->vm, "the state description is not accessible (%#x)", pic.code);
}

static void write_sca(struct vcpu *v)
{
	struct bsca sca;
	struct pic pic;

	memset(&sca, 0, sizeof(sca));
	be64_set(&sca.mcn, BIT64(0));
	be64_set(&sca.cpu[0].sda, v->scb_addr.v);
	pic = storage_write(v->vm->m, v->sca_addr, &sca, sizeof(sca));
	if (pic.code)
		vm_fail(v->vm, "the system control area is not accessible (%#x)", pic.code);
}

void vcpu_reset(struct vcpu *v, bool clear)
{
	struct scb scb;
	be64 epoch;

	scb_read(v, &scb);
	epoch = scb.epoch; /* no reset changes the clock */
	memset(&scb, 0, sizeof(scb));
	be32_set(&scb.scaoh, (uint32_t)(v->sca_addr.v >> 32));
	be32_set(&scb.scaol, (uint32_t)v->sca_addr.v);
	/* Addresses beyond the guest's memory are its own addressing exceptions. */
	be64_set(&scb.msl, (v->vm->config.memory_bytes - 1) & SCB_MSO_MASK);
	be32_set(&scb.eca, ECA_CEI | ECA_MVPGI | ECA_PROTEXCI);
	scb.ecb = ECB_HOSTPROTINT | ECB_SRSI | ECB_SPECI;
	be16_set(&scb.ihcpu, IHCPU_FLUSH);
	be64_set(&scb.gcr[0], CR0_INITIAL);
	be64_set(&scb.gcr[14], CR14_INITIAL);
	be64_set(&scb.gbea, 1);
	scb.epoch = epoch;
	scb_write(v, &scb);
	cpuflags(v, ~0u, CPUFLAG_ZARCH | CPUFLAG_RUNNING);
	write_sca(v);
	if (clear)
		cpu_clear_reset(v->cpu);
	else
		cpu_initial_reset(v->cpu);
	v->external_call = v->emergency = v->restart = v->no_injection = false;
	v->handed = INJECT_NONE;
	v->left = machine_tod(v->vm->m);
	cpu_set_cr(v->cpu, 1, gmap_asce(v->vm->gmap));
}

void vcpu_set_psw(struct vcpu *v, uint64_t mask, uint64_t addr)
{
	struct scb scb;

	scb_read(v, &scb);
	be64_set(&scb.gpsw_mask, mask);
	be64_set(&scb.gpsw_addr, addr);
	scb_write(v, &scb);
}

void vcpu_protect(struct vcpu *v, const struct vcpu_secure *secure)
{
	struct scb scb;

	scb_read(v, &scb);
	scb.sdf = SCB_FORMAT4;
	be64_set(&scb.pv_handle_cpu, secure->cpu);
	be64_set(&scb.pv_handle_config, secure->config);
	be64_set(&scb.gbea, secure->sida.v); /* the SIDA's designation: one page */
	scb.ecb2 |= ECB2_ESCA;
	/* External calls go through the control area alone. */
	be32_set(&scb.eca, be32_get(scb.eca) | ECA_SIGPI);
	be32_set(&scb.scaoh, (uint32_t)(secure->sca.v >> 32));
	be32_set(&scb.scaol, (uint32_t)secure->sca.v);
	scb_write(v, &scb);
}

void vcpu_refresh(struct guest *g)
{
	scb_read(g->v, &g->scb);
}

void vcpu_status(const struct guest *g, struct status_area *out)
{
	memset(out, 0, sizeof(*out));
	for (unsigned int i = 0; i < 16; i++) {
		be64_set(&out->fpr[i], cpu_fpr(g->v->cpu, i));
		be64_set(&out->gr[i], guest_gr(g, i));
		be32_set(&out->ar[i], cpu_ar(g->v->cpu, i));
		out->cr[i] = g->scb.gcr[i];
	}
	out->psw.mask = g->scb.gpsw_mask;
	out->psw.addr = g->scb.gpsw_addr;
	be32_set(&out->prefix, guest_prefix(g));
	be32_set(&out->fpc, cpu_fpc(g->v->cpu));
	out->todpr = g->scb.todpr;
	out->timer = g->scb.cputm;
	be64_set(&out->ckc, be64_get(g->scb.ckc) >> 8);
}

/* --- Interruptions from here --------------------------------------------------------------------- */

/* Subclasses of CR0 for which something is pending; SIE itself looks at the clocks. */
static uint64_t pending(const struct vcpu *v)
{
	return (v->emergency ? GCR0_EMERGENCY : 0) | (v->external_call ? GCR0_EXTERNAL_CALL : 0) |
	       (sclp_signal_pending(v->vm->sclp) ? GCR0_SERVICE : 0);
}

/* Takes the first one that CR0 enables, by priority. */
static void take(struct guest *g, uint64_t enabled)
{
	struct vcpu *v = g->v;

	if (enabled & GCR0_EMERGENCY) {
		v->emergency = false;
		guest_inject_external(g, EXT_EMERGENCY, 0);
	} else if (enabled & GCR0_EXTERNAL_CALL) {
		v->external_call = false;
		guest_inject_external(g, EXT_EXTERNAL_CALL, 0);
	} else {
		guest_inject_external(g, EXT_SERVICE_SIGNAL, sclp_take_signal(v->vm->sclp));
	}
}

/* For what the guest cannot take now, an exit as soon as it can: by PSW bit 7, or CR0. */
static void await_enabled(struct guest *g, uint64_t left)
{
	uint64_t cr0 = be64_get(g->scb.gcr[0]);

	be16_set(&g->scb.lctl, left & ~cr0 ? LCTL_CR(0) : 0);
	cpuflags(g->v, CPUFLAG_EXT_INT, left & cr0 ? CPUFLAG_EXT_INT : 0);
}

static void deliver(struct guest *g)
{
	uint64_t cr0 = be64_get(g->scb.gcr[0]), left = pending(g->v);

	while (left & cr0 && guest_psw_mask(g) & GPSW_EXT) {
		take(g, left & cr0);
		left = pending(g->v);
	}
	await_enabled(g, left);
}

/* --- The same for a protected guest: one at a time, through SIE (sie.md section 7.6) ------------- */

static void hand_external(struct guest *g, uint64_t enabled)
{
	struct vcpu *v = g->v;

	v->code = enabled & GCR0_EMERGENCY ? EXT_EMERGENCY : EXT_SERVICE_SIGNAL;
	v->signal = v->code == EXT_SERVICE_SIGNAL ? sclp_take_signal(v->vm->sclp) : 0;
	memset(&g->scb.intr, 0, sizeof(g->scb.intr));
	be16_set(&g->scb.intr.ext.code, v->code);
	be32_set(&g->scb.intr.ext.params, v->signal);
}

/* A program interruption of the instruction that is being completed stays until it is taken. */
static bool completes(const struct guest *g)
{
	return g->scb.iictl == INJECT_SPECIFICATION || g->scb.iictl == INJECT_OPERAND;
}

static void hand_over(struct guest *g)
{
	struct vcpu *v = g->v;
	uint64_t left = pending(v), enabled = left & be64_get(g->scb.gcr[0]);

	if (!completes(g) && !v->no_injection) {
		if (v->restart) {
			v->handed = INJECT_RESTART;
		} else if (enabled && guest_psw_mask(g) & GPSW_EXT) {
			v->handed = INJECT_EXTERNAL;
			hand_external(g, enabled);
			left &= ~(v->code == EXT_EMERGENCY ? GCR0_EMERGENCY : GCR0_SERVICE);
		}
	}
	if (!completes(g))
		g->scb.iictl = v->handed;
	await_enabled(g, left);
}

/* SIE has taken what it was handed, or that is pending again. */
static void take_back(struct guest *g)
{
	struct vcpu *v = g->v;
	bool taken = g->scb.iictl == INJECT_NONE;

	if (v->handed == INJECT_RESTART)
		v->restart = !taken;
	else if (v->handed && v->code == EXT_EMERGENCY)
		v->emergency = !taken;
	else if (v->handed && !taken)
		sclp_return_signal(v->vm->sclp, v->signal);
	v->handed = INJECT_NONE;
}

/* --- Waiting ----------------------------------------------------------------------------------- */

/* Nanoseconds until a clock of the guest can end its wait; -1: none. */
static int64_t until_clock(const struct guest *g)
{
	uint64_t cr0 = be64_get(g->scb.gcr[0]), ckc = be64_get(g->scb.ckc);
	uint64_t now = machine_tod(g->v->vm->m) + be64_get(g->scb.epoch);
	uint64_t sign = cr0 & GCR0_CKC_SIGN ? BIT64(0) : 0;
	int64_t timer = (int64_t)be64_get(g->scb.cputm), due = INT64_MAX;

	if (!(guest_psw_mask(g) & GPSW_EXT))
		return -1;
	if (cr0 & GCR0_CKC && ((now ^ sign) > (ckc ^ sign)))
		due = 0;
	else if (cr0 & GCR0_CKC && ckc - now <= INT64_MAX)
		due = (int64_t)(ckc - now);
	if (cr0 & GCR0_CPU_TIMER && timer < due)
		due = timer < 0 ? 0 : timer;
	return due == INT64_MAX ? -1 : due / 4096 * 1000 + 1000;
}

/* Sleeps until a clock, or until somebody wakes the CPU. */
static void sleep_cpu(struct guest *g)
{
	struct vcpu *v = g->v;
	int64_t ns = until_clock(g);
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	if (ns > 1000000000000LL)
		ns = 1000000000000LL;
	ts.tv_sec += (time_t)(ns / 1000000000);
	ts.tv_nsec += (long)(ns % 1000000000);
	if (ts.tv_nsec >= 1000000000) {
		ts.tv_nsec -= 1000000000;
		ts.tv_sec++;
	}
	pthread_mutex_lock(&v->lock);
	while (!v->wake && !atomic_load(&v->vm->stop)) {
		if (ns < 0)
			pthread_cond_wait(&v->woken, &v->lock);
		else if (pthread_cond_timedwait(&v->woken, &v->lock, &ts) != 0)
			break;
	}
	v->wake = false;
	pthread_mutex_unlock(&v->lock);
}

void vcpu_crash(struct guest *g, enum vm_crash why)
{
	struct vm *vm = g->v->vm;

	vm->crash = why;
	vm->end_psw[0] = guest_psw_mask(g);
	vm->end_psw[1] = be64_get(g->scb.gpsw_addr);
	vm->psw_hidden = guest_protected(g);
	vm_set_end(vm, VM_CRASHED);
}

void vcpu_wait(struct guest *g)
{
	uint64_t mask = guest_psw_mask(g), addr = be64_get(g->scb.gpsw_addr);

	if (mask & (GPSW_EXT | GPSW_IO | GPSW_MCHECK)) {
		if (!(mask & GPSW_EXT && pending(g->v) & be64_get(g->scb.gcr[0])))
			sleep_cpu(g);
	} else if (addr == PSW_SHUTDOWN_ADDR && !guest_protected(g)) {
		vm_set_end(g->v->vm, VM_POWERED_OFF);
	} else {
		vcpu_crash(g, VM_DISABLED_WAIT);
	}
}

void vcpu_wake(struct vcpu *v)
{
	pthread_mutex_lock(&v->lock);
	v->wake = true;
	pthread_cond_signal(&v->woken);
	pthread_mutex_unlock(&v->lock);
	cpu_kick(v->cpu);
}

/* --- The loop ---------------------------------------------------------------------------------- */

/* A page of the guest that was not there, or not yet its own. */
static void host_fault(struct guest *g)
{
	struct vm *vm = g->v->vm;
	struct pic pic = cpu_host_pic(g->v->cpu);
	gaddr_t at = gaddr(pic.teid & ~0xfffull);
	haddr_t frame;

	if (guest_protected(g))
		pv_fault(vm->pv, pic.code, at);
	else if (!gmap_fault_in(vm->gmap, at, &frame))
		vm_fail(vm, "host program interruption %#x at guest address %#llx", pic.code,
			(unsigned long long)at.v);
}

/* The guest's CPU timer runs while it waits, and while the hypervisor works for it. */
static void timer_go_on(struct guest *g)
{
	uint64_t gone = machine_tod(g->v->vm->m) - g->v->left;

	if ((int64_t)gone > 0)
		be64_set(&g->scb.cputm, be64_get(g->scb.cputm) - gone);
}

/* Registers of a protected guest that an interception shows, and those that it takes back. */
static void pv_gr_read(struct guest *g)
{
	haddr_t at = { g->v->scb_addr.v + offsetof(struct scb_page, pv_grregs) };
	struct pic pic = storage_read(g->v->vm->m, at, g->pv_gr, sizeof(g->pv_gr));

	if (pic.code)
		vm_fail(g->v->vm, "the state description is not accessible (%#x)", pic.code);
}

static void pv_gr_write(struct guest *g)
{
	haddr_t at = { g->v->scb_addr.v + offsetof(struct scb_page, pv_grregs) };
	struct pic pic = storage_write(g->v->vm->m, at, g->pv_gr, sizeof(g->pv_gr));

	if (pic.code)
		vm_fail(g->v->vm, "the state description is not accessible (%#x)", pic.code);
}

static void handle(struct guest *g)
{
	struct vcpu *v = g->v;
	bool shows = g->scb.icptcode == ICPT_PV_INSTRUCTION ||
		     g->scb.icptcode == ICPT_PV_NOTIFICATION;

	v->no_injection = g->scb.icptcode == ICPT_PV_INSTRUCTION ||
			  g->scb.icptcode == ICPT_PV_PREFIX;
	if (shows)
		pv_gr_read(g);
	intercept(g);
	/* A reload has made a new state description. */
	if (!v->reloaded) {
		scb_write(v, &g->scb);
		if (shows)
			pv_gr_write(g);
	}
	v->reloaded = false;
}

/* The state that a protected guest's last interception showed. */
static void core_shown(struct guest *g, struct core_cpu *out)
{
	pv_gr_read(g);
	memcpy(out->gr, g->pv_gr, sizeof(out->gr));
}

/*
 * Right halves of vector registers are zeros: guests are not told of the facility, and machine/api
 * does not show them.
 */
static void core_registers(const struct guest *g, struct core_cpu *out)
{
	for (unsigned int i = 0; i < 16; i++) {
		be64_set(&out->gr[i], guest_gr(g, i));
		be64_set(&out->fpr[i], cpu_fpr(g->v->cpu, i));
		be64_set(&out->vr_low[i], cpu_vr(g->v->cpu, i, 1));
		be64_set(&out->vr_high[i][0], cpu_vr(g->v->cpu, 16 + i, 0));
		be64_set(&out->vr_high[i][1], cpu_vr(g->v->cpu, 16 + i, 1));
		be32_set(&out->ar[i], cpu_ar(g->v->cpu, i));
	}
	be32_set(&out->fpc, cpu_fpc(g->v->cpu));
}

void vcpu_core(struct vcpu *v, struct core_cpu *out)
{
	struct guest g = { .v = v };

	memset(out, 0, sizeof(*out));
	scb_read(v, &g.scb);
	if (guest_protected(&g))
		core_shown(&g, out);
	else
		core_registers(&g, out);
	memcpy(out->cr, g.scb.gcr, sizeof(out->cr));
	out->psw_mask = g.scb.gpsw_mask;
	out->psw_addr = g.scb.gpsw_addr;
	out->timer = g.scb.cputm;
	out->ckc = g.scb.ckc;
	out->todpr = g.scb.todpr;
	be32_set(&out->prefix, guest_prefix(&g));
}

/* A safe point: requests of other threads. The guest's CPU timer stands still as long as it does. */
static void serve(struct vcpu *v)
{
	struct guest g = { .v = v };

	scb_read(v, &g.scb);
	timer_go_on(&g);
	scb_write(v, &g.scb);
	vm_serve(v->vm);
	v->left = machine_tod(v->vm->m);
}

static void step(struct vcpu *v)
{
	struct guest g = { .v = v };
	enum cpu_stop stop;

	if (atomic_load(&v->vm->requests.any))
		serve(v);
	if (atomic_exchange(&v->vm->reset, false)) {
		vm_reboot(v->vm, true);
		v->reloaded = false;
	}
	scb_read(v, &g.scb);
	if (guest_protected(&g))
		hand_over(&g);
	else
		deliver(&g);
	timer_go_on(&g);
	g.scb.icptcode = ICPT_NONE;
	scb_write(v, &g.scb);
	if (atomic_load(&v->vm->stop))
		return;
	stop = cpu_sie(v->cpu, v->scb_addr);
	v->left = machine_tod(v->vm->m);
	if (v->vm->config.after_sie)
		v->vm->config.after_sie(v->vm->config.after_sie_arg, v->vm);
	scb_read(v, &g.scb);
	take_back(&g);
	if (stop == CPU_STOP_HOST_PIC)
		host_fault(&g);
	else if (g.scb.icptcode != ICPT_NONE) /* else kicked */
		handle(&g);
}

static void *run(void *arg)
{
	struct vcpu *v = arg;

	while (!atomic_load(&v->vm->stop))
		step(v);
	if (vm_ended(v->vm) == VM_CRASHED && v->vm->config.dump_on_crash)
		vm_dump_crashed(v->vm);
	return NULL;
}

/* --- The thread: registers of guests pass its stack, which stays out of core dumps -------------- */

static int make_stack(struct vcpu *v, struct zpv_err *err)
{
	void *p = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);

	if (p == MAP_FAILED)
		return err_errno(err, ZPV_ERR_NOMEM, "no memory for a CPU's stack");
	v->stack = p;
	if (madvise(p, STACK_BYTES, MADV_DONTDUMP) != 0 || mprotect(p, GUARD_BYTES, PROT_NONE) != 0)
		return err_errno(err, ZPV_ERR_NOMEM, "cannot protect a CPU's stack");
	return 0;
}

static int start(struct vcpu *v, struct zpv_err *err)
{
	pthread_attr_t attr;
	int rc = pthread_attr_init(&attr);

	if (!rc)
		rc = pthread_attr_setstack(&attr, v->stack, STACK_BYTES);
	if (!rc)
		rc = pthread_create(&v->thread, &attr, run, v);
	pthread_attr_destroy(&attr);
	return rc ? err_set(err, ZPV_ERR_NOMEM, "cannot start a CPU's thread: %s", strerror(rc)) :
		    0;
}

int vcpu_run(struct vcpu *v, struct zpv_err *err)
{
	int rc = make_stack(v, err);

	if (!rc)
		rc = start(v, err);
	if (!rc)
		pthread_join(v->thread, NULL);
	return rc;
}
