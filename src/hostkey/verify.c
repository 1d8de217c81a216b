// SPDX-License-Identifier: MIT
/*
 * The verifier: reading certificates and lists, and finding the IBM Z host-key signing key.
 *
 * Behavior: s390-tools 2.43, rust/pv/src/verify. The flags, the depth and the level of security
 * given to OpenSSL are part of it.
 */
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "crl_fetch_priv.h"
#include "err.h"
#include "hostkey.h"
#include "log.h"
#include "ossl_err.h"
#include "ossl_priv.h"
#include "verify_priv.h"

#define VERIFY_FLAGS                                                                   \
	(X509_V_FLAG_X509_STRICT | X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL | \
	 X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_CHECK_SS_SIGNATURE | X509_V_FLAG_POLICY_CHECK)

static int set_params(const struct zpv_verifier *v, struct zpv_err *err)
{
	AUTO_OSSL(X509_VERIFY_PARAM) *param = X509_VERIFY_PARAM_new();

	if (!param)
		return ossl_err(err, ZPV_ERR_NOMEM, "no memory");
	X509_VERIFY_PARAM_set_depth(param, VERIFY_DEPTH);
	X509_VERIFY_PARAM_set_auth_level(param, VERIFY_AUTH_LEVEL);
	if (v->at)
		X509_VERIFY_PARAM_set_time(param, v->at);
	if (X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_ANY) != 1 ||
	    X509_VERIFY_PARAM_set_flags(param, VERIFY_FLAGS) != 1 ||
	    X509_STORE_set1_param(v->store, param) != 1)
		return ossl_err(err, ZPV_ERR_CRYPTO, "cannot prepare the verification");
	return 0;
}

static int add_crls(const struct zpv_verifier *v, const struct x509_file *f, struct zpv_err *err)
{
	for (int i = 0; i < sk_X509_CRL_num(f->crls); i++)
		if (X509_STORE_add_crl(v->store, sk_X509_CRL_value(f->crls, i)) != 1)
			return ossl_err(err, ZPV_ERR_CRYPTO, "cannot use the CRL in '%s'", f->name);
	return 0;
}

static void append(struct x509_file **list, struct x509_file *f)
{
	while (*list)
		list = &(*list)->next;
	*list = f;
}

/* Reads a file to the end of a list and its CRLs into the store. */
static int take_file(const struct zpv_verifier *v, const char *path, struct x509_file **list,
		     struct x509_file **out, struct zpv_err *err)
{
	int rc = x509_file_read(path, out, err);

	if (rc)
		return rc;
	append(list, *out);
	return add_crls(v, *out, err);
}

static int load_roots(struct zpv_verifier *v, const char *path, struct zpv_err *err)
{
	struct x509_file *f;
	int rc;

	if (!path) {
		if (X509_STORE_set_default_paths(v->store) != 1)
			return ossl_err(err, ZPV_ERR_CRYPTO,
					"cannot use the system's certificates");
		ERR_clear_error();
		return 0;
	}
	rc = take_file(v, path, &v->roots, &f, err);
	if (rc)
		return err_ctx(err, "root CA");
	if (sk_X509_num(f->certs) < 1)
		return err_set(err, ZPV_ERR_FORMAT, "root CA: there is no certificate in '%s'",
			       path);
	for (int i = 0; i < sk_X509_num(f->certs); i++)
		if (X509_STORE_add_cert(v->store, sk_X509_value(f->certs, i)) != 1)
			return ossl_err(err, ZPV_ERR_CRYPTO, "cannot use the root CA '%s'", path);
	return 0;
}

static int load_crl(struct zpv_verifier *v, const char *path, struct zpv_err *err)
{
	struct x509_file *f;
	int rc = take_file(v, path, &v->crls, &f, err);

	if (rc)
		return err_ctx(err, "CRL");
	if (sk_X509_CRL_num(f->crls) < 1)
		return err_set(err, ZPV_ERR_FORMAT, "there is no CRL in '%s'", path);
	return 0;
}

static int load_cert(struct zpv_verifier *v, const char *path, struct zpv_err *err)
{
	struct x509_file *f;
	int rc = take_file(v, path, &v->certs, &f, err);

	if (rc)
		return err_ctx(err, "certificate");
	if (sk_X509_num(f->certs) < 1 && sk_X509_CRL_num(f->crls) < 1)
		return err_set(err, ZPV_ERR_FORMAT, "there is no certificate in '%s'", path);
	return 0;
}

static int load(struct zpv_verifier *v, const struct zpv_verify_spec *spec, struct zpv_err *err)
{
	int rc = load_roots(v, spec->root_ca, err);

	for (size_t i = 0; !rc && i < spec->ncrls; i++)
		rc = load_crl(v, spec->crls[i], err);
	for (size_t i = 0; !rc && i < spec->ncerts; i++)
		rc = load_cert(v, spec->certs[i], err);
	return rc;
}

static int download_crls(struct zpv_verifier *v, struct zpv_err *err)
{
	int rc = 0;

	for (const struct x509_file *f = v->certs; f; f = f->next) {
		for (int i = 0; !rc && i < sk_X509_num(f->certs); i++) {
			const struct x509_file *crls =
				crl_fetch_first(sk_X509_value(f->certs, i), &v->downloads, v->log);

			if (crls)
				rc = add_crls(v, crls, err);
		}
	}
	return rc;
}

/* The certificate that comes closest to a signing key, to explain why there is none. */
struct candidate {
	const char *path;
	int differences;
	char why[NAME_TEXT_SIZE];
};

static int no_signing_key(const struct candidate *best, struct zpv_err *err)
{
	if (!best->path)
		return verify_refuse(err,
				     "Specify one IBM Z signing key: no certificate was given");
	return verify_refuse(err,
			     "Specify one IBM Z signing key: none of the certificates is one; "
			     "'%s' comes closest, but %s",
			     best->path, best->why);
}

static int take_signing_key(struct zpv_verifier *v, X509 *cert, const char *path,
			    struct zpv_err *err)
{
	if (v->signing_key)
		return verify_refuse(err,
				     "Specify only one IBM Z signing key: '%s' and '%s' hold one",
				     origin_of_cert(v, v->signing_key), path);
	X509_up_ref(cert);
	v->signing_key = cert;
	return 0;
}

/* Finds the signing key; all other certificates are untrusted helpers of the chain. */
static int find_signing_key(struct zpv_verifier *v, STACK_OF(X509) * untrusted, struct zpv_err *err)
{
	struct candidate best = { NULL, SUBJECT_ENTRIES + 2, "" };

	for (const struct x509_file *f = v->certs; f; f = f->next) {
		for (int i = 0; i < sk_X509_num(f->certs); i++) {
			X509 *cert = sk_X509_value(f->certs, i);
			char why[NAME_TEXT_SIZE];
			int n = subject_differences(X509_get_subject_name(cert), why, sizeof(why));
			int rc = n ? 0 : take_signing_key(v, cert, f->name, err);

			if (rc)
				return rc;
			if (n && !sk_X509_push(untrusted, cert))
				return err_set(err, ZPV_ERR_NOMEM, "no memory");
			if (n && n < best.differences) {
				best = (struct candidate){ f->name, n, "" };
				memcpy(best.why, why, sizeof(why));
			}
		}
	}
	return v->signing_key ? 0 : no_signing_key(&best, err);
}

static int establish(struct zpv_verifier *v, const struct zpv_verify_spec *spec,
		     struct zpv_err *err)
{
	STACK_OF(X509) *untrusted = sk_X509_new_null(); /* borrows the certificates */
	int rc;

	v->store = X509_STORE_new();
	if (!untrusted || !v->store) {
		sk_X509_free(untrusted);
		return ossl_err(err, ZPV_ERR_NOMEM, "no memory");
	}
	rc = set_params(v, err);
	if (!rc)
		rc = load(v, spec, err);
	if (!rc)
		rc = find_signing_key(v, untrusted, err);
	if (!rc && !v->offline)
		rc = download_crls(v, err);
	if (!rc)
		rc = verify_chain(v, untrusted, err);
	sk_X509_free(untrusted);
	return rc;
}

int zpv_verifier_new(const struct zpv_verify_spec *spec, struct zpv_verifier **out,
		     struct zpv_err *err)
{
	AUTO(zpv_verifier) struct zpv_verifier *v = calloc(1, sizeof(*v));
	int rc;

	if (!v)
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	v->log = spec->log;
	v->offline = spec->offline;
	v->at = spec->at;
	rc = establish(v, spec, err);
	if (rc)
		return rc;
	*out = STEAL(v);
	return 0;
}

void zpv_verifier_free(struct zpv_verifier *v)
{
	if (!v)
		return;
	X509_STORE_free(v->store);
	X509_free(v->signing_key);
	x509_file_free_all(v->roots);
	x509_file_free_all(v->certs);
	x509_file_free_all(v->crls);
	x509_file_free_all(v->downloads);
	free(v);
}
