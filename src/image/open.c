// SPDX-License-Identifier: MIT
/*
 * Finding and opening the header of an image (se-image.md sections 2.5 and 6.4).
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <zpv/image.h>

#include "addr.h"
#include "err.h"
#include "hdr_crypt.h"
#include "hostkey.h"
#include "image_priv.h"
#include "io.h"
#include "log.h"
#include "p521.h"
#include "secret.h"
#include "se_img.h"
#include "source.h"
#include "text.h"

/* Room for the largest file of key hashes: 15 lines of 64 digits, with some white space. */
#define KEY_HASHES_MAX_BYTES 2048

static bool has_magic(const struct source *src, uint64_t off)
{
	uint8_t magic[SE_HDR_MAGIC_BYTES];
	size_t got;

	return source_read(src, magic, sizeof(magic), off, &got, NULL) == 0 &&
	       got == sizeof(magic) && memcmp(magic, SE_HDR_MAGIC, sizeof(magic)) == 0;
}

static bool find_by_meta(struct zpv_image *img)
{
	uint8_t bytes[sizeof(struct se_img_meta)];
	size_t got;

	if (source_read(img->src, bytes, sizeof(bytes), SE_IMG_META_ADDR, &got, NULL) != 0)
		return false;
	img->has_meta =
		se_img_meta_parse(bytes, got, &img->hdr_offs, &img->ipib_offs, &img->meta_version);
	return img->has_meta && has_magic(img->src, img->hdr_offs);
}

static bool find_by_search(struct zpv_image *img)
{
	for (uint64_t page = 0; page < SE_IMG_SEARCH_PAGES; page++) {
		img->hdr_offs = page * PAGE_BYTES;
		if (has_magic(img->src, img->hdr_offs))
			return true;
	}
	return false;
}

static int read_header(struct zpv_image *img, struct zpv_err *err)
{
	size_t got;
	int rc = source_read(img->src, img->hdr_bytes, sizeof(img->hdr_bytes), img->hdr_offs, &got,
			     err);

	return rc ? rc : se_hdr_parse(img->hdr_bytes, got, &img->hdr, err);
}

int image_open_source(struct source *src, const struct zpv_log *log, struct zpv_image **out,
		      struct zpv_err *err)
{
	AUTO(zpv_image) struct zpv_image *img = calloc(1, sizeof(*img));
	int rc;

	if (!img) {
		source_free(src);
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	}
	img->src = src;
	if (!find_by_meta(img) && !img->has_meta && !find_by_search(img))
		return err_set(err, ZPV_ERR_FORMAT, "No Secure Execution header found.");
	rc = read_header(img, err);
	if (rc)
		return img->has_meta ? err_ctx(err, "at %#llx, where the metadata say that it is",
					       (unsigned long long)img->hdr_offs) :
				       rc;
	if (img->has_meta && img->meta_version != SE_IMG_META_VERSION)
		log_warn(log,
			 "The image metadata have version %u, not %u; they are used all the same.",
			 img->meta_version, SE_IMG_META_VERSION);
	*out = STEAL(img);
	return 0;
}

int zpv_image_open(const char *path, const struct zpv_log *log, struct zpv_image **out,
		   struct zpv_err *err)
{
	struct source *src;
	int rc = source_open(path, &src, err);

	if (rc)
		return rc;
	rc = image_open_source(src, log, out, err);
	return rc ? err_ctx(err, "'%s'", path) : 0;
}

void zpv_image_free(struct zpv_image *img)
{
	if (!img)
		return;
	source_free(img->src);
	secret_free(img->secrets);
	free(img);
}

const struct se_hdr_secrets *image_secrets(const struct zpv_image *img)
{
	return (const void *)secret_bytes(img->secrets);
}

static int open_with(struct zpv_image *img, const struct secret *hpk, struct zpv_err *err)
{
	struct secret *secrets;
	int rc = hdr_open(&img->hdr, hpk, &secrets, err);

	if (rc)
		return rc;
	secret_free(img->secrets);
	img->secrets = secrets;
	return 0;
}

int zpv_image_open_hdr_key(struct zpv_image *img, const char *path, struct zpv_err *err)
{
	AUTO(secret) struct secret *hpk = NULL;
	int rc = secret_read_file(path, "Secure Execution header protection key", SE_HDR_KEY_BYTES,
				  &hpk, err);

	return rc ? rc : open_with(img, hpk, err);
}

/* A folder stands for the host key of the identity in it. */
static int host_key_path(const char *path, char **out, struct zpv_err *err)
{
	AUTO(zpv_host) struct zpv_host *host = NULL;
	struct stat st;
	int rc;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
		rc = zpv_host_open(path, &host, err);
		if (rc)
			return rc;
		path = zpv_host_path(host, ZPV_HOST_KEY);
	}
	*out = strdup(path);
	return *out ? 0 : err_set(err, ZPV_ERR_NOMEM, "no memory");
}

int zpv_image_open_host_key(struct zpv_image *img, const char *path, struct zpv_err *err)
{
	AUTO(p521) struct p521 *host = NULL;
	AUTO(secret) struct secret *hpk = NULL;
	char *key_path = NULL;
	int rc = host_key_path(path, &key_path, err);

	if (!rc)
		rc = p521_read_private(key_path, &host, err);
	free(key_path);
	if (!rc)
		rc = hdr_unwrap(&img->hdr, host, &hpk, err);
	return rc ? rc : open_with(img, hpk, err);
}

bool zpv_image_has_hash(const struct zpv_image *img, const uint8_t *phkh)
{
	for (size_t i = 0; i < img->hdr.nks; i++)
		if (memcmp(img->hdr.slots[i].phkh, phkh, ZPV_PHKH_BYTES) == 0)
			return true;
	return false;
}

int key_hashes_parse(const char *text, size_t text_len,
		     uint8_t hashes[ZPV_KEY_HASHES][ZPV_PHKH_BYTES], struct zpv_err *err)
{
	const char *p = text, *end = text + text_len;
	size_t n = 0;

	for (; p < end; n++) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((nl ? nl : end) - p);

		if (n < ZPV_KEY_HASHES && !hex_decode(p, len, hashes[n], ZPV_PHKH_BYTES))
			return err_set(
				err, ZPV_ERR_FORMAT,
				"Invalid target key hash in line %zu: not 64 hexadecimal digits",
				n + 1);
		p = nl ? nl + 1 : end;
	}
	if (n != ZPV_KEY_HASHES)
		return err_set(err, ZPV_ERR_FORMAT, "Invalid UV key hashes: %zu lines, not %d", n,
			       ZPV_KEY_HASHES);
	return 0;
}

int zpv_key_hashes_read(const char *path, uint8_t hashes[ZPV_KEY_HASHES][ZPV_PHKH_BYTES],
			struct zpv_err *err)
{
	AUTO_BUF file = BUF_INIT;
	int rc = io_read_file(path, KEY_HASHES_MAX_BYTES, &file, err);

	if (rc)
		return rc;
	rc = key_hashes_parse((const char *)file.data, file.len, hashes, err);
	return rc ? err_ctx(err, "'%s'", path) : 0;
}
