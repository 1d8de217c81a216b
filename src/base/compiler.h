/* SPDX-License-Identifier: MIT */
/*
 * Ownership helpers and compiler attributes that every room uses.
 *
 * AUTO(x) declares a variable that x_free() frees on every path; STEAL() hands it over.
 */
#ifndef BASE_COMPILER_H
#define BASE_COMPILER_H

#include <stddef.h>

#define MUST_CHECK	       __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define UNUSED		       __attribute__((unused))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Defines the cleanup function behind AUTO(name) for a type `struct name` with name_free(). */
#define DEFINE_AUTO(name)                                           \
	UNUSED static inline void name##_auto_free(struct name **p) \
	{                                                           \
		name##_free(*p);                                    \
	}

#define AUTO(name) __attribute__((cleanup(name##_auto_free)))

/* Returns the pointer and leaves NULL behind, so that AUTO() frees nothing. */
#define STEAL(p)                             \
	({                                   \
		__typeof__(p) stolen_ = (p); \
		(p) = NULL;                  \
		stolen_;                     \
	})

#endif
