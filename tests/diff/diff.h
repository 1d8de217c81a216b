/* SPDX-License-Identifier: MIT */
/*
 * The differential tester: what its parts share.
 */
#ifndef TESTS_DIFF_DIFF_H
#define TESTS_DIFF_DIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "case.h"
#include "insn.h"

static inline uint16_t to_be16(uint16_t v)
{
	return swap16(v);
}
static inline uint32_t to_be32(uint32_t v)
{
	return swap32(v);
}
static inline uint64_t to_be64(uint64_t v)
{
	return swap64(v);
}

/* Is what one of the words of list, which blanks separate? */
static inline bool listed(const char *list, const char *what)
{
	size_t n = strlen(what);

	for (const char *p = strstr(list, what); p; p = strstr(p + 1, what))
		if ((p == list || p[-1] == ' ') && (p[n] == ' ' || !p[n]))
			return true;
	return false;
}

/* --- Random numbers: splitmix64 ---------------------------------------------------------------- */

struct rng {
	uint64_t s;
};

static inline uint64_t rng64(struct rng *r)
{
	uint64_t z = r->s += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static inline unsigned int rng_below(struct rng *r, unsigned int n)
{
	return (unsigned int)((rng64(r) >> 32) * n >> 32);
}

static inline bool rng_percent(struct rng *r, unsigned int p)
{
	return rng_below(r, 100) < p;
}

/* --- Cases (generate.c) ------------------------------------------------------------------------ */

#define DIFF_INSNS 4 /* instructions of a case */

/* A case and what the report wants to know about it. */
struct test {
	struct diff_case c; /* numbers in the host's order */
	unsigned int count;
	const struct insn *insn[DIFF_INSNS + 1]; /* one more: the target of EX */
	uint8_t offset[DIFF_INSNS];		 /* in the slot */
	uint64_t seed, number;
};

/* Why an instruction of the table has no cases, or NULL. */
const char *excluded(const struct insn *insn);

/* Case number of a seed, in slot of a batch. Equal arguments give equal cases. */
void generate(uint64_t seed, uint64_t number, unsigned int slot, struct test *out);
/* Instructions that cases are made for; *n receives how many. */
const struct insn *const *candidates(unsigned int *n);
/* Pads, LMG and the branch to end 0 of an otherwise empty slot. */
void slot_frame(struct diff_case *c);
/* Branch to end 0 behind the instructions, at offset. */
void slot_end(struct diff_case *c, unsigned int offset);

/* --- Results ----------------------------------------------------------------------------------- */

struct outcome {
	struct diff_result r;
	struct diff_word *w; /* r.words of them */
};

/* Our side (ours.c). Slots of a batch are written before the first runs. */
int ours_start(void);
/* Clears the slots, as they are in a new reference. */
void ours_forget(void);
void ours_load(const struct test *t, unsigned int n);
void ours_run(const struct test *t, struct outcome *out);
void ours_stop(void);

/* The reference (reference.c). False: it died or hung. */
bool reference_start(const char *qemu, const char *runner);
bool reference_send(const struct test *t, unsigned int n);
bool reference_receive(struct outcome *out, unsigned int n);
void reference_stop(void);

/* --- Comparison (compare.c) -------------------------------------------------------------------- */

enum field {
	F_SIGNAL = 1,
	F_END = 2,
	F_GR = 4,
	F_FPR = 8,
	F_AR = 16,
	F_FPC = 32,
	F_CC = 64,
	F_MEMORY = 128,
	F_PSW = 256,
	F_MODE = 512,
};

/* Fields that differ. */
unsigned int compare(const struct outcome *ours, const struct outcome *ref);
/* The same without those that a row of the deviations explains. *why receives its reason. */
unsigned int unexplained(const struct test *t, const struct outcome *ours,
			 const struct outcome *ref, unsigned int fields, const char **why);
/* True when the row that explains it leaves nothing to compare. */
bool reference_lacks(const struct insn *insn, const char **why);
void print_fields(unsigned int fields);

/* --- Reports (report.c) ------------------------------------------------------------------------ */

/* Makes a case that differs smaller, as long as differs() says so. */
void minimise(struct test *t, bool (*differs)(const struct test *t));
/* Diagnostics of a case: fields, registers, storage, a row for the findings. */
void print_case(const struct test *t, const struct outcome *ours, const struct outcome *ref,
		unsigned int fields);
/* A row of the findings file becomes a case. False: not a row (empty, a comment); exits if bad. */
bool parse_finding(char *line, char name[64], struct test *t);

#endif
