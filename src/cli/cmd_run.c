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
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "cmd.h"
#include "console.h"
#include "control.h"
#include "err.h"
#include "io.h"
#include "run_priv.h"
#include "sclp.h"
#include "term.h"
#include "trace.h"
#include "uv.h"

#define MIB		   (1ull << 20)
#define DEFAULT_MEMORY_MIB 512
#define ESCAPE		   0x01 /* Ctrl-A, as in QEMU */

enum {
	KERNEL,
	RAMDISK,
	PARMLINE,
	MEMORY,
	CONSOLE,
	NO_REBOOT,
	SMP,
	MACHINE,
	TRACE,
	COUNTERS,
	NOGRAPHIC,
	HOST,
	FIND,
	NAME,
	CONTROL,
	DUMP_ON_CRASH,
	JSON,
	OPTS_END
};

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
		      .help = "Write the guest's console to FILE; it gets no input then. Default: standard "
			      "output and input. On a terminal Ctrl-A h shows what Ctrl-A does." },
	[NO_REBOOT] = { .names = "no-reboot",
			.help = "End with exit status 3 when the guest reboots, instead of loading it "
				"again." },
	[SMP] = { .names = "smp",
		  .arg = ARG_VALUE,
		  .value_name = "N",
		  .help = "Number of CPUs; there is one." },
	[MACHINE] = { .names = "machine",
		      .letter = 'M',
		      .arg = ARG_VALUE,
		      .value_name = "TYPE",
		      .help = "Accepted for QEMU's sake: s390-ccw-virtio, the kind of machine that it is." },
	[TRACE] = { .names = "trace",
		    .arg = ARG_LIST,
		    .value_name = "WHAT",
		    .help = "Trace the guest: insn (instructions, disassembled), icpt (interceptions: ends "
			    "of interpretive execution), irq (interruptions). Further addr=LO-HI in "
			    "hexadecimal: only what happens at these logical addresses; file=FILE instead "
			    "of standard error. Separated by commas, or repeated." },
	[COUNTERS] = { .names = "counters",
		       .arg = ARG_OPTIONAL,
		       .value_name = "tlb",
		       .choices = "tlb",
		       .help = "Count what the machine does, and print it on standard error at the end. "
			       "With =tlb the hits of the TLB too, which makes the guest slower." },
	[NOGRAPHIC] = { .names = "nographic",
			.help = "Accepted for QEMU's sake: it is always so." },
	[HOST] = { .names = "host",
		   .arg = ARG_VALUE,
		   .value_name = "DIR",
		   .hint = HINT_DIR,
		   .help = "Be the machine whose identity 'zpv host create' made in DIR: it runs images that "
			   "are sealed for it as protected guests. Default for sealed images: the user's own "
			   "identity, made at the first use." },
	[FIND] = { .names = "find",
		   .arg = ARG_VALUE,
		   .value_name = "TEXT",
		   .help = "At the end tell how often TEXT is in all of the storage that the hypervisor can "
			   "read." },
	[NAME] = { .names = "name",
		   .arg = ARG_VALUE,
		   .value_name = "NAME",
		   .help = "Give the VM a name, by which 'zpv vm' finds it." },
	[CONTROL] = { .names = "control",
		      .arg = ARG_VALUE,
		      .value_name = "PATH",
		      .hint = HINT_FILE,
		      .help = "Take commands of 'zpv vm' at the socket PATH. Default: none, or by --name." },
	[DUMP_ON_CRASH] = { .names = "dump-on-crash",
			    .arg = ARG_VALUE,
			    .value_name = "FILE",
			    .hint = HINT_FILE,
			    .help = "When the guest crashes, write a dump of it to FILE, which must not exist." },
	[JSON] = { .names = "json",
		   .help = "Report as JSON how the guest ended, in one line behind its console's." },
	[OPTS_END] = { 0 },
};

static const struct rule rules[] = {
	{ .kind = RULE_CONFLICTS, .opt = NAME, .others = { CONTROL, RULE_END } },
	{ .others = { RULE_END } },
};

/* --- Terminal ---------------------------------------------------------------------------------- */

#define PANIC_TEXT    "Kernel panic - not syncing: "
#define LINE_BYTES    256
#define OUTPUT_CHUNK  512 /* a pipe or terminal that can be written takes so much without blocking */
#define INPUT_WAIT_MS 20  /* until the guest is asked again whether it takes input */

struct terminal {
	struct vm *vm;
	int out;
	bool raw;     /* the terminal's settings are changed */
	bool escaped; /* Ctrl-A was typed */
	bool quit;    /* Ctrl-A x was typed */
	int wake[2];  /* readable when the input thread has to end */
	int stop[2];  /* readable when output must not block any more */
	pthread_t thread;
	bool reading;

	/* Of the CPU's thread. */
	int write_error;
	uint8_t last; /* byte that was written */
	char line[LINE_BYTES];
	size_t line_len;
	char panic[LINE_BYTES]; /* why the kernel panicked, by its own words */
};

/* For handlers of signals that end the program without further ado. */
static struct termios saved_settings;
static volatile sig_atomic_t settings_changed;

static const int fatal_signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };

static void restore_settings(void)
{
	if (settings_changed)
		tcsetattr(STDIN_FILENO, TCSANOW, &saved_settings);
	settings_changed = false;
}

static void on_fatal_signal(int sig)
{
	restore_settings();
	signal(sig, SIG_DFL);
	raise(sig);
}

/* Keeps the guest's last line, and what a panic says. */
static void follow_lines(struct terminal *t, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		const char *found;

		if (data[i] >= ' ' && data[i] <= '~' && t->line_len < LINE_BYTES - 1)
			t->line[t->line_len++] = (char)data[i];
		if (data[i] != '\n' && data[i] != '\r')
			continue;
		t->line[t->line_len] = '\0';
		t->line_len = 0;
		found = strstr(t->line, PANIC_TEXT);
		if (found)
			memcpy(t->panic, found + strlen(PANIC_TEXT),
			       strlen(found + strlen(PANIC_TEXT)) + 1);
	}
}

/* False when output has to be given up: nobody takes it, and the program is to end. */
static bool await_output(const struct terminal *t)
{
	struct pollfd fds[2] = { { .fd = t->out, .events = POLLOUT },
				 { .fd = t->stop[0], .events = POLLIN } };

	while (poll(fds, 2, -1) < 0)
		if (errno != EINTR)
			return true; /* write() will tell */
	return fds[0].revents || !fds[1].revents;
}

static void output(void *ctx, const uint8_t *data, size_t len)
{
	struct terminal *t = ctx;

	follow_lines(t, data, len);
	if (len)
		t->last = data[len - 1];
	while (len && !t->write_error && await_output(t)) {
		ssize_t n = write(t->out, data, len < OUTPUT_CHUNK ? len : OUTPUT_CHUNK);

		if (n < 0 && errno != EINTR && errno != EAGAIN)
			t->write_error = errno;
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
	if (t->write_error == EPIPE)
		vm_quit(t->vm); /* as any program whose output nobody reads */
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
		t->quit = true;
		(void)io_write_full(t->stop[1], "", 1);
		vm_quit(t->vm);
		break;
	case 'q':
		if (!sclp_quiesce(t->vm->sclp))
			say_raw(t, "\r\n[zpv: the guest does not listen to shutdown requests]\r\n");
		break;
	case 'r':
		vm_reset(t->vm);
		break;
	case ESCAPE:
		(void)sclp_input(t->vm->sclp, &escape, 1);
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
	else if (key != ESCAPE)
		(void)sclp_input(t->vm->sclp, &key, 1); /* lost when the guest does not read */
	t->escaped = !t->escaped && key == ESCAPE;
}

/* Input that is no terminal waits for the guest. False: the guest has ended. */
static bool pass_on(struct terminal *t, const uint8_t *data, size_t len)
{
	struct pollfd wake = { .fd = t->wake[0], .events = POLLIN };

	while (len) {
		size_t n = sclp_input(t->vm->sclp, data, len);

		data += n;
		len -= n;
		if (len && poll(&wake, 1, INPUT_WAIT_MS) > 0)
			return false;
	}
	return true;
}

static void *read_input(void *arg)
{
	struct terminal *t = arg;
	struct pollfd fds[2] = { { .fd = STDIN_FILENO, .events = POLLIN },
				 { .fd = t->wake[0], .events = POLLIN } };
	uint8_t keys[256];

	while (poll(fds, 2, -1) > 0 && !fds[1].revents) {
		ssize_t n = read(STDIN_FILENO, keys, sizeof(keys));

		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			break;
		for (ssize_t i = 0; t->raw && i < n; i++)
			typed(t, keys[i]);
		if (!t->raw && !pass_on(t, keys, (size_t)n))
			break;
	}
	return NULL;
}

/* A terminal whose foreground another program has is left alone. */
static void make_raw(struct terminal *t)
{
	const struct sigaction act = { .sa_handler = on_fatal_signal };
	struct sigaction old;
	struct termios raw;

	if (!isatty(STDIN_FILENO) || tcgetpgrp(STDIN_FILENO) != getpgrp() ||
	    tcgetattr(STDIN_FILENO, &saved_settings) != 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(fatal_signals); i++)
		if (sigaction(fatal_signals[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL)
			sigaction(fatal_signals[i], &act, NULL);
	raw = saved_settings;
	cfmakeraw(&raw);
	raw.c_oflag |= OPOST;
	settings_changed = true;
	t->raw = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

static int terminal_begin(struct terminal *t, struct zpv_err *err)
{
	if (pipe2(t->wake, O_CLOEXEC) != 0 || pipe2(t->stop, O_CLOEXEC) != 0)
		return err_errno(err, ZPV_ERR_IO, "cannot make a pipe");
	if (t->out != STDOUT_FILENO)
		return 0;
	make_raw(t);
	t->reading = pthread_create(&t->thread, NULL, read_input, t) == 0;
	return 0;
}

static void terminal_end(struct terminal *t)
{
	if (t->reading) {
		(void)io_write_full(t->wake[1], "", 1);
		pthread_join(t->thread, NULL);
	}
	/* Our own messages begin a line. */
	if (t->out == STDOUT_FILENO && t->last && t->last != '\n' && !t->write_error)
		say_raw(t, "\n");
	restore_settings();
}

static void terminal_free(struct terminal *t)
{
	for (size_t i = 0; i < 2; i++) {
		io_close_fd(&t->wake[i]);
		io_close_fd(&t->stop[i]);
	}
}

/* --- Signals ------------------------------------------------------------------------------------ */

struct signals {
	struct terminal *t;
	sigset_t set;
	pthread_t thread;
	bool listening;
	atomic_bool done; /* the guest has ended: SIGUSR1 says so */
	int caught;
};

/* Waits for a signal that ends the program, so that the terminal is restored first. */
static void *await_signal(void *arg)
{
	struct signals *s = arg;
	int sig;

	if (sigwait(&s->set, &sig) != 0 || atomic_load(&s->done))
		return NULL;
	s->caught = sig;
	(void)io_write_full(s->t->stop[1], "", 1);
	vm_quit(s->t->vm);
	return NULL;
}

/* Before there is any thread, so that only the one that waits for them gets them. */
static void signals_block(struct signals *s)
{
	static const int stopping[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1 };

	sigemptyset(&s->set);
	signal(SIGXFSZ, SIG_IGN); /* a dump that may not grow is an error, not the end */
	for (size_t i = 0; i < ARRAY_SIZE(stopping); i++) {
		struct sigaction old;

		/* What was ignored when the program started (nohup) stays ignored. */
		if (stopping[i] == SIGUSR1 ||
		    (sigaction(stopping[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN))
			sigaddset(&s->set, stopping[i]);
	}
	pthread_sigmask(SIG_BLOCK, &s->set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static void signals_begin(struct signals *s)
{
	s->listening = pthread_create(&s->thread, NULL, await_signal, s) == 0;
}

static void signals_end(struct signals *s)
{
	if (s->listening) {
		atomic_store(&s->done, true);
		pthread_kill(s->thread, SIGUSR1);
		pthread_join(s->thread, NULL);
	}
	pthread_sigmask(SIG_UNBLOCK, &s->set, NULL);
}

/* Ends the program by the signal that it was asked to end by. */
static void die_by(int sig)
{
	fflush(NULL);
	signal(sig, SIG_DFL);
	raise(sig);
}

/* --- Tracing and counting ------------------------------------------------------------------------ */

struct tracing {
	bool on, tlb_hits;
	const char *path; /* NULL: standard error */
	FILE *file;
	struct trace_config config;
};

static void trace_line(void *ctx, const char *text)
{
	fprintf(ctx, "%s\n", text);
}

/* LO-HI, or one address. */
static bool parse_range(const char *text, struct trace_config *config)
{
	char *end;

	errno = 0;
	config->first = config->last = strtoull(text, &end, 16);
	if (end == text || (*end && *end != '-'))
		return false;
	if (*end == '-') {
		text = end + 1;
		config->last = strtoull(text, &end, 16);
	}
	return end != text && !*end && !errno && config->first <= config->last;
}

static bool parse_trace_item(const char *item, struct tracing *t)
{
	static const struct {
		const char *name;
		enum trace_kind kind;
	} kinds[] = { { "insn", TRACE_INSN }, { "icpt", TRACE_ICPT }, { "irq", TRACE_IRQ } };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(item, kinds[i].name) != 0)
			continue;
		t->config.kinds |= kinds[i].kind;
		return true;
	}
	if (strncmp(item, "addr=", 5) == 0)
		return parse_range(item + 5, &t->config);
	if (strncmp(item, "file=", 5) != 0 || !item[5])
		return false;
	t->path = item + 5;
	return true;
}

static int parse_trace(const struct args *args, struct tracing *t)
{
	const struct list *list = &args->list[TRACE];

	*t = (struct tracing){ .on = args->seen[TRACE] || args->seen[COUNTERS],
			       .tlb_hits = args->value[COUNTERS] != NULL,
			       .config = { .last = UINT64_MAX, .line = trace_line } };
	if (t->tlb_hits && strcmp(args->value[COUNTERS], "tlb") != 0) {
		term_error("counters '%s' are not known, only tlb", args->value[COUNTERS]);
		return EXIT_USAGE;
	}
	for (size_t i = 0; i < list->n; i++) {
		if (parse_trace_item(list->items[i], t))
			continue;
		term_error("trace item '%s' is none of insn, icpt, irq, addr=LO-HI and file=FILE",
			   list->items[i]);
		return EXIT_USAGE;
	}
	if (!list->n || t->config.kinds)
		return EXIT_OK;
	term_error("'--trace' needs at least one of insn, icpt and irq");
	return EXIT_USAGE;
}

static int tracing_begin(struct tracing *t, struct vm *vm, struct zpv_err *err)
{
	if (!t->on)
		return 0;
	t->file = t->path ? fopen(t->path, "we") : stderr;
	if (!t->file)
		return err_errno(err, ZPV_ERR_IO, "cannot write '%s'", t->path);
	t->config.ctx = t->file;
	if (!machine_trace(vm->m, &t->config))
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	if (t->tlb_hits)
		machine_count_tlb(vm->m);
	return 0;
}

static void add_counters(struct cpu_counters *sum, const struct cpu_counters *c)
{
	sum->instructions += c->instructions;
	sum->cpu_ns += c->cpu_ns;
	sum->tlb_misses += c->tlb_misses;
	sum->tlb_hits += c->tlb_hits;
	sum->itlb_misses += c->itlb_misses;
	sum->decoded += c->decoded;
	sum->code_evicted += c->code_evicted;
	sum->sie_exits += c->sie_exits;
	for (size_t i = 0; i < CPU_ICPT_CODES; i++)
		sum->icpt[i] += c->icpt[i];
	sum->program += c->program;
	sum->svc += c->svc;
	sum->external += c->external;
	sum->io += c->io;
	sum->restart += c->restart;
}

static void print_count(const char *what, uint64_t n, uint64_t instructions)
{
	fprintf(stderr, "  %-22s %14llu", what, (unsigned long long)n);
	if (instructions)
		fprintf(stderr, "  %.3f in 1000 instructions",
			1e3 * (double)n / (double)instructions);
	fputc('\n', stderr);
}

static void print_counters(const struct vm *vm, bool tlb_hits)
{
	struct cpu_counters c = { 0 };
	char what[64];

	for (unsigned int i = 0; i < machine_cpus(vm->m); i++) {
		struct cpu_counters one = cpu_counters(machine_cpu(vm->m, i));

		add_counters(&c, &one);
	}
	fprintf(stderr, "zpv: counters\n");
	print_count("instructions", c.instructions, 0);
	fprintf(stderr, "  %-22s %14.1f  in %.3f s of CPU time\n", "MIPS",
		c.cpu_ns ? 1e3 * (double)c.instructions / (double)c.cpu_ns : 0,
		1e-9 * (double)c.cpu_ns);
	print_count("decoded instructions", c.decoded, c.instructions);
	/* Each counted instruction was decoded just before, or came out of the cache. */
	print_count("decode-cache hits", c.instructions - c.decoded, c.instructions);
	print_count("evicted code pages", c.code_evicted, 0);
	if (tlb_hits)
		print_count("TLB hits", c.tlb_hits, c.instructions);
	else
		fprintf(stderr, "  %-22s %14s  only --counters=tlb counts them\n", "TLB hits", "-");
	print_count("TLB misses", c.tlb_misses, c.instructions);
	print_count("instruction TLB misses", c.itlb_misses, c.instructions);
	print_count("program interruptions", c.program, 0);
	print_count("supervisor calls", c.svc, 0);
	print_count("external interruptions", c.external, 0);
	print_count("I/O interruptions", c.io, 0);
	print_count("restart interruptions", c.restart, 0);
	print_count("exits of SIE", c.sie_exits, 0);
	for (unsigned int i = 0; i < CPU_ICPT_CODES; i++) {
		if (!c.icpt[i])
			continue;
		snprintf(what, sizeof(what), "  %02x %s", i, trace_icpt_name(i));
		print_count(what, c.icpt[i], 0);
	}
}

/* False when the trace could not be written. */
static bool tracing_end(struct tracing *t, const struct args *args, const struct vm *vm)
{
	bool ok = true;

	if (!t->file)
		return true;
	machine_untrace(vm->m);
	if (args->seen[COUNTERS])
		print_counters(vm, t->tlb_hits);
	if (t->path) {
		ok = !ferror(t->file);
		ok = fclose(t->file) == 0 && ok;
		if (!ok)
			term_error("cannot write '%s'", t->path);
	}
	return ok;
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

static bool check_smp(const struct args *args)
{
	return !args->seen[SMP] || strcmp(args->value[SMP], "1") == 0;
}

/* QEMU's name, perhaps with the version behind it. */
static bool check_machine(const struct args *args)
{
	static const char type[] = "s390-ccw-virtio";
	const char *text = args->value[MACHINE];

	if (!args->seen[MACHINE])
		return true;
	return strncmp(text, type, strlen(type)) == 0 &&
	       (!text[strlen(type)] || text[strlen(type)] == '-') && !strchr(text, ',');
}

static int finish(const struct args *args, const struct terminal *t, const struct zpv_host *host,
		  int rc, const struct zpv_err *err)
{
	const struct run_end end = { .vm = t->vm,
				     .host = host,
				     .panic = t->panic,
				     .printed = t->last,
				     .quit = t->quit,
				     .find = args->value[FIND],
				     .json = args->seen[JSON] };

	if (rc)
		term_error("%s", err->text);
	if (rc && (!end.json || !t->vm || t->vm->end == VM_RUNNING))
		return rc == -ZPV_ERR_USAGE ? EXIT_USAGE : EXIT_ERROR;
	run_crash_dump_report(args, end.json, t->vm);
	rc = run_report(args, &end);
	if (!t->write_error)
		return rc;
	errno = t->write_error;
	term_error("cannot write the guest's console: %m");
	return rc == EXIT_OK ? EXIT_ERROR : rc;
}

/* The firmware of a machine with an identity: its Ultravisor. */
static int install_ultravisor(void *host, struct machine *m, struct zpv_err *err)
{
	return uv_install(m, host, err);
}

static int boot(const struct args *args, struct vm_config *config, const struct zpv_host *host,
		int out)
{
	struct terminal t = { .out = out, .wake = { -1, -1 }, .stop = { -1, -1 } };
	struct console console = { .output = output, .ctx = &t };
	struct signals signals = { .t = &t };
	struct control *control = NULL;
	struct zpv_err err = { 0 };
	struct tracing tracing;
	int rc = parse_trace(args, &tracing);

	if (rc)
		return rc;
	config->console = &console;
	signals_block(&signals);
	rc = vm_new(config, &t.vm, &err);
	if (!rc) {
		rc = run_control_begin(args->value[NAME], args->value[CONTROL], t.vm, &control,
				       &err);
		if (!rc)
			rc = terminal_begin(&t, &err);
		signals_begin(&signals); /* it uses the terminal's pipes */
		if (!rc)
			rc = tracing_begin(&tracing, t.vm, &err);
		if (!rc)
			rc = vm_run(t.vm, &err);
		control_free(control);
		terminal_end(&t);
	}
	signals_end(&signals);
	rc = finish(args, &t, host, rc, &err);
	if (!tracing_end(&tracing, args, t.vm) && rc == EXIT_OK)
		rc = EXIT_ERROR;
	vm_free(t.vm);
	config->console = NULL; /* ends with this function */
	terminal_free(&t);
	if (signals.caught)
		die_by(signals.caught);
	return rc;
}

/* False after a message. */
static bool check(const struct args *args, struct vm_config *config)
{
	if (!config->boot.kernel || (args->seen[KERNEL] && args->positional))
		term_error("exactly one of '--kernel' and an operand is needed");
	else if (parse_memory(args, &config->memory_bytes) != 0)
		term_error("memory size '%s' is not a number of MiB, or of GiB with G",
			   args->value[MEMORY]);
	else if (!check_smp(args))
		term_error("%s CPUs: this machine has 1", args->value[SMP]);
	else if (args->seen[NAME] && strchr(args->value[NAME], '/'))
		term_error("a name has no '/'; '--control' takes the path of a socket");
	else if (args->seen[DUMP_ON_CRASH] && access(args->value[DUMP_ON_CRASH], F_OK) == 0)
		term_error("'%s' exists already", args->value[DUMP_ON_CRASH]);
	else if (!check_machine(args))
		term_error(
			"machine type '%s' is not known, only s390-ccw-virtio without properties",
			args->value[MACHINE]);
	else
		return true;
	return false;
}

static int run(const struct args *args)
{
	const struct zpv_log log = term_log(args);
	struct vm_config config = {
		.boot = { .kernel = args->seen[KERNEL] ? args->value[KERNEL] : args->positional,
			  .ramdisk = args->value[RAMDISK],
			  .parmline = args->value[PARMLINE] },
		.no_reboot = args->seen[NO_REBOOT],
		.dump_on_crash = args->value[DUMP_ON_CRASH],
		.log = &log,
	};
	struct zpv_host *host;
	struct zpv_err err = { 0 };
	AUTO_FD file = -1;
	int rc;

	if (!check(args, &config))
		return EXIT_USAGE;
	if (run_host_open(args, args->value[HOST], config.boot.kernel, &host, &err) != 0) {
		term_error("%s", err.text);
		return EXIT_ERROR;
	}
	if (host) {
		config.firmware = install_ultravisor;
		config.firmware_arg = host;
	}
	if (args->seen[CONSOLE])
		file = open(args->value[CONSOLE], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (args->seen[CONSOLE] && file < 0) {
		term_error("cannot write '%s': %m", args->value[CONSOLE]);
		rc = EXIT_ERROR;
	} else {
		rc = boot(args, &config, host, file >= 0 ? file : STDOUT_FILENO);
	}
	zpv_host_free(host);
	return rc;
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
