// SPDX-License-Identifier: MIT
/*
 * Loading a guest.
 *
 * The kind of the kernel file is seen from its content: an ELF file is loaded by its program
 * headers; a Linux kernel image, an SE image or a flat program is copied to absolute 0. A Linux
 * kernel starts at 0x10000, the others at the address of the short PSW at 0.
 */
#include "load.h"

#include <elf.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "be.h"
#include "err.h"
#include "io.h"
#include "se_img.h"

#define MIB	    (1ull << 20)
#define CHUNK_BYTES 65536u

/* Linux parameter area (machine.md section 2). */
#define PARM_INITRD_START 0x10408u
#define PARM_INITRD_SIZE  0x10410u
#define PARM_CMDLINE	  0x10480u
#define INITRD_ADDR	  0x3000000u
#define SHORT_PSW_BIT12	  BIT64(12)
#define SHORT_PSW_MODE	  (BIT64(31) | BIT64(32))
#define SHORT_PSW_ADDR	  0x7fffffffull

static int store(struct vm *vm, uint64_t at, const void *data, size_t len, struct zpv_err *err)
{
	struct pic pic = vm_write(vm, gaddr(at), data, len);

	if (pic.code)
		return err_set(err, ZPV_ERR_FORMAT,
			       "%zu bytes at %#llx do not fit the guest's %llu MiB of memory", len,
			       (unsigned long long)at,
			       (unsigned long long)(vm->config.memory_bytes / MIB));
	return 0;
}

/* Files are read at offsets, and again when the guest reboots. */
static int open_file(const char *path, struct zpv_err *err)
{
	struct stat st;

	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return err_set(err, ZPV_ERR_IO, "'%s' is not a regular file", path);
	return io_open_read(path, err);
}

static int store64(struct vm *vm, uint64_t at, uint64_t v, struct zpv_err *err)
{
	be64 x;

	be64_set(&x, v);
	return store(vm, at, &x, sizeof(x), err);
}

/* Copies len bytes (or all, UINT64_MAX) of an open file from offset off. *size receives how many. */
static int copy_file(struct vm *vm, int fd, const char *path, uint64_t off, uint64_t at,
		     uint64_t len, uint64_t *size, struct zpv_err *err)
{
	uint8_t chunk[CHUNK_BYTES];
	uint64_t done = 0;

	while (done < len) {
		size_t want = len - done < sizeof(chunk) ? (size_t)(len - done) : sizeof(chunk);
		ssize_t n = io_pread_full(fd, chunk, want, off + done);
		int rc;

		if (n < 0)
			return err_errno(err, ZPV_ERR_IO, "cannot read '%s'", path);
		if (n == 0)
			break;
		rc = store(vm, at + done, chunk, (size_t)n, err);
		if (rc)
			return err_ctx(err, "'%s'", path);
		done += (uint64_t)n;
	}
	if (size)
		*size = done;
	return 0;
}

/* --- ELF --------------------------------------------------------------------------------------- */

static uint16_t elf16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint64_t elf64(const uint8_t *p)
{
	be64 v;

	memcpy(&v, p, sizeof(v));
	return be64_get(v);
}

static int load_elf_segment(struct vm *vm, int fd, const char *path, const uint8_t *ph,
			    bool *loaded, struct zpv_err *err)
{
	uint64_t at = elf64(ph + offsetof(Elf64_Phdr, p_paddr));
	uint64_t memory = elf64(ph + offsetof(Elf64_Phdr, p_memsz)), size = 0;
	int rc;

	if (ph[3] != PT_LOAD)
		return 0;
	*loaded = true;
	if (memory > vm->config.memory_bytes || at > vm->config.memory_bytes - memory)
		return err_set(err, ZPV_ERR_FORMAT,
			       "'%s': a segment of %#llx bytes at %#llx does not fit the guest's "
			       "%llu MiB of memory",
			       path, (unsigned long long)memory, (unsigned long long)at,
			       (unsigned long long)(vm->config.memory_bytes / MIB));
	rc = copy_file(vm, fd, path, elf64(ph + offsetof(Elf64_Phdr, p_offset)), at,
		       elf64(ph + offsetof(Elf64_Phdr, p_filesz)), &size, err);
	if (!rc && size != elf64(ph + offsetof(Elf64_Phdr, p_filesz)))
		return err_set(err, ZPV_ERR_FORMAT, "'%s': a segment exceeds the file", path);
	return rc;
}

static int load_elf(struct vm *vm, int fd, const char *path, const uint8_t *head, uint64_t *entry,
		    struct zpv_err *err)
{
	uint64_t phoff = elf64(head + offsetof(Elf64_Ehdr, e_phoff));
	unsigned int n = elf16(head + offsetof(Elf64_Ehdr, e_phnum));
	bool loaded = false;
	int rc = 0;

	if (head[EI_CLASS] != ELFCLASS64 || head[EI_DATA] != ELFDATA2MSB ||
	    elf16(head + offsetof(Elf64_Ehdr, e_machine)) != EM_S390)
		return err_set(err, ZPV_ERR_FORMAT,
			       "'%s' is an ELF file, but not a 64-bit one for s390x", path);
	for (unsigned int i = 0; !rc && i < n; i++) {
		uint8_t ph[sizeof(Elf64_Phdr)];

		if (io_pread_full(fd, ph, sizeof(ph), phoff + i * sizeof(ph)) != sizeof(ph))
			return err_set(err, ZPV_ERR_FORMAT, "'%s': program headers exceed the file",
				       path);
		rc = load_elf_segment(vm, fd, path, ph, &loaded, err);
	}
	if (!rc && !loaded)
		return err_set(err, ZPV_ERR_FORMAT, "'%s' is an ELF file with nothing to load",
			       path);
	*entry = elf64(head + offsetof(Elf64_Ehdr, e_entry));
	return rc;
}

/* --- Images ------------------------------------------------------------------------------------ */

static bool is_linux(const uint8_t *head, ssize_t len)
{
	return len >= (ssize_t)KERNEL_HEAD_BYTES &&
	       memcmp(head + KERNEL_EP_MAGIC_ADDR, KERNEL_EP_MAGIC, strlen(KERNEL_EP_MAGIC)) == 0;
}

/* The short PSW at 0 of an SE image or a flat program. */
static int short_psw(const uint8_t *head, const char *path, uint64_t *mask, uint64_t *addr,
		     struct zpv_err *err)
{
	uint64_t psw = elf64(head);

	if (!(psw & SHORT_PSW_BIT12))
		return err_set(
			err, ZPV_ERR_FORMAT,
			"'%s' is no kernel, no SE image and no program: its first 8 bytes 0x%016llx are no "
			"short PSW",
			path, (unsigned long long)psw);
	*mask = (psw & ~SHORT_PSW_BIT12 & 0xffffffff00000000ull) | (psw & SHORT_PSW_MODE);
	*addr = psw & SHORT_PSW_ADDR;
	return 0;
}

/* Above the kernel, and below the end of memory: the kernel moves it where it has to. */
static int load_initrd(struct vm *vm, uint64_t kernel_end, struct zpv_err *err)
{
	const char *path = vm->config.boot.ramdisk;
	uint64_t at = kernel_end > INITRD_ADDR ? page_round_up(kernel_end) : INITRD_ADDR, size = 0;
	AUTO_FD fd = open_file(path, err);
	struct stat st;
	int rc;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) == 0 &&
	    (at > vm->config.memory_bytes || (uint64_t)st.st_size > vm->config.memory_bytes - at))
		return err_set(err, ZPV_ERR_FORMAT,
			       "the RAM disk '%s' of %lld bytes, loaded at %#llx, does not fit the "
			       "guest's %llu MiB of memory",
			       path, (long long)st.st_size, (unsigned long long)at,
			       (unsigned long long)(vm->config.memory_bytes / MIB));
	rc = copy_file(vm, fd, path, 0, at, UINT64_MAX, &size, err);
	if (!rc)
		rc = store64(vm, PARM_INITRD_START, at, err);
	return rc ? rc : store64(vm, PARM_INITRD_SIZE, size, err);
}

/* The kernel takes a byte of 0x80 or more for a sign that all of it is EBCDIC. */
static const char *beyond_ascii(const char *text)
{
	while (*text && !(*text & 0x80))
		text++;
	return *text ? text : NULL;
}

static int load_parmline(struct vm *vm, uint64_t max, struct zpv_err *err)
{
	const char *text = vm->config.boot.parmline, *bad = beyond_ascii(text);
	size_t len = strlen(text) + 1;

	if (len > max)
		return err_set(err, ZPV_ERR_FORMAT,
			       "the kernel command line has %zu bytes; this kernel takes %llu",
			       len - 1, (unsigned long long)max - 1);
	if (bad)
		return err_set(
			err, ZPV_ERR_FORMAT,
			"the kernel command line has the byte %#x at %td; only ASCII is taken",
			(unsigned int)(uint8_t)*bad, bad - text);
	return store(vm, PARM_CMDLINE, text, len, err);
}

/* RAM disk and command line, for what is a Linux kernel once it is in storage. */
static int load_parameters(struct vm *vm, uint64_t kernel_end, struct zpv_err *err)
{
	const struct vm_boot *boot = &vm->config.boot;
	uint8_t area[KERNEL_MAX_CMDLINE_ADDR + 8 - KERNEL_EP_MAGIC_ADDR];
	be64 max;
	int rc = 0;

	if (vm_read(vm, gaddr(KERNEL_EP_MAGIC_ADDR), area, sizeof(area)).code ||
	    memcmp(area, KERNEL_EP_MAGIC, strlen(KERNEL_EP_MAGIC)) != 0)
		return err_set(err, ZPV_ERR_FORMAT,
			       "'%s' is no Linux kernel: it takes neither a RAM disk nor a command "
			       "line (a Secure Execution image has them inside)",
			       boot->kernel);
	memcpy(&max, area + (KERNEL_MAX_CMDLINE_ADDR - KERNEL_EP_MAGIC_ADDR), sizeof(max));
	if (boot->ramdisk)
		rc = load_initrd(vm, kernel_end, err);
	if (!rc && boot->parmline)
		rc = load_parmline(vm, be64_get(max) ? be64_get(max) : KERNEL_DEFAULT_MAX_CMDLINE,
				   err);
	return rc;
}

int load_boot(struct vm *vm, uint64_t *mask, uint64_t *addr, struct zpv_err *err)
{
	const struct vm_boot *boot = &vm->config.boot;
	uint8_t head[KERNEL_HEAD_BYTES] = { 0 };
	AUTO_FD fd = open_file(boot->kernel, err);
	uint64_t size = 0;
	ssize_t n;
	int rc;

	if (fd < 0)
		return fd;
	n = io_pread_full(fd, head, sizeof(head), 0);
	if (n < 0)
		return err_errno(err, ZPV_ERR_IO, "cannot read '%s'", boot->kernel);
	if (n < 8)
		return err_set(err, ZPV_ERR_FORMAT, "'%s' has %zd bytes: nothing to boot",
			       boot->kernel, n);
	*mask = PSW_MASK_64BIT;
	*addr = KERNEL_ENTRY;
	if (n >= (ssize_t)sizeof(Elf64_Ehdr) && memcmp(head, ELFMAG, SELFMAG) == 0) {
		rc = load_elf(vm, fd, boot->kernel, head, addr, err);
	} else {
		rc = copy_file(vm, fd, boot->kernel, 0, 0, UINT64_MAX, &size, err);
		if (!rc && !is_linux(head, n))
			rc = short_psw(head, boot->kernel, mask, addr, err);
	}
	if (!rc && (boot->ramdisk || boot->parmline))
		rc = load_parameters(vm, size, err);
	return rc;
}
