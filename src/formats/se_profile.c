// SPDX-License-Identifier: MIT
/*
 * The table of machine generations. PCKMO for HMAC keys (bit 59) needs a function that none of the
 * emulated machines has.
 */
#include "se_profile.h"

#include "se_hdr.h"

const struct se_profile se_profiles[SE_PROFILES] = {
	{ "z15", "8561", PCF_PCKMO | PCF_NO_ENCRYPTION, 0 },
	{ "z16", "3931", PCF_PCKMO | PCF_NO_ENCRYPTION | PCF_DUMP | PCF_BACKUP_KEYS,
	  SCF_CCK_EXTENSION_SECRET },
	{ "z17", "9175", PCF_PCKMO | PCF_NO_ENCRYPTION | PCF_DUMP | PCF_BACKUP_KEYS,
	  SCF_CCK_EXTENSION_SECRET | SCF_CCK_UPDATE },
};
