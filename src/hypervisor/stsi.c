// SPDX-License-Identifier: MIT
/*
 * STORE SYSTEM INFORMATION: what machine, partition and hypervisor a guest is told (machine.md
 * section 4).
 */
#include <string.h>

#include "ebcdic.h"
#include "intercept.h"
#include "pv.h"
#include "sysib.h"

#define LEVEL_VM 3u

static void sysib_1_1_1(void *p)
{
	struct sysib_1_1_1 *s = p;

	ebcdic_field(s->manufacturer, sizeof(s->manufacturer), "IBM");
	ebcdic_field(s->type, sizeof(s->type), "2817");
	ebcdic_field(s->model_capacity, sizeof(s->model_capacity), "701");
	ebcdic_field(s->sequence, sizeof(s->sequence), "0000000000000001");
	ebcdic_field(s->plant, sizeof(s->plant), "00");
	ebcdic_field(s->model, sizeof(s->model), "M15");
	ebcdic_field(s->perm_capacity, sizeof(s->perm_capacity), "701");
	ebcdic_field(s->temp_capacity, sizeof(s->temp_capacity), "701");
}

static void sysib_1_2_1(void *p)
{
	struct sysib_1_2_1 *s = p;

	ebcdic_field(s->sequence, sizeof(s->sequence), "0000000000000001");
	ebcdic_field(s->plant, sizeof(s->plant), "00");
}

static void sysib_1_2_2(void *p)
{
	struct sysib_1_2_2 *s = p;

	be32_set(&s->capability, 1);
	be16_set(&s->total, 1);
	be16_set(&s->configured, 1);
}

/* 2.2.1 has the places of 1.2.1. */
static void sysib_2_2_1(void *p)
{
	sysib_1_2_1(p);
}

static void sysib_2_2_2(void *p)
{
	struct sysib_2_2_2 *s = p;

	be16_set(&s->total, 1);
	be16_set(&s->configured, 1);
	ebcdic_field(s->name, sizeof(s->name), "ZPV");
	be32_set(&s->caf, 1000);
}

static void sysib_3_2_2(void *p)
{
	struct sysib_3_2_2 *s = p;

	s->count = 1;
	be16_set(&s->vm[0].total, 1);
	be16_set(&s->vm[0].configured, 1);
	ebcdic_field(s->vm[0].name, sizeof(s->vm[0].name), "KVMguest");
	be32_set(&s->vm[0].caf, 1000);
	ebcdic_field(s->vm[0].control_program, sizeof(s->vm[0].control_program), "KVM/Linux");
}

static const struct {
	unsigned int fc, sel1, sel2;
	void (*fill)(void *sysib);
} sysibs[] = {
	{ 1, 1, 1, sysib_1_1_1 }, { 1, 2, 1, sysib_1_2_1 }, { 1, 2, 2, sysib_1_2_2 },
	{ 2, 2, 1, sysib_2_2_1 }, { 2, 2, 2, sysib_2_2_2 }, { 3, 2, 2, sysib_3_2_2 },
};

/* False when there is no such block. */
static bool fill_sysib(unsigned int fc, unsigned int sel1, unsigned int sel2,
		       uint8_t sysib[SYSIB_BYTES])
{
	for (size_t i = 0; i < ARRAY_SIZE(sysibs); i++) {
		if (sysibs[i].fc != fc || sysibs[i].sel1 != sel1 || sysibs[i].sel2 != sel2)
			continue;
		sysibs[i].fill(sysib);
		return true;
	}
	return false;
}

/* Level and block that registers 0 and 1 ask for. */
static unsigned int level(const struct guest *g)
{
	return (uint32_t)guest_gr(g, 0) >> 28;
}

static bool make_sysib(const struct guest *g, uint8_t sysib[SYSIB_BYTES])
{
	return fill_sysib(level(g), guest_gr(g, 0) & 0xff, guest_gr(g, 1) & 0xffff, sysib);
}

static void store_sysib(struct guest *g)
{
	uint8_t sysib[SYSIB_BYTES] = { 0 };
	struct pic pic;

	if (!make_sysib(g, sysib)) {
		guest_set_cc(g, 3);
		return;
	}
	pic = guest_store(g, guest_operand(g), sysib, sizeof(sysib));
	if (pic.code)
		guest_inject_program(g, pic);
	else
		guest_set_cc(g, 0);
}

void stsi(struct guest *g)
{
	uint32_t gr0 = (uint32_t)guest_gr(g, 0), gr1 = (uint32_t)guest_gr(g, 1);
	unsigned int fc = level(g);

	if (fc > LEVEL_VM) {
		guest_set_cc(g, 3);
	} else if (gr0 & 0x0fffff00 || gr1 & 0xffff0000 || (fc && guest_operand(g) % SYSIB_BYTES)) {
		inject_specification(g);
	} else if (fc == 0) {
		guest_set_gr32(g, 0, LEVEL_VM << 28);
		guest_set_cc(g, 0);
	} else {
		store_sysib(g);
	}
}

/* The Ultravisor has checked the operands. */
void stsi_protected(struct guest *g)
{
	uint8_t sysib[SYSIB_BYTES] = { 0 };
	bool known = level(g) == 0 || make_sysib(g, sysib);

	if (level(g) == 0)
		guest_set_gr32(g, 0, LEVEL_VM << 28);
	else if (known)
		pv_sida_write(g->v->vm->pv, 0, sysib, sizeof(sysib));
	guest_set_cc(g, known ? 0 : 3);
}
