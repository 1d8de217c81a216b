// SPDX-License-Identifier: MIT
/*
 * The parts of a Secure Execution image around header and components.
 */
#include "se_img.h"

#include <assert.h>
#include <string.h>

#include "err.h"

static const struct {
	uint16_t tweak_kind;
	const char *name;
} comps[SE_COMP_KINDS] = {
	[SE_COMP_KERNEL] = { 40, "kernel" },
	[SE_COMP_RAMDISK] = { 50, "ramdisk" },
	[SE_COMP_CMDLINE] = { 60, "command line" },
	[SE_COMP_STAGE3B] = { 70, "stage3b" },
};

uint16_t se_comp_tweak_kind(enum se_comp_kind kind)
{
	return comps[kind].tweak_kind;
}

const char *se_comp_name(enum se_comp_kind kind)
{
	return comps[kind].name;
}

bool se_img_meta_parse(const uint8_t *buf, size_t len, uint64_t *hdr_offs, uint64_t *ipib_offs,
		       uint32_t *version)
{
	const struct se_img_meta *m = (const void *)buf;

	if (len < sizeof(*m) || memcmp(m->magic, SE_IMG_META_MAGIC, sizeof(m->magic)) != 0)
		return false;
	*hdr_offs = be64_get(m->hdr_offs);
	*ipib_offs = be64_get(m->ipib_offs);
	*version = be32_get(m->version);
	return true;
}

int kernel_check(const uint8_t *buf, size_t len, struct zpv_err *err)
{
	static const uint8_t elf[4] = { 0x7f, 'E', 'L', 'F' };

	if (len >= sizeof(elf) && memcmp(buf, elf, sizeof(elf)) == 0)
		return err_set(
			err, ZPV_ERR_FORMAT,
			"ELF file found, but only raw binary kernels are supported. "
			"(Convert it: objcopy -O binary vmlinux kernel.bin, or take the bzImage)");
	if (len < KERNEL_HEAD_BYTES ||
	    memcmp(buf + KERNEL_EP_MAGIC_ADDR, KERNEL_EP_MAGIC, strlen(KERNEL_EP_MAGIC)) != 0)
		return err_set(err, ZPV_ERR_FORMAT, "No s390x Linux kernel provided (%s)",
			       len < KERNEL_HEAD_BYTES ? "the file is too short" :
							 "no text " KERNEL_EP_MAGIC " at 0x10008");
	return 0;
}

uint64_t kernel_max_cmdline(const uint8_t *buf, size_t len)
{
	be64 max;

	assert(len >= KERNEL_HEAD_BYTES);
	memcpy(&max, buf + KERNEL_MAX_CMDLINE_ADDR, sizeof(max));
	return be64_get(max) ? be64_get(max) : KERNEL_DEFAULT_MAX_CMDLINE;
}
