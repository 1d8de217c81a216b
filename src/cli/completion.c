// SPDX-License-Identifier: MIT
/*
 * Completion scripts for bash, zsh and fish out of the command tables. pvimg and genprotimg, whose
 * names this program answers to, have completions of their own where they are installed.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"

static const char *const common_names[] = { "verbose", "quiet", "help", "version" };
static const char *const common_help[] = { "say what is used and found", "errors only",
					   "print help", "print the version" };

/* Commands of one word ("run") have no group in front of them. */
static bool in_group(const struct command *cmd)
{
	return strchr(cmd->name, ' ');
}

/* The first words: groups and commands of one word, in the order of the table. */
static void print_first_words(void)
{
	for (size_t i = 0; commands[i]; i++) {
		size_t len = strcspn(commands[i]->name, " ");

		if (i == 0 || strncmp(commands[i - 1]->name, commands[i]->name, len + 1) != 0)
			printf("%.*s ", (int)len, commands[i]->name);
	}
	printf("completion");
}

/* Calls print for each group, with the words that may follow it. */
static void each_group(void (*print)(const char *group, const char *words))
{
	for (size_t i = 0; commands[i];) {
		char group[32], words[256] = "";
		size_t used = 0, len = strcspn(commands[i]->name, " ");

		snprintf(group, sizeof(group), "%.*s ", (int)len, commands[i]->name);
		if (!in_group(commands[i])) {
			i++;
			continue;
		}
		for (; commands[i] && strncmp(commands[i]->name, group, len + 1) == 0; i++)
			used += (size_t)snprintf(words + used, sizeof(words) - used, "%s%s",
						 used ? " " : "", commands[i]->name + len + 1);
		assert(used < sizeof(words));
		group[len] = '\0';
		print(group, words);
	}
}

/* --- bash ------------------------------------------------------------------------------------ */

static void bash_values(const struct command *cmd)
{
	char name[64];
	bool hidden;

	for (const struct opt *o = cmd->opts; o->names; o++) {
		if (o->hidden || o->arg == ARG_NONE || o->arg == ARG_OPTIONAL)
			continue;
		printf("\t\t");
		if (o->letter)
			printf("-%c|", o->letter);
		for (size_t i = 0; opt_name(o, i, name, &hidden); i++)
			printf("%s--%s", i ? "|" : "", name);
		if (o->choices)
			printf(") COMPREPLY=($(compgen -W '%s' -- \"$cur\")); return ;;\n",
			       o->choices);
		else
			printf(") %s; return ;;\n",
			       o->hint == HINT_DIR ? "_filedir -d" : "_filedir");
	}
}

static void bash_names(const struct command *cmd)
{
	char name[64];
	bool hidden;

	for (const struct opt *o = cmd->opts; o->names; o++)
		for (size_t i = 0; !o->hidden && opt_name(o, i, name, &hidden); i++)
			if (!hidden)
				printf("--%s ", name);
	for (size_t i = 0; i < ARRAY_SIZE(common_names); i++)
		printf("--%s ", common_names[i]);
}

static void bash_command(const struct command *cmd)
{
	printf("\t'%s%s)\n\t\tcase $prev in\n", cmd->name, in_group(cmd) ? "'" : " '*");
	bash_values(cmd);
	printf("\t\tesac\n\t\tif [[ $cur == -* ]]; then\n\t\t\tCOMPREPLY=($(compgen -W '");
	bash_names(cmd);
	printf("' -- \"$cur\"))\n\t\telse\n\t\t\t%s\n\t\tfi\n\t\treturn ;;\n",
	       !cmd->operand		     ? ":" :
	       cmd->operand_hint == HINT_DIR ? "_filedir -d" :
					       "_filedir");
}

static void bash_group(const char *group, const char *words)
{
	printf("\t\t%s) COMPREPLY=($(compgen -W '%s' -- \"$cur\")) ;;\n", group, words);
}

static void print_bash(void)
{
	puts("# bash completion for zpv\n_zpv()\n{\n\tlocal cur prev words cword\n"
	     "\t_init_completion || return\n\tcase \"${words[1]-} ${words[2]-}\" in");
	for (size_t i = 0; commands[i]; i++)
		bash_command(commands[i]);
	printf("\tesac\n\tcase $cword in\n\t1) COMPREPLY=($(compgen -W '");
	print_first_words();
	puts("' -- \"$cur\")) ;;\n"
	     "\t2) case ${words[1]} in");
	each_group(bash_group);
	puts("\t\tcompletion) COMPREPLY=($(compgen -W 'bash zsh fish' -- \"$cur\")) ;;\n\t\tesac ;;\n"
	     "\tesac\n} && complete -F _zpv zpv");
}

/* --- zsh ------------------------------------------------------------------------------------- */

/* Text inside '...[...]' of _arguments. */
static void zsh_text(const char *text)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", stdout);
		else if (*text == '[' || *text == ']' || *text == ':')
			printf("\\%c", *text);
		else
			putchar(*text);
	}
}

static void zsh_spec(const struct opt *o, const char *dashes, const char *name)
{
	printf("\t\t\t'%s%s%s%s[", o->arg == ARG_LIST ? "*" : "", dashes, name,
	       o->arg == ARG_OPTIONAL ? "=-" :
	       dashes[1] && o->arg    ? "=" :
					"");
	zsh_text(o->help);
	putchar(']');
	if (o->arg != ARG_NONE) {
		printf("%s%s:", o->arg == ARG_OPTIONAL ? "::" : ":", o->value_name);
		if (o->choices)
			printf("(%s)", o->choices);
		else if (o->hint != HINT_NONE)
			printf("_files%s", o->hint == HINT_DIR ? " -/" : "");
	}
	puts("' \\");
}

static void zsh_command(const struct command *cmd)
{
	char name[64];
	bool hidden;

	printf("\t'%s')\n\t\t_arguments \\\n", cmd->name);
	for (const struct opt *o = cmd->opts; o->names; o++) {
		if (o->hidden)
			continue;
		if (o->letter)
			zsh_spec(o, "-", (char[]){ o->letter, '\0' });
		for (size_t i = 0; opt_name(o, i, name, &hidden); i++)
			if (!hidden)
				zsh_spec(o, "--", name);
	}
	for (size_t i = 0; i < ARRAY_SIZE(common_names); i++)
		printf("\t\t\t'--%s[%s]' \\\n", common_names[i], common_help[i]);
	if (cmd->operand)
		printf("\t\t\t'1:%s:_files%s' ;;\n", cmd->operand,
		       cmd->operand_hint == HINT_DIR ? " -/" : "");
	else
		puts("\t\t\t&& return ;;");
}

static void zsh_group(const char *group, const char *words)
{
	printf("\t\t%s) compadd %s; return ;;\n", group, words);
}

static void print_zsh(void)
{
	printf("#compdef zpv\n# zsh completion for zpv\n_zpv()\n{\n"
	       "\tif (( CURRENT == 2 )); then\n\t\tcompadd ");
	print_first_words();
	puts("\n\t\treturn\n\tfi\n\tif (( CURRENT == 3 )); then\n\t\tcase $words[2] in");
	each_group(zsh_group);
	puts("\t\tcompletion) compadd bash zsh fish; return ;;\n\t\tesac\n\tfi\n"
	     "\tlocal cmd=\"$words[2] $words[3]\"\n\tlocal -i skip=2\n\tcase $words[2] in");
	for (size_t i = 0; commands[i]; i++)
		if (!in_group(commands[i]))
			printf("\t%s) cmd=%s skip=1 ;;\n", commands[i]->name, commands[i]->name);
	puts("\tesac\n\tshift $skip words\n\t(( CURRENT -= skip ))\n\tcase $cmd in");
	for (size_t i = 0; commands[i]; i++)
		zsh_command(commands[i]);
	puts("\tesac\n}\n_zpv \"$@\"");
}

/* --- fish ------------------------------------------------------------------------------------ */

static void fish_quote(const char *text)
{
	putchar('\'');
	for (; *text; text++)
		printf(*text == '\'' || *text == '\\' ? "\\%c" : "%c", *text);
	putchar('\'');
}

/* The condition under which a command's options are offered: by place, as `vm dump` is no `dump`. */
static void fish_when(const struct command *cmd)
{
	int group = (int)strcspn(cmd->name, " ");

	printf("complete -c zpv -n 'contains -- %.*s (commandline -opc)[2]", group, cmd->name);
	if (in_group(cmd))
		printf("; and contains -- %s (commandline -opc)[3]", cmd->name + group + 1);
	printf("'");
}

static void fish_option(const struct command *cmd, const struct opt *o)
{
	char name[64];
	bool hidden;

	fish_when(cmd);
	if (o->letter)
		printf(" -s %c", o->letter);
	for (size_t i = 0; opt_name(o, i, name, &hidden); i++)
		if (!hidden)
			printf(" -l %s", name);
	if (o->choices)
		printf(" -x -a '%s'", o->choices);
	else if (o->arg == ARG_VALUE || o->arg == ARG_LIST)
		printf(o->hint ? " -r -F" : " -x");
	printf(" -d ");
	fish_quote(o->help);
	putchar('\n');
}

static void fish_command(const struct command *cmd)
{
	int group = (int)strcspn(cmd->name, " ");

	if (in_group(cmd)) {
		printf("complete -c zpv -n 'contains -- %.*s (commandline -opc)[2]; and test (count "
		       "(commandline -opc)) -eq 2' -a %s -d ",
		       group, cmd->name, cmd->name + group + 1);
		fish_quote(cmd->summary);
		putchar('\n');
	}
	for (const struct opt *o = cmd->opts; o->names; o++)
		if (!o->hidden)
			fish_option(cmd, o);
}

static void print_fish(void)
{
	printf("# fish completion for zpv\ncomplete -c zpv -n __fish_use_subcommand -x -a '");
	print_first_words();
	puts("'\ncomplete -c zpv -n '__fish_seen_subcommand_from completion' -x -a 'bash zsh fish'");
	for (size_t i = 0; commands[i]; i++)
		fish_command(commands[i]);
	for (size_t i = 0; i < ARRAY_SIZE(common_names); i++)
		printf("complete -c zpv -l %s -d '%s'\n", common_names[i], common_help[i]);
}

bool completion_print(const char *shell)
{
	if (strcmp(shell, "bash") == 0)
		print_bash();
	else if (strcmp(shell, "zsh") == 0)
		print_zsh();
	else if (strcmp(shell, "fish") == 0)
		print_fish();
	else
		return false;
	return true;
}
