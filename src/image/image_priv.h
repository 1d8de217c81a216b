/* SPDX-License-Identifier: MIT */
/*
 * An image that was opened for reading.
 */
#ifndef IMAGE_IMAGE_PRIV_H
#define IMAGE_IMAGE_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include <zpv/image.h>

#include "compiler.h"
#include "se_hdr.h"

struct secret;
struct source;

struct zpv_image {
	struct source *src;
	uint64_t hdr_offs; /* where the header was found */
	bool has_meta;	   /* by metadata, which also names the IPIB */
	uint64_t ipib_offs;
	uint32_t meta_version;
	uint8_t hdr_bytes[SE_HDR_MAX_BYTES];
	struct se_hdr hdr;	/* views of hdr_bytes */
	struct secret *secrets; /* struct se_hdr_secrets; NULL until opened with a key */
};

/* The decrypted part; the header was opened. */
const struct se_hdr_secrets *image_secrets(const struct zpv_image *img);

/* Takes the source. For files through zpv_image_open(), for memory through fuzzers and tests. */
int image_open_source(struct source *src, const struct zpv_log *log, struct zpv_image **out,
		      struct zpv_err *err) MUST_CHECK;

/* The text of zpv_key_hashes_read(): 15 lines of 64 hexadecimal digits. */
int key_hashes_parse(const char *text, size_t text_len,
		     uint8_t hashes[ZPV_KEY_HASHES][ZPV_PHKH_BYTES], struct zpv_err *err)
	MUST_CHECK;

DEFINE_AUTO(zpv_image)

#endif
