// SPDX-License-Identifier: MIT
/*
 * Finding explanations.
 */
#include "explain.h"

#include "compiler.h"
#include "uvcb.h"

const struct explanation explanations[] = {
#define UV(command, rc, rrc, name, text) { EXPLAIN_UV, command, rrc, rc, name, text },
#define CODE(kind, code, name, text)	 { kind, 0, EXPLAIN_ANY_RRC, code, name, text },
#include "explain.def"
#undef UV
#undef CODE
	{ EXPLAIN_KINDS, 0, 0, 0, NULL, NULL },
};

static const char *const kind_names[EXPLAIN_KINDS] = {
	[EXPLAIN_UV] = "Ultravisor call",
	[EXPLAIN_DIAG308] = "DIAGNOSE 308",
	[EXPLAIN_VALIDITY] = "validity interception",
	[EXPLAIN_WAIT] = "disabled wait",
	[EXPLAIN_ICPT] = "interception",
	[EXPLAIN_PROGRAM] = "program interruption",
};

const char *explain_kind_name(enum explain_kind kind)
{
	return kind_names[kind];
}

static const struct {
	uint16_t command;
	const char *name;
} commands[] = {
	{ UVC_QUERY, "query Ultravisor information" },
	{ UVC_QUERY_KEYS, "query keys" },
	{ UVC_INIT, "initialize Ultravisor" },
	{ UVC_CREATE_CONFIG, "create secure configuration" },
	{ UVC_DESTROY_CONFIG, "destroy secure configuration" },
	{ UVC_DESTROY_CONFIG_FAST, "destroy secure configuration fast" },
	{ UVC_CREATE_CPU, "create secure CPU" },
	{ UVC_DESTROY_CPU, "destroy secure CPU" },
	{ UVC_IMPORT, "convert to secure storage" },
	{ UVC_EXPORT, "convert from secure storage" },
	{ UVC_DESTROY_PAGE, "destroy secure storage" },
	{ UVC_SET_PARMS, "set secure configuration parameters" },
	{ UVC_UNPACK, "unpack image" },
	{ UVC_VERIFY, "verify image" },
	{ UVC_CPU_RESET, "CPU reset" },
	{ UVC_CPU_RESET_INITIAL, "initial CPU reset" },
	{ UVC_CPU_RESET_CLEAR, "clear CPU reset" },
	{ UVC_PREPARE_RESET, "prepare reset" },
	{ UVC_SET_CPU_STATE, "set CPU state" },
	{ UVC_UNSHARE_ALL, "set unshared all" },
	{ UVC_PIN, "pin page shared" },
	{ UVC_UNPIN, "unpin page shared" },
	{ UVC_DUMP_INIT, "dump init" },
	{ UVC_DUMP_STORAGE_STATE, "dump configuration storage state" },
	{ UVC_DUMP_CPU, "dump CPU" },
	{ UVC_DUMP_COMPLETE, "dump complete" },
	{ UVC_SHARE, "set shared access" },
	{ UVC_UNSHARE, "remove shared access" },
};

const char *explain_command_name(uint16_t command)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (commands[i].command == command)
			return commands[i].name;
	return NULL;
}

static const struct explanation *find(enum explain_kind kind, uint16_t command, uint64_t code,
				      int rrc)
{
	for (const struct explanation *e = explanations; e->text; e++)
		if (e->kind == kind && e->command == command && e->code == code && e->rrc == rrc)
			return e;
	return NULL;
}

const struct explanation *explain_uv(uint16_t command, uint16_t rc, uint16_t rrc)
{
	const struct explanation *e = find(EXPLAIN_UV, command, rc, rrc);

	if (!e)
		e = find(EXPLAIN_UV, command, rc, EXPLAIN_ANY_RRC);
	return e ? e : find(EXPLAIN_UV, 0, rc, EXPLAIN_ANY_RRC);
}

const struct explanation *explain_find(enum explain_kind kind, uint64_t code)
{
	return find(kind, 0, code, EXPLAIN_ANY_RRC);
}
