// SPDX-License-Identifier: MIT
/*
 * The key-slot vector that s390-tools publishes (rust/pv/tests/assets; se-image.md section 6.3): the
 * protection key 32 x 0x17, wrapped with the customer's private key for the host of the document,
 * gives the slot byte for byte.
 *
 * The files are not in this tree. Name a source tree of s390-tools by ZPV_S390_TOOLS.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "err.h"
#include "hostkey.h"
#include "hpk.h"
#include "io.h"
#include "p521.h"
#include "se_hdr.h"
#include "secret.h"

#define ASSETS	     "rust/pv/tests/assets"
#define SCALAR_BYTES 80

static const char *path(char *buf, size_t size, const char *tree, const char *name)
{
	snprintf(buf, size, "%s/" ASSETS "/%s", tree, name);
	return buf;
}

static int run(const char *tree, struct zpv_err *err)
{
	AUTO(zpv_hostkey) struct zpv_hostkey *host = NULL;
	AUTO(secret) struct secret *scalar = NULL, *hpk = NULL;
	AUTO(p521) struct p521 *cust = NULL;
	AUTO_BUF want = BUF_INIT;
	struct se_key_slot slot;
	char name[4096];
	int rc = secret_read_file(path(name, sizeof(name), tree, "keys/private_cust.bin"),
				  "customer key", SCALAR_BYTES, &scalar, err);

	if (!rc)
		rc = p521_from_scalar(scalar, &cust, err);
	if (!rc)
		rc = zpv_hostkey_read(path(name, sizeof(name), tree, "keys/host.pem.crt"), NULL,
				      &host, err);
	if (!rc)
		rc = io_read_file(path(name, sizeof(name), tree, "exp/keyslot.bin"), 4096, &want,
				  err);
	if (!rc)
		rc = secret_new(HPK_BYTES, &hpk, err);
	if (rc)
		return rc;
	memset(secret_data(hpk), 0x17, HPK_BYTES);
	memcpy(slot.phkh, zpv_hostkey_hash(host), SE_PHKH_BYTES);
	rc = hpk_wrap(cust, hostkey_key(host), hpk, slot.wrapped, slot.tag, err);
	if (rc)
		return rc;
	if (want.len != sizeof(slot) || memcmp(want.data, &slot, sizeof(slot)) != 0)
		return err_set(err, ZPV_ERR_VERIFY, "the slot differs from exp/keyslot.bin");
	return 0;
}

int main(void)
{
	const char *tree = getenv("ZPV_S390_TOOLS");
	struct zpv_err err = { 0 };
	int rc;

	puts("1..1");
	if (!tree) {
		puts("ok 1 - key slot of s390-tools # SKIP ZPV_S390_TOOLS names no source tree of "
		     "s390-tools, and its test data may not be copied here");
		return 0;
	}
	rc = run(tree, &err);
	printf("%sok 1 - key slot of s390-tools\n", rc ? "not " : "");
	if (rc)
		printf("# %s\n", err.text);
	return rc != 0;
}
