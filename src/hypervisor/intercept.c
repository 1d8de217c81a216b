// SPDX-License-Identifier: MIT
/*
 * Interceptions, dispatched by tables (sie.md section 4; machine.md sections 4 to 11).
 */
#include "intercept.h"

#include <string.h>

#include "gmap.h"
#include "lowcore.h"
#include "pv.h"
#include "sigp_order.h"

enum { PGM_OPERATION = 1, PGM_PRIVILEGED = 2, PGM_ADDRESSING = 5, PGM_SPECIFICATION = 6 };

#define CPU_ADDR	   0
#define CPU_ID		   0x0000000128178000ull /* version 0, id 1, type 2817 (machine.md section 4) */
#define STFL_ADDR	   0xc8u
#define CR0_LOW_PROTECTION BIT64(35)
#define TEID_STORE	   0x400u
#define OPERATION_LCTLG	   0x2f

static void inject(struct guest *g, uint16_t code)
{
	guest_inject_program(g, (struct pic){ .code = code, .level = PIC_GUEST });
}

void inject_specification(struct guest *g)
{
	if (guest_protected(g))
		g->scb.iictl = INJECT_SPECIFICATION;
	else
		inject(g, PGM_SPECIFICATION);
}

/* --- Instructions with a storage operand ------------------------------------------------------- */

/* Loads or stores the operand; false after an injection. */
static bool operand(struct guest *g, void *data, size_t len, size_t align, bool store)
{
	uint64_t va = guest_operand(g);
	struct pic pic = { .code = PGM_SPECIFICATION, .level = PIC_GUEST };

	if (va % align == 0)
		pic = store ? guest_store(g, va, data, len) : guest_load(g, va, data, len);
	if (pic.code)
		guest_inject_program(g, pic);
	return !pic.code;
}

/* STORE CPU ID */
static void stidp(struct guest *g)
{
	be64 id;

	be64_set(&id, CPU_ID);
	(void)operand(g, &id, sizeof(id), 8, true);
}

/* STORE CPU ADDRESS */
static void stap(struct guest *g)
{
	be16 addr;

	be16_set(&addr, CPU_ADDR);
	(void)operand(g, &addr, sizeof(addr), 2, true);
}

/* SET PREFIX: both pages must exist. */
static void spx(struct guest *g)
{
	be32 value;
	uint8_t byte;
	uint32_t prefix;

	if (!operand(g, &value, sizeof(value), 4, false))
		return;
	prefix = be32_get(value) & SCB_PREFIX_MASK;
	if (vm_read(g->v->vm, gaddr(prefix), &byte, 1).code ||
	    vm_read(g->v->vm, gaddr(prefix + 4096), &byte, 1).code) {
		inject(g, PGM_ADDRESSING);
		return;
	}
	be32_set(&g->scb.prefix, prefix);
}

/* STORE PREFIX */
static void stpx(struct guest *g)
{
	be32 value;

	be32_set(&value, guest_prefix(g));
	(void)operand(g, &value, sizeof(value), 4, true);
}

/* SET CLOCK: the guest's epoch moves. */
static void sck(struct guest *g)
{
	be64 value;

	if (!operand(g, &value, sizeof(value), 8, false))
		return;
	be64_set(&g->scb.epoch, be64_get(value) - machine_tod(g->v->vm->m));
	guest_set_cc(g, 0);
}

/* The machine's facilities; but its Ultravisor is the host's, and only the way to it the guest's. */
static uint64_t facilities(const struct vm *vm, unsigned int word)
{
	const unsigned int first = FACILITY_UVC / 64;
	const uint64_t uvc = BIT64(FACILITY_UVC % 64), unpack = BIT64(FACILITY_UNPACK % 64);
	uint64_t list = machine_facilities(vm->m, word);

	if (word != first)
		return list;
	return (list & ~(uvc | unpack)) | (vm->pv ? unpack : 0);
}
static_assert(FACILITY_UVC / 64 == FACILITY_UNPACK / 64, "in the same word");

/* STORE FACILITY LIST: bits 0-31 at real 0xc8. */
static void stfl(struct guest *g)
{
	be32 list;
	struct pic pic;

	be32_set(&list, (uint32_t)(facilities(g->v->vm, 0) >> 32));
	pic = guest_store_real(g, STFL_ADDR, &list, sizeof(list));
	if (pic.code)
		guest_inject_program(g, pic);
}

/* STORE FACILITY LIST EXTENDED */
static void stfle(struct guest *g)
{
	const unsigned int have = MACHINE_FACILITY_WORDS;
	unsigned int want = (guest_gr(g, 0) & 0xff) + 1, n = want < have ? want : have;
	be64 list[MACHINE_FACILITY_WORDS];

	for (unsigned int i = 0; i < have; i++)
		be64_set(&list[i], facilities(g->v->vm, i));
	if (!operand(g, list, n * sizeof(list[0]), 8, true))
		return;
	guest_set_gr(g, 0, (guest_gr(g, 0) & ~0xffull) | (have - 1));
	guest_set_cc(g, want < have ? 3 : 0);
}

/* TEST BLOCK: clears the frame that R2 designates. */
static void tb(struct guest *g)
{
	static const uint8_t zeros[4096];
	unsigned int r2 = be32_get(g->scb.ipb) >> 16 & 15;
	uint64_t raddr = guest_effective(g, guest_gr(g, r2)) & ~0xfffull;
	struct pic pic;

	if (raddr <= 4096 && be64_get(g->scb.gcr[0]) & CR0_LOW_PROTECTION) {
		pic = (struct pic){ .code = 4, .level = PIC_GUEST, .teid = raddr | TEID_STORE };
		guest_inject_program(g, pic);
		return;
	}
	pic = guest_store_real(g, raddr, zeros, sizeof(zeros));
	if (pic.code) {
		guest_inject_program(g, pic);
		return;
	}
	guest_set_gr(g, 0, 0);
	guest_set_cc(g, 0);
}

/* I/O without channels: nothing is operational. */
static void io_none(struct guest *g)
{
	guest_set_cc(g, 3);
}

static void io_no_crw(struct guest *g)
{
	guest_set_cc(g, 1);
}

static void io_nothing_pending(struct guest *g)
{
	guest_set_cc(g, 0);
}

static void io_no_effect(struct guest *g)
{
	(void)g;
}

static void sckpf(struct guest *g)
{
	uint64_t value = guest_gr(g, 0);

	if (value & 0xffff0000u)
		inject_specification(g);
	else
		be32_set(&g->scb.todpr, (uint32_t)value & 0xffff);
}

/* --- SIGP --------------------------------------------------------------------------------------- */

#define ARCH_MODE_ADDR 0xa3u

static void sigp_status(struct guest *g, unsigned int r1, uint32_t status)
{
	guest_set_gr32(g, r1, status);
	guest_set_cc(g, 1);
}

/* The only CPU stops: nothing can start it again. */
static void sigp_stop(struct guest *g)
{
	vm_set_end(g->v->vm, VM_POWERED_OFF);
}

/* Stop and store status: for a host that looks into the storage of a stopped guest. */
static void store_status(struct guest *g)
{
	static const uint8_t arch = 1;
	struct status_area area;

	vcpu_status(g, &area);
	if (vm_write(g->v->vm, gaddr(STATUS_AREA), &area, sizeof(area)).code ||
	    vm_write(g->v->vm, gaddr(ARCH_MODE_ADDR), &arch, 1).code)
		vm_fail(g->v->vm, "the guest's status cannot be stored");
}

/* Orders of this CPU to itself, which is operating (machine.md section 6). */
static void sigp_self(struct guest *g, unsigned int order, unsigned int r1, uint32_t parameter)
{
	struct vcpu *v = g->v;
	uint32_t at = parameter & (order == SIGP_SET_PREFIX ? SIGP_PREFIX_ADDR : SIGP_STATUS_ADDR);

	guest_set_cc(g, 0);
	switch (order) {
	case SIGP_SENSE:
		if (v->external_call)
			sigp_status(g, r1, SIGP_STATUS_CALL_PENDING);
		break;
	case SIGP_SENSE_RUNNING:
	case SIGP_START:
		break;
	case SIGP_EXTERNAL_CALL:
		if (v->external_call)
			sigp_status(g, r1, SIGP_STATUS_CALL_PENDING);
		v->external_call = true;
		break;
	case SIGP_EMERGENCY:
	case SIGP_COND_EMERGENCY:
		v->emergency = true;
		break;
	case SIGP_RESTART:
		guest_inject_restart(g);
		break;
	case SIGP_STOP_STORE_STATUS:
		store_status(g);
		sigp_stop(g);
		break;
	case SIGP_STOP:
	case SIGP_INITIAL_RESET:
	case SIGP_RESET:
		sigp_stop(g);
		break;
	case SIGP_SET_PREFIX: /* of a stopped CPU only, as storing its status is */
	case SIGP_STORE_STATUS:
		sigp_status(g, r1,
			    at < gmap_bytes(v->vm->gmap) ? SIGP_STATUS_INCORRECT_STATE :
							   SIGP_STATUS_PARAMETER);
		break;
	default:
		sigp_status(g, r1, SIGP_STATUS_INVALID_ORDER);
	}
}

static void sigp(struct guest *g, unsigned int r1, unsigned int r3)
{
	unsigned int order = guest_operand(g) & 0xff;

	if (order == SIGP_SET_ARCHITECTURE) /* concerns all CPUs, whichever is named */
		sigp_status(g, r1, SIGP_STATUS_PARAMETER);
	else if ((guest_gr(g, r3) & 0xffff) != CPU_ADDR)
		guest_set_cc(g, 3);
	else
		sigp_self(g, order, r1, (uint32_t)guest_gr(g, r1 | 1));
}

/* --- LOAD CONTROL while an interruption waits for CR0 ------------------------------------------- */

static void lctl(struct guest *g, unsigned int r1, unsigned int r3, bool wide)
{
	unsigned int n = ((r3 - r1) & 15) + 1;
	size_t size = wide ? 8 : 4;
	uint8_t bytes[16 * 8];
	uint64_t va = guest_operand(g);
	uint32_t ipb = be32_get(g->scb.ipb);
	struct pic pic = { .level = PIC_GUEST };

	/* LCTLG has a 20-bit displacement: DH is the third byte of ipb. */
	if (wide)
		va = guest_effective(g, va + (uint64_t)(int64_t)(int8_t)(ipb >> 8) * 4096);
	if (va % size)
		pic.code = PGM_SPECIFICATION;
	else
		pic = guest_load(g, va, bytes, n * size);
	if (pic.code) {
		guest_inject_program(g, pic);
		return;
	}
	for (unsigned int i = 0; i < n; i++) {
		be64 *cr = &g->scb.gcr[(r1 + i) & 15];

		if (wide)
			memcpy(cr, bytes + i * 8, 8);
		else
			memcpy((uint8_t *)cr + 4, bytes + i * 4, 4);
	}
}

/* --- Dispatch ----------------------------------------------------------------------------------- */

static const struct insn_handler handlers[] = {
	{ 0x0107, sckpf }, { 0xb202, stidp }, { 0xb204, sck },	 { 0xb210, spx },
	{ 0xb211, stpx },  { 0xb212, stap },  { 0xb220, servc }, { 0xb22c, tb },
	{ 0xb27d, stsi },  { 0xb2b0, stfle }, { 0xb2b1, stfl },
};

/* I/O: these change the condition code alone. */
static const struct insn_handler io_handlers[] = {
	{ 0xb239, io_no_crw },		/* STCRW */
	{ 0xb236, io_nothing_pending }, /* TPI */
	{ 0xb23c, io_no_effect },	/* SCHM */
	/* CSCH HSCH MSCH SSCH STSCH TSCH SAL RSCH STCPS RCHP CHSC SIGA XSCH */
	{ 0xb230, io_none },
	{ 0xb231, io_none },
	{ 0xb232, io_none },
	{ 0xb233, io_none },
	{ 0xb234, io_none },
	{ 0xb235, io_none },
	{ 0xb237, io_none },
	{ 0xb238, io_none },
	{ 0xb23a, io_none },
	{ 0xb23b, io_none },
	{ 0xb25f, io_none },
	{ 0xb274, io_none },
	{ 0xb276, io_none },
};

bool insn_dispatch(struct guest *g, const struct insn_handler *table, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (table[i].ipa == be16_get(g->scb.ipa)) {
			table[i].fn(g);
			return true;
		}
	}
	return false;
}

bool io_instruction(struct guest *g)
{
	return insn_dispatch(g, io_handlers, ARRAY_SIZE(io_handlers));
}

static void instruction(struct guest *g)
{
	uint16_t ipa = be16_get(g->scb.ipa);
	unsigned int r1 = ipa >> 4 & 15, r3 = ipa & 15;

	switch (ipa >> 8) {
	case 0x83:
		diag(g, r1, r3);
		return;
	case 0xae:
		sigp(g, r1, r3);
		return;
	case 0xb7:
		lctl(g, r1, r3, false);
		return;
	case 0xeb:
		if ((be32_get(g->scb.ipb) & 0xff) == OPERATION_LCTLG)
			lctl(g, r1, r3, true);
		else
			inject(g, PGM_OPERATION);
		return;
	}
	if (!insn_dispatch(g, handlers, ARRAY_SIZE(handlers)) && !io_instruction(g))
		inject(g, PGM_OPERATION);
}

/* The guest cannot take its own program interruption. */
static void program(struct guest *g)
{
	vcpu_crash(g, VM_PROGRAM_LOOP);
}

/* A clock's interruption, which does not end: the new PSW allows it again (sie.md, code 0x14). */
static void external(struct guest *g)
{
	vcpu_crash(g, VM_EXTERNAL_LOOP);
}

/* MOVE PAGE on pages that are not there: brings them in, and the guest tries again. */
static void move_page(struct guest *g)
{
	uint32_t ipb = be32_get(g->scb.ipb);

	for (unsigned int shift = 16; shift <= 20; shift += 4) {
		struct pic pic = guest_page_in(g, guest_gr(g, ipb >> shift & 15));

		if (pic.code)
			break; /* the instruction finds that out itself */
	}
	guest_step_back(g);
}

/* The pages of the prefix area were never touched. */
static void validity(struct guest *g)
{
	struct vm *vm = g->v->vm;
	uint32_t why = be32_get(g->scb.ipb) >> 16;
	haddr_t frame;

	if (why != VALIDITY_PREFIX || !gmap_fault_in(vm->gmap, gaddr(guest_prefix(g)), &frame) ||
	    !gmap_fault_in(vm->gmap, gaddr(guest_prefix(g) + 4096), &frame))
		vm_fail(vm, "SIE refuses the state description: validity %#x", why);
}

/* What the other format of state descriptions alone has. */
static bool foreign(const struct guest *g)
{
	switch ((enum icpt_code)g->scb.icptcode) {
	case ICPT_INSTRUCTION:
	case ICPT_INSTRUCTION_PROGRAM:
	case ICPT_PARTIAL:
		return guest_protected(g);
	case ICPT_PV_INSTRUCTION:
	case ICPT_PV_NOTIFICATION:
	case ICPT_PV_PREFIX:
	case ICPT_MCHECK_REQUEST:
	case ICPT_INTERRUPTION_ENABLE:
		return !guest_protected(g);
	default:
		return false;
	}
}

void intercept(struct guest *g)
{
	switch (foreign(g) ? ICPT_NONE : (enum icpt_code)g->scb.icptcode) {
	case ICPT_INSTRUCTION:
		instruction(g);
		break;
	case ICPT_PROGRAM:
	case ICPT_INSTRUCTION_PROGRAM:
		program(g);
		break;
	case ICPT_EXT_REQUEST:
	case ICPT_STOP:
	case ICPT_MCHECK_REQUEST:
	case ICPT_INTERRUPTION_ENABLE:
		break; /* the loop delivers what is pending */
	case ICPT_EXT_INTERRUPTION:
		external(g);
		break;
	case ICPT_WAIT:
		vcpu_wait(g);
		break;
	case ICPT_VALIDITY:
		validity(g);
		break;
	case ICPT_PARTIAL:
		move_page(g);
		break;
	case ICPT_PV_INSTRUCTION:
		pv_instruction(g);
		break;
	case ICPT_PV_NOTIFICATION:
		pv_notification(g);
		break;
	case ICPT_PV_PREFIX:
		pv_import_prefix(g->v->vm->pv, guest_prefix(g));
		break;
	default:
		vm_fail(g->v->vm, "interception %#x was not asked for", g->scb.icptcode);
	}
}
