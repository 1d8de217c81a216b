// SPDX-License-Identifier: MIT
/*
 * See uv_input.h.
 */
#define _GNU_SOURCE
#include "uv_input.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "aes_xts.h"
#include "hdr_crypt.h"
#include "hostkey.h"
#include "machine_priv.h"
#include "secret.h"
#include "sha.h"
#include "uv.h"

#define HANDLE_DISTANCE 8
#define ENTRY_INVALID	0x20u /* of a segment table */
#define PTE_INVALID	0x400u

/* --- Identity and machine --------------------------------------------------------------------- */

static struct {
	char dir[256];
	struct zpv_host *host;
	struct zpv_hostkey *key; /* its document */
} identity;

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void remove_identity(void)
{
	nftw(identity.dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	zpv_hostkey_free(identity.key);
	zpv_host_free(identity.host);
}

const struct zpv_host *fuzz_host(void)
{
	const char *tmp = getenv("TMPDIR");
	struct zpv_host_spec spec = { .dir = identity.dir, .profile = ZPV_PROFILE_Z17 };

	if (identity.host)
		return identity.host;
	snprintf(identity.dir, sizeof(identity.dir), "%s/zpv-fuzz-XXXXXX", tmp ? tmp : P_tmpdir);
	FUZZ_CHECK(mkdtemp(identity.dir));
	FUZZ_CHECK(atexit(remove_identity) == 0);
	FUZZ_CHECK(zpv_host_create(&spec, NULL) == 0);
	FUZZ_CHECK(zpv_host_open(identity.dir, &identity.host, NULL) == 0);
	FUZZ_CHECK(zpv_hostkey_read(zpv_host_path(identity.host, ZPV_HOST_HKD), NULL, &identity.key,
				    NULL) == 0);
	return identity.host;
}

/*
 * Reading an identity's keys takes longer than everything else, so there is one Ultravisor, which
 * moves from machine to machine. Between two it has nothing but its keys.
 */
static struct {
	const struct secure_ops *ops;
	struct uv *uv;
} ultravisor;

static void free_ultravisor(void)
{
	ultravisor.ops->free(ultravisor.uv);
}

static void make_ultravisor(void)
{
	const struct machine_config config = { .storage_bytes = FUZZ_MIB, .cpus = 1 };
	struct machine *m;

	FUZZ_CHECK(machine_new(&config, &m, NULL) == 0);
	FUZZ_CHECK(uv_install(m, fuzz_host(), NULL) == 0);
	ultravisor.ops = m->secure_ops;
	ultravisor.uv = m->uv;
	machine_set_secure(m, NULL, NULL);
	machine_free(m);
	FUZZ_CHECK(atexit(free_ultravisor) == 0);
}

void fuzz_uv_attach(struct machine *m)
{
	if (!ultravisor.uv)
		make_ultravisor();
	ultravisor.uv->m = m;
	machine_set_secure(m, ultravisor.ops, ultravisor.uv);
}

void fuzz_uv_detach(struct machine *m)
{
	m->secure_ops->reset(m->uv);
	fuzz_check_uv(m, FUZZ_SCAN);
	machine_set_secure(m, NULL, NULL);
}

struct machine *fuzz_uv_machine(unsigned int cpus)
{
	struct machine *m = fuzz_machine_new(FUZZ_UV_STORAGE, cpus);

	FUZZ_CHECK(mprotect(m->secure, m->bytes, PROT_READ | PROT_WRITE) == 0);
	fuzz_uv_attach(m);
	return m;
}

void fuzz_uv_free(struct machine *m)
{
	fuzz_uv_detach(m);
	fuzz_machine_free(m);
}

/* --- Guests ----------------------------------------------------------------------------------- */

static void put(struct machine *m, uint64_t at, const void *data, size_t len)
{
	FUZZ_CHECK(storage_write(m, (haddr_t){ at }, data, len).code == 0);
}

void fuzz_set_pte(struct machine *m, unsigned int slot, unsigned int page, uint64_t entry)
{
	struct pic pic;
	be64 b;

	be64_set(&b, entry);
	/* The table may have been donated. */
	pic = storage_write(m, (haddr_t){ FUZZ_PTES(slot) + page % 256 * 8ull }, &b, sizeof(b));
	FUZZ_CHECK(pic.code == 0 || pic.code == PGM_SECURE_ACCESS);
	machine_purge(m);
}

void fuzz_map(struct machine *m, unsigned int slot)
{
	be64 segments[512], ptes[256];

	for (unsigned int i = 0; i < ARRAY_SIZE(segments); i++)
		be64_set(&segments[i], ENTRY_INVALID);
	be64_set(&segments[FUZZ_MSO / FUZZ_MIB], FUZZ_PTES(slot));
	for (unsigned int i = 0; i < ARRAY_SIZE(ptes); i++)
		be64_set(&ptes[i], i < FUZZ_PAGES ? FUZZ_GUEST(slot) + i * 4096ull : PTE_INVALID);
	put(m, FUZZ_SEGMENTS(slot), segments, sizeof(segments));
	put(m, FUZZ_PTES(slot), ptes, sizeof(ptes));
}

void fuzz_sca(struct machine *m, unsigned int slot)
{
	static struct esca sca;

	be64_set(&sca.mcn[0], BIT64(0) | BIT64(1));
	be64_set(&sca.cpu[0].sda, FUZZ_SCB(slot, 0));
	be64_set(&sca.cpu[1].sda, FUZZ_SCB(slot, 1));
	put(m, FUZZ_SCA(slot), &sca, sizeof(sca));
}

void fuzz_scb(struct scb_page *page, unsigned int slot, unsigned int number, uint64_t config,
	      uint64_t cpu)
{
	struct scb *scb = &page->scb;

	memset(page, 0, sizeof(*page));
	be32_set(&scb->cpuflags, CPUFLAG_ZARCH | CPUFLAG_RUNNING);
	be64_set(&scb->pv_handle_config, config);
	be64_set(&scb->pv_handle_cpu, cpu);
	be64_set(&scb->cputm, INT64_MAX);
	be64_set(&scb->ckc, UINT64_MAX);
	be16_set(&scb->ihcpu, IHCPU_FLUSH);
	be32_set(&scb->scaol, (uint32_t)FUZZ_SCA(slot));
	scb->ecb2 = ECB2_ESCA;
	scb->sdf = SCB_FORMAT4;
	be64_set(&scb->gbea, FUZZ_SIDA(slot, number));
}

static void kick(void *arg)
{
	cpu_kick(arg);
}

/* What the guest may not change: all of the host's. */
struct host {
	struct register_file file;
	uint64_t cr[16], prefix, mask, addr;
};

static struct host host_of(const struct cpu *cpu)
{
	struct host h;

	memset(&h, 0, sizeof(h));
	memcpy(h.file.gr, cpu->gr, sizeof(h.file.gr));
	memcpy(h.file.fpr, cpu->fpr, sizeof(h.file.fpr));
	memcpy(h.file.vr_low, cpu->vr_low, sizeof(h.file.vr_low));
	memcpy(h.file.vr_high, cpu->vr_high, sizeof(h.file.vr_high));
	memcpy(h.file.ar, cpu->ar, sizeof(h.file.ar));
	h.file.fpc = cpu->fpc;
	memcpy(h.cr, cpu->cr, sizeof(h.cr));
	h.prefix = cpu->prefix;
	cpu_psw(cpu, &h.mask, &h.addr);
	return h;
}

static bool is_code(uint8_t code)
{
	switch (code) {
	case ICPT_NONE:
	case ICPT_PROGRAM:
	case ICPT_EXT_REQUEST:
	case ICPT_EXT_INTERRUPTION:
	case ICPT_IO_REQUEST:
	case ICPT_WAIT:
	case ICPT_VALIDITY:
	case ICPT_STOP:
	case ICPT_MCHECK_REQUEST:
	case ICPT_INTERRUPTION_ENABLE:
	case ICPT_PV_INSTRUCTION:
	case ICPT_PV_NOTIFICATION:
	case ICPT_PV_PREFIX:
		return true;
	default:
		return false;
	}
}

enum cpu_stop fuzz_sie4(struct cpu *cpu, uint64_t at)
{
	struct host before = host_of(cpu), after;
	enum cpu_stop stop;
	struct scb scb;
	bool format4;

	format4 = !storage_read(cpu->m, (haddr_t){ at }, &scb, sizeof(scb)).code &&
		  scb.sdf == SCB_FORMAT4;
	fuzz_kick_begin(kick, cpu);
	stop = cpu_sie(cpu, (haddr_t){ at });
	fuzz_kick_end();
	after = host_of(cpu);
	FUZZ_CHECK(!format4 || memcmp(&before, &after, sizeof(before)) == 0);
	FUZZ_CHECK(cpu->level == PIC_HOST);
	if (stop == CPU_STOP_SIE_EXIT) {
		FUZZ_CHECK(storage_read(cpu->m, (haddr_t){ at }, &scb, sizeof(scb)).code == 0);
		FUZZ_CHECK(!format4 || is_code(scb.icptcode));
	} else if (stop == CPU_STOP_HOST_PIC) {
		FUZZ_CHECK(cpu_host_pic(cpu).code && cpu_host_pic(cpu).level == PIC_HOST);
	} else {
		FUZZ_CHECK(stop == CPU_STOP_KICKED);
	}
	return stop;
}

/* --- Images ----------------------------------------------------------------------------------- */

static void encrypt(struct fuzz_piece *pieces, size_t n, const uint8_t *key)
{
	AUTO(secret) struct secret *secret = NULL;
	AUTO(xts) struct xts *xts = NULL;

	FUZZ_CHECK(secret_copy(key, SE_XTS_KEY_BYTES, &secret, NULL) == 0);
	FUZZ_CHECK(xts_new(secret, XTS_ENCRYPT, &xts, NULL) == 0);
	for (size_t i = 0; i < n; i++)
		FUZZ_CHECK(xts_pages(xts, pieces[i].tweak[0], pieces[i].tweak[1], pieces[i].page,
				     pieces[i].page, 1, NULL) == 0);
}

static void list(const struct fuzz_piece *pieces, size_t n, struct digest_set *out)
{
	AUTO(sha) struct sha *pld = NULL, *ald = NULL, *tld = NULL;

	FUZZ_CHECK(sha_new(SHA_512, &pld, NULL) == 0 && sha_new(SHA_512, &ald, NULL) == 0 &&
		   sha_new(SHA_512, &tld, NULL) == 0);
	for (size_t i = 0; i < n; i++) {
		be64 addr, tweak[2];

		be64_set(&addr, pieces[i].gaddr);
		be64_set(&tweak[0], pieces[i].tweak[0]);
		be64_set(&tweak[1], pieces[i].tweak[1]);
		sha_update(pld, pieces[i].page, FRAME_BYTES);
		sha_update(ald, &addr, sizeof(addr));
		sha_update(tld, tweak, sizeof(tweak));
	}
	out->nep = n;
	FUZZ_CHECK(sha_final(pld, out->pld, NULL) == 0 && sha_final(ald, out->ald, NULL) == 0 &&
		   sha_final(tld, out->tld, NULL) == 0);
}

void fuzz_seal_image(struct fuzz_piece *pieces, size_t n, uint64_t psw_addr, uint8_t *hdr)
{
	AUTO(secret) struct secret *hpk = NULL, *secrets = NULL;
	const struct p521 *hosts[] = { (fuzz_host(), hostkey_key(identity.key)) };
	const uint8_t *hashes[] = { zpv_hostkey_hash(identity.key) };
	struct digest_set set = { 0 };
	struct hdr_content content = {
		.digests = &set, .pcf = PCF_DUMP, .hosts = hosts, .phkh = hashes, .nhosts = 1
	};
	struct se_hdr_secrets *s;

	FUZZ_CHECK(secret_random(SE_HDR_KEY_BYTES, &hpk, NULL) == 0);
	FUZZ_CHECK(secret_random(sizeof(*s), &secrets, NULL) == 0);
	s = (struct se_hdr_secrets *)(void *)secret_data(secrets);
	be64_set(&s->psw_mask, 0x0000000180000000ull);
	be64_set(&s->psw_addr, psw_addr);
	be64_set(&s->scf, 0);
	be32_set(&s->noi, 0);
	be32_set(&s->reserved7c, 0);
	encrypt(pieces, n, s->xts_key);
	list(pieces, n, &set);
	content.hpk = hpk;
	content.secrets = secrets;
	FUZZ_CHECK(hdr_seal(&content, hdr, NULL) == 0);
}

/* --- Calls ------------------------------------------------------------------------------------ */

uint16_t fuzz_uvc(struct cpu *cpu, uint64_t at, void *block, size_t len, struct pic *pic)
{
	const struct uvcb before = *(const struct uvcb *)block, *head = block;
	unsigned int cc = 99;

	*pic = storage_write(cpu->m, (haddr_t){ at }, block, len);
	if (pic->code)
		return 0;
	*pic = cpu_uvc(cpu, (haddr_t){ at }, &cc);
	FUZZ_CHECK(cpu->level == PIC_HOST);
	if (pic->code)
		return 0;
	/* What the call donates, takes in or encrypts is never its own block. */
	FUZZ_CHECK(storage_read(cpu->m, (haddr_t){ at }, block, len).code == 0);
	FUZZ_CHECK(cc <= 1 && be16_get(head->rc) != 0);
	FUZZ_CHECK((cc == 0) == (be16_get(head->rc) == UV_RC_EXECUTED));
	FUZZ_CHECK(memcmp(&before, head, offsetof(struct uvcb, rc)) == 0);
	return be16_get(head->rc);
}

uint16_t fuzz_call(struct cpu *cpu, enum uv_command cmd, void *block, size_t len)
{
	struct uvcb *head = block;
	struct pic pic;

	be16_set(&head->len, (uint16_t)len);
	be16_set(&head->cmd, (uint16_t)cmd);
	return fuzz_uvc(cpu, FUZZ_UVCB, block, len, &pic);
}

uint16_t fuzz_call_handle(struct cpu *cpu, enum uv_command cmd, uint64_t handle)
{
	struct uvcb_handle b = { 0 };

	be64_set(&b.handle, handle);
	return fuzz_call(cpu, cmd, &b, sizeof(b));
}

uint16_t fuzz_call_page(struct cpu *cpu, enum uv_command cmd, uint64_t config, uint64_t gaddr)
{
	struct uvcb_gpage b = { 0 };

	be64_set(&b.config_handle, config);
	be64_set(&b.gaddr, gaddr);
	return fuzz_call(cpu, cmd, &b, sizeof(b));
}

uint16_t fuzz_call_frame(struct cpu *cpu, enum uv_command cmd, uint64_t frame_addr)
{
	struct uvcb_frame b = { 0 };

	be64_set(&b.paddr, frame_addr);
	return fuzz_call(cpu, cmd, &b, sizeof(b));
}

uint16_t fuzz_call_state(struct cpu *cpu, uint64_t handle, enum uv_cpu_state state)
{
	struct uvcb_cpu_state b = { .state = (uint8_t)state };

	be64_set(&b.cpu_handle, handle);
	return fuzz_call(cpu, UVC_SET_CPU_STATE, &b, sizeof(b));
}

uint16_t fuzz_call_init(struct cpu *cpu)
{
	struct uvcb_init b = { 0 };

	be64_set(&b.stor_origin, FUZZ_UV_AT);
	be64_set(&b.stor_len, UV_BASE_STOR_BYTES);
	return fuzz_call(cpu, UVC_INIT, &b, sizeof(b));
}

uint64_t fuzz_create_config(struct cpu *cpu, unsigned int slot)
{
	struct uvcb_create_config b = { 0 };

	be64_set(&b.base_stor_origin, FUZZ_BASE(slot));
	be64_set(&b.virt_stor_origin, FUZZ_VIRT(slot));
	be64_set(&b.guest_origin, FUZZ_MSO);
	be64_set(&b.guest_len, FUZZ_MIB);
	be64_set(&b.guest_sca, FUZZ_SCA(slot));
	be64_set(&b.guest_asce, FUZZ_ASCE(slot));
	if (fuzz_call(cpu, UVC_CREATE_CONFIG, &b, sizeof(b)) != UV_RC_EXECUTED)
		FUZZ_CHECK(be64_get(b.handle) == 0);
	return be64_get(b.handle);
}

uint64_t fuzz_create_cpu(struct cpu *cpu, unsigned int slot, unsigned int number, uint64_t config)
{
	struct uvcb_create_cpu b = { 0 };

	be64_set(&b.config_handle, config);
	be64_set(&b.stor_origin, FUZZ_CPU(slot, number));
	be16_set(&b.num, (uint16_t)number);
	be64_set(&b.state_origin, FUZZ_SCB(slot, number));
	if (fuzz_call(cpu, UVC_CREATE_CPU, &b, sizeof(b)) != UV_RC_EXECUTED)
		FUZZ_CHECK(be64_get(b.cpu_handle) == 0);
	return be64_get(b.cpu_handle);
}

/* --- Invariants ------------------------------------------------------------------------------- */

/* Frames that were met so far, by what owns them. */
struct frames {
	uint64_t n;
	uint8_t *seen;
};

static void claim(struct frames *f, uint64_t frame)
{
	FUZZ_CHECK(frame < f->n);
	FUZZ_CHECK(!(f->seen[frame / 8] >> frame % 8 & 1));
	f->seen[frame / 8] |= (uint8_t)(1u << frame % 8);
}

static bool claimed(const struct frames *f, uint64_t frame)
{
	return f->seen[frame / 8] >> frame % 8 & 1;
}

static void claim_donated(const struct machine *m, struct frames *f, uint64_t addr, uint64_t len)
{
	for (uint64_t i = addr / FRAME_BYTES; i < (addr + len) / FRAME_BYTES; i++) {
		claim(f, i);
		FUZZ_CHECK(frame_info(m, i).state == FRAME_DONATED);
	}
}

static void check_page(const struct uv_config *c, struct frames *f, uint64_t number)
{
	const struct uv_page *p = uv_page(c, number);
	struct frame_info info;

	FUZZ_CHECK(p && p->state <= PAGE_EXPORTED);
	FUZZ_CHECK(p->state != PAGE_FRESH || !p->shared);
	FUZZ_CHECK(p->state != PAGE_EXPORTED || p->shared ||
		   (p->counter && p->counter <= c->exports));
	if (p->state != PAGE_RESIDENT)
		return;
	claim(f, p->frame);
	info = frame_info(c->uv->m, p->frame);
	FUZZ_CHECK(p->shared ? info.state == FRAME_SHARED || info.state == FRAME_PINNED :
			       info.state == FRAME_SECURE);
	FUZZ_CHECK(info.owner == c->owner && info.page == number);
}

static void check_config(const struct uv_config *c, struct frames *f)
{
	const struct machine *m = c->uv->m;

	claim_donated(m, f, c->base_stor, UV_CONFIG_BASE_BYTES);
	for (uint64_t i = 0; i < c->nvirt; i++)
		claim_donated(m, f, c->virt[i] * FRAME_BYTES, FRAME_BYTES);
	for (const struct uv_cpu *cpu = c->cpus; cpu; cpu = cpu->next) {
		claim_donated(m, f, cpu->stor_origin, UV_CPU_STOR_BYTES);
		FUZZ_CHECK(cpu->config == c && !cpu->running);
		FUZZ_CHECK(cpu->state == UV_CPU_OPERATING || cpu->state == UV_CPU_STOPPED ||
			   cpu->state == UV_CPU_LOAD);
	}
	for (uint64_t i = 0; i < c->len / FRAME_BYTES; i++)
		check_page(c, f, i);
}

static void check_distance(uint64_t a, uint64_t b)
{
	FUZZ_CHECK(a && b && __builtin_popcountll(a ^ b) >= HANDLE_DISTANCE);
}

/* A handle against those of a list of configurations and of their CPUs, but for itself. */
static void check_against(const struct uv_config *c, uint64_t handle)
{
	for (; c; c = c->next) {
		if (c->handle != handle)
			check_distance(c->handle, handle);
		for (const struct uv_cpu *cpu = c->cpus; cpu; cpu = cpu->next)
			if (cpu->handle != handle)
				check_distance(cpu->handle, handle);
	}
}

static void check_handles(const struct uv *uv)
{
	unsigned int n = 0;

	for (const struct uv_config *c = uv->configs; c; c = c->next, n++) {
		for (const struct uv_config *o = c->next; o; o = o->next)
			FUZZ_CHECK(o->handle != c->handle && o->owner != c->owner &&
				   o->asce != c->asce);
		check_against(uv->configs, c->handle);
		for (const struct uv_cpu *cpu = c->cpus; cpu; cpu = cpu->next) {
			for (const struct uv_cpu *o = cpu->next; o; o = o->next)
				FUZZ_CHECK(o->number != cpu->number && o->handle != cpu->handle);
			check_against(uv->configs, cpu->handle);
		}
	}
	FUZZ_CHECK(n == uv->nconfigs);
}

/* A frame that no configuration, CPU or record names is the host's, and only such a one. */
static void check_frames(const struct machine *m, const struct frames *f, uint64_t from,
			 uint64_t to)
{
	uint8_t byte;

	for (uint64_t i = from; i < to; i++) {
		enum frame_state state = frame_info(m, i).state;
		struct pic pic = storage_read((struct machine *)(uintptr_t)m,
					      (haddr_t){ i * FRAME_BYTES }, &byte, 1);

		FUZZ_CHECK(claimed(f, i) != (state == FRAME_HOST || state == FRAME_ORPHAN));
		FUZZ_CHECK(pic.code == (frame_visible((uint8_t)state) ? 0 : PGM_SECURE_ACCESS));
	}
}

void fuzz_check_uv(const struct machine *m, uint64_t scan)
{
	struct frames f = { m->nframes, calloc(m->nframes / 8 + 1, 1) };
	const struct uv *uv = m->uv;

	FUZZ_CHECK(f.seen);
	FUZZ_CHECK(uv->ready || !uv->configs);
	if (uv->ready)
		claim_donated(m, &f, uv->base_stor, UV_BASE_STOR_BYTES);
	for (const struct uv_config *c = uv->configs; c; c = c->next)
		check_config(c, &f);
	check_handles(uv);
	check_frames(m, &f, 0, scan / FRAME_BYTES);
	check_frames(m, &f, FUZZ_UV_AT / FRAME_BYTES, f.n);
	free(f.seen);
}
