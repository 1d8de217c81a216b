/* SPDX-License-Identifier: MIT */
/*
 * Commands and their options. One table describes a command: the parser, the help text, the shell
 * completions and the check of the man pages all read it.
 */
#ifndef CLI_CMD_H
#define CLI_CMD_H

#include <stdbool.h>
#include <stddef.h>

#include "compiler.h"

/* Exit codes (documented in the man pages). */
enum { EXIT_OK = 0, EXIT_ERROR = 1, EXIT_USAGE = 2 };

enum opt_arg {
	ARG_NONE,
	ARG_VALUE,    /* --name VALUE, --name=VALUE, -nVALUE */
	ARG_LIST,     /* the same, repeatable and separated by commas */
	ARG_OPTIONAL, /* --name or --name=VALUE */
};

enum opt_hint { HINT_NONE, HINT_FILE, HINT_DIR };

struct opt {
	const char *
		names; /* comma-separated long names, the first is shown; "-" before a hidden one */
	char letter;   /* short form or 0 */
	enum opt_arg arg;
	const char *value_name;
	enum opt_hint hint;
	const char *choices; /* space-separated values for completion, or NULL */
	bool hidden;	     /* in no help text or completion; documented as experimental */
	bool required;
	const char *help; /* NULL ends a table */
};

/* Options are named by their index in the command's table. */
enum rule_kind {
	RULE_CONFLICTS,	  /* opt excludes each of others */
	RULE_NEEDS_ONE,	  /* opt needs at least one of others */
	RULE_EXACTLY_ONE, /* exactly one of others (opt is unused) */
};

#define RULE_MAX_OTHERS 20
#define RULE_END	(-1)

struct rule {
	enum rule_kind kind;
	int opt;
	int others[RULE_MAX_OTHERS]; /* up to RULE_END */
};

#define MAX_OPTS 48

struct list {
	const char **items;
	size_t n;
};

/* What was given. Strings live as long as struct args. */
struct args {
	bool seen[MAX_OPTS];
	const char *value[MAX_OPTS]; /* last value; NULL for none */
	struct list list[MAX_OPTS];  /* ARG_LIST */
	const char *positional;	     /* the operand or NULL */
	const char *positional2;     /* the second one or NULL */
	bool verbose, quiet;
	char **owned; /* copies made for comma-separated values */
	size_t nowned;
};

struct command {
	const char *name;    /* "image create" */
	const char *summary; /* one line */
	const char *exits;   /* exit codes beside 0 to 2 as help text, or NULL */
	const char *operand; /* name of the one operand, or NULL */
	enum opt_hint operand_hint;
	bool operand_optional;
	const char *operand2;	  /* name of a second operand, always optional, or NULL */
	bool single_dash;	  /* long names may have one dash, as people paste them from QEMU */
	const struct opt *opts;	  /* the last has names NULL */
	const struct rule *rules; /* the last has others[0] == RULE_END */
	int (*run)(const struct args *args);
};

extern const struct command cmd_dump_dmesg, cmd_dump_info, cmd_dump_open, cmd_explain,
	cmd_host_create, cmd_host_show, cmd_image_create, cmd_image_info, cmd_image_test,
	cmd_machine_coverage, cmd_run, cmd_vm_dump, cmd_vm_list, cmd_vm_pause, cmd_vm_powerdown,
	cmd_vm_quit, cmd_vm_reset, cmd_vm_resume, cmd_vm_status;

/* Only under that name: not in the list of commands. */
extern const struct command cmd_zgetdump;

/* All commands; ends with NULL. */
extern const struct command *const commands[];

/*
 * Parses argv[0..argc) for a command; `prog` is how the user called it, for messages.
 * Return: -1 to go on with run(), or an exit code (help and version were printed, or an error).
 */
int args_parse(const struct command *cmd, const char *prog, int argc, char **argv, struct args *out)
	MUST_CHECK;
void args_free(struct args *a);

void help_command(const struct command *cmd, const char *prog);
void help_overview(const char *prog, const char *prefix);

/* Prints the completion script; false for an unknown shell. */
bool completion_print(const char *shell);

/* Iterates over an option's long names: copies name number i to buf; false behind the last. */
bool opt_name(const struct opt *o, size_t i, char buf[64], bool *hidden);

#endif
