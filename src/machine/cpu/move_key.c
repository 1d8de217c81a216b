// SPDX-License-Identifier: MIT
/*
 * Moves whose operands have another key or address space than the PSW's.
 *
 * The source is looked at first, then the destination; nothing is stored before both are known to
 * be accessible. Overlapping operands are unpredictable for all of these.
 */
#include "handler.h"
#include "insn_proto.h"

#define SHORT_MOVE 256u /* most bytes of MVCK, MVCP, MVCS */

/* How an operand is accessed. */
struct how {
	enum address_space as;
	unsigned int key;
};

static struct how how_psw(const struct cpu *cpu)
{
	return (struct how){ psw_as(cpu), psw_key(cpu) };
}

/* A key as registers hold it: bits 56-59. */
static inline unsigned int key_of(uint64_t v)
{
	return (unsigned int)(v >> 4 & 15);
}

/* The PSW-key mask CR3.32-47 restricts the problem state. */
static void check_key(struct cpu *cpu, const struct slot *s, unsigned int key)
{
	if (problem_state(cpu) && !(cpu->cr[3] >> 16 & 0x8000u >> key))
		RAISE(PGM_PRIVILEGED);
}

static void operand(struct cpu *cpu, const struct slot *s, uint64_t va, uint32_t len,
		    enum access access, struct how how, struct span *out)
{
	struct how psw = how_psw(cpu);
	struct pic pic;

	if (how.as == psw.as && how.key == psw.key) { /* by the TLB */
		mem_span(cpu, s, va, len, access, out);
		return;
	}
	pic = mem_span_as(cpu, va, len, access, how.as, how.key, out);
	if (pic.code)
		RAISE_PIC(pic);
}

static void copy_spans(const struct span *to, const struct span *from)
{
	uint32_t i = 0, j = 0; /* done of the current pieces */
	unsigned int t = 0, f = 0;

	while (t < 2 && f < 2) {
		uint32_t nt = to->n[t] - i, nf = from->n[f] - j, n = nt < nf ? nt : nf;

		if (n)
			memmove(to->p[t] + i, from->p[f] + j, n);
		i += n;
		j += n;
		if (i == to->n[t]) {
			t++;
			i = 0;
		}
		if (j == from->n[f]) {
			f++;
			j = 0;
		}
	}
}

static void move(struct cpu *cpu, const struct slot *s, struct how to, struct how from,
		 uint64_t va1, uint64_t va2, uint32_t len)
{
	struct span dst, src;

	if (!len)
		return;
	operand(cpu, s, va2, len, ACCESS_READ, from, &src);
	operand(cpu, s, va1, len, ACCESS_WRITE, to, &dst);
	copy_spans(&dst, &src);
	mem_span_written(cpu, &dst);
}

/* --- MVCK, MVCP, MVCS ------------------------------------------------------------------------- */

/* Length in R1, up to 256; CC 3 when there is more. Key in R3. */
static NOINLINE void move_short(struct cpu *cpu, const struct slot *s, struct how to,
				struct how from)
{
	uint64_t len = cpu->psw_mask & PSW_EA ? r64(R1) : r32(R1);

	check_key(cpu, s, key_of(r64(R3)));
	move(cpu, s, to, from, EA(), EA_SS2(), len < SHORT_MOVE ? (uint32_t)len : SHORT_MOVE);
	set_cc(len > SHORT_MOVE ? 3 : 0);
}

/*
 * MOVE WITH KEY    MVCK D1(R1,B1),D2(B2),R3    [SS-d]  D9
 * Moves R1 bytes, fetching with the key R3.56-59. CC: 0 true length up to 256, 3 above.
 * Exceptions: access; privileged operation (key not in the PSW-key mask, problem state).
 *                                                              PoP ch. 10, "MOVE WITH KEY"
 */
HANDLER(mvck)
{
	move_short(cpu, s, how_psw(cpu), (struct how){ psw_as(cpu), key_of(r64(R3)) });
	NEXT(3);
}

static void check_two_spaces(struct cpu *cpu, const struct slot *s)
{
	enum address_space as = psw_as(cpu);

	if (!(cpu->psw_mask & PSW_DAT) || !(cpu->cr[0] & CR0_SECONDARY) ||
	    as == AS_ACCESS_REGISTER || as == AS_HOME)
		RAISE(PGM_SPECIAL_OPERATION);
}

/*
 * MOVE TO PRIMARY    MVCP D1(R1,B1),D2(B2),R3    [SS-d]  DA
 * Moves R1 bytes from the secondary space, with the key R3.56-59, to the primary space.
 * CC: 0 true length up to 256, 3 above. Exceptions: access; privileged operation (key);
 * special operation (DAT off, CR0.37 zero, AR or home mode).   PoP ch. 10, "MOVE TO PRIMARY"
 */
HANDLER(mvcp)
{
	check_two_spaces(cpu, s);
	move_short(cpu, s, (struct how){ AS_PRIMARY, psw_key(cpu) },
		   (struct how){ AS_SECONDARY, key_of(r64(R3)) });
	NEXT(3);
}

/*
 * MOVE TO SECONDARY    MVCS D1(R1,B1),D2(B2),R3    [SS-d]  DB
 * Moves R1 bytes from the primary space to the secondary space, there with the key R3.56-59.
 * CC and exceptions as MVCP.                                   PoP ch. 10, "MOVE TO SECONDARY"
 */
HANDLER(mvcs)
{
	check_two_spaces(cpu, s);
	move_short(cpu, s, (struct how){ AS_SECONDARY, key_of(r64(R3)) },
		   (struct how){ AS_PRIMARY, psw_key(cpu) });
	NEXT(3);
}

/* --- MVCSK, MVCDK ----------------------------------------------------------------------------- */

static NOINLINE void move_gr1_key(struct cpu *cpu, const struct slot *s, struct how to,
				  struct how from)
{
	check_key(cpu, s, key_of(r64(1)));
	move(cpu, s, to, from, EA(), EA_SS2(), (uint32_t)(r64(0) & 0xff) + 1);
}

/*
 * MOVE WITH SOURCE KEY    MVCSK D1(B1),D2(B2)    [SSE]  E50E
 * Moves GR0.56-63 + 1 bytes, fetching with the key GR1.56-59. CC unchanged.
 * Exceptions: access; privileged operation (key).              PoP ch. 10, "MOVE WITH SOURCE KEY"
 */
HANDLER(mvcsk)
{
	move_gr1_key(cpu, s, how_psw(cpu), (struct how){ psw_as(cpu), key_of(r64(1)) });
	NEXT(3);
}

/*
 * MOVE WITH DESTINATION KEY    MVCDK D1(B1),D2(B2)    [SSE]  E50F
 * Moves GR0.56-63 + 1 bytes, storing with the key GR1.56-59. CC unchanged.
 * Exceptions: access; privileged operation (key).
 *                                                 PoP ch. 10, "MOVE WITH DESTINATION KEY"
 */
HANDLER(mvcdk)
{
	move_gr1_key(cpu, s, (struct how){ psw_as(cpu), key_of(r64(1)) }, how_psw(cpu));
	NEXT(3);
}

/* --- MVCOS ------------------------------------------------------------------------------------ */

#define MVCOS_BYTES 4096u

/* Operand-access control: a halfword of GR0. */
#define OAC_KEY(oac) ((unsigned int)(oac) >> 12 & 15)
#define OAC_AS(oac)  ((enum address_space)((oac) >> 6 & 3))
#define OAC_K	     2u /* bit 14: the key is valid */
#define OAC_A	     1u /* bit 15: the address space is valid */

static struct how how_oac(const struct cpu *cpu, uint16_t oac)
{
	struct how how = how_psw(cpu);

	if (oac & OAC_A)
		how.as = OAC_AS(oac);
	if (oac & OAC_K)
		how.key = OAC_KEY(oac);
	return how;
}

static NOINLINE void move_optional(struct cpu *cpu, const struct slot *s)
{
	uint16_t oac1 = (uint16_t)(r64(0) >> 16), oac2 = (uint16_t)r64(0);
	struct how to = how_oac(cpu, oac1), from = how_oac(cpu, oac2);
	uint64_t len = cpu->psw_mask & PSW_EA ? r64(R3) : r32(R3);

	if (!(cpu->psw_mask & PSW_DAT))
		RAISE(PGM_SPECIAL_OPERATION);
	if (oac1 & OAC_A && to.as == AS_HOME && problem_state(cpu))
		RAISE(PGM_SPECIAL_OPERATION);
	if ((to.as == AS_SECONDARY || from.as == AS_SECONDARY) && !(cpu->cr[0] & CR0_SECONDARY))
		RAISE(PGM_SPECIAL_OPERATION);
	if (oac1 & OAC_K)
		check_key(cpu, s, to.key);
	if (oac2 & OAC_K)
		check_key(cpu, s, from.key);
	move(cpu, s, to, from, EA(), EA_SS2(), len < MVCOS_BYTES ? (uint32_t)len : MVCOS_BYTES);
	set_cc(len > MVCOS_BYTES ? 3 : 0);
}

/*
 * MOVE WITH OPTIONAL SPECIFICATIONS    MVCOS D1(B1),D2(B2),R3    [SSF]  C8-0
 * Moves R3 bytes, up to 4096; GR0.32-47 gives key and address space of the first operand,
 * GR0.48-63 of the second. CC: 0 all moved, 3 length above 4096. Exceptions: access; privileged
 * operation (key); special operation (DAT off; secondary space with CR0.37 zero; home space for
 * the first operand in the problem state).
 *                                             PoP ch. 10, "MOVE WITH OPTIONAL SPECIFICATIONS"
 */
HANDLER(mvcos)
{
	move_optional(cpu, s);
	NEXT(3);
}

/* --- MVPG ------------------------------------------------------------------------------------- */

#define MVPG_RESERVED 0xf000u /* GR0.48-51 */
#define MVPG_KEY1     0x800u  /* GR0.52: the key is for the first operand */
#define MVPG_KEY2     0x400u  /* GR0.53: the key is for the second operand */
#define MVPG_CCO      0x100u  /* GR0.55: condition-code option */

/* True when the CC tells of a page-translation exception, instead of an interruption. */
static bool mvpg_failed(struct cpu *cpu, const struct slot *s, struct pic pic)
{
	if (!pic.code)
		return false;
	if (pic.code == PGM_PAGE && pic.level == cpu->level) {
		if (r64(0) & MVPG_CCO)
			return true;
		pic.eai = (uint8_t)(R1 << 4 | R2); /* stored at 0xa2 */
	}
	RAISE_PIC(pic);
}

static NOINLINE void move_page(struct cpu *cpu, const struct slot *s)
{
	uint64_t va1 = ADDR(r64(R1)) & ~0xfffull, va2 = ADDR(r64(R2)) & ~0xfffull;
	struct how to = how_psw(cpu), from = how_psw(cpu);
	uint32_t keys = r32(0) & (MVPG_KEY1 | MVPG_KEY2);
	struct span dst, src;
	struct pic pic;

	if (r32(0) & MVPG_RESERVED || keys == (MVPG_KEY1 | MVPG_KEY2))
		RAISE(PGM_SPECIFICATION);
	if (keys)
		check_key(cpu, s, key_of(r64(0)));
	if (keys == MVPG_KEY1)
		to.key = key_of(r64(0));
	if (keys == MVPG_KEY2)
		from.key = key_of(r64(0));
	pic = mem_span_as(cpu, va2, PAGE_BYTES, ACCESS_READ, from.as, from.key, &src);
	if (mvpg_failed(cpu, s, pic)) {
		set_cc(2);
		return;
	}
	pic = mem_span_as(cpu, va1, PAGE_BYTES, ACCESS_WRITE, to.as, to.key, &dst);
	if (mvpg_failed(cpu, s, pic)) {
		set_cc(1);
		return;
	}
	memmove(dst.p[0], src.p[0], PAGE_BYTES);
	mem_span_written(cpu, &dst);
	set_cc(0);
}

/*
 * MOVE PAGE    MVPG R1,R2    [RRE]  B254
 * Moves the page at R2 to R1; GR0 holds options. CC: 0 moved; with the condition-code option 1
 * destination invalid, 2 source invalid. Exceptions: access; privileged operation (key);
 * specification (GR0.48-51 not zero, GR0.52 and 53 both one).  PoP ch. 10, "MOVE PAGE"
 */
HANDLER(mvpg)
{
	move_page(cpu, s);
	NEXT(2);
}
