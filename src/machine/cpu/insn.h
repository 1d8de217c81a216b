/* SPDX-License-Identifier: MIT */
/*
 * The instruction table: the one place that knows opcodes. Decoder, dispatch, trace, facility and
 * privilege checks and the coverage report derive from it.
 *
 * insn.def includes one file a chapter. A row:
 *
 *     INSN(opcode, "mnemonic", format, facility, flags, handler)
 *
 * opcode: all opcode bits in the order of the instruction, as people write them: 0x1a, 0xa70a
 * (RI: second digit of byte 1), 0xb904, 0xc00b (RIL), 0xe304 (bytes 0 and 5), 0xec64, 0xe548.
 */
#ifndef MACHINE_CPU_INSN_H
#define MACHINE_CPU_INSN_H

#include <stdint.h>

#include "handler.h"

enum insn_format {
	FMT_E,
	FMT_I,
	FMT_RR,
	FMT_RRE,
	FMT_RRF,
	FMT_RRD,
	FMT_RX,
	FMT_RXY,
	FMT_RXE,
	FMT_RXF,
	FMT_RS,
	FMT_RSY,
	FMT_RSI,
	FMT_RI_a,
	FMT_RI_b,
	FMT_RI_c,
	FMT_RIL_a,
	FMT_RIL_b,
	FMT_RIL_c,
	FMT_RIE_a,
	FMT_RIE_b,
	FMT_RIE_c,
	FMT_RIE_d,
	FMT_RIE_e,
	FMT_RIE_f,
	FMT_RIE_g,
	FMT_RIS,
	FMT_RRS,
	FMT_S,
	FMT_SI,
	FMT_SIY,
	FMT_SIL,
	FMT_SS,
	FMT_SSE,
	FMT_SSF,
	FMT_VRX,
	FMT_VRS_a,
};

/* Facility numbers; FAC_BASE is always there. */
#define FAC_BASE 0
#define FAC_UVC	 158 /* Ultravisor call: installed with an Ultravisor */

enum insn_flags {
	PRIV = 1,	/* privileged-operation exception in the problem state */
	AFP = 2,	/* BFP: CR0.45 must be one, else data exception with DXC 2 */
	SIE_ALWAYS = 4, /* instruction interception whenever a guest of format 2 executes it */
	SIE_COND = 8,	/* sie_intercepts() decides by the state description */
	EVEN_R1 = 16,
	EVEN_R2 = 32,
	EVEN_R3 = 64, /* odd: specification exception */
	FP_PAIR_R1 = 128,
	FP_PAIR_R2 = 256, /* 128-bit BFP register: 0,1,4,5,8,9,12,13 else 6 */
};

struct insn {
	uint16_t opcode;
	uint16_t facility;
	uint16_t flags;
	uint8_t format;
	const char *mnemonic;
	handler_fn *fn; /* with the checks of flags */
};

/* All installed instructions; the last has mnemonic NULL. */
extern const struct insn insn_table[];

/* The row of an instruction, or NULL: operation exception. Reads as many of the bytes as needed. */
const struct insn *insn_find(const uint8_t bytes[6]);

/* The opcode bits of a row in their places, and zeros where fields are. */
void insn_encode(const struct insn *insn, uint8_t out[6]);

/* 2, 4 or 6, by the first byte. */
static inline unsigned int insn_length(uint8_t first)
{
	return first < 0x40 ? 2 : first < 0xc0 ? 4 : 6;
}

/* True when the model has the facility (machine.md section 1.1, model P). */
bool facility_installed(unsigned int bit);

/* Fills a slot's operand fields. */
void insn_decode(const struct insn *insn, const uint8_t bytes[6], struct slot *out);

#endif
