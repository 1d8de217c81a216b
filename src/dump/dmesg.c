// SPDX-License-Identifier: MIT
/*
 * The kernel's messages: the lockless ring buffer of printk, Linux 5.10 and later (public source:
 * Documentation/admin-guide/kdump/vmcoreinfo.rst, kernel/printk/printk_ringbuffer.[ch], 6.1 and 6.12).
 *
 * The output is that of busybox's dmesg, which prints what syslog(2) gives: every line of a record has
 * the time in front. Records are those that a reader in the guest would see, from the oldest one that
 * is still there: also those that "dmesg -c" has hidden. A record that is not final (its next part
 * has not come) is left out, as in the guest.
 *
 * The ring belongs to the guest: a record takes no more turns than there are descriptors, and all text
 * together is no longer than the ring of text.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "be.h"
#include "err.h"
#include "kernel.h"

#define MAX_BITS 31 /* LOG_BUF_LEN_MAX */
#define NSEC	 1000000000u

/* --- Where fields are ------------------------------------------------------------------------ */

enum field {
	RB_SIZE,
	RB_DESC_RING,
	RB_TEXT_RING,
	DR_SIZE,
	DR_COUNT_BITS,
	DR_DESCS,
	DR_INFOS,
	DR_TAIL_ID,
	D_SIZE,
	D_STATE,
	D_LPOS,
	LPOS_SIZE,
	LPOS_BEGIN,
	LPOS_NEXT,
	I_SIZE,
	I_SEQ,
	I_TIME,
	I_TEXT_LEN,
	TR_SIZE,
	TR_SIZE_BITS,
	TR_DATA,
	FIELDS,
};

#define SIZE(name)                          \
	{                                   \
		"SIZE(" name ")", FIELDS, 0 \
	}
#define OFFSET(name, size, bytes)               \
	{                                       \
		"OFFSET(" name ")", size, bytes \
	}

/* The line of VMCOREINFO; for an offset the structure that the field must lie in, and its bytes. */
static const struct {
	const char *name;
	enum field in;
	unsigned int bytes;
} fields[FIELDS] = {
	[RB_SIZE] = SIZE("printk_ringbuffer"),
	[RB_DESC_RING] = OFFSET("printk_ringbuffer.desc_ring", RB_SIZE, 0),
	[RB_TEXT_RING] = OFFSET("printk_ringbuffer.text_data_ring", RB_SIZE, 0),
	[DR_SIZE] = SIZE("prb_desc_ring"),
	[DR_COUNT_BITS] = OFFSET("prb_desc_ring.count_bits", DR_SIZE, 4),
	[DR_DESCS] = OFFSET("prb_desc_ring.descs", DR_SIZE, 8),
	[DR_INFOS] = OFFSET("prb_desc_ring.infos", DR_SIZE, 8),
	[DR_TAIL_ID] = OFFSET("prb_desc_ring.tail_id", DR_SIZE, 8),
	[D_SIZE] = SIZE("prb_desc"),
	[D_STATE] = OFFSET("prb_desc.state_var", D_SIZE, 8),
	[D_LPOS] = OFFSET("prb_desc.text_blk_lpos", D_SIZE, 0),
	[LPOS_SIZE] = SIZE("prb_data_blk_lpos"),
	[LPOS_BEGIN] = OFFSET("prb_data_blk_lpos.begin", LPOS_SIZE, 8),
	[LPOS_NEXT] = OFFSET("prb_data_blk_lpos.next", LPOS_SIZE, 8),
	[I_SIZE] = SIZE("printk_info"),
	[I_SEQ] = OFFSET("printk_info.seq", I_SIZE, 8),
	[I_TIME] = OFFSET("printk_info.ts_nsec", I_SIZE, 8),
	[I_TEXT_LEN] = OFFSET("printk_info.text_len", I_SIZE, 2),
	[TR_SIZE] = SIZE("prb_data_ring"),
	[TR_SIZE_BITS] = OFFSET("prb_data_ring.size_bits", TR_SIZE, 4),
	[TR_DATA] = OFFSET("prb_data_ring.data", TR_SIZE, 8),
};

/* Today's largest of these structures has 88 bytes. */
#define MAX_STRUCT 256u

struct ring {
	struct kernel_space *space;
	uint64_t field[FIELDS];
	uint64_t descs, infos, data; /* virtual addresses */
	uint64_t count, bytes;	     /* of descriptors, of text: powers of two */
	uint64_t text_left;	     /* of the ring's bytes, not used by a record yet */
};

static int read_layout(struct ring *r, const struct vmcoreinfo *v, struct zpv_err *err)
{
	for (size_t i = 0; i < FIELDS; i++)
		if (!vmcoreinfo_number(v, fields[i].name, 10, &r->field[i]))
			return err_set(err, ZPV_ERR_FORMAT,
				       "its VMCOREINFO has no %s: Linux 5.10 and later do",
				       fields[i].name);
	for (size_t i = 0; i < FIELDS; i++) {
		uint64_t room = fields[i].in == FIELDS ? MAX_STRUCT : r->field[fields[i].in];

		if (r->field[i] > room || room - r->field[i] < fields[i].bytes)
			return err_set(err, ZPV_ERR_FORMAT, "its VMCOREINFO says %s is %" PRIu64,
				       fields[i].name, r->field[i]);
	}
	if (r->field[D_SIZE] - r->field[D_LPOS] < r->field[LPOS_SIZE])
		return err_set(err, ZPV_ERR_FORMAT, "its VMCOREINFO says %s is %" PRIu64,
			       fields[D_LPOS].name, r->field[D_LPOS]);
	return 0;
}

/* --- The ring -------------------------------------------------------------------------------- */

static uint64_t get64(const uint8_t *data)
{
	be64 x;

	memcpy(&x, data, sizeof(x));
	return be64_get(x);
}

static uint32_t get32(const uint8_t *data)
{
	be32 x;

	memcpy(&x, data, sizeof(x));
	return be32_get(x);
}

static uint16_t get16(const uint8_t *data)
{
	be16 x;

	memcpy(&x, data, sizeof(x));
	return be16_get(x);
}

/* A ring of hostile size is not larger than the storage that was dumped. */
static int check_size(const struct ring *r, const char *what, uint32_t bits, uint64_t item,
		      struct zpv_err *err)
{
	const struct kernel_storage *s = r->space->storage;
	uint64_t storage = 0;

	for (size_t i = 0; i < s->nranges; i++)
		storage += s->ranges[i].bytes;
	if (!bits || bits > MAX_BITS || (item << bits) > storage)
		return err_set(err, ZPV_ERR_FORMAT, "it has 2 to the power of %u %s", bits, what);
	return 0;
}

static int open_ring(struct ring *r, const struct vmcoreinfo *v, uint64_t *tail,
		     struct zpv_err *err)
{
	const uint64_t *f = r->field;
	uint8_t rb[2 * MAX_STRUCT] = { 0 }, pointer[8];
	const uint8_t *descs = rb + f[RB_DESC_RING], *text = rb + f[RB_TEXT_RING];
	uint64_t prb;
	int rc;

	if (!vmcoreinfo_number(v, "SYMBOL(prb)", 16, &prb))
		return err_set(err, ZPV_ERR_FORMAT,
			       "its VMCOREINFO has no SYMBOL(prb): Linux 5.10 and later do");
	rc = kernel_read(r->space, prb, pointer, sizeof(pointer), err);
	if (!rc)
		rc = kernel_read(r->space, get64(pointer), rb, f[RB_SIZE], err);
	if (rc)
		return rc;
	/* A structure that its own size leaves no room for is read as zeros, which are refused. */
	rc = check_size(r, "messages", get32(descs + f[DR_COUNT_BITS]), f[D_SIZE] + f[I_SIZE], err);
	if (!rc)
		rc = check_size(r, "bytes of text", get32(text + f[TR_SIZE_BITS]), 1, err);
	if (rc)
		return rc;
	r->count = 1ull << get32(descs + f[DR_COUNT_BITS]);
	r->descs = get64(descs + f[DR_DESCS]);
	r->infos = get64(descs + f[DR_INFOS]);
	r->bytes = 1ull << get32(text + f[TR_SIZE_BITS]);
	r->data = get64(text + f[TR_DATA]);
	r->text_left = r->bytes;
	*tail = get64(descs + f[DR_TAIL_ID]);
	return 0;
}

/* --- A record -------------------------------------------------------------------------------- */

/* The two leftmost bits of a descriptor's state. */
enum state { RESERVED, COMMITTED, FINALIZED, REUSABLE };
#define STATE_SHIFT 62

/* A block without text has positions that are odd: one says "empty line", another "lost". */
#define LPOS_NO_DATA	1ull
#define LPOS_EMPTY_LINE 3ull

struct record {
	uint64_t seq, time;
	uint64_t begin, next; /* positions in the ring of text, which never wrap */
	uint16_t text_len;
	enum state state;
};

static int read_record(struct ring *r, uint64_t index, struct record *out, struct zpv_err *err)
{
	const uint64_t *f = r->field;
	uint8_t desc[MAX_STRUCT], info[MAX_STRUCT];
	int rc = kernel_read(r->space, r->descs + index * f[D_SIZE], desc, f[D_SIZE], err);

	if (!rc)
		rc = kernel_read(r->space, r->infos + index * f[I_SIZE], info, f[I_SIZE], err);
	if (rc)
		return rc;
	out->state = (enum state)(get64(desc + f[D_STATE]) >> STATE_SHIFT);
	out->begin = get64(desc + f[D_LPOS] + f[LPOS_BEGIN]);
	out->next = get64(desc + f[D_LPOS] + f[LPOS_NEXT]);
	out->seq = get64(info + f[I_SEQ]);
	out->time = get64(info + f[I_TIME]);
	out->text_len = get16(info + f[I_TEXT_LEN]);
	return 0;
}

/*
 * Where a record's block lies: a block that would reach beyond the end of the ring is at its start.
 * Its first 8 bytes are the descriptor's number. False: the text is lost, or this is no block.
 */
static bool find_text(const struct ring *r, const struct record *rec, uint64_t *at, uint64_t *size)
{
	uint64_t begin = rec->begin & (r->bytes - 1), end = rec->next & (r->bytes - 1);
	uint64_t turn = rec->next / r->bytes;
	/* Positions begin one turn before 2^64, so that the sum may pass it. */
	bool wraps = (rec->begin + r->bytes) / r->bytes == turn;

	if (rec->begin / r->bytes == turn || (wraps && !end)) {
		*at = begin;
		*size = rec->next - rec->begin;
	} else if (wraps) {
		*at = 0;
		*size = end;
	} else {
		return false;
	}
	if (*size > r->bytes - *at || *size < 8 || *size - 8 < rec->text_len)
		return false;
	*at += 8;
	return true;
}

/* --- Printing -------------------------------------------------------------------------------- */

struct output {
	kernel_write write;
	void *ctx;
};

/* Every line gets the time; the last has no newline of its own. */
static void print_lines(const struct output *to, uint64_t time, const char *text, size_t len)
{
	char prefix[40];
	int n = snprintf(prefix, sizeof(prefix), "[%5" PRIu64 ".%06" PRIu64 "] ", time / NSEC,
			 time % NSEC / 1000);

	for (;;) {
		const char *newline = memchr(text, '\n', len);
		size_t line = newline ? (size_t)(newline - text) : len;

		to->write(to->ctx, prefix, (size_t)n);
		to->write(to->ctx, text, line);
		to->write(to->ctx, "\n", 1);
		if (!newline)
			return;
		text += line + 1;
		len -= line + 1;
	}
}

static int print_record(struct ring *r, const struct record *rec, const struct output *to,
			struct zpv_err *err)
{
	char text[UINT16_MAX];
	uint64_t at, size;
	int rc;

	if (rec->begin & LPOS_NO_DATA && rec->next & LPOS_NO_DATA) {
		if (rec->begin == LPOS_EMPTY_LINE && rec->next == LPOS_EMPTY_LINE)
			print_lines(to, rec->time, "", 0);
		return 0;
	}
	if (!find_text(r, rec, &at, &size))
		return 0;
	if (size > r->text_left)
		return err_set(err, ZPV_ERR_FORMAT, "messages share text");
	r->text_left -= size;
	rc = kernel_read(r->space, r->data + at, text, rec->text_len, err);
	if (!rc)
		print_lines(to, rec->time, text, rec->text_len);
	return rc;
}

/*
 * By sequence numbers, as the kernel's own readers. The first record is that of the descriptor at the
 * tail; a number that is not there yet ends it.
 */
static int print_ring(struct ring *r, uint64_t tail, const struct output *to, struct zpv_err *err)
{
	struct record rec = { 0 };
	int rc = read_record(r, tail & (r->count - 1), &rec, err);
	uint64_t seq = rec.seq;

	for (uint64_t n = 0; !rc && n < r->count; n++, seq++) {
		rc = read_record(r, seq & (r->count - 1), &rec, err);
		if (rc || rec.seq != seq)
			return rc;
		/*
		 * A reader in the guest waits for a record that is not final. Here nobody completes
		 * it, and what came behind it must not be lost: a CPU may have crashed in it.
		 */
		if (rec.state == FINALIZED)
			rc = print_record(r, &rec, to, err);
	}
	return rc;
}

int kernel_messages(struct kernel_space *k, const struct vmcoreinfo *v, kernel_write write,
		    void *ctx, struct zpv_err *err)
{
	struct ring r = { .space = k };
	struct output to = { write, ctx };
	uint64_t tail;
	int rc = read_layout(&r, v, err);

	if (!rc)
		rc = open_ring(&r, v, &tail, err);
	if (!rc)
		rc = print_ring(&r, tail, &to, err);
	return rc == -ZPV_ERR_FORMAT ? err_ctx(err, "the kernel's message buffer") : rc;
}
