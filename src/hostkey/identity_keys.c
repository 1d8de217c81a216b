// SPDX-License-Identifier: MIT
/*
 * Keys of an identity.
 *
 * The signing key takes by far the longest, and how long is a matter of luck. One thread begins
 * with it at once; the other makes all other keys, and then tries its luck with the signing key
 * too. The first that is found is taken.
 */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "err.h"
#include "identity_priv.h"
#include "ossl_err.h"

#define SIGNING_KEY_BITS 4096
#define CA_KEY_BITS	 3072

struct race {
	atomic_bool won;
	EVP_PKEY *key; /* written by the winner */
};

/* Called by libcrypto while it searches; 0 ends the search. */
static int go_on(EVP_PKEY_CTX *ctx)
{
	struct race *race = EVP_PKEY_CTX_get_app_data(ctx);

	return !atomic_load(&race->won);
}

static void *run_race(void *arg)
{
	struct race *race = arg;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	EVP_PKEY *key = NULL;

	if (ctx && EVP_PKEY_keygen_init(ctx) == 1 &&
	    EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, SIGNING_KEY_BITS) == 1) {
		EVP_PKEY_CTX_set_app_data(ctx, race);
		EVP_PKEY_CTX_set_cb(ctx, go_on);
		if (EVP_PKEY_generate(ctx, &key) != 1)
			key = NULL;
	}
	EVP_PKEY_CTX_free(ctx);
	if (key && !atomic_exchange(&race->won, true))
		race->key = key;
	else
		EVP_PKEY_free(key);
	return NULL;
}

static EVP_PKEY *generate(enum pki_id id)
{
	if (id == PKI_ROOT || id == PKI_INTERMEDIATE)
		return EVP_RSA_gen(CA_KEY_BITS);
	return EVP_EC_gen("secp521r1");
}

int pki_generate_keys(EVP_PKEY *keys[PKI_COUNT], struct zpv_err *err)
{
	struct race race = { .key = NULL };
	pthread_t thread;
	int rc = pthread_create(&thread, NULL, run_race, &race);

	if (rc)
		return err_set(err, ZPV_ERR_NOMEM, "cannot start a thread: %s", strerror(rc));
	for (int i = 0; i < PKI_COUNT; i++)
		if (i != PKI_SIGNING)
			keys[i] = generate((enum pki_id)i);
	if (!atomic_load(&race.won))
		run_race(&race);
	pthread_join(thread, NULL);
	keys[PKI_SIGNING] = race.key;
	for (int i = 0; i < PKI_COUNT; i++)
		if (!keys[i])
			return ossl_err(err, ZPV_ERR_CRYPTO, "cannot generate the keys");
	ERR_clear_error();
	return 0;
}
