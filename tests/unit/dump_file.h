/* SPDX-License-Identifier: MIT */
/*
 * A dump of a protected guest, built from a short description, in memory: what QEMU writes
 * (pv-dump.md section 4). A test changes some bytes of it and says what comes of that.
 */
#ifndef TESTS_UNIT_DUMP_FILE_H
#define TESTS_UNIT_DUMP_FILE_H

#include <zpv/dump.h>

#include "aes_gcm.h"
#include "aes_xts.h"
#include "elf_core.h"
#include "kdf.h"
#include "pv_dump.h"
#include "secret.h"
#include "unit.h"

#define DF_PAGE	    4096u
#define DF_MAX_LOAD 8
#define DF_BLOCK    0x1000u /* bytes of a CPU's note and of the completion data */

/* A segment; each page is a letter: e encrypted, s shared, S shared and mapped, z zero, Z and mapped. */
struct df_load {
	uint64_t addr;
	const char *pages;
	uint64_t more; /* bytes of zeros behind them that are not in the file */
};

struct df_spec {
	struct df_load loads[DF_MAX_LOAD]; /* up to pages NULL */
	size_t ncpus;
	bool plain;	    /* of a guest that is not protected: all pages as they are */
	bool by_addr;	    /* entries are numbered by address, holes included */
	uint16_t cpu_flags; /* PV_DUMP_OSII */
	size_t block;	    /* 0: DF_BLOCK */
};

struct df {
	uint8_t *data;
	size_t len;
	size_t phdrs, shdrs, notes, notes_len, memory, meta, meta_len, complete;
	size_t note_desc[4]; /* of the first CPUs' sealed states */
};

static const struct pv_dump_complete df_complete = {
	.version = { { 0, 0, 0, 1 } },
	.len = { { 0, 0, 1, 0x20 } },
};

/* Bytes that count up from a first one. */
static inline void df_count(uint8_t *to, size_t len, unsigned int first)
{
	for (size_t i = 0; i < len; i++)
		to[i] = (uint8_t)(first + i);
}

/* The known answers' values: CCK 00..1f, seed 40..7f, IV a0..ab, nonce f0..f7, keys 80..bf. */
static inline struct pv_dump_complete df_plain_complete(void)
{
	struct pv_dump_complete c = df_complete;

	df_count(c.seed, sizeof(c.seed), 0x40);
	df_count(c.iv, sizeof(c.iv), 0xa0);
	df_count(c.nonce + 8, 8, 0xf0);
	df_count(c.xts_key, sizeof(c.xts_key), 0x80);
	return c;
}

static inline struct secret *df_secret(size_t len, unsigned int first)
{
	struct secret *s = NULL;
	struct zpv_err err;

	row_ok("secret", secret_new(len, &s, &err), err);
	df_count(secret_data(s), len, first);
	return s;
}

static inline struct secret *df_dump_key(void)
{
	AUTO(secret) struct secret *cck = df_secret(PV_DUMP_KEY_BYTES, 0);
	const struct pv_dump_complete c = df_plain_complete();
	struct secret *key = NULL;
	struct zpv_err err;

	row_ok("hkdf",
	       hkdf(SHA_512, cck, c.seed, sizeof(c.seed), (const uint8_t *)PV_DUMP_HKDF_INFO,
		    strlen(PV_DUMP_HKDF_INFO), PV_DUMP_KEY_BYTES, &key, &err),
	       err);
	return key;
}

/* Seals a block whose encrypted part is plaintext: aad, text, tag. */
static inline void df_seal(const uint8_t *iv, uint8_t *block, size_t aad, size_t tag_at)
{
	AUTO(secret) struct secret *key = df_dump_key();
	struct zpv_err err;

	row_ok("seal",
	       aes_gcm_seal(key, iv, block, aad, block + aad, tag_at - aad, block + aad,
			    block + tag_at, &err),
	       err);
}

static inline void df_seal_complete(struct pv_dump_complete *c)
{
	df_seal(c->iv, (uint8_t *)c, PV_DUMP_COMPLETE_AAD_BYTES,
		offsetof(struct pv_dump_complete, tag));
}

static inline void df_seal_cpu(struct pv_dump_cpu *c)
{
	df_seal(c->iv, (uint8_t *)c, PV_DUMP_CPU_AAD_BYTES, offsetof(struct pv_dump_cpu, tag));
}

/* Registers of CPU i: each byte at offset o of the block is o + i, but for what has a meaning here. */
static inline struct pv_dump_cpu df_plain_cpu(size_t i, uint16_t flags)
{
	struct pv_dump_cpu c;

	df_count((uint8_t *)&c, sizeof(c), (unsigned int)i);
	be32_set(&c.version, PV_DUMP_VERSION);
	be32_set(&c.len, sizeof(c));
	df_count(c.iv, sizeof(c.iv), 0xb0 + (unsigned int)i);
	memset(c.reserved014, 0, sizeof(c.reserved014));
	be32_set(&c.prefix, (uint32_t)i * 0x2000);
	be16_set(&c.flags, flags);
	return c;
}

/* What a page of a guest holds: nothing, or a pattern of its address. */
static inline void df_page(uint8_t page[DF_PAGE], uint64_t addr, char kind)
{
	memset(page, 0, DF_PAGE);
	if (kind != 'z' && kind != 'Z')
		unit_pattern(page, DF_PAGE, (uint32_t)(addr / DF_PAGE) + 1);
}

static inline void *df_grow(struct df *f, size_t len)
{
	f->data = realloc(f->data, f->len + len);
	assert_non_null(f->data);
	memset(f->data + f->len, 0, len);
	f->len += len;
	return f->data + f->len - len;
}

static inline void df_note(struct df *f, const char *name, uint32_t type, const void *desc,
			   size_t len)
{
	struct elf_note h;
	size_t name_len = strlen(name) + 1;

	be32_set(&h.namesz, (uint32_t)name_len);
	be32_set(&h.descsz, (uint32_t)len);
	be32_set(&h.type, type);
	memcpy(df_grow(f, sizeof(h)), &h, sizeof(h));
	memcpy(df_grow(f, (name_len + 3) / 4 * 4), name, name_len);
	memcpy(df_grow(f, (len + 3) / 4 * 4), desc, len);
}

/* The notes of a CPU. In those of a protected guest the hypervisor's view is rubbish. */
static inline void df_cpu(struct df *f, const struct df_spec *spec, size_t i)
{
	static const struct {
		const char *name;
		uint32_t type;
		size_t len;
	} kinds[] = { { "CORE", NOTE_PRSTATUS, 336 },	{ "CORE", NOTE_FPREGSET, 136 },
		      { "LINUX", NOTE_PREFIX, 4 },	{ "LINUX", NOTE_CTRS, 128 },
		      { "LINUX", NOTE_TIMER, 8 },	{ "LINUX", NOTE_TODCMP, 8 },
		      { "LINUX", NOTE_TODPREG, 4 },	{ "LINUX", NOTE_VXRS_LOW, 128 },
		      { "LINUX", NOTE_VXRS_HIGH, 256 }, { "LINUX", NOTE_GS_CB, 32 } };
	size_t block_len = spec->block ? spec->block : DF_BLOCK;
	uint8_t desc[336];
	struct pv_dump_cpu c = df_plain_cpu(i, spec->cpu_flags);
	uint8_t *block;

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		df_count(desc, kinds[k].len, 0xee + (unsigned int)(k + i));
		df_note(f, kinds[k].name, kinds[k].type, desc, kinds[k].len);
	}
	if (spec->plain)
		return;
	df_seal_cpu(&c);
	block = calloc(1, block_len);
	assert_non_null(block);
	memcpy(block, &c, block_len < sizeof(c) ? block_len : sizeof(c));
	df_note(f, "LINUX", NOTE_PV_CPU, block, block_len);
	if (i < ARRAY_SIZE(f->note_desc))
		f->note_desc[i] = f->len - (block_len + 3) / 4 * 4;
	free(block);
}

/* A tweak component as no Ultravisor makes it twice. */
static inline struct pv_dump_entry df_entry(char kind, uint64_t addr)
{
	struct pv_dump_entry e = { .flags = kind == 'z' ? 1 :
					    kind == 'Z' ? 5 :
					    kind == 's' ? 2 :
							  6 };

	if (kind == 'e')
		unit_pattern((uint8_t *)&e, sizeof(e), (uint32_t)(addr / DF_PAGE) + 77);
	else
		memset(&e.mark, 0xff, sizeof(e.mark));
	return e;
}

static inline void df_encrypt(uint8_t page[DF_PAGE], const struct pv_dump_entry *e)
{
	AUTO(secret) struct secret *key = df_secret(XTS_KEY_BYTES, 0x80);
	AUTO(xts) struct xts *x = NULL;
	const struct pv_dump_complete c = df_plain_complete();
	uint8_t tweak[16];
	be64 half[2];
	struct zpv_err err;

	for (size_t i = 0; i < sizeof(tweak); i++)
		tweak[i] = ((const uint8_t *)e)[i] | c.nonce[i];
	memcpy(half, tweak, sizeof(half));
	row_ok("xts", xts_new(key, XTS_ENCRYPT, &x, &err), err);
	row_ok("xts", xts_pages(x, be64_get(half[0]), be64_get(half[1]), page, page, 1, &err), err);
}

static inline void df_memory(struct df *f, const struct df_spec *spec, struct pv_dump_entry *meta)
{
	size_t n = 0;

	for (const struct df_load *l = spec->loads; l->pages; l++) {
		for (size_t i = 0; l->pages[i]; i++, n++) {
			uint64_t addr = l->addr + i * DF_PAGE;
			struct pv_dump_entry e = df_entry(l->pages[i], addr);
			uint8_t *page = df_grow(f, DF_PAGE);

			df_page(page, addr, l->pages[i]);
			if (!spec->plain && l->pages[i] == 'e')
				df_encrypt(page, &e);
			/* The file may hold anything for a zero page. */
			if (!spec->plain && l->pages[i] == 'z')
				memset(page, 0x33, DF_PAGE);
			meta[spec->by_addr ? addr / DF_PAGE : n] = e;
		}
	}
}

static inline size_t df_count_entries(const struct df_spec *spec, size_t *nloads)
{
	size_t n = 0;

	*nloads = 0;
	for (const struct df_load *l = spec->loads; l->pages; l++, ++*nloads) {
		if (spec->by_addr)
			n = (size_t)(l->addr / DF_PAGE) + strlen(l->pages);
		else
			n += strlen(l->pages);
	}
	return n;
}

static inline void df_phdrs(struct df *f, const struct df_spec *spec)
{
	struct elf_segment *s = (struct elf_segment *)(void *)(f->data + f->phdrs);
	uint64_t off = f->memory;

	be32_set(&s->type, ELF_SEGMENT_NOTE);
	be64_set(&s->offset, f->notes);
	be64_set(&s->filesz, f->notes_len);
	be64_set(&s->memsz, f->notes_len);
	for (const struct df_load *l = spec->loads; l->pages; l++) {
		uint64_t len = strlen(l->pages) * DF_PAGE;

		s++;
		be32_set(&s->type, ELF_SEGMENT_LOAD);
		be64_set(&s->offset, off);
		be64_set(&s->vaddr, l->addr);
		be64_set(&s->paddr, l->addr);
		be64_set(&s->filesz, len);
		be64_set(&s->memsz, len + l->more);
		off += len;
	}
}

static inline void df_section(struct elf_section *s, uint32_t name, uint32_t type, size_t off,
			      size_t len)
{
	be32_set(&s->name, name);
	be32_set(&s->type, type);
	be64_set(&s->offset, off);
	be64_set(&s->size, len);
}

static inline void df_header(struct df *f, size_t phnum, size_t shnum)
{
	struct elf_header h = { 0 };

	memcpy(h.ident, ELF_IDENT, ELF_IDENT_BYTES);
	be16_set(&h.type, ELF_TYPE_CORE);
	be16_set(&h.machine, ELF_MACHINE_S390);
	be32_set(&h.version, 1);
	be64_set(&h.phoff, f->phdrs);
	be64_set(&h.shoff, f->shdrs);
	be16_set(&h.ehsize, 8);
	be16_set(&h.phentsize, sizeof(struct elf_segment));
	be16_set(&h.phnum, (uint16_t)phnum);
	be16_set(&h.shentsize, sizeof(struct elf_section));
	be16_set(&h.shnum, (uint16_t)shnum);
	be16_set(&h.shstrndx, (uint16_t)(shnum - 1));
	memcpy(f->data, &h, sizeof(h));
}

static inline void df_sections(struct df *f, bool plain)
{
	static const char plain_names[] = "\0.shstrtab";
	static const char names[] = "\0pv_mem_meta\0pv_compl\0\0\0\0.shstrtab";
	size_t len = plain ? sizeof(plain_names) : sizeof(names), at;
	struct pv_dump_complete c = df_plain_complete();
	struct elf_section *s;

	if (!plain) {
		df_seal_complete(&c);
		f->complete = f->len;
		memcpy(df_grow(f, DF_BLOCK), &c, sizeof(c));
	}
	at = f->len;
	memcpy(df_grow(f, len), plain ? plain_names : names, len);
	s = (struct elf_section *)(void *)(f->data + f->shdrs);
	if (plain) {
		df_section(s + 1, 1, ELF_SECTION_STRTAB, at, len);
		return;
	}
	df_section(s + 1, 1, ELF_SECTION_PROGBITS, f->meta, f->meta_len);
	df_section(s + 2, 13, ELF_SECTION_PROGBITS, f->complete, DF_BLOCK);
	df_section(s + 3, 25, ELF_SECTION_STRTAB, at, len);
}

static inline void df_free(struct df *f)
{
	free(f->data);
}
#define AUTO_DF __attribute__((cleanup(df_free))) struct df

static inline struct df df_build(const struct df_spec *spec)
{
	struct df f = { 0 };
	size_t shnum = spec->plain ? 2 : 4, nloads, n = df_count_entries(spec, &nloads);
	struct pv_dump_entry *meta = calloc(n + 1, sizeof(*meta));

	assert_non_null(meta);
	for (size_t i = 0; i < n; i++) /* of holes */
		meta[i] = df_entry('z', 0);
	df_grow(&f, sizeof(struct elf_header));
	f.shdrs = f.len;
	df_grow(&f, shnum * sizeof(struct elf_section));
	f.phdrs = f.len;
	df_grow(&f, (1 + nloads) * sizeof(struct elf_segment));
	f.notes = f.len;
	for (size_t i = 0; i < spec->ncpus; i++)
		df_cpu(&f, spec, i);
	f.notes_len = f.len - f.notes;
	f.memory = f.len;
	df_memory(&f, spec, meta);
	f.meta = f.len;
	f.meta_len = spec->plain ? 0 : n * sizeof(*meta);
	memcpy(df_grow(&f, f.meta_len), meta, f.meta_len);
	free(meta);
	df_sections(&f, spec->plain);
	df_phdrs(&f, spec);
	df_header(&f, 1 + nloads, shnum);
	return f;
}

static inline struct elf_section *df_shdr(struct df *f, size_t i)
{
	return (struct elf_section *)(void *)(f->data + f->shdrs) + i;
}

static inline struct elf_segment *df_phdr(struct df *f, size_t i)
{
	return (struct elf_segment *)(void *)(f->data + f->phdrs) + i;
}

static inline struct elf_header *df_ehdr(struct df *f)
{
	return (struct elf_header *)(void *)f->data;
}

/* Writes the dump and its key into the test's folder: "dump", "cck". */
static inline void df_write(void *const *state, const struct df *f)
{
	uint8_t cck[PV_DUMP_KEY_BYTES];

	df_count(cck, sizeof(cck), 0);
	unit_write(unit_in(state, "dump").s, f->data, f->len);
	unit_write(unit_in(state, "cck").s, cck, sizeof(cck));
}

#endif
