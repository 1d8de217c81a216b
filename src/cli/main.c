// SPDX-License-Identifier: MIT
/*
 * zpv: choosing the command. Called as pvimg it has the commands of `zpv image`, called by a name
 * that ends in genprotimg it is `zpv image create`, by one that ends in zgetdump it reads dumps as that
 * tool does.
 */
#include <assert.h>
#include <fcntl.h>
#include <locale.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "cmd.h"
#include "heap.h"
#include "term.h"

#define SECURE_HEAP_BYTES 65536
#define SECURE_HEAP_MIN	  32

const struct command *const commands[] = {
	&cmd_dump_dmesg, &cmd_dump_info,    &cmd_dump_open,  &cmd_explain,    &cmd_host_create,
	&cmd_host_show,	 &cmd_image_create, &cmd_image_info, &cmd_image_test, &cmd_machine_coverage,
	&cmd_run,	 &cmd_vm_dump,	    &cmd_vm_list,    &cmd_vm_pause,   &cmd_vm_powerdown,
	&cmd_vm_quit,	 &cmd_vm_reset,	    &cmd_vm_resume,  &cmd_vm_status,  NULL,
};

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && strcmp(s + n - m, end) == 0;
}

/* Nothing of this process ends in a core file; libcrypto keeps private numbers in locked memory. */
static void protect_process(void)
{
	bool ok = heap_install();

	assert(ok);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	CRYPTO_secure_malloc_init(SECURE_HEAP_BYTES, SECURE_HEAP_MIN);
}

/* A file of ours must not get the number of a standard stream: messages would end up in it. */
static void fill_descriptors(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			/* The wrong way round, so that using it still is an error. */
			(void)!open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
}

static int run_command(const struct command *cmd, const char *prog, int argc, char **argv)
{
	struct args args;
	int rc = args_parse(cmd, prog, argc, argv, &args);

	if (rc < 0)
		rc = cmd->run(&args);
	args_free(&args);
	if (!term_flush() && rc == EXIT_OK)
		rc = EXIT_ERROR;
	return rc;
}

/* How many of argv's words the command's name (behind prefix) takes, 0 when it is another. */
static int match(const struct command *cmd, const char *prefix, int argc, char **argv)
{
	const char *rest = cmd->name;
	int words = 0;

	if (strncmp(rest, prefix, strlen(prefix)) != 0)
		return 0;
	for (rest += strlen(prefix); *rest; words++) {
		size_t len = strcspn(rest, " ");

		if (words >= argc || strlen(argv[words]) != len ||
		    strncmp(argv[words], rest, len) != 0)
			return 0;
		rest += len + (rest[len] == ' ');
	}
	return words;
}

/* Words that are complete groups ("image") or ask for help. */
static int overview(const char *prog, const char *prefix, int argc, char **argv)
{
	char group[64];

	if (argc && (strcmp(argv[0], "--version") == 0 || strcmp(argv[0], "version") == 0)) {
		term_version(prog);
		return EXIT_OK;
	}
	if (argc && (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0 ||
		     strcmp(argv[0], "help") == 0)) {
		help_overview(prog, prefix);
		return EXIT_OK;
	}
	for (size_t i = 0; argc && commands[i]; i++) {
		snprintf(group, sizeof(group), "%s%s ", prefix, argv[0]);
		if (strncmp(commands[i]->name, group, strlen(group)) != 0)
			continue;
		if (argc > 1)
			term_error("'%s' is not a command of '%s %s'", argv[1], prog, argv[0]);
		help_overview(prog, group);
		return EXIT_USAGE;
	}
	if (argc)
		term_error("'%s' is not a command", argv[0]);
	help_overview(prog, prefix);
	return EXIT_USAGE;
}

/* How many of argv's words tell the verbosity: as pvimg does, it may come before the command. */
static int leading_options(int argc, char **argv)
{
	static const char *const names[] = { "-v", "--verbose", "-V", "-q", "--quiet" };
	int n;

	for (n = 0; n < argc; n++) {
		size_t i = 0;

		while (i < ARRAY_SIZE(names) && strcmp(argv[n], names[i]) != 0)
			i++;
		if (i == ARRAY_SIZE(names))
			break;
	}
	return n;
}

static int dispatch(const char *prog, const char *prefix, int argc, char **argv)
{
	int leading = leading_options(argc, argv);

	for (size_t i = 0; commands[i]; i++) {
		int words = match(commands[i], prefix, argc - leading, argv + leading);
		char name[128];

		if (!words)
			continue;
		snprintf(name, sizeof(name), "%s %s", prog, commands[i]->name + strlen(prefix));
		/* Behind the command they mean the same. */
		memmove(argv + words, argv, (size_t)leading * sizeof(*argv));
		return run_command(commands[i], name, argc - words, argv + words);
	}
	argc -= leading;
	argv += leading;
	if (!*prefix && argc == 2 && strcmp(argv[0], "completion") == 0) {
		if (completion_print(argv[1]))
			return term_flush() ? EXIT_OK : EXIT_ERROR;
		term_error("no completion for '%s', only for bash, zsh and fish", argv[1]);
		return EXIT_USAGE;
	}
	return overview(prog, prefix, argc, argv);
}

int main(int argc, char **argv)
{
	const char *slash = argc ? strrchr(argv[0], '/') : NULL;
	const char *name = slash ? slash + 1 : argc ? argv[0] : "zpv";

	fill_descriptors();
	setlocale(LC_ALL, "");
	protect_process();
	argc -= argc > 0;
	if (ends_with(name, "genprotimg"))
		return run_command(&cmd_image_create, "genprotimg", argc, argv + 1);
	if (ends_with(name, "zgetdump"))
		return run_command(&cmd_zgetdump, "zgetdump", argc, argv + 1);
	if (ends_with(name, "pvimg"))
		return dispatch("pvimg", "image ", argc, argv + 1);
	return dispatch("zpv", "", argc, argv + 1);
}
