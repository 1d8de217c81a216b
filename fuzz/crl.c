// SPDX-License-Identifier: MIT
/*
 * Files of certificates and revocation lists, and the names in them.
 */
#include "fuzz.h"
#include "verify_priv.h"
#include "x509_file_priv.h"

static void look_at(const X509_NAME *name)
{
	char buf[NAME_TEXT_SIZE];
	X509_NAME *other;

	(void)subject_differences(name, buf, sizeof(buf));
	FUZZ_CHECK(text_of_name(name, buf) == buf);
	other = subject_swap_locality(name);
	X509_NAME_free(other);
	other = subject_reorder(name);
	X509_NAME_free(other);
}

static void look_at_all(const struct x509_file *f)
{
	char buf[TIME_TEXT_SIZE];

	for (int i = 0; i < sk_X509_num(f->certs); i++) {
		const X509 *cert = sk_X509_value(f->certs, i);

		look_at(X509_get_subject_name(cert));
		look_at(X509_get_issuer_name(cert));
		text_of_time(X509_get0_notAfter(cert), buf);
	}
	for (int i = 0; i < sk_X509_CRL_num(f->crls); i++) {
		const X509_CRL *crl = sk_X509_CRL_value(f->crls, i);

		look_at(X509_CRL_get_issuer(crl));
		text_of_time(X509_CRL_get0_lastUpdate(crl), buf);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct x509_file *f = NULL;

	if (x509_file_parse(data, len, "input", &f, NULL) == 0)
		look_at_all(f);
	x509_file_free(f);
	return 0;
}
