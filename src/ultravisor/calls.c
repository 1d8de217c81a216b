// SPDX-License-Identifier: MIT
/*
 * The Ultravisor call: from a control block to the function of its command and back.
 *
 * The order of what is looked at is that of ultravisor.md section 1; the instruction itself has
 * done the first three steps. A block is copied in once and stored back under the lock, by
 * addresses that are translated again: waiting for the lock answers revocations.
 */
#include <string.h>

#include <openssl/crypto.h>

#include "uv_priv.h"

struct call {
	uint16_t code, len;
	uint8_t bit;		   /* in the profile's words, and in what QUERY reports */
	uint8_t config_at, cpu_at; /* offset of a handle in the block; 0: none */
	bool before_init;
	uv_call_fn *fn;
};

#define EARLY(code, bit, fn, type)                             \
	{                                                      \
		code, sizeof(struct type), bit, 0, 0, true, fn \
	}
#define PLAIN(code, bit, fn, type)                              \
	{                                                       \
		code, sizeof(struct type), bit, 0, 0, false, fn \
	}
#define OF_CONFIG(code, bit, fn, type, handle)                                              \
	{                                                                                   \
		code, sizeof(struct type), bit, offsetof(struct type, handle), 0, false, fn \
	}
#define OF_CPU(code, bit, fn, type, handle)                                                 \
	{                                                                                   \
		code, sizeof(struct type), bit, 0, offsetof(struct type, handle), false, fn \
	}

static const struct call calls[] = {
	EARLY(UVC_QUERY, 0, uv_query, uvcb_query),
	EARLY(UVC_QUERY_KEYS, 34, uv_query_keys, uvcb_query_keys),
	EARLY(UVC_INIT, 1, uv_init, uvcb_init),
	PLAIN(UVC_CREATE_CONFIG, 2, uv_create_config, uvcb_create_config),
	OF_CONFIG(UVC_DESTROY_CONFIG, 3, uv_destroy_config, uvcb_handle, handle),
	OF_CONFIG(UVC_CREATE_CPU, 4, uv_create_cpu, uvcb_create_cpu, config_handle),
	OF_CPU(UVC_DESTROY_CPU, 5, uv_destroy_cpu, uvcb_handle, handle),
	OF_CONFIG(UVC_IMPORT, 6, uv_import, uvcb_gpage, config_handle),
	PLAIN(UVC_EXPORT, 7, uv_export, uvcb_frame),
	PLAIN(UVC_DESTROY_PAGE, 12, uv_destroy_page, uvcb_frame),
	OF_CONFIG(UVC_SET_PARMS, 11, uv_set_parms, uvcb_set_parms, config_handle),
	OF_CONFIG(UVC_UNPACK, 13, uv_unpack, uvcb_unpack, config_handle),
	OF_CONFIG(UVC_VERIFY, 14, uv_verify, uvcb_handle, handle),
	OF_CPU(UVC_CPU_RESET, 15, uv_cpu_reset, uvcb_handle, handle),
	OF_CPU(UVC_CPU_RESET_INITIAL, 16, uv_cpu_reset, uvcb_handle, handle),
	OF_CPU(UVC_SET_CPU_STATE, 17, uv_set_cpu_state, uvcb_cpu_state, cpu_handle),
	OF_CONFIG(UVC_PREPARE_RESET, 18, uv_prepare_reset, uvcb_handle, handle),
	OF_CPU(UVC_CPU_RESET_CLEAR, 19, uv_cpu_reset, uvcb_handle, handle),
	OF_CONFIG(UVC_UNSHARE_ALL, 20, uv_unshare_all, uvcb_handle, handle),
	PLAIN(UVC_PIN, 21, uv_pin, uvcb_frame),
	OF_CONFIG(UVC_UNPIN, 22, uv_unpin, uvcb_gpage, config_handle),
	OF_CONFIG(UVC_DUMP_INIT, 24, uv_dump_init, uvcb_handle, handle),
	OF_CONFIG(UVC_DUMP_STORAGE_STATE, 25, uv_dump_storage_state, uvcb_dump, handle),
	OF_CPU(UVC_DUMP_CPU, 26, uv_dump_cpu, uvcb_dump, handle),
	OF_CONFIG(UVC_DUMP_COMPLETE, 27, uv_dump_complete, uvcb_dump, handle),
	PLAIN(UVC_SHARE, 8, uv_share, uvcb_share),
	PLAIN(UVC_UNSHARE, 9, uv_unshare, uvcb_share),
};

/* NULL: unknown, or not for this profile or environment. */
static const struct call *find_call(const struct uv_op *op, uint16_t code)
{
	const struct uv_profile *p = op->uv->profile;
	uint64_t allowed = op->cpu->level == PIC_GUEST ? p->guest_calls : p->host_calls;

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (calls[i].code == code)
			return allowed & BIT64(calls[i].bit) ? &calls[i] : NULL;
	return NULL;
}

static bool length_valid(const struct call *call, size_t len)
{
	if (call->code == UVC_QUERY)
		return len >= UVCB_QUERY_MIN_BYTES && len % 8 == 0;
	return len == call->len;
}

static uint64_t field64(const struct uv_op *op, unsigned int at)
{
	be64 v;

	memcpy(&v, (const uint8_t *)&op->block + at, sizeof(v));
	return be64_get(v);
}

/* Who is meant: by a handle of the host's, or the guest that calls. */
static uint16_t find_subject(struct uv_op *op, const struct call *call)
{
	if (op->cpu->level == PIC_GUEST)
		op->ucpu = uv_current(op->cpu);
	if (call->config_at) {
		op->config = uv_find_config(op->uv, field64(op, call->config_at));
		return op->config ? UV_RC_EXECUTED : UV_RC_CONFIG_HANDLE;
	}
	if (call->cpu_at)
		op->ucpu = uv_find_cpu(op->uv, field64(op, call->cpu_at));
	if (call->cpu_at && !op->ucpu)
		return UV_RC_CPU_HANDLE;
	op->config = op->ucpu ? op->ucpu->config : NULL;
	return UV_RC_EXECUTED;
}

static uint16_t execute(struct uv_op *op, const struct call *call)
{
	uint16_t rc;

	if (!op->uv->ready && !call->before_init)
		return UV_RC_INVALID_STATE;
	rc = find_subject(op, call);
	return rc == UV_RC_EXECUTED ? call->fn(op) : rc;
}

static void set_result(struct uv_op *op, uint16_t rc)
{
	be16_set(&op->block.head.rc, rc);
	be16_set(&op->block.head.rrc, op->rrc);
}

/* QUERY stores zeros behind what it knows, however long the block is. */
static struct pic store_zeros(struct cpu *cpu, uint64_t va, size_t len)
{
	static const uint8_t zeros[512];
	struct pic pic = { 0 };

	while (len && !pic.code) {
		size_t n = len < sizeof(zeros) ? len : sizeof(zeros);

		pic = uv_write_virtual(cpu, va, zeros, n);
		va += n;
		len -= n;
	}
	return pic;
}

/* A block whose command is not executed is not touched behind its header. */
static struct pic refuse(struct uv_op *op, uint16_t rc)
{
	set_result(op, rc);
	return uv_write_virtual(op->cpu, op->uvcb, &op->block, sizeof(op->block.head));
}

static struct pic run_call(struct uv_op *op, const struct call *call, size_t len)
{
	const struct uvcb head = op->block.head;
	struct pic pic = uv_probe_virtual(op->cpu, op->uvcb, len, ACCESS_WRITE);
	uint16_t rc;

	op->len = len < call->len ? len : call->len;
	if (!pic.code)
		pic = uv_read_virtual(op->cpu, op->uvcb, &op->block, op->len);
	if (pic.code)
		return pic;
	op->block.head = head; /* what was checked counts, not what another CPU stored since */
	uv_lock(op->uv, op->cpu);
	rc = execute(op, call);
	pic = op->pic;
	if (!pic.code && !op->notify) {
		set_result(op, rc);
		pic = uv_write_virtual(op->cpu, op->uvcb, &op->block, op->len);
	}
	uv_unlock(op->uv);
	if (op->notify)
		uv_notify_unshare(op);
	if (!pic.code && len > op->len)
		pic = store_zeros(op->cpu, op->uvcb + op->len, len - op->len);
	return pic;
}

/*
 * When the block can no longer be stored into, because another CPU has changed the tables or the
 * frame since, the exception is presented although the command was executed.
 */
struct pic uv_uvc(void *uv, struct cpu *cpu, const struct slot *s, uint64_t uvcb, unsigned int *cc)
{
	struct uv_op op = { .uv = uv, .cpu = cpu, .s = s, .uvcb = uvcb };
	const struct call *call;
	struct pic pic = uv_probe_virtual(cpu, uvcb, sizeof(op.block.head), ACCESS_WRITE);

	if (!pic.code)
		pic = uv_read_virtual(cpu, uvcb, &op.block, sizeof(op.block.head));
	if (pic.code)
		return pic;
	call = find_call(&op, be16_get(op.block.head.cmd));
	if (!call)
		pic = refuse(&op, UV_RC_INVALID_COMMAND);
	else if (!length_valid(call, be16_get(op.block.head.len)))
		pic = refuse(&op, UV_RC_INVALID_LENGTH);
	else
		pic = run_call(&op, call, be16_get(op.block.head.len));
	*cc = be16_get(op.block.head.rc) != UV_RC_EXECUTED;
	OPENSSL_cleanse(&op.block, sizeof(op.block)); /* of a guest it is plaintext */
	return pic;
}

static bool frame_within(const struct uv_op *op, uint64_t va, uint64_t addr, uint64_t len)
{
	uint64_t frame;
	struct pic pic = uv_virtual_frame(op->cpu, va, &frame);

	return !pic.code && frame >= addr / FRAME_BYTES && frame < (addr + len) / FRAME_BYTES;
}

bool uv_holds_block(const struct uv_op *op, uint64_t addr, uint64_t len)
{
	return frame_within(op, op->uvcb, addr, len) ||
	       frame_within(op, op->uvcb + op->len - 1, addr, len);
}
