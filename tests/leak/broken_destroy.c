// SPDX-License-Identifier: MIT
/*
 * An Ultravisor that gives the pages of a destroyed guest back as they are. Linked with
 * --wrap=uv_pages_release; leakcheck must find them.
 */
#include <string.h>

#include "uv_priv.h"

void __real_uv_pages_release(struct uv_config *c, struct cpu *self, bool orphan);
void __wrap_uv_pages_release(struct uv_config *c, struct cpu *self, bool orphan);

void __wrap_uv_pages_release(struct uv_config *c, struct cpu *self, bool orphan)
{
	struct machine *m = c->uv->m;
	struct uv_page *p;

	for (uint64_t page = 0; (p = uv_page(c, page)); page++) {
		if (p->state != PAGE_RESIDENT || p->shared)
			continue;
		frame_seize(m, self, p->frame, 1);
		memcpy(frame_host_page(m, p->frame), frame_secure_page(m, p->frame), FRAME_BYTES);
		frame_give(m, p->frame, (struct frame_info){ .state = FRAME_HOST });
		*p = (struct uv_page){ .state = PAGE_FRESH };
	}
	__real_uv_pages_release(c, self, orphan);
}
