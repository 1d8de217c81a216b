/* SPDX-License-Identifier: MIT */
/*
 * System-information blocks: what STORE SYSTEM INFORMATION tells about the machine, its LPAR and
 * a virtual machine (PoP chapter 10, "STORE SYSTEM INFORMATION"; machine.md section 4).
 */
#ifndef MACHINE_CPU_CONTROL_STSI_H
#define MACHINE_CPU_CONTROL_STSI_H

#include <stdbool.h>
#include <stdint.h>

#include "sysib.h"

/* STORE CPU ID: version 0, identification 1, type 2817, format bit. */
#define SYSIB_CPU_ID 0x0000000128178000ull

/* Levels of a configuration, and function codes that describe them. */
enum sysib_level { SYSIB_LEVEL_MACHINE = 1, SYSIB_LEVEL_LPAR = 2, SYSIB_LEVEL_VM = 3 };

struct sysib_config {
	enum sysib_level level; /* of the program that asks: higher ones do not exist */
	unsigned int cpus;	/* configured in it */
	uint16_t cpu_addr;	/* of the CPU that asks */
	const char *name;	/* of the VM, ASCII; NULL: "KVMguest" */
	const uint8_t *uuid;	/* of the VM, 16 bytes; NULL: zeros */
};

/*
 * Makes the block of a function code (1-3) and selectors. Return: false when there is none, and
 * out is undefined; STSI then sets CC 3.
 */
bool sysib_fill(const struct sysib_config *config, unsigned int fc, unsigned int sel1,
		unsigned int sel2, uint8_t out[SYSIB_BYTES]);

#endif
