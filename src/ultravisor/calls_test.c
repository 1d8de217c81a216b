// SPDX-License-Identifier: MIT
/*
 * Ultravisor calls of a host: the rows of ultravisor.md section 9.1 (what kvm-unit-tests'
 * s390x/uv-host.c expects), the state machines of sections 4.15 to 4.18, donation and handles.
 */
#include <pthread.h>

#include "unit.h"

#include "hostkey.h"
#include "lowcore.h"
#include "machine_priv.h"
#include "sigp_order.h"
#include "uv.h"
#include "uv_priv.h"

#define MIB	  (1ull << 20)
#define RAM_END	  (2304 * MIB)
#define BASE	  0x80000000ull
#define BASE2	  (BASE + UV_BASE_STOR_BYTES)
#define BLOCK	  0x10000ull /* + a page for each CPU */
#define CODE	  0x8000ull
#define WAIT_PSW  0x8800ull
#define CAUGHT	  0xbad0ull /* where program interruptions lead to */
#define MASK_64	  (PSW_EA | PSW_BA)
#define GUEST_LEN (42 * MIB)

/* Storage for configuration n, and for its CPU k. */
#define AREA(n)	       (0x1000000ull + (n)*0x400000ull)
#define VIRT(n)	       (AREA(n) + 0x10000)
#define SCA(n)	       (AREA(n) + 0x200000)
#define TABLE(n)       (AREA(n) + 0x210000)
#define CPU_STOR(n, k) (AREA(n) + 0x220000 + (k)*UV_CPU_STOR_BYTES)
#define SCB(n, k)      (AREA(n) + 0x300000 + (k)*0x1000ull)
#define VIRT_BYTES     (UV_CONFIG_VIRT_BYTES + GUEST_LEN / MIB * UV_CONFIG_PER_MIB_BYTES)

/* Host tables: one MiB of page tables behind each segment table, which maps 32 MiB 1:1. */
#define HOME	   0x6000000ull
#define PRIMARY	   0x6100000ull
#define MAPPED_MIB 32
#define INVALID	   0x400u
#define REAL_SPACE 0x20u

struct bench {
	struct machine *m;
	struct uv *uv;
	struct cpu *cpu;
};

static struct zpv_host *identity;

/* --- Storage and calls ------------------------------------------------------------------------- */

static void put(const struct bench *b, uint64_t at, const void *data, size_t len)
{
	assert_int_equal(storage_write(b->m, (haddr_t){ at }, data, len).code, 0);
}

static void put64(const struct bench *b, uint64_t at, uint64_t v)
{
	be64 raw;

	be64_set(&raw, v);
	put(b, at, &raw, sizeof(raw));
}

static void get(const struct bench *b, uint64_t at, void *data, size_t len)
{
	assert_int_equal(storage_read(b->m, (haddr_t){ at }, data, len).code, 0);
}

static struct uvcb head_of(uint16_t cmd, size_t len)
{
	struct uvcb h = { 0 };

	be16_set(&h.cmd, cmd);
	be16_set(&h.len, (uint16_t)len);
	be16_set(&h.rc, 0x5555);
	be16_set(&h.rrc, 0x5555);
	return h;
}

/* Issues the block on a CPU by its page of BLOCK; the block is what comes back. Return: the rc. */
static uint16_t call_on(const struct bench *b, unsigned int cpu, void *block, size_t len)
{
	uint64_t at = BLOCK + cpu * FRAME_BYTES;
	struct uvcb before, after;
	unsigned int cc = 9;
	struct pic pic;

	memcpy(&before, block, sizeof(before));
	put(b, at, block, len);
	pic = cpu_uvc(machine_cpu(b->m, cpu), (haddr_t){ at }, &cc);
	get(b, at, block, len);
	memcpy(&after, block, sizeof(after));
	assert_int_equal(pic.code, 0);
	assert_int_equal(cc, be16_get(after.rc) != UV_RC_EXECUTED);
	assert_int_equal(be16_get(after.rrc), 0);
	assert_memory_equal(&before, &after, offsetof(struct uvcb, rc));
	return be16_get(after.rc);
}

static uint16_t call(const struct bench *b, void *block, size_t len)
{
	return call_on(b, 0, block, len);
}

static uint16_t call_handle(const struct bench *b, uint16_t cmd, uint64_t handle)
{
	struct uvcb_handle block = { .head = head_of(cmd, sizeof(block)) };

	be64_set(&block.handle, handle);
	return call(b, &block, sizeof(block));
}

static uint16_t set_state(const struct bench *b, uint64_t handle, uint8_t state)
{
	struct uvcb_cpu_state block = { .head = head_of(UVC_SET_CPU_STATE, sizeof(block)),
					.state = state };

	be64_set(&block.cpu_handle, handle);
	return call(b, &block, sizeof(block));
}

static struct uvcb_init init_block(uint64_t origin, uint64_t len)
{
	struct uvcb_init block = { .head = head_of(UVC_INIT, sizeof(block)) };

	be64_set(&block.stor_origin, origin);
	be64_set(&block.stor_len, len);
	return block;
}

static uint16_t init(const struct bench *b, uint64_t origin, uint64_t len)
{
	struct uvcb_init block = init_block(origin, len);

	return call(b, &block, sizeof(block));
}

static struct uvcb_create_config config_block(unsigned int n)
{
	struct uvcb_create_config block = { .head = head_of(UVC_CREATE_CONFIG, sizeof(block)) };

	be64_set(&block.base_stor_origin, AREA(n));
	be64_set(&block.virt_stor_origin, VIRT(n));
	be64_set(&block.guest_len, GUEST_LEN);
	be64_set(&block.guest_sca, SCA(n));
	be64_set(&block.guest_asce, TABLE(n) | 0x1c3);
	return block;
}

static uint64_t new_config(const struct bench *b, unsigned int n)
{
	struct uvcb_create_config block = config_block(n);

	assert_int_equal(call(b, &block, sizeof(block)), UV_RC_EXECUTED);
	return be64_get(block.handle);
}

static struct uvcb_create_cpu cpu_block(uint64_t config, unsigned int n, unsigned int k)
{
	struct uvcb_create_cpu block = { .head = head_of(UVC_CREATE_CPU, sizeof(block)) };

	be64_set(&block.config_handle, config);
	be64_set(&block.stor_origin, CPU_STOR(n, k));
	be64_set(&block.state_origin, SCB(n, k));
	be16_set(&block.num, (uint16_t)k);
	return block;
}

static uint64_t new_cpu(const struct bench *b, uint64_t config, unsigned int n, unsigned int k)
{
	struct uvcb_create_cpu block = cpu_block(config, n, k);

	assert_int_equal(call(b, &block, sizeof(block)), UV_RC_EXECUTED);
	return be64_get(block.cpu_handle);
}

/* --- A machine --------------------------------------------------------------------------------- */

static int identity_setup(void **state)
{
	struct zpv_err err = { 0 };
	struct unit_path dir;
	int rc = unit_dir_setup(state);

	if (rc)
		return rc;
	dir = unit_in(state, "host");
	rc = zpv_host_create(&(struct zpv_host_spec){ .dir = dir.s, .profile = ZPV_PROFILE_Z17 },
			     &err);
	return rc ? rc : zpv_host_open(dir.s, &identity, &err);
}

static int identity_teardown(void **state)
{
	zpv_host_free(identity);
	return unit_dir_teardown(state);
}

static int bench_setup(void **state)
{
	const struct machine_config config = { .storage_bytes = RAM_END, .cpus = 2 };
	struct bench *b = calloc(1, sizeof(*b));
	struct zpv_err err = { 0 };

	assert_non_null(b);
	row_ok("machine", machine_new(&config, &b->m, &err), err);
	row_ok("Ultravisor", uv_install(b->m, identity, &err), err);
	b->uv = b->m->uv;
	b->cpu = machine_cpu(b->m, 0);
	*state = b;
	return 0;
}

static int ready_setup(void **state)
{
	int rc = bench_setup(state);

	assert_int_equal(init(*state, BASE, UV_BASE_STOR_BYTES), UV_RC_EXECUTED);
	return rc;
}

static int bench_teardown(void **state)
{
	struct bench *b = *state;

	machine_free(b->m);
	free(b);
	return 0;
}

/* Keys that are not there, and those of other documents. */
static void test_install(void **state)
{
	const char *key = zpv_host_path(identity, ZPV_HOST_KEY);
	const char *backup = zpv_host_path(identity, ZPV_HOST_BACKUP_KEY);
	const struct machine_config config = { .storage_bytes = MIB, .cpus = 1 };
	struct zpv_err err = { 0 };
	struct unit_path away;
	struct machine *m;

	(void)state;
	snprintf(away.s, sizeof(away.s), "%s.away", key);
	row_ok("machine", machine_new(&config, &m, &err), err);
	assert_int_equal(rename(key, away.s), 0);
	row_int("no key", uv_install(m, identity, &err), -ZPV_ERR_IO);
	assert_int_equal(rename(backup, key), 0);
	row_int("backup key as host key", uv_install(m, identity, &err), -ZPV_ERR_KEY);
	assert_int_equal(rename(key, backup), 0);
	assert_int_equal(rename(away.s, key), 0);
	assert_null(m->secure_ops);
	row_ok("good", uv_install(m, identity, &err), err);
	machine_free(m);
}

/* --- A host program ---------------------------------------------------------------------------- */

/* Executes the instruction with GR2. Return: code of its program interruption, or 0 with the CC. */
static uint16_t run_insn(const struct bench *b, const char *insn, uint64_t mask, uint64_t gr2,
			 unsigned int *cc)
{
	AUTO_BYTES code = unit_hex(insn), rest = unit_hex("b2220010 b2b23000");
	uint64_t got_mask, got;
	be16 pgm;

	put(b, CODE, code.data, code.len);
	put(b, CODE + code.len, rest.data, rest.len);
	put64(b, WAIT_PSW, PSW_WAIT | MASK_64);
	put64(b, WAIT_PSW + 8, CODE);
	put64(b, 0x1d0, PSW_WAIT | MASK_64);
	put64(b, 0x1d8, CAUGHT);
	cpu_set_gr(b->cpu, 2, gr2);
	cpu_set_gr(b->cpu, 3, WAIT_PSW);
	cpu_set_psw(b->cpu, MASK_64 | mask, CODE);
	assert_int_equal(cpu_run(b->cpu), CPU_STOP_WAIT);
	cpu_psw(b->cpu, &got_mask, &got);
	*cc = (unsigned int)(cpu_gr(b->cpu, 1) >> 28 & 3);
	get(b, offsetof(struct lowcore, pgm_code), &pgm, sizeof(pgm));
	return got == CAUGHT ? be16_get(pgm) : 0;
}

/* UVC by a host program; the block at BLOCK is what comes back. */
static uint16_t run_uvc(const struct bench *b, uint64_t mask, void *block, size_t len)
{
	unsigned int cc;
	struct uvcb h;
	uint16_t pgm;

	put(b, BLOCK, block, len);
	pgm = run_insn(b, "b9a40002", mask, BLOCK, &cc);
	get(b, BLOCK, block, len);
	memcpy(&h, block, sizeof(h));
	assert_int_equal(pgm, 0);
	assert_int_equal(cc, be16_get(h.rc) != UV_RC_EXECUTED);
	return be16_get(h.rc);
}

static uint64_t pte_at(uint64_t space, uint64_t va)
{
	return space + 0x4000 + (va >> 20) * 0x800 + (va >> 12 & 0xff) * 8;
}

/* Return: the ASCE of a segment table. */
static uint64_t new_space(const struct bench *b, uint64_t space)
{
	for (uint64_t i = 0; i < 512; i++)
		put64(b, space + i * 8, i < MAPPED_MIB ? pte_at(space, i * MIB) : 0x20);
	for (uint64_t va = 0; va < MAPPED_MIB * MIB; va += FRAME_BYTES)
		put64(b, pte_at(space, va), va);
	return space;
}

static void set_pte(const struct bench *b, uint64_t space, uint64_t va, uint64_t pte)
{
	put64(b, pte_at(space, va), pte);
	machine_purge(b->m);
}

/* --- The instruction --------------------------------------------------------------------------- */

static const struct command {
	uint16_t code;
	uint16_t len;
	uint8_t bit;
	const char *name;
} host_commands[] = {
	{ UVC_INIT, 0x48, 1, "init" },
	{ UVC_CREATE_CONFIG, 0x80, 2, "create config" },
	{ UVC_DESTROY_CONFIG, 0x40, 3, "destroy config" },
	{ UVC_CREATE_CPU, 0x60, 4, "create cpu" },
	{ UVC_DESTROY_CPU, 0x40, 5, "destroy cpu" },
	{ UVC_IMPORT, 0x28, 6, "import" },
	{ UVC_EXPORT, 0x20, 7, "export" },
	{ UVC_DESTROY_PAGE, 0x20, 12, "destroy page" },
	{ UVC_SET_PARMS, 0x50, 11, "set parms" },
	{ UVC_UNPACK, 0x50, 13, "unpack" },
	{ UVC_VERIFY, 0x40, 14, "verify" },
	{ UVC_CPU_RESET, 0x40, 15, "reset" },
	{ UVC_CPU_RESET_INITIAL, 0x40, 16, "initial reset" },
	{ UVC_SET_CPU_STATE, 0x50, 17, "set state" },
	{ UVC_PREPARE_RESET, 0x40, 18, "prepare reset" },
	{ UVC_CPU_RESET_CLEAR, 0x40, 19, "clear reset" },
	{ UVC_UNSHARE_ALL, 0x40, 20, "unshare all" },
	{ UVC_PIN, 0x20, 21, "pin" },
	{ UVC_UNPIN, 0x28, 22, "unpin" },
	{ UVC_DUMP_INIT, 0x40, 24, "dump init" },
	{ UVC_DUMP_STORAGE_STATE, 0x50, 25, "dump storage state" },
	{ UVC_DUMP_CPU, 0x50, 26, "dump cpu" },
	{ UVC_DUMP_COMPLETE, 0x50, 27, "dump complete" },
};

static void test_instruction(void **state)
{
	static const struct {
		const char *name, *insn;
		uint64_t mask, at;
		uint16_t pgm;
	} rows[] = {
		{ "R3 and M4", "b9a44202", 0, BLOCK, PGM_SPECIFICATION },
		{ "R3 alone", "b9a44002", 0, BLOCK, PGM_SPECIFICATION },
		{ "M4 alone", "b9a40202", 0, BLOCK, PGM_SPECIFICATION },
		{ "problem state and R3", "b9a44002", PSW_PROBLEM, BLOCK, PGM_PRIVILEGED },
		{ "alignment", "b9a40002", 0, BLOCK + 4, PGM_SPECIFICATION },
		{ "outside", "b9a40002", 0, RAM_END, PGM_ADDRESSING },
		{ "R1 is ignored", "b9a400f2", 0, BLOCK, 0 },
	};
	struct uvcb_query query = { .head = head_of(UVC_QUERY, sizeof(query)) };
	struct bench *b = *state;
	unsigned int cc = 9;

	put(b, BLOCK, &query, sizeof(query));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		row_int(rows[i].name, run_insn(b, rows[i].insn, rows[i].mask, rows[i].at, &cc),
			rows[i].pgm);
	assert_int_equal(cc, 0);
	for (size_t i = 0; i < ARRAY_SIZE(host_commands); i++) {
		struct uvcb h = head_of(host_commands[i].code, host_commands[i].len);

		put(b, BLOCK, &h, sizeof(h));
		row_int(host_commands[i].name, run_insn(b, "b9a40002", PSW_PROBLEM, BLOCK, &cc),
			PGM_PRIVILEGED);
	}
}

/* A block in storage that is not the host's; and one of which only the header is there. */
static void test_block_place(void **state)
{
	struct uvcb unknown = head_of(0x4242, 8), too_long = head_of(UVC_INIT, 0x50);
	struct uvcb_init block = init_block(BASE2, UV_BASE_STOR_BYTES);
	struct bench *b = *state;
	unsigned int cc;
	struct pic pic = cpu_uvc(b->cpu, (haddr_t){ BASE + 0x1000 }, &cc);

	assert_int_equal(pic.code, PGM_SECURE_ACCESS);
	assert_int_equal(pic.teid & (~0xfffull | TEID_ADDRESS_VALID),
			 (BASE + 0x1000) | TEID_ADDRESS_VALID);
	put(b, RAM_END - 8, &unknown, sizeof(unknown));
	assert_int_equal(cpu_uvc(b->cpu, (haddr_t){ RAM_END - 8 }, &cc).code, 0);
	assert_int_equal(cc, 1);
	get(b, RAM_END - 8, &unknown, sizeof(unknown));
	assert_int_equal(be16_get(unknown.rc), UV_RC_INVALID_COMMAND);
	put(b, RAM_END - 8, &too_long, sizeof(too_long));
	assert_int_equal(cpu_uvc(b->cpu, (haddr_t){ RAM_END - 8 }, &cc).code, 0);
	get(b, RAM_END - 8, &too_long, sizeof(too_long));
	assert_int_equal(be16_get(too_long.rc), UV_RC_INVALID_LENGTH);
	put(b, RAM_END - 8, &block, 8);
	assert_int_equal(cpu_uvc(b->cpu, (haddr_t){ RAM_END - 8 }, &cc).code, PGM_ADDRESSING);
}

/* With DAT the block is home-space virtual, and its access counts before any state. */
static void test_access(void **state)
{
	struct uvcb_query query = { .head = head_of(UVC_QUERY, sizeof(query)) };
	struct uvcb_create_config config = config_block(0);
	struct bench *b = *state;
	unsigned int cc;

	cpu_set_cr(b->cpu, 1, new_space(b, PRIMARY));
	cpu_set_cr(b->cpu, 13, new_space(b, HOME));
	set_pte(b, HOME, BLOCK + FRAME_BYTES, INVALID);
	set_pte(b, PRIMARY, BLOCK, INVALID);
	for (size_t i = 0; i < ARRAY_SIZE(host_commands); i++) {
		struct uvcb h = head_of(host_commands[i].code, host_commands[i].len);

		put(b, BLOCK + FRAME_BYTES, &h, sizeof(h));
		row_int(host_commands[i].name,
			run_insn(b, "b9a40002", PSW_DAT, BLOCK + FRAME_BYTES, &cc), PGM_PAGE);
		put(b, BLOCK + FRAME_BYTES - 8, &h, sizeof(h));
		row_int(host_commands[i].name,
			run_insn(b, "b9a40002", PSW_DAT, BLOCK + FRAME_BYTES - 8, &cc), PGM_PAGE);
	}
	assert_int_equal(run_uvc(b, PSW_DAT, &query, sizeof(query)), UV_RC_EXECUTED);
	set_pte(b, HOME, BLOCK, BLOCK | 0x200);
	assert_int_equal(run_insn(b, "b9a40002", PSW_DAT, BLOCK, &cc), PGM_PROTECTION);
	set_pte(b, HOME, BLOCK, BLOCK);
	set_pte(b, HOME, BLOCK + FRAME_BYTES, (BLOCK + FRAME_BYTES) | 0x200);
	put(b, BLOCK + FRAME_BYTES - 8, &config, sizeof(config));
	assert_int_equal(run_insn(b, "b9a40002", PSW_DAT, BLOCK + FRAME_BYTES - 8, &cc),
			 PGM_PROTECTION);
	assert_null(b->uv->configs); /* nothing was done */
}

/* Without DAT the addresses are real. */
static void test_real(void **state)
{
	static const struct {
		uint64_t va, frame;
	} rows[] = { { 0x0000, 4 }, { 0x1fff, 5 }, { 0x4000, 0 }, { 0x5000, 1 }, { 0x6000, 6 } };
	struct bench *b = *state;
	uint64_t frame = 99;

	b->cpu->prefix = 0x4000;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(uv_virtual_frame(b->cpu, rows[i].va, &frame).code, 0);
		assert_int_equal(frame, rows[i].frame);
	}
	assert_int_equal(uv_virtual_frame(b->cpu, RAM_END, &frame).code, PGM_ADDRESSING);
}

/* --- Commands that are not there --------------------------------------------------------------- */

static void test_unknown(void **state)
{
	static const uint16_t codes[] = { 0x0000,	  0x4242,      0xffff,
					  UVC_SHARE,	  UVC_UNSHARE, UVC_ATTEST,
					  UVC_ADD_SECRET, 0x0203,      0x0102 };
	struct uvcb h;

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		h = head_of(codes[i], sizeof(h));
		assert_int_equal(call(*state, &h, sizeof(h)), UV_RC_INVALID_COMMAND);
	}
}

/* In each profile what QUERY reports is what there is. */
static void test_profiles(void **state)
{
	static const uint64_t words[] = { [ZPV_PROFILE_Z15] = 0xff1ffe0000000000,
					  [ZPV_PROFILE_Z16] = 0xff1ffef000000000,
					  [ZPV_PROFILE_Z17] = 0xff1ffef020000000 };
	static const uint64_t pcf[] = { 0x100000e0, 0x300000e2, 0x300000e2 };
	struct uvcb_query_keys keys = { .head = head_of(UVC_QUERY_KEYS, sizeof(keys)) };
	struct bench *b = *state;

	for (unsigned int p = 0; p < ARRAY_SIZE(words); p++) {
		struct uvcb_query q = { .head = head_of(UVC_QUERY, sizeof(q)) };
		uint8_t block[0x80] = { 0 };

		b->uv->profile = uv_profile(p);
		assert_int_equal(call(b, &q, sizeof(q)), UV_RC_EXECUTED);
		assert_int_equal(be64_get(q.calls[0]), words[p]);
		assert_int_equal(be64_get(q.hdr_pcf), pcf[p]);
		assert_int_equal(be64_get(q.dump_per_mib_len), p == ZPV_PROFILE_Z15 ? 0 : 0x1000);
		assert_int_equal(be64_get(q.dump_complete_len), p == ZPV_PROFILE_Z15 ? 0 : 0x1000);
		for (size_t i = 1; i < ARRAY_SIZE(host_commands); i++) {
			const struct command *c = &host_commands[i];
			struct uvcb h = head_of(c->code, c->len);

			memcpy(block, &h, sizeof(h));
			row_int(c->name, call(b, block, c->len),
				words[p] & BIT64(c->bit) ? UV_RC_INVALID_STATE :
							   UV_RC_INVALID_COMMAND);
		}
		row_int("query keys", call(b, &keys, sizeof(keys)),
			words[p] & BIT64(34) ? UV_RC_EXECUTED : UV_RC_INVALID_COMMAND);
	}
	assert_memory_equal(keys.hash[0], zpv_host_hash(identity), sizeof(keys.hash[0]));
	assert_memory_equal(keys.hash[1], zpv_host_backup_hash(identity), sizeof(keys.hash[1]));
	for (size_t i = 0; i < sizeof(keys.hash[2]); i++)
		assert_int_equal(keys.hash[2][i], 0);
}

static void test_lengths(void **state)
{
	static const int off[] = { -8, -1, 1, 8 };

	for (size_t i = 0; i < ARRAY_SIZE(host_commands) * ARRAY_SIZE(off); i++) {
		const struct command *c = &host_commands[i / ARRAY_SIZE(off)];
		struct uvcb h = head_of(c->code, (size_t)(c->len + off[i % ARRAY_SIZE(off)]));
		uint8_t block[0x100] = { 0 };

		memcpy(block, &h, sizeof(h));
		row_int(c->name, call(*state, block, sizeof(block)), UV_RC_INVALID_LENGTH);
	}
}

/* --- QUERY ------------------------------------------------------------------------------------- */

static void test_query_values(void **state)
{
	struct uvcb_query q = { .head = head_of(UVC_QUERY, sizeof(q)) };
	static const struct {
		const char *name;
		uint16_t at;
		uint8_t bytes;
		uint64_t want;
	} rows[] = {
		{ "base", 0x40, 8, 0x200000 },
		{ "config base", 0x50, 8, 0x4000 },
		{ "virt", 0x58, 8, 0x1000 },
		{ "virt per MiB", 0x60, 8, 0x4000 },
		{ "cpu", 0x68, 8, 0x1000 },
		{ "configs", 0x7c, 4, 0x400 },
		{ "guest", 0x80, 8, 0x7fffffffffff },
		{ "cpu id", 0x9e, 2, 247 },
		{ "features", 0xa0, 8, 1ull << 63 },
		{ "versions", 0xb0, 8, 1ull << 63 },
		{ "dump MiB", 0xc8, 8, 0x1000 },
		{ "dump end", 0xd0, 8, 0x1000 },
		{ "attest", 0xe0, 8, 0 },
		{ "secrets", 0xf8, 8, 0 },
		{ "secret types", 0x108, 8, 0 },
		{ "max secrets", 0x110, 4, 0 },
	};

	memset((uint8_t *)&q + 8, 0xee, sizeof(q) - 8);
	assert_int_equal(call(*state, &q, sizeof(q)), UV_RC_EXECUTED);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t v = 0;

		for (unsigned int k = 0; k < rows[i].bytes; k++)
			v = v << 8 | ((const uint8_t *)&q)[rows[i].at + k];
		row_int(rows[i].name, v, rows[i].want);
	}
	for (size_t i = 0; i < sizeof(q.reserved88); i++)
		assert_int_equal(q.reserved88[i], 0);
}

static void test_query_lengths(void **state)
{
	static const struct {
		uint16_t len, rc;
	} rows[] = {
		{ 0x08, UV_RC_INVALID_LENGTH }, { 0xa0, UV_RC_INVALID_LENGTH },
		{ 0xa8, UV_RC_MORE_DATA },	{ 0xc8, UV_RC_MORE_DATA },
		{ 0xc9, UV_RC_INVALID_LENGTH }, { 0x100, UV_RC_MORE_DATA },
		{ 0x120, UV_RC_EXECUTED },	{ 0x124, UV_RC_INVALID_LENGTH },
		{ 0x128, UV_RC_EXECUTED },	{ 0x2008, UV_RC_EXECUTED },
	};
	static uint8_t buf[0x3000];
	char name[8];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct uvcb h = head_of(UVC_QUERY, rows[i].len);
		bool stored = rows[i].rc != UV_RC_INVALID_LENGTH;

		snprintf(name, sizeof(name), "%#x", rows[i].len);
		memset(buf, 0xee, sizeof(buf));
		memcpy(buf, &h, sizeof(h));
		row_int(name, call(*state, buf, sizeof(buf)), rows[i].rc);
		row_int(name, buf[8], stored ? 0 : 0xee);
		row_int(name, buf[rows[i].len], 0xee);
		for (size_t k = 0x114; stored && k < rows[i].len; k++)
			row_int(name, buf[k], 0);
	}
}

/* --- INIT -------------------------------------------------------------------------------------- */

static void test_init(void **state)
{
	static const struct {
		const char *name;
		uint64_t origin, len;
		uint16_t rc;
	} rows[] = {
		{ "length", BASE, UV_BASE_STOR_BYTES - 8, 0x0103 },
		{ "length before origin", 0, 0, 0x0103 },
		{ "alignment", BASE + FRAME_BYTES, UV_BASE_STOR_BYTES, 0x0104 },
		{ "end of storage", RAM_END, UV_BASE_STOR_BYTES, 0x0105 },
		{ "over the end", RAM_END - MIB, UV_BASE_STOR_BYTES, 0x0105 },
		{ "wraps", 0 - MIB, UV_BASE_STOR_BYTES, 0x0105 },
		{ "low", 0x40000000, UV_BASE_STOR_BYTES, 0x0108 },
		{ "low before alignment", 0x7fffffff, UV_BASE_STOR_BYTES, 0x0108 },
		{ "good", BASE, UV_BASE_STOR_BYTES, UV_RC_EXECUTED },
		{ "again", BASE2, UV_BASE_STOR_BYTES, 0x0101 },
		{ "again before length", BASE2, 0, 0x0101 },
	};
	struct uvcb_init inside = init_block(BASE, UV_BASE_STOR_BYTES);
	struct bench *b = *state;
	unsigned int cc;

	put(b, BASE + 0x10000, &inside, sizeof(inside));
	assert_int_equal(cpu_uvc(b->cpu, (haddr_t){ BASE + 0x10000 }, &cc).code, 0);
	get(b, BASE + 0x10000, &inside, sizeof(inside));
	row_int("block inside", be16_get(inside.head.rc), 0x0105);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		row_int(rows[i].name, init(b, rows[i].origin, rows[i].len), rows[i].rc);
}

static void *run_second(void *arg)
{
	return (void *)(uintptr_t)cpu_run(arg);
}

static void test_init_alone(void **state)
{
	struct bench *b = *state;
	struct cpu *other = machine_cpu(b->m, 1);
	AUTO_BYTES loop = unit_hex("a7f40000");
	pthread_t thread;

	put(b, CODE, loop.data, loop.len);
	cpu_set_psw(other, MASK_64, CODE);
	assert_int_equal(pthread_create(&thread, NULL, run_second, other), 0);
	while (!atomic_load(&other->inside))
		sched_yield();
	row_int("looping", init(b, BASE, UV_BASE_STOR_BYTES), 0x0102);
	row_int("looping", init(b, BASE, 0), 0x0103);
	intr_request(other, INTR_STOP);
	pthread_join(thread, NULL);
	atomic_store(&cpu_pending(other)->state, CPU_OPERATING);
	row_int("operating", init(b, BASE, UV_BASE_STOR_BYTES), 0x0102);
	atomic_store(&cpu_pending(other)->state, CPU_STOPPED);
	row_int("alone", init(b, BASE, UV_BASE_STOR_BYTES), UV_RC_EXECUTED);
}

/* --- Donation ---------------------------------------------------------------------------------- */

/* Every page gives a secure-storage access exception with its address, for reads and writes. */
static void expect_donated(const struct bench *b, const char *row, uint64_t at, uint64_t len)
{
	uint64_t v = 0;

	for (uint64_t page = at; page < at + len; page += FRAME_BYTES) {
		struct pic r = storage_read(b->m, (haddr_t){ page + 8 }, &v, sizeof(v));
		struct pic w = storage_write(b->m, (haddr_t){ page + 16 }, &v, sizeof(v));

		row_int(row, r.code, PGM_SECURE_ACCESS);
		row_int(row, r.teid, page | TEID_ADDRESS_VALID);
		row_int(row, w.code, PGM_SECURE_ACCESS);
	}
}

static void fill(const struct bench *b, uint64_t at, uint64_t len)
{
	uint8_t page[FRAME_BYTES];

	memset(page, 0xa5, sizeof(page));
	for (uint64_t p = at; p < at + len; p += FRAME_BYTES)
		put(b, p, page, sizeof(page));
}

static void expect_zero(const struct bench *b, const char *row, uint64_t at, uint64_t len)
{
	static const uint8_t zeros[FRAME_BYTES];
	uint8_t page[FRAME_BYTES];

	for (uint64_t p = at; p < at + len; p += FRAME_BYTES) {
		get(b, p, page, sizeof(page));
		row_mem(row, page, zeros, sizeof(page));
	}
}

static uint64_t donated(const struct bench *b)
{
	return machine_frame_counts(b->m).donated * FRAME_BYTES;
}

static void test_donation(void **state)
{
	struct bench *b = *state;
	uint64_t config, cpu;

	expect_donated(b, "base", BASE, UV_BASE_STOR_BYTES);
	fill(b, AREA(0), 0x300000);
	config = new_config(b, 0);
	cpu = new_cpu(b, config, 0, 3);
	expect_donated(b, "config base", AREA(0), UV_CONFIG_BASE_BYTES);
	expect_donated(b, "config virt", VIRT(0), VIRT_BYTES);
	expect_donated(b, "cpu", CPU_STOR(0, 3), UV_CPU_STOR_BYTES);
	assert_int_equal(donated(b), UV_BASE_STOR_BYTES + UV_CONFIG_BASE_BYTES + VIRT_BYTES +
					     UV_CPU_STOR_BYTES);
	assert_int_equal(call_handle(b, UVC_DESTROY_CPU, cpu), UV_RC_EXECUTED);
	expect_zero(b, "cpu", CPU_STOR(0, 3), UV_CPU_STOR_BYTES);
	assert_int_equal(call_handle(b, UVC_DESTROY_CONFIG, config), UV_RC_EXECUTED);
	expect_zero(b, "config base", AREA(0), UV_CONFIG_BASE_BYTES);
	expect_zero(b, "config virt", VIRT(0), VIRT_BYTES);
	assert_int_equal(donated(b), UV_BASE_STOR_BYTES);
}

/* Nothing of an earlier owner is in storage that is donated. */
static void test_donation_is_clean(void **state)
{
	struct bench *b = *state;
	uint64_t frame = AREA(0) / FRAME_BYTES;

	memset(frame_secure_page(b->m, frame), 0x77, FRAME_BYTES);
	(void)new_config(b, 0);
	for (size_t i = 0; i < FRAME_BYTES; i++)
		assert_int_equal(frame_secure_page(b->m, frame)[i], 0);
}

/* Host system reset (section 2): everything is gone, zeroed, and INIT is due again. */
static void test_reset(void **state)
{
	struct bench *b = *state;
	uint64_t config;

	fill(b, AREA(0), 0x300000);
	config = new_config(b, 0);
	(void)new_cpu(b, config, 0, 0);
	(void)new_cpu(b, config, 0, 1);
	(void)new_config(b, 1);
	b->m->secure_ops->reset(b->uv);
	expect_zero(b, "base", BASE, UV_BASE_STOR_BYTES);
	expect_zero(b, "config base", AREA(0), UV_CONFIG_BASE_BYTES);
	expect_zero(b, "config virt", VIRT(0), VIRT_BYTES);
	expect_zero(b, "cpu", CPU_STOR(0, 0), 2 * UV_CPU_STOR_BYTES);
	assert_int_equal(donated(b), 0);
	for (size_t i = 1; i < ARRAY_SIZE(host_commands); i++) {
		const struct command *c = &host_commands[i];
		struct uvcb h = head_of(c->code, c->len);
		uint8_t block[0x80] = { 0 };

		memcpy(block, &h, sizeof(h));
		row_int(c->name, call(b, block, c->len), UV_RC_INVALID_STATE);
	}
	assert_int_equal(init(b, BASE2, UV_BASE_STOR_BYTES), UV_RC_EXECUTED);
	assert_int_equal(call_handle(b, UVC_DESTROY_CONFIG, config), UV_RC_CONFIG_HANDLE);
}

/* --- CREATE CONFIG ----------------------------------------------------------------------------- */

#define SET(field, v) offsetof(struct uvcb_create_config, field), v

static void test_create_config(void **state)
{
	static const struct {
		const char *name;
		size_t at;
		uint64_t v;
		uint16_t rc;
	} rows[] = {
		{ "origin", SET(guest_origin, UV_MAX_GUEST_ADDR + 2 * MIB + 1), 0x0101 },
		{ "end", SET(guest_origin, UV_MAX_GUEST_ADDR - MIB), 0x0102 },
		{ "end wraps", SET(guest_len, 0 - MIB), 0x0102 },
		{ "origin's alignment", SET(guest_origin, 0x1000), 0x0103 },
		{ "length's alignment", SET(guest_len, MIB + 0x1000), 0x0103 },
		{ "no length", SET(guest_len, 0), 0x0103 },
		{ "ASCE in use", SET(guest_asce, TABLE(7) | 0x1c3), 0x0104 },
		{ "ASCE P", SET(guest_asce, TABLE(0) | 0xc3), 0x0105 },
		{ "ASCE R", SET(guest_asce, TABLE(0) | 0x1e3), 0x0105 },
		{ "ASCE table", SET(guest_asce, RAM_END | 0x1c0), 0x0106 },
		{ "ASCE table's end", SET(guest_asce, (RAM_END - 0x3000) | 0x1c3), 0x0106 },
		{ "ASCE table donated", SET(guest_asce, BASE | 0x1c0), 0x0106 },
		{ "base's alignment", SET(base_stor_origin, AREA(0) + 0x1000), 0x0107 },
		{ "base outside", SET(base_stor_origin, RAM_END + 8), 0x0108 },
		{ "base over the end", SET(base_stor_origin, RAM_END - 0x3000), 0x0108 },
		{ "base in the lowcore", SET(base_stor_origin, 0x1000), 0x0109 },
		{ "base reaches a lowcore", SET(base_stor_origin, 0), 0x0109 },
		{ "variable's alignment", SET(virt_stor_origin, VIRT(0) + 8), 0x010a },
		{ "variable above", SET(virt_stor_origin, UV_MAX_GUEST_ADDR + 1), 0x010a },
		{ "variable outside", SET(virt_stor_origin, RAM_END), 0x010b },
		{ "variable over the end", SET(virt_stor_origin, RAM_END - 0x1000), 0x010b },
		{ "more than there is", SET(guest_len, 0x40000 * MIB), 0x010b },
		{ "no SCA", SET(guest_sca, 0), 0x010c },
		{ "SCA outside", SET(guest_sca, RAM_END + 0x4000), 0x010d },
		{ "SCA donated", SET(guest_sca, BASE), 0x010d },
		{ "base donated", SET(base_stor_origin, BASE), 0x010e },
		{ "base of another", SET(base_stor_origin, AREA(7)), 0x010e },
		{ "variable donated", SET(virt_stor_origin, BASE), 0x010e },
		{ "variable is base", SET(virt_stor_origin, AREA(0) + 0x1000), 0x010e },
		{ "variable is lowcore", SET(virt_stor_origin, 0), 0x010e },
		{ "block inside", SET(base_stor_origin, BLOCK), 0x010e },
		{ "AP", SET(reserved30, UV_CONFIG_FLAG_AP), 0x0110 }, /* flags lie at its end */
		{ "AP interpreted", SET(reserved30, UV_CONFIG_FLAG_AP_INTR), 0x0110 },
	};
	struct bench *b = *state;
	uint64_t other = new_config(b, 7), before = donated(b);
	struct uvcb_create_config block;
	unsigned int cc;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		block = config_block(0);
		be64_set(&block.handle, 0x1234);
		be64_set((be64 *)(void *)((uint8_t *)&block + rows[i].at), rows[i].v);
		row_int(rows[i].name, call(b, &block, sizeof(block)), rows[i].rc);
		row_int(rows[i].name, be64_get(block.handle), 0);
		row_int(rows[i].name, donated(b), before);
	}
	block = config_block(0);
	put(b, AREA(0) - 0x20, &block, sizeof(block));
	assert_int_equal(cpu_uvc(b->cpu, (haddr_t){ AREA(0) - 0x20 }, &cc).code, 0);
	get(b, AREA(0) - 0x20, &block, sizeof(block));
	row_int("block's end inside", be16_get(block.head.rc), 0x010e);
	block = config_block(0);
	assert_int_equal(call(b, &block, sizeof(block)), UV_RC_EXECUTED);
	assert_true(be64_get(block.handle) && be64_get(block.handle) != other);
	row_int("same block", call(b, &block, sizeof(block)), 0x0104);
	row_int("same block", be64_get(block.handle), 0);
}

/* The first wrong operand is told, in the order of section 4.4 with KUT's exceptions. */
static void test_create_config_order(void **state)
{
	static const struct {
		size_t at;
		uint64_t good;
		uint16_t rc;
	} rows[] = {
		{ SET(guest_origin, 0), 0x0101 },
		{ SET(guest_asce, TABLE(0) | 0x1c3), 0x0105 },
		{ SET(base_stor_origin, AREA(0)), 0x0108 },
		{ SET(virt_stor_origin, VIRT(0)), 0x010a },
		{ SET(guest_sca, SCA(0)), 0x010c },
		{ SET(reserved30, 0), 0x0110 },
	};
	struct uvcb_create_config block = config_block(0);
	struct bench *b = *state;

	be64_set(&block.guest_origin, UV_MAX_GUEST_ADDR + 1);
	be64_set(&block.guest_asce, 0x1c3 | REAL_SPACE);
	be64_set(&block.base_stor_origin, RAM_END + 8);
	be64_set(&block.virt_stor_origin, 8);
	be64_set(&block.guest_sca, 0);
	be16_set(&block.flags, UV_CONFIG_FLAG_AP);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(call(b, &block, sizeof(block)), rows[i].rc);
		be64_set((be64 *)(void *)((uint8_t *)&block + rows[i].at), rows[i].good);
	}
	assert_int_equal(call(b, &block, sizeof(block)), UV_RC_EXECUTED);
}

/* Variable storage is home-space virtual and may be scattered, but no frame is used twice. */
static void test_scattered(void **state)
{
	struct uvcb_create_config block = config_block(0), again = config_block(1);
	uint64_t va = VIRT(0), frame = 0x5000000;
	struct bench *b = *state;

	cpu_set_cr(b->cpu, 1, new_space(b, PRIMARY));
	cpu_set_cr(b->cpu, 13, new_space(b, HOME));
	be64_set(&block.guest_len, MIB);
	set_pte(b, HOME, va + 0x1000, frame);
	set_pte(b, HOME, va + 0x3000, INVALID);
	row_int("invalid", run_uvc(b, PSW_DAT, &block, sizeof(block)), 0x010b);
	set_pte(b, HOME, va + 0x3000, frame);
	row_int("twice", run_uvc(b, PSW_DAT, &block, sizeof(block)), 0x010e);
	set_pte(b, HOME, va + 0x3000, BLOCK);
	row_int("block", run_uvc(b, PSW_DAT, &block, sizeof(block)), 0x010e);
	set_pte(b, HOME, va + 0x3000, RAM_END);
	row_int("outside", run_uvc(b, PSW_DAT, &block, sizeof(block)), 0x010b);
	set_pte(b, HOME, va + 0x3000, frame + 0x5000);
	cpu_set_cr(b->cpu, 13, HOME | REAL_SPACE);
	row_int("real space", run_uvc(b, PSW_DAT, &block, sizeof(block)), UV_RC_REAL_SPACE);
	cpu_set_cr(b->cpu, 13, HOME);
	row_int("scattered", run_uvc(b, PSW_DAT, &block, sizeof(block)), UV_RC_EXECUTED);
	expect_donated(b, "scattered", frame, FRAME_BYTES);
	expect_donated(b, "scattered", frame + 0x5000, FRAME_BYTES);
	expect_donated(b, "in place", va, FRAME_BYTES);
	expect_zero(b, "not used", va + 0x1000, FRAME_BYTES);
	be64_set(&again.virt_stor_origin, va);
	row_int("donated", run_uvc(b, PSW_DAT, &again, sizeof(again)), 0x010e);
	assert_int_equal(call_handle(b, UVC_DESTROY_CONFIG, be64_get(block.handle)),
			 UV_RC_EXECUTED);
	expect_zero(b, "back", frame, FRAME_BYTES);
	assert_int_equal(donated(b), UV_BASE_STOR_BYTES);
}

/* As many as are reported, whatever was made and destroyed before. */
static void test_many(void **state)
{
	struct bench *b = *state;
	uint64_t last = 0;

	for (unsigned int i = 0; i < 3000; i++) {
		struct uvcb_create_config block = config_block(0);
		uint64_t handle;

		be64_set(&block.guest_len, MIB);
		assert_int_equal(call(b, &block, sizeof(block)), UV_RC_EXECUTED);
		handle = be64_get(block.handle);
		assert_int_not_equal(handle, last);
		assert_int_equal(call_handle(b, UVC_DESTROY_CONFIG, handle), UV_RC_EXECUTED);
		last = handle;
	}
	b->uv->nconfigs = UV_MAX_CONFIGS;
	{
		struct uvcb_create_config block = config_block(0);

		assert_int_equal(call(b, &block, sizeof(block)), 0x010f);
	}
	b->uv->nconfigs = 0;
	assert_int_equal(donated(b), UV_BASE_STOR_BYTES);
}

/* --- CREATE CPU -------------------------------------------------------------------------------- */

#undef SET
#define SET(field, v) offsetof(struct uvcb_create_cpu, field), v

static void test_create_cpu(void **state)
{
	static const struct {
		const char *name;
		size_t at;
		uint64_t v;
		uint16_t rc;
	} rows[] = {
		{ "storage's alignment", SET(stor_origin, CPU_STOR(0, 1) + 8), 0x0101 },
		{ "number", SET(reserved30, UV_MAX_CPU_ID + 1), 0x0103 }, /* num is at its end */
		{ "defined", SET(reserved30, 0), 0x0104 },
		{ "storage outside", SET(stor_origin, RAM_END + 0x1000), 0x0105 },
		{ "storage in the lowcore", SET(stor_origin, 0), 0x0106 },
		{ "second page of it", SET(stor_origin, 0x1000), 0x0106 },
		{ "SCB outside", SET(state_origin, RAM_END + 0x1000), 0x0107 },
		{ "SCB donated", SET(state_origin, BASE), 0x0107 },
		{ "SCB in the storage", SET(state_origin, CPU_STOR(0, 1)), 0x0107 },
		{ "SCB in the lowcore", SET(state_origin, 0x1000), 0x0108 },
		{ "SCB's place", SET(state_origin, SCB(0, 1) + 0x200), 0x0108 },
		{ "storage donated", SET(stor_origin, BASE), 0x0109 },
		{ "storage of another", SET(stor_origin, CPU_STOR(0, 0)), 0x0109 },
		{ "block inside", SET(stor_origin, BLOCK), 0x0109 },
	};
	struct bench *b = *state;
	uint64_t config = new_config(b, 0), other = new_config(b, 1);
	uint64_t cpu = new_cpu(b, config, 0, 0), before = donated(b);
	struct uvcb_create_cpu block;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		block = cpu_block(config, 0, 1);
		be64_set(&block.cpu_handle, 0x1234);
		be64_set((be64 *)(void *)((uint8_t *)&block + rows[i].at), rows[i].v);
		row_int(rows[i].name, call(b, &block, sizeof(block)), rows[i].rc);
		row_int(rows[i].name, be64_get(block.cpu_handle), 0);
		row_int(rows[i].name, donated(b), before);
	}
	block = cpu_block(config + 1, 0, 1);
	row_int("handle", call(b, &block, sizeof(block)), UV_RC_CONFIG_HANDLE);
	row_int("handle", be64_get(block.cpu_handle), 0);
	block = cpu_block(cpu, 0, 1);
	row_int("a CPU's handle", call(b, &block, sizeof(block)), UV_RC_CONFIG_HANDLE);
	(void)new_cpu(b, config, 0, UV_MAX_CPU_ID);
	(void)new_cpu(b, other, 1, 0); /* the same number in another one */
	b->uv->configs->next->dumping = true;
	block = cpu_block(config, 0, 2);
	row_int("dump", call(b, &block, sizeof(block)), 0x0102);
	row_int("in use", call_handle(b, UVC_DESTROY_CONFIG, config), 0x0101);
	row_int("a configuration's", call_handle(b, UVC_DESTROY_CPU, config), UV_RC_CPU_HANDLE);
}

/* As after a clear reset. */
static void test_new_registers(void **state)
{
	struct bench *b = *state;
	struct secure_regs want = { .bea = 1 };
	const struct uv_cpu *c;

	(void)new_cpu(b, new_config(b, 0), 0, 5);
	c = b->uv->configs->cpus;
	want.cr[0] = 0xe0;
	want.cr[14] = 0xc2000000;
	assert_memory_equal(&c->area->regs, &want, sizeof(want));
	assert_int_equal(c->state, UV_CPU_STOPPED);
	assert_int_equal(c->number, 5);
	assert_int_equal(c->scb_addr, SCB(0, 5));
}

/* --- Handles ----------------------------------------------------------------------------------- */

static void test_handles(void **state)
{
	struct bench *b = *state;
	uint64_t config[2] = { new_config(b, 0), new_config(b, 1) }, cpu[2];

	cpu[0] = new_cpu(b, config[0], 0, 0);
	cpu[1] = new_cpu(b, config[0], 0, 1);
	for (unsigned int i = 0; i < 2 * 65; i++) {
		uint64_t change = i % 65 < 64 ? 1ull << i % 65 : 0;
		uint64_t bad = change ? config[i / 65] ^ change : config[i / 65] + 1;

		assert_int_equal(call_handle(b, UVC_DESTROY_CONFIG, bad), UV_RC_CONFIG_HANDLE);
		assert_int_equal(call_handle(b, UVC_UNSHARE_ALL, bad), UV_RC_CONFIG_HANDLE);
		bad = change ? cpu[i / 65] ^ change : cpu[i / 65] + 1;
		assert_int_equal(call_handle(b, UVC_DESTROY_CPU, bad), UV_RC_CPU_HANDLE);
		assert_int_equal(set_state(b, bad, UV_CPU_STOPPED), UV_RC_CPU_HANDLE);
	}
	assert_int_equal(call_handle(b, UVC_DESTROY_CONFIG, 0), UV_RC_CONFIG_HANDLE);
	assert_int_equal(call_handle(b, UVC_DESTROY_CPU, 0), UV_RC_CPU_HANDLE);
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(call_handle(b, UVC_DESTROY_CPU, cpu[i]), UV_RC_EXECUTED);
		assert_int_equal(call_handle(b, UVC_DESTROY_CPU, cpu[i]), UV_RC_CPU_HANDLE);
	}
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(call_handle(b, UVC_DESTROY_CONFIG, config[i]), UV_RC_EXECUTED);
		assert_int_equal(call_handle(b, UVC_DESTROY_CONFIG, config[i]),
				 UV_RC_CONFIG_HANDLE);
	}
}

/* --- States ------------------------------------------------------------------------------------ */

/* A configuration with two CPUs; the calls are for the first. */
struct states {
	uint64_t config, cpu;
	struct uv_config *c;
	struct uv_cpu *first, *second;
};

static struct states new_states(const struct bench *b)
{
	struct states s = { .config = new_config(b, 0) };

	s.cpu = new_cpu(b, s.config, 0, 0);
	(void)new_cpu(b, s.config, 0, 1);
	s.c = uv_find_config(b->uv, s.config);
	s.first = uv_find_cpu(b->uv, s.cpu);
	s.second = s.c->cpus == s.first ? s.first->next : s.c->cpus;
	return s;
}

/* What a row begins with. */
struct given {
	enum uv_config_state config;
	uint8_t cpu; /* state of the first */
	bool dumping, running;
	uint8_t reset_pending;
	bool reset_done;
	bool other_pending, other_operating;
};

static void arrange(const struct states *s, const struct given *g)
{
	s->c->state = g->config;
	s->c->dumping = g->dumping;
	s->c->unshared = true;
	s->first->state = g->cpu;
	s->first->running = g->running;
	s->first->reset_pending = g->reset_pending;
	s->first->reset_done = g->reset_done;
	s->first->load_pending = g->cpu == UV_CPU_LOAD;
	s->first->order = 0;
	s->second->reset_pending = g->other_pending;
	s->second->state = g->other_operating ? UV_CPU_OPERATING : UV_CPU_STOPPED;
}

#define OPER  UV_CPU_OPERATING
#define STOP  UV_CPU_STOPPED
#define LOAD  UV_CPU_LOAD
#define VERI  CONFIG_VERIFIED
#define RESET CONFIG_RESET_PREPARED

#define IN(config_state, cpu_state) .config = (config_state), .cpu = (cpu_state)

static void test_set_state(void **state)
{
	static const struct {
		const char *name;
		struct given given;
		uint8_t to;
		uint16_t rc;
	} rows[] = {
		{ "0", { IN(VERI, STOP) }, 0, 0x0101 },
		{ "4", { IN(VERI, STOP) }, 4, 0x0101 },
		{ "255", { IN(VERI, STOP) }, 255, 0x0101 },
		{ "check-stop", { IN(VERI, STOP) }, UV_CPU_CHECK_STOP, 0x0102 },
		{ "start", { IN(VERI, STOP) }, OPER, 1 },
		{ "start, created", { IN(CONFIG_CREATED, STOP) }, OPER, 0x0103 },
		{ "start, unpacking", { IN(CONFIG_PARMS_SET, STOP) }, OPER, 0x0103 },
		{ "start, failed", { IN(CONFIG_FAILED, STOP) }, OPER, 0x0103 },
		{ "start, reset prepared", { IN(RESET, STOP) }, OPER, 0x0103 },
		{ "start, reset pending", { IN(VERI, STOP), .reset_pending = 1 }, OPER, 0x0102 },
		{ "start, dump", { IN(VERI, STOP), .dumping = true }, OPER, 0x0102 },
		{ "start again", { IN(VERI, OPER) }, OPER, 1 },
		{ "start again, dump", { IN(VERI, OPER), .dumping = true }, OPER, 1 },
		{ "start after load", { IN(VERI, LOAD) }, OPER, 1 },
		{ "load", { IN(VERI, STOP) }, LOAD, 1 },
		{ "load again", { IN(VERI, LOAD) }, LOAD, 1 },
		{ "load, operating", { IN(VERI, OPER) }, LOAD, 0x0102 },
		{ "load, created", { IN(CONFIG_CREATED, STOP) }, LOAD, 0x0103 },
		{ "load, unpacking", { IN(CONFIG_PARMS_SET, STOP) }, LOAD, 0x0103 },
		{ "load, failed", { IN(CONFIG_FAILED, STOP) }, LOAD, 0x0103 },
		{ "load, dump", { IN(VERI, STOP), .dumping = true }, LOAD, 0x0102 },
		{ "load, prepared", { IN(RESET, STOP) }, LOAD, 1 },
		{ "load, not prepared",
		  { IN(VERI, STOP), .reset_pending = 1, .reset_done = true },
		  LOAD,
		  0x0102 },
		{ "load, not reset", { IN(RESET, STOP), .reset_pending = 1 }, LOAD, 0x0102 },
		{ "load, reset",
		  { IN(RESET, STOP), .reset_pending = 2, .reset_done = true },
		  LOAD,
		  1 },
		{ "stop", { IN(VERI, OPER) }, STOP, 1 },
		{ "stop, load", { IN(VERI, LOAD) }, STOP, 1 },
		{ "stop again", { IN(VERI, STOP) }, STOP, 1 },
		{ "stop, dump", { IN(VERI, OPER), .dumping = true }, STOP, 1 },
		{ "stop, created", { IN(CONFIG_CREATED, STOP) }, STOP, 1 },
		{ "stop, in SIE", { IN(VERI, OPER), .running = true }, STOP, 0x0102 },
		{ "start, in SIE", { IN(VERI, OPER), .running = true }, OPER, 0x0102 },
	};
	struct bench *b = *state;
	struct states s = new_states(b);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct given *g = &rows[i].given;
		bool done = rows[i].rc == 1, loads = rows[i].to == LOAD;

		arrange(&s, g);
		row_int(rows[i].name, set_state(b, s.cpu, rows[i].to), rows[i].rc);
		row_int(rows[i].name, s.first->state, done ? rows[i].to : g->cpu);
		row_int(rows[i].name, s.first->load_pending, g->cpu == LOAD || (done && loads));
		row_int(rows[i].name, s.first->reset_pending, done ? 0 : g->reset_pending);
		row_int(rows[i].name, s.c->state, done && loads ? VERI : g->config);
		row_int(rows[i].name, s.c->unshared,
			!done || rows[i].to == STOP || rows[i].to == g->cpu);
	}
	s.first->running = false;
}

/* Which SIGP orders each call makes an end of (sie.md section 7.10). */
static void test_orders(void **state)
{
	static const struct {
		uint8_t order, from;
		uint16_t call; /* SET STATE to what follows, or a reset */
		uint8_t to, left;
	} rows[] = {
		{ SIGP_STOP, OPER, UVC_SET_CPU_STATE, STOP, 0 },
		{ SIGP_RESTART, OPER, UVC_SET_CPU_STATE, STOP, SIGP_RESTART },
		{ SIGP_START, STOP, UVC_SET_CPU_STATE, STOP, SIGP_START },
		{ SIGP_START, STOP, UVC_SET_CPU_STATE, OPER, 0 },
		{ SIGP_RESTART, STOP, UVC_SET_CPU_STATE, OPER, 0 },
		{ SIGP_RESET, STOP, UVC_SET_CPU_STATE, STOP, SIGP_RESET },
		{ SIGP_RESET, STOP, UVC_CPU_RESET, 0, 0 },
		{ SIGP_INITIAL_RESET, STOP, UVC_CPU_RESET_INITIAL, 0, 0 },
	};
	struct bench *b = *state;
	struct states s = new_states(b);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		arrange(&s, &(struct given){ IN(VERI, rows[i].from) });
		s.first->order = rows[i].order;
		assert_int_equal(rows[i].to ? set_state(b, s.cpu, rows[i].to) :
					      call_handle(b, rows[i].call, s.cpu),
				 UV_RC_EXECUTED);
		assert_int_equal(s.first->order, rows[i].left);
	}
}

static void test_cpu_reset(void **state)
{
	static const struct {
		const char *name;
		struct given given;
		uint16_t cmd, rc;
		bool done; /* it is the one that DIAG 308 asked for */
	} rows[] = {
		{ "stopped", { IN(VERI, STOP) }, UVC_CPU_RESET, 1, false },
		{ "operating", { IN(VERI, OPER) }, UVC_CPU_RESET, 0x0102, false },
		{ "load", { IN(VERI, LOAD) }, UVC_CPU_RESET_CLEAR, 0x0102, false },
		{ "running", { IN(VERI, STOP), .running = true }, UVC_CPU_RESET, 0x0102, false },
		{ "dump", { IN(VERI, STOP), .dumping = true }, UVC_CPU_RESET, 0x0102, false },
		{ "created", { IN(CONFIG_CREATED, STOP) }, UVC_CPU_RESET_INITIAL, 1, false },
		{ "sub 0", { IN(RESET, STOP), .reset_pending = 1 }, UVC_CPU_RESET_CLEAR, 1, true },
		{ "sub 0, initial",
		  { IN(RESET, STOP), .reset_pending = 1 },
		  UVC_CPU_RESET_INITIAL,
		  1,
		  false },
		{ "sub 1", { IN(RESET, STOP), .reset_pending = 2 }, UVC_CPU_RESET_INITIAL, 1, true },
		{ "sub 1, clear",
		  { IN(RESET, STOP), .reset_pending = 2 },
		  UVC_CPU_RESET_CLEAR,
		  1,
		  true },
		{ "sub 1, normal",
		  { IN(RESET, STOP), .reset_pending = 2 },
		  UVC_CPU_RESET,
		  1,
		  false },
		{ "too early",
		  { IN(VERI, STOP), .reset_pending = 1 },
		  UVC_CPU_RESET_CLEAR,
		  0x0102,
		  false },
		{ "another's",
		  { IN(VERI, STOP), .other_pending = true },
		  UVC_CPU_RESET_INITIAL,
		  0x0102,
		  false },
		{ "another's, normal",
		  { IN(VERI, STOP), .other_pending = true },
		  UVC_CPU_RESET,
		  1,
		  false },
	};
	struct bench *b = *state;
	struct states s = new_states(b);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		bool done = rows[i].rc == 1;

		arrange(&s, &rows[i].given);
		s.first->load_pending = s.first->restart_pending = true;
		s.first->area->pending.what = COMPLETE_SERVC;
		row_int(rows[i].name, call_handle(b, rows[i].cmd, s.cpu), rows[i].rc);
		row_int(rows[i].name, s.first->reset_done, rows[i].done);
		row_int(rows[i].name, s.first->load_pending, !done);
		row_int(rows[i].name, s.first->restart_pending, !done);
		row_int(rows[i].name, s.first->area->pending.what,
			done ? COMPLETE_NONE : COMPLETE_SERVC);
	}
	s.first->running = false;
}

/* PoP chapter 4, "Resets": a CPU reset keeps what an initial one clears, and that what a clear one does. */
static void test_reset_registers(void **state)
{
	static const struct {
		uint16_t cmd;
		bool initial, clear;
	} rows[] = {
		{ UVC_CPU_RESET, false, false },
		{ UVC_CPU_RESET_INITIAL, true, false },
		{ UVC_CPU_RESET_CLEAR, true, true },
	};
	struct bench *b = *state;
	struct states s = new_states(b);
	struct secure_regs *r = &s.first->area->regs, all;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		memset(r, 0x5a, sizeof(*r));
		all = *r;
		assert_int_equal(call_handle(b, rows[i].cmd, s.cpu), UV_RC_EXECUTED);
		assert_int_equal(r->file.gr[15], rows[i].clear ? 0 : all.file.gr[15]);
		assert_int_equal(r->file.ar[15], rows[i].clear ? 0 : all.file.ar[15]);
		assert_int_equal(r->file.fpr[15], rows[i].clear ? 0 : all.file.fpr[15]);
		assert_int_equal(r->file.vr_high[15], rows[i].clear ? 0 : all.file.vr_high[15]);
		assert_int_equal(r->file.fpc, rows[i].initial ? 0 : all.file.fpc);
		assert_int_equal(r->psw_mask, rows[i].initial ? 0 : all.psw_mask);
		assert_int_equal(r->cr[0], rows[i].initial ? 0xe0 : all.cr[0]);
		assert_int_equal(r->cr[14], rows[i].initial ? 0xc2000000 : all.cr[14]);
		assert_int_equal(r->cr[13], rows[i].initial ? 0 : all.cr[13]);
		assert_int_equal(r->prefix, rows[i].initial ? 0 : all.prefix);
		assert_int_equal(r->ckc, rows[i].initial ? 0 : all.ckc);
		assert_int_equal(r->timer, rows[i].initial ? 0 : all.timer);
		assert_int_equal(r->bea, rows[i].initial ? 1 : all.bea);
		assert_int_equal(r->epoch, all.epoch);
	}
}

static void test_config_reset(void **state)
{
	static const struct {
		const char *name;
		struct given given;
		bool unshared;
		uint16_t unshare_rc, prepare_rc;
	} rows[] = {
		{ "created", { IN(CONFIG_CREATED, STOP) }, true, 0x0101, 0x0101 },
		{ "unpacking", { IN(CONFIG_PARMS_SET, STOP) }, true, 0x0101, 0x0101 },
		{ "failed", { IN(CONFIG_FAILED, STOP) }, true, 0x0101, 0x0101 },
		{ "operating", { IN(VERI, OPER) }, true, 0x0102, 0x0102 },
		{ "another operates",
		  { IN(VERI, STOP), .other_operating = true },
		  true,
		  0x0102,
		  0x0102 },
		{ "load", { IN(VERI, LOAD) }, true, 0x0102, 0x0102 },
		{ "in SIE", { IN(VERI, STOP), .running = true }, true, 0x0102, 0x0102 },
		{ "not unshared", { IN(VERI, STOP) }, false, 1, 0x0103 },
		{ "good", { IN(VERI, STOP) }, true, 1, 1 },
		{ "again", { IN(RESET, STOP) }, true, 1, 1 },
		{ "dump", { IN(VERI, STOP), .dumping = true }, true, 1, 1 },
	};
	struct bench *b = *state;
	struct states s = new_states(b);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		arrange(&s, &rows[i].given);
		s.c->unshared = rows[i].unshared;
		row_int(rows[i].name, call_handle(b, UVC_PREPARE_RESET, s.config),
			rows[i].prepare_rc);
		row_int(rows[i].name, s.c->state,
			rows[i].prepare_rc == 1 ? RESET : rows[i].given.config);
		row_int(rows[i].name, s.c->dumping,
			rows[i].prepare_rc != 1 && rows[i].given.dumping);
		arrange(&s, &rows[i].given);
		s.c->unshared = false;
		row_int(rows[i].name, call_handle(b, UVC_UNSHARE_ALL, s.config),
			rows[i].unshare_rc);
		row_int(rows[i].name, s.c->unshared, rows[i].unshare_rc == 1);
		row_int(rows[i].name, s.c->dumping,
			rows[i].unshare_rc != 1 && rows[i].given.dumping);
	}
	s.first->running = true;
	row_int("running", call_handle(b, UVC_DESTROY_CPU, s.cpu), 0x0102);
	s.first->running = false;
	row_int("stopped", call_handle(b, UVC_DESTROY_CPU, s.cpu), UV_RC_EXECUTED);
}

/* --- Two CPUs ---------------------------------------------------------------------------------- */

struct hammer {
	struct bench *b;
	unsigned int cpu;
	bool ok;
};

static uint16_t hammer_handle(const struct hammer *h, uint16_t cmd, be64 handle)
{
	struct uvcb_handle block = { .head = head_of(cmd, sizeof(block)), .handle = handle };

	return call_on(h->b, h->cpu, &block, sizeof(block));
}

static bool hammer_once(const struct hammer *h)
{
	struct uvcb_query q = { .head = head_of(UVC_QUERY, sizeof(q)) };
	struct uvcb_create_config config = config_block(h->cpu);
	struct uvcb_create_cpu cpu;
	bool ok;

	be64_set(&config.guest_len, MIB);
	ok = call_on(h->b, h->cpu, &config, sizeof(config)) == UV_RC_EXECUTED;
	cpu = cpu_block(be64_get(config.handle), h->cpu, 0);
	ok = ok && call_on(h->b, h->cpu, &cpu, sizeof(cpu)) == UV_RC_EXECUTED;
	ok = ok && call_on(h->b, h->cpu, &q, sizeof(q)) == UV_RC_EXECUTED;
	ok = ok && hammer_handle(h, UVC_DESTROY_CONFIG, config.handle) == 0x0101;
	ok = ok && hammer_handle(h, UVC_DESTROY_CPU, cpu.cpu_handle) == UV_RC_EXECUTED;
	return ok && hammer_handle(h, UVC_DESTROY_CONFIG, config.handle) == UV_RC_EXECUTED;
}

static void *hammer_run(void *arg)
{
	struct hammer *h = arg;

	h->ok = true;
	for (unsigned int i = 0; h->ok && i < 300; i++)
		h->ok = hammer_once(h);
	return NULL;
}

static void test_two_cpus(void **state)
{
	struct bench *b = *state;
	struct hammer h[2] = { { b, 0, false }, { b, 1, false } };
	pthread_t thread[2];

	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, hammer_run, &h[i]), 0);
	for (unsigned int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	assert_true(h[0].ok && h[1].ok);
	assert_null(b->uv->configs);
	assert_int_equal(donated(b), UV_BASE_STOR_BYTES);
}

#define bench_test(f) cmocka_unit_test_setup_teardown(f, bench_setup, bench_teardown)
#define ready_test(f) cmocka_unit_test_setup_teardown(f, ready_setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_install),
		bench_test(test_instruction),
		ready_test(test_block_place),
		ready_test(test_access),
		bench_test(test_real),
		bench_test(test_unknown),
		ready_test(test_unknown),
		bench_test(test_profiles),
		bench_test(test_lengths),
		ready_test(test_lengths),
		bench_test(test_query_values),
		ready_test(test_query_lengths),
		bench_test(test_init),
		bench_test(test_init_alone),
		ready_test(test_donation),
		ready_test(test_donation_is_clean),
		ready_test(test_reset),
		ready_test(test_create_config),
		ready_test(test_create_config_order),
		ready_test(test_scattered),
		ready_test(test_many),
		ready_test(test_create_cpu),
		ready_test(test_new_registers),
		ready_test(test_handles),
		ready_test(test_set_state),
		ready_test(test_orders),
		ready_test(test_cpu_reset),
		ready_test(test_reset_registers),
		ready_test(test_config_reset),
		ready_test(test_two_cpus),
	};

	return cmocka_run_group_tests_name("ultravisor/calls", tests, identity_setup,
					   identity_teardown);
}
