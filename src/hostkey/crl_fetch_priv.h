/* SPDX-License-Identifier: MIT */
/*
 * Downloading revocation lists from the distribution points of a certificate.
 */
#ifndef HOSTKEY_CRL_FETCH_PRIV_H
#define HOSTKEY_CRL_FETCH_PRIV_H

#include <openssl/x509.h>

#include <zpv/log.h>

#include "x509_file_priv.h"

/*
 * Returns the lists of the first distribution point that delivers any, or NULL. What was tried is
 * kept in cache, failures too, and tried only once; the result belongs to it. Failures are told
 * at level info.
 */
const struct x509_file *crl_fetch_first(const X509 *cert, struct x509_file **cache,
					const struct zpv_log *log);

#endif
