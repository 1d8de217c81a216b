// SPDX-License-Identifier: MIT
/*
 * Instructions as text, and lists of them.
 *
 * How operands are written follows from the format of a row of the instruction table, or from the
 * exceptions below. tests/trace compares the text with what binutils says.
 */
#include "disasm.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "coverage.h"
#include "insn.h"

/*
 * Syntax: operands separated by commas, each a letter and mostly a position. Registers and four
 * bits of immediate data are at a digit of the instruction, anything else at a byte.
 *
 *   r f a c N  register at digit N: general, floating point, access, control; v: vector, N 2 or 3
 *   u N        four bits           b B N  byte, unsigned and signed
 *   w i N      halfword, unsigned and signed
 *   W I 2      word, unsigned and signed
 *   j, J       relative address: halfword at byte 2, word at byte 2
 *   s N        D(B) with B at digit N (4 or 8); x: D(X,B); S, X: the same with long displacement
 *   l          D(L,B) with L in byte 1; h: with L in digit 2 (N = 4) or 3; k: D(R,B), R in digit 2
 *   ? before   left out when it and all operands behind it are zero
 */
static const char *const by_format[] = {
	[FMT_E] = "",
	[FMT_I] = "b1",
	[FMT_RR] = "r2,r3",
	[FMT_RRE] = "r6,r7",
	[FMT_RRF] = "r6,r7,r4",
	[FMT_RRD] = "f4,f6,f7",
	[FMT_RX] = "r2,x4",
	[FMT_RXY] = "r2,X4",
	[FMT_RXE] = "f2,x4",
	[FMT_RXF] = "f8,f2,x4",
	[FMT_RS] = "r2,r3,s4",
	[FMT_RSY] = "r2,r3,S4",
	[FMT_RSI] = "r2,r3,j",
	[FMT_RI_a] = "r2,w2",
	[FMT_RI_b] = "r2,j",
	[FMT_RI_c] = "u2,j",
	[FMT_RIL_a] = "r2,W2",
	[FMT_RIL_b] = "r2,J",
	[FMT_RIL_c] = "u2,J",
	[FMT_RIE_a] = "r2,i2,u8",
	[FMT_RIE_b] = "r2,r3,u8,j",
	[FMT_RIE_c] = "r2,B4,u3,j",
	[FMT_RIE_d] = "r2,r3,i2",
	[FMT_RIE_e] = "r2,r3,j",
	[FMT_RIE_f] = "r2,r3,b2,b3,b4",
	[FMT_RIE_g] = "r2,i2,u3",
	[FMT_RIS] = "r2,B4,u3,s4",
	[FMT_RRS] = "r2,r3,u8,s4",
	[FMT_S] = "s4",
	[FMT_SI] = "s4,b1",
	[FMT_SIY] = "S4,b1",
	[FMT_SIL] = "s4,i4",
	[FMT_SS] = "l4,s8",
	[FMT_SSE] = "s4,s8",
	[FMT_SSF] = "s4,s8,r2",
	[FMT_VRX] = "v2,x4,?u8",
	[FMT_VRS_a] = "v2,v3,s4,?u8",
};

static const char *const format_names[] = {
	[FMT_E] = "E",	       [FMT_I] = "I",	      [FMT_RR] = "RR",	     [FMT_RRE] = "RRE",
	[FMT_RRF] = "RRF",     [FMT_RRD] = "RRD",     [FMT_RX] = "RX",	     [FMT_RXY] = "RXY",
	[FMT_RXE] = "RXE",     [FMT_RXF] = "RXF",     [FMT_RS] = "RS",	     [FMT_RSY] = "RSY",
	[FMT_RSI] = "RSI",     [FMT_RI_a] = "RI-a",   [FMT_RI_b] = "RI-b",   [FMT_RI_c] = "RI-c",
	[FMT_RIL_a] = "RIL-a", [FMT_RIL_b] = "RIL-b", [FMT_RIL_c] = "RIL-c", [FMT_RIE_a] = "RIE-a",
	[FMT_RIE_b] = "RIE-b", [FMT_RIE_c] = "RIE-c", [FMT_RIE_d] = "RIE-d", [FMT_RIE_e] = "RIE-e",
	[FMT_RIE_f] = "RIE-f", [FMT_RIE_g] = "RIE-g", [FMT_RIS] = "RIS",     [FMT_RRS] = "RRS",
	[FMT_S] = "S",	       [FMT_SI] = "SI",	      [FMT_SIY] = "SIY",     [FMT_SIL] = "SIL",
	[FMT_SS] = "SS",       [FMT_SSE] = "SSE",     [FMT_SSF] = "SSF",     [FMT_VRX] = "VRX",
	[FMT_VRS_a] = "VRS-a",
};

#define EXCEPTIONS 14

static const struct exception {
	const char *syntax;
	uint16_t opcodes[EXCEPTIONS];
} exceptions[] = {
	/* No operands, fewer than the format has, optional ones */
	{ "", { 0xb20b, 0xb20d, 0xb230, 0xb231, 0xb237, 0xb238, 0xb23b, 0xb23c, 0xb248, 0xb276 } },
	{ "r2", { 0x04 } },
	{ "r6", { 0xb222, 0xb224, 0xb226, 0xb227, 0xb25f, 0xb385 } },
	{ "r6,?r7", { 0xb384, 0xb38c } },
	{ "r6,r7,?u4", { 0xb22b, 0xb2a6, 0xb2a7, 0xb9e1 } },
	{ "r6,r7,?r4,?u5", { 0xb221 } },
	{ "r6,r4,r7,?u5", { 0xb98e } },
	{ "s4", { 0x80, 0x82, 0x93 } },
	{ "r2,s4", { 0x88, 0x89, 0x8a, 0x8b, 0x8c, 0x8d, 0x8e, 0x8f } },
	/* Masks */
	{ "u2,r3", { 0x07 } },
	{ "u2,x4", { 0x47 } },
	{ "u2,X4", { 0xe336 } },
	{ "r6,r7,u4", { 0xb960, 0xb961, 0xb972, 0xb973, 0xb9e2, 0xb9f2 } },
	{ "r2,S4,u3", { 0xebe2, 0xebe3, 0xebf2, 0xebf3 } },
	{ "r2,u3,s4", { 0xbd, 0xbe, 0xbf } },
	{ "r2,u3,S4", { 0xeb20, 0xeb21, 0xeb2c, 0xeb2d, 0xeb80, 0xeb81 } },
	/* Signed where the others are not, and the reverse */
	{ "r2,i2", { 0xa708, 0xa709, 0xa70a, 0xa70b, 0xa70c, 0xa70d, 0xa70e, 0xa70f } },
	{ "r2,I2",
	  { 0xc001, 0xc200, 0xc201, 0xc208, 0xc209, 0xc20c, 0xc20d, 0xcc08, 0xcc0a, 0xcc0b,
	    0xcc0d } },
	{ "S4,B1", { 0xeb6a, 0xeb6e, 0xeb7a, 0xeb7e } },
	{ "s4,w4", { 0xe555, 0xe559, 0xe55d } },
	{ "r2,b4,u3,j", { 0xec7d, 0xec7f } },
	{ "r2,b4,u3,s4", { 0xecfd, 0xecff } },
	{ "r2,w2,u8", { 0xec71, 0xec73 } },
	/* Other registers */
	{ "r6,a7", { 0xb24f } },
	{ "a6,r7", { 0xb24e } },
	{ "a6,a7", { 0xb24d } },
	{ "a2,a3,s4", { 0x9a, 0x9b } },
	{ "a2,a3,S4", { 0xeb9a, 0xeb9b } },
	{ "c2,c3,s4", { 0xb6, 0xb7 } },
	{ "c2,c3,S4", { 0xeb25, 0xeb2f } },
	/* Lengths and registers of two storage operands */
	{ "h4,h8", { 0xf1, 0xf2, 0xf3, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd } },
	{ "h4,s8,u3", { 0xf0 } },
	{ "k4,s8,r3", { 0xd9, 0xda, 0xdb } },
	{ "r2,s4,s8", { 0xc804, 0xc805 } },
	{ "r2,s4,r3,s8", { 0xee } },
	{ "r2,r3,s4,s8", { 0xef } },
	/* Floating point */
	{ "f2,f3", { 0x28, 0x38 } },
	{ "f2,x4", { 0x60, 0x68, 0x70, 0x78 } },
	{ "f2,X4", { 0xed64, 0xed65, 0xed66, 0xed67 } },
	{ "f6", { 0xb374, 0xb375, 0xb376 } },
	{ "f6,f7", { 0xb344, 0xb345, 0xb346, 0xb365, 0xb370, 0xb371, 0xb373 } },
	{ "f6,r7", { 0xb394, 0xb395, 0xb396, 0xb3a4, 0xb3a5, 0xb3a6, 0xb3c1 } },
	{ "r6,f7", { 0xb3cd } },
	{ "f6,f4,f7", { 0xb372 } },
	{ "f6,f4,f7,u5", { 0xb353, 0xb35b } },
	{ "f6,u4,f7", { 0xb347, 0xb357, 0xb35f } },
	{ "f6,u4,r7,u5", { 0xb390, 0xb391, 0xb392, 0xb3a0, 0xb3a1, 0xb3a2 } },
	{ "r6,u4,f7", { 0xb398, 0xb399, 0xb39a, 0xb3a8, 0xb3a9, 0xb3aa } },
	{ "r6,u4,f7,u5", { 0xb39c, 0xb39d, 0xb39e, 0xb3ac, 0xb3ad, 0xb3ae } },
};

/*
 * With facility 37 some BFP instructions have masks in bits that were zero; their mnemonics then
 * end in "a". `zero` is what must be zero in byte 2 for the old one.
 */
static const struct wider {
	const char *syntax;
	uint8_t zero;
	uint16_t opcodes[6];
} wider[] = {
	{ "f6,u4,f7,u5", 0xff, { 0xb344, 0xb345, 0xb346 } },
	{ "f6,u4,f7,u5", 0x0f, { 0xb347, 0xb357, 0xb35f } },
	{ "f6,u4,r7,u5", 0xff, { 0xb394, 0xb395, 0xb396, 0xb3a4, 0xb3a5, 0xb3a6 } },
	{ "r6,u4,f7,u5", 0x0f, { 0xb398, 0xb399, 0xb39a, 0xb3a8, 0xb3a9, 0xb3aa } },
};

static bool listed(const uint16_t *opcodes, size_t n, uint16_t opcode)
{
	for (size_t i = 0; i < n && opcodes[i]; i++)
		if (opcodes[i] == opcode)
			return true;
	return false;
}

static const char *syntax_of(const struct insn *insn)
{
	for (size_t i = 0; i < ARRAY_SIZE(exceptions); i++)
		if (listed(exceptions[i].opcodes, EXCEPTIONS, insn->opcode))
			return exceptions[i].syntax;
	if (insn->flags & AFP && insn->format == FMT_RRE)
		return "f6,f7";
	return insn->format < ARRAY_SIZE(by_format) ? by_format[insn->format] : "";
}

static const struct wider *wider_of(const struct insn *insn, const uint8_t *bytes)
{
	for (size_t i = 0; i < ARRAY_SIZE(wider); i++)
		if (listed(wider[i].opcodes, ARRAY_SIZE(wider[i].opcodes), insn->opcode) &&
		    bytes[2] & wider[i].zero)
			return &wider[i];
	return NULL;
}

/* --- Operands ---------------------------------------------------------------------------------- */

struct text {
	char *p;
	size_t room;
	const uint8_t *bytes;
	uint64_t addr;
};

static void put(struct text *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void put(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->p, t->room, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= t->room)
		n = t->room ? (int)t->room - 1 : 0;
	t->p += n;
	t->room -= (size_t)n;
}

static unsigned int digit(const struct text *t, unsigned int n)
{
	return t->bytes[n / 2] >> (n & 1 ? 0 : 4) & 15;
}

static uint16_t half(const struct text *t, unsigned int byte)
{
	return (uint16_t)(t->bytes[byte] << 8 | t->bytes[byte + 1]);
}

static int32_t word(const struct text *t)
{
	return (int32_t)((uint32_t)half(t, 2) << 16 | half(t, 4));
}

/* What stands in the parentheses before the base: an index, a length, a register, or nothing. */
static void put_storage(struct text *t, char kind, unsigned int at)
{
	unsigned int base = digit(t, at), index = digit(t, 3);
	int32_t disp = half(t, at / 2) & 0xfff;
	char first[8] = "";

	if (kind == 'S' || kind == 'X')
		disp += (int8_t)t->bytes[4] * 4096;
	if ((kind == 'x' || kind == 'X') && index)
		snprintf(first, sizeof(first), "%%r%u", index);
	else if (kind == 'k')
		snprintf(first, sizeof(first), "%%r%u", digit(t, 2));
	else if (kind == 'l')
		snprintf(first, sizeof(first), "%u", t->bytes[1] + 1u);
	else if (kind == 'h')
		snprintf(first, sizeof(first), "%u", digit(t, at == 4 ? 2 : 3) + 1);
	put(t, "%d", disp);
	if (*first)
		put(t, "(%s,%%r%u)", first, base);
	else if (base)
		put(t, "(%%r%u)", base);
}

static void put_operand(struct text *t, char kind, unsigned int at)
{
	switch (kind) {
	case 'u':
		put(t, "%u", digit(t, at));
		break;
	case 'b':
		put(t, "%u", t->bytes[at]);
		break;
	case 'B':
		put(t, "%d", (int8_t)t->bytes[at]);
		break;
	case 'w':
		put(t, "%u", half(t, at));
		break;
	case 'i':
		put(t, "%d", (int16_t)half(t, at));
		break;
	case 'W':
		put(t, "%u", (uint32_t)word(t));
		break;
	case 'I':
		put(t, "%d", word(t));
		break;
	case 'j':
		put(t, "0x%llx",
		    (unsigned long long)(t->addr + 2 * (uint64_t)(int64_t)(int16_t)half(t, 2)));
		break;
	case 'J':
		put(t, "0x%llx", (unsigned long long)(t->addr + 2 * (uint64_t)(int64_t)word(t)));
		break;
	case 'v': /* RXB, the low digit of byte 4, has the leftmost bits */
		put(t, "%%v%u", digit(t, at) + (digit(t, 9) << (at - 2) & 8 ? 16 : 0));
		break;
	case 'r':
	case 'f':
	case 'a':
	case 'c':
		put(t, "%%%c%u", kind, digit(t, at));
		break;
	default:
		put_storage(t, kind, at);
	}
}

/* All optional operands from here on are zero. */
static bool rest_zero(const struct text *t, const char *syntax)
{
	for (; (syntax = strchr(syntax, '?')); syntax++)
		if (digit(t, (unsigned int)(syntax[2] - '0')))
			return false;
	return true;
}

static void put_operands(struct text *t, const char *syntax)
{
	const char *separator = " ";

	while (*syntax) {
		if (*syntax == '?' && rest_zero(t, syntax))
			return;
		syntax += *syntax == '?';
		put(t, "%s", separator);
		put_operand(t, *syntax, (unsigned int)(syntax[1] - '0'));
		syntax += strcspn(syntax, ",");
		syntax += *syntax == ',';
		separator = ",";
	}
}

static void put_unknown(struct text *t, unsigned int len)
{
	if (len == 2) {
		put(t, ".short 0x%04x", half(t, 0));
		return;
	}
	put(t, ".long 0x%04x%04x", half(t, 0), half(t, 2));
	if (len == 6)
		put(t, "; .short 0x%04x", half(t, 4));
}

unsigned int disasm(const uint8_t bytes[6], uint64_t addr, char *text, size_t size)
{
	const struct insn *insn = insn_find(bytes);
	unsigned int len = insn_length(bytes[0]);
	struct text t = { text, size, bytes, addr };
	const struct wider *w;

	if (!insn) {
		put_unknown(&t, len);
		return len;
	}
	w = wider_of(insn, bytes);
	put(&t, "%s%s", insn->mnemonic, w ? "a" : "");
	put_operands(&t, w ? w->syntax : syntax_of(insn));
	return len;
}

/* --- Lists ------------------------------------------------------------------------------------- */

/* How many rows each file of the table has, in their order. */
#define INSN(opcode, mnemonic, format, facility, flags, handler) +1
enum {
	ROWS_CORE = 0
#include "insn_core.def"
	,
	ROWS_GENERAL = ROWS_CORE
#include "insn_general.def"
#include "insn_string.def"
	,
	ROWS_CONTROL = ROWS_GENERAL
#include "insn_control.def"
	,
	ROWS_BFP = ROWS_CONTROL
#include "insn_bfp.def"
};
#undef INSN

static const struct absent {
	uint16_t opcode;
	const char *mnemonic, *why;
} absent[] = {
#define ABSENT(opcode, mnemonic, why) { opcode, mnemonic, why },
#include "insn_absent.def"
#undef ABSENT
};

static const char *chapter_of(size_t row)
{
	return row < ROWS_GENERAL ? "general" :
	       row < ROWS_CONTROL ? "control and input/output" :
	       row < ROWS_BFP	  ? "floating point" :
				    "vector";
}

bool machine_insn(size_t i, struct machine_insn *out)
{
	size_t rows = 0;

	while (insn_table[rows].mnemonic)
		rows++;
	if (i < rows) {
		const struct insn *insn = &insn_table[i];

		*out = (struct machine_insn){ .opcode = insn->opcode,
					      .mnemonic = insn->mnemonic,
					      .format = insn->format < ARRAY_SIZE(format_names) ?
								format_names[insn->format] :
								"?",
					      .chapter = chapter_of(i),
					      .facility = insn->facility,
					      .installed = insn->facility == FAC_BASE ||
							   facility_installed(insn->facility) };
		return true;
	}
	if (i - rows >= ARRAY_SIZE(absent))
		return false;
	*out = (struct machine_insn){ .opcode = absent[i - rows].opcode,
				      .mnemonic = absent[i - rows].mnemonic,
				      .why = absent[i - rows].why };
	sscanf(out->why, "facility %u", &out->facility);
	return true;
}

/* PoP chapter 4, "Facility Indications". */
static const struct {
	uint16_t bit;
	const char *name;
} facilities[] = {
	{ 0, "N3 instructions" },
	{ 1, "z/Architecture installed" },
	{ 2, "z/Architecture active" },
	{ 3, "DAT enhancement 1" },
	{ 4, "IDTE, selective clearing at segment level" },
	{ 5, "IDTE, selective clearing at region level" },
	{ 6, "ASN and LX reuse" },
	{ 7, "store facility list extended" },
	{ 8, "enhanced DAT 1" },
	{ 9, "sense running status" },
	{ 10, "conditional SSKE" },
	{ 11, "configuration topology" },
	{ 13, "IPTE range" },
	{ 14, "nonquiescing key setting" },
	{ 16, "extended translation 2" },
	{ 17, "message-security assist" },
	{ 18, "long displacement" },
	{ 19, "long displacement with high performance" },
	{ 20, "HFP multiply and add/subtract" },
	{ 21, "extended immediate" },
	{ 22, "extended translation 3" },
	{ 23, "HFP unnormalized extensions" },
	{ 24, "extended translation 2 enhancement" },
	{ 25, "store clock fast" },
	{ 26, "parsing enhancement" },
	{ 27, "move with optional specifications" },
	{ 28, "TOD-clock steering" },
	{ 30, "extended translation 3 enhancement" },
	{ 31, "extract CPU time" },
	{ 32, "compare and swap and store" },
	{ 33, "compare and swap and store 2" },
	{ 34, "general-instructions extension" },
	{ 35, "execute extensions" },
	{ 36, "enhanced monitor" },
	{ 37, "floating-point extension" },
	{ 40, "set program parameter" },
	{ 41, "floating-point-support enhancement" },
	{ 42, "decimal floating point" },
	{ 43, "decimal floating point with high performance" },
	{ 44, "perform floating-point operation" },
	{ 45, "distinct operands, high word, load/store on condition, interlocked access 1" },
	{ 47, "CMPSC enhancement" },
	{ 48, "decimal-floating-point zoned conversion" },
	{ 49, "execution hint, load and trap, miscellaneous extensions 1" },
	{ 50, "constrained transactional execution" },
	{ 51, "local TLB clearing" },
	{ 52, "interlocked access 2" },
	{ 53, "load/store on condition 2, load and zero rightmost byte" },
	{ 54, "entropy encoding" },
	{ 57, "message-security assist 5" },
	{ 58, "miscellaneous instruction extensions 2" },
	{ 61, "miscellaneous instruction extensions 3" },
	{ 66, "reset reference bits multiple" },
	{ 73, "transactional execution" },
	{ 74, "store hypervisor information" },
	{ 75, "access-exception fetch/store indication" },
	{ 76, "message-security assist 3" },
	{ 77, "message-security assist 4" },
	{ 78, "enhanced DAT 2" },
	{ 80, "decimal-floating-point packed conversion" },
	{ 129, "vector" },
	{ 130, "instruction-execution protection" },
	{ 131, "side-effect access, enhanced suppression on protection 2" },
	{ 133, "guarded storage" },
	{ 134, "vector packed decimal" },
	{ 135, "vector enhancements 1" },
	{ 138, "configuration z/Architecture mode" },
	{ 139, "multiple epoch" },
	{ 140, "extended-length SCCB" },
	{ 144, "test pending external interruption" },
	{ 145, "insert reference bits multiple" },
	{ 146, "message-security assist 8" },
	{ 148, "vector enhancements 2" },
	{ 150, "enhanced sort" },
	{ 151, "deflate conversion" },
	{ 152, "vector packed decimal enhancement 1" },
	{ 155, "message-security assist 9" },
	{ 158, "Ultravisor call" },
	{ 161, "secure-execution unpack" },
	{ 165, "neural-network-processing assist" },
	{ 192, "vector packed decimal enhancement 2" },
	{ 193, "BEAR enhancement" },
	{ 194, "reset DAT protection" },
	{ 196, "processor activity instrumentation" },
};

bool machine_facility(size_t i, struct machine_facility *out)
{
	if (i >= ARRAY_SIZE(facilities))
		return false;
	*out = (struct machine_facility){ facilities[i].bit, facilities[i].name,
					  facility_installed(facilities[i].bit) };
	return true;
}
