// SPDX-License-Identifier: MIT
/*
 * zpv-diff: random instructions on our CPU and on qemu-s390x, and what differs.
 *
 *     zpv-diff [--qemu PROGRAM] --runner PROGRAM [--seed N] [--cases N | --seconds N]
 *              [--findings FILE] [--counts]
 *
 * Speaks TAP: a line for each finding of the past, one for each format, one for the instructions
 * without cases. --counts adds the cases of each mnemonic as diagnostics. Ends with 1 when a line
 * is "not ok", with 2 when it cannot begin.
 */
#include "diff.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "compiler.h"

#define MAX_INSNS     2048
#define SHOWN	      3 /* reports of a mnemonic */
#define SECONDS_STUCK 20

static struct {
	const char *qemu, *runner, *findings;
	uint64_t seed, cases;
	unsigned int seconds;
	bool counts;
} options = { .qemu = "qemu-s390x", .seed = 1, .cases = 200000 };

static const char *const formats[] = {
	"E",	 "I",	  "RR",	   "RRE",   "RRF",   "RRD",   "RX",    "RXY",	"RXE",
	"RXF",	 "RS",	  "RSY",   "RSI",   "RI-a",  "RI-b",  "RI-c",  "RIL-a", "RIL-b",
	"RIL-c", "RIE-a", "RIE-b", "RIE-c", "RIE-d", "RIE-e", "RIE-f", "RIE-g", "RIS",
	"RRS",	 "S",	  "SI",	   "SIY",   "SIL",   "SS",    "SSE",   "SSF",
};

static struct test tests[DIFF_BATCH];
static struct outcome ours[DIFF_BATCH], refs[DIFF_BATCH];
static uint64_t cases_of[MAX_INSNS], explained_of[MAX_INSNS], bad_of[MAX_INSNS];
static uint64_t deaths;
static unsigned int tap, tap_failed;

static void result(bool good, const char *what)
{
	tap_failed += !good;
	printf("%s %u - %s\n", good ? "ok" : "not ok", ++tap, what);
	fflush(stdout);
}

static void stuck(int sig)
{
	static const char text[] = "# our CPU does not end a case\n";

	(void)sig;
	if (write(1, text, sizeof(text) - 1) < 0)
		_exit(3);
	_exit(3);
}

/* --- One case by itself ------------------------------------------------------------------------ */

static bool both(const struct test *t, struct outcome *a, struct outcome *b)
{
	ours_load(t, 1);
	ours_run(t, a);
	if (reference_send(t, 1) && reference_receive(b, 1))
		return true;
	reference_stop();
	ours_forget();
	return false;
}

static unsigned int fields_of(const struct test *t, struct outcome *a, struct outcome *b)
{
	const char *why;

	return unexplained(t, a, b, compare(a, b), &why);
}

/* What a smaller case must still differ in; 0: anything. */
static unsigned int wanted_fields;
static uint32_t wanted_signals[2];

static bool differs(const struct test *t)
{
	static struct outcome a, b;
	unsigned int fields;

	if (!a.w) {
		a.w = calloc(DIFF_MAX_WORDS, sizeof(*a.w));
		b.w = calloc(DIFF_MAX_WORDS, sizeof(*b.w));
		if (!a.w || !b.w)
			abort();
	}
	if (!both(t, &a, &b) || !(fields = fields_of(t, &a, &b)))
		return false;
	if (!wanted_fields) {
		wanted_fields = fields;
		wanted_signals[0] = a.r.sig;
		wanted_signals[1] = b.r.sig;
	}
	return fields == wanted_fields && a.r.sig == wanted_signals[0] &&
	       b.r.sig == wanted_signals[1];
}

static void report(struct test *t)
{
	struct outcome a = { .w = calloc(DIFF_MAX_WORDS, sizeof(*a.w)) };
	struct outcome b = { .w = calloc(DIFF_MAX_WORDS, sizeof(*b.w)) };

	if (!a.w || !b.w)
		abort();
	wanted_fields = 0;
	if (differs(t))
		minimise(t, differs);
	else
		printf("# the next case differs only in its batch\n");
	if (both(t, &a, &b))
		print_case(t, &a, &b, fields_of(t, &a, &b));
	free(a.w);
	free(b.w);
}

/* --- Batches ----------------------------------------------------------------------------------- */

static void judge(struct test *t, struct outcome *a, struct outcome *b)
{
	size_t row = (size_t)(t->insn[0] - insn_table);
	unsigned int all = compare(a, b), left;
	const char *why;

	cases_of[row]++;
	if (!all)
		return;
	left = unexplained(t, a, b, all, &why);
	if (!left)
		explained_of[row]++;
	else if (bad_of[row]++ < SHOWN)
		report(t);
}

/* The reference has died: which case was it? The others are compared one by one. */
static void one_by_one(unsigned int n)
{
	reference_stop();
	ours_forget();
	for (unsigned int i = 0; i < n; i++) {
		if (both(&tests[i], &ours[i], &refs[i])) {
			judge(&tests[i], &ours[i], &refs[i]);
			continue;
		}
		deaths++;
		cases_of[tests[i].insn[0] - insn_table]++;
		explained_of[tests[i].insn[0] - insn_table]++;
		printf("# the reference died: %s, seed %llu case %llu\n",
		       tests[i].insn[0]->mnemonic, (unsigned long long)tests[i].seed,
		       (unsigned long long)tests[i].number);
	}
}

static void batch(uint64_t number)
{
	static struct test copy;

	for (unsigned int i = 0; i < DIFF_BATCH; i++)
		generate(options.seed, number + i, i, &tests[i]);
	if (!reference_send(tests, DIFF_BATCH)) {
		one_by_one(DIFF_BATCH);
		return;
	}
	alarm(SECONDS_STUCK);
	ours_load(tests, DIFF_BATCH);
	for (unsigned int i = 0; i < DIFF_BATCH; i++)
		ours_run(&tests[i], &ours[i]);
	alarm(0);
	if (!reference_receive(refs, DIFF_BATCH)) {
		one_by_one(DIFF_BATCH);
		return;
	}
	for (unsigned int i = 0; i < DIFF_BATCH; i++) {
		copy = tests[i];
		judge(&copy, &ours[i], &refs[i]);
	}
}

static uint64_t run(void)
{
	time_t end = time(NULL) + options.seconds;
	uint64_t number = 0;

	while (options.seconds ? time(NULL) < end : number < options.cases) {
		batch(number);
		number += DIFF_BATCH;
	}
	return number;
}

/*
 * What is wrong with a finding, or NULL. One that a deviation of the reference explains, or that
 * ends the reference, compares nothing: it does not belong into the file.
 */
static const char *replay_row(const struct test *t)
{
	unsigned int fields;
	bool alive;

	alarm(SECONDS_STUCK);
	alive = both(t, &ours[0], &refs[0]);
	alarm(0);
	if (!alive)
		return "the reference dies of it";
	fields = compare(&ours[0], &refs[0]);
	if (!fields)
		return NULL;
	return fields_of(t, &ours[0], &refs[0]) ? "it is back" :
						  "the reference differs, by a known deviation";
}

static void replay(const char *path)
{
	static char line[8192];
	FILE *f = fopen(path, "r");
	unsigned int rows = 0;
	char name[64], text[160];
	struct test t;

	if (!f) {
		perror(path);
		exit(2);
	}
	while (fgets(line, sizeof(line), f)) {
		const char *bad;

		if (!parse_finding(line, name, &t))
			continue;
		rows++;
		bad = replay_row(&t);
		snprintf(text, sizeof(text), "finding %s%s%s", name, bad ? ": " : "",
			 bad ? bad : "");
		result(!bad, text);
		if (bad)
			report(&t);
	}
	fclose(f);
	if (!rows)
		result(false, "findings: the file has no row");
}

/* --- The report -------------------------------------------------------------------------------- */

static void report_formats(void)
{
	for (unsigned int f = 0; f < ARRAY_SIZE(formats); f++) {
		uint64_t cases = 0, explained = 0, bad = 0;
		unsigned int mnemonics = 0;
		char text[160];

		for (const struct insn *i = insn_table; i->mnemonic; i++) {
			size_t row = (size_t)(i - insn_table);

			if (i->format != f || !cases_of[row])
				continue;
			mnemonics++;
			cases += cases_of[row];
			explained += explained_of[row];
			bad += bad_of[row];
			if (options.counts || bad_of[row])
				printf("# %-8s %8llu cases, %llu explained, %llu differ\n",
				       i->mnemonic, (unsigned long long)cases_of[row],
				       (unsigned long long)explained_of[row],
				       (unsigned long long)bad_of[row]);
		}
		if (!mnemonics)
			continue;
		snprintf(text, sizeof(text),
			 "%s: %u mnemonics, %llu cases, %llu explained, %llu differ", formats[f],
			 mnemonics, (unsigned long long)cases, (unsigned long long)explained,
			 (unsigned long long)bad);
		result(!bad, text);
	}
}

static void report_absent(uint64_t total)
{
	unsigned int absent = 0, silent = 0;
	const char *why;
	char text[128];

	for (const struct insn *i = insn_table; i->mnemonic; i++) {
		if ((why = excluded(i)) != NULL) {
			absent++;
			if (options.counts || strcmp(why, "privileged") != 0)
				printf("# no cases: %s: %s\n", i->mnemonic, why);
		} else if (reference_lacks(i, &why)) {
			printf("# nothing to compare with: %s: %s\n", i->mnemonic, why);
		} else if (cases_of[i - insn_table] == explained_of[i - insn_table]) {
			silent++;
			printf("# never compared: %s\n", i->mnemonic);
		}
	}
	snprintf(text, sizeof(text),
		 "%llu cases; %u mnemonics without any have a reason, %u have none",
		 (unsigned long long)total, absent, silent);
	result(!silent || total < 20000, text);
}

static void parse(int argc, char **argv)
{
	static const struct option known[] = {
		{ "qemu", 1, NULL, 'q' },    { "runner", 1, NULL, 'r' },
		{ "seed", 1, NULL, 's' },    { "cases", 1, NULL, 'c' },
		{ "seconds", 1, NULL, 't' }, { "findings", 1, NULL, 'f' },
		{ "counts", 0, NULL, 'n' },  { NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1)
		switch (c) {
		case 'q':
			options.qemu = optarg;
			break;
		case 'r':
			options.runner = optarg;
			break;
		case 's':
			options.seed = strtoull(optarg, NULL, 0);
			break;
		case 'c':
			options.cases = strtoull(optarg, NULL, 0);
			break;
		case 't':
			options.seconds = (unsigned int)strtoul(optarg, NULL, 0);
			break;
		case 'f':
			options.findings = optarg;
			break;
		case 'n':
			options.counts = true;
			break;
		default:
			exit(2);
		}
}

static _Noreturn void skip(const char *why)
{
	printf("1..0 # SKIP %s\n", why);
	exit(0);
}

int main(int argc, char **argv)
{
	struct test probe;
	uint64_t total;

	parse(argc, argv);
	if (!options.runner)
		skip("the runner needs s390x-linux-gnu-gcc");
	for (unsigned int i = 0; i < DIFF_BATCH; i++) {
		ours[i].w = calloc(DIFF_MAX_WORDS, sizeof(*ours[i].w));
		refs[i].w = calloc(DIFF_MAX_WORDS, sizeof(*refs[i].w));
		if (!ours[i].w || !refs[i].w)
			abort();
	}
	signal(SIGALRM, stuck);
	if (ours_start() != 0) {
		fprintf(stderr, "zpv-diff: no machine\n");
		return 2;
	}
	generate(options.seed, 0, 0, &probe);
	if (!reference_start(options.qemu, options.runner) || !reference_send(&probe, 1) ||
	    !reference_receive(refs, 1))
		skip("qemu-s390x is not installed, or cannot run the runner");
	if (options.findings)
		replay(options.findings);
	total = run();
	report_formats();
	report_absent(total);
	if (deaths)
		printf("# the reference died %llu times\n", (unsigned long long)deaths);
	printf("1..%u\n", tap);
	reference_stop();
	ours_stop();
	return tap_failed ? 1 : 0;
}
