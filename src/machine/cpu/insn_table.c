// SPDX-License-Identifier: MIT
/*
 * The instruction table with its gates.
 *
 * A row whose flags ask for checks gets a gate: a function in front of the handler, made here from
 * the row. Rows without flags are dispatched directly.
 */
#include "insn.h"
#include "insn_proto.h"
#include "sie.h"

#define AFP_DXC	    2
#define FP_PAIR_BIT 2 /* 0, 1, 4, 5, 8, 9, 12, 13 begin a pair */

/* The checks of a row, in the order of their priority. flags is a constant. */
static inline void check(struct cpu *cpu, const struct slot *s, unsigned int flags,
			 const struct insn *insn)
{
	if (flags & PRIV && problem_state(cpu))
		RAISE(PGM_PRIVILEGED);
	if (flags & (SIE_ALWAYS | SIE_COND) && cpu->level == PIC_GUEST) {
		if (UNLIKELY(sie_owner(cpu)))
			sie_secure_insn(cpu, insn, s);
		else if (flags & SIE_ALWAYS || sie_intercepts(cpu, insn, s))
			sie_intercept_insn(cpu, s);
	}
	if (flags & AFP && !(cpu->cr[0] & CR0_AFP))
		cpu_data_exception(cpu, s, AFP_DXC);
	if ((flags & EVEN_R1 && s->r1 & 1) || (flags & EVEN_R2 && s->r2 & 1) ||
	    (flags & EVEN_R3 && s->r3 & 1) || (flags & FP_PAIR_R1 && s->r1 & FP_PAIR_BIT) ||
	    (flags & FP_PAIR_R2 && s->r2 & FP_PAIR_BIT))
		RAISE(PGM_SPECIFICATION);
}

enum {
#define INSN(opcode, mnemonic, format, facility, flags, handler) ROW_##opcode,
#include "insn.def"
#undef INSN
};

#define INSN(opcode, mnemonic, format, facility, flags, handler)                \
	static handler_ret gate_##opcode(struct cpu *cpu, const struct slot *s) \
	{                                                                       \
		check(cpu, s, (flags), &insn_table[ROW_##opcode]);              \
		CALL_HANDLER(h_##handler);                                      \
	}
#include "insn.def"
#undef INSN

const struct insn insn_table[] = {
#define INSN(opcode, mnemonic, format, facility, flags, handler) \
	{ opcode, facility, flags, FMT_##format, mnemonic, (flags) ? gate_##opcode : h_##handler },
#include "insn.def"
#undef INSN
	{ 0, 0, 0, 0, NULL, NULL },
};
