/* SPDX-License-Identifier: MIT */
/*
 * libzpv: dumps of s390x guests: what is in them, and what their owner can read with the customer
 * communication key (CCK). Sources: the ELF files that QEMU writes for protected guests; s390-tools'
 * zgetdump.
 */
#ifndef ZPV_DUMP_H
#define ZPV_DUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zpv/error.h>
#include <zpv/log.h>

#ifdef __cplusplus
extern "C" {
#endif

struct zpv_dump;

/**
 * zpv_dump_open() - look at a dump
 * @path: an ELF core file, of a protected guest or of another
 * @log:  receives warnings; may be NULL, outlives the dump
 * Return: 0; -ZPV_ERR_IO; -ZPV_ERR_FORMAT no such dump, naming what was found; -ZPV_ERR_VERIFY a dump
 *         that is damaged or cut off. The latter of all functions below, too.
 */
ZPV_API ZPV_MUST_CHECK int zpv_dump_open(const char *path, const struct zpv_log *log,
					 struct zpv_dump **out, struct zpv_err *err);
ZPV_API void zpv_dump_close(struct zpv_dump *d);

/* True when it needs a key to be read. */
ZPV_API bool zpv_dump_protected(const struct zpv_dump *d);
/* Version of the data that the Ultravisor gave out; 0 when it is not protected. */
ZPV_API uint32_t zpv_dump_version(const struct zpv_dump *d);
ZPV_API uint64_t zpv_dump_file_bytes(const struct zpv_dump *d);

/**
 * zpv_dump_unlock() - with the customer communication key, a file of 32 bytes
 * Return: 0, also for a dump that needs none; -ZPV_ERR_IO; -ZPV_ERR_KEY not a key, or another guest's
 */
ZPV_API ZPV_MUST_CHECK int zpv_dump_unlock(struct zpv_dump *d, const char *key_path,
					   struct zpv_err *err);
/* The same with a descriptor, which is read to its end and stays open. */
ZPV_API ZPV_MUST_CHECK int zpv_dump_unlock_fd(struct zpv_dump *d, int fd, struct zpv_err *err);

/* A piece of guest absolute storage that the dump has. */
struct zpv_dump_range {
	uint64_t start, bytes;
};
ZPV_API size_t zpv_dump_ranges(const struct zpv_dump *d);
ZPV_API struct zpv_dump_range zpv_dump_range(const struct zpv_dump *d, size_t i);

/* Pages by what the storage state says of them; those of a dump that is not protected are "shared". */
struct zpv_dump_pages {
	uint64_t encrypted, shared, zero;
};
ZPV_API struct zpv_dump_pages zpv_dump_pages(const struct zpv_dump *d);

/* The state of a CPU. */
struct zpv_dump_cpu {
	uint64_t gr[16], cr[16], fpr[16], vr_low[16], vr_high[16][2];
	uint32_t ar[16];
	uint64_t psw_mask, psw_addr, timer, ckc, gsd, gssm, gsepla;
	uint32_t fpc, prefix, todpr;
	bool incomplete; /* it was in the middle of an instruction that the hypervisor executes */
};
ZPV_API size_t zpv_dump_cpus(const struct zpv_dump *d);
/* Return: 0; -ZPV_ERR_KEY the dump is locked; -ZPV_ERR_VERIFY the CPU's data are damaged. */
ZPV_API ZPV_MUST_CHECK int zpv_dump_cpu(struct zpv_dump *d, size_t i, struct zpv_dump_cpu *out,
					struct zpv_err *err);

/**
 * zpv_dump_read() - guest absolute storage as the guest saw it
 * Zeros where the dump has a zero page. May be called from several threads after unlocking.
 * Return: 0; -ZPV_ERR_USAGE not in the dump; -ZPV_ERR_KEY locked; -ZPV_ERR_IO; -ZPV_ERR_VERIFY a page's
 *         state is not valid
 */
ZPV_API ZPV_MUST_CHECK int zpv_dump_read(struct zpv_dump *d, uint64_t addr, void *buf, size_t len,
					 struct zpv_err *err);

/**
 * zpv_dump_vmcoreinfo() - what the Linux kernel says about itself
 * @text: its text, not terminated, borrowed; NULL with length 0 when none was found
 * Return: 0; as zpv_dump_read()
 */
ZPV_API ZPV_MUST_CHECK int zpv_dump_vmcoreinfo(struct zpv_dump *d, const char **text, size_t *len,
					       struct zpv_err *err);

/* The names of the guest's kernel, as uname(2) tells them; empty when they were not found. */
struct zpv_dump_uts {
	char node[65], release[65], version[65];
};
/* Return: 0; as zpv_dump_read() */
ZPV_API ZPV_MUST_CHECK int zpv_dump_uts(struct zpv_dump *d, struct zpv_dump_uts *out,
					struct zpv_err *err);

enum zpv_dump_format { ZPV_DUMP_ELF, ZPV_DUMP_S390 };

struct zpv_dump_convert {
	enum zpv_dump_format format;
	const char *output; /* path; "-": standard output */
	bool overwrite;
	const struct zpv_progress *progress; /* may be NULL */
};

/**
 * zpv_dump_convert() - write the opened dump as an ordinary one
 * The file appears complete or not at all.
 * Return: 0; -ZPV_ERR_EXISTS; -ZPV_ERR_IO; -ZPV_ERR_KEY; -ZPV_ERR_VERIFY; -ZPV_ERR_CANCELLED
 */
ZPV_API ZPV_MUST_CHECK int zpv_dump_convert(struct zpv_dump *d, const struct zpv_dump_convert *spec,
					    struct zpv_err *err);

/**
 * zpv_dump_dmesg() - the kernel's messages, as its own dmesg would print them
 * @write: called with each piece of text
 * Return: 0; -ZPV_ERR_FORMAT no VMCOREINFO, or a message buffer that is damaged or of an unknown kind
 */
ZPV_API ZPV_MUST_CHECK int zpv_dump_dmesg(struct zpv_dump *d,
					  void (*write)(void *ctx, const char *text, size_t len),
					  void *ctx, struct zpv_err *err);

#ifdef __cplusplus
}
#endif
#endif
