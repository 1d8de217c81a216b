// SPDX-License-Identifier: MIT
/*
 * Opening a dump: what it is, what it needs, and its key.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "addr.h"
#include "dump_priv.h"
#include "err.h"
#include "io.h"
#include "log.h"

#define MAX_NOTE_BYTES (64u << 20) /* of all segments together */
#define KEY_NAME       "customer communication key"

static int read_notes(struct zpv_dump *d, struct zpv_err *err)
{
	uint64_t sum = 0;

	d->note_data = calloc(d->elf.nnotes ? d->elf.nnotes : 1, sizeof(*d->note_data));
	if (!d->note_data)
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	for (size_t i = 0; i < d->elf.nnotes; i++) {
		const struct dump_extent *x = &d->elf.notes[i];
		int rc;

		if (x->size > MAX_NOTE_BYTES - sum)
			return err_set(err, ZPV_ERR_VERIFY,
				       "the dump has more than %u bytes of notes", MAX_NOTE_BYTES);
		sum += x->size;
		d->note_data[i] = malloc(x->size ? (size_t)x->size : 1);
		if (!d->note_data[i])
			return err_set(err, ZPV_ERR_NOMEM, "no memory");
		rc = dump_file_read(&d->file, x->offset, d->note_data[i], (size_t)x->size, "notes",
				    err);
		if (!rc)
			rc = dump_notes_add(&d->notes, d->note_data[i], (size_t)x->size, err);
		if (rc)
			return rc;
	}
	return 0;
}

static int read_complete(struct zpv_dump *d, struct zpv_err *err)
{
	const struct pv_dump_complete *c = &d->complete;
	int rc;

	if (d->elf.pv_complete.size < sizeof(*c))
		return err_set(err, ZPV_ERR_VERIFY,
			       "section '" ELF_NAME_PV_COMPLETE "' has %" PRIu64
			       " bytes, not at least %zu",
			       d->elf.pv_complete.size, sizeof(*c));
	rc = dump_file_read(&d->file, d->elf.pv_complete.offset, &d->complete, sizeof(*c),
			    "section '" ELF_NAME_PV_COMPLETE "'", err);
	if (rc)
		return rc;
	if (be32_get(c->version) != PV_DUMP_VERSION)
		return err_set(err, ZPV_ERR_VERIFY,
			       "section '" ELF_NAME_PV_COMPLETE "' is of version %u, not %u",
			       be32_get(c->version), PV_DUMP_VERSION);
	if (be32_get(c->len) != sizeof(*c))
		return err_set(err, ZPV_ERR_VERIFY,
			       "section '" ELF_NAME_PV_COMPLETE
			       "' says its data have %u bytes, not %zu",
			       be32_get(c->len), sizeof(*c));
	return 0;
}

/* Keeps the CPUs that the Ultravisor sealed; the others have nothing that can be believed. */
static void keep_sealed(struct zpv_dump *d)
{
	size_t n = 0, told = 0;

	for (size_t i = 0; i < d->notes.ncpus; i++) {
		told += d->notes.cpus[i].note[CPU_PRSTATUS].data != NULL;
		if (d->notes.cpus[i].note[CPU_PV].data)
			d->notes.cpus[n++] = d->notes.cpus[i];
	}
	if (n < told)
		log_warn(&d->log,
			 "%zu of the dump's %zu CPUs have no sealed state and are left out",
			 told - n, told);
	d->notes.ncpus = n;
}

/*
 * Notes of the Ultravisor without its sections: QEMU writes them when the guest's owner did not allow
 * dumps. To take that for an ordinary dump would show ciphertext as memory.
 */
static int check_kind(struct zpv_dump *d, struct zpv_err *err)
{
	const char *missing = d->elf.has_pv_mem ? ELF_NAME_PV_COMPLETE : ELF_NAME_PV_MEM;

	if (d->elf.sections_rc && (d->notes.npv || d->elf.has_pv_mem || d->elf.has_pv_complete)) {
		*err = d->elf.sections_err;
		return d->elf.sections_rc;
	}
	d->protected = d->elf.has_pv_mem && d->elf.has_pv_complete;
	if (d->protected) {
		keep_sealed(d);
		return read_complete(d, err);
	}
	if (d->elf.has_pv_mem || d->elf.has_pv_complete)
		return err_set(err, ZPV_ERR_VERIFY,
			       "the dump of a protected guest is damaged: it has no section '%s'",
			       missing);
	if (d->notes.npv)
		return err_set(
			err, ZPV_ERR_VERIFY,
			"the dump is of a protected guest, but has nothing to decrypt it with (no "
			"section '" ELF_NAME_PV_COMPLETE
			"'): either its owner does not allow dumps, or the file is damaged");
	return 0;
}

static int load(struct zpv_dump *d, const char *path, struct zpv_err *err)
{
	int rc = dump_file_open(path, &d->file, err);

	if (rc)
		return rc;
	rc = dump_elf_read(&d->file, &d->elf, err);
	if (!rc)
		rc = read_notes(d, err);
	if (!rc)
		rc = check_kind(d, err);
	if (!rc)
		rc = dump_elf_arrange(&d->elf, d->protected, err);
	if (!rc)
		rc = dump_count_pages(d, err);
	return rc ? err_ctx(err, "'%s'", path) : 0;
}

int zpv_dump_open(const char *path, const struct zpv_log *log, struct zpv_dump **out,
		  struct zpv_err *err)
{
	struct zpv_dump *d = calloc(1, sizeof(*d));
	int rc;

	if (!d)
		return err_set(err, ZPV_ERR_NOMEM, "no memory");
	d->file.fd = -1;
	if (log)
		d->log = *log;
	pthread_mutex_init(&d->lock, NULL);
	rc = load(d, path, err);
	if (rc) {
		zpv_dump_close(d);
		return rc;
	}
	*out = d;
	return 0;
}

static void forget_keys(struct zpv_dump *d)
{
	while (d->nciphers)
		xts_free(d->ciphers[--d->nciphers]);
	dump_keys_wipe(&d->keys);
}

void zpv_dump_close(struct zpv_dump *d)
{
	if (!d)
		return;
	forget_keys(d);
	dump_notes_free(&d->notes);
	for (size_t i = 0; d->note_data && i < d->elf.nnotes; i++)
		free(d->note_data[i]);
	free(d->note_data);
	dump_elf_free(&d->elf);
	io_close_fd(&d->file.fd);
	free(d->vmcoreinfo);
	pthread_mutex_destroy(&d->lock);
	free(d);
}

bool zpv_dump_protected(const struct zpv_dump *d)
{
	return d->protected;
}

uint32_t zpv_dump_version(const struct zpv_dump *d)
{
	return d->protected ? be32_get(d->complete.version) : 0;
}

uint64_t zpv_dump_file_bytes(const struct zpv_dump *d)
{
	return d->file.size;
}

/* --- Unlocking ------------------------------------------------------------------------------- */

static int unlock(struct zpv_dump *d, const struct secret *cck, struct zpv_err *err)
{
	struct dump_keys keys;
	int rc = dump_keys_open(cck, &d->complete, &keys, err);

	if (rc)
		return rc;
	forget_keys(d);
	d->keys = keys;
	return 0;
}

int zpv_dump_unlock(struct zpv_dump *d, const char *key_path, struct zpv_err *err)
{
	AUTO(secret) struct secret *cck = NULL;
	int rc;

	if (!d->protected)
		return 0;
	rc = secret_read_file(key_path, KEY_NAME, PV_DUMP_KEY_BYTES, &cck, err);
	return rc ? rc : unlock(d, cck, err);
}

int zpv_dump_unlock_fd(struct zpv_dump *d, int fd, struct zpv_err *err)
{
	AUTO(secret) struct secret *read = NULL;
	AUTO(secret) struct secret *cck = NULL;
	ssize_t n;
	int rc;

	if (!d->protected)
		return 0;
	rc = secret_new(PV_DUMP_KEY_BYTES + 1, &read, err);
	if (rc)
		return rc;
	n = io_read_full(fd, secret_data(read), secret_len(read));
	if (n < 0)
		return err_errno(err, ZPV_ERR_IO, KEY_NAME ": cannot read descriptor %d", fd);
	if (n != PV_DUMP_KEY_BYTES)
		return err_set(err, ZPV_ERR_KEY,
			       "Invalid " KEY_NAME ": descriptor %d has %s%zd bytes, not %u", fd,
			       n > PV_DUMP_KEY_BYTES ? "more than " : "",
			       n > PV_DUMP_KEY_BYTES ? n - 1 : n, PV_DUMP_KEY_BYTES);
	rc = secret_copy(secret_bytes(read), PV_DUMP_KEY_BYTES, &cck, err);
	return rc ? rc : unlock(d, cck, err);
}

/* --- Ranges ---------------------------------------------------------------------------------- */

size_t zpv_dump_ranges(const struct zpv_dump *d)
{
	return d->elf.nloads;
}

struct zpv_dump_range zpv_dump_range(const struct zpv_dump *d, size_t i)
{
	return (struct zpv_dump_range){ d->elf.loads[i].addr, d->elf.loads[i].memsz };
}
