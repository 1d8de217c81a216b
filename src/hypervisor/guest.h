/* SPDX-License-Identifier: MIT */
/*
 * A guest CPU between two SIE: its registers, and its storage by the addresses that it uses.
 */
#ifndef HYPERVISOR_GUEST_H
#define HYPERVISOR_GUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "compiler.h"
#include "scb.h"
#include "vcpu.h"

#define GPSW_EXT      BIT64(7)
#define GPSW_IO	      BIT64(6)
#define GPSW_MCHECK   BIT64(13)
#define GPSW_WAIT     BIT64(14)
#define GPSW_PROBLEM  BIT64(15)
#define GPSW_CC_SHIFT 44

/* The state description as it was read after SIE; written back before the next. */
struct guest {
	struct vcpu *v;
	struct scb scb;
};

uint64_t guest_gr(const struct guest *g, unsigned int n);
void guest_set_gr(struct guest *g, unsigned int n, uint64_t v);
/* Bits 32-63 only. */
void guest_set_gr32(struct guest *g, unsigned int n, uint32_t v);

uint64_t guest_psw_mask(const struct guest *g);
void guest_set_cc(struct guest *g, unsigned int cc);
uint32_t guest_prefix(const struct guest *g);

/* base + displacement of an S-format operand (or of RS, the same place) by ipb. */
uint64_t guest_operand(const struct guest *g);

/* Logical addresses by the guest's PSW and control registers. Return code 0 or what to inject. */
struct pic guest_load(struct guest *g, uint64_t vaddr, void *data, size_t len) MUST_CHECK;
struct pic guest_store(struct guest *g, uint64_t vaddr, const void *data, size_t len) MUST_CHECK;
/* Real addresses: with prefixing. */
struct pic guest_load_real(struct guest *g, uint64_t raddr, void *data, size_t len) MUST_CHECK;
struct pic guest_store_real(struct guest *g, uint64_t raddr, const void *data, size_t len)
	MUST_CHECK;
gaddr_t guest_absolute(const struct guest *g, uint64_t raddr);

/* Makes the guest take an interruption: stores codes and old PSW, loads the new one. */
void guest_inject_program(struct guest *g, struct pic pic);
void guest_inject_external(struct guest *g, uint16_t code, uint32_t param);

#endif
