// SPDX-License-Identifier: MIT
/*
 * PERFORM LOCKED OPERATION: 24 functions, which are six operations in four forms.
 *
 * Form 0 has operands of 4 bytes and form 2 of 8 bytes, with comparison and replacement values in
 * registers; forms 1 (8 bytes) and 3 (16 bytes) have them in a parameter list. The architecture
 * interlocks such an instruction only with others of its kind, so a lock around it suffices.
 *
 * Parameter list: values lie right-aligned in fields of 16 bytes, addresses in doublewords.
 */
#include <pthread.h>

#include "handler.h"
#include "insn_proto.h"

typedef unsigned __int128 u128;

#define PLO_RESERVED 0xfffffe00u /* GR0.32-54 */
#define PLO_TEST     0x100u	 /* GR0.55 */
#define PLO_CODES    24u
#define LIST_ALIGN   8u

enum plo_operation { PLO_CL, PLO_CS, PLO_DCS, PLO_CSST, PLO_CSDST, PLO_CSTST };

enum plo_field {
	LIST_1_COMPARE = 0,
	LIST_1_REPLACE = 16,
	LIST_3_COMPARE = 32, /* CL: operand 3 */
	LIST_3 = 48,	     /* DCS: replacement value */
	LIST_4_ADDR = 72,
	LIST_5 = 80,
	LIST_6_ADDR = 104,
	LIST_7 = 112,
	LIST_8_ADDR = 136,
};

#define MAX_STORES 4u

/* An operand in storage: one piece, or two doublewords. */
struct place {
	uint8_t *p[2];
};

struct plo {
	enum plo_operation op;
	bool in_list; /* comparison and replacement values are in the parameter list */
	unsigned int size;
	uint64_t list;
	struct place op2, op4;
	struct place compare1_at, compare3_at; /* in_list */
	u128 compare1, compare3;
	struct { /* in this order when the comparison is equal */
		struct place at;
		u128 v;
	} stores[MAX_STORES];
	unsigned int nstores;
	u128 seen; /* result: what replaces a comparison value, or operand 3 of CL */
};

/* This is no state of a machine: two machines that share it only wait a little longer. */
static pthread_mutex_t plo_lock = PTHREAD_MUTEX_INITIALIZER;

/* --- Storage ---------------------------------------------------------------------------------- */

static struct place locate(struct cpu *cpu, const struct slot *s, const struct plo *plo,
			   uint64_t va, enum access access)
{
	unsigned int piece = plo->size == 16 ? 8 : plo->size;
	struct place at = { 0 };
	struct span span;

	for (unsigned int i = 0; i < plo->size / piece; i++) {
		mem_span(cpu, s, ADDR(va + 8 * i), piece, access, &span);
		at.p[i] = span.p[0];
	}
	return at;
}

static struct place locate_operand(struct cpu *cpu, const struct slot *s, const struct plo *plo,
				   uint64_t va, enum access access)
{
	if (va & (plo->size - 1))
		RAISE(PGM_SPECIFICATION);
	return locate(cpu, s, plo, va, access);
}

static uint64_t field_addr(const struct cpu *cpu, const struct plo *plo, enum plo_field field)
{
	return ADDR(plo->list + (unsigned int)field + 16 - plo->size);
}

static u128 fetch(const struct plo *plo, struct place at)
{
	uint64_t high;

	if (plo->size == 4)
		return swap32(__atomic_load_n((uint32_t *)(void *)at.p[0], __ATOMIC_SEQ_CST));
	high = swap64(__atomic_load_n((uint64_t *)(void *)at.p[0], __ATOMIC_SEQ_CST));
	if (plo->size == 8)
		return high;
	return (u128)high << 64 |
	       swap64(__atomic_load_n((uint64_t *)(void *)at.p[1], __ATOMIC_SEQ_CST));
}

static void store(const struct plo *plo, struct place at, u128 v)
{
	uint64_t low = swap64((uint64_t)v);

	if (plo->size == 4) {
		__atomic_store_n((uint32_t *)(void *)at.p[0], swap32((uint32_t)v),
				 __ATOMIC_SEQ_CST);
		return;
	}
	if (plo->size == 16)
		__atomic_store_n((uint64_t *)(void *)at.p[0], swap64((uint64_t)(v >> 64)),
				 __ATOMIC_SEQ_CST);
	__atomic_store_n((uint64_t *)(void *)at.p[plo->size == 16], low, __ATOMIC_SEQ_CST);
}

static void tell(struct cpu *cpu, const struct plo *plo, struct place at)
{
	for (unsigned int i = 0; i < 2 && at.p[i]; i++)
		mem_interlocked_done(cpu, at.p[i], plo->size == 16 ? 8 : plo->size);
}

/* --- Operands --------------------------------------------------------------------------------- */

static u128 reg(const struct cpu *cpu, const struct plo *plo, unsigned int r)
{
	return plo->size == 4 ? r32(r) : r64(r);
}

static void set_reg(struct cpu *cpu, const struct plo *plo, unsigned int r, u128 v)
{
	if (plo->size == 4)
		set_r32(r, v);
	else
		set_r64(r, (uint64_t)v);
}

static u128 field(struct cpu *cpu, const struct slot *s, const struct plo *plo,
		  enum plo_field field)
{
	return fetch(plo, locate(cpu, s, plo, field_addr(cpu, plo, field), ACCESS_READ));
}

/* Operand 4, 6 or 8 by its address in the list. */
static struct place by_list(struct cpu *cpu, const struct slot *s, const struct plo *plo,
			    enum plo_field field, enum access access)
{
	uint64_t va = ADDR(load64(ADDR(plo->list + (unsigned int)field)));

	return locate_operand(cpu, s, plo, va, access);
}

static void add_store(struct plo *plo, struct place at, u128 v)
{
	plo->stores[plo->nstores].at = at;
	plo->stores[plo->nstores++].v = v;
}

/* Operand 4 of CL, DCS and CSST, and the values that go with it. */
static void find_op4(struct cpu *cpu, const struct slot *s, struct plo *plo)
{
	enum access access = plo->op == PLO_CL ? ACCESS_READ : ACCESS_WRITE;
	uint64_t at3 = field_addr(cpu, plo, LIST_3_COMPARE);
	u128 v;

	plo->op4 = plo->in_list ? by_list(cpu, s, plo, LIST_4_ADDR, access) :
				  locate_operand(cpu, s, plo, plo->list, access);
	if (plo->op == PLO_CSST) {
		v = plo->in_list ? field(cpu, s, plo, LIST_3) : reg(cpu, plo, R3);
		add_store(plo, plo->op4, v);
		return;
	}
	if (plo->in_list)
		plo->compare3_at = locate(cpu, s, plo, at3, ACCESS_WRITE);
	if (plo->op == PLO_CL)
		return;
	plo->compare3 = plo->in_list ? fetch(plo, plo->compare3_at) : reg(cpu, plo, R3);
	v = plo->in_list ? field(cpu, s, plo, LIST_3) : reg(cpu, plo, R3 + 1);
	add_store(plo, plo->op4, v);
}

/* Everything that may be an exception; fills in plo. */
static void find_operands(struct cpu *cpu, const struct slot *s, struct plo *plo)
{
	bool uses_list = plo->in_list || plo->op >= PLO_CSDST;

	if (!plo->in_list && ((plo->op != PLO_CL && R1 & 1) || (plo->op == PLO_DCS && R3 & 1)))
		RAISE(PGM_SPECIFICATION);
	if (uses_list && plo->list & (LIST_ALIGN - 1))
		RAISE(PGM_SPECIFICATION);
	plo->op2 =
		locate_operand(cpu, s, plo, EA(), plo->op == PLO_CL ? ACCESS_READ : ACCESS_WRITE);
	plo->compare1 = reg(cpu, plo, R1);
	if (plo->in_list) {
		plo->compare1_at =
			locate(cpu, s, plo, field_addr(cpu, plo, LIST_1_COMPARE), ACCESS_WRITE);
		plo->compare1 = fetch(plo, plo->compare1_at);
	}
	if (plo->op == PLO_CL || plo->op == PLO_DCS || plo->op == PLO_CSST)
		find_op4(cpu, s, plo);
	if (plo->op >= PLO_CSDST) {
		add_store(plo, by_list(cpu, s, plo, LIST_4_ADDR, ACCESS_WRITE),
			  field(cpu, s, plo, LIST_3));
		add_store(plo, by_list(cpu, s, plo, LIST_6_ADDR, ACCESS_WRITE),
			  field(cpu, s, plo, LIST_5));
	}
	if (plo->op == PLO_CSTST)
		add_store(plo, by_list(cpu, s, plo, LIST_8_ADDR, ACCESS_WRITE),
			  field(cpu, s, plo, LIST_7));
	if (plo->op != PLO_CL)
		add_store(plo, plo->op2,
			  plo->in_list ? field(cpu, s, plo, LIST_1_REPLACE) :
					 reg(cpu, plo, R1 + 1));
}

/* --- The operation ---------------------------------------------------------------------------- */

/* With the lock, and nothing in it can be an exception. Returns the condition code. */
static uint8_t operate(struct plo *plo)
{
	plo->seen = fetch(plo, plo->op2);
	if (plo->seen != plo->compare1)
		return 1;
	if (plo->op == PLO_CL || plo->op == PLO_DCS)
		plo->seen = fetch(plo, plo->op4);
	if (plo->op == PLO_DCS && plo->seen != plo->compare3)
		return 2;
	for (unsigned int i = 0; i < plo->nstores; i++)
		store(plo, plo->stores[i].at, plo->stores[i].v);
	return 0;
}

/* What was seen goes to the comparison value or, for CL, to operand 3. */
static void put_seen(struct cpu *cpu, const struct slot *s, const struct plo *plo, bool third)
{
	struct place at = third ? plo->compare3_at : plo->compare1_at;

	if (!plo->in_list) {
		set_reg(cpu, plo, third ? R3 : R1, plo->seen);
		return;
	}
	store(plo, at, plo->seen);
	tell(cpu, plo, at);
}

static NOINLINE void perform_locked(struct cpu *cpu, const struct slot *s, unsigned int code)
{
	static const uint8_t sizes[4] = { 4, 8, 8, 16 };
	struct plo plo = { .op = (enum plo_operation)(code >> 2),
			   .in_list = code & 1,
			   .size = sizes[code & 3],
			   .list = EA_SS2() };
	uint8_t cc;

	find_operands(cpu, s, &plo);
	pthread_mutex_lock(&plo_lock);
	cc = operate(&plo);
	pthread_mutex_unlock(&plo_lock);
	if (cc)
		put_seen(cpu, s, &plo, cc == 2);
	else if (plo.op == PLO_CL)
		put_seen(cpu, s, &plo, true);
	for (unsigned int i = 0; !cc && i < plo.nstores; i++)
		tell(cpu, &plo, plo.stores[i].at);
	set_cc(cc);
}

/*
 * PERFORM LOCKED OPERATION    PLO R1,D2(B2),R3,D4(B4)    [SS-e]  EE
 * GR0.56-63 is the function code; with GR0.55 one only its availability is tested. CC: 0 equal
 * (or available), 1 first comparison unequal, 2 second unequal, 3 function not available.
 * Exceptions: access; specification. Operands 4, 6 and 8 are in the PSW's address space also in
 * the access-register mode.                      PoP ch. 7, "PERFORM LOCKED OPERATION"
 */
HANDLER(plo)
{
	unsigned int code = r32(0) & 0xff;

	if (r32(0) & PLO_RESERVED)
		RAISE(PGM_SPECIFICATION);
	if (r32(0) & PLO_TEST) {
		set_cc(code < PLO_CODES ? 0 : 3);
		NEXT(3);
	}
	if (code >= PLO_CODES)
		RAISE(PGM_SPECIFICATION);
	perform_locked(cpu, s, code);
	NEXT(3);
}
