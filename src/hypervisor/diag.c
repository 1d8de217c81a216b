// SPDX-License-Identifier: MIT
/*
 * DIAGNOSE (machine.md section 8; boot-ipl.md section 3).
 */
#include <string.h>

#include "gmap.h"
#include "intercept.h"
#include "ipib.h"

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

#define EINVAL_RESULT ((uint64_t)-22)
#define LOWCORE_BYTES 8192u

/* DIAG 10: the content of whole pages is no longer needed. */
static void release(struct guest *g, unsigned int r1, unsigned int r3)
{
	static const uint8_t zeros[4096];
	uint64_t first = guest_gr(g, r1), last = guest_gr(g, r3);

	if (first < LOWCORE_BYTES || first % 4096 || last % 4096 || first > last ||
	    last >= gmap_bytes(g->v->vm->gmap)) {
		inject_specification(g);
		return;
	}
	for (uint64_t at = first; at <= last; at += 4096) {
		haddr_t frame;

		/* Pages that never were there are zero already. */
		if (gmap_lookup(g->v->vm->gmap, gaddr(at), &frame))
			(void)vm_write(g->v->vm, gaddr(at), zeros, sizeof(zeros)).code;
	}
}

/* Loads everything again, or ends the VM when reboots are not wanted. */
static void reipl(struct guest *g)
{
	struct vm *vm = g->v->vm;
	struct zpv_err err = { 0 };

	if (vm->config.no_reboot) {
		vm_set_end(vm, VM_REBOOT);
		return;
	}
	g->v->reloaded = true;
	if (vm_load(vm, &err) != 0)
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

/* Subcodes 0 and 1: storage is kept, the CPU starts at the short PSW. */
static void reset(struct guest *g, bool clear)
{
	uint64_t gr[16];

	for (unsigned int i = 0; i < 16; i++)
		gr[i] = guest_gr(g, i);
	vcpu_reset(g->v);
	vcpu_refresh(g);
	for (unsigned int i = 0; !clear && i < 16; i++)
		guest_set_gr(g, i, gr[i]);
	load_short_psw(g);
}

/* Subcodes 5 and 6 with a block of 4096 bytes; no configuration is kept. */
static void ipl_block(struct guest *g, unsigned int r1, unsigned int subcode)
{
	uint64_t addr = guest_gr(g, r1);
	uint8_t byte;

	if (r1 & 1 || addr % 4096) {
		inject_specification(g);
		return;
	}
	if (guest_load_real(g, addr, &byte, 1).code) {
		guest_inject_program(g, (struct pic){ .code = 5, .level = PIC_GUEST });
		return;
	}
	guest_set_gr(g, r1 + 1, subcode == 6 ? RC_NO_CONFIG : RC_INVALID);
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
		reipl(g);
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
