// SPDX-License-Identifier: MIT
/*
 * Operands of any length in registers: long moves and compares, strings, CHECKSUM, UTF.
 *
 * Work proceeds in runs, which end with a page of any operand. Instructions that only fetch
 * update their registers at the end; those that store do so after each run, so that an access
 * exception leaves a state from which the instruction goes on. MVCL and CLCL are interruptible;
 * the others end with CC 3 after STEP_BYTES.
 *
 * In the 24-bit and 31-bit modes bits 0-31 of registers stay, and an address that is put into a
 * register makes the bits of its word that the mode does not use zero.
 */
#include "handler.h"
#include "insn_proto.h"

#define STEP_BYTES  4096u
#define MVCL_LENGTH 0xffffffull

/* --- Operands in register pairs --------------------------------------------------------------- */

struct operand {
	uint64_t va, len;
};

static inline bool mode64(const struct cpu *cpu)
{
	return cpu->psw_mask & PSW_EA;
}

static inline void put_addr(struct cpu *cpu, unsigned int r, uint64_t va)
{
	if (mode64(cpu))
		set_r64(r, va);
	else
		set_r32(r, ADDR(va));
}

static inline struct operand get_operand(const struct cpu *cpu, unsigned int r)
{
	return (struct operand){ ADDR(r64(r)), mode64(cpu) ? r64(r + 1) : r32(r + 1) };
}

static inline void put_operand(struct cpu *cpu, unsigned int r, struct operand o)
{
	put_addr(cpu, r, o.va);
	if (mode64(cpu))
		set_r64(r + 1, o.len);
	else
		set_r32(r + 1, o.len);
}

/* The same with the 24-bit lengths of MVCL and CLCL. */
static inline struct operand get_operand24(const struct cpu *cpu, unsigned int r)
{
	return (struct operand){ ADDR(r64(r)), r64(r + 1) & MVCL_LENGTH };
}

static inline void put_operand24(struct cpu *cpu, unsigned int r, struct operand o)
{
	put_addr(cpu, r, o.va);
	set_r64(r + 1, (r64(r + 1) & ~MVCL_LENGTH) | o.len);
}

static inline void advance(const struct cpu *cpu, struct operand *o, uint32_t n)
{
	o->va = ADDR(o->va + n);
	o->len -= n;
}

/* n, limited by the page that va is in. */
static inline uint32_t run(uint64_t va, uint64_t n)
{
	uint32_t rest = 4096 - (uint32_t)(va & 4095);

	return n < rest ? (uint32_t)n : rest;
}

static const uint8_t *read_run(struct cpu *cpu, const struct slot *s, uint64_t va, uint32_t n)
{
	struct span span;

	mem_span(cpu, s, va, n, ACCESS_READ, &span);
	return span.p[0];
}

/* The GR0 of string instructions: one byte; bits 32-55 must be zero. */
static uint8_t byte_of_gr0(struct cpu *cpu, const struct slot *s)
{
	if (r32(0) & 0xffffff00u)
		RAISE(PGM_SPECIFICATION);
	return (uint8_t)r64(0);
}

/* How many bytes are equal before the first difference. */
static uint32_t equal_run(const uint8_t *a, const uint8_t *b, uint32_t n)
{
	uint64_t x, y;
	uint32_t i;

	for (i = 0; i + 8 <= n; i += 8) {
		memcpy(&x, a + i, 8);
		memcpy(&y, b + i, 8);
		if (x != y)
			break;
	}
	while (i < n && a[i] == b[i])
		i++;
	return i;
}

static uint32_t equal_pad(const uint8_t *a, uint8_t pad, uint32_t n)
{
	uint32_t i = 0;

	while (i < n && a[i] == pad)
		i++;
	return i;
}

/* --- MVCL, MVCLE ------------------------------------------------------------------------------ */

/* CC of a move: 0 lengths equal, 1 first shorter, 2 first longer. */
static inline uint8_t length_cc(uint64_t a, uint64_t b)
{
	return (uint8_t)((a != b) + (a > b));
}

/* Moves or pads one run; to->len is not zero. Returns its length. */
static NOINLINE uint32_t move_step(struct cpu *cpu, const struct slot *s, struct operand *to,
				   struct operand *from, uint8_t pad)
{
	uint32_t n = run(to->va, to->len);
	const uint8_t *p = NULL;
	struct span span;

	if (from->len) {
		n = run(from->va, from->len < n ? from->len : n);
		p = read_run(cpu, s, from->va, n);
	}
	mem_span(cpu, s, to->va, n, ACCESS_WRITE, &span);
	if (p) {
		memmove(span.p[0], p, n);
		advance(cpu, from, n);
	} else {
		memset(span.p[0], pad, n);
	}
	mem_span_written(cpu, &span);
	advance(cpu, to, n);
	return n;
}

/* Would a byte be fetched after something was moved into it? By logical addresses. */
static bool overlap_destroys(const struct cpu *cpu, struct operand to, struct operand from)
{
	uint64_t len = to.len < from.len ? to.len : from.len;
	uint64_t behind = ADDR(to.va - from.va);

	return behind && behind < len;
}

/*
 * MOVE LONG    MVCL R1,R2    [RR]  0E
 * Moves from R2 (length R2+1.40-63) to R1 (length R1+1.40-63), padding with R2+1.32-39.
 * Interruptible. CC: 0 lengths equal, 1 first shorter, 2 first longer, 3 destructive overlap.
 * Exceptions: access; specification (R1 or R2 odd).            PoP ch. 7, "MOVE LONG"
 */
HANDLER(mvcl)
{
	struct operand to = get_operand24(cpu, R1), from = get_operand24(cpu, R2);
	uint8_t pad = (uint8_t)(r64(R2 + 1) >> 24), cc = length_cc(to.len, from.len);

	if (overlap_destroys(cpu, to, from))
		cc = 3;
	else if (to.len)
		move_step(cpu, s, &to, &from, pad);
	put_operand24(cpu, R2, from);
	put_operand24(cpu, R1, to);
	if (to.len && cc != 3)
		AGAIN();
	set_cc(cc);
	NEXT(1);
}

static NOINLINE void move_long_extended(struct cpu *cpu, const struct slot *s)
{
	struct operand to = get_operand(cpu, R1), from = get_operand(cpu, R3);
	uint8_t pad = (uint8_t)EA(), cc = length_cc(to.len, from.len);

	for (uint32_t done = 0; to.len && done < STEP_BYTES;) {
		done += move_step(cpu, s, &to, &from, pad);
		put_operand(cpu, R3, from);
		put_operand(cpu, R1, to);
	}
	set_cc(to.len ? 3 : cc);
}

/*
 * MOVE LONG EXTENDED    MVCLE R1,R3,D2(B2)    [RS-a]  A8
 * Moves from R3 (length in R3+1) to R1 (length in R1+1), padding with bits 56-63 of the
 * second-operand address. CC: 0 lengths equal, 1 first shorter, 2 first longer, 3 not all moved.
 * Exceptions: access; specification (R1 or R3 odd).            PoP ch. 7, "MOVE LONG EXTENDED"
 */
HANDLER(mvcle)
{
	move_long_extended(cpu, s);
	NEXT(2);
}

/* --- CLCL, CLCLE ------------------------------------------------------------------------------ */

/*
 * Compares one run, not both operands empty, and passes over its equal bytes. Returns the
 * condition code, 0 also when more is left.
 */
static NOINLINE uint8_t compare_step(struct cpu *cpu, const struct slot *s, struct operand *a,
				     struct operand *b, uint8_t pad)
{
	uint32_t n = 4096, same;
	const uint8_t *p = NULL, *q = NULL;
	uint8_t x, y;

	if (a->len)
		n = run(a->va, a->len);
	if (b->len)
		n = run(b->va, b->len < n ? b->len : n);
	if (b->len)
		q = read_run(cpu, s, b->va, n);
	if (a->len)
		p = read_run(cpu, s, a->va, n);
	same = p && q ? equal_run(p, q, n) : equal_pad(p ? p : q, pad, n);
	if (p)
		advance(cpu, a, same);
	if (q)
		advance(cpu, b, same);
	if (same == n)
		return 0;
	x = p ? p[same] : pad;
	y = q ? q[same] : pad;
	return (uint8_t)((x != y) + (x > y));
}

/*
 * COMPARE LOGICAL LONG    CLCL R1,R2    [RR]  0F
 * Operands as for MVCL, the shorter extended by the pad byte; addresses and lengths are left at
 * the unequal byte. Interruptible. CC: 0 equal, 1 first low, 2 first high.
 * Exceptions: access; specification (R1 or R2 odd).            PoP ch. 7, "COMPARE LOGICAL LONG"
 */
HANDLER(clcl)
{
	struct operand a = get_operand24(cpu, R1), b = get_operand24(cpu, R2);
	uint8_t pad = (uint8_t)(r64(R2 + 1) >> 24), cc = 0;

	if (a.len | b.len)
		cc = compare_step(cpu, s, &a, &b, pad);
	put_operand24(cpu, R1, a);
	put_operand24(cpu, R2, b);
	if (!cc && a.len | b.len)
		AGAIN();
	set_cc(cc);
	NEXT(1);
}

static NOINLINE void compare_long_extended(struct cpu *cpu, const struct slot *s)
{
	struct operand a = get_operand(cpu, R1), b = get_operand(cpu, R3);
	uint64_t longest = a.len > b.len ? a.len : b.len;
	uint64_t stop = longest > STEP_BYTES ? longest - STEP_BYTES : 0;
	uint8_t pad = (uint8_t)EA(), cc = 0;

	while (!cc && (a.len > stop || b.len > stop))
		cc = compare_step(cpu, s, &a, &b, pad);
	put_operand(cpu, R1, a);
	put_operand(cpu, R3, b);
	set_cc(!cc && a.len | b.len ? 3 : cc);
}

/*
 * COMPARE LOGICAL LONG EXTENDED    CLCLE R1,R3,D2(B2)    [RS-a]  A9
 * Operands as for MVCLE. CC: 0 equal, 1 first low, 2 first high, 3 equal so far.
 * Exceptions: access; specification (R1 or R3 odd).
 *                                                 PoP ch. 7, "COMPARE LOGICAL LONG EXTENDED"
 */
HANDLER(clcle)
{
	compare_long_extended(cpu, s);
	NEXT(2);
}

/* --- SRST, MVST, CLST ------------------------------------------------------------------------- */

static NOINLINE void search_string(struct cpu *cpu, const struct slot *s)
{
	uint8_t byte = byte_of_gr0(cpu, s);
	uint64_t va = ADDR(r64(R2)), end = ADDR(r64(R1));

	for (uint32_t n, done = 0; va != end; va = ADDR(va + n), done += n) {
		const uint8_t *p, *hit;

		if (done >= STEP_BYTES) {
			put_addr(cpu, R2, va);
			set_cc(3);
			return;
		}
		n = run(va, ADDR(end - va));
		p = read_run(cpu, s, va, n);
		hit = memchr(p, byte, n);
		if (hit) {
			put_addr(cpu, R1, va + (uint64_t)(hit - p));
			set_cc(1);
			return;
		}
	}
	set_cc(2);
}

/*
 * SEARCH STRING    SRST R1,R2    [RRE]  B25E
 * Searches from R2 up to before R1 for the byte GR0.56-63. CC: 1 found, R1 is its address;
 * 2 not found; 3 not in the part before R2, which is advanced.
 * Exceptions: access; specification (GR0.32-55 not zero).      PoP ch. 7, "SEARCH STRING"
 */
HANDLER(srst)
{
	search_string(cpu, s);
	NEXT(2);
}

static NOINLINE void move_string(struct cpu *cpu, const struct slot *s)
{
	uint8_t end = byte_of_gr0(cpu, s);
	uint64_t to = ADDR(r64(R1)), from = ADDR(r64(R2));

	for (uint32_t n, done = 0; done < STEP_BYTES; done += n) {
		const uint8_t *p, *hit;
		struct span span;

		n = run(to, run(from, 4096));
		p = read_run(cpu, s, from, n);
		hit = memchr(p, end, n);
		if (hit)
			n = (uint32_t)(hit - p) + 1;
		mem_span(cpu, s, to, n, ACCESS_WRITE, &span);
		memmove(span.p[0], p, n);
		mem_span_written(cpu, &span);
		if (hit) {
			put_addr(cpu, R1, to + n - 1);
			set_cc(1);
			return;
		}
		to = ADDR(to + n);
		from = ADDR(from + n);
		put_addr(cpu, R1, to);
		put_addr(cpu, R2, from);
	}
	set_cc(3);
}

/*
 * MOVE STRING    MVST R1,R2    [RRE]  B255
 * Moves from R2 to R1 up to and with the ending character GR0.56-63. CC: 1 moved, R1 is the
 * address of the ending character; 3 not all moved, R1 and R2 are advanced.
 * Exceptions: access; specification (GR0.32-55 not zero).      PoP ch. 7, "MOVE STRING"
 */
HANDLER(mvst)
{
	move_string(cpu, s);
	NEXT(2);
}

/* The string that ends first is the low one. */
static uint8_t string_cc(uint8_t a, uint8_t b, uint8_t end)
{
	if (a == end)
		return 1;
	return b == end || a > b ? 2 : 1;
}

static NOINLINE void compare_string(struct cpu *cpu, const struct slot *s)
{
	uint8_t end = byte_of_gr0(cpu, s), cc = 3;
	uint64_t a = ADDR(r64(R1)), b = ADDR(r64(R2));

	for (uint32_t done = 0; done < STEP_BYTES && cc == 3;) {
		uint32_t n = run(a, run(b, 4096)), same;
		const uint8_t *q = read_run(cpu, s, b, n), *p = read_run(cpu, s, a, n);

		same = equal_run(p, q, n);
		if (memchr(p, end, same)) {
			set_cc(0); /* registers unchanged */
			return;
		}
		if (same < n)
			cc = string_cc(p[same], q[same], end);
		a = ADDR(a + same);
		b = ADDR(b + same);
		done += same;
	}
	put_addr(cpu, R1, a);
	put_addr(cpu, R2, b);
	set_cc(cc);
}

/*
 * COMPARE LOGICAL STRING    CLST R1,R2    [RRE]  B25D
 * Compares strings that end with GR0.56-63. CC: 0 equal, registers unchanged; 1 first low, 2
 * first high, R1 and R2 designate the unequal bytes; 3 equal so far, R1 and R2 are advanced.
 * Exceptions: access; specification (GR0.32-55 not zero).      PoP ch. 7, "COMPARE LOGICAL STRING"
 */
HANDLER(clst)
{
	compare_string(cpu, s);
	NEXT(2);
}

/* --- CUSE ------------------------------------------------------------------------------------- */

/* Lengths are signed; a negative one means no bytes. */
static struct operand get_signed(const struct cpu *cpu, unsigned int r)
{
	struct operand o = get_operand(cpu, r);

	if (o.len >> (mode64(cpu) ? 63 : 31))
		o.len = 0;
	return o;
}

static uint8_t cuse_byte(struct cpu *cpu, const struct slot *s, struct operand *o)
{
	uint8_t byte;

	if (!o->len)
		return (uint8_t)r64(1);
	byte = load8(o->va);
	advance(cpu, o, 1);
	return byte;
}

static NOINLINE void compare_until_equal(struct cpu *cpu, const struct slot *s)
{
	struct operand a = get_signed(cpu, R1), b = get_signed(cpu, R2);
	struct operand a_equal = a, b_equal = b; /* where the run of equal bytes began */
	uint32_t wanted = byte_of_gr0(cpu, s), equal = 0;

	if (!wanted || !(a.len | b.len)) {
		set_cc(wanted ? 2 : 0);
		return;
	}
	for (uint32_t done = 0; equal < wanted && a.len | b.len; done++) {
		struct operand a_at = a, b_at = b;

		if (!equal && done >= STEP_BYTES)
			break;
		if (cuse_byte(cpu, s, &a) != cuse_byte(cpu, s, &b)) {
			equal = 0;
			continue;
		}
		if (!equal++) {
			a_equal = a_at;
			b_equal = b_at;
		}
	}
	put_operand(cpu, R1, equal ? a_equal : a);
	put_operand(cpu, R2, equal ? b_equal : b);
	if (equal)
		set_cc(equal < wanted);
	else
		set_cc(a.len | b.len ? 3 : 2);
}

/*
 * COMPARE UNTIL SUBSTRING EQUAL    CUSE R1,R2    [RRE]  B257
 * Compares the operands (lengths in R1+1, R2+1; pad byte GR1.56-63) until GR0.56-63 consecutive
 * bytes are equal. CC: 0 found, 1 the last bytes are equal but too few, 2 the last bytes are
 * unequal, 3 not all compared, the last bytes are unequal. With CC 0 and 1 the registers
 * designate the beginning of the equal bytes.
 * Exceptions: access; specification (R1 or R2 odd, GR0.32-55 not zero).
 *                                                 PoP ch. 7, "COMPARE UNTIL SUBSTRING EQUAL"
 */
HANDLER(cuse)
{
	compare_until_equal(cpu, s);
	NEXT(2);
}

/* --- CKSM ------------------------------------------------------------------------------------- */

static uint64_t sum_words(const uint8_t *p, uint32_t n)
{
	uint64_t sum = 0;
	uint32_t word;

	for (uint32_t i = 0; i < n; i += 4) {
		memcpy(&word, p + i, 4);
		sum += swap32(word);
	}
	return sum;
}

/* One to three bytes, with zeros appended on the right. */
static uint32_t last_word(struct cpu *cpu, const struct slot *s, struct operand o)
{
	uint32_t word = 0;

	for (uint32_t i = 0; i < o.len; i++)
		word |= (uint32_t)load8(ADDR(o.va + i)) << (24 - 8 * i);
	return word;
}

static NOINLINE void checksum(struct cpu *cpu, const struct slot *s)
{
	struct operand o = get_operand(cpu, R2);
	uint64_t sum = r32(R1);

	for (uint32_t n, done = 0; o.len && done < STEP_BYTES; done += n) {
		n = run(o.va, o.len) & ~3u;
		if (n) {
			sum += sum_words(read_run(cpu, s, o.va, n), n);
		} else if (o.len >= 4) { /* a word in two pages */
			n = 4;
			sum += load32(o.va);
		} else {
			n = (uint32_t)o.len;
			sum += last_word(cpu, s, o);
		}
		advance(cpu, &o, n);
	}
	while (sum >> 32)
		sum = (sum & 0xffffffffu) + (sum >> 32);
	put_operand(cpu, R2, o);
	set_r32(R1, sum);
	set_cc(o.len ? 3 : 0);
}

/*
 * CHECKSUM    CKSM R1,R2    [RRE]  B241
 * Adds the words at R2 (length in R2+1) to R1.32-63 with end-around carry; an incomplete last
 * word is padded on the right. CC: 0 all, 3 not all added.
 * Exceptions: access; specification (R2 odd).                  PoP ch. 7, "CHECKSUM"
 */
HANDLER(cksm)
{
	checksum(cpu, s);
	NEXT(2);
}

/* --- CUTFU, CUUTF ----------------------------------------------------------------------------- */

/*
 * One character to be converted. Without the enhancement of facility 30 well-formedness is not
 * checked: continuation bytes and low surrogates may have any leftmost bits.
 */
struct character {
	uint32_t code;
	uint32_t len; /* in the source; 0: the source does not hold all of it */
	bool invalid;
};

static struct character fetch_utf8(struct cpu *cpu, const struct slot *s, struct operand o)
{
	uint8_t first = load8(o.va);
	struct character c = { .code = first, .len = 1 };

	if (first < 0x80)
		return c;
	if (first < 0xc0 || first >= 0xf8) {
		c.invalid = true;
		return c;
	}
	c.len = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	c.code = first & (0x7fu >> c.len);
	if (o.len < c.len) {
		c.len = 0;
		return c;
	}
	for (uint32_t i = 1; i < c.len; i++)
		c.code = c.code << 6 | (load8(ADDR(o.va + i)) & 0x3f);
	return c;
}

static struct character fetch_utf16(struct cpu *cpu, const struct slot *s, struct operand o)
{
	struct character c = { .len = 2 };

	if (o.len < 2)
		return (struct character){ .len = 0 };
	c.code = load16(o.va);
	if ((c.code & 0xfc00) != 0xd800)
		return c;
	if (o.len < 4)
		return (struct character){ .len = 0 };
	c.len = 4;
	c.code = ((c.code >> 6 & 15) + 1) << 16 | (c.code & 0x3f) << 10 |
		 (load16(ADDR(o.va + 2)) & 0x3ff);
	return c;
}

/* Store the character and return its length; 0 when there is no room for it. */
static uint32_t store_utf16(struct cpu *cpu, const struct slot *s, struct operand o, uint32_t code)
{
	uint32_t len = code > 0xffff ? 4 : 2, high;

	if (o.len < len)
		return 0;
	high = 0xd800 | (((code >> 16) - 1) & 15) << 6 | (code >> 10 & 0x3f);
	if (len == 2)
		store16(o.va, code);
	else
		store32(o.va, high << 16 | 0xdc00 | (code & 0x3ff));
	return len;
}

static uint32_t store_utf8(struct cpu *cpu, const struct slot *s, struct operand o, uint32_t code)
{
	static const uint8_t lead[5] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	uint32_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	uint8_t bytes[4];
	struct span span;

	if (o.len < len)
		return 0;
	for (uint32_t i = len; i-- > 1; code >>= 6)
		bytes[i] = (uint8_t)(0x80 | (code & 0x3f));
	bytes[0] = (uint8_t)(lead[len] | code);
	mem_span(cpu, s, o.va, len, ACCESS_WRITE, &span);
	memcpy(span.p[0], bytes, span.n[0]);
	if (span.n[1])
		memcpy(span.p[1], bytes + span.n[0], span.n[1]);
	mem_span_written(cpu, &span);
	return len;
}

/* CC: 0 source used up, 1 destination full, 2 invalid character, 3 not all converted. */
static NOINLINE uint8_t convert_utf(struct cpu *cpu, const struct slot *s, bool from_utf8)
{
	struct operand to = get_operand(cpu, R1), from = get_operand(cpu, R2);

	for (uint32_t done = 0, n; from.len; done += n) {
		struct character c;

		if (done >= STEP_BYTES)
			return 3;
		c = from_utf8 ? fetch_utf8(cpu, s, from) : fetch_utf16(cpu, s, from);
		if (c.invalid)
			return 2;
		if (!c.len)
			return 0;
		n = from_utf8 ? store_utf16(cpu, s, to, c.code) : store_utf8(cpu, s, to, c.code);
		if (!n)
			return 1;
		advance(cpu, &to, n);
		advance(cpu, &from, c.len);
		put_operand(cpu, R1, to);
		put_operand(cpu, R2, from);
	}
	return 0;
}

/*
 * CONVERT UTF-8 TO UTF-16    CUTFU R1,R2    [RRF-c]  B2A7  (also CU12)
 * From R2 (length in R2+1) to R1 (length in R1+1). M3 is ignored without facility 30.
 * Exceptions: access; specification (R1 or R2 odd).            PoP ch. 7, "CONVERT UTF-8 TO UTF-16"
 */
HANDLER(cutfu)
{
	set_cc(convert_utf(cpu, s, true));
	NEXT(2);
}

/*
 * CONVERT UTF-16 TO UTF-8    CUUTF R1,R2    [RRF-c]  B2A6  (also CU21)
 * As CUTFU, the other way.                                     PoP ch. 7, "CONVERT UTF-16 TO UTF-8"
 */
HANDLER(cuutf)
{
	set_cc(convert_utf(cpu, s, false));
	NEXT(2);
}
