/* SPDX-License-Identifier: MIT */
/*
 * What the tests of secure storage and unpacking share: a machine, an Ultravisor object with the
 * golden host keys, and configurations that are put together by hand, so that each function can be
 * called by itself.
 *
 * Nothing is 1:1. The guest's absolute address a is host virtual origin + a, and the tables map it
 * wherever the test says; variable storage is scattered.
 */
#ifndef TESTS_UNIT_UV_RIG_H
#define TESTS_UNIT_UV_RIG_H

#include "unit.h"

#include "aes_gcm.h"
#include "machine_priv.h"
#include "p521.h"
#include "secret.h"
#include "sha.h"
#include "uv_priv.h"

#define RIG_TABLES(n)  (0x100000ull + (n)*0x80000ull) /* of configuration n */
#define RIG_HEADER     0x300ff8ull		      /* crosses a page, is not aligned */
#define RIG_VIRT       0x400000ull		      /* variable storage, every second frame */
#define RIG_ORIGIN     0x10000000ull		      /* of guests in their host's space */
#define RIG_SEGMENTS   2048u			      /* a whole segment table */
#define RIG_PTE(n, pg) (RIG_TABLES(n) + 0x4000 + (pg)*8)

struct rig {
	struct machine *m;
	struct cpu *cpu;
	struct uv uv;
	struct uv_config config[2];
	uint64_t virt_next; /* frame that is donated next */
	uint16_t rrc;	    /* of the last call */
};

/* --- Storage ----------------------------------------------------------------------------------- */

UNUSED static inline void rig_put(struct rig *r, uint64_t at, const void *data, size_t len)
{
	assert_int_equal(storage_write(r->m, (haddr_t){ at }, data, len).code, 0);
}

static inline void rig_put64(struct rig *r, uint64_t at, uint64_t v)
{
	be64 b;

	be64_set(&b, v);
	rig_put(r, at, &b, sizeof(b));
}

UNUSED static inline bool rig_is_zero(const uint8_t *page)
{
	static const uint8_t zeros[FRAME_BYTES];

	return memcmp(page, zeros, sizeof(zeros)) == 0;
}

/* --- Configurations ----------------------------------------------------------------------------- */

/* The frame behind a guest page; UINT64_MAX: none. */
static inline void rig_map(struct rig *r, unsigned int n, uint64_t page, uint64_t frame)
{
	rig_put64(r, RIG_PTE(n, page), frame == UINT64_MAX ? 0x400 : frame * FRAME_BYTES);
}

static inline void rig_tables(struct rig *r, unsigned int n, uint64_t pages)
{
	for (uint64_t i = 0; i < RIG_SEGMENTS; i++)
		rig_put64(r, RIG_TABLES(n) + i * 8, 0x20);
	for (uint64_t i = 0; i < pages / 256; i++)
		rig_put64(r, RIG_TABLES(n) + (RIG_ORIGIN / UV_MIB + i) * 8, RIG_PTE(n, i * 256));
	for (uint64_t i = 0; i < pages; i++)
		rig_map(r, n, i, UINT64_MAX);
}

/* A configuration of this state, of a guest of so many MiB that has no page mapped. */
static inline struct uv_config *rig_config(struct rig *r, unsigned int n, uint64_t mib,
					   enum uv_config_state state)
{
	struct uv_config *c = &r->config[n];

	*c = (struct uv_config){ .next = r->uv.configs,
				 .uv = &r->uv,
				 .handle = 0x1234 + n,
				 .owner = ++r->uv.last_owner,
				 .state = state,
				 .origin = RIG_ORIGIN,
				 .len = mib * UV_MIB,
				 .asce = RIG_TABLES(n) | 0x103 };
	r->uv.configs = c;
	rig_tables(r, n, mib * 256);
	c->nvirt = (UV_CONFIG_VIRT_BYTES + mib * UV_CONFIG_PER_MIB_BYTES) / FRAME_BYTES;
	c->virt = calloc(c->nvirt, sizeof(*c->virt));
	assert_non_null(c->virt);
	for (uint64_t i = 0; i < c->nvirt; i++, r->virt_next += 2) {
		c->virt[i] = r->virt_next;
		frame_seize(r->m, r->cpu, r->virt_next, 1);
		frame_give(r->m, r->virt_next, (struct frame_info){ .state = FRAME_DONATED });
	}
	assert_true(uv_pages_new(c));
	return c;
}

/* --- Machine and keys --------------------------------------------------------------------------- */

static inline void rig_key(const char *name, struct p521 **key, uint8_t hash[32])
{
	struct unit_path path = unit_golden(name);
	uint8_t point[P521_POINT_BYTES];
	struct zpv_err err = { 0 };

	row_ok(name, p521_read_private(path.s, key, &err), err);
	row_ok(name, p521_point(*key, point, &err), err);
	row_ok(name, sha256(point, sizeof(point), hash, &err), err);
}

/* Own key: the golden host1.key; backup key: host2.key. */
static inline struct rig *rig_new(uint64_t mib)
{
	const struct machine_config config = { .storage_bytes = mib * UV_MIB, .cpus = 2 };
	struct rig *r = calloc(1, sizeof(*r));
	struct zpv_err err = { 0 };

	assert_non_null(r);
	row_ok("machine", machine_new(&config, &r->m, &err), err);
	r->cpu = machine_cpu(r->m, 0);
	r->cpu->psw_mask = PSW_EA | PSW_BA;
	cpu_state_changed(r->cpu);
	r->virt_next = RIG_VIRT / FRAME_BYTES;
	r->uv.m = r->m;
	r->uv.ready = true;
	r->uv.profile = uv_profile(ZPV_PROFILE_Z17);
	pthread_mutex_init(&r->uv.lock, NULL);
	rig_key("host1.key", &r->uv.key, r->uv.hash);
	rig_key("host2.key", &r->uv.backup_key, r->uv.backup_hash);
	return r;
}

static inline void rig_free(struct rig *r)
{
	for (struct uv_config *c = r->uv.configs; c; c = c->next) {
		uv_unpack_free(c);
		uv_pages_free(c);
		secret_free(c->cck);
		free(c->virt);
	}
	p521_free(r->uv.key);
	p521_free(r->uv.backup_key);
	pthread_mutex_destroy(&r->uv.lock);
	machine_free(r->m);
	free(r);
}
DEFINE_AUTO(rig)

/* --- Calls -------------------------------------------------------------------------------------- */

UNUSED static inline uint16_t rig_call(struct rig *r, uv_call_fn *fn, struct uv_config *c,
				       const union uv_block *block)
{
	struct uv_op op = { .uv = &r->uv, .cpu = r->cpu, .config = c, .block = *block };
	uint16_t rc = fn(&op);

	r->rrc = op.rrc;
	assert_int_equal(op.pic.code, 0);
	return rc;
}

/* IMPORT and UNPIN by address in the guest's space. */
UNUSED static inline uint16_t rig_gpage(struct rig *r, uv_call_fn *fn, struct uv_config *c,
					uint64_t gaddr)
{
	union uv_block block = { 0 };

	be64_set(&block.gpage.gaddr, gaddr);
	return rig_call(r, fn, c, &block);
}

/* EXPORT, DESTROY PAGE and PIN by absolute address. */
UNUSED static inline uint16_t rig_frame(struct rig *r, uv_call_fn *fn, uint64_t paddr)
{
	union uv_block block = { 0 };

	be64_set(&block.frame.paddr, paddr);
	return rig_call(r, fn, NULL, &block);
}

/* --- SE headers --------------------------------------------------------------------------------- */

/* What every golden header was sealed with. */
UNUSED static inline void rig_hdr_key(struct secret **key)
{
	struct unit_path path = unit_golden("hdr.key");
	struct zpv_err err = { 0 };

	row_ok("hdr.key", secret_read_file(path.s, "key", GCM_KEY_BYTES, key, &err), err);
}

static inline size_t rig_aad(const uint8_t *hdr)
{
	const struct se_hdr_head *head = (const void *)hdr;

	return sizeof(*head) + be64_get(head->nks) * sizeof(struct se_key_slot);
}

/* Test keys only, so the area may lie anywhere. */
UNUSED static inline void rig_hdr_open(const uint8_t *hdr, struct se_hdr_secrets *area)
{
	AUTO(secret) struct secret *key = NULL;
	const struct se_hdr_head *head = (const void *)hdr;
	size_t aad = rig_aad(hdr);
	struct zpv_err err = { 0 };

	rig_hdr_key(&key);
	row_ok("open",
	       aes_gcm_open(key, head->iv, hdr, aad, hdr + aad, sizeof(*area), (uint8_t *)area,
			    hdr + aad + sizeof(*area), &err),
	       err);
}

/* Authenticates a changed header again. */
UNUSED static inline void rig_hdr_seal(uint8_t *hdr, const struct se_hdr_secrets *area)
{
	AUTO(secret) struct secret *key = NULL;
	const struct se_hdr_head *head = (const void *)hdr;
	size_t aad = rig_aad(hdr);
	struct zpv_err err = { 0 };

	rig_hdr_key(&key);
	row_ok("seal",
	       aes_gcm_seal(key, head->iv, hdr, aad, (const uint8_t *)area, sizeof(*area),
			    hdr + aad, hdr + aad + sizeof(*area), &err),
	       err);
}

#endif
