// SPDX-License-Identifier: MIT
/*
 * Whole dump files: opening them, and reading what an open one says it has.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <zpv/dump.h>

#include "fuzz.h"

#define RANGES_MAX 64

static void read_some(struct zpv_dump *d)
{
	uint64_t end = 0;

	for (size_t i = 0; i < zpv_dump_ranges(d) && i < RANGES_MAX; i++) {
		struct zpv_dump_range r = zpv_dump_range(d, i);
		uint8_t buf[5000];
		size_t len = r.bytes < sizeof(buf) ? (size_t)r.bytes : sizeof(buf);
		struct zpv_err err;
		int rc;

		FUZZ_CHECK(r.bytes && r.start >= end && r.bytes <= UINT64_MAX - r.start);
		end = r.start + r.bytes;
		rc = zpv_dump_read(d, r.start, buf, len, &err);
		FUZZ_CHECK(rc == (zpv_dump_protected(d) ? -ZPV_ERR_KEY : 0));
		rc = zpv_dump_read(d, end - len, buf, len, &err);
		FUZZ_CHECK(rc == (zpv_dump_protected(d) ? -ZPV_ERR_KEY : 0));
	}
}

static void read_cpus(struct zpv_dump *d)
{
	for (size_t i = 0; i < zpv_dump_cpus(d); i++) {
		struct zpv_dump_cpu cpu;
		struct zpv_err err;

		FUZZ_CHECK(zpv_dump_cpu(d, i, &cpu, &err) ==
			   (zpv_dump_protected(d) ? -ZPV_ERR_KEY : 0));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	int fd = memfd_create("dump", MFD_CLOEXEC);
	struct zpv_dump *d = NULL;
	struct zpv_err err;
	char path[64];

	FUZZ_CHECK(fd >= 0 && write(fd, data, len) == (ssize_t)len);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (zpv_dump_open(path, NULL, &d, &err) == 0) {
		read_some(d);
		read_cpus(d);
	} else {
		FUZZ_CHECK(err.code == ZPV_ERR_FORMAT || err.code == ZPV_ERR_VERIFY);
	}
	zpv_dump_close(d);
	close(fd);
	return 0;
}
