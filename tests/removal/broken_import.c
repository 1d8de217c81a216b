// SPDX-License-Identifier: MIT
/*
 * An Ultravisor that lets a guest see what the host had in a page that it touches first. Linked
 * with --wrap=uv_import; first_touch must find it.
 */
#include <string.h>

#include "uv_priv.h"

uint16_t __real_uv_import(struct uv_op *op);
uint16_t __wrap_uv_import(struct uv_op *op);

uint16_t __wrap_uv_import(struct uv_op *op)
{
	struct uv_config *c = op->config;
	uint64_t page = (be64_get(op->block.gpage.gaddr) - c->origin) / FRAME_BYTES;
	struct uv_page *p = uv_page(c, page);
	bool fresh = p && p->state == PAGE_FRESH;
	uint16_t rc = __real_uv_import(op);

	if (rc == UV_RC_EXECUTED && fresh)
		memcpy(frame_secure_page(c->uv->m, p->frame), frame_host_page(c->uv->m, p->frame),
		       FRAME_BYTES);
	return rc;
}
