/* SPDX-License-Identifier: MIT */
/*
 * libzpv: creating, inspecting, testing and verifying Secure Execution images.
 *
 * An image holds a plaintext loader, a header with the keys (encrypted for each machine it may
 * run on), and the guest's components, encrypted page by page. File offset = guest address.
 */
#ifndef ZPV_IMAGE_H
#define ZPV_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zpv/error.h>
#include <zpv/hostkey.h>
#include <zpv/log.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bits are numbered from the left: bit n has the value 1 << (63 - n). */
#define ZPV_PCF_DUMP	      0x20000000ull /* the guest may be dumped */
#define ZPV_PCF_NO_ENCRYPTION 0x10000000ull /* components are not encrypted */
#define ZPV_PCF_PCKMO	      0xe0ull	    /* PCKMO may encrypt DEA, TDEA, AES and ECC keys */
#define ZPV_PCF_PCKMO_HMAC    0x10ull	    /* PCKMO may encrypt HMAC keys */
#define ZPV_PCF_BACKUP_KEYS   0x02ull	    /* backup host keys may open the header */
#define ZPV_PCF_DEFAULT	      ZPV_PCF_PCKMO

#define ZPV_SCF_CCK_EXTENSION_SECRET 0x4000000000000000ull
#define ZPV_SCF_CCK_UPDATE	     0x2000000000000000ull
#define ZPV_SCF_DEFAULT		     0ull

/* What to build. Strings are paths unless said otherwise; NULL means absent or default. */
struct zpv_image_spec {
	const char *kernel; /* required; a file or a pipe */
	const char *ramdisk;
	const char *parmfile;			   /* kernel command line */
	const struct zpv_hostkey *const *hostkeys; /* one key slot each, in this order */
	size_t nhostkeys;			   /* 1 to 95 */

	const char *cck;	  /* customer communication key, 32 bytes; NULL: random */
	const char *hdr_key;	  /* header protection key, 32 bytes; NULL: random */
	const char *image_key;	  /* AES-256-XTS key of the components, 64 bytes; NULL: random */
	uint64_t pcf;		  /* plaintext control flags; not checked */
	uint64_t scf;		  /* secret control flags; not checked */
	const uint64_t *psw_addr; /* first instruction of the protected guest; NULL: stage3b */

	const char *loader_dir; /* stage3a.bin and stage3b_reloc.bin; NULL: those of this library */
	bool no_component_check; /* take any kernel and any length of command line */

	const char *output;   /* written as <output>.part, then renamed; NULL: output_fd */
	int output_fd;	      /* any descriptor; receives the image only once it is complete */
	const char *temp_dir; /* for output_fd: where the image is built; NULL: /var/tmp */
	bool overwrite;	      /* replace an existing output */

	const struct zpv_log *log;
	const struct zpv_progress *progress; /* counts component bytes */
};

/**
 * zpv_image_create() - seal a guest
 *
 * Memory does not depend on the size of the components; each is read once. On failure no output
 * is left.
 * Return: 0; -ZPV_ERR_USAGE; -ZPV_ERR_IO; -ZPV_ERR_FORMAT a component is not what it should be;
 *         -ZPV_ERR_KEY a key file of the wrong size; -ZPV_ERR_EXISTS; -ZPV_ERR_CANCELLED
 */
ZPV_API ZPV_MUST_CHECK int zpv_image_create(const struct zpv_image_spec *spec, struct zpv_err *err);

struct zpv_image;

/**
 * zpv_image_open() - find and read the header of an image, or of a bare header file
 * @log: receives a warning for metadata of an unknown version; may be NULL
 * Return: 0; -ZPV_ERR_IO; -ZPV_ERR_FORMAT no header, or an inconsistent one
 */
ZPV_API ZPV_MUST_CHECK int zpv_image_open(const char *path, const struct zpv_log *log,
					  struct zpv_image **out, struct zpv_err *err);
ZPV_API void zpv_image_free(struct zpv_image *img);

/**
 * zpv_image_open_hdr_key() - authenticate and decrypt the header with its protection key
 * Return: 0; -ZPV_ERR_IO; -ZPV_ERR_KEY wrong size, or it does not open this header
 */
ZPV_API ZPV_MUST_CHECK int zpv_image_open_hdr_key(struct zpv_image *img, const char *path,
						  struct zpv_err *err);

/**
 * zpv_image_open_host_key() - the same with a host's private key, as the Ultravisor does
 * @path: PEM or DER private key, or the folder of a software machine's identity
 * Return: 0; -ZPV_ERR_IO; -ZPV_ERR_KEY no slot for this key, or a slot or header was changed
 */
ZPV_API ZPV_MUST_CHECK int zpv_image_open_host_key(struct zpv_image *img, const char *path,
						   struct zpv_err *err);

/* True when a key slot names this host-key hash (ZPV_PHKH_BYTES). */
ZPV_API bool zpv_image_has_hash(const struct zpv_image *img, const uint8_t *phkh);

#define ZPV_KEY_HASHES 15 /* host key, backup host key, 13 reserved */

/**
 * zpv_key_hashes_read() - read the hashes that an Ultravisor tells (/sys/firmware/uv/keys/all)
 * Return: 0; -ZPV_ERR_IO; -ZPV_ERR_FORMAT not 15 lines of 64 hexadecimal digits
 */
ZPV_API ZPV_MUST_CHECK int zpv_key_hashes_read(const char *path,
					       uint8_t hashes[ZPV_KEY_HASHES][ZPV_PHKH_BYTES],
					       struct zpv_err *err);

enum zpv_image_part_kind {
	ZPV_PART_SHORT_PSW,
	ZPV_PART_METADATA,
	ZPV_PART_STAGE3A,
	ZPV_PART_HEADER,
	ZPV_PART_IPIB,
	ZPV_PART_KERNEL,
	ZPV_PART_RAMDISK,
	ZPV_PART_CMDLINE,
	ZPV_PART_STAGE3B,
	ZPV_PART_COMPONENT, /* secured, of unknown use */
};

/* A part of the image at its guest address. */
struct zpv_image_part {
	enum zpv_image_part_kind kind;
	uint64_t addr, len;  /* len is padded to pages for components */
	uint64_t content;    /* components: bytes without padding where known, else len */
	bool secured;	     /* counted in the digests */
	uint64_t tweak_pref; /* secured parts */
	char sha256_hex[65]; /* secured parts: of the decrypted content without padding */
};

/* One check and what came of it. */
struct zpv_image_check {
	const char *name;
	bool ok;
	char text[256]; /* what was found; on failure what was expected too */
};

struct zpv_image_report {
	struct zpv_image_part *parts; /* by address */
	size_t nparts;
	struct zpv_image_check *checks;
	size_t nchecks;
	bool ok; /* all checks */
};

/**
 * zpv_image_verify() - do what the Ultravisor and the loaders will do, and check every step
 *
 * The header must have been opened with a key. Recomputes the digests over all components,
 * decrypts them, checks bounds, order and overlap, both loaders' arguments and the flags.
 * A finding is a failed check in the report, not an error.
 * Return: 0 with a report to be freed; -ZPV_ERR_USAGE no key yet; -ZPV_ERR_FORMAT no components
 *         can be found at all; -ZPV_ERR_IO; -ZPV_ERR_CANCELLED
 */
ZPV_API ZPV_MUST_CHECK int zpv_image_verify(struct zpv_image *img,
					    const struct zpv_progress *progress,
					    struct zpv_image_report **out, struct zpv_err *err);
ZPV_API void zpv_image_report_free(struct zpv_image_report *r);

enum zpv_image_format {
	ZPV_IMAGE_TEXT, /* for people; may change */
	ZPV_IMAGE_TEXT_FULL,
	ZPV_IMAGE_JSON, /* indented; schema by zpv_image_schema() */
	ZPV_IMAGE_JSON_MINIFY,
};

#define ZPV_DESCRIBE_SECRETS 1u /* show the decrypted keys (the header was opened with a key) */
#define ZPV_DESCRIBE_UTF8    2u /* text may use glyphs outside ASCII */

/**
 * zpv_image_describe() - the header, and a report where there is one, as text or JSON
 * @report: may be NULL
 * @out:    NUL-terminated, ends with a newline; the caller frees it, after clearing it when it
 *          shows secrets
 * Return: 0; -ZPV_ERR_USAGE secrets without a key; -ZPV_ERR_NOMEM
 */
ZPV_API ZPV_MUST_CHECK int zpv_image_describe(const struct zpv_image *img,
					      const struct zpv_image_report *report,
					      enum zpv_image_format format, unsigned int flags,
					      char **out, struct zpv_err *err);

/* JSON schema (draft-07) of what zpv_image_describe() writes as JSON. Static. */
ZPV_API const char *zpv_image_schema(void);

#ifdef __cplusplus
}
#endif
#endif
