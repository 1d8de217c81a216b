// SPDX-License-Identifier: MIT
/*
 * Images and sealed headers out of a fuzzer's bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "aes_gcm.h"
#include "fuzz.h"
#include "secret.h"
#include "se_hdr.h"

uint8_t *fuzz_image(const uint8_t *data, size_t len, size_t *image_len)
{
	uint8_t *image = calloc(1, FUZZ_IMAGE_MAX), *exact;
	size_t end = 0;

	FUZZ_CHECK(image);
	while (len >= 6) {
		size_t off = (size_t)data[0] << 24 | (size_t)data[1] << 16 | (size_t)data[2] << 8 |
			     data[3];
		size_t n = (size_t)data[4] << 8 | data[5];

		data += 6;
		len -= 6;
		if (n > len)
			n = len;
		if (off > FUZZ_IMAGE_MAX || n > FUZZ_IMAGE_MAX - off)
			break;
		memcpy(image + off, data, n);
		if (off + n > end)
			end = off + n;
		data += n;
		len -= n;
	}
	exact = realloc(image, end ? end : 1); /* so that a sanitizer sees its end */
	FUZZ_CHECK(exact);
	*image_len = end;
	return exact;
}

struct secret *fuzz_seal(const struct se_hdr *hdr, uint8_t *hdr_bytes)
{
	static const uint8_t fixed[SE_HDR_KEY_BYTES] = "a fixed key of thirty-two bytes";
	struct secret *key;
	uint8_t *area = hdr_bytes + hdr->aad_len;

	FUZZ_CHECK(secret_copy(fixed, sizeof(fixed), &key, NULL) == 0);
	FUZZ_CHECK(aes_gcm_seal(key, hdr->head->iv, hdr_bytes, hdr->aad_len, area, hdr->sea, area,
				area + hdr->sea, NULL) == 0);
	return key;
}
