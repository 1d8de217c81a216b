// SPDX-License-Identifier: MIT
/*
 * Configurations: CREATE and DESTROY SECURE CONFIGURATION, PREPARE RESET, SET UNSHARE ALL
 * (ultravisor.md sections 4.4, 4.5, 4.16, 4.17).
 */
#include <stdlib.h>

#include "machine_priv.h"
#include "uv_priv.h"

#define ASCE_ORIGIN	 0xfffffffffffff000ull
#define ASCE_PRIVATE	 0x100u
#define ASCE_REAL	 0x20u
#define ASCE_PAGES(asce) (((asce)&3) + 1) /* of the top table, by its length field */

enum {
	RC_CREATE_ORIGIN = 0x0101,
	RC_CREATE_END = 0x0102,
	RC_CREATE_SIZE = 0x0103,
	RC_CREATE_ASCE_USED = 0x0104,
	RC_CREATE_ASCE = 0x0105,
	RC_CREATE_ASCE_TABLE = 0x0106,
	RC_CREATE_BASE_ALIGN = 0x0107,
	RC_CREATE_BASE = 0x0108,
	RC_CREATE_BASE_LOWCORE = 0x0109,
	RC_CREATE_VIRT = 0x010a,
	RC_CREATE_VIRT_ACCESS = 0x010b,
	RC_CREATE_SCA_ZERO = 0x010c,
	RC_CREATE_SCA = 0x010d,
	RC_CREATE_NOT_FREE = 0x010e,
	RC_CREATE_TOO_MANY = 0x010f, /* or as many as there is memory for */
	RC_CREATE_FLAGS = 0x0110,

	RC_DESTROY_CPUS = 0x0101,

	RC_RESET_STATE = 0x0101, /* PREPARE RESET and UNSHARE ALL: never verified */
	RC_RESET_NOT_STOPPED = 0x0102,
	RC_RESET_NOT_UNSHARED = 0x0103,
};

/* --- CREATE ------------------------------------------------------------------------------------ */

static uint16_t check_extent(const struct uvcb_create_config *b)
{
	uint64_t origin = be64_get(b->guest_origin), len = be64_get(b->guest_len);

	if (origin > UV_MAX_GUEST_ADDR)
		return RC_CREATE_ORIGIN;
	if (len > UV_MAX_GUEST_ADDR - origin)
		return RC_CREATE_END;
	if (origin % UV_MIB || len % UV_MIB || !len)
		return RC_CREATE_SIZE;
	return UV_RC_EXECUTED;
}

static uint16_t check_asce(const struct uv *uv, uint64_t asce)
{
	for (const struct uv_config *c = uv->configs; c; c = c->next)
		if (c->asce == asce)
			return RC_CREATE_ASCE_USED;
	if (!(asce & ASCE_PRIVATE) || asce & ASCE_REAL)
		return RC_CREATE_ASCE;
	if (!uv_accessible(uv, asce & ASCE_ORIGIN, ASCE_PAGES(asce) * FRAME_BYTES))
		return RC_CREATE_ASCE_TABLE;
	return UV_RC_EXECUTED;
}

static uint16_t check_base(const struct uv *uv, uint64_t origin)
{
	if (!uv_in_storage(uv, origin, UV_CONFIG_BASE_BYTES))
		return RC_CREATE_BASE;
	if (uv_has_lowcore(uv, origin, UV_CONFIG_BASE_BYTES))
		return RC_CREATE_BASE_LOWCORE;
	return origin % UV_CONFIG_BASE_BYTES ? RC_CREATE_BASE_ALIGN : UV_RC_EXECUTED;
}

static uint64_t virt_frames(const struct uvcb_create_config *b)
{
	return (UV_CONFIG_VIRT_BYTES + be64_get(b->guest_len) / UV_MIB * UV_CONFIG_PER_MIB_BYTES) /
	       FRAME_BYTES;
}

static uint16_t check_virt(const struct uv_op *op, const struct uvcb_create_config *b)
{
	uint64_t origin = be64_get(b->virt_stor_origin);

	if (origin >= UV_MAX_GUEST_ADDR || origin % FRAME_BYTES)
		return RC_CREATE_VIRT;
	if (uv_home_is_real(op->cpu))
		return UV_RC_REAL_SPACE;
	/* More pages than there are frames cannot all be backed by one of their own. */
	return virt_frames(b) > op->uv->m->nframes ? RC_CREATE_VIRT_ACCESS : UV_RC_EXECUTED;
}

static uint16_t find_virt(struct uv_op *op, const struct uvcb_create_config *b, uint64_t *frames)
{
	uint64_t origin = be64_get(b->virt_stor_origin), n = virt_frames(b);

	for (uint64_t i = 0; i < n; i++) {
		struct pic pic = uv_virtual_frame(op->cpu, origin + i * FRAME_BYTES, &frames[i]);

		if (pic.code)
			return RC_CREATE_VIRT_ACCESS;
	}
	return UV_RC_EXECUTED;
}

static uint16_t check_sca(const struct uv *uv, uint64_t sca)
{
	if (!sca)
		return RC_CREATE_SCA_ZERO;
	/* One page: what comes behind it is needed for CPUs with high numbers only. */
	return uv_accessible(uv, sca, FRAME_BYTES) ? UV_RC_EXECUTED : RC_CREATE_SCA;
}

/* May this frame be donated; seen has a bit for each frame that is to be donated already. */
static bool frame_free(const struct uv_op *op, uint64_t frame, uint8_t *seen)
{
	uint64_t addr = frame * FRAME_BYTES;
	uint8_t bit = (uint8_t)(1u << frame % 8);

	if (seen[frame / 8] & bit)
		return false;
	seen[frame / 8] |= bit;
	return uv_all_host(op->uv, addr, FRAME_BYTES) && !uv_holds_block(op, addr, FRAME_BYTES) &&
	       !uv_has_lowcore(op->uv, addr, FRAME_BYTES);
}

/* Base and variable storage: plain frames of the host, none of them twice. */
static uint16_t check_free(const struct uv_op *op, const struct uvcb_create_config *b,
			   const uint64_t *frames)
{
	uint64_t base = be64_get(b->base_stor_origin) / FRAME_BYTES, n = virt_frames(b);
	uint8_t *seen = calloc(op->uv->m->nframes / 8 + 1, 1);
	bool ok = true;

	if (!seen)
		return RC_CREATE_TOO_MANY;
	for (uint64_t i = 0; ok && i < UV_CONFIG_BASE_BYTES / FRAME_BYTES; i++)
		ok = frame_free(op, base + i, seen);
	for (uint64_t i = 0; ok && i < n; i++)
		ok = frame_free(op, frames[i], seen);
	free(seen);
	return ok ? UV_RC_EXECUTED : RC_CREATE_NOT_FREE;
}

/* What can be said before a list of frames is made. */
static uint16_t check_operands(const struct uv_op *op, const struct uvcb_create_config *b)
{
	uint16_t rc = check_extent(b);

	if (rc == UV_RC_EXECUTED)
		rc = check_asce(op->uv, be64_get(b->guest_asce));
	if (rc == UV_RC_EXECUTED)
		rc = check_base(op->uv, be64_get(b->base_stor_origin));
	if (rc == UV_RC_EXECUTED)
		rc = check_virt(op, b);
	return rc;
}

static uint16_t check_rest(struct uv_op *op, const struct uvcb_create_config *b, uint64_t *frames)
{
	const struct uv *uv = op->uv;
	uint16_t rc = find_virt(op, b, frames);

	if (rc == UV_RC_EXECUTED)
		rc = check_sca(uv, be64_get(b->guest_sca));
	if (rc == UV_RC_EXECUTED)
		rc = check_free(op, b, frames);
	if (rc != UV_RC_EXECUTED)
		return rc;
	if (uv->nconfigs == UV_MAX_CONFIGS || uv->last_owner == UINT32_MAX)
		return RC_CREATE_TOO_MANY;
	/* No AP: the features that the flags ask for are not indicated. */
	return be16_get(b->flags) ? RC_CREATE_FLAGS : UV_RC_EXECUTED;
}

/* Runs of frames that lie one behind the other are donated, or given back, at once. */
static void each_run(struct uv_config *c, struct cpu *self,
		     void (*fn)(struct uv *uv, struct cpu *self, uint64_t addr, uint64_t len))
{
	for (uint64_t i = 0, n; i < c->nvirt; i += n) {
		for (n = 1; i + n < c->nvirt && c->virt[i + n] == c->virt[i] + n;)
			n++;
		fn(c->uv, self, c->virt[i] * FRAME_BYTES, n * FRAME_BYTES);
	}
}

/* Takes the list of frames over when it succeeds. NULL: no memory or no random bytes. */
static struct uv_config *new_config(struct uv *uv, const struct uvcb_create_config *b,
				    uint64_t *frames)
{
	struct uv_config *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->uv = uv;
	c->handle = uv_new_handle(uv);
	c->origin = be64_get(b->guest_origin);
	c->len = be64_get(b->guest_len);
	c->asce = be64_get(b->guest_asce);
	c->sca = be64_get(b->guest_sca);
	c->base_stor = be64_get(b->base_stor_origin);
	if (!c->handle || !uv_pages_new(c)) {
		uv_config_free(c);
		return NULL;
	}
	c->virt = frames;
	c->nvirt = virt_frames(b);
	return c;
}

static void add_config(struct uv *uv, struct uv_config *c, struct cpu *self)
{
	uv_donate(uv, self, c->base_stor, UV_CONFIG_BASE_BYTES);
	each_run(c, self, uv_donate);
	c->owner = ++uv->last_owner;
	c->next = uv->configs;
	uv->configs = c;
	uv->nconfigs++;
}

/* Everything is validated before anything is donated, so UV_RC_DESTROY_NEEDED never occurs. */
uint16_t uv_create_config(struct uv_op *op)
{
	struct uvcb_create_config *b = &op->block.create_config;
	struct uv_config *c = NULL;
	uint64_t *frames;
	uint16_t rc;

	be64_set(&b->handle, 0);
	rc = check_operands(op, b);
	if (rc != UV_RC_EXECUTED)
		return rc;
	frames = calloc(virt_frames(b), sizeof(*frames));
	if (!frames)
		return RC_CREATE_TOO_MANY;
	rc = check_rest(op, b, frames);
	if (rc == UV_RC_EXECUTED)
		c = new_config(op->uv, b, frames);
	if (!c) {
		free(frames);
		return rc == UV_RC_EXECUTED ? RC_CREATE_TOO_MANY : rc;
	}
	add_config(op->uv, c, op->cpu);
	be64_set(&b->handle, c->handle);
	return UV_RC_EXECUTED;
}

/* --- DESTROY ----------------------------------------------------------------------------------- */

static void unlink_config(struct uv_config *c)
{
	struct uv_config **p = &c->uv->configs;

	while (*p != c)
		p = &(*p)->next;
	*p = c->next;
	c->uv->nconfigs--;
}

void uv_config_destroy(struct uv_config *c, struct cpu *self)
{
	unlink_config(c);
	uv_dump_end(c);
	uv_unpack_free(c);
	uv_pages_release(c, self, false);
	uv_give_back(c->uv, self, c->base_stor, UV_CONFIG_BASE_BYTES);
	each_run(c, self, uv_give_back);
	uv_config_free(c);
}

uint16_t uv_destroy_config(struct uv_op *op)
{
	if (op->config->cpus)
		return RC_DESTROY_CPUS;
	uv_config_destroy(op->config, op->cpu);
	return UV_RC_EXECUTED;
}

/* --- Reset ------------------------------------------------------------------------------------- */

static uint16_t check_reset(const struct uv_config *c)
{
	if (c->state != CONFIG_VERIFIED && c->state != CONFIG_RESET_PREPARED)
		return RC_RESET_STATE;
	return uv_all_stopped(c) ? UV_RC_EXECUTED : RC_RESET_NOT_STOPPED;
}

uint16_t uv_unshare_all(struct uv_op *op)
{
	struct uv_config *c = op->config;
	uint16_t rc = check_reset(c);

	if (rc != UV_RC_EXECUTED)
		return rc;
	uv_dump_end(c);
	uv_pages_unshare(c, op->cpu);
	c->unshared = true;
	return UV_RC_EXECUTED;
}

uint16_t uv_prepare_reset(struct uv_op *op)
{
	struct uv_config *c = op->config;
	uint16_t rc = check_reset(c);

	if (rc != UV_RC_EXECUTED)
		return rc;
	if (!c->unshared)
		return RC_RESET_NOT_UNSHARED;
	uv_dump_end(c);
	for (struct uv_cpu *cpu = c->cpus; cpu; cpu = cpu->next) {
		cpu->may_signal = false;
		cpu->outstanding_sccb = 0;
	}
	c->state = CONFIG_RESET_PREPARED;
	return UV_RC_EXECUTED;
}
