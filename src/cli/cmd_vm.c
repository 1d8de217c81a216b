// SPDX-License-Identifier: MIT
/*
 * zpv vm: commands to VMs that run, through their control sockets.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "err.h"
#include "term.h"
#include "vm_socket.h"

#define MIB	    (1 << 20)
#define SOCK_SUFFIX ".sock"

/* Beyond the common ones; documented in the man pages. */
enum { EXIT_NO_VM = 3 };
#define EXITS ", 3 no VM of this name"

static int exit_code(int rc)
{
	return rc == 0		      ? EXIT_OK :
	       rc == -ZPV_ERR_USAGE   ? EXIT_USAGE :
	       rc == -ZPV_ERR_NETWORK ? EXIT_NO_VM :
					EXIT_ERROR;
}

/* A command to the VM of the operand; *out is what it returns. Takes words over. */
static int ask(const struct args *args, const char *command, json_object *words,
	       const struct zpv_progress *progress, json_object **out, struct zpv_err *err)
{
	char *path;
	int rc = vm_socket_path(args->positional, false, &path, err);

	if (rc) {
		json_object_put(words);
		return rc;
	}
	rc = vm_command(path, command, words, progress, out, err);
	free(path);
	return rc;
}

/* A command without arguments, and nothing to tell. */
static int simple(const struct args *args, const char *command)
{
	json_object *out = NULL;
	struct zpv_err err = { 0 };
	int rc = ask(args, command, NULL, NULL, &out, &err);

	if (rc)
		term_error("%s", err.text);
	json_object_put(out);
	return exit_code(rc);
}

static int run_pause(const struct args *args)
{
	return simple(args, "pause");
}

static int run_resume(const struct args *args)
{
	return simple(args, "resume");
}

static int run_reset(const struct args *args)
{
	return simple(args, "reset");
}

static int run_powerdown(const struct args *args)
{
	return simple(args, "powerdown");
}

static int run_quit(const struct args *args)
{
	return simple(args, "quit");
}

/* --- status, list ------------------------------------------------------------------------------- */

enum { STATUS_JSON, STATUS_END };

static const struct opt status_opts[] = {
	[STATUS_JSON] = { .names = "json", .help = "Print JSON." },
	[STATUS_END] = { 0 },
};

static const char *text_of(json_object *o, const char *name)
{
	const char *text = json_object_get_string(json_object_object_get(o, name));

	return text ? text : "?";
}

static int64_t number_of(json_object *o, const char *name)
{
	return json_object_get_int64(json_object_object_get(o, name));
}

static bool truth_of(json_object *o, const char *name)
{
	return json_object_get_boolean(json_object_object_get(o, name));
}

static void print_json(json_object *o)
{
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_SPACED |
						       JSON_C_TO_STRING_NOSLASHESCAPE));
}

static int run_status(const struct args *args)
{
	json_object *out = NULL;
	struct zpv_err err = { 0 };
	int rc = ask(args, "query-status", NULL, NULL, &out, &err);

	if (rc)
		term_error("%s", err.text);
	else if (args->seen[STATUS_JSON])
		print_json(out);
	else
		printf("%s, %s, %lld MiB, process %lld\n", text_of(out, "status"),
		       truth_of(out, "protected") ? "protected" : "not protected",
		       (long long)(number_of(out, "memory_bytes") / MIB),
		       (long long)number_of(out, "pid"));
	json_object_put(out);
	return exit_code(rc);
}

/* One line of a VM that answers; what a killed one left behind is passed over. */
static void list_one(const char *folder, const char *file)
{
	json_object *out = NULL;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", folder, file);
	if (vm_command(path, "query-status", NULL, NULL, &out, &(struct zpv_err){ 0 }) == 0)
		printf("%-20.*s %-8s %-13s %6lld MiB  process %lld\n",
		       (int)(strlen(file) - strlen(SOCK_SUFFIX)), file, text_of(out, "status"),
		       truth_of(out, "protected") ? "protected" : "not protected",
		       (long long)(number_of(out, "memory_bytes") / MIB),
		       (long long)number_of(out, "pid"));
	json_object_put(out);
}

static int is_socket(const struct dirent *e)
{
	size_t len = strlen(e->d_name), end = strlen(SOCK_SUFFIX);

	return e->d_name[0] != '.' && len > end && strcmp(e->d_name + len - end, SOCK_SUFFIX) == 0;
}

static int run_list(const struct args *args)
{
	struct dirent **found = NULL;
	struct zpv_err err = { 0 };
	char *folder;
	int rc = vm_socket_folder(false, &folder, &err), n;

	(void)args;
	if (rc == -ZPV_ERR_NETWORK)
		return EXIT_OK;
	if (rc) {
		term_error("%s", err.text);
		return EXIT_ERROR;
	}
	n = scandir(folder, &found, is_socket, alphasort);
	for (int i = 0; i < n; i++) {
		list_one(folder, found[i]->d_name);
		free(found[i]);
	}
	free(found);
	free(folder);
	return EXIT_OK;
}

/* --- dump --------------------------------------------------------------------------------------- */

enum { OUTPUT, OVERWRITE, DUMP_END };

static const struct opt dump_opts[] = {
	[OUTPUT] = { .names = "output",
		     .letter = 'o',
		     .arg = ARG_VALUE,
		     .value_name = "FILE",
		     .hint = HINT_FILE,
		     .required = true,
		     .help = "Write the dump to FILE, which appears when it is complete." },
	[OVERWRITE] = { .names = "overwrite", .help = "Replace FILE when it exists." },
	[DUMP_END] = { 0 },
};

/* The VM has another current folder. */
static char *absolute(const char *path)
{
	char *cwd, *out;

	if (path[0] == '/')
		return strdup(path);
	cwd = getcwd(NULL, 0);
	if (!cwd || asprintf(&out, "%s/%s", cwd, path) < 0)
		out = NULL;
	free(cwd);
	return out;
}

static void say_dumped(const struct args *args, json_object *out)
{
	double pause = json_object_get_double(json_object_object_get(out, "pause_seconds"));
	double mib = (double)number_of(out, "memory_bytes") / MIB;

	term_say(args, "Dumped %.0f MiB of memory of a%s guest to '%s' (%.0f MiB in the file).",
		 mib, truth_of(out, "protected") ? " protected" : "n unprotected",
		 text_of(out, "file"), (double)number_of(out, "stored_bytes") / MIB);
	term_say(args, "The guest stood still for %.3f s: %.0f MiB/s.", pause,
		 pause > 0 ? mib / pause : 0.0);
}

static int run_dump(const struct args *args)
{
	const struct zpv_progress progress = term_begin(args, "Dumping", true);
	json_object *words = json_object_new_object(), *out = NULL;
	char *file = absolute(args->value[OUTPUT]);
	struct zpv_err err = { 0 };
	int rc = file ? 0 : err_set(&err, ZPV_ERR_IO, "there is no current folder");

	json_object_object_add(words, "file", json_object_new_string(file ? file : ""));
	json_object_object_add(words, "overwrite", json_object_new_boolean(args->seen[OVERWRITE]));
	if (!rc)
		rc = ask(args, "dump", words, &progress, &out, &err);
	else
		json_object_put(words);
	term_end();
	if (rc)
		term_error("%s", err.text);
	else
		say_dumped(args, out);
	json_object_put(out);
	free(file);
	return exit_code(rc);
}

/* --- The commands ------------------------------------------------------------------------------- */

static const struct opt no_opts[] = { { 0 } };

const struct command cmd_vm_dump = {
	.name = "vm dump",
	.summary = "Dump a running guest; a protected one's dump stays encrypted.",
	.operand = "NAME",
	.exits = EXITS,
	.opts = dump_opts,
	.run = run_dump,
};

const struct command cmd_vm_list = {
	.name = "vm list",
	.summary = "List the VMs that have a name.",
	.opts = no_opts,
	.run = run_list,
};

const struct command cmd_vm_pause = {
	.name = "vm pause",
	.summary = "Make a guest stand still.",
	.operand = "NAME",
	.exits = EXITS,
	.opts = no_opts,
	.run = run_pause,
};

const struct command cmd_vm_powerdown = {
	.name = "vm powerdown",
	.summary = "Ask a guest to shut down.",
	.operand = "NAME",
	.exits = EXITS,
	.opts = no_opts,
	.run = run_powerdown,
};

const struct command cmd_vm_quit = {
	.name = "vm quit",
	.summary = "End a VM at once.",
	.operand = "NAME",
	.exits = EXITS,
	.opts = no_opts,
	.run = run_quit,
};

const struct command cmd_vm_reset = {
	.name = "vm reset",
	.summary = "Reset a guest: it is loaded again.",
	.operand = "NAME",
	.exits = EXITS,
	.opts = no_opts,
	.run = run_reset,
};

const struct command cmd_vm_resume = {
	.name = "vm resume",
	.summary = "Let a paused guest go on.",
	.operand = "NAME",
	.exits = EXITS,
	.opts = no_opts,
	.run = run_resume,
};

const struct command cmd_vm_status = {
	.name = "vm status",
	.summary = "Tell how a VM is.",
	.operand = "NAME",
	.exits = EXITS,
	.opts = status_opts,
	.run = run_status,
};
