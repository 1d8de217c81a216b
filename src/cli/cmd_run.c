// SPDX-License-Identifier: MIT
/*
 * zpv run: booting a guest, with its console on the terminal or in a file.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "cmd.h"
#include "console.h"
#include "err.h"
#include "io.h"
#include "sclp.h"
#include "term.h"
#include "vm.h"

#define MIB		   (1ull << 20)
#define DEFAULT_MEMORY_MIB 512
#define ESCAPE		   0x01 /* Ctrl-A, as in QEMU */

/* Exit codes beyond the common ones; documented in the man page. */
enum { EXIT_REBOOT = 3, EXIT_CRASH = 4 };

enum { KERNEL, RAMDISK, PARMLINE, MEMORY, CONSOLE, NO_REBOOT, NOGRAPHIC, OPTS_END };

static const struct opt opts[] = {
	[KERNEL] = { .names = "kernel",
		     .arg = ARG_VALUE,
		     .value_name = "FILE",
		     .hint = HINT_FILE,
		     .help = "Boot FILE: an s390x Linux kernel (bzImage), an ELF file, a Secure Execution "
			     "image or a flat program. The same as the operand." },
	[RAMDISK] = { .names = "ramdisk,initrd",
		      .arg = ARG_VALUE,
		      .value_name = "FILE",
		      .hint = HINT_FILE,
		      .help = "Load FILE as the initial RAM disk." },
	[PARMLINE] = { .names = "parmline,append",
		       .arg = ARG_VALUE,
		       .value_name = "TEXT",
		       .help = "Give the kernel this command line." },
	[MEMORY] = { .names = "memory",
		     .letter = 'm',
		     .arg = ARG_VALUE,
		     .value_name = "SIZE",
		     .help = "Memory of the guest in MiB, or with the suffix G in GiB. Default: 512." },
	[CONSOLE] = { .names = "console",
		      .arg = ARG_VALUE,
		      .value_name = "FILE",
		      .hint = HINT_FILE,
		      .help = "Write the guest's console to FILE. Default: the terminal, whose input the "
			      "guest gets; Ctrl-A h there shows what Ctrl-A does." },
	[NO_REBOOT] = { .names = "no-reboot",
			.help = "End with exit status 3 when the guest reboots, instead of loading it "
				"again." },
	[NOGRAPHIC] = { .names = "nographic",
			.help = "Accepted for QEMU's sake: it is always so." },
	[OPTS_END] = { 0 },
};

static const struct rule rules[] = {
	{ .others = { RULE_END } },
};

/* --- Terminal ---------------------------------------------------------------------------------- */

struct terminal {
	struct vm *vm;
	int out;
	bool raw;     /* the terminal's settings are changed */
	bool escaped; /* Ctrl-A was typed */
	struct termios saved;
	int wake[2]; /* ends the input thread */
	pthread_t thread;
	bool reading;
};

static void output(void *ctx, const uint8_t *data, size_t len)
{
	const struct terminal *t = ctx;

	/* A console that nobody can read any more is no reason to stop the guest. */
	(void)io_write_full(t->out, data, len);
}

static void say_raw(const struct terminal *t, const char *text)
{
	(void)io_write_full(t->out, text, strlen(text));
}

static void command(struct terminal *t, uint8_t key)
{
	static const uint8_t escape = ESCAPE;

	switch (key) {
	case 'x':
		vm_quit(t->vm);
		break;
	case 'q':
		if (!sclp_quiesce(t->vm->sclp))
			say_raw(t, "\r\n[zpv: the guest does not listen to shutdown requests]\r\n");
		break;
	case ESCAPE:
		sclp_input(t->vm->sclp, &escape, 1);
		break;
	default:
		say_raw(t, "\r\n[zpv: Ctrl-A x quit, Ctrl-A q ask the guest to shut down, "
			   "Ctrl-A Ctrl-A send Ctrl-A]\r\n");
	}
}

static void typed(struct terminal *t, uint8_t key)
{
	if (t->escaped)
		command(t, key);
	else if (key != ESCAPE || !t->raw)
		sclp_input(t->vm->sclp, &key, 1);
	t->escaped = !t->escaped && key == ESCAPE && t->raw;
}

static void *read_input(void *arg)
{
	struct terminal *t = arg;
	struct pollfd fds[2] = { { .fd = STDIN_FILENO, .events = POLLIN },
				 { .fd = t->wake[0], .events = POLLIN } };
	uint8_t keys[256];

	while (poll(fds, 2, -1) > 0 && !fds[1].revents) {
		ssize_t n = read(STDIN_FILENO, keys, sizeof(keys));

		if (n <= 0)
			break;
		for (ssize_t i = 0; i < n; i++)
			typed(t, keys[i]);
	}
	return NULL;
}

static void make_raw(struct terminal *t)
{
	struct termios raw;

	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &t->saved) != 0)
		return;
	raw = t->saved;
	cfmakeraw(&raw);
	raw.c_oflag |= OPOST;
	t->raw = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

static void terminal_begin(struct terminal *t)
{
	t->wake[0] = t->wake[1] = -1;
	if (t->out != STDOUT_FILENO || pipe2(t->wake, O_CLOEXEC) != 0)
		return;
	make_raw(t);
	t->reading = pthread_create(&t->thread, NULL, read_input, t) == 0;
}

static void terminal_end(struct terminal *t)
{
	if (t->reading) {
		(void)io_write_full(t->wake[1], "", 1);
		pthread_join(t->thread, NULL);
	}
	if (t->raw)
		tcsetattr(STDIN_FILENO, TCSANOW, &t->saved);
	io_close_fd(&t->wake[0]);
	io_close_fd(&t->wake[1]);
}

/* --- Signals ------------------------------------------------------------------------------------ */

/* Waits for a signal that ends the program, so that the terminal is restored first. */
static void *await_signal(void *arg)
{
	struct vm *vm = arg;
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	if (sigwait(&set, &sig) == 0)
		vm_quit(vm);
	return NULL;
}

/* --- The command --------------------------------------------------------------------------------- */

static int parse_memory(const struct args *args, uint64_t *bytes)
{
	const char *text = args->value[MEMORY];
	char *end;
	uint64_t v;

	*bytes = DEFAULT_MEMORY_MIB * MIB;
	if (!args->seen[MEMORY])
		return 0;
	errno = 0;
	v = strtoull(text, &end, 10);
	if (errno || end == text || v == 0 || v > 1u << 20)
		return -1;
	if (strcmp(end, "G") == 0 || strcmp(end, "g") == 0)
		v *= 1024;
	else if (*end && strcmp(end, "M") != 0 && strcmp(end, "m") != 0)
		return -1;
	*bytes = v * MIB;
	return 0;
}

/* What the end of the guest means for the caller. */
static int verdict(const struct args *args, const struct vm *vm)
{
	switch (vm->end) {
	case VM_POWERED_OFF:
		term_say(args, "zpv: the guest powered off");
		return EXIT_OK;
	case VM_REBOOT:
		term_say(args, "zpv: the guest asked for a reboot");
		return EXIT_REBOOT;
	case VM_CRASHED:
		term_error("the guest crashed: disabled wait with PSW %016llx %016llx",
			   (unsigned long long)vm->end_psw[0], (unsigned long long)vm->end_psw[1]);
		return EXIT_CRASH;
	default:
		return EXIT_ERROR;
	}
}

static int boot(const struct args *args, struct vm_config *config, int out)
{
	struct terminal t = { .out = out };
	struct console console = { .output = output, .ctx = &t };
	struct zpv_err err = { 0 };
	pthread_t signals;
	bool listening;
	int rc;

	config->console = &console;
	rc = vm_new(config, &t.vm, &err);
	if (!rc) {
		term_block_signals();
		listening = pthread_create(&signals, NULL, await_signal, t.vm) == 0;
		terminal_begin(&t);
		rc = vm_run(t.vm, &err);
		terminal_end(&t);
		if (listening) {
			pthread_cancel(signals);
			pthread_join(signals, NULL);
		}
	}
	if (rc)
		term_error("%s", err.text);
	rc = rc ? (rc == -ZPV_ERR_USAGE ? EXIT_USAGE : EXIT_ERROR) : verdict(args, t.vm);
	vm_free(t.vm);
	return rc;
}

static int run(const struct args *args)
{
	const struct zpv_log log = term_log(args);
	struct vm_config config = {
		.boot = { .kernel = args->seen[KERNEL] ? args->value[KERNEL] : args->positional,
			  .ramdisk = args->value[RAMDISK],
			  .parmline = args->value[PARMLINE] },
		.no_reboot = args->seen[NO_REBOOT],
		.log = &log,
	};
	AUTO_FD file = -1;

	if (!config.boot.kernel || (args->seen[KERNEL] && args->positional)) {
		term_error("exactly one of '--kernel' and an operand is needed");
		return EXIT_USAGE;
	}
	if (parse_memory(args, &config.memory_bytes) != 0) {
		term_error("memory size '%s' is not a number of MiB, or of GiB with G",
			   args->value[MEMORY]);
		return EXIT_USAGE;
	}
	if (args->seen[CONSOLE]) {
		file = open(args->value[CONSOLE], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
		if (file < 0) {
			term_error("cannot write '%s': %m", args->value[CONSOLE]);
			return EXIT_ERROR;
		}
	}
	return boot(args, &config, file >= 0 ? file : STDOUT_FILENO);
}

const struct command cmd_run = {
	.name = "run",
	.summary = "Boot a guest on an emulated z/Architecture machine.",
	.operand = "IMAGE",
	.operand_hint = HINT_FILE,
	.operand_optional = true,
	.single_dash = true,
	.opts = opts,
	.rules = rules,
	.run = run,
};
