// SPDX-License-Identifier: MIT
/*
 * AES-256-XTS over libcrypto: the key schedule is made once, each page sets only its tweak.
 */
#include "aes_xts.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "addr.h"
#include "be.h"
#include "ossl_err.h"
#include "err.h"
#include "secret.h"

struct xts {
	EVP_CIPHER_CTX *ctx;
};

int xts_new(const struct secret *key, enum xts_direction dir, struct xts **out, struct zpv_err *err)
{
	AUTO(xts) struct xts *x = calloc(1, sizeof(*x));
	const uint8_t *k = secret_bytes(key);

	assert(secret_len(key) == XTS_KEY_BYTES);
	if (!x)
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	if (CRYPTO_memcmp(k, k + XTS_KEY_BYTES / 2, XTS_KEY_BYTES / 2) == 0)
		return err_set(err, ZPV_ERR_KEY, "both halves of the AES-256-XTS key are the same");
	x->ctx = EVP_CIPHER_CTX_new();
	if (!x->ctx ||
	    EVP_CipherInit_ex(x->ctx, EVP_aes_256_xts(), NULL, k, NULL, dir == XTS_ENCRYPT) != 1)
		return ossl_err(err, ZPV_ERR_CRYPTO, "AES-256-XTS is not available");
	*out = STEAL(x);
	return 0;
}

int xts_pages(struct xts *x, uint64_t prefix, uint64_t offset, const uint8_t *in, uint8_t *out,
	      size_t npages, struct zpv_err *err)
{
	struct {
		be64 prefix, offset;
	} tweak;

	static_assert(sizeof(tweak) == XTS_TWEAK_BYTES, "tweak");
	be64_set(&tweak.prefix, prefix);
	for (size_t i = 0; i < npages; i++) {
		size_t at = i * PAGE_BYTES;
		int n;

		be64_set(&tweak.offset, offset + at);
		if (EVP_CipherInit_ex(x->ctx, NULL, NULL, NULL, tweak.prefix.b, -1) != 1 ||
		    EVP_CipherUpdate(x->ctx, out + at, &n, in + at, PAGE_BYTES) != 1)
			return ossl_err(err, ZPV_ERR_CRYPTO, "AES-256-XTS failed");
	}
	return 0;
}

void xts_free(struct xts *x)
{
	if (!x)
		return;
	EVP_CIPHER_CTX_free(x->ctx);
	free(x);
}
