/* SPDX-License-Identifier: MIT */
/*
 * What a converted dump consists of. A format makes a plan; convert.c carries it out.
 */
#ifndef DUMP_CONVERT_PRIV_H
#define DUMP_CONVERT_PRIV_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "compiler.h"

struct zpv_dump;
struct zpv_err;

/* Guest storage from addr on, at offset out of the output. */
struct plan_piece {
	uint64_t out, addr, len;
};

#define PLAN_PATCH_MAX 512

/* Bytes that take the place of those in storage. */
struct plan_patch {
	uint64_t addr;
	size_t len;
	uint8_t data[PLAN_PATCH_MAX];
};

/* The output is the head, the pieces one behind the other, and the tail. */
struct plan {
	struct buf head, tail;
	struct plan_piece *pieces;
	size_t npieces;
	struct plan_patch *patches;
	size_t npatches, patch_room;
	uint64_t memory; /* bytes of all pieces */
};

/* Fill an empty plan; on failure the caller frees what is there. The dump is unlocked. */
int plan_elf(struct zpv_dump *d, struct plan *p, struct zpv_err *err) MUST_CHECK;
int plan_s390(struct zpv_dump *d, struct plan *p, struct zpv_err *err) MUST_CHECK;

/* Pieces must be added in the order of the output, when the head is complete. */
int plan_add_piece(struct plan *p, uint64_t addr, uint64_t len, struct zpv_err *err) MUST_CHECK;
int plan_add_patch(struct plan *p, uint64_t addr, const void *data, size_t len, struct zpv_err *err)
	MUST_CHECK;
void plan_free(struct plan *p);

#endif
