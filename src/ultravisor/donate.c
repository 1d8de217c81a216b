// SPDX-License-Identifier: MIT
/*
 * Storage that the host gives to the Ultravisor, and what it may be (ultravisor.md section 5).
 */
#include <string.h>

#include <openssl/crypto.h>

#include "machine_priv.h"
#include "uv_priv.h"

#define PREFIX_AREA_BYTES 8192u

bool uv_in_storage(const struct uv *uv, uint64_t addr, uint64_t len)
{
	uint64_t bytes = machine_storage_bytes(uv->m);

	return addr <= bytes && len <= bytes - addr;
}

static bool all_in_states(const struct uv *uv, uint64_t addr, uint64_t len, bool visible)
{
	for (uint64_t f = addr / FRAME_BYTES; len && f <= (addr + len - 1) / FRAME_BYTES; f++) {
		enum frame_state state = frame_info(uv->m, f).state;

		if (visible ? !frame_visible((uint8_t)state) : state != FRAME_HOST)
			return false;
	}
	return true;
}

bool uv_accessible(const struct uv *uv, uint64_t addr, uint64_t len)
{
	return uv_in_storage(uv, addr, len) && all_in_states(uv, addr, len, true);
}

bool uv_all_host(const struct uv *uv, uint64_t addr, uint64_t len)
{
	return all_in_states(uv, addr, len, false);
}

/* While a guest runs, the host's prefix is set aside. */
static uint64_t host_prefix(const struct cpu *cpu)
{
	return cpu->level == PIC_GUEST ? cpu->sie->host.prefix : cpu->prefix;
}

bool uv_has_lowcore(const struct uv *uv, uint64_t addr, uint64_t len)
{
	const struct machine *m = uv->m;

	for (unsigned int i = 0; i < m->ncpus; i++) {
		uint64_t prefix = host_prefix(m->cpus[i]);

		if (addr < prefix + PREFIX_AREA_BYTES && prefix < addr + len)
			return true;
	}
	return false;
}

static void give(struct uv *uv, uint64_t addr, uint64_t len, enum frame_state state)
{
	for (uint64_t f = addr / FRAME_BYTES; f < (addr + len) / FRAME_BYTES; f++)
		frame_give(uv->m, f, (struct frame_info){ .state = state });
}

void uv_donate(struct uv *uv, struct cpu *self, uint64_t addr, uint64_t len)
{
	frame_seize(uv->m, self, addr / FRAME_BYTES, len / FRAME_BYTES);
	memset(frame_secure_page(uv->m, addr / FRAME_BYTES), 0, len);
	give(uv, addr, len, FRAME_DONATED);
}

void uv_give_back(struct uv *uv, struct cpu *self, uint64_t addr, uint64_t len)
{
	frame_seize(uv->m, self, addr / FRAME_BYTES, len / FRAME_BYTES);
	OPENSSL_cleanse(frame_secure_page(uv->m, addr / FRAME_BYTES), len);
	memset(frame_host_page(uv->m, addr / FRAME_BYTES), 0, len);
	give(uv, addr, len, FRAME_HOST);
}
