/* SPDX-License-Identifier: MIT */
/*
 * The three digests over an image's pages and their number (se-image.md section 9).
 *
 * The page list digest is one long SHA-512 stream and bounds the speed of sealing and verifying:
 * it runs on a thread of its own behind a ring of buffers, while the caller reads, encrypts or
 * decrypts, and writes.
 */
#ifndef IMAGE_DIGESTS_H
#define IMAGE_DIGESTS_H

#include <stddef.h>
#include <stdint.h>

#include "compiler.h"
#include "se_hdr.h"

#define DIGESTS_SLOT_BYTES (256u * 1024)

struct digests;
struct zpv_err;

struct digest_set {
	uint8_t pld[SE_HDR_DIGEST_BYTES];
	uint8_t ald[SE_HDR_DIGEST_BYTES];
	uint8_t tld[SE_HDR_DIGEST_BYTES];
	uint64_t nep;
};

int digests_new(struct digests **out, struct zpv_err *err) MUST_CHECK;

/* A free buffer of DIGESTS_SLOT_BYTES; waits for one. */
uint8_t *digests_slot(struct digests *d);

/*
 * Hashes npages stored pages from the last slot: the first lies at guest address addr and has the
 * tweak prefix || offset. The caller may go on reading the slot until it asks for another.
 */
void digests_submit(struct digests *d, size_t npages, uint64_t addr, uint64_t prefix,
		    uint64_t offset);

/* Waits for the hash thread and gives the results; the object can only be freed afterwards. */
int digests_final(struct digests *d, struct digest_set *out, struct zpv_err *err) MUST_CHECK;

void digests_free(struct digests *d);
DEFINE_AUTO(digests)

#endif
