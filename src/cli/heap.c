// SPDX-License-Identifier: MIT
/*
 * Blocks of powers of two out of chunks, free ones on a list for each size; large ones are mapped.
 * libcrypto takes its functions for the whole process, so this state is the process's, too.
 */
#define _GNU_SOURCE
#include "heap.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#define CHUNK_BYTES (1u << 20)
#define MIN_SHIFT   5u
#define MAX_SHIFT   16u

/* In front of what the caller gets, which has malloc()'s alignment. */
struct block {
	size_t bytes; /* with this */
	struct block *next;
};
static_assert(sizeof(struct block) % 16 == 0, "alignment");

static struct {
	pthread_mutex_t lock;
	struct block *free[MAX_SHIFT + 1];
	uint8_t *chunk; /* what is left of the last one */
	size_t left;
} heap = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void *map(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	if (madvise(p, bytes, MADV_DONTDUMP) == 0)
		return p;
	munmap(p, bytes);
	return NULL;
}

/* Of 2^shift bytes. The rest of a chunk that is too short is lost. */
static struct block *take(unsigned int shift)
{
	size_t bytes = (size_t)1 << shift;
	struct block *b = heap.free[shift];

	if (b) {
		heap.free[shift] = b->next;
		return b;
	}
	if (heap.left < bytes) {
		uint8_t *chunk = map(CHUNK_BYTES);

		if (!chunk)
			return NULL;
		heap.chunk = chunk;
		heap.left = CHUNK_BYTES;
	}
	b = (struct block *)(void *)heap.chunk;
	b->bytes = bytes;
	heap.chunk += bytes;
	heap.left -= bytes;
	return b;
}

static void *heap_alloc(size_t len, const char *file, int line)
{
	unsigned int shift = MIN_SHIFT;
	struct block *b;
	size_t bytes;

	(void)file;
	(void)line;
	if (!len || __builtin_add_overflow(len, sizeof(*b), &bytes))
		return NULL;
	if (bytes > (size_t)1 << MAX_SHIFT) {
		b = map(bytes);
		if (!b)
			return NULL;
		b->bytes = bytes;
		return b + 1;
	}
	while ((size_t)1 << shift < bytes)
		shift++;
	pthread_mutex_lock(&heap.lock);
	b = take(shift);
	pthread_mutex_unlock(&heap.lock);
	return b ? b + 1 : NULL;
}

static void heap_free(void *p, const char *file, int line)
{
	struct block *b;
	unsigned int shift;

	(void)file;
	(void)line;
	if (!p)
		return;
	b = (struct block *)p - 1;
	OPENSSL_cleanse(p, b->bytes - sizeof(*b));
	if (b->bytes > (size_t)1 << MAX_SHIFT) {
		munmap(b, b->bytes);
		return;
	}
	shift = (unsigned int)__builtin_ctzll(b->bytes);
	pthread_mutex_lock(&heap.lock);
	b->next = heap.free[shift];
	heap.free[shift] = b;
	pthread_mutex_unlock(&heap.lock);
}

static void *heap_resize(void *p, size_t len, const char *file, int line)
{
	size_t room;
	void *to;

	if (!p)
		return heap_alloc(len, file, line);
	if (!len) {
		heap_free(p, file, line);
		return NULL;
	}
	room = ((const struct block *)p - 1)->bytes - sizeof(struct block);
	to = heap_alloc(len, file, line);
	if (!to)
		return NULL;
	memcpy(to, p, len < room ? len : room);
	heap_free(p, file, line);
	return to;
}

bool heap_install(void)
{
	return CRYPTO_set_mem_functions(heap_alloc, heap_resize, heap_free) == 1;
}
