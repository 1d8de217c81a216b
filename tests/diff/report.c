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

static unsigned int hex_bytes(const char *s, uint8_t *to, unsigned int max)
{
	unsigned int n = 0, v;

	for (; s[0] && s[1] && n < max; s += 2) {
		if (sscanf(s, "%2x", &v) != 1)
			bad_row(s);
		to[n++] = (uint8_t)v;
	}
	return n;
}

static void set_field(struct diff_case *c, const char *key, const char *value)
{
	unsigned long long v = strtoull(value, NULL, 16);
	unsigned int n;

	if (strcmp(key, "fpc") == 0)
		c->fpc = (uint32_t)v;
	else if (strcmp(key, "ccpm") == 0)
		c->cc_pm = (uint32_t)v << 24;
	else if (sscanf(key, "gr%u", &n) == 1 && n < 16)
		c->gr[n] = v;
	else if (sscanf(key, "fpr%u", &n) == 1 && n < 16)
		c->fpr[n] = v;
	else if (sscanf(key, "ar%u", &n) == 1 && n < 16)
		c->ar[n] = (uint32_t)v;
	else if (strncmp(key, "mem", 3) == 0) {
		for (n = 0; n < DIFF_PATCHES - 1 && c->patch_len[n]; n++)
			continue;
		c->patch_at[n] = strtoull(key + 3, NULL, 16);
		c->patch_len[n] = hex_bytes(value, c->patch[n], DIFF_PATCH_BYTES);
	} else {
		bad_row(key);
	}
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
		if (strcmp(word, "at") == 0) {
			t->c.at = strtoull(value, NULL, 16);
		} else if (strcmp(word, "code") == 0) {
			unsigned int n;

			slot_frame(&t->c);
			n = hex_bytes(value, t->c.code + DIFF_START, DIFF_SLOT - DIFF_START);
			if (n <= 12)
				slot_end(&t->c, DIFF_START + n);
			t->insn[0] = insn_find(t->c.code + DIFF_START);
			t->count = t->insn[0] ? 1 : 0;
		} else {
			set_field(&t->c, word, value);
		}
	}
	if (!t->count)
		bad_row(name);
	return true;
}
