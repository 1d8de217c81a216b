// SPDX-License-Identifier: MIT
/*
 * The secure configuration of a VM.
 *
 * The order of calls is KVM's and QEMU's (boot-ipl.md section 4). The hypervisor runs with DAT off, so
 * home-space virtual addresses are real ones, and everything that is donated is contiguous.
 */
#include "pv.h"

#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "explain.h"
#include "gmap.h"
#include "log.h"
#include "pv_dump.h"
#include "scb.h"
#include "sclp.h"
#include "vcpu.h"
#include "vm.h"

#define MIB		  (1ull << 20)
#define BASE_STOR_ALIGN	  MIB
#define CONFIG_BASE_ALIGN 16384u
#define SCA_BYTES	  16384u
#define HEADER_BYTES	  SE_HDR_MAX_BYTES

/* A guest that touches a page touches its neighbours soon. */
#define BLOCK_BYTES (16 * 4096ull)

/* DIAGNOSE 308: the last 16 bits of the response. */
#define RC_INVALID_FOR_PV 0x0a02u

/* Response codes with a meaning of their own (ultravisor.md sections 4.9 to 4.13). */
#define RC_IMPORT_CHANGED 0x0106u /* the page is not what was exported */
#define RC_NOT_MAPPED	  0x010au

struct pv {
	struct vm *vm;
	struct uvcb_query info;
	bool allocated, initialized;
	haddr_t uvcb; /* a page for control blocks */
	haddr_t sida, sca, header;
	haddr_t base, config_base, config_virt, cpu_stor; /* what is donated */
	uint64_t config, cpu;				  /* handles; 0: none */
	haddr_t dump;		    /* where calls about a dump leave their results */
	struct pv_dump_sizes sizes; /* of these; all 0: there is no area yet */
	bool on;
};

/* --- Calls ------------------------------------------------------------------------------------- */

/* How often, so that an Ultravisor that never gets ready cannot keep the VM for ever. */
#define MAX_TRIES (1u << 24)

static void host_trouble(struct pv *pv, const char *what, struct pic pic)
{
	vm_fail(pv->vm, "%s: host program interruption %#x", what, pic.code);
}

/* Busy and partial completion: the same instruction again, with the block as it was. */
static struct pic execute(struct pv *pv)
{
	struct pic pic = { 0 };
	unsigned int cc = 2;

	for (unsigned int i = 0; i < MAX_TRIES && cc > 1; i++) {
		pic = cpu_uvc(pv->vm->vcpu->cpu, pv->uvcb, &cc);
		if (pic.code || atomic_load(&pv->vm->quit))
			break;
	}
	return pic;
}

/* Executes a call; the block's results are in it afterwards. Return: rc; 0 when there is none. */
static uint16_t call(struct pv *pv, enum uv_command cmd, void *block, size_t len)
{
	struct uvcb *head = block;
	struct machine *m = pv->vm->m;
	struct pic pic;

	be16_set(&head->len, (uint16_t)len);
	be16_set(&head->cmd, (uint16_t)cmd);
	pic = storage_write(m, pv->uvcb, block, len);
	if (!pic.code)
		pic = execute(pv);
	if (!pic.code)
		pic = storage_read(m, pv->uvcb, block, len);
	if (pic.code) {
		host_trouble(pv, "Ultravisor call", pic);
		return 0;
	}
	return be16_get(head->rc);
}

static const char *name_of(uint16_t command)
{
	const char *name = explain_command_name(command);

	return name ? name : "Ultravisor call";
}

/* A call that a working hypervisor never sees fail. */
static bool must(struct pv *pv, enum uv_command cmd, void *block, size_t len)
{
	const struct uvcb *head = block;
	uint16_t rc = call(pv, cmd, block, len);

	if (rc != UV_RC_EXECUTED)
		vm_fail(pv->vm, "%s failed: rc 0x%04x, rrc 0x%04x", name_of((uint16_t)cmd), rc,
			be16_get(head->rrc));
	return rc == UV_RC_EXECUTED;
}

static bool must_handle(struct pv *pv, enum uv_command cmd, uint64_t handle)
{
	struct uvcb_handle b = { 0 };

	be64_set(&b.handle, handle);
	return must(pv, cmd, &b, sizeof(b));
}

static uint16_t frame_call(struct pv *pv, enum uv_command cmd, haddr_t frame)
{
	struct uvcb_frame b = { 0 };

	be64_set(&b.paddr, frame.v & ~0xfffull);
	return call(pv, cmd, &b, sizeof(b));
}

static uint16_t page_call(struct pv *pv, enum uv_command cmd, uint64_t at)
{
	struct uvcb_gpage b = { 0 };

	be64_set(&b.config_handle, pv->config);
	be64_set(&b.gaddr, at & ~0xfffull);
	return call(pv, cmd, &b, sizeof(b));
}

/* --- Making and freeing ------------------------------------------------------------------------ */

int pv_new(struct vm *vm, struct pv **out, struct zpv_err *err)
{
	struct pv *pv = calloc(1, sizeof(*pv));
	uint16_t rc = 0;
	int code;

	if (!pv)
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	pv->vm = vm;
	code = vm_alloc(vm, &vm->low, 4096, 4096, &pv->uvcb, err);
	if (!code) {
		rc = call(pv, UVC_QUERY, &pv->info, sizeof(pv->info));
		if (rc != UV_RC_EXECUTED && rc != UV_RC_MORE_DATA)
			code = err_set(err, ZPV_ERR_FORMAT,
				       "the Ultravisor answers a query with %#x", rc);
	}
	if (code) {
		pv_free(pv);
		return code;
	}
	*out = pv;
	return 0;
}

void pv_free(struct pv *pv)
{
	free(pv); /* the configuration goes with the machine */
}

bool pv_active(const struct pv *pv)
{
	return pv && pv->on;
}

static uint64_t virt_bytes(const struct pv *pv)
{
	uint64_t mib = pv->vm->config.memory_bytes / MIB;

	return be64_get(pv->info.config_virt_base_len) +
	       page_round_up(mib * be64_get(pv->info.config_virt_per_mib_len));
}

/* All that a configuration ever needs; once. */
static bool allocate(struct pv *pv)
{
	struct vm *vm = pv->vm;
	const struct uvcb_query *q = &pv->info;
	struct zpv_err err;
	const struct {
		struct vm_region *from;
		uint64_t bytes, align;
		haddr_t *out;
	} areas[] = {
		{ &vm->low, PV_SIDA_BYTES, 4096, &pv->sida },
		{ &vm->low, SCA_BYTES, 4096, &pv->sca },
		{ &vm->low, HEADER_BYTES, 4096, &pv->header },
		{ &vm->high, be64_get(q->base_stor_len), BASE_STOR_ALIGN, &pv->base },
		{ &vm->high, be64_get(q->config_base_stor_len), CONFIG_BASE_ALIGN,
		  &pv->config_base },
		{ &vm->high, virt_bytes(pv), 4096, &pv->config_virt },
		{ &vm->high, be64_get(q->cpu_stor_len), 4096, &pv->cpu_stor },
	};

	for (size_t i = 0; !pv->allocated && i < ARRAY_SIZE(areas); i++) {
		if (vm_alloc(vm, areas[i].from, areas[i].bytes, areas[i].align, areas[i].out,
			     &err) != 0) {
			vm_fail(vm, "%s", err.text);
			return false;
		}
	}
	pv->allocated = true;
	return true;
}

static bool initialize(struct pv *pv)
{
	struct uvcb_init b = { 0 };

	if (pv->initialized)
		return true;
	be64_set(&b.stor_origin, pv->base.v);
	b.stor_len = pv->info.base_stor_len;
	pv->initialized = must(pv, UVC_INIT, &b, sizeof(b));
	return pv->initialized;
}

/* --- Entering protected mode -------------------------------------------------------------------- */

/* Keeps what the user is told of a failure. Return: false. */
static bool failed(struct pv *pv, enum uv_command cmd, const void *block)
{
	const struct uvcb *head = block;
	struct vm_protection *p = &pv->vm->protection;

	p->failed = true;
	p->command = (uint16_t)cmd;
	p->rc = be16_get(head->rc);
	p->rrc = be16_get(head->rrc);
	log_info(pv->vm->config.log, "%s: rc 0x%04x, rrc 0x%04x", name_of(p->command), p->rc,
		 p->rrc);
	return false;
}

/* No call has failed, but there is nothing to go on with. */
static bool refused(struct pv *pv, const char *why)
{
	pv->vm->protection.failed = true;
	log_warn(pv->vm->config.log, "cannot enter protected mode: %s", why);
	return false;
}

static void write_sca(struct pv *pv)
{
	struct esca sca = { 0 };
	struct pic pic;

	be64_set(&sca.mcn[0], BIT64(0));
	be64_set(&sca.cpu[0].sda, pv->vm->vcpu->scb_addr.v);
	pic = storage_write(pv->vm->m, pv->sca, &sca, sizeof(sca));
	if (pic.code)
		host_trouble(pv, "system control area", pic);
}

static bool create_config(struct pv *pv)
{
	struct uvcb_create_config b = { 0 };
	uint16_t rc;

	write_sca(pv);
	be64_set(&b.base_stor_origin, pv->config_base.v);
	be64_set(&b.virt_stor_origin, pv->config_virt.v);
	be64_set(&b.guest_len, pv->vm->config.memory_bytes);
	be64_set(&b.guest_sca, pv->sca.v);
	be64_set(&b.guest_asce, gmap_asce(pv->vm->gmap));
	rc = call(pv, UVC_CREATE_CONFIG, &b, sizeof(b));
	if (rc == UV_RC_EXECUTED || rc & UV_RC_DESTROY_NEEDED)
		pv->config = be64_get(b.handle);
	return rc == UV_RC_EXECUTED || failed(pv, UVC_CREATE_CONFIG, &b);
}

static bool create_cpu(struct pv *pv)
{
	struct uvcb_create_cpu b = { 0 };
	uint16_t rc;

	be64_set(&b.config_handle, pv->config);
	be64_set(&b.stor_origin, pv->cpu_stor.v);
	be64_set(&b.state_origin, pv->vm->vcpu->scb_addr.v);
	rc = call(pv, UVC_CREATE_CPU, &b, sizeof(b));
	if (rc == UV_RC_EXECUTED)
		pv->cpu = be64_get(b.cpu_handle);
	return rc == UV_RC_EXECUTED || failed(pv, UVC_CREATE_CPU, &b);
}

/* The hashes in a header's key slots: to be told when none of them is this machine's. */
static void keep_hashes(struct vm_protection *p, const uint8_t *hdr, size_t len)
{
	const struct se_hdr_head *head = (const void *)hdr;
	const struct se_key_slot *slots = (const void *)(hdr + sizeof(*head));
	uint64_t n;

	p->nhashes = 0;
	if (len < sizeof(*head) || memcmp(head->magic, SE_HDR_MAGIC, SE_HDR_MAGIC_BYTES) != 0)
		return;
	n = be64_get(head->nks);
	for (size_t i = 0; i < n && i < SE_HDR_MAX_SLOTS; i++) {
		if (len < sizeof(*head) + (i + 1) * sizeof(*slots))
			return;
		memcpy(p->hashes[p->nhashes++], slots[i].phkh, SE_PHKH_BYTES);
	}
}

/* The header is copied to the host's own frames: the guest's may be anywhere. */
static bool set_parms(struct pv *pv, const struct ipib *ipib)
{
	uint64_t at = be64_get(ipib->head->pv_hdr_addr);
	size_t len = (size_t)be64_get(ipib->head->pv_hdr_size);
	struct uvcb_set_parms b = { 0 };
	uint8_t hdr[HEADER_BYTES];
	struct pic pic;

	if (len > sizeof(hdr) || vm_read(pv->vm, gaddr(at), hdr, len).code)
		return refused(pv, "the SE header is not in the guest's memory");
	keep_hashes(&pv->vm->protection, hdr, len);
	pic = storage_write(pv->vm->m, pv->header, hdr, len);
	if (pic.code) {
		host_trouble(pv, "SE header", pic);
		return false;
	}
	be64_set(&b.config_handle, pv->config);
	be64_set(&b.hdr_origin, pv->header.v);
	be32_set(&b.hdr_len, (uint32_t)len);
	return call(pv, UVC_SET_PARMS, &b, sizeof(b)) == UV_RC_EXECUTED ||
	       failed(pv, UVC_SET_PARMS, &b);
}

static bool unpack_page(struct pv *pv, uint64_t at, uint64_t prefix, uint64_t offset)
{
	struct uvcb_unpack b = { 0 };
	haddr_t frame;
	uint16_t rc;

	be64_set(&b.config_handle, pv->config);
	be64_set(&b.gaddr, at);
	be64_set(&b.tweak[0], prefix);
	be64_set(&b.tweak[1], offset);
	rc = call(pv, UVC_UNPACK, &b, sizeof(b));
	if (rc == RC_NOT_MAPPED && gmap_fault_in(pv->vm->gmap, gaddr(at), &frame))
		rc = call(pv, UVC_UNPACK, &b, sizeof(b));
	return rc == UV_RC_EXECUTED || failed(pv, UVC_UNPACK, &b);
}

/* A component's last page counts as a whole. */
static bool unpack_component(struct pv *pv, const struct ipib_comp *c)
{
	uint64_t at = be64_get(c->addr), len = be64_get(c->len), prefix = be64_get(c->tweak_pref);

	if (!len)
		return refused(pv, "a component of the image is empty");
	for (uint64_t off = 0; off < len; off += 4096)
		if (atomic_load(&pv->vm->stop) || !unpack_page(pv, at + off, prefix, off))
			return false;
	return true;
}

static bool unpack(struct pv *pv, const struct ipib *ipib)
{
	for (size_t i = 0; i < ipib->ncomps; i++)
		if (!unpack_component(pv, &ipib->comps[i]))
			return false;
	return true;
}

static bool verify(struct pv *pv)
{
	struct uvcb_handle b = { 0 };

	be64_set(&b.handle, pv->config);
	return call(pv, UVC_VERIFY, &b, sizeof(b)) == UV_RC_EXECUTED || failed(pv, UVC_VERIFY, &b);
}

/* KVM's number of the command that failed, for the loader: 2 set parameters, 3 unpack, 4 verify. */
static uint64_t response(const struct vm_protection *p)
{
	uint64_t command = p->command == UVC_SET_PARMS ? 2 :
			   p->command == UVC_UNPACK    ? 3 :
			   p->command == UVC_VERIFY    ? 4 :
							 0;

	return command << 48 | (uint64_t)p->rrc << 32 | (uint64_t)p->rc << 16 | RC_INVALID_FOR_PV;
}

void pv_cpu_state(struct pv *pv, enum uv_cpu_state state)
{
	struct uvcb_cpu_state b = { .state = (uint8_t)state };

	be64_set(&b.cpu_handle, pv->cpu);
	(void)must(pv, UVC_SET_CPU_STATE, &b, sizeof(b));
}

static bool enter(struct pv *pv, const struct ipib *ipib)
{
	return allocate(pv) && initialize(pv) && create_config(pv) && create_cpu(pv) &&
	       set_parms(pv, ipib) && unpack(pv, ipib) && verify(pv);
}

static void load_cpu(struct pv *pv)
{
	pv_cpu_state(pv, UV_CPU_LOAD);
	pv_cpu_state(pv, UV_CPU_OPERATING);
}

uint64_t pv_start(struct pv *pv)
{
	struct vm *vm = pv->vm;
	uint64_t since = vm_now_ns();
	struct ipib ipib;

	vm->protection = (struct vm_protection){ 0 };
	sclp_reset(vm->sclp);
	if (ipib_parse(vm->pv_block.bytes, sizeof(vm->pv_block.bytes), &ipib, NULL) != 0 ||
	    !enter(pv, &ipib)) {
		pv_leave(pv);
		return response(&vm->protection);
	}
	load_cpu(pv);
	vcpu_reset(vm->vcpu, true);
	vcpu_protect(vm->vcpu, &(struct vcpu_secure){ .cpu = pv->cpu,
						      .config = pv->config,
						      .sida = pv->sida,
						      .sca = pv->sca });
	pv->on = true;
	vm->protection.on = true;
	atomic_store(&vm->is_protected, true);
	vm->protection.enter_ns = vm_now_ns() - since;
	vm->protection.first_ns = vm_now_ns() - vm->start_ns;
	return 0;
}

void pv_reset(struct pv *pv, bool clear)
{
	sclp_reset(pv->vm->sclp);
	pv->vm->vcpu->emergency = pv->vm->vcpu->restart = false;
	pv_cpu_state(pv, UV_CPU_STOPPED);
	if (!must_handle(pv, UVC_UNSHARE_ALL, pv->config) ||
	    !must_handle(pv, UVC_PREPARE_RESET, pv->config) ||
	    !must_handle(pv, clear ? UVC_CPU_RESET_CLEAR : UVC_CPU_RESET_INITIAL, pv->cpu))
		return;
	load_cpu(pv);
}

/* CPUs before their configuration; a half-made one too. */
void pv_leave(struct pv *pv)
{
	if (pv->cpu)
		(void)must_handle(pv, UVC_DESTROY_CPU, pv->cpu);
	if (pv->config)
		(void)must_handle(pv, UVC_DESTROY_CONFIG, pv->config);
	pv->cpu = pv->config = 0;
	pv->on = false;
	pv->vm->protection.on = false;
	atomic_store(&pv->vm->is_protected, false);
}

/* --- Pages ------------------------------------------------------------------------------------- */

static void import_failed(struct pv *pv, uint64_t at, uint16_t rc)
{
	if (rc == RC_IMPORT_CHANGED)
		vm_fail(pv->vm, "page %#llx was changed outside the guest", (unsigned long long)at);
	else
		vm_fail(pv->vm, "page %#llx cannot be imported: rc 0x%04x", (unsigned long long)at,
			rc);
}

static void import(struct pv *pv, uint64_t at)
{
	haddr_t frame;
	uint16_t rc = RC_NOT_MAPPED;

	if (gmap_fault_in(pv->vm->gmap, gaddr(at), &frame))
		rc = page_call(pv, UVC_IMPORT, at);
	if (rc != UV_RC_EXECUTED)
		import_failed(pv, at, rc);
}

/* The page, and around it those that the guest has never had. */
static void import_around(struct pv *pv, uint64_t at)
{
	uint64_t first = at & ~(BLOCK_BYTES - 1), end = gmap_bytes(pv->vm->gmap);
	haddr_t frame;

	for (uint64_t a = first; a < first + BLOCK_BYTES && a < end; a += 4096)
		if (!gmap_lookup(pv->vm->gmap, gaddr(a), &frame))
			import(pv, a);
}

/* A page in the guest's place that is secure, but not this guest's: cleared, or encrypted. */
static void evict(struct pv *pv, uint64_t at)
{
	haddr_t frame;

	if (!gmap_lookup(pv->vm->gmap, gaddr(at), &frame) ||
	    (frame_call(pv, UVC_DESTROY_PAGE, frame) != UV_RC_EXECUTED &&
	     frame_call(pv, UVC_EXPORT, frame) != UV_RC_EXECUTED))
		vm_fail(pv->vm, "the frame behind page %#llx cannot be freed",
			(unsigned long long)at);
}

void pv_fault(struct pv *pv, uint16_t code, gaddr_t at)
{
	haddr_t frame;

	/* In 0x3d the address is the host's own: it has no business in a guest's way. */
	if (at.v >= gmap_bytes(pv->vm->gmap) || code == PGM_SECURE_ACCESS)
		vm_fail(pv->vm, "host program interruption %#x at guest address %#llx", code,
			(unsigned long long)at.v);
	else if (code == PGM_SECURE_VIOLATION)
		evict(pv, at.v);
	else if (gmap_lookup(pv->vm->gmap, at, &frame))
		import(pv, at.v);
	else
		import_around(pv, at.v);
}

void pv_import_prefix(struct pv *pv, uint32_t prefix)
{
	import(pv, prefix);
	import(pv, prefix + 4096ull);
}

/* The guest tries again, and comes back when the page is still pinned (ultravisor.md 4.20). */
void pv_unpin(struct pv *pv, gaddr_t at)
{
	(void)page_call(pv, UVC_UNPIN, at.v);
}

bool pv_make_accessible(struct pv *pv, haddr_t frame)
{
	return frame_call(pv, UVC_PIN, frame) == UV_RC_EXECUTED ||
	       frame_call(pv, UVC_EXPORT, frame) == UV_RC_EXECUTED;
}

/* --- SIDA -------------------------------------------------------------------------------------- */

void pv_sida_read(struct pv *pv, size_t off, void *data, size_t len)
{
	struct pic pic = storage_read(pv->vm->m, (haddr_t){ pv->sida.v + off }, data, len);

	if (pic.code)
		host_trouble(pv, "secure instruction data area", pic);
}

void pv_sida_write(struct pv *pv, size_t off, const void *data, size_t len)
{
	struct pic pic = storage_write(pv->vm->m, (haddr_t){ pv->sida.v + off }, data, len);

	if (pic.code)
		host_trouble(pv, "secure instruction data area", pic);
}

/* --- Dumping ----------------------------------------------------------------------------------- */

#define DUMP_CALLS	(BIT64(24) | BIT64(25) | BIT64(26) | BIT64(27)) /* by their bits in the query */
#define DUMP_MAX_BYTES	(16 * 4096ull)
#define RC_DUMP_REFUSED 0x0103u /* of DUMP INIT */
#define RRC_BY_HEADER	0x0001u
#define RRC_BY_SECRET	0x0002u

static uint64_t largest(uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t ab = a > b ? a : b;

	return ab > c ? ab : c;
}

int pv_dump_sizes(struct pv *pv, struct pv_dump_sizes *out, struct zpv_err *err)
{
	const struct uvcb_query *q = &pv->info;
	uint64_t cpu = be64_get(q->cpu_stor_len), per_mib = be64_get(q->dump_per_mib_len);
	uint64_t complete = be64_get(q->dump_complete_len);
	uint64_t most = largest(cpu, per_mib, complete);
	int rc = 0;

	if ((be64_get(q->calls[0]) & DUMP_CALLS) != DUMP_CALLS || !cpu || !per_mib || !complete)
		return err_set(
			err, ZPV_ERR_FORMAT,
			"the Ultravisor of this machine takes no dumps of protected guests, as on "
			"a z15");
	if (most > DUMP_MAX_BYTES || cpu % 4 || per_mib != PV_DUMP_ENTRIES * PV_DUMP_ENTRY_BYTES)
		return err_set(
			err, ZPV_ERR_FORMAT,
			"the Ultravisor dumps CPUs in %llu bytes, a MiB's state in %llu and the "
			"end in %llu, which no dump file can hold",
			(unsigned long long)cpu, (unsigned long long)per_mib,
			(unsigned long long)complete);
	if (!pv->sizes.cpu)
		rc = vm_alloc(pv->vm, &pv->vm->low, page_round_up(most), 4096, &pv->dump, err);
	if (rc)
		return rc;
	pv->sizes = (struct pv_dump_sizes){ cpu, per_mib, complete };
	*out = pv->sizes;
	return 0;
}

/* Return: 0, or -ZPV_ERR_FORMAT after a response other than "executed". */
static int answer(enum uv_command cmd, const void *block, struct zpv_err *err)
{
	const struct uvcb *head = block;
	uint16_t rc = be16_get(head->rc), rrc = be16_get(head->rrc);
	const struct explanation *e;

	if (rc == UV_RC_EXECUTED)
		return 0;
	if (cmd == UVC_DUMP_INIT && rc == RC_DUMP_REFUSED && rrc == RRC_BY_HEADER)
		return err_set(
			err, ZPV_ERR_FORMAT,
			"the owner of the guest did not allow dumps: the image was created without "
			"--enable-dump");
	if (cmd == UVC_DUMP_INIT && rc == RC_DUMP_REFUSED && rrc == RRC_BY_SECRET)
		return err_set(
			err, ZPV_ERR_FORMAT,
			"the owner of the guest did not allow dumps: a secret that was added "
			"later forbids them");
	e = explain_uv((uint16_t)cmd, rc, rrc);
	return err_set(err, ZPV_ERR_FORMAT, "%s failed: rc 0x%04x, rrc 0x%04x%s%s",
		       name_of((uint16_t)cmd), rc, rrc, e ? ": " : "", e ? e->name : "");
}

int pv_dump_init(struct pv *pv, struct zpv_err *err)
{
	struct uvcb_handle b = { 0 };

	be64_set(&b.handle, pv->config);
	(void)call(pv, UVC_DUMP_INIT, &b, sizeof(b));
	return answer(UVC_DUMP_INIT, &b, err);
}

/* One of the other calls, and its result of len bytes. */
static int dump_call(struct pv *pv, enum uv_command cmd, struct uvcb_dump *b, uint8_t *out,
		     size_t len, struct zpv_err *err)
{
	struct pic pic;
	int rc;

	be64_set(&b->area_origin, pv->dump.v);
	(void)call(pv, cmd, b, sizeof(*b));
	rc = answer(cmd, b, err);
	if (rc)
		return rc;
	pic = storage_read(pv->vm->m, pv->dump, out, len);
	return pic.code ? err_set(err, ZPV_ERR_FORMAT, "%s: its result is not accessible (%#x)",
				  name_of((uint16_t)cmd), pic.code) :
			  0;
}

int pv_dump_cpu(struct pv *pv, uint8_t *out, struct zpv_err *err)
{
	struct uvcb_dump b = { 0 };

	be64_set(&b.handle, pv->cpu);
	return dump_call(pv, UVC_DUMP_CPU, &b, out, pv->sizes.cpu, err);
}

int pv_dump_storage(struct pv *pv, gaddr_t at, uint8_t *out, struct zpv_err *err)
{
	struct uvcb_dump b = { 0 };

	be64_set(&b.handle, pv->config);
	be64_set(&b.gaddr, at.v);
	return dump_call(pv, UVC_DUMP_STORAGE_STATE, &b, out, pv->sizes.per_mib, err);
}

int pv_dump_complete(struct pv *pv, uint8_t *out, struct zpv_err *err)
{
	struct uvcb_dump b = { 0 };

	be64_set(&b.handle, pv->config);
	return dump_call(pv, UVC_DUMP_COMPLETE, &b, out, pv->sizes.complete, err);
}
