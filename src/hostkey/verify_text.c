// SPDX-License-Identifier: MIT
/*
 * How messages of the verification show names, dates and files.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "err.h"
#include "ossl_priv.h"
#include "verify_priv.h"

time_t verify_now(const struct zpv_verifier *v)
{
	return v->at ? v->at : time(NULL);
}

const char *text_of_name(const X509_NAME *name, char buf[NAME_TEXT_SIZE])
{
	unsigned long flags = XN_FLAG_ONELINE & ~(unsigned long)XN_FLAG_SPC_EQ;
	AUTO_OSSL(BIO) *bio = BIO_new(BIO_s_mem());
	int len = 0;

	if (bio && X509_NAME_print_ex(bio, name, 0, flags) >= 0)
		len = BIO_read(bio, buf, NAME_TEXT_SIZE - 1);
	buf[len > 0 ? len : 0] = '\0';
	return buf;
}

static const char *text_of_tm(const struct tm *tm, char buf[TIME_TEXT_SIZE])
{
	if (strftime(buf, TIME_TEXT_SIZE, "%Y-%m-%dT%H:%M:%SZ", tm) == 0)
		buf[0] = '\0';
	return buf;
}

const char *text_of_time(const ASN1_TIME *t, char buf[TIME_TEXT_SIZE])
{
	struct tm tm;

	if (!t || ASN1_TIME_to_tm(t, &tm) != 1) {
		snprintf(buf, TIME_TEXT_SIZE, "an unreadable date");
		return buf;
	}
	return text_of_tm(&tm, buf);
}

const char *text_of_now(time_t t, char buf[TIME_TEXT_SIZE])
{
	struct tm tm;

	if (!gmtime_r(&t, &tm)) {
		snprintf(buf, TIME_TEXT_SIZE, "an unknown date");
		return buf;
	}
	return text_of_tm(&tm, buf);
}

static const char *find_cert(const struct x509_file *list, const X509 *cert)
{
	for (const struct x509_file *f = list; f; f = f->next)
		for (int i = 0; i < sk_X509_num(f->certs); i++)
			if (X509_cmp(sk_X509_value(f->certs, i), cert) == 0)
				return f->name;
	return NULL;
}

static const char *find_crl(const struct x509_file *list, const X509_CRL *crl)
{
	for (const struct x509_file *f = list; f; f = f->next)
		for (int i = 0; i < sk_X509_CRL_num(f->crls); i++)
			if (X509_CRL_match(sk_X509_CRL_value(f->crls, i), crl) == 0)
				return f->name;
	return NULL;
}

const char *origin_of_cert(const struct zpv_verifier *v, const X509 *cert)
{
	const char *name = find_cert(v->certs, cert);

	if (!name)
		name = find_cert(v->roots, cert);
	return name ? name : "the trust store";
}

const char *origin_of_crl(const struct zpv_verifier *v, const X509_CRL *crl)
{
	const struct x509_file *const lists[] = { v->crls, v->certs, v->roots, v->downloads };

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		const char *name = find_crl(lists[i], crl);

		if (name)
			return name;
	}
	return "the trust store";
}

int verify_refuse(struct zpv_err *err, const char *fmt, ...)
{
	char text[ZPV_ERR_TEXT_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return err_set(err, ZPV_ERR_VERIFY, "Host-key verification failed: %s", text);
}
