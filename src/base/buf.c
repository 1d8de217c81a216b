// SPDX-License-Identifier: MIT
/*
 * A growable byte buffer.
 */
#include "buf.h"

#include <stdlib.h>
#include <string.h>

#include "err.h"

void buf_free(struct buf *b)
{
	free(b->data);
	*b = (struct buf)BUF_INIT;
}

uint8_t *buf_extend(struct buf *b, size_t len)
{
	if (len > SIZE_MAX / 2 - b->len)
		return NULL;
	if (!b->data || b->len + len > b->room) {
		size_t room = (b->len + len) * 2 > 256 ? (b->len + len) * 2 : 256;
		uint8_t *data = realloc(b->data, room);

		if (!data)
			return NULL;
		b->data = data;
		b->room = room;
	}
	b->len += len;
	return b->data + b->len - len;
}

int buf_append(struct buf *b, const void *data, size_t len, struct zpv_err *err)
{
	uint8_t *to = buf_extend(b, len);

	if (!to)
		return err_set(err, ZPV_ERR_NOMEM, "no memory for %zu bytes", len);
	if (len)
		memcpy(to, data, len);
	return 0;
}
