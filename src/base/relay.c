// SPDX-License-Identifier: MIT
/*
 * One producer, one consumer, a ring of buffers.
 */
#include "relay.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"

struct relay {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	relay_fn fn;
	void *ctx;
	uint8_t *memory;
	size_t *len; /* of each slot's content */
	size_t slots, slot_bytes;
	uint64_t submitted, consumed; /* counts of slots since the start */
	bool stop, started;
};

static uint8_t *slot_at(const struct relay *r, uint64_t count)
{
	return r->memory + count % r->slots * r->slot_bytes;
}

static void *relay_thread(void *arg)
{
	struct relay *r = arg;

	pthread_mutex_lock(&r->lock);
	for (;;) {
		uint64_t at = r->consumed;

		if (at == r->submitted) {
			if (r->stop)
				break;
			pthread_cond_wait(&r->changed, &r->lock);
			continue;
		}
		pthread_mutex_unlock(&r->lock);
		r->fn(r->ctx, slot_at(r, at), r->len[at % r->slots]);
		pthread_mutex_lock(&r->lock);
		r->consumed++;
		pthread_cond_broadcast(&r->changed);
	}
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

int relay_new(size_t slots, size_t slot_bytes, relay_fn fn, void *ctx, struct relay **out,
	      struct zpv_err *err)
{
	AUTO(relay) struct relay *r = calloc(1, sizeof(*r));
	int rc;

	if (!r)
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->changed, NULL);
	r->fn = fn;
	r->ctx = ctx;
	r->slots = slots;
	r->slot_bytes = slot_bytes;
	r->len = calloc(slots, sizeof(*r->len));
	r->memory = aligned_alloc(64, slots * slot_bytes);
	if (!r->len || !r->memory)
		return err_set(err, ZPV_ERR_NOMEM, "no memory for %zu buffers", slots);
	rc = pthread_create(&r->thread, NULL, relay_thread, r);
	if (rc)
		return err_set(err, ZPV_ERR_NOMEM, "cannot start a thread: %s", strerror(rc));
	r->started = true;
	*out = STEAL(r);
	return 0;
}

uint8_t *relay_slot(struct relay *r)
{
	uint8_t *slot;

	pthread_mutex_lock(&r->lock);
	while (r->submitted - r->consumed == r->slots)
		pthread_cond_wait(&r->changed, &r->lock);
	slot = slot_at(r, r->submitted);
	pthread_mutex_unlock(&r->lock);
	return slot;
}

void relay_submit(struct relay *r, size_t len)
{
	pthread_mutex_lock(&r->lock);
	r->len[r->submitted % r->slots] = len;
	r->submitted++;
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
}

void relay_drain(struct relay *r)
{
	pthread_mutex_lock(&r->lock);
	while (r->consumed != r->submitted)
		pthread_cond_wait(&r->changed, &r->lock);
	pthread_mutex_unlock(&r->lock);
}

void relay_free(struct relay *r)
{
	if (!r)
		return;
	if (r->started) {
		pthread_mutex_lock(&r->lock);
		r->stop = true;
		pthread_cond_broadcast(&r->changed);
		pthread_mutex_unlock(&r->lock);
		pthread_join(r->thread, NULL);
	}
	pthread_cond_destroy(&r->changed);
	pthread_mutex_destroy(&r->lock);
	free(r->memory);
	free(r->len);
	free(r);
}
