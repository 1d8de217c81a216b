// SPDX-License-Identifier: MIT
/*
 * Runs a flat program on our machine in host mode and prints the address of the disabled wait in
 * which its first CPU ends: machine_run FILE [CPUS].
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "be.h"
#include "buf.h"
#include "err.h"
#include "io.h"
#include "lowcore.h"
#include "machine.h"
#include "machine_priv.h"
#include "sigp.h"

#define STORAGE_BYTES (64u << 20)
#define MAX_CPUS      4u
#define MASK_64BIT    0x0000000180000000ull

static atomic_bool done;

/* A CPU that another one starts. */
static void *run_other(void *arg)
{
	struct cpu *cpu = arg;
	const struct timespec pause = { .tv_nsec = 100000 };

	while (!atomic_load(&done)) {
		if (sigp_operating(cpu))
			(void)cpu_run(cpu);
		else
			nanosleep(&pause, NULL);
	}
	return NULL;
}

static void start(struct machine *m)
{
	struct cpu *cpu = machine_cpu(m, 0);
	be64 psw;

	if (storage_read(m, (haddr_t){ 0 }, &psw, sizeof(psw)).code)
		abort();
	/* Programs start in the 64-bit mode at the address of the short PSW, as QEMU starts kernels. */
	cpu_set_psw(cpu, MASK_64BIT, be64_get(psw) & 0x7fffffffu);
	sigp_start(cpu);
}

static void run_all(struct machine *m, unsigned int cpus)
{
	pthread_t threads[MAX_CPUS];
	struct cpu *cpu = machine_cpu(m, 0);

	for (unsigned int i = 1; i < cpus; i++)
		if (pthread_create(&threads[i], NULL, run_other, machine_cpu(m, i)) != 0)
			abort();
	start(m);
	while (sigp_operating(cpu) && cpu_run(cpu) != CPU_STOP_WAIT)
		;
	atomic_store(&done, true);
	for (unsigned int i = 1; i < cpus; i++) {
		intr_request(machine_cpu(m, i), INTR_STOP);
		pthread_join(threads[i], NULL);
	}
}

/* For a person: the step that the program was in, and its last program interruption. */
static void report(struct machine *m)
{
	struct lowcore lc;

	if (storage_read(m, (haddr_t){ 0 }, &lc, sizeof(lc)).code)
		return;
	fprintf(stderr,
		"step %" PRIu64 ", last program interruption %#x, old PSW %#" PRIx64 " %#" PRIx64
		"\n",
		cpu_gr(machine_cpu(m, 0), 12), be16_get(lc.pgm_code),
		be64_get(lc.old_psw[LC_PROGRAM].mask), be64_get(lc.old_psw[LC_PROGRAM].addr));
}

int main(int argc, char **argv)
{
	unsigned int cpus = argc > 2 ? (unsigned int)atoi(argv[2]) : 1;
	const struct machine_config config = { .storage_bytes = STORAGE_BYTES, .cpus = cpus };
	AUTO(machine) struct machine *m = NULL;
	AUTO_BUF file = BUF_INIT;
	struct zpv_err err = { 0 };
	uint64_t mask, addr;

	if (argc < 2 || cpus < 1 || cpus > MAX_CPUS)
		return 2;
	if (io_read_file(argv[1], STORAGE_BYTES, &file, &err) != 0 ||
	    machine_new(&config, &m, &err) != 0) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	if (storage_write(m, (haddr_t){ 0 }, file.data, file.len).code)
		return 1;
	run_all(m, cpus);
	cpu_psw(machine_cpu(m, 0), &mask, &addr);
	printf("%" PRIx64 "\n", addr);
	report(m);
	return 0;
}
