/* SPDX-License-Identifier: MIT */
/*
 * What DIAGNOSE 308 subcodes 8 and 10 answered, in words.
 */
#ifndef LOADER_PV_ERROR_H
#define LOADER_PV_ERROR_H

#include <stdint.h>

/* The response to subcode 10; rc, rrc and cmd are zero where no Ultravisor call failed. */
struct pv_response {
	uint16_t diag; /* enum diag308_code */
	uint16_t rc;   /* response code of the Ultravisor call */
	uint16_t rrc;  /* its reason code */
	uint16_t cmd;  /* enum pv_cmd */
};

enum diag308_code {
	DIAG308_PROGRAM_CHECK = 0, /* not a response: diag308() returns it */
	DIAG308_OK = 0x0001,
	DIAG308_INVALID_PARAMETER = 0x0402,
	DIAG308_NO_PV_CONFIGURATION = 0x0902,
	DIAG308_INVALID_FOR_PV = 0x0a02,
};

enum pv_cmd {
	PV_CMD_SET_SEC_PARMS = 2,
	PV_CMD_UNPACK = 3,
	PV_CMD_VERIFY = 4,
};

/* Each line has at most 80 characters; @hint is NULL where there is no good advice. */
struct pv_error {
	const char *what;
	const char *hint;
};

struct pv_response pv_response_decode(uint64_t gr1);

/* Name of a command as in the hypervisor's log, "UNKNOWN" for others */
const char *pv_cmd_name(uint16_t cmd);

/* Why subcode 8 (set the IPL parameter block) failed */
struct pv_error pv_setup_explain(uint64_t code);

/* Why subcode 10 (start protected mode) failed */
struct pv_error pv_start_explain(struct pv_response response);

#endif
