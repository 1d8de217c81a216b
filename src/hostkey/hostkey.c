// SPDX-License-Identifier: MIT
/*
 * Host-key documents: reading the certificate of a machine's P-521 key.
 *
 * Behavior: s390-tools 2.43, rust/pv (DER is tried before PEM, the first certificate counts).
 * The check of the curve is that of the older genprotimg.
 */
#define _GNU_SOURCE
#include "hostkey.h"

#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "hostkey_priv.h"
#include "io.h"
#include "log.h"
#include "ossl_err.h"
#include "p521.h"
#include "sha.h"
#include "x509_file_priv.h"

#define HOSTKEY_FILE_MAX (1u << 20)

struct zpv_hostkey {
	char *path;
	X509 *cert;
	struct p521 *key;
	uint8_t hash[ZPV_PHKH_BYTES];
	bool simulated;
};

int hostkey_hash_key(const struct p521 *key, uint8_t hash[ZPV_PHKH_BYTES], struct zpv_err *err)
{
	uint8_t point[P521_POINT_BYTES];
	int rc = p521_point(key, point, err);

	return rc ? rc : sha256(point, sizeof(point), hash, err);
}

static bool has_mark(const ASN1_STRING *value)
{
	uint8_t *text = NULL;
	int len = ASN1_STRING_to_UTF8(&text, value);
	bool found = len > 0 && memmem(text, (size_t)len, SIMULATED_MARK, strlen(SIMULATED_MARK));

	OPENSSL_free(text);
	return found;
}

static bool is_simulated(const X509 *cert)
{
	const X509_NAME *subject = X509_get_subject_name(cert);

	for (int i = 0; i < X509_NAME_entry_count(subject); i++)
		if (has_mark(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, i))))
			return true;
	return false;
}

static int read_key(struct zpv_hostkey *hk, struct zpv_err *err)
{
	EVP_PKEY *pkey = X509_get0_pubkey(hk->cert);
	int rc;

	if (!pkey)
		return ossl_err(err, ZPV_ERR_KEY,
				"host-key document '%s': its public key cannot be read", hk->path);
	rc = p521_from_pkey(pkey, &hk->key, err);
	if (rc)
		return err_ctx(err, "Host-key document doesn't use correct EC curve: '%s'",
			       hk->path);
	return hostkey_hash_key(hk->key, hk->hash, err);
}

static void warn_of_rest(const struct x509_file *f, const struct zpv_log *log)
{
	if (sk_X509_num(f->certs) > 1)
		log_warn(
			log,
			"host-key document '%s' contains %d certificates; only the first one is used",
			f->name, sk_X509_num(f->certs));
	if (f->rest)
		log_warn(log,
			 "host-key document '%s': %zu bytes behind the certificate are ignored",
			 f->name, f->rest);
}

int hostkey_parse(const uint8_t *data, size_t len, const char *name, const struct zpv_log *log,
		  struct zpv_hostkey **out, struct zpv_err *err)
{
	AUTO(x509_file) struct x509_file *f = NULL;
	AUTO(zpv_hostkey) struct zpv_hostkey *hk = NULL;
	int rc = x509_file_parse(data, len, name, &f, err);

	if (rc)
		return err_ctx(err, "host-key document");
	if (sk_X509_num(f->certs) < 1)
		return err_set(
			err, ZPV_ERR_FORMAT,
			"host-key document '%s' contains no certificate in PEM or DER form%s", name,
			sk_X509_CRL_num(f->crls) ? ", but a revocation list" : "");
	hk = calloc(1, sizeof(*hk));
	if (!hk || !(hk->path = strdup(name)))
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	hk->cert = sk_X509_value(f->certs, 0);
	X509_up_ref(hk->cert);
	rc = read_key(hk, err);
	if (rc)
		return rc;
	hk->simulated = is_simulated(hk->cert);
	warn_of_rest(f, log);
	*out = STEAL(hk);
	return 0;
}

int zpv_hostkey_read(const char *path, const struct zpv_log *log, struct zpv_hostkey **out,
		     struct zpv_err *err)
{
	AUTO_BUF data = BUF_INIT;
	int rc = io_read_file(path, HOSTKEY_FILE_MAX, &data, err);

	if (rc)
		return err_ctx(err, "host-key document");
	return hostkey_parse(data.data, data.len, path, log, out, err);
}

void zpv_hostkey_free(struct zpv_hostkey *hk)
{
	if (!hk)
		return;
	X509_free(hk->cert);
	p521_free(hk->key);
	free(hk->path);
	free(hk);
}

const uint8_t *zpv_hostkey_hash(const struct zpv_hostkey *hk)
{
	return hk->hash;
}

const char *zpv_hostkey_path(const struct zpv_hostkey *hk)
{
	return hk->path;
}

bool zpv_hostkey_simulated(const struct zpv_hostkey *hk)
{
	return hk->simulated;
}

const struct p521 *hostkey_key(const struct zpv_hostkey *hk)
{
	return hk->key;
}

X509 *hostkey_cert(const struct zpv_hostkey *hk)
{
	return hk->cert;
}
