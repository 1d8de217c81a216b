/* SPDX-License-Identifier: MIT */
/*
 * The machine's inside: two stores, the frame table, the arena of decoded instructions, CPUs.
 */
#ifndef MACHINE_MACHINE_PRIV_H
#define MACHINE_MACHINE_PRIV_H

#include <pthread.h>
#include <stdatomic.h>

#include "cpu.h"
#include "frame.h"
#include "intr.h"
#include "machine.h"
#include "secure.h"

struct frame {
	_Atomic uint32_t code;	 /* number of its code page, 0: none */
	_Atomic uint8_t state;	 /* enum frame_state */
	_Atomic uint8_t key;	 /* storage key: ACC, F, R, C and a zero bit */
	_Atomic uint8_t watched; /* stores are slow and raise watchers' attention */
	_Atomic uint8_t mapped;	 /* a CPU may have derived rights from it (frame.c) */
	_Atomic uint32_t owner;	 /* of secure and shared frames: configuration, and its page */
	_Atomic uint32_t page;
};

/*
 * A code page: the slots of one frame and the slot behind them, which goes on in the next page.
 * The arena is reserved address space; untouched parts cost nothing and read as "decode me".
 */
struct code_page {
	struct slot slots[SLOTS_PER_FRAME];
	struct slot end;
	uint32_t frame; /* whose slots these are */
	uint32_t reserved;
	uint8_t *mem; /* where the frame's content is */
	uint8_t pad[FRAME_BYTES - sizeof(struct slot) - 16];
};
static_assert(sizeof(struct code_page) == 9 * FRAME_BYTES, "whole pages");

struct machine {
	uint64_t bytes, nframes;
	uint64_t facilities_off[MACHINE_FACILITY_WORDS]; /* of the model, not of this machine */
	uint8_t *host, *secure;				 /* both stores, mapped */
	struct frame *frames;

	pthread_mutex_t code_lock; /* allocation and eviction of code pages */
	struct code_page *code;	   /* number n is code[n - 1] */
	uint32_t ncode;
	_Atomic uint32_t code_used;
	atomic_flag decoding; /* a slot is being filled */

	unsigned int ncpus;
	struct cpu **cpus;
	struct intr_pending *pending;	  /* of each CPU */
	atomic_uint_least64_t generation; /* of revocations */

	pthread_mutex_t wait_lock;
	pthread_cond_t wait_changed;
	atomic_uint waiters;   /* CPUs that wait in host mode */
	atomic_bool resetting; /* a CPU executes a load reset */

	int64_t tod_offset; /* TOD = nanoseconds of CLOCK_REALTIME in TOD units + this */

	pthread_mutex_t clock_lock;
	pthread_cond_t clock_changed;
	pthread_t clock_thread;
	bool clock_started, clock_stop;
	uint64_t clock_next; /* TOD of the earliest deadline; UINT64_MAX: none */

	struct tracer *tracer; /* trace.c; mostly NULL */

	const struct secure_ops *secure_ops; /* NULL: no Ultravisor */
	void *uv;
	atomic_uint accessors; /* of storage_read() and its kind, under way */
};

/* Is the content in the host-visible store, where the host may access it? */
static inline bool frame_visible(uint8_t state)
{
	return state == FRAME_HOST || state == FRAME_SHARED || state == FRAME_PINNED;
}

/* Frame number of a pointer into either store. */
static inline uint64_t frame_of_page(const struct machine *m, const uint8_t *p)
{
	uint64_t off = (uint64_t)(p - m->host);

	return (off < m->bytes ? off : (uint64_t)(p - m->secure)) / FRAME_BYTES;
}

/* --- Revocation (revoke.c) -------------------------------------------------------------------- */

/* The CPU starts or stops to hold rights; between them it answers revocations when it polls. */
void revoke_enter(struct cpu *cpu);
void revoke_exit(struct cpu *cpu);
/* Answers: forgets translations made before the current generation. */
void revoke_answer(struct cpu *cpu);
/* Takes every right away from all CPUs; self may be NULL. Returns when none holds one. */
void revoke_all(struct machine *m, struct cpu *self);

/* --- Code cache (code.c) ---------------------------------------------------------------------- */

/* The slots of the frame at mem, allocated on demand. May evict, then all CPUs lose their slots. */
struct slot *code_slots(struct machine *m, struct cpu *self, uint8_t *mem);
/* The content of a frame that nobody uses is at mem from now on, and another one. */
void code_moved(struct machine *m, uint64_t frame, uint8_t *mem);
/* Forgets slots of instructions that overlap a stored range of a frame. */
void code_written(struct machine *m, uint64_t frame, uint32_t off, uint32_t len);

/* --- Watched frames ---------------------------------------------------------------------------- */

/* Stores to a watched frame are slow and set ATTN_SCB on all CPUs inside guest execution. Counted. */
void watch_add(struct machine *m, struct cpu *self, uint64_t frame);
void watch_remove(struct machine *m, uint64_t frame);
void watch_hit(struct machine *m);

/* Wakes CPUs that wait in host mode. */
void machine_wake(struct machine *m);

/* --- Clocks (clock.c) -------------------------------------------------------------------------- */

int clock_start(struct machine *m, struct zpv_err *err) MUST_CHECK;
void clock_end(struct machine *m);

#endif
