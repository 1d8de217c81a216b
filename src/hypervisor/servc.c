// SPDX-License-Identifier: MIT
/*
 * SERVICE CALL: checks of the operands, and the way of a control block to the service element.
 */
#include "intercept.h"
#include "pv.h"
#include "sccb.h"
#include "sclp.h"

#define PGM_ADDRESSING 5
#define SCCB_ALIGN     8u

/* In the lowcore or where it came from: no place for a control block. */
static bool in_prefix(const struct guest *g, uint64_t addr)
{
	uint64_t block = addr & ~0x1fffull;

	return block == 0 || block == guest_prefix(g);
}

/*
 * SERVICE CALL  SERVC R1,R2  [RRE]  B220. R1 command, R2 address of the SCCB. CC: 0 initiated,
 * 2 busy: the interruption for another block was not taken yet.
 * Order of checks: machine.md section 7.1.
 */
void servc(struct guest *g)
{
	uint32_t ipb = be32_get(g->scb.ipb);
	uint32_t command = (uint32_t)guest_gr(g, ipb >> 20 & 15);
	uint64_t addr = guest_gr(g, ipb >> 16 & 15);
	struct sccb_header head;
	uint8_t sccb[SCCB_MAX_BYTES];
	size_t len;
	struct pic pic = guest_load_real(g, addr & ~7ull, &head, sizeof(head));

	if (pic.code) {
		guest_inject_program(g, pic);
		return;
	}
	len = be16_get(head.len);
	if (addr % SCCB_ALIGN || addr >> 31 || in_prefix(g, addr) || len < sizeof(head)) {
		inject_specification(g);
		return;
	}
	if (!sclp_begin(g->v->vm->sclp)) {
		guest_set_cc(g, 2);
		return;
	}
	if (addr % 4096 + len > 4096) {
		be16_set(&head.response, SCLP_BOUNDARY);
		pic = guest_store_real(g, addr, &head, sizeof(head));
	} else {
		pic = guest_load_real(g, addr, sccb, len);
		if (!pic.code) {
			sclp_execute(g->v->vm->sclp, command, sccb, len);
			pic = guest_store_real(g, addr, sccb, len);
		}
	}
	if (pic.code) {
		guest_inject_program(g, pic);
		return;
	}
	sclp_finish(g->v->vm->sclp, (uint32_t)addr);
	guest_set_cc(g, 0);
}

/*
 * The block is in the SIDA; its length is the guest's, but the SIDA's end counts. The service signal
 * follows when the guest has its block (the notification).
 */
void servc_protected(struct guest *g)
{
	struct pv *pv = g->v->vm->pv;
	struct sccb_header head;
	uint8_t sccb[SCCB_MAX_BYTES];
	size_t len;

	pv_sida_read(pv, 0, &head, sizeof(head));
	len = be16_get(head.len);
	if (len < sizeof(head) || len > sizeof(sccb))
		len = sizeof(sccb);
	pv_sida_read(pv, 0, sccb, len);
	sclp_execute(g->v->vm->sclp, (uint32_t)guest_gr(g, 0), sccb, len);
	pv_sida_write(pv, 0, sccb, len);
}
