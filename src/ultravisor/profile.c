// SPDX-License-Identifier: MIT
/*
 * What the Ultravisor of each machine generation offers (ultravisor.md section 3.1).
 */
#include "uv_priv.h"

/* Bits first to last of a word. */
#define BITS(first, last) ((~0ull >> (first)) & (~0ull << (63 - (last))))

/*
 * What exists here: not fast destroy (bit 23), attestation and secrets (28-31, 33), which therefore
 * answer "invalid command" in every profile and are not reported.
 */
#define HOST_CALLS  (BITS(0, 7) | BITS(11, 22) | BITS(24, 27) | BIT64(34))
#define GUEST_CALLS (BIT64(0) | BITS(8, 9))

#define FEATURE_MISC BIT64(0)

const struct uv_profile *uv_profile(enum zpv_profile p)
{
	static const struct uv_profile profiles[SE_PROFILES] = {
		[ZPV_PROFILE_Z15] = { 0xff1ffe0000000000 & HOST_CALLS,
				      0x80c0000000000000 & GUEST_CALLS, FEATURE_MISC,
				      &se_profiles[ZPV_PROFILE_Z15] },
		[ZPV_PROFILE_Z16] = { 0xff1ffff000000000 & HOST_CALLS,
				      0x80c0000f00000000 & GUEST_CALLS, FEATURE_MISC,
				      &se_profiles[ZPV_PROFILE_Z16] },
		[ZPV_PROFILE_Z17] = { 0xff1ffff020000000 & HOST_CALLS,
				      0x80c0000f40000000 & GUEST_CALLS, FEATURE_MISC,
				      &se_profiles[ZPV_PROFILE_Z17] },
	};

	return &profiles[p];
}
