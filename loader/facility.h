/* SPDX-License-Identifier: MIT */
/*
 * Facility list of the CPU.
 */
#ifndef LOADER_FACILITY_H
#define LOADER_FACILITY_H

#include <stdbool.h>

#define FACILITY_UNPACK 161

/* Is facility bit @nr, counted from the left, one? */
bool facility_installed(unsigned int nr);

#endif
