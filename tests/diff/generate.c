// SPDX-License-Identifier: MIT
/*
 * Random cases. The instruction table says which formats and registers an instruction has; what
 * it cannot say (lengths in registers, alignment, parameter lists) stands in the table of shapes.
 */
#include "diff.h"

#include <assert.h>
#include <string.h>

#include "compiler.h"

struct gen {
	struct rng rng;
	struct diff_case *c;
	struct test *t;
	const struct insn *insn;
	uint8_t *p;	     /* the instruction */
	uint64_t addr;	     /* its address */
	unsigned int pinned; /* registers whose values matter */
	unsigned int patches;
	unsigned int extra; /* halfwords that follow the instruction: a loop */
};

#define R(g) (&(g)->rng)

#define IS(list) listed((list), g->insn->mnemonic)

/* --- Values ------------------------------------------------------------------------------------ */

static uint64_t edge64_any(struct rng *r)
{
	static const uint64_t edges[] = {
		0,
		1,
		2,
		~0ull,
		~1ull,
		0x7f,
		0x80,
		0xff,
		0x7fff,
		0x8000,
		0xffff,
		0x7fffffff,
		0x80000000,
		0x80000001,
		0xffffffff,
		0x100000000,
		0x7fffffffffffffff,
		0x8000000000000000,
		0x8000000000000001,
		0xffffffff00000000,
		0xffffffff7fffffff,
		0xffffffff80000000,
		0xffffffffffff8000,
		0xffffffffffffff80,
		0x7fffffff80000000,
		0x00000000fffffffe,
		0x5555555555555555,
		0xaaaaaaaaaaaaaaaa,
	};
	uint64_t v;

	switch (rng_below(r, 8)) {
	case 0:
	case 1:
	case 2:
		return edges[rng_below(r, ARRAY_SIZE(edges))];
	case 3: /* a small number of either sign */
		return (uint64_t)(int64_t)((int)rng_below(r, 512) - 256);
	case 4: /* halves by themselves */
		v = edges[rng_below(r, ARRAY_SIZE(edges))] << 32;
		return v | (edges[rng_below(r, ARRAY_SIZE(edges))] & 0xffffffff);
	case 5: /* a run of ones */
		v = rng64(r);
		return (~0ull >> (v & 63)) & (~0ull << (v >> 6 & 63));
	case 6: /* near a power of two */
		return (1ull << rng_below(r, 64)) + (uint64_t)(int64_t)((int)rng_below(r, 5) - 2);
	default:
		return rng64(r);
	}
}

/* Not near 2^38, where the reference's Linux puts its own mappings. */
static uint64_t edge64(struct rng *r)
{
	uint64_t v = edge64_any(r);

	return v >> 36 == 3 || v >> 36 == 4 ? v << 4 : v;
}

/* A binary floating-point number of 1 + ebits + fbits bits, in the low bits; fbits up to 52. */
static uint64_t edge_bfp(struct rng *r, unsigned int ebits, unsigned int fbits)
{
	uint64_t emax = (1ull << ebits) - 1, bias = emax >> 1, e, f;
	uint64_t fmask = (1ull << fbits) - 1;

	switch (rng_below(r, 12)) {
	case 0:
		e = 0;
		break;
	case 1:
		e = emax;
		break;
	case 2:
		e = emax - 1;
		break;
	case 3:
		e = 1;
		break;
	case 4:
	case 5:
	case 6:
		e = bias + rng_below(r, 8) - 4;
		break;
	case 7:
	case 8: /* integers of every size */
		e = bias + rng_below(r, 70);
		break;
	case 9: /* near the edges of the shorter formats */
		e = bias + (rng_percent(r, 50) ? 127 : -126) + rng_below(r, 30) - 26;
		break;
	default:
		e = rng64(r);
	}
	e &= emax;
	switch (rng_below(r, 7)) {
	case 0:
		f = 0;
		break;
	case 1:
		f = fmask;
		break;
	case 2:
		f = 1ull << rng_below(r, fbits);
		break;
	case 3:
		f = fmask << rng_below(r, fbits);
		break;
	case 4:
		f = 1;
		break;
	default:
		f = rng64(r);
	}
	return rng64(r) >> 63 << (ebits + fbits) | e << fbits | (f & fmask);
}

/* An FP register (short in the left half), or half of a pair when the number is extended. */
static void edge_fpr(struct rng *r, char kind, uint64_t *high, uint64_t *low)
{
	uint64_t v;

	switch (kind) {
	case 'e':
		*high = edge_bfp(r, 8, 23) << 32 | (rng64(r) & 0xffffffff);
		*low = edge_bfp(r, 8, 23) << 32 | (rng64(r) & 0xffffffff);
		return;
	case 'd':
		*high = edge_bfp(r, 11, 52);
		*low = edge_bfp(r, 11, 52);
		return;
	case 'x':
		v = edge_bfp(r, 15, 48);
		*high = v;
		*low = rng_percent(r, 30) ? 0 : edge64(r);
		return;
	default:
		*high = edge64(r);
		*low = edge64(r);
	}
}

static char fp_kind(struct gen *g)
{
	static const char kinds[] = "edx?";
	const char *m = g->insn->mnemonic;
	char k = kinds[rng_below(R(g), 4)];

	/* Kinds that the mnemonic names come more often. */
	for (unsigned int i = 0; i < 4 && !strchr(m, k); i++)
		k = kinds[rng_below(R(g), 4)];
	return k;
}

static void random_registers(struct gen *g)
{
	struct rng *r = R(g);
	struct diff_case *c = g->c;

	for (unsigned int i = 0; i < 16; i++) {
		c->gr[i] = edge64(r);
		c->ar[i] = (uint32_t)edge64(r);
	}
	for (unsigned int i = 0; i < 16; i++)
		if (!(i & 2))
			edge_fpr(r, fp_kind(g), &c->fpr[i], &c->fpr[i + 2]);
	if (rng_percent(r, 15)) /* equal operands */
		for (unsigned int i = 4; i < 8; i++)
			c->fpr[i] = c->fpr[i - 4];
	c->cc_pm = rng_below(r, 4) << 28;
	if (rng_percent(r, 30))
		c->cc_pm |= rng_below(r, rng_percent(r, 10) ? 16 : 8) << 24;
	c->fpc = rng_below(r, 4);
	if (rng_percent(r, 25))
		c->fpc |= (uint32_t)rng64(r) & 0x00f8ff00;
	if (rng_percent(r, 20))
		c->fpc |= (uint32_t)rng64(r) & 0xc0000000;
	if (rng_percent(r, 10))
		c->fpc |= (uint32_t)rng64(r) & 0xf8000000;
}

/* --- Operands in storage ----------------------------------------------------------------------- */

static void fill(struct gen *g, uint8_t *to, unsigned int len)
{
	struct rng *r = R(g);
	bool fp = g->insn->flags & AFP || g->insn->opcode >> 8 == 0xed;
	unsigned int how = rng_below(r, 10);
	char kind = fp_kind(g);

	for (unsigned int i = 0; i < len; i += 8) {
		uint64_t v = edge64(r), w;

		if (fp && kind == 'e')
			v = edge_bfp(r, 8, 23) << 32 | edge_bfp(r, 8, 23);
		else if (fp && kind == 'd')
			v = edge_bfp(r, 11, 52);
		else if (fp && kind == 'x' && i % 16 == 0)
			v = edge_bfp(r, 15, 48);
		else if (!fp && how == 0)
			v = 0x4040404040404040;
		else if (!fp && how == 1) /* few different bytes */
			v = rng64(r) & 0x0101010101010101;
		w = to_be64(v);
		memcpy(to + i, &w, len - i < 8 ? len - i : 8);
	}
}

/* Lets storage at an address begin with len bytes; NULL when it is not there. */
static uint8_t *patch(struct gen *g, uint64_t at, unsigned int len)
{
	struct diff_case *c = g->c;
	unsigned int i = g->patches;
	uint64_t window;

	window = at - DIFF_DATA_A < DIFF_WINDOW ? DIFF_DATA_A :
		 at - DIFF_DATA_B < DIFF_WINDOW ? DIFF_DATA_B :
						  0;
	if (!window || i == DIFF_PATCHES)
		return NULL;
	if (len > DIFF_PATCH_BYTES)
		len = DIFF_PATCH_BYTES;
	if (at + len > window + DIFF_WINDOW)
		len = (unsigned int)(window + DIFF_WINDOW - at);
	c->patch_at[i] = at;
	c->patch_len[i] = len;
	g->patches++;
	fill(g, c->patch[i], len);
	return c->patch[i];
}

/* An operand's address: in a window, often where pages meet, sometimes where it faults. */
static uint64_t pick(struct gen *g, unsigned int len, unsigned int align)
{
	struct rng *r = R(g);
	uint64_t w = rng_percent(r, 50) ? DIFF_DATA_A : DIFF_DATA_B, at;
	unsigned int how = rng_below(r, 100);

	if (how < 45)
		at = w + 4096 - rng_below(r, len + 16);
	else if (how < 86)
		at = w + rng_below(r, DIFF_WINDOW - len);
	else if (how < 91)
		at = w + DIFF_WINDOW - len;
	else if (how < 93)
		at = w + DIFF_WINDOW - rng_below(r, len);
	else if (how < 95)
		at = w - rng_below(r, len);
	else if (how < 97)
		at = DIFF_RO + rng_below(r, DIFF_RO_BYTES - len % DIFF_RO_BYTES);
	else if (how < 99)
		at = w + 4096;
	else
		at = edge64(r) | 0x100000000;
	return align && !rng_percent(r, 6) ? at & ~(uint64_t)(align - 1) : at;
}

/* The same in the other window: results of overlapping operands are unpredictable. */
static uint64_t pick_apart(struct gen *g, uint64_t from, unsigned int len)
{
	uint64_t at = pick(g, len, 0);

	for (unsigned int i = 0; i < 50 && at >> 16 == from >> 16; i++)
		at = pick(g, len, 0);
	return at;
}

/* A register for an address. */
static unsigned int base_reg(struct gen *g)
{
	unsigned int b = 1 + rng_below(R(g), 15);

	for (unsigned int i = 0; i < 32 && g->pinned >> b & 1; i++)
		b = 1 + rng_below(R(g), 15);
	return b;
}

static void pin(struct gen *g, unsigned int n, uint64_t v)
{
	g->c->gr[n & 15] = v;
	g->pinned |= 1u << (n & 15);
}

static bool is_pinned(const struct gen *g, unsigned int n)
{
	return g->pinned >> n & 1;
}

/* B and D of 12 bits at byte i. Registers already in use keep their values when they fit. */
static void put_bd(struct gen *g, unsigned int i, uint64_t at)
{
	unsigned int b = base_reg(g), d = rng_percent(R(g), 40) ? 0 : rng_below(R(g), 4096);

	if (is_pinned(g, b)) { /* none is left, or by chance: the address is what it is */
		if (at - g->c->gr[b] < 4096)
			d = (unsigned int)(at - g->c->gr[b]);
	} else {
		pin(g, b, at - d);
	}
	g->p[i] = (uint8_t)(b << 4 | d >> 8);
	g->p[i + 1] = (uint8_t)d;
}

/* The same with 20 bits, DH at byte 4. */
static void put_bdl(struct gen *g, uint64_t at)
{
	unsigned int b = base_reg(g);
	int32_t d = rng_percent(R(g), 40) ? 0 : (int32_t)rng_below(R(g), 1 << 20) - (1 << 19);

	if (!is_pinned(g, b))
		pin(g, b, at - (uint64_t)(int64_t)d);
	g->p[2] = (uint8_t)(b << 4 | (d >> 8 & 15));
	g->p[3] = (uint8_t)d;
	g->p[4] = (uint8_t)(d >> 12);
}

/* X in byte 1 and B, D (12 bits, or 20 when is_long). */
static void put_xbd(struct gen *g, uint64_t at, bool is_long)
{
	unsigned int x = rng_percent(R(g), 50) ? 0 : base_reg(g);

	if (x && !is_pinned(g, x))
		pin(g, x, rng_percent(R(g), 70) ? rng_below(R(g), 4096) : edge64(R(g)));
	g->p[1] = (uint8_t)((g->p[1] & 0xf0) | x);
	if (x)
		at -= g->c->gr[x];
	if (is_long)
		put_bdl(g, at);
	else
		put_bd(g, 2, at);
}

/* --- Branch targets ---------------------------------------------------------------------------- */

static uint64_t pad(struct gen *g)
{
	unsigned int n = rng_below(R(g), DIFF_PADS_BELOW + DIFF_PADS_ABOVE);

	if (n < DIFF_PADS_BELOW)
		return g->c->at + 6 * n;
	return g->c->at + DIFF_PAD_ABOVE + 6 * (n - DIFF_PADS_BELOW);
}

static uint64_t pad_odd(struct gen *g)
{
	return pad(g) + rng_percent(R(g), 1);
}

static void put_rel16(struct gen *g, uint64_t at)
{
	uint16_t v = to_be16((uint16_t)((int64_t)(at - g->addr) / 2));

	memcpy(g->p + 2, &v, 2);
}

static void put_rel32(struct gen *g, uint64_t at)
{
	uint32_t v = to_be32((uint32_t)((int64_t)(at - g->addr) / 2));

	memcpy(g->p + 2, &v, 4);
}

/* --- Which need more than their format says? --------------------------------------------------- */

static unsigned int any_reg(struct gen *g, bool even)
{
	unsigned int n = rng_below(R(g), 16);

	return even && !rng_percent(R(g), 4) ? n & 14 : n;
}

static unsigned int fp_reg(struct gen *g, bool pair)
{
	unsigned int n = rng_below(R(g), 16);

	return pair && !rng_percent(R(g), 4) ? n & 13 : n;
}

static unsigned int reg1(struct gen *g)
{
	return g->insn->flags & FP_PAIR_R1 ? fp_reg(g, true) : any_reg(g, g->insn->flags & EVEN_R1);
}

static unsigned int reg2(struct gen *g)
{
	return g->insn->flags & FP_PAIR_R2 ? fp_reg(g, true) : any_reg(g, g->insn->flags & EVEN_R2);
}

static unsigned int reg3(struct gen *g)
{
	return any_reg(g, g->insn->flags & EVEN_R3);
}

/* Two even registers, mostly different, for pairs of address and length. */
static void two_pairs(struct gen *g, unsigned int *a, unsigned int *b)
{
	*a = any_reg(g, true);
	*b = any_reg(g, true);
	for (unsigned int i = 0; i < 20 && *a == *b; i++)
		*b = any_reg(g, true);
}

static uint64_t length(struct gen *g)
{
	unsigned int how = rng_below(R(g), 20);

	return how == 0	 ? 0 :
	       how < 12	 ? rng_below(R(g), 40) :
	       how < 18	 ? rng_below(R(g), 300) :
	       how == 18 ? rng_below(R(g), 4200) :
			   (uint64_t)rng_below(R(g), 6000) | 0xa5000000;
}

/* Executes the instruction once more while its CC is 3: the CPU chooses how much it does. */
static void loop_on_cc3(struct gen *g)
{
	unsigned int len = insn_length(g->p[0]);

	g->p[len] = 0xa7;
	g->p[len + 1] = 0x14;
	g->p[len + 2] = 0xff;
	g->p[len + 3] = (uint8_t)(-(int)len / 2);
	g->extra = 2;
}

/* Operand 2 often equals operand 1, or all but a byte of it. */
static void make_equal(struct gen *g, const uint8_t *a, uint8_t *b)
{
	if (!a || !b || rng_percent(R(g), 20))
		return;
	memcpy(b, a, DIFF_PATCH_BYTES);
	if (rng_percent(R(g), 60))
		b[rng_below(R(g), rng_percent(R(g), 50) ? 16 : DIFF_PATCH_BYTES)] ^=
			(uint8_t)(1u << rng_below(R(g), 8));
}

/* MVCL, CLCL: R1 and R2 pairs of address and 24-bit length; pad in bits 32-39 of R2 + 1. */
static void shape_long(struct gen *g)
{
	unsigned int a, b;
	uint8_t *p1, *p2;

	two_pairs(g, &a, &b);
	g->p[1] = (uint8_t)(a << 4 | b);
	pin(g, a, pick(g, 64, 0));
	pin(g, b, rng_percent(R(g), 25) ? g->c->gr[a] + rng_below(R(g), 64) - 32 : pick(g, 64, 0));
	pin(g, a + 1, (length(g) & 0xffffff) | (rng64(R(g)) & 0xffffffff) << 32);
	pin(g, b + 1,
	    (rng_percent(R(g), 40) ? g->c->gr[(a + 1) & 15] & 0xffffff : length(g) & 0xffffff) |
		    (uint64_t)rng_below(R(g), 256) << 24);
	p1 = patch(g, g->c->gr[a], DIFF_PATCH_BYTES);
	p2 = patch(g, g->c->gr[b], DIFF_PATCH_BYTES);
	if (g->insn->mnemonic[0] == 'c')
		make_equal(g, p1, p2);
}

/* MVCLE, CLCLE: R1 and R3 pairs, pad in the second-operand address. */
static void shape_extended(struct gen *g)
{
	unsigned int a, b;
	uint8_t *p1, *p2;

	two_pairs(g, &a, &b);
	g->p[1] = (uint8_t)(a << 4 | b);
	pin(g, a, pick(g, 64, 0));
	pin(g, b, pick(g, 64, 0));
	pin(g, a + 1, length(g) & 0xffff);
	pin(g, b + 1, rng_percent(R(g), 40) ? g->c->gr[(a + 1) & 15] : length(g) & 0xffff);
	put_bd(g, 2, rng_below(R(g), 256));
	p1 = patch(g, g->c->gr[a], DIFF_PATCH_BYTES);
	p2 = patch(g, g->c->gr[b], DIFF_PATCH_BYTES);
	if (g->insn->mnemonic[0] == 'c')
		make_equal(g, p1, p2);
	loop_on_cc3(g);
}

/* CKSM, TRE: one pair of address and length, another register. */
static void shape_pair_rre(struct gen *g)
{
	bool first = g->insn->flags & EVEN_R1; /* TRE: the pair is R1 */
	unsigned int pair = any_reg(g, true), other = any_reg(g, false);

	if (first) { /* GR0 is the test byte: as an operand unpredictable */
		pair += pair < 2 ? 2 : 0;
		other += other == 0;
	}
	for (unsigned int i = 0; i < 20 && (other & 14) == (pair & 14); i++)
		other = 1 + rng_below(R(g), 15);
	g->p[3] = (uint8_t)(first ? pair << 4 | other : other << 4 | pair);
	pin(g, pair, pick(g, 64, 0));
	pin(g, pair + 1, length(g) & 0xffff);
	patch(g, g->c->gr[pair], DIFF_PATCH_BYTES);
	if (first) {
		pin(g, other, pick_apart(g, g->c->gr[pair], 256));
		patch(g, g->c->gr[other], 256);
	}
	loop_on_cc3(g);
}

/* MVST, CLST, SRST: character in GR0, addresses in R1 and R2. */
static void shape_string(struct gen *g)
{
	unsigned int a = 1 + rng_below(R(g), 15), b = 1 + rng_below(R(g), 15);
	uint8_t *p1, *p2, *p;
	uint8_t stop = rng_percent(R(g), 70) ? 0 : (uint8_t)rng64(R(g));

	for (unsigned int i = 0; i < 20 && a == b; i++)
		b = 1 + rng_below(R(g), 15);
	g->p[3] = (uint8_t)(a << 4 | b);
	pin(g, 0, rng_percent(R(g), 97) ? stop | (rng64(R(g)) << 32) : edge64(R(g)));
	pin(g, b, pick(g, 64, 0));
	if (strcmp(g->insn->mnemonic, "srst") == 0)
		pin(g, a, g->c->gr[b] + length(g) % 300);
	else
		pin(g, a, pick_apart(g, g->c->gr[b], 64));
	p1 = patch(g, g->c->gr[a], DIFF_PATCH_BYTES);
	p2 = patch(g, g->c->gr[b], DIFF_PATCH_BYTES);
	if (g->insn->mnemonic[0] == 'c')
		make_equal(g, p1, p2);
	/* The end: somewhere near. */
	for (unsigned int i = 0; i < 2; i++) {
		p = i ? p2 : p1;
		if (p)
			p[rng_below(R(g), rng_percent(R(g), 70) ? 32 : DIFF_PATCH_BYTES)] = stop;
	}
	loop_on_cc3(g);
}

/* CUSE and the conversions of Unicode: R1 and R2 pairs; CUSE: GR0 length, GR1 pad. */
static void shape_two_pairs_rre(struct gen *g)
{
	unsigned int a, b;
	bool cuse = strcmp(g->insn->mnemonic, "cuse") == 0;
	uint8_t *p1, *p2;

	two_pairs(g, &a, &b);
	if (cuse) {
		a |= 2;
		b |= 2;
		pin(g, 0, rng_below(R(g), 9));
		pin(g, 1, rng_below(R(g), 256));
	}
	g->p[3] = (uint8_t)(a << 4 | b);
	pin(g, a, pick(g, 64, 0));
	pin(g, b, pick(g, 64, 0));
	pin(g, a + 1, length(g) & 0xffff);
	pin(g, b + 1, length(g) & 0xfff);
	p1 = patch(g, g->c->gr[a], DIFF_PATCH_BYTES);
	p2 = patch(g, g->c->gr[b], DIFF_PATCH_BYTES);
	if (cuse)
		make_equal(g, p1, p2);
	else if (p2 && rng_percent(R(g), 70)) /* mostly text that converts */
		for (unsigned int i = 0; i < DIFF_PATCH_BYTES; i++)
			p2[i] = rng_percent(R(g), 90) ? p2[i] & 0x7f : p2[i];
	loop_on_cc3(g);
}

/* CSST: function in GR0, parameter list at GR1, operands that match half of the time. */
static void shape_csst(struct gen *g)
{
	unsigned int fc = rng_below(R(g), 3), sc = rng_below(R(g), 5), r3 = any_reg(g, true);
	uint64_t at1;
	uint8_t *p;

	if (!sc && rng_percent(R(g), 98)) /* a store of one byte: QEMU aborts */
		sc = 3;
	at1 = pick(g, 16, 4u << fc) & ~15ull; /* QEMU stops at its specification exceptions */

	g->p[1] = (uint8_t)((g->p[1] & 15) | r3 << 4);
	pin(g, 0, fc | sc << 8 | (rng64(R(g)) & ~0xffffull));
	pin(g, 1, pick(g, 32, 16) & ~15ull);
	pin(g, r3, g->c->gr[r3]);
	pin(g, r3 + 1, g->c->gr[(r3 + 1) & 15]);
	put_bd(g, 2, at1);
	put_bd(g, 4, pick(g, 16, 1u << sc) & ~15ull);
	patch(g, g->c->gr[1], 32);
	p = patch(g, at1, 16);
	if (p && rng_percent(R(g), 60)) {
		uint64_t high = to_be64(g->c->gr[r3]), low = to_be64(g->c->gr[(r3 + 1) & 15]);

		if (fc == 0) {
			uint32_t w = to_be32((uint32_t)g->c->gr[r3]);

			memcpy(p, &w, 4);
		} else {
			memcpy(p, &high, 8);
			memcpy(p + 8, &low, 8);
		}
	}
}

/* LPD, LPDG: two aligned operands. */
static void shape_lpd(struct gen *g)
{
	unsigned int len = g->insn->opcode == 0xc805 ? 8 : 4;
	uint64_t a = pick(g, len, len), b = pick(g, len, len);

	g->p[1] = (uint8_t)((g->p[1] & 15) | reg3(g) << 4);
	put_bd(g, 2, a);
	put_bd(g, 4, b);
	patch(g, a, 16);
	patch(g, b, 16);
}

static void shape_lmd(struct gen *g)
{
	uint64_t a = pick(g, 64, 0), b = pick(g, 64, 0);

	g->p[1] = (uint8_t)rng64(R(g));
	put_bd(g, 2, a);
	put_bd(g, 4, b);
	patch(g, a, 64);
	patch(g, b, 64);
}

/* TR, TRT, TRTR: the second operand is a table, often with zeros. */
static void shape_table(struct gen *g)
{
	uint64_t a = pick(g, 256, 0), b = pick(g, 256, 0);
	uint8_t *p, keep = (uint8_t)rng_below(R(g), 30);

	g->p[1] = (uint8_t)(rng_percent(R(g), 50) ? rng_below(R(g), 20) : rng64(R(g)));
	put_bd(g, 2, a);
	put_bd(g, 4, b);
	patch(g, a, 256);
	p = patch(g, b, 256);
	if (p && g->insn->opcode != 0xdc)
		for (unsigned int i = 0; i < 256; i++)
			if (rng_below(R(g), 30) > keep)
				p[i] = 0;
}

/* Compare and swap: the comparand often equals storage. */
static void shape_cs(struct gen *g)
{
	const char *m = g->insn->mnemonic;
	bool wide = strchr(m, 'g'), twice = m[1] == 'd';
	bool y = g->insn->format == FMT_RSY;
	unsigned int len = (wide ? 8u : 4u) << twice, r1 = any_reg(g, twice), r3;
	uint64_t at = pick(g, len, len);
	uint8_t *p;

	r3 = any_reg(g, twice);
	g->p[1] = (uint8_t)(r1 << 4 | r3);
	g->pinned |= 1u << r1 | 1u << ((r1 + twice) & 15);
	if (y)
		put_bdl(g, at);
	else
		put_bd(g, 2, at);
	p = patch(g, at, 16);
	if (p && rng_percent(R(g), 60))
		for (unsigned int i = 0; i <= twice; i++) {
			uint64_t d = to_be64(g->c->gr[(r1 + i) & 15]);
			uint32_t w = to_be32((uint32_t)g->c->gr[(r1 + i) & 15]);

			if (wide)
				memcpy(p + 8 * i, &d, 8);
			else
				memcpy(p + 4 * i, &w, 4);
		}
}

/* CVB, CVBY, CVBG: mostly valid packed numbers near the limits. */
static void shape_cvb(struct gen *g)
{
	bool wide = g->insn->opcode == 0xe30e;
	unsigned int len = wide ? 16 : 8, digits = 2 * len - 1;
	uint64_t at = pick(g, len, 0), v;
	uint8_t *p;

	g->p[1] = (uint8_t)(any_reg(g, false) << 4);
	put_xbd(g, at, g->insn->format == FMT_RXY);
	p = patch(g, at, len);
	if (!p || g->c->patch_len[g->patches - 1] < len || rng_percent(R(g), 10))
		return;
	v = edge64(R(g));
	if (!wide)
		v = v & 0xffffffff;
	memset(p, 0, len);
	for (unsigned int i = digits; i-- > 0; v /= 10)
		p[i / 2] |= (uint8_t)(v % 10 << (i % 2 ? 0 : 4));
	if (rng_percent(R(g), 10))
		p[rng_below(R(g), len - 1)] = (uint8_t)rng64(R(g));
	if (!wide && rng_percent(R(g), 50)) /* larger than 32 bits hold */
		p[rng_below(R(g), 3)] = (uint8_t)(rng_below(R(g), 10) << 4 | rng_below(R(g), 10));
	p[len - 1] |=
		(uint8_t)(rng_percent(R(g), 95) ? 10 + rng_below(R(g), 6) : rng_below(R(g), 16));
}

/* LFPC, LFAS: a word for the FPC, mostly a valid one. */
static void shape_fpc(struct gen *g)
{
	uint64_t at = pick(g, 4, 0);
	uint8_t *p;

	put_bd(g, 2, at);
	p = patch(g, at, 4);
	if (p && rng_percent(R(g), 85)) {
		p[0] &= 0xf8;
		p[1] &= 0xf8;
		p[3] &= 3;
	}
	if (IS("lfas") && p && rng_percent(R(g), 60)) /* no simulated exception */
		g->c->fpc &= ~((uint32_t)p[0] << 16);
}

static void shape_sfpc(struct gen *g)
{
	unsigned int r1 = any_reg(g, false);

	g->p[3] = (uint8_t)(r1 << 4);
	pin(g, r1, rng_percent(R(g), 85) ? rng64(R(g)) & 0xfffffffff8f8ff03 : edge64(R(g)));
	if (IS("sfasr")) /* QEMU aborts for other values in bits 0-31 */
		pin(g, r1, g->c->gr[r1] & 0xffffffff);
	if (IS("sfasr") && rng_percent(R(g), 60))
		g->c->fpc &= ~((uint32_t)g->c->gr[r1] >> 8 & 0xff0000);
}

/* SRNM, SRNMB: the address is the rounding mode. */
static void shape_srnm(struct gen *g)
{
	put_bd(g, 2, rng_percent(R(g), 80) ? rng_below(R(g), 8) : edge64(R(g)));
}

/* SPM and others that need one register only. */
static void shape_r1(struct gen *g)
{
	if (g->insn->format == FMT_RR)
		g->p[1] = (uint8_t)(any_reg(g, false) << 4);
	else
		g->p[3] = (uint8_t)(any_reg(g, false) << 4);
}

/* PLO: function code in GR0, mostly without the test bit; aligned operands. */
static void shape_plo(struct gen *g)
{
	unsigned int fc = rng_below(R(g), 25);
	uint64_t a = pick(g, 16, 16), b = pick(g, 144, 16);

	g->p[1] = (uint8_t)(any_reg(g, true) << 4 | any_reg(g, true));
	pin(g, 0, fc | (rng_percent(R(g), 30) ? 0x100 : 0));
	pin(g, 1, pick(g, 16, 16));
	put_bd(g, 2, a);
	put_bd(g, 4, b);
	patch(g, a, 16);
	patch(g, b, 144);
}

/* Formats RRF whose bits 16-23 hold less than R3/M3 and M4. */
enum { USES_R3 = 1, USES_M3 = 2, USES_M4 = 4, USES_M3_ROUND = 8 };

static unsigned int rrf_uses(const struct insn *insn)
{
	if (insn->facility == 45)
		return insn->opcode == 0xb9f2 || insn->opcode == 0xb9e2 ? USES_M3 : USES_R3;
	switch (insn->opcode) {
	case 0xb972: /* compare and trap */
	case 0xb960:
	case 0xb973:
	case 0xb961:
		return USES_M3;
	case 0xb372: /* cpsdr */
		return USES_R3;
	case 0xb353: /* didbr, diebr */
	case 0xb35b:
		return USES_R3 | USES_M4;
	case 0xb2a6: /* cuutf, cutfu: M3 is of a facility that is not installed */
	case 0xb2a7:
		return 0;
	default:
		return USES_M3_ROUND | USES_M4;
	}
}

static const struct shape {
	const char *mnemonic;
	void (*make)(struct gen *g);
} shapes[] = {
	{ "mvcl", shape_long },
	{ "clcl", shape_long },
	{ "mvcle", shape_extended },
	{ "clcle", shape_extended },
	{ "cksm", shape_pair_rre },
	{ "tre", shape_pair_rre },
	{ "mvst", shape_string },
	{ "clst", shape_string },
	{ "srst", shape_string },
	{ "cuse", shape_two_pairs_rre },
	{ "cuutf", shape_two_pairs_rre },
	{ "cutfu", shape_two_pairs_rre },
	{ "csst", shape_csst },
	{ "lpd", shape_lpd },
	{ "lpdg", shape_lpd },
	{ "lmd", shape_lmd },
	{ "tr", shape_table },
	{ "trt", shape_table },
	{ "trtr", shape_table },
	{ "cs", shape_cs },
	{ "csy", shape_cs },
	{ "csg", shape_cs },
	{ "cds", shape_cs },
	{ "cdsy", shape_cs },
	{ "cdsg", shape_cs },
	{ "cvb", shape_cvb },
	{ "cvby", shape_cvb },
	{ "cvbg", shape_cvb },
	{ "lfpc", shape_fpc },
	{ "lfas", shape_fpc },
	{ "sfpc", shape_sfpc },
	{ "sfasr", shape_sfpc },
	{ "srnm", shape_srnm },
	{ "srnmb", shape_srnm },
	{ "spm", shape_r1 },
	{ "ipm", shape_r1 },
	{ "efpc", shape_r1 },
	{ "plo", shape_plo },
};

/* --- Formats ----------------------------------------------------------------------------------- */

/* Natural alignment that the PoP asks for, or 0. */
static unsigned int alignment(struct gen *g)
{
	if (IS("lpq stpq"))
		return 16;
	if (IS("lang laog laxg laag laalg cgrl clgrl lgrl stgrl"))
		return 8;
	if (IS("lan lao lax laa laal lrl lgfrl llgfrl strl crl clrl cgfrl clgfrl lam lamy stam stamy"))
		return 4;
	if (IS("lhrl lghrl llhrl llghrl sthrl chrl cghrl clhrl clghrl"))
		return 2;
	return 0;
}

static void make_rr(struct gen *g)
{
	unsigned int r1 = reg1(g), r2 = reg2(g);

	if (IS("bcr basr balr bassm bsm bctr")) {
		uint64_t to = pad_odd(g);

		r2 = rng_percent(R(g), 8) ? 0 : r2;
		if (IS("bassm bsm"))
			to = (to & ~1ull) | rng_percent(R(g), 60) | (rng64(R(g)) & 0x80000000);
		if (IS("bctr") && r1 == r2 && r2)
			r1 ^= 1;
		if (r2)
			pin(g, r2, to);
	}
	g->p[1] = (uint8_t)(r1 << 4 | r2);
}

static void make_rre(struct gen *g)
{
	unsigned int r1 = reg1(g), r2 = reg2(g);

	if (IS("bctgr") && r2)
		pin(g, r2, pad_odd(g));
	g->p[3] = (uint8_t)(r1 << 4 | r2);
}

static void make_rrf(struct gen *g)
{
	unsigned int uses = rrf_uses(g->insn), r3 = 0, m4 = 0;

	if (uses & (USES_R3 | USES_M3))
		r3 = rng_below(R(g), 16);
	if (uses & USES_M3_ROUND)
		r3 = rng_percent(R(g), 90) ? rng_below(R(g), 8) : rng_below(R(g), 16);
	if (uses & USES_M4)
		m4 = rng_percent(R(g), 30) ? rng_below(R(g), 8) : 0;
	g->p[2] = (uint8_t)(r3 << 4 | m4);
	g->p[3] = (uint8_t)(reg1(g) << 4 | reg2(g));
}

static void make_rx(struct gen *g)
{
	bool is_long = g->insn->format == FMT_RXY;
	unsigned int align = alignment(g);
	unsigned int r1 = reg1(g);
	uint64_t at;

	g->p[1] = (uint8_t)(r1 << 4);
	if (IS("bc bas bal bct bctg"))
		at = pad_odd(g);
	else if (IS("la lay lae laey"))
		at = edge64(R(g));
	else
		at = pick(g, 16, align);
	if (IS("bctg bct"))
		g->pinned |= 1u << r1;
	put_xbd(g, at, is_long);
	patch(g, at, 16);
	if (g->insn->format == FMT_RXF)
		g->p[4] = (uint8_t)(rng_below(R(g), 16) << 4);
}

/* Registers R1 to R3 that a load or store multiple moves, in bytes. */
static unsigned int multiple(struct gen *g, unsigned int r1, unsigned int r3)
{
	return ((r3 - r1) % 16 + 1) * (IS("lmg stmg") ? 8 : 4);
}

static void make_rs(struct gen *g)
{
	unsigned int r1 = reg1(g), r3 = reg3(g), len = 8;
	bool is_long = g->insn->format == FMT_RSY;
	uint64_t at;

	g->p[1] = (uint8_t)(r1 << 4 | r3);
	if (IS("bxh bxle bxhg bxleg")) {
		g->pinned |= 1u << r1 | 1u << r3 | 1u << (r3 | 1);
		at = pad_odd(g);
	} else if (IS("sll sllk sllg srl srlk srlg rll rllg sra srak srag sla slak slag sldl srdl "
		      "slda srda")) {
		at = rng_percent(R(g), 70) ? rng_below(R(g), 66) : edge64(R(g));
		if (rng_percent(R(g), 50)) { /* no base: the displacement alone */
			g->p[2] = 0;
			g->p[3] = (uint8_t)at;
			return;
		}
	} else {
		if (IS("lm lmy lmg lmh lam lamy stm stmy stmg stmh stam stamy"))
			len = multiple(g, r1, r3);
		at = pick(g, len, alignment(g));
		patch(g, at, len + 16);
	}
	if (is_long)
		put_bdl(g, at);
	else
		put_bd(g, 2, at);
}

static void put_i16(struct gen *g, unsigned int i)
{
	uint64_t v = edge64(R(g));

	g->p[i] = (uint8_t)(v >> 8);
	g->p[i + 1] = (uint8_t)v;
}

static void make_ri(struct gen *g)
{
	g->p[1] = (uint8_t)((g->p[1] & 15) | any_reg(g, false) << 4);
	if (g->insn->format == FMT_RI_a)
		put_i16(g, 2);
	else
		put_rel16(g, pad(g));
}

static void make_ril(struct gen *g)
{
	uint64_t at;

	g->p[1] = (uint8_t)((g->p[1] & 15) | any_reg(g, false) << 4);
	if (g->insn->format == FMT_RIL_a) {
		uint32_t v = to_be32((uint32_t)edge64(R(g)));

		memcpy(g->p + 2, &v, 4);
		return;
	}
	if (IS("brasl brcl brcth")) {
		put_rel32(g, pad(g));
		return;
	}
	if (IS("larl")) {
		/* QEMU 7.2 loses what the doubled distance needs beyond 32 bits. */
		put_rel32(g, g->addr + (uint64_t)((int64_t)(int32_t)rng64(R(g)) & ~1LL));
		return;
	}
	at = pick(g, 8, alignment(g)) & 0xffffffff;
	at &= ~1ull;
	put_rel32(g, at);
	patch(g, at, 16);
}

static void make_rie(struct gen *g)
{
	uint8_t *p = g->p;

	p[1] = (uint8_t)rng64(R(g));
	switch (g->insn->format) {
	case FMT_RIE_a:
		p[1] &= 0xf0;
		put_i16(g, 2);
		p[4] = (uint8_t)(rng_below(R(g), 16) << 4);
		return;
	case FMT_RIE_b:
		put_rel16(g, pad(g));
		p[4] = (uint8_t)(rng_below(R(g), 16) << 4);
		return;
	case FMT_RIE_c:
		put_rel16(g, pad(g));
		p[4] = (uint8_t)edge64(R(g));
		return;
	case FMT_RIE_f:
		for (unsigned int i = 2; i < 5; i++)
			p[i] = (uint8_t)(rng_below(R(g), 64) | (rng_percent(R(g), 40) ? 0x80 : 0));
		if (!IS("rnsbg rosbg rxsbg"))
			p[2] &= 0x3f;
		else
			p[3] &= 0x3f;
		if (rng_percent(R(g), 95)) /* T; QEMU aborts for some of them */
			p[2] &= 0x3f;
		p[4] &= 0x3f;
		return;
	case FMT_RIS:
		put_bd(g, 2, pad_odd(g));
		p[4] = (uint8_t)edge64(R(g));
		return;
	case FMT_RRS:
		put_bd(g, 2, pad_odd(g));
		p[4] = (uint8_t)(rng_below(R(g), 16) << 4);
		return;
	case FMT_RIE_d:
	case FMT_RIE_g:
		put_i16(g, 2);
		return;
	default: /* RIE_e, RSI */
		put_rel16(g, pad(g));
	}
}

static void make_si(struct gen *g)
{
	uint64_t at = pick(g, 8, 0);

	if (g->insn->format != FMT_SIL)
		g->p[1] = (uint8_t)edge64(R(g));
	if (IS("ts")) /* ignored bits, which QEMU wants to be zero */
		g->p[1] = 0;
	if (IS("asi agsi alsi algsi") && rng_percent(R(g), 70))
		at &= ~7ull;
	if (g->insn->format == FMT_SIY)
		put_bdl(g, at);
	else
		put_bd(g, 2, at);
	if (g->insn->format == FMT_SIL)
		put_i16(g, 4);
	patch(g, at, 16);
}

static void make_ss(struct gen *g)
{
	unsigned int len;
	uint64_t a, b;
	uint8_t *p1, *p2;

	g->p[1] = (uint8_t)(rng_percent(R(g), 60) ? rng_below(R(g), 20) : rng64(R(g)));
	if (g->p[0] >= 0xf0)
		g->p[1] = (uint8_t)rng64(R(g));
	len = g->p[0] >= 0xf0 ? 16 : g->p[1] + 1u;
	a = pick(g, len, 0);
	b = rng_percent(R(g), 30) ? a + rng_below(R(g), 17) - 8 : pick(g, len, 0);
	if (IS("mvcin") && rng_percent(R(g), 90))
		b += len - 1;
	put_bd(g, 2, a);
	put_bd(g, 4, b);
	p1 = patch(g, a, len + 16);
	p2 = patch(g, IS("mvcin") ? b - len + 1 : b, len + 16);
	if (IS("clc") && p1 && p2)
		make_equal(g, p1, p2);
	if (g->p[0] >= 0xf0 && p2 && rng_percent(R(g), 50)) /* digits */
		for (unsigned int i = 0; i < 32; i++)
			p2[i] = (uint8_t)((p2[i] & 0x70) | p2[i] % 10);
}

static void make_s(struct gen *g)
{
	uint64_t at = pick(g, 8, 0);

	put_bd(g, 2, at);
	patch(g, at, 8);
}

static void make_format(struct gen *g)
{
	switch ((enum insn_format)g->insn->format) {
	case FMT_E:
		return;
	case FMT_I:
		g->p[1] = (uint8_t)rng64(R(g));
		return;
	case FMT_RR:
		make_rr(g);
		return;
	case FMT_RRE:
		make_rre(g);
		return;
	case FMT_RRF:
		make_rrf(g);
		return;
	case FMT_RRD:
		g->p[2] = (uint8_t)(rng_below(R(g), 16) << 4);
		g->p[3] = (uint8_t)rng64(R(g));
		return;
	case FMT_RX:
	case FMT_RXY:
	case FMT_RXE:
	case FMT_RXF:
		make_rx(g);
		return;
	case FMT_RS:
	case FMT_RSY:
		make_rs(g);
		return;
	case FMT_RI_a:
	case FMT_RI_b:
	case FMT_RI_c:
		make_ri(g);
		return;
	case FMT_RIL_a:
	case FMT_RIL_b:
	case FMT_RIL_c:
		make_ril(g);
		return;
	case FMT_S:
		make_s(g);
		return;
	case FMT_SI:
	case FMT_SIY:
	case FMT_SIL:
		make_si(g);
		return;
	case FMT_SS:
	case FMT_SSE:
	case FMT_SSF:
		make_ss(g);
		return;
	default:
		make_rie(g);
	}
}

static void make(struct gen *g)
{
	g->extra = 0;
	insn_encode(g->insn, g->p);
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++)
		if (strcmp(shapes[i].mnemonic, g->insn->mnemonic) == 0) {
			shapes[i].make(g);
			return;
		}
	make_format(g);
}

/* --- The table's instructions ------------------------------------------------------------------ */

static const struct {
	const char *mnemonics, *why;
} exclusions[] = {
	{ "svc", "a system call of the reference's Linux" },
	{ "mc", "its monitor masks are in CR8; the reference stops at a monitor event" },
	{ "spka ipk sac sacf iac epar esar ivsk mvck mvcp mvcs mvcsk mvcdk mvcos",
	  "semiprivileged: depends on control registers that a program of Linux does not have" },
	{ "epsw", "stores PSW bits that differ under Linux" },
	{ "stck stckf stcke ectg", "clocks" },
	{ "stfle", "the models differ in facilities" },
	{ "ecag", "the models differ in caches" },
	{ "mvpg", "QEMU 7.2 ends at each access exception of it in user mode" },
	{ "vl vlm vst vstm", "the right halves of vector registers are not part of a case" },
};

const char *excluded(const struct insn *insn)
{
	if (insn->flags & PRIV)
		return "privileged";
	if (!facility_installed(insn->facility))
		return "its facility is not installed: an operation exception";
	for (size_t i = 0; i < ARRAY_SIZE(exclusions); i++)
		if (listed(exclusions[i].mnemonics, insn->mnemonic))
			return exclusions[i].why;
	return NULL;
}

const struct insn *const *candidates(unsigned int *n)
{
	static const struct insn *list[2048];
	static unsigned int count;

	if (!count)
		for (const struct insn *insn = insn_table; insn->mnemonic; insn++)
			if (!excluded(insn))
				list[count++] = insn;
	*n = count;
	return list;
}

/* --- Slots ------------------------------------------------------------------------------------- */

static void brcl(struct diff_case *c, unsigned int offset, uint64_t to)
{
	uint32_t v = to_be32((uint32_t)((int64_t)(to - (c->at + offset)) / 2));

	c->code[offset] = 0xc0;
	c->code[offset + 1] = 0xf4;
	memcpy(c->code + offset + 2, &v, 4);
}

void slot_end(struct diff_case *c, unsigned int offset)
{
	brcl(c, offset, DIFF_END);
}

void slot_frame(struct diff_case *c)
{
	static const uint8_t lmg[] = { 0xeb, 0x0f, 0x10, 0x00, 0x00, 0x04 };

	for (unsigned int i = 0; i < DIFF_PADS_BELOW; i++)
		brcl(c, 6 * i, DIFF_END + 16 * (1 + i));
	for (unsigned int i = 0; i < DIFF_PADS_ABOVE; i++)
		brcl(c, DIFF_PAD_ABOVE + 6 * i, DIFF_END + 16 * (1 + DIFF_PADS_BELOW + i));
	memcpy(c->code + DIFF_LMG, lmg, sizeof(lmg));
	slot_end(c, DIFF_START);
}

/* May EXECUTE change byte 1? Not when it holds a part of the opcode. */
static bool may_modify(struct gen *g)
{
	return (g->insn->opcode <= 0xff || g->p[1] != (uint8_t)g->insn->opcode) &&
	       g->p[0] != 0xa5 && g->p[0] != 0xa7 && (g->p[0] & 0xf0) != 0xc0 &&
	       (g->p[0] & 0xf0) != 0xb0 && g->p[0] != 0xe5 && g->p[0] != 0x93 && g->p[0] != 1;
}

/* EX or EXRL at offset whose target is the instruction of g. */
static unsigned int execute(struct gen *g, unsigned int offset)
{
	bool rel = rng_percent(R(g), 50);
	unsigned int len = insn_length(g->p[0]), r1 = 0;
	uint64_t target = g->addr;
	const uint8_t *p = g->p;
	uint8_t *to = g->c->code + offset;

	if (rng_percent(R(g), 70)) { /* a register that leaves the target as it is */
		r1 = base_reg(g);
		if (!is_pinned(g, r1))
			pin(g, r1,
			    (rng64(R(g)) & ~0xffull) |
				    (may_modify(g) && rng_percent(R(g), 30) ? rng64(R(g)) & 255 :
									      p[1] & rng64(R(g))));
		else
			r1 = 0;
	}
	g->p = to;
	g->addr = g->c->at + offset;
	to[1] = (uint8_t)(r1 << 4);
	if (rel) {
		to[0] = 0xc6;
		put_rel32(g, target);
	} else {
		to[0] = 0x44;
		put_xbd(g, target, false);
	}
	(void)len;
	return rel ? 6 : 4;
}

static bool may_be_target(const struct insn *insn)
{
	return insn->opcode != 0x44 && insn->opcode != 0xc600;
}

void generate(uint64_t seed, uint64_t number, unsigned int slot, struct test *t)
{
	struct gen g = { .rng = { seed * 0xd1342543de82ef95ull + number }, .c = &t->c, .t = t };
	unsigned int n, offset = DIFF_START;
	const struct insn *const *list = candidates(&n);
	unsigned int count;

	rng64(R(&g));
	memset(t, 0, sizeof(*t));
	t->seed = seed;
	t->number = number;
	t->c.at = DIFF_CODE + DIFF_SLOT_STRIDE * slot;
	slot_frame(&t->c);
	assert(n > 0);
	g.insn = list[(number * 7919 + seed) % n];
	random_registers(&g);
	count = rng_percent(R(&g), 85) ? 1 : 2 + rng_below(R(&g), DIFF_INSNS - 1);
	for (unsigned int i = 0; i < count; i++) {
		unsigned int len;
		bool ex;

		if (i)
			g.insn = list[rng_below(R(&g), n)];
		ex = (count == 1 && rng_percent(R(&g), 6)) || !may_be_target(g.insn);
		t->insn[i] = g.insn;
		t->offset[i] = (uint8_t)offset;
		t->count = i + 1;
		if (ex) {
			if (!may_be_target(g.insn))
				do
					g.insn = list[rng_below(R(&g), n)];
				while (!may_be_target(g.insn) && rng_percent(R(&g), 98));
			g.p = t->c.code + DIFF_TARGET;
			g.addr = t->c.at + DIFF_TARGET;
			if (g.insn != t->insn[i])
				t->insn[t->count++] = g.insn;
			make(&g);
			if (g.extra) /* CC 3: execute it once more */
				memset(g.p + insn_length(g.p[0]), 0, 2 * g.extra);
			len = execute(&g, offset);
			if (g.extra) {
				uint8_t *p = t->c.code + offset + len;

				p[0] = 0xa7;
				p[1] = 0x14;
				p[2] = 0xff;
				p[3] = (uint8_t)(-(int)len / 2);
				len += 4;
			}
		} else {
			g.p = t->c.code + offset;
			g.addr = t->c.at + offset;
			make(&g);
			len = insn_length(g.p[0]) + 2 * g.extra;
		}
		offset += len;
		if (offset > DIFF_PAD_ABOVE - 18 || g.patches == DIFF_PATCHES || ex)
			break;
	}
	slot_end(&t->c, offset);
}
