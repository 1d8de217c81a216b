/* SPDX-License-Identifier: MIT */
/*
 * Who owns a frame of absolute storage, for the machine's checks and the Ultravisor's calls.
 *
 * A state decides three things: the store that holds the content, whether the host may access it,
 * and which protected guest may. Only the Ultravisor changes states, always in two steps: seize,
 * after which nobody has a right to the frame; then give it the new state.
 */
#ifndef MACHINE_FRAME_H
#define MACHINE_FRAME_H

#include <stdint.h>

struct cpu;
struct machine;

#define FRAME_BYTES 4096u

enum frame_state {
	FRAME_HOST,    /* host store; of no protected guest */
	FRAME_SECURE,  /* secure store; of its owner alone */
	FRAME_SHARED,  /* host store; of its owner and the host */
	FRAME_PINNED,  /* the same, and the guest cannot take it back yet */
	FRAME_DONATED, /* secure store; the Ultravisor's own */
	FRAME_ORPHAN,  /* secure store; its owner is gone */
	FRAME_SEIZED,  /* between two states: accesses fault */
};

/* owner: number of a configuration, 0 for none; page: its guest absolute page number. */
struct frame_info {
	enum frame_state state;
	uint32_t owner, page;
};

struct frame_info frame_info(const struct machine *m, uint64_t frame);

/* Both places of a frame's content; which one counts is told by its state. */
uint8_t *frame_host_page(const struct machine *m, uint64_t frame);
uint8_t *frame_secure_page(const struct machine *m, uint64_t frame);

/*
 * Takes all rights to count frames away: TLB entries, decoded instructions, accessors under way.
 * Afterwards they are FRAME_SEIZED. Of one frame only one caller at a time (the Ultravisor's lock).
 * self: the CPU that executes the call; NULL when none does.
 */
void frame_seize(struct machine *m, struct cpu *self, uint64_t first, uint64_t count);
/* Gives a seized frame its state. */
void frame_give(struct machine *m, uint64_t frame, struct frame_info info);

#endif
