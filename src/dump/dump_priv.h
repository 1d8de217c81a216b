/* SPDX-License-Identifier: MIT */
/*
 * An opened dump, inside: what the files of this room share.
 *
 * The file is read by position and never mapped, so that a file that shrinks is an error and not a
 * signal. Nothing in it is believed before its bounds were compared with the size of the file.
 */
#ifndef DUMP_DUMP_PRIV_H
#define DUMP_DUMP_PRIV_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zpv/dump.h>

#include "aes_xts.h"
#include "elf_core.h"
#include "elf_priv.h"
#include "pv_dump.h"
#include "secret.h"

/* --- CPUs (cpus.c) --------------------------------------------------------------------------- */

/* The notes that hold a CPU's state, in the order in which they are written. */
enum cpu_note {
	CPU_PRSTATUS,
	CPU_FPREGSET,
	CPU_TIMER,
	CPU_TODCMP,
	CPU_TODPREG,
	CPU_CTRS,
	CPU_PREFIX,
	CPU_VXRS_LOW,
	CPU_VXRS_HIGH,
	CPU_GS_CB,
	CPU_PV, /* only read */
	CPU_NOTES,
};

/* Bytes inside struct dump_notes.data. */
struct dump_bytes {
	const uint8_t *data; /* NULL: there is no such note */
	size_t len;
};

struct dump_cpu_notes {
	struct dump_bytes note[CPU_NOTES];
};

struct dump_notes {
	struct dump_cpu_notes *cpus;
	size_t ncpus;
	struct dump_bytes vmcoreinfo;
	size_t npv; /* CPUs with CPU_PV */
};

/*
 * Sorts the notes of a PT_NOTE segment by CPU, behind those that are there; borrows data.
 * Return: 0; -ZPV_ERR_VERIFY a note that reaches beyond the end; -ZPV_ERR_NOMEM.
 */
int dump_notes_add(struct dump_notes *n, const uint8_t *data, size_t len, struct zpv_err *err)
	MUST_CHECK;
void dump_notes_free(struct dump_notes *n);

/* Authenticates and decrypts a CPU's block, which has any length. -ZPV_ERR_VERIFY: damaged. */
int dump_cpu_open(const struct secret *dump_key, struct dump_bytes block, struct pv_dump_cpu *out,
		  struct zpv_err *err) MUST_CHECK;

/* The state of a CPU as notes have it; has[]: which notes it fills. */
struct dump_cpu_state {
	struct core_cpu regs;
	bool has[CPU_NOTES];
	bool incomplete;
};
int dump_cpu_state(const struct zpv_dump *d, size_t i, struct dump_cpu_state *out,
		   struct zpv_err *err) MUST_CHECK;

/* --- Keys (keys.c) --------------------------------------------------------------------------- */

struct dump_keys {
	struct secret *dump_key;
	struct secret *area; /* the decrypted part of the completion data */
	struct secret *xts_key;
};

/*
 * Opens the completion data with the customer communication key.
 * Return: 0; -ZPV_ERR_KEY the tag does not match; -ZPV_ERR_VERIFY what it holds is no key.
 */
int dump_keys_open(const struct secret *cck, const struct pv_dump_complete *c,
		   struct dump_keys *out, struct zpv_err *err) MUST_CHECK;
void dump_keys_wipe(struct dump_keys *k);

/* Borrowed: PV_DUMP_ENTRY_BYTES that are ORed to a tweak component. */
const uint8_t *dump_keys_nonce(const struct dump_keys *k);

/* --- Pages (pages.c) ------------------------------------------------------------------------- */

enum page_state { PAGE_ENCRYPTED, PAGE_SHARED, PAGE_ZERO, PAGE_BAD };

/* What an entry of the storage state says, by its bits alone. */
enum page_state dump_entry_state(const struct pv_dump_entry *e);

#define DUMP_WINDOW (1u << 20)

/*
 * Decrypts a piece of at most DUMP_WINDOW bytes of guest storage into buf, with a cipher of the
 * caller's thread (NULL for a dump that is not protected). Where there is no storage, zeros.
 */
int dump_window(const struct zpv_dump *d, struct xts *x, uint64_t addr, uint8_t *buf, size_t len,
		struct zpv_err *err) MUST_CHECK;

/* Counts pages by state and finds the first that is not valid. */
int dump_count_pages(struct zpv_dump *d, struct zpv_err *err) MUST_CHECK;

/* Fails like the first read of a page whose state is not valid, if there is one. */
int dump_check_pages(const struct zpv_dump *d, struct zpv_err *err) MUST_CHECK;

/* A cipher for one thread; dump_xts_put() keeps it for the next. *out is NULL without protection. */
int dump_xts_get(struct zpv_dump *d, struct xts **out, struct zpv_err *err) MUST_CHECK;
void dump_xts_put(struct zpv_dump *d, struct xts *x);

/* -ZPV_ERR_KEY when the dump is protected and no key has opened it. */
int dump_need_key(const struct zpv_dump *d, struct zpv_err *err) MUST_CHECK;

/* --- The dump -------------------------------------------------------------------------------- */

#define DUMP_CIPHERS 16 /* kept for the next call of dump_xts_get() */

struct zpv_dump {
	struct dump_file file;
	struct zpv_log log;
	struct dump_elf elf; /* loads are sorted by address and do not overlap */
	uint8_t **note_data; /* of each PT_NOTE segment */
	struct dump_notes notes;
	bool protected;
	struct pv_dump_complete complete; /* encrypted */
	struct zpv_dump_pages pages;
	uint64_t bad_page; /* address of the first page with an invalid state, or DUMP_NO_PAGE */
	struct pv_dump_entry bad_entry;

	struct dump_keys keys; /* dump_key is NULL while locked */
	pthread_mutex_t lock;  /* for what follows */
	struct xts *ciphers[DUMP_CIPHERS];
	size_t nciphers;

	/* vmcoreinfo.c: found at the first question. */
	char *vmcoreinfo;
	size_t vmcoreinfo_len;
	bool vmcoreinfo_known;
};

#define DUMP_NO_PAGE UINT64_MAX

#endif
