/* SPDX-License-Identifier: MIT */
/*
 * Control blocks of the service element: header, read SCP info, read CPU info, events.
 *
 * Layout: machine.md section 7 (public sources: Linux drivers/s390/char/sclp*.h, QEMU hw/s390x).
 */
#ifndef FORMATS_SCCB_H
#define FORMATS_SCCB_H

#include <stdint.h>

#include "be.h"

#define SCLP_READ_SCP_INFO	  0x00020001u
#define SCLP_READ_SCP_INFO_FORCED 0x00120001u
#define SCLP_READ_CPU_INFO	  0x00010001u
#define SCLP_WRITE_EVENT_MASK	  0x00780005u
#define SCLP_WRITE_EVENT_DATA	  0x00760005u
#define SCLP_READ_EVENT_DATA	  0x00770005u
#define SCLP_COMMAND_MASK	  0xffff00ffu

enum sclp_response {
	SCLP_READ_DONE = 0x0010,
	SCLP_NORMAL = 0x0020,
	SCLP_BOUNDARY = 0x0100,
	SCLP_INVALID_COMMAND = 0x01f0,
	SCLP_MORE_EVENTS = 0x0220,
	SCLP_SHORT = 0x0300,
	SCLP_INVALID_FUNCTION = 0x40f0,
	SCLP_NO_EVENTS = 0x60f0,
	SCLP_INVALID_SELECTION = 0x70f0,
	SCLP_LENGTHS = 0x72f0,
	SCLP_BUFFER_SYNTAX = 0x73f0,
	SCLP_MASK_LENGTH = 0x74f0,
};

#define SCCB_MAX_BYTES 4096u

struct sccb_header {
	be16 len;	    /* 0  of the whole block */
	uint8_t function;   /* 2 */
	uint8_t control[3]; /* 3  byte 5 bit 0: variable-length response */
	be16 response;	    /* 6 */
};
LAYOUT_SIZE(struct sccb_header, 8);
#define SCCB_VARIABLE 0x80u

struct sccb_cpu_entry {
	uint8_t core_id;      /* 0 */
	uint8_t reserved1;    /* 1 */
	uint8_t features[12]; /* 2 */
	uint8_t type;	      /* 14 */
	uint8_t reserved15;   /* 15 */
};
LAYOUT_SIZE(struct sccb_cpu_entry, 16);

struct sccb_scp_info {
	struct sccb_header header; /* 0 */
	be16 rnmax;		   /* 8  storage increments */
	uint8_t rnsize;		   /* 10  MiB each */
	uint8_t reserved11[5];	   /* 11 */
	be16 ncpurl;		   /* 16  CPU entries */
	be16 cpuoff;		   /* 18  where they begin */
	uint8_t reserved20[4];	   /* 20 */
	uint8_t loadparm[8];	   /* 24  EBCDIC */
	uint8_t reserved32[16];	   /* 32 */
	be64 facilities;	   /* 48 */
	uint8_t reserved56[29];	   /* 56 */
	uint8_t flags85;	   /* 85 */
	uint8_t reserved86[14];	   /* 86 */
	be32 rnsize2;		   /* 100 */
	be64 rnmax2;		   /* 104 */
	uint8_t reserved112[8];	   /* 112 */
	be16 hcpua;		   /* 120  highest CPU address */
	uint8_t reserved122[6];	   /* 122 */
};
LAYOUT_SIZE(struct sccb_scp_info, 128);
LAYOUT_AT(struct sccb_scp_info, facilities, 48);
LAYOUT_AT(struct sccb_scp_info, flags85, 85);
LAYOUT_AT(struct sccb_scp_info, rnsize2, 100);
LAYOUT_AT(struct sccb_scp_info, hcpua, 120);

#define SCP_FACILITY_CPU_INFO 0x0800000000000000ull
#define SCP_FLAGS85_ESOP      0x02u

struct sccb_cpu_info {
	struct sccb_header header; /* 0 */
	be16 configured;	   /* 8 */
	be16 configured_off;	   /* 10 */
	be16 standby;		   /* 12 */
	be16 standby_off;	   /* 14 */
	uint8_t reserved16[8];	   /* 16 */
};
LAYOUT_SIZE(struct sccb_cpu_info, 24);

/* Masks follow: CP receive, CP send, SCLP receive, SCLP send, each mask_len bytes. */
struct sccb_event_mask {
	struct sccb_header header; /* 0 */
	uint8_t reserved8[2];	   /* 8 */
	be16 mask_len;		   /* 10 */
};
LAYOUT_SIZE(struct sccb_event_mask, 12);

struct sclp_event {
	be16 len;	/* 0  with this header */
	uint8_t type;	/* 2 */
	uint8_t flags;	/* 3 */
	be16 reserved4; /* 4 */
};
LAYOUT_SIZE(struct sclp_event, 6);
#define SCLP_EVENT_ACCEPTED 0x80u

enum sclp_event_type {
	SCLP_EVENT_OPERATOR = 0x01,
	SCLP_EVENT_MESSAGE = 0x02,
	SCLP_EVENT_VT220 = 0x1a,
	SCLP_EVENT_QUIESCE = 0x1d,
};

/* Masks as 64 bits: type t is bit t - 1 from the left. */
#define SCLP_MASK(type) BIT64((type)-1)

/* Line-mode output: MDB, then objects. */
struct sclp_mdb {
	be16 len, type; /* type 1 */
	uint8_t tag[4]; /* "MDB " in EBCDIC */
	be32 revision;
};
LAYOUT_SIZE(struct sclp_mdb, 12);

struct sclp_mdb_object {
	be16 len, type; /* 1 general object, 4 message text */
};
#define SCLP_OBJECT_TEXT 4

struct sclp_mto {
	struct sclp_mdb_object object;
	be16 line_flags;
	uint8_t alarm;
	uint8_t reserved7[3];
};
LAYOUT_SIZE(struct sclp_mto, 10);

#endif
