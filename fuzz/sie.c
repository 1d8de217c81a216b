// SPDX-License-Identifier: MIT
/*
 * Random state descriptions, format 2: every byte of them, the areas that they designate, and the
 * guest's code. SIE ends by itself or with a kick, and leaves the host as it was.
 */
#include <string.h>

#include "machine_input.h"
#include "machine_priv.h"
#include "scb.h"

#define STORAGE	    (4u << 20)
#define SCB_AT	    0x200000u
#define GUEST_AT    0x100000u
#define CODE_AT	    0x2000u
#define CODE_MAX    256u
#define ENTRIES_MAX 4
#define MASK_64	    0x0000000180000000ull
#define REAL_SPACE  0x20u

/* The host's registers that SIE exchanges for the guest's. */
struct host {
	uint64_t mask, addr, gr14, gr15, cr[16];
};

static struct host host_of(const struct cpu *cpu)
{
	struct host h;

	memset(&h, 0, sizeof(h));
	cpu_psw(cpu, &h.mask, &h.addr);
	h.gr14 = cpu_gr(cpu, 14);
	h.gr15 = cpu_gr(cpu, 15);
	for (unsigned int i = 0; i < 16; i++)
		h.cr[i] = cpu_cr(cpu, i);
	return h;
}

/* What works; the input is added to it by exclusive or. */
static void sane(struct scb *scb)
{
	memset(scb, 0, sizeof(*scb));
	be32_set(&scb->cpuflags, CPUFLAG_ZARCH | CPUFLAG_RUNNING);
	be64_set(&scb->mso, GUEST_AT);
	be64_set(&scb->msl, STORAGE - 1);
	be64_set(&scb->gpsw_mask, MASK_64);
	be64_set(&scb->gpsw_addr, CODE_AT);
	be64_set(&scb->cputm, INT64_MAX);
	be64_set(&scb->ckc, UINT64_MAX);
	be64_set(&scb->gcr[0], 0xe0);
	be64_set(&scb->gcr[14], 0xc2000000);
}

static void take_scb(struct machine *m, struct fuzz_bytes *in)
{
	uint8_t raw[SCB_BYTES], noise[SCB_BYTES];
	struct scb scb;

	sane(&scb);
	memcpy(raw, &scb, sizeof(raw));
	fuzz_take(in, noise, sizeof(noise));
	for (size_t i = 0; i < sizeof(raw); i++)
		raw[i] ^= noise[i];
	FUZZ_CHECK(storage_write(m, (haddr_t){ SCB_AT }, raw, sizeof(raw)).code == 0);
}

static void take_code(struct machine *m, struct fuzz_bytes *in)
{
	uint8_t code[CODE_MAX];

	fuzz_take(in, code, sizeof(code));
	FUZZ_CHECK(storage_write(m, (haddr_t){ GUEST_AT + CODE_AT }, code, sizeof(code)).code == 0);
}

static uint8_t icptcode(struct machine *m)
{
	uint8_t code;
	const uint64_t at = SCB_AT + offsetof(struct scb, icptcode);

	FUZZ_CHECK(storage_read(m, (haddr_t){ at }, &code, 1).code == 0);
	return code;
}

static void kick(void *arg)
{
	cpu_kick(arg);
}

/* One entry. False when the next would only be the same. */
static bool enter(struct machine *m, struct cpu *cpu)
{
	struct host before = host_of(cpu), after;
	enum cpu_stop stop = cpu_sie(cpu, (haddr_t){ SCB_AT });

	after = host_of(cpu);
	FUZZ_CHECK(memcmp(&before, &after, sizeof(before)) == 0);
	FUZZ_CHECK(cpu->level == PIC_HOST);
	switch (stop) {
	case CPU_STOP_SIE_EXIT:
		return icptcode(m) != ICPT_VALIDITY;
	case CPU_STOP_HOST_PIC:
		FUZZ_CHECK(cpu_host_pic(cpu).code && cpu_host_pic(cpu).level == PIC_HOST);
		return false;
	default:
		FUZZ_CHECK(stop == CPU_STOP_KICKED);
		return false;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz_bytes in = { data, len };
	uint8_t cpus = fuzz_take8(&in);
	struct machine *m = fuzz_machine_new(STORAGE, 1 + cpus % 3);
	struct cpu *cpu = machine_cpu(m, 0);
	int left = ENTRIES_MAX;

	cpu_set_cr(cpu, 0, fuzz_take64(&in));
	cpu_set_cr(cpu, 1, fuzz_take64(&in) ^ REAL_SPACE);
	for (unsigned int i = 0; i < 16; i++)
		cpu_set_gr(cpu, i, fuzz_take16(&in));
	take_scb(m, &in);
	take_code(m, &in);
	fuzz_store_records(m, &in);
	fuzz_kick_begin(kick, cpu);
	while (left-- && enter(m, cpu))
		;
	fuzz_kick_end();
	fuzz_machine_free(m);
	return 0;
}
