// SPDX-License-Identifier: MIT
/*
 * Certificates and CRLs of an identity (RFC 5280), in the form of the real ones:
 *
 *	root CA -> intermediate CA -> IBM Z host-key signing key -> host-key documents
 *
 * Real verifiers know the signing key by its subject, so that the mark of a software machine has
 * no place there but in the OU before the suffix. It is no CA, and has no right to sign CRLs:
 * verifiers of host-key documents do not ask for it.
 */
#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "hostkey_priv.h"
#include "identity_priv.h"
#include "ossl_err.h"
#include "ossl_priv.h"

#define IBM   "International Business Machines Corporation"
#define MAKER "zpv (" SIMULATED_MARK ")"

/*
 * Validity. It begins a day early, for machines whose clocks differ. Each level outlives what it
 * issues, and a CRL what it speaks of: while a document is valid, nothing else gets in its way.
 */
#define EARLY_DAYS   (-1)
#define CA_DAYS	     7305 /* 20 years */
#define SIGNING_DAYS 4018 /* 11 years, also of all CRLs */
#define HKD_DAYS     3653 /* 10 years */
#define CRL_DAYS     SIGNING_DAYS

#define SERIAL_BYTES 16

struct plan {
	enum pki_id issuer;
	int days;
	const char *crl_file;			    /* what this one is revoked by; NULL: nothing */
	const char *basic, *usage, *extended_usage; /* in the notation of OpenSSL's configuration */
	const char *organization, *unit, *common_name;
	const char *rest; /* of the common name behind "<type>-<serial>"; NULL: it has no such */
	bool place;	  /* has state and locality */
};

#define CA_USAGE "critical,keyCertSign,cRLSign"

static const struct plan plans[PKI_COUNT] = {
	[PKI_ROOT] = {
		.issuer = PKI_ROOT,
		.days = CA_DAYS,
		.basic = "critical,CA:TRUE",
		.usage = CA_USAGE,
		.organization = MAKER,
		.unit = "Root CA",
		.common_name = SIMULATED_MARK " root CA of machine ",
		.rest = "",
	},
	[PKI_INTERMEDIATE] = {
		.issuer = PKI_ROOT,
		.days = CA_DAYS,
		.crl_file = "rootCA.crl",
		.basic = "critical,CA:TRUE,pathlen:0",
		.usage = CA_USAGE,
		.organization = MAKER,
		.unit = "Intermediate CA",
		.common_name = SIMULATED_MARK " intermediate CA of machine ",
		.rest = "",
	},
	[PKI_SIGNING] = {
		.issuer = PKI_INTERMEDIATE,
		.days = SIGNING_DAYS,
		.crl_file = "DigiCertCA.crl",
		.basic = "critical,CA:FALSE",
		.usage = "critical,digitalSignature",
		.extended_usage = "codeSigning",
		.organization = IBM,
		.unit = SIMULATED_MARK " IBM Z Host Key Signing Service",
		.common_name = IBM,
		.place = true,
	},
	[PKI_HOST] = {
		.issuer = PKI_SIGNING,
		.days = HKD_DAYS,
		.crl_file = "ibm-z-host-key-gen2.crl",
		.basic = "critical,CA:FALSE",
		.usage = "critical,keyAgreement",
		.organization = MAKER,
		.unit = "IBM Z Host Key",
		.common_name = SIMULATED_MARK " machine ",
		.rest = "",
		.place = true,
	},
	[PKI_BACKUP] = {
		.issuer = PKI_SIGNING,
		.days = HKD_DAYS,
		.crl_file = "ibm-z-host-key-gen2.crl",
		.basic = "critical,CA:FALSE",
		.usage = "critical,keyAgreement",
		.organization = MAKER,
		.unit = "IBM Z Host Key",
		.common_name = SIMULATED_MARK " machine ",
		.rest = ", backup key",
		.place = true,
	},
};

static bool add_part(X509_NAME *name, int nid, const char *text)
{
	return X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8, (const uint8_t *)text, -1, -1,
					  0) == 1;
}

static bool set_subject(X509 *cert, const struct plan *plan, const struct pki_spec *spec)
{
	X509_NAME *name = X509_get_subject_name(cert);
	char common_name[128];

	if (plan->rest)
		snprintf(common_name, sizeof(common_name), "%s%s-%s%s", plan->common_name,
			 spec->type, spec->serial, plan->rest);
	return add_part(name, NID_countryName, "US") &&
	       add_part(name, NID_organizationName, plan->organization) &&
	       add_part(name, NID_organizationalUnitName, plan->unit) &&
	       (!plan->place || (add_part(name, NID_localityName, "Armonk") &&
				 add_part(name, NID_stateOrProvinceName, "New York"))) &&
	       add_part(name, NID_commonName, plan->rest ? common_name : plan->common_name);
}

static bool set_serial(ASN1_INTEGER *serial)
{
	BIGNUM *n = BN_new();
	bool ok = n && BN_rand(n, 8 * SERIAL_BYTES - 1, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
		  BN_to_ASN1_INTEGER(n, serial) != NULL;

	BN_free(n);
	return ok;
}

static bool add_extension(X509 *cert, X509V3_CTX *ctx, int nid, const char *value)
{
	AUTO_OSSL(X509_EXTENSION) *ext = X509V3_EXT_conf_nid(NULL, ctx, nid, value);

	return ext && X509_add_ext(cert, ext, -1) == 1;
}

/* The base has no comma (crl_url_valid()), which would end the value. */
static bool add_crl_point(X509 *cert, X509V3_CTX *ctx, const char *base, const char *file)
{
	char value[CRL_URL_MAX + 64];

	snprintf(value, sizeof(value), "URI:%s/%s", base, file);
	return add_extension(cert, ctx, NID_crl_distribution_points, value);
}

static bool add_extensions(X509 *cert, X509 *issuer, const struct plan *plan,
			   const struct pki_spec *spec)
{
	X509V3_CTX ctx;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	return add_extension(cert, &ctx, NID_basic_constraints, plan->basic) &&
	       add_extension(cert, &ctx, NID_key_usage, plan->usage) &&
	       (!plan->extended_usage ||
		add_extension(cert, &ctx, NID_ext_key_usage, plan->extended_usage)) &&
	       add_extension(cert, &ctx, NID_subject_key_identifier, "hash") &&
	       add_extension(cert, &ctx, NID_authority_key_identifier, "keyid:always") &&
	       (!spec->crl_url || !plan->crl_file ||
		add_crl_point(cert, &ctx, spec->crl_url, plan->crl_file));
}

static bool set_period(ASN1_TIME *from, ASN1_TIME *until, time_t now, int days)
{
	return ASN1_TIME_adj(from, now, EARLY_DAYS, 0) && ASN1_TIME_adj(until, now, days, 0);
}

static bool make_cert(struct pki *p, enum pki_id id, const struct pki_spec *spec)
{
	const struct plan *plan = &plans[id];
	X509 *cert = X509_new(), *issuer = id == plan->issuer ? cert : p->certs[plan->issuer];

	p->certs[id] = cert;
	return cert && X509_set_version(cert, X509_VERSION_3) == 1 &&
	       set_serial(X509_get_serialNumber(cert)) && set_subject(cert, plan, spec) &&
	       X509_set_issuer_name(cert, X509_get_subject_name(issuer)) == 1 &&
	       set_period(X509_getm_notBefore(cert), X509_getm_notAfter(cert), spec->now,
			  plan->days) &&
	       X509_set_pubkey(cert, p->keys[id]) == 1 &&
	       add_extensions(cert, issuer, plan, spec) &&
	       X509_sign(cert, p->keys[plan->issuer], EVP_sha512()) > 0;
}

static bool add_crl_extensions(X509_CRL *crl, X509 *issuer)
{
	AUTO_OSSL(ASN1_INTEGER) *number = ASN1_INTEGER_new();
	AUTO_OSSL(X509_EXTENSION) *akid = NULL;
	X509V3_CTX ctx;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, issuer, NULL, NULL, crl, 0);
	akid = X509V3_EXT_conf_nid(NULL, &ctx, NID_authority_key_identifier, "keyid:always");
	return akid && X509_CRL_add_ext(crl, akid, -1) == 1 && number &&
	       ASN1_INTEGER_set(number, 1) == 1 &&
	       X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0, 0) == 1;
}

/*
 * Revokes a document that never was: check_hostkeydoc of s390-tools fails on a list of the signing
 * key that is empty.
 */
static bool add_example_entry(X509_CRL *crl, ASN1_TIME *date)
{
	AUTO_OSSL(ASN1_INTEGER) *serial = ASN1_INTEGER_new();
	X509_REVOKED *entry = X509_REVOKED_new();

	if (serial && entry && set_serial(serial) &&
	    X509_REVOKED_set_serialNumber(entry, serial) == 1 &&
	    X509_REVOKED_set_revocationDate(entry, date) == 1 &&
	    X509_CRL_add0_revoked(crl, entry) == 1)
		return true;
	X509_REVOKED_free(entry);
	return false;
}

static bool make_crl(struct pki *p, enum pki_id id, time_t now)
{
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *from = ASN1_TIME_new(), *until = ASN1_TIME_new();
	bool ok = crl && from && until && set_period(from, until, now, CRL_DAYS) &&
		  (id != PKI_SIGNING || add_example_entry(crl, from)) &&
		  X509_CRL_set_version(crl, X509_CRL_VERSION_2) == 1 &&
		  X509_CRL_set_issuer_name(crl, X509_get_subject_name(p->certs[id])) == 1 &&
		  X509_CRL_set1_lastUpdate(crl, from) == 1 &&
		  X509_CRL_set1_nextUpdate(crl, until) == 1 &&
		  add_crl_extensions(crl, p->certs[id]) &&
		  X509_CRL_sign(crl, p->keys[id], EVP_sha512()) > 0;

	p->crls[id] = crl;
	ASN1_TIME_free(from);
	ASN1_TIME_free(until);
	return ok;
}

int pki_new(const struct pki_spec *spec, struct pki **out, struct zpv_err *err)
{
	AUTO(pki) struct pki *p = calloc(1, sizeof(*p));
	int rc;

	if (!p)
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	rc = pki_generate_keys(p->keys, err);
	if (rc)
		return rc;
	for (int i = 0; i < PKI_COUNT; i++)
		if (!make_cert(p, (enum pki_id)i, spec))
			return ossl_err(err, ZPV_ERR_CRYPTO, "cannot make a certificate");
	for (int i = 0; i < PKI_ISSUERS; i++)
		if (!make_crl(p, (enum pki_id)i, spec->now))
			return ossl_err(err, ZPV_ERR_CRYPTO, "cannot make a CRL");
	*out = STEAL(p);
	return 0;
}

void pki_free(struct pki *p)
{
	if (!p)
		return;
	for (int i = 0; i < PKI_COUNT; i++) {
		EVP_PKEY_free(p->keys[i]);
		X509_free(p->certs[i]);
	}
	for (int i = 0; i < PKI_ISSUERS; i++)
		X509_CRL_free(p->crls[i]);
	free(p);
}
