/* SPDX-License-Identifier: MIT */
/*
 * The state description (SCB) of the SIE instruction, its interruption data, and the system
 * control areas that belong to it. Layout: sie.md sections 2, 3 and 8. Reserved fields are named
 * after their offset.
 */
#ifndef FORMATS_SCB_H
#define FORMATS_SCB_H

#include "be.h"

/* --- Control bits (sie.md section 3) ---------------------------------------------------------- */

/* cpuflags, 0x00; changed only by interlocked updates */
#define CPUFLAG_STOPPED	   0x80000000u
#define CPUFLAG_WAIT	   0x10000000u
#define CPUFLAG_ECALL_PEND 0x08000000u
#define CPUFLAG_STOP_INT   0x04000000u
#define CPUFLAG_IO_INT	   0x02000000u
#define CPUFLAG_EXT_INT	   0x01000000u
#define CPUFLAG_RUNNING	   0x00800000u
#define CPUFLAG_RETAINED   0x00400000u
#define CPUFLAG_TIMING_SUB 0x00020000u
#define CPUFLAG_SIE_SUB	   0x00010000u
#define CPUFLAG_RRF	   0x00008000u
#define CPUFLAG_SLSV	   0x00004000u
#define CPUFLAG_SLSR	   0x00002000u
#define CPUFLAG_ZARCH	   0x00000800u
#define CPUFLAG_KSS	   0x00000200u
#define CPUFLAG_MCDS	   0x00000100u
#define CPUFLAG_SM	   0x00000080u
#define CPUFLAG_IBS	   0x00000040u
#define CPUFLAG_GED2	   0x00000010u
#define CPUFLAG_G	   0x00000008u
#define CPUFLAG_GED	   0x00000004u
#define CPUFLAG_J	   0x00000002u
#define CPUFLAG_P	   0x00000001u

/* prefix, 0x04 */
#define SCB_PREFIX_MASK 0x7fffe000u
#define SCB_IBC_MASK	0x00000fffu

/* lctl, 0x44: bit n stands for CR n */
#define LCTL_CR(n) (0x8000u >> (n))

/* ictl, 0x48 */
#define ICTL_OPEREXC 0x80000000u
#define ICTL_PINT    0x20000000u
#define ICTL_LPSW    0x00400000u
#define ICTL_STCTL   0x00040000u
#define ICTL_ISKE    0x00004000u
#define ICTL_SSKE    0x00002000u
#define ICTL_RRBE    0x00001000u
#define ICTL_TPROT   0x00000200u

/* eca, 0x4c */
#define ECA_CEI	     0x80000000u
#define ECA_IB	     0x40000000u
#define ECA_SIGPI    0x10000000u
#define ECA_MVPGI    0x01000000u
#define ECA_AIV	     0x00200000u
#define ECA_VX	     0x00020000u
#define ECA_PROTEXCI 0x00002000u
#define ECA_APIE     0x00000008u
#define ECA_SII	     0x00000001u

/* icptstatus, 0x51: whether the instruction was the target of an EX, and the length of the EX */
#define ICPTSTATUS_EX		 0x01u
#define ICPTSTATUS_PER_FETCH	 0x02u
#define ICPTSTATUS_ILC_SHIFT	 4
#define IHCPU_FLUSH		 0xffffu
#define FPF_BPBC		 0x20u
#define SCA_ORIGIN_BASIC_MASK	 0xfffffffffffffff0ull
#define SCA_ORIGIN_EXTENDED_MASK 0xffffffffffffffc0ull

/* ecb, 0x61 */
#define ECB_GS		0x40u
#define ECB_TE		0x10u
#define ECB_SPECI	0x08u
#define ECB_SRSI	0x04u
#define ECB_HOSTPROTINT 0x02u
#define ECB_PTF		0x01u

/* ecb2, 0x62 */
#define ECB2_CMMA    0x80u
#define ECB2_IEP     0x20u
#define ECB2_PFMFI   0x08u
#define ECB2_ESCA    0x04u
#define ECB2_PCI_LSI 0x02u

/* ecb3, 0x63 */
#define ECB3_AISI  0x20u
#define ECB3_AISII 0x10u
#define ECB3_DEA   0x08u
#define ECB3_AES   0x04u
#define ECB3_RI	   0x01u

/* sdf, 0x68 */
enum scb_format { SCB_FORMAT2 = 0, SCB_FORMAT4 = 2 };

/* ecd, 0x1c8 */
#define ECD_HOSTREGMGMT 0x20000000u
#define ECD_MEF		0x08000000u
#define ECD_ETOKEN	0x02000000u
#define ECD_ECC		0x00200000u

/* Designations with something in their low bits */
#define SCB_GD_ORIGIN	     0xfffffff8u
#define SCB_CRYCB_ORIGIN     0x7ffffff8u
#define SCB_CRYCB_FORMAT     3u
#define SCB_FAC_ORIGIN	     0x7ffffff8u
#define SCB_SDNX_ORIGIN	     0xfffffffffffffff0ull
#define SCB_SDNX_SIZE	     15u
#define SCB_ITDB_ORIGIN	     0xffffffffffffff00ull
#define SCB_RICCB_ORIGIN     0xffffffffffffffc0ull
#define SCB_GVRD_ORIGIN	     0xfffffffffffffe00ull
#define SCB_MSO_MASK	     0xfffffffffff00000ull
#define SCB_SIDAD_ORIGIN     0xfffffffffffff000ull
#define SCB_SIDAD_PAGES_MASK 0xffu /* pages - 1 */

/* icptcode, 0x50 (sie.md section 4) */
enum icpt_code {
	ICPT_NONE = 0x00,
	ICPT_INSTRUCTION = 0x04,
	ICPT_PROGRAM = 0x08,
	ICPT_INSTRUCTION_PROGRAM = 0x0c,
	ICPT_EXT_REQUEST = 0x10,
	ICPT_EXT_INTERRUPTION = 0x14,
	ICPT_IO_REQUEST = 0x18,
	ICPT_WAIT = 0x1c,
	ICPT_VALIDITY = 0x20,
	ICPT_STOP = 0x28,
	ICPT_OPERATION = 0x2c,
	ICPT_PARTIAL = 0x38,
	ICPT_IO_INSTRUCTION = 0x40,
	ICPT_KSS = 0x5c,
	ICPT_MCHECK_REQUEST = 0x60,
	ICPT_INTERRUPTION_ENABLE = 0x64,
	ICPT_PV_INSTRUCTION = 0x68,
	ICPT_PV_NOTIFICATION = 0x6c,
	ICPT_PV_PREFIX = 0x70,
};

/* Reasons of a validity interception, ipb bits 0-15 (sie.md section 6) */
enum validity {
	VALIDITY_NONE = 0,
	VALIDITY_CPUFLAGS = 0x0001,
	VALIDITY_SLS = 0x0007,
	VALIDITY_SCA_PREFIX = 0x0011,
	VALIDITY_CRYCB_FORMAT = 0x0022,
	VALIDITY_SCA_ACCESS = 0x0034,
	VALIDITY_CRYCB_ACCESS = 0x0035,
	VALIDITY_PREFIX = 0x0037,
	VALIDITY_SCA_LOW = 0x0038,
	VALIDITY_CRYCB_ZERO = 0x0039,
	VALIDITY_SCA_CROSSES = 0x003b,
	VALIDITY_CRYCB_CROSSES = 0x003c,
	VALIDITY_RICCB = 0x0043,
	VALIDITY_ITDB = 0x0080,
	VALIDITY_FAC = 0x1090,
	VALIDITY_SDNX_ADDR = 0x10b0,
	VALIDITY_SDNX_SIZE = 0x10b1,
	VALIDITY_SDNX_ALIGN = 0x10b2,
	VALIDITY_GVRD = 0x1310,
	/* Format 4: in the order of the checks */
	VALIDITY_PV_NOT_INIT = 0x2001,
	VALIDITY_PV_CONFIG = 0x2002,	   /* configuration handle */
	VALIDITY_PV_CPU = 0x2003,	   /* CPU handle */
	VALIDITY_PV_OTHER_CONFIG = 0x2004, /* CPU of another configuration */
	VALIDITY_PV_SCB = 0x2005,	   /* not the registered state description */
	VALIDITY_PV_ASCE = 0x2006,	   /* CR1 is not the registered ASCE */
	VALIDITY_PV_RUNNING = 0x2007,
	VALIDITY_PV_CPU_STATE = 0x2008,
	VALIDITY_PV_CONFIG_STATE = 0x2009, /* not verified, or being dumped */
	VALIDITY_PV_RESET = 0x200a,	   /* a reset is not complete */
	VALIDITY_PV_SIDA = 0x200b,
	VALIDITY_PV_SCA = 0x200c,
	VALIDITY_PV_TIMER_HIGH = 0x2010,
	VALIDITY_PV_TIMER_LOW = 0x2011,
	VALIDITY_PV_NOT_ENABLED = 0x2020, /* injection of what the guest has disabled */
	VALIDITY_PV_INJECTION = 0x2021,	  /* not in this state */
	VALIDITY_PV_IICTL = 0x2022,
	VALIDITY_PV_EXTERNAL = 0x2023, /* external interruption code */
	VALIDITY_PV_COMPLETION = 0x2024,
};

/* iictl, 0x55: format 4 (sie.md section 7.6) */
enum scb_injection {
	INJECT_NONE = 0x00,
	INJECT_MCHECK = 0x01,
	INJECT_EXTERNAL = 0x02,
	INJECT_IO = 0x03,
	INJECT_RESTART = 0x04,
	INJECT_SPECIFICATION = 0x10,
	INJECT_OPERAND = 0x11,
};

/* --- Interruption data, 0xc0 (sie.md section 2.1); offsets from there -------------------------- */

struct scb_external {
	be32 params;   /* 0x00 */
	be16 cpu_addr; /* 0x04 */
	be16 code;     /* 0x06 */
};
LAYOUT_SIZE(struct scb_external, 0x08);

struct scb_mcheck {
	be64 mcic;	       /* 0x00  machine-check interruption code */
	uint8_t reserved08[4]; /* 0x08 */
	be32 damage;	       /* 0x0c  external damage code */
	be64 addr;	       /* 0x10  failing storage address */
};
LAYOUT_AT(struct scb_mcheck, damage, 0x0c);
LAYOUT_SIZE(struct scb_mcheck, 0x18);

struct scb_program {
	uint8_t reserved00[0x0c]; /* 0x00 */
	be16 ilc;		  /* 0x0c  bits 13-14: 0, 2, 4 or 6 */
	be16 code;		  /* 0x0e  as the guest would see it */
	be32 dxc;		  /* 0x10  data-exception or vector code */
	be16 monitor_class;	  /* 0x14 */
	uint8_t per_code;	  /* 0x16 */
	uint8_t per_atmid;	  /* 0x17 */
	be64 per_addr;		  /* 0x18 */
	uint8_t eai;		  /* 0x20  exception access id */
	uint8_t per_ai;		  /* 0x21 */
	uint8_t oai;		  /* 0x22  operand access id */
	uint8_t arch_mode;	  /* 0x23 */
	uint8_t reserved24[4];	  /* 0x24 */
	be64 teid;		  /* 0x28  or the monitor code */
};
LAYOUT_AT(struct scb_program, code, 0x0e);
LAYOUT_AT(struct scb_program, per_addr, 0x18);
LAYOUT_AT(struct scb_program, teid, 0x28);
LAYOUT_SIZE(struct scb_program, 0x30);

struct scb_io {
	uint8_t reserved00[0x28]; /* 0x00 */
	be16 subchannel_id;	  /* 0x28 */
	be16 subchannel_nr;	  /* 0x2a */
	be32 param;		  /* 0x2c */
	be32 word;		  /* 0x30  I/O interruption identification word */
};
LAYOUT_AT(struct scb_io, word, 0x30);
LAYOUT_SIZE(struct scb_io, 0x34);

/* MVPG that was executed in part: host absolute addresses of the page-table entries. */
struct scb_pei {
	be64 dest_pte;	 /* 0x00 */
	be64 source_pte; /* 0x08 */
};
LAYOUT_SIZE(struct scb_pei, 0x10);

union scb_intr {
	uint8_t raw[0x3c];
	struct scb_external ext;
	struct scb_mcheck mcheck;
	struct scb_program program;
	struct scb_io io;
	struct scb_pei pei;
};
LAYOUT_SIZE(union scb_intr, 0x3c);

/* --- The state description --------------------------------------------------------------------- */

#define SCB_BYTES 512u /* and its alignment */

struct scb {
	be32 cpuflags;		 /* 0x000  CPUFLAG_* */
	be32 prefix;		 /* 0x004  prefix and IBC */
	uint8_t reserved008[4];	 /* 0x008 */
	be32 prog0c;		 /* 0x00c  the host program's own */
	be64 pv_handle_cpu;	 /* 0x010  format 4 */
	be64 pv_handle_config;	 /* 0x018  format 4 */
	be32 prog20;		 /* 0x020  the host program's own */
	uint8_t reserved024[4];	 /* 0x024 */
	be64 cputm;		 /* 0x028  CPU timer */
	be64 ckc;		 /* 0x030  clock comparator */
	be64 epoch;		 /* 0x038  guest TOD - host TOD */
	uint8_t svcc[4];	 /* 0x040  SVC interception control */
	be16 lctl;		 /* 0x044  LCTL_CR() */
	be16 icpua;		 /* 0x046  guest CPU address */
	be32 ictl;		 /* 0x048  ICTL_* */
	be32 eca;		 /* 0x04c  ECA_* */
	uint8_t icptcode;	 /* 0x050  enum icpt_code */
	uint8_t icptstatus;	 /* 0x051  ICPTSTATUS_* */
	be16 ihcpu;		 /* 0x052  host CPU that ran it last */
	uint8_t reserved054;	 /* 0x054 */
	uint8_t iictl;		 /* 0x055  enum scb_injection */
	be16 ipa;		 /* 0x056  interception parameters: */
	be32 ipb;		 /* 0x058  the instruction */
	be32 scaoh;		 /* 0x05c  SCA origin, upper half */
	uint8_t fpf;		 /* 0x060  FPF_* */
	uint8_t ecb;		 /* 0x061  ECB_* */
	uint8_t ecb2;		 /* 0x062  ECB2_* */
	uint8_t ecb3;		 /* 0x063  ECB3_* */
	be32 scaol;		 /* 0x064  SCA origin, lower half */
	uint8_t sdf;		 /* 0x068  enum scb_format */
	uint8_t epdx;		 /* 0x069  epoch index */
	uint8_t cpnc;		 /* 0x06a  control-program name code */
	uint8_t reserved06b;	 /* 0x06b */
	be32 todpr;		 /* 0x06c  TOD programmable register */
	be32 gd;		 /* 0x070  GISA designation */
	uint8_t reserved074[12]; /* 0x074 */
	be64 mso;		 /* 0x080  main-storage origin */
	be64 msl;		 /* 0x088  main-storage limit */
	be64 gpsw_mask;		 /* 0x090 */
	be64 gpsw_addr;		 /* 0x098 */
	be64 gg14;		 /* 0x0a0 */
	be64 gg15;		 /* 0x0a8 */
	uint8_t reserved0b0[8];	 /* 0x0b0 */
	uint8_t hpid;		 /* 0x0b8  4 KVM, 5 KVM nested */
	uint8_t reserved0b9[7];	 /* 0x0b9 */
	union scb_intr intr;	 /* 0x0c0  interruption data */
	be32 crycbd;		 /* 0x0fc  crypto control block designation */
	be64 gcr[16];		 /* 0x100 */
	be64 gbea;		 /* 0x180  breaking-event address; format 4: SIDA designation */
	uint8_t reserved188[8];	 /* 0x188 */
	be64 sdnxo;		 /* 0x190  SDNX origin */
	uint8_t reserved198[8];	 /* 0x198 */
	be32 fac;		 /* 0x1a0  facility list designation */
	uint8_t reserved1a4[20]; /* 0x1a4 */
	be64 cbrlo;		 /* 0x1b8  CMMA collection buffer */
	uint8_t reserved1c0[8];	 /* 0x1c0 */
	be32 ecd;		 /* 0x1c8  ECD_* */
	uint8_t reserved1cc[18]; /* 0x1cc */
	be64 pp;		 /* 0x1de  program parameter */
	uint8_t reserved1e6[2];	 /* 0x1e6 */
	be64 itdba;		 /* 0x1e8  TX interception TDB */
	be64 riccbd;		 /* 0x1f0  runtime instrumentation */
	be64 gvrd;		 /* 0x1f8  guest vector register area */
};
LAYOUT_SIZE(struct scb, SCB_BYTES);
LAYOUT_AT(struct scb, prog0c, 0x00c);
LAYOUT_AT(struct scb, pv_handle_cpu, 0x010);
LAYOUT_AT(struct scb, prog20, 0x020);
LAYOUT_AT(struct scb, cputm, 0x028);
LAYOUT_AT(struct scb, svcc, 0x040);
LAYOUT_AT(struct scb, lctl, 0x044);
LAYOUT_AT(struct scb, ictl, 0x048);
LAYOUT_AT(struct scb, icptcode, 0x050);
LAYOUT_AT(struct scb, ihcpu, 0x052);
LAYOUT_AT(struct scb, iictl, 0x055);
LAYOUT_AT(struct scb, ipa, 0x056);
LAYOUT_AT(struct scb, scaoh, 0x05c);
LAYOUT_AT(struct scb, ecb, 0x061);
LAYOUT_AT(struct scb, scaol, 0x064);
LAYOUT_AT(struct scb, sdf, 0x068);
LAYOUT_AT(struct scb, todpr, 0x06c);
LAYOUT_AT(struct scb, gd, 0x070);
LAYOUT_AT(struct scb, mso, 0x080);
LAYOUT_AT(struct scb, gpsw_mask, 0x090);
LAYOUT_AT(struct scb, gg14, 0x0a0);
LAYOUT_AT(struct scb, hpid, 0x0b8);
LAYOUT_AT(struct scb, intr, 0x0c0);
LAYOUT_AT(struct scb, crycbd, 0x0fc);
LAYOUT_AT(struct scb, gcr, 0x100);
LAYOUT_AT(struct scb, gbea, 0x180);
LAYOUT_AT(struct scb, sdnxo, 0x190);
LAYOUT_AT(struct scb, fac, 0x1a0);
LAYOUT_AT(struct scb, cbrlo, 0x1b8);
LAYOUT_AT(struct scb, ecd, 0x1c8);
LAYOUT_AT(struct scb, pp, 0x1de);
LAYOUT_AT(struct scb, itdba, 0x1e8);
LAYOUT_AT(struct scb, gvrd, 0x1f8);

/* Format 4 owns the whole page. */
struct scb_page {
	struct scb scb;		    /* 0x000 */
	uint8_t mcheck_info[24];    /* 0x200  the host program's own */
	uint8_t reserved218[0x168]; /* 0x218 */
	be64 pv_grregs[16];	    /* 0x380  registers of a secure interception */
	uint8_t reserved400[0xc00]; /* 0x400 */
};
LAYOUT_AT(struct scb_page, pv_grregs, 0x380);
LAYOUT_SIZE(struct scb_page, 4096);

/* --- System control areas (sie.md section 8) --------------------------------------------------- */

/* ipte_control, 0x00 of both: bit 0 k, bits 1-31 hosts, bits 32-63 guests that hold the lock */
#define IPTE_CONTROL_K 0x8000000000000000ull

#define BSCA_ENTRIES  64u
#define BSCA_SIGP_C   0x80u
#define BSCA_SIGP_R   0x40u
#define BSCA_SIGP_SCN 0x3fu

struct bsca_entry {
	uint8_t reserved00;	/* 0x00 */
	uint8_t sigp_ctrl;	/* 0x01  c, r, sender's CPU address */
	uint8_t reserved02[6];	/* 0x02 */
	be64 sda;		/* 0x08  state description */
	uint8_t reserved10[16]; /* 0x10 */
};
LAYOUT_SIZE(struct bsca_entry, 32);
LAYOUT_AT(struct bsca_entry, sda, 0x08);

struct bsca {
	be64 ipte_control;		     /* 0x00 */
	uint8_t reserved08[0x28];	     /* 0x08 */
	be64 mcn;			     /* 0x30  valid entries, leftmost is 0 */
	be16 utility;			     /* 0x38 */
	uint8_t reserved3a[6];		     /* 0x3a */
	struct bsca_entry cpu[BSCA_ENTRIES]; /* 0x40 */
};
LAYOUT_AT(struct bsca, mcn, 0x30);
LAYOUT_AT(struct bsca, cpu, 0x40);
LAYOUT_SIZE(struct bsca, 0x840);

#define ESCA_ENTRIES  248u /* that KVM uses; the format has room for 256 */
#define ESCA_SIGP_C   0x8000u
#define ESCA_SIGP_SCN 0x00ffu

struct esca_entry {
	be16 sigp_ctrl;		/* 0x00  c, sender's CPU address */
	uint8_t reserved02[6];	/* 0x02 */
	be64 sda;		/* 0x08 */
	uint8_t reserved10[48]; /* 0x10 */
};
LAYOUT_SIZE(struct esca_entry, 64);
LAYOUT_AT(struct esca_entry, sda, 0x08);

struct esca {
	be64 ipte_control;		     /* 0x00 */
	uint8_t reserved08[0x30];	     /* 0x08 */
	be16 utility;			     /* 0x38 */
	uint8_t reserved3a[6];		     /* 0x3a */
	be64 mcn[4];			     /* 0x40 */
	uint8_t reserved60[0xa0];	     /* 0x60 */
	struct esca_entry cpu[ESCA_ENTRIES]; /* 0x100 */
};
LAYOUT_AT(struct esca, mcn, 0x40);
LAYOUT_AT(struct esca, cpu, 0x100);
LAYOUT_SIZE(struct esca, 0x3f00);

#endif
