// SPDX-License-Identifier: MIT
/*
 * zpv machine coverage: which facilities and instructions the emulated machine has, and which not.
 */
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "coverage.h"
#include "term.h"

#define WIDTH	   88
#define MAX_GROUPS 96

enum { JSON, OPTS_END };

static const struct opt opts[] = {
	[JSON] = { .names = "json", .help = "Print JSON instead of text." },
	[OPTS_END] = { 0 },
};

static const struct rule rules[] = {
	{ .others = { RULE_END } },
};

/* Instructions are counted and listed by what they have in common: chapter, facility, reason. */
struct group {
	const char *name; /* NULL: facility */
	unsigned int facility;
	size_t n;
};

struct groups {
	struct group list[MAX_GROUPS];
	size_t n;
};

static bool same(const struct group *g, const char *name, unsigned int facility)
{
	return name ? g->name && strcmp(g->name, name) == 0 : !g->name && g->facility == facility;
}

static void count(struct groups *groups, const char *name, unsigned int facility)
{
	size_t i = 0;

	while (i < groups->n && !same(&groups->list[i], name, facility))
		i++;
	if (i == MAX_GROUPS)
		return;
	if (i == groups->n)
		groups->list[groups->n++] = (struct group){ name, facility, 0 };
	groups->list[i].n++;
}

/* Reasons that are a facility are groups by its number. */
static const char *reason(const struct machine_insn *insn)
{
	return insn->facility ? NULL : insn->why;
}

static void sort_by_facility(struct groups *groups)
{
	for (size_t i = 1; i < groups->n; i++) {
		const struct group g = groups->list[i];
		size_t at = i;

		for (; at && !g.name &&
		       (groups->list[at - 1].name || groups->list[at - 1].facility > g.facility);
		     at--)
			groups->list[at] = groups->list[at - 1];
		groups->list[at] = g;
	}
}

struct coverage {
	struct groups chapters, facilities, absent;
	size_t installed, missing;
};

static void survey(struct coverage *c)
{
	struct machine_insn insn;

	memset(c, 0, sizeof(*c));
	for (size_t i = 0; machine_insn(i, &insn); i++) {
		if (!insn.installed) {
			count(&c->absent, reason(&insn), insn.facility);
			c->missing++;
			continue;
		}
		count(&c->chapters, insn.chapter, 0);
		count(&c->facilities, NULL, insn.facility);
		c->installed++;
	}
	sort_by_facility(&c->facilities);
	sort_by_facility(&c->absent);
}

/* --- Text -------------------------------------------------------------------------------------- */

static const char *facility_name(unsigned int bit)
{
	struct machine_facility f;

	for (size_t i = 0; machine_facility(i, &f); i++)
		if (f.bit == bit)
			return f.name;
	return "";
}

static void print_facilities(void)
{
	struct machine_facility f;

	puts("Facilities:");
	for (size_t i = 0; machine_facility(i, &f); i++)
		printf("  %3u  %-3s  %s\n", f.bit, f.installed ? "yes" : "no", f.name);
}

static void print_groups(const char *title, const struct groups *groups)
{
	printf("\n%s:\n", title);
	for (size_t i = 0; i < groups->n; i++) {
		const struct group *g = &groups->list[i];

		if (g->name)
			printf("  %4zu  %s\n", g->n, g->name);
		else if (g->facility)
			printf("  %4zu  facility %u: %s\n", g->n, g->facility,
			       facility_name(g->facility));
		else
			printf("  %4zu  base\n", g->n);
	}
}

/* The mnemonics of a group, in lines of WIDTH. */
static void print_members(const struct group *g)
{
	struct machine_insn insn;
	size_t column = 0;

	for (size_t i = 0; machine_insn(i, &insn); i++) {
		size_t len = strlen(insn.mnemonic);

		if (insn.installed || !same(g, reason(&insn), insn.facility))
			continue;
		if (column && column + 1 + len > WIDTH) {
			putchar('\n');
			column = 0;
		}
		if (!column)
			column = (size_t)printf("    %s", insn.mnemonic);
		else
			column += (size_t)printf(" %s", insn.mnemonic);
	}
	putchar('\n');
}

static void print_text(const struct coverage *c)
{
	print_facilities();
	printf("\nInstructions: %zu installed, %zu known and not installed\n", c->installed,
	       c->missing);
	print_groups("Installed, by chapter", &c->chapters);
	print_groups("Installed, by facility", &c->facilities);
	puts("\nNot installed (operation exception):");
	for (size_t i = 0; i < c->absent.n; i++) {
		const struct group *g = &c->absent.list[i];

		if (g->name)
			printf("  %s (%zu)\n", g->name, g->n);
		else
			printf("  facility %u: %s (%zu)\n", g->facility, facility_name(g->facility),
			       g->n);
		print_members(g);
	}
}

/* --- JSON -------------------------------------------------------------------------------------- */

/* Our own names only: nothing in them needs an escape. */
static void json_insn(const struct machine_insn *insn, bool first)
{
	printf("%s\n    {\"opcode\": \"%0*x\", \"mnemonic\": \"%s\", \"installed\": %s",
	       first ? "" : ",", insn->opcode < 0x100 ? 2 : 4, insn->opcode, insn->mnemonic,
	       insn->installed ? "true" : "false");
	if (insn->format)
		printf(", \"format\": \"%s\", \"chapter\": \"%s\"", insn->format, insn->chapter);
	if (insn->format || insn->facility)
		printf(", \"facility\": %u", insn->facility);
	if (insn->why)
		printf(", \"reason\": \"%s\"", insn->why);
	putchar('}');
}

static void print_json(const struct coverage *c)
{
	struct machine_facility f;
	struct machine_insn insn;

	printf("{\n  \"version\": 1,\n  \"installed\": %zu,\n  \"not_installed\": %zu,\n"
	       "  \"facilities\": [",
	       c->installed, c->missing);
	for (size_t i = 0; machine_facility(i, &f); i++)
		printf("%s\n    {\"bit\": %u, \"name\": \"%s\", \"installed\": %s}", i ? "," : "",
		       f.bit, f.name, f.installed ? "true" : "false");
	printf("\n  ],\n  \"instructions\": [");
	for (size_t i = 0; machine_insn(i, &insn); i++)
		json_insn(&insn, i == 0);
	puts("\n  ]\n}");
}

static int run(const struct args *args)
{
	struct coverage c;

	survey(&c);
	if (args->seen[JSON])
		print_json(&c);
	else
		print_text(&c);
	return EXIT_OK;
}

const struct command cmd_machine_coverage = {
	.name = "machine coverage",
	.summary = "List the facilities and instructions of the emulated machine.",
	.opts = opts,
	.rules = rules,
	.run = run,
};
