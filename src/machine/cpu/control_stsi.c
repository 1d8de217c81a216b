// SPDX-License-Identifier: MIT
/*
 * System-information blocks. Text in them is EBCDIC, padded with blanks, except the UTF-8 name.
 */
#include "control_stsi.h"

#include <string.h>

#include "compiler.h"

#define EBCDIC_BLANK	 0x40
#define ENCODING_UTF8	 2
#define CAPABILITY	 1 /* any value but zero: not comparable with that of real machines */
#define CAPABILITY_WHOLE 1000
#define ALONE_PERCENT	 100

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

/* Configured CPUs are all there are. */
static void fill_counts(be16 *total, be16 *configured, unsigned int cpus)
{
	be16_set(total, (uint16_t)cpus);
	be16_set(configured, (uint16_t)cpus);
}

static void fill_machine(struct sysib_1_1_1 *b)
{
	TEXT(b->manufacturer, "IBM");
	TEXT(b->type, TYPE);
	TEXT(b->model_capacity, MODEL);
	TEXT(b->sequence, SEQUENCE);
	TEXT(b->plant, PLANT);
	TEXT(b->model, MODEL);
	TEXT(b->perm_capacity, MODEL);
	TEXT(b->temp_capacity, MODEL);
}

static void fill_cpu(struct sysib_1_2_1 *b, uint16_t cpu_addr)
{
	TEXT(b->sequence, SEQUENCE);
	TEXT(b->plant, PLANT);
	be16_set(&b->cpu_addr, cpu_addr);
}

static void fill_cpus(struct sysib_1_2_2 *b, unsigned int cpus)
{
	be32_set(&b->capability, CAPABILITY);
	fill_counts(&b->total, &b->configured, cpus);
	for (unsigned int i = 0; i + 1 < cpus && i < ARRAY_SIZE(b->adjustment); i++)
		be16_set(&b->adjustment[i], ALONE_PERCENT);
}

static void fill_lpar(struct sysib_2_2_2 *b, unsigned int cpus)
{
	be16_set(&b->number, 1);
	fill_counts(&b->total, &b->configured, cpus);
	TEXT(b->name, "ZPV");
	be32_set(&b->caf, CAPABILITY_WHOLE);
}

static void fill_vm(struct sysib_3_2_2 *b, const struct sysib_config *config)
{
	struct sysib_vm *vm = &b->vm[0];
	const char *name = config->name ? config->name : "KVMguest";

	b->count = 1;
	fill_counts(&vm->total, &vm->configured, config->cpus);
	TEXT(vm->name, name);
	be32_set(&vm->caf, CAPABILITY_WHOLE);
	TEXT(vm->control_program, "KVM/Linux");
	vm->ext_name_encoding = ENCODING_UTF8;
	if (config->uuid)
		memcpy(vm->uuid, config->uuid, sizeof(vm->uuid));
	strncpy((char *)b->ext_names[0], name, sizeof(b->ext_names[0]) - 1);
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
		fill_machine(block);
		return true;
	case 121:
	case 221:
		fill_cpu(block, config->cpu_addr);
		return true;
	case 122:
		fill_cpus(block, config->cpus);
		return true;
	case 222:
		fill_lpar(block, config->cpus);
		return true;
	case 322:
		fill_vm(block, config);
		return true;
	default:
		return false;
	}
}
