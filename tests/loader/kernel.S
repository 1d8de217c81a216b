/* SPDX-License-Identifier: MIT */
/*
 * A kernel for stage3b tests. It looks at what a Linux kernel would find at its start and ends in a
 * disabled wait whose address is the verdict.
 *
 * Flat, linked at 0x10000: the test puts 64 KiB in front of it, which stage3b drops, and defines
 * MAX_CMDLINE. A command line has to begin with "zpv", a ramdisk to end with "DONE".
 */
#define INITRD_START	0x10408
#define INITRD_SIZE	0x10410
#define CMDLINE		0x10480

	.text
	j	start
	.org	0x8
	.ascii	"S390EP"
	.org	0x430
	.quad	MAX_CMDLINE
	.org	0x2000
start:	llill	%r2,0x600d
	llilh	%r1,1
	oill	%r1,CMDLINE & 0xffff
	cli	0(%r1),0
	je	0f
	llill	%r2,0xbad1			/* wrong command line */
	larl	%r3,zpv
	clc	0(3,%r1),0(%r3)
	jne	stop
	llill	%r2,0x600d
0:	llilh	%r1,1
	oill	%r1,INITRD_START & 0xffff
	lg	%r3,8(%r1)
	ltgr	%r3,%r3
	je	stop
	llill	%r2,0xbad2			/* wrong ramdisk */
	lg	%r4,0(%r1)
	agr	%r4,%r3
	aghi	%r4,-4
	larl	%r3,done
	clc	0(4,%r4),0(%r3)
	jne	stop
	llill	%r2,0x600d
stop:	larl	%r1,psw
	stg	%r2,8(%r1)
	lpswe	0(%r1)

	.balign	8
psw:	.quad	0x0002000080000000, 0
zpv:	.ascii	"zpv", "\0"
done:	.ascii	"DONE"
