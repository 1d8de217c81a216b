/* SPDX-License-Identifier: MIT */
/*
 * Guest storage as the host's DAT tables in machine storage: guest absolute (with MSO 0) to host
 * absolute. Pages appear on demand.
 */
#ifndef HYPERVISOR_GMAP_H
#define HYPERVISOR_GMAP_H

#include <stdbool.h>
#include <stdint.h>

#include "addr.h"
#include "compiler.h"

struct gmap;
struct vm;
struct zpv_err;

/* Tables for bytes of guest storage; all pages are absent. */
int gmap_new(struct vm *vm, uint64_t bytes, struct gmap **out, struct zpv_err *err) MUST_CHECK;
void gmap_free(struct gmap *g);

/* For CR1. */
uint64_t gmap_asce(const struct gmap *g);
uint64_t gmap_bytes(const struct gmap *g);

/* The host frame behind a guest page, made present when it was not. False outside the guest. */
bool gmap_fault_in(struct gmap *g, gaddr_t at, haddr_t *out);

/* The same without making it present: false when the page was never touched. */
bool gmap_lookup(const struct gmap *g, gaddr_t at, haddr_t *out);

/* Pages that are present. */
uint64_t gmap_present(const struct gmap *g);

/* Zeros the pages from first to last (addresses of pages) that are present. */
void gmap_discard(struct gmap *g, uint64_t first, uint64_t last);
/* The same with all pages. */
void gmap_clear(struct gmap *g);

#endif
