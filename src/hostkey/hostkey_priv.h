/* SPDX-License-Identifier: MIT */
/*
 * Host-key documents within this room.
 */
#ifndef HOSTKEY_HOSTKEY_PRIV_H
#define HOSTKEY_HOSTKEY_PRIV_H

#include <openssl/x509.h>

#include "hostkey.h"

/* The word in a subject that tells a software machine from a real one. */
#define SIMULATED_MARK "SIMULATED"

/* As zpv_hostkey_read(), from memory; name stands for the path. */
int hostkey_parse(const uint8_t *data, size_t len, const char *name, const struct zpv_log *log,
		  struct zpv_hostkey **out, struct zpv_err *err) MUST_CHECK;

/* The document itself. Borrowed. */
X509 *hostkey_cert(const struct zpv_hostkey *hk);

/* The public host-key hash: SHA-256 of the 160 bytes of coordinates. */
int hostkey_hash_key(const struct p521 *key, uint8_t hash[ZPV_PHKH_BYTES], struct zpv_err *err)
	MUST_CHECK;

#endif
