// SPDX-License-Identifier: MIT
/*
 * An Ultravisor that leaves the guest's registers behind when SIE ends: floating-point registers in the
 * host CPU, control registers in the state description, a general register in the SIDA's last
 * bytes. Linked with --wrap=uv_leave; leakcheck must find all of it.
 */
#include "uv_priv.h"

void __real_uv_leave(void *opaque, struct cpu *cpu, struct scb_page *scb, uint8_t icptcode);
void __wrap_uv_leave(void *opaque, struct cpu *cpu, struct scb_page *scb, uint8_t icptcode);

void __wrap_uv_leave(void *opaque, struct cpu *cpu, struct scb_page *scb, uint8_t icptcode)
{
	const struct secure_regs *r = &uv_current(cpu)->area->regs;
	const struct register_file *file = &r->file;
	uint64_t bytes;
	uint8_t *sida = uv_sida(cpu, scb, &bytes);

	memcpy(cpu->fpr, file->fpr, sizeof(cpu->fpr));
	memcpy(cpu->ar, file->ar, sizeof(cpu->ar));
	__real_uv_leave(opaque, cpu, scb, icptcode);
	for (unsigned int i = 1; i < 6; i++)
		be64_set(&scb->scb.gcr[i], r->cr[i]);
	if (sida)
		be64_set((be64 *)(void *)(sida + bytes - sizeof(be64)), file->gr[11]);
}
