/* SPDX-License-Identifier: MIT */
/*
 * The Secure Execution header, version 1: layout, bounds, control flags.
 *
 * Layout: se-image.md section 6 (public source: s390-tools, pvimg). Integers are big-endian; head
 * and key slots are authenticated, the area behind them is encrypted, the GCM tag is last.
 */
#ifndef FORMATS_SE_HDR_H
#define FORMATS_SE_HDR_H

#include <stdint.h>

#include "be.h"
#include "compiler.h"

struct zpv_err;

#define SE_HDR_MAGIC	    "IBMSecEx"
#define SE_HDR_MAGIC_BYTES  8
#define SE_HDR_VERSION_1    0x100u
#define SE_HDR_MAX_BYTES    8192u
#define SE_HDR_IV_BYTES	    12
#define SE_HDR_TAG_BYTES    16
#define SE_HDR_POINT_BYTES  160
#define SE_HDR_DIGEST_BYTES 64
#define SE_PHKH_BYTES	    32
#define SE_HDR_KEY_BYTES    32 /* header protection key */
#define SE_CCK_BYTES	    32
#define SE_XTS_KEY_BYTES    64

struct se_hdr_head {
	uint8_t magic[SE_HDR_MAGIC_BYTES];	  /* 0x000 */
	be32 version;				  /* 0x008  SE_HDR_VERSION_1 */
	be32 sehs;				  /* 0x00c  size of the whole header, bytes */
	uint8_t iv[SE_HDR_IV_BYTES];		  /* 0x010  of the header's AES-GCM */
	be32 reserved1c;			  /* 0x01c */
	be64 nks;				  /* 0x020  number of key slots */
	be64 sea;				  /* 0x028  size of the encrypted area, bytes */
	be64 nep;				  /* 0x030  number of component pages */
	be64 pcf;				  /* 0x038  plaintext control flags */
	uint8_t cust_pub_key[SE_HDR_POINT_BYTES]; /* 0x040  customer's ephemeral key, x || y */
	uint8_t pld[SE_HDR_DIGEST_BYTES];	  /* 0x0e0  page list digest */
	uint8_t ald[SE_HDR_DIGEST_BYTES];	  /* 0x120  address list digest */
	uint8_t tld[SE_HDR_DIGEST_BYTES];	  /* 0x160  tweak list digest */
};
LAYOUT_SIZE(struct se_hdr_head, 0x1a0);
LAYOUT_AT(struct se_hdr_head, nks, 0x20);
LAYOUT_AT(struct se_hdr_head, cust_pub_key, 0x40);
LAYOUT_AT(struct se_hdr_head, pld, 0xe0);
LAYOUT_AT(struct se_hdr_head, tld, 0x160);

struct se_key_slot {
	uint8_t phkh[SE_PHKH_BYTES];	   /* 0x00  hash of the host's public key */
	uint8_t wrapped[SE_HDR_KEY_BYTES]; /* 0x20  header protection key, encrypted */
	uint8_t tag[SE_HDR_TAG_BYTES];	   /* 0x40 */
};
LAYOUT_SIZE(struct se_key_slot, 80);

/* The encrypted area, decrypted. Lives in secret memory only. */
struct se_hdr_secrets {
	uint8_t cck[SE_CCK_BYTES];	   /* 0x00  customer communication key */
	uint8_t xts_key[SE_XTS_KEY_BYTES]; /* 0x20  components: data key || tweak key */
	be64 psw_mask, psw_addr;	   /* 0x60  first PSW of the protected guest */
	be64 scf;			   /* 0x70  secret control flags */
	be32 noi;			   /* 0x78  number of optional items; none are defined */
	be32 reserved7c;		   /* 0x7c */
};
LAYOUT_SIZE(struct se_hdr_secrets, 0x80);
LAYOUT_AT(struct se_hdr_secrets, psw_mask, 0x60);
LAYOUT_AT(struct se_hdr_secrets, noi, 0x78);

/* 80 bytes a slot; the 8 KiB limit leaves room for 95 of them. */
#define SE_HDR_MAX_SLOTS                                                                  \
	((SE_HDR_MAX_BYTES - sizeof(struct se_hdr_head) - sizeof(struct se_hdr_secrets) - \
	  SE_HDR_TAG_BYTES) /                                                             \
	 sizeof(struct se_key_slot))

static inline size_t se_hdr_size(size_t nks)
{
	return sizeof(struct se_hdr_head) + nks * sizeof(struct se_key_slot) +
	       sizeof(struct se_hdr_secrets) + SE_HDR_TAG_BYTES;
}

/* A header that was found consistent in a buffer that the caller keeps. */
struct se_hdr {
	const struct se_hdr_head *head;
	const struct se_key_slot *slots;
	size_t nks;
	const uint8_t *area; /* encrypted */
	size_t sea;
	const uint8_t *tag;
	size_t aad_len; /* bytes from the head on that the tag authenticates beside the area */
};

/*
 * Reads the size out of the first 16 bytes, to know how much to read.
 * Return: 0; -ZPV_ERR_FORMAT no magic, or a size outside 17..8192.
 */
int se_hdr_peek(const uint8_t *buf, size_t len, size_t *sehs, struct zpv_err *err) MUST_CHECK;

/*
 * Checks version, sizes and their sum; len may exceed the header.
 * Return: 0; -ZPV_ERR_FORMAT naming the value found and the one expected.
 */
int se_hdr_parse(const uint8_t *buf, size_t len, struct se_hdr *out, struct zpv_err *err)
	MUST_CHECK;

/* Checks the decrypted area: optional items are refused, none are defined. */
int se_hdr_check_secrets(const struct se_hdr_secrets *s, struct zpv_err *err) MUST_CHECK;

/* --- Control flags --------------------------------------------------------------------------- */

#define PCF_DUMP	  BIT64(34)
#define PCF_NO_ENCRYPTION BIT64(35)
#define PCF_PCKMO_DEA	  BIT64(56)
#define PCF_PCKMO_AES	  BIT64(57)
#define PCF_PCKMO_ECC	  BIT64(58)
#define PCF_PCKMO_HMAC	  BIT64(59)
#define PCF_BACKUP_KEYS	  BIT64(62)
#define PCF_PCKMO	  (PCF_PCKMO_DEA | PCF_PCKMO_AES | PCF_PCKMO_ECC)
#define PCF_DEFAULT	  PCF_PCKMO

#define SCF_CCK_EXTENSION_SECRET BIT64(1)
#define SCF_CCK_UPDATE		 BIT64(2)

struct se_flag {
	uint64_t bit;
	const char *text;
};

/* In the order in which tools list them; the last entry has text NULL. */
extern const struct se_flag se_pcf_flags[];
extern const struct se_flag se_scf_flags[];

#endif
