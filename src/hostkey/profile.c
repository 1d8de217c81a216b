// SPDX-License-Identifier: MIT
/*
 * Generations of machines by name, and what names an identity.
 */
#include <assert.h>
#include <string.h>

#include "identity_priv.h"
#include "se_profile.h"

static_assert(ZPV_PROFILE_Z15 == 0 && ZPV_PROFILE_Z17 == SE_PROFILES - 1,
	      "the table is indexed by enum zpv_profile");

const char *zpv_profile_name(enum zpv_profile p)
{
	return (size_t)p < SE_PROFILES ? se_profiles[p].name : NULL;
}

bool zpv_profile_from_name(const char *name, enum zpv_profile *out)
{
	for (size_t i = 0; i < SE_PROFILES; i++) {
		if (strcmp(se_profiles[i].name, name) != 0)
			continue;
		*out = (enum zpv_profile)i;
		return true;
	}
	return false;
}

const char *profile_type(enum zpv_profile p)
{
	return (size_t)p < SE_PROFILES ? se_profiles[p].type : NULL;
}

#define DIGITS "0123456789"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define LOWER  "abcdefghijklmnopqrstuvwxyz"

bool serial_valid(const char *serial)
{
	size_t len = strlen(serial);

	return len >= 1 && len <= SERIAL_MAX && strspn(serial, DIGITS UPPER) == len;
}

bool crl_url_valid(const char *url)
{
	size_t len = strlen(url);
	size_t scheme = strncmp(url, "http://", 7) == 0	 ? 7 :
			strncmp(url, "https://", 8) == 0 ? 8 :
							   0;

	return scheme && len > scheme && len <= CRL_URL_MAX &&
	       strspn(url, DIGITS UPPER LOWER "-._~:/?#[]@!$&'()*+=%") == len;
}
