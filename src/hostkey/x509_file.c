// SPDX-License-Identifier: MIT
/*
 * Reading certificates and revocation lists: DER first, then PEM (RFC 7468).
 */
#include "x509_file_priv.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "io.h"
#include "ossl_err.h"
#include "ossl_priv.h"

int x509_file_new(const char *name, struct x509_file **out, struct zpv_err *err)
{
	AUTO(x509_file) struct x509_file *f = calloc(1, sizeof(*f));

	if (f) {
		f->name = strdup(name);
		f->certs = sk_X509_new_null();
		f->crls = sk_X509_CRL_new_null();
	}
	if (!f || !f->name || !f->certs || !f->crls)
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	*out = STEAL(f);
	return 0;
}

/* Takes the certificate or the list; NULL stands for one that could not be read. */
static bool add_cert(struct x509_file *f, X509 *cert)
{
	if (cert && sk_X509_push(f->certs, cert) > 0)
		return true;
	X509_free(cert);
	return false;
}

static bool add_crl(struct x509_file *f, X509_CRL *crl)
{
	if (crl && sk_X509_CRL_push(f->crls, crl) > 0)
		return true;
	X509_CRL_free(crl);
	return false;
}

static bool read_der(struct x509_file *f, const uint8_t *data, size_t len)
{
	const uint8_t *at = data;

	if (!add_cert(f, d2i_X509(NULL, &at, (long)len))) {
		at = data;
		if (!add_crl(f, d2i_X509_CRL(NULL, &at, (long)len)))
			return false;
	}
	f->rest = len - (size_t)(at - data);
	return true;
}

/* Blocks of other kinds, such as keys, are passed over. */
static bool add_block(struct x509_file *f, const char *label, const uint8_t *der, long len)
{
	if (strcmp(label, PEM_STRING_X509) == 0 || strcmp(label, PEM_STRING_X509_OLD) == 0)
		return add_cert(f, d2i_X509(NULL, &der, len));
	if (strcmp(label, PEM_STRING_X509_TRUSTED) == 0)
		return add_cert(f, d2i_X509_AUX(NULL, &der, len));
	if (strcmp(label, PEM_STRING_X509_CRL) == 0)
		return add_crl(f, d2i_X509_CRL(NULL, &der, len));
	return true;
}

/* 1: a block was read; 0: there are no more; -1: one is damaged. */
static int next_block(struct x509_file *f, BIO *bio)
{
	char *label = NULL, *header = NULL;
	uint8_t *der = NULL;
	long len = 0;
	bool ok;

	if (PEM_read_bio(bio, &label, &header, &der, &len) != 1)
		return ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE ? 0 : -1;
	ok = add_block(f, label, der, len);
	OPENSSL_free(label);
	OPENSSL_free(header);
	OPENSSL_clear_free(der, (size_t)len);
	return ok ? 1 : -1;
}

static int read_pem(struct x509_file *f, const uint8_t *data, size_t len, struct zpv_err *err)
{
	AUTO_OSSL(BIO) *bio = BIO_new_mem_buf(data, (int)len);
	int block = 1;

	if (!bio)
		return ossl_err(err, ZPV_ERR_NOMEM, "no memory");
	while (block > 0) {
		ERR_clear_error();
		block = next_block(f, bio);
	}
	if (block == 0) {
		ERR_clear_error();
		return 0;
	}
	return ossl_err(err, ZPV_ERR_FORMAT,
			"'%s' has a damaged PEM block (after %d certificates, %d CRLs)", f->name,
			sk_X509_num(f->certs), sk_X509_CRL_num(f->crls));
}

int x509_file_parse(const uint8_t *data, size_t len, const char *name, struct x509_file **out,
		    struct zpv_err *err)
{
	AUTO(x509_file) struct x509_file *f = NULL;
	int rc = x509_file_new(name, &f, err);

	if (rc)
		return rc;
	if (len > X509_FILE_MAX)
		return err_set(err, ZPV_ERR_FORMAT, "'%s' is larger than the %u bytes allowed",
			       name, X509_FILE_MAX);
	if (len > 0 && !read_der(f, data, len)) {
		rc = read_pem(f, data, len, err);
		if (rc)
			return rc;
	}
	ERR_clear_error();
	*out = STEAL(f);
	return 0;
}

int x509_file_read(const char *path, struct x509_file **out, struct zpv_err *err)
{
	AUTO_BUF data = BUF_INIT;
	int rc = io_read_file(path, X509_FILE_MAX, &data, err);

	if (rc)
		return rc;
	return x509_file_parse(data.data, data.len, path, out, err);
}

void x509_file_free(struct x509_file *f)
{
	if (!f)
		return;
	sk_X509_pop_free(f->certs, X509_free);
	sk_X509_CRL_pop_free(f->crls, X509_CRL_free);
	free(f->name);
	free(f);
}

void x509_file_free_all(struct x509_file *f)
{
	while (f) {
		struct x509_file *next = f->next;

		x509_file_free(f);
		f = next;
	}
}
