// SPDX-License-Identifier: MIT
/*
 * Comparison of two outcomes, and the known deviations of the reference.
 */
#include "diff.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "compiler.h"

unsigned int compare(const struct outcome *a, const struct outcome *b)
{
	const struct diff_result *x = &a->r, *y = &b->r;
	unsigned int f = 0;

	/* The DXC in the FPC says more than the code of SIGFPE for a data exception. */
	f |= x->sig != y->sig ||
			     (x->code != y->code && (x->sig != SIGFPE || x->code == FPE_INTDIV ||
						     x->code == FPE_INTOVF)) ?
		     F_SIGNAL :
		     0;
	f |= x->end != y->end ? F_END : 0;
	f |= memcmp(x->gr, y->gr, sizeof(x->gr)) != 0 ? F_GR : 0;
	f |= memcmp(x->fpr, y->fpr, sizeof(x->fpr)) != 0 ? F_FPR : 0;
	f |= memcmp(x->ar, y->ar, sizeof(x->ar)) != 0 ? F_AR : 0;
	f |= x->fpc != y->fpc ? F_FPC : 0;
	f |= x->cc_pm != y->cc_pm ? F_CC : 0;
	f |= x->psw_addr != y->psw_addr ? F_PSW : 0;
	f |= x->mode != y->mode ? F_MODE : 0;
	f |= x->words != y->words || memcmp(a->w, b->w, x->words * sizeof(*a->w)) != 0 ? F_MEMORY :
											 0;
	return f;
}

void print_fields(unsigned int fields)
{
	static const char *const names[] = { "signal", "end", "gr",	"fpr", "ar",
					     "fpc",    "cc",  "memory", "psw", "mode" };

	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++)
		if (fields >> i & 1)
			printf(" %s", names[i]);
}

#define ALL_FIELDS 0xffffu

/* --- Conditions of a deviation ----------------------------------------------------------------- */

static bool always(const struct test *t, const struct diff_result *o, const struct diff_result *r)
{
	(void)t;
	(void)o;
	(void)r;
	return true;
}

static bool ref_illegal(const struct test *t, const struct diff_result *o,
			const struct diff_result *r)
{
	(void)t;
	(void)o;
	return r->sig == SIGILL;
}

static bool overflow_ignored(const struct test *t, const struct diff_result *o,
			     const struct diff_result *r)
{
	(void)t;
	return o->sig == SIGFPE && o->code == FPE_INTOVF && r->cc_pm >> 28 == 3 &&
	       (r->cc_pm >> 24 & 8);
}

static bool overflow_ignored_before(const struct test *t, const struct diff_result *o,
				    const struct diff_result *r)
{
	(void)r;
	return t->count > 1 && o->sig == SIGFPE && o->code == FPE_INTOVF;
}

static bool access(const struct test *t, const struct diff_result *o, const struct diff_result *r)
{
	(void)t;
	return o->sig == SIGSEGV && r->sig == SIGSEGV;
}

/* Overflow, underflow or inexact with its mask on, in ours: the operation is completed. */
static bool ieee_completion(const struct test *t, const struct diff_result *o,
			    const struct diff_result *r)
{
	unsigned int dxc = o->fpc >> 8 & 0xff;

	(void)t;
	return o->sig == SIGFPE && r->sig == SIGFPE && dxc & 0x38 && !(dxc & 0xc0) && !(dxc & 3);
}

/* A relative operand that is not aligned. */
static bool misaligned(const struct test *t, const struct diff_result *o,
		       const struct diff_result *r)
{
	(void)t;
	(void)r;
	return o->sig == SIGILL && o->code == ILL_ILLOPN;
}

static bool odd_target(const struct test *t, const struct diff_result *o,
		       const struct diff_result *r)
{
	(void)t;
	(void)r;
	return o->sig == SIGILL && o->psw_addr & 1;
}

static bool convert_invalid(const struct test *t, const struct diff_result *o,
			    const struct diff_result *r)
{
	(void)t;
	(void)r;
	return o->fpc >> 16 & 0x80 || (o->sig == SIGFPE && o->fpc >> 8 & 0x80);
}

/* The reference calls some addresses protected that its host cannot map. */
static bool wild(const struct test *t, const struct diff_result *o, const struct diff_result *r)
{
	return access(t, o, r) && o->code == SEGV_MAPERR && r->code == SEGV_ACCERR;
}

static bool specification_or_access(const struct test *t, const struct diff_result *o,
				    const struct diff_result *r)
{
	return misaligned(t, o, r) && r->sig == SIGSEGV;
}

static bool exact_underflow(const struct test *t, const struct diff_result *o,
			    const struct diff_result *r)
{
	(void)t;
	(void)r;
	return o->sig == SIGFPE && (o->fpc >> 8 & 0xff) == 0x10;
}

static bool streams(const struct test *t, const struct diff_result *o, const struct diff_result *r)
{
	(void)o;
	(void)r;
	return t->count > 1;
}

static bool ours_specification(const struct test *t, const struct diff_result *o,
			       const struct diff_result *r)
{
	return misaligned(t, o, r);
}

static bool test_form(const struct test *t, const struct diff_result *o,
		      const struct diff_result *r)
{
	(void)o;
	(void)r;
	for (unsigned int i = 0; i < t->count; i++)
		if (t->insn[i]->opcode >> 8 == 0xec)
			return true;
	return false;
}

static bool simulated(const struct test *t, const struct diff_result *o,
		      const struct diff_result *r)
{
	(void)t;
	return o->sig == SIGFPE && r->sig == SIGFPE && (o->fpc >> 8 & 3) == 3;
}

/* Ours does not access storage when the condition is false. */
static bool ref_access(const struct test *t, const struct diff_result *o,
		       const struct diff_result *r)
{
	(void)t;
	return r->sig == SIGSEGV && (!o->sig || o->psw_addr != r->psw_addr);
}

static bool ours_access(const struct test *t, const struct diff_result *o,
			const struct diff_result *r)
{
	(void)t;
	return (o->sig == SIGSEGV) != (r->sig == SIGSEGV);
}

/* Stack and heap of the runner lie at 2^38; sums of edge values meet them. */
static bool own_mapping(const struct test *t, const struct diff_result *o,
			const struct diff_result *r)
{
	(void)r;
	if (o->sig != SIGSEGV)
		return false;
	for (unsigned int i = 0; i < 16; i++)
		if (o->gr[i] >> 36 == 3 || o->gr[i] >> 36 == 4 || t->c.gr[i] >> 36 == 3 ||
		    t->c.gr[i] >> 36 == 4)
			return true;
	return false;
}

static bool other_mode(const struct test *t, const struct diff_result *o,
		       const struct diff_result *r)
{
	(void)t;
	(void)r;
	return o->mode != 3;
}

static bool two_accesses(const struct test *t, const struct diff_result *o,
			 const struct diff_result *r)
{
	return access(t, o, r);
}

static bool executed(const struct test *t, const struct diff_result *o, const struct diff_result *r)
{
	(void)o;
	(void)r;
	for (unsigned int i = 0; i < t->count; i++)
		if (t->insn[i]->opcode == 0x44 || t->insn[i]->opcode == 0xc600)
			return true;
	for (unsigned int at = DIFF_START; at < DIFF_PAD_ABOVE; at += insn_length(t->c.code[at]))
		if (t->c.code[at] == 0x44 || (t->c.code[at] == 0xc6 && !(t->c.code[at + 1] & 15)))
			return true;
	return false;
}

/* An earlier instruction of the stream has changed the address of EX. */
static bool odd_executed(const struct test *t, const struct diff_result *o,
			 const struct diff_result *r)
{
	return t->count > 1 && misaligned(t, o, r) && executed(t, o, r);
}

static bool in_data(uint64_t at)
{
	return at - DIFF_DATA_A < DIFF_WINDOW || at - DIFF_DATA_B < DIFF_WINDOW;
}

/* A stream has branched into storage that it changes: QEMU executes the rest of its block as it was. */
static bool self_modified(const struct test *t, const struct diff_result *o,
			  const struct diff_result *r)
{
	return t->count > 1 && (in_data(o->psw_addr) || in_data(r->psw_addr));
}

/* Addresses that a stream computes may lie in the runner or in QEMU, which share its space. */
static bool stray(const struct test *t, const struct diff_result *o, const struct diff_result *r)
{
	return t->count > 1 && (o->sig == SIGSEGV || in_data(r->psw_addr));
}

static bool quieted(const struct test *t, const struct diff_result *o, const struct diff_result *r)
{
	(void)t;
	(void)r;
	return o->fpc >> 16 & 0x80 || o->sig == SIGFPE;
}

/* A NaN is the result; several were operands. */
static bool several_nans(const struct test *t, const struct diff_result *o,
			 const struct diff_result *r)
{
	if (o->sig == SIGFPE || (o->fpc ^ r->fpc) & 0x800000)
		return true;
	for (unsigned int i = 0; i < 16; i++) {
		uint64_t a = o->fpr[i], b = r->fpr[i];
		bool nan_short = (a >> 32 & 0x7fffffff) > 0x7f800000 &&
				 (b >> 32 & 0x7fffffff) > 0x7f800000;
		bool nan_long = (a << 1) > 0xffe0000000000000 && (b << 1) > 0xffe0000000000000;

		if (a != b && !nan_short && !nan_long)
			return false;
	}
	(void)t;
	return true;
}

/* --- What the reference does otherwise --------------------------------------------------------- */

static const struct deviation {
	const char *mnemonics; /* NULL: any */
	bool (*when)(const struct test *t, const struct diff_result *ours,
		     const struct diff_result *ref);
	unsigned int fields;
	const char *why;
} deviations[] = {
	{ "bsm bassm cuse plo diebr didbr cvb cvby cvbg cvdg lmd cpya", ref_illegal, ALL_FIELDS,
	  "not implemented by QEMU 7.2" },
	{ NULL, overflow_ignored, F_SIGNAL | F_END | F_PSW,
	  "QEMU 7.2 raises no fixed-point-overflow exception" },
	{ NULL, overflow_ignored_before, ALL_FIELDS,
	  "QEMU 7.2 raises no fixed-point-overflow exception" },
	{ "mdebr mdeb mxdbr mxdb", always, ALL_FIELDS,
	  "QEMU 7.2 does not lengthen the first operand" },
	{ NULL, ieee_completion, F_FPR | F_GR | F_CC | F_FPC,
	  "IEEE overflow, underflow and inexact interruptions complete the operation, and the DXC "
	  "says whether the result was incremented; QEMU suppresses (PoP ch. 9, IEEE exceptions)" },
	{ "lrl lgrl lgfrl llgfrl strl stgrl crl cgrl cgfrl clrl clgrl clgfrl", misaligned,
	  ALL_FIELDS, "relative operands must be aligned; QEMU 7.2 does not check" },
	{ NULL, odd_target, ALL_FIELDS, "QEMU 7.2 fetches from odd addresses" },
	{ "rnsbg rosbg rxsbg", test_form, F_CC,
	  "QEMU 7.2 finds the CC of the T form in something else than the selected bits" },
	{ "lfas sfasr", simulated, F_FPC,
	  "DXC of a simulated overflow or underflow: QEMU masks the inexact flag, the PoP does not" },
	{ "unpk", always, F_MEMORY, "QEMU 7.2 drops the leftmost byte of the second operand" },
	{ "unpk stmh maebr maeb msebr mseb madbr madb msdbr msdb csst", streams, ALL_FIELDS,
	  "what follows a deviation of its own" },
	{ "maebr maeb msebr mseb madbr madb msdbr msdb", several_nans, ALL_FIELDS,
	  "PoP ch. 19, results of MULTIPLY AND ADD: which of several NaNs is the result, and zero "
	  "times infinity is invalid whatever is added; QEMU does so since 9.2" },
	{ "lfas lfpc sfpc sfasr", ours_specification, ALL_FIELDS,
	  "bits 25-27 of the FPC are of the DFP facility, which is not installed" },
	{ "la lay lae laey larl", other_mode, ALL_FIELDS,
	  "bits 0-31 of R1 stay in the 24- and 31-bit modes; QEMU 7.2 clears or changes them" },
	{ NULL, other_mode, F_PSW, "QEMU 7.2 does not cut some branch addresses to the mode" },
	{ NULL, odd_executed, ALL_FIELDS, "QEMU 7.2 executes targets at odd addresses" },
	{ NULL, self_modified, ALL_FIELDS,
	  "a store into the instructions that follow; QEMU executes them as they were" },
	{ NULL, stray, ALL_FIELDS, "a computed address in the reference's own mappings" },
	{ "tr ltebr ltdbr ltxbr", streams, ALL_FIELDS, "what follows a deviation of its own" },
	{ NULL, own_mapping, ALL_FIELDS, "an address in the reference's own mappings" },
	{ NULL, two_accesses, F_SIGNAL,
	  "several access exceptions: which one is recognized is unpredictable" },
	{ "stmh", always, F_MEMORY, "QEMU 7.2 shifts the wrong way and stores zeros" },
	{ "cfebr cfdbr cfxbr cgebr cgdbr cgxbr clfebr clfdbr clfxbr clgebr clgdbr clgxbr",
	  convert_invalid, ALL_FIELDS,
	  "PoP, figures of CONVERT TO FIXED: invalid operation comes with inexact when its mask is "
	  "zero, and alone with DXC 80" },
	{ NULL, wild, F_SIGNAL, "an address that the host of QEMU cannot map" },
	{ NULL, specification_or_access, ALL_FIELDS,
	  "an odd EXECUTE target or misaligned operand that cannot be accessed either: QEMU accesses "
	  "first" },
	{ NULL, exact_underflow, ALL_FIELDS,
	  "with its mask on, underflow is recognized for exact results too (PoP ch. 19)" },
	{ "cebr cdbr cxbr ceb cdb kebr kdbr kxbr keb kdb tceb tcdb tcxb", streams, ALL_FIELDS,
	  "QEMU drops a comparison, with its exceptions, when a later instruction sets the CC" },
	{ "clm clmy clmh clc clcl clcle", ours_access, ALL_FIELDS,
	  "bytes behind the first unequal ones: access exceptions may be recognized" },
	{ "unpk pack mvo", ours_access, ALL_FIELDS,
	  "digits that find no place: access exceptions may be recognized" },
	{ "tr", streams, F_CC, "QEMU 7.2 forgets the CC of the instruction before" },
	{ "cdsg", ours_specification, ALL_FIELDS, "QEMU 7.2 takes odd registers" },
	{ "clst", ours_specification, ALL_FIELDS, "QEMU 7.2 does not check bits 32-55 of GR0" },
	{ "ldxbr lexbr", ours_specification, ALL_FIELDS,
	  "R1 must designate a register pair; QEMU 7.2 checks R2 only" },
	{ "brcth", executed, ALL_FIELDS,
	  "its target is relative to itself, not to the EXECUTE (PoP ch. 5, address generation)" },
	{ "loc locg stoc stocg", ref_access, ALL_FIELDS,
	  "with a false condition access exceptions are unpredictable" },
	{ "ltebr ltdbr ltxbr", quieted, ALL_FIELDS, "QEMU 7.2 lets signaling NaNs through" },
	{ "csst", always, F_GR, "QEMU 7.2 puts a word of storage into bits 0-31 of R3" },
	{ NULL, access, F_MEMORY | F_GR | F_AR | F_CC | F_FPR,
	  "access exceptions: QEMU stores before it has probed the whole operand" },
};

unsigned int unexplained(const struct test *t, const struct outcome *ours,
			 const struct outcome *ref, unsigned int fields, const char **why)
{
	*why = NULL;
	for (size_t i = 0; fields && i < ARRAY_SIZE(deviations); i++) {
		const struct deviation *d = &deviations[i];
		bool matches = !d->mnemonics;

		for (unsigned int k = 0; k < t->count; k++)
			matches |= d->mnemonics && listed(d->mnemonics, t->insn[k]->mnemonic);
		if (!matches || !(fields & d->fields) || !d->when(t, &ours->r, &ref->r))
			continue;
		fields &= ~d->fields;
		*why = d->why;
	}
	return fields;
}

bool reference_lacks(const struct insn *insn, const char **why)
{
	for (size_t i = 0; i < ARRAY_SIZE(deviations); i++)
		if (deviations[i].when == ref_illegal &&
		    listed(deviations[i].mnemonics, insn->mnemonic)) {
			*why = deviations[i].why;
			return true;
		}
	return false;
}
