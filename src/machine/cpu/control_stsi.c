// SPDX-License-Identifier: MIT
/*
 * System-information blocks. Text in them is EBCDIC, padded with blanks, except the UTF-8 name.
 */
#include "control_stsi.h"

#include <string.h>

#include "be.h"

#define EBCDIC_BLANK	 0x40
#define ENCODING_UTF8	 2
#define CAPABILITY	 1 /* any value but zero: not comparable with that of real machines */
#define CAPABILITY_WHOLE 1000
#define ALONE_PERCENT	 100
#define NAME_BYTES	 256

struct sysib_111 {
	uint8_t reserved00[32];
	uint8_t manufacturer[16]; /* 32 */
	uint8_t type[4];	  /* 48 */
	uint8_t reserved52[12];
	uint8_t model_capacity[16]; /* 64 */
	uint8_t sequence[16];	    /* 80 */
	uint8_t plant[4];	    /* 96 */
	uint8_t model[16];	    /* 100 */
	uint8_t permanent[16];	    /* 116 */
	uint8_t temporary[16];	    /* 132 */
	be32 ratings[3];	    /* 148 */
};
LAYOUT_AT(struct sysib_111, type, 48);
LAYOUT_AT(struct sysib_111, model, 100);
LAYOUT_AT(struct sysib_111, ratings, 148);

/* 1.2.1 and 2.2.1: one CPU. */
struct sysib_121 {
	uint8_t reserved00[80];
	uint8_t sequence[16]; /* 80 */
	uint8_t plant[4];     /* 96 */
	be16 cpu_id;	      /* 100  2.2.1 only */
	be16 cpu_addr;	      /* 102 */
};
LAYOUT_AT(struct sysib_121, cpu_addr, 102);

struct sysib_counts {
	be16 total, configured, standby, reserved;
};

struct sysib_122 {
	uint8_t format;
	uint8_t reserved01;
	be16 acc_offset;
	uint8_t reserved04[28];
	be32 capability;	    /* 32 */
	struct sysib_counts counts; /* 36 */
	be16 adjustment[238];	    /* 44  per cent, of 2 and more CPUs */
};
LAYOUT_AT(struct sysib_122, capability, 32);
LAYOUT_AT(struct sysib_122, adjustment, 44);

struct sysib_222 {
	uint8_t reserved00[32];
	be16 lpar; /* 32 */
	uint8_t reserved34;
	uint8_t characteristics;    /* 35 */
	struct sysib_counts counts; /* 36 */
	uint8_t name[8];	    /* 44 */
	be32 caf;		    /* 52  capability adjustment factor, per mille */
};
LAYOUT_AT(struct sysib_222, counts, 36);
LAYOUT_AT(struct sysib_222, caf, 52);

struct sysib_vm {
	uint8_t reserved00[4];
	struct sysib_counts counts;  /* +4 */
	uint8_t name[8];	     /* +12 */
	be32 caf;		     /* +20 */
	uint8_t control_program[16]; /* +24 */
	uint8_t reserved40[3];
	uint8_t name_encoding; /* +43 */
	uint8_t reserved44[4];
	uint8_t uuid[16]; /* +48 */
};
LAYOUT_SIZE(struct sysib_vm, 64);
LAYOUT_AT(struct sysib_vm, name_encoding, 43);

struct sysib_322 {
	uint8_t reserved00[31];
	uint8_t count; /* 31 */
	struct sysib_vm vm[8];
	uint8_t reserved544[1504];
	uint8_t names[8][NAME_BYTES]; /* 2048 */
};
LAYOUT_AT(struct sysib_322, vm, 32);
LAYOUT_AT(struct sysib_322, names, 2048);

/* Code page 037 of the characters that names are made of. */
static uint8_t ebcdic(char c)
{
	if (c >= '0' && c <= '9')
		return (uint8_t)(0xf0 + c - '0');
	if (c == '/')
		return 0x61;
	if (c == '-')
		return 0x60;
	if (c == '_')
		return 0x6d;
	if (c == '.')
		return 0x4b;
	if ((c | 0x20) < 'a' || (c | 0x20) > 'z')
		return EBCDIC_BLANK;
	static const char letters[] = "abcdefghi.......jklmnopqr........stuvwxyz";
	const char *at = strchr(letters, c | 0x20);

	return (uint8_t)((c & 0x20 ? 0x81 : 0xc1) + (at - letters));
}

static void text(uint8_t *to, size_t size, const char *from)
{
	memset(to, EBCDIC_BLANK, size);
	for (size_t i = 0; i < size && from[i]; i++)
		to[i] = ebcdic(from[i]);
}
#define TEXT(field, from) text(field, sizeof(field), from)

#define TYPE	 "2817"
#define MODEL	 "M15"
#define SEQUENCE "0000000000000001"
#define PLANT	 "00"

static void fill_counts(struct sysib_counts *c, unsigned int cpus)
{
	be16_set(&c->total, (uint16_t)cpus);
	be16_set(&c->configured, (uint16_t)cpus);
}

static void fill_111(struct sysib_111 *b)
{
	TEXT(b->manufacturer, "IBM");
	TEXT(b->type, TYPE);
	TEXT(b->model_capacity, MODEL);
	TEXT(b->sequence, SEQUENCE);
	TEXT(b->plant, PLANT);
	TEXT(b->model, MODEL);
	TEXT(b->permanent, MODEL);
	TEXT(b->temporary, MODEL);
}

static void fill_cpu(struct sysib_121 *b, uint16_t cpu_addr)
{
	TEXT(b->sequence, SEQUENCE);
	TEXT(b->plant, PLANT);
	be16_set(&b->cpu_addr, cpu_addr);
}

static void fill_122(struct sysib_122 *b, unsigned int cpus)
{
	be32_set(&b->capability, CAPABILITY);
	fill_counts(&b->counts, cpus);
	for (unsigned int i = 0; i + 1 < cpus && i < sizeof(b->adjustment) / 2; i++)
		be16_set(&b->adjustment[i], ALONE_PERCENT);
}

static void fill_222(struct sysib_222 *b, unsigned int cpus)
{
	be16_set(&b->lpar, 1);
	fill_counts(&b->counts, cpus);
	TEXT(b->name, "ZPV");
	be32_set(&b->caf, CAPABILITY_WHOLE);
}

static void fill_322(struct sysib_322 *b, const struct sysib_config *config)
{
	struct sysib_vm *vm = &b->vm[0];
	const char *name = config->name ? config->name : "KVMguest";

	b->count = 1;
	fill_counts(&vm->counts, config->cpus);
	TEXT(vm->name, name);
	be32_set(&vm->caf, CAPABILITY_WHOLE);
	TEXT(vm->control_program, "KVM/Linux");
	vm->name_encoding = ENCODING_UTF8;
	if (config->uuid)
		memcpy(vm->uuid, config->uuid, sizeof(vm->uuid));
	strncpy((char *)b->names[0], name, NAME_BYTES - 1);
}

bool sysib_fill(const struct sysib_config *config, unsigned int fc, unsigned int sel1,
		unsigned int sel2, uint8_t out[SYSIB_BYTES])
{
	void *block = out;

	memset(out, 0, SYSIB_BYTES);
	if (fc > config->level || sel1 > 9 || sel2 > 9)
		return false;
	switch (fc * 100 + sel1 * 10 + sel2) {
	case 111:
		fill_111(block);
		return true;
	case 121:
	case 221:
		fill_cpu(block, config->cpu_addr);
		return true;
	case 122:
		fill_122(block, config->cpus);
		return true;
	case 222:
		fill_222(block, config->cpus);
		return true;
	case 322:
		fill_322(block, config);
		return true;
	default:
		return false;
	}
}
