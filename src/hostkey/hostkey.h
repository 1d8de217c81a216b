/* SPDX-License-Identifier: MIT */
/*
 * What other rooms of the library need of a host-key document beyond the public header.
 */
#ifndef HOSTKEY_HOSTKEY_H
#define HOSTKEY_HOSTKEY_H

#include <zpv/hostkey.h>

#include "compiler.h"

struct p521;

/* The document's public key. Borrowed. */
const struct p521 *hostkey_key(const struct zpv_hostkey *hk);

DEFINE_AUTO(zpv_hostkey)
DEFINE_AUTO(zpv_host)
DEFINE_AUTO(zpv_verifier)

#endif
