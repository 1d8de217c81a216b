/* SPDX-License-Identifier: MIT */
/*
 * What the targets that run machine code share: inputs that are used up from the front, small
 * machines whose stores lie between inaccessible pages, and an end to what would run for ever.
 */
#ifndef FUZZ_MACHINE_INPUT_H
#define FUZZ_MACHINE_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fuzz.h"

struct machine;

/* What is left of an input; zeros follow it. */
struct fuzz_bytes {
	const uint8_t *p;
	size_t len;
};

void fuzz_take(struct fuzz_bytes *in, void *to, size_t len);
uint8_t fuzz_take8(struct fuzz_bytes *in);
uint16_t fuzz_take16(struct fuzz_bytes *in);
uint64_t fuzz_take64(struct fuzz_bytes *in);

/* Stores records of be32 absolute address, be16 length and bytes: all that is left. */
void fuzz_store_records(struct machine *m, struct fuzz_bytes *in);
/* Fills storage with a repeated pattern: be32 address, be16 repetitions, 8 bytes. */
void fuzz_store_pattern(struct machine *m, struct fuzz_bytes *in);

/*
 * A machine that a stray access of the host to its stores, frame table or decode cache cannot
 * leave unnoticed. The secure store is not accessible at all: no frame is secure.
 */
#define FUZZ_CODE_PAGES 24 /* of the decode cache: few, so that it is emptied often */

struct machine *fuzz_machine_new(uint64_t bytes, unsigned int cpus);
void fuzz_machine_free(struct machine *m);

/*
 * Calls kick(arg) on another thread after FUZZ_KICK_MS, unless fuzz_kick_end() comes before. Traps
 * when that does not come soon after the kick.
 */
#define FUZZ_KICK_MS 8

void fuzz_kick_begin(void (*kick)(void *arg), void *arg);
void fuzz_kick_after(unsigned int ms, void (*kick)(void *arg), void *arg);
void fuzz_kick_end(void);

#endif
