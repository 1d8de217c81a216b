// SPDX-License-Identifier: MIT
/*
 * Sealing an image (layout R of se-image.md section 2).
 *
 * Components are streamed: this thread reads, encrypts and writes a buffer while another hashes
 * the one before. Header, IPIB, stage3a and metadata depend on the result and are written last,
 * into the room that was left for them.
 */
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include <zpv/image.h>

#include "addr.h"
#include "aes_xts.h"
#include "component.h"
#include "digests.h"
#include "err.h"
#include "hdr_crypt.h"
#include "hostkey.h"
#include "io.h"
#include "ipib.h"
#include "loaders.h"
#include "log.h"
#include "ossl_err.h"
#include "output.h"
#include "progress.h"
#include "secret.h"
#include "se_img.h"

/* A command line is held in memory; kernels take a few KiB. */
#define PARMFILE_MAX_BYTES (1u << 20)

struct keys {
	struct secret *cck, *hpk, *image;
};

struct builder {
	const struct zpv_image_spec *spec;
	struct task task;
	struct keys keys;
	struct loaders loaders;
	struct component *in[SE_COMP_KINDS]; /* NULL: absent; stage3b is made last */
	struct output *out;
	struct digests *digests;
	struct xts *xts;	 /* NULL: components are not encrypted */
	uint64_t hdr_addr, next; /* next: where the next component goes */
	struct ipib_comp comps[SE_COMP_KINDS];
	size_t ncomps;
	struct stage3b_comp placed[SE_COMP_KINDS]; /* address and size without padding */
};

static void builder_free(struct builder *b)
{
	digests_free(b->digests);
	xts_free(b->xts);
	output_free(b->out);
	for (size_t i = 0; i < SE_COMP_KINDS; i++)
		component_free(b->in[i]);
	loaders_free(&b->loaders);
	secret_free(b->keys.cck);
	secret_free(b->keys.hpk);
	secret_free(b->keys.image);
}

/* --- Inputs ---------------------------------------------------------------------------------- */

static int get_key(const char *path, const char *what, size_t len, struct secret **out,
		   struct zpv_err *err)
{
	return path ? secret_read_file(path, what, len, out, err) : secret_random(len, out, err);
}

static int get_keys(struct builder *b, struct zpv_err *err)
{
	const struct zpv_image_spec *s = b->spec;
	int rc = get_key(s->cck, "customer communication key (CCK)", SE_CCK_BYTES, &b->keys.cck,
			 err);

	if (!rc)
		rc = get_key(s->hdr_key, "Secure Execution header protection key", SE_HDR_KEY_BYTES,
			     &b->keys.hpk, err);
	if (!rc)
		rc = get_key(s->image_key, "image encryption key", SE_XTS_KEY_BYTES, &b->keys.image,
			     err);
	if (!rc && !(s->pcf & PCF_NO_ENCRYPTION))
		rc = xts_new(b->keys.image, XTS_ENCRYPT, &b->xts, err);
	return rc;
}

/* The command line as the kernel gets it: the file's bytes and a NUL unless it ends with one. */
static int open_cmdline(struct builder *b, struct buf *content, struct zpv_err *err)
{
	int rc = io_read_file(b->spec->parmfile, PARMFILE_MAX_BYTES, content, err);

	if (!rc && (content->len == 0 || content->data[content->len - 1] != '\0'))
		rc = buf_append(content, "", 1, err);
	if (!rc)
		rc = component_from_buf(SE_COMP_CMDLINE, content, &b->in[SE_COMP_CMDLINE], err);
	return rc ? err_ctx(err, "kernel command line") : 0;
}

static int open_inputs(struct builder *b, struct zpv_err *err)
{
	const struct zpv_image_spec *s = b->spec;
	AUTO_BUF cmdline = BUF_INIT;
	int rc = component_open(SE_COMP_KERNEL, s->kernel, &b->in[SE_COMP_KERNEL], err);

	if (!rc && s->ramdisk)
		rc = component_open(SE_COMP_RAMDISK, s->ramdisk, &b->in[SE_COMP_RAMDISK], err);
	if (!rc && s->parmfile)
		rc = open_cmdline(b, &cmdline, err);
	for (size_t i = 0; !rc && i < SE_COMP_KINDS; i++)
		b->task.total += b->in[i] ? component_expected(b->in[i]) : 0;
	return rc;
}

/* The checks of se-image.md section 10. */
static int check_inputs(struct builder *b, struct zpv_err *err)
{
	const uint8_t *head;
	size_t got;
	uint64_t max, size;
	int rc = component_peek(b->in[SE_COMP_KERNEL], KERNEL_HEAD_BYTES, &head, &got, &b->task,
				err);

	if (rc)
		return rc;
	rc = kernel_check(head, got, err);
	if (rc)
		return err_ctx(err, "Check for Linux kernel component has failed");
	if (!b->in[SE_COMP_CMDLINE])
		return 0;
	max = kernel_max_cmdline(head, got);
	size = component_expected(b->in[SE_COMP_CMDLINE]);
	if (size > max) {
		err_set(err, ZPV_ERR_FORMAT, "Provided kernel cmdline is too large: %llu > %llu",
			(unsigned long long)size, (unsigned long long)max);
		return err_ctx(err, "Check for kernel cmdline component has failed");
	}
	return 0;
}

static int prepare(struct builder *b, struct zpv_err *err)
{
	const struct zpv_image_spec *s = b->spec;
	int rc;

	if (!s->kernel || !s->hostkeys || s->nhostkeys < 1)
		return err_set(err, ZPV_ERR_USAGE,
			       "an image needs a kernel and a host-key document");
	if (s->nhostkeys > SE_HDR_MAX_SLOTS)
		return err_set(err, ZPV_ERR_USAGE,
			       "%zu host-key documents, but a header has room for %zu",
			       s->nhostkeys, SE_HDR_MAX_SLOTS);
	rc = get_keys(b, err);
	if (!rc)
		rc = open_inputs(b, err);
	if (!rc && s->no_component_check)
		log_warn(s->log, "The component check is turned off!");
	else if (!rc)
		rc = check_inputs(b, err);
	if (!rc)
		rc = loaders_get(s->loader_dir, &b->loaders, err);
	return rc;
}

static void warn_about(const struct zpv_image_spec *s)
{
	if (s->pcf & PCF_NO_ENCRYPTION)
		log_warn(s->log,
			 "The components are not encrypted: make sure that they hold nothing "
			 "confidential.");
	if (s->loader_dir)
		log_warn(s->log, "Using the boot loaders in '%s'.", s->loader_dir);
	for (size_t i = 0; i < s->nhostkeys; i++) {
		for (size_t k = 0; k < i; k++)
			if (memcmp(zpv_hostkey_hash(s->hostkeys[i]),
				   zpv_hostkey_hash(s->hostkeys[k]), ZPV_PHKH_BYTES) == 0)
				log_warn(s->log, "'%s' and '%s' are for the same host key.",
					 zpv_hostkey_path(s->hostkeys[k]),
					 zpv_hostkey_path(s->hostkeys[i]));
		if (zpv_hostkey_simulated(s->hostkeys[i]))
			log_warn(s->log,
				 "'%s' is the key of a SIMULATED machine: whoever has that "
				 "machine's folder can read the image.",
				 zpv_hostkey_path(s->hostkeys[i]));
	}
}

/* --- Components ------------------------------------------------------------------------------ */

static int tweak_prefix(enum se_comp_kind kind, uint64_t *out, struct zpv_err *err)
{
	be64 random;

	if (RAND_bytes(random.b, sizeof(random.b)) != 1)
		return ossl_err(err, ZPV_ERR_CRYPTO, "no random bytes");
	*out = (uint64_t)se_comp_tweak_kind(kind) << SE_TWEAK_KIND_SHIFT |
	       be64_get(random) >> (64 - SE_TWEAK_KIND_SHIFT);
	return 0;
}

/* Reads, pads, encrypts, hashes and writes one buffer. got: content bytes in it. */
static int stream_slot(struct builder *b, struct component *c, uint64_t prefix, uint64_t offset,
		       size_t *got, struct zpv_err *err)
{
	uint64_t addr = b->next + offset;
	uint8_t *slot = digests_slot(b->digests);
	size_t padded;
	int rc = component_read(c, slot, DIGESTS_SLOT_BYTES, got, &b->task, err);

	if (rc)
		return rc;
	padded = page_round_up(*got);
	if (padded == 0 && offset == 0)
		padded = PAGE_BYTES; /* an empty component still is one page */
	memset(slot + *got, 0, padded - *got);
	if (b->xts)
		rc = xts_pages(b->xts, prefix, offset, slot, slot, padded / PAGE_BYTES, err);
	if (rc || padded == 0)
		return rc;
	digests_submit(b->digests, padded / PAGE_BYTES, addr, prefix, offset);
	rc = output_write(b->out, slot, padded, addr, err);
	return rc ? rc : task_advance(&b->task, *got, err);
}

static int stream_component(struct builder *b, struct component *c, struct zpv_err *err)
{
	enum se_comp_kind kind = component_kind(c);
	struct ipib_comp *entry = &b->comps[b->ncomps];
	uint64_t prefix = 0, size = 0;
	size_t got = DIGESTS_SLOT_BYTES;
	int rc = tweak_prefix(kind, &prefix, err);

	while (!rc && got == DIGESTS_SLOT_BYTES) {
		rc = stream_slot(b, c, prefix, size, &got, err);
		size += got;
	}
	if (rc)
		return rc;

	be64_set(&entry->tweak_pref, prefix);
	be64_set(&entry->addr, b->next);
	be64_set(&entry->len, size ? page_round_up(size) : PAGE_BYTES);
	be64_set(&b->placed[kind].src, b->next);
	be64_set(&b->placed[kind].size, size);
	log_debug(b->spec->log, "%-12s at %#llx, %llu bytes", se_comp_name(kind),
		  (unsigned long long)b->next, (unsigned long long)size);
	b->next += be64_get(entry->len);
	b->ncomps++;
	return 0;
}

/* stage3b learns where the others are; so it comes last. */
static int make_stage3b(struct builder *b, struct zpv_err *err)
{
	struct buf *blob = &b->loaders.stage3b;
	struct stage3b_args *args = (void *)(blob->data + blob->len - sizeof(*args));

	args->kernel = b->placed[SE_COMP_KERNEL];
	args->cmdline = b->placed[SE_COMP_CMDLINE];
	args->initrd = b->placed[SE_COMP_RAMDISK];
	be64_set(&args->psw_mask, PSW_MASK_64BIT);
	be64_set(&args->psw_addr, KERNEL_ENTRY);
	return component_from_buf(SE_COMP_STAGE3B, blob, &b->in[SE_COMP_STAGE3B], err);
}

static int stream_components(struct builder *b, struct zpv_err *err)
{
	int rc = 0;

	b->hdr_addr = page_round_up(SE_IMG_STAGE3A_ADDR + b->loaders.stage3a.len);
	if (b->hdr_addr < SE_IMG_HDR_MIN_ADDR)
		b->hdr_addr = SE_IMG_HDR_MIN_ADDR;
	b->next = page_round_up(b->hdr_addr + se_hdr_size(b->spec->nhostkeys));
	for (enum se_comp_kind k = SE_COMP_KERNEL; !rc && k < SE_COMP_KINDS; k++) {
		if (k == SE_COMP_STAGE3B)
			rc = make_stage3b(b, err);
		if (!rc && b->in[k])
			rc = stream_component(b, b->in[k], err);
	}
	return rc;
}

/* --- What surrounds them --------------------------------------------------------------------- */

static int make_secrets(const struct builder *b, struct secret **out, struct zpv_err *err)
{
	uint64_t psw_addr = b->spec->psw_addr ? *b->spec->psw_addr :
						be64_get(b->placed[SE_COMP_STAGE3B].src);
	struct se_hdr_secrets *s;
	int rc = secret_new(sizeof(*s), out, err);

	if (rc)
		return rc;
	s = (void *)secret_data(*out);
	memcpy(s->cck, secret_bytes(b->keys.cck), sizeof(s->cck));
	memcpy(s->xts_key, secret_bytes(b->keys.image), sizeof(s->xts_key));
	be64_set(&s->psw_mask, PSW_MASK_64BIT);
	be64_set(&s->psw_addr, psw_addr);
	be64_set(&s->scf, b->spec->scf);
	return 0;
}

static int write_header(struct builder *b, struct zpv_err *err)
{
	const struct zpv_image_spec *s = b->spec;
	AUTO(secret) struct secret *secrets = NULL;
	const struct p521 *hosts[SE_HDR_MAX_SLOTS];
	const uint8_t *phkh[SE_HDR_MAX_SLOTS];
	uint8_t hdr[SE_HDR_MAX_BYTES];
	struct digest_set digests;
	struct hdr_content content = { .hpk = b->keys.hpk,
				       .digests = &digests,
				       .pcf = s->pcf,
				       .hosts = hosts,
				       .phkh = phkh,
				       .nhosts = s->nhostkeys };
	int rc = digests_final(b->digests, &digests, err);

	if (!rc)
		rc = make_secrets(b, &secrets, err);
	if (rc)
		return rc;
	content.secrets = secrets;
	for (size_t i = 0; i < s->nhostkeys; i++) {
		hosts[i] = hostkey_key(s->hostkeys[i]);
		phkh[i] = zpv_hostkey_hash(s->hostkeys[i]);
	}
	rc = hdr_seal(&content, hdr, err);
	return rc ? rc : output_write(b->out, hdr, se_hdr_size(s->nhostkeys), b->hdr_addr, err);
}

static int write_stage3a(struct builder *b, uint64_t ipib_addr, struct zpv_err *err)
{
	struct buf *blob = &b->loaders.stage3a;
	uint64_t args_addr = SE_IMG_STAGE3A_ADDR + blob->len - sizeof(struct stage3a_args);
	struct stage3a_args *args = (void *)(blob->data + blob->len - sizeof(*args));

	be64_set(&args->hdr_offs, b->hdr_addr - args_addr);
	be64_set(&args->hdr_size, se_hdr_size(b->spec->nhostkeys));
	be64_set(&args->ipib_offs, ipib_addr - args_addr);
	return output_write(b->out, blob->data, blob->len, SE_IMG_STAGE3A_ADDR, err);
}

static int write_plain_parts(struct builder *b, struct zpv_err *err)
{
	struct {
		struct ipib_head head;
		struct ipib_comp comps[SE_COMP_KINDS];
	} ipib;
	struct se_img_meta meta = { .magic = SE_IMG_META_MAGIC };
	uint64_t ipib_addr = b->next;
	be64 psw;
	int rc;

	ipib_fill(&ipib.head, b->ncomps, b->hdr_addr, se_hdr_size(b->spec->nhostkeys));
	memcpy(ipib.comps, b->comps, b->ncomps * sizeof(b->comps[0]));
	be64_set(&meta.hdr_offs, b->hdr_addr);
	be32_set(&meta.version, SE_IMG_META_VERSION);
	be64_set(&meta.ipib_offs, ipib_addr);
	be64_set(&psw, SE_IMG_SHORT_PSW);
	rc = output_write(b->out, &ipib, ipib_size(b->ncomps), ipib_addr, err);
	if (!rc)
		rc = write_stage3a(b, ipib_addr, err);
	if (!rc)
		rc = output_write(b->out, &meta, sizeof(meta), SE_IMG_META_ADDR, err);
	return rc ? rc : output_write(b->out, &psw, sizeof(psw), 0, err);
}

static int build(struct builder *b, struct zpv_err *err)
{
	int rc = prepare(b, err);

	if (rc)
		return rc;
	warn_about(b->spec);
	/* Says that from now on there is something to clean up. */
	rc = task_poll(&b->task, err);
	if (!rc)
		rc = output_open(b->spec, &b->out, err);
	if (!rc)
		rc = digests_new(&b->digests, err);
	if (!rc)
		rc = stream_components(b, err);
	if (!rc)
		rc = write_header(b, err);
	if (!rc)
		rc = write_plain_parts(b, err);
	if (!rc)
		rc = task_poll(&b->task, err);
	return rc ? rc : output_commit(b->out, &b->task, err);
}

int zpv_image_create(const struct zpv_image_spec *spec, struct zpv_err *err)
{
	struct builder b = { .spec = spec, .task.progress = spec->progress };
	int rc = build(&b, err);

	builder_free(&b);
	return rc;
}
