// SPDX-License-Identifier: MIT
/*
 * A case that differs: made smaller, printed, and as a row of the findings file.
 */
#include "diff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler.h"

/* --- Minimising -------------------------------------------------------------------------------- */

static void try_u64(struct test *t, uint64_t *v, bool (*differs)(const struct test *t))
{
	uint64_t old = *v;

	if (old == 0)
		return;
	*v = 0;
	if (!differs(t))
		*v = old;
}

static void try_u32(struct test *t, uint32_t *v, uint32_t to, bool (*differs)(const struct test *t))
{
	uint32_t old = *v;

	if (old == to)
		return;
	*v = to;
	if (!differs(t))
		*v = old;
}

void minimise(struct test *t, bool (*differs)(const struct test *t))
{
	struct diff_case *c = &t->c;

	for (unsigned int i = 0; i < DIFF_PATCHES; i++) {
		uint32_t len;

		try_u32(t, &c->patch_len[i], 0, differs);
		while (c->patch_len[i] && (len = c->patch_len[i] / 2, len)) {
			try_u32(t, &c->patch_len[i], len, differs);
			if (c->patch_len[i] != len)
				break;
		}
	}
	for (unsigned int i = 0; i < 16; i++) {
		try_u64(t, &c->gr[i], differs);
		try_u64(t, &c->fpr[i], differs);
		try_u32(t, &c->ar[i], 0, differs);
	}
	try_u32(t, &c->fpc, 0, differs);
	try_u32(t, &c->fpc, c->fpc & 0xff000003, differs);
	try_u32(t, &c->cc_pm, 0, differs);
	try_u32(t, &c->cc_pm, c->cc_pm & 0x30000000, differs);
}

/* --- Printing ---------------------------------------------------------------------------------- */

static void print_storage(const struct outcome *ours, const struct outcome *ref)
{
	unsigned int a = 0, b = 0, shown = 0;

	while (a < ours->r.words || b < ref->r.words) {
		uint64_t x = a < ours->r.words ? ours->w[a].at : ~0ull;
		uint64_t y = b < ref->r.words ? ref->w[b].at : ~0ull, at = x < y ? x : y;
		uint64_t vx = x == at ? ours->w[a++].value : diff_background(at);
		uint64_t vy = y == at ? ref->w[b++].value : diff_background(at);

		if (vx != vy && shown++ < 8)
			printf("#   storage %06llx: ours %016llx reference %016llx\n",
			       (unsigned long long)at, (unsigned long long)vx,
			       (unsigned long long)vy);
	}
}

#define SHOW(what, format, a, b)                                                              \
	do {                                                                                  \
		if ((a) != (b))                                                               \
			printf("#   " what ": ours " format " reference " format "\n", a, b); \
	} while (0)

static void print_registers(const struct diff_case *c, const struct diff_result *o,
			    const struct diff_result *r)
{
	for (unsigned int i = 0; i < 16; i++) {
		if (o->gr[i] != r->gr[i])
			printf("#   gr%u %016llx: ours %016llx reference %016llx\n", i,
			       (unsigned long long)c->gr[i], (unsigned long long)o->gr[i],
			       (unsigned long long)r->gr[i]);
		if (o->fpr[i] != r->fpr[i])
			printf("#   fpr%u %016llx: ours %016llx reference %016llx\n", i,
			       (unsigned long long)c->fpr[i], (unsigned long long)o->fpr[i],
			       (unsigned long long)r->fpr[i]);
		if (o->ar[i] != r->ar[i])
			printf("#   ar%u %08x: ours %08x reference %08x\n", i, c->ar[i], o->ar[i],
			       r->ar[i]);
	}
}

static void print_hex(const uint8_t *p, unsigned int len)
{
	for (unsigned int i = 0; i < len; i++)
		printf("%02x", p[i]);
}

/* The slot from the instruction on: what the frame does not make. */
static unsigned int code_length(const struct test *t)
{
	struct diff_case frame = { .at = t->c.at };
	unsigned int n = DIFF_SLOT;

	slot_frame(&frame);
	while (n > DIFF_START && frame.code[n - 1] == t->c.code[n - 1])
		n--;
	return n - DIFF_START;
}

static void print_row(const struct test *t)
{
	const struct diff_case *c = &t->c;

	printf("# row: %s at=%llx code=", t->insn[0]->mnemonic, (unsigned long long)c->at);
	print_hex(c->code + DIFF_START, code_length(t));
	for (unsigned int i = 0; i < 16; i++) {
		if (c->gr[i])
			printf(" gr%u=%llx", i, (unsigned long long)c->gr[i]);
		if (c->fpr[i])
			printf(" fpr%u=%llx", i, (unsigned long long)c->fpr[i]);
		if (c->ar[i])
			printf(" ar%u=%x", i, c->ar[i]);
	}
	if (c->fpc)
		printf(" fpc=%x", c->fpc);
	if (c->cc_pm)
		printf(" ccpm=%x", c->cc_pm >> 24);
	for (unsigned int i = 0; i < DIFF_PATCHES; i++)
		if (c->patch_len[i]) {
			printf(" mem%llx=", (unsigned long long)c->patch_at[i]);
			print_hex(c->patch[i], c->patch_len[i]);
		}
	printf("\n");
}

/* What objdump for s390x makes of the instruction; silent without it. */
static void print_disassembly(const struct test *t)
{
	char path[] = "/tmp/zpv-diff-XXXXXX", command[256];
	int fd = mkstemp(path);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "wb");

	if (!f)
		return;
	fwrite(t->c.code, 1, DIFF_SLOT, f);
	fclose(f);
	fflush(stdout);
	snprintf(
		command, sizeof(command),
		"s390x-linux-gnu-objdump -D -b binary -m s390:64-bit --adjust-vma=0x%llx "
		"--start-address=0x%llx --stop-address=0x%llx %s 2>/dev/null | sed -n '/:\\t/s/^/#   /p'",
		(unsigned long long)t->c.at, (unsigned long long)t->c.at + DIFF_START,
		(unsigned long long)t->c.at + DIFF_START + 12, path);
	if (system(command) != 0) // NOLINT(cert-env33-c): a tool for developers
		printf("#   (no disassembly)\n");
	remove(path);
}

void print_case(const struct test *t, const struct outcome *ours, const struct outcome *ref,
		unsigned int fields)
{
	const struct diff_result *o = &ours->r, *r = &ref->r;

	printf("# %s, seed %llu case %llu differs in", t->insn[0]->mnemonic,
	       (unsigned long long)t->seed, (unsigned long long)t->number);
	print_fields(fields);
	printf("\n");
	print_disassembly(t);
	SHOW("signal", "%u", o->sig, r->sig);
	SHOW("its code", "%u", o->code, r->code);
	SHOW("end", "%d", (int)o->end, (int)r->end);
	SHOW("cc and program mask", "%02x", o->cc_pm >> 24, r->cc_pm >> 24);
	SHOW("fpc", "%08x", o->fpc, r->fpc);
	SHOW("addressing mode", "%u", o->mode, r->mode);
	SHOW("psw address", "%llx", (unsigned long long)o->psw_addr,
	     (unsigned long long)r->psw_addr);
	print_registers(&t->c, o, r);
	print_storage(ours, ref);
	print_row(t);
	fflush(stdout);
}

/* --- Findings ---------------------------------------------------------------------------------- */

static _Noreturn void bad_row(const char *what)
{
	fprintf(stderr, "zpv-diff: findings: cannot read '%s'\n", what);
	exit(2);
}

/* All of s must be a number below 2^bits. */
static uint64_t hex_number(const char *s, unsigned int bits)
{
	size_t digits = strspn(s, "0123456789abcdefABCDEF");
	uint64_t v = strtoull(s, NULL, 16);

	if (!digits || s[digits] || digits > 16 || (bits < 64 && v >> bits))
		bad_row(s);
	return v;
}

static unsigned int hex_bytes(const char *s, uint8_t *to, unsigned int max)
{
	size_t len = strlen(s);

	if (!len || len % 2 || len / 2 > max)
		bad_row(s);
	for (size_t i = 0; i < len / 2; i++) {
		const char digits[3] = { s[2 * i], s[2 * i + 1] };

		to[i] = (uint8_t)hex_number(digits, 8);
	}
	return (unsigned int)(len / 2);
}

/* The number of a register when key is its kind's name and a number up to 15, else -1. */
static int register_of(const char *key, const char *kind)
{
	size_t n = strlen(kind);
	char *end;
	unsigned long v;

	if (strncmp(key, kind, n) != 0)
		return -1;
	v = strtoul(key + n, &end, 10);
	if (end == key + n || *end || v > 15)
		bad_row(key);
	return (int)v;
}

static void set_memory(struct diff_case *c, const char *addr, const char *value)
{
	unsigned int n = 0;

	while (n < DIFF_PATCHES && c->patch_len[n])
		n++;
	if (n == DIFF_PATCHES)
		bad_row(addr);
	c->patch_at[n] = hex_number(addr, 64);
	c->patch_len[n] = hex_bytes(value, c->patch[n], DIFF_PATCH_BYTES);
}

static void set_field(struct diff_case *c, const char *key, const char *value)
{
	int n;

	if (strcmp(key, "fpc") == 0)
		c->fpc = (uint32_t)hex_number(value, 32);
	else if (strcmp(key, "ccpm") == 0)
		c->cc_pm = (uint32_t)hex_number(value, 6) << 24;
	else if ((n = register_of(key, "gr")) >= 0)
		c->gr[n] = hex_number(value, 64);
	else if ((n = register_of(key, "fpr")) >= 0)
		c->fpr[n] = hex_number(value, 64);
	else if ((n = register_of(key, "ar")) >= 0)
		c->ar[n] = (uint32_t)hex_number(value, 32);
	else if (strncmp(key, "mem", 3) == 0)
		set_memory(c, key + 3, value);
	else
		bad_row(key);
}

/* The slot's instruction and the end behind it; the row's name begins with the mnemonic. */
static void set_code(struct test *t, const char *name, const char *value)
{
	size_t mnemonic = strcspn(name, "/");
	unsigned int n;

	if (t->c.at < DIFF_CODE || t->c.at > DIFF_CODE + DIFF_CODE_BYTES - DIFF_SLOT || t->c.at & 1)
		bad_row("at");
	slot_frame(&t->c);
	n = hex_bytes(value, t->c.code + DIFF_START, DIFF_SLOT - DIFF_START);
	if (n <= 12)
		slot_end(&t->c, DIFF_START + n);
	t->insn[0] = insn_find(t->c.code + DIFF_START);
	if (!t->insn[0] || strlen(t->insn[0]->mnemonic) != mnemonic ||
	    strncmp(t->insn[0]->mnemonic, name, mnemonic) != 0)
		bad_row(name);
	t->count = 1;
}

bool parse_finding(char *line, char name[64], struct test *t)
{
	char *word = strtok(line, " \t\n");

	if (!word || word[0] == '#')
		return false;
	memset(t, 0, sizeof(*t));
	snprintf(name, 64, "%s", word);
	t->c.at = DIFF_CODE;
	while ((word = strtok(NULL, " \t\n")) != NULL) {
		char *value = strchr(word, '=');

		if (!value)
			bad_row(word);
		*value++ = '\0';
		if (strcmp(word, "at") == 0 && !t->count)
			t->c.at = hex_number(value, 64);
		else if (strcmp(word, "code") == 0)
			set_code(t, name, value);
		else
			set_field(&t->c, word, value);
	}
	if (!t->count)
		bad_row(name);
	return true;
}
