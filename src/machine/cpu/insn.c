// SPDX-License-Identifier: MIT
/*
 * Finding and decoding instructions, and the facilities that decide which exist.
 */
#include "insn.h"

#include "machine_priv.h"

#include <pthread.h>
#include <string.h>

/* Facilities of model P (machine.md section 1.1). */
static const uint8_t installed[] = { 0,	 1,  2,	 3,  7,	 9,  18, 19, 21, 25, 27, 31,
				     32, 33, 34, 35, 37, 40, 41, 45, 52, 75, 138 };

#define FACILITY_WORDS MACHINE_FACILITY_WORDS

static uint64_t facilities[FACILITY_WORDS];

/*
 * Rows by first byte and by the byte or digit that tells instructions with the same first byte
 * apart. Both tables are made once from insn_table and never change.
 */
enum second { SECOND_NONE, SECOND_BYTE1, SECOND_DIGIT, SECOND_BYTE5 };

static uint8_t second_of[256];
static const struct insn *rows[256][256];

/* Where the rest of an opcode lies, by format. */
static enum second second_by_format(uint8_t format)
{
	switch (format) {
	case FMT_E:
	case FMT_RRE:
	case FMT_RRF:
	case FMT_RRD:
	case FMT_S:
	case FMT_SIL:
	case FMT_SSE:
		return SECOND_BYTE1;
	case FMT_RI_a:
	case FMT_RI_b:
	case FMT_RI_c:
	case FMT_RIL_a:
	case FMT_RIL_b:
	case FMT_RIL_c:
	case FMT_SSF:
		return SECOND_DIGIT;
	case FMT_RXY:
	case FMT_RXE:
	case FMT_RXF:
	case FMT_RSY:
	case FMT_SIY:
	case FMT_RIE_a:
	case FMT_RIE_b:
	case FMT_RIE_c:
	case FMT_RIE_d:
	case FMT_RIE_e:
	case FMT_RIE_f:
	case FMT_RIE_g:
	case FMT_RIS:
	case FMT_RRS:
	case FMT_VRX:
	case FMT_VRS_a:
		return SECOND_BYTE5;
	default:
		return SECOND_NONE;
	}
}

static bool facility_bit(unsigned int bit)
{
	return bit < 64 * FACILITY_WORDS && facilities[bit / 64] & BIT64(bit % 64);
}

/* First byte and selector of a row's opcode. */
static void key_of(const struct insn *insn, uint8_t *first, uint8_t *second)
{
	switch (second_by_format(insn->format)) {
	case SECOND_NONE:
		*first = (uint8_t)insn->opcode;
		*second = 0;
		break;
	case SECOND_DIGIT:
		/* People write a70a or c00b: the digit is the low one of the second byte. */
		*first = (uint8_t)(insn->opcode >> 8);
		*second = insn->opcode & 15;
		break;
	default:
		*first = (uint8_t)(insn->opcode >> 8);
		*second = (uint8_t)insn->opcode;
	}
}

void insn_encode(const struct insn *insn, uint8_t out[6])
{
	uint8_t second;

	memset(out, 0, 6);
	key_of(insn, &out[0], &second);
	out[second_by_format(insn->format) == SECOND_BYTE5 ? 5 : 1] = second;
}

static void build(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(installed); i++)
		facilities[installed[i] / 64] |= BIT64(installed[i] % 64);
	for (const struct insn *insn = insn_table; insn->mnemonic; insn++) {
		uint8_t first, second;

		key_of(insn, &first, &second);
		second_of[first] = (uint8_t)second_by_format(insn->format);
		/* Whether there is an Ultravisor is a matter of the machine: its handler looks. */
		if (facility_bit(insn->facility) || insn->facility == FAC_UVC)
			rows[first][second] = insn;
	}
}

static void build_once(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, build);
}

const struct insn *insn_find(const uint8_t b[6])
{
	build_once();
	switch ((enum second)second_of[b[0]]) {
	case SECOND_BYTE1:
		return rows[b[0]][b[1]];
	case SECOND_DIGIT:
		return rows[b[0]][b[1] & 15];
	case SECOND_BYTE5:
		return rows[b[0]][b[5]];
	default:
		return rows[b[0]][0];
	}
}

bool facility_installed(unsigned int bit)
{
	build_once();
	return facility_bit(bit);
}

uint64_t machine_facilities(const struct machine *m, unsigned int word)
{
	uint64_t uv = m->secure_ops && word == FAC_UVC / 64 ? BIT64(FAC_UVC % 64) : 0;

	build_once();
	return word < FACILITY_WORDS ? (facilities[word] & ~m->facilities_off[word]) | uv : 0;
}

/* --- Operand fields ---------------------------------------------------------------------------- */

#define HI(byte) ((uint8_t)((byte) >> 4))
#define LO(byte) ((uint8_t)((byte)&15))

/* A register in an address: 0 means none, and slot 16 of the register file is zero. */
static uint8_t addr_reg(uint8_t n)
{
	return n ? n : 16;
}

static int32_t be16_at(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

static int32_t s16_at(const uint8_t *p)
{
	return (int16_t)be16_at(p);
}

static int32_t s32_at(const uint8_t *p)
{
	return (int32_t)((uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]);
}

/* B (4 bits) and D (12 bits) at p. */
static void base_disp(struct slot *o, const uint8_t *p)
{
	o->b = addr_reg(HI(p[0]));
	o->d = be16_at(p) & 0xfff;
}

/* The same with DH at p[2]: 20 bits, signed. */
static void base_disp_long(struct slot *o, const uint8_t *p)
{
	o->b = addr_reg(HI(p[0]));
	o->d = (int32_t)(int8_t)p[2] * 4096 + (be16_at(p) & 0xfff);
}

static void decode_rr(uint8_t format, const uint8_t b[6], struct slot *o)
{
	switch (format) {
	case FMT_RR:
		o->r1 = HI(b[1]);
		o->r2 = LO(b[1]);
		return;
	case FMT_RRD:
		o->r1 = HI(b[2]);
		o->r3 = HI(b[3]);
		o->r2 = LO(b[3]);
		return;
	default: /* RRE, RRF */
		o->r3 = HI(b[2]);
		o->b = LO(b[2]);
		o->r1 = HI(b[3]);
		o->r2 = LO(b[3]);
	}
}

static void decode_storage(uint8_t format, const uint8_t b[6], struct slot *o)
{
	o->r1 = HI(b[1]);
	switch (format) {
	case FMT_RX:
	case FMT_RXE:
	case FMT_RXF:
	case FMT_RXY:
		o->r2 = addr_reg(LO(b[1]));
		o->r3 = HI(b[4]);
		if (format == FMT_RXF) {
			o->r3 = HI(b[1]);
			o->r1 = HI(b[4]);
		}
		break;
	case FMT_RS:
	case FMT_RSY:
		o->r3 = LO(b[1]);
		break;
	default: /* SI, SIY: the immediate is byte 1 */
		o->i = b[1];
		o->r1 = 0;
	}
	if (format == FMT_RXY || format == FMT_RSY || format == FMT_SIY)
		base_disp_long(o, b + 2);
	else
		base_disp(o, b + 2);
}

static void decode_rie(uint8_t format, const uint8_t b[6], struct slot *o)
{
	o->r1 = HI(b[1]);
	switch (format) {
	case FMT_RIE_a:
		o->i = s16_at(b + 2);
		o->r3 = HI(b[4]);
		break;
	case FMT_RIE_b:
		o->r2 = LO(b[1]);
		o->r3 = HI(b[4]);
		o->i = s16_at(b + 2);
		break;
	case FMT_RIE_c:
		o->r3 = LO(b[1]);
		o->i = s16_at(b + 2);
		o->d = b[4];
		break;
	case FMT_RIE_f:
		o->r2 = LO(b[1]);
		o->i = b[2] << 16 | b[3] << 8 | b[4];
		break;
	case FMT_RIS:
		o->r3 = LO(b[1]);
		base_disp(o, b + 2);
		o->i = b[4];
		break;
	case FMT_RRS:
		o->r2 = LO(b[1]);
		o->r3 = HI(b[4]);
		base_disp(o, b + 2);
		break;
	default: /* RIE_d, RIE_e, RIE_g */
		o->r3 = LO(b[1]);
		o->i = s16_at(b + 2);
	}
}

static void decode_ss(const uint8_t b[6], struct slot *o)
{
	o->r1 = HI(b[1]);
	o->r3 = LO(b[1]);
	base_disp(o, b + 2);
	o->r2 = addr_reg(HI(b[4]));
	o->i = (be16_at(b + 4) & 0xfff) | b[1] << 16;
}

/* RXB, the low digit of byte 4, holds the leftmost bits of the vector register numbers. */
static void decode_vector(uint8_t format, const uint8_t b[6], struct slot *o)
{
	o->r1 = (uint8_t)(HI(b[1]) | (b[4] & 8) << 1);
	if (format == FMT_VRX)
		o->r2 = addr_reg(LO(b[1]));
	else
		o->r3 = (uint8_t)(LO(b[1]) | (b[4] & 4) << 2);
	base_disp(o, b + 2);
}

void insn_decode(const struct insn *insn, const uint8_t b[6], struct slot *o)
{
	switch (insn->format) {
	case FMT_E:
		break;
	case FMT_I:
		o->i = b[1];
		break;
	case FMT_RR:
	case FMT_RRE:
	case FMT_RRF:
	case FMT_RRD:
		decode_rr(insn->format, b, o);
		break;
	case FMT_RI_a:
	case FMT_RI_b:
	case FMT_RI_c:
		o->r1 = HI(b[1]);
		o->i = s16_at(b + 2);
		break;
	case FMT_RSI:
		o->r1 = HI(b[1]);
		o->r3 = LO(b[1]);
		o->i = s16_at(b + 2);
		break;
	case FMT_RIL_a:
	case FMT_RIL_b:
	case FMT_RIL_c:
		o->r1 = HI(b[1]);
		o->i = s32_at(b + 2);
		break;
	case FMT_S:
		base_disp(o, b + 2);
		break;
	case FMT_SIL:
		base_disp(o, b + 2);
		o->i = s16_at(b + 4);
		break;
	case FMT_SS:
	case FMT_SSE:
		decode_ss(b, o);
		break;
	case FMT_SSF:
		decode_ss(b, o);
		o->r3 = HI(b[1]);
		break;
	case FMT_RX:
	case FMT_RXY:
	case FMT_RXE:
	case FMT_RXF:
	case FMT_RS:
	case FMT_RSY:
	case FMT_SI:
	case FMT_SIY:
		decode_storage(insn->format, b, o);
		break;
	case FMT_VRX:
	case FMT_VRS_a:
		decode_vector(insn->format, b, o);
		break;
	default:
		decode_rie(insn->format, b, o);
	}
}
