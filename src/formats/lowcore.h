/* SPDX-License-Identifier: MIT */
/*
 * The assigned storage locations that interruptions use: real 0x80-0x1ff of the prefix area
 * (PoP chapter 3, "Assigned Storage Locations"; machine.md section 3).
 */
#ifndef FORMATS_LOWCORE_H
#define FORMATS_LOWCORE_H

#include <stdint.h>

#include "be.h"

struct lowcore_psw {
	be64 mask, addr;
};

/* The order of old and new PSWs. */
enum lowcore_class {
	LC_RESTART,
	LC_EXTERNAL,
	LC_SVC,
	LC_PROGRAM,
	LC_MACHINE_CHECK,
	LC_IO,
	LC_CLASSES
};

struct lowcore {
	uint8_t reserved00[0x80];
	be32 ext_param;		/* 0x80 */
	be16 ext_cpu_addr;	/* 0x84 */
	be16 ext_code;		/* 0x86 */
	be16 svc_ilc, svc_code; /* 0x88 */
	be16 pgm_ilc, pgm_code; /* 0x8c */
	be32 dxc;		/* 0x90 */
	be16 monitor_class;	/* 0x94 */
	uint8_t per_code;	/* 0x96 */
	uint8_t per_atmid;	/* 0x97 */
	be64 per_addr;		/* 0x98 */
	uint8_t exc_access_id;	/* 0xa0 */
	uint8_t per_access_id;	/* 0xa1 */
	uint8_t op_access_id;	/* 0xa2 */
	uint8_t arch_mode;	/* 0xa3 */
	uint8_t reserveda4[4];
	be64 teid;	   /* 0xa8  translation-exception identification */
	be64 monitor_code; /* 0xb0 */
	be16 subchannel_id, subchannel_nr;
	be32 io_param; /* 0xbc */
	be32 io_word;  /* 0xc0 */
	uint8_t reservedc4[4];
	be32 stfl; /* 0xc8 */
	uint8_t reservedcc[0x1c];
	be64 mcic; /* 0xe8  machine-check interruption code */
	uint8_t reservedf0[4];
	be32 external_damage; /* 0xf4  external-damage code */
	be64 failing_storage; /* 0xf8  absolute address */
	uint8_t reserved100[0x10];
	be64 breaking_event; /* 0x110 */
	uint8_t reserved118[8];
	struct lowcore_psw old_psw[LC_CLASSES]; /* 0x120 */
	uint8_t reserved180[0x20];
	struct lowcore_psw new_psw[LC_CLASSES]; /* 0x1a0 */
};
LAYOUT_AT(struct lowcore, svc_code, 0x8a);
LAYOUT_AT(struct lowcore, pgm_code, 0x8e);
LAYOUT_AT(struct lowcore, monitor_class, 0x94);
LAYOUT_AT(struct lowcore, arch_mode, 0xa3);
LAYOUT_AT(struct lowcore, teid, 0xa8);
LAYOUT_AT(struct lowcore, monitor_code, 0xb0);
LAYOUT_AT(struct lowcore, stfl, 0xc8);
LAYOUT_AT(struct lowcore, mcic, 0xe8);
LAYOUT_AT(struct lowcore, external_damage, 0xf4);
LAYOUT_AT(struct lowcore, failing_storage, 0xf8);
LAYOUT_AT(struct lowcore, breaking_event, 0x110);
LAYOUT_AT(struct lowcore, old_psw, 0x120);
LAYOUT_AT(struct lowcore, new_psw, 0x1a0);
LAYOUT_SIZE(struct lowcore, 0x200);

#define ARCH_MODE_Z 1u /* arch_mode: z/Architecture */

/*
 * Machine-check interruption code (PoP chapter 11). First the conditions, of which the first two
 * are exigent and the others repressible.
 */
#define MCIC_SYSTEM_DAMAGE     BIT64(0)
#define MCIC_PROCESSING_DAMAGE BIT64(1)
#define MCIC_RECOVERY	       BIT64(2)
#define MCIC_TIMING_DAMAGE     BIT64(4)
#define MCIC_EXTERNAL_DAMAGE   BIT64(5)
#define MCIC_DEGRADATION       BIT64(7)
#define MCIC_WARNING	       BIT64(8)
#define MCIC_CHANNEL_REPORT    BIT64(9)
#define MCIC_SERVICE_PROCESSOR BIT64(10)
#define MCIC_CHANNEL_SUBSYSTEM BIT64(11)
#define MCIC_EXIGENT	       (MCIC_SYSTEM_DAMAGE | MCIC_PROCESSING_DAMAGE)
/* Then what of the stored is valid. */
#define MCIC_PSW	     (15ull << 40) /* bits 20-23, the old PSW */
#define MCIC_FAILING_STORAGE BIT64(24)
#define MCIC_VECTOR	     BIT64(25)
#define MCIC_DAMAGE_CODE     BIT64(26)
#define MCIC_GUARDED_STORAGE BIT64(36)
/* FPRs, GRs, CRs, ARs, TOD programmable register, FPC, CPU timer, clock comparator */
#define MCIC_REGISTERS                                                                       \
	(BIT64(27) | BIT64(28) | BIT64(29) | BIT64(33) | BIT64(42) | BIT64(43) | BIT64(46) | \
	 BIT64(47))

/*
 * Store-status area: at real 0x1200 of the prefix area, or where SIGP says. A machine check stores
 * the registers there too, but neither PSW nor prefix.
 */
#define STATUS_AREA 0x1200u

struct status_area {
	be64 fpr[16];		/* 0x000 */
	be64 gr[16];		/* 0x080 */
	struct lowcore_psw psw; /* 0x100 */
	uint8_t reserved110[8];
	be32 prefix; /* 0x118 */
	be32 fpc;    /* 0x11c */
	uint8_t reserved120[4];
	be32 todpr; /* 0x124 */
	be64 timer; /* 0x128 */
	be64 ckc;   /* 0x130  bits 0-55 of the comparator, behind a zero byte */
	uint8_t reserved138[8];
	be32 ar[16]; /* 0x140 */
	be64 cr[16]; /* 0x180 */
};
LAYOUT_AT(struct status_area, psw, 0x100);
LAYOUT_AT(struct status_area, prefix, 0x118);
LAYOUT_AT(struct status_area, todpr, 0x124);
LAYOUT_AT(struct status_area, ar, 0x140);
LAYOUT_SIZE(struct status_area, 0x200);

#endif
