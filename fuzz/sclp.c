// SPDX-License-Identifier: MIT
/*
 * The hypervisor below a guest that asks for services: a list of SERVC, DIAGNOSE, SIGP and STSI
 * with any registers and any control block at any address. The guest goes on with the next one
 * after a program interruption.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "be.h"
#include "console.h"
#include "machine_input.h"
#include "machine_priv.h"
#include "sccb.h"
#include "sclp.h"
#include "vcpu.h"
#include "vm.h"

#define MEMORY	      (64u << 20)
#define PROGRAM_BYTES 0x8000u
#define START	      0x2000u
#define REGISTERS     0x4000u /* 128 bytes a step */
#define STEPS_MAX     64
#define NEXT_AT	      0x208u /* where the program goes on after an interruption */
#define ON_PROGRAM    0x300u
#define WAIT_PSW      0x210u
#define NEW_EXT	      0x1b0u
#define NEW_PROGRAM   0x1d0u
#define MASK_64	      0x0000000180000000ull
#define MASK_EXT      0x0100000000000000ull
#define MASK_WAIT     0x0002000180000000ull
#define RECORDS_MAX   64

/* First byte of an input. */
enum { REBOOTS = 0x01, TYPES = 0x02, ENABLED = 0x04, WAITS = 0x08 };

static uint8_t program[PROGRAM_BYTES];

static void put16(size_t at, unsigned int v)
{
	program[at] = (uint8_t)(v >> 8);
	program[at + 1] = (uint8_t)v;
}

static void put64(size_t at, uint64_t v)
{
	for (unsigned int i = 0; i < 8; i++)
		program[at + i] = (uint8_t)(v >> (56 - 8 * i));
}

/* Bytes of an instruction; returns where the next one goes. */
static size_t put_code(size_t at, const char *bytes, size_t len)
{
	memcpy(program + at, bytes, len);
	return at + len;
}

/* One of the four, or (rarely) anything. */
static void choose(struct fuzz_bytes *in, uint8_t insn[4])
{
	static const uint8_t opcodes[4][2] = { { 0xb2, 0x20 }, { 0x83 }, { 0xae }, { 0xb2, 0x7d } };
	uint8_t kind = fuzz_take8(in);

	fuzz_take(in, insn, 4);
	if (kind == 0xff)
		return;
	insn[0] = opcodes[kind % 4][0];
	if (opcodes[kind % 4][1])
		insn[1] = opcodes[kind % 4][1];
}

/* MVGHI NEXT_AT,next; LMG 0,15,registers; the instruction. */
static size_t put_step(size_t at, unsigned int number, struct fuzz_bytes *in)
{
	size_t next = at + 6 + 6 + 4, registers = REGISTERS + 128u * number;
	uint8_t insn[4];

	put_code(at, "\xe5\x48\x02\x08", 4);
	put16(at + 4, (unsigned int)next);
	put_code(at + 6, "\xeb\x0f\x00\x00\x00\x04", 6);
	put16(at + 8, registers & 0xfff);
	program[at + 10] = (uint8_t)(registers >> 12);
	choose(in, insn);
	memcpy(program + at + 12, insn, sizeof(insn));
	for (unsigned int i = 0; i < 8; i++)
		put64(registers + i * 8ul, i < 6 ? fuzz_take64(in) : fuzz_take16(in));
	return next;
}

static void make_program(struct fuzz_bytes *in, uint8_t flags)
{
	unsigned int steps = fuzz_take8(in) % STEPS_MAX + 1u;
	size_t at = START;

	memset(program, 0, sizeof(program));
	put64(0, 0x0008000180000000ull | START);
	put64(NEW_EXT, MASK_64);
	put64(NEW_EXT + 8, ON_PROGRAM);
	put64(NEW_PROGRAM, MASK_64);
	put64(NEW_PROGRAM + 8, ON_PROGRAM);
	put_code(ON_PROGRAM, "\xe3\x10\x02\x08\x00\x04\x07\xf1", 8); /* LG 1,NEXT_AT; BR 1 */
	put64(WAIT_PSW, MASK_WAIT | (flags & WAITS ? MASK_EXT : 0));
	put64(WAIT_PSW + 8, 0xfff);
	if (flags & ENABLED) {
		put64(0x220, 0xe0 | 0x200); /* CR0 with the service signal's mask */
		/* LCTLG 0,0,0x220; STOSM 0x228,3 */
		at = put_code(at, "\xeb\x00\x02\x20\x00\x2f\xad\x03\x02\x28", 10);
	}
	for (unsigned int i = 0; i < steps; i++)
		at = put_step(at, i, in);
	put_code(at, "\xb2\xb2\x02\x10", 4); /* LPSWE */
}

static void count_output(void *ctx, const uint8_t *data, size_t len)
{
	size_t *n = ctx;

	for (size_t i = 0; i < len; i++)
		*n += data[i] != 0;
}

/* Control blocks, wherever they go. */
static void put_blocks(struct vm *vm, struct fuzz_bytes *in)
{
	for (unsigned int i = 0; i < RECORDS_MAX && in->len > 5; i++) {
		gaddr_t at = gaddr((uint64_t)fuzz_take16(in) << 16 | fuzz_take16(in));
		size_t len = fuzz_take16(in);
		struct pic pic;

		if (len > in->len)
			len = in->len;
		pic = vm_write(vm, at, in->p, len);
		FUZZ_CHECK(pic.code == 0 || pic.code == 5);
		in->p += len;
		in->len -= len;
	}
}

static void quit(void *arg)
{
	vm_quit(arg);
}

/* What SERVC would not let through to the element. */
static void direct(struct vm *vm, struct fuzz_bytes *in)
{
	size_t len = sizeof(struct sccb_header) + fuzz_take16(in) % (4096 - 7);
	uint32_t command = (uint32_t)fuzz_take64(in);
	uint8_t *block = malloc(len);

	FUZZ_CHECK(block);
	fuzz_take(in, block, len);
	sclp_execute(vm->sclp, command, block, len);
	free(block);
}

static void run(struct fuzz_bytes *in, uint8_t flags, const char *path)
{
	size_t printed = 0;
	struct console console = { .output = count_output, .ctx = &printed };
	const struct vm_config config = { .memory_bytes = MEMORY,
					  .boot = { .kernel = path },
					  .no_reboot = !(flags & REBOOTS),
					  .console = &console };
	struct zpv_err err = { 0 };
	struct vm *vm;

	FUZZ_CHECK(vm_new(&config, &vm, &err) == 0);
	FUZZ_CHECK(vm_load(vm, true, &err) == 0);
	if (flags & TYPES) {
		direct(vm, in);
		sclp_input(vm->sclp, (const uint8_t *)"exit\r", 5);
		(void)sclp_quiesce(vm->sclp);
	}
	put_blocks(vm, in);
	fuzz_kick_begin(quit, vm);
	FUZZ_CHECK(vcpu_run(vm->vcpu, &err) == 0);
	fuzz_kick_end();
	FUZZ_CHECK(vm->end != VM_RUNNING);
	FUZZ_CHECK(vm->end != VM_FAILED);
	vm_free(vm);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz_bytes in = { data, len };
	uint8_t flags = fuzz_take8(&in);
	int fd = memfd_create("program", MFD_CLOEXEC);
	char path[64];

	FUZZ_CHECK(fd >= 0);
	make_program(&in, flags);
	FUZZ_CHECK(write(fd, program, sizeof(program)) == (ssize_t)sizeof(program));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	run(&in, flags, path);
	close(fd);
	return 0;
}
