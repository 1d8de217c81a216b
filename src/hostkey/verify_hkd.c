// SPDX-License-Identifier: MIT
/*
 * One host-key document against the IBM Z signing key and its revocation lists.
 *
 * The documents are not verified by X509_verify_cert(): the signing key is no CA, and its CRLs
 * come under several issuer names (verify_subject.c).
 */
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

#include "crl_fetch_priv.h"
#include "err.h"
#include "hostkey_priv.h"
#include "log.h"
#include "ossl_err.h"
#include "ossl_priv.h"
#include "verify_priv.h"

int hkd_check_strength(const X509 *hkd, struct zpv_err *err)
{
	EVP_PKEY *key = X509_get0_pubkey(hkd);
	int bits = key ? EVP_PKEY_get_security_bits(key) : 0;

	if (bits >= VERIFY_SECURITY_BITS)
		return 0;
	return verify_refuse(err, "Not enough bits of security. (%d, %d expected)", bits,
			     VERIFY_SECURITY_BITS);
}

int hkd_check_validity(const X509 *hkd, const char *path, time_t now, struct zpv_err *err)
{
	const ASN1_TIME *from = X509_get0_notBefore(hkd), *until = X509_get0_notAfter(hkd);
	int after_from = ASN1_TIME_cmp_time_t(from, now),
	    after_until = ASN1_TIME_cmp_time_t(until, now);
	char when[TIME_TEXT_SIZE], then[TIME_TEXT_SIZE];

	if (after_from == -2 || after_until == -2)
		return verify_refuse(err, "the validity period of '%s' cannot be read", path);
	if (after_from > 0)
		return verify_refuse(
			err, "Before validity period: '%s' is not valid before %s (now: %s)", path,
			text_of_time(from, when), text_of_now(now, then));
	if (after_until <= 0)
		return verify_refuse(err, "After validity period: '%s' expired on %s (now: %s)",
				     path, text_of_time(until, when), text_of_now(now, then));
	return 0;
}

static int check_akid(const struct zpv_verifier *v, X509 *hkd, const char *path,
		      struct zpv_err *err)
{
	AUTO_OSSL(AUTHORITY_KEYID) *akid =
		X509_get_ext_d2i(hkd, NID_authority_key_identifier, NULL, NULL);

	if (!akid || X509_check_akid(v->signing_key, akid) == X509_V_OK)
		return 0;
	return verify_refuse(
		err, "Authority Key Id mismatch: '%s' was issued by another key than that of '%s'",
		path, origin_of_cert(v, v->signing_key));
}

static int check_signature(const struct zpv_verifier *v, X509 *hkd, const char *path,
			   struct zpv_err *err)
{
	if (X509_verify(hkd, X509_get0_pubkey(v->signing_key)) == 1)
		return 0;
	ERR_clear_error();
	return verify_refuse(err, "Signature verification failed: '%s' is not signed by '%s'", path,
			     origin_of_cert(v, v->signing_key));
}

/* The store's CRLs of an issuer, owned by the caller; NULL when there are none. */
static STACK_OF(X509_CRL) * stored_crls(const X509_STORE_CTX *ctx, const X509_NAME *issuer)
{
	STACK_OF(X509_CRL) *crls = issuer ? X509_STORE_CTX_get1_crls(ctx, issuer) : NULL;

	if (sk_X509_CRL_num(crls) > 0)
		return crls;
	sk_X509_CRL_pop_free(crls, X509_CRL_free);
	return NULL;
}

/* The CRLs of the signing key under the first of its names that has any. */
static STACK_OF(X509_CRL) * find_crls(const X509_STORE_CTX *ctx, const X509_NAME *subject)
{
	AUTO_OSSL(X509_NAME) *swapped = subject_swap_locality(subject);
	AUTO_OSSL(X509_NAME) *swapped_ordered = swapped ? subject_reorder(swapped) : NULL;
	AUTO_OSSL(X509_NAME) *ordered = subject_reorder(subject);
	const X509_NAME *const names[] = { subject, swapped, swapped_ordered, ordered };
	STACK_OF(X509_CRL) *crls = NULL;

	for (size_t i = 0; !crls && i < ARRAY_SIZE(names); i++)
		crls = stored_crls(ctx, names[i]);
	ERR_clear_error();
	return crls;
}

static bool append_crls(STACK_OF(X509_CRL) * to, const STACK_OF(X509_CRL) * from)
{
	for (int i = 0; i < sk_X509_CRL_num(from); i++) {
		X509_CRL *crl = sk_X509_CRL_value(from, i);

		if (sk_X509_CRL_push(to, crl) <= 0)
			return false;
		X509_CRL_up_ref(crl);
	}
	return true;
}

/* All CRLs that may speak of the document, owned by the caller, valid or not. */
static int collect_crls(struct zpv_verifier *v, const X509 *hkd, STACK_OF(X509_CRL) * *out,
			struct zpv_err *err)
{
	AUTO_OSSL(X509_STORE_CTX) *ctx = X509_STORE_CTX_new();
	AUTO_CRL_STACK *crls = NULL;
	const struct x509_file *fetched;

	if (!ctx || X509_STORE_CTX_init(ctx, v->store, NULL, NULL) != 1)
		return ossl_err(err, ZPV_ERR_CRYPTO, "cannot prepare the verification");
	crls = find_crls(ctx, X509_get_subject_name(v->signing_key));
	if (!crls)
		crls = sk_X509_CRL_new_null();
	if (!crls)
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	fetched = v->offline ? NULL : crl_fetch_first(hkd, &v->downloads, v->log);
	if (fetched && !append_crls(crls, fetched->crls))
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	*out = STEAL(crls);
	return 0;
}

static bool crl_akid_fits(const struct zpv_verifier *v, X509_CRL *crl)
{
	AUTO_OSSL(AUTHORITY_KEYID) *akid =
		X509_CRL_get_ext_d2i(crl, NID_authority_key_identifier, NULL, NULL);

	return !akid || X509_check_akid(v->signing_key, akid) == X509_V_OK;
}

/* Whether a CRL of the signing key counts; otherwise why says what is wrong with it. */
static bool crl_usable(const struct zpv_verifier *v, X509_CRL *crl, char *why, size_t size)
{
	const ASN1_TIME *from = X509_CRL_get0_lastUpdate(crl),
			*until = X509_CRL_get0_nextUpdate(crl);
	time_t now = verify_now(v);
	char when[TIME_TEXT_SIZE];
	int after_from = ASN1_TIME_cmp_time_t(from, now);
	int after_until = until ? ASN1_TIME_cmp_time_t(until, now) : -2;

	if (after_from == -2 || after_until == -2)
		snprintf(why, size, "has no validity period");
	else if (after_from > 0)
		snprintf(why, size, "is valid from %s", text_of_time(from, when));
	else if (after_until <= 0)
		snprintf(why, size, "was valid until %s", text_of_time(until, when));
	else if (!crl_akid_fits(v, crl))
		snprintf(why, size, "names another Authority Key Id than the signing key's");
	else if (X509_CRL_verify(crl, X509_get0_pubkey(v->signing_key)) != 1)
		snprintf(why, size, "is not signed by the signing key");
	else
		return true;
	ERR_clear_error();
	return false;
}

static int refuse_revoked(const struct zpv_verifier *v, const X509_REVOKED *entry,
			  const X509_CRL *crl, const char *path, struct zpv_err *err)
{
	char when[TIME_TEXT_SIZE];

	return verify_refuse(err, "Host-key document is revoked. '%s' is in the CRL '%s' since %s",
			     path, origin_of_crl(v, crl),
			     text_of_time(X509_REVOKED_get0_revocationDate(entry), when));
}

static int refuse_no_crl(const struct zpv_verifier *v, const char *rejected, struct zpv_err *err)
{
	char issuer[NAME_TEXT_SIZE];

	if (rejected[0])
		return verify_refuse(err, "No valid CRL found: %s", rejected);
	return verify_refuse(err, "No valid CRL found: there is none of the issuer '%s'%s",
			     text_of_name(X509_get_subject_name(v->signing_key), issuer),
			     v->offline ? " (offline)" : "");
}

static int check_revocation(const struct zpv_verifier *v, X509 *hkd, const char *path,
			    const STACK_OF(X509_CRL) * crls, struct zpv_err *err)
{
	char rejected[ZPV_ERR_TEXT_SIZE / 2] = "", why[128];
	int used = 0;

	for (int i = 0; i < sk_X509_CRL_num(crls); i++) {
		X509_CRL *crl = sk_X509_CRL_value(crls, i);
		X509_REVOKED *entry = NULL;
		size_t len = strlen(rejected);

		if (!crl_usable(v, crl, why, sizeof(why))) {
			log_info(v->log, "the CRL '%s' %s", origin_of_crl(v, crl), why);
			snprintf(rejected + len, sizeof(rejected) - len, "%s'%s' %s",
				 len ? "; " : "", origin_of_crl(v, crl), why);
			continue;
		}
		used++;
		/* 2 is "remove from CRL", which counts as revoked too. */
		if (X509_CRL_get0_by_serial(crl, &entry, X509_get0_serialNumber(hkd)) != 0)
			return refuse_revoked(v, entry, crl, path, err);
	}
	return used ? 0 : refuse_no_crl(v, rejected, err);
}

int zpv_verifier_check(struct zpv_verifier *v, const struct zpv_hostkey *hk, struct zpv_err *err)
{
	const char *path = zpv_hostkey_path(hk);
	X509 *hkd = hostkey_cert(hk);
	AUTO_CRL_STACK *crls = NULL;
	int rc = hkd_check_strength(hkd, err);

	if (!rc)
		rc = hkd_check_validity(hkd, path, verify_now(v), err);
	if (!rc)
		rc = check_akid(v, hkd, path, err);
	if (!rc)
		rc = check_signature(v, hkd, path, err);
	if (!rc)
		rc = collect_crls(v, hkd, &crls, err);
	if (!rc)
		rc = check_revocation(v, hkd, path, crls, err);
	if (!rc)
		log_info(v->log, "host-key document '%s' is verified", path);
	return rc;
}
