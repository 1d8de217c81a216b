/* SPDX-License-Identifier: MIT */
/*
 * System information blocks of STORE SYSTEM INFORMATION, 4 KiB each (PoP chapter 10; machine.md
 * section 4). Texts are EBCDIC, padded with blanks.
 */
#ifndef FORMATS_SYSIB_H
#define FORMATS_SYSIB_H

#include <stdint.h>

#include "be.h"

#define SYSIB_BYTES 4096u

/* Basic machine */
struct sysib_1_1_1 {
	uint8_t reserved0[32];
	uint8_t manufacturer[16]; /* 32 */
	uint8_t type[4];	  /* 48 */
	uint8_t reserved52[12];
	uint8_t model_capacity[16]; /* 64 */
	uint8_t sequence[16];	    /* 80 */
	uint8_t plant[4];	    /* 96 */
	uint8_t model[16];	    /* 100 */
	uint8_t perm_capacity[16];  /* 116 */
	uint8_t temp_capacity[16];  /* 132 */
	be32 ratings[3];	    /* 148  of model, permanent, temporary capacity */
};
LAYOUT_AT(struct sysib_1_1_1, type, 48);
LAYOUT_AT(struct sysib_1_1_1, sequence, 80);
LAYOUT_AT(struct sysib_1_1_1, model, 100);
LAYOUT_AT(struct sysib_1_1_1, temp_capacity, 132);
LAYOUT_AT(struct sysib_1_1_1, ratings, 148);

/* This CPU; 2.2.1 has the same places */
struct sysib_1_2_1 {
	uint8_t reserved0[80];
	uint8_t sequence[16]; /* 80 */
	uint8_t plant[4];     /* 96 */
	be16 cpu_id;	      /* 100  2.2.1 only */
	be16 cpu_addr;	      /* 102 */
};
LAYOUT_AT(struct sysib_1_2_1, cpu_addr, 102);

/* CPUs of the machine */
struct sysib_1_2_2 {
	uint8_t format; /* 0 */
	uint8_t reserved1;
	be16 acc_off; /* 2 */
	uint8_t reserved4[28];
	be32 capability;			   /* 32 */
	be16 total, configured, standby, reserved; /* 36 */
	be16 adjustment[238];			   /* 44  per cent, of 2 and more CPUs */
};
LAYOUT_AT(struct sysib_1_2_2, capability, 32);
LAYOUT_AT(struct sysib_1_2_2, reserved, 42);
LAYOUT_AT(struct sysib_1_2_2, adjustment, 44);

/* CPUs of the partition */
struct sysib_2_2_2 {
	uint8_t reserved0[32];
	be16 number; /* 32 */
	uint8_t reserved34;
	uint8_t characteristics;		   /* 35 */
	be16 total, configured, standby, reserved; /* 36 */
	uint8_t name[8];			   /* 44 */
	be32 caf;				   /* 52  capability adjustment factor */
};
LAYOUT_AT(struct sysib_2_2_2, name, 44);
LAYOUT_AT(struct sysib_2_2_2, caf, 52);

/* Virtual machines, the innermost first */
struct sysib_vm {
	uint8_t reserved0[4];
	be16 total, configured, standby, reserved; /* 4 */
	uint8_t name[8];			   /* 12 */
	be32 caf;				   /* 20 */
	uint8_t control_program[16];		   /* 24 */
	uint8_t reserved40[3];
	uint8_t ext_name_encoding; /* 43 */
	uint8_t reserved44[4];
	uint8_t uuid[16]; /* 48 */
};
LAYOUT_SIZE(struct sysib_vm, 64);

struct sysib_3_2_2 {
	uint8_t reserved0[31];
	uint8_t count;	       /* 31  low four bits */
	struct sysib_vm vm[8]; /* 32 */
	uint8_t reserved544[1504];
	uint8_t ext_names[8][256]; /* 2048 */
};
LAYOUT_AT(struct sysib_3_2_2, vm, 32);
LAYOUT_AT(struct sysib_3_2_2, ext_names, 2048);
LAYOUT_SIZE(struct sysib_3_2_2, SYSIB_BYTES);

#endif
