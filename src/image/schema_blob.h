/* SPDX-License-Identifier: MIT */
/*
 * The JSON schema of image descriptions; made by the build, NUL-terminated.
 */
#ifndef IMAGE_SCHEMA_BLOB_H
#define IMAGE_SCHEMA_BLOB_H

#include <stddef.h>
#include <stdint.h>

extern const uint8_t schema_blob[];
extern const size_t schema_blob_size;

#endif
