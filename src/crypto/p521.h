/* SPDX-License-Identifier: MIT */
/*
 * Keys on the curve secp521r1 and ECDH between them (SEC 1, NIST SP 800-56A).
 *
 * On the wire of Secure Execution a public key is 160 bytes: x and y, big-endian, each padded
 * with zeros on the left to 80 bytes.
 */
#ifndef CRYPTO_P521_H
#define CRYPTO_P521_H

#include <openssl/types.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"

#define P521_COORD_BYTES 80 /* one padded coordinate */
#define P521_POINT_BYTES (2 * P521_COORD_BYTES)
#define P521_Z_BYTES	 66 /* shared secret: the x coordinate, always of full length */

struct p521;
struct secret;
struct zpv_err;

int p521_generate(struct p521 **out, struct zpv_err *err) MUST_CHECK;

/* Takes a reference to key. Return: 0; -ZPV_ERR_KEY another kind of key or another curve. */
int p521_from_pkey(EVP_PKEY *key, struct p521 **out, struct zpv_err *err) MUST_CHECK;

/* Public key. Return: 0; -ZPV_ERR_KEY not a point of the curve, or padding that is not zero. */
int p521_from_point(const uint8_t point[P521_POINT_BYTES], struct p521 **out, struct zpv_err *err)
	MUST_CHECK;

/* Private key from its scalar (at most 66 significant bytes), for known answers. */
int p521_from_scalar(const struct secret *scalar, struct p521 **out, struct zpv_err *err)
	MUST_CHECK;

/* Reads an unencrypted PEM or DER private key. Return: 0; -ZPV_ERR_IO; -ZPV_ERR_KEY. */
int p521_read_private(const char *path, struct p521 **out, struct zpv_err *err) MUST_CHECK;

int p521_point(const struct p521 *key, uint8_t point[P521_POINT_BYTES], struct zpv_err *err)
	MUST_CHECK;

/* Z of private and public key, P521_Z_BYTES. */
int p521_ecdh(const struct p521 *priv, const struct p521 *pub, struct secret **z,
	      struct zpv_err *err) MUST_CHECK;

/* Borrowed, valid as long as key. */
EVP_PKEY *p521_pkey(const struct p521 *key);

void p521_free(struct p521 *key);
DEFINE_AUTO(p521)

#endif
