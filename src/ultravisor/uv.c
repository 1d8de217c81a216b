// SPDX-License-Identifier: MIT
/*
 * The Ultravisor as a whole: installation, its lock, what it knows by handle, and the operands that
 * calls reach by home-space virtual addresses.
 */
#include "uv.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "err.h"
#include "machine_priv.h"
#include "p521.h"
#include "secret.h"
#include "sha.h"
#include "uv_priv.h"

#define HANDLE_DISTANCE 8
#define ASCE_REAL_SPACE 0x20u

/* --- The lock ---------------------------------------------------------------------------------- */

void uv_lock(struct uv *uv, struct cpu *self)
{
	while (pthread_mutex_trylock(&uv->lock)) {
		if (self)
			revoke_answer(self);
		sched_yield();
	}
}

void uv_unlock(struct uv *uv)
{
	pthread_mutex_unlock(&uv->lock);
}

/* --- Configurations and CPUs ------------------------------------------------------------------- */

struct uv_config *uv_find_config(const struct uv *uv, uint64_t handle)
{
	struct uv_config *c = uv->configs;

	while (c && c->handle != handle)
		c = c->next;
	return c;
}

struct uv_config *uv_config_by_owner(const struct uv *uv, uint32_t owner)
{
	struct uv_config *c = uv->configs;

	while (c && c->owner != owner)
		c = c->next;
	return c;
}

struct uv_cpu *uv_find_cpu(const struct uv *uv, uint64_t handle)
{
	for (struct uv_config *c = uv->configs; c; c = c->next)
		for (struct uv_cpu *cpu = c->cpus; cpu; cpu = cpu->next)
			if (cpu->handle == handle)
				return cpu;
	return NULL;
}

/* Could one be taken for the other, a bit of it changed, or the one behind it? */
static bool close_to(uint64_t a, uint64_t b)
{
	return __builtin_popcountll(a ^ b) < HANDLE_DISTANCE ||
	       __builtin_popcountll((a + 1) ^ b) < HANDLE_DISTANCE ||
	       __builtin_popcountll(a ^ (b + 1)) < HANDLE_DISTANCE;
}

static bool handle_usable(const struct uv *uv, uint64_t handle)
{
	if (!handle)
		return false;
	for (const struct uv_config *c = uv->configs; c; c = c->next) {
		if (close_to(handle, c->handle))
			return false;
		for (const struct uv_cpu *cpu = c->cpus; cpu; cpu = cpu->next)
			if (close_to(handle, cpu->handle))
				return false;
	}
	return true;
}

uint64_t uv_new_handle(const struct uv *uv)
{
	uint64_t handle;

	do {
		if (RAND_bytes((uint8_t *)&handle, sizeof(handle)) != 1)
			return 0;
	} while (!handle_usable(uv, handle));
	return handle;
}

bool uv_all_stopped(const struct uv_config *c)
{
	for (const struct uv_cpu *cpu = c->cpus; cpu; cpu = cpu->next)
		if (cpu->running || cpu->state != UV_CPU_STOPPED)
			return false;
	return true;
}

bool uv_any_running(const struct uv_config *c)
{
	for (const struct uv_cpu *cpu = c->cpus; cpu; cpu = cpu->next)
		if (cpu->running)
			return true;
	return false;
}

void uv_config_free(struct uv_config *c)
{
	uv_unpack_free(c);
	uv_pages_free(c);
	secret_free(c->cck);
	free(c->virt);
	free(c);
}

/* --- Reset and end ----------------------------------------------------------------------------- */

/* Frames whose owner went away before them. */
static void free_orphans(struct uv *uv, struct cpu *self)
{
	for (uint64_t f = 0; uv->orphans && f < uv->m->nframes; f++)
		if (frame_info(uv->m, f).state == FRAME_ORPHAN)
			uv_give_back(uv, self, f * FRAME_BYTES, FRAME_BYTES);
	uv->orphans = false;
}

void uv_reset_all(struct uv *uv, struct cpu *self)
{
	while (uv->configs) {
		struct uv_config *c = uv->configs;

		while (c->cpus)
			uv_cpu_destroy(c->cpus, self);
		uv_config_destroy(c, self);
	}
	free_orphans(uv, self);
	if (uv->ready)
		uv_give_back(uv, self, uv->base_stor, UV_BASE_STOR_BYTES);
	uv->ready = false;
}

static void reset(void *arg)
{
	struct uv *uv = arg;

	uv_lock(uv, NULL);
	uv_reset_all(uv, NULL);
	uv_unlock(uv);
}

static void uv_free(struct uv *uv)
{
	if (!uv)
		return;
	uv_reset_all(uv, NULL);
	p521_free(uv->key);
	p521_free(uv->backup_key);
	pthread_mutex_destroy(&uv->lock);
	free(uv);
}
DEFINE_AUTO(uv)

static void end(void *uv)
{
	uv_free(uv);
}

/* --- Installation ------------------------------------------------------------------------------ */

/* A private key of the identity, which must be the one that its document is about. */
static int read_key(const char *path, const uint8_t want[ZPV_PHKH_BYTES], struct p521 **out,
		    struct zpv_err *err)
{
	AUTO(p521) struct p521 *key = NULL;
	uint8_t point[P521_POINT_BYTES], hash[SHA256_BYTES];
	int rc = p521_read_private(path, &key, err);

	if (!rc)
		rc = p521_point(key, point, err);
	if (!rc)
		rc = sha256(point, sizeof(point), hash, err);
	if (rc)
		return rc;
	if (memcmp(hash, want, sizeof(hash)) != 0)
		return err_set(err, ZPV_ERR_KEY, "'%s' is not the key of its host-key document",
			       path);
	*out = STEAL(key);
	return 0;
}

int uv_install(struct machine *m, const struct zpv_host *host, struct zpv_err *err)
{
	static const struct secure_ops ops = { .uvc = uv_uvc,
					       .enter = uv_enter,
					       .begin = uv_begin,
					       .insn = uv_insn,
					       .leave = uv_leave,
					       .reset = reset,
					       .free = end };
	AUTO(uv) struct uv *uv = calloc(1, sizeof(*uv));
	int rc;

	if (!uv)
		return err_set(err, ZPV_ERR_NOMEM, "no memory for the Ultravisor");
	pthread_mutex_init(&uv->lock, NULL);
	uv->m = m;
	uv->profile = uv_profile(zpv_host_profile(host));
	memcpy(uv->hash, zpv_host_hash(host), sizeof(uv->hash));
	memcpy(uv->backup_hash, zpv_host_backup_hash(host), sizeof(uv->backup_hash));
	rc = read_key(zpv_host_path(host, ZPV_HOST_KEY), uv->hash, &uv->key, err);
	if (!rc)
		rc = read_key(zpv_host_path(host, ZPV_HOST_BACKUP_KEY), uv->backup_hash,
			      &uv->backup_key, err);
	if (rc)
		return rc;
	machine_set_secure(m, &ops, STEAL(uv));
	return 0;
}

/* --- Home-space virtual operands --------------------------------------------------------------- */

/* What of len bytes lies in the page of va. */
static uint32_t in_page(uint64_t va, uint64_t len)
{
	uint64_t room = PAGE_BYTES - va % PAGE_BYTES;

	return (uint32_t)(len < room ? len : room);
}

struct pic uv_probe_virtual(struct cpu *cpu, uint64_t va, uint64_t len, enum access access)
{
	struct pic pic = { 0 };
	struct span span;

	while (len && !pic.code) {
		uint32_t n = in_page(va, len);

		pic = mem_span_as(cpu, va, n, access, AS_HOME, 0, &span);
		va += n;
		len -= n;
	}
	return pic;
}

struct pic uv_read_virtual(struct cpu *cpu, uint64_t va, void *data, uint64_t len)
{
	struct pic pic = uv_probe_virtual(cpu, va, len, ACCESS_READ);
	struct span span;
	uint8_t *to = data;

	while (len && !pic.code) {
		uint32_t n = in_page(va, len);

		pic = mem_span_as(cpu, va, n, ACCESS_READ, AS_HOME, 0, &span);
		if (!pic.code)
			memcpy(to, span.p[0], n);
		to += n;
		va += n;
		len -= n;
	}
	return pic;
}

struct pic uv_write_virtual(struct cpu *cpu, uint64_t va, const void *data, uint64_t len)
{
	struct pic pic = uv_probe_virtual(cpu, va, len, ACCESS_WRITE);
	const uint8_t *from = data;
	struct span span;

	while (len && !pic.code) {
		uint32_t n = in_page(va, len);

		pic = mem_span_as(cpu, va, n, ACCESS_WRITE, AS_HOME, 0, &span);
		if (!pic.code) {
			memcpy(span.p[0], from, n);
			mem_span_written(cpu, &span);
		}
		from += n;
		va += n;
		len -= n;
	}
	return pic;
}

bool uv_home_is_real(const struct cpu *cpu)
{
	return cpu->psw_mask & PSW_DAT && dat_asce(cpu, AS_HOME) & ASCE_REAL_SPACE;
}

/* Prefixing (PoP chapter 3, "Prefixing"). */
static uint64_t absolute_of(const struct cpu *cpu, uint64_t raddr)
{
	uint64_t area = raddr & ~0x1fffull;

	if (area == 0)
		return raddr + cpu->prefix;
	return area == cpu->prefix ? raddr - cpu->prefix : raddr;
}

struct pic uv_virtual_frame(struct cpu *cpu, uint64_t va, uint64_t *frame)
{
	struct dat_result dat = { .raddr = va };
	struct pic pic = { 0 };
	uint64_t addr;

	if (cpu->psw_mask & PSW_DAT)
		pic = dat_translate(cpu, va, dat_asce(cpu, AS_HOME), &dat);
	if (pic.code)
		return pic;
	addr = absolute_of(cpu, dat.raddr);
	if (addr >= machine_storage_bytes(cpu->m))
		return (struct pic){ .code = PGM_ADDRESSING, .level = cpu->level };
	*frame = addr / FRAME_BYTES;
	return pic;
}
