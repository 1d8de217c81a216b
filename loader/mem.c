// SPDX-License-Identifier: MIT
/*
 * Memory functions. Kernels are moved with MVCLE, everything else is short.
 *
 * PoP ch. 7, "MOVE LONG EXTENDED": condition code 3 means "go on".
 */
#include "mem.h"

static void move_up_to_down(unsigned char *dst, const unsigned char *src, size_t len)
{
	while (len--)
		dst[len] = src[len];
}

/* Must not be used when dst lies inside the source: MVCLE would never finish. */
static void move_forward(void *dst, const void *src, size_t len)
{
	register void *r2 __asm__("2") = dst;
	register size_t r3 __asm__("3") = len;
	register const void *r4 __asm__("4") = src;
	register size_t r5 __asm__("5") = len;

	__asm__ volatile("0:	mvcle	%0,%2,0\n"
			 "	jo	0b\n"
			 : "+d"(r2), "+d"(r3), "+d"(r4), "+d"(r5)
			 :
			 : "cc", "memory");
}

void *memmove(void *dst, const void *src, size_t len)
{
	if ((size_t)dst - (size_t)src < len)
		move_up_to_down(dst, src, len);
	else
		move_forward(dst, src, len);
	return dst;
}

void *memcpy(void *dst, const void *src, size_t len)
{
	return memmove(dst, src, len);
}

void *memset(void *dst, int byte, size_t len)
{
	unsigned char *p = dst;

	while (len--)
		*p++ = (unsigned char)byte;
	return dst;
}
