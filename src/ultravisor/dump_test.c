// SPDX-License-Identifier: MIT
/*
 * Dumps of protected guests: what the Ultravisor gives out, to whom it refuses it, and that the guest
 * goes on. Results are opened here by the offsets of pv-dump.md, not by the structures that wrote
 * them.
 *
 * ZPV_DUMP_MIB makes the last guest larger; how fast its storage state is given is printed.
 */
#include "uv_test.h"
#include "uv_rig.h"

#include <time.h>

#include "aes_gcm.h"
#include "aes_xts.h"
#include "kdf.h"

#define OUT	    0x300000ull /* results */
#define OUT_BYTES   4096u
#define CPU2_AT	    (CPU_AT + 0x1000)
#define PAGES	    256u
#define DEFAULT_MIB 8u
#define DIAG_TWICE  DIAG DIAG LOOP

static uint64_t at64(const uint8_t *p)
{
	be64 v;

	memcpy(&v, p, sizeof(v));
	return be64_get(v);
}

static uint32_t at32(const uint8_t *p)
{
	be32 v;

	memcpy(&v, p, sizeof(v));
	return be32_get(v);
}

/* --- Calls --------------------------------------------------------------------------------------- */

struct answer {
	uint16_t rc, rrc;
};

static struct answer dump_init(struct vm *vm)
{
	struct uvcb_handle b = { 0 };
	uint16_t rc;

	be64_set(&b.handle, vm->config);
	rc = uvc(vm, UVC_DUMP_INIT, &b, sizeof(b));
	return (struct answer){ rc, be16_get(b.head.rrc) };
}

static uint16_t dump_call(struct vm *vm, enum uv_command cmd, uint64_t handle, uint64_t area,
			  uint64_t gaddr)
{
	struct uvcb_dump b = { 0 };

	be64_set(&b.handle, handle);
	be64_set(&b.area_origin, area);
	be64_set(&b.gaddr, gaddr);
	return uvc(vm, cmd, &b, sizeof(b));
}

static void init(struct vm *vm)
{
	assert_int_equal(dump_init(vm).rc, 1);
}

/* A result, by a call that must succeed; whatever was there before is overwritten. */
static void result(struct vm *vm, enum uv_command cmd, uint64_t handle, uint8_t out[OUT_BYTES])
{
	memset(out, 0xee, OUT_BYTES);
	put(vm, OUT, out, OUT_BYTES);
	assert_int_equal(dump_call(vm, cmd, handle, OUT, 0), 1);
	get(vm, OUT, out, OUT_BYTES);
}

static void storage_state(struct vm *vm, uint8_t out[OUT_BYTES])
{
	result(vm, UVC_DUMP_STORAGE_STATE, vm->config, out);
}

static void cpu_state(struct vm *vm, uint8_t out[OUT_BYTES])
{
	result(vm, UVC_DUMP_CPU, vm->cpu_handle, out);
}

static void complete(struct vm *vm, uint8_t out[OUT_BYTES])
{
	result(vm, UVC_DUMP_COMPLETE, vm->config, out);
}

/* A guest that its owner allows to be dumped. */
static void start_open(struct vm *vm, const char *code)
{
	start(vm, code);
	vm->c->config->pcf |= PCF_DUMP;
}

/* --- Opening ------------------------------------------------------------------------------------- */

static void secret_of(const uint8_t *data, size_t len, struct secret **out)
{
	assert_int_equal(secret_copy(data, len, out, NULL), 0);
}

static void key_of(const struct secret *cck, const uint8_t *seed, struct secret **out)
{
	assert_int_equal(hkdf(SHA_512, cck, seed, 64, (const uint8_t *)"IBM Z Ultravisor Dump", 21,
			      32, out, NULL),
			 0);
}

/* Decrypted in place. */
static void open_block(const struct secret *key, uint8_t *block, size_t iv, size_t head, size_t tag)
{
	assert_int_equal(aes_gcm_open(key, block + iv, block, head, block + head, tag - head,
				      block + head, block + tag, NULL),
			 0);
}

static void open_complete(const struct vm *vm, uint8_t *block, struct secret **key)
{
	assert_int_equal(at32(block), 1);
	assert_int_equal(at32(block + 4), 288);
	key_of(vm->c->config->cck, block + 16, key);
	open_block(*key, block, 80, 96, 272);
	for (size_t i = 288; i < OUT_BYTES; i++)
		assert_int_equal(block[i], 0);
}

static void open_cpu(const struct secret *key, uint8_t *block)
{
	assert_int_equal(at32(block), 1);
	assert_int_equal(at32(block + 4), 1568);
	open_block(key, block, 8, 32, 1552);
	for (size_t i = 1568; i < OUT_BYTES; i++)
		assert_int_equal(block[i], 0);
}

/* A page as its owner decrypts it: XTS under component OR nonce. */
static void open_page(const uint8_t *complete, const uint8_t *entry, uint8_t *page)
{
	AUTO(secret) struct secret *key = NULL;
	AUTO(xts) struct xts *xts = NULL;
	uint8_t tweak[16];

	for (size_t i = 0; i < sizeof(tweak); i++)
		tweak[i] = entry[i] | complete[96 + i];
	secret_of(complete + 112, 64, &key);
	assert_int_equal(xts_new(key, XTS_DECRYPT, &xts, NULL), 0);
	assert_int_equal(xts_pages(xts, at64(tweak), at64(tweak + 8), page, page, 1, NULL), 0);
}

static void ramp(uint8_t *to, size_t len, uint8_t first)
{
	for (size_t i = 0; i < len; i++)
		to[i] = (uint8_t)(first + i);
}

static void row_hex(const char *row, const uint8_t *got, const char *want)
{
	AUTO_BYTES b = unit_hex(want);

	row_mem(row, got, b.data, b.len);
}

static void row_sha256(const char *row, const void *data, size_t len, const char *want)
{
	uint8_t digest[SHA256_BYTES];

	assert_int_equal(sha256(data, len, digest, NULL), 0);
	row_hex(row, digest, want);
}

/* --- Known answers of pv-dump.md section 8 ------------------------------------------------------- */

static void known_key(struct secret **key)
{
	AUTO(secret) struct secret *cck = NULL;
	uint8_t bytes[32], seed[64];

	ramp(bytes, sizeof(bytes), 0);
	ramp(seed, sizeof(seed), 0x40);
	secret_of(bytes, sizeof(bytes), &cck);
	assert_true(uv_dump_key(cck, seed, key));
}

static void test_known_key(void **state)
{
	AUTO(secret) struct secret *key = NULL;

	(void)state;
	known_key(&key);
	assert_int_equal(secret_len(key), 32);
	row_hex("key", secret_bytes(key),
		"ac3f3150ad7223ede2f4c380efc85a2b9d5ba0dbc99a13f339e5a1d97b770784");
}

static void test_known_complete(void **state)
{
	AUTO(secret) struct secret *key = NULL;
	struct pv_dump_complete b = { 0 };
	uint8_t iv[12];

	(void)state;
	known_key(&key);
	ramp(iv, sizeof(iv), 0xa0);
	ramp(b.seed, sizeof(b.seed), 0x40);
	ramp(b.nonce + 8, 8, 0xf0);
	ramp(b.xts_key, sizeof(b.xts_key), 0x80);
	assert_true(uv_dump_seal_complete(key, iv, &b));
	row_hex("encrypted", (const uint8_t *)&b + 96,
		"d6ed2dd243a615504aa92374d6136b52a10c8aa8290e8622f1731f77356959fe");
	row_hex("tag", b.tag, "4ebdd23862b674576c91f125186b8087");
	row_sha256("block", &b, sizeof(b),
		   "73a3db3ae201cd59865ed02f069d45de144297020e72a8778661529d862d1575");
}

static void test_known_cpu(void **state)
{
	AUTO(secret) struct secret *key = NULL;
	struct pv_dump_cpu b = { 0 };
	uint8_t iv[12];

	(void)state;
	known_key(&key);
	ramp(iv, sizeof(iv), 0xb0);
	for (size_t i = 32; i < 1552; i++)
		((uint8_t *)&b)[i] = (uint8_t)i;
	assert_true(uv_dump_seal_cpu(key, iv, &b));
	row_hex("tag", b.tag, "cbd617515c119276ee01f91b6319ae36");
	row_sha256("block", &b, sizeof(b),
		   "2553c4326261442ede4348aa1272fc68708475f2d81180a02ae1768a2dc46a36");
}

/*
 * The tweak of the known page, which ORs bits that we never set both, as the counter, page and nonce
 * that give the same one; the way out that every exported page goes.
 */
static void test_known_page(void **state)
{
	struct uv_leaving l = { .page = 0x6677f8f9, .frame = 0x700, .counter = 0x001122334455 };
	static const uint8_t nonce[] = { 0xfa, 0xfb, 0xfc, 0xfd, 0xfe, 0xff };
	AUTO(secret) struct secret *key = NULL;
	AUTO(rig) struct rig *r = rig_new(16);
	AUTO(xts) struct xts *xts = NULL;
	struct uv_config *c = rig_config(r, 0, 1, CONFIG_VERIFIED);
	struct pv_dump_entry entry;
	uint8_t bytes[64];

	(void)state;
	ramp(bytes, sizeof(bytes), 0x80);
	secret_of(bytes, sizeof(bytes), &key);
	assert_int_equal(xts_new(key, XTS_ENCRYPT, &xts, NULL), 0);
	memcpy(c->nonce, nonce, sizeof(nonce));
	memset(frame_secure_page(r->m, l.frame), 0x5a, FRAME_BYTES);
	uv_page_encrypt(c, xts, &l);
	assert_true(l.encrypted);
	row_hex("page", frame_host_page(r->m, l.frame),
		"872ad76f31b0991cf21ec002c1d23197bb04d99086a0f021ca6593d6ccff5b9e");
	row_hex("digest", l.digest,
		"f8ab9ef3370e790bb7e8ca301b402ff86718f9a7d5797d6ad6a01d26140c3d7f");
	row_sha256("page", frame_host_page(r->m, l.frame), FRAME_BYTES,
		   "f8ab9ef3370e790bb7e8ca301b402ff86718f9a7d5797d6ad6a01d26140c3d7f");
	assert_true(rig_is_zero(frame_secure_page(r->m, l.frame)));
	uv_page_component(l.page, l.counter, &entry);
	row_hex("component", (const uint8_t *)&entry, "0011223344556677f8f9000000000000");
}

/* --- INIT and its refusals ----------------------------------------------------------------------- */

static void expect_no_dump(struct vm *vm)
{
	assert_int_equal(dump_call(vm, UVC_DUMP_STORAGE_STATE, vm->config, OUT, 0), 0x0101);
	assert_int_equal(dump_call(vm, UVC_DUMP_CPU, vm->cpu_handle, OUT, 0), 0x0101);
	assert_int_equal(dump_call(vm, UVC_DUMP_COMPLETE, vm->config, OUT, 0), 0x0101);
	assert_false(vm->c->config->dumping);
	assert_null(vm->c->config->dump);
}

static void test_init(void **state)
{
	static const struct {
		enum uv_config_state state;
		uint16_t rc;
	} rows[] = {
		{ CONFIG_CREATED, 0x0102 }, { CONFIG_PARMS_SET, 0x0102 },
		{ CONFIG_FAILED, 0x0102 },  { CONFIG_RESET_PREPARED, 1 },
		{ CONFIG_VERIFIED, 1 },
	};
	struct vm *vm = *state;

	start_open(vm, DIAG_TWICE);
	expect_no_dump(vm);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		vm->c->config->state = rows[i].state;
		assert_int_equal(dump_init(vm).rc, rows[i].rc);
		assert_int_equal(vm->c->config->dumping, rows[i].rc == 1);
		if (rows[i].rc == 1)
			assert_int_equal(dump_init(vm).rc, 0x0101);
		uv_dump_end(vm->c->config);
	}
	vm->c->running = true;
	assert_int_equal(dump_init(vm).rc, 0x0102);
	vm->c->running = false;
	expect_no_dump(vm);
	expect_diag("goes on", vm, 0x44);
}

static void test_not_allowed(void **state)
{
	struct vm *vm = *state;
	struct answer a;

	start(vm, DIAG_TWICE);
	expect_diag("before", vm, 0x44);
	a = dump_init(vm);
	assert_int_equal(a.rc, 0x0103);
	assert_int_equal(a.rrc, 1);
	vm->c->config->pcf = ~PCF_DUMP;
	assert_int_equal(dump_init(vm).rc, 0x0103);
	expect_no_dump(vm);
	expect_diag("goes on", vm, 0x44);
}

static void test_handles(void **state)
{
	static const enum uv_command of_config[] = { UVC_DUMP_STORAGE_STATE, UVC_DUMP_COMPLETE };
	struct vm *vm = *state;

	start_open(vm, DIAG_TWICE);
	assert_int_equal(handle_call(vm, UVC_DUMP_INIT, vm->config ^ 1), UV_RC_CONFIG_HANDLE);
	assert_int_equal(handle_call(vm, UVC_DUMP_INIT, vm->cpu_handle), UV_RC_CONFIG_HANDLE);
	init(vm);
	for (size_t i = 0; i < ARRAY_SIZE(of_config); i++)
		assert_int_equal(dump_call(vm, of_config[i], vm->cpu_handle, OUT, 0),
				 UV_RC_CONFIG_HANDLE);
	assert_int_equal(dump_call(vm, UVC_DUMP_CPU, vm->config, OUT, 0), UV_RC_CPU_HANDLE);
	assert_true(vm->c->config->dumping);
}

/* z15 has no dumps. */
static void test_profile(void **state)
{
	static const enum uv_command all[] = { UVC_DUMP_STORAGE_STATE, UVC_DUMP_CPU,
					       UVC_DUMP_COMPLETE };
	struct vm *vm = *state;

	start_open(vm, DIAG_TWICE);
	vm->uv->profile = uv_profile(ZPV_PROFILE_Z15);
	assert_int_equal(dump_init(vm).rc, UV_RC_INVALID_COMMAND);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		assert_int_equal(dump_call(vm, all[i], vm->config, OUT, 0), UV_RC_INVALID_COMMAND);
	vm->uv->profile = uv_profile(ZPV_PROFILE_Z16);
	init(vm);
}

static void test_gaddr(void **state)
{
	static const uint64_t bad[] = { 1,
					0x1000,
					MIB - 1,
					MIB,
					MIB + 0x1000,
					UINT64_MAX,
					MSO,
					0x8000000000000000,
					0xfffffffffff00000 };
	uint8_t want[OUT_BYTES], got[OUT_BYTES];
	struct vm *vm = *state;

	start_open(vm, DIAG_TWICE);
	init(vm);
	memset(want, 0xee, sizeof(want));
	put(vm, OUT, want, sizeof(want));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(dump_call(vm, UVC_DUMP_STORAGE_STATE, vm->config, OUT, bad[i]),
				 0x0102);
	get(vm, OUT, got, sizeof(got));
	assert_memory_equal(got, want, sizeof(got));
	assert_int_equal(vm->c->config->exports, 0);
	assert_int_equal(dump_call(vm, UVC_DUMP_STORAGE_STATE, vm->config, OUT, 0), 1);
}

/* --- What an active dump forbids, and what it does not ------------------------------------------- */

static uint16_t gpage_call(struct vm *vm, enum uv_command cmd, uint64_t gaddr)
{
	struct uvcb_gpage b = { 0 };

	be64_set(&b.config_handle, vm->config);
	be64_set(&b.gaddr, MSO + gaddr);
	return uvc(vm, cmd, &b, sizeof(b));
}

static uint16_t pin(struct vm *vm, uint64_t gaddr)
{
	struct uvcb_frame b = { 0 };

	be64_set(&b.paddr, GUEST + gaddr);
	return uvc(vm, UVC_PIN, &b, sizeof(b));
}

static uint16_t try_create_cpu(struct vm *vm)
{
	struct uvcb_create_cpu b = { 0 };

	be64_set(&b.config_handle, vm->config);
	be64_set(&b.stor_origin, CPU2_AT);
	be16_set(&b.num, 1);
	be64_set(&b.state_origin, SCB2_AT);
	return uvc(vm, UVC_CREATE_CPU, &b, sizeof(b));
}

static void test_active(void **state)
{
	struct vm *vm = *state;
	uint8_t out[OUT_BYTES];

	start_open(vm, DIAG_TWICE);
	import(vm, 0x20000);
	uv_page_share(vm->c->config, vm->cpu, 0x20);
	expect_diag("before", vm, 0x44);
	init(vm);
	expect_validity("entry", vm, VALIDITY_PV_CONFIG_STATE);
	assert_int_equal(VALIDITY_PV_CONFIG_STATE, 0x2009);
	assert_int_equal(gpage_call(vm, UVC_IMPORT, 0x30000), 0x0101);
	assert_int_equal(pin(vm, 0x20000), 1);
	assert_int_equal(gpage_call(vm, UVC_UNPIN, 0x20000), 0x0102);
	assert_int_equal(try_create_cpu(vm), 0x0102);
	assert_int_equal(set_state(vm, UV_CPU_OPERATING), 1);
	assert_int_equal(set_state(vm, UV_CPU_LOAD), 0x0102);
	assert_int_equal(set_state(vm, UV_CPU_STOPPED), 1);
	assert_int_equal(set_state(vm, UV_CPU_OPERATING), 0x0102);
	assert_int_equal(set_state(vm, UV_CPU_LOAD), 0x0102);
	assert_int_equal(handle_call(vm, UVC_CPU_RESET, vm->cpu_handle), 0x0102);
	assert_int_equal(handle_call(vm, UVC_CPU_RESET_INITIAL, vm->cpu_handle), 0x0102);
	assert_int_equal(handle_call(vm, UVC_CPU_RESET_CLEAR, vm->cpu_handle), 0x0102);
	export(vm, CODE);
	export(vm, 0x20000);
	assert_int_equal(gpage_call(vm, UVC_IMPORT, CODE), 0x0101);
	complete(vm, out);
	expect_no_dump(vm);
	assert_int_equal(try_create_cpu(vm), 1);
	import(vm, CODE);
	assert_int_equal(set_state(vm, UV_CPU_OPERATING), 1);
	expect_diag("goes on", vm, 0x44);
}

/* Ways out of a dump beside its completion. */
static void test_ends(void **state)
{
	struct vm *vm = *state;
	uint64_t config;

	start_open(vm, DIAG_TWICE);
	config = vm->config;
	init(vm);
	/* Refused, because the CPU is not stopped: then the dump goes on. */
	assert_int_equal(handle_call(vm, UVC_UNSHARE_ALL, config), 0x0102);
	assert_int_equal(handle_call(vm, UVC_PREPARE_RESET, config), 0x0102);
	assert_int_equal(handle_call(vm, UVC_DESTROY_CONFIG, config), 0x0101);
	assert_non_null(vm->c->config->dump);
	assert_int_equal(set_state(vm, UV_CPU_STOPPED), 1);
	assert_int_equal(handle_call(vm, UVC_UNSHARE_ALL, config), 1);
	expect_no_dump(vm);
	init(vm);
	assert_int_equal(handle_call(vm, UVC_PREPARE_RESET, config), 1);
	expect_no_dump(vm);
	init(vm);
	assert_int_equal(handle_call(vm, UVC_DESTROY_CPU, vm->cpu_handle), 1);
	assert_int_equal(dump_call(vm, UVC_DUMP_CPU, vm->cpu_handle, OUT, 0), UV_RC_CPU_HANDLE);
	assert_int_equal(handle_call(vm, UVC_DESTROY_CONFIG, config), 1);
	assert_int_equal(dump_call(vm, UVC_DUMP_COMPLETE, config, OUT, 0), UV_RC_CONFIG_HANDLE);
}

/* --- CPUs ---------------------------------------------------------------------------------------- */

static void set_registers(struct secure_regs *r)
{
	for (unsigned int i = 0; i < 16; i++) {
		r->file.gr[i] = 0x1000000000000000ull + i;
		r->file.ar[i] = 0x20000000u + i;
		r->cr[i] = 0x3000000000000000ull + i;
		r->file.fpr[i] = 0x4000000000000000ull + i;
		r->file.vr_high[i] = 0x4000000000000010ull + i;
	}
	for (unsigned int i = 0; i < 32; i++)
		r->file.vr_low[i] = 0x5000000000000000ull + i;
	r->file.fpc = 0x60000001;
	r->psw_mask = 0x0705200180000000;
	r->psw_addr = 0x123456789abcdef0;
	r->prefix = 0x7ffe2000;
	r->todpr = 0x6789;
	r->timer = 0xfedcba9876543210;
	r->ckc = 0x0f1e2d3c4b5a6978;
	/* What has no place in a dump must not get into it. */
	r->bea = r->epoch = r->program_parameter = 0xbadbadbadbadbad0;
}

/* Wherever pv-dump.md section 6 has a field; everything else is zero. */
static void expect_registers(const uint8_t *b)
{
	uint8_t want[OUT_BYTES] = { 0 };
	be64 *q = (be64 *)(void *)want;
	be32 *w = (be32 *)(void *)want;

	for (unsigned int i = 0; i < 16; i++) {
		be64_set(&q[32 / 8 + i], 0x1000000000000000ull + i);
		be32_set(&w[224 / 4 + i], 0x20000000u + i);
		be64_set(&q[288 / 8 + i], 0x3000000000000000ull + i);
	}
	for (unsigned int i = 0; i < 32; i++) {
		be64_set(&q[416 / 8 + 2 * i], 0x4000000000000000ull + i);
		be64_set(&q[416 / 8 + 2 * i + 1], 0x5000000000000000ull + i);
	}
	be64_set(&q[160 / 8], 0x0705200180000000);
	be64_set(&q[168 / 8], 0x123456789abcdef0);
	be32_set(&w[184 / 4], 0x7ffe2000);
	be32_set(&w[188 / 4], 0x60000001);
	be32_set(&w[196 / 4], 0x6789);
	be64_set(&q[200 / 8], 0xfedcba9876543210);
	be64_set(&q[208 / 8], 0x0f1e2d3c4b5a6978);
	row_mem("registers", b + 32, want + 32, 1552 - 32);
	row_mem("reserved", b + 20, want + 20, 12);
}

static void test_cpu(void **state)
{
	static const enum uv_cpu_state states[] = { UV_CPU_LOAD, UV_CPU_OPERATING, UV_CPU_STOPPED };
	uint8_t block[ARRAY_SIZE(states)][OUT_BYTES], end[OUT_BYTES];
	AUTO(secret) struct secret *key = NULL;
	struct vm *vm = *state;

	start_open(vm, DIAG_TWICE);
	set_registers(&vm->c->area->regs);
	init(vm);
	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		vm->c->state = states[i];
		cpu_state(vm, block[i]);
	}
	complete(vm, end);
	open_complete(vm, end, &key);
	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		open_cpu(key, block[i]);
		expect_registers(block[i]);
		row_mem("same", block[i] + 32, block[0] + 32, 1520);
		row_true("random part", memcmp(block[i] + 8, end + 80, 4) == 0);
		row_int("count", at64(block[i] + 12), i + 1);
	}
	assert_int_equal(at64(end + 84), ARRAY_SIZE(states) + 1);
}

/* A CPU is in the middle of something when the host owes it the end of an instruction. */
static void test_incomplete(void **state)
{
	static const struct {
		const char *name;
		enum uv_completion what;
		uint16_t flags;
	} rows[] = {
		{ "none", COMPLETE_NONE, 0 },
		{ "diagnose 288", COMPLETE_DIAG_288, 0x8000 },
		{ "diagnose 308", COMPLETE_DIAG_308, 0x8000 },
		{ "diagnose 500", COMPLETE_DIAG_500, 0x8000 },
		{ "servc", COMPLETE_SERVC, 0x8000 },
		{ "servc, to be notified", COMPLETE_SERVC_NOTIFY, 0 },
		{ "stsi", COMPLETE_STSI, 0x8000 },
		{ "io", COMPLETE_IO, 0x8000 },
	};
	uint8_t block[ARRAY_SIZE(rows)][OUT_BYTES], end[OUT_BYTES];
	AUTO(secret) struct secret *key = NULL;
	struct vm *vm = *state;

	start_open(vm, DIAG_TWICE);
	vm->c->order = 5;
	vm->c->restart_pending = true;
	init(vm);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		vm->c->area->pending.what = (uint8_t)rows[i].what;
		cpu_state(vm, block[i]);
	}
	complete(vm, end);
	open_complete(vm, end, &key);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		open_cpu(key, block[i]);
		row_int(rows[i].name, block[i][1536] << 8 | block[i][1537], rows[i].flags);
	}
}

/* A real guest in the middle of DIAGNOSE 500, and at rest; it gets its answer after the dump. */
static void test_open_interception(void **state)
{
	uint8_t first[OUT_BYTES], second[OUT_BYTES], end[OUT_BYTES];
	AUTO(secret) struct secret *key = NULL;
	struct vm *vm = *state;

	/* LGHI %r1,3; LGHI %r2,7; DIAG 500; LGR %r4,%r2; DIAG 44 */
	start_open(vm, "a7190003 a7290007 " DIAG_500 "b9040042 " DIAG LOOP);
	expect_diag("104", vm, 0x500);
	init(vm);
	cpu_state(vm, first);
	complete(vm, end);
	open_complete(vm, end, &key);
	open_cpu(key, first);
	assert_int_equal(first[1536], 0x80);
	assert_int_equal(at64(first + 32 + 8), 3);
	assert_int_equal(at64(first + 32 + 16), 7);
	assert_int_equal(at64(first + 168), CODE + 12);
	be64_set(&vm->scb.pv_grregs[2], 0x99);
	expect_diag("goes on", vm, 0x44);
	assert_int_equal(vm->c->area->regs.file.gr[4], 0x99);
	secret_free(STEAL(key));

	init(vm);
	cpu_state(vm, second);
	complete(vm, end);
	open_complete(vm, end, &key);
	open_cpu(key, second);
	assert_int_equal(second[1536], 0);
	assert_int_equal(at64(second + 32 + 32), 0x99);
}

/* --- Pages --------------------------------------------------------------------------------------- */

enum {
	PG_CODE = CODE / 4096,
	PG_RESIDENT = 0x20,
	PG_BEFORE,	/* exported before the dump */
	PG_AGAIN,	/* exported, imported, changed, resident */
	PG_BETWEEN,	/* exported after INIT by the host */
	PG_ZERO,	/* resident, all zeros: nothing says so */
	PG_SHARED,	/* resident */
	PG_SHARED_AWAY, /* shared, exported */
	PG_PINNED,
	PG_ALONE = 0x40, /* resident between pages that are not */
	PG_FRESH = 0x80, /* never touched */
	PG_UNMAPPED,	 /* the same, and the host has nothing there */
	PG_LAST = PAGES - 1,
};

static void make_page(struct vm *vm, uint64_t page, uint32_t seed)
{
	import(vm, page * 4096);
	unit_pattern(peek(vm, page * 4096), FRAME_BYTES, seed);
}

static void make_pages(struct vm *vm)
{
	make_page(vm, PG_RESIDENT, 1);
	make_page(vm, PG_BEFORE, 2);
	export(vm, PG_BEFORE * 4096);
	make_page(vm, PG_AGAIN, 77);
	export(vm, PG_AGAIN * 4096);
	make_page(vm, PG_AGAIN, 3);
	make_page(vm, PG_BETWEEN, 4);
	import(vm, PG_ZERO * 4096);
	for (uint64_t i = PG_SHARED; i <= PG_PINNED; i++) {
		make_page(vm, i, (uint32_t)i);
		uv_page_share(vm->c->config, vm->cpu, i);
	}
	export(vm, PG_SHARED_AWAY * 4096);
	assert_int_equal(pin(vm, PG_PINNED * 4096), 1);
	make_page(vm, PG_ALONE, 5);
	make_page(vm, PG_LAST, 6);
	set_pte(vm, PG_UNMAPPED * 4096, 0x400);
}

static void expect_special(const uint8_t *state, uint64_t page, uint8_t flags)
{
	uint8_t want[16] = { 0xff, 0xff, 0xff, 0xff };

	want[15] = flags;
	row_mem("special", state + page * 16, want, sizeof(want));
}

/* Component: counter, page number, zeros; the host's store has the page under it. */
static void expect_encrypted(struct vm *vm, const uint8_t *complete, const uint8_t *state,
			     uint64_t page, uint32_t seed)
{
	const uint8_t *entry = state + page * 16;
	uint8_t want[FRAME_BYTES] = { 0 }, got[FRAME_BYTES];

	row_true("counter", at64(entry) >> 16 != 0 && at64(entry) >> 63 == 0);
	row_int("page number", (at64(entry) & 0xffff) << 16 | at64(entry + 8) >> 48, page);
	row_true("rest", (at64(entry + 8) & 0xffffffffffff) == 0);
	get(vm, GUEST + page * 4096, got, sizeof(got));
	open_page(complete, entry, got);
	if (seed)
		unit_pattern(want, sizeof(want), seed);
	row_mem("content", got, want, sizeof(got));
}

/* Pages of the image are found by their counters only. */
static void expect_states(struct vm *vm, const uint8_t *end, const uint8_t *st)
{
	expect_encrypted(vm, end, st, PG_RESIDENT, 1);
	expect_encrypted(vm, end, st, PG_BEFORE, 2);
	expect_encrypted(vm, end, st, PG_AGAIN, 3);
	expect_encrypted(vm, end, st, PG_BETWEEN, 4);
	expect_encrypted(vm, end, st, PG_ZERO, 0);
	expect_encrypted(vm, end, st, PG_ALONE, 5);
	expect_encrypted(vm, end, st, PG_LAST, 6);
	expect_special(st, PG_SHARED, 0x06);
	expect_special(st, PG_SHARED_AWAY, 0x02);
	expect_special(st, PG_PINNED, 0x06);
	expect_special(st, PG_FRESH, 0x05);
	expect_special(st, PG_UNMAPPED, 0x01);
}

static void expect_unique_counters(const uint8_t *st, size_t want)
{
	size_t n = 0;

	for (size_t i = 0; i < PAGES; i++) {
		if (at32(st + i * 16) == UINT32_MAX)
			continue;
		n++;
		for (size_t k = 0; k < i; k++)
			row_true("counter", at64(st + i * 16) >> 16 != at64(st + k * 16) >> 16);
	}
	row_int("encrypted pages", n, want);
}

static void test_pages(void **state)
{
	uint8_t st[OUT_BYTES], again[OUT_BYTES], end[OUT_BYTES], page[FRAME_BYTES];
	AUTO(secret) struct secret *key = NULL;
	struct vm *vm = *state;

	start_open(vm, DIAG_TWICE);
	make_pages(vm);
	init(vm);
	export(vm, PG_BETWEEN * 4096);
	storage_state(vm, st);
	storage_state(vm, again);
	assert_memory_equal(st, again, sizeof(st)); /* nothing is exported twice */
	complete(vm, end);
	open_complete(vm, end, &key);
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(end[96 + i], 0);
	assert_memory_equal(end + 106, vm->c->config->nonce, 6);
	expect_states(vm, end, st);
	expect_unique_counters(st, 7 + ARRAY_SIZE(image_pages));
	unit_pattern(page, sizeof(page), PG_SHARED);
	assert_memory_equal(frame_host_page(vm->m, GUEST / 4096 + PG_SHARED), page, sizeof(page));
	for (size_t i = 0; i < PAGES; i++)
		row_true("no page is secure",
			 frame_info(vm->m, GUEST / 4096 + i).state != FRAME_SECURE);
}

/* All that was exported comes back, unchanged, and nothing else does. */
static void test_goes_on(void **state)
{
	uint8_t st[OUT_BYTES], end[OUT_BYTES], want[FRAME_BYTES];
	struct vm *vm = *state;

	start_open(vm, DIAG_TWICE);
	make_pages(vm);
	expect_diag("before", vm, 0x44);
	init(vm);
	storage_state(vm, st);
	complete(vm, end);
	for (size_t i = 0; i < ARRAY_SIZE(image_pages); i++)
		import(vm, image_pages[i]);
	expect_diag("goes on", vm, 0x44);
	import(vm, PG_RESIDENT * 4096);
	unit_pattern(want, sizeof(want), 1);
	assert_memory_equal(peek(vm, PG_RESIDENT * 4096), want, sizeof(want));
	put64(vm, GUEST + PG_ALONE * 4096, 0xbad);
	assert_int_equal(gpage_call(vm, UVC_IMPORT, PG_ALONE * 4096), 0x0106);
}

/* All or nothing: no page leaves when not all can. */
static void test_exhausted(void **state)
{
	uint8_t st[OUT_BYTES];
	struct vm *vm = *state;
	uint64_t last = (1ull << 47) - 1;
	struct uv_config *c;

	start_open(vm, DIAG_TWICE);
	c = vm->c->config;
	init(vm);
	c->exports = last - ARRAY_SIZE(image_pages) + 1;
	assert_int_equal(dump_call(vm, UVC_DUMP_STORAGE_STATE, vm->config, OUT, 0), 0x0107);
	assert_int_equal(c->exports, last - ARRAY_SIZE(image_pages) + 1);
	peek(vm, CODE);
	c->exports--;
	storage_state(vm, st);
	assert_int_equal(c->exports, last);
	assert_true(at64(st + 6 * 16) >> 16 == last);
	storage_state(vm, st); /* needs none any more */
}

/* --- Areas --------------------------------------------------------------------------------------- */

/* Beyond storage; donated; the guest's own page, whole or in part. */
static void test_areas(void **state)
{
	const uint64_t bad[] = { STORAGE,	   STORAGE - 0x800,	UINT64_MAX - 0xfff,
				 CPU_AT,	   BASE_AT - 0x800,	GUEST + CODE,
				 GUEST + CODE - 8, GUEST + CODE + 0xff8 };
	static const enum uv_command all[] = { UVC_DUMP_STORAGE_STATE, UVC_DUMP_CPU };
	uint8_t st[OUT_BYTES], cpu[OUT_BYTES], end[OUT_BYTES];
	AUTO(secret) struct secret *key = NULL;
	struct vm *vm = *state;

	start_open(vm, DIAG_TWICE);
	expect_diag("before", vm, 0x44);
	init(vm);
	put64(vm, BASE_AT - 8, 0x1122);
	put64(vm, GUEST + CODE - 8, 0x3344);
	for (size_t i = 0; i < ARRAY_SIZE(bad) * ARRAY_SIZE(all); i++) {
		uint64_t handle = i % 2 ? vm->cpu_handle : vm->config;

		assert_int_equal(dump_call(vm, all[i % 2], handle, bad[i / 2], 0), 0x0103);
	}
	assert_int_equal(vm->c->config->exports, 0);
	get(vm, BASE_AT - 8, end, 8);
	assert_int_equal(at64(end), 0x1122);
	get(vm, GUEST + CODE - 8, end, 8);
	assert_int_equal(at64(end), 0x3344);
	/* Repeated, they succeed, as if nothing had happened: not an IV was used. */
	storage_state(vm, st);
	cpu_state(vm, cpu);
	assert_int_equal(at64(cpu + 12), 1);
	complete(vm, end);
	open_complete(vm, end, &key);
	assert_int_equal(at32(end + 188), 1);
	assert_int_equal(at64(end + 192), PAGES);
	assert_int_equal(at32(end + 184), 0);
}

/* COMPLETE without a place for its result: the dump has ended, and its keys are gone. */
static void test_complete_lost(void **state)
{
	static const uint64_t bad[] = { STORAGE, CPU_AT, GUEST + NEW_PSW, BASE_AT - 0x800 };
	struct vm *vm = *state;

	start_open(vm, DIAG_TWICE DIAG_TWICE);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		init(vm);
		assert_int_equal(dump_call(vm, UVC_DUMP_COMPLETE, vm->config, bad[i], 0), 0x0103);
		expect_no_dump(vm);
	}
	expect_diag("goes on", vm, 0x44);
}

static uint16_t rig_dump(struct rig *r, uv_call_fn *fn, struct uv_config *c, uint64_t area,
			 uint64_t gaddr)
{
	union uv_block block = { 0 };

	be64_set(&block.dump.area_origin, area);
	be64_set(&block.dump.gaddr, gaddr);
	return rig_call(r, fn, c, &block);
}

/* A guest that can be dumped, put together by hand. */
static struct uv_config *rig_guest(struct rig *r, uint64_t mib)
{
	struct uv_config *c = rig_config(r, 0, mib, CONFIG_VERIFIED);
	uint8_t cck[32];

	ramp(cck, sizeof(cck), 0);
	secret_of(cck, sizeof(cck), &c->cck);
	c->pcf = PCF_DUMP;
	return c;
}

/* Areas are home-space virtual: pages that are scattered, and one that is not there. */
static void test_virtual(void **state)
{
	static const uint8_t magic[] = { 0, 0, 0, 1, 0, 0, 1, 0x20 };
	AUTO(rig) struct rig *r = rig_new(16);
	struct uv_config *c = rig_guest(r, 1);

	(void)state;
	rig_map(r, 0, 8, 0x705);
	rig_map(r, 0, 9, 0x703);
	assert_int_equal(rig_dump(r, uv_dump_init, c, 0, 0), 1);
	r->cpu->psw_mask |= PSW_DAT; /* primary space: none */
	r->cpu->cr[13] = c->asce;
	cpu_state_changed(r->cpu);
	assert_int_equal(rig_dump(r, uv_dump_storage_state, c, RIG_ORIGIN + 8 * 4096 + 0x800, 0),
			 1);
	assert_int_equal(at64(frame_host_page(r->m, 0x705) + 0x800), 0xffffffff00000000);
	assert_int_equal(at64(frame_host_page(r->m, 0x703) + 0x7f8), 1);
	assert_int_equal(at64(frame_host_page(r->m, 0x703) + 0x800), 0);
	/* Pages 8 and 9 are mapped and never touched. */
	assert_int_equal(at64(frame_host_page(r->m, 0x705) + 0x800 + 8 * 16 + 8), 5);
	assert_int_equal(rig_dump(r, uv_dump_storage_state, c, RIG_ORIGIN + 9 * 4096 + 0x800, 0),
			 0x0103);
	r->cpu->cr[13] = c->asce | 0x20;
	assert_int_equal(rig_dump(r, uv_dump_storage_state, c, RIG_ORIGIN + 8 * 4096, 0),
			 UV_RC_REAL_SPACE);
	assert_true(c->dumping);
	r->cpu->cr[13] = c->asce;
	assert_int_equal(rig_dump(r, uv_dump_complete, c, RIG_ORIGIN + 9 * 4096, 0), 1);
	assert_memory_equal(frame_host_page(r->m, 0x703), magic, sizeof(magic));
	assert_int_equal(rig_dump(r, uv_dump_init, c, 0, 0), 1);
	r->cpu->cr[13] = c->asce | 0x20;
	assert_int_equal(rig_dump(r, uv_dump_complete, c, RIG_ORIGIN + 8 * 4096, 0),
			 UV_RC_REAL_SPACE);
	assert_false(c->dumping);
}

/* --- Roots --------------------------------------------------------------------------------------- */

/* SHA-256 over entries and digests of the ciphertext as it lies in the host's store. */
static void digest_of_mib(const uint8_t *st, const uint8_t *pages, uint8_t digest[SHA256_BYTES])
{
	AUTO(sha) struct sha *s = NULL;

	assert_int_equal(sha_new(SHA_256, &s, NULL), 0);
	for (size_t i = 0; i < PAGES; i++) {
		uint8_t page[SHA256_BYTES] = { 0 };

		if (at32(st + i * 16) != UINT32_MAX)
			assert_int_equal(sha256(pages + i * 4096, 4096, page, NULL), 0);
		sha_update(s, st + i * 16, 16);
		sha_update(s, page, sizeof(page));
	}
	assert_int_equal(sha_final(s, digest, NULL), 0);
}

static void expect_roots(const uint8_t *end, uint32_t flags, uint32_t cpus, uint64_t entries,
			 const uint8_t *memory, const uint8_t *cpu)
{
	const uint8_t *roots = end + 176;

	row_mem("magic", roots, "SWUVDMP1", 8);
	row_int("flags", at32(roots + 8), flags);
	row_int("CPUs", at32(roots + 12), cpus);
	row_int("entries", at64(roots + 16), entries);
	row_mem("memory root", roots + 24, memory, 32);
	row_mem("CPU root", roots + 56, cpu, 32);
	row_int("reserved", at64(roots + 88), 0);
}

static void test_roots(void **state)
{
	uint8_t st[OUT_BYTES], cpu[3][OUT_BYTES], tags[3 * 16], end[OUT_BYTES];
	uint8_t digest[SHA256_BYTES], memory[SHA256_BYTES], cpus[SHA256_BYTES];
	AUTO_BYTES pages = { malloc(MIB), MIB };
	AUTO(secret) struct secret *key = NULL;
	struct vm *vm = *state;

	assert_non_null(pages.data);
	start_open(vm, DIAG_TWICE);
	make_pages(vm);
	init(vm);
	for (size_t i = 0; i < ARRAY_SIZE(cpu); i++) {
		cpu_state(vm, cpu[i]);
		memcpy(tags + i * 16, cpu[i] + 1552, 16);
		storage_state(vm, st);
	}
	export(vm, PG_SHARED * 4096); /* its entry changes: the last answer counts */
	storage_state(vm, st);
	expect_special(st, PG_SHARED, 0x02);
	get(vm, GUEST, pages.data, pages.len);
	complete(vm, end);
	open_complete(vm, end, &key);
	digest_of_mib(st, pages.data, digest);
	assert_int_equal(sha256(digest, sizeof(digest), memory, NULL), 0);
	assert_int_equal(sha256(tags, sizeof(tags), cpus, NULL), 0);
	expect_roots(end, 0, 3, PAGES, memory, cpus);
}

/* Three MiB in another order, one twice; and then without the one in the middle. */
static void test_roots_partial(void **state)
{
	static const uint64_t order[2][4] = { { 2, 0, 2, 1 }, { 2, 0, 0, 2 } };
	uint8_t digest[3 * SHA256_BYTES], memory[SHA256_BYTES], none[SHA256_BYTES];
	AUTO(rig) struct rig *r = rig_new(16);
	struct uv_config *c = rig_guest(r, 3);

	(void)state;
	assert_int_equal(sha256("", 0, none, NULL), 0);
	for (uint64_t i = 0; i < 3; i++) {
		rig_map(r, 0, i * PAGES, 0x700 + i);
		assert_int_equal(rig_gpage(r, uv_import, c, RIG_ORIGIN + i * UV_MIB), 1);
		unit_pattern(frame_secure_page(r->m, 0x700 + i), FRAME_BYTES, (uint32_t)i);
	}
	for (size_t n = 0; n < 2; n++) {
		AUTO(secret) struct secret *key = NULL;
		uint8_t *out = frame_host_page(r->m, 0x720);
		size_t used = 0;

		assert_int_equal(rig_dump(r, uv_dump_init, c, 0, 0), 1);
		for (size_t i = 0; i < 4; i++) {
			uint64_t mib = order[n][i];
			uint8_t one[SHA256_BYTES];
			AUTO_BYTES whole = { calloc(1, MIB), MIB };

			assert_int_equal(
				rig_dump(r, uv_dump_storage_state, c, 0x720000, mib * UV_MIB), 1);
			memcpy(whole.data, frame_host_page(r->m, 0x700 + mib), FRAME_BYTES);
			digest_of_mib(out, whole.data, one);
			memcpy(digest + mib * SHA256_BYTES, one, sizeof(one));
		}
		if (n == 1)
			memcpy(digest + SHA256_BYTES, digest + 2 * SHA256_BYTES, SHA256_BYTES);
		used = (n ? 2 : 3) * SHA256_BYTES;
		assert_int_equal(sha256(digest, used, memory, NULL), 0);
		assert_int_equal(rig_dump(r, uv_dump_complete, c, 0x720000, 0), 1);
		key_of(c->cck, out + 16, &key);
		open_block(key, out, 80, 96, 272);
		expect_roots(out, n ? 1 : 0, 0, (n ? 2 : 3) * PAGES, memory, none);
	}
}

/* --- Dumps in a row ------------------------------------------------------------------------------ */

struct whole {
	uint8_t st[OUT_BYTES], cpu[2][OUT_BYTES], end[OUT_BYTES];
};

static void take(struct vm *vm, struct whole *w)
{
	init(vm);
	cpu_state(vm, w->cpu[0]);
	cpu_state(vm, w->cpu[1]);
	storage_state(vm, w->st);
	complete(vm, w->end);
}

/* Everything of a dump is its own but the form of the pages; the guest runs in between. */
static void test_two(void **state)
{
	AUTO(secret) struct secret *first = NULL;
	AUTO(secret) struct secret *second = NULL;
	const uint8_t *iv[6];
	struct vm *vm = *state;
	struct whole w[2];

	start_open(vm, DIAG_TWICE);
	take(vm, &w[0]);
	for (size_t i = 0; i < ARRAY_SIZE(image_pages); i++)
		import(vm, image_pages[i]);
	expect_diag("between", vm, 0x44);
	take(vm, &w[1]);
	for (size_t i = 0; i < 2; i++) {
		iv[3 * i] = w[i].cpu[0] + 8;
		iv[3 * i + 1] = w[i].cpu[1] + 8;
		iv[3 * i + 2] = w[i].end + 80;
	}
	for (size_t i = 0; i < 6; i++)
		for (size_t k = 0; k < i; k++)
			row_true("IV", memcmp(iv[i], iv[k], 12) != 0);
	row_true("seed", memcmp(w[0].end + 16, w[1].end + 16, 64) != 0);
	open_complete(vm, w[0].end, &first);
	open_complete(vm, w[1].end, &second);
	row_true("key", !secret_equal(first, second));
	row_mem("nonce and page key", w[1].end + 96, w[0].end + 96, 80);
	row_true("entries", memcmp(w[0].st, w[1].st, OUT_BYTES) != 0);
	open_cpu(first, w[0].cpu[1]);
	open_cpu(second, w[1].cpu[1]);
	assert_int_equal(aes_gcm_open(second, w[0].cpu[0] + 8, w[0].cpu[0], 32, w[0].cpu[0] + 32,
				      1520, w[0].cpu[0] + 32, w[0].cpu[0] + 1552, NULL),
			 -(int)ZPV_ERR_KEY);
}

/* --- Much storage -------------------------------------------------------------------------------- */

static double seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

#define LARGE_FIRST 0x4000u /* frame of its page 0 */

/* Runs of frames, two of 16 out of order; one run goes on from each MiB to the next. */
static uint64_t large_frame(uint64_t page)
{
	return LARGE_FIRST + (page % 16 / 2 == 2 ? page ^ 1 : page);
}

static void make_large(struct rig *r, struct uv_config *c)
{
	for (uint64_t i = 0; i < c->len / FRAME_BYTES; i++) {
		uint64_t frame = large_frame(i);

		rig_map(r, 0, i, frame);
		assert_int_equal(rig_gpage(r, uv_import, c, RIG_ORIGIN + i * FRAME_BYTES), 1);
		memcpy(frame_secure_page(r->m, frame), &i, sizeof(i));
		memset(frame_secure_page(r->m, frame) + 8, (int)(i % 251), FRAME_BYTES - 8);
	}
}

/* Each page of a MiB by its entry, with the keys that the dump gave out. */
static void expect_large(const struct rig *r, const uint8_t *end, const uint8_t *st, uint64_t first)
{
	for (uint64_t i = first; i < first + PAGES; i++) {
		uint8_t page[FRAME_BYTES], want[FRAME_BYTES];

		memcpy(page, frame_host_page(r->m, large_frame(i)), sizeof(page));
		open_page(end, st + (i - first) * 16, page);
		memset(want, (int)(i % 251), sizeof(want));
		memcpy(want, &i, sizeof(i));
		row_mem("page", page, want, sizeof(want));
	}
}

/* Two threads export; what they make must fit together. */
static void test_large(void **state)
{
	const char *mib_text = getenv("ZPV_DUMP_MIB");
	uint64_t mib = mib_text ? strtoul(mib_text, NULL, 10) : DEFAULT_MIB;
	AUTO(rig) struct rig *r = rig_new(LARGE_FIRST / 256 + mib);
	AUTO_BYTES st = { malloc(mib * OUT_BYTES), mib * OUT_BYTES };
	struct uv_config *c = rig_guest(r, mib);
	AUTO(secret) struct secret *key = NULL;
	uint8_t *out = frame_host_page(r->m, 0x320);
	double start, whole, cpu;

	(void)state;
	assert_non_null(st.data);
	make_large(r, c);
	assert_int_equal(rig_dump(r, uv_dump_init, c, 0, 0), 1);
	start = seconds(CLOCK_MONOTONIC);
	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	for (uint64_t i = 0; i < mib; i++) {
		assert_int_equal(rig_dump(r, uv_dump_storage_state, c, 0x320000, i * UV_MIB), 1);
		memcpy(st.data + i * OUT_BYTES, out, OUT_BYTES);
	}
	whole = seconds(CLOCK_MONOTONIC) - start;
	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	assert_int_equal(rig_dump(r, uv_dump_complete, c, 0x320000, 0), 1);
	key_of(c->cck, out + 16, &key);
	open_block(key, out, 80, 96, 272);
	assert_int_equal(at64(out + 192), mib * PAGES);
	assert_int_equal(c->exports, mib * PAGES);
	for (uint64_t i = 0; i < mib; i += 1 + mib / 16)
		expect_large(r, out, st.data + i * OUT_BYTES, i * PAGES);
	print_message(
		"# %llu MiB of resident pages: storage state in %.3f s (%.3f s of CPUs), %.2f GB/s\n",
		(unsigned long long)mib, whole, cpu, (double)mib * MIB / whole / 1e9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_key),
		cmocka_unit_test(test_known_complete),
		cmocka_unit_test(test_known_cpu),
		cmocka_unit_test(test_known_page),
		TEST(test_init),
		TEST(test_not_allowed),
		TEST(test_handles),
		TEST(test_profile),
		TEST(test_gaddr),
		TEST(test_active),
		TEST(test_ends),
		TEST(test_cpu),
		TEST(test_incomplete),
		TEST(test_open_interception),
		TEST(test_pages),
		TEST(test_goes_on),
		TEST(test_exhausted),
		TEST(test_areas),
		TEST(test_complete_lost),
		cmocka_unit_test(test_virtual),
		TEST(test_roots),
		cmocka_unit_test(test_roots_partial),
		TEST(test_two),
		cmocka_unit_test(test_large),
	};

	return cmocka_run_group_tests_name("ultravisor/dump", tests, group_setup, group_teardown);
}
