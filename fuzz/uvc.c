// SPDX-License-Identifier: MIT
/*
 * Sequences of Ultravisor calls by a hostile host: an input is a list of operations. Their operands
 * are mostly what a good host would say, so that sequences get somewhere; the input has the rest.
 * After each operation frames, records and objects must agree.
 *
 * The guests all are the same image, whose program does what the host's answer to DIAG 500 says: it
 * shares and unshares pages, touches them, resets itself.
 */
#include <string.h>

#include "machine_priv.h"
#include "uv_input.h"

#define OPS_MAX	     48
#define ENTRIES_MAX  6
#define BLOCK_MAX    0x10000u
#define HANDLES_MAX  16u
#define CODE	     0x4000u
#define HANDLER_AT   0x6000u
#define PIECES	     4u
#define TWEAK	     0x0028000000000042ull
#define OP_UVC	     0xb9a4
#define DIAG_SHOWN   0x8302
#define IPL_FUNCTION 0x308
#define PAGE_CHANGED 8 /* of FUZZ_PAGES: the pages that operations prefer */

/* First byte of an input. */
enum { NOT_INITIALIZED = 0x01, BROUGHT_UP = 0x02 };

struct slot_state {
	uint64_t config, cpu[2];
	bool described[2]; /* has the CPU's state description been made? */
};

struct fuzz {
	struct machine *m;
	struct cpu *cpu;
	struct fuzz_bytes in;
	struct slot_state slots[FUZZ_SLOTS];
	uint64_t handles[HANDLES_MAX]; /* that there were */
	unsigned int nhandles;
};

/* --- The image -------------------------------------------------------------------------------- */

/*
 * DIAG 500 with the answer in GR2: a page address, and by bits from the right: share, unshare,
 * store, load, DIAG 308 subcode 1, SIGP stop, SPX, SERVC. Then again.
 */
static const uint8_t program[] =
	"\x83\x00\x05\x00\xb9\x04\x00\x32\xa5\x37\xf0\x00\xe3\x30\x08\x20\x00\x24\xe3\x30\x08\x60\x00\x24"
	"\xa7\x21\x00\x01\xa7\x84\x00\x06\xa7\x49\x08\x00\xb9\xa4\x00\x04" /* UVC, share */
	"\xa7\x21\x00\x02\xa7\x84\x00\x06\xa7\x49\x08\x40\xb9\xa4\x00\x04" /* UVC, unshare */
	"\xa7\x21\x00\x04\xa7\x84\x00\x05\xe3\x20\x39\x00\x00\x24"	   /* STG 2,0x900(3) */
	"\xa7\x21\x00\x08\xa7\x84\x00\x05\xe3\x50\x39\x00\x00\x04"	   /* LG 5,0x900(3) */
	"\xa7\x21\x00\x10\xa7\x84\x00\x06\xa7\x59\x00\x01\x83\x45\x03\x08"
	"\xa7\x21\x00\x20\xa7\x84\x00\x08\xb2\x12\x08\x80\x48\x60\x08\x80\xae\x46\x00\x05"
	"\xa7\x21\x00\x40\xa7\x84\x00\x06\x50\x30\x08\x88\xb2\x10\x08\x88"
	"\xa7\x21\x00\x80\xa7\x84\x00\x0b\x18\x63\x88\x60\x00\x0c\xa5\x7e\x00\x02\xa5\x73\x00\x01"
	"\xb2\x20\x00\x73\xa7\xf4\xff\xaf"; /* SERVC 7,3; J to the beginning */

static struct fuzz_piece image[PIECES];
static uint8_t header[SE_HDR_MAX_BYTES];

static void put64(uint8_t *at, uint64_t v)
{
	be64 b;

	be64_set(&b, v);
	memcpy(at, &b, sizeof(b));
}

static void make_image(void)
{
	static const uint64_t pages[PIECES] = { 0, 0x1000, CODE, HANDLER_AT };
	static bool made;

	if (made)
		return;
	made = true;
	for (unsigned int i = 0; i < PIECES; i++) {
		image[i].gaddr = pages[i];
		image[i].tweak[0] = TWEAK;
		image[i].tweak[1] = pages[i];
	}
	put64(image[0].page, 0x0008000080000000 | CODE); /* short PSW */
	for (unsigned int at = 0x1a0; at < 0x200; at += 16) {
		put64(image[0].page + at, FUZZ_MASK_64);
		put64(image[0].page + at + 8, HANDLER_AT);
	}
	put64(image[0].page + 0x800, 0x0030100000000000);
	put64(image[0].page + 0x840, 0x0030100100000000);
	memcpy(image[2].page, program, sizeof(program) - 1);
	memcpy(image[3].page, "\x83\x02\x00\x44\xa7\xf4\xef\xfe", 8); /* DIAG 44; J CODE */
	fuzz_seal_image(image, PIECES, CODE, header);
}

/* --- Storage ---------------------------------------------------------------------------------- */

/* The host writes where it may; elsewhere it is told so. */
static void put(struct fuzz *f, uint64_t at, const void *data, size_t len)
{
	struct pic pic = storage_write(f->m, (haddr_t){ at }, data, len);

	FUZZ_CHECK(pic.code == 0 || pic.code == PGM_ADDRESSING || pic.code == PGM_SECURE_ACCESS);
}

static bool get(struct fuzz *f, uint64_t at, void *data, size_t len)
{
	struct pic pic = storage_read(f->m, (haddr_t){ at }, data, len);

	FUZZ_CHECK(pic.code == 0 || pic.code == PGM_ADDRESSING || pic.code == PGM_SECURE_ACCESS);
	return pic.code == 0;
}

/* --- Operands --------------------------------------------------------------------------------- */

enum kind {
	NOTHING,
	CONFIG,
	CPU,
	BASE,
	VIRT,
	ORIGIN,
	LENGTH,
	SCA,
	ASCE,
	CPU_STOR,
	SCB,
	NUMBER, /* 16 bits */
	FRAME,
	GPAGE, /* in the space of the ASCE */
	GABS,
	HDR,
	HDR_LENGTH, /* 32 bits */
	PREFIX,
	OFFSET,
	STATE, /* 8 bits */
	UV_ORIGIN,
	UV_LENGTH,
};

#define FIELDS_MAX 6

static const struct command {
	uint16_t code, len;
	struct {
		uint8_t at, kind;
	} fields[FIELDS_MAX];
} commands[] = {
	{ UVC_QUERY, 0x120, { { 0 } } },
	{ UVC_QUERY_KEYS, 0x200, { { 0 } } },
	{ UVC_INIT, 0x48, { { 0x18, UV_ORIGIN }, { 0x20, UV_LENGTH } } },
	{ UVC_CREATE_CONFIG,
	  0x80,
	  { { 0x20, BASE },
	    { 0x28, VIRT },
	    { 0x38, ORIGIN },
	    { 0x40, LENGTH },
	    { 0x48, SCA },
	    { 0x50, ASCE } } },
	{ UVC_DESTROY_CONFIG, 0x40, { { 0x18, CONFIG } } },
	{ UVC_DESTROY_CONFIG_FAST, 0x48, { { 0x18, CONFIG } } },
	{ UVC_CREATE_CPU,
	  0x60,
	  { { 0x20, CONFIG }, { 0x28, CPU_STOR }, { 0x36, NUMBER }, { 0x38, SCB } } },
	{ UVC_DESTROY_CPU, 0x40, { { 0x18, CPU } } },
	{ UVC_IMPORT, 0x28, { { 0x18, CONFIG }, { 0x20, GPAGE } } },
	{ UVC_EXPORT, 0x20, { { 0x18, FRAME } } },
	{ UVC_DESTROY_PAGE, 0x20, { { 0x18, FRAME } } },
	{ UVC_SET_PARMS, 0x50, { { 0x18, CONFIG }, { 0x20, HDR }, { 0x28, HDR_LENGTH } } },
	{ UVC_UNPACK,
	  0x50,
	  { { 0x18, CONFIG }, { 0x20, GABS }, { 0x28, PREFIX }, { 0x30, OFFSET } } },
	{ UVC_VERIFY, 0x40, { { 0x18, CONFIG } } },
	{ UVC_CPU_RESET, 0x40, { { 0x18, CPU } } },
	{ UVC_CPU_RESET_INITIAL, 0x40, { { 0x18, CPU } } },
	{ UVC_CPU_RESET_CLEAR, 0x40, { { 0x18, CPU } } },
	{ UVC_SET_CPU_STATE, 0x50, { { 0x18, CPU }, { 0x27, STATE } } },
	{ UVC_PREPARE_RESET, 0x40, { { 0x18, CONFIG } } },
	{ UVC_UNSHARE_ALL, 0x40, { { 0x18, CONFIG } } },
	{ UVC_PIN, 0x20, { { 0x18, FRAME } } },
	{ UVC_UNPIN, 0x28, { { 0x18, CONFIG }, { 0x20, GPAGE } } },
	{ UVC_DUMP_INIT, 0x40, { { 0x18, CONFIG } } },
	{ UVC_DUMP_STORAGE_STATE, 0x50, { { 0x18, CONFIG }, { 0x20, HDR }, { 0x28, GABS } } },
	{ UVC_DUMP_CPU, 0x50, { { 0x18, CPU }, { 0x20, HDR } } },
	{ UVC_DUMP_COMPLETE, 0x50, { { 0x18, CONFIG }, { 0x20, HDR } } },
	{ UVC_SHARE, 0x30, { { 0x20, GABS } } },
	{ 0x4242, 0x40, { { 0x18, CONFIG } } },
};

static uint64_t page_at(uint8_t pick)
{
	static const uint64_t pages[PAGE_CHANGED] = { 0,      0x1000, CODE,   HANDLER_AT,
						      0x2000, 0x3000, 0x7000, 0xf000 };

	return pages[pick % PAGE_CHANGED];
}

/* What fits a field of a call about this guest. */
static uint64_t fitting(const struct fuzz *f, unsigned int kind, unsigned int slot, uint8_t pick)
{
	static const uint8_t states[4] = { UV_CPU_LOAD, UV_CPU_OPERATING, UV_CPU_STOPPED,
					   UV_CPU_CHECK_STOP };
	const struct slot_state *s = &f->slots[slot];

	switch ((enum kind)kind) {
	case CONFIG:
		return s->config;
	case CPU:
		return s->cpu[pick & 1];
	case BASE:
		return FUZZ_BASE(slot);
	case VIRT:
		return FUZZ_VIRT(slot);
	case ORIGIN:
		return FUZZ_MSO;
	case LENGTH:
		return FUZZ_MIB * (1 + (pick & 1));
	case SCA:
		return FUZZ_SCA(slot);
	case ASCE:
		return FUZZ_ASCE(slot);
	case CPU_STOR:
		return FUZZ_CPU(slot, pick & 1);
	case SCB:
		return FUZZ_SCB(slot, pick & 1);
	case NUMBER:
		return pick & 1;
	case FRAME:
		return FUZZ_GUEST(slot) + page_at(pick);
	case GPAGE:
		return FUZZ_MSO + page_at(pick);
	case GABS:
	case OFFSET:
		return page_at(pick);
	case HDR:
		return FUZZ_HDR(slot);
	case HDR_LENGTH:
		return se_hdr_size(1);
	case PREFIX:
		return TWEAK;
	case STATE:
		return states[pick & 3];
	case UV_ORIGIN:
		return FUZZ_UV_AT;
	case UV_LENGTH:
		return UV_BASE_STOR_BYTES;
	case NOTHING:
		break;
	}
	return 0;
}

/* Handles that there are or were, and any place that operations know of. */
static uint64_t anything(const struct fuzz *f, uint8_t pick)
{
	unsigned int slot = pick / 8 % FUZZ_SLOTS;

	if (pick & 1 && f->nhandles)
		return f->handles[pick / 2 % f->nhandles];
	return fitting(f, BASE + pick / 2 % (UV_LENGTH - BASE), slot, pick);
}

static uint64_t operand(struct fuzz *f, unsigned int kind, unsigned int slot)
{
	uint8_t pick = fuzz_take8(&f->in);

	if (pick < 0xa0)
		return fitting(f, kind, slot, pick);
	if (pick < 0xc0)
		return fitting(f, kind, (slot + 1 + pick % 2) % FUZZ_SLOTS, pick);
	if (pick < 0xe0)
		return anything(f, pick);
	if (pick < 0xf0) /* near something */
		return anything(f, fuzz_take8(&f->in)) + (int8_t)fuzz_take8(&f->in);
	return fuzz_take64(&f->in);
}

/* --- Calls ------------------------------------------------------------------------------------ */

static void put_field(uint8_t *block, unsigned int at, unsigned int kind, uint64_t v)
{
	be16 b16;
	be32 b32;

	be16_set(&b16, (uint16_t)v);
	be32_set(&b32, (uint32_t)v);
	if (kind == STATE)
		block[at] = (uint8_t)v;
	else if (kind == NUMBER)
		memcpy(block + at, &b16, sizeof(b16));
	else if (kind == HDR_LENGTH)
		memcpy(block + at, &b32, sizeof(b32));
	else
		put64(block + at, v);
}

/* A guest whose records fill the machine is valid, and takes for ever. */
static void bound_guest(struct uvcb_create_config *b)
{
	uint64_t len = be64_get(b->guest_len);

	if (len / FUZZ_MIB > 4 && len / FUZZ_MIB <= FUZZ_UV_STORAGE / UV_CONFIG_PER_MIB_BYTES)
		be64_set(&b->guest_len, len % (4 * FUZZ_MIB));
}

static void remember(struct fuzz *f, uint64_t handle)
{
	FUZZ_CHECK(handle);
	f->handles[f->nhandles++ % HANDLES_MAX] = handle;
	if (f->nhandles > HANDLES_MAX)
		f->nhandles = HANDLES_MAX;
}

/* Of a call that creates something. Without success there is no handle, but for the host's own. */
static bool is_new(uint64_t handle, uint64_t before, uint16_t rc)
{
	if (rc != UV_RC_EXECUTED)
		FUZZ_CHECK(handle == 0 || handle == before);
	return rc == UV_RC_EXECUTED;
}

/* What a host learns from a call. */
static void learn(struct fuzz *f, const union uv_block *b, uint64_t before, unsigned int slot,
		  uint16_t rc)
{
	uint64_t handle = be64_get(b->handle.handle);
	unsigned int n = be16_get(b->create_cpu.num) & 1;

	switch (be16_get(b->head.cmd)) {
	case UVC_CREATE_CONFIG:
		if (!is_new(handle, before, rc))
			break;
		f->slots[slot] = (struct slot_state){ .config = handle };
		remember(f, handle);
		break;
	case UVC_CREATE_CPU:
		if (!is_new(handle, before, rc))
			break;
		f->slots[slot].cpu[n] = handle;
		f->slots[slot].described[n] = false;
		remember(f, handle);
		break;
	default:
		break;
	}
}

static_assert(offsetof(struct uvcb_create_config, handle) == offsetof(struct uvcb_handle, handle) &&
		      offsetof(struct uvcb_create_cpu, cpu_handle) ==
			      offsetof(struct uvcb_handle, handle),
	      "handles are at the same place");

/* Is all of it looked at, so that handles in it are results? */
static bool is_whole(const struct command *c, const struct uvcb *head)
{
	return be16_get(head->cmd) == c->code && be16_get(head->len) == c->len;
}

static void change(struct fuzz *f, uint8_t *block, unsigned int len)
{
	uint8_t n = fuzz_take8(&f->in);

	for (n = n < 0x20 ? n % 4 : 0; n; n--) {
		unsigned int at = fuzz_take16(&f->in) % len;

		block[at] ^= fuzz_take8(&f->in);
	}
}

static uint64_t block_place(struct fuzz *f)
{
	uint8_t pick = fuzz_take8(&f->in);

	return pick < 0xf0 ? FUZZ_UVCB :
			     (anything(f, fuzz_take8(&f->in)) | (pick & 1 ? 0xff8 : 0)) & ~7ull;
}

static void op_call(struct fuzz *f, unsigned int slot)
{
	static union {
		uint8_t raw[BLOCK_MAX];
		union uv_block b;
	} block;
	const struct command *c = &commands[fuzz_take8(&f->in) % ARRAY_SIZE(commands)];
	struct uvcb *head = &block.b.head;
	struct pic pic;
	uint64_t at, handle;
	uint16_t rc;
	size_t len;

	memset(&block, 0, sizeof(block));
	be16_set(&head->len, c->len);
	be16_set(&head->cmd, c->code);
	for (unsigned int i = 0; i < FIELDS_MAX && c->fields[i].kind; i++)
		put_field(block.raw, c->fields[i].at, c->fields[i].kind,
			  operand(f, c->fields[i].kind, slot));
	change(f, block.raw, c->len);
	if (be16_get(head->cmd) == UVC_CREATE_CONFIG)
		bound_guest(&block.b.create_config);
	at = block_place(f);
	handle = be64_get(block.b.handle.handle);
	len = be16_get(head->len) > c->len ? be16_get(head->len) : c->len;
	rc = fuzz_uvc(f->cpu, at, &block, len, &pic);
	if (rc && is_whole(c, head))
		learn(f, &block.b, handle, slot, rc);
}

/* --- What a good host does -------------------------------------------------------------------- */

static void unpack(struct fuzz *f, unsigned int slot)
{
	struct uvcb_set_parms parms = { 0 };

	put(f, FUZZ_HDR(slot), header, se_hdr_size(1));
	be64_set(&parms.config_handle, f->slots[slot].config);
	be64_set(&parms.hdr_origin, FUZZ_HDR(slot));
	be32_set(&parms.hdr_len, (uint32_t)se_hdr_size(1));
	fuzz_call(f->cpu, UVC_SET_PARMS, &parms, sizeof(parms));
	for (unsigned int i = 0; i < PIECES; i++) {
		struct uvcb_unpack b = { 0 };

		put(f, FUZZ_GUEST(slot) + image[i].gaddr, image[i].page, FRAME_BYTES);
		be64_set(&b.config_handle, f->slots[slot].config);
		be64_set(&b.gaddr, image[i].gaddr);
		be64_set(&b.tweak[0], image[i].tweak[0]);
		be64_set(&b.tweak[1], image[i].tweak[1]);
		fuzz_call(f->cpu, UVC_UNPACK, &b, sizeof(b));
	}
	fuzz_call_handle(f->cpu, UVC_VERIFY, f->slots[slot].config);
}

/* A guest from nothing to its first entry, or as far as what is there already allows. */
static void op_bring_up(struct fuzz *f, unsigned int slot)
{
	struct slot_state *s = &f->slots[slot];
	uint64_t handle = fuzz_create_config(f->cpu, slot);

	if (handle) {
		*s = (struct slot_state){ .config = handle };
		remember(f, handle);
	}
	for (unsigned int n = 0; n < 2; n++) {
		handle = fuzz_create_cpu(f->cpu, slot, n, s->config);
		if (!handle)
			continue;
		s->cpu[n] = handle;
		s->described[n] = false;
		remember(f, handle);
	}
	unpack(f, slot);
	fuzz_call_state(f->cpu, s->cpu[0], UV_CPU_LOAD);
}

static void op_destroy(struct fuzz *f, unsigned int slot)
{
	for (unsigned int n = 0; n < 2; n++)
		fuzz_call_handle(f->cpu, UVC_DESTROY_CPU, f->slots[slot].cpu[n]);
	fuzz_call_handle(f->cpu, UVC_DESTROY_CONFIG, f->slots[slot].config);
}

/* The host's answer to DIAG 308 subcode 1 of a CPU. */
static void reset_guest(struct fuzz *f, unsigned int slot, unsigned int n)
{
	const struct slot_state *s = &f->slots[slot];

	for (unsigned int i = 0; i < 2; i++)
		fuzz_call_state(f->cpu, s->cpu[i], UV_CPU_STOPPED);
	fuzz_call_handle(f->cpu, UVC_UNSHARE_ALL, s->config);
	fuzz_call_handle(f->cpu, UVC_PREPARE_RESET, s->config);
	fuzz_call_handle(f->cpu, UVC_CPU_RESET_INITIAL, s->cpu[n]);
	fuzz_call_state(f->cpu, s->cpu[n], UV_CPU_LOAD);
}

/* --- Entries ---------------------------------------------------------------------------------- */

struct entry {
	unsigned int slot, n;
	uint64_t at;
	struct scb_page page;
};

/* The answer to DIAG 500, and bytes of the description that the input changes. */
static void prepare(struct fuzz *f, struct entry *e)
{
	uint8_t actions = fuzz_take8(&f->in), pick = fuzz_take8(&f->in), n = fuzz_take8(&f->in);
	uint8_t *raw = (uint8_t *)&e->page;

	be64_set(&e->page.pv_grregs[2], page_at(pick) | (actions & actions >> 4) | (actions & 0xf));
	e->page.scb.icptcode = 0;
	for (n = n < 0x20 ? n % 4 : 0; n; n--) {
		unsigned int at = fuzz_take16(&f->in) % SCB_BYTES;

		raw[at] ^= fuzz_take8(&f->in);
	}
}

/* What a host does about the end of SIE. False: the next entry would be the same. */
static bool answer(struct fuzz *f, struct entry *e, enum cpu_stop stop)
{
	const struct slot_state *s = &f->slots[e->slot];
	const struct scb *scb = &e->page.scb;
	uint64_t at = cpu_host_pic(f->cpu).teid & ~0xfffull;

	if (stop == CPU_STOP_HOST_PIC && cpu_host_pic(f->cpu).code == PGM_NON_SECURE_ACCESS)
		return fuzz_call_page(f->cpu, UVC_IMPORT, s->config, at) == UV_RC_EXECUTED;
	if (stop != CPU_STOP_SIE_EXIT || scb->icptcode == ICPT_VALIDITY)
		return false;
	at = FUZZ_MSO + (be32_get(scb->prefix) & SCB_PREFIX_MASK);
	if (scb->icptcode == ICPT_PV_PREFIX)
		return fuzz_call_page(f->cpu, UVC_IMPORT, s->config, at) == UV_RC_EXECUTED &&
		       fuzz_call_page(f->cpu, UVC_IMPORT, s->config, at + 4096) == UV_RC_EXECUTED;
	if (scb->icptcode == ICPT_PV_NOTIFICATION && be16_get(scb->ipa) == DIAG_SHOWN &&
	    be64_get(e->page.pv_grregs[5]) == IPL_FUNCTION)
		reset_guest(f, e->slot, e->n);
	return true;
}

static bool enter(struct fuzz *f, struct entry *e)
{
	enum cpu_stop stop;

	if (!get(f, e->at, &e->page, sizeof(e->page)))
		return false;
	prepare(f, e);
	put(f, e->at, &e->page, sizeof(e->page));
	stop = fuzz_sie4(f->cpu, e->at);
	return get(f, e->at, &e->page, sizeof(e->page)) && answer(f, e, stop);
}

static void op_sie(struct fuzz *f, unsigned int slot)
{
	struct entry e = { .slot = slot, .n = fuzz_take8(&f->in) & 1 };
	struct slot_state *s = &f->slots[slot];
	unsigned int left = ENTRIES_MAX;

	e.at = FUZZ_SCB(slot, e.n);
	if (!s->described[e.n]) {
		s->described[e.n] = true;
		fuzz_scb(&e.page, slot, e.n, s->config, s->cpu[e.n]);
		put(f, e.at, &e.page, sizeof(e.page));
	}
	cpu_set_cr(f->cpu, 1, FUZZ_ASCE(slot));
	while (left-- && enter(f, &e))
		fuzz_check_uv(f->m, FUZZ_SCAN);
}

/* --- Other operations ------------------------------------------------------------------------- */

static void op_write(struct fuzz *f, unsigned int slot)
{
	uint64_t at = operand(f, FRAME, slot) + fuzz_take16(&f->in) % FRAME_BYTES;
	uint8_t data[8];

	fuzz_take(&f->in, data, sizeof(data));
	put(f, at, data, sizeof(data));
}

/* What was exported comes back: later, or as another page. */
static void op_copy(struct fuzz *f, unsigned int slot)
{
	uint64_t from = operand(f, FRAME, slot), to = operand(f, FRAME, slot);
	uint8_t page[FRAME_BYTES];

	if (get(f, from, page, sizeof(page)))
		put(f, to, page, sizeof(page));
}

static void op_map(struct fuzz *f, unsigned int slot)
{
	unsigned int page = (unsigned int)(operand(f, GABS, slot) / FRAME_BYTES);
	uint64_t entry = operand(f, FRAME, slot);
	uint8_t bits = fuzz_take8(&f->in);

	entry &= ~0xfffull;
	if (bits >= 0xc0)
		entry |= (uint64_t)(bits & 0xf) << 8; /* invalid, protected, reserved */
	fuzz_set_pte(f->m, slot, page, entry);
}

static void op_import(struct fuzz *f, unsigned int slot)
{
	fuzz_call_page(f->cpu, UVC_IMPORT, f->slots[slot].config, operand(f, GPAGE, slot));
}

static void op_export(struct fuzz *f, unsigned int slot)
{
	fuzz_call_frame(f->cpu, UVC_EXPORT, operand(f, FRAME, slot));
}

static void op_unpack(struct fuzz *f, unsigned int slot)
{
	unpack(f, slot);
}

/* Load normal reset: nothing is left, and the storage is the host's. */
static void op_reset(struct fuzz *f, unsigned int slot)
{
	(void)slot;
	f->m->secure_ops->reset(f->m->uv);
	for (unsigned int i = 0; i < FUZZ_SLOTS; i++) {
		fuzz_map(f->m, i);
		fuzz_sca(f->m, i);
	}
	fuzz_call_init(f->cpu);
}

static void operate(struct fuzz *f)
{
	static void (*const ops[16])(struct fuzz * f, unsigned int slot) = {
		op_call,  op_call,   op_call,	op_call, op_call, op_bring_up, op_sie,	  op_sie,
		op_write, op_import, op_export, op_copy, op_map,  op_destroy,  op_unpack, op_reset,
	};
	uint8_t op = fuzz_take8(&f->in);

	ops[op % 16](f, op / 16 % FUZZ_SLOTS);
	fuzz_check_uv(f->m, FUZZ_SCAN);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz f = { .in = { data, len } };
	uint8_t flags = fuzz_take8(&f.in);

	make_image();
	f.m = fuzz_uv_machine(1);
	f.cpu = machine_cpu(f.m, 0);
	for (unsigned int i = 0; i < FUZZ_SLOTS; i++) {
		fuzz_map(f.m, i);
		fuzz_sca(f.m, i);
	}
	if (!(flags & NOT_INITIALIZED))
		FUZZ_CHECK(fuzz_call_init(f.cpu) == UV_RC_EXECUTED);
	if (flags & BROUGHT_UP)
		op_bring_up(&f, 0);
	for (unsigned int i = 0; i < OPS_MAX && f.in.len; i++)
		operate(&f);
	fuzz_uv_free(f.m);
	return 0;
}
