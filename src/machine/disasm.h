/* SPDX-License-Identifier: MIT */
/*
 * An instruction as text, in the notation of binutils and with base mnemonics only: brc 8, not je.
 */
#ifndef MACHINE_DISASM_H
#define MACHINE_DISASM_H

#include <stddef.h>
#include <stdint.h>

#define DISASM_SIZE 64 /* enough for every instruction */

/*
 * Text of the instruction in bytes, which lies at addr (for relative operands). What is not
 * installed is .long and .short. Return: length of the instruction in bytes.
 */
unsigned int disasm(const uint8_t bytes[6], uint64_t addr, char *text, size_t size);

#endif
