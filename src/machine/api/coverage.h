/* SPDX-License-Identifier: MIT */
/*
 * What the machine has: every instruction that it executes, and those that it knows of and does
 * not execute.
 */
#ifndef MACHINE_API_COVERAGE_H
#define MACHINE_API_COVERAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct machine_insn {
	uint16_t opcode; /* as people write it: 0x1a, 0xa70a, 0xe304 */
	const char *mnemonic;
	const char *format; /* of the PoP, without suffixes where they do not matter; NULL: absent */
	const char *chapter;   /* NULL: absent */
	const char *why;       /* absent: "facility 129", "HFP"; else NULL */
	unsigned int facility; /* that it belongs to, 0: base; absent: 0 when why tells */
	bool installed;	       /* false: operation exception */
};

/* Row i of all; false behind the last one. */
bool machine_insn(size_t i, struct machine_insn *out);

struct machine_facility {
	unsigned int bit;
	const char *name;
	bool installed;
};

/* Facility i in the order of their bits; false behind the last one that is known. */
bool machine_facility(size_t i, struct machine_facility *out);

#endif
