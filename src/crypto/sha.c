// SPDX-License-Identifier: MIT
/*
 * SHA-2 streams over libcrypto.
 */
#include "sha.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "err.h"
#include "ossl_err.h"

struct sha {
	EVP_MD_CTX *ctx;
	bool failed;
};

/*
 * Asking libcrypto for an algorithm by name takes longer than hashing a short message, so it is done
 * once and kept.
 */
static EVP_MD *algorithms[] = { [SHA_256] = NULL, [SHA_512] = NULL };
static pthread_once_t fetched = PTHREAD_ONCE_INIT;

static void fetch_all(void)
{
	algorithms[SHA_256] = EVP_MD_fetch(NULL, "SHA2-256", NULL);
	algorithms[SHA_512] = EVP_MD_fetch(NULL, "SHA2-512", NULL);
}

/* NULL when this libcrypto has none. */
static const EVP_MD *algorithm(enum sha_kind kind)
{
	pthread_once(&fetched, fetch_all);
	return algorithms[kind];
}

int sha_new(enum sha_kind kind, struct sha **out, struct zpv_err *err)
{
	AUTO(sha) struct sha *s = calloc(1, sizeof(*s));
	const EVP_MD *md = algorithm(kind);

	if (!s)
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	s->ctx = EVP_MD_CTX_new();
	if (!s->ctx || !md || EVP_DigestInit_ex(s->ctx, md, NULL) != 1)
		return ossl_err(err, ZPV_ERR_CRYPTO, "SHA-2 is not available");
	*out = STEAL(s);
	return 0;
}

void sha_update(struct sha *s, const void *data, size_t len)
{
	if (EVP_DigestUpdate(s->ctx, data, len) != 1)
		s->failed = true;
}

int sha_final(struct sha *s, uint8_t *digest, struct zpv_err *err)
{
	if (s->failed || EVP_DigestFinal_ex(s->ctx, digest, NULL) != 1)
		return ossl_err(err, ZPV_ERR_CRYPTO, "SHA-2 failed");
	return 0;
}

void sha_free(struct sha *s)
{
	if (!s)
		return;
	EVP_MD_CTX_free(s->ctx);
	free(s);
}

int sha256(const void *data, size_t len, uint8_t digest[SHA256_BYTES], struct zpv_err *err)
{
	const EVP_MD *md = algorithm(SHA_256);

	if (!md || EVP_Digest(data, len, digest, NULL, md, NULL) != 1)
		return ossl_err(err, ZPV_ERR_CRYPTO, "SHA-256 failed");
	return 0;
}
