/* SPDX-License-Identifier: MIT */
/*
 * Turning the error queue of libcrypto into our error object.
 */
#ifndef CRYPTO_OSSL_ERR_H
#define CRYPTO_OSSL_ERR_H

#include <zpv/error.h>

#include "compiler.h"

/* Sets code and text with the reason of the first queued error behind it; empties the queue. */
int ossl_err(struct zpv_err *err, enum zpv_err_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);

#endif
