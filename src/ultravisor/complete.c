// SPDX-License-Identifier: MIT
/*
 * Completion of instructions that the host has executed (sie.md section 7.5).
 *
 * Of its answer counts what the instruction has for results: CC, registers, a storage operand no
 * longer than the guest's. The operand was accessible when the host was asked; a page that has gone
 * meanwhile is an exception of the host, with nothing done, and the next entry completes.
 */
#include "uv_priv.h"

#define STSI_LEVEL_MASK	   0xf0000000ull
#define IPL_RC_OK	   0x0001u
#define CC_NOT_OPERATIONAL 3u

enum { OP_SAL = 0xb237, OP_SCHM = 0xb23c };

static uint64_t answered_gr(const struct cpu *cpu, unsigned int n)
{
	return be64_get(sie_page(cpu->sie)->pv_grregs[n]);
}

static uint8_t answered_cc(const struct cpu *cpu)
{
	return (uint8_t)(be64_get(cpu->sie->scb->gpsw_mask) >> PSW_CC_SHIFT & 3);
}

/* The operand cannot be stored. The guest's own exception ends the instruction. */
static _Noreturn void refuse(struct cpu *cpu, struct uv_pending *p, struct pic pic)
{
	if (pic.level == PIC_HOST)
		cpu_raise(cpu, NULL, pic);
	cpu->psw_addr = p->psw_addr;
	cpu->pic = pic;
	cpu->pic_ilc = (uint8_t)p->ilc;
	cpu->at = NULL;
	p->what = COMPLETE_NONE;
	siglongjmp(cpu->leave, LEAVE_PIC);
}

/* The storage operand out of the SIDA: a logical address, with the key and space of the PSW. */
static void store_logical(struct cpu *cpu, struct uv_pending *p)
{
	const uint8_t *sida;
	struct span span;
	struct pic pic;

	if (!p->len)
		return;
	sida = uv_sida_page(cpu, NULL);
	pic = mem_span_as(cpu, p->addr, p->len, ACCESS_WRITE, psw_as(cpu), psw_key(cpu), &span);
	if (pic.code)
		refuse(cpu, p, pic);
	memcpy(span.p[0], sida, span.n[0]);
	if (span.n[1])
		memcpy(span.p[1], sida + span.n[0], span.n[1]);
	mem_span_written(cpu, &span);
}

/* A real one, within a page. */
static void store_real(struct cpu *cpu, struct uv_pending *p)
{
	const uint8_t *sida = uv_sida_page(cpu, NULL);
	uint8_t *to;
	struct pic pic = mem_real(cpu, p->addr, p->len, ACCESS_WRITE, &to);

	if (pic.code)
		refuse(cpu, p, pic);
	memcpy(to, sida, p->len);
	mem_written(cpu, to, p->len);
}

/* --- Instructions -------------------------------------------------------------------------------- */

/* A block comes with success only (boot-ipl.md section 3.3). */
static void diag_ipl(struct cpu *cpu, struct uv_pending *p)
{
	uint64_t rc = answered_gr(cpu, 1);

	if (p->len && rc == IPL_RC_OK)
		store_real(cpu, p);
	cpu->gr[p->r1 + 1] = rc;
}

/* Function code 0 changes the level in GR0 and nothing else. */
static void stsi(struct cpu *cpu, struct uv_pending *p)
{
	uint64_t gr0 = answered_gr(cpu, 0);
	uint8_t cc = answered_cc(cpu);

	if (!p->len)
		cpu->gr[0] = (cpu->gr[0] & ~STSI_LEVEL_MASK) | (gr0 & STSI_LEVEL_MASK);
	else if (!cc)
		store_logical(cpu, p);
	cpu->cc = cc;
}

/* SAL and SCHM have no CC. A subchannel that is not operational stores nothing. */
static void io(struct cpu *cpu, struct uv_pending *p)
{
	uint8_t cc = answered_cc(cpu);

	if (cc != CC_NOT_OPERATIONAL)
		store_logical(cpu, p);
	if (p->opcode != OP_SAL && p->opcode != OP_SCHM)
		cpu->cc = cc;
}

/* As many bytes as the guest's SCCB had; the length in the answer is data (section 7.9). */
static _Noreturn void servc(struct cpu *cpu, struct uv_cpu *c)
{
	store_real(cpu, &c->area->pending);
	cpu->cc = 0;
	uv_servc_notify(cpu, c);
}

void uv_complete(struct cpu *cpu, struct uv_cpu *c)
{
	struct uv_pending *p = &c->area->pending;

	switch ((enum uv_completion)p->what) {
	case COMPLETE_DIAG_288:
		cpu->gr[p->r1] = answered_gr(cpu, 0);
		break;
	case COMPLETE_DIAG_308:
		diag_ipl(cpu, p);
		break;
	case COMPLETE_DIAG_500:
		cpu->gr[2] = answered_gr(cpu, 2);
		break;
	case COMPLETE_STSI:
		stsi(cpu, p);
		break;
	case COMPLETE_IO:
		io(cpu, p);
		break;
	case COMPLETE_SERVC:
		servc(cpu, c);
	case COMPLETE_SERVC_NOTIFY:
		uv_servc_notify(cpu, c);
	case COMPLETE_NONE:
		break;
	}
	p->what = COMPLETE_NONE;
}
