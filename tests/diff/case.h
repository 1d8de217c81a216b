/* SPDX-License-Identifier: MIT */
/*
 * What the differential tester and its runner on s390x exchange: cases and results.
 *
 * On the wire all numbers are big-endian: the runner uses the structures as they are, the host
 * swaps the leading doublewords and the words behind them.
 *
 * Address space, the same on both sides and below 16 MiB, so that each addressing mode works:
 *
 *   DIFF_CODE    code slots, one for each case of a batch; may be fetched and read
 *   DIFF_DATA_A  two pages that may be read and written; unmapped on both sides of them
 *   DIFF_DATA_B  the same once more
 *   DIFF_RO      a page that may only be read
 *   DIFF_END     32 entries of 16 bytes: where a case ends. Its number is part of the result
 */
#ifndef TESTS_DIFF_CASE_H
#define TESTS_DIFF_CASE_H

#define DIFF_CODE	0x00500000
#define DIFF_CODE_BYTES 0x00020000
#define DIFF_DATA_A	0x00601000
#define DIFF_DATA_B	0x00611000
#define DIFF_RO		0x00621000
#define DIFF_END	0x00700000
#define DIFF_ENDS	32
#define DIFF_WINDOW	0x2000
#define DIFF_RO_BYTES	0x1000

/* Slots are not a multiple of 4 bytes, so that instructions cross pages in every way. */
#define DIFF_SLOT	 258
#define DIFF_SLOT_STRIDE 258
#define DIFF_BATCH	 256
/* In a slot: the instruction follows LMG R0,R15,0(R1), which loads its registers. */
#define DIFF_START	 0x60
#define DIFF_LMG	 (DIFF_START - 6)
#define DIFF_PADS_BELOW	 14 /* entries 1 to 14: branches to their ends, from offset 0 */
#define DIFF_PADS_ABOVE	 16 /* entries 15 to 30, from offset 0x80 */
#define DIFF_PAD_ABOVE	 0x80
#define DIFF_TARGET	 0xe0 /* of EX and EXRL */
#define DIFF_PATCHES	 3
#define DIFF_PATCH_BYTES 320

#ifndef __ASSEMBLER__
#include <stdint.h>

struct diff_case {
	uint64_t gr[16], fpr[16];
	uint64_t at; /* the slot */
	uint64_t patch_at[DIFF_PATCHES];
	uint32_t ar[16];
	uint32_t fpc;
	uint32_t cc_pm; /* as IPM stores it: bits 2-3 CC, 4-7 program mask */
	uint32_t patch_len[DIFF_PATCHES];
	uint32_t pad;
	uint8_t code[DIFF_SLOT];
	uint8_t patch[DIFF_PATCHES][DIFF_PATCH_BYTES];
	uint8_t pad2[6];
};
#define DIFF_CASE_U64 (16 + 16 + 1 + DIFF_PATCHES)
#define DIFF_CASE_U32 (16 + 2 + DIFF_PATCHES + 1)

#define DIFF_NO_END 0xffffffffu

struct diff_result {
	uint64_t gr[16], fpr[16];
	uint64_t psw_addr; /* when a signal ended the case */
	uint32_t ar[16];
	uint32_t fpc;
	uint32_t cc_pm;
	uint32_t mode;	/* addressing mode: CC of TAM */
	uint32_t end;	/* number of the end, or DIFF_NO_END */
	uint32_t sig;	/* signal number, 0: none */
	uint32_t code;	/* its si_code */
	uint32_t words; /* so many struct diff_word follow: what differs from the background */
	uint32_t pad;
};
#define DIFF_RESULT_U64 (16 + 16 + 1)
#define DIFF_RESULT_U32 (16 + 8)

struct diff_word {
	uint64_t at, value;
};
#define DIFF_MAX_WORDS (2 * DIFF_WINDOW / 8)

/* What storage holds before a case patches it. */
static inline uint64_t diff_background(uint64_t at)
{
	uint64_t v = at * 0x9e3779b97f4a7c15ull;

	v = (v ^ v >> 29) * 0xbf58476d1ce4e5b9ull;
	return v ^ v >> 32;
}
#endif
#endif
