// SPDX-License-Identifier: MIT
/*
 * QUERY UV INFORMATION and QUERY KEYS (ultravisor.md sections 4.1, 4.2).
 */
#include <string.h>

#include "uv_priv.h"

#define HDR_VERSION_1_BIT BIT64(0)
#define DUMP_BIT	  BIT64(24) /* of the profile's words; the four calls come together */

static void fill_host(const struct uv_profile *p, struct uvcb_query *q)
{
	be64_set(&q->calls[0], p->host_calls);
	be64_set(&q->base_stor_len, UV_BASE_STOR_BYTES);
	be64_set(&q->config_base_stor_len, UV_CONFIG_BASE_BYTES);
	be64_set(&q->config_virt_base_len, UV_CONFIG_VIRT_BYTES);
	be64_set(&q->config_virt_per_mib_len, UV_CONFIG_PER_MIB_BYTES);
	be64_set(&q->cpu_stor_len, UV_CPU_STOR_BYTES);
	be32_set(&q->max_configs, UV_MAX_CONFIGS);
	be64_set(&q->max_guest_addr, UV_MAX_GUEST_ADDR);
	be16_set(&q->max_cpu_id, UV_MAX_CPU_ID);
	be64_set(&q->features, p->features);
	be64_set(&q->hdr_versions, HDR_VERSION_1_BIT);
	be64_set(&q->hdr_pcf, p->se->pcf);
	if (p->host_calls & DUMP_BIT) {
		be64_set(&q->dump_per_mib_len, UV_DUMP_PER_MIB_BYTES);
		be64_set(&q->dump_complete_len, UV_DUMP_COMPLETE_BYTES);
	}
}

/* Reserved fields are stored as zeros. A guest is told its own calls, and no sizes of the host. */
uint16_t uv_query(struct uv_op *op)
{
	const struct uv_profile *p = op->uv->profile;
	struct uvcb_query *q = &op->block.query;

	memset((uint8_t *)q + sizeof(q->head), 0, sizeof(*q) - sizeof(q->head));
	if (op->cpu->level == PIC_GUEST)
		be64_set(&q->calls[0], p->guest_calls);
	else
		fill_host(p, q);
	return op->len < sizeof(*q) ? UV_RC_MORE_DATA : UV_RC_EXECUTED;
}

uint16_t uv_query_keys(struct uv_op *op)
{
	struct uvcb_query_keys *q = &op->block.query_keys;

	memset(q->hash, 0, sizeof(q->hash));
	memcpy(q->hash[0], op->uv->hash, sizeof(q->hash[0]));
	memcpy(q->hash[1], op->uv->backup_hash, sizeof(q->hash[1]));
	return UV_RC_EXECUTED;
}
