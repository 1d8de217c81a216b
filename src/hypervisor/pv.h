/* SPDX-License-Identifier: MIT */
/*
 * Protected guests: the secure configuration of a VM, by Ultravisor calls alone (ultravisor.md
 * sections 4 to 7; boot-ipl.md sections 3 to 8).
 *
 * There is one configuration at most, with the VM's one CPU. Its storage is donated when it is made
 * and used again for the next one. All functions are for the CPU's thread, outside of SIE.
 */
#ifndef HYPERVISOR_PV_H
#define HYPERVISOR_PV_H

#include <stdbool.h>
#include <stdint.h>

#include "addr.h"
#include "compiler.h"
#include "uvcb.h"

#define FACILITY_UVC	158u /* the machine has an Ultravisor */
#define FACILITY_UNPACK 161u /* a guest may ask to be protected by it */

/* Host program interruptions about secure storage. */
enum {
	PGM_SECURE_ACCESS = 0x3d,
	PGM_NON_SECURE_ACCESS = 0x3e,
	PGM_SECURE_VIOLATION = 0x3f,
};

struct guest;
struct pv;
struct vm;
struct zpv_err;

/* Asks the Ultravisor for its sizes. Return: 0; -ZPV_ERR_FORMAT, -ZPV_ERR_NOMEM. */
int pv_new(struct vm *vm, struct pv **out, struct zpv_err *err) MUST_CHECK;
void pv_free(struct pv *pv);

/* Is the guest protected? */
bool pv_active(const struct pv *pv);

/*
 * DIAGNOSE 308 subcode 10 with the block that is set. Return: 0, the CPU has a state description of
 * format 4 and starts where the image says; else the response for the guest, which goes on as it was
 * but for the pages that were unpacked: they are cleared.
 */
uint64_t pv_start(struct pv *pv);

/* Subcodes 0 (clear) and 1 of a protected guest: it starts at its short PSW. */
void pv_reset(struct pv *pv, bool clear);

/* Back to an unprotected guest, whose secure pages are cleared. Nothing when it is not protected. */
void pv_leave(struct pv *pv);

/* SET CPU STATE of the only CPU. */
void pv_cpu_state(struct pv *pv, enum uv_cpu_state state);

/* After a host fault of the guest at a page: makes it its own, and neighbours that are not there. */
void pv_fault(struct pv *pv, uint16_t code, gaddr_t at);
/* Both pages of the prefix area. */
void pv_import_prefix(struct pv *pv, uint32_t prefix);
/* Of a shared page: the guest may take it back. */
void pv_unpin(struct pv *pv, gaddr_t at);
/* A frame that the host has met a secure-storage access at. False: it cannot be had. */
bool pv_make_accessible(struct pv *pv, haddr_t frame);

/* The SIDA, a page: where operands of intercepted instructions travel. */
#define PV_SIDA_BYTES 4096u
void pv_sida_read(struct pv *pv, size_t off, void *data, size_t len);
void pv_sida_write(struct pv *pv, size_t off, const void *data, size_t len);

/* --- Dumping (dump.c): calls of the Ultravisor, in the order of ultravisor.md section 4.24 ------- */

/* Bytes of what the calls give out. */
struct pv_dump_sizes {
	size_t cpu, per_mib, complete;
};

/* Lays out an area for results. Return: 0; -ZPV_ERR_FORMAT the Ultravisor takes no dumps; -ZPV_ERR_NOMEM. */
int pv_dump_sizes(struct pv *pv, struct pv_dump_sizes *out, struct zpv_err *err) MUST_CHECK;
/*
 * Until pv_dump_complete() has worked, the guest cannot run. Return: 0; -ZPV_ERR_FORMAT with what the
 * Ultravisor answers, and in words when its owner did not allow dumps.
 */
int pv_dump_init(struct pv *pv, struct zpv_err *err) MUST_CHECK;
int pv_dump_cpu(struct pv *pv, uint8_t *out, struct zpv_err *err) MUST_CHECK;
/* Of a MiB of guest storage, whose secure pages are exported by it. */
int pv_dump_storage(struct pv *pv, gaddr_t at, uint8_t *out, struct zpv_err *err) MUST_CHECK;
int pv_dump_complete(struct pv *pv, uint8_t *out, struct zpv_err *err) MUST_CHECK;

/* Interceptions 104 and 108 (pv_intercept.c). */
void pv_instruction(struct guest *g);
void pv_notification(struct guest *g);

#endif
