/* SPDX-License-Identifier: MIT */
/*
 * What the targets of the Ultravisor share: a machine that has one, images sealed for it, and what
 * must hold between two of its calls.
 */
#ifndef FUZZ_UV_INPUT_H
#define FUZZ_UV_INPUT_H

#include <zpv/hostkey.h>

#include "machine_input.h"
#include "se_hdr.h"
#include "uv_priv.h"

#define FUZZ_MIB 0x100000ull

/* The lowest place where INIT takes its storage, at the end of the machine's. */
#define FUZZ_UV_AT	0x80000000ull
#define FUZZ_UV_STORAGE (FUZZ_UV_AT + UV_BASE_STOR_BYTES)

/* An identity that is made at the first call and removed at the end of the process. */
const struct zpv_host *fuzz_host(void);

/* A machine of FUZZ_UV_STORAGE with an Ultravisor; one at a time. */
struct machine *fuzz_uv_machine(unsigned int cpus);
void fuzz_uv_free(struct machine *m);
/* The same for another's machine. At the end the Ultravisor is reset and must leave nothing. */
void fuzz_uv_attach(struct machine *m);
void fuzz_uv_detach(struct machine *m);

/*
 * Host storage of a guest, by slot: guest absolute page n is in frame FUZZ_GUEST / 4096 + n at
 * first, and at host virtual FUZZ_MSO + n * 4096 for ever. All of it lies below FUZZ_SCAN.
 */
#define FUZZ_SLOTS	 3u
#define FUZZ_SLOT(n)	 (0x100000ull + (n)*0x40000ull)
#define FUZZ_SEGMENTS(n) (FUZZ_SLOT(n) + 0x0000)
#define FUZZ_PTES(n)	 (FUZZ_SLOT(n) + 0x1000)
#define FUZZ_SCA(n)	 (FUZZ_SLOT(n) + 0x4000)
#define FUZZ_BASE(n)	 (FUZZ_SLOT(n) + 0x8000)
#define FUZZ_VIRT(n)	 (FUZZ_SLOT(n) + 0x10000)
#define FUZZ_CPU(n, k)	 (FUZZ_SLOT(n) + 0x20000 + (k)*0x1000ull)
#define FUZZ_SCB(n, k)	 (FUZZ_SLOT(n) + 0x22000 + (k)*0x1000ull)
#define FUZZ_SIDA(n, k)	 (FUZZ_SLOT(n) + 0x24000 + (k)*0x1000ull)
#define FUZZ_HDR(n)	 (FUZZ_SLOT(n) + 0x28000)
#define FUZZ_UVCB	 0x200000ull /* 64 KiB */
#define FUZZ_PAGES	 16u
#define FUZZ_GUEST(n)	 (0x220000ull + (n)*0x10000ull)
#define FUZZ_SCAN	 0x250000ull
#define FUZZ_MSO	 0x1000000ull
#define FUZZ_ASCE(n)	 (FUZZ_SEGMENTS(n) | 0x100)
#define FUZZ_MASK_64	 0x0000000180000000ull

/* Host's tables of a guest. */
void fuzz_map(struct machine *m, unsigned int slot);
void fuzz_set_pte(struct machine *m, unsigned int slot, unsigned int page, uint64_t entry);
/* A state description of a protected CPU as it should be; and the control area that it needs. */
void fuzz_scb(struct scb_page *scb, unsigned int slot, unsigned int number, uint64_t config,
	      uint64_t cpu);
void fuzz_sca(struct machine *m, unsigned int slot);

/*
 * Enters CPU 0's SIE, which ends by itself or by a kick. What must hold whatever the description
 * says: the host gets back all registers that are its own, and an interception code that there is.
 */
enum cpu_stop fuzz_sie4(struct cpu *cpu, uint64_t scb);

/* A page of an image: plaintext first, what is stored in the guest after sealing. */
struct fuzz_piece {
	uint64_t gaddr, tweak[2];
	uint8_t page[FRAME_BYTES];
};

/*
 * Encrypts the pieces, in the order of their unpacking, and writes the header that goes with them
 * (se_hdr_size(1) bytes), for the identity.
 */
void fuzz_seal_image(struct fuzz_piece *pieces, size_t n, uint64_t psw_addr, uint8_t *hdr);

/*
 * A call with its block at this address. Return: rc; 0 when the block is not accessible, with the
 * exception in *pic.
 */
uint16_t fuzz_uvc(struct cpu *cpu, uint64_t at, void *block, size_t len, struct pic *pic);
/* Calls with a block at FUZZ_UVCB. */
uint16_t fuzz_call(struct cpu *cpu, enum uv_command cmd, void *block, size_t len);
uint16_t fuzz_call_handle(struct cpu *cpu, enum uv_command cmd, uint64_t handle);
uint16_t fuzz_call_page(struct cpu *cpu, enum uv_command cmd, uint64_t config, uint64_t gaddr);
uint16_t fuzz_call_frame(struct cpu *cpu, enum uv_command cmd, uint64_t frame_addr);
uint16_t fuzz_call_state(struct cpu *cpu, uint64_t handle, enum uv_cpu_state state);
uint16_t fuzz_call_init(struct cpu *cpu);
/* Of a slot; the new handle, or 0. */
uint64_t fuzz_create_config(struct cpu *cpu, unsigned int slot);
uint64_t fuzz_create_cpu(struct cpu *cpu, unsigned int slot, unsigned int number, uint64_t config);

/*
 * Between two calls, no CPU running: frames, records of pages, configurations and CPUs agree;
 * handles differ. Frames below the end of scan and the Ultravisor's own are looked at.
 */
void fuzz_check_uv(const struct machine *m, uint64_t scan);

#endif
