// SPDX-License-Identifier: MIT
/*
 * DIAGNOSE (machine.md section 8; boot-ipl.md section 3).
 */
#include <string.h>

#include "gmap.h"
#include "intercept.h"
#include "ipib.h"
#include "sclp.h"

#define RC_OK	     0x0001u
#define RC_NO_CONFIG 0x0102u
#define RC_INVALID   0x0402u

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

/* Loads everything again, or ends the VM when reboots are not wanted. */
static void reipl(struct guest *g, bool clear)
{
	struct vm *vm = g->v->vm;
	struct zpv_err err = { 0 };

	if (vm->config.no_reboot) {
		vm_set_end(vm, VM_REBOOT);
		return;
	}
	g->v->reloaded = true;
	if (vm_load(vm, clear, &err) != 0)
		vm_fail(vm, "%s", err.text);
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
static bool acceptable(const uint8_t *block)
{
	const struct ipib_head *head = (const void *)block;
	uint32_t len = be32_get(head->len);

	if (len > IPIB_MAX_BYTES)
		return false;
	return (head->pbt == IPL_TYPE_FCP && len >= IPL_MIN_FCP_BYTES) ||
	       (head->pbt == IPL_TYPE_CCW && len >= IPL_MIN_CCW_BYTES);
}

static uint64_t set_block(struct vm *vm, const uint8_t *block)
{
	if (!acceptable(block))
		return RC_INVALID;
	memcpy(vm->ipl_block, block, sizeof(vm->ipl_block));
	vm->has_ipl_block = true;
	return RC_OK;
}

/* Subcodes 5 and 6 with a block of 4096 bytes. */
static void ipl_block(struct guest *g, unsigned int r1, unsigned int subcode)
{
	struct vm *vm = g->v->vm;
	gaddr_t at = guest_absolute(g, guest_gr(g, r1));
	uint8_t block[IPIB_MAX_BYTES];
	uint64_t rc = RC_NO_CONFIG;
	struct pic pic;

	if (r1 & 1 || at.v % 4096) {
		inject_specification(g);
		return;
	}
	pic = vm_read(vm, at, block, sizeof(block));
	if (!pic.code && subcode == 5)
		rc = set_block(vm, block);
	if (!pic.code && subcode == 6 && vm->has_ipl_block) {
		pic = vm_write(vm, at, vm->ipl_block, sizeof(vm->ipl_block));
		rc = RC_OK;
	}
	if (pic.code)
		guest_inject_program(g, pic);
	else
		guest_set_gr(g, r1 + 1, rc);
}

static void ipl(struct guest *g, unsigned int r1, unsigned int r3)
{
	uint64_t subcode = guest_gr(g, r3);

	switch (subcode) {
	case 0:
	case 1:
		reset(g, subcode == 0);
		break;
	case 3:
	case 4:
		reipl(g, subcode == 3);
		break;
	case 5:
	case 6:
		ipl_block(g, r1, (unsigned int)subcode);
		break;
	default: /* 8 to 10 need facility 161 */
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
