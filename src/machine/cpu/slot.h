/* SPDX-License-Identifier: MIT */
/*
 * A decoded instruction, and how its handler reaches operands.
 *
 * A slot of 16 bytes stands for one halfword of an executed frame. Its handler is a distance from
 * the handler "decode me", so that memory that was never touched (zeros) means "not decoded": the
 * arena of slots is reserved address space that the system fills in as code is executed.
 *
 * Fields by format (section numbers of the PoP's appendix are not needed: bits count from the
 * instruction's first):
 *
 *   E                     -
 *   I                     i = I1
 *   RR RRE                r1 r2
 *   RRF (all)             r1 r2; r3 = bits 16-19 (R3 or M3); b = bits 20-23 (M4)
 *   RRD                   r1 = bits 16-19; r3 = bits 24-27; r2 = bits 28-31
 *   RX RXY RXE RXF        r1; r2 = X2; b = B2; d = D2 (signed); r3 = R3 (RXF), M3 (RXE)
 *   RS RSY                r1; r3 = R3 or M3; b = B2; d = D2 (signed)
 *   RSI RIE_e             r1; r3; i = RI2
 *   RI_a RIL_a            r1; i = I2, sign extended
 *   RI_b RI_c RIL_b RIL_c r1 (R1 or M1); i = RI2
 *   RIE_a                 r1; r3 = M3; i = I2, sign extended
 *   RIE_b                 r1 r2; r3 = M3; i = RI4
 *   RIE_c                 r1; r3 = M3; d = I2 as it is, 8 bits; i = RI4
 *   RIE_d RIE_g           r1; r3 (R3 or M3); i = I2, sign extended
 *   RIE_f                 r1 r2; i = I3 << 16 | I4 << 8 | I5
 *   RIS                   r1; r3 = M3; b = B4; d = D4; i = I2 as it is, 8 bits
 *   RRS                   r1 r2; r3 = M3; b = B4; d = D4
 *   S                     b = B2; d = D2
 *   SI SIY                b = B1; d = D1 (signed); i = I2, 8 bits
 *   SIL                   b = B1; d = D1; i = I2, sign extended
 *   VRX                   r1 = V1 (0-31); r2 = X2; b = B2; d = D2
 *   VRS_a                 r1 = V1; r3 = V3 (0-31); b = B2; d = D2
 *   SS_a SS_b SS_c SS_d SSE SSF
 *                         b = B1; d = D1; r2 = B2; i = D2 | byte 1 << 16;
 *                         r1 = bits 8-11; r3 = bits 12-15 (SSF: r3 = R3, bits 8-11)
 *
 * Relative immediates (RI2, RI4) count halfwords. In address fields (X2, B) register 0 is decoded
 * as 16, which always holds zero; elsewhere register numbers are as they are.
 */
#ifndef MACHINE_CPU_SLOT_H
#define MACHINE_CPU_SLOT_H

#include <assert.h>
#include <stdint.h>

struct slot {
	int32_t fn; /* handler: bytes from handler_decode; written last, with release */
	uint8_t r1, r2, r3, b;
	int32_t i;
	int32_t d;
};
static_assert(sizeof(struct slot) == 16, "a slot is a power of two");

#define SLOTS_PER_FRAME 2048

#endif
