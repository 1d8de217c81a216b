// SPDX-License-Identifier: MIT
/*
 * The service element of a virtual machine: storage size and CPUs, VT220 and line-mode consoles,
 * shutdown requests. Nothing here trusts a length inside a control block.
 */
#include "sclp.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "console.h"
#include "ebcdic.h"
#include "err.h"
#include "gmap.h"
#include "sccb.h"
#include "vcpu.h"
#include "vm.h"

#define MIB	       (1ull << 20)
#define INPUT_BYTES    4096u
#define MAX_INCREMENTS 1020u
#define SIGNAL_EVENTS  1u /* bit 31 of the parameter: events are pending */

#define LINE_MAX_BYTES 200u /* its lengths are bytes */
#define SIGNAL_ADDR    (~7u)

/* What this service element can receive and send. */
#define RECEIVES (SCLP_MASK(SCLP_EVENT_MESSAGE) | SCLP_MASK(SCLP_EVENT_VT220))
#define SENDS                                                           \
	(SCLP_MASK(SCLP_EVENT_OPERATOR) | SCLP_MASK(SCLP_EVENT_VT220) | \
	 SCLP_MASK(SCLP_EVENT_QUIESCE))

/* General data stream variables of a command that an operator typed (machine.md section 7.4). */
enum {
	GDS_MDS_MU = 0x1310,
	GDS_CP_MSU = 0x1212,
	GDS_TEXT_COMMAND = 0x1320,
	GDS_SELF_DEFINING_TEXT = 0x31,
	GDS_TEXT = 0x30,
};

struct sclp {
	struct vm *vm;
	pthread_mutex_t lock;
	uint64_t cp_receive; /* events that the guest listens to */
	size_t mask_len;     /* bytes of its masks */
	bool line_mode;	     /* the guest's last output was a line-mode message */
	uint32_t signal;     /* parameter of the pending service signal; 0: none */
	bool quiesce;
	uint8_t input[INPUT_BYTES];
	size_t input_len;

	/* Of the CPU's thread alone: the last line-mode message, without its line ends. */
	uint8_t last[SCCB_MAX_BYTES];
	size_t last_len;
};

int sclp_new(struct vm *vm, struct sclp **out, struct zpv_err *err)
{
	struct sclp *s = calloc(1, sizeof(*s));

	if (!s)
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	s->vm = vm;
	pthread_mutex_init(&s->lock, NULL);
	*out = s;
	return 0;
}

void sclp_free(struct sclp *s)
{
	if (!s)
		return;
	pthread_mutex_destroy(&s->lock);
	free(s);
}

void sclp_reset(struct sclp *s)
{
	pthread_mutex_lock(&s->lock);
	s->cp_receive = 0;
	s->mask_len = 0;
	s->signal = 0;
	s->line_mode = false;
	s->quiesce = false;
	pthread_mutex_unlock(&s->lock);
}

/* --- Configuration ----------------------------------------------------------------------------- */

/* Storage as increments of so many MiB, a power of two: few, where the size allows it. */
static void increments(uint64_t bytes, uint64_t *count, uint32_t *size)
{
	uint64_t mib = bytes / MIB;

	*size = 1;
	while (mib / *size > MAX_INCREMENTS && mib / *size % 2 == 0)
		*size *= 2;
	*count = mib / *size;
}

static uint16_t read_scp_info(struct sclp *s, uint8_t *sccb, size_t len)
{
	struct sccb_scp_info *info = (void *)sccb;
	uint64_t count;
	uint32_t size;

	if (len < sizeof(*info) + sizeof(struct sccb_cpu_entry))
		return SCLP_SHORT;
	memset(sccb + sizeof(info->header), 0, len - sizeof(info->header));
	increments(gmap_bytes(s->vm->gmap), &count, &size);
	if (count <= MAX_INCREMENTS)
		be16_set(&info->rnmax, (uint16_t)count);
	else
		be64_set(&info->rnmax2, count);
	info->rnsize = size < 256 ? (uint8_t)size : 0;
	be32_set(&info->rnsize2, size);
	be16_set(&info->ncpurl, 1);
	be16_set(&info->cpuoff, sizeof(*info));
	memset(info->loadparm, 0x40, sizeof(info->loadparm));
	be64_set(&info->facilities, SCP_FACILITY_CPU_INFO);
	info->flags85 = SCP_FLAGS85_ESOP;
	return SCLP_READ_DONE;
}

static uint16_t read_cpu_info(uint8_t *sccb, size_t len)
{
	struct sccb_cpu_info *info = (void *)sccb;

	if (len < sizeof(*info) + sizeof(struct sccb_cpu_entry))
		return SCLP_SHORT;
	memset(sccb + sizeof(info->header), 0, len - sizeof(info->header));
	be16_set(&info->configured, 1);
	be16_set(&info->configured_off, sizeof(*info));
	be16_set(&info->standby_off, sizeof(*info) + sizeof(struct sccb_cpu_entry));
	return SCLP_READ_DONE;
}

/* --- Events ------------------------------------------------------------------------------------ */

/* Leftmost bytes of a mask of any length as 64 bits, and back. */
static uint64_t mask_get(const uint8_t *p, size_t len)
{
	uint64_t v = 0;

	for (size_t i = 0; i < sizeof(v); i++)
		v = v << 8 | (i < len ? p[i] : 0);
	return v;
}

static void mask_set(uint8_t *p, size_t len, uint64_t v)
{
	for (size_t i = 0; i < len; i++)
		p[i] = i < sizeof(v) ? (uint8_t)(v >> (56 - 8 * i)) : 0;
}

static uint16_t write_event_mask(struct sclp *s, uint8_t *sccb, size_t len)
{
	struct sccb_event_mask *m = (void *)sccb;
	uint8_t *masks = sccb + sizeof(*m);
	size_t n;

	if (len < sizeof(*m))
		return SCLP_SHORT;
	n = be16_get(m->mask_len);
	if (n < 1 || n > 1021)
		return SCLP_MASK_LENGTH;
	if (len < sizeof(*m) + 4 * n)
		return SCLP_SHORT;
	pthread_mutex_lock(&s->lock);
	s->cp_receive = mask_get(masks, n);
	s->mask_len = n;
	pthread_mutex_unlock(&s->lock);
	mask_set(masks + 2 * n, n, RECEIVES);
	mask_set(masks + 3 * n, n, SENDS);
	return SCLP_NORMAL;
}

static void output(struct sclp *s, const uint8_t *data, size_t len)
{
	struct console *c = s->vm->config.console;

	if (c && len)
		c->output(c->ctx, data, len);
}

static void remember(struct sclp *s, const uint8_t *text, size_t len)
{
	if (len > sizeof(s->last) - s->last_len)
		len = sizeof(s->last) - s->last_len;
	memcpy(s->last + s->last_len, text, len);
	s->last_len += len;
}

/*
 * Early messages of Linux and of boot loaders go to the line-mode console and then to the VT220, for
 * either may be the one that somebody reads. Here both are the same: shown once.
 */
static bool shown_before(struct sclp *s, const uint8_t *data, size_t len)
{
	size_t at = 0, n = s->last_len;

	s->last_len = 0;
	if (!n)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (data[i] == '\r' || data[i] == '\n' || data[i] == 0)
			continue;
		if (at == n || data[i] != s->last[at++])
			return false;
	}
	return at == n;
}

/* Message text objects of a line-mode event, a line each. */
static bool output_lines(struct sclp *s, const uint8_t *p, size_t len)
{
	const struct sclp_mdb *mdb = (const void *)p;

	s->last_len = 0;
	if (len < sizeof(*mdb) || be16_get(mdb->len) > len)
		return false;
	len = be16_get(mdb->len);
	for (size_t at = sizeof(*mdb); at + sizeof(struct sclp_mdb_object) <= len;) {
		const struct sclp_mto *mto = (const void *)(p + at);
		size_t n = be16_get(mto->object.len);
		uint8_t text[SCCB_MAX_BYTES];

		if (n < sizeof(struct sclp_mdb_object) || n > len - at)
			return false;
		if (be16_get(mto->object.type) == SCLP_OBJECT_TEXT && n >= sizeof(*mto)) {
			ebcdic_to_ascii(p + at + sizeof(*mto), text, n - sizeof(*mto));
			output(s, text, n - sizeof(*mto));
			output(s, (const uint8_t *)"\r\n", 2);
			remember(s, text, n - sizeof(*mto));
		}
		at += n;
	}
	return true;
}

static void set_line_mode(struct sclp *s, bool on)
{
	pthread_mutex_lock(&s->lock);
	s->line_mode = on;
	pthread_mutex_unlock(&s->lock);
}

static uint16_t write_event(struct sclp *s, struct sclp_event *e)
{
	const uint8_t *data = (const uint8_t *)(e + 1);
	size_t len = be16_get(e->len) - sizeof(*e);

	if (e->type != SCLP_EVENT_VT220 && e->type != SCLP_EVENT_MESSAGE)
		return SCLP_INVALID_FUNCTION;
	set_line_mode(s, e->type == SCLP_EVENT_MESSAGE);
	if (e->type == SCLP_EVENT_MESSAGE && !output_lines(s, data, len))
		return SCLP_BUFFER_SYNTAX;
	if (e->type == SCLP_EVENT_VT220 && !shown_before(s, data, len))
		output(s, data, len);
	e->flags |= SCLP_EVENT_ACCEPTED;
	return SCLP_NORMAL;
}

static uint16_t write_event_data(struct sclp *s, uint8_t *sccb, size_t len)
{
	const struct sccb_header *h = (const void *)sccb;

	if (h->function != 0)
		return SCLP_INVALID_FUNCTION;
	for (size_t at = sizeof(*h); at < len;) {
		struct sclp_event *e = (void *)(sccb + at);
		uint16_t rc;

		if (len - at < sizeof(*e) || be16_get(e->len) < sizeof(*e))
			return SCLP_BUFFER_SYNTAX;
		if (be16_get(e->len) > len - at)
			return SCLP_LENGTHS;
		rc = write_event(s, e);
		if (rc != SCLP_NORMAL)
			return rc;
		at += be16_get(e->len);
	}
	return SCLP_NORMAL;
}

static bool listens(const struct sclp *s, enum sclp_event_type type)
{
	return s->cp_receive & SCLP_MASK(type);
}

/* Appends an event; returns its size, 0 when there is no room. */
static size_t put_event(uint8_t *to, size_t room, enum sclp_event_type type, const uint8_t *data,
			size_t len)
{
	struct sclp_event *e = (void *)to;

	if (room < sizeof(*e) + len)
		return 0;
	memset(e, 0, sizeof(*e));
	be16_set(&e->len, (uint16_t)(sizeof(*e) + len));
	e->type = (uint8_t)type;
	memcpy(e + 1, data, len);
	return sizeof(*e) + len;
}

/* The console that gets the input: where the guest wrote last, if it listens there. */
static enum sclp_event_type input_event(const struct sclp *s)
{
	if (listens(s, SCLP_EVENT_OPERATOR) && (s->line_mode || !listens(s, SCLP_EVENT_VT220)))
		return SCLP_EVENT_OPERATOR;
	return SCLP_EVENT_VT220;
}

/* How much of the input can be told now: all of it, in line mode up to the first end of a line. */
static size_t input_ready(const struct sclp *s, size_t *skip)
{
	enum sclp_event_type type = input_event(s);

	*skip = 0;
	if (!listens(s, type))
		return 0;
	if (type == SCLP_EVENT_VT220)
		return s->input_len;
	for (size_t i = 0; i < s->input_len; i++) {
		if (s->input[i] != '\r' && s->input[i] != '\n')
			continue;
		*skip = 1;
		return i + 1;
	}
	return s->input_len == INPUT_BYTES ? INPUT_BYTES : 0;
}

static void drop_input(struct sclp *s, size_t n)
{
	memmove(s->input, s->input + n, s->input_len - n);
	s->input_len -= n;
}

/* VT220 input: a byte 0 (session data), then the text. */
static size_t put_vt220(struct sclp *s, uint8_t *to, size_t room)
{
	uint8_t data[1 + INPUT_BYTES] = { 0 };
	size_t n = s->input_len, used;

	if (!n || room < sizeof(struct sclp_event) + 2)
		return 0;
	if (n > room - sizeof(struct sclp_event) - 1)
		n = room - sizeof(struct sclp_event) - 1;
	memcpy(data + 1, s->input, n);
	used = put_event(to, room, SCLP_EVENT_VT220, data, n + 1);
	drop_input(s, n);
	return used;
}

/* A vector of general data streams: length, identifier; sub-vectors have a byte of each. */
static size_t vector(uint8_t *to, size_t len, uint16_t id)
{
	to[0] = (uint8_t)(len >> 8);
	to[1] = (uint8_t)len;
	to[2] = (uint8_t)(id >> 8);
	to[3] = (uint8_t)id;
	return 4;
}

/* A line for the line-mode console: MDS-MU, CP-MSU, text command, self-defining text, text. */
static size_t put_line(struct sclp *s, uint8_t *to, size_t room)
{
	uint8_t data[4 * 3 + 4 + LINE_MAX_BYTES];
	size_t skip, ready = input_ready(s, &skip), n = ready - skip, at = 0, used;

	if (!ready)
		return 0;
	if (n > LINE_MAX_BYTES)
		n = LINE_MAX_BYTES;
	at += vector(data + at, 16 + n, GDS_MDS_MU);
	at += vector(data + at, 12 + n, GDS_CP_MSU);
	at += vector(data + at, 8 + n, GDS_TEXT_COMMAND);
	data[at++] = (uint8_t)(4 + n);
	data[at++] = GDS_SELF_DEFINING_TEXT;
	data[at++] = (uint8_t)(2 + n);
	data[at++] = GDS_TEXT;
	ebcdic_from_ascii(s->input, data + at, n);
	used = put_event(to, room, SCLP_EVENT_OPERATOR, data, at + n);
	if (used)
		drop_input(s, n + skip < ready ? n : ready);
	return used;
}

static size_t put_input(struct sclp *s, uint8_t *to, size_t room)
{
	if (!listens(s, input_event(s)))
		return 0;
	return input_event(s) == SCLP_EVENT_VT220 ? put_vt220(s, to, room) : put_line(s, to, room);
}

static bool events_pending(const struct sclp *s)
{
	size_t skip;

	return input_ready(s, &skip) || (s->quiesce && listens(s, SCLP_EVENT_QUIESCE));
}

/* The events that a selective read asks for, behind the header; only such as the guest receives. */
static bool selection_valid(const struct sclp *s, const uint8_t *mask)
{
	uint64_t wanted = mask_get(mask, s->mask_len);

	return wanted && !(wanted & ~s->cp_receive);
}

static uint16_t read_events(struct sclp *s, uint8_t *sccb, size_t len)
{
	static const uint8_t now[3] = { 0, 0, 0 };
	struct sccb_header *h = (void *)sccb;
	size_t at = sizeof(*h);

	if (h->function > 1)
		return SCLP_INVALID_FUNCTION;
	if (len != SCCB_MAX_BYTES)
		return SCLP_SHORT;
	if (h->function == 1 && !selection_valid(s, sccb + sizeof(*h)))
		return SCLP_INVALID_SELECTION;
	if (s->quiesce && listens(s, SCLP_EVENT_QUIESCE)) {
		at += put_event(sccb + at, len - at, SCLP_EVENT_QUIESCE, now, sizeof(now));
		s->quiesce = false;
	}
	at += put_input(s, sccb + at, len - at);
	if (at == sizeof(*h))
		return SCLP_NO_EVENTS;
	if (h->control[2] & SCCB_VARIABLE) {
		h->control[2] &= (uint8_t)~SCCB_VARIABLE;
		be16_set(&h->len, (uint16_t)at);
	}
	return events_pending(s) ? SCLP_MORE_EVENTS : SCLP_NORMAL;
}

static uint16_t read_event_data(struct sclp *s, uint8_t *sccb, size_t len)
{
	uint16_t rc;

	pthread_mutex_lock(&s->lock);
	rc = read_events(s, sccb, len);
	pthread_mutex_unlock(&s->lock);
	return rc;
}

/* --- Commands ---------------------------------------------------------------------------------- */

static uint16_t execute(struct sclp *s, uint32_t command, uint8_t *sccb, size_t len)
{
	switch (command & SCLP_COMMAND_MASK) {
	case SCLP_READ_SCP_INFO:
	case SCLP_READ_SCP_INFO_FORCED:
		return read_scp_info(s, sccb, len);
	case SCLP_READ_CPU_INFO:
		return read_cpu_info(sccb, len);
	case SCLP_WRITE_EVENT_MASK:
		return write_event_mask(s, sccb, len);
	case SCLP_WRITE_EVENT_DATA:
		return write_event_data(s, sccb, len);
	case SCLP_READ_EVENT_DATA:
		return read_event_data(s, sccb, len);
	default:
		return SCLP_INVALID_COMMAND;
	}
}

void sclp_execute(struct sclp *s, uint32_t command, uint8_t *sccb, size_t len)
{
	struct sccb_header *h = (void *)sccb;

	be16_set(&h->response, execute(s, command, sccb, len));
}

/* --- Service signals --------------------------------------------------------------------------- */

static void signal_locked(struct sclp *s, uint32_t addr)
{
	s->signal |= addr | (events_pending(s) ? SIGNAL_EVENTS : 0);
}

bool sclp_begin(struct sclp *s)
{
	bool free;

	pthread_mutex_lock(&s->lock);
	free = !(s->signal & SIGNAL_ADDR);
	pthread_mutex_unlock(&s->lock);
	return free;
}

void sclp_finish(struct sclp *s, uint32_t addr)
{
	pthread_mutex_lock(&s->lock);
	signal_locked(s, addr);
	pthread_mutex_unlock(&s->lock);
}

uint32_t sclp_take_signal(struct sclp *s)
{
	uint32_t was;

	pthread_mutex_lock(&s->lock);
	was = s->signal;
	s->signal = 0;
	pthread_mutex_unlock(&s->lock);
	return was;
}

void sclp_return_signal(struct sclp *s, uint32_t param)
{
	pthread_mutex_lock(&s->lock);
	s->signal |= param;
	pthread_mutex_unlock(&s->lock);
}

bool sclp_signal_pending(struct sclp *s)
{
	bool is;

	pthread_mutex_lock(&s->lock);
	is = s->signal;
	pthread_mutex_unlock(&s->lock);
	return is;
}

size_t sclp_input(struct sclp *s, const uint8_t *data, size_t len)
{
	bool wake;

	pthread_mutex_lock(&s->lock);
	if (len > INPUT_BYTES - s->input_len)
		len = INPUT_BYTES - s->input_len;
	memcpy(s->input + s->input_len, data, len);
	s->input_len += len;
	wake = events_pending(s);
	if (wake)
		signal_locked(s, 0);
	pthread_mutex_unlock(&s->lock);
	if (wake)
		vcpu_wake(s->vm->vcpu);
	return len;
}

bool sclp_quiesce(struct sclp *s)
{
	bool heard;

	pthread_mutex_lock(&s->lock);
	heard = listens(s, SCLP_EVENT_QUIESCE);
	if (heard) {
		s->quiesce = true;
		signal_locked(s, 0);
	}
	pthread_mutex_unlock(&s->lock);
	if (heard)
		vcpu_wake(s->vm->vcpu);
	return heard;
}
