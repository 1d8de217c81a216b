// SPDX-License-Identifier: MIT
/*
 * The storage state of pages: whatever it says, a page is read or refused, and both tell the same.
 */
#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "addr.h"
#include "dump_priv.h"
#include "fuzz.h"

#define PAGES_MAX 512u
#define START	  0x7f000000u /* of the dump's memory */

static const uint8_t key_bytes[XTS_KEY_BYTES] = "the key of pages, whose halves are different ones";

/* The file is the memory, and the entries behind it. */
static int make_file(const uint8_t *entries, size_t n)
{
	int fd = memfd_create("dump", MFD_CLOEXEC);

	FUZZ_CHECK(fd >= 0 && ftruncate(fd, (off_t)(n * PAGE_BYTES)) == 0);
	FUZZ_CHECK(pwrite(fd, entries, n * PV_DUMP_ENTRY_BYTES, (off_t)(n * PAGE_BYTES)) ==
		   (ssize_t)(n * PV_DUMP_ENTRY_BYTES));
	return fd;
}

static void read_all(struct zpv_dump *d, const struct pv_dump_entry *e, size_t n)
{
	uint64_t bad = 0;

	for (size_t i = 0; i < n; i++) {
		enum page_state state = dump_entry_state(&e[i]);
		uint8_t page[PAGE_BYTES];
		struct zpv_err err;
		int rc = zpv_dump_read(d, START + i * PAGE_BYTES, page, sizeof(page), &err);

		FUZZ_CHECK(rc == (state == PAGE_BAD ? -ZPV_ERR_VERIFY : 0));
		/* The file has zeros everywhere: only what is decrypted is not. */
		if (rc == 0 && state != PAGE_ENCRYPTED)
			FUZZ_CHECK(page[0] == 0 && memcmp(page, page + 1, sizeof(page) - 1) == 0);
		bad += state == PAGE_BAD;
	}
	FUZZ_CHECK((d->bad_page != DUMP_NO_PAGE) == (bad > 0));
	FUZZ_CHECK(d->pages.encrypted + d->pages.shared + d->pages.zero + bad == n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	size_t n = len / PV_DUMP_ENTRY_BYTES < PAGES_MAX ? len / PV_DUMP_ENTRY_BYTES : PAGES_MAX;
	struct pv_dump_entry entries[PAGES_MAX];
	struct zpv_dump d = { .protected = true };
	struct dump_segment load = { START, n * PAGE_BYTES, n * PAGE_BYTES, 0, 0 };
	struct zpv_err err;

	if (!n)
		return 0;
	memcpy(entries, data, n * sizeof(*entries));
	d.file = (struct dump_file){ make_file(data, n), n * (PAGE_BYTES + PV_DUMP_ENTRY_BYTES) };
	d.elf.loads = &load;
	d.elf.nloads = 1;
	d.elf.pv_mem = (struct dump_extent){ n * PAGE_BYTES, n * PV_DUMP_ENTRY_BYTES };
	pthread_mutex_init(&d.lock, NULL);
	FUZZ_CHECK(secret_copy(key_bytes, sizeof(key_bytes), &d.keys.xts_key, &err) == 0);
	FUZZ_CHECK(secret_new(PV_DUMP_ENTRY_BYTES, &d.keys.area, &err) == 0);
	FUZZ_CHECK(secret_new(PV_DUMP_KEY_BYTES, &d.keys.dump_key, &err) == 0);
	FUZZ_CHECK(dump_count_pages(&d, &err) == 0);
	read_all(&d, entries, n);
	while (d.nciphers)
		xts_free(d.ciphers[--d.nciphers]);
	dump_keys_wipe(&d.keys);
	pthread_mutex_destroy(&d.lock);
	close(d.file.fd);
	return 0;
}
