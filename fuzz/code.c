// SPDX-License-Identifier: MIT
/*
 * Random bytes as a program: wild PSWs, control registers and storage, as a host's program (with
 * everything that it may do, SIE and SIGP included) and as a guest's.
 */
#include <string.h>

#include "intr.h"
#include "machine_input.h"
#include "machine_priv.h"
#include "scb.h"
#include "sigp.h"

#define STORAGE	   (2u << 20)
#define SCB_AT	   0x100000u
#define GUEST_AT   0x100000u /* the guest's absolute zero, with the state description in it */
#define CODE_AT	   0x2000u
#define CODE_MAX   0x4000u
#define NEW_PSWS   0x1a0u
#define MASK_64	   0x0000000180000000ull
#define MASK_WAIT  0x0002000180000000ull
#define REAL_SPACE 0x20u

/* First byte of an input. */
enum {
	AS_GUEST = 0x01,
	WILD_PSW = 0x02,
	WILD_CRS = 0x04,
	LOOSE_LOWCORE = 0x08, /* interruptions lead into zeros, not to a disabled wait */
	TWO_CPUS = 0x10,      /* the other one is stopped */
	PATTERN = 0x20,
};

static void put_lowcore(struct machine *m, uint64_t base)
{
	be64 psw[2];

	be64_set(&psw[0], MASK_WAIT);
	be64_set(&psw[1], 0);
	for (uint64_t at = base + NEW_PSWS; at < base + NEW_PSWS + 6 * sizeof(psw);
	     at += sizeof(psw))
		FUZZ_CHECK(storage_write(m, (haddr_t){ at }, psw, sizeof(psw)).code == 0);
}

static void put_scb(struct machine *m, const uint64_t psw[2], const uint64_t cr[16])
{
	struct scb scb;

	memset(&scb, 0, sizeof(scb));
	be32_set(&scb.cpuflags, CPUFLAG_ZARCH | CPUFLAG_RUNNING);
	be32_set(&scb.eca, ECA_PROTEXCI);
	be64_set(&scb.mso, GUEST_AT);
	be64_set(&scb.msl, STORAGE - 1);
	be64_set(&scb.gpsw_mask, psw[0]);
	be64_set(&scb.gpsw_addr, psw[1]);
	be64_set(&scb.cputm, INT64_MAX);
	be64_set(&scb.ckc, UINT64_MAX);
	be16_set(&scb.ihcpu, IHCPU_FLUSH);
	for (unsigned int i = 0; i < 16; i++)
		be64_set(&scb.gcr[i], cr[i]);
	FUZZ_CHECK(storage_write(m, (haddr_t){ SCB_AT }, &scb, sizeof(scb)).code == 0);
}

static void kick_guest(void *arg)
{
	cpu_kick(arg);
}

static void stop_host(void *arg)
{
	intr_request(arg, INTR_STOP);
}

static void run_guest(struct machine *m, struct cpu *cpu, const uint64_t psw[2],
		      const uint64_t cr[16])
{
	enum cpu_stop stop;

	put_scb(m, psw, cr);
	cpu_set_cr(cpu, 1, REAL_SPACE);
	fuzz_kick_begin(kick_guest, cpu);
	stop = cpu_sie(cpu, (haddr_t){ SCB_AT });
	fuzz_kick_end();
	FUZZ_CHECK(stop == CPU_STOP_SIE_EXIT || stop == CPU_STOP_HOST_PIC ||
		   stop == CPU_STOP_KICKED);
	FUZZ_CHECK(cpu->level == PIC_HOST && cpu_cr(cpu, 1) == REAL_SPACE);
}

static void run_host(struct cpu *cpu, const uint64_t psw[2], const uint64_t cr[16])
{
	enum cpu_stop stop;

	cpu_set_psw(cpu, psw[0], psw[1]);
	for (unsigned int i = 0; i < 16; i++)
		cpu_set_cr(cpu, i, cr[i]);
	sigp_start(cpu);
	fuzz_kick_begin(stop_host, cpu);
	stop = cpu_run(cpu);
	fuzz_kick_end();
	FUZZ_CHECK(stop == CPU_STOP_WAIT || stop == CPU_STOP_STOPPED);
	FUZZ_CHECK(cpu->level == PIC_HOST);
}

static void take_registers(struct cpu *cpu, struct fuzz_bytes *in)
{
	for (unsigned int i = 0; i < 16; i++)
		cpu_set_gr(cpu, i, fuzz_take64(in));
	for (unsigned int i = 0; i < 4; i++)
		cpu_set_fpr(cpu, i, fuzz_take64(in));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz_bytes in = { data, len };
	uint8_t flags = fuzz_take8(&in);
	uint64_t base = flags & AS_GUEST ? GUEST_AT : 0;
	uint64_t psw[2] = { MASK_64, CODE_AT };
	uint64_t cr[16] = { [0] = 0xe0, [14] = 0xc2000000 };
	struct machine *m = fuzz_machine_new(STORAGE, flags & TWO_CPUS ? 2 : 1);
	struct cpu *cpu = machine_cpu(m, 0);
	uint8_t code[CODE_MAX];

	for (unsigned int i = 0; flags & WILD_PSW && i < 2; i++)
		psw[i] = fuzz_take64(&in);
	for (unsigned int i = 0; flags & WILD_CRS && i < 16; i++)
		cr[i] = fuzz_take64(&in);
	take_registers(cpu, &in);
	if (!(flags & LOOSE_LOWCORE))
		put_lowcore(m, base);
	if (flags & PATTERN)
		fuzz_store_pattern(m, &in);
	len = in.len < CODE_MAX ? in.len : CODE_MAX;
	fuzz_take(&in, code, len);
	FUZZ_CHECK(storage_write(m, (haddr_t){ base + CODE_AT }, code, len).code == 0);
	if (flags & AS_GUEST)
		run_guest(m, cpu, psw, cr);
	else
		run_host(cpu, psw, cr);
	fuzz_machine_free(m);
	return 0;
}
