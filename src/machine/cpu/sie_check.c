// SPDX-License-Identifier: MIT
/*
 * Validity of a state description of format 2 (sie.md sections 2.2 and 6).
 *
 * The reasons and their order are those of arch/s390/kvm/vsie.c (v6.12), a SIE in software.
 */
#include "machine_priv.h"
#include "sie_priv.h"

#define LOW_STORAGE  8192u /* where no control area may lie */
#define PREFIX_MASK  0xffffffffffffe000ull
#define CRYCB1_BYTES 128u
#define SDNX_MIN     6u
#define SDNX_MAX     12u
#define FORMAT_BAD   2u /* of a CRYCB designation: 0, 1 and 3 exist */

uint8_t *sie_storage(const struct cpu *cpu, uint64_t addr, uint64_t len)
{
	const struct machine *m = cpu->m;

	if (addr >= m->bytes || len > m->bytes - addr)
		return NULL;
	for (uint64_t f = addr / FRAME_BYTES; f <= (addr + len - 1) / FRAME_BYTES; f++)
		if (!frame_visible(atomic_load(&m->frames[f].state)))
			return NULL;
	return m->host + addr;
}

static bool crosses_page(uint64_t addr, uint64_t len)
{
	return addr / FRAME_BYTES != (addr + len - 1) / FRAME_BYTES;
}

static enum validity check_flags(uint32_t flags)
{
	if (!(flags & CPUFLAG_ZARCH) || flags & (CPUFLAG_RRF | CPUFLAG_MCDS) ||
	    (flags & CPUFLAG_GED && flags & CPUFLAG_GED2))
		return VALIDITY_CPUFLAGS;
	if (flags & (CPUFLAG_SLSV | CPUFLAG_SLSR))
		return VALIDITY_SLS;
	return VALIDITY_NONE;
}

/* Looked at only where something would use the CRYCB. */
static enum validity check_crycb(const struct cpu *cpu, const struct scb *scb)
{
	uint32_t designation = be32_get(scb->crycbd), addr = designation & SCB_CRYCB_ORIGIN;

	if (!(scb->ecb3 & (ECB3_DEA | ECB3_AES)) && !(be32_get(scb->eca) & ECA_APIE))
		return VALIDITY_NONE;
	if (!addr)
		return VALIDITY_CRYCB_ZERO;
	if ((designation & SCB_CRYCB_FORMAT) == FORMAT_BAD)
		return VALIDITY_CRYCB_FORMAT;
	if (crosses_page(addr, CRYCB1_BYTES))
		return VALIDITY_CRYCB_CROSSES;
	return sie_storage(cpu, addr, CRYCB1_BYTES) ? VALIDITY_NONE : VALIDITY_CRYCB_ACCESS;
}

enum validity sie_check_sca(const struct cpu *cpu, struct sie_state *st)
{
	const struct scb *scb = st->scb;
	bool extended = scb->ecb2 & ECB2_ESCA;
	uint64_t len = extended ? sizeof(struct esca) : sizeof(struct bsca);
	uint64_t addr = ((uint64_t)be32_get(scb->scaoh) << 32 | be32_get(scb->scaol)) &
			(extended ? SCA_ORIGIN_EXTENDED_MASK : SCA_ORIGIN_BASIC_MASK);

	st->sca = (struct sie_sca){ .extended = extended };
	if (!addr)
		return VALIDITY_NONE;
	if (addr < LOW_STORAGE)
		return VALIDITY_SCA_LOW;
	if ((addr & PREFIX_MASK) == cpu->prefix)
		return VALIDITY_SCA_PREFIX;
	if (!extended && crosses_page(addr, len))
		return VALIDITY_SCA_CROSSES;
	st->sca.addr = addr;
	st->sca.p = sie_storage(cpu, addr, len);
	return st->sca.p ? VALIDITY_NONE : VALIDITY_SCA_ACCESS;
}

/* An area that a facility of the guest uses. */
static bool area_bad(const struct cpu *cpu, uint64_t addr, uint64_t len)
{
	return addr && (addr < LOW_STORAGE || !sie_storage(cpu, addr, len));
}

static enum validity check_areas(const struct cpu *cpu, const struct scb *scb)
{
	bool host_registers = be32_get(scb->ecd) & ECD_HOSTREGMGMT;

	if (scb->ecb & ECB_TE && area_bad(cpu, be64_get(scb->itdba) & SCB_ITDB_ORIGIN, 256))
		return VALIDITY_ITDB;
	if (be32_get(scb->eca) & ECA_VX && !host_registers &&
	    area_bad(cpu, be64_get(scb->gvrd) & SCB_GVRD_ORIGIN, 512))
		return VALIDITY_GVRD;
	if (scb->ecb3 & ECB3_RI && area_bad(cpu, be64_get(scb->riccbd) & SCB_RICCB_ORIGIN, 64))
		return VALIDITY_RICCB;
	return VALIDITY_NONE;
}

static enum validity check_sdnx(const struct cpu *cpu, const struct scb *scb)
{
	uint64_t addr = be64_get(scb->sdnxo) & SCB_SDNX_ORIGIN;
	unsigned int size = be64_get(scb->sdnxo) & SCB_SDNX_SIZE;
	uint32_t ecd = be32_get(scb->ecd);

	if (!(scb->ecb & ECB_GS && !(ecd & ECD_HOSTREGMGMT)) && !(ecd & ECD_ETOKEN))
		return VALIDITY_NONE;
	if (addr < LOW_STORAGE)
		return VALIDITY_SDNX_ADDR;
	if (size < SDNX_MIN || size > SDNX_MAX)
		return VALIDITY_SDNX_SIZE;
	if (addr & ((1u << size) - 1))
		return VALIDITY_SDNX_ALIGN;
	return sie_storage(cpu, addr, 1u << size) ? VALIDITY_NONE : VALIDITY_SDNX_ADDR;
}

static enum validity check_fac(const struct cpu *cpu, struct sie_state *st)
{
	uint32_t addr = be32_get(st->scb->fac) & SCB_FAC_ORIGIN;
	unsigned int n;

	st->fac = NULL;
	if (!be32_get(st->scb->fac))
		return VALIDITY_NONE;
	n = MACHINE_FACILITY_WORDS;
	st->fac = sie_storage(cpu, addr, n * 8ull);
	return st->fac ? VALIDITY_NONE : VALIDITY_FAC;
}

enum validity sie_check(struct cpu *cpu, struct sie_state *st)
{
	const struct scb *scb = st->scb;
	enum validity why = check_flags(sie_flags(scb));

	if (!why)
		why = check_crycb(cpu, scb);
	if (!why)
		why = sie_check_sca(cpu, st);
	if (!why)
		why = check_areas(cpu, scb);
	if (!why)
		why = check_sdnx(cpu, scb);
	return why ? why : check_fac(cpu, st);
}
