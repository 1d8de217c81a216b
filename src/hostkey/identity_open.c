// SPDX-License-Identifier: MIT
/*
 * Reading an identity's folder, and checking that its files agree with each other.
 *
 * Whether the documents are still valid or have been revoked is not asked here: that is the
 * verifier's matter.
 */
#define _GNU_SOURCE
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "hostkey_priv.h"
#include "identity_priv.h"
#include "io.h"
#include "ossl_priv.h"
#include "verify_priv.h"
#include "x509_file_priv.h"

#define JSON_MAX       65536
#define KEY_HASHES_MAX 4096

struct zpv_host {
	struct identity id;
	char *paths[HOST_FILES];
	char expires[TIME_TEXT_SIZE];
};

static char *path_of(const char *dir, const char *name)
{
	char *path = NULL;

	return name && asprintf(&path, "%s/%s", dir, name) >= 0 ? path : NULL;
}

static int read_identity(const char *dir, struct identity *id, struct zpv_err *err)
{
	AUTO_BUF text = BUF_INIT;
	char *path = path_of(dir, IDENTITY_JSON);
	int rc = path ? io_read_file(path, JSON_MAX, &text, err) :
			err_set(err, ZPV_ERR_NOMEM, "no memory");

	free(path);
	if (rc)
		return rc;
	rc = identity_from_json((const char *)text.data, text.len, id, err);
	return rc ? err_ctx(err, IDENTITY_JSON) : 0;
}

static int set_paths(struct zpv_host *h, const char *dir, struct zpv_err *err)
{
	for (int i = 0; i < HOST_FILES; i++) {
		char *name = host_file_name((enum zpv_host_file)i, profile_type(h->id.profile),
					    h->id.serial);

		h->paths[i] = path_of(dir, name);
		free(name);
		if (!h->paths[i])
			return err_set(err, ZPV_ERR_NOMEM, "no memory");
	}
	return 0;
}

static int check_key_hashes(const struct zpv_host *h, struct zpv_err *err)
{
	const char *path = h->paths[ZPV_HOST_KEY_HASHES];
	char *want = key_hashes_to_text(h->id.hash, h->id.backup_hash);
	AUTO_BUF text = BUF_INIT;
	int rc = want ? io_read_file(path, KEY_HASHES_MAX, &text, err) :
			err_set(err, ZPV_ERR_NOMEM, "no memory");

	if (!rc && (text.len != strlen(want) || memcmp(text.data, want, text.len) != 0))
		rc = err_set(err, ZPV_ERR_FORMAT, "'%s' does not hold the hashes of " IDENTITY_JSON,
			     path);
	free(want);
	return rc;
}

static int read_cert(const struct zpv_host *h, enum zpv_host_file file, X509 **out,
		     struct zpv_err *err)
{
	AUTO(x509_file) struct x509_file *f = NULL;
	int rc = x509_file_read(h->paths[file], &f, err);

	if (rc)
		return rc;
	if (sk_X509_num(f->certs) != 1)
		return err_set(err, ZPV_ERR_FORMAT, "'%s' holds %d certificates, not 1",
			       h->paths[file], sk_X509_num(f->certs));
	*out = sk_X509_shift(f->certs);
	return 0;
}

/* The file's CRL is signed by the issuer. */
static int check_crl(const struct zpv_host *h, enum zpv_host_file file, const X509 *issuer,
		     struct zpv_err *err)
{
	AUTO(x509_file) struct x509_file *f = NULL;
	int rc = x509_file_read(h->paths[file], &f, err);

	if (rc)
		return rc;
	if (sk_X509_CRL_num(f->crls) != 1)
		return err_set(err, ZPV_ERR_FORMAT, "'%s' holds %d CRLs, not 1", h->paths[file],
			       sk_X509_CRL_num(f->crls));
	if (X509_CRL_verify(sk_X509_CRL_value(f->crls, 0), X509_get0_pubkey(issuer)) == 1)
		return 0;
	ERR_clear_error();
	return err_set(err, ZPV_ERR_FORMAT, "'%s' is not signed by its issuer", h->paths[file]);
}

static int check_signed(const struct zpv_host *h, enum zpv_host_file file, X509 *cert,
			const X509 *issuer, struct zpv_err *err)
{
	if (X509_verify(cert, X509_get0_pubkey(issuer)) == 1)
		return 0;
	ERR_clear_error();
	return err_set(err, ZPV_ERR_FORMAT, "'%s' is not signed by its issuer", h->paths[file]);
}

static int check_hkd(const struct zpv_host *h, enum zpv_host_file file, const X509 *signing_key,
		     const uint8_t hash[ZPV_PHKH_BYTES], char expires[TIME_TEXT_SIZE],
		     struct zpv_err *err)
{
	AUTO(zpv_hostkey) struct zpv_hostkey *hk = NULL;
	int rc = zpv_hostkey_read(h->paths[file], NULL, &hk, err);

	if (rc == -ZPV_ERR_KEY)
		return err_set(err, ZPV_ERR_FORMAT, "'%s' has no P-521 key", h->paths[file]);
	if (rc)
		return rc;
	if (memcmp(zpv_hostkey_hash(hk), hash, ZPV_PHKH_BYTES) != 0)
		return err_set(err, ZPV_ERR_FORMAT, "'%s' has another key hash than " IDENTITY_JSON,
			       h->paths[file]);
	if (!zpv_hostkey_simulated(hk))
		return err_set(err, ZPV_ERR_FORMAT,
			       "'%s' lacks the mark " SIMULATED_MARK " in its subject",
			       h->paths[file]);
	text_of_time(X509_get0_notAfter(hostkey_cert(hk)), expires);
	return check_signed(h, file, hostkey_cert(hk), signing_key, err);
}

static int check_documents(struct zpv_host *h, const X509 *signing_key, struct zpv_err *err)
{
	char unused[TIME_TEXT_SIZE];
	int rc = check_hkd(h, ZPV_HOST_HKD, signing_key, h->id.hash, h->expires, err);

	if (!rc)
		rc = check_hkd(h, ZPV_HOST_BACKUP_HKD, signing_key, h->id.backup_hash, unused, err);
	return rc ? rc : check_crl(h, ZPV_HOST_HKD_CRL, signing_key, err);
}

static int check_certificates(struct zpv_host *h, struct zpv_err *err)
{
	AUTO_OSSL(X509) *root = NULL;
	AUTO_OSSL(X509) *intermediate = NULL;
	AUTO_OSSL(X509) *signing = NULL;
	int rc = read_cert(h, ZPV_HOST_ROOT_CERT, &root, err);

	if (!rc)
		rc = read_cert(h, ZPV_HOST_INTERMEDIATE_CERT, &intermediate, err);
	if (!rc)
		rc = read_cert(h, ZPV_HOST_SIGNING_CERT, &signing, err);
	if (!rc)
		rc = check_signed(h, ZPV_HOST_ROOT_CERT, root, root, err);
	if (!rc)
		rc = check_signed(h, ZPV_HOST_INTERMEDIATE_CERT, intermediate, root, err);
	if (!rc)
		rc = check_signed(h, ZPV_HOST_SIGNING_CERT, signing, intermediate, err);
	if (!rc)
		rc = check_crl(h, ZPV_HOST_ROOT_CRL, root, err);
	if (!rc)
		rc = check_crl(h, ZPV_HOST_INTERMEDIATE_CRL, intermediate, err);
	return rc ? rc : check_documents(h, signing, err);
}

int zpv_host_open(const char *dir, struct zpv_host **out, struct zpv_err *err)
{
	AUTO(zpv_host) struct zpv_host *h = calloc(1, sizeof(*h));
	int rc;

	if (!h)
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	rc = read_identity(dir, &h->id, err);
	if (!rc)
		rc = set_paths(h, dir, err);
	if (!rc)
		rc = check_key_hashes(h, err);
	if (!rc)
		rc = check_certificates(h, err);
	if (rc)
		return err_ctx(err, "identity '%s'", dir);
	*out = STEAL(h);
	return 0;
}

void zpv_host_free(struct zpv_host *h)
{
	if (!h)
		return;
	for (int i = 0; i < HOST_FILES; i++)
		free(h->paths[i]);
	free(h);
}

const char *zpv_host_path(const struct zpv_host *h, enum zpv_host_file file)
{
	return (size_t)file < HOST_FILES ? h->paths[file] : NULL;
}

enum zpv_profile zpv_host_profile(const struct zpv_host *h)
{
	return h->id.profile;
}

const char *zpv_host_type(const struct zpv_host *h)
{
	return profile_type(h->id.profile);
}

const char *zpv_host_serial(const struct zpv_host *h)
{
	return h->id.serial;
}

const char *zpv_host_created(const struct zpv_host *h)
{
	return h->id.created;
}

const char *zpv_host_expires(const struct zpv_host *h)
{
	return h->expires;
}

const uint8_t *zpv_host_hash(const struct zpv_host *h)
{
	return h->id.hash;
}

const uint8_t *zpv_host_backup_hash(const struct zpv_host *h)
{
	return h->id.backup_hash;
}
