// SPDX-License-Identifier: MIT
/*
 * CRL download over http and https.
 *
 * curl_global_init() runs once per process, on the first download, and is never undone. libcurl
 * before 7.84 does not make that call thread-safe: a program that uses such a libcurl itself on
 * several threads calls curl_global_init() before it starts them, as libcurl's manual demands.
 */
#include "crl_fetch_priv.h"

#include <curl/curl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "buf.h"
#include "err.h"
#include "log.h"
#include "ossl_priv.h"

#define TIMEOUT_MS    3000L
#define REDIRECTS_MAX 10L
#define PROTOCOLS     "http,https"

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;
static CURLcode curl_ready;

static void init_curl(void)
{
	curl_ready = curl_global_init(CURL_GLOBAL_DEFAULT);
}

static size_t store_body(char *data, size_t size, size_t count, void *ctx)
{
	struct buf *body = ctx;
	size_t len = size * count;

	if (len > X509_FILE_MAX - body->len || buf_append(body, data, len, NULL) != 0)
		return 0;
	return len;
}

static bool set_options(CURL *curl, const char *url, struct buf *body, char *reason)
{
	return curl_easy_setopt(curl, CURLOPT_URL, url) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, PROTOCOLS) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, PROTOCOLS) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_MAXREDIRS, REDIRECTS_MAX) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, TIMEOUT_MS) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_MAXFILESIZE, (long)X509_FILE_MAX) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_USERAGENT, "zpv") == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, store_body) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_WRITEDATA, body) == CURLE_OK;
}

static int download(const char *url, struct buf *body, struct zpv_err *err)
{
	char reason[CURL_ERROR_SIZE] = "";
	CURLcode rc = CURLE_FAILED_INIT;
	CURL *curl;

	pthread_once(&curl_once, init_curl);
	curl = curl_ready == CURLE_OK ? curl_easy_init() : NULL;
	if (curl && set_options(curl, url, body, reason))
		rc = curl_easy_perform(curl);
	curl_easy_cleanup(curl);
	if (rc == CURLE_WRITE_ERROR || rc == CURLE_FILESIZE_EXCEEDED)
		return err_set(err, ZPV_ERR_NETWORK, "more than the %u bytes allowed",
			       X509_FILE_MAX);
	if (rc != CURLE_OK)
		return err_set(err, ZPV_ERR_NETWORK, "%s",
			       reason[0] ? reason : curl_easy_strerror(rc));
	return 0;
}

static int fetch(const char *url, struct x509_file **out, struct zpv_err *err)
{
	AUTO_BUF body = BUF_INIT;
	AUTO(x509_file) struct x509_file *f = NULL;
	int rc = download(url, &body, err);

	if (!rc)
		rc = x509_file_parse(body.data, body.len, url, &f, err);
	if (rc)
		return rc;
	if (sk_X509_CRL_num(f->crls) < 1)
		return err_set(err, ZPV_ERR_FORMAT, "there is no CRL in the %zu bytes received",
			       body.len);
	*out = STEAL(f);
	return 0;
}

/* Downloads unless the cache has the answer, be it an empty one. NULL without memory. */
static const struct x509_file *fetch_cached(const char *url, struct x509_file **cache,
					    const struct zpv_log *log)
{
	struct x509_file *f = NULL;
	struct zpv_err err;

	for (const struct x509_file *c = *cache; c; c = c->next)
		if (strcmp(c->name, url) == 0)
			return c;
	if (fetch(url, &f, &err) == 0) {
		log_info(log, "downloaded the CRL '%s'", url);
	} else {
		log_info(log, "cannot download the CRL '%s': %s", url, err.text);
		if (x509_file_new(url, &f, NULL) != 0)
			return NULL;
	}
	f->next = *cache;
	*cache = f;
	return f;
}

/* Printable ASCII: what a certificate says must not upset a terminal. */
static bool is_plain(const char *url)
{
	while (*url > ' ' && *url < 0x7f)
		url++;
	return *url == '\0';
}

/* The URL of a general name, or NULL when it is none that can be downloaded. */
static const char *http_url(const GENERAL_NAME *name)
{
	int type;
	const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);
	const char *url;

	if (type != GEN_URI)
		return NULL;
	url = (const char *)ASN1_STRING_get0_data(value);
	if (strlen(url) != (size_t)ASN1_STRING_length(value) || !is_plain(url))
		return NULL;
	if (strncasecmp(url, "http://", 7) != 0 && strncasecmp(url, "https://", 8) != 0)
		return NULL;
	return url;
}

static const struct x509_file *fetch_point(const DIST_POINT *point, struct x509_file **cache,
					   const struct zpv_log *log)
{
	const GENERAL_NAMES *names;

	if (!point->distpoint || point->distpoint->type != 0)
		return NULL;
	names = point->distpoint->name.fullname;
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const char *url = http_url(sk_GENERAL_NAME_value(names, i));
		const struct x509_file *f = url ? fetch_cached(url, cache, log) : NULL;

		if (f && sk_X509_CRL_num(f->crls) > 0)
			return f;
	}
	return NULL;
}

const struct x509_file *crl_fetch_first(const X509 *cert, struct x509_file **cache,
					const struct zpv_log *log)
{
	AUTO_OSSL(CRL_DIST_POINTS) *points =
		X509_get_ext_d2i(cert, NID_crl_distribution_points, NULL, NULL);

	for (int i = 0; i < sk_DIST_POINT_num(points); i++) {
		const struct x509_file *f = fetch_point(sk_DIST_POINT_value(points, i), cache, log);

		if (f)
			return f;
	}
	return NULL;
}
