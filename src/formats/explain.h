/* SPDX-License-Identifier: MIT */
/*
 * What the codes mean that a user of Secure Execution can meet: one table for messages and for
 * `zpv explain`.
 */
#ifndef FORMATS_EXPLAIN_H
#define FORMATS_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum explain_kind {
	EXPLAIN_UV,	  /* rc of an Ultravisor call; command 0: of every call */
	EXPLAIN_DIAG308,  /* response code of DIAGNOSE 308 */
	EXPLAIN_VALIDITY, /* reason of a validity interception of SIE */
	EXPLAIN_WAIT,	  /* address of a disabled wait PSW */
	EXPLAIN_ICPT,	  /* interception code */
	EXPLAIN_PROGRAM,  /* program interruption code */
	EXPLAIN_KINDS,
};

#define EXPLAIN_ANY_RRC (-1)

struct explanation {
	enum explain_kind kind;
	uint16_t command; /* EXPLAIN_UV: enum uv_command */
	int rrc;	  /* EXPLAIN_UV: or EXPLAIN_ANY_RRC */
	uint64_t code;
	const char *name; /* short */
	const char *text; /* what it means and what to do; sentences */
};

/* The table; the last has text NULL. */
extern const struct explanation explanations[];

/* "Ultravisor call", "DIAGNOSE 308 response", ... */
const char *explain_kind_name(enum explain_kind kind);
/* "SET SECURE CONFIGURATION PARAMETERS", or NULL. */
const char *explain_command_name(uint16_t command);

/* The best match: command and rrc first, then any rrc, then the codes of every call; or NULL. */
const struct explanation *explain_uv(uint16_t command, uint16_t rc, uint16_t rrc);
const struct explanation *explain_find(enum explain_kind kind, uint64_t code);

#endif
