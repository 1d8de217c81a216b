// SPDX-License-Identifier: MIT
/*
 * Searches a core file for planted data and for AES-256 key schedules of any key.
 *
 * A schedule gives itself away: each of its words follows from two others (FIPS 197 section 5.2). It
 * is found as bytes and as host words; libcrypto has the one or the other, by the processor.
 * Without a file: makes a cipher as zpv does and searches its own memory, which must find it.
 *
 * Usage: keyfind PLANT CORE | keyfind
 * Exit status: 0; 1 trouble. What was found is on standard output.
 */
#define _GNU_SOURCE
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aes_xts.h"
#include "err.h"
#include "io.h"
#include "needles.h"
#include "secret.h"

#define KEY_WORDS      8u
#define SCHEDULE_WORDS 60u
#define SCHEDULE_BYTES (SCHEDULE_WORDS * 4)
#define CHUNK_BYTES    (1u << 20)

static uint8_t sbox[256];

static uint8_t rotl8(uint8_t v, unsigned int n)
{
	return (uint8_t)(v << n | v >> (8 - n));
}

/* Inverses by powers of 3 and of its inverse; then the affine map (FIPS 197 section 5.1.1). */
static void make_sbox(void)
{
	uint8_t p = 1, q = 1;

	do {
		p = (uint8_t)(p ^ (p << 1) ^ (p & 0x80 ? 0x1b : 0));
		q = (uint8_t)(q ^ (q << 1));
		q = (uint8_t)(q ^ (q << 2));
		q = (uint8_t)(q ^ (q << 4));
		q = (uint8_t)(q ^ (q & 0x80 ? 0x09 : 0));
		sbox[p] =
			(uint8_t)(q ^ rotl8(q, 1) ^ rotl8(q, 2) ^ rotl8(q, 3) ^ rotl8(q, 4) ^ 0x63);
	} while (p != 1);
	sbox[0] = 0x63;
}

static uint32_t sub_word(uint32_t w)
{
	return (uint32_t)sbox[w >> 24] << 24 | (uint32_t)sbox[w >> 16 & 255] << 16 |
	       (uint32_t)sbox[w >> 8 & 255] << 8 | sbox[w & 255];
}

static uint32_t word(const uint8_t *p, unsigned int i, bool host_order)
{
	uint32_t w;

	memcpy(&w, p + 4 * i, sizeof(w));
	return host_order ? w : be32toh(w);
}

static bool is_schedule(const uint8_t *p, bool host_order)
{
	uint32_t rcon = 1;

	for (unsigned int i = KEY_WORDS; i < SCHEDULE_WORDS; i++) {
		uint32_t t = word(p, i - 1, host_order);

		if (i % KEY_WORDS == 0) {
			t = sub_word(t << 8 | t >> 24) ^ rcon << 24;
			rcon <<= 1;
		} else if (i % KEY_WORDS == 4) {
			t = sub_word(t);
		}
		if (word(p, i, host_order) != (word(p, i - KEY_WORDS, host_order) ^ t))
			return false;
	}
	return true;
}

static unsigned int count_schedules(const uint8_t *p, size_t len)
{
	unsigned int n = 0;

	for (size_t i = 0; i + SCHEDULE_BYTES <= len; i += 4)
		n += is_schedule(p + i, false) || is_schedule(p + i, true);
	return n;
}

/* --- A core file -------------------------------------------------------------------------------- */

static void print_found(const struct needles *n, uint32_t found, off_t at)
{
	for (; found; found &= found - 1)
		printf("found: %s at %#llx\n", n->items[__builtin_ctz(found)].name,
		       (unsigned long long)at);
}

/* Chunks overlap, so that nothing lies across an end. Holes are skipped. */
static int search_file(int fd, const struct needles *n)
{
	uint8_t *data = malloc(CHUNK_BYTES + SCHEDULE_BYTES);
	unsigned int schedules = 0;
	unsigned long long total = 0;
	off_t at = 0;
	ssize_t got;

	while (data && (at = lseek(fd, at, SEEK_DATA)) >= 0) {
		at &= ~(off_t)3;
		got = io_pread_full(fd, data, CHUNK_BYTES + SCHEDULE_BYTES, (uint64_t)at);
		if (got <= 0)
			break;
		print_found(n, needles_search(n, data, (size_t)got, false), at);
		schedules += count_schedules(data, (size_t)got);
		total += (unsigned long long)got;
		at += CHUNK_BYTES;
	}
	free(data);
	printf("bytes: %llu\nAES key schedules: %u\n", total, schedules);
	return 0;
}

static int search_core(const char *plant, const char *core, struct zpv_err *err)
{
	struct needles needles;
	AUTO_FD fd = io_open_read(core, err);
	int rc;

	if (fd < 0)
		return fd;
	rc = needles_read(plant, &needles, err);
	if (rc)
		return rc;
	rc = search_file(fd, &needles);
	needles_free(&needles);
	return rc;
}

/* --- Ourselves ---------------------------------------------------------------------------------- */

static unsigned int search_self(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long first, last;
	unsigned int schedules = 0;
	char line[512], rights[5];

	while (maps && fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx %4s", &first, &last, rights) == 3 &&
		    strcmp(rights, "rw-p") == 0)
			schedules += count_schedules((const uint8_t *)first, last - first);
	if (maps)
		fclose(maps);
	return schedules;
}

static int find_own(struct zpv_err *err)
{
	AUTO(secret) struct secret *key = NULL;
	AUTO(xts) struct xts *xts = NULL;
	int rc = secret_random(XTS_KEY_BYTES, &key, err);

	if (!rc)
		rc = xts_new(key, XTS_ENCRYPT, &xts, err);
	if (!rc)
		printf("AES key schedules: %u\n", search_self());
	return rc;
}

int main(int argc, char **argv)
{
	struct zpv_err err = { 0 };
	int rc;

	make_sbox();
	rc = argc == 3 ? search_core(argv[1], argv[2], &err) : find_own(&err);
	if (rc)
		fprintf(stderr, "keyfind: %s\n", err.text);
	return rc ? 1 : 0;
}
