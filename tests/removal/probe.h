/* SPDX-License-Identifier: MIT */
/*
 * What the tests of this folder share: a VM that runs a sealed image as zpv run does, the parts of
 * that image, and looks at both stores of the machine.
 *
 * A finding is printed as a line that begins with FAIL; the run goes on.
 */
#ifndef TESTS_REMOVAL_PROBE_H
#define TESTS_REMOVAL_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zpv/error.h>

#include "buf.h"
#include "compiler.h"
#include "machine_priv.h"
#include "uvcb.h"
#include "vm.h"

#define MIB	     (1ull << 20)
#define MAX_PARTS    32u
#define MAX_FINDINGS 4u /* of a kind, that are printed */
#define MAX_KINDS    32u

/* A part of the image, or of its loader: of the guest's memory. Of whole pages. */
struct part {
	char name[40];
	uint64_t addr, size;
	bool unpacked; /* UNPACK is expected to take it */
};

struct parts {
	struct part part[MAX_PARTS];
	size_t n;
};

struct probe {
	struct vm *vm;
	haddr_t uvcb; /* a page for control blocks */
	struct parts parts;
	struct buf image;
	unsigned int findings;
	struct {
		const char *fmt;
		unsigned int n;
	} kinds[MAX_KINDS];
	unsigned char *resident; /* by frame: pages of a store that exist */
};

/* What a program makes of a run, and the words that all of them understand. */
struct probe_job {
	const char *host, *image, *parts;
	uint64_t memory;
	void (*after_sie)(void *arg, struct vm *vm);
	void *arg;
	/* The VM has ended and is still there. */
	void (*ended)(void *arg);
};

/* Return: exit status: 0; 1 trouble; 3 findings. */
int probe_run(struct probe *p, const struct probe_job *job);

PRINTF_LIKE(2, 3) void finding(struct probe *p, const char *fmt, ...);

const struct part *probe_part(const struct probe *p, const char *name);
/* The part that has a byte of the page; NULL: none. */
const struct part *probe_part_at(const struct probe *p, uint64_t gaddr);

/* Host frame of a guest page. False: it has none. */
bool probe_frame(struct probe *p, uint64_t gaddr, uint64_t *frame);
/* Executes an Ultravisor call as the VM's host CPU. Return: rc; 0 after a finding. */
uint16_t probe_call(struct probe *p, enum uv_command cmd, void *block, size_t len);

/* The guest's state description. */
bool probe_scb(struct probe *p, struct scb_page *out);

bool is_zero(const uint8_t *page);
/* How often 16 bytes are in a page, at any address. */
unsigned int count_pattern(const uint8_t *page, const uint8_t pattern[16]);

/* Which frames of a store can hold anything but zeros; the frames that were handed out always. */
void probe_resident(struct probe *p, const uint8_t *store);

#endif
