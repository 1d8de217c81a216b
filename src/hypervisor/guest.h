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

/* External interruption codes. */
enum {
	EXT_EMERGENCY = 0x1201,
	EXT_EXTERNAL_CALL = 0x1202,
	EXT_SERVICE_SIGNAL = 0x2401,
};

/* Subclasses of external interruptions in CR0. */
#define GCR0_EMERGENCY	   BIT64(49)
#define GCR0_EXTERNAL_CALL BIT64(50)
#define GCR0_CKC	   BIT64(52)
#define GCR0_CPU_TIMER	   BIT64(53)
#define GCR0_SERVICE	   BIT64(54)
#define GCR0_CKC_SIGN	   BIT64(10)

/* The state description as it was read after SIE; written back before the next. */
struct guest {
	struct vcpu *v;
	struct scb scb;
	be64 pv_gr[16]; /* protected: the registers that the interception shows */
};

/* Its registers, PSW and storage are not the hypervisor's to see. */
static inline bool guest_protected(const struct guest *g)
{
	return g->scb.sdf == SCB_FORMAT4;
}

/* Of a protected guest: in the slots of its interception (sie.md section 7.3). */
uint64_t guest_gr(const struct guest *g, unsigned int n);
void guest_set_gr(struct guest *g, unsigned int n, uint64_t v);
/* Bits 32-63 only. */
void guest_set_gr32(struct guest *g, unsigned int n, uint32_t v);

uint64_t guest_psw_mask(const struct guest *g);
void guest_set_cc(struct guest *g, unsigned int cc);
uint32_t guest_prefix(const struct guest *g);

/* An effective address by the PSW's addressing mode. */
uint64_t guest_effective(const struct guest *g, uint64_t addr);

/* base + displacement of an S-format operand (or of RS, the same place) by ipb. */
uint64_t guest_operand(const struct guest *g);

/* Logical addresses by the guest's PSW and control registers. Return code 0 or what to inject. */
struct pic guest_load(struct guest *g, uint64_t vaddr, void *data, size_t len) MUST_CHECK;
struct pic guest_store(struct guest *g, uint64_t vaddr, const void *data, size_t len) MUST_CHECK;
/* Real addresses: with prefixing. */
struct pic guest_load_real(struct guest *g, uint64_t raddr, void *data, size_t len) MUST_CHECK;
struct pic guest_store_real(struct guest *g, uint64_t raddr, const void *data, size_t len)
	MUST_CHECK;
/* Makes the page behind a logical address present. Return: as the loads. */
struct pic guest_page_in(struct guest *g, uint64_t vaddr) MUST_CHECK;
gaddr_t guest_absolute(const struct guest *g, uint64_t raddr);

/* Makes a guest that is not protected take an interruption: stores codes and old PSW, loads the new one. */
void guest_inject_program(struct guest *g, struct pic pic);
/* param is the service signal's alone. */
void guest_inject_external(struct guest *g, uint16_t code, uint32_t param);
void guest_inject_restart(struct guest *g);

/* The PSW designates the intercepted instruction again. */
void guest_step_back(struct guest *g);

#endif
