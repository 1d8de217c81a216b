// SPDX-License-Identifier: MIT
/*
 * AES-256-GCM over libcrypto's EVP interface.
 */
#include "aes_gcm.h"

#include <assert.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdbool.h>

#include "ossl_err.h"
#include "secret.h"

struct gcm_data {
	const uint8_t *iv, *aad, *in;
	size_t aad_len, len;
	uint8_t *out;
};

/* Runs one direction up to, but not including, the tag. */
static bool gcm_run(EVP_CIPHER_CTX *ctx, const struct secret *key, const struct gcm_data *d,
		    int encrypt)
{
	int n;

	assert(secret_len(key) == GCM_KEY_BYTES && d->len <= INT_MAX && d->aad_len <= INT_MAX);
	return ctx &&
	       EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, secret_bytes(key), d->iv, encrypt) ==
		       1 &&
	       (!d->aad_len || EVP_CipherUpdate(ctx, NULL, &n, d->aad, (int)d->aad_len) == 1) &&
	       (!d->len || EVP_CipherUpdate(ctx, d->out, &n, d->in, (int)d->len) == 1);
}

int aes_gcm_seal(const struct secret *key, const uint8_t iv[GCM_IV_BYTES], const uint8_t *aad,
		 size_t aad_len, const uint8_t *in, size_t len, uint8_t *out,
		 uint8_t tag[GCM_TAG_BYTES], struct zpv_err *err)
{
	const struct gcm_data d = { iv, aad, in, aad_len, len, out };
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t none[16];
	int n;
	bool ok = gcm_run(ctx, key, &d, 1) && EVP_CipherFinal_ex(ctx, none, &n) == 1 &&
		  EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, GCM_TAG_BYTES, tag) == 1;

	EVP_CIPHER_CTX_free(ctx);
	return ok ? 0 : ossl_err(err, ZPV_ERR_CRYPTO, "AES-256-GCM encryption failed");
}

int aes_gcm_open(const struct secret *key, const uint8_t iv[GCM_IV_BYTES], const uint8_t *aad,
		 size_t aad_len, const uint8_t *in, size_t len, uint8_t *out,
		 const uint8_t tag[GCM_TAG_BYTES], struct zpv_err *err)
{
	const struct gcm_data d = { iv, aad, in, aad_len, len, out };
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t none[16];
	int n;
	bool ran = gcm_run(ctx, key, &d, 0) &&
		   EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, GCM_TAG_BYTES, (void *)tag) == 1;
	bool matches = ran && EVP_CipherFinal_ex(ctx, none, &n) == 1;

	EVP_CIPHER_CTX_free(ctx);
	if (matches)
		return 0;
	OPENSSL_cleanse(out, len);
	if (!ran)
		return ossl_err(err, ZPV_ERR_CRYPTO, "AES-256-GCM decryption failed");
	return ossl_err(err, ZPV_ERR_KEY, "the authentication tag does not match");
}
