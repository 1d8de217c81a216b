// SPDX-License-Identifier: MIT
/*
 * Keys of an identity. The signing key's takes by far the longest and has a thread of its own.
 */
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <pthread.h>
#include <string.h>

#include "err.h"
#include "identity_priv.h"
#include "ossl_err.h"

#define SIGNING_KEY_BITS 4096
#define CA_KEY_BITS 3072

static EVP_PKEY *generate(enum pki_id id)
{
	switch (id) {
	case PKI_ROOT:
	case PKI_INTERMEDIATE:
		return EVP_RSA_gen(CA_KEY_BITS);
	case PKI_SIGNING:
		return EVP_RSA_gen(SIGNING_KEY_BITS);
	default:
		return EVP_EC_gen("secp521r1");
	}
}

static void *generate_signing_key(void *out)
{
	*(EVP_PKEY **)out = generate(PKI_SIGNING);
	return NULL;
}

int pki_generate_keys(EVP_PKEY *keys[PKI_COUNT], struct zpv_err *err)
{
	pthread_t thread;
	int rc = pthread_create(&thread, NULL, generate_signing_key, &keys[PKI_SIGNING]);

	if (rc)
		return err_set(err, ZPV_ERR_NOMEM, "cannot start a thread: %s", strerror(rc));
	for (int i = 0; i < PKI_COUNT; i++)
		if (i != PKI_SIGNING)
			keys[i] = generate((enum pki_id)i);
	pthread_join(thread, NULL);
	for (int i = 0; i < PKI_COUNT; i++)
		if (!keys[i])
			return ossl_err(err, ZPV_ERR_CRYPTO, "cannot generate the keys");
	return 0;
}
