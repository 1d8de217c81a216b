// SPDX-License-Identifier: MIT
/*
 * Making a machine, and host access to its absolute storage.
 */
#define _GNU_SOURCE
#include "machine_priv.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "err.h"
#include "mem.h"
#include "sie.h"

#define MIB		   (1u << 20)
#define DEFAULT_CODE_BYTES (192u * MIB)
#define MAX_CPUS	   240u

static uint8_t *map_store(const char *name, uint64_t bytes, bool dump)
{
	int fd = memfd_create(name, MFD_CLOEXEC);
	void *p = MAP_FAILED;

	if (fd < 0)
		return NULL;
	if (ftruncate(fd, (off_t)bytes) == 0)
		p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	close(fd);
	if (p == MAP_FAILED)
		return NULL;
	if (!dump)
		madvise(p, bytes, MADV_DONTDUMP);
	return p;
}

/* Left out of core dumps: decoded instructions and registers are guests' secrets. */
static void *map_private(uint64_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	madvise(p, bytes, MADV_DONTDUMP);
	return p;
}

static bool map_all(struct machine *m, size_t code_bytes)
{
	m->ncode = (uint32_t)(code_bytes / sizeof(struct code_page));
	m->host = map_store("zpv-host-store", m->bytes, true);
	m->secure = map_store("zpv-secure-store", m->bytes, false);
	m->frames = map_private(m->nframes * sizeof(*m->frames));
	m->code = map_private((uint64_t)m->ncode * sizeof(*m->code));
	return m->host && m->secure && m->frames && m->code && m->ncode;
}

static void unmap(void *p, uint64_t bytes)
{
	if (p)
		munmap(p, bytes);
}

static bool make_cpus(struct machine *m)
{
	m->cpus = calloc(m->ncpus, sizeof(*m->cpus));
	m->pending = calloc(m->ncpus, sizeof(*m->pending));
	for (unsigned int i = 0; m->cpus && m->pending && i < m->ncpus; i++) {
		struct cpu *cpu = map_private(sizeof(*cpu));

		if (!cpu)
			return false;
		m->cpus[i] = cpu;
		if (!sie_new(cpu))
			return false;
		cpu->m = m;
		cpu->addr = i;
		cpu->level = PIC_HOST;
		cpu_clear_reset(cpu);
	}
	return m->cpus && m->pending;
}

int machine_new(const struct machine_config *config, struct machine **out, struct zpv_err *err)
{
	AUTO(machine) struct machine *m = calloc(1, sizeof(*m));
	size_t code_bytes = config->code_cache_bytes ? config->code_cache_bytes :
						       DEFAULT_CODE_BYTES;
	int rc;

	if (!m)
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	if (config->storage_bytes < MIB || config->storage_bytes % MIB)
		return err_set(err, ZPV_ERR_USAGE, "storage of %llu bytes, not a multiple of 1 MiB",
			       (unsigned long long)config->storage_bytes);
	if (config->cpus < 1 || config->cpus > MAX_CPUS)
		return err_set(err, ZPV_ERR_USAGE, "%u CPUs, not 1 to %u", config->cpus, MAX_CPUS);
	pthread_mutex_init(&m->code_lock, NULL);
	pthread_mutex_init(&m->wait_lock, NULL);
	pthread_cond_init(&m->wait_changed, NULL);
	m->bytes = config->storage_bytes;
	m->nframes = m->bytes / FRAME_BYTES;
	m->ncpus = config->cpus;
	memcpy(m->facilities_off, config->facilities_off, sizeof(m->facilities_off));
	atomic_store(&m->generation, 1);
	if (!map_all(m, code_bytes) || !make_cpus(m))
		return err_errno(err, ZPV_ERR_NOMEM, "no memory for a machine of %llu MiB",
				 (unsigned long long)(m->bytes / MIB));
	rc = clock_start(m, err);
	if (rc)
		return rc;
	*out = STEAL(m);
	return 0;
}

static void free_cpu(struct cpu *cpu)
{
	if (cpu)
		sie_free(cpu);
	unmap(cpu, sizeof(*cpu));
}

void machine_free(struct machine *m)
{
	if (!m)
		return;
	clock_end(m);
	if (m->secure_ops)
		m->secure_ops->free(m->uv);
	for (unsigned int i = 0; m->cpus && i < m->ncpus; i++)
		free_cpu(m->cpus[i]);
	free(m->cpus);
	free(m->pending);
	unmap(m->code, (uint64_t)m->ncode * sizeof(*m->code));
	unmap(m->frames, m->nframes * sizeof(*m->frames));
	unmap(m->secure, m->bytes);
	unmap(m->host, m->bytes);
	pthread_cond_destroy(&m->wait_changed);
	pthread_mutex_destroy(&m->wait_lock);
	pthread_mutex_destroy(&m->code_lock);
	free(m);
}

uint64_t machine_storage_bytes(const struct machine *m)
{
	return m->bytes;
}

unsigned int machine_cpus(const struct machine *m)
{
	return m->ncpus;
}

struct cpu *machine_cpu(struct machine *m, unsigned int addr)
{
	return addr < m->ncpus ? m->cpus[addr] : NULL;
}

struct intr_pending *machine_pending(const struct machine *m, unsigned int addr)
{
	return &m->pending[addr];
}

void machine_wait(struct cpu *cpu)
{
	struct machine *m = cpu->m;

	revoke_exit(cpu);
	pthread_mutex_lock(&m->wait_lock);
	atomic_fetch_add(&m->waiters, 1);
	while (!atomic_load(&cpu->attention))
		pthread_cond_wait(&m->wait_changed, &m->wait_lock);
	atomic_fetch_sub(&m->waiters, 1);
	pthread_mutex_unlock(&m->wait_lock);
	revoke_enter(cpu);
}

/* The attention bits were set before; a CPU that counts itself afterwards sees them. */
void machine_wake(struct machine *m)
{
	if (!atomic_load(&m->waiters))
		return;
	pthread_mutex_lock(&m->wait_lock);
	pthread_cond_broadcast(&m->wait_changed);
	pthread_mutex_unlock(&m->wait_lock);
}

void machine_set_secure(struct machine *m, const struct secure_ops *ops, void *uv)
{
	m->secure_ops = ops;
	m->uv = uv;
}

void machine_purge(struct machine *m)
{
	revoke_all(m, NULL);
}

/* --- Absolute storage -------------------------------------------------------------------------- */

static struct pic host_pic(enum pgm_code code)
{
	return (struct pic){ .code = code, .level = PIC_HOST };
}

/* All frames of a range must be the host's. */
static struct pic check_range(const struct machine *m, haddr_t at, uint64_t len)
{
	struct pic pic = host_pic(PGM_SECURE_ACCESS);

	if (at.v > m->bytes || len > m->bytes - at.v)
		return host_pic(PGM_ADDRESSING);
	for (uint64_t f = at.v / FRAME_BYTES; len && f <= (at.v + len - 1) / FRAME_BYTES; f++) {
		if (frame_visible(atomic_load(&m->frames[f].state)))
			continue;
		pic.teid = f * FRAME_BYTES | TEID_ADDRESS_VALID;
		return pic;
	}
	return host_pic(PGM_NONE);
}

/*
 * An access begins: checks the range and keeps its frames' states until access_end(). With a code
 * there is nothing to end.
 */
static struct pic access_begin(struct machine *m, haddr_t at, uint64_t len)
{
	struct pic pic;

	atomic_fetch_add(&m->accessors, 1);
	pic = check_range(m, at, len);
	if (pic.code)
		atomic_fetch_sub(&m->accessors, 1);
	return pic;
}

static void access_end(struct machine *m)
{
	atomic_fetch_sub(&m->accessors, 1);
}

static void written(struct machine *m, haddr_t at, uint64_t len)
{
	for (uint64_t done = 0; done < len;) {
		uint32_t off = (uint32_t)((at.v + done) % FRAME_BYTES);
		uint32_t n = FRAME_BYTES - off < len - done ? FRAME_BYTES - off :
							      (uint32_t)(len - done);

		code_written(m, (at.v + done) / FRAME_BYTES, off, n);
		if (atomic_load(&m->frames[(at.v + done) / FRAME_BYTES].watched))
			watch_hit(m);
		done += n;
	}
}

struct pic storage_set_key(struct machine *m, haddr_t at, uint64_t len, uint8_t key)
{
	struct pic pic = access_begin(m, at, len);

	if (pic.code)
		return pic;
	for (uint64_t f = at.v / FRAME_BYTES; len && f <= (at.v + len - 1) / FRAME_BYTES; f++)
		atomic_store(&m->frames[f].key, key);
	access_end(m);
	revoke_all(m, NULL);
	return pic;
}

struct pic storage_read(struct machine *m, haddr_t at, void *data, size_t len)
{
	struct pic pic = access_begin(m, at, len);

	if (pic.code)
		return pic;
	memcpy(data, m->host + at.v, len);
	access_end(m);
	return pic;
}

struct pic storage_write(struct machine *m, haddr_t at, const void *data, size_t len)
{
	struct pic pic = access_begin(m, at, len);

	if (pic.code)
		return pic;
	memcpy(m->host + at.v, data, len);
	written(m, at, len);
	access_end(m);
	return pic;
}

struct pic storage_clear(struct machine *m, haddr_t at, uint64_t len)
{
	struct pic pic = access_begin(m, at, len);

	if (pic.code)
		return pic;
	memset(m->host + at.v, 0, len);
	written(m, at, len);
	access_end(m);
	return pic;
}

struct pic storage_update32(struct machine *m, haddr_t at, uint32_t mask, uint32_t bits,
			    uint32_t *old)
{
	struct pic pic;
	uint32_t *p = (uint32_t *)(void *)(m->host + at.v);
	uint32_t raw, want;

	if (at.v % 4)
		return host_pic(PGM_SPECIFICATION);
	pic = access_begin(m, at, 4);
	if (pic.code)
		return pic;
	raw = __atomic_load_n(p, __ATOMIC_SEQ_CST);
	do {
		want = swap32((swap32(raw) & mask) | bits);
	} while (!__atomic_compare_exchange_n(p, &raw, want, false, __ATOMIC_SEQ_CST,
					      __ATOMIC_SEQ_CST));
	written(m, at, 4);
	access_end(m);
	*old = swap32(raw);
	return pic;
}
