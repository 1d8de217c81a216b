// SPDX-License-Identifier: MIT
/*
 * Runs a flat program on our machine in host mode and prints the address of the disabled wait in
 * which its first CPU ends: machine_run [-t TRACE] [-u IDENTITY] FILE [CPUS].
 *
 * -t traces everything into TRACE, and then prints how many instructions each CPU has executed.
 * -u gives the machine an Ultravisor, with the identity in that folder, which is made when it is not
 * there, and the storage above 2 GiB that it asks for.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <zpv/hostkey.h>

#include "be.h"
#include "buf.h"
#include "err.h"
#include "io.h"
#include "lowcore.h"
#include "machine.h"
#include "machine_priv.h"
#include "sigp.h"
#include "trace.h"
#include "uv.h"

#define STORAGE_BYTES (64u << 20)
#define UV_BYTES      (2052ull << 20) /* with an Ultravisor */
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

static void trace_line(void *ctx, const char *text)
{
	fprintf(ctx, "%s\n", text);
}

/* False when the file cannot be written, or there is no memory. */
static bool trace_begins(struct machine *m, FILE *to)
{
	const struct trace_config config = { .kinds = TRACE_INSN | TRACE_ICPT | TRACE_IRQ,
					     .last = UINT64_MAX,
					     .line = trace_line,
					     .ctx = to };

	return to && machine_trace(m, &config);
}

/* False when not all of it could be written. */
static bool trace_ends(struct machine *m, FILE *to, unsigned int cpus)
{
	bool failed;

	for (unsigned int i = 0; i < cpus; i++)
		printf("cpu%u %" PRIu64 "\n", i, cpu_counters(machine_cpu(m, i)).instructions);
	machine_untrace(m);
	failed = ferror(to);
	return fclose(to) == 0 && !failed;
}

static int install(struct machine *m, const char *identity, struct zpv_err *err)
{
	const struct zpv_host_spec spec = { .dir = identity, .profile = ZPV_PROFILE_Z17 };
	struct zpv_host *host;
	int rc = 0;

	if (access(identity, F_OK) != 0)
		rc = zpv_host_create(&spec, err);
	if (!rc)
		rc = zpv_host_open(identity, &host, err);
	if (rc)
		return rc;
	rc = uv_install(m, host, err);
	zpv_host_free(host);
	return rc;
}

static int run_file(const char *path, unsigned int cpus, const char *trace, const char *identity)
{
	const struct machine_config config = { .storage_bytes = identity ? UV_BYTES : STORAGE_BYTES,
					       .cpus = cpus };
	AUTO(machine) struct machine *m = NULL;
	AUTO_BUF file = BUF_INIT;
	struct zpv_err err = { 0 };
	FILE *to = trace ? fopen(trace, "w") : NULL;
	uint64_t mask, addr;

	if (io_read_file(path, STORAGE_BYTES, &file, &err) != 0 ||
	    machine_new(&config, &m, &err) != 0 || (identity && install(m, identity, &err) != 0)) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	if (storage_write(m, (haddr_t){ 0 }, file.data, file.len).code ||
	    (trace && !trace_begins(m, to)))
		return 1;
	run_all(m, cpus);
	cpu_psw(machine_cpu(m, 0), &mask, &addr);
	printf("%" PRIx64 "\n", addr);
	report(m);
	return trace && !trace_ends(m, to, cpus);
}

int main(int argc, char **argv)
{
	const char *trace = NULL, *identity = NULL;
	unsigned int cpus;
	int option;

	while ((option = getopt(argc, argv, "t:u:")) != -1) {
		if (option == 't')
			trace = optarg;
		else if (option == 'u')
			identity = optarg;
		else
			return 2;
	}
	argc -= optind;
	argv += optind;
	cpus = argc > 1 ? (unsigned int)atoi(argv[1]) : 1;
	if (argc < 1 || cpus < 1 || cpus > MAX_CPUS)
		return 2;
	return run_file(argv[0], cpus, trace, identity);
}
