// SPDX-License-Identifier: MIT
/*
 * Messages, progress and signals of the program. The only place with state: a process has one
 * terminal and one set of signal handlers.
 */
#define _GNU_SOURCE
#include "term.h"

#include <langinfo.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd.h"
#include "version.h"

#define BAR_WIDTH 30

static volatile sig_atomic_t caught_signal;
static bool must_clean_up, catching;
static bool bar_shown;
static const char *bar_label;
static struct timespec bar_start, bar_last;

static const int stop_signals[] = { SIGINT, SIGTERM, SIGHUP };

static void clear_bar(void)
{
	if (bar_shown)
		fputs("\r\033[K", stderr);
	bar_shown = false;
}

static void say(const char *kind, const char *colour, const char *fmt, va_list ap)
{
	bool tty = isatty(STDERR_FILENO);

	clear_bar();
	fprintf(stderr, "zpv: %s%s:%s ", tty ? colour : "", kind, tty ? "\033[0m" : "");
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

void term_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("error", "\033[1;31m", fmt, ap);
	va_end(ap);
}

void term_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("warning", "\033[1;33m", fmt, ap);
	va_end(ap);
}

void term_version(const char *prog)
{
	printf("%s version %s\n", prog, ZPV_VERSION);
}

bool term_utf8(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static void log_message(void *ctx, enum zpv_log_level level, const char *text)
{
	const struct args *args = ctx;

	if (level == ZPV_LOG_WARN && !args->quiet)
		term_warn("%s", text);
	else if (level != ZPV_LOG_WARN && args->verbose) {
		clear_bar();
		fprintf(stderr, "%s\n", text);
	}
}

struct zpv_log term_log(const struct args *args)
{
	return (struct zpv_log){ .message = log_message, .ctx = (void *)(uintptr_t)args };
}

void term_say(const struct args *args, const char *fmt, ...)
{
	va_list ap;

	if (args->quiet)
		return;
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

/* --- Progress and signals -------------------------------------------------------------------- */

static void on_signal(int sig)
{
	caught_signal = sig;
}

static double seconds_since(const struct timespec *then)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - then->tv_sec) + (double)(now.tv_nsec - then->tv_nsec) / 1e9;
}

static void draw_bar(uint64_t done, uint64_t total)
{
	double part = total ? (double)done / (double)total : 0;
	int filled = part > 1 ? BAR_WIDTH : (int)(part * BAR_WIDTH);
	double seconds = seconds_since(&bar_start);

	fprintf(stderr, "\r%s ", bar_label);
	if (total) {
		fputc('[', stderr);
		for (int i = 0; i < BAR_WIDTH; i++)
			fputc(i < filled ? '#' : ' ', stderr);
		fprintf(stderr, "] %3d %%", part > 1 ? 100 : (int)(part * 100));
	}
	fprintf(stderr, " %.0f MiB, %.0f MiB/s\033[K", (double)done / (1 << 20),
		seconds > 0 ? (double)done / (1 << 20) / seconds : 0.0);
	fflush(stderr);
	bar_shown = true;
	clock_gettime(CLOCK_MONOTONIC, &bar_last);
}

static void catch_signals(void)
{
	struct sigaction act = { .sa_handler = on_signal }; /* no SA_RESTART: reads must end */

	sigemptyset(&act.sa_mask);
	for (size_t i = 0; i < ARRAY_SIZE(stop_signals); i++) {
		struct sigaction old;

		/* What was ignored when the program started (nohup) stays ignored. */
		if (sigaction(stop_signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaction(stop_signals[i], &act, NULL);
	}
	/* A message that nobody reads and a file that may not grow are errors, not the end. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	catching = true;
}

static int update_bar(void *ctx, uint64_t done, uint64_t total)
{
	if (must_clean_up && !catching)
		catch_signals();
	/* Ten times a second, and not at all for what is done at once. */
	if (ctx && seconds_since(&bar_last) > 0.1)
		draw_bar(done, total);
	return caught_signal != 0;
}

struct zpv_progress term_begin(const struct args *args, const char *what, bool clean_up)
{
	bool show = !args->quiet && isatty(STDERR_FILENO);

	must_clean_up = clean_up;
	bar_label = what;
	clock_gettime(CLOCK_MONOTONIC, &bar_start);
	bar_last = bar_start;
	return (struct zpv_progress){ .update = update_bar, .ctx = show ? &bar_label : NULL };
}

void term_end(void)
{
	clear_bar();
	if (!caught_signal)
		return;
	fflush(NULL);
	signal(caught_signal, SIG_DFL);
	raise(caught_signal);
}

static void mask_signals(int how)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(stop_signals); i++)
		sigaddset(&set, stop_signals[i]);
	sigprocmask(how, &set, NULL);
}

void term_block_signals(void)
{
	mask_signals(SIG_BLOCK);
}

void term_unblock_signals(void)
{
	mask_signals(SIG_UNBLOCK);
}

bool term_flush(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return true;
	term_error("cannot write to standard output: %m");
	return false;
}
