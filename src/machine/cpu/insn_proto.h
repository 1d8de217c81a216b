/* SPDX-License-Identifier: MIT */
/*
 * Prototypes of all handlers, out of the instruction table.
 */
#ifndef MACHINE_CPU_INSN_PROTO_H
#define MACHINE_CPU_INSN_PROTO_H

#include "handler.h"

#define INSN(opcode, mnemonic, format, facility, flags, handler) handler_fn h_##handler;
#include "insn.def"
#undef INSN

#endif
