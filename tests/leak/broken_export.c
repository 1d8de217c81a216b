// SPDX-License-Identifier: MIT
/*
 * An Ultravisor that exports by copying: what leakcheck must find. Linked with
 * --wrap=xts_new,--wrap=xts_pages. Import copies too, so that the guest notices nothing; the image's
 * own encryption stays as it is.
 */
#include <string.h>

#include "aes_xts.h"
#include "addr.h"
#include "secret.h"

int __real_xts_new(const struct secret *key, enum xts_direction dir, struct xts **out,
		   struct zpv_err *err);
int __wrap_xts_new(const struct secret *key, enum xts_direction dir, struct xts **out,
		   struct zpv_err *err);
int __real_xts_pages(struct xts *x, uint64_t prefix, uint64_t offset, const uint8_t *in,
		     uint8_t *out, size_t npages, struct zpv_err *err);
int __wrap_xts_pages(struct xts *x, uint64_t prefix, uint64_t offset, const uint8_t *in,
		     uint8_t *out, size_t npages, struct zpv_err *err);

/* The last key that encrypts, and who uses it. One guest at a time. */
static uint8_t export_key[XTS_KEY_BYTES];
static const struct xts *exporter, *importer;

int __wrap_xts_new(const struct secret *key, enum xts_direction dir, struct xts **out,
		   struct zpv_err *err)
{
	int rc = __real_xts_new(key, dir, out, err);

	if (rc)
		return rc;
	if (dir == XTS_ENCRYPT) {
		memcpy(export_key, secret_bytes(key), sizeof(export_key));
		exporter = *out;
	} else if (memcmp(export_key, secret_bytes(key), sizeof(export_key)) == 0) {
		importer = *out;
	}
	return 0;
}

int __wrap_xts_pages(struct xts *x, uint64_t prefix, uint64_t offset, const uint8_t *in,
		     uint8_t *out, size_t npages, struct zpv_err *err)
{
	if (x != exporter && x != importer)
		return __real_xts_pages(x, prefix, offset, in, out, npages, err);
	memmove(out, in, npages * PAGE_BYTES);
	return 0;
}
