/* SPDX-License-Identifier: MIT */
/*
 * The identity of a software machine: its keys and certificates, and its folder.
 */
#ifndef HOSTKEY_IDENTITY_PRIV_H
#define HOSTKEY_IDENTITY_PRIV_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include <zpv/hostkey.h>

#include "compiler.h"

#define SERIAL_MAX     16
#define KEY_HASH_LINES 15 /* of uv-keys-all: host key, backup key, reserved zeros */
#define CRL_URL_MAX    1024
#define HOST_FILES     (ZPV_HOST_BACKUP_KEY + 1)

/* --- profile.c ------------------------------------------------------------------------------ */

/* The machine type: "8561", "3931", "9175". */
const char *profile_type(enum zpv_profile p);

/* 1 to 16 of 0-9 A-Z. */
bool serial_valid(const char *serial);

/* An http or https address of at most CRL_URL_MAX characters that need no quoting. */
bool crl_url_valid(const char *url);

/* --- identity_pki.c ------------------------------------------------------------------------- */

enum pki_id { PKI_ROOT, PKI_INTERMEDIATE, PKI_SIGNING, PKI_HOST, PKI_BACKUP, PKI_COUNT };

#define PKI_ISSUERS (PKI_SIGNING + 1) /* the first ones issue, and each has a CRL */

struct pki_spec {
	const char *type, *serial;
	const char *crl_url; /* crl_url_valid(), without a slash at the end; NULL: none */
	time_t now;
};

struct pki {
	EVP_PKEY *keys[PKI_COUNT];
	X509 *certs[PKI_COUNT];
	X509_CRL *crls[PKI_ISSUERS];
};

int pki_new(const struct pki_spec *spec, struct pki **out, struct zpv_err *err) MUST_CHECK;
void pki_free(struct pki *p);
DEFINE_AUTO(pki)

/* --- identity_keys.c ------------------------------------------------------------------------ */

/* Generates all keys, on two threads; those made before a failure stay in the array. */
int pki_generate_keys(EVP_PKEY *keys[PKI_COUNT], struct zpv_err *err) MUST_CHECK;

/* --- identity_files.c ----------------------------------------------------------------------- */

/* Returns the name of a file below the folder, to be freed, or NULL without memory. */
char *host_file_name(enum zpv_host_file file, const char *type, const char *serial);

/* The key of a file in the object "files" of identity.json. */
const char *host_file_label(enum zpv_host_file file);

#define IDENTITY_JSON	   "identity.json"
#define IDENTITY_VERSION   1
#define IDENTITY_TIME_SIZE 21 /* 2026-11-22T12:00:00Z */

/* What identity.json says. */
struct identity {
	enum zpv_profile profile;
	char serial[SERIAL_MAX + 1];
	char created[IDENTITY_TIME_SIZE];
	uint8_t hash[ZPV_PHKH_BYTES], backup_hash[ZPV_PHKH_BYTES];
};

/* Returns the text, to be freed, or NULL without memory. */
char *identity_to_json(const struct identity *id);

/* Return: 0; -ZPV_ERR_FORMAT, and err tells which member is missing or wrong. */
int identity_from_json(const char *text, size_t len, struct identity *id, struct zpv_err *err)
	MUST_CHECK;

/* uv-keys-all, to be freed; NULL without memory. */
char *key_hashes_to_text(const uint8_t hash[ZPV_PHKH_BYTES],
			 const uint8_t backup_hash[ZPV_PHKH_BYTES]);

#endif
