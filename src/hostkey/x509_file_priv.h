/* SPDX-License-Identifier: MIT */
/*
 * The certificates and revocation lists of one file or download.
 */
#ifndef HOSTKEY_X509_FILE_PRIV_H
#define HOSTKEY_X509_FILE_PRIV_H

#include <openssl/x509.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"

/* Bundles of certificates and lists; a list of a large CA has some MiB. */
#define X509_FILE_MAX (16u << 20)

struct zpv_err;

struct x509_file {
	struct x509_file *next; /* of the owner's list */
	char *name;		/* path or URL */
	STACK_OF(X509) * certs;
	STACK_OF(X509_CRL) * crls;
	size_t rest; /* bytes behind a DER object, which are ignored */
};

/* An empty one. */
int x509_file_new(const char *name, struct x509_file **out, struct zpv_err *err) MUST_CHECK;

/*
 * Reads one DER certificate, one DER CRL, or any number of both in PEM among other text. There
 * may be none. Return: 0; -ZPV_ERR_FORMAT a PEM block that is damaged.
 */
int x509_file_parse(const uint8_t *data, size_t len, const char *name, struct x509_file **out,
		    struct zpv_err *err) MUST_CHECK;

int x509_file_read(const char *path, struct x509_file **out, struct zpv_err *err) MUST_CHECK;

void x509_file_free(struct x509_file *f);
DEFINE_AUTO(x509_file)

/* Frees a whole list. */
void x509_file_free_all(struct x509_file *f);

#endif
