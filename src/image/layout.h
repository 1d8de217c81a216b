/* SPDX-License-Identifier: MIT */
/*
 * The layout of an existing image: where stage3a's arguments, the IPIB, the components and
 * stage3b's arguments are, as the loaders and the hypervisor will find them.
 */
#ifndef IMAGE_LAYOUT_H
#define IMAGE_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "image_priv.h"
#include "ipib.h"
#include "se_img.h"

struct layout_comp {
	uint64_t addr, len, tweak_pref;
	uint64_t content; /* bytes without padding, len when not known */
	enum zpv_image_part_kind kind;
};

struct layout {
	uint64_t stage3a_end; /* first byte behind its arguments */
	uint64_t ipib_addr;
	uint8_t ipib_bytes[IPIB_MAX_BYTES];
	struct ipib ipib; /* views of ipib_bytes */
	struct layout_comp comps[IPIB_MAX_COMPS];
	size_t ncomps;
	bool has_args; /* stage3b's arguments were found */
	struct stage3b_args args;
};

/*
 * Finds what can be found and reports each finding as a check. The image was opened with a key.
 * Return: 0 (also with failed checks, then *whole is false and nothing can be streamed);
 *         -ZPV_ERR_FORMAT no components at all, e.g. a bare header; -ZPV_ERR_IO; -ZPV_ERR_NOMEM
 */
int layout_read(const struct zpv_image *img, struct zpv_image_report *report, struct layout *out,
		bool *whole, struct zpv_err *err) MUST_CHECK;

#endif
