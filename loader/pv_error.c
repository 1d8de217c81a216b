// SPDX-License-Identifier: MIT
/*
 * Failure codes of DIAGNOSE 308 subcodes 8 and 10, and of the Ultravisor calls behind the latter.
 *
 * boot-ipl.md sections 3.3, 6.2; ultravisor.md sections 4.12-4.14. No assembler: the unit test runs
 * it on the build machine.
 */
#include "pv_error.h"

#include <stddef.h>

#define RRC_ANY 0x10000 /* more than 16 bits: no rrc equals it */

struct uv_code {
	uint16_t cmd;
	uint16_t rc;
	uint32_t rrc; /* or RRC_ANY, behind the rows with a specific rrc */
	struct pv_error error;
};

#define HINT_CHANGED  "The image was changed or damaged; create it again."
#define HINT_HOST_KEY "Create the image with the host-key document of this machine."
#define HINT_FLAG     "This machine is older than the image needs, or the header is damaged."

/* clang-format off */
static const struct uv_code uv_codes[] = {
	{ PV_CMD_SET_SEC_PARMS, 0x0102, RRC_ANY,
	  { "The SE header has an impossible length.", HINT_CHANGED } },
	{ PV_CMD_SET_SEC_PARMS, 0x0103, RRC_ANY,
	  { "The SE header lies outside of the guest's memory.", "Give the guest more memory." } },
	{ PV_CMD_SET_SEC_PARMS, 0x0104, 0x0001,
	  { "This machine does not know the version of the SE header.",
	    "Create the image with tools that match this machine." } },
	{ PV_CMD_SET_SEC_PARMS, 0x0106, 0x0030,
	  { "A plaintext control flag of the SE header is not supported.", HINT_FLAG } },
	{ PV_CMD_SET_SEC_PARMS, 0x0108, 0x0005,
	  { "No key slot of the SE header belongs to the host key of this machine.",
	    HINT_HOST_KEY } },
	{ PV_CMD_SET_SEC_PARMS, 0x0108, 0x000b,
	  { "The customer's public key in the SE header is not a valid key.", HINT_CHANGED } },
	{ PV_CMD_SET_SEC_PARMS, 0x0108, 0x0034,
	  { "No key slot of the SE header belongs to the backup host key of this machine.",
	    HINT_HOST_KEY } },
	{ PV_CMD_SET_SEC_PARMS, 0x0108, RRC_ANY,
	  { "This machine cannot use the keys in the SE header.",
	    "Check that the image was encrypted for this machine." } },
	{ PV_CMD_SET_SEC_PARMS, 0x0109, 0x0000,
	  { "A secret control flag of the SE header is not supported.", HINT_FLAG } },
	{ PV_CMD_SET_SEC_PARMS, 0x010a, 0x0031,
	  { "The SE header is not as long as it says.", HINT_CHANGED } },
	{ PV_CMD_SET_SEC_PARMS, 0x010a, 0x0039,
	  { "The encrypted area of the SE header has a wrong size.", HINT_CHANGED } },
	{ PV_CMD_SET_SEC_PARMS, 0x010a, 0x0040,
	  { "The SE header has no key slots.",
	    "Create the image with at least one host-key document." } },
	{ PV_CMD_SET_SEC_PARMS, 0x010b, RRC_ANY,
	  { "The SE header is not authentic: a tag does not match.", HINT_CHANGED } },
	{ PV_CMD_UNPACK, 0x0103, RRC_ANY,
	  { "A page of the image lies outside of the guest's memory.",
	    "Give the guest more memory." } },
	{ PV_CMD_UNPACK, 0x010a, RRC_ANY,
	  { "A page of the image is not mapped.", "Give the guest more memory." } },
	{ PV_CMD_VERIFY, 0x0102, 0x001a,
	  { "The addresses of the image's pages are not those of the SE header (ALD).",
	    HINT_CHANGED } },
	{ PV_CMD_VERIFY, 0x0102, 0x001b,
	  { "The contents of the image's pages are not those of the SE header (PLD).",
	    HINT_CHANGED } },
	{ PV_CMD_VERIFY, 0x0102, 0x001c,
	  { "The tweaks of the image's pages are not those of the SE header (TLD).",
	    HINT_CHANGED } },
	{ PV_CMD_VERIFY, 0x0102, 0x001d,
	  { "The number of encrypted pages is not that of the SE header.", HINT_CHANGED } },
};
/* clang-format on */

static const struct pv_error program_check = {
	"The hypervisor does not know this DIAGNOSE 308 (program interruption).",
	"Use a hypervisor that supports IBM Secure Execution.",
};

struct pv_response pv_response_decode(uint64_t gr1)
{
	return (struct pv_response){
		.diag = (uint16_t)gr1,
		.rc = (uint16_t)(gr1 >> 16),
		.rrc = (uint16_t)(gr1 >> 32),
		.cmd = (uint16_t)(gr1 >> 48),
	};
}

const char *pv_cmd_name(uint16_t cmd)
{
	switch (cmd) {
	case PV_CMD_SET_SEC_PARMS:
		return "KVM_PV_SET_SEC_PARMS";
	case PV_CMD_UNPACK:
		return "KVM_PV_UNPACK";
	case PV_CMD_VERIFY:
		return "KVM_PV_VERIFY";
	default:
		return "UNKNOWN";
	}
}

struct pv_error pv_setup_explain(uint64_t code)
{
	switch (code) {
	case DIAG308_PROGRAM_CHECK:
		return program_check;
	case DIAG308_INVALID_PARAMETER:
		return (struct pv_error){ "The image's IPL parameter block is not valid.",
					  HINT_CHANGED };
	default:
		return (struct pv_error){ "The hypervisor gave an unknown reason.",
					  "See the log of the hypervisor." };
	}
}

static struct pv_error uv_explain(struct pv_response r)
{
	for (size_t i = 0; i < sizeof(uv_codes) / sizeof(uv_codes[0]); i++) {
		const struct uv_code *u = &uv_codes[i];

		if (u->cmd == r.cmd && u->rc == r.rc && (u->rrc == r.rrc || u->rrc == RRC_ANY))
			return u->error;
	}
	return (struct pv_error){ "The Ultravisor refused the image for an unknown reason.",
				  "See the log of the hypervisor." };
}

struct pv_error pv_start_explain(struct pv_response r)
{
	switch (r.diag) {
	case DIAG308_PROGRAM_CHECK:
		return program_check;
	case DIAG308_NO_PV_CONFIGURATION:
		return (struct pv_error){ "The hypervisor holds no IPL parameter block of an image.",
					  "Start the guest again." };
	case DIAG308_INVALID_FOR_PV:
		break;
	default:
		return (struct pv_error){ "The hypervisor gave an unknown reason.",
					  "See the log of the hypervisor." };
	}
	if (r.rc)
		return uv_explain(r);
	return (struct pv_error){
		"The hypervisor could not start protected mode; it does not say why.",
		"See its log. Huge pages cannot back a protected guest."
	};
}
