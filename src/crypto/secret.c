// SPDX-License-Identifier: MIT
/*
 * Secret memory on pages of its own.
 *
 * [guard page][struct secret, bytes ...][guard page]
 */
#define _GNU_SOURCE
#include "secret.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "err.h"
#include "io.h"

struct secret {
	size_t len;
	size_t inner; /* bytes between the guard pages */
	uint8_t bytes[];
};

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

int secret_new(size_t len, struct secret **out, struct zpv_err *err)
{
	size_t page = page_size();
	size_t inner = (sizeof(struct secret) + len + page - 1) / page * page;
	uint8_t *map = mmap(NULL, inner + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct secret *s;

	if (map == MAP_FAILED)
		return err_errno(err, ZPV_ERR_NOMEM, "no memory for a key");
	s = (struct secret *)(void *)(map + page);
	if (mprotect(s, inner, PROT_READ | PROT_WRITE) != 0 || mlock(s, inner) != 0 ||
	    madvise(s, inner, MADV_DONTDUMP) != 0 || madvise(s, inner, MADV_DONTFORK) != 0) {
		err_errno(err, ZPV_ERR_NOMEM,
			  "cannot lock memory for a key (see the limit 'ulimit -l')");
		munmap(map, inner + 2 * page);
		return -ZPV_ERR_NOMEM;
	}
	s->len = len;
	s->inner = inner;
	*out = s;
	return 0;
}

int secret_random(size_t len, struct secret **out, struct zpv_err *err)
{
	AUTO(secret) struct secret *s = NULL;
	int rc = secret_new(len, &s, err);

	if (rc)
		return rc;
	if (RAND_priv_bytes(s->bytes, (int)len) != 1)
		return err_set(err, ZPV_ERR_CRYPTO, "no random bytes for a key");
	*out = STEAL(s);
	return 0;
}

int secret_copy(const uint8_t *data, size_t len, struct secret **out, struct zpv_err *err)
{
	struct secret *s = NULL;
	int rc = secret_new(len, &s, err);

	if (rc)
		return rc;
	memcpy(s->bytes, data, len);
	*out = s;
	return 0;
}

int secret_read_file(const char *path, const char *what, size_t len, struct secret **out,
		     struct zpv_err *err)
{
	AUTO(secret) struct secret *s = NULL;
	AUTO_FD fd = io_open_read(path, err);
	ssize_t n;
	int rc;

	if (fd < 0)
		return err_ctx(err, "%s", what);
	rc = secret_new(len + 1, &s, err);
	if (rc)
		return rc;
	n = io_read_full(fd, s->bytes, len + 1);
	if (n < 0)
		return err_errno(err, ZPV_ERR_IO, "%s: cannot read '%s'", what, path);
	if ((size_t)n < len)
		return err_set(err, ZPV_ERR_KEY, "Invalid %s: '%s' has %zd bytes, not %zu", what,
			       path, n, len);
	if ((size_t)n > len)
		return err_set(err, ZPV_ERR_KEY, "Invalid %s: '%s' has more than %zu bytes", what,
			       path, len);
	s->len = len;
	*out = STEAL(s);
	return 0;
}

size_t secret_len(const struct secret *s)
{
	return s->len;
}

const uint8_t *secret_bytes(const struct secret *s)
{
	return s->bytes;
}

uint8_t *secret_data(struct secret *s)
{
	return s->bytes;
}

bool secret_equal(const struct secret *a, const struct secret *b)
{
	return a->len == b->len && CRYPTO_memcmp(a->bytes, b->bytes, a->len) == 0;
}

void secret_free(struct secret *s)
{
	size_t page = page_size();
	size_t inner;

	if (!s)
		return;
	inner = s->inner;
	OPENSSL_cleanse(s, inner);
	munmap((uint8_t *)s - page, inner + 2 * page);
}
