// SPDX-License-Identifier: MIT
/*
 * See machine_input.h.
 */
#define _GNU_SOURCE
#include "machine_input.h"

#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "machine_priv.h"

#define GUARD_BYTES   (1u << 20)
#define RETURN_MS     8000 /* for sanitizers on a machine with much else to do */
#define PATTERN_BYTES 8u

/* --- Inputs ----------------------------------------------------------------------------------- */

void fuzz_take(struct fuzz_bytes *in, void *to, size_t len)
{
	size_t n = len < in->len ? len : in->len;

	memset(to, 0, len);
	if (n)
		memcpy(to, in->p, n);
	in->p += n;
	in->len -= n;
}

uint8_t fuzz_take8(struct fuzz_bytes *in)
{
	uint8_t v;

	fuzz_take(in, &v, 1);
	return v;
}

uint16_t fuzz_take16(struct fuzz_bytes *in)
{
	be16 v;

	fuzz_take(in, &v, sizeof(v));
	return be16_get(v);
}

uint64_t fuzz_take64(struct fuzz_bytes *in)
{
	be64 v;

	fuzz_take(in, &v, sizeof(v));
	return be64_get(v);
}

static uint32_t take32(struct fuzz_bytes *in)
{
	be32 v;

	fuzz_take(in, &v, sizeof(v));
	return be32_get(v);
}

void fuzz_store_records(struct machine *m, struct fuzz_bytes *in)
{
	while (in->len > 6) {
		haddr_t at = { take32(in) };
		size_t len = fuzz_take16(in);
		struct pic pic;

		if (len > in->len)
			len = in->len;
		pic = storage_write(m, at, in->p, len);
		FUZZ_CHECK(pic.code == 0 || pic.code == PGM_ADDRESSING);
		in->p += len;
		in->len -= len;
	}
}

void fuzz_store_pattern(struct machine *m, struct fuzz_bytes *in)
{
	haddr_t at = { take32(in) & ~7u };
	unsigned int n = fuzz_take16(in);
	uint8_t pattern[PATTERN_BYTES];

	fuzz_take(in, pattern, sizeof(pattern));
	for (; n && !storage_write(m, at, pattern, sizeof(pattern)).code; n--)
		at.v += sizeof(pattern);
}

/* --- Machines --------------------------------------------------------------------------------- */

/* Moves a mapping between pages that nobody may touch. */
static void *guarded(void *p, uint64_t bytes)
{
	uint8_t *room = mmap(NULL, bytes + 2 * GUARD_BYTES, PROT_NONE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	void *moved;

	FUZZ_CHECK(room != MAP_FAILED);
	moved = mremap(p, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, room + GUARD_BYTES);
	FUZZ_CHECK(moved == room + GUARD_BYTES);
	return moved;
}

static void unguard(void *p, uint64_t bytes)
{
	munmap((uint8_t *)p - GUARD_BYTES, GUARD_BYTES);
	munmap((uint8_t *)p + bytes, GUARD_BYTES);
}

static uint64_t code_bytes(const struct machine *m)
{
	return (uint64_t)m->ncode * sizeof(*m->code);
}

static uint64_t frames_bytes(const struct machine *m)
{
	uint64_t bytes = m->nframes * sizeof(*m->frames);

	return (bytes + FRAME_BYTES - 1) / FRAME_BYTES * FRAME_BYTES;
}

struct machine *fuzz_machine_new(uint64_t bytes, unsigned int cpus)
{
	const struct machine_config config = { .storage_bytes = bytes,
					       .cpus = cpus,
					       .code_cache_bytes =
						       FUZZ_CODE_PAGES * sizeof(struct code_page) };
	struct machine *m;

	FUZZ_CHECK(machine_new(&config, &m, NULL) == 0);
	m->host = guarded(m->host, m->bytes);
	m->secure = guarded(m->secure, m->bytes);
	m->frames = guarded(m->frames, frames_bytes(m));
	m->code = guarded(m->code, code_bytes(m));
	FUZZ_CHECK(mprotect(m->secure, m->bytes, PROT_NONE) == 0);
	return m;
}

void fuzz_machine_free(struct machine *m)
{
	unguard(m->host, m->bytes);
	unguard(m->secure, m->bytes);
	unguard(m->frames, frames_bytes(m));
	unguard(m->code, code_bytes(m));
	machine_free(m);
}

/* --- Kicks ------------------------------------------------------------------------------------ */

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool started, armed;
	unsigned int round, ms;
	void (*kick)(void *arg);
	void *arg;
} watch = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

/* True when the round has ended within ms; the lock is held. */
static bool ends_within(unsigned int round, unsigned int ms)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_nsec += (long)(ms % 1000) * 1000000;
	ts.tv_sec += ms / 1000 + ts.tv_nsec / 1000000000;
	ts.tv_nsec %= 1000000000;
	while (watch.armed && watch.round == round)
		if (pthread_cond_timedwait(&watch.changed, &watch.lock, &ts) != 0)
			return !watch.armed || watch.round != round;
	return true;
}

static void *watch_rounds(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&watch.lock);
	for (;;) {
		unsigned int round = watch.round;

		while (!watch.armed) {
			pthread_cond_wait(&watch.changed, &watch.lock);
			round = watch.round;
		}
		if (ends_within(round, watch.ms))
			continue;
		watch.kick(watch.arg);
		FUZZ_CHECK(ends_within(round, RETURN_MS));
	}
	return NULL;
}

void fuzz_kick_after(unsigned int ms, void (*kick)(void *arg), void *arg)
{
	pthread_t thread;

	pthread_mutex_lock(&watch.lock);
	if (!watch.started) {
		FUZZ_CHECK(pthread_create(&thread, NULL, watch_rounds, NULL) == 0);
		pthread_detach(thread);
		watch.started = true;
	}
	watch.kick = kick;
	watch.arg = arg;
	watch.ms = ms;
	watch.armed = true;
	watch.round++;
	pthread_cond_signal(&watch.changed);
	pthread_mutex_unlock(&watch.lock);
}

void fuzz_kick_begin(void (*kick)(void *arg), void *arg)
{
	fuzz_kick_after(FUZZ_KICK_MS, kick, arg);
}

void fuzz_kick_end(void)
{
	pthread_mutex_lock(&watch.lock);
	watch.armed = false;
	pthread_cond_signal(&watch.changed);
	pthread_mutex_unlock(&watch.lock);
}
