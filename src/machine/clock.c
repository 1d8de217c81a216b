// SPDX-License-Identifier: MIT
/*
 * TOD clock, clock comparators, CPU timers, and the thread that wakes CPUs when one is due.
 *
 * TOD units are 1/4096 microsecond. The TOD is the host's clock, so waiting costs nothing.
 */
#include <string.h>
#include <time.h>

#include "err.h"
#include "machine_priv.h"

#define TOD_UNIX_EPOCH 0x7d91048bca000000ull
#define NEVER	       UINT64_MAX

static uint64_t host_tod(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return TOD_UNIX_EPOCH + ((uint64_t)ts.tv_sec * 1000000u << 12) +
	       ((uint64_t)ts.tv_nsec * 4096u / 1000u);
}

uint64_t machine_tod(const struct machine *m)
{
	return host_tod() + (uint64_t)m->tod_offset;
}

void machine_set_tod(struct machine *m, uint64_t tod)
{
	m->tod_offset = (int64_t)(tod - host_tod());
	for (unsigned int i = 0; i < m->ncpus; i++)
		cpu_attention(m->cpus[i], ATTN_TIMER);
}

uint64_t cpu_tod(const struct cpu *cpu)
{
	return machine_tod(cpu->m) + cpu->tod_epoch;
}

uint64_t cpu_timer_get(const struct cpu *cpu)
{
	return cpu->timer_stopped ? cpu->timer_value : cpu->timer_base - machine_tod(cpu->m);
}

void cpu_timer_set(struct cpu *cpu, uint64_t v)
{
	cpu->timer_value = v;
	cpu->timer_base = v + machine_tod(cpu->m);
	cpu_clock_changed(cpu);
}

/* --- Deadlines --------------------------------------------------------------------------------- */

/* Machine TOD at which this CPU has to look at its clocks; NEVER when nothing is enabled. */
static uint64_t next_deadline(const struct cpu *cpu)
{
	uint64_t next = NEVER;

	if (cpu->cr[0] & CR0_CKC && cpu->ckc != NEVER)
		next = cpu->ckc - cpu->tod_epoch + 1;
	/* Due when the timer becomes negative: one unit after it reached zero. */
	if (cpu->cr[0] & CR0_CPU_TIMER && !cpu->timer_stopped && (int64_t)cpu_timer_get(cpu) >= 0 &&
	    cpu->timer_base + 1 < next)
		next = cpu->timer_base + 1;
	return next;
}

void cpu_clock_changed(struct cpu *cpu)
{
	struct machine *m = cpu->m;

	cpu->deadline = next_deadline(cpu);
	if (cpu->deadline <= machine_tod(m)) {
		atomic_fetch_or(&cpu->attention, ATTN_TIMER);
		return;
	}
	/* The thread sleeps at most until clock_next; only an earlier deadline needs to wake it. */
	if (cpu->deadline >= __atomic_load_n(&m->clock_next, __ATOMIC_RELAXED))
		return;
	pthread_mutex_lock(&m->clock_lock);
	if (cpu->deadline < m->clock_next) {
		__atomic_store_n(&m->clock_next, cpu->deadline, __ATOMIC_RELAXED);
		pthread_cond_signal(&m->clock_changed);
	}
	pthread_mutex_unlock(&m->clock_lock);
}

/* Wakes CPUs whose deadline has come; returns the earliest one that is still to come. */
static uint64_t ring(struct machine *m)
{
	uint64_t now = machine_tod(m), next = NEVER;

	for (unsigned int i = 0; i < m->ncpus; i++) {
		struct cpu *cpu = m->cpus[i];
		uint64_t deadline = __atomic_load_n(&cpu->deadline, __ATOMIC_RELAXED);

		if (deadline <= now)
			cpu_attention(cpu, ATTN_TIMER);
		else if (deadline < next)
			next = deadline;
	}
	return next;
}

static void sleep_until(struct machine *m, uint64_t tod)
{
	uint64_t now = machine_tod(m);
	uint64_t ns = tod > now ? (tod - now) * 1000u / 4096u : 0;
	struct timespec ts;

	if (tod == NEVER) {
		pthread_cond_wait(&m->clock_changed, &m->clock_lock);
		return;
	}
	if (ns > 1000000000u || tod - now > 1000000ull << 12)
		ns = 1000000000u; /* look again every second: the host's clock may be set */
	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_sec += (time_t)((ts.tv_nsec + (long)ns) / 1000000000);
	ts.tv_nsec = (ts.tv_nsec + (long)ns) % 1000000000;
	pthread_cond_timedwait(&m->clock_changed, &m->clock_lock, &ts);
}

static void *clock_thread(void *arg)
{
	struct machine *m = arg;

	pthread_mutex_lock(&m->clock_lock);
	while (!m->clock_stop) {
		uint64_t next = ring(m);

		/* A deadline that was set since then signals under the lock. */
		__atomic_store_n(&m->clock_next, next, __ATOMIC_RELAXED);
		sleep_until(m, next);
	}
	pthread_mutex_unlock(&m->clock_lock);
	return NULL;
}

int clock_start(struct machine *m, struct zpv_err *err)
{
	int rc;

	pthread_mutex_init(&m->clock_lock, NULL);
	pthread_cond_init(&m->clock_changed, NULL);
	m->clock_next = NEVER;
	rc = pthread_create(&m->clock_thread, NULL, clock_thread, m);
	if (rc)
		return err_set(err, ZPV_ERR_NOMEM, "cannot start a thread: %s", strerror(rc));
	m->clock_started = true;
	return 0;
}

void clock_end(struct machine *m)
{
	if (!m->clock_started)
		return;
	pthread_mutex_lock(&m->clock_lock);
	m->clock_stop = true;
	pthread_cond_signal(&m->clock_changed);
	pthread_mutex_unlock(&m->clock_lock);
	pthread_join(m->clock_thread, NULL);
	pthread_cond_destroy(&m->clock_changed);
	pthread_mutex_destroy(&m->clock_lock);
}
