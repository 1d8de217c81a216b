/* SPDX-License-Identifier: MIT */
/*
 * Ultravisor-call control blocks: command codes, layouts, response codes.
 *
 * Layout: ultravisor.md sections 1.1, 3 and 4 (public source: arch/s390/include/asm/uv.h, v6.12).
 * Reserved fields are named after their offset. The length of a command is the size of its block.
 */
#ifndef FORMATS_UVCB_H
#define FORMATS_UVCB_H

#include "be.h"

enum uv_command {
	UVC_QUERY = 0x0001,
	UVC_QUERY_KEYS = 0x0002,
	UVC_INIT = 0x000f,
	UVC_CREATE_CONFIG = 0x0100,
	UVC_DESTROY_CONFIG = 0x0101,
	UVC_DESTROY_CONFIG_FAST = 0x0102,
	UVC_CREATE_CPU = 0x0120,
	UVC_DESTROY_CPU = 0x0121,
	UVC_IMPORT = 0x0200,
	UVC_EXPORT = 0x0201,
	UVC_DESTROY_PAGE = 0x0202,
	UVC_VERIFY_LARGE_FRAME = 0x0203,
	UVC_SET_PARMS = 0x0300,
	UVC_UNPACK = 0x0301,
	UVC_VERIFY = 0x0302,
	UVC_CPU_RESET = 0x0310,
	UVC_CPU_RESET_INITIAL = 0x0311,
	UVC_PREPARE_RESET = 0x0320,
	UVC_CPU_RESET_CLEAR = 0x0321,
	UVC_SET_CPU_STATE = 0x0330,
	UVC_UNSHARE_ALL = 0x0340,
	UVC_PIN = 0x0341,
	UVC_UNPIN = 0x0342,
	UVC_DUMP_INIT = 0x0400,
	UVC_DUMP_STORAGE_STATE = 0x0401,
	UVC_DUMP_CPU = 0x0402,
	UVC_DUMP_COMPLETE = 0x0403,
	UVC_SHARE = 0x1000,
	UVC_UNSHARE = 0x1001,
	UVC_ATTEST = 0x1020,
	UVC_ADD_SECRET = 0x1031,
	UVC_LIST_SECRETS = 0x1033,
	UVC_LOCK_SECRETS = 0x1034,
	UVC_RETRIEVE_SECRET = 0x1035,
};

/* Response codes that mean the same in every command (section 1.2); the others are per command. */
enum uv_rc {
	UV_RC_EXECUTED = 0x0001,
	UV_RC_INVALID_COMMAND = 0x0002,
	UV_RC_INVALID_STATE = 0x0003,
	UV_RC_INVALID_LENGTH = 0x0005,
	UV_RC_CONFIG_HANDLE = 0x0020,
	UV_RC_CPU_HANDLE = 0x0021,
	UV_RC_REAL_SPACE = 0x0030,
	UV_RC_TRANSLATION = 0x0031,
	UV_RC_ABSOLUTE = 0x0032,
	UV_RC_MORE_DATA = 0x0100,
	UV_RC_DESTROY_NEEDED = 0x8000, /* a flag on errors of CREATE CONFIG: a handle was stored */
};

/* States of SET CPU STATE. */
enum uv_cpu_state {
	UV_CPU_OPERATING = 1,
	UV_CPU_STOPPED = 2,
	UV_CPU_CHECK_STOP = 3,
	UV_CPU_LOAD = 5,
};

struct uvcb {
	be16 len; /* 0x00  of the whole block */
	be16 cmd; /* 0x02  enum uv_command */
	be16 rc;  /* 0x04 */
	be16 rrc; /* 0x06 */
};
LAYOUT_SIZE(struct uvcb, 8);

#define UVCB_QUERY_MIN_BYTES 0xa8u

struct uvcb_query {
	struct uvcb head;
	uint8_t reserved08[8];	      /* 0x08 */
	be64 calls[4];		      /* 0x10  by bit number of the command */
	uint8_t reserved30[16];	      /* 0x30 */
	be64 base_stor_len;	      /* 0x40  donated by INIT */
	uint8_t reserved48[8];	      /* 0x48 */
	be64 config_base_stor_len;    /* 0x50 */
	be64 config_virt_base_len;    /* 0x58  fixed part of the variable storage */
	be64 config_virt_per_mib_len; /* 0x60 */
	be64 cpu_stor_len;	      /* 0x68  also the length of a DUMP CPU area */
	uint8_t reserved70[12];	      /* 0x70 */
	be32 max_configs;	      /* 0x7c */
	be64 max_guest_addr;	      /* 0x80 */
	uint8_t reserved88[22];	      /* 0x88 */
	be16 max_cpu_id;	      /* 0x9e */
	be64 features;		      /* 0xa0 */
	uint8_t reserveda8[8];	      /* 0xa8 */
	be64 hdr_versions;	      /* 0xb0 */
	be64 hdr_pcf;		      /* 0xb8 */
	uint8_t reservedc0[8];	      /* 0xc0 */
	be64 dump_per_mib_len;	      /* 0xc8 */
	be64 dump_complete_len;	      /* 0xd0 */
	uint8_t reservedd8[8];	      /* 0xd8 */
	be64 attest_versions;	      /* 0xe0 */
	be64 attest_flags;	      /* 0xe8 */
	uint8_t reservedf0[8];	      /* 0xf0 */
	be64 secret_versions;	      /* 0xf8 */
	be64 secret_flags;	      /* 0x100 */
	be64 secret_types;	      /* 0x108 */
	be16 max_assoc_secrets;	      /* 0x110 */
	be16 max_retr_secrets;	      /* 0x112 */
	uint8_t reserved114[12];      /* 0x114 */
};
LAYOUT_AT(struct uvcb_query, calls, 0x10);
LAYOUT_AT(struct uvcb_query, base_stor_len, 0x40);
LAYOUT_AT(struct uvcb_query, cpu_stor_len, 0x68);
LAYOUT_AT(struct uvcb_query, max_configs, 0x7c);
LAYOUT_AT(struct uvcb_query, max_cpu_id, 0x9e);
LAYOUT_AT(struct uvcb_query, hdr_versions, 0xb0);
LAYOUT_AT(struct uvcb_query, dump_per_mib_len, 0xc8);
LAYOUT_AT(struct uvcb_query, attest_versions, 0xe0);
LAYOUT_AT(struct uvcb_query, max_assoc_secrets, 0x110);
LAYOUT_SIZE(struct uvcb_query, 0x120);

#define UV_KEY_HASHES	  15u
#define UV_KEY_HASH_BYTES 32u

struct uvcb_query_keys {
	struct uvcb head;
	uint8_t reserved08[24];				/* 0x08 */
	uint8_t hash[UV_KEY_HASHES][UV_KEY_HASH_BYTES]; /* 0x20  host key, backup key, zeros */
};
LAYOUT_SIZE(struct uvcb_query_keys, 0x200);

struct uvcb_init {
	struct uvcb head;
	uint8_t reserved08[16]; /* 0x08 */
	be64 stor_origin;	/* 0x18  absolute */
	be64 stor_len;		/* 0x20 */
	uint8_t reserved28[32]; /* 0x28 */
};
LAYOUT_SIZE(struct uvcb_init, 0x48);

#define UV_CONFIG_FLAG_AP      0x0001u
#define UV_CONFIG_FLAG_AP_INTR 0x0002u

struct uvcb_create_config {
	struct uvcb head;
	uint8_t reserved08[16]; /* 0x08 */
	be64 handle;		/* 0x18  out */
	be64 base_stor_origin;	/* 0x20  absolute */
	be64 virt_stor_origin;	/* 0x28  home-space virtual */
	uint8_t reserved30[6];	/* 0x30 */
	be16 flags;		/* 0x36  UV_CONFIG_FLAG_* */
	be64 guest_origin;	/* 0x38  MSO */
	be64 guest_len;		/* 0x40 */
	be64 guest_sca;		/* 0x48  absolute */
	be64 guest_asce;	/* 0x50 */
	uint8_t reserved58[40]; /* 0x58 */
};
LAYOUT_AT(struct uvcb_create_config, flags, 0x36);
LAYOUT_SIZE(struct uvcb_create_config, 0x80);

struct uvcb_create_cpu {
	struct uvcb head;
	uint8_t reserved08[16]; /* 0x08 */
	be64 cpu_handle;	/* 0x18  out */
	be64 config_handle;	/* 0x20 */
	be64 stor_origin;	/* 0x28  absolute */
	uint8_t reserved30[6];	/* 0x30 */
	be16 num;		/* 0x36  CPU number */
	be64 state_origin;	/* 0x38  absolute address of the state description */
	uint8_t reserved40[32]; /* 0x40 */
};
LAYOUT_AT(struct uvcb_create_cpu, num, 0x36);
LAYOUT_SIZE(struct uvcb_create_cpu, 0x60);

/* IMPORT, UNPIN: a page of a configuration, by its address in the space of the guest ASCE. */
struct uvcb_gpage {
	struct uvcb head;
	uint8_t reserved08[16]; /* 0x08 */
	be64 config_handle;	/* 0x18 */
	be64 gaddr;		/* 0x20 */
};
LAYOUT_SIZE(struct uvcb_gpage, 0x28);

/* EXPORT, DESTROY PAGE, PIN: a frame, by its absolute address. */
struct uvcb_frame {
	struct uvcb head;
	uint8_t reserved08[16]; /* 0x08 */
	be64 paddr;		/* 0x18 */
};
LAYOUT_SIZE(struct uvcb_frame, 0x20);

struct uvcb_set_parms {
	struct uvcb head;
	uint8_t reserved08[16]; /* 0x08 */
	be64 config_handle;	/* 0x18 */
	be64 hdr_origin;	/* 0x20  home-space virtual */
	be32 hdr_len;		/* 0x28 */
	uint8_t reserved2c[36]; /* 0x2c */
};
LAYOUT_AT(struct uvcb_set_parms, hdr_len, 0x28);
LAYOUT_SIZE(struct uvcb_set_parms, 0x50);

struct uvcb_unpack {
	struct uvcb head;
	uint8_t reserved08[16]; /* 0x08 */
	be64 config_handle;	/* 0x18 */
	be64 gaddr;		/* 0x20  guest absolute */
	be64 tweak[2];		/* 0x28  prefix of the component, offset in it */
	uint8_t reserved38[24]; /* 0x38 */
};
LAYOUT_SIZE(struct uvcb_unpack, 0x50);

/* Commands of a configuration or a CPU without other operands. */
struct uvcb_handle {
	struct uvcb head;
	uint8_t reserved08[16]; /* 0x08 */
	be64 handle;		/* 0x18 */
	uint8_t reserved20[32]; /* 0x20 */
};
LAYOUT_SIZE(struct uvcb_handle, 0x40);

struct uvcb_destroy_fast {
	struct uvcb head;
	uint8_t reserved08[16]; /* 0x08 */
	be64 handle;		/* 0x18 */
	uint8_t reserved20[40]; /* 0x20 */
};
LAYOUT_SIZE(struct uvcb_destroy_fast, 0x48);

struct uvcb_cpu_state {
	struct uvcb head;
	uint8_t reserved08[16]; /* 0x08 */
	be64 cpu_handle;	/* 0x18 */
	uint8_t reserved20[7];	/* 0x20 */
	uint8_t state;		/* 0x27  enum uv_cpu_state */
	uint8_t reserved28[40]; /* 0x28 */
};
LAYOUT_AT(struct uvcb_cpu_state, state, 0x27);
LAYOUT_SIZE(struct uvcb_cpu_state, 0x50);

/* DUMP STORAGE STATE; with a CPU's handle and without gaddr DUMP CPU, without gaddr DUMP COMPLETE. */
struct uvcb_dump {
	struct uvcb head;
	uint8_t reserved08[16]; /* 0x08 */
	be64 handle;		/* 0x18 */
	be64 area_origin;	/* 0x20  home-space virtual: where the result goes */
	be64 gaddr;		/* 0x28  guest absolute, on 1 MiB */
	uint8_t reserved30[32]; /* 0x30 */
};
LAYOUT_SIZE(struct uvcb_dump, 0x50);

/* SHARE, UNSHARE of a guest. */
struct uvcb_share {
	struct uvcb head;
	uint8_t reserved08[24]; /* 0x08 */
	be64 paddr;		/* 0x20  guest absolute */
	uint8_t reserved28[8];	/* 0x28 */
};
LAYOUT_AT(struct uvcb_share, paddr, 0x20);
LAYOUT_SIZE(struct uvcb_share, 0x30);

#endif
