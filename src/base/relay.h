/* SPDX-License-Identifier: MIT */
/*
 * A worker thread behind a ring of buffers: the caller fills one, the worker consumes it, in
 * order, while the caller fills the next.
 *
 * The memory is slots * slot_bytes, allocated once. The worker's function cannot fail; whatever
 * can is done on the caller's thread.
 */
#ifndef BASE_RELAY_H
#define BASE_RELAY_H

#include <stddef.h>
#include <stdint.h>

#include "compiler.h"

struct relay;
struct zpv_err;

typedef void (*relay_fn)(void *ctx, const uint8_t *data, size_t len);

int relay_new(size_t slots, size_t slot_bytes, relay_fn fn, void *ctx, struct relay **out,
	      struct zpv_err *err) MUST_CHECK;

/* Waits for a free buffer of slot_bytes and returns it. */
uint8_t *relay_slot(struct relay *r);

/* Hands the buffer of the last relay_slot() over with len bytes of content. */
void relay_submit(struct relay *r, size_t len);

/* Waits until the worker has consumed everything submitted. */
void relay_drain(struct relay *r);

/* Drains, ends the thread and frees. */
void relay_free(struct relay *r);
DEFINE_AUTO(relay)

#endif
