/* SPDX-License-Identifier: MIT */
/*
 * What both loaders do first.
 */
#ifndef LOADER_SETUP_H
#define LOADER_SETUP_H

/* Let program interruptions reach program_check(). */
void setup_program_check(void);

#endif
