// SPDX-License-Identifier: MIT
/*
 * zpv explain: what a code of the Ultravisor, of the boot loader, of SIE or of DIAGNOSE 308 means.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "explain.h"
#include "term.h"

enum { JSON, OPTS_END };

static const struct opt opts[] = {
	[JSON] = { .names = "json", .help = "Print JSON instead of text." },
	[OPTS_END] = { 0 },
};

static const struct rule rules[] = {
	{ .others = { RULE_END } },
};

/* Words before a colon that say what kind of code follows. */
static const struct {
	const char *word;
	enum explain_kind kind;
} kinds[] = {
	{ "rc", EXPLAIN_UV },	  { "diag308", EXPLAIN_DIAG308 }, { "validity", EXPLAIN_VALIDITY },
	{ "wait", EXPLAIN_WAIT }, { "icpt", EXPLAIN_ICPT },	  { "pgm", EXPLAIN_PROGRAM },
};

/* What the user asks for. Numbers can be read in two ways: codes are hexadecimal, but people and
 * documents write the interceptions of protected guests as 104, 108 and 112. */
struct query {
	bool any_kind;
	enum explain_kind kind;
	uint64_t hex, decimal;
	bool has_decimal;
	int rrc; /* EXPLAIN_ANY_RRC: not given, or explained nowhere for this rc */
};

static bool parse_number(const char *text, size_t len, int base, uint64_t *out)
{
	char copy[24], *end;

	if (!len || len >= sizeof(copy) || strspn(text, "0123456789abcdefABCDEFxX") < len)
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	errno = 0;
	*out = strtoull(copy, &end, base);
	return !*end && !errno;
}

/* Takes a word and its colon off; what is left is the number. */
static const char *parse_kind(const char *text, struct query *q)
{
	const char *colon = strchr(text, ':');

	q->any_kind = !colon;
	for (size_t i = 0; colon && i < ARRAY_SIZE(kinds); i++) {
		if (strlen(kinds[i].word) == (size_t)(colon - text) &&
		    strncmp(kinds[i].word, text, (size_t)(colon - text)) == 0) {
			q->kind = kinds[i].kind;
			return colon + 1;
		}
	}
	return colon ? NULL : text;
}

static bool parse(const char *text, struct query *q)
{
	const char *number = parse_kind(text, q), *slash;
	uint64_t rrc;
	size_t len;

	q->rrc = EXPLAIN_ANY_RRC;
	if (!number)
		return false;
	slash = strchr(number, '/');
	len = slash ? (size_t)(slash - number) : strlen(number);
	if (!parse_number(number, len, 16, &q->hex))
		return false;
	q->has_decimal = !slash && number[0] != '0' && parse_number(number, len, 10, &q->decimal);
	if (!slash)
		return true;
	if (!q->any_kind && q->kind != EXPLAIN_UV)
		return false;
	q->any_kind = false;
	q->kind = EXPLAIN_UV;
	if (!parse_number(slash + 1, strlen(slash + 1), 16, &rrc) || rrc > 0xffff)
		return false;
	q->rrc = (int)rrc;
	return true;
}

static bool matches(const struct query *q, const struct explanation *e)
{
	if (!q->any_kind && e->kind != q->kind)
		return false;
	if (e->kind == EXPLAIN_ICPT && q->has_decimal && e->code == q->decimal)
		return true;
	return e->code == q->hex && (q->rrc == EXPLAIN_ANY_RRC || e->rrc == q->rrc);
}

/* A reason code that is explained nowhere says no more than its rc. */
static void forget_unknown_rrc(struct query *q)
{
	for (const struct explanation *e = explanations; e->text; e++)
		if (matches(q, e))
			return;
	q->rrc = EXPLAIN_ANY_RRC;
}

/* --- Printing ---------------------------------------------------------------------------------- */

#define WIDTH  96
#define INDENT "    "

/* Words in lines of WIDTH. */
static void print_wrapped(const char *text)
{
	size_t column = 0;

	while (*text) {
		size_t len = strcspn(text, " ");

		if (column && column + 1 + len > WIDTH) {
			putchar('\n');
			column = 0;
		}
		if (!column)
			column = strlen(INDENT) + len, printf(INDENT "%.*s", (int)len, text);
		else
			column += 1 + len, printf(" %.*s", (int)len, text);
		text += len + (text[len] == ' ');
	}
	putchar('\n');
}

static void print_text(const struct explanation *e)
{
	const char *command = explain_command_name(e->command);

	printf("%s", explain_kind_name(e->kind));
	if (command)
		printf(" \"%s\"", command);
	if (e->kind == EXPLAIN_UV)
		printf(", rc 0x%04llx", (unsigned long long)e->code);
	else
		printf(" 0x%llx", (unsigned long long)e->code);
	if (e->rrc != EXPLAIN_ANY_RRC)
		printf(", rrc 0x%04x", (unsigned int)e->rrc);
	printf(": %s\n", e->name);
	print_wrapped(e->text);
}

/* Our own texts: quotes and backslashes do not occur in them but for 'this'. */
static void print_json(const struct explanation *e, bool first)
{
	const char *command = explain_command_name(e->command);

	printf("%s\n    {\"kind\": \"%s\", \"code\": %llu", first ? "" : ",",
	       explain_kind_name(e->kind), (unsigned long long)e->code);
	if (command)
		printf(", \"command\": \"%s\", \"command_code\": %u", command, e->command);
	if (e->rrc != EXPLAIN_ANY_RRC)
		printf(", \"rrc\": %d", e->rrc);
	printf(", \"name\": \"%s\", \"text\": \"%s\"}", e->name, e->text);
}

static int run(const struct args *args)
{
	bool json = args->seen[JSON];
	struct query q = { 0 };
	size_t n = 0;

	if (!parse(args->positional, &q)) {
		term_error(
			"'%s' is no code: write a hexadecimal number (0xa02), RC/RRC (108/5), or one with its "
			"kind before it (rc: diag308: validity: wait: icpt: pgm:)",
			args->positional);
		return EXIT_USAGE;
	}
	forget_unknown_rrc(&q);
	for (const struct explanation *e = explanations; e->text; e++) {
		if (!matches(&q, e))
			continue;
		if (json && !n)
			printf("{\n  \"version\": 1,\n  \"explanations\": [");
		if (json)
			print_json(e, !n);
		else
			print_text(e);
		n++;
	}
	if (!n) {
		term_error("no code '%s' is known", args->positional);
		return EXIT_ERROR;
	}
	if (json)
		puts("\n  ]\n}");
	return EXIT_OK;
}

const struct command cmd_explain = {
	.name = "explain",
	.summary = "Explain a code of the Ultravisor, the boot loader, SIE or DIAGNOSE 308.",
	.operand = "CODE",
	.opts = opts,
	.rules = rules,
	.run = run,
};
