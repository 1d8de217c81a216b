// SPDX-License-Identifier: MIT
/*
 * zpv dump: looking into dumps and opening them; and the same under the name of zgetdump.
 */
#include <inttypes.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zpv/dump.h>

#include "cmd.h"
#include "err.h"
#include "term.h"

/* Beside those that all commands have. */
enum { EXIT_NO_DUMP = 3, EXIT_KEY = 4, EXIT_DAMAGED = 5 };
#define EXITS ", 3 no such dump, 4 no key or the wrong one, 5 damaged dump"

#define KEY_OPTION                                                                             \
	{                                                                                      \
		.names = "key", .letter = 'k', .arg = ARG_VALUE, .value_name = "FILE",         \
		.hint = HINT_FILE,                                                             \
		.help = "Open the dump with the customer communication key in FILE, 32 bytes." \
	}
#define KEY_FD_OPTION                                                            \
	{                                                                        \
		.names = "key-fd", .arg = ARG_VALUE, .value_name = "N",          \
		.help = "Read that key from the open file descriptor N instead." \
	}

static int exit_code(int rc)
{
	switch (-rc) {
	case 0:
		return EXIT_OK;
	case ZPV_ERR_USAGE:
		return EXIT_USAGE;
	case ZPV_ERR_FORMAT:
		return EXIT_NO_DUMP;
	case ZPV_ERR_KEY:
		return EXIT_KEY;
	case ZPV_ERR_VERIFY:
		return EXIT_DAMAGED;
	default:
		return EXIT_ERROR;
	}
}

/* --- Opening --------------------------------------------------------------------------------- */

/* Where the key comes from; neither: none was given. */
struct key_source {
	const char *file, *fd;
};

static int unlock_fd(struct zpv_dump *d, const char *text, struct zpv_err *err)
{
	char *end;
	long fd = strtol(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || fd > INT_MAX)
		return err_set(err, ZPV_ERR_USAGE, "'%s' is not the number of a file descriptor",
			       text);
	return zpv_dump_unlock_fd(d, (int)fd, err);
}

static int open_dump(const struct args *args, const struct zpv_log *log, struct key_source key,
		     struct zpv_dump **out, struct zpv_err *err)
{
	int rc = zpv_dump_open(args->positional, log, out, err);

	if (rc)
		return rc;
	if (key.file)
		return zpv_dump_unlock(*out, key.file, err);
	return key.fd ? unlock_fd(*out, key.fd, err) : 0;
}

static int finish(struct zpv_dump *d, int rc, const struct zpv_err *err)
{
	zpv_dump_close(d);
	if (rc)
		term_error("%s", err->text);
	return exit_code(rc);
}

/* --- info: text ------------------------------------------------------------------------------ */

#define MIB (1u << 20)

static uint64_t memory_bytes(const struct zpv_dump *d)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < zpv_dump_ranges(d); i++)
		sum += zpv_dump_range(d, i).bytes;
	return sum;
}

/* The value of a line of VMCOREINFO; *len 0 when there is none. */
static const char *kernel_fact(const char *text, size_t len, const char *name, size_t *out_len)
{
	size_t n = strlen(name);

	*out_len = 0;
	while (len) {
		const char *end = memchr(text, '\n', len);
		size_t line = end ? (size_t)(end - text) : len;

		if (line > n && memcmp(text, name, n) == 0 && text[n] == '=') {
			*out_len = line - n - 1;
			return text + n + 1;
		}
		line += end != NULL;
		text += line;
		len -= line;
	}
	return text;
}

static const struct {
	const char *name, *json, *label;
} facts[] = {
	{ "OSRELEASE", "release", "Kernel" },
	{ "BUILD-ID", "build_id", "Build ID" },
	{ "KERNELOFFSET", "offset", "Kernel offset" },
	{ "CRASHTIME", "crash_time", "Crash time" },
};

/* What stands in a file is not to move a terminal's cursor. */
static void print_plain(const char *text, size_t len)
{
	for (; len; text++, len--)
		putchar(*text >= ' ' && *text < 0x7f ? *text : '?');
	putchar('\n');
}

static int text_facts(struct zpv_dump *d, struct zpv_err *err)
{
	const char *text;
	size_t len;
	int rc = zpv_dump_vmcoreinfo(d, &text, &len, err);

	if (rc)
		return rc;
	printf("%-15s %s\n", "VMCOREINFO:", text ? "found" : "none");
	for (size_t i = 0; text && i < ARRAY_SIZE(facts); i++) {
		size_t n;
		const char *value = kernel_fact(text, len, facts[i].name, &n);

		if (!n)
			continue;
		printf("%s:%*s", facts[i].label, (int)(15 - strlen(facts[i].label)), "");
		print_plain(value, n);
	}
	return 0;
}

static int text_cpus(struct zpv_dump *d, struct zpv_err *err)
{
	for (size_t i = 0; i < zpv_dump_cpus(d); i++) {
		struct zpv_dump_cpu c;
		int rc = zpv_dump_cpu(d, i, &c, err);

		if (rc)
			return rc;
		printf("CPU %zu: PSW %016" PRIx64 " %016" PRIx64 ", prefix %08" PRIx32
		       ", CR1 %016" PRIx64 ", R15 %016" PRIx64 "%s\n",
		       i, c.psw_mask, c.psw_addr, c.prefix, c.cr[1], c.gr[15],
		       c.incomplete ? ", inside an instruction (state may be incomplete)" : "");
	}
	return 0;
}

static void text_open(const struct zpv_dump *d)
{
	struct zpv_dump_pages pages = zpv_dump_pages(d);

	if (zpv_dump_protected(d))
		printf("Kind:           dump of a protected guest, ELF, version %" PRIu32 "\n",
		       zpv_dump_version(d));
	else
		puts("Kind:           dump of a guest that is not protected, ELF");
	printf("File:           %" PRIu64 " bytes\n", zpv_dump_file_bytes(d));
	printf("CPUs:           %zu\n", zpv_dump_cpus(d));
	printf("Memory:         %" PRIu64 " MiB\n", memory_bytes(d) / MIB);
	for (size_t i = 0; i < zpv_dump_ranges(d); i++) {
		struct zpv_dump_range r = zpv_dump_range(d, i);

		printf("                %#" PRIx64 " - %#" PRIx64 " (%" PRIu64 " MiB)\n", r.start,
		       r.start + r.bytes - 1, r.bytes / MIB);
	}
	if (zpv_dump_protected(d))
		printf("Pages:          %" PRIu64 " encrypted, %" PRIu64 " shared, %" PRIu64
		       " zero\n",
		       pages.encrypted, pages.shared, pages.zero);
}

static int info_text(struct zpv_dump *d, bool readable, struct zpv_err *err)
{
	int rc = 0;

	text_open(d);
	if (zpv_dump_protected(d))
		printf("Key:            %s\n", readable ? "opens it" : "needed for more (--key)");
	if (readable)
		rc = text_cpus(d, err);
	if (readable && !rc)
		rc = text_facts(d, err);
	return rc;
}

/* --- info: JSON ------------------------------------------------------------------------------ */

static void add(json_object *to, const char *name, json_object *value)
{
	json_object_object_add(to, name, value);
}

static json_object *json_u64(uint64_t v)
{
	return json_object_new_uint64(v);
}

/* Registers and addresses: strings, as JSON readers lose bits of large numbers. */
static json_object *json_hex(uint64_t v)
{
	char text[19];

	snprintf(text, sizeof(text), "0x%" PRIx64, v);
	return json_object_new_string(text);
}

static void json_open(const struct zpv_dump *d, json_object *doc)
{
	json_object *ranges = json_object_new_array(), *pages = json_object_new_object();
	struct zpv_dump_pages p = zpv_dump_pages(d);

	add(doc, "protected", json_object_new_boolean(zpv_dump_protected(d)));
	if (zpv_dump_protected(d))
		add(doc, "version", json_u64(zpv_dump_version(d)));
	add(doc, "file_bytes", json_u64(zpv_dump_file_bytes(d)));
	add(doc, "cpu_count", json_u64(zpv_dump_cpus(d)));
	add(doc, "memory_bytes", json_u64(memory_bytes(d)));
	for (size_t i = 0; i < zpv_dump_ranges(d); i++) {
		struct zpv_dump_range r = zpv_dump_range(d, i);
		json_object *o = json_object_new_object();

		add(o, "start", json_hex(r.start));
		add(o, "bytes", json_u64(r.bytes));
		json_object_array_add(ranges, o);
	}
	add(doc, "memory", ranges);
	add(pages, "encrypted", json_u64(p.encrypted));
	add(pages, "shared", json_u64(p.shared));
	add(pages, "zero", json_u64(p.zero));
	if (zpv_dump_protected(d))
		add(doc, "pages", pages);
	else
		json_object_put(pages);
}

static int json_cpus(struct zpv_dump *d, json_object *doc, struct zpv_err *err)
{
	json_object *cpus = json_object_new_array();

	add(doc, "cpus", cpus);
	for (size_t i = 0; i < zpv_dump_cpus(d); i++) {
		json_object *o = json_object_new_object();
		json_object *gr = json_object_new_array();
		struct zpv_dump_cpu c;
		int rc;

		json_object_array_add(cpus, o);
		add(o, "gr", gr);
		rc = zpv_dump_cpu(d, i, &c, err);
		if (rc)
			return rc;
		for (int k = 0; k < 16; k++)
			json_object_array_add(gr, json_hex(c.gr[k]));
		add(o, "psw_mask", json_hex(c.psw_mask));
		add(o, "psw_addr", json_hex(c.psw_addr));
		add(o, "prefix", json_hex(c.prefix));
		add(o, "cr1", json_hex(c.cr[1]));
		add(o, "incomplete", json_object_new_boolean(c.incomplete));
	}
	return 0;
}

static int json_facts(struct zpv_dump *d, json_object *doc, struct zpv_err *err)
{
	json_object *kernel;
	const char *text;
	size_t len;
	int rc = zpv_dump_vmcoreinfo(d, &text, &len, err);

	if (rc || !text)
		return rc;
	kernel = json_object_new_object();
	add(doc, "kernel", kernel);
	for (size_t i = 0; i < ARRAY_SIZE(facts); i++) {
		size_t n;
		const char *value = kernel_fact(text, len, facts[i].name, &n);

		if (n)
			add(kernel, facts[i].json, json_object_new_string_len(value, (int)n));
	}
	return 0;
}

static int info_json(struct zpv_dump *d, bool readable, struct zpv_err *err)
{
	json_object *doc = json_object_new_object();
	int rc = 0;

	json_open(d, doc);
	add(doc, "opened", json_object_new_boolean(readable));
	if (readable)
		rc = json_cpus(d, doc, err);
	if (readable && !rc)
		rc = json_facts(d, doc, err);
	if (!rc)
		puts(json_object_to_json_string_ext(doc, JSON_C_TO_STRING_PRETTY |
								 JSON_C_TO_STRING_SPACED |
								 JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(doc);
	return rc;
}

enum { INFO_KEY, INFO_KEY_FD, INFO_JSON, INFO_END };

static const struct opt info_opts[] = {
	[INFO_KEY] = KEY_OPTION,
	[INFO_KEY_FD] = KEY_FD_OPTION,
	[INFO_JSON] = { .names = "json", .help = "Print JSON instead of text." },
	[INFO_END] = { 0 },
};

static const struct rule info_rules[] = {
	{ RULE_CONFLICTS, INFO_KEY, { INFO_KEY_FD, RULE_END } },
	{ .others = { RULE_END } },
};

static int run_info(const struct args *args)
{
	const struct key_source key = { args->value[INFO_KEY], args->value[INFO_KEY_FD] };
	const struct zpv_log log = term_log(args);
	struct zpv_dump *d = NULL;
	struct zpv_err err = { 0 };
	int rc = open_dump(args, &log, key, &d, &err);

	if (!rc) {
		bool readable = key.file || key.fd || !zpv_dump_protected(d);

		rc = args->seen[INFO_JSON] ? info_json(d, readable, &err) :
					     info_text(d, readable, &err);
	}
	return finish(d, rc, &err);
}

const struct command cmd_dump_info = {
	.name = "dump info",
	.summary = "Tell what a dump is, and with the key what its CPUs did.",
	.exits = EXITS,
	.operand = "DUMP",
	.operand_hint = HINT_FILE,
	.opts = info_opts,
	.rules = info_rules,
	.run = run_info,
};

/* --- open ------------------------------------------------------------------------------------ */

static int get_format(const char *text, enum zpv_dump_format *out, struct zpv_err *err)
{
	*out = ZPV_DUMP_ELF;
	if (!text || strcmp(text, "elf") == 0)
		return 0;
	*out = ZPV_DUMP_S390;
	if (strcmp(text, "s390") == 0)
		return 0;
	return err_set(err, ZPV_ERR_USAGE, "format '%s' is not one of elf, s390", text);
}

static int convert(const struct args *args, struct key_source key, struct zpv_dump_convert spec)
{
	const struct zpv_log log = term_log(args);
	struct zpv_dump *d = NULL;
	struct zpv_err err = { 0 };
	struct zpv_progress progress;
	int rc;

	if (strcmp(spec.output, "-") == 0 && isatty(STDOUT_FILENO)) {
		rc = err_set(&err, ZPV_ERR_USAGE, "a dump is not written to a terminal");
		return finish(d, rc, &err);
	}
	rc = open_dump(args, &log, key, &d, &err);
	progress = term_begin(args, "Opening", strcmp(spec.output, "-") != 0);
	spec.progress = &progress;
	if (!rc)
		rc = zpv_dump_convert(d, &spec, &err);
	zpv_dump_close(d);
	term_end();
	return finish(NULL, rc, &err);
}

enum { OPEN_KEY, OPEN_KEY_FD, OPEN_FORMAT, OPEN_OUTPUT, OPEN_OVERWRITE, OPEN_END };

static const struct opt open_opts[] = {
	[OPEN_KEY] = KEY_OPTION,
	[OPEN_KEY_FD] = KEY_FD_OPTION,
	[OPEN_FORMAT] = { .names = "format,fmt",
			  .letter = 'f',
			  .arg = ARG_VALUE,
			  .value_name = "FORMAT",
			  .choices = "elf s390",
			  .help = "elf, an ELF core (default), or s390, a stand-alone dump." },
	[OPEN_OUTPUT] = { .names = "output",
			  .letter = 'o',
			  .arg = ARG_VALUE,
			  .value_name = "FILE",
			  .hint = HINT_FILE,
			  .required = true,
			  .help = "Write to FILE, readable by its owner only; '-' is standard output." },
	[OPEN_OVERWRITE] = { .names = "overwrite", .help = "Replace FILE if it exists." },
	[OPEN_END] = { 0 },
};

static const struct rule open_rules[] = {
	{ RULE_CONFLICTS, OPEN_KEY, { OPEN_KEY_FD, RULE_END } },
	{ .others = { RULE_END } },
};

static int run_open(const struct args *args)
{
	const struct key_source key = { args->value[OPEN_KEY], args->value[OPEN_KEY_FD] };
	struct zpv_dump_convert spec = { .output = args->value[OPEN_OUTPUT],
					 .overwrite = args->seen[OPEN_OVERWRITE] };
	struct zpv_err err = { 0 };
	int rc = get_format(args->value[OPEN_FORMAT], &spec.format, &err);

	return rc ? finish(NULL, rc, &err) : convert(args, key, spec);
}

const struct command cmd_dump_open = {
	.name = "dump open",
	.summary = "Decrypt the dump of a protected guest into an ordinary one.",
	.exits = EXITS,
	.operand = "DUMP",
	.operand_hint = HINT_FILE,
	.opts = open_opts,
	.rules = open_rules,
	.run = run_open,
};

/* --- dmesg ----------------------------------------------------------------------------------- */

enum { DMESG_KEY, DMESG_KEY_FD, DMESG_END };

static const struct opt dmesg_opts[] = {
	[DMESG_KEY] = KEY_OPTION,
	[DMESG_KEY_FD] = KEY_FD_OPTION,
	[DMESG_END] = { 0 },
};

static const struct rule dmesg_rules[] = {
	{ RULE_CONFLICTS, DMESG_KEY, { DMESG_KEY_FD, RULE_END } },
	{ .others = { RULE_END } },
};

static void write_text(void *ctx, const char *text, size_t len)
{
	fwrite(text, 1, len, ctx);
}

static int run_dmesg(const struct args *args)
{
	const struct key_source key = { args->value[DMESG_KEY], args->value[DMESG_KEY_FD] };
	const struct zpv_log log = term_log(args);
	struct zpv_dump *d = NULL;
	struct zpv_err err = { 0 };
	int rc = open_dump(args, &log, key, &d, &err);

	if (rc)
		return finish(d, rc, &err);
	rc = zpv_dump_dmesg(d, write_text, stdout, &err);
	/* It is a dump, but not one of a kernel whose messages are known. */
	if (rc == -ZPV_ERR_FORMAT) {
		finish(d, rc, &err);
		return EXIT_ERROR;
	}
	return finish(d, rc, &err);
}

const struct command cmd_dump_dmesg = {
	.name = "dump dmesg",
	.summary = "Print the messages of the Linux kernel in a dump.",
	.exits = EXITS,
	.operand = "DUMP",
	.operand_hint = HINT_FILE,
	.opts = dmesg_opts,
	.rules = dmesg_rules,
	.run = run_dmesg,
};

/* --- zgetdump -------------------------------------------------------------------------------- */

enum { ZG_INFO, ZG_KEY, ZG_FORMAT, ZG_END };

static const struct opt zgetdump_opts[] = {
	[ZG_INFO] = { .names = "info",
		      .letter = 'i',
		      .help = "Print information about DUMP on standard error." },
	[ZG_KEY] = KEY_OPTION,
	[ZG_FORMAT] = { .names = "fmt,format",
			.letter = 'f',
			.arg = ARG_VALUE,
			.value_name = "FORMAT",
			.choices = "elf s390",
			.help = "Write the format elf (default) or s390." },
	[ZG_END] = { 0 },
};

static const struct rule zgetdump_rules[] = {
	{ RULE_CONFLICTS, ZG_INFO, { ZG_FORMAT, RULE_END } },
	{ .others = { RULE_END } },
};

/* The words of zgetdump, for whoever reads them by program. */
/* What the kernel calls itself, where it can be found. */
static void zgetdump_print_uts(struct zpv_dump *d)
{
	struct zpv_dump_uts uts = { 0 };
	struct zpv_err err;

	if (zpv_dump_uts(d, &uts, &err) != 0 || !uts.release[0])
		return;
	fprintf(stderr, "  UTS node name......: %s\n  UTS kernel release.: %s\n", uts.node,
		uts.release);
	fprintf(stderr, "  UTS kernel version.: %s\n", uts.version);
}

static void zgetdump_print(struct zpv_dump *d)
{
	fprintf(stderr, "General dump info:\n  Dump format........: %s\n",
		zpv_dump_protected(d) ? "ELF (protected virtualization dump)" : "elf");
	fputs("  Version............: 1\n", stderr);
	zgetdump_print_uts(d);
	fputs("  System arch........: s390x (64 bit)\n", stderr);
	fprintf(stderr, "  CPU count (online).: %zu\n  Dump memory range..: %" PRIu64 " MB\n",
		zpv_dump_cpus(d), memory_bytes(d) / MIB);
	fputs("\nMemory map:\n", stderr);
	for (size_t i = 0; i < zpv_dump_ranges(d); i++) {
		struct zpv_dump_range r = zpv_dump_range(d, i);

		fprintf(stderr, "  %016" PRIx64 " - %016" PRIx64 " (%" PRIu64 " MB)\n", r.start,
			r.start + r.bytes - 1, r.bytes / MIB);
	}
}

static int zgetdump_info(const struct args *args, struct key_source key)
{
	const struct zpv_log log = term_log(args);
	struct zpv_dump *d = NULL;
	struct zpv_err err = { 0 };
	int rc = open_dump(args, &log, key, &d, &err);

	if (!rc && zpv_dump_protected(d) && !key.file)
		rc = err_set(&err, ZPV_ERR_KEY,
			     "the dump is of a protected guest: its key is needed (-k)");
	if (!rc)
		zgetdump_print(d);
	return finish(d, rc, &err);
}

static int run_zgetdump(const struct args *args)
{
	const struct key_source key = { .file = args->value[ZG_KEY] };
	struct zpv_dump_convert spec = { .output = args->positional2 ? args->positional2 : "-" };
	struct zpv_err err = { 0 };
	int rc = get_format(args->value[ZG_FORMAT], &spec.format, &err);

	if (!rc && args->seen[ZG_INFO] && args->positional2)
		rc = err_set(&err, ZPV_ERR_USAGE, "option '--info' writes no '%s'",
			     args->positional2);
	if (rc)
		return finish(NULL, rc, &err);
	return args->seen[ZG_INFO] ? zgetdump_info(args, key) : convert(args, key, spec);
}

const struct command cmd_zgetdump = {
	.name = "zgetdump",
	.summary = "Open the dump of a protected guest as zgetdump does.",
	.exits = EXITS,
	.operand = "DUMP",
	.operand_hint = HINT_FILE,
	.operand2 = "OUT",
	.opts = zgetdump_opts,
	.rules = zgetdump_rules,
	.run = run_zgetdump,
};
