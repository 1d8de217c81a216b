/* SPDX-License-Identifier: MIT */
/*
 * ELF core files of s390x: headers, and the notes of a CPU (pv-dump.md sections 4 and 9.3; public
 * sources: the ELF specification, arch/s390/include/uapi/asm/ptrace.h).
 */
#ifndef FORMATS_ELF_CORE_H
#define FORMATS_ELF_CORE_H

#include <stdint.h>

#include "be.h"

struct elf_header {
	uint8_t ident[16]; /* 0x00 */
	be16 type;	   /* 0x10 */
	be16 machine;	   /* 0x12 */
	be32 version;	   /* 0x14 */
	be64 entry;	   /* 0x18 */
	be64 phoff;	   /* 0x20 */
	be64 shoff;	   /* 0x28 */
	be32 flags;	   /* 0x30 */
	be16 ehsize;	   /* 0x34 */
	be16 phentsize;	   /* 0x36 */
	be16 phnum;	   /* 0x38  ELF_PN_XNUM: in sh_info of section 0 */
	be16 shentsize;	   /* 0x3a */
	be16 shnum;	   /* 0x3c */
	be16 shstrndx;	   /* 0x3e */
};
LAYOUT_SIZE(struct elf_header, 64);

struct elf_segment {
	be32 type;   /* 0x00 */
	be32 flags;  /* 0x04 */
	be64 offset; /* 0x08 */
	be64 vaddr;  /* 0x10 */
	be64 paddr;  /* 0x18 */
	be64 filesz; /* 0x20 */
	be64 memsz;  /* 0x28 */
	be64 align;  /* 0x30 */
};
LAYOUT_SIZE(struct elf_segment, 56);

struct elf_section {
	be32 name;	/* 0x00 */
	be32 type;	/* 0x04 */
	be64 flags;	/* 0x08 */
	be64 addr;	/* 0x10 */
	be64 offset;	/* 0x18 */
	be64 size;	/* 0x20 */
	be32 link;	/* 0x28 */
	be32 info;	/* 0x2c */
	be64 addralign; /* 0x30 */
	be64 entsize;	/* 0x38 */
};
LAYOUT_SIZE(struct elf_section, 64);

#define ELF_IDENT \
	"\x7f"    \
	"ELF\x02\x02\x01" /* 64 bits, big-endian, version 1 */
#define ELF_IDENT_BYTES	     7u
#define ELF_TYPE_CORE	     4
#define ELF_MACHINE_S390     22
#define ELF_VERSION	     1
#define ELF_PN_XNUM	     0xffffu
#define ELF_SEGMENT_LOAD     1
#define ELF_SEGMENT_NOTE     4
#define ELF_SEGMENT_RWX	     7
#define ELF_SECTION_NULL     0
#define ELF_SECTION_PROGBITS 1
#define ELF_SECTION_STRTAB   3

/* Sections of a dump of a protected guest. */
#define ELF_NAME_PV_MEM	     "pv_mem_meta"
#define ELF_NAME_PV_COMPLETE "pv_compl"
#define ELF_NAME_STRTAB	     ".shstrtab"

/* Header of a note; name and descriptor follow, each padded to 4 bytes. */
struct elf_note {
	be32 namesz, descsz, type;
};
LAYOUT_SIZE(struct elf_note, 12);

enum elf_note_type {
	NOTE_VMCOREINFO = 0, /* name "VMCOREINFO" */
	NOTE_PRSTATUS = 1,   /* name "CORE" */
	NOTE_FPREGSET = 2,   /* "CORE" */
	NOTE_PRPSINFO = 3,   /* "CORE" */
	NOTE_TIMER = 0x301,  /* "LINUX", as all that follow */
	NOTE_TODCMP = 0x302,
	NOTE_TODPREG = 0x303,
	NOTE_CTRS = 0x304,
	NOTE_PREFIX = 0x305,
	NOTE_VXRS_LOW = 0x309,
	NOTE_VXRS_HIGH = 0x30a,
	NOTE_GS_CB = 0x30b,
	NOTE_PV_CPU = 0x30e,
};
#define NOTE_NAME_CORE	     "CORE"
#define NOTE_NAME_LINUX	     "LINUX"
#define NOTE_NAME_VMCOREINFO "VMCOREINFO"

struct note_prstatus {
	uint8_t reserved000[32]; /* 0x000 */
	be32 pid;		 /* 0x020  number of the CPU, from 1 */
	uint8_t reserved024[76]; /* 0x024 */
	be64 psw_mask, psw_addr; /* 0x070 */
	be64 gr[16];		 /* 0x080 */
	be32 ar[16];		 /* 0x100 */
	uint8_t reserved140[16]; /* 0x140 */
};
LAYOUT_AT(struct note_prstatus, psw_mask, 0x70);
LAYOUT_AT(struct note_prstatus, ar, 0x100);
LAYOUT_SIZE(struct note_prstatus, 336);

struct note_fpregset {
	be32 fpc, reserved04;
	be64 fpr[16];
};
LAYOUT_SIZE(struct note_fpregset, 136);

struct note_gs_cb {
	be64 reserved00, gsd, gssm, gsepla;
};
LAYOUT_SIZE(struct note_gs_cb, 32);

struct note_prpsinfo {
	uint8_t reserved00;	/* 0x00 */
	uint8_t sname;		/* 0x01 */
	uint8_t reserved02[38]; /* 0x02 */
	uint8_t fname[16];	/* 0x28 */
	uint8_t reserved38[80]; /* 0x38 */
};
LAYOUT_SIZE(struct note_prpsinfo, 136);

/* The registers of one CPU, in the order of a note's fields; for writers and readers of notes. */
struct core_cpu {
	be64 gr[16], cr[16], fpr[16];
	be64 vr_low[16];     /* right halves of V0-V15 */
	be64 vr_high[16][2]; /* V16-V31 */
	be32 ar[16];
	be64 psw_mask, psw_addr;
	be64 timer, ckc;
	be32 fpc, prefix, todpr;
	be64 gsd, gssm, gsepla;
};

#endif
