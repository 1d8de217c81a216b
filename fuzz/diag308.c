// SPDX-License-Identifier: MIT
/*
 * DIAGNOSE 308 of a guest that wants to be protected: an IPL information block, an SE header and an
 * image that work, changed by the input, and a list of subcodes with any operand. The hypervisor
 * must not fail, whatever it is given.
 *
 * The image's program uses what a protected guest has: it shares and unshares a page, asks for the
 * IPL block, the system's identity and a service, resets itself, and asks for a load.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "console.h"
#include "ipib.h"
#include "machine_priv.h"
#include "uv_input.h"
#include "vcpu.h"
#include "vm.h"

#define MEMORY	    (64 * FUZZ_MIB)
#define START	    0x2000u
#define OPERANDS    0x4000u /* of a step: GR2 to GR4 */
#define IPIB	    0x10000u
#define HEADER	    0x12000u
#define IMAGE	    0x20000u
#define PIECES	    4u
#define FILE_BYTES  (IMAGE + PIECES * FRAME_BYTES)
#define COMPONENTS  2u
#define STEPS_MAX   8u
#define PATCHES_MAX 32u
#define WAIT_PSW    0x210u
#define NEW_PROGRAM 0x1d0u
#define ON_PROGRAM  0x300u
#define QUIT_MS	    150 /* several times what the way into protected mode takes */

/* First byte of an input: the first two leave out what works. */
enum { NO_SET = 0x01, NO_START = 0x02, REBOOTS = 0x04 };

static struct fuzz_piece image[PIECES];
static uint8_t header[SE_HDR_MAX_BYTES];
static uint8_t program[FILE_BYTES];

static void put64(uint8_t *at, uint64_t v)
{
	be64 b;

	be64_set(&b, v);
	memcpy(at, &b, sizeof(b));
}

/* --- The image -------------------------------------------------------------------------------- */

static const uint8_t code[] =
	"\x0d\xd0\x41\xd0\xd0\x00\xa7\xdb\xff\xfe"
	"\xe3\xc0\xd0\x00\x01\x71\xe3\xb0\xd0\x00\x02\x71" /* GR12, 11: the next two pages */
	"\xb9\xa4\x00\x0c\x41\xa0\xc0\x40\xb9\xa4\x00\x0a" /* UVC: share, unshare */
	"\xa7\x49\x00\x06\xb9\x04\x00\x2b\x83\x24\x03\x08" /* DIAG 308 subcode 6 */
	"\xa7\x09\x00\x00\xa7\x19\x00\x00\xb2\x7d\xb0\x00" /* STSI */
	"\xa5\x7e\x00\x02\xa5\x7b\x00\x01\xe5\x44\xb0\x00\x10\x00\xb2\x20\x00\x7b" /* SERVC */
	"\xe3\x10\xc0\x80\x00\x04\xe3\x20\x00\x00\x00\x02\xe3\x10\x00\x00\x00\x24"
	"\xa7\x49\x00\x01\xa7\x84\x00\x04\xa7\x49\x00\x03" /* subcode 1; the next time 3 */
	"\x83\x24\x03\x08\xa7\xf4\xff\xfe";

static void make_share(uint8_t *at, uint16_t cmd, uint64_t paddr)
{
	struct uvcb_share b = { 0 };

	be16_set(&b.head.len, sizeof(b));
	be16_set(&b.head.cmd, cmd);
	be64_set(&b.paddr, paddr);
	memcpy(at, &b, sizeof(b));
}

static void make_image(void)
{
	static bool made;

	if (made)
		return;
	made = true;
	for (unsigned int i = 0; i < PIECES; i++) {
		image[i].gaddr = IMAGE + i * 4096ull;
		image[i].tweak[0] = 0x0028000000000001 + (uint64_t)(i / 2) * 0x0014000000000000;
		image[i].tweak[1] = i % 2 * 4096ull;
	}
	memcpy(image[0].page, code, sizeof(code) - 1);
	make_share(image[1].page, UVC_SHARE, IMAGE + 0x2000);
	make_share(image[1].page + 0x40, UVC_UNSHARE, IMAGE + 0x2000);
	put64(image[1].page + 0x80, 0x0008000080000000 | IMAGE);
	fuzz_seal_image(image, PIECES, IMAGE, header);
}

static void put_ipib(void)
{
	struct ipib_head *head = (void *)(program + IPIB);
	struct ipib_comp *comps = (void *)(program + IPIB + sizeof(*head));

	ipib_fill(head, COMPONENTS, HEADER, se_hdr_size(1));
	for (unsigned int i = 0; i < COMPONENTS; i++) {
		be64_set(&comps[i].tweak_pref, image[i * 2].tweak[0]);
		be64_set(&comps[i].addr, image[i * 2].gaddr);
		be64_set(&comps[i].len, 2 * 4096);
	}
}

/* --- The program that asks for it ------------------------------------------------------------- */

static const uint8_t lpswe_wait[] = { 0xb2, 0xb2, 0x02, 0x10 }; /* LPSWE WAIT_PSW */
static const uint8_t go_on[] = {
	0xe3, 0x10, 0x01, 0x58, 0x00, 0x04, 0x07, 0xf1
}; /* LG 1,0x158; BR 1 */

/* LMG 2,4,operands; DIAG 2,4,0x308 */
static size_t put_step(size_t at, unsigned int number, uint64_t addr, uint64_t subcode)
{
	unsigned int operands = OPERANDS + number * 24;
	static const uint8_t step[] = { 0xeb, 0x24, 0, 0, 0x04, 0x04, 0x83, 0x24, 0x03, 0x08 };

	memcpy(program + at, step, sizeof(step));
	program[at + 2] = (uint8_t)(operands >> 8 & 0xf);
	program[at + 3] = (uint8_t)operands;
	put64(program + operands, addr);
	put64(program + operands + 16, subcode);
	return at + 10;
}

static uint64_t take_address(struct fuzz_bytes *in)
{
	static const uint64_t places[8] = { IPIB,  IPIB + 8,	      HEADER, 0,
					    IMAGE, START & ~0xfffull, MEMORY, MEMORY - 4096 };
	uint8_t pick = fuzz_take8(in);

	return pick < 0xf0 ? places[pick % 8] : fuzz_take64(in);
}

static void put_steps(struct fuzz_bytes *in, uint8_t flags)
{
	unsigned int n = 0, left = fuzz_take8(in) % STEPS_MAX;
	size_t at = START;

	if (!(flags & NO_SET))
		at = put_step(at, n++, IPIB, 8);
	for (; left; left--) {
		uint64_t addr = take_address(in);

		at = put_step(at, n++, addr, fuzz_take16(in));
	}
	if (!(flags & NO_START))
		at = put_step(at, n, 0, 10);
	memcpy(program + at, lpswe_wait, sizeof(lpswe_wait));
}

/* Exclusive or of bytes: in the block, in the header, in the image, anywhere. */
static void patch(struct fuzz_bytes *in)
{
	static const struct {
		uint32_t at, len;
	} areas[4] = { { IPIB, sizeof(struct ipib_head) + 4 * sizeof(struct ipib_comp) },
		       { HEADER, 0x300 },
		       { IMAGE, PIECES * FRAME_BYTES },
		       { 0, FILE_BYTES } };
	uint8_t n = fuzz_take8(in) % PATCHES_MAX;

	for (; n; n--) {
		unsigned int area = fuzz_take8(in) % 4;
		uint32_t at = (uint32_t)fuzz_take64(in) % areas[area].len;

		program[areas[area].at + at] ^= fuzz_take8(in);
	}
}

static void make_program(struct fuzz_bytes *in, uint8_t flags)
{
	memset(program, 0, sizeof(program));
	put64(program, 0x0008000180000000 | START);
	put64(program + NEW_PROGRAM, FUZZ_MASK_64);
	put64(program + NEW_PROGRAM + 8, ON_PROGRAM);
	memcpy(program + ON_PROGRAM, go_on, sizeof(go_on));
	put64(program + WAIT_PSW, 0x0002000180000000);
	put_ipib();
	memcpy(program + HEADER, header, se_hdr_size(1));
	for (unsigned int i = 0; i < PIECES; i++)
		memcpy(program + image[i].gaddr, image[i].page, FRAME_BYTES);
	put_steps(in, flags);
	patch(in);
}

/* --- The VM ----------------------------------------------------------------------------------- */

static int firmware(void *arg, struct machine *m, struct zpv_err *err)
{
	(void)arg;
	(void)err;
	fuzz_uv_attach(m);
	return 0;
}

static void ignore(void *ctx, const uint8_t *data, size_t len)
{
	(void)ctx;
	(void)data;
	(void)len;
}

static void quit(void *arg)
{
	vm_quit(arg);
}

static void run(uint8_t flags, const char *path)
{
	struct console console = { .output = ignore };
	const struct vm_config config = { .memory_bytes = MEMORY,
					  .boot = { .kernel = path },
					  .no_reboot = !(flags & REBOOTS),
					  .console = &console,
					  .firmware = firmware };
	struct vm *vm;

	FUZZ_CHECK(vm_new(&config, &vm, NULL) == 0);
	FUZZ_CHECK(vm_load(vm, true, NULL) == 0);
	fuzz_kick_after(QUIT_MS, quit, vm);
	FUZZ_CHECK(vcpu_run(vm->vcpu, NULL) == 0);
	fuzz_kick_end();
	FUZZ_CHECK(vm->end != VM_RUNNING && vm->end != VM_FAILED);
	fuzz_check_uv(vm->m, FUZZ_SCAN);
	fuzz_uv_detach(vm->m);
	vm_free(vm);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz_bytes in = { data, len };
	uint8_t flags = fuzz_take8(&in);
	int fd = memfd_create("program", MFD_CLOEXEC);
	char path[64];

	FUZZ_CHECK(fd >= 0);
	make_image();
	make_program(&in, flags);
	FUZZ_CHECK(write(fd, program, sizeof(program)) == (ssize_t)sizeof(program));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	run(flags, path);
	close(fd);
	return 0;
}
