# SPDX-License-Identifier: MIT
#
# The shortest guest: stops its only CPU, which powers it off. Entered like a kernel, at 0x10000.
	.org	0x10000
	lghi	%r2, 0
	sigp	%r2, %r2, 5
	j	.
