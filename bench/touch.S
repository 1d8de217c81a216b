# SPDX-License-Identifier: MIT
#
# A guest that keeps its memory its own: stores into each page from 1 MiB to MEMORY_MIB, again and
# again. Entered like a kernel, at 0x10000.
	.org	0x10000
again:	llilh	%r2, 0x10
	llilf	%r6, MEMORY_MIB
	sllg	%r6, %r6, 20
1:	stg	%r2, 0(%r2)
	aghi	%r2, 4096
	clgr	%r2, %r6
	jl	1b
	j	again
