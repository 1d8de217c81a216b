/* SPDX-License-Identifier: MIT */
/*
 * libzpv: host-key documents, their verification, and the identity of a software machine.
 *
 * A host-key document is the X.509 certificate of a machine's P-521 key. An image is sealed for
 * the machines whose documents were given. Sources: IBM Secure Execution for Linux; the
 * procedure is that of s390-tools' pvimg.
 */
#ifndef ZPV_HOSTKEY_H
#define ZPV_HOSTKEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <zpv/error.h>
#include <zpv/log.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ZPV_PHKH_BYTES 32

struct zpv_hostkey;

/**
 * zpv_hostkey_read() - read a host-key document
 * @path: certificate, DER or PEM; when there are several the first is used, with a warning
 * @log:  receives warnings; may be NULL
 * @out:  the document; free with zpv_hostkey_free()
 * Return: 0; -ZPV_ERR_IO; -ZPV_ERR_FORMAT not a certificate; -ZPV_ERR_KEY its key is not P-521
 */
ZPV_API ZPV_MUST_CHECK int zpv_hostkey_read(const char *path, const struct zpv_log *log,
					    struct zpv_hostkey **out, struct zpv_err *err);
ZPV_API void zpv_hostkey_free(struct zpv_hostkey *hk);

/* The public host-key hash, ZPV_PHKH_BYTES: what names the key in an image. Borrowed. */
ZPV_API const uint8_t *zpv_hostkey_hash(const struct zpv_hostkey *hk);
/* The path it was read from. Borrowed. */
ZPV_API const char *zpv_hostkey_path(const struct zpv_hostkey *hk);
/* True when the certificate says that it belongs to a software machine of this project. */
ZPV_API bool zpv_hostkey_simulated(const struct zpv_hostkey *hk);

/* What documents are verified against; all strings and arrays are read during the call only. */
struct zpv_verify_spec {
	const char *const *certs; /* IBM Z signing key and intermediate CA certificates */
	size_t ncerts;
	const char *const *crls; /* revocation lists */
	size_t ncrls;
	const char *root_ca;	   /* NULL: the certificates that the system trusts */
	bool offline;		   /* download nothing */
	time_t at;		   /* verify as of this time; 0: now */
	const struct zpv_log *log; /* outlives the verifier; may be NULL */
};

struct zpv_verifier;

/**
 * zpv_verifier_new() - establish the chain of trust up to the IBM Z host-key signing key
 * Return: 0; -ZPV_ERR_IO; -ZPV_ERR_FORMAT an unreadable certificate or list;
 *         -ZPV_ERR_VERIFY the chain does not hold
 */
ZPV_API ZPV_MUST_CHECK int zpv_verifier_new(const struct zpv_verify_spec *spec,
					    struct zpv_verifier **out, struct zpv_err *err);
ZPV_API void zpv_verifier_free(struct zpv_verifier *v);

/**
 * zpv_verifier_check() - verify one host-key document
 * Return: 0; -ZPV_ERR_VERIFY with the reason
 */
ZPV_API ZPV_MUST_CHECK int zpv_verifier_check(struct zpv_verifier *v, const struct zpv_hostkey *hk,
					      struct zpv_err *err);

/* --- A software machine's identity ----------------------------------------------------------- */

/* Generations of machines; a profile decides what the software Ultravisor offers. */
enum zpv_profile { ZPV_PROFILE_Z15, ZPV_PROFILE_Z16, ZPV_PROFILE_Z17 };

/* "z15", "z16", "z17". */
ZPV_API const char *zpv_profile_name(enum zpv_profile p);
/* False when the name is not one of them. */
ZPV_API bool zpv_profile_from_name(const char *name, enum zpv_profile *out);

struct zpv_host_spec {
	const char *dir; /* created; must not exist, or be an empty folder */
	enum zpv_profile profile;
	const char *serial;  /* 1 to 16 of 0-9 A-Z; NULL: random */
	const char *crl_url; /* base address for CRL distribution points; NULL: none */
	const struct zpv_log *log;
};

/**
 * zpv_host_create() - make the identity of a software machine
 *
 * The folder appears whole or not at all. All subjects carry the word SIMULATED.
 * Return: 0; -ZPV_ERR_EXISTS; -ZPV_ERR_IO; -ZPV_ERR_USAGE; -ZPV_ERR_CRYPTO
 */
ZPV_API ZPV_MUST_CHECK int zpv_host_create(const struct zpv_host_spec *spec, struct zpv_err *err);

struct zpv_host;

/**
 * zpv_host_open() - read an identity's folder (not its private keys)
 * Return: 0; -ZPV_ERR_IO; -ZPV_ERR_FORMAT not an identity, or one that contradicts itself
 */
ZPV_API ZPV_MUST_CHECK int zpv_host_open(const char *dir, struct zpv_host **out,
					 struct zpv_err *err);
ZPV_API void zpv_host_free(struct zpv_host *h);

enum zpv_host_file {
	ZPV_HOST_HKD,		    /* HKD-<type>-<serial>.crt */
	ZPV_HOST_BACKUP_HKD,	    /* backup-HKD-<type>-<serial>.crt */
	ZPV_HOST_SIGNING_CERT,	    /* ibm-z-host-key-signing-gen2.crt */
	ZPV_HOST_INTERMEDIATE_CERT, /* DigiCertCA.crt */
	ZPV_HOST_ROOT_CERT,	    /* rootCA.crt */
	ZPV_HOST_HKD_CRL,	    /* ibm-z-host-key-gen2.crl, issued by the signing key */
	ZPV_HOST_INTERMEDIATE_CRL,  /* DigiCertCA.crl, issued by the intermediate CA */
	ZPV_HOST_ROOT_CRL,	    /* rootCA.crl, issued by the root CA */
	ZPV_HOST_KEY_HASHES,	    /* uv-keys-all: what /sys/firmware/uv/keys/all would say */
	ZPV_HOST_KEY,		    /* private/host.key */
	ZPV_HOST_BACKUP_KEY,	    /* private/backup-host.key */
};

/* Borrowed strings; valid as long as the identity. */
ZPV_API const char *zpv_host_path(const struct zpv_host *h, enum zpv_host_file file);
ZPV_API enum zpv_profile zpv_host_profile(const struct zpv_host *h);
ZPV_API const char *zpv_host_type(const struct zpv_host *h); /* "9175" */
ZPV_API const char *zpv_host_serial(const struct zpv_host *h);
ZPV_API const char *zpv_host_created(const struct zpv_host *h); /* "2026-11-22T12:00:00Z" */
/* Valid until, from the host-key document, the same form. */
ZPV_API const char *zpv_host_expires(const struct zpv_host *h);
ZPV_API const uint8_t *zpv_host_hash(const struct zpv_host *h);	       /* ZPV_PHKH_BYTES */
ZPV_API const uint8_t *zpv_host_backup_hash(const struct zpv_host *h); /* ZPV_PHKH_BYTES */

#ifdef __cplusplus
}
#endif
#endif
