/* SPDX-License-Identifier: MIT */
/*
 * What commands say: messages, progress, glyphs, and how a signal ends long work.
 */
#ifndef CLI_TERM_H
#define CLI_TERM_H

#include <stdbool.h>

#include <zpv/log.h>

#include "compiler.h"

struct args;

/* "zpv: error: ..." and "zpv: warning: ..." on standard error, coloured on a terminal. */
void term_error(const char *fmt, ...) PRINTF_LIKE(1, 2);
void term_warn(const char *fmt, ...) PRINTF_LIKE(1, 2);

void term_version(const char *prog);

/* True when the locale can show UTF-8. */
bool term_utf8(void);

/* Messages of the library by the options -v and -q: warnings always, unless quiet. */
struct zpv_log term_log(const struct args *args);

/* A line on standard output unless quiet. */
void term_say(const struct args *args, const char *fmt, ...) PRINTF_LIKE(2, 3);

/*
 * Long work: a bar on standard error when that is a terminal and quiet was not asked for. When the
 * work has to clean up (clean_up), SIGINT, SIGTERM and SIGHUP make it stop at its next step, from its
 * first report of progress on: before there is nothing to clean up. term_end() takes the bar away
 * and, when one came, ends the process by that very signal.
 */
struct zpv_progress term_begin(const struct args *args, const char *what, bool clean_up);
void term_end(void);

/* Holds the same signals back while a short piece of work is done whole. */
void term_block_signals(void);
void term_unblock_signals(void);

/* Flushes standard output; false (with a message) when something could not be written. */
bool term_flush(void);

#endif
