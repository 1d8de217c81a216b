// SPDX-License-Identifier: MIT
/*
 * Making the identity of a software machine.
 *
 * Everything is made in memory first, which takes the time. Then a folder beside the final one is
 * filled and renamed, so that the identity appears whole or not at all.
 */
#define _GNU_SOURCE
#include "identity_priv.h"

#include <dirent.h>
#include <errno.h>
#include <libgen.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"
#include "hostkey_priv.h"
#include "log.h"
#include "ossl_err.h"
#include "ossl_priv.h"
#include "outfile.h"
#include "p521.h"
#include "text.h"

#define RANDOM_SERIAL_DIGITS 7
#define PUBLIC_MODE	     0666 /* less the umask */
#define SECRET_MODE	     0600

/* A folder that is removed with its content unless it was renamed. */
struct part {
	char *dir;  /* the final place */
	char *path; /* of the part; NULL when there is none (any more) */
};

static void remove_files(const char *dir)
{
	DIR *d = opendir(dir);
	const struct dirent *e;

	while (d && (e = readdir(d)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			(void)unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
	(void)rmdir(dir);
}

static void part_free(struct part *p)
{
	char *secret_dir = NULL;

	if (p->path && asprintf(&secret_dir, "%s/private", p->path) >= 0) {
		remove_files(secret_dir);
		remove_files(p->path);
		free(secret_dir);
	}
	free(p->path);
	free(p->dir);
}

#define AUTO_PART __attribute__((cleanup(part_free))) struct part

static int count_entries(const char *dir)
{
	DIR *d = opendir(dir);
	int n = 0;

	if (!d)
		return -1;
	while (n <= 2 && readdir(d))
		n++;
	closedir(d);
	return n <= 2 ? 0 : 1; /* "." and ".." */
}

static bool is_current_folder(const struct stat *st)
{
	struct stat here;

	return stat(".", &here) == 0 && here.st_dev == st->st_dev && here.st_ino == st->st_ino;
}

/* Asked before the keys are made, which takes seconds. */
static int check_parent(const char *dir, struct zpv_err *err)
{
	char *copy = strdup(dir);
	int rc = 0;

	if (!copy)
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	if (access(dirname(copy), W_OK | X_OK) != 0)
		rc = err_errno(err, ZPV_ERR_IO, "cannot create the folder '%s'", dir);
	free(copy);
	return rc;
}

/* Checks what is at the final place: nothing yet, or an empty folder. */
static int check_place(const char *dir, struct zpv_err *err)
{
	struct stat st;

	if (lstat(dir, &st) != 0)
		return errno == ENOENT ? 0 : err_errno(err, ZPV_ERR_IO, "cannot look at '%s'", dir);
	if (!S_ISDIR(st.st_mode))
		return err_set(err, ZPV_ERR_EXISTS, "'%s' exists already and is not a folder", dir);
	switch (count_entries(dir)) {
	case 0:
		break;
	case 1:
		return err_set(err, ZPV_ERR_EXISTS, "'%s' exists already and is not empty", dir);
	default:
		return err_errno(err, ZPV_ERR_IO, "cannot read the folder '%s'", dir);
	}
	if (is_current_folder(&st))
		return err_set(err, ZPV_ERR_USAGE,
			       "'%s' is the current folder, which cannot be replaced", dir);
	return 0;
}

static int find_place(const char *dir, struct part *p, struct zpv_err *err)
{
	size_t len = strlen(dir);
	int rc;

	while (len > 1 && dir[len - 1] == '/')
		len--;
	if (len == 0)
		return err_set(err, ZPV_ERR_USAGE, "the name of the folder is empty");
	p->dir = strndup(dir, len);
	if (!p->dir)
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	rc = check_place(p->dir, err);
	return rc ? rc : check_parent(p->dir, err);
}

/* mkdir() rather than mkdtemp(): the folder is as readable as the umask says. */
static int make_part(struct part *p, struct zpv_err *err)
{
	char *secret_dir = NULL;
	uint32_t suffix;
	int rc = 0;

	if (RAND_bytes((uint8_t *)&suffix, sizeof(suffix)) != 1)
		return ossl_err(err, ZPV_ERR_CRYPTO, "no random bytes");
	if (asprintf(&p->path, "%s.part-%08x", p->dir, suffix) < 0) {
		p->path = NULL;
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	}
	if (mkdir(p->path, 0777) != 0) {
		err_errno(err, ZPV_ERR_IO, "cannot create the folder '%s'", p->path);
		free(p->path);
		p->path = NULL; /* not ours to remove */
		return -ZPV_ERR_IO;
	}
	if (asprintf(&secret_dir, "%s/private", p->path) < 0)
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	if (mkdir(secret_dir, 0700) != 0)
		rc = err_errno(err, ZPV_ERR_IO, "cannot create the folder '%s'", secret_dir);
	free(secret_dir);
	return rc;
}

static int write_file(const struct part *p, const char *name, mode_t mode, const void *data,
		      size_t len, struct zpv_err *err)
{
	char *path = NULL;
	int rc;

	if (asprintf(&path, "%s/%s", p->path, name) < 0)
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	rc = outfile_write(path, mode, OUTFILE_NO_CLOBBER, data, len, err);
	free(path);
	return rc;
}

/* Text of a buffer of libcrypto; NULL stands for one that could not be filled. */
static int write_bio(const struct part *p, const char *name, mode_t mode, BIO *bio,
		     struct zpv_err *err)
{
	char *data = NULL;
	long len = bio ? BIO_get_mem_data(bio, &data) : 0;

	if (len <= 0)
		return ossl_err(err, ZPV_ERR_CRYPTO, "cannot encode '%s'", name);
	return write_file(p, name, mode, data, (size_t)len, err);
}

static int write_key(const struct part *p, const char *name, EVP_PKEY *key, struct zpv_err *err)
{
	AUTO_OSSL(BIO) *bio = BIO_new(BIO_s_secmem()); /* cleansed when it is freed */

	if (!bio || PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1)
		return ossl_err(err, ZPV_ERR_CRYPTO, "cannot encode '%s'", name);
	return write_bio(p, name, SECRET_MODE, bio, err);
}

static int write_cert(const struct part *p, const char *name, X509 *cert, struct zpv_err *err)
{
	AUTO_OSSL(BIO) *bio = BIO_new(BIO_s_mem());

	if (!bio || PEM_write_bio_X509(bio, cert) != 1)
		return ossl_err(err, ZPV_ERR_CRYPTO, "cannot encode '%s'", name);
	return write_bio(p, name, PUBLIC_MODE, bio, err);
}

/*
 * The CAs' lists are DER, as RFC 5280 wants of what a distribution point delivers; the signing
 * key's is PEM, as IBM's is.
 */
static int write_crl(const struct part *p, const char *name, X509_CRL *crl, bool pem,
		     struct zpv_err *err)
{
	AUTO_OSSL(BIO) *bio = BIO_new(BIO_s_mem());

	if (!bio || (pem ? PEM_write_bio_X509_CRL(bio, crl) : i2d_X509_CRL_bio(bio, crl)) != 1)
		return ossl_err(err, ZPV_ERR_CRYPTO, "cannot encode '%s'", name);
	return write_bio(p, name, PUBLIC_MODE, bio, err);
}

static int write_text(const struct part *p, const char *name, char *text, struct zpv_err *err)
{
	int rc = text ? write_file(p, name, PUBLIC_MODE, text, strlen(text), err) :
			err_set(err, ZPV_ERR_NOMEM, "no memory");

	free(text);
	return rc;
}

static const struct {
	enum pki_id id;
	enum zpv_host_file cert;
	int crl; /* enum zpv_host_file; -1: issues nothing */
	const char *key;
} outputs[PKI_COUNT] = {
	{ PKI_ROOT, ZPV_HOST_ROOT_CERT, ZPV_HOST_ROOT_CRL, "private/rootCA.key" },
	{ PKI_INTERMEDIATE, ZPV_HOST_INTERMEDIATE_CERT, ZPV_HOST_INTERMEDIATE_CRL,
	  "private/DigiCertCA.key" },
	{ PKI_SIGNING, ZPV_HOST_SIGNING_CERT, ZPV_HOST_HKD_CRL,
	  "private/ibm-z-host-key-signing-gen2.key" },
	{ PKI_HOST, ZPV_HOST_HKD, -1, "private/host.key" },
	{ PKI_BACKUP, ZPV_HOST_BACKUP_HKD, -1, "private/backup-host.key" },
};

static int write_pki(const struct part *p, const struct identity *id, const struct pki *pki,
		     struct zpv_err *err)
{
	const char *type = profile_type(id->profile);
	int rc = 0;

	for (size_t i = 0; !rc && i < PKI_COUNT; i++) {
		enum pki_id n = outputs[i].id;
		bool has_crl = outputs[i].crl >= 0;
		char *cert = host_file_name(outputs[i].cert, type, id->serial);
		char *crl = has_crl ? host_file_name((enum zpv_host_file)outputs[i].crl, type,
						     id->serial) :
				      NULL;

		if (!cert || (has_crl && !crl))
			rc = err_set(err, ZPV_ERR_NOMEM, "no memory");
		if (!rc)
			rc = write_cert(p, cert, pki->certs[n], err);
		if (!rc && has_crl)
			rc = write_crl(p, crl, pki->crls[n], n == PKI_SIGNING, err);
		if (!rc)
			rc = write_key(p, outputs[i].key, pki->keys[n], err);
		free(cert);
		free(crl);
	}
	return rc;
}

static int rename_part(struct part *p, struct zpv_err *err)
{
	if (rename(p->path, p->dir) != 0) {
		if (errno == EEXIST || errno == ENOTEMPTY || errno == ENOTDIR)
			return err_set(err, ZPV_ERR_EXISTS, "'%s' exists already", p->dir);
		return err_errno(err, ZPV_ERR_IO, "cannot rename '%s' to '%s'", p->path, p->dir);
	}
	free(p->path);
	p->path = NULL;
	return 0;
}

static int write_folder(struct part *p, const struct identity *id, const struct pki *pki,
			struct zpv_err *err)
{
	int rc = make_part(p, err);

	if (!rc)
		rc = write_pki(p, id, pki, err);
	if (!rc)
		rc = write_text(p, "uv-keys-all", key_hashes_to_text(id->hash, id->backup_hash),
				err);
	if (!rc)
		rc = write_text(p, IDENTITY_JSON, identity_to_json(id), err);
	return rc ? rc : rename_part(p, err);
}

static int hash_pkey(EVP_PKEY *pkey, uint8_t hash[ZPV_PHKH_BYTES], struct zpv_err *err)
{
	AUTO(p521) struct p521 *key = NULL;
	int rc = p521_from_pkey(pkey, &key, err);

	return rc ? rc : hostkey_hash_key(key, hash, err);
}

static int choose_serial(const char *wanted, char serial[SERIAL_MAX + 1], struct zpv_err *err)
{
	uint32_t n;

	if (wanted && !serial_valid(wanted))
		return err_set(
			err, ZPV_ERR_USAGE,
			"the serial number '%s' is not 1 to %d of the characters 0-9 and A-Z",
			wanted, SERIAL_MAX);
	if (wanted) {
		snprintf(serial, SERIAL_MAX + 1, "%s", wanted);
		return 0;
	}
	if (RAND_bytes((uint8_t *)&n, sizeof(n)) != 1)
		return ossl_err(err, ZPV_ERR_CRYPTO, "no random bytes");
	snprintf(serial, SERIAL_MAX + 1, "%0*X", RANDOM_SERIAL_DIGITS, n & 0xfffffff);
	return 0;
}

static int check_spec(const struct zpv_host_spec *spec, struct identity *id, struct zpv_err *err)
{
	if (!profile_type(spec->profile))
		return err_set(err, ZPV_ERR_USAGE, "there is no profile %d", (int)spec->profile);
	if (spec->crl_url && !crl_url_valid(spec->crl_url))
		return err_set(err, ZPV_ERR_USAGE,
			       "'%s' is not a http or https address of plain characters",
			       spec->crl_url);
	id->profile = spec->profile;
	return choose_serial(spec->serial, id->serial, err);
}

static int make_pki(const struct zpv_host_spec *spec, struct identity *id, struct pki **out,
		    struct zpv_err *err)
{
	AUTO(pki) struct pki *pki = NULL;
	char url[CRL_URL_MAX + 1] = "";
	struct pki_spec ps = { .type = profile_type(id->profile), .serial = id->serial };
	struct tm tm;
	int rc;

	if (spec->crl_url) {
		snprintf(url, sizeof(url), "%s", spec->crl_url);
		for (size_t len = strlen(url); url[len - 1] == '/'; len--)
			url[len - 1] = '\0';
		ps.crl_url = url;
	}
	ps.now = time(NULL);
	gmtime_r(&ps.now, &tm);
	if (strftime(id->created, sizeof(id->created), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		return err_set(err, ZPV_ERR_IO,
			       "the clock shows no date between the years 1000 and 9999");
	rc = pki_new(&ps, &pki, err);
	if (!rc)
		rc = hash_pkey(pki->keys[PKI_HOST], id->hash, err);
	if (!rc)
		rc = hash_pkey(pki->keys[PKI_BACKUP], id->backup_hash, err);
	if (!rc)
		*out = STEAL(pki);
	return rc;
}

int zpv_host_create(const struct zpv_host_spec *spec, struct zpv_err *err)
{
	AUTO_PART part = { NULL, NULL };
	AUTO(pki) struct pki *pki = NULL;
	struct identity id = { .profile = spec->profile };
	int rc = check_spec(spec, &id, err);

	if (!rc)
		rc = find_place(spec->dir, &part, err);
	if (!rc)
		rc = make_pki(spec, &id, &pki, err);
	if (!rc)
		rc = write_folder(&part, &id, pki, err);
	if (!rc)
		log_info(spec->log, "made the identity of machine %s-%s in '%s'",
			 profile_type(id.profile), id.serial, part.dir);
	return rc;
}
