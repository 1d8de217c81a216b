// SPDX-License-Identifier: MIT
/*
 * The loop around SIE.
 */
#define _GNU_SOURCE
#include "vcpu.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "err.h"
#include "gmap.h"
#include "guest.h"
#include "intercept.h"
#include "lowcore.h"
#include "sclp.h"

#define MIB		  (1ull << 20)
#define CR0_INITIAL	  0xe0ull
#define CR14_INITIAL	  0xc2000000ull
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
	rc = vm_alloc(vm, 4096, 4096, &v->scb_addr, err);
	if (!rc)
		rc = vm_alloc(vm, 4096, 4096, &v->sca_addr, err);
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
	v->external_call = v->emergency = false;
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
	uint32_t param = 0;

	if (enabled & GCR0_EMERGENCY) {
		v->emergency = false;
		guest_inject_external(g, EXT_EMERGENCY, 0);
	} else if (enabled & GCR0_EXTERNAL_CALL) {
		v->external_call = false;
		guest_inject_external(g, EXT_EXTERNAL_CALL, 0);
	} else if (sclp_take_signal(v->vm->sclp, &param)) {
		guest_inject_external(g, EXT_SERVICE_SIGNAL, param);
	}
}

/*
 * Delivers what the guest can take; for the rest arranges for an exit as soon as it can: when PSW
 * bit 7 becomes one, or when CR0 is loaded.
 */
static void deliver(struct guest *g)
{
	uint64_t cr0 = be64_get(g->scb.gcr[0]), left = pending(g->v);

	while (left & cr0 && guest_psw_mask(g) & GPSW_EXT) {
		take(g, left & cr0);
		left = pending(g->v);
	}
	be16_set(&g->scb.lctl, left & ~cr0 ? LCTL_CR(0) : 0);
	cpuflags(g->v, CPUFLAG_EXT_INT, left & cr0 ? CPUFLAG_EXT_INT : 0);
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

void vcpu_wait(struct guest *g)
{
	uint64_t mask = guest_psw_mask(g), addr = be64_get(g->scb.gpsw_addr);

	if (mask & (GPSW_EXT | GPSW_IO | GPSW_MCHECK)) {
		if (!(mask & GPSW_EXT && pending(g->v) & be64_get(g->scb.gcr[0])))
			sleep_cpu(g);
	} else if (addr == PSW_SHUTDOWN_ADDR) {
		vm_set_end(g->v->vm, VM_POWERED_OFF);
	} else {
		vm_crash(g->v->vm, VM_DISABLED_WAIT, mask, addr);
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

/* A page of the guest that was not there. */
static void host_fault(struct vcpu *v)
{
	struct pic pic = cpu_host_pic(v->cpu);
	haddr_t frame;

	if (!gmap_fault_in(v->vm->gmap, gaddr(pic.teid & ~0xfffull), &frame))
		vm_fail(v->vm, "host program interruption %#x at guest address %#llx", pic.code,
			(unsigned long long)(pic.teid & ~0xfffull));
}

/* The guest's CPU timer runs while it waits, and while the hypervisor works for it. */
static void timer_go_on(struct guest *g)
{
	uint64_t gone = machine_tod(g->v->vm->m) - g->v->left;

	if ((int64_t)gone > 0)
		be64_set(&g->scb.cputm, be64_get(g->scb.cputm) - gone);
}

static void step(struct vcpu *v)
{
	struct guest g = { .v = v };
	enum cpu_stop stop;

	scb_read(v, &g.scb);
	deliver(&g);
	timer_go_on(&g);
	g.scb.icptcode = ICPT_NONE;
	scb_write(v, &g.scb);
	if (atomic_load(&v->vm->stop))
		return;
	stop = cpu_sie(v->cpu, v->scb_addr);
	v->left = machine_tod(v->vm->m);
	if (stop == CPU_STOP_HOST_PIC) {
		host_fault(v);
		return;
	}
	scb_read(v, &g.scb);
	if (g.scb.icptcode == ICPT_NONE)
		return; /* kicked */
	intercept(&g);
	/* A reload has made a new state description. */
	if (!v->reloaded)
		scb_write(v, &g.scb);
	v->reloaded = false;
}

void vcpu_run(struct vcpu *v)
{
	while (!atomic_load(&v->vm->stop))
		step(v);
}
