/* SPDX-License-Identifier: MIT */
/*
 * The memory functions that we and a freestanding gcc call.
 */
#ifndef LOADER_MEM_H
#define LOADER_MEM_H

#include <stddef.h>

void *memcpy(void *dst, const void *src, size_t len);
void *memmove(void *dst, const void *src, size_t len);
void *memset(void *dst, int byte, size_t len);

#endif
