// SPDX-License-Identifier: MIT
/*
 * The chain of trust from a root CA to the signing key, and why it does not hold.
 *
 * The first sentence of a message is that of pvimg, which other programs look for; the rest says
 * which file, name or date is meant.
 */
#include <openssl/err.h>
#include <stdio.h>

#include "err.h"
#include "log.h"
#include "ossl_err.h"
#include "ossl_priv.h"
#include "verify_priv.h"

#define REFUSED "The IBM Z signing key could not be verified. Error occurred at level %d: "

/* The first failure that OpenSSL finds. The CRL is known during the callback only. */
struct chain_error {
	const struct zpv_verifier *v;
	int code; /* X509_V_ERR_...; X509_V_OK: none yet */
	int depth;
	X509 *cert;    /* may be NULL */
	X509_CRL *crl; /* may be NULL */
	char text[2 * NAME_TEXT_SIZE];
};

static void tell_cert_period(struct chain_error *e)
{
	char when[TIME_TEXT_SIZE], now[TIME_TEXT_SIZE];
	bool expired = e->code == X509_V_ERR_CERT_HAS_EXPIRED;
	const ASN1_TIME *t = expired ? X509_get0_notAfter(e->cert) : X509_get0_notBefore(e->cert);

	snprintf(e->text, sizeof(e->text), "it %s %s (now: %s)",
		 expired ? "expired on" : "is not valid before", text_of_time(t, when),
		 text_of_now(verify_now(e->v), now));
}

static void tell_crl_period(struct chain_error *e)
{
	char when[TIME_TEXT_SIZE], now[TIME_TEXT_SIZE];
	bool expired = e->code == X509_V_ERR_CRL_HAS_EXPIRED;
	const ASN1_TIME *t = expired ? X509_CRL_get0_nextUpdate(e->crl) :
				       X509_CRL_get0_lastUpdate(e->crl);

	snprintf(e->text, sizeof(e->text), "its CRL in '%s' is valid %s %s (now: %s)",
		 origin_of_crl(e->v, e->crl), expired ? "until" : "from", text_of_time(t, when),
		 text_of_now(verify_now(e->v), now));
}

static void tell_revoked(struct chain_error *e)
{
	snprintf(e->text, sizeof(e->text), "it is revoked by the CRL in '%s'",
		 origin_of_crl(e->v, e->crl));
}

static void tell_bad_crl(struct chain_error *e)
{
	snprintf(e->text, sizeof(e->text), "its CRL in '%s': %s", origin_of_crl(e->v, e->crl),
		 X509_verify_cert_error_string(e->code));
}

static void tell_no_crl(struct chain_error *e)
{
	char issuer[NAME_TEXT_SIZE];

	snprintf(e->text, sizeof(e->text), "there is no usable CRL of its issuer '%s'",
		 text_of_name(X509_get_issuer_name(e->cert), issuer));
}

static void tell_no_issuer(struct chain_error *e)
{
	char issuer[NAME_TEXT_SIZE];

	snprintf(e->text, sizeof(e->text), "there is no trusted certificate of its issuer '%s'",
		 text_of_name(X509_get_issuer_name(e->cert), issuer));
}

static const struct {
	int code;
	bool needs_crl;
	void (*tell)(struct chain_error *e);
} tellers[] = {
	{ X509_V_ERR_CERT_HAS_EXPIRED, false, tell_cert_period },
	{ X509_V_ERR_CERT_NOT_YET_VALID, false, tell_cert_period },
	{ X509_V_ERR_CRL_HAS_EXPIRED, true, tell_crl_period },
	{ X509_V_ERR_CRL_NOT_YET_VALID, true, tell_crl_period },
	{ X509_V_ERR_CERT_REVOKED, true, tell_revoked },
	{ X509_V_ERR_CRL_SIGNATURE_FAILURE, true, tell_bad_crl },
	{ X509_V_ERR_UNABLE_TO_GET_CRL, false, tell_no_crl },
	{ X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, false, tell_no_issuer },
	{ X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, false, tell_no_issuer },
	{ X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, false, tell_no_issuer },
};

static void tell(struct chain_error *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(tellers); i++) {
		if (tellers[i].code != e->code || !e->cert || (tellers[i].needs_crl && !e->crl))
			continue;
		tellers[i].tell(e);
		return;
	}
	snprintf(e->text, sizeof(e->text), "%s", X509_verify_cert_error_string(e->code));
}

static int remember(int ok, X509_STORE_CTX *ctx)
{
	struct chain_error *e = X509_STORE_CTX_get_app_data(ctx);

	if (ok || e->code != X509_V_OK)
		return ok;
	e->code = X509_STORE_CTX_get_error(ctx);
	e->depth = X509_STORE_CTX_get_error_depth(ctx);
	e->cert = X509_STORE_CTX_get_current_cert(ctx);
	e->crl = X509_STORE_CTX_get0_current_crl(ctx);
	if (e->cert)
		X509_up_ref(e->cert);
	if (e->crl)
		X509_CRL_up_ref(e->crl);
	return 0;
}

static int refuse(struct chain_error *e, struct zpv_err *err)
{
	const X509 *cert = e->cert ? e->cert : e->v->signing_key;
	char subject[NAME_TEXT_SIZE];

	tell(e);
	return verify_refuse(err, REFUSED "certificate '%s' (%s): %s", e->depth,
			     origin_of_cert(e->v, cert),
			     text_of_name(X509_get_subject_name(cert), subject), e->text);
}

static void log_chain(const struct zpv_verifier *v, const STACK_OF(X509) * chain)
{
	char name[NAME_TEXT_SIZE];

	for (int i = 0; i < sk_X509_num(chain); i++)
		log_info(v->log, "chain of trust, level %d: %s", i,
			 text_of_name(X509_get_subject_name(sk_X509_value(chain, i)), name));
}

static int check_chain(X509_STORE_CTX *ctx, struct chain_error *e, struct zpv_err *err)
{
	const STACK_OF(X509) * chain;

	X509_STORE_CTX_set_app_data(ctx, e);
	X509_STORE_CTX_set_verify_cb(ctx, remember);
	if (X509_verify_cert(ctx) != 1) {
		if (e->code == X509_V_OK)
			return ossl_err(err, ZPV_ERR_CRYPTO, "the verification itself failed");
		ERR_clear_error();
		return refuse(e, err);
	}
	chain = X509_STORE_CTX_get0_chain(ctx);
	if (sk_X509_num(chain) < VERIFY_DEPTH)
		return verify_refuse(err,
				     REFUSED
				     "'%s' is trusted by itself, without a root CA above it",
				     0, origin_of_cert(e->v, e->v->signing_key));
	log_chain(e->v, chain);
	return 0;
}

int verify_chain(const struct zpv_verifier *v, STACK_OF(X509) * untrusted, struct zpv_err *err)
{
	AUTO_OSSL(X509_STORE_CTX) *ctx = X509_STORE_CTX_new();
	struct chain_error e = { .v = v };
	int rc;

	if (!ctx || X509_STORE_CTX_init(ctx, v->store, v->signing_key, untrusted) != 1)
		return ossl_err(err, ZPV_ERR_CRYPTO, "cannot prepare the verification");
	rc = check_chain(ctx, &e, err);
	X509_free(e.cert);
	X509_CRL_free(e.crl);
	return rc;
}
