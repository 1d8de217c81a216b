// SPDX-License-Identifier: MIT
/*
 * What the hypervisor can see: searching all of the machine's storage that it may read, which is every
 * state description, control block and guest page that is not secure, and the ciphertext of those
 * that were exported.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "machine.h"
#include "vm.h"

#define PIECE_BYTES 4096u

/* Occurrences in a buffer; those that overlap count. */
static uint64_t count(const uint8_t *buf, size_t len, const char *text, size_t n)
{
	const uint8_t *at = buf, *end = buf + len;
	uint64_t found = 0;

	while ((size_t)(end - at) >= n && (at = memmem(at, (size_t)(end - at), text, n))) {
		found++;
		at++;
	}
	return found;
}

/* Frames from one address to another. buf has room for a text of n - 1 bytes and a frame. */
static void search(struct vm *vm, uint64_t from, uint64_t to, const char *text, uint8_t *buf,
		   struct vm_found *out)
{
	size_t n = strlen(text), kept = 0, have;

	for (uint64_t at = from; at < to; at += PIECE_BYTES) {
		if (storage_read(vm->m, (haddr_t){ at }, buf + kept, PIECE_BYTES).code) {
			out->hidden++;
			kept = 0;
			continue;
		}
		out->readable++;
		have = kept + PIECE_BYTES;
		out->times += count(buf, have, text, n);
		kept = n - 1 < have ? n - 1 : have;
		memmove(buf, buf + have - kept, kept);
	}
}

/* Frames that were never handed out hold nothing. */
bool vm_find(struct vm *vm, const char *text, struct vm_found *out)
{
	uint8_t *buf = *text ? malloc(strlen(text) + PIECE_BYTES) : NULL;

	*out = (struct vm_found){ 0 };
	if (!buf)
		return false;
	search(vm, 0, vm->low.next, text, buf, out);
	search(vm, vm->low.end, vm->high.next, text, buf, out);
	free(buf);
	return true;
}
