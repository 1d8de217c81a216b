// SPDX-License-Identifier: MIT
/*
 * Parsing options by a command's table. Names are not abbreviated: what is not in the table is an
 * error, as in the tools whose names this program also answers to.
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "term.h"

struct parser {
	const struct command *cmd;
	const char *prog;
	struct args *args;
	int argc, at;
	char **argv;
	bool failed, help, version;
};

bool opt_name(const struct opt *o, size_t i, char buf[64], bool *hidden)
{
	const char *p = o->names;

	for (; i; i--) {
		p = strchr(p, ',');
		if (!p)
			return false;
		p++;
	}
	*hidden = *p == '-';
	p += *hidden;
	snprintf(buf, 64, "%.*s", (int)strcspn(p, ","), p);
	return true;
}

PRINTF_LIKE(2, 3) static void usage_error(struct parser *p, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (p->failed)
		return; /* one message, the first */
	p->failed = true;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	term_error("%s", text);
	fprintf(stderr, "Try '%s --help'.\n", p->prog);
}

static int find_long(const struct command *cmd, const char *name, size_t len)
{
	char buf[64];
	bool hidden;

	for (int i = 0; cmd->opts[i].names; i++)
		for (size_t k = 0; opt_name(&cmd->opts[i], k, buf, &hidden); k++)
			if (strlen(buf) == len && strncmp(buf, name, len) == 0)
				return i;
	return -1;
}

static int find_letter(const struct command *cmd, char letter)
{
	for (int i = 0; cmd->opts[i].names; i++)
		if (cmd->opts[i].letter == letter)
			return i;
	return -1;
}

static void add_item(struct parser *p, int opt, const char *item)
{
	struct list *l = &p->args->list[opt];
	const char **items = realloc(l->items, (l->n + 1) * sizeof(*items));

	if (!items) {
		usage_error(p, "no memory");
		return;
	}
	items[l->n++] = item;
	l->items = items;
}

static void add_list(struct parser *p, int opt, const char *value)
{
	struct args *a = p->args;
	char *copy = strdup(value);
	char **owned = realloc(a->owned, (a->nowned + 1) * sizeof(*owned));
	char *item, *rest = copy;

	if (!copy || !owned) {
		free(copy);
		usage_error(p, "no memory");
		return;
	}
	owned[a->nowned++] = copy;
	a->owned = owned;
	while ((item = strsep(&rest, ",")))
		add_item(p, opt, item);
}

static void take(struct parser *p, int opt, const char *value)
{
	const struct opt *o = &p->cmd->opts[opt];
	char name[64];
	bool hidden;

	opt_name(o, 0, name, &hidden);
	if (p->args->seen[opt] && o->arg != ARG_LIST)
		usage_error(p, "option '--%s' is given twice", name);
	p->args->seen[opt] = true;
	p->args->value[opt] = value;
	if (o->arg == ARG_LIST)
		add_list(p, opt, value);
}

/* The options that every command has. */
static bool take_common(struct parser *p, const char *name, size_t len)
{
	static const char *const help[] = { "help", "help-all", "help-experimental" };

	for (size_t i = 0; i < ARRAY_SIZE(help); i++)
		if (strlen(help[i]) == len && strncmp(name, help[i], len) == 0)
			return p->help = true;
	if (len == 7 && strncmp(name, "version", len) == 0)
		return p->version = true;
	if (len == 7 && strncmp(name, "verbose", len) == 0)
		return p->args->verbose = true;
	if (len == 5 && strncmp(name, "quiet", len) == 0)
		return p->args->quiet = true;
	return false;
}

static void parse_long(struct parser *p, const char *text)
{
	size_t len = strcspn(text, "=");
	const char *value = text[len] ? text + len + 1 : NULL;
	int opt = find_long(p->cmd, text, len);
	enum opt_arg arg = opt < 0 ? ARG_NONE : p->cmd->opts[opt].arg;

	if (opt < 0 && !value && take_common(p, text, len))
		return;
	if (opt < 0)
		usage_error(p, "option '--%.*s' is not known", (int)len, text);
	else if (arg == ARG_NONE && value)
		usage_error(p, "option '--%.*s' takes no value", (int)len, text);
	else if (arg == ARG_NONE || arg == ARG_OPTIONAL || value)
		take(p, opt, value);
	else if (p->at < p->argc)
		take(p, opt, p->argv[p->at++]);
	else
		usage_error(p, "option '--%.*s' needs a value", (int)len, text);
}

static bool take_common_letter(struct parser *p, char letter)
{
	if (letter == 'h')
		return p->help = true;
	if (letter == 'q')
		return p->args->quiet = true;
	if (letter != 'v' && letter != 'V')
		return false;
	if (letter == 'V')
		term_warn("option '-V' is deprecated, use '-v'");
	return p->args->verbose = true;
}

/* -v -vq -ofile -o=file -o file */
static void parse_letters(struct parser *p, const char *text)
{
	for (; *text && !p->failed; text++) {
		int opt = find_letter(p->cmd, *text);
		const char *value = text + 1;

		if (opt < 0 && take_common_letter(p, *text))
			continue;
		if (opt < 0) {
			usage_error(p, "option '-%c' is not known", *text);
			return;
		}
		if (p->cmd->opts[opt].arg == ARG_NONE) {
			take(p, opt, NULL);
			continue;
		}
		if (*value == '=')
			value++;
		if (*value)
			take(p, opt, value);
		else if (p->at < p->argc)
			take(p, opt, p->argv[p->at++]);
		else
			usage_error(p, "option '-%c' needs a value", *text);
		return;
	}
}

static void parse_operand(struct parser *p, const char *text)
{
	if (!p->cmd->operand)
		usage_error(p, "unexpected argument '%s'", text);
	else if (!p->args->positional)
		p->args->positional = text;
	else if (p->cmd->operand2 && !p->args->positional2)
		p->args->positional2 = text;
	else
		usage_error(p, "one %s is expected, but '%s' follows '%s'",
			    p->cmd->operand2 ? p->cmd->operand2 : p->cmd->operand, text,
			    p->args->positional2 ? p->args->positional2 : p->args->positional);
}

/* --- Rules ----------------------------------------------------------------------------------- */

/* "'--a', '--b'" for the given options. */
static const char *name_all(const struct command *cmd, const int *opts, char *buf, size_t size)
{
	size_t used = 0;

	buf[0] = '\0';
	for (int i = 0; opts[i] != RULE_END && used < size; i++) {
		char name[64];
		bool hidden;

		opt_name(&cmd->opts[opts[i]], 0, name, &hidden);
		used += (size_t)snprintf(buf + used, size - used, "%s'--%s'", i ? ", " : "", name);
	}
	return buf;
}

static void check_rule(struct parser *p, const struct rule *r)
{
	const int self[] = { r->opt, RULE_END };
	char a[64], all[512];
	int hits = 0, first = RULE_END;

	for (int i = 0; r->others[i] != RULE_END; i++) {
		if (!p->args->seen[r->others[i]])
			continue;
		if (!hits++)
			first = r->others[i];
	}
	if (r->kind == RULE_EXACTLY_ONE) {
		if (hits != 1)
			usage_error(p, "exactly one of %s is needed, not %s",
				    name_all(p->cmd, r->others, all, sizeof(all)),
				    hits ? "several" : "none");
		return;
	}
	if (!p->args->seen[r->opt])
		return;
	name_all(p->cmd, self, a, sizeof(a));
	if (r->kind == RULE_CONFLICTS && hits) {
		const int other[] = { first, RULE_END };

		usage_error(p, "option %s cannot be used with %s", a,
			    name_all(p->cmd, other, all, sizeof(all)));
	}
	if (r->kind == RULE_NEEDS_ONE && !hits)
		usage_error(p, "option %s needs %s%s", a, r->others[1] == RULE_END ? "" : "one of ",
			    name_all(p->cmd, r->others, all, sizeof(all)));
}

static void check_all(struct parser *p)
{
	for (int i = 0; p->cmd->opts[i].names; i++) {
		const int self[] = { i, RULE_END };
		char name[64];

		if (p->cmd->opts[i].required && !p->args->seen[i])
			usage_error(p, "option %s is missing",
				    name_all(p->cmd, self, name, sizeof(name)));
	}
	for (const struct rule *r = p->cmd->rules; r && r->others[0] != RULE_END; r++)
		check_rule(p, r);
	if (p->cmd->operand && !p->args->positional && !p->cmd->operand_optional)
		usage_error(p, "%s is missing", p->cmd->operand);
	if (p->args->verbose && p->args->quiet)
		usage_error(p, "option '--verbose' cannot be used with '--quiet'");
}

int args_parse(const struct command *cmd, const char *prog, int argc, char **argv, struct args *out)
{
	struct parser p = { .cmd = cmd, .prog = prog, .args = out, .argc = argc, .argv = argv };
	bool only_operands = false;

	memset(out, 0, sizeof(*out));
	while (p.at < argc && !p.failed && !p.help) {
		const char *text = argv[p.at++];

		if (only_operands || text[0] != '-' || !text[1])
			parse_operand(&p, text);
		else if (strcmp(text, "--") == 0)
			only_operands = true;
		else if (text[1] == '-')
			parse_long(&p, text + 2);
		else if (cmd->single_dash && find_long(cmd, text + 1, strcspn(text + 1, "=")) >= 0)
			parse_long(&p, text + 1);
		else
			parse_letters(&p, text + 1);
	}
	if (p.help && !p.failed) {
		help_command(cmd, prog);
		return EXIT_OK;
	}
	if (p.version && !p.failed && argc == 1) {
		term_version(prog);
		return EXIT_OK;
	}
	if (p.version)
		usage_error(&p, "option '--version' stands alone");
	check_all(&p);
	return p.failed ? EXIT_USAGE : -1;
}

void args_free(struct args *a)
{
	for (size_t i = 0; i < MAX_OPTS; i++)
		free(a->list[i].items);
	for (size_t i = 0; i < a->nowned; i++)
		free(a->owned[i]);
	free(a->owned);
}
