/* SPDX-License-Identifier: MIT */
/*
 * What the Ultravisor installs into the machine: the UVC instruction, and the parts of SIE for
 * protected guests (state descriptions of format 4, sie.md section 7) that are its own decisions.
 *
 * The machine knows no Ultravisor by name. It exchanges register files, checks frames by their
 * owner's number, and asks here. Functions are called on the thread of the CPU. Those that may leave
 * the instruction (by raising or by ending SIE) say so; they must hold no lock when they do.
 */
#ifndef MACHINE_SECURE_H
#define MACHINE_SECURE_H

#include <stdbool.h>
#include <stdint.h>

#include "machine.h"
#include "scb.h"

#define UVCB_ALIGN 8u

struct insn;
struct slot;

/* Registers that a format-4 SIE exchanges as a whole: the host gets its own back. */
struct register_file {
	uint64_t gr[16], fpr[16], vr_low[32], vr_high[16];
	uint32_t ar[16], fpc, reserved;
};

/* Everything about a protected guest CPU that the machine executes with. Lies in donated storage. */
struct secure_regs {
	struct register_file file;
	uint64_t psw_mask, psw_addr; /* the CC in the mask */
	uint64_t cr[16];
	uint64_t prefix, bea, ckc, timer, program_parameter;
	uint64_t epoch; /* what the guest's own SET CLOCK adds to the host's epoch */
	uint32_t todpr;
};

/* The guest of one SIE. owner 0: not a protected one, and nothing else is valid. */
struct secure_entry {
	uint32_t owner;		  /* of its frames: number of the configuration */
	void *cpu;		  /* the Ultravisor's object */
	struct secure_regs *regs; /* in the secure store */
	uint64_t mso, msl;	  /* as in a state description of format 2 */
	uint16_t number;	  /* CPU address */
	bool moved; /* ran on another host CPU before: what this one knows of it is old */
};

struct secure_ops {
	/*
	 * UVC by the host (level 1) or a protected guest (level 2). The operand is a logical
	 * address that is a multiple of 8. s: the instruction, NULL when a native host calls.
	 * Return: code 0 with *cc; or an access exception of the block. May end SIE.
	 */
	struct pic (*uvc)(void *uv, struct cpu *cpu, const struct slot *s, uint64_t uvcb,
			  unsigned int *cc);

	/*
	 * Entry of a state description of format 4, level still 1: all validity checks. Fills
	 * out and cpu->sie's SCA; from here to leave() the CPU counts as running.
	 */
	enum validity (*enter)(void *uv, struct cpu *cpu, struct scb_page *scb, uint64_t scb_addr,
			       struct secure_entry *out);

	/*
	 * Level 2, registers loaded, before the first instruction of this SIE and before any
	 * other request is honoured: prefix pages (interception 0x70), load of the PSW, completion
	 * of the last instruction interception, injection. May raise and may end SIE; what it has
	 * not done then is done at the next entry.
	 */
	void (*begin)(void *uv, struct cpu *cpu);

	/*
	 * A protected guest is about to execute an instruction that has SIE_ALWAYS or SIE_COND
	 * in the table; privilege has been checked. Returns when the ordinary handler is to
	 * execute it; else raises, ends SIE, or finishes it by sie_done().
	 */
	void (*insn)(void *uv, struct cpu *cpu, const struct insn *insn, const struct slot *s);

	/*
	 * SIE ends, registers are back in regs: stores what the host may see into the state
	 * description. icptcode 0: a host interruption or a kick. The CPU no longer runs.
	 */
	void (*leave)(void *uv, struct cpu *cpu, struct scb_page *scb, uint8_t icptcode);

	/* The host system is reset (by a reset of the machine): nothing is left of anything. */
	void (*reset)(void *uv);
	/* The machine goes away; its storage still exists. */
	void (*free)(void *uv);
};

/* Before any CPU executes. Installs facility 158. The machine owns uv from now on (ops->free). */
void machine_set_secure(struct machine *m, const struct secure_ops *ops, void *uv);

#endif
