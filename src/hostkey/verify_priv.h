/* SPDX-License-Identifier: MIT */
/*
 * The parts of the verification of host-key documents.
 *
 * Behavior: s390-tools 2.43, rust/pv/src/verify (the specification se-image, section 11).
 */
#ifndef HOSTKEY_VERIFY_PRIV_H
#define HOSTKEY_VERIFY_PRIV_H

#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include <zpv/hostkey.h>

#include "compiler.h"
#include "x509_file_priv.h"

#define VERIFY_AUTH_LEVEL    2	 /* of OpenSSL */
#define VERIFY_SECURITY_BITS 112 /* what that level asks of a key */
#define VERIFY_DEPTH	     2	 /* intermediate CAs at most, and the least length of a chain */

struct zpv_verifier {
	X509_STORE *store; /* roots and CRLs, with all parameters set */
	X509 *signing_key;
	struct x509_file *roots, *certs, *crls; /* what was given; empty for the system's roots */
	struct x509_file *downloads;		/* by URL; one that failed is empty */
	const struct zpv_log *log;
	bool offline;
	time_t at;
};

/* The time that validity is checked against. */
time_t verify_now(const struct zpv_verifier *v);

/* --- verify_subject.c: names ---------------------------------------------------------------- */

#define SUBJECT_ENTRIES 6

/*
 * Counts what keeps a name from being the subject of an IBM Z host-key signing key; 0: it is one.
 * The first difference is described in why (may be NULL).
 */
int subject_differences(const X509_NAME *name, char *why, size_t size);

/* The name with locality Poughkeepsie in place of Armonk; NULL when it is not Armonk. */
X509_NAME *subject_swap_locality(const X509_NAME *name);

/* The first C, O, OU, L, ST, CN of a name in this order; NULL without memory. */
X509_NAME *subject_reorder(const X509_NAME *name);

/* --- verify_text.c: what messages say ------------------------------------------------------- */

#define NAME_TEXT_SIZE 256
#define TIME_TEXT_SIZE 32

/* These fill and return the buffer. */
const char *text_of_name(const X509_NAME *name, char buf[NAME_TEXT_SIZE]);
const char *text_of_time(const ASN1_TIME *t, char buf[TIME_TEXT_SIZE]); /* 2026-11-22T12:00:00Z */
const char *text_of_now(time_t t, char buf[TIME_TEXT_SIZE]);

/* The file or URL that brought it; "the trust store" for others. Borrowed. */
const char *origin_of_cert(const struct zpv_verifier *v, const X509 *cert);
const char *origin_of_crl(const struct zpv_verifier *v, const X509_CRL *crl);

/* "Host-key verification failed: " and the text. Returns -ZPV_ERR_VERIFY. */
int verify_refuse(struct zpv_err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* --- verify_chain.c ------------------------------------------------------------------------- */

/* Checks the signing key against the store, with untrusted certificates between. */
int verify_chain(const struct zpv_verifier *v, STACK_OF(X509) * untrusted, struct zpv_err *err)
	MUST_CHECK;

/* --- verify_hkd.c --------------------------------------------------------------------------- */

/* A document's checks against the signing key that need no CRL. */
int hkd_check_strength(const X509 *hkd, struct zpv_err *err) MUST_CHECK;
int hkd_check_validity(const X509 *hkd, const char *path, time_t now, struct zpv_err *err)
	MUST_CHECK;

#endif
