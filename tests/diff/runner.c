// SPDX-License-Identifier: MIT
/*
 * The reference's side of the differential tester: a static s390x program for qemu-s390x.
 *
 * Reads batches from standard input: a word with the number of cases, then the cases. Runs them
 * all, then writes their results, each followed by the words of storage that it changed.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "case.h"

void diff_run(const struct diff_case *c, uint64_t entry);
_Noreturn void diff_recover(void);
void diff_signal(int sig, siginfo_t *info, void *context);
void diff_signalled(int sig, siginfo_t *info, void *context);

extern uint64_t diff_gr[16], diff_fpr[16], diff_cc_pm, diff_mode, diff_ended;
extern uint32_t diff_ar[16], diff_fpc;

static struct diff_case cases[DIFF_BATCH];
#define OUT_BYTES \
	(DIFF_BATCH * (sizeof(struct diff_result) + DIFF_MAX_WORDS * sizeof(struct diff_word)))
static struct diff_result result;
static const uint64_t windows[] = { DIFF_DATA_A, DIFF_DATA_B };

static _Noreturn void die(const char *what)
{
	perror(what);
	exit(1);
}

/* Called by diff_signal() with our access registers, in the 64-bit mode. */
void diff_signalled(int sig, siginfo_t *info, void *context)
{
	const ucontext_t *uc = context;
	const mcontext_t *mc = &uc->uc_mcontext;

	for (unsigned int i = 0; i < 16; i++) {
		result.gr[i] = mc->gregs[i];
		result.ar[i] = mc->aregs[i];
		memcpy(&result.fpr[i], &mc->fpregs.fprs[i], 8);
	}
	result.fpc = mc->fpregs.fpc;
	result.cc_pm = (uint32_t)(mc->psw.mask >> 40 & 0x3f) << 24;
	result.mode = (uint32_t)(mc->psw.mask >> 31 & 3);
	result.psw_addr = mc->psw.addr;
	result.end = DIFF_NO_END;
	result.sig = (uint32_t)sig;
	result.code = (uint32_t)info->si_code;
	diff_recover();
}

static void map(uint64_t at, size_t len)
{
	if (mmap((void *)at, len, PROT_READ | PROT_WRITE | PROT_EXEC,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != (void *)at)
		die("mmap");
	for (size_t i = 0; i < len; i += 8)
		*(uint64_t *)(at + i) = at >= DIFF_DATA_A ? diff_background(at + i) : 0;
}

static void catch_signals(void)
{
	static const int sigs[] = { SIGILL, SIGFPE, SIGSEGV, SIGBUS, SIGTRAP };
	static uint8_t stack[65536];
	stack_t ss = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction sa = { .sa_sigaction = diff_signal,
				.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };

	if (sigaltstack(&ss, NULL) != 0)
		die("sigaltstack");
	for (size_t i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++)
		if (sigaction(sigs[i], &sa, NULL) != 0)
			die("sigaction");
}

static uint8_t *run(const struct diff_case *c, uint8_t *to)
{
	struct diff_word *w = (struct diff_word *)(to + sizeof(result));

	for (unsigned int i = 0; i < DIFF_PATCHES; i++)
		memcpy((void *)c->patch_at[i], c->patch[i], c->patch_len[i]);
	memset(&result, 0, sizeof(result));
	diff_run(c, c->at + DIFF_LMG);
	if (!result.sig) {
		memcpy(result.gr, diff_gr, sizeof(result.gr));
		memcpy(result.fpr, diff_fpr, sizeof(result.fpr));
		memcpy(result.ar, diff_ar, sizeof(result.ar));
		result.fpc = diff_fpc;
		result.cc_pm = (uint32_t)diff_cc_pm;
		result.mode = (uint32_t)diff_mode >> 28;
		result.end = (uint32_t)diff_ended;
	}
	for (unsigned int i = 0; i < 2; i++)
		for (uint64_t at = windows[i]; at < windows[i] + DIFF_WINDOW; at += 8) {
			static uint64_t background[2][DIFF_WINDOW / 8];
			uint64_t *bg = &background[i][(at - windows[i]) / 8];

			if (!*bg)
				*bg = diff_background(at);
			if (*(uint64_t *)at == *bg)
				continue;
			*w++ = (struct diff_word){ at, *(uint64_t *)at };
			*(uint64_t *)at = *bg;
			result.words++;
		}
	memcpy(to, &result, sizeof(result));
	return (uint8_t *)w;
}

static int read_all(void *to, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = read(0, (uint8_t *)to + done, len - done);

		if (n <= 0)
			return -1;
		done += (size_t)n;
	}
	return 0;
}

static void write_all(const uint8_t *from, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = write(1, from + done, len - done);

		if (n <= 0)
			die("write");
		done += (size_t)n;
	}
}

int main(void)
{
	uint8_t *out = malloc(OUT_BYTES); /* far from the cases */
	uint32_t n;

	if (!out)
		die("malloc");
	map(DIFF_CODE, DIFF_CODE_BYTES);
	map(DIFF_DATA_A, DIFF_WINDOW);
	map(DIFF_DATA_B, DIFF_WINDOW);
	map(DIFF_RO, DIFF_RO_BYTES);
	if (mprotect((void *)DIFF_RO, DIFF_RO_BYTES, PROT_READ | PROT_EXEC) != 0)
		die("mprotect");
	catch_signals();
	while (read_all(&n, sizeof(n)) == 0) {
		uint8_t *to = out;

		if (n > DIFF_BATCH || read_all(cases, n * sizeof(cases[0])) != 0)
			return 1;
		if (mprotect((void *)DIFF_CODE, DIFF_CODE_BYTES, PROT_READ | PROT_WRITE) != 0)
			die("mprotect");
		for (uint32_t i = 0; i < n; i++)
			memcpy((void *)cases[i].at, cases[i].code, DIFF_SLOT);
		if (mprotect((void *)DIFF_CODE, DIFF_CODE_BYTES, PROT_READ | PROT_EXEC) != 0)
			die("mprotect");
		for (uint32_t i = 0; i < n; i++)
			to = run(&cases[i], to);
		write_all(out, (size_t)(to - out));
	}
	return 0;
}
