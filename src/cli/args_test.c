// SPDX-License-Identifier: MIT
/*
 * The option parser, with a table of its own; what it would print is caught here.
 */
#include "cmd.h"

#include "term.h"
#include "unit.h"

/* --- What the parser calls ------------------------------------------------------------------- */

static char said[1024]; /* errors and warnings, each with a newline */
static int helped, versions;

static void say(const char *fmt, va_list ap)
{
	size_t used = strlen(said);

	vsnprintf(said + used, sizeof(said) - used, fmt, ap);
	used = strlen(said);
	snprintf(said + used, sizeof(said) - used, "\n");
}

void term_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

void term_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

void term_version(const char *prog)
{
	(void)prog;
	versions++;
}

void help_command(const struct command *cmd, const char *prog)
{
	(void)cmd, (void)prog;
	helped++;
}

/* --- Commands -------------------------------------------------------------------------------- */

enum { KERNEL, OUTPUT, DOCS, CHECK, VERIFY, CERT, HASHES, ENABLE, DISABLE, LEVEL };

static const struct opt opts[] = {
	[KERNEL] = { .names = "kernel,image,-x-kernel",
		     .letter = 'i',
		     .arg = ARG_VALUE,
		     .required = true },
	[OUTPUT] = { .names = "output", .letter = 'o', .arg = ARG_VALUE },
	[DOCS] = { .names = "host-key-document", .letter = 'k', .arg = ARG_LIST },
	[CHECK] = { .names = "no-check", .letter = 'n' },
	[VERIFY] = { .names = "no-verify" },
	[CERT] = { .names = "cert,crt", .letter = 'C', .arg = ARG_LIST },
	[HASHES] = { .names = "key-hashes", .arg = ARG_OPTIONAL },
	[ENABLE] = { .names = "enable-dump" },
	[DISABLE] = { .names = "disable-dump" },
	[LEVEL] = { .names = "level", .letter = 'l', .arg = ARG_VALUE },
	{ .names = NULL },
};

static const struct rule rules[] = {
	{ RULE_EXACTLY_ONE, 0, { VERIFY, CERT, RULE_END } },
	{ RULE_CONFLICTS, ENABLE, { DISABLE, CHECK, RULE_END } },
	{ RULE_NEEDS_ONE, LEVEL, { ENABLE, DISABLE, RULE_END } },
	{ RULE_NEEDS_ONE, HASHES, { OUTPUT, RULE_END } },
	{ RULE_CONFLICTS, 0, { RULE_END } },
};

static const struct command with_rules = { .name = "seal", .opts = opts, .rules = rules };
static const struct command operand = { .name = "show", .operand = "IMAGE", .opts = opts + 1 };
static const struct command optional = {
	.name = "show", .operand = "IMAGE", .operand_optional = true, .opts = opts + 1
};

/* Parses the words of a line; "_" stands for an empty word. */
static int parse(const struct command *cmd, const char *line, char copy[256], struct args *args)
{
	static const char empty[] = "";
	char *argv[32];
	int argc = 0, err, null, rc;

	said[0] = '\0';
	helped = versions = 0;
	snprintf(copy, 256, "%s", line);
	for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
		argv[argc++] = strcmp(word, "_") == 0 ? (char *)(uintptr_t)empty : word;
	/* The hint "Try ... --help" goes to standard error directly. */
	fflush(stderr);
	err = dup(2);
	null = open("/dev/null", O_WRONLY);
	dup2(null, 2);
	rc = args_parse(cmd, "zpv seal", argc, argv, args);
	fflush(stderr);
	dup2(err, 2);
	close(null);
	close(err);
	return rc;
}

/* --- Values ---------------------------------------------------------------------------------- */

static void test_values(void **state)
{
	static const struct {
		const char *line;
		int opt; /* seen, with this value (NULL: none) */
		const char *value;
	} rows[] = {
		{ "--kernel k --no-verify", KERNEL, "k" },
		{ "--kernel=k --no-verify", KERNEL, "k" },
		{ "--image k --no-verify", KERNEL, "k" },
		{ "--image=k --no-verify", KERNEL, "k" },
		{ "--x-kernel=k --no-verify", KERNEL, "k" },
		{ "-i k --no-verify", KERNEL, "k" },
		{ "-ik --no-verify", KERNEL, "k" },
		{ "-i=k --no-verify", KERNEL, "k" },
		{ "-i k -ofile --no-verify", OUTPUT, "file" },
		{ "-i k -o=file --no-verify", OUTPUT, "file" },
		{ "-i k -o file --no-verify", OUTPUT, "file" },
		{ "-i k -o == --no-verify", OUTPUT, "==" },
		{ "-i k -o - --no-verify", OUTPUT, "-" },
		{ "-i k -o --no-verify --no-verify", OUTPUT, "--no-verify" },
		{ "-i k --output= --no-verify", OUTPUT, "" },
		{ "-i k --output _ --no-verify", OUTPUT, "" },
		{ "-i k --output=a=b --no-verify", OUTPUT, "a=b" },
		{ "-i k -no out --no-verify", OUTPUT, "out" },
		{ "-i k -no out --no-verify", CHECK, NULL },
		{ "-i k --key-hashes -o o --no-verify", HASHES, NULL },
		{ "-i k --key-hashes=f -o o --no-verify", HASHES, "f" },
		{ "-i k --key-hashes= -o o --no-verify", HASHES, "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct args args;
		char copy[256];

		row_int(rows[i].line, parse(&with_rules, rows[i].line, copy, &args), -1);
		row_str(rows[i].line, said, "");
		row_true(rows[i].line, args.seen[rows[i].opt]);
		if (rows[i].value)
			row_str(rows[i].line, args.value[rows[i].opt], rows[i].value);
		else
			row_true(rows[i].line, !args.value[rows[i].opt]);
		args_free(&args);
	}
}

static void test_lists(void **state)
{
	static const struct {
		const char *line, *items; /* joined by | */
	} rows[] = {
		{ "-k a", "a" },       { "-k a -k b", "a|b" },
		{ "-k a,b", "a|b" },   { "-ka,b -k c --host-key-document=d,e", "a|b|c|d|e" },
		{ "-k a,,b", "a||b" }, { "-k ,", "|" },
		{ "-k _", "" },	       { "-k a -k a", "a|a" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char line[256], copy[256], items[256] = "";
		struct args args;

		snprintf(line, sizeof(line), "-i k --no-verify %s", rows[i].line);
		row_int(line, parse(&with_rules, line, copy, &args), -1);
		for (size_t k = 0; k < args.list[DOCS].n; k++) {
			strcat(items, k ? "|" : "");
			strcat(items, args.list[DOCS].items[k]);
		}
		row_str(line, items, rows[i].items);
		args_free(&args);
	}
}

static void test_common(void **state)
{
	static const struct {
		const char *line;
		int rc;
		bool verbose, quiet;
		int helped, versions;
		const char *said;
	} rows[] = {
		{ "-i k --no-verify -v", -1, true, false, 0, 0, "" },
		{ "-i k --no-verify --verbose", -1, true, false, 0, 0, "" },
		{ "-i k --no-verify -vvv", -1, true, false, 0, 0, "" },
		{ "-i k --no-verify -V", -1, true, false, 0, 0,
		  "option '-V' is deprecated, use '-v'\n" },
		{ "-i k --no-verify -q", -1, false, true, 0, 0, "" },
		{ "-i k --no-verify --quiet -n", -1, false, true, 0, 0, "" },
		{ "-i k --no-verify -vq", EXIT_USAGE, true, true, 0, 0,
		  "option '--verbose' cannot be used with '--quiet'\n" },
		{ "--help", EXIT_OK, false, false, 1, 0, "" },
		{ "-h", EXIT_OK, false, false, 1, 0, "" },
		{ "--help-all", EXIT_OK, false, false, 1, 0, "" },
		{ "--help-experimental", EXIT_OK, false, false, 1, 0, "" },
		{ "-i k --help --unknown", EXIT_OK, false, false, 1, 0, "" },
		{ "--unknown --help", EXIT_USAGE, false, false, 0, 0,
		  "option '--unknown' is not known\n" },
		{ "--version", EXIT_OK, false, false, 0, 1, "" },
		{ "--version -v", EXIT_USAGE, true, false, 0, 0,
		  "option '--version' stands alone\n" },
		{ "--help=x", EXIT_USAGE, false, false, 0, 0, "option '--help' is not known\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct args args;
		char copy[256];

		row_int(rows[i].line, parse(&with_rules, rows[i].line, copy, &args), rows[i].rc);
		row_str(rows[i].line, said, rows[i].said);
		row_int(rows[i].line, args.verbose, rows[i].verbose);
		row_int(rows[i].line, args.quiet, rows[i].quiet);
		row_int(rows[i].line, helped, rows[i].helped);
		row_int(rows[i].line, versions, rows[i].versions);
		args_free(&args);
	}
}

/* --- Errors ---------------------------------------------------------------------------------- */

static void test_errors(void **state)
{
	static const struct {
		const char *line, *said;
	} rows[] = {
		{ "", "option '--kernel' is missing" },
		{ "-i k", "exactly one of '--no-verify', '--cert' is needed, not none" },
		{ "-i k --no-verify -C c",
		  "exactly one of '--no-verify', '--cert' is needed, not several" },
		{ "-i k --no-verify --enable-dump --disable-dump",
		  "option '--enable-dump' cannot be used with '--disable-dump'" },
		{ "-i k --no-verify --enable-dump -n",
		  "option '--enable-dump' cannot be used with '--no-check'" },
		{ "-i k --no-verify --level 3",
		  "option '--level' needs one of '--enable-dump', '--disable-dump'" },
		{ "-i k --no-verify --key-hashes", "option '--key-hashes' needs '--output'" },
		/* Names are never abbreviated. */
		{ "--kern k --no-verify", "option '--kern' is not known" },
		{ "--kernelx k --no-verify", "option '--kernelx' is not known" },
		{ "-i k --no-ver", "option '--no-ver' is not known" },
		{ "--verb", "option '--verb' is not known" },
		{ "--=x", "option '--' is not known" },
		{ "-i k -z --no-verify", "option '-z' is not known" },
		{ "-i k -nz --no-verify", "option '-z' is not known" },
		{ "--kernel", "option '--kernel' needs a value" },
		{ "-i", "option '-i' needs a value" },
		{ "-i k --no-verify=yes", "option '--no-verify' takes no value" },
		{ "-i k --no-verify=", "option '--no-verify' takes no value" },
		/* Given twice, also by another name. */
		{ "-i k -i k --no-verify", "option '--kernel' is given twice" },
		{ "--kernel k --image j --no-verify", "option '--kernel' is given twice" },
		{ "-i k --no-verify --no-verify", "option '--no-verify' is given twice" },
		{ "-i k -n --no-check --no-verify", "option '--no-check' is given twice" },
		/* No operands here. */
		{ "-i k --no-verify x", "unexpected argument 'x'" },
		{ "-i k --no-verify -- -n", "unexpected argument '-n'" },
		{ "-i k --no-verify -", "unexpected argument '-'" },
		/* Only the first error is told. */
		{ "--one --two", "option '--one' is not known" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct args args;
		char copy[256], want[256];

		snprintf(want, sizeof(want), "%s\n", rows[i].said);
		row_int(rows[i].line, parse(&with_rules, rows[i].line, copy, &args), EXIT_USAGE);
		row_str(rows[i].line, said, want);
		args_free(&args);
	}
}

static void test_operands(void **state)
{
	static const struct {
		const char *line;
		bool may_be_absent;
		const char *positional, *said; /* said: NULL when all is well */
	} rows[] = {
		{ "image", false, "image", NULL },
		{ "-o out image", false, "image", NULL },
		{ "image -o out", false, "image", NULL },
		{ "-", false, "-", NULL },
		{ "-- image", false, "image", NULL },
		{ "-- -o", false, "-o", NULL },
		{ "-- --", false, "--", NULL },
		{ "_", false, "", NULL },
		{ "", true, NULL, NULL },
		{ "", false, NULL, "IMAGE is missing\n" },
		{ "--", false, NULL, "IMAGE is missing\n" },
		{ "a b", false, NULL, "one IMAGE is expected, but 'b' follows 'a'\n" },
		{ "a b", true, NULL, "one IMAGE is expected, but 'b' follows 'a'\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct command *cmd = rows[i].may_be_absent ? &optional : &operand;
		struct args args;
		char copy[256];
		int rc = parse(cmd, rows[i].line, copy, &args);

		row_int(rows[i].line, rc, rows[i].said ? EXIT_USAGE : -1);
		row_str(rows[i].line, said, rows[i].said ? rows[i].said : "");
		if (rows[i].positional)
			row_str(rows[i].line, args.positional, rows[i].positional);
		else if (!rows[i].said)
			row_true(rows[i].line, !args.positional);
		args_free(&args);
	}
}

static void test_names(void **state)
{
	static const struct {
		size_t i;
		const char *name;
		bool hidden;
	} rows[] = { { 0, "kernel", false }, { 1, "image", false }, { 2, "x-kernel", true } };
	bool hidden;
	char buf[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		row_true(rows[i].name, opt_name(&opts[KERNEL], rows[i].i, buf, &hidden));
		row_str(rows[i].name, buf, rows[i].name);
		row_int(rows[i].name, hidden, rows[i].hidden);
	}
	assert_false(opt_name(&opts[KERNEL], 3, buf, &hidden));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),	 cmocka_unit_test(test_lists),
		cmocka_unit_test(test_common),	 cmocka_unit_test(test_errors),
		cmocka_unit_test(test_operands), cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests_name("cli/args", tests, NULL, NULL);
}
