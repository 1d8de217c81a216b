// SPDX-License-Identifier: MIT
/*
 * A hostile hypervisor: each row is a lie or an attack of the host on a guest that runs, with the
 * exception, response code or validity code that it gets, and the guest afterwards.
 *
 * The guest counts: in two pages that nobody has touched before, and in registers that were loaded
 * from them. So a host that got a page changed, exchanged, cleared or replayed is found out by the next
 * step of the guest (goes_on()), which also shows that the right thing still works.
 *
 * Expected values: ultravisor.md sections 4 to 6, sie.md sections 6 and 7.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "uv_test.h"

#define PAGE_A	  0x8000ull /* of the guest, not in its image */
#define PAGE_B	  0x9000ull
#define SPARE	  0x600000ull /* host frame */
#define UVCB2_AT  0x23c000ull /* of the second thread */
#define HOST_CODE 0x240000ull /* program of the host on CPU 1, and its operand */
#define HOST_DATA 0x241000ull
#define PAGE_BITS (~0xfffull)
#define TEID_OK	  4u /* bit 61: the address is valid */
#define WAIT_PSW  0x0002000180000000ull

/*
 * llill %r2,A; llill %r3,B; 1: lg %r4,0(%r2); aghi %r4,1; stg %r4,0(%r2); the same with %r5 and B;
 * diag %r0,%r2,0x44; j 1b
 */
#define COUNTER                              \
	"a52f8000 a53f9000"                  \
	"e34020000004 a74b0001 e34020000024" \
	"e35030000004 a75b0001 e35030000024" DIAG "a7f4ffee "

/* --- The guest and its host ----------------------------------------------------------------------- */

static uint64_t gr(const struct vm *vm, unsigned int n)
{
	return vm->c->area->regs.file.gr[n];
}

/* What is in the guest's page, wherever that is. */
static uint64_t counter(const struct vm *vm, uint64_t gaddr)
{
	const struct uv_page *p = uv_page(vm->c->config, gaddr / FRAME_BYTES);
	bool shared = p->shared;
	be64 v;

	assert_int_equal(p->state, PAGE_RESIDENT);
	memcpy(&v, shared ? frame_host_page(vm->m, p->frame) : frame_secure_page(vm->m, p->frame),
	       sizeof(v));
	return be64_get(v);
}

static uint64_t fault_page(const struct vm *vm)
{
	return (cpu_host_pic(vm->cpu).teid & PAGE_BITS) - MSO;
}

/* What an honest host does: true when the guest is to be entered again. */
static bool serve(const char *row, struct vm *vm, enum cpu_stop stop)
{
	if (stop == CPU_STOP_HOST_PIC) {
		row_int(row, cpu_host_pic(vm->cpu).code, PGM_NON_SECURE_ACCESS);
		import(vm, fault_page(vm));
		return true;
	}
	row_int(row, stop, CPU_STOP_SIE_EXIT);
	if (vm->scb.scb.icptcode != ICPT_PV_PREFIX)
		return false;
	import(vm, 0);
	import(vm, 0x1000);
	return true;
}

/* To the next notification. */
static void step(const char *row, struct vm *vm, unsigned int tries)
{
	while (serve(row, vm, enter_at(vm, SCB_AT)))
		row_true(row, tries--);
	if (vm->scb.scb.icptcode == ICPT_VALIDITY)
		fail_msg("[%s] validity %#x", row, be32_get(vm->scb.scb.ipb) >> 16);
	row_int(row, vm->scb.scb.icptcode, ICPT_PV_NOTIFICATION);
	row_int(row, be64_get(vm->scb.pv_grregs[5]), 0x44);
}

/* The guest counts on as if nothing had been. */
static void goes_on(const char *row, struct vm *vm)
{
	uint64_t a = gr(vm, 4), b = gr(vm, 5);

	step(row, vm, 12);
	row_int(row, gr(vm, 4), a + 1);
	row_int(row, gr(vm, 5), b + 1);
	row_int(row, counter(vm, PAGE_A), a + 1);
	row_int(row, counter(vm, PAGE_B), b + 1);
}

/* A guest that has counted three times. */
static void start_counter(struct vm *vm)
{
	start(vm, COUNTER);
	for (unsigned int i = 0; i < 3; i++)
		goes_on("start", vm);
	row_int("start", gr(vm, 4), 3);
}

static void faults(const char *row, struct vm *vm, uint16_t code, uint64_t gaddr)
{
	row_int(row, enter_at(vm, SCB_AT), CPU_STOP_HOST_PIC);
	row_int(row, cpu_host_pic(vm->cpu).code, code);
	row_int(row, fault_page(vm), gaddr);
}

static void put_pte(struct vm *vm, uint64_t gaddr, uint64_t entry)
{
	put64(vm, SEGMENTS + 0x4000 + (gaddr >> 12) * 8, entry);
}

static uint16_t import_rc(struct vm *vm, uint64_t config, uint64_t gaddr)
{
	struct uvcb_gpage b = { 0 };

	be64_set(&b.config_handle, config);
	be64_set(&b.gaddr, gaddr);
	return uvc(vm, UVC_IMPORT, &b, sizeof(b));
}

static uint16_t frame_rc(struct vm *vm, enum uv_command cmd, uint64_t paddr)
{
	struct uvcb_frame b = { 0 };

	be64_set(&b.paddr, paddr);
	return uvc(vm, cmd, &b, sizeof(b));
}

static uint16_t unpack_rc(struct vm *vm, uint64_t gaddr)
{
	struct uvcb_unpack b = { 0 };

	be64_set(&b.config_handle, vm->config);
	be64_set(&b.gaddr, gaddr);
	be64_set(&b.tweak[0], TWEAK);
	be64_set(&b.tweak[1], gaddr);
	return uvc(vm, UVC_UNPACK, &b, sizeof(b));
}

/* The header that set_parms() made, again. */
static uint16_t parms_again(struct vm *vm)
{
	struct uvcb_set_parms b = { 0 };

	be64_set(&b.config_handle, vm->config);
	be64_set(&b.hdr_origin, HEADER_AT);
	be32_set(&b.hdr_len, (uint32_t)se_hdr_size(1));
	return uvc(vm, UVC_SET_PARMS, &b, sizeof(b));
}

static void share(struct vm *vm, uint64_t gaddr)
{
	uv_lock(vm->uv, NULL);
	uv_page_share(vm->c->config, vm->cpu, gaddr / FRAME_BYTES);
	uv_unlock(vm->uv);
}

/* --- Storage -------------------------------------------------------------------------------------- */

static void refused(const char *row, struct pic pic, uint64_t at)
{
	row_int(row, pic.code, PGM_SECURE_ACCESS);
	row_int(row, pic.teid & PAGE_BITS, at & PAGE_BITS);
	row_true(row, pic.teid & TEID_OK);
}

static void test_accessors(void **state)
{
	static const struct {
		const char *name;
		uint64_t at;
	} rows[] = {
		{ "guest page", GUEST + PAGE_A },
		{ "guest's code", GUEST + CODE },
		{ "guest's prefix page", GUEST },
		{ "base storage", BASE_AT },
		{ "its last page", BASE_AT + 0x3000 },
		{ "variable storage", VIRT_AT },
		{ "CPU storage", CPU_AT },
		{ "Ultravisor's storage", UV_AT },
		{ "its last page", UV_AT + UV_BASE_STOR_BYTES - FRAME_BYTES },
	};
	struct vm *vm = *state;
	uint8_t bytes[16] = { 0 };
	uint32_t old;

	start_counter(vm);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const haddr_t at = { rows[i].at }, last = { rows[i].at + FRAME_BYTES - 1 };

		refused(rows[i].name, storage_read(vm->m, at, bytes, 1), at.v);
		refused(rows[i].name, storage_read(vm->m, last, bytes, 1), at.v);
		refused(rows[i].name, storage_write(vm->m, at, bytes, sizeof(bytes)), at.v);
		refused(rows[i].name, storage_clear(vm->m, at, FRAME_BYTES), at.v);
		refused(rows[i].name, storage_update32(vm->m, at, 0, 0, &old), at.v);
		goes_on(rows[i].name, vm);
	}
}

/* No byte moves when the second frame is secure. */
static void test_accessors_cross(void **state)
{
	const haddr_t at = { GUEST + PAGE_A - 8 };
	uint8_t bytes[16], ones[16];
	struct vm *vm = *state;

	start_counter(vm);
	memset(ones, 0xff, sizeof(ones));
	memset(bytes, 0x55, sizeof(bytes));
	refused("write", storage_write(vm->m, at, ones, sizeof(ones)), GUEST + PAGE_A);
	get(vm, at.v, bytes, 8);
	for (unsigned int i = 0; i < 8; i++)
		row_int("write", bytes[i], 0);
	memset(bytes, 0x55, sizeof(bytes));
	refused("read", storage_read(vm->m, at, bytes, sizeof(bytes)), GUEST + PAGE_A);
	row_int("read", bytes[0], 0x55);
	refused("clear", storage_clear(vm->m, (haddr_t){ GUEST }, MIB), GUEST);
	goes_on("afterwards", vm);
}

/* Shared and pinned ones are the host's as well; private again they are not. */
static void test_shared(void **state)
{
	struct vm *vm = *state;
	be64 v;

	start_counter(vm);
	share(vm, PAGE_A);
	get(vm, GUEST + PAGE_A, &v, sizeof(v));
	row_int("shared", be64_get(v), 3);
	goes_on("shared", vm);
	row_int("pin", frame_rc(vm, UVC_PIN, GUEST + PAGE_A), UV_RC_EXECUTED);
	get(vm, GUEST + PAGE_A, &v, sizeof(v));
	row_int("pinned", be64_get(v), 4);
	goes_on("pinned", vm);
	row_int("pin a private page", frame_rc(vm, UVC_PIN, GUEST + PAGE_B), 0x0102);
	row_int("pin a donated page", frame_rc(vm, UVC_PIN, CPU_AT), 0x0102);
	row_int("pin nothing", frame_rc(vm, UVC_PIN, STORAGE), 0x0101);
	row_int("stop", set_state(vm, UV_CPU_STOPPED), UV_RC_EXECUTED);
	row_int("unshare all", handle_call(vm, UVC_UNSHARE_ALL, vm->config), UV_RC_EXECUTED);
	refused("private", storage_read(vm->m, (haddr_t){ GUEST + PAGE_A }, &v, sizeof(v)),
		GUEST + PAGE_A);
	row_int("operating", set_state(vm, UV_CPU_OPERATING), UV_RC_EXECUTED);
	goes_on("private", vm);
}

/* What a guest that is gone leaves behind is no one's, until it was cleared. */
static void test_orphans(void **state)
{
	struct vm *vm = *state;
	uint8_t page[FRAME_BYTES];

	start_counter(vm);
	row_int("CPU", handle_call(vm, UVC_DESTROY_CPU, vm->cpu_handle), UV_RC_EXECUTED);
	uv_lock(vm->uv, NULL);
	uv_pages_release(uv_find_config(vm->uv, vm->config), vm->cpu, true);
	uv_unlock(vm->uv);
	refused("read", storage_read(vm->m, (haddr_t){ GUEST + PAGE_A }, page, 1), GUEST + PAGE_A);
	row_int("pin", frame_rc(vm, UVC_PIN, GUEST + PAGE_A), 0x0102);
	row_int("export", frame_rc(vm, UVC_EXPORT, GUEST + PAGE_A), UV_RC_EXECUTED);
	row_int("destroy", frame_rc(vm, UVC_DESTROY_PAGE, GUEST + CODE), UV_RC_EXECUTED);
	get(vm, GUEST + PAGE_A, page, sizeof(page));
	for (size_t i = 0; i < sizeof(page); i++)
		row_int("cleared", page[i], 0);
	get(vm, GUEST + CODE, page, sizeof(page));
	for (size_t i = 0; i < sizeof(page); i++)
		row_int("cleared", page[i], 0);
}

/* Instructions of the host: GR2 is the address of the row, GR3 that of plain data. */
static void test_host_program(void **state)
{
	static const struct {
		const char *name, *insn;
		uint64_t at;
	} rows[] = {
		{ "load", "e31020000004", GUEST + PAGE_A },
		{ "load across", "e31020000004", GUEST + PAGE_A - 4 },
		{ "store", "e31020000024", GUEST + PAGE_A },
		{ "store across", "e31020000024", GUEST + PAGE_A - 4 },
		{ "load multiple", "eb4520000004", GUEST + PAGE_A },
		{ "move from", "d20730002000", GUEST + PAGE_B },
		{ "move to", "d20720003000", GUEST + PAGE_B },
		{ "compare", "d50720003000", GUEST + CODE },
		{ "clear", "d7ff20002000", GUEST + PAGE_A },
		{ "and immediate", "94002000", GUEST + PAGE_A },
		{ "compare and swap", "ba452000", GUEST + PAGE_A },
		{ "branch", "07f2", GUEST + CODE },
		{ "execute", "44002000", GUEST + CODE },
		{ "load PSW", "b2b22000", GUEST + PAGE_A },
		{ "load control", "eb002000002f", GUEST + PAGE_A },
		{ "store control", "eb0020000025", GUEST + PAGE_A },
		{ "load, base storage", "e31020000004", BASE_AT },
		{ "store, variable storage", "e31020000024", VIRT_AT },
		{ "load, CPU storage", "e31020000004", CPU_AT },
		{ "store, CPU storage", "e31020000024", CPU_AT },
		{ "load, Ultravisor's", "e31020000004", UV_AT },
	};
	struct vm *vm = *state;
	struct cpu *host = machine_cpu(vm->m, 1);

	start_counter(vm);
	put64(vm, 0x1d0, WAIT_PSW);
	put64(vm, 0x1d8, 0x600d);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct lowcore lc;

		put_code(vm, HOST_CODE, rows[i].insn);
		cpu_set_gr(host, 1, 0);
		cpu_set_gr(host, 2, rows[i].at);
		cpu_set_gr(host, 3, HOST_DATA);
		cpu_set_psw(host, MASK_64, HOST_CODE);
		row_int(rows[i].name, cpu_run(host), CPU_STOP_WAIT);
		get(vm, 0, &lc, sizeof(lc));
		row_int(rows[i].name, be16_get(lc.pgm_code), PGM_SECURE_ACCESS);
		row_int(rows[i].name, be64_get(lc.teid) & PAGE_BITS, (rows[i].at + 7) & PAGE_BITS);
		row_true(rows[i].name, be64_get(lc.teid) & TEID_OK);
		row_int(rows[i].name, cpu_gr(host, 1), 0);
		goes_on(rows[i].name, vm);
	}
}

/* The same pages, by a guest that is not protected: it is part of its host. */
static void test_ordinary_guest(void **state)
{
	struct scb scb = { 0 };
	struct vm *vm = *state;

	start_counter(vm);
	be32_set(&scb.cpuflags, CPUFLAG_ZARCH);
	be64_set(&scb.mso, MSO);
	be64_set(&scb.msl, MSO);
	be64_set(&scb.gpsw_mask, MASK_64);
	be64_set(&scb.gpsw_addr, CODE);
	put(vm, SCB2_AT, &scb, sizeof(scb));
	row_int("prefix area", cpu_sie(vm->cpu, (haddr_t){ SCB2_AT }), CPU_STOP_SIE_EXIT);
	get(vm, SCB2_AT, &scb, sizeof(scb));
	row_int("prefix area", scb.icptcode, ICPT_VALIDITY);
	row_int("prefix area", be32_get(scb.ipb) >> 16, VALIDITY_PREFIX);
	be32_set(&scb.prefix, 0x20000);
	put(vm, SCB2_AT, &scb, sizeof(scb));
	row_int("code", cpu_sie(vm->cpu, (haddr_t){ SCB2_AT }), CPU_STOP_HOST_PIC);
	row_int("code", cpu_host_pic(vm->cpu).code, PGM_SECURE_ACCESS);
	row_int("code", fault_page(vm), CODE);
	goes_on("afterwards", vm);
}

/* --- Mappings -------------------------------------------------------------------------------------- */

static void test_one_frame_twice(void **state)
{
	struct vm *vm = *state;

	start_counter(vm);
	put_pte(vm, PAGE_B, GUEST + PAGE_A);
	machine_purge(vm->m);
	faults("second address", vm, PGM_SECURE_VIOLATION, PAGE_B);
	row_int("import", import_rc(vm, vm->config, MSO + PAGE_B), 0x0105);
	faults("second address", vm, PGM_SECURE_VIOLATION, PAGE_B);
	put_pte(vm, PAGE_B, GUEST + PAGE_B);
	machine_purge(vm->m);
	/* The first half of the step was done: A has been counted, B has not. */
	step("repaired", vm, 4);
	row_int("repaired", gr(vm, 5), 4);
	goes_on("repaired", vm);
}

static void test_swapped(void **state)
{
	struct vm *vm = *state;

	start_counter(vm);
	put_pte(vm, PAGE_A, GUEST + PAGE_B);
	put_pte(vm, PAGE_B, GUEST + PAGE_A);
	machine_purge(vm->m);
	faults("swapped", vm, PGM_SECURE_VIOLATION, PAGE_A);
	row_int("import", import_rc(vm, vm->config, MSO + PAGE_A), 0x0105);
	row_int("import", import_rc(vm, vm->config, MSO + PAGE_B), 0x0105);
	put_pte(vm, PAGE_A, GUEST + PAGE_A);
	put_pte(vm, PAGE_B, GUEST + PAGE_B);
	machine_purge(vm->m);
	goes_on("repaired", vm);
}

static void test_frames_for_a_page(void **state)
{
	static const struct {
		const char *name;
		uint64_t pte;
		uint16_t fault, rc;
	} rows[] = {
		{ "the host's", SPARE, PGM_NON_SECURE_ACCESS, 0x0108 },
		{ "donated", CPU_AT, PGM_SECURE_VIOLATION, 0x0105 },
		{ "the Ultravisor's", UV_AT, PGM_SECURE_VIOLATION, 0x0105 },
		{ "its own code", GUEST + CODE, PGM_SECURE_VIOLATION, 0x0105 },
		{ "none", 0x400, PGM_PAGE, 0x010a },
	};
	struct vm *vm = *state;

	start_counter(vm);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		put_pte(vm, PAGE_A, rows[i].pte);
		machine_purge(vm->m);
		faults(rows[i].name, vm, rows[i].fault, PAGE_A);
		row_int(rows[i].name, import_rc(vm, vm->config, MSO + PAGE_A), rows[i].rc);
		faults(rows[i].name, vm, rows[i].fault, PAGE_A);
		put_pte(vm, PAGE_A, GUEST + PAGE_A);
		machine_purge(vm->m);
		goes_on(rows[i].name, vm);
	}
}

/* Another frame in the place of a prefix page: not even entered. */
static void test_prefix_frames(void **state)
{
	static const uint64_t entries[] = { SPARE, GUEST + PAGE_A, CPU_AT, 0x400 };
	struct vm *vm = *state;

	start_counter(vm);
	for (uint64_t page = 0; page <= 0x1000; page += 0x1000) {
		for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
			put_pte(vm, page, entries[i]);
			machine_purge(vm->m);
			expect("prefix", vm, ICPT_PV_PREFIX);
			put_pte(vm, page, GUEST + page);
			machine_purge(vm->m);
			goes_on("prefix", vm);
		}
	}
}

static void test_import_addresses(void **state)
{
	struct vm *vm = *state;

	start_counter(vm);
	row_int("below", import_rc(vm, vm->config, MSO - 1), 0x0103);
	row_int("behind", import_rc(vm, vm->config, MSO + MIB), 0x0103);
	row_int("guest absolute", import_rc(vm, vm->config, PAGE_A), 0x0103);
	row_int("end of all", import_rc(vm, vm->config, UINT64_MAX), 0x0103);
	row_int("again", import_rc(vm, vm->config, MSO + PAGE_A), UV_RC_EXECUTED);
	row_int("donated", frame_rc(vm, UVC_EXPORT, CPU_AT), 0x0105);
	row_int("Ultravisor's", frame_rc(vm, UVC_EXPORT, UV_AT), 0x0105);
	row_int("no frame", frame_rc(vm, UVC_EXPORT, STORAGE), 0x0101);
	row_int("destroy donated", frame_rc(vm, UVC_DESTROY_PAGE, BASE_AT), 0x0105);
	row_int("destroy no frame", frame_rc(vm, UVC_DESTROY_PAGE, UINT64_MAX), 0x0101);
	row_int("destroy a living page", frame_rc(vm, UVC_DESTROY_PAGE, GUEST + PAGE_A), 0x0106);
	goes_on("afterwards", vm);
}

/* A second configuration whose tables lead to the first one's frames. */
static void test_other_guests_frames(void **state)
{
	struct vm *vm = *state;
	struct scb_page honest;
	uint64_t other, cpu;
	struct uv_config *c;

	start_counter(vm);
	other = create_config(vm, BASE2_AT, VIRT2_AT, SCA2_AT, SEGMENTS2);
	row_int("not verified", import_rc(vm, other, MSO + PAGE_A), 0x0101);
	c = uv_find_config(vm->uv, other);
	c->state = CONFIG_VERIFIED;
	row_int("same page", import_rc(vm, other, MSO + PAGE_A), 0x0105);
	row_int("prefix page", import_rc(vm, other, MSO), 0x0105);
	row_int("its own", import_rc(vm, other, MSO + 0x20000), UV_RC_EXECUTED);
	row_int("and back", import_rc(vm, vm->config, MSO + 0x20000), 0x0105);
	goes_on("afterwards", vm);

	/* Its CPU in this one, and this one's CPU in it. */
	cpu = create_cpu(vm, other, 0, CPU_AT + 0x1000, SCB2_AT);
	honest = vm->scb;
	be64_set(&vm->scb.scb.pv_handle_cpu, cpu);
	expect_validity("its CPU", vm, VALIDITY_PV_OTHER_CONFIG);
	vm->scb = honest;
	be64_set(&vm->scb.scb.pv_handle_config, other);
	expect_validity("its handle", vm, VALIDITY_PV_OTHER_CONFIG);
	vm->scb = honest;
	goes_on("afterwards", vm);
	row_int("CPU", handle_call(vm, UVC_DESTROY_CPU, cpu), UV_RC_EXECUTED);
	row_int("destroyed", handle_call(vm, UVC_DESTROY_CONFIG, other), UV_RC_EXECUTED);
	goes_on("destroyed", vm);
}

/*
 * A CPU may know an old translation: the host moves a page without a word to that CPU, and says that
 * nothing has to be flushed (ihcpu).
 */
static void test_stale_translation(void **state)
{
	struct cpu *first = machine_cpu(((struct vm *)*state)->m, 0);
	struct vm *vm = *state;
	uint8_t page[FRAME_BYTES];

	start_counter(vm);
	for (uint64_t i = 0; i < 10; i++) {
		uint64_t from = i % 2 ? SPARE : GUEST + PAGE_A;
		uint64_t to = i % 2 ? GUEST + PAGE_A : SPARE;

		vm->cpu = machine_cpu(vm->m, 1);
		row_int("export", frame_rc(vm, UVC_EXPORT, from), UV_RC_EXECUTED);
		get(vm, from, page, sizeof(page));
		put(vm, to, page, sizeof(page));
		put_pte(vm, PAGE_A, to);
		memset(page, 0xff, sizeof(page));
		put(vm, from, page, sizeof(page));
		import(vm, PAGE_A);
		be16_set(&vm->scb.scb.ihcpu, 1);
		goes_on("second CPU", vm);
		vm->cpu = first;
		be16_set(&vm->scb.scb.ihcpu, 0);
		goes_on("first CPU", vm);
		get(vm, from, page, sizeof(page));
		row_int("old frame", page[7], 0xff);
	}
}

/* --- Exports --------------------------------------------------------------------------------------- */

/* The import of what is in the frame now is refused, nothing changes, and the export itself works. */
static void changed(const char *row, struct vm *vm, const uint8_t *good)
{
	uint8_t before[FRAME_BYTES], after[FRAME_BYTES];

	get(vm, GUEST + PAGE_A, before, sizeof(before));
	row_int(row, import_rc(vm, vm->config, MSO + PAGE_A), 0x0106);
	get(vm, GUEST + PAGE_A, after, sizeof(after));
	row_mem(row, after, before, sizeof(after));
	faults(row, vm, PGM_NON_SECURE_ACCESS, PAGE_A);
	put(vm, GUEST + PAGE_A, good, FRAME_BYTES);
	goes_on(row, vm);
}

static void test_replay(void **state)
{
	struct vm *vm = *state;
	uint8_t old[FRAME_BYTES], same[FRAME_BYTES], now[FRAME_BYTES];

	start_counter(vm);
	export(vm, PAGE_A);
	get(vm, GUEST + PAGE_A, old, sizeof(old));
	import(vm, PAGE_A);
	export(vm, PAGE_A);
	get(vm, GUEST + PAGE_A, same, sizeof(same));
	row_true("equal contents differ", memcmp(old, same, sizeof(old)) != 0);
	put(vm, GUEST + PAGE_A, old, sizeof(old));
	changed("same content, older", vm, same);
	export(vm, PAGE_A);
	get(vm, GUEST + PAGE_A, now, sizeof(now));
	put(vm, GUEST + PAGE_A, same, sizeof(same));
	changed("counter set back", vm, now);
}

static void test_bits(void **state)
{
	static const uint32_t bits[] = { 0,    1,    7,	    8,	   63,	  64,	 127,	128,
					 1000, 4095, 16384, 20000, 32640, 32752, 32766, 32767 };
	struct vm *vm = *state;
	uint8_t good[FRAME_BYTES], bad[FRAME_BYTES];

	start_counter(vm);
	for (size_t i = 0; i < ARRAY_SIZE(bits); i++) {
		export(vm, PAGE_A);
		get(vm, GUEST + PAGE_A, good, sizeof(good));
		memcpy(bad, good, sizeof(bad));
		bad[bits[i] / 8] ^= (uint8_t)(1u << bits[i] % 8);
		put(vm, GUEST + PAGE_A, bad, sizeof(bad));
		changed("bit", vm, good);
	}
}

static void test_other_content(void **state)
{
	struct vm *vm = *state;
	uint8_t good[FRAME_BYTES], bad[FRAME_BYTES];

	start_counter(vm);
	export(vm, PAGE_A);
	get(vm, GUEST + PAGE_A, good, sizeof(good));
	memset(bad, 0, sizeof(bad));
	put(vm, GUEST + PAGE_A, bad, sizeof(bad));
	changed("zeros", vm, good);

	export(vm, PAGE_A);
	export(vm, PAGE_B);
	get(vm, GUEST + PAGE_A, good, sizeof(good));
	get(vm, GUEST + PAGE_B, bad, sizeof(bad));
	put(vm, GUEST + PAGE_A, bad, sizeof(bad));
	changed("another page's", vm, good);

	export(vm, PAGE_A);
	get(vm, GUEST + PAGE_A, good, sizeof(good));
	put64(vm, GUEST + PAGE_A, 3); /* what it was before */
	changed("plain counter", vm, good);
}

/* By another frame, at another address: the tables lead each page to the other one's export. */
static void test_relocated(void **state)
{
	struct vm *vm = *state;

	start_counter(vm);
	export(vm, PAGE_A);
	export(vm, PAGE_B);
	put_pte(vm, PAGE_A, GUEST + PAGE_B);
	put_pte(vm, PAGE_B, GUEST + PAGE_A);
	machine_purge(vm->m);
	row_int("A", import_rc(vm, vm->config, MSO + PAGE_A), 0x0106);
	row_int("B", import_rc(vm, vm->config, MSO + PAGE_B), 0x0106);
	/* A page that was never used takes no content from the host. */
	put_pte(vm, 0xa000, GUEST + PAGE_A);
	row_int("fresh", import_rc(vm, vm->config, MSO + 0xa000), UV_RC_EXECUTED);
	row_int("fresh", counter(vm, 0xa000), 0);
}

static void test_exported_code(void **state)
{
	struct vm *vm = *state;
	uint8_t page[FRAME_BYTES];

	start_counter(vm);
	export(vm, CODE);
	get(vm, GUEST + CODE, page, sizeof(page));
	put_code(vm, GUEST + CODE, DIAG LOOP);
	faults("new code", vm, PGM_NON_SECURE_ACCESS, CODE);
	row_int("new code", import_rc(vm, vm->config, MSO + CODE), 0x0106);
	faults("new code", vm, PGM_NON_SECURE_ACCESS, CODE);
	put(vm, GUEST + CODE, page, sizeof(page));
	goes_on("repaired", vm);
}

/* --- The state description -------------------------------------------------------------------------- */

enum how { SET, FLIP, ADD };

struct edit {
	size_t at;
	unsigned int bytes;
	enum how how;
	uint64_t v;
};

#define F(field) offsetof(struct scb_page, scb.field), sizeof(((struct scb *)0)->field)
#define INTR(member) \
	offsetof(struct scb_page, scb.intr.member), sizeof(((union scb_intr *)0)->member)

static void edit(struct vm *vm, const struct edit *e)
{
	uint8_t *p = (uint8_t *)&vm->scb + e->at;
	uint64_t v = 0;

	for (unsigned int i = 0; i < e->bytes; i++)
		v = v << 8 | p[i];
	v = e->how == SET ? e->v : e->how == FLIP ? v ^ e->v : v + e->v;
	for (unsigned int i = 0; i < e->bytes; i++)
		p[i] = (uint8_t)(v >> 8 * (e->bytes - 1 - i));
}

struct lie {
	const char *name;
	enum validity why;
	struct edit edits[2];
};

static void check_lies(struct vm *vm, const struct lie *lies, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct scb_page honest = vm->scb;

		for (size_t k = 0; k < ARRAY_SIZE(lies[i].edits); k++)
			edit(vm, &lies[i].edits[k]);
		expect_validity(lies[i].name, vm, lies[i].why);
		expect_validity(lies[i].name, vm, lies[i].why);
		vm->scb = honest;
		goes_on(lies[i].name, vm);
	}
}

static void test_entry_lies(void **state)
{
	static const struct lie lies[] = {
		{ "configuration 0", VALIDITY_PV_CONFIG, { { F(pv_handle_config), SET, 0 } } },
		{ "first bit", VALIDITY_PV_CONFIG, { { F(pv_handle_config), FLIP, 1ull << 63 } } },
		{ "last bit", VALIDITY_PV_CONFIG, { { F(pv_handle_config), FLIP, 1 } } },
		{ "inverted", VALIDITY_PV_CONFIG, { { F(pv_handle_config), FLIP, UINT64_MAX } } },
		{ "CPU 0", VALIDITY_PV_CPU, { { F(pv_handle_cpu), SET, 0 } } },
		{ "CPU first bit", VALIDITY_PV_CPU, { { F(pv_handle_cpu), FLIP, 1ull << 63 } } },
		{ "CPU + 1", VALIDITY_PV_CPU, { { F(pv_handle_cpu), ADD, 1 } } },
		{ "SIDA outside", VALIDITY_PV_SIDA, { { F(gbea), SET, STORAGE } } },
		{ "SIDA secure", VALIDITY_PV_SIDA, { { F(gbea), SET, GUEST + PAGE_A } } },
		{ "SIDA donated", VALIDITY_PV_SIDA, { { F(gbea), SET, CPU_AT } } },
		{ "SIDA the Ultravisor's", VALIDITY_PV_SIDA, { { F(gbea), SET, UV_AT } } },
		{ "SIDA's second page",
		  VALIDITY_PV_SIDA,
		  { { F(gbea), SET, (BASE_AT - FRAME_BYTES) | 1 } } },
		{ "SIDA of 256 pages",
		  VALIDITY_PV_SIDA,
		  { { F(gbea), SET, (STORAGE - FRAME_BYTES) | 0xff } } },
		{ "another SCA", VALIDITY_PV_SCA, { { F(scaol), SET, SCA2_AT } } },
		{ "no SCA", VALIDITY_PV_SCA, { { F(scaol), SET, 0 } } },
		{ "SCA above 4 GiB", VALIDITY_PV_SCA, { { F(scaoh), SET, 1 } } },
		{ "SCA secure", VALIDITY_PV_SCA, { { F(scaol), SET, GUEST } } },
		{ "SCA donated", VALIDITY_PV_SCA, { { F(scaol), SET, BASE_AT } } },
		{ "basic SCA", VALIDITY_PV_SCA, { { F(ecb2), SET, 0 } } },
		{ "timer + 12000", VALIDITY_PV_TIMER_HIGH, { { F(cputm), ADD, TOD_12000 } } },
		{ "timer + 1", VALIDITY_PV_TIMER_HIGH, { { F(cputm), ADD, 1 } } },
		{ "timer far up", VALIDITY_PV_TIMER_HIGH, { { F(cputm), ADD, 1ull << 62 } } },
		{ "timer far down", VALIDITY_PV_TIMER_LOW, { { F(cputm), ADD, 0 - (1ull << 62) } } },
		{ "timer - 1 hour",
		  VALIDITY_PV_TIMER_LOW,
		  { { F(cputm), ADD, 0 - 3600ull * 1000000 * 4096 } } },
	};
	struct vm *vm = *state;

	start_counter(vm);
	check_lies(vm, lies, ARRAY_SIZE(lies));
}

/* The guest is disabled for everything and waits for no answer. */
static void test_injection_lies(void **state)
{
	static const struct lie lies[] = {
		{ "machine check",
		  VALIDITY_PV_NOT_ENABLED,
		  { { F(iictl), SET, INJECT_MCHECK }, { INTR(mcheck.mcic), SET, UINT64_MAX } } },
		{ "clock comparator",
		  VALIDITY_PV_NOT_ENABLED,
		  { { F(iictl), SET, INJECT_EXTERNAL }, { INTR(ext.code), SET, EXT_CKC } } },
		{ "CPU timer",
		  VALIDITY_PV_NOT_ENABLED,
		  { { F(iictl), SET, INJECT_EXTERNAL }, { INTR(ext.code), SET, EXT_CPU_TIMER } } },
		{ "emergency",
		  VALIDITY_PV_NOT_ENABLED,
		  { { F(iictl), SET, INJECT_EXTERNAL }, { INTR(ext.code), SET, EXT_EMERGENCY } } },
		{ "external call",
		  VALIDITY_PV_NOT_ENABLED,
		  { { F(iictl), SET, INJECT_EXTERNAL },
		    { INTR(ext.code), SET, EXT_EXTERNAL_CALL } } },
		{ "service signal",
		  VALIDITY_PV_NOT_ENABLED,
		  { { F(iictl), SET, INJECT_EXTERNAL },
		    { INTR(ext.code), SET, EXT_SERVICE_SIGNAL } } },
		{ "I/O",
		  VALIDITY_PV_NOT_ENABLED,
		  { { F(iictl), SET, INJECT_IO }, { INTR(io.word), SET, 0x38000000 } } },
		{ "specification",
		  VALIDITY_PV_INJECTION,
		  { { F(iictl), SET, INJECT_SPECIFICATION } } },
		{ "operand", VALIDITY_PV_INJECTION, { { F(iictl), SET, INJECT_OPERAND } } },
		{ "iictl 5", VALIDITY_PV_IICTL, { { F(iictl), SET, 5 } } },
		{ "iictl 0x0f", VALIDITY_PV_IICTL, { { F(iictl), SET, 0x0f } } },
		{ "iictl 0x12", VALIDITY_PV_IICTL, { { F(iictl), SET, 0x12 } } },
		{ "iictl 0xff", VALIDITY_PV_IICTL, { { F(iictl), SET, 0xff } } },
	};
	struct vm *vm = *state;

	start_counter(vm);
	check_lies(vm, lies, ARRAY_SIZE(lies));
}

/* Enabled for external interruptions, so that the codes themselves are looked at. */
static void test_external_lies(void **state)
{
	static const struct lie lies[] = {
		{ "0", VALIDITY_PV_EXTERNAL, { { F(iictl), SET, INJECT_EXTERNAL } } },
		{ "interrupt key",
		  VALIDITY_PV_EXTERNAL,
		  { { F(iictl), SET, INJECT_EXTERNAL }, { INTR(ext.code), SET, 0x0040 } } },
		{ "timing alert",
		  VALIDITY_PV_EXTERNAL,
		  { { F(iictl), SET, INJECT_EXTERNAL }, { INTR(ext.code), SET, 0x1406 } } },
		{ "virtio",
		  VALIDITY_PV_EXTERNAL,
		  { { F(iictl), SET, INJECT_EXTERNAL }, { INTR(ext.code), SET, 0x2603 } } },
		{ "masked by CR0",
		  VALIDITY_PV_NOT_ENABLED,
		  { { F(iictl), SET, INJECT_EXTERNAL }, { INTR(ext.code), SET, EXT_CKC } } },
		{ "signal without a SERVC",
		  VALIDITY_PV_INJECTION,
		  { { F(iictl), SET, INJECT_EXTERNAL },
		    { offsetof(struct scb_page, scb.intr), 8, SET,
		      (uint64_t)(GUEST + PAGE_A) << 32 | EXT_SERVICE_SIGNAL } } },
	};
	struct vm *vm = *state;
	struct secure_regs *r;

	start_counter(vm);
	r = &vm->c->area->regs;
	r->psw_mask |= PSW_EXT;
	r->cr[0] = CR0_SERVICE;
	check_lies(vm, lies, ARRAY_SIZE(lies));
}

/* Handles of the one where those of the other belong; CR1; another page. */
static void test_identity_lies(void **state)
{
	static const uint64_t asces[] = { SEGMENTS2 | 0x100, SEGMENTS,	       SEGMENTS | 0x101,
					  SEGMENTS | 0x180,  SEGMENTS | 0x120, 0 };
	struct vm *vm = *state;
	struct scb_page honest;

	start_counter(vm);
	honest = vm->scb;
	be64_set(&vm->scb.scb.pv_handle_config, vm->cpu_handle);
	expect_validity("CPU as configuration", vm, VALIDITY_PV_CONFIG);
	vm->scb = honest;
	be64_set(&vm->scb.scb.pv_handle_cpu, vm->config);
	expect_validity("configuration as CPU", vm, VALIDITY_PV_CPU);
	vm->scb = honest;
	for (size_t i = 0; i < ARRAY_SIZE(asces); i++) {
		cpu_set_cr(vm->cpu, 1, asces[i]);
		expect_validity("CR1", vm, VALIDITY_PV_ASCE);
		vm->scb = honest;
		cpu_set_cr(vm->cpu, 1, SEGMENTS | 0x100);
		goes_on("CR1", vm);
		honest = vm->scb;
	}
	expect_validity_at("a copy", vm, SCB2_AT, VALIDITY_PV_SCB);
	vm->scb = honest;
	goes_on("afterwards", vm);
}

/* What the guest has is in the Ultravisor: copies in the state description are not even read. */
static void test_ignored(void **state)
{
	static const struct {
		size_t at, bytes;
	} fields[] = {
		{ F(prefix) },
		{ F(svcc) },
		{ F(ictl) },
		{ F(mso) },
		{ F(msl) },
		{ F(gpsw_mask) },
		{ F(gpsw_addr) },
		{ F(gg14) },
		{ F(gg15) },
		{ F(intr) },
		{ F(crycbd) },
		{ F(gcr) },
		{ F(sdnxo) },
		{ F(fac) },
		{ F(pp) },
		{ F(itdba) },
		{ F(riccbd) },
		{ F(gvrd) },
		{ F(icpua) },
		{ F(todpr) },
		{ F(ckc) },
		{ F(eca) },
		{ F(ecb) },
		{ F(ecb3) },
		{ offsetof(struct scb_page, pv_grregs), sizeof(((struct scb_page *)0)->pv_grregs) },
	};
	struct vm *vm = *state;

	start_counter(vm);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		memset((uint8_t *)&vm->scb + fields[i].at, 0xff, fields[i].bytes);
		goes_on("all ones", vm);
		memset((uint8_t *)&vm->scb + fields[i].at, 0, fields[i].bytes);
		goes_on("zeros", vm);
	}
}

/* --- Answers ---------------------------------------------------------------------------------------- */

static void fill_page(struct vm *vm, uint64_t at, uint8_t v)
{
	uint8_t page[FRAME_BYTES];

	memset(page, v, sizeof(page));
	put(vm, at, page, sizeof(page));
}

/* DIAGNOSE 500 has one result: GR2. */
static void test_answer_registers(void **state)
{
	struct vm *vm = *state;
	struct register_file before;

	start(vm, DIAG_500 DIAG LOOP);
	expect_diag("asked", vm, 0x500);
	before = vm->c->area->regs.file;
	memset(vm->scb.pv_grregs, 0xff, sizeof(vm->scb.pv_grregs));
	be64_set(&vm->scb.scb.gpsw_mask, UINT64_MAX);
	be64_set(&vm->scb.scb.gpsw_addr, PAGE_A);
	be64_set(&vm->scb.scb.gg14, 14);
	be64_set(&vm->scb.scb.gg15, 15);
	expect_diag("answered", vm, 0x44);
	for (unsigned int i = 0; i < 16; i++)
		row_int("GR", gr(vm, i), i == 2 ? UINT64_MAX : before.gr[i]);
	row_int("CC", vm->c->area->regs.psw_mask & PSW_CC, 0);
	row_int("address", vm->c->area->regs.psw_addr, CODE + 8);
}

/* Between question and answer nothing else may come, and the answer must have its place. */
static void test_answer_lies(void **state)
{
	static const uint8_t injections[] = { INJECT_MCHECK, INJECT_EXTERNAL, INJECT_IO };
	struct vm *vm = *state;
	struct scb_page honest;

	start(vm, DIAG_500 DIAG LOOP);
	expect_diag("asked", vm, 0x500);
	honest = vm->scb;
	for (size_t i = 0; i < ARRAY_SIZE(injections); i++) {
		vm->scb.scb.iictl = injections[i];
		expect_validity("interruption", vm, VALIDITY_PV_NOT_ENABLED);
		vm->scb = honest;
	}
	vm->scb.scb.iictl = INJECT_RESTART;
	expect_validity("restart", vm, VALIDITY_PV_INJECTION);
	vm->scb = honest;
	be64_set(&vm->scb.scb.gbea, GUEST);
	expect_validity("SIDA", vm, VALIDITY_PV_SIDA);
	vm->scb = honest;
	be64_set(&vm->scb.pv_grregs[2], 42);
	expect_diag("answered", vm, 0x44);
	row_int("answered", gr(vm, 2), 42);
}

/*
 * SERVC, write event data with an SCCB of 16 bytes at 0x2800: llill %r1,0x2800; llilh %r2,0x76;
 * oill %r2,5; servc %r2,%r1. Its page is imported when it is touched: mvi 1(%r1),16 does.
 */
#define SCCB	   0x2800ull
#define SERVC_CODE "a51f2800 92101001 a52e0076 a52b0005 b2200021 " DIAG LOOP

static void test_answer_storage(void **state)
{
	struct vm *vm = *state;
	const uint8_t *page;

	start(vm, SERVC_CODE);
	while (serve("asked", vm, enter_at(vm, SCB_AT)))
		;
	row_int("asked", vm->scb.scb.icptcode, ICPT_PV_INSTRUCTION);
	row_int("asked", be16_get(vm->scb.scb.ipa), 0xb220);
	fill_page(vm, SIDA_AT, 0xff); /* a length of 0xffff among them */
	be64_set(&vm->scb.scb.gpsw_mask, PSW_CC);
	memset(vm->scb.pv_grregs, 0xff, sizeof(vm->scb.pv_grregs));
	expect("answered", vm, ICPT_PV_NOTIFICATION);
	row_int("answered", be16_get(vm->scb.scb.ipa), 0xb220);
	page = frame_secure_page(vm->m, (GUEST + SCCB) / FRAME_BYTES);
	for (size_t i = 0; i < FRAME_BYTES; i++)
		row_int("bytes", page[i], i - SCCB % FRAME_BYTES < 16 ? 0xff : 0);
	expect_diag("notified", vm, 0x44);
	row_int("CC", vm->c->area->regs.psw_mask & PSW_CC, 0);
	row_int("GR1", gr(vm, 1), SCCB);
	row_int("GR2", gr(vm, 2), 0x00760005);
}

/* --- Calls ------------------------------------------------------------------------------------------- */

static void test_handles(void **state)
{
	static const struct {
		uint16_t cmd, len, at;
		bool cpu;
	} rows[] = {
		{ UVC_DESTROY_CONFIG, sizeof(struct uvcb_handle), 0x18, false },
		{ UVC_CREATE_CPU, sizeof(struct uvcb_create_cpu), 0x20, false },
		{ UVC_DESTROY_CPU, sizeof(struct uvcb_handle), 0x18, true },
		{ UVC_IMPORT, sizeof(struct uvcb_gpage), 0x18, false },
		{ UVC_UNPIN, sizeof(struct uvcb_gpage), 0x18, false },
		{ UVC_SET_PARMS, sizeof(struct uvcb_set_parms), 0x18, false },
		{ UVC_UNPACK, sizeof(struct uvcb_unpack), 0x18, false },
		{ UVC_VERIFY, sizeof(struct uvcb_handle), 0x18, false },
		{ UVC_CPU_RESET, sizeof(struct uvcb_handle), 0x18, true },
		{ UVC_CPU_RESET_INITIAL, sizeof(struct uvcb_handle), 0x18, true },
		{ UVC_CPU_RESET_CLEAR, sizeof(struct uvcb_handle), 0x18, true },
		{ UVC_SET_CPU_STATE, sizeof(struct uvcb_cpu_state), 0x18, true },
		{ UVC_PREPARE_RESET, sizeof(struct uvcb_handle), 0x18, false },
		{ UVC_UNSHARE_ALL, sizeof(struct uvcb_handle), 0x18, false },
	};
	struct vm *vm = *state;

	start_counter(vm);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t own = rows[i].cpu ? vm->cpu_handle : vm->config;
		uint64_t other = rows[i].cpu ? vm->config : vm->cpu_handle;
		const uint64_t wrong[] = {
			0, own ^ 1, own + 1, own ^ 1ull << 63, other, UINT64_MAX
		};

		for (size_t k = 0; k < ARRAY_SIZE(wrong); k++) {
			union uv_block b = { 0 };
			be64 v;

			be64_set(&v, wrong[k]);
			memcpy((uint8_t *)&b + rows[i].at, &v, sizeof(v));
			row_int("handle", uvc(vm, rows[i].cmd, &b, rows[i].len),
				rows[i].cpu ? UV_RC_CPU_HANDLE : UV_RC_CONFIG_HANDLE);
		}
		goes_on("handle", vm);
	}
}

static void test_blocks(void **state)
{
	static const struct {
		const char *name;
		uint64_t at;
		uint16_t code;
	} rows[] = {
		{ "in a secure frame", GUEST + PAGE_A, PGM_SECURE_ACCESS },
		{ "across into one", GUEST + PAGE_A - 8, PGM_SECURE_ACCESS },
		{ "in a donated frame", CPU_AT, PGM_SECURE_ACCESS },
		{ "across into one", UV_AT - 16, PGM_SECURE_ACCESS },
		{ "outside", STORAGE, PGM_ADDRESSING },
		{ "across the end", STORAGE - 8, PGM_ADDRESSING },
		{ "not on a doubleword", UVCB_AT + 4, PGM_SPECIFICATION },
	};
	struct vm *vm = *state;

	start_counter(vm);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct uvcb_handle b = { 0 };
		unsigned int cc = 7;

		be16_set(&b.head.len, sizeof(b));
		be16_set(&b.head.cmd, UVC_DESTROY_CPU);
		be64_set(&b.handle, vm->cpu_handle);
		/* As much of it as the host can store. */
		(void)storage_write(vm->m, (haddr_t){ rows[i].at }, &b, 8).code;
		row_int(rows[i].name, cpu_uvc(vm->cpu, (haddr_t){ rows[i].at }, &cc).code,
			rows[i].code);
		goes_on(rows[i].name, vm);
	}
}

/* Storage that is not the host's to give. */
static void test_donations(void **state)
{
	static const struct {
		const char *name;
		uint64_t base, virt, sca, asce;
		uint16_t rc;
	} configs[] = {
		{ "same ASCE", BASE2_AT, VIRT2_AT, SCA2_AT, SEGMENTS | 0x100, 0x0104 },
		{ "base donated", BASE_AT, VIRT2_AT, SCA2_AT, SEGMENTS2 | 0x100, 0x010e },
		{ "base of the guest", GUEST, VIRT2_AT, SCA2_AT, SEGMENTS2 | 0x100, 0x010e },
		{ "variable storage donated", BASE2_AT, VIRT_AT, SCA2_AT, SEGMENTS2 | 0x100,
		  0x010e },
		{ "of the guest", BASE2_AT, GUEST, SCA2_AT, SEGMENTS2 | 0x100, 0x010e },
		{ "both the same", BASE2_AT, BASE2_AT, SCA2_AT, SEGMENTS2 | 0x100, 0x010e },
		{ "SCA secure", BASE2_AT, VIRT2_AT, GUEST, SEGMENTS2 | 0x100, 0x010d },
		{ "tables secure", BASE2_AT, VIRT2_AT, SCA2_AT, GUEST | 0x100, 0x0106 },
		{ "tables donated", BASE2_AT, VIRT2_AT, SCA2_AT, UV_AT | 0x100, 0x0106 },
	};
	static const struct {
		const char *name;
		uint64_t stor, scb;
		uint16_t num, rc;
	} cpus[] = {
		{ "number", CPU_AT + 0x1000, SCB2_AT, 0, 0x0104 },
		{ "storage donated", CPU_AT, SCB2_AT, 1, 0x0109 },
		{ "storage of the guest", GUEST + PAGE_A, SCB2_AT, 1, 0x0109 },
		{ "description secure", CPU_AT + 0x1000, GUEST + PAGE_A, 1, 0x0107 },
		{ "description donated", CPU_AT + 0x1000, CPU_AT, 1, 0x0107 },
		{ "description is the storage", CPU_AT + 0x1000, CPU_AT + 0x1000, 1, 0x0107 },
	};
	struct vm *vm = *state;

	start_counter(vm);
	for (size_t i = 0; i < ARRAY_SIZE(configs); i++) {
		struct uvcb_create_config b = { 0 };

		be64_set(&b.handle, UINT64_MAX);
		be64_set(&b.base_stor_origin, configs[i].base);
		be64_set(&b.virt_stor_origin, configs[i].virt);
		be64_set(&b.guest_origin, MSO);
		be64_set(&b.guest_len, MIB);
		be64_set(&b.guest_sca, configs[i].sca);
		be64_set(&b.guest_asce, configs[i].asce);
		row_int(configs[i].name, uvc(vm, UVC_CREATE_CONFIG, &b, sizeof(b)), configs[i].rc);
		row_int(configs[i].name, be64_get(b.handle), 0);
		goes_on(configs[i].name, vm);
	}
	for (size_t i = 0; i < ARRAY_SIZE(cpus); i++) {
		struct uvcb_create_cpu b = { 0 };

		be64_set(&b.cpu_handle, UINT64_MAX);
		be64_set(&b.config_handle, vm->config);
		be64_set(&b.stor_origin, cpus[i].stor);
		be16_set(&b.num, cpus[i].num);
		be64_set(&b.state_origin, cpus[i].scb);
		row_int(cpus[i].name, uvc(vm, UVC_CREATE_CPU, &b, sizeof(b)), cpus[i].rc);
		row_int(cpus[i].name, be64_get(b.cpu_handle), 0);
		goes_on(cpus[i].name, vm);
	}
}

static void test_init_twice(void **state)
{
	struct uvcb_init b = { 0 };
	struct vm *vm = *state;

	start_counter(vm);
	be64_set(&b.stor_origin, UV_AT);
	be64_set(&b.stor_len, UV_BASE_STOR_BYTES);
	row_int("same storage", uvc(vm, UVC_INIT, &b, sizeof(b)), 0x0101);
	be64_set(&b.stor_origin, UV_AT + 2 * MIB);
	row_int("other storage", uvc(vm, UVC_INIT, &b, sizeof(b)), 0x0101);
	goes_on("afterwards", vm);
}

/* Everything about the image is over with VERIFY. */
static void test_after_verify(void **state)
{
	struct vm *vm = *state;

	start_counter(vm);
	row_int("header", parms_again(vm), 0x0101);
	row_int("unpack a page", unpack_rc(vm, CODE), 0x0101);
	row_int("unpack a new page", unpack_rc(vm, 0x20000), 0x0101);
	row_int("unpack outside", unpack_rc(vm, MIB), 0x0101);
	row_int("verify", handle_call(vm, UVC_VERIFY, vm->config), 0x0101);
	goes_on("afterwards", vm);
}

static void test_before_verify(void **state)
{
	struct vm *vm = *state;

	put_image(vm, COUNTER);
	create(vm);
	row_int("unpack before the header", unpack_rc(vm, 0), 0x0101);
	row_int("verify before the header", handle_call(vm, UVC_VERIFY, vm->config), 0x0101);
	row_int("run before the header", set_state(vm, UV_CPU_LOAD), 0x0103);
	row_int("header", set_parms(vm), UV_RC_EXECUTED);
	row_int("header twice", parms_again(vm), 0x0101);
	row_int("import", import_rc(vm, vm->config, MSO + CODE), 0x0101);
	unpack(vm);
	for (size_t i = 0; i < ARRAY_SIZE(image_pages); i++)
		row_int("twice", unpack_rc(vm, image_pages[i]), 0x0104);
	row_int("outside", unpack_rc(vm, MIB), 0x0103);
	row_int("far outside", unpack_rc(vm, UINT64_MAX), 0x0103);
	row_int("load", set_state(vm, UV_CPU_LOAD), 0x0103);
	row_int("operating", set_state(vm, UV_CPU_OPERATING), 0x0103);
	expect_validity("run", vm, VALIDITY_PV_CPU_STATE);
	row_int("prepare reset", handle_call(vm, UVC_PREPARE_RESET, vm->config), 0x0101);
	/* None of this has counted. */
	row_int("verify", handle_call(vm, UVC_VERIFY, vm->config), UV_RC_EXECUTED);
	row_int("load", set_state(vm, UV_CPU_LOAD), UV_RC_EXECUTED);
	goes_on("afterwards", vm);
}

/* A guest with one page less, one more, one changed or in another order: never runs. */
static void test_failed_verify(void **state)
{
	static const struct {
		const char *name;
		uint64_t pages[5];
		size_t n;
		uint16_t rrc;
	} rows[] = {
		{ "one less", { 0, 0x1000, CODE }, 3, 0x001d },
		{ "one more", { 0, 0x1000, CODE, NEW_PSW, 0x20000 }, 5, 0x001d },
		{ "another order", { 0, CODE, 0x1000, NEW_PSW }, 4, 0x001b },
		{ "another address", { 0, 0x2000, CODE, NEW_PSW }, 4, 0x001a },
	};
	struct vm *vm = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct uvcb_handle b = { 0 };

		put_image(vm, COUNTER);
		create(vm);
		row_int(rows[i].name, set_parms(vm), UV_RC_EXECUTED);
		for (size_t k = 0; k < rows[i].n; k++)
			row_int(rows[i].name, unpack_rc(vm, rows[i].pages[k]), UV_RC_EXECUTED);
		be64_set(&b.handle, vm->config);
		row_int(rows[i].name, uvc(vm, UVC_VERIFY, &b, sizeof(b)), 0x0102);
		row_int(rows[i].name, be16_get(b.head.rrc), rows[i].rrc);
		row_int("verify again", handle_call(vm, UVC_VERIFY, vm->config), 0x0101);
		row_int("header again", parms_again(vm), 0x0101);
		row_int("unpack", unpack_rc(vm, 0x30000), 0x0101);
		row_int("import", import_rc(vm, vm->config, MSO + PAGE_A), 0x0101);
		row_int("load", set_state(vm, UV_CPU_LOAD), 0x0103);
		expect_validity("run", vm, VALIDITY_PV_CPU_STATE);
		row_int("CPU", handle_call(vm, UVC_DESTROY_CPU, vm->cpu_handle), UV_RC_EXECUTED);
		row_int("destroy", handle_call(vm, UVC_DESTROY_CONFIG, vm->config), UV_RC_EXECUTED);
	}
}

static void test_order_of_resets(void **state)
{
	static const uint8_t no_states[] = { 0, 4, 6, 255 };
	struct vm *vm = *state;

	start_counter(vm);
	for (size_t i = 0; i < ARRAY_SIZE(no_states); i++)
		row_int("state", set_state(vm, (enum uv_cpu_state)no_states[i]), 0x0101);
	row_int("check stop", set_state(vm, UV_CPU_CHECK_STOP), 0x0102);
	row_int("load", set_state(vm, UV_CPU_LOAD), 0x0102);
	row_int("reset", handle_call(vm, UVC_CPU_RESET, vm->cpu_handle), 0x0102);
	row_int("initial", handle_call(vm, UVC_CPU_RESET_INITIAL, vm->cpu_handle), 0x0102);
	row_int("clear", handle_call(vm, UVC_CPU_RESET_CLEAR, vm->cpu_handle), 0x0102);
	row_int("unshare all", handle_call(vm, UVC_UNSHARE_ALL, vm->config), 0x0102);
	row_int("prepare", handle_call(vm, UVC_PREPARE_RESET, vm->config), 0x0102);
	row_int("stop", set_state(vm, UV_CPU_STOPPED), UV_RC_EXECUTED);
	expect_validity("stopped", vm, VALIDITY_PV_CPU_STATE);
	row_int("prepare", handle_call(vm, UVC_PREPARE_RESET, vm->config), 0x0103);
	row_int("operating", set_state(vm, UV_CPU_OPERATING), UV_RC_EXECUTED);
	goes_on("afterwards", vm);
	/* Half a reset: the CPU does not run before the other half. */
	row_int("stop", set_state(vm, UV_CPU_STOPPED), UV_RC_EXECUTED);
	row_int("unshare all", handle_call(vm, UVC_UNSHARE_ALL, vm->config), UV_RC_EXECUTED);
	row_int("prepare", handle_call(vm, UVC_PREPARE_RESET, vm->config), UV_RC_EXECUTED);
	row_int("operating", set_state(vm, UV_CPU_OPERATING), 0x0103);
	expect_validity("prepared", vm, VALIDITY_PV_CPU_STATE);
}

/* A reset guest goes on at its own PSW at absolute 0; the host cannot put one there. */
static void test_reset_psw(void **state)
{
	struct vm *vm = *state;

	start_counter(vm);
	row_int("stop", set_state(vm, UV_CPU_STOPPED), UV_RC_EXECUTED);
	export(vm, 0);
	put64(vm, GUEST, 0x0008000080000000 | CODE);
	row_int("load", set_state(vm, UV_CPU_LOAD), UV_RC_EXECUTED);
	expect("host's PSW", vm, ICPT_PV_PREFIX);
	row_int("host's PSW", import_rc(vm, vm->config, MSO), 0x0106);
	expect("host's PSW", vm, ICPT_PV_PREFIX);
}

static void test_destroy_living(void **state)
{
	struct vm *vm = *state;

	start_counter(vm);
	row_int("with a CPU", handle_call(vm, UVC_DESTROY_CONFIG, vm->config), 0x0101);
	row_int("a page", frame_rc(vm, UVC_DESTROY_PAGE, GUEST + PAGE_A), 0x0106);
	goes_on("afterwards", vm);
	/* A guest that lost a page between two CPUs' lives is not the one that was verified. */
	row_int("CPU", handle_call(vm, UVC_DESTROY_CPU, vm->cpu_handle), UV_RC_EXECUTED);
	expect_validity("no CPU", vm, VALIDITY_PV_CPU);
	row_int("a page", frame_rc(vm, UVC_DESTROY_PAGE, GUEST + PAGE_A), UV_RC_EXECUTED);
	row_int("import", import_rc(vm, vm->config, MSO + PAGE_A), 0x0101);
	row_int("destroy", handle_call(vm, UVC_DESTROY_CONFIG, vm->config), UV_RC_EXECUTED);
	expect_validity("nothing", vm, VALIDITY_PV_CONFIG);
}

/* Nothing of the guest is left in storage that is the host's again. */
static void test_nothing_left(void **state)
{
	struct vm *vm = *state;
	uint8_t page[FRAME_BYTES];

	start_counter(vm);
	row_int("CPU", handle_call(vm, UVC_DESTROY_CPU, vm->cpu_handle), UV_RC_EXECUTED);
	row_int("destroy", handle_call(vm, UVC_DESTROY_CONFIG, vm->config), UV_RC_EXECUTED);
	for (uint64_t at = GUEST; at < GUEST + 0x10000; at += FRAME_BYTES) {
		get(vm, at, page, sizeof(page));
		for (size_t i = 0; i < sizeof(page); i++)
			row_int("guest page", page[i], 0);
	}
	get(vm, CPU_AT, page, sizeof(page));
	for (size_t i = 0; i < sizeof(page); i++)
		row_int("CPU storage", page[i], 0);
}

/* --- Two threads --------------------------------------------------------------------------------------- */

static void *run_cpu0(void *arg)
{
	struct vm *vm = arg;

	return (void *)(uintptr_t)cpu_sie(machine_cpu(vm->m, 0), (haddr_t){ SCB_AT });
}

static bool is_running(struct vm *vm)
{
	bool running;

	uv_lock(vm->uv, NULL);
	running = vm->c->running;
	uv_unlock(vm->uv);
	return running;
}

/* CPU 0 executes a guest that loops; the host goes on with CPU 1. */
static pthread_t run_loop(struct vm *vm)
{
	pthread_t thread;

	start(vm, DIAG LOOP);
	expect_diag("first", vm, 0x44);
	vm->cpu = machine_cpu(vm->m, 1);
	vm->scb.scb.icptcode = 0;
	put(vm, SCB_AT, &vm->scb, sizeof(vm->scb));
	assert_int_equal(pthread_create(&thread, NULL, run_cpu0, vm), 0);
	while (!is_running(vm))
		sched_yield();
	return thread;
}

/* Nothing has happened to it. */
static void end_loop(struct vm *vm, pthread_t thread)
{
	struct scb left;
	void *stop;

	row_true("still running", is_running(vm));
	cpu_kick(machine_cpu(vm->m, 0));
	assert_int_equal(pthread_join(thread, &stop), 0);
	row_int("first CPU", (uintptr_t)stop, CPU_STOP_KICKED);
	row_int("PSW", vm->c->area->regs.psw_addr, CODE + 4);
	row_int("PSW", vm->c->area->regs.psw_mask & ~PSW_CC, MASK_64);
	get(vm, SCB_AT, &left, sizeof(left));
	vm->scb.scb.cputm = left.cputm;
	be32_set(&vm->scb.scb.cpuflags, CPUFLAG_ZARCH | CPUFLAG_STOP_INT);
	expect("again", vm, ICPT_STOP);
}

/* While a CPU is inside SIE no call may end it. */
static void test_running(void **state)
{
	struct vm *vm = *state;
	pthread_t thread = run_loop(vm);

	row_int("destroy", handle_call(vm, UVC_DESTROY_CPU, vm->cpu_handle), 0x0102);
	row_int("stop", set_state(vm, UV_CPU_STOPPED), 0x0102);
	row_int("load", set_state(vm, UV_CPU_LOAD), 0x0102);
	row_int("reset", handle_call(vm, UVC_CPU_RESET, vm->cpu_handle), 0x0102);
	row_int("unshare all", handle_call(vm, UVC_UNSHARE_ALL, vm->config), 0x0102);
	row_int("destroy all", handle_call(vm, UVC_DESTROY_CONFIG, vm->config), 0x0101);
	row_int("second CPU", cpu_sie(vm->cpu, (haddr_t){ SCB_AT }), CPU_STOP_SIE_EXIT);
	get(vm, SCB_AT, &vm->scb, sizeof(vm->scb));
	row_int("second CPU", vm->scb.scb.icptcode, ICPT_VALIDITY);
	row_int("second CPU", be32_get(vm->scb.scb.ipb) >> 16, VALIDITY_PV_RUNNING);
	end_loop(vm, thread);
}

/*
 * The host fills a range with ones by a program, until it meets an instruction that does not exist:
 * 1: stg %r1,0(%r2); aghi %r2,8; brct %r3,1b
 */
static void scribble(struct vm *vm, uint64_t from, uint64_t to)
{
	put_code(vm, HOST_CODE, "e31020000024 a72b0008 a736fffb 0000");
	cpu_set_gr(vm->cpu, 1, UINT64_MAX);
	cpu_set_gr(vm->cpu, 2, SCB_AT + from);
	cpu_set_gr(vm->cpu, 3, (to - from) / 8);
	cpu_set_psw(vm->cpu, MASK_64, HOST_CODE);
	row_int("host", cpu_run(vm->cpu), CPU_STOP_WAIT);
	row_int("host", cpu_gr(vm->cpu, 2), SCB_AT + to);
}

/* All but the flags and controls that a host may change under way. */
static void test_description_changed(void **state)
{
	struct vm *vm = *state;
	pthread_t thread = run_loop(vm);

	put64(vm, 0x1d0, WAIT_PSW);
	put64(vm, 0x1d8, 0x600d);
	scribble(vm, offsetof(struct scb, reserved008), offsetof(struct scb, ictl));
	scribble(vm, offsetof(struct scb, icptcode), sizeof(struct scb_page));
	end_loop(vm, thread);
}

/* A second host CPU that makes calls of its own until it is told to end. */
struct other {
	struct vm *vm;
	atomic_bool end;
	atomic_uint calls, failures;
};

/* Asserts would leave the wrong thread. Return: rc; 0: an exception. */
static uint16_t other_export(struct other *o, uint64_t paddr)
{
	const haddr_t at = { UVCB2_AT };
	struct uvcb_frame b = { 0 };
	unsigned int cc = 0;

	be16_set(&b.head.len, sizeof(b));
	be16_set(&b.head.cmd, UVC_EXPORT);
	be64_set(&b.paddr, paddr);
	if (storage_write(o->vm->m, at, &b, sizeof(b)).code ||
	    cpu_uvc(machine_cpu(o->vm->m, 1), at, &cc).code ||
	    storage_read(o->vm->m, at, &b, sizeof(b)).code)
		return 0;
	return be16_get(b.head.rc);
}

#define EXPORTS 3000u

static void *export_all(void *arg)
{
	static const uint64_t pages[] = { PAGE_A, CODE, PAGE_B, 0, 0x1000 };
	struct other *o = arg;

	while (!atomic_load(&o->end)) {
		unsigned int n = atomic_fetch_add(&o->calls, 1);

		if (other_export(o, GUEST + pages[n % ARRAY_SIZE(pages)]) != UV_RC_EXECUTED)
			atomic_fetch_add(&o->failures, 1);
		sched_yield();
	}
	return NULL;
}

/* Pages go while the guest runs in them; whatever it does, it counts right. */
static void test_exports_while_running(void **state)
{
	struct vm *vm = *state;
	struct other o = { .vm = vm };
	uint64_t a, b;
	pthread_t thread;

	start_counter(vm);
	a = gr(vm, 4);
	b = gr(vm, 5);
	assert_int_equal(pthread_create(&thread, NULL, export_all, &o), 0);
	for (unsigned int i = 1; atomic_load(&o.calls) < EXPORTS; i++) {
		step("under way", vm, 100000);
		row_int("under way", gr(vm, 4), a + i);
		row_int("under way", gr(vm, 5), b + i);
	}
	atomic_store(&o.end, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
	row_int("failures", atomic_load(&o.failures), 0);
	goes_on("afterwards", vm);
}

/* A thread that changes a byte of a host frame and changes it back, as fast as it can. */
struct flicker {
	struct machine *m;
	haddr_t at;
	uint8_t value;
	atomic_bool go, busy, end;
	atomic_uint stores;
};

static void *flicker_main(void *arg)
{
	struct flicker *f = arg;

	while (!atomic_load(&f->end)) {
		const uint8_t bad = f->value ^ 0xff;

		atomic_store(&f->busy, true);
		if (atomic_load(&f->go)) {
			if (!storage_write(f->m, f->at, &bad, 1).code)
				atomic_fetch_add(&f->stores, 1);
			(void)storage_write(f->m, f->at, &f->value, 1).code;
		}
		atomic_store(&f->busy, false);
		sched_yield();
	}
	return NULL;
}

/* Returns when it has begun. */
static void flicker_start(struct flicker *f, uint8_t value)
{
	unsigned int stores = atomic_load(&f->stores);

	f->value = value;
	atomic_store(&f->go, true);
	while (atomic_load(&f->stores) == stores)
		sched_yield();
}

static void flicker_pause(struct flicker *f)
{
	atomic_store(&f->go, false);
	while (atomic_load(&f->busy))
		sched_yield();
}

/* The host stores into the ciphertext while IMPORT reads it: refused, or what it was. */
static void test_store_during_import(void **state)
{
	struct vm *vm = *state;
	struct flicker f = { .m = vm->m, .at = { GUEST + PAGE_A + 100 } };
	unsigned int refusals = 0;
	uint8_t page[FRAME_BYTES];
	pthread_t thread;

	start_counter(vm);
	assert_int_equal(pthread_create(&thread, NULL, flicker_main, &f), 0);
	for (unsigned int i = 0; i < 200; i++) {
		uint16_t rc;

		export(vm, PAGE_A);
		get(vm, GUEST + PAGE_A, page, sizeof(page));
		flicker_start(&f, page[100]);
		while ((rc = import_rc(vm, vm->config, MSO + PAGE_A)) != UV_RC_EXECUTED) {
			row_int("refused", rc, 0x0106);
			refusals++;
		}
		flicker_pause(&f);
		goes_on("imported", vm);
	}
	atomic_store(&f.end, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
	print_message("# %u imports were refused\n", refusals);
}

/* The same while UNPACK reads: what was hashed is what runs. */
static void test_store_during_unpack(void **state)
{
	struct vm *vm = *state;
	struct flicker f = { .m = vm->m, .at = { GUEST + CODE + 0xf00 } };
	unsigned int refusals = 0;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, flicker_main, &f), 0);
	for (unsigned int i = 0; i < 100; i++) {
		struct uvcb_handle b = { 0 };
		uint16_t rc;

		put_image(vm, COUNTER);
		create(vm);
		row_int("header", set_parms(vm), UV_RC_EXECUTED);
		flicker_start(&f, 0);
		unpack(vm);
		flicker_pause(&f);
		be64_set(&b.handle, vm->config);
		rc = uvc(vm, UVC_VERIFY, &b, sizeof(b));
		if (rc == UV_RC_EXECUTED) {
			row_int("what runs", *peek(vm, CODE + 0xf00), 0);
			row_int("load", set_state(vm, UV_CPU_LOAD), UV_RC_EXECUTED);
			goes_on("what runs", vm);
		} else {
			row_int("refused", rc, 0x0102);
			row_int("refused", be16_get(b.head.rrc), 0x001b);
			row_int("refused", set_state(vm, UV_CPU_LOAD), 0x0103);
			refusals++;
		}
		row_int("CPU", handle_call(vm, UVC_DESTROY_CPU, vm->cpu_handle), UV_RC_EXECUTED);
		row_int("destroy", handle_call(vm, UVC_DESTROY_CONFIG, vm->config), UV_RC_EXECUTED);
	}
	atomic_store(&f.end, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
	print_message("# %u images were refused\n", refusals);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_accessors),
		TEST(test_accessors_cross),
		TEST(test_shared),
		TEST(test_orphans),
		TEST(test_host_program),
		TEST(test_ordinary_guest),
		TEST(test_one_frame_twice),
		TEST(test_swapped),
		TEST(test_frames_for_a_page),
		TEST(test_prefix_frames),
		TEST(test_import_addresses),
		TEST(test_other_guests_frames),
		TEST(test_stale_translation),
		TEST(test_replay),
		TEST(test_bits),
		TEST(test_other_content),
		TEST(test_relocated),
		TEST(test_exported_code),
		TEST(test_entry_lies),
		TEST(test_injection_lies),
		TEST(test_external_lies),
		TEST(test_identity_lies),
		TEST(test_ignored),
		TEST(test_answer_registers),
		TEST(test_answer_lies),
		TEST(test_answer_storage),
		TEST(test_handles),
		TEST(test_blocks),
		TEST(test_donations),
		TEST(test_init_twice),
		TEST(test_after_verify),
		TEST(test_before_verify),
		TEST(test_failed_verify),
		TEST(test_order_of_resets),
		TEST(test_reset_psw),
		TEST(test_destroy_living),
		TEST(test_nothing_left),
		TEST(test_running),
		TEST(test_description_changed),
		TEST(test_exports_while_running),
		TEST(test_store_during_import),
		TEST(test_store_during_unpack),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
