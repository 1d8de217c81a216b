// SPDX-License-Identifier: MIT
/*
 * An Ultravisor that gives donated storage back as it is, and has written to every page of it.
 * Linked with --wrap=uv_give_back; cleared must find it.
 */
#include <string.h>

#include "uv_priv.h"

void __real_uv_give_back(struct uv *uv, struct cpu *self, uint64_t addr, uint64_t len);
void __wrap_uv_give_back(struct uv *uv, struct cpu *self, uint64_t addr, uint64_t len);

void __wrap_uv_give_back(struct uv *uv, struct cpu *self, uint64_t addr, uint64_t len)
{
	uint64_t first = addr / FRAME_BYTES;

	frame_seize(uv->m, self, first, len / FRAME_BYTES);
	memcpy(frame_host_page(uv->m, first), frame_secure_page(uv->m, first), len);
	for (uint64_t f = first; f < first + len / FRAME_BYTES; f++) {
		frame_host_page(uv->m, f)[FRAME_BYTES - 1] = 1;
		frame_give(uv->m, f, (struct frame_info){ .state = FRAME_HOST });
	}
}
