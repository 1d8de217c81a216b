/* SPDX-License-Identifier: MIT */
/*
 * Taking a dump of the guest: an ELF core file, encrypted by the Ultravisor when the guest is
 * protected (pv-dump.md sections 4 and 12).
 *
 * It goes in three steps, so that the guest stands still only for the second one: making the file,
 * taking what is the guest's, and making the file appear under its name.
 */
#ifndef HYPERVISOR_DUMP_H
#define HYPERVISOR_DUMP_H

#include <stdbool.h>
#include <stdint.h>

#include <zpv/log.h>

#include "compiler.h"

struct dump;
struct vm;
struct zpv_err;

struct dump_spec {
	const char *path;
	bool overwrite;
	/* May be NULL; called on the CPU's thread, and before the file gets its name on the caller's. */
	const struct zpv_progress *progress;
};

struct dump_report {
	bool is_protected;
	unsigned int cpus;
	uint64_t memory_bytes; /* of the guest */
	uint64_t stored_bytes; /* of it that is not left out as zeros */
	uint64_t file_bytes;   /* from begin to end, holes too */
	uint64_t pause_ns;     /* the guest stood still for so long */
	uint64_t total_ns;
};

/*
 * Makes the file, under a temporary name. Any thread. Return: 0; -ZPV_ERR_EXISTS; -ZPV_ERR_IO;
 * -ZPV_ERR_NOMEM.
 */
int dump_open(struct vm *vm, const struct dump_spec *spec, struct dump **out, struct zpv_err *err)
	MUST_CHECK;

/*
 * Fills it, on the CPU's thread outside of SIE. Whatever comes of it, the guest can go on. Return: 0;
 * -ZPV_ERR_FORMAT the Ultravisor refused; -ZPV_ERR_IO; -ZPV_ERR_NOMEM; -ZPV_ERR_CANCELLED.
 */
int dump_take(struct dump *d, struct zpv_err *err) MUST_CHECK;

/* Syncs and names it. Any thread. Return: 0; -ZPV_ERR_EXISTS; -ZPV_ERR_IO; -ZPV_ERR_CANCELLED. */
int dump_finish(struct dump *d, struct dump_report *out, struct zpv_err *err) MUST_CHECK;

/* Removes what was not finished. */
void dump_free(struct dump *d);
DEFINE_AUTO(dump)

#endif
