// SPDX-License-Identifier: MIT
/*
 * The decode cache: slots of executed frames, shared by all CPUs, bounded.
 *
 * When the arena is used up everything is forgotten at once: the arena goes back to the system
 * and fills again with what is executed now. At the default bound that takes more than 20 MiB of
 * code that was executed since the last time.
 */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "handler.h"
#include "machine_priv.h"

static handler_fn page_end;

/* Behind the last slot of a page: the next page, with a look at what is pending. */
static handler_ret page_end(struct cpu *cpu, const struct slot *s)
{
	(void)s;
	GO(branch_poll(cpu, NULL, ADDR(cpu->page_vaddr + FRAME_BYTES)));
}

/* code_lock is held. */
static void evict_all(struct machine *m, struct cpu *self)
{
	for (uint32_t i = 0; i < m->code_used; i++)
		atomic_store(&m->frames[m->code[i].frame].code, 0);
	revoke_all(m, self); /* nobody uses a slot any more */
	madvise(m->code, (size_t)m->ncode * sizeof(*m->code), MADV_DONTNEED);
	m->code_used = 0;
}

struct slot *code_slots(struct machine *m, struct cpu *self, uint8_t *mem)
{
	uint64_t frame = frame_of_page(m, mem);
	uint32_t n = atomic_load_explicit(&m->frames[frame].code, memory_order_acquire);
	struct code_page *page;

	if (n)
		return m->code[n - 1].slots;
	/* A CPU that waits for the lock must not hold up one that evicts under it. */
	while (pthread_mutex_trylock(&m->code_lock) != 0)
		revoke_answer(self);
	n = atomic_load(&m->frames[frame].code);
	if (!n) {
		if (m->code_used == m->ncode)
			evict_all(m, self);
		n = ++m->code_used;
		page = &m->code[n - 1];
		page->frame = (uint32_t)frame;
		page->mem = mem;
		page->end.fn = slot_fn_of(page_end);
		atomic_store(&m->frames[frame].code, n);
		/* Stores to the frame must become slow: rights to write it are taken away. */
		revoke_all(m, self);
	}
	pthread_mutex_unlock(&m->code_lock);
	return m->code[n - 1].slots;
}

void code_written(struct machine *m, uint64_t frame, uint32_t off, uint32_t len)
{
	uint32_t n = atomic_load_explicit(&m->frames[frame].code, memory_order_acquire);
	uint32_t first, last;
	struct slot *slots;

	if (!n || !len)
		return;
	slots = m->code[n - 1].slots;
	/* An instruction of up to six bytes may begin up to four bytes before. */
	first = off / 2 >= 2 ? off / 2 - 2 : 0;
	last = (off + len - 1) / 2;
	for (uint32_t i = first; i <= last; i++)
		if (__atomic_load_n(&slots[i].fn, __ATOMIC_RELAXED))
			__atomic_store_n(&slots[i].fn, 0, __ATOMIC_RELEASE);
}

void code_moved(struct machine *m, uint64_t frame, uint8_t *mem)
{
	uint32_t n = atomic_load(&m->frames[frame].code);

	if (!n)
		return;
	code_written(m, frame, 0, FRAME_BYTES);
	m->code[n - 1].mem = mem;
}
