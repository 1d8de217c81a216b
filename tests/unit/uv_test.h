/* SPDX-License-Identifier: MIT */
/*
 * A protected guest for tests: machine, identity, configuration, CPU 0, and a program in it.
 *
 * A guest is a few pages of hand-assembled instructions, sealed without encryption of its components,
 * so that they go through UNPACK and VERIFY as they are. Guest absolute address a lies at host virtual
 * MSO + a and at host absolute GUEST + a. The tests look into the Ultravisor's objects where the host
 * cannot look, and set there what only a longer guest would reach.
 */
#ifndef ULTRAVISOR_UV_TEST_H
#define ULTRAVISOR_UV_TEST_H

#include "unit.h"

#include "hdr_crypt.h"
#include "hostkey.h"
#include "lowcore.h"
#include "machine_priv.h"
#include "secret.h"
#include "sha.h"
#include "uv.h"
#include "uv_priv.h"

#define MIB	  (1ull << 20)
#define STORAGE	  (2052 * MIB)
#define SEGMENTS  0x100000ull /* host segment table; page tables behind it */
#define SEGMENTS2 0x180000ull
#define SCB_AT	  0x200000ull
#define SCB2_AT	  0x201000ull
#define SIDA_AT	  0x202000ull
#define UVCB_AT	  0x203000ull
#define HEADER_AT 0x204000ull
#define SCA_AT	  0x208000ull
#define SCA2_AT	  0x20c000ull
#define BASE_AT	  0x210000ull
#define BASE2_AT  0x214000ull
#define CPU_AT	  0x218000ull /* storage of secure CPUs, a page each */
#define VIRT_AT	  0x220000ull
#define VIRT2_AT  0x230000ull
#define UV_AT	  0x80000000ull
#define GUEST	  0x400000ull /* 1 MiB */
#define MSO	  0x1000000ull

#define DATA	  0x800ull /* in the guest */
#define CODE	  0x4000ull
#define NEW_PSW	  0x6000ull
#define RESTART	  0x6800ull
#define MASK_64	  0x0000000180000000ull
#define DIAG	  "83020044 "
#define LOOP	  "a7f40000 "
#define DIAG_500  "83000500 "
#define TIMER	  0x280de80000ull
#define TOD_12000 12000u /* what kvm-unit-tests changes the CPU timer by */

struct fixture {
	struct unit_dir dir;
	struct zpv_host *host;
	struct zpv_hostkey *key;
};

struct vm {
	const struct fixture *fx;
	struct machine *m;
	struct uv *uv;
	struct cpu *cpu;
	struct scb_page scb; /* of CPU 0; what enter() writes and reads */
	uint64_t config, cpu_handle;
	struct uv_cpu *c;
};

/* --- Storage ----------------------------------------------------------------------------------- */

UNUSED static void put(struct vm *vm, uint64_t at, const void *data, size_t len)
{
	assert_int_equal(storage_write(vm->m, (haddr_t){ at }, data, len).code, 0);
}

UNUSED static void get(struct vm *vm, uint64_t at, void *data, size_t len)
{
	assert_int_equal(storage_read(vm->m, (haddr_t){ at }, data, len).code, 0);
}

UNUSED static void put64(struct vm *vm, uint64_t at, uint64_t v)
{
	be64 b;

	be64_set(&b, v);
	put(vm, at, &b, sizeof(b));
}

UNUSED static void put_code(struct vm *vm, uint64_t at, const char *hex)
{
	AUTO_BYTES b = unit_hex(hex);

	put(vm, at, b.data, b.len);
}

UNUSED static void map(struct vm *vm, uint64_t segments)
{
	uint64_t table = segments + 0x4000;

	for (unsigned int i = 0; i < 2048; i++)
		put64(vm, segments + i * 8, 0x20);
	put64(vm, segments + (MSO / MIB) * 8, table);
	for (unsigned int i = 0; i < 256; i++)
		put64(vm, table + i * 8, GUEST + i * 4096ull);
}

/* Entry of a guest page, with these bits in addition. */
UNUSED static void set_pte(struct vm *vm, uint64_t gaddr, uint64_t bits)
{
	put64(vm, SEGMENTS + 0x4000 + (gaddr >> 12) * 8, (GUEST + gaddr) | bits);
	machine_purge(vm->m);
}

/* What only the guest and the Ultravisor can see: a secure page of the guest. */
UNUSED static uint8_t *peek(struct vm *vm, uint64_t gaddr)
{
	uint64_t frame = (GUEST + gaddr) / FRAME_BYTES;

	assert_int_equal(frame_info(vm->m, frame).state, FRAME_SECURE);
	return frame_secure_page(vm->m, frame) + gaddr % FRAME_BYTES;
}

UNUSED static const struct lowcore *lowcore(struct vm *vm)
{
	return (const struct lowcore *)(void *)peek(vm, 0);
}

/* --- Calls ------------------------------------------------------------------------------------- */

UNUSED static uint16_t uvc(struct vm *vm, enum uv_command cmd, void *block, size_t len)
{
	struct uvcb *head = block;
	unsigned int cc = 0;

	be16_set(&head->len, (uint16_t)len);
	be16_set(&head->cmd, (uint16_t)cmd);
	put(vm, UVCB_AT, block, len);
	assert_int_equal(cpu_uvc(vm->cpu, (haddr_t){ UVCB_AT }, &cc).code, 0);
	get(vm, UVCB_AT, block, len);
	return be16_get(head->rc);
}

UNUSED static uint16_t handle_call(struct vm *vm, enum uv_command cmd, uint64_t handle)
{
	struct uvcb_handle b = { 0 };

	be64_set(&b.handle, handle);
	return uvc(vm, cmd, &b, sizeof(b));
}

UNUSED static uint16_t set_state(struct vm *vm, enum uv_cpu_state state)
{
	struct uvcb_cpu_state b = { .state = (uint8_t)state };

	be64_set(&b.cpu_handle, vm->cpu_handle);
	return uvc(vm, UVC_SET_CPU_STATE, &b, sizeof(b));
}

UNUSED static void import(struct vm *vm, uint64_t gaddr)
{
	struct uvcb_gpage b = { 0 };

	be64_set(&b.config_handle, vm->config);
	be64_set(&b.gaddr, MSO + gaddr);
	assert_int_equal(uvc(vm, UVC_IMPORT, &b, sizeof(b)), UV_RC_EXECUTED);
}

UNUSED static void export(struct vm *vm, uint64_t gaddr)
{
	struct uvcb_frame b = { 0 };

	be64_set(&b.paddr, GUEST + gaddr);
	assert_int_equal(uvc(vm, UVC_EXPORT, &b, sizeof(b)), UV_RC_EXECUTED);
}

UNUSED static uint64_t create_config(struct vm *vm, uint64_t base, uint64_t virt, uint64_t sca,
				     uint64_t segments)
{
	struct uvcb_create_config b = { 0 };

	be64_set(&b.base_stor_origin, base);
	be64_set(&b.virt_stor_origin, virt);
	be64_set(&b.guest_origin, MSO);
	be64_set(&b.guest_len, MIB);
	be64_set(&b.guest_sca, sca);
	be64_set(&b.guest_asce, segments | 0x100);
	assert_int_equal(uvc(vm, UVC_CREATE_CONFIG, &b, sizeof(b)), UV_RC_EXECUTED);
	return be64_get(b.handle);
}

UNUSED static uint64_t create_cpu(struct vm *vm, uint64_t config, unsigned int num, uint64_t stor,
				  uint64_t scb)
{
	struct uvcb_create_cpu b = { 0 };

	be64_set(&b.config_handle, config);
	be64_set(&b.stor_origin, stor);
	be16_set(&b.num, (uint16_t)num);
	be64_set(&b.state_origin, scb);
	assert_int_equal(uvc(vm, UVC_CREATE_CPU, &b, sizeof(b)), UV_RC_EXECUTED);
	return be64_get(b.cpu_handle);
}

/* --- A guest ----------------------------------------------------------------------------------- */

/* The pages that the image has; the others appear when they are imported. */
static const uint64_t image_pages[] = { 0, 0x1000, CODE, NEW_PSW };

UNUSED static void put_psw(struct vm *vm, uint64_t at, uint64_t mask, uint64_t addr)
{
	put64(vm, at, mask);
	put64(vm, at + 8, addr);
}

UNUSED static void put_image(struct vm *vm, const char *code)
{
	put_psw(vm, GUEST + 0x1a0, MASK_64, RESTART);
	for (unsigned int i = 1; i < LC_CLASSES; i++)
		put_psw(vm, GUEST + 0x1a0 + 16 * i, MASK_64, NEW_PSW);
	put64(vm, GUEST, 0x0008000080000000 | NEW_PSW); /* short PSW */
	put_code(vm, GUEST + NEW_PSW, DIAG LOOP);
	put_code(vm, GUEST + RESTART, DIAG LOOP);
	put_code(vm, GUEST + CODE, code);
}

/* The tweak of a page has an arbitrary prefix; what counts is that header and calls agree. */
#define TWEAK 0x42ull

UNUSED static void digests(struct vm *vm, struct digest_set *out)
{
	AUTO(sha) struct sha *pld = NULL, *ald = NULL, *tld = NULL;
	struct zpv_err err = { 0 };

	row_ok("sha", sha_new(SHA_512, &pld, &err), err);
	row_ok("sha", sha_new(SHA_512, &ald, &err), err);
	row_ok("sha", sha_new(SHA_512, &tld, &err), err);
	for (size_t i = 0; i < ARRAY_SIZE(image_pages); i++) {
		uint8_t page[FRAME_BYTES];
		be64 addr, tweak[2];

		get(vm, GUEST + image_pages[i], page, sizeof(page));
		be64_set(&addr, image_pages[i]);
		be64_set(&tweak[0], TWEAK);
		be64_set(&tweak[1], image_pages[i]);
		sha_update(pld, page, sizeof(page));
		sha_update(ald, &addr, sizeof(addr));
		sha_update(tld, tweak, sizeof(tweak));
	}
	out->nep = ARRAY_SIZE(image_pages);
	row_ok("PLD", sha_final(pld, out->pld, &err), err);
	row_ok("ALD", sha_final(ald, out->ald, &err), err);
	row_ok("TLD", sha_final(tld, out->tld, &err), err);
}

UNUSED static uint16_t set_parms(struct vm *vm)
{
	AUTO(secret) struct secret *hpk = NULL, *secrets = NULL;
	const struct p521 *hosts[] = { hostkey_key(vm->fx->key) };
	const uint8_t *hashes[] = { zpv_hostkey_hash(vm->fx->key) };
	struct digest_set set = { 0 };
	struct hdr_content content = { .digests = &set,
				       .pcf = PCF_NO_ENCRYPTION,
				       .hosts = hosts,
				       .phkh = hashes,
				       .nhosts = 1 };
	struct uvcb_set_parms b = { 0 };
	struct zpv_err err = { 0 };
	uint8_t header[SE_HDR_MAX_BYTES];
	struct se_hdr_secrets *s;

	row_ok("key", secret_random(SE_HDR_KEY_BYTES, &hpk, &err), err);
	row_ok("secrets", secret_random(sizeof(*s), &secrets, &err), err);
	s = (struct se_hdr_secrets *)(void *)secret_data(secrets);
	be64_set(&s->psw_mask, MASK_64);
	be64_set(&s->psw_addr, CODE);
	be64_set(&s->scf, 0);
	be32_set(&s->noi, 0);
	be32_set(&s->reserved7c, 0);
	digests(vm, &set);
	content.hpk = hpk;
	content.secrets = secrets;
	row_ok("header", hdr_seal(&content, header, &err), err);
	put(vm, HEADER_AT, header, se_hdr_size(1));
	be64_set(&b.config_handle, vm->config);
	be64_set(&b.hdr_origin, HEADER_AT);
	be32_set(&b.hdr_len, (uint32_t)se_hdr_size(1));
	return uvc(vm, UVC_SET_PARMS, &b, sizeof(b));
}

UNUSED static void unpack(struct vm *vm)
{
	for (size_t i = 0; i < ARRAY_SIZE(image_pages); i++) {
		struct uvcb_unpack b = { 0 };

		be64_set(&b.config_handle, vm->config);
		be64_set(&b.gaddr, image_pages[i]);
		be64_set(&b.tweak[0], TWEAK);
		be64_set(&b.tweak[1], image_pages[i]);
		assert_int_equal(uvc(vm, UVC_UNPACK, &b, sizeof(b)), UV_RC_EXECUTED);
	}
}

UNUSED static void init_scb(struct scb *scb, uint64_t config, uint64_t cpu, uint64_t sca)
{
	be32_set(&scb->cpuflags, CPUFLAG_ZARCH | CPUFLAG_RUNNING);
	be64_set(&scb->pv_handle_config, config);
	be64_set(&scb->pv_handle_cpu, cpu);
	be64_set(&scb->cputm, TIMER);
	be16_set(&scb->ihcpu, IHCPU_FLUSH);
	be32_set(&scb->scaoh, (uint32_t)(sca >> 32));
	be32_set(&scb->scaol, (uint32_t)sca);
	scb->ecb2 = ECB2_ESCA;
	scb->sdf = SCB_FORMAT4;
	be64_set(&scb->gbea, SIDA_AT);
}

/* A configuration and CPU 0 of it, stopped. */
UNUSED static void create(struct vm *vm)
{
	vm->config = create_config(vm, BASE_AT, VIRT_AT, SCA_AT, SEGMENTS);
	vm->cpu_handle = create_cpu(vm, vm->config, 0, CPU_AT, SCB_AT);
	vm->c = uv_find_cpu(vm->uv, vm->cpu_handle);
	assert_non_null(vm->c);
	memset(&vm->scb, 0, sizeof(vm->scb));
	init_scb(&vm->scb.scb, vm->config, vm->cpu_handle, SCA_AT);
}

UNUSED static void init_uv(struct vm *vm)
{
	struct uvcb_init b = { 0 };

	be64_set(&b.stor_origin, UV_AT);
	be64_set(&b.stor_len, UV_BASE_STOR_BYTES);
	assert_int_equal(uvc(vm, UVC_INIT, &b, sizeof(b)), UV_RC_EXECUTED);
}

/* A verified guest with this code, its CPU 0 in the load state. */
UNUSED static void start(struct vm *vm, const char *code)
{
	put_image(vm, code);
	create(vm);
	assert_int_equal(set_parms(vm), UV_RC_EXECUTED);
	unpack(vm);
	assert_int_equal(handle_call(vm, UVC_VERIFY, vm->config), UV_RC_EXECUTED);
	assert_int_equal(set_state(vm, UV_CPU_LOAD), UV_RC_EXECUTED);
}

UNUSED static int vm_new(void **state, bool init)
{
	const struct machine_config config = { .storage_bytes = STORAGE, .cpus = 2 };
	struct vm *vm = calloc(1, sizeof(*vm));
	struct zpv_err err = { 0 };

	assert_non_null(vm);
	vm->fx = *state;
	row_ok("machine", machine_new(&config, &vm->m, &err), err);
	row_ok("Ultravisor", uv_install(vm->m, vm->fx->host, &err), err);
	vm->uv = vm->m->uv;
	vm->cpu = machine_cpu(vm->m, 0);
	map(vm, SEGMENTS);
	map(vm, SEGMENTS2);
	for (unsigned int i = 0; i < 2; i++)
		cpu_set_cr(machine_cpu(vm->m, i), 1, SEGMENTS | 0x100);
	if (init)
		init_uv(vm);
	*state = vm;
	return 0;
}

UNUSED static int vm_setup(void **state)
{
	return vm_new(state, true);
}

UNUSED static int vm_setup_uninit(void **state)
{
	return vm_new(state, false);
}

UNUSED static int vm_teardown(void **state)
{
	struct vm *vm = *state;

	machine_free(vm->m);
	free(vm);
	return 0;
}

/* --- SIE --------------------------------------------------------------------------------------- */

UNUSED static enum cpu_stop enter_at(struct vm *vm, uint64_t scb_at)
{
	enum cpu_stop stop;

	vm->scb.scb.icptcode = 0;
	put(vm, scb_at, &vm->scb, sizeof(vm->scb));
	stop = cpu_sie(vm->cpu, (haddr_t){ scb_at });
	get(vm, scb_at, &vm->scb, sizeof(vm->scb));
	return stop;
}

UNUSED static void expect(const char *row, struct vm *vm, enum icpt_code code)
{
	enum cpu_stop stop = enter_at(vm, SCB_AT);

	if (stop == CPU_STOP_HOST_PIC)
		fail_msg("[%s] host interruption %#x, %#llx", row, cpu_host_pic(vm->cpu).code,
			 (unsigned long long)cpu_host_pic(vm->cpu).teid);
	row_int(row, stop, CPU_STOP_SIE_EXIT);
	if (vm->scb.scb.icptcode == ICPT_VALIDITY && code != ICPT_VALIDITY)
		fail_msg("[%s] validity %#x", row, be32_get(vm->scb.scb.ipb) >> 16);
	row_int(row, vm->scb.scb.icptcode, code);
}

UNUSED static void expect_validity_at(const char *row, struct vm *vm, uint64_t scb_at,
				      enum validity why)
{
	row_int(row, enter_at(vm, scb_at), CPU_STOP_SIE_EXIT);
	row_int(row, vm->scb.scb.icptcode, ICPT_VALIDITY);
	row_int(row, be32_get(vm->scb.scb.ipb) >> 16, why);
}

UNUSED static void expect_validity(const char *row, struct vm *vm, enum validity why)
{
	expect_validity_at(row, vm, SCB_AT, why);
}

UNUSED static void expect_diag(const char *row, struct vm *vm, unsigned int function)
{
	expect(row, vm, function == 0x500 ? ICPT_PV_INSTRUCTION : ICPT_PV_NOTIFICATION);
	row_int(row, be16_get(vm->scb.scb.ipa), 0x8302);
	row_int(row, be64_get(vm->scb.pv_grregs[5]), function);
}

/* --- The identity of all tests ------------------------------------------------------------------ */

UNUSED static int group_setup(void **state)
{
	struct fixture *fx = calloc(1, sizeof(*fx));
	struct zpv_err err = { 0 };
	void *dir = NULL;

	assert_non_null(fx);
	assert_int_equal(unit_dir_setup(&dir), 0);
	if (!dir)
		return -1;
	fx->dir = *(struct unit_dir *)dir;
	free(dir);
	row_ok("identity",
	       zpv_host_create(&(struct zpv_host_spec){ .dir = fx->dir.path,
							.profile = ZPV_PROFILE_Z17 },
			       &err),
	       err);
	row_ok("identity", zpv_host_open(fx->dir.path, &fx->host, &err), err);
	row_ok("document",
	       zpv_hostkey_read(zpv_host_path(fx->host, ZPV_HOST_HKD), NULL, &fx->key, &err), err);
	*state = fx;
	return 0;
}

UNUSED static int group_teardown(void **state)
{
	struct fixture *fx = *state;

	zpv_hostkey_free(fx->key);
	zpv_host_free(fx->host);
	unit_remove_all(fx->dir.path);
	free(fx);
	return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, vm_setup, vm_teardown)

#endif
