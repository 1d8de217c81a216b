/* SPDX-License-Identifier: MIT */
/*
 * SIGNAL PROCESSOR: order codes, status bits, and which bits of the parameter are an address
 * (PoP chapter 4, "CPU Signaling and Response"; machine.md section 6).
 */
#ifndef FORMATS_SIGP_ORDER_H
#define FORMATS_SIGP_ORDER_H

enum sigp_order {
	SIGP_SENSE = 1,
	SIGP_EXTERNAL_CALL = 2,
	SIGP_EMERGENCY = 3,
	SIGP_START = 4,
	SIGP_STOP = 5,
	SIGP_RESTART = 6,
	SIGP_STOP_STORE_STATUS = 9,
	SIGP_INITIAL_RESET = 11,
	SIGP_RESET = 12,
	SIGP_SET_PREFIX = 13,
	SIGP_STORE_STATUS = 14,
	SIGP_SET_ARCHITECTURE = 18,
	SIGP_COND_EMERGENCY = 19,
	SIGP_SENSE_RUNNING = 21,
};

/* Stored with condition code 1 */
#define SIGP_STATUS_INVALID_ORDER   0x002u
#define SIGP_STATUS_CHECK_STOP	    0x010u
#define SIGP_STATUS_STOPPED	    0x040u
#define SIGP_STATUS_CALL_PENDING    0x080u
#define SIGP_STATUS_PARAMETER	    0x100u
#define SIGP_STATUS_INCORRECT_STATE 0x200u
#define SIGP_STATUS_NOT_RUNNING	    0x400u

/* Addresses in the parameter: of set prefix, of store status */
#define SIGP_PREFIX_ADDR 0x7fffe000u
#define SIGP_STATUS_ADDR 0x7ffffe00u

#endif
