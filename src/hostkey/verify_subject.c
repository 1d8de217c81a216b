// SPDX-License-Identifier: MIT
/*
 * Subjects of IBM Z host-key signing keys, and the names under which their CRLs were issued.
 *
 * Older signing keys are of Poughkeepsie, newer ones of Armonk, and CRLs exist whose issuer has
 * the other locality or another order of entries than the key's subject.
 */
#include <openssl/obj_mac.h>
#include <stdio.h>
#include <string.h>

#include "ossl_priv.h"
#include "verify_priv.h"

#define IBM	     "International Business Machines Corporation"
#define OU_SUFFIX    "Key Signing Service"
#define ARMONK	     "Armonk"
#define POUGHKEEPSIE "Poughkeepsie"

/* In the order of reordered names. */
static const struct attribute {
	int nid;
	const char *label, *want, *or_want;
} attributes[SUBJECT_ENTRIES] = {
	{ NID_countryName, "C", "US", NULL },
	{ NID_organizationName, "O", IBM, NULL },
	{ NID_organizationalUnitName, "OU", NULL, NULL }, /* a suffix: ou_fits() */
	{ NID_localityName, "L", POUGHKEEPSIE, ARMONK },
	{ NID_stateOrProvinceName, "ST", "New York", NULL },
	{ NID_commonName, "CN", IBM, NULL },
};

static X509_NAME_ENTRY *first_entry(const X509_NAME *name, int nid)
{
	int at = X509_NAME_get_index_by_NID(name, nid, -1);

	return at < 0 ? NULL : X509_NAME_get_entry(name, at);
}

static bool entry_is(const X509_NAME_ENTRY *entry, const char *text)
{
	const ASN1_STRING *value = X509_NAME_ENTRY_get_data(entry);
	size_t len = strlen(text);

	return (size_t)ASN1_STRING_length(value) == len &&
	       memcmp(ASN1_STRING_get0_data(value), text, len) == 0;
}

static bool ou_fits(const X509_NAME_ENTRY *entry)
{
	size_t suffix = strlen(OU_SUFFIX);
	uint8_t *text = NULL;
	int len = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(entry));
	bool fits = len >= (int)suffix &&
		    memcmp(text + (size_t)len - suffix, OU_SUFFIX, suffix) == 0;

	OPENSSL_free(text);
	return fits;
}

static bool attribute_fits(const struct attribute *a, const X509_NAME *name)
{
	const X509_NAME_ENTRY *entry = first_entry(name, a->nid);

	if (!entry)
		return false;
	if (!a->want)
		return ou_fits(entry);
	return entry_is(entry, a->want) || (a->or_want && entry_is(entry, a->or_want));
}

static void describe(const struct attribute *a, char *why, size_t size)
{
	if (!a->want)
		snprintf(why, size, "its %s does not end with '%s'", a->label, OU_SUFFIX);
	else
		snprintf(why, size, "its %s is not '%s'%s%s%s", a->label, a->want,
			 a->or_want ? " or '" : "", a->or_want ? a->or_want : "",
			 a->or_want ? "'" : "");
}

int subject_differences(const X509_NAME *name, char *why, size_t size)
{
	int entries = X509_NAME_entry_count(name);
	int count = 0;

	for (int i = 0; i < SUBJECT_ENTRIES; i++) {
		if (attribute_fits(&attributes[i], name))
			continue;
		if (why && count == 0)
			describe(&attributes[i], why, size);
		count++;
	}
	if (entries != SUBJECT_ENTRIES) {
		if (why && count == 0)
			snprintf(why, size, "its subject has %d entries, not %d", entries,
				 SUBJECT_ENTRIES);
		count++;
	}
	return count;
}

X509_NAME *subject_swap_locality(const X509_NAME *name)
{
	static const uint8_t other[] = POUGHKEEPSIE;
	const X509_NAME_ENTRY *locality = first_entry(name, NID_localityName);
	X509_NAME *swapped;
	bool ok = true;

	if (!locality || !entry_is(locality, ARMONK))
		return NULL;
	swapped = X509_NAME_new();
	for (int i = 0; swapped && ok && i < X509_NAME_entry_count(name); i++) {
		X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);
		int nid = OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry));

		ok = nid == NID_localityName ?
			     X509_NAME_add_entry_by_NID(swapped, nid, MBSTRING_UTF8, other,
							sizeof(other) - 1, -1, 0) :
			     X509_NAME_add_entry(swapped, entry, -1, 0);
	}
	if (ok)
		return swapped;
	X509_NAME_free(swapped);
	return NULL;
}

X509_NAME *subject_reorder(const X509_NAME *name)
{
	X509_NAME *ordered = X509_NAME_new();

	for (int i = 0; ordered && i < SUBJECT_ENTRIES; i++) {
		const X509_NAME_ENTRY *entry = first_entry(name, attributes[i].nid);

		if (entry && X509_NAME_add_entry(ordered, entry, -1, 0) != 1) {
			X509_NAME_free(ordered);
			return NULL;
		}
	}
	return ordered;
}
