/* SPDX-License-Identifier: MIT */
/*
 * The guest's console: where its text goes, and where its input comes from.
 */
#ifndef HYPERVISOR_CONSOLE_H
#define HYPERVISOR_CONSOLE_H

#include <stddef.h>
#include <stdint.h>

struct console {
	/* Text of the guest, on a virtual CPU's thread. Bytes as they are. */
	void (*output)(void *ctx, const uint8_t *data, size_t len);
	void *ctx;
};

#endif
