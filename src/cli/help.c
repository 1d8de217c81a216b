// SPDX-License-Identifier: MIT
/*
 * Help texts out of the command tables.
 */
#include <stdio.h>
#include <string.h>

#include "cmd.h"

#define HELP_INDENT 10
#define HELP_WIDTH  88

/* Prints text in lines of HELP_WIDTH. */
static void wrap(const char *text)
{
	size_t column = 0;

	while (*text) {
		size_t word = strcspn(text, " ");

		if (column == 0 || column + 1 + word > HELP_WIDTH) {
			printf("%s%*s", column ? "\n" : "", HELP_INDENT, "");
			column = HELP_INDENT;
		} else {
			putchar(' ');
			column++;
		}
		printf("%.*s", (int)word, text);
		column += word;
		text += word + (text[word] == ' ');
	}
	putchar('\n');
}

static void print_opt(const struct opt *o)
{
	char name[64];
	bool hidden;

	if (o->letter)
		printf("  -%c", o->letter);
	else
		printf("    ");
	for (size_t i = 0; opt_name(o, i, name, &hidden); i++) {
		if (hidden)
			continue;
		printf("%s--%s", i == 0 && !o->letter ? "  " : ", ", name);
	}
	if (o->value_name)
		printf(o->arg == ARG_OPTIONAL ? "[=%s]" : " %s", o->value_name);
	putchar('\n');
	wrap(o->help);
}

static void print_common(void)
{
	puts("  -v, --verbose");
	wrap("Say what is used and found.");
	puts("  -q, --quiet");
	wrap("Errors only: no warnings, no progress.");
	puts("  -h, --help");
	wrap("Print this help.");
	puts("      --version");
	wrap("Print the version.");
}

void help_command(const struct command *cmd, const char *prog)
{
	printf("%s\n\nUsage: %s [OPTIONS]", cmd->summary, prog);
	if (cmd->operand)
		printf(cmd->operand_optional ? " [%s]" : " %s", cmd->operand);
	if (cmd->operand2)
		printf(" [%s]", cmd->operand2);
	puts("\n\nOptions:");
	for (const struct opt *o = cmd->opts; o->names; o++)
		if (!o->hidden)
			print_opt(o);
	print_common();
	printf("\nExit status: 0 success, 1 failure, 2 wrong use%s.\n",
	       cmd->exits ? cmd->exits : "");
}

void help_overview(const char *prog, const char *prefix)
{
	size_t skip = strlen(prefix);

	puts("IBM Secure Execution for Linux in software.\n");
	printf("Usage: %s COMMAND [OPTIONS]\n\nCommands:\n", prog);
	for (size_t i = 0; commands[i]; i++)
		if (strncmp(commands[i]->name, prefix, skip) == 0)
			printf("  %-18s %s\n", commands[i]->name + skip, commands[i]->summary);
	if (!skip)
		printf("  %-18s %s\n", "completion",
		       "Print the completion script for bash, zsh or fish.");
	printf("\n'%s COMMAND --help' explains a command; so does its man page.\n", prog);
}
