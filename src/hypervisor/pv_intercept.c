// SPDX-License-Identifier: MIT
/*
 * Interceptions 104 and 108 of protected guests (sie.md sections 7.3 to 7.10).
 *
 * The text of the instruction is the same for all of its kind, whatever registers the guest uses; so
 * handlers that go by text and registers serve both formats of state descriptions.
 */
#include "gmap.h"
#include "intercept.h"
#include "lowcore.h"
#include "pv.h"
#include "sclp.h"
#include "sigp_order.h"
#include "vm.h"

#define IPA_DIAG  0x8302
#define IPA_SPX	  0xb210
#define IPA_SERVC 0xb220
#define IPA_STSI  0xb27d
#define IPA_UVC	  0xb9a4
#define IPA_SIGP  0xae02

/* Any address will do: the Ultravisor puts the guest's in its place (sie.md section 7.6). */
#define SCCB_PLACEHOLDER 0x4000u

static void diagnose(struct guest *g)
{
	diag(g, 0, 2); /* as the text says */
}

/* The new prefix; SIE keeps its own copy and sees to the pages. */
static void spx_done(struct guest *g)
{
	be32 prefix;

	pv_sida_read(g->v->vm->pv, 0, &prefix, sizeof(prefix));
	be32_set(&g->scb.prefix, be32_get(prefix) & SCB_PREFIX_MASK);
}

/* The guest has its control block back, or the Ultravisor itself has answered: the signal is due. */
static void servc_done(struct guest *g)
{
	sclp_finish(g->v->vm->sclp, SCCB_PLACEHOLDER);
}

/* Sharing is to end, but the page is pinned. */
static void unshare(struct guest *g)
{
	struct uvcb_share b;

	pv_sida_read(g->v->vm->pv, 0, &b, sizeof(b));
	if (be16_get(b.head.cmd) == UVC_UNSHARE)
		pv_unpin(g->v->vm->pv, gaddr(be64_get(b.paddr)));
}

/*
 * Requests that the Ultravisor has accepted; they can only be of the CPU to itself, which is
 * operating. A stopped CPU stays so: nobody can start it again.
 */
static void sigp_request(struct guest *g)
{
	struct vcpu *v = g->v;

	switch ((enum sigp_order)(guest_gr(g, 5) & 0xff)) {
	case SIGP_EMERGENCY:
	case SIGP_COND_EMERGENCY:
		v->emergency = true;
		break;
	case SIGP_RESTART:
		v->restart = true;
		break;
	case SIGP_STOP:
	case SIGP_STOP_STORE_STATUS:
	case SIGP_INITIAL_RESET:
	case SIGP_RESET:
		pv_cpu_state(v->vm->pv, UV_CPU_STOPPED);
		vm_set_end(v->vm, VM_POWERED_OFF);
		break;
	default:
		break; /* done, or nothing to do for an operating CPU */
	}
}

static const struct insn_handler instructions[] = {
	{ IPA_DIAG, diagnose },
	{ IPA_SERVC, servc_protected },
	{ IPA_STSI, stsi_protected },
};

static const struct insn_handler notifications[] = {
	{ IPA_DIAG, diagnose }, { IPA_SPX, spx_done },	    { IPA_SERVC, servc_done },
	{ IPA_UVC, unshare },	{ IPA_SIGP, sigp_request },
};

static void unknown(struct guest *g)
{
	vm_fail(g->v->vm, "interception %u of instruction 0x%04x was not asked for",
		g->scb.icptcode, be16_get(g->scb.ipa));
}

void pv_instruction(struct guest *g)
{
	if (!insn_dispatch(g, instructions, ARRAY_SIZE(instructions)) && !io_instruction(g))
		unknown(g);
}

void pv_notification(struct guest *g)
{
	if (!insn_dispatch(g, notifications, ARRAY_SIZE(notifications)))
		unknown(g);
}
