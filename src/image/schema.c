// SPDX-License-Identifier: MIT
/*
 * The JSON schema, embedded by the build from info-v1.schema.json.
 */
#include <zpv/image.h>

#include "schema_blob.h"

const char *zpv_image_schema(void)
{
	return (const char *)schema_blob;
}
