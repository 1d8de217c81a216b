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
#include "sie.h"

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

/* now + delta, when that is before *next. */
static void earlier(uint64_t *next, uint64_t now, uint64_t delta)
{
	if (delta < *next - now)
		*next = now + delta;
}

/*
 * Machine TOD at which this CPU has to look at its clocks; NEVER when none is enabled and will be
 * due. *due: one is already; that asks for a look now, and again when masks open.
 */
static uint64_t next_deadline(const struct cpu *cpu, uint64_t now, bool *due)
{
	uint64_t next = cpu->level == PIC_GUEST ? sie_host_deadline(cpu) : NEVER;
	uint64_t sign = cpu->cr[0] & CR0_CKC_SIGN ? 1ull << 63 : 0;
	uint64_t ckc = cpu->ckc ^ sign, tod = (now + cpu->tod_epoch) ^ sign;
	uint64_t left = cpu->timer_stopped ? cpu->timer_value : cpu->timer_base - now;

	if (next <= now)
		next = NEVER;
	/* Due when the TOD exceeds the comparator; when the timer is negative. */
	if (cpu->cr[0] & CR0_CKC && tod > ckc)
		*due = true;
	else if (cpu->cr[0] & CR0_CKC && ckc - tod < NEVER)
		earlier(&next, now, ckc - tod + 1);
	if (cpu->cr[0] & CR0_CPU_TIMER && (int64_t)left < 0)
		*due = true;
	else if (cpu->cr[0] & CR0_CPU_TIMER && !cpu->timer_stopped)
		earlier(&next, now, left + 1);
	return next;
}

void cpu_clock_changed(struct cpu *cpu)
{
	struct machine *m = cpu->m;
	uint64_t deadline;
	bool due = false;

	deadline = next_deadline(cpu, machine_tod(m), &due);
	__atomic_store_n(&cpu->deadline, deadline, __ATOMIC_SEQ_CST);
	if (due)
		atomic_fetch_or(&cpu->attention, ATTN_TIMER);
	/* The thread sleeps at most until clock_next; only an earlier deadline needs to wake it. */
	if (deadline >= __atomic_load_n(&m->clock_next, __ATOMIC_SEQ_CST))
		return;
	pthread_mutex_lock(&m->clock_lock);
	if (deadline < m->clock_next) {
		__atomic_store_n(&m->clock_next, deadline, __ATOMIC_RELAXED);
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
		uint64_t deadline = __atomic_load_n(&cpu->deadline, __ATOMIC_SEQ_CST);

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
		uint64_t next;

		/*
		 * From here on a new deadline signals, and waits for the lock to do so; one that was set
		 * before is seen.
		 */
		__atomic_store_n(&m->clock_next, NEVER, __ATOMIC_SEQ_CST);
		next = ring(m);
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
