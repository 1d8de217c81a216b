// SPDX-License-Identifier: MIT
/*
 * P-521 keys over libcrypto. Private scalars stay inside EVP_PKEY, whose numbers libcrypto clears
 * on free and keeps in its secure heap when the program has set one up.
 */
#include "p521.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "io.h"
#include "ossl_err.h"
#include "secret.h"

#define GROUP	     "secp521r1"
#define FIELD_BYTES  66
#define PAD_BYTES    (P521_COORD_BYTES - FIELD_BYTES)
#define KEY_FILE_MAX 65536

struct p521 {
	EVP_PKEY *pkey;
};

static int wrap(EVP_PKEY *pkey, struct p521 **out, struct zpv_err *err)
{
	struct p521 *key = calloc(1, sizeof(*key));

	if (!key) {
		EVP_PKEY_free(pkey);
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	}
	key->pkey = pkey;
	*out = key;
	return 0;
}

int p521_generate(struct p521 **out, struct zpv_err *err)
{
	EVP_PKEY *pkey = EVP_EC_gen(GROUP);

	if (!pkey)
		return ossl_err(err, ZPV_ERR_CRYPTO, "cannot generate a P-521 key");
	return wrap(pkey, out, err);
}

int p521_from_pkey(EVP_PKEY *pkey, struct p521 **out, struct zpv_err *err)
{
	char group[64] = "";

	if (!EVP_PKEY_is_a(pkey, "EC"))
		return err_set(err, ZPV_ERR_KEY, "a key of kind %s, not EC on the curve %s",
			       EVP_PKEY_get0_type_name(pkey), GROUP);
	if (EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL) != 1 ||
	    strcmp(group, GROUP) != 0)
		return err_set(err, ZPV_ERR_KEY, "an EC key on the curve %s, not %s",
			       group[0] ? group : "(unnamed)", GROUP);
	EVP_PKEY_up_ref(pkey);
	return wrap(pkey, out, err);
}

/* Builds a key from parameters; takes the builder. */
static int from_params(OSSL_PARAM_BLD *bld, int selection, struct p521 **out, struct zpv_err *err)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(bld);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *pkey = NULL;
	bool ok = params && ctx && EVP_PKEY_fromdata_init(ctx) == 1 &&
		  EVP_PKEY_fromdata(ctx, &pkey, selection, params) == 1;

	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(bld);
	if (!ok)
		return ossl_err(err, ZPV_ERR_KEY, "not a key on the curve %s", GROUP);
	return wrap(pkey, out, err);
}

int p521_from_point(const uint8_t point[P521_POINT_BYTES], struct p521 **out, struct zpv_err *err)
{
	static const uint8_t zeros[PAD_BYTES];
	uint8_t sec1[1 + 2 * FIELD_BYTES] = { POINT_CONVERSION_UNCOMPRESSED };
	OSSL_PARAM_BLD *bld;

	for (int i = 0; i < 2; i++) {
		const uint8_t *coord = point + i * P521_COORD_BYTES;

		if (memcmp(coord, zeros, PAD_BYTES) != 0)
			return err_set(err, ZPV_ERR_KEY, "a coordinate of more than 66 bytes");
		memcpy(sec1 + 1 + i * FIELD_BYTES, coord + PAD_BYTES, FIELD_BYTES);
	}
	bld = OSSL_PARAM_BLD_new();
	if (!bld ||
	    OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, GROUP, 0) != 1 ||
	    OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, sec1, sizeof(sec1)) !=
		    1) {
		OSSL_PARAM_BLD_free(bld);
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	}
	return from_params(bld, EVP_PKEY_PUBLIC_KEY, out, err);
}

/* The public point of a scalar as SEC 1 bytes. */
static bool public_of(const BIGNUM *d, uint8_t sec1[1 + 2 * FIELD_BYTES])
{
	EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_secp521r1);
	EC_POINT *q = group ? EC_POINT_new(group) : NULL;
	bool ok = q && EC_POINT_mul(group, q, d, NULL, NULL, NULL) == 1 &&
		  EC_POINT_point2oct(group, q, POINT_CONVERSION_UNCOMPRESSED, sec1,
				     1 + 2 * FIELD_BYTES, NULL) == 1 + 2 * FIELD_BYTES;

	EC_POINT_free(q);
	EC_GROUP_free(group);
	return ok;
}

int p521_from_scalar(const struct secret *scalar, struct p521 **out, struct zpv_err *err)
{
	BIGNUM *d = BN_secure_new();
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	uint8_t sec1[1 + 2 * FIELD_BYTES];
	int rc;

	if (!d || !bld || !BN_bin2bn(secret_bytes(scalar), (int)secret_len(scalar), d) ||
	    !public_of(d, sec1) ||
	    OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, GROUP, 0) != 1 ||
	    OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, sec1, sizeof(sec1)) !=
		    1 ||
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_PRIV_KEY, d) != 1) {
		OSSL_PARAM_BLD_free(bld);
		BN_clear_free(d);
		return ossl_err(err, ZPV_ERR_KEY, "not a scalar of the curve %s", GROUP);
	}
	rc = from_params(bld, EVP_PKEY_KEYPAIR, out, err);
	BN_clear_free(d);
	return rc;
}

/* An empty passphrase: never asks on the terminal. */
static int no_passphrase(char *buf, int size, int rwflag, void *ctx)
{
	(void)buf, (void)size, (void)rwflag, (void)ctx;
	return 0;
}

static EVP_PKEY *decode_private(const struct secret *file, size_t len)
{
	const uint8_t *der = secret_bytes(file);
	BIO *bio = BIO_new_mem_buf(der, (int)len);
	EVP_PKEY *pkey = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;

	BIO_free(bio);
	return pkey ? pkey : d2i_AutoPrivateKey(NULL, &der, (long)len);
}

int p521_read_private(const char *path, struct p521 **out, struct zpv_err *err)
{
	AUTO(secret) struct secret *file = NULL;
	AUTO_FD fd = io_open_read(path, err);
	EVP_PKEY *pkey;
	ssize_t n;
	int rc;

	if (fd < 0)
		return fd;
	rc = secret_new(KEY_FILE_MAX, &file, err);
	if (rc)
		return rc;
	n = io_read_full(fd, secret_data(file), KEY_FILE_MAX);
	if (n < 0)
		return err_errno(err, ZPV_ERR_IO, "cannot read '%s'", path);
	pkey = decode_private(file, (size_t)n);
	if (!pkey)
		return ossl_err(err, ZPV_ERR_KEY,
				"'%s' is not an unencrypted PEM or DER private key", path);
	rc = p521_from_pkey(pkey, out, err);
	EVP_PKEY_free(pkey);
	return rc ? err_ctx(err, "'%s'", path) : 0;
}

int p521_point(const struct p521 *key, uint8_t point[P521_POINT_BYTES], struct zpv_err *err)
{
	static const char *const names[2] = { OSSL_PKEY_PARAM_EC_PUB_X, OSSL_PKEY_PARAM_EC_PUB_Y };

	for (int i = 0; i < 2; i++) {
		BIGNUM *v = NULL;
		bool ok = EVP_PKEY_get_bn_param(key->pkey, names[i], &v) == 1 &&
			  BN_bn2binpad(v, point + i * P521_COORD_BYTES, P521_COORD_BYTES) ==
				  P521_COORD_BYTES;

		BN_free(v);
		if (!ok)
			return ossl_err(err, ZPV_ERR_CRYPTO,
					"cannot read the coordinates of a key");
	}
	return 0;
}

int p521_ecdh(const struct p521 *priv, const struct p521 *pub, struct secret **z,
	      struct zpv_err *err)
{
	AUTO(secret) struct secret *s = NULL;
	EVP_PKEY_CTX *ctx;
	size_t len = P521_Z_BYTES;
	int rc = secret_new(P521_Z_BYTES, &s, err);
	bool ok;

	if (rc)
		return rc;
	ctx = EVP_PKEY_CTX_new(priv->pkey, NULL);
	ok = ctx && EVP_PKEY_derive_init(ctx) == 1 &&
	     EVP_PKEY_derive_set_peer(ctx, pub->pkey) == 1 &&
	     EVP_PKEY_derive(ctx, secret_data(s), &len) == 1 && len == P521_Z_BYTES;
	EVP_PKEY_CTX_free(ctx);
	if (!ok)
		return ossl_err(err, ZPV_ERR_CRYPTO, "ECDH failed");
	*z = STEAL(s);
	return 0;
}

EVP_PKEY *p521_pkey(const struct p521 *key)
{
	return key->pkey;
}

void p521_free(struct p521 *key)
{
	if (!key)
		return;
	EVP_PKEY_free(key->pkey);
	free(key);
}
