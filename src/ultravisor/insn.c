// SPDX-License-Identifier: MIT
/*
 * Instructions of protected guests (sie.md section 7.3): what the Ultravisor executes itself, what
 * it has executed and tells the host (108), and what the host is to execute (104).
 *
 * The host sees a constant text for each instruction, operands in fixed register slots, and storage
 * operands in the SIDA; never which registers or addresses the guest used. Operands are proven
 * accessible before the host hears of anything: access exceptions are the guest's. What is then left
 * to be done when the host has answered is in uv_pending (complete.c).
 */
#include "uv_priv.h"

#include "control_priv.h"
#include "insn.h"
#include "sccb.h"
#include "sysib.h"

enum {
	OP_DIAG = 0x83,
	OP_SIGP = 0xae,
	OP_SCK = 0xb204,
	OP_SPX = 0xb210,
	OP_SIE = 0xb214,
	OP_SERVC = 0xb220,
	OP_CHSC = 0xb25f,
	OP_STSI = 0xb27d,
	OP_STFLE = 0xb2b0,
};

/* Texts: DIAG R1 0, R3 2, base 5; SERVC R1 0, R2 2; others without registers. */
#define DIAG_IPA     0x8302u
#define DIAG_IPB     0x50000000u
#define DIAG_CODE_GR 5u /* the slot of its base register */
#define SERVC_IPB    0x00020000u

#define PREFIX_MASK 0x7fffe000u
#define OFFSET_MASK (FRAME_BYTES - 1)

/* --- What the host sees -------------------------------------------------------------------------- */

void uv_show(struct cpu *cpu, uint16_t ipa, uint32_t ipb)
{
	struct scb_page *page = sie_page(cpu->sie);

	memset(page->pv_grregs, 0, sizeof(page->pv_grregs));
	be16_set(&page->scb.ipa, ipa);
	be32_set(&page->scb.ipb, ipb);
	page->scb.icptstatus = 0;
}

void uv_show_gr(struct cpu *cpu, unsigned int n, uint64_t value)
{
	be64_set(&sie_page(cpu->sie)->pv_grregs[n], value);
}

uint8_t *uv_sida_page(struct cpu *cpu, const struct slot *s)
{
	uint64_t bytes;
	uint8_t *p = uv_sida(cpu, sie_page(cpu->sie), &bytes);

	if (p && bytes >= FRAME_BYTES)
		return p;
	if (s)
		cpu->psw_addr = insn_psw_addr(cpu, s);
	sie_exit(cpu, ICPT_NONE);
}

void uv_notify(struct cpu *cpu, const struct slot *s)
{
	cpu->psw_addr = insn_next_addr(cpu, s);
	sie_exit(cpu, ICPT_PV_NOTIFICATION);
}

/* What the host's answer will complete. Nothing may raise from here to the exit. */
static struct uv_pending *await(struct cpu *cpu, const struct slot *s, enum uv_completion what)
{
	struct uv_pending *p = &uv_current(cpu)->area->pending;

	*p = (struct uv_pending){ .what = (uint8_t)what,
				  .r1 = R1,
				  .r3 = R3,
				  .ilc = (uint16_t)insn_ilc(cpu, s),
				  .psw_addr = insn_psw_addr(cpu, s) };
	return p;
}

static _Noreturn void ask(struct cpu *cpu, const struct slot *s)
{
	cpu->psw_addr = insn_next_addr(cpu, s);
	sie_exit(cpu, ICPT_PV_INSTRUCTION);
}

/* The operand for the host; one that only comes from it begins as zeros. */
static void sida_fill(struct cpu *cpu, uint8_t *sida, const struct span *from, uint32_t len)
{
	if (from) {
		memcpy(sida, from->p[0], from->n[0]);
		if (from->n[1])
			memcpy(sida + from->n[0], from->p[1], from->n[1]);
	} else {
		memset(sida, 0, len);
	}
	mem_written(cpu, sida, len);
}

/* Real storage that lies in one page, proven accessible. */
static uint8_t *real_block(struct cpu *cpu, const struct slot *s, uint64_t raddr, uint32_t len,
			   enum access access)
{
	uint8_t *p;
	struct pic pic = mem_real(cpu, raddr, len, access, &p);

	if (pic.code)
		RAISE_PIC(pic);
	return p;
}

static void sida_fill_real(struct cpu *cpu, uint8_t *sida, uint8_t *from, uint32_t len)
{
	const struct span span = { .p = { from }, .n = { len } };

	sida_fill(cpu, sida, &span, len);
}

/* --- DIAGNOSE ------------------------------------------------------------------------------------ */

enum diag_code {
	DIAG_YIELD = 0x44,
	DIAG_YIELD_TO = 0x9c,
	DIAG_WATCHDOG = 0x288,
	DIAG_IPL = 0x308,
	DIAG_VIRTIO = 0x500,
};

enum ipl_subcode {
	IPL_RESET_CLEAR = 0,
	IPL_RESET = 1,
	IPL_LOAD_CLEAR = 3,
	IPL_SET_BLOCK = 5,
	IPL_STORE_BLOCK = 6,
};

#define DIAG_VIRTIO_GRS 4u /* GR1 to GR4 */

static void show_diag(struct cpu *cpu, enum diag_code code)
{
	uv_show(cpu, DIAG_IPA, DIAG_IPB);
	uv_show_gr(cpu, DIAG_CODE_GR, code);
}

static _Noreturn void diag_yield(struct cpu *cpu, const struct slot *s, enum diag_code code)
{
	show_diag(cpu, code);
	if (code == DIAG_YIELD_TO)
		uv_show_gr(cpu, 0, r64(R1));
	uv_notify(cpu, s);
}

static _Noreturn void diag_watchdog(struct cpu *cpu, const struct slot *s)
{
	if (R1 & 1)
		RAISE(PGM_SPECIFICATION);
	show_diag(cpu, DIAG_WATCHDOG);
	uv_show_gr(cpu, 0, r64(R1));
	uv_show_gr(cpu, 1, r64(R1 + 1));
	uv_show_gr(cpu, 2, r64(R3));
	await(cpu, s, COMPLETE_DIAG_288);
	ask(cpu, s);
}

static _Noreturn void diag_virtio(struct cpu *cpu, const struct slot *s)
{
	show_diag(cpu, DIAG_VIRTIO);
	for (unsigned int i = 1; i <= DIAG_VIRTIO_GRS; i++)
		uv_show_gr(cpu, i, r64(i));
	await(cpu, s, COMPLETE_DIAG_500);
	ask(cpu, s);
}

static void show_ipl(struct cpu *cpu, const struct slot *s)
{
	show_diag(cpu, DIAG_IPL);
	uv_show_gr(cpu, 2, r64(R3));
	if (R1 & 1) /* no pair, and not looked at */
		return;
	uv_show_gr(cpu, 0, r64(R1));
	uv_show_gr(cpu, 1, r64(R1 + 1));
}

/* From here to the end of the sequence of section 7.7 the CPU cannot be entered. */
static void reset_begin(struct cpu *cpu, uint8_t subcode)
{
	struct uv_cpu *c = uv_current(cpu);

	uv_lock(c->config->uv, cpu);
	c->reset_pending = (uint8_t)(1 + subcode);
	c->reset_done = false;
	uv_unlock(c->config->uv);
}

/* The operand checks of boot-ipl.md section 3.1; the address is real. */
static _Noreturn void ipl_block(struct cpu *cpu, const struct slot *s, enum ipl_subcode subcode)
{
	bool set = subcode == IPL_SET_BLOCK;
	uint64_t at = r64(R1);
	struct uv_pending *p;
	uint8_t *sida, *block;

	if (R1 & 1 || at & OFFSET_MASK)
		RAISE(PGM_SPECIFICATION);
	block = real_block(cpu, s, at, FRAME_BYTES, set ? ACCESS_READ : ACCESS_WRITE);
	sida = uv_sida_page(cpu, s);
	if (set)
		sida_fill_real(cpu, sida, block, FRAME_BYTES);
	else
		sida_fill(cpu, sida, NULL, FRAME_BYTES);
	show_ipl(cpu, s);
	p = await(cpu, s, COMPLETE_DIAG_308);
	p->addr = at;
	p->len = set ? 0 : FRAME_BYTES;
	p->subcode = subcode;
	ask(cpu, s);
}

static _Noreturn void ipl_notify(struct cpu *cpu, const struct slot *s)
{
	show_ipl(cpu, s);
	uv_notify(cpu, s);
}

static _Noreturn void diag_ipl(struct cpu *cpu, const struct slot *s)
{
	uint64_t subcode = r64(R3);

	switch (subcode) {
	case IPL_RESET_CLEAR:
	case IPL_RESET:
		reset_begin(cpu, (uint8_t)subcode);
		ipl_notify(cpu, s);
	case IPL_LOAD_CLEAR:
		ipl_notify(cpu, s);
	case IPL_SET_BLOCK:
	case IPL_STORE_BLOCK:
		ipl_block(cpu, s, (enum ipl_subcode)subcode);
	default:
		RAISE(PGM_SPECIFICATION);
	}
}

static _Noreturn void diag(struct cpu *cpu, const struct slot *s)
{
	uint64_t code = EA() & 0xffff;

	switch (code) {
	case DIAG_YIELD:
	case DIAG_YIELD_TO:
		diag_yield(cpu, s, (enum diag_code)code);
	case DIAG_WATCHDOG:
		diag_watchdog(cpu, s);
	case DIAG_IPL:
		diag_ipl(cpu, s);
	case DIAG_VIRTIO:
		diag_virtio(cpu, s);
	default:
		RAISE(PGM_SPECIFICATION);
	}
}

/* --- SERVICE CALL -------------------------------------------------------------------------------- */

/*
 * Is an SCCB of this CPU with the host, or its signal still to come? A reset may have ended the
 * instruction, and then nothing comes.
 */
static bool servc_under_way(const struct uv_cpu *c, const struct uv_cpu *self)
{
	if (!c->outstanding_sccb || c->may_signal)
		return c->outstanding_sccb;
	return c != self && (c->running || c->area->pending.what == COMPLETE_SERVC);
}

/*
 * One SCCB at a time in the configuration: hosts merge service signals, and a second one would be
 * lost (machine.md section 7.1, CC 2). It is claimed before the host has it, without leave to signal.
 */
static bool servc_claim(struct cpu *cpu, uint32_t sccb)
{
	struct uv_cpu *self = uv_current(cpu);
	struct uv_config *config = self->config;
	bool busy = false;

	uv_lock(config->uv, cpu);
	for (const struct uv_cpu *c = config->cpus; c; c = c->next)
		busy |= servc_under_way(c, self);
	if (!busy) {
		self->outstanding_sccb = sccb;
		self->may_signal = false;
	}
	uv_unlock(config->uv);
	return !busy;
}

static void servc_unclaim(struct cpu *cpu)
{
	struct uv_cpu *self = uv_current(cpu);

	uv_lock(self->config->uv, cpu);
	self->outstanding_sccb = 0;
	uv_unlock(self->config->uv);
}

/* Waiting for the lock may have cost the right to the page, so it is looked up again. */
static uint8_t *servc_block(struct cpu *cpu, const struct slot *s, uint64_t addr)
{
	uint8_t *p;
	struct pic pic = mem_real(cpu, addr, sizeof(struct sccb_header), ACCESS_WRITE, &p);

	if (pic.code) {
		servc_unclaim(cpu);
		RAISE_PIC(pic);
	}
	return p;
}

/* With this exit the host is told that the signal may come (uv_leave()). */
void uv_servc_notify(struct cpu *cpu, struct uv_cpu *c)
{
	c->area->pending.what = COMPLETE_SERVC_NOTIFY;
	uv_show(cpu, OP_SERVC, SERVC_IPB);
	sie_exit(cpu, ICPT_PV_NOTIFICATION);
}

/* Those that are the hypervisor's business (section 7.9); the Ultravisor knows no others. */
static bool servc_allowed(uint32_t command)
{
	switch (command & SCLP_COMMAND_MASK) {
	case SCLP_READ_SCP_INFO &SCLP_COMMAND_MASK:
	case SCLP_READ_CPU_INFO &SCLP_COMMAND_MASK:
	case SCLP_READ_SCP_INFO_FORCED &SCLP_COMMAND_MASK:
	case SCLP_WRITE_EVENT_MASK &SCLP_COMMAND_MASK:
	case SCLP_WRITE_EVENT_DATA &SCLP_COMMAND_MASK:
	case SCLP_READ_EVENT_DATA &SCLP_COMMAND_MASK:
		return true;
	default:
		return false;
	}
}

/* Answered here: the host has nothing to do but to send the signal. */
static _Noreturn void servc_refuse(struct cpu *cpu, const struct slot *s, uint8_t *sccb,
				   enum sclp_response response)
{
	be16_set(&((struct sccb_header *)(void *)sccb)->response, (uint16_t)response);
	mem_written(cpu, sccb, sizeof(struct sccb_header));
	set_cc(0);
	cpu->psw_addr = insn_next_addr(cpu, s);
	uv_servc_notify(cpu, uv_current(cpu));
}

static bool in_prefix_area(const struct cpu *cpu, uint64_t raddr)
{
	uint64_t block = raddr & ~0x1fffull;

	return block == 0 || block == cpu->prefix;
}

/* SERVICE CALL of a guest. Order of checks: machine.md section 7.1. */
static _Noreturn void servc(struct cpu *cpu, const struct slot *s)
{
	const uint32_t head = sizeof(struct sccb_header);
	uint64_t addr = r64(R2);
	uint32_t command = r32(R1), len;
	struct uv_pending *p;
	uint8_t *sccb, *sida;

	sccb = real_block(cpu, s, addr & ~7ull, head, ACCESS_WRITE);
	len = be16_get(((const struct sccb_header *)(const void *)sccb)->len);
	if (addr & 7 || addr >> 31 || in_prefix_area(cpu, addr) || len < head)
		RAISE(PGM_SPECIFICATION);
	sida = uv_sida_page(cpu, s);
	if (!servc_claim(cpu, (uint32_t)addr)) {
		set_cc(2);
		sie_done(cpu, s);
	}
	sccb = servc_block(cpu, s, addr);
	if ((addr & OFFSET_MASK) + len > FRAME_BYTES)
		servc_refuse(cpu, s, sccb, SCLP_BOUNDARY);
	if (!servc_allowed(command))
		servc_refuse(cpu, s, sccb, SCLP_INVALID_COMMAND);
	sida_fill_real(cpu, sida, sccb, len);
	uv_show(cpu, OP_SERVC, SERVC_IPB);
	uv_show_gr(cpu, 0, command);
	p = await(cpu, s, COMPLETE_SERVC);
	p->addr = addr;
	p->len = len;
	ask(cpu, s);
}

/* --- STORE SYSTEM INFORMATION -------------------------------------------------------------------- */

#define STSI_LEVELS	3u
#define STSI_GR0_ZEROS	0x0fffff00u
#define STSI_GR1_ZEROS	0xffff0000u
#define STSI_LEVEL_BITS 28

static _Noreturn void stsi(struct cpu *cpu, const struct slot *s)
{
	unsigned int level = r32(0) >> STSI_LEVEL_BITS;
	uint64_t at = EA();
	struct uv_pending *p;
	struct span span;

	if (level > STSI_LEVELS) {
		set_cc(3);
		sie_done(cpu, s);
	}
	if (r32(0) & STSI_GR0_ZEROS || r32(1) & STSI_GR1_ZEROS || (level && at & OFFSET_MASK))
		RAISE(PGM_SPECIFICATION);
	if (level) {
		mem_span(cpu, s, at, SYSIB_BYTES, ACCESS_WRITE, &span);
		sida_fill(cpu, uv_sida_page(cpu, s), NULL, SYSIB_BYTES);
	}
	uv_show(cpu, OP_STSI, 0);
	uv_show_gr(cpu, 0, r64(0));
	uv_show_gr(cpu, 1, r64(1));
	p = await(cpu, s, COMPLETE_STSI);
	p->addr = at;
	p->len = level ? SYSIB_BYTES : 0;
	ask(cpu, s);
}

/* --- I/O ------------------------------------------------------------------------------------------ */

/* Storage operands: which way they go, and where they have to lie. */
struct io_insn {
	uint16_t opcode;
	uint16_t bytes, align;
	bool in, out;
	uint8_t grs; /* GR1 and so on that are implied operands */
};

#define SCHIB_BYTES 52u
#define ORB_BYTES   32u
#define IRB_BYTES   96u
#define CRW_BYTES   4u
#define STCPS_BYTES 32u

static const struct io_insn io_insns[] = {
	{ .opcode = 0xb230, .grs = 1 },						       /* CSCH */
	{ .opcode = 0xb231, .grs = 1 },						       /* HSCH */
	{ .opcode = 0xb232, .bytes = SCHIB_BYTES, .align = 4, .in = true, .grs = 1 },  /* MSCH */
	{ .opcode = 0xb233, .bytes = ORB_BYTES, .align = 4, .in = true, .grs = 1 },    /* SSCH */
	{ .opcode = 0xb234, .bytes = SCHIB_BYTES, .align = 4, .out = true, .grs = 1 }, /* STSCH */
	{ .opcode = 0xb235, .bytes = IRB_BYTES, .align = 4, .out = true, .grs = 1 },   /* TSCH */
	{ .opcode = 0xb237, .grs = 1 },						       /* SAL */
	{ .opcode = 0xb238, .grs = 1 },						       /* RSCH */
	{ .opcode = 0xb239, .bytes = CRW_BYTES, .align = 4, .out = true },	       /* STCRW */
	{ .opcode = 0xb23a, .bytes = STCPS_BYTES, .align = STCPS_BYTES, .out = true }, /* STCPS */
	{ .opcode = 0xb23b, .grs = 1 },						       /* RCHP */
	{ .opcode = 0xb23c, .grs = 2 },						       /* SCHM */
	{ .opcode = OP_CHSC, .bytes = FRAME_BYTES, .align = FRAME_BYTES, .in = true, .out = true },
	{ .opcode = 0xb274, .grs = 3 }, /* SIGA */
	{ .opcode = 0xb276, .grs = 1 }, /* XSCH */
};

static const struct io_insn *find_io(unsigned int opcode)
{
	for (size_t i = 0; i < ARRAY_SIZE(io_insns); i++)
		if (io_insns[i].opcode == opcode)
			return &io_insns[i];
	return NULL;
}

static _Noreturn void io(struct cpu *cpu, const struct slot *s, const struct io_insn *insn)
{
	uint64_t at = insn->opcode == OP_CHSC ? ADDR(r64(R1)) : EA();
	enum access access = insn->out ? ACCESS_WRITE : ACCESS_READ;
	struct uv_pending *p;
	struct span span;

	if (insn->bytes) {
		if (at % insn->align)
			RAISE(PGM_SPECIFICATION);
		mem_span(cpu, s, at, insn->bytes, access, &span);
		sida_fill(cpu, uv_sida_page(cpu, s), insn->in ? &span : NULL, insn->bytes);
	}
	uv_show(cpu, insn->opcode, 0);
	for (unsigned int i = 1; i <= insn->grs; i++)
		uv_show_gr(cpu, i, r64(i));
	p = await(cpu, s, COMPLETE_IO);
	p->opcode = insn->opcode;
	p->addr = at;
	p->len = insn->out ? insn->bytes : 0;
	ask(cpu, s);
}

/* --- Executed here -------------------------------------------------------------------------------- */

/* SET PREFIX. Done here, because the host is told afterwards. */
static _Noreturn void spx(struct cpu *cpu, const struct slot *s)
{
	uint64_t at = EA(), prefix;
	struct pic pic;
	uint8_t *p, *sida;

	REQUIRE_ALIGNED(at, 4);
	prefix = load32(at) & PREFIX_MASK;
	pic = mem_absolute(cpu, prefix, FRAME_BYTES, ACCESS_READ, &p);
	if (!pic.code)
		pic = mem_absolute(cpu, prefix + FRAME_BYTES, FRAME_BYTES, ACCESS_READ, &p);
	if (pic.code)
		RAISE_PIC(pic);
	sida = uv_sida_page(cpu, s);
	be32_set((be32 *)(void *)sida, (uint32_t)prefix);
	mem_written(cpu, sida, sizeof(be32));
	cpu->prefix = prefix;
	uv_show(cpu, OP_SPX, 0);
	uv_notify(cpu, s);
}

#define FAC_STHYI  74u
#define FAC_UNPACK 161u

/* The machine's list for a guest of the Ultravisor (machine.md section 1.1); the host's does not count. */
static uint64_t guest_facilities(const struct machine *m, unsigned int word)
{
	static const unsigned int absent[] = { FAC_STHYI, FAC_UNPACK };
	uint64_t list = machine_facilities(m, word);

	if (word == FAC_UVC / 64)
		list |= BIT64(FAC_UVC % 64);
	for (size_t i = 0; i < ARRAY_SIZE(absent); i++)
		if (word == absent[i] / 64)
			list &= ~BIT64(absent[i] % 64);
	return list;
}

/* STORE FACILITY LIST EXTENDED. STFL is left to its handler: bits 0-31 are the machine's. */
static _Noreturn void stfle(struct cpu *cpu, const struct slot *s)
{
	unsigned int have = MACHINE_FACILITY_WORDS, room = (r64(0) & 0xff) + 1, n;
	be64 words[MACHINE_FACILITY_WORDS];
	uint64_t at = EA();

	REQUIRE_ALIGNED(at, 8);
	n = have < room ? have : room;
	for (unsigned int i = 0; i < n; i++)
		be64_set(&words[i], guest_facilities(cpu->m, i));
	store_bytes(cpu, s, at, words, n * 8);
	set_r64(0, (r64(0) & ~0xffull) | (have - 1));
	set_cc(have > room ? 3 : 0);
	sie_done(cpu, s);
}

/* SET CLOCK: the guest's own, by its epoch. */
static _Noreturn void sck(struct cpu *cpu, const struct slot *s)
{
	uint64_t at = EA();

	REQUIRE_ALIGNED(at, 8);
	cpu->tod_epoch = load64(at) - machine_tod(cpu->m);
	set_cc(0);
	cpu_clock_changed(cpu);
	intr_recheck(cpu);
	sie_done(cpu, s);
}

/*
 * What is not named here is left to the ordinary handler, which works on the guest's own state:
 * LPSW(E), LCTL(G), STCTL/STCTG, SVC, STAP, STIDP, STPX, STFL, SCKPF, TB, TPI, keys, TPROT, MVPG, and
 * IPTE, IDTE, CSP(G), which wait while a host holds their lock (sie_tables_lock()).
 */
void uv_insn(void *uv, struct cpu *cpu, const struct insn *insn, const struct slot *s)
{
	const struct io_insn *io_insn;

	(void)uv;
	switch (insn->opcode) {
	case OP_DIAG:
		diag(cpu, s);
	case OP_SERVC:
		servc(cpu, s);
	case OP_STSI:
		stsi(cpu, s);
	case OP_SPX:
		spx(cpu, s);
	case OP_SIGP:
		uv_sigp(cpu, s);
	case OP_STFLE:
		stfle(cpu, s);
	case OP_SCK:
		sck(cpu, s);
	case OP_SIE:
		RAISE(PGM_OPERATION);
	default:
		break;
	}
	if (!(insn->flags & SIE_ALWAYS))
		return;
	io_insn = find_io(insn->opcode);
	if (io_insn)
		io(cpu, s, io_insn);
}
