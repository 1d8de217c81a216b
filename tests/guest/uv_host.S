/* SPDX-License-Identifier: MIT */
/*
 * Ultravisor calls of a host, one CPU, with the stimuli of kvm-unit-tests' uv-host.c (ultravisor.md
 * section 9.1): the instruction, calls before INIT, QUERY, INIT, access to the block by home-space
 * addresses, load normal reset.
 *
 * %r9: the block; %r8, %r7: command and how many are left.
 */
#include "guest.inc"

#define BLOCK	  0x10000
#define AT_END	  0x11ff8		/* a header that ends its page */
#define SEGMENTS  0x20000		/* of the primary space, all of its first MiB */
#define PAGES	  0x21000
#define HOME	  0x22000		/* of the home space, which lacks two pages */
#define HOME_PAGES 0x23000
#define CONFIG_BASE 0x100000
#define CONFIG_VIRT 0x110000
#define SCA	  0x120000
#define CPU_STOR  0x124000
#define SCB	  0x125000
#define UV_BASE	  0x80000000
#define UV_BYTES  0x200000
#define RAM_END	  0x80400000		/* machine_run -u */
#define MSO	  0x1000000
#define CODE_MASK 0x00000001		/* left half of a PSW mask: 64-bit mode */

#define RC  4
#define UVC(block) .insn rre, 0xb9a40000, %r0, block

	LITERALS
home_asce:
	.quad	HOME
primary_asce:
	.quad	SEGMENTS
	CODE
	j	begin

/* Every call of a host in this table but INIT and QUERY: command, length. */
	.balign	4
commands:
	.short	0x0100, 0x80, 0x0101, 0x40, 0x0120, 0x60, 0x0121, 0x40, 0x0200, 0x28
	.short	0x0201, 0x20, 0x0300, 0x50, 0x0301, 0x50, 0x0302, 0x40, 0x0310, 0x40
	.short	0x0311, 0x40, 0x0320, 0x40, 0x0321, 0x40, 0x0330, 0x50, 0x0340, 0x40
	.short	0x0341, 0x20, 0x0342, 0x28
	.short	0x000f, 0x48
commands_end:
#define ALL	 ((commands_end - commands) / 4)
#define ALL_BUT_INIT (ALL - 1)

	.macro EACH count
	larl	%r8, commands
	lghi	%r7, \count
	.endm

	/* The block of the current command; all else is zero. */
	.macro SET_CURRENT
	xc	0(256, %r9), 0(%r9)
	mvc	2(2, %r9), 0(%r8)
	mvc	0(2, %r9), 2(%r8)
	.endm

	.macro SET cmd, len
	xc	0(256, %r9), 0(%r9)
	xc	256(256, %r9), 256(%r9)
	mvhhi	0(%r9), \len
	mvhhi	2(%r9), \cmd
	.endm

	.macro QUAD at, value
	llilf	%r1, (\value) & 0xffffffff
	.if	(\value) >> 32
	iihf	%r1, (\value) >> 32
	.endif
	stg	%r1, \at(%r9)
	.endm

	/* The condition code says no more than the response code. */
	.macro CALL rc
	UVC(%r9)
	.if	\rc == 1
	CC_IS	8
	.else
	CC_IS	4
	.endif
	HALF_IS	RC(%r9), \rc
	.endm

	/* Before INIT, and after a reset. Returns to %r6. */
uninitialized:
	EACH	ALL_BUT_INIT
0:	SET_CURRENT
	CALL	0x0003
	aghi	%r8, 4
	brctg	%r7, 0b
	br	%r6

begin:
	llilf	%r9, BLOCK

	/* i3: bits 16-23 of the instruction, before the block is looked at. */
	STEP
	SET	0x000f, 0x48
	EXPECT	0f
	.long	0xb9a44009
1:	NO_RAISE
0:	PGM_IS	6, 4, 1b
	STEP
	EXPECT	0f
	.long	0xb9a40209
1:	NO_RAISE
0:	PGM_IS	6, 4, 1b

	/* A block that is not on a doubleword. */
	STEP
	llilf	%r5, BLOCK + 4
	EXPECT	0f
	UVC(%r5)
1:	NO_RAISE
0:	PGM_IS	6, 4, 1b

	/* privileged */
	STEP
	EACH	ALL
2:	SET_CURRENT
	EXPECT	0f
	GOTO	0x00010001, 0x80000000, 3f
3:	UVC(%r9)
1:	NO_RAISE
0:	PGM_IS	2, 4, 1b
	aghi	%r8, 4
	brctg	%r7, 2b

	/* invalid */
	STEP
	SET	0x4242, 8
	CALL	0x0002
	SET	0x1000, 8
	CALL	0x0002
	SET	0x1001, 8
	CALL	0x0002
	SET	0x1020, 8
	CALL	0x0002

	/* uninitialized */
	STEP
	brasl	%r6, uninitialized

	/* query: too short; short; and all of it */
	STEP
	SET	0x0001, 0xa0
	CALL	0x0005
	SET	0x0001, 0xa8
	CALL	0x0100
	SET	0x0001, 0x100
	CALL	0x0100
	STEP
	SET	0x0001, 0x120
	CALL	0x0001
	/* Bits 1-7, 11, 13-19, 21, 22 are there; 8 to 10 and 28, a guest's, are not. */
	STEP
	lg	%r2, 0x10(%r9)
	llihf	%r1, 0x7f17f600
	ngr	%r1, %r2
	srlg	%r1, %r1, 32
	REG_IS	%r1, 0x7f17f600
	llihf	%r1, 0x00e00008
	ngr	%r1, %r2
	CC_IS	8
	QUAD_IS	0x40(%r9), 0, UV_BYTES

	/* init */
	STEP
	SET	0x000f, 0x40
	CALL	0x0005
	STEP
	SET	0x000f, 0x48
	QUAD	0x18, UV_BASE
	QUAD	0x20, UV_BYTES - 8
	CALL	0x0103
	QUAD	0x20, UV_BYTES
	QUAD	0x18, RAM_END
	CALL	0x0105
	QUAD	0x18, RAM_END - 0x100000
	CALL	0x0105
	QUAD	0x18, 0x40000000
	CALL	0x0108
	QUAD	0x18, UV_BASE + 0x1000
	CALL	0x0104
	STEP
	QUAD	0x18, UV_BASE
	CALL	0x0001
	STEP
	QUAD	0x18, UV_BASE + 0x200000
	CALL	0x0101
	/* What was given away cannot be fetched from. */
	STEP
	llilf	%r5, UV_BASE
	EXPECT	0f
1:	lg	%r1, 0(%r5)
	NO_RAISE
0:	PGM_IS	0x3d, 6, 1b

	/*
	 * access: DAT on, primary-space mode; the home space lacks the page of the block, and the
	 * one behind AT_END
	 */
	STEP
	llilf	%r2, SEGMENTS
	llilf	%r3, HOME
	lghi	%r4, 512
	lghi	%r1, 0x20
0:	stg	%r1, 0(%r2)
	stg	%r1, 0(%r3)
	aghi	%r2, 8
	aghi	%r3, 8
	brctg	%r4, 0b
	llilf	%r2, PAGES
	llilf	%r3, HOME_PAGES
	stg	%r2, SEGMENTS - PAGES(%r2)
	stg	%r3, HOME - HOME_PAGES(%r3)
	lghi	%r4, 256
	lghi	%r1, 0
0:	stg	%r1, 0(%r2)
	stg	%r1, 0(%r3)
	aghi	%r1, 0x1000
	aghi	%r2, 8
	aghi	%r3, 8
	brctg	%r4, 0b
	llilf	%r3, HOME_PAGES
	llilf	%r1, BLOCK | 0x400
	stg	%r1, (BLOCK >> 12) * 8(%r3)
	llilf	%r1, 0x12000 | 0x400
	stg	%r1, 0x12 * 8(%r3)
	lctlg	%c13, %c13, home_asce
	lctlg	%c1, %c1, primary_asce
	ptlb
	EACH	ALL
2:	SET_CURRENT
	EXPECT	0f
	GOTO	0x04000001, 0x80000000, 1f
1:	UVC(%r9)
	NO_RAISE
0:	PGM_IS	0x11, 4, 1b
	aghi	%r8, 4
	brctg	%r7, 2b

	/* The block goes on in a page that is not there: before any state is looked at. */
	STEP
	llilf	%r9, AT_END
	EACH	ALL
2:	SET_CURRENT
	EXPECT	0f
	GOTO	0x04000001, 0x80000000, 1f
1:	UVC(%r9)
	NO_RAISE
0:	PGM_IS	0x11, 4, 1b
	aghi	%r8, 4
	brctg	%r7, 2b

	/* A header alone can be there. */
	STEP
	SET	0x4242, 8
	EXPECT	2f
	GOTO	0x04000001, 0x80000000, 1f
1:	UVC(%r9)
	GOTO	CODE_MASK, 0x80000000, 0f
2:	j	fail
0:	xc	PGM_RETURN(8), PGM_RETURN
	HALF_IS	RC(%r9), 0x0002

	/* load normal reset: a configuration and a CPU, then nothing of them */
	STEP
	llilf	%r9, BLOCK
	SET	0x0100, 0x80
	QUAD	0x20, CONFIG_BASE
	QUAD	0x28, CONFIG_VIRT
	QUAD	0x38, MSO
	QUAD	0x40, 0x100000
	QUAD	0x48, SCA
	QUAD	0x50, SEGMENTS + 0x100
	CALL	0x0001
	STEP
	lg	%r5, 0x18(%r9)
	SET	0x0120, 0x60
	stg	%r5, 0x20(%r9)
	QUAD	0x28, CPU_STOR
	QUAD	0x38, SCB
	CALL	0x0001
	STEP
	llilf	%r5, CPU_STOR
	EXPECT	0f
1:	stg	%r5, 0(%r5)
	NO_RAISE
0:	PGM_IS	0x3d, 6, 1b
	llilf	%r5, CONFIG_BASE
	EXPECT	0f
1:	stg	%r5, 0(%r5)
	NO_RAISE
0:	PGM_IS	0x3d, 6, 1b
	STEP
	larl	%r1, after_reset
	RESET_TO %r1
	lghi	%r4, 1
	lctlg	%c1, %c1, home_asce
	diag	%r2, %r4, 0x308
	NO_RAISE
after_reset:
	/* General registers are kept, control registers have their initial values. */
	STEP
	REG_IS	%r9, BLOCK
	stctg	%c0, %c1, SCRATCH
	QUAD_IS	SCRATCH, 0, 0xe0
	QUAD_IS	SCRATCH + 8, 0, 0
	STEP
	llilf	%r5, UV_BASE
	QUAD_IS	0(%r5), 0, 0
	llilf	%r5, CONFIG_BASE
	QUAD_IS	0(%r5), 0, 0
	llilf	%r5, CPU_STOR
	QUAD_IS	0(%r5), 0, 0
	STEP
	brasl	%r6, uninitialized

	/* modified clear reset: general registers too */
	STEP
	SET	0x000f, 0x48
	QUAD	0x18, UV_BASE
	QUAD	0x20, UV_BYTES
	CALL	0x0001
	larl	%r1, after_clear
	RESET_TO %r1
	lghi	%r4, 0
	diag	%r2, %r4, 0x308
	NO_RAISE
after_clear:
	ltgr	%r9, %r9
	CC_IS	8
	ltgr	%r12, %r12
	CC_IS	8
	STEP
	llilf	%r9, BLOCK
	brasl	%r6, uninitialized

	/* Other functions and subcodes are not the machine's. */
	STEP
	lghi	%r4, 3
	EXPECT	0f
	diag	%r2, %r4, 0x308
1:	NO_RAISE
0:	PGM_IS	6, 4, 1b
	END
