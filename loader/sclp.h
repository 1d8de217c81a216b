/* SPDX-License-Identifier: MIT */
/*
 * SCLP: layouts of the control blocks for console output, and how a command is executed.
 *
 * machine.md section 7. Integers are big-endian, as everything on this machine.
 */
#ifndef LOADER_SCLP_H
#define LOADER_SCLP_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "layout.h"

enum sclp_cmd {
	SCLP_WRITE_EVENT_DATA = 0x00760005,
	SCLP_WRITE_EVENT_MASK = 0x00780005,
};

enum sclp_event {
	SCLP_EVENT_MESSAGE = 0x02, /* line mode console */
	SCLP_EVENT_VT220 = 0x1a,   /* ASCII console */
};

#define SCLP_EVENT_BIT(type) (1u << (32 - (type)))

struct sccb_header {
	uint16_t len;	    /* 0x00 */
	uint8_t function;   /* 0x02 */
	uint8_t control[3]; /* 0x03 */
	uint16_t response;  /* 0x06 */
};
static_assert(sizeof(struct sccb_header) == 8, "sccb_header");

struct sccb_event_mask {
	struct sccb_header header; /* 0x00 */
	uint16_t reserved08;
	uint16_t mask_len;     /* 0x0a  bytes of each mask */
	uint32_t cp_receive;   /* 0x0c */
	uint32_t cp_send;      /* 0x10 */
	uint32_t sclp_receive; /* 0x14  set by SCLP */
	uint32_t sclp_send;    /* 0x18  set by SCLP */
};
static_assert(offsetof(struct sccb_event_mask, mask_len) == 0x0a, "sccb_event_mask");
static_assert(offsetof(struct sccb_event_mask, cp_send) == 0x10, "sccb_event_mask");
static_assert(sizeof(struct sccb_event_mask) == 0x1c, "sccb_event_mask");

struct event_header {
	uint16_t len;  /* 0x00  of the event buffer */
	uint8_t type;  /* 0x02  enum sclp_event */
	uint8_t flags; /* 0x03 */
	uint16_t reserved04;
};
static_assert(sizeof(struct event_header) == 6, "event_header");

struct sccb_vt220 {
	struct sccb_header header; /* 0x00 */
	struct event_header event; /* 0x08 */
	char text[];		   /* 0x0e  ASCII */
};
static_assert(offsetof(struct sccb_vt220, text) == 0x0e, "sccb_vt220");

/* Packed: the event data begins two bytes off a fullword boundary. */
struct mdb_header {
	uint16_t len;	   /* 0x00  of the message data block */
	uint16_t type;	   /* 0x02  1 */
	uint32_t tag;	   /* 0x04  "MDB " in EBCDIC */
	uint32_t revision; /* 0x08  1 */
} __attribute__((packed));
static_assert(sizeof(struct mdb_header) == 12, "mdb_header");

/* General object: a time stamp and names, which may be left empty. */
struct mdb_general {
	uint16_t len;  /* 0x00 */
	uint16_t type; /* 0x02  MDB_GENERAL */
	uint8_t reserved04[52];
} __attribute__((packed));
static_assert(sizeof(struct mdb_general) == 56, "mdb_general");

/* Message text object: one line. */
struct mdb_text {
	uint16_t len;	     /* 0x00  including the text */
	uint16_t type;	     /* 0x02  MDB_TEXT */
	uint16_t line_flags; /* 0x04 */
	uint8_t alarm;	     /* 0x06 */
	uint8_t reserved07[3];
	uint8_t text[]; /* 0x0a  EBCDIC */
} __attribute__((packed));
static_assert(offsetof(struct mdb_text, text) == 0x0a, "mdb_text");

#define MDB_TYPE	     1
#define MDB_TAG		     0xd4c4c240
#define MDB_REVISION	     1
#define MDB_GENERAL	     1
#define MDB_TEXT	     4
#define MDB_LINE_END_OF_TEXT 0x1000

struct sccb_message {
	struct sccb_header header;  /* 0x00 */
	struct event_header event;  /* 0x08 */
	struct mdb_header mdb;	    /* 0x0e */
	struct mdb_general general; /* 0x1a */
	struct mdb_text text;	    /* 0x52 */
};
static_assert(offsetof(struct sccb_message, mdb) == 0x0e, "sccb_message");
static_assert(offsetof(struct sccb_message, general) == 0x1a, "sccb_message");
static_assert(offsetof(struct sccb_message, text) == 0x52, "sccb_message");

/* The SCCB page, cleared; there is one, and a command is complete before the next one starts. */
void *sclp_sccb(void);

/**
 * sclp_execute() - execute a command with the SCCB and wait until it is complete
 * Return: the response code; 0 if there is no SCLP
 */
uint16_t sclp_execute(enum sclp_cmd cmd);

#endif
