// SPDX-License-Identifier: MIT
/*
 * DIAGNOSE (machine.md section 8; boot-ipl.md section 3).
 */
#include <string.h>

#include "gmap.h"
#include "intercept.h"
#include "ipib.h"
#include "pv.h"
#include "sclp.h"

#define RC_OK	     0x0001u
#define RC_NO_CONFIG 0x0102u
#define RC_INVALID   0x0402u
#define RC_NO_PV     0x0902u

/* Subcodes of DIAGNOSE 308. */
enum {
	IPL_CLEAR_RESET = 0,
	IPL_NORMAL_RESET = 1,
	IPL_LOAD_CLEAR = 3,
	IPL_LOAD_NORMAL = 4,
	IPL_SET = 5,
	IPL_STORE = 6,
	IPL_SET_PV = 8,
	IPL_STORE_PV = 9,
	IPL_START_PV = 10,
};

enum diag_code {
	DIAG_RELEASE = 0x10,
	DIAG_YIELD = 0x44,
	DIAG_YIELD_TO = 0x9c,
	DIAG_IPL = 0x308,
	DIAG_VIRTIO = 0x500
};

/* Types of IPL blocks, and what they have at least. */
#define IPL_TYPE_FCP	  0
#define IPL_TYPE_CCW	  2
#define IPL_MIN_FCP_BYTES 384u
#define IPL_MIN_CCW_BYTES 200u

#define EINVAL_RESULT ((uint64_t)-22)
#define LOWCORE_BYTES 8192u

/* DIAG 10: the content of whole pages is no longer needed. Addresses are real. */
static void release(struct guest *g, unsigned int r1, unsigned int r3)
{
	uint64_t first = guest_gr(g, r1), last = guest_gr(g, r3), prefix = guest_prefix(g);
	struct gmap *gmap = g->v->vm->gmap;

	if (first < LOWCORE_BYTES || first % 4096 || last % 4096 || first > last) {
		inject_specification(g);
		return;
	}
	for (uint64_t at = prefix; prefix && at < prefix + LOWCORE_BYTES; at += 4096)
		if (at >= first && at <= last)
			gmap_discard(gmap, at - prefix, at - prefix);
	if (!prefix || last < prefix || first >= prefix + LOWCORE_BYTES) {
		gmap_discard(gmap, first, last);
		return;
	}
	if (first < prefix)
		gmap_discard(gmap, first, prefix - 4096);
	if (last >= prefix + LOWCORE_BYTES)
		gmap_discard(gmap, prefix + LOWCORE_BYTES, last);
}

/* The short PSW at absolute 0. */
static void load_short_psw(struct guest *g)
{
	be64 psw;
	uint64_t v;

	if (vm_read(g->v->vm, gaddr(0), &psw, sizeof(psw)).code)
		return;
	v = be64_get(psw);
	be64_set(&g->scb.gpsw_mask, ((v ^ BIT64(12)) & 0xffffffff00000000ull) | (v & BIT64(32)));
	be64_set(&g->scb.gpsw_addr, v & 0x7fffffffu);
}

/*
 * Subcodes 0 and 1: the machine's subsystems are reset, storage is kept, and the CPU starts at the
 * short PSW; after subcode 1 with its general, access and floating-point registers.
 */
static void reset(struct guest *g, bool clear)
{
	uint64_t gr14 = guest_gr(g, 14), gr15 = guest_gr(g, 15);

	sclp_reset(g->v->vm->sclp);
	vcpu_reset(g->v, clear);
	vcpu_refresh(g);
	if (!clear) {
		guest_set_gr(g, 14, gr14);
		guest_set_gr(g, 15, gr15);
	}
	load_short_psw(g);
}

/* A block for devices: this machine has none, so it is kept for who asks, and nothing else. */
static bool device_block(const uint8_t *block)
{
	const struct ipib_head *head = (const void *)block;
	uint32_t len = be32_get(head->len);

	if (len > IPIB_MAX_BYTES)
		return false;
	return (head->pbt == IPL_TYPE_FCP && len >= IPL_MIN_FCP_BYTES) ||
	       (head->pbt == IPL_TYPE_CCW && len >= IPL_MIN_CCW_BYTES);
}

/* A block of an image, whose header is in the guest's memory. */
static bool pv_block(const struct vm *vm, const uint8_t *block)
{
	struct ipib ipib;
	uint64_t at, len;

	if (ipib_parse(block, IPIB_MAX_BYTES, &ipib, NULL) != 0)
		return false;
	at = be64_get(ipib.head->pv_hdr_addr);
	len = be64_get(ipib.head->pv_hdr_size);
	return at <= gmap_bytes(vm->gmap) && len <= gmap_bytes(vm->gmap) - at;
}

static uint64_t set_block(struct vm *vm, unsigned int subcode, const uint8_t *block)
{
	struct vm_block *to = subcode == IPL_SET ? &vm->ipl_block : &vm->pv_block;

	if (subcode == IPL_SET ? !device_block(block) : !pv_block(vm, block))
		return RC_INVALID;
	memcpy(to->bytes, block, sizeof(to->bytes));
	to->valid = true;
	return RC_OK;
}

/* NULL: there is none. */
static const uint8_t *stored_block(const struct vm *vm, unsigned int subcode)
{
	const struct vm_block *from = subcode == IPL_STORE ? &vm->ipl_block : &vm->pv_block;

	return from->valid ? from->bytes : NULL;
}

static bool sets(unsigned int subcode)
{
	return subcode == IPL_SET || subcode == IPL_SET_PV;
}

/* Subcodes 5, 6, 8 and 9 with a block of 4096 bytes. */
static void ipl_block(struct guest *g, unsigned int r1, unsigned int subcode)
{
	struct vm *vm = g->v->vm;
	gaddr_t at = guest_absolute(g, guest_gr(g, r1));
	const uint8_t *stored = stored_block(vm, subcode);
	uint8_t block[IPIB_MAX_BYTES];
	uint64_t rc = stored ? RC_OK : RC_NO_CONFIG;
	struct pic pic;

	if (r1 & 1 || at.v % 4096) {
		inject_specification(g);
		return;
	}
	pic = vm_read(vm, at, block, sizeof(block));
	if (!pic.code && sets(subcode))
		rc = set_block(vm, subcode, block);
	else if (!pic.code && stored)
		pic = vm_write(vm, at, stored, IPIB_MAX_BYTES);
	if (pic.code)
		guest_inject_program(g, pic);
	else
		guest_set_gr(g, r1 + 1, rc);
}

/* Subcodes 5 and 6 of a protected guest: the Ultravisor has checked the operands. */
static void ipl_block_protected(struct guest *g, unsigned int r1, unsigned int subcode)
{
	struct vm *vm = g->v->vm;
	const uint8_t *stored = stored_block(vm, subcode);
	uint8_t block[IPIB_MAX_BYTES];
	uint64_t rc = stored ? RC_OK : RC_NO_CONFIG;

	if (sets(subcode)) {
		pv_sida_read(vm->pv, 0, block, sizeof(block));
		rc = set_block(vm, subcode, block);
	} else if (stored) {
		pv_sida_write(vm->pv, 0, stored, IPIB_MAX_BYTES);
	}
	guest_set_gr(g, r1 + 1, rc);
}

/* Subcode 10. The guest that cannot be protected goes on behind the instruction, with the reason. */
static void start_protected(struct guest *g, unsigned int r1)
{
	struct vm *vm = g->v->vm;
	uint64_t rc = vm->pv_block.valid ? pv_start(vm->pv) : RC_NO_PV;

	if (rc)
		guest_set_gr(g, (r1 + 1) & 15, rc);
	else
		g->v->reloaded = true;
}

static void ipl_protected(struct guest *g, unsigned int r1, unsigned int subcode)
{
	switch (subcode) {
	case IPL_CLEAR_RESET:
	case IPL_NORMAL_RESET:
		pv_reset(g->v->vm->pv, subcode == IPL_CLEAR_RESET);
		break;
	case IPL_LOAD_CLEAR:
		vm_reboot(g->v->vm, true);
		break;
	case IPL_SET:
	case IPL_STORE:
		ipl_block_protected(g, r1, subcode);
		break;
	default:
		inject_specification(g);
	}
}

static void ipl(struct guest *g, unsigned int r1, unsigned int r3)
{
	uint64_t subcode = guest_gr(g, r3);

	if (guest_protected(g)) {
		ipl_protected(g, r1, (unsigned int)subcode);
		return;
	}
	if (subcode >= IPL_SET_PV && !g->v->vm->pv) {
		inject_specification(g);
		return;
	}
	switch (subcode) {
	case IPL_CLEAR_RESET:
	case IPL_NORMAL_RESET:
		reset(g, subcode == IPL_CLEAR_RESET);
		break;
	case IPL_LOAD_CLEAR:
	case IPL_LOAD_NORMAL:
		vm_reboot(g->v->vm, subcode == IPL_LOAD_CLEAR);
		break;
	case IPL_SET:
	case IPL_STORE:
	case IPL_SET_PV:
	case IPL_STORE_PV:
		ipl_block(g, r1, (unsigned int)subcode);
		break;
	case IPL_START_PV:
		start_protected(g, r1);
		break;
	default:
		inject_specification(g);
	}
}

void diag(struct guest *g, unsigned int r1, unsigned int r3)
{
	switch (guest_operand(g) & 0xffff) {
	case DIAG_RELEASE:
		release(g, r1, r3);
		break;
	case DIAG_YIELD:
	case DIAG_YIELD_TO:
		break; /* one CPU: there is nobody to yield to */
	case DIAG_IPL:
		ipl(g, r1, r3);
		break;
	case DIAG_VIRTIO:
		guest_set_gr(g, 2, EINVAL_RESULT);
		break;
	default:
		inject_specification(g);
	}
}
