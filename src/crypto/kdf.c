// SPDX-License-Identifier: MIT
/*
 * Key derivation over libcrypto's EVP_KDF.
 */
#include "kdf.h"

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "ossl_err.h"
#include "secret.h"

static int derive(const char *name, OSSL_PARAM *params, size_t out_len, struct secret **out,
		  struct zpv_err *err)
{
	AUTO(secret) struct secret *key = NULL;
	int rc = secret_new(out_len, &key, err);
	EVP_KDF *kdf;
	EVP_KDF_CTX *ctx;
	int ok;

	if (rc)
		return rc;
	kdf = EVP_KDF_fetch(NULL, name, NULL);
	ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	ok = ctx && EVP_KDF_derive(ctx, secret_data(key), out_len, params) == 1;
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	if (!ok)
		return ossl_err(err, ZPV_ERR_CRYPTO, "key derivation by %s failed", name);
	*out = STEAL(key);
	return 0;
}

static OSSL_PARAM octets(const char *name, const uint8_t *data, size_t len)
{
	return OSSL_PARAM_construct_octet_string(name, (void *)data, len);
}

static OSSL_PARAM digest(enum sha_kind hash)
{
	return OSSL_PARAM_construct_utf8_string(
		OSSL_KDF_PARAM_DIGEST, hash == SHA_256 ? (char *)"SHA256" : (char *)"SHA512", 0);
}

int hkdf(enum sha_kind hash, const struct secret *ikm, const uint8_t *salt, size_t salt_len,
	 const uint8_t *info, size_t info_len, size_t out_len, struct secret **out,
	 struct zpv_err *err)
{
	OSSL_PARAM params[5], *p = params;

	*p++ = digest(hash);
	*p++ = octets(OSSL_KDF_PARAM_KEY, secret_bytes(ikm), secret_len(ikm));
	if (salt_len)
		*p++ = octets(OSSL_KDF_PARAM_SALT, salt, salt_len);
	if (info_len)
		*p++ = octets(OSSL_KDF_PARAM_INFO, info, info_len);
	*p = OSSL_PARAM_construct_end();
	return derive("HKDF", params, out_len, out, err);
}

int x963_kdf_sha256(const struct secret *z, const uint8_t *info, size_t info_len, size_t out_len,
		    struct secret **out, struct zpv_err *err)
{
	OSSL_PARAM params[4], *p = params;

	*p++ = digest(SHA_256);
	*p++ = octets(OSSL_KDF_PARAM_KEY, secret_bytes(z), secret_len(z));
	if (info_len)
		*p++ = octets(OSSL_KDF_PARAM_INFO, info, info_len);
	*p = OSSL_PARAM_construct_end();
	return derive("X963KDF", params, out_len, out, err);
}
