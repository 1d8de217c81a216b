/* SPDX-License-Identifier: MIT */
/*
 * libcrypto's memory: left out of core dumps and cleansed when it is freed. It holds key schedules and
 * private numbers in places that only libcrypto knows.
 */
#ifndef CLI_HEAP_H
#define CLI_HEAP_H

#include <stdbool.h>

#include "compiler.h"

/* Before libcrypto has allocated anything. False: too late, nothing has changed. */
bool heap_install(void) MUST_CHECK;

#endif
