// SPDX-License-Identifier: MIT
/*
 * Calls of a protected guest about its own pages: sharing them with the host (ultravisor.md
 * section 4.20).
 */
#include "uv_priv.h"

enum { RC_OUTSIDE = 0x0101, RC_MISALIGNED = 0x0102, RC_STATE = 0x0103 };

#define OP_UVC	   0xb9a4u
#define UVC_SHOWN  0x00020000u /* R1 0, R2 2 */
#define PAGE_INDEX (~(uint64_t)(FRAME_BYTES - 1))

/* The page of the block; NULL with the response code. */
static struct uv_page *find(const struct uv_op *op, uint64_t *number, uint16_t *rc)
{
	uint64_t addr = be64_get(op->block.share.paddr);
	struct uv_page *page = uv_page(op->config, addr / FRAME_BYTES);

	*number = addr / FRAME_BYTES;
	*rc = RC_OUTSIDE;
	if (page && addr & ~PAGE_INDEX)
		*rc = RC_MISALIGNED;
	else if (page && op->config->dumping)
		*rc = RC_STATE;
	else if (page)
		return page;
	return NULL;
}

/*
 * Is the page here? Looked up as the guest's own accesses are: what is in the way is an exception
 * of the host, which makes the page resident, and then the call is executed again.
 */
static bool present(struct uv_op *op, uint64_t number)
{
	uint8_t *p;

	op->pic = mem_absolute(op->cpu, number * FRAME_BYTES, 1, ACCESS_READ, &p);
	return !op->pic.code;
}

/* SET SHARED ACCESS. Of a page that is shared there is nothing to do. */
uint16_t uv_share(struct uv_op *op)
{
	uint64_t number;
	uint16_t rc;
	const struct uv_page *page = find(op, &number, &rc);

	if (!page)
		return rc;
	if (!page->shared && present(op, number))
		uv_page_share(op->config, op->cpu, number);
	return UV_RC_EXECUTED;
}

/* REMOVE SHARED ACCESS. The host has to release a pinned page first. */
uint16_t uv_unshare(struct uv_op *op)
{
	uint64_t number;
	uint16_t rc;
	const struct uv_page *page = find(op, &number, &rc);

	if (!page)
		return rc;
	if (page->shared && present(op, number))
		op->notify = !uv_page_unshare(op->config, op->cpu, number);
	return UV_RC_EXECUTED;
}

void uv_notify_unshare(struct uv_op *op)
{
	struct cpu *cpu = op->cpu;
	uint8_t *sida = uv_sida_page(cpu, op->s);

	memcpy(sida, &op->block.share, sizeof(op->block.share));
	mem_written(cpu, sida, sizeof(op->block.share));
	uv_show(cpu, OP_UVC, UVC_SHOWN);
	cpu->psw_addr = insn_psw_addr(cpu, op->s);
	sie_exit(cpu, ICPT_PV_NOTIFICATION);
}
