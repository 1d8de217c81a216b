/* SPDX-License-Identifier: MIT */
/*
 * AUTO() for the objects of libcrypto that this room handles.
 */
#ifndef HOSTKEY_OSSL_PRIV_H
#define HOSTKEY_OSSL_PRIV_H

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "compiler.h"

/* Defines the cleanup function behind AUTO_OSSL(type) variable. */
#define DEFINE_AUTO_OSSL(type, free_fn)                      \
	UNUSED static inline void type##_auto_free(type **p) \
	{                                                    \
		free_fn(*p);                                 \
	}

#define AUTO_OSSL(type) __attribute__((cleanup(type##_auto_free))) type

UNUSED static inline void crl_stack_free(STACK_OF(X509_CRL) * *p)
{
	sk_X509_CRL_pop_free(*p, X509_CRL_free);
}

/* A stack that owns its CRLs. */
#define AUTO_CRL_STACK __attribute__((cleanup(crl_stack_free))) STACK_OF(X509_CRL)

DEFINE_AUTO_OSSL(BIO, BIO_free_all)
DEFINE_AUTO_OSSL(EVP_PKEY, EVP_PKEY_free)
DEFINE_AUTO_OSSL(X509, X509_free)
DEFINE_AUTO_OSSL(X509_CRL, X509_CRL_free)
DEFINE_AUTO_OSSL(X509_NAME, X509_NAME_free)
DEFINE_AUTO_OSSL(X509_STORE_CTX, X509_STORE_CTX_free)
DEFINE_AUTO_OSSL(X509_EXTENSION, X509_EXTENSION_free)
DEFINE_AUTO_OSSL(X509_VERIFY_PARAM, X509_VERIFY_PARAM_free)
DEFINE_AUTO_OSSL(AUTHORITY_KEYID, AUTHORITY_KEYID_free)
DEFINE_AUTO_OSSL(CRL_DIST_POINTS, CRL_DIST_POINTS_free)
DEFINE_AUTO_OSSL(ASN1_INTEGER, ASN1_INTEGER_free)

#endif
