// SPDX-License-Identifier: MIT
/*
 * Loads and stores of vector registers (PoP chapter 21). The left halves of V0-V15 are the
 * floating-point registers.
 */
#include "insn_proto.h"

#define CR0_VECTOR BIT64(46)
#define DXC_VECTOR 0xfe
#define VR_BYTES   16u
#define VLM_MAX	   16u

/* Vector instructions need CR0.46; without it a data exception with DXC FE. */
static void check_enabled(struct cpu *cpu, const struct slot *s)
{
	if (!(cpu->cr[0] & CR0_VECTOR))
		cpu_data_exception(cpu, s, DXC_VECTOR);
}

static uint64_t *left_half(struct cpu *cpu, unsigned int n)
{
	return n < 16 ? &cpu->fpr[n] : &cpu->vr_high[n - 16];
}

/* Copies between an operand of up to two pieces and a buffer. */
static void copy_span(const struct span *span, uint8_t *bytes, bool store)
{
	for (unsigned int i = 0; i < 2; i++) {
		if (store)
			memcpy(span->p[i], bytes, span->n[i]);
		else
			memcpy(bytes, span->p[i], span->n[i]);
		bytes += span->n[i];
		if (!span->n[1])
			return;
	}
}

static void load_registers(struct cpu *cpu, const struct slot *s, uint64_t va, unsigned int first,
			   unsigned int count)
{
	uint64_t bytes[2 * VLM_MAX];
	struct span span;

	mem_span(cpu, s, va, count * VR_BYTES, ACCESS_READ, &span);
	copy_span(&span, (uint8_t *)bytes, false);
	for (unsigned int i = 0; i < count; i++) {
		*left_half(cpu, first + i) = swap64(bytes[2 * i]);
		cpu->vr_low[first + i] = swap64(bytes[2 * i + 1]);
	}
}

static void store_registers(struct cpu *cpu, const struct slot *s, uint64_t va, unsigned int first,
			    unsigned int count)
{
	uint64_t bytes[2 * VLM_MAX];
	struct span span;

	for (unsigned int i = 0; i < count; i++) {
		bytes[2 * i] = swap64(*left_half(cpu, first + i));
		bytes[2 * i + 1] = swap64(cpu->vr_low[first + i]);
	}
	mem_span(cpu, s, va, count * VR_BYTES, ACCESS_WRITE, &span);
	copy_span(&span, (uint8_t *)bytes, true);
	mem_span_written(cpu, &span);
}

/* VECTOR LOAD  VL V1,D2(X2,B2),M3  [VRX]  E7-06. M3 is an alignment hint. PoP ch. 21. */
HANDLER(vl)
{
	check_enabled(cpu, s);
	load_registers(cpu, s, EA_X(), R1, 1);
	NEXT(3);
}

/* VECTOR STORE  VST V1,D2(X2,B2),M3  [VRX]  E7-0E. PoP ch. 21. */
HANDLER(vst)
{
	check_enabled(cpu, s);
	store_registers(cpu, s, EA_X(), R1, 1);
	NEXT(3);
}

/* Registers R1 to R3: at most 16, in order, else a specification exception. */
static unsigned int count_of(struct cpu *cpu, const struct slot *s)
{
	check_enabled(cpu, s);
	if (R3 < R1 || R3 - R1 >= (int)VLM_MAX)
		RAISE(PGM_SPECIFICATION);
	return (unsigned int)(R3 - R1) + 1;
}

/* VECTOR LOAD MULTIPLE  VLM V1,V3,D2(B2),M4  [VRS-a]  E7-36. PoP ch. 21. */
HANDLER(vlm)
{
	unsigned int count = count_of(cpu, s);

	load_registers(cpu, s, EA(), R1, count);
	NEXT(3);
}

/* VECTOR STORE MULTIPLE  VSTM V1,V3,D2(B2),M4  [VRS-a]  E7-3E. PoP ch. 21. */
HANDLER(vstm)
{
	unsigned int count = count_of(cpu, s);

	store_registers(cpu, s, EA(), R1, count);
	NEXT(3);
}
