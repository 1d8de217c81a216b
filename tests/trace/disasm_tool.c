// SPDX-License-Identifier: MIT
/*
 * For disasm_test.py. `disasm_tool table` prints the rows of the instruction table and of the list
 * of absent ones; without an argument it reads lines "ADDRESS BYTES" in hexadecimal digits and
 * prints the text of each.
 */
#include <stdio.h>
#include <string.h>

#include "coverage.h"
#include "disasm.h"

static void print_table(void)
{
	struct machine_insn insn;

	for (size_t i = 0; machine_insn(i, &insn); i++)
		printf("%04x %s %s %u %s\n", insn.opcode, insn.mnemonic,
		       insn.format ? insn.format : "-", insn.facility,
		       insn.installed ? "installed" :
		       insn.why	      ? insn.why :
					"off");
}

static void read_hex(const char *hex, uint8_t bytes[6])
{
	unsigned int v;

	memset(bytes, 0, 6);
	for (size_t i = 0; i < 6 && sscanf(hex + 2 * i, "%2x", &v) == 1; i++)
		bytes[i] = (uint8_t)v;
}

int main(int argc, char **argv)
{
	char hex[32], text[DISASM_SIZE];
	unsigned long long addr;
	uint8_t bytes[6];

	if (argc == 2 && strcmp(argv[1], "table") == 0) {
		print_table();
		return 0;
	}
	while (scanf("%llx %31s", &addr, hex) == 2) {
		read_hex(hex, bytes);
		printf("%u %s\n", disasm(bytes, addr, text, sizeof(text)), text);
	}
	return 0;
}
