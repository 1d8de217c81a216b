/* SPDX-License-Identifier: MIT */
/*
 * Generations of machines and what their Ultravisors accept in an SE header.
 *
 * Project choice, from what each generation introduced: ultravisor.md section 3.1.
 */
#ifndef FORMATS_SE_PROFILE_H
#define FORMATS_SE_PROFILE_H

#include <stddef.h>
#include <stdint.h>

#define SE_PROFILES 3

struct se_profile {
	const char *name;  /* "z16" */
	const char *type;  /* machine type, "3931" */
	uint64_t pcf, scf; /* control flags that are accepted */
};

/* Oldest first, indexed by enum zpv_profile. */
extern const struct se_profile se_profiles[SE_PROFILES];

#endif
