// SPDX-License-Identifier: MIT
/*
 * What zpv run says when the guest has ended.
 */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "explain.h"
#include "run_priv.h"
#include "term.h"
#include "text.h"

#define NS_PER_SECOND 1e9

/* Frames of the guest by whose they are; the machine's other ones are not counted. */
static struct machine_frames guest_frames(const struct vm *vm)
{
	struct machine_frames n = machine_frame_counts(vm->m);
	uint64_t present = vm_guest_frames(vm), taken = n.secure + n.shared;

	n.host = present > taken ? present - taken : 0;
	return n;
}

/* --- Why there is no protected guest ------------------------------------------------------------ */

static void print_hash(const char *what, const uint8_t *hash)
{
	char hex[HEX_SIZE(ZPV_PHKH_BYTES)];

	fprintf(stderr, "  %-27s %s\n", what, hex_encode(hash, ZPV_PHKH_BYTES, hex));
}

static void explain_failure(const struct run_end *end)
{
	const struct vm_protection *p = &end->vm->protection;
	const struct explanation *e = explain_uv(p->command, p->rc, p->rrc);
	const char *command = explain_command_name(p->command);

	if (p->rc)
		fprintf(stderr, "  %s: rc 0x%04x, rrc 0x%04x%s%s\n",
			command ? command : "Ultravisor call", p->rc, p->rrc, e ? ": " : "",
			e ? e->name : "");
	if (e)
		fprintf(stderr, "  %s\n", e->text);
	for (size_t i = 0; i < p->nhashes; i++)
		print_hash("the image is sealed for", p->hashes[i]);
	if (end->host) {
		print_hash("this machine's host key", zpv_host_hash(end->host));
		print_hash("its backup host key", zpv_host_backup_hash(end->host));
	}
}

/* --- Text --------------------------------------------------------------------------------------- */

static void print_crash(const struct run_end *end)
{
	const struct vm *vm = end->vm;
	const char *what = vm->crash == VM_DISABLED_WAIT ? "disabled wait, " : "";

	if (vm->psw_hidden)
		term_error("the guest crashed: %sPSW not visible, as it is protected", what);
	else
		term_error("the guest crashed: %sPSW %016llx %016llx", what,
			   (unsigned long long)vm->end_psw[0], (unsigned long long)vm->end_psw[1]);
}

static void explain_crash(const struct run_end *end)
{
	const char *why = vm_explain(end->vm);

	print_crash(end);
	if (end->panic[0])
		fprintf(stderr, "  kernel panic: %s\n", end->panic);
	else if (why)
		fprintf(stderr, "  %s\n", why);
	else if (end->printed)
		fprintf(stderr, "  the guest stopped by itself; its last lines say why\n");
	else
		fprintf(stderr, "  the guest stopped by itself and printed nothing\n");
	if (end->vm->protection.failed)
		explain_failure(end);
}

static void say_protected(const struct args *args, const struct vm *vm)
{
	const struct vm_protection *p = &vm->protection;
	struct machine_frames n = guest_frames(vm);

	term_say(
		args,
		"zpv: protected: frames %llu secure, %llu shared, %llu host; entered in %.3f s, first "
		"instruction after %.3f s",
		(unsigned long long)n.secure, (unsigned long long)n.shared,
		(unsigned long long)n.host, (double)p->enter_ns / NS_PER_SECOND,
		(double)p->first_ns / NS_PER_SECOND);
}

static void say_found(const struct args *args, const struct run_end *end)
{
	struct vm_found found;

	if (vm_find(end->vm, end->find, &found))
		term_say(
			args,
			"zpv: text found in host-visible state: %llu times in %llu frames; %llu frames "
			"are not visible",
			(unsigned long long)found.times, (unsigned long long)found.readable,
			(unsigned long long)found.hidden);
}

static void say_end(const struct args *args, const struct run_end *end)
{
	switch (end->vm->end) {
	case VM_POWERED_OFF:
		term_say(args, "zpv: the guest powered off");
		break;
	case VM_REBOOT:
		term_say(args, "zpv: the guest asked for a reboot");
		break;
	case VM_QUIT:
		if (end->quit)
			term_say(args, "zpv: quit");
		break;
	default:
		break;
	}
	if (end->vm->protection.on)
		say_protected(args, end->vm);
	if (end->find)
		say_found(args, end);
}

/* --- JSON --------------------------------------------------------------------------------------- */

static void add(json_object *to, const char *name, json_object *value)
{
	json_object_object_add(to, name, value);
}

static json_object *json_count(uint64_t n)
{
	return json_object_new_int64((int64_t)n);
}

static json_object *json_seconds(uint64_t ns)
{
	return json_object_new_double((double)ns / NS_PER_SECOND);
}

static json_object *json_frames(const struct vm *vm)
{
	struct machine_frames n = guest_frames(vm);
	json_object *o = json_object_new_object();

	add(o, "secure", json_count(n.secure));
	add(o, "shared", json_count(n.shared));
	add(o, "host", json_count(n.host));
	add(o, "donated", json_count(n.donated));
	return o;
}

static json_object *json_failure(const struct run_end *end)
{
	const struct vm_protection *p = &end->vm->protection;
	const struct explanation *e = explain_uv(p->command, p->rc, p->rrc);
	json_object *o = json_object_new_object(), *hashes = json_object_new_array();
	char hex[HEX_SIZE(ZPV_PHKH_BYTES)];

	add(o, "command", json_object_new_int(p->command));
	add(o, "rc", json_object_new_int(p->rc));
	add(o, "rrc", json_object_new_int(p->rrc));
	if (e)
		add(o, "name", json_object_new_string(e->name));
	for (size_t i = 0; i < p->nhashes; i++)
		json_object_array_add(hashes, json_object_new_string(hex_encode(
						      p->hashes[i], ZPV_PHKH_BYTES, hex)));
	add(o, "image_host_key_hashes", hashes);
	return o;
}

static json_object *json_found(const struct run_end *end)
{
	json_object *o = json_object_new_object();
	struct vm_found found;

	if (!vm_find(end->vm, end->find, &found))
		return o;
	add(o, "times", json_count(found.times));
	add(o, "frames_readable", json_count(found.readable));
	add(o, "frames_hidden", json_count(found.hidden));
	return o;
}

static json_object *json_crash(const struct run_end *end)
{
	const struct vm *vm = end->vm;
	json_object *o = json_object_new_object(), *psw = NULL;
	char text[2 * 16 + 1];

	if (!vm->psw_hidden) {
		snprintf(text, sizeof(text), "%016llx%016llx", (unsigned long long)vm->end_psw[0],
			 (unsigned long long)vm->end_psw[1]);
		psw = json_object_new_string(text);
	}
	add(o, "psw", psw);
	add(o, "panic", end->panic[0] ? json_object_new_string(end->panic) : NULL);
	return o;
}

static const char *end_name(const struct vm *vm)
{
	static const char *const names[] = {
		[VM_RUNNING] = "running", [VM_POWERED_OFF] = "powered off", [VM_REBOOT] = "reboot",
		[VM_CRASHED] = "crashed", [VM_FAILED] = "failed",	    [VM_QUIT] = "quit",
	};

	return names[vm->end];
}

static void print_json(const struct run_end *end)
{
	const struct vm *vm = end->vm;
	const struct vm_protection *p = &vm->protection;
	json_object *doc = json_object_new_object();
	char hex[HEX_SIZE(ZPV_PHKH_BYTES)];

	add(doc, "version", json_object_new_int(1));
	add(doc, "end", json_object_new_string(end_name(vm)));
	if (vm->end == VM_CRASHED)
		add(doc, "crash", json_crash(end));
	add(doc, "protected", json_object_new_boolean(p->on));
	if (p->on) {
		add(doc, "enter_seconds", json_seconds(p->enter_ns));
		add(doc, "first_instruction_seconds", json_seconds(p->first_ns));
	}
	if (p->failed)
		add(doc, "failure", json_failure(end));
	if (end->host)
		add(doc, "host_key_hash",
		    json_object_new_string(
			    hex_encode(zpv_host_hash(end->host), ZPV_PHKH_BYTES, hex)));
	add(doc, "frames", json_frames(vm));
	if (end->find)
		add(doc, "find", json_found(end));
	puts(json_object_to_json_string_ext(doc, JSON_C_TO_STRING_SPACED |
							 JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(doc);
}

int run_report(const struct args *args, const struct run_end *end)
{
	if (end->vm->end == VM_CRASHED)
		explain_crash(end);
	if (end->json)
		print_json(end);
	else
		say_end(args, end);
	switch (end->vm->end) {
	case VM_POWERED_OFF:
		return EXIT_OK;
	case VM_REBOOT:
		return EXIT_REBOOT;
	case VM_CRASHED:
		return EXIT_CRASH;
	default:
		return EXIT_ERROR;
	}
}
