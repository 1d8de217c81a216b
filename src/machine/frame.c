// SPDX-License-Identifier: MIT
/*
 * Changing the state of frames.
 *
 * Who derives a right from a frame (a TLB entry, slots, an access under way) marks it mapped, or
 * counts itself as an accessor, and looks at the state afterwards. Who changes the state stores it
 * first and looks at mark and count afterwards. So one of the two sees the other, and frames that
 * nobody has used yet (most of those that a guest touches first) need no revocation.
 */
#include <sched.h>
#include <string.h>

#include "machine_priv.h"

struct frame_info frame_info(const struct machine *m, uint64_t frame)
{
	const struct frame *f = &m->frames[frame];

	return (struct frame_info){ .state = (enum frame_state)atomic_load(&f->state),
				    .owner = atomic_load(&f->owner),
				    .page = atomic_load(&f->page) };
}

uint8_t *frame_host_page(const struct machine *m, uint64_t frame)
{
	return m->host + frame * FRAME_BYTES;
}

uint8_t *frame_secure_page(const struct machine *m, uint64_t frame)
{
	return m->secure + frame * FRAME_BYTES;
}

/* Accesses of the host's accessors are short, and new ones see the state. */
static void wait_for_accessors(struct machine *m, struct cpu *self)
{
	while (atomic_load(&m->accessors)) {
		if (self)
			revoke_answer(self);
		sched_yield();
	}
}

void frame_seize(struct machine *m, struct cpu *self, uint64_t first, uint64_t count)
{
	bool mapped = false;

	for (uint64_t i = first; i < first + count; i++)
		atomic_store(&m->frames[i].state, FRAME_SEIZED);
	for (uint64_t i = first; i < first + count; i++)
		mapped |= atomic_load(&m->frames[i].mapped);
	if (mapped)
		revoke_all(m, self);
	wait_for_accessors(m, self);
	for (uint64_t i = first; i < first + count; i++)
		atomic_store(&m->frames[i].mapped, 0);
}

void frame_give(struct machine *m, uint64_t frame, struct frame_info info)
{
	struct frame *f = &m->frames[frame];

	code_moved(m, frame,
		   frame_visible((uint8_t)info.state) ? frame_host_page(m, frame) :
							frame_secure_page(m, frame));
	atomic_store(&f->owner, info.owner);
	atomic_store(&f->page, info.page);
	atomic_store(&f->state, (uint8_t)info.state);
}

struct machine_frames machine_frame_counts(const struct machine *m)
{
	struct machine_frames n = { 0 };

	for (uint64_t i = 0; i < m->nframes; i++) {
		switch ((enum frame_state)atomic_load_explicit(&m->frames[i].state,
							       memory_order_relaxed)) {
		case FRAME_HOST:
			n.host++;
			break;
		case FRAME_SHARED:
		case FRAME_PINNED:
			n.shared++;
			break;
		case FRAME_DONATED:
			n.donated++;
			break;
		default:
			n.secure++;
		}
	}
	return n;
}
